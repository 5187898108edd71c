"""The vendor's search language: joins, terms and operators, whatever is searched.

Rule: `Compiler` turns a query into a test of serial numbers, or raises a `Refusal` with the
vendor's 409; what a field's name means is a `Field` of the searched kind's own module. Nothing
here reads a clock: relative dates count from the `now` of the call.
"""

from __future__ import annotations

import math
import operator as compare
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec import Struct

from nimble_async.testing.call import Call, Refusal
from nimble_async.testing.nimble.refusals import invalid

__all__ = [
    "OPERATORS",
    "Compiler",
    "Field",
    "Span",
    "Test",
    "created_span",
    "folded",
    "read_query",
    "span_of",
    "words_of",
]

Test = Callable[[int], bool]

_LARGEST_DEPTH = 20
_MOST_TERMS = 11
_UNITS = {"second": 1, "day": 86_400, "week": 604_800, "month": 2_592_000, "year": 31_536_000}
_WORD = re.compile(r"\w+")
_KIN = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h"}
)
"""Letters that ASCII folding replaces and no decomposition takes apart."""
_TEXT = frozenset({"is", "is_not", "contain", "not_contain", "starts_with", "is_empty", "in"})
_ORDER = frozenset({"gt", "gte", "lt", "lte"})
_SPANS = frozenset({"range", "not_in_range", "in_the_last", "not_in_the_last"})
_COMPARE: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {"gt": compare.gt, "gte": compare.ge, "lt": compare.lt, "lte": compare.le}
)

OPERATORS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "text": _TEXT,
        "any": frozenset({"contain", "not_contain", "starts_with"}),
        # Older clients still ask whether a whole name is this or that.
        "names": _TEXT - {"in"},
        "employment": _TEXT | {"not_in"},
        "address": frozenset({"contain", "not_contain", "starts_with", "is_empty"}),
        "part": _TEXT - {"in"},
        "choice": frozenset({"is", "is_not", "in", "is_empty"}),
        "boolean": frozenset({"is", "is_not", "is_empty"}),
        "number": frozenset({"is", "is_not", "in", "is_empty", "range", "not_in_range"}) | _ORDER,
        "stamp": _SPANS,
        "date": _SPANS | {"day_month_range", "is_empty"},
        "contacted": _SPANS | _ORDER | {"is_empty"},
        "tag": frozenset({"is", "is_not", "is_empty", "in"}),
        "id": frozenset({"is", "in", "not_in"}),
        "kind": frozenset({"is"}),
        "saved": frozenset({"is"}),
        "presence": frozenset({"is_empty"}),
    }
)
"""What can be asked of each kind of field."""


class Field(Struct, frozen=True, kw_only=True):
    """What a search looks at under one name.

    `read` gives a record's texts, or for kinds of time its instants (wall seconds) or days.
    """

    kind: str
    read: Callable[[int], Iterable[Any]]
    choices: tuple[str, ...] = ()
    """For `kind`: the values that exist."""


class Span(Struct, frozen=True):
    """A stretch of wall seconds, and whether its ends belong to it."""

    start: float = -math.inf
    end: float = math.inf
    inclusive: tuple[bool, bool] = (True, True)

    def __contains__(self, instant: float) -> bool:
        """Return whether an instant lies in it."""
        after = instant >= self.start if self.inclusive[0] else instant > self.start
        return after and (instant <= self.end if self.inclusive[1] else instant < self.end)


