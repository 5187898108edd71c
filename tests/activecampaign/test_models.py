"""Records: every JSON type that the vendor's objects come in decodes, is kept and goes back."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from nimble_async._sansio.record import Member, Record, read_record
from nimble_async.activecampaign import (
    CustomFieldDraft,
    CustomFieldValueDraft,
    DealPatch,
    Money,
    PipelinePatch,
    TaskPatch,
    TaskTypePatch,
)
from nimble_async.activecampaign.models.activities import Activity
from nimble_async.activecampaign.models.bulk import BulkAnswer, OwnersAnswer
from nimble_async.activecampaign.models.contacts import Contact
from nimble_async.activecampaign.models.custom_field_values import CustomFieldValue
from nimble_async.activecampaign.models.custom_fields import CustomField
from nimble_async.activecampaign.models.deals import Deal, DealNote
from nimble_async.activecampaign.models.pipelines import Pipeline, PipelineUser
from nimble_async.activecampaign.models.roles import Role
from nimble_async.activecampaign.models.secondary_contacts import SecondaryContact
from nimble_async.activecampaign.models.stages import Stage
from nimble_async.activecampaign.models.tasks import Task, TaskType
from nimble_async.activecampaign.models.users import User
from nimble_async.errors import MalformedResponse, QueryRefused

BESIDE = "dealCustomFieldDatum (side-loaded by include=dealCustomFieldData)"
MODELS: dict[str, type[Record]] = {
    "deal": Deal,
    "contactDeal": SecondaryContact,
    "dealStage": Stage,
    "note": DealNote,
    "dealActivity": Activity,
    "dealGroup": Pipeline,
    "dealGroupUser": PipelineUser,
    "dealCustomFieldMetum": CustomField,
    "dealCustomFieldDatum": CustomFieldValue,
    BESIDE: CustomFieldValue,
    "dealRole": Role,
    "dealTask": Task,
    "dealTasktype": TaskType,
}
OBJECTS: dict[str, dict[str, list[str]]] = json.loads(
    (Path(__file__).parents[1] / "samples" / "activecampaign_objects.json").read_text("utf-8")
)
EXAMPLES: dict[str, Any] = {
    "null": None,
    "bool": True,
    "number": 1,
    "string": "text",
    "string: digits": "12",
    "array": ["7"],
    "object": {"self": "/x"},
    "string: ISO datetime with offset": "2026-01-31T23:30:00-05:00",
    "string: datetime without offset": "2026-01-31 23:30:00",
    "string: zero datetime": "0000-00-00 00:00:00",
    "string (cents, according to code that reads the account twin of this table)": "1234",
}


def cases() -> Iterator[Any]:
    for name, members in OBJECTS.items():
        for member, types in members.items():
            for kind in types:
                if name != "meta":
                    yield pytest.param(name, member, kind, id=f"{name.split()[0]}-{member}-{kind}")


def example(member: str, kind: str) -> Any:
    if kind == "array" and member == "links":
        return []
    if kind == "string" and member.endswith("timestamp"):
        return "2026-01-31 23:30:00"
    if kind == "string" and member == "custom_field_number_value":
        return "12.5"
    if kind == "string" and member in {"contact", "created_by", "updated_by"}:
        return ""
    if kind == "string: digits" and member in {"deleted", "isAddtask", "allgroups", "allusers"}:
        return "1"
    return EXAMPLES[kind]


def test_the_list_of_objects_is_whole():
    """Each object of the catalogue but the paging facts has a model."""
    assert set(OBJECTS) == {*MODELS, "meta"}


@pytest.mark.parametrize(("name", "member", "kind"), list(cases()))
def test_each_json_type_decodes_and_goes_back(name: str, member: str, kind: str):
    """A value of each JSON type is read without a rest, is named by the model, and is kept byte for byte."""
    value = example(member, kind)
    row = {"id": "7", member: value}
    data = msgspec.json.encode(row)
    record = read_record(MODELS[name], data)
    assert record.id == ("12" if member == "id" else "7")  # type: ignore[attr-defined]
    assert record.unread == {}
    assert record.unknown == {}
    assert record.raw == data
    assert msgspec.json.decode(record.raw) == row
    again = pickle.loads(pickle.dumps(record))
    assert again == record
    assert copy.deepcopy(record) is record
    read = read_attribute(record, member)
    assert (
        (read is None)
        if value in (None, "", "0000-00-00 00:00:00")
        else (read is not None and read is not UNSET)
    )


def read_attribute(record: Record, member: str) -> Any:
    """Return what the model makes of a member on the wire."""
    for field in msgspec.structs.fields(record):
        if field.encode_name == member:
            return getattr(record, field.name)
    for parent in type(record).__mro__:
        for attribute, found in vars(parent).items():
            if isinstance(found, Member) and found.name == member:
                return getattr(record, attribute)
    raise AssertionError(f"{type(record).__name__} does not name {member}")


@pytest.mark.parametrize("total", [3, "3"])
def test_a_total_is_a_number_or_text(total: Any):
    """The paging facts read either."""
    from nimble_async._sansio.codec import read_page
    from nimble_async._sansio.message import Response
    from nimble_async.activecampaign.resources import deals

    body = msgspec.json.encode(
        {"deals": [{"id": "1"}], "meta": {"total": total, "currencies": {"USD": {"total": "3"}}}}
    )
    assert read_page(deals.LIST, Response(status=200, body=body)).facts.total == 3


@pytest.mark.parametrize("model", sorted({model.__name__ for model in MODELS.values()} | {"User", "Contact"}))
def test_only_the_id_is_required(model: str):
    """A row of an id alone is a record, as text or as a number; without one it is rejected."""
    kinds: tuple[type[Any], ...] = (*MODELS.values(), User, Contact)
    kind = {found.__name__: found for found in kinds}[model]
    for row in (b'{"id":"7"}', b'{"id":7}'):
        record = read_record(kind, row)
        assert record.id == "7"
        assert record.unread == {}
        assert repr(record) == f"{model}(id='7')"
        for name in dir(kind):
            if not name.startswith("_") and name not in {"beside", "custom_value"}:
                getattr(record, name)
    for row in (b"{}", b'{"id":null}', b'{"id":[7]}', b'{"id":-7}', b'{"id":1.5}', b'{"id":true}', b"[]"):
        with pytest.raises(MalformedResponse):
            read_record(kind, row)


def deal(**members: Any) -> Deal:
    return read_record(Deal, msgspec.json.encode({"id": "7", **members}))


@pytest.mark.parametrize("value", [1872151, "1872151"])
def test_a_deals_value_is_exact(value: Any):
    """Cents as text or as a number are one amount with the deal's currency."""
    found = deal(value=value, currency="usd")
    assert found.value == Money(1872151, "usd")
    assert str(found.value) == "18721.51 USD"


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"value": "5"},
        {"currency": "usd"},
        {"value": "x", "currency": "usd"},
        {"value": 5, "currency": "dollar"},
    ],
)
def test_no_amount_without_a_currency(members: dict[str, Any]):
    """An amount needs both, and an odd one fails nothing."""
    assert deal(**members).value is None


