"""The contacts' side of the vendor's table: what each method sends, and the traps it knows."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from nimble_async._sansio.message import Response
from nimble_async._sansio.record import read_record
from nimble_async.config import ClientConfig, RateLimit, RetryPolicy
from nimble_async.errors import DraftRefused, MalformedResponse, NotFound, QueryRefused
from nimble_async.nimble.client import NimbleClient
from nimble_async.nimble.models.activities import TaskDraft, TaskLinks
from nimble_async.nimble.models.background import PushData, RemovedData
from nimble_async.nimble.models.contact_changes import ContactPatch
from nimble_async.nimble.models.contact_drafts import ContactDraft
from nimble_async.nimble.models.contacts import Contact, Privacy
from nimble_async.nimble.models.metadata import (
    AddressType,
    Choice,
    ChoiceType,
    DateTimePresentation,
    DateTimeType,
    DecimalPresentation,
    FinancialPresentation,
    IntegerPresentation,
    NumberType,
    PercentagePresentation,
    PossibleValues,
    StringType,
    ValidationRule,
)
from tests.nimble.recorded import Recorder, Sent, client

Call = Callable[[NimbleClient], Coroutine[Any, Any, Any]]
CONTACT = {"id": "c", "fields": {}}
TAB = {"tab_id": "t", "tab_name": "T", "members": []}
NOTE = {"id": "n", "note": "%3Cp%3Ehi%3C%2Fp%3E"}
TABS = {"tabs": [TAB]}
PERSON = {"first name": [{"value": "Ada", "modifier": ""}]}

# call, what the vendor answers, method, path, query, body
OPERATIONS: list[tuple[Call, Any, str, str, list[tuple[str, str]], Any]] = [
    (
        lambda crm: crm.contacts.create(
            ContactDraft(
                fields=PERSON, type="person", record_type="person", owner_id=None, tags="a,b\\,c",
                avatar_url="u", file_ids=("f",), privacy=Privacy(read=None, edit={"user_ids": ("u",)}),
            )
        ),
        CONTACT, "POST", "/api/v1/contact", [],
        {
            "fields": PERSON, "type": "person", "record_type": "person", "owner_id": None,
            "tags": "a,b\\,c", "avatar_url": "u", "file_ids": ["f"],
            "privacy": {"read": None, "edit": {"user_ids": ["u"]}},
        },
    ),
    (
        lambda crm: crm.contacts.update("c", ContactPatch(is_important=True, avatar_url="u")),
        CONTACT, "PUT", "/api/v1/contact/c", [], {"is_important": True, "avatar_url": "u"},
    ),
    (
        lambda crm: crm.contacts.update(
            "c", ContactPatch().field("twitter", "ada"), replace=True, leads_data=False
        ),
        CONTACT, "PUT", "/api/v1/contact/c", [("type", "1"), ("leads_data", "false")],
        {"fields": {"twitter": [{"value": "ada", "modifier": ""}]}},
    ),
    (
        lambda crm: crm.contacts.update("c", ContactPatch(fields={"a": []}), replace=False),
        CONTACT, "PUT", "/api/v1/contact/c", [("type", "0")], {"fields": {"a": []}},
    ),
    (
        lambda crm: crm.contacts.delete("c", deletion_method="force", cleanup_email_lists=True),
        b"", "DELETE", "/api/v1/contact/c",
        [("deletion_method", "force"), ("cleanup_email_lists", "true")], None,
    ),
    (
        lambda crm: crm.contacts.delete_bulk(keyword=["a", "b"], record_type="person"),
        {"data": {"ids": ["c"]}}, "DELETE", "/api/v1/contacts",
        [("keyword", "a"), ("keyword", "b"), ("record_type", "person")], None,
    ),
    (
        lambda crm: crm.contacts.delete_bulk(query={"tag": {"is": "x"}}, preflight_checks=True),
        {}, "DELETE", "/api/v1/contacts",
        [("query", '{"tag":{"is":"x"}}'), ("preflight_checks", "true")], None,
    ),
    (lambda crm: crm.contacts.metadata(), {}, "GET", "/api/v1/contacts/metadata", [], None),
    (
        lambda crm: crm.contact_notes.create(contact_ids=["a", "b", "a"], note="<p>hi</p>"),
        NOTE, "POST", "/api/v1/contacts/notes", [],
        {"contact_ids": ["a", "b"], "note": "<p>hi</p>", "note_preview": "<p>hi</p>"},
    ),
    (
        lambda crm: crm.contact_notes.create_with_id(
            "n", contact_ids=["a"], note="hi", note_preview="h"
        ),
        NOTE, "POST", "/api/v1/contacts/notes/n", [],
        {"contact_ids": ["a"], "note": "hi", "note_preview": "h"},
    ),
    (
        lambda crm: crm.contact_notes.create_for_contact("c", note="hi"),
        NOTE, "POST", "/api/v1/contacts/c/notes", [], {"note": "hi"},
    ),
    (
        lambda crm: crm.contact_notes.create_for_contact("c", note="hi", note_preview=""),
        NOTE, "POST", "/api/v1/contacts/c/notes", [], {"note": "hi", "note_preview": ""},
    ),
    (
        lambda crm: crm.contact_notes.update("n", contact_ids=["a"], note="x" * 300),
        NOTE, "PUT", "/api/v1/contacts/notes/n", [],
        {"contact_ids": ["a"], "note": "x" * 300, "note_preview": "x" * 200},
    ),
    (lambda crm: crm.contact_notes.get("n"), NOTE, "GET", "/api/v1/contacts/notes/n", [], None),
    (
        lambda crm: crm.contact_notes.delete("n"),
        {"id": "n"}, "DELETE", "/api/v1/contacts/notes/n", [], None,
    ),
    (
        lambda crm: crm.contact_tags.set("c", tags=["a, b", "c", "c"]),
        CONTACT, "PUT", "/api/v1/contacts/c/tags", [], {"tags": ["a, b", "c"]},
    ),
    (lambda crm: crm.contact_fields.list(), TABS, "GET", "/api/v1/contacts/fields", [], None),
    (
        lambda crm: crm.contact_fields.create(
            name="Seats", field_type=NumberType(), tab_id="t", presentation=IntegerPresentation(),
            multiples=True,
        ),
        TAB, "POST", "/api/v1/contacts/fields", [],
        {
            "name": "Seats", "field_type": {"field_kind": "number"}, "tab_id": "t", "group_id": None,
            "insert_after": None, "presentation": {"number_type": "integer"}, "multiples": True,
        },
    ),
    (
        lambda crm: crm.contact_fields.create(
            name="Mail", field_type=StringType(validation_rule=ValidationRule("email")), tab_id="t",
            group_id="g", insert_after="f",
        ),
        TAB, "POST", "/api/v1/contacts/fields", [],
        {
            "name": "Mail", "tab_id": "t", "group_id": "g", "insert_after": "f", "presentation": None,
            "field_type": {"field_kind": "string", "validation_rule": {"type": "email"}},
        },
    ),
    (
        lambda crm: crm.contact_fields.create(
            name="Colour", tab_id="t",
            field_type=ChoiceType(
                values=PossibleValues(ordering_type="ordinal", values=(Choice(id="1", value="Red"),))
            ),
        ),
        TAB, "POST", "/api/v1/contacts/fields", [],
        {
            "name": "Colour", "tab_id": "t", "group_id": None, "insert_after": None, "presentation": None,
            "field_type": {
                "field_kind": "choice",
                "values": {"ordering_type": "ordinal", "values": [{"id": "1", "value": "Red"}]},
            },
        },
    ),
    (
        lambda crm: crm.contact_fields.update(
            "f", name="X", tab_id="t", group_id=None, insert_after="g",
            presentation=DateTimePresentation(date_format=None, ignore_specific_time=True),
        ),
        TAB, "PUT", "/api/v1/contacts/fields/f", [],
        {
            "name": "X", "tab_id": "t", "group_id": None, "insert_after": "g",
            "presentation": {"date_format": None, "ignore_specific_time": True},
        },
    ),
    (
        lambda crm: crm.contact_fields.update("f", name="X"),
        TAB, "PUT", "/api/v1/contacts/fields/f", [], {"name": "X"},
    ),
    (
        lambda crm: crm.contact_fields.delete("f"),
        b"", "DELETE", "/api/v1/contacts/fields/f", [("preflight_checks", "true")], None,
    ),
    (
        lambda crm: crm.contact_fields.set_primary("c", field_id="f", position=0),
        b"", "PUT", "/api/v1/contact/c/field", [], {"field_id": "f", "position": 0},
    ),
    (
        lambda crm: crm.contact_fields.unset_primary("c", field_id="f", position=2),
        b"", "DELETE", "/api/v1/contact/c/field", [], {"field_id": "f", "position": 2},
    ),
    (
        lambda crm: crm.contact_field_groups.create(name="G", tab_id="t", logo_id="l"),
        TAB, "POST", "/api/v1/contacts/fields/groups", [],
        {"name": "G", "tab_id": "t", "logo_id": "l", "insert_after": None},
    ),
    (
        lambda crm: crm.contact_field_groups.update(
            "g", name="G", tab_id="t", logo_id="l", insert_after=None
        ),
        TAB, "PUT", "/api/v1/contacts/fields/groups/g", [],
        {"name": "G", "tab_id": "t", "logo_id": "l", "insert_after": None},
    ),
    (
        lambda crm: crm.contact_field_groups.delete("g", preflight_checks=False),
        b"", "DELETE", "/api/v1/contacts/fields/groups/g", [("preflight_checks", "false")], None,
    ),
    (
        lambda crm: crm.contact_field_tabs.create(
            tab_name="T", contact_types=["person", "company"], insert_after="t"
        ),
        TAB, "POST", "/api/v1/contacts/fields/tabs", [],
        {"tab_name": "T", "contact_types": ["person", "company"], "insert_after": "t"},
    ),
    (
        lambda crm: crm.contact_field_tabs.update("t", tab_name="T", contact_types="company"),
        TAB, "PUT", "/api/v1/contacts/fields/tabs/t", [],
        {"tab_name": "T", "contact_types": "company"},
    ),
    (
        lambda crm: crm.contact_field_tabs.delete("t"),
        b"", "DELETE", "/api/v1/contacts/fields/tabs/t", [("preflight_checks", "true")], None,
    ),
    (
        lambda crm: crm.contact_field_choices.create("f", id="7", value="Blue", insert_after="6"),
        TAB, "POST", "/api/v1/contacts/fields/f/choices", [],
        {"id": "7", "value": "Blue", "insert_after": "6"},
    ),
    (
        lambda crm: crm.contact_field_choices.update("f", "7", value="Sky", insert_after=None),
        TABS, "PUT", "/api/v1/contacts/fields/f/choices/7", [],
        {"id": "7", "value": "Sky", "insert_after": None},
    ),
    (
        lambda crm: crm.contact_field_choices.delete("f", "7"),
        TABS, "DELETE", "/api/v1/contacts/fields/f/choices/7", [("preflight_checks", "true")], None,
    ),
    (
        lambda crm: crm.contact_pipelines.list(),
        {"pipelines": []}, "GET", "/api/v1/contacts/pipelines", [], None,
    ),
    (
        lambda crm: crm.leads.move("c", "p", stage_id="s"),
        CONTACT, "POST", "/api/v2/leads/c/p/move", [], {"stage_id": "s"},
    ),
    (
        lambda crm: crm.leads.exit_successful(
            "c", "p", actual_exit_date=datetime(2026, 1, 2, 3, tzinfo=UTC), notes=None
        ),
        CONTACT, "POST", "/api/v2/leads/c/p/successful", [],
        {"actual_exit_date": "2026-01-02T03:00:00+00:00", "notes": None},
    ),
    (
        lambda crm: crm.leads.update_successful_exit("c", "p", notes="n"),
        CONTACT, "PUT", "/api/v2/leads/c/p/successful", [], {"notes": "n"},
    ),
    (
        lambda crm: crm.leads.exit_unsuccessful("c", "p"),
        CONTACT, "POST", "/api/v2/leads/c/p/unsuccessful", [], {},
    ),
    (
        lambda crm: crm.leads.update_unsuccessful_exit(
            "c", "p", actual_exit_date="2026-01-02", notes="n", lost_reason="r"
        ),
        CONTACT, "PUT", "/api/v2/leads/c/p/unsuccessful", [],
        {"actual_exit_date": "2026-01-02", "notes": "n", "lost_reason": "r"},
    ),
    (lambda crm: crm.leads.undo("c", "p"), CONTACT, "POST", "/api/v2/leads/c/p/undo", [], None),
    (lambda crm: crm.leads.clear("c", "p"), CONTACT, "DELETE", "/api/v2/leads/c/p", [], None),
    (
        lambda crm: crm.tasks.create(
            TaskDraft(
                subject="Call", notes="n", due_date="2026-01-02T03:04:05", completed_time="x",
                assigned_to="u", is_important=True, tags=("a",),
                related=TaskLinks(contacts=("c",), deals=("d",)),
            )
        ),
        {"id": "t"}, "POST", "/api/v1/tasks", [],
        {
            "subject": "Call", "notes": "n", "due_date": "2026-01-02T03:04:05", "completed_time": "x",
            "assigned_to": "u", "is_important": True, "tags": ["a"],
            "related": {"contacts": ["c"], "deals": ["d"]},
        },
    ),
    (lambda crm: crm.company.users(), {"users": []}, "GET", "/api/v1/company/users", [], None),
    (
        lambda crm: crm.contact_proceedings.providers(),
        {"providers": []}, "GET", "/api/v1/contacts/proceedings_providers", [], None,
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "answer", "sent"), [(call, answer, Sent(*sent)) for call, answer, *sent in OPERATIONS]
)
async def test_each_call_is_sent_as_documented(call, answer, sent):
    """Method, path, query and body of each call are the vendor's, letter by letter."""
    wire = Recorder(lambda _: answer)
    await call(client(wire))
    assert wire.sent == [sent]


