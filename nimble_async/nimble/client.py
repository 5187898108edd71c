"""The client: it builds the parts, hands them down and owns their lifetime."""

from __future__ import annotations

import os
from functools import cached_property

from nimble_async._aio.client import Client, ClientStatistics
from nimble_async._aio.credentials import ApiKey, OAuth
from nimble_async._aio.discretion import frameless
from nimble_async._aio.ports import Clock, Credentials, RateStore, SharedBudget, Transport
from nimble_async._sansio.address import base_address
from nimble_async.config import ClientConfig, RateLimit
from nimble_async.errors import ConfigurationError
from nimble_async.nimble.dialect import NIMBLE
from nimble_async.nimble.resources.activities import Activities
from nimble_async.nimble.resources.company import Company
from nimble_async.nimble.resources.contact_field_choices import ContactFieldChoices
from nimble_async.nimble.resources.contact_field_groups import ContactFieldGroups
from nimble_async.nimble.resources.contact_field_tabs import ContactFieldTabs
from nimble_async.nimble.resources.contact_fields import ContactFields
from nimble_async.nimble.resources.contact_notes import ContactNotes
from nimble_async.nimble.resources.contact_pipelines import ContactPipelines
from nimble_async.nimble.resources.contact_proceedings import ContactProceedings
from nimble_async.nimble.resources.contact_tags import ContactTags
from nimble_async.nimble.resources.contacts import Contacts
from nimble_async.nimble.resources.deal_fields import DealFields
from nimble_async.nimble.resources.deal_files import DealFiles
from nimble_async.nimble.resources.deal_notes import DealNotes
from nimble_async.nimble.resources.deal_pipeline_choices import DealPipelineChoices
from nimble_async.nimble.resources.deal_pipeline_fields import DealPipelineFields
from nimble_async.nimble.resources.deal_pipeline_groups import DealPipelineGroups
from nimble_async.nimble.resources.deal_pipelines import DealPipelines
from nimble_async.nimble.resources.deal_stages import DealStages
from nimble_async.nimble.resources.deal_tags import DealTags
from nimble_async.nimble.resources.deals import Deals
from nimble_async.nimble.resources.files import Files
from nimble_async.nimble.resources.leads import Leads
from nimble_async.nimble.resources.message_drafts import MessageDrafts
from nimble_async.nimble.resources.tasks import Tasks
from nimble_async.nimble.resources.users import Users
from nimble_async.stores.profiles import Place, ProfileStore
from nimble_async.stores.saved import check_address, saved_login, saved_profile

__all__ = ["ClientStatistics", "NimbleClient"]


