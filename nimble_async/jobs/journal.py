"""What a job has certainly done: an append-only spool of rows and an append-only journal beside it.

Rule: a row counts once the journal names the stretch of the spool it lies in, and the journal
names a stretch only after the spool is on the disk (write, fsync, then the same for the journal).
What a kill leaves behind the last whole line is cut off. Nothing is rewritten in place. A journal
with damage before its end is refused, and left as it is.
"""

from __future__ import annotations

import fcntl
import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

import msgspec
from msgspec import Struct

from nimble_async._sansio.windows import Proof
from nimble_async.errors import CheckpointRefused, JobBusy
from nimble_async.stores.durable import Trace, fsync_folder, rename_durably, write_all

__all__ = ["Block", "Closed", "Counts", "Entry", "Header", "Journal", "Published", "Resumed", "Started"]

_VERSION = 1
_CHUNK = 1 << 18


class Header(Struct, frozen=True, kw_only=True, tag="header"):
    """Which job this is: another one refuses the journal."""

    version: int = _VERSION
    crm: str
    resource: str
    query: str
    """The query and the fields, as canonical JSON."""
    account: str
    replaces: tuple[int, int] | None = None
    """Size and modification time (ns) of a finished output that this run was told to replace."""


class Started(Struct, frozen=True, kw_only=True, tag="started"):
    """What was known when reading began. Times are seconds since 1970 by the server's clock."""

    at: int
    end: int = 0
    """The first second that no window owns."""
    low: float | None = None
    high: float | None = None
    seen: float | None = None
    """The highest number that an answer showed, where the walk goes by numbers."""
    expected: int = 0
    notes: tuple[str, ...] = ()
    """What keeps the whole export from being proven, found at the start."""


class Resumed(Struct, frozen=True, tag="resumed"):
    """The job was taken up again."""


class Block(Struct, frozen=True, kw_only=True, tag="block"):
    """A stretch of the spool. `kind` is rows, odd (no readable date or number) or rejected (no id)."""

    kind: str
    start: int
    end: int
    """The seconds (or numbers) start <= t < end whose rows these are, sorted by them and id."""
    at: int
    size: int
    rows: int
    check: int
    """CRC-32 of the bytes."""
    proof: Proof
    why: str = ""
    """What is missing to a proof."""


class Counts(Struct, kw_only=True, tag="counts"):
    """What was done since the last line of this kind."""

    requests: int = 0
    pages: int = 0
    reread: int = 0
    duplicates: int = 0
    foreign: int = 0
    """Rows read beyond their window's edge; the neighbour delivers them."""
    miscounted: int = 0
    """Answers whose total contradicts what they list."""

    def add(self, other: Counts) -> None:
        """Add another count to this one."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Closed(Struct, frozen=True, kw_only=True, tag="closed"):
    """Everything is read. Times are seconds since 1970 by the server's clock."""

    at: int
    born_after: int | None = None
    notes: tuple[str, ...] = ()
    """What keeps the export from being proven, found on the way."""
    facts: tuple[str, ...] = ()
    """What the certificate should say besides."""
    counted: bool = True
    """Whether the vendor's count at the start can be relied on."""


class Published(Struct, frozen=True, kw_only=True, tag="published"):
    """The output is assembled and about to be put in its place."""

    sha256: str
    size: int
    rows: int
    odd: int = 0
    rejected: int = 0
    rejected_size: int = 0
    rejected_sha256: str = ""


Entry: TypeAlias = Header | Started | Resumed | Block | Counts | Closed | Published
_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Entry] = msgspec.json.Decoder(Entry)


def _no_trace(step: str, path: Path) -> None:
    del step, path


