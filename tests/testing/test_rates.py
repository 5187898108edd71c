"""Who is admitted, and what is said about it."""

from __future__ import annotations

import pytest

from nimble_async.errors import ConfigurationError
from nimble_async.testing.rates import Concurrency, FixedWindow, Rates, SlidingLog, TokenBucket


def _admitted(rule, instants) -> list[bool]:
    return [rule.judge(now).admitted for now in instants]


@pytest.mark.parametrize(
    ("rule", "instants", "expected"),
    [
        (TokenBucket(2, 1), [0, 0, 0], [True, True, False]),
        (TokenBucket(2, 1), [0, 0, 0.49, 0.5, 0.5], [True, True, False, True, False]),
        (TokenBucket(2, 1, burst=1), [0, 0, 0.5], [True, False, True]),
        (TokenBucket(1, 10), [0, 9.9, 10, 100, 100], [True, False, True, True, False]),
        (FixedWindow(2, 1), [0, 0.5, 0.99, 1.0, 1.5, 1.9], [True, True, False, True, True, False]),
        (FixedWindow(2, 1), [0.9, 0.95, 1.0, 1.05], [True, True, True, True]),
        (SlidingLog(2, 1), [0.9, 0.95, 1.0, 1.89, 1.9, 1.9], [True, True, False, False, True, False]),
        (Concurrency(2), [0, 0, 0], [True, True, False]),
    ],
)
def test_a_rule_admits_its_limit(rule, instants, expected):
    """Each rule counts its own way, to the instant."""
    assert _admitted(rule, instants) == expected


@pytest.mark.parametrize("rule", [TokenBucket, FixedWindow, SlidingLog])
def test_obeying_the_wait_is_enough(rule):
    """A client that waits as long as a verdict says is admitted ever after."""
    rule, now = rule(5, 2), 0.3
    for _ in range(50):
        verdict = rule.judge(now)
        assert verdict.admitted
        now += verdict.wait
    assert now > 10


def test_a_place_comes_back_when_a_request_ends():
    """Concurrency counts what is in flight."""
    rule = Concurrency(1)
    assert _admitted(rule, [0, 0]) == [True, False]
    rule.ended(1)
    assert _admitted(rule, [1, 1]) == [True, False]


@pytest.mark.parametrize("rule", [TokenBucket(1, 1), FixedWindow(1, 1), SlidingLog(1, 1)])
def test_only_concurrency_minds_the_end(rule):
    """Ending a request gives no budget back to the other rules."""
    assert rule.judge(0).admitted
    rule.ended(0)
    assert not rule.judge(0).admitted


def test_a_penalty_blocks_everything():
    """After a refusal nothing is admitted until the block is over, and asking does not prolong it."""
    rates = Rates(FixedWindow(1, 1), penalty=30, retry_after=True)
    assert rates.judge(0).admitted
    refused = rates.judge(0.5)
    assert not refused.admitted
    assert rates.headers(refused, 0)["retry-after"] == "30"
    assert [rates.judge(now).admitted for now in (2, 30, 30.5)] == [False, False, True]


@pytest.mark.parametrize(
    ("announce", "expected"),
    [
        (False, {}),
        (True, {"ratelimit-limit": "10", "ratelimit-remaining": "9", "ratelimit-reset": "60"}),
        ("fields", {"ratelimit-policy": '"default";q=10;w=60', "ratelimit": '"default";r=9;t=60'}),
        ("epoch", {"x-ratelimit-limit": "10", "x-ratelimit-remaining": "9", "x-ratelimit-reset": "1060"}),
    ],
)
def test_announcements_have_their_form(announce, expected):
    """What is announced is a switch."""
    rates = Rates.named("10/1m", "fixed-window", announce=announce)
    assert rates.headers(rates.judge(0), 1000.0) == expected


def test_retry_after_is_said_only_when_switched_on():
    """A refusal may be silent."""
    for switch in (True, False):
        rates = Rates.named("1/10s", "fixed-window", retry_after=switch)
        assert "retry-after" not in rates.headers(rates.judge(0), 0)
        assert ("retry-after" in rates.headers(rates.judge(1), 0)) is switch


def test_a_rate_that_cannot_be_read_is_refused():
    """The text has the form of the declared limits."""
    with pytest.raises(ConfigurationError):
        Rates.named("fast")
    with pytest.raises(KeyError):
        Rates.named("1/s", "no-rule")
