from __future__ import annotations

import pickle
from typing import Any

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace

from nimble_async._sansio.codec import read_list, read_member, read_page
from nimble_async._sansio.message import Response
from nimble_async._sansio.operation import Shape, Side, get
from nimble_async._sansio.record import AnyId, Record, read_record
from nimble_async._sansio.sideload import Beside, attach
from nimble_async.errors import MalformedResponse


class Cat(Record, frozen=True, kw_only=True):
    """A record whose id may be a number."""

    id: AnyId


SIDES = (Side(name="fleas", back=("cat", "cat_id")), Side(name="owners", via=("owner", "owners")))
LIST = get("cats.list", "/cats", returns=Cat, shape=Shape.PAGE, items="cats", sides=SIDES)
GET = get("cats.get", "/cats/{cat_id}", returns=Cat, shape=Shape.MEMBER, items="cat", sides=SIDES)


def rows(*values: Any) -> list[Raw]:
    return [Raw(msgspec.json.encode(value)) for value in values]


def page(**members: Any) -> Any:
    return read_page(LIST, Response(status=200, body=msgspec.json.encode({"cats": [], **members})))


FLEAS = [
    {"id": 1, "cat": "7"},
    {"id": 2, "cat": 8},
    {"id": 3, "cat_id": ["7", 9]},
    {"id": 4},
    {"cat": "7", "cat_id": 7},
]
OWNERS = [{"id": "1"}, {"id": 2}, {"name": "nobody"}]


@pytest.mark.parametrize(
    ("row", "fleas", "owners"),
    [
        ({"id": "7"}, [1, 3, None], []),
        ({"id": 7, "owner": 2}, [1, 3, None], [2]),
        ({"id": "8", "owners": ["2", 1, 3], "owner": None}, [2], [2, "1"]),
        ({"id": 9, "owner": True}, [3], []),
        ({"owner": "1"}, [], ["1"]),
        ({"id": None, "owner": {}}, [], []),
        ("no object", [], []),
    ],
)
def test_rows_find_what_is_theirs(row: Any, fleas: list[Any], owners: list[Any]):
    """A side row belongs to who it names, or to who names it; ids are text or numbers."""
    found = page(fleas=FLEAS, owners=OWNERS).beside.of(msgspec.json.encode(row))
    got = {name: [msgspec.json.decode(one).get("id") for one in rows] for name, rows in found.items()}
    expected = {"fleas": fleas, "owners": owners}
    assert got == {name: ids for name, ids in expected.items() if ids}


@pytest.mark.parametrize(
    ("member", "expected"), [({"x": 1}, [{"x": 1}]), ({}, [{}]), (None, []), ([{"x": 1}], []), ("x", [])]
)
def test_what_is_shared_belongs_to_every_row(member: Any, expected: list[Any]):
    """One object beside the rows belongs to each, and they share its bytes; anything else is nothing."""
    operation = replace(LIST, sides=(*SIDES, Side(name="about", shared=True)))
    body = msgspec.json.encode({"cats": [{"id": "1"}, {}], "about": member, "fleas": [{"cat": "1"}]})
    beside = read_page(operation, Response(status=200, body=body)).beside
    found = [beside.of(row).get("about", ()) for row in (b'{"id":"1"}', b"{}")]
    assert [list(map(msgspec.json.decode, rows)) for rows in found] == [expected, expected]
    assert all(one is other for one, other in zip(*found, strict=True))
    assert beside.rows().get("about", ()) == found[0]
    assert len(beside.of(b'{"id":"1"}')["fleas"]) == 1


@pytest.mark.parametrize("body", [{"cats": [{"id": "1"}]}, {"cats": [{}], "asked": {"x": 1}}])
def test_what_is_told_of_a_call_goes_with_each_record(body: dict[str, Any]):
    """JSON about the call belongs to every record, whatever the answer has under that name."""
    operation = replace(LIST, sides=(Side(name="asked", told=b'["a"]'),))
    beside = read_page(operation, Response(status=200, body=msgspec.json.encode(body))).beside
    assert beside.of(b'{"id":"1"}') == beside.rows() == {"asked": (b'["a"]',)}


