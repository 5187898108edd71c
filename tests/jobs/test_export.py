"""The export's promises one by one: what is delivered, what is refused, what is said."""

from __future__ import annotations

import asyncio
import io
import json
import os
import resource
import tempfile
import time
from pathlib import Path

import pytest

from nimble_async.errors import (
    CheckpointRefused,
    ConfigurationError,
    ConnectionFailed,
    JobBusy,
    OutputExists,
    OutputFailed,
    PagingBroken,
    QueryRefused,
)
from nimble_async.jobs.export import certificate_path, export, work_folder
from nimble_async.jobs.publish import rejected_path
from nimble_async.jobs.reading import Progress
from tests.jobs.listing import NOON, WALK, ListSource, StillClock, contact, spread


@pytest.fixture
def clock():
    """Time that passes only where somebody waits."""
    return StillClock()


@pytest.fixture
def output(tmp_path):
    """Where the file goes."""
    return tmp_path / "contacts.jsonl"


def run_of(source, output, **options):
    """The export that most tests make."""
    return export(source, WALK, to=output, clock=source.clock, **options)


def ids_in(output):
    """The ids of a finished file, in its order."""
    return [json.loads(line).get("id") for line in output.read_bytes().splitlines()]


class Breaking:
    """Fails the n-th request, as a network does."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __call__(self, number: int) -> None:
        if number == self.number:
            raise ConnectionFailed("The line is dead.")


# ------------------------------------------------------------------------------ what is delivered


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 95, 400])
async def test_everything_is_delivered_once_in_the_order_of_dates(clock, output, count):
    """Rows come out by date, each once, with the server's own bytes."""
    source = ListSource(clock, spread(count))
    certificate = await run_of(source, output)
    assert output.read_bytes() == b"".join(row + b"\n" for _, row in sorted(source.rows_there))
    assert certificate.complete
    assert (certificate.expected, certificate.delivered, certificate.gone, certificate.appeared) == (
        count,
        count,
        0,
        0,
    )
    assert certificate.requests == len(source.asked)


async def test_the_file_does_not_depend_on_the_concurrency(clock, tmp_path):
    """Whoever reads what when, a world at rest makes one file."""
    files = []
    for concurrency in (1, 2, 7, 30):
        output = tmp_path / f"{concurrency}.jsonl"
        await run_of(ListSource(clock, spread(250, step=3)), output, concurrency=concurrency)
        files.append(output.read_bytes())
    assert len(set(files)) == 1


async def test_an_export_costs_about_one_request_a_page(clock, output):
    """Windows are not paid for: four hundred records in pages of ten take hardly more than forty requests."""
    source = ListSource(clock, spread(400))
    certificate = await run_of(source, output, concurrency=4)
    assert 40 <= certificate.requests <= 40 * 1.4 + 6


async def test_nothing_is_read_before_the_index_must_show_it(clock, output):
    """All rows are asked for after the lag has passed since the server's time at the start."""
    source = ListSource(clock, spread(20))
    times = []
    source.before = lambda number: times.append(clock.time)
    await run_of(source, output)
    survey = [time for time, asked in zip(times, source.asked, strict=True) if asked["per_page"] == 1][:3]
    reading = [time for time, asked in zip(times, source.asked, strict=True) if asked["per_page"] == 10]
    assert max(survey) == 0
    assert min(reading) >= WALK.lag + 1


async def test_a_query_is_narrowed_and_fields_are_passed_on(clock, output):
    """The user's search is joined with the dates, and the other members go along."""
    source = ListSource(clock, spread(12))
    search = {"record type": {"is": "person"}}
    certificate = await run_of(
        source, output, query={"query": json.dumps(search), "fields": "email", "tags": None}
    )
    assert {asked["fields"] for asked in source.asked} == {"email"}
    assert all(
        search in json.loads(asked["query"]).get("and", [search]) for asked in source.asked if "sort" in asked
    )
    assert "tags" not in json.loads(certificate.query)


