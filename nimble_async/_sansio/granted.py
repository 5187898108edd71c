"""The slots that the keeper of a shared budget granted to this process, and how its clock is read here.

Rule: as `shared_pacer`, which decides what they are used for: no clock; instants of this process are
seconds of `monotonic()`, the keeper's are microseconds since 1970. A slot belongs to the time in which
it was granted: where the keeper's clock was set, its instant would mean another one.
"""

from __future__ import annotations

import math
from collections import deque

from msgspec import Struct

from nimble_async._sansio.sharing import LATENESS, MICRO, News, Skew

__all__ = ["Granted", "GrantedSlot"]


class GrantedSlot(Struct, frozen=True):
    """A granted slot: its instant by the keeper's clock, and its part of the queue."""

    instant: float
    tail: float
    end: float
    interval: float
    pressed: bool


class Granted:
    """Slots that were granted and not used yet, the earliest first."""

    __slots__ = ("_skew", "_slots")

    def __init__(self) -> None:
        self._skew: Skew | None = None
        self._slots: deque[GrantedSlot] = deque()

    def __len__(self) -> int:
        return len(self._slots)

    # Clocks

    @property
    def timed(self) -> bool:
        """Whether the keeper's clock was ever heard."""
        return self._skew is not None

    def local(self, instant: float) -> float:
        """Return this process's second of an instant of the keeper; long past where none was heard."""
        return -math.inf if self._skew is None else self._skew.local(instant)

    def keeper(self, now: float) -> float:
        """Return the keeper's instant of a second of this process."""
        return now * MICRO if self._skew is None else self._skew.keeper(now)

    def heard(self, news: News, sent: float, received: float) -> None:
        """Compare the clocks by an answer to a message of `sent`; a clock that was set ends all slots."""
        before, self._skew = self._skew, Skew.after(self._skew, news.now, sent, received)
        if before is not None and abs(self._skew.offset - before.offset) > LATENESS:
            self._slots.clear()

    # Slots

    def take(self, news: News) -> None:
        """Add what was granted; what lies before a hold is given up."""
        while self._slots and self._slots[0].instant < news.held:
            self._slots.popleft()
        for number in range(news.granted):
            tail, end = (news.start + part * news.interval for part in (number, number + 1))
            instant = max(news.now, tail - news.tolerance)
            self._slots.append(GrantedSlot(instant, tail, end, news.interval, bool(news.pressed)))

    def next_at(self, now: float, late: float) -> float | None:
        """Return when the next slot is; those that began more than `late` seconds ago are given up."""
        while self._slots:
            at = self.local(self._slots[0].instant)
            if now <= at + late:
                return at
            self._slots.popleft()
        return None

    def pop(self) -> GrantedSlot:
        """Use the next slot."""
        return self._slots.popleft()

    def due(self, until: float) -> int:
        """Return how many slots begin until then."""
        return sum(self.local(slot.instant) <= until for slot in self._slots)

    def clear(self) -> None:
        """Give all up."""
        self._slots.clear()

    def give_back(self) -> tuple[float, float]:
        """Give all up, and return from where to where the last ones go back to the queue; (0, 0) for none.

        Those go back that no other process's lie between.
        """
        slots = list(self._slots)
        self._slots.clear()
        if not slots:
            return 0.0, 0.0
        first = slots[-1]
        for slot in reversed(slots[:-1]):
            if slot.end != first.tail:
                break
            first = slot
        return first.tail, slots[-1].end
