"""Values to create deals with, and to change them.

Rule: what is not given is not sent. Money and percentages are exact. The vendor takes fields by
their ids and, so its text says, the standard ones by their names; `resolved` makes ids of names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from nimble_async.errors import DraftRefused
from nimble_async.nimble.models.deal_metadata import DealFieldsMetadata
from nimble_async.nimble.models.deals import Deal
from nimble_async.nimble.models.fields import FieldValue
from nimble_async.nimble.models.limits import (
    check_currency,
    check_each,
    check_exact,
    check_money,
    content_text,
    given,
    texts,
)

__all__ = [
    "DealAccess",
    "DealDraft",
    "DealPatch",
    "Principals",
    "RelatedContactDraft",
    "RelatedExternalContactDraft",
]

T = TypeVar("T")
D = TypeVar("D", "DealDraft", "DealPatch")
_NAMED = ("name", "amount", "probability", "description", "expected_close_date")


class Principals(Struct, frozen=True, kw_only=True):
    """Users and groups, by their ids; empty lists are the owner alone."""

    user_ids: Sequence[str] = ()
    group_ids: Sequence[str] = ()


class DealAccess(Struct, frozen=True, kw_only=True):
    """Who may read a deal, and who may edit it too; None is everyone. Replaces what is there."""

    read: Principals | None = None
    edit: Principals | None = None


class RelatedContactDraft(Struct, frozen=True, kw_only=True):
    """A contact that takes part in a deal."""

    contact_id: str
    note: str | UnsetType | None = UNSET
    more: Mapping[str, Any] = {}
    """Further members, sent as they are: `DealPatch.of` keeps here what this package does not know."""


class RelatedExternalContactDraft(Struct, frozen=True, kw_only=True):
    """Somebody outside of Nimble who takes part in a deal: an e-mail address, a phone number, ..."""

    contact_info: str | UnsetType | None
    note: str | UnsetType | None = UNSET
    more: Mapping[str, Any] = {}
    """Further members, sent as they are: `DealPatch.of` keeps here what this package does not know."""


_RELATED: Mapping[str, type] = {
    "related_contacts": RelatedContactDraft,
    "related_external_contacts": RelatedExternalContactDraft,
}


class _DealMembers(Struct, frozen=True, kw_only=True):
    """What a new deal and a change of one may say alike; `DealPatch` tells what each is."""

    name: str | UnsetType = UNSET
    amount: Decimal | int | UnsetType | None = UNSET
    probability: Decimal | int | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET
    expected_close_date: date | UnsetType | None = UNSET
    fields_values: Mapping[str, Any] = {}
    owner_id: str | UnsetType = UNSET
    privacy: DealAccess | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    related_contacts: Sequence[RelatedContactDraft] | UnsetType = UNSET
    related_external_contacts: Sequence[RelatedExternalContactDraft] | UnsetType = UNSET
    tags: Sequence[str] | UnsetType = UNSET


class DealPatch(_DealMembers, frozen=True, kw_only=True):
    """What to change in a deal; the rest stays. `DealPatch.of(deal)` adds to lists and takes from them.

    A field that is given replaces all values of that field; None removes it. `tags`,
    `related_contacts`, `related_external_contacts` and `privacy` replace what is there: an empty list
    clears it.

    Attributes:
        name: The deal's name.
        amount: Money in `currency`: a Decimal or a whole number, positive or 0.
        probability: In percent: a Decimal or a whole number.
        description: Text.
        expected_close_date: A day.
        fields_values: Any field, by its id or name: a value or a list of them, None to remove it.
            A value is text, a Decimal, a number, a date, a bool, or an object with `value`.
        owner_id: The user who owns the deal.
        privacy: Who may see it.
        pipeline_id: The pipeline to move it to.
        stage_id: The stage to move it to.
        currency: Three letters of ISO 4217.
        related_contacts: The contacts that take part.
        related_external_contacts: The others who take part.
        tags: The names of its tags.

    Raises:
        DraftRefused: The vendor would refuse these values, or a tag is empty.
    """

    pipeline_id: str | UnsetType = UNSET
    stage_id: str | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Refuse what the vendor would refuse."""
        _check(self)

    @classmethod
    def of(
        cls,
        deal: Deal,
        *,
        values: Mapping[str, Any] | None = None,
        add_tags: Iterable[str] = (),
        remove_tags: Iterable[str] = (),
        add_contacts: Iterable[RelatedContactDraft] = (),
        remove_contacts: Iterable[str] = (),
        add_external_contacts: Iterable[RelatedExternalContactDraft] = (),
        remove_external_contacts: Iterable[str] = (),
    ) -> DealPatch:
        """Return a patch that changes inside of lists, where the vendor replaces them whole.

        Everything else that the server sent inside such a list goes back, members that this package
        does not know too. What is not named here is not part of the patch.

        Args:
            deal: The deal as it was read; what changed since then is overwritten in those lists.
            values: Fields by name: the new primary value of each (the first, where none is primary).
            add_tags: Names of tags to add.
            remove_tags: Names of tags to take away.
            add_contacts: Contacts to add; one that is there already gets the new note.
            remove_contacts: Ids of contacts to take away.
            add_external_contacts: Others to add, as above.
            remove_external_contacts: The `contact_info` of others to take away.

        Raises:
            DraftRefused: A list of the deal cannot be read, so sending it back would lose something.
        """
        changes: dict[str, Any] = {}
        if values:
            changes["fields_values"] = {name: _with_value(deal, name, new) for name, new in values.items()}
        added, removed = list(add_tags), set(remove_tags)
        if added or removed:
            kept = [tag for tag in _sent(deal, "tags", deal.tags) or () if tag not in removed]
            changes["tags"] = list(dict.fromkeys([*kept, *added]))
        people, gone = list(add_contacts), set(remove_contacts)
        if people or gone:
            old = [_related(row) for row in _rows(deal, "related_contacts")]
            kept = [row for row in old if row.contact_id not in gone]
            changes["related_contacts"] = _merged(kept, people, key="contact_id")
        others, left = list(add_external_contacts), set(remove_external_contacts)
        if others or left:
            rest = [_external(row) for row in _rows(deal, "related_external_contacts")]
            stay = [row for row in rest if row.contact_info not in left]
            changes["related_external_contacts"] = _merged(stay, others, key="contact_info")
        return cls(**changes)

    def resolved(self, fields: DealFieldsMetadata) -> DealPatch:
        """Return the same patch with the ids of fields in the place of their names.

        Raises:
            DraftRefused: No field has such a name, or several have it.
        """
        return _resolved(self, fields)

    def body(self) -> dict[str, Any]:
        """Return what is sent; nothing where nothing is changed, which `deals.update` refuses."""
        return _body(self)


