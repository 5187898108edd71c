"""Throttles of several processes over one budget, on virtual time: together they behave like one."""

from __future__ import annotations

import asyncio
import logging
import math
import threading

import pytest

from nimble_async._aio.budgets import Budgets
from nimble_async._aio.clock import SystemClock
from nimble_async._aio.throttle import Throttle
from nimble_async.config import RateLimit
from nimble_async.errors import DeadlineExceeded
from nimble_async.testing.clock import VirtualClock, run_virtual
from nimble_async.testing.rates import FixedWindow, TokenBucket
from tests.stores.budget_model import ModelBudget


class Fleet:
    """Processes that call one server: a throttle each, one budget, and what was sent when and by whom."""

    def __init__(self, processes, *, rate=None, server=None, latency=0.05, concurrency=8, trip=0.001):
        self.clock = VirtualClock(seed=3)
        self.budget = ModelBudget(self.clock, trip=trip)
        self.server, self.latency = server, latency
        self.sent = []
        self.refused = []
        self.throttles = [
            Throttle(self.clock, rate=rate, concurrency=concurrency, shared=self.budget, scope="account")
            for _ in range(processes)
        ]

    async def call(self, process, *, status=None, headers=None, **options):
        """Make one call, judged by the server unless its status is given."""
        async with self.throttles[process].slot(**options) as slot:
            now = self.clock.monotonic()
            self.sent.append((now, process))
            if status is None:
                verdict = None if self.server is None else self.server.judge(now + self.latency / 2)
                status = 200 if verdict is None or verdict.admitted else 429
            await asyncio.sleep(self.latency)
            if status == 429:
                self.refused.append((now, process))
            slot.answered(status, headers or {})

    async def work(self, process, until, **options):
        """Call one after another until then."""
        while self.clock.monotonic() < until:
            try:
                await self.call(process, deadline=until, **options)
            except DeadlineExceeded:
                return

    async def busy(self, until, *, workers=4, processes=None):
        """Let every process always have work."""
        chosen = range(len(self.throttles)) if processes is None else processes
        await asyncio.gather(*(self.work(number, until) for number in chosen for _ in range(workers)))

    def between(self, begin, end):
        """Return the sends of each process between two instants."""
        return [
            sum(begin <= at < end for at, process in self.sent if process == number)
            for number in range(len(self.throttles))
        ]

    def fullest(self, window=1.0):
        """Return the most sends of all processes in any window."""
        times = sorted(at for at, _ in self.sent)
        return max(sum(at <= other < at + window - 1e-6 for other in times) for at in times)


def jain(shares):
    return sum(shares) ** 2 / (len(shares) * sum(share * share for share in shares))


def test_processes_share_a_declared_limit_evenly_and_whole():
    """Four processes at 20/s for ten seconds: 98 % used, evenly, and never more than 20 in a second."""

    async def story():
        fleet = Fleet(4, rate=RateLimit(20.0))
        await fleet.busy(11.0)
        return fleet

    fleet = run_virtual(story())
    shares = fleet.between(1.0, 11.0)
    assert sum(shares) >= 0.98 * 200
    assert jain(shares) >= 0.99
    assert fleet.fullest() <= 20
    assert {throttle.statistics().members for throttle in fleet.throttles} == {4}


def test_one_process_alone_gets_all_of_it():
    """Nothing is kept for members that have nothing to send."""

    async def story():
        fleet = Fleet(4, rate=RateLimit(20.0))
        for number in range(4):
            await fleet.call(number)
        await fleet.busy(6.0, processes=[0])
        return fleet

    fleet = run_virtual(story())
    assert fleet.between(1.0, 6.0)[0] >= 0.98 * 100


def test_a_burst_is_one_burst_for_all():
    """A declared burst of five is spent once, not once in each process."""

    async def story():
        fleet = Fleet(4, rate=RateLimit(20.0, burst=5.0))
        await asyncio.gather(*(fleet.call(number) for number in range(4) for _ in range(5)))
        return fleet

    fleet = run_virtual(story())
    assert sum(at < 0.02 for at, _ in fleet.sent) == 5
    assert fleet.fullest() <= 20


