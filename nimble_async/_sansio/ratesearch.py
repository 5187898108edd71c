"""Search for a limit nobody told: which rate to try next, given what was carried and what was refused.

Rule: frozen values only; each step returns the next one. Rates are calls a second, times seconds.

    START    the rate grows a little with every answer, slowly at first, then the faster the faster it is
    SEARCH   bisect between what was carried (`lo`) and what was refused (`hi`)
    HOLD     stay at what was carried; REMEMBERED the same, at what an earlier run found
    PROBE    from time to time, try a little more, then a little more than that

The evidence that counts most is what a server admitted between two refusals. Its supply was used
up at both ends, so this is its limit, or less where we did not press; a burst cannot flatter it as
it flatters the rates that were tried.
"""

from __future__ import annotations

import math
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from nimble_async._sansio.ratelimits import LONGEST_WAIT

__all__ = [
    "FEW",
    "LONG",
    "SLOWEST",
    "START_GROWTH",
    "START_HASTE",
    "START_RATE",
    "UNPACED",
    "Bracket",
    "Discovery",
    "Event",
    "Mode",
]

START_RATE = 5.0
"""Calls a second before anything is known."""
START_GROWTH = 0.2
"""Growth of the rate with each answer, calls a second: doubled after 25 answers ..."""
START_HASTE = 1.05
"""... and by this factor once it is well above `_MODEST`: no brake any more after eight seconds."""
_MODEST = 14.0
UNPACED = 1_000_000.0
"""A rate nobody reaches: pacing costs nothing any more."""
SLOWEST = 1 / 3600
"""One call an hour: no evidence slows us down further."""
LONG = 90.0
"""Seconds to hold a rate before more is tried, at first."""
FEW = 20
"""Calls from which an average says nothing yet."""

_BURST_ALLOWANCE = 1.0
"""Seconds of its limit that a server is presumed to allow at once, until that is measured."""
_FIRST_CUT = 0.95
_MARGIN = 0.98
_SETTLE, _COARSE, _FINE, _TRY = 25.0, 10.0, 30.0, 25.0
"""Seconds a level lasts: after a cut, in large steps, in small steps, in a probe."""
_COARSE_STEP = 1.08
_CLOSE = 1.02
"""A bracket this narrow (hi / lo) ends the search."""
_LONGER = 600.0
_COSTLY_BLOCK = 60.0
"""Seconds of being refused from which on probing costs more than it finds."""
_PROOF = 2.0
"""So many blocks long a probe's level is where refusals cost minutes: a window is hardly longer."""
_SOON, _SOON_BLOCK = 15.0, 5.0
"""Seconds after an event in which the next is still its echo, if the server admits again within seconds."""
_WEEK = 7 * 86400.0


class Mode(StrEnum):
    """What the rate in force rests on."""

    START = "start"
    SEARCH = "search"
    HOLD = "hold"
    REMEMBERED = "remembered"
    PROBE = "probe"
    DECLARED = "declared"
    ANNOUNCED = "announced"


class Event(Struct, frozen=True, kw_only=True):
    """One refusal from the first 429 to the canary's success, as evidence."""

    refused: float
    """The rate in force when the refused call was sent."""
    block: float
    """Seconds until the server admitted again."""
    admitted: float
    """Calls admitted since `span` seconds before the refusal."""
    span: float
    clean: bool
    """Whether the span began with the server's supply used up (at another refusal)."""

    @property
    def average(self) -> float:
        """Calls a second over the span.

        A span that did not begin with an empty supply flatters the server by what it allows at once:
        count the block that paid for it too, and a second of its limit at least.
        """
        return self.admitted / (self.span + (0.0 if self.clean else max(_BURST_ALLOWANCE, self.block)))

    @property
    def soon(self) -> bool:
        """Whether it came right after the one before."""
        return self.clean and self.span < _SOON


class Discovery(Struct, frozen=True, kw_only=True):
    """What a search found, to be kept in a store. `found` is seconds since 1970."""

    rate: float
    block: float
    found: float

    def usable(self, wall: float) -> bool:
        """Return whether it is sane and younger than a week."""
        age = wall - self.found
        return 0 <= age < _WEEK and SLOWEST <= self.rate <= UNPACED and 0 <= self.block <= LONGEST_WAIT


