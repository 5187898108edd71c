"""Work that many wait for and no caller can cancel.

Rule: a flight is a task of its own. Those who wait for it may be on any loop of any thread; a
waiter that is cancelled only stops waiting. The end of its loop (`asyncio.run` cancels every
task) does not cut it off either: each step of it runs by `sure`, and what was cut is made again.
Every step is bounded, so a flight always lands.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from nimble_async.errors import CrmError, StoreError, TokenRefreshFailed

__all__ = ["Flight", "again", "sure"]

T = TypeVar("T")
_LOOK = 0.5
"""Seconds between two looks at whether another loop, whose flight we wait for, is still there."""


class Flight(Generic[T]):
    """One piece of work on the running loop. Call `start` once, after everybody can find it.

    Args:
        work: Makes the coroutine that does it.
        ended: Called with the flight and its error, if any, before a waiter goes on.
    """

    def __init__(
        self,
        work: Callable[[], Coroutine[Any, Any, T]],
        *,
        ended: Callable[[Flight[T], BaseException | None], None] | None = None,
    ) -> None:
        self._work = work
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._process = os.getpid()
        self._task: asyncio.Task[None] | None = None
        self._guard = threading.Lock()
        self._waiters: set[asyncio.Future[None]] = set()
        self.began = False
        """Whether its first step was taken: the end of its loop may cut it off before."""
        self._over = False
        self._error: BaseException | None = None
        self._result: list[T] = []

    @property
    def stranded(self) -> bool:
        """Whether the loop it runs on has stopped, or is another process's, so that it may never land."""
        # To the child of a fork its parent's loop seems to run on.
        return not self._over and not (self._loop.is_running() and self._process == os.getpid())

    def start(self) -> None:
        """Take off; the flight itself holds its task."""
        self._task = self._loop.create_task(self._run())
        # A task that is cancelled before its first step never enters its coroutine.
        self._task.add_done_callback(lambda _: self._land(None))

    async def _run(self) -> None:
        self.began = True
        try:
            self._result.append(await self._work())
        except BaseException as error:
            self._land(error)
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
        else:
            self._land(None)

    def _land(self, error: BaseException | None) -> None:
        if self._over:
            return
        if error is None and not self._result:
            error = TokenRefreshFailed("A token renewal was cut off before it began.", hint="Try again.")
        self._error = error
        if self._ended is not None:
            self._ended(self, error)
        with self._guard:
            self._over = True
            waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            _wake(waiter, self._loop)

    async def wait(self) -> None:
        """Wait until it has landed, however it went.

        Raises:
            TokenRefreshFailed: The loop it ran on, in another thread, has stopped.
        """
        waiter = asyncio.get_running_loop().create_future()
        with self._guard:
            if self._over:
                return
            self._waiters.add(waiter)
        try:
            if waiter.get_loop() is self._loop:
                await waiter
                return
            while not (await asyncio.wait({waiter}, timeout=_LOOK))[0]:
                if self.stranded:
                    raise TokenRefreshFailed(
                        "The loop that renewed the token has stopped.", hint="Try again."
                    )
        finally:
            with self._guard:
                self._waiters.discard(waiter)

    async def landed(self) -> T:
        """Wait for it and return its result, or raise its error."""
        await self.wait()
        if self._error is not None:
            raise again(self._error) from self._error
        return self._result[0]


def _wake(waiter: asyncio.Future[None], here: asyncio.AbstractEventLoop) -> None:
    if waiter.get_loop() is here:
        _settle(waiter)
        return
    with contextlib.suppress(RuntimeError):  # its loop is closed: nobody waits any more
        waiter.get_loop().call_soon_threadsafe(_settle, waiter)


def _settle(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def again(error: BaseException) -> BaseException:
    """Return an error to raise for one of many: a copy, since a traceback grows with each raise."""
    if not isinstance(error, CrmError):
        return TokenRefreshFailed(f"A token renewal failed: {type(error).__name__}.")
    copy: CrmError = type(error).__new__(type(error), *error.args)
    copy.__dict__.update(error.__dict__)
    return copy


async def sure(make: Callable[[], Coroutine[Any, Any, T]], *, limit: float, repeats: int = 2) -> T:
    """Run one step of a flight to its end, `limit` seconds at most, whoever cancels the flight.

    Where the end of the loop cut the step itself off, it is made again, `repeats` times at most.

    Raises:
        StoreError: It took too long.
        CancelledError: It was cut off more often than that.
    """
    while True:
        step = asyncio.ensure_future(make())
        if not await _settled(step, limit):
            step.cancel()
            if not await _settled(step, 1.0) or step.cancelled():
                raise StoreError(f"A step of a token renewal took longer than {limit:g} s.")
        if not step.cancelled() or repeats == 0:
            return step.result()
        repeats -= 1


async def _settled(step: asyncio.Future[Any], limit: float) -> bool:
    """Wait for a step without passing a cancellation on; return whether it came to its end in time."""
    loop = asyncio.get_running_loop()
    until = loop.time() + limit
    while not step.done() and loop.time() < until:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait({step}, timeout=until - loop.time())
    return step.done()
