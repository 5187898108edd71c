"""Words of a command line, made into the arguments of an operation's method.

Rule: the method's own signature decides what is taken and of which type; nothing is listed
twice. Pure: the signature and the words come in, the arguments go out.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import msgspec

from nimble_async.cli.exits import UsageError
from nimble_async.errors import QueryRefused

__all__ = [
    "Argument",
    "arguments_of",
    "bind",
    "choices_of",
    "describe",
    "is_record",
    "kind_of",
    "of_each",
    "parts_of",
    "read_as",
    "read_json",
    "records_of",
]

_YES = frozenset({"true", "yes", "1", "on"})
_NO = frozenset({"false", "no", "0", "off"})


class Argument(msgspec.Struct, frozen=True, kw_only=True):
    """One argument of an operation, as the command line takes it."""

    name: str
    kind: str
    """`text`, `number` (whole), `decimal`, `flag`, `list`, `pairs` (`name=value`) or `json`."""
    required: bool
    positional: bool
    annotation: Any = Any
    """What the method says it takes."""


def arguments_of(method: Callable[..., Any]) -> tuple[Argument, ...]:
    """Return the arguments of a method in their order, `self` left out."""
    signature = inspect.signature(method, eval_str=True)
    return tuple(
        Argument(
            name=parameter.name,
            kind=kind_of(parameter.annotation),
            required=parameter.default is parameter.empty,
            positional=parameter.kind is not parameter.KEYWORD_ONLY,
            annotation=parameter.annotation,
        )
        for parameter in signature.parameters.values()
        # A class is nothing that can be written on a command line.
        if parameter.name != "self" and typing.get_origin(parameter.annotation) is not type
    )


def describe(argument: Argument) -> str:
    """Return an argument as a usage line shows it, such as `--per-page number`; optional ones in brackets."""
    flag = "--" + argument.name.rstrip("_").replace("_", "-")
    shown = f"{flag} {argument.kind}"
    return shown if argument.required else f"[{shown}]"


def bind(
    words: Sequence[str], arguments: Sequence[Argument], *, operation: str, given: Iterable[str] = ()
) -> dict[str, Any]:
    """Return the arguments that the words name, converted to their types.

    Names take dashes or underscores, values follow after a space or `=`. Words without a name fill
    the positional arguments. A list is repeated, or one text with commas; a flag needs no value.
    `given` names arguments that come from elsewhere, such as a body.

    Raises:
        UsageError: An argument is unknown, doubled, missing or of the wrong type.
    """
    known = {argument.name.rstrip("_"): argument for argument in arguments}
    free = [argument for argument in arguments if argument.positional]
    found: dict[str, Any] = {}
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if word.startswith("--") and len(word) > 2:
            argument, value = _named(word, waiting, known, operation)
        else:
            left = [argument for argument in free if argument.kind == "list" or argument.name not in found]
            if not left:
                usage = _usage(operation, arguments)
                raise UsageError(f"{operation} takes no further value: {word!r}.", hint=usage)
            argument, value = left[0], word
        _put(found, argument, value, operation)
    missing = [
        argument.name for argument in arguments if argument.required and argument.name not in {*found, *given}
    ]
    if missing:
        raise UsageError(f"{operation} needs {' and '.join(missing)}.", hint=_usage(operation, arguments))
    return found


def _usage(operation: str, arguments: Sequence[Argument]) -> str:
    return f"Usage: nimble-async call {' '.join([operation, *map(describe, arguments)])}"


def _named(
    word: str, waiting: list[str], known: Mapping[str, Argument], operation: str
) -> tuple[Argument, str]:
    flag, has_value, value = word[2:].partition("=")
    name = flag.replace("-", "_")
    argument = known.get(name)
    if argument is None:
        near = get_close_matches(name, known, n=1)
        usage = _usage(operation, list(known.values()))
        hint = f"Did you mean --{near[0].replace('_', '-')}?" if near else usage
        raise UsageError(f"{operation} has no argument --{flag}.", hint=hint)
    if has_value:
        return argument, value
    if argument.kind == "flag":
        spoken = bool(waiting) and waiting[0].lower() in _YES | _NO
        return argument, waiting.pop(0) if spoken else "true"
    # A single dash and negative numbers are values; another name is not.
    if not waiting or (waiting[0].startswith("--") and len(waiting[0]) > 2):
        raise UsageError(f"{operation}: --{flag} needs a value.")
    return argument, waiting.pop(0)


def _put(found: dict[str, Any], argument: Argument, value: str, operation: str) -> None:
    if argument.kind == "list":
        found.setdefault(argument.name, []).extend(_split(value))
    elif argument.kind == "pairs":
        _put_pairs(found.setdefault(argument.name, {}), value, f"{operation}: {argument.name}")
    elif argument.name in found:
        raise UsageError(f"{operation}: {argument.name} is given twice.")
    else:
        found[argument.name] = _convert(argument, value, operation)


def _put_pairs(found: dict[str, Any], value: str, name: str) -> None:
    """Take `name=value`, several with commas, or all of them as JSON."""
    if value.lstrip().startswith("{"):
        found |= read_as(dict[str, Any], value, name)
        return
    for pair in _split(value):
        word, equals, rest = pair.partition("=")
        if not equals or not word.strip():
            raise UsageError(f"{name} is name=value, not {pair!r}.")
        found[word.strip()] = rest.strip()


def _split(value: str) -> list[str]:
    """Split at commas; a comma behind a backslash belongs to the name."""
    parts = value.replace("\\,", "\0").split(",")
    return [part.replace("\0", ",").strip() for part in parts]


def _convert(argument: Argument, value: str, operation: str) -> Any:
    if argument.kind == "number":
        try:
            return int(value)
        except ValueError:
            raise UsageError(f"{operation}: {argument.name} must be a whole number, not {value!r}.") from None
    if argument.kind == "decimal":
        return _decimal(value, f"{operation}: {argument.name}")
    if argument.kind == "flag":
        if value.lower() in _YES | _NO:
            return value.lower() in _YES
        raise UsageError(f"{operation}: {argument.name} must be true or false, not {value!r}.")
    if argument.kind == "json":
        return read_as(argument.annotation, value, f"{operation}: {argument.name}")
    return value


def _decimal(value: str, name: str) -> int | float:
    try:
        return int(value)
    except ValueError:
        pass
    try:
        return float(value)
    except ValueError:
        raise UsageError(f"{name} must be a number, not {value!r}.") from None


def is_record(annotation: Any) -> bool:
    """Return whether an argument is a draft, a patch or another record, or one of several kinds of these."""
    return any(isinstance(part, type) and issubclass(part, msgspec.Struct) for part in parts_of(annotation))


def records_of(annotation: Any) -> list[type[msgspec.Struct]]:
    """Return the kinds of records that an argument may be."""
    return [part for part in parts_of(annotation) if is_record(part)]


def read_as(annotation: Any, text: str | bytes, name: str) -> Any:
    """Read JSON that a user gave as what a method takes; amounts keep their digits.

    A record is read member by member, so that it is checked as one in Python is; of several kinds of records
    the one that the members tell of. What a method takes as any object is sent as it stands.

    Raises:
        UsageError: It is no JSON, of another type, of no kind, or a member is unknown or missing.
        DraftRefused: The vendor would refuse these values.
    """
    found = read_json(text, name)
    records = records_of(annotation)
    each = next((one for part in parts_of(annotation) if (one := of_each(part)) is not None), None)
    if isinstance(found, list) and each is not None:
        rows = msgspec.json.decode(text, type=list[msgspec.Raw])
        return [read_as(each, bytes(row), f"{name}/{place}") for place, row in enumerate(rows)]
    if len(records) == 1 and found is not None:
        return _in_own_words(records[0], found, name) or _read_record(records[0], text, name)
    if records and isinstance(found, dict):
        kind = _kind_of(records, found)
        if kind is not None:
            return _read_record(kind, text, name)
        if not any(_is_mapping(part) for part in parts_of(annotation)):
            raise UsageError(f"{name} is of no kind that is known.", hint=_kinds(records))
    try:
        return msgspec.json.decode(text, type=annotation)
    except msgspec.ValidationError as error:
        raise UsageError(f"{name}: {error}.") from error
    except TypeError:
        # Several kinds of records are no type to decode: here it is no object, or no list of these.
        if (records or each is not None) and found is not None and not isinstance(found, dict | list):
            raise UsageError(f"{name} is no {'list' if each is not None else 'object'}.") from None
        return found


def _in_own_words(kind: type[msgspec.Struct], found: Any, name: str) -> Any | None:
    """Return a body that its draft takes in the vendor's own words, its members checked; else None."""
    check = getattr(kind, "check_members", None)
    if check is None or not isinstance(found, dict):
        return None
    try:
        return check(found)
    except QueryRefused as error:
        raise UsageError(f"{name}: {error.message}", hint=error.hint) from error


