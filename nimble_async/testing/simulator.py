"""The core of the simulator: a message and an instant in, a message and what happens to it out.

Rule: no socket, no clock, no thread. A shell hands every request to `handle` with the time in the
simulation's seconds, does to the connection what the `Reply` says, and tells `finish` when the
answer is through. The HTTP shell is `server`, the one for virtual time `transport`.
"""

from __future__ import annotations

import gzip
import math
import random
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from email.utils import formatdate
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
from msgspec import Struct

from nimble_async._sansio.message import Request, Response
from nimble_async.testing.call import Answer, Behaviour, Call, Refusal, json_answer
from nimble_async.testing.faults import Fault, FaultScript
from nimble_async.testing.oauth import OAuthServer, OAuthSettings
from nimble_async.testing.pages import PageCache
from nimble_async.testing.rates import Rates
from nimble_async.testing.routes import Routes
from nimble_async.testing.vendor import Vendor
from nimble_async.testing.watches import Watch, watch_around
from nimble_async.testing.world import World

__all__ = ["Reply", "Seen", "Simulator"]

_LOG_LENGTH = 10_000
_MOST_FOUND = 200
_HTML = b"<!doctype html><html><body><h1>Scheduled maintenance</h1></body></html>"


class Seen(Struct, frozen=True):
    """One line of the simulator's log. No header and no body is kept."""

    at: float
    operation: str
    method: str
    target: str
    status: int
    fault: str = ""


class Reply(Struct, frozen=True, kw_only=True):
    """What to answer, and what happens to it on the way. Times are seconds, sizes bytes."""

    response: Response
    """With `wire=True` the body may be compressed, as its headers say; else it is plain."""
    delay: float = 0.0
    """From the request's arrival to the first byte of the answer."""
    fault: str = ""
    """`reset`, `truncate`, `slow`, `bad_gzip`: for the shell to carry out. `wrong_json`, `status`: done."""
    after: int = 0
    """For `reset` and `truncate`: how much of the body still arrives."""
    seconds: float = 0.0
    """For `slow`: how long the body takes."""
    admitted: bool = False
    """Whether a rate rule counts this request as in flight until `finish`."""


