"""The keyring store, on a keyring that keeps its entries in a file that is really encrypted."""

from __future__ import annotations

import asyncio
import sys
import threading

import pytest
from keyring.backends.fail import Keyring as NoKeyring
from keyring.backends.null import Keyring as NullKeyring
from keyrings.alt.file import PlaintextKeyring

from nimble_async.errors import ConfigurationError, StoreError
from nimble_async.stores.keyring import KeyringStore, KeyringVault
from nimble_async.testing.store_conformance import RULES, record
from tests.keyrings import UnattendedKeyring


@pytest.fixture
def backend(tmp_path, monkeypatch):
    """Give a real keyring without a desktop: a file, encrypted with a password that nobody is asked for."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return UnattendedKeyring()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
async def test_keyring_store_keeps_every_rule(rule, backend, tmp_path):
    """KeyringStore passes each rule of the conformance suite, through handles that share nothing else."""
    await rule(lambda: KeyringStore("conformance", backend=backend, folder=tmp_path / "locks"))


async def test_what_is_kept_is_not_on_the_disk_in_plain(backend, tmp_path):
    """Neither the keyring's file nor a lock file holds a token."""
    store = KeyringStore("entry", backend=backend, folder=tmp_path / "locks")
    assert await store.save(record())
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert written
    assert b"simaccess_" not in written
    assert b"simrefresh_" not in written
    assert (tmp_path / "locks").stat().st_mode & 0o077 == 0


async def test_entries_and_services_are_apart(backend, tmp_path):
    """An entry is one of its service; another name is another record, and another lock."""
    first = KeyringStore("one", backend=backend, folder=tmp_path)
    others = [
        KeyringStore("two", backend=backend, folder=tmp_path),
        KeyringStore("one", service="other", backend=backend, folder=tmp_path),
    ]
    await first.save(record())
    assert [await other.load() for other in others] == [None, None]
    async with first.lock(), others[0].lock(), others[1].lock():
        assert len({first.name, *(other.name for other in others)}) == 3
    assert repr(first) == "<KeyringStore keyring entry 'one' of nimble-async>"
    assert "one" in repr(first.vault)


class _Chain:
    """What `keyring` makes of several backends, or of none."""

    def __init__(self, *backends):
        self.backends = list(backends)

    def get_password(self, service, entry):
        return None


@pytest.mark.parametrize("backend", [NoKeyring(), NullKeyring(), _Chain()], ids=["fail", "null", "chain"])
async def test_a_machine_without_a_keyring_gets_one_clear_error(backend, tmp_path):
    """Reading and writing say that there is no keyring, and name the store that needs none."""
    store = KeyringStore("entry", backend=backend, folder=tmp_path)
    for attempt in (store.load(), store.save(record()), store.delete()):
        with pytest.raises(StoreError, match="no keyring that can be used") as told:
            await attempt
        assert "--store file" in told.value.hint


@pytest.mark.parametrize("chained", [False, True])
async def test_a_keyring_in_plain_text_is_not_written(chained, tmp_path, monkeypatch):
    """A backend that would write the token into a file in plain text is refused before it does."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    backend = PlaintextKeyring()
    store = KeyringStore("entry", backend=_Chain(backend) if chained else backend, folder=tmp_path / "locks")
    with pytest.raises(StoreError, match="plain text"):
        await store.save(record())
    assert not (tmp_path / "data").exists()


class _Locked:
    """A keyring whose every answer quotes what it was given, as a backend's error may."""

    def get_password(self, service: str, entry: str) -> str | None:
        return None

    def set_password(self, service: str, entry: str, text: str) -> None:
        raise RuntimeError(f"cannot store {text}")


async def test_a_backend_s_error_shows_no_secret(tmp_path):
    """Whatever a backend raises becomes one error, without the backend's own words."""
    store = KeyringStore("entry", backend=_Locked(), folder=tmp_path)
    with pytest.raises(StoreError, match="RuntimeError") as told:
        await store.save(record())
    assert "simaccess_" not in f"{told.value!r} {told.value.hint}"
    assert (told.value.__cause__, told.value.__context__) == (None, None)


class _Slow:
    """A keyring that waits for a person to unlock it."""

    def __init__(self) -> None:
        self.unlocked = threading.Event()

    def get_password(self, service: str, entry: str) -> str | None:
        self.unlocked.wait(10)
        return None


async def test_a_keyring_that_waits_blocks_no_loop(tmp_path):
    """While it waits for a person, other tasks of the loop go on."""
    backend = _Slow()
    loading = asyncio.create_task(KeyringStore("entry", backend=backend, folder=tmp_path).load())
    for _ in range(50):
        await asyncio.sleep(0.001)
    assert not loading.done()
    backend.unlocked.set()
    assert await loading is None


async def test_the_lock_is_waited_for_in_vain(backend, tmp_path):
    """A lock that another handle holds is given up after the patience, with a word on what to do."""
    patient = KeyringVault("entry", backend=backend, folder=tmp_path)
    hasty = KeyringVault("entry", backend=backend, folder=tmp_path, patience=0.02)
    async with patient.lock():
        with pytest.raises(StoreError, match="locked by another process"):
            async with hasty.lock():
                pass


async def test_lock_files_are_in_the_user_s_state_folder(backend, tmp_path, monkeypatch):
    """Without a folder of their own, lock files are where the platform keeps such things."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    await KeyringStore("entry", backend=backend).save(record())
    assert len(list((tmp_path / "state" / "nimble-async" / "locks").glob("*.lock"))) == 1


def test_without_the_package_the_extra_is_named(monkeypatch):
    """The keyring is an extra, and the error says how to get it."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigurationError, match=r"nimble-async\[keyring\]"):
        KeyringStore("entry")
