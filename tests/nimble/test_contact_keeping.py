"""What a change of a contact must not lose, and values that have no exact text."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from nimble_async._sansio.record import read_record
from nimble_async.errors import DraftRefused
from nimble_async.nimble.models.contact_changes import ContactChange, ContactPatch
from nimble_async.nimble.models.contact_drafts import ContactDraft
from nimble_async.nimble.models.contacts import Contact
from nimble_async.nimble.models.fields import Address
from nimble_async.nimble.models.typed import (
    AddressField,
    DateField,
    DecimalField,
    IntegerField,
    MomentField,
    TextField,
)
from tests.nimble.recorded import Recorder, client


class Special(Contact, frozen=True, kw_only=True):
    """A contact with a field of the account's own."""


def sent(body: Any) -> Any:
    """Return a draft or patch as the vendor reads it."""
    return msgspec.json.decode(msgspec.json.encode(body))


def contact(**fields: Any) -> Contact:
    return read_record(Contact, msgspec.json.encode({"id": "c", "fields": fields}))


PHONES = [
    {"value": "1", "modifier": "work", "new": 1.50},
    {"value": "2", "modifier": "mobile"},
    {"value": "3", "modifier": "home"},
]
MOBILE = TextField("phone", modifier="mobile")


def test_a_typed_field_with_a_modifier_means_that_modifier():
    """`remove` and `clear` by a field of a view touch the values of its modifier and no others."""
    one = contact(phone=PHONES)
    others = [PHONES[0], PHONES[2]]
    assert sent(one.change().remove(MOBILE))["fields"]["phone"] == others
    assert sent(one.change().remove(MOBILE, "2"))["fields"]["phone"] == others
    assert sent(one.change().clear(MOBILE))["fields"]["phone"] == others
    assert sent(one.change().remove(MOBILE, modifier="home"))["fields"]["phone"] == PHONES[:2]
    with pytest.raises(DraftRefused):
        one.change().remove(MOBILE, "1")
    assert sent(ContactPatch().clear(MOBILE))["fields"]["phone"] == [{"value": None, "modifier": "mobile"}]


def test_of_one_modifier_what_was_said_last_counts():
    """A patch says for each modifier to clear it or which values it gets, never both."""
    patch = ContactPatch().clear("phone", "mobile").field("phone", "9", "home")
    assert sent(patch)["fields"]["phone"] == [
        {"value": None, "modifier": "mobile"},
        {"value": "9", "modifier": "home"},
    ]
    assert sent(patch.field("phone", "8", "mobile"))["fields"]["phone"] == [
        {"value": "9", "modifier": "home"},
        {"value": "8", "modifier": "mobile"},
    ]
    assert sent(patch.clear("phone", "home"))["fields"]["phone"] == [
        {"value": None, "modifier": "mobile"},
        {"value": None, "modifier": "home"},
    ]
    assert sent(patch.clear("phone"))["fields"]["phone"] == [{"value": None, "modifier": ""}]


def test_a_change_keeps_its_contact_through_every_step():
    """`field` and `clear` of a change keep the values of others, and the next step still sees them."""
    change = contact(phone=PHONES, email=[{"value": "a@x", "modifier": "work"}]).change()
    change = change.field("phone", "9", "home").clear("phone", "mobile")
    assert sent(change)["fields"] == {"phone": [PHONES[0], {"value": "9", "modifier": "home"}]}
    assert sent(change.add("email", "b@x", "other"))["fields"]["email"][0] == {
        "value": "a@x",
        "modifier": "work",
    }
    assert sent(change.clear("fax"))["fields"]["fax"] == [{"value": None, "modifier": ""}]


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda change: pickle.loads(pickle.dumps(change))]
)
def test_copies_of_a_change_keep_the_contact(copied):
    """A copied or pickled change goes on from the same values, those that it changed already included."""
    one = read_record(Contact, b'{"id":"c","fields":{"email":[{"value":"a@x"}],"phone":[{"value":"1"}]}}')
    change = copied(one.change(is_important=True).add("email", "b@x"))
    values = sent(change.add("email", "c@x").add("phone", "2"))["fields"]
    assert [one["value"] for one in values["email"]] == ["a@x", "b@x", "c@x"]
    assert [one["value"] for one in values["phone"]] == ["1", "2"]
    assert sent(change)["is_important"] is True


def test_a_change_that_knows_no_contact_touches_nothing():
    """Where nobody knows what a field has, a change would replace it: it says so, and what to do."""
    one = contact(email=[{"value": "a@x", "modifier": "work"}])
    for lost in (ContactChange(), replace(one.change(), is_important=True)):
        for step in (lambda change: change.add("email", "b@x"), lambda change: change.clear("email")):
            with pytest.raises(DraftRefused, match=r"contact\.change"):
                step(lost)


