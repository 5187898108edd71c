"""The contacts' side under mypy and pyright: one use of each method, and what must not pass."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import ClassVar, Literal, assert_type

from nimble_async import (
    Address,
    ContactDraft,
    ContactPatch,
    NimbleClient,
    Page,
    Paginator,
    Q,
    Query,
    TaskDraft,
)
from nimble_async._aio.observing import Observed
from nimble_async.nimble.models.activities import Activity, Proceeding, ProceedingProvider, Task
from nimble_async.nimble.models.background import RemovedContacts
from nimble_async.nimble.models.contact_changes import ContactChange
from nimble_async.nimble.models.contacts import Contact
from nimble_async.nimble.models.leads import ContactPipeline
from nimble_async.nimble.models.metadata import FieldsMetadata, FieldTab, IntegerPresentation, NumberType
from nimble_async.nimble.models.notes import ContactNote
from nimble_async.nimble.models.typed import ChoiceField, DateField, DecimalField, Many
from nimble_async.nimble.models.users import CompanyUser
from nimble_async.nimble.resources.contacts import FoundOrCreated


class Ours(Contact, frozen=True, kw_only=True):
    """A view, as `fields types` writes one."""

    status: ClassVar[ChoiceField[Literal["Open", "Won"]]] = ChoiceField("status", {"1": "Open", "2": "Won"})
    since: ClassVar[DateField] = DateField("since")
    costs: ClassVar[Many[Decimal]] = Many(DecimalField("costs"))


async def contacts(nimble: NimbleClient) -> None:
    """Create, change, find and delete."""
    draft = ContactDraft.person(first_name="Ada", email="a@x", address=Address(city="Oslo"), tags=["vip"])
    draft = draft.field("phone", "1", modifier="home").field(Ours.since, date(2026, 1, 2)).tagged("x")
    assert_type(draft, ContactDraft)
    made = await nimble.contacts.create(draft)
    assert_type(made, Contact)
    assert_type(made.change(), ContactChange)
    change = made.change().set("email", "b@x").add(Ours.costs, Decimal(1)).remove("phone", modifier="home")
    assert_type(await nimble.contacts.update(made.id, change), Contact)
    patch = ContactPatch(is_important=True).field(Ours.status, "Open").clear("twitter")
    assert_type(await nimble.contacts.update(made.id, patch, replace=False), Contact)
    assert_type(await nimble.contacts.find(email="a@x"), Contact | None)
    assert_type(await nimble.contacts.find(domain="x.example", record_type="company"), Contact | None)
    assert_type(change.field("email", "b@x").clear("phone", "home"), ContactChange)
    assert_type(TaskDraft.of("Call", contacts=[made.id], tags=("a",)), TaskDraft)
    assert_type(await nimble.contacts.find_or_create(draft, wait=2), FoundOrCreated[Contact])
    assert_type(await nimble.contacts.find_or_create(draft, domain="x.example"), FoundOrCreated[Contact])
    assert_type(await nimble.contacts.delete_bulk(query={"tag": {"is": "x"}}), RemovedContacts)
    assert_type(await nimble.contacts.metadata(), FieldsMetadata)
    await nimble.contacts.delete(made.id, deletion_method="force")


async def views(nimble: NimbleClient) -> None:
    """Give typed fields wherever a view is asked for."""
    assert_type(nimble.contacts.list(view=Ours), Paginator[Ours])
    assert_type(nimble.contacts.list(), Paginator[Contact])
    async for one in nimble.contacts.list(view=Ours, record_type="person"):
        assert_type(one.status, Literal["Open", "Won"] | None)
        assert_type(one.since, date | None)
        assert_type(one.costs, tuple[Decimal, ...])
    assert_type(Ours.of(await nimble.contacts.get("c")), Ours)
    assert_type(await nimble.contacts.get("c", view=Ours, tags=True), Ours)
    assert_type(await nimble.contacts.get_many(["c"], view=Ours), list[Ours])
    assert_type(await nimble.contacts.find(email="a@x", view=Ours), Ours | None)
    draft = ContactDraft.person(first_name="Ada").field(Ours.status, "Open")
    assert_type(await nimble.contacts.create(draft, view=Ours), Ours)
    assert_type((await nimble.contacts.find_or_create(draft, view=Ours)).contact, Ours)
    patch = ContactPatch().field(Ours.status, "Won")
    assert_type(await nimble.contacts.update("c", patch, view=Ours), Ours)
    assert_type(await nimble.contact_tags.set("c", tags=["a"], view=Ours), Ours | None)
    assert_type(await nimble.leads.move("c", "p", stage_id="s", view=Ours), Ours)
    assert_type(await nimble.leads.exit_successful("c", "p", view=Ours), Ours)
    assert_type(await nimble.leads.update_successful_exit("c", "p", view=Ours), Ours)
    assert_type(await nimble.leads.exit_unsuccessful("c", "p", view=Ours), Ours)
    assert_type(await nimble.leads.update_unsuccessful_exit("c", "p", view=Ours), Ours)
    assert_type(await nimble.leads.undo("c", "p", view=Ours), Ours)
    assert_type(await nimble.leads.clear("c", "p", view=Ours), Ours)
    assert_type((await nimble.contacts.get("c", meta=True)).metadata, FieldsMetadata | None)


async def notes_and_tags(nimble: NimbleClient) -> None:
    """Notes in three ways, and tags as a set."""
    notes = nimble.contact_notes
    assert_type(await notes.create(contact_ids=["c"], note="n"), ContactNote)
    assert_type(await notes.create_with_id("id", contact_ids=["c"], note="n", note_preview="p"), ContactNote)
    assert_type(await notes.create_for_contact("c", note="n"), ContactNote)
    assert_type(await notes.update("id", contact_ids=["c"], note="n"), ContactNote)
    assert_type(await notes.get("id"), ContactNote)
    assert_type(notes.list("c", per_page=5), Paginator[ContactNote])
    await notes.delete("id")
    assert_type(await nimble.contact_tags.set("c", tags=["a"]), Contact | None)


async def fields(nimble: NimbleClient) -> None:
    """Definitions in tabs, groups, fields and choices."""
    assert_type(await nimble.contact_fields.list(), list[FieldTab])
    made = await nimble.contact_fields.create(
        name="n", field_type=NumberType(), tab_id="t", presentation=IntegerPresentation()
    )
    assert_type(made, FieldTab)
    assert_type(await nimble.contact_fields.update("f", group_id=None), FieldTab)
    await nimble.contact_fields.delete("f", preflight_checks=False)
    await nimble.contact_fields.set_primary("c", field_id="f", position=0)
    await nimble.contact_fields.unset_primary("c", field_id="f", position=0)
    assert_type(await nimble.contact_field_groups.create(name="g", tab_id="t", logo_id="l"), FieldTab)
    assert_type(await nimble.contact_field_groups.update("g", name="h"), FieldTab)
    await nimble.contact_field_groups.delete("g")
    assert_type(await nimble.contact_field_tabs.create(tab_name="t", contact_types=["person"]), FieldTab)
    assert_type(await nimble.contact_field_tabs.update("t", contact_types="company"), FieldTab)
    await nimble.contact_field_tabs.delete("t")
    assert_type(await nimble.contact_field_choices.create("f", id="1", value="v"), FieldTab)
    assert_type(await nimble.contact_field_choices.update("f", "1", value="v"), list[FieldTab])
    assert_type(await nimble.contact_field_choices.delete("f", "1"), list[FieldTab])


async def leads_and_history(nimble: NimbleClient) -> None:
    """Pipelines, leads, tasks, activities, histories and users."""
    assert_type(await nimble.contact_pipelines.list(), list[ContactPipeline])
    assert_type(await nimble.leads.move("c", "p", stage_id="s"), Contact)
    assert_type(await nimble.leads.exit_successful("c", "p", notes=None), Contact)
    assert_type(await nimble.leads.update_successful_exit("c", "p"), Contact)
    assert_type(await nimble.leads.exit_unsuccessful("c", "p", lost_reason="r"), Contact)
    assert_type(await nimble.leads.update_unsuccessful_exit("c", "p"), Contact)
    assert_type(await nimble.leads.undo("c", "p"), Contact)
    assert_type(await nimble.leads.clear("c", "p"), Contact)
    assert_type(await nimble.tasks.create(TaskDraft.of("Call", due=date(2026, 1, 2))), Task)
    assert_type(nimble.activities.list(direction="past"), Paginator[Activity])
    assert_type(nimble.contact_proceedings.list("c", direction="pending"), Paginator[Proceeding])
    assert_type(await nimble.contact_proceedings.providers(), list[ProceedingProvider])
    assert_type(await nimble.company.users(), list[CompanyUser])


async def observed(nimble: NimbleClient) -> None:
    """Keep the type of the call that is observed."""
    assert_type(await nimble.with_response(nimble.contacts.get("c")), Observed[Contact])
    assert_type(await nimble.with_response(nimble.contacts.list()), Observed[Page[Contact]])
    assert_type((await nimble.with_response(nimble.contacts.get("c"))).status, int)


async def searches(nimble: NimbleClient) -> None:
    """Build a search of fields and operators, and give it to every method that takes one."""
    query = Q.record_type.is_("person") & (Q.title.contain("Engineer") | ~Q.tag.is_("vip"))
    assert_type(query, Query)
    assert_type(query & Q.created.last(days=7), Query)
    assert_type(query & {"email": {"is": "a@x"}}, Query)
    assert_type(Q.created.in_range(date(2026, 1, 1), date(2026, 2, 1)), Query)
    assert_type(Q.birthday.day_month_range("15/12", "05/01"), Query)
    assert_type(Q.user_last_contacted.lt(date(2026, 1, 1)), Query)
    assert_type(Q.rating.in_range(1, Decimal(5)), Query)
    assert_type(Q.lead_status.is_not_empty(), Query)
    assert_type(Q.address.city.starts_with("Lon"), Query)
    assert_type(Q.id.in_(["c"]), Query)
    assert_type(Q.custom("contract value").number.gt(1000), Query)
    assert_type(Q.field("stage_id").is_("s"), Query)
    assert_type(Q.choice(Ours.status).is_("Open"), Query)
    assert_type(nimble.contacts.list(query=query), Paginator[Contact])
    assert_type(nimble.contacts.list(query=query, view=Ours), Paginator[Ours])
    assert_type(nimble.contacts.list_ids(query=query), Paginator[str])
    assert_type(await nimble.contacts.find(query=query, view=Ours), Ours | None)
    assert_type(await nimble.contacts.delete_bulk(query=query), RemovedContacts)


def refused(draft: ContactDraft) -> None:
    """Refuse values that a field does not have, and operators that a search does not have."""
    Q.choice(Ours.status).is_("Maybe")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Q.record_type.is_("robot")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Q.created.is_("today")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    Q.reminder.is_("x")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    draft.field(Ours.status, "Maybe")  # type: ignore[misc]  # pyright: ignore[reportArgumentType, reportCallIssue]
    draft.field(Ours.since, "tomorrow")  # type: ignore[misc]  # pyright: ignore[reportArgumentType, reportCallIssue]
