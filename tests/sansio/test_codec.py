from __future__ import annotations

from typing import Any

import msgspec
import pytest

from nimble_async._sansio.codec import (
    check_empty,
    decode,
    encode,
    read_page,
    read_rows,
)
from nimble_async._sansio.message import Response
from nimble_async._sansio.operation import Paging, Shape, get
from nimble_async.errors import MalformedResponse

PAGE = get("cats.list", "/cats", returns=dict, shape=Shape.PAGE, items="cats", paging=Paging.NUMBER)
GROUPS = get(
    "cats.by_room",
    "/rooms",
    returns=dict,
    shape=Shape.GROUPS,
    items="rooms/cats",
    paging=Paging.NEXT_PAGE_URL,
)


def page(body: Any, operation=PAGE):
    return read_page(operation, Response(status=200, body=body if isinstance(body, bytes) else encode(body)))


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"", ""),
        (b"{", ""),
        (b"<html>", ""),
        (b'{"a": "x"}', "$[...]"),
        (b'{"a": 1', ""),
        (b'{"\xff": 1}', ""),
        (b"[" * 5000, ""),
    ],
)
def test_unreadable_json_is_malformed(body, path):
    """JSON that cannot be read raises MalformedResponse with the body and the place."""
    with pytest.raises(MalformedResponse) as caught:
        decode(body, dict[str, int])
    assert (caught.value.body, caught.value.path) == (body, path)
    assert ("empty" in caught.value.message) is (body == b"")


def test_encode_and_decode_agree():
    """What is written is read back, as bytes or as a piece of an answer."""
    assert decode(encode({"a": 1}), dict[str, int]) == {"a": 1}
    assert decode(msgspec.Raw(b"[1]"), list[int]) == [1]


@pytest.mark.parametrize("body", [{}, {"cats": None}, {"dogs": []}])
def test_missing_list_is_malformed(body):
    """An answer without its list raises MalformedResponse that names the list."""
    for read in (lambda: page(body), lambda: read_rows(PAGE, encode(body))):
        with pytest.raises(MalformedResponse) as caught:
            read()
        assert caught.value.path == "$.cats"


@pytest.mark.parametrize("body", [{"cats": {}}, {"cats": 5}, [], "x"])
def test_wrong_envelope_is_malformed(body):
    """An envelope of another shape raises MalformedResponse."""
    with pytest.raises(MalformedResponse):
        page(body)


def test_page_has_rows_and_facts():
    """A page gives its rows as bytes and what the answer says of itself."""
    read = page(
        {
            "meta": {"page": 2, "pages": 3, "per_page": 2, "total": 5},
            "cats": [{"id": "a"}, {"id": "b"}],
            "more": 1,
        }
    )
    assert [bytes(row) for row in read.rows] == [b'{"id":"a"}', b'{"id":"b"}']
    facts = read.facts
    assert (facts.rows, facts.page, facts.pages, facts.per_page, facts.total) == (2, 2, 3, 2, 5)
    assert (facts.next_page, facts.next_urls, read.groups) == (None, (), [])
    assert [bytes(row) for row in read_rows(PAGE, b'{"cats":[1]}')] == [b"1"]


@pytest.mark.parametrize(
    ("meta", "total"),
    [
        ({"total": "7"}, 7),
        ({"total": 7.0}, 7),
        ({"total": None}, None),
        ({"total": "many"}, None),
        ({"total": {}}, None),
        ({}, None),
        (None, None),
        ([], None),
        ("x", None),
    ],
)
def test_facts_of_a_surprising_type_are_none(meta, total):
    """A fact that is missing or of a surprising type is None, and never fails a page."""
    assert page({"meta": meta, "cats": []}).facts.total == total


def test_fact_that_is_no_text_is_none():
    """Bytes that are no UTF-8 inside a fact fail nothing."""
    assert page(b'{"meta":{"total":"\xff"},"cats":[]}').facts.total is None


def test_page_without_meta_says_nothing():
    """Without meta every fact but the number of rows is None."""
    facts = page({"cats": [1]}).facts
    assert (facts.rows, facts.page, facts.pages, facts.per_page, facts.total, facts.next_page) == (
        1,
        *[None] * 5,
    )


