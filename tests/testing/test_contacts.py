"""What the simulator answers for contacts: the vendor's rules, one by one."""

from __future__ import annotations

import pytest

from nimble_async.testing import Behaviour, Drift, Simulator, World
from nimble_async.testing.nimble.content import contact_values, record_type

LIST, IDS = "/api/v1/contacts", "/api/v1/contacts/ids"


@pytest.fixture
def simulator() -> Simulator:
    """A small account at rest."""
    return Simulator(World(contacts=250, deals=0, seed=5))


_YEAR = {"start_datetime": "2020-01-01T00:00:00Z", "end_datetime": "2021-01-01T00:00:00Z"}


def _created(start: str, end: str) -> dict[str, object]:
    return {"created": {"range": {"start_datetime": start, "end_datetime": end}}}


@pytest.mark.parametrize(
    "case",
    [
        (1, None, 30, 9),
        (9, None, 10, 9),
        (10, None, 0, 9),
        (1, 250, 250, 1),
        (3, 100, 50, 3),
        (1, 249, 249, 2),
    ],
)
def test_pages_are_numbered_from_one(ask, simulator, case):
    """A page holds `per_page` rows (30 unless told), a page beyond the last none, and meta counts them."""
    page, size, rows, pages = case
    query = {"page": page} | ({} if size is None else {"per_page": size})
    answer = ask(simulator, LIST, **query)
    assert len(answer.body["resources"]) == rows
    assert answer.body["meta"] == {"page": page, "pages": pages, "per_page": size or 30, "total": 250}


def test_an_empty_account_has_no_pages(ask):
    """Nothing found is zero pages, not an error."""
    answer = ask(Simulator(World(contacts=0, deals=0)), LIST, sort="created:asc")
    assert answer.body == {"meta": {"page": 1, "pages": 0, "per_page": 30, "total": 0}, "resources": []}


@pytest.mark.parametrize(
    "field", ["created", "updated", "first name", "last name", "record type", "_id", "name"]
)
def test_sorting_orders_the_whole_listing(ask, simulator, field):
    """Ascending pages put together are sorted, and descending is the reverse where keys differ."""
    ids = [
        contact_id
        for page in (1, 2, 3)
        for contact_id in ask(simulator, IDS, sort=f"{field}:asc", per_page=100, page=page).body["resources"]
    ]
    assert len(set(ids)) == 250
    world = simulator.world
    serials = [world.contacts.serial_of(contact_id) for contact_id in ids]
    if field in {"first name", "last name"}:
        keys = [contact_values(world, serial).get(field, [("", "")])[0][0].lower() for serial in serials]
        assert keys == sorted(keys)
    elif field == "record type":
        keys = [record_type(world.seed, serial) for serial in serials]
        assert keys == sorted(keys)
    down = ask(simulator, IDS, sort=f"{field}:desc", per_page=100).body["resources"]
    assert down == ids[::-1][:100]


