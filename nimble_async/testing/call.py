"""One request as a handler of either vendor sees it, and one answer as it gives it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from nimble_async.testing.nimble.account import Account
from nimble_async.testing.world import World

__all__ = [
    "EMPTY",
    "Answer",
    "Behaviour",
    "Call",
    "Handler",
    "Refusal",
    "json_answer",
]


class Behaviour(Struct, frozen=True, kw_only=True):
    """Switches for what the vendor's documents leave open, and for its known bad habits."""

    inclusive_start: bool = True
    inclusive_end: bool = True
    """Whether the ends of a range of dates belong to it."""
    unstable_ties: bool = False
    """Whether records with equal sort keys change places between two requests."""
    deals_limit_cap: int | None = None
    """The most deals one answer holds, whatever `limit` asks for."""
    offer_archived: bool = False
    """Whether archived pipelines are listed and can be read by stage."""
    offer_invisible: bool = False
    """Whether pipelines the user may not see are listed and can be read all the same."""
    strict: bool = False
    """Whether joins need two members and texts two letters, as an older document says."""
    background: float = 0.0
    """Seconds until work that the vendor does in the background is done; 0 is at once."""
    contact_quota: int | None = None
    """With so many contacts in the account, creating one more is answered 402."""
    quota: int | None = None
    """After so many calls every further one is answered 402."""
    quota_shape: str = "message"
    """The body of a 402: `message` (older documents) or `payment` (newer ones)."""


class Call(Struct, kw_only=True):
    """A request that was routed: `ids` from the path, `query` with every value of each name."""

    operation: str
    world: World
    now: float
    behaviour: Behaviour
    chance: random.Random
    """Chance of this one request, for ties that move."""
    ids: Mapping[str, str]
    query: Mapping[str, list[str]]
    path: str = ""
    body: bytes = b""
    found: dict[Any, Any] = {}
    """What earlier requests found, as long as the world's version stays; owned by the simulator."""
    rendered: dict[Any, msgspec.Raw] = {}
    """Records already written as JSON; owned by the simulator, kept small by who adds to it."""

    @property
    def account(self) -> Account:
        """What requests have changed in the world."""
        return self.world.account

    @property
    def wall(self) -> float:
        """The wall clock, seconds since 1970."""
        return self.world.wall(self.now)

    def new_id(self) -> str:
        """Return a new 24-hex id."""
        return self.account.new_id(self.wall)

    def names(self, name: str) -> list[str]:
        """Return the values of a query parameter: repeated, joined by commas, or both."""
        return [word for value in self.query.get(name, []) for word in value.split(",") if word]

    def text(self, name: str) -> str | None:
        """Return the last value of a query parameter, or None."""
        values = self.query.get(name)
        return values[-1] if values else None


class Answer(Struct, frozen=True):
    """A status, a body, and whether a world at rest would always answer so."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = {}
    lasting: bool = False


EMPTY = Answer(200)
"""Done, and nothing to say: no body at all."""


class Refusal(Exception):
    """Ends a handler with an answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


Handler = Callable[[Call], Answer]

_JSON = {"content-type": "application/json; charset=UTF-8"}


def json_answer(value: object, status: int = 200, *, lasting: bool = False) -> Answer:
    """Return `value` as a JSON answer."""
    return Answer(status, msgspec.json.encode(value), dict(_JSON), lasting)
