"""The loop's side of a journal: gather whole blocks, and commit them off the loop.

Rule: a block is handed over whole or not at all; a commit that has begun is always waited for,
also when the job is cancelled meanwhile.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Iterable
from typing import ParamSpec, TypeVar

from msgspec import Raw

from nimble_async._sansio.walk import RowKey, lines_of
from nimble_async._sansio.windows import Proof
from nimble_async.errors import OutputFailed
from nimble_async.jobs.journal import Block, Counts, Entry, Journal
from nimble_async.jobs.reading import Reader

__all__ = ["Ledger", "unbroken"]

P = ParamSpec("P")
T = TypeVar("T")

_MOST_BYTES = 8 * 1024 * 1024


async def unbroken(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking function in a thread and wait for its end, whatever happens to the caller.

    Raises:
        OutputFailed: The system refused a file.
    """
    work = asyncio.ensure_future(asyncio.to_thread(function, *args, **kwargs))
    interrupted = False
    while not work.done():
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:
            interrupted = True
    try:
        result = work.result()
    except OSError as error:
        raise _output_failed(error) from error
    if interrupted:
        raise asyncio.CancelledError
    return result


def _output_failed(error: OSError) -> OutputFailed:
    """Say what the system refused, and what to do."""
    where = f" {error.filename}" if error.filename else ""
    return OutputFailed(
        f"The output{where} cannot be written: {error.strerror or error}.",
        hint="Make room or permit it, then run the same command again: it goes on where it stopped.",
    )


def _place(pair: tuple[RowKey, Raw | bytes]) -> tuple[float, str]:
    return pair[0].place


class Ledger:
    """Gathers blocks of one run."""

    def __init__(self, journal: Journal, reader: Reader, *, commit_every: float) -> None:
        self.journal = journal
        self._commit_every = commit_every
        self._reader = reader
        self._rows: list[bytes] = []
        self._entries: list[Entry] = []
        self._bytes = 0
        self._end = journal.spooled
        self._oldest: float | None = None
        self._lock = asyncio.Lock()
        self._failure: BaseException | None = None
        """Why nothing can be committed any more: where the next row would lie is not known."""

    async def put(
        self, rows: Iterable[tuple[RowKey, Raw | bytes]], *, start: int, end: int, proof: Proof, why: str = ""
    ) -> None:
        """Hand over all rows of `start <= t < end`; odd and rejected ones get blocks of their own."""
        found: list[tuple[RowKey, Raw | bytes]] = []
        odd: list[tuple[RowKey, Raw | bytes]] = []
        rejected: list[tuple[RowKey, Raw | bytes]] = []
        for pair in rows:
            key = pair[0]
            if key.id is None:
                rejected.append(pair)
            elif key.at is None:
                odd.append(pair)
            else:
                found.append(pair)
        # The block that covers the window comes last: all of it is known, or none.
        for kind, some in (("odd", odd), ("rejected", rejected)):
            if some:
                self._append(kind, some, start=start, end=start, proof=proof)
        self._append("rows", found, start=start, end=end, proof=proof, why=why)
        self._reader.records += len(found) + len(odd)
        now = self._reader.clock.monotonic()
        if self._oldest is None:
            self._oldest = now
        if self._bytes >= _MOST_BYTES or now - self._oldest >= self._commit_every:
            await self.flush()

    def _append(
        self,
        kind: str,
        rows: list[tuple[RowKey, Raw | bytes]],
        *,
        start: int,
        end: int,
        proof: Proof,
        why: str = "",
    ) -> None:
        rows.sort(key=_place)
        data = lines_of([row for _, row in rows])
        self._entries.append(
            Block(
                kind=kind, start=start, end=end, at=self._end, size=len(data), rows=len(rows),
                check=zlib.crc32(data), proof=proof, why=why,
            )
        )  # fmt: skip
        self._rows.append(data)
        self._bytes += len(data)
        self._end += len(data)

    async def flush(self, *last: Entry) -> None:
        """Commit everything handed over, then `last`.

        Raises:
            OutputFailed: The system refused; what was committed before stays.
        """
        async with self._lock:
            rows, entries = self._rows, [*self._entries, *self._take_counts(), *last]
            self._rows, self._entries, self._bytes, self._oldest = [], [], 0, None
            if not entries:
                return
            if self._failure is not None:
                raise self._failure
            try:
                await unbroken(self.journal.commit, rows, entries)
            except asyncio.CancelledError:
                raise  # the commit was made all the same
            except BaseException as error:
                self._failure = error
                raise

    def _take_counts(self) -> list[Entry]:
        counts, self._reader.counts = self._reader.counts, Counts()
        return [counts] if counts != Counts() else []

    async def rescue(self) -> None:
        """Commit what is whole before an error is passed on; never raises one of its own."""
        if self._failure is not None:
            return
        try:
            await self.flush()
        except OutputFailed:
            return
