"""A transport port that serves rows in all six paging styles, in process, and counts what is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec import Struct

from nimble_async._aio.paginator import Paginator, listing
from nimble_async._sansio.message import Request, Response
from nimble_async._sansio.operation import Operation, Paging, Shape, get
from nimble_async._sansio.record import Member, Record
from nimble_async.config import ClientConfig
from nimble_async.nimble.client import NimbleClient
from tests.aio.clients import HASTY, UNPACED


class Row(Record, frozen=True, kw_only=True):
    """A row of the shelf."""

    id: str
    padding: ClassVar[Member[str]] = Member(str)


GROUPS = 3
OPERATIONS: dict[Paging, Operation[Any]] = {
    style: get(
        f"rows.{style.name.lower()}",
        f"/rows/{style.name}",
        returns=Row,
        shape=Shape.GROUPS if style is Paging.NEXT_PAGE_URL else Shape.PAGE,
        items="stages/rows" if style is Paging.NEXT_PAGE_URL else "rows",
        paging=style,
    )
    for style in Paging
}


class Answering(Struct, frozen=True):
    """How the n-th request (from 1) is answered: as the shelf would, or as `change` makes of that."""

    at: int
    change: Callable[[dict[str, Any]], Any]


class Shelf:
    """Serves `count` rows; `spoilt` answers are changed, or raised if the change returns an error."""

    def __init__(self, count: int, *, padding: int = 0, spoilt: tuple[Answering, ...] = ()) -> None:
        self.rows = [{"id": f"r{number}", "padding": "x" * padding} for number in range(count)]
        self.spoilt = {one.at: one.change for one in spoilt}
        self.sends = 0
        self.in_flight = 0
        self.peak = 0
        self.hold: asyncio.Event | None = None

    async def send(self, request: Request, *, timeout: float | None = None) -> Response:
        """Answer after a turn of the loop, or when `hold` is set."""
        del timeout
        self.sends += 1
        spoil = self.spoilt.get(self.sends)
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            await (asyncio.sleep(0) if self.hold is None else self.hold.wait())
        finally:
            self.in_flight -= 1
        answer = self._answer(request.url)
        if spoil is not None:
            answer = spoil(answer)
            if isinstance(answer, Exception):
                raise answer
        return Response(status=200, body=msgspec.json.encode(answer))

    async def aclose(self) -> None:
        """Nothing is open."""

    def _answer(self, url: str) -> dict[str, Any]:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
        style = Paging[parts.path.rpartition("/")[2]]
        if style in {Paging.NUMBER, Paging.NUMBER_FROM_ZERO}:
            return self._numbered(int(query["page"]), int(query["per_page"]), int(style is Paging.NUMBER))
        if style is Paging.NEXT_PAGE_URL:
            return self._grouped(query)
        limit = int(query.get("limit", len(self.rows)))
        begin = int(query.get("offset", query.get("after", 0)))
        rows = self.rows[begin : begin + limit]
        answer: dict[str, Any] = {"rows": rows, "meta": {"total": len(self.rows)}}
        if style is Paging.NEXT_PAGE and begin + limit < len(self.rows):
            answer["next_page"] = {"after": begin + limit}
        return answer

    def _numbered(self, page: int, size: int, first: int) -> dict[str, Any]:
        begin = (page - first) * size
        total = len(self.rows)
        meta = {"page": page, "pages": max(1, -(-total // size)), "per_page": size, "total": total}
        return {"rows": self.rows[begin : begin + size], "meta": meta}

    def _grouped(self, query: dict[str, str]) -> dict[str, Any]:
        wanted = range(GROUPS) if "group" not in query else [int(query["group"])]
        limit, begin = int(query["limit"]), int(query.get("from", 0))
        groups = []
        for group in wanted:
            rows = self.rows[group::GROUPS]
            meta: dict[str, Any] = {"total": len(rows)}
            if begin + limit < len(rows):
                meta["next_page_url"] = (
                    f"/rows/NEXT_PAGE_URL?limit={limit}&group={group}&from={begin + limit}"
                )
            groups.append({"rows": rows[begin : begin + limit], "meta": meta})
        return {"stages": groups}


def walk(
    shelf: Shelf,
    style: Paging = Paging.NUMBER,
    *,
    size: int = 10,
    start: str | None = None,
    client: NimbleClient | None = None,
    **query: Any,
) -> Paginator[Row]:
    """Return a paginator over the shelf, through a client of its own unless one is given."""
    if client is None:
        client = reader(shelf)
    described = listing(OPERATIONS[style], ids={}, query=query, size=size, start=start)
    return Paginator(client._executor, described)


def reader(shelf: Shelf) -> NimbleClient:
    """Return a client whose transport is the shelf."""
    return NimbleClient(
        api_key="shelf", base_url="http://127.0.0.1", transport=shelf, rate=UNPACED,
        config=ClientConfig(retries=HASTY, concurrency=64),
    )  # fmt: skip
