"""A transport that keeps what was sent, and clients that send through it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import msgspec

from nimble_async._sansio.message import Request, Response
from nimble_async.activecampaign.client import ActiveCampaignClient
from nimble_async.config import ClientConfig, RetryPolicy

Answer = Callable[["Sent"], Any]


class Sent(msgspec.Struct):
    """One request, taken apart."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str]
    order: list[str]
    """The names of the query in the order they were sent."""


class Recorder:
    """Answers from a function of what was sent: a value for a 200, or a whole response."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.sent: list[Sent] = []

    async def send(self, request: Request, *, timeout: float | None = None) -> Response:
        parts = urlsplit(request.url)
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        assert len(dict(pairs)) == len(pairs), "a name is sent twice"
        body = None if request.body is None else msgspec.json.decode(request.body)
        sent = Sent(
            request.method, parts.path, dict(pairs), body, dict(request.headers), [name for name, _ in pairs]
        )
        self.sent.append(sent)
        answer = self.answer(sent)
        if isinstance(answer, Exception):
            raise answer
        return (
            answer if isinstance(answer, Response) else Response(status=200, body=msgspec.json.encode(answer))
        )

    async def aclose(self) -> None: ...


def connect(answer: Answer, **rest: Any) -> tuple[ActiveCampaignClient, Recorder]:
    """Return a client of an account of its own, hardly paced, and what records its requests."""
    recorder = Recorder(answer)
    arguments: dict[str, Any] = {
        "base_url": f"https://{uuid4().hex}.api-us1.com",
        "api_token": "k-1",
        "rate": "1000/1s",
        "config": ClientConfig(retries=RetryPolicy(first_wait=0.0)),
    } | rest
    return ActiveCampaignClient(transport=recorder, **arguments), recorder
