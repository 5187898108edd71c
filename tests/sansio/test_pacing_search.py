"""The search for an unknown limit, one decision at a time."""

from __future__ import annotations

import math

import pytest

from nimble_async._sansio.ratesearch import (
    START_GROWTH,
    START_HASTE,
    START_RATE,
    UNPACED,
    Bracket,
    Discovery,
    Event,
    Mode,
)

HOLDING = Bracket(mode=Mode.HOLD, rate=10.0, lo=10.0, held=10.0, hi=10.1, measured=True)


def event(refused=20.0, block=1.0, admitted=100, span=10.0, clean=True):
    return Event(refused=refused, block=block, admitted=admitted, span=span, clean=clean)


def test_start_grows_with_each_answer_and_ends_unpaced():
    """Each answer adds a fifth of a call a second, later a twentieth, up to a rate nobody reaches."""
    assert Bracket().grown().rate == pytest.approx(START_RATE + START_GROWTH)
    assert Bracket(rate=18.0).grown().rate == pytest.approx(18.0 + START_GROWTH)
    assert Bracket(rate=1000.0).grown().rate == pytest.approx(1000 + (START_HASTE - 1) * 986)
    assert Bracket(rate=UNPACED).grown().rate == UNPACED
    assert Bracket().passed(0.5) == Bracket()


@pytest.mark.parametrize(
    ("bracket", "mode", "rate"),
    [
        (Bracket(mode=Mode.SEARCH, rate=8, lo=8, hi=9), Mode.SEARCH, 8.5),
        (Bracket(mode=Mode.SEARCH, rate=8, lo=8, hi=80), Mode.SEARCH, 10.0),
        (Bracket(mode=Mode.SEARCH, rate=8, lo=7, hi=8.1), Mode.HOLD, 8.0),
        (HOLDING, Mode.PROBE, 10.2),
        (Bracket(mode=Mode.PROBE, rate=10.2, lo=10, step=0.02), Mode.PROBE, 10.608),
    ],
)
def test_a_level_that_was_carried_leads_to_the_next(bracket, mode, rate):
    """SEARCH bisects in steps of a quarter at most, then holds; PROBE doubles its step."""
    following = bracket.passed(0.5)
    assert following.mode is mode
    assert following.rate == pytest.approx(rate)


@pytest.mark.parametrize(
    ("span", "clean", "block", "average"),
    [(10.0, True, 5.0, 10.0), (9.0, False, 0.5, 10.0), (5.0, False, 5.0, 10.0)],
)
def test_an_average_that_a_burst_may_flatter_counts_the_block_that_paid_for_it(span, clean, block, average):
    """A full supply at the start adds a second of its limit at least, or the block that followed."""
    assert event(admitted=100, span=span, clean=clean, block=block).average == average


@pytest.mark.parametrize(
    ("bracket", "seen", "lo"),
    [
        (Bracket(), event(refused=40, admitted=40, span=3, clean=False), 9.5),
        (Bracket(), event(refused=5, admitted=0, span=0.1, clean=False), 0.95 * 1.5),
        (Bracket(mode=Mode.SEARCH, rate=20, lo=20), event(), 9.8),
        (HOLDING, event(refused=10.5, admitted=1000, span=100), 9.975),
        (HOLDING, event(refused=10.0, admitted=500, span=100), 4.9),
        (HOLDING, event(refused=10.0, admitted=5, span=3), 6.86),
        (HOLDING, event(refused=10.0, admitted=30, span=14.9), 8.82),
        (HOLDING, event(refused=10.0, admitted=30, span=15), 1.96),
        (HOLDING, event(refused=10.0, admitted=30, span=14.9, block=5.0), 0.98 * 30 / 14.9),
        (HOLDING, event(refused=10.0, clean=False), 9.5),
        (HOLDING, event(refused=10.5, admitted=995, span=100), 9.95),
        (Bracket(mode=Mode.PROBE, rate=12, lo=11, held=10, measured=True), event(refused=12), 11.0),
    ],
    ids=["start", "first call", "first measure", "as held", "limit fell", "too few", "echo", "no echo",
         "long block",
         "idle", "a little less", "probe"],
)  # fmt: skip
def test_one_event_is_one_cut_to_what_was_measured(bracket, seen, lo):
    """What was admitted between two refusals is the limit; with less evidence the cut is careful."""
    after = bracket.after(seen)
    assert after.mode is Mode.SEARCH
    assert after.rate == after.lo == pytest.approx(lo)
    assert after.hi > after.lo