def test_an_unknown_limit_is_found_together():
    """Four processes against a silent bucket of 10/s: the search is one, and so are its cuts."""

    async def story():
        fleet = Fleet(4, server=TokenBucket(10, 1.0, 20))
        await fleet.busy(360.0)
        return fleet

    fleet = run_virtual(story())
    admitted = sum(fleet.between(60, 360)) - sum(at >= 60 for at, _ in fleet.refused)
    assert admitted >= 0.9 * 3000
    assert len(fleet.refused) <= 0.015 * len(fleet.sent)
    assert jain(fleet.between(60, 360)) >= 0.99


def test_who_joins_later_begins_at_what_the_others_found():
    """A new process does not search anew: its first second is already at the pace that was found."""

    async def story():
        fleet = Fleet(2, server=TokenBucket(10, 1.0, 20))
        await fleet.busy(120.0, processes=[0])
        refused = len(fleet.refused)
        await fleet.busy(130.0, processes=[1])
        return fleet, len(fleet.refused) - refused

    fleet, refused = run_virtual(story())
    assert fleet.between(121, 130)[1] >= 80
    assert refused <= 1


def test_refusals_of_one_event_cut_once():
    """Eight calls in flight of four processes, all refused: the event number grows by one."""

    async def story():
        fleet = Fleet(4, rate=RateLimit(100.0), latency=1.0)
        await asyncio.gather(*(fleet.call(number % 4, status=200) for number in range(4)))
        event = fleet.budget.keeper.s["event"]
        await asyncio.gather(*(fleet.call(number % 4, status=429) for number in range(8)))
        await asyncio.sleep(0.1)
        return fleet, fleet.budget.keeper.s["event"] - event

    fleet, events = run_virtual(story())
    assert len(fleet.refused) == 8
    assert events == 1


@pytest.mark.parametrize("asked", [None, 3])
def test_a_closed_gate_holds_everybody_and_one_tries(asked):
    """After a refusal in one process no other sends; one canary goes first, then the rest."""

    async def story():
        fleet = Fleet(4, rate=RateLimit(20.0), latency=0.2)
        running = asyncio.create_task(fleet.busy(9.0))
        await asyncio.sleep(2.0)
        headers = {} if asked is None else {"retry-after": str(asked)}
        await fleet.call(0, status=429, headers=headers)
        closed = fleet.clock.monotonic() + fleet.budget.trip
        await running
        return fleet, closed

    fleet, closed = run_virtual(story())
    after = sorted(at for at, _ in fleet.sent if at > closed)
    assert after[0] >= closed + (asked or 0.1) - 0.01
    assert after[1] >= after[0] + 0.2
    assert len([at for at in after if at < after[0] + 1.4]) <= 24
    assert [throttle.statistics().gate for throttle in fleet.throttles] == [None] * 4


def test_a_canary_that_is_refused_keeps_the_gate_closed_for_all():
    """The second wait is longer than the first, and again one call tries."""

    async def story():
        fleet = Fleet(3, rate=RateLimit(20.0), latency=0.05)
        fleet.server = FixedWindow(0.5, 30.0)
        await fleet.budget.clock.sleep(1)
        tasks = [asyncio.create_task(fleet.work(number, 40.0)) for number in range(3)]
        await asyncio.wait(tasks)
        return fleet

    fleet = run_virtual(story())
    tries = [at for at, _ in fleet.refused]
    assert 3 <= len(tries) <= 10
    assert fleet.throttles[0].statistics().sharing == "shared"


