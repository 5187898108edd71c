"""What one answer proves about a window of dates, and how windows are cut."""

from __future__ import annotations

import random

import pytest

from nimble_async._sansio.walk import RowKey
from nimble_async._sansio.windows import (
    Again,
    Census,
    Crowded,
    Halves,
    Prefix,
    Proof,
    Whole,
    Window,
    complaint,
    first_seconds,
    gaps,
    halve,
    judge,
    share,
)


def keys(*dates: float | None) -> list[RowKey]:
    """Rows with these dates and ids of their own."""
    return [RowKey(f"id{place}", date) for place, date in enumerate(dates)]


WINDOW = Window(100, 200)


@pytest.mark.parametrize(
    ("dates", "total", "verdict"),
    [
        ((), 0, Whole()),
        ((100,), 1, Whole()),
        ((100, 150, 199), 3, Whole()),
        ((150, 100, None), 3, Whole()),  # an answer equal to its total needs no order
        ((100, 110, 120, 130), 9, Prefix(130)),
        ((99, 99, 99, 101), 9, Prefix(101)),
        ((99, 100, 100, 100.9), 9, Crowded(9)),  # the page ends inside the window's first second
        ((99, 99, 100, 100), 9, Crowded(9)),
        ((99, 99, 99, 99), 9, Crowded(9)),
        ((150, 160, 170, 200), 9, Prefix(200)),
        ((150, 160, 170, 201), 9, Prefix(200)),
        ((110, 120, 119, 130), 9, Halves(Window(100, 150), Window(150, 200))),
        ((110, None, 119, 130), 9, Halves(Window(100, 150), Window(150, 200))),
    ],
)
def test_an_answer_proves_what_it_must_hold(dates, total, verdict):
    """Equal to its total: the whole window; a full ordered page: up to its last date; else nothing."""
    assert judge(WINDOW, keys(*dates), total=total, size=4) == verdict


def test_an_unordered_answer_for_one_second_needs_a_census():
    """One second cannot be cut, so an answer out of order there calls for a census."""
    assert judge(Window(100, 101), keys(101, 100, 99, 99), total=9, size=4) == Crowded(9)


@pytest.mark.parametrize(
    ("dates", "total", "why"),
    [
        ((100, 110, 120), 9, "fewer"),
        ((), 1, "fewer"),
        ((100, 110), 1, "own total"),
        ((100, 110), None, "did not say"),
        ((97, 110), 2, "outside"),
        ((100, 202), 2, "outside"),
    ],
)
def test_an_answer_that_contradicts_itself_is_asked_for_again(dates, total, why):
    """A short, overfull, foreign or uncounted answer proves nothing."""
    verdict = judge(WINDOW, keys(*dates), total=total, size=4)
    assert isinstance(verdict, Again)
    assert why in verdict.why
    assert not verdict.final


@pytest.mark.parametrize(("dates", "fine"), [((98, 201), True), ((97.9, 150), False), ((150, 201.1), False)])
def test_rows_may_lie_a_second_beyond_what_was_asked_for(dates, fine):
    """Dates are shown rounded, so one second on either side of the range asked for is no complaint."""
    assert (complaint(WINDOW, keys(*dates), 2, 4) == "") is fine


def test_an_answer_with_one_record_twice_proves_nothing():
    """An answer that repeats a record is not one slice of a list."""
    rows = [RowKey("a", 100), RowKey("a", 101)]
    assert isinstance(judge(WINDOW, rows, total=2, size=4), Again)


def test_rows_without_an_id_count_as_rows():
    """A rejected row is a row: it belongs to the total, and two of them are two."""
    rows = [RowKey(None, 100), RowKey(None, 101)]
    assert judge(WINDOW, rows, total=2, size=4) == Whole()


def test_the_fourth_useless_answer_is_the_last():
    """Asking again ends after four answers."""
    answers = [judge(Window(0, 9, tries=tries), [], total=1, size=4) for tries in range(4)]
    finals = [answer.final for answer in answers if isinstance(answer, Again)]
    assert finals == [False, False, False, True]


