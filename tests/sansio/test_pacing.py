"""The pacer: gate, canary, spacing, and what it believes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nimble_async._sansio.declared import safe_pace
from nimble_async._sansio.pacing import Pacer, Ticket, Wait
from nimble_async._sansio.ratelimits import LONGEST_WAIT, Policy
from nimble_async._sansio.ratesearch import START_RATE, Discovery, Mode
from nimble_async.config import RateLimit

TEN = RateLimit(10.0)


def go(pacer, now):
    """Return the ticket of a send at `now`, which must be allowed."""
    ticket = pacer.admit(now)
    assert isinstance(ticket, Ticket)
    return ticket


def closed(pacer, now=0.0, retry_after=None, jitter=0.0):
    """Close the gate by one refusal and return the refused ticket."""
    ticket = go(pacer, now)
    pacer.refused(ticket, now, jitter, retry_after)
    return ticket


def sends(pacer, until, now=0.0):
    """Return when an eager caller sends, every answer being good."""
    times: list[float] = []
    for _ in range(100_000):
        decision = pacer.admit(now)
        if isinstance(decision, Wait):
            if decision.at is None or decision.at >= until:
                return times
            now = decision.at
            continue
        times.append(now)
        pacer.admitted(decision, now, 0.5)
    raise AssertionError("too many sends")


@given(
    st.integers(1, 500),
    st.sampled_from([0.5, 1.0, 7.0, 60.0]),
    st.floats(0, 1),
    st.lists(st.floats(0, 0.3), min_size=60, max_size=60),
)
def test_no_window_of_a_declared_limit_is_broken(limit, window, burst, delays):
    """Whatever the alignment, a window holds at most the limit, also when the caller is late and idle."""
    pacer = Pacer(RateLimit(float(limit), window, max(1.0, burst * limit)))
    now, times = 0.0, []
    for step in range(1500):
        decision = pacer.admit(now)
        if isinstance(decision, Wait):
            now = decision.at + delays[step % 60] * window / limit
            continue
        times.append(now)
        pacer.admitted(decision, now, 0.5)
    for first in range(len(times) - limit):
        assert times[first + limit] - times[first] >= window - 1e-9


@pytest.mark.parametrize(
    ("limit", "least"),
    [(RateLimit(10.0), 9.8), (RateLimit(600.0, 60.0), 9.8), (RateLimit(1.0), 0.98), (RateLimit(0.5), 0.49),
     (RateLimit(2.5), 1.98), (RateLimit(10.0, 1.0, 5.0), 5.98)],
)  # fmt: skip
def test_a_declared_limit_is_used_up_to_two_percent(limit, least):
    """The pace is 0.98 of the limit, less where a burst or a broken number takes its part."""
    rate, burst, lateness = safe_pace(limit)
    assert rate == pytest.approx(least)
    assert math.floor(rate * limit.window + 1e-9) + burst <= max(1.0, limit.limit)
    assert lateness >= 0


def test_the_stricter_of_two_declarations_holds():
    """A second owner may only tighten; an endless limit changes nothing."""
    pacer = Pacer(TEN)
    for limit in (RateLimit(20.0), RateLimit(math.inf), None):
        pacer.declare(limit)
        assert pacer.rate == pytest.approx(9.8)
    pacer.declare(RateLimit(5.0))
    assert pacer.rate == pytest.approx(4.9)
    assert pacer.mode is Mode.DECLARED


def test_limits_that_are_declared_anew_replace_all_others():
    """What was declared before is gone; what was sent before still counts."""
    pacer = Pacer(RateLimit(1.0))
    pacer.declare(RateLimit(30.0, 60.0, 10.0))
    sent = go(pacer, 0.0).at
    pacer.redeclare([RateLimit(20.0)])
    assert pacer.rate == pytest.approx(19.6)
    assert pacer.earliest(0.0) >= sent + 1.0
    assert [pacer.earliest(5.0, ahead) for ahead in (0, 1)] == pytest.approx([5.0, 5.0 + 1 / 19.6])
    pacer.redeclare([])
    assert pacer.mode is Mode.START
    assert pacer.rate == 5.0


def test_unused_slots_are_never_caught_up():
    """After a long idle time the second call waits a whole step."""
    pacer = Pacer(TEN)
    go(pacer, 0.0)
    go(pacer, 1000.0)
    decision = pacer.admit(1000.0)
    assert isinstance(decision, Wait)
    assert decision.at == pytest.approx(1000 + 1 / 9.8, abs=0.021)


def test_an_endless_limit_is_not_paced_until_it_is_refused():
    """`RateLimit(math.inf)` costs nothing, and one refusal starts the search."""
    pacer = Pacer(RateLimit(math.inf))
    now = 0.0
    for _ in range(1000):
        pacer.admitted(go(pacer, now), now, 0.5)
        now += 0.001
    closed(pacer, now)
    pacer.admitted(go(pacer, now + 1), now + 1, 0.5)
    assert pacer.rate < 1000
    assert pacer.bracket.mode is Mode.SEARCH


def test_an_unknown_limit_is_approached_fast_while_nothing_is_refused():
    """Sixty calls take six and a half seconds; after nine of steady work the brake is as good as gone."""
    pacer = Pacer()
    times = sends(pacer, until=8.9)
    assert 6.0 < times[60] < 6.5
    assert len(times) > 200
    assert pacer.rate > 2500


def test_calls_that_were_not_held_back_teach_nothing():
    """One call a second for an hour leaves the start where it was."""
    pacer = Pacer()
    for second in range(3600):
        pacer.admitted(go(pacer, float(second)), second + 0.1, 0.5)
    assert pacer.rate == START_RATE


def test_many_refusals_of_one_moment_are_one_event_and_one_cut():
    """Eight in flight are refused: one event, one canary, one cut; stragglers do not cut again."""
    pacer = Pacer()
    for step in range(50):
        pacer.admitted(go(pacer, step * 0.2), step * 0.2, 0.5)
    pacer.declare(None)
    tickets = [go(pacer, 10 + step * 0.2) for step in range(8)]
    for ticket in tickets[:6]:
        pacer.refused(ticket, 12.0, 0.0)
    assert pacer.gate == 12.5
    canary = go(pacer, 12.5)
    assert pacer.admit(12.5) == Wait(42.5)
    pacer.admitted(canary, 12.6, 0.5)
    rate = pacer.rate
    pacer.refused(tickets[6], 12.7, 0.0)
    assert pacer.gate is None
    assert pacer.rate == rate
    pacer.refused(tickets[7], 12.7, 0.0, 3.0)
    assert (pacer.gate, pacer.rate, pacer.refusals) == (15.7, rate, 8)
    pacer.admitted(go(pacer, 15.7), 15.8, 0.5)
    assert pacer.gate is None
    assert pacer.rate == rate


@pytest.mark.parametrize(
    ("retry_after", "jitter", "pause"),
    [(None, 0.0, 0.5), (None, 1.0, 1.0), (0.0, 1.0, 0.0), (-5.0, 1.0, 0.0), (10.0, 0.0, 10.0),
     (10.0, 1.0, 10.5), (3600.0, 1.0, 3602.0), (1e12, 0.0, LONGEST_WAIT)],
)  # fmt: skip
def test_a_refusal_pauses_as_asked_with_a_little_jitter(retry_after, jitter, pause):
    """Retry-After is obeyed, never shortened, never beyond six hours."""
    pacer = Pacer()
    closed(pacer, 0.0, retry_after, jitter)
    assert pacer.gate == pytest.approx(pause)


def test_a_canary_that_is_refused_waits_longer_each_time():
    """Pauses double up to half a minute, and nobody else is sent meanwhile."""
    pacer = Pacer()
    closed(pacer)
    pauses = []
    for _ in range(8):
        now = pacer.gate or math.nan
        pacer.refused(go(pacer, now), now, 1.0)
        pauses.append((pacer.gate or math.nan) - now)
    assert pauses == [2, 4, 8, 16, 30, 30, 30, 30]


def test_a_canary_that_ends_without_a_verdict_hands_its_role_on():
    """The next call after a cancelled canary is the canary."""
    pacer = Pacer()
    closed(pacer)
    pacer.abandoned(go(pacer, 1.0))
    again = go(pacer, 1.0)
    assert again.canary
    assert pacer.admit(1.0) == Wait(31.0)
    pacer.abandoned(Ticket(0, 1.0, pressed=False, canary=False))
    assert pacer.admit(1.0) == Wait(31.0)


def test_answers_of_before_the_event_are_not_counted_after_it():
    """A success that was sent before the refusal neither opens the gate nor grows the rate."""
    pacer = Pacer()
    early = go(pacer, 0.0)
    closed(pacer, 0.3)
    pacer.admitted(early, 0.4, 0.5)
    assert pacer.gate is not None
    late = go(pacer, 1.0)
    pacer.admitted(late, 1.1, 0.5)
    rate = pacer.rate
    pacer.admitted(early, 1.2, 0.5)
    assert pacer.rate == rate


def test_a_gate_that_opened_too_early_after_a_long_block_closes_for_longer():
    """A relapse within twenty calls of a block of ten seconds starts with eight seconds, not with one."""
    pacer = Pacer()
    closed(pacer, 0.0)
    pacer.admitted(go(pacer, 20.0), 20.0, 0.5)
    closed(pacer, 21.5, jitter=1.0)
    assert pacer.gate == 29.5


def test_a_level_that_was_not_used_is_measured_again():
    """Half-used levels neither pass nor fail."""
    pacer = Pacer(discovery=Discovery(rate=10, block=0, found=0))
    for step in range(2000):
        pacer.admitted(go(pacer, step * 0.2), step * 0.2, 0.5)
    assert (pacer.mode, pacer.rate) == (Mode.REMEMBERED, 9.0)
    sends(pacer, until=550.0, now=400.0)
    assert pacer.rate > 9.0


def test_a_declared_limit_that_is_refused_gives_way_a_little_and_comes_back():
    """One per cent for each event, regained in quiet times."""
    pacer = Pacer(RateLimit(100.0, 10.0))
    closed(pacer)
    pacer.admitted(go(pacer, 1.0), 1.0, 0.5)
    assert pacer.rate == pytest.approx(9.8 * 0.99)
    sends(pacer, until=120.0, now=1.0)
    assert pacer.rate == pytest.approx(9.8)


@pytest.mark.parametrize("limit", [TEN, RateLimit(100.0, 10.0)])
def test_a_declared_limit_that_keeps_being_refused_is_searched_for(limit):
    """After ten events the declaration is distrusted; when all is well for long, it is believed again."""
    pacer = Pacer(limit)
    now = 0.0
    for _ in range(16):
        for _ in range(30):
            decision = pacer.admit(now)
            while isinstance(decision, Wait):
                now = decision.at or math.nan
                decision = pacer.admit(now)
            pacer.admitted(decision, now, 0.5)
        now = pacer.earliest(now + 2)
        closed(pacer, now)
        now = 2 + (pacer.gate or math.nan)
        pacer.admitted(go(pacer, now), now, 0.5)
    assert pacer.rate < 9.8 * 0.9
    sends(pacer, until=now + 900, now=now)
    assert pacer.rate == pytest.approx(9.8)


def test_a_share_of_the_budget_slows_the_pace():
    """Half a share is half the pace, and a share is never nothing."""
    pacer = Pacer(TEN)
    pacer.take_share(0.5)
    assert pacer.rate == pytest.approx(4.9)
    pacer.take_share(0.0)
    assert pacer.rate > 0
    pacer.take_share(7.0)
    assert pacer.rate == pytest.approx(9.8)


def test_what_was_measured_can_be_remembered():
    """There is a discovery after a measure between two refusals, not before, and not of a declared limit."""
    pacer = Pacer()
    assert pacer.discovery(0.0) is None
    now = 0.0
    for _ in range(2):
        for _ in range(40):
            decision = pacer.admit(now)
            while isinstance(decision, Wait):
                now = decision.at or math.nan
                decision = pacer.admit(now)
            pacer.admitted(decision, now, 0.5)
        now += 1
        closed(pacer, now)
        now += 1
        pacer.admitted(go(pacer, now), now, 0.5)
    found = pacer.discovery(77.0)
    assert found is not None
    assert found.usable(78.0)
    assert Pacer(TEN).discovery(0.0) is None


def policy(**facts):
    return (Policy(**facts),)


@pytest.mark.parametrize(
    ("facts", "rate"),
    [
        ({"quota": 600, "window": 60, "remaining": 306, "reset": 30}, 10.0),
        ({"quota": 600, "window": 60, "remaining": 600, "reset": 1}, 20.0),
        ({"quota": 10, "window": 1, "remaining": 3, "reset": 1}, 9.8),
        ({"remaining": 101, "reset": 50}, 1.9998),
        ({"remaining": 10}, START_RATE),
        ({"quota": 100, "reset": 10}, START_RATE),
    ],
)
def test_an_announced_limit_sets_the_pace(facts, rate):
    """What is left, spread over the time left, at most twice the even pace; too little changes nothing."""
    pacer = Pacer()
    pacer.announced(policy(**facts), 0.0, 0.0)
    assert pacer.rate == pytest.approx(rate)


def test_an_announced_limit_that_is_used_up_holds_everything_until_it_is_fresh():
    """Nothing is sent before the reset; then the even pace, until an answer says more."""
    pacer = Pacer()
    pacer.announced(policy(quota=600, window=60, remaining=0, reset=10), 0.0, 0.5)
    assert pacer.admit(5.0) == Wait(10.6)
    assert pacer.earliest(5.0) == 10.6
    go(pacer, 10.6)
    assert pacer.mode is Mode.ANNOUNCED
    assert pacer.rate == pytest.approx(9.8)


def test_the_tightest_of_all_that_was_told_rules():
    """Of two policies and a declaration the slowest holds."""
    pacer = Pacer(RateLimit(100.0))
    slow = Policy(name="day", quota=3600, window=3600, remaining=936, reset=900)
    fast = Policy(name="second", quota=600, window=60, remaining=600, reset=60)
    pacer.announced((fast, slow), 0.0, 0.0)
    assert pacer.rate == pytest.approx(1.0)
    assert Pacer(RateLimit(0.5)).rate == pytest.approx(0.49)


def test_calls_in_flight_are_not_yet_counted_in_what_remains():
    """What is under way is taken off what the server said is left."""
    pacer = Pacer(RateLimit(1000.0))
    for step in range(5):
        go(pacer, float(step))
    pacer.announced(policy(quota=100, window=60, remaining=16, reset=10), 5.0, 0.0)
    assert pacer.rate == pytest.approx(1.0)


def test_the_earliest_send_counts_those_ahead():
    """A call with ten before it at ten a second cannot go within the second, or before a closed gate."""
    pacer = Pacer(TEN)
    assert pacer.earliest(0.0) == 0.0
    go(pacer, 0.0)
    assert pacer.earliest(0.0, ahead=10) == pytest.approx(11 / 9.8, abs=0.03)
    closed(pacer, 1.0, 30.0)
    assert pacer.earliest(1.0) == pytest.approx(31.0)


def test_calls_ahead_are_not_counted_at_a_rate_that_is_about_to_rise():
    """While nothing is known the rate may grow without end; a new window of an announced limit is near."""
    assert Pacer().earliest(0.0, ahead=1000) == pytest.approx(0.001)
    shared = Pacer()
    shared.take_share(0.5)
    assert shared.earliest(0.0, ahead=1000) == pytest.approx(0.002)
    searching = Pacer(discovery=Discovery(rate=10, block=1, found=0))
    assert searching.earliest(0.0, ahead=90) == pytest.approx(10.0)
    closed(searching, 0.0, 1.0)
    searching.admitted(go(searching, 2.0), 2.0, 0.0)
    assert searching.bracket.mode is Mode.SEARCH
    assert searching.rate < 9.0
    assert searching.earliest(3.0, ahead=90) == pytest.approx(3.0 + 90 / searching.bracket.hi)
    told = Pacer()
    told.announced(policy(quota=600, window=60, remaining=6, reset=10), 0.0, 0.0)
    assert told.rate == pytest.approx(0.0, abs=0.1)
    assert told.earliest(0.0, ahead=98) == pytest.approx(20.0, abs=0.1)


def test_an_answer_that_asks_all_to_wait_closes_the_gate_and_cuts_nothing():
    """A 503 with Retry-After says nothing about the rate: one canary reopens, at the same pace."""
    pacer = Pacer(RateLimit(100.0, 10.0))
    pacer.unavailable(go(pacer, 0.0), 0.1, 0.0, 20.0)
    assert pacer.gate == pytest.approx(20.1)
    assert pacer.admit(10.0) == Wait(pacer.gate)
    canary = go(pacer, 21.0)
    assert pacer.admit(21.0) == Wait(51.0)
    pacer.unavailable(canary, 21.2, 0.0, 5.0)
    assert pacer.gate == pytest.approx(26.2)
    pacer.admitted(go(pacer, 27.0), 27.1, 0.5)
    assert (pacer.gate, pacer.refusals) == (None, 0)
    assert pacer.rate == pytest.approx(9.8)


@pytest.mark.parametrize(("asked", "waited"), [(-3.0, 0.0), (1e12, LONGEST_WAIT)])
def test_what_an_unavailable_server_asks_for_is_clamped(asked, waited):
    """Neither into the past nor beyond six hours."""
    pacer = Pacer()
    pacer.unavailable(go(pacer, 0.0), 0.0, 0.0, asked)
    assert pacer.gate == waited


def test_an_outage_is_no_part_of_what_a_refusal_cost():
    """A refusal, then five minutes of 503: the block is the second before, so the search goes on."""
    pacer = Pacer()
    sends(pacer, until=4.9)
    closed(pacer, 5.0)
    pacer.unavailable(go(pacer, 6.0), 6.1, 0.0, 300.0)
    pacer.admitted(go(pacer, 306.1), 306.2, 0.5)
    assert pacer.bracket.mode is Mode.SEARCH
    assert pacer.bracket.block == pytest.approx(1.2, abs=0.7)


def test_an_earlier_discovery_is_recalled_only_while_nothing_is_known():
    """It replaces the start, and neither a growth without a brake nor what this run found itself."""
    found = Discovery(rate=10, block=0, found=0)
    fresh, refused, free = Pacer(), Pacer(), Pacer(RateLimit(math.inf))
    closed(refused)
    for pacer in (fresh, refused, free):
        pacer.recall(found)
    assert (fresh.mode, fresh.rate) == (Mode.REMEMBERED, 9.0)
    assert (refused.mode, refused.rate) == (Mode.START, START_RATE)
    assert free.rate > 1000


def test_what_is_remembered_is_not_worn_down_by_remembering_it_again():
    """A run that learnt nothing new has nothing to keep, since it went a tenth below what is known."""
    pacer = Pacer(discovery=Discovery(rate=10, block=0, found=0))
    sends(pacer, until=60.0)
    assert pacer.discovery(60.0) is None
    sends(pacer, until=300.0, now=60.0)
    better = pacer.discovery(300.0)
    assert better is not None
    assert better.rate > 10