async def test_a_search_without_a_term_to_spare_is_refused_before_anything(clock, output, tmp_path):
    """The dates need one of the eleven terms."""
    source = ListSource(clock, [])
    terms = json.dumps({"and": [{"email": {"is": f"{number}@example.com"}} for number in range(11)]})
    with pytest.raises(QueryRefused):
        await run_of(source, output, query={"query": terms})
    assert (source.asked, list(tmp_path.iterdir())) == ([], [])


async def test_a_row_with_a_line_break_is_compacted_and_the_others_are_not_touched(clock, output):
    """A line is a record, whatever white space the server put between its members."""
    rows = [(NOON - 10, contact(1, NOON - 10).replace(b", ", b" ,\n\t")), (NOON - 5, contact(2, NOON - 5))]
    await run_of(ListSource(clock, rows), output)
    lines = output.read_bytes().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["c0001", "c0002"]
    assert lines[1] == rows[1][1]


async def test_rows_without_an_id_go_to_a_file_of_their_own(clock, output):
    """A row that cannot be told from others is rejected, kept and counted, and the books balance."""
    rows = [*spread(25), *((NOON - 7200, contact(900 + number, NOON - 7200, id=...)) for number in range(2))]
    certificate = await run_of(ListSource(clock, rows), output)
    assert (certificate.delivered, certificate.rejected, certificate.expected) == (25, 2, 27)
    assert certificate.proven
    assert not certificate.complete
    assert rejected_path(output).read_bytes().count(b"\n") == 2
    assert certificate.rejected_output is not None
    assert any("rejected" in line for line in certificate.lines())


async def test_rows_without_a_readable_date_come_last_and_unprove(clock, output):
    """Such rows are delivered; but others like them may lie in no window, so nothing is proven."""
    rows = [*spread(25), (NOON - 9000, contact(700, None)), (NOON - 9500, contact(600, None, created="soon"))]
    certificate = await run_of(ListSource(clock, rows), output)
    assert ids_in(output)[-2:] == ["c0600", "c0700"]
    assert (certificate.delivered, certificate.odd, certificate.proven) == (27, 2, False)


async def test_records_that_no_date_finds_are_noticed(clock, output):
    """The total without dates must equal the total of all dates, or the export is not proven."""
    certificate = await run_of(ListSource(clock, [*spread(25), (None, contact(800, None))]), output)
    assert not certificate.proven
    assert any("no date" in reason for reason in certificate.reasons)


async def test_a_record_dated_ahead_of_the_server_is_delivered(clock, output):
    """The last window reaches as far as the youngest record there is."""
    rows = [*spread(12), (NOON + 86_400, contact(999, NOON + 86_400))]
    certificate = await run_of(ListSource(clock, rows), output)
    assert ids_in(output)[-1] == "c0999"
    assert certificate.complete


async def test_records_born_after_the_start_are_counted_and_not_promised(clock, output):
    """They are left out, and the certificate says how many."""
    source = ListSource(clock, spread(30))

    def born(number: int) -> None:
        if number == 5:
            source.rows_there += [(at := NOON + 3, contact(990, at)), (at + 1, contact(991, at + 1))]

    source.before = born
    certificate = await run_of(source, output)
    assert (certificate.delivered, certificate.born_after, certificate.complete) == (30, 2, True)
    assert any("after the start" in line for line in certificate.lines())


async def test_without_a_date_header_this_machine_says_the_time(clock, output):
    """A server that tells no time does not stop the export."""
    source = ListSource(clock, spread(15))
    source.date = False
    assert (await run_of(source, output)).delivered == 15


# ------------------------------------------------------------------------------ crowds and bad answers


async def test_a_crowd_with_one_date_is_counted(clock, output):
    """More records of one second than fit a page are proven by a census."""
    rows = [*spread(30), *((NOON - 5000, contact(100 + number, NOON - 5000)) for number in range(35))]
    certificate = await run_of(ListSource(clock, rows), output)
    assert (certificate.delivered, certificate.complete, certificate.windows.census > 0) == (65, True, True)
    assert ids_in(output) == [json.loads(row)["id"] for _, row in sorted(rows)]


