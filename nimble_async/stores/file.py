"""One token record in one file that only its owner can read, safe across processes.

Two locks, both of the kind that the system drops when a process dies. The lock file beside the
token file (`NAME.lock`, never removed) is held through a whole renewal. The folder itself is
locked for the moment of one compare-and-write, so that `save` is right also without the first.
Both are polled with a sleep: a loop is never blocked, and a cancelled wait holds nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar

from nimble_async._sansio.tokens import TokenRecord, decode_record, encode_record
from nimble_async.errors import StoreError
from nimble_async.stores.durable import Trace, fsync_folder, replace_file, sweep_leftovers

__all__ = ["FileStore"]

T = TypeVar("T")
_LONGEST = 64 * 1024
_BUSY = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES}


class FileStore:
    """Keeps one record in the file `path` (mode 0600); a folder it has to make is 0700.

    Args:
        path: The token file; `~` is the user's home. It need not exist.
        patience: Seconds to wait for a lock.
        trace: Told of each durable step of a write, for tests.
    """

    def __init__(self, path: str | Path, *, patience: float = 30.0, trace: Trace | None = None) -> None:
        self.path: Path = Path(path).expanduser().absolute()
        self._patience = patience
        self._trace = trace

    @property
    def name(self) -> str:
        """The path: stores of one name keep one record."""
        return f"file {self.path}"

    async def load(self) -> TokenRecord | None:
        """Return what is stored, or None.

        Raises:
            StoreError: The file is no regular file, belongs to or is open to others, or cannot be read.
        """
        return await _in_thread(self._load)

    async def save(self, record: TokenRecord, *, expected: int | None = None) -> bool:
        """Store durably; with `expected`, only over that generation (0: only where nothing is).

        Return whether it was stored.

        Raises:
            StoreError: The file cannot be written, or is one that `load` refuses; it is untouched.
        """
        data = encode_record(record)
        await _in_thread(self._make_folder)
        async with self._held(self.path.parent, os.O_RDONLY | os.O_DIRECTORY):
            return await _in_thread(lambda: self._save(data, expected))

    async def delete(self) -> None:
        """Remove the file; nothing happens where there is none.

        Raises:
            StoreError: The folder does not allow it.
        """
        if not self.path.parent.is_dir():
            return
        async with self._held(self.path.parent, os.O_RDONLY | os.O_DIRECTORY):
            await _in_thread(self._delete)

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[None]:
        """Keep every other task, loop and process out while a token is renewed.

        Raises:
            StoreError: It could not be had in time, or the lock file cannot be made.
        """
        await _in_thread(self._make_folder)
        beside = self.path.with_name(f"{self.path.name}.lock")
        async with self._held(beside, os.O_RDWR | os.O_CREAT):
            yield

    @asynccontextmanager
    async def _held(self, path: Path, flags: int) -> AsyncIterator[None]:
        """Hold the system's lock on a file or folder; closing the descriptor lets it go, as does death."""
        with _refusals(path, "lock"):
            descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            await self._take(descriptor, path)
            yield
        finally:
            os.close(descriptor)

    async def _take(self, descriptor: int, path: Path) -> None:
        loop = asyncio.get_running_loop()
        until, pause = loop.time() + self._patience, 0.001
        while not _try_lock(descriptor, path):
            if loop.time() >= until:
                raise StoreError(
                    f"{path} was locked by another process for {self._patience:g} s.",
                    hint="See which process hangs, and end it.",
                )
            await asyncio.sleep(pause)
            pause = min(2 * pause, 0.05)

    def _make_folder(self) -> None:
        folder = self.path.parent
        with _refusals(folder, "make"):
            if not folder.is_dir():
                folder.parent.mkdir(parents=True, exist_ok=True)
                folder.mkdir(mode=0o700, exist_ok=True)
                fsync_folder(folder.parent)
        mode = folder.stat().st_mode
        if mode & 0o022 and not mode & stat.S_ISVTX:
            raise StoreError(
                f"The folder {folder} can be written by others, who could put another token there.",
                hint=f"Run: chmod 700 {folder}",
            )

    def _load(self) -> TokenRecord | None:
        data = self._read()
        if data is None:
            return None
        try:
            return decode_record(data)
        except StoreError as error:
            raise StoreError(f"{self.path}: {error.message}", hint=error.hint) from None

    def _read(self) -> bytes | None:
        try:
            # Without O_NONBLOCK, opening a pipe that lies there would wait for ever.
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _refusal(error, self.path, "read") from error
        try:
            self._check(os.fstat(descriptor))
            with _refusals(self.path, "read"):
                return os.read(descriptor, _LONGEST)
        finally:
            os.close(descriptor)

    def _check(self, facts: os.stat_result) -> None:
        """Refuse a file that others can read or made; what is open is looked at, so nobody can swap it."""
        path = self.path
        if not stat.S_ISREG(facts.st_mode):
            raise StoreError(f"{path} is not a regular file.", hint="Remove it and sign in again.")
        if facts.st_uid != os.geteuid():
            raise StoreError(f"{path} belongs to another user.", hint="Sign in into a file of your own.")
        if facts.st_mode & 0o077:
            raise StoreError(
                f"{path} can be read or written by others (mode {stat.S_IMODE(facts.st_mode):03o}).",
                hint=f"Run: chmod 600 {path} (and sign in again if others may have read it).",
            )
        if facts.st_size >= _LONGEST:
            raise StoreError(f"{path} is too large for a token record.", hint="Remove it and sign in again.")

    def _save(self, data: bytes, expected: int | None) -> bool:
        # What must not be read must not be written over either: it may be somebody else's.
        if expected is None:
            self._read()
        elif expected != _generation(self._load()):
            return False
        with _refusals(self.path, "write"):
            sweep_leftovers(self.path)
            replace_file(self.path, data, 0o600, trace=self._trace)
        return True

    def _delete(self) -> None:
        with _refusals(self.path, "remove"):
            self.path.unlink(missing_ok=True)
            sweep_leftovers(self.path)
            fsync_folder(self.path.parent)

    def __repr__(self) -> str:
        """Show where it is; no secret."""
        return f"<FileStore {self.path}>"


def _generation(record: TokenRecord | None) -> int:
    return record.gen if record else 0


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
        raise _refusal(error, path, "lock") from error
    return True


@contextmanager
def _refusals(path: Path, verb: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _refusal(error, path, verb) from error


def _refusal(error: OSError, path: Path, verb: str) -> StoreError:
    if error.errno in {errno.ELOOP, errno.EMLINK}:
        return StoreError(f"{path} is a symbolic link.", hint="Give the path of the file itself.")
    hints = {
        errno.EACCES: "Give yourself access to it, or choose another place.",
        errno.EROFS: "Choose a place on a disk that can be written.",
        errno.ENOSPC: "Free some space; what was stored is untouched.",
        errno.ENOTDIR: "A part of the path is a file; choose another place.",
    }
    hint = hints.get(error.errno or 0, "Choose another place.")
    return StoreError(f"Cannot {verb} {path}: {os.strerror(error.errno or 0)}.", hint=hint)


async def _in_thread(work: Callable[[], T]) -> T:
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
