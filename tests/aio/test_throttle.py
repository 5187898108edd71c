"""The throttle on virtual time: places, lanes, deadlines, cancellation, several loops."""

from __future__ import annotations

import asyncio
import gc
import math
import threading

import pytest

from nimble_async._aio.budgets import PROCESS, Budgets
from nimble_async._aio.clock import SystemClock
from nimble_async._aio.throttle import Terms, Throttle
from nimble_async._sansio.ratesearch import Mode
from nimble_async.config import RateLimit, RetryPolicy
from nimble_async.errors import DeadlineExceeded
from nimble_async.testing.clock import VirtualClock, run_virtual

FREE = RateLimit(math.inf)


class Wire:
    """A throttle, its clock, and what was sent through it."""

    def __init__(self, *, rate=FREE, concurrency=8, latency=0.1):
        self.clock = VirtualClock(seed=1)
        self.throttle = Throttle(self.clock, rate=rate, concurrency=concurrency)
        self.latency = latency
        self.sent = []
        self.flying = self.peak = 0

    async def call(self, name="", *, lane="interactive", deadline=None, status=200, headers=None):
        """Make one call and return its slot."""
        async with self.throttle.slot(lane=lane, deadline=deadline) as slot:
            self.sent.append((round(self.clock.monotonic(), 3), name))
            self.flying += 1
            self.peak = max(self.peak, self.flying)
            try:
                await asyncio.sleep(self.latency)
            finally:
                self.flying -= 1
            slot.answered(status, headers or {})
        return slot

    @property
    def names(self):
        """What was sent, in order."""
        return [name for _, name in self.sent]

    @property
    def idle(self):
        """Whether nothing is under way and nobody waits."""
        now = self.throttle.statistics()
        return (now.in_flight, now.interactive, now.bulk) == (0, 0, 0)


def test_never_more_in_flight_than_configured():
    """Fifty calls at once over eight places: eight at the peak, in order, and all places come back."""

    async def story():
        wire = Wire()
        await asyncio.gather(*(wire.call(number) for number in range(50)))
        return wire

    wire = run_virtual(story())
    assert wire.peak == 8
    assert wire.names == list(range(50))
    assert wire.idle


def test_the_wait_is_told_apart_into_queue_and_pace():
    """A full house is queued, a slow pace is throttled, a free call waits for neither."""

    async def story():
        full, slow = Wire(concurrency=1, latency=1.0), Wire(rate=RateLimit(1.0))
        first, second = await asyncio.gather(full.call(), full.call())
        paced = await asyncio.gather(slow.call(), slow.call())
        return first, second, paced[1]

    first, second, paced = run_virtual(story())
    assert (first.waited, second.queued, second.throttled) == (0.0, pytest.approx(1.0), pytest.approx(0.0))
    assert paced.queued == 0.0
    assert paced.throttled == pytest.approx(1 / 0.98)


def test_a_declared_limit_is_kept_by_real_waiters():
    """Sixty calls at once at 10/s: no window of a second holds more than ten sends."""

    async def story():
        wire = Wire(rate=RateLimit(10.0), latency=0.01)
        await asyncio.gather(*(wire.call() for _ in range(60)))
        return [at for at, _ in wire.sent]

    times = run_virtual(story())
    assert len(times) == 60
    assert all(later - first >= 0.999 for first, later in zip(times, times[10:], strict=False))
    assert times[-1] < 6.5


@pytest.mark.parametrize("asked", [None, 5])
def test_one_refusal_lets_one_canary_through(asked):
    """While the gate is closed nobody sends; then one, and the others after its success."""

    async def story():
        wire = Wire()
        headers = {} if asked is None else {"retry-after": str(asked)}
        await asyncio.gather(*(wire.call("refused", status=429, headers=headers) for _ in range(4)))
        await asyncio.gather(*(wire.call(number) for number in range(5)))
        return wire

    wire = run_virtual(story())
    times = [at for at, name in wire.sent if name != "refused"]
    assert times[0] >= 0.1 + (asked or 0.5)
    assert times[1] >= times[0] + 0.1
    assert wire.throttle.statistics().refused == 4
    assert wire.throttle.statistics().gate is None


def test_a_cancelled_canary_hands_its_role_on():
    """The next waiter becomes the canary, at once."""

    async def story():
        wire = Wire(latency=10.0)
        await wire.call(status=429)
        canary = asyncio.create_task(wire.call("canary"))
        other = asyncio.create_task(wire.call("other"))
        await asyncio.sleep(5)
        assert wire.names[1:] == ["canary"]
        canary.cancel()
        await asyncio.sleep(0.001)
        assert wire.names[1:] == ["canary", "other"]
        await other
        return wire

    assert run_virtual(story()).idle


