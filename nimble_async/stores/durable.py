"""Replacing a file so that a reader, a crash or a power cut finds the old one or the new one, whole.

The order is the whole point: write the bytes to a new file beside it, fsync that file, rename
it over the old one, fsync the folder so that the new name itself is on the disk. Everything here
blocks: call it from a worker thread where a loop is running.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

__all__ = [
    "Trace",
    "fsync_folder",
    "open_excl",
    "rename_durably",
    "replace_file",
    "sweep_leftovers",
    "write_all",
    "write_new",
]

Trace = Callable[[str, Path], None]
"""Told of each step after it is done (`write`, `fsync`, `rename`, `fsync folder`), and to which path."""


def _nobody(step: str, path: Path) -> None:
    """Follow nothing."""


def open_excl(path: Path, mode: int = 0o600) -> int:
    """Create a file that must not exist yet, never through a link; return its descriptor for writing.

    `mode` is what the file gets, whatever the umask says.

    Raises:
        FileExistsError: Something of that name is there.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, mode)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write every byte, also where the system takes them in parts."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def write_new(path: Path, data: bytes, mode: int = 0o600, *, trace: Trace | None = None) -> None:
    """Write a file that must not exist yet and see its bytes onto the disk (`write`, `fsync`).

    Raises:
        OSError: The disk refuses; what was begun is removed.
    """
    trace = trace or _nobody
    descriptor = open_excl(path, mode)
    try:
        try:
            write_all(descriptor, data)
            trace("write", path)
            os.fsync(descriptor)
            trace("fsync", path)
        finally:
            os.close(descriptor)
    except BaseException:
        with contextlib.suppress(OSError):
            path.unlink()
        raise


def fsync_folder(path: Path, *, trace: Trace | None = None) -> None:
    """See a folder's entries onto the disk (`fsync folder`)."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    (trace or _nobody)("fsync folder", path)


def rename_durably(source: Path, target: Path, *, trace: Trace | None = None) -> None:
    """Give a file that is on the disk its name, over whatever has it now (`rename`, `fsync folder`).

    Where the two lie in different folders, the target's is synced first, then the source's.
    """
    source.replace(target)
    (trace or _nobody)("rename", target)
    fsync_folder(target.parent, trace=trace)
    if source.parent != target.parent:
        fsync_folder(source.parent, trace=trace)


def replace_file(path: Path, data: bytes, mode: int = 0o600, *, trace: Trace | None = None) -> None:
    """Replace `path` by `data`, all or nothing, durable on return.

    The steps are `write`, `fsync`, `rename`, `fsync folder`, in this order.

    Raises:
        OSError: The disk or the folder refuses. The old file is untouched, unless only the
            last step failed: then the new one is there and may not survive a power cut.
    """
    fresh = path.with_name(f".{path.name}.{os.urandom(6).hex()}.tmp")
    write_new(fresh, data, mode, trace=trace)
    try:
        rename_durably(fresh, path, trace=trace)
    except BaseException:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise


def sweep_leftovers(path: Path) -> None:
    """Remove the unfinished files that killed processes left beside `path`.

    Only for a caller that keeps every other writer of `path` out.
    """
    start, end = f".{path.name}.", ".tmp"
    for leftover in path.parent.iterdir():
        name = leftover.name
        if name.startswith(start) and name.endswith(end) and len(name) == len(start) + 12 + len(end):
            with contextlib.suppress(OSError):
                leftover.unlink()
