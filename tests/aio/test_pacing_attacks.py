"""What odd servers, stores, hooks and short-lived clients do to the pace of a whole process."""

from __future__ import annotations

import asyncio
import logging
import os

import pytest

from nimble_async import ClientConfig, NimbleClient
from nimble_async._aio.budgets import Budgets
from nimble_async._aio.clock import SystemClock
from nimble_async._aio.throttle import Terms, Throttle
from nimble_async._sansio.message import Response
from nimble_async.config import RateLimit, RetryPolicy
from nimble_async.errors import ConfigurationError, DeadlineExceeded, RateLimited
from nimble_async.stores.rates import FileRateStore
from nimble_async.testing.clock import VirtualClock, run_virtual
from tests.stores.budget_model import ModelBudget

_OK = b'{"user_id": "1", "email": "a@b.example", "name": "n"}'


class Wire:
    """A transport that answers each send by a function of its number, and notes when it came."""

    connections = 0

    def __init__(self, clock, answer):
        self.clock, self.answer, self.sent = clock, answer, []

    async def send(self, request, *, timeout=None):
        """Answer at once."""
        self.sent.append(self.clock.monotonic())
        return self.answer(len(self.sent))

    async def aclose(self):
        """Nothing is open."""


def ok(_number):
    """Answer a success that says nothing."""
    return Response(status=200, headers={}, body=_OK)


def refusing(seconds):
    """Answer every send by a refusal with a wait."""
    return lambda _number: Response(status=429, headers={"retry-after": str(seconds)}, body=b"{}")


def test_clients_one_after_another_share_a_budget():
    """Twenty short lives of one account keep the declared rate as one long life does."""

    async def story():
        clock = VirtualClock()
        wire = Wire(clock, ok)
        for _ in range(20):
            async with NimbleClient(
                api_key="one-after-another", transport=wire, clock=clock, rate="2/1s"
            ) as c:
                await c.request("GET", "/x")
        return wire.sent

    sent = run_virtual(story())
    assert all(sent[i + 3] - sent[i] > 1.0 for i in range(len(sent) - 3))
    assert sent[-1] - sent[0] >= 9.0


def test_a_refusal_is_kept_for_the_next_client():
    """Told to wait 300 s, five clients one after another send once."""

    async def story():
        clock = VirtualClock()
        wire = Wire(clock, refusing(300))
        for _ in range(5):
            async with NimbleClient(api_key="refused-once", transport=wire, clock=clock) as c:
                with pytest.raises(DeadlineExceeded):
                    await c.with_options(deadline=2).request("GET", "/x")
        return len(wire.sent)

    assert run_virtual(story()) == 1


@pytest.mark.parametrize("headers", [{}, {"retry-after": "0"}])
def test_calls_without_a_deadline_do_not_wait_for_a_server_that_refuses_for_ever(headers):
    """A hundred all end within a quarter of an hour, not each after its attempts; later calls still try."""

    async def story():
        clock, barred = VirtualClock(), True

        def answer(number):
            return Response(status=429, headers=headers, body=b"{}") if barred else ok(number)

        wire = Wire(clock, answer)
        async with NimbleClient(api_key=f"barred-{len(headers)}", transport=wire, clock=clock) as c:
            calls = (c.request("GET", "/x") for _ in range(100))
            ends = await asyncio.gather(*calls, return_exceptions=True)
            seconds, sent = clock.monotonic(), len(wire.sent)
            with pytest.raises(RateLimited, match="all calls") as raised:
                await c.request("GET", "/x")
            unsent, barred = len(wire.sent) == sent, False
            await clock.sleep(c.statistics().throttle.gate or 0.0)
            await c.request("GET", "/x")
        return {type(end) for end in ends}, seconds, sent, unsent, raised.value.hint

    kinds, seconds, sent, unsent, hint = run_virtual(story())
    assert kinds == {RateLimited}
    assert 600 < seconds < 1000
    assert sent < 60
    assert unsent
    assert "not sent" in hint


