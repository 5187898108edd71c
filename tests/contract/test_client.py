"""Every method of the client once, over real HTTP, with each exchange held against the description."""

from __future__ import annotations

from typing import Any

from nimble_async import NimbleClient
from nimble_async.nimble.catalog import OPERATIONS
from nimble_async.nimble.models.activities import TaskDraft, TaskLinks
from nimble_async.nimble.models.contact_changes import ContactPatch
from nimble_async.nimble.models.contact_drafts import ContactDraft
from nimble_async.nimble.models.deal_drafts import DealDraft, DealPatch, RelatedContactDraft
from nimble_async.nimble.models.deal_files import AzureFile, ExternalFile
from nimble_async.nimble.models.messages import MessageDraft, MessagingAccount
from nimble_async.nimble.models.metadata import Choice, ChoiceType, PossibleValues, StringType
from nimble_async.nimble.models.pipeline_drafts import DealFieldDraft, DealPipelineDraft, DealStageDraft
from nimble_async.testing import Simulator, SimulatorServer, World

CHOICES = ChoiceType(values=PossibleValues(values=(Choice(id="1", value="A"),), ordering_type="ordinal"))


async def _contacts(nimble: NimbleClient, world: World) -> None:
    await nimble.users.me()
    assert len(await nimble.company.users()) == 4
    first = world.contacts.id_of(1)
    await nimble.contacts.list(sort="created:asc", contexts=["leads_data"], per_page=3)
    await nimble.contacts.list_ids(query={"tag": {"is": "vip"}})
    await nimble.contacts.get_many([first], meta=True)
    await nimble.contacts.metadata()
    ada = await nimble.contacts.create(
        ContactDraft.person(first_name="Ada", email="ada@example.com", tags=["x, y"])
    )
    assert (ada.email, ada.tags) == ("ada@example.com", ("x, y",))
    assert (await nimble.contacts.get(ada.id)).first_name == "Ada"
    patch = ContactPatch(fields={"phone": [{"value": "1", "modifier": "work"}]})
    assert (await nimble.contacts.update(ada.id, patch)).phone == "1"
    assert (await nimble.contacts.update(ada.id, patch, replace=True)).phone == "1"
    tagged = await nimble.contact_tags.set(ada.id, tags=["vip"])
    assert tagged is not None
    note = await nimble.contact_notes.create(contact_ids=[ada.id], note="<b>n</b>", note_preview="n")
    await nimble.contact_notes.create_with_id("5f" * 12, contact_ids=[ada.id], note="n")
    await nimble.contact_notes.create_for_contact(ada.id, note="n")
    assert (await nimble.contact_notes.get(note.id)).note == "<b>n</b>"
    await nimble.contact_notes.update(note.id, contact_ids=[ada.id], note="m")
    assert len(await nimble.contact_notes.list(ada.id, per_page=2).collect()) == 3
    await nimble.contact_notes.delete(note.id)
    await nimble.contact_proceedings.providers()
    deal = world.deals.id_of(1)
    for day in (1, 2, 3):
        links = TaskLinks(contacts=(ada.id,), deals=(deal,))
        await nimble.tasks.create(
            TaskDraft(subject="Call", due_date=f"2020-01-0{day}T10:00:00", related=links)
        )
    assert (
        len(
            await nimble.contact_proceedings.list(ada.id, direction="past", limit=1, types=["task"]).collect()
        )
        == 3
    )
    assert (
        len(await nimble.activities.list(direction="past", limit=2, contacts=[ada.id, first]).collect()) == 3
    )
    assert len(await nimble.deals.overdue_activities(deal, types=["task"]).collect()) == 3
    await nimble.contacts.delete(ada.id, deletion_method="force")
    await nimble.contacts.delete_bulk(
        query={"_id": {"in": [world.contacts.id_of(50)]}}, preflight_checks=True
    )


