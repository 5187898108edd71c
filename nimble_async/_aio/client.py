"""What every vendor's client is built on: the parts put together, views on them, and their end.

Rule: it knows no vendor. A vendor's client says which dialect, which credentials and which budget,
and adds its resources.
"""

from __future__ import annotations

from collections.abc import Awaitable
from types import TracebackType
from typing import Any, Self, TypeVar

from msgspec import UNSET, Struct

from nimble_async._aio.budgets import PROCESS
from nimble_async._aio.clock import SystemClock
from nimble_async._aio.executor import CallOptions, Core, Executor, Lane, Reply
from nimble_async._aio.hooks import Hooks, log_to_stderr
from nimble_async._aio.observing import Observed, observe
from nimble_async._aio.ports import Clock, Credentials, RateStore, SharedBudget, Transport
from nimble_async._aio.remembering import Remembering
from nimble_async._aio.throttle import Terms, ThrottleStatistics
from nimble_async._sansio.dialect import Dialect
from nimble_async._sansio.record import DecodingReport, DecodingStatistics
from nimble_async.config import ClientConfig, RateLimit
from nimble_async.errors import ConfigurationError

__all__ = ["Client", "ClientStatistics"]

T = TypeVar("T")


class ClientStatistics(Struct, frozen=True, kw_only=True):
    """What a client has done and holds now."""

    throttle: ThrottleStatistics
    decoding: DecodingStatistics
    connections: int
    """Open now, idle ones included."""
    token_age: float | None
    """Seconds since the token in use was obtained; None for a key, and while there is no token."""


class Client:
    """A client of some vendor.

    It is bound to no event loop: connections open at the first call on each loop, and close with
    `aclose()`, with the loop, or with the client, whichever is first. One client serves any number
    of concurrent callers.

    `budget` names what the vendor's limit counts by: clients that name the same share one pace, those of
    other processes too where `shared` says where it is kept.
    """

    def __init__(
        self,
        *,
        dialect: Dialect,
        base_url: str,
        credentials: Credentials,
        budget: tuple[str, ...],
        rate: str | RateLimit | None,
        config: ClientConfig,
        transport: Transport | None,
        clock: Clock | None,
        rate_store: RateStore | None = None,
        shared: SharedBudget | None = None,
    ) -> None:
        log_to_stderr()
        clock = clock or SystemClock()
        transport = transport or _http(config)
        credentials.attach(transport, clock, base_url=base_url)
        terms = Terms(RateLimit.of(rate), config.concurrency)
        throttle = PROCESS.throttle(budget, clock=clock, terms=terms, retries=config.retries, shared=shared)
        key = "\n".join(budget)
        self._executor = Executor(
            Core(
                base_url=base_url,
                dialect=dialect,
                credentials=credentials,
                transport=transport,
                throttle=throttle,
                terms=terms,
                clock=clock,
                config=config,
                hooks=Hooks(config.hooks),
                report=DecodingReport(),
                remembering=Remembering(rate_store, throttle, clock, key=key) if rate_store else None,
            ),
            CallOptions(),
        )

    @property
    def executor(self) -> Executor:
        """What makes the calls: jobs read pages and rows through it, as bytes."""
        return self._executor

    def with_options(self, *, lane: Lane | None = None, deadline: float | None = None) -> Self:
        """Return a view on this client whose calls differ; connections and budgets are shared.

        Args:
            lane: `"bulk"` lets interactive calls go first.
            deadline: Seconds for each call, with queueing, pacing, token and retries.

        Raises:
            ConfigurationError: There is no such lane, or the deadline is not above 0.
        """
        changes: dict[str, Any] = {}
        if lane not in {None, "interactive", "bulk"}:
            raise ConfigurationError(f"There is no lane {lane!r}; there are interactive and bulk.")
        if lane is not None:
            changes["lane"] = lane
        if deadline is not None:
            if not deadline > 0:
                raise ConfigurationError("A deadline must be above 0 seconds.")
            changes["deadline"] = deadline
        view = object.__new__(type(self))
        view._executor = self._executor.with_options(**changes)
        return view

    async def with_response(self, call: Awaitable[T]) -> Observed[T]:
        """Make a typed call and return, beside its value, the status and headers of its answer.

            seen = await client.with_response(client.deals.get(deal_id))
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
            path: From the root of the API, such as `/api/3/users`.
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
            token_age=core.credentials.token_age,
        )

    async def __aenter__(self) -> Self:
        """Return the client; nothing is opened yet."""
        core = self._executor.core
        core.credentials.attach(core.transport, core.clock, base_url=core.base_url)
        core.throttle.join(core.terms)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        await self.aclose()

    async def aclose(self) -> None:
        """Wait for what the credentials have running, then close every connection. It may be used again.

        Other clients with the same credentials go on. End your own calls first: one under way loses its
        connection, and is sent again over a new one where that is safe, or fails with `ConnectionFailed`.
        """
        core = self._executor.core
        core.credentials.detach(core.transport)
        core.throttle.leave(core.terms)
        try:
            if core.remembering is not None:
                await core.remembering.aclose()
            await core.credentials.aclose()
        finally:
            try:
                await core.throttle.aclose()
            finally:
                await core.transport.aclose()

    def __repr__(self) -> str:
        """Show where it talks to, how it is paced, its connections and its token's age; no secret."""
        core, now = self._executor.core, self.statistics()
        token = "" if now.token_age is None else f", a token {now.token_age:.0f} s old"
        links = f"{now.connections} connection{'' if now.connections == 1 else 's'}"
        return f"<{type(self).__name__} {core.base_url}, {core.throttle!r}, {links}{token}>"


def _http(config: ClientConfig) -> Transport:
    # aiohttp is most of the import time, and the catalogue and --help do without it.
    from nimble_async._aio.transport import AiohttpTransport

    return AiohttpTransport(config)
