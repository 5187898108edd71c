"""Deals.

Rule: only `deal_id` is required, shown as `id`. The vendor declares one shape of
`fields_values_with_names` and its samples show another, so every shape is read.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from types import MappingProxyType
from typing import Any, ClassVar

import msgspec
from msgspec import UNSET, Raw, UnsetType, field

from nimble_async._sansio.record import Id, Member, Record, read_record
from nimble_async.nimble.models.contacts import Privacy
from nimble_async.nimble.models.deal_files import DealFile
from nimble_async.nimble.models.fields import FieldValue, FieldValues, pick, tag_names
from nimble_async.nimble.models.mentions import ShortContact
from nimble_async.nimble.models.pipelines import Stage
from nimble_async.nimble.models.shapes import one_or_more
from nimble_async.nimble.models.users import User

__all__ = [
    "Deal",
    "RelatedContact",
    "RelatedEmployment",
    "RelatedExternalContact",
    "StageTransition",
    "StageTransitions",
]


def _moment(text: str) -> datetime:
    """Read a moment, or a day as its beginning: the vendor declares a day and shows moments.

    Raises:
        msgspec.ValidationError: It is neither.
    """
    return msgspec.convert(f"{text}T00:00:00" if len(text) == 10 else text, datetime)


class StageTransition(Record, frozen=True, kw_only=True):
    """A move of a deal from one stage to another; the first has no `from_stage`."""

    notes: str | UnsetType | None = UNSET
    when: ClassVar[Member[datetime]] = Member(str, then=_moment)
    from_stage: ClassVar[Member[Stage]] = Member.of(Stage)
    to_stage: ClassVar[Member[Stage]] = Member.of(Stage)
    who: ClassVar[Member[User]] = Member.of(User)


class StageTransitions(Record, frozen=True, kw_only=True):
    """The pipeline of a deal, and its way through it."""

    pipeline_id: str | UnsetType | None = UNSET
    pipeline_name: str | UnsetType | None = UNSET
    pipeline_color: str | UnsetType | None = UNSET
    transitions: ClassVar[Member[tuple[StageTransition, ...]]] = Member.each(StageTransition)
    before_final_stage: ClassVar[Member[Stage]] = Member.of(Stage)


class RelatedEmployment(Record, frozen=True, kw_only=True):
    """Where a contact of a deal works, and since when."""

    start_date: str | UnsetType | None = UNSET
    end_date: str | UnsetType | None = UNSET
    title: str | UnsetType | None = UNSET
    employer: ClassVar[Member[ShortContact]] = Member.of(ShortContact)


class RelatedContact(Record, frozen=True, kw_only=True):
    """A contact that takes part in a deal."""

    note: str | UnsetType | None = UNSET
    contact: ClassVar[Member[ShortContact]] = Member.of(ShortContact)
    employments: ClassVar[Member[tuple[RelatedEmployment, ...]]] = Member.each(RelatedEmployment)


class RelatedExternalContact(Record, frozen=True, kw_only=True):
    """Somebody outside of Nimble who takes part in a deal."""

    contact_info: str | UnsetType | None = UNSET
    """An e-mail address, a phone number or the like."""
    note: str | UnsetType | None = UNSET


def _named_values(found: Any) -> FieldValues:
    """Read `{field_name, values}`, a list of these, or a dictionary from name to values.

    Raises:
        msgspec.ValidationError: It is none of these.
    """
    if isinstance(found, list):
        pairs = [(entry["field_name"], entry.get("values")) for entry in found if _is_entry(entry)]
        if len(pairs) != len(found):
            raise msgspec.ValidationError("An entry without a field_name")
    elif isinstance(found, dict):
        pairs = [(found["field_name"], found.get("values"))] if _is_entry(found) else list(found.items())
    else:
        raise msgspec.ValidationError("Neither a list nor an object")
    return MappingProxyType({name: _field_values(values) for name, values in pairs})


def _is_entry(found: Any) -> bool:
    return isinstance(found, dict) and isinstance(found.get("field_name"), str)


def _field_values(found: Any) -> tuple[FieldValue, ...]:
    if isinstance(found, dict):
        found = found.get("values", [found])
    if found is None:
        return ()
    items = found if isinstance(found, list) else [found]
    return msgspec.convert(
        [item if isinstance(item, dict) else {"value": item} for item in items], tuple[FieldValue, ...]
    )


class Deal(Record, frozen=True, kw_only=True):
    """A deal.

    What the server left out is `UNSET`, what it sent as null is None. `raw` has the bytes it sent,
    `unknown` the members that are not named here, `unread` those of an unexpected type.
    """

    id: Id = field(name="deal_id")
    created: datetime | UnsetType | None = UNSET
    updated: datetime | UnsetType | None = UNSET
    deal_number: int | UnsetType | None = UNSET
    """Counts up inside the account."""
    currency: str | UnsetType | None = UNSET
    """ISO 4217."""
    is_editable: bool | UnsetType | None = UNSET
    updated_by: str | UnsetType | None = UNSET
    final_probability: int | float | UnsetType | None = UNSET
    """In percent: the deal's own, else its stage's."""
    age_in_days: int | float | UnsetType | None = UNSET

    creator: ClassVar[Member[User]] = Member.of(User)
    owner: ClassVar[Member[User]] = Member.of(User)
    privacy: ClassVar[Member[Privacy]] = Member.of(Privacy)
    tags: ClassVar[Member[tuple[str, ...]]] = Member(list[Any], then=tag_names)
    """The names of its tags."""
    fields: ClassVar[Member[FieldValues]] = Member(
        object, then=_named_values, name="fields_values_with_names"
    )
    """Every field by its name."""
    fields_values: ClassVar[Member[Any]] = Member(object)
    """The same by the ids of fields, as the server sent it."""
    stage_transitions: ClassVar[Member[StageTransitions]] = Member.of(StageTransitions)
    related_contacts: ClassVar[Member[tuple[RelatedContact, ...]]] = Member.each(RelatedContact)
    related_external_contacts: ClassVar[Member[tuple[RelatedExternalContact, ...]]] = Member.each(
        RelatedExternalContact
    )
    files: ClassVar[Member[tuple[DealFile, ...]]] = Member(
        Raw, then=one_or_more(partial(read_record, DealFile)), records=True
    )
    """Declared one object, named like a list: both are read."""

    def values(self, name: str) -> tuple[FieldValue, ...]:
        """Return every value of a field, in the vendor's order; none where it has none."""
        return self.fields.get(name, ()) if self.fields else ()

    def field(self, name: str) -> str | None:
        """Return a field's primary value as text, else its first."""
        return pick(self.values(name))

    @property
    def name(self) -> str:
        """The name; empty where it has none."""
        return self.field("name") or self.field("deal_name") or ""

    @property
    def description(self) -> str | None:
        """The description."""
        return self.field("description")

    @property
    def amount(self) -> Decimal | None:
        """The amount, in `currency`; None where there is none, or no number."""
        return _number(self.field("amount"))

    @property
    def probability(self) -> Decimal | None:
        """In percent: the deal's own, else what the vendor takes for it."""
        own = _number(self.field("probability"))
        if own is None and isinstance(self.final_probability, int | float):
            return Decimal(str(self.final_probability))
        return own

    @property
    def expected_close_date(self) -> date | None:
        """When it is expected to close; None where that is not said, or no date."""
        return _date(self.field("expected_close_date"))

    @property
    def actual_close_date(self) -> date | None:
        """When it was closed; None where that is not said, or no date."""
        return _date(self.field("actual_close_date"))

    @property
    def pipeline_id(self) -> str | None:
        """The pipeline it is in."""
        way = self.stage_transitions
        return (way.pipeline_id or None) if way else None

    @property
    def stage(self) -> Stage | None:
        """The stage it is in: where its last move led, by the time of the moves where all have one."""
        way = self.stage_transitions
        moves = (way.transitions or ()) if way else ()
        led = [(move.when, move.to_stage) for move in moves if move.to_stage]
        dated = [(_instant(when), stage) for when, stage in led if isinstance(when, datetime)]
        if dated and len(dated) == len(led):
            return max(reversed(dated), key=lambda move: move[0])[1]  # of one day, the last one listed
        return led[-1][1] if led else None


def _instant(when: datetime) -> float:
    # Without a zone it is taken for UTC, as in the vendor's other answers.
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _number(text: str | None) -> Decimal | None:
    try:
        number = Decimal(text) if text else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() else None


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text[:10]) if text else None
    except ValueError:
        return None
