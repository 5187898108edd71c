"""The judge of a test run: which tests it fails, and whose simulators it sees."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nimble_async._sansio.message import Request, Response
from nimble_async.testing import ServedSimulator, SimulateOptions, Simulator, SimulatorTransport, World
from nimble_async.testing.options import build
from tests.contract.description import FILE, Complaint, description
from tests.contract.judging import Judge, verdict
from tests.testing.asking import ask

COLOR = Complaint("contacts.list", "request", "?color", "unknown", "red")
SORT = Complaint("deals.list", "request", "?sort", "required", "is missing")
HAVING_IT = pytest.mark.skipif(not FILE.exists(), reason="the vendor's description is not at hand")


def mark(*complaints, **rest) -> pytest.Mark:
    return pytest.mark.undescribed(*complaints, **rest).mark


@pytest.mark.parametrize(
    ("complaints", "marker", "lines"),
    [
        ([], None, 0),
        ([COLOR], None, 1),
        ([COLOR, COLOR], None, 1),
        ([COLOR, SORT], None, 2),
        ([COLOR], mark(COLOR.key, reason="r"), 0),
        ([COLOR, SORT], mark(COLOR.key, reason="r"), 1),
        ([COLOR, SORT], mark(COLOR.key, SORT.key, reason="r"), 0),
        ([], mark(COLOR.key, reason="r"), 1),
        ([SORT], mark(COLOR.key, reason="r"), 2),
        ([], mark(reason="r"), 1),
        ([COLOR], mark(COLOR.key), 1),
    ],
)
def test_a_test_provokes_exactly_what_it_says(complaints, marker, lines):
    """What is complained of and not marked fails a test, and so does what is marked and does not occur."""
    assert len(verdict(complaints, marker).splitlines()) == lines


def _exchange(path: str, *, method: str = "GET", status: int = 200, answer: bytes = b"") -> tuple:
    return Request(method=method, url=f"http://s{path}"), Response(status=status, body=answer)


CONTACTS = b'{"meta": {"page": 1, "pages": 1, "per_page": 30, "total": %s}, "resources": [%s]}'


@HAVING_IT
@pytest.mark.parametrize(
    ("operation", "exchange", "keys"),
    [
        ("contacts.list", _exchange("/api/v1/contacts", answer=CONTACTS % (b"0", b"")), []),
        (
            "contacts.list",
            _exchange("/api/v1/contacts", answer=CONTACTS % (b'"0"', b"")),
            [("answer", "meta/total", "type")],
        ),
        (
            "contacts.list",
            _exchange("/api/v1/contacts?color=red", answer=CONTACTS % (b"0", b"")),
            [("request", "?color", "unknown")],
        ),
        (
            "contacts.list",
            _exchange("/api/v1/contacts?page=first", answer=CONTACTS % (b"0", b"")),
            [("request", "?page", "type")],
        ),
        ("contacts.list", _exchange("/api/v1/contacts?color=red", status=401), []),
        ("contacts.list", _exchange("/api/v1/contacts", status=418), [("status", "contacts.list", "418")]),
        ("contacts.list", _exchange("/api/v1/contact"), [("request", "GET /api/v1/contact", "path")]),
        ("contacts.list", _exchange("/api/v1/contacts/list?old=1", answer=b"{}"), []),
        ("unknown", _exchange("/nowhere", status=404), [("request", "GET /nowhere", "route")]),
        ("oauth.token", _exchange("/oauth/token", method="POST"), []),
        (
            "deals.delete",
            _exchange("/api/v2/deals/1", method="DELETE", answer=b"{}"),
            [("answer", "deals.delete", "body")],
        ),
        (
            "contact_notes.create",
            _exchange("/api/v1/contacts/notes", method="POST", status=201),
            [("request", "contact_notes.create", "no body"), ("answer", "(whole)", "type")],
        ),
    ],
)
def test_an_exchange_is_held_against_the_description(operation, exchange, keys):
    """Status, path, query, both bodies; who is not let in, older paths and others are passed over."""
    found = {one.key for one in description().complaints(operation, *exchange)}
    assert found == set(keys)


@HAVING_IT
def test_each_record_of_a_page_that_is_looked_at_counts():
    """One wrong record among right ones is found: of a page the first four, and every 25th after."""
    simulator = Simulator(World(contacts=60, deals=0))
    page = ask(simulator, "/api/v1/contacts", per_page=60).reply.response
    for place in (0, 3, 4, 29, 54):
        spoilt = page.body.split(b'"object_type":"contact"')
        body = b'"object_type":"contact"'.join(spoilt[: place + 1])
        body += b'"object_type":{}' + b'"object_type":"contact"'.join(spoilt[place + 1 :])
        found = description().complaints("contacts.list", *_exchange("/api/v1/contacts", answer=body))
        assert ("answer", "object_type", "enum") in {one.key for one in found}


@HAVING_IT
def test_what_is_listed_is_no_news_and_the_rest_is_told_once(tmp_path: Path):
    """The judge keeps unlisted complaints until it is asked, those of forked processes included."""
    judge = Judge(description(), tmp_path / "complaints")
    simulator = Simulator(World(contacts=3, deals=0), watch=judge.watch)
    ask(simulator, "/api/v1/contacts", contexts="leads_data,contact_files")
    assert judge.news() == []
    ask(simulator, "/api/v1/contacts", color="red")
    child = os.fork()
    if child == 0:
        ask(simulator, "/api/v1/contacts", taste="sour")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert [one.place for one in judge.news()] == ["?color", "?taste"]
    assert judge.news() == []
    judge.close()


@HAVING_IT
def test_a_request_is_judged_however_many_came_before(tmp_path: Path):
    """Of an endless export only some answers are looked at, and every request; a new test begins anew."""
    judge = Judge(description(), tmp_path / "complaints")
    right, wrong = CONTACTS % (b"0", b""), CONTACTS % (b'"0"', b"")
    for _ in range(120):
        judge.watch("contacts.list", *_exchange("/api/v1/contacts", answer=right))
    judge.watch("contacts.list", *_exchange("/api/v1/contacts?color=red", answer=wrong))
    assert [one.place for one in judge.news()] == ["?color"]
    judge.watch("contacts.list", *_exchange("/api/v1/contacts", answer=wrong))
    assert [one.place for one in judge.news()] == ["meta/total"]
    judge.close()


@HAVING_IT
def test_every_simulator_of_this_run_is_watched(judge, nimble_simulator, nimble_transport):
    """Made by hand, by options, by a server or by the shipped fixtures; the other vendor's is not."""
    made = [
        Simulator(),
        build(SimulateOptions(contacts=1, deals=0)),
        ServedSimulator().simulator,
        SimulatorTransport(Simulator()).simulator,
        nimble_simulator.simulator,
        nimble_transport.simulator,
    ]
    assert [simulator.watch for simulator in made] == [judge.watch] * len(made)
    assert Simulator(crm="activecampaign").watch is None
