from __future__ import annotations

import pickle
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from nimble_async._sansio.record import Member, Record, read_record
from nimble_async.nimble.catalog import OPERATIONS
from nimble_async.nimble.models.contacts import Contact
from nimble_async.nimble.models.deals import Deal
from nimble_async.nimble.models.fields import Address, Employment, FieldValue, pick
from nimble_async.nimble.models.pipelines import Pipeline, Stage
from nimble_async.nimble.models.users import Myself, User

SAMPLES = Path(__file__).parent.parent / "samples" / "nimble"


def sample(name: str) -> Any:
    return msgspec.json.decode((SAMPLES / f"{name}.json").read_bytes())


def contact(**members: Any) -> Contact:
    return read_record(Contact, msgspec.json.encode({"id": "c1", **members}))


def deal(**members: Any) -> Deal:
    return read_record(Deal, msgspec.json.encode({"deal_id": "d1", **members}))


def fields(**values: Any) -> dict[str, Any]:
    """Build the `fields` of a contact; underscores in names stand for spaces."""
    return {
        name.replace("_", " "): [
            {"value": value, "modifier": ""} for value in (found if isinstance(found, list) else [found])
        ]
        for name, found in values.items()
    }


@pytest.mark.parametrize("name", ["contact_present", "contact_old"])
def test_both_documented_shapes_of_a_contact(name):
    """The present and the old shape of the documentation read alike and leave nothing unread."""
    found = read_record(Contact, msgspec.json.encode(sample(name)["resources"][0]))
    assert (found.name, found.first_name, found.last_name, found.middle_name) == (
        "Ada Byron",
        "Ada",
        "Byron",
        None,
    )
    assert (found.email, found.emails, found.phone) == (
        "ada@example.com",
        ("ada@example.com",),
        "+1 555 0100",
    )
    assert (found.phones, found.field("phone", "home")) == (("+1 555 0100", "+1 555 0101"), "+1 555 0101")
    assert found.address is not None
    assert (found.address.street, found.address.city, found.address.zip, found.address.country) == (
        "15 First St",
        "Exampleton",
        "54055",
        "Farland",
    )
    assert found.tags
    assert found.tags[0] == "csv import"
    assert isinstance(found.created, datetime)
    assert isinstance(found.updated, datetime)
    assert found.last_contacted
    assert found.last_contacted.when
    assert (found.record_type, found.creator, found.children) == ("person", "Example User", ())
    assert (dict(found.unread), found.unknown) == ({}, {})
    assert repr(found) == f"Contact(id={found.id!r}, name='Ada Byron')"
    assert pickle.loads(pickle.dumps(found)) == found


def test_values_without_a_value():
    """A field that comes with its description instead of a value has a value that is UNSET, and no text."""
    old = read_record(Contact, msgspec.json.encode(sample("contact_old")["resources"][0]))
    assert [value.value for value in old.values("description")] == [UNSET, UNSET]
    assert (old.description, old.company) == (None, None)


def test_contact_without_fields():
    """Every accessor is None or empty where there are no fields, and absent members are UNSET."""
    bare = contact()
    assert (bare.fields, bare.tags, bare.created, bare.reminder, bare.contexts) == (UNSET,) * 5
    assert (bare.name, bare.email, bare.phone, bare.address, bare.company, bare.title) == (
        "",
        None,
        None,
        None,
        None,
        None,
    )
    assert (bare.emails, bare.phones, bare.addresses, bare.employments, bare.urls, bare.values("x")) == (
        (),
    ) * 6
    assert (bare.field("x"), bare.context("leads_data"), repr(bare)) == (None, None, "Contact(id='c1')")
    assert contact(fields=None).email is None


def test_one_bad_field_spoils_no_other():
    """A field that cannot be read is left out and in `unread` by its path; the others stay."""
    found = contact(fields={"email": [{"value": "a@example.com"}], "odd": 5, "worse": [{"value": {}}]})
    assert found.email == "a@example.com"
    assert dict(found.unread) == {"fields/odd": b"5", "fields/worse": b'[{"value":{}}]'}


def test_one_field_is_read_like_all():
    """A field read alone and read among all others is the same, also where it cannot be read."""
    told: list[str] = []
    row = b'{"id":"1","fields":{"email":[{"value":"a"}],"odd":5,"rating":[{"value":3}]}}'
    found = read_record(Contact, row, noticed=told.append)
    assert (found.email, found.field("rating"), found.values("none"), told) == ("a", "3", (), [])
    assert (found.values("odd"), told) == ((), ["Contact.fields"])
    assert found.fields
    assert [found.values(name) for name in found.fields] == list(found.fields.values())


