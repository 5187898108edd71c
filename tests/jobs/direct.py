"""A source that asks the simulator in process, with no client around it, so an export costs little."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

from nimble_async._aio.executor import Answer
from nimble_async._sansio import codec
from nimble_async._sansio.message import Request
from nimble_async._sansio.paging import ByUrl
from nimble_async.testing import Simulator, SimulatorTransport

BASE = "http://simulator.test"


class DirectSource:
    """Satisfies `jobs.ports.Source`; a latency and a pace are on the loop's time."""

    def __init__(self, simulator: Simulator, *, pace: float = 0.0) -> None:
        self.simulator = simulator
        self.transport = SimulatorTransport(simulator)
        self.pace = pace
        self.requests = 0
        self._next = 0.0

    async def page(self, operation, *, cursor, ids=None, query=None):
        """Read one page."""
        if isinstance(cursor, ByUrl) and cursor.url is not None:
            response = await self._get(BASE + cursor.url)
        else:
            response = await self._ask(operation, ids or {}, {**(query or {}), **cursor.query()})
        return Answer(codec.read_page(operation, response), response)

    async def rows(self, operation, *, ids=None, query=None):
        """Read a list without pages."""
        response = await self._ask(operation, ids or {}, query or {})
        return codec.read_rows(operation, response.body)

    async def _ask(self, operation, ids, query):
        text = urlencode({name: value for name, value in query.items() if value is not None})
        return await self._get(f"{BASE}{operation.fill(ids)}?{text}")

    async def _get(self, url):
        self.requests += 1
        if self.pace:
            now = asyncio.get_running_loop().time()
            self._next = max(now, self._next + self.pace)
            await asyncio.sleep(self._next - now)
        key = self.simulator.api_key
        headers = {"authorization": f"Bearer {key}", "api-token": key}  # each vendor looks at its own
        response = await self.transport.send(Request(method="GET", url=url, headers=headers))
        assert response.status == 200, response.body
        return response
