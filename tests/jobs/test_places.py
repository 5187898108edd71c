"""Where files may go: refused before anything is asked, and nothing is overwritten."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from nimble_async.errors import InvalidInput, OutputExists, OutputFailed
from nimble_async.jobs.export import certificate_path, export, work_folder
from nimble_async.jobs.places import shown_name
from nimble_async.jobs.publish import rejected_path
from tests.jobs.listing import WALK, ListSource, StillClock, spread


@pytest.fixture
def source():
    """A list of twelve contacts."""
    return ListSource(StillClock(), spread(12))


@pytest.fixture
def output(tmp_path):
    """Where the file goes."""
    return tmp_path / "contacts.jsonl"


def run_of(source, output, **options):
    """The export that every test makes."""
    return export(source, WALK, to=output, clock=source.clock, **options)


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
async def test_what_is_no_regular_file_is_never_replaced(source, output, tmp_path, make, restart):
    """A folder or a pipe in the output's place is refused at once, also by one who replaces."""
    make(output)
    with pytest.raises(OutputFailed, match="no regular file"):
        await run_of(source, output, restart=restart)
    assert (source.asked, list(tmp_path.iterdir()), output.is_file()) == ([], [output], False)


@pytest.mark.parametrize("place_of", [Path, rejected_path, work_folder, lambda path: work_folder(path) / "x"])
async def test_a_certificate_takes_no_place_of_the_export(source, output, tmp_path, place_of):
    """It would overwrite the rows, or go with the work folder."""
    with pytest.raises(OutputFailed, match="needs that place itself"):
        await run_of(source, output, certificate=place_of(output))
    assert (source.asked, list(tmp_path.iterdir())) == ([], [])


async def test_a_certificate_s_place_is_compared_by_its_real_folder(source, output, tmp_path):
    """The output by another name is still the output."""
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    with pytest.raises(OutputFailed, match="needs that place itself"):
        await run_of(source, output, certificate=link / output.name)
    assert source.asked == []


async def test_a_certificate_needs_a_folder_and_a_file_s_name(source, output, tmp_path):
    """What would fail at the very end fails before the first request, for a pipe too."""
    with pytest.raises(OutputFailed, match="There is no folder"):
        await run_of(source, output, certificate=tmp_path / "none" / "proof.json")
    with pytest.raises(OutputFailed, match="no regular file"):
        await run_of(source, output, certificate=tmp_path)
    with (tmp_path / "pipe").open("wb") as pipe, pytest.raises(OutputFailed, match="There is no folder"):
        await run_of(source, pipe, certificate=tmp_path / "none" / "proof.json")
    assert source.asked == []


@pytest.mark.parametrize("text", [b"my diary", b"\xff\xfe", b'{"tool": "hammer"}', b"[]", b""])
@pytest.mark.parametrize("restart", [False, True])
async def test_a_certificate_replaces_only_a_certificate(source, output, tmp_path, text, restart):
    """Another file in its place is refused and left as it is."""
    place = tmp_path / "proof.json"
    place.write_bytes(text)
    with pytest.raises(OutputExists, match="no certificate"):
        await run_of(source, output, certificate=place, restart=restart)
    assert (source.asked, place.read_bytes(), list(tmp_path.iterdir())) == ([], text, [place])


async def test_an_old_certificate_is_replaced(source, output):
    """Who moves the file away and exports again need not clean up first."""
    await run_of(source, output)
    output.rename(output.with_name("old.jsonl"))
    source.rows_there.pop()
    assert (await run_of(source, output)).delivered == 11
    assert json.loads(certificate_path(output).read_bytes())["delivered"] == 11


async def test_a_name_of_any_bytes_is_written_and_named(source, tmp_path):
    """A file's name need not be text."""
    output = tmp_path / os.fsdecode(b"bad\xff.jsonl")
    certificate = await run_of(source, output)
    assert output.read_bytes().count(b"\n") == 12
    assert certificate.output.name == shown_name(output) == "bad\N{REPLACEMENT CHARACTER}.jsonl"
    assert certificate_path(output).read_bytes() == certificate.encode()


def refuse(number):
    """Answer as to a search that the vendor does not take."""
    raise InvalidInput(f"Request {number} names no searchable field.", status=409)


async def test_a_refused_search_leaves_nothing(source, output, tmp_path):
    """It can be corrected and asked again, without a word about the first."""
    source.before = refuse
    with pytest.raises(InvalidInput):
        await run_of(source, output, query={"query": '{"nope":{"is":"x"}}'})
    assert list(tmp_path.iterdir()) == []
    source.before = lambda number: None
    assert (await run_of(source, output)).delivered == 12


async def test_a_refused_run_that_may_replace_remembers_that_it_may(source, output):
    """Refused at its first request, a plain run goes on and replaces at the end."""
    await run_of(source, output)
    source.before = refuse
    with pytest.raises(InvalidInput):
        await run_of(source, output, restart=True)
    source.before = lambda number: None
    source.rows_there.pop()
    assert (await run_of(source, output)).delivered == 11
