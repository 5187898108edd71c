"""Amounts. A deal's value is in cents; the filters of a list are in whole dollars.

Rule: the two are types of their own, neither is a number, and neither is taken in the other's place.
An amount is counted in whole cents, digit by digit: no float and no decimal context of the program's
own comes in between.
"""

from __future__ import annotations

import re
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import force_setattr

from nimble_async.errors import QueryRefused

__all__ = ["Dollars", "Money"]

_CURRENCY = re.compile(r"[a-z]{3}")
_AMOUNT = re.compile(r"\s*([+-]?)(\d+)(?:\.(\d*))?\s*", re.ASCII)
_MOST = 10**100
"""More than any amount: what lies beyond is not shown digit by digit, nor computed with."""
_PLAIN = 200
"""Digits that are read at most."""
_DOLLARS = re.compile(r"\$\s*(\d{1,30})|(\d{1,30})\s*USD", re.IGNORECASE | re.ASCII)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


class Money(Struct, frozen=True):
    """An exact amount: `cents` (hundredths, also for currencies that have none) and the currency's code.

    Amounts of one currency can be added, subtracted and compared.

    Raises:
        QueryRefused: `cents` is no whole number, the currency no code of three letters, or two currencies
            are added or compared.
    """

    cents: int
    currency: str
    """Three letters, lower case as the vendor keeps it; upper case is taken too."""

    def __post_init__(self) -> None:
        """Refuse what is no amount."""
        if not _is_whole(self.cents):
            raise QueryRefused(f"Cents are a whole number, not {self.cents!r}.", hint="Use Money.of().")
        if abs(self.cents) >= _MOST:
            raise QueryRefused("That many cents are no amount: they have more than 100 digits.")
        if not _CURRENCY.fullmatch(str(self.currency).lower()):
            raise QueryRefused(f"A currency is a code of three letters, not {self.currency!r}.")
        force_setattr(self, "currency", self.currency.lower())

    @classmethod
    def of(cls, amount: str | int | Decimal, currency: str) -> Money:
        """Read an amount in whole units, such as `"12.34"`; a float is refused, since it is not exact.

        Raises:
            QueryRefused: It is no number in plain digits, or has more than two decimals.
        """
        if isinstance(amount, bool) or not isinstance(amount, str | int | Decimal):
            raise QueryRefused(f"An amount is a text, a whole number or a Decimal, not {amount!r}.")
        return cls(_cents(amount), currency)

    @property
    def amount(self) -> Decimal:
        """The amount in whole units, exact."""
        digits = tuple(map(int, str(abs(self.cents))))
        return Decimal((int(self.cents < 0), digits, -2))

    def __add__(self, other: Money) -> Money:
        """Return the sum of two amounts of one currency."""
        return Money(self.cents + self._cents_of(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        """Return the difference of two amounts of one currency."""
        return Money(self.cents - self._cents_of(other), self.currency)

    def __lt__(self, other: Money) -> bool:
        """Return whether this is less than another amount of the same currency."""
        return self.cents < self._cents_of(other)

    def __le__(self, other: Money) -> bool:
        """Return whether this is at most another amount of the same currency."""
        return self.cents <= self._cents_of(other)

    def __gt__(self, other: Money) -> bool:
        """Return whether this is more than another amount of the same currency."""
        return self.cents > self._cents_of(other)

    def __ge__(self, other: Money) -> bool:
        """Return whether this is at least another amount of the same currency."""
        return self.cents >= self._cents_of(other)

    def _cents_of(self, other: object) -> int:
        if not isinstance(other, Money):
            raise QueryRefused(f"An amount goes together with another amount only, not with {other!r}.")
        if other.currency != self.currency:
            raise QueryRefused(f"{self} and {other} are of two currencies: they cannot be added or compared.")
        return other.cents

    def __str__(self) -> str:
        """Show `12.34 USD`."""
        units, rest = divmod(abs(self.cents), 100)
        return f"{'-' if self.cents < 0 else ''}{units}.{rest:02} {self.currency.upper()}"


def _cents(amount: str | int | Decimal) -> int:
    """Return an amount of whole units in cents."""
    if isinstance(amount, int):
        return amount * 100
    if isinstance(amount, Decimal) and (not amount.is_finite() or abs(amount.adjusted()) > _PLAIN):
        raise QueryRefused(f"{amount!r} is no amount.")
    match = _AMOUNT.fullmatch(amount if isinstance(amount, str) else f"{amount:f}")
    if match is None or len(match[2]) > _PLAIN:
        raise QueryRefused(f"{amount!r} is no amount.", hint="Write it in digits, such as '1234.50'.")
    sign, units, decimals = match[1], match[2], (match[3] or "").rstrip("0")
    if len(decimals) > 2:
        raise QueryRefused(f"{amount!r} is not an amount in whole cents.")
    cents = int(units + decimals.ljust(2, "0"))
    return -cents if sign == "-" else cents


class Dollars(Struct, frozen=True):
    """Whole US dollars, as the filters `minimum_value` and `maximum_value` of deals count.

    Raises:
        QueryRefused: It is no whole number, or below 0.
    """

    whole: int

    def __post_init__(self) -> None:
        """Refuse what is no number of dollars."""
        if not _is_whole(self.whole) or self.whole < 0:
            raise QueryRefused(f"Dollars are a whole number from 0, not {self.whole!r}.")

    @classmethod
    def read(cls, value: Dollars | str, name: str) -> Dollars:
        """Return dollars that may be written as `$100` or `100 USD`; `name` is the argument's.

        Raises:
            QueryRefused: It is anything else: a bare number could be meant in cents.
        """
        if isinstance(value, Dollars):
            return value
        match = _DOLLARS.fullmatch(str(value).strip())
        if match is None:
            raise QueryRefused(
                f"{name} is in whole US dollars, unlike a deal's value: {value!r} does not say so.",
                hint="Use Dollars(100), or '$100'.",
            )
        return cls(int(match[1] or match[2]))

    def __str__(self) -> str:
        """Show `100 USD`."""
        return f"{self.whole} USD"