@pytest.mark.parametrize(
    ("call", "lost"),
    [
        (lambda crm: crm.contacts.delete("gone"), "contact"),
        (lambda crm: crm.contact_notes.get("gone"), "note"),
        (lambda crm: crm.contact_tags.set("gone", tags=[]), "contact"),
    ],
)
async def test_an_empty_404_is_filled_in(call, lost):
    """Lead and tag routes declare no body for a 404, so kind and id are those of the call."""
    with pytest.raises(NotFound) as caught:
        await call(client(Recorder(status=404)))
    assert (caught.value.kind, caught.value.id, caught.value.ids) == (lost, "gone", {lost: "gone"})


async def test_of_several_ids_none_is_blamed_alone():
    """A 404 without a body does not say which id of the path names nothing, so all of them are named."""
    with pytest.raises(NotFound) as caught:
        await client(Recorder(status=404)).leads.undo("ghost", "good")
    assert (caught.value.kind, caught.value.id) == ("", "")
    assert caught.value.ids == {"lead": "ghost", "pipeline": "good"}
    assert "no lead 'ghost', or no pipeline 'good'" in caught.value.message
    told = Response(status=404, body=b'{"object_type": "pipeline"}')
    with pytest.raises(NotFound) as caught:
        await client(Recorder(lambda _: told)).leads.undo("good", "ghost")
    assert (caught.value.kind, caught.value.id) == ("pipeline", "ghost")