async def test_a_huge_crowd_is_first_cut_by_seconds(clock, output):
    """A crowd over a few seconds is counted second by second."""
    rows = [((at := NOON - 5000 + number % 4), contact(number, at)) for number in range(240)]
    certificate = await run_of(ListSource(clock, rows), output)
    assert (certificate.delivered, certificate.complete) == (240, True)
    assert certificate.windows.census >= 4


async def test_a_crowd_whose_pages_hide_somebody_is_settled_by_id(clock, output):
    """Where pages show a crowd in another order each time, ids say who is still there."""
    rows = [(NOON - 5000, contact(number, NOON - 5000)) for number in range(30)]
    source = ListSource(clock, rows)
    order = [row for _, row in rows]

    def shuffled(number: int, page: list[bytes], total: int) -> tuple[list[bytes], int]:
        turn = number * 7 % 30
        return (order[turn:] + order[:turn])[: len(page)], total

    source.bend = shuffled
    certificate = await run_of(source, output)
    assert (certificate.delivered, certificate.complete) == (30, True)
    assert any("id" in asked for asked in source.asked)


async def test_a_crowd_that_never_settles_is_unproven(clock, output):
    """A total that no set of ids ever equals ends in `unproven`, after a bounded number of passes."""
    rows = [(NOON - 5000, contact(number, NOON - 5000)) for number in range(30)]
    source = ListSource(clock, rows)
    source.bend = lambda number, page, total: (page, total + 1)
    certificate = await run_of(source, output)
    assert (certificate.delivered, certificate.proven) == (30, False)
    assert len(source.asked) < 700


async def test_a_list_out_of_order_is_cut_until_each_answer_is_whole(clock, output):
    """Where the order asked for is not kept, only answers that equal their total prove anything."""
    source = ListSource(clock, spread(60))
    source.bend = lambda number, page, total: (page[::-1], total)
    certificate = await run_of(source, output)
    assert (certificate.delivered, certificate.complete, certificate.windows.order) == (60, True, 0)


async def test_a_short_answer_is_asked_for_again(clock, output):
    """A page with fewer rows than it promises is never taken for the end."""
    source = ListSource(clock, spread(60))
    source.bend = lambda number, page, total: (page[:-3] if number == 5 else page, total)
    certificate = await run_of(source, output)
    assert (certificate.delivered, certificate.complete, certificate.pages_reread) == (60, True, 1)


async def test_answers_that_stay_short_are_delivered_as_unproven(clock, output):
    """What comes is delivered as far as it can be placed; nothing is proven."""
    source = ListSource(clock, spread(60))
    source.bend = lambda number, page, total: (page[:-3] if len(page) == 10 else page, total)
    certificate = await run_of(source, output, concurrency=1)
    assert not certificate.proven
    assert certificate.delivered == 60
    assert any("fewer" in reason for reason in certificate.reasons)


async def test_answers_without_anything_end_unproven(clock, output):
    """A list that counts records and shows none ends, and says so."""
    source = ListSource(clock, spread(60))
    source.bend = lambda number, page, total: ([], total)
    certificate = await run_of(source, output)
    assert (certificate.delivered, certificate.proven) == (0, False)


async def test_a_vendor_that_ignores_the_dates_is_found_out(clock, output):
    """Rows outside the dates asked for stop the export; nothing is published."""
    source = ListSource(clock, spread(60))
    everything = [row for _, row in source.rows_there]
    source.bend = lambda number, page, total: (everything[:10], 60)
    with pytest.raises(PagingBroken):
        await run_of(source, output)
    assert not output.exists()


# ------------------------------------------------------------------------------ going on, and refusals


@pytest.mark.parametrize("number", [0, 2, 3, 4, 7, 20])
async def test_an_error_keeps_what_was_read_and_the_next_run_goes_on(clock, output, number):
    """The error is raised as it is; the same call again makes the same file and asks little twice."""
    whole = output.with_name("whole.jsonl")
    first = ListSource(clock, spread(200))
    await run_of(first, whole, concurrency=2)
    source = ListSource(clock, spread(200))
    source.before = Breaking(number)
    with pytest.raises(ConnectionFailed):
        await run_of(source, output, concurrency=2)
    assert not output.exists()
    source.before = Breaking(-1)
    certificate = await run_of(source, output, concurrency=2)
    assert output.read_bytes() == whole.read_bytes()
    assert certificate.complete
    assert certificate.resumed == 1
    assert len(source.asked) <= len(first.asked) + 6
    assert not work_folder(output).exists()


