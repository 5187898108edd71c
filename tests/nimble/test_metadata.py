"""Descriptions of fields: exact where they are sent, lenient where they are read."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from nimble_async._sansio.record import read_record
from nimble_async.nimble.models import metadata
from nimble_async.nimble.models.activities import Activity, Task
from nimble_async.nimble.models.leads import ContactPipeline, LeadState
from nimble_async.nimble.models.metadata import (
    Choice,
    ChoiceType,
    DateTimePresentation,
    DecimalPresentation,
    FieldDef,
    FieldGroup,
    FieldsMetadata,
    FieldTab,
    FinancialPresentation,
    IntegerPresentation,
    Other,
    PercentagePresentation,
    StringType,
    ValidationRule,
    all_fields,
    read_field_type,
    read_presentation,
)


def read(kind: Any, **members: Any) -> Any:
    return read_record(kind, msgspec.json.encode(members))


def field(name: str = "f", **more: Any) -> dict[str, Any]:
    return {"type": "field", "field_id": f"id of {name}", "name": name, **more}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("string", StringType()),
        ("long_string", metadata.LongStringType()),
        ("choice", ChoiceType()),
        ("number", metadata.NumberType()),
        ("datetime", metadata.DateTimeType()),
        ("boolean", metadata.BooleanType()),
        ("address", metadata.AddressType()),
        ("user", metadata.UserType()),
        ("attachment", metadata.AttachmentType()),
        ("employment", metadata.EmploymentType()),
    ],
)
def test_each_kind_is_read_and_written_by_its_name(kind, expected):
    """The ten kinds are told apart by `field_kind`, which goes out again as it came."""
    assert read_field_type({"field_kind": kind}) == expected
    assert msgspec.json.decode(msgspec.json.encode(expected)) == {"field_kind": kind}


def test_a_rule_is_read_in_both_declared_shapes():
    """Contacts declare the rule of a text as an object, deals as its bare name."""
    for rule in ({"type": "email"}, "email"):
        found = read_field_type({"field_kind": "string", "validation_rule": rule})
        assert isinstance(found, StringType)
        assert found.validation_rule == (ValidationRule("email") if isinstance(rule, dict) else "email")
    assert read_field_type({"field_kind": "string", "validation_rule": None}) == StringType(
        validation_rule=None
    )


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"number_type": "integer"}, IntegerPresentation()),
        ({"number_type": "decimal", "fraction_digits": 2}, DecimalPresentation(fraction_digits=2)),
        ({"number_type": "percentage", "fraction_digits": 1}, PercentagePresentation(fraction_digits=1)),
        ({"number_type": "financial", "currency": None}, FinancialPresentation(currency=None)),
        (
            {"date_format": None, "ignore_specific_time": True},
            DateTimePresentation(date_format=None, ignore_specific_time=True),
        ),
    ],
)
def test_each_presentation_is_read_and_written(sent, expected):
    """Presentations of numbers have a tag, those of dates have none; both go out as they came."""
    assert read_presentation(sent) == expected
    assert msgspec.json.decode(msgspec.json.encode(expected)) == sent


@pytest.mark.parametrize(
    ("reader", "sent", "kind"),
    [
        (read_field_type, {"field_kind": "rating", "stars": 5}, "rating"),
        (read_field_type, {"field_kind": 7}, ""),
        (read_field_type, {"field_kind": "choice", "values": "none"}, "choice"),
        (read_field_type, {}, ""),
        (read_presentation, {"number_type": "roman"}, "roman"),
        (read_presentation, {"type": "single-line-text-box", "width": "1"}, "single-line-text-box"),
        (read_presentation, {}, ""),
        (read_presentation, {"date_format": 5}, ""),
    ],
)
def test_a_kind_that_is_not_known_keeps_its_members(reader, sent, kind):
    """A kind or presentation newer than this package fails nothing and loses nothing."""
    assert reader(sent) == Other(kind=kind, members=sent)


def test_what_is_no_object_is_unread():
    """A kind that is no object at all is `UNSET`, and its bytes are in `unread`."""
    one = read(FieldDef, **field(field_type="text", presentation=None))
    assert (one.field_type, one.presentation) == (msgspec.UNSET, None)
    assert dict(one.unread) == {"field_type": b'"text"'}
    assert one.choices == ()


def test_fields_of_a_tab_come_in_order():
    """A tab holds groups and fields that are in none; flattened, they keep the vendor's order."""
    values = {"ordering_type": "ordinal", "values": [{"id": "1", "value": "Open"}]}
    tab = read(
        FieldTab,
        tab_id="t",
        tab_name="Contact Info",
        contact_types="person",
        members=[
            {"type": "group", "group_id": "g", "name": "G", "fields": [field("a"), field("b")]},
            field("c", field_type={"field_kind": "choice", "values": values}),
        ],
    )
    assert [type(member) for member in tab.members] == [FieldGroup, FieldDef]
    assert [one.name for one in all_fields([tab, read(FieldTab, tab_id="u")])] == ["a", "b", "c"]
    assert tab.fields[2].choices == (Choice(id="1", value="Open"),)
    assert (tab.name, tab.contact_types, dict(tab.unread)) == ("Contact Info", "person", {})
    assert read(FieldTab, tab_id="t", contact_types=["person", "company"]).contact_types == (
        "person",
        "company",
    )


