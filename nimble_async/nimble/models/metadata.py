"""How the fields of contacts and deals are described: kinds, presentations, choices, tabs and groups.

Rule: what is sent is exact (tagged structs), what is read is lenient: a kind that is not known here
becomes an `Other` that keeps its members, and a tab with a strange member keeps the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, field

from nimble_async._sansio.record import Id, Member, Record, read_record
from nimble_async.errors import MalformedResponse
from nimble_async.nimble.models.fields import UNREADABLE

__all__ = [
    "AddressType",
    "AttachmentType",
    "BooleanType",
    "Choice",
    "ChoiceType",
    "DateTimePresentation",
    "DateTimeType",
    "DecimalPresentation",
    "EmploymentType",
    "FieldDef",
    "FieldGroup",
    "FieldTab",
    "FieldType",
    "FieldsMetadata",
    "FinancialPresentation",
    "IntegerPresentation",
    "LegacyField",
    "LegacyGroup",
    "LongStringType",
    "NewFieldType",
    "NumberType",
    "Other",
    "PercentagePresentation",
    "PossibleValues",
    "Presentation",
    "StringType",
    "UserType",
    "ValidationRule",
    "all_fields",
    "read_field_type",
    "read_presentation",
]


class ValidationRule(Struct, frozen=True):
    """What the text of a field has to be: `email` or `url`."""

    type: str


class Choice(Struct, frozen=True, kw_only=True):
    """One option of a choice field. A contact stores the `id`; `value` is what people see."""

    id: str
    value: str


class PossibleValues(Struct, frozen=True, kw_only=True):
    """The options of a choice field, and how they are ordered: `ordinal` or `alphabetic`."""

    values: tuple[Choice, ...] = ()
    ordering_type: str | UnsetType = UNSET


class StringType(Struct, frozen=True, kw_only=True, tag_field="field_kind", tag="string"):
    """One line of text. Contacts declare the rule an object, deals its bare name: both are read."""

    validation_rule: ValidationRule | str | UnsetType | None = UNSET


class LongStringType(Struct, frozen=True, tag_field="field_kind", tag="long_string"):
    """Several lines of text."""


class ChoiceType(Struct, frozen=True, kw_only=True, tag_field="field_kind", tag="choice"):
    """One of several options."""

    values: PossibleValues | UnsetType = UNSET

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The options in the vendor's order; none where it sent none."""
        return self.values.values if self.values else ()


class NumberType(Struct, frozen=True, tag_field="field_kind", tag="number"):
    """A number; its presentation says which kind."""


class DateTimeType(Struct, frozen=True, tag_field="field_kind", tag="datetime"):
    """A day or a moment; its presentation says which."""


class BooleanType(Struct, frozen=True, tag_field="field_kind", tag="boolean"):
    """True or false."""


class AddressType(Struct, frozen=True, tag_field="field_kind", tag="address"):
    """A postal address, as JSON text."""


class UserType(Struct, frozen=True, tag_field="field_kind", tag="user"):
    """The id of a user of the account."""


class AttachmentType(Struct, frozen=True, tag_field="field_kind", tag="attachment"):
    """A file. The vendor has such fields and creates none."""


class EmploymentType(Struct, frozen=True, tag_field="field_kind", tag="employment"):
    """A place of work, as JSON text. The vendor has such fields and creates none."""


class IntegerPresentation(Struct, frozen=True, tag_field="number_type", tag="integer"):
    """A whole number."""


class DecimalPresentation(Struct, frozen=True, kw_only=True, tag_field="number_type", tag="decimal"):
    """A number with digits behind the point, at least 1."""

    fraction_digits: int | UnsetType = UNSET


class PercentagePresentation(Struct, frozen=True, kw_only=True, tag_field="number_type", tag="percentage"):
    """A percentage with digits behind the point, at least 1."""

    fraction_digits: int | UnsetType = UNSET


class FinancialPresentation(Struct, frozen=True, kw_only=True, tag_field="number_type", tag="financial"):
    """An amount of money; `currency` is ISO 4217, or null."""

    currency: str | UnsetType | None = UNSET


