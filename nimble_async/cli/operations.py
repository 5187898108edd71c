"""`operations`: the table of what can be called, with every operation's facts.

Rule: the facts stand in the table of operations and in the methods' signatures; nothing is
written down again here.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from inspect import getmembers, isfunction
from typing import Annotated, Any

from cyclopts import Parameter

from nimble_async._sansio.operation import Operation
from nimble_async.cli.arguments import Argument, arguments_of
from nimble_async.cli.exits import Exit, UsageError
from nimble_async.cli.render import rows
from nimble_async.cli.settings import Settings
from nimble_async.cli.vendors import operations_of, resources_of

__all__ = ["find", "method_of", "operations", "row"]


def find(name: str, crm: str = "nimble") -> Operation[Any]:
    """Return the operation of this name; dashes may stand for underscores.

    Raises:
        UsageError: There is none; the message names the nearest.
    """
    table = operations_of(crm)
    operation = table.get(name.replace("-", "_"))
    if operation is None:
        near = get_close_matches(name, table, n=3, cutoff=0.5)
        hint = f"Did you mean {' or '.join(near)}?" if near else "See `nimble-async operations`."
        raise UsageError(f"There is no operation {name!r}.", hint=hint)
    return operation


def method_of(operation: Operation[Any], crm: str = "nimble") -> Callable[..., Any]:
    """Return the typed method of an operation, unbound."""
    resource, _, verb = operation.name.partition(".")
    return dict(getmembers(resources_of(crm)[resource], isfunction))[verb]


def row(operation: Operation[Any], crm: str = "nimble") -> dict[str, Any]:
    """Return an operation's facts as one row."""
    return {
        "name": operation.name,
        "method": operation.method,
        "path": operation.path,
        "paging": None if operation.paging is None else str(operation.paging),
        "bucket": operation.bucket,
        "repeatable": operation.repeatable,
        "destructive": operation.destructive,
        "destructive_if": operation.destructive_if or None,
        "verified": operation.verified,
        "summary": operation.summary,
        "parameters": [_parameter(argument) for argument in arguments_of(method_of(operation, crm))],
    }


def _parameter(argument: Argument) -> dict[str, Any]:
    return {"name": argument.name, "kind": argument.kind, "required": argument.required}


def operations(*names: str, settings: Annotated[Settings, Parameter(parse=False)]) -> int:
    """List the operations that `call` knows, with their facts. Nothing is sent.

    Args:
        names: Only these, each told of in full unless another form is asked for by --output.
    """
    wanted = [find(name, settings.crm) for name in names] or [*operations_of(settings.crm).values()]
    if names and settings.output is None:
        from nimble_async.cli.explain import explain

        return max(explain(settings.crm, operation.name) for operation in wanted)
    found = [row(operation, settings.crm) for operation in wanted]
    rows(found, output=settings.output or "table", columns=("name", "method", "path", "paging", "summary"))
    return Exit.DONE
