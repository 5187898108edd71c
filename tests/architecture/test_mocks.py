"""Users' mocks: what they use to stand in for HTTP works with the client too."""

from __future__ import annotations

import json

from nimble_async import NimbleClient


async def test_aioresponses_can_answer_for_the_vendor(mocked_http):
    """A call goes through aiohttp's session in the plain way, so aioresponses sees and answers it."""
    me = {"user_id": "5f0000000000000000000001", "name": "Ada", "email": "ada@example.com"}
    mocked_http.get(
        "https://app.nimble.com/api/v1/myself", body=json.dumps(me), content_type="application/json"
    )
    async with NimbleClient(api_key="key") as nimble:
        assert (await nimble.users.me()).name == "Ada"
    ((method, url),) = mocked_http.requests
    assert (method, str(url)) == ("GET", "https://app.nimble.com/api/v1/myself")
