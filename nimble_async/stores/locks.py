"""Locks on files that no dead process keeps, and blocking work off the loop.

The system drops such a lock when its holder dies. It is polled with a sleep: a loop is never
blocked, and a cancelled wait holds nothing.

A fork copies the descriptor, and with it the lock: it would be held until the child ends, too. So a
child closes at once what it was born with, and a holder lets go in words before it closes. What a
child inherited is not its to let go: that would take the lock from its parent.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar

from nimble_async.errors import StoreError

__all__ = ["in_thread", "locked", "refusal", "refusals"]

T = TypeVar("T")
_BUSY = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES}
_LOCKLESS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF}
"""What network file systems answer; the last where a folder cannot be locked."""


class _Held:
    """The descriptors of this process that hold a lock or wait for one."""

    def __init__(self) -> None:
        self._descriptors: set[int] = set()
        if hasattr(os, "register_at_fork"):  # POSIX
            os.register_at_fork(after_in_child=self._forked)

    def open(self, path: Path, flags: int) -> int:
        """Open what is to be locked."""
        descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
        self._descriptors.add(descriptor)
        return descriptor

    def close(self, descriptor: int) -> None:
        """Let go and close; nothing happens in a child of the process that opened it."""
        if descriptor not in self._descriptors:
            return
        self._descriptors.discard(descriptor)
        try:
            _unlock(descriptor)
        finally:
            os.close(descriptor)

    def _forked(self) -> None:
        inherited, self._descriptors = self._descriptors, set()
        for descriptor in inherited:
            with contextlib.suppress(OSError):
                os.close(descriptor)


# A fork copies the whole process, so that what to close there is known by the process.
_HELD = _Held()


@asynccontextmanager
async def locked(path: Path, flags: int, *, patience: float) -> AsyncIterator[None]:
    """Hold the system's lock on a file or folder, which is opened with `flags` for it.

    Leaving lets it go, as does death, whatever children were forked meanwhile. `patience` is seconds.

    Raises:
        StoreError: It could not be had in time, or cannot be opened.
    """
    with refusals(path, "lock"):
        descriptor = _HELD.open(path, flags)
    try:
        await _take(descriptor, path, patience)
        yield
    finally:
        _HELD.close(descriptor)


async def _take(descriptor: int, path: Path, patience: float) -> None:
    loop = asyncio.get_running_loop()
    until, pause = loop.time() + patience, 0.001
    while not _try_lock(descriptor, path):
        if loop.time() >= until:
            raise StoreError(
                f"{path} was locked by another process for {patience:g} s.",
                hint="See which process hangs, and end it.",
            )
        await asyncio.sleep(pause)
        pause = min(2 * pause, 0.05)


def _try_lock(descriptor: int, path: Path) -> bool:
    try:
        import fcntl
    except ImportError as error:  # pragma: no cover (Windows)
        raise StoreError("A token file needs a POSIX system.", hint="Keep the token in memory.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _BUSY:
            return False
        raise refusal(error, path, "lock") from error
    return True


def _unlock(descriptor: int) -> None:
    with contextlib.suppress(ImportError, OSError):  # closing it is the other way to let go
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_UN)


@contextmanager
def refusals(path: Path, verb: str) -> Iterator[None]:
    """Turn what the system refuses inside into a `StoreError`; `verb` is what was tried."""
    try:
        yield
    except OSError as error:
        raise refusal(error, path, verb) from error


def refusal(error: OSError, path: Path, verb: str) -> StoreError:
    """Return what the system refused, with what to do about it."""
    if error.errno in {errno.ELOOP, errno.EMLINK}:
        return StoreError(f"{path} is a symbolic link.", hint="Give the path of the file itself.")
    hints = {
        errno.EACCES: "Give yourself access to it, or choose another place.",
        errno.EROFS: "Choose a place on a disk that can be written.",
        errno.ENOSPC: "Free some space; what was stored is untouched.",
        errno.ENOTDIR: "A part of the path is a file; choose another place.",
    }
    hint = hints.get(error.errno or 0, "Choose another place.")
    if error.errno in _LOCKLESS and verb == "lock":
        hint = "This file system keeps no such lock; choose a place on a local disk."
    return StoreError(f"Cannot {verb} {path}: {os.strerror(error.errno or 0)}.", hint=hint)


async def in_thread(work: Callable[[], T]) -> T:
    """Do blocking work off the loop. Cancelled, wait for its end first: a thread cannot be stopped."""
    future = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        while not future.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({future})
        future.exception()
        raise
