"""Keeping clear of the edges of short windows: what refusals tell, and what is done with it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nimble_async._sansio.alignment import Alignment
from nimble_async._sansio.pacing import Pacer, Ticket, Wait
from nimble_async._sansio.ratelimits import Policy
from nimble_async.config import RateLimit

TEN = Alignment(quota=10, window=1.0)


def test_nothing_is_kept_clear_before_an_edge_is_known():
    """Without a refusal every instant is as good as another."""
    assert not TEN.active
    assert TEN.clear(3.3) == 3.3
    assert TEN.next_window(3.3) == 3.3


def test_the_first_refusal_shows_the_edge():
    """The refused call was the eleventh of its window, so the window ends about when it was sent."""
    aligned = TEN.refused(7.4, calls=30)
    assert (aligned.active, aligned.edge, aligned.strikes) == (True, 7.4, 0)


@pytest.mark.parametrize(
    ("at", "clear"),
    [(7.4, 7.575), (7.57, 7.575), (7.575, 7.575), (7.8, 7.8), (8.22, 8.22), (8.23, 8.575), (107.4, 107.575)],
)
def test_a_send_near_an_edge_goes_after_it(at, clear):
    """The guard is 35 % of a window, around each edge."""
    assert Alignment(quota=10, window=1.0, edge=7.4).clear(at) == pytest.approx(clear)


@pytest.mark.parametrize(("now", "due"), [(7.4, 7.575), (7.41, 8.575), (8.39, 8.575)])
def test_the_next_window_begins_behind_its_guard(now, due):
    """Where the first send of a window is due."""
    assert Alignment(quota=10, window=1.0, edge=7.4).next_window(now) == pytest.approx(due)


@pytest.mark.parametrize(
    ("sent", "calls", "edge", "strikes"),
    [(8.6, 60, 7.45, 0), (8.2, 60, 7.35, 0), (8.6, 59, 7.45, 2), (8.2, 500, 7.35, 0)],
)
def test_a_later_refusal_moves_the_edge_a_little(sent, calls, edge, strikes):
    """Refused at the beginning of a window: it ends later than thought. At its end: earlier."""
    aligned = Alignment(quota=10, window=1.0, edge=7.4, strikes=1).refused(sent, calls)
    assert aligned.edge == pytest.approx(edge)
    assert aligned.strikes == strikes


def test_refusals_that_no_edge_explains_end_it_for_good():
    """Five in close succession: somebody else uses the limit, or the server counts otherwise."""
    aligned = TEN
    for _ in range(6):
        aligned = aligned.refused(7.4, calls=10)
    assert (aligned.lost, aligned.active) == (True, False)
    assert aligned.refused(9.0, calls=1000) is aligned


@given(st.integers(2, 200), st.sampled_from([0.5, 1.0, 5.0]))
def test_the_calls_of_a_window_fit_between_its_guards(quota, window):
    """All of a quota's sends lie clear of the edges."""
    aligned = Alignment(quota=quota, window=window, edge=0.0)
    first = aligned.next_window(0.0)
    last = first + (quota - 1) * aligned.step
    assert aligned.clear(last) == last < window


def refused_once(pacer, until=5.0):
    """Run at full pace, refuse one call, and return the moment it was sent."""
    now = 0.0
    for _ in range(10_000):
        decision = pacer.admit(now)
        if isinstance(decision, Wait):
            now = decision.at or math.nan
        elif now < until:
            pacer.admitted(decision, now, 0.5)
        else:
            pacer.refused(decision, now + 0.2, 0.5)
            return now
    raise AssertionError("too many sends")


def reopened(pacer):
    """Let the canary of a closed gate through."""
    gate = pacer.gate or math.nan
    canary = pacer.admit(gate)
    assert isinstance(canary, Ticket)
    pacer.admitted(canary, gate, 0.5)


def run(pacer, now, until, late=0.0):
    """Return when an eager caller sends, timers being late by turns."""
    times: list[float] = []
    while now < until and len(times) < 10_000:
        decision = pacer.admit(now)
        if isinstance(decision, Wait):
            now = decision.at + late * (len(times) % 3)
            continue
        times.append(now)
        pacer.admitted(decision, now, 0.5)
    return times


@pytest.mark.parametrize("late", [0.0, 0.004])
@pytest.mark.parametrize("limit", [RateLimit(10.0), RateLimit(5.0), RateLimit(100.0, 5.0)])
def test_after_a_refusal_full_windows_are_sent_in_their_middle(limit, late):
    """At least 94 % used, nothing near an edge once a window fills, and no window over the limit."""
    pacer = Pacer(limit)
    edge = refused_once(pacer)
    times = run(pacer, pacer.gate, edge + 60, late)
    assert pacer.rate == pytest.approx(0.98 * limit.limit / limit.window)
    steady = [at for at in times if at > edge + 2 * limit.window]
    offsets = [((at - edge) / limit.window) % 1 for at in steady]
    assert min(offsets) >= 0.175 - 1e-6
    assert max(offsets) <= 0.825 + 0.01 / limit.window
    assert len(steady) >= 0.94 * limit.limit / limit.window * (steady[-1] - steady[0])
    quota = int(limit.limit)
    assert all(
        later - first >= limit.window - 1e-9 for first, later in zip(times, times[quota:], strict=False)
    )


def test_a_lone_call_does_not_wait_for_the_middle_of_a_window():
    """An edge matters only where a window is full."""
    pacer = Pacer(RateLimit(10.0))
    edge = refused_once(pacer)
    reopened(pacer)
    assert isinstance(pacer.admit(math.ceil(edge) + 30 + edge % 1), Ticket)


def test_an_announced_short_window_is_learnt_too():
    """What the server says of its window is as good as a declaration."""
    pacer = Pacer()
    pacer.announced((Policy(quota=10, window=1, remaining=5, reset=1),), 0.0, 0.0)
    edge = refused_once(pacer)
    assert pacer.gate == pytest.approx(edge + 1.175)


@pytest.mark.parametrize(
    "limit", [RateLimit(600.0, 60.0), RateLimit(1.0), RateLimit(10.0, 1.0, 5.0), RateLimit(0.5)]
)
def test_other_limits_are_not_aligned(limit):
    """Long windows need it not; a burst or one call a window leaves nothing to move."""
    pacer = Pacer(limit)
    refused_once(pacer)
    reopened(pacer)
    assert pacer.rate < 0.98 * limit.limit / limit.window


def test_a_share_of_a_budget_is_not_aligned():
    """Others fill the windows too, so a refusal says nothing about their edges."""
    pacer = Pacer(RateLimit(10.0))
    pacer.take_share(0.5)
    refused_once(pacer)
    reopened(pacer)
    assert pacer.rate < 4.9


def test_an_edge_that_is_learnt_with_the_first_calls_is_kept_clear_too():
    """Refused before a whole window was sent: the rest follows the same rule."""
    pacer = Pacer(RateLimit(10.0))
    edge = refused_once(pacer, until=0.15)
    times = run(pacer, pacer.gate, edge + 20)
    assert all(later - first >= 1 - 1e-9 for first, later in zip(times, times[10:], strict=False))
    assert len(times) >= 0.94 * 10 * (times[-1] - times[0])