def test_a_canary_that_meets_a_broken_server_hands_its_role_on():
    """A 503 is no verdict on the rate: the gate stays closed for all but the next canary."""

    async def story():
        wire = Wire()
        await wire.call(status=429)
        await asyncio.gather(wire.call("broken", status=503), wire.call("good"), wire.call("last"))
        return wire

    wire = run_virtual(story())
    assert wire.names[1:] == ["broken", "good", "last"]
    assert wire.idle


@pytest.mark.parametrize("victim", range(6))
@pytest.mark.parametrize("moment", [0.0, 0.05, 0.3, 0.35, 0.62])
def test_cancelling_anybody_anywhere_loses_no_place_and_no_turn(victim, moment):
    """Whoever is cancelled at whatever moment, the others are all sent and nothing stays taken."""

    async def story():
        wire = Wire(rate=RateLimit(10.0), concurrency=2, latency=0.3)
        tasks = [asyncio.create_task(wire.call(number)) for number in range(6)]
        await asyncio.sleep(moment)
        tasks[victim].cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        return wire, ended

    wire, ended = run_virtual(story())
    assert wire.idle
    assert set(range(6)) - {victim} <= set(wire.names)
    assert sum(isinstance(end, BaseException) for end in ended) <= 1


def test_thousands_of_waiters_can_leave():
    """Ten thousand waiters are cancelled; the one that stays is sent in its turn."""

    async def story():
        wire = Wire(rate=RateLimit(1.0))
        await wire.call("first")
        tasks = [asyncio.create_task(wire.call("gone")) for _ in range(10_000)]
        await asyncio.sleep(0)
        stays = asyncio.create_task(wire.call("stays"))
        await asyncio.sleep(0)
        assert wire.throttle.statistics().interactive == 10_001
        for task in tasks:
            task.cancel()
        await stays
        return wire

    wire = run_virtual(story(), debug=False)
    assert wire.names == ["first", "stays"]
    assert wire.idle


@pytest.mark.parametrize(("deadline", "fits"), [(10.0, True), (1.5, False), (0.0, False)])
def test_a_wait_that_cannot_fit_is_refused_before_it_begins(deadline, fits):
    """With five calls ahead at one a second, a deadline before the turn raises at once."""

    async def story():
        wire = Wire(rate=RateLimit(1.0))
        ahead = [asyncio.create_task(wire.call("ahead")) for _ in range(5)]
        await asyncio.sleep(0)
        if fits:
            await wire.call("mine", deadline=deadline)
        else:
            with pytest.raises(DeadlineExceeded, match="This attempt was not sent"):
                await wire.call("mine", deadline=deadline)
            assert wire.clock.monotonic() == 0.0
        await asyncio.gather(*ahead)
        return wire

    wire = run_virtual(story())
    assert ("mine" in wire.names) is fits
    assert wire.idle


@pytest.mark.parametrize("headers", [{}, {"ratelimit": '"a";r=5;t=2', "ratelimit-policy": '"a";q=6000;w=60'}])
def test_calls_at_once_are_not_given_up_at_a_rate_that_is_about_to_rise(headers):
    """Five hundred calls that are done in seconds all fit into a minute, however slow the beginning is."""

    async def story():
        wire = Wire(rate=None)
        await wire.call("first", headers=headers)
        await asyncio.gather(
            *(wire.call("at once", deadline=wire.clock.monotonic() + 60) for _ in range(500))
        )
        return wire

    wire = run_virtual(story())
    assert len(wire.names) == 501
    assert wire.idle


def test_a_gate_that_closes_ends_a_wait_that_no_longer_fits():
    """A waiter whose deadline lies behind the closed gate is told at once, not at its deadline."""

    async def story():
        wire = Wire(rate=RateLimit(1.0), latency=0.5)
        refused = asyncio.create_task(wire.call("refused", status=429, headers={"retry-after": "60"}))
        await asyncio.sleep(0)
        with pytest.raises(DeadlineExceeded):
            await wire.call("mine", deadline=30.0)
        assert wire.clock.monotonic() == pytest.approx(0.5)
        await refused
        return wire

    assert run_virtual(story()).idle


def test_a_deadline_ends_a_wait_for_a_place():
    """A place that does not come free in time raises when the deadline passes."""

    async def story():
        wire = Wire(concurrency=1, latency=100.0)
        slow = asyncio.create_task(wire.call("slow"))
        await asyncio.sleep(0)
        with pytest.raises(DeadlineExceeded):
            await wire.call("mine", deadline=7.0)
        assert wire.clock.monotonic() == pytest.approx(7.0)
        await slow
        return wire

    assert run_virtual(story()).idle