@pytest.mark.parametrize(
    ("sent", "read"),
    [(False, False), (True, True), (0, False), (1, True), ("0", False), ("1", True), (None, None)],
)
def test_flags_come_in_three_types(sent: Any, read: Any):
    """isDisabled is 0, 1, true, false, or their text."""
    assert deal(isDisabled=sent).disabled is read


@pytest.mark.parametrize(("sent", "read"), [(0, "open"), ("1", "won"), (2, "lost"), ("9", "9"), (None, None)])
def test_a_status_is_a_word(sent: Any, read: Any):
    """The three states have names, and a new one keeps its digits."""
    assert deal(status=sent).status == read


def test_three_forms_of_moments():
    """An offset stays, a bare moment gets none, zeros are no moment, a day is its beginning."""
    found = deal(
        cdate="2026-01-31T23:30:00-05:00", edate="2026-01-31 23:30:00", mdate="2026-01-31", nextdate=None
    )
    assert found.created == datetime(2026, 2, 1, 4, 30, tzinfo=UTC)
    assert isinstance(found.created, datetime)
    assert found.created.utcoffset() == timedelta(hours=-5)
    assert found.edited == datetime(2026, 1, 31, 23, 30)  # noqa: DTZ001 (the vendor names no zone)
    assert found.updated == datetime(2026, 1, 31)  # noqa: DTZ001
    assert found.next_task_due is None
    assert deal(edate="0000-00-00 00:00:00").edited is None
    assert deal(edate="").edited is None


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("cdate", "soon"),
        ("value", "12.5"),
        ("value", []),
        ("isDisabled", "maybe"),
        ("percent", ""),
        ("links", [1]),
        ("group", {}),
    ],
)
def test_a_surprise_is_unread_and_fails_nothing(member: str, value: Any):
    """A member of no known form is UNSET, its bytes are kept, and the rest is read."""
    found = deal(**{member: value, "title": "x"})
    assert dict(found.unread) == {member: msgspec.json.encode(value)}
    assert read_attribute(found, member) is UNSET
    assert found.name == "x"


