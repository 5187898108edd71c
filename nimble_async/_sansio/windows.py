"""Split a walk into windows of dates, and judge what one answer proves. Times are whole seconds since 1970.

A window owns the seconds start <= t < end, and every record belongs to the window that owns its
date, so nothing is ever delivered twice. What is asked for begins one second earlier and ends at
`end` itself, because whether range ends are inclusive is not documented: the seconds between the
two ends are covered either way.

Three things prove a window, and none of them minds inserts, deletions or unstable ties:

1. one answer whose rows equal its total: it is the whole window at one instant;
2. one ordered answer that is a full page: it holds everything up to (not including) the date of
   its last row, so the window is proven that far, and the rest begins there. The next question
   starts at that date, not at a page number: there is no page edge over which a row could slide;
3. a census, for a run of records with (nearly) the same date that fits no page: distinct ids, each
   seen both before and after one instant, as many as the total of that instant.

Rule: nothing here asks, waits or writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from math import floor
from operator import le
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from nimble_async._sansio.walk import RowKey

__all__ = [
    "EARLIEST",
    "LATEST",
    "OVERLAP",
    "Again",
    "Census",
    "Crowded",
    "Halves",
    "Prefix",
    "Proof",
    "Verdict",
    "Whole",
    "Window",
    "complaint",
    "first_seconds",
    "gaps",
    "halve",
    "judge",
    "share",
]

EARLIEST = 0
LATEST = 4_102_444_800
"""The year 2100: no record is younger."""
OVERLAP = 1
_MOST_TRIES = 4
_WORTH_SPLITTING = 4
"""Pages a window must be thought to hold before an idle worker takes half of it."""


class Proof(StrEnum):
    """Why a block of rows is known to be whole."""

    ANSWER = "answer"
    """One answer whose rows equal its total."""
    ORDER = "order"
    """One ordered page, whole up to the date of its last row."""
    CENSUS = "census"
    """Distinct ids, all alive at one instant, as many as the total of that instant."""
    SNAPSHOT = "snapshot"
    """One answer held everything there is, without any window."""
    SEAM = "seam"
    """Slices in the order of an immutable number, joined without a gap."""
    NONE = "unproven"
    """Delivered, but something may be missing."""


class Window(Struct, frozen=True, order=True):
    """The seconds start <= t < end, and how many records are thought to lie there (None: not known)."""

    start: int
    end: int
    guess: int | None = None
    tries: int = 0
    """Answers for this window that could not be used."""

    @property
    def asked(self) -> tuple[int, int]:
        """The range to ask for, so that every owned second lies strictly inside or at neither end."""
        return self.start - OVERLAP, self.end

    def owns(self, key: RowKey) -> bool:
        """Return whether a row belongs here; one without a readable date belongs wherever it is seen."""
        return key.at is None or self.start <= key.at < self.end


class Whole(Struct, frozen=True):
    """The answer is the whole window."""

    proof: Proof = Proof.ANSWER


class Prefix(Struct, frozen=True):
    """The answer is whole for start <= t < until; the rest is another window."""

    until: int
    proof: Proof = Proof.ORDER


class Halves(Struct, frozen=True):
    """The answer proves nothing because it is not in order: read both halves instead."""

    left: Window
    right: Window


class Crowded(Struct, frozen=True):
    """More records share the window's first second than one page takes: hold a census."""

    total: int


class Again(Struct, frozen=True):
    """The answer contradicts itself; `final` where asking again has not helped."""

    why: str
    final: bool = False


Verdict: TypeAlias = Whole | Prefix | Halves | Crowded | Again


def judge(window: Window, keys: Sequence[RowKey], *, total: int | None, size: int) -> Verdict:
    """Say what one ascending answer to `window.asked` proves; `size` is the rows of a full page."""
    why = complaint(window, keys, total, size)
    if why:
        return Again(why, final=window.tries + 1 >= _MOST_TRIES)
    if len(keys) == total:
        return Whole()
    dates = [key.at for key in keys if key.at is not None]
    if len(dates) < len(keys) or not all(map(le, dates, dates[1:])):
        halves = halve(window)
        return Halves(*halves) if halves else Crowded(total or 0)
    until = min(floor(dates[-1]), window.end)
    return Prefix(until) if until > window.start else Crowded(total or 0)


