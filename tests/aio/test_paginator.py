"""Walks over pages: every style, every way to use them, and every way to be interrupted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nimble_async._aio.paginator import Items, Page, Paginator, listing
from nimble_async._sansio.operation import Paging
from nimble_async._sansio.record import touched
from nimble_async.errors import (
    CheckpointRefused,
    ConfigurationError,
    Forbidden,
    PagingBroken,
    ResponseError,
)
from tests.aio.shelf import OPERATIONS, Answering, Row, Shelf, reader, walk

STYLES = list(Paging)
WALKED = [style for style in Paging if style is not Paging.LIMIT]


def refused(answer: object) -> Exception:
    return Forbidden("Not today.", status=403)


def ids(rows: list[Row]) -> list[str]:
    return [row.id for row in rows]


def expected(shelf: Shelf, style: Paging, size: int) -> set[str]:
    rows = shelf.rows[:size] if style is Paging.LIMIT else shelf.rows
    return {row["id"] for row in rows}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 30, 35])
async def test_iterating_gives_every_row_once(style: Paging, count: int):
    """Whatever the style and wherever the last page ends, each row comes once."""
    shelf = Shelf(count)
    found = [row.id async for row in walk(shelf, style)]
    assert len(found) == len(set(found))
    assert set(found) == expected(shelf, style, 10)


@pytest.mark.parametrize(
    ("style", "sends"),
    [(Paging.NUMBER, 4), (Paging.NUMBER_FROM_ZERO, 4), (Paging.NEXT_PAGE, 4), (Paging.OFFSET, 4),
     (Paging.LIMIT, 1), (Paging.NEXT_PAGE_URL, 4)],
)  # fmt: skip
async def test_a_walk_sends_no_more_than_its_pages(style: Paging, sends: int):
    """35 rows, 10 a page: four requests (three groups of 12 rows: one, and one more for each)."""
    shelf = Shelf(35)
    await walk(shelf, style).collect()
    assert shelf.sends == sends


async def test_nothing_is_sent_before_it_is_used():
    """Building, showing and asking for the position send nothing."""
    shelf = Shelf(35)
    rows = walk(shelf)
    assert "not started" in repr(rows)
    assert rows.checkpoint()
    rows.pages()
    rows.prefetch()
    assert shelf.sends == 0


async def test_a_plain_iteration_never_reads_ahead():
    """The second page is asked for when the first is used up and one more item is wanted."""
    shelf = Shelf(35)
    found = 0
    async for _ in walk(shelf):
        found += 1
        assert shelf.sends == 1 + (found - 1) // 10


async def test_awaiting_gives_the_first_page():
    """A page tells its items, what the vendor counts, and whether there is more."""
    shelf = Shelf(35)
    page = await walk(shelf)
    assert isinstance(page, Page)
    assert ids(page.items) == ids(list(page)) == [f"r{n}" for n in range(10)]
    assert (len(page), page.total, page.pages, page.has_next, page.rejected) == (10, 35, 4, True, 0)
    assert repr(page) == "<Page of 10, total 35>"
    assert json.loads(page.raw)["meta"]["total"] == 35
    assert shelf.sends == 1


@pytest.mark.parametrize("style", STYLES)
async def test_next_leads_through_all_pages(style: Paging):
    """Page by page with next(), the same rows come as by iterating; None is the end."""
    shelf = Shelf(35)
    page: Page[Row] | None = await walk(shelf, style)
    found: list[str] = []
    while page is not None:
        found += ids(page.items)
        more, page = page.has_next, await page.next()
        assert more == (page is not None)
    assert set(found) == expected(shelf, style, 10)


async def test_a_page_stays_where_it_is():
    """next() of an old page gives the page behind that one, however far others have walked."""
    shelf = Shelf(35)
    pages = [page async for page in walk(shelf).pages()]
    again = await pages[0].next()
    assert again is not None
    assert ids(again.items) == ids(pages[1].items)
    assert await pages[-1].next() is None


async def test_groups_come_as_the_vendor_sent_them():
    """A page of groups holds every group's bytes beside the rows of all."""
    page = await walk(Shelf(35), Paging.NEXT_PAGE_URL)
    assert [len(json.loads(group)["rows"]) for group in page.groups] == [10, 10, 10]
    assert len(page) == 30


