"""The fields that deals have: standard ones, and those of each pipeline in tabs and groups.

Rule: a new kind of field or member never fails the whole: it is read as far as it is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, ClassVar

import msgspec
from msgspec import UNSET, Raw, UnsetType, field

from nimble_async._sansio.record import Id, Member, Record, read_record
from nimble_async.errors import DraftRefused
from nimble_async.nimble.models.metadata import (
    Choice,
    ChoiceType,
    FieldType,
    Other,
    Presentation,
    read_field_type,
    read_presentation,
)
from nimble_async.nimble.models.shapes import one_or_more

__all__ = [
    "Column",
    "ColumnCatalogue",
    "ColumnGroup",
    "DealField",
    "DealFieldGroup",
    "DealFieldMember",
    "DealFieldTab",
    "DealFieldsMetadata",
]

_ALSO = {"name": ("deal_name",), "deal_name": ("name",)}
"""The vendor's text calls the name of a deal both."""


def _field_type(found: Any) -> FieldType | Other:
    return read_field_type({"field_kind": found} if isinstance(found, str) else found)


class DealField(Record, frozen=True, kw_only=True):
    """A field that deals have."""

    id: Id = field(name="field_id")
    name: str | UnsetType | None = field(name="field_name", default=UNSET)
    modifier: str | UnsetType | None = UNSET
    multiples: bool | UnsetType | None = UNSET
    """Whether it takes several values."""
    available_actions: str | UnsetType | None = UNSET
    """`edit_all`, `rearrange_only`, `view_only` or `edit_choices_only`."""
    field_type: ClassVar[Member[FieldType | Other]] = Member(object, then=_field_type)
    """Declared a text, which names the kind alone; an object, as contacts have, is read too."""
    presentation: ClassVar[Member[Presentation | Other]] = Member(object, then=read_presentation)

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The options of a choice field; none for any other, or where the vendor sent none."""
        kind = self.field_type
        return kind.choices if isinstance(kind, ChoiceType) else ()


class DealFieldMember(Record, frozen=True, kw_only=True):
    """A field in its place in a tab or a group."""

    type: str | UnsetType | None = UNSET
    pipeline_id: str | UnsetType | None = UNSET
    field: ClassVar[Member[DealField]] = Member.of(DealField)


class DealFieldGroup(Record, frozen=True, kw_only=True):
    """Fields under one heading."""

    type: str | UnsetType | None = UNSET
    id: str | UnsetType | None = field(name="group_id", default=UNSET)
    name: str | UnsetType | None = field(name="group_name", default=UNSET)
    logo_id: str | UnsetType | None = UNSET
    fields: ClassVar[Member[tuple[DealFieldMember, ...]]] = Member.each(DealFieldMember)


def _tab_member(data: Raw) -> DealFieldMember | DealFieldGroup:
    members = msgspec.json.decode(data, type=dict[str, Raw])
    if members.get("type") == Raw(b'"group"') or "group_id" in members:
        return read_record(DealFieldGroup, data)
    return read_record(DealFieldMember, data)


class DealFieldTab(Record, frozen=True, kw_only=True):
    """A tab of a pipeline's fields."""

    id: Id = field(name="tab_id")
    name: str | UnsetType | None = field(name="tab_name", default=UNSET)
    pipeline_id: str | UnsetType | None = UNSET
    members: ClassVar[Member[tuple[DealFieldMember | DealFieldGroup, ...]]] = Member(
        Raw, then=one_or_more(_tab_member), records=True
    )
    """Fields and groups in their order; declared one, named like a list, so both are read."""

    def fields(self) -> Iterator[DealField]:
        """Give the fields of this tab, those in groups too, in their order."""
        for member in self.members or ():
            inner = (member.fields or ()) if isinstance(member, DealFieldGroup) else (member,)
            yield from (each.field for each in inner if each.field)


class DealFieldsMetadata(Record, frozen=True, kw_only=True):
    """Every field that deals have: `standard_fields` everywhere, `tabs` in their pipeline."""

    standard_fields: ClassVar[Member[tuple[DealField, ...]]] = Member.each(DealField)
    tabs: ClassVar[Member[tuple[DealFieldTab, ...]]] = Member.each(DealFieldTab, name="pipelines_tabs")

    def fields(self, pipeline_id: str | None = None) -> tuple[DealField, ...]:
        """Return the standard fields, then those of one pipeline, or of all."""
        tabs = [tab for tab in self.tabs or () if pipeline_id is None or tab.pipeline_id == pipeline_id]
        return (*(self.standard_fields or ()), *(one for tab in tabs for one in tab.fields()))

    def field_id(self, name: str, *, pipeline_id: str | None = None) -> str:
        """Return the id of the field called `name`; an id is returned as it is.

        The name of a deal is found as `name` and as `deal_name`: the vendor's text has both.

        Raises:
            DraftRefused: No field has this name, or fields of several pipelines have it.
        """
        fields = self.fields(pipeline_id)
        if any(one.id == name for one in fields):
            return name
        for wanted in (name, *_ALSO.get(name, ())):
            found = list(dict.fromkeys(one.id for one in fields if one.name == wanted))
            if len(found) == 1:
                return found[0]
            if found:
                raise DraftRefused(f"Several deal fields are called {name!r}.", hint="Name the pipeline.")
        near = get_close_matches(name, [one.name for one in fields if isinstance(one.name, str)], n=1)
        raise DraftRefused(
            f"There is no deal field {name!r}.", hint=f"Did you mean {near[0]!r}?" if near else ""
        )


class Column(Record, frozen=True, kw_only=True):
    """A column that listings of deals can show."""

    id: str | UnsetType | None = UNSET
    name: str | UnsetType | None = field(name="human_readable_name", default=UNSET)
    json_path: str | UnsetType | None = UNSET
    value_json_path: str | UnsetType | None = UNSET
    read_only: bool | UnsetType | None = UNSET
    is_standard: bool | UnsetType | None = UNSET
    sortable: bool | UnsetType | None = UNSET
    presentation: ClassVar[Member[Any]] = Member(object)
    """`type`, and `possible_values` of choices."""
    search_field: ClassVar[Member[Any]] = Member(object)
    """How the column is called in a search, and which operators it takes."""


class ColumnGroup(Record, frozen=True, kw_only=True):
    """Columns under one heading."""

    id: str | UnsetType | None = field(name="group_id", default=UNSET)
    name: str | UnsetType | None = field(name="human_readable_name", default=UNSET)
    columns: ClassVar[Member[tuple[Column, ...]]] = Member.each(Column)


def _catalogue_item(data: Raw) -> Column | ColumnGroup:
    grouped = "columns" in msgspec.json.decode(data, type=dict[str, Raw])
    return read_record(ColumnGroup, data) if grouped else read_record(Column, data)


class ColumnCatalogue(Record, frozen=True, kw_only=True):
    """Every column that listings of deals can show."""

    items: ClassVar[Member[tuple[Column | ColumnGroup, ...]]] = Member(
        Raw, then=one_or_more(_catalogue_item), records=True
    )
    """Columns and groups of columns; declared one, named like a list, so both are read."""
    type: ClassVar[Member[Any]] = Member(object)

    def columns(self) -> tuple[Column, ...]:
        """Return every column, those in groups too, in their order."""
        found: list[Column] = []
        for item in self.items or ():
            found.extend((item.columns or ()) if isinstance(item, ColumnGroup) else (item,))
        return tuple(found)
