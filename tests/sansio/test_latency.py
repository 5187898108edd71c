"""Slowness: answers against the good times of their own kind."""

from __future__ import annotations

import pytest

from nimble_async._sansio.allowances import InFlight
from nimble_async._sansio.latency import Latency


def test_each_kind_of_call_has_good_times_of_its_own():
    """A search that always takes two seconds is not slow beside a record that takes a fifth."""
    latency = Latency()
    for _ in range(100):
        latency.answered("get", 0.2)
        latency.answered("search", 2.0)
    assert latency.slowness == pytest.approx(1.0)
    assert (latency.usual("get"), latency.usual("search"), latency.usual("other")) == (0.2, 2.0, 0.0)


def test_a_queue_shows_within_twenty_answers_and_stays_one():
    """Four times as long as before is slow, also after a hundred answers more."""
    latency = Latency()
    latency.answered("get", 0.2)
    for _ in range(20):
        latency.answered("get", 0.8)
    assert latency.slowness > 2.5
    for _ in range(100):
        latency.answered("get", 0.8)
    assert latency.slowness > 2.5


def test_a_few_calls_that_take_long_by_nature_are_no_queue():
    """One answer in ten that takes a hundred times as long, two of them in a row, takes no place away."""
    latency, slowest = Latency(), 0.0
    for number in range(1000):
        latency.answered("get", 20.0 if number % 20 in {7, 8} else 0.2)
        slowest = max(slowest, latency.slowness)
    assert slowest < 2.0


def test_slowness_that_sending_less_does_not_cure_is_believed():
    """A server that is slower for good is the new rule after a hundred answers."""
    latency = Latency()
    latency.answered("get", 0.2)
    for _ in range(100):
        latency.answered("get", 0.8, helpless=True)
    assert latency.slowness < 1.5


def test_good_times_are_followed_fast():
    """A slow first answer is forgotten after some quick ones."""
    latency = Latency()
    latency.answered("get", 5.0)
    for _ in range(50):
        latency.answered("get", 0.2)
    assert latency.usual("get") == pytest.approx(0.2, rel=0.2)


def test_what_nobody_notices_is_not_slow():
    """A millisecond that becomes fifty is the caller's own doing."""
    latency = Latency()
    latency.answered("get", 0.001)
    for _ in range(50):
        latency.answered("get", 0.1)
    assert latency.slowness == 1.0


def test_kinds_do_not_pile_up():
    """Of thousands of kinds the oldest are forgotten."""
    latency = Latency()
    for number in range(1000):
        latency.answered(str(number), 1.0)
    assert latency.usual("999") == 1.0
    assert latency.usual("700") == 0.0


@pytest.mark.parametrize(
    ("cap", "slowness", "needed", "after"),
    [
        (8.0, 2.0, 1.0, 8.0),
        (4.0, 2.0, 1.0, 4.25),
        (4.0, 2.01, 1.0, 4.0),
        (8.0, 2.5, 1.0, 8.0),
        (8.0, 2.51, 1.0, 7.2),
        (8.0, 2.51, 5.0, 7.5),
        (8.0, 9.0, 6.0, 8.0),
        (2.1, 9.0, 0.1, 2.0),
        (2.0, 9.0, 0.1, 2.0),
        (1.5, 9.0, 0.1, 1.5),
    ],
)
def test_slowness_takes_places_but_none_that_the_pace_needs(cap, slowness, needed, after):
    """Ten per cent a round, down to a quarter or to one and a half times what the pace needs."""
    places = InFlight(most=8, cap=cap).succeeded(sent=5.0, now=6.0, slowness=slowness, needed=needed)
    assert places.cap == pytest.approx(after)


def test_one_round_of_slow_answers_is_one_cut():
    """What was sent before the last cut does not cut again."""
    places = InFlight.up_to(8).succeeded(sent=5.0, now=6.0, slowness=5.0)
    assert places.succeeded(sent=5.9, now=6.5, slowness=5.0) is places
    assert places.succeeded(sent=6.0, now=7.0, slowness=5.0).cap < places.cap


@pytest.mark.parametrize(("places", "bulk"), [(8, 7), (2, 1), (1, 1)])
def test_bulk_leaves_a_place(places, bulk):
    """All but one, and one at least."""
    assert InFlight.up_to(places).bulk_places == bulk
