"""What processes that share a budget decide by themselves: pure values, tables with their boundaries."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nimble_async._sansio.ratesearch import UNPACED, Bracket, Mode
from nimble_async._sansio.sharing import (
    LATENESS,
    LEAST_TRIM,
    Knowledge,
    News,
    Skew,
    ahead,
    own_slot,
    read_knowledge,
    shared_pace,
    write_knowledge,
)
from nimble_async.config import RateLimit

HOLD = Bracket(mode=Mode.HOLD, rate=10.0, lo=10.0, held=10.0, need=90.0, measured=True)
SEARCH = Bracket(mode=Mode.SEARCH, rate=10.0, lo=9.0, held=9.0, hi=11.0, need=10.0, measured=True)


@pytest.mark.parametrize(
    ("before", "sent", "received", "offset"),
    [
        (None, 100.0, 100.2, 0.2),
        (Skew(0.1, 100.2), 100.0, 100.2, 0.1),
        (Skew(0.5, 100.0), 100.0, 100.2, 0.2),
        (Skew(-3.0, 100.0), 100.0, 100.2, 0.0),
        (Skew(0.1, 0.2), 100.0, 100.2, 0.11),
    ],
    ids=["first", "agrees", "too late", "a clock was set", "drift"],
)
def test_the_clocks_are_compared_within_what_an_answer_proves(before, sent, received, offset):
    """The keeper's instant lies between sending and receiving; what was known is kept as far as it fits."""
    news = 100e6
    skew = Skew.after(before, news, sent, received)
    assert skew.offset == pytest.approx(offset, abs=2e-9)
    assert skew.keeper(skew.local(news)) == pytest.approx(news)


@given(
    st.floats(0, 10),
    st.lists(
        st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 30.0)), min_size=1, max_size=8
    ),
)
def test_no_slot_is_used_before_its_time_by_more_than_the_drift(truth, trips):
    """However long answers take, a translated instant is never before the true one."""
    skew, now = None, 1000.0
    for there, back, pause in trips:
        sent, now = now, now + there + back
        skew = Skew.after(skew, (sent + there - truth) * 1e6, sent, now)
        assert skew.local((now - truth) * 1e6) >= now - 1e-6
        now += pause


@pytest.mark.parametrize(
    ("limit", "window", "burst"),
    [(50, 1, 1), (10, 1, 1), (10, 1, 4), (600, 60, 1), (600, 60, 60), (1, 1, 1), (5, 10, 5), (0.5, 1, 1)],
)
def test_slots_keep_every_window_of_a_declared_limit(limit, window, burst):
    """`floor(rate * window) + burst <= limit`, and one more where each is late by as much as is allowed."""
    interval, tolerance, late = shared_pace(RateLimit(limit, window, burst))
    whole = window if limit >= 1 else window / limit
    quota = max(1, math.floor(limit))
    rate = 1e6 / interval
    assert tolerance == pytest.approx((burst - 1) * interval)
    assert math.floor(rate * whole + 1e-9) + burst <= quota
    assert math.floor(rate * (whole + late) - 1e-6) + burst <= quota + 1
    assert 0 < late <= LATENESS
    assert rate * whole >= min(0.98 * quota, quota - burst + 0.98) - 1e-6


def test_an_endless_limit_has_no_interval():
    """`unlimited` declares nothing."""
    assert shared_pace(RateLimit(math.inf)) == (0.0, 0.0, LATENESS)


@pytest.mark.parametrize(
    ("interval", "members", "slots"),
    [
        (20_000, 16, 1),
        (20_000, 1, 2),
        (2_000, 1, 20),
        (2_000, 16, 2),
        (1, 1, 64),
        (40_000, 1, 1),
        (1e6, 0, 1),
    ],
)
def test_slots_are_held_for_a_few_hundredths_of_a_second(interval, members, slots):
    """The slower the queue comes round, the fewer are taken at once."""
    assert ahead(interval, members) == slots


@pytest.mark.parametrize(
    ("seconds", "seat", "number", "rest"),
    [
        (100.0, 0, 100, 1.0),
        (100.04, 0, 100, 0.96),
        (100.06, 0, -1, 0.94),
        (100.25, 1, 100, 1.0),
        (100.24, 1, -1, 0.01),
        (100.99, 0, -1, 0.01),
    ],
)
def test_time_is_divided_among_those_who_cannot_ask(seconds, seat, number, rest):
    """Four members, a second: each has the first moments of its own quarter."""
    found, left = own_slot(seconds * 1e6, period=1.0, seat=seat, members=4)
    assert found == number
    assert left == pytest.approx(rest)


def test_slots_that_are_too_short_to_be_met_are_no_slots():
    """At thousands a second the pace alone has to do."""
    assert own_slot(5e6, period=0.001, seat=1, members=2) == (0, 0.0)


@given(st.integers(1, 16), st.floats(0.05, 3.0))
def test_divided_time_keeps_the_rate_of_all(members, period):
    """Whoever sends at the beginning of its slots, no two of all are nearer than an interval."""
    at = sorted(
        [
            5.0 + own_slot(5e6, period=period, seat=seat, members=members)[1] + turn * period
            for seat in range(members)
            for turn in range(3)
        ]
    )
    gaps = [later - first for first, later in pairwise(at)]
    assert min(gaps) >= period / members * 0.999


def closed(**changes):
    """Return news of a closed gate: 100 calls in 10 s, refused at 12/s, two seconds ago."""
    news = {
        "now": 50e6, "closed": 1, "pending": 1, "event_rate": 12.0, "event_admitted": 100,
        "event_span": 10e6, "event_clean": 1, "block_from": 48e6, "interval": 1e5,
    }  # fmt: skip
    return News(**(news | changes))