async def test_a_404_of_a_creation_is_about_what_was_sent():
    """Where the path names nothing, an id in the values may be the reason: the path is not blamed."""
    with pytest.raises(NotFound, match="Check the ids in the values") as caught:
        await client(Recorder(status=404)).contact_notes.create(contact_ids=["ghost"], note="n")
    assert (caught.value.kind, caught.value.id, caught.value.ids) == ("", "", {})


async def test_tags_are_set_whether_or_not_the_contact_comes_back():
    """The present description answers with the contact, the old one with an empty object."""
    found = await client(Recorder(lambda sent: CONTACT)).contact_tags.set("c", tags=["a"])
    assert found is not None
    assert type(found) is Contact
    assert await client(Recorder(lambda sent: {})).contact_tags.set("c", tags=[]) is None


async def test_success_of_a_delete_is_any_body():
    """Deletes answer with nothing, with `{id}`, or as the old description had it: all are success."""
    for body in (b"", b"{}", b'{"status":"ok","data":{"ids":["c"]}}', b" \n", b"null"):
        wire = Recorder(lambda sent, body=body: body)  # type: ignore[misc]
        await client(wire).contacts.delete("c")
        assert len(wire.sent) == 1


async def test_a_page_of_a_proxy_is_no_success():
    """An answer that is no JSON, such as a login page with status 200, does not count as done."""
    calls: list[Callable[[NimbleClient], Coroutine[Any, Any, None]]] = [
        lambda crm: crm.contacts.delete("c"),
        lambda crm: crm.deal_pipelines.archive("p"),
        lambda crm: crm.contact_fields.set_primary("c", field_id="f", position=0),
    ]
    for call in calls:
        for body in (b"<html>login</html>", b"{", b"\xff"):
            with pytest.raises(MalformedResponse, match="no JSON"):
                await call(client(Recorder(lambda sent, body=body: body)))  # type: ignore[misc]