class Bracket(Struct, frozen=True, kw_only=True):
    """The state of the search. Rates are calls a second."""

    mode: Mode = Mode.START
    rate: float = START_RATE
    lo: float = 0.0
    """The highest rate that was carried."""
    held: float = 0.0
    """`lo` as it was before the last probe."""
    hi: float = math.inf
    """The lowest rate that was refused."""
    need: float = _FINE
    """Seconds that a level has to last before it proves anything."""
    long: float = LONG
    """Seconds to hold before the next probe."""
    block: float = 0.0
    step: float = 0.0
    measured: bool = False
    """Whether `lo` was measured between two refusals."""

    @classmethod
    def remembered(cls, discovery: Discovery) -> Bracket:
        """Begin a little below what an earlier run found."""
        rate = 0.9 * discovery.rate
        long = max(LONG, 20 * discovery.block)
        return cls(
            mode=Mode.REMEMBERED,
            rate=rate,
            lo=rate,
            held=rate,
            need=max(LONG, _PROOF * discovery.block),
            long=long,
            block=discovery.block,
            measured=True,
        )

    def grown(self) -> Bracket:
        """START: one more answer, a little more speed.

        Slowly at first: what is in flight when the first refusal comes was sent at the rate of then.
        """
        more = max(START_GROWTH, (START_HASTE - 1) * (self.rate - _MODEST))
        return replace(self, rate=min(UNPACED, self.rate + more))

    def passed(self, jitter: float) -> Bracket:
        """Return the next level after this one was carried for its whole time."""
        if self.mode in {Mode.HOLD, Mode.REMEMBERED}:
            longer = min(2 * self.long, max(_LONGER, 20 * self.block))
            return replace(
                self,
                mode=Mode.PROBE,
                hi=math.inf,
                held=self.lo,
                long=longer,
                step=0.02,
                rate=1.02 * self.lo,
                need=self._try,
            )
        if self.mode is Mode.PROBE:
            return replace(
                self, lo=self.rate, rate=min(UNPACED, self.rate * (1 + 2 * self.step)), step=2 * self.step
            )
        if self.mode is Mode.SEARCH:
            return self._next_level(max(self.lo, self.rate), jitter)
        return self

    @property
    def _try(self) -> float:
        """Seconds that a level of a probe lasts.

        After the first block of all it is short: who began too fast waits for the server's whole window
        once, and that need not happen again.
        """
        first = self.need <= self.block
        return _TRY if self.block < _COSTLY_BLOCK or first else _PROOF * self.block

    def _next_level(self, lo: float, jitter: float) -> Bracket:
        if self.hi <= _CLOSE * lo:
            return replace(
                self, mode=Mode.HOLD, lo=lo, held=lo, rate=lo, need=self.long * (0.8 + 0.4 * jitter)
            )
        rate = min((lo + self.hi) / 2, 1.25 * lo)
        return replace(self, lo=lo, rate=rate, need=_COARSE if rate > _COARSE_STEP * lo else _FINE)

    def after(self, event: Event) -> Bracket:
        """Return the level to go on with after an event: the one cut."""
        lo, measured = self._carried(event)
        lo = max(SLOWEST, lo)
        hi = max(event.refused, 1.01 * lo)
        if self.measured and self.mode is Mode.SEARCH and event.soon and self.hi < math.inf:
            # What was sent before the last block is still counted: this refusal says little about its rate.
            hi = max(hi, self.hi)
        if event.block >= _COSTLY_BLOCK:
            # A refusal costs minutes: stop searching, and the longer the better the rate is known.
            long = 20 * event.block
            need = long if self.measured else event.block
            return replace(
                self, mode=Mode.HOLD, rate=lo, lo=lo, held=lo, hi=hi, need=need, long=long, block=event.block,
                measured=measured,
            )  # fmt: skip
        if measured and self.mode is not Mode.PROBE:
            # Pressed above its limit all the time, a server admits its limit; a wide bracket wastes refusals.
            unblocked = event.admitted / self._unblocked(event)
            hi = min(hi, max((1.25 if self.measured else 2.0) * lo, 1.1 * unblocked))
        long = LONG if event.refused <= 1.01 * self.lo else self.long
        return replace(
            self, mode=Mode.SEARCH, rate=lo, lo=lo, held=lo, hi=hi, need=_SETTLE if measured else _COARSE / 2,
            long=long, block=event.block, measured=measured,
        )  # fmt: skip

    def _unblocked(self, event: Event) -> float:
        """Return the seconds of the span that the last block left."""
        return max(1e-3, event.span - self.block)

    def _carried(self, event: Event) -> tuple[float, bool]:
        """Return the rate that is safe to go on with, and whether it was measured."""
        average = event.average
        if self.mode is Mode.START:
            if event.admitted < FEW:
                average = max(average, 0.3 * event.refused)
            return _FIRST_CUT * average, event.block >= _COSTLY_BLOCK
        if not event.clean:
            return min(self.lo, _FIRST_CUT * event.refused), self.measured
        if event.admitted < FEW:
            average = max(average, 0.7 * self.lo)
        elif self.measured and event.soon and event.block < _SOON_BLOCK:
            average = max(average, 0.9 * self.lo)
        below = _MARGIN * min(average, event.refused)
        if not self.measured:
            return below, True
        proven = self.lo if self.need >= event.block else self.held
        kept = min(proven, _FIRST_CUT * event.refused)
        if event.block >= _COSTLY_BLOCK:
            return self._carried_at_a_cost(event, average, kept), True
        if self.mode is Mode.PROBE:
            return max(kept, below), True
        # What was carried for a level's time may have been a burst; the average holds the last block.
        lowest = 0.97 * kept * max(0.0, 1 - self.block / event.span)
        return (min(kept, average) if lowest <= average <= kept / _MARGIN else below), True

    def _carried_at_a_cost(self, event: Event, average: float, kept: float) -> float:
        """Return `kept`, what was held or a probe carried for a block's time, unless that was refused.

        Then the limit lies between the averages with and without the last block.
        """
        between = _MARGIN * math.sqrt(average * max(average, event.admitted / self._unblocked(event)))
        unproven = average < kept / 2 and event.admitted < kept * event.block
        surprised = self.mode is not Mode.PROBE or unproven
        return min(kept, between) if surprised else kept
