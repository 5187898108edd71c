"""New contacts and changes of contacts: what is sent, and what the vendor would refuse."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from nimble_async._sansio.record import read_record
from nimble_async.errors import DraftRefused
from nimble_async.nimble.models.contact_changes import ContactChange, ContactPatch
from nimble_async.nimble.models.contact_drafts import ContactDraft
from nimble_async.nimble.models.contacts import Contact, Privacy
from nimble_async.nimble.models.fields import Address, Employment
from nimble_async.nimble.models.typed import ChoiceField, DateField, DecimalField


def sent(body: Any) -> Any:
    """Return a draft or patch as the vendor reads it."""
    return msgspec.json.decode(msgspec.json.encode(body))


def contact(**fields: Any) -> Contact:
    return read_record(Contact, msgspec.json.encode({"id": "c", "fields": fields}))


def test_a_person_with_natural_names():
    """Each argument becomes the vendor's field, with the modifier that goes with it."""
    draft = ContactDraft.person(
        first_name="Ada", middle_name="K", last_name="Byron", company="Engines", title="Founder",
        email="ada@example.com", phone="+1 555",
        address=Address(street="1 St", zip="54055", country="Farland"),
        url="https://example.com", description="met", birthday=date(1815, 12, 10), tags=["a", "b, c"],
        owner_id=None, avatar_url="u", file_ids=["f"], privacy=Privacy(read=None, edit=None),
    )  # fmt: skip
    found = sent(draft)
    fields = found.pop("fields")
    assert found == {
        "record_type": "person", "tags": "a,b\\, c", "owner_id": None, "avatar_url": "u",
        "file_ids": ["f"], "privacy": {"read": None, "edit": None},
    }  # fmt: skip
    job, address = fields.pop("contact employment"), fields.pop("address")
    assert msgspec.json.decode(job[0]["value"]) == {
        "company_name": "Engines", "title": "Founder", "is_present": True,
    }  # fmt: skip
    assert msgspec.json.decode(address[0]["value"]) == {
        "street": "1 St",
        "zip": "54055",
        "country": "Farland",
    }
    assert (job[0]["modifier"], address[0]["modifier"]) == ("", "work")
    assert fields == {
        "first name": [{"value": "Ada", "modifier": ""}],
        "middle name": [{"value": "K", "modifier": ""}],
        "last name": [{"value": "Byron", "modifier": ""}],
        "email": [{"value": "ada@example.com", "modifier": "work"}],
        "phone": [{"value": "+1 555", "modifier": "work"}],
        "URL": [{"value": "https://example.com", "modifier": "work"}],
        "description": [{"value": "met", "modifier": "other"}],
        "birthday": [{"value": "12/10/1815", "modifier": ""}],
    }


def test_a_company_with_natural_names():
    """A company has a name and a domain of its own; what is not given is not sent."""
    draft = ContactDraft.company("Engines", domain="engines.example.com", tags=())
    assert sent(draft) == {
        "record_type": "company",
        "fields": {
            "company name": [{"value": "Engines", "modifier": ""}],
            "domain": [{"value": "engines.example.com", "modifier": ""}],
        },
    }


def test_fields_are_added_one_by_one():
    """A field of several values takes one more, a field of one value this one; modifiers can be told."""
    status = ChoiceField("lead status", {"1": "Open", "2": "Won"})
    draft = (
        ContactDraft.person(first_name="A", email="a@x")
        .field("email", "b@x", modifier="personal")
        .field("first name", "B")
        .field(status, "Won")
        .field("seats", 3)
        .field("price", Decimal("1E+2"))
        .field("vip", True)
        .field("since", date(2026, 1, 2))
        .field("seen", datetime(2026, 1, 2, tzinfo=UTC))
        .tagged("x", "y")
    )
    assert sent(draft)["tags"] == "x,y"
    assert {name: [one["value"] for one in values] for name, values in draft.fields.items()} == {
        "first name": ["B"], "email": ["a@x", "b@x"], "lead status": ["2"], "seats": ["3"],
        "price": ["100"], "vip": ["true"], "since": ["2026-01-02"], "seen": ["2026-01-02T00:00:00+00:00"],
    }  # fmt: skip