async def test_created_is_200_and_201():
    """The present description answers a creation with 200, the old one with 201."""
    for status in (200, 201):
        wire = Recorder(lambda sent: CONTACT, status=status)
        assert (await client(wire).contacts.create(ContactDraft.person(last_name="L"))).id == "c"


async def test_a_lost_answer_to_a_creation_is_told_not_repeated():
    """A 2xx without a readable body was executed, so it raises and is sent once."""
    wire = Recorder(lambda sent: b"")
    with pytest.raises(MalformedResponse):
        await client(wire).contacts.create(ContactDraft.person(last_name="L"))
    assert len(wire.sent) == 1


async def test_note_text_comes_as_it_was_sent():
    """Some answers are percent-encoded HTML and nothing tells which, so a text is never decoded."""
    note = await client(Recorder(lambda sent: NOTE)).contact_notes.get("n")
    assert note.note == "%3Cp%3Ehi%3C%2Fp%3E"


@pytest.mark.parametrize(("count", "fine"), [(0, False), (1, True), (10, True), (11, False)])
async def test_a_note_is_on_one_to_ten_contacts(count, fine):
    """The vendor takes 1 to 10 contacts a note; anything else is refused before it is sent."""
    wire = Recorder(lambda sent: NOTE)
    notes = client(wire).contact_notes
    ids = [str(number) for number in range(count)]
    calls = [notes.create(contact_ids=ids, note="x"), notes.update("n", contact_ids=ids, note="x")]
    for call in calls:
        if fine:
            await call
        else:
            with pytest.raises(DraftRefused, match="1 to 10"):
                await call
    assert len(wire.sent) == (2 if fine else 0)