class DateTimePresentation(Struct, frozen=True, kw_only=True):
    """How a day or moment is shown: a strftime template, or, where that is null, with or without its time."""

    date_format: str | UnsetType | None = UNSET
    ignore_specific_time: bool | UnsetType | None = UNSET


class Other(Struct, frozen=True, kw_only=True):
    """A kind of field or presentation that is newer than this package, with all that was sent."""

    kind: str = ""
    members: Mapping[str, Any] = {}


NewFieldType = (
    StringType
    | LongStringType
    | ChoiceType
    | NumberType
    | DateTimeType
    | BooleanType
    | AddressType
    | UserType
)
"""The kinds of fields that can be created; the kind of a field never changes."""

FieldType = NewFieldType | AttachmentType | EmploymentType
"""Every kind of field."""

Presentation = (
    IntegerPresentation
    | DecimalPresentation
    | PercentagePresentation
    | FinancialPresentation
    | DateTimePresentation
)
"""How the values of a number or date field are shown."""

_NUMBERS = IntegerPresentation | DecimalPresentation | PercentagePresentation | FinancialPresentation


def read_field_type(found: Any) -> FieldType | Other:
    """Return the kind of a field of its JSON object; an unknown one becomes an `Other`.

    Raises:
        msgspec.ValidationError: It is no object.
    """
    kind: FieldType | Other = _read(found, FieldType, tag="field_kind")
    return kind


def read_presentation(found: Any) -> Presentation | Other:
    """Return the presentation of a field of its JSON object; an unknown one becomes an `Other`.

    Raises:
        msgspec.ValidationError: It is no object.
    """
    of_dates = isinstance(found, dict) and bool(found) and found.keys() <= _DATE_MEMBERS
    shown: Presentation | Other = _read(
        found, DateTimePresentation if of_dates else _NUMBERS, tag="number_type"
    )
    return shown


_DATE_MEMBERS = {one.name for one in msgspec.structs.fields(DateTimePresentation)}


def _read(found: Any, kind: Any, *, tag: str) -> Any:
    members = msgspec.convert(found, dict[str, Any])
    try:
        return msgspec.convert(members, kind)
    except msgspec.ValidationError:
        name = members.get(tag, members.get("type"))
        return Other(kind=name if isinstance(name, str) else "", members=members)


