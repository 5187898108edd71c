"""Put the output in its place, then the certificate, then remove the work folder.

Rule: each of the three is one step (write, fsync, rename, fsync of the folder), and the journal
says what is coming before it comes, so a kill between any two of them is finished by the next run.
The output is the blocks in the order of their dates or numbers, byte for byte, whoever read them when.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from nimble_async._sansio.walk import Walk, keys_of
from nimble_async.errors import OutputExists, OutputFailed
from nimble_async.jobs.journal import Block, Journal, Published
from nimble_async.stores.durable import rename_durably, replace_file

__all__ = ["Assembly", "copy_out", "in_place", "place_certificate", "place_output", "rejected_path"]


def rejected_path(output: Path) -> Path:
    """Return where the rows without an id go."""
    return output.with_name(f"{output.name}.rejected.jsonl")


class Assembly:
    """Streams the bytes of the output out of the spool, and hashes them on the way."""

    def __init__(self, journal: Journal, walk: Walk) -> None:
        self._journal = journal
        self._walk = walk
        self._digest = hashlib.sha256()
        self.size: int = 0
        self.rows: int = 0
        self.odd: int = 0

    @property
    def sha256(self) -> str:
        """The digest of everything streamed so far."""
        return self._digest.hexdigest()

    def stream(self) -> Iterator[bytes]:
        """Yield the blocks in order, then the rows without a readable place by id, each once."""
        blocks = [block for block in self._journal.blocks if block.kind == "rows" and block.size]
        for block in sorted(blocks, key=lambda block: (block.start, block.end)):
            for piece in self._journal.lines(block):
                yield self._count(piece)
            self.rows += block.rows
        for line in self._odd_lines():
            self.odd += 1
            self.rows += 1
            yield self._count(line)

    def _count(self, piece: bytes) -> bytes:
        self._digest.update(piece)
        self.size += len(piece)
        return piece

    def _odd_lines(self) -> Iterator[bytes]:
        lines: dict[str, bytes] = {}
        for line in self._whole_lines("odd"):
            [key] = keys_of(self._walk, [line])
            lines.setdefault(key.id or "", line)
        yield from (lines[id_] for id_ in sorted(lines))

    def rejected_lines(self) -> list[bytes]:
        """Return the rejected rows, each once, in the order of their bytes."""
        return sorted(set(self._whole_lines("rejected")))

    def _whole_lines(self, kind: str) -> Iterator[bytes]:
        # Both kinds are rare, so a block of them is held as one.
        blocks: list[Block] = [block for block in self._journal.blocks if block.kind == kind]
        for block in blocks:
            yield from b"".join(self._journal.lines(block)).splitlines(keepends=True)


def place_output(journal: Journal, walk: Walk, output: Path) -> Published:
    """Assemble the output and rename it into its place; return what it is.

    Raises:
        OutputExists: Somebody else's file came into the way meanwhile.
        OSError: The disk or the folder refused.
    """
    assembly = Assembly(journal, walk)
    made = journal.folder / "output"
    journal.write(made, assembly.stream())
    rejected = assembly.rejected_lines()
    if rejected:
        aside = journal.folder / "rejected"
        journal.write(aside, rejected)
        rename_durably(aside, rejected_path(output), trace=journal.trace)
    published = Published(
        sha256=assembly.sha256,
        size=assembly.size,
        rows=assembly.rows,
        odd=assembly.odd,
        rejected=len(rejected),
        rejected_size=sum(map(len, rejected)),
        rejected_sha256=hashlib.sha256(b"".join(rejected)).hexdigest() if rejected else "",
    )
    _refuse_a_stranger(journal, output)
    journal.commit([], [published])
    rename_durably(made, output, trace=journal.trace)
    return published


def _refuse_a_stranger(journal: Journal, output: Path) -> None:
    try:
        found = output.stat()
    except FileNotFoundError:
        return
    replaces = journal.header.replaces if journal.header is not None else None
    if replaces != (found.st_size, found.st_mtime_ns):
        raise OutputExists(
            f"{output} was made by somebody else while the export ran; it was left as it is.",
            hint="Move it away, then run the same command again: nothing has to be read again.",
        )


def in_place(published: Published, output: Path) -> bool:
    """Return whether the file at `output` is the one that was assembled."""
    try:
        if output.stat().st_size != published.size:
            return False
        with output.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == published.sha256
    except FileNotFoundError:
        return False


def place_certificate(journal: Journal, data: bytes, path: Path) -> None:
    """Write the certificate the same way; a folder on another disk gets its temporary file beside it."""
    made = journal.folder / "certificate"
    journal.write(made, [data])
    try:
        rename_durably(made, path, trace=journal.trace)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        replace_file(path, data, trace=journal.trace)


def copy_out(journal: Journal, walk: Walk, pipe: BinaryIO) -> Published:
    """Write the output to a pipe, and return what it was; rejected rows are only counted.

    Raises:
        OutputFailed: The reader went away.
    """
    assembly = Assembly(journal, walk)
    try:
        pipe.writelines(assembly.stream())
        pipe.flush()
    except BrokenPipeError as error:
        raise OutputFailed("Nobody reads the output any more.") from error
    return Published(
        sha256=assembly.sha256,
        size=assembly.size,
        rows=assembly.rows,
        odd=assembly.odd,
        rejected=len(assembly.rejected_lines()),
    )
