"""What became of each row of a bulk call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from nimble_async._sansio.record import Record
from nimble_async.errors import CrmError

__all__ = ["BulkAnswer", "BulkOutcome", "BulkReport", "BulkRow", "OwnersAnswer"]

BulkOutcome = Literal["done", "unchanged", "failed", "unknown", "unsent"]


class BulkAnswer(Record, frozen=True, kw_only=True):
    """The answer to one bulk call: prose."""

    message: str | UnsetType | None = UNSET


class OwnersAnswer(Record, frozen=True, kw_only=True):
    """The answer to a change of owners: the ids of the deals."""

    success: tuple[str | int, ...] | UnsetType | None = UNSET
    nochange: tuple[str | int, ...] | UnsetType | None = UNSET
    failed: tuple[str | int, ...] | UnsetType | None = UNSET


class BulkRow(Struct, frozen=True, kw_only=True):
    """One row: its place in what was given, the id it named (None: none), and what became of it.

    `done` and `unchanged` are the vendor's word. `failed` was refused; the vendor does not say
    whether a refused call did a part of its rows. `unknown` may have been done: the answer was lost.
    `unsent` was not tried after an error that would have met it too.
    """

    index: int
    id: str | None = None
    outcome: BulkOutcome
    error: str = ""


class BulkReport(Struct, frozen=True, kw_only=True):
    """What became of every row, in the order given."""

    rows: tuple[BulkRow, ...]
    messages: tuple[str, ...] = ()
    """What the vendor said to each call, in prose."""
    error: CrmError | None = None
    """The first error, where there was one."""

    @property
    def ok(self) -> bool:
        """Whether every row is done, or was so before."""
        return not self.troubled

    @property
    def troubled(self) -> tuple[BulkRow, ...]:
        """The rows that failed, that may or may not be done, or were not sent."""
        return tuple(row for row in self.rows if row.outcome not in {"done", "unchanged"})

    @property
    def counts(self) -> Mapping[str, int]:
        """How many rows came to which end."""
        return dict(Counter(row.outcome for row in self.rows))

    def check(self) -> BulkReport:
        """Return the report itself, or raise its first error.

        Raises:
            CrmError: A call ended with it.
        """
        if self.error is not None:
            raise self.error
        return self

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show the counts."""
        return list(self.counts.items())