async def test_notes_of_a_contact_are_paged_under_the_plural():
    """The list hangs under `/contacts/{id}/notes`, counts pages from 1, and `has_more` is no trouble."""
    pages = {"1": ["n1", "n2"], "2": ["n3"]}

    def answer(sent: Sent) -> Any:
        page = dict(sent.query)["page"]
        meta = {"page": int(page), "pages": 2, "per_page": 2, "total": 3, "has_more": page == "1"}
        return {"meta": meta, "resources": [{"id": name} for name in pages[page]]}

    wire = Recorder(answer)
    notes = client(wire).contact_notes.list("c", per_page=2)
    assert [note.id async for note in notes] == ["n1", "n2", "n3"]
    assert {sent.path for sent in wire.sent} == {"/api/v1/contacts/c/notes"}
    assert [dict(sent.query)["page"] for sent in wire.sent] == ["1", "2"]


async def test_proceedings_follow_the_arguments_of_the_next_page():
    """`next_page` is an object of query arguments, sent back beside the first ones; null is the end."""

    def answer(sent: Sent) -> Any:
        more = {"next_tstamp": "T2", "next_id": "note|2"} if ("next_id", "note|2") not in sent.query else None
        return {"proceedings": [{"proceeding_id": "p2" if more is None else "p1"}], "next_page": more}

    wire = Recorder(answer)
    listing = client(wire).contact_proceedings.list(
        "c", direction="past", types=["contact_note", "deal"], completed=False, notes__search_query="x y",
        next_tstamp="T1", next_id="note|1", limit=5,
    )  # fmt: skip
    assert [one.id async for one in listing] == ["p1", "p2"]
    first = [
        ("direction", "past"), ("types", "contact_note"), ("types", "deal"), ("completed", "false"),
        ("notes__search_query", "x y"), ("next_tstamp", "T1"), ("next_id", "note|1"), ("limit", "5"),
    ]  # fmt: skip
    assert wire.sent[0] == Sent("GET", "/api/v1/contacts/c/proceedings", first, None)
    assert dict(wire.sent[1].query) == {**dict(first), "next_tstamp": "T2", "next_id": "note|2"}


