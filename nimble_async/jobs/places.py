"""Where the files of a job may go: refused before anything is asked, and nothing is overwritten.

Rule: an output is a regular file or is not there yet. A certificate replaces nothing but another
certificate, and never lies where the job keeps or writes something else.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from nimble_async.errors import OutputExists, OutputFailed

__all__ = ["check_certificate", "check_output", "shown_name"]

_LONGEST = 1 << 20
"""Bytes; no certificate is longer."""


class _Tool(Struct):
    tool: str


def check_output(output: Path) -> None:
    """Refuse a place that cannot become the output.

    Raises:
        OutputFailed: Its folder is not there, or something else than a regular file is in its place.
    """
    _refuse_no_folder(output)
    _refuse_special(output, "the output")


def check_certificate(certificate: Path, taken: Iterable[Path]) -> None:
    """Refuse a place that cannot take the certificate; in and at the paths `taken` something else lies.

    Raises:
        OutputFailed: Its folder is not there, or the place is taken.
        OutputExists: A file that is no certificate of this library is there.
    """
    real = _real(certificate)
    for path in map(_real, taken):
        if real == path or path in real.parents:
            raise OutputFailed(
                f"The certificate cannot go to {certificate}: the export needs that place itself.",
                hint="Name another file with --certificate.",
            )
    _refuse_no_folder(certificate)
    _refuse_special(certificate, "the certificate")
    if certificate.exists() and not _is_ours(certificate):
        raise OutputExists(
            f"{certificate} is there already and no certificate; it was left as it is.",
            hint="Move it away, or name another file with --certificate.",
        )


def shown_name(path: Path) -> str:
    """Return the last part of a path as text that can be encoded, whatever bytes the name holds."""
    return os.fsencode(path.name).decode("utf-8", "replace")


def _real(path: Path) -> Path:
    """Resolve the folder but not the name: a rename replaces a link and not what it leads to."""
    return Path(os.path.realpath(path.parent)) / path.name


def _refuse_no_folder(path: Path) -> None:
    if not path.parent.is_dir():
        raise OutputFailed(f"There is no folder {path.parent}.", hint="Make it, or choose another output.")


def _refuse_special(path: Path, what: str) -> None:
    if path.exists() and not path.is_file():
        raise OutputFailed(f"{path} is no regular file, so {what} cannot go there.", hint="Name a file.")


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        data = file.read(_LONGEST + 1)
    try:
        return msgspec.json.decode(data, type=_Tool).tool.startswith("nimble_async ")
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False
