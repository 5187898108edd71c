"""One rate budget in a Redis, for processes on several machines.

All of it is one script: it grants slots by the server's own clock and keeps the closed gate, the
number of the event that closed it, and what was found about the limit. `_sansio.sharing` says what
goes in and out. The script never waits and never loops, so a call takes a fraction of a millisecond.

A connection belongs to the loop it was made on, so each loop has its own; it is closed by `aclose`
or at the end of its loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from nimble_async._aio.discretion import frameless
from nimble_async._sansio.sharing import Ask, News
from nimble_async.errors import ConfigurationError, StoreError
from nimble_async.stores.redis import opener

if TYPE_CHECKING:
    from redis.asyncio import Redis

__all__ = ["RedisBudget"]

_HINTS = {
    "AuthenticationError": "Check the user and password in the address.",
    "BusyLoadingError": "Redis is starting.",
    "MISCONF": "Redis cannot write to its disk.",
    "NoPermissionError": "The user needs EVAL, EVALSHA and the commands of hashes and sorted sets.",
    "OutOfMemoryError": "Redis is out of memory.",
    "ReadOnlyError": "This Redis is a replica: give the address of the primary.",
    "WRONGTYPE": "Something else is stored under this key: choose another prefix.",
}

# Durations are microseconds. The order matters: reports come first, then limits, and what is granted
# follows from all of it.
_SCRIPT = """
local MEMBER_LIFE, STRICT_LIFE, SETTLE = 60e6, 30e6, 2e6
local CANARY_LIFE, IDLE, LATE, QUIET, GAP, PROBES, DAY = 30e6, 2e6, 5e4, 1e5, 1e5, 3e6, 86400
local INSTANTS = {'tat', 'gate', 'canary_until', 'block_from', 'admitted_from', 'level_from', 'last',
    'declared_until', 'announced_until', 'held', 'settle', 'silent_from', 'silent_to', 'touched'}
local NUMBERS = {'closed', 'event', 'strikes', 'pending', 'event_rate', 'event_admitted', 'event_span',
    'event_clean', 'admitted', 'clean', 'level_sent', 'version', 'search', 'starting', 'stretch',
    'declared', 'tolerance', 'announced', 'renewed', 'peers'}
local ask = setmetatable(cjson.decode(ARGV[1]), {__index = function(_, name)
    if name == 'verdict' or name == 'known' then return '' end
    return (name == 'peers' or name == 'stretch') and 1 or 0
end})
local time = redis.call('TIME')
local now = time[1] * 1e6 + time[2]
local s, stored = {}, redis.call('HGETALL', KEYS[1])
for _, names in ipairs({INSTANTS, NUMBERS}) do
    for _, name in ipairs(names) do s[name] = 0 end
end
s.canary, s.known, s.stretch = '', '', 1
for i = 1, #stored, 2 do
    local name, value = stored[i], stored[i + 1]
    if type(s[name]) == 'number' then s[name] = tonumber(value) or 0 elseif s[name] then s[name] = value end
end
-- What nobody can have meant, written over by somebody else, counts as not there.
for _, name in ipairs(INSTANTS) do
    if not (s[name] >= 0 and s[name] <= now + 4e8 * DAY) then s[name] = 0 end
end
for _, name in ipairs(NUMBERS) do
    if not (s[name] >= 0 and s[name] < 1e17) then s[name] = 0 end
end
for _, name in ipairs({'search', 'declared', 'announced', 'renewed'}) do
    if s[name] > 32e6 * DAY then s[name] = 0 end
end
if s.closed ~= 0 then s.closed = 1 end
if s.stretch < 1 then s.stretch = 1 end
if #stored == 0 then
    -- Numbers of an earlier life never come again.
    s.event, s.version, s.admitted_from, s.level_from = now, now, now, now
end
-- A clock that was set back moves everything with it.
if s.touched > now then
    local back = s.touched - now
    for _, name in ipairs(INSTANTS) do
        if s[name] > 0 then s[name] = math.max(1, s[name] - back) end
    end