def test_a_canary_that_is_cancelled_hands_its_role_to_another_process():
    """Its process says so, and the next that asks may try."""

    async def story():
        fleet = Fleet(2, rate=RateLimit(20.0), latency=20.0)
        await fleet.call(0, status=429)
        canary = asyncio.create_task(fleet.call(0, status=200))
        await asyncio.sleep(5)
        other = asyncio.create_task(fleet.call(1, status=200))
        await asyncio.sleep(3)
        assert len(fleet.sent) == 2
        canary.cancel()
        await asyncio.sleep(2)
        sent = list(fleet.sent)
        other.cancel()
        return sent

    assert [process for _, process in run_virtual(story())] == [0, 0, 1]


def test_a_503_that_asks_for_time_holds_every_process():
    """The server is the same for all; nothing is cut."""

    async def story():
        fleet = Fleet(2, rate=RateLimit(20.0))
        await fleet.call(1, status=200)
        event = fleet.budget.keeper.s["event"]
        await fleet.call(0, status=503, headers={"retry-after": "4"})
        closed = fleet.clock.monotonic()
        await asyncio.sleep(0.1)
        await fleet.call(1, status=200)
        return fleet.sent[-1][0] - closed, fleet.budget.keeper.s["event"] - event

    waited, events = run_virtual(story())
    assert 4.0 <= waited <= 6.0
    assert events == 0


def test_what_headers_announce_to_one_holds_for_all():
    """A process that sees the quota nearly used up slows the others down."""

    async def story():
        fleet = Fleet(2)
        headers = {"ratelimit-limit": "600", "ratelimit-remaining": "66", "ratelimit-reset": "30"}
        await fleet.call(0, status=200, headers=headers)
        await fleet.call(0, status=200, headers=headers)
        await fleet.call(1, status=200)
        return fleet

    fleet = run_virtual(story())
    assert fleet.throttles[1].statistics().rate == pytest.approx(2.0, rel=0.1)


def test_without_the_keeper_each_process_keeps_its_share():
    """Lost in the middle: together never over the rate, most of it used; shared again when it is back."""

    async def story():
        fleet = Fleet(4, rate=RateLimit(20.0))
        running = asyncio.create_task(fleet.busy(30.0))
        await asyncio.sleep(10)
        fleet.budget.gone = True
        await asyncio.sleep(10)
        alone = [throttle.statistics() for throttle in fleet.throttles]
        shown = repr(fleet.throttles[0])
        fleet.budget.gone = False
        await running
        return fleet, alone, shown

    fleet, alone, shown = run_virtual(story())
    assert {one.sharing for one in alone} == {"own share"}
    assert all(one.rate == pytest.approx(5.0, rel=0.05) for one in alone)
    assert "own share of 4" in shown
    assert fleet.fullest() <= 21
    assert sum(fleet.between(12, 20)) >= 0.93 * 160
    assert sum(fleet.between(24, 30)) >= 0.97 * 120
    assert {throttle.statistics().sharing for throttle in fleet.throttles} == {"shared"}


def test_a_keeper_that_forgot_everything_begins_anew_for_all_at_once():
    """Restarted empty, it waits until every process has heard of it: no second holds more than the rate."""

    async def story():
        fleet = Fleet(4, rate=RateLimit(20.0))
        running = asyncio.create_task(fleet.busy(20.0))
        await asyncio.sleep(5)
        fleet.budget.gone = True
        fleet.budget.keeper.forget()
        await asyncio.sleep(3)
        fleet.budget.gone = False
        await running
        return fleet

    fleet = run_virtual(story())
    assert fleet.fullest() <= 21
    assert sum(fleet.between(14, 20)) >= 0.97 * 120


def test_data_that_is_lost_without_a_pause_costs_no_more_than_what_was_granted():
    """FLUSHALL under full load: the queue begins anew, and what the search had found is told again."""

    async def story():
        fleet = Fleet(4, server=TokenBucket(10, 1.0, 20))
        running = asyncio.create_task(fleet.busy(140.0))
        await asyncio.sleep(120)
        before = fleet.throttles[0].statistics().rate
        fleet.budget.keeper.forget()
        await running
        return fleet, before

    fleet, before = run_virtual(story())
    assert fleet.throttles[0].statistics().rate == pytest.approx(before, rel=0.1)
    assert sum(fleet.between(125, 140)) <= 1.1 * 150


