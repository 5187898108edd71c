"""One call on its way: how often it was sent, and where its time went."""

from __future__ import annotations

from typing import Any

from nimble_async._aio.ports import Clock, Proof
from nimble_async._sansio.operation import Operation
from nimble_async.errors import CallInfo

__all__ = ["Run"]

_EARLY = 0.05
"""Seconds that a timer may be early."""


class Run:
    """What one call has done so far; times are seconds."""

    __slots__ = (
        "attempts", "began", "clock", "deadline", "decode", "doubtful", "held_since", "last_network",
        "network", "operation", "proof", "queued", "redirects", "replayed", "sending", "sent_at", "status",
        "throttled", "token", "waited",
    )  # fmt: skip

    def __init__(self, operation: Operation[Any], clock: Clock, deadline: float | None) -> None:
        self.operation = operation
        self.clock = clock
        self.began = clock.monotonic()
        self.deadline = None if deadline is None else self.began + deadline
        self.attempts = self.redirects = 0
        self.replayed = self.sending = False
        self.proof: Proof | None = None
        self.doubtful = ""
        """The error of an attempt that may have been executed all the same."""
        self.status: int | None = None
        self.queued = self.throttled = self.token = self.network = self.decode = self.waited = 0.0
        self.last_network = self.sent_at = 0.0
        self.held_since: float | None = None
        """Since when it waits for a slot; None while it does not."""

    def left(self, now: float) -> float | None:
        """Return the seconds until the deadline, never negative; None where there is none."""
        return None if self.deadline is None else max(0.0, self.deadline - now)

    def late(self, now: float) -> bool:
        """Return whether the deadline has passed, give or take what a timer may be early."""
        return self.deadline is not None and self.deadline - now < _EARLY

    def began_attempt(self, wall: float) -> None:
        """Count one send, which begins at `wall`, seconds since 1970."""
        self.attempts += 1
        self.sending = True
        self.sent_at = wall
        self.status = None

    def info(self) -> CallInfo:
        """Return all that as a value, for the error that ends the call."""
        held = 0.0 if self.held_since is None else self.clock.monotonic() - self.held_since
        return CallInfo(
            operation=self.operation.name,
            attempts=self.attempts,
            queued=self.queued,
            throttled=self.throttled + held,
            token=self.token,
            network=self.network,
            decode=self.decode,
            waited=self.waited,
        )