@pytest.mark.parametrize(
    ("bracket", "seen", "lo"),
    [
        (Bracket(), event(block=300, admitted=1200, span=20, clean=False), 0.95 * 1200 / 320),
        (
            Bracket(mode=Mode.PROBE, rate=6, lo=5, held=3.5, need=600, measured=True),
            event(6, 300, 4500, 1500),
            5.0,
        ),
        (
            Bracket(mode=Mode.PROBE, rate=6, lo=5, held=1, need=600, measured=True),
            event(6, 300, 3500, 3000),
            5.0,
        ),
        (
            Bracket(mode=Mode.PROBE, rate=3.6, lo=3.5, held=3.5, measured=True),
            event(3.6, 300, 450, 150),
            3.42,
        ),
        (
            Bracket(mode=Mode.PROBE, rate=6, lo=5, held=3.5, need=600, measured=True),
            event(6, 300, 450, 1500),
            0.294,
        ),
        (
            Bracket(mode=Mode.PROBE, rate=6, lo=5, held=3.5, need=25, measured=True),
            event(6, 300, 4500, 1500),
            3.5,
        ),
        (
            Bracket(mode=Mode.HOLD, rate=5, lo=5, held=5, measured=True, block=300),
            event(5, 300, 1200, 600),
            2.772,
        ),
    ],
    ids=[
        "start",
        "probe",
        "probe from far below",
        "first step of a probe",
        "limit fell",
        "short tries",
        "held too high",
    ],
)
def test_a_costly_block_ends_the_search(bracket, seen, lo):
    """A refusal that costs minutes leads to a long hold at what was carried, or at what was measured."""
    after = bracket.after(seen)
    assert after.mode is Mode.HOLD
    assert after.rate == pytest.approx(lo, rel=1e-3)
    assert after.need >= 300
    # What a probe tries then lasts for two blocks, so that it proves something, but after the first of all.
    tried = 25 if bracket.mode is Mode.START else 600
    assert after.passed(0.5).need == tried
    assert after.passed(0.5).passed(0.5).need == tried


@pytest.mark.parametrize(
    ("age", "rate", "block", "usable"),
    [
        (0, 5, 0, True),
        (7 * 86400 - 1, 5, 0, True),
        (7 * 86400, 5, 0, False),
        (-1, 5, 0, False),
        (0, 0, 0, False),
        (0, math.nan, 0, False),
        (0, math.inf, 0, False),
        (0, 5, -1, False),
    ],
)
def test_a_discovery_is_used_for_a_week_and_only_if_sane(age, rate, block, usable):
    """What a store gives back is doubted like any input."""
    assert Discovery(rate=rate, block=block, found=1000).usable(1000 + age) is usable


def test_a_remembered_rate_starts_a_tenth_below():
    """An earlier run's discovery is held at nine tenths and tried from there."""
    bracket = Bracket.remembered(Discovery(rate=10, block=30, found=0))
    assert (bracket.mode, bracket.rate, bracket.long) == (Mode.REMEMBERED, 9.0, 600.0)
    assert bracket.passed(0.5).mode is Mode.PROBE


@pytest.mark.parametrize(("span", "hi"), [(14.9, 12.0), (15.0, 10.0)])
def test_an_echo_of_the_last_block_leaves_the_upper_end_of_the_bracket(span, hi):
    """Refused again within seconds: what was sent before counts still, so the rate is not refuted."""
    searching = Bracket(mode=Mode.SEARCH, rate=10, lo=9.5, hi=12, measured=True)
    assert searching.after(event(refused=10, admitted=200, span=span, block=0.5)).hi == hi