def _read_record(kind: type[msgspec.Struct], text: str | bytes, name: str) -> Any:
    try:
        members = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError as error:
        raise UsageError(f"{name}: {error}.") from error
    known = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    # What tells kinds of records apart is no member of its own.
    tag = kind.__struct_config__.tag_field
    values = {}
    for member, data in members.items():
        if member == tag:
            continue
        if member not in known:
            near = get_close_matches(member, known, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"It has {', '.join(known)}."
            raise UsageError(f"{name} has no member {member!r}.", hint=hint)
        values[known[member].name] = read_as(known[member].type, bytes(data), f"{name}: {member}")
    missing = [field.encode_name for field in known.values() if field.required and field.name not in values]
    if missing:
        raise UsageError(f"{name} needs {' and '.join(missing)}.")
    return kind(**values)


def of_each(annotation: Any) -> Any | None:
    """Return what a list is a list of where these are records, None for anything else."""
    inside = typing.get_args(annotation)
    is_list = inside and not is_record(annotation) and not _is_mapping(annotation)
    return inside[0] if is_list and any(map(is_record, inside)) else None


def _kind_of(
    records: Sequence[type[msgspec.Struct]], found: Mapping[str, Any]
) -> type[msgspec.Struct] | None:
    """Return the kind of record that an object is: by its tag, else the only one that its members fit."""
    fits = []
    for kind in records:
        told = kind.__struct_config__
        if told.tag is not None:
            if found.get(told.tag_field or "") == told.tag:
                return kind
            continue
        fields = msgspec.structs.fields(kind)
        needed = {field.encode_name for field in fields if field.required}
        if needed <= found.keys() <= {field.encode_name for field in fields}:
            fits.append(kind)
    return fits[0] if len(fits) == 1 else None


def _kinds(records: Iterable[type[msgspec.Struct]]) -> str:
    """Say which kinds of records there are: by their tags, or by their members, those needed marked."""
    shown = []
    for kind in records:
        told = kind.__struct_config__
        fields = msgspec.structs.fields(kind)
        names = [field.encode_name if field.required else f"[{field.encode_name}]" for field in fields]
        tag = [] if told.tag is None else [f"{told.tag_field}={told.tag}"]
        shown.append(" ".join([*tag, *names]))
    return f"There are: {'; '.join(shown)}."


def _is_mapping(annotation: Any) -> bool:
    origin = typing.get_origin(annotation) or annotation
    return isinstance(origin, type) and issubclass(origin, Mapping)


def read_json(text: str | bytes, name: str) -> Any:
    """Read JSON that a user gave.

    Raises:
        UsageError: It is none; the message says where.
    """
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise UsageError(f"{name} is no JSON: {error}.") from error


def parts_of(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a union, or the annotation itself; what stands for absent or null is left out."""
    if typing.get_origin(annotation) not in {typing.Union, types.UnionType}:
        return (annotation,)
    nothing = (type(None), msgspec.UnsetType)
    return tuple(part for part in typing.get_args(annotation) if part not in nothing)


def choices_of(annotation: Any) -> list[tuple[Any, ...]]:
    """Return the choices that an argument leaves; of pairs, those of the names and of the values."""
    found = []
    for part in parts_of(annotation):
        inside = typing.get_args(part)
        if typing.get_origin(part) is typing.Literal:
            found.append(inside)
        elif _is_mapping(part):
            found += [one for word in inside for one in choices_of(word)]
    return found


def _is_word(annotation: Any) -> bool:
    """Return whether an annotation is text, or one of several words."""
    words = typing.get_args(annotation) if typing.get_origin(annotation) is typing.Literal else ()
    return annotation is str or (bool(words) and all(isinstance(word, str) for word in words))


def kind_of(annotation: Any) -> str:
    """Name what an annotation takes: `list[str] | None` is a list, `bool | None` a flag."""
    parts = parts_of(annotation)
    if parts != (annotation,):
        kinds = {kind_of(part) for part in parts}
        # What may be written as text is: an amount in dollars needs no JSON.
        if str in parts and is_record(annotation) and not any(map(_is_mapping, parts)):
            return "text"
        order = ("json", "pairs", "list", "decimal", "number", "flag", "text")
        return next(kind for kind in order if kind in kinds)
    origin = typing.get_origin(annotation) or annotation
    simple = {bool: "flag", int: "number", float: "decimal", str: "text", object: "json", Any: "json"}
    if origin in simple:
        return simple[origin]
    if not isinstance(origin, type):
        return "text"
    return _kind_of_many(origin, typing.get_args(annotation))


def _kind_of_many(origin: type, inside: Sequence[Any]) -> str:
    """Name what holds several values, or members."""
    if issubclass(origin, Mapping) and inside and all(map(_is_word, inside)):
        return "pairs"
    if issubclass(origin, Mapping | msgspec.Struct):
        return "json"
    if issubclass(origin, Iterable):
        return "json" if any(map(is_record, inside)) else "list"
    return "text"
