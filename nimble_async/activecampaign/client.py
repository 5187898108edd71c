"""The client: it builds the parts, hands them down and owns their lifetime."""

from __future__ import annotations

import os
from functools import cached_property

from nimble_async._aio.client import Client
from nimble_async._aio.credentials import ApiKey
from nimble_async._aio.ports import Clock, Transport
from nimble_async.activecampaign.address import WHERE_TO_LOOK, account_address, account_of
from nimble_async.activecampaign.dialect import ACTIVECAMPAIGN, RATE
from nimble_async.activecampaign.resources.activities import Activities
from nimble_async.activecampaign.resources.custom_field_values import CustomFieldValues
from nimble_async.activecampaign.resources.custom_fields import CustomFields
from nimble_async.activecampaign.resources.deals import Deals
from nimble_async.activecampaign.resources.pipelines import Pipelines
from nimble_async.activecampaign.resources.roles import Roles
from nimble_async.activecampaign.resources.secondary_contacts import SecondaryContacts
from nimble_async.activecampaign.resources.stages import Stages
from nimble_async.activecampaign.resources.task_types import TaskTypes
from nimble_async.activecampaign.resources.tasks import Tasks
from nimble_async.activecampaign.resources.users import Users
from nimble_async.config import ClientConfig, RateLimit
from nimble_async.errors import ConfigurationError

__all__ = ["ActiveCampaignClient"]


_ORIGIN = "ActiveCampaign: Settings > Developer"


class ActiveCampaignClient(Client):
    """A client of ActiveCampaign's deals API.

    It may be built anywhere and is bound to no event loop, like `NimbleClient`. All clients of one
    account in a process share its rate budget, whatever their keys.

    Without arguments the environment is read: `ACTIVECAMPAIGN_URL` and `ACTIVECAMPAIGN_API_TOKEN`.

    Args:
        base_url: The URL of Settings > Developer, with or without `/api/3`. Plain http only on loopback.
        api_token: The key of the same page.
        rate: A limit to keep, such as `"2/1s"` where others use the account too; `"5/1s"`, the
            vendor's, unless told. What the server announces is followed.
        config: Timeouts, retries, concurrency, proxy, TLS trust, hooks.
        transport: A port to send through instead of HTTP, such as the simulator's.
        clock: A port to read time from instead of the system's.

    Raises:
        ConfigurationError: No URL or key is given or found, or an argument cannot work.
    """

    def __init__(
        self,
        *,
        base_url: str | None = None,
        api_token: str | None = None,
        rate: str | RateLimit | None = None,
        config: ClientConfig = ClientConfig(),  # noqa: B008 (a frozen value)
        transport: Transport | None = None,
        clock: Clock | None = None,
    ) -> None:
        text = base_url or os.environ.get("ACTIVECAMPAIGN_URL")
        if not text:
            raise ConfigurationError(
                "No base URL was given.",
                hint=f"Pass base_url=..., or set ACTIVECAMPAIGN_URL. {WHERE_TO_LOOK}",
            )
        address = account_address(text)
        super().__init__(
            dialect=ACTIVECAMPAIGN,
            base_url=address,
            credentials=_key(api_token),
            budget=(ACTIVECAMPAIGN.name, account_of(address)),
            rate=RATE if rate is None else rate,
            config=config,
            transport=transport,
            clock=clock,
        )

    @cached_property
    def deals(self) -> Deals:
        """Deals and their notes."""
        return Deals(self.executor)

    @cached_property
    def secondary_contacts(self) -> SecondaryContacts:
        """Links between deals and contacts that are not their primary ones."""
        return SecondaryContacts(self.executor)

    @cached_property
    def activities(self) -> Activities:
        """What happened to deals."""
        return Activities(self.executor)

    @cached_property
    def custom_fields(self) -> CustomFields:
        """Definitions of custom fields of deals."""
        return CustomFields(self.executor)

    @cached_property
    def custom_field_values(self) -> CustomFieldValues:
        """Values of custom fields of deals."""
        return CustomFieldValues(self.executor)

    @cached_property
    def pipelines(self) -> Pipelines:
        """Pipelines of deals."""
        return Pipelines(self.executor)

    @cached_property
    def stages(self) -> Stages:
        """Stages of pipelines."""
        return Stages(self.executor)

    @cached_property
    def roles(self) -> Roles:
        """Roles that secondary contacts have in deals."""
        return Roles(self.executor)

    @cached_property
    def tasks(self) -> Tasks:
        """Tasks on deals and contacts."""
        return Tasks(self.executor)

    @cached_property
    def task_types(self) -> TaskTypes:
        """Types of tasks."""
        return TaskTypes(self.executor)

    @cached_property
    def users(self) -> Users:
        """Who the key belongs to."""
        return Users(self.executor)


def _key(api_token: str | None) -> ApiKey:
    token = os.environ.get("ACTIVECAMPAIGN_API_TOKEN") if api_token is None else api_token
    if not token:
        raise ConfigurationError(
            "No key was given.",
            hint=f"Pass api_token=..., or set ACTIVECAMPAIGN_API_TOKEN ({_ORIGIN}).",
        )
    return ApiKey(
        token,
        header=ACTIVECAMPAIGN.key_header,
        prefix=ACTIVECAMPAIGN.key_prefix,
        origin=_ORIGIN,
    )