def complaint(window: Window, keys: Sequence[RowKey], total: int | None, size: int) -> str:
    """Return why an answer is not what was asked for (empty where it is); `size` rows fill a page."""
    start, end = window.asked
    if total is None:
        return "an answer did not say how many records there are"
    dates = [key.at for key in keys if key.at is not None]
    if dates and not start - 1 <= min(dates) <= max(dates) <= end + 1:
        return "an answer held records outside the dates asked for"
    ids = [key.id for key in keys if key.id is not None]
    if len(set(ids)) < len(ids):
        return "an answer held one record twice"
    if len(keys) > total:
        return "an answer held more records than its own total"
    if len(keys) < min(size, total):
        return "an answer held fewer records than its page and its total promise"
    return ""


def halve(
    window: Window, *, low: float | None = None, high: float | None = None
) -> tuple[Window, Window] | None:
    """Cut a window in two at the middle of the dates known to be in use; None where it is one second."""
    if window.end - window.start < 2:
        return None
    bottom = window.start if low is None else max(window.start, floor(low))
    top = window.end if high is None else min(window.end, floor(high) + 1)
    middle = (bottom + top) // 2 if top > bottom else (window.start + window.end) // 2
    middle = min(max(middle, window.start + 1), window.end - 1)
    guess = None if window.guess is None else window.guess // 2
    return Window(window.start, middle, guess), Window(middle, window.end, guess)


def share(
    windows: Sequence[Window], *, idle: int, size: int, low: float | None = None, high: float | None = None
) -> list[Window]:
    """Split the windows thought to be largest until `idle` more exist, or none is worth it."""
    result = list(windows)
    for _ in range(max(0, idle)):
        largest = max(result, key=lambda window: window.guess or 0, default=None)
        if largest is None or (largest.guess or 0) < _WORTH_SPLITTING * size:
            break
        halves = halve(largest, low=low, high=high)
        if halves is None:
            break
        result.remove(largest)
        result.extend(halves)
    return sorted(result)


def gaps(covered: Iterable[tuple[int, int]], *, start: int, end: int) -> list[Window]:
    """Return the windows between start and end that no covered stretch owns."""
    result: list[Window] = []
    place = start
    for begin, until in sorted(covered):
        if begin > place:
            result.append(Window(place, min(begin, end)))
        place = max(place, until)
        if place >= end:
            break
    if place < end:
        result.append(Window(place, end))
    return result


class _Seen(Struct):
    first: int
    last: int


class Census:
    """Who was seen when, over many answers about one set of records that may change meanwhile.

    Rule: an id seen at or before one answer and again at or after it existed at that instant,
    because ids do not return. Where as many ids as the answer's own total did, they are all there
    was, and no survivor is missing; what came or went before or after does not matter.
    """

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}
        self._totals: list[int | None] = []

    def __len__(self) -> int:
        """Return how many distinct ids were seen."""
        return len(self._seen)

    def __contains__(self, id_: object) -> bool:
        """Return whether an id was seen."""
        return id_ in self._seen

    @property
    def answers(self) -> int:
        """How many answers were noted."""
        return len(self._totals)

    @property
    def total(self) -> int | None:
        """What the last answer that says so counted."""
        return next((total for total in reversed(self._totals) if total is not None), None)

    def note(self, ids: Iterable[str], total: int | None) -> None:
        """Take in one answer: the ids it shows, and what it counts (None where it does not count)."""
        moment = len(self._totals)
        self._totals.append(total)
        for id_ in ids:
            seen = self._seen.get(id_)
            if seen is None:
                self._seen[id_] = _Seen(moment, moment)
            else:
                seen.last = moment

    def missing_since(self, moment: int) -> list[str]:
        """Return the ids that were not seen at or after answer number `moment`."""
        return [id_ for id_, seen in self._seen.items() if seen.last < moment]

    def settled(self) -> bool:
        """Whether at the instant of some answer exactly as many ids were alive as it counted."""
        change = [0] * (len(self._totals) + 1)
        for seen in self._seen.values():
            change[seen.first] += 1
            change[seen.last + 1] -= 1
        alive = 0
        for total, step in zip(self._totals, change, strict=False):
            alive += step
            if total is not None and alive == total:
                return True
        return False


def first_seconds(window: Window, seconds: int) -> Window:
    """Return the first `seconds` of a window as a window of its own."""
    return replace(window, end=min(window.end, window.start + seconds), guess=None, tries=0)