async def test_activities_join_their_lists_and_follow_the_next_page():
    """Lists go out joined with commas, and the cursor of the answer comes back in the next query."""

    def answer(sent: Sent) -> Any:
        more = {"next_tstamp": "T", "next_activity_id": "a1"} if len(wire.sent) == 1 else None
        row = {
            "activity_id": f"a{len(wire.sent)}",
            "scheduled_tstamp": None,
            "feed_tstamp": "2026-01-02T03:04:05Z",
        }
        return {"activities": [row], "next_page": more, "meta": {"total": 2}}

    wire = Recorder(answer)
    listing = client(wire).activities.list(
        direction="pending", types=["task", "call"], contacts=["c1", "c2"], deals=["d"], users=["u"],
        completed=True, tags=["a,b", "c"], calls__resolution="abandoned", events__calendar_ids=["k"],
        sequence_id="q", include_total=True, limit=1,
    )  # fmt: skip
    rows = [activity async for activity in listing]
    assert [row.id for row in rows] == ["a1", "a2"]
    assert rows[0].scheduled is None
    assert rows[0].feed == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    first = {
        "direction": "pending", "types": "task,call", "contacts": "c1,c2", "deals": "d", "users": "u",
        "completed": "true", "tags": "a\\,b,c", "calls__resolution": "abandoned",
        "events__calendar_ids": "k", "sequence_id": "q", "include_total": "true", "limit": "1",
    }  # fmt: skip
    assert dict(wire.sent[0].query) == first
    assert dict(wire.sent[1].query) == {**first, "next_tstamp": "T", "next_activity_id": "a1"}


async def test_activities_up_to_a_moment_send_no_limit():
    """`limit` and `until_tstamp` exclude each other, so the usual 100 is left out beside a moment."""
    wire = Recorder(lambda sent: {"activities": [], "next_page": None})
    activities = client(wire).activities
    await activities.list(direction="past", until_tstamp=datetime(2026, 1, 2, tzinfo=UTC))
    await activities.list(direction="past", next_tstamp="T", next_activity_id="a")
    assert [dict(sent.query) for sent in wire.sent] == [
        {"direction": "past", "until_tstamp": "2026-01-02T00:00:00+00:00"},
        {"direction": "past", "next_tstamp": "T", "next_activity_id": "a", "limit": "100"},
    ]


@pytest.mark.parametrize(
    "call",
    [
        lambda crm: crm.activities.list(direction="future"),
        lambda crm: crm.activities.list(direction="past", limit=1, until_tstamp="T"),
        lambda crm: crm.activities.list(direction="past", limit=0),
        lambda crm: crm.contact_proceedings.list("c", direction=""),
        lambda crm: crm.contact_proceedings.list("c", direction="past", limit=0),
        lambda crm: crm.contact_proceedings.list("c", direction="past", types="deal"),
        lambda crm: crm.contact_notes.list("c", per_page=0),
    ],
)
def test_lists_that_the_vendor_would_refuse(call):
    """A list with arguments that cannot work is refused where it is made."""
    wire = Recorder()
    with pytest.raises(QueryRefused):
        call(client(wire))
    assert wire.sent == []


@pytest.mark.parametrize(
    "call",
    [
        lambda crm: crm.contacts.delete_bulk(),
        lambda crm: crm.contacts.delete_bulk(preflight_checks=True),
        lambda crm: crm.contacts.delete_bulk(keyword=" "),
        lambda crm: crm.contacts.delete_bulk(keyword="a", query={"tag": {"is": "x"}}),
        lambda crm: crm.contacts.delete_bulk(query={}),
    ],
)
async def test_a_bulk_delete_says_what_it_deletes(call):
    """Without a search the vendor would delete every contact: that has to be said, with `all`."""
    wire = Recorder(lambda sent: {})
    with pytest.raises(QueryRefused):
        await call(client(wire))
    assert wire.sent == []
    await client(wire).contacts.delete_bulk(record_type="all")
    assert wire.sent == [Sent("DELETE", "/api/v1/contacts", [("record_type", "all")], None)]


async def test_a_record_type_beside_a_bulk_search_is_a_term_of_it():
    """Beside a query the vendor ignores the record type: it would delete companies too."""
    wire = Recorder(
        lambda sent: {"status": "ok", "data": {"ids": ["a"], "push_data": {"id": "p", "object": 1}}}
    )
    removed = await client(wire).contacts.delete_bulk(query={"tag": {"is": "x"}}, record_type="person")
    [(name, query)] = wire.sent[0].query
    assert name == "query"
    assert msgspec.json.decode(query) == {"and": [{"tag": {"is": "x"}}, {"record type": {"is": "person"}}]}
    assert removed.ids == ("a",)
    assert isinstance(removed.data, RemovedData)
    assert isinstance(removed.data.push_data, PushData)
    assert removed.data.push_data.content == 1
    assert (await client(Recorder(lambda sent: {})).contacts.delete_bulk(keyword="x")).ids == ()


