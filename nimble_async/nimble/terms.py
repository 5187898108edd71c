"""What can be asked of each kind of field, and what an operator writes.

Rule: a field has the operators that the vendor documents for it and no others; what the vendor would
refuse (empty texts, ranges that end before they begin) is refused where it is written. Operators have
the vendor's names, but for `in_range`, `last` (`in_the_last`) and `is_not_empty` (`is_empty`: false).

Sources: "Advanced search query syntax" of the vendor's reference; for the value of `is_empty`, for choices,
descriptions and profiles in social networks the search page of its older documentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from nimble_async.errors import DraftRefused
from nimble_async.nimble.joins import Query
from nimble_async.nimble.models.typed import ChoiceField
from nimble_async.nimble.operators import Emptiness, Equal, Named, NoneOf, OneOf, Words, WordsOnly

__all__ = [
    "AddressTerms",
    "BooleanTerms",
    "ChoiceTerms",
    "ContactedTerms",
    "DateTerms",
    "DescriptionTerms",
    "EmploymentTerms",
    "IdTerms",
    "LabelTerms",
    "Number",
    "NumberTerms",
    "PartTerms",
    "Presence",
    "ProfileTerms",
    "RecordTypeTerms",
    "SavedSearchTerms",
    "StampTerms",
    "TagTerms",
    "TextTerms",
    "WordTerms",
]

Number: TypeAlias = int | float | Decimal
V = TypeVar("V")

_STANDARD_CHOICES = frozenset({"lead status", "lead source", "lead type", "# of employees"})
"""Choices that every account has: they do not stand under `custom_fields`."""
_DAY_MONTH = re.compile(r"(\d\d)/(\d\d)", re.ASCII)
_LEAP_YEAR = 2000
_SURE_INTEGERS = 2**53
"""Whole numbers up to here are the same in every reader of JSON."""


class WordTerms(WordsOnly, Emptiness):
    """What can be asked of whole names and whole addresses."""

    __slots__ = ()


class PartTerms(Equal, WordsOnly, Emptiness):
    """What can be asked of one part of an address."""

    __slots__ = ()


class DescriptionTerms(Words, Emptiness):
    """What can be asked of a description."""

    __slots__ = ()


class ProfileTerms(Equal, DescriptionTerms):
    """What can be asked of a profile in a social network."""

    __slots__ = ()


class TextTerms(PartTerms, OneOf):
    """What can be asked of a text."""

    __slots__ = ()


class EmploymentTerms(TextTerms, NoneOf):
    """What can be asked of the titles or employers of a person, all of them together."""

    __slots__ = ()


class AddressTerms(WordTerms):
    """What can be asked of addresses: of the whole, and of each part (`Q.address.city.is_("Graz")`).

    Two terms about parts may be true of two different addresses of one contact.
    """

    __slots__ = ()

    @property
    def city(self) -> PartTerms:
        """The city."""
        return PartTerms(f"{self._name}.city")

    @property
    def state(self) -> PartTerms:
        """The state or province."""
        return PartTerms(f"{self._name}.state")

    @property
    def country(self) -> PartTerms:
        """The country."""
        return PartTerms(f"{self._name}.country")

    @property
    def street(self) -> PartTerms:
        """The street."""
        return PartTerms(f"{self._name}.street")

    @property
    def zip(self) -> PartTerms:
        """The postal code."""
        return PartTerms(f"{self._name}.zip")


class NumberTerms(Emptiness):
    """What can be asked of a number."""

    __slots__ = ()

    def is_(self, number: Number) -> Query:
        """Find contacts with this number.

        Raises:
            QueryRefused: It is not finite, or has more digits than JSON is sure to keep; so below.
        """
        return self._term("is", self._number(number))

    def is_not(self, number: Number) -> Query:
        """Find contacts without this number."""
        return self._term("is_not", self._number(number))

    def in_(self, numbers: Iterable[Number]) -> Query:
        """Find contacts with one of these numbers. It counts as one term.

        Raises:
            QueryRefused: There is none, or one cannot be sent.
        """
        return self._term("in", self._some([self._number(number) for number in numbers]))

    def gt(self, number: Number) -> Query:
        """Find contacts with a number greater than this one."""
        return self._term("gt", self._number(number))

    def gte(self, number: Number) -> Query:
        """Find contacts with a number greater than this one, or equal."""
        return self._term("gte", self._number(number))

    def lt(self, number: Number) -> Query:
        """Find contacts with a number less than this one."""
        return self._term("lt", self._number(number))

    def lte(self, number: Number) -> Query:
        """Find contacts with a number less than this one, or equal."""
        return self._term("lte", self._number(number))

    def in_range(self, start: Number, end: Number) -> Query:
        """Find contacts with a number from `start` to `end`; whether the ends belong to it is not documented.

        Raises:
            QueryRefused: It ends before it begins.
        """
        return self._term("range", self._range(start, end))

    def not_in_range(self, start: Number, end: Number) -> Query:
        """Find contacts without a number from `start` to `end`.

        Raises:
            QueryRefused: It ends before it begins.
        """
        return self._term("not_in_range", self._range(start, end))

    def _range(self, start: Number, end: Number) -> dict[str, int | float]:
        ends = {"start": self._number(start), "end": self._number(end)}
        if ends["end"] < ends["start"]:
            raise self._refused(f"has a range that ends ({end}) before it begins ({start})")
        return ends

    def _number(self, number: Number) -> int | float:
        if isinstance(number, bool) or not isinstance(number, int | float | Decimal):
            raise self._refused(f"takes a number, not {number!r}")
        exact = Decimal(number)
        if not exact.is_finite():
            raise self._refused(f"takes a finite number, not {number}")
        if isinstance(number, float):
            return number
        if abs(exact) <= _SURE_INTEGERS and exact == exact.to_integral_value():
            return int(exact)
        sent = float(exact) if abs(exact) <= _SURE_INTEGERS else None
        if sent is None or Decimal(repr(sent)) != exact:
            raise self._refused(f"has more digits than JSON is sure to keep: {number}")
        return sent


class StampTerms(Named):
    """What can be asked of a moment that every contact has: `created`, `updated`."""

    __slots__ = ()

    def in_range(self, start: date, end: date) -> Query:
        """Find contacts of which the moment lies between two days, or between two moments.

        Days are whole days of the user's time zone as the vendor has it. Whether the ends of a range of
        moments belong to it is not documented.

        Args:
            start: A day, or a moment with a time zone.
            end: The same kind as `start`, and not before it.

        Raises:
            QueryRefused: It ends before it begins, mixes days and moments, or has no time zone.
        """
        return self._term("range", self._range(start, end))

    def not_in_range(self, start: date, end: date) -> Query:
        """Find contacts of which the moment does not lie there; arguments as for `in_range`.

        Raises:
            QueryRefused: As with `in_range`.
        """
        return self._term("not_in_range", self._range(start, end))

    def last(
        self,
        *,
        seconds: int | None = None,
        days: int | None = None,
        weeks: int | None = None,
        months: int | None = None,
        years: int | None = None,
    ) -> Query:
        """Find contacts of which the moment is at most so long ago. Give one unit.

        The vendor counts from the time it answers. How long its month and year are is not documented.

        Raises:
            QueryRefused: Not exactly one unit is given, or it is not a whole number from 1.
        """
        return self._term("in_the_last", self._period(seconds, days, weeks, months, years))

    def not_last(
        self,
        *,
        seconds: int | None = None,
        days: int | None = None,
        weeks: int | None = None,
        months: int | None = None,
        years: int | None = None,
    ) -> Query:
        """Find contacts of which the moment is longer ago; arguments as for `last`.

        Raises:
            QueryRefused: As with `last`.
        """
        return self._term("not_in_the_last", self._period(seconds, days, weeks, months, years))

    def _period(self, *quantities: int | None) -> dict[str, Any]:
        units = zip(("second", "day", "week", "month", "year"), quantities, strict=True)
        given = [(unit, quantity) for unit, quantity in units if quantity is not None]
        if len(given) != 1:
            raise self._refused("takes one of seconds, days, weeks, months and years")
        ((unit, quantity),) = given
        if type(quantity) is not int or not 1 <= quantity <= _SURE_INTEGERS:
            raise self._refused(f"takes a whole number of {unit}s from 1, not {quantity!r}")
        return {"unit": unit, "quantity": quantity}

    def _range(self, start: date, end: date) -> dict[str, str]:
        if isinstance(start, datetime) is not isinstance(end, datetime):
            raise self._refused("takes two days or two moments, not one of each")
        word = "datetime" if isinstance(start, datetime) else "date"
        # Texts are made first: they tell moments that have no time zone, which cannot be compared.
        ends = {f"start_{word}": self._when(start), f"end_{word}": self._when(end)}
        if end < start:
            raise self._refused(f"has a range that ends ({end}) before it begins ({start})")
        return ends

    def _when(self, when: date) -> str:
        """Return a day as YYYY-MM-DD, a moment in RFC 3339 and UTC."""
        if not isinstance(when, date):
            raise self._refused(f"takes a date or a datetime, not {when!r}")
        if not isinstance(when, datetime):
            return when.isoformat()
        if when.utcoffset() is None:
            raise self._refused(f"takes moments with a time zone, not {when}")
        try:
            return when.astimezone(UTC).isoformat().replace("+00:00", "Z")
        except OverflowError:
            raise self._refused(f"takes moments of the years 1 to 9999 in UTC, not {when}") from None


class DateTerms(StampTerms, Emptiness):
    """What can be asked of a day or moment that a contact may have: `birthday`, and custom dates."""

    __slots__ = ()

    def day_month_range(self, start: date | str, end: date | str) -> Query:
        """Find contacts of which the day of the year lies between two days of the year, ends included.

        What the vendor makes of a range that goes over the turn of the year is not documented: it
        becomes two ranges, and so two terms.

        Args:
            start: A date, of which the year does not matter, or text such as `31/12`: day/month.
            end: The same.

        Raises:
            QueryRefused: One of them is no day of a year.
        """
        first, last = self._day_of_year(start), self._day_of_year(end)
        if first <= last:
            return self._days(first, last)
        return self._days(first, (12, 31)) | self._days((1, 1), last)

    def _days(self, first: tuple[int, int], last: tuple[int, int]) -> Query:
        texts = [f"{day:02}/{month:02}" for month, day in (first, last)]
        return self._term("day_month_range", {"start_date": texts[0], "end_date": texts[1]})

    def _day_of_year(self, day: date | str) -> tuple[int, int]:
        if isinstance(day, date):
            return day.month, day.day
        found = _DAY_MONTH.fullmatch(str(day))
        try:
            # A leap year: birthdays on 29 February are birthdays.
            parsed = date(_LEAP_YEAR, int(found[2]), int(found[1])) if found else None
        except ValueError:
            parsed = None
        if parsed is None:
            raise self._refused(f"takes a date or a text such as '31/12', not {day!r}")
        return parsed.month, parsed.day


class ContactedTerms(StampTerms, Emptiness):
    """What can be asked of the last message to or from a contact.

    How `gt`, `gte`, `lt` and `lte` write a day or moment is not documented; they are written as in ranges.
    """

    __slots__ = ()

    def gt(self, when: date) -> Query:
        """Find contacts of which it is after a day or moment.

        Raises:
            QueryRefused: A moment has no time zone; so below.
        """
        return self._term("gt", self._when(when))

    def gte(self, when: date) -> Query:
        """Find contacts of which it is at a day or moment, or after it."""
        return self._term("gte", self._when(when))

    def lt(self, when: date) -> Query:
        """Find contacts of which it is before a day or moment."""
        return self._term("lt", self._when(when))

    def lte(self, when: date) -> Query:
        """Find contacts of which it is at a day or moment, or before it."""
        return self._term("lte", self._when(when))


class ChoiceTerms(Equal, Emptiness):
    """What can be asked of a choice.

    A custom choice is searched by the id of the choice (`contact_fields.list` has the ids), not by its label.
    """

    __slots__ = ()


class LabelTerms(Emptiness, Generic[V]):
    """What can be asked of a choice whose labels are known by a typed view; the ids are sent."""

    __slots__ = ("_field",)

    def __init__(self, field: ChoiceField[V]) -> None:
        super().__init__(field.name, custom=field.name not in _STANDARD_CHOICES)
        self._field = field

    def is_(self, label: V) -> Query:
        """Find contacts of which the choice has this label.

        Raises:
            QueryRefused: The view knows no such choice.
        """
        return self._term("is", self._id(label))

    def is_not(self, label: V) -> Query:
        """Find contacts of which the choice has not this label.

        Raises:
            QueryRefused: The view knows no such choice.
        """
        return self._term("is_not", self._id(label))

    def _id(self, label: V) -> str:
        try:
            return self._text(self._field.write(label))
        except DraftRefused as error:
            raise self._refused(f"has no choice {label!r}", hint=error.hint) from error


class BooleanTerms(Emptiness):
    """What can be asked of a custom yes or no. The vendor does not document these: JSON's words are sent."""

    __slots__ = ()

    def is_(self, value: bool) -> Query:  # noqa: FBT001 (the value is the argument)
        """Find contacts with this value."""
        return self._term("is", self._boolean(value))

    def is_not(self, value: bool) -> Query:  # noqa: FBT001 (as above)
        """Find contacts without this value."""
        return self._term("is_not", self._boolean(value))

    def _boolean(self, value: bool) -> bool:  # noqa: FBT001 (as above)
        if not isinstance(value, bool):
            raise self._refused(f"takes True or False, not {value!r}")
        return value


