"""`call`: one operation by its name, through the same typed method that Python has.

Rule: what comes out is what the vendor sent, byte for byte where nothing was asked of it. What
destroys asks a person first, and wants `--yes` where there is none.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from cyclopts import Parameter

from nimble_async._sansio.operation import Operation, Shape
from nimble_async.cli.arguments import Argument, arguments_of, bind, is_record, of_each, read_as, read_json
from nimble_async.cli.exits import Exit, UsageError
from nimble_async.cli.render import ask, data, rows, terminal
from nimble_async.cli.settings import Settings, open_client
from nimble_async.cli.vendors import find, method_of, words_of
from nimble_async.errors import QueryRefused

if TYPE_CHECKING:
    from nimble_async.cli.vendors import Client

__all__ = ["body_of", "call", "consent"]


async def call(
    operation: str,
    /,
    *words: Annotated[str, Parameter(name="arguments", allow_leading_hyphen=True)],
    body: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    all: bool = False,  # noqa: A002 (the flag's name)
    yes: bool = False,
    settings: Annotated[Settings, Parameter(parse=False)],
) -> int:
    """Make one call by its name and show the vendor's answer.

    The arguments are those of the Python method, as `--name value` with dashes or underscores; ids
    may stand without their names. `nimble-async call OPERATION --help` tells of them.

    Args:
        operation: The operation's name, such as contacts.list.
        words: Its arguments: ids, and `--name value`.
        body: What to send, as the vendor describes it: JSON, @FILE, or - for stdin. Its members may
            stand as arguments instead, where no draft or patch is asked for.
        all: Every page of a list, one record a line.
        yes: Do not ask before something is deleted or overwritten.
    """
    chosen = find(operation, settings.crm)
    method = method_of(chosen, settings.crm)
    takes = arguments_of(method)
    given = body_of(body, takes, chosen, words=words_of(settings.crm))
    arguments = bind(words, takes, operation=chosen.name, given=given) | given
    if all and chosen.paging is None:
        raise UsageError(f"{chosen.name} has no pages, so --all does not apply.")
    consent(chosen, yes=yes, arguments=arguments)
    async with open_client(settings) as client:
        await _show(client, chosen, arguments, every=all, output=settings.output)
    return Exit.DONE


def body_of(
    text: str | None,
    takes: tuple[Argument, ...],
    operation: Operation[Any],
    *,
    words: Callable[[Operation[Any], Any], Any] | None = None,
) -> dict[str, Any]:
    """Return the arguments that the body is, read from where `text` says.

    A draft or patch is the whole body, and so is a list of them; where there is none, each member of the
    body is an argument. `words` makes a body in a vendor's own words into one of these.
    """
    if text is None:
        return {}
    data = _source(text)
    if words is not None:
        data = msgspec.json.encode(_without_envelope(words, operation, read_json(data, "--body")))
    whole = [one for one in takes if (one.positional and _is_body(one.annotation)) or _is_anything(one)]
    if whole:
        return {whole[0].name: read_as(whole[0].annotation, data, "--body")}
    slots = set(operation.slots)
    members = {one.name.rstrip("_"): one for one in takes if one.name not in slots}
    if operation.method == "GET" or not members:
        raise UsageError(f"{operation.name} sends no body, so --body does not apply.")
    found: dict[str, msgspec.Raw] = read_as(dict[str, msgspec.Raw], data, "--body")
    for name in found:
        if name not in members:
            raise UsageError(
                f"--body: {operation.name} has no {name!r}.", hint=f"It has {', '.join(members)}."
            )
    return {
        members[name].name: read_as(members[name].annotation, bytes(value), f"--body: {name}")
        for name, value in found.items()
    }


def _is_body(annotation: Any) -> bool:
    return is_record(annotation) or of_each(annotation) is not None


def _without_envelope(
    words: Callable[[Operation[Any], Any], Any], operation: Operation[Any], body: Any
) -> Any:
    try:
        return words(operation, body)
    except QueryRefused as error:
        raise UsageError(f"--body: {error.message}", hint=error.hint) from error


def _is_anything(argument: Argument) -> bool:
    return argument.name == "body" and argument.annotation in {object, Any}


def _source(text: str) -> str | bytes:
    if text == "-":
        return sys.stdin.buffer.read()
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_bytes()
    except OSError as error:
        raise UsageError(f"--body: {text[1:]} cannot be read: {error.strerror}.") from error


def consent(
    operation: Operation[Any], *, yes: bool, arguments: Mapping[str, Any] = MappingProxyType({})
) -> None:
    """Let nothing be destroyed that nobody agreed to: some operations do so with one argument only.

    Raises:
        UsageError: Nobody did.
    """
    told = bool(operation.destructive_if and arguments.get(operation.destructive_if))
    if yes or not (operation.destructive or told):
        return
    what = operation.name if operation.destructive else f"{operation.name} --{operation.destructive_if}"
    if not terminal("stdin"):
        raise UsageError(f"{what} deletes or overwrites.", hint="Say --yes if that is meant.")
    if not ask(f"{what} deletes or overwrites. Go on?"):
        raise UsageError("Nothing was sent.")


async def _show(
    client: Client,
    operation: Operation[Any],
    arguments: Mapping[str, Any],
    *,
    every: bool,
    output: str | None,
) -> None:
    resource, _, verb = operation.name.partition(".")
    result = getattr(getattr(client, resource), verb)(**arguments)
    if every:
        await _show_all(result, output=output or "jsonl")
        return
    value = await result
    if operation.shape in {Shape.PAGE, Shape.GROUPS}:
        whole, records = value.raw, value.items
    else:
        records = value if isinstance(value, list) else [] if value is None else [value]
        whole = msgspec.json.encode([msgspec.Raw(_raw(record)) for record in records])
        whole = whole if isinstance(value, list) else b"".join(map(_raw, records))
    if output in {None, "json"}:
        data([whole] if whole else [])
    else:
        _write(map(_raw, records), output)


async def _show_all(records: AsyncIterator[Any], *, output: str) -> None:
    """Write every record: lines as they come, a list or a table at the end."""
    if output == "jsonl":
        async for record in records:
            data([_line(_raw(record))])
        return
    found = [_raw(record) async for record in records]
    if output == "json":
        data([msgspec.json.encode([msgspec.Raw(row) for row in found])])
    else:
        _write(iter(found), output)


def _write(found: Iterator[bytes], output: str | None) -> None:
    if output == "jsonl":
        data(map(_line, found))
    else:
        values = map(msgspec.json.decode, found)
        rows([value if isinstance(value, dict) else {"id": value} for value in values], output="table")


def _raw(record: Any) -> bytes:
    """Return a record's bytes as the vendor sent them; an id is written again."""
    raw = getattr(record, "raw", None)
    return raw if isinstance(raw, bytes) else msgspec.json.encode(record)


def _line(row: bytes) -> bytes:
    """Return a row without line breaks: JSON has none that are not white space."""
    return msgspec.json.format(row, indent=-1) if b"\n" in row or b"\r" in row else row
