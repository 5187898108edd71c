"""Ask for pages and keep the books: what was asked, what time it is at the server, what has come.

Rule: the one way from a job to its source. Rows are the server's bytes; of each row only its id and
what it is ordered by are read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, TypeAlias

from msgspec import Raw, Struct

from nimble_async._aio.ports import Clock
from nimble_async._sansio.message import Response
from nimble_async._sansio.operation import Operation
from nimble_async._sansio.paging import Cursor
from nimble_async._sansio.walk import RowKey, Walk, keys_of
from nimble_async.jobs.journal import Counts
from nimble_async.jobs.ports import PageAnswer, Source

__all__ = ["Listener", "Page", "Progress", "Reader"]


class Progress(Struct, frozen=True, kw_only=True):
    """How far an export has come. Times are seconds."""

    phase: str
    """`survey`, `reading`, `waiting`, `writing` or `done`."""
    records: int
    expected: int
    pages: int
    requests: int
    elapsed: float


Listener: TypeAlias = Callable[[Progress], object]


class Page(NamedTuple):
    """One answer: the rows, the id and place of each, what it counts, and how many rows fill a page."""

    rows: list[Raw]
    keys: list[RowKey]
    total: int | None
    size: int


class Reader:
    """Reads for one run of one job."""

    def __init__(self, source: Source, walk: Walk, clock: Clock, progress: Listener | None) -> None:
        self.clock = clock
        self.counts: Counts = Counts()
        """What was done and is not in the journal yet."""
        self.expected = 0
        self.records = 0
        self.pages: int = 0
        self.requests: int = 0
        self._source = source
        self._walk = walk
        self._progress = progress
        self._began = clock.monotonic()
        self._server: tuple[float, float] | None = None

    def say(self, phase: str) -> None:
        """Tell the listener how far it is."""
        if self._progress is not None:
            self._progress(
                Progress(
                    phase=phase,
                    records=self.records,
                    expected=self.expected,
                    pages=self.pages,
                    requests=self.requests,
                    elapsed=self.clock.monotonic() - self._began,
                )
            )

    async def answer(
        self,
        operation: Operation[Any],
        *,
        cursor: Cursor,
        query: Mapping[str, Any],
        ids: Mapping[str, str] | None = None,
    ) -> PageAnswer:
        """Read one page."""
        self._asked()
        answer = await self._source.page(operation, cursor=cursor, ids=ids or {}, query=query)
        self.pages += 1
        self.counts.pages += 1
        self._tell_time(answer.response)
        return answer

    async def page(self, *, cursor: Cursor, query: Mapping[str, Any], size: int) -> Page:
        """Read one page of the walk's listing with the keys of its rows."""
        answer = await self.answer(self._walk.listing, cursor=cursor, query=query)
        facts = answer.page.facts
        full = min(size, facts.per_page) if facts.per_page else size
        return Page(answer.page.rows, self.keys(answer.page.rows), facts.total, full)

    def keys(self, rows: list[Raw]) -> list[RowKey]:
        """Read the id of each row, and what the list is ordered by."""
        return keys_of(self._walk, rows)

    async def rows(self, operation: Operation[Any], *, query: Mapping[str, Any]) -> list[Raw]:
        """Read a list without pages."""
        self._asked()
        return await self._source.rows(operation, query=query)

    def _asked(self) -> None:
        self.requests += 1
        self.counts.requests += 1

    def _tell_time(self, response: Response) -> None:
        date = response.header("date")
        if date:
            try:
                self._server = (parsedate_to_datetime(date).timestamp(), self.clock.monotonic())
            except ValueError:
                return

    @property
    def told_time(self) -> bool:
        """Whether the server has said what time it is."""
        return self._server is not None

    def now(self) -> float:
        """Return the server's time in seconds since 1970; this machine's where it was never told."""
        if self._server is None:
            return self.clock.wall()
        date, heard = self._server
        return date + self.clock.monotonic() - heard
