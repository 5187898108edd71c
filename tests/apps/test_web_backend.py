"""One shared client under a real web framework: FastAPI served by uvicorn, and a crowd of callers."""

from __future__ import annotations

import asyncio
import gc
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import uvicorn
from fastapi import FastAPI

from nimble_async._sansio.record import Record
from nimble_async.config import ClientConfig, RateLimit
from nimble_async.nimble.client import NimbleClient
from nimble_async.testing.server import ServedSimulator

CROWD = 500
PLACES = 6


@asynccontextmanager
async def backend(nimble: NimbleClient) -> AsyncIterator[str]:
    """Serve an application whose every request calls with the shared client; the value is its address."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with nimble:
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/contact/{place}")
    async def contact(place: int) -> dict[str, Any]:
        page = await nimble.contacts.list(per_page=2, page=1 + place % 50)
        return {"id": page.items[place % 2].id, "name": page.items[place % 2].name}

    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", ws="none"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


async def crowd(url: str) -> list[dict[str, Any]]:
    """Ask for CROWD answers at once."""
    connector = aiohttp.TCPConnector(limit=CROWD)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def ask(place: int) -> dict[str, Any]:
            async with session.get(f"{url}/contact/{place}") as answer:
                assert answer.status == 200
                found: dict[str, Any] = await answer.json()
                return found

        return await asyncio.gather(*(ask(place) for place in range(CROWD)))


@pytest.mark.nimble_simulator(contacts=100, deals=0, latency=0.002)
async def test_one_client_serves_a_crowd(nimble_simulator: ServedSimulator):
    """500 requests at once, twice: all answered, few connections, and nothing that grows or warns."""
    nimble = NimbleClient(
        api_key=nimble_simulator.api_key,
        base_url=nimble_simulator.base_url,
        rate=RateLimit(math.inf),
        config=ClientConfig(concurrency=PLACES),
    )
    simulator = nimble_simulator.simulator
    async with backend(nimble) as url:
        held: list[int] = []
        for _ in range(2):
            answers = await crowd(url)
            assert len(answers) == CROWD
            assert all(answer["id"] for answer in answers)
            now = nimble.statistics().throttle
            assert (now.in_flight, now.interactive, now.bulk) == (0, 0, 0)
            del answers
            gc.collect()
            records = sum(isinstance(one, Record) for one in gc.get_objects())
            held.append(records)
        assert held == [0, 0]
        assert nimble.statistics().connections <= PLACES
    assert simulator.calls("contacts.list") == 2 * CROWD
    assert simulator.connections <= PLACES
    assert simulator.peak_in_flight <= PLACES
    assert nimble.statistics().connections == 0


@pytest.mark.nimble_simulator(contacts=100, deals=0, rate="200/1s", retry_after=True)
async def test_a_crowd_keeps_a_declared_rate(nimble_simulator: ServedSimulator):
    """Many callers of one client are paced together: none is refused."""
    async with NimbleClient(
        api_key=nimble_simulator.api_key, base_url=nimble_simulator.base_url, rate="200/1s"
    ) as nimble:
        await asyncio.gather(*(nimble.users.me() for _ in range(100)))
    assert nimble_simulator.simulator.statuses("users.me") == {200: 100}


@pytest.mark.nimble_simulator(contacts=100, deals=0, latency=0.05)
async def test_callers_that_go_away_free_their_places(nimble_simulator: ServedSimulator):
    """Requests whose callers disconnect leave no place taken for those who stay."""
    async with NimbleClient(
        api_key=nimble_simulator.api_key, base_url=nimble_simulator.base_url, rate=RateLimit(math.inf),
        config=ClientConfig(concurrency=2),
    ) as nimble:  # fmt: skip
        calls = [asyncio.create_task(nimble.users.me()) for _ in range(40)]
        await asyncio.sleep(0.02)
        for call in calls[:38]:
            call.cancel()
        ended = await asyncio.gather(*calls, return_exceptions=True)
        assert sum(isinstance(one, asyncio.CancelledError) for one in ended) == 38
        assert not any(isinstance(one, Exception) for one in ended)
        assert nimble.statistics().throttle.in_flight == 0
