"""What happened with contacts and deals, and what is to come: activities, proceedings, tasks.

Rule: moments that the vendor declares as objects and sends as text or null are read as moments;
anything else stays in `unread`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, ClassVar

from msgspec import UNSET, Struct, UnsetType, field

from nimble_async._sansio.record import Id, Member, Record
from nimble_async.errors import DraftRefused
from nimble_async.nimble.models.limits import check_length, texts
from nimble_async.nimble.models.mentions import ShortContact
from nimble_async.nimble.models.users import User

__all__ = [
    "Activity",
    "ActivityType",
    "Comment",
    "Proceeding",
    "ProceedingProvider",
    "ProceedingType",
    "RelatedDeal",
    "RelatedSequence",
    "Task",
    "TaskDraft",
    "TaskLinks",
    "TaskRelated",
]


class Comment(Record, frozen=True, kw_only=True):
    """A remark on an activity or a task."""

    id: Id = field(name="comment_id")
    text: str | UnsetType | None = UNSET
    created: datetime | UnsetType | None = UNSET
    updated: datetime | UnsetType | None = UNSET
    author: ClassVar[Member[User]] = Member.of(User)


class RelatedDeal(Record, frozen=True, kw_only=True):
    """A deal, as activities and tasks mention one."""

    id: Id = field(name="deal_id")
    name: str | UnsetType | None = UNSET
    amount: int | float | UnsetType | None = UNSET
    is_editable: bool | UnsetType | None = UNSET
    is_viewable: bool | UnsetType | None = UNSET


class RelatedSequence(Record, frozen=True, kw_only=True):
    """A sequence of messages, as activities and tasks mention one."""

    id: Id
    name: str | UnsetType | None = UNSET


class ActivityType(Record, frozen=True, kw_only=True):
    """A kind of activity, such as a call or an event."""

    id: Id = field(name="type_id")
    name: str | UnsetType | None = field(name="type_name", default=UNSET)
    logo_id: str | UnsetType | None = UNSET
    can_update_lc: bool | UnsetType | None = UNSET
    """Whether its completion counts as a contact."""
    can_update_definition: bool | UnsetType | None = UNSET
    archived: bool | UnsetType | None = UNSET


class Activity(Record, frozen=True, kw_only=True):
    """Something planned or done: a task, a call, an event, or a kind of the account's own."""

    id: Id = field(name="activity_id")
    name: str | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET
    created: datetime | UnsetType | None = UNSET
    scheduled: datetime | UnsetType | None = field(name="scheduled_tstamp", default=UNSET)
    completed: datetime | UnsetType | None = field(name="completed_tstamp", default=UNSET)
    """When it was done; None while it is not."""
    feed: datetime | UnsetType | None = field(name="feed_tstamp", default=UNSET)
    """Where it stands in the list."""
    priority: str | UnsetType | None = UNSET
    """`high`, `medium` or `low`."""
    is_important: bool | UnsetType | None = UNSET
    activity_type: ClassVar[Member[ActivityType]] = Member.of(ActivityType)
    assigned_to: ClassVar[Member[User]] = Member.of(User)
    owner: ClassVar[Member[User]] = Member.of(User)
    comments: ClassVar[Member[tuple[Comment, ...]]] = Member.each(Comment)
    tags: ClassVar[Member[tuple[str, ...]]] = Member(tuple[str, ...])
    related_contacts: ClassVar[Member[tuple[ShortContact, ...]]] = Member.each(ShortContact)
    related_deals: ClassVar[Member[tuple[RelatedDeal, ...]]] = Member.each(
        RelatedDeal, name="new_related_deals"
    )
    related_sequence: ClassVar[Member[RelatedSequence]] = Member.of(RelatedSequence)
    details: ClassVar[Member[Any]] = Member(object)
    """What only this kind of activity has: whatever came."""


class ProceedingType(Record, frozen=True, kw_only=True):
    """A kind of entry in a contact's history, such as `contact_note` or `message`."""

    id: Id = field(name="type_id")
    name: str | UnsetType | None = field(name="type_name", default=UNSET)


class Proceeding(Record, frozen=True, kw_only=True):
    """An entry in a contact's history: a note, a message, a task, a deal, ..."""

    id: Id = field(name="proceeding_id")
    name: str | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET
    feed: datetime | UnsetType | None = field(name="feed_tstamp", default=UNSET)
    """Where it stands in the list."""
    proceeding_type: ClassVar[Member[ProceedingType]] = Member.of(ProceedingType)
    details: ClassVar[Member[Any]] = Member(object)
    """What only this kind of entry has: whatever came."""


class ProceedingProvider(Record, frozen=True, kw_only=True):
    """Where entries of a contact's history come from, with the kinds it gives."""

    id: Id = field(name="provider_id")
    name: str | UnsetType | None = UNSET
    types: ClassVar[Member[tuple[ProceedingType, ...]]] = Member.each(ProceedingType)


