"""Keep clear of the edges of a server's short windows, once a refusal has shown where they are.

A server that counts ten calls in each second of its own clock refuses even 9.8 a second as soon as
the wire's jitter carries a call over the edge into a second that is full. The first refusal tells
where the edge lies: ten calls before it fell into the same window, so the window began just
before the first of them and ends just after this one. From then on all calls of a window are sent
in its middle, and nothing near an edge.

Rule: frozen values; times are seconds of the clock that stamps the sends, so the way to the
server is part of the edge and nobody has to know it.
"""

from __future__ import annotations

import math

from msgspec import Struct
from msgspec.structs import replace

__all__ = ["LONGEST_WINDOW", "Alignment"]

LONGEST_WINDOW = 5.0
"""Seconds of a window from which jitter at its edges no longer matters."""
_GUARD = 0.35
"""Share of a window that is kept free around its edge: round trips of 0.2 s fit into a second's."""
_ROOM = 0.9
"""Share of the rest that the calls take, so that a timer that is late loses none of them."""
_SHIFT = 0.05
"""Share of a window by which a later refusal moves the edge."""
_SOON, _STRIKES = 60, 5
"""Refused again within so many calls so many times: no edge explains that."""


class Alignment(Struct, frozen=True, kw_only=True):
    """Where the edges of windows of `window` seconds with `quota` calls lie, as far as refusals tell."""

    quota: int
    window: float
    edge: float | None = None
    """Some instant at which a window begins, or None while nobody knows."""
    strikes: int = 0

    @property
    def active(self) -> bool:
        """Whether sends are kept clear of the edges."""
        return self.edge is not None

    @property
    def lost(self) -> bool:
        """Whether refusals came that no edge explains, so that this was given up."""
        return self.strikes >= _STRIKES

    @property
    def step(self) -> float:
        """Seconds between two sends inside a window."""
        return _ROOM * (1 - _GUARD) * self.window / max(1, self.quota - 1)

    def clear(self, at: float) -> float:
        """Return `at`, or the end of the guard that it falls into."""
        if self.edge is None:
            return at
        offset = (at - self.edge) % self.window
        half = _GUARD / 2 * self.window
        if half - 1e-6 <= offset <= self.window - half:
            return at
        return at + (half - offset) % self.window

    def next_window(self, now: float) -> float:
        """Return when the first send of the next window is due."""
        if self.edge is None:
            return now
        ahead = math.ceil((now - self.edge) / self.window) * self.window + self.edge
        return ahead + _GUARD / 2 * self.window

    def refused(self, sent: float, calls: int) -> Alignment:
        """Learn from a refused call that was sent at `sent`, `calls` answered ones after the last refusal."""
        if self.lost:
            return self
        if self.edge is None:
            return replace(self, edge=sent)
        strikes = self.strikes + 1 if calls < _SOON else max(0, self.strikes - 1)
        if strikes >= _STRIKES:
            return replace(self, edge=None, strikes=strikes)
        # Refused at the beginning: it came early, into the window before. At the end: the one before
        # sent a late call into this window.
        early = (sent - self.edge) % self.window < self.window / 2
        shift = _SHIFT * self.window
        return replace(self, edge=self.edge + (shift if early else -shift), strikes=strikes)