def test_what_a_client_declares_ends_with_it():
    """A second client keeps the first one's limit and places while that is open, and no longer."""

    async def story():
        clock = VirtualClock()
        wire, found = Wire(clock, ok), []

        def client(rate, places):
            config = ClientConfig(concurrency=places)
            return NimbleClient(api_key="declares", transport=wire, clock=clock, rate=rate, config=config)

        def see(one):
            throttle = one.statistics().throttle
            found.append((round(throttle.rate, 2), throttle.places))

        async with client("1/1s", 1) as first:
            await first.request("GET", "/x")
            async with client("20/1s", 4) as second:
                see(second)
                waiting = asyncio.gather(*(second.request("GET", "/x") for _ in range(20)))
                await clock.sleep(0.1)
                await first.aclose()
                see(second)
                await waiting
                async with first:
                    see(second)
            see(first)
        async with client("10/1s", 8) as third:
            see(third)
        return found, wire.sent

    found, sent = run_virtual(story())
    slow, fast = (0.98, 1), (19.6, 4)
    assert found == [slow, fast, slow, fast, (9.8, 8)]
    assert sent[1] - sent[0] > 0.9
    assert sent[-1] - sent[1] < 1.1


def test_kept_throttles_are_bounded_and_go_when_their_waits_are_over():
    """However many budgets were used, 256 are kept, and none after its next slot."""

    async def story():
        clock, budgets = VirtualClock(), Budgets()

        async def live(number):
            throttle = budgets.throttle((str(number),), clock=clock, terms=Terms(RateLimit(1, 10)))
            async with throttle.slot() as slot:
                slot.answered(200, {})

        for number in range(300):
            await live(number)
        many = len(budgets)
        await clock.sleep(11)
        return many, len(budgets)

    assert run_virtual(story()) == (256, 0)


@pytest.mark.parametrize("told", [60, 30000])
def test_a_longer_wait_than_allowed_fails_every_call(told):
    """After the first `RateLimited` the next calls raise it too, at once and unsent."""

    async def story():
        clock = VirtualClock()
        wire = Wire(clock, refusing(told))
        longest = 10.0 if told == 60 else 21600.0
        config = ClientConfig(retries=RetryPolicy(longest_retry_after=longest))
        async with NimbleClient(api_key=f"too-long-{told}", transport=wire, clock=clock, config=config) as c:
            for _ in range(3):
                with pytest.raises(RateLimited) as raised:
                    await c.request("GET", "/x")
                assert raised.value.retry_after == pytest.approx(told, abs=0.1)
        return len(wire.sent), clock.monotonic()

    sent, seconds = run_virtual(story())
    assert sent == 1
    assert seconds < 1


def test_a_used_up_limit_is_shown_said_and_looked_at_again(caplog):
    """A success that announces nothing left for hours stops calls for a quarter of an hour, visibly."""
    headers = {"x-ratelimit-limit": "100", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "20000"}

    async def story():
        clock = VirtualClock()
        wire = Wire(clock, lambda _n: Response(status=200, headers=headers, body=_OK))
        async with NimbleClient(api_key="used-up", transport=wire, clock=clock) as c:
            await c.request("GET", "/x")
            shown = c.statistics().throttle.gate
            assert "closed for" in repr(c)
            await c.request("GET", "/x")
        return shown, wire.sent[1] - wire.sent[0]

    with caplog.at_level(logging.WARNING, logger="nimble_async"):
        shown, waited = run_virtual(story())
    assert shown == pytest.approx(900, abs=1)
    assert 899 < waited < 950
    assert sum("used up" in record.message for record in caplog.records) == 2


class Store:
    """A rate store that fails, or never answers."""

    def __init__(self, *, hangs):
        self.hangs = hangs

    async def load(self, key):
        """Fail."""
        if self.hangs:
            await asyncio.sleep(1e6)
        raise OSError("the disk is gone")

    async def save(self, key, found):
        """Fail in the same way."""
        await self.load(key)

    async def forget(self, key):
        """Nothing is kept."""


