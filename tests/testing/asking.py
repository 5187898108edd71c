"""A way to ask the core a question in one line."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import msgspec

from nimble_async._sansio.message import Request
from nimble_async.testing import Simulator
from nimble_async.testing.simulator import Reply


class Asked(msgspec.Struct):
    """An answer with its JSON read."""

    status: int
    headers: dict[str, str]
    body: Any
    reply: Reply


def ask(simulator: Simulator, path: str, *, now: float = 0.0, method: str = "GET", key: str | None = None,
        form: dict[str, str] | None = None, body: Any = None, **query: Any) -> Asked:  # fmt: skip
    """Send one request to the core; a mapping in the query travels as JSON, a list as repeated names."""
    words = {name: json.dumps(value) if isinstance(value, dict) else value for name, value in query.items()}
    url = f"http://simulator{path}" + (f"?{urlencode(words, doseq=True)}" if words else "")
    headers = {"authorization": f"Bearer {key if key is not None else simulator.api_key}"}
    data = None
    if form is not None:
        headers["content-type"] = "application/x-www-form-urlencoded; charset=UTF-8"
        data = urlencode(form).encode()
    elif body is not None:
        headers["content-type"] = "application/json"
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
    reply = simulator.handle(Request(method=method, url=url, headers=headers, body=data), now)
    simulator.finish(reply, now)
    response = reply.response
    is_json = "json" in response.headers.get("content-type", "") and response.body
    return Asked(
        response.status,
        dict(response.headers),
        json.loads(response.body) if is_json else response.body,
        reply,
    )


class Account:
    """A simulator with its clock, asked by verb: `account.post("/api/v1/tasks", {...}, status=201)`."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.now = 0.0
        self.zoe = ""
        """A contact that one of the tests needs."""

    @property
    def world(self) -> Any:
        return self.simulator.world

    def contact(self, serial: int) -> str:
        return self.world.contacts.id_of(serial)

    def deal(self, serial: int) -> str:
        return self.world.deals.id_of(serial)

    def send(self, method: str, path: str, body: Any = None, *, status: int = 200, **query: Any) -> Any:
        """Send a request a second later, and return the answer's body; another status is a failure."""
        self.now += 1
        asked = ask(self.simulator, path, now=self.now, method=method, body=body, **query)
        assert asked.status == status, (method, path, asked.status, asked.body)
        return asked.body

    def get(self, path: str, *, status: int = 200, **query: Any) -> Any:
        return self.send("GET", path, status=status, **query)

    def post(self, path: str, body: Any = None, *, status: int = 200, **query: Any) -> Any:
        return self.send("POST", path, body, status=status, **query)

    def put(self, path: str, body: Any = None, *, status: int = 200, **query: Any) -> Any:
        return self.send("PUT", path, body, status=status, **query)

    def delete(self, path: str, body: Any = None, *, status: int = 200, **query: Any) -> Any:
        return self.send("DELETE", path, body, status=status, **query)