class FieldDef(Record, frozen=True, kw_only=True):
    """A field of contacts or deals, as the account defines it."""

    id: Id = field(name="field_id")
    name: str | UnsetType | None = UNSET
    modifier: str | UnsetType | None = UNSET
    """Which of several of that name: `work`, `home`, ...; empty where there is one."""
    multiples: bool | UnsetType | None = UNSET
    """Whether it holds several values."""
    read_only: bool | UnsetType | None = UNSET
    available_actions: str | UnsetType | None = UNSET
    """What may be done with the definition: `edit_all`, `edit_choices_only` or `view_only`."""
    field_type: ClassVar[Member[FieldType | Other]] = Member(object, then=read_field_type)
    presentation: ClassVar[Member[Presentation | Other]] = Member(object, then=read_presentation)

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The options of a choice field, none for any other."""
        kind = self.field_type
        return kind.choices if isinstance(kind, ChoiceType) else ()


class FieldGroup(Record, frozen=True, kw_only=True):
    """A group of fields inside a tab."""

    id: Id = field(name="group_id")
    name: str | UnsetType | None = UNSET
    logo_id: str | UnsetType | None = UNSET
    fields: ClassVar[Member[tuple[FieldDef, ...]]] = Member.each(FieldDef)


def _member(row: Raw) -> FieldGroup | FieldDef:
    """Read a member of a tab by what it has: a group has an id of its own."""
    names = msgspec.json.decode(row, type=dict[str, Raw])
    if "group_id" in names and "field_id" not in names:
        return read_record(FieldGroup, row)
    return read_record(FieldDef, row)


def _members(rows: Sequence[Raw]) -> tuple[FieldGroup | FieldDef, ...]:
    return tuple(map(_member, rows))


def _rescue_members(data: bytes) -> tuple[Any, Mapping[str, bytes]]:
    """Read the members one by one: those that can be read, and the bytes of the rest by place."""
    try:
        rows = msgspec.json.decode(data, type=list[Raw])
    except UNREADABLE:
        return UNSET, {"members": data}
    read, rest = [], {}
    for place, row in enumerate(rows):
        try:
            read.append(_member(row))
        except (*UNREADABLE, MalformedResponse):
            rest[f"members/{place}"] = bytes(row)
    return tuple(read), rest


class FieldTab(Record, frozen=True, kw_only=True):
    """A tab of fields. Its members are groups, and fields that are in none."""

    id: Id = field(name="tab_id")
    name: str | UnsetType | None = field(name="tab_name", default=UNSET)
    contact_types: str | tuple[str, ...] | UnsetType | None = UNSET
    """`person` or `company`: declared one word in answers, a list in requests."""
    is_standard: bool | UnsetType | None = UNSET
    available_actions: str | UnsetType | None = UNSET
    """What may be done with it: `edit_all`, `rearrange_only` or `view_only`."""
    members: ClassVar[Member[tuple[FieldGroup | FieldDef, ...]]] = Member(
        list[Raw], then=_members, rescue=_rescue_members, records=True
    )

    @property
    def fields(self) -> tuple[FieldDef, ...]:
        """Every field of the tab, those of its groups in their places."""
        return tuple(_fields_of(self))


def _fields_of(tab: FieldTab) -> Iterator[FieldDef]:
    for member in tab.members or ():
        if isinstance(member, FieldGroup):
            yield from member.fields or ()
        else:
            yield member


def all_fields(tabs: Sequence[FieldTab]) -> tuple[FieldDef, ...]:
    """Return every field of all tabs, in the vendor's order."""
    return tuple(one for tab in tabs for one in tab.fields)


class LegacyField(Record, frozen=True, kw_only=True):
    """A field with one of its modifiers, as the old description has it."""

    id: Id
    name: str | UnsetType | None = UNSET
    label: str | UnsetType | None = UNSET
    modifier: str | UnsetType | None = UNSET
    group: str | UnsetType | None = UNSET
    multiples: bool | UnsetType | None = UNSET
    read_only: bool | UnsetType | None = UNSET
    presentation: ClassVar[Member[Mapping[str, Any]]] = Member(dict[str, Any])
    """`type`, `width` and, for a select box, `values` and `next_id`."""


class LegacyGroup(Record, frozen=True, kw_only=True):
    """A group of fields, as the old description has it."""

    id: Id
    name: str | UnsetType | None = UNSET
    label: str | UnsetType | None = UNSET
    order: tuple[str, ...] | UnsetType | None = UNSET
    """The names of its fields in their order."""
    is_standard: bool | UnsetType | None = UNSET
    type: str | UnsetType | None = UNSET
    """Whose contacts have it: `person`, `company` or `both`."""


def _variants(found: Mapping[str, list[Raw]]) -> Mapping[str, tuple[LegacyField, ...]]:
    return {name: tuple(read_record(LegacyField, row) for row in rows) for name, rows in found.items()}


def _groups(found: Mapping[str, Raw]) -> Mapping[str, LegacyGroup]:
    return {name: read_record(LegacyGroup, row) for name, row in found.items()}


class FieldsMetadata(Record, frozen=True, kw_only=True):
    """The old description of all fields: `contact_fields.list` has the present one."""

    fields: ClassVar[Member[Mapping[str, tuple[LegacyField, ...]]]] = Member(
        dict[str, list[Raw]], then=_variants, records=True
    )
    """By the field's name, one entry for each modifier."""
    groups: ClassVar[Member[Mapping[str, LegacyGroup]]] = Member(dict[str, Raw], then=_groups, records=True)
    """By the group's name."""
