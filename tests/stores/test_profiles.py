"""Saved logins: whole or not at all, read by their owner alone, used at their own address."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import stat
import sys
from collections.abc import Iterator

import keyring
import pytest
from msgspec.structs import replace

from nimble_async._aio.credentials import ApiKey, OAuth
from nimble_async._aio.ports import Proof
from nimble_async._sansio.login import make_login
from nimble_async._sansio.secret import Secret
from nimble_async.errors import ConfigurationError, ReauthRequired, StoreError
from nimble_async.stores.profiles import (
    Place,
    Profile,
    ProfileStore,
    decode_profile,
    describe,
    encode_profile,
    forget,
    keep_waiting,
    profiles,
    read_facts,
    read_waiting,
    save_profile,
    vault_of,
)
from nimble_async.stores.saved import LateLogin, check_address, saved_login, saved_profile
from nimble_async.testing.store_conformance import RULES, record
from tests.keyrings import UnattendedKeyring

BASE = "https://crm.example"
KEY = Profile(crm="nimble", kind="key", base_url=BASE, key=Secret("cAnArY-the-key"), who="Ada", saved=5.5)
LOGIN = Profile(
    crm="nimble", kind="oauth", base_url=BASE, client_id="id", client_secret=Secret("cAnArY-the-secret"),
    redirect_uri="http://127.0.0.1:1/callback", state="optional", saved=1.0,
)  # fmt: skip
IN_KEYRING = replace(LOGIN, kept="keyring")


@pytest.fixture
def place(tmp_path, monkeypatch) -> Iterator[Place]:
    """Give a profile of which nothing is there yet, and an encrypted keyring that asks nobody."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    before = keyring.get_keyring()
    keyring.set_keyring(UnattendedKeyring())
    yield Place(crm="nimble")
    keyring.set_keyring(before)


def _beginning(place: Place, profile: Profile = LOGIN) -> ProfileStore:
    return ProfileStore(place, client_id=profile.client_id, beginning=profile)


@pytest.mark.parametrize("profile", [KEY, LOGIN, replace(LOGIN, token=record(3)), IN_KEYRING])
def test_a_profile_comes_back_whole(profile):
    """Every member, secrets and token included, is read as it was written."""
    assert decode_profile(encode_profile(profile)) == profile
    shown = f"{profile!r} {profile!s}"
    assert all(secret not in shown for secret in ("cAnArY-the-key", "cAnArY-the-secret", "simaccess_"))


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"\xff", b'{"version": 1}', b'{"version": 2, "crm": "x", "kind": "key", "base_url": "x"}'],
)
def test_what_is_no_profile_is_refused_without_being_quoted(data):
    """Something else, or a later release's, is told as such."""
    with pytest.raises(StoreError, match=r"cannot be read|version 2"):
        decode_profile(data)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
async def test_profile_store_keeps_every_rule(rule, place):
    """A profile's store passes each rule of the conformance suite, for a login that begins anywhere."""
    await rule(lambda: _beginning(place))


async def test_a_login_is_written_in_one_step(place):
    """Facts and token arrive together; renewals later touch the token alone."""
    assert read_facts(place) is None
    await _beginning(place).save(record(1))
    assert read_facts(place) == replace(LOGIN, token=record(1))
    store = ProfileStore(place, client_id="id")
    assert await store.save(record(2), expected=1)
    assert read_facts(place) == replace(LOGIN, token=record(2))
    assert stat.S_IMODE(place.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
async def test_every_folder_that_is_made_is_its_owner_s(umask, place, tmp_path):
    """Nobody else can put another folder in the place of ours, however open the user's files are."""
    before = os.umask(umask)
    try:
        await save_profile(place, KEY)
    finally:
        os.umask(before)
    made = [folder for folder in place.path.parents if tmp_path in folder.parents]
    assert len(made) == 4
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in made} == {0o700}


async def test_a_new_login_counts_on_and_replaces_whatever_is_there(place):
    """The generation goes on from the old one; a key, another client or rubbish is replaced as well."""
    await _beginning(place).save(record(4))
    other = replace(LOGIN, client_id="other")
    store = _beginning(place, other)
    loaded = await store.load()
    assert loaded is not None
    assert loaded.gen == 4
    assert await store.save(record(5))
    assert read_facts(place) == replace(other, token=record(5))
    await save_profile(place, KEY)
    assert read_facts(place) == KEY
    place.path.write_bytes(b"rubbish")
    assert await _beginning(place).load() is None
    assert await _beginning(place).save(record(1))
    assert read_facts(place) == replace(LOGIN, token=record(1))


async def test_a_renewal_of_another_login_writes_nothing_over_it(place):
    """A program that still runs with the old login neither uses nor destroys the new one."""
    await _beginning(place).save(record(1))
    old = ProfileStore(place, client_id="id")
    for new in (replace(LOGIN, client_id="other", token=record(1)), KEY):
        await save_profile(place, new)
        with pytest.raises(StoreError, match="signed in again"):
            await old.load()
        with pytest.raises(StoreError, match="signed in again"):
            await old.save(record(2), expected=1)
        assert read_facts(place) == new
    await forget(place)
    assert not await old.save(record(2), expected=1)
    with pytest.raises(StoreError, match="removed meanwhile"):
        await old.save(record(2))
    assert read_facts(place) is None


async def test_the_keyring_has_the_secrets_and_the_file_the_facts(place, tmp_path):
    """With the keyring no file holds a secret, and each move from one to the other leaves none behind."""
    await _beginning(place).save(record(1))
    await _beginning(place, IN_KEYRING).save(record(1))
    assert read_facts(place) == replace(IN_KEYRING, client_secret=None)
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert all(secret not in written for secret in (b"cAnArY-the-secret", b"simaccess_", b"simrefresh_"))
    assert await ProfileStore(place, client_id="id").load() == record(1)
    vault = vault_of(place)
    await save_profile(place, KEY)
    assert await vault.read() is None
    await save_profile(place, replace(KEY, kept="keyring"))
    assert read_facts(place) == replace(KEY, kept="keyring", key=None)
    assert await forget(place)
    assert (await vault.read(), read_facts(place)) == (None, None)


