"""What the round trips share: a client of a simulated account whose exchanges are watched."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from nimble_async._sansio.message import Request, Response
from nimble_async.config import RateLimit
from nimble_async.nimble.client import NimbleClient
from nimble_async.testing import ServedSimulator
from tests.contract.description import FILE, Complaint, description
from tests.contract.deviations import ELSEWHERE, KNOWN


@pytest.fixture
async def crm(nimble_simulator: ServedSimulator) -> AsyncIterator[NimbleClient]:
    """Give a client of a simulated account, over real HTTP.

    Where the vendor's description is at hand, each exchange has to fit it, but for the listed places.
    """
    complaints: list[Complaint] = []

    def watch(operation: str, request: Request, response: Response) -> None:
        if FILE.exists():
            complaints.extend(description().complaints(operation, request, response))

    nimble_simulator.simulator.watch = watch
    async with NimbleClient(
        base_url=nimble_simulator.base_url, api_key=nimble_simulator.api_key, rate=RateLimit(float("inf"))
    ) as client:
        yield client
    unknown = {one.key: one for one in complaints if one.key not in KNOWN and one.key not in ELSEWHERE}
    assert list(unknown.values()) == []
