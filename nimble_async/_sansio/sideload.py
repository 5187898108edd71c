"""Records that came beside others in one answer, and which of them belong to which.

Rule: a record keeps a copy of what belongs to it and never the answer. The lists are looked up by
their names, never by their place: vendors send some that nobody asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from nimble_async._sansio.members import members_of
from nimble_async._sansio.operation import Side
from nimble_async.errors import MalformedResponse

__all__ = ["Beside", "attach"]


class _Shelf(Struct, frozen=True):
    """The rows of one side list: by what they name, by their own ids, and all of them."""

    side: Side
    rows: Sequence[Raw]
    named: Mapping[str, list[Raw]]
    own: Mapping[str, Raw]
    shared: tuple[bytes, ...] = ()
    """What belongs to every row: one copy serves them all."""


class Beside:
    """The side lists of one answer."""

    __slots__ = ("_shelves",)

    def __init__(self, sides: Iterable[tuple[Side, Sequence[Raw]]]) -> None:
        self._shelves = [_shelf(side, rows) for side, rows in sides]

    def __bool__(self) -> bool:
        """Return whether anything came beside."""
        return bool(self._shelves)

    def rows(self) -> dict[str, tuple[bytes, ...]]:
        """Return every side row, by the name of its list: all of it belongs to an only record."""
        return {shelf.side.name: shelf.shared or tuple(map(bytes, shelf.rows)) for shelf in self._shelves}

    def of(self, row: bytes | Raw) -> dict[str, tuple[bytes, ...]]:
        """Return the side rows that belong to one row, by the name of their list."""
        found = {shelf.side.name: shelf.shared for shelf in self._shelves if shelf.shared}
        own_lists = [shelf for shelf in self._shelves if not shelf.shared]
        if not own_lists:
            return found
        members = _members(row)
        own = _key(members.get("id"))
        for shelf in own_lists:
            rows = list(shelf.named.get(own, ())) if own else []
            for name in shelf.side.via:
                rows += [shelf.own[key] for key in _keys(members.get(name)) if key in shelf.own]
            if rows:
                found[shelf.side.name] = tuple(map(bytes, rows))
        return found


def attach(record: object, rows: Mapping[str, tuple[bytes, ...]]) -> None:
    """Give a record what came beside it; what is no `Record` has no room for it."""
    kept = getattr(record, "__dict__", None)
    if rows and kept is not None:
        kept["_beside"] = rows


def _shelf(side: Side, rows: Sequence[Raw]) -> _Shelf:
    if side.shared or side.told:
        return _Shelf(side, (), {}, {}, tuple(map(bytes, rows)))
    named: dict[str, list[Raw]] = {}
    own: dict[str, Raw] = {}
    for row in rows:
        members = _members(row)
        for key in {key for name in side.back for key in _keys(members.get(name))}:
            named.setdefault(key, []).append(row)
        if key := _key(members.get("id")):
            own[key] = row
    return _Shelf(side, rows, named, own)


def _members(row: bytes | Raw) -> dict[str, Raw]:
    try:
        return members_of(row)
    except MalformedResponse:
        return {}


def _keys(data: Raw | None) -> list[str]:
    """Return the ids that a member holds: one, or a list of them, as text or as numbers."""
    value = _value(data)
    return [key for item in (value if isinstance(value, list) else [value]) if (key := _text(item))]


def _key(data: Raw | None) -> str:
    return _text(_value(data))


def _text(value: Any) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _value(data: Raw | None) -> Any:
    return None if data is None else msgspec.json.decode(data)