@pytest.mark.parametrize(
    ("found", "expected", "strange"),
    [
        ({"a": 1}, {"a": 1}, ""),
        ({}, {}, ""),
        (None, None, ""),
        ("", None, ""),
        ("/x", None, "next_page"),
        (5, None, "next_page"),
        (["/x"], None, "next_page"),
        ([], None, "next_page"),
        (False, None, "next_page"),
    ],
)
def test_next_page_is_an_object_or_nothing(found, expected, strange):
    """`next_page` is taken where it is an object; what is neither that nor nothing is told of."""
    facts = page({"cats": [], "next_page": found}).facts
    assert (facts.next_page, facts.strange) == (expected, strange)


@pytest.mark.parametrize(
    ("found", "urls", "strange"),
    [
        ("/x", ("/x",), ""),
        ("", (), ""),
        (None, (), ""),
        (["/x"], (), "next_page_url"),
        (5, (), "next_page_url"),
        ({}, (), "next_page_url"),
    ],
)
@pytest.mark.parametrize("last", [True, False])
def test_next_page_url_is_text_or_nothing(found, urls, strange, last):
    """An address of another type is told of, whichever group has it."""
    groups = [{"cats": [1], "meta": {"next_page_url": found}}, {"cats": [2], "meta": {}}]
    facts = page({"rooms": groups[::-1] if last else groups}, GROUPS).facts
    assert (facts.next_urls, facts.strange) == (urls, strange)


@pytest.mark.parametrize(
    ("meta", "more"),
    [({"has_more": True}, True), ({"has_more": False}, False), ({"has_more": "x"}, None), ({}, None)],
)
def test_has_more_is_told(meta, more):
    """Whether there is a page behind this one is a fact of its own; None where it is not said."""
    assert page({"meta": meta, "cats": []}).facts.has_more is more


@pytest.mark.parametrize("body", [b"", b" \r\n", b"null", b"{}", b'{"id":"1"}', b"5"])
def test_an_answer_of_nothing_may_be_any_json(body):
    """Where an operation answers nothing, an empty body and any JSON are a success."""
    check_empty(PAGE, body)


@pytest.mark.parametrize("body", [b"<html>", b"{", b"\xff", b"[" * 3000])
def test_an_answer_of_nothing_is_no_page(body):
    """What is no JSON is another server's answer, and says nothing about the call."""
    with pytest.raises(MalformedResponse, match="no JSON") as caught:
        check_empty(PAGE, body)
    assert caught.value.body == body


def test_mark_tells_pages_apart():
    """The mark is equal for equal first and last rows, another for others, and 0 for an empty page."""
    marks = [page({"cats": rows}).facts.mark for rows in ([1, 2], [1, 2], [1, 3], [2, 1], [])]
    assert marks[0] == marks[1]
    assert len(set(marks)) == 4
    assert marks[-1] == 0


def test_groups_give_all_their_rows_and_addresses():
    """An answer in groups gives the rows of all groups, the groups, and where each goes on."""
    read = page(
        {
            "rooms": [
                {"cats": [1, 2], "meta": {"next_page_url": "/more/1"}},
                {"cats": None, "meta": {"next_page_url": None}},
                {"meta": {"next_page_url": ""}},
                {"cats": [3], "meta": {"next_page_url": "/more/2"}},
                {"cats": [4], "meta": {"next_page_url": 5}},
            ]
        },
        GROUPS,
    )
    assert [bytes(row) for row in read.rows] == [b"1", b"2", b"3", b"4"]
    assert read.facts.rows == 4
    assert read.facts.next_urls[:2] == ("/more/1", "/more/2")
    assert len(read.groups) == 5


@pytest.mark.parametrize("body", [{}, {"rooms": None}, {"rooms": [5]}, {"rooms": [{"cats": {}}]}])
def test_groups_of_another_shape_are_malformed(body):
    """An answer without groups, or with a group that is none, raises MalformedResponse."""
    with pytest.raises(MalformedResponse):
        page(body, GROUPS)
