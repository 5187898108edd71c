"""A record in a Redis survives its server's moods, and nothing of it or of the address leaks."""

from __future__ import annotations

import asyncio
import contextlib
import pickle
import subprocess
import sys
import traceback
from secrets import token_hex

import pytest
import redis.asyncio
from msgspec.structs import replace

from nimble_async._sansio.secret import Secret
from nimble_async.errors import ConfigurationError, StoreError
from nimble_async.stores.redis import RedisStore
from nimble_async.testing.store_conformance import record
from tests.aio.servers import end_server
from tests.services import running_redis

PASSWORD = "cAnArY-password-4711"


@pytest.fixture
def key():
    """A key that no other test uses."""
    return f"tokens-{token_hex(4)}"


@pytest.fixture
async def plain(redis_url):
    """A client of the session's Redis, to look at it from outside."""
    async with redis.asyncio.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


async def _load(store, lease):
    await store.load()


async def _save(store, lease):
    await store.save(record())


async def _delete(store, lease):
    await store.delete()


async def _lock(store, lease):
    async with store.lock():
        pass


async def _save_through_the_lock(store, lease):
    await lease.save(record())


async def _leave(store, lease):
    await lease.__aexit__(None, None, None)


STEPS = [_load, _save, _delete, _lock, _save_through_the_lock, _leave]


# --- a server that goes away, hangs, or comes back ---


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__.strip("_"))
async def test_server_that_is_gone_is_said_clearly(own_redis, step):
    """Where Redis has gone each step says so, and where; once it is back the store works again."""
    store = RedisStore(own_redis.url, lease=5)
    lease = store.lock()
    await lease.__aenter__()
    own_redis.stop()
    with pytest.raises(StoreError, match=rf"127.0.0.1:{own_redis.port}/0 .*cannot be reached"):
        await step(store, lease)
    own_redis.start()
    if step is not _leave:
        await lease.__aexit__(None, None, None)
    assert await store.save(record(), expected=0)
    async with store.lock() as saver:
        assert await saver.save(record(2), expected=1)
    assert await store.load() == record(2)


async def test_connection_that_broke_is_made_anew(own_redis):
    """A Redis that was restarted under a lock is asked again over a new connection, without an error."""
    store = RedisStore(own_redis.url, lease=5)
    async with store.lock() as saver:
        own_redis.stop()
        own_redis.start()
        assert await saver.save(record(), expected=0)
    assert await store.load() == record()


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__.strip("_"))
async def test_server_that_hangs_holds_up_nobody(own_redis, step):
    """Where Redis stands still a step ends with an error, and meanwhile the loop runs."""
    store = RedisStore(f"{own_redis.url}?socket_timeout=0.2&socket_connect_timeout=0.2", lease=5)
    lease = store.lock()
    await lease.__aenter__()
    own_redis.hang()
    try:
        waiting, turns = asyncio.create_task(step(store, lease)), 0
        while not waiting.done() and turns < 2000:
            await asyncio.sleep(0.005)
            turns += 1
        with pytest.raises(StoreError, match="did not answer in time"):
            await waiting
        assert turns >= 10
    finally:
        own_redis.go_on()
    if step is not _leave:
        await lease.__aexit__(None, None, None)


class _Proxy:
    """Passes bytes on, but ends the connection in the place of the answers it is told to lose."""

    def __init__(self, port):
        self.port = port
        self.lose = 0
        self.seen = 0
        self.asked = b""

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        self.url = f"redis://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/0"
        return self

    async def __aexit__(self, *error):
        await end_server(self.server)

    async def _pass(self, reader, writer):
        upstream, sink = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            while asked := await reader.read(65536):
                self.asked += asked
                sink.write(asked)
                answer = await upstream.read(65536)
                if b"EVAL" in asked:
                    self.seen += 1
                    if self.lose:
                        self.lose -= 1
                        return
                writer.write(answer)
        except ConnectionError:
            pass
        finally:
            sink.close()
            writer.close()


async def test_step_whose_answer_was_lost_is_done_once(redis_url, key):
    """A command that was carried out, though its answer never came, is sent again and not done twice."""
    async with _Proxy(int(redis_url.rpartition(":")[2].partition("/")[0])) as proxy:
        store = RedisStore(proxy.url, key)
        proxy.lose = 1
        assert await store.save(record(1), expected=0)
        assert proxy.seen == 2
        proxy.lose = 1
        async with asyncio.timeout(5), store.lock() as saver:
            assert proxy.seen == 4
            proxy.lose = 1
            assert await saver.save(record(2), expected=1)
            assert proxy.seen == 6
    assert await RedisStore(redis_url, key).load() == record(2)


# --- the lock ---


