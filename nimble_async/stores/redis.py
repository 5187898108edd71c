"""One token record in a Redis, for processes on several machines.

Beside the record stands the number of the last lock that was given out, the fence. A lock runs out
by itself when its holder dies, and so it may run out under a holder that was only slow. What the
holder saves through its lock is therefore refused once a later lock was given out. Comparing and
storing are one script each, by the server's own clock.

Nothing is kept open between two steps: a connection is made for each, and one for as long as a
lock is held. So a store belongs to no loop, and nothing is left over when a loop or program ends.
What Redis answers is never quoted in an error: it may hold parts of a command, and so a token.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from inspect import signature
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from nimble_async._aio.discretion import frameless
from nimble_async._aio.ports import TokenSaver
from nimble_async._sansio.tokens import TokenRecord, decode_record, encode_record
from nimble_async.errors import ConfigurationError, StoreError

if TYPE_CHECKING:
    from redis.asyncio import Redis

__all__ = ["RedisStore", "opener"]

T = TypeVar("T")
_TIMEOUT = 5.0
"""Seconds for one answer of Redis, unless the address or the client says otherwise."""
_LONGEST_HOLD = 300.0
"""Seconds after which a lock is no longer kept alive: its holder forgot it."""
_LONGEST_PAUSE = 0.1
_HINTS = {
    "AuthenticationError": "Check the user and the password in the address.",
    "AuthenticationWrongNumberOfArgsError": "This Redis knows no users: give a password alone.",
    "BusyLoadingError": "Redis is starting; try again soon.",
    "NoPermissionError": "Allow EVAL, HGET, HMGET, HSET, DEL, GET, SET, PTTL, PEXPIRE and TIME on the key.",
    "OutOfMemoryError": "Redis is out of memory.",
    "ReadOnlyError": "This Redis is a replica: give the address of the primary.",
    "MISCONF": "Redis cannot write to its disk.",
    "WRONGTYPE": "Something else is stored under this key: choose another key.",
}
"""What to do, by the class of an error or the code it begins with."""

# Fences grow with the server's clock too, so that they go on growing where the data was lost.
# A lock without an end is none of ours (somebody made it by hand, or lifted its end): it gets one.
# Asked for twice by one holder, whose first answer was lost, the lock is given twice.
_TAKE = """
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[1] then
  if redis.call('PTTL', KEYS[2]) == -1 then redis.call('PEXPIRE', KEYS[2], ARGV[2]) end
  return false