def test_operation_with_another_type_of_records():
    """An operation can yield another type and is otherwise the same; the same type changes nothing."""
    assert LIST.yielding(Cat) is LIST
    other: Any = LIST.yielding(str)
    assert (other.returns, replace(other, returns=Cat)) == (str, LIST)


@pytest.mark.parametrize(
    "members", [{}, {"fleas": {}}, {"fleas": None}, {"fleas": []}, {"others": [{"id": 1}]}]
)
def test_no_list_is_nothing_beside(members: dict[str, Any]):
    """What is absent, empty, unnamed or no list is nothing, and fails nothing."""
    assert not page(**members).beside


def test_only_the_lists_that_are_named_are_read():
    """An operation without sides pays nothing for other lists."""
    plain = get("cats.list", "/cats", returns=Cat, shape=Shape.PAGE, items="cats")
    body = msgspec.json.encode({"cats": [{"id": "1"}], "fleas": FLEAS})
    assert not read_page(plain, Response(status=200, body=body)).beside
    assert len(read_list(body, "fleas")) == 5
    assert read_list(body, "none") == []


def test_a_member_is_read_by_its_name():
    """The object stands under its name, wherever in the answer, and all lists beside it are its own."""
    member, beside = read_member(GET, msgspec.json.encode({"fleas": FLEAS, "cat": {"id": "1"}, "owners": []}))
    assert bytes(member) == b'{"id":"1"}'
    assert {name: len(rows) for name, rows in beside.rows().items()} == {"fleas": 5}


@pytest.mark.parametrize("body", [b"{}", b'{"cats":{}}', b"[]", b"", b"<html>"])
def test_a_missing_member_is_malformed(body: bytes):
    """An answer without the object is no answer."""
    with pytest.raises(MalformedResponse):
        read_member(GET, body)


def test_a_record_keeps_its_own_and_no_page():
    """What came beside is copied onto the record, survives a pickle and is no part of its content."""
    cat, other = read_record(Cat, b'{"id":"7"}'), read_record(Cat, b'{"id":"7"}')
    attach(cat, Beside([(SIDES[0], rows(*FLEAS))]).of(cat.raw))
    assert [flea.id for flea in cat.beside("fleas", Cat)] == ["1", "3"]
    assert cat.beside("owners", Cat) == other.beside("fleas", Cat) == ()
    again = pickle.loads(pickle.dumps(cat))
    assert [flea.id for flea in again.beside("fleas", Cat)] == ["1", "3"]
    assert cat == other == again
    assert all(type(row) is bytes for row in vars(cat)["_beside"]["fleas"])
    attach("plain text", {"fleas": (b"{}",)})
    attach(other, {})
    assert "_beside" not in vars(other)


def test_an_unusable_side_row_is_counted():
    """A side row without an id is left out, and whoever counts is told."""
    told: list[str] = []
    cat = read_record(Cat, b'{"id":"7"}', noticed=told.append)
    attach(cat, {"fleas": (b"{}", b'{"id":"1"}')})
    assert len(cat.beside("fleas", Cat)) == 1
    assert told == ["Cat.fleas"]
    alone = read_record(Cat, b'{"id":"7"}')
    attach(alone, {"fleas": (b"{}",)})
    assert alone.beside("fleas", Cat) == ()


@pytest.mark.parametrize(
    ("sent", "read"),
    [(b'"7"', "7"), (b"7", "7"), (b"0", "0"), (b"12345678901234567890123", "12345678901234567890123")],
)
def test_an_id_may_be_a_number(sent: bytes, read: str):
    """Where a model says so, a whole number is an id: its digits."""
    cat = read_record(Cat, b'{"id":' + sent + b"}")
    assert (cat.id, dict(cat.unread)) == (read, {})


@pytest.mark.parametrize("sent", [b"-7", b"7.0", b"true", b"null", b"[]"])
def test_other_types_are_no_ids(sent: bytes):
    """Nothing else is an id."""
    with pytest.raises(MalformedResponse):
        read_record(Cat, b'{"id":' + sent + b"}")
