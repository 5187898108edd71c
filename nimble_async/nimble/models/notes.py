"""Notes on contacts."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from msgspec import UNSET, UnsetType

from nimble_async._sansio.record import Id, Member, Record
from nimble_async.nimble.models.mentions import ShortContact
from nimble_async.nimble.models.users import User

__all__ = ["ContactNote"]


class ContactNote(Record, frozen=True, kw_only=True):
    """A note on up to ten contacts.

    `note` is the text as the server sent it: plain, HTML, or percent-encoded HTML. Which of them is
    not told, so nothing is decoded here.
    """

    id: Id
    note: str | UnsetType | None = UNSET
    note_preview: str | UnsetType | None = UNSET
    """The short form that lists show."""
    created: datetime | UnsetType | None = UNSET
    updated: datetime | UnsetType | None = UNSET
    owner_id: str | UnsetType | None = UNSET
    author_name: str | UnsetType | None = UNSET
    owner: ClassVar[Member[User]] = Member.of(User)
    contacts: ClassVar[Member[tuple[ShortContact, ...]]] = Member.each(ShortContact)