async def test_lock_is_kept_alive_while_it_is_held(redis_url, key):
    """A holder whose loop runs keeps its lock for many times the lease."""
    store = RedisStore(redis_url, key, lease=1.0)
    async with store.lock() as saver:
        with pytest.raises(StoreError, match=r"locked by another process for 2\.5 s"):
            await RedisStore(redis_url, key, lease=1.0, patience=2.5).lock().__aenter__()
        assert await saver.save(record(), expected=0)


async def test_lock_of_the_dead_runs_out(redis_url, key):
    """The lock of a process that was killed is free after the lease, and not before."""
    code = (
        "import asyncio, os, sys; from nimble_async.stores.redis import RedisStore\n"
        "async def main():\n"
        "    await RedisStore(sys.argv[1], sys.argv[2], lease=1.0).lock().__aenter__()\n"
        "    os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())"
    )
    dead = await asyncio.create_subprocess_exec(sys.executable, "-c", code, redis_url, key)
    assert await asyncio.wait_for(dead.wait(), 20) == -9
    with pytest.raises(StoreError, match="locked by another"):
        await RedisStore(redis_url, key, patience=0).lock().__aenter__()
    async with RedisStore(redis_url, key, patience=10).lock() as saver:
        assert await saver.save(record(), expected=0)


async def test_lock_without_an_end_gets_one(redis_url, key, plain):
    """A lock key that somebody made by hand keeps everybody out for one lease, not for ever."""
    await plain.set(f"{{{key}}}:lock", "by hand")
    async with RedisStore(redis_url, key, lease=0.3, patience=10).lock() as saver:
        assert await saver.save(record(), expected=0)


async def test_fences_grow_also_where_the_data_was_lost(redis_url, key, plain):
    """A holder from before a loss of all data does not count as the latest one after it."""
    store = RedisStore(redis_url, key, lease=5)
    old = store.lock()
    holder = await old.__aenter__()
    await plain.delete(key, f"{{{key}}}:lock")
    await asyncio.sleep(0.005)
    async with store.lock():
        assert not await holder.save(record(), expected=0)
    assert await store.load() is None
    await old.__aexit__(None, None, None)


async def test_leaving_a_lost_lock_leaves_the_next_holder_in(redis_url, key, plain):
    """Who leaves a lock that is another's by now does not open it."""
    old = RedisStore(redis_url, key, lease=5).lock()
    await old.__aenter__()
    await plain.delete(f"{{{key}}}:lock")
    async with RedisStore(redis_url, key, lease=5).lock() as saver:
        await old.__aexit__(None, None, None)
        assert await plain.exists(f"{{{key}}}:lock")
        assert await saver.save(record(), expected=0)


@pytest.mark.parametrize(
    ("key", "lock"), [("plain", "{plain}:lock"), ("{mine}:tokens", "{mine}:tokens:lock")]
)
async def test_keys_of_one_tag_stay_together(redis_url, plain, key, lock):
    """The lock's key carries the record's name as its tag, or the tag that the user chose."""
    store = RedisStore(redis_url, key)
    async with store.lock():
        assert await plain.exists(key, lock) == 2
    assert not await plain.exists(lock)
    await store.delete()
    assert not await plain.exists(key)


# --- whatever one gives it ---


async def test_settings_of_a_client_are_taken_and_its_connections_left(redis_url, key):
    """A client of the user's is neither used nor closed, whatever it makes of answers."""
    async with redis.asyncio.Redis.from_url(redis_url, decode_responses=True) as client:
        store = RedisStore(client, key)
        assert await store.save(record(), expected=0)
        assert await store.load() == record()
        assert await client.hget(key, "gen") == "1"


@pytest.mark.parametrize(
    "given",
    [
        "http://localhost", "localhost:6379", f"redis://u:{PASSWORD}@host:{PASSWORD}", "",
        "redis://host?socket_timeout=x", None, 7,
    ],
)  # fmt: skip
def test_bad_address_is_refused_and_not_shown(given):
    """What is no address of a Redis and no client is refused when the store is built, unquoted."""
    with pytest.raises(ConfigurationError, match="takes an address") as refused:
        RedisStore(given)
    assert PASSWORD not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize("arguments", [{"key": ""}, {"lease": 0}, {"lease": -1}])
def test_argument_that_cannot_work_is_refused(arguments):
    """An empty key and a lease without length are refused."""
    with pytest.raises(ConfigurationError, match="needs a key"):
        RedisStore("redis://localhost", **arguments)


def test_missing_package_names_the_extra():
    """Without redis-py one line says what to install."""
    code = (
        "import sys; sys.modules['redis'] = sys.modules['redis.asyncio'] = None\n"
        "from nimble_async.stores.redis import RedisStore\n"
        "try: RedisStore('redis://localhost')\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=True
    )
    assert told.stdout.startswith("ConfigurationError ")
    assert "pip install 'nimble-async[redis]'" in told.stdout


