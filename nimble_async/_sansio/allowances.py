"""Count what may be spent: repeats of failed calls, and places in flight.

Rule: frozen values only; each event returns the next one. `now` is monotonic seconds.
"""

from __future__ import annotations

import math

from msgspec import Struct
from msgspec.structs import replace

from nimble_async.config import RetryPolicy

__all__ = ["InFlight", "RetryBudget"]


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
    """How many requests may be under way: fewer after time-outs and 5xx, one more after a whole round."""

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

    def succeeded(self) -> InFlight:
        """An answer came in good order."""
        return self if self.cap >= self.most else replace(self, cap=min(self.most, self.cap + 1 / self.cap))

    def failed(self, sent: float, now: float) -> InFlight:
        """A time-out, a broken connection or a 5xx; what was sent before the last cut does not cut again."""
        return self if sent < self.cut_at else replace(self, cap=max(1.0, 0.7 * self.cap), cut_at=now)
