"""What a type checker tells a user of each operation: checked by mypy and pyright, never run."""

from __future__ import annotations

from decimal import Decimal
from typing import assert_type

from nimble_async import NimbleClient, Paginator
from nimble_async.nimble.models.activities import Activity, Proceeding, ProceedingProvider, Task, TaskDraft
from nimble_async.nimble.models.background import RemovedContacts
from nimble_async.nimble.models.contact_changes import ContactPatch
from nimble_async.nimble.models.contact_drafts import ContactDraft
from nimble_async.nimble.models.contacts import Contact
from nimble_async.nimble.models.deal_drafts import DealDraft, DealPatch
from nimble_async.nimble.models.deal_files import AzureFile, DownloadUrl, UploadedFile
from nimble_async.nimble.models.deal_metadata import ColumnCatalogue, DealFieldsMetadata
from nimble_async.nimble.models.deal_notes import DealNote, DealTag, TagAssignment, WonDeals
from nimble_async.nimble.models.deals import Deal
from nimble_async.nimble.models.leads import ContactPipeline
from nimble_async.nimble.models.messages import DraftMessage, MessageDraft
from nimble_async.nimble.models.metadata import Choice, FieldsMetadata, FieldTab, NumberType
from nimble_async.nimble.models.notes import ContactNote
from nimble_async.nimble.models.pipeline_drafts import DealPipelineDraft
from nimble_async.nimble.models.pipelines import Pipeline
from nimble_async.nimble.models.users import CompanyUser, Myself


async def users(nimble: NimbleClient) -> None:
    """Give each answer of `users` its type."""
    assert_type(await nimble.users.me(), Myself)


async def company(nimble: NimbleClient) -> None:
    """Give each answer of `company` its type."""
    assert_type(await nimble.company.users(), list[CompanyUser])


async def contacts(nimble: NimbleClient) -> None:
    """Give each answer of `contacts` its type."""
    assert_type(nimble.contacts.list(), Paginator[Contact])
    assert_type(nimble.contacts.list_ids(), Paginator[str])
    assert_type(await nimble.contacts.get("x"), Contact)
    assert_type(await nimble.contacts.get_many(["x"]), list[Contact])
    assert_type(await nimble.contacts.create(ContactDraft.person(first_name="Ada")), Contact)
    assert_type(await nimble.contacts.update("x", ContactPatch(is_important=True)), Contact)
    await nimble.contacts.delete("x")
    assert_type(await nimble.contacts.delete_bulk(keyword="x"), RemovedContacts)
    assert_type(await nimble.contacts.metadata(), FieldsMetadata)


async def activities(nimble: NimbleClient) -> None:
    """Give each answer of `activities` its type."""
    assert_type(nimble.activities.list(direction="past"), Paginator[Activity])


async def contact_field_choices(nimble: NimbleClient) -> None:
    """Give each answer of `contact_field_choices` its type."""
    assert_type(await nimble.contact_field_choices.create("x", id="x", value="x"), FieldTab)
    assert_type(await nimble.contact_field_choices.update("x", "x"), list[FieldTab])
    assert_type(await nimble.contact_field_choices.delete("x", "x"), list[FieldTab])


async def contact_field_groups(nimble: NimbleClient) -> None:
    """Give each answer of `contact_field_groups` its type."""
    assert_type(await nimble.contact_field_groups.create(name="x", tab_id="x", logo_id="x"), FieldTab)
    assert_type(await nimble.contact_field_groups.update("x"), FieldTab)
    await nimble.contact_field_groups.delete("x")


async def contact_field_tabs(nimble: NimbleClient) -> None:
    """Give each answer of `contact_field_tabs` its type."""
    assert_type(await nimble.contact_field_tabs.create(tab_name="x", contact_types=["x"]), FieldTab)
    assert_type(await nimble.contact_field_tabs.update("x"), FieldTab)
    await nimble.contact_field_tabs.delete("x")


