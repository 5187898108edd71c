"""Values of custom fields, which come in two shapes.

Read directly, a value has `fieldValue`. Beside a deal (`include=dealCustomFieldData`) it has a
column for each type of field instead, all but one of them null, and other names for its ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, ClassVar, TypeAlias

from msgspec import UNSET, UnsetType, field

from nimble_async._sansio.record import AnyId, Member, Record
from nimble_async.activecampaign.models import wire
from nimble_async.activecampaign.models.bodies import Body
from nimble_async.activecampaign.models.money import Money
from nimble_async.errors import QueryRefused

__all__ = ["CustomFieldValue", "CustomFieldValueDraft", "CustomFieldValuePatch", "FieldInput"]

FieldInput: TypeAlias = str | int | Money | date | datetime | tuple[str, ...]
"""What a value may be set to. A choice of several is a tuple, also of one; an amount is `Money`."""

_COLUMNS = (
    "custom_field_text_value", "custom_field_text_blob", "custom_field_date_value",
    "custom_field_number_value", "custom_field_currency_value",
)  # fmt: skip


class CustomFieldValue(Record, frozen=True, kw_only=True):
    """What a deal has in a custom field."""

    id: AnyId
    _deal: ClassVar[Member[str]] = wire.ident("dealId")
    _deal_beside: ClassVar[Member[str]] = wire.ident("deal_id")
    _field: ClassVar[Member[str]] = wire.ident("customFieldId")
    _field_beside: ClassVar[Member[str]] = wire.ident("custom_field_id")
    _field_again: ClassVar[Member[str]] = wire.ident("dealCustomFieldMetumId")
    _value: ClassVar[Member[Any]] = Member(object, name="fieldValue")
    _currency: ClassVar[Member[str]] = Member(str, name="fieldCurrency")
    _currency_beside: ClassVar[Member[str]] = Member(str, name="custom_field_currency_type")
    text: ClassVar[Member[str]] = Member(str, name=_COLUMNS[0])
    """The column of short texts; UNSET where the value was read directly, like the four below."""
    long_text: ClassVar[Member[str]] = Member(str, name=_COLUMNS[1])
    date: ClassVar[Member[datetime]] = wire.moment(_COLUMNS[2])
    number: ClassVar[Member[int | float]] = wire.number(_COLUMNS[3])
    cents: ClassVar[Member[int]] = wire.whole(_COLUMNS[4])
    _created: ClassVar[Member[datetime]] = wire.moment("createdTimestamp")
    _created_beside: ClassVar[Member[datetime]] = wire.moment("created_timestamp")
    _updated: ClassVar[Member[datetime]] = wire.moment("updatedTimestamp")
    _updated_beside: ClassVar[Member[datetime]] = wire.moment("updated_timestamp")
    created_by: ClassVar[Member[str]] = wire.ident()
    updated_by: ClassVar[Member[str]] = wire.ident()
    definition_id: ClassVar[Member[str]] = wire.ident("dealCustomFieldMetum")
    links: ClassVar[Member[Mapping[str, Any]]] = wire.links()

    @property
    def deal_id(self) -> str | None:
        """The deal it belongs to."""
        return self._deal or self._deal_beside or None

    @property
    def field_id(self) -> str | None:
        """The custom field that it is a value of."""
        return self._field or self._field_beside or self._field_again or self.definition_id or None

    @property
    def value(self) -> Any:
        """The value in either shape; None where there is none.

        Its type depends on the route. Read directly it is what the vendor sent: text (a date and a number
        too), a number, or a list of choices. Beside a deal the vendor has a column for each type, and the
        value is of that type: text, `datetime`, a number, cents. `choices`, `money` and `moment` read both
        shapes alike.
        """
        if self._value is not UNSET:
            return self._value
        columns = (self.text, self.long_text, self.date, self.number, self.cents)
        return next((value for value in columns if value is not UNSET and value is not None), None)

    @property
    def choices(self) -> tuple[str, ...]:
        """The choices of a field of several: from a list, or from text such as `||a||b||`."""
        value = self.value
        if isinstance(value, list):
            return tuple(str(choice) for choice in value)
        if not isinstance(value, str):
            return ()
        return tuple(choice for choice in value.split("||") if choice)

    @property
    def moment(self) -> datetime | None:
        """The date of a date field, in either shape; None for what is no date.

        It has a zone only where the vendor sent one.
        """
        value = self.value
        if isinstance(value, datetime):
            return value
        return wire.read_moment(value) if isinstance(value, str) else None

    @property
    def money(self) -> Money | None:
        """The amount of a currency field; None for any other."""
        currency = self._currency or self._currency_beside
        cents = wire.read_whole(self.cents if self._value is UNSET else self._value)
        if not currency or cents is None:
            return None
        try:
            return Money(cents, currency)
        except QueryRefused:
            return None

    @property
    def created(self) -> datetime | None:
        """When it was first set; without a zone, since the vendor does not say which one it means."""
        return self._created or self._created_beside or None

    @property
    def updated(self) -> datetime | None:
        """When it was last set; without a zone too."""
        return self._updated or self._updated_beside or None


class CustomFieldValueDraft(Body, frozen=True, kw_only=True):
    """A value to set, of one deal or beside a deal that is being written."""

    field_id: str = field(name="customFieldId")
    value: FieldInput = field(name="fieldValue")
    deal_id: str | UnsetType = field(name="dealId", default=UNSET)
    """Left out inside a deal's own draft or patch."""
    currency: str | UnsetType | None = field(name="fieldCurrency", default=UNSET)
    """Of a bare number of cents; `Money` brings its own."""


class CustomFieldValuePatch(Body, frozen=True, kw_only=True):
    """A value to change. `id` is the value's own, needed where several change in one call."""

    value: FieldInput = field(name="fieldValue")
    id: str | UnsetType = UNSET
    currency: str | UnsetType | None = field(name="fieldCurrency", default=UNSET)
