"""How a vendor's records are read whole, as facts beside an operation; and the two members of a row
that a job needs.

Rule: facts and pure functions only. `jobs` reads a walk and knows no vendor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from nimble_async._sansio.codec import decode
from nimble_async._sansio.operation import Operation
from nimble_async.errors import MalformedResponse

__all__ = [
    "GroupWalk",
    "OffsetWalk",
    "OrderedWalk",
    "RowKey",
    "SnapshotWalk",
    "Walk",
    "keys_of",
    "lines_of",
    "read_keys",
    "read_numbers",
]

_EXACT = 1 << 53
"""Whole numbers below this are exact as doubles."""
Narrow: TypeAlias = Callable[[Mapping[str, Any], int | None, int | None], dict[str, Any]]


class OrderedWalk(Struct, frozen=True, kw_only=True):
    """Records with an immutable date that the vendor can filter and sort by. Times are seconds."""

    crm: str
    resource: str
    listing: Operation[Any]
    ascending: Mapping[str, Any]
    """The members of the query that sort by the date, oldest first."""
    descending: Mapping[str, Any]
    narrow: Narrow
    """(query, start, end): restrict a query to dates between two seconds since 1970, ends included or not."""
    id: str = "id"
    key: str = "created"
    """The row's member that holds the date."""
    limit: int = 100
    """Records a page that the vendor still sorts."""
    members: Operation[Any] | None = None
    """Reads records by their ids."""
    members_id: str = "id"
    members_limit: int = 30
    lag: int = 10
    """A new record is listed at the latest this long after it was made."""


class GroupWalk(Struct, frozen=True, kw_only=True):
    """Records in groups that go on at addresses of their own, group by group of each parent."""

    parents: Operation[Any]
    parent_id: str
    archived: str
    """The parent's member that is set where the parent is archived."""
    listing: Operation[Any]
    slot: str
    """The name of the parent's id in the path."""
    query: Mapping[str, Any]
    limit: int = 100


class SnapshotWalk(Struct, frozen=True, kw_only=True):
    """Records without an order that can be relied on: asked for in one answer, else group by group."""

    crm: str
    resource: str
    listing: Operation[Any]
    query: Mapping[str, Any]
    id: str
    key: str = "created"
    limit: int = 100
    """Records asked for in the first answer, which tells the total."""
    groups: GroupWalk


class OffsetWalk(Struct, frozen=True, kw_only=True):
    """Records in pages by offset, in the order of an id that is a number, never changes and never returns."""

    crm: str
    resource: str
    listing: Operation[Any]
    ascending: Mapping[str, Any]
    """The members of the query that sort by the id, lowest first."""
    descending: Mapping[str, Any]
    """The same, highest first: asked once, at the start, for the highest id there is."""
    id: str = "id"
    limit: int = 100
    """The most records a page may hold."""
    assumptions: tuple[str, ...] = ()
    """What the vendor is trusted in, and on whose word; the certificate says it."""


Walk: TypeAlias = OrderedWalk | SnapshotWalk | OffsetWalk


class RowKey(Struct, frozen=True, gc=False):
    """What a job reads of a row: id (None: rejected), and what the list is ordered by (None: unreadable).

    That is a date in seconds since 1970, or the id's number.
    """

    id: str | None
    at: float | None

    @property
    def place(self) -> tuple[float, str]:
        """Where the row stands in a file sorted by date or number, then id; unreadable ones come last."""
        return (float("inf") if self.at is None else self.at, self.id or "")


@cache
def _strict(id_name: str, key_name: str) -> type[Any]:
    return msgspec.defstruct(
        "StrictKey",
        [("id", str), ("at", datetime)],
        rename={"id": id_name, "at": key_name},
        frozen=True,
        gc=False,
    )


@cache
def _lenient(id_name: str, key_name: str) -> type[Any]:
    members = [("id", Raw | UnsetType, UNSET), ("at", Raw | UnsetType, UNSET)]
    return msgspec.defstruct("LenientKey", members, rename={"id": id_name, "at": key_name}, frozen=True)


def read_keys(rows: Sequence[Raw | bytes], *, id_name: str, key_name: str) -> list[RowKey]:
    """Read the id and the date of each row; whatever is missing or of the wrong type is None."""
    strict = msgspec.json.Decoder(_strict(id_name, key_name)).decode
    keys: list[RowKey] = []
    for row in rows:
        try:
            found = strict(row)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            keys.append(_read_key_leniently(row, id_name, key_name))
        else:
            keys.append(RowKey(found.id or None, _seconds(found.at)))
    return keys


@cache
def _numbered(id_name: str) -> type[Any]:
    return msgspec.defstruct("Numbered", [("id", str | int)], rename={"id": id_name}, frozen=True, gc=False)


def read_numbers(rows: Sequence[Raw | bytes], *, id_name: str) -> list[RowKey]:
    """Read the id of each row, digits or a number, and the number it is; None where it is neither."""
    decoder = msgspec.json.Decoder(_numbered(id_name)).decode
    keys: list[RowKey] = []
    for row in rows:
        try:
            found = str(decoder(row).id)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            keys.append(RowKey(None, None))
        else:
            plain = found.isascii() and found.isdigit() and len(found) < 17 and int(found) < _EXACT
            keys.append(RowKey(found or None, float(found) if plain else None))
    return keys


def keys_of(walk: Walk, rows: Sequence[Raw | bytes]) -> list[RowKey]:
    """Read of each row what a walk is ordered by."""
    if isinstance(walk, OffsetWalk):
        return read_numbers(rows, id_name=walk.id)
    return read_keys(rows, id_name=walk.id, key_name=walk.key)


def _read_key_leniently(row: Raw | bytes, id_name: str, key_name: str) -> RowKey:
    try:
        loose = decode(row, _lenient(id_name, key_name))
    except MalformedResponse:
        return RowKey(None, None)
    id_, at = _member(loose.id, str), _member(loose.at, datetime)
    return RowKey(id_ or None, None if at is None else _seconds(at))


def _member(data: Raw | UnsetType, kind: type[Any]) -> Any:
    if data is UNSET:
        return None
    try:
        return decode(data, kind)
    except MalformedResponse:
        return None


def _seconds(moment: datetime) -> float:
    # A date without a zone is read as UTC, like every date this package sends.
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def lines_of(rows: Sequence[Raw | bytes]) -> bytes:
    """Return each row's own bytes as one line; only a row that holds a line break is compacted."""
    data = b"\n".join([*rows, b""])
    if b"\r" not in data and _ends(data) == len(rows):
        return data
    return b"".join([_line_of(bytes(row)) for row in rows])


def _ends(data: bytes) -> int:
    """Count the line breaks. They are few and far between, where looking for the next one beats `count`."""
    ends = 0
    place = data.find(b"\n")
    while place >= 0:
        ends += 1
        place = data.find(b"\n", place + 1)
    return ends


def _line_of(row: bytes) -> bytes:
    broken = b"\n" in row or b"\r" in row
    return (msgspec.json.format(row, indent=-1) if broken else row) + b"\n"
