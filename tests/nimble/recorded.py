"""A transport that keeps what is sent, and a client over it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from nimble_async._sansio.message import Request, Response
from nimble_async._sansio.operation import Operation, Shape
from nimble_async._sansio.record import Record
from nimble_async.config import ClientConfig, RateLimit, RetryPolicy
from nimble_async.nimble.client import NimbleClient


class Sent(msgspec.Struct, frozen=True):
    """One request as the vendor reads it."""

    method: str
    path: str
    """Still percent-encoded."""
    query: list[tuple[str, str]]
    body: Any
    """The JSON; `None` where none was sent (a sent null is no body of any operation)."""

    @property
    def line(self) -> tuple[str, str]:
        """The method and the decoded path."""
        return self.method, unquote(self.path)


class Recorder:
    """A transport: it keeps what was sent, and answers with what a function makes of it."""

    def __init__(self, answer: Callable[[Sent], Any] | None = None, *, status: int = 200) -> None:
        self.answer = answer
        self.status = status
        self.sent: list[Sent] = []
        self.headers: list[dict[str, str]] = []

    async def send(self, request: Request, *, timeout: float | None = None) -> Response:
        parts = urlsplit(request.url)
        body = None if request.body is None else msgspec.json.decode(request.body)
        sent = Sent(request.method, parts.path, parse_qsl(parts.query, keep_blank_values=True), body)
        self.sent.append(sent)
        self.headers.append(dict(request.headers))
        found = self.answer(sent) if self.answer else b""
        if isinstance(found, Response):
            return found
        return Response(
            status=self.status, body=found if isinstance(found, bytes) else msgspec.json.encode(found)
        )

    async def aclose(self) -> None: ...


def client(wire: Recorder) -> NimbleClient:
    """Return a client over `wire` that is not paced and repeats nothing."""
    return NimbleClient(
        api_key="key-of-the-tests",
        base_url="https://app.nimble.com",
        rate=RateLimit(math.inf),
        transport=wire,
        config=ClientConfig(retries=RetryPolicy(attempts=1)),
    )


def least_answer(operation: Operation[Any]) -> Any:
    """Return the smallest answer that an operation's method can read."""
    if operation.shape is Shape.EMPTY:
        return b""
    row: Any = "x"
    if issubclass(operation.returns, Record):
        row = {
            field.encode_name: "x" for field in msgspec.structs.fields(operation.returns) if field.required
        }
    if operation.shape is Shape.OBJECT:
        return row
    if operation.shape is Shape.GROUPS:
        return {operation.items.split("/")[0]: []}
    return {operation.items: [row] if operation.shape is Shape.FIRST else []}
