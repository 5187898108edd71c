"""Count what may be spent: repeats of failed calls, and places in flight.

Rule: values; each event returns the next one, but for the clock of a full lane. `now` is monotonic seconds.
"""

from __future__ import annotations

import math

from msgspec import Struct
from msgspec.structs import replace

from nimble_async.config import RetryPolicy

__all__ = ["FullTime", "InFlight", "RetryBudget"]

_SLUGGISH, _QUEUEING = 2.0, 2.5
"""Answers so many times slower than in good times give no place back, and take one in ten."""
_KEPT = 0.25
"""Slowness alone leaves this share of the places: other calls may be the cause."""
_SPARE = 1.5
""".. and this many times what the pace needs, since latency varies."""


class RetryBudget(Struct, frozen=True, kw_only=True):
    """How many repeats a client may still send: a share of its calls, some each second, some always."""

    left: float
    at: float
    share: float
    per_second: float
    most: float

    @classmethod
    def full(cls, policy: RetryPolicy, now: float) -> RetryBudget:
        """Begin with the floor; ten seconds of saving are the most that can be put aside."""
        return cls(
            left=float(policy.budget_floor),
            at=now,
            share=policy.budget_share,
            per_second=policy.budget_per_second,
            most=policy.budget_floor + 10 * policy.budget_per_second + 100 * policy.budget_share,
        )

    def called(self) -> RetryBudget:
        """One more call (not attempt) was made."""
        return replace(self, left=min(self.most, self.left + self.share))

    def take(self, now: float) -> RetryBudget | None:
        """Return the budget after one repeat, or None where there is nothing left to spend."""
        left = min(self.most, self.left + max(0.0, now - self.at) * self.per_second)
        return None if left < 1 - 1e-9 else replace(self, left=left - 1, at=max(now, self.at))


class InFlight(Struct, frozen=True, kw_only=True):
    """How many requests may be under way: fewer after time-outs and 5xx, one more after a whole round.

    Fewer also while answers take much longer than they used to: then they wait in a queue of the
    server's, and a shorter one carries as much.
    """

    most: int
    cap: float
    cut_at: float = -math.inf

    @classmethod
    def up_to(cls, most: int) -> InFlight:
        """Begin with all of them."""
        return cls(most=most, cap=float(most))

    @property
    def places(self) -> int:
        """Requests that may be under way at once, at least 1."""
        return max(1, int(self.cap))

    @property
    def bulk_places(self) -> int:
        """How many of them bulk may take: all but one, which is kept for an interactive call."""
        return max(1, self.places - 1)

    def least(self, needed: float) -> float:
        """Return how few slowness leaves, where the pace needs `needed` in flight."""
        return min(float(self.most), max(1.0, _KEPT * self.most, _SPARE * needed))

    def succeeded(
        self, *, sent: float = 0.0, now: float = 0.0, slowness: float = 1.0, needed: float = 1.0
    ) -> InFlight:
        """An answer came in good order.

        Args:
            sent: When its request was sent; what was sent before the last cut does not cut again.
            now: The present.
            slowness: How many times slower than in good times answers are.
            needed: Requests in flight that the pace needs in good times; slowness takes none of them.
        """
        if slowness <= _SLUGGISH:
            return (
                self if self.cap >= self.most else replace(self, cap=min(self.most, self.cap + 1 / self.cap))
            )
        least = self.least(needed)
        if slowness <= _QUEUEING or sent < self.cut_at or self.cap <= least:
            return self
        return replace(self, cap=max(least, 0.9 * self.cap), cut_at=now)

    def failed(self, sent: float, now: float) -> InFlight:
        """A time-out, a broken connection or a 5xx; what was sent before the last cut does not cut again."""
        return self if sent < self.cut_at else replace(self, cap=max(1.0, 0.7 * self.cap), cut_at=now)


class FullTime:
    """Seconds that a lane has spent with every place of its own taken: a waiter's part of it is its queue."""

    __slots__ = ("_before", "_since")

    def __init__(self) -> None:
        self._before = 0.0
        self._since: float | None = None

    def mark(self, now: float, *, full: bool) -> None:
        """Note whether it is full from here on."""
        if full and self._since is None:
            self._since = now
        elif not full and self._since is not None:
            self._before += now - self._since
            self._since = None

    def seconds(self, now: float) -> float:
        """Return them."""
        return self._before + (0.0 if self._since is None else now - self._since)
