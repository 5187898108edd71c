"""Count a crowd, records with (nearly) one date that fit no page: go over its pages until a census settles.

Rule: pages are read from the last to the first, strictly one after another, since deletions only
move a survivor to a lower page; what still slips through, the census notices.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from msgspec import Raw
from msgspec.structs import replace

from nimble_async._sansio.paging import ByNumber
from nimble_async._sansio.walk import OrderedWalk, RowKey
from nimble_async._sansio.windows import Census, Proof, Window, complaint, first_seconds
from nimble_async.jobs.ledger import Ledger
from nimble_async.jobs.reading import Page, Reader

__all__ = ["count_heads"]

_COMFORTABLE = 10
"""Pages of one census: few enough that little changes while it is held."""
_FIRST_WIDTH = 8
"""Seconds."""
_MOST_PASSES = 16


async def count_heads(
    window: Window, query: Mapping[str, Any], *, total: int, walk: OrderedWalk, reader: Reader, ledger: Ledger
) -> list[Window]:
    """Read the crowd at a window's start, keep it as one block, and return the rest of the window."""
    width = (
        window.end - window.start
        if total <= _COMFORTABLE * walk.limit
        else min(_FIRST_WIDTH, window.end - window.start)
    )
    while True:
        crowd = _Crowd(first_seconds(window, width), query, walk=walk, reader=reader)
        settled = await crowd.count(narrowest=width == 1)
        if settled or width == 1:
            break
        width = 1
        reader.counts.reread += 1
    part = crowd.window
    why = (
        ""
        if settled
        else f"{crowd.size:,} records share almost one date, and changed while they were counted"
    )
    await ledger.put(
        crowd.rows(), start=part.start, end=part.end, proof=Proof.CENSUS if settled else Proof.NONE, why=why
    )
    return [replace(window, start=part.end, guess=None, tries=0)] if part.end < window.end else []


class _Crowd:
    """The rows of one narrow window, and the census over them."""

    def __init__(
        self, window: Window, query: Mapping[str, Any], *, walk: OrderedWalk, reader: Reader
    ) -> None:
        self.window = window
        self.census = Census()
        self._walk = walk
        self._reader = reader
        self._user_query = query
        self._query = {**walk.narrow(query, *window.asked), **walk.ascending}
        self._rows: dict[str, tuple[RowKey, Raw]] = {}

    @property
    def size(self) -> int:
        """How many records were seen."""
        return len(self._rows)

    def rows(self) -> list[tuple[RowKey, Raw]]:
        """Return the rows that the window owns."""
        return [pair for pair in self._rows.values() if self.window.owns(pair[0])]

    async def count(self, *, narrowest: bool) -> bool:
        """Go over the pages until the census settles; False where it does not, or narrower is better."""
        page = await self._page(1)
        if page.total is not None and page.total > _COMFORTABLE * self._walk.limit and not narrowest:
            return False
        for _ in range(_MOST_PASSES):
            known = len(self.census)
            for number in range(self._last_page(), 0, -1):
                await self._page(number)
            if self.census.settled():
                return True
            if len(self.census) == known or len(self.census) == self.census.total:
                await self._confirm()
                if self.census.settled():
                    return True
        return False

    def _last_page(self) -> int:
        return max(1, -(-(self.census.total or 1) // self._walk.limit))

    async def _page(self, number: int) -> Page:
        limit = self._walk.limit
        page = await self._reader.page(cursor=ByNumber(number, limit), query=self._query, size=limit)
        if self.census.answers:
            self._reader.counts.reread += 1
        usable = not complaint(self.window, page.keys, page.total, 0)
        names = (
            [key.id or _nameless(row) for key, row in zip(page.keys, page.rows, strict=True)]
            if usable
            else []
        )
        self.census.note(names, page.total if usable else None)
        for name, key, row in zip(names, page.keys, page.rows, strict=False):
            if name in self._rows:
                self._reader.counts.duplicates += 1
            else:
                self._rows[name] = (key, row)
        return page

    async def _confirm(self) -> None:
        """Ask by id who is still there: where ties are unstable, pages rarely show everybody."""
        walk = self._walk
        if walk.members is None:
            return
        names = [
            name for name in self.census.missing_since(self.census.answers - 1) if not name.startswith("\0")
        ]
        alone = {"fields": self._user_query["fields"]} if self._user_query.get("fields") else {}
        for begin in range(0, len(names), walk.members_limit):
            some = names[begin : begin + walk.members_limit]
            rows = await self._reader.rows(walk.members, query={walk.members_id: ",".join(some), **alone})
            self.census.note([key.id for key in self._reader.keys(rows) if key.id is not None], None)


def _nameless(row: Raw) -> str:
    """Name a row without an id by its bytes, so that the census can count it."""
    return f"\0{zlib.crc32(row):08x}{len(row)}"
