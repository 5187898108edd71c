"""A list of the vendor's, as something to iterate, to await, to walk by pages or to resume.

Rule: nothing is sent until the first `await` or iteration. Plain iteration reads one page when
the one before is used up, never ahead; only `prefetch` reads ahead, inside its `async with`,
because leaving a loop by `break` runs no code of ours.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Generic, TypeVar

from msgspec import Raw, Struct
from msgspec.structs import replace

from nimble_async._aio.executor import Answer, Executor
from nimble_async._aio.fanout import end_tasks
from nimble_async._sansio import codec
from nimble_async._sansio.checkpoints import Position, fingerprint, read_checkpoint, write_checkpoint
from nimble_async._sansio.codec import PageFacts
from nimble_async._sansio.operation import Operation
from nimble_async._sansio.paging import ByNumber, ByOffset, Cursor, Trail, first_cursor, follow
from nimble_async._sansio.record import touched
from nimble_async._sansio.sideload import Beside
from nimble_async.errors import ConfigurationError, MalformedResponse

__all__ = ["Items", "Page", "Pages", "Paginator", "Prefetch"]

T = TypeVar("T")
V = TypeVar("V")

_SLICE = 100
"""Rows decoded before other tasks get a turn."""


class Listing(Struct, frozen=True, kw_only=True):
    """What a paginator walks: the operation, its ids, its query and where it begins."""

    operation: Operation[Any]
    ids: Mapping[str, str]
    query: Mapping[str, Any]
    begin: Position
    fingerprint: str

    def checkpoint(self, position: Position) -> str:
        """Return `position` as a text that belongs to this listing."""
        return write_checkpoint(self.operation.name, self.fingerprint, position)


def listing(
    operation: Operation[Any],
    *,
    ids: Mapping[str, str],
    query: Mapping[str, Any],
    size: int | None,
    page: int | None = None,
    offset: int | None = None,
    start: str | None = None,
) -> Listing:
    """Describe a walk from its first page, from page number `page`, record number `offset`, or a checkpoint.

    Raises:
        CheckpointRefused: `start` is no checkpoint of this query.
        ConfigurationError: The operation does not count its pages, or its records; or `start` comes with one
            of these, which tell another beginning.
    """
    if operation.paging is None:
        raise ConfigurationError(f"{operation.name} has no pages.")
    if size is not None and size < 1:
        raise ConfigurationError(f"A page holds at least 1 record, not {size}.")
    if start is not None and not (page is None and offset is None):
        raise ConfigurationError(f"{operation.name} begins at a checkpoint or at a number, not at both.")
    digits = fingerprint(operation.name, ids, {**query, "size": size})
    cursor = first_cursor(operation.paging, size=size)
    if page is not None:
        if not isinstance(cursor, ByNumber):
            raise ConfigurationError(f"{operation.name} does not count its pages.")
        cursor = ByNumber(page, cursor.per_page, cursor.first)
    if offset is not None:
        if not isinstance(cursor, ByOffset) or type(offset) is not int or offset < 0:
            raise ConfigurationError(f"{operation.name} does not begin at record {offset!r}.")
        cursor = ByOffset(offset, cursor.limit)
    begin = Position(cursor)
    if start is not None:
        begin = read_checkpoint(start, operation=operation.name, query=digits)
    return Listing(operation=operation, ids=ids, query=query, begin=begin, fingerprint=digits)


class Page(Generic[T]):
    """One page: `items`, what the vendor counts, and the way to the next.

    `total` and `pages` are the vendor's, None where it does not say; `rejected` counts rows
    without a usable id, which are left out of `items`.
    """

    __slots__ = ("_after", "facts", "groups", "items", "raw", "rejected")

    def __init__(self, walk: _Walk[T], items: list[T], answer: Answer, rejected: int) -> None:
        self._after = walk
        self.items: list[T] = items
        self.facts: PageFacts = answer.page.facts
        self.groups: list[bytes] = [bytes(group) for group in answer.page.groups]
        """For lists in groups: each group as the vendor sent it."""
        self.raw: bytes = answer.response.body
        """The whole answer as the vendor sent it."""
        self.rejected: int = rejected

    @property
    def total(self) -> int | None:
        """How many records the vendor counts in the whole list."""
        return self.facts.total

    @property
    def pages(self) -> int | None:
        """How many pages the vendor counts."""
        return self.facts.pages

    @property
    def has_next(self) -> bool:
        """Whether there is a page behind this one."""
        return self._after.following is not None

    def beside(self, name: str, kind: type[V]) -> list[V]:
        """Return the records of another list of this answer, such as one asked for by `include`.

        None came unless the answer has such a list. Rows without a usable id are left out, and counted.
        """
        rows = codec.read_list(self.raw, name)
        records = self._after.executor.records(kind, rows)
        return [record for record in records if record is not None]

    async def next(self) -> Page[T] | None:
        """Read the page behind this one; None after the last."""
        return await self._after.copy().page()

    def __len__(self) -> int:
        """Return how many items this page holds."""
        return len(self.items)

    def __iter__(self) -> Iterator[T]:
        """Iterate over the items."""
        return iter(self.items)

    def __repr__(self) -> str:
        """Show the counts."""
        return f"<Page of {len(self.items)}, total {self.total}>"


class _Step(Struct, frozen=True):
    """One page that was read and checked, before a walk stands on it."""

    cursor: Cursor
    answer: Answer
    trail: Trail
    following: Cursor | None


class _Walk(Generic[T]):
    """The state of one walk: the page it stands on, the next row, the page that follows."""

    __slots__ = (
        "before", "beside", "count", "cursor", "executor", "fetch", "following", "kind", "last", "listing",
        "reading", "row", "trail",
    )  # fmt: skip

    def __init__(self, executor: Executor, listing: Listing) -> None:
        self.executor: Executor = executor
        self.listing: Listing = listing
        self.kind: type[T] = listing.operation.returns
        self.fetch: Callable[[Cursor], Awaitable[Answer]] = self.fetch_plainly
        self.cursor: Cursor = listing.begin.cursor
        self.following: Cursor | None = listing.begin.cursor
        self.before: int | None = listing.begin.mark
        self.trail: Trail = Trail(listing.begin.mark)
        self.row: int = listing.begin.row
        self.beside: Beside | None = None
        """What came beside the rows of the page it stands on, while their turn lasts."""
        self.count: int | None = None
        """Rows of the page it stands on; None before the first."""
        self.reading: bool = False
        self.last: T | None = None
        """The last record it read: what was asked of it is read with the next ones at once."""

    def copy(self) -> _Walk[T]:
        """Return a walk that stands where this one does and moves on its own."""
        other: _Walk[T] = _Walk(self.executor, self.listing)
        other.cursor, other.following, other.before = self.cursor, self.following, self.before
        other.trail, other.row, other.count = self.trail, self.row, self.count
        other.last = self.last
        return other

    @property
    def position(self) -> Position:
        """Where a new walk would go on."""
        if self.count is None:
            return self.listing.begin
        if self.row < self.count or self.following is None:
            return Position(self.cursor, self.row, self.before)
        return Position(self.following, 0, self.trail.mark)

    async def fetch_plainly(self, cursor: Cursor) -> Answer:
        """Read one page, now."""
        walked = self.listing
        return await self.executor.page(walked.operation, cursor=cursor, ids=walked.ids, query=walked.query)

    async def turn(self) -> list[Raw] | None:
        """Read the next page and stand on it; None after the last page."""
        with self._alone():
            step = await self._read()
        if step is None:
            self.beside = None
            return None
        self._stand_on(step)
        rows: list[Raw] = step.answer.page.rows
        self.beside = step.answer.page.beside
        self.executor.page_was_read(self.listing.operation, len(rows))
        return rows

    async def page(self) -> Page[T] | None:
        """Read and decode the next page; None after the last. Cancelled, it stands where it stood."""
        with self._alone():
            step = await self._read()
            if step is None:
                return None
            rows = step.answer.page.rows
            wanted = rows[self.row if self.count is None else 0 :]
            items = await self._decoded(wanted, step.answer.page.beside)
        self._stand_on(step)
        self.row = len(rows)
        self.executor.page_was_read(self.listing.operation, len(rows))
        return Page(self.copy(), items, step.answer, len(wanted) - len(items))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let no second task read the same page: the vendor would be blamed for sending it twice."""
        if self.reading:
            raise RuntimeError("Another task reads this iteration's next page; give each task its own.")
        self.reading = True
        try:
            yield
        finally:
            self.reading = False

    async def _read(self) -> _Step | None:
        cursor = self.following
        if cursor is None:
            return None
        try:
            answer = await self.fetch(cursor)
            trail, following = follow(self.trail, cursor, answer.page.facts)
        except BaseException as error:
            error.checkpoint = self.listing.checkpoint(self.position)  # type: ignore[attr-defined]  # any error has room
            raise
        return _Step(cursor, answer, trail, following)

    def _stand_on(self, step: _Step) -> None:
        self.row = self.row if self.count is None else 0
        self.before, self.trail = self.trail.mark, step.trail
        self.cursor, self.following = step.cursor, step.following
        self.count = len(step.answer.page.rows)

    async def _decoded(self, rows: list[Raw], beside: Beside) -> list[T]:
        """Decode rows, in slices: other tasks get their turn in between."""
        items: list[T] = []
        eager = touched(self.last)
        for begin in range(0, len(rows), _SLICE):
            if begin:
                await asyncio.sleep(0)
            some = rows[begin : begin + _SLICE]
            found = self.executor.records(self.kind, some[:-1], beside, eager=eager)
            # The last one shows whether they are still asked for.
            found += self.executor.records(self.kind, some[-1:], beside)
            items.extend(record for record in found if record is not None)
        self.last = items[-1] if items else None
        return items


