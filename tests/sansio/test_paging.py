from __future__ import annotations

import pytest

from nimble_async._sansio.codec import PageFacts
from nimble_async._sansio.operation import Paging
from nimble_async._sansio.paging import (
    ByLimit,
    ByNextPage,
    ByNumber,
    ByOffset,
    ByUrl,
    Trail,
    first_cursor,
    follow,
)
from nimble_async.errors import PagingBroken


@pytest.mark.parametrize(
    ("paging", "size", "cursor", "query"),
    [
        (Paging.NUMBER, 30, ByNumber(1, 30), {"page": 1, "per_page": 30}),
        (Paging.NUMBER, None, ByNumber(1, 100), {"page": 1, "per_page": 100}),
        (Paging.NUMBER_FROM_ZERO, 30, ByNumber(0, 30, 0), {"page": 0, "per_page": 30}),
        (Paging.NEXT_PAGE, 30, ByNextPage(30), {"limit": 30}),
        (Paging.NEXT_PAGE, None, ByNextPage(None), {}),
        (Paging.NEXT_PAGE_URL, 30, ByUrl(30), {"limit": 30}),
        (Paging.LIMIT, None, ByLimit(None), {}),
        (Paging.LIMIT, 30, ByLimit(30), {"limit": 30}),
        (Paging.OFFSET, 30, ByOffset(0, 30), {"limit": 30, "offset": 0}),
    ],
)
def test_first_cursor_of_each_style(paging, size, cursor, query):
    """Each style begins at its first page, with 100 records unless told; plain limits are the vendor's."""
    assert first_cursor(paging, size=size) == cursor
    assert cursor.query() == query


@pytest.mark.parametrize(
    ("cursor", "facts", "after"),
    [
        # Counted pages: `pages` decides.
        (ByNumber(1, 2), PageFacts(rows=2, pages=1), None),
        (ByNumber(1, 2), PageFacts(rows=2, pages=2), ByNumber(2, 2)),
        (ByNumber(2, 2), PageFacts(rows=2, pages=2), None),
        (ByNumber(3, 2), PageFacts(rows=0, pages=2), None),
        (ByNumber(1, 2), PageFacts(rows=0, pages=0), None),
        (ByNumber(0, 2, 0), PageFacts(rows=2, pages=1), None),
        (ByNumber(0, 2, 0), PageFacts(rows=2, pages=2), ByNumber(1, 2, 0)),
        (ByNumber(1, 2, 0), PageFacts(rows=2, pages=2), None),
        # Uncounted: a short page is the last.
        (ByNumber(1, 2), PageFacts(rows=2), ByNumber(2, 2)),
        (ByNumber(1, 2), PageFacts(rows=1), None),
        (ByNumber(1, 5), PageFacts(rows=2, per_page=2), ByNumber(2, 5)),
        # Uncounted and short, but the answer says that there is more: the vendor holds its pages shorter.
        (ByNumber(1, 5), PageFacts(rows=2, total=2), None),
        (ByNumber(1, 5), PageFacts(rows=2, total=3), ByNumber(2, 5, served=2)),
        (ByNumber(2, 5, served=2), PageFacts(rows=2, total=5), ByNumber(3, 5, served=2)),
        (ByNumber(3, 5, served=2), PageFacts(rows=1, total=5), None),
        (ByNumber(0, 5, 0), PageFacts(rows=2, total=3), ByNumber(1, 5, 0, served=2)),
        (ByNumber(2, 5), PageFacts(rows=2, total=7), None),
        (ByNumber(2, 5), PageFacts(rows=2, total=8), ByNumber(3, 5, served=2)),
        (ByNumber(1, 5), PageFacts(rows=1, per_page=2, total=3), ByNumber(2, 5)),
        (ByNumber(1, 5), PageFacts(rows=2, has_more=True), ByNumber(2, 5, served=2)),
        (ByNumber(1, 5), PageFacts(rows=2, has_more=True, total=2), ByNumber(2, 5, served=2)),
        (ByNumber(1, 2), PageFacts(rows=2, has_more=False), None),
        (ByNumber(1, 2), PageFacts(rows=2, has_more=False, total=3), ByNumber(2, 2)),
        (ByNumber(1, 2), PageFacts(rows=2, has_more=True, pages=1), ByNumber(2, 2)),
        (ByNumber(1, 2), PageFacts(rows=2, has_more=False, pages=2), ByNumber(2, 2)),
        (ByNextPage(2), PageFacts(rows=2, next_page={"at": 5}), ByNextPage(2, {"at": 5})),
        (ByNextPage(2, {"at": 5}), PageFacts(rows=2), None),
        (ByNextPage(2), PageFacts(rows=2, next_page={}), None),
        (ByUrl(2), PageFacts(rows=2), None),
        (ByUrl(2), PageFacts(rows=2, next_urls=("/a", "/b")), ByUrl(2, ("/a", "/b"))),
        (ByUrl(2, ("/a", "/b")), PageFacts(rows=2, next_urls=("/c",)), ByUrl(2, ("/b", "/c"))),
        (ByUrl(2, ("/b",)), PageFacts(rows=2), None),
        (ByLimit(2), PageFacts(rows=2, pages=5), None),
        (ByOffset(0, 2), PageFacts(rows=2), ByOffset(2, 2)),
        (ByOffset(2, 2), PageFacts(rows=3), ByOffset(5, 2)),
        (ByOffset(2, 2), PageFacts(rows=1), None),
        (ByOffset(2, 2), PageFacts(rows=0), None),
        (ByOffset(2, 2), PageFacts(rows=0, total=2), None),
        (ByOffset(2, 2), PageFacts(rows=1, total=4), ByOffset(3, 2)),
        (ByOffset(2, 2), PageFacts(rows=1, total=3), None),
        (ByOffset(2, 2), PageFacts(rows=2, total=1), ByOffset(4, 2)),
    ],
)
def test_next_cursor(cursor, facts, after):
    """The cursor after an answer is where the vendor says, and None after the last."""
    assert cursor.after(facts) == after
    assert follow(Trail(), cursor, facts)[1] == after


