"""One call, from the operation to its value: sign, wait for a slot, send, judge, repeat or raise.

Rule: every send has its own slot, so it is paced and counted; a token is renewed outside any
slot, or a full throttle would wait for itself; what was read is only returned whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar
from urllib.parse import quote, urlencode, urljoin, urlsplit

from msgspec import UNSET, Raw, Struct
from msgspec.structs import replace

from nimble_async._aio.hooks import AttemptEnded, CallEnded, Hooks, PageRead, TokenRenewed
from nimble_async._aio.observing import note
from nimble_async._aio.ports import Clock, Credentials, Proof, Transport
from nimble_async._aio.remembering import Remembering
from nimble_async._aio.run import Run
from nimble_async._aio.throttle import Terms, Throttle
from nimble_async._sansio import codec
from nimble_async._sansio.dialect import Dialect
from nimble_async._sansio.message import Request, Response, without_echo
from nimble_async._sansio.operation import Operation, Shape
from nimble_async._sansio.outcome import failure_of
from nimble_async._sansio.paging import ByUrl, Cursor
from nimble_async._sansio.record import DecodingReport, read_record, row_reader
from nimble_async._sansio.retrying import GiveUp, decide, may_have_happened, replays
from nimble_async._sansio.sideload import Beside, attach
from nimble_async.config import ClientConfig
from nimble_async.errors import (
    CrmError,
    DeadlineExceeded,
    MalformedResponse,
    NotFound,
    RateLimited,
    RedirectRefused,
    TimedOut,
    TransportError,
    Unauthorized,
)

__all__ = ["Answer", "CallOptions", "Core", "Executor", "Lane", "Reply"]

T = TypeVar("T")
V = TypeVar("V")

Lane = Literal["interactive", "bulk"]
_NOTHING: Mapping[str, Any] = {}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 3
_READS = frozenset({"GET", "HEAD"})
_EXECUTED = "The status ({}) says that the call was executed: look before you send it again."
_UNDESCRIBED = "request"
"""The name of what no operation describes."""
_URL_MARKS = "!#$%&'()*+,/:;=?@[]~"
"""What stands in an address as it is; everything else is percent-encoded, line breaks and backslashes too."""


class CallOptions(Struct, frozen=True, kw_only=True):
    """What may differ from call to call. Times are seconds."""

    lane: Lane = "interactive"
    """Interactive calls go first; bulk takes what is left and keeps its share."""
    deadline: float | None = None
    """For the whole call: queueing, pacing, token and retries included."""


class Answer(Struct, frozen=True):
    """One page as it came: its rows as bytes, and the response around them."""

    page: codec.RawPage
    response: Response


class Reply(Struct, frozen=True):
    """What the vendor answered to `client.request(...)`."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    def decode(self, kind: type[T]) -> T:
        """Read the JSON body as `kind`.

        Raises:
            MalformedResponse: It is no JSON, or not of that type.
        """
        return codec.decode(self.body, kind)


class Core(Struct, frozen=True, kw_only=True):
    """The parts that every view on one client shares."""

    base_url: str
    dialect: Dialect
    credentials: Credentials
    transport: Transport
    throttle: Throttle
    terms: Terms
    clock: Clock
    config: ClientConfig
    hooks: Hooks
    report: DecodingReport
    remembering: Remembering | None = None