def test_ids_and_contacts_come_in_one_order(ask, simulator):
    """`contacts.list_ids` takes the filters and the order of `contacts.list`."""
    query = {"sort": "created:asc", "record_type": "company", "per_page": 50}
    contacts = ask(simulator, LIST, **query).body
    assert [contact["id"] for contact in contacts["resources"]] == ask(simulator, IDS, **query).body[
        "resources"
    ]
    assert {contact["record_type"] for contact in contacts["resources"]} == {"company"}
    assert 0 < contacts["meta"]["total"] < 250


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"page": 0}, "/page"),
        ({"page": "two"}, "/page"),
        ({"per_page": -1}, "/per_page"),
        ({"per_page": 101, "sort": "created:asc"}, "/per_page"),
        ({"sort": "created"}, "/sort"),
        ({"sort": "created:up"}, "/sort"),
        ({"sort": "phone:asc"}, "/sort"),
        ({"record_type": "robot"}, "/record_type"),
        ({"tags": "perhaps"}, "/tags"),
        ({"keyword": "a", "query": {"created": {}}}, "/"),
        ({"query": "{"}, "/query"),
        ({"query": {}}, "/query"),
        ({"query": {"and": []}}, "/query/and"),
        ({"query": {"not": []}}, "/query/not"),
        ({"query": {"tag": "vip"}}, "/query/tag"),
        ({"query": {"tag": {"near": "vip"}}}, "/query/tag"),
        ({"query": {"shoe size": {"is": "44"}}}, "/query/shoe size"),
        ({"query": {"first name": {"near": "Ada"}}}, "/query/first name"),
        ({"query": {"first name": {"in": []}}}, "/query/first name/in"),
        ({"query": {"record type": {"is": "robot"}}}, "/query/record type"),
        ({"query": {"created": {"range": "2020"}}}, "/query/created/range"),
        ({"query": {"created": {"range": {"start_date": "2020-01-01"}}}}, "/query/created/range"),
        (
            {"query": {"created": {"range": {"start_date": "1.1.2020", "end_date": "x"}}}},
            "/query/created/range",
        ),
        ({"query": _created("2020-01-01", "2021-01-01")}, "/query/created/range"),
        ({"query": _created("yesterday", "2021-01-01T00:00:00Z")}, "/query/created/range"),
        ({"query": {"created": {"since": {}}}}, "/query/created/since"),
        (
            {"query": {"created": {"in_the_last": {"unit": "moon", "quantity": 1}}}},
            "/query/created/in_the_last",
        ),
        ({"query": {"rating": {"gt": "five"}}}, "/query/rating"),
        ({"query": {"rating": {"gt": "nan"}}}, "/query/rating"),
        ({"query": {"custom_fields": {"first name": {"is": "zoe"}}}}, "/query/first name"),
        ({"query": {"segment": {"is": "1"}}}, "/query/segment"),
        ({"sort": "score:desc"}, "/sort"),
        ({"sort": "score:desc", "query": {"first name": {"is": "zoe"}}}, "/sort"),
    ],
)
def test_what_the_vendor_refuses_is_a_409(ask, simulator, query, path):
    """Wrong values give 409, code 245, and a complaint under the path."""
    answer = ask(simulator, LIST, **query)
    assert answer.status == 409
    assert answer.body["code"] == 245
    assert list(answer.body["errors"]) == [path]
    assert isinstance(answer.body["errors"][path]["message"], str)
    assert {"message", "human_readable_error", "extra"} < set(answer.body)


def test_an_empty_text_is_refused_in_the_other_shape(ask, simulator):
    """Complaints about a contact field come as a list under its name, with the field's id."""
    answer = ask(simulator, LIST, query={"first name": {"is": " "}})
    assert answer.status == 409
    [complaint] = answer.body["errors"]["first name"]
    assert set(complaint) == {"message", "field_id"}


@pytest.mark.parametrize(
    "search", [{"keyword": "com"}, {"query": {"email": {"contain": "com"}}}], ids=["keyword", "contain"]
)
def test_what_looks_for_words_can_be_sorted_by_relevance(ask, simulator, search):
    """Whatever the order is, it is a listing of the same contacts."""
    plain, sorted_ = (ask(simulator, IDS, **search, **more).body for more in ({}, {"sort": "score:desc"}))
    assert sorted_["meta"]["total"] == plain["meta"]["total"] > 0


@pytest.mark.parametrize(("strict", "status"), [(False, 200), (True, 409)])
def test_a_moment_of_the_older_examples_has_no_zone(ask, strict, status):
    """It is UTC; a strict account wants the zone spelled out."""
    simulator = Simulator(World(contacts=5, deals=0), behaviour=Behaviour(strict=strict))
    query = _created("2013-04-23 00:00:10", "2013-04-26T00:00:10")
    assert ask(simulator, IDS, query=query).status == status


@pytest.mark.parametrize(("terms", "status"), [(2, 200), (11, 200), (12, 409)])
def test_a_query_has_eleven_terms_at_most(ask, simulator, terms, status):
    """The twelfth term is one too many."""
    assert ask(simulator, IDS, query={"or": [{"tag": {"is": "vip"}}] * terms}).status == status