@pytest.mark.parametrize(
    "make",
    [
        lambda: ContactDraft(fields={"first name": [{"value": "A"}]}),
        lambda: ContactDraft(fields={"first name": [{"value": "A"}]}, record_type="person", type="company"),
        lambda: ContactDraft.person(email="a@x"),
        lambda: ContactDraft.person(first_name="", last_name=""),
        lambda: ContactDraft.company(""),
        lambda: ContactDraft.person(first_name="A", tags=["1", "2", "3", "4", "5", "6"]),
        lambda: ContactDraft.person(first_name="A", tags="vip"),
        lambda: ContactDraft.person(first_name="A", tags=["a", ""]),
        lambda: ContactDraft.person(first_name="A").tagged("1", "2", "3", "4", "5", "6"),
        lambda: ContactDraft.person(first_name="A").field("", "x"),
        lambda: ContactDraft.person(first_name="A").field("email", ""),
        lambda: ContactDraft.person(first_name="A").field("domain", "a.b"),
        lambda: ContactDraft.person(first_name="A", birthday="31/12/1999"),
        lambda: ContactDraft.person(first_name="A", birthday="1999-12-31"),
        lambda: ContactDraft.company("A", domain="https://a.b"),
        lambda: ContactDraft.company("A", domain="localhost"),
        lambda: ContactDraft.company("A", domain="a.b.c.d"),
        lambda: ContactDraft.person(
            first_name="A", privacy=Privacy(read={"user_ids": ("u", "v")}, edit={"user_ids": ("u",)})
        ),
        lambda: ContactDraft.person(first_name="A").field(ChoiceField("s", {"1": "Open"}), "Won"),
        lambda: ContactDraft.person(first_name="A").field(DecimalField("n"), Decimal("nan")),
    ],
)
def test_drafts_that_the_vendor_would_refuse(make):
    """A draft without kind or name, with 6 tags, or with a value of another form, cannot be written."""
    with pytest.raises(DraftRefused):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: ContactDraft.person(last_name="A", tags=["1", "2", "3", "4", "5, and more, of it"]),
        lambda: ContactDraft.person(last_name="A", birthday="12/31"),
        lambda: ContactDraft.company("A", domain="a.b.c"),
        lambda: ContactDraft(fields={"company name": [{"value": "A"}]}, type="company"),
        lambda: ContactDraft.person(
            first_name="A", privacy=Privacy(read={"user_ids": ("u",)}, edit={"group_ids": ("u",)})
        ),
    ],
)
def test_drafts_on_the_edge_of_what_is_allowed(make):
    """Five tags (commas inside them aside), a birthday without a year, and three levels are fine."""
    assert make().fields


@pytest.mark.parametrize(
    ("job", "fine"),
    [
        (Employment(company_name="A"), True),
        (Employment(title="T", start_date="01/2020", end_date="01/2020"), True),
        (Employment(title="T", start_date="02/2020", is_present=True), True),
        (Employment(start_date="01/2020"), False),
        (Employment(title="T", end_date="01/2020", is_present=True), False),
        (Employment(title="T", start_date="02/2020", end_date="01/2020"), False),
        (Employment(title="T", start_date="12/2019", end_date="01/2020"), True),
        (Employment(title="T", start_date="13/2020"), False),
        (Employment(title="T", start_date="2020-01"), False),
    ],
)
def test_employments(job, fine):
    """An employment needs a company or a title, months as `MM/YYYY`, and an end after its start or none."""
    draft = ContactDraft.person(first_name="A")
    if fine:
        text = draft.field("contact employment", job).fields["contact employment"][0]["value"]
        assert Employment.parse(text) == msgspec.structs.replace(job, text=text)
    else:
        with pytest.raises(DraftRefused):
            draft.field("contact employment", job)


def test_an_address_goes_back_as_json():
    """An address that came as Python writes a dictionary goes back as JSON; plain text stays text."""
    shown = Address.parse("{'city': 'Exampleton', 'zip': '54055'}")
    assert msgspec.json.decode(shown.json()) == {"city": "Exampleton", "zip": "54055"}
    assert Address.parse("15 First St").json() == "15 First St"


def test_a_patch_by_hand():
    """A patch sends what it names, and an empty value as null, which clears it."""
    patch = ContactPatch(is_important=False).field("phone", "1").field("phone", "2", "home").clear("skype id")
    patch = patch.field(DateField("since"), date(2026, 1, 2)).clear(DateField("until")).clear("phone", "main")
    assert sent(patch) == {
        "is_important": False,
        "fields": {
            "phone": [
                {"value": "1", "modifier": "work"},
                {"value": "2", "modifier": "home"},
                {"value": None, "modifier": "main"},
            ],
            "skype id": [{"value": None, "modifier": ""}],
            "since": [{"value": "2026-01-02", "modifier": ""}],
            "until": [{"value": None, "modifier": ""}],
        },
    }
    assert sent(ContactPatch()) == {}


