"""One request as a handler sees it, and one answer as it gives it."""

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
    "affected",
    "forbidden",
    "invalid",
    "json_answer",
    "not_acceptable",
    "not_found",
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

    def number(self, name: str, default: int, *, least: int = 1) -> int:
        """Return a query parameter as a number.

        Raises:
            Refusal: It is no whole number, or below `least`.
        """
        text = self.text(name)
        if text is None or text == "":
            return default
        try:
            value = int(text)
        except ValueError:
            raise Refusal(invalid({f"/{name}": f"Can't parse value {text} as INTEGER"})) from None
        if value < least:
            raise Refusal(invalid({f"/{name}": f"{value} is less than {least}"}))
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a query parameter as a boolean: 1, 0, true or false in any case.

        Raises:
            Refusal: It is none of these.
        """
        text = self.text(name)
        if text is None or text == "":
            return default
        if text.lower() in {"1", "true"}:
            return True
        if text.lower() in {"0", "false"}:
            return False
        raise Refusal(invalid({f"/{name}": f"Can't parse value {text} as BOOLEAN"}))


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


def invalid(errors: Mapping[str, str], *, field_ids: Mapping[str, str] | None = None) -> Answer:
    """Return a 409 with code 245, in one of the two documented shapes.

    Without `field_ids` the keys are paths with one complaint each; with them they are names of
    contact fields, each with a list of complaints that name the field's id.
    """
    complaints: dict[str, Any]
    if field_ids is None:
        complaints = {path: {"message": message} for path, message in errors.items()}
    else:
        complaints = {
            name: [{"message": message, "field_id": field_ids.get(name)}] for name, message in errors.items()
        }
    message = "Invalid value: " + "; ".join(f"{name}: {text}" for name, text in errors.items())
    body = {
        "message": message,
        "code": 245,
        "errors": complaints,
        "human_readable_error": message,
        "extra": [],
    }
    return json_answer(body, 409)


def forbidden(what: str) -> Answer:
    """Return a 403: privacy or permission."""
    return json_answer({"message": f"You have no permission to {what}"}, 403)


def not_acceptable(message: str, type: str) -> Answer:  # noqa: A002 (the vendor's word)
    """Return a 406 with its stable identifier."""
    return json_answer({"message": message, "type": type}, 406)


def affected(message: str, type: str, total: int, query: object) -> Answer:  # noqa: A002 (the vendor's word)
    """Return the 406 of a preflight check: how many records would be affected, and the query for them."""
    complaint = {"message": message, "nse_query": query, "total": total, "type": type}
    return json_answer({"errors": [complaint]}, 406)


def not_found(kind: str, id: str) -> Answer:  # noqa: A002 (the vendor's word)
    """Return a 404 that names what was looked for."""
    return json_answer({"object_id": id, "object_type": kind}, 404)
