"""Processes that share a store renew once together, and none of them can lose the login by dying."""

from __future__ import annotations

from secrets import token_hex

import pytest

from tests.aio.renewing import FILE_LABELS, PROTOCOL_LABELS, run_kills, run_race


@pytest.fixture(params=["file", "redis"])
def places(request, tmp_path):
    """Return a function that gives the n-th place of a kind of store."""
    if request.param == "file":
        return lambda number=0: {"file": str(tmp_path / f"tokens{number}")}
    url, word = request.getfixturevalue("redis_url"), token_hex(4)
    return lambda number=0: {"redis": url, "key": f"{word}-{number}", "lease": 1.0}


async def test_processes_send_one_request_for_each_expiry(places, tmp_path):
    """Four processes, five ends of a rotating single-use token: five requests, none of them refused."""
    counted = await run_race(places(), tmp_path, processes=4, expiries=5)
    assert (counted["requests"], counted["refused"], counted["generation"]) == (5, 0, 6)
    assert counted["different_tokens_of_one_generation"] == 0
    assert counted["least_seen"] >= 3
    assert counted["alive"]
    assert counted["failed"] == 0
    assert len(counted["windows"]) == 5


async def test_processes_that_refuse_every_token_send_one_request_for_each(places, tmp_path):
    """Four processes that all refuse each token as soon as it is there: one request for each of forty."""
    counted = await run_race(places(), tmp_path, processes=4, expiries=40, refusing=True)
    assert (counted["requests"], counted["refused"], counted["generation"]) == (40, 0, 41)
    assert counted["different_tokens_of_one_generation"] == 0
    assert counted["failed"] == 0


async def test_loser_never_deletes_the_winners_token(places, tmp_path):
    """Where the lock keeps nobody out, those who get `invalid_grant` leave the winner's pair in the store."""
    counted = await run_race(places(), tmp_path, processes=4, expiries=25, refusing=True, locks=False)
    assert counted["refused"] >= 10
    assert (counted["deleted"], counted["lost"]) == (0, 0)
    assert (counted["generation"], counted["state"], counted["alive"]) == (26, "idle", True)


async def test_killed_at_any_step_the_login_lives_on(places):
    """SIGKILL at each step: nothing torn, no lock left for long, no login lost with five seconds' grace."""
    labels = PROTOCOL_LABELS + (FILE_LABELS if "file" in places() else PROTOCOL_LABELS)
    counted = await run_kills([places(number) for number in range(len(labels))], labels)
    assert counted["kills"] == len(labels)
    assert counted["late"] <= 2
    assert (counted["torn"], counted["lost"]) == (0, 0), counted