class TagTerms(Equal, OneOf, Emptiness):
    """What can be asked of tags, by their names."""

    __slots__ = ()


class IdTerms(OneOf, NoneOf):
    """What can be asked of ids."""

    __slots__ = ()

    def is_(self, id: str) -> Query:  # noqa: A002 (the vendor's word)
        """Find the contact of this id.

        Raises:
            QueryRefused: The id is empty.
        """
        return self._term("is", self._text(id))


class RecordTypeTerms(Named):
    """Whether a contact is a person or a company."""

    __slots__ = ()

    def is_(self, kind: Literal["person", "company", "all"]) -> Query:
        """Find people, companies, or (which narrows nothing) both.

        Raises:
            QueryRefused: There is no such kind.
        """
        if kind not in {"person", "company", "all"}:
            raise self._refused(f"takes 'person', 'company' or 'all', not {kind!r}")
        return self._term("is", kind)


class SavedSearchTerms(Named):
    """A search that was saved in the vendor's application, as a part of another."""

    __slots__ = ()

    def is_(self, id: str) -> Query:  # noqa: A002 (the vendor's word)
        """Find what the saved search of this id finds.

        Raises:
            QueryRefused: The id is empty.
        """
        return self._term("is", self._text(id))


class Presence(Emptiness):
    """Whether there is one: a reminder."""

    __slots__ = ()
