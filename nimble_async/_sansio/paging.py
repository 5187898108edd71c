"""Six ways to ask for the next page, as frozen cursors, and the rules a walk must keep.

Rule: a cursor says what to send (`query` or `url`) and, given the facts of an answer, which
cursor comes next; `follow` watches the walk and raises when it is cut short, repeats itself,
runs in a loop or runs after a list that grows faster than it is read. Nothing here promises
that rows did not move between two pages. Where no order of a list is known the ids are watched:
rows that come twice stand in the place of others that did not come at all.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

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


class ByNumber(Struct, frozen=True, tag="number", omit_defaults=True):
    """`page` and `per_page`, counted from `first` (1, or 0 for message drafts)."""

    page: int
    per_page: int
    first: int = 1
    served: int | None = None
    """Records that the vendor puts on a page, where it was seen to hold its pages shorter than asked."""

    def query(self) -> dict[str, Any]:
        """Return the members of the query that ask for this page."""
        return {"page": self.page, "per_page": self.per_page}

    def after(self, facts: PageFacts) -> ByNumber | None:
        """Return the next page's cursor; None after the last one.

        Without `pages` in the answer a short page is the last, unless the answer says that there is more.
        """
        following = replace(self, page=self.page + 1)
        if facts.pages is not None:
            told = self.page - self.first + 1 < facts.pages or facts.has_more is True
            return following if told else None
        full = facts.rows >= self.size(facts)
        if full and facts.has_more is not False:
            return following
        if not self.promised(facts):
            return None
        return following if full or facts.per_page else replace(following, served=facts.rows or self.served)

    def size(self, facts: PageFacts) -> int:
        """Return how many records a full page of this vendor holds."""
        return facts.per_page or self.served or self.per_page

    def promised(self, facts: PageFacts) -> bool:
        """Return whether the answer says that there are records behind it."""
        read = (self.page - self.first) * self.size(facts) + facts.rows
        return facts.has_more is True or (facts.total is not None and read < facts.total)


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


_REMEMBERED = 64
"""Checksums of pages that a walk keeps: a shorter loop is seen when its first page comes again."""
_GROWTH = 1000
"""Records by which a list may grow, beyond twice what it counted at first, before its walk is given up."""


class Trail(Struct, frozen=True):
    """What a walk remembers of its past, in little memory however long it is."""

    mark: int | None = None
    """The checksum of the last page that held rows."""
    urls: frozenset[str] = frozenset()
    """Addresses it has been to."""
    marks: tuple[int, ...] = ()
    """The checksums of the latest pages before that one, no two alike."""
    anchor: int | None = None
    """One checksum kept for longer: that of page 1, 2, 4, 8 ..., so that a loop of any length comes by it."""
    pages: int = 0
    """Pages with rows so far."""
    counted: int | None = None
    """The total that the first answer told."""
    ids: tuple[frozenset[str], ...] = ()
    """The ids so far of a list without an order, in sets that grow: about a hundred bytes an id."""
    doubled: int = 0
    """Rows of these that came again."""

    def seen(self, mark: int) -> bool:
        """Return whether a page with this checksum came before."""
        return mark in {self.anchor, self.mark, *self.marks}

    def after(self, facts: PageFacts, urls: frozenset[str]) -> Trail:
        """Return the trail with one more answer."""
        counted = facts.total if self.counted is None else self.counted
        if not facts.rows:
            return replace(self, urls=urls, counted=counted)
        doubled = self.doubled + len(facts.ids) - len(self.fresh(facts))
        pages = self.pages + 1
        marks = self.marks if self.mark is None else (*self.marks, self.mark)[-_REMEMBERED:]
        anchor = facts.mark if pages & (pages - 1) == 0 else self.anchor
        ids = _together(self.ids, frozenset(facts.ids))
        return Trail(facts.mark, urls, marks, anchor, pages, counted, ids, doubled)

    def fresh(self, facts: PageFacts) -> frozenset[str]:
        """Return the ids of an answer that did not come before."""
        return frozenset(one for one in facts.ids if not any(one in some for some in self.ids))


def _together(sets: tuple[frozenset[str], ...], new: frozenset[str]) -> tuple[frozenset[str], ...]:
    """Return the sets with one more, joined with those that are no larger: few sets, each copied seldom."""
    while sets and len(sets[-1]) <= len(new):
        new, sets = new | sets[-1], sets[:-1]
    return (*sets, new) if new else sets


def follow(trail: Trail, cursor: Cursor, facts: PageFacts) -> tuple[Trail, Cursor | None]:
    """Check one answer against the walk so far; return the new trail and the next cursor.

    Raises:
        PagingBroken: The walk was cut short, repeats a page, runs in a loop or will not end.
    """
    _refuse_a_strange_way(cursor, facts)
    following = cursor.after(facts)
    _refuse_a_short_page(cursor, facts)
    _refuse_a_page_seen_before(trail, cursor, facts)
    _refuse_endless_growth(trail, cursor, facts)
    _refuse_lost_rows(trail, cursor, facts, last=following is None)
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
    return trail.after(facts, urls), following


def _refuse_a_strange_way(cursor: Cursor, facts: PageFacts) -> None:
    if facts.strange:
        raise PagingBroken(
            f"{facts.strange} of the answer at {_place(cursor)} is of a type that cannot be followed: "
            "there may be more."
        )


def _refuse_a_page_seen_before(trail: Trail, cursor: Cursor, facts: PageFacts) -> None:
    # Groups at addresses of their own may look alike; their addresses are watched instead.
    if not facts.rows or isinstance(cursor, ByUrl) or not trail.seen(facts.mark):
        return
    if facts.mark == trail.mark:
        raise PagingBroken(f"The vendor sent the same page twice in a row at {_place(cursor)}.")
    raise PagingBroken(
        f"The vendor sent a page again that came before, at {_place(cursor)}: the walk runs in a loop.",
        hint="A server that passes over where to begin answers so.",
    )


def _refuse_endless_growth(trail: Trail, cursor: Cursor, facts: PageFacts) -> None:
    """Refuse to run after a list by offset that grows faster than it is read.

    A total that is a little wrong is only a wrong hint; far beyond it the walk is given up too.
    """
    if not isinstance(cursor, ByOffset) or trail.counted is None or facts.total is None:
        return
    read = cursor.offset + facts.rows
    if facts.rows and read > 2 * max(trail.counted, facts.total) + _GROWTH:
        raise PagingBroken(
            f"The vendor counts {facts.total} records and sent {read}, up to {_place(cursor)}: "
            "it may pass over where to begin.",
            hint="Look at one page: do its records come again?",
        )
    if read > 2 * trail.counted + _GROWTH and facts.total >= read:
        raise PagingBroken(
            f"The list grows faster than it is read: {trail.counted} records were counted at first, "
            f"{facts.total} are now, and the walk stands at {_place(cursor)}.",
            hint="Go on from the error's checkpoint, or filter by a date that is over.",
        )


def _refuse_lost_rows(trail: Trail, cursor: Cursor, facts: PageFacts, *, last: bool) -> None:
    """Refuse a list without an order where rows came twice, and others therefore did not.

    Rows that were inserted meanwhile push others onto the next page: as far as the total has grown since
    the first answer, rows that come twice cost no other one.
    """
    if not isinstance(cursor, ByOffset) or not (facts.ids or trail.ids):
        return
    fresh = trail.fresh(facts)
    if facts.ids and not fresh:
        raise PagingBroken(
            f"The vendor sent no record at {_place(cursor)} that it had not sent before.",
            hint="A server that passes over where to begin answers so.",
        )
    doubled = trail.doubled + len(facts.ids) - len(fresh)
    counts = [count for count in (trail.counted, facts.total) if count is not None]
    read = cursor.offset + facts.rows
    if last and doubled and (not counts or read - doubled < min(counts)):
        raise PagingBroken(
            f"{doubled} of {read} records came twice up to {_place(cursor)}, and no order of this list is "
            "known: as many others may be missing.",
            hint="Ask for less at once, so that one page holds it: `page.total == len(page.items)`.",
        )


def _refuse_a_short_page(cursor: Cursor, facts: PageFacts) -> None:
    if isinstance(cursor, ByNumber) and facts.pages is not None:
        size = cursor.size(facts)
        if cursor.page - cursor.first + 1 < facts.pages and facts.rows < size:
            raise PagingBroken(
                f"{_place(cursor).capitalize()} of {facts.pages} held {facts.rows} of {size} records: "
                "the walk was cut short."
            )
    if isinstance(cursor, ByNumber) and not facts.rows:
        if facts.has_more is True or (facts.pages is None and cursor.promised(facts)):
            raise PagingBroken(
                f"{_place(cursor).capitalize()} is empty, and the answer says that there is more: "
                "the walk was cut short."
            )
    elif isinstance(cursor, ByOffset):
        if not facts.rows and facts.total is not None and cursor.offset < facts.total:
            raise PagingBroken(
                f"The page at {_place(cursor)} is empty, and {facts.total} records are counted: "
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