end

-- Who is there: the seat is the order of joining.
local me = ask.member
if ask.leave > 0 then
    redis.call('ZREM', KEYS[2], me)
    redis.call('ZREM', KEYS[3], me)
else
    redis.call('ZADD', KEYS[3], now, me)
    if not redis.call('ZSCORE', KEYS[2], me) then
        redis.call('ZADD', KEYS[2], redis.call('HINCRBY', KEYS[1], 'joined', 1), me)
    end
end
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now - MEMBER_LIFE, 'LIMIT', 0, 100)) do
    redis.call('ZREM', KEYS[2], gone)
    redis.call('ZREM', KEYS[3], gone)
end
local members = math.max(1, redis.call('ZCARD', KEYS[2]))
local seat = redis.call('ZRANK', KEYS[2], me) or 0

-- Back from where nobody could be asked: if nobody else was here then either, others are still alone, and
-- all begin together. Whoever came first had perhaps nothing to ask meanwhile, and did not notice. After
-- some seconds all who have calls have come back. Where all was lost, this may have happened too.
local lost = #stored == 0 and ask.event > 0
if now - s.touched > GAP then s.silent_from, s.silent_to = s.touched, now end
local away = ask.away
local silent = away > 0 and away + LATE >= s.silent_from and away <= s.silent_to
    and now <= s.silent_to + PROBES
if ask.peers > 1 and (lost or silent) then
    s.settle, s.peers, s.silent_to = now + SETTLE, ask.peers, 0
end
if now < s.settle then members = math.max(members, s.peers) end

-- What became of calls.
local current = ask.event == s.event
local mine = s.canary == me
local verdict = ask.verdict
local reopened = verdict == 'through' and mine and s.closed == 1
local shut = ask.shut
if current and s.closed == 0 then
    s.admitted = s.admitted + ask.admitted
    if s.starting == 1 and ask.faster > 0 and s.search > 0 then
        s.search = 1e6 / math.min(1e6, 1e6 / s.search + ask.faster)
    end
end
if s.pending == 1 and ask.event == s.event - 1 then
    -- Answers from before the event, of a process that has not heard of it yet.
    s.event_admitted = s.event_admitted + ask.admitted
end
if ask.refused > 0 and current and s.closed == 0 then
    s.event, s.closed, s.pending, s.canary = s.event + 1, 1, 1, ''
    s.event_rate, s.event_admitted, s.event_clean = ask.refused, s.admitted, s.clean
    s.event_span, s.block_from = now - s.admitted_from, now
    s.strikes = math.max(1, ask.strikes)
    s.gate = math.max(s.gate, now + ask.pause)
elseif shut > 0 then
    s.closed = 1
    s.gate = math.max(s.gate, now + shut)
end
if mine and verdict == 'refused' then
    s.canary, s.strikes = '', s.strikes + 1
    s.gate = math.max(s.gate, now + ask.pause)
elseif mine and verdict == 'free' then
    s.canary = ''
end

-- What is known. Only who knows the present version replaces it, and only the canary after an event.
if ask.version > 0 and ask.version == s.version and current and (s.closed == 0 or reopened) then
    s.search, s.starting = ask.search, ask.starting
    s.stretch, s.known = ask.stretch, ask.known
    s.version, s.level_from, s.level_sent = s.version + 1, now, 0
end
if now >= s.declared_until then s.declared, s.tolerance = 0, 0 end
if ask.declared > 0 then
    -- The slowest pace and the smallest burst hold, whoever declared them.
    s.tolerance = s.declared > 0 and math.min(s.tolerance, ask.tolerance) or ask.tolerance
    if ask.declared >= s.declared then s.declared, s.declared_until = ask.declared, now + STRICT_LIFE end
end
if ask.announced > 0 then
    s.announced, s.announced_until = ask.announced, now + ask.announced_for
    s.renewed = ask.renewed > 0 and ask.renewed or ask.announced
