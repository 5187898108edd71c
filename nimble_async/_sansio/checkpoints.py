"""Where an iteration stands, as a short JSON text that can be kept anywhere.

Rule: a checkpoint belongs to one query. It carries a fingerprint of the operation, its ids and
its query, and another query refuses it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from nimble_async._sansio.paging import Cursor
from nimble_async.errors import CheckpointRefused

__all__ = ["Position", "fingerprint", "read_checkpoint", "write_checkpoint"]

_VERSION = 1


class Position(Struct, frozen=True):
    """A place inside a walk: the page to read, and how many of its rows are already delivered."""

    cursor: Cursor
    row: int = 0
    mark: int | None = None
    """The checksum of the page before this one, to notice a repeated page."""


class _Checkpoint(Struct, frozen=True):
    version: int
    operation: str
    query: str
    position: Position


def fingerprint(operation: str, ids: Mapping[str, str], query: Mapping[str, Any]) -> str:
    """Return 16 hex digits that name this query; equal queries give equal digits.

    The order of members is no matter, but for those with brackets, such as `orders[value]` and
    `orders[title]`: the first of them is the strongest, so another order is another list.
    """
    parts: list[Any] = [operation, dict(ids), dict(query)]
    turns = [name for name in query if "[" in name]
    canonical = msgspec.json.encode([*parts, turns] if turns else parts, order="deterministic")
    return hashlib.sha256(canonical).hexdigest()[:16]


def write_checkpoint(operation: str, query: str, position: Position) -> str:
    """Return the text of a checkpoint; `query` is a fingerprint."""
    return msgspec.json.encode(_Checkpoint(_VERSION, operation, query, position)).decode()


def read_checkpoint(text: str, *, operation: str, query: str) -> Position:
    """Read a checkpoint that must belong to this operation and query.

    Raises:
        CheckpointRefused: It is no checkpoint, of a newer version, or of another query.
    """
    try:
        checkpoint = msgspec.json.decode(text, type=_Checkpoint)
    except (msgspec.MsgspecError, UnicodeError, TypeError) as error:
        raise CheckpointRefused(
            "This is no checkpoint of nimble_async.", hint="Pass what checkpoint() returned, unchanged."
        ) from error
    if checkpoint.version != _VERSION:
        raise CheckpointRefused(
            f"The checkpoint has version {checkpoint.version}; this release reads {_VERSION}."
        )
    if checkpoint.operation != operation:
        raise CheckpointRefused(f"The checkpoint belongs to {checkpoint.operation}, not to {operation}.")
    if checkpoint.query != query:
        raise CheckpointRefused(
            f"The checkpoint belongs to another query of {operation}.",
            hint="Repeat the query it was taken from.",
        )
    return checkpoint.position
