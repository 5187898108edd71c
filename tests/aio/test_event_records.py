"""One record for each send and one for each call, however they end; the log and OpenTelemetry."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from aiohttp import web
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from nimble_async._aio.event_log import log_events
from nimble_async._aio.hooks import AttemptEnded, CallEnded, PageRead, TokenRenewed
from nimble_async._aio.ports import Proof
from nimble_async._sansio.secret import Secret
from nimble_async.config import RetryPolicy, Timeouts
from nimble_async.errors import CallInfo, CrmError, TokenRefreshFailed
from nimble_async.otel import OpenTelemetry
from tests.aio.clients import HASTY, client
from tests.aio.servers import Handler, json_answer, serve
from tests.canaries import canary

ME = {"user_id": "u1", "name": "Ada"}
SOON = {"Retry-After": "0"}


def answers(*each: Any) -> Handler:
    """Answer in turn: a status, a status with headers, bytes of a 200, or `None` for silence."""
    left = list(each)

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        now = left.pop(0) if len(left) > 1 else left[0]
        if now is None:
            await asyncio.sleep(30)
        if isinstance(now, bytes):
            return web.Response(body=now, content_type="application/json")
        status, headers = now if isinstance(now, tuple) else (now, {})
        return json_answer(ME if status == 200 else {"message": "no"}, status, **headers)

    return handler


class Renewing:
    """Credentials that renew once, or break when they should."""

    scope = "renewing"
    token_age = 7.0

    def __init__(self, *, breaks: bool = False) -> None:
        self.generation = 0
        self.breaks = breaks

    async def proof(self) -> Proof:
        return Proof("Authorization", Secret(canary()), self.generation)

    async def renew(self, rejected: Proof) -> bool:
        if self.breaks:
            raise TokenRefreshFailed("The token server did not answer.")
        self.generation += 1
        return True

    def replayed(self, *args: object, **named: object) -> None:
        """Nothing is learnt."""

    def attach(self, *args: object, **named: object) -> None:
        """Nothing is needed."""

    def detach(self, transport: object) -> None:
        """Nothing is held."""

    async def aclose(self) -> None:
        """Nothing runs."""


async def told(
    url: str, *, deadline: float | None = None, hooks: tuple[Any, ...] = (), **more: Any
) -> list[Any]:
    """Make one call, which may fail; return the records."""
    events: list[Any] = []
    async with client(url, hooks=(events.append, *hooks), **more) as nimble:
        with suppress(CrmError):
            await nimble.with_options(deadline=deadline).users.me()
    return events


def shape(events: list[Any]) -> list[tuple[Any, ...]]:
    """Return each send's number, status, error and whether it was repeated; each call's sends and error."""
    made: list[tuple[Any, ...]] = []
    for event in events:
        match event:
            case AttemptEnded():
                made.append((event.attempt, event.status, event.error, event.repeat_after is not None))
            case CallEnded():
                made.append((event.attempts, event.error))
            case other:
                made.append((type(other).__name__,))
    return made


CASES: dict[str, tuple[tuple[Any, ...], dict[str, Any], list[tuple[Any, ...]]]] = {
    "success": ((200,), {}, [(1, 200, None, False), (1, None)]),
    "503 with Retry-After": (
        ((503, SOON), 200), {},
        [(1, 503, "ServerError", True), (2, 200, None, False), (2, None)],
    ),
    "503 for ever": (
        (503,), {"retries": RetryPolicy(attempts=2, first_wait=0.001)},
        [(1, 503, "ServerError", True), (2, 503, "ServerError", False), (2, "ServerError")],
    ),
    "429 with Retry-After": (
        ((429, SOON), 200), {},
        [(1, 429, "RateLimited", True), (2, 200, None, False), (2, None)],
    ),
    "500 without budget": (
        (500,), {"retries": RetryPolicy(budget_floor=0, budget_share=0.0, budget_per_second=0.0)},
        [(1, 500, "ServerError", False), (1, "ServerError")],
    ),
    "404": ((404,), {}, [(1, 404, "NotFound", False), (1, "NotFound")]),
    "broken body": (
        (b'{"cut": ',), {"retries": RetryPolicy(attempts=1)},
        [(1, 200, "MalformedResponse", False), (1, "MalformedResponse")],
    ),
    "redirect": (
        ((302, {"Location": "/elsewhere"}), 200), {},
        [(1, 302, None, True), (2, 200, None, False), (2, None)],
    ),
    "redirect elsewhere": (
        ((302, {"Location": "http://127.0.0.1:1/"}),), {},
        [(1, 302, "RedirectRefused", False), (1, "RedirectRefused")],
    ),
    "silence": (
        (None,), {"retries": RetryPolicy(attempts=1), "timeouts": Timeouts(read=0.1)},
        [(1, None, "TimedOut", False), (1, "TimedOut")],
    ),
    "deadline": (
        (None,), {"deadline": 0.2}, [(1, None, "TimedOut", False), (1, "DeadlineExceeded")],
    ),
    "401 renewed": (
        (401, 200), {"credentials": Renewing()},
        [("TokenRenewed",), (1, 401, "Unauthorized", True), (2, 200, None, False), (2, None)],
    ),
    "401 not renewed": (
        (401,), {"credentials": Renewing(breaks=True)},
        [(1, 401, "Unauthorized", False), (1, "TokenRefreshFailed")],
    ),
    "401 with a key": ((401,), {}, [(1, 401, "Unauthorized", False), (1, "Unauthorized")]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
async def test_each_send_and_each_call_has_one_record(name: str):
    """However a send ends there is one record of it, and one of its call after it."""
    script, more, expected = CASES[name]
    async with serve(answers(*script)) as server:
        events = await told(server.url, **more)
    assert shape(events) == expected
    assert sum(type(event) is AttemptEnded for event in events) == server.sends


async def test_a_refused_connection_is_a_send():
    """Where nobody listens each send has its record, without a status."""
    events = await told("http://127.0.0.1:1", retries=RetryPolicy(attempts=2, first_wait=0.001))
    assert shape(events) == [
        (1, None, "ConnectionFailed", True), (2, None, "ConnectionFailed", False), (2, "ConnectionFailed"),
    ]  # fmt: skip


async def test_a_cancelled_send_has_its_record():
    """A call that is cancelled under way has one record of the send and one of itself."""
    events: list[Any] = []
    async with serve(answers(None)) as server, client(server.url, hooks=(events.append,)) as nimble:
        task = asyncio.create_task(nimble.users.me())
        while server.sends < 1:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert shape(events) == [(1, None, "CancelledError", False), (1, "CancelledError")]


async def test_a_call_that_is_cancelled_before_its_send_has_one_record():
    """Who waits for a place in flight has sent nothing."""
    events: list[Any] = []
    one_place = {"hooks": (events.append,), "concurrency": 1}
    async with serve(answers(None)) as server, client(server.url, **one_place) as nimble:
        first = asyncio.create_task(nimble.users.me())
        while server.sends < 1:
            await asyncio.sleep(0)
        second = asyncio.create_task(nimble.users.me())
        while not nimble.statistics().throttle.interactive:
            await asyncio.sleep(0)
        for task in (second, first):
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
    assert shape(events)[0] == (0, "CancelledError")
    assert len(events) == 3


async def test_a_pause_that_is_cut_off_counts_as_long_as_it_lasted():
    """A call that is cancelled before it is sent again has waited no longer than it took."""
    events: list[Any] = []
    later = answers((503, {"Retry-After": "20"}))
    async with serve(later) as server, client(server.url, hooks=(events.append,)) as nimble:
        task = asyncio.create_task(nimble.users.me())
        while not events:
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    sent, call = events
    assert (sent.repeat_after, call.error) == (20, "CancelledError")
    assert 0 < call.info.waited <= call.seconds


async def test_a_record_says_what_and_where_and_when():
    """Method, path by its template, server and port; times that are within those of the call."""
    async with serve(answers(200)) as server:
        sent, call = await told(server.url)
    assert (sent.method, sent.path, sent.server) == ("GET", "/api/v1/myself", "127.0.0.1")
    assert server.url.endswith(f":{sent.port}")
    assert call.began <= sent.began + 0.001
    assert 0 < sent.network <= call.seconds
    assert call.info.network == pytest.approx(sent.network)


async def test_what_nobody_described_shows_no_path():
    """The path of `request(...)` is the caller's, and may hold ids and more."""
    events: list[Any] = []
    async with serve(answers(200)) as server, client(server.url, hooks=(events.append,)) as nimble:
        await nimble.request("GET", f"/api/v1/thing/{canary('id')}", query={"token": canary()})
    assert [event.operation for event in events] == ["request", "request"]
    assert events[0].path == ""