class Executor:
    """Makes calls over shared parts, with its own options."""

    __slots__ = ("core", "options")

    def __init__(self, core: Core, options: CallOptions) -> None:
        self.core: Core = core
        self.options: CallOptions = options

    def with_options(self, **changes: Any) -> Executor:
        """Return an executor over the same parts with other options."""
        return Executor(self.core, replace(self.options, **changes))

    async def call(
        self,
        operation: Operation[T],
        *,
        ids: Mapping[str, str] = _NOTHING,
        query: Mapping[str, Any] = _NOTHING,
        body: object = UNSET,
    ) -> T:
        """Make a call whose answer is one value."""
        read = self._reader(operation, ids)
        return await self._exchange(operation, self._request(operation, ids, query, body), ids, read)

    async def rows(
        self,
        operation: Operation[Any],
        *,
        ids: Mapping[str, str] = _NOTHING,
        query: Mapping[str, Any] = _NOTHING,
        body: object = UNSET,
    ) -> list[Raw]:
        """Make a call whose answer is a list without pages; return its rows as bytes."""
        return (await self.whole(operation, ids=ids, query=query, body=body)).rows

    async def whole(
        self,
        operation: Operation[Any],
        *,
        ids: Mapping[str, str] = _NOTHING,
        query: Mapping[str, Any] = _NOTHING,
        body: object = UNSET,
    ) -> codec.RawPage:
        """Make a call whose answer is a list without pages; return its rows and what came beside them."""

        def read(response: Response) -> codec.RawPage:
            return codec.read_page(operation, response)

        return await self._exchange(operation, self._request(operation, ids, query, body), ids, read)

    async def page(
        self,
        operation: Operation[Any],
        *,
        cursor: Cursor,
        ids: Mapping[str, str] = _NOTHING,
        query: Mapping[str, Any] = _NOTHING,
    ) -> Answer:
        """Read the page that `cursor` asks for; its rows are not decoded."""

        def read(response: Response) -> Answer:
            return Answer(codec.read_page(operation, response), response)

        if isinstance(cursor, ByUrl) and cursor.url is not None:
            request = Request(method="GET", url=self._join(cursor.url))
        else:
            request = self._request(operation, ids, {**query, **cursor.query()}, UNSET)
        return await self._exchange(operation, request, ids, read)

    async def request(self, method: str, path: str, *, query: Mapping[str, Any], body: object) -> Reply:
        """Call what no operation describes; the answer is not decoded."""
        method = method.upper()
        repeatable = method in {"GET", "HEAD", "PUT", "DELETE"}
        operation = Operation(
            name=_UNDESCRIBED, method=method, path=path, returns=Reply, repeatable=repeatable
        )

        def read(response: Response) -> Reply:
            return Reply(response.status, response.headers, response.body)

        request = self._message(method, self._join(path) + self._query(query), body)
        return await self._exchange(operation, request, _NOTHING, read)

    def records(
        self,
        kind: type[T],
        rows: Sequence[bytes | Raw],
        beside: Beside | None = None,
        *,
        eager: tuple[str, ...] = (),
    ) -> list[T | None]:
        """Read rows; None stands in the place of a rejected one, which the report counts.

        Each record takes along what belongs to it of what came `beside` the rows.
        """
        read = self.reader(kind, eager, beside)
        found: list[T | None] = []
        for row in rows:
            try:
                found.append(read(row))
            except MalformedResponse as error:
                self.core.report.rejected(kind.__name__, error)
                found.append(None)
        return found

    def reader(
        self, kind: type[T], eager: tuple[str, ...] = (), beside: Beside | None = None
    ) -> Callable[[bytes | Raw], T]:
        """Return the function that reads one row, and of it at once the members that `eager` names.

        The record takes along what belongs to it of what came `beside` the rows.
        """
        read = row_reader(kind, noticed=self.core.report.noticed, eager=eager)
        if not beside:
            return read

        def read_both(row: bytes | Raw) -> T:
            record = read(row)
            attach(record, beside.of(row))
            return record

        return read_both

    def page_was_read(self, operation: Operation[Any], rows: int) -> None:
        """Tell the hooks of a page."""
        if self.core.hooks.listening:
            self.core.hooks.emit(PageRead(operation=operation.name, rows=rows))

    def _reader(self, operation: Operation[T], ids: Mapping[str, str]) -> Callable[[Response], T]:
        noticed = self.core.report.noticed

        def read(response: Response) -> T:
            if operation.shape is Shape.EMPTY:
                codec.check_empty(operation, response.body)
                return None  # type: ignore[return-value]  # `returns` is NoneType where the shape is empty
            if operation.shape is Shape.MEMBER:
                member, beside = codec.read_member(operation, response.body)
                record = read_record(operation.returns, member, noticed=noticed)
                attach(record, beside.rows())
                return record
            if operation.shape is not Shape.FIRST:
                return read_record(operation.returns, response.body, noticed=noticed)
            page = codec.read_page(operation, response)
            if not page.rows:
                # Nimble answers 200 with an empty list for an unknown or deleted contact.
                raise self._not_found(operation, ids, response)
            first = read_record(operation.returns, page.rows[0], noticed=noticed)
            attach(first, page.beside.of(page.rows[0]))
            return first

        return read

    def _request(
        self, operation: Operation[Any], ids: Mapping[str, str], query: Mapping[str, Any], body: object
    ) -> Request:
        url = self.core.base_url + operation.fill(ids) + self._query(query)
        return self._message(operation.method, url, body)

    def _message(self, method: str, url: str, body: object) -> Request:
        if body is UNSET:
            return Request(method=method, url=url)
        data = body if isinstance(body, bytes) else codec.encode(body)
        return Request(method=method, url=url, headers={"Content-Type": "application/json"}, body=data)

    def _query(self, query: Mapping[str, Any]) -> str:
        flag = self.core.dialect.flag
        pairs = [
            (name, flag(one) if isinstance(one, bool) else str(one))
            for name, value in query.items()
            if value is not None and value is not UNSET
            # Several values are several members of the same name.
            for one in (value if isinstance(value, list | tuple) else (value,))
        ]
        return "?" + urlencode(pairs, quote_via=quote) if pairs else ""

    def _join(self, target: str) -> str:
        """Return an address below our own base for a path, or for an address on our own origin.

        Raises:
            RedirectRefused: The target lies on another origin, where credentials must not go.
        """
        base = self.core.base_url
        if target.startswith("/") and not target.startswith("//"):
            return self._own(base + target, sent=False)
        return self._own(urljoin(base + "/", target), sent=False)

    def _own(self, url: str, *, sent: bool) -> str:
        url = quote(url, safe=_URL_MARKS)
        if "@" in urlsplit(url).netloc or _origin(url) != _origin(self.core.base_url):
            raise RedirectRefused(
                f"{_shown(url)} is not on {self.core.base_url}; nothing was sent there.", sent=sent
            )
        return url

    async def _exchange(
        self,
        operation: Operation[Any],
        request: Request,
        ids: Mapping[str, str],
        read: Callable[[Response], V],
    ) -> V:
        """Make one call, and tell what became of it."""
        run = Run(operation, self.core.clock, self.options.deadline)
        self.core.throttle.call_began()
        try:
            value = await self._attempts(run, request, ids, read)
        except BaseException as error:
            if isinstance(error, CrmError):
                error.call = run.info()
            # What was cut off while it was under way, by a cancellation say, was sent too.
            self._attempt_ended(run, error, None)
            self._call_ended(run, error)
            raise
        self._call_ended(run, None)
        return value

    async def _attempts(
        self, run: Run, request: Request, ids: Mapping[str, str], read: Callable[[Response], V]
    ) -> V:
        """Send until there is a value or an error that ends the call."""
        while True:
            try:
                response = await self._send(request, run)
                moved = self._redirected(request, response, run)
                if moved is None:
                    value = self._judged(run, response, ids, read)
                    self._replayed(run, accepted=True)
                    self._attempt_ended(run, None, None)
                    return value
                self._attempt_ended(run, None, 0.0)
                request = moved
            except CrmError as error:
                await self._repeat_or_raise(error, run)

    async def _send(self, request: Request, run: Run) -> Response:
        """Make one attempt: proof, slot, send. The proof is asked for again once the slot is there."""
        core, clock = self.core, self.core.clock
        credentials = core.credentials
        await self._token(run, credentials.proof())
        if core.remembering is not None:
            await core.remembering.recall(run.left(clock.monotonic()))
        run.held_since = clock.monotonic()
        name = run.operation.name
        longest = core.config.retries.longest_retry_after
        async with core.throttle.slot(
            lane=self.options.lane, deadline=run.deadline, kind=name, longest=longest
        ) as slot:
            run.held_since = None
            run.queued += slot.queued
            run.throttled += slot.throttled
            run.proof = proof = await self._token(run, credentials.proof())
            run.began_attempt(clock.wall())
            began = clock.monotonic()
            try:
                response = await core.transport.send(self._signed(request, proof), timeout=run.left(began))
            except TransportError:
                slot.failed()
                raise
            except MalformedResponse as error:
                run.status = error.status
                slot.answered(error.status, _NOTHING)
                raise
            finally:
                run.last_network = clock.monotonic() - began
                run.network += run.last_network
            slot.answered(response.status, core.dialect.announcement(response.headers))
        if core.remembering is not None:
            core.remembering.noticed()
        run.status = response.status
        return response

    def _signed(self, request: Request, proof: Proof) -> Request:
        agent = self.core.dialect.user_agent(self.core.config.user_agent)
        headers = {"User-Agent": agent, **request.headers, proof.name: proof.value.reveal()}
        return Request(method=request.method, url=request.url, headers=headers, body=request.body)

    async def _token(self, run: Run, work: Awaitable[V]) -> V:
        """Wait for proof or its renewal, no longer than the deadline allows."""
        clock = self.core.clock
        began = clock.monotonic()
        left = run.left(began)
        try:
            if left is None:
                return await work
            return await self._in_time(run, left, work)
        finally:
            run.token += clock.monotonic() - began

    async def _in_time(self, run: Run, left: float, work: Awaitable[V]) -> V:
        limit = asyncio.timeout(left)
        try:
            async with limit:
                return await work
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise DeadlineExceeded(
                f"The deadline of {run.operation.name} passed while it waited for a token."
            ) from error

    def _judged(
        self, run: Run, response: Response, ids: Mapping[str, str], read: Callable[[Response], V]
    ) -> V:
        """Return the value of an answer, or raise what it stands for."""
        clock = self.core.clock
        if run.proof is not None and response.status >= 400:
            response = without_echo(response, run.proof.value)
        failure = failure_of(run.operation, response, ids=ids, dialect=self.core.dialect, now=clock.wall())
        if failure is not None:
            raise failure
        began = clock.monotonic()
        try:
            value = read(response)
        except MalformedResponse as error:
            if run.operation.method not in _READS:
                # A success is a success: what cannot be read was executed, and a repeat would do it again.
                error.final = True
                error.hint = error.hint or _EXECUTED.format(response.status)
            raise
        finally:
            run.decode += clock.monotonic() - began
        note(response.status, response.headers)
        return value

    def _not_found(self, operation: Operation[Any], ids: Mapping[str, str], response: Response) -> CrmError:
        """Return the error of a 404 for an answer that means one."""
        told = Response(status=404, headers=response.headers, body=response.body)
        failure = failure_of(operation, told, ids=ids, dialect=self.core.dialect, now=self.core.clock.wall())
        assert failure is not None, "404 is a failure"  # noqa: S101 (for the type checker)
        return failure

    async def _repeat_or_raise(self, error: CrmError, run: Run) -> None:
        """Wait before the next attempt, or raise `error`."""
        core = self.core
        if isinstance(error, NotFound) and run.doubtful and run.operation.method == "DELETE":
            error.hint = f"An earlier attempt of this call ({run.doubtful}) may have deleted it."
        if isinstance(error, RateLimited) and run.held_since is not None:
            # It was not sent: the throttle says that waiting is in vain.
            self._attempt_ended(run, error, None)
            raise error
        try:
            renewed = await self._renewed(error, run)
        except BaseException:
            self._attempt_ended(run, error, None)
            raise
        if renewed:
            self._attempt_ended(run, error, 0.0)
            core.throttle.repeated()
            return
        verdict = decide(
            error,
            repeatable=run.operation.repeatable,
            attempt=run.attempts,
            policy=core.config.retries,
            jitter=core.clock.random(),
            left=run.left(core.clock.monotonic()),
        )
        if isinstance(verdict, GiveUp):
            self._attempt_ended(run, error, None)
            if isinstance(error, TimedOut) and run.late(core.clock.monotonic()):
                raise DeadlineExceeded(
                    f"The deadline of {run.operation.name} passed before it was answered."
                ) from error
            raise error
        if run.late(core.clock.monotonic() + verdict.seconds):
            self._attempt_ended(run, error, None)
            raise DeadlineExceeded(
                f"The deadline of {run.operation.name} leaves no time for another attempt: {error.message}"
            ) from error
        # A refusal for rate costs no repeat of the budget: the throttle holds everybody anyway.
        if not isinstance(error, RateLimited) and not core.throttle.may_repeat():
            self._attempt_ended(run, error, None)
            raise error
        if may_have_happened(error):
            run.doubtful = type(error).__name__
        self._attempt_ended(run, error, verdict.seconds)
        core.throttle.repeated()
        if verdict.seconds > 0:
            began = core.clock.monotonic()
            try:
                await core.clock.sleep(verdict.seconds)
            finally:
                run.waited += core.clock.monotonic() - began

    async def _renewed(self, error: CrmError, run: Run) -> bool:
        """Return whether a 401 is answered by one replay with a new token."""
        if isinstance(error, Unauthorized):
            self._replayed(run, accepted=False)
        if run.proof is None or not replays(error, replayed=run.replayed):
            return False
        run.replayed = True
        if not await self._token(run, self.core.credentials.renew(run.proof)):
            return False
        if self.core.hooks.listening:
            self.core.hooks.emit(TokenRenewed(operation=run.operation.name))
        return True

    def _replayed(self, run: Run, *, accepted: bool) -> None:
        """Tell the credentials what became of a replay; of a first attempt they need not know."""
        if run.replayed and run.proof is not None:
            self.core.credentials.replayed(run.proof, accepted=accepted)

    def _redirected(self, request: Request, response: Response, run: Run) -> Request | None:
        """Return the request to send instead, on our own origin; None where this is the answer."""
        target = response.header("location")
        if response.status not in _REDIRECTS or target is None:
            return None
        url = self._own(urljoin(request.url, target), sent=True)
        run.redirects += 1
        if request.method != "GET" or run.redirects > _MOST_REDIRECTS:
            raise RedirectRefused(f"{run.operation.name} was sent on to {_shown(url)}: that goes no further.")
        return replace(request, url=url)

    def _attempt_ended(self, run: Run, error: BaseException | None, repeat_after: float | None) -> None:
        """Tell the hooks of a send, once."""
        sending, run.sending = run.sending, False
        if not (sending and self.core.hooks.listening):
            return
        operation = run.operation
        _, server, port = _origin(self.core.base_url)
        self.core.hooks.emit(
            AttemptEnded(
                operation=operation.name,
                attempt=run.attempts,
                method=operation.method,
                # Where nobody described it the path is what the caller wrote, with ids and more in it.
                path="" if operation.name == _UNDESCRIBED else operation.path,
                server=server or "",
                port=port or 0,
                status=run.status,
                error=None if error is None else type(error).__name__,
                began=run.sent_at,
                network=run.last_network,
                repeat_after=repeat_after,
            )
        )

    def _call_ended(self, run: Run, error: BaseException | None) -> None:
        if not self.core.hooks.listening:
            return
        seconds = self.core.clock.monotonic() - run.began
        self.core.hooks.emit(
            CallEnded(
                operation=run.operation.name,
                attempts=run.attempts,
                error=None if error is None else type(error).__name__,
                began=self.core.clock.wall() - seconds,
                seconds=seconds,
                info=run.info(),
            )
        )


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, port


def _shown(url: str) -> str:
    """An address without its query, which may hold what no log should."""
    return url.partition("?")[0]
