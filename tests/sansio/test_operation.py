from __future__ import annotations

import pytest

from nimble_async._sansio.message import Request, Response
from nimble_async._sansio.operation import Operation, Paging, Shape, delete, get, patch, post, put
from nimble_async.errors import QueryRefused

NOTE = get("notes.get", "/cats/{cat_id}/notes/{note_id}", returns=dict)


@pytest.mark.parametrize(
    ("build", "method", "repeatable", "destructive", "shape"),
    [
        (get, "GET", True, False, Shape.OBJECT), (post, "POST", False, False, Shape.OBJECT),
        (put, "PUT", True, False, Shape.OBJECT), (patch, "PATCH", True, False, Shape.OBJECT),
        (delete, "DELETE", True, True, Shape.EMPTY),
    ],
)  # fmt: skip
def test_builders_know_what_may_be_repeated(build, method, repeatable, destructive, shape):
    """A POST is never repeated unless said, and only a DELETE destroys unless said."""
    operation: Operation = build("cats.do", "/cats", returns=dict)
    assert (operation.method, operation.repeatable, operation.destructive) == (
        method,
        repeatable,
        destructive,
    )
    assert (operation.shape, operation.bucket, operation.paging) == (shape, "default", None)


def test_facts_are_kept():
    """A builder keeps every fact it is given."""
    operation = get(
        "a.b",
        "/a",
        returns=str,
        shape=Shape.PAGE,
        items="x",
        paging=Paging.LIMIT,
        bucket="slow",
        summary="S.",
    )
    assert (operation.items, operation.paging, operation.bucket, operation.summary) == (
        "x",
        Paging.LIMIT,
        "slow",
        "S.",
    )


def test_ids_fill_the_path():
    """Ids are put in by name and percent-encoded as one segment each."""
    assert NOTE.slots == ("cat_id", "note_id")
    assert NOTE.fill({"note_id": "a b/ü?#%", "cat_id": "7"}) == "/cats/7/notes/a%20b%2F%C3%BC%3F%23%25"


@pytest.mark.parametrize(
    "ids", [{}, {"cat_id": "7"}, {"cat_id": "7", "note_id": "1", "x": "2"}, {"cat_id": "7", "nod_id": "1"}]
)
def test_wrong_names_of_ids_are_refused(ids):
    """Ids that the path does not name, or that are missing, are a TypeError naming the right ones."""
    with pytest.raises(TypeError, match=r"\['cat_id', 'note_id'\]"):
        NOTE.fill(ids)


@pytest.mark.parametrize("value", ["", ".", "..", "a\nb", "\x00", "\x1f", "\x7f"])
def test_ids_that_change_the_path_are_refused(value):
    """An id that is empty, climbs or holds a control character is refused (a ValueError too)."""
    with pytest.raises(QueryRefused, match="note_id"):
        NOTE.fill({"cat_id": "7", "note_id": value})


class Cat:
    """Something with an id."""

    id = "7"


@pytest.mark.parametrize(
    ("value", "words"),
    [(5, "as text, not 5"), (None, "as text"), (Cat(), r"Pass its \.id"), (b"7", "Pass text")],
)
def test_ids_are_texts(value, words):
    """A record or a number in the place of an id is refused, with what to pass."""
    with pytest.raises(QueryRefused, match=words):
        NOTE.fill({"cat_id": "7", "note_id": value})


def test_a_name_in_a_path_is_not_called_an_id():
    """What goes into a path is called what it is."""
    tag = get("tags.get", "/tags/{tag_name}", returns=dict)
    with pytest.raises(QueryRefused, match=r"tag_name must be a name, not '\.\.'"):
        tag.fill({"tag_name": ".."})


@pytest.mark.parametrize("value", [" ", "...", "~", "\x80"])
def test_odd_ids_are_no_error(value):
    """What is odd but one segment stays an id."""
    assert NOTE.fill({"cat_id": "7", "note_id": value}).startswith("/cats/7/notes/")


def test_response_headers_go_by_lower_case():
    """A response gives a header by its lower-case name, or None."""
    response = Response(status=200, headers={"date": "now"})
    assert (response.header("date"), response.header("etag"), Response(status=200).header("date")) == (
        "now",
        None,
        None,
    )


def test_request_shows_no_query():
    """The repr of a request holds neither query nor headers nor body."""
    request = Request(method="GET", url="https://example.com/a?key=hush", headers={"k": "hush"}, body=b"hush")
    assert repr(request) == "<Request GET https://example.com/a>"
