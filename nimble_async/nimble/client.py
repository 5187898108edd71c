"""The client: it builds the parts, hands them down and owns their lifetime."""

from __future__ import annotations

import os
from collections.abc import Awaitable
from functools import cached_property
from types import TracebackType
from typing import Any, TypeVar

from msgspec import UNSET, Struct

from nimble_async._aio.clock import SystemClock
from nimble_async._aio.credentials import ApiKey, OAuth
from nimble_async._aio.executor import CallOptions, Core, Executor, Lane, Reply
from nimble_async._aio.hooks import Hooks, log_to_stderr
from nimble_async._aio.observing import Observed, observe
from nimble_async._aio.ports import Clock, Credentials, Transport
from nimble_async._aio.throttle import Throttle, ThrottleStatistics
from nimble_async._sansio.address import base_address
from nimble_async._sansio.record import DecodingReport, DecodingStatistics
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
from nimble_async.stores.profiles import saved_login

__all__ = ["ClientStatistics", "NimbleClient"]

T = TypeVar("T")


class ClientStatistics(Struct, frozen=True, kw_only=True):
    """What a client has done and holds now."""

    throttle: ThrottleStatistics
    decoding: DecodingStatistics
    connections: int
    """Open now, idle ones included."""


class NimbleClient:
    """A client of the Nimble CRM API.

    It may be built anywhere and is bound to no event loop: connections open at the first call on
    each loop, and close with `aclose()`, with the loop, or with the client, whichever is first.
    One client serves any number of concurrent callers.

    Without `api_key` and `credentials` the environment is read: `NIMBLE_API_KEY`, else
    `NIMBLE_CLIENT_ID`, `NIMBLE_CLIENT_SECRET` and `NIMBLE_REDIRECT_URI` with the saved login;
    `NIMBLE_BASE_URL` where `base_url` is not given.

    Args:
        api_key: A key of Settings > API Token.
        credentials: `OAuth(...)`, or anything that has its methods.
        base_url: Where the API is; `https://app.nimble.com` unless told. Plain http only on loopback.
        rate: A limit to keep, such as `"10/1s"`; None: the client finds out.
        config: Timeouts, retries, concurrency, proxy, TLS trust, hooks.
        transport: A port to send through instead of HTTP, such as the simulator's.
        clock: A port to read time from instead of the system's.

    Raises:
        ConfigurationError: No key is given or found, or an argument cannot work.
    """

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
    ) -> None:
        log_to_stderr()
        if api_key is not None and credentials is not None:
            raise ConfigurationError("Pass api_key or credentials, not both.")
        url = base_address(base_url or os.environ.get("NIMBLE_BASE_URL") or NIMBLE.base_url)
        clock = clock or SystemClock()
        transport = transport or _http(config)
        credentials = credentials or _credentials(api_key)
        credentials.attach(transport, clock, base_url=url)
        throttle = Throttle.shared(
            (url, credentials.scope),
            clock=clock,
            rate=RateLimit.parse(rate) if isinstance(rate, str) else rate,
            concurrency=config.concurrency,
            retries=config.retries,
        )
        self._executor = Executor(
            Core(
                base_url=url,
                dialect=NIMBLE,
                credentials=credentials,
                transport=transport,
                throttle=throttle,
                clock=clock,
                config=config,
                hooks=Hooks(config.hooks),
                report=DecodingReport(),
            ),
            CallOptions(),
        )

    @cached_property
    def activities(self) -> Activities:
        """What was done and what is planned."""
        return Activities(self._executor)

    @cached_property
    def company(self) -> Company:
        """The account itself."""
        return Company(self._executor)

    @cached_property
    def contact_field_choices(self) -> ContactFieldChoices:
        """Choices of fields of contacts."""
        return ContactFieldChoices(self._executor)

    @cached_property
    def contact_field_groups(self) -> ContactFieldGroups:
        """Groups of fields of contacts."""
        return ContactFieldGroups(self._executor)

    @cached_property
    def contact_field_tabs(self) -> ContactFieldTabs:
        """Tabs of fields of contacts."""
        return ContactFieldTabs(self._executor)

    @cached_property
    def contact_fields(self) -> ContactFields:
        """Fields of contacts."""
        return ContactFields(self._executor)

    @cached_property
    def contact_notes(self) -> ContactNotes:
        """Notes on contacts."""
        return ContactNotes(self._executor)

    @cached_property
    def contact_pipelines(self) -> ContactPipelines:
        """Pipelines of contacts (leads)."""
        return ContactPipelines(self._executor)

    @cached_property
    def contact_proceedings(self) -> ContactProceedings:
        """The history of contacts."""
        return ContactProceedings(self._executor)

    @cached_property
    def contact_tags(self) -> ContactTags:
        """Tags of contacts."""
        return ContactTags(self._executor)

    @cached_property
    def contacts(self) -> Contacts:
        """People and companies."""
        return Contacts(self._executor)

    @cached_property
    def deals(self) -> Deals:
        """Deals."""
        return Deals(self._executor)

    @cached_property
    def deal_pipelines(self) -> DealPipelines:
        """Pipelines of deals, with their stages."""
        return DealPipelines(self._executor)

    @cached_property
    def deal_fields(self) -> DealFields:
        """The fields that deals have."""
        return DealFields(self._executor)

    @cached_property
    def deal_files(self) -> DealFiles:
        """Files of deals."""
        return DealFiles(self._executor)

    @cached_property
    def deal_notes(self) -> DealNotes:
        """Notes of deals."""
        return DealNotes(self._executor)

    @cached_property
    def deal_pipeline_choices(self) -> DealPipelineChoices:
        """Options of choice fields of pipelines."""
        return DealPipelineChoices(self._executor)

    @cached_property
    def deal_pipeline_fields(self) -> DealPipelineFields:
        """Fields that the deals of one pipeline have."""
        return DealPipelineFields(self._executor)

    @cached_property
    def deal_pipeline_groups(self) -> DealPipelineGroups:
        """Groups of fields of pipelines."""
        return DealPipelineGroups(self._executor)

    @cached_property
    def deal_stages(self) -> DealStages:
        """Stages of pipelines."""
        return DealStages(self._executor)

    @cached_property
    def deal_tags(self) -> DealTags:
        """Tags of deals."""
        return DealTags(self._executor)

    @cached_property
    def files(self) -> Files:
        """Uploads to the vendor's cloud."""
        return Files(self._executor)

    @cached_property
    def leads(self) -> Leads:
        """Contacts on their way through pipelines."""
        return Leads(self._executor)

    @cached_property
    def message_drafts(self) -> MessageDrafts:
        """Draft messages."""
        return MessageDrafts(self._executor)

    @cached_property
    def tasks(self) -> Tasks:
        """Tasks."""
        return Tasks(self._executor)

    @cached_property
    def users(self) -> Users:
        """Who the key or token belongs to."""
        return Users(self._executor)

    @property
    def executor(self) -> Executor:
        """What makes the calls: jobs read pages and rows through it, as bytes."""
        return self._executor

    def with_options(self, *, lane: Lane | None = None, deadline: float | None = None) -> NimbleClient:
        """Return a view on this client whose calls differ; connections and budgets are shared.

        Args:
            lane: `"bulk"` lets interactive calls go first.
            deadline: Seconds for each call, with queueing, pacing, token and retries.
        """
        changes: dict[str, Any] = {}
        if lane not in {None, "interactive", "bulk"}:
            raise ConfigurationError(f"There is no lane {lane!r}; there are interactive and bulk.")
        if lane is not None:
            changes["lane"] = lane
        if deadline is not None:
            if deadline <= 0:
                raise ConfigurationError("A deadline must be above 0 seconds.")
            changes["deadline"] = deadline
        view = object.__new__(type(self))
        view._executor = self._executor.with_options(**changes)
        return view

    async def with_response(self, call: Awaitable[T]) -> Observed[T]:
        """Make a typed call and return, beside its value, the status and headers of its answer.

            seen = await nimble.with_response(nimble.contacts.get(contact_id))
            seen.value, seen.status, seen.headers

        Args:
            call: What a method returned, not awaited yet: a call, or a list for its first page.

        Raises:
            CrmError: What the call raises; a `ResponseError` has status and headers of its own.
        """
        return await observe(call)

    async def request(
        self, method: str, path: str, *, query: dict[str, Any] | None = None, body: object = UNSET
    ) -> Reply:
        """Call an endpoint that this package does not describe: signed, paced and repeated like any other.

        Args:
            method: `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
            path: From the root of the API, such as `/api/v1/myself`.
            query: Members of the query; those that are None are left out.
            body: Anything msgspec can write as JSON, or bytes of JSON.

        Raises:
            ResponseError: The vendor answered with an error status.
            RedirectRefused: The path leads to another origin.
        """
        return await self._executor.request(method, path, query=query or {}, body=body)

    def statistics(self) -> ClientStatistics:
        """Return what this client has done and holds now."""
        core = self._executor.core
        return ClientStatistics(
            throttle=core.throttle.statistics(),
            decoding=core.report.statistics(),
            connections=getattr(core.transport, "connections", 0),
        )

    async def __aenter__(self) -> NimbleClient:
        """Return the client; nothing is opened yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        await self.aclose()

    async def aclose(self) -> None:
        """Wait for a running token renewal, then close every connection. The client may be used again."""
        core = self._executor.core
        try:
            await core.credentials.aclose()
        finally:
            await core.transport.aclose()

    def __repr__(self) -> str:
        """Show where it talks to and how it is paced; no secret."""
        return f"<NimbleClient {self._executor.core.base_url}, {self._executor.core.throttle!r}>"


def _http(config: ClientConfig) -> Transport:
    # aiohttp is most of the import time, and the catalogue and --help do without it.
    from nimble_async._aio.transport import AiohttpTransport

    return AiohttpTransport(config)


def _credentials(api_key: str | None) -> Credentials:
    if api_key is not None:
        return ApiKey(api_key)
    env = os.environ
    if env.get("NIMBLE_API_KEY"):
        return ApiKey(env["NIMBLE_API_KEY"])
    if env.get("NIMBLE_CLIENT_ID") and env.get("NIMBLE_CLIENT_SECRET"):
        return OAuth(
            client_id=env["NIMBLE_CLIENT_ID"],
            client_secret=env["NIMBLE_CLIENT_SECRET"],
            redirect_uri=env.get("NIMBLE_REDIRECT_URI", ""),
            store=saved_login(),
        )
    raise ConfigurationError(
        "No key was given.",
        hint="Pass api_key=..., or set NIMBLE_API_KEY (Nimble: Settings > API Token).",
    )
