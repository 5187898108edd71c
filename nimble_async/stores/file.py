"""Secret bytes in one file that only its owner can read, safe across processes.

Two locks, both of the kind that the system drops when a process dies. The lock file beside the
file (`NAME.lock`, never removed) is held through a whole renewal. The folder itself is locked for
the moment of one compare-and-write, so that `save` is right also without the first.
"""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from nimble_async.errors import StoreError
from nimble_async.stores.durable import Trace, fsync_folder, replace_file, sweep_leftovers
from nimble_async.stores.locks import in_thread, locked, refusal, refusals
from nimble_async.stores.vault import Change, VaultStore

__all__ = ["FileStore", "FileVault"]

_LONGEST = 64 * 1024


class FileStore(VaultStore):
    """Keeps one record in the file `path` (mode 0600); a folder it has to make is 0700.

    Args:
        path: The token file; `~` is the user's home. It need not exist. Its folder may be a symbolic
            link, the file itself may not.
        patience: Seconds to wait for a lock.
        trace: Told of each durable step of a write, for tests.
    """

    def __init__(self, path: str | Path, *, patience: float = 30.0, trace: Trace | None = None) -> None:
        vault = FileVault(path, patience=patience, trace=trace)
        super().__init__(vault)
        self.path: Path = vault.path


class FileVault:
    """Keeps bytes in the file `path` (mode 0600); a folder it has to make is 0700.

    Args:
        path: The file; `~` is the user's home. It need not exist.
        patience: Seconds to wait for a lock.
        trace: Told of each durable step of a write, for tests.
    """

    def __init__(self, path: str | Path, *, patience: float = 30.0, trace: Trace | None = None) -> None:
        self.path: Path = Path(path).expanduser().absolute()
        self._patience = patience
        self._trace = trace

    @property
    def name(self) -> str:
        """The path: vaults of one name keep the same bytes."""
        return f"file {self.path}"

    @property
    def shown(self) -> str:
        """The path."""
        return str(self.path)

    async def read(self) -> bytes | None:
        """Return what is kept, or None.

        Raises:
            StoreError: As `read_now`.
        """
        return await in_thread(self.read_now)

    async def change(self, change: Change) -> bool:
        """Replace the file by what `change` makes of it; return whether it was written.

        Raises:
            StoreError: The file cannot be written, or is one that `read` refuses; it is untouched.
        """
        await in_thread(self._make_folder)
        async with self._folder_locked():
            return await in_thread(lambda: self._change(change))

    async def delete(self) -> None:
        """Remove the file; nothing happens where there is none.

        Raises:
            StoreError: The folder does not allow it.
        """
        if not self.path.parent.is_dir():
            return
        async with self._folder_locked():
            await in_thread(self._delete)

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[None]:
        """Keep every other task, loop and process out while a token is renewed.

        Raises:
            StoreError: It could not be had in time, or the lock file cannot be made.
        """
        await in_thread(self._make_folder)
        beside = self.path.with_name(f"{self.path.name}.lock")
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        async with locked(beside, flags, patience=self._patience):
            yield

    @asynccontextmanager
    async def _folder_locked(self) -> AsyncIterator[None]:
        # The folder may be a link, as for reading; the file and its lock file may not.
        async with locked(self.path.parent, os.O_RDONLY | os.O_DIRECTORY, patience=self._patience):
            yield

    def _make_folder(self) -> None:
        folder = self.path.parent
        with refusals(folder, "make"):
            # Above it, too: who may write there could put another folder in its place.
            for missing in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
                missing.mkdir(mode=0o700, exist_ok=True)
                fsync_folder(missing.parent)
        mode = folder.stat().st_mode
        if mode & 0o022 and not mode & stat.S_ISVTX:
            raise StoreError(
                f"The folder {folder} can be written by others, who could put another token there.",
                hint=f"Run: chmod 700 {folder}",
            )

    def read_now(self) -> bytes | None:
        """Return what is kept, or None; for a caller that may block.

        Raises:
            StoreError: The file is no regular file, belongs to or is open to others, or cannot be read.
        """
        try:
            # Without O_NONBLOCK, opening a pipe that lies there would wait for ever.
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise refusal(error, self.path, "read") from error
        try:
            self._check(os.fstat(descriptor))
            with refusals(self.path, "read"):
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

    def _change(self, change: Change) -> bool:
        # What must not be read must not be written over either: it may be somebody else's.
        data = change(self.read_now())
        if data is None:
            return False
        if len(data) >= _LONGEST:
            raise StoreError(f"What was to be kept in {self.path} is too large for it.")
        with refusals(self.path, "write"):
            sweep_leftovers(self.path)
            replace_file(self.path, data, 0o600, trace=self._trace)
        return True

    def _delete(self) -> None:
        with refusals(self.path, "remove"):
            self.path.unlink(missing_ok=True)
            sweep_leftovers(self.path)
            fsync_folder(self.path.parent)

    def __repr__(self) -> str:
        """Show where it is; no secret."""
        return f"<FileVault {self.path}>"
