from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec
import pytest
from msgspec import UNSET

from nimble_async._sansio.record import read_record
from nimble_async.errors import ConfigurationError, DraftRefused
from nimble_async.nimble.models.deal_drafts import (
    DealAccess,
    DealDraft,
    DealPatch,
    Principals,
    RelatedContactDraft,
    RelatedExternalContactDraft,
)
from nimble_async.nimble.models.deal_metadata import DealFieldsMetadata
from nimble_async.nimble.models.deals import Deal
from nimble_async.nimble.models.fields import FieldValue
from nimble_async.nimble.models.limits import check_between, check_currency, check_exact, check_length

FIELDS = read_record(
    DealFieldsMetadata,
    msgspec.json.encode(
        {
            "standard_fields": [
                {"field_id": "f-name", "field_name": "deal_name", "field_type": "string"},
                {"field_id": "f-amount", "field_name": "amount", "field_type": {"field_kind": "number"}},
            ],
            "pipelines_tabs": [
                {
                    "tab_id": "t1",
                    "pipeline_id": "p1",
                    "members": [
                        {
                            "type": "field",
                            "pipeline_id": "p1",
                            "field": {"field_id": "f-size", "field_name": "size"},
                        },
                        {
                            "type": "group",
                            "group_id": "g",
                            "fields": [{"field": {"field_id": "f-lot", "field_name": "lot"}}],
                        },
                    ],
                },
                {
                    "tab_id": "t2",
                    "pipeline_id": "p2",
                    "members": {"field": {"field_id": "f-lot-2", "field_name": "lot"}},
                },
            ],
        }
    ),
)


def deal(**members) -> Deal:
    return read_record(Deal, msgspec.json.encode({"deal_id": "d", **members}))


def sent(value) -> object:
    """Return what a body is on the wire."""
    return msgspec.json.decode(msgspec.json.encode(value))


def test_draft_sends_names_and_text():
    """Named values go under the names of the standard fields, as text, and nothing else is sent."""
    draft = DealDraft(
        name="Ten engines",
        amount=Decimal("12500.50"),
        probability=40,
        description="in two lots",
        expected_close_date=date(2024, 6, 30),
        pipeline_id="p",
        stage_id="s",
    )
    assert sent(draft.body()) == {
        "fields_values": {
            "name": [{"value": "Ten engines"}],
            "amount": [{"value": "12500.50"}],
            "probability": [{"value": "40"}],
            "description": [{"value": "in two lots"}],
            "expected_close_date": [{"value": "2024-06-30"}],
        },
        "pipeline_id": "p",
        "stage_id": "s",
    }


def test_draft_sends_everything_else():
    """Every member of the vendor's body can be given; access is sent with both of its sides."""
    draft = DealDraft(
        fields_values={"deal_name": "x"},
        pipeline_id="p",
        stage_id="s",
        owner_id="u",
        privacy=DealAccess(edit=Principals(user_ids=["u"])),
        currency="EUR",
        related_contacts=[RelatedContactDraft(contact_id="c", note=None)],
        related_external_contacts=[RelatedExternalContactDraft(contact_info="a@example.com", note="n")],
        tags=["big"],
    )
    assert sent(draft.body()) == {
        "fields_values": {"deal_name": [{"value": "x"}]},
        "pipeline_id": "p",
        "stage_id": "s",
        "owner_id": "u",
        "privacy": {"read": None, "edit": {"user_ids": ["u"], "group_ids": []}},
        "currency": "EUR",
        "related_contacts": [{"contact_id": "c", "note": None}],
        "related_external_contacts": [{"contact_info": "a@example.com", "note": "n"}],
        "tags": ["big"],
    }


