"""How long a window is that nobody names: what its announced resets let guess.

Rule: `now` is monotonic seconds.
"""

from __future__ import annotations

import math

from msgspec import Struct
from msgspec.structs import replace

__all__ = ["Guesses"]

_MOST_NAMES = 16
"""Announced limits whose windows are remembered."""
_ODD = 4.0
"""By how much a reset exceeds the window known so far where it is believed only if it is repeated."""


class _Guess(Struct, frozen=True):
    """What resets let guess about a window whose length nobody names. Times are seconds."""

    window: float
    before: float
    """The guess before it last grew."""
    ends: float
    """When it ends (monotonic)."""
    doubted: float = math.nan
    """When it would end by an announcement that nothing has confirmed yet."""

    def after(self, reset: float, now: float) -> _Guess:
        """Return it after an announced `reset`; one that fits nothing before counts from its second time on.

        A reset is never longer than its window. So a longer one corrects the guess, and one that ends the
        window earlier than was said shows that what was said was wrong.
        """
        ends, slack = now + reset, max(2.0, 0.05 * min(reset, self.window))
        if ends > self.ends + slack and reset > _ODD * self.window and not abs(ends - self.doubted) <= slack:
            return replace(self, doubted=ends)
        if ends < self.ends - slack and now < self.ends:
            window = max(1.0, reset, min(self.before, self.window))
            return _Guess(window, window, ends)
        if reset > self.window:
            return _Guess(reset, self.window, ends)
        return _Guess(self.window, self.before, ends)


class Guesses:
    """The windows of the announced limits of one budget, by their names."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[str, _Guess] = {}

    def __len__(self) -> int:
        """Return how many are remembered: the last sixteen."""
        return len(self._known)

    def window(self, name: str, reset: float, now: float) -> float | None:
        """Return the seconds of a window that is over in `reset` seconds; None: not believed yet."""
        known = self._known.pop(name, None)
        known = _Guess(max(reset, 1.0), 1.0, now + reset) if known is None else known.after(reset, now)
        self._known[name] = known
        if len(self._known) > _MOST_NAMES:
            del self._known[next(iter(self._known))]
        return known.window if math.isnan(known.doubted) else None