@pytest.mark.parametrize(("depth", "status"), [(19, 200), (20, 409)])
def test_a_query_is_twenty_deep_at_most(ask, simulator, depth, status):
    """A term under twenty joins is one too deep."""
    query: dict[str, object] = {"tag": {"is": "vip"}}
    for _ in range(depth):
        query = {"not": [query]}
    assert ask(simulator, IDS, query=query).status == status


def _found(ask, simulator, query) -> set[int]:
    found: set[int] = set()
    page, pages, total = 1, 1, 0
    while page <= pages:
        answer = ask(simulator, IDS, query=query, page=page, per_page=100)
        pages, total = answer.body["meta"]["pages"], answer.body["meta"]["total"]
        found |= {simulator.world.contacts.serial_of(contact_id) for contact_id in answer.body["resources"]}
        page += 1
    assert len(found) == total
    return found


def test_joins_are_set_algebra(ask, simulator):
    """and, or and not are intersection, union and complement."""
    person, vip = {"record type": {"is": "person"}}, {"tag": {"is": "vip"}}
    people, vips = _found(ask, simulator, person), _found(ask, simulator, vip)
    assert people
    assert vips
    assert _found(ask, simulator, {"and": [person, vip]}) == people & vips
    assert _found(ask, simulator, {"or": [person, vip]}) == people | vips
    assert _found(ask, simulator, {"not": [vip]}) == set(range(250)) - vips
    assert _found(ask, simulator, {"tag": {"is_not": "vip"}}) == set(range(250)) - vips
    assert _found(ask, simulator, {"record type": {"is": "all"}}) == set(range(250))


@pytest.mark.parametrize(
    "query",
    [
        {"first name": {"is": "zoe"}},
        {"first name": {"is": "ZOË"}},
        {"first name": {"contain": "zoë nobody"}},
        {"first name": {"starts_with": "zo"}},
        {"first name": {"in": ["Zoë", "nobody"]}},
        {"name": {"contain": "zoe"}},
        {"names": {"starts_with": "zo"}},
        {"__any": {"contain": "zoë"}},
    ],
)
def test_text_is_folded_and_matched_by_words(ask, query):
    """Letters are compared without case and accents; contain knows whole words, any of them."""
    simulator = Simulator(World(contacts=400, deals=0, seed=5))
    names = {serial: contact_values(simulator.world, serial).get("first name") for serial in range(400)}
    zoes = {serial for serial, name in names.items() if name == [("Zoë", "")]}
    zoltans = {serial for serial, name in names.items() if name == [("Zoltán", "")]}
    found = _found(ask, simulator, query)
    assert zoes
    assert found >= zoes
    if "starts_with" in str(query):
        assert found >= zoltans
    elif "__any" not in query and "name" not in query:
        assert found == zoes


@pytest.mark.parametrize(
    ("query", "opposite"),
    [
        ({"title": {"is": "Buyer"}}, {"title": {"is_not": "Buyer"}}),
        ({"title": {"contain": "director"}}, {"title": {"not_contain": "director"}}),
        ({"title": {"in": ["Buyer"]}}, {"title": {"not_in": ["Buyer"]}}),
        ({"title": {"is_empty": True}}, {"title": {"is_empty": False}}),
        ({"tag": {"is_empty": True}}, {"tag": {"is_empty": False}}),
        ({"rating": {"gt": 3}}, {"rating": {"lte": 3}}),
        ({"rating": {"gte": 3}}, {"rating": {"lt": 3}}),
        ({"rating": {"range": {"start": 1, "end": 2}}}, {"rating": {"not_in_range": {"start": 1, "end": 2}}}),
        ({"created": {"range": _YEAR}}, {"created": {"not_in_range": _YEAR}}),
    ],
)  # fmt: skip
def test_an_operator_and_its_opposite_share_the_account_out(ask, simulator, query, opposite):
    """Each contact is found by one of the two and by one only."""
    one, other = _found(ask, simulator, query), _found(ask, simulator, opposite)
    assert one
    assert other
    assert one | other == set(range(250))
    assert not one & other


