"""Which records of one kind exist, in which order, since when and until when.

Rule: numbers only. A record is a serial number, its content a pure function of it elsewhere;
the order of a listing is (created, serial), kept in one array, so a million cost a few megabytes.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable

__all__ = ["Herd", "NumberedHerd"]

_ALWAYS = -math.inf
_NEVER = math.inf


class Herd:
    """Records by serial number. `created` values are wall seconds, `now` values the simulation's."""

    def __init__(self, created: Iterable[float], *, salt: str, epoch: float) -> None:
        self.created: array[float] = array("d", created)
        self.listed: array[int] = array("l", range(len(self.created)))
        """The serials that listings show, by (created, serial)."""
        self.initial: int = len(self.created)
        self.touched: dict[int, float] = {}
        """Serials that were changed, and the wall second of the last change."""
        self.version: int = 0
        """Grows with everything a listing could show."""
        self.epoch = epoch
        """The wall second of `now` 0."""
        self._salt = salt
        self._born: dict[int, float] = {}
        self._died: dict[int, float] = {}

    def __len__(self) -> int:
        """Return how many exist now, listed or not yet."""
        return len(self.created) - len(self._died)

    @property
    def births(self) -> int:
        """How many were added since the beginning."""
        return len(self._born)

    def id_of(self, serial: int) -> str:
        """Return the 24-hex id: the second of birth, the kind, the serial."""
        born = self._born.get(serial)
        second = self.created[serial] if born is None else self.epoch + born
        return f"{int(second):08x}{self._salt}{serial:06x}"

    def serial_of(self, id: str) -> int | None:  # noqa: A002 (the vendor's word)
        """Return the serial of an existing record, or None."""
        if len(id) != 24:
            return None
        try:
            serial = int(id[18:], 16)
        except ValueError:
            return None
        known = 0 <= serial < len(self.created) and self.id_of(serial) == id
        return serial if known and serial not in self._died else None

    def insert(self, now: float, created: float, *, listed: bool = True) -> int:
        """Add a record born at `now` whose `created` says `created`; return its serial."""
        serial = len(self.created)
        self.created.append(created)
        self._born[serial] = now
        if listed:
            self.show(serial)
        return serial

    def show(self, serial: int) -> None:
        """Let listings show a record from here on."""
        self.listed.insert(self._place(serial), serial)
        self.version += 1

    def delete(self, now: float, serial: int) -> None:
        """End a record at `now`."""
        self._died[serial] = now
        place = self._place(serial)
        if place < len(self.listed) and self.listed[place] == serial:
            del self.listed[place]
        self.version += 1

    def touch(self, wall: float, serial: int) -> None:
        """Change a record: its `updated` becomes `wall` and its content another."""
        self.touched[serial] = wall
        self.version += 1

    def exists(self, serial: int) -> bool:
        """Return whether the record exists now."""
        return serial not in self._died

    def _place(self, serial: int) -> int:
        created = self.created
        return bisect_left(self.listed, (created[serial], serial), key=lambda other: (created[other], other))

    def span(
        self, start: float | None, end: float | None, *, inclusive: tuple[bool, bool] = (True, True)
    ) -> range:
        """Return the places in `listed` whose created lies between two wall seconds (None: open)."""
        created = self.created
        first, last = 0, len(self.listed)
        if start is not None:
            side = bisect_left if inclusive[0] else bisect_right
            first = side(self.listed, start, key=created.__getitem__)
        if end is not None:
            side = bisect_right if inclusive[1] else bisect_left
            last = side(self.listed, end, key=created.__getitem__)
        return range(first, max(first, last))

    def ids(self) -> list[str]:
        """Return the ids of everything that exists now, in the order of birth."""
        died = self._died
        return [self.id_of(serial) for serial in range(len(self.created)) if serial not in died]

    def survivors(self, start: float, end: float) -> set[str]:
        """Return the ids that existed at every instant of start..end (the simulation's seconds)."""
        born, died = self._born, self._died
        return {
            self.id_of(serial)
            for serial in range(len(self.created))
            if born.get(serial, _ALWAYS) <= start and died.get(serial, _NEVER) > end
        }

    def ever(self) -> set[str]:
        """Return the ids of everything that has ever existed."""
        return {self.id_of(serial) for serial in range(len(self.created))}


class NumberedHerd(Herd):
    """Records whose ids are numbers that grow with the serial; each eighth number is left out."""

    def id_of(self, serial: int) -> str:
        """Return the number as a text of digits."""
        return str(serial + serial // 7 + 1)

    def serial_of(self, id: str) -> int | None:  # noqa: A002 (the vendor's word)
        """Return the serial of an existing record, or None."""
        if not (id.isascii() and id.isdigit()) or len(id) > 12:
            return None
        serial = int(id) - 1 - int(id) // 8
        known = 0 <= serial < len(self.created) and self.id_of(serial) == id
        return serial if known and self.exists(serial) else None
