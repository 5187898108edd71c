"""Groups of operators that many fields have: what a term is about, and what it writes.

Rule: each group is what the vendor documents for some field, and no wider.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from nimble_async.errors import QueryRefused
from nimble_async.nimble.joins import Query

__all__ = ["Emptiness", "Equal", "Named", "NoneOf", "OneOf", "Words", "WordsOnly"]

V = TypeVar("V")


class Named:
    """A field by the vendor's name; a custom one stands under `custom_fields`."""

    __slots__ = ("_custom", "_name")

    def __init__(self, name: str, *, custom: bool = False) -> None:
        if not name.strip():
            raise QueryRefused("The name of a field is empty.")
        self._name = name
        self._custom = custom

    def __repr__(self) -> str:
        """Show the field's name."""
        return f"{type(self).__name__}({self._name!r})"

    def _term(self, operator: str, value: object) -> Query:
        term = {self._name: {operator: value}}
        return Query({"custom_fields": term} if self._custom else term)

    def _refused(self, problem: str, *, hint: str = "") -> QueryRefused:
        return QueryRefused(f"The term {self._name!r} {problem}.", hint=hint)

    def _text(self, text: str) -> str:
        if not isinstance(text, str):
            raise self._refused(f"takes text, not {text!r}")
        if not text.strip():
            raise self._refused("has an empty text", hint="Use is_empty().")
        return text

    def _texts(self, texts: Iterable[str]) -> list[str]:
        if isinstance(texts, str):
            raise self._refused(f"takes a list of texts, such as [{texts!r}], not one text")
        return self._some([self._text(text) for text in texts])

    def _some(self, items: list[V]) -> list[V]:
        if not items:
            raise self._refused("has an empty list")
        return items


class Emptiness(Named):
    """Whether there is a value."""

    __slots__ = ()

    def is_empty(self) -> Query:
        """Find contacts without a value."""
        return self._term("is_empty", True)

    def is_not_empty(self) -> Query:
        """Find contacts with a value."""
        return self._term("is_empty", False)


class Equal(Named):
    """A whole text, or not."""

    __slots__ = ()

    def is_(self, text: str) -> Query:
        """Find contacts of which a value is this text; case and accents do not matter.

        Raises:
            QueryRefused: The text is empty.
        """
        return self._term("is", self._text(text))

    def is_not(self, text: str) -> Query:
        """Find contacts of which no value is this text; whether those without a value is not documented.

        Raises:
            QueryRefused: The text is empty.
        """
        return self._term("is_not", self._text(text))


class OneOf(Named):
    """One of several whole texts."""

    __slots__ = ()

    def in_(self, texts: Iterable[str]) -> Query:
        """Find contacts of which a value is one of these texts. It counts as one term.

        Raises:
            QueryRefused: There is no text, one of them is empty, or one text was given instead of several.
        """
        return self._term("in", self._texts(texts))


class NoneOf(Named):
    """None of several whole texts."""

    __slots__ = ()

    def not_in(self, texts: Iterable[str]) -> Query:
        """Find contacts of which no value is one of these texts.

        Raises:
            QueryRefused: As with `in_`.
        """
        return self._term("not_in", self._texts(texts))


class Words(Named):
    """The words of a text."""

    __slots__ = ()

    def contain(self, words: str) -> Query:
        """Find contacts with one of these words, as a whole word; case and accents do not matter.

        The older documentation wants two letters at least; one letter is sent, and may be refused.

        Raises:
            QueryRefused: The text is empty.
        """
        return self._term("contain", self._text(words))

    def not_contain(self, words: str) -> Query:
        """Find contacts with none of these words.

        Raises:
            QueryRefused: The text is empty.
        """
        return self._term("not_contain", self._text(words))


class WordsOnly(Words):
    """What can be asked of all texts of a contact at once: `__any`."""

    __slots__ = ()

    def starts_with(self, prefix: str) -> Query:
        """Find contacts with a text, or a word of one, that begins so; case and accents do not matter.

        Raises:
            QueryRefused: The text is empty.
        """
        return self._term("starts_with", self._text(prefix))
