"""The renewal of a token pair, step by step, under the store's lock.

The order is what keeps a login that rotates alive: read the store again (somebody else may have
renewed), write `refreshing` down, send, write the new pair down durably, and only then use it.

- An answer that never came is asked for again with the same token, twice at most, within ten
  seconds and not before the server's `Retry-After`: the lock is ours and the generation has not
  moved, so nobody can own a newer pair.
- `invalid_grant` reads the store once more before it is believed, and deletes nothing.
- A pair that the store would not take is kept in mind and offered to it again first, and so is one
  that the store has lost.
- A lock may run out under a holder that is slow: what it saves then is refused, since it saves
  through its lock. A pair that was granted to it is kept in mind, too.
- Generations only grow: a login that was ended and begun anew elsewhere, where they start from 1,
  is counted on from the one in use.
- Requests go straight to the transport: in a throttle slot a renewal would wait for the very
  calls that wait for it.

Every method is a flight's, and one flight runs at a time (see `flight` and `credentials`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from msgspec.structs import replace

from nimble_async._aio.flight import sure
from nimble_async._aio.hooks import logger
from nimble_async._aio.ports import Clock, Proof, TokenSaver, TokenStore, Transport
from nimble_async._sansio.grants import (
    Ambiguous,
    Granted,
    InvalidGrant,
    Refused,
    first_record,
    judge_answer,
    judge_failure,
    next_record,
)
from nimble_async._sansio.message import Request
from nimble_async._sansio.secret import Secret
from nimble_async._sansio.tokens import Stage, TokenRecord, age_of, clocks_agree, digest, follows, stage_of
from nimble_async.errors import (
    CrmError,
    LoginRefused,
    MalformedResponse,
    ReauthRequired,
    StoreError,
    TokenRefreshFailed,
    TransportError,
)

__all__ = ["Held", "Keeper"]

T = TypeVar("T")
Verdict = Granted | InvalidGrant | Ambiguous | Refused
_SEND_LIMIT = 8.0
"""Seconds for one send to the token server."""
_REPEATS = 2
_REPEAT_WINDOW = 10.0
"""Seconds after the first send within which an unanswered one is sent again."""
_STORE_LIMIT = 45.0
"""Seconds for one step of a store; our own give up after 30."""


class Held:
    """A record in use: when its token was obtained on our monotonic clock, and the header it makes."""

    __slots__ = ("obtained", "proof", "record")

    def __init__(self, record: TokenRecord, obtained: float) -> None:
        self.record = record
        self.obtained = obtained
        self.proof = Proof("Authorization", Secret(f"Bearer {record.access.reveal()}"), record.gen)

    def stage(self, now: float) -> Stage:
        """Say where it stands at `now`, monotonic seconds."""
        return stage_of(self.record, max(0.0, now - self.obtained))


class Keeper:
    """Keeps one login: the record in use, its store, and how to get the next one.

    Args:
        store: Where the pair outlives the process.
        seed: A record to begin with, where the store has none or a dead one of another login.
        request: Makes the refresh request for a record.
    """

    def __init__(
        self, store: TokenStore, *, seed: TokenRecord | None, request: Callable[[TokenRecord], Request]
    ) -> None:
        self.store = store
        self.held: Held | None = None
        self._seed = seed
        self._request = request
        self._unsaved: Held | None = None
        self._last: Held | None = None
        self._last_at = 0.0
        self._server_ahead: float | None = None
        """The vendor's time minus our monotonic clock, from its last answer."""
        self._refused_ahead: float | None = None
        """The same at the least, from the last refusal."""
        self._clocks_agree = True
        self._quiet_until = 0.0
        """Until when the token server asked to be left alone, monotonic seconds."""

    @property
    def generation(self) -> int:
        """The generation in use; 0 for none."""
        return self.held.record.gen if self.held else 0

    @property
    def owes_its_store(self) -> bool:
        """Whether a pair was granted that the store would not take."""
        return self._unsaved is not None

    async def obtain(self, beyond: int, transport: Transport, clock: Clock) -> None:
        """Hold a usable record of a generation above `beyond`: from the store, or renewed.

        Raises:
            ReauthRequired: The login is gone for good, or there is none.
            TokenRefreshFailed: The token server gave no usable answer.
            StoreError: The store cannot be read or written.
        """
        if self._unsaved is None:
            held = await self._load(clock)
            if held and held.record.gen > beyond and held.stage(clock.monotonic()) in {Stage.GOOD, Stage.DUE}:
                # A login may have ended, and be in use, since this was read.
                if self.held is None or self.held.record.gen < held.record.gen:
                    self.held = held
                return
        lock, saver = await self._lock()
        try:
            await self._renew(beyond, transport, clock, saver)
        finally:
            await self._unlock(lock)

    async def begin(self, request: Request, transport: Transport, clock: Clock) -> TokenRecord:
        """Trade a login's code for a pair, store it over whatever is there, and hold it.

        Raises:
            LoginRefused: The code is spent, too old, or another client's.
            TokenRefreshFailed: The token server gave no usable answer.
            StoreError: The store cannot be read or written.
        """
        lock, saver = await self._lock()
        try:
            # A store that cannot be used is found out before the code is spent.
            stored = await self._step(self.store.load)
            sent, verdict = await self._send(request, transport, clock)
            if isinstance(verdict, InvalidGrant):
                raise LoginRefused(
                    "The code of this login is spent, too old or not for this client.",
                    hint="Begin the login again.",
                )
            if not isinstance(verdict, Granted):
                raise _failed("No token was given", verdict)
            known = max(stored.gen if stored else 0, self.held.record.gen if self.held else 0)
            record = first_record(verdict, gen=known + 1, wall=clock.wall())
            if not await self._step(lambda: saver.save(record)):
                raise StoreError("The store did not take the new login.", hint="Begin the login again.")
            self._seed = self._unsaved = None
            self._use(Held(record, sent), clock)
            return record
        finally:
            await self._unlock(lock)

    def refused(self, clock: Clock) -> None:
        """Note a 401: what is held seemed alive and has outlived its life by the server's clock.

        That is believed where clocks are seen to disagree; else the token was ended before its time.
        """
        held = self.held
        if held is not None and held.record.obtained_date_hdr is not None:
            self._refused_ahead = held.record.obtained_date_hdr + held.record.expires_in - clock.monotonic()

    # --- renewing, the lock being ours ---

    async def _renew(self, beyond: int, transport: Transport, clock: Clock, saver: TokenSaver) -> None:
        held = await self._load(clock, saver)
        if held is None:
            self._unsaved = None
            raise ReauthRequired(
                "There is no login yet.", hint=f"Sign in; it is kept in {_place(self.store)}."
            )
        held = await self._caught_up(held, clock, saver)
        stage = held.stage(clock.monotonic())
        if held.record.gen > beyond and stage is Stage.GOOD:
            self.held = held
            return
        if stage is Stage.DEAD or held.record.refresh is None:
            self.held = held
            raise _gone(held.record)
        quiet = self._quiet_until - clock.monotonic()
        if quiet > 0:
            raise _failed("The token was not renewed", Ambiguous("the token server is busy", wait=quiet))
        marked = replace(held.record, state="refreshing", since=clock.wall())
        await self._write(marked, marked.gen, saver)
        await self._ask(held.record, transport, clock, saver)

    async def _caught_up(self, stored: Held, clock: Clock, saver: TokenSaver) -> Held:
        """Return what to go on with, which is then stored: what is, or ours where the store has lost it."""
        there, held, fresh = stored.record, self.held, stored
        ours = self._unsaved or held
        if ours is not None and ours.record.state != "dead" and follows(ours.record, there):
            fresh = ours
        elif held is not None and _begun_anew(held.record, there):
            fresh = Held(replace(there, gen=held.record.gen + 1), stored.obtained)
        if fresh is not stored:
            await self._write(fresh.record, there.gen, saver)
            self._use(fresh, clock)
        self._unsaved = None
        return fresh

    async def _write(self, record: TokenRecord, expected: int, saver: TokenSaver) -> None:
        if not await self._step(lambda: saver.save(record, expected=expected)):
            raise TokenRefreshFailed("The stored token changed although it was locked.", hint="Try again.")

    async def _ask(self, record: TokenRecord, transport: Transport, clock: Clock, saver: TokenSaver) -> None:
        """Send the refresh token, again where no answer came, and do what the verdict says."""
        request = self._request(record)
        first = clock.monotonic()
        # Found so, it was left by a renewal that was cut off: its token may be spent.
        unsure = record.state == "refreshing"
        sent, verdict = await self._send(request, transport, clock)
        for repeat in range(_REPEATS):
            if not isinstance(verdict, Ambiguous):
                break
            unsure = unsure or verdict.sent
            pause = verdict.wait + 0.25 * 2**repeat * (0.5 + clock.random())
            if clock.monotonic() + pause > first + _REPEAT_WINDOW:
                break
            await self._step(lambda pause=pause: clock.sleep(pause))  # type: ignore[misc]  # a bound default
            if clock.monotonic() > first + _REPEAT_WINDOW or await self._moved(record, clock):
                break
            sent, verdict = await self._send(request, transport, clock)
        if isinstance(verdict, Granted):
            fresh = Held(next_record(record, verdict, wall=clock.wall()), sent)
            if await self._keep(fresh, clock, saver):
                return
            if await self._stands(record):
                # The lock ran out and is another's now: offered again under a lock of our own.
                self._unsaved = fresh
        if isinstance(verdict, Ambiguous):
            self._quiet_until = clock.monotonic() + verdict.wait
        if not await self._moved(record, clock):
            await self._give_up(record, verdict, clock, saver, unsure=unsure)

    async def _give_up(
        self, record: TokenRecord, verdict: Verdict, clock: Clock, saver: TokenSaver, *, unsure: bool
    ) -> None:
        if isinstance(verdict, InvalidGrant):
            why = "The refresh token is no longer good."
            if unsure:
                why = "A renewal was cut off before its answer was stored, and its refresh token is spent."
            dead = replace(record, state="dead", since=clock.wall(), reason=why)
            if not await self._step(lambda: saver.save(dead, expected=record.gen)):
                raise _failed("The token could not be renewed", verdict)
            self._use(Held(dead, clock.monotonic()), clock)
            raise _gone(dead)
        if not unsure and not (isinstance(verdict, Ambiguous) and verdict.sent):
            # Surely not acted on: a later invalid_grant must not be blamed on a lost answer.
            idle = replace(record, state="idle", since=None)
            await self._step(lambda: saver.save(idle, expected=record.gen))
        raise _failed("The token could not be renewed", verdict)

    async def _send(self, request: Request, transport: Transport, clock: Clock) -> tuple[float, Verdict]:
        """Send once; return when that was, on the monotonic clock, and what came of it."""
        sent = clock.monotonic()
        try:
            response = await sure(
                lambda: transport.send(request, timeout=_SEND_LIMIT), limit=2 * _SEND_LIMIT, repeats=0
            )
        except (TransportError, MalformedResponse) as error:
            return sent, judge_failure(error)
        except (asyncio.CancelledError, StoreError) as error:
            return sent, Ambiguous(f"no answer ({type(error).__name__})")
        verdict = judge_answer(response)
        if isinstance(verdict, Granted) and verdict.date is not None:
            self._server_ahead = verdict.date - clock.monotonic()
            self._refused_ahead = None
        return sent, verdict

    # --- the store ---

    async def _load(self, clock: Clock, saver: TokenSaver | None = None) -> Held | None:
        """Return what is stored, after putting what this object was given to begin with there.

        That takes the lock: a renewal that another process has under way would be stored over it.
        """
        stored = await self._step(self.store.load)
        seed, expected = self._seed, stored.gen if stored else 0
        if seed is not None and _takes(seed, stored):
            if saver is None:
                return None
            wall = seed.obtained_wall or clock.wall()
            fresh = replace(seed, gen=max(seed.gen, expected + 1), obtained_wall=wall)
            await self._step(lambda: saver.save(fresh, expected=expected))
            stored = await self._step(self.store.load)
        self._seed = None
        return self._timed(stored, clock)

    def _timed(self, record: TokenRecord | None, clock: Clock) -> Held | None:
        """Put a stored record on our monotonic clock."""
        if record is None:
            return None
        now, last = clock.monotonic(), self._last
        if last is not None and last.record.gen == record.gen and last.record.access == record.access:
            obtained = last.obtained
        else:
            # It was obtained after we last saw an older one, whatever the clocks say.
            newer = last is not None and last.record.gen < record.gen
            at_most = now - self._last_at if newer else float("inf")
            wall = clock.wall()
            self._clocks_agree = self._clocks_agree and clocks_agree(record, wall=wall)
            obtained = now - age_of(record, wall=wall, server=self._server_time(now), at_most=at_most)
        self._last, self._last_at = Held(record, obtained), now
        return self._last

    def _server_time(self, now: float) -> float | None:
        """Return the vendor's time as far as we have heard it."""
        known = [self._server_ahead, None if self._clocks_agree else self._refused_ahead]
        return max((now + ahead for ahead in known if ahead is not None), default=None)

    async def _keep(self, fresh: Held, clock: Clock, saver: TokenSaver) -> bool:
        """Store a new pair, then use it; return False where somebody else stored one meanwhile."""
        self._unsaved = fresh
        stored = await self._step(lambda: saver.save(fresh.record, expected=fresh.record.gen - 1))
        self._unsaved = None
        if stored:
            self._use(fresh, clock)
            logger.debug("A token was renewed: generation %d.", fresh.record.gen)
        return stored

    async def _moved(self, record: TokenRecord, clock: Clock) -> bool:
        """Use what somebody else stored meanwhile; return whether there was something."""
        held = self._timed(await self._step(self.store.load), clock)
        if held is None or held.record.gen <= record.gen:
            return False
        self.held = held
        return True

    async def _stands(self, record: TokenRecord) -> bool:
        """Say whether the store still holds this generation."""
        stored = await self._step(self.store.load)
        return stored is not None and stored.gen == record.gen

    def _use(self, held: Held, clock: Clock) -> None:
        self.held = self._last = held
        self._last_at = clock.monotonic()

    async def _lock(self) -> tuple[AbstractAsyncContextManager[object], TokenSaver]:
        """Take the store's lock; return it, and what to save through while it is ours."""

        async def enter() -> tuple[AbstractAsyncContextManager[object], TokenSaver]:
            lock = self.store.lock()
            given = await lock.__aenter__()
            return lock, given if given is not None and hasattr(given, "save") else self.store

        return await self._step(enter)

    async def _unlock(self, lock: AbstractAsyncContextManager[object]) -> None:
        async def leave() -> None:
            await lock.__aexit__(None, None, None)

        try:
            await self._step(leave)
        except Exception as error:  # what was done under the lock is done; it runs out by itself
            told = error if isinstance(error, CrmError) else type(error).__name__
            logger.error("The lock of a token store could not be released: %s", told)

    async def _step(self, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        return await sure(make, limit=_STORE_LIMIT)


def _takes(seed: TokenRecord, stored: TokenRecord | None) -> bool:
    """Say whether a seed is stored: where nothing is, or a dead record of another login than its own."""
    if stored is None or stored.state != "dead":
        return stored is None
    return digest(seed.refresh) not in {"", digest(stored.refresh), stored.prev_refresh_hash, stored.login}


def _begun_anew(ours: TokenRecord, stored: TokenRecord) -> bool:
    """Say whether a living record is another login's, which was begun after ours had been ended."""
    return stored.gen <= ours.gen and stored.access != ours.access and stored.state != "dead"


def _gone(record: TokenRecord) -> ReauthRequired:
    why = record.reason or "The access token is spent and there is no refresh token."
    return ReauthRequired(f"The login has ended. {why}", hint="Sign in again.")


def _failed(what: str, verdict: Verdict) -> TokenRefreshFailed:
    detail = getattr(verdict, "detail", "") or "somebody else changed the store meanwhile"
    hint = "Try again later; the login is kept."
    if isinstance(verdict, Ambiguous) and verdict.wait:
        hint = f"The token server asks to be left alone for {verdict.wait:.0f} s; the login is kept."
    if isinstance(verdict, Refused):
        hint = "Check client_id, client_secret, redirect_uri and the base URL."
    return TokenRefreshFailed(f"{what}: {detail}.", hint=hint)


def _place(store: TokenStore) -> str:
    return getattr(store, "name", type(store).__name__)