def test_an_interactive_call_waits_two_slots_at_most():
    """Among a thousand waiting bulk calls, each single interactive call is sent within two steps."""

    async def story():
        wire = Wire(rate=RateLimit(10.0), concurrency=100, latency=0.01)
        bulk = [asyncio.create_task(wire.call("bulk", lane="bulk")) for _ in range(300)]
        await asyncio.sleep(0.5)
        waits = []
        for _ in range(20):
            waits.append((await wire.call("person")).waited)
            await asyncio.sleep(0.9)
        for task in bulk:
            task.cancel()
        return waits

    assert max(run_virtual(story())) <= 2 / 9.8 + 0.01


@pytest.mark.parametrize(("people", "least"), [(30, 0.8), (1000, 0.2)])
def test_bulk_keeps_its_share(people, least):
    """Bulk keeps 80 % beside one interactive call a second of ten, and 20 % beside a flood of them."""

    async def story():
        wire = Wire(rate=RateLimit(10.0), concurrency=100, latency=0.01)
        tasks = [asyncio.create_task(wire.call("bulk", lane="bulk")) for _ in range(400)]

        async def person(second):
            await asyncio.sleep(second)
            await wire.call("person")

        tasks += [asyncio.create_task(person(number % 30)) for number in range(people)]
        await asyncio.sleep(30)
        names = wire.names
        for task in tasks:
            task.cancel()
        return names

    names = run_virtual(story())
    assert names.count("bulk") / len(names) >= least - 0.01


def test_bulk_that_fills_its_places_leaves_one_for_a_person():
    """Slow bulk calls take seven of eight places, so an interactive call is sent at once."""

    async def story():
        wire = Wire(latency=100.0)
        bulk = [asyncio.create_task(wire.call("bulk", lane="bulk")) for _ in range(20)]
        await asyncio.sleep(1)
        assert wire.flying == 7
        person = asyncio.create_task(wire.call("person"))
        await asyncio.sleep(0)
        assert wire.names[-1] == "person"
        for task in (person, *bulk):
            task.cancel()
        await asyncio.wait([person, *bulk])
        return wire

    assert run_virtual(story()).idle


@pytest.mark.parametrize("concurrency", [1, 2, 8])
def test_bulk_alone_goes_on_with_what_places_there_are(concurrency):
    """The place that is kept free never stops bulk: all of it is sent, and people between."""

    async def story():
        wire = Wire(concurrency=concurrency, latency=0.1)
        calls = [wire.call(number, lane="bulk") for number in range(30)]
        await asyncio.gather(*calls, *(wire.call("person") for _ in range(10)))
        return wire

    wire = run_virtual(story())
    assert len(wire.sent) == 40
    assert wire.peak <= concurrency
    assert wire.idle


def test_a_bulk_call_that_waits_for_a_place_of_its_own_counts_as_queued():
    """The free place is not bulk's: its wait is for a place, not for the pace."""

    async def story():
        wire = Wire(concurrency=2, latency=1.0)
        _, second = await asyncio.gather(wire.call(lane="bulk"), wire.call(lane="bulk"))
        return second

    slot = run_virtual(story())
    assert (slot.queued, slot.throttled) == (pytest.approx(1.0), pytest.approx(0.0))


class Queue:
    """A server that works on `width` calls at a time, each for `work` seconds."""

    def __init__(self, width, work):
        self.width, self.work, self.waiting = asyncio.Semaphore(width), work, 0

    async def answer(self):
        """Wait in the queue and be served."""
        async with self.width:
            await asyncio.sleep(self.work)


async def through(throttle, queue, calls):
    """Make calls through a throttle; return the seconds they took."""
    began = asyncio.get_running_loop().time()

    async def call():
        async with throttle.slot(kind="get") as slot:
            await queue.answer()
            slot.answered(200, {})

    await asyncio.gather(*(call() for _ in range(calls)))
    return asyncio.get_running_loop().time() - began


def test_a_server_that_queues_is_sent_fewer_at_once_and_carries_as_much():
    """Sixteen in flight at a server that works on three: the queue is shortened, the throughput stays."""

    async def story():
        throttle = Throttle(VirtualClock(seed=1), rate=FREE, concurrency=16)
        queue = Queue(3, 0.2)
        for _ in range(20):
            await through(throttle, queue, 1)
        seconds = await through(throttle, queue, 600)
        return throttle.statistics().places, seconds

    places, seconds = run_virtual(story(), debug=False)
    assert 4 <= places <= 10
    assert seconds <= 1.02 * 600 * 0.2 / 3