def test_a_process_that_never_reached_the_keeper_presumes_others():
    """At the start nobody knows how many there are: a sixteenth, as the budget presumes."""

    async def story():
        fleet = Fleet(1, rate=RateLimit(32.0))
        fleet.budget.gone = True
        await fleet.busy(11.0)
        return fleet

    fleet = run_virtual(story())
    assert fleet.throttles[0].statistics().members == 16
    assert 0.85 * 20 <= sum(fleet.between(1, 11)) <= 21


def test_a_gate_that_was_closed_stays_closed_when_the_keeper_is_lost():
    """What was heard last holds on: nobody sends before the wait is over."""

    async def story():
        fleet = Fleet(2, rate=RateLimit(20.0))
        await fleet.call(1, status=200)
        await fleet.call(0, status=429, headers={"retry-after": "10"})
        waiting = [asyncio.create_task(fleet.call(number, status=200)) for number in (0, 1)]
        await asyncio.sleep(1)
        fleet.budget.gone = True
        await asyncio.wait(waiting)
        return fleet

    fleet = run_virtual(story())
    assert min(at for at, _ in fleet.sent[2:]) >= 10.0


def test_a_refusal_while_alone_closes_the_own_gate():
    """Alone a process obeys as it would without a budget, and brings the wait along when it comes back."""

    async def story():
        fleet = Fleet(1, rate=RateLimit(20.0))
        fleet.budget.gone = True
        await fleet.call(0, status=429, headers={"retry-after": "5"})
        fleet.budget.gone = False
        await fleet.call(0, status=200)
        return fleet

    fleet = run_virtual(story())
    assert fleet.sent[1][0] - fleet.sent[0][0] >= 5.0


def test_lanes_hold_inside_a_process():
    """Interactive goes first, and bulk gets each fifth slot."""

    async def story():
        fleet = Fleet(1, rate=RateLimit(10.0), latency=0.01)
        bulk = [asyncio.create_task(fleet.call(0, lane="bulk")) for _ in range(20)]
        await asyncio.sleep(0.35)
        began = len(fleet.sent)
        await asyncio.gather(*(fleet.call(0) for _ in range(8)))
        ended = len(fleet.sent)
        await asyncio.wait(bulk)
        return ended - began

    assert run_virtual(story()) <= 8 + 3


def test_slots_of_cancelled_callers_go_back_to_the_queue():
    """Nobody else asked in between, so the next caller of another process need not wait for them."""

    async def story():
        fleet = Fleet(2, rate=RateLimit(1.0))
        await fleet.call(0)
        await fleet.call(1)
        waiting = asyncio.create_task(fleet.call(0))
        await asyncio.sleep(0.2)
        waiting.cancel()
        await asyncio.sleep(0.1)
        began = fleet.clock.monotonic()
        await fleet.call(1)
        return fleet.sent[-1][0], began, fleet.fullest()

    sent, began, fullest = run_virtual(story())
    assert sent - began <= 1.02
    assert fullest <= 1


def test_a_slot_that_nobody_wants_in_time_is_not_used_late():
    """A process that stood still does not send what it missed."""

    async def story():
        fleet = Fleet(1, rate=RateLimit(20.0), concurrency=1, latency=0.5)
        await fleet.busy(10.0, workers=3)
        return fleet

    fleet = run_virtual(story())
    assert fleet.fullest() <= 3
    assert sum(fleet.between(0, 10)) >= 17


