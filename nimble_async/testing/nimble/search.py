"""The vendor's search language, as far as a simulated account understands it.

Rule: `compile_search` turns JSON text into a `Search` or raises a `Refusal` with the vendor's 409;
nothing here reads a clock: relative dates count from the `now` of the call.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

import msgspec
from msgspec import Struct

from nimble_async.testing.nimble.call import Call, Refusal, invalid
from nimble_async.testing.nimble.content import (
    FIELD_GROUPS,
    contact_values,
    field_id,
    record_type,
    tags_of,
    updated_wall,
)

__all__ = ["Search", "compile_search", "keyword_search"]

_Test = Callable[[int], bool]

_LARGEST_DEPTH = 20
_MOST_TERMS = 11
_UNITS = {"second": 1, "day": 86_400, "week": 604_800, "month": 2_592_000, "year": 31_536_000}
_ADDRESS_PARTS = {"city", "state", "country", "street", "zip"}
_NUMBERS = {"rating", "# of employees"}
_WORD = re.compile(r"\w+")


class Search(Struct, frozen=True, kw_only=True):
    """What a query asks for: a closed or half-open span of `created`, and a test for the rest."""

    start: float | None = None
    end: float | None = None
    test: _Test | None = None
    relative: bool = False
    """Whether the answer depends on the time it is asked at."""


class _Compiler:
    def __init__(self, call: Call) -> None:
        self.call = call
        self.seed = call.world.seed
        self.terms = 0
        self.relative = False

    def values(self, serial: int) -> dict[str, list[tuple[str, str]]]:
        return contact_values(self.call.world, serial)

    def compile(self, node: object, depth: int = 1) -> _Test:
        if depth > _LARGEST_DEPTH:
            raise _refused("/query", f"is deeper than {_LARGEST_DEPTH}")
        if not isinstance(node, dict) or len(node) != 1:
            raise _refused("/query", "must be an object with one member")
        ((name, rest),) = node.items()
        if name in {"and", "or", "not"}:
            return self._join(name, rest, depth)
        self.terms += 1
        if self.terms > _MOST_TERMS:
            raise _refused("/query", f"has more than {_MOST_TERMS} terms")
        return self._term(name, rest)

    def _join(self, name: str, rest: object, depth: int) -> _Test:
        least = 1 if name == "not" else 2
        if not isinstance(rest, list) or len(rest) < least or (name == "not" and len(rest) > 1):
            raise _refused(
                f"/query/{name}",
                f"needs a list of {'one member' if name == 'not' else 'two members or more'}",
            )
        tests = [self.compile(member, depth + 1) for member in rest]
        if name == "and":
            return lambda serial: all(test(serial) for test in tests)
        if name == "or":
            return lambda serial: any(test(serial) for test in tests)
        return lambda serial: not tests[0](serial)

    def _term(self, name: str, rest: object) -> _Test:
        if not isinstance(rest, dict) or len(rest) != 1:
            raise _refused(f"/query/{name}", "must be an object with one operator")
        ((operator, value),) = rest.items()
        if name == "custom_fields":
            return self._term(operator, value)
        if name in {"created", "updated"}:
            return self._date(name, operator, value)
        if name == "record type":
            return self._record_type(operator, value)
        if name in {"tag", "_id"}:
            return self._exact(name, operator, value)
        if name in _NUMBERS and operator not in {"is", "is_not", "is_empty", "in"}:
            return self._number(name, operator, value)
        return self._text(name, operator, value)

    def _date(self, name: str, operator: str, value: object) -> _Test:
        first, last = _span_of(self.call, name, operator, value)
        if operator in {"in_the_last", "not_in_the_last"}:
            self.relative = True
        world = self.call.world
        instant: Callable[[int], float]
        instant = world.contacts.created.__getitem__ if name == "created" else partial(updated_wall, world)
        after = _at_least if self.call.behaviour.inclusive_start else _above
        before = _at_most if self.call.behaviour.inclusive_end else _below
        negative = operator.startswith("not_")
        return lambda serial: (
            (after(instant(serial), first) and before(instant(serial), last)) is not negative
        )

    def _record_type(self, operator: str, value: object) -> _Test:
        if operator != "is" or value not in {"person", "company", "all"}:
            raise _refused("/query/record type", "must be is person, company or all")
        return lambda serial: value == "all" or record_type(self.seed, serial) == value

    def _exact(self, name: str, operator: str, value: object) -> _Test:
        herd = self.call.world.contacts

        def found(serial: int) -> tuple[str, ...]:
            return (herd.id_of(serial),) if name == "_id" else tags_of(self.seed, serial)

        if operator == "is_empty" and isinstance(value, bool):
            return lambda serial: (not found(serial)) is value
        wanted = frozenset(_texts(name, operator, value))
        if operator in {"is", "in"}:
            return lambda serial: not wanted.isdisjoint(found(serial))
        if operator in {"is_not", "not_in"}:
            return lambda serial: wanted.isdisjoint(found(serial))
        raise _refused(f"/query/{name}", f"does not know {operator}")

    def _number(self, name: str, operator: str, value: object) -> _Test:
        low, high = _bounds(name, operator, value)
        negative = operator == "not_in_range"

        def test(serial: int) -> bool:
            numbers = [float(text) for text, _ in self.values(serial).get(name, ())]
            return any(low <= number <= high for number in numbers) is not negative

        return test

    def _text(self, name: str, operator: str, value: object) -> _Test:
        read = self._reader(name)
        if operator == "is_empty" and isinstance(value, bool):
            return lambda serial: (not any(read(serial))) is value
        wanted = [_folded(text) for text in _texts(name, operator, value)]
        if operator in {"is", "in"}:
            return lambda serial: any(_folded(text) in wanted for text in read(serial))
        if operator in {"is_not", "not_in"}:
            return lambda serial: all(_folded(text) not in wanted for text in read(serial))
        if operator == "starts_with":
            return lambda serial: any(_starts(text, wanted[0]) for text in read(serial))
        if operator in {"contain", "not_contain"}:
            words = frozenset(_WORD.findall(wanted[0]))
            negative = operator == "not_contain"
            return lambda serial: (
                (any(not words.isdisjoint(_WORD.findall(_folded(text))) for text in read(serial)))
                is not negative
            )
        raise _refused(f"/query/{name}", f"does not know {operator}")

    def _reader(self, name: str) -> Callable[[int], list[str]]:
        """Return what a search for `name` looks at."""

        def read(names: tuple[str, ...], serial: int) -> list[str]:
            values = self.values(serial)
            return [text for each in names for text, _ in values.get(each, ())]

        def anywhere(serial: int) -> list[str]:
            return [text for texts in self.values(serial).values() for text, _ in texts]

        def whole_name(serial: int) -> list[str]:
            names = read(("first name", "last name", "company name"), serial)
            return [" ".join(names), *names]

        if name == "__any":
            return anywhere
        if name in {"name", "names"}:
            return whole_name
        if name == "company_name":
            return partial(read, ("parent company", "company name"))
        if name in _ADDRESS_PARTS or name.removeprefix("address.") in _ADDRESS_PARTS:
            return lambda serial: _address_parts(read(("address",), serial), name.removeprefix("address."))
        if name in FIELD_GROUPS:
            return partial(read, (name,))
        raise _refused(f"/query/{name}", "is no searchable field")


def compile_search(call: Call, text: str) -> Search:
    """Read a query.

    Raises:
        Refusal: The vendor refuses it with 409.
    """
    try:
        node = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise _refused("/query", "is no JSON") from None
    compiler = _Compiler(call)
    test = compiler.compile(node)
    start, end, whole = _created_span(call, node)
    return Search(start=start, end=end, test=None if whole else test, relative=compiler.relative)


def keyword_search(call: Call, keyword: str) -> Search:
    """Return the search that a keyword stands for: any field contains it."""
    return Search(test=_Compiler(call).compile({"__any": {"contain": keyword}}))


def _created_span(call: Call, node: Any) -> tuple[float | None, float | None, bool]:
    """Return the span of `created` a query is sure to keep to, and whether that is all it says."""
    ((name, rest),) = node.items()
    if name == "created":
        ((operator, value),) = rest.items()
        if operator in {"range", "in_the_last"}:
            return (*_span_of(call, name, operator, value), True)
    if name == "and":
        spans = [_created_span(call, member) for member in rest]
        starts = [start for start, _, _ in spans if start is not None]
        ends = [end for _, end, _ in spans if end is not None]
        return max(starts, default=None), min(ends, default=None), all(whole for _, _, whole in spans)
    return None, None, False


def _span_of(call: Call, name: str, operator: str, value: object) -> tuple[float, float]:
    """Return the wall seconds that a term about a date names.

    Raises:
        Refusal: The vendor refuses it with 409.
    """
    path = f"/query/{name}/{operator}"
    if not isinstance(value, dict):
        raise _refused(path, "must be an object")
    if operator in {"in_the_last", "not_in_the_last"}:
        unit, quantity = value.get("unit"), value.get("quantity")
        if unit not in _UNITS or not isinstance(quantity, int) or quantity < 1:
            raise _refused(path, "needs a unit and a quantity")
        wall = call.world.wall(call.now)
        return wall - _UNITS[unit] * quantity, math.inf
    if operator not in {"range", "not_in_range"}:
        raise _refused(path, "is not known for dates")
    if set(value) == {"start_datetime", "end_datetime"}:
        return _instant(path, value["start_datetime"]), _instant(path, value["end_datetime"])
    if set(value) == {"start_date", "end_date"}:
        offset = call.world.utc_offset
        return _day(path, value["start_date"], offset), _day(path, value["end_date"], offset) + 86_400 - 1e-6
    raise _refused(path, "needs start_date and end_date, or start_datetime and end_datetime")


def _instant(path: str, text: object) -> float:
    try:
        instant = datetime.fromisoformat(str(text))
    except ValueError:
        raise _refused(path, f"Can't parse value {text} as DATE-TIME") from None
    if instant.tzinfo is None:
        raise _refused(path, f"Can't parse value {text} as DATE-TIME")
    return instant.timestamp()


def _day(path: str, text: object, utc_offset: int) -> float:
    try:
        day = datetime.strptime(str(text), "%Y-%m-%d")  # noqa: DTZ007 (the zone follows)
    except ValueError:
        raise _refused(path, f"Can't parse value {text} as DATE") from None
    return day.replace(tzinfo=timezone(timedelta(hours=utc_offset)) if utc_offset else UTC).timestamp()


def _bounds(name: str, operator: str, value: object) -> tuple[float, float]:
    if operator in {"range", "not_in_range"} and isinstance(value, dict) and set(value) == {"start", "end"}:
        return float(value["start"]), float(value["end"])
    if operator in {"gt", "gte", "lt", "lte"} and isinstance(value, int | float):
        # The values are whole numbers, so "above 3" is "from 3 and a bit".
        small = 0.5 if operator in {"gt", "lt"} else 0.0
        return (value + small, math.inf) if operator.startswith("g") else (-math.inf, value - small)
    raise _refused(f"/query/{name}", f"does not know {operator}")


def _texts(name: str, operator: str, value: object) -> list[str]:
    texts: Any = value if operator in {"in", "not_in"} else [value]
    if not isinstance(texts, list) or not texts:
        raise _refused(f"/query/{name}/{operator}", "needs a list of texts")
    for text in texts:
        if not isinstance(text, str) or not text.strip():
            # The other documented shape of a 409: complaints under the field's name.
            raise Refusal(invalid({name: "Value can't be empty"}, field_ids={name: field_id(name) or ""}))
    return texts


def _refused(path: str, message: str) -> Refusal:
    return Refusal(invalid({path: message}))


def _folded(text: str) -> str:
    return "".join(
        letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter)
    ).lower()


def _starts(text: str, prefix: str) -> bool:
    folded = _folded(text)
    return folded.startswith(prefix) or any(word.startswith(prefix) for word in _WORD.findall(folded))


def _address_parts(addresses: list[str], part: str) -> list[str]:
    """Return one part of each address, from JSON or from a Python dictionary's text."""
    found = [re.search(rf"""["']{part}["']: ?["']([^"']*)["']""", address) for address in addresses]
    return [match[1] for match in found if match]


def _at_least(value: float, bound: float) -> bool:
    return value >= bound


def _above(value: float, bound: float) -> bool:
    return value > bound


def _at_most(value: float, bound: float) -> bool:
    return value <= bound


def _below(value: float, bound: float) -> bool:
    return value < bound
