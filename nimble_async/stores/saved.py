"""The credentials of a saved login.

Rule: a profile's secrets go to the address it was saved for and to no other.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from typing import NoReturn, TypeAlias

from nimble_async._aio.credentials import ApiKey, OAuth
from nimble_async._aio.discretion import frameless
from nimble_async._aio.ports import Clock, Credentials, Proof, Transport
from nimble_async.errors import ConfigurationError, ReauthRequired
from nimble_async.stores.profiles import Place, Profile, ProfileStore, decode_profile, read_facts, vault_of

__all__ = ["LateLogin", "MakeKey", "check_address", "saved_login", "saved_profile"]

MakeKey: TypeAlias = Callable[[str], ApiKey]
"""Makes the credentials of a key in the vendor's own way."""


def saved_profile(place: Place) -> Profile | None:
    """Return the facts of a profile that is there; None also where the extra `cli` is not installed.

    Raises:
        StoreError: Its file cannot be used.
    """
    try:
        return read_facts(place)
    except ConfigurationError:
        return None


def check_address(place: Place, profile: Profile, base_url: str) -> None:
    """Refuse to use a profile elsewhere than where it was saved for.

    Raises:
        ConfigurationError: `base_url` is another address.
    """
    if base_url != profile.base_url:
        raise ConfigurationError(
            f"The saved login {place.name!r} is good for {profile.base_url} and not for {base_url}.",
            hint="Sign in there with a profile of its own, or pass a key.",
        )


@frameless
def saved_login(
    place: Place, profile: Profile, *, make_key: MakeKey, client_secret: str | None = None
) -> Credentials:
    """Return the credentials of a profile; where the keyring has its secrets they are read at first use.

    Args:
        place: Which profile.
        profile: Its facts.
        make_key: What a key becomes.
        client_secret: Stands for the saved one.

    Raises:
        ConfigurationError: The profile holds no key, or no client secret, or the extra `keyring` is missing.
        StoreError: The profile's file cannot be used.
    """
    if profile.kept == "keyring":
        return LateLogin(place, make_key=make_key, client_secret=client_secret)
    return _built(place, profile, make_key, client_secret)


def _built(place: Place, profile: Profile, make_key: MakeKey, client_secret: str | None) -> ApiKey | OAuth:
    secret = client_secret or (profile.client_secret.reveal() if profile.client_secret else "")
    if profile.kind == "key" and profile.key:
        return make_key(profile.key.reveal())
    if profile.kind == "key" or not secret:
        raise ConfigurationError(
            f"The saved login {place.name!r} is not whole.", hint="Sign in again: nimble-async login."
        )
    return OAuth(
        client_id=profile.client_id,
        client_secret=secret,
        redirect_uri=profile.redirect_uri,
        base_url=profile.base_url,
        state=profile.state,
        store=ProfileStore(place, client_id=profile.client_id),
    )


class LateLogin:
    """Credentials of a profile in the keyring: they are read, in a thread, when the first call is made.

    Args:
        place: Which profile.
        make_key: What a key becomes.
        client_secret: Stands for the saved one.

    Raises:
        ConfigurationError: The extra `keyring` is not installed.
    """

    def __init__(self, place: Place, *, make_key: MakeKey, client_secret: str | None = None) -> None:
        self._place, self._make_key = place, make_key
        self._client_secret = client_secret
        self._vault = vault_of(place, "keyring")
        self._scope = hashlib.sha256(f"profile\n{self._vault.name}".encode()).hexdigest()[:16]
        self._ports: list[tuple[Transport, Clock, str]] = []
        self._guard = threading.Lock()  # held for a few lines, never across an await
        self._opened: ApiKey | OAuth | None = None

    @property
    def scope(self) -> str:
        """A name for the profile that is no secret."""
        return self._scope

    @property
    def token_age(self) -> float | None:
        """Seconds since the token in use was obtained; None for a key, and before the first call."""
        return None if self._opened is None else self._opened.token_age

    async def proof(self) -> Proof:
        """Return the current proof.

        Raises:
            ReauthRequired: The login is gone for good, or the keyring has none.
            TokenRefreshFailed: The token is spent and no new one could be had.
            StoreError: The keyring cannot be read or written.
        """
        return await (await self._open()).proof()

    async def renew(self, rejected: Proof) -> bool:
        """After a 401: return whether a replay with a new `proof()` makes sense.

        Raises:
            ReauthRequired: The login is gone for good.
            TokenRefreshFailed: No new token could be had.
            StoreError: The keyring cannot be read or written.
        """
        return await (await self._open()).renew(rejected)

    def replayed(self, proof: Proof, *, accepted: bool) -> None:
        """Hear what became of a replay with a new token."""
        if self._opened is not None:
            self._opened.replayed(proof, accepted=accepted)

    def attach(self, transport: Transport, clock: Clock, *, base_url: str) -> None:
        """Be given what a renewal needs."""
        with self._guard:
            if self._opened is not None:
                self._opened.attach(transport, clock, base_url=base_url)
                return
            # A client attaches when it is built and again when it is entered.
            others = [port for port in self._ports if port[0] is not transport]
            self._ports = [*others, (transport, clock, base_url)]

    def detach(self, transport: Transport) -> None:
        """Renew through another open client from now on, where there is one."""
        with self._guard:
            self._ports = [port for port in self._ports if port[0] is not transport]
            if self._opened is not None:
                self._opened.detach(transport)

    async def aclose(self) -> None:
        """Wait until a running renewal is durable."""
        if self._opened is not None:
            await self._opened.aclose()

    @frameless
    async def _open(self) -> ApiKey | OAuth:
        if self._opened is not None:
            return self._opened
        data = await self._vault.read()
        if data is None:
            raise ReauthRequired("The keyring has no login of this profile.", hint="Sign in again.")
        built = _built(self._place, decode_profile(data), self._make_key, self._client_secret)
        with self._guard:
            # Another task may have been faster; there is one login, and one that renews it.
            if self._opened is None:
                for transport, clock, base_url in self._ports:
                    built.attach(transport, clock, base_url=base_url)
                self._ports, self._opened = [], built
            return self._opened

    def __repr__(self) -> str:
        """Show the profile; no secret."""
        return f"<LateLogin {self._place.crm}/{self._place.name}>"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled.

        Raises:
            TypeError: Always.
        """
        raise TypeError("Credentials cannot be pickled; build them where they are used.")