async def _fields(nimble: NimbleClient, world: World) -> None:
    await nimble.contact_fields.list()
    tab = await nimble.contact_field_tabs.create(tab_name="Mine", contact_types=["person"])
    await nimble.contact_field_tabs.update(tab.id, tab_name="Ours", insert_after=None)
    made = await nimble.contact_field_groups.create(name="Group", tab_id=tab.id, logo_id="x")
    [group] = made.members or ()
    await nimble.contact_field_groups.update(group.id, name="Groups")
    made = await nimble.contact_fields.create(name="Size", field_type=CHOICES, tab_id=tab.id)
    field = next(one for one in made.members or () if one.name == "Size")
    await nimble.contact_fields.update(field.id, name="Sizes", group_id=group.id)
    await nimble.contact_field_choices.create(field.id, id="2", value="B", insert_after="1")
    await nimble.contact_field_choices.update(field.id, "2", value="C")
    await nimble.contact_field_choices.delete(field.id, "2")
    contact = await nimble.contacts.get(world.contacts.id_of(1))
    fields = (await nimble.contacts.metadata()).fields
    assert fields
    emails = fields["email"][0]
    await nimble.contact_fields.set_primary(contact.id, field_id=str(emails.id), position=0)
    await nimble.contact_fields.unset_primary(contact.id, field_id=str(emails.id), position=0)
    await nimble.contact_fields.delete(field.id)
    await nimble.contact_field_groups.delete(group.id)
    await nimble.contact_field_tabs.delete(tab.id)


async def _leads(nimble: NimbleClient, world: World) -> None:
    pipeline = (await nimble.contact_pipelines.list())[0]
    lead = world.contacts.id_of(2), pipeline.id
    [fresh, *_] = pipeline.stages or ()
    assert (await nimble.leads.move(*lead, stage_id=fresh.id)).stages_info
    await nimble.leads.exit_successful(*lead, notes="won")
    await nimble.leads.update_successful_exit(*lead, notes=None)
    await nimble.leads.undo(*lead)
    await nimble.leads.exit_unsuccessful(*lead, lost_reason="x")
    await nimble.leads.update_unsuccessful_exit(*lead, notes="n")
    await nimble.leads.clear(*lead)


async def _deals(nimble: NimbleClient, world: World) -> None:
    await nimble.deals.list(sort="name:asc", limit=5)
    await nimble.deals.won_last_month()
    await nimble.deal_fields.column_catalogue()
    await nimble.deal_fields.list()
    pipeline = (await nimble.deal_pipelines.list())[0]
    stages = pipeline.stages or ()
    related = [RelatedContactDraft(contact_id=world.contacts.id_of(1))]
    draft = DealDraft(
        name="Boat", amount=12, pipeline_id=pipeline.id, stage_id=stages[0].id,
        owner_id="60d5c0de0000000000b00000", related_contacts=related,
    )  # fmt: skip
    deal = await nimble.deals.create(draft)
    await nimble.deals.update(deal.id, DealPatch(stage_id=stages[1].id, tags=["boat"]))
    read = await nimble.deals.get(deal.id)
    assert (read.name, str(read.amount), read.tags) == ("Boat", "12", ("boat",))
    assert read.stage is not None
    assert read.stage.id == stages[1].id
    assert await nimble.deal_tags.list(starts_with="boat").collect()
    assert (await nimble.deal_tags.assign(tags=["fleet"], query={"name": {"is": "Boat"}})) is not None
    await nimble.deal_tags.rename("fleet", new_tag="navy blue")
    await nimble.deal_tags.delete("navy blue", preflight_checks=False)
    upload = await nimble.files.azure_upload(body={"any": "thing"})
    await nimble.deal_files.create(deal.id, metadata=AzureFile(data_id=str(upload.data_id)))
    link = ExternalFile(
        source="dropbox", file_url="https://d.example.com/f", icon_url="https://d.example.com/i"
    )
    await nimble.deal_files.create(deal.id, metadata=link, file_name="f", file_size=3)
    file: Any = world.account.deals[world.deals.serial_of(deal.id) or 0].files[0]["file_id"]
    await nimble.deal_files.rename(deal.id, file, new_file_name="plan.pdf")
    await nimble.deal_files.download_url(deal.id, file)
    await nimble.deal_files.delete(deal.id, file)
    note = await nimble.deal_notes.create(deal.id, title="T", body="b")
    await nimble.deal_notes.update(deal.id, note.id, body=None)
    await nimble.deal_notes.delete(deal.id, note.id)
    await nimble.deals.delete(deal.id)


