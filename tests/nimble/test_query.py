"""The query builder: what each operator writes, what is refused where it is written, and where it goes."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, ClassVar, Literal

import msgspec
import pytest

from nimble_async import Q, Query
from nimble_async.errors import QueryRefused
from nimble_async.nimble.client import NimbleClient
from nimble_async.nimble.models.contacts import Contact
from nimble_async.nimble.models.typed import ChoiceField, Many, TextField
from nimble_async.nimble.resources.arguments import search_text
from nimble_async.testing import Simulator, SimulatorTransport, VirtualClock, World, run_virtual

DAY, LATER = date(2025, 1, 1), date(2025, 12, 31)
NOON = datetime(2025, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
VIP = Q.tag.is_("vip")
UNTYPED: Any = Q
"""For values that a type checker would not let pass."""
NOTHING: Any = None


class Ours(Contact, frozen=True, kw_only=True):
    """A view, as `fields types` writes one."""

    segment: ClassVar[ChoiceField[Literal["Small", "Large"]]] = ChoiceField(
        "segment", {"1": "Small", "3": "Large"}
    )
    sizes: ClassVar[Many[str]] = Many(ChoiceField("sizes", {"7": "S"}))
    status: ClassVar[ChoiceField[str]] = ChoiceField("lead status", {"1": "Open"})
    first: ClassVar[ChoiceField[str]] = ChoiceField("first", {"1": "a"}, modifier="work")
    colour: ClassVar[TextField] = TextField("colour")


TERMS = [
    (Q.any.contain("domain.com"), {"__any": {"contain": "domain.com"}}),
    (Q.any.not_contain("x y"), {"__any": {"not_contain": "x y"}}),
    (Q.any.starts_with("do"), {"__any": {"starts_with": "do"}}),
    (Q.name.contain("Jon Ferrara"), {"names": {"contain": "Jon Ferrara"}}),
    (Q.name.is_empty(), {"names": {"is_empty": True}}),
    (Q.first_name.is_("Ada"), {"first name": {"is": "Ada"}}),
    (Q.last_name.is_empty(), {"last name": {"is_empty": True}}),
    (Q.last_name.is_not_empty(), {"last name": {"is_empty": False}}),
    (Q.company_name.is_not("Acme"), {"company name": {"is_not": "Acme"}}),
    (Q.employer.not_in(["Acme"]), {"company_name": {"not_in": ["Acme"]}}),
    (Q.title.in_(("CEO", "CTO")), {"title": {"in": ["CEO", "CTO"]}}),
    (Q.email.in_(iter(["a@x.y"])), {"email": {"in": ["a@x.y"]}}),
    (Q.phone.starts_with("+1"), {"phone": {"starts_with": "+1"}}),
    (Q.domain.is_("x.y"), {"domain": {"is": "x.y"}}),
    (Q.skype_id.is_("john.doe"), {"skype id": {"is": "john.doe"}}),
    (Q.twitter.is_empty(), {"twitter": {"is_empty": True}}),
    (Q.linkedin.is_empty(), {"linkedin": {"is_empty": True}}),
    (Q.facebook.is_empty(), {"facebook": {"is_empty": True}}),
    (Q.description.contain("sales"), {"description": {"contain": "sales"}}),
    (Q.address.contain("Graz"), {"address": {"contain": "Graz"}}),
    (Q.address.city.is_("Los Angeles"), {"address.city": {"is": "Los Angeles"}}),
    (Q.address.state.is_not("TX"), {"address.state": {"is_not": "TX"}}),
    (Q.address.country.is_empty(), {"address.country": {"is_empty": True}}),
    (Q.address.street.contain("Quay"), {"address.street": {"contain": "Quay"}}),
    (Q.address.zip.starts_with("77"), {"address.zip": {"starts_with": "77"}}),
    (
        Q.created.in_range(DAY, LATER),
        {"created": {"range": {"start_date": "2025-01-01", "end_date": "2025-12-31"}}},
    ),
    (
        Q.updated.not_in_range(NOON, NOON),
        {
            "updated": {
                "not_in_range": {
                    "start_datetime": "2025-01-01T10:00:00Z",
                    "end_datetime": "2025-01-01T10:00:00Z",
                }
            }
        },
    ),
    (
        Q.updated.in_range(NOON, NOON.replace(microsecond=5)),
        {
            "updated": {
                "range": {
                    "start_datetime": "2025-01-01T10:00:00Z",
                    "end_datetime": "2025-01-01T10:00:00.000005Z",
                }
            }
        },
    ),
    (Q.created.last(months=3), {"created": {"in_the_last": {"unit": "month", "quantity": 3}}}),
    (Q.created.last(seconds=1), {"created": {"in_the_last": {"unit": "second", "quantity": 1}}}),
    (Q.created.last(days=7), {"created": {"in_the_last": {"unit": "day", "quantity": 7}}}),
    (Q.updated.not_last(weeks=2), {"updated": {"not_in_the_last": {"unit": "week", "quantity": 2}}}),
    (Q.updated.not_last(years=1), {"updated": {"not_in_the_last": {"unit": "year", "quantity": 1}}}),
    (
        Q.birthday.day_month_range("01/03", date(1950, 3, 31)),
        {"birthday": {"day_month_range": {"start_date": "01/03", "end_date": "31/03"}}},
    ),
    (
        Q.birthday.day_month_range("29/02", "29/02"),
        {"birthday": {"day_month_range": {"start_date": "29/02", "end_date": "29/02"}}},
    ),
    (
        Q.birthday.day_month_range("15/12", "05/01"),
        {
            "or": [
                {"birthday": {"day_month_range": {"start_date": "15/12", "end_date": "31/12"}}},
                {"birthday": {"day_month_range": {"start_date": "01/01", "end_date": "05/01"}}},
            ]
        },
    ),
    (Q.birthday.is_empty(), {"birthday": {"is_empty": True}}),
    (Q.company_last_contacted.gt(DAY), {"company last contacted": {"gt": "2025-01-01"}}),
    (Q.company_last_contacted.gte(NOON), {"company last contacted": {"gte": "2025-01-01T10:00:00Z"}}),
    (Q.user_last_contacted.lt(DAY), {"user last contacted": {"lt": "2025-01-01"}}),
    (Q.user_last_contacted.lte(DAY), {"user last contacted": {"lte": "2025-01-01"}}),
    (Q.user_last_contacted.is_not_empty(), {"user last contacted": {"is_empty": False}}),
    (Q.rating.is_(3), {"rating": {"is": 3}}),
    (Q.rating.is_not(2.5), {"rating": {"is_not": 2.5}}),
    (Q.rating.in_([1, Decimal(2)]), {"rating": {"in": [1, 2]}}),
    (Q.rating.gt(Decimal("1234.10")), {"rating": {"gt": 1234.1}}),
    (Q.rating.gte(-1), {"rating": {"gte": -1}}),
    (Q.rating.lt(2**53), {"rating": {"lt": 2**53}}),
    (Q.rating.lte(0), {"rating": {"lte": 0}}),
    (Q.rating.in_range(2, 4), {"rating": {"range": {"start": 2, "end": 4}}}),
    (Q.rating.not_in_range(2, 2), {"rating": {"not_in_range": {"start": 2, "end": 2}}}),
    (Q.rating.is_empty(), {"rating": {"is_empty": True}}),
    (Q.lead_status.is_("Open"), {"lead status": {"is": "Open"}}),
    (Q.lead_source.is_not("1"), {"lead source": {"is_not": "1"}}),
    (Q.lead_type.is_empty(), {"lead type": {"is_empty": True}}),
    (Q.tag.in_(["vip", "a,b"]), {"tag": {"in": ["vip", "a,b"]}}),
    (Q.record_type.is_("person"), {"record type": {"is": "person"}}),
    (Q.id.is_("4f"), {"_id": {"is": "4f"}}),
    (Q.id.in_(["4f", "5e"]), {"_id": {"in": ["4f", "5e"]}}),
    (Q.id.not_in(["4f"]), {"_id": {"not_in": ["4f"]}}),
    (Q.saved_search.is_("4fc8"), {"saved_search": {"is": "4fc8"}}),
    (Q.reminder.is_not_empty(), {"reminder": {"is_empty": False}}),
    (Q.field("lead status").is_("Open"), {"lead status": {"is": "Open"}}),
    (Q.custom("colour").is_("plum"), {"custom_fields": {"colour": {"is": "plum"}}}),
    (Q.custom("colour").text.contain("plum"), {"custom_fields": {"colour": {"contain": "plum"}}}),
    (Q.custom("worth").number.gt(3), {"custom_fields": {"worth": {"gt": 3}}}),
    (
        Q.custom("renewal").date.last(days=1),
        {"custom_fields": {"renewal": {"in_the_last": {"unit": "day", "quantity": 1}}}},
    ),
    (Q.custom("segment").choice.is_("3"), {"custom_fields": {"segment": {"is": "3"}}}),
    (Q.custom("agreed").boolean.is_(True), {"custom_fields": {"agreed": {"is": True}}}),
    (Q.custom("agreed").boolean.is_not(False), {"custom_fields": {"agreed": {"is_not": False}}}),
    (Q.choice(Ours.segment).is_("Large"), {"custom_fields": {"segment": {"is": "3"}}}),
    (Q.choice(Ours.segment).is_not("Small"), {"custom_fields": {"segment": {"is_not": "1"}}}),
    (Q.choice(Ours.segment).is_empty(), {"custom_fields": {"segment": {"is_empty": True}}}),
    (Q.choice(Ours.sizes).is_("S"), {"custom_fields": {"sizes": {"is": "7"}}}),
    (Q.choice(Ours.status).is_("Open"), {"lead status": {"is": "1"}}),
]


@pytest.mark.parametrize(("query", "tree"), TERMS)
def test_terms_say_what_the_vendor_reads(query, tree):
    """Each operator of each field writes the vendor's form, as dictionaries and lists, sent as it stands."""
    assert query == tree
    text = search_text(query)
    assert text is not None
    assert msgspec.json.decode(text) == tree