async def test_forgetting_removes_whatever_is_there(place):
    """A profile, a broken one, and a login that was only begun are gone afterwards; nothing is no error."""
    assert not await forget(place)
    await save_profile(place, KEY)
    assert await forget(place)
    place.path.write_bytes(b"rubbish")
    place.waiting.write_bytes(b"{}")
    assert await forget(place)
    assert [path.name for path in place.path.parent.iterdir() if path.suffix != ".lock"] == []


async def test_forgetting_waits_for_a_renewal(place):
    """A running renewal ends before its profile is removed."""
    await _beginning(place).save(record(1))
    async with ProfileStore(place, client_id="id").lock():
        leaving = asyncio.create_task(forget(place))
        await asyncio.sleep(0.02)
        assert read_facts(place) is not None
    assert await leaving


async def test_profiles_are_listed_by_vendor(place):
    """Locks, logins that were only begun and unfinished files are no profiles."""
    assert profiles("nimble") == ()
    for name in ("work", "default"):
        await save_profile(Place(crm="nimble", name=name), KEY)
    (place.path.parent / ".default.abc.tmp").touch()
    place.waiting.touch()
    assert [found.name for found in profiles("nimble")] == ["default", "work"]
    assert profiles("activecampaign") == ()


async def test_whose_login_it_is_can_be_noted(place):
    """The note changes nothing else, and makes no profile where there is none."""
    await describe(place, "Ada")
    assert read_facts(place) is None
    await save_profile(place, replace(LOGIN, token=record(2)))
    await describe(place, "Ada")
    assert read_facts(place) == replace(LOGIN, token=record(2), who="Ada")


async def test_a_login_that_was_begun_can_be_ended_within_ten_minutes(place):
    """Another process finds state and verifier, for a while; a saved profile ends that."""
    begun = make_login(BASE, client_id="id", redirect_uri="x", scope=None, entropy=bytes(64))
    assert await read_waiting(place, wall=100.0) is None
    await keep_waiting(place, begun, wall=100.0)
    assert stat.S_IMODE(place.waiting.stat().st_mode) == 0o600
    for wall, there in ((99.0, False), (100.0, True), (700.0, True), (700.5, False)):
        assert (await read_waiting(place, wall=wall) == begun) == there
    place.waiting.write_bytes(json.dumps({**json.loads(place.waiting.read_bytes()), "version": 2}).encode())
    assert await read_waiting(place, wall=100.0) is None
    await keep_waiting(place, begun, wall=100.0)
    await _beginning(place).save(record(1))
    assert await read_waiting(place, wall=100.0) is None


async def test_the_credentials_of_a_profile_are_its_own(place):
    """A key becomes a key, a login an OAuth that renews with the saved secret, or the one that is given."""
    await save_profile(place, KEY)
    key = saved_login(place, KEY, make_key=ApiKey)
    assert await key.proof() == Proof("Authorization", Secret("Bearer cAnArY-the-key"))
    oauth = saved_login(place, LOGIN, make_key=ApiKey, client_secret="given")
    assert isinstance(oauth, OAuth)
    for unfinished in (replace(KEY, key=None), replace(LOGIN, client_secret=None)):
        with pytest.raises(ConfigurationError, match="not whole"):
            saved_login(place, unfinished, make_key=ApiKey)


def test_a_profile_is_used_at_its_own_address(place):
    """Its secrets are not sent anywhere else."""
    check_address(place, KEY, BASE)
    with pytest.raises(ConfigurationError, match=r"good for https://crm\.example and not for https://other"):
        check_address(place, KEY, "https://other.example")


def test_without_platformdirs_there_is_no_profile(place, monkeypatch):
    """A client without the extra `cli` reads the environment and no profile."""
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    assert saved_profile(place) is None


class _Transport:
    """A transport that is told apart by what it is."""


async def test_credentials_in_the_keyring_are_read_at_first_use(place):
    """Building them reads nothing; then one object serves every task, attached to what the client had."""
    kept = replace(KEY, kept="keyring")
    await save_profile(place, kept)
    facts = read_facts(place)
    assert facts is not None
    late = saved_login(place, facts, make_key=ApiKey)
    assert isinstance(late, LateLogin)
    late.attach(_Transport(), None, base_url=BASE)  # type: ignore[arg-type]  # a key needs neither
    proofs = await asyncio.gather(*(late.proof() for _ in range(5)))
    assert {proof.value.reveal() for proof in proofs} == {"Bearer cAnArY-the-key"}
    assert not await late.renew(proofs[0])
    late.replayed(proofs[0], accepted=True)
    late.attach(_Transport(), None, base_url=BASE)  # type: ignore[arg-type]  # a key needs neither
    late.detach(_Transport())  # type: ignore[arg-type]  # a key needs none
    await late.aclose()
    assert "cAnArY-the-key" not in f"{late!r} {late.scope}"
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(late)


async def test_a_keyring_without_the_entry_says_so(place):
    """Where the keyring was emptied, the person signs in again."""
    await save_profile(place, replace(KEY, kept="keyring"))
    late = LateLogin(place, make_key=ApiKey)
    late.replayed(Proof("a", Secret("b")), accepted=False)
    late.detach(_Transport())  # type: ignore[arg-type]  # there is none
    await late.aclose()
    await vault_of(place).delete()
    with pytest.raises(ReauthRequired, match="keyring has no login"):
        await late.proof()
