"""The pacer against odd headers, refusals that ask for nothing, two limits, and numbers nobody meant."""

from __future__ import annotations

import math

import pytest

from nimble_async._sansio.declared import safe_pace
from nimble_async._sansio.pacing import Pacer, Ticket, Wait
from nimble_async._sansio.pauses import believed
from nimble_async._sansio.ratelimits import Policy
from nimble_async._sansio.retrying import Wait as Repeat
from nimble_async._sansio.retrying import decide
from nimble_async._sansio.shared_pacer import SharedPacer
from nimble_async._sansio.sharing import News
from nimble_async.config import RateLimit, RetryPolicy
from nimble_async.errors import RateLimited


def an_hour(*, odd, declared=None, quota=100, window=60, seconds=3600):
    """Return the calls of an hour against announced windows, one answer of which announces six hours."""
    pacer, now, sent, begun, left = Pacer(declared), 0.0, 0, -1, 0
    while now < seconds and sent < 50000:
        decision = pacer.admit(now)
        if isinstance(decision, Wait):
            now = decision.at or math.inf
            continue
        sent += 1
        if now // window != begun:
            begun, left = now // window, quota
        left -= 1
        reset = 21600.0 if sent == odd else window - now % window
        pacer.admitted(decision, now + 0.1, 0.5)
        pacer.announced((Policy(quota=quota, remaining=max(0, left), reset=reset),), now + 0.1, 0.5)
    return sent


@pytest.mark.parametrize("odd", [1, 3, 200])
def test_one_odd_reset_does_not_throttle_for_good(odd):
    """However early or late it comes, the hour is used but for what one wrong wait costs."""
    assert an_hour(odd=odd) > 0.7 * an_hour(odd=None)


def test_a_guessed_window_never_slows_a_declared_rate_for_long():
    """Five a second, declared and announced by resets of a second, survive one reset of six hours."""
    calm, odd = (an_hour(odd=n, declared=RateLimit(5), quota=5, window=1, seconds=600) for n in (None, 10))
    assert odd > 0.97 * calm


def test_names_of_announced_limits_are_bounded():
    """A server that names a new limit in each answer fills no memory."""
    pacer = Pacer()
    for number in range(100):
        pacer.announced((Policy(name=str(number), remaining=5, reset=10),), number, 0.5)
    assert len(pacer._guesses) == 16


def test_huge_quotas_keep_no_record_of_sends():
    """A window of a billion calls needs no middle to be met."""
    pacer = Pacer()
    pacer.announced((Policy(quota=1e9, window=5, remaining=1e9, reset=5),), 0.0, 0.5)
    for number in range(3000):
        now = number * 0.01
        assert isinstance(pacer.admit(now), Ticket)
    assert len(pacer._recent) == 0


@pytest.mark.parametrize(
    ("asked", "strikes", "expected"),
    [(0.0, 1, 0.0), (0.0, 2, None), (0.49, 2, None), (0.5, 2, 0.5), (None, 2, None), (30.0, 9, 30.0)],
)
def test_a_refusal_that_asks_for_nothing_twice_is_silent(asked, strikes, expected):
    """From the second in a row on, less than half a second is no answer."""
    assert believed(asked, strikes) == expected


def test_refusals_that_ask_for_nothing_are_no_storm():
    """Ten minutes of `Retry-After: 0` cost as few sends as ten minutes of silence."""
    pacer, now, sent = Pacer(), 0.0, 0
    while now < 600 and sent < 1000:
        decision = pacer.admit(now)
        if isinstance(decision, Wait):
            now = decision.at or math.inf
            continue
        sent += 1
        pacer.refused(decision, now + 0.05, 0.5, 0.0)
        now += 0.05
    assert sent < 40


def test_a_lone_caller_spreads_its_attempts_where_nothing_is_asked():
    """`Retry-After: 0` gives a call the same patience as no header."""
    waits = [
        decide(
            RateLimited("no", status=429, retry_after=asked),
            repeatable=True, attempt=4, policy=RetryPolicy(), jitter=0.0,
        )
        for asked in (0.0, None)
    ]  # fmt: skip
    assert waits[0] == waits[1]
    assert isinstance(waits[0], Repeat)
    assert waits[0].seconds > 1


@pytest.mark.parametrize(
    "limits",
    [
        [(100, 60, 50), (2, 1, 1)],
        [(600, 60, 1), (10, 1, 1)],
        [(100, 60, 20), (5, 1, 1)],
        [(60, 60, 10), (60, 60, 1)],
        [(5, 1, 1), (100, 60, 20)],
        [(100, 60, 50), (5, 1, 1), (20, 10, 4)],
    ],
)
def test_every_declared_limit_is_kept(limits):
    """Of several limits no window of any is broken, in whatever order they are declared."""
    declared = [RateLimit(*limit) for limit in limits]
    pacer, now = Pacer(declared[0]), 0.0
    sent: list[float] = []
    for limit in declared[1:]:
        pacer.declare(limit)
    while now < 180 and len(sent) < 5000:
        decision = pacer.admit(now)
        if isinstance(decision, Wait):
            assert decision.at is not None
            assert decision.at > now
            assert pacer.earliest(now) == pytest.approx(decision.at)
            now = decision.at or math.inf
        else:
            sent.append(now)
            pacer.admitted(decision, now, 0.5)
    for limit in declared:
        first = 0
        for number, at in enumerate(sent):
            while at - sent[first] >= limit.window:
                first += 1
            assert number - first + 1 <= limit.limit
    slowest = min(safe_pace(limit)[0] for limit in declared)
    assert len(sent) > 0.97 * 180 * slowest


def test_a_limit_that_another_implies_is_not_kept_twice():
    """The stricter of two replaces the other."""
    pacer = Pacer(RateLimit(10))
    pacer.declare(RateLimit(20))
    pacer.declare(RateLimit(5))
    assert not pacer._spacings
    assert pacer.rate == pytest.approx(4.9)


def test_several_limits_of_one_process_reach_the_keeper_as_pace_and_burst():
    """The keeper is told the slowest pace and the smallest burst."""
    pacer = SharedPacer(RateLimit(100, 60, 50), member="me")
    pacer.declare(RateLimit(5, 1, 1))
    ask = pacer.ask(0.0, 1)
    assert ask is not None
    assert ask.declared > 5e5
    assert ask.tolerance == 0


def test_one_call_a_day_is_an_answer_that_makes_sense():
    """The longest intervals that limits declare are no nonsense."""
    fields = {name: getattr(News(now=1e15, interval=8.8e10), name) for name in News.__struct_fields__}
    assert News.read([str(value) for value in fields.values()]).interval == 8.8e10


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("start", 1e300), ("gate", 9e99), ("settle", 1e18), ("held", 1e17), ("stretch", 0.0),
        ("stretch", -5.0), ("search", math.nan), ("start", math.inf), ("interval", -1.0),
        ("interval", 1e18), ("members", 0), ("granted", 10**9),
    ],
)  # fmt: skip
def test_numbers_nobody_meant_are_no_answer_of_the_keeper(name, value):
    """What somebody wrote over the shared numbers is refused, so that this process keeps its share."""
    fields = {field: getattr(News(now=1e15), field) for field in News.__struct_fields__} | {name: value}
    with pytest.raises(ValueError, match="sense"):
        News.read([str(fields[field]) for field in News.__struct_fields__])