end
if ask.hold > 0 then s.held = math.max(s.held, now + ask.hold) end
local announced = s.announced
if announced > 0 and now >= s.announced_until then announced = s.renewed end
local told = math.max(s.declared, announced)
local interval = s.search
if told > 0 then
    interval = told * s.stretch
    if s.stretch >= 1.11 then interval = math.max(interval, s.search) end
end

if lost then
    -- What was granted before is not lost: its slots are still used, and fill their windows.
    s.tat = now + QUIET + interval + s.tolerance
end
if reopened then
    -- Nobody makes up for what was missed: the queue begins anew.
    s.closed, s.canary, s.strikes, s.gate = 0, '', 0, 0
    s.tat = now + interval
    if s.pending == 1 then
        s.admitted, s.admitted_from, s.clean, s.pending = 1, s.block_from, 1, 0
    else
        s.admitted, s.admitted_from, s.clean = 0, now, 0
    end
    s.level_from, s.level_sent, s.last = now, 0, now
end
if ask.back_to > 0 and ask.back_to == s.tat and ask.back_from < s.tat then s.tat = ask.back_from end

-- What is granted.
local granted, start, pressed, canary, n = 0, 0, 0, 0, ask.n
if n > 0 and s.closed == 1 then
    if now >= s.gate and now >= s.settle and (s.canary == '' or now >= s.canary_until) then
        s.canary, s.canary_until, s.last, canary = me, now + CANARY_LIFE, now, 1
    end
elseif n > 0 and interval > 0 and now >= s.settle then
    if s.last > 0 and now - s.last > IDLE + 2 * interval then
        s.admitted, s.admitted_from, s.clean = 0, now, 0
        s.level_from, s.level_sent = now, 0
    end
    if s.tat >= now - math.max(interval / 4, LATE) then pressed = 1 end
    granted, start = n, math.max(s.tat, now, s.held)
    s.tat = start + n * interval
    s.last, s.level_sent = now, s.level_sent + n
end

