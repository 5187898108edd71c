"""What arguments of lists become in a query, and what is refused before anything is sent.

Rule: only what the vendor documents to refuse (or to ignore in silence) is refused here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from math import isfinite
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from nimble_async.errors import QueryRefused
from nimble_async.nimble.models.limits import check_choice, comma_joined, texts

__all__ = [
    "ContextKind",
    "RecordType",
    "check_paging",
    "check_search",
    "check_sort",
    "contact_parts",
    "contact_search",
    "context_names",
    "distinct",
    "joined",
    "moment",
    "search_text",
    "several",
]

RecordType: TypeAlias = Literal["person", "company", "all"]
"""The kinds of contacts that a list may be of."""
ContextKind: TypeAlias = Literal[
    "last_contacted_data", "employers_data", "leads_data", "sequences_data", "contact_files"
]
"""The blocks that a contact may come with."""
_MOST_TERMS = 11
_DEEPEST = 20
_LARGEST_SORTED_PAGE = 100
_JOINS = frozenset({"and", "or", "not"})
_SORT = re.compile(r"\S(?:.*\S)?:(?:asc|desc)")


def joined(names: Iterable[str] | None) -> str | None:
    """Join names with commas; a comma inside a name is escaped with a backslash.

    Raises:
        QueryRefused: One text was given instead of several names, or a name is empty, no text, or has a
            backslash where it would be taken for an escape.
    """
    return None if names is None else comma_joined("name", names, refused=QueryRefused) or None


def several(what: str, names: Iterable[str] | None) -> tuple[str, ...] | None:
    """Return names, each once, to be used more than once; errors as of `joined`."""
    return None if names is None else texts(what, names, refused=QueryRefused)


def context_names(contexts: Iterable[str] | None) -> str | None:
    """Join the names of contexts.

    Raises:
        QueryRefused: One is none that the vendor describes, or as with `joined`.
    """
    names = several("name", contexts)
    for name in names or ():
        check_choice("A context", name, get_args(ContextKind), refused=QueryRefused)
    return joined(names)


def distinct(ids: Iterable[str]) -> tuple[str, ...]:
    """Return the ids in their order, each once.

    Raises:
        QueryRefused: One text was given instead of several ids, or an id is empty, no text, or holds a
            comma.
    """
    found = texts("id", ids, refused=QueryRefused)
    if any("," in id for id in found):  # noqa: A001 (the vendor's word)
        raise QueryRefused("An id in the list holds a comma.")
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
        QueryRefused: The vendor would refuse the search, or keyword and search together, or there is no
            such record type.
    """
    check_choice("record_type", record_type, get_args(RecordType), refused=QueryRefused)
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
        check_search(tree, beside="record_type has to become one of them")
    try:
        return msgspec.json.encode(tree, enc_hook=_plain).decode()
    except (TypeError, ValueError, OverflowError) as error:
        raise QueryRefused(f"The search holds what JSON cannot say: {error}.") from error


def contact_parts(
    fields: Iterable[str] | None,
    tags: bool | None,  # noqa: FBT001 (the methods' own arguments, handed on)
    contexts: Iterable[str] | None,
    meta: bool | None,  # noqa: FBT001 (as above)
    last_contacted: bool | None,  # noqa: FBT001 (as above)
) -> dict[str, Any]:
    """Return what is asked for of contacts that are read by their ids.

    Raises:
        QueryRefused: A name of a field or context is empty, or one text stands for several.
    """
    return {
        "fields": joined(fields),
        "tags": tags,
        "contexts": context_names(contexts),
        "meta": meta,
        "last_contacted": last_contacted,
    }


def contact_search(
    keyword: str | None, query: Mapping[str, Any] | str | None, record_type: str | None, sort: str | None
) -> dict[str, Any]:
    """Return what selects and sorts contacts.

    Raises:
        QueryRefused: The vendor would refuse it.
    """
    search = search_text(query, keyword=keyword, record_type=record_type)
    return {
        "keyword": keyword,
        "query": search,
        # Beside a search the vendor ignores it in silence, so it is a term of the search by now.
        "record_type": record_type if search is None else None,
        "sort": check_sort(sort),
    }


def check_search(tree: Mapping[str, Any], *, beside: str = "") -> None:
    """Refuse a search that the vendor would refuse: its joins, its size, its depth, empty texts.

    `beside` says what made the search larger than its writer did.

    Raises:
        QueryRefused: It is one.
    """
    terms = _count_terms(tree, depth=1, beside=beside)
    if terms > _MOST_TERMS:
        raise QueryRefused(f"A search has at most {_MOST_TERMS} terms, this one {terms}{_because(beside)}.")


def _because(beside: str) -> str:
    return f", since {beside}" if beside else ""


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


def _count_terms(tree: Any, *, depth: int, beside: str = "") -> int:
    """Return the number of terms below, refusing what is no search on the way."""
    if depth > _DEEPEST:
        raise QueryRefused(f"A search is at most {_DEEPEST} levels deep{_because(beside)}.")
    if not isinstance(tree, Mapping) or len(tree) == 0:  # a Query has no truth value
        raise QueryRefused(f"A search is an object such as {{'email': {{'is': ...}}}}, not {tree!r}.")
    return sum(
        _count_join(key, value, depth=depth, beside=beside) if key in _JOINS else _count_term(key, value)
        for key, value in tree.items()
    )


def _count_join(join: str, members: Any, *, depth: int, beside: str) -> int:
    if not isinstance(members, list | tuple):
        raise QueryRefused(f"{join!r} joins a list of searches, not {members!r}.")
    if join == "not" and len(members) != 1:
        raise QueryRefused(f"'not' takes one search, not {len(members)}.")
    if join != "not" and len(members) < 2:
        raise QueryRefused(f"{join!r} joins at least two searches, not {len(members)}.")
    return sum(_count_terms(member, depth=depth + 1, beside=beside) for member in members)


def _count_term(field: str, operators: Any) -> int:
    if not isinstance(operators, Mapping) or not operators:
        raise QueryRefused(f"The term {field!r} needs an operator, such as {{{field!r}: {{'is': ...}}}}.")
    if field == "custom_fields":
        return sum(_count_term(name, below) for name, below in operators.items())
    for operator, value in operators.items():
        _check_value(field, value)
        if operator == "in" and isinstance(value, list | tuple) and not value:
            raise QueryRefused(f"The term {field!r} has an empty list.")
    return 1


def _check_value(field: str, value: Any) -> None:
    """Refuse what no search can hold: empty texts, numbers that are none; also inside of ranges and lists."""
    if isinstance(value, str) and not value.strip():
        raise QueryRefused(f"The term {field!r} has an empty text.", hint="Use 'is_empty'.")
    if isinstance(value, float) and not isfinite(value):
        raise QueryRefused(f"The term {field!r} takes a finite number, not {value}.")
    inside = (
        value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    )
    for one in inside:
        _check_value(field, one)