def test_arguments_of_the_next_page_are_sent_back():
    """The members of `next_page` become arguments, and the limit stays ours."""
    assert ByNextPage(2, {"at": 5, "limit": 9}).query() == {"at": 5, "limit": 2}


def test_address_carries_its_own_query():
    """An address is read as it is; only the first answer is asked for by limit."""
    assert (ByUrl(2).url, ByUrl(2, ("/a", "/b")).url) == (None, "/a")
    assert ByUrl(2, ("/a",)).query() == {}


@pytest.mark.parametrize(
    ("cursor", "facts"),
    [
        (ByNumber(1, 2), PageFacts(rows=1, pages=2)),
        (ByNumber(1, 2), PageFacts(rows=0, pages=2)),
        (ByNumber(0, 2, 0), PageFacts(rows=1, pages=2)),
        (ByNumber(1, 5), PageFacts(rows=1, pages=2, per_page=2)),
        (ByNextPage(2), PageFacts(rows=0, next_page={"at": 1})),
        (ByNumber(1, 2), PageFacts(rows=0, has_more=True)),
        (ByNumber(3, 2), PageFacts(rows=0, has_more=True, pages=2)),
        (ByNumber(1, 2), PageFacts(rows=0, total=1)),
        (ByNumber(2, 5, served=2), PageFacts(rows=0, total=3)),
        (ByNextPage(2), PageFacts(rows=2, strange="next_page")),
        (ByUrl(2, ("/a",)), PageFacts(rows=2, strange="next_page_url")),
    ],
)
def test_walk_cut_short_is_broken(cursor, facts):
    """A page that is short although others follow raises PagingBroken."""
    with pytest.raises(PagingBroken):
        follow(Trail(), cursor, facts)


@pytest.mark.parametrize(
    ("cursor", "facts"),
    [
        (ByNumber(2, 2), PageFacts(rows=1, pages=2)),
        (ByNumber(1, 5), PageFacts(rows=2, pages=2, per_page=2)),
        (ByNumber(1, 2), PageFacts(rows=1)),
        (ByNextPage(2), PageFacts(rows=0)),
    ],
)
def test_short_last_page_is_no_error(cursor, facts):
    """The last page may be short, and a vendor may serve smaller pages than asked."""
    follow(Trail(), cursor, facts)


def test_same_page_twice_is_broken():
    """Two equal pages in a row raise PagingBroken, for every style that asks for different ones."""
    trail, following = follow(Trail(), ByNumber(1, 2), PageFacts(rows=2, mark=9))
    assert (trail.mark, following) == (9, ByNumber(2, 2))
    for cursor in (ByNumber(2, 2), ByOffset(2, 2), ByNextPage(2, {"at": 1})):
        with pytest.raises(PagingBroken, match="same page"):
            follow(trail, cursor, PageFacts(rows=2, mark=9))


def walk_over(marks, cursor=None, counted=None):
    """Follow a walk over pages with these checksums; return how many were taken before it was refused."""
    trail, taken = Trail(), 0
    for number, mark in enumerate(marks):
        facts = PageFacts(rows=2, mark=mark, total=counted)
        try:
            trail, _ = follow(trail, cursor or ByOffset(2 * number, 2), facts)
        except PagingBroken:
            return taken, trail
        taken += 1
    return taken, trail


