"""Read a list by offsets, and judge what its slices prove together. Pure: numbers in, numbers out.

The list is ordered by a number that a record keeps for ever and that no two share. An answer is a
slice of it, so whatever changes before or after: every record whose number lies between the slice's
first and its last is in the slice. A slice at offset 0 is whole downwards without end, a slice
shorter than asked for is whole upwards without end. Where two slices share a record, or end and
begin at neighbouring numbers, nothing can lie between them: the seam is closed. When all seams are
closed, every record that existed throughout has been seen.

A list may grow faster than it is read. So the walk is bounded: `highest_of` reads from one answer in
the opposite order, at the start, the highest number there was. All that existed at the start lies at
or below it; when everything up to it is proven, and as many records were passed as there were then,
the walk is over. Where no such answer can be had, it ends with the list, or is given up.

A short slice is the end of the list only where it reaches up to the highest number that was ever
shown (`seen`): a server that holds its pages short, or tells a wrong total, would end the walk
anywhere. A slice that claims an end below is doubted: the opposite order is asked again, which shows
that the highest were deleted meanwhile, or that they are still there and the walk has to go on.

Offsets are guesses and prove nothing. Deletions shift the list to the left, so neighbouring slices
are asked for with an overlap, which grows where a seam stayed open; an open seam is asked for
again, further back each time, down to offset 0.

Rule: nothing here asks, waits or writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import gt, lt

from msgspec import Struct
from msgspec.structs import replace

from nimble_async._sansio.walk import RowKey

__all__ = ["HIGHEST", "LOWEST", "Question", "Seams", "Stretch", "Taken", "highest_of"]

LOWEST = 0
HIGHEST = 1 << 53
"""Every number lies in LOWEST <= number < HIGHEST: what a double holds exactly."""
_MOST_TRIES = 24
"""Answers that bring an open seam no further, until it is given up."""
_MOST_REPEATS = 4
"""Answers to one question that contradict themselves."""
_MOST_DOUBTS = 4
"""Answers, one after another, that leave the highest number where it was, until none is asked for again."""
_MOST_IDLE = 24
"""Pages of the first pass, one after another, that add nothing, until it is given up."""
_GROWTH = 1000
"""Records by which an unbounded list may grow, beyond twice what it held, until its walk is given up."""


def highest_of(keys: Sequence[RowKey], total: int | None, *, limit: int) -> int | None:
    """Return the highest number of a list, from its first page in descending order; -1 where it is empty.

    None where the page proves nothing: it is not in that order, a row has no number, or its total is
    not what a page of `limit` rows shows.
    """
    numbers = _numbers(keys)
    if total is None or len(keys) != min(limit, total):
        return None
    if len(numbers) < len(keys) or not all(map(gt, numbers, numbers[1:])):
        return None
    return max(numbers, default=-1)


class Question(Struct, frozen=True):
    """Ask for `limit` records from `offset` on; `seam` is the number at which an open seam begins."""

    offset: int
    limit: int
    seam: int | None = None
    repeats: int = 0
    top: bool = False
    """Whether it is to be asked in the opposite order: what is the highest number now?"""


class Stretch(Struct, frozen=True):
    """All records of start <= number < end were seen; the first and the last stood at these offsets."""

    start: int
    end: int
    first: int
    last: int


class Taken(Struct, frozen=True):
    """What an answer added: stretches that nothing had proven before; or why it proves nothing."""

    stretches: tuple[tuple[int, int], ...] = ()
    why: str = ""
    final: bool = False
    """Whether asking again has not helped."""


class _Search(Struct):
    """Where the left edge of an open seam is looked for, in offsets."""

    offset: int
    """Where to ask next."""
    low: int | None = None
    """The edge was seen to stand here or behind it ..."""
    high: int | None = None
    """... and before this one."""
    step: int = 1
    tries: int = 0

    def behind(self, place: int, limit: int) -> None:
        """Note that the edge stands at `place` or behind it."""
        self.low = place
        self.high = None if self.high is not None and self.high <= place else self.high
        self._aim(limit)

    def before(self, place: int, limit: int) -> None:
        """Note that the edge stands before `place`."""
        self.high = place
        self.low = None if self.low is not None and self.low >= place else self.low
        self._aim(limit)

    def _aim(self, limit: int) -> None:
        self.step *= 2
        if self.low is None:
            self.offset = max(0, (self.high or 0) - self.step)
        elif self.high is None:
            self.offset = self.low + self.step
        elif self.high - self.low < limit:
            # Any page between these two shows the edge; the middle one also where it has moved meanwhile.
            self.offset = max(0, (self.high - limit + self.low + 1) // 2)
        else:
            self.offset = (self.low + self.high) // 2


class Seams:
    """What is proven, what is asked for, and what to ask next. `limit` records fill a page.

    `covered` are stretches an earlier run has proven: start, end and how many records each holds.
    Numbers from `end` on are no part of the walk. `counted` is how many records there were at the start,
    `seen` the highest number that was shown then.
    """

    def __init__(
        self,
        limit: int,
        covered: Iterable[tuple[int, int, int]] = (),
        *,
        end: int = HIGHEST,
        counted: int | None = None,
        seen: int | None = None,
    ) -> None:
        self.end = end
        self.seen: int = -1 if seen is None else seen
        """The highest number known to be there: a list that ends below it was cut short."""
        self.overlap = 1
        """Records that neighbouring slices are asked to share."""
        self.total: int | None = None
        """What the last answer counted."""
        self.runs_away = False
        """Whether the list grew faster than it was read, and nothing bounds it."""
        self._limit = limit
        self._counted = counted
        self._idle = 0
        self._doubt = False
        self._doubts = 0
        self._before = self.seen
        self._older: list[Question] = []
        self._proven: list[Stretch] = []
        self._searches: dict[int, _Search] = {}
        self._asked: list[Question] = []
        self._again: list[Question] = []
        rows = 0
        for low, high, count in sorted(covered):
            rows += count
            self._join(Stretch(low, high, rows - count, max(0, rows - 1)))
        self._frontier: int | None = max(0, rows - self.overlap)
        self._resumed = {stretch.end for stretch in self._proven}

    @property
    def open(self) -> list[tuple[int, int]]:
        """The stretches of numbers that nothing has proven yet."""
        edges = [
            LOWEST,
            *(edge for stretch in self._proven for edge in (stretch.start, stretch.end)),
            HIGHEST,
        ]
        gaps = [(low, min(high, self.end)) for low, high in zip(edges[::2], edges[1::2], strict=True)]
        return [(low, high) for low, high in gaps if low < high]

    def ask(self) -> Question | None:
        """Return what to ask next; None where nothing is left, or an answer has to come first."""
        question = self._again.pop() if self._again else self._settle() or self._heal() or self._go_on()
        if question is not None:
            self._asked.append(question)
        return question

    def _settle(self) -> Question | None:
        """Return the question for the highest number, where an answer claimed that the list ends below."""
        if not self._doubt or self._doubts >= _MOST_DOUBTS or any(asked.top for asked in self._asked):
            return None
        self._doubt = False
        return Question(0, self._limit, top=True)

    def _go_on(self) -> Question | None:
        """Return the next page of the first pass. Only a total tells how far it can be asked for ahead."""
        place = self._frontier
        if place is None or any(asked.top for asked in self._asked):
            return None
        self.runs_away = self._grows(place)
        if self.runs_away or self._is_through(place):
            self._frontier = None
            return None
        ahead = any(question.seam is None and not question.top for question in self._asked)
        if ahead and (self.total is None or place >= self.total):
            return None
        self._frontier = place + max(1, self._limit - self.overlap)
        return Question(place, self._limit)

    def _is_through(self, place: int) -> bool:
        """Return whether the first pass ends before the record at `place`, whatever is listed behind it."""
        if self.end == LOWEST or self._idle >= _MOST_IDLE:
            return True
        if self.end == HIGHEST or not self._proven:
            return False
        # An order that is not by number would show itself on one of the pages before.
        return place + 1 >= (self._counted or 0) and self._proven[-1].end >= self.end

    def _grows(self, place: int) -> bool:
        """Return whether an unbounded list has grown so far; a total that stands behind is a wrong hint."""
        if self.end != HIGHEST or self._counted is None or self.total is None:
            return False
        return place > 2 * self._counted + _GROWTH and self.total >= place

    def _heal(self) -> Question | None:
        """Return a question for the first seam that is open and that no answer on its way may close."""
        for start, end in self.open:
            last = not any(stretch.start >= end for stretch in self._proven)
            if last and (self._frontier is not None or self.runs_away):
                continue
            search = self._searches.get(start) or self._begin(start, end)
            if search is None or search.tries >= _MOST_TRIES:
                continue
            if any(asked.seam == start for asked in self._asked):
                continue
            return Question(search.offset, self._limit, start)
        return None

    def _begin(self, start: int, end: int) -> _Search | None:
        """Begin to look for a seam; None where a page that is on its way belongs there."""
        left = next((stretch for stretch in self._proven if stretch.end == start), None)
        right = next((stretch for stretch in self._proven if stretch.start >= end), None)
        low = -1 if left is None else left.first
        high = None if right is None else right.first
        if any(low < asked.offset and (high is None or asked.offset < high)
               for asked in self._asked if asked.seam is None and not asked.top):  # fmt: skip
            return None
        place, back = (0 if left is None else left.last), self.overlap
        if left is not None and right is not None and start not in self._resumed:
            # Deletions opened it a moment ago: few records are missing, so the middle of a page goes there.
            place, back = min(place, right.first - 1), self._limit // 2
            self.overlap = min(self.overlap + 1, max(1, self._limit // 2))
        search = self._searches[start] = _Search(max(0, place - back + 1))
        return search

    def take(self, question: Question, keys: Sequence[RowKey], total: int | None) -> Taken:
        """Take in one answer: the rows' numbers in their order, and what it counts."""
        self._asked.remove(question)
        if question.top:
            return self._look_down(keys)
        why = _complaint(question, keys)
        if why:
            repeats = question.repeats + 1
            final = repeats >= _MOST_REPEATS
            if not final:
                self._again.append(replace(question, repeats=repeats))
            return Taken(why=why, final=final)
        self._learn(question, keys, total)
        found = _stretch(question, keys, total, seen=self.seen)
        before = self.open
        if found is not None:
            self._join(found)
        if question.seam is None:
            self._idle = self._idle + 1 if self.open == before else 0
        self._look_elsewhere(question, found, before)
        return Taken(() if found is None else tuple(_common(before, found)))

    def _look_down(self, keys: Sequence[RowKey]) -> Taken:
        """Learn from an answer in the opposite order how high the list still reaches."""
        numbers = _numbers(keys)
        ordered = all(map(gt, numbers, numbers[1:]))
        now = max(numbers, default=-1)
        self._doubts += 1
        if ordered and now < self.seen:
            self._before, self.seen, self._doubts = self.seen, now, 0
            # What was asked before may still show what is deleted now.
            self._older = list(self._asked)
            for search in self._searches.values():
                search.tries = 0
        return Taken(why="" if ordered else "an answer was not in the order asked for")

    def _contradict(self, question: Question, keys: Sequence[RowKey]) -> None:
        """Take back that the highest were deleted where one of them is listed: numbers never return."""
        if question in self._older:
            self._older.remove(question)
        elif any(self.seen < number <= self._before for number in _numbers(keys)):
            self.seen, self._doubts = self._before, _MOST_DOUBTS

    def _learn(self, question: Question, keys: Sequence[RowKey], total: int | None) -> None:
        """Learn the total, the end, and from the very first answer how many rows a page really has."""
        rows = len(keys)
        self._contradict(question, keys)
        first = self.total is None and question.offset == 0 and not self._proven
        self.total = total
        told = total is None or question.offset + rows >= total
        below = max(_numbers(keys), default=-1) < self.seen
        claims = rows < question.limit and told and (rows > 0 or question.offset == 0)
        self._doubt = self._doubt or (claims and below)
        if rows >= question.limit or question.seam is not None:
            return
        if first and not (told and not below) and rows > 1:
            self._limit = rows
            self._frontier = rows - self.overlap
        elif below and rows > 0 and told:
            # Held short, or cut: the next page begins where this one stopped.
            self._frontier = question.offset + max(1, rows - self.overlap)
        else:
            self._frontier = None  # the end, or beyond it: what is open now is looked for

    def _look_elsewhere(
        self, question: Question, found: Stretch | None, before: list[tuple[int, int]]
    ) -> None:
        """Move the search of a seam that this answer was to close and did not."""
        search = None if question.seam is None else self._searches.get(question.seam)
        if search is None or question.seam is None:
            return
        if not any(start == question.seam for start, _ in self.open):
            del self._searches[question.seam]  # closed, or its left edge has moved
            return
        if self.open == before:
            search.tries += 1
        if found is not None and found.end <= question.seam:
            search.behind(found.last, self._limit)
        else:
            search.before(question.offset, self._limit)

    def _join(self, found: Stretch) -> None:
        """Take a stretch into the sorted list, together with all that it overlaps or touches."""
        apart = [other for other in self._proven if other.end < found.start or other.start > found.end]
        joined = [other for other in self._proven if other.end >= found.start and other.start <= found.end]
        # The newest answer knows best where a number stands now.
        lowest = min([found, *joined], key=lambda stretch: stretch.start)
        highest = max([found, *joined], key=lambda stretch: stretch.end)
        self._proven = sorted(
            [*apart, Stretch(lowest.start, highest.end, lowest.first, highest.last)],
            key=lambda stretch: stretch.start,
        )