@pytest.mark.parametrize(
    ("value", "entries"),
    [
        ("x", [{"value": "x"}]),
        ("", [{"value": ""}]),
        (None, []),
        ([], []),
        (5, [{"value": "5"}]),
        (True, [{"value": "true"}]),
        (False, [{"value": "false"}]),
        (Decimal("1E+3"), [{"value": "1000"}]),
        (Decimal("0.10"), [{"value": "0.10"}]),
        (Decimal("12345678901234567890.123"), [{"value": "12345678901234567890.123"}]),
        (date(2024, 1, 2), [{"value": "2024-01-02"}]),
        (["a", 1], [{"value": "a"}, {"value": "1"}]),
        ({"value": "a", "is_primary": True}, [{"value": "a", "is_primary": True}]),
        (FieldValue(value="a", modifier="work"), [{"value": "a", "modifier": "work"}]),
    ],
)
def test_values_become_the_vendors_entries(value, entries):
    """A value, several of them, or the vendor's own objects become entries; none removes the field."""
    assert sent(DealPatch(fields_values={"f": value}).body()) == {"fields_values": {"f": entries}}


@pytest.mark.parametrize("value", [1.5, float("nan"), Decimal("NaN"), Decimal("Infinity"), object(), {1, 2}])
def test_values_without_exact_text_are_refused(value):
    """A float has no exact digits, and other objects have no text at all: nothing is rounded."""
    with pytest.raises(DraftRefused):
        DealPatch(fields_values={"f": value}).body()


@pytest.mark.parametrize(
    ("members", "fine"),
    [
        ({"amount": 0}, True),
        ({"amount": Decimal("0.01")}, True),
        ({"amount": -1}, False),
        ({"amount": Decimal("-0.01")}, False),
        ({"amount": 1.5}, False),
        ({"amount": Decimal("NaN")}, False),
        ({"amount": None}, True),
        ({"probability": 150}, True),
        ({"probability": 0.5}, False),
        ({"currency": "EUR"}, True),
        ({"currency": "eur"}, True),
        ({"currency": "EURO"}, False),
        ({"currency": "€€€"}, False),
        ({"currency": ""}, False),
        ({"name": "x"}, True),
        ({"name": ""}, False),
        ({"name": "  "}, False),
        ({"name": "x", "fields_values": {"name": "y"}}, False),
        ({"name": "x", "fields_values": {"other": "y"}}, True),
    ],
)
@pytest.mark.parametrize("kind", ["draft", "patch"])
def test_what_the_vendor_refuses_is_refused_before(kind, members, fine):
    """Amounts are exact and not negative, currencies have three letters, a name is not empty."""

    def build() -> object:
        if kind == "patch":
            return DealPatch(**members)
        return DealDraft(**{"fields_values": {"f": "x"}, **members}, pipeline_id="p", stage_id="s")

    if fine:
        build()
    else:
        with pytest.raises(DraftRefused):
            build()


def test_a_deal_needs_a_name():
    """A draft without a name and without any field is refused; one with fields may have it by an id."""
    with pytest.raises(DraftRefused, match="needs a name"):
        DealDraft(pipeline_id="p", stage_id="s")
    DealDraft(pipeline_id="p", stage_id="s", fields_values={"f-name": "x"})


def test_refused_drafts_are_configuration_errors():
    """A refusal is found by whoever catches what has to be corrected."""
    assert issubclass(DraftRefused, ConfigurationError)


def test_empty_patch_sends_nothing():
    """A patch without values is an empty object; None is sent, what is not given is not."""
    assert DealPatch().body() == {}
    assert sent(DealPatch(description=None, stage_id="s", tags=[]).body()) == {
        "fields_values": {"description": []},
        "stage_id": "s",
        "tags": [],
    }


def test_names_are_resolved_to_ids():
    """The vendor's text calls the name both `name` and `deal_name`: either finds the id that is there."""
    draft = DealDraft(
        name="x", amount=5, fields_values={"lot": "b", "f-size": "c"}, pipeline_id="p1", stage_id="s"
    )
    assert draft.resolved(FIELDS).body()["fields_values"] == {
        "f-name": [{"value": "x"}],
        "f-amount": [{"value": "5"}],
        "f-lot": [{"value": "b"}],
        "f-size": [{"value": "c"}],
    }
    patch = DealPatch(fields_values={"deal_name": "x"}, amount=None, currency="EUR").resolved(FIELDS)
    assert patch.body() == {"fields_values": {"f-name": [{"value": "x"}], "f-amount": []}, "currency": "EUR"}


