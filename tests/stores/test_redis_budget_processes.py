"""Processes over one real Redis: a share of what `benchmarks/shared_budget.py` measures, as ratios."""

from __future__ import annotations

import pytest

from benchmarks.shared_budget import gate, lost, real_clients, steady
from nimble_async.config import RateLimit

LIMIT = RateLimit(40.0)
PROCESSES = 4


@pytest.mark.timeout(60)
def test_the_rate_is_used_evenly_and_never_exceeded(own_redis):
    """Four processes that always have work: most of the rate, even shares, no window over it."""
    found = steady(PROCESSES, LIMIT, 5.0, own_redis)
    assert found.slots <= 40
    assert found.sends <= found.allowed + 1
    # A busy machine may write a send down late, and oversleep slots, which are then lost.
    assert found.use >= 0.8
    assert found.jain >= 0.98


@pytest.mark.timeout(60)
def test_nobody_sends_behind_a_closed_gate(own_redis):
    """One process is refused and told to wait three seconds: at most one send a process slips through."""
    leaked, refused, after = gate(PROCESSES, LIMIT, own_redis)
    assert refused == 1
    assert leaked <= PROCESSES
    assert after >= 3.0


@pytest.mark.timeout(60)
def test_no_window_is_over_the_rate_when_redis_dies_and_comes_back(own_redis):
    """Each process goes on with its share, and all share again at the end."""
    found = lost(PROCESSES, LIMIT, 15.0, own_redis)
    assert found["own"] == PROCESSES
    assert found["shared again"] == PROCESSES
    assert found["fullest"] <= found["allowed"] + 1
    assert found["use"]["away"] >= 0.7


@pytest.mark.timeout(60)
def test_real_clients_of_several_processes_are_never_refused(own_redis):
    """Four clients against an account that allows 10/s: all answered, no 429, most of the limit used."""
    answered, refused, use = real_clients(4, 6.0, own_redis)
    assert refused == 0
    assert answered >= 40
    assert use >= 0.85
