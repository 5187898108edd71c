"""Users who mock aiohttp with aioresponses can test code that uses the client."""

from __future__ import annotations

from typing import Any

from tests.aio.clients import client

URL = "http://127.0.0.1:8999"


async def test_aioresponses_answers_for_the_vendor(mocked_http: Any):
    """A mocked address answers a call, errors and repeats included; no socket is opened."""
    mocked_http.get(f"{URL}/api/v1/myself", status=503)
    mocked_http.get(f"{URL}/api/v1/myself", payload={"user_id": "u1", "name": "Ada"})
    async with client(URL) as nimble:
        assert (await nimble.users.me()).name == "Ada"
        assert nimble.statistics().connections == 0
    sent = [call for calls in mocked_http.requests.values() for call in calls]
    assert len(sent) == 2
    assert sent[0].kwargs["headers"]["Authorization"].startswith("Bearer ")
