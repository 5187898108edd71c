"""Answers of the deals' side, in the shapes that are declared and in those that are shown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from nimble_async._sansio.record import read_record
from nimble_async.nimble.models.deal_files import DealFile
from nimble_async.nimble.models.deal_metadata import (
    Column,
    ColumnCatalogue,
    ColumnGroup,
    DealFieldGroup,
    DealFieldMember,
    DealFieldsMetadata,
)
from nimble_async.nimble.models.deal_notes import DealNote, TagAssignment, WonDeals
from nimble_async.nimble.models.deals import Deal
from nimble_async.nimble.models.metadata import ChoiceType, NumberType, Other, PercentagePresentation
from nimble_async.nimble.models.pipelines import Pipeline

FIELD: dict[str, Any] = {
    "field_id": "f1",
    "field_name": "size",
    "field_type": {
        "field_kind": "choice",
        "values": {"ordering_type": "ordinal", "values": [{"id": "1", "value": "L"}]},
    },
    "multiples": False,
    "available_actions": "edit_all",
}
MEMBER = {"type": "field", "field": FIELD, "pipeline_id": "p"}
GROUP = {"type": "group", "group_id": "g", "group_name": "G", "logo_id": "l", "fields": [MEMBER]}


def read(kind: Any, **members: Any) -> Any:
    return read_record(kind, msgspec.json.encode(members))


FILE = {
    "file_id": "f",
    "file_name": "offer.pdf",
    "file_size": 10,
    "uploaded_at": "2024-01-01T00:00:00Z",
    "uploader": {"user_id": "u"},
    "metadata": {"source": "dropbox", "file_url": "https://example.com/f", "icon_url": None},
}


@pytest.mark.parametrize(("files", "count"), [(FILE, 1), ([FILE], 1), ([FILE, FILE], 2), ([], 0)])
def test_files_come_as_one_or_as_a_list(files, count):
    """They are declared one object and named like a list: both are read."""
    deal = read(Deal, deal_id="d", files=files)
    assert len(deal.files) == count
    for one in deal.files:
        assert (one.id, one.name, one.file_size, one.uploader.id) == ("f", "offer.pdf", 10, "u")
        assert (one.metadata.source, one.metadata.file_url, one.metadata.icon_url) == (
            "dropbox",
            "https://example.com/f",
            None,
        )
        assert one.metadata.data_id is UNSET


@pytest.mark.parametrize("files", [5, [{"file_name": "no id"}], "x"])
def test_files_that_cannot_be_read_fail_no_deal(files):
    """The attribute is UNSET and the bytes are kept; the deal itself is fine."""
    deal = read(Deal, deal_id="d", files=files)
    assert deal.files is UNSET
    assert deal.unread == {"files": msgspec.json.encode(files)}


def test_related_contacts_are_read():
    """Contacts that take part come with a summary, a note and where they work."""
    deal = read(
        Deal,
        deal_id="d",
        related_contacts=[
            {
                "contact": {"id": "c", "name": "Ada", "email": ["a@example.com"]},
                "note": "signs",
                "employments": [{"employer": {"id": "k", "name": "K"}, "title": "t", "start_date": "2020"}],
                "role": 1,
            }
        ],
        related_external_contacts=[{"contact_info": "b@example.com", "note": None}],
    )
    [related] = deal.related_contacts
    assert (related.contact.id, related.contact.email, related.note) == ("c", ("a@example.com",), "signs")
    assert (related.employments[0].employer.name, related.employments[0].title) == ("K", "t")
    assert related.unknown == {"role": 1}
    [other] = deal.related_external_contacts
    assert (other.contact_info, other.note) == ("b@example.com", None)


@pytest.mark.parametrize("members", [MEMBER, [MEMBER], [GROUP, MEMBER], GROUP])
def test_members_of_tabs_come_as_one_or_as_a_list(members):
    """Fields and groups are told apart, whatever shape the list has."""
    fields = read(
        DealFieldsMetadata,
        standard_fields=[{"field_id": "s", "field_name": "name", "field_type": "string"}],
        pipelines_tabs=[{"tab_id": "t", "tab_name": "T", "pipeline_id": "p", "members": members}],
    )
    [tab] = fields.tabs
    wanted = members if isinstance(members, list) else [members]
    kinds = [DealFieldGroup if one is GROUP else DealFieldMember for one in wanted]
    assert [type(member) for member in tab.members] == kinds
    found = tuple(tab.fields())
    assert [one.id for one in found] == ["f1"] * len(wanted)
    assert [(choice.id, choice.value) for choice in found[0].choices] == [("1", "L")]
    assert [one.id for one in fields.fields()] == ["s", *["f1"] * len(wanted)]
    assert [one.id for one in fields.fields("elsewhere")] == ["s"]


@pytest.mark.parametrize(
    ("kind", "read_as"),
    [
        ("number", NumberType()),
        ({"field_kind": "number"}, NumberType()),
        ({"field_kind": "choice"}, ChoiceType()),
        ("hologram", Other(kind="hologram", members={"field_kind": "hologram"})),
    ],
)
def test_kinds_of_fields_come_as_text_or_as_objects(kind, read_as):
    """The vendor declares a text; an object is read too, and a new kind fails nothing."""
    fields = read(DealFieldsMetadata, standard_fields=[{"field_id": "f", "field_type": kind}])
    [one] = fields.standard_fields
    assert one.field_type == read_as
    assert one.choices == ()


def test_presentations_of_fields_are_read():
    """A percentage says how many digits it shows."""
    shown = {"number_type": "percentage", "fraction_digits": 2}
    fields = read(DealFieldsMetadata, standard_fields=[{"field_id": "f", "presentation": shown}])
    assert fields.standard_fields[0].presentation == PercentagePresentation(fraction_digits=2)


def test_fields_that_are_not_there():
    """An answer without tabs has no fields, and a member without a field is passed over."""
    assert read(DealFieldsMetadata).fields() == ()
    empty = read(DealFieldsMetadata, pipelines_tabs=[{"tab_id": "t", "members": [{"type": "field"}]}])
    assert empty.fields() == ()
    bare = read(DealFieldsMetadata, pipelines_tabs=[{"tab_id": "t"}])
    assert bare.fields() == ()


@pytest.mark.parametrize(
    ("items", "names"),
    [
        ({"id": "a", "human_readable_name": "A"}, ["a"]),
        ([{"id": "a"}, {"group_id": "g", "human_readable_name": "G", "columns": [{"id": "b"}]}], ["a", "b"]),
        ({"group_id": "g", "human_readable_name": "G", "columns": []}, []),
        (None, []),
    ],
)
def test_columns_come_as_one_or_as_a_list(items, names):
    """The catalogue of columns is declared one thing and named like a list: both are read."""
    catalogue = read(ColumnCatalogue, items=items, type=["x"])
    assert [column.id for column in catalogue.columns()] == names
    assert catalogue.type == ["x"]
    assert all(isinstance(item, Column | ColumnGroup) for item in catalogue.items or ())


def test_pipelines_describe_their_fields():
    """The tabs of a pipeline are read like those of all fields."""
    pipeline = read(Pipeline, pipeline_id="p", tabs=[{"tab_id": "t", "members": [GROUP]}])
    assert [one.name for one in pipeline.tabs[0].fields()] == ["size"]


def test_notes_have_their_moments():
    """A note's moments end in Z, and its creator is a user."""
    note = read(DealNote, note_id="n", title="t", created="2024-01-01T00:00:00Z", creator={"user_id": "u"})
    assert (note.created, note.creator.id) == (datetime(2024, 1, 1, tzinfo=UTC), "u")


def test_answers_without_what_they_should_have():
    """A missing or null member is UNSET or None, never an error."""
    assert read(WonDeals).amount is UNSET
    assert read(WonDeals, last_month_won_amount=None).amount is None
    assert read(TagAssignment).progress is UNSET
    assert read(TagAssignment, push_data=None).progress is None
    assert read(DealFile, file_id="f").metadata is UNSET