REFUSED = [
    (lambda: Q.email.is_(""), "empty text"),
    (lambda: Q.email.contain("  "), "empty text"),
    (lambda: UNTYPED.email.is_(3), "takes text"),
    (lambda: Q.email.in_([]), "empty list"),
    (lambda: Q.email.in_(["a", ""]), "empty text"),
    (lambda: Q.email.in_("ada@example.com"), "takes a list"),
    (lambda: Q.id.is_(""), "empty text"),
    (lambda: Q.saved_search.is_(" "), "empty text"),
    (lambda: UNTYPED.record_type.is_("man"), "'person', 'company' or 'all'"),
    (lambda: Q.rating.in_([]), "empty list"),
    (lambda: UNTYPED.rating.is_("3"), "takes a number"),
    (lambda: Q.rating.is_(True), "takes a number"),
    (lambda: Q.rating.gt(float("nan")), "finite"),
    (lambda: Q.rating.gt(Decimal("Infinity")), "finite"),
    (lambda: Q.rating.gt(2**53 + 1), "more digits"),
    (lambda: Q.rating.gt(Decimal("0.12345678901234567890")), "more digits"),
    (lambda: Q.rating.gt(Decimal("1e400")), "more digits"),
    (lambda: Q.rating.in_range(4, 2), "before it begins"),
    (lambda: Q.created.in_range(LATER, DAY), "before it begins"),
    (lambda: Q.created.not_in_range(NOON, NOON - timedelta(microseconds=1)), "before it begins"),
    (lambda: Q.created.in_range(DAY, NOON), "one of each"),
    (lambda: Q.created.in_range(NOON, DAY), "one of each"),
    (lambda: UNTYPED.created.in_range("2025-01-01", "2025-01-02"), "takes a date"),
    (lambda: Q.created.in_range(NOON.replace(tzinfo=None), NOON), "time zone"),
    (lambda: Q.created.in_range(NOON, NOON.replace(tzinfo=None)), "time zone"),
    (lambda: Q.created.in_range(datetime.min.replace(tzinfo=NOON.tzinfo), NOON), "years 1 to 9999"),
    (lambda: Q.created.last(), "one of seconds"),
    (lambda: Q.created.last(days=1, weeks=1), "one of seconds"),
    (lambda: Q.created.last(days=0), "from 1"),
    (lambda: UNTYPED.created.last(days=1.5), "from 1"),
    (lambda: Q.created.last(days=True), "from 1"),
    (lambda: Q.created.not_last(days=2**53 + 1), "from 1"),
    (lambda: Q.user_last_contacted.gt(NOON.replace(tzinfo=None)), "time zone"),
    (lambda: UNTYPED.user_last_contacted.gt("2025-01-01"), "takes a date"),
    (lambda: Q.birthday.day_month_range("1/3", "31/03"), "'31/12'"),
    (lambda: Q.birthday.day_month_range("01/03", "31/04"), "'31/12'"),
    (lambda: UNTYPED.birthday.day_month_range("01/03", None), "'31/12'"),
    (lambda: UNTYPED.custom("agreed").boolean.is_("true"), "True or False"),
    (lambda: Q.custom(" "), "name of a field"),
    (lambda: Q.field(""), "name of a field"),
    (lambda: UNTYPED.choice(Ours.segment).is_("Huge"), "no choice 'Huge'"),
    (lambda: Q.choice(Ours.first), "every modifier"),
    (lambda: Q.choice(Ours.colour), "is no choice"),
    (lambda: Query({}), "A search is an object"),
    (lambda: Query({"and": [VIP]}), "at least two"),
    (lambda: VIP & {"email": "x"}, "needs an operator"),
    (lambda: VIP | {}, "A search is an object"),
]


