"""Notes of deals, and what else the deals' own routes answer."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from msgspec import UNSET, UnsetType, field

from nimble_async._sansio.record import Id, Member, Record
from nimble_async.nimble.models.users import User

__all__ = ["DealNote", "DealTag", "JobProgress", "TagAssignment", "WonDeals"]


class DealNote(Record, frozen=True, kw_only=True):
    """A note of a deal."""

    id: Id = field(name="note_id")
    title: str | UnsetType | None = UNSET
    body: str | UnsetType | None = UNSET
    created: datetime | UnsetType | None = UNSET
    updated: datetime | UnsetType | None = UNSET
    creator: ClassVar[Member[User]] = Member.of(User)


class DealTag(Record, frozen=True, kw_only=True):
    """A tag that deals carry; its name is its identity."""

    name: Id
    created: datetime | UnsetType | None = UNSET


class JobProgress(Record, frozen=True, kw_only=True):
    """How far a job of the vendor's was when it answered; no documented route asks again."""

    operation_id: str | UnsetType | None = UNSET
    processed: int | UnsetType | None = UNSET
    """Records done."""
    total: int | UnsetType | None = UNSET
    """Records to do."""
    is_completed: bool | UnsetType | None = UNSET
    started_at: datetime | UnsetType | None = UNSET
    errors: ClassVar[Member[tuple[Any, ...]]] = Member(tuple[Any, ...])
    """Objects with `error_type` and `error_description`, as the vendor sent them."""


class TagAssignment(Record, frozen=True, kw_only=True):
    """The answer to tagging deals: the job that was started."""

    progress: ClassVar[Member[JobProgress]] = Member.of(JobProgress, name="push_data")


class WonDeals(Record, frozen=True, kw_only=True):
    """What was won in the last calendar month, over all pipelines."""

    amount: Decimal | UnsetType | None = field(name="last_month_won_amount", default=UNSET)
    """The sum of the amounts, digit by digit as sent; the vendor names no currency."""
    count: int | UnsetType | None = field(name="last_month_won_count", default=UNSET)
