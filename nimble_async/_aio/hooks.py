"""What happened, as frozen records handed to whoever listens; and the log.

Rule: a record holds no secret, no body and no header. A hook that raises is logged and the
call goes on. Hooks run on the loop, so they must be quick; nothing is awaited.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from nimble_async.errors import CallInfo

__all__ = [
    "AttemptEnded",
    "CallEnded",
    "Event",
    "Hooks",
    "PageRead",
    "TokenRenewed",
    "log_to_stderr",
    "logger",
]

logger = logging.getLogger("nimble_async")
logger.addHandler(logging.NullHandler())


class AttemptEnded(Struct, frozen=True, kw_only=True):
    """One send came to its end: there is one of these for each. Times are seconds."""

    operation: str
    attempt: int
    """Which send of its call, from 1."""
    method: str
    path: str
    """The operation's path with the names of its ids; empty for `client.request(...)`."""
    server: str
    port: int
    status: int | None
    """None where no answer arrived."""
    error: str | None
    """The name of the exception it would raise, `CancelledError` included; None for a success."""
    began: float
    """When it was sent, since 1970 by this machine's clock."""
    network: float
    """From sending to the last byte, or to the failure."""
    repeat_after: float | None
    """Seconds until it is sent again; None where it is not."""


class CallEnded(Struct, frozen=True, kw_only=True):
    """One call came to its end, after any number of attempts. Times are seconds."""

    operation: str
    attempts: int
    """Sends; 0 where it ended before the first."""
    error: str | None
    """The name of what it raised, `CancelledError` included; None for a success."""
    began: float
    """When it began, since 1970 by this machine's clock."""
    seconds: float
    info: CallInfo
    """Where the time went: waiting for a place, the pace, a token, the network, decoding, before repeats."""


class PageRead(Struct, frozen=True, kw_only=True):
    """A page of a list was read."""

    operation: str
    rows: int
    """As the vendor sent them; the client's statistics count those without a usable id."""


class TokenRenewed(Struct, frozen=True, kw_only=True):
    """A token pair was replaced after a 401."""

    operation: str


Event = AttemptEnded | CallEnded | PageRead | TokenRenewed


class Hooks:
    """Hands each record to the hooks and, where someone listens, to the log."""

    __slots__ = ("_hooks",)

    def __init__(self, hooks: tuple[Callable[[Any], object], ...] = ()) -> None:
        self._hooks = hooks

    @property
    def listening(self) -> bool:
        """Whether building a record is worth the time."""
        return bool(self._hooks) or logger.isEnabledFor(logging.DEBUG)

    def emit(self, event: Event) -> None:
        """Hand one record to everybody."""
        logger.debug("%s", type(event).__name__, extra={"event": event})
        for hook in self._hooks:
            try:
                hook(event)
            except (Exception, asyncio.CancelledError):
                # A hook awaits nothing, so that this is no cancellation of the call.
                logger.exception("A hook raised; the call goes on.")


class _EventFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Write the record's fields behind its name."""
        event = getattr(record, "event", None)
        line = super().format(record)
        return line if event is None else f"{line} {event!r}"


def log_to_stderr() -> None:
    """Follow `NIMBLE_LOG` (`debug` or `info`): write this package's log to stderr, once.

    A process that configures logging itself leaves the variable unset.
    """
    level = os.environ.get("NIMBLE_LOG", "").strip().lower()
    if level not in {"debug", "info"} or any(type(h.formatter) is _EventFormatter for h in logger.handlers):
        return
    handler = logging.StreamHandler()
    handler.setFormatter(_EventFormatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(level.upper())
