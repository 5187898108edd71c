"""Slots that were granted: whose time they belong to, which are still good, which go back."""

from __future__ import annotations

import pytest

from nimble_async._sansio.granted import Granted
from nimble_async._sansio.sharing import News


def granted(count, *, now=1_000.0, start=1_000.0, interval=0.1, held=0.0):
    return News(now=now * 1e6, granted=count, start=start * 1e6, interval=interval * 1e6, held=held * 1e6)


def holding(count, **options):
    slots, news = Granted(), granted(count, **options)
    slots.heard(news, 0.0, 0.0)
    slots.take(news)
    return slots


def test_before_anything_is_heard_no_clock_is_known():
    """Nothing is granted then, and what the keeper says lies long past."""
    slots = Granted()
    assert not slots.timed
    assert slots.keeper(2.0) == 2e6
    assert slots.local(1e6) < 0
    assert slots.next_at(0.0, 0.05) is None


def test_the_next_slot_is_the_earliest_that_is_not_too_late():
    """One that began longer ago than allowed is given up; a used one is gone."""
    slots = holding(3)
    assert slots.next_at(0.02, 0.05) == pytest.approx(0.0)
    assert slots.next_at(0.12, 0.05) == pytest.approx(0.1)
    assert slots.pop().instant == pytest.approx(1_000.1e6)
    assert len(slots) == 1
    assert slots.due(0.15) == 0
    assert slots.due(0.201) == 1
    slots.clear()
    assert slots.due(0.201) == 0


@pytest.mark.parametrize(("step", "kept"), [(0.0, 2), (0.04, 2), (-0.04, 2), (-100.0, 0), (100.0, 0)])
def test_a_clock_that_was_set_ends_all_slots(step, kept):
    """Their instants were meant by the old time; a small drift is none."""
    slots = holding(2)
    slots.heard(granted(0, now=1_000.05 + step), 0.05, 0.05)
    assert len(slots) == kept


def test_slots_before_a_hold_are_given_up():
    """Headers said that no call may go until then."""
    slots = holding(3)
    slots.take(granted(0, held=1_000.15))
    assert len(slots) == 1


def test_only_the_last_slots_in_a_row_go_back():
    """Another process's slot lies between the first and the others."""
    slots = holding(1)
    slots.take(granted(2, start=1_000.2))
    assert slots.give_back() == pytest.approx((1_000.2e6, 1_000.4e6))
    assert len(slots) == 0
    assert slots.give_back() == (0.0, 0.0)
