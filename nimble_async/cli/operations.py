"""`operations`: the table of what can be called, with every operation's facts.

Rule: the facts stand in the table of operations and in the methods' signatures; nothing is
written down again here.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from functools import cached_property
from inspect import getattr_static, getmembers, isfunction
from typing import Annotated, Any, get_type_hints

from cyclopts import Parameter

from nimble_async._sansio.operation import Operation
from nimble_async.cli.arguments import Argument, arguments_of
from nimble_async.cli.exits import Exit, UsageError
from nimble_async.cli.render import rows
from nimble_async.cli.settings import Settings
from nimble_async.nimble.catalog import OPERATIONS
from nimble_async.nimble.client import NimbleClient

__all__ = ["find", "method_of", "operations", "row"]


def find(name: str) -> Operation[Any]:
    """Return the operation of this name; dashes may stand for underscores.

    Raises:
        UsageError: There is none; the message names the nearest.
    """
    operation = OPERATIONS.get(name.replace("-", "_"))
    if operation is None:
        near = get_close_matches(name, OPERATIONS, n=3, cutoff=0.5)
        hint = f"Did you mean {' or '.join(near)}?" if near else "See `nimble-async operations`."
        raise UsageError(f"There is no operation {name!r}.", hint=hint)
    return operation


def method_of(operation: Operation[Any]) -> Callable[..., Any]:
    """Return the typed method of an operation, unbound."""
    resource, _, verb = operation.name.partition(".")
    # What the client's attribute of that name is declared to return.
    part = getattr_static(NimbleClient, resource)
    assert isinstance(part, cached_property), resource  # noqa: S101 (a test walks the whole table)
    return dict(getmembers(get_type_hints(part.func)["return"], isfunction))[verb]


def row(operation: Operation[Any]) -> dict[str, Any]:
    """Return an operation's facts as one row."""
    return {
        "name": operation.name,
        "method": operation.method,
        "path": operation.path,
        "paging": None if operation.paging is None else str(operation.paging),
        "bucket": operation.bucket,
        "repeatable": operation.repeatable,
        "destructive": operation.destructive,
        "verified": operation.verified,
        "summary": operation.summary,
        "parameters": [_parameter(argument) for argument in arguments_of(method_of(operation))],
    }


def _parameter(argument: Argument) -> dict[str, Any]:
    return {"name": argument.name, "kind": argument.kind, "required": argument.required}


def operations(*, settings: Annotated[Settings, Parameter(parse=False)]) -> int:
    """List the operations that `call` knows, with their facts. Nothing is sent."""
    found = [row(operation) for operation in OPERATIONS.values()]
    rows(found, output=settings.output or "table", columns=("name", "method", "path", "paging", "summary"))
    return Exit.DONE