def test_field_whose_name_is_no_text():
    """A field whose name is not UTF-8 spoils nothing: it is there, and so are the others."""
    row = b'{"id":"1","fields":{"a\xff":[{"value":"x"}],"email":[{"value":"a@example.com"}],"odd":5}}'
    told: list[str] = []
    found = read_record(Contact, row, noticed=told.append)
    assert (found.email, found.field("a\udcff"), found.unknown) == ("a@example.com", "x", {})
    assert (set(found.fields or ()), set(found.unread)) == ({"a\udcff", "email"}, {"fields/odd"})
    assert told == ["Contact.fields"]


def test_records_inside_a_contact_report_too():
    """What a notice, its creator or a context cannot read is counted as theirs."""
    told: list[str] = []
    row = msgspec.json.encode(
        {
            "id": "1",
            "notice": {"text": 5, "creator": {"user_id": "u", "name": 6}},
            "contexts": [{"context_key": 7}],
        }
    )
    found = read_record(Contact, row, noticed=told.append)
    assert told == []
    assert found.notice
    assert found.notice.creator
    assert found.contexts
    assert sorted(told) == ["ContactContext.key", "Notice.text", "User.name"]


def _models(kind: type[Record] = Record) -> Iterator[type[Record]]:
    for child in kind.__subclasses__():
        if child.__module__.startswith("nimble_async."):
            yield child
        yield from _models(child)


def _has_records(annotation: Any) -> bool:
    return any(map(_has_records, get_args(annotation))) or (
        isinstance(annotation, type) and issubclass(annotation, Record)
    )


MODELS = [*dict.fromkeys(_models())] if OPERATIONS else []  # the table has imported every one of them


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_members_that_hold_records_say_so(model):
    """Every member whose value is made of records lets them report."""
    hints = {name: hint for name, hint in get_type_hints(model).items() if get_origin(hint) is ClassVar}
    found = {name: getattr(model, name).records for name in hints if isinstance(getattr(model, name), Member)}
    assert found == {name: _has_records(hints[name]) for name in found}


def test_fields_of_another_shape_are_unset():
    """`fields` that is no object is UNSET and in `unread`, and accessors are empty."""
    found = contact(fields=[1])
    assert (found.fields, found.email, dict(found.unread)) == (UNSET, None, {"fields": b"[1]"})


def test_fields_cannot_be_changed():
    """The dictionary of fields is read-only."""
    with pytest.raises(TypeError):
        contact(fields=fields(email="a")).fields["email"] = ()  # type: ignore[index]  # it is refused at run time too


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", "x"),
        ("", None),
        (None, None),
        (UNSET, None),
        (5, "5"),
        (5.5, "5.5"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
    ],
)
def test_text_of_a_value(value, text):
    """A value reads as text whatever scalar it is; empty is nothing."""
    assert FieldValue(value=value).text == text


def test_primary_value_goes_first():
    """The primary value wins, else the first that has text; a modifier narrows the choice."""
    values = [
        FieldValue(value="", modifier="work"),
        FieldValue(value="a", modifier="work"),
        FieldValue(value="b", modifier="home"),
        FieldValue(value="c", modifier="home", is_primary=True),
    ]
    assert (pick(values), pick(values, "work"), pick(values[:3], "home"), pick(values[:3])) == (
        "c",
        "a",
        "b",
        "a",
    )
    assert (pick(values, "fax"), pick([])) == (None, None)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('{"city": "A", "zip": 12}', {"city": "A", "zip": "12"}),
        ("{'city': 'A', 'state': None}", {"city": "A"}),
        (" {'city': 'A'} ", {"city": "A"}),
        ('{"city": {"x": 1}, "street": ["s"]}', {}),
        ("1 Main St, A", {}),
        (r"{'city': 'O\'Brien \\d'}", {"city": r"O'Brien \d"}),
        (r"{'city': '\d'}", {}),
        (r"{'city': '\x4'}", {}),
        ("{'city': open('x')}", {}),
        ("{'city': ", {}),
        ("{['a']: 1}", {}),
        ("[1]", {}),
        ("", {}),
        ("{'city': '" + "x" * 5000 + "'}", {}),
        ("{" * 3000, {}),
        ("{'a':" + "(" * 500, {}),
        ("\ud800", {}),
    ],
)
def test_address_is_parsed_or_kept(text, parts):
    """An address is read as JSON, else as a Python dictionary, else kept as text; nothing is run."""
    assert Address.parse(text) == Address(**parts, text=text)


@given(st.text(max_size=60))
def test_no_text_breaks_an_address(text):
    """Whatever stands in an address, reading it never fails."""
    assert Address.parse(text).text == text
    assert Employment.parse(text).text == text