@pytest.mark.parametrize(
    ("pipeline", "name", "words"),
    [
        (None, "lot", "Several deal fields are called 'lot'"),
        (None, "amuont", "Did you mean 'amount'"),
        ("p2", "size", "There is no deal field 'size'"),
        ("p9", "lot", "There is no deal field 'lot'"),
    ],
)
def test_names_that_cannot_be_resolved(pipeline, name, words):
    """A name that no field has, or fields of several pipelines have, is refused with the way out."""
    patch = DealPatch(pipeline_id=UNSET if pipeline is None else pipeline, fields_values={name: "x"})
    with pytest.raises(DraftRefused, match=words):
        patch.resolved(FIELDS)


def test_patch_of_a_deal_without_changes_is_empty():
    """What is not named is not part of the patch, whatever the deal has."""
    assert DealPatch.of(deal(tags=["a"], related_contacts=[{"contact": {"id": "c"}}])).body() == {}


def test_tags_are_added_and_taken_away():
    """The vendor replaces tags whole, so the others go back, each once, in their order."""
    found = deal(tags=["a", {"tag": "b", "id": "1"}, "c"])
    patch = DealPatch.of(found, add_tags=["d", "a"], remove_tags=["b"])
    assert patch.body() == {"tags": ["a", "c", "d"]}
    assert DealPatch.of(deal(), add_tags=["x"]).body() == {"tags": ["x"]}
    assert DealPatch.of(deal(tags=None), remove_tags=["x"]).body() == {"tags": []}


def test_related_contacts_go_back_with_everything():
    """Contacts that stay keep their notes and members that are not known; a double one stays double."""
    rows = [
        {
            "contact": {"id": "c1", "name": "A"},
            "note": "n",
            "employments": [{"title": "t"}],
            "role": {"a": 1},
        },
        {"contact": {"id": "c2"}, "note": None},
        {"contact": {"id": "c3"}},
        {"contact": {"id": "c1"}, "note": "again"},
    ]
    patch = DealPatch.of(
        deal(related_contacts=rows),
        add_contacts=[RelatedContactDraft(contact_id="c4"), RelatedContactDraft(contact_id="c2", note="new")],
        remove_contacts=["c3"],
    )
    assert sent(patch.body()) == {
        "related_contacts": [
            {"contact_id": "c1", "note": "n", "role": {"a": 1}},
            {"contact_id": "c2", "note": "new"},
            {"contact_id": "c1", "note": "again"},
            {"contact_id": "c4"},
        ]
    }


def test_an_added_contact_keeps_the_note_that_is_there():
    """A contact that is there already keeps its note and the rest, where no new one is given."""
    rows = [{"contact": {"id": "c1"}, "note": "n", "role": 1}]
    patch = DealPatch.of(
        deal(related_contacts=rows), add_contacts=[RelatedContactDraft(contact_id="c1", more={"x": 2})]
    )
    assert sent(patch.body()) == {"related_contacts": [{"contact_id": "c1", "note": "n", "role": 1, "x": 2}]}


def test_external_contacts_go_back_with_everything():
    """The others who take part are kept in the same way, also without an address."""
    rows = [{"contact_info": "a@example.com", "x": 1}, {"note": "nobody"}, {"contact_info": "b@example.com"}]
    patch = DealPatch.of(
        deal(related_external_contacts=rows),
        add_external_contacts=[RelatedExternalContactDraft(contact_info="c@example.com", note="n")],
        remove_external_contacts=["b@example.com"],
    )
    assert sent(patch.body()) == {
        "related_external_contacts": [
            {"contact_info": "a@example.com", "x": 1},
            {"note": "nobody"},
            {"contact_info": "c@example.com", "note": "n"},
        ]
    }


COLOURS = [{"value": "red", "x": 1}, {"value": "blue", "is_primary": True, "y": [2]}]