def test_a_stub_is_known_as_one():
    """What a key may not see comes as id, title and a flag; a disabled deal that is whole does not."""
    stub = deal(title="Secret", isDisabled=True)
    assert (stub.hidden, stub.name, stub.value, stub.owner_id) == (True, "Secret", None, UNSET)
    assert not deal(title="x", isDisabled=1, group="3", stage="4").hidden
    assert not deal(title="x").hidden


@pytest.mark.parametrize(
    ("sent", "read"), [("5", "5"), (5, "5"), ("0", None), (0, None), ("", None), (None, None)]
)
def test_an_id_that_means_nothing_is_none(sent: Any, read: Any):
    """Ids of other records are text, and 0 and empty stand for none."""
    assert deal(organization=sent).organization_id == read


def test_nothing_the_server_sent_is_lost():
    """A member that the model does not name is in unknown."""
    assert deal(novel={"a": [1]}).unknown == {"novel": {"a": [1]}}


def value(**members: Any) -> CustomFieldValue:
    return read_record(CustomFieldValue, msgspec.json.encode({"id": "1", **members}))


COLUMNS: dict[str, Any] = {
    "deal_id": "7",
    "custom_field_id": "3",
    "custom_field_text_value": None,
    "custom_field_text_blob": None,
    "custom_field_date_value": None,
    "custom_field_number_value": None,
    "custom_field_currency_value": None,
    "custom_field_currency_type": None,
}


@pytest.mark.parametrize(
    ("column", "sent", "read"),
    [
        ("custom_field_text_value", "a", "a"),
        ("custom_field_text_blob", "long", "long"),
        ("custom_field_date_value", "2026-01-31 00:00:00", datetime(2026, 1, 31)),  # noqa: DTZ001
        ("custom_field_number_value", "12.5", 12.5),
        ("custom_field_currency_value", "1234", 1234),
    ],
)
def test_a_value_beside_a_deal_is_read_from_its_column(column: str, sent: str, read: Any):
    """No type is lost: text, long text, dates, numbers and amounts each have a column."""
    found = value(**COLUMNS | {column: sent})
    assert found.value == read
    assert (found.deal_id, found.field_id) == ("7", "3")


def test_both_shapes_of_a_value_read_alike():
    """The direct shape and the one beside a deal give the same ids, value and amount."""
    direct = value(
        dealId=7,
        customFieldId=3,
        fieldValue="1234",
        fieldCurrency="USD",
        createdTimestamp="2026-01-01 00:00:00",
    )
    beside = value(
        **COLUMNS
        | {
            "custom_field_currency_value": "1234",
            "custom_field_currency_type": "usd",
            "created_timestamp": "2026-01-01 00:00:00",
        }
    )
    for found in (direct, beside):
        assert (found.deal_id, found.field_id, found.money) == ("7", "3", Money(1234, "usd"))
        assert found.created == datetime(2026, 1, 1)  # noqa: DTZ001
        assert found.updated is None


@pytest.mark.parametrize(
    ("sent", "choices"),
    [
        (["a", "b"], ("a", "b")),
        ([1], ("1",)),
        ("||a||b||", ("a", "b")),
        ("plain", ("plain",)),
        (5, ()),
        (None, ()),
    ],
)
def test_choices_in_their_spellings(sent: Any, choices: tuple[str, ...]):
    """Several choices come as a list or as text between bars."""
    assert value(fieldValue=sent).choices == choices


@pytest.mark.parametrize(
    "members",
    [
        {"fieldValue": "1"},
        {"fieldValue": "x", "fieldCurrency": "usd"},
        {"fieldValue": "1", "fieldCurrency": "dollar"},
        {},
    ],
)
def test_no_amount_without_a_currency_field(members: dict[str, Any]):
    """Only cents with a currency are money."""
    assert value(**members).money is None
    assert value(dealCustomFieldMetumId=9).field_id == "9"