end
local time = redis.call('TIME')
local fence = (tonumber(redis.call('HGET', KEYS[1], 'fence')) or 0) + 1
fence = string.format('%.0f', math.max(fence, time[1] * 1000 + math.floor(time[2] / 1000)))
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
redis.call('HSET', KEYS[1], 'fence', fence)
return fence
"""
_KEEP = "return redis.call('GET', KEYS[2]) == ARGV[1] and redis.call('PEXPIRE', KEYS[2], ARGV[2])"
_LEAVE = "return redis.call('GET', KEYS[2]) == ARGV[1] and redis.call('DEL', KEYS[2])"
# `write` names the last write: one that is asked for twice, its first answer lost, is done once.
_SAVE = """
local stored = redis.call('HMGET', KEYS[1], 'gen', 'fence', 'write')
if stored[3] == ARGV[5] then return 1 end
if ARGV[3] ~= '' and tonumber(ARGV[3]) < (tonumber(stored[2]) or 0) then return 0 end
if ARGV[4] ~= '' and (stored[1] or '0') ~= ARGV[4] then return 0 end
redis.call('HSET', KEYS[1], 'record', ARGV[1], 'gen', ARGV[2], 'write', ARGV[5])
return 1
"""


class RedisStore:
    """Keeps one record under one key of a Redis (version 5 or later, not a cluster).

    Redis must keep it through a restart (`appendonly yes`), or a restart ends the login. The record
    stands there in plain: let nobody else in, and use `rediss://` where the way there is not your own.

    Args:
        redis: An address such as `rediss://user:password@host:6379/0`, or a `redis.asyncio.Redis`,
            whose settings are taken over and whose connections are left alone.
        key: The name under which the record stands; another one for each login.
        lease: Seconds after which the lock of a dead holder is free; a living one renews it, three
            times in each. Within four seconds a server that lets a spent refresh token be used again
            for five still gives the next holder the pair that the dead one lost.
        patience: Seconds to wait for the lock.

    Raises:
        ConfigurationError: The extra `redis` is not installed, or an argument cannot work.
    """

    @frameless
    def __init__(
        self,
        redis: str | Redis,
        key: str = "nimble-async:tokens",
        *,
        lease: float = 4.0,
        patience: float = 30.0,
    ) -> None:
        if not key or lease <= 0:
            raise ConfigurationError("A RedisStore needs a key, and a lease above 0 seconds.")
        self._place = _Place(redis, key)
        self._lease = lease
        self._patience = patience

    @property
    def name(self) -> str:
        """Address and key, without user and password: stores of one name keep one record."""
        return self._place.name

    @frameless
    async def load(self) -> TokenRecord | None:
        """Return what is stored, or None.

        Raises:
            StoreError: Redis cannot be reached or refuses, or the record is broken.
        """
        async with self._place.connected() as redis:
            data = await self._place.answer(redis.hget(self._place.key, "record"))
        if data is None:
            return None
        try:
            return decode_record(data)
        except StoreError as error:
            raise StoreError(f"{self.name}: {error.message}", hint=error.hint) from None

    @frameless
    async def save(self, record: TokenRecord, *, expected: int | None = None) -> bool:
        """Store; with `expected`, only over that generation (0: only where nothing is).

        Return whether it was stored. Whoever holds the lock saves through what it gave instead.

        Raises:
            StoreError: Redis cannot be reached or refuses.
        """
        async with self._place.connected() as redis:
            return await self._place.save(redis, record, expected, fence="")

    async def delete(self) -> None:
        """Forget the record; nothing happens where there is none.

        Raises:
            StoreError: Redis cannot be reached or refuses.
        """
        async with self._place.connected() as redis:
            await self._place.answer(redis.delete(self._place.key))

    def lock(self) -> AbstractAsyncContextManager[TokenSaver]:
        """Keep every other task, loop, process and machine out; save through what it gives.

        Raises:
            StoreError: It could not be had in time, or Redis cannot be reached or refuses.
        """
        return _Lease(self._place, lease=self._lease, patience=self._patience)

    def __repr__(self) -> str:
        """Show where it is; no secret."""
        return f"<RedisStore {self._place.where} {self._place.key}>"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled: the address may hold a password.

        Raises:
            TypeError: Always.
        """
        raise TypeError("A RedisStore cannot be pickled; build it where it is used, with the same key.")


class _Place:
    """One key of one Redis: how to reach it, and what its scripts and answers mean."""

    def __init__(self, source: str | Redis, key: str) -> None:
        self.connect, self.where = opener(source)
        self.key = key
        # A cluster keeps keys of one tag together, and the scripts need both.
        self.keys = (key, f"{key}:lock" if "{" in key else f"{{{key}}}:lock")
        self.name = f"redis {self.where} {key}"

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Any]:
        redis = self.connect()
        try:
            yield redis
        finally:
            await _close(redis)

    async def save(self, redis: Any, record: TokenRecord, expected: int | None, *, fence: str) -> bool:
        wanted = "" if expected is None else str(expected)
        written = await self.run(
            redis, _SAVE, encode_record(record), str(record.gen), fence, wanted, os.urandom(12).hex()
        )
        return bool(written)

    async def run(self, redis: Any, script: str, *arguments: str | bytes) -> Any:
        return await self.answer(redis.eval(script, len(self.keys), *self.keys, *arguments))

    async def answer(self, command: Coroutine[Any, Any, Any]) -> Any:
        from redis.exceptions import RedisError

        try:
            return await command
        except (RedisError, OSError) as error:
            trouble = self._refusal(error)
        # Raised out here it has no context: Redis' own error may quote the command.
        raise trouble

    def _refusal(self, error: Exception) -> StoreError:
        from redis.exceptions import ConnectionError, ResponseError, TimeoutError  # noqa: A004 (their names)

        code = str(error).partition(" ")[0]
        what = code if code in _HINTS else type(error).__name__
        if what in _HINTS or isinstance(error, ResponseError):
            return StoreError(f"{self.name}: Redis refused ({what}).", hint=_HINTS.get(what, ""))
        if isinstance(error, TimeoutError):
            return StoreError(f"{self.name}: Redis did not answer in time.", hint="Try again.")
        if isinstance(error, ConnectionError | OSError):
            hint = "Check the address, and that Redis runs and can be reached."
            return StoreError(f"{self.name}: Redis cannot be reached ({what}).", hint=hint)
        return StoreError(f"{self.name}: Redis failed ({what}).")