@pytest.mark.parametrize(
    ("fields", "name", "refused"),
    [
        (["first name"], "phone", True),
        (["first name"], "email", False),  # it came unasked
        (["phone", "first name"], "phone", False),  # asked for, and there is none
        (None, "phone", False),
        ([], "phone", False),  # nothing told is everything
    ],
)
async def test_a_field_that_was_not_read_is_not_changed(fields, name, refused):
    """A contact that was read with some of its fields has unseen values in the others: none is replaced."""
    row = {"id": "c", "fields": {"first name": [{"value": "A"}], "email": [{"value": "a@x"}]}}
    wire = Recorder(lambda _: {"resources": [row], "meta": {"page": 1, "pages": 1}})
    crm = client(wire)
    read = [
        await crm.contacts.get("c", fields=fields),
        (await crm.contacts.get_many(["c"], fields=fields))[0],
        (await crm.contacts.list(fields=fields)).items[0],
        (await crm.contacts.list(fields=iter(fields or ())).collect())[0],
    ]
    read += [pickle.loads(pickle.dumps(read[0])), Special.of(read[0])]
    for one in read:
        if refused:
            with pytest.raises(DraftRefused, match=r"read it whole|contacts\.get"):
                one.change().add(name, "1")
        else:
            one.change().add(name, "1")


def test_a_contact_without_its_fields_is_not_changed():
    """A record that came without `fields` tells nothing of them; null and an empty object say: none."""
    with pytest.raises(DraftRefused, match="without its field"):
        read_record(Contact, b'{"id":"c"}').change().add("email", "a@x")
    for none in (b"null", b"{}"):
        one = read_record(Contact, b'{"id":"c","fields":' + none + b"}")
        assert sent(one.change().add("twitter", "a"))["fields"]["twitter"][0]["value"] == "a"


def test_what_stands_inside_of_a_text_is_kept():
    """Members of an address or employment that are not known here go back, as do unchanged parts."""
    text = '{"city":"A","county":"B","lat":1.50,"street":["x"],"zip":7}'
    job = '{"company_name":"X","company_id":"55","is_present":true,"start_date":"01/2020"}'
    one = contact(address=[{"value": text, "modifier": "work"}], **{"contact employment": [{"value": job}]})
    assert one.address is not None
    moved = one.change().set("address", replace(one.address, city="Z", country="AT"))
    value = sent(moved)["fields"]["address"][0]["value"]
    assert value == '{"city":"Z","county":"B","lat":1.50,"street":["x"],"zip":7,"country":"AT"}'
    better = replace(one.employments[0], title="CEO", is_present=False)
    raised = one.change().set("contact employment", better)
    value = msgspec.json.decode(sent(raised)["fields"]["contact employment"][0]["value"])
    assert value == {"company_name": "X", "company_id": "55", "start_date": "01/2020", "title": "CEO"}
    assert one.address.json() == text
    assert replace(Address.parse('{"city":"A"}'), city="").json() == "{}"
    python = Address.parse("{'city': 'A', 'county': None, 'more': {1, 2}}")
    assert msgspec.json.decode(replace(python, city="B").json()) == {
        "city": "B", "county": None, "more": [1, 2],
    }  # fmt: skip
    with pytest.raises(DraftRefused, match="sent back"):
        Address.parse("{'city': 'A', 'more': 1j}").json()


@pytest.mark.parametrize("value", [0.5, float("nan"), Decimal("nan"), Decimal("inf"), ["a"], {"a": 1}, None])
def test_values_without_an_exact_text_are_refused(value):
    """A number goes out with its digits or not at all, and what is no value is refused."""
    for write in (
        lambda: ContactPatch().field("contract value", value),
        lambda: ContactDraft.person(first_name="A").field("contract value", value),
        lambda: contact().change().add("contract value", value),
        lambda: ContactPatch().field(DecimalField("contract value"), value),
        lambda: ContactPatch().field(IntegerField("contract value"), value),
    ):
        with pytest.raises(DraftRefused):
            write()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (TextField("f"), 5),
        (IntegerField("f"), True),
        (IntegerField("f"), "5"),
        (DecimalField("f"), "5"),
        (DateField("f"), "2026-01-02"),
        (MomentField("f"), date(2026, 1, 2)),
        (AddressField("f"), "Graz"),
    ],
)
def test_a_typed_field_takes_its_type_only(field, value):
    """What a type checker would refuse is refused at run time too, with the name of the type."""
    with pytest.raises(DraftRefused, match=r"takes|exact"):
        field.write(value)


def test_a_birthday_is_a_day_however_it_is_given():
    """Dates and moments, by the name and by a typed field, go out as the vendor takes birthdays."""
    for day in (date(5, 1, 2), datetime(5, 1, 2, 3, tzinfo=UTC)):
        for name in ("birthday", DateField("birthday")):
            draft = ContactDraft.person(first_name="A").field(name, day)
            assert draft.fields["birthday"] == [{"value": "01/02/0005", "modifier": ""}]
    assert DateField("birthday").read("02/03/1990") == date(1990, 2, 3)
    assert DateField("birthday").read("1990-02-03") == date(1990, 2, 3)
    assert DateField("birthday").read("02/30/1990") is None
    assert DateField("since").read("02/03/1990") is None


@pytest.mark.parametrize("tags", [["a\\", "b"], ["b", "a\\"], ["a\\,b"], ["a", ""], [" "], "abc", [5]])
def test_tags_that_would_fall_apart_are_refused(tags):
    """A backslash before a comma or at the end would be taken for the mark of a comma."""
    with pytest.raises(DraftRefused):
        ContactDraft.person(first_name="A", tags=tags)
    with pytest.raises(DraftRefused):
        ContactDraft.company("A").tagged(*(tags if isinstance(tags, list) else [tags, ""]))


def test_other_backslashes_are_plain_letters():
    """A backslash before anything else stays as it is, and a comma gets one."""
    assert ContactDraft.person(first_name="A", tags=["a\\b", "c,d", "c,d"]).tags == "a\\b,c\\,d"
