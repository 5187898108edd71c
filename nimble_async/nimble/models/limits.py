"""Limits of the vendor's that are checked before anything is sent.

Rule: only what the vendor documents to refuse is refused here, and in its own figures.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from msgspec import UNSET

from nimble_async.errors import ConfigurationError, DraftRefused

__all__ = [
    "changed",
    "check_between",
    "check_choice",
    "check_currency",
    "check_each",
    "check_exact",
    "check_length",
    "check_money",
    "comma_joined",
    "content_text",
    "given",
    "texts",
]


def given(**members: Any) -> dict[str, Any]:
    """Return the members of a body that were given: None is sent as null, `UNSET` is not sent."""
    return {name: value for name, value in members.items() if value is not UNSET}


def changed(**members: Any) -> dict[str, Any]:
    """Return the members of a body that changes something, as `given` does.

    Raises:
        DraftRefused: There is none.
    """
    body = given(**members)
    if not body:
        one = f": give one of {', '.join(members)}" if members else ""
        raise DraftRefused(f"Nothing is changed{one}.")
    return body


def texts(
    what: str, items: Iterable[Any], *, refused: type[ConfigurationError] = DraftRefused
) -> tuple[str, ...]:
    """Return texts in their order, each once; `what` names one of them: `id`, `tag`, `name`.

    Raises:
        DraftRefused: One text was given instead of several, one of them is empty or no text; or
            the error that is given as `refused`.
    """
    if isinstance(items, str):
        raise refused(f"Give a list of {what}s, such as [{items!r}], not one text.")
    found = [*items]
    for one in found:
        if not isinstance(one, str):
            hint = f"Pass {'its .id' if hasattr(one, 'id') else 'text'}."
            raise refused(f"Each {what} is a text, not {one!r}.", hint=hint)
        if not one.strip():
            raise refused(f"One {what} of the list is empty.")
    return tuple(dict.fromkeys(found))


def comma_joined(what: str, items: Iterable[Any], *, refused: type[ConfigurationError] = DraftRefused) -> str:
    """Join texts with commas, a comma inside of one behind a backslash; arguments and errors as of `texts`.

    The vendor documents that and no way to write a backslash itself: one that would meet a comma, or
    could be taken for the mark of one, is refused.
    """
    found = texts(what, items, refused=refused)
    for one in found:
        if one.endswith("\\") or "\\," in one:
            raise refused(
                f"The {what} {one!r} has a backslash before a comma or at its end, which cannot be sent.",
                hint="The vendor marks commas with backslashes and documents no way to mark a backslash.",
            )
    return ",".join(one.replace(",", "\\,") for one in found)


def check_each(what: str, items: Any, kind: type) -> None:
    """Check that each of several values is of a kind; what is absent or null passes.

    Raises:
        DraftRefused: One is not, or one text was given instead of several values.
    """
    if isinstance(items, str):
        raise DraftRefused(f"{what} takes a list, not one text.")
    for one in items or ():
        if not isinstance(one, kind):
            raise DraftRefused(f"{what} takes {kind.__name__}(...) values, not {one!r}.")


def check_choice(
    what: str, word: Any, allowed: Iterable[str], *, refused: type[ConfigurationError] = DraftRefused
) -> None:
    """Check a word against those that the vendor documents as the only ones; absent or null passes.

    Raises:
        DraftRefused: It is another one; or the error that is given as `refused`.
    """
    known = tuple(allowed)
    if word is not None and word is not UNSET and word not in known:
        raise refused(
            f"{what} is one of {', '.join(map(repr, known))}, not {word!r}.",
            hint="client.request(...) sends what is newer than this description.",
        )


def content_text(name: str, value: Any) -> str:
    """Return a value of a field as the text that the vendor keeps; digits are never rounded.

    Raises:
        DraftRefused: It is of a type that has no exact text.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    check_exact(name, value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str | int):
        return str(value)
    raise DraftRefused(f"{name} takes text, a number, a date or a bool, not {type(value).__name__}.")


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
    if isinstance(number, bool) or not (
        number >= least and (most is None or number <= most) and number < float("inf")
    ):
        allowed = f"at least {least}" if most is None else f"from {least} to {most}"
        raise DraftRefused(f"{what} has to be {allowed}, not {number}.")


def check_exact(what: str, number: Any) -> None:
    """Check that a number is exact and finite; what is absent or null passes.

    Raises:
        DraftRefused: It is a float, which has no exact decimal digits, or no finite number.
    """
    if isinstance(number, float | bool) or (isinstance(number, Decimal) and not number.is_finite()):
        raise DraftRefused(
            f"{what} has to be exact and finite: give a Decimal or a whole number, not {number!r}."
        )


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
