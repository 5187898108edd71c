"""Repeats and places in flight: counting only."""

from __future__ import annotations

import pytest

from nimble_async._sansio.allowances import InFlight, RetryBudget
from nimble_async.config import RetryPolicy


@pytest.mark.parametrize(
    ("calls", "seconds", "repeats"), [(0, 0, 5), (100, 0, 15), (0, 3, 8), (10_000, 0, 25)]
)
def test_repeats_are_a_share_of_the_calls_and_one_a_second_and_five(calls, seconds, repeats):
    """Attempts never exceed 1.1 times the calls + 1 a second + 5, and little is saved up."""
    budget = RetryBudget.full(RetryPolicy(), 100.0)
    for _ in range(calls):
        budget = budget.called()
    taken = 0
    while taken < 100 and (after := budget.take(100.0 + seconds)) is not None:
        budget, taken = after, taken + 1
    assert taken == repeats


def test_a_dead_server_is_not_hammered():
    """With every attempt failing for ten minutes, attempts stay within 1.1 x calls + 1/s + 5."""
    budget, repeats = RetryBudget.full(RetryPolicy(), 0.0), 0
    for second in range(600):
        budget = budget.called()
        for _ in range(4):
            after = budget.take(float(second))
            if after is not None:
                budget, repeats = after, repeats + 1
    assert repeats <= 0.1 * 600 + 600 + 5


def test_time_that_stands_still_or_goes_back_gives_nothing():
    """A repeat is never paid by a clock that fell back."""
    budget = RetryBudget(left=0.0, at=10.0, share=0.1, per_second=1.0, most=25.0)
    assert budget.take(5.0) is None
    assert budget.take(10.0) is None
    assert budget.take(11.0) is not None


def test_failures_cut_the_places_once_for_what_was_under_way():
    """Eight failures of one moment are one cut; the least is one place."""
    places = InFlight.up_to(8)
    for _ in range(8):
        places = places.failed(sent=1.0, now=2.0)
    assert places.places == 5
    for now in range(3, 20):
        places = places.failed(sent=now, now=now)
    assert places.places == 1


def test_a_round_of_answers_gives_one_place_back_up_to_the_most():
    """One more place after as many answers as there are places, and never more than configured."""
    places = InFlight(most=8, cap=4.0)
    for _ in range(4):
        places = places.succeeded()
    assert 4.8 < places.cap < 5
    for _ in range(100):
        places = places.succeeded()
    assert places == InFlight(most=8, cap=8.0)
