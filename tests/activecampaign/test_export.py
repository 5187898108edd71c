"""The provable export of deals: on virtual time against the simulator, whatever changes meanwhile."""

from __future__ import annotations

import asyncio
import io
import json
import random
from pathlib import Path

import pytest
from msgspec import Raw, Struct
from msgspec.structs import replace

from nimble_async._aio.executor import Answer
from nimble_async._sansio.codec import PageFacts, RawPage
from nimble_async._sansio.message import Response
from nimble_async._sansio.paging import ByOffset
from nimble_async.activecampaign.client import ActiveCampaignClient
from nimble_async.activecampaign.walks import DEALS, filters_of
from nimble_async.errors import ConnectionFailed, PagingBroken, QueryRefused
from nimble_async.jobs.certificate import Certificate
from nimble_async.jobs.export import export
from nimble_async.testing import (
    Drift,
    Rates,
    Simulator,
    SimulatorTransport,
    VirtualClock,
    run_virtual,
)
from nimble_async.testing.activecampaign.world import DealsWorld
from tests.jobs.listing import StillClock

SETTLING = 20.0
"""Seconds of drift before an export begins."""


class Ended(Struct, frozen=True):
    """What became of one export."""

    certificate: Certificate
    ids: list[str]
    survivors: set[str]
    sent: list[float]
    refused: int


def simulator(deals: int, *, seed: int = 1, drift: float = 0.0, latency: float = 0.05, hidden: float = 0.1,
              rate: str = "5/1s") -> Simulator:  # fmt: skip
    """An account as the vendor limits it: a bucket of 5/s, announced without a reset."""
    world = DealsWorld(contacts=20, deals=deals, seed=seed, drift=Drift.even(drift), hidden_deals=hidden)
    rates = Rates.named(rate, announce="no-reset", retry_after=True)
    return Simulator(world, crm="activecampaign", rates=rates, latency=latency, seed=seed)


def client_of(simulated: Simulator, **options) -> ActiveCampaignClient:
    """A client that talks to it in process."""
    return ActiveCampaignClient(
        base_url="http://127.0.0.1:1", api_token=simulated.api_key, transport=SimulatorTransport(simulated),
        clock=VirtualClock(), **options,
    )  # fmt: skip


def exported(simulated: Simulator, output: Path, *, concurrency: int = 8, rate: str | None = None) -> Ended:
    """Export once, and look at what the simulator saw."""

    async def run() -> tuple[Certificate, float, float]:
        await asyncio.sleep(SETTLING)
        async with client_of(simulated, rate=rate) as client:
            executor = client.with_options(lane="bulk").executor
            began = asyncio.get_running_loop().time()
            certificate = await export(
                executor, DEALS, to=output, clock=executor.core.clock, concurrency=concurrency
            )
            return certificate, began, asyncio.get_running_loop().time()

    certificate, began, ended = run_virtual(run())
    rows = [json.loads(line) for line in output.read_bytes().splitlines()]
    log = list(simulated.log)
    return Ended(
        certificate=certificate, ids=[row["id"] for row in rows],
        survivors=simulated.world.deals.survivors(began, ended), sent=[seen.at for seen in log],
        refused=sum(seen.status == 429 for seen in log),
    )  # fmt: skip


