"""Where the rate that was found out for an account outlives a process.

Rule: a small file of numbers for each budget, named by a hash of it. No address, key or token is
in it, and one that cannot be read is as good as none.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
from pathlib import Path

import msgspec
from msgspec import Struct

from nimble_async._aio.remembering import MemoryRateStore
from nimble_async._sansio.ratesearch import Discovery
from nimble_async.errors import StoreError
from nimble_async.stores.durable import replace_file

__all__ = ["FileRateStore", "MemoryRateStore"]

_LONGEST = 4096


class _Kept(Struct, frozen=True, kw_only=True):
    version: int
    found: Discovery


class FileRateStore:
    """Keeps what was found in files of a folder, one for each budget (mode 0600).

    Args:
        folder: Where; `~` is the user's home. It need not exist.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder: Path = Path(folder).expanduser().absolute()

    async def load(self, key: str) -> Discovery | None:
        """Return what was kept for a budget; None where nothing was, or nothing that makes sense.

        Raises:
            StoreError: The file is there and cannot be read.
        """
        data = await asyncio.to_thread(self._read, self._path(key))
        if data is None:
            return None
        try:
            kept = msgspec.json.decode(data, type=_Kept)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None
        return kept.found if kept.version == 1 else None

    async def save(self, key: str, found: Discovery) -> None:
        """Keep it durably, over what was there.

        Raises:
            StoreError: It cannot be written.
        """
        data = msgspec.json.encode(_Kept(version=1, found=found)) + b"\n"
        await asyncio.to_thread(self._write, self._path(key), data)

    async def forget(self, key: str) -> None:
        """Keep nothing for this budget.

        Raises:
            StoreError: The file cannot be removed.
        """
        await asyncio.to_thread(self._remove, self._path(key))

    def _path(self, key: str) -> Path:
        return self.folder / f"rate-{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"

    def _read(self, path: Path) -> bytes | None:
        try:
            # What is no file, a pipe say, would keep the thread waiting for ever.
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
            with os.fdopen(descriptor, "rb") as file:
                return file.read(_LONGEST) or None if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _refusal(error, path) from error

    def _write(self, path: Path, data: bytes) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(path, data)
        except OSError as error:
            raise _refusal(error, path) from error

    def _remove(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise _refusal(error, path) from error


def _refusal(error: OSError, path: Path) -> StoreError:
    return StoreError(
        f"{path} cannot be used: {error.strerror}.", hint="Choose another folder, or none: the rate is found."
    )