def test_a_task_says_what_it_hangs_on():
    """Deal and Subscriber are the vendor's inner words for what is sent as deal and contact."""
    for sent, kind in (("Deal", "deal"), ("Subscriber", "contact"), ("Other", "Other")):
        assert read_record(Task, msgspec.json.encode({"id": "1", "reltype": sent})).related_type == kind
    assert read_record(Task, b'{"id":"1","ownerType":"contact","reltype":"Deal"}').related_type == "contact"
    assert read_record(Task, b'{"id":"1"}').related_type is None


def test_a_user_has_a_name():
    """First and last name, else the user name."""
    assert read_record(User, b'{"id":"1","firstName":"Ada","lastName":"L","username":"al"}').name == "Ada L"
    assert read_record(User, b'{"id":"1","username":"al"}').name == "al"
    assert read_record(Contact, b'{"id":"1","email":"a@b.c"}').name == "a@b.c"


def test_bulk_answers_need_nothing():
    """An empty object is an answer."""
    assert read_record(BulkAnswer, b"{}").message is UNSET
    assert read_record(OwnersAnswer, b'{"success":["1",2]}').success == ("1", "2")


# What is sent


def test_a_patch_sends_what_changed():
    """What is UNSET is not sent, None is null."""
    assert DealPatch().members() == {}
    assert DealPatch(description=None, percent=None, status="open").members() == {
        "description": None,
        "percent": None,
        "status": 0,
    }
    assert TaskTypePatch(status="disabled").members() == {"status": 1}
    assert PipelinePatch(all_users=False, auto_assign="off").members() == {"allusers": 0, "autoassign": 0}


def test_a_record_goes_back_in_a_patch():
    """What was read of a deal can be sent again as it is."""
    found = deal(title="x", value="500", currency="usd", status="2", stage="4", contact=0)
    assert found.value is not None
    patch = DealPatch(title=found.name, value=found.value, status="lost", stage_id=found.stage_id or UNSET)
    assert patch.members() == {"title": "x", "value": 500, "currency": "usd", "status": 2, "stage": "4"}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("a", "a"),
        (5, 5),
        (("a",), ["a"]),
        (date(2026, 1, 31), "2026-01-31"),
        (datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=-5))), "2026-01-31T12:00:00-05:00"),
    ],
)
def test_values_of_fields_are_spelled_for_the_vendor(given: Any, sent: Any):
    """Several choices are a list also where there is one; days and moments are ISO."""
    assert CustomFieldValueDraft(field_id="1", value=given).members() == {
        "customFieldId": "1",
        "fieldValue": sent,
    }


def test_amounts_bring_their_currency():
    """An amount fills the currency member that belongs to it."""
    draft = CustomFieldDraft(label="Fee", kind="currency", default=Money(500, "usd"))
    assert draft.members() == {
        "fieldLabel": "Fee",
        "fieldType": "currency",
        "fieldDefault": 500,
        "fieldDefaultCurrency": "usd",
    }


@pytest.mark.parametrize(
    "draft",
    [
        DealPatch(status="Won"),  # type: ignore[arg-type]
        TaskPatch(status=1),  # type: ignore[arg-type]
        TaskPatch(due=datetime(2026, 1, 31)),  # noqa: DTZ001
    ],
)
def test_what_cannot_be_said_is_refused(draft: Any):
    """An unknown choice and a moment without a zone are refused before anything is sent."""
    with pytest.raises(QueryRefused):
        draft.members()


def test_an_unset_status_may_be_null():
    """None is sent for a choice too, where somebody insists."""
    assert DealPatch(status=None).members() == {"status": None}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("members", "moment"),
    [
        ({"fieldValue": "2026-01-02"}, datetime.fromisoformat("2026-01-02")),
        ({"fieldValue": "2026-01-02T03:04:05-06:00"}, datetime(2026, 1, 2, 9, 4, 5, tzinfo=UTC)),
        ({"custom_field_date_value": "2026-01-02 00:00:00"}, datetime.fromisoformat("2026-01-02")),
        ({"fieldValue": "0000-00-00 00:00:00"}, None),
        ({"fieldValue": "soon"}, None),
        ({"fieldValue": 5}, None),
        ({"fieldValue": ""}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_the_moment_of_a_value_in_either_shape(members: dict[str, Any], moment: datetime | None):
    """Read directly a date is text, beside a deal it is a date: `moment` reads both alike."""
    assert value(**members).moment == moment