# Statistics


async def test_statistics_and_repr_say_how_it_stands():
    """One line says where to, mode, rate, in flight, waiting, refused, repeated, connections, token age."""
    server_with_trouble = serve(answers((429, SOON), 503, 200))
    async with server_with_trouble as server, client(server.url, credentials=Renewing()) as nimble:
        await nimble.users.me()
        now, shown = nimble.statistics(), repr(nimble)
    assert (now.throttle.sent, now.throttle.refused, now.throttle.repeats) == (3, 1, 2)
    assert (now.throttle.in_flight, now.throttle.interactive, now.throttle.bulk) == (0, 0, 0)
    assert (now.connections, now.token_age) == (1, 7.0)
    for part in (server.url, "/s", "0/", "in flight", "0 waiting", "1 refused", "2 repeated", "1 connection",
                 "a token 7 s old"):  # fmt: skip
        assert part in shown
    with pytest.raises(AttributeError):
        now.connections = 2  # type: ignore[misc]  # it is frozen, as the test shows


async def test_a_key_has_no_age():
    """Where there is a key and no token the line says nothing of one."""
    async with client("http://127.0.0.1:1") as nimble:
        assert nimble.statistics().token_age is None
        assert repr(nimble).endswith("0 connections>")


# The log


def sent(**changes: Any) -> AttemptEnded:
    facts: dict[str, Any] = {
        "operation": "users.me", "attempt": 1, "method": "GET", "path": "/api/v1/myself", "server": "x",
        "port": 443, "status": 200, "error": None, "began": 1000.0, "network": 0.25, "repeat_after": None,
    }  # fmt: skip
    return AttemptEnded(**{**facts, **changes})


