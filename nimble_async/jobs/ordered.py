"""Read a listing that can be filtered and sorted by an immutable date: windows side by side, each proven.

Rule: what an answer proves is judged in `_sansio.windows`; here it is asked for. One task is one
answer (or one census), so a kill or a cancellation costs the answers in flight and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from math import floor
from typing import Any

from msgspec.structs import replace

from nimble_async._aio.fanout import fanout
from nimble_async._sansio.paging import ByNumber
from nimble_async._sansio.walk import OrderedWalk, RowKey
from nimble_async._sansio.windows import (
    EARLIEST,
    LATEST,
    Again,
    Crowded,
    Halves,
    Prefix,
    Proof,
    Whole,
    Window,
    gaps,
    judge,
    share,
)
from nimble_async.errors import PagingBroken
from nimble_async.jobs.crowd import count_heads
from nimble_async.jobs.journal import Closed, Journal, Started
from nimble_async.jobs.ledger import Ledger
from nimble_async.jobs.reading import Page, Reader

__all__ = ["OrderedReading"]

_FRESH = 60
"""The youngest seconds are read last of all, so that an index slower than promised has the longest time."""
_MOST_SURVEYS = 24


class OrderedReading:
    """One run over an ordered walk: survey, windows, tail."""

    def __init__(
        self,
        walk: OrderedWalk,
        query: Mapping[str, Any],
        *,
        reader: Reader,
        ledger: Ledger,
        journal: Journal,
        concurrency: int,
    ) -> None:
        self._walk = walk
        self._query = query
        self._reader = reader
        self._ledger = ledger
        self._journal = journal
        self._concurrency = concurrency
        self._running: dict[asyncio.Task[list[Window]], Window] = {}

    async def run(self) -> None:
        """Read everything that is not in the journal yet, and close it.

        Raises:
            PagingBroken: The vendor does not keep to the dates asked for.
            CrmError: A call failed for good; what was read is kept.
        """
        started = self._journal.started or await self._survey()
        self._reader.expected = started.expected
        await self._wait_for_the_index(started)
        covered = [(block.start, block.end) for block in self._journal.blocks]
        fresh_from = max(EARLIEST, min(started.at - _FRESH, started.end))
        old = [replace(window, guess=self._guess(window, started)) for window in
               gaps(covered, start=EARLIEST, end=fresh_from)]  # fmt: skip
        await self._read(old, started)
        fresh = gaps(covered, start=fresh_from, end=started.end)
        await self._read(fresh, started)
        await self._close(started)

    def _guess(self, window: Window, started: Started) -> int | None:
        """Guess a window's records by its share of the dates in use."""
        if started.low is None or started.high is None:
            return 0
        width = max(1.0, started.high - started.low)
        inside = min(window.end, started.high) - max(window.start, started.low)
        return int(started.expected * min(1.0, max(0.0, inside) / width))

    async def _survey(self) -> Started:
        """Learn the server's time, the total and the dates in use; check that every record has a date.

        A record without a date lies in no window. So the total without any date filter must equal the
        total of all dates: two of the first and one of the second, asked for at once so that little
        changes in between, until all three agree.
        """
        everything = self._narrow(EARLIEST, LATEST)
        probes = [
            partial(self._probe, self._query, self._walk.ascending),
            partial(self._probe, everything, self._walk.descending),
            partial(self._probe, self._query, self._walk.ascending),
        ]
        first, dated, again = await fanout(probes, at_once=3)
        at = floor(self._reader.now())
        missing = 0
        for _ in range(_MOST_SURVEYS):
            missing = (again.total or 0) - (dated.total or 0)
            if again.total == dated.total == first.total:
                break
            first, dated, again = await fanout(probes, at_once=3)
        else:
            missing = missing or 1
        low, high = _date(first), _date(dated)
        notes = (f"about {abs(missing)} records have no date to be asked for by",) if missing else ()
        started = Started(
            at=at,
            # The youngest record there is lies inside, also where its date is ahead of the server's clock.
            end=max(at + 1, 0 if high is None else floor(high) + 1),
            low=low,
            high=high,
            expected=first.total or 0,
            notes=notes,
        )
        await self._ledger.flush(started)
        self._reader.expected = started.expected
        self._reader.say("survey")
        return started

    async def _probe(self, query: Mapping[str, Any], order: Mapping[str, Any]) -> Page:
        return await self._reader.page(cursor=ByNumber(1, 1), query={**query, **order}, size=1)

    def _narrow(self, start: int, end: int) -> dict[str, Any]:
        return self._walk.narrow(self._query, start, end)

    async def _wait_for_the_index(self, started: Started) -> None:
        """Wait until everything that existed at the start must be listed, whatever its date says."""
        if not self._reader.told_time:
            await self._probe(self._query, self._walk.ascending)
        ready = started.at + 1 + self._walk.lag
        while (left := ready - self._reader.now()) > 0:
            await self._ledger.flush()
            self._reader.say("waiting")
            await self._reader.clock.sleep(min(left, 1.0))

    async def _read(self, windows: list[Window], started: Started) -> None:
        todo = windows
        try:
            while todo or self._running:
                idle = self._concurrency - len(self._running) - len(todo)
                todo = share(todo, idle=idle, size=self._walk.limit, low=started.low, high=started.high)
                while todo and len(self._running) < self._concurrency:
                    window = todo.pop(0)
                    self._running[asyncio.create_task(self._step(window))] = window
                done, _ = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    del self._running[task]
                    todo += task.result()
                todo.sort()
                self._reader.say("reading")
        finally:
            await self._stop()

    async def _stop(self) -> None:
        """End what still runs; what it had handed over stays."""
        tasks, self._running = list(self._running), {}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
            for task in tasks:
                if not task.cancelled():
                    task.exception()  # seen: the first error is the one that is raised

    async def _step(self, window: Window) -> list[Window]:
        """Ask once, keep what the answer proves, and return the windows that are left."""
        limit = self._walk.limit
        query = {**self._narrow(*window.asked), **self._walk.ascending}
        page = await self._reader.page(cursor=ByNumber(1, limit), query=query, size=limit)
        verdict = judge(window, page.keys, total=page.total, size=page.size)
        match verdict:
            case Whole(proof):
                await self._keep(window, page, proof)
                return []
            case Prefix(until, proof):
                await self._keep(replace(window, end=until), page, proof)
                rest = max(0, (page.total or 0) - len(page.keys))
                return [Window(until, window.end, rest)] if until < window.end else []
            case Halves(left, right):
                self._reader.counts.reread += 1
                return [left, right]
            case Crowded(total):
                return await count_heads(
                    window,
                    self._query,
                    total=total,
                    walk=self._walk,
                    reader=self._reader,
                    ledger=self._ledger,
                )
            case Again(why, final):
                return await self._again(window, page, why, final=final)

    async def _keep(self, window: Window, page: Page, proof: Proof, why: str = "") -> None:
        rows = [(key, row) for key, row in zip(page.keys, page.rows, strict=True) if window.owns(key)]
        self._reader.counts.foreign += len(page.rows) - len(rows)
        await self._ledger.put(rows, start=window.start, end=window.end, proof=proof, why=why)

    async def _again(self, window: Window, page: Page, why: str, *, final: bool) -> list[Window]:
        self._reader.counts.reread += 1
        if not final:
            return [replace(window, tries=window.tries + 1)]
        if "outside" in why:
            raise PagingBroken(f"The vendor does not keep to the dates asked for: {why}.")
        # Everything that came is delivered, and the walk goes on behind it as far as it can be placed.
        reach = max((floor(key.at) for key in page.keys if key.at is not None), default=window.end)
        until = min(reach, window.end) if reach > window.start else window.end
        await self._keep(replace(window, end=until), page, Proof.NONE, why)
        return [Window(until, window.end)] if until < window.end else []

    async def _close(self, started: Started) -> None:
        tail = await self._probe(self._narrow(started.end, LATEST), self._walk.ascending)
        await self._ledger.flush(Closed(at=floor(self._reader.now()), born_after=tail.total))


def _date(page: Page) -> float | None:
    keys: list[RowKey] = page.keys
    return keys[0].at if keys else None
