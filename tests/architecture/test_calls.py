"""Every operation is called once through its method, and what is sent is the vendor's description of it."""

from __future__ import annotations

import json

import pytest

from nimble_async._sansio.operation import Shape
from nimble_async.nimble.catalog import OPERATIONS
from tests.nimble.calls import CALLS
from tests.nimble.recorded import Recorder, client, least_answer

OAUTH = {"oauth.authorize", "oauth.token"}


@pytest.fixture(scope="module")
def catalogue(request):
    """Give the vendor's operations by name."""
    path = request.config.rootpath / "tests" / "samples" / "nimble_catalog.json"
    return {row["id"]: row for row in json.loads(path.read_text("utf-8"))}


def test_every_operation_is_accounted_for(catalogue):
    """Of the vendor's 93 operations two are `OAuth`'s own; each of the other 91 is called here."""
    assert len(catalogue) == 93
    assert catalogue.keys() - OPERATIONS.keys() == OAUTH
    assert CALLS.keys() == OPERATIONS.keys()


def test_what_is_guessed_is_marked():
    """The one operation whose verb nobody documents says so; its body is free."""
    assert [name for name, operation in OPERATIONS.items() if not operation.verified] == [
        "files.azure_upload"
    ]


def test_other_peoples_names_lead_here(request):
    """Each of the 85 tools of another catalogue of this API is one of these operations."""
    path = request.config.rootpath / "tests" / "samples" / "truto_map.json"
    names = json.loads(path.read_text("utf-8"))
    assert len(names) == 85
    assert set(names.values()) <= OPERATIONS.keys()


@pytest.mark.parametrize("name", sorted(CALLS))
async def test_what_is_sent_is_what_the_vendor_describes(name, catalogue):
    """Method, path, members of the query and of the body are the catalogue's: all of them, no others."""
    operation, row = OPERATIONS[name], catalogue[name]
    wire = Recorder(lambda _: least_answer(operation))
    async with client(wire) as nimble:
        for call in CALLS[name]:
            result = await call(nimble)
            assert operation.shape is not Shape.EMPTY or result is None
    assert {sent.line for sent in wire.sent} == {(row["method"], row["path"])}
    assert {member for sent in wire.sent for member, _ in sent.query} == set(row["query"])
    bodies = {member for sent in wire.sent for member in sent.body or ()}
    assert bodies == set(row["body"])
    assert all(headers["Authorization"] == "Bearer key-of-the-tests" for headers in wire.headers)


@pytest.mark.parametrize("name", sorted(OPERATIONS))
async def test_a_body_goes_out_with_deletes_too(name, catalogue):
    """Where the vendor describes a body, one is sent, whatever the verb; where it does not, none is."""
    wire = Recorder(lambda _: least_answer(OPERATIONS[name]))
    async with client(wire) as nimble:
        for call in CALLS[name]:
            await call(nimble)
    assert {sent.body is not None for sent in wire.sent} == {bool(catalogue[name]["body"])}


def test_only_posts_are_never_repeated():
    """A POST may do its work twice; what names a state, or deletes, may be repeated."""
    rash = {
        name for name, operation in OPERATIONS.items() if operation.repeatable == (operation.method == "POST")
    }
    # To extend a contact twice doubles values; `replace=True` sends an operation that is repeatable.
    assert rash == {"contacts.update"}


def test_what_destroys_is_marked():
    """Every DELETE asks before it goes out, but for those that take back a mark or a step."""
    deletes = {name for name, operation in OPERATIONS.items() if operation.method == "DELETE"}
    marked = {name for name, operation in OPERATIONS.items() if operation.destructive}
    harmless = {"contact_fields.unset_primary", "leads.clear", "leads.undo"}
    assert deletes - marked <= harmless
    assert {"contacts.delete_bulk", "deal_pipelines.delete", "deal_tags.delete"} <= marked