def test_a_change_keeps_the_members_of_a_value():
    """What the server sent inside a value, known here or not, goes back with the new value."""
    one = contact(
        email=[
            {"value": "a@x", "modifier": "work", "label": "email", "field_id": "f", "new": [1.50, None]},
            {"value": "b@x", "modifier": "personal", "is_primary": True, "extra_value": 7},
        ]
    )
    change = one.change().set("email", "c@x")
    assert sent(change)["fields"]["email"] == [
        {"value": "a@x", "modifier": "work", "label": "email", "field_id": "f", "new": [1.5, None]},
        {"value": "c@x", "modifier": "personal", "is_primary": True, "extra_value": 7},
    ]
    assert b'"new":[1.5,null]' in msgspec.json.encode(change)
    change = ContactPatch.of(one, avatar_url="u").set("email", "d@x", "work").add("email", "e@x", "other")
    assert isinstance(change, ContactChange)
    assert [(row["value"], row["modifier"]) for row in sent(change)["fields"]["email"]] == [
        ("d@x", "work"),
        ("b@x", "personal"),
        ("e@x", "other"),
    ]
    assert sent(change)["avatar_url"] == "u"
    assert sent(change)["fields"]["email"][0]["new"] == [1.5, None]


def test_a_change_removes_values():
    """Values are removed by value, by modifier, or all; a field that is empty then goes out as null."""
    one = contact(phone=[{"value": "1", "modifier": "work"}, {"value": "2", "modifier": "home"}])
    change = one.change()
    assert sent(change.remove("phone", "1"))["fields"]["phone"] == [{"value": "2", "modifier": "home"}]
    assert sent(change.remove("phone", modifier="home"))["fields"]["phone"] == [
        {"value": "1", "modifier": "work"}
    ]
    assert sent(change.remove("phone"))["fields"] == {"phone": [{"value": None, "modifier": ""}]}
    assert sent(change.remove("phone").add("phone", "3"))["fields"] == {
        "phone": [{"value": "3", "modifier": "work"}]
    }
    for wrong in (
        lambda: change.remove("phone", "3"),
        lambda: change.remove("phone", "1", "home"),
        lambda: change.remove("fax"),
    ):
        with pytest.raises(DraftRefused):
            wrong()
    assert sent(change) == {}


def test_a_change_by_typed_fields():
    """A field of a view takes the place of a name, and writes its value as the vendor stores it."""
    status = ChoiceField("lead status", {"1": "Open", "2": "Won"})
    one = contact(**{"lead status": [{"value": "1", "modifier": "", "field_id": "f"}]})
    assert sent(one.change().set(status, "Won"))["fields"]["lead status"] == [
        {"value": "2", "modifier": "", "field_id": "f"}
    ]
    assert sent(one.change().remove(status, "Open"))["fields"]["lead status"] == [
        {"value": None, "modifier": ""}
    ]
    assert sent(one.change().add(DateField("since", modifier="x"), date(2026, 1, 2)))["fields"]["since"] == [
        {"value": "2026-01-02", "modifier": "x"}
    ]


def test_a_change_of_what_cannot_be_read_is_refused():
    """A field whose bytes are not what the vendor describes cannot be sent back, so it is not touched."""
    for fields in (b'{"email":"a@x"}', b"[]"):
        one = read_record(Contact, b'{"id":"c","fields":' + fields + b"}")
        with pytest.raises(DraftRefused):
            one.change().set("email", "b@x")
    assert sent(read_record(Contact, b'{"id":"c","fields":null}').change().set("email", "b@x")) == {
        "fields": {"email": [{"value": "b@x", "modifier": "work"}]}
    }
    strange = read_record(Contact, b'{"id":"c","fields":{"email":[["a"],{"value":"a@x"}]}}')
    assert sent(strange.change().add("email", "b@x"))["fields"]["email"][:2] == [["a"], {"value": "a@x"}]
    assert sent(strange.change().set("email", "b@x"))["fields"]["email"] == [
        {"value": "b@x"},
        {"value": "a@x"},
    ]