def test_twenty_thousand_deals_under_drift_are_proven_at_the_allowed_rate(tmp_path):
    """5 a second, 50 ms, inserts and deletes each 1/s: proven, no 429, at least 97 % of the rate used."""
    simulated = simulator(20_000, drift=1.0)
    ended = exported(simulated, tmp_path / "deals.jsonl")
    assert ended.certificate.completeness == "proven"
    assert ended.survivors <= set(ended.ids)
    assert len(set(ended.ids)) == len(ended.ids)
    assert ended.refused == 0
    assert len(ended.sent) - 1 >= 0.97 * 5 * (ended.sent[-1] - ended.sent[0])
    assert ended.certificate.requests_per_record <= 0.0105
    assert any(
        "orders[id]=ASC" in text and "one public report" in text for text in ended.certificate.assumptions
    )


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("drift", [0.0, 1.0, 10.0])
def test_a_proven_export_misses_nobody_and_doubles_nobody(drift, concurrency, request, tmp_path):
    """Small accounts at any latency: every survivor once, in the order of ids, and always proven."""
    for seed in range(-(-request.config.getoption("--drift") // 60)):
        chance = random.Random(f"{seed} {drift} {concurrency}")
        simulated = simulator(
            chance.randrange(2500),
            seed=seed,
            drift=drift,
            latency=chance.choice([0.0, 0.05, 0.5]),
            rate="50/1s",
        )
        ended = exported(simulated, tmp_path / f"{seed}.jsonl", concurrency=concurrency, rate="50/1s")
        assert ended.certificate.proven
        assert ended.survivors <= set(ended.ids)
        assert ended.ids == sorted(set(ended.ids), key=int)


def test_stubs_of_invisible_pipelines_are_delivered_and_counted(tmp_path):
    """Where a key may not see the pipeline: id, title and isDisabled; the total counts them."""
    simulated = simulator(250, hidden=0.5)
    ended = exported(simulated, tmp_path / "deals.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "deals.jsonl").read_bytes().splitlines()]
    stubs = [row for row in rows if set(row) == {"id", "title", "isDisabled"}]
    assert 0 < len(stubs) < 250
    assert (ended.certificate.expected, ended.certificate.delivered) == (250, 250)
    assert ended.certificate.proven


class Book:
    """A vendor's list in memory; `bend` may spoil an answer, `before` may change the list or fail.

    `last` shows the first page of the opposite order, which is asked for once, at the start.
    """

    def __init__(self, rows: list[bytes]) -> None:
        self.there = rows
        self.asked: list[ByOffset] = []
        self.before = lambda number: None
        self.bend = lambda rows, total: (rows, total)
        self.last = lambda rows: rows[::-1]
        self.probes = 0

    async def page(self, operation, *, cursor, ids=None, query=None):
        """Read one page."""
        assert (operation, ids or {}) == (DEALS.listing, {})
        if query["orders[id]"] == "DESC":
            assert (cursor.offset, cursor.limit <= WALK.limit) == (0, True)
            self.probes += 1
            rows = self.last(self.there)[: cursor.limit]
        else:
            self.before(len(self.asked))
            self.asked.append(cursor)
            rows = self.there[cursor.offset : cursor.offset + cursor.limit]
        rows, total = self.bend(rows, len(self.there))
        facts = PageFacts(rows=len(rows), total=total)
        return Answer(RawPage([Raw(row) for row in rows], facts), Response(status=200, headers={}))

    async def rows(self, operation, *, ids=None, query=None):
        """An offset walk reads nothing else."""
        raise AssertionError(operation)


def numbered(*numbers: object) -> list[bytes]:
    """Rows with these ids, as the vendor writes them."""
    return [json.dumps({"id": number, "title": f"Deal {number}"}).encode() for number in numbers]


WALK = replace(DEALS, limit=10)


async def run_book(book: Book, output: Path, **options) -> Certificate:
    """Export a list in memory."""
    return await export(book, WALK, to=output, clock=StillClock(), commit_every=0, **options)


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 95, 400])
async def test_everything_is_delivered_once_in_the_order_of_ids(count, tmp_path):
    """Rows come out by number, not by text, each once, with the vendor's own bytes."""
    book = Book(numbered(*(str(3 * number + 1) for number in range(count))))
    certificate = await run_book(book, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"".join(row + b"\n" for row in book.there)
    assert (certificate.expected, certificate.delivered, certificate.proven) == (count, count, True)
    assert certificate.windows.seam >= (count > 0)
    assert len(book.asked) <= count / 9 + 2


@pytest.mark.parametrize("number", [0, 1, 2, 5, 20])
async def test_a_killed_export_goes_on_to_the_same_bytes(number, tmp_path):
    """Whatever request fails, the next run reads what is missing, and the file is the uninterrupted one's."""
    rows = numbered(*(str(2 * number + 1) for number in range(200)))
    await run_book(Book(rows), tmp_path / "whole")

    def fail(asked: int) -> None:
        if asked == number:
            raise ConnectionFailed("The line is dead.")

    broken, second = Book(rows), Book(rows)
    broken.before = fail
    with pytest.raises(ConnectionFailed):
        await run_book(broken, tmp_path / "out", concurrency=3)
    certificate = await run_book(second, tmp_path / "out", concurrency=3)
    assert certificate.resumed == 1
    assert (tmp_path / "out").read_bytes() == (tmp_path / "whole").read_bytes()
    assert len(second.asked) <= 23 + 3 - max(0, number - 3)


async def test_a_vendor_that_keeps_no_order_is_refused_and_nothing_is_written(tmp_path):
    """Four answers out of order are enough: the proof would rest on nothing."""
    book = Book(numbered("5", "3", "4"))
    with pytest.raises(PagingBroken, match="order asked for"):
        await run_book(book, tmp_path / "out")
    assert len(book.asked) == 4
    assert not (tmp_path / "out").exists()


async def test_one_answer_out_of_order_is_asked_for_again(tmp_path):
    """A slip is healed by the same question, and counted."""
    book = Book(numbered(*map(str, range(1, 31))))
    book.bend = lambda rows, total: (rows[::-1] if len(book.asked) == 2 else rows, total)
    certificate = await run_book(book, tmp_path / "out")
    assert (certificate.delivered, certificate.proven, certificate.pages_reread) == (30, True, 1)


async def test_a_total_of_records_that_nobody_lists_is_unproven(tmp_path):
    """The end is a short page that agrees with its total; where they never agree, the certificate says so."""
    book = Book(numbered("1", "2", "3"))
    book.bend = lambda rows, total: (rows, total + 5)
    certificate = await run_book(book, tmp_path / "out")
    assert (certificate.delivered, certificate.completeness) == (3, "unproven")
    assert "nothing is listed behind the id 3, and the total" in certificate.reasons[0]


async def test_a_seam_that_no_answer_closes_is_unproven(tmp_path):
    """Pages that never reach over one edge hide a record there: the certificate names the ids around it."""
    book = Book(numbered(*(str(3 * number + 1) for number in range(40))))

    def hide(rows: list[bytes], total: int) -> tuple[list[bytes], int]:
        start = book.asked[-1].offset if book.asked else 10
        return (rows[: 10 - start] if start < 10 else rows), total

    book.bend = hide
    certificate = await run_book(book, tmp_path / "out")
    assert (certificate.delivered, certificate.completeness) == (39, "unproven")
    assert certificate.reasons == ("no answer closed the seam between the ids 28 and 34",)


class GrowingBook(Book):
    """A list that grows by a page and a half whenever a page is asked for."""

    async def page(self, operation, *, cursor, ids=None, query=None):
        """Read one page, and grow."""
        found = await super().page(operation, cursor=cursor, ids=ids, query=query)
        last = json.loads(self.there[-1])["id"]
        self.there = [*self.there, *numbered(*range(last + 1, last + 16))]
        return found


@pytest.mark.parametrize("concurrency", [1, 8])
async def test_a_list_that_grows_faster_than_it_is_read_has_an_end(concurrency, tmp_path):
    """What existed at the start is whole, later records are no part of it, and the certificate says so."""
    book = GrowingBook(numbered(*range(1, 96)))
    certificate = await run_book(book, tmp_path / "out", concurrency=concurrency)
    assert (tmp_path / "out").read_bytes() == b"".join(row + b"\n" for row in numbered(*range(1, 96)))
    assert (certificate.expected, certificate.delivered, certificate.gone) == (95, 95, 0)
    assert (certificate.proven, certificate.appeared) == (True, 0)
    assert certificate.facts == ("ends at the id 95, the highest of the deals listed at the start",)
    assert (book.probes, len(book.asked) <= 95 / 9 + 2) == (1, True)


@pytest.mark.parametrize("killed_at", [1, 5, 10])
async def test_what_bounds_an_export_holds_for_its_next_runs(killed_at, tmp_path):
    """A run that takes up another one reads to the same end and asks for it no second time."""
    book = GrowingBook(numbered(*range(1, 96)))

    def fail(asked: int) -> None:
        if asked == killed_at:
            raise ConnectionFailed("The line is dead.")

    book.before = fail
    with pytest.raises(ConnectionFailed):
        await run_book(book, tmp_path / "out", concurrency=2)
    book.before = lambda number: None
    certificate = await run_book(book, tmp_path / "out", concurrency=2)
    assert (certificate.delivered, certificate.proven, certificate.resumed) == (95, True, 1)
    assert book.probes == 1


async def test_an_account_that_is_empty_at_the_start_has_nothing_to_read(tmp_path):
    """No deal existed, so none is promised, whatever comes meanwhile; the certificate says why."""
    book = Book([])
    certificate = await run_book(book, tmp_path / "out")
    assert (certificate.delivered, certificate.proven, book.asked) == (0, True, [])
    assert certificate.facts == ("no deals were listed at the start; what came later is no part of it",)


async def test_without_the_highest_id_an_endless_list_is_given_up(tmp_path):
    """A vendor that keeps to one order only bounds nothing: read far beyond the start, then unproven."""
    book = GrowingBook(numbered(*range(1, 96)))
    book.last = lambda rows: rows
    certificate = await run_book(book, tmp_path / "out")
    assert 2 * 95 + 1000 < certificate.delivered < 2 * 95 + 1000 + 20 * 10
    assert certificate.completeness == "unproven"
    assert certificate.reasons[0].startswith("the list grows faster than it is read")
    assert certificate.facts[0].startswith("no answer showed the highest id of the deals")


async def test_a_server_that_ignores_the_offset_is_given_up(tmp_path):
    """The first page for ever and a huge total: some fifty answers, and nothing is called proven."""
    book = Book(numbered(*range(1, 11)))
    book.bend = lambda rows, total: (book.there, 2_000_000_000)
    certificate = await run_book(book, tmp_path / "out", concurrency=4)
    assert (certificate.delivered, certificate.completeness) == (10, "unproven")
    assert len(book.asked) < 60


async def test_lists_without_totals_are_proven_by_their_short_page(tmp_path):
    """Totals are hints: without any the pages are read one after another."""
    book = Book(numbered(*map(str, range(1, 41))))
    book.bend = lambda rows, total: (rows, None)
    certificate = await run_book(book, tmp_path / "out")
    assert (certificate.delivered, certificate.proven) == (40, True)


def capped(rows: list[bytes], most: int) -> list[bytes]:
    return rows[:most]


@pytest.mark.parametrize("total", [None, 3])
@pytest.mark.parametrize("count", [4, 7, 40])
async def test_a_server_that_holds_pages_short_and_tells_no_total_is_read_to_its_end(count, total, tmp_path):
    """Three rows a page, no total or that of the page: the highest id of the start tells of more."""
    book = Book(numbered(*range(1, count + 1)))
    book.bend = lambda rows, counted: (capped(rows, 3), total)
    certificate = await run_book(book, tmp_path / "out", concurrency=4)
    assert (certificate.delivered, certificate.proven) == (count, True)
    assert (certificate.gone, certificate.appeared) == (None, None)
    assert any("only claimed" in fact for fact in certificate.facts)


@pytest.mark.parametrize("total", [None, 20])
async def test_a_list_that_is_cut_below_its_highest_id_is_unproven(total, tmp_path):
    """Nothing is listed behind the twentieth deal, and the opposite order still shows the fortieth."""
    book = Book(numbered(*range(1, 41)))

    def cut(rows: list[bytes], counted: int) -> tuple[list[bytes], int | None]:
        listed = [row for row in rows if json.loads(row)["id"] <= 20]
        return (listed if book.asked else rows), total

    book.bend = cut
    book.last = lambda rows: rows[:19:-1]
    certificate = await run_book(book, tmp_path / "out")
    assert (certificate.delivered, certificate.completeness) == (20, "unproven")
    assert "behind the id 20, though 40 was seen in the opposite order" in certificate.reasons[0]


async def test_the_highest_deals_may_be_deleted_while_it_runs(tmp_path):
    """The opposite order is asked a second time, and shows that they are gone."""
    book = Book(numbered(*range(1, 26)))

    def delete(asked: int) -> None:
        if asked == 1:
            book.there = book.there[:-3]

    book.before = delete
    certificate = await run_book(book, tmp_path / "out", concurrency=1)
    assert (certificate.delivered, certificate.proven, certificate.gone) == (22, True, 3)
    assert book.probes == 2


@pytest.mark.parametrize("killed_at", [1, 4])
async def test_the_highest_id_holds_for_the_next_run(killed_at, tmp_path):
    """A run that takes up another one on a server that holds its pages short does not end early either."""
    book = Book(numbered(*range(1, 41)))
    book.bend = lambda rows, counted: (capped(rows, 3), None)

    def fail(asked: int) -> None:
        if asked == killed_at:
            raise ConnectionFailed("The line is dead.")

    book.before = fail
    with pytest.raises(ConnectionFailed):
        await run_book(book, tmp_path / "out")
    book.before = lambda number: None
    certificate = await run_book(book, tmp_path / "out")
    assert (certificate.delivered, certificate.proven, certificate.gone) == (40, True, None)


@pytest.mark.parametrize(("told", "known"), [(40, True), (0, False), (12, False), (100_000, False)])
async def test_a_total_is_a_claim(told, known, tmp_path):
    """Where the lists contradict it nothing is called gone, and the certificate says what was claimed."""
    book = Book(numbered(*range(1, 41)))
    book.bend = lambda rows, counted: (rows, told)
    certificate = await run_book(book, tmp_path / "out")
    assert (certificate.delivered, certificate.proven, certificate.expected) == (40, True, told)
    assert (certificate.gone, certificate.appeared) == ((0, 0) if known else (None, None))
    assert any(f"there were {told:,} deals" in fact for fact in certificate.facts) is not known
    assert ("gone not known" in " ".join(certificate.lines())) is not known


async def test_rows_without_a_usable_id_are_set_aside_or_come_last(tmp_path):
    """No id: a rejected row, in its own file. An id that is no number: delivered, and nothing is proven."""
    rows = [*numbered(*range(1, 12)), b'{"title": "nameless"}', *numbered(12, 13)]
    certificate = await run_book(Book(rows), tmp_path / "out.jsonl")
    assert (certificate.delivered, certificate.rejected, certificate.proven) == (13, 1, True)
    assert (tmp_path / "out.jsonl.rejected.jsonl").read_bytes() == b'{"title": "nameless"}\n'
    odd = await run_book(Book(numbered(1, "two", 3)), tmp_path / "odd.jsonl")
    assert (odd.delivered, odd.odd, odd.completeness) == (3, 1, "unproven")


@pytest.mark.parametrize("place", range(8, 13))
async def test_a_row_without_a_number_at_the_edge_of_a_page_is_not_lost(place, tmp_path):
    """Pages share one record; what stands behind or before it is kept, and once, wherever the edge falls."""
    rows = numbered(*range(1, 31))
    rows[place:place] = [b'{"title": "nameless"}', *numbered("odd")]
    certificate = await run_book(Book(rows), tmp_path / "out.jsonl")
    assert (certificate.delivered, certificate.odd, certificate.rejected) == (31, 1, 1)
    assert (tmp_path / "out.jsonl.rejected.jsonl").read_bytes() == b'{"title": "nameless"}\n'


async def test_a_pipe_gets_the_same_bytes(tmp_path):
    """Stdout gets the rows of the file."""
    rows = numbered(*range(1, 60))
    pipe = io.BytesIO()
    await run_book(Book(rows), tmp_path / "out")
    await export(Book(rows), WALK, to=pipe, clock=StillClock())
    assert pipe.getvalue() == (tmp_path / "out").read_bytes()


@pytest.mark.parametrize(
    ("search", "query"),
    [
        ({}, {}),
        ({"stage": "3"}, {"filters[stage]": "3"}),
        (
            {"status": 1, "created_after": "2026-01-01"},
            {"filters[status]": 1, "filters[created_after]": "2026-01-01"},
        ),
        ({"status": "won"}, {"filters[status]": 1}),
        ({"status": "2"}, {"filters[status]": "2"}),
        (
            {"minimum_value": "$100", "maximum_value": "250 USD"},
            {"filters[minimum_value]": 100, "filters[maximum_value]": 250},
        ),
    ],
)
def test_filters_are_spelled_as_the_vendor_wants_them(search, query):
    """The vendor's own names go between brackets."""
    assert filters_of(search) == query


@pytest.mark.parametrize(
    "search",
    [
        {"stages": "3"}, {"status": True}, {"stage": ["1"]}, {"stage": None}, {"status": "closed"},
        {"status": 3}, {"minimum_value": 100}, {"maximum_value": "100"}, {"created_after": "yesterday"},
        {"updated_before": "2026-01-01T00:00:00"}, {"search_field": "titles"}, {"nextdate_range": "soon"},
        {"score": "7"}, {"score_less_than": "x:1"}, {"owner": ""},
    ],
)  # fmt: skip
def test_filters_that_the_vendor_would_ignore_are_refused(search):
    """An unknown name, no text and no number, no day, no status, no unit: nothing is sent."""
    with pytest.raises(QueryRefused):
        filters_of(search)


def test_only_what_the_filters_find_is_exported(tmp_path):
    """A stage's deals alone, proven all the same."""
    simulated = simulator(600, hidden=0.0)

    async def run() -> Certificate:
        async with client_of(simulated) as client:
            return await export(
                client.executor, DEALS, to=tmp_path / "deals.jsonl", clock=VirtualClock(),
                query=filters_of({"stage": "2"}),
            )  # fmt: skip

    certificate = run_virtual(run())
    rows = [json.loads(line) for line in (tmp_path / "deals.jsonl").read_bytes().splitlines()]
    world = simulated.world
    assert isinstance(world, DealsWorld)
    wanted = [serial for serial in world.deals.listed if world.place_of(serial)[1] == 2]
    assert [row["id"] for row in rows] == [world.deals.id_of(serial) for serial in wanted]
    assert {row["stage"] for row in rows} == {"2"}
    assert certificate.proven