@pytest.mark.parametrize("length", [1, 2, 3, 64, 65, 66, 100, 300])
@pytest.mark.parametrize("before", [0, 1, 70])
def test_a_loop_of_any_length_is_seen_in_little_memory(length, before):
    """A,B,A,B is refused at the first page that comes again; a long loop before its fourth round."""
    loop = [1000 + number % length for number in range(5 * length + 4 * before)]
    taken, trail = walk_over([*range(1, before + 1), *loop])
    most = length if length <= 65 else 4 * (length + before)
    assert before + length <= taken <= before + most
    assert len(trail.marks) <= 64


def test_pages_that_differ_are_no_loop():
    """A walk of thousands of pages, none of which came before, goes on."""
    assert walk_over(range(5000))[0] == 5000


@pytest.mark.parametrize("cursor", [ByNumber(2, 2), ByOffset(2, 2), ByNextPage(2, {"at": 1})])
def test_a_page_that_came_before_is_refused_in_every_style(cursor):
    """Not only twice in a row: the error says that the walk runs in a loop, and where."""
    with pytest.raises(PagingBroken, match="loop"):
        follow(Trail(7, marks=(5, 6)), cursor, PageFacts(rows=2, mark=5))
    follow(Trail(7, marks=(5, 6)), cursor, PageFacts(rows=0, mark=5))


@pytest.mark.parametrize(
    ("cursor", "counted", "total", "broken"),
    [
        (ByOffset(1199, 1), 100, 1200, False),
        (ByOffset(1200, 1), 100, 1201, True),
        (ByOffset(1200, 1), 100, 1200, False),
        (ByOffset(1199, 1), 100, 7, False),
        (ByOffset(1200, 1), 100, None, False),
        (ByOffset(1200, 1), None, 1201, False),
        (ByOffset(1200, 1), 101, 1201, False),
        (ByOffset(1000, 1), 0, 1001, True),
        (ByNumber(1201, 1), 100, 1201, False),
    ],
)
def test_a_list_that_grows_faster_than_it_is_read_is_refused(cursor, counted, total, broken):
    """Beyond twice its count and a thousand, where the total grew as far; one that did not is a hint."""
    trail, facts = Trail(counted=counted), PageFacts(rows=1, mark=3, total=total)
    if broken:
        with pytest.raises(PagingBroken, match="grows faster"):
            follow(trail, cursor, facts)
    else:
        follow(trail, cursor, facts)


def test_the_first_total_is_remembered():
    """What the list counted when the walk began, whatever it counts later; an empty page has one too."""
    trail, _ = follow(Trail(), ByOffset(0, 2), PageFacts(rows=0, total=0))
    trail, _ = follow(trail, ByOffset(0, 2), PageFacts(rows=2, mark=1, total=9))
    assert (trail.counted, trail.pages) == (0, 1)


def test_empty_pages_do_not_repeat():
    """An empty page is no repetition and leaves the mark as it was."""
    trail, _ = follow(Trail(9), ByOffset(2, 2), PageFacts(rows=0, mark=0))
    assert trail.mark == 9
    follow(Trail(0), ByOffset(2, 2), PageFacts(rows=0, mark=0))


def test_groups_may_look_alike():
    """Two groups may answer alike: only their addresses are watched."""
    follow(Trail(9), ByUrl(2, ("/a",)), PageFacts(rows=2, mark=9))


def test_next_page_that_is_this_page_is_broken():
    """A next page that is the one just read raises PagingBroken."""
    with pytest.raises(PagingBroken, match="just read"):
        follow(Trail(), ByNextPage(2, {"at": 5}), PageFacts(rows=2, mark=1, next_page={"at": 5}))


@pytest.mark.parametrize("urls", [("/a",), ("/old",), ("/new", "/old")])
def test_address_that_leads_back_is_broken(urls):
    """An address that was already read, or is being read, raises PagingBroken."""
    with pytest.raises(PagingBroken, match=r"leads back|just read"):
        follow(Trail(urls=frozenset({"/old", "/a"})), ByUrl(2, ("/a",)), PageFacts(rows=2, next_urls=urls))


def test_addresses_are_remembered():
    """The trail remembers every address named, so that a loop of any length is seen."""
    trail, cursor = follow(Trail(), ByUrl(2), PageFacts(rows=2, next_urls=("/a", "/b")))
    assert (trail.urls, cursor) == (frozenset({"/a", "/b"}), ByUrl(2, ("/a", "/b")))
    trail, cursor = follow(trail, ByUrl(2, ("/a", "/b")), PageFacts(rows=2, next_urls=("/c",)))
    assert trail.urls == frozenset({"/a", "/b", "/c"})
    with pytest.raises(PagingBroken):
        follow(trail, ByUrl(2, ("/b", "/c")), PageFacts(rows=2, next_urls=("/a",)))