async def _pipelines(nimble: NimbleClient, world: World) -> None:
    first = (await nimble.deal_pipelines.list())[0].id
    by_stage = await nimble.deal_pipelines.deals_by_stage(first, sort="name:asc", limit=2).collect()
    by_owner = await nimble.deal_pipelines.deals_by_owner(first, sort="name:asc", limit=2).collect()
    assert sorted(deal.id for deal in by_stage) == sorted(deal.id for deal in by_owner)
    assert by_stage
    made = await nimble.deal_pipelines.create(
        DealPipelineDraft(
            name="Boats", description="", color="#123456", default_currency="EUR", lost_reasons=["Sank"],
            stages=[DealStageDraft(name="Keel", default_probability=5)],
            fields_tab_members=[DealFieldDraft(name="Mast", field_type=StringType())],
        )
    )  # fmt: skip
    assert (await nimble.deal_pipelines.get(made.id)).name == "Boats"
    await nimble.deal_pipelines.update(made.id, name="Ships")
    await nimble.deal_pipelines.archive(made.id)
    await nimble.deal_pipelines.unarchive(made.id)
    await nimble.deal_pipelines.add_lost_reason(made.id, reason="Leaked")
    stage = next(iter(made.stages or ())).id
    await nimble.deal_stages.create(made.id, name="Sails", insert_after=stage, default_probability=50)
    await nimble.deal_stages.update(made.id, stage, expected_days=9)
    await nimble.deal_stages.archive(made.id, stage)
    await nimble.deal_pipeline_fields.create(made.id, name="Rig", field_type=CHOICES)
    rig = next(
        key for key, entry in world.account.deal_fields.items() if entry["field"]["field_name"] == "Rig"
    )
    await nimble.deal_pipeline_fields.update(made.id, rig, name="Rigs")
    await nimble.deal_pipeline_choices.create(made.id, rig, choice=Choice(id="2", value="B"))
    await nimble.deal_pipeline_choices.update(made.id, rig, "2", value="C")
    await nimble.deal_pipeline_choices.delete(made.id, rig, "2", preflight_checks=True)
    await nimble.deal_pipeline_fields.delete(made.id, rig, preflight_checks=False)
    await nimble.deal_pipeline_groups.create(made.id, group_name="Crew", insert_after=None)
    group = world.account.pipelines[made.id]["tabs"][0]["members"][0]["group_id"]
    await nimble.deal_pipeline_groups.update(made.id, group, group_name="Crews")
    await nimble.deal_pipeline_groups.delete(made.id, group)
    await nimble.deal_pipelines.delete(made.id)


async def _messages(nimble: NimbleClient) -> None:
    person = MessagingAccount(account_type="email", identifier="ada@example.com")
    for number in range(3):
        await nimble.message_drafts.create(MessageDraft(subject=str(number), recipients=[person], body=None))
    drafts = await nimble.message_drafts.list(recipients=["ada@example.com"], per_page=2).collect()
    assert len(drafts) == 3


async def test_every_method_sends_what_is_described():
    """Every operation is sent by its method and succeeds; the watch of every test judges each exchange."""
    world = World(contacts=60, deals=40, seed=5, hidden_deals=0)
    simulator = Simulator(world)
    async with (
        SimulatorServer(simulator) as server,
        NimbleClient(api_key=server.api_key, base_url=server.base_url, rate="500/1s") as nimble,
    ):
        await _contacts(nimble, world)
        await _fields(nimble, world)
        await _leads(nimble, world)
        await _deals(nimble, world)
        await _pipelines(nimble, world)
        await _messages(nimble)
    used = set(simulator.statistics()["operations"])
    assert used == set(OPERATIONS)
    errors = {name: simulator.statuses(name) for name in used if max(simulator.statuses(name)) >= 300}
    assert errors == {}
