"""A vault keeps a few secret bytes; a store of token records is a way to read and write them.

Rule: what the bytes mean is decided here, where they lie and who else may touch them is the
vault's.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from nimble_async._aio.discretion import frameless
from nimble_async._sansio.tokens import TokenRecord, decode_record, encode_record
from nimble_async.errors import StoreError

__all__ = ["Change", "Vault", "VaultStore"]

Change = Callable[[bytes | None], bytes | None]
"""Given what is kept (None: nothing), returns what to keep instead, or None to leave it."""


class Vault(Protocol):
    """One place for secret bytes. Every method may be called from any event loop."""

    @property
    def name(self) -> str:
        """The place: vaults of one name keep the same bytes."""
        ...

    @property
    def shown(self) -> str:
        """The place as a message begins with it."""
        ...

    async def read(self) -> bytes | None:
        """Return what is kept, or None.

        Raises:
            StoreError: It cannot be read, or others could.
        """
        ...

    async def change(self, change: Change) -> bool:
        """Replace what is kept by what `change` makes of it, in one step for everybody, durably.

        Return whether something was written.

        Raises:
            StoreError: It cannot be written; what was there is untouched.
        """
        ...

    async def delete(self) -> None:
        """Forget it; nothing happens where there is nothing."""
        ...

    def lock(self) -> AbstractAsyncContextManager[None]:
        """Keep every other task, loop and process out while a token is renewed.

        Raises:
            StoreError: It could not be had in time.
        """
        ...


class VaultStore:
    """Keeps one token record in a vault, alone; a kind that keeps more beside it overrides two methods."""

    def __init__(self, vault: Vault) -> None:
        self.vault: Vault = vault

    @property
    def name(self) -> str:
        """The place: stores of one name keep one record."""
        return self.vault.name

    @frameless
    async def load(self) -> TokenRecord | None:
        """Return what is stored, or None.

        Raises:
            StoreError: It cannot be read, or others could read it.
        """
        return self._read(await self.vault.read())

    @frameless
    async def save(self, record: TokenRecord, *, expected: int | None = None) -> bool:
        """Store durably; with `expected`, only over that generation (0: only where nothing is).

        Return whether it was stored.

        Raises:
            StoreError: It cannot be written, or is one that `load` refuses; it is untouched.
        """

        def change(kept: bytes | None) -> bytes | None:
            if expected is not None and expected != _generation(self._read(kept)):
                return None
            return self._data_of(record, kept)

        return await self.vault.change(change)

    async def delete(self) -> None:
        """Forget the record; nothing happens where there is none.

        Raises:
            StoreError: It cannot be removed.
        """
        await self.vault.delete()

    def lock(self) -> AbstractAsyncContextManager[None]:
        """Keep every other task, loop and process out while a token is renewed.

        Raises:
            StoreError: It could not be had in time, or the lock file cannot be made.
        """
        return self.vault.lock()

    def _read(self, data: bytes | None) -> TokenRecord | None:
        if data is None:
            return None
        try:
            return self._record_of(data)
        except StoreError as error:
            raise StoreError(f"{self.vault.shown}: {error.message}", hint=error.hint) from None

    def _record_of(self, data: bytes) -> TokenRecord | None:
        """Return the record in what is kept."""
        return decode_record(data)

    def _data_of(self, record: TokenRecord, kept: bytes | None) -> bytes:
        """Return what to keep so that it holds `record`; `kept` is what is there."""
        del kept
        return encode_record(record)

    def __repr__(self) -> str:
        """Show where it is; no secret."""
        return f"<{type(self).__name__} {self.vault.shown}>"


def _generation(record: TokenRecord | None) -> int:
    return record.gen if record else 0