class Compiler:
    """Turns one query into a test."""

    def __init__(
        self,
        call: Call,
        find: Callable[[str, bool], Field | None],
        *,
        saved: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
        field_id: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        """Take what a name means: `find(name, custom)`, and the searches that were saved."""
        self.call = call
        self.terms: int = 0
        self.relative: bool = False
        """Whether the answer depends on the time it is asked at."""
        self._find = find
        self._saved = saved
        self._field_id = field_id

    def compile(self, node: object, depth: int = 1) -> Test:
        """Return the test of a query.

        Raises:
            Refusal: The vendor refuses it: a 409.
        """
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
        if name == "saved_search":
            return self._saved_search(rest, depth)
        return self._term(name, rest, custom=False)

    def _join(self, name: str, rest: object, depth: int) -> Test:
        least = 2 if self.call.behaviour.strict and name != "not" else 1
        if not isinstance(rest, list) or len(rest) < least or (name == "not" and len(rest) > 1):
            raise _refused(
                f"/query/{name}",
                f"needs a list of {'one member' if name == 'not' else f'{least} members or more'}",
            )
        tests = [self.compile(member, depth + 1) for member in rest]
        if name == "and":
            return lambda serial: all(test(serial) for test in tests)
        if name == "or":
            return lambda serial: any(test(serial) for test in tests)
        return lambda serial: not tests[0](serial)

    def _saved_search(self, rest: object, depth: int) -> Test:
        name = rest.get("is") if isinstance(rest, dict) and len(rest) == 1 else None
        if not isinstance(name, str) or name not in self._saved:
            raise _refused("/query/saved_search", "must be the id of a saved search")
        # However long the saved one is, it counts as one term.
        terms, self.terms = self.terms, 0
        test = self.compile(self._saved[name], depth + 1)
        self.terms = terms
        return test

    def _term(self, name: str, rest: object, *, custom: bool) -> Test:
        if not isinstance(rest, dict) or len(rest) != 1:
            raise _refused(f"/query/{name}", "must be an object with one operator")
        ((operator, value),) = rest.items()
        if name == "custom_fields" and not custom:
            return self._term(operator, value, custom=True)
        field = self._find(name, custom)
        if field is None:
            raise _refused(f"/query/{name}", "is no searchable field")
        if operator not in OPERATORS[field.kind]:
            path = f"/query/{name}/{operator}" if field.kind == "stamp" else f"/query/{name}"
            raise _refused(path, f"does not know {operator}")
        if operator == "is_empty":
            if not isinstance(value, bool):
                raise _refused(f"/query/{name}/is_empty", "must be true or false")
            return lambda serial: (not any(_there(item) for item in field.read(serial))) is value
        return self._compare(name, field, operator, value)

    def _compare(self, name: str, field: Field, operator: str, value: object) -> Test:
        if field.kind in {"stamp", "date", "contacted"}:
            return self._time(name, field, operator, value)
        if field.kind == "number":
            return _number(name, field, operator, value)
        if field.kind == "boolean":
            return _boolean(name, field, operator, value)
        if field.kind == "kind" and value not in field.choices:
            raise _refused(f"/query/{name}", f"must be one of {', '.join(field.choices)}")
        return self._text(name, field, operator, value)

    def _text(self, name: str, field: Field, operator: str, value: object) -> Test:
        texts = self._texts(name, operator, value)
        form = (lambda text: text) if field.kind == "id" else folded
        wanted = frozenset(form(text) for text in texts)
        read = field.read
        if operator in {"is", "in"}:
            return lambda serial: any(form(text) in wanted for text in read(serial))
        if operator in {"is_not", "not_in"}:
            return lambda serial: all(form(text) not in wanted for text in read(serial))
        if operator == "starts_with":
            prefix = folded(texts[0])
            return lambda serial: any(_starts(text, prefix) for text in read(serial))
        words = frozenset(words_of(texts[0]))
        negative = operator == "not_contain"
        return lambda serial: (
            any(not words.isdisjoint(words_of(text)) for text in read(serial)) is not negative
        )

    def _texts(self, name: str, operator: str, value: object) -> list[str]:
        values = value if operator in {"in", "not_in"} else [value]
        if not isinstance(values, list) or not values:
            raise _refused(f"/query/{name}/{operator}", "needs a list of texts")
        least = 2 if self.call.behaviour.strict and operator in {"contain", "starts_with"} else 1
        texts: list[str] = []
        for text in values:
            if not isinstance(text, str) or not text.strip():
                # The other documented shape of a 409: complaints under the field's name.
                ids = {name: self._field_id(name) or ""}
                raise Refusal(invalid({name: "Value can't be empty"}, field_ids=ids))
            if len(text.strip()) < least:
                raise _refused(f"/query/{name}/{operator}", f"needs {least} letters or more")
            texts.append(text)
        return texts

    def _time(self, name: str, field: Field, operator: str, value: object) -> Test:
        path = f"/query/{name}/{operator}"
        if operator == "day_month_range":
            return _day_month(path, field, value)
        if operator in _ORDER:
            bound = self._moment(path, value)
            holds = _COMPARE[operator]
            return lambda serial: any(holds(instant, bound) for instant in _instants(field.read(serial)))
        span = self.span(path, operator, value)
        negative = operator.startswith("not_")
        if operator in {"in_the_last", "not_in_the_last"}:
            self.relative = True
        return lambda serial: (
            any(instant in span for instant in _instants(field.read(serial))) is not negative
        )

    def span(self, path: str, operator: str, value: object) -> Span:
        """Return the wall seconds that a term about a time names.

        Raises:
            Refusal: The vendor refuses it: a 409.
        """
        return span_of(self.call, path, operator, value)

    def _moment(self, path: str, value: object) -> float:
        if isinstance(value, str) and len(value) == 10:
            return _day(path, value, self.call.world.utc_offset)
        return _instant(path, value)


def read_query(text: str) -> Any:
    """Read the JSON text of a query.

    Raises:
        Refusal: It is no JSON: a 409.
    """
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise _refused("/query", "is no JSON") from None


def created_span(call: Call, node: Any) -> tuple[Span | None, bool]:
    """Return the span of `created` that a query is sure to keep to, and whether that is all it says."""
    ((name, rest),) = node.items()
    if name == "created":
        ((operator, value),) = rest.items()
        if operator in {"range", "in_the_last"}:
            return span_of(call, "/query/created", operator, value), True
    if name == "and":
        found = [created_span(call, member) for member in rest]
        spans = [span for span, _ in found if span is not None]
        if spans:
            start, end = max(span.start for span in spans), min(span.end for span in spans)
            return Span(start, end, spans[0].inclusive), all(whole for _, whole in found)
    return None, False


def span_of(call: Call, path: str, operator: str, value: object) -> Span:
    """Return the wall seconds between two days or instants, or since so long ago.

    Raises:
        Refusal: The vendor refuses it: a 409.
    """
    inclusive = (call.behaviour.inclusive_start, call.behaviour.inclusive_end)
    if not isinstance(value, dict):
        raise _refused(path, "must be an object")
    if operator in {"in_the_last", "not_in_the_last"}:
        unit, quantity = value.get("unit"), value.get("quantity")
        if unit not in _UNITS or not isinstance(quantity, int) or quantity < 1:
            raise _refused(path, "needs a unit and a quantity")
        return Span(call.wall - _UNITS[unit] * quantity, math.inf, inclusive)
    if set(value) == {"start_datetime", "end_datetime"}:
        start, end = (
            _instant(path, value[name], naive=not call.behaviour.strict)
            for name in ("start_datetime", "end_datetime")
        )
        return Span(start, end, inclusive)
    if set(value) == {"start_date", "end_date"}:
        offset = call.world.utc_offset
        end = _day(path, value["end_date"], offset) + 86_400 - 1e-6
        return Span(_day(path, value["start_date"], offset), end, inclusive)
    raise _refused(path, "needs start_date and end_date, or start_datetime and end_datetime")


def folded(text: str) -> str:
    """Return a text without case and accents, and its letters of Latin kin in ASCII."""
    if text.isascii():
        return text.lower()
    letters = unicodedata.normalize("NFKD", text.lower().translate(_KIN))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def words_of(text: str) -> list[str]:
    """Return the words of a text, without case and accents."""
    return _WORD.findall(folded(text))


def _refused(path: str, message: str) -> Refusal:
    return Refusal(invalid({path: message}))


def _there(item: object) -> bool:
    return item is not None and item != ""


def _starts(text: str, prefix: str) -> bool:
    whole = folded(text)
    return whole.startswith(prefix) or any(word.startswith(prefix) for word in _WORD.findall(whole))


def _instants(items: Iterable[Any]) -> Iterable[float]:
    """Return instants as they are, and days as their beginnings; what has no year is left out."""
    for item in items:
        if isinstance(item, float | int):
            yield item
        elif isinstance(item, date):
            yield datetime(item.year, item.month, item.day, tzinfo=UTC).timestamp()


def _day_month(path: str, field: Field, value: object) -> Test:
    if not isinstance(value, dict) or set(value) != {"start_date", "end_date"}:
        raise _refused(path, "needs start_date and end_date")
    first, last = _month_and_day(path, value["start_date"]), _month_and_day(path, value["end_date"])

    def within(item: Any) -> bool:
        if isinstance(item, float | int):
            item = datetime.fromtimestamp(item, UTC)
        month, day = item if isinstance(item, tuple) else (item.month, item.day)
        # From December to January goes over the turn of the year.
        if first <= last:
            return first <= (month, day) <= last
        return (month, day) >= first or (month, day) <= last

    return lambda serial: any(within(item) for item in field.read(serial))


def _month_and_day(path: str, text: object) -> tuple[int, int]:
    match = re.fullmatch(r"(\d\d)/(\d\d)", str(text))
    if match is None or not (1 <= int(match[1]) <= 31 and 1 <= int(match[2]) <= 12):
        raise _refused(path, f"Can't parse value {text} as DD/MM")
    return int(match[2]), int(match[1])


def _instant(path: str, text: object, *, naive: bool = False) -> float:
    """Read a moment; `naive` ones, as in the examples of older documents, are UTC."""
    try:
        instant = datetime.fromisoformat(str(text))
    except ValueError:
        raise _refused(path, f"Can't parse value {text} as DATE-TIME") from None
    if instant.tzinfo is None:
        if not naive or ":" not in str(text):
            raise _refused(path, f"Can't parse value {text} as DATE-TIME")
        instant = instant.replace(tzinfo=UTC)
    return instant.timestamp()


def _day(path: str, text: object, utc_offset: int) -> float:
    try:
        day = datetime.strptime(str(text), "%Y-%m-%d")  # noqa: DTZ007 (the zone follows)
    except ValueError:
        raise _refused(path, f"Can't parse value {text} as DATE") from None
    return day.replace(tzinfo=timezone(timedelta(hours=utc_offset)) if utc_offset else UTC).timestamp()


def _number(name: str, field: Field, operator: str, value: object) -> Test:
    def numbers(serial: int) -> list[float]:
        return [float(text) for text in field.read(serial) if _there(text)]

    path = f"/query/{name}"
    if operator in _ORDER:
        bound, holds = _float(path, value), _COMPARE[operator]
        return lambda serial: any(holds(number, bound) for number in numbers(serial))
    if operator in {"range", "not_in_range"}:
        if not isinstance(value, dict) or set(value) != {"start", "end"}:
            raise _refused(path, "needs start and end")
        low, high = _float(path, value["start"]), _float(path, value["end"])
        negative = operator == "not_in_range"
        return lambda serial: any(low <= number <= high for number in numbers(serial)) is not negative
    if operator == "in" and (not isinstance(value, list) or not value):
        raise _refused(f"{path}/in", "needs a list of numbers")
    wanted = frozenset(_float(path, one) for one in (value if isinstance(value, list) else [value]))
    if operator == "is_not":
        return lambda serial: wanted.isdisjoint(numbers(serial))
    return lambda serial: not wanted.isdisjoint(numbers(serial))


def _float(path: str, value: object) -> float:
    # Values of fields are texts, and clients send them back as such.
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _refused(path, f"Can't parse value {value} as NUMBER")
    try:
        number = float(value)
    except ValueError:
        raise _refused(path, f"Can't parse value {value} as NUMBER") from None
    if not math.isfinite(number):
        raise _refused(path, f"Can't parse value {value} as NUMBER")
    return number


def _boolean(name: str, field: Field, operator: str, value: object) -> Test:
    if not isinstance(value, bool) and value not in {"true", "false"}:
        raise _refused(f"/query/{name}", "must be true or false")
    wanted = "true" if value in {True, "true"} else "false"
    negative = operator == "is_not"
    return lambda serial: any(str(text).lower() == wanted for text in field.read(serial)) is not negative
