"""People and companies.

Rule: only an id is required. `fields` is read when it is first asked for; everything below it
(`email`, `phone`, `company`, ...) reads from `fields` and is None or empty where that has nothing.
"""

from __future__ import annotations

from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar, Self

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, field

from nimble_async._sansio.members import members_of
from nimble_async._sansio.record import Id, Member, Record, read_record
from nimble_async._sansio.sideload import attach
from nimble_async.errors import DraftRefused, MalformedResponse
from nimble_async.nimble.models.contact_changes import ContactChange, ContactPatch
from nimble_async.nimble.models.fields import (
    UNREADABLE,
    Address,
    Employment,
    FieldValue,
    FieldValues,
    pick,
    rescue_fields,
    tag_names,
)
from nimble_async.nimble.models.metadata import FieldsMetadata
from nimble_async.nimble.models.users import User

__all__ = [
    "ASKED_FIELDS",
    "Contact",
    "ContactContext",
    "LastContacted",
    "Notice",
    "Privacy",
    "Reminder",
    "TaggedContact",
]

ASKED_FIELDS = "the fields asked for"
"""What a contact keeps beside it where a call named the fields that it wants: their names."""
_VALUES = msgspec.json.Decoder(tuple[FieldValue, ...])


def _rescue_by_name(data: bytes) -> tuple[dict[str, Raw], dict[str, bytes]]:
    """Read what there is and report nothing: `fields` reports these bytes."""
    try:
        return members_of(data), {}
    except MalformedResponse:
        return {}, {}


class _Entries(Struct, frozen=True):
    fields: dict[str, Raw] | UnsetType | None = UNSET


_ENTRIES = msgspec.json.Decoder(_Entries)


class LastContacted(Record, frozen=True, kw_only=True):
    """The last message to or from a contact, in the present shape and in the old one."""

    tstamp: datetime | UnsetType | None = UNSET
    type: str | UnsetType | None = UNSET
    object_id: str | UnsetType | None = UNSET
    user_id: str | UnsetType | None = UNSET
    deletion_tstamp: datetime | UnsetType | None = UNSET
    direction: str | UnsetType | None = UNSET
    last_contacted: datetime | UnsetType | None = UNSET
    thread_id: str | UnsetType | None = UNSET
    message_id: str | UnsetType | None = UNSET

    @property
    def when(self) -> datetime | None:
        """When that was, in whichever shape it came."""
        return self.tstamp or self.last_contacted or None


class Privacy(Record, frozen=True, kw_only=True):
    """Who may read and edit: None is everyone, empty lists are the owner alone."""

    read: dict[str, tuple[str, ...]] | UnsetType | None = UNSET
    """`user_ids` and `group_ids`."""
    edit: dict[str, tuple[str, ...]] | UnsetType | None = UNSET


class Reminder(Record, frozen=True, kw_only=True):
    """A wish to be reminded to stay in touch. Times are days."""

    contact_id: str | UnsetType | None = UNSET
    period: int | UnsetType | None = UNSET
    days_till_triggered: int | UnsetType | None = UNSET
    active: bool | UnsetType | None = UNSET
    triggered: bool | UnsetType | None = UNSET


class Notice(Record, frozen=True, kw_only=True):
    """A coloured remark on top of a contact."""

    text: str | UnsetType | None = UNSET
    color: str | UnsetType | None = UNSET
    created: datetime | UnsetType | None = UNSET
    updated: datetime | UnsetType | None = UNSET
    creator: ClassVar[Member[User]] = Member.of(User)
    updated_by: ClassVar[Member[User]] = Member.of(User)


class ContactContext(Record, frozen=True, kw_only=True):
    """A block that was asked for by `contexts=`."""

    key: str | UnsetType | None = field(name="context_key", default=UNSET)
    value: ClassVar[Member[Any]] = Member(object, name="context")


