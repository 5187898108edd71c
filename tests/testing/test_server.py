"""The simulator behind real HTTP, asked by a bare client."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from nimble_async.errors import ConfigurationError
from nimble_async.testing import (
    Drift,
    Fault,
    Rates,
    ServedSimulator,
    SimulateOptions,
    Simulator,
    SimulatorServer,
    World,
)
from nimble_async.testing.options import build
from tests.interrupting import interruptible


@contextlib.asynccontextmanager
async def _served(
    simulator: Simulator, **settings
) -> AsyncIterator[tuple[SimulatorServer, aiohttp.ClientSession]]:
    async with SimulatorServer(simulator) as server:
        headers = {"authorization": f"Bearer {server.api_key}"}
        async with aiohttp.ClientSession(server.base_url, headers=headers, **settings) as session:
            yield server, session


async def _read(session: aiohttp.ClientSession, path: str) -> bytes:
    async with session.get(path) as answer:
        return await answer.read()


async def test_pages_travel_compressed_and_whole():
    """A client reads the account page by page over HTTP."""
    simulator = Simulator(World(contacts=230, deals=0))
    async with _served(simulator) as (_, session):
        ids: list[str] = []
        for page in (1, 2, 3):
            async with session.get("/api/v1/contacts", params={"page": page, "per_page": 100}) as answer:
                assert answer.headers["content-encoding"] == "gzip"
                assert "date" in answer.headers
                ids += [contact["id"] for contact in (await answer.json())["resources"]]
        assert sorted(ids) == sorted(simulator.world.contacts.ids())
        async with session.get("/api/v1/contact/a%2Fb", headers={"accept-encoding": "identity"}) as answer:
            assert "content-encoding" not in answer.headers
            assert await answer.json() == {"resources": []}
    assert simulator.log[-1].target == "/api/v1/contact/a%2Fb"
    assert simulator.in_flight == 0


async def test_connections_and_the_peak_are_counted():
    """Requests side by side show in the books, as do the connections that carried them."""
    simulator = Simulator(World(contacts=3, deals=0), latency=0.5)
    async with _served(simulator) as (_, session):

        async def ask() -> int:
            async with session.get("/api/v1/myself") as answer:
                return answer.status

        assert await asyncio.gather(*(ask() for _ in range(5))) == [200] * 5
        await ask()
    assert (simulator.peak_in_flight, simulator.connections) == (5, 5)


@pytest.mark.parametrize("after", [0, 100])
async def test_a_reset_breaks_the_connection(after):
    """A reset reaches the client as one, before or inside the body."""
    simulator = Simulator(World(contacts=30, deals=0), faults=[Fault(kind="reset", after=after)])
    async with _served(simulator) as (_, session):
        with pytest.raises((aiohttp.ClientPayloadError, aiohttp.ClientConnectionError)):
            await _read(session, "/api/v1/contacts")


@pytest.mark.parametrize("kind", ["truncate", "bad_gzip"])
async def test_a_broken_body_cannot_be_read(kind):
    """A body cut short, or labelled gzip without being it, is an error at the client."""
    simulator = Simulator(World(contacts=30, deals=0), faults=[Fault(kind=kind, count=1)])
    async with _served(simulator) as (_, session):
        with pytest.raises(aiohttp.ClientPayloadError):
            await _read(session, "/api/v1/contacts")
        async with session.get("/api/v1/contacts") as answer:
            assert len((await answer.json())["resources"]) == 30


async def test_a_slow_body_drips():
    """A slow body comes in several pieces and is whole in the end."""
    simulator = Simulator(World(contacts=30, deals=0), faults=[Fault(kind="slow", seconds=0.5)])
    async with _served(simulator) as (_, session):
        async with session.get("/api/v1/contacts", headers={"accept-encoding": "identity"}) as answer:
            pieces = [piece async for piece in answer.content.iter_any()]
        assert len(pieces) > 1
        assert len(json.loads(b"".join(pieces))["resources"]) == 30


async def test_a_client_that_leaves_is_forgotten():
    """A client that gives up during a slow body leaves nothing in flight."""
    simulator = Simulator(World(contacts=30, deals=0), faults=[Fault(kind="slow", seconds=1)])
    async with _served(simulator, timeout=aiohttp.ClientTimeout(total=0.15)) as (_, session):
        with pytest.raises(TimeoutError):
            await _read(session, "/api/v1/contacts")
    assert simulator.in_flight == 0


async def test_the_simulators_own_endpoints():
    """Stats, the world and the control answer without a key and do not count as calls."""
    simulator = Simulator(World(contacts=30, deals=4, drift=Drift(inserts=1000)))
    async with _served(simulator) as (server, _), aiohttp.ClientSession(server.base_url) as session:

        async def control(**asked) -> tuple[int, dict]:
            async with session.post("/__simulator__/control", json=asked) as answer:
                return answer.status, await answer.json()

        assert await control(still=True) == (200, {"still": True})
        async with session.get("/__simulator__/world") as answer:
            world = await answer.json()
        assert set(world["contacts"]) == set(simulator.world.contacts.ids())
        assert len(world["deals"]) == 4
        token = (await control(issue=True))[1]["token"]["access_token"]
        headers = {"authorization": f"Bearer {token}"}
        async with session.get("/api/v1/myself", headers=headers) as answer:
            assert answer.status == 200
        assert await control(action="expire") == (200, {"expire": True})
        async with session.get("/api/v1/myself", headers=headers) as answer:
            assert answer.status == 401
        assert await control(revoke=True, faults=[{"kind": "status"}], rate="1/1h") == (
            200, {"revoke": True, "faults": 1, "rate": "1/1h"},
        )  # fmt: skip
        key = {"authorization": f"Bearer {server.api_key}"}
        for status in (503, 429):
            async with session.get("/api/v1/myself", headers=key) as answer:
                assert answer.status == status
        assert (await control(still=False))[1] == {"still": False}
        refused: list[dict[str, Any]] = [{}, {"explode": True}, {"faults": [{}]}, {"action": "explode"}]
        for wrong in refused:
            assert (await control(**wrong))[0] == 400
        async with session.get("/__simulator__/control") as answer:
            assert answer.status == 404
        async with session.get("/__simulator__/stats") as answer:
            stats = await answer.json()
    assert stats["operations"] == {
        "users.me": {"calls": 4, "statuses": {"200": 1, "401": 1, "429": 1, "503": 1}}
    }
    assert (stats["tokens_issued"], stats["rate_limited"]) == (1, 1)


def test_a_served_simulator_serves_code_that_is_not_async():
    """From a thread it answers blocking clients, and `run` changes it safely."""
    with ServedSimulator(Simulator(World(contacts=7, deals=0))) as served:
        request = urllib.request.Request(
            f"{served.base_url}/api/v1/contacts", headers={"Authorization": f"Bearer {served.api_key}"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert json.load(answer)["meta"]["total"] == 7
        served.run(lambda simulator, now: simulator.world.insert_contact(now))
        assert len(served.simulator.world.contacts) == 8
        assert served.statistics()["operations"]["contacts.list"]["calls"] == 1


def test_a_simulator_that_is_not_served_cannot_be_changed():
    """Before `with` there is no thread to run in."""
    with pytest.raises(RuntimeError):
        ServedSimulator().run(lambda simulator, now: now)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_command_says_where_it_serves_and_ends_cleanly(end):
    """One JSON line when ready, then answers, then exit code 0 at a signal."""
    code = (
        "from nimble_async.testing import SimulateOptions, serve; "
        "raise SystemExit(serve(SimulateOptions(contacts=9, deals=2)))"
    )
    with interruptible():
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert {"base_url", "api_key", "client_id", "client_secret", "redirect_uri"} <= set(ready)
        with urllib.request.urlopen(f"{ready['base_url']}/__simulator__/world", timeout=10) as answer:
            assert len(json.load(answer)["contacts"]) == 9
        process.send_signal(end)
        assert process.stdout.read() == b""
        assert process.wait(timeout=10) == 0


def test_options_describe_a_simulator(tmp_path):
    """Every flag reaches the part it is about."""
    faults = tmp_path / "faults.json"
    faults.write_text('[{"kind": "status", "count": 1}]')
    simulator = build(
        SimulateOptions(
            contacts=5,
            deals=3,
            rate="10/1s",
            rate_rule="sliding-log",
            announce=True,
            retry_after=True,
            latency=0.1,
            drift="2/10s",
            token_life=9,
            faults=str(faults),
            deals_limit_cap=2,
            exclusive_ends=True,
            index_lag=3,
        )
    )
    assert (len(simulator.world.contacts), len(simulator.world.deals)) == (5, 3)
    assert simulator.world.drift == Drift(
        inserts=0.2, deletes=0.2, deal_inserts=0.2, deal_deletes=0.2, index_lag=3
    )
    assert isinstance(simulator.rates, Rates)
    assert (simulator.rates.rule.limit, simulator.rates.announce, simulator.rates.retry_after) == (
        10,
        "headers",
        True,
    )
    assert (simulator.latency, simulator.oauth.settings.token_life) == (0.1, 9)
    assert (simulator.behaviour.deals_limit_cap, simulator.behaviour.inclusive_start) == (2, False)
    assert build(SimulateOptions()).rates is None


@pytest.mark.parametrize(
    "options",
    [
        {"rate": "fast"},
        {"rate": "1/s", "rate_rule": "no-rule"},
        {"drift": "much"},
        {"faults": "/nowhere/faults"},
        {"latency": -0.1},
        {"contacts": -1},
        {"token_life": 0},
        {"hidden_deals": 1.1},
    ],
)
def test_wrong_options_are_told(options):
    """What cannot be used is a configuration error, not a traceback of ours."""
    with pytest.raises(ConfigurationError):
        build(SimulateOptions(**options))
