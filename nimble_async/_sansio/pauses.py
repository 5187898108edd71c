"""How long to wait after a refusal, and when waiting is in vain. Times are seconds."""

from __future__ import annotations

from nimble_async._sansio.ratelimits import BRIEF

__all__ = ["barred", "believed", "pause_after"]

_LONGEST_PAUSE = 30.0
_MANY_TRIES, _LONG_BAR = 40, 600.0
"""Tries refused in a row, and seconds of that, from which on no call waits for the next one."""


def believed(asked: float | None, strikes: int) -> float | None:
    """Return the seconds a refusal asks for, or None where that has proven to be no answer.

    A first refusal that asks for next to nothing may be about to end. From the second in a row on it
    was rounded down, or is a date by a clock that is wrong: then it counts as silent.
    """
    return None if asked is not None and asked < BRIEF and strikes >= 2 else asked


def barred(strikes: int, seconds: float) -> bool:
    """Return whether so many tries in a row, refused for so long, leave no hope."""
    return strikes >= _MANY_TRIES and seconds >= _LONG_BAR


def pause_after(asked: float | None, strikes: int, jitter: float, unit: float) -> float:
    """Return the seconds to wait after a refusal: as asked for and a little more, else longer each time."""
    if asked is not None:
        return asked + min(2.0, 0.05 * asked) * jitter
    return min(_LONGEST_PAUSE, unit * 2.0 ** min(strikes - 1, 16)) * (0.5 + 0.5 * jitter)
