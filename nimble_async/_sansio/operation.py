"""An operation: the facts of one endpoint, and how a call fills them in.

Rule: facts only. Who signs, sends, waits or decodes stands elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Generic, TypeVar, cast
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

from nimble_async.errors import QueryRefused

__all__ = ["Operation", "Paging", "Shape", "Side", "delete", "get", "patch", "post", "put"]

T = TypeVar("T")
V = TypeVar("V")
_SLOT = re.compile(r"\{(\w+)\}")


class Shape(StrEnum):
    """Where in an answer the value stands."""

    OBJECT = "object"
    """The whole answer is the value."""
    MEMBER = "member"
    """The object under `items`."""
    LIST = "list"
    """A list under `items`."""
    FIRST = "first"
    """The only element of the list under `items`; an empty list means not found."""
    PAGE = "page"
    """A list under `items`, with paging facts beside it."""
    GROUPS = "groups"
    """Lists inside a list (`items` is `stages/deals`), each with its own `next_page_url`."""
    EMPTY = "empty"
    """No body, or none worth reading."""


class Paging(StrEnum):
    """How the next page is asked for (DESIGN of the vendors, six styles)."""

    NUMBER = "page/per_page from 1"
    NUMBER_FROM_ZERO = "page/per_page from 0"
    NEXT_PAGE = "next_page object"
    NEXT_PAGE_URL = "next_page_url of a group"
    LIMIT = "limit"
    OFFSET = "limit/offset"


class Side(Struct, frozen=True, kw_only=True):
    """A list of other records that an answer may bring beside its own, and which of them belong to which.

    A record of that list belongs to one of the answer's own if it names it in a member of `back`,
    or is named by it in a member of `via` (an id, or a list of ids). What is `shared` is no list: one
    object that speaks of all of them, and belongs to each. What is `told` is no part of the answer: JSON
    about the call, which each record of the answer keeps.
    """

    name: str
    """The member of the answer that holds the list."""
    back: tuple[str, ...] = ()
    via: tuple[str, ...] = ()
    shared: bool = False
    told: bytes = b""


class Operation(Struct, Generic[T], frozen=True, kw_only=True):
    """The facts of one endpoint. `returns` is the type of the value, of one record for a list."""

    name: str
    method: str
    path: str
    returns: type[T]
    shape: Shape = Shape.OBJECT
    items: str = ""
    sides: tuple[Side, ...] = ()
    """What may come beside the value."""
    paging: Paging | None = None
    unordered: bool = False
    """Whether no order of its rows is known, so that its pages may overlap: a walk watches their ids."""
    bucket: str = "default"
    """Which share of the rate budget a call is charged to."""
    repeatable: bool = False
    """Whether a second execution does no harm."""
    destructive: bool = False
    """Whether it deletes or overwrites what cannot be brought back."""
    destructive_if: str = ""
    """The argument that makes it destructive where it is true; empty where none does."""
    verified: bool = True
    """Whether the vendor documents it; False where a part of it, such as its verb, is a guess."""
    summary: str = ""

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of the ids in the path, in order."""
        return tuple(_SLOT.findall(self.path))

    def yielding(self, kind: type[V]) -> Operation[V]:
        """Return the same operation with another type of its records."""
        if kind is self.returns:
            return cast("Operation[V]", self)
        return cast("Operation[V]", replace(cast("Any", self), returns=kind))

    def fill(self, ids: Mapping[str, str]) -> str:
        """Return the path with its ids put in, percent-encoded.

        Raises:
            TypeError: The ids are not the ones the path names.
            QueryRefused: An id is no text, is empty, `.` or `..`, or holds a control character.
        """
        if set(ids) != set(self.slots):
            raise TypeError(f"{self.name} takes the ids {list(self.slots)}, not {sorted(ids)}")
        return _SLOT.sub(lambda slot: _segment(self.name, slot[1], ids[slot[1]]), self.path)


def _segment(operation: str, name: str, value: object) -> str:
    what = "an id" if name.endswith("_id") else "a name"
    if not isinstance(value, str):
        hint = f"Pass {'its .id' if hasattr(value, 'id') else 'text'}."
        raise QueryRefused(f"{operation}: {name} must be {what} as text, not {value!r}.", hint=hint)
    if not value or value in {".", ".."} or any(ord(letter) < 32 or ord(letter) == 127 for letter in value):
        raise QueryRefused(f"{operation}: {name} must be {what}, not {value!r}.")
    return quote(value, safe="")


def get(
    name: str,
    path: str,
    *,
    returns: type[T],
    shape: Shape = Shape.OBJECT,
    items: str = "",
    sides: tuple[Side, ...] = (),
    paging: Paging | None = None,
    unordered: bool = False,
    bucket: str = "default",
    summary: str = "",
) -> Operation[T]:
    """Describe a read: repeatable, never destructive."""
    return Operation(
        name=name, method="GET", path=path, returns=returns, shape=shape, items=items, sides=sides,
        paging=paging, unordered=unordered, bucket=bucket, repeatable=True, summary=summary,
    )  # fmt: skip


def post(
    name: str,
    path: str,
    *,
    returns: type[T],
    shape: Shape = Shape.OBJECT,
    items: str = "",
    sides: tuple[Side, ...] = (),
    repeatable: bool = False,
    destructive: bool = False,
    verified: bool = True,
    bucket: str = "default",
    summary: str = "",
) -> Operation[T]:
    """Describe a POST: not repeatable unless said, since no vendor here knows idempotency keys."""
    return Operation(
        name=name, method="POST", path=path, returns=returns, shape=shape, items=items, sides=sides,
        bucket=bucket, repeatable=repeatable, destructive=destructive, verified=verified, summary=summary,
    )  # fmt: skip


def put(
    name: str,
    path: str,
    *,
    returns: type[T],
    shape: Shape = Shape.OBJECT,
    items: str = "",
    sides: tuple[Side, ...] = (),
    repeatable: bool = True,
    destructive: bool = False,
    destructive_if: str = "",
    bucket: str = "default",
    summary: str = "",
) -> Operation[T]:
    """Describe a PUT: repeatable unless said, since it names the state wanted."""
    return Operation(
        name=name, method="PUT", path=path, returns=returns, shape=shape, items=items, sides=sides,
        bucket=bucket, repeatable=repeatable, destructive=destructive, destructive_if=destructive_if,
        summary=summary,
    )  # fmt: skip


def patch(
    name: str,
    path: str,
    *,
    returns: type[T],
    shape: Shape = Shape.OBJECT,
    items: str = "",
    sides: tuple[Side, ...] = (),
    repeatable: bool = True,
    destructive: bool = False,
    bucket: str = "default",
    summary: str = "",
) -> Operation[T]:
    """Describe a PATCH: repeatable unless said, since it names the state wanted of what it changes."""
    return Operation(
        name=name, method="PATCH", path=path, returns=returns, shape=shape, items=items, sides=sides,
        bucket=bucket, repeatable=repeatable, destructive=destructive, summary=summary,
    )  # fmt: skip


def delete(
    name: str,
    path: str,
    *,
    returns: type[T],
    shape: Shape = Shape.EMPTY,
    items: str = "",
    repeatable: bool = True,
    destructive: bool = True,
    bucket: str = "default",
    summary: str = "",
) -> Operation[T]:
    """Describe a DELETE: repeatable and destructive unless said."""
    return Operation(
        name=name, method="DELETE", path=path, returns=returns, shape=shape, items=items, bucket=bucket,
        repeatable=repeatable, destructive=destructive, summary=summary,
    )  # fmt: skip
