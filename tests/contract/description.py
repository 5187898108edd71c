"""The vendor's own description, as a judge of requests and answers.

Rule: what the description refuses is a `Complaint` with a place that names no record; the places
where other documents and samples contradict it are listed in `deviations`, each with its reason.
"""

from __future__ import annotations

import gzip
import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import msgspec

from nimble_async._sansio.message import Request, Response
from nimble_async.nimble.catalog import OPERATIONS

FILE = Path(__file__).parents[3] / "shared" / "api" / "nimble" / "openapi.yml"

# Absent from the description: two of OAuth, one of older documents, one whose path alone is known.
OUTSIDE = {"oauth.authorize", "oauth.token", "company.users", "files.azure_upload"}

_OLDER_PATHS = [
    ("GET", r"/api/v1/contacts/list"),
    ("GET", r"/api/v1/contacts/(ids/)?"),
    ("DELETE", r"/api/v1/contacts/list"),
    ("POST", r"/api/v1/activities/task"),
    ("GET", r"/api/v1/contact/[^/]+/notes"),
    ("DELETE", r"/api/v1/contacts/tabs/[^/]+"),
    ("DELETE", r"/api/v1/contact/[^/]+(,|%2C)[^/]+"),
    ("PUT|DELETE", r"/api/v2/deals/tags/[^/]+"),
]
"""Answered for the sake of older clients: the description knows other paths for the same."""

_FIRST_ITEMS, _STEP = 4, 25
"""Of a list the first members are looked at, and every 25th: the rows of a page are much alike."""
_TYPES = {"integer": int, "number": float}
_BOUNDS = ("minimum", "maximum", "minLength", "maxLength")
_HEX = re.compile(r"[0-9a-f]{24}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_FORMATS = {
    "ObjectId": _HEX,
    "objectid": _HEX,
    "BSONObjectId": _HEX,
    "ISO-4217": _CURRENCY,
    "iso-4217": _CURRENCY,
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
}
"""Formats that are held against values. The others name what the samples write in several ways."""


