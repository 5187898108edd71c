"""What one run found out about the limit is kept for the next: recalled, refreshed, forgotten."""

from __future__ import annotations

import asyncio
import logging

import pytest

from nimble_async import FileRateStore, MemoryRateStore, NimbleClient, StoreError, Unauthorized
from nimble_async._sansio.ratesearch import Discovery, Mode
from nimble_async.testing import Simulator, SimulatorTransport
from nimble_async.testing.clock import VirtualClock, run_virtual
from nimble_async.testing.rates import Rates, TokenBucket
from nimble_async.testing.world import World

DAY = 86400.0


def account(*, rate=10.0, burst=10.0):
    """Return a simulated account with a silent token bucket."""
    return Simulator(World(contacts=1, deals=0, seed=1), rates=Rates(TokenBucket(rate, 1.0, burst)))


def client(simulator, store, *, key=None, **more):
    """Return a client that joins the account in process and remembers in `store`."""
    return NimbleClient(
        api_key=key or simulator.api_key, base_url="http://127.0.0.1:1", rate_store=store,
        transport=SimulatorTransport(simulator), clock=VirtualClock(seed=1), **more,
    )  # fmt: skip


def key_of(nimble):
    """Return the key under which a client's budget is remembered."""
    return "\n".join(("http://127.0.0.1:1", nimble.executor.core.credentials.scope))