async def contact_fields(nimble: NimbleClient) -> None:
    """Give each answer of `contact_fields` its type."""
    assert_type(await nimble.contact_fields.list(), list[FieldTab])
    assert_type(await nimble.contact_fields.create(name="x", field_type=NumberType(), tab_id="x"), FieldTab)
    assert_type(await nimble.contact_fields.update("x"), FieldTab)
    await nimble.contact_fields.delete("x")
    await nimble.contact_fields.set_primary("x", field_id="x", position=1)
    await nimble.contact_fields.unset_primary("x", field_id="x", position=1)


async def contact_notes(nimble: NimbleClient) -> None:
    """Give each answer of `contact_notes` its type."""
    assert_type(nimble.contact_notes.list("x"), Paginator[ContactNote])
    assert_type(await nimble.contact_notes.get("x"), ContactNote)
    assert_type(await nimble.contact_notes.create(contact_ids=["x"], note="x"), ContactNote)
    assert_type(await nimble.contact_notes.create_with_id("x", contact_ids=["x"], note="x"), ContactNote)
    assert_type(await nimble.contact_notes.create_for_contact("x", note="x"), ContactNote)
    assert_type(await nimble.contact_notes.update("x", contact_ids=["x"], note="x"), ContactNote)
    await nimble.contact_notes.delete("x")


async def contact_pipelines(nimble: NimbleClient) -> None:
    """Give each answer of `contact_pipelines` its type."""
    assert_type(await nimble.contact_pipelines.list(), list[ContactPipeline])


async def contact_proceedings(nimble: NimbleClient) -> None:
    """Give each answer of `contact_proceedings` its type."""
    assert_type(nimble.contact_proceedings.list("x", direction="past"), Paginator[Proceeding])
    assert_type(await nimble.contact_proceedings.providers(), list[ProceedingProvider])


async def contact_tags(nimble: NimbleClient) -> None:
    """Give each answer of `contact_tags` its type."""
    assert_type(await nimble.contact_tags.set("x", tags=["x"]), Contact | None)


async def deals(nimble: NimbleClient) -> None:
    """Give each answer of `deals` its type."""
    assert_type(nimble.deals.list(sort="name:asc"), Paginator[Deal])
    assert_type(await nimble.deals.get("x"), Deal)
    assert_type(await nimble.deals.create(DealDraft(name="x", pipeline_id="p", stage_id="s")), Deal)
    assert_type(await nimble.deals.update("x", DealPatch(amount=Decimal("1.50"))), Deal)
    await nimble.deals.delete("x")
    assert_type(await nimble.deals.won_last_month(), WonDeals)
    assert_type(nimble.deals.overdue_activities("x"), Paginator[Activity])


async def deal_fields(nimble: NimbleClient) -> None:
    """Give each answer of `deal_fields` its type."""
    assert_type(await nimble.deal_fields.list(), DealFieldsMetadata)
    assert_type(await nimble.deal_fields.column_catalogue(), ColumnCatalogue)


async def deal_files(nimble: NimbleClient) -> None:
    """Give each answer of `deal_files` its type."""
    await nimble.deal_files.create("x", metadata=AzureFile(data_id="x"))
    await nimble.deal_files.rename("x", "x", new_file_name="x")
    await nimble.deal_files.delete("x", "x")
    assert_type(await nimble.deal_files.download_url("x", "x"), DownloadUrl)


async def deal_notes(nimble: NimbleClient) -> None:
    """Give each answer of `deal_notes` its type."""
    assert_type(await nimble.deal_notes.create("x", title="x"), DealNote)
    assert_type(await nimble.deal_notes.update("x", "x"), DealNote)
    await nimble.deal_notes.delete("x", "x")


async def deal_pipeline_choices(nimble: NimbleClient) -> None:
    """Give each answer of `deal_pipeline_choices` its type."""
    assert_type(
        await nimble.deal_pipeline_choices.create("x", "x", choice=Choice(id="1", value="L")),
        DealFieldsMetadata,
    )
    assert_type(await nimble.deal_pipeline_choices.update("x", "x", "x"), DealFieldsMetadata)
    await nimble.deal_pipeline_choices.delete("x", "x", "x")


