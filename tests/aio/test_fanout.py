"""Calls side by side: bounded, in order, and none left behind."""

from __future__ import annotations

import asyncio

import pytest

from nimble_async._aio.fanout import end_tasks, fanout


class Counted:
    """Work that counts how much of it runs at once."""

    def __init__(self) -> None:
        self.running = 0
        self.peak = 0
        self.begun = 0

    async def work(self, value: int, *, fail: bool = False) -> int:
        self.begun += 1
        self.running += 1
        self.peak = max(self.peak, self.running)
        try:
            for _ in range(3 + value % 3):
                await asyncio.sleep(0)
            if fail:
                raise LookupError(value)
            return value
        finally:
            self.running -= 1


@pytest.mark.parametrize(("count", "at_once"), [(0, 4), (1, 4), (4, 4), (5, 4), (50, 4), (50, 1), (3, 100)])
async def test_results_come_in_order_and_bounded(count: int, at_once: int):
    """Every result stands at its call's place, and no more than `at_once` run together."""
    counted = Counted()
    calls = [lambda n=n: counted.work(n) for n in range(count)]
    assert await fanout(calls, at_once=at_once) == list(range(count))
    assert counted.peak == min(at_once, count)


async def test_the_first_error_ends_all():
    """An error is raised as it is; what ran is cancelled and has ended, the rest is never begun."""
    counted = Counted()
    calls = [lambda n=n: counted.work(n, fail=n == 3) for n in range(50)]
    with pytest.raises(LookupError):
        await fanout(calls, at_once=4)
    assert counted.running == 0
    assert counted.begun < 50
    assert len(asyncio.all_tasks()) == 1


async def test_two_errors_leave_no_complaint():
    """Errors beside the first are taken note of, so that no task complains of them."""
    counted = Counted()
    calls = [lambda: counted.work(0, fail=True) for _ in range(8)]
    with pytest.raises(LookupError):
        await fanout(calls, at_once=8)


async def test_cancelling_cancels_all():
    """A cancelled fan-out has ended every task of its own first."""
    counted = Counted()
    calls = [lambda n=n: counted.work(n) for n in range(50)]
    task = asyncio.create_task(fanout(calls, at_once=4))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert counted.running > 0
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert counted.running == 0


async def test_ending_waits_even_when_it_is_cancelled():
    """Tasks that take a while to end are waited for; a cancellation meanwhile is raised behind that."""
    done: list[str] = []

    async def stubborn() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0.01)
            done.append("ended")

    tasks = [asyncio.create_task(stubborn())]
    await asyncio.sleep(0)
    ending = asyncio.create_task(end_tasks(tasks))
    await asyncio.sleep(0)
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending
    assert done == ["ended"]


async def test_ending_nothing_is_nothing():
    """No tasks, no wait."""
    await end_tasks([])
