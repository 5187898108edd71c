"""Export everything a walk reaches to JSON lines, once each, and certify it.

The story of a run: take the work folder beside the output; learn from its journal what an earlier
run did; read what is missing; assemble the output and put it in its place; write the certificate;
remove the work folder. A kill at any instant leaves a folder from which the same call goes on.

Rule: the output appears whole or not at all, and what was there before is left until then.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from nimble_async._aio.clock import SystemClock
from nimble_async._aio.ports import Clock
from nimble_async._sansio.walk import OffsetWalk, OrderedWalk, SnapshotWalk, Walk
from nimble_async._sansio.windows import Proof
from nimble_async._version import __version__
from nimble_async.errors import (
    CheckpointRefused,
    ConfigurationError,
    Forbidden,
    InvalidInput,
    MalformedResponse,
    NotFound,
    OutputExists,
)
from nimble_async.jobs.certificate import Certificate, OutputFile, count_windows, moment
from nimble_async.jobs.journal import Closed, Header, Journal, Published, Resumed, Started
from nimble_async.jobs.ledger import Ledger, unbroken
from nimble_async.jobs.offsets import OffsetReading
from nimble_async.jobs.ordered import OrderedReading
from nimble_async.jobs.places import check_certificate, check_output, shown_name
from nimble_async.jobs.ports import Source
from nimble_async.jobs.publish import copy_out, in_place, place_certificate, place_output, rejected_path
from nimble_async.jobs.reading import Listener, Reader
from nimble_async.jobs.snapshot import SnapshotReading
from nimble_async.stores.durable import Trace

__all__ = ["certificate_path", "export", "work_folder"]

_ORDERED_ASSUMPTIONS = (
    "an answer is one slice of the list, at one instant, in the order and within the dates asked for",
    "the total of an answer is exact",
    "a record's date never changes, and is not ahead of the server's clock for longer than it takes to begin",
    "a new record is listed at the latest {lag} s after it was made",
)
_SNAPSHOT_ASSUMPTIONS = (
    "an answer is one slice of the list, at one instant",
    "the total of an answer is exact and counts everything this account may see",
)
_OFFSET_ASSUMPTIONS = (
    "an answer is one slice of the list, at one instant, in the order asked for",
    "a slice shorter than asked for, and not short of its own total, is the last one",
    "an id never changes and is never given again, and a record is listed from when it exists",
)


_SAME_AGAIN = (Forbidden, InvalidInput, MalformedResponse, NotFound)
"""What the same call would meet again."""


def work_folder(output: Path) -> Path:
    """Return where an unfinished export to `output` is kept."""
    return output.with_name(f"{output.name}.nimble-export")


def certificate_path(output: Path) -> Path:
    """Return where the certificate goes unless told."""
    return output.with_name(f"{output.name}.certificate.json")


async def export(
    source: Source,
    walk: Walk,
    *,
    to: Path | BinaryIO,
    clock: Clock | None = None,
    query: Mapping[str, Any] | None = None,
    account: str = "",
    concurrency: int = 8,
    restart: bool = False,
    certificate: Path | None = None,
    progress: Listener | None = None,
    commit_every: float = 0.5,
    trace: Trace | None = None,
) -> Certificate:
    """Export every record that exists throughout, exactly once, and return the certificate.

    The same call after a kill, an error or a cancellation goes on where the last one stopped. Rows
    are the server's bytes, ordered by date and id, so a world at rest gives one file, byte for byte.

    Args:
        source: Where pages come from: a client's executor.
        walk: How the vendor's records are read whole, such as `nimble.walks.CONTACTS`.
        to: The file to make, or a binary pipe (which cannot be resumed).
        clock: Time; the system's unless told.
        query: Members of the list's query, such as `query` (a search) and `fields`, as sent.
        account: A name for the account that is no secret; another one refuses the checkpoint.
        concurrency: Windows read side by side.
        restart: Forget an unfinished export, and replace a finished output once the new one is whole.
        certificate: Where the certificate goes; beside the output unless told, nowhere for a pipe.
        progress: Called with a `Progress` after each answer.
        commit_every: Seconds of reading that a kill may cost; rows wait that long for company.
        trace: Called with each durable step and its path, after it was made.

    Raises:
        OutputExists: A finished output is in the way, or a file that is no certificate in the certificate's.
        OutputFailed: The disk or the folder refused; run it again once there is room.
        JobBusy: Another process exports to the same file.
        CheckpointRefused: The unfinished export there is damaged, or of another query or account.
        PagingBroken: The vendor does not keep to what was asked for.
        CrmError: A call failed for good; what was read is kept for the next run.
    """
    if concurrency < 1:
        raise ConfigurationError(f"concurrency must be at least 1, not {concurrency}.")
    given = {name: value for name, value in (query or {}).items() if value is not None}
    if isinstance(walk, OrderedWalk):
        walk.narrow(given, 0, 1)  # a query without room for the dates is refused before anything is touched
    header = Header(
        crm=walk.crm,
        resource=walk.resource,
        query=msgspec.json.encode(given, order="deterministic").decode(),
        account=account,
    )
    run = _Export(
        source, walk, given, header,
        clock=clock or SystemClock(), concurrency=concurrency, progress=progress,
        commit_every=commit_every, trace=trace,
    )  # fmt: skip
    if not isinstance(to, Path):
        return await run.to_pipe(to, certificate and _whole(certificate))
    return await run.to_file(_whole(to), _whole(certificate or certificate_path(to)), restart=restart)


def _whole(path: Path) -> Path:
    """Make a path independent of the current folder, which may change meanwhile."""
    return path.absolute()


class _Export:
    """One run of one export."""

    def __init__(
        self,
        source: Source,
        walk: Walk,
        query: Mapping[str, Any],
        header: Header,
        *,
        clock: Clock,
        concurrency: int,
        progress: Listener | None,
        commit_every: float,
        trace: Trace | None,
    ) -> None:
        self._walk = walk
        self._query = query
        self._header = header
        self._concurrency = concurrency
        self._commit_every = commit_every
        self._trace = trace
        self._reader = Reader(source, walk, clock, progress)

    async def to_file(self, output: Path, certificate: Path, *, restart: bool) -> Certificate:
        journal = Journal(work_folder(output), self._trace)
        try:
            await unbroken(_check_places, journal, output, certificate)
            await unbroken(_prepare, journal, self._header, output, restart=restart)
            if journal.closed is None:
                await self._read(journal)
            published = journal.published
            if published is None or not await unbroken(in_place, published, output):
                self._reader.say("writing")
                published = await unbroken(_put, journal, self._walk, output, certificate)
            result = self._certify(journal, published, output)
            await unbroken(_finish, journal, result.encode(), certificate)
        finally:
            journal.close()
        self._reader.say("done")
        return result

    async def to_pipe(self, pipe: BinaryIO, certificate: Path | None) -> Certificate:
        folder = Path(await unbroken(tempfile.mkdtemp, prefix="nimble-export-"))
        journal = Journal(folder, self._trace)
        try:
            if certificate is not None:
                await unbroken(check_certificate, certificate, ())
            await unbroken(_prepare, journal, self._header, folder / "-", restart=False)
            await self._read(journal)
            self._reader.say("writing")
            published = await unbroken(copy_out, journal, self._walk, pipe)
            result = self._certify(journal, published, Path("-"))
            if certificate is not None:
                await unbroken(place_certificate, journal, result.encode(), certificate)
        finally:
            journal.close()
            shutil.rmtree(folder, ignore_errors=True)
        self._reader.say("done")
        return result

    async def _read(self, journal: Journal) -> None:
        """Read what the journal does not have; on the way out, keep whatever is whole."""
        self._reader.records = sum(block.rows for block in journal.blocks if block.kind != "rejected")
        ledger = Ledger(journal, self._reader, commit_every=self._commit_every)
        try:
            await self._reading(ledger, journal).run()
        except BaseException as error:
            await ledger.rescue()
            if isinstance(error, _SAME_AGAIN):
                await unbroken(_forget_nothing_read, journal)
            raise

    def _reading(self, ledger: Ledger, journal: Journal) -> OrderedReading | SnapshotReading | OffsetReading:
        parts: dict[str, Any] = {"reader": self._reader, "ledger": ledger, "journal": journal}
        match self._walk:
            case OrderedWalk():
                return OrderedReading(self._walk, self._query, concurrency=self._concurrency, **parts)
            case OffsetWalk():
                return OffsetReading(self._walk, self._query, concurrency=self._concurrency, **parts)
            case SnapshotWalk():
                return SnapshotReading(self._walk, self._query, **parts)

    def _certify(self, journal: Journal, published: Published, output: Path) -> Certificate:
        started, closed = journal.started or Started(at=0), journal.closed or Closed(at=0)
        blocks = [block for block in journal.blocks if block.kind == "rows"]
        reasons = [*started.notes, *closed.notes, *sorted({block.why or "a window" for block in blocks if
                   block.proof is Proof.NONE})]  # fmt: skip
        if published.odd:
            reasons.append(
                f"{published.odd:,} rows have no readable place in the order; others may be in no window"
            )
        delivered, rejected = published.rows, published.rejected
        seen_again = sum(block.rows for block in journal.blocks) - delivered - rejected
        aside = rejected_path(output)
        return Certificate(
            tool=f"nimble_async {__version__}",
            crm=self._header.crm,
            resource=self._header.resource,
            query=self._header.query,
            account=self._header.account,
            completeness="unproven" if reasons else "proven",
            reasons=tuple(reasons),
            started=moment(started.at),
            finished=moment(closed.at),
            expected=started.expected,
            delivered=delivered,
            gone=max(0, started.expected - delivered - rejected) if closed.counted else None,
            appeared=max(0, delivered + rejected - started.expected) if closed.counted else None,
            rejected=rejected,
            odd=published.odd,
            duplicates=journal.counts.duplicates + journal.counts.foreign + seen_again,
            born_after=closed.born_after,
            windows=count_windows([block.proof for block in blocks]),
            pages=journal.counts.pages,
            pages_reread=journal.counts.reread,
            requests=journal.counts.requests,
            requests_per_record=round(journal.counts.requests / max(1, delivered), 6),
            resumed=journal.resumed,
            facts=closed.facts,
            assumptions=_assumptions(self._walk),
            output=OutputFile(
                name=shown_name(output), bytes=published.size, rows=published.rows, sha256=published.sha256
            ),
            rejected_output=OutputFile(
                name=shown_name(aside),
                bytes=published.rejected_size,
                rows=rejected,
                sha256=published.rejected_sha256,
            )
            if published.rejected_sha256
            else None,
        )


def _check_places(journal: Journal, output: Path, certificate: Path) -> None:
    check_output(output)
    check_certificate(certificate, (output, rejected_path(output), journal.folder))


def _forget_nothing_read(journal: Journal) -> None:
    """Leave no work folder behind a run that was refused before it had anything worth keeping.

    Else a search that the vendor refuses would stand in the way of the corrected one. The folder of a
    run that replaces a finished output stays: it says that it may.
    """
    unread = journal.started is None and not journal.blocks
    if unread and journal.header is not None and journal.header.replaces is None:
        journal.remove()


def _assumptions(walk: Walk) -> tuple[str, ...]:
    """Return what the proof of a walk rests on and cannot observe."""
    match walk:
        case OrderedWalk():
            return tuple(text.format(lag=walk.lag) for text in _ORDERED_ASSUMPTIONS)
        case OffsetWalk():
            return (*walk.assumptions, *_OFFSET_ASSUMPTIONS)
        case SnapshotWalk():
            return _SNAPSHOT_ASSUMPTIONS


def _prepare(journal: Journal, header: Header, output: Path, *, restart: bool) -> None:
    """Take the work folder, and make it ready to read or to go on.

    Raises:
        OutputExists: A finished output is in the way.
        CheckpointRefused: The checkpoint is damaged or another job's.
    """
    if not journal.lock(create=False):
        if not restart:
            _refuse_finished(output)
        journal.lock(create=True)
    if not restart:
        journal.read()
    if journal.header is None:
        _begin(journal, header, output, restart=restart)
        return
    _check_identity(journal, header)
    if journal.published is not None and in_place(journal.published, output):
        return  # only the certificate and the tidying are left; the rows may be gone already
    journal.open()
    if journal.closed is None:
        journal.commit([], [Resumed()])


def _begin(journal: Journal, header: Header, output: Path, *, restart: bool) -> None:
    """Begin anew in a folder that holds no journal, or one that is to be forgotten."""
    if not restart:
        try:
            _refuse_finished(output)
        except OutputExists:
            journal.remove()  # a folder that was being removed when its owner was killed
            raise
    journal.clear()
    journal.begin(msgspec.structs.replace(header, replaces=_stamp(output)))
    journal.open()


def _refuse_finished(output: Path) -> None:
    if _stamp(output) is not None:
        raise OutputExists(
            f"{output} is there already; it was left as it is.",
            hint="Use --restart to replace it once a new one is whole.",
        )


def _check_identity(journal: Journal, header: Header) -> None:
    known = journal.header
    if known is None or msgspec.structs.replace(known, replaces=None) != header:
        raise CheckpointRefused(
            f"The unfinished export in {journal.folder} belongs to another query or account.",
            hint="Repeat the query it was begun with, or use --restart to begin anew.",
        )


def _stamp(output: Path) -> tuple[int, int] | None:
    try:
        found = output.stat()
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns


def _put(journal: Journal, walk: Walk, output: Path, certificate: Path) -> Published:
    if journal.header is not None and journal.header.replaces is not None:
        certificate.unlink(missing_ok=True)  # it speaks of the file that is about to be replaced
        rejected_path(output).unlink(missing_ok=True)
    return place_output(journal, walk, output)


def _finish(journal: Journal, certificate: bytes, path: Path) -> None:
    place_certificate(journal, certificate, path)
    journal.remove()