async def deal_pipeline_fields(nimble: NimbleClient) -> None:
    """Give each answer of `deal_pipeline_fields` its type."""
    assert_type(
        await nimble.deal_pipeline_fields.create("x", name="x", field_type=NumberType()), DealFieldsMetadata
    )
    assert_type(await nimble.deal_pipeline_fields.update("x", "x"), DealFieldsMetadata)
    await nimble.deal_pipeline_fields.delete("x", "x")


async def deal_pipeline_groups(nimble: NimbleClient) -> None:
    """Give each answer of `deal_pipeline_groups` its type."""
    assert_type(await nimble.deal_pipeline_groups.create("x"), DealFieldsMetadata)
    assert_type(await nimble.deal_pipeline_groups.update("x", "x"), DealFieldsMetadata)
    await nimble.deal_pipeline_groups.delete("x", "x")


async def deal_pipelines(nimble: NimbleClient) -> None:
    """Give each answer of `deal_pipelines` its type."""
    assert_type(await nimble.deal_pipelines.list(), list[Pipeline])
    assert_type(await nimble.deal_pipelines.get("x"), Pipeline)
    assert_type(
        await nimble.deal_pipelines.create(
            DealPipelineDraft(name="n", description="d", color="#00aa00", default_currency="EUR")
        ),
        Pipeline,
    )
    assert_type(await nimble.deal_pipelines.update("x"), Pipeline)
    await nimble.deal_pipelines.delete("x")
    assert_type(nimble.deal_pipelines.deals_by_stage("x", sort="name:asc"), Paginator[Deal])
    assert_type(nimble.deal_pipelines.deals_by_owner("x", sort="name:asc"), Paginator[Deal])
    await nimble.deal_pipelines.archive("x")
    await nimble.deal_pipelines.unarchive("x")
    assert_type(await nimble.deal_pipelines.add_lost_reason("x", reason="x"), Pipeline)


async def deal_stages(nimble: NimbleClient) -> None:
    """Give each answer of `deal_stages` its type."""
    assert_type(await nimble.deal_stages.create("x"), Pipeline)
    assert_type(await nimble.deal_stages.update("x", "x"), Pipeline)
    await nimble.deal_stages.archive("x", "x")


async def deal_tags(nimble: NimbleClient) -> None:
    """Give each answer of `deal_tags` its type."""
    assert_type(nimble.deal_tags.list(), Paginator[DealTag])
    assert_type(await nimble.deal_tags.assign(tags=["x"], query={"name": {"is": "x"}}), TagAssignment)
    await nimble.deal_tags.rename("x", new_tag="x")
    await nimble.deal_tags.delete("x")


async def files(nimble: NimbleClient) -> None:
    """Give each answer of `files` its type."""
    assert_type(await nimble.files.azure_upload(), UploadedFile)


async def leads(nimble: NimbleClient) -> None:
    """Give each answer of `leads` its type."""
    assert_type(await nimble.leads.move("x", "x", stage_id="x"), Contact)
    assert_type(await nimble.leads.exit_successful("x", "x"), Contact)
    assert_type(await nimble.leads.update_successful_exit("x", "x"), Contact)
    assert_type(await nimble.leads.exit_unsuccessful("x", "x"), Contact)
    assert_type(await nimble.leads.update_unsuccessful_exit("x", "x"), Contact)
    assert_type(await nimble.leads.undo("x", "x"), Contact)
    assert_type(await nimble.leads.clear("x", "x"), Contact)


async def message_drafts(nimble: NimbleClient) -> None:
    """Give each answer of `message_drafts` its type."""
    assert_type(nimble.message_drafts.list(), Paginator[DraftMessage])
    assert_type(await nimble.message_drafts.create(MessageDraft(subject="x")), DraftMessage)


async def tasks(nimble: NimbleClient) -> None:
    """Give each answer of `tasks` its type."""
    assert_type(await nimble.tasks.create(TaskDraft(subject="call")), Task)
