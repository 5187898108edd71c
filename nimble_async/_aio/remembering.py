"""What one run found out about an unknown limit, kept for the next.

Rule: a store that fails costs a line in the log and never a call. Nothing is waited for but the one
reading at the first call and the one writing at the end.
"""

from __future__ import annotations

import asyncio
import logging

from nimble_async._aio.ports import Clock, RateStore
from nimble_async._aio.throttle import Throttle
from nimble_async._sansio.ratesearch import Discovery
from nimble_async.errors import StoreError

__all__ = ["MemoryRateStore", "Remembering"]

_LOG = logging.getLogger("nimble_async")
_PAUSE = 60.0
"""Seconds between two writings of what is still being refined."""
_PATIENCE = 5.0
"""Seconds that a store may take: no call waits longer for what only makes it faster."""


class MemoryRateStore:
    """Keeps what was found as long as it lives itself: for several clients, one after another."""

    def __init__(self) -> None:
        self._found: dict[str, Discovery] = {}

    async def load(self, key: str) -> Discovery | None:
        """Return what was kept for a budget, or None."""
        return self._found.get(key)

    async def save(self, key: str, found: Discovery) -> None:
        """Keep it, over what was there."""
        self._found[key] = found

    async def forget(self, key: str) -> None:
        """Keep nothing for this budget."""
        self._found.pop(key, None)


class Remembering:
    """Carries one budget's discovery from a store to its throttle and back."""

    def __init__(self, store: RateStore, throttle: Throttle, clock: Clock, *, key: str) -> None:
        self._store, self._throttle, self._clock, self._key = store, throttle, clock, key
        self._asked = False
        self._saved: Discovery | None = None
        self._saved_at = 0.0
        self._task: asyncio.Task[None] | None = None

    async def recall(self, left: float | None = None) -> None:
        """At the first call, begin where an earlier run ended; what is too old is forgotten.

        It waits for the store a few seconds at most, and half of the `left` ones to its deadline.
        """
        if self._asked:
            return
        self._asked = True
        try:
            async with asyncio.timeout(_PATIENCE if left is None else min(left / 2, _PATIENCE)):
                await self._recall()
        except Exception as error:
            _LOG.warning("The remembered rate could not be read: %s", _said(error))
        except asyncio.CancelledError:
            self._asked = False
            raise

    async def _recall(self) -> None:
        found = await self._store.load(self._key)
        if found is None:
            return
        if found.usable(self._clock.wall()):
            self._throttle.recall(found)
        else:
            await self._store.forget(self._key)

    def noticed(self) -> None:
        """After an answer: keep what was found, if the search has settled on something new."""
        found = self._news()
        now = self._clock.monotonic()
        if found is None or (self._task is not None and not self._task.done()):
            return
        if self._saved is not None and now - self._saved_at < _PAUSE:
            return
        self._saved_at = now
        self._task = asyncio.create_task(self._save(found))

    async def aclose(self) -> None:
        """Keep the last of it."""
        task, self._task = self._task, None
        if task is not None and task.get_loop() is asyncio.get_running_loop():
            await asyncio.wait({task})
        found = self._news()
        if found is not None:
            await self._save(found)

    def _news(self) -> Discovery | None:
        """Return what is worth keeping and not kept yet."""
        found, saved = self._throttle.discovery(), self._saved
        if found is None or (saved is not None and (found.rate, found.block) == (saved.rate, saved.block)):
            return None
        return found

    async def _save(self, found: Discovery) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._store.save(self._key, found)
            self._saved = found
        except Exception as error:
            # Once is enough: the same disk refuses the next one too.
            self._saved = found
            _LOG.warning("The rate that was found could not be kept: %s", _said(error))


def _said(error: Exception) -> str:
    """Return what a store complained of, in one line."""
    return error.message if isinstance(error, StoreError) else f"{type(error).__name__} {error}".strip()
