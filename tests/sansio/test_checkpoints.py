from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nimble_async._sansio.checkpoints import Position, fingerprint, read_checkpoint, write_checkpoint
from nimble_async._sansio.paging import ByLimit, ByNextPage, ByNumber, ByOffset, ByUrl
from nimble_async.errors import CheckpointRefused

CURSORS = [
    ByNumber(3, 100),
    ByNumber(0, 30, 0),
    ByNextPage(5, {"at": "x", "n": 1}),
    ByUrl(10, ("/a?b=c", "/d")),
    ByLimit(None),
    ByLimit(7),
    ByOffset(40, 20),
]
TEXT = write_checkpoint("cats.list", "f00d", Position(ByNumber(3, 100), row=7, mark=9))


@pytest.mark.parametrize("cursor", CURSORS)
def test_checkpoint_comes_back(cursor):
    """A checkpoint of each style is read back as it was, from JSON-safe text."""
    position = Position(cursor, row=7, mark=123)
    text = write_checkpoint("cats.list", "f00d", position)
    assert msgspec.json.decode(msgspec.json.encode(text)) == text
    assert read_checkpoint(text, operation="cats.list", query="f00d") == position


@given(st.integers(0, 10**9), st.integers(0, 1000), st.none() | st.integers(0, 2**32 - 1))
def test_any_position_comes_back(page, row, mark):
    """Every position is read back as it was."""
    position = Position(ByNumber(page, 100), row, mark)
    assert read_checkpoint(write_checkpoint("a.b", "", position), operation="a.b", query="") == position


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "null",
        "[]",
        "nonsense",
        TEXT[:-1],
        TEXT + "x",
        TEXT.replace('"number"', '"leap"'),
        TEXT.replace(":7", ':"7"'),
        "\ud800",
    ],
)
def test_other_text_is_refused(text):
    """What is no checkpoint raises CheckpointRefused with what to do."""
    with pytest.raises(CheckpointRefused) as caught:
        read_checkpoint(text, operation="cats.list", query="f00d")
    assert caught.value.hint


def test_something_else_than_text_is_refused():
    """A value that is no text at all is refused alike."""
    with pytest.raises(CheckpointRefused):
        read_checkpoint(5, operation="cats.list", query="f00d")  # type: ignore[arg-type]  # what a user may pass


@pytest.mark.parametrize(
    ("text", "operation", "query", "words"),
    [
        (TEXT.replace('"version":1', '"version":2'), "cats.list", "f00d", "version 2"),
        (TEXT, "dogs.list", "f00d", "belongs to cats.list"),
        (TEXT, "cats.list", "beef", "another query"),
    ],
)
def test_checkpoint_of_something_else_is_refused(text, operation, query, words):
    """A newer version, another operation and another query are refused by name."""
    with pytest.raises(CheckpointRefused, match=words):
        read_checkpoint(text, operation=operation, query=query)


def test_fingerprint_names_a_query():
    """Equal queries have one fingerprint whatever their order; each part of a query changes it."""
    base = fingerprint("a.b", {"x": "1"}, {"p": 1, "q": None})
    assert base == fingerprint("a.b", {"x": "1"}, {"q": None, "p": 1})
    others = [
        fingerprint("a.c", {"x": "1"}, {"p": 1, "q": None}),
        fingerprint("a.b", {"x": "2"}, {"p": 1, "q": None}),
        fingerprint("a.b", {"x": "1"}, {"p": 2, "q": None}),
        fingerprint("a.b", {"x": "1"}, {"p": 1}),
        fingerprint("a.b", {}, {"x": "1", "p": 1, "q": None}),
    ]
    assert len({base, *others}) == 6
    assert all(len(digits) == 16 and set(digits) <= set("0123456789abcdef") for digits in [base, *others])


def test_fingerprint_keeps_the_order_of_what_has_brackets():
    """`orders[a]` before `orders[b]` is another list than the other way round; the rest has no order."""
    first = fingerprint("a.b", {}, {"orders[a]": "ASC", "orders[b]": "ASC", "p": 1})
    assert first == fingerprint("a.b", {}, {"p": 1, "orders[a]": "ASC", "orders[b]": "ASC"})
    assert first != fingerprint("a.b", {}, {"orders[b]": "ASC", "orders[a]": "ASC", "p": 1})