async def test_a_cancelled_export_keeps_what_is_whole(clock, output):
    """Cancellation passes on, after what was read is on the disk."""
    source = ListSource(clock, spread(200))
    task: asyncio.Task[object]

    def cancel(number: int) -> None:
        if number == 9:
            task.cancel()

    source.before = cancel
    task = asyncio.create_task(run_of(source, output, concurrency=1))
    with pytest.raises(asyncio.CancelledError):
        await task
    asked = len(source.asked)
    certificate = await run_of(source, output, concurrency=1)
    assert certificate.resumed == 1
    assert certificate.complete
    assert len(source.asked) - asked < 20


async def test_a_finished_output_is_refused_and_left_as_it_is(clock, output, tmp_path):
    """Nothing is asked and nothing is made where a file is in the way."""
    output.write_text("mine")
    source = ListSource(clock, spread(3))
    with pytest.raises(OutputExists, match="--restart"):
        await run_of(source, output)
    assert (output.read_text(), source.asked, list(tmp_path.iterdir())) == ("mine", [], [output])


async def test_restart_replaces_a_finished_output_at_the_very_end(clock, output):
    """The old file stays until the new one is whole; killed on the way, a plain run goes on."""
    await run_of(ListSource(clock, spread(5)), output)
    old = output.read_bytes()
    source = ListSource(clock, spread(60))
    source.before = Breaking(6)
    with pytest.raises(ConnectionFailed):
        await run_of(source, output, restart=True)
    assert output.read_bytes() == old
    source.before = Breaking(-1)
    assert (await run_of(source, output)).delivered == 60
    assert len(ids_in(output)) == 60
    assert json.loads(certificate_path(output).read_bytes())["delivered"] == 60


async def test_restart_forgets_an_unfinished_export(clock, output):
    """With `restart` nothing of an earlier run is used."""
    source = ListSource(clock, spread(60))
    source.before = Breaking(6)
    with pytest.raises(ConnectionFailed):
        await run_of(source, output)
    certificate = await run_of(ListSource(clock, spread(30)), output, restart=True)
    assert (certificate.delivered, certificate.resumed) == (30, 0)


async def test_a_strangers_file_that_comes_into_the_way_is_left(clock, output):
    """A file that appears while the export runs is not overwritten, and nothing has to be read again."""
    source = ListSource(clock, spread(30))
    source.before = lambda number: output.write_text("theirs") and None if number == 5 else None
    with pytest.raises(OutputExists):
        await run_of(source, output)
    assert output.read_text() == "theirs"
    output.unlink()
    asked = len(source.asked)
    assert (await run_of(source, output)).delivered == 30
    assert len(source.asked) == asked


async def unfinished(clock, output, **options):
    """Leave an unfinished export behind."""
    source = ListSource(clock, spread(60))
    source.before = Breaking(8)
    with pytest.raises(ConnectionFailed):
        await run_of(source, output, **options)
    source.before = Breaking(-1)
    return source


@pytest.mark.parametrize("other", [{"query": {"fields": "phone"}}, {"account": "another"}])
async def test_a_checkpoint_of_another_job_is_refused(clock, output, other):
    """Another query or account does not go on with what was read, and nothing is changed."""
    source = await unfinished(clock, output, account="one")
    journal = (work_folder(output) / "journal").read_bytes()
    with pytest.raises(CheckpointRefused, match="--restart"):
        await run_of(source, output, **{"account": "one", **other})
    assert (work_folder(output) / "journal").read_bytes() == journal