def ended(**changes: Any) -> CallEnded:
    facts: dict[str, Any] = {
        "operation": "users.me", "attempts": 1, "error": None, "began": 1000.0, "seconds": 0.5,
        "info": CallInfo(operation="users.me", attempts=1, network=0.25, queued=0.125),
    }  # fmt: skip
    return CallEnded(**{**facts, **changes})


LINES = [
    (sent(), "attempts", "DEBUG", "users.me #1: GET 200 in 0.250 s"),
    (sent(status=503, error="ServerError", repeat_after=1.5), "attempts", "INFO",
     "users.me #1: GET 503 in 0.250 s, ServerError, sent again in 1.50 s"),
    (sent(status=404, error="NotFound"), "attempts", "WARNING", "users.me #1: GET 404 in 0.250 s, NotFound"),
    (sent(status=None, error="CancelledError"), "attempts", "DEBUG",
     "users.me #1: GET no answer in 0.250 s, CancelledError"),
    (sent(status=302, repeat_after=0.0), "attempts", "DEBUG",
     "users.me #1: GET 302 in 0.250 s, sent again in 0.00 s"),
    (ended(), "calls", "INFO", "users.me: done in 0.500 s, 1 attempt"),
    (ended(error="NotFound", attempts=2), "calls", "WARNING", "users.me: NotFound in 0.500 s, 2 attempts"),
    (ended(error="CancelledError", attempts=0), "calls", "INFO",
     "users.me: CancelledError in 0.500 s, 0 attempts"),
    (PageRead(operation="deals.list", rows=100), "pages", "DEBUG", "deals.list: 100 rows"),
    (TokenRenewed(operation="users.me"), "tokens", "INFO", "users.me: a token was renewed after a 401"),
]  # fmt: skip