@pytest.mark.parametrize(
    ("at", "owned"), [(99.9, False), (100, True), (199.9, True), (200, False), (None, True)]
)
def test_every_date_has_one_owner(at, owned):
    """A window owns start <= t < end; a row without a date belongs wherever it is seen."""
    assert WINDOW.owns(RowKey("a", at)) is owned


def test_the_range_asked_for_reaches_a_second_beyond_what_is_owned():
    """The start is a second early, so that an exclusive end covers every owned second too."""
    assert WINDOW.asked == (99, 200)


@pytest.mark.parametrize(
    ("window", "low", "high", "halves"),
    [
        (Window(0, 1), None, None, None),
        (Window(0, 2), None, None, (Window(0, 1), Window(1, 2))),
        (Window(0, 100, 11), None, None, (Window(0, 50, 5), Window(50, 100, 5))),
        (Window(0, 100), 80.0, 99.5, (Window(0, 90), Window(90, 100))),
        (Window(0, 100), 200.0, 300.0, (Window(0, 50), Window(50, 100))),
        (Window(0, 100), 0.0, 0.0, (Window(0, 1), Window(1, 100))),
        (Window(0, 100), 99.0, 99.0, (Window(0, 99), Window(99, 100))),
    ],
)
def test_a_window_is_cut_where_its_dates_are(window, low, high, halves):
    """The cut is the middle of the dates in use, and always leaves two windows."""
    assert halve(window, low=low, high=high) == halves


def test_windows_are_shared_while_it_is_worth_it():
    """An idle worker gets half of the largest window, unless that holds fewer than four pages."""
    shared = share([Window(0, 100, 1000), Window(100, 200, 10)], idle=2, size=100)
    assert shared == [Window(0, 25, 250), Window(25, 50, 250), Window(50, 100, 500), Window(100, 200, 10)]
    assert share([Window(0, 100, 399)], idle=5, size=100) == [Window(0, 100, 399)]
    assert share([Window(0, 1, 5000)], idle=5, size=100) == [Window(0, 1, 5000)]
    assert share([], idle=3, size=100) == []
    assert share([Window(0, 9)], idle=-1, size=1) == [Window(0, 9)]


@pytest.mark.parametrize(
    ("covered", "left"),
    [
        ([], [Window(0, 10)]),
        ([(0, 10)], []),
        ([(2, 4), (6, 8)], [Window(0, 2), Window(4, 6), Window(8, 10)]),
        ([(6, 8), (0, 3), (3, 6)], [Window(8, 10)]),
        ([(0, 5), (4, 6)], [Window(6, 10)]),
        ([(12, 14)], [Window(0, 10)]),
        ([(0, 20)], []),
        ([(3, 3)], [Window(0, 3), Window(3, 10)]),
    ],
)
def test_what_is_left_is_what_no_block_covers(covered, left):
    """The gaps are exactly the seconds that no block owns."""
    assert gaps(covered, start=0, end=10) == left


def test_gaps_and_cover_make_the_whole():
    """Whatever was covered, the gaps own each second that it does not, once."""
    chance = random.Random(5)
    for _ in range(300):
        covered = [(start, start + chance.randrange(0, 6)) for start in chance.sample(range(30), 6)]
        found = gaps(covered, start=0, end=30)
        owners = [sum(gap.start <= second < gap.end for gap in found) for second in range(30)]
        inside = [any(start <= second < end for start, end in covered) for second in range(30)]
        assert owners == [0 if known else 1 for known in inside]


def test_the_first_seconds_of_a_window_are_a_window():
    """A narrower window begins at the same second and never ends later."""
    assert first_seconds(Window(5, 10, 7, 2), 2) == Window(5, 7)
    assert first_seconds(Window(5, 10), 90) == Window(5, 10)


def count(*answers: tuple[str, int | None]) -> Census:
    """Note answers, each a text of one-letter ids and a total."""
    census = Census()
    for ids, total in answers:
        census.note(ids, total)
    return census


