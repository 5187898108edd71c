"""Who we are: a key, or a token pair that is renewed behind the caller's back.

How `OAuth` spares its callers the wait and the token server the crowd:

- A call in the last fifth of a token's life starts a flight in the background and goes on with
  the old token; only a spent one is waited for. While nothing is called nothing is renewed.
- One flight at a time; it is a task of its own, which no caller can cancel (see `flight`).
- Everything is counted in generations. A 401 is about the generation that was sent: where that
  is past there is nothing to renew.
- A 401 on a replay is doubt: then a 401 renews nothing for a while (`_sansio.tokens.Doubt`).
- Clients may share one login and close in any order: see `attached`.
- In a process age is counted on the monotonic clock; `_sansio.tokens.age_of` does the rest.

What a flight does is in `keeper`.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import secrets
import threading
from collections.abc import Callable, Mapping
from typing import Any, Literal, NoReturn

from nimble_async._aio.attached import Attached, Ports
from nimble_async._aio.discretion import frameless
from nimble_async._aio.flight import Flight, again
from nimble_async._aio.hooks import logger
from nimble_async._aio.keeper import Held, Keeper
from nimble_async._aio.memory import MemoryStore
from nimble_async._aio.ports import Clock, Proof, TokenStore, Transport
from nimble_async._sansio.address import base_address
from nimble_async._sansio.grants import exchange_request, first_record, read_grant, refresh_request
from nimble_async._sansio.login import (
    LoginRequest,
    check_issuer,
    check_state,
    is_code,
    make_login,
    read_redirect,
)
from nimble_async._sansio.message import Request
from nimble_async._sansio.secret import Secret
from nimble_async._sansio.tokens import Doubt, Stage, TokenRecord
from nimble_async.errors import (
    ConfigurationError,
    CredentialsError,
    CrmError,
    LoginRefused,
    TokenRefreshFailed,
)

__all__ = ["ApiKey", "OAuth"]

_BASE_URL = "https://app.nimble.com"
_AUTHORIZE = "/oauth/authorize"
_TOKEN = "/api/oauth/token"
_CLOSE_LIMIT = 20.0
"""Seconds `aclose` waits for a flight."""
_FAILURE_STANDS = 1.0
"""Seconds for which a failed renewal answers every call, so that a crowd asks once."""
_LONGEST_PAUSE = 30.0
"""Seconds between two renewals in the background while the token server fails."""
_LOGINS = 100
_USED = 1000
"""States that ended a login and are remembered, so that they end no other."""


class ApiKey:
    """A key of the vendor's settings page; it is never renewed.

    Args:
        key: The key as the vendor shows it.
        header: The header it travels in.
        prefix: What stands before it there.
        origin: Where a person finds it.

    Raises:
        ConfigurationError: The key is empty or holds what no header may hold.
    """

    @frameless
    def __init__(
        self,
        key: str,
        *,
        header: str = "Authorization",
        prefix: str = "Bearer ",
        origin: str = "Nimble: Settings > API Token",
    ) -> None:
        key = str(key or "").strip()
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise ConfigurationError(
                "The API key is empty or holds characters that no key has.",
                hint=f"Copy it again from {origin}.",
            )
        self._header = header
        self._proof = Proof(header, Secret(prefix + key))
        self._scope = _name_of("key", key)

    @property
    def scope(self) -> str:
        """A name for the key from which it cannot be found."""
        return self._scope

    @property
    def token_age(self) -> None:
        """None: a key has no age."""
        return

    async def proof(self) -> Proof:
        """Return the header."""
        return self._proof

    async def renew(self, rejected: Proof) -> bool:
        """Return False: a key that was refused stays refused."""
        return False

    def replayed(self, proof: Proof, *, accepted: bool) -> None:
        """Do nothing: a key is never replayed."""

    def attach(self, transport: Transport, clock: Clock, *, base_url: str) -> None:
        """Do nothing: a key needs none of these."""

    def detach(self, transport: Transport) -> None:
        """Do nothing: a key holds none."""

    async def aclose(self) -> None:
        """Do nothing: nothing runs in the background."""

    def __repr__(self) -> str:
        """Show the header's name; no secret."""
        return f"<ApiKey in {self._header}>"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled.

        Raises:
            TypeError: Always.
        """
        raise TypeError("Credentials cannot be pickled; build them where they are used.")


class OAuth:
    """A login by OAuth 2.0 (authorization code), renewed in the background and kept in a store.

    Clients, event loops and threads of a process may share one; processes share a login by stores
    of the same place, such as a `FileStore` of one path.

    Args:
        client_id: From the vendor.
        client_secret: From the vendor.
        redirect_uri: The registered address.
        token: A login to begin with: the members of a token answer (`access_token`, ...), the text
            of a refresh token, or a `TokenRecord`. What the store has goes before it, unless that
            is dead and this is another login.
        store: Where the pair is kept; None: in memory, so that it ends with the process.
        base_url: Where the consent page and the token server are; None: where the client talks to.
        scope: What to ask for, as the vendor spells it.
        state: `"optional"` for a server that does not send `state` back; a wrong one is always refused.
        entropy: Gives random bytes.

    Raises:
        ConfigurationError: An argument is empty, or the base URL cannot be used.
    """

    @frameless
    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        redirect_uri: str = "",
        token: TokenRecord | Mapping[str, Any] | str | None = None,
        store: TokenStore | None = None,
        base_url: str | None = None,
        scope: str | None = "basic,contacts,deals",
        state: Literal["required", "optional"] = "required",
        entropy: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        if not client_id or not client_secret:
            raise ConfigurationError("OAuth needs a client_id and a client_secret.")
        if not (_is_plain(client_id) and _is_plain(client_secret)):
            raise ConfigurationError("The client_id or client_secret holds characters that none has.")
        if state not in {"required", "optional"}:
            raise ConfigurationError(f"OAuth takes state='required' or 'optional', not {state!r}.")
        store = MemoryStore() if store is None else store
        self._client_id = client_id
        self._client_secret = Secret(client_secret)
        self._redirect_uri = redirect_uri
        self._keeper = Keeper(store, seed=_seed(token), request=self._refresh_request)
        self._base_url = base_address(base_url) if base_url else None
        self._asked = scope
        self._state_required = state == "required"
        self._entropy = entropy
        self._scope = _name_of("oauth", client_id, getattr(store, "name", f"{id(store):x}"))
        self._attached = Attached()
        self._doubt = Doubt()
        self._guard = threading.Lock()  # held for a few lines, never across an await
        self._flight: Flight[None] | None = None
        self._login_flight: Flight[TokenRecord] | None = None
        self._failure: CredentialsError | None = None
        self._failures = 0
        self._failed_at = -math.inf
        self._logins: dict[str, LoginRequest] = {}
        self._used: dict[str, None] = {}

    @property
    def scope(self) -> str:
        """A name for this login that is no secret: one for each client id and store."""
        return self._scope

    @property
    def token_age(self) -> float | None:
        """Seconds since the token in use was obtained; None while none is known, or no client is open."""
        held, ports = self._keeper.held, self._attached.current()
        if held is None or ports is None or held.record.access == Secret(""):
            return None
        return max(0.0, ports.clock.monotonic() - held.obtained)

    def attach(self, transport: Transport, clock: Clock, *, base_url: str) -> None:
        """Be given what a renewal needs; the client that was built last is the one that renews."""
        with self._guard:
            self._attached.add(Ports(transport, clock, base_url))

    def detach(self, transport: Transport) -> None:
        """Renew through another open client from now on, where there is one."""
        with self._guard:
            self._attached.remove(transport)

    async def proof(self) -> Proof:
        """Return the current proof; starts a renewal in the background when one is due.

        Raises:
            ReauthRequired: The login is gone for good, or there is none.
            TokenRefreshFailed: The token is spent and no new one could be had.
            StoreError: The store cannot be read or written.
        """
        held = self._keeper.held
        if held is not None:
            now = self._needed()[1].monotonic()
            stage = held.stage(now)
            if stage is Stage.DUE and now >= self._failed_at + min(_LONGEST_PAUSE, 2.0**self._failures):
                self._fly(held.record.gen)
            if stage in {Stage.GOOD, Stage.DUE}:
                return held.proof
        return (await self._land(self._keeper.generation)).proof

    async def renew(self, rejected: Proof) -> bool:
        """After a 401: return whether a replay with a new `proof()` makes sense.

        A generation is renewed once, however many calls of it were refused, and none for a while
        after replays with a new token were refused, too.

        Raises:
            ReauthRequired: The login is gone for good.
            TokenRefreshFailed: No new token could be had.
            StoreError: The store cannot be read or written.
        """
        held, clock = self._keeper.held, self._needed()[1]
        if held is None or held.record.gen <= rejected.generation:
            if not self._doubt.allows(clock.monotonic()):
                return False
            self._keeper.refused(clock)
            held = await self._land(rejected.generation)
        return held.record.gen > rejected.generation

    def replayed(self, proof: Proof, *, accepted: bool) -> None:
        """Hear what became of a replay with a new token."""
        now = self._needed()[1].monotonic()
        with self._guard:
            self._doubt = self._doubt.after(proof.generation, accepted=accepted, now=now)

    async def aclose(self) -> None:
        """Wait until a running renewal is durable, 20 seconds at most. It may be used again afterwards.

        A new pair that the store would not take is offered to it once more.
        """
        try:
            async with asyncio.timeout(_CLOSE_LIMIT):
                for flight in (self._flight, self._login_flight):
                    if flight is not None and not flight.stranded:
                        await flight.wait()
                last = self._fly(self._keeper.generation) if self._keeper.owes_its_store else None
                if last is not None:
                    await last.wait()
        except (TimeoutError, TokenRefreshFailed):
            logger.warning("A token renewal had not ended when its client closed.")

    # --- the login ---

    def authorization_url(self, *, scope: str | None = None) -> LoginRequest:
        """Begin a login: send the person to `.url` of what is returned (its `str` is that address).

        This object remembers the last hundred it began. Where the person may come back to another
        process, keep what is returned in the person's session and hand it to `exchange`.

        Raises:
            ConfigurationError: No redirect_uri is known.
        """
        if not self._redirect_uri:
            raise ConfigurationError("A login needs the redirect_uri that is registered with the vendor.")
        login = make_login(
            self._base() + _AUTHORIZE,
            client_id=self._client_id,
            redirect_uri=self._redirect_uri,
            scope=scope or self._asked,
            entropy=self._entropy(64),
        )
        with self._guard:
            self._logins[login.state] = login
            while len(self._logins) > _LOGINS:
                del self._logins[next(iter(self._logins))]
        return login

    @frameless
    async def exchange(
        self, code: str, *, state: str | None = None, login: LoginRequest | None = None
    ) -> TokenRecord:
        """End a login: trade what came back for a token pair, store it and use it from now on.

        Args:
            code: The whole address the vendor redirected to, or its `code` alone.
            state: The `state` that came back, where only the code is given.
            login: What `authorization_url` returned, where that was another object or process. It is
                good once here (the last thousand are remembered); forget it there when it was used.

        Raises:
            LoginRefused: The login was denied, came back from another server, its state is wrong or used
                up, or the code is spent.
            TokenRefreshFailed: The token server gave no usable answer.
            StoreError: The pair could not be stored.
            ConfigurationError: No client was built with these credentials.
        """
        transport, clock = self._needed()
        code = code.strip()
        if not code or not code.isprintable():
            raise LoginRefused("No code came back.", hint="Pass the whole redirected address.")
        secret = Secret(code)
        if not is_code(code):
            redirected = read_redirect(code)
            check_issuer(redirected.issuer, self._base())
            secret, state = redirected.code, redirected.state
        login = self._take_login(state, login)
        request = exchange_request(
            self._base() + _TOKEN,
            client_id=self._client_id,
            client_secret=self._client_secret,
            redirect_uri=self._redirect_uri,
            code=secret,
            verifier=login.verifier if login else None,
        )
        # A flight too: a caller that is cancelled must not lose the answer on its way to the store.
        self._login_flight = flight = Flight(lambda: self._keeper.begin(request, transport, clock))
        flight.start()
        record = await flight.landed()
        with self._guard:
            self._failure, self._failures, self._doubt = None, 0, Doubt()
        return record

    def _take_login(self, state: str | None, login: LoginRequest | None) -> LoginRequest | None:
        """Return the login that came back, which is thereby used up: a state is good once."""
        with self._guard:
            if login is None and state is not None:
                login = self._logins.get(state)
            elif login is None and len(self._logins) == 1:
                login = next(iter(self._logins.values()))
            fresh = login if login is not None and login.state not in self._used else None
            check_state(state, fresh.state if fresh else None, required=self._state_required)
            if login is not None and fresh is None:
                raise LoginRefused("This login was used already.", hint="Begin the login again.")
            if fresh is not None:
                self._logins.pop(fresh.state, None)
                self._used[fresh.state] = None
                while len(self._used) > _USED:
                    del self._used[next(iter(self._used))]
        return fresh

    # --- flights ---

    def _fly(self, beyond: int) -> Flight[None] | None:
        """Return the running flight or start one for a generation above `beyond`; None where that is held."""
        transport, clock = self._needed()
        with self._guard:
            if self._flight is not None and not self._flight.stranded:
                return self._flight
            held = self._keeper.held
            if held is not None and held.record.gen > beyond and held.record.state != "dead":
                return None
            flight = Flight(lambda: self._keeper.obtain(beyond, transport, clock), ended=self._ended)
            self._flight = flight
        flight.start()
        return flight

    def _ended(self, flight: Flight[None], error: BaseException | None) -> None:
        """Note how a flight went, before anyone who waits for it goes on."""
        with self._guard:
            if self._flight is flight:
                self._flight = None
            if not flight.began:
                # Its loop ended first: nothing was tried, so nothing failed.
                return
            if error is None:
                self._failure, self._failures = None, 0
                return
            self._failure = error if isinstance(error, CredentialsError) else None
            self._failures = min(self._failures + 1, 10)
            self._failed_at = self._needed()[1].monotonic()
        # The words of an error that is none of ours may hold what a store was given.
        told = error if isinstance(error, CrmError) else type(error).__name__
        logger.warning("A token could not be renewed: %s", told)

    async def _land(self, beyond: int) -> Held:
        """Wait for a record of a generation above `beyond`."""
        failure = self._failure
        if failure is not None and self._needed()[1].monotonic() < self._failed_at + _FAILURE_STANDS:
            raise again(failure) from failure
        for _ in range(3):
            flight = self._fly(beyond)
            if flight is not None:
                await flight.wait()
                if not flight.began:
                    continue
                await flight.landed()
            held = self._keeper.held
            # A flight that was under way may have been content with less than is asked for here.
            if held is not None and held.record.gen > beyond:
                return held
        raise TokenRefreshFailed("Renewals ended without a newer token.", hint="Try again later.")

    def _needed(self) -> tuple[Transport, Clock]:
        ports = self._attached.current()
        if ports is None:
            raise ConfigurationError(
                "These credentials belong to no client yet.", hint="Build one: NimbleClient(credentials=...)."
            )
        return ports.transport, ports.clock

    def _base(self) -> str:
        ports = self._attached.current()
        return self._base_url or (ports.base_url if ports else _BASE_URL)

    def _refresh_request(self, record: TokenRecord) -> Request:
        return refresh_request(
            self._base() + _TOKEN,
            client_id=self._client_id,
            client_secret=self._client_secret,
            redirect_uri=self._redirect_uri or None,
            refresh=record.refresh or Secret(""),
        )

    def __repr__(self) -> str:
        """Show the generation and the state; no secret."""
        held = self._keeper.held
        where = f"generation {held.record.gen}, {held.record.state}" if held else "not loaded"
        return f"<OAuth {self._scope}, {where}>"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled.

        Raises:
            TypeError: Always.
        """
        raise TypeError("Credentials cannot be pickled; build them where they are used, on the same store.")


def _name_of(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _is_plain(text: str) -> bool:
    """Say whether a text holds what the standard lets an id, a secret or a token hold."""
    return text.isascii() and text.isprintable()


def _seed(token: TokenRecord | Mapping[str, Any] | str | None) -> TokenRecord | None:
    """Return the record of the login an `OAuth` is given.

    Raises:
        ConfigurationError: There is neither an access nor a refresh token in it.
    """
    if token is None or isinstance(token, TokenRecord):
        return token
    if isinstance(token, Mapping):
        granted = read_grant(token)
        if granted is None:
            raise ConfigurationError("The token given to OAuth holds no access_token.")
        return first_record(granted, gen=1, wall=0.0)
    if not token.strip():
        raise ConfigurationError("The refresh token given to OAuth is empty.")
    if not _is_plain(token.strip()):
        raise ConfigurationError("The refresh token given to OAuth holds characters that no token has.")
    return TokenRecord(gen=1, access=Secret(""), refresh=Secret(token.strip()), expires_in=0.0)
