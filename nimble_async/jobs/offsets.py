"""Read a listing by offsets in the order of an immutable number: pages side by side, their seams closed.

Rule: what the slices prove together is judged in `_sansio.seams`; here they are asked for. One task
is one answer, so a kill or a cancellation costs the answers in flight and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from math import floor
from typing import Any

from msgspec import Raw

from nimble_async._aio.fanout import end_tasks
from nimble_async._sansio.paging import ByOffset
from nimble_async._sansio.seams import HIGHEST, Question, Seams
from nimble_async._sansio.walk import OffsetWalk, RowKey
from nimble_async._sansio.windows import Proof
from nimble_async.errors import PagingBroken
from nimble_async.jobs.journal import Closed, Journal, Started
from nimble_async.jobs.ledger import Ledger
from nimble_async.jobs.reading import Page, Reader

__all__ = ["OffsetReading"]


class OffsetReading:
    """One run over an offset walk."""

    def __init__(
        self,
        walk: OffsetWalk,
        query: Mapping[str, Any],
        *,
        reader: Reader,
        ledger: Ledger,
        journal: Journal,
        concurrency: int,
    ) -> None:
        self._query = {**query, **walk.ascending}
        self._walk = walk
        self._reader = reader
        self._ledger = ledger
        self._journal = journal
        self._concurrency = concurrency
        blocks = [block for block in journal.blocks if block.kind == "rows"]
        self._seams = Seams(walk.limit, [(block.start, block.end, block.rows) for block in blocks])
        self._running: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Read everything that is not in the journal yet, and close it.

        Raises:
            PagingBroken: The vendor does not keep to the order asked for.
            CrmError: A call failed for good; what was read is kept.
        """
        if self._journal.started is not None:
            self._reader.expected = self._journal.started.expected
        try:
            await self._read()
        finally:
            await end_tasks(list(self._running))
        for start, end in self._seams.open:
            await self._ledger.put((), start=start, end=end, proof=Proof.NONE, why=_why(start, end))
        await self._ledger.flush(Closed(at=floor(self._reader.now())))

    async def _read(self) -> None:
        while True:
            while len(self._running) < self._concurrency and (question := self._seams.ask()) is not None:
                self._running.add(asyncio.create_task(self._step(question)))
            if not self._running:
                return
            done, self._running = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            self._reader.say("reading")

    async def _step(self, question: Question) -> None:
        """Ask once, and keep what the answer proves."""
        cursor = ByOffset(question.offset, question.limit)
        page = await self._reader.page(cursor=cursor, query=self._query, size=question.limit)
        await self._begin(page)
        taken = self._seams.take(question, page.keys, page.total)
        if question.seam is not None or taken.why:
            self._reader.counts.reread += 1
        if taken.final:
            raise PagingBroken(
                f"The vendor does not keep to the order asked for: {taken.why}.",
                hint="Without it nothing can be proven; nothing was put in the output's place.",
            )
        if taken.why:
            return
        owned = 0
        for start, end in taken.stretches:
            rows = _owned(page, start, end)
            owned += len(rows)
            await self._ledger.put(rows, start=start, end=end, proof=Proof.SEAM)
        self._reader.counts.duplicates += len(page.rows) - owned

    async def _begin(self, page: Page) -> None:
        if self._journal.started is None:
            started = Started(at=floor(self._reader.now()), expected=page.total or len(page.rows))
            self._reader.expected = started.expected
            await self._ledger.flush(started)


def _why(start: int, end: int) -> str:
    """Say what an open seam means."""
    if end == HIGHEST:
        return f"nothing is listed behind the id {start - 1}, and the total says that there is more"
    return f"no answer closed the seam between the ids {start - 1} and {end}"


def _owned(page: Page, start: int, end: int) -> list[tuple[RowKey, Raw]]:
    """Return the rows of a stretch; one without a number belongs to its neighbour before it."""
    found: list[tuple[RowKey, Raw]] = []
    number = next((key.at for key in page.keys if key.at is not None), float(start))
    for key, row in zip(page.keys, page.rows, strict=True):
        number = number if key.at is None else key.at
        if start <= number < end:
            found.append((key, row))
    return found