@pytest.mark.parametrize(
    ("members", "company", "title"),
    [
        ({"company_name": "Example Ltd"}, "Example Ltd", None),
        (
            {
                "contact_employment": [
                    '{"company_name": "Old", "title": "Clerk"}',
                    '{"company_name": "New", "is_present": true}',
                ]
            },
            "New",
            "Clerk",
        ),
        (
            {
                "contact_employment": [
                    '{"company_name": "Old", "title": "Clerk"}',
                    '{"title": "Chief", "is_present": true}',
                ]
            },
            "Old",
            "Chief",
        ),
        ({"contact_employment": ["no json"], "parent_company": "Parent", "title": "Boss"}, "Parent", "Boss"),
        ({}, None, None),
    ],
)
def test_company_and_title(members, company, title):
    """A present employment wins, then any, then the deprecated fields."""
    found = contact(fields=fields(**members))
    assert (found.company, found.title) == (company, title)


def test_company_has_its_own_name():
    """A company is named by its company name; a person's own names go first."""
    assert contact(fields=fields(company_name="Example Ltd")).name == "Example Ltd"
    assert contact(fields=fields(company_name="Example Ltd", last_name="Byron")).name == "Byron"


@pytest.mark.parametrize(
    ("tags", "names"),
    [
        (["a", {"tag": "b", "id": "1"}, {"name": "c"}], ("a", "b", "c")),
        ([], ()),
        (None, None),
        ([5], UNSET),
        ([{}], UNSET),
        ("a", UNSET),
    ],
)
def test_tags_in_both_shapes(tags, names):
    """Tags come as text or as objects; of anything else the attribute is UNSET."""
    assert (contact(tags=tags).tags, deal(tags=tags).tags) == (names, names)


def test_new_kinds_of_contact_are_no_error():
    """A record type that is not known today is text."""
    assert contact(record_type="robot", new=[1]).record_type == "robot"
    assert contact(new=[1]).unknown == {"new": [1]}


def test_rare_members_of_a_contact():
    """Privacy, reminder, notice, contexts and the rest read as records or as they came."""
    found = contact(
        privacy={"read": None, "edit": {"user_ids": ["u1"], "group_ids": []}},
        reminder={
            "contact_id": "c1",
            "period": 30,
            "days_till_triggered": 3,
            "active": True,
            "triggered": False,
        },
        notice={"text": "call", "color": "red", "creator": {"user_id": "u1"}, "updated_by": {}},
        contexts=[{"context_key": "leads_data", "context": [{"stage_name": "New"}]}],
        is_important={"by": "u1"},
        lc={"user_lc": {}},
        company_last_contacted={"in": None, "out": None},
        employers_info=[{"company_name": "x"}],
        stages_info=[],
        last_contacted_user="u@example.com",
        updater="U",
        object_type="contact",
    )
    assert found.privacy
    assert (found.privacy.read, found.privacy.edit) == (None, {"user_ids": ("u1",), "group_ids": ()})
    assert found.reminder
    assert (found.reminder.period, found.reminder.active) == (30, True)
    assert found.notice
    assert found.notice.creator == read_record(User, b'{"user_id":"u1"}')
    assert found.notice.updated_by is UNSET
    assert found.context("leads_data") == [{"stage_name": "New"}]
    assert found.context("contact_files") is None
    assert (found.is_important, found.lc) == ({"by": "u1"}, {"user_lc": {}})
    assert (dict(found.unread), found.unknown) == ({}, {})


def test_last_contacted_of_nobody():
    """A contact nobody wrote to has no moment of it."""
    assert contact(last_contacted=None).last_contacted is None
    found = contact(last_contacted={"tstamp": None}).last_contacted
    assert found
    assert found.when is None


def test_deal_reads_naturally():
    """A deal's members and fields read as what they are."""
    found = read_record(Deal, (SAMPLES / "deal.json").read_bytes())
    assert (found.id, found.name, found.amount, found.currency) == (
        "600000000000000000000101",
        "Ten engines",
        Decimal("12500.50"),
        "EUR",
    )
    assert (found.probability, found.expected_close_date, found.actual_close_date) == (
        Decimal(40),
        date(2024, 6, 30),
        None,
    )
    assert (found.description, found.tags, found.age_in_days) == ("in two lots", ("big", "north"), 31.5)
    assert (found.created, found.pipeline_id) == (
        datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
        "600000000000000000000103",
    )
    assert found.stage
    assert (found.stage.id, found.stage.name, found.stage.pipeline_id) == ("s2", "Offer", found.pipeline_id)
    assert found.owner
    assert (found.owner.name, found.owner == found.creator) == ("Example User", True)
    assert found.privacy
    assert found.privacy.edit
    assert (dict(found.unread), found.unknown) == ({}, {})
    assert repr(found) == "Deal(id='600000000000000000000101', name='Ten engines')"