class DealDraft(_DealMembers, frozen=True, kw_only=True):
    """A deal to create. It needs a name, and a probability unless its stage has a default.

    The attributes are those of a `DealPatch`. The vendor's text calls the field of the name both `name`
    and `deal_name`, and its example uses ids: with `draft.resolved(await nimble.deal_fields.list())`
    ids are sent, which is safest.

    Raises:
        DraftRefused: The vendor would refuse these values.
    """

    pipeline_id: str
    stage_id: str

    def __post_init__(self) -> None:
        """Refuse what the vendor would refuse."""
        if self.name is UNSET and not self.fields_values:
            raise DraftRefused("A deal needs a name.")
        _check(self)

    def resolved(self, fields: DealFieldsMetadata) -> DealDraft:
        """Return the same draft with the ids of fields in the place of their names.

        Raises:
            DraftRefused: No field has such a name, or several have it.
        """
        return _resolved(self, fields)

    def body(self) -> dict[str, Any]:
        """Return what is sent."""
        return {"fields_values": {}, **_body(self)}


def _check(deal: DealDraft | DealPatch) -> None:
    if isinstance(deal.name, str) and not deal.name.strip():
        raise DraftRefused("The name of a deal is empty.")
    check_money("amount", deal.amount)
    check_exact("probability", deal.probability)
    check_currency(deal.currency)
    if deal.tags is not UNSET:
        texts("tag", deal.tags)
    if isinstance(deal.expected_close_date, str):
        raise DraftRefused(f"expected_close_date is a date, not the text {deal.expected_close_date!r}.")
    for name, kind in _RELATED.items():
        check_each(name, getattr(deal, name) or (), kind)
    for name in _NAMED:
        if getattr(deal, name) is not UNSET and name in deal.fields_values:
            raise DraftRefused(f"{name} is given twice: as an argument and in fields_values.")


def _body(deal: DealDraft | DealPatch) -> dict[str, Any]:
    values = {name: getattr(deal, name) for name in _NAMED if getattr(deal, name) is not UNSET}
    values.update(deal.fields_values)
    return given(
        owner_id=deal.owner_id,
        privacy=deal.privacy,
        fields_values={name: _entries(name, value) for name, value in values.items()} or UNSET,
        pipeline_id=deal.pipeline_id,
        stage_id=deal.stage_id,
        currency=deal.currency,
        related_contacts=_flat(deal.related_contacts),
        related_external_contacts=_flat(deal.related_external_contacts),
        tags=UNSET if deal.tags is UNSET else [*texts("tag", deal.tags)],
    )


