"""The contacts' side against the simulated account: what is created is read, changed, found and deleted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from nimble_async.errors import InvalidInput, NotFound
from nimble_async.nimble.fieldtypes import generate_view
from nimble_async.nimble.models.activities import TaskDraft
from nimble_async.nimble.models.contact_changes import ContactPatch
from nimble_async.nimble.models.contact_drafts import ContactDraft
from nimble_async.nimble.models.fields import Address
from nimble_async.nimble.models.metadata import (
    Choice,
    ChoiceType,
    FieldTab,
    IntegerPresentation,
    NumberType,
    PossibleValues,
    all_fields,
)

ADA = ContactDraft.person(
    first_name="Ada", last_name="Byron", company="Engines", title="Founder", email="ada@engines.example",
    phone="+1 555", address=Address(city="London", country="England"), tags=["vip", "a, b"],
).field("email", "ada@home.example", "personal")  # fmt: skip


async def test_a_contact_lives_and_dies(crm):
    """A contact reads as it was written, keeps what a change leaves, and is gone once deleted."""
    made = await crm.contacts.create(ADA)
    found = await crm.contacts.get(made.id)
    assert (found.name, found.email, found.company, found.title) == (
        "Ada Byron", "ada@engines.example", "Engines", "Founder",
    )  # fmt: skip
    assert (found.address.city, sorted(found.tags)) == ("London", ["a, b", "vip"])
    before = found.values("email")
    changed = await crm.contacts.update(made.id, found.change().set("email", "ada@new.example", "personal"))
    after = changed.values("email")
    assert [one.value for one in after] == ["ada@engines.example", "ada@new.example"]
    assert [(one.field_id, one.label) for one in after] == [(one.field_id, one.label) for one in before]
    assert changed.phone == "+1 555"
    await crm.contacts.update(made.id, ContactPatch().field("phone", "+1 556").field("phone", "1", "home"))
    assert {"+1 556", "1"} <= set((await crm.contacts.get(made.id)).phones)
    changed = await crm.contacts.get(made.id)
    cleared = await crm.contacts.update(made.id, changed.change().remove("phone"))
    assert cleared.phones == ()
    await crm.contacts.delete(made.id)
    with pytest.raises(NotFound):
        await crm.contacts.get(made.id)


async def test_a_contact_is_found_or_created(crm):
    """The second caller finds what the first one created; a bulk delete takes it by a search."""
    first = await crm.contacts.find_or_create(ADA)
    again = await crm.contacts.find_or_create(ADA)
    assert (first.created, again.created, again.contact.id) == (True, False, first.contact.id)
    removed = await crm.contacts.delete_bulk(query={"email": {"is": "ada@engines.example"}})
    assert removed.ids == (first.contact.id,)
    assert await crm.contacts.find(email="ada@engines.example") is None


async def test_tags_and_primary_values(crm):
    """Tags are replaced as a set; the primary flag moves and goes."""
    made = await crm.contacts.create(ADA)
    await crm.contact_tags.set(made.id, tags=["other"])
    found = await crm.contacts.get(made.id)
    assert found.tags == ("other",)
    second = found.values("email")[1]
    place: dict[str, Any] = {"field_id": second.field_id, "position": 1}
    await crm.contact_fields.set_primary(made.id, **place)
    assert (await crm.contacts.get(made.id)).email == second.value == "ada@home.example"
    await crm.contact_fields.unset_primary(made.id, **place)
    assert (await crm.contacts.get(made.id)).email == "ada@engines.example"


async def test_notes(crm):
    """Notes are created in three ways, listed, rewritten and deleted."""
    made = await crm.contacts.create(ADA)
    notes = crm.contact_notes
    one = await notes.create(contact_ids=[made.id], note="<p>first</p>", note_preview="first")
    two = await notes.create_for_contact(made.id, note="second")
    three = await notes.create_with_id("6" * 24, contact_ids=[made.id], note="third")
    assert three.id == "6" * 24
    assert {note.id for note in await notes.list(made.id, per_page=2).collect()} == {one.id, two.id, three.id}
    await notes.update(one.id, contact_ids=[made.id], note="rewritten")
    found = await notes.get(one.id)
    assert (found.note, [contact.id for contact in found.contacts]) == ("rewritten", [made.id])
    await notes.delete(one.id)
    with pytest.raises(NotFound):
        await notes.get(one.id)
    history = [one async for one in crm.contact_proceedings.list(made.id, direction="past", limit=1)]
    assert {entry.proceeding_type.id for entry in history} >= {"contact_note"}
    assert await crm.contact_proceedings.providers()


async def test_fields_are_defined_used_and_deleted(crm, tmp_path):
    """A tab, a group, fields and a choice are made, used by a contact through a view, and deleted."""
    tab = await crm.contact_field_tabs.create(tab_name="Ours", contact_types=["person", "company"])
    with_group = await crm.contact_field_groups.create(name="Facts", tab_id=tab.id, logo_id="star")
    group = next(member for member in with_group.members if member.name == "Facts")
    kind = ChoiceType(values=PossibleValues(ordering_type="ordinal", values=(Choice(id="1", value="Red"),)))
    await crm.contact_fields.create(name="colour!", field_type=kind, tab_id=tab.id, group_id=group.id)
    filled = await crm.contact_fields.create(
        name="seats", field_type=NumberType(), tab_id=tab.id, presentation=IntegerPresentation()
    )
    fields = {one.name: one for one in filled.fields}
    await crm.contact_field_choices.create(fields["colour!"].id, id="2", value="Blue")
    tabs = await crm.contact_field_choices.update(fields["colour!"].id, "2", value="Sky")
    assert [one.value for one in definition(tabs, "colour!").choices] == ["Sky", "Red"]
    space: dict[str, Any] = {"__name__": "views"}
    exec(compile(generate_view(tabs), "views", "exec", dont_inherit=True), space)
    view = space["MyContact"]
    made = await crm.contacts.create(ADA.field(view.colour, "Sky").field(view.seats, 3))
    query = {"custom_fields": {"seats": {"is": 3}}}
    [found] = [one async for one in crm.contacts.list(view=view, query=query)]
    assert (found.id, found.colour, found.seats) == (made.id, "Sky", 3)
    await crm.contact_fields.update(fields["seats"].id, name="chairs")
    await crm.contact_field_groups.update(group.id, name="More facts")
    await crm.contact_field_tabs.update(tab.id, tab_name="Mine")
    tabs = await crm.contact_fields.list()
    assert definition(tabs, "chairs").id == fields["seats"].id
    await crm.contact_field_choices.delete(fields["colour!"].id, "1")
    for one in fields.values():
        await crm.contact_fields.delete(one.id, preflight_checks=False)
    await crm.contact_field_groups.delete(group.id)
    await crm.contact_field_tabs.delete(tab.id)
    assert tab.id not in {one.id for one in await crm.contact_fields.list()}
    assert (await crm.contacts.metadata()).fields["email"]


def definition(tabs: list[FieldTab], name: str) -> Any:
    """Return the one field of a name."""
    [found] = [one for one in all_fields(tabs) if one.name == name]
    return found


async def test_a_lead_goes_its_way(crm):
    """A contact enters a pipeline by a move, leaves it won or lost, comes back by undo, and is cleared."""
    made = await crm.contacts.create(ADA)
    [pipeline, *_] = await crm.contact_pipelines.list()
    stage = next(stage for stage in pipeline.stages if not (stage.role and stage.role.is_final))
    where = (made.id, pipeline.id)
    moved = await crm.leads.move(*where, stage_id=stage.id)
    assert moved.id == made.id
    assert [entry["stage_name"] for entry in moved.stages_info] == [stage.name]
    await crm.leads.exit_successful(*where, actual_exit_date=datetime(2026, 1, 2, tzinfo=UTC), notes="won")
    await crm.leads.update_successful_exit(*where, notes="truly")
    await crm.leads.undo(*where)
    await crm.leads.exit_unsuccessful(*where, notes="lost")
    await crm.leads.update_unsuccessful_exit(*where, notes="alas")
    await crm.leads.undo(*where)
    assert (await crm.leads.clear(*where)).id == made.id
    with pytest.raises(NotFound):
        await crm.leads.move("6" * 24, pipeline.id, stage_id=stage.id)


async def test_a_task_shows_among_the_activities(crm):
    """A task cannot be read by itself: the list of activities shows it."""
    made = await crm.contacts.create(ADA)
    task = await crm.tasks.create(TaskDraft.of("Call Ada", contacts=(made.id,)))
    assert task.subject == "Call Ada"
    [found] = [
        one async for one in crm.activities.list(direction="pending", types=["task"], contacts=[made.id])
    ]
    assert (found.name, [one.id for one in found.related_contacts]) == ("Call Ada", [made.id])


async def test_the_vendors_own_refusals_are_read(crm):
    """What only the vendor can know is its 409, with the fields that it names."""
    with pytest.raises(InvalidInput) as caught:
        await crm.contacts.create(ContactDraft.person(first_name="Ada").field("no such field", "x"))
    assert [one.field for one in caught.value.fields] == ["no such field"]
    assert await crm.company.users()