class Items(Generic[T]):
    """One walk, item by item. It holds no task and no connection, so it may be left at any time."""

    __slots__ = ("_closed", "_coming", "_read", "_rows", "_walk")

    def __init__(self, walk: _Walk[T]) -> None:
        self._walk: _Walk[T] = walk
        self._rows: list[Raw] = []
        self._coming: list[Raw] = []
        """The next rows of the page, backwards. Each is decoded when it is its turn: what the record
        before it left in the memory's caches is used again."""
        self._read: Callable[[Raw], T] = walk.executor.reader(walk.kind)
        self._closed: bool = False

    def __aiter__(self) -> Items[T]:
        """Return itself."""
        return self

    async def __anext__(self) -> T:
        """Return the next item; reads a page when the last one is used up."""
        walk = self._walk
        while True:
            coming = self._coming
            while coming:
                walk.row += 1
                row = coming.pop()
                if not coming:  # the last shows whether the members that were asked for still are
                    self._read = walk.executor.reader(walk.kind, beside=walk.beside)
                try:
                    walk.last = record = self._read(row)
                except MalformedResponse as error:
                    walk.executor.core.report.rejected(walk.kind.__name__, error)
                    continue
                return record
            if not await self._more():
                raise StopAsyncIteration

    async def _more(self) -> bool:
        """Go to the next slice of this page, or of the next one; False at the end of the walk."""
        walk = self._walk
        if walk.row < len(self._rows):
            await asyncio.sleep(0)  # a slice was used up: others get their turn
        else:
            rows = None if self._closed else await walk.turn()
            self._rows = rows or []
            if rows is None:
                return False
        self._coming = self._rows[walk.row : walk.row + _SLICE]
        self._coming.reverse()
        self._read = walk.executor.reader(walk.kind, touched(walk.last), walk.beside)
        return True

    async def aclose(self) -> None:
        """End the iteration and let go of the page it holds; `checkpoint()` still tells where it stood."""
        self._rows, self._coming = [], []
        self._walk.last = self._walk.beside = None
        self._closed = True

    def checkpoint(self) -> str:
        """Return where this iteration stands."""
        return self._walk.listing.checkpoint(self._walk.position)


