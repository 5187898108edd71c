"""Searches and their joins: the mapping that the vendor reads, with `&`, `|` and `~`.

Rule: a search that the vendor would refuse (twelve terms, twenty-one levels, empty texts) does not come
to be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from nimble_async.nimble.resources.arguments import check_search

__all__ = ["Query"]


class Query(Mapping[str, Any]):
    """A search, as the mapping that the vendor reads. Join searches with `&`, `|` and `~`.

    `Query({...})` makes one of a plain mapping. It has no truth value: Python's `and` and `or` would
    drop one side of it in silence.

    Raises:
        QueryRefused: The vendor would refuse it.
    """

    __slots__ = ("_tree",)

    def __init__(self, tree: Mapping[str, Any]) -> None:
        check_search(tree)
        self._tree: dict[str, Any] = _plain(tree)

    def __and__(self, other: Mapping[str, Any]) -> Query:
        """Return a search for what both find.

        Raises:
            QueryRefused: Together they have more than eleven terms, or more than twenty levels.
        """
        return _join("and", self, other)

    def __or__(self, other: Mapping[str, Any]) -> Query:
        """Return a search for what either finds.

        Raises:
            QueryRefused: As with `&`.
        """
        return _join("or", self, other)

    def __invert__(self) -> Query:
        """Return a search for what this one does not find.

        Raises:
            QueryRefused: It has more than twenty levels.
        """
        # Not nothing: twice `~` is the search itself, and no level deeper.
        if set(self._tree) == {"not"} and isinstance(self._tree["not"], list):
            return Query(self._tree["not"][0])
        return Query({"not": [self._tree]})

    def __bool__(self) -> bool:
        """Raise.

        Raises:
            TypeError: Always; see the class.
        """
        raise TypeError("A Query is not true or false: join searches with &, | and ~, not with and, or, not.")

    def __getitem__(self, key: str) -> Any:
        """Return a member of the mapping."""
        return self._tree[key]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the members."""
        return iter(self._tree)

    def __len__(self) -> int:
        """Return how many members the mapping has."""
        return len(self._tree)

    def __repr__(self) -> str:
        """Show the mapping."""
        return f"Query({self._tree!r})"


def _join(how: Literal["and", "or"], *queries: Mapping[str, Any]) -> Query:
    members: list[Any] = []
    for query in queries:
        # a & b & c is one join of three, which is less deep than a join inside a join.
        members.extend(query[how] if set(query) == {how} else [query])
    return Query({how: members})


def _plain(tree: Any) -> Any:
    """Return mappings as dictionaries and sequences as lists, all the way down."""
    if isinstance(tree, Mapping):
        return {name: _plain(below) for name, below in tree.items()}
    return [_plain(one) for one in tree] if isinstance(tree, list | tuple) else tree