@pytest.mark.parametrize(("event", "logger", "level", "line"), LINES)
def test_each_record_is_one_line(event, logger, level, line, caplog: pytest.LogCaptureFixture):
    """Logger, level and words of each record; its members are attributes, named `crm_...`."""
    caplog.set_level(logging.DEBUG)
    log_events()(event)
    (record,) = caplog.records
    assert (record.name, record.levelname, record.getMessage()) == (f"nimble_async.{logger}", level, line)
    assert record.__dict__["crm_event"] == type(event).__name__
    assert record.__dict__["crm_operation"] == event.operation


def test_the_times_of_a_call_stand_in_its_line(caplog: pytest.LogCaptureFixture):
    """Where the time went is there for a handler that writes JSON, and nothing of it is a struct."""
    caplog.set_level(logging.INFO)
    log_events("my.crm")(ended())
    (record,) = caplog.records
    assert record.name == "my.crm.calls"
    members = {name: value for name, value in record.__dict__.items() if name.startswith("crm_")}
    assert (members["crm_network"], members["crm_queued"]) == (0.25, 0.125)
    assert {type(value) for value in members.values()} <= {str, int, float, type(None)}


def test_a_level_that_is_off_costs_no_line(caplog: pytest.LogCaptureFixture):
    """Below the logger's level nothing is written."""
    caplog.set_level(logging.WARNING)
    log_events()(sent())
    assert caplog.records == []


# OpenTelemetry, with the real SDK


@pytest.fixture
def telemetry() -> tuple[OpenTelemetry, InMemorySpanExporter, InMemoryMetricReader, TracerProvider]:
    """Give the hook with exporters in memory."""
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracer = TracerProvider()
    tracer.add_span_processor(SimpleSpanProcessor(exporter))
    hook = OpenTelemetry(tracer_provider=tracer, meter_provider=MeterProvider([reader]))
    return hook, exporter, reader, tracer


def points(reader: InMemoryMetricReader) -> dict[str, list[Any]]:
    """Return the data points by instrument."""
    data = reader.get_metrics_data()
    assert data is not None
    return {
        metric.name: list(metric.data.data_points)
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }


async def test_spans_of_a_call_and_of_its_sends(telemetry):
    """A call is a span below the caller's own, its sends are client spans below it, named by convention."""
    hook, exporter, _, tracer = telemetry
    async with serve(answers((503, SOON), 200)) as server, client(server.url, hooks=(hook,)) as nimble:
        with tracer.get_tracer("mine").start_as_current_span("mine") as mine:
            await nimble.users.me()
    first, second, call, _ = exporter.get_finished_spans()
    assert [span.name for span in (first, second, call)] == ["GET /api/v1/myself"] * 2 + ["users.me"]
    assert call.parent.span_id == mine.get_span_context().span_id
    assert {first.parent.span_id, second.parent.span_id} == {call.context.span_id}
    assert (first.kind, second.kind, call.kind) == (SpanKind.CLIENT, SpanKind.CLIENT, SpanKind.INTERNAL)
    assert first.status.status_code is StatusCode.ERROR
    assert call.status.status_code is StatusCode.UNSET
    assert first.attributes["http.response.status_code"] == 503
    assert first.attributes["error.type"] == "503"
    assert "http.request.resend_count" not in first.attributes
    assert second.attributes["http.request.resend_count"] == 1
    assert second.attributes["http.request.method"] == "GET"
    assert second.attributes["server.address"] == "127.0.0.1"
    assert call.attributes["nimble_async.attempts"] == 2
    assert call.start_time <= first.start_time <= first.end_time <= second.start_time
    assert second.end_time <= call.end_time + 10_000_000