class Pages(Generic[T]):
    """One walk, page by page."""

    __slots__ = ("_walk",)

    def __init__(self, walk: _Walk[T]) -> None:
        self._walk = walk

    def __aiter__(self) -> Pages[T]:
        """Return itself."""
        return self

    async def __anext__(self) -> Page[T]:
        """Read and decode the next page."""
        page = await self._walk.page()
        if page is None:
            raise StopAsyncIteration
        return page


class Paginator(Generic[T]):
    """A list of the vendor's. It sends nothing until used.

    `async for` gives the items one by one; `await` gives the first `Page`. Each use is a walk
    of its own from the beginning; `checkpoint()` tells where the latest one stands.
    """

    def __init__(self, executor: Executor, listing: Listing) -> None:
        self._executor = executor
        self._listing = listing
        self._latest: _Walk[T] | None = None

    def _walk(self) -> _Walk[T]:
        self._latest = _Walk(self._executor, self._listing)
        return self._latest

    def __aiter__(self) -> AsyncIterator[T]:
        """Iterate over the items, one page at a time."""
        return Items(self._walk())

    def __await__(self) -> Generator[Any, None, Page[T]]:
        """Read the first page."""
        return self._first_page().__await__()

    async def _first_page(self) -> Page[T]:
        walk = self._walk()
        page = await walk.page()
        assert page is not None, "a walk begins with a page"  # noqa: S101 (for the type checker)
        return page

    def pages(self) -> Pages[T]:
        """Iterate over the pages."""
        return Pages(self._walk())

    async def collect(self, *, limit: int | None = None) -> list[T]:
        """Return the items as a list, `limit` of them at most. Reads no page more than needed."""
        found: list[T] = []
        if limit is not None and limit <= 0:
            return found
        async for item in self:
            found.append(item)
            if len(found) == limit:
                break
        return found

    async def first(self) -> T | None:
        """Return the first item; None where there is none."""
        async for item in self:
            return item
        return None

    def prefetch(self, *, pages: int = 8, longest: int = 32 * 1024 * 1024) -> Prefetch[T]:
        """Read up to `pages` pages or `longest` bytes ahead, inside `async with`; the order stays.

        Where the vendor says how many pages there are they are read side by side, else one
        page ahead. Rows that move between pages while they are read are missed or doubled as
        in any walk by pages; `export` is the job that proves there were none.
        """
        if pages < 1 or longest < 1:
            raise ConfigurationError("prefetch needs at least one page and one byte.")
        return Prefetch(self, pages=pages, longest=longest)

    def checkpoint(self) -> str:
        """Return where the latest walk stands, as a text for `start=`. Before any walk: the beginning."""
        walk = self._latest
        return self._listing.checkpoint(self._listing.begin if walk is None else walk.position)

    def __repr__(self) -> str:
        """Show the operation and where the latest walk stands."""
        walk = self._latest
        where = "not started" if walk is None else f"at {walk.cursor}"
        return f"<Paginator {self._listing.operation.name}, {where}>"