@pytest.mark.parametrize(("name", "fine"), [("", False), ("x", True), ("x" * 50, True), ("x" * 51, False)])
@pytest.mark.parametrize(
    "call",
    [
        lambda crm, name: crm.contact_fields.create(name=name, field_type=AddressType(), tab_id="t"),
        lambda crm, name: crm.contact_fields.update("f", name=name),
        lambda crm, name: crm.contact_field_groups.create(name=name, tab_id="t", logo_id="l"),
        lambda crm, name: crm.contact_field_groups.update("g", name=name),
        lambda crm, name: crm.contact_field_tabs.create(tab_name=name, contact_types="person"),
        lambda crm, name: crm.contact_field_tabs.update("t", tab_name=name),
    ],
)
async def test_names_have_1_to_50_characters(call, name, fine):
    """Names of fields, groups and tabs have 1 to 50 characters."""
    wire = Recorder(lambda sent: TAB)
    if fine:
        await call(client(wire), name)
    else:
        with pytest.raises(DraftRefused, match="1 to 50 characters"):
            await call(client(wire), name)
    assert len(wire.sent) == fine


@pytest.mark.parametrize(
    ("kind", "shown", "fine"),
    [
        (NumberType(), None, False),
        (NumberType(), DateTimePresentation(), False),
        (NumberType(), FinancialPresentation(currency=None), True),
        (NumberType(), DecimalPresentation(), False),
        (NumberType(), DecimalPresentation(fraction_digits=0), False),
        (NumberType(), PercentagePresentation(fraction_digits=1), True),
        (DateTimeType(), None, False),
        (DateTimeType(), IntegerPresentation(), False),
        (DateTimeType(), DateTimePresentation(date_format="%Y", ignore_specific_time=None), True),
        (DateTimeType(), DateTimePresentation(date_format="%Y", ignore_specific_time=False), False),
        (DateTimeType(), DateTimePresentation(date_format=None, ignore_specific_time=False), True),
        (StringType(), IntegerPresentation(), False),
        (StringType(), None, True),
        (NumberType(), {"number_type": "decimal", "fraction_digits": 1}, True),
        (NumberType(), {"number_type": "decimal", "fraction_digits": 0}, False),
        (NumberType(), {"number_type": "roman"}, False),
        (DateTimeType(), {"date_format": None, "ignore_specific_time": True}, True),
    ],
)
async def test_numbers_and_dates_have_a_presentation_and_others_none(kind, shown, fine):
    """A presentation goes with the kind of its field, with 1 digit at least, and one way to show a date."""
    wire = Recorder(lambda sent: TAB)
    call = client(wire).contact_fields.create(name="X", field_type=kind, tab_id="t", presentation=shown)
    if fine:
        await call
    else:
        with pytest.raises(DraftRefused):
            await call
    assert len(wire.sent) == fine
    if isinstance(shown, dict) and fine:
        assert wire.sent[0].body["presentation"] == shown


@pytest.mark.parametrize(
    "call",
    [
        lambda crm: crm.contact_fields.set_primary("c", field_id="f", position=-1),
        lambda crm: crm.contact_field_tabs.create(tab_name="T", contact_types=[]),
        lambda crm: crm.contact_field_tabs.create(tab_name="T", contact_types=["person", "deal"]),
        lambda crm: crm.contact_field_tabs.update("t", contact_types="all"),
        lambda crm: crm.contact_tags.set("c", tags="vip"),
        lambda crm: crm.contact_tags.set("c", tags=["a", " "]),
        lambda crm: crm.contacts.update("c", ContactPatch()),
    ],
)
async def test_values_that_the_vendor_would_refuse(call):
    """What cannot be right is refused before it is sent."""
    wire = Recorder()
    with pytest.raises(DraftRefused):
        await call(client(wire))
    assert wire.sent == []


@pytest.mark.parametrize(("length", "fine"), [(1, False), (2, True), (128, True), (129, False)])
def test_subjects_of_tasks(length, fine):
    """A subject has 2 to 128 characters."""
    if fine:
        assert TaskDraft(subject="x" * length).subject == "x" * length
    else:
        with pytest.raises(DraftRefused, match="2 to 128"):
            TaskDraft(subject="x" * length)


