"""What a job reads of a row, and how a row becomes a line."""

from __future__ import annotations

import pytest

from nimble_async._sansio.walk import RowKey, lines_of, read_keys, read_numbers

NOON = 1_347_022_800.0


@pytest.mark.parametrize(
    ("row", "key"),
    [
        (b'{"id":"a","created":"2012-09-07T16:00:00+0300"}', RowKey("a", NOON)),
        (b'{"id":"a","created":"2012-09-07T13:00:00Z"}', RowKey("a", NOON)),
        (b'{"id":"a","created":"2012-09-07T13:00:00.25+00:00"}', RowKey("a", NOON + 0.25)),
        (b'{"id":"a","created":"2012-09-07T13:00:00"}', RowKey("a", NOON)),
        (b'{"id":"a","created":null,"x":{"id":"b"}}', RowKey("a", None)),
        (b'{"id":"a","created":"yesterday"}', RowKey("a", None)),
        (b'{"id":"a"}', RowKey("a", None)),
        (b'{"created":"2012-09-07T13:00:00Z"}', RowKey(None, NOON)),
        (b'{"id":7,"created":"2012-09-07T13:00:00Z"}', RowKey(None, NOON)),
        (b'{"id":"","created":"2012-09-07T13:00:00Z"}', RowKey(None, NOON)),
        (b'{"id":"","created":1}', RowKey(None, None)),
        (b'"text"', RowKey(None, None)),
    ],
)
def test_a_row_is_read_no_further_than_its_id_and_date(row, key):
    """A missing, null or wrong member is None and never fails the row."""
    assert read_keys([row], id_name="id", key_name="created") == [key]


def test_rows_stand_by_date_then_id_and_unreadable_dates_come_last():
    """The order of a file is total and does not depend on who read what when."""
    rows = [RowKey("a", None), RowKey("b", 2.0), RowKey("a", 2.0), RowKey("z", 1.0), RowKey(None, 1.0)]
    rows.sort(key=lambda key: key.place)
    assert [(row.id, row.at) for row in rows] == [
        (None, 1.0),
        ("z", 1.0),
        ("a", 2.0),
        ("b", 2.0),
        ("a", None),
    ]


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ([], b""),
        ([b'{"a": 1}', b'{"b":  2}'], b'{"a": 1}\n{"b":  2}\n'),
        ([b'{"a": 1}', b'{"b":\n  "x  y"}'], b'{"a": 1}\n{"b":"x  y"}\n'),
        ([b'{"b":\r2}'], b'{"b":2}\n'),
    ],
)
def test_a_row_is_a_line_of_its_own_bytes(rows, lines):
    """Only a row that holds a line break is written anew, without its white space."""
    assert lines_of(rows) == lines


@pytest.mark.parametrize(
    ("row", "key"),
    [
        (b'{"id": "17"}', RowKey("17", 17.0)),
        (b'{"id": 17}', RowKey("17", 17.0)),
        (b'{"id": "007"}', RowKey("007", 7.0)),
        (b'{"id": "9007199254740991"}', RowKey("9007199254740991", 9007199254740991.0)),
        (b'{"id": "9007199254740992"}', RowKey("9007199254740992", None)),
        (b'{"id": "123456789012345678901234567890"}', RowKey("123456789012345678901234567890", None)),
        (b'{"id": "a17"}', RowKey("a17", None)),
        (b'{"id": "-1"}', RowKey("-1", None)),
        (b'{"id": -1}', RowKey("-1", None)),
        ('{"id": "\u0661"}'.encode(), RowKey("\u0661", None)),
        (b'{"id": ""}', RowKey(None, None)),
        (b'{"id": null}', RowKey(None, None)),
        (b'{"id": 1.5}', RowKey(None, None)),
        (b'{"title": "x"}', RowKey(None, None)),
        (b"[]", RowKey(None, None)),
        (b"{", RowKey(None, None)),
        (b'{"id": "\xff"}', RowKey(None, None)),
    ],
)
def test_numbers_are_read_from_texts_and_from_numbers(row, key):
    """An id of digits that a double holds exactly is a number; any other id is kept, and has no place."""
    assert read_numbers([row], id_name="id") == [key]
