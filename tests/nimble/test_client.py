"""The client: how it is built, viewed, closed, and what it shares."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import msgspec
import pytest

from nimble_async._aio.credentials import ApiKey
from nimble_async.config import ClientConfig, RateLimit
from nimble_async.errors import ConfigurationError, NotFound
from nimble_async.nimble.client import NimbleClient
from nimble_async.testing.server import ServedSimulator

NAMES = ("API_KEY", "BASE_URL", "CLIENT_ID", "CLIENT_SECRET", "REDIRECT_URI")
UNPACED = RateLimit(math.inf)


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """No variable of the machine decides a test."""
    for name in NAMES:
        monkeypatch.delenv(f"NIMBLE_{name}", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


def connect(served: ServedSimulator, **more: Any) -> NimbleClient:
    own: dict[str, Any] = {"api_key": served.api_key, "base_url": served.base_url, "rate": UNPACED}
    return NimbleClient(**(own | more))


def test_without_a_key_it_says_where_to_get_one():
    """No argument and no variable is refused with the way to a key."""
    with pytest.raises(ConfigurationError, match="NIMBLE_API_KEY"):
        NimbleClient()


def test_a_key_and_credentials_exclude_each_other():
    """Two proofs of who we are cannot both be meant."""
    with pytest.raises(ConfigurationError, match="not both"):
        NimbleClient(api_key="a", credentials=ApiKey("b"))


@pytest.mark.parametrize(
    "arguments",
    [{"base_url": "http://app.nimble.com"}, {"base_url": "nonsense"}, {"rate": "fast"}, {"api_key": ""},
     {"api_key": "two\nlines"}],
)  # fmt: skip
def test_an_argument_that_cannot_work_is_refused_at_once(arguments: dict[str, Any]):
    """Nothing waits for the first call to fail."""
    with pytest.raises(ConfigurationError):
        NimbleClient(**({"api_key": "key"} | arguments))


async def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch, nimble_simulator: ServedSimulator):
    """NIMBLE_API_KEY and NIMBLE_BASE_URL stand in for the arguments."""
    monkeypatch.setenv("NIMBLE_API_KEY", nimble_simulator.api_key)
    monkeypatch.setenv("NIMBLE_BASE_URL", nimble_simulator.base_url)
    async with NimbleClient() as nimble:
        assert (await nimble.users.me()).id


def test_arguments_go_before_the_environment(monkeypatch: pytest.MonkeyPatch):
    """What is passed is what counts."""
    monkeypatch.setenv("NIMBLE_API_KEY", "of the environment")
    monkeypatch.setenv("NIMBLE_BASE_URL", "http://not-loopback.example")
    assert "https://127.0.0.1:1" in repr(NimbleClient(api_key="mine", base_url="https://127.0.0.1:1"))


def test_a_client_id_of_the_environment_takes_the_saved_login(monkeypatch: pytest.MonkeyPatch):
    """Without a key, NIMBLE_CLIENT_ID and NIMBLE_CLIENT_SECRET use the pair that login saved."""
    monkeypatch.setenv("NIMBLE_CLIENT_ID", "id")
    with pytest.raises(ConfigurationError):
        NimbleClient()
    monkeypatch.setenv("NIMBLE_CLIENT_SECRET", "hush")
    nimble = NimbleClient()
    assert "hush" not in repr(nimble)


def test_the_default_host_is_the_vendors():
    """Without an address it talks to Nimble, and its repr shows that and no key."""
    told = repr(NimbleClient(api_key="hush-hush"))
    assert "https://app.nimble.com" in told
    assert "hush" not in told


async def test_statistics_are_plain_values(nimble_simulator: ServedSimulator):
    """What a page about the program's health shows can be written as JSON."""
    async with connect(nimble_simulator) as nimble:
        await nimble.users.me()
        told = msgspec.json.decode(msgspec.json.encode(nimble.statistics()))
    assert told["throttle"]["sent"] == 1
    assert told["decoding"] == {"rejected": {}, "unread": {}}


async def test_views_share_everything_but_their_options(nimble_simulator: ServedSimulator):
    """with_options is cheap: one connection, one budget, one report."""
    async with connect(nimble_simulator) as nimble:
        bulk = nimble.with_options(lane="bulk", deadline=30)
        again = bulk.with_options(deadline=5)
        await nimble.users.me()
        await bulk.users.me()
        await again.users.me()
        assert nimble.statistics().connections == 1
        assert nimble.statistics().throttle.sent == again.statistics().throttle.sent == 3
        assert (again._executor.options.lane, again._executor.options.deadline) == ("bulk", 5)
        assert nimble._executor.options.lane == "interactive"
    assert nimble_simulator.simulator.connections == 1


