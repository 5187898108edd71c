"""A vendor's list in memory, with the bad habits that no simulator of a real one should have."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Raw
from msgspec.structs import replace

from nimble_async._aio.executor import Answer
from nimble_async._sansio.codec import PageFacts, RawPage
from nimble_async._sansio.message import Response
from nimble_async.nimble.walks import CONTACTS

NOON = 1_700_000_000
WALK = replace(CONTACTS, limit=10, members_limit=5)


class StillClock:
    """Time that passes only in `sleep`."""

    def __init__(self) -> None:
        self.time = 0.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """Return seconds."""
        return self.time

    def wall(self) -> float:
        """Return seconds since 1970."""
        return NOON + self.time

    def random(self) -> float:
        """Return no chance at all."""
        return 0.5

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.time += seconds


def contact(number: int, at: float | None, **members: Any) -> bytes:
    """A row as the server might send it."""
    row: dict[str, Any] = {"id": f"c{number:04}", "name": f"Contact {number}"}
    if at is not None:
        row["created"] = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
    row |= members
    return json.dumps({name: value for name, value in row.items() if value is not ...}).encode()


class ListSource:
    """Answers `contacts.list` and `contacts.get_many` from rows in memory; `bend` may spoil an answer.

    `rows` are pairs of the date by which the server files the row (None: filed nowhere) and its bytes.
    """

    def __init__(self, clock: StillClock, rows: Sequence[tuple[float | None, bytes]]) -> None:
        self.clock = clock
        self.rows_there = list(rows)
        self.bend: Callable[[int, list[bytes], int], tuple[list[bytes], int | None]] | None = None
        self.before: Callable[[int], None] = lambda number: None
        self.date = True
        self.asked: list[dict[str, Any]] = []

    async def page(self, operation, *, cursor, ids=None, query=None):
        """Read one page."""
        del operation, ids
        number = len(self.asked)
        self.asked.append({**query, **cursor.query()})
        self.before(number)
        span = self._span(query.get("query"))
        found = sorted(
            (
                row
                for row in self.rows_there
                if span is None or (row[0] is not None and span[0] <= row[0] <= span[1])
            ),
            key=lambda row: (row[0] is None, row[0] or 0, row[1]),
            reverse=query["sort"].endswith("desc"),
        )
        first = (cursor.page - 1) * cursor.per_page
        rows: list[bytes] = [row for _, row in found[first : first + cursor.per_page]]
        total: int | None = len(found)
        if self.bend is not None and cursor.per_page > 1:
            rows, total = self.bend(number, rows, len(found))
        facts = PageFacts(rows=len(rows), total=total, per_page=cursor.per_page, page=cursor.page)
        return Answer(RawPage([Raw(row) for row in rows], facts), self._response())

    async def rows(self, operation, *, ids=None, query=None):
        """Read rows by id."""
        del operation, ids
        self.asked.append(dict(query))
        wanted = set(query["id"].split(","))
        return [Raw(row) for _, row in self.rows_there if json.loads(row).get("id") in wanted]

    def _span(self, text: str | None) -> tuple[float, float] | None:
        if text is None:
            return None
        tree = json.loads(text)
        terms = tree.get("and", [tree])
        ends = next((term["created"]["range"] for term in terms if "created" in term), None)
        if ends is None:
            return None
        start, end = (
            datetime.fromisoformat(ends[name]).timestamp() for name in ("start_datetime", "end_datetime")
        )
        return start, end

    def _response(self) -> Response:
        now = datetime.fromtimestamp(self.clock.wall(), UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
        return Response(status=200, headers={"date": now} if self.date else {})


def spread(count: int, *, step: int = 1000, **members: Any) -> list[tuple[float | None, bytes]]:
    """Rows `step` seconds apart, the youngest an hour old."""
    return [(at := NOON - 3600 - step * number, contact(number, at, **members)) for number in range(count)]
