"""What arguments of lists become in a query, and what is refused before anything is sent.

Rule: only what the vendor documents to refuse (or to ignore in silence) is refused here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from nimble_async.errors import QueryRefused

__all__ = ["check_paging", "check_search", "check_sort", "distinct", "joined", "moment", "search_text"]

_MOST_TERMS = 11
_DEEPEST = 20
_LARGEST_SORTED_PAGE = 100
_JOINS = frozenset({"and", "or", "not"})
_SORT = re.compile(r"\S(?:.*\S)?:(?:asc|desc)")


def joined(names: Iterable[str] | None) -> str | None:
    """Join names with commas; a comma inside a name is escaped with a backslash.

    Raises:
        QueryRefused: One text was given instead of several names, or a name is empty.
    """
    if names is None:
        return None
    if isinstance(names, str):
        raise QueryRefused(f"Give a list of names, such as [{names!r}], not one text.")
    found = list(names)
    if not all(found):
        raise QueryRefused("A name in the list is empty.")
    return ",".join(name.replace(",", "\\,") for name in found) or None


def distinct(ids: Iterable[str]) -> tuple[str, ...]:
    """Return the ids in their order, each once.

    Raises:
        QueryRefused: One text was given instead of several ids, or an id is empty or holds a comma.
    """
    if isinstance(ids, str):
        raise QueryRefused(f"Give a list of ids, such as [{ids!r}], not one text.")
    found = tuple(dict.fromkeys(ids))
    if any(not id or "," in id for id in found):  # noqa: A001 (the vendor's word)
        raise QueryRefused("An id in the list is empty or holds a comma.")
    return found


def moment(when: datetime | str | None) -> str | None:
    """Return a moment in ISO 8601; text is sent as it is."""
    return when.isoformat() if isinstance(when, datetime) else when


def check_sort(sort: str | None) -> str | None:
    """Return `sort` where it is `<field>:asc` or `<field>:desc`.

    Raises:
        QueryRefused: It is something else.
    """
    if sort is not None and not _SORT.fullmatch(sort):
        raise QueryRefused(f"sort must be '<field>:asc' or '<field>:desc', not {sort!r}.")
    return sort


def check_paging(*, size: int | None, page: int | None = None, sort: str | None = None) -> None:
    """Refuse page sizes and page numbers that the vendor cannot serve.

    Raises:
        QueryRefused: Below 1, or more than 100 sorted records a page.
    """
    if size is not None and size < 1:
        raise QueryRefused(f"A page holds at least 1 record, not {size}.")
    if page is not None and page < 1:
        raise QueryRefused(f"Pages are counted from 1, so there is no page {page}.")
    if sort is not None and size is not None and size > _LARGEST_SORTED_PAGE:
        raise QueryRefused(f"A sorted page holds at most {_LARGEST_SORTED_PAGE} records, not {size}.")


def search_text(
    query: Mapping[str, Any] | str | None, *, keyword: str | None = None, record_type: str | None = None
) -> str | None:
    """Return the search as JSON text, or None where there is none.

    The vendor ignores a record type beside a search, so it becomes one more term of the search.

    Raises:
        QueryRefused: The vendor would refuse the search, or keyword and search together.
    """
    if keyword is not None and not keyword.strip():
        raise QueryRefused("keyword is empty.")
    if query is None:
        return None
    if keyword is not None:
        raise QueryRefused("Give keyword or query, not both.", hint="The term {'__any': {...}} is a keyword.")
    tree = _parsed(query)
    check_search(tree)
    if record_type not in {None, "all"}:
        tree = _narrowed(tree, {"record type": {"is": record_type}})
        check_search(tree)
    try:
        return msgspec.json.encode(tree, enc_hook=_plain).decode()
    except (TypeError, ValueError, OverflowError) as error:
        raise QueryRefused(f"The search holds what JSON cannot say: {error}.") from error


def check_search(tree: Mapping[str, Any]) -> None:
    """Refuse a search that the vendor would refuse: its joins, its size, its depth, empty texts.

    Raises:
        QueryRefused: It is one.
    """
    terms = _count_terms(tree, depth=1)
    if terms > _MOST_TERMS:
        raise QueryRefused(f"A search has at most {_MOST_TERMS} terms, this one {terms}.")


def _plain(value: Any) -> dict[str, Any]:
    """Return a mapping that is no dictionary, such as a `Query` inside one, as a dictionary."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{value!r} is no value of a search")


def _narrowed(tree: dict[str, Any], term: dict[str, Any]) -> dict[str, Any]:
    """Join one more term to a search that was found good."""
    members = tree["and"] if set(tree) == {"and"} else [tree]
    return {"and": [*members, term]}


def _parsed(query: Mapping[str, Any] | str) -> dict[str, Any]:
    if not isinstance(query, str):
        return dict(query)
    try:
        return msgspec.json.decode(query, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise QueryRefused(f"query is not a JSON object: {error}.") from error


def _count_terms(tree: Any, *, depth: int) -> int:
    """Return the number of terms below, refusing what is no search on the way."""
    if depth > _DEEPEST:
        raise QueryRefused(f"A search is at most {_DEEPEST} levels deep.")
    if not isinstance(tree, Mapping) or len(tree) == 0:  # a Query has no truth value
        raise QueryRefused(f"A search is an object such as {{'email': {{'is': ...}}}}, not {tree!r}.")
    return sum(
        _count_join(key, value, depth=depth) if key in _JOINS else _count_term(key, value)
        for key, value in tree.items()
    )


def _count_join(join: str, members: Any, *, depth: int) -> int:
    if join == "not" and isinstance(members, Mapping):
        members = [members]
    if not isinstance(members, list | tuple):
        raise QueryRefused(f"{join!r} joins a list of searches, not {members!r}.")
    if join == "not" and len(members) != 1:
        raise QueryRefused(f"'not' takes one search, not {len(members)}.")
    if join != "not" and len(members) < 2:
        raise QueryRefused(f"{join!r} joins at least two searches, not {len(members)}.")
    return sum(_count_terms(member, depth=depth + 1) for member in members)


def _count_term(field: str, operators: Any) -> int:
    if not isinstance(operators, Mapping) or not operators:
        raise QueryRefused(f"The term {field!r} needs an operator, such as {{{field!r}: {{'is': ...}}}}.")
    if field == "custom_fields":
        return sum(_count_term(name, below) for name, below in operators.items())
    for operator, value in operators.items():
        texts = value if isinstance(value, list | tuple) else [value]
        if any(isinstance(text, str) and not text.strip() for text in texts):
            raise QueryRefused(f"The term {field!r} has an empty text.", hint="Use 'is_empty'.")
        if operator == "in" and not texts:
            raise QueryRefused(f"The term {field!r} has an empty list.")
    return 1