class NimbleClient(Client):
    """A client of the Nimble CRM API.

    It may be built anywhere and is bound to no event loop: connections open at the first call on
    each loop, and close with `aclose()`, with the loop, or with the client, whichever is first.
    One client serves any number of concurrent callers.

    Without `api_key` and `credentials` the environment's `NIMBLE_API_KEY` is taken, else the login
    that `nimble-async login` saved (its profile `default`). `NIMBLE_BASE_URL` stands for `base_url`;
    a saved login is used at its own address only.

    Args:
        api_key: A key of Settings > API Token.
        credentials: `OAuth(...)`, or anything that has its methods.
        base_url: Where the API is; `https://app.nimble.com` unless told. Plain http only on loopback.
        rate: A limit to keep, such as `"10/1s"`; None: the client finds out.
        config: Timeouts, retries, concurrency, proxy, TLS trust, hooks.
        transport: A port to send through instead of HTTP, such as the simulator's.
        clock: A port to read time from instead of the system's.
        rate_store: Where the limit that was found out is kept for the next run, such as `FileRateStore`.
        budget: Where processes that use the same account keep one rate budget, such as
            `RedisBudget("redis://...")`; None: each process paces itself.

    Raises:
        ConfigurationError: No key is given or found, or an argument cannot work.
    """

    @frameless
    def __init__(
        self,
        *,
        api_key: str | None = None,
        credentials: Credentials | None = None,
        base_url: str | None = None,
        rate: str | RateLimit | None = None,
        config: ClientConfig = ClientConfig(),  # noqa: B008 (a frozen value)
        transport: Transport | None = None,
        clock: Clock | None = None,
        rate_store: RateStore | None = None,
        budget: SharedBudget | None = None,
    ) -> None:
        if api_key is not None and credentials is not None:
            raise ConfigurationError("Pass api_key or credentials, not both.")
        told = base_url or os.environ.get("NIMBLE_BASE_URL")
        url = base_address(told) if told else None
        if credentials is None:
            credentials, url = _credentials(api_key, url)
        url = url or NIMBLE.base_url
        super().__init__(
            dialect=NIMBLE,
            base_url=url,
            credentials=credentials,
            budget=(url, credentials.scope),
            rate=rate,
            config=config,
            transport=transport,
            clock=clock,
            rate_store=rate_store,
            shared=budget,
        )

    @cached_property
    def activities(self) -> Activities:
        """What was done and what is planned."""
        return Activities(self.executor)

    @cached_property
    def company(self) -> Company:
        """The account itself."""
        return Company(self.executor)

    @cached_property
    def contact_field_choices(self) -> ContactFieldChoices:
        """Choices of fields of contacts."""
        return ContactFieldChoices(self.executor)

    @cached_property
    def contact_field_groups(self) -> ContactFieldGroups:
        """Groups of fields of contacts."""
        return ContactFieldGroups(self.executor)

    @cached_property
    def contact_field_tabs(self) -> ContactFieldTabs:
        """Tabs of fields of contacts."""
        return ContactFieldTabs(self.executor)

    @cached_property
    def contact_fields(self) -> ContactFields:
        """Fields of contacts."""
        return ContactFields(self.executor)

    @cached_property
    def contact_notes(self) -> ContactNotes:
        """Notes on contacts."""
        return ContactNotes(self.executor)

    @cached_property
    def contact_pipelines(self) -> ContactPipelines:
        """Pipelines of contacts (leads)."""
        return ContactPipelines(self.executor)

    @cached_property
    def contact_proceedings(self) -> ContactProceedings:
        """The history of contacts."""
        return ContactProceedings(self.executor)

    @cached_property
    def contact_tags(self) -> ContactTags:
        """Tags of contacts."""
        return ContactTags(self.executor)

    @cached_property
    def contacts(self) -> Contacts:
        """People and companies."""
        return Contacts(self.executor)

    @cached_property
    def deals(self) -> Deals:
        """Deals."""
        return Deals(self.executor)

    @cached_property
    def deal_pipelines(self) -> DealPipelines:
        """Pipelines of deals, with their stages."""
        return DealPipelines(self.executor)

    @cached_property
    def deal_fields(self) -> DealFields:
        """The fields that deals have."""
        return DealFields(self.executor)

    @cached_property
    def deal_files(self) -> DealFiles:
        """Files of deals."""
        return DealFiles(self.executor)

    @cached_property
    def deal_notes(self) -> DealNotes:
        """Notes of deals."""
        return DealNotes(self.executor)

    @cached_property
    def deal_pipeline_choices(self) -> DealPipelineChoices:
        """Options of choice fields of pipelines."""
        return DealPipelineChoices(self.executor)

    @cached_property
    def deal_pipeline_fields(self) -> DealPipelineFields:
        """Fields that the deals of one pipeline have."""
        return DealPipelineFields(self.executor)

    @cached_property
    def deal_pipeline_groups(self) -> DealPipelineGroups:
        """Groups of fields of pipelines."""
        return DealPipelineGroups(self.executor)

    @cached_property
    def deal_stages(self) -> DealStages:
        """Stages of pipelines."""
        return DealStages(self.executor)

    @cached_property
    def deal_tags(self) -> DealTags:
        """Tags of deals."""
        return DealTags(self.executor)

    @cached_property
    def files(self) -> Files:
        """Uploads to the vendor's cloud."""
        return Files(self.executor)

    @cached_property
    def leads(self) -> Leads:
        """Contacts on their way through pipelines."""
        return Leads(self.executor)

    @cached_property
    def message_drafts(self) -> MessageDrafts:
        """Draft messages."""
        return MessageDrafts(self.executor)

    @cached_property
    def tasks(self) -> Tasks:
        """Tasks."""
        return Tasks(self.executor)

    @cached_property
    def users(self) -> Users:
        """Who the key or token belongs to."""
        return Users(self.executor)


def _credentials(api_key: str | None, url: str | None) -> tuple[Credentials, str | None]:
    """Return who we are, and the address that goes with it where `url` does not say."""
    env = os.environ
    if api_key is not None or env.get("NIMBLE_API_KEY"):
        return ApiKey(env["NIMBLE_API_KEY"] if api_key is None else api_key), url
    place = Place(crm=NIMBLE.name)
    client_id, secret = env.get("NIMBLE_CLIENT_ID", ""), env.get("NIMBLE_CLIENT_SECRET", "")
    profile = saved_profile(place)
    ours = profile is not None and (profile.kind == "key" or client_id == profile.client_id)
    if profile is not None and (ours or not (client_id and secret)):
        url = url or profile.base_url
        check_address(place, profile, url)
        secret = secret if client_id == profile.client_id else ""
        return saved_login(place, profile, make_key=ApiKey, client_secret=secret or None), url
    if client_id and secret:
        store = ProfileStore(place, client_id=client_id)
        redirect = env.get("NIMBLE_REDIRECT_URI", "")
        return OAuth(client_id=client_id, client_secret=secret, redirect_uri=redirect, store=store), url
    raise ConfigurationError(
        "No key was given.",
        hint="Pass api_key=..., set NIMBLE_API_KEY (Nimble: Settings > API Token), "
        "or sign in with nimble-async login.",
    )