def test_address_parts_are_searched_in_both_spellings(ask, simulator):
    """Cities are found in addresses written as JSON and as a Python dictionary."""
    lisbon = _found(ask, simulator, {"city": {"is": "lisbon"}})
    assert lisbon == _found(ask, simulator, {"address.city": {"is": "Lisbon"}})
    assert lisbon == _found(ask, simulator, {"address": {"contain": "lisbon"}})
    texts = [contact_values(simulator.world, serial)["address"][0][0] for serial in range(250)]
    assert any(text.startswith("{'") for text in texts)
    assert sum(text.startswith('{"') for text in texts) > 200


def test_ids_are_searched(ask, simulator):
    """`_id` in names contacts."""
    ids = simulator.world.contacts.ids()
    assert _found(ask, simulator, {"_id": {"in": [ids[3], ids[9], "0" * 24]}}) == {3, 9}
    assert len(_found(ask, simulator, {"_id": {"not_in": ids[:4]}})) == 246


@pytest.mark.parametrize(
    ("inclusive", "expected"),
    [((True, True), 3), ((True, False), 2), ((False, True), 2), ((False, False), 1)],
)
@pytest.mark.parametrize("other", [None, {"record type": {"is": "all"}}])
def test_whether_ends_belong_to_a_range_is_a_switch(ask, inclusive, expected, other):
    """Both ends belong to a range unless the switches say otherwise, with and without other terms."""
    behaviour = Behaviour(inclusive_start=inclusive[0], inclusive_end=inclusive[1])
    simulator = Simulator(World(contacts=10, deals=0), behaviour=behaviour)
    shown = [contact["created"] for contact in ask(simulator, LIST, sort="created:asc").body["resources"]]
    query = _created(shown[3], shown[5])
    whole = query if other is None else {"and": [query, other]}
    assert len(_found(ask, simulator, whole)) == expected


def test_dates_and_relative_ranges(ask):
    """Days are whole days; `in_the_last` counts back from the question."""
    simulator = Simulator(World(contacts=100, deals=0))
    day = ask(simulator, LIST, sort="created:asc", per_page=50).body["resources"][40]["created"][:10]
    query = {"created": {"range": {"start_date": day, "end_date": day}}}
    created = [contact["created"] for contact in ask(simulator, LIST, query=query).body["resources"]]
    assert created
    assert {instant[:10] for instant in created} == {day}
    simulator.world.insert_contact(0)
    recent = {"created": {"in_the_last": {"unit": "second", "quantity": 100}}}
    assert ask(simulator, IDS, now=99, query=recent).body["meta"]["total"] == 1
    assert ask(simulator, IDS, now=101, query=recent).body["meta"]["total"] == 0
    older = {"created": {"not_in_the_last": {"unit": "second", "quantity": 100}}}
    assert ask(simulator, IDS, now=101, query=older).body["meta"]["total"] == 101


def test_a_query_overrules_the_record_type(ask, simulator):
    """With `query`, `record_type` is ignored."""
    query = {"record type": {"is": "person"}}
    answer = ask(simulator, LIST, query=query, record_type="company", per_page=10)
    assert {contact["record_type"] for contact in answer.body["resources"]} == {"person"}


def test_a_keyword_looks_everywhere(ask, simulator):
    """A keyword is a search of every field, and goes with a record type."""
    anywhere = ask(simulator, LIST, keyword="lisbon").body["meta"]["total"]
    companies = ask(simulator, LIST, keyword="lisbon", record_type="company").body["meta"]["total"]
    assert 0 < companies < anywhere < 250