def test_a_server_that_became_slower_for_good_gets_all_places_back():
    """Ten times slower without a queue: fewer places for a while, all again after hundreds of calls."""

    async def story():
        throttle = Throttle(VirtualClock(seed=1), rate=FREE, concurrency=8)
        await through(throttle, Queue(100, 0.2), 50)
        await through(throttle, Queue(100, 2.0), 100)
        low = throttle.statistics().places
        await through(throttle, Queue(100, 2.0), 400)
        return low, throttle.statistics().places

    assert run_virtual(story(), debug=False) == (2, 8)


def test_slowness_takes_no_place_that_the_pace_needs():
    """At ten a second and two seconds an answer, thirty places stay however slow answers become."""

    async def story():
        throttle = Throttle(VirtualClock(seed=1), rate=RateLimit(10.0), concurrency=32)
        await through(throttle, Queue(100, 2.0), 60)
        await through(throttle, Queue(100, 20.0), 200)
        return throttle.statistics().places

    assert run_virtual(story(), debug=False) >= 29


@pytest.mark.parametrize(("headers", "waits"), [({"retry-after": "20"}, 20.0), ({}, 0.0)])
def test_a_server_that_asks_everybody_to_wait_is_obeyed_by_everybody(headers, waits):
    """A 503 with Retry-After closes the gate of the whole budget; one without does not."""

    async def story():
        wire = Wire(rate=RateLimit(100.0))
        await wire.call("broken", status=503, headers=headers)
        await asyncio.gather(*(wire.call(number) for number in range(5)))
        return wire

    wire = run_virtual(story())
    first, second = wire.sent[1][0], wire.sent[2][0]
    assert first >= 0.1 + waits
    assert (second >= first + 0.1) is bool(headers)
    assert wire.throttle.statistics().refused == 0


def test_a_gate_closed_by_a_503_ends_waits_that_no_longer_fit():
    """A waiter whose deadline lies behind it is told at once."""

    async def story():
        wire = Wire(rate=RateLimit(1.0), latency=0.5)
        broken = asyncio.create_task(wire.call("broken", status=503, headers={"retry-after": "60"}))
        await asyncio.sleep(0)
        with pytest.raises(DeadlineExceeded):
            await wire.call("mine", deadline=30.0)
        assert wire.clock.monotonic() == pytest.approx(0.5)
        await broken

    run_virtual(story())


def test_time_outs_and_server_errors_lower_the_places_and_answers_raise_them():
    """Fewer in flight after failures, never under one, and all of them again after good answers."""

    async def story():
        wire = Wire()
        for _ in range(20):
            async with wire.throttle.slot() as slot:
                await asyncio.sleep(0.1)
                slot.failed()
        low = wire.throttle.statistics().places
        for _ in range(200):
            await wire.call()
        middle = wire.throttle.statistics().places
        await wire.call(status=500)
        return low, middle, wire.throttle.statistics().places, wire.throttle.statistics().mode

    low, middle, after, mode = run_virtual(story())
    assert (low, middle, after) == (1, 8, 5)
    assert mode is Mode.START


def test_announced_limits_set_the_pace():
    """Headers of an answer are followed without a declaration."""

    async def story():
        wire = Wire(rate=None)
        headers = {"ratelimit": '"a";r=66;t=30', "ratelimit-policy": '"a";q=600;w=60'}
        await wire.call(headers=headers)
        return wire.throttle.statistics()

    now = run_virtual(story())
    assert now.mode is Mode.ANNOUNCED
    assert now.rate == pytest.approx(2.0)


def test_repeats_come_out_of_a_budget():
    """Five repeats at once, one more for ten calls, and the statistics say what is left."""

    async def story():
        throttle = Throttle(VirtualClock(), rate=FREE, retries=RetryPolicy(budget_per_second=0.0))
        assert [throttle.may_repeat() for _ in range(6)] == [True] * 5 + [False]
        for _ in range(10):
            throttle.call_began()
        assert [throttle.may_repeat() for _ in range(2)] == [True, False]
        return throttle.statistics().repeats_left

    assert run_virtual(story()) == pytest.approx(0.0)


def test_it_shows_its_state():
    """One line says mode, rate, places, waiters and the gate."""

    async def story():
        wire = Wire(rate=RateLimit(10.0))
        assert repr(wire.throttle) == (
            "<Throttle declared 9.8/s, 0/8 in flight, 0 waiting, 0 refused, 0 repeated>"
        )
        await wire.call(status=429, headers={"retry-after": "30"})
        return repr(wire.throttle)

    shown = run_virtual(story())
    assert "1 refused, 0 repeated, closed for 3" in shown