class Complaint(NamedTuple):
    """What the description says against an exchange."""

    operation: str
    side: str
    """`request`, `answer` or `status`."""
    place: str
    rule: str
    text: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What a deviation is listed by."""
        return self.side, self.place, self.rule


class Description:
    """The description, read once."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.operations = {
            (method.upper(), path): facts | {"shared": methods.get("parameters", ())}
            for path, methods in document["paths"].items()
            for method, facts in methods.items()
            if method != "parameters"
        }
        self._components = _json_schema(document["components"])
        self._words = {word for words in _members(document, "enum") for word in words}
        self._bounds = sorted({bound for name in _BOUNDS for bound in _members(document, name)})
        self._validators: dict[tuple[str, str, str], Any] = {}
        self._verdicts: dict[Any, list[Complaint]] = {}

    def complaints(
        self, operation: str, request: Request, response: Response, *, body: bool = True
    ) -> list[Complaint]:
        """Return what is wrong with one exchange; of a refused request only the answer is judged.

        Without `body` the answer's body is not looked at, only its status.
        """
        method, path = request.method, urlsplit(request.url).path
        if operation == "unknown":
            return [Complaint(operation, "request", f"{method} {path}", "route", "nobody answers there")]
        facts = OPERATIONS.get(operation)
        if facts is None or operation in OUTSIDE or _is_unread(response.status) or _is_older(method, path):
            return []
        # Several ids may be joined by commas.
        if not re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", facts.path), path):
            return [Complaint(operation, "request", f"{method} {path}", "path", facts.path)]
        described = self.operations[facts.method, facts.path]
        found = self._status(operation, described, response)
        if body and not found:
            found = self._answer(operation, described, response)
        if response.status < 300:
            found += self._query(operation, described, request) + self._body(operation, described, request)
        return found

    def _status(self, operation: str, described: dict[str, Any], response: Response) -> list[Complaint]:
        status = str(response.status)
        if status in described["responses"]:
            return []
        return [Complaint(operation, "status", operation, status, "is not described")]

    def _answer(self, operation: str, described: dict[str, Any], response: Response) -> list[Complaint]:
        content = described["responses"][str(response.status)].get("content", {}).get("application/json")
        body = response.body
        if response.header("content-encoding") == "gzip":
            body = gzip.decompress(body)
        if content is None:
            return [Complaint(operation, "answer", operation, "body", "there should be none")] if body else []
        place = operation, "answer", str(response.status)
        return [
            complaint
            for piece in _pieces(_read(body))
            for complaint in self._judge(place, content["schema"], piece)
        ]

    def _body(self, operation: str, described: dict[str, Any], request: Request) -> list[Complaint]:
        wanted = described.get("requestBody")
        if wanted is None:
            return [Complaint(operation, "request", operation, "body", "none")] if request.body else []
        if not request.body:
            return (
                [Complaint(operation, "request", operation, "no body", "")] if wanted.get("required") else []
            )
        schema = wanted["content"]["application/json"]["schema"]
        return self._judge((operation, "request", "body"), schema, _shortened(json.loads(request.body)))

    def _query(self, operation: str, described: dict[str, Any], request: Request) -> list[Complaint]:
        sent = parse_qs(urlsplit(request.url).query, keep_blank_values=True)
        # Two names carry a remark that is no part of them.
        known = {
            one["name"].split(" ")[0]: one
            for one in [*described["shared"], *described.get("parameters", ())]
            if one["in"] == "query"
        }
        found = [
            Complaint(operation, "request", f"?{name}", "required", "is missing")
            for name, facts in known.items()
            if facts.get("required") and name not in sent
        ]
        for name, values in sent.items():
            if name not in known:
                found.append(Complaint(operation, "request", f"?{name}", "unknown", values[0]))
                continue
            schema = known[name]["schema"]
            texts = (
                [word for value in values for word in value.split(",")] if _is_list(schema) else values[-1:]
            )
            inner = _inner(schema)
            for text in texts:
                value = _value(self._known(inner), text)
                found += self._judge((operation, "request", f"?{name}"), inner, value, f"?{name}")
        return found

    def _known(self, schema: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in schema:
            return schema
        target: Any = {"components": self._components}
        for step in schema["$ref"].split("/")[1:]:
            target = target[step]
        return self._known(target)

    def _judge(self, place: tuple[str, str, str], schema: Any, value: Any, at: str = "") -> list[Complaint]:
        """Return the verdict on a value; values of one shape have one verdict, which is found once."""
        key = place, self._shape(value)
        if key not in self._verdicts:
            if place not in self._validators:
                self._validators[place] = self._validator(schema)
            self._verdicts[key] = [
                Complaint(place[0], place[1], at or _place(error.absolute_path), _rule(error), error.message)
                for outer in self._validators[place].iter_errors(value)
                for error in _inmost(outer)
            ]
        return self._verdicts[key]

    def _validator(self, schema: Any) -> Any:
        from jsonschema import Draft202012Validator, FormatChecker

        formats = FormatChecker(formats=())
        for name, pattern in _FORMATS.items():
            formats.checks(name)(partial(_has_form, pattern))
        # References point into the components, so these stand beside the schema.
        whole = {"allOf": [_json_schema(schema)], "components": self._components}
        return Draft202012Validator(whole, format_checker=formats)

    def _shape(self, value: Any) -> Any:
        """Return all of a value that a verdict can depend on."""
        if isinstance(value, dict):
            return tuple(sorted((name, self._shape(member)) for name, member in value.items()))
        if isinstance(value, list):
            return frozenset(map(self._shape, value)), len(value) > 0
        if isinstance(value, str):
            if value in self._words:
                return value
            # Digits and letters are told apart as far as a format looks at them.
            form = next((name for name, pattern in _FORMATS.items() if pattern.fullmatch(value)), "")
            return form, bisect_right(self._bounds, len(value))
        if isinstance(value, int | float) and not isinstance(value, bool):
            return type(value).__name__, bisect_right(self._bounds, value)
        return value


@cache
def description() -> Description:
    """Read the description."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return Description(yaml.load(FILE.read_text(), Loader=loader))


def _json_schema(node: Any) -> Any:
    """Turn the description's dialect of 2017 into JSON Schema."""
    if isinstance(node, list):
        return [_json_schema(member) for member in node]
    if not isinstance(node, dict):
        return node
    found = {
        name: _json_schema(member)
        for name, member in node.items()
        if name not in {"example", "discriminator", "nullable"}
    }
    if "properties" in found:
        # A schema with properties means an object, whether it says so or not.
        found.setdefault("type", "object")
    return {"anyOf": [found, {"type": "null"}]} if node.get("nullable") is True else found


def _inmost(error: Any) -> list[Any]:
    """Return what keeps a value from the alternative that it is nearest to, or that it fits more than one."""
    branches: dict[Any, list[Any]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    if not branches:
        return [error]
    # Not null, where null is one of two, and not what says itself that it is something else.
    nearest = min(
        branches.values(),
        key=lambda errors: (_is_null(errors), any(one.validator == "enum" for one in errors), len(errors)),
    )
    return [found for inner in nearest for found in _inmost(inner)]


def _rule(error: Any) -> str:
    """Name what was broken; of what is required also what is missing."""
    if error.validator != "required":
        return str(error.validator)
    return "required " + next(
        name for name in error.validator_value if name not in error.instance and repr(name) in error.message
    )


def _is_null(errors: list[Any]) -> bool:
    return any(error.validator == "type" and error.validator_value == "null" for error in errors)


def _is_unread(status: int) -> bool:
    """Whether an answer says that nobody looked at the request: these are the same everywhere."""
    return status in {401, 402, 429} or status >= 500


def _is_older(method: str, path: str) -> bool:
    return any(re.fullmatch(verbs, method) and re.fullmatch(wanted, path) for verbs, wanted in _OLDER_PATHS)


def _has_form(pattern: re.Pattern[str], value: object) -> bool:
    return not isinstance(value, str) or pattern.fullmatch(value) is not None


def _members(node: Any, name: str) -> Iterator[Any]:
    """Yield each value that stands under a name anywhere below."""
    if isinstance(node, list):
        for member in node:
            yield from _members(member, name)
    elif isinstance(node, dict):
        for key, member in node.items():
            # A property may have the name, too.
            if key == name and not isinstance(member, dict):
                yield member
            else:
                yield from _members(member, name)


def _read(body: bytes) -> Any:
    """Return the JSON of a body, of lists directly inside only the members that are looked at."""
    if not body.startswith(b"{"):
        return _shortened(json.loads(body)) if body else None
    parts = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    return {name: _read_part(raw) for name, raw in parts.items()}


def _read_part(raw: msgspec.Raw) -> Any:
    if bytes(memoryview(raw)[:1]) != b"[":
        return _shortened(msgspec.json.decode(raw))
    rows = _looked_at(msgspec.json.decode(raw, type=list[msgspec.Raw]))
    return [_shortened(msgspec.json.decode(row)) for row in rows]


def _looked_at(rows: list[Any]) -> list[Any]:
    return rows[:_FIRST_ITEMS] + rows[_FIRST_ITEMS::_STEP]


def _shortened(value: Any) -> Any:
    if isinstance(value, list):
        return [_shortened(member) for member in _looked_at(value)]
    if isinstance(value, dict):
        return {name: _shortened(member) for name, member in value.items()}
    return value


def _pieces(value: Any) -> Iterator[Any]:
    """Yield an answer with its lists cut to one member, for each member: they are valid one by one."""
    lists = [name for name in value if isinstance(value[name], list)] if isinstance(value, dict) else []
    if not lists:
        yield value
        return
    bare = value | {name: [] for name in lists}
    yield bare
    for name in lists:
        for member in value[name]:
            yield bare | {name: [member]}


def _place(path: Any) -> str:
    """Name a place by the last members on the way to it, without numbers and names of fields."""
    steps = ["*" if isinstance(step, int) else str(step) for step in path]
    for above in ("fields", "fields_values", "fields_values_with_names", "groups"):
        if above in steps[:-1] and steps[steps.index(above) + 1] != "*":
            steps[steps.index(above) + 1] = "<name>"
    return "/".join(steps[-2:]).removeprefix("*/") or "(whole)"


def _is_list(schema: dict[str, Any]) -> bool:
    return schema.get("type") == "array"


def _inner(schema: dict[str, Any]) -> dict[str, Any]:
    return schema["items"] if _is_list(schema) else schema


def _value(schema: dict[str, Any], text: str) -> Any:
    """Read a query's text as its schema's type; what cannot be read stays text, and fails."""
    kind = schema.get("type")
    if kind == "boolean":
        return {"true": True, "false": False, "1": True, "0": False}.get(text.lower(), text)
    try:
        return _TYPES[kind](text) if kind in _TYPES else text
    except ValueError:
        return text
