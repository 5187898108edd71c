"""Amounts. A deal's value is in cents; the filters of a list are in whole dollars.

Rule: the two are types of their own, neither is a number, and neither is taken in the other's place.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from msgspec import Struct
from msgspec.structs import force_setattr

from nimble_async.errors import QueryRefused

__all__ = ["Dollars", "Money"]

_CURRENCY = re.compile(r"[a-z]{3}")
_DOLLARS = re.compile(r"\$\s*(\d+)|(\d+)\s*USD", re.IGNORECASE)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


class Money(Struct, frozen=True):
    """An exact amount: `cents` (hundredths, also for currencies that have none) and the currency's code.

    Raises:
        QueryRefused: `cents` is no whole number, or the currency no code of three letters.
    """

    cents: int
    currency: str
    """Three letters, lower case as the vendor keeps it; upper case is taken too."""

    def __post_init__(self) -> None:
        """Refuse what is no amount."""
        if not _is_whole(self.cents):
            raise QueryRefused(f"Cents are a whole number, not {self.cents!r}.", hint="Use Money.of().")
        if not _CURRENCY.fullmatch(str(self.currency).lower()):
            raise QueryRefused(f"A currency is a code of three letters, not {self.currency!r}.")
        force_setattr(self, "currency", self.currency.lower())

    @classmethod
    def of(cls, amount: str | int | Decimal, currency: str) -> Money:
        """Read an amount in whole units, such as `"12.34"`; a float is refused, since it is not exact.

        Raises:
            QueryRefused: It is no number, or has more than two decimals.
        """
        if isinstance(amount, bool) or not isinstance(amount, str | int | Decimal):
            raise QueryRefused(f"An amount is a text, a whole number or a Decimal, not {amount!r}.")
        try:
            cents = Decimal(amount) * 100
        except InvalidOperation:
            raise QueryRefused(f"{amount!r} is no amount.") from None
        if not cents.is_finite() or cents != cents.to_integral_value():
            raise QueryRefused(f"{amount!r} is not an amount in whole cents.")
        return cls(int(cents), currency)

    @property
    def amount(self) -> Decimal:
        """The amount in whole units, exact."""
        return Decimal(self.cents).scaleb(-2)

    def __str__(self) -> str:
        """Show `12.34 USD`."""
        return f"{self.amount:.2f} {self.currency.upper()}"


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