@pytest.mark.parametrize(("build", "words"), REFUSED)
def test_what_the_vendor_would_refuse_is_refused_where_it_is_written(build, words):
    """Empty texts, ranges that end before they begin, moments without a zone: nothing is built."""
    with pytest.raises(QueryRefused, match=words):
        build()


@pytest.mark.parametrize(
    ("field", "operators"),
    [
        (Q.any, {"contain", "not_contain", "starts_with"}),
        (Q.name, {"contain", "not_contain", "starts_with", "is_empty", "is_not_empty"}),
        (
            Q.address.city,
            {"is_", "is_not", "contain", "not_contain", "starts_with", "is_empty", "is_not_empty"},
        ),
        (
            Q.email,
            {"is_", "is_not", "contain", "not_contain", "starts_with", "is_empty", "is_not_empty", "in_"},
        ),
        (Q.created, {"in_range", "not_in_range", "last", "not_last"}),
        (
            Q.birthday,
            {"in_range", "not_in_range", "last", "not_last", "day_month_range", "is_empty", "is_not_empty"},
        ),
        (Q.lead_status, {"is_", "is_not", "is_empty", "is_not_empty"}),
        (Q.tag, {"is_", "is_not", "in_", "is_empty", "is_not_empty"}),
        (Q.id, {"is_", "in_", "not_in"}),
        (Q.record_type, {"is_"}),
        (Q.saved_search, {"is_"}),
        (Q.reminder, {"is_empty", "is_not_empty"}),
    ],
)
def test_a_field_has_the_operators_it_knows(field, operators):
    """What the vendor documents for a field can be asked, and nothing else."""
    assert {name for name in dir(field) if not name.startswith("_")} == operators


