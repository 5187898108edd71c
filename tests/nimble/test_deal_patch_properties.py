"""Update after get: whatever the server sent is there after the update, but for what was to change."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from nimble_async._sansio.record import read_record
from nimble_async.nimble.models.deal_drafts import (
    DealPatch,
    RelatedContactDraft,
    RelatedExternalContactDraft,
)
from nimble_async.nimble.models.deals import Deal

NAMES = st.sampled_from(["name", "amount", "colour", "size", "π", "a,b"])
IDS = st.sampled_from(["c1", "c2", "c3", "c4"])
TEXT = st.text(max_size=5)
TAG = st.text(min_size=1, max_size=5).filter(str.strip)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
UNKNOWN = st.dictionaries(st.sampled_from(["role", "weight", "x-new"]), JSON, max_size=2)


@st.composite
def values(draw) -> list[dict[str, Any]]:
    """Draw the values of one field, some of them with members that nobody documents."""
    rows = draw(st.lists(st.builds(lambda value, more: {"value": value, **more}, TEXT, UNKNOWN), max_size=3))
    if rows and draw(st.booleans()):
        rows[draw(st.integers(0, len(rows) - 1))]["is_primary"] = True
    return rows


def row(**members: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Draw an object with these members and others that nobody documents."""
    return st.builds(
        lambda known, more: {**more, **known}, st.fixed_dictionaries({}, optional=members), UNKNOWN
    )


RELATED = st.builds(
    lambda one, rest: {**rest, "contact": {"id": one, "name": "N"}, "employments": []},
    IDS,
    row(note=st.none() | TEXT),
)
SERVERS_DEAL = st.fixed_dictionaries(
    {"deal_id": st.just("d")},
    optional={
        "tags": st.lists(TAG, max_size=3, unique=True),
        "related_contacts": st.lists(RELATED, max_size=3),
        "related_external_contacts": st.lists(row(contact_info=IDS, note=st.none() | TEXT), max_size=3),
        "fields_values_with_names": st.dictionaries(NAMES, values(), max_size=3),
        "privacy": JSON,
        "x-future": JSON,
    },
)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "add_tags": st.lists(TAG, max_size=2),
        "remove_tags": st.lists(TAG, max_size=2),
        "add_contacts": st.lists(st.builds(lambda one: RelatedContactDraft(contact_id=one, note="new"), IDS)),
        "remove_contacts": st.lists(IDS, max_size=2),
        "add_external_contacts": st.lists(
            st.builds(lambda one: RelatedExternalContactDraft(contact_info=one, note="new"), IDS)
        ),
        "remove_external_contacts": st.lists(IDS, max_size=2),
        "values": st.dictionaries(NAMES, TEXT, max_size=2),
    },
)


def update(server: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """Apply a body as the vendor documents: lists replace lists, a field's values replace its own."""
    after = copy.deepcopy(server)
    people = {row["contact"]["id"]: row["contact"] for row in server.get("related_contacts", ())}
    for name, value in body.items():
        if name == "fields_values":
            after.setdefault("fields_values_with_names", {}).update(value)
        elif name == "related_contacts":
            after[name] = [
                {
                    **{key: member for key, member in sent.items() if key != "contact_id"},
                    "contact": people.get(sent["contact_id"], {"id": sent["contact_id"]}),
                    "employments": [],
                }
                for sent in value
            ]
        else:
            after[name] = value
    return after


def rows_that_stay(rows: list[Any], key: Any, changed: set[Any]) -> list[str]:
    """Return the rows that nobody meant to change, as text that can be compared."""
    return sorted(repr(sorted(row.items(), key=repr)) for row in rows if key(row) not in changed)


@settings(max_examples=150, deadline=None)
@given(server=SERVERS_DEAL, changes=CHANGES)
def test_an_update_after_a_get_loses_nothing(server, changes):
    """Members, known or not, are as they were, unless they were to change; and what was to change has."""
    deal = read_record(Deal, msgspec.json.encode(server))
    body = msgspec.json.decode(msgspec.json.encode(DealPatch.of(deal, **changes).body()))
    after = update(server, body)

    lists = {"tags", "related_contacts", "related_external_contacts", "fields_values_with_names"}
    for name in server.keys() - lists:
        assert after[name] == server[name]

    removed, added = set(changes.get("remove_tags", ())), changes.get("add_tags", [])
    kept = [tag for tag in server.get("tags", ()) if tag not in removed]
    assert after.get("tags", []) == list(dict.fromkeys([*kept, *added]))

    lists_of_people: tuple[tuple[str, Any, str, str], ...] = (
        ("related_contacts", lambda row: row["contact"]["id"], "contacts", "contact_id"),
        (
            "related_external_contacts",
            lambda row: row.get("contact_info"),
            "external_contacts",
            "contact_info",
        ),
    )
    for list_name, key, short, draft_key in lists_of_people:
        drafts = changes.get(f"add_{short}", [])
        wanted = {getattr(one, draft_key) for one in drafts}
        gone = set(changes.get(f"remove_{short}", ()))
        before, now = server.get(list_name, []), after.get(list_name, [])
        assert rows_that_stay(before, key, wanted | gone) == rows_that_stay(now, key, wanted | gone)
        assert wanted <= {key(row) for row in now}
        assert not (gone - wanted) & {key(row) for row in now}
        # Who is merged keeps the members that the draft does not name.
        for one in wanted - gone:
            old = [row for row in before if key(row) == one]
            for member in old[0] if old else ():
                first = next(row for row in now if key(row) == one)
                assert first[member] == ("new" if member == "note" else old[0][member])

    fields_before = server.get("fields_values_with_names", {})
    fields_now = after.get("fields_values_with_names", {})
    for name in fields_before.keys() - changes.get("values", {}).keys():
        assert fields_now[name] == fields_before[name]
    for name, new in changes.get("values", {}).items():
        old = fields_before.get(name, [])
        assert new in [one["value"] for one in fields_now[name]]
        assert len(fields_now[name]) == max(1, len(old))
        changed = [n for n, one in enumerate(old) if fields_now[name][n] != one]
        assert len(changed) <= 1
        for place in changed:
            assert {**old[place], "value": new} == fields_now[name][place]
