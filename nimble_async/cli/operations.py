"""`operations`: the table of what can be called, with every operation's facts.

Rule: the facts stand in the table of operations and in the methods' signatures; nothing is
written down again here.
"""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from nimble_async._sansio.operation import Operation
from nimble_async.cli.arguments import Argument, arguments_of
from nimble_async.cli.exits import Exit
from nimble_async.cli.explain import explain
from nimble_async.cli.render import rows
from nimble_async.cli.settings import Settings
from nimble_async.cli.vendors import find, method_of, operations_of

__all__ = ["operations", "row"]


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
        return max(explain(settings.crm, operation.name) for operation in wanted)
    found = [row(operation, settings.crm) for operation in wanted]
    rows(found, output=settings.output or "table", columns=("name", "method", "path", "paging", "summary"))
    return Exit.DONE