def test_joins_are_flat():
    """Joins of one kind become one join; another kind stands inside; twice not is the search itself."""
    a, b, c = (Q.tag.is_(name) for name in "abc")
    assert (a & b) & c == a & (b & c) == {"and": [a, b, c]}
    assert a | b | c == {"or": [a, b, c]}
    assert a & b | c == {"or": [{"and": [a, b]}, c]}
    assert (a | b) & ~c == {"and": [{"or": [a, b]}, {"not": [c]}]}
    assert ~~(a | b) == a | b
    assert ~~~a == ~a == {"not": [a]}


def test_plain_mappings_join_too():
    """The right side may be a plain mapping; a whole one becomes a query; what was joined stays as it was."""
    plain = {"email": {"is": "a@x.y"}, "phone": {"is": "1"}}
    before = copy.deepcopy(plain)
    joined = VIP & plain
    assert joined == {"and": [{"tag": {"is": "vip"}}, plain]}
    assert ~Query(plain) == {"not": [plain]}
    assert ~Query({"not": [VIP]}) == VIP
    assert Query({"or": (VIP, plain)}) == {"or": [VIP, plain]}
    assert (joined & VIP)["and"] == [VIP, plain, VIP]
    assert plain == before
    assert VIP == {"tag": {"is": "vip"}}
    assert type(joined["and"][0]) is dict