def test_moments_of_tasks_have_no_zone_and_no_fraction():
    """Tasks take `YYYY-MM-DDTHH:MM:SS`, and `related`, never the old `related_to`."""
    draft = TaskDraft.of(
        "Call",
        due=date(2026, 1, 2),
        completed=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
        contacts=("c",),
    )
    assert msgspec.json.decode(msgspec.json.encode(draft)) == {
        "subject": "Call",
        "due_date": "2026-01-02T00:00:00",
        "completed_time": "2026-01-02T03:04:05",
        "related": {"contacts": ["c"]},
    }
    assert msgspec.json.decode(msgspec.json.encode(TaskDraft.of("Call"))) == {"subject": "Call"}


async def test_users_of_the_company_need_no_id():
    """The only sample of this route shows users without an id, so none is required."""
    rows = {"users": [{"name": "U", "email": "u@example.com", "is_active": False, "avatar_url": None}]}
    [user] = await client(Recorder(lambda sent: rows)).company.users()
    assert (user.name, user.is_active) == ("U", False)


async def test_only_a_replacing_update_is_sent_again():
    """An update that extends is not repeatable: after a failure nobody knows what it did; to replace is."""

    def failing(sent: Sent) -> Any:
        return Response(status=503)

    for patch, sends in (
        (ContactPatch().field("twitter", "a"), 1),
        (_contact().change().set("twitter", "a"), 3),
    ):
        wire = Recorder(failing)
        crm = _hasty(wire)
        with pytest.raises(Exception, match="503"):
            await crm.contacts.update("c", patch)
        assert len(wire.sent) == sends


def _contact() -> Contact:
    return read_record(
        Contact, b'{"id":"c","fields":{"twitter":[{"value":"b","modifier":"","is_primary":true}]}}'
    )


def _hasty(wire: Recorder) -> NimbleClient:
    retries = RetryPolicy(attempts=3, first_wait=0.001, longest_wait=0.002)
    config = ClientConfig(retries=retries)
    return NimbleClient(api_key="k", rate=RateLimit(math.inf), transport=wire, config=config)


async def test_a_change_never_extends():
    """A change carries whole fields: to extend with it would double them, so that is refused."""
    wire = Recorder(lambda sent: CONTACT)
    change = _contact().change(is_important=True)
    with pytest.raises(DraftRefused, match="double"):
        await client(wire).contacts.update("c", change.add("twitter", "x"), replace=False)
    await client(wire).contacts.update("c", change, replace=False)
    assert wire.sent == [Sent("PUT", "/api/v1/contact/c", [("type", "0")], {"is_important": True})]


async def test_status_and_headers_of_a_typed_call():
    """`with_response` gives the value with its type, and what the answer said before its body."""
    wire = Recorder(lambda sent: Response(status=201, headers={"x-a": "b"}, body=b'{"id":"c"}'))
    crm = client(wire)
    seen = await crm.with_response(crm.contacts.create(ContactDraft.person(last_name="L")))
    assert (seen.value.id, seen.status, seen.headers) == ("c", 201, {"x-a": "b"})


async def test_each_observer_sees_its_own_calls():
    """Calls side by side do not see each other's answers; one that makes several calls shows them all."""

    def answer(sent: Sent) -> Any:
        ids = dict(sent.query)["id"].split(",")
        body = msgspec.json.encode({"resources": [{"id": one} for one in ids]})
        return Response(status=200, headers={"x-ids": str(len(ids))}, body=body)

    crm = client(Recorder(answer))
    many = [str(number) for number in range(61)]
    async with asyncio.TaskGroup() as tasks:
        big = tasks.create_task(crm.with_response(crm.contacts.get_many(many)))
        small = tasks.create_task(crm.with_response(crm.contacts.get_many(["a"])))
    assert sorted(head.headers["x-ids"] for head in big.result().answers) == ["1", "30", "30"]
    assert [head.headers["x-ids"] for head in small.result().answers] == ["1"]
    outer = await crm.with_response(crm.with_response(crm.contacts.get_many(["a"])))
    assert (len(outer.answers), outer.value.status) == (1, 200)
    nothing = await crm.with_response(crm.contacts.get_many([]))
    with pytest.raises(LookupError):
        _ = nothing.status


async def test_a_list_can_be_observed_for_its_first_page():
    """A list is awaited for its first page, and so it is observed."""
    crm = client(Recorder(lambda sent: {"meta": {"pages": 1}, "resources": [{"id": "a"}]}))
    seen = await crm.with_response(crm.contacts.list())
    assert ([one.id for one in seen.value.items], seen.status) == (["a"], 200)