@pytest.mark.parametrize(
    "found",
    [
        {"field_name": "name", "values": [{"value": "X", "is_primary": True}]},
        [{"field_name": "name", "values": [{"value": "X"}]}, {"field_name": "amount", "values": []}],
        {"name": [{"value": "X"}], "amount": None},
        {"name": {"values": [{"value": "X"}]}},
        {"name": {"value": "X"}},
        {"name": "X"},
        {"name": ["X"]},
        {"deal_name": [{"value": "X"}]},
    ],
)
def test_fields_of_a_deal_in_every_shape(found):
    """The fields of a deal are read whichever way they come."""
    read = deal(fields_values_with_names=found)
    assert (read.name, read.amount, dict(read.unread)) == ("X", None, {})


@pytest.mark.parametrize("found", [5, "x", [{"values": []}], [5], {"name": [{"value": {}}]}, {"name": [[1]]}])
def test_fields_of_a_deal_in_no_shape(found):
    """What is none of the shapes is UNSET and in `unread`, and accessors are empty."""
    read = deal(fields_values_with_names=found)
    assert (read.fields, read.name, list(read.unread)) == (UNSET, "", ["fields_values_with_names"])


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        ("12.50", Decimal("12.50")),
        (12.5, Decimal("12.5")),
        (12, Decimal(12)),
        ("0", Decimal(0)),
        ("", None),
        ("much", None),
        ("NaN", None),
        ("Infinity", None),
    ],
)
def test_amount_is_exact_or_none(amount, expected):
    """An amount is an exact decimal; what is no finite number is None."""
    assert deal(fields_values_with_names={"amount": [{"value": amount}]}).amount == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-06-30", date(2024, 6, 30)),
        ("2024-06-30T10:00:00Z", date(2024, 6, 30)),
        ("June", None),
        ("", None),
    ],
)
def test_close_date_is_a_day_or_none(text, expected):
    """A closing date is a day, also where it comes as a moment; what is no date is None."""
    assert (
        deal(fields_values_with_names={"expected_close_date": [{"value": text}]}).expected_close_date
        == expected
    )


def test_probability_falls_back():
    """A deal's own probability goes first, then the vendor's; None where neither is there."""
    assert deal(final_probability=30).probability == Decimal(30)
    assert deal(final_probability=30, fields_values_with_names={"probability": "55"}).probability == Decimal(
        55
    )
    assert deal().probability is None
    assert deal(final_probability=None).probability is None


@pytest.mark.parametrize(
    ("moves", "stage"),
    [
        ([("2024-01-02", "b"), ("2024-01-01", "a")], "b"),
        ([("2024-01-01T00:00:00Z", "a"), ("2024-01-01T00:00:00+0300", "b")], "a"),
        ([("2024-01-02T00:00:00", "b"), ("2024-01-01T00:00:00Z", "a")], "b"),
        ([("2024-01-02", "b"), (None, "a")], "a"),
        ([("2024-01-02", "b"), ("one day", "a")], "a"),
        ([("2024-01-02", None)], None),
        ([], None),
    ],
)
def test_stage_is_where_the_last_move_led(moves, stage):
    """The latest move decides where every move is dated, else the last in the list."""
    transitions = [{"when": when, "to_stage": {"stage_id": to} if to else None} for when, to in moves]
    found = deal(stage_transitions={"pipeline_id": "p", "transitions": transitions}).stage
    assert (found.id if found else None) == stage


def test_deal_without_a_way():
    """A deal that says nothing of its way has no pipeline and no stage."""
    assert (
        deal().stage,
        deal().pipeline_id,
        deal(stage_transitions={}).stage,
        deal(stage_transitions={}).pipeline_id,
    ) == (None,) * 4


def test_pipelines_with_both_spellings():
    """A stage knows its pipeline in the vendor's misspelling and in the right one."""
    [pipeline] = [read_record(Pipeline, msgspec.json.encode(row)) for row in sample("pipelines")["pipelines"]]
    assert (pipeline.name, pipeline.description, pipeline.archived_at, pipeline.is_default) == (
        "Sales",
        None,
        None,
        True,
    )
    assert pipeline.stages
    assert [(stage.id, stage.name, stage.pipeline_id) for stage in pipeline.stages] == [
        ("s1", "New", pipeline.id),
        ("s9", "Won", pipeline.id),
    ]
    role = pipeline.stages[1].role
    assert role
    assert (role.name, role.is_final) == ("won", True)
    assert pipeline.lost_reasons
    assert [(reason.id, reason.text) for reason in pipeline.lost_reasons] == [("r1", "too dear")]
    assert pipeline.creator
    assert dict(pipeline.unread) == {}
    assert read_record(Stage, b'{"stage_id":"s"}').pipeline_id is None


def test_myself():
    """The user of a key is read by its user id."""
    me = read_record(
        Myself, b'{"user_id":"u1","company_id":"c1","company_size":3,"email":"u@example.com","name":"U"}'
    )
    assert (me.id, me.company_id, me.company_size, me.email, me.name) == ("u1", "c1", 3, "u@example.com", "U")