class TaskRelated(Record, frozen=True, kw_only=True):
    """What a task is about."""

    contacts: ClassVar[Member[tuple[ShortContact, ...]]] = Member.each(ShortContact)
    deals: ClassVar[Member[tuple[RelatedDeal, ...]]] = Member.each(RelatedDeal, name="new_deals")
    old_deals: ClassVar[Member[tuple[str, ...]]] = Member(tuple[str, ...], name="deals")
    """Always empty, says the vendor, and kept for old clients."""
    sequence: ClassVar[Member[RelatedSequence]] = Member.of(RelatedSequence)


class Task(Record, frozen=True, kw_only=True):
    """A task. The vendor has no way to read, change or delete one: `activities.list` shows it again."""

    id: Id
    subject: str | UnsetType | None = UNSET
    notes: str | UnsetType | None = UNSET
    due_date: datetime | UnsetType | None = UNSET
    due_date_text: str | UnsetType | None = UNSET
    completed: bool | UnsetType | None = UNSET
    completed_time: datetime | UnsetType | None = UNSET
    created: datetime | UnsetType | None = UNSET
    updated: datetime | UnsetType | None = UNSET
    company_id: str | UnsetType | None = UNSET
    owner_id: str | UnsetType | None = UNSET
    is_important: bool | UnsetType | None = UNSET
    starred: bool | UnsetType | None = UNSET
    version: int | UnsetType | None = UNSET
    assigned_to: ClassVar[Member[User]] = Member.of(User)
    owner: ClassVar[Member[User]] = Member.of(User)
    comments: ClassVar[Member[tuple[Comment, ...]]] = Member.each(Comment)
    tags: ClassVar[Member[tuple[str, ...]]] = Member(tuple[str, ...])
    related: ClassVar[Member[TaskRelated]] = Member.of(TaskRelated)
    related_to: ClassVar[Member[tuple[str, ...]]] = Member(tuple[str, ...])
    """The ids of its contacts, as old clients read them."""


class TaskLinks(Struct, frozen=True, kw_only=True):
    """What a new task is about: ids of contacts and deals.

    Raises:
        DraftRefused: One text was given instead of several, or an id is empty or no text.
    """

    contacts: Sequence[str] | UnsetType = UNSET
    deals: Sequence[str] | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Refuse what are no ids."""
        for ids in (self.contacts, self.deals):
            if ids is not UNSET:
                texts("id", ids)


class TaskDraft(Struct, frozen=True, kw_only=True):
    """A task to create. What is `UNSET` is not sent.

    Moments are sent as the vendor takes them, `YYYY-MM-DDTHH:MM:SS` without a zone: a moment that has a
    zone is sent as it reads on its own clock. `TaskDraft.of` makes them of moments.

    Raises:
        DraftRefused: The subject has not 2 to 128 characters, or a tag is empty or no text.
    """

    subject: str
    notes: str | UnsetType = UNSET
    due_date: str | UnsetType = UNSET
    completed_time: str | UnsetType = UNSET
    assigned_to: str | UnsetType = UNSET
    """The id of a user."""
    is_important: bool | UnsetType = UNSET
    tags: Sequence[str] | UnsetType = UNSET
    related: TaskLinks | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Refuse what the vendor would refuse."""
        check_length("The subject of a task", self.subject, least=2, most=128)
        if self.tags is not UNSET:
            texts("tag", self.tags)

    @classmethod
    def of(
        cls,
        subject: str,
        *,
        notes: str | UnsetType = UNSET,
        due: datetime | date | UnsetType = UNSET,
        completed: datetime | UnsetType = UNSET,
        assigned_to: str | UnsetType = UNSET,
        is_important: bool | UnsetType = UNSET,
        tags: Sequence[str] | UnsetType = UNSET,
        contacts: Sequence[str] | UnsetType = UNSET,
        deals: Sequence[str] | UnsetType = UNSET,
    ) -> TaskDraft:
        """Describe a task with moments and ids; a day without a time is due at its beginning.

        Raises:
            DraftRefused: The subject has not 2 to 128 characters, a moment is none, or ids or tags are one
                text, empty or no text.
        """
        linked = contacts is not UNSET or deals is not UNSET
        return cls(
            subject=subject,
            notes=notes,
            due_date=UNSET if due is UNSET else _moment("due", due),
            completed_time=UNSET if completed is UNSET else _moment("completed", completed),
            assigned_to=assigned_to,
            is_important=is_important,
            tags=tags,
            related=TaskLinks(contacts=contacts, deals=deals) if linked else UNSET,
        )


def _moment(name: str, when: datetime | date) -> str:
    """Return a moment as the vendor takes it: seconds, no zone.

    Raises:
        DraftRefused: It is none.
    """
    if not isinstance(when, date):
        raise DraftRefused(
            f"{name} takes a date or a datetime, not {when!r}.",
            hint="TaskDraft(due_date=...) takes text as the vendor writes it.",
        )
    moment = when if isinstance(when, datetime) else datetime(when.year, when.month, when.day)  # noqa: DTZ001
    return moment.replace(tzinfo=None, microsecond=0).isoformat()