@pytest.mark.parametrize(
    "fields",
    [
        {"colour": COLOURS},
        {"field_name": "colour", "values": COLOURS},
        [{"field_name": "colour", "values": COLOURS}],
    ],
)
def test_other_values_of_a_field_go_back(fields):
    """A new value takes the place of the primary one; the others, and all members, go back."""
    patch = DealPatch.of(deal(fields_values_with_names=fields), values={"colour": "green"})
    assert patch.body() == {
        "fields_values": {
            "colour": [{"value": "red", "x": 1}, {"value": "green", "is_primary": True, "y": [2]}]
        }
    }


@pytest.mark.parametrize(
    ("fields", "entries"),
    [
        ({}, [{"value": "new"}]),
        ({"f": []}, [{"value": "new"}]),
        ({"f": None}, [{"value": "new"}]),
        ({"f": "old"}, [{"value": "new"}]),
        ({"f": ["old", "other"]}, [{"value": "new"}, {"value": "other"}]),
        ({"f": {"value": "old", "z": 1}}, [{"value": "new", "z": 1}]),
        ({"f": {"values": [{"value": "old"}]}}, [{"value": "new"}]),
    ],
)
def test_a_new_value_in_every_shape(fields, entries):
    """Whatever shape the old values have, the new one is sent in the vendor's."""
    patch = DealPatch.of(deal(fields_values_with_names=fields), values={"f": "new"})
    assert patch.body() == {"fields_values": {"f": entries}}


def test_none_removes_a_field_of_a_deal():
    """None is no value: the field goes."""
    patch = DealPatch.of(deal(fields_values_with_names={"f": ["a", "b"]}), values={"f": None})
    assert patch.body() == {"fields_values": {"f": []}}


@pytest.mark.parametrize(
    ("members", "changes"),
    [
        ({"tags": "a"}, {"add_tags": ["x"]}),
        ({"related_contacts": [5]}, {"remove_contacts": ["c"]}),
        ({"related_contacts": [{"note": "n"}]}, {"remove_contacts": ["c"]}),
        ({"related_contacts": [{"contact": {"name": "n"}}]}, {"remove_contacts": ["c"]}),
        ({"related_external_contacts": "x"}, {"remove_external_contacts": ["c"]}),
        ({"fields_values_with_names": 5}, {"values": {"f": "x"}}),
    ],
)
def test_what_cannot_go_back_is_refused(members, changes):
    """Where a list cannot be read, sending it would lose what is in it: the patch is refused."""
    with pytest.raises(DraftRefused, match="cannot be sent back"):
        DealPatch.of(deal(**members), **changes)


@pytest.mark.parametrize(("length", "fine"), [(0, False), (1, True), (255, True), (256, True), (257, False)])
def test_lengths_with_their_bounds(length, fine):
    """A text of the least and of the most characters passes, one beyond does not."""
    if fine:
        check_length("x", "a" * length, least=1, most=256)
    else:
        with pytest.raises(DraftRefused, match="1 to 256 characters, not"):
            check_length("x", "a" * length, least=1, most=256)


@pytest.mark.parametrize("value", [UNSET, None])
def test_what_is_absent_or_null_passes_every_check(value):
    """Absent and null are for the vendor to judge."""
    check_length("x", value, least=1, most=2)
    check_between("x", value)
    check_exact("x", value)
    check_currency(value)


@pytest.mark.parametrize(
    ("number", "fine"),
    [(-1, False), (0, True), (100, True), (101, False), (100.5, False), (float("nan"), False)],
)
def test_numbers_with_their_bounds(number, fine):
    """A number at a bound passes, one beyond, or none at all, does not."""
    if fine:
        check_between("x", number, most=100)
    else:
        with pytest.raises(DraftRefused, match="from 0 to 100"):
            check_between("x", number, most=100)


def test_infinite_numbers_are_refused_without_a_bound():
    """Without an upper bound infinity is still no number of days."""
    with pytest.raises(DraftRefused, match="at least 0"):
        check_between("x", float("inf"))
