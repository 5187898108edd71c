"""Saved logins: one profile a file, in the user's data folder, by vendor and name.

A profile holds all that a client needs: a key, or a token pair with the client id and secret that
renew it; and the address it is good for. It is written in one step, so a login is there whole or not
at all. Where the keyring keeps it, the file holds the facts that are no secret and says so.

Rule: names, paths and what is in a profile. Who may read the bytes is the vaults'.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from nimble_async._aio.discretion import frameless
from nimble_async._sansio.login import LoginRequest
from nimble_async._sansio.secret import Secret
from nimble_async._sansio.tokens import TokenRecord, decode_record, encode_record
from nimble_async.errors import ConfigurationError, StoreError
from nimble_async.stores.file import FileVault
from nimble_async.stores.folders import own_folder
from nimble_async.stores.locks import in_thread
from nimble_async.stores.vault import Vault, VaultStore

__all__ = [
    "Kept",
    "Place",
    "Profile",
    "ProfileStore",
    "decode_profile",
    "describe",
    "encode_profile",
    "forget",
    "keep_waiting",
    "profiles",
    "read_facts",
    "read_waiting",
    "save_profile",
    "vault_of",
]

Kept = Literal["file", "keyring"]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_WAIT = 600.0
"""Seconds for which a login that was begun may be ended by another process."""
_TAKEN = (".lock", ".login")
"""Ends of names that stand for something else in the folder."""


class Place(Struct, frozen=True, kw_only=True):
    """Which profile: of which vendor, under which name."""

    crm: str
    name: str = "default"

    def __post_init__(self) -> None:
        """Check the name.

        Raises:
            ConfigurationError: It cannot be a file's.
        """
        if not _NAME.fullmatch(self.name) or self.name.endswith(_TAKEN):
            raise ConfigurationError(
                f"{self.name!r} cannot be the name of a profile.",
                hint="Use letters, digits, dots, dashes and underscores, beginning with a letter or digit.",
            )

    @property
    def path(self) -> Path:
        """The file, which need not exist.

        Raises:
            ConfigurationError: The extra `cli` is not installed, or this user has no home.
        """
        return _folder(self.crm) / self.name

    @property
    def waiting(self) -> Path:
        """The file of a login that was begun and whose address is to come; it need not exist."""
        return self.path.with_name(f"{self.name}.login")


class Profile(Struct, frozen=True, kw_only=True):
    """A saved login. Secrets show as `***`; times are seconds since 1970."""

    crm: str
    kind: Literal["key", "oauth"]
    base_url: str
    """Where it is good; its secrets are sent to no other address."""
    kept: Kept = "file"
    key: Secret | None = None
    client_id: str = ""
    client_secret: Secret | None = None
    redirect_uri: str = ""
    state: Literal["required", "optional"] = "required"
    who: str = ""
    """Whose login it is, as the vendor told when it was saved."""
    saved: float = 0.0
    token: TokenRecord | None = None


class _Saved(Struct, kw_only=True, omit_defaults=True):
    """A profile as it is kept: the one form in which its secrets are plain."""

    version: int
    crm: str
    kind: Literal["key", "oauth"]
    base_url: str
    kept: Kept = "file"
    key: str | None = None
    client_id: str = ""
    client_secret: str | None = None
    redirect_uri: str = ""
    state: Literal["required", "optional"] = "required"
    who: str = ""
    saved: float = 0.0
    token: dict[str, Any] | None = None


def encode_profile(profile: Profile) -> bytes:
    """Return a profile as JSON, secrets in plain: for a vault to keep and for nothing else."""
    facts: dict[str, Any] = {name: getattr(profile, name) for name in profile.__struct_fields__}
    for name in ("key", "client_secret"):
        facts[name] = facts[name].reveal() if facts[name] else None
    facts["token"] = msgspec.json.decode(encode_record(profile.token)) if profile.token else None
    return msgspec.json.format(msgspec.json.encode(_Saved(version=1, **facts)), indent=1) + b"\n"


def decode_profile(data: bytes) -> Profile:
    """Read what `encode_profile` wrote.

    Raises:
        StoreError: It is something else, or was written by a later release.
    """
    try:
        saved = msgspec.json.decode(data, type=_Saved)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        saved = None
    if saved is None:
        # Raised out here it has no context: the decoder's message may quote what stood in the file.
        raise StoreError("A saved login cannot be read.", hint="Sign in again.")
    if saved.version != 1:
        raise StoreError(
            f"A saved login has version {saved.version}.", hint="Update this library, or sign in again."
        )
    facts: dict[str, Any] = {name: getattr(saved, name) for name in Profile.__struct_fields__}
    for name in ("key", "client_secret"):
        facts[name] = Secret(facts[name]) if facts[name] else None
    facts["token"] = decode_record(msgspec.json.encode(saved.token)) if saved.token else None
    return Profile(**facts)


class ProfileStore(VaultStore):
    """Keeps the token pair of one profile, with what else the profile holds.

    Args:
        place: Which profile.
        client_id: Whose token it is: another client's is neither used nor written over by a renewal.
        beginning: What a login that begins here writes beside its first token, over whatever is there.

    Raises:
        ConfigurationError: The extra `cli`, or `keyring` where it is kept there, is not installed.
        StoreError: The profile's file cannot be used.
    """

    def __init__(self, place: Place, *, client_id: str, beginning: Profile | None = None) -> None:
        super().__init__(vault_of(place, beginning.kept if beginning else None))
        self._place, self._client_id = place, client_id
        self._facts, self._beginning = beginning, beginning

    @frameless
    async def save(self, record: TokenRecord, *, expected: int | None = None) -> bool:
        """Store durably, as `VaultStore.save`; a login that begins here also leaves its facts.

        Raises:
            StoreError: It cannot be written.
        """
        beginning = self._beginning
        if beginning is None:
            return await super().save(record, expected=expected)
        before: Kept = await in_thread(lambda: _kept_now(self._place))
        if not await super().save(record, expected=expected):
            return False
        self._beginning = None
        await _settle(self._place, beginning, before)
        return True

    def _record_of(self, data: bytes) -> TokenRecord | None:
        if self._beginning is not None:
            # Whatever is there is about to be replaced; its generation is counted on, if there is one.
            return _token_in(data)
        profile = decode_profile(data)
        if profile.kind != "oauth" or profile.client_id != self._client_id:
            raise StoreError(
                f"The profile {self._place.name} was signed in again, with another client or a key.",
                hint="Start this program again; unset NIMBLE_CLIENT_ID where it names another client.",
            )
        return profile.token

    def _data_of(self, record: TokenRecord, kept: bytes | None) -> bytes:
        if self._beginning is not None:
            return encode_profile(replace(self._beginning, token=record))
        facts = self._facts if kept is None else decode_profile(kept)
        if facts is None:
            raise StoreError("The saved login was removed meanwhile.", hint="Sign in again.")
        return encode_profile(replace(facts, token=record))


def _token_in(data: bytes) -> TokenRecord | None:
    try:
        return decode_profile(data).token
    except StoreError:
        return None


@frameless
async def save_profile(place: Place, profile: Profile) -> None:
    """Keep a profile, over whatever is there, in one step. A running renewal is waited for.

    Raises:
        StoreError: It cannot be kept; what was there is untouched.
    """
    data, vault = encode_profile(profile), vault_of(place, profile.kept)
    before: Kept = await in_thread(lambda: _kept_now(place))
    async with vault.lock():
        await vault.change(lambda _: data)
        await _settle(place, profile, before)


async def _settle(place: Place, profile: Profile, before: Kept) -> None:
    """After a profile was kept: let its file say where, and forget what another vault kept."""
    if profile.kept == "keyring":
        facts = encode_profile(replace(profile, key=None, client_secret=None, token=None))
        await FileVault(place.path).change(lambda _: facts)
    elif before == "keyring":
        await vault_of(place, before).delete()
    await in_thread(lambda: place.waiting.unlink(missing_ok=True))


@frameless
async def describe(place: Place, who: str) -> None:
    """Note in a profile whose it is; nothing happens where it is gone.

    Raises:
        StoreError: It cannot be written.
    """

    def change(kept: bytes | None) -> bytes | None:
        return encode_profile(replace(decode_profile(kept), who=who)) if kept is not None else None

    await FileVault(place.path).change(change)


async def forget(place: Place) -> bool:
    """Remove a profile wherever it is kept; return whether there was one. A running renewal is waited for.

    Raises:
        StoreError: It cannot be removed.
    """
    path = place.path
    there = await in_thread(lambda: os.path.lexists(path))
    vault = vault_of(place, await in_thread(lambda: _kept_now(place)))
    if there:
        async with vault.lock():
            await vault.delete()
            await FileVault(path).delete()
    await in_thread(lambda: place.waiting.unlink(missing_ok=True))
    return there


def _kept_now(place: Place) -> Kept:
    """Return where a profile is kept; what cannot be read is a file in the way."""
    try:
        facts = read_facts(place)
    except StoreError:
        return "file"
    return facts.kept if facts else "file"


def vault_of(place: Place, kept: Kept | None = None) -> Vault:
    """Return where a profile is kept; `kept` None: where its file says, or the file itself.

    Raises:
        ConfigurationError: The extra `cli`, or `keyring`, is not installed.
        StoreError: The profile's file cannot be used.
    """
    if kept is None:
        facts = read_facts(place)
        kept = facts.kept if facts else "file"
    if kept == "keyring":
        from nimble_async.stores.keyring import KeyringVault

        return KeyringVault(f"{place.crm}/{place.name}")
    return FileVault(place.path)


@frameless
def read_facts(place: Place) -> Profile | None:
    """Return what the file of a profile says, or None; it is small, and read at once.

    Where the keyring keeps the profile, its secrets are not in here.

    Raises:
        StoreError: The file is open to others or no profile.
        ConfigurationError: The extra `cli` is not installed, or this user has no home.
    """
    vault = FileVault(place.path)
    data = vault.read_now()
    if data is None:
        return None
    try:
        return decode_profile(data)
    except StoreError as error:
        raise StoreError(f"{vault.shown}: {error.message}", hint=error.hint) from None


def profiles(crm: str) -> tuple[Place, ...]:
    """Return the profiles of a vendor that have a file, by name.

    Raises:
        ConfigurationError: The extra `cli` is not installed, or this user has no home.
    """
    folder = _folder(crm)
    if not folder.is_dir():
        return ()
    names = sorted(entry.name for entry in folder.iterdir())
    return tuple(
        Place(crm=crm, name=name) for name in names if _NAME.fullmatch(name) and not name.endswith(_TAKEN)
    )


class _Waiting(Struct, kw_only=True):
    """A login that was begun, until its redirected address comes."""

    version: int
    begun: float
    url: str
    state: str
    verifier: str


@frameless
async def keep_waiting(place: Place, login: LoginRequest, *, wall: float) -> None:
    """Keep what ends a login for another process; `wall` is seconds since 1970.

    Raises:
        StoreError: It cannot be written.
    """
    waiting = _Waiting(
        version=1, begun=wall, url=login.url, state=login.state, verifier=login.verifier.reveal()
    )
    await FileVault(place.waiting).change(lambda _: msgspec.json.encode(waiting))


@frameless
async def read_waiting(place: Place, *, wall: float) -> LoginRequest | None:
    """Return the login that was begun in the last ten minutes, or None; a profile that is saved ends it.

    Raises:
        StoreError: Its file is open to others or cannot be read.
    """
    data = await FileVault(place.waiting).read()
    try:
        waiting = msgspec.json.decode(data or b"", type=_Waiting)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    if waiting.version != 1 or not 0 <= wall - waiting.begun <= _WAIT:
        return None
    return LoginRequest(url=waiting.url, state=waiting.state, verifier=Secret(waiting.verifier))


def _folder(crm: str) -> Path:
    return own_folder("data") / "profiles" / crm