@pytest.mark.parametrize("deadline", [None, 1.0])
@pytest.mark.parametrize("hangs", [False, True])
def test_a_store_of_rates_breaks_no_call(hangs, deadline):
    """Whatever it raises, and however long it takes, the call goes on within seconds and its deadline."""

    async def story():
        clock = VirtualClock()
        wire = Wire(clock, ok)
        async with NimbleClient(
            api_key=f"bad-store-{hangs}-{deadline}",
            transport=wire,
            clock=clock,
            rate_store=Store(hangs=hangs),
        ) as c:
            await c.with_options(deadline=deadline).request("GET", "/x")
        return wire.sent[0]

    assert run_virtual(story()) <= min(5.0, (deadline or 10.0) / 2)


@pytest.mark.timeout(10)
async def test_a_pipe_in_the_place_of_a_file_is_no_memory(tmp_path):
    """A FIFO under the file's name neither hangs the reader nor is believed."""
    store = FileRateStore(tmp_path)
    os.mkfifo(store._path("key"))
    assert await asyncio.wait_for(store.load("key"), 5) is None


def test_a_canary_that_hangs_lets_another_try():
    """The one call that tries a closed gate holds the others for half a minute, not for its whole life."""

    async def story():
        clock = VirtualClock()
        throttle = Throttle(clock, rate=RateLimit(10))
        ended = []

        async def call(seconds, status=200, headers=None):
            async with throttle.slot() as slot:
                await asyncio.sleep(seconds)
                slot.answered(status, headers or {})
            ended.append(clock.monotonic())

        await call(0.1, 429, {"retry-after": "1"})
        slow = asyncio.create_task(call(110))
        await asyncio.sleep(2)
        await asyncio.gather(slow, *(call(0.1) for _ in range(5)))
        return ended[1:6]

    assert max(run_virtual(story())) < 35


def test_a_hook_that_raises_a_cancellation_cancels_nothing():
    """`CancelledError` out of a hook is a hook's mistake, logged like any other."""

    def hook(_event):
        raise asyncio.CancelledError

    async def story():
        clock = VirtualClock()
        config = ClientConfig(hooks=(hook,))
        async with NimbleClient(
            api_key="hook-cancels", transport=Wire(clock, ok), clock=clock, config=config
        ) as c:
            return (await c.request("GET", "/x")).status

    assert run_virtual(story()) == 200


def test_an_async_hook_is_refused():
    """Nobody would await it: functions and objects with an async call alike."""

    async def hook(_event):
        raise AssertionError

    class Hook:
        async def __call__(self, _event):
            raise AssertionError

    for one in (hook, Hook()):
        with pytest.raises(ConfigurationError, match="async"):
            ClientConfig(hooks=(one,))


def test_a_slot_of_a_cancelled_caller_is_not_counted_as_sent():
    """What was granted to somebody who had left by then was not sent."""

    async def story():
        throttle = Throttle(VirtualClock(), rate=RateLimit(100), concurrency=1)

        async def call():
            async with throttle.slot() as slot:
                slot.answered(200, {})

        async with throttle.slot() as slot:
            waiting = asyncio.create_task(call())
            await asyncio.sleep(1)
            slot.answered(200, {})
        assert throttle.statistics().sent == 2
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        return throttle.statistics().sent, throttle.statistics().in_flight

    assert run_virtual(story()) == (1, 0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_is_a_member_of_its_own():
    """The name is drawn by the process that uses it, so that parent and child are two members."""

    def asked(throttle, budget):
        async def call():
            async with throttle.slot() as slot:
                slot.answered(200, {})

        asyncio.run(asyncio.wait_for(call(), 5))
        return budget.asks[-1].member

    budget = ModelBudget(SystemClock())
    throttle = Throttle(SystemClock(), rate=RateLimit(50.0), shared=budget, scope="fork")
    mine = asked(throttle, budget)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, asked(throttle, budget).encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as pipe:
        theirs = pipe.read()
    assert len(theirs) == len(mine) == 16
    assert theirs != mine
