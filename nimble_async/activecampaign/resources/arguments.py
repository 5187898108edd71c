"""What arguments of lists become in a query, and what is refused before anything is sent.

The vendor ignores in silence what it does not know: a misspelled order or filter would give a
wrong answer that looks right. So what is not documented is refused here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal, TypeAlias

from nimble_async.activecampaign.models.money import Dollars
from nimble_async.errors import QueryRefused

__all__ = ["Direction", "between", "check_limit", "choice", "day", "dollars", "filtered", "joined", "ordered"]

Direction: TypeAlias = Literal["ASC", "DESC"]

_LARGEST_PAGE = 100


def check_limit(limit: int) -> int:
    """Return the size of a page.

    Raises:
        QueryRefused: It is below 1 or above 100, the most the vendor promises to send.
    """
    if not 1 <= limit <= _LARGEST_PAGE:
        raise QueryRefused(f"A page holds 1 to {_LARGEST_PAGE} records, not {limit}.")
    return limit


def filtered(**filters: Any) -> dict[str, Any]:
    """Return filters as the query spells them: `filters[name]`. What is None is not part of it."""
    return {f"filters[{name}]": value for name, value in filters.items() if value is not None}


def ordered(
    orders: Mapping[Any, str] | None, allowed: Sequence[str], *, last: str | None = None
) -> dict[str, str]:
    """Return orders as the query spells them: `orders[name]`, the first of them the strongest.

    `last` is an order by something unique, put behind them: without it rows that tie, or all of
    them, may come on two pages or on none.

    Raises:
        QueryRefused: An order is not `allowed`, or a direction is neither ASC nor DESC.
    """
    found: dict[str, str] = {}
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


def choice(name: str, value: str | None, choices: Mapping[str, int]) -> int | None:
    """Return the number that a choice travels as.

    Raises:
        QueryRefused: It is no such choice.
    """
    if value is None:
        return None
    if value not in choices:
        raise QueryRefused(f"{name} is one of {', '.join(choices)}, not {value!r}.")
    return choices[value]


def joined(name: str, values: Iterable[str] | None) -> str | None:
    """Join names with commas.

    Raises:
        QueryRefused: One text was given instead of several names, or a name is empty.
    """
    if values is None:
        return None
    found = [values] if isinstance(values, str) else list(values)
    if isinstance(values, str) or not all(found):
        raise QueryRefused(f"{name} is a list of names, such as ['contact'], not {values!r}.")
    return ",".join(found) or None