def spoil_middle(folder: Path) -> None:
    """Change a byte in the middle of the journal."""
    journal = folder / "journal"
    data = bytearray(journal.read_bytes())
    data[len(data) // 2] ^= 1
    journal.write_bytes(data)


def spoil_start(folder: Path) -> None:
    """Put something else in the place of the journal."""
    (folder / "journal").write_bytes(b"PK\x03\x04 not a journal\n")


def spoil_version(folder: Path) -> None:
    """Leave a journal of a newer release."""
    import zlib

    text = b'{"type":"header","version":9,"crm":"nimble","resource":"contacts","query":"{}","account":""}'
    (folder / "journal").write_bytes(b"%08x %s\n" % (zlib.crc32(text), text))


def lose_rows(folder: Path) -> None:
    """Remove rows that the journal names."""
    (folder / "rows").write_bytes(b"")


def lose_first_line(folder: Path) -> None:
    """Remove the line that says what job it is."""
    journal = folder / "journal"
    journal.write_bytes(journal.read_bytes().partition(b"\n")[2])


@pytest.mark.parametrize("spoil", [spoil_middle, spoil_start, spoil_version, lose_rows, lose_first_line])
async def test_a_broken_checkpoint_is_refused_and_left_as_it_is(clock, output, spoil):
    """Damage is told, with what to do, and nothing is touched; --restart gets past it."""
    source = await unfinished(clock, output)
    spoil(work_folder(output))
    before = {path.name: path.read_bytes() for path in work_folder(output).iterdir()}
    with pytest.raises(CheckpointRefused, match="--restart"):
        await run_of(source, output)
    assert {path.name: path.read_bytes() for path in work_folder(output).iterdir()} == before
    assert (await run_of(source, output, restart=True)).complete


async def test_rows_that_changed_on_the_disk_are_not_published(clock, output):
    """The bytes of the spool are checked while the file is assembled."""
    await unfinished(clock, output)
    spool = work_folder(output) / "rows"
    data = bytearray(spool.read_bytes())
    data[10] ^= 1
    spool.write_bytes(data)
    with pytest.raises(CheckpointRefused):
        await run_of(ListSource(clock, spread(60)), output)
    assert not output.exists()


@pytest.mark.parametrize("cut", [1, 7, 30, 90])
async def test_a_torn_end_of_the_journal_is_cut_off(clock, output, cut):
    """What a kill leaves behind the last whole line is read again, and the file is right."""
    source = await unfinished(clock, output)
    journal = work_folder(output) / "journal"
    journal.write_bytes(journal.read_bytes()[:-cut] + b"\0\0")
    with (work_folder(output) / "rows").open("ab") as rows:
        rows.write(b'{"id":"torn')
    await run_of(source, output)
    assert output.read_bytes() == b"".join(row + b"\n" for _, row in sorted(source.rows_there))


async def test_one_process_at_a_time(clock, output):
    """A second export to the same file is refused while the first one runs."""
    source, refusals = ListSource(clock, spread(60)), []
    other = ListSource(StillClock(), spread(60))

    async def second() -> None:
        with pytest.raises(JobBusy) as refusal:
            await run_of(other, output)
        refusals.append(refusal.value)

    tasks = []
    source.before = lambda number: tasks.append(asyncio.create_task(second())) if number == 4 else None
    certificate = await run_of(source, output, concurrency=1)
    await asyncio.wait(tasks)
    assert len(refusals) == 1
    assert other.asked == []
    assert certificate.complete


async def test_a_full_disk_is_told_and_the_export_goes_on_when_there_is_room(clock, output):
    """No half-written file is visible, and the same call finishes once there is room."""
    source = ListSource(clock, spread(200, note="x" * 500))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))
    try:
        with pytest.raises(OutputFailed, match="again"):
            await run_of(source, output, commit_every=0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not output.exists()
    assert (work_folder(output) / "rows").stat().st_size <= 60_000
    certificate = await run_of(source, output)
    assert certificate.complete
    assert certificate.resumed == 1


async def test_a_full_disk_while_the_file_is_assembled_costs_no_request(clock, output):
    """Where only the last copy does not fit, nothing has to be read again."""
    source = ListSource(clock, spread(200, note="x" * 500))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def tighten(progress) -> None:
        if progress.phase == "writing":
            resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))

    try:
        with pytest.raises(OutputFailed):
            await run_of(source, output, progress=tighten)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    asked = len(source.asked)
    assert not output.exists()
    assert (await run_of(source, output)).complete
    assert len(source.asked) == asked