class Contact(Record, frozen=True, kw_only=True):
    """A person or a company.

    What the server left out is `UNSET`, what it sent as null is None. `raw` has the bytes it sent,
    `unknown` the members that are not named here, `unread` those of an unexpected type; `as_dict()` has
    all of it as plain values.
    """

    id: Id

    # Only the id is declared: a declared member is read of every row, touched or not.
    created: ClassVar[Member[datetime]] = Member(datetime)
    updated: ClassVar[Member[datetime]] = Member(datetime)
    record_type: ClassVar[Member[str]] = Member(str)
    """`person` or `company`; text, so that a new kind fails nothing."""
    owner_id: ClassVar[Member[str]] = Member(str)
    fields: ClassVar[Member[FieldValues]] = Member(
        dict[str, tuple[FieldValue, ...]], then=MappingProxyType, rescue=rescue_fields
    )
    """Every field by its name; one that cannot be read is left out and in `unread`."""
    _by_name: ClassVar[Member[dict[str, Raw]]] = Member(dict[str, Raw], name="fields", rescue=_rescue_by_name)
    tags: ClassVar[Member[tuple[str, ...]]] = Member(list[Any], then=tag_names)
    """The names of its tags."""
    object_type: ClassVar[Member[str]] = Member(str)
    avatar_url: ClassVar[Member[str]] = Member(str)
    creator: ClassVar[Member[str]] = Member(str)
    """The name of whoever created it."""
    updater: ClassVar[Member[str]] = Member(str)
    children: ClassVar[Member[tuple[Any, ...]]] = Member(tuple[Any, ...])
    """The people of a company."""
    privacy: ClassVar[Member[Privacy]] = Member.of(Privacy)
    last_contacted: ClassVar[Member[LastContacted]] = Member.of(LastContacted)
    last_contacted_user: ClassVar[Member[str]] = Member(str)
    company_last_contacted: ClassVar[Member[Any]] = Member(dict[str, Any])
    lc: ClassVar[Member[Any]] = Member(dict[str, Any])
    employers_info: ClassVar[Member[tuple[Any, ...]]] = Member(tuple[Any, ...])
    stages_info: ClassVar[Member[tuple[Any, ...]]] = Member(tuple[Any, ...])
    """The stages of lead pipelines it is in."""
    is_important: ClassVar[Member[Any]] = Member(object)
    """A boolean in requests, declared an object in answers: whatever came."""
    reminder: ClassVar[Member[Reminder]] = Member.of(Reminder)
    notice: ClassVar[Member[Notice]] = Member.of(Notice)
    contexts: ClassVar[Member[tuple[ContactContext, ...]]] = Member.each(ContactContext)

    def values(self, name: str) -> tuple[FieldValue, ...]:
        """Return every value of a field, in the vendor's order; none where it has none."""
        # One field is read alone: who asks for an address does not pay for thirty other fields.
        if "fields" not in vars(self):
            try:
                data = (self._by_name or {}).get(name)
                return () if data is None else _VALUES.decode(data)
            except UNREADABLE:
                pass
        return self.fields.get(name, ()) if self.fields else ()

    def entries(self, name: str) -> list[Raw]:
        """Return every value of a field as the server sent it, all of its members included.

        Raises:
            DraftRefused: The fields of this contact are not what the vendor describes, or it was read
                without this one, so that nobody knows its values.
        """
        try:
            fields = _ENTRIES.decode(self.raw).fields
            data = (fields or {}).get(name)
            found = msgspec.json.decode(data or b"[]", type=list[Raw] | None)
        except UNREADABLE as error:
            raise DraftRefused(f"The field {name!r} of contact {self.id!r} cannot be read.") from error
        if data is None and (fields is UNSET or not self._asked_for(name)):
            raise DraftRefused(
                f"Contact {self.id!r} was read without its field {name!r}: values there would be lost.",
                hint="Read it whole by contacts.get first, or write a ContactPatch, which extends.",
            )
        return found or []

    def _asked_for(self, name: str) -> bool:
        """Return whether the call that read it asked for this field: it did unless it named others."""
        asked = vars(self).get("_beside", {}).get(ASKED_FIELDS)
        return asked is None or name in msgspec.json.decode(asked[0], type=list[str])

    def change(
        self, *, avatar_url: str | UnsetType = UNSET, is_important: bool | UnsetType = UNSET
    ) -> ContactChange:
        """Begin a change of this contact, for `contacts.update`.

        A value that is not touched goes back as it came. What the contact was read without (`fields=`)
        cannot be changed so.
        """
        return ContactPatch.of(self, avatar_url=avatar_url, is_important=is_important)

    @classmethod
    def of(cls, contact: Contact) -> Self:
        """Read a contact as this view: a class with typed fields that derives from `Contact`.

        What a method answers comes as a view at once where the method is given `view=`.
        """
        seen = read_record(cls, contact.raw)
        attach(seen, vars(contact).get("_beside", {}))
        return seen

    @property
    def metadata(self) -> FieldsMetadata | None:
        """How the account's fields are described; None unless the call that read it was given `meta=True`."""
        return next(iter(self.beside("contacts_meta", FieldsMetadata)), None)

    def field(self, name: str, modifier: str | None = None) -> str | None:
        """Return a field's primary value as text, else its first; of one modifier where given."""
        return pick(self.values(name), modifier)

    def context(self, key: str) -> Any:
        """Return a block asked for by `contexts=`; None where it did not come."""
        for context in self.contexts or ():
            if context.key == key:
                return context.value
        return None

    def _texts(self, name: str) -> tuple[str, ...]:
        return tuple(value.text for value in self.values(name) if value.text is not None)

    @property
    def name(self) -> str:
        """A person's first and last name, else the company's name; empty where it has none."""
        parts = (self.first_name, self.last_name)
        return " ".join(part for part in parts if part) or self.field("company name") or ""

    @property
    def first_name(self) -> str | None:
        """The first name."""
        return self.field("first name")

    @property
    def middle_name(self) -> str | None:
        """The middle name."""
        return self.field("middle name")

    @property
    def last_name(self) -> str | None:
        """The last name."""
        return self.field("last name")

    @property
    def email(self) -> str | None:
        """The primary e-mail address, else the first."""
        return self.field("email")

    @property
    def emails(self) -> tuple[str, ...]:
        """Every e-mail address."""
        return self._texts("email")

    @property
    def phone(self) -> str | None:
        """The primary phone number, else the first."""
        return self.field("phone")

    @property
    def phones(self) -> tuple[str, ...]:
        """Every phone number."""
        return self._texts("phone")

    @property
    def address(self) -> Address | None:
        """The primary address, else the first, in its parts."""
        text = self.field("address")
        return None if text is None else Address.parse(text)

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Every address, in its parts."""
        return tuple(map(Address.parse, self._texts("address")))

    @property
    def employments(self) -> tuple[Employment, ...]:
        """Every place of work."""
        return tuple(map(Employment.parse, self._texts("contact employment")))

    @property
    def company(self) -> str | None:
        """A company's own name; a person's present employer, else the first, else the parent company."""
        jobs = sorted(self.employments, key=lambda job: not job.is_present)
        employers = (job.company_name for job in jobs if job.company_name)
        return self.field("company name") or next(employers, None) or self.field("parent company")

    @property
    def title(self) -> str | None:
        """The title of the present employment, else of the first, else the old field of that name."""
        jobs = sorted(self.employments, key=lambda job: not job.is_present)
        return next((job.title for job in jobs if job.title), None) or self.field("title")

    @property
    def urls(self) -> tuple[str, ...]:
        """Every web address."""
        return self._texts("URL")

    @property
    def description(self) -> str | None:
        """The primary description, else the first."""
        return self.field("description")


class TaggedContact(Contact, frozen=True, kw_only=True):
    """The answer to new tags: the whole contact, or nothing, as the vendor's old description has it."""

    id: str = ""
    """Empty where the answer is empty."""
