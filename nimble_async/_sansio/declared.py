"""Limits that somebody declared: the pace that keeps one, wherever the server's windows begin.

Rule: as everywhere in pacing, `now` is an argument, monotonic seconds; rates are calls a second.
"""

from __future__ import annotations

import math

from msgspec import Struct

from nimble_async.config import RateLimit

__all__ = ["LATENESS", "MARGIN", "Spacing", "implies", "safe_pace"]

MARGIN = 0.98
"""The part of a limit that is used up: what is left keeps the jitter of timers out of the next window."""
LATENESS = 0.05
"""A timer that fires this late (seconds) does not cost the slots it overslept."""


def safe_pace(limit: RateLimit) -> tuple[float, float, float]:
    """Return rate, burst and lateness (seconds) that keep every window of a declared limit.

    Whatever the alignment of the server's windows, `floor(rate * window) + burst <= limit`, also
    when a slot is used up to `lateness` seconds late and the one after it is not.
    """
    window = limit.window if limit.limit >= 1 else limit.window / limit.limit
    quota = math.floor(limit.limit) if limit.limit >= 1 else 1
    burst = min(math.floor(limit.burst), quota)
    spaced = min(MARGIN * max(limit.limit, 1.0), quota - burst + MARGIN)
    rate = spaced / window
    slack = (quota - burst + 1 - 1e-6 - spaced) / rate
    return rate, float(burst), max(0.0, min(slack, 1 / rate, LATENESS))


class Spacing(Struct):
    """A second declared limit: slots of its own, beside those of the slower one."""

    limit: RateLimit
    due: float = -math.inf

    def earliest(self, at: float, trim: float, ahead: float = 0.0) -> float:
        """Return when a call due at `at` with `ahead` others before it may go."""
        rate, burst, _ = safe_pace(self.limit)
        return max(at, self.due + (ahead - (burst - 1)) / (rate * trim))

    def take(self, now: float, trim: float) -> None:
        """Take a slot."""
        rate, _, lateness = safe_pace(self.limit)
        step = 1 / (rate * trim)
        credit = min(lateness, step) if now - self.due <= step else 0.0
        self.due = max(self.due, now - credit) + step


def implies(one: RateLimit, other: RateLimit) -> bool:
    """Return whether who keeps `one` keeps `other` too."""
    (rate, burst, _), (other_rate, other_burst, _) = safe_pace(one), safe_pace(other)
    return rate <= other_rate and burst <= other_burst