class Simulator:
    """A simulated vendor around a `World`.

    `latency` is the time from a request to its answer: a constant, or with `jitter` (sigma) the
    mean of a log-normal distribution. `rates` limits what is admitted; `faults` strike as scripted;
    `behaviour` switches what documents leave open; `crm` is `nimble` or `activecampaign`; `watch` is told
    of each exchange. The answer is what the world holds at the instant `handle` is called: one slice,
    however long it then travels.
    """

    def __init__(
        self,
        world: World | None = None,
        *,
        rates: Rates | None = None,
        faults: Iterable[Fault] = (),
        behaviour: Behaviour = Behaviour(),  # noqa: B008 (frozen)
        oauth: OAuthSettings = OAuthSettings(),  # noqa: B008 (frozen)
        latency: float = 0.0,
        jitter: float = 0.0,
        seed: int = 0,
        cache_bytes: int = 256 * 1024 * 1024,
        crm: str = "nimble",
        watch: Watch | None = None,
    ) -> None:
        self.vendor: Vendor = _vendor(crm)
        self.world: World = self.vendor.world() if world is None else world
        self.rates = rates
        self.behaviour = behaviour
        self.oauth: OAuthServer = OAuthServer(oauth, seed=seed)
        self.latency = latency
        self.jitter = jitter
        self.log: deque[Seen] = deque(maxlen=_LOG_LENGTH)
        self.watch: Watch | None = watch_around(crm) if watch is None else watch
        """Told of each request that no fault struck; see `watching`."""
        self.connections = 0
        """How many the HTTP shell has accepted."""
        self.in_flight: int = 0
        self.peak_in_flight: int = 0
        self._seed = seed
        self._chance = random.Random(f"{seed} latency")
        self._script = FaultScript(faults, seed=seed)
        self._routes = Routes(self.vendor.operations, oauth=self.vendor.oauth)
        self._calls: Counter[str] = Counter()
        self._statuses: dict[str, Counter[int]] = {}
        self._charged = 0
        self._requests = 0
        self._found: dict[Any, Any] = {}
        self._found_at = -1
        self._rendered: dict[Any, msgspec.Raw] = {}
        self._cache = PageCache(cache_bytes)

    @property
    def api_key(self) -> str:
        """The key this account accepts."""
        return self.oauth.api_key

    def script(self, faults: Iterable[Fault]) -> None:
        """Replace the faults; what struck before is forgotten."""
        self._script = FaultScript(faults, seed=self._seed)

    def calls(self, operation: str) -> int:
        """Return how many requests of an operation arrived, whatever was answered."""
        return self._calls[operation]

    def statuses(self, operation: str) -> dict[int, int]:
        """Return how often each status was answered to an operation."""
        return dict(self._statuses.get(operation, {}))

    def statistics(self) -> dict[str, Any]:
        """Return counters as plain JSON values."""
        every = Counter[int]()
        for statuses in self._statuses.values():
            every.update(statuses)
        return {
            "operations": {
                name: {"calls": calls, "statuses": _texts(self.statuses(name))}
                for name, calls in sorted(self._calls.items())
            },
            "requests": self._requests,
            "rate_limited": every[429],
            "unauthorized": every[401],
            "connections": self.connections,
            "tokens_issued": self.oauth.issued,
            "refreshes": self.oauth.refreshes,
            "tokens_refused": self.oauth.refused,
            "in_flight": self.in_flight,
            "peak_in_flight": self.peak_in_flight,
        }

    def handle(self, request: Request, now: float, *, wire: bool = False) -> Reply:
        """Answer one request that arrives at `now`.

        With `wire` the body is compressed where the request accepts gzip. Header names of the
        request may be in any case.
        """
        self.world.advance(now)
        self._requests += 1
        self.in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)
        headers = {name.lower(): value for name, value in request.headers.items()}
        parts = urlsplit(request.url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        found = self._routes.find(request.method, parts.path)
        operation = found[0] if found else "unknown"
        self._calls[operation] += 1
        reply = self._reply(request, now, wire=wire, headers=headers, found=found)
        status = reply.response.status
        self._statuses.setdefault(operation, Counter())[status] += 1
        if self.watch is not None and not reply.fault:
            self.watch(operation, request, reply.response)
        self.log.append(Seen(now, operation, request.method, target, status, reply.fault))
        return reply

    def finish(self, reply: Reply, now: float) -> None:
        """Note that a reply is through, or that its client is gone."""
        self.in_flight -= 1
        if reply.admitted and self.rates is not None:
            self.rates.rule.ended(now)

    def _reply(
        self,
        request: Request,
        now: float,
        *,
        wire: bool,
        headers: dict[str, str],
        found: tuple[str, dict[str, str]] | None,
    ) -> Reply:
        extra: dict[str, str] = {}
        admitted = False
        query = parse_qs(urlsplit(request.url).query, keep_blank_values=True)
        compressed = wire and "gzip" in headers.get("accept-encoding", "")
        refusal = self._door(found, request, headers, query, now)
        if (
            refusal is None
            and found is not None
            and not found[0].startswith("oauth.")
            and self.rates is not None
        ):
            verdict = self.rates.judge(now)
            admitted = verdict.admitted
            extra = self.rates.headers(verdict, self.world.wall(now))
            if not admitted:
                refusal = json_answer({"message": "Too many requests"}, 429)
        if refusal is not None or found is None:
            return self._compose(
                refusal or _no_route(), now, extra=extra, compressed=compressed, admitted=admitted
            )
        fault = self._script.pick(found[0])
        key = (request.method, request.url.partition("://")[2].partition("/")[2], compressed)
        answer = None
        if fault is None or fault.executed:
            answer = self._answer(found, request, headers, query, now, key=key, compressed=compressed)
        if fault is not None:
            return self._mishap(fault, answer, now, extra=extra, wire=wire, admitted=admitted)
        return self._compose(
            answer or _no_route(), now, extra=extra, compressed=compressed, admitted=admitted
        )

    def _door(
        self,
        found: tuple[str, dict[str, str]] | None,
        request: Request,
        headers: dict[str, str],
        query: Mapping[str, list[str]],
        now: float,
    ) -> Answer | None:
        """Return the refusal of a request that has no route or no valid credentials."""
        if found is None:
            path = urlsplit(request.url).path
            known = self._routes.methods(path)
            return json_answer({"message": "Method not allowed"}, 405) if known else _no_route()
        if found[0].startswith("oauth."):
            return None
        return self.vendor.door(headers, query, partial(self.oauth.valid, now=now))

    def _answer(
        self,
        found: tuple[str, dict[str, str]],
        request: Request,
        headers: dict[str, str],
        query: Mapping[str, list[str]],
        now: float,
        *,
        key: tuple[str, str, bool],
        compressed: bool,
    ) -> Answer:
        operation, ids = found
        if operation.startswith("oauth."):
            return self._oauth(operation, request, headers, query, now)
        self._charged += 1
        if self.behaviour.quota is not None and self._charged > self.behaviour.quota:
            return _over_quota(self.behaviour.quota_shape)
        if self._found_at != self.world.version:
            self._found_at = self.world.version
            self._found.clear()
            self._cache.clear()
        if len(self._found) > _MOST_FOUND:
            self._found.clear()
        kept = self._cache.get(key)
        if kept is not None:
            return kept
        call = Call(
            operation=operation, world=self.world, now=now, behaviour=self.behaviour, ids=ids, query=query,
            chance=random.Random(self._requests), body=request.body or b"",
            path=urlsplit(request.url).path, found=self._found, rendered=self._rendered,
        )  # fmt: skip
        handler = self.vendor.handlers.get(operation)
        if handler is None:
            return json_answer({"message": f"The simulator does not answer {operation} yet"}, 501)
        try:
            answer = handler(call)
        except Refusal as refusal:
            return refusal.answer
        if answer.lasting and answer.status == 200 and request.method == "GET" and self.world.at_rest:
            answer = _squeezed(answer) if compressed else answer
            self._cache.put(key, answer)
        return answer

    def _oauth(
        self,
        operation: str,
        request: Request,
        headers: dict[str, str],
        query: Mapping[str, list[str]],
        now: float,
    ) -> Answer:
        body = request.body or b""
        if operation == "oauth.token":
            return self.oauth.token(headers.get("content-type", ""), body, now)
        if request.method == "GET":
            return self.oauth.authorize(query)
        form = parse_qs(body.decode("utf-8", "replace"))
        return self.oauth.decide({name: values[-1] for name, values in form.items()}, now)

    def _mishap(
        self,
        fault: Fault,
        answer: Answer | None,
        now: float,
        *,
        extra: dict[str, str],
        wire: bool,
        admitted: bool,
    ) -> Reply:
        """Return what becomes of an answer that a fault strikes."""
        answer = answer if answer is not None else json_answer({})
        if fault.kind == "status":
            extra = extra if fault.retry_after is None else {**extra, "retry-after": str(fault.retry_after)}
            answer = json_answer({"message": "Simulated failure", "code": 107}, fault.status)
        elif fault.kind == "wrong_json":
            body = _HTML if fault.body is None else fault.body.encode()
            answer = Answer(
                200, body, {"content-type": "text/html" if fault.body is None else "application/json"}
            )
        elif fault.kind == "bad_gzip" and wire:
            plain = gzip.decompress(answer.body) if "content-encoding" in answer.headers else answer.body
            answer = Answer(
                answer.status,
                b"\x1f\x8b\x08\x00broken" + plain[:64],
                {**answer.headers, "content-encoding": "gzip"},
            )
        reply = self._compose(answer, now, extra=extra, compressed=False, admitted=admitted)
        length = len(reply.response.body)
        after = fault.after if fault.after is not None else (length // 2 if fault.kind == "truncate" else 0)
        return Reply(
            response=reply.response, delay=reply.delay, fault=fault.kind, after=min(after, length),
            seconds=fault.seconds if fault.kind == "slow" else 0.0, admitted=admitted,
        )  # fmt: skip

    def _compose(
        self, answer: Answer, now: float, *, extra: dict[str, str], compressed: bool, admitted: bool
    ) -> Reply:
        if compressed and answer.body and "content-encoding" not in answer.headers:
            answer = _squeezed(answer)
        headers = {**answer.headers, "date": formatdate(self.world.wall(now), usegmt=True), **extra}
        response = Response(status=answer.status, headers=headers, body=answer.body)
        return Reply(response=response, delay=self._delay(), admitted=admitted)

    def _delay(self) -> float:
        if self.jitter <= 0 or self.latency <= 0:
            return self.latency
        return self._chance.lognormvariate(math.log(self.latency) - self.jitter**2 / 2, self.jitter)


def _vendor(crm: str) -> Vendor:
    """Return a vendor by its name. The other one is not loaded."""
    if crm == "nimble":
        from nimble_async.testing.nimble.vendor import NIMBLE

        return NIMBLE
    from nimble_async.testing.activecampaign.vendor import ACTIVECAMPAIGN

    return ACTIVECAMPAIGN


def _texts(statuses: Mapping[int, int]) -> dict[str, int]:
    return {str(status): count for status, count in sorted(statuses.items())}


def _no_route() -> Answer:
    return json_answer({"message": "Not found"}, 404)


def _over_quota(shape: str) -> Answer:
    if shape == "payment":
        body = {"payment_type": "contacts", "extra_usage": 1, "required_spec": {"contacts": 25_001}}
        return json_answer(body, 402)
    return json_answer({"message": "The quota of this plan is used up", "code": 108}, 402)


def _squeezed(answer: Answer) -> Answer:
    # Level 1 and no time stamp: fast, and the same bytes for the same page.
    body = gzip.compress(answer.body, 1, mtime=0)
    return Answer(
        answer.status,
        body,
        {**answer.headers, "content-encoding": "gzip", "vary": "accept-encoding"},
        answer.lasting,
    )