def test_fields_and_blocks_can_be_chosen(ask, simulator):
    """`fields` names what is shown (a comma in a name is escaped); tags and last contact can be left out."""
    full = ask(simulator, LIST, per_page=1).body["resources"][0]
    assert {"tags", "last_contacted"} < set(full)
    assert len(full["fields"]) > 10
    slim = ask(
        simulator, LIST, per_page=1, fields="email,phone,odd\\, name", tags=0, last_contacted="false"
    ).body
    assert set(slim["resources"][0]["fields"]) == {"email", "phone"}
    assert not {"tags", "last_contacted"} & set(slim["resources"][0])
    assert (
        "last_contacted" not in ask(simulator, LIST, per_page=1, contexts="leads_data").body["resources"][0]
    )


def test_field_values_come_in_the_documented_shapes(ask, simulator):
    """Some contacts carry group and field_id, some neither, as older and newer documents show them."""
    rows = ask(simulator, LIST, per_page=100).body["resources"]
    shapes = {frozenset(row["fields"]["email"][0]) for row in rows}
    assert frozenset({"field_id", "modifier", "group", "value", "label"}) in shapes
    assert frozenset({"modifier", "value", "label"}) in shapes


def test_one_contact_by_id(ask, simulator):
    """A contact comes in a list, with the fields' facts where asked; an unknown id gives an empty list."""
    wanted = simulator.world.contacts.id_of(7)
    answer = ask(simulator, f"/api/v1/contact/{wanted}")
    assert [contact["id"] for contact in answer.body["resources"]] == [wanted]
    assert "contacts_meta" not in answer.body
    assert "email" in ask(simulator, f"/api/v1/contact/{wanted}", meta=1).body["contacts_meta"]["fields"]
    assert ask(simulator, "/api/v1/contact/" + "0" * 24).body == {"resources": []}
    both = ask(simulator, f"/api/v1/contact/{wanted},{simulator.world.contacts.id_of(8)}")
    assert len(both.body["resources"]) == 2


@pytest.mark.parametrize(("count", "status"), [(0, 409), (1, 200), (30, 200), (31, 409)])
def test_many_contacts_by_id(ask, simulator, count, status):
    """One to thirty ids are answered; ids that name nothing are left out."""
    ids = simulator.world.contacts.ids()[:count]
    answer = ask(simulator, "/api/v1/contact", id=",".join(ids))
    assert answer.status == status
    if status == 200:
        assert [contact["id"] for contact in answer.body["resources"]] == ids
        assert (
            ask(simulator, "/api/v1/contact", id=f"{ids[0]},{'0' * 24}").body["resources"][0]["id"] == ids[0]
        )


def test_ties_move_only_when_told_to(ask):
    """With the switch, equal `created` stand in another order at each request; pages keep their sizes."""
    world = World(contacts=300, deals=0, imports=1, import_size=250)
    stable, moving = Simulator(world), Simulator(world, behaviour=Behaviour(unstable_ties=True))
    query = {"sort": "created:asc", "per_page": 100, "page": 2}
    assert ask(stable, IDS, **query).body == ask(stable, IDS, **query).body
    one, two = ask(moving, IDS, **query).body, ask(moving, IDS, **query).body
    assert one != two
    assert len(one["resources"]) == len(set(one["resources"])) == 100
    walked = {
        row
        for page in (1, 2, 3)
        for row in ask(moving, IDS, sort="created:asc", per_page=100, page=page).body["resources"]
    }
    assert len(walked) < 300
    assert ask(moving, IDS, sort="created:asc", page=99).body["resources"] == []


def test_listings_follow_the_drift(ask):
    """A listing is the world of its instant, filtered or not."""
    simulator = Simulator(World(contacts=100, deals=0, drift=Drift.even(1)))
    companies = {"query": {"record type": {"is": "company"}}}
    early, late = (ask(simulator, IDS, now=now, per_page=500).body["resources"] for now in (0, 60))
    assert early != late
    assert set(late) == set(simulator.world.contacts.ids())
    found = ask(simulator, IDS, now=60, per_page=500, **companies).body["resources"]
    assert set(found) <= set(late)
