from __future__ import annotations

import msgspec
import pytest

from nimble_async.errors import QueryRefused
from nimble_async.nimble.resources.arguments import check_paging, check_sort, distinct, joined, search_text

TERM = {"email": {"is": "a@example.com"}}


def nested(depth: int) -> dict:
    """Build a search that is `depth` levels deep."""
    tree: dict = TERM
    for _ in range(depth - 1):
        tree = {"not": [tree]}
    return tree


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (None, None),
        ([], None),
        (["a"], "a"),
        (("a", "b"), "a,b"),
        (["a,b", "c"], "a\\,b,c"),
        (iter(["x"]), "x"),
    ],
)
def test_names_are_joined(names, text):
    """Names are joined by commas, and a comma inside a name is escaped."""
    assert joined(names) == text


@pytest.mark.parametrize("names", ["first name", ["a", ""]])
def test_names_that_are_none(names):
    """One text in the place of names, and an empty name, are refused."""
    with pytest.raises(QueryRefused):
        joined(names)


def test_ids_are_distinct_in_order():
    """Ids keep their order, each once."""
    assert distinct(iter(["b", "a", "b"])) == ("b", "a")


@pytest.mark.parametrize("ids", ["abc", ["a", ""], ["a,b"]])
def test_ids_that_are_none(ids):
    """One text in the place of ids, an empty id and an id with a comma are refused."""
    with pytest.raises(QueryRefused):
        distinct(ids)


@pytest.mark.parametrize("sort", [None, "created:asc", "first name:desc", "a:b:asc"])
def test_sort_with_a_direction(sort):
    """A field and a direction are sent as they are."""
    assert check_sort(sort) == sort


@pytest.mark.parametrize(
    "sort", ["", "created", ":asc", " :asc", "created:", "created:up", "created:ASC", "created:asc ", "asc"]
)
def test_sort_without_a_direction(sort):
    """Anything else is refused."""
    with pytest.raises(QueryRefused):
        check_sort(sort)


@pytest.mark.parametrize(
    ("arguments", "fine"),
    [
        ({"size": 1}, True),
        ({"size": 0}, False),
        ({"size": -1}, False),
        ({"size": None}, True),
        ({"size": 100, "sort": "a:asc"}, True),
        ({"size": 101, "sort": "a:asc"}, False),
        ({"size": 101}, True),
        ({"size": None, "sort": "a:asc"}, True),
        ({"size": 1, "page": 1}, True),
        ({"size": 1, "page": 0}, False),
    ],
)
def test_pages_that_cannot_be(arguments, fine):
    """A page has at least one record, at most 100 where sorted, and a number from 1."""
    if fine:
        check_paging(**arguments)
    else:
        with pytest.raises(QueryRefused):
            check_paging(**arguments)


@pytest.mark.parametrize(
    "query",
    [
        TERM,
        {"and": [TERM, TERM]},
        {"or": (TERM, {"not": [TERM]})},
        {"not": [TERM]},
        {"or": [TERM] * 11},
        nested(20),
        {"custom_fields": {"size": {"is": "1"}}},
        {"rating": {"gt": 3}},
        {"phone": {"is_empty": True}},
        {"_id": {"in": ["a", "b"]}},
        {
            "created": {
                "range": {"start_datetime": "2024-01-01T00:00:00Z", "end_datetime": "2024-01-02T00:00:00Z"}
            }
        },
        {"email": {"is": "x"}, "phone": {"is": "1"}},
    ],
)
def test_searches_the_vendor_takes(query):
    """A search within the vendor's bounds is sent as JSON, as an object or as its text."""
    text = search_text(query)
    assert text is not None
    assert msgspec.json.decode(text) == msgspec.json.decode(msgspec.json.encode(query))
    assert search_text(text) == text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({}, "A search is an object"),
        ("{}", "A search is an object"),
        ("", "not a JSON object"),
        ("[]", "not a JSON object"),
        ("email", "not a JSON object"),
        ({"or": [TERM] * 12}, "at most 11 terms, this one 12"),
        ({"custom_fields": {str(n): {"is": "1"} for n in range(12)}}, "12"),
        (nested(21), "20 levels"),
        ({"and": [TERM]}, "at least two"),
        ({"or": []}, "at least two"),
        ({"not": []}, "takes one"),
        ({"not": [TERM, TERM]}, "takes one"),
        ({"not": 5}, "joins a list"),
        ({"not": TERM}, "joins a list"),
        ({"and": TERM}, "joins a list"),
        ({"and": [TERM, 5]}, "A search is an object"),
        ({"email": "x"}, "needs an operator"),
        ({"email": {}}, "needs an operator"),
        ({"custom_fields": {"size": 5}}, "needs an operator"),
        ({"email": {"is": ""}}, "empty text"),
        ({"email": {"contain": "  "}}, "empty text"),
        ({"email": {"in": ["a", ""]}}, "empty text"),
        ({"_id": {"in": []}}, "empty list"),
    ],
)
def test_searches_the_vendor_refuses(query, words):
    """What the vendor would refuse is refused before anything is sent."""
    with pytest.raises(QueryRefused, match=words):
        search_text(query)


@pytest.mark.parametrize("keyword", ["", " "])
def test_empty_keyword_is_refused(keyword):
    """An empty keyword finds nothing and is refused."""
    with pytest.raises(QueryRefused):
        search_text(None, keyword=keyword)


def test_keyword_beside_a_search_is_refused():
    """The vendor refuses keyword and query together."""
    assert search_text(None, keyword="acme") is None
    with pytest.raises(QueryRefused, match="not both"):
        search_text(TERM, keyword="acme")


@pytest.mark.parametrize(
    ("query", "record_type", "sent"),
    [
        (None, "person", None),
        (TERM, None, TERM),
        (TERM, "all", TERM),
        (TERM, "person", {"and": [TERM, {"record type": {"is": "person"}}]}),
        ({"and": [TERM, TERM]}, "company", {"and": [TERM, TERM, {"record type": {"is": "company"}}]}),
        ({"or": [TERM, TERM]}, "person", {"and": [{"or": [TERM, TERM]}, {"record type": {"is": "person"}}]}),
    ],
)
def test_record_type_becomes_a_term(query, record_type, sent):
    """Beside a search, where the vendor ignores it, the record type becomes a term."""
    text = search_text(query, record_type=record_type)
    assert (None if text is None else msgspec.json.decode(text)) == sent


@pytest.mark.parametrize(
    ("query", "words"),
    [({"or": [TERM] * 11}, "12"), ({"and": [TERM]}, "at least two"), ({"and": 5}, "joins a list")],
)
def test_record_type_counts_as_a_term(query, words):
    """The added term counts, and mends no search that the vendor would refuse."""
    with pytest.raises(QueryRefused, match=words):
        search_text(query, record_type="person")