def test_a_discovery_and_a_share_reach_the_pace():
    """What the search found can be kept; a share slows the pace."""

    async def story():
        wire = Wire(rate=RateLimit(10.0))
        assert wire.throttle.discovery() is None
        wire.throttle.take_share(0.5)
        return wire.throttle.statistics().rate

    assert run_virtual(story()) == pytest.approx(4.9)


def test_one_budget_is_one_throttle_while_somebody_uses_it():
    """The same key is the same object with the stricter settings; unused ones are forgotten."""
    budgets, clock = Budgets(), SystemClock()
    first = budgets.throttle(("https://a", "me", "default"), clock=clock, terms=Terms(concurrency=8))
    strict = Terms(RateLimit(5.0), 4)
    second = budgets.throttle(("https://a", "me", "default"), clock=SystemClock(), terms=strict)
    other = budgets.throttle(("https://a", "you", "default"), clock=clock)
    simulated = budgets.throttle(("https://a", "me", "default"), clock=VirtualClock())
    assert first is second
    assert len({first, other, simulated}) == 3
    assert first.statistics().places == 4
    assert first.statistics().rate == pytest.approx(4.9)
    assert PROCESS.throttle(("here",), clock=clock) is not first
    del first, second, other, simulated
    gc.collect()
    assert len(budgets) == 0


def test_two_runs_of_a_loop_share_one_throttle():
    """A second `asyncio.run` goes on where the first stopped, also with waiters that were cut off."""
    throttle = Throttle(SystemClock(), rate=FREE, concurrency=1)

    async def leave_hanging():
        async with throttle.slot() as slot:
            waiting = asyncio.create_task(enter())
            await asyncio.sleep(0)
            assert throttle.statistics().interactive == 1
            slot.answered(200, {})
        return waiting

    async def enter():
        async with throttle.slot() as slot:
            slot.answered(200, {})

    asyncio.run(leave_hanging())
    asyncio.run(enter())
    assert throttle.statistics().in_flight == 0
    assert throttle.statistics().interactive == 0


def test_a_loop_that_was_closed_under_its_waiters_blocks_nobody():
    """A waiter of a loop that is gone loses its turn to the next."""
    throttle = Throttle(SystemClock(), rate=FREE, concurrency=1)

    async def hold(seconds):
        async with throttle.slot() as slot:
            await asyncio.sleep(seconds)
            slot.answered(200, {})

    async def story():
        async with throttle.slot() as slot:
            gone = asyncio.new_event_loop()
            left = gone.create_task(hold(0))
            gone.call_soon(gone.stop)
            await asyncio.to_thread(gone.run_forever)
            gone.close()
            waiting = asyncio.create_task(hold(0))
            await asyncio.sleep(0)
            assert throttle.statistics().interactive == 2
            slot.answered(200, {})
            await waiting
        return left

    left = asyncio.run(story(), debug=False)
    left._log_destroy_pending = False
    assert throttle.statistics().in_flight == 0


@pytest.mark.parametrize("dead", [1, 50])
def test_waiters_of_closed_loops_do_not_keep_the_time(dead):
    """Where the waiters that should keep the time are gone, a living one takes over."""
    throttle = Throttle(SystemClock(), rate=RateLimit(50.0))

    async def enter():
        async with throttle.slot() as slot:
            slot.answered(200, {})

    async def story():
        await enter()
        gone = asyncio.new_event_loop()
        left = [gone.create_task(enter()) for _ in range(dead)]
        gone.call_soon(gone.stop)
        await asyncio.to_thread(gone.run_forever)
        gone.close()
        async with asyncio.timeout(10):
            await enter()
        return left

    for task in asyncio.run(story(), debug=False):
        task._log_destroy_pending = False
    assert throttle.statistics().in_flight == 0


def test_loops_in_several_threads_share_one_budget():
    """Four threads with a loop each: never more in flight than the one limit, and all calls are made."""
    throttle = Throttle(SystemClock(), rate=FREE, concurrency=3)
    guard, flying, peak, done = threading.Lock(), 0, 0, 0

    async def call():
        nonlocal flying, peak, done
        async with throttle.slot() as slot:
            with guard:
                flying += 1
                peak = max(peak, flying)
            await asyncio.sleep(0.0005)
            with guard:
                flying -= 1
                done += 1
            slot.answered(200, {})

    async def many():
        await asyncio.gather(*(call() for _ in range(50)))

    threads = [threading.Thread(target=lambda: asyncio.run(many())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(15)
    assert (done, peak) == (200, 3)
    assert throttle.statistics().in_flight == 0