class Journal:
    """The work folder of one job, held by one process. Every method may block: call it off the loop."""

    def __init__(self, folder: Path, trace: Trace | None = None) -> None:
        self.folder = folder
        self.header: Header | None = None
        self.started: Started | None = None
        self.closed: Closed | None = None
        self.published: Published | None = None
        self.blocks: list[Block] = []
        self.counts: Counts = Counts()
        self.resumed: int = 0
        self.spooled: int = 0
        """Where the next row will lie."""
        self.trace: Trace = trace or _no_trace
        self._lock = -1
        self._spool = -1
        self._journal = -1
        self._end = 0

    @property
    def spool_path(self) -> Path:
        """Where the rows are."""
        return self.folder / "rows"

    @property
    def path(self) -> Path:
        """Where the journal is."""
        return self.folder / "journal"

    def lock(self, *, create: bool) -> bool:
        """Take the folder for this process; False where there is none and none was to be made.

        Raises:
            JobBusy: Another process holds it.
        """
        while True:
            if create and not self.folder.exists():
                self.folder.mkdir(mode=0o700, exist_ok=True)
                fsync_folder(self.folder.parent, trace=self.trace)
            try:
                lock = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            except FileNotFoundError:
                if create:
                    continue
                return False
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                os.close(lock)
                raise JobBusy(
                    f"Another process is at work in {self.folder}.", hint="Wait for it, or stop it first."
                ) from error
            if self._still_there(lock):
                self._lock = lock
                return True
            os.close(lock)  # its owner finished and removed the folder between our two steps

    def _still_there(self, lock: int) -> bool:
        try:
            return os.path.samestat(os.fstat(lock), self.folder.stat())
        except FileNotFoundError:
            return False

    def read(self) -> None:
        """Learn what was done before, without changing anything.

        Raises:
            CheckpointRefused: The journal is damaged, or of another version.
        """
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return
        self._end, entries = self._parse(data)
        for entry in entries:
            self._learn(entry)

    def _parse(self, data: bytes) -> tuple[int, list[Entry]]:
        entries: list[Entry] = []
        end = 0
        lines = data.split(b"\n")
        for number, line in enumerate(lines[:-1]):
            entry = _read_line(line)
            if entry is None:
                # Only the last write can be torn, and nothing valid can follow it.
                if any(_read_line(later) is not None for later in lines[number + 1 :]):
                    raise self._refusal(f"line {number + 1} is damaged")
                break
            entries.append(entry)
            end += len(line) + 1
        if data and (not entries or not isinstance(entries[0], Header)):
            raise self._refusal("it does not begin as a journal does")
        if entries and isinstance(entries[0], Header) and entries[0].version != _VERSION:
            raise self._refusal(f"it has version {entries[0].version}, this release reads {_VERSION}")
        return end, entries

    def _refusal(self, why: str) -> CheckpointRefused:
        return CheckpointRefused(
            f"The checkpoint in {self.folder} cannot be used: {why}. Nothing was changed.",
            hint="Run again with --restart to begin anew.",
        )

    def _learn(self, entry: Entry) -> None:
        match entry:
            case Header():
                self.header = entry
            case Started():
                self.started = entry
            case Resumed():
                self.resumed += 1
            case Block():
                self.blocks.append(entry)
                self.spooled = max(self.spooled, entry.at + entry.size)
            case Counts():
                self.counts.add(entry)
            case Closed():
                self.closed = entry
            case Published():
                self.published = entry

    def begin(self, header: Header) -> None:
        """Start a new journal."""
        beside = self.folder / "journal.new"
        self.write(beside, [_line(header)])
        rename_durably(beside, self.path, trace=self.trace)
        self._learn(header)
        self._end = len(_line(header))

    def open(self) -> None:
        """Cut off what a kill left behind, and be ready to append.

        Raises:
            CheckpointRefused: Rows that the journal names are not there.
        """
        if self.spooled and (not self.spool_path.exists() or self.spool_path.stat().st_size < self.spooled):
            raise self._refusal("rows that the journal names are missing")
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._journal = os.open(self.path, flags, 0o600)
        os.ftruncate(self._journal, self._end)
        os.lseek(self._journal, 0, os.SEEK_END)
        self._spool = os.open(self.spool_path, flags, 0o600)
        os.ftruncate(self._spool, self.spooled)
        os.lseek(self._spool, 0, os.SEEK_END)
        # The spool's name must outlive a power cut before any line of the journal speaks of it.
        fsync_folder(self.folder, trace=self.trace)

    def commit(self, rows: list[bytes], entries: list[Entry]) -> None:
        """Append rows, then the entries that speak of them; both are on the disk when it returns."""
        if rows:
            for piece in rows:
                write_all(self._spool, piece)
            self.trace("write", self.spool_path)
            os.fsync(self._spool)
            self.trace("fsync", self.spool_path)
        if entries:
            write_all(self._journal, b"".join(map(_line, entries)))
            self.trace("write", self.path)
            os.fsync(self._journal)
            self.trace("fsync", self.path)
            for entry in entries:
                self._learn(entry)

    def write(self, path: Path, pieces: Iterable[bytes]) -> None:
        """Write a file of the folder anew and make its content durable; its name is not yet."""
        descriptor = os.open(
            path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
        )
        try:
            for piece in pieces:
                write_all(descriptor, piece)
            self.trace("write", path)
            os.fsync(descriptor)
            self.trace("fsync", path)
        finally:
            os.close(descriptor)

    def lines(self, block: Block) -> Iterator[bytes]:
        """Read a block's bytes back, checked, in pieces.

        Raises:
            CheckpointRefused: They are not what was written.
        """
        check, place = 0, block.at
        end = block.at + block.size
        while place < end:
            piece = os.pread(self._spool, min(_CHUNK, end - place), place)
            if not piece:
                raise self._refusal("rows that the journal names are missing")
            check = zlib.crc32(piece, check)
            place += len(piece)
            if place == end and check != block.check:
                raise self._refusal("rows are not what was written")
            yield piece

    def clear(self) -> None:
        """Forget everything that was done; the folder stays locked."""
        # The journal goes first: rows without one are ignored, a journal without rows is refused.
        self._unlink(sorted(self.folder.iterdir(), key=lambda path: path != self.path))
        fresh = Journal(self.folder, self.trace)
        fresh._lock = self._lock  # everything but the lock is forgotten
        self.__dict__.update(fresh.__dict__)

    def remove(self) -> None:
        """Remove the work folder; the job is done."""
        # The journal goes last: until then another run sees that this one was finished.
        self._unlink(sorted(self.folder.iterdir(), key=lambda path: path == self.path))
        self.folder.rmdir()
        fsync_folder(self.folder.parent, trace=self.trace)

    def _unlink(self, paths: list[Path]) -> None:
        for path in paths:
            path.unlink()

    def close(self) -> None:
        """Let go of the folder."""
        for name in ("_spool", "_journal", "_lock"):
            descriptor = getattr(self, name)
            if descriptor >= 0:
                os.close(descriptor)
                setattr(self, name, -1)


def _line(entry: Entry) -> bytes:
    text = _encoder.encode(entry)
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _read_line(line: bytes) -> Entry | None:
    check, _, text = line.partition(b" ")
    if len(check) != 8 or check != b"%08x" % zlib.crc32(text):
        return None
    try:
        return _decoder.decode(text)
    except msgspec.MsgspecError:
        return None
