"""The token store of a process that keeps nothing: for tests, and for `OAuth` without a store."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nimble_async._sansio.tokens import TokenRecord
from nimble_async.errors import StoreError

__all__ = ["MemoryStore"]


class MemoryStore:
    """Keeps one record in memory; safe across tasks, loops and threads of one process.

    Args:
        record: What is stored to begin with.
        patience: Seconds to wait for the lock.
    """

    def __init__(self, record: TokenRecord | None = None, *, patience: float = 30.0) -> None:
        self._record = record
        self._patience = patience
        self._guard = threading.Lock()
        self._renewing = threading.Lock()

    @property
    def name(self) -> str:
        """A name that no other store of this process has."""
        return f"memory {id(self):x}"

    async def load(self) -> TokenRecord | None:
        """Return what is stored, or None."""
        return self._record

    async def save(self, record: TokenRecord, *, expected: int | None = None) -> bool:
        """Store; with `expected`, only over that generation (0: where nothing is). Return whether it was."""
        with self._guard:
            stored = self._record.gen if self._record else 0
            if expected is not None and stored != expected:
                return False
            self._record = record
            return True

    async def delete(self) -> None:
        """Forget the record; nothing happens where there is none."""
        with self._guard:
            self._record = None

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[None]:
        """Keep every other task, loop and thread out.

        Raises:
            StoreError: It could not be had in time.
        """
        loop = asyncio.get_running_loop()
        until, pause = loop.time() + self._patience, 0.001
        # Polled, never waited for in a thread: a cancelled wait in a thread would still take the lock.
        while not self._renewing.acquire(blocking=False):
            if loop.time() >= until:
                raise StoreError(f"The token store was locked for {self._patience:g} s.")
            await asyncio.sleep(pause)
            pause = min(2 * pause, 0.05)
        try:
            yield
        finally:
            self._renewing.release()

    def __repr__(self) -> str:
        """Show the generation; no secret."""
        return f"<MemoryStore, generation {self._record.gen if self._record else 0}>"
