"""A token server behind the transport port, and a clock that is set by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from email.utils import formatdate

from nimble_async._aio.credentials import OAuth
from nimble_async._sansio.message import Request, Response
from nimble_async._sansio.tokens import TokenRecord
from nimble_async.errors import ConnectionFailed, MalformedResponse, TimedOut
from nimble_async.testing.oauth import OAuthServer, OAuthSettings

REDIRECT = "http://127.0.0.1:8765/callback"
BASE = "http://127.0.0.1:1"


async def stored(store) -> TokenRecord:
    """Return what a store holds, which must be something."""
    record: TokenRecord | None = await store.load()
    assert record is not None
    return record


class HandClock:
    """Stands still until somebody sleeps or sets it; the wall clock may be wrong."""

    def __init__(self, *, now: float = 1000.0, wall_is: float = 1_780_000_000.0) -> None:
        self.now = now
        self.wall_ahead = wall_is - now

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now + self.wall_ahead

    def random(self) -> float:
        return 0.5

    async def sleep(self, seconds: float) -> None:
        self.now += max(0.0, seconds)
        await asyncio.sleep(0)


class TokenServer:
    """The shipped authorization server as a transport: rotating, single use, with a script of mishaps.

    A script's words: `ok`, `reset` (acts not), `lost` (acts, no answer), `unsent`, `slow` (eight
    seconds, acts, no answer), `garbled` (acts, a broken body), `cut` (acts, a truncated body), a status.
    """

    def __init__(self, clock: HandClock, *, life: float = 600.0, grace: float = 0.0, pause: int = 3) -> None:
        self.clock = clock
        self.oauth = OAuthServer(OAuthSettings(token_life=life, grace=grace, redirect_uri=REDIRECT))
        self.pause = pause
        self.script: list[str | int] = []
        self.posts: list[bytes] = []
        self.events: list[str] = []
        self.before_answer: Callable[[], Awaitable[object]] | None = None
        self.dates = True
        self.retry_after = ""
        self.wall_is = 1_780_000_000.0 - clock.now
        self.closed = 0

    def issue(self):
        """Return a first pair, as the vendor answers a login."""
        return self.oauth.issue(self.clock.now)

    def accepts(self, proof) -> bool:
        """Return whether the vendor's API would let this proof in."""
        return self.oauth.valid(
            proof.value.reveal().removeprefix("Bearer "), self.clock.now, key_allowed=False
        )

    def credentials(self, *, clock=None, **arguments) -> OAuth:
        """Return an `OAuth` of this server's client, attached to it."""
        arguments = {
            "client_id": self.oauth.client_id,
            "client_secret": self.oauth.client_secret,
            "redirect_uri": REDIRECT,
            **arguments,
        }
        oauth = OAuth(**arguments)
        oauth.attach(self, clock or self.clock, base_url=BASE)
        return oauth

    async def send(self, request: Request, *, timeout: float | None = None) -> Response:
        assert request.url == f"{BASE}/api/oauth/token"
        self.posts.append(request.body or b"")
        self.events.append("post")
        for _ in range(self.pause):
            await asyncio.sleep(0)
        word = self.script.pop(0) if self.script else "ok"
        if word == "unsent":
            raise ConnectionFailed("no connection", sent=False)
        if word == "reset":
            raise ConnectionFailed("reset")
        if isinstance(word, int):
            return Response(
                status=word, headers={"retry-after": self.retry_after} if self.retry_after else {}
            )
        answer = self.oauth.token(request.headers["content-type"], request.body or b"", self.clock.now)
        if self.before_answer is not None:
            await self.before_answer()
        for _ in range(self.pause):
            await asyncio.sleep(0)
        if word == "slow":
            await self.clock.sleep(timeout or 0)
            raise TimedOut("slow")
        if word == "lost":
            raise ConnectionFailed("lost")
        if word == "cut":
            raise MalformedResponse("cut", body=answer.body[:9])
        headers = dict(answer.headers)
        if self.dates:
            headers["date"] = formatdate(self.clock.now + self.wall_is, usegmt=True)
        return Response(
            status=answer.status, headers=headers, body=answer.body[:9] if word == "garbled" else answer.body
        )

    async def aclose(self) -> None:
        self.closed += 1