@pytest.mark.parametrize("missing", [True, False])
async def test_a_folder_that_cannot_be_written_is_told(clock, tmp_path, missing):
    """A missing folder, or a file in the place of the folder, is told before anything is asked."""
    place = tmp_path / "there"
    if not missing:
        place.write_text("a file")
    source = ListSource(clock, spread(3))
    with pytest.raises(OutputFailed):
        await run_of(source, place / "out.jsonl")
    assert source.asked == []


async def test_a_concurrency_below_one_is_refused(clock, output):
    """At least one window is read at a time."""
    with pytest.raises(ConfigurationError):
        await run_of(ListSource(clock, []), output, concurrency=0)


class PowerCut(Exception):
    """Ends an export right after one of its durable steps."""


async def test_an_export_cut_off_after_any_step_is_finished_by_the_next_run(clock, tmp_path):
    """After each durable step in turn: the next run makes the same file, and leaves nothing else behind."""
    rows, steps = spread(35), []
    whole = tmp_path / "whole.jsonl"
    await run_of(ListSource(clock, rows), whole, commit_every=0, trace=lambda step, path: steps.append(step))
    for last in range(1, len(steps) + 1):
        folder = tmp_path / str(last)
        folder.mkdir()
        output, left = folder / "out.jsonl", [last]

        def cut(step: str, path: Path, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise PowerCut(f"{step} {path}")

        source = ListSource(clock, rows)
        with pytest.raises(PowerCut):
            await run_of(source, output, commit_every=0, concurrency=3, trace=cut)
        if last < len(steps):
            await run_of(source, output)
        assert output.read_bytes() == whole.read_bytes(), steps[last - 1]
        assert sorted(path.name for path in folder.iterdir()) == ["out.jsonl", "out.jsonl.certificate.json"]


@pytest.mark.parametrize("journal", [True, False])
async def test_a_kill_while_the_work_folder_is_removed_is_tidied_up(clock, output, journal):
    """With the journal left the next run ends well; with an empty folder left it finds a finished output."""
    source = ListSource(clock, spread(35))
    kept = {}

    def keep(step: str, path: Path) -> None:
        if (step, path.name) == ("rename", certificate_path(output).name):
            kept["journal"] = (work_folder(output) / "journal").read_bytes()

    await run_of(source, output, trace=keep)
    work_folder(output).mkdir()
    if journal:
        (work_folder(output) / "journal").write_bytes(kept["journal"])
        asked = len(source.asked)
        assert (await run_of(source, output)).complete
        assert len(source.asked) == asked
    else:
        with pytest.raises(OutputExists):
            await run_of(source, output)
    assert not work_folder(output).exists()


async def test_a_lost_output_is_assembled_again(clock, output):
    """A file that vanished before the certificate was written is made from the rows once more."""
    source = ListSource(clock, spread(35))

    def cut(step: str, path: Path) -> None:
        if step == "write" and path.name == "certificate":
            raise PowerCut

    with pytest.raises(PowerCut):
        await run_of(source, output, trace=cut)
    output.write_bytes(output.read_bytes()[:-1] + b"!")
    with pytest.raises(OutputExists):
        await run_of(source, output)
    output.unlink()
    asked = len(source.asked)
    assert (await run_of(source, output)).delivered == 35
    assert len(source.asked) == asked


async def test_a_cancellation_during_a_commit_waits_for_its_end(clock, output):
    """What a commit has begun is whole before the cancellation is passed on."""
    source = ListSource(clock, spread(60))
    loop = asyncio.get_running_loop()
    began: list[int] = []

    def slow(step: str, path: Path) -> None:
        if (step, path.name) == ("write", "rows") and not began:
            began.append(len(source.asked))
            loop.call_soon_threadsafe(task.cancel)
            time.sleep(0.05)

    task = asyncio.create_task(run_of(source, output, commit_every=0, trace=slow))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert b'"block"' in (work_folder(output) / "journal").read_bytes()
    assert (await run_of(source, output)).complete


async def test_a_certificate_may_lie_on_another_disk(clock, output):
    """Where a rename cannot reach, the certificate is written beside its place and renamed there."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == output.parent.stat().st_dev:
        pytest.skip("there is no second disk here")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        place = Path(folder) / "proof.json"
        certificate = await run_of(ListSource(clock, spread(12)), output, certificate=place)
        assert place.read_bytes() == certificate.encode()
        assert [path.name for path in Path(folder).iterdir()] == ["proof.json"]
    assert not certificate_path(output).exists()


# ------------------------------------------------------------------------------ pipes, order of steps, words


async def test_a_pipe_gets_the_same_bytes(clock, output, tmp_path):
    """`-` means the rows of a file, in the same order, and the certificate where it was asked for."""
    await run_of(ListSource(clock, spread(120)), output)
    pipe, beside = io.BytesIO(), tmp_path / "proof.json"
    certificate = await export(ListSource(clock, spread(120)), WALK, to=pipe, clock=clock, certificate=beside)
    assert pipe.getvalue() == output.read_bytes()
    assert certificate.output.sha256 == json.loads(certificate_path(output).read_bytes())["output"]["sha256"]
    assert beside.read_bytes() == certificate.encode()


async def test_a_pipe_that_nobody_reads_is_told(clock):
    """A closed pipe ends the export with an error of ours."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb", buffering=0) as pipe, pytest.raises(OutputFailed, match="Nobody"):
        await export(ListSource(clock, spread(120)), WALK, to=pipe, clock=clock)


