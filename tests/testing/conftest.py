"""A way to ask the core a question in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from nimble_async._sansio.message import Request
from nimble_async.testing import Simulator
from nimble_async.testing.simulator import Reply


class Asked(msgspec.Struct):
    """An answer with its JSON read."""

    status: int
    headers: dict[str, str]
    body: Any
    reply: Reply


def _ask(simulator: Simulator, path: str, *, now: float = 0.0, method: str = "GET", key: str | None = None,
         form: dict[str, str] | None = None, **query: Any) -> Asked:  # fmt: skip
    """Send one request to the core; a mapping in the query travels as JSON."""
    words = {name: json.dumps(value) if isinstance(value, dict) else value for name, value in query.items()}
    url = f"http://simulator{path}" + (f"?{urlencode(words)}" if words else "")
    headers = {"authorization": f"Bearer {key if key is not None else simulator.api_key}"}
    body = None
    if form is not None:
        headers["content-type"] = "application/x-www-form-urlencoded; charset=UTF-8"
        body = urlencode(form).encode()
    reply = simulator.handle(Request(method=method, url=url, headers=headers, body=body), now)
    simulator.finish(reply, now)
    response = reply.response
    is_json = "json" in response.headers.get("content-type", "")
    return Asked(
        response.status,
        dict(response.headers),
        json.loads(response.body) if is_json else response.body,
        reply,
    )


@pytest.fixture
def ask() -> Callable[..., Asked]:
    """Return the function that asks."""
    return _ask