@pytest.mark.parametrize(
    ("limit", "rows", "sends"),
    [(None, 35, 4), (0, 0, 0), (-1, 0, 0), (1, 1, 1), (10, 10, 1), (11, 11, 2), (20, 20, 2), (35, 35, 4),
     (99, 35, 4)],
)  # fmt: skip
async def test_collect_reads_no_page_more_than_needed(limit: int | None, rows: int, sends: int):
    """The limit counts rows, and decides how many pages are asked for."""
    shelf = Shelf(35)
    assert len(await walk(shelf).collect(limit=limit)) == rows
    assert shelf.sends == sends


async def test_first_gives_one_row_or_none():
    """The first row costs one request; an empty list has none."""
    shelf = Shelf(35)
    row = await walk(shelf).first()
    assert row is not None
    assert (row.id, shelf.sends) == ("r0", 1)
    assert await walk(Shelf(0)).first() is None


async def test_each_use_is_a_walk_of_its_own():
    """The same paginator can be iterated twice, also side by side."""
    rows = walk(Shelf(35))
    one, other = rows.__aiter__(), rows.__aiter__()
    assert (await anext(one)).id == (await anext(other)).id == "r0"
    assert len(await rows.collect()) == len(await rows.collect()) == 35


async def test_rows_without_an_id_are_left_out_and_counted():
    """A rejected row fails no page: it is counted, and a checkpoint still counts it as a row."""

    def spoil(answer: dict[str, Any]) -> dict[str, Any]:
        answer["rows"][3] = {"name": "nobody"}
        return answer

    shelf = Shelf(10, spoilt=(Answering(1, spoil), Answering(2, spoil)))
    client = reader(shelf)
    page = await walk(shelf, client=client)
    assert (len(page), page.rejected) == (9, 1)
    rows = walk(shelf, client=client)
    found = [row.id async for row in rows]
    assert found == [f"r{n}" for n in range(10) if n != 3]
    assert client.statistics().decoding.rejected == {"Row": 2}


# Prefetch


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("count", [0, 1, 10, 35, 95])
async def test_prefetch_keeps_the_order(style: Paging, count: int):
    """Reading ahead gives the rows in the order of a plain walk, and asks for no page twice."""
    plain, ahead = Shelf(count), Shelf(count)
    straight = ids(await walk(plain, style).collect())
    async with walk(ahead, style).prefetch(pages=3) as rows:
        assert [row.id async for row in rows] == straight
    assert ahead.sends == plain.sends


@pytest.mark.parametrize("style", [Paging.NUMBER, Paging.NUMBER_FROM_ZERO, Paging.OFFSET])
@pytest.mark.parametrize("pages", [1, 2, 5])
async def test_prefetch_is_bounded_in_pages(style: Paging, pages: int):
    """Never more than so many pages are on their way or wait to be read."""
    shelf = Shelf(400)
    async with walk(shelf, style).prefetch(pages=pages) as rows:
        taken = 0
        async for _ in rows:
            for _ in range(8):
                await asyncio.sleep(0)
            taken += 1
            assert shelf.sends <= (taken - 1) // 10 + 1 + pages
    assert shelf.peak == pages