class Prefetch(Generic[T]):
    """A walk that reads ahead while its `async with` is open."""

    def __init__(self, paginator: Paginator[T], *, pages: int, longest: int) -> None:
        self._paginator = paginator
        self._pages = pages
        self._longest = longest
        self._walk: _Walk[T] | None = None
        self._ahead: _Ahead | None = None

    async def __aenter__(self) -> Items[T]:
        """Start a walk; its first page is read when the first item is asked for."""
        self._walk = walk = self._paginator._walk()  # noqa: SLF001 (the same module)
        self._ahead = _Ahead(walk.fetch_plainly, pages=self._pages, longest=self._longest)
        walk.fetch = self._ahead.fetch
        return Items(walk)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what is still being read; who iterates on reads page by page."""
        if self._walk is not None and self._ahead is not None:
            self._walk.fetch = self._walk.fetch_plainly
            await self._ahead.aclose()


class _Ahead:
    """Pages on their way, in order; bounded in number and, by the largest page so far, in bytes."""

    def __init__(
        self, fetch: Callable[[Cursor], Coroutine[Any, Any, Answer]], *, pages: int, longest: int
    ) -> None:
        self._fetch = fetch
        self._pages = pages
        self._longest = longest
        self._largest = 0
        self._coming: deque[tuple[Cursor, asyncio.Task[Answer]]] = deque()

    async def fetch(self, cursor: Cursor) -> Answer:
        """Return the page at `cursor`, most likely already here, and send for those behind it."""
        if not self._coming or self._coming[0][0] != cursor:
            await self.aclose()
            self._send_for(cursor)
        task = self._coming[0][1]
        # A consumer that is cancelled here leaves the page on its way for the next attempt.
        await asyncio.wait([task])
        self._coming.popleft()
        answer = task.result()
        self._largest = max(self._largest, len(answer.response.body))
        self._send_for_more(cursor, answer.page.facts)
        return answer

    def _send_for(self, cursor: Cursor) -> None:
        self._coming.append((cursor, asyncio.create_task(self._fetch(cursor))))

    def _send_for_more(self, cursor: Cursor, facts: PageFacts) -> None:
        while len(self._coming) < self._pages and (len(self._coming) + 1) * self._largest <= self._longest:
            last = self._coming[-1][0] if self._coming else cursor
            following = _behind(last, facts, known=not self._coming)
            if following is None:
                return
            self._send_for(following)

    async def aclose(self) -> None:
        """Cancel what is on its way and wait until it has ended."""
        tasks = [task for _, task in self._coming]
        self._coming.clear()
        await end_tasks(tasks)


def _behind(last: Cursor, facts: PageFacts, *, known: bool) -> Cursor | None:
    """Return the cursor behind `last`, which `facts` describe themselves only if `known`."""
    if isinstance(last, ByNumber) and facts.pages is not None:
        return last.after(facts if known else replace(facts, has_more=None))
    if isinstance(last, ByOffset) and facts.total is not None:
        following = ByOffset(last.offset + last.limit, last.limit)
        return following if following.offset < facts.total else None
    return last.after(facts) if known else None