def test_address_named_twice_in_one_answer_is_broken():
    """Two groups of one answer that go on at one address would be read twice."""
    with pytest.raises(PagingBroken):
        follow(Trail(), ByUrl(2), PageFacts(rows=2, next_urls=("/a", "/a")))


@pytest.mark.parametrize(
    ("cursor", "place"),
    [
        (ByNumber(3, 2), "page 3"), (ByOffset(4, 2), "offset 4"), (ByNextPage(2, {"at": 5}), "'at': 5"),
        (ByLimit(2), "arguments {'limit': 2}"),
    ],
)  # fmt: skip
def test_error_says_where(cursor, place):
    """The error names the place in the walk."""
    with pytest.raises(PagingBroken, match=place):
        follow(Trail(9), cursor, PageFacts(rows=2, mark=9))


def test_loop_of_addresses_says_where():
    """The error of a loop names the address, or the first page."""
    with pytest.raises(PagingBroken, match="address /a"):
        follow(Trail(), ByUrl(2, ("/a",)), PageFacts(rows=2, next_urls=("/a",)))
    with pytest.raises(PagingBroken, match="the first page"):
        follow(Trail(urls=frozenset({"/a"})), ByUrl(2), PageFacts(rows=2, next_urls=("/a",)))


@pytest.mark.parametrize(
    ("offset", "counted", "total", "broken"),
    [(1199, 100, 100, False), (1200, 100, 100, True), (1200, 100, 7, True), (1400, 7, 201, False),
     (1402, 7, 201, True)],
)  # fmt: skip
def test_far_more_records_than_are_counted_are_refused(offset, counted, total, broken):
    """A total may be a little wrong; beyond twice of it and a thousand the walk is given up."""
    trail, facts = Trail(counted=counted), PageFacts(rows=1, mark=3, total=total)
    if broken:
        with pytest.raises(PagingBroken, match="where to begin"):
            follow(trail, ByOffset(offset, 1), facts)
    else:
        follow(trail, ByOffset(offset, 1), facts)


@pytest.mark.parametrize(("offset", "total", "broken"), [
    (0, 1, True), (4, 5, True), (5, 5, False), (9, 5, False), (0, 0, False), (3, None, False),
])  # fmt: skip
def test_an_empty_page_by_offset_before_the_total_is_refused(offset, total, broken):
    """The answer contradicts itself; at the total or behind it an empty page is the end."""
    facts = PageFacts(rows=0, total=total)
    if broken:
        with pytest.raises(PagingBroken, match="cut short"):
            follow(Trail(), ByOffset(offset, 2), facts)
    else:
        assert follow(Trail(), ByOffset(offset, 2), facts)[1] is None


def through(*pages, totals=None):
    """Walk over pages of ids by offset, two a page; what each total is."""
    trail, offset = Trail(), 0
    for place, ids in enumerate(pages):
        total = None if totals is None else totals[place]
        facts = PageFacts(rows=len(ids), mark=place + 1, total=total, ids=tuple(ids))
        trail, _ = follow(trail, ByOffset(offset, 2), facts)
        offset += len(ids)
    return trail


@pytest.mark.parametrize(
    ("pages", "totals", "words"),
    [
        (("ab", "cd", "e"), (5, 5, 5), ""),
        (("ab", "cd", "e"), None, ""),
        (("ab", "bc", "d"), (5, 5, 5), "1 of 5 records came twice"),
        (("ab", "bc", "d"), None, "1 of 5 records came twice"),
        (("ab", "bc", "d"), (4, 5, 5), ""),
        (("ab", "bc", "c"), (4, 5, 5), "that it had not sent before"),
        (("ab", "ba"), (5, 5), "that it had not sent before"),
        (("ab", "bc", "ad"), (5, 6, 6), ""),  # not the last page: there may be more
        (("aa", "b"), (3, 3), "1 of 3"),
        (("ab", "bc", "a"), (5, 4, 4), "that it had not sent before"),
    ],
)
def test_rows_that_come_twice_in_a_list_without_an_order(pages, totals, words):
    """As many others are missing, unless the total grew by as many: an error at the end, or at once."""
    if words:
        with pytest.raises(PagingBroken, match=words):
            through(*pages, totals=totals)
    else:
        through(*pages, totals=totals)


def test_ids_are_kept_in_few_sets():
    """A walk of a thousand pages looks each id up in a few sets, and keeps each id once."""
    trail = through(*[(f"{page}-a", f"{page}-b") for page in range(1000)])
    assert len(trail.ids) <= 11
    assert sum(map(len, trail.ids)) == 2000
