"""`fields types`: the account's own fields of contacts, written as a class that type checkers know.

Rule: the text is made by `fieldtypes`; here the fields are read and the file is put in its place.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

from cyclopts import Parameter

from nimble_async.cli.exits import Exit, UsageError
from nimble_async.cli.render import data, say
from nimble_async.cli.settings import Settings, open_client
from nimble_async.errors import OutputFailed

if TYPE_CHECKING:
    from nimble_async.nimble.client import NimbleClient

__all__ = ["fields"]


async def fields(
    what: Literal["types"],
    /,
    *,
    out: Annotated[str, Parameter(allow_leading_hyphen=True)] = "-",
    view: str = "MyContact",
    settings: Annotated[Settings, Parameter(parse=False)],
) -> int:
    """Write the fields of this account's contacts as a typed class, to import and check.

    The file is written anew each time; `contacts.list(view=...)` takes the class in it.

    Args:
        what: `types` is all there is.
        out: The Python file to write, or - for stdout.
        view: The name of the class.
    """
    from nimble_async.nimble.fieldtypes import generate_view

    del what
    if settings.crm != "nimble":
        raise UsageError("`fields` reads Nimble's fields of contacts; there is no such thing elsewhere.")
    try:
        generate_view([], view=view)
    except ValueError as error:
        raise UsageError(str(error)) from error
    async with cast("NimbleClient", open_client(settings)) as client:
        tabs = await client.contact_fields.list()
    text = generate_view(tabs, view=view)
    if out == "-":
        data(line.encode() for line in text.splitlines())
        return Exit.DONE
    _put(Path(out), text)
    say(f"Wrote {text.count('ClassVar[')} fields to {out}: from {Path(out).stem} import {view}")
    return Exit.DONE


def _put(path: Path, text: str) -> None:
    """Put a file in its place whole: who imports it never sees half of it."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        draft.write_text(text, "utf-8")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise OutputFailed(f"{path} cannot be written: {error.strerror or error}.") from error
