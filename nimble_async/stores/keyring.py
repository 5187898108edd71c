"""Secret bytes in the system's keyring, for people at a desktop (extra `keyring`).

A keyring has no lock and cannot compare before it writes. Both are made beside it, with lock files
in the user's state folder: processes of one user on one machine are kept apart, as they share
one keyring. Its calls may wait for a person who unlocks it, so each runs in a thread.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from nimble_async.errors import ConfigurationError, StoreError
from nimble_async.stores.folders import own_folder
from nimble_async.stores.locks import in_thread, locked, refusals
from nimble_async.stores.vault import Change, VaultStore

__all__ = ["KeyringStore", "KeyringVault"]

T = TypeVar("T")
_NONE = ("keyring.backends.fail", "keyring.backends.null")
_PLAIN = "PlaintextKeyring"
_INSTEAD = "Install and unlock one (GNOME Keyring, KWallet), or keep the login in a file: --store file."


class KeyringStore(VaultStore):
    """Keeps one record in the system's keyring.

    Args:
        entry: The entry's name; stores of one name keep one record.
        service: The name under which the keyring lists it.
        backend: A keyring of the package `keyring`; None: the one that it chooses.
        folder: Where the lock files are; None: in the user's state folder.
        patience: Seconds to wait for a lock.

    Raises:
        ConfigurationError: The extra `keyring` is not installed.
    """

    def __init__(
        self,
        entry: str,
        *,
        service: str = "nimble-async",
        backend: Any = None,
        folder: str | Path | None = None,
        patience: float = 30.0,
    ) -> None:
        super().__init__(
            KeyringVault(entry, service=service, backend=backend, folder=folder, patience=patience)
        )


class KeyringVault:
    """Keeps bytes in one entry of the system's keyring; the arguments are those of `KeyringStore`.

    Raises:
        ConfigurationError: The extra `keyring` is not installed.
    """

    def __init__(
        self,
        entry: str,
        *,
        service: str = "nimble-async",
        backend: Any = None,
        folder: str | Path | None = None,
        patience: float = 30.0,
    ) -> None:
        self._keyring = _package("keyring")
        self._entry, self._service, self._backend = entry, service, backend
        self._folder = Path(folder) if folder is not None else _state_folder()
        self._lock_name = hashlib.sha256(f"{service}\n{entry}".encode()).hexdigest()[:16]
        self._patience = patience

    @property
    def name(self) -> str:
        """The entry: vaults of one name keep the same bytes."""
        return f"keyring {self._service} {self._entry}"

    @property
    def shown(self) -> str:
        """The entry."""
        return f"keyring entry {self._entry!r} of {self._service}"

    async def read(self) -> bytes | None:
        """Return what is kept, or None.

        Raises:
            StoreError: There is no keyring, or it does not give the entry.
        """
        return await in_thread(self._read)

    async def change(self, change: Change) -> bool:
        """Replace the entry by what `change` makes of it; return whether it was written.

        Raises:
            StoreError: There is no keyring, it keeps secrets in plain text, or it refuses.
        """
        async with self._locked("write"):
            return await in_thread(lambda: self._change(change))

    async def delete(self) -> None:
        """Remove the entry; nothing happens where there is none.

        Raises:
            StoreError: There is no keyring, or it refuses.
        """
        async with self._locked("write"):
            await in_thread(self._delete)

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[None]:
        """Keep every other task, loop and process out while a token is renewed.

        Raises:
            StoreError: It could not be had in time, or the lock file cannot be made.
        """
        async with self._locked("renew"):
            yield

    @asynccontextmanager
    async def _locked(self, purpose: str) -> AsyncIterator[None]:
        await in_thread(self._make_folder)
        path = self._folder / f"{self._lock_name}.{purpose}.lock"
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        async with locked(path, flags, patience=self._patience):
            yield

    def _make_folder(self) -> None:
        with refusals(self._folder, "make"):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _read(self) -> bytes | None:
        text = self._ask(lambda keyring: keyring.get_password(self._service, self._entry))
        return None if text is None else str(text).encode()

    def _change(self, change: Change) -> bool:
        data = change(self._read())
        if data is None:
            return False
        self._refuse_plain()
        text = data.decode()
        self._ask(lambda keyring: keyring.set_password(self._service, self._entry, text))
        return True

    def _delete(self) -> None:
        if self._read() is not None:
            self._ask(lambda keyring: keyring.delete_password(self._service, self._entry))

    def _ask(self, question: Callable[[Any], T]) -> T:
        """Ask the keyring; whatever its backend raises becomes one error of ours.

        Raises:
            StoreError: There is no keyring, or it failed.
        """
        backend = self._chosen()
        try:
            return question(backend)
        except Exception as error:
            failed = type(error).__name__
        # Raised out here it has no context: a backend's message may quote what it was given.
        raise StoreError(
            f"The keyring ({_kind(backend)}) failed: {failed}.",
            hint="Unlock it, or keep the login in a file: --store file.",
        )

    def _chosen(self) -> Any:
        backend = self._backend or self._keyring.get_keyring()
        # A chain without a link is what `keyring` makes of a machine that has no backend.
        if type(backend).__module__ in _NONE or not getattr(backend, "backends", [True]):
            raise StoreError("This machine has no keyring that can be used.", hint=_INSTEAD)
        return backend

    def _refuse_plain(self) -> None:
        """Refuse a backend that would write secrets to a file in plain text without saying so.

        Raises:
            StoreError: It is one.
        """
        backend = self._chosen()
        links = getattr(backend, "backends", None) or [backend]
        if type(links[0]).__name__ == _PLAIN:
            raise StoreError(
                f"The keyring here ({_kind(links[0])}) keeps secrets in plain text.", hint=_INSTEAD
            )

    def __repr__(self) -> str:
        """Show where it is; no secret."""
        return f"<KeyringVault {self.shown}>"


def _kind(backend: Any) -> str:
    return f"{type(backend).__module__}.{type(backend).__name__}"


def _state_folder() -> Path:
    return own_folder("state", extra="keyring") / "locks"


def _package(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise ConfigurationError(
            f"A login in the keyring needs the package {name}.",
            hint="Run: pip install 'nimble-async[keyring]'",
        ) from error