def test_a_strange_member_costs_no_other():
    """A member of a tab that cannot be read is in `unread` by its place, and the others are there."""
    tab = read(FieldTab, tab_id="t", members=[field("a"), "heading", {"type": "field"}, field("b")])
    assert [one.name for one in tab.fields] == ["a", "b"]
    assert dict(tab.unread) == {"members/1": b'"heading"', "members/2": b'{"type":"field"}'}
    assert read(FieldTab, tab_id="t", members=3).unread == {"members": b"3"}
    assert read(FieldTab, tab_id="t", members=3).fields == ()


def test_the_old_description():
    """Fields by name with one entry for each modifier, and groups by name."""
    shown = {"type": "select-box", "width": "1", "next_id": "2", "values": [{"id": "1", "value": "Open"}]}
    work = {"id": "1", "name": "email", "label": "email", "modifier": "work", "presentation": shown}
    found = read(
        FieldsMetadata,
        fields={"email": [work, {**work, "id": "2", "modifier": "other"}]},
        groups={"Basic": {"id": "g", "order": ["email"], "type": "both", "is_standard": True}},
    )
    assert [one.modifier for one in found.fields["email"]] == ["work", "other"]
    assert found.fields["email"][0].presentation == shown
    assert (found.groups["Basic"].order, found.groups["Basic"].type) == (("email",), "both")


def test_leads_tell_when_they_entered():
    """The vendor spells the day of entry `entered_data`; the likely spelling is read too."""
    for name in ("entered_data", "entered_date"):
        state = read(LeadState, **{name: "2026-01-02T03:04:05Z"}, stage_name="New")
        assert state.entered is not None
        assert state.entered.day == 2
    assert read(LeadState).entered is None
    pipeline = read(
        ContactPipeline,
        pipeline_id="p",
        stages=[{"stage_id": "s", "days_limit": None}],
        lost_reasons=[{"id": "r"}],
    )
    assert (pipeline.stages[0].id, pipeline.stages[0].days_limit, pipeline.lost_reasons[0].id) == (
        "s",
        None,
        "r",
    )


def test_activities_are_lenient():
    """Moments are declared objects and are text or null; anything else is kept in `unread`."""
    activity = read(
        Activity,
        activity_id="a",
        scheduled_tstamp=None,
        completed_tstamp={"odd": 1},
        new_related_deals=[{"deal_id": "d"}],
        details={"any": [1]},
        activity_type={"type_id": "call"},
    )
    assert (activity.scheduled, activity.completed) == (None, msgspec.UNSET)
    assert dict(activity.unread) == {"completed_tstamp": b'{"odd":1}'}
    assert (activity.related_deals[0].id, activity.activity_type.id) == ("d", "call")
    assert activity.details == {"any": [1]}


def test_tasks_have_moments_with_and_without_zone():
    """Tasks show moments with a zone, with microseconds, and a due date without either."""
    task = read(
        Task,
        id="t",
        created="2021-02-12T19:18:59.123456+00:00",
        due_date="2021-02-12T19:18:59",
        related={"contacts": [{"id": "c"}], "deals": [], "new_deals": [{"deal_id": "d"}]},
        related_to=["c"],
    )
    assert task.created.microsecond == 123456
    assert task.due_date.tzinfo is None
    assert (task.related.contacts[0].id, task.related.deals[0].id, task.related_to) == ("c", "d", ("c",))
    assert dict(task.unread) == {}
