"""Read a listing by offsets in the order of an immutable number: pages side by side, their seams closed.

The first question is for the highest number there is: what is made later is no part of the walk, so a
list that grows faster than it is read has an end, and a list that ends below it was cut short.

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
from nimble_async._sansio.seams import HIGHEST, Question, Seams, highest_of
from nimble_async._sansio.walk import OffsetWalk, RowKey
from nimble_async._sansio.windows import Proof
from nimble_async.errors import PagingBroken
from nimble_async.jobs.journal import Closed, Journal, Started
from nimble_async.jobs.ledger import Ledger
from nimble_async.jobs.reading import Reader

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
        self._query = query
        self._walk = walk
        self._reader = reader
        self._ledger = ledger
        self._journal = journal
        self._concurrency = concurrency
        self._seams = Seams(walk.limit)
        self._running: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Read everything that is not in the journal yet, and close it.

        Raises:
            PagingBroken: The vendor does not keep to the order asked for.
            CrmError: A call failed for good; what was read is kept.
        """
        started = self._journal.started or await self._begin()
        self._reader.expected = started.expected
        blocks = [block for block in self._journal.blocks if block.kind == "rows"]
        self._seams = Seams(
            self._walk.limit,
            [(block.start, block.end, block.rows) for block in blocks],
            end=HIGHEST if started.high is None else int(started.high) + 1,
            counted=started.expected,
            seen=None if started.seen is None else int(started.seen),
        )
        try:
            await self._read()
        finally:
            await end_tasks(list(self._running))
        for start, end in self._seams.open:
            await self._ledger.put((), start=start, end=end, proof=Proof.NONE, why=self._why(start, end))
        wrong = self._journal.counts.miscounted + self._reader.counts.miscounted
        facts = [_bound(self._walk.resource, started.high)]
        if wrong:
            facts.append(_claimed(self._walk.resource, started.expected))
        await self._ledger.flush(Closed(at=floor(self._reader.now()), facts=tuple(facts), counted=not wrong))

    async def _begin(self) -> Started:
        """Learn how many records there are, and the highest of their numbers if an answer shows it."""
        limit = self._walk.limit
        query = {**self._query, **self._walk.descending}
        page = await self._reader.page(cursor=ByOffset(0, limit), query=query, size=limit)
        self._compare(0, len(page.rows), page.total)
        if page.total is None:
            self._reader.counts.miscounted += 1
        started = Started(
            at=floor(self._reader.now()),
            high=highest_of(page.keys, page.total, limit=limit),
            # In whatever order they came: each of them was there.
            seen=max((key.at for key in page.keys if key.at is not None), default=None),
            expected=len(page.rows) if page.total is None else page.total,
        )
        await self._ledger.flush(started)
        return started

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
        order = self._walk.descending if question.top else self._walk.ascending
        query = {**self._query, **order}
        page = await self._reader.page(cursor=cursor, query=query, size=question.limit)
        self._compare(question.offset, len(page.rows), page.total)
        taken = self._seams.take(question, page.keys, page.total)
        if question.seam is not None or taken.why:
            self._reader.counts.reread += 1
        if taken.final:
            raise PagingBroken(
                f"The vendor does not keep to the order asked for: {taken.why}.",
                hint="Without it nothing can be proven; nothing was put in the output's place.",
            )
        if taken.why or question.top:
            return
        rows = list(zip(page.keys, page.rows, strict=True))
        # Where a row without a number belongs nobody knows, so each answer hands over its own: once is kept.
        odd = [(key, row) for key, row in rows if key.at is None]
        owned = sum(key.at is not None and key.at >= self._seams.end for key in page.keys)
        for start, end in taken.stretches:
            mine = [*_owned(rows, start, end), *odd]
            odd, owned = [], owned + len(mine)
            await self._ledger.put(mine, start=start, end=end, proof=Proof.SEAM)
        self._reader.counts.duplicates += len(rows) - owned

    def _compare(self, offset: int, rows: int, total: int | None) -> None:
        """Count an answer that lists more records than it counts, or none where it counts some."""
        wrong = total is not None and (offset + rows > total if rows else offset < total)
        self._reader.counts.miscounted += wrong

    def _why(self, start: int, end: int) -> str:
        """Say what an open seam means."""
        if self._seams.runs_away and end == HIGHEST:
            return f"the list grows faster than it is read; nothing was read behind the id {start - 1}"
        if start <= self._seams.seen < end:
            return (
                f"nothing was listed behind the id {start - 1}, though {self._seams.seen} was seen in the "
                "opposite order: the server cuts its lists short"
            )
        if end == HIGHEST:
            return f"nothing is listed behind the id {start - 1}, and the total says that there is more"
        return f"no answer closed the seam between the ids {start - 1} and {end}"


def _bound(resource: str, highest: float | None) -> str:
    """Say where the walk ended, whatever was listed behind."""
    if highest is None:
        return f"no answer showed the highest id of the {resource} at the start, so it ends with the list"
    if highest < 0:
        return f"no {resource} were listed at the start; what came later is no part of it"
    return f"ends at the id {int(highest)}, the highest of the {resource} listed at the start"


def _claimed(resource: str, expected: int) -> str:
    """Say that the vendor's count is no fact."""
    return (
        f"the vendor's totals contradict its own lists, or are missing: that there were {expected:,} "
        f"{resource} at the start is only claimed, and how many are gone or appeared since is not known"
    )


def _owned(rows: list[tuple[RowKey, Raw]], start: int, end: int) -> list[tuple[RowKey, Raw]]:
    """Return the rows of a stretch."""
    return [(key, row) for key, row in rows if key.at is not None and start <= key.at < end]