async def test_spans_of_calls_side_by_side_do_not_mix(telemetry):
    """Of fifty calls at once, some of them cancelled, each span of a send lies below its own call's."""
    hook, exporter, _, _ = telemetry
    async with serve(answers(503, 200)) as server, client(server.url, hooks=(hook,), retries=HASTY) as nimble:
        tasks = [asyncio.create_task(nimble.users.me()) for _ in range(50)]
        for task in tasks[::7]:
            task.cancel()
        await asyncio.wait(tasks)
    spans = exporter.get_finished_spans()
    calls = {span.context.span_id: span for span in spans if span.name == "users.me"}
    sends = [span for span in spans if span.name != "users.me"]
    assert len(sends) == server.sends
    below = [sum(send.parent.span_id == call for send in sends) for call in calls]
    assert below == [call.attributes["nimble_async.attempts"] for call in calls.values()]


async def test_metrics_have_the_names_and_attributes_of_the_conventions(telemetry):
    """Each send is measured by method, server, template and status; calls, rows and renewals by operation."""
    hook, _, reader, _ = telemetry
    async with serve(answers(401, 404)) as server:
        await told(server.url, hooks=(hook,), credentials=Renewing())
    hook(PageRead(operation="deals.list", rows=100))
    found = points(reader)
    measured = {
        (point.attributes["http.response.status_code"], point.attributes["error.type"], point.count)
        for point in found["http.client.request.duration"]
    }
    assert measured == {(401, "401", 1), (404, "404", 1)}
    one = found["http.client.request.duration"][0]
    assert one.attributes.keys() >= {"http.request.method", "server.address", "server.port", "url.template"}
    assert one.explicit_bounds[:3] == (0.005, 0.01, 0.025)
    assert dict(found["nimble_async.call.duration"][0].attributes) == {
        "nimble_async.operation": "users.me", "error.type": "NotFound",
    }  # fmt: skip
    assert [point.value for point in found["nimble_async.rows"]] == [100]
    assert [point.value for point in found["nimble_async.token.renewals"]] == [1]


async def test_a_method_of_its_own_is_no_name_of_a_series(telemetry):
    """A method that the conventions do not know is `_OTHER` in metrics, `HTTP` in a span's name."""
    hook, exporter, reader, _ = telemetry
    hook(sent(method="PURGE", path=""))
    hook(ended())
    span, _ = exporter.get_finished_spans()
    assert (span.name, span.attributes["http.request.method_original"]) == ("HTTP", "PURGE")
    (point,) = points(reader)["http.client.request.duration"]
    assert point.attributes["http.request.method"] == "_OTHER"
    assert "http.request.method_original" not in point.attributes


@pytest.mark.parametrize(
    ("event", "attributes"),
    [
        (sent(), {"http.response.status_code": 200}),
        (sent(status=None, error="ConnectionFailed"), {"error.type": "ConnectionFailed"}),
        (
            sent(error="MalformedResponse"),
            {"http.response.status_code": 200, "error.type": "MalformedResponse"},
        ),
        (sent(status=404, error="NotFound"), {"http.response.status_code": 404, "error.type": "404"}),
        (sent(path="", port=0), {"http.response.status_code": 200}),
    ],
)
def test_the_error_type_is_the_status_or_the_exception(telemetry, event, attributes):
    """An answer that is an error is named by its status, everything else by its exception."""
    hook, _, reader, _ = telemetry
    hook(event)
    ((point,),) = [value for name, value in points(reader).items() if name.startswith("http")]
    varying = {"http.response.status_code", "error.type"}
    assert {name: value for name, value in point.attributes.items() if name in varying} == attributes
    assert ("url.template" in point.attributes) is bool(event.path)
    assert ("server.port" in point.attributes) is bool(event.port)


async def test_without_an_sdk_it_does_nothing():
    """With the API alone a client with the hook works as without."""
    hook: Callable[[Any], None] = OpenTelemetry()
    async with serve(answers(200)) as server:
        assert shape(await told(server.url)) == [(1, 200, None, False), (1, None)]
        async with client(server.url, hooks=(hook,)) as nimble:
            assert (await nimble.users.me()).name == "Ada"
    assert repr(hook) == "<OpenTelemetry>"