@pytest.mark.parametrize(
    ("answers", "settled"),
    [
        ([], False),
        ([("", 0)], True),
        ([("abc", 3)], True),
        ([("ab", 3), ("c", 3)], False),  # a and b may be gone, and others in their place, when c is seen
        ([("ab", 3), ("c", 3), ("abc", None)], True),
        ([("ab", 3), ("c", 3), ("ab", 3)], True),
        ([("ab", 4), ("c", 4), ("abc", None)], False),
        # b was deleted and x inserted in between: three ids, a total of three, and d is missing.
        ([("ab", 3), ("x", 3)], False),
        ([("ab", 3), ("x", 3), ("ax", 3)], False),
        ([("ab", 3), ("x", 3), ("adx", 3)], True),
    ],
)
def test_a_census_settles_when_everybody_of_one_instant_is_known(answers, settled):
    """As many ids seen before and after one instant as it counts: that is everybody."""
    assert count(*answers).settled() is settled


def test_a_census_says_what_it_saw():
    """It counts ids and answers, remembers the last total, and names who was not seen lately."""
    census = count(("ab", 5), ("bc", None))
    assert (len(census), census.answers, census.total) == (3, 2, 5)
    assert census.missing_since(1) == ["a"]
    assert census.missing_since(0) == []
    assert Census().total is None


def test_a_settled_census_never_misses_a_survivor():
    """In ten thousand random walks over a changing crowd, a settled census has everybody who stayed."""
    chance = random.Random(11)
    settled = 0
    for _ in range(10_000):
        crowd = [str(number) for number in range(chance.randrange(1, 9))]
        always, fresh, census = set(crowd), len(crowd), Census()
        for _ in range(chance.randrange(1, 12)):
            shown = [name for name in crowd if chance.random() < 0.7]
            census.note(shown, len(crowd))
            for _ in range(chance.choice([0, 0, 1, 2])):
                if crowd and chance.random() < 0.5:
                    always.discard(gone := chance.choice(crowd))
                    crowd.remove(gone)
                else:
                    crowd.append(str(fresh))
                    fresh += 1
        if census.settled():
            settled += 1
            assert not [name for name in always if name not in census]
    assert settled > 1000


class _List:
    """A list in the order of dates that changes between any two answers."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.width = chance.choice([60, 60, 60, 8])
        self.rows = {str(number): self._date() for number in range(chance.randrange(0, 80))}
        self.fresh = len(self.rows)
        self.always = set(self.rows)
        self.inclusive = chance.random() < 0.5, chance.random() < 0.5

    def _date(self) -> float:
        return self.chance.randrange(0, self.width) + self.chance.random()

    def ask(self, start: int, end: int, size: int) -> tuple[list[RowKey], int]:
        """Answer one page, ties in any order; dates are shown without their fraction."""
        first, last = self.inclusive
        inside = [
            (at, self.chance.random(), name)
            for name, at in self.rows.items()
            if (start <= at if first else start < at) and (at <= end if last else at < end)
        ]
        inside.sort()
        for _ in range(self.chance.choice([0, 0, 1, 3])):
            self._change()
        return [RowKey(name, float(int(at))) for at, _, name in inside[:size]], len(inside)

    def _change(self) -> None:
        if self.rows and self.chance.random() < 0.5:
            gone = self.chance.choice(sorted(self.rows))
            del self.rows[gone]
            self.always.discard(gone)
        else:
            self.rows[str(self.fresh)] = self._date()
            self.fresh += 1


def test_windows_deliver_every_survivor_once_whatever_changes():
    """Three thousand walks over lists with inserts anywhere and deletions: nobody missed, nobody twice."""
    crowds = walks = 0
    for seed in range(3000):
        listing = _List(random.Random(seed))
        todo, delivered = [Window(0, 30), Window(30, 60)], []
        while todo:
            window = todo.pop()
            rows, total = listing.ask(*window.asked, 12)
            match judge(window, rows, total=total, size=12):
                case Whole(proof):
                    assert proof is Proof.ANSWER
                    delivered += [row.id for row in rows if window.owns(row)]
                case Prefix(until):
                    delivered += [row.id for row in rows if Window(window.start, until).owns(row)]
                    todo += [Window(until, window.end)] if until < window.end else []
                case verdict:
                    assert isinstance(verdict, Crowded)
                    crowds += 1
                    break
        else:
            walks += 1
            assert listing.always <= set(delivered), seed
            assert len(delivered) == len(set(delivered)), seed
    assert walks > 2000
    assert crowds > 10
