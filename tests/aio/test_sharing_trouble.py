"""Processes over one budget whose keeper forgets, or whose clock is set, on virtual time."""

from __future__ import annotations

import asyncio

import pytest

from nimble_async._aio.throttle import Terms
from nimble_async._sansio.sharing import shared_pace
from nimble_async.config import RateLimit
from nimble_async.testing.clock import run_virtual
from tests.aio.test_sharing import Fleet


async def disturbed(fleet, disturb, *, at, until=8.0, workers=6):
    """Let every process always have work, and let something happen meanwhile."""
    running = asyncio.create_task(fleet.busy(until, workers=workers))
    await asyncio.sleep(at)
    disturb(fleet)
    await running
    return fleet


def forget(fleet):
    """FLUSHALL."""
    fleet.budget.keeper.forget()


@pytest.mark.parametrize(
    ("processes", "limit", "most"),
    [
        (1, RateLimit(20.0), 20),
        (4, RateLimit(20.0), 20),
        (2, RateLimit(500.0), 496),
        (1, RateLimit(1.0), 1),
        (2, RateLimit(20.0, burst=5.0), 20),
    ],
)
@pytest.mark.parametrize("at", [2.97, 3.004, 3.03, 3.049])
def test_a_keeper_that_forgets_grants_nothing_twice(processes, limit, most, at):
    """What was granted before is used up, and its windows are kept, before the queue begins anew."""

    async def story():
        return await disturbed(Fleet(processes, rate=limit, latency=0.01), forget, at=at)

    fleet = run_virtual(story())
    assert fleet.fullest() <= most
    assert sum(fleet.between(5.5, 8.0)) >= 2.5e6 / shared_pace(limit)[0] - 2


@pytest.mark.parametrize("seconds", [-3600.0, -100.0, -1.0, -0.2, 0.2, 100.0, 3600.0])
@pytest.mark.parametrize("processes", [1, 4])
def test_a_clock_that_is_set_stops_nobody(processes, seconds):
    """Slots that were granted by the old time mean other instants by the new one."""

    def set_clock(fleet):
        fleet.clock.epoch += seconds

    async def story():
        return await disturbed(Fleet(processes, rate=RateLimit(20.0), latency=0.01), set_clock, at=3.02)

    fleet = run_virtual(story())
    shares = fleet.between(3.5, 8.0)
    assert sum(shares) >= 0.97 * 4.5 * 20 - 1
    assert min(shares) >= 0.8 * max(shares)
    assert fleet.fullest() <= 21


def test_a_clock_that_is_set_forward_opens_no_gate_early():
    """Who heard how long to wait waits so long by its own clock, also after a sign of life (20 s)."""

    async def story():
        fleet = Fleet(2, rate=RateLimit(20.0))
        await fleet.call(1, status=200)
        await fleet.call(0, status=429, headers={"retry-after": "60"})
        closed = fleet.clock.monotonic()
        waiting = [asyncio.create_task(fleet.call(0, status=200)) for _ in range(2)]
        await asyncio.sleep(1)
        fleet.clock.epoch += 3600
        await asyncio.wait(waiting)
        return min(at for at, _ in fleet.sent[2:]) - closed

    assert run_virtual(story()) >= 60.0


@pytest.mark.parametrize("processes", [1, 2])
def test_a_keeper_that_forgets_opens_no_gate(processes):
    """Who heard how long to wait tells it again."""

    async def story():
        fleet = Fleet(processes, rate=RateLimit(20.0))
        for number in range(processes):
            await fleet.call(number, status=200)
        await fleet.call(0, status=429, headers={"retry-after": "60"})
        closed, sent = fleet.clock.monotonic(), len(fleet.sent)
        waiting = [asyncio.create_task(fleet.call(number, status=200)) for number in range(processes)]
        await asyncio.sleep(1)
        fleet.budget.keeper.forget()
        await asyncio.wait(waiting)
        return min(at for at, _ in fleet.sent[sent:]) - closed

    assert run_virtual(story()) >= 60.0


def test_a_declared_limit_goes_with_the_last_process_that_declared_it():
    """Half a minute after it left, those who know no limit search on, and so does a laxer declaration."""

    async def story():
        fleet = Fleet(2, latency=0.01)
        await fleet.busy(2.0, processes=[0])
        terms = Terms(RateLimit(5.0))
        fleet.throttles[1].join(terms)
        await fleet.call(1)
        await fleet.call(0)
        declared = fleet.throttles[0].statistics().rate
        await fleet.throttles[1].aclose()
        await fleet.busy(50.0, processes=[0])
        return declared, fleet.throttles[0].statistics().rate

    declared, found = run_virtual(story())
    assert declared <= 5.0
    assert found > 10.0


@pytest.mark.parametrize("forgets", [False, True])
def test_who_did_not_notice_that_the_keeper_was_gone_does_not_come_on_top(forgets):
    """Idle meanwhile, four begin when it is back: the twelve that are still alone keep most of the rate."""

    async def story():
        fleet = Fleet(16, rate=RateLimit(50.0), latency=0.02)
        for number in range(16):
            await fleet.call(number)
        running = asyncio.create_task(fleet.busy(14.0, processes=range(12)))
        await asyncio.sleep(5.0)
        fleet.budget.gone = True
        if forgets:
            fleet.budget.keeper.forget()
        await asyncio.sleep(1.0)
        fleet.budget.gone = False
        await asyncio.gather(running, fleet.busy(14.0, processes=range(12, 16)))
        return fleet

    fleet = run_virtual(story())
    assert fleet.fullest() <= 51 + 5
    assert sum(fleet.between(10.0, 14.0)) >= 0.95 * 200
    assert {throttle.statistics().sharing for throttle in fleet.throttles} == {"shared"}


def test_who_was_alone_and_idle_looks_before_it_calls():
    """The keeper has long been back: the first call waits for its answer and is one of the shared ones."""

    async def story():
        fleet = Fleet(2, rate=RateLimit(20.0), latency=0.01)
        await fleet.call(0)
        await fleet.call(1)
        fleet.budget.gone = True
        await fleet.call(1)
        alone = fleet.throttles[1].statistics().sharing
        await asyncio.sleep(5.0)
        fleet.budget.gone = False
        await fleet.busy(10.0, processes=[0])
        tickets = len(fleet.budget.granted)
        await fleet.call(1)
        return alone, len(fleet.budget.granted) - tickets

    assert run_virtual(story()) == ("own share", 1)
