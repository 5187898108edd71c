"""Limits of the vendor's that are checked before anything is sent.

Rule: only what the vendor documents to refuse is refused here, and in its own figures.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec import UNSET

from nimble_async.errors import DraftRefused

__all__ = ["check_between", "check_currency", "check_exact", "check_length", "check_money", "given"]


def given(**members: Any) -> dict[str, Any]:
    """Return the members of a body that were given: None is sent as null, `UNSET` is not sent."""
    return {name: value for name, value in members.items() if value is not UNSET}


def check_length(what: str, text: Any, *, least: int = 0, most: int) -> None:
    """Check the characters of a text; what is no text (absent or null) passes.

    Raises:
        DraftRefused: It is shorter than `least` or longer than `most`.
    """
    if isinstance(text, str) and not least <= len(text) <= most:
        allowed = f"{least} to {most}" if least else f"at most {most}"
        raise DraftRefused(f"{what} takes {allowed} characters, not {len(text)}.")


def check_between(what: str, number: Any, *, least: int = 0, most: int | None = None) -> None:
    """Check a number; what is none (absent or null) passes.

    Raises:
        DraftRefused: It is below `least` or above `most`, or not finite.
    """
    if not isinstance(number, int | float | Decimal):
        return
    if not (number >= least and (most is None or number <= most) and number < float("inf")):
        allowed = f"at least {least}" if most is None else f"from {least} to {most}"
        raise DraftRefused(f"{what} has to be {allowed}, not {number}.")


def check_exact(what: str, number: Any) -> None:
    """Check that a number is exact and finite; what is absent or null passes.

    Raises:
        DraftRefused: It is a float, which has no exact decimal digits, or no finite number.
    """
    if isinstance(number, float | bool) or (isinstance(number, Decimal) and not number.is_finite()):
        raise DraftRefused(f"{what} has to be exact: give a Decimal or a whole number, not {number!r}.")


def check_money(what: str, number: Any) -> None:
    """Check an amount: exact, and positive or 0.

    Raises:
        DraftRefused: It is negative, a float, or not finite.
    """
    check_exact(what, number)
    check_between(what, number)


def check_currency(code: Any) -> None:
    """Check that a currency has the three letters of ISO 4217; what is absent or null passes.

    Raises:
        DraftRefused: It has another form.
    """
    if isinstance(code, str) and not (len(code) == 3 and code.isascii() and code.isalpha()):
        raise DraftRefused(f"A currency is three letters of ISO 4217, such as 'EUR', not {code!r}.")