async def test_what_is_no_record_is_refused_and_not_shown(redis_url, key, plain):
    """A record that cannot be read, and a key of another kind, are named and not quoted."""
    store = RedisStore(redis_url, key)
    await plain.hset(key, "record", f'{{"access": "{PASSWORD}"')
    with pytest.raises(StoreError, match="cannot be read") as refused:
        await store.load()
    assert PASSWORD not in str(refused.value)
    await plain.delete(key)
    await plain.set(key, "x")
    for step in (store.load(), store.save(record()), store.lock().__aenter__()):
        with pytest.raises(StoreError, match=r"Redis refused") as refused:
            await step
        assert refused.value.__context__ is None


# --- secrets ---


def _everything_said(error):
    said = []
    while error is not None:
        said.append(f"{error} {error!r} {error.args} {vars(error)}")
        error = error.__cause__ or error.__context__
    return " ".join(said)


async def test_no_password_and_no_token_is_shown():
    """Neither repr, name, errors nor pickles show the password of the address or what is stored."""
    with running_redis("--requirepass", PASSWORD) as server:
        right, wrong = (
            RedisStore(f"redis://:{word}@127.0.0.1:{server.port}/0") for word in (PASSWORD, PASSWORD + "x")
        )
        without = RedisStore(server.url)
        secret = replace(record(), access=Secret("cAnArY-access"), refresh=Secret("cAnArY-refresh"))
        assert await right.save(secret)
        said = [f"{right!r} {right} {right.name}"]
        for store in (wrong, without):
            for step in (store.load(), store.save(secret), store.lock().__aenter__()):
                with pytest.raises(StoreError) as refused:
                    await step
                said.append(_everything_said(refused.value))
        admin = redis.asyncio.Redis(port=server.port, password=PASSWORD)
        async with admin:
            await admin.config_set("maxmemory", 1)
            with pytest.raises(StoreError, match="out of memory") as refused:
                await right.save(secret)
            said.append(_everything_said(refused.value))
            await admin.config_set("maxmemory", 0)
            await admin.execute_command("ACL", "SETUSER", "default", "-eval")
            with pytest.raises(StoreError, match="Allow EVAL") as refused:
                await right.save(secret)
            said.append(_everything_said(refused.value))
        assert any("password" in words for words in said)
        assert "cAnArY" not in " ".join(said)
        with pytest.raises(TypeError):
            pickle.dumps(right)


# --- nothing left over ---


async def test_nothing_stays_open(own_redis):
    """After any use, cancelled or not, Redis sees no connection of the store."""
    store = RedisStore(own_redis.url, lease=1)
    await store.save(record())
    async with store.lock():
        waiting = asyncio.create_task(store.lock().__aenter__())
        await asyncio.sleep(0.05)
        waiting.cancel()
        await asyncio.wait({waiting})
    await store.load()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    assert not others
    open_now = 0
    async with redis.asyncio.Redis.from_url(own_redis.url) as client:
        for _ in range(50):
            open_now = (await client.info("clients"))["connected_clients"]
            if open_now == 1:
                break
            await asyncio.sleep(0.02)
    assert open_now == 1


def test_one_store_serves_one_loop_after_another(redis_url, key):
    """A store belongs to no loop, and the end of a loop leaves nothing behind to complain about."""
    store = RedisStore(redis_url, key)
    for gen in range(3):
        assert asyncio.run(store.save(record(gen + 1), expected=gen), debug=True)
    assert asyncio.run(store.load()) == record(3)


async def test_step_does_not_say_which_library_asks(redis_url, key):
    """A connection that lives for one step spends neither a turn nor a look at the disk on a version."""
    async with _Proxy(int(redis_url.rpartition(":")[2].partition("/")[0])) as proxy:
        store = RedisStore(proxy.url, key)
        await store.save(record())
        async with store.lock():
            await store.load()
    assert b"HGET" in proxy.asked
    assert b"SETINFO" not in proxy.asked


class _Deaf(redis.asyncio.Connection):
    """A connection whose commands lose a cancellation, as asyncio.wait_for of Python 3.11 may."""

    async def send_packed_command(self, *arguments, **options):
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0.05)
        await super().send_packed_command(*arguments, **options)


async def test_lock_is_left_though_its_renewal_hears_no_cancellation(redis_url, key):
    """Whoever leaves the lock does not wait for the renewal to end by itself, after minutes."""
    pool = redis.asyncio.ConnectionPool.from_url(redis_url, connection_class=_Deaf)
    store = RedisStore(redis.asyncio.Redis(connection_pool=pool), key, lease=0.3)
    async with asyncio.timeout(10):
        for wait in (0.11, 0.12, 0.13):  # the renewal is in the middle of its command
            async with store.lock():
                await asyncio.sleep(wait)
        async with store.lock():
            pass
