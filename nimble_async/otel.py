"""Metrics and spans for OpenTelemetry, out of the event records (extra `otel`).

    ClientConfig(hooks=(OpenTelemetry(),))

Names are those of the semantic conventions for HTTP where there is one. For each send:
`http.client.request.duration`, and a span of kind CLIENT; for each call: `nimble_async.call.duration`,
and a span around those of its sends, whose parent is what was current where the call was made.
Rows of lists and renewed tokens are counted.

Rule: nothing goes out that a record does not hold. So `url.full` is left out, which could name
people and secrets; `url.template` says the path. No header of the trace is sent to the vendor.
Only `opentelemetry-api` is needed; without an SDK everything here does nothing.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from nimble_async._aio.hooks import AttemptEnded, CallEnded, Event, PageRead, TokenRenewed
from nimble_async._version import __version__
from nimble_async.errors import ConfigurationError

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

__all__ = ["OpenTelemetry"]

_NAME = "nimble_async"
_SCHEMA = "https://opentelemetry.io/schemas/1.30.0"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""The boundaries that the conventions advise for request durations."""
_METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"})
"""The methods that the conventions know; any other would make a series of its own."""
_TIMES = ("queued", "throttled", "token", "network", "decode", "waited")
_Attributes = dict[str, str | int | float]


class OpenTelemetry:
    """A hook that turns event records into metrics and spans. One may serve any number of clients.

    Args:
        tracer_provider: Makes the spans; None: the global one.
        meter_provider: Makes the instruments; None: the global one.

    Raises:
        ConfigurationError: The extra `otel` is not installed.
    """

    def __init__(
        self, *, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
    ) -> None:
        try:
            from opentelemetry import metrics, trace
        except ImportError as error:
            raise ConfigurationError(
                "OpenTelemetry needs the package opentelemetry-api.",
                hint="Run: pip install 'nimble-async[otel]'",
            ) from error
        self._trace = trace
        self._tracer = trace.get_tracer(_NAME, __version__, tracer_provider, schema_url=_SCHEMA)
        meter = metrics.get_meter(_NAME, __version__, meter_provider, schema_url=_SCHEMA)
        self._requests = meter.create_histogram(
            "http.client.request.duration", "s", "Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )  # fmt: skip
        self._calls = meter.create_histogram(
            "nimble_async.call.duration", "s", "Duration of calls, with waiting, pacing, token and repeats.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )  # fmt: skip
        self._rows = meter.create_counter("nimble_async.rows", "{row}", "Rows of lists that were read.")
        self._renewals = meter.create_counter(
            "nimble_async.token.renewals", "{renewal}", "Tokens that were renewed after a 401."
        )
        # A call runs in one task from its first send to its end, and so do the hooks it calls.
        self._sends: ContextVar[tuple[AttemptEnded, ...]] = ContextVar(f"{_NAME}_sends", default=())

    def __call__(self, event: Event) -> None:
        """Take one record."""
        match event:
            case AttemptEnded():
                self._requests.record(max(0.0, event.network), _metric(event))
                self._sends.set((*self._sends.get(), event))
            case CallEnded():
                sends = self._sends.get()
                if sends:
                    self._sends.set(())
                self._calls.record(max(0.0, event.seconds), _ended(event.operation, event.error))
                self._draw(event, sends)
            case PageRead():
                self._rows.add(event.rows, {"nimble_async.operation": event.operation})
            case TokenRenewed():
                self._renewals.add(1, {"nimble_async.operation": event.operation})

    def _draw(self, call: CallEnded, sends: tuple[AttemptEnded, ...]) -> None:
        """Make the spans of a call, now that all of it is known."""
        trace = self._trace
        span = self._tracer.start_span(
            call.operation, attributes=_of_call(call), start_time=_nanoseconds(call.began)
        )
        if span.is_recording():
            inside = trace.set_span_in_context(span)
            for send in sends:
                one = self._tracer.start_span(
                    _name_of(send), context=inside, kind=trace.SpanKind.CLIENT,
                    attributes=_of_send(send), start_time=_nanoseconds(send.began),
                )  # fmt: skip
                if send.error is not None:
                    one.set_status(trace.StatusCode.ERROR)
                one.end(_nanoseconds(send.began + max(0.0, send.network)))
            if call.error is not None:
                span.set_status(trace.StatusCode.ERROR, call.error)
        span.end(_nanoseconds(call.began + max(0.0, call.seconds)))

    def __repr__(self) -> str:
        """Name it."""
        return "<OpenTelemetry>"


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)


def _name_of(send: AttemptEnded) -> str:
    return f"{send.method if send.method in _METHODS else 'HTTP'} {send.path}".rstrip()


def _metric(send: AttemptEnded) -> _Attributes:
    """Return the attributes that the conventions ask of a request's duration."""
    method = send.method if send.method in _METHODS else "_OTHER"
    found: _Attributes = {"http.request.method": method, "server.address": send.server}
    if send.port:
        found["server.port"] = send.port
    if send.path:
        found["url.template"] = send.path
    if send.status is not None:
        found["http.response.status_code"] = send.status
    if send.error is not None:
        # The conventions want the status where there is one, else what kind of failure it was.
        bad = send.status is not None and send.status >= 400
        found["error.type"] = str(send.status) if bad else send.error
    return found


def _of_send(send: AttemptEnded) -> _Attributes:
    found = _metric(send)
    if send.method not in _METHODS:
        found["http.request.method_original"] = send.method
    if send.attempt > 1:
        found["http.request.resend_count"] = send.attempt - 1
    return found


def _ended(operation: str, error: str | None) -> _Attributes:
    found: _Attributes = {"nimble_async.operation": operation}
    if error is not None:
        found["error.type"] = error
    return found


def _of_call(call: CallEnded) -> dict[str, Any]:
    times = {f"nimble_async.{name}": getattr(call.info, name) for name in _TIMES}
    attempts = {"nimble_async.attempts": call.attempts}
    return {**_ended(call.operation, call.error), **attempts, **times}
