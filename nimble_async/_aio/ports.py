"""What the shell needs from the world: a clock, a transport, stores. Protocols only."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from msgspec import Struct

from nimble_async._sansio.message import Request, Response
from nimble_async._sansio.ratesearch import Discovery
from nimble_async._sansio.secret import Secret
from nimble_async._sansio.sharing import Ask, News
from nimble_async._sansio.tokens import TokenRecord

__all__ = [
    "Clock",
    "Credentials",
    "Proof",
    "RateStore",
    "SharedBudget",
    "TokenSaver",
    "TokenStore",
    "Transport",
]


class Clock(Protocol):
    """Time and chance, as arguments of everything that needs them."""

    def monotonic(self) -> float:
        """Return seconds that never go back; their zero means nothing."""
        ...

    def wall(self) -> float:
        """Return seconds since 1970 as this machine believes them."""
        ...

    def random(self) -> float:
        """Return a number in 0 <= x < 1."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; 0 or less gives other tasks a turn."""
        ...


class Transport(Protocol):
    """Bytes out, bytes in: one send is one attempt on the wire, never more."""

    async def send(self, request: Request, *, timeout: float | None = None) -> Response:
        """Send once and return the whole answer, whatever its status.

        `timeout` (seconds) shortens the configured total.

        Raises:
            ConnectionFailed: No answer; `.sent` is False where nothing can have arrived.
            TimedOut: The answer took too long.
            RedirectRefused: The answer pointed to another origin.
            MalformedResponse: The body is too large, truncated or wrongly compressed.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection; a later send opens new ones."""
        ...


class Proof(Struct, frozen=True):
    """Who we are, for one request: a header, and which generation of the token made it."""

    name: str
    value: Secret
    generation: int = 0

    def __repr__(self) -> str:
        """Show the header's name and never its value."""
        return f"<Proof {self.name}, generation {self.generation}>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show as much to pretty printers, which would list every member."""
        return [("name", self.name), ("generation", self.generation)]


class Credentials(Protocol):
    """Proof for each request, and a new one when the vendor refuses it."""

    @property
    def scope(self) -> str:
        """A name for the account that is no secret (a hash): the key of its rate budget."""
        ...

    @property
    def token_age(self) -> float | None:
        """Seconds since the token in use was obtained; None for a key, and while there is no token."""
        ...

    async def proof(self) -> Proof:
        """Return the current proof; starts a renewal in the background when one is due.

        Raises:
            ReauthRequired: The login is gone for good.
            TokenRefreshFailed: The token is spent and no new one could be had.
        """
        ...

    async def renew(self, rejected: Proof) -> bool:
        """After a 401: return whether a replay with a new `proof()` makes sense.

        Raises:
            ReauthRequired: The login is gone for good.
            TokenRefreshFailed: No new token could be had.
        """
        ...

    def replayed(self, proof: Proof, *, accepted: bool) -> None:
        """Hear what became of a replay: whether the new `proof` was accepted, or refused with 401 again."""
        ...

    def attach(self, transport: Transport, clock: Clock, *, base_url: str) -> None:
        """Be given what a renewal needs; called by each client when it is built, or opened again."""
        ...

    def detach(self, transport: Transport) -> None:
        """Use this transport no more where there is another; called by each client before it closes."""
        ...

    async def aclose(self) -> None:
        """End what runs in the background, after a running renewal is durable."""
        ...


class TokenSaver(Protocol):
    """What the holder of a store's lock saves through, where the lock gives one."""

    async def save(self, record: TokenRecord, *, expected: int | None = None) -> bool:
        """Store as `TokenStore.save` does, but return False once somebody else was given the lock."""
        ...


class SharedBudget(Protocol):
    """Where several processes keep one rate budget. Every method may be called from any event loop."""

    @property
    def name(self) -> str:
        """Names the place, without secrets: budgets of one name are one."""
        ...

    @property
    def presumed(self) -> int:
        """How many processes to presume while the place was never reached."""
        ...

    async def exchange(self, scope: str, ask: Ask) -> News:
        """Report and ask for the budget called `scope`, in one step for everybody; wait a second at most.

        Raises:
            StoreError: The place cannot be reached, refuses, or does not answer in time.
        """
        ...

    async def aclose(self) -> None:
        """Close what is open on this loop; a later exchange opens it again."""
        ...


class TokenStore(Protocol):
    """Where a token pair outlives a process. Every method may be called from any event loop.

    A store may have a `name`, equal for all that keep the same record: it stands in messages and
    makes clients of one login share one rate budget.
    `nimble_async.testing.store_conformance` holds a store of your own against these words.
    """

    async def load(self) -> TokenRecord | None:
        """Return what is stored, or None.

        Raises:
            StoreError: The store cannot be read, is readable by others, or is broken.
        """
        ...

    async def save(self, record: TokenRecord, *, expected: int | None = None) -> bool:
        """Store durably; with `expected`, only over that generation. Return whether it was stored.

        `expected=0` stores only where nothing is. Comparing and storing are one step for everybody.

        Raises:
            StoreError: The store cannot be written; what was there is untouched.
        """
        ...

    async def delete(self) -> None:
        """Forget the record; nothing happens where there is none."""
        ...

    def lock(self) -> AbstractAsyncContextManager[TokenSaver | None]:
        """Keep every other task, loop, process and machine out while a token is renewed.

        A wait for it must not block the loop, must hold nothing when it is cancelled, and must end
        (30 to 40 seconds are good). It is entered in one task and left in another. A lock that can
        be lost while its holder lives, such as one that runs out, gives a saver; others give None.

        Raises:
            StoreError: It could not be had in time.
        """
        ...


class RateStore(Protocol):
    """Where the rate that was found out outlives a process. A key names a budget and is no secret."""

    async def load(self, key: str) -> Discovery | None:
        """Return what was kept for a budget, or None.

        Raises:
            StoreError: The store cannot be read.
        """
        ...

    async def save(self, key: str, found: Discovery) -> None:
        """Keep it, over what was there.

        Raises:
            StoreError: The store cannot be written.
        """
        ...

    async def forget(self, key: str) -> None:
        """Keep nothing for this budget.

        Raises:
            StoreError: The store cannot be written.
        """
        ...
