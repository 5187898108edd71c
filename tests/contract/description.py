"""The vendor's own description, as a judge of requests and answers.

Rule: what the description refuses is a `Complaint` with a place that names no record; the places
where other documents and samples contradict it are listed in `deviations`, each with its reason.
"""

from __future__ import annotations

import gzip
import json
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from nimble_async._sansio.message import Request, Response
from nimble_async.nimble.catalog import OPERATIONS

FILE = Path(__file__).parents[3] / "shared" / "api" / "nimble" / "openapi.yml"

# Absent from the description: two of OAuth, one of older documents, one whose path alone is known.
OUTSIDE = {"oauth.authorize", "oauth.token", "company.users", "files.azure_upload"}

_MOST_ITEMS = 4
"""Members of a list that are looked at: pages of a hundred are alike."""
_TYPES = {"integer": int, "number": float}


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

    def complaints(self, operation: str, request: Request, response: Response) -> list[Complaint]:
        """Return what is wrong with one exchange; of a refused request only the answer is judged."""
        facts = OPERATIONS.get(operation)
        if (
            facts is None
            or operation in OUTSIDE
            or response.status in {401, 402, 429}
            or response.status >= 500
        ):
            return []
        described = self.operations[facts.method, facts.path]
        path = urlsplit(request.url).path
        # Paths of older documents, and several ids joined by commas, are none of this description's.
        if not re.fullmatch(re.sub(r"\{\w+\}", "[^/,]+", facts.path), path.replace("%2C", ",")):
            return []
        found = self._answer(operation, described, response)
        if response.status < 300:
            found += self._query(operation, described, request) + self._body(operation, described, request)
        return found

    def _answer(self, operation: str, described: dict[str, Any], response: Response) -> list[Complaint]:
        answers = described["responses"]
        if str(response.status) not in answers:
            return [Complaint(operation, "status", operation, str(response.status), "is not described")]
        content = answers[str(response.status)].get("content", {}).get("application/json")
        body = response.body
        if response.header("content-encoding") == "gzip":
            body = gzip.decompress(body)
        if content is None:
            return [Complaint(operation, "answer", operation, "body", "there should be none")] if body else []
        return self._judge(operation, "answer", content["schema"], json.loads(body) if body else None)

    def _body(self, operation: str, described: dict[str, Any], request: Request) -> list[Complaint]:
        wanted = described.get("requestBody")
        if wanted is None:
            return [Complaint(operation, "request", operation, "body", "none")] if request.body else []
        if not request.body:
            return (
                [Complaint(operation, "request", operation, "no body", "")] if wanted.get("required") else []
            )
        schema = wanted["content"]["application/json"]["schema"]
        return self._judge(operation, "request", schema, json.loads(request.body))

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
            for text in texts:
                found += self._judge(
                    operation,
                    "request",
                    _inner(schema),
                    _value(self._known(_inner(schema)), text),
                    f"?{name}",
                )
        return found

    def _known(self, schema: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in schema:
            return schema
        target: Any = {"components": self._components}
        for step in schema["$ref"].split("/")[1:]:
            target = target[step]
        return self._known(target)

    def _judge(self, operation: str, side: str, schema: Any, value: Any, at: str = "") -> list[Complaint]:
        from jsonschema import Draft202012Validator

        # References point into the components, so these stand beside the schema.
        whole = {"allOf": [_json_schema(schema)], "components": self._components}
        return [
            Complaint(operation, side, at or _place(error.absolute_path), error.validator, error.message)
            for outer in Draft202012Validator(whole).iter_errors(_shortened(value))
            for error in _inmost(outer)
        ]


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


def _is_null(errors: list[Any]) -> bool:
    return any(error.validator == "type" and error.validator_value == "null" for error in errors)


def _shortened(value: Any) -> Any:
    if isinstance(value, list):
        return [_shortened(member) for member in value[:_MOST_ITEMS]]
    if isinstance(value, dict):
        return {name: _shortened(member) for name, member in value.items()}
    return value


def _place(path: Any) -> str:
    """Name a place by the last members on the way to it, without numbers and names of fields."""
    steps = ["*" if isinstance(step, int) else str(step) for step in path]
    for above in ("fields", "fields_values", "fields_values_with_names", "groups"):
        if above in steps[:-1] and steps[steps.index(above) + 1] != "*":
            steps[steps.index(above) + 1] = "<name>"
    return "/".join(steps[-2:]).removeprefix("*/") or "(whole)"


def judge(operation: str, request: Request, response: Response) -> None:
    """Fail where an exchange differs from the description in a way that is not listed."""
    from tests.contract.deviations import ELSEWHERE, KNOWN

    found = description().complaints(operation, request, response)
    unknown = [one for one in found if one.key not in KNOWN and one.key not in ELSEWHERE]
    assert not unknown, unknown


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
