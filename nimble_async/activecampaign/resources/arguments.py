"""What arguments of lists become in a query, and what is refused before anything is sent.

What the vendor does with an order, a filter or a value of one that it does not know is documented
nowhere: where it passed over it, a misspelled one would give a wrong answer that looks right. So what
is not documented is refused here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal, TypeAlias

from nimble_async.activecampaign.models.money import Dollars
from nimble_async.errors import QueryRefused

__all__ = [
    "Direction",
    "between",
    "check_id",
    "check_limit",
    "check_text",
    "choice",
    "day",
    "dollars",
    "filtered",
    "joined",
    "one_of",
    "ordered",
    "score_of",
]

Direction: TypeAlias = Literal["ASC", "DESC"]

_LARGEST_PAGE = 100
_NAME = re.compile(r"[\w.-]+", re.ASCII)
_SCORE = re.compile(r"\d+:-?\d+", re.ASCII)


def check_limit(limit: Any) -> int:
    """Return the size of a page.

    Raises:
        QueryRefused: It is no whole number, or below 1, or above 100, the most the vendor promises to send.
    """
    if isinstance(limit, bool) or not isinstance(limit, int):
        raise QueryRefused(f"A page holds 1 to {_LARGEST_PAGE} records, a whole number, not {limit!r}.")
    if not 1 <= limit <= _LARGEST_PAGE:
        raise QueryRefused(f"A page holds 1 to {_LARGEST_PAGE} records, not {limit}.")
    return limit


def filtered(**filters: Any) -> dict[str, Any]:
    """Return filters as the query spells them: `filters[name]`. What is None is not part of it.

    Raises:
        QueryRefused: A value is empty, which asks for nothing, or neither a text, a whole number nor a flag.
    """
    for name, value in filters.items():
        if value is not None and (not isinstance(value, str | int) or value == ""):
            raise QueryRefused(f"The filter {name} takes a text or a whole number, not {value!r}.")
    return {f"filters[{name}]": value for name, value in filters.items() if value is not None}


def check_id(name: str, value: Any) -> str:
    """Return an id as text, which goes into a body.

    Raises:
        QueryRefused: It is no id.
    """
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not text.strip():
        hint = "Pass its .id." if hasattr(value, "id") else ""
        raise QueryRefused(f"{name} is an id as text, not {value!r}.", hint=hint)
    return text


def check_text(name: str, value: Any) -> str:
    """Return a text that is not empty.

    Raises:
        QueryRefused: It is empty, or none.
    """
    if not isinstance(value, str) or not value.strip():
        raise QueryRefused(f"{name} is a text, not {value!r}.")
    return value


def ordered(orders: Any, allowed: Sequence[str], *, last: str | None = None) -> dict[str, str]:
    """Return orders as the query spells them: `orders[name]`, the first of them the strongest.

    `last` is an order by something unique, put behind them: without it rows that tie, or all of
    them, may come on two pages or on none.

    Raises:
        QueryRefused: An order is not `allowed`, or a direction is neither ASC nor DESC.
    """
    found: dict[str, str] = {}
    if orders is not None and not isinstance(orders, Mapping):
        raise QueryRefused(
            f"Orders are names with directions, such as {{{allowed[0]!r}: 'ASC'}}, not {orders!r}."
        )
    for name, direction in (orders or {}).items():
        if name not in allowed:
            raise QueryRefused(f"A list is ordered by {', '.join(allowed)}, not by {name!r}.")
        if str(direction).upper() not in {"ASC", "DESC"}:
            raise QueryRefused(f"The order {name!r} is ASC or DESC, not {direction!r}.")
        found[f"orders[{name}]"] = str(direction).upper()
    if last is not None:
        found.setdefault(f"orders[{last}]", "ASC")
    return found


def day(name: str, value: date | str | None) -> str | None:
    """Return a day as `YYYY-MM-DD`.

    Raises:
        QueryRefused: It is a moment, or no date: the vendor compares days, in the account's own zone.
    """
    if value is None:
        return None
    try:
        found = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    if not isinstance(found, date) or isinstance(found, datetime):
        raise QueryRefused(f"{name} is a day such as 2026-01-31, not {value!r}.")
    return found.isoformat()


def between(name: str, value: Sequence[date | str] | str | None) -> str | None:
    """Return a range of days as `YYYY-MM-DD+YYYY-MM-DD`; the name of a range stays as it is.

    Raises:
        QueryRefused: It is neither two days nor one name.
    """
    if value is None:
        return None
    parts = [value] if isinstance(value, str) else list(value)
    if len(parts) == 1 and isinstance(parts[0], str) and parts[0]:
        return parts[0]
    days = [found for part in parts if (found := day(name, part)) is not None]
    if len(days) != 2:
        raise QueryRefused(f"{name} is two days, or the name of a range.")
    return "+".join(days)


def dollars(name: str, value: Dollars | str | None) -> int | None:
    """Return whole US dollars.

    Raises:
        QueryRefused: It is anything else, above all a bare number.
    """
    return None if value is None else Dollars.read(value, name).whole


def choice(name: str, value: Any, choices: Mapping[str, int]) -> int | None:
    """Return the number that a choice travels as.

    Raises:
        QueryRefused: It is no such choice.
    """
    if value is None:
        return None
    if not isinstance(value, str) or value not in choices:
        raise QueryRefused(f"{name} is one of {', '.join(choices)}, not {value!r}.")
    return choices[value]


def one_of(name: str, value: str | None, choices: Sequence[str]) -> str | None:
    """Return a choice that travels as it is.

    Raises:
        QueryRefused: It is no such choice.
    """
    if value is not None and value not in choices:
        raise QueryRefused(f"{name} is one of {', '.join(choices)}, not {value!r}.")
    return value


def score_of(name: str, value: Any) -> str | None:
    """Return a filter by a score, `<score id>:<number>`.

    Raises:
        QueryRefused: It is anything else.
    """
    if value is not None and not (isinstance(value, str) and _SCORE.fullmatch(value)):
        raise QueryRefused(f"{name} is the id of a score and a number, such as '3:50', not {value!r}.")
    return value


def joined(name: str, values: Any) -> str | None:
    """Join names with commas.

    Raises:
        QueryRefused: One text was given instead of several names, or one is no name.
    """
    if values is None:
        return None
    found = [values] if isinstance(values, str) else list(values)
    if isinstance(values, str) or not all(isinstance(one, str) and _NAME.fullmatch(one) for one in found):
        raise QueryRefused(f"{name} is a list of names, such as ['contact'], not {values!r}.")
    return ",".join(found) or None