async def busy(nimble, calls):
    """Make so many calls, eight at once."""

    async def worker():
        for _ in range(calls // 8):
            await nimble.request("GET", "/api/v1/myself")

    await asyncio.gather(*(worker() for _ in range(8)))


def pace(nimble):
    """Return mode and rate of a client."""
    now = nimble.statistics().throttle
    return now.mode, now.rate


def test_a_second_run_begins_where_the_first_ended():
    """No start from five a second: a tenth below what was found, and hardly a refusal."""
    store, simulator = MemoryRateStore(), account()

    async def story():
        async with client(simulator, store) as first:
            await busy(first, 3000)
            found = first.statistics().throttle
        async with client(simulator, store) as second:
            await busy(second, 80)
            return found, second.statistics().throttle

    first, second = run_virtual(story(), debug=False)
    assert first.refused > 0
    assert second.mode is Mode.REMEMBERED
    assert 8.0 <= second.rate <= 10.0
    assert second.refused == 0


def test_a_short_run_wears_nothing_down():
    """Ten runs that learn nothing leave what is remembered as it is."""
    store = MemoryRateStore()
    found = Discovery(rate=9.0, block=0.5, found=VirtualClock().wall())

    async def story():
        simulator = account()
        key = key_of(client(simulator, store))
        await store.save(key, found)
        for _ in range(10):
            async with client(simulator, store) as nimble:
                await busy(nimble, 8)
                assert pace(nimble) == (Mode.REMEMBERED, pytest.approx(8.1))
        return await store.load(key)

    assert run_virtual(story(), debug=False) == found


@pytest.mark.parametrize(
    ("age", "mode"), [(6.9 * DAY, Mode.REMEMBERED), (7.1 * DAY, Mode.START), (-DAY, Mode.START)]
)
def test_what_is_older_than_a_week_is_forgotten(age, mode):
    """It is not used, and the store is told to drop it."""
    store = MemoryRateStore()

    async def story():
        nimble = client(account(), store)
        key = key_of(nimble)
        await store.save(key, Discovery(rate=9.0, block=0.5, found=VirtualClock().wall() - age))
        async with nimble:
            await busy(nimble, 8)
        return pace(nimble)[0], await store.load(key)

    seen, kept = run_virtual(story(), debug=False)
    assert seen is mode
    assert (kept is None) is (mode is Mode.START)


def test_another_key_remembers_nothing():
    """What was found counts for the credential that found it."""
    store = MemoryRateStore()

    async def story():
        simulator = account()
        async with client(simulator, store) as first:
            await busy(first, 2000)
        async with client(simulator, store, key="another-key-of-the-tests") as second:
            with pytest.raises(Unauthorized):
                await second.request("GET", "/api/v1/myself")
            return pace(second)[0]

    assert run_virtual(story(), debug=False) is Mode.START


def test_a_declared_limit_is_neither_kept_nor_replaced():
    """Who says the rate needs no memory."""
    store = MemoryRateStore()

    async def story():
        async with client(account(), store, rate="5/1s") as nimble:
            await busy(nimble, 80)
            key = key_of(nimble)
        return pace(nimble)[0], await store.load(key)

    assert run_virtual(story(), debug=False) == (Mode.DECLARED, None)


class Broken:
    """A store on a disk that refuses."""

    async def load(self, key):
        """Refuse."""
        raise StoreError("The disk refuses.")

    async def save(self, key, found):
        """Refuse."""
        raise StoreError("The disk refuses.")

    async def forget(self, key):
        """Refuse."""
        raise StoreError("The disk refuses.")


def test_a_store_that_fails_costs_a_line_in_the_log_and_no_call(caplog):
    """Calls go on as if there were none, and neither failure is told again and again."""

    async def story():
        async with client(account(), Broken()) as nimble:
            await busy(nimble, 2000)

    with caplog.at_level(logging.WARNING, "nimble_async"):
        run_virtual(story(), debug=False)
    said = [record.getMessage() for record in caplog.records if "disk refuses" in record.getMessage()]
    assert 2 <= len(said) <= 5
    assert "could not be read" in said[0]
    assert "could not be kept" in said[1]


def test_a_cancelled_first_call_leaves_the_reading_to_the_next():
    """What was asked for and not received is asked for again."""

    class Slow(MemoryRateStore):
        async def load(self, key):
            """Take a while."""
            await asyncio.sleep(1)
            return await super().load(key)

    async def story():
        store = Slow()
        nimble = client(account(), store)
        key = key_of(nimble)
        await store.save(key, Discovery(rate=9.0, block=0.5, found=VirtualClock().wall()))
        first = asyncio.create_task(busy(nimble, 8))
        await asyncio.sleep(0.5)
        first.cancel()
        await asyncio.wait([first])
        await busy(nimble, 8)
        await nimble.aclose()
        return pace(nimble)[0]

    assert run_virtual(story(), debug=False) is Mode.REMEMBERED


def test_files_keep_it_across_processes(tmp_path):
    """The file store gives back what it was given, by budget, and forgets what it is told to."""
    found = Discovery(rate=9.5, block=0.5, found=1000.0)

    async def story():
        await FileRateStore(tmp_path / "rates").save("a", found)
        store = FileRateStore(tmp_path / "rates")
        kept = await store.load("a"), await store.load("b")
        await store.forget("a")
        await store.forget("a")
        return *kept, await store.load("a")

    assert asyncio.run(story()) == (found, None, None)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"version":2,"found":{"rate":1,"block":0,"found":0}}', b"\xff" * 5000]
)
def test_a_file_that_makes_no_sense_is_as_good_as_none(tmp_path, data):
    """Neither a crash nor a strange rate comes out of a broken file."""

    async def story():
        store = FileRateStore(tmp_path)
        await store.save("a", Discovery(rate=9.5, block=0.5, found=1000.0))
        (file,) = tmp_path.iterdir()
        file.write_bytes(data)
        return await store.load("a")

    assert asyncio.run(story()) is None


def test_a_folder_that_cannot_be_used_is_told(tmp_path):
    """A file stands where the folder should."""
    (tmp_path / "rates").write_text("in the way", "utf-8")

    async def story():
        store = FileRateStore(tmp_path / "rates")
        for attempt in (
            store.load("a"),
            store.save("a", Discovery(rate=1, block=0, found=0)),
            store.forget("a"),
        ):
            with pytest.raises(StoreError):
                await attempt

    asyncio.run(story())
