"""What the round trips share: a client of a simulated account."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from nimble_async.config import RateLimit
from nimble_async.nimble.client import NimbleClient
from nimble_async.testing import ServedSimulator


@pytest.fixture
async def crm(nimble_simulator: ServedSimulator) -> AsyncIterator[NimbleClient]:
    """Give a client of a simulated account, over real HTTP."""
    async with NimbleClient(
        base_url=nimble_simulator.base_url, api_key=nimble_simulator.api_key, rate=RateLimit(float("inf"))
    ) as client:
        yield client