@pytest.mark.parametrize(
    ("knowledge", "news", "told", "trim", "changed"),
    [
        (Knowledge(HOLD), closed(pending=0), False, 1.0, False),
        (Knowledge(HOLD), closed(), False, 1.0, True),
        (Knowledge(HOLD), closed(), True, 0.99, False),
        (Knowledge(HOLD, trim=0.905), closed(), True, LEAST_TRIM, True),
        (Knowledge(Bracket()), closed(event_span=0.0), False, 1.0, True),
    ],
    ids=["no event", "searched", "told", "told and refused too often", "start"],
)
def test_an_event_is_one_cut(knowledge, news, told, trim, changed):
    """Unknown limits cut the search; a told one is trimmed, and searched only when it is not believed."""
    after = knowledge.after(news, 50e6, told=told)
    assert after.trim == pytest.approx(trim)
    assert (after.bracket != knowledge.bracket) == changed


def test_the_cut_of_the_first_phase_looks_at_what_was_sent():
    """Growth outruns the answers: the rate it had reached counts at most twice what was admitted."""
    after = Knowledge(Bracket(rate=80.0)).after(closed(event_rate=80.0), 50e6, told=False)
    assert after.bracket.hi <= 2 * 10.2


@pytest.mark.parametrize(
    ("knowledge", "sent", "seconds", "told", "expected"),
    [
        (Knowledge(Bracket()), 100, 10.0, 0.0, None),
        (Knowledge(SEARCH), 99, 9.9, 0.0, None),
        (Knowledge(SEARCH), 79, 10.0, 0.0, "again"),
        (Knowledge(SEARCH), 80, 10.0, 0.0, "on"),
        (Knowledge(SEARCH), 100, 10.0, 20.0, None),
        (Knowledge(SEARCH, trim=0.95, trimmed_at=21e6), 100, 10.0, 20.0, None),
        (Knowledge(SEARCH, trim=0.95, trimmed_at=20e6), 100, 10.0, 20.0, "regain"),
        (Knowledge(SEARCH, trim=LEAST_TRIM), 100, 10.0, 20.0, "on"),
        (Knowledge(SEARCH, trim=LEAST_TRIM), 100, 10.0, 9.5, "believed"),
    ],
)
def test_a_level_that_was_carried_leads_on(knowledge, sent, seconds, told, expected):
    """Time and use decide; a told limit slowly gets back what it lost, and is believed when carried."""
    news = News(now=50e6, level_from=(50 - seconds) * 1e6, level_sent=sent, interval=1e5)
    found = knowledge.passed(news, 0.5, told=told)
    if expected is None:
        assert found is None
    elif expected == "again":
        assert found == knowledge
    elif expected == "regain":
        assert found == Knowledge(SEARCH, trim=0.95 * 1.005, trimmed_at=50e6)
    else:
        assert found.bracket == SEARCH.passed(0.5)
        assert found.trim == (1.0 if expected == "believed" else knowledge.trim)


@pytest.mark.parametrize(
    ("bracket", "search", "rate"),
    [(Bracket(), 1e5, 10.0), (Bracket(), 0.0, 5.0), (Bracket(), 0.5, UNPACED), (HOLD, 1e4, 10.0)],
)
def test_the_first_phase_goes_on_where_the_keeper_stands(bracket, search, rate):
    """What all together reached counts in START, and nowhere else."""
    assert Knowledge(bracket).quickened(search).bracket.rate == rate


@pytest.mark.parametrize(
    ("bracket", "answers", "more"), [(Bracket(), 0, 0.0), (HOLD, 5, 0.0), (Bracket(rate=UNPACED), 5, 0.0)]
)
def test_answers_quicken_only_the_first_phase(bracket, answers, more):
    """No answers, a search that is over, and the top of it: no more speed."""
    assert Knowledge(bracket).faster(answers) == more


def test_answers_quicken_the_first_phase_as_they_would_one_process():
    """So many answers are worth so many steps of growth."""
    assert Knowledge(Bracket()).faster(2) == Bracket().grown().grown().rate - Bracket().rate


def test_a_share_of_the_search_is_a_share_of_all_its_rates():
    """A quarter of each; what is endless stays endless."""
    share = Knowledge(HOLD).shared_by(4)
    assert (share.rate, share.lo, share.held, share.hi) == (2.5, 2.5, 2.5, math.inf)
    assert share.mode is Mode.HOLD


@pytest.mark.parametrize("knowledge", [Knowledge(Bracket()), Knowledge(HOLD, trim=0.93, trimmed_at=5.0)])
def test_knowledge_comes_back_as_it_was_written(knowledge):
    """Also where a rate is endless."""
    assert read_knowledge(write_knowledge(knowledge)) == knowledge


@pytest.mark.parametrize("text", ["", "?", "AAAA", "gaRuYW1l", "é"])
def test_what_cannot_be_read_is_not_known(text):
    """Another version may have written it: that is no error."""
    assert read_knowledge(text) is None


def test_an_answer_is_read_in_the_order_of_its_members():
    """Texts or bytes, numbers of any spelling."""
    news = News(now=1.5, granted=2, known="x", members=3, settle=7.0)
    texts = [str(getattr(news, name)) for name in News.__struct_fields__]
    assert News.read(texts) == news
    assert News.read([text.encode() for text in texts]) == news


@pytest.mark.parametrize(
    "answer",
    [
        [],
        ["1"] * 5,
        ["x", *["0"] * (len(News.__struct_fields__) - 1)],
        ["1"] * (len(News.__struct_fields__) + 1),
    ],
)
def test_a_foreign_answer_is_refused(answer):
    """Too few, too many, or no numbers."""
    with pytest.raises(ValueError):  # noqa: PT011 (whatever its words)
        News.read(answer)
