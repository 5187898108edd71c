"""Five experiments that other clients fail, over real HTTP; `benchmarks/experiments.py` prints the table."""

from __future__ import annotations

import pytest

from benchmarks.experiments import CALLS, RULES, cancelled_leader, churn, stampede, storms, two_runs


async def test_sixty_calls_at_once_are_all_answered_with_hardly_a_refusal():
    """Declared: none refused by a token bucket, 2 % by a fixed window; unknown: 3 %, and twice the time."""
    found = {(one.rule, one.declared): one for one in await storms()}
    assert {one.answered for one in found.values()} == {CALLS}
    assert max(one.connections for one in found.values()) <= 8
    assert found["token-bucket", True].refused == 0
    assert found["fixed-window", True].share <= 0.02
    for rule in RULES:
        assert found[rule, False].share <= 0.03
        assert found[rule, False].seconds <= 2 * found[rule, True].seconds


async def test_a_renewal_survives_the_caller_that_began_it():
    """Two wait for one token request and the first is cancelled: one request, and the second is answered."""
    assert await cancelled_leader() == (1, True)


@pytest.mark.parametrize("calls", [2, 100])
async def test_first_calls_at_once_share_one_renewal(calls):
    """However many find the token spent, one token request is sent and all are answered."""
    assert await stampede(calls) == (1, calls)


def test_one_client_works_in_two_runs():
    """The second `asyncio.run` sees the same user, and nothing stays open."""
    assert two_runs() == (True, 0)


async def test_calls_in_a_row_use_one_connection():
    """Twenty calls, one connection."""
    assert await churn() == 1
