"""Virtual time: an event loop whose clock jumps to the next timer when nothing is ready.

An hour of simulated waiting takes milliseconds, and two runs of the same program with the same
seeds take the same path. Time stands still while a thread of the loop's executor works, so a
file that is written aside never makes a timeout fire. Real sockets work, but with a short real
wait before each jump: simulations should join the simulator by `SimulatorTransport`.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple

__all__ = ["EPOCH", "Stuck", "VirtualClock", "VirtualLoop", "run_virtual"]

T = TypeVar("T")
_Arguments = TypeVarTuple("_Arguments")

EPOCH = 1_780_000_000.0
"""The wall clock of simulations at virtual time 0, seconds since 1970 (a day in May 2026)."""

_SOCKET_PATIENCE = 0.02


class Stuck(RuntimeError):
    """Every task waits, no timer is set and no thread works: nothing can happen any more."""


class _JumpingSelector(selectors.BaseSelector):
    """Ask the real selector without waiting; where it is silent, let the loop's clock jump."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._real = selectors.DefaultSelector()
        self.jump: Callable[[float], None] = lambda seconds: None
        self.threads_at_work: Callable[[], bool] = lambda: False

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self.threads_at_work():
            return self._real.select(self._patience)
        if timeout is None:
            ready = self._real.select(self._patience)
            if not ready:
                raise Stuck("Every task waits, no timer is set and no thread works.")
            return ready
        # One descriptor is the loop's own wake-up pipe; any other is a socket somebody may answer.
        if len(self._real.get_map()) > 1:
            ready = self._real.select(min(timeout, _SOCKET_PATIENCE))
            if ready:
                return ready
        self.jump(timeout)
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Any:
        return self._real.get_map()

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.get_key(fileobj)

    def close(self) -> None:
        self._real.close()


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time, seconds from `start`.

    `patience`: real seconds it waits for a foreign thread before it says that it is stuck.
    """

    def __init__(self, start: float = 0.0, *, patience: float = 10.0) -> None:
        self._virtual_now = start
        self._at_work = 0
        selector = _JumpingSelector(patience)
        super().__init__(selector)
        selector.jump = self._jump
        selector.threads_at_work = lambda: self._at_work > 0

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._virtual_now

    def _jump(self, seconds: float) -> None:
        self._virtual_now += seconds

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*_Arguments], T], *args: *_Arguments
    ) -> asyncio.Future[T]:
        """Run a function in a thread; time stands still until it ends."""
        future = super().run_in_executor(executor, func, *args)
        self._at_work += 1
        future.add_done_callback(self._left_work)
        return future

    def _left_work(self, future: asyncio.Future[Any]) -> None:
        del future
        self._at_work -= 1

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Wait for the executor's threads in real time, whatever `timeout` says."""
        del timeout
        self._at_work += 1
        try:
            await super().shutdown_default_executor()
        finally:
            self._at_work -= 1


def run_virtual(
    coro: Coroutine[Any, Any, T], *, start: float = 0.0, debug: bool | None = None, patience: float = 10.0
) -> T:
    """Run a coroutine on a new virtual loop whose clock begins at `start`, and return its value.

    Raises:
        Stuck: Every task waits for something that cannot come.
    """
    with asyncio.Runner(debug=debug, loop_factory=lambda: VirtualLoop(start, patience=patience)) as runner:
        return runner.run(coro)


class VirtualClock:
    """Time and chance of a simulation; satisfies the client's `Clock` port.

    `monotonic()` is the running loop's time, `wall()` is `epoch` later, `random()` is seeded.
    """

    def __init__(self, seed: int = 0, epoch: float = EPOCH) -> None:
        self.epoch = epoch
        self._random = random.Random(seed)
        self._last = 0.0

    def monotonic(self) -> float:
        """Return the running loop's time; outside of a loop, the last one seen."""
        with contextlib.suppress(RuntimeError):
            self._last = asyncio.get_running_loop().time()
        return self._last

    def wall(self) -> float:
        """Return seconds since 1970."""
        return self.epoch + self.monotonic()

    def random(self) -> float:
        """Return the next number of the seeded sequence, 0 <= x < 1."""
        return self._random.random()

    async def sleep(self, seconds: float) -> None:
        """Wait on virtual time; 0 or less gives other tasks a turn."""
        await asyncio.sleep(max(0.0, seconds))