@pytest.mark.parametrize("deadline", [0, -1, 0.0, float("nan")])
def test_a_deadline_is_in_the_future(deadline: float):
    """A deadline of no time is refused."""
    with pytest.raises(ConfigurationError):
        NimbleClient(api_key="key").with_options(deadline=deadline)


def test_a_lane_that_is_none_is_refused():
    """A misspelled lane is told where it is named, not at the first call."""
    with pytest.raises(ConfigurationError, match="interactive and bulk"):
        NimbleClient(api_key="key").with_options(lane="bluk")  # type: ignore[arg-type]


async def test_two_clients_of_one_key_share_a_budget(nimble_simulator: ServedSimulator):
    """The vendor counts by key, so two clients of one key are paced as one; another key is not."""
    async with connect(nimble_simulator) as one, connect(nimble_simulator) as two:
        await one.users.me()
        assert two.statistics().throttle.sent == 1
        assert connect(nimble_simulator, api_key="other").statistics().throttle.sent == 0


async def test_a_view_closes_the_client(nimble_simulator: ServedSimulator):
    """aclose on a view closes what they share, and either works again afterwards."""
    nimble = connect(nimble_simulator)
    await nimble.users.me()
    await nimble.with_options(lane="bulk").aclose()
    assert nimble.statistics().connections == 0
    assert (await nimble.users.me()).id
    await nimble.aclose()
    await nimble.aclose()


@pytest.mark.undescribed(
    ("request", "GET /api/v1/no-such-thing", "route"), reason="the escape hatch sends whatever it is told to"
)
async def test_the_escape_hatch_gives_status_headers_and_body(nimble_simulator: ServedSimulator):
    """request returns what came, and decodes it as asked."""
    async with connect(nimble_simulator) as nimble:
        reply = await nimble.request("get", "/api/v1/myself")
        assert reply.status == 200
        assert reply.headers["content-type"].startswith("application/json")
        assert reply.decode(dict[str, Any])
        with pytest.raises(NotFound):
            await nimble.request("GET", "/api/v1/no-such-thing")


# get_many


@pytest.mark.nimble_simulator(contacts=400, deals=0, latency=0.005)
@pytest.mark.parametrize(
    ("count", "calls", "concurrency"), [(0, 0, 4), (1, 1, 4), (30, 1, 4), (31, 2, 4), (300, 10, 3)]
)
async def test_get_many_keeps_order_in_chunks_side_by_side(
    count: int, calls: int, concurrency: int, nimble_simulator: ServedSimulator
):
    """Chunks of 30, as many at once as allowed, and the records in the order of the ids."""
    config = ClientConfig(concurrency=concurrency)
    async with connect(nimble_simulator, config=config) as nimble:
        ids = sorted([one async for one in nimble.contacts.list_ids()], key=lambda one: one[::-1])[:count]
        found = await nimble.contacts.get_many(ids)
        assert [contact.id for contact in found] == ids
    simulator = nimble_simulator.simulator
    assert simulator.calls("contacts.get_many") == calls
    assert simulator.peak_in_flight <= concurrency
    assert simulator.peak_in_flight > 1 or calls < 3
    assert simulator.connections <= concurrency


@pytest.mark.nimble_simulator(contacts=300, deals=0, latency=0.05)
@pytest.mark.parametrize(("pages", "longest", "peak"), [(4, 1 << 30, 4), (4, 1, 1), (1, 1 << 30, 1)])
async def test_prefetch_is_bounded_at_the_server(
    pages: int, longest: int, peak: int, nimble_simulator: ServedSimulator
):
    """The server never sees more pages in flight than asked, nor more than fit; the order is the list's."""
    async with connect(nimble_simulator) as nimble:
        plain = await nimble.contacts.list_ids(per_page=20).collect()
        before = nimble_simulator.simulator.calls("contacts.list_ids")
        async with nimble.contacts.list_ids(per_page=20).prefetch(pages=pages, longest=longest) as ids:
            assert [one async for one in ids] == plain
    assert nimble_simulator.simulator.calls("contacts.list_ids") == 2 * before
    assert min(2, peak) <= nimble_simulator.simulator.peak_in_flight <= peak


# Event loops


def test_a_client_survives_a_second_run(nimble_simulator: ServedSimulator):
    """Two asyncio.run on one client both work, and each loop has its own connection."""
    nimble = connect(nimble_simulator)

    async def me() -> str:
        return (await nimble.users.me()).id

    assert asyncio.run(me()) == asyncio.run(me())
    assert nimble_simulator.simulator.connections == 2
    assert nimble.statistics().connections == 0


async def test_twenty_calls_use_one_connection(nimble_simulator: ServedSimulator):
    """Calls one after another keep their connection."""
    async with connect(nimble_simulator) as nimble:
        for _ in range(20):
            await nimble.users.me()
    assert nimble_simulator.simulator.connections == 1
