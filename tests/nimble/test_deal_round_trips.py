"""The deals' side against the simulated account: what is created is read, listed, changed and deleted."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from nimble_async.errors import InvalidInput, NotFound
from nimble_async.nimble.client import NimbleClient
from nimble_async.nimble.models.contact_drafts import ContactDraft
from nimble_async.nimble.models.deal_drafts import DealDraft, DealPatch, RelatedContactDraft
from nimble_async.nimble.models.deal_files import AzureFile, ExternalFile
from nimble_async.nimble.models.deal_metadata import DealField, DealFieldGroup, DealFieldsMetadata
from nimble_async.nimble.models.messages import MessageDraft, MessagingAccount
from nimble_async.nimble.models.metadata import Choice, ChoiceType, PossibleValues, StringType
from nimble_async.nimble.models.pipeline_drafts import DealPipelineDraft, DealStageDraft
from nimble_async.nimble.models.pipelines import Pipeline
from nimble_async.nimble.query import Q

HULLS = ChoiceType(values=PossibleValues(values=(Choice(id="1", value="Oak"),), ordering_type="ordinal"))


async def boats(crm: NimbleClient) -> Pipeline:
    stages = [
        DealStageDraft(name="Keel", default_probability=5),
        DealStageDraft(name="Sails", default_probability=40),
    ]
    return await crm.deal_pipelines.create(
        DealPipelineDraft(
            name="Boats", description="", color="#123456", default_currency="EUR", lost_reasons=["Sank"],
            stages=stages, fields_tab_members=[],
        )
    )  # fmt: skip


async def boat(crm: NimbleClient, name: str = "Boat") -> tuple[str, Pipeline]:
    pipeline = await boats(crm)
    stage = (pipeline.stages or ())[0].id
    return (
        await crm.deals.create(DealDraft(name=name, pipeline_id=pipeline.id, stage_id=stage))
    ).id, pipeline


def fields_in(found: DealFieldsMetadata, pipeline_id: str) -> dict[Any, DealField]:
    return {field.name: field for field in found.fields(pipeline_id)}


def groups_in(found: DealFieldsMetadata, pipeline_id: str) -> dict[Any, Any]:
    tabs = [tab for tab in found.tabs or () if tab.pipeline_id == pipeline_id]
    members = [member for tab in tabs for member in tab.members or ()]
    return {member.name: member.id for member in members if isinstance(member, DealFieldGroup)}


async def test_a_deal_lives_and_dies(crm):
    """A deal reads as it was written, keeps what a patch leaves, is listed and found, and goes."""
    ada = await crm.contacts.create(ContactDraft.person(first_name="Ada"))
    pipeline = await boats(crm)
    first, second, *_ = pipeline.stages or ()  # won and lost come by themselves
    draft = DealDraft(
        name="Zulu", pipeline_id=pipeline.id, stage_id=first.id, amount=Decimal("1842.10"), currency="GBP",
        expected_close_date=date(2030, 6, 30), tags=["wood"],
        related_contacts=[RelatedContactDraft(contact_id=ada.id, note="builds it")],
    )  # fmt: skip
    made = await crm.deals.create(draft)
    found = await crm.deals.get(made.id)
    assert (found.name, found.amount, found.currency) == ("Zulu", Decimal("1842.10"), "GBP")
    assert (found.expected_close_date, found.tags) == (date(2030, 6, 30), ("wood",))
    assert found.probability == 5
    patch = DealPatch.of(found, add_tags=["fast"], values={"amount": Decimal("1842.11")})
    changed = await crm.deals.update(made.id, patch)
    assert (changed.amount, changed.tags, changed.name) == (Decimal("1842.11"), ("wood", "fast"), "Zulu")
    moved = await crm.deals.update(made.id, DealPatch(stage_id=second.id, expected_close_date=None))
    assert moved.stage is not None
    assert (moved.stage.id, moved.expected_close_date) == (second.id, None)
    assert len(moved.related_contacts or ()) == 1
    assert made.id in [deal.id async for deal in crm.deals.list(sort="name:asc", limit=500)]
    search = {"sort": "name:asc", "query": Q.field("name").is_("Zulu")}
    by_stage = crm.deal_pipelines.deals_by_stage(pipeline.id, **search)
    by_owner = crm.deal_pipelines.deals_by_owner(pipeline.id, **search)
    assert [deal.id for deal in await by_stage.collect()] == [made.id]
    assert [deal.id for deal in await by_owner.collect()] == [made.id]
    await crm.deals.delete(made.id)
    with pytest.raises(NotFound):
        await crm.deals.get(made.id)


async def test_notes_of_deals(crm):
    """A note is written, rewritten and deleted; one that is gone cannot be changed."""
    deal, _ = await boat(crm)
    note = await crm.deal_notes.create(deal, title="Terms", body="Half in advance")
    changed = await crm.deal_notes.update(deal, note.id, title="Better terms")
    assert (changed.id, changed.title, changed.body) == (note.id, "Better terms", "Half in advance")
    assert (await crm.deal_notes.update(deal, note.id, body=None)).body == ""
    await crm.deal_notes.delete(deal, note.id)
    with pytest.raises(NotFound):
        await crm.deal_notes.update(deal, note.id, title="Too late")


async def test_files_of_deals(crm):
    """An upload and a link are attached, shown with the deal, renamed where possible, and taken off."""
    deal, _ = await boat(crm)
    upload = await crm.files.azure_upload(body={"any": "thing"})
    await crm.deal_files.create(deal, metadata=AzureFile(data_id=str(upload.data_id)), file_name="plan")
    link = ExternalFile(
        source="dropbox", file_url="https://d.example.com/f", icon_url="https://d.example.com/i"
    )
    await crm.deal_files.create(deal, metadata=link, file_name="photo", file_size=3)
    plan, photo = tuple((await crm.deals.get(deal)).files or [])
    assert (plan.name, photo.name, photo.file_size) == ("plan", "photo", 3)
    await crm.deal_files.rename(deal, plan.id, new_file_name="plan.pdf")
    with pytest.raises(InvalidInput, match="Only uploaded"):
        await crm.deal_files.rename(deal, photo.id, new_file_name="x")
    assert str(upload.data_id) in (await crm.deal_files.download_url(deal, plan.id)).url
    assert (await crm.deal_files.download_url(deal, photo.id)).url == "https://d.example.com/f"
    await crm.deal_files.delete(deal, photo.id)
    assert [file.name for file in (await crm.deals.get(deal)).files or ()] == ["plan.pdf"]


async def test_tags_of_deals(crm):
    """A search is tagged; the tag is listed, renamed with spaces in its name, and taken from every deal."""
    deal, _ = await boat(crm, "Yawl")
    await crm.deal_tags.assign(tags=["fleet"], query=Q.field("name").is_("Yawl"))
    assert (await crm.deals.get(deal)).tags == ("fleet",)
    assert [tag.name for tag in await crm.deal_tags.list(starts_with="fleet").collect()] == ["fleet"]
    await crm.deal_tags.rename("fleet", new_tag="navy / blue")
    assert (await crm.deals.get(deal)).tags == ("navy / blue",)
    await crm.deal_tags.delete("navy / blue", preflight_checks=False)
    assert (await crm.deals.get(deal)).tags == ()
    assert await crm.deal_tags.list(starts_with="navy").collect() == []


async def test_pipelines_and_their_stages(crm):
    """A pipeline is changed, archived and restored; stages come and go; its deals go with it."""
    deal, pipeline = await boat(crm)
    await crm.deal_pipelines.update(pipeline.id, name="Ships")
    await crm.deal_pipelines.add_lost_reason(pipeline.id, reason="Leaked")
    found = await crm.deal_pipelines.get(pipeline.id)
    assert (found.name, [one.text for one in found.lost_reasons or ()]) == ("Ships", ["Sank", "Leaked"])
    keel, sails, *_ = tuple(found.stages or [])
    await crm.deal_stages.create(pipeline.id, name="Deck", insert_after=keel.id, default_probability=50)
    await crm.deal_stages.update(pipeline.id, sails.id, name="Rigging", expected_days=9)
    stages = (await crm.deal_pipelines.get(pipeline.id)).stages or ()
    assert [(stage.name, stage.expected_days) for stage in stages if stage.name == "Rigging"] == [
        ("Rigging", 9)
    ]
    assert [stage.name for stage in stages][:3] == ["Keel", "Deck", "Rigging"]
    await crm.deal_stages.archive(pipeline.id, sails.id)
    stages = (await crm.deal_pipelines.get(pipeline.id)).stages or ()
    assert sails.id not in [stage.id for stage in stages if not stage.archived_at]
    await crm.deal_pipelines.archive(pipeline.id)
    assert pipeline.id not in [one.id for one in await crm.deal_pipelines.list()]
    await crm.deal_pipelines.unarchive(pipeline.id)
    assert pipeline.id in [one.id for one in await crm.deal_pipelines.list()]
    await crm.deal_pipelines.delete(pipeline.id)
    with pytest.raises(NotFound):
        await crm.deal_pipelines.get(pipeline.id)
    with pytest.raises(NotFound):
        await crm.deals.get(deal)


async def test_fields_of_a_pipeline(crm):
    """Groups, fields and choices are made, used by a deal under their ids, changed and deleted."""
    deal, pipeline = await boat(crm)
    at = pipeline.id
    made = await crm.deal_pipeline_fields.create(at, name="Hull", field_type=HULLS)
    hull = fields_in(made, at)["Hull"].id
    changed = await crm.deal_pipeline_choices.create(at, hull, choice=Choice(id="2", value="Teak"))
    assert [one.value for one in fields_in(changed, at)["Hull"].choices] == ["Oak", "Teak"]
    changed = await crm.deal_pipeline_choices.update(at, hull, "2", value="Steel")
    assert [one.value for one in fields_in(changed, at)["Hull"].choices] == ["Oak", "Steel"]
    patch = DealPatch(pipeline_id=at, fields_values={"Hull": "2"}).resolved(await crm.deal_fields.list())
    assert (await crm.deals.update(deal, patch)).field("Hull") == "2"
    changed = await crm.deal_pipeline_fields.update(at, hull, name="Hulls")
    assert fields_in(changed, at)["Hulls"].id == hull
    made = await crm.deal_pipeline_fields.create(at, name="Port", field_type=StringType())
    port = fields_in(made, at)["Port"].id
    grouped = groups_in(await crm.deal_pipeline_groups.create(at, group_name="Crew", insert_after=None), at)
    await crm.deal_pipeline_groups.update(at, grouped["Crew"], group_name="Crews")
    assert set(groups_in(await crm.deal_fields.list(), at)) == {"Crews"}
    await crm.deal_pipeline_groups.delete(at, grouped["Crew"])
    await crm.deal_pipeline_choices.delete(at, hull, "2", preflight_checks=False)
    await crm.deal_pipeline_fields.delete(at, port, preflight_checks=False)
    left = await crm.deal_fields.list()
    assert {field.name: [one.value for one in field.choices] for field in left.fields(at)}["Hulls"] == ["Oak"]
    assert groups_in(left, at) == {}
    assert "Port" not in fields_in(left, at)
    assert {"deal_name", "amount"} <= {str(field.name) for field in left.standard_fields or ()}
    columns = (await crm.deal_fields.column_catalogue()).columns()
    assert len({column.id for column in columns}) == len(columns) > 0


async def test_drafts_of_messages(crm):
    """A draft is listed with its text, the newest first, and knows the contacts among its recipients."""
    ada = await crm.contacts.create(ContactDraft.person(first_name="Ada", email="ada@boats.example"))
    people = [MessagingAccount(identifier="ada@boats.example")]
    made = [
        await crm.message_drafts.create(MessageDraft(subject=str(number), body="text", recipients=people))
        for number in range(5)
    ]
    found = await crm.message_drafts.list(recipients=["ada@boats.example"], per_page=2).collect()
    assert [draft.id for draft in found] == [draft.id for draft in reversed(made)]
    newest = found[0]
    assert newest.specification is not None
    assert (newest.specification.subject, newest.specification.body) == ("4", "text")
    (person,) = tuple(newest.recipients or [])
    assert person.contact is not None
    assert person.contact.id == ada.id
