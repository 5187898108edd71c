"""Carry what a shared budget's processes say to each other.

Rule: `_sansio.shared_pacer` decides what is asked and what an answer means; this file sends it.
One message at a time is under way, in a task of its own, so that a cancelled caller takes nothing
with it and no caller waits longer than for its slot. While nothing is called, a timer says now and
then that this process is still there; it holds nothing alive.
"""

from __future__ import annotations

import asyncio
import os
import threading
import uuid
import weakref
from collections.abc import Callable
from typing import Protocol

from nimble_async._aio.hooks import logger
from nimble_async._aio.ports import Clock, SharedBudget
from nimble_async._sansio.shared_pacer import SharedPacer
from nimble_async._sansio.sharing import Ask

__all__ = ["Courier", "Waiting", "member_name"]

BEAT = 20.0
"""Seconds without a message after which an idle process reports."""
_SOON = 0.005
_LOST = 10.0
"""Seconds after which a message is given up: its loop stands still, or was closed under it."""


def member_name() -> str:
    """Return a name for this process among those that share a budget."""
    return uuid.uuid4().hex[:16]


class Waiting(Protocol):
    """Those who wait for what a courier brings: a throttle."""

    def look_again(self) -> None:
        """Take what was brought, and ask for more."""
        ...

    def wake_all(self) -> None:
        """Let every waiter look for itself."""
        ...


class Courier:
    """Takes a pacer's messages to the place that keeps its budget, on behalf of a throttle.

    Methods that end in _locked are called with the throttle's lock held, on a running loop.
    """

    def __init__(
        self,
        budget: SharedBudget,
        scope: str,
        *,
        pacer: SharedPacer,
        clock: Clock,
        throttle: Waiting,
        lock: threading.Lock,
    ) -> None:
        self._budget, self._scope = budget, scope
        self._pacer, self._clock = pacer, clock
        self._throttle = weakref.ref(throttle)
        self._lock = lock
        self._task: asyncio.Task[None] | None = None
        self._since = 0.0
        self._soon: asyncio.TimerHandle | None = None
        self._since_soon = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_loop: asyncio.AbstractEventLoop | None = None
        self._warned = False
        self._pid = 0

    def know_process_locked(self) -> None:
        """Give this process a name of its own, before its first message and once more after a fork."""
        pid = os.getpid()
        if pid != self._pid:
            self._pid = pid
            self._pacer.forked(member_name())
            self._task = self._soon = self._timer = None

    def given_up_locked(self, loop: asyncio.AbstractEventLoop) -> float | None:
        """Return when to send anew what another loop than `loop` has under way; None where it has nothing."""
        task = self._task
        return None if task is None or task.get_loop() is loop else self._since + _LOST

    def look_soon_locked(self, now: float) -> None:
        """Have somebody look in a moment. Not at once: who calls may be cancelled because its loop ends."""
        if self._soon is None or now - self._since_soon > _LOST:
            self._since_soon = now
            loop = asyncio.get_running_loop()
            self._soon = loop.call_later(_SOON, _look, weakref.ref(self))

    def look(self) -> None:
        """Let the throttle look, as was promised."""
        self._soon = None
        throttle = self._throttle()
        if throttle is not None:
            throttle.look_again()

    def look_locked(self, now: float, demand: int) -> None:
        """Send a message if there is one to send."""
        if self._task is not None and now - self._since < _LOST:
            return
        ask = self._pacer.ask(now, demand)
        if ask is not None:
            self._send_locked(ask, now)

    def _send_locked(self, ask: Ask, now: float) -> None:
        self._since = now
        self._task = asyncio.get_running_loop().create_task(self._deliver(ask))
        # Not in the task itself: where its loop ends first it never begins.
        self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Go on after a message: with the next one, or on another loop where this one ends."""
        with self._lock:
            if self._task is task:
                self._task = None
        throttle = self._throttle()
        if task.cancelled():
            if throttle is not None:
                throttle.wake_all()
            return
        self._rearm()
        if throttle is not None:
            throttle.look_again()

    async def _deliver(self, ask: Ask) -> None:
        """Send one message and hand its answer, or its failure, to the pacer."""
        sent = self._clock.monotonic()
        try:
            async with asyncio.timeout(_LOST):
                news = await self._budget.exchange(self._scope, ask)
        except Exception as error:
            with self._lock:
                self._pacer.lost(self._clock.monotonic(), self._clock.random())
            self._warn(error)
        else:
            with self._lock:
                self._pacer.heard(news, sent, self._clock.monotonic())
            self._reached()

    def _warn(self, error: Exception) -> None:
        if not self._warned:
            self._warned = True
            logger.warning(
                "A shared rate budget cannot be asked, so each process goes on with its share: %s", error
            )

    def _reached(self) -> None:
        if self._warned:
            self._warned = False
            logger.info("The shared rate budget %s answers again.", self._budget.name)

    # Signs of life

    def _rearm(self) -> None:
        loop = asyncio.get_running_loop()
        if self._timer is not None and self._timer_loop is loop:
            self._timer.cancel()
        self._timer_loop = loop
        self._timer = loop.call_later(BEAT, _beat, weakref.ref(self))

    def beat(self) -> None:
        """Report that this process is still there, unless something is under way."""
        with self._lock:
            if self._task is None:
                now = self._clock.monotonic()
                self._send_locked(self._pacer.beat(now), now)

    # The end

    async def aclose(self, *, idle: bool) -> None:
        """Let what is under way end, leave the budget if this process is idle, and close the connection."""
        await self._end_of_task()
        with self._lock:
            now = self._clock.monotonic()
            ask = self._pacer.farewell(now) if idle and self._task is None else None
            if ask is not None:
                self._send_locked(ask, now)
        await self._end_of_task()
        if self._timer is not None and self._timer_loop is asyncio.get_running_loop():
            self._timer.cancel()
            self._timer = None
        await self._budget.aclose()

    async def _end_of_task(self) -> None:
        task = self._task
        if task is not None and task.get_loop() is asyncio.get_running_loop():
            await asyncio.wait({task})
            await asyncio.sleep(0)  # what follows its end has been called then


def _look(courier: Callable[[], Courier | None]) -> None:
    held = courier()
    if held is not None:
        held.look()


def _beat(courier: Callable[[], Courier | None]) -> None:
    held = courier()
    if held is not None:
        held.beat()
