"""What a command shows: data on stdout, words for people on stderr. The one place that prints.

Rule: nothing here knows a command. Text of the vendor's is shown without control characters
wherever a person reads it; data goes out byte for byte.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from getpass import getpass
from typing import Any, BinaryIO

import msgspec

from nimble_async.cli.exits import UsageError, one_line
from nimble_async.errors import OutputFailed

__all__ = [
    "Row",
    "ask",
    "ask_line",
    "ask_secret",
    "data",
    "rows",
    "say",
    "standard_output",
    "table",
    "terminal",
]

Row = Mapping[str, Any]
_WIDEST = 60


def say(text: str = "", *, end: str = "\n") -> None:
    """Tell the person something, on stderr; where that is closed, nobody."""
    if sys.stderr is not None:  # else print would take stdout
        print(text, end=end, file=sys.stderr, flush=True)


def terminal(stream: str) -> bool:
    """Return whether `stdin`, `stdout` or `stderr` is a terminal."""
    handle = getattr(sys, stream)
    return handle is not None and not handle.closed and bool(handle.isatty())


def ask(question: str) -> bool:
    """Ask on stderr, and return whether the answer begins with y. Only where stdin is a terminal."""
    say(f"{question} [y/N] ", end="")
    return sys.stdin.readline().strip().lower().startswith("y")


def ask_secret(question: str) -> str:
    """Return what is typed without showing it; where stdin is no terminal, its first line.

    Raises:
        EOFError: There is nothing.
        UsageError: It is no text.
    """
    if terminal("stdin"):
        try:
            typed = getpass(f"{question}: ", stream=sys.stderr).strip()
        except EOFError:
            say()  # what follows begins a line
            raise
        if not typed:
            raise EOFError
        return typed
    return ask_line("")


def ask_line(question: str) -> str:
    """Return a line of stdin; the question is shown on stderr unless it is empty.

    Raises:
        EOFError: There is nothing.
        UsageError: It is no text.
    """
    if question:
        say(f"{question}: ", end="")
    line: str | None
    try:
        line = sys.stdin.readline() if sys.stdin is not None else ""
    except UnicodeDecodeError:
        line = None
    if line is None:
        # Raised out here it has no context: the decoder's error holds what was read.
        raise UsageError("What came from stdin is no text in UTF-8.", hint="Save it as plain text.")
    if question and not line.endswith("\n"):
        say()  # what follows begins a line
    if not line.strip():
        raise EOFError
    return line.strip()


def standard_output() -> BinaryIO:
    """Return stdout for bytes.

    Raises:
        OutputFailed: It is closed.
    """
    if sys.stdout is None:
        raise OutputFailed("stdout is closed.", hint="Send it somewhere, such as > FILE.")
    return sys.stdout.buffer


def data(lines: Iterable[bytes]) -> None:
    """Write bytes to stdout, each with a line's end, and flush them.

    Raises:
        OutputFailed: stdout is closed.
    """
    out = standard_output()
    for line in lines:
        out.write(line if line.endswith(b"\n") else line + b"\n")
    out.flush()


def rows(found: Sequence[Row], *, output: str, columns: Sequence[str] = ()) -> None:
    """Write rows as a JSON list, as JSON lines or as a table; `columns` choose and order the table's."""
    if output == "jsonl":
        data(msgspec.json.encode(row) for row in found)
    elif output == "json":
        data([msgspec.json.format(msgspec.json.encode(list(found)), indent=2)])
    else:
        data(line.encode() for line in table(found, columns=columns))


def table(found: Sequence[Row], *, columns: Sequence[str] = ()) -> list[str]:
    """Return rows as lines of aligned columns under their names; without `columns`, every scalar member."""
    names = list(columns) or list(
        dict.fromkeys(
            name for row in found for name, value in row.items() if not isinstance(value, dict | list)
        )
    )
    if not names:
        return []
    cells = [[name.replace("_", " ") for name in names]] + [
        [_cell(row.get(name)) for name in names] for row in found
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(len(names))]
    return [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int | float):
        text = str(value)
    elif isinstance(value, list | tuple) and all(isinstance(part, str) for part in value):
        text = ", ".join(value)
    else:
        text = msgspec.json.encode(value).decode()
    text = one_line(text)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