def _numbers(keys: Sequence[RowKey]) -> list[int]:
    return [int(key.at) for key in keys if key.at is not None]


def _complaint(question: Question, keys: Sequence[RowKey]) -> str:
    """Return why an answer is no slice of an ordered list; empty where it may be one."""
    numbers = _numbers(keys)
    if not all(map(lt, numbers, numbers[1:])):
        return "an answer was not in the order asked for"
    if len(keys) > question.limit:
        return "an answer held more records than were asked for"
    return ""


def _stretch(question: Question, keys: Sequence[RowKey], total: int | None, *, seen: int) -> Stretch | None:
    """Return the numbers of which a slice holds every record; None where it shows none.

    One that is short is the end only from the highest number that was `seen` on.
    """
    numbers = _numbers(keys)
    ends = len(keys) < question.limit and (total is None or question.offset + len(keys) >= total)
    ends = ends and max(numbers, default=-1) >= seen
    if not numbers and not (ends and question.offset == 0):
        return None
    start = LOWEST if question.offset == 0 else numbers[0]
    end = HIGHEST if ends else numbers[-1] + 1
    return Stretch(start, end, question.offset, question.offset + max(0, len(keys) - 1))


def _common(gaps: Iterable[tuple[int, int]], found: Stretch) -> list[tuple[int, int]]:
    """Return the parts of the gaps that the stretch fills."""
    parts = [(max(start, found.start), min(end, found.end)) for start, end in gaps]
    return [(start, end) for start, end in parts if start < end]