def test_a_caller_that_cannot_be_served_in_time_hears_so_at_once():
    """The shared queue is as long as it is: a deadline inside it is refused without a send."""

    async def story():
        fleet = Fleet(1, rate=RateLimit(0.1))
        await fleet.call(0)
        first = asyncio.create_task(fleet.call(0))
        await asyncio.sleep(0.1)
        with pytest.raises(DeadlineExceeded):
            await fleet.call(0, deadline=fleet.clock.monotonic() + 5)
        sent = len(fleet.sent)
        first.cancel()
        return sent

    assert run_virtual(story()) == 1


def test_one_message_goes_out_for_each_send():
    """Reserve and sleep: nobody polls, and looking at the gate again is the next reservation."""

    async def story():
        fleet = Fleet(4, rate=RateLimit(20.0))
        await fleet.busy(20.0)
        return fleet

    fleet = run_virtual(story())
    assert len(fleet.budget.asks) <= 1.15 * len(fleet.sent) + 10


def test_a_fast_budget_is_reserved_in_batches():
    """At 2,000 a second several slots come with each message."""

    async def story():
        fleet = Fleet(1, rate=RateLimit(2000.0), latency=0.004, concurrency=32, trip=0.002)
        await fleet.busy(2.0, workers=40)
        return fleet

    fleet = run_virtual(story())
    assert sum(fleet.between(0.5, 2.0)) >= 0.9 * 3000
    assert len(fleet.budget.asks) <= 0.5 * len(fleet.sent)


def test_no_limit_is_no_brake():
    """`unlimited` in every process: only the places in flight hold calls back."""

    async def story():
        fleet = Fleet(2, rate=RateLimit(math.inf), latency=0.01)
        await fleet.busy(1.0, workers=8)
        return fleet

    fleet = run_virtual(story())
    assert sum(fleet.between(0, 1)) >= 0.5 * 2 * 8 / 0.013


def test_a_slow_keeper_makes_sends_no_later_than_their_slots():
    """A Redis far away (60 ms) is asked in time: the rate is used all the same."""

    async def story():
        fleet = Fleet(4, rate=RateLimit(20.0), trip=0.06)
        await fleet.busy(12.0)
        return fleet

    fleet = run_virtual(story())
    assert sum(fleet.between(2, 12)) >= 0.95 * 200
    assert fleet.fullest() <= 21


def test_trouble_is_told_once_and_its_end_too(caplog):
    """One warning when the keeper is lost, however often it is tried; one line when it is back."""

    async def story():
        fleet = Fleet(2, rate=RateLimit(20.0))
        fleet.budget.gone = True
        await fleet.busy(6.0, processes=[0])
        fleet.budget.gone = False
        await fleet.busy(9.0, processes=[0])

    with caplog.at_level(logging.INFO, "nimble_async"):
        run_virtual(story())
    told = [record.levelname for record in caplog.records if record.name == "nimble_async"]
    assert told == ["WARNING", "INFO"]


def test_a_budget_that_breaks_in_an_unexpected_way_is_a_lost_one():
    """An own budget with a bug does not hang its callers."""

    class Broken(ModelBudget):
        async def exchange(self, scope, ask):
            raise ZeroDivisionError

    async def story():
        clock = VirtualClock()
        throttle = Throttle(clock, rate=RateLimit(32.0), shared=Broken(clock), scope="x")
        async with throttle.slot() as slot:
            slot.answered(200, {})
        return throttle.statistics().sharing

    assert run_virtual(story()) == "own share"


def test_an_idle_process_is_counted_and_one_that_left_is_not():
    """A timer says that it is still there; `aclose` says that it is not."""

    async def story():
        fleet = Fleet(2, rate=RateLimit(20.0))
        await fleet.call(0)
        await fleet.call(1)
        await asyncio.sleep(300)
        await fleet.call(1)
        idle = fleet.throttles[1].statistics().members
        await fleet.throttles[0].aclose()
        await asyncio.sleep(100)
        await fleet.call(1)
        left = fleet.throttles[1].statistics().members
        await fleet.call(0)
        await fleet.throttles[0].aclose()
        await fleet.throttles[0].aclose()
        return idle, left

    assert run_virtual(story()) == (2, 1)