s.touched = now
local kept = {}
for name, value in pairs(s) do
    kept[#kept + 1] = name
    kept[#kept + 1] = type(value) == 'number' and string.format('%.17g', value) or value
end
redis.call('HSET', KEYS[1], unpack(kept))
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, DAY) end
local answer = {now, granted, start, interval, s.tolerance, pressed, canary, s.closed, s.gate, s.event,
    s.strikes, s.pending, s.event_rate, s.event_admitted, s.event_span, s.event_clean, s.block_from,
    s.admitted, s.clean, s.level_from, s.level_sent, s.version, s.search, s.starting, s.stretch,
    s.known, members, seat, s.settle, s.held}
for i, value in ipairs(answer) do
    if type(value) == 'number' then answer[i] = string.format('%.17g', value) end
end
return answer
"""
_DIGEST = hashlib.sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()


class RedisBudget:
    """Lets the clients of several processes share one rate budget through a Redis (version 5 or later,
    not a cluster).

    Each account has a budget of its own under `prefix`: what clients of one credential and address
    send counts together, wherever they run. All processes need the same address or the same data
    behind it. Nothing secret is stored.

    While Redis cannot be asked, each process keeps its part of the rate, an Nth where N processes were
    last seen, and never the whole; `client.statistics().throttle.sharing` says which of the two holds.

    Args:
        redis: An address such as `rediss://user:password@host:6379/0`, or a `redis.asyncio.Redis`,
            whose settings are taken over and whose connections are left alone.
        prefix: What the keys begin with.
        timeout: Seconds to wait for Redis before a process goes on with its own share.
        presumed: How many processes to presume while Redis was never reached.

    Raises:
        ConfigurationError: The extra `redis` is not installed, or an argument cannot work.
    """

    @frameless
    def __init__(
        self,
        redis: str | Redis,
        *,
        prefix: str = "nimble-async:budget",
        timeout: float = 1.0,
        presumed: int = 16,
    ) -> None:
        if not prefix or timeout <= 0 or presumed < 1:
            raise ConfigurationError(
                "A RedisBudget needs a prefix, a timeout above 0 seconds and at least 1 process."
            )
        self.timeout = timeout
        self.presumed = presumed
        self._prefix = prefix
        self._open, self._where = opener(redis, "RedisBudget")
        self._connections: dict[asyncio.AbstractEventLoop, _Connection] = {}

    @property
    def name(self) -> str:
        """Address and prefix, without user and password: budgets of one name are one."""
        return f"redis {self._where} {self._prefix}"

    async def exchange(self, scope: str, ask: Ask) -> News:
        """Report and ask, in one message.

        Raises:
            StoreError: Redis cannot be reached, refuses, or does not answer in time.
        """
        from redis.exceptions import NoScriptError, RedisError

        held = await self._connection()
        redis, held.users = held.redis, held.users + 1
        try:
            async with asyncio.timeout(self.timeout):
                arguments = (*self._keys(scope), msgspec.json.encode(ask))
                try:
                    answer = await redis.evalsha(_DIGEST, 3, *arguments)
                except NoScriptError:
                    # A new Redis, or one that was restarted.
                    answer = await redis.eval(_SCRIPT, 3, *arguments)
            return News.read(answer)
        except (RedisError, OSError, ValueError) as error:
            raise self._refusal(error) from error
        finally:
            held.users -= 1
            if held.closing and not held.users:
                await held.aclose()

    def _keys(self, scope: str) -> tuple[str, str, str]:
        # A cluster keeps keys of one tag together.
        stem = f"{self._prefix}:{{{hashlib.sha256(scope.encode()).hexdigest()[:24]}}}"
        return stem, f"{stem}:seats", f"{stem}:seen"

    async def _connection(self) -> _Connection:
        loop = asyncio.get_running_loop()
        held = self._connections.get(loop)
        if held is None:
            for old in [old for old in self._connections if old.is_closed()]:
                del self._connections[old]
            held = self._connections[loop] = _Connection(self._open())
            await held.watch()
        return held

    async def aclose(self) -> None:
        """Close this loop's connection; a later message opens a new one.

        A message of another client that is under way is answered first, and closes it then.
        """
        held = self._connections.pop(asyncio.get_running_loop(), None)
        if held is None:
            return
        held.closing = True
        if not held.users:
            await held.aclose()

    def _refusal(self, error: Exception) -> StoreError:
        # Redis's own words may quote a command; only a known code is repeated, or the name it was given.
        for code in (str(error).partition(" ")[0], type(error).__name__):
            if code in _HINTS:
                return StoreError(f"{self.name}: Redis refused ({code}).", hint=_HINTS[code])
        if isinstance(error, TimeoutError) or type(error).__name__ == "TimeoutError":
            return StoreError(f"{self.name}: Redis did not answer within {self.timeout:g} s.")
        return StoreError(
            f"{self.name}: Redis cannot be used ({type(error).__name__}).",
            hint="Check that it runs, the address, and the user and password.",
        )

    def __repr__(self) -> str:
        """Show where it is; no secret."""
        return f"<RedisBudget {self._where} {self._prefix}>"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled: the address may hold a password.

        Raises:
            TypeError: Always.
        """
        raise TypeError("A RedisBudget cannot be pickled; build it where it is used.")


class _Connection:
    """The connection of one loop, and the generator that hears of the loop's end."""

    def __init__(self, redis: Any) -> None:
        self.redis = redis
        self.users = 0
        self.closing = False
        self._watcher = _close_at_the_end(redis)

    async def watch(self) -> None:
        """Start the generator: from now on the loop closes the connection when it shuts down."""
        await self._watcher.asend(None)

    async def aclose(self) -> None:
        await self._watcher.aclose()


async def _close_at_the_end(redis: Any) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            await redis.aclose()
