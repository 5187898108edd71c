"""What became of each row of a bulk call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from nimble_async._sansio.record import Member, Record
from nimble_async.errors import CrmError

__all__ = ["BulkAnswer", "BulkOutcome", "BulkReport", "BulkRow", "OwnersAnswer"]

BulkOutcome = Literal["done", "unchanged", "failed", "unknown", "unsent"]


def _ids(values: list[Any]) -> tuple[str, ...]:
    """Return the ids of a list as text; what is none, such as null, says nothing of any deal."""
    return tuple(str(one) for one in values if isinstance(one, str | int) and not isinstance(one, bool))


def _in_words(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


class BulkAnswer(Record, frozen=True, kw_only=True):
    """The answer to one bulk call: prose."""

    message: str | UnsetType | None = UNSET
    _errors: ClassVar[Member[Any]] = Member(object, name="errors")
    _error: ClassVar[Member[Any]] = Member(object, name="error")
    _failed: ClassVar[Member[Any]] = Member(object, name="failed")
    _success: ClassVar[Member[Any]] = Member(object, name="success")

    @property
    def complaint(self) -> str:
        """What speaks against a success, as the vendor put it; empty where nothing does."""
        told = {"errors": self._errors, "error": self._error, "failed": self._failed}
        found = [f"{name}: {_in_words(value)}" for name, value in told.items() if value]
        # UNSET is no word on it; null, 0 and "false" are none for a success.
        if self._success is not UNSET and (not self._success or str(self._success).lower() == "false"):
            found.append(f"success: {_in_words(self._success)}")
        return "; ".join(found)


class OwnersAnswer(Record, frozen=True, kw_only=True):
    """The answer to a change of owners: the ids of the deals."""

    success: ClassVar[Member[tuple[str, ...]]] = Member(list[Any], then=_ids)
    nochange: ClassVar[Member[tuple[str, ...]]] = Member(list[Any], then=_ids)
    failed: ClassVar[Member[tuple[str, ...]]] = Member(list[Any], then=_ids)


class BulkRow(Struct, frozen=True, kw_only=True):
    """One row: its place in what was given, the id it named (None: none), and what became of it.

    `done` and `unchanged` are the vendor's word. `failed` was refused; the vendor does not say
    whether a refused call did a part of its rows. `unknown` may have been done: the answer was lost, or
    it is a success that speaks of errors and does not say of which rows.
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