def test_closing_while_calls_wait_leaves_the_budget_alone():
    """Another client of the process still uses it: its callers are served."""

    async def story():
        fleet = Fleet(1, rate=RateLimit(2.0))
        waiting = [asyncio.create_task(fleet.call(0)) for _ in range(3)]
        await asyncio.sleep(0.1)
        await fleet.throttles[0].aclose()
        await asyncio.wait(waiting)
        return len(fleet.sent)

    assert run_virtual(story()) == 3


def test_one_budget_of_a_process_is_one_member():
    """Clients of one process and one place share a throttle; without a place they do not share with those."""

    async def story():
        clock = VirtualClock()
        budgets, place = Budgets(), ModelBudget(clock)
        one, two, alone = (
            budgets.throttle(("url", "key"), clock=clock, shared=shared) for shared in (place, place, None)
        )
        return one is two, one is alone, alone.statistics().sharing

    assert run_virtual(story()) == (True, False, None)


def test_a_loop_that_ends_leaves_nothing_and_another_goes_on():
    """Waiters of a loop that ends do not hold up those of another thread's loop, nor warn."""
    clock = SystemClock()
    budget = ModelBudget(clock, trip=0.02)
    throttle = Throttle(clock, rate=RateLimit(20.0), shared=budget, scope="x")

    async def call():
        async with throttle.slot() as slot:
            slot.answered(200, {})

    async def leave():
        tasks = [asyncio.create_task(call()) for _ in range(10)]
        await asyncio.sleep(0.03)
        return len(tasks)

    async def stay():
        await asyncio.gather(*(call() for _ in range(15)))

    other = threading.Thread(target=lambda: asyncio.run(stay(), debug=True))
    other.start()
    for _ in range(3):
        assert asyncio.run(leave(), debug=True) == 10
    other.join(15)
    assert not other.is_alive()
    asyncio.run(call(), debug=True)
    assert throttle.statistics().in_flight == 0


def test_places_that_a_loop_leaves_at_its_end_go_to_another():
    """All places were taken by calls of a loop that ends: whoever waits on another loop is served."""
    throttle = Throttle(
        SystemClock(), rate=RateLimit(20.0), concurrency=1, shared=ModelBudget(SystemClock()), scope="x"
    )

    async def call():
        async with throttle.slot() as slot:
            slot.answered(200, {})

    async def hold():
        async with throttle.slot():
            await asyncio.sleep(60)

    async def leave(other):
        holding = asyncio.create_task(hold())
        while not throttle.statistics().in_flight:
            await asyncio.sleep(0.005)
        other.start()
        while not throttle.statistics().interactive:
            await asyncio.sleep(0.005)
        assert not holding.done()

    other = threading.Thread(target=lambda: asyncio.run(call()), daemon=True)
    asyncio.run(leave(other))
    other.join(10)
    assert not other.is_alive()
    assert throttle.statistics().in_flight == 0


@pytest.mark.parametrize("closes", [True, False])
def test_a_message_that_its_loop_never_began_is_sent_by_another(closes):
    """It was given to a loop that ended, or stopped for good, before its first step."""
    budget = ModelBudget(SystemClock())
    throttle = Throttle(SystemClock(), rate=RateLimit(20.0), concurrency=2, shared=budget, scope="x")

    async def call():
        async with throttle.slot() as slot:
            slot.answered(200, {})

    def end(loop):
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0.01))
        loop.close()

    first = asyncio.new_event_loop()
    waiting = first.create_task(call())
    # It has looked when the loop stops, and its message is not on its way.
    first.call_soon(first.stop)
    first.run_forever()
    assert budget.asks == []
    if closes:
        end(first)
    asyncio.run(asyncio.wait_for(call(), 30))
    assert len(budget.asks) >= 1
    if not closes:
        end(first)
    assert waiting.done()
    assert throttle.statistics().in_flight == 0
