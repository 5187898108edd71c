"""Six ways to ask for the next page, as frozen cursors, and the rules a walk must keep.

Rule: a cursor says what to send (`query` or `url`) and, given the facts of an answer, which
cursor comes next; `follow` watches the walk and raises when it is cut short, repeats itself
or runs in a loop. Nothing here promises that rows did not move between two pages.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from nimble_async._sansio.codec import PageFacts
from nimble_async._sansio.operation import Paging
from nimble_async.errors import PagingBroken

__all__ = [
    "ByLimit",
    "ByNextPage",
    "ByNumber",
    "ByOffset",
    "ByUrl",
    "Cursor",
    "Trail",
    "first_cursor",
    "follow",
]


class ByNumber(Struct, frozen=True, tag="number"):
    """`page` and `per_page`, counted from `first` (1, or 0 for message drafts)."""

    page: int
    per_page: int
    first: int = 1

    def query(self) -> dict[str, Any]:
        """Return the members of the query that ask for this page."""
        return {"page": self.page, "per_page": self.per_page}

    def after(self, facts: PageFacts) -> ByNumber | None:
        """Return the next page's cursor; None after the last one.

        Without `pages` in the answer a short page is the last.
        """
        following = ByNumber(self.page + 1, self.per_page, self.first)
        if facts.pages is not None:
            return following if self.page - self.first + 1 < facts.pages else None
        return following if facts.rows >= (facts.per_page or self.per_page) else None


class ByNextPage(Struct, frozen=True, tag="next_page"):
    """`limit`, and the members of the last answer's `next_page` object sent back.

    Without a limit none is sent: the vendor takes a moment to read up to in its place.
    """

    limit: int | None
    arguments: dict[str, Any] = {}

    def query(self) -> dict[str, Any]:
        """Return the members of the query that ask for this page."""
        return dict(self.arguments) if self.limit is None else {**self.arguments, "limit": self.limit}

    def after(self, facts: PageFacts) -> ByNextPage | None:
        """Return the cursor that the answer names; None where it names none."""
        return ByNextPage(self.limit, dict(facts.next_page)) if facts.next_page else None


class ByUrl(Struct, frozen=True, tag="url"):
    """The first answer by `limit`, then each group's `next_page_url` in turn."""

    limit: int
    pending: tuple[str, ...] = ()

    @property
    def url(self) -> str | None:
        """The address to read next; None for the first answer."""
        return self.pending[0] if self.pending else None

    def query(self) -> dict[str, Any]:
        """Return the members of the first query; an address carries its own."""
        return {} if self.pending else {"limit": self.limit}

    def after(self, facts: PageFacts) -> ByUrl | None:
        """Return the cursor with this answer's addresses queued; None when none is left."""
        pending = self.pending[1:] + facts.next_urls
        return ByUrl(self.limit, pending) if pending else None


class ByLimit(Struct, frozen=True, tag="limit"):
    """`limit` alone: the vendor documents no second page."""

    limit: int | None = None

    def query(self) -> dict[str, Any]:
        """Return the members of the query."""
        return {} if self.limit is None else {"limit": self.limit}

    def after(self, facts: PageFacts) -> None:
        """There is no second page."""
        del facts


class ByOffset(Struct, frozen=True, tag="offset"):
    """`limit` and a zero-based `offset`; totals are hints, a short page is the end."""

    offset: int
    limit: int

    def query(self) -> dict[str, Any]:
        """Return the members of the query that ask for this page."""
        return {"limit": self.limit, "offset": self.offset}

    def after(self, facts: PageFacts) -> ByOffset | None:
        """Return the next page's cursor; None after a short or empty page.

        A total that promises more behind a short page is asked once more: it is a hint, but a vendor
        that holds its pages shorter than they were asked for must not end the walk.
        """
        following = ByOffset(self.offset + facts.rows, self.limit)
        more = facts.total is not None and facts.rows > 0 and following.offset < facts.total
        return following if more or facts.rows >= self.limit else None


Cursor = ByNumber | ByNextPage | ByUrl | ByLimit | ByOffset


def first_cursor(paging: Paging, *, size: int | None) -> Cursor:
    """Return where a walk of this style begins, `size` records a page.

    Unless told, that is 100 where pages are counted, and no limit where `limit` may be left out.
    """
    if paging is Paging.LIMIT:
        return ByLimit(size)
    if paging is Paging.NEXT_PAGE:
        return ByNextPage(size)
    size = 100 if size is None else size
    if paging is Paging.NUMBER:
        return ByNumber(1, size)
    if paging is Paging.NUMBER_FROM_ZERO:
        return ByNumber(0, size, 0)
    if paging is Paging.NEXT_PAGE_URL:
        return ByUrl(size)
    return ByOffset(0, size)


class Trail(Struct, frozen=True):
    """What a walk remembers of its past: the last page's checksum, and addresses it has been to."""

    mark: int | None = None
    urls: frozenset[str] = frozenset()


def follow(trail: Trail, cursor: Cursor, facts: PageFacts) -> tuple[Trail, Cursor | None]:
    """Check one answer against the walk so far; return the new trail and the next cursor.

    Raises:
        PagingBroken: The walk was cut short, repeats a page or runs in a loop.
    """
    following = cursor.after(facts)
    _refuse_a_short_page(cursor, facts)
    if facts.rows and facts.mark == trail.mark and not isinstance(cursor, ByUrl):
        raise PagingBroken(f"The vendor sent the same page twice in a row at {_place(cursor)}.")
    if following is not None and following == cursor:
        raise PagingBroken(f"The vendor's next page is the one just read, at {_place(cursor)}.")
    urls = trail.urls
    if isinstance(cursor, ByUrl):
        fresh = set(facts.next_urls)
        if fresh & (urls | {cursor.url}) or len(fresh) < len(facts.next_urls):
            raise PagingBroken(
                f"The vendor's next_page_url leads back to a page already read, at {_place(cursor)}."
            )
        urls = urls | fresh
    return Trail(facts.mark if facts.rows else trail.mark, urls), following


def _refuse_a_short_page(cursor: Cursor, facts: PageFacts) -> None:
    if isinstance(cursor, ByNumber) and facts.pages is not None:
        size = facts.per_page or cursor.per_page
        if cursor.page - cursor.first + 1 < facts.pages and facts.rows < size:
            raise PagingBroken(
                f"{_place(cursor).capitalize()} of {facts.pages} held {facts.rows} of {size} records: "
                "the walk was cut short."
            )
    elif isinstance(cursor, ByNextPage) and facts.next_page and not facts.rows:
        raise PagingBroken("An empty page names a next one: the walk would not end.")


def _place(cursor: Cursor) -> str:
    if isinstance(cursor, ByNumber):
        return f"page {cursor.page}"
    if isinstance(cursor, ByOffset):
        return f"offset {cursor.offset}"
    if isinstance(cursor, ByUrl):
        return f"address {cursor.url}" if cursor.pending else "the first page"
    return f"arguments {cursor.query()}"
