"""`call OPERATION --help`: what one operation does, where it goes and what it takes.

Rule: all of it stands in the operation's facts, in its method's signature and docstring, and in the
drafts it takes; nothing is written down again here. Nothing is sent, and no HTTP client imported.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from nimble_async._sansio.operation import Operation
from nimble_async.cli.arguments import (
    Argument,
    arguments_of,
    choices_of,
    kind_of,
    of_each,
    parts_of,
    records_of,
)
from nimble_async.cli.exits import Exit
from nimble_async.cli.render import data
from nimble_async.cli.vendors import find, method_of

__all__ = ["explain", "lines_of", "remarks_of"]

_WIDTH = 100
_WIDEST_NAME = 34
_REMARK = re.compile(r"    (\w+): (.*)")


def explain(crm: str, name: str) -> int:
    """Tell of one operation on stdout.

    Raises:
        UsageError: There is none of this name.
    """
    operation = find(name, crm)
    data(line.encode() for line in lines_of(operation, method_of(operation, crm)))
    return Exit.DONE


def lines_of(operation: Operation[Any], method: Callable[..., Any]) -> Iterator[str]:
    """Give the lines that tell of one operation: its summary, its facts, its arguments."""
    takes = arguments_of(method)
    free = [argument.name.upper() for argument in takes if argument.positional]
    named = ["[--name value ...]"] if len(free) < len(takes) else []
    yield " ".join(["Usage: nimble-async call", operation.name, *free, *named])
    yield ""
    yield operation.summary
    yield ""
    yield f"  {operation.method} {operation.path}"
    yield from (f"  {fact}" for fact in _facts(operation))
    if takes:
        yield from ("", "Arguments (* is needed; those of the line above may stand without their names):")
        remarks = remarks_of(inspect.getdoc(method) or "")
        for argument in takes:
            yield from _argument(argument, remarks)
        if operation.method in {"POST", "PUT", "PATCH"} and len(takes) > len(operation.slots):
            yield from _row(
                "  --body json", "All that is sent, as the vendor has it: JSON, @FILE, or - for stdin."
            )
    yield from ("", "Everywhere: --crm, --profile, --base-url, --output; see `nimble-async call --help`.")


def remarks_of(text: str) -> Mapping[str, str]:
    """Return what a docstring says of each argument or member, by its name."""
    found: dict[str, str] = {}
    name = ""
    inside = False
    for line in text.splitlines():
        if not line.startswith(" "):
            inside = line in {"Args:", "Attributes:"} or (inside and not line)
            continue
        if not inside:
            continue
        if begun := _REMARK.fullmatch(line):
            name = begun[1]
            found[name] = begun[2]
        elif name:
            found[name] += " " + line.strip()
    return found


def _facts(operation: Operation[Any]) -> Iterator[str]:
    if operation.paging is not None:
        yield f"Pages ({operation.paging}): the first one, or every record with --all."
    if operation.destructive:
        yield "Deletes or overwrites: asks before, and wants --yes where there is no terminal."
    if operation.destructive_if:
        yield f"Overwrites with --{operation.destructive_if}: then it asks first, as what deletes does."
    if not operation.repeatable:
        yield "Never sent twice where it may have been executed."
    if not operation.verified:
        yield "Not documented whole: a part of it is a guess."


def _argument(argument: Argument, remarks: Mapping[str, str]) -> Iterator[str]:
    flag = "--" + argument.name.rstrip("_").replace("_", "-")
    mark = "*" if argument.required else " "
    yield from _row(
        f"{mark} {flag} {argument.kind}", _said(remarks.get(argument.name, ""), argument.annotation)
    )
    many = next((one for part in parts_of(argument.annotation) if (one := of_each(part)) is not None), None)
    for kind in records_of(argument.annotation if many is None else many):
        yield from _members(kind)


def _said(remark: str, annotation: Any) -> str:
    """Return a remark with what there is to choose from; of pairs, names first."""
    choices = [", ".join(map(str, words)) for words in choices_of(annotation)]
    told = f"One of {'; each of them '.join(choices)}." if choices else ""
    return " ".join(text for text in (remark, told) if text)


def _members(kind: type[msgspec.Struct]) -> Iterator[str]:
    """Give a line for each member of a record that an argument or a body may be."""
    told = kind.__struct_config__
    tag = "" if told.tag is None else f', with "{told.tag_field}": "{told.tag}"'
    yield f"      {kind.__name__}{tag}"
    remarks = remarks_of(inspect.getdoc(kind) or "")
    for member in msgspec.structs.fields(kind):
        mark = "*" if member.required else " "
        yield from _row(
            f"      {mark} {member.encode_name} {kind_of(member.type)}",
            _said(remarks.get(member.name, ""), member.type),
        )


def _row(name: str, remark: str) -> Iterator[str]:
    """Give a name and what is said of it, beside it or below."""
    indent = " " * _WIDEST_NAME
    said = textwrap.wrap(remark, _WIDTH - _WIDEST_NAME) or [""]
    if len(name) >= _WIDEST_NAME:
        yield name
    else:
        yield f"{name:<{_WIDEST_NAME}}{said.pop(0)}".rstrip()
    yield from (indent + line for line in said if line)
