"""Fields that know their type: texts of the vendor's, read as numbers, days or choices and written back.

Rule: a field of this kind stands in a view, a class made by `fields types` (or by hand) that derives
from `Contact`. On a record it is the value; on the class it is the field itself, which drafts and
changes take in place of a name. A text that is not of the type reads as None: `record.field(name)`
still has it.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, Protocol, TypeVar, cast, overload

from nimble_async.errors import DraftRefused
from nimble_async.nimble.models.fields import Address, FieldValue, birthday_text, pick
from nimble_async.nimble.models.limits import check_exact

__all__ = [
    "AddressField",
    "BooleanField",
    "ChoiceField",
    "DateField",
    "DecimalField",
    "HasValues",
    "IntegerField",
    "Many",
    "MomentField",
    "TextField",
    "TypedField",
]

V = TypeVar("V")
_BIRTHDAY = re.compile(r"^\s*(\d\d)/(\d\d)/(\d{4})\s*$", re.ASCII)


class HasValues(Protocol):
    """A record with fields by name: a contact, or a deal."""

    def values(self, name: str) -> tuple[FieldValue, ...]:
        """Return every value of a field."""
        ...


class TypedField(ABC, Generic[V]):
    """One field of a record, by its name and, where it has several, one of its modifiers."""

    def __init__(self, name: str, *, modifier: str | None = None) -> None:
        self.name = name
        self.modifier = modifier

    @overload
    def __get__(self, record: None, owner: type) -> TypedField[V]: ...
    @overload
    def __get__(self, record: HasValues, owner: type) -> V | None: ...
    def __get__(self, record: HasValues | None, owner: type) -> TypedField[V] | V | None:
        """Return the value of the primary entry, else of the first; None where there is none of the type."""
        if record is None:
            return self
        text = pick(record.values(self.name), self.modifier)
        return None if text is None else self.read(text)

    @abstractmethod
    def read(self, text: str) -> V | None:
        """Return the value that a text of the vendor's stands for; None where it is not of the type."""

    @abstractmethod
    def write(self, value: V) -> str:
        """Return the text that goes to the vendor.

        Raises:
            DraftRefused: The field has no such value.
        """

    def __repr__(self) -> str:
        """Show the field's name."""
        return f"{type(self).__name__}({self.name!r})"


class TextField(TypedField[str]):
    """A text, also a user's id."""

    def read(self, text: str) -> str:
        """Return the text."""
        return text

    def write(self, value: str) -> str:
        """Return the text.

        Raises:
            DraftRefused: It is no text.
        """
        return _of_type(self, value, str)


class IntegerField(TypedField[int]):
    """A whole number."""

    def read(self, text: str) -> int | None:
        """Read digits, also such as `3.0`."""
        number = _decimal(text)
        return int(number) if number is not None and number == number.to_integral_value() else None

    def write(self, value: int) -> str:
        """Write digits.

        Raises:
            DraftRefused: It is no whole number.
        """
        check_exact(self.name, value)
        return str(_of_type(self, value, int))


class DecimalField(TypedField[Decimal]):
    """An exact number: decimal, money or percentage."""

    def read(self, text: str) -> Decimal | None:
        """Read digits; no rounding."""
        return _decimal(text)

    def write(self, value: Decimal) -> str:
        """Write digits without an exponent.

        Raises:
            DraftRefused: It is not finite, or a float, which has no exact digits.
        """
        check_exact(self.name, value)
        return format(Decimal(_of_type(self, value, Decimal, int)), "f")


class DateField(TypedField[date]):
    """A day, in ISO 8601; the beginning of a moment is read too."""

    def read(self, text: str) -> date | None:
        """Read `YYYY-MM-DD` and what may follow it, of a birthday also `MM/DD/YYYY`."""
        moment = _moment(_BIRTHDAY.sub(r"\3-\1-\2", text) if self.name == "birthday" else text)
        return None if moment is None else moment.date()

    def write(self, value: date) -> str:
        """Write `YYYY-MM-DD`, of a birthday `MM/DD/YYYY`, as the vendor takes them.

        Raises:
            DraftRefused: It is no day.
        """
        day = _of_type(self, value, date)
        if self.name == "birthday":
            return birthday_text(day)
        return (day.date() if isinstance(day, datetime) else day).isoformat()


class MomentField(TypedField[datetime]):
    """A moment, in ISO 8601."""

    def read(self, text: str) -> datetime | None:
        """Read a moment; a day is its beginning."""
        return _moment(text)

    def write(self, value: datetime) -> str:
        """Write it with its zone, where it has one.

        Raises:
            DraftRefused: It is no moment.
        """
        return _of_type(self, value, datetime).isoformat()


class BooleanField(TypedField[bool]):
    """True or false. The vendor documents the words and no spelling: 1, 0, yes and no are read too."""

    _WORDS: Mapping[str, bool] = {
        "true": True, "yes": True, "1": True, "false": False, "no": False, "0": False,
    }  # fmt: skip

    def read(self, text: str) -> bool | None:
        """Read a word, in any case."""
        return self._WORDS.get(text.strip().lower())

    def write(self, value: bool) -> str:  # noqa: FBT001 (the value is the argument)
        """Write `true` or `false`."""
        return "true" if value else "false"


class AddressField(TypedField[Address]):
    """A postal address."""

    def read(self, text: str) -> Address:
        """Read its parts."""
        return Address.parse(text)

    def write(self, value: Address) -> str:
        """Write its parts as JSON.

        Raises:
            DraftRefused: It is no address.
        """
        return _of_type(self, value, Address).json()


class ChoiceField(TypedField[V]):
    """One of several labels. The vendor stores the id of a choice; people and programs see its label.

    A choice that is newer than the view reads as None; `ids` has the labels by their ids.
    """

    def __init__(self, name: str, ids: Mapping[str, V], *, modifier: str | None = None) -> None:
        super().__init__(name, modifier=modifier)
        self.ids: dict[str, V] = dict(ids)

    def read(self, text: str) -> V | None:
        """Return the label of a choice's id, or the label itself where the vendor sends that."""
        found = self.ids.get(text)
        return cast("V", text) if found is None and text in self.ids.values() else found

    def write(self, value: V) -> str:
        """Return the id of a label.

        Raises:
            DraftRefused: There is no such choice.
        """
        for choice, label in self.ids.items():
            if label == value:
                return choice
        raise DraftRefused(
            f"{self.name!r} has no choice {value!r}.", hint=f"It has {list(self.ids.values())}."
        )


class Many(Generic[V]):
    """Every value of a field that takes several, each of the same type."""

    def __init__(self, each: TypedField[V]) -> None:
        self.each = each

    @overload
    def __get__(self, record: None, owner: type) -> TypedField[V]: ...
    @overload
    def __get__(self, record: HasValues, owner: type) -> tuple[V, ...]: ...
    def __get__(self, record: HasValues | None, owner: type) -> TypedField[V] | tuple[V, ...]:
        """Return the values in the vendor's order, those that are not of the type left out."""
        if record is None:
            return self.each
        return tuple(self._read(record.values(self.each.name)))

    def _read(self, values: Iterable[FieldValue]) -> Iterable[Any]:
        for value in values:
            if self.each.modifier in {None, value.modifier} and value.text is not None:
                found = self.each.read(value.text)
                if found is not None:
                    yield found


def _of_type(field: TypedField[Any], value: V, *kinds: type) -> V:
    if not isinstance(value, kinds):
        words = " or ".join(kind.__name__ for kind in kinds)
        raise DraftRefused(f"{field.name!r} takes {words}, not {value!r}.")
    return value


def _decimal(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return None
