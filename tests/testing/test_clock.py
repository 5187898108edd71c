"""Virtual time."""

from __future__ import annotations

import asyncio
import socket
import threading
import time

import pytest

from nimble_async.testing import VirtualClock, run_virtual
from nimble_async.testing.clock import EPOCH, Stuck


def test_sleep_takes_no_real_time():
    """An hour of sleep moves the loop's clock by an hour and ends at once."""

    async def main() -> float:
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    started = time.process_time()
    assert run_virtual(main()) == pytest.approx(3600)
    assert time.process_time() - started < 10


def test_start_sets_the_clock():
    """A simulation may begin at any instant."""

    async def main() -> float:
        return asyncio.get_running_loop().time()

    assert run_virtual(main(), start=42.0) == 42.0


def test_timers_fire_in_order_of_their_time():
    """Tasks wake in the order of their sleeps, each at its instant."""
    woken: list[tuple[float, int]] = []

    async def sleeper(number: int) -> None:
        await asyncio.sleep(10 - number)
        woken.append((asyncio.get_running_loop().time(), number))

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(10):
                group.create_task(sleeper(number))

    run_virtual(main())
    expected: list[object] = [(pytest.approx(10 - number), number) for number in range(9, -1, -1)]
    assert woken == expected


def test_time_stands_still_while_a_thread_works():
    """Work in the executor ends before any timer fires, however long it really takes."""

    async def main() -> float:
        async with asyncio.timeout(0.001):
            await asyncio.to_thread(time.sleep, 0.05)
        return asyncio.get_running_loop().time()

    assert run_virtual(main()) == 0.0


def test_call_soon_threadsafe_wakes_the_loop():
    """A foreign thread can wake a loop that waits for nothing else."""

    async def main() -> str:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[str] = loop.create_future()
        thread = threading.Thread(target=lambda: loop.call_soon_threadsafe(future.set_result, "woken"))
        thread.start()
        try:
            return await future
        finally:
            thread.join()

    assert run_virtual(main()) == "woken"


def test_sockets_work():
    """A byte that is on its way arrives before the clock jumps to a timeout."""

    async def main() -> bytes:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            theirs.setblocking(False)
            async with asyncio.timeout(30):
                await loop.sock_sendall(theirs, b"hello")
                return await loop.sock_recv(ours, 5)

    assert run_virtual(main()) == b"hello"


def test_debug_mode_works():
    """The loop runs in asyncio's debug mode."""

    async def main() -> bool:
        await asyncio.sleep(1)
        return asyncio.get_running_loop().get_debug()

    assert run_virtual(main(), debug=True)


def test_a_deadlock_is_told():
    """A program in which nothing can happen any more ends with an error instead of hanging."""

    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(Stuck):
        run_virtual(main(), patience=0.05)


def test_clock_reads_the_loop():
    """`monotonic` is the loop's time, `wall` the epoch later, and both survive the loop's end."""
    clock = VirtualClock(seed=1)

    async def main() -> tuple[float, float]:
        await clock.sleep(5)
        await clock.sleep(-1)
        return clock.monotonic(), clock.wall()

    monotonic, wall = run_virtual(main())
    assert monotonic == pytest.approx(5)
    assert wall == pytest.approx(EPOCH + 5)
    assert clock.monotonic() == pytest.approx(5)


def test_chance_is_seeded():
    """Equal seeds give equal numbers, other seeds others."""
    assert [VirtualClock(3).random() for _ in range(2)] == [VirtualClock(3).random()] * 2
    assert VirtualClock(3).random() != VirtualClock(4).random()