async def test_each_file_is_durable_before_it_has_its_name(clock, output):
    """Rows before the journal; write, fsync, rename, fsync of the folder: the file, then the certificate."""
    steps: list[tuple[str, str]] = []
    await run_of(
        ListSource(clock, spread(60)), output, commit_every=0,
        trace=lambda step, path: steps.append((step, path.name)),
    )  # fmt: skip
    names = [step for step in steps if step[1] in {"rows", "journal"} and step[0] in {"write", "fsync"}]
    for place, step in enumerate(names):
        if step == ("write", "rows"):
            assert names[place + 1 : place + 4] == [
                ("fsync", "rows"),
                ("write", "journal"),
                ("fsync", "journal"),
            ]
    folder, work = output.parent.name, work_folder(output).name
    certificate = certificate_path(output).name
    end = steps.index(("write", "output"))
    assert steps[end:] == [
        ("write", "output"),
        ("fsync", "output"),
        ("write", "journal"),
        ("fsync", "journal"),
        ("rename", output.name),
        ("fsync folder", folder),
        ("fsync folder", work),
        ("write", "certificate"),
        ("fsync", "certificate"),
        ("rename", certificate),
        ("fsync folder", folder),
        ("fsync folder", work),
        ("fsync folder", folder),
    ]


async def test_progress_tells_each_phase_and_ends_complete(clock, output):
    """A listener hears the phases in their order, and the last word has all records."""
    heard: list[Progress] = []
    await run_of(ListSource(clock, spread(60)), output, progress=heard.append)
    phases = list(dict.fromkeys(progress.phase for progress in heard))
    assert phases == ["survey", "waiting", "reading", "writing", "done"]
    assert (heard[-1].records, heard[-1].expected) == (60, 60)
    assert [progress.requests for progress in heard] == sorted(progress.requests for progress in heard)


async def test_the_certificate_is_readable_and_balances(clock, output):
    """Delivered, rejected and gone are expected and appeared; it names what it assumes."""
    source = ListSource(clock, spread(60))

    def shrink(number: int) -> None:
        if number == 4:
            del source.rows_there[10:14]

    source.before = shrink
    certificate = await run_of(source, output, account="scope-1")
    assert (
        certificate.delivered + certificate.rejected + certificate.gone
        == certificate.expected + certificate.appeared
    )
    assert certificate.gone > 0
    text = json.loads(certificate_path(output).read_bytes())
    assert text["completeness"] == "proven"
    assert text["account"] == "scope-1"
    assert len(text["assumptions"]) >= 3
    assert certificate.lines()[-1] == "completeness: proven"
