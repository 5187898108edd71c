"""The client: it builds the parts, hands them down and owns their lifetime."""

from __future__ import annotations

import os
from functools import cached_property

from nimble_async._aio.client import Client
from nimble_async._aio.credentials import ApiKey
from nimble_async._aio.discretion import frameless
from nimble_async._aio.ports import Clock, Credentials, RateStore, SharedBudget, Transport
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
from nimble_async.stores.profiles import Place
from nimble_async.stores.saved import check_address, saved_login, saved_profile

__all__ = ["ActiveCampaignClient", "make_key"]

_ORIGIN = "ActiveCampaign: Settings > Developer"


class ActiveCampaignClient(Client):
    """A client of ActiveCampaign's deals API.

    It may be built anywhere and is bound to no event loop, like `NimbleClient`. All clients of one
    account in a process share its rate budget, whatever their keys.

    Without arguments the environment is read, `ACTIVECAMPAIGN_URL` and `ACTIVECAMPAIGN_API_TOKEN`, else
    the login that `nimble-async --crm activecampaign login --api-key` saved (its profile `default`), which
    is used at its own address only.

    Args:
        base_url: The URL of Settings > Developer, with or without `/api/3`. Plain http only on loopback.
        api_token: The key of the same page.
        credentials: Anything that has an `ApiKey`'s methods, instead of `api_token`.
        rate: A limit to keep, such as `"2/1s"` where others use the account too; `"5/1s"`, the
            vendor's, unless told. What the server announces is followed.
        config: Timeouts, retries, concurrency, proxy, TLS trust, hooks.
        transport: A port to send through instead of HTTP, such as the simulator's.
        clock: A port to read time from instead of the system's.
        rate_store: Where the limit that was found out is kept for the next run, such as `FileRateStore`.
        budget: Where processes that use the same account keep one rate budget, such as
            `RedisBudget("redis://...")`; None: each process paces itself.

    Raises:
        ConfigurationError: No URL or key is given or found, or an argument cannot work.
    """

    @frameless
    def __init__(
        self,
        *,
        base_url: str | None = None,
        api_token: str | None = None,
        credentials: Credentials | None = None,
        rate: str | RateLimit | None = None,
        config: ClientConfig = ClientConfig(),  # noqa: B008 (a frozen value)
        transport: Transport | None = None,
        clock: Clock | None = None,
        rate_store: RateStore | None = None,
        budget: SharedBudget | None = None,
    ) -> None:
        if api_token is not None and credentials is not None:
            raise ConfigurationError("Pass api_token or credentials, not both.")
        address, credentials = _found(base_url, api_token, credentials)
        super().__init__(
            dialect=ACTIVECAMPAIGN,
            base_url=address,
            credentials=credentials,
            budget=(ACTIVECAMPAIGN.name, account_of(address)),
            rate=RATE if rate is None else rate,
            config=config,
            transport=transport,
            clock=clock,
            rate_store=rate_store,
            shared=budget,
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


def _found(
    base_url: str | None, api_token: str | None, credentials: Credentials | None
) -> tuple[str, Credentials]:
    """Return the address and who we are: as told, else the environment's, else the saved login's."""
    text = base_url or os.environ.get("ACTIVECAMPAIGN_URL")
    address = account_address(text) if text else None
    token = os.environ.get("ACTIVECAMPAIGN_API_TOKEN") if api_token is None else api_token
    if credentials is None and token:
        credentials = make_key(token)
    place = Place(crm=ACTIVECAMPAIGN.name)
    profile = saved_profile(place) if credentials is None and token is None else None
    if profile is not None:
        address = address or profile.base_url
        check_address(place, profile, address)
        return address, saved_login(place, profile, make_key=make_key)
    if address is None:
        raise ConfigurationError(
            "No base URL was given.", hint=f"Pass base_url=..., or set ACTIVECAMPAIGN_URL. {WHERE_TO_LOOK}"
        )
    if credentials is None:
        raise ConfigurationError(
            "No key was given.",
            hint=f"Pass api_token=..., or set ACTIVECAMPAIGN_API_TOKEN ({_ORIGIN}).",
        )
    return address, credentials


def make_key(api_token: str) -> ApiKey:
    """Return a key in the header that this vendor wants.

    Raises:
        ConfigurationError: It is empty or holds what no header may hold.
    """
    return ApiKey(
        api_token,
        header=ACTIVECAMPAIGN.key_header,
        prefix=ACTIVECAMPAIGN.key_prefix,
        origin=_ORIGIN,
    )