@pytest.mark.parametrize(("longest", "ahead"), [(1, 0), (4_000, 1), (8_900, 2), (1_000_000, 8)])
async def test_prefetch_is_bounded_in_bytes(longest: int, ahead: int):
    """Pages of some 4,000 bytes wait only as far as they fit; one that alone is too long is read plainly."""
    shelf = Shelf(400, padding=370)
    async with walk(shelf).prefetch(pages=8, longest=longest) as rows:
        await anext(rows)
        for _ in range(8):
            await asyncio.sleep(0)
        size = len(json.dumps(shelf._numbered(1, 10, 1), separators=(",", ":")))
        assert size < 4_450
        assert shelf.sends == 1 + min(ahead, longest // size if longest >= size else 0)


async def test_what_is_asked_of_one_page_is_read_with_the_next():
    """Rows come with the member that the page before was asked for; each page's last row asks anew."""
    found: list[bool] = []
    async for row in walk(Shelf(40)):
        found.append(touched(row) == ("padding",))
        if len(found) <= 20:
            assert row.padding == ""
    assert found == [*[False] * 10, *[True] * 9, False, *[True] * 9, False, *[False] * 10]


async def test_what_is_asked_of_a_page_object_is_read_with_the_next():
    """The same holds for walks by pages."""
    found: list[int] = []
    async for page in walk(Shelf(40)).pages():
        found.append(sum(touched(row) == ("padding",) for row in page))
        if len(found) == 1:
            assert page.items[-1].padding == ""
    assert found == [0, 9, 0, 0]


async def test_prefetch_reads_one_page_ahead_where_nothing_is_counted():
    """A walk along next_page objects knows only the next page, and reads that."""
    shelf = Shelf(95)
    async with walk(shelf, Paging.NEXT_PAGE).prefetch(pages=8) as rows:
        await anext(rows)
        for _ in range(8):
            await asyncio.sleep(0)
        assert shelf.sends == 2


async def leave_by_break(rows: Items[Row]) -> None:
    async for _ in rows:
        break


async def leave_by_error(rows: Items[Row]) -> None:
    async for _ in rows:
        raise ZeroDivisionError


async def leave_by_cancel(rows: Items[Row]) -> None:
    await anext(rows)
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(0)


@pytest.mark.parametrize("leave", [leave_by_break, leave_by_error, leave_by_cancel])
async def test_leaving_a_prefetch_leaves_nothing(leave: Callable[[Items[Row]], Any]):
    """However the block is left, no task and no request of it goes on."""
    shelf = Shelf(400)

    async def block() -> None:
        async with walk(shelf).prefetch(pages=8) as rows:
            await leave(rows)

    before = asyncio.all_tasks()
    ended = await asyncio.gather(asyncio.create_task(block()), return_exceptions=True)
    assert isinstance(ended[0], BaseException) == (leave is not leave_by_break)
    sends = shelf.sends
    await asyncio.sleep(0.01)
    assert asyncio.all_tasks() == before
    assert (shelf.in_flight, shelf.sends) == (0, sends)


async def test_an_error_ahead_comes_in_its_turn():
    """A page that fails while it is read ahead is raised when its rows are wanted; those before it come."""
    shelf = Shelf(95, spoilt=(Answering(3, refused),))
    rows = walk(shelf)
    found: list[str] = []

    async def read() -> None:
        async with rows.prefetch(pages=4) as items:
            async for row in items:
                found.append(row.id)  # noqa: PERF401 (what came before the error counts)

    with pytest.raises(Forbidden) as caught:
        await read()
    assert found == [f"r{n}" for n in range(20)]
    assert caught.value.checkpoint is not None
    rest = await walk(Shelf(95), start=caught.value.checkpoint).collect()
    assert found + ids(rest) == [f"r{n}" for n in range(95)]


async def test_a_cancelled_wait_loses_no_page():
    """A consumer whose wait is cut off asks again and gets the same page, sent for once."""
    shelf = Shelf(35)
    async with walk(shelf).prefetch(pages=2) as rows:
        shelf.hold = asyncio.Event()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await anext(rows)
        shelf.hold.set()
        assert len([row async for row in rows]) == 35
    assert shelf.sends == 4


async def test_a_closed_prefetch_goes_on_page_by_page():
    """Items used behind their block still come, without anything read ahead."""
    shelf = Shelf(95)
    async with walk(shelf).prefetch(pages=2) as rows:
        found = [(await anext(rows)).id]
    sends = shelf.sends
    async for row in rows:
        found.append(row.id)
        assert len(asyncio.all_tasks()) == 1
        assert shelf.sends == sends + (len(found) - 1) // 10
    assert found == [f"r{n}" for n in range(95)]


@pytest.mark.parametrize("bounds", [{"pages": 0}, {"longest": 0}])
async def test_a_prefetch_needs_room(bounds: dict[str, int]):
    """No page or no byte ahead is refused."""
    with pytest.raises(ConfigurationError):
        walk(Shelf(1)).prefetch(**bounds)


# Checkpoints


async def take(rows: Paginator[Row], count: int, how: str) -> tuple[list[str], str]:
    """Take some rows one way or the other; return them and the checkpoint behind them."""
    found: list[str] = []
    if how == "pages":
        async for page in rows.pages():
            found += ids(page.items)
            if len(found) >= count:
                break
    elif how == "prefetch":
        async with rows.prefetch(pages=3) as items:
            while len(found) < count and (row := await anext(items, None)) is not None:
                found.append(row.id)
    elif count:
        async for row in rows:
            found.append(row.id)
            if len(found) == count:
                break
    return found, rows.checkpoint()


@given(
    style=st.sampled_from(STYLES),
    count=st.integers(0, 40),
    size=st.integers(1, 12),
    stops=st.lists(
        st.tuples(st.integers(0, 15), st.sampled_from(["items", "pages", "prefetch"])), max_size=5
    ),
)
@settings(max_examples=150, deadline=None)
def test_a_checkpoint_resumes_without_gap_or_double(style, count, size, stops):
    """Stopped anywhere, any number of times, and resumed elsewhere: the rows are those of one plain walk."""

    async def story() -> tuple[list[str], list[str]]:
        found: list[str] = []
        start: str | None = None
        for stop, how in stops:
            part, start = await take(walk(Shelf(count), style, size=size, start=start), stop, how)
            found += part
            start = json.loads(json.dumps(start))
        found += ids(await walk(Shelf(count), style, size=size, start=start).collect())
        return found, ids(await walk(Shelf(count), style, size=size).collect())

    found, straight = asyncio.run(story())
    assert found == straight


async def test_a_checkpoint_at_every_row():
    """Each row of 35 as the place to stop: the rest is the rest."""
    for stop in range(36):
        rows = walk(Shelf(35))
        found, start = await take(rows, stop, "items")
        assert found + ids(await walk(Shelf(35), start=start).collect()) == [f"r{n}" for n in range(35)]


@pytest.mark.parametrize(
    "other",
    [{"style": Paging.OFFSET}, {"size": 11}, {"keyword": "acme"}],
    ids=["operation", "page size", "query"],
)
async def test_a_checkpoint_of_another_query_is_refused(other: dict[str, Any]):
    """A checkpoint belongs to its operation, page size and query; nothing is sent for another."""
    shelf = Shelf(35)
    start = walk(shelf).checkpoint()
    with pytest.raises(CheckpointRefused):
        _ = walk(shelf, **other, start=start)
    assert shelf.sends == 0


@pytest.mark.parametrize("text", ["", "{}", "nonsense", '{"version": 9}'])
async def test_what_is_no_checkpoint_is_refused(text: str):
    """Anything but the text of a checkpoint is refused."""
    with pytest.raises(CheckpointRefused):
        _ = walk(Shelf(1), start=text)


@pytest.mark.parametrize("style", WALKED)
async def test_an_error_carries_where_to_go_on(style: Paging):
    """Every exception out of an iteration has a checkpoint, and the walk goes on from it."""
    shelf = Shelf(35, spoilt=(Answering(2, refused),))
    rows = walk(shelf, style)
    found: list[str] = []

    async def read() -> None:
        async for row in rows:
            found.append(row.id)  # noqa: PERF401 (what came before the error counts)

    with pytest.raises(ResponseError) as caught:
        await read()
    assert caught.value.checkpoint == rows.checkpoint()
    rest = ids(await walk(Shelf(35), style, start=caught.value.checkpoint).collect())
    assert found + rest == ids(await walk(Shelf(35), style).collect())


async def test_an_error_at_the_first_page_points_to_the_beginning():
    """Nothing is lost or skipped when the first request fails; the same paginator can be used again."""
    shelf = Shelf(35, spoilt=(Answering(1, refused),))
    rows = walk(shelf)
    with pytest.raises(Forbidden) as caught:
        await rows
    assert len(await walk(shelf, start=caught.value.checkpoint).collect()) == 35
    assert len(await rows.collect()) == 35


async def test_a_cancelled_iteration_carries_it_too():
    """CancelledError out of a page's request tells where the walk stood."""
    shelf = Shelf(35)
    rows = walk(shelf).__aiter__()
    for _ in range(10):
        await anext(rows)
    shelf.hold = asyncio.Event()
    task = asyncio.ensure_future(anext(rows))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    start = caught.value.checkpoint  # type: ignore[attr-defined]  # any error has room
    assert ids(await walk(Shelf(35), start=start).collect()) == [f"r{n}" for n in range(10, 35)]
    shelf.hold.set()
    assert (await anext(rows)).id == "r10"


# Walks that cannot be trusted


def page_of(rows: list[str], page: int, pages: int) -> Callable[[Any], dict[str, Any]]:
    meta = {"page": page, "pages": pages, "per_page": 10, "total": pages * 10}
    return lambda answer: {"rows": [{"id": one} for one in rows], "meta": meta}


TEN = [f"r{n}" for n in range(10)]
AGAIN = "/rows/NEXT_PAGE_URL?limit=10&group=0&from=10"


@pytest.mark.parametrize(
    ("style", "spoil"),
    [
        (Paging.NUMBER, page_of(TEN[:4], 2, 4)),
        (Paging.NUMBER, page_of([], 2, 4)),
        (Paging.NUMBER, lambda answer: Shelf(35)._numbered(1, 10, 1)),
        (Paging.NUMBER_FROM_ZERO, lambda answer: Shelf(35)._numbered(0, 10, 0)),
        (Paging.OFFSET, lambda answer: {"rows": Shelf(10).rows}),
        (Paging.NEXT_PAGE, lambda answer: answer | {"next_page": {"after": 10}}),
        (Paging.NEXT_PAGE, lambda answer: {"rows": [], "next_page": {"after": 30}}),
        (Paging.NEXT_PAGE_URL, lambda answer: {"stages": [{"rows": [], "meta": {"next_page_url": AGAIN}}]}),
    ],
    ids=[
        "short",
        "empty",
        "repeated",
        "from zero",
        "offset",
        "next is this",
        "empty with next",
        "address again",
    ],
)
@pytest.mark.parametrize("ahead", [False, True])
async def test_a_broken_walk_is_noticed(style: Paging, spoil: Callable[[Any], Any], ahead: bool):
    """A page cut short, sent twice, or leading back raises PagingBroken with a checkpoint, and ends."""
    shelf = Shelf(95, spoilt=(Answering(2, spoil),))
    rows = walk(shelf, style)

    async def read() -> None:
        async with rows.prefetch(pages=1) as items:
            async for _ in items if ahead else rows:
                pass

    with pytest.raises(PagingBroken) as caught:
        await read()
    assert caught.value.checkpoint is not None
    assert shelf.sends <= 3


async def test_an_address_elsewhere_is_not_followed():
    """A next_page_url of another origin is refused before anything is sent there."""

    def spoil(answer: dict[str, Any]) -> dict[str, Any]:
        answer["stages"][0]["meta"]["next_page_url"] = "https://elsewhere.example/?token=x"
        return answer

    shelf = Shelf(95, spoilt=(Answering(1, spoil),))
    with pytest.raises(Exception, match="nothing was sent there"):
        await walk(shelf, Paging.NEXT_PAGE_URL).collect()
    assert shelf.sends == 1


# Fairness, closing, arguments


@pytest.mark.parametrize("how", ["items", "pages"])
async def test_a_long_page_lets_others_run(how: str):
    """Between slices of a page of 2,000 rows other tasks get their turn."""
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    rows = walk(Shelf(2000), size=2000)
    first = await rows if how == "pages" else await rows.collect()
    seen = turns
    task.cancel()
    assert len(first) == 2000
    assert seen >= 9


async def test_a_page_cut_off_while_it_is_decoded_comes_again():
    """Cancelled after any number of turns, between two slices too, a walk by pages stands where it stood."""
    cut = 0
    for turns in range(14):
        pages = walk(Shelf(2000), size=1000).pages()
        task = asyncio.ensure_future(anext(pages))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        cut += task.cancelled()
        found = [] if task.cancelled() else ids(task.result().items)
        found += [row.id async for page in pages for row in page]
        assert found == [f"r{n}" for n in range(2000)]
    assert 5 < cut < 14


@pytest.mark.parametrize("pages", [False, True])
async def test_two_tasks_on_one_iteration_are_told(pages: bool):
    """The one that comes second is told so, the first loses nothing, and no page is read twice."""
    shelf = Shelf(35)
    rows = walk(shelf)
    shared = rows.pages() if pages else aiter(rows)

    async def use() -> int:
        return sum([len(found) if isinstance(found, Page) else 1 async for found in shared])

    first, second = await asyncio.gather(use(), use(), return_exceptions=True)
    assert (first, shelf.sends) == (35, 4)
    assert isinstance(second, RuntimeError)
    assert "give each task its own" in str(second)


async def test_closed_items_give_nothing_more():
    """After aclose an iteration is over, and still tells where it stood."""
    shelf = Shelf(35)
    rows = walk(shelf).__aiter__()
    assert isinstance(rows, Items)
    await anext(rows)
    stood = rows.checkpoint()
    await rows.aclose()
    assert [row async for row in rows] == []
    assert rows.checkpoint() == stood
    assert shelf.sends == 1


@pytest.mark.parametrize("size", [0, -1])
def test_a_page_needs_a_record(size: int):
    """A page size under one is refused."""
    with pytest.raises(ConfigurationError):
        _ = walk(Shelf(1), size=size)


async def test_a_walk_may_begin_at_a_page():
    """`page=` begins there, where pages are counted, and is refused elsewhere."""
    shelf = Shelf(35)
    begun = listing(OPERATIONS[Paging.NUMBER], ids={}, query={}, size=10, page=3)
    assert ids(await Paginator(reader(shelf)._executor, begun).collect()) == [f"r{n}" for n in range(20, 35)]
    with pytest.raises(ConfigurationError):
        listing(OPERATIONS[Paging.OFFSET], ids={}, query={}, size=10, page=3)


def test_an_operation_without_pages_is_refused():
    """Only a paged operation can be walked."""
    from nimble_async.nimble.catalog import OPERATIONS as TABLE

    with pytest.raises(ConfigurationError):
        listing(TABLE["users.me"], ids={}, query={}, size=10)
