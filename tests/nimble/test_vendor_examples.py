"""Answers built from the vendor's own description, where it lies beside the project."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nimble_async._sansio.codec import read_page, read_rows
from nimble_async._sansio.message import Response
from nimble_async._sansio.operation import Operation, Shape
from nimble_async._sansio.record import Record, read_record
from nimble_async.nimble.catalog import OPERATIONS

DESCRIPTION = Path(__file__).parents[2].parent / "shared" / "api" / "nimble" / "openapi.yml"

# What stands where the vendor gives a type and no example. Identifiers and moments are told by name.
_MOMENTS = {
    "created", "updated", "archived_at", "when", "tstamp", "uploaded_at", "feed_tstamp", "due_date",
    "completed_time",
}  # fmt: skip


@cache
def _schemas() -> dict[str, Any]:
    yaml = pytest.importorskip("yaml", reason="no reader of the vendor's description is installed")
    if not DESCRIPTION.exists():
        pytest.skip("the vendor's description is not beside the project")
    found: dict[str, Any] = yaml.safe_load(DESCRIPTION.read_text())
    return found


def _example(schema: dict[str, Any], schemas: dict[str, Any], name: str = "", depth: int = 0) -> Any:
    """Build the fullest answer a schema describes, from its examples where it has any."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    for choice in ("oneOf", "anyOf", "allOf"):
        if choice in schema:
            return _example(schema[choice][0], schemas, name, depth)
    if "example" in schema or "enum" in schema or depth > 8:
        return schema.get("example", schema.get("enum", [None])[0])
    return _built(schema, schemas, name, depth)


def _built(schema: dict[str, Any], schemas: dict[str, Any], name: str, depth: int) -> Any:
    if "properties" in schema:
        return {key: _example(inner, schemas, key, depth + 1) for key, inner in schema["properties"].items()}
    if schema.get("type") == "array":
        return [_example(schema["items"], schemas, name, depth + 1)] if "items" in schema else []
    if isinstance(schema.get("additionalProperties"), dict):
        return {"name": _example(schema["additionalProperties"], schemas, name, depth + 1)}
    if name in _MOMENTS:
        return "2024-01-02T03:04:05+0000"
    return {"string": "text", "integer": 3, "number": 2.5, "boolean": True}.get(schema.get("type", ""))


def _answer(operation: Operation[Any]) -> bytes:
    found = _schemas()
    responses = found["paths"][operation.path][operation.method.lower()]["responses"]
    success = next(answer for status, answer in responses.items() if str(status).startswith("2"))
    schema = success["content"]["application/json"]["schema"]
    return msgspec.json.encode(_example(schema, found["components"]["schemas"]))


DESCRIBED = [
    name
    for name, operation in OPERATIONS.items()
    if operation.shape is not Shape.EMPTY and name not in {"company.users", "files.azure_upload"}
]


@pytest.mark.parametrize("name", DESCRIBED)
def test_vendors_example_decodes(name):
    """The fullest answer that the vendor describes is read, with nothing rejected and nothing unread."""
    operation = OPERATIONS[name]
    body = _answer(operation)
    if operation.shape in {Shape.PAGE, Shape.GROUPS}:
        rows = read_page(operation, Response(status=200, body=body)).rows
    elif operation.shape in {Shape.LIST, Shape.FIRST}:
        rows = read_rows(operation, body)
    else:
        rows = [msgspec.Raw(body)]
    records = [read_record(operation.returns, row) for row in rows]
    assert records
    for record in records:
        assert _troubles(record) == ({}, {})


def _troubles(record: Any) -> tuple[Any, Any]:
    return (dict(record.unread), record.unknown) if isinstance(record, Record) else ({}, {})
