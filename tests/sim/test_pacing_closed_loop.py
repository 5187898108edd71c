"""A seeded share of the closed-loop simulation; `benchmarks/simulate_pacing.py` prints the whole table."""

from __future__ import annotations

from statistics import mean

import pytest

from benchmarks.pacing_promises import obedience, outage, skewed, windows
from benchmarks.simulate_pacing import (
    RULES,
    Client,
    FixedWindow,
    Penal,
    Punishing,
    TokenBucket,
    jain,
    run_rule,
    simulate,
    sixty,
)
from nimble_async._sansio.pacing import Pacer
from nimble_async.config import RateLimit

HOUR = 3600.0


@pytest.mark.parametrize("rule", RULES, ids=[rule.name for rule in RULES])
def test_an_unknown_limit_is_found_and_held(rule):
    """Each rule of the table reaches its use and stays under its share of refusals, on average."""
    runs = [run_rule(rule, seed) for seed in range(3)]
    assert mean(run.admitted for run in runs) >= rule.use * rule.allowed * rule.hours * HOUR
    assert mean(run.refusal_share for run in runs) <= rule.refusals
    assert min(jain(run.shares) for run in runs) >= 0.9


@pytest.mark.parametrize(
    ("server", "use"), [(Penal(600, 60, 17), 0.85), (Punishing(10, 20, 60), 0.6)], ids=["window", "bucket"]
)
def test_a_limit_that_punishes_is_found_from_far_below(server, use):
    """A refusal that stops everything for a minute is worth avoiding, but no reason to crawl for ever."""
    run = simulate(server, [Client(Pacer())], seed=1, until=3 * HOUR, retry_after=True)
    assert run.admitted >= use * 10 * 3 * HOUR
    assert run.refused <= 3 * 15


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("latency", [0.0, 0.02])
@pytest.mark.parametrize("name", ["fixed window 10/1 s", "token bucket 10/s, burst 10"])
def test_sixty_calls_at_once_end_soon_and_with_hardly_a_refusal(name, latency, seed):
    """Against an unknown 10/s: all answered, in twice the declared run's time at most, one or two refused."""
    declared = sixty(name, seed, declared=True, latency=latency)
    unknown = sixty(name, seed, declared=False, latency=latency)
    assert (declared.admitted, declared.refused) == (60, 0)
    assert unknown.admitted == 60
    assert unknown.ended <= 2 * declared.ended
    assert unknown.refused <= 2  # 3 % of 62


@pytest.mark.parametrize("seed", range(5))
def test_a_short_job_uses_most_of_the_limit(seed):
    """Between second 20 and 90 of a silent bucket of 10/s with burst 20: at least 80 % used, few refusals."""
    run = simulate(TokenBucket(10, 20), [Client(Pacer())], seed=seed, until=90)
    assert sum(at >= 20 for at in run.answers) >= 0.8 * 700
    assert run.refusal_share <= 0.015


@pytest.mark.parametrize("server", [TokenBucket(10, 10), FixedWindow(600, 60, 17)])
def test_a_declared_limit_is_used_and_never_refused(server):
    """At least 97 % used, no refusal, and no window of sends over the limit."""
    run = simulate(server, [Client(Pacer(RateLimit(10.0)))], seed=1)
    assert run.admitted >= 0.97 * 10 * HOUR
    assert run.refused == 0
    sent = run.sent[0]
    assert all(later - first >= 1.0 - 1e-9 for first, later in zip(sent, sent[10:], strict=False))


def test_an_announced_limit_is_used_and_hardly_refused():
    """At least 97 % used and one refusal in ten thousand, alone and beside a rival."""
    alone = simulate(FixedWindow(600, 60, 17), [Client(Pacer())], seed=1, announce=True)
    assert alone.admitted >= 0.97 * 10 * HOUR
    assert alone.refusal_share <= 0.0001
    beside = simulate(FixedWindow(600, 60, 17), [Client(Pacer())], seed=1, announce=True, rival=3.0)
    assert beside.admitted >= 0.97 * 7 * HOUR
    assert beside.refusal_share <= 0.0005


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "announced"])
def test_windows_of_a_second_are_used_up_in_spite_of_jitter(declared):
    """Told 10/1s by fixed windows, 200 ms of wire: 97 % used, 2 % refused at most, fewer after the first."""
    for seed in range(3):
        client = Client(Pacer(RateLimit(10.0) if declared else None))
        run = simulate(FixedWindow(10, 1, seed / 3), [client], seed=seed, announce=not declared)
        assert run.admitted >= 0.97 * 10 * HOUR
        assert run.refusal_share <= 0.005
        first = sum(at < HOUR / 2 for at in run.refusals)
        assert len(run.refusals) - first <= 40


def test_no_window_of_a_declared_limit_is_broken_after_refusals_either():
    """Counted when sent, at every alignment, also where refusals moved the calls of a window together."""
    counted, over, refused = windows(range(2))
    assert counted > 100_000
    assert over == 0
    assert refused > 0


@pytest.mark.parametrize("skew", [-30.0, 30.0])
def test_a_wrong_clock_changes_nothing(skew):
    """Absolute resets are corrected by the server's own Date."""
    use, refused = skewed(skew, seconds=300.0)
    assert use >= 0.97
    assert refused <= 0.0001


def test_waits_are_obeyed_and_one_canary_tries():
    """Nothing is sent before the server's wait is over, and then one call."""
    waits, early, canaries = obedience(run_rule(RULES[3], 5))
    assert waits > 20
    assert (early, canaries) == (0, 1)


def test_ten_minutes_of_503_are_not_answered_by_a_storm():
    """Attempts at most 1.1 times the calls and one a second and five; five for one; full speed afterwards."""
    calls, attempts, most, after = outage()
    assert attempts <= 1.1 * calls + 600 + 5
    assert most <= 5
    assert after >= 0.97


def test_the_same_seed_gives_the_same_run():
    """A failure can be replayed."""
    first, second = (simulate(TokenBucket(10, 20), [Client(Pacer())], seed=7, until=300) for _ in range(2))
    assert first.sent == second.sent