class _Lease:
    """The lock of a Redis store, and what its holder saves through."""

    def __init__(self, place: _Place, *, lease: float, patience: float) -> None:
        self._place = place
        self._lease = lease
        self._patience = patience
        self._redis: Any = None
        self._holder = os.urandom(12).hex()
        self._fence = ""
        self._renewing: asyncio.Task[None] | None = None
        self._left = False

    @frameless
    async def save(self, record: TokenRecord, *, expected: int | None = None) -> bool:
        """Store as the store does, but not after the lock ran out and somebody else got it.

        Raises:
            StoreError: Redis cannot be reached or refuses.
        """
        return await self._place.save(self._redis, record, expected, fence=self._fence)

    async def __aenter__(self) -> _Lease:
        self._redis = self._place.connect()
        try:
            await self._take()
        except BaseException:
            # It may be ours although no answer came, or nobody waits for it any more.
            with contextlib.suppress(StoreError):
                await _to_its_end(self._leave())
            raise
        self._renewing = asyncio.create_task(self._renew())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await _to_its_end(self._leave())
        except StoreError:
            if error is None:
                raise

    async def _take(self) -> None:
        loop, pause = asyncio.get_running_loop(), 0.002
        until = loop.time() + self._patience
        while not (fence := await _to_its_end(self._run(_TAKE, self._life()))):
            if loop.time() >= until:
                raise StoreError(
                    f"{self._place.name} was locked by another process for {self._patience:g} s.",
                    hint="See which process hangs, and end it.",
                )
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        self._fence = fence.decode()

    async def _renew(self) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + _LONGEST_HOLD
        # A cancellation alone may be lost: asyncio.wait_for of Python 3.11 does that, and redis-py calls it.
        while loop.time() < until and not self._left:
            await asyncio.sleep(self._lease / 3)
            # Where Redis is away for a moment the next turn may still come in time.
            with contextlib.suppress(StoreError):
                if not await self._run(_KEEP, self._life()):
                    return

    async def _leave(self) -> None:
        self._left = True
        try:
            if self._renewing is not None:
                self._renewing.cancel()
                await asyncio.wait({self._renewing})
            await self._run(_LEAVE)
        finally:
            await _close(self._redis)

    def _life(self) -> str:
        return str(max(1, round(1000 * self._lease)))

    async def _run(self, script: str, *arguments: str) -> Any:
        return await self._place.run(self._redis, script, self._holder, *arguments)


def opener(source: str | Redis, needed_by: str = "RedisStore") -> tuple[Callable[[], Any], str]:
    """Return what makes a client with connections of its own, and the place's name without secrets.

    Raises:
        ConfigurationError: As in `RedisStore`.
    """
    try:
        from redis.asyncio import ConnectionPool, Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import ConstantBackoff
        from redis.exceptions import ConnectionError  # noqa: A004 (its name)
    except ImportError as error:
        raise ConfigurationError(
            f"A {needed_by} needs redis-py.", hint="Run: pip install 'nimble-async[redis]'"
        ) from error
    if isinstance(source, str):
        # Once more over a new connection: a Redis that was started anew is met at once.
        again = {"retry": Retry(ConstantBackoff(0.05), 1), "retry_on_error": [ConnectionError]}
        try:
            pool = ConnectionPool.from_url(
                source, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT, **again
            )
        except (ValueError, TypeError):
            pool = None
    else:
        pool = getattr(source, "connection_pool", None)
    if not isinstance(pool, ConnectionPool):
        # The address is not shown, since it may hold a password.
        raise ConfigurationError(
            f"A {needed_by} takes an address (redis://, rediss:// or unix://) or a redis.asyncio.Redis."
        )
    kind = pool.connection_class
    settings = {**_unnamed(), **pool.connection_kwargs, "decode_responses": False}
    where = settings.get("path") or f"{settings.get('host', 'localhost')}:{settings.get('port', 6379)}"

    def connect() -> Redis:
        return Redis.from_pool(ConnectionPool(connection_class=kind, **settings))

    return connect, f"{where}/{settings.get('db', 0)}"


def _unnamed() -> dict[str, None]:
    """Return what keeps redis-py from looking its version up on the disk, for each connection, to tell it."""
    from redis.asyncio.connection import AbstractConnection

    known = signature(AbstractConnection.__init__).parameters
    return dict.fromkeys({"driver_info"} & known.keys() or {"lib_name", "lib_version"} & known.keys())


async def _close(redis: Any) -> None:
    try:
        await redis.aclose()
    except asyncio.CancelledError:
        # The end of a loop cancels every task, those too that were about to close a connection.
        await redis.aclose()
        raise


async def _to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Do one step. Cancelled, wait for its end first: what was sent to Redis cannot be taken back."""
    step = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(step)
    except asyncio.CancelledError:
        while not step.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({step})
        if not step.cancelled():
            step.exception()
        raise