def _entries(name: str, value: Any) -> list[Any]:
    """Return a field's values as the vendor takes them: none removes the field."""
    if value is None:
        return []
    several = value if isinstance(value, list | tuple) else [value]
    return [
        one if isinstance(one, Mapping | FieldValue) else {"value": content_text(name, one)}
        for one in several
    ]


def _resolved(deal: D, fields: DealFieldsMetadata) -> D:
    pipeline = deal.pipeline_id or None
    named = {name: getattr(deal, name) for name in _NAMED if getattr(deal, name) is not UNSET}
    values = {
        fields.field_id(name, pipeline_id=pipeline): value
        for name, value in {**named, **deal.fields_values}.items()
    }
    left_out: dict[str, Any] = dict.fromkeys(named, UNSET)
    return replace(deal, fields_values=values, **left_out)


def _sent(deal: Deal, name: str, read: Any) -> Any:
    """Return what was read of a member that goes back.

    Raises:
        DraftRefused: It came in a shape that cannot be sent back.
    """
    if name in deal.unread:
        raise DraftRefused(f"The {name} of this deal came in an unexpected shape and cannot be sent back.")
    return read


def _rows(deal: Deal, name: str) -> list[dict[str, Any]]:
    """Return the rows of a list that goes back, with every member that the server sent."""
    return [msgspec.json.decode(row.raw) for row in _sent(deal, name, getattr(deal, name)) or ()]


def _related(row: dict[str, Any]) -> RelatedContactDraft:
    """Return a related contact as it is sent: its id for its summary, all else as it came.

    Where the contact works is told of the contact, not of the deal, so it does not go back.

    Raises:
        DraftRefused: It names no contact.
    """
    contact = row.pop("contact", None)
    row.pop("employments", None)
    if not isinstance(contact, dict) or not isinstance(contact.get("id"), str):
        raise DraftRefused("A related contact of this deal has no id and cannot be sent back.")
    return RelatedContactDraft(contact_id=contact["id"], note=row.pop("note", UNSET), more=row)


def _external(row: dict[str, Any]) -> RelatedExternalContactDraft:
    info, note = row.pop("contact_info", UNSET), row.pop("note", UNSET)
    return RelatedExternalContactDraft(contact_info=info, note=note, more=row)


def _merged(rows: list[T], drafts: Iterable[T], *, key: str) -> list[T]:
    """Return the rows with the drafts in the place of those of the same key, or at the end."""
    for draft in drafts:
        place = next((n for n, row in enumerate(rows) if getattr(row, key) == getattr(draft, key)), None)
        if place is None:
            rows.append(draft)
        else:
            old: Any = rows[place]
            new: Any = draft
            note = old.note if new.note is UNSET else new.note
            rows[place] = replace(new, note=note, more={**old.more, **new.more})
    return rows


def _flat(rows: Any) -> Any:
    """Return related contacts as they are sent, their further members among the others."""
    if rows is UNSET:
        return UNSET
    return [{**row.more, **msgspec.to_builtins(replace(row, more=UNSET))} for row in rows]


def _with_value(deal: Deal, name: str, new: Any) -> list[dict[str, Any]]:
    """Return every value of a field as the server sent it, the primary one with a new `value`."""
    _sent(deal, "fields_values_with_names", deal.fields)
    if new is None:
        return []
    found = _values_of(msgspec.json.decode(deal.raw).get("fields_values_with_names"), name)
    chosen = next((value for value in found if value.get("is_primary") is True), found[0] if found else {})
    chosen["value"] = content_text(name, new)
    return found or [chosen]


def _values_of(fields: Any, name: str) -> list[dict[str, Any]]:
    """Find the values of a field in each of the shapes that `Deal.fields` reads, nothing left out."""
    if isinstance(fields, dict) and isinstance(fields.get("field_name"), str):
        fields = [fields]
    if isinstance(fields, list):
        fields = {entry["field_name"]: entry.get("values") for entry in fields}
    found = (fields or {}).get(name)
    if isinstance(found, dict):
        found = found.get("values", [found])
    several = [] if found is None else found if isinstance(found, list) else [found]
    return [one if isinstance(one, dict) else {"value": one} for one in several]
