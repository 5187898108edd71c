"""The event records as lines of the standard library's logging, for `ClientConfig(hooks=...)`.

    nimble_async.calls      one line for each call: INFO, or WARNING where it raised
    nimble_async.attempts   one line for each send: DEBUG, INFO where it is repeated, WARNING where it failed
    nimble_async.pages      one line for each page of a list: DEBUG
    nimble_async.tokens     one line for each token that was renewed after a 401: INFO

Rule: a line says nothing that a record does not hold, so there is no secret in it. The members of
the record are attributes of the log record too, named `crm_...`, for handlers that write JSON.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from nimble_async._aio.hooks import AttemptEnded, CallEnded, Event, PageRead, TokenRenewed

__all__ = ["log_events"]

_CALM = {None, "CancelledError"}
"""Ends that are nobody's trouble."""


def log_events(name: str = "nimble_async") -> Callable[[Event], None]:
    """Return a hook that logs each event record below the logger `name`.

        ClientConfig(hooks=(log_events(),))

    A line costs nothing where its level is off. Which loggers and levels there are is said at the head
    of this module.
    """
    calls, attempts, pages, tokens = (
        logging.getLogger(f"{name}.{part}") for part in ("calls", "attempts", "pages", "tokens")
    )

    def log(event: Event) -> None:
        match event:
            case CallEnded():
                level = logging.INFO if event.error in _CALM else logging.WARNING
                _write(calls, level, event, _call_line)
            case AttemptEnded():
                _write(attempts, _level_of(event), event, _attempt_line)
            case PageRead():
                _write(pages, logging.DEBUG, event, lambda page: f"{page.operation}: {page.rows} rows")
            case TokenRenewed():
                line = "a token was renewed after a 401"
                _write(tokens, logging.INFO, event, lambda renewed: f"{renewed.operation}: {line}")

    return log


def _write(logger: logging.Logger, level: int, event: Event, line: Callable[[Any], str]) -> None:
    if logger.isEnabledFor(level):
        logger.log(level, "%s", line(event), extra=_members(event))


def _level_of(event: AttemptEnded) -> int:
    if event.repeat_after is not None and event.error is not None:
        return logging.INFO
    return logging.DEBUG if event.error in _CALM else logging.WARNING


def _members(event: Event) -> dict[str, Any]:
    """Return the record flat; the prefix keeps clear of the log record's own attributes."""
    members: dict[str, Any] = {"crm_event": type(event).__name__}
    for name in event.__struct_fields__:
        if name != "info":
            members[f"crm_{name}"] = getattr(event, name)
    if isinstance(event, CallEnded):
        for name in ("queued", "throttled", "token", "network", "decode", "waited"):
            members[f"crm_{name}"] = getattr(event.info, name)
    return members


def _attempt_line(event: AttemptEnded) -> str:
    answer = "no answer" if event.status is None else str(event.status)
    told = f"{event.operation} #{event.attempt}: {event.method} {answer} in {event.network:.3f} s"
    if event.error is not None:
        told += f", {event.error}"
    return told if event.repeat_after is None else f"{told}, sent again in {event.repeat_after:.2f} s"


def _call_line(event: CallEnded) -> str:
    end = "done" if event.error is None else event.error
    sends = f"{event.attempts} attempt{'' if event.attempts == 1 else 's'}"
    return f"{event.operation}: {end} in {event.seconds:.3f} s, {sends}"