def test_a_query_has_no_truth_value():
    """Python's `and`, `or` and `not` would drop half of a search in silence, so they raise."""
    for wrong in (lambda: VIP and VIP, lambda: VIP or VIP, lambda: not VIP):
        with pytest.raises(TypeError, match="&"):
            wrong()
    with pytest.raises(TypeError):
        VIP & NOTHING


def test_a_query_is_a_mapping():
    """It has members, a length, a text, and survives a copy and a pickle."""
    assert (list(VIP), len(VIP), VIP["tag"]) == (["tag"], 1, {"is": "vip"})
    assert repr(VIP) == "Query({'tag': {'is': 'vip'}})"
    assert repr(Q.tag) == "TagTerms('tag')"
    assert pickle.loads(pickle.dumps(VIP)) == copy.deepcopy(VIP) == VIP


def test_eleven_terms_are_the_most():
    """The twelfth term is refused where it is joined, and so is a record type beside eleven."""
    most = VIP
    for _ in range(10):
        most = most & VIP
    assert search_text(most) is not None
    with pytest.raises(QueryRefused, match="at most 11 terms, this one 12"):
        most | VIP
    with pytest.raises(QueryRefused, match="this one 12"):
        search_text(most, record_type="person")
    # The turn of the year costs two.
    assert len((~VIP & Q.birthday.day_month_range("31/12", "01/01"))["and"]) == 2


def test_twenty_levels_are_the_most():
    """The twenty-first level is refused where it is joined."""
    nested = Query({"tag": {"is": "x"}})
    for _ in range(19):
        nested = Query({"not": [nested]})
    assert search_text(nested) is not None
    with pytest.raises(QueryRefused, match="20 levels"):
        Query({"not": [nested]})
    with pytest.raises(QueryRefused, match="20 levels"):
        nested & VIP


def test_a_query_inside_a_plain_mapping_is_sent():
    """Searches built both ways mix in either direction; what JSON cannot say is refused."""
    text = search_text({"or": [VIP, {"and": [VIP, ~VIP]}]})
    assert (
        text == '{"or":[{"tag":{"is":"vip"}},{"and":[{"tag":{"is":"vip"}},{"not":[{"tag":{"is":"vip"}}]}]}]}'
    )
    for value in (object(), "\ud800"):
        with pytest.raises(QueryRefused, match="JSON cannot say"):
            search_text({"tag": {"is": value}})


def test_the_client_takes_a_query():
    """Lists, ids, searches for one contact, deals by stage and the tagging of deals take a `Query`."""
    simulator = Simulator(World(contacts=60, deals=20, seed=4))

    async def ask() -> tuple[int, int, int]:
        transport = SimulatorTransport(simulator)
        async with NimbleClient(
            api_key=simulator.api_key, transport=transport, clock=VirtualClock()
        ) as nimble:
            people = await nimble.contacts.list(query=Q.rating.gte(3), record_type="person").collect()
            assert all(one.record_type == "person" and int(one.field("rating") or 0) >= 3 for one in people)
            ids = await nimble.contacts.list_ids(
                query=Q.rating.gte(3) & Q.record_type.is_("person")
            ).collect()
            found = await nimble.contacts.find(query=Q.id.is_(people[0].id))
            assert found is not None
            assert found.id == people[0].id
            tagged = await nimble.deal_tags.assign(
                tags=["q"], query=Q.created.in_range(datetime(2019, 1, 1, tzinfo=UTC), NOON)
            )
            return len(people), len(ids), len(tagged.raw)

    people, ids, answer = run_virtual(ask())
    assert people == ids > 0
    assert answer > 0
