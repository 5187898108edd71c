"""One call of every operation, with every argument that it takes."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from nimble_async.nimble.client import NimbleClient
from nimble_async.nimble.models.activities import TaskDraft, TaskLinks
from nimble_async.nimble.models.contact_changes import ContactPatch
from nimble_async.nimble.models.contact_drafts import ContactDraft
from nimble_async.nimble.models.contacts import Privacy
from nimble_async.nimble.models.deal_drafts import (
    DealAccess,
    DealDraft,
    DealPatch,
    RelatedContactDraft,
    RelatedExternalContactDraft,
)
from nimble_async.nimble.models.deal_files import ExternalFile
from nimble_async.nimble.models.messages import (
    Attachment,
    InReplyTo,
    MessageDraft,
    MessagingAccount,
    Tracking,
    WatchReplies,
)
from nimble_async.nimble.models.metadata import Choice, IntegerPresentation, NumberType
from nimble_async.nimble.models.pipeline_drafts import DealFieldDraft, DealPipelineDraft, DealStageDraft

TERM = {"email": {"is": "a@example.com"}}
ACCOUNT = MessagingAccount(identifier="a@example.com")
DEAL: dict[str, Any] = {
    "name": "x",
    "amount": Decimal("1.50"),
    "owner_id": "u",
    "privacy": DealAccess(),
    "pipeline_id": "p",
    "stage_id": "s",
    "currency": "EUR",
    "related_contacts": [RelatedContactDraft(contact_id="c")],
    "related_external_contacts": [RelatedExternalContactDraft(contact_info="a@example.com")],
    "tags": ["t"],
}
VIEW: dict[str, Any] = {
    "fields": ["email"],
    "tags": True,
    "contexts": ["leads_data"],
    "meta": True,
    "last_contacted": False,
}
LIST: dict[str, Any] = {
    "fields": ["email"],
    "tags": True,
    "last_contacted": False,
    "sort": "created:asc",
    "per_page": 5,
    "page": 2,
}
FIELD: dict[str, Any] = {
    "name": "f",
    "field_type": NumberType(),
    "presentation": IntegerPresentation(),
    "insert_after": None,
    "group_id": "g",
}

Call = Callable[[NimbleClient], Any]
# Each call gives every argument that can be given; where two arguments exclude one another, two calls.
CALLS: dict[str, tuple[Call, ...]] = {
    "users.me": (lambda nimble: nimble.users.me(),),
    "company.users": (lambda nimble: nimble.company.users(),),
    "contacts.list": (
        lambda nimble: nimble.contacts.list(
            keyword="k", record_type="person", files_data=True, contexts=["leads_data"], **LIST
        ),
        lambda nimble: nimble.contacts.list(query=TERM),
    ),
    "contacts.list_ids": (
        lambda nimble: nimble.contacts.list_ids(keyword="k", record_type="person", **LIST),
        lambda nimble: nimble.contacts.list_ids(query=TERM),
    ),
    "contacts.get": (lambda nimble: nimble.contacts.get("{contact_id}", leads_data=True, **VIEW),),
    "contacts.get_many": (lambda nimble: nimble.contacts.get_many(["a", "b"], **VIEW),),
    "contacts.create": (
        lambda nimble: nimble.contacts.create(
            ContactDraft(
                fields={"first name": [{"value": "Ada"}]},
                record_type="person",
                type="person",
                owner_id="u",
                privacy=Privacy(read=None, edit=None),
                tags="a",
                avatar_url="https://example.com/a.png",
                file_ids=("f",),
            )
        ),
    ),
    "contacts.update": (
        lambda nimble: nimble.contacts.update(
            "{contact_id}",
            ContactPatch(
                fields={"email": [{"value": "a@example.com", "modifier": "work"}]},
                avatar_url="https://example.com/a.png",
                is_important=True,
            ),
            replace=True,
            leads_data=False,
        ),
    ),
    "contacts.delete": (
        lambda nimble: nimble.contacts.delete(
            "{contact_id}", deletion_method="force", cleanup_email_lists=True
        ),
    ),
    "contacts.delete_bulk": (
        lambda nimble: nimble.contacts.delete_bulk(keyword="k", record_type="person", preflight_checks=True),
        lambda nimble: nimble.contacts.delete_bulk(query=TERM),
    ),
    "contacts.metadata": (lambda nimble: nimble.contacts.metadata(),),
    "activities.list": (
        lambda nimble: nimble.activities.list(
            direction="past",
            types=["task"],
            contacts=["c"],
            deals=["d"],
            users=["u"],
            completed=True,
            tags=["t"],
            calls__resolution="successful",
            events__calendar_ids=["e"],
            sequence_id="s",
            include_total=True,
            limit=5,
            next_tstamp="2024-01-01T00:00:00Z",
            next_activity_id="a",
        ),
        lambda nimble: nimble.activities.list(direction="past", until_tstamp="2024-01-01T00:00:00Z"),
    ),
    "contact_field_choices.create": (
        lambda nimble: nimble.contact_field_choices.create(
            "{field_id}", id="1", value="v", insert_after=None
        ),
    ),
    "contact_field_choices.update": (
        lambda nimble: nimble.contact_field_choices.update("{field_id}", "{id}", value="v", insert_after="2"),
    ),
    "contact_field_choices.delete": (
        lambda nimble: nimble.contact_field_choices.delete("{field_id}", "{id}", preflight_checks=False),
    ),
    "contact_field_groups.create": (
        lambda nimble: nimble.contact_field_groups.create(
            name="n", tab_id="t", logo_id="l", insert_after=None
        ),
    ),
    "contact_field_groups.update": (
        lambda nimble: nimble.contact_field_groups.update(
            "{group_id}", name="n", tab_id="t", logo_id="l", insert_after=None
        ),
    ),
    "contact_field_groups.delete": (
        lambda nimble: nimble.contact_field_groups.delete("{group_id}", preflight_checks=False),
    ),
    "contact_field_tabs.create": (
        lambda nimble: nimble.contact_field_tabs.create(
            tab_name="n", contact_types=["person"], insert_after=None
        ),
    ),
    "contact_field_tabs.update": (
        lambda nimble: nimble.contact_field_tabs.update(
            "{tab_id}", tab_name="n", contact_types="person", insert_after=None
        ),
    ),
    "contact_field_tabs.delete": (
        lambda nimble: nimble.contact_field_tabs.delete("{tab_id}", preflight_checks=False),
    ),
    "contact_fields.list": (lambda nimble: nimble.contact_fields.list(),),
    "contact_fields.create": (
        lambda nimble: nimble.contact_fields.create(tab_id="t", multiples=True, **FIELD),
    ),
    "contact_fields.update": (
        lambda nimble: nimble.contact_fields.update(
            "{field_id}",
            name="n",
            tab_id="t",
            group_id="g",
            insert_after=None,
            presentation=IntegerPresentation(),
        ),
    ),
    "contact_fields.delete": (
        lambda nimble: nimble.contact_fields.delete("{field_id}", preflight_checks=False),
    ),
    "contact_fields.set_primary": (
        lambda nimble: nimble.contact_fields.set_primary("{contact_id}", field_id="f", position=1),
    ),
    "contact_fields.unset_primary": (
        lambda nimble: nimble.contact_fields.unset_primary("{contact_id}", field_id="f", position=1),
    ),
    "contact_notes.list": (lambda nimble: nimble.contact_notes.list("{contact_id}", per_page=5, page=2),),
    "contact_notes.get": (lambda nimble: nimble.contact_notes.get("{note_id}"),),
    "contact_notes.create": (
        lambda nimble: nimble.contact_notes.create(contact_ids=["c"], note="n", note_preview="p"),
    ),
    "contact_notes.create_with_id": (
        lambda nimble: nimble.contact_notes.create_with_id(
            "{note_id}", contact_ids=["c"], note="n", note_preview="p"
        ),
    ),
    "contact_notes.create_for_contact": (
        lambda nimble: nimble.contact_notes.create_for_contact("{contact_id}", note="n", note_preview="p"),
    ),
    "contact_notes.update": (
        lambda nimble: nimble.contact_notes.update(
            "{note_id}", contact_ids=["c"], note="n", note_preview="p"
        ),
    ),
    "contact_notes.delete": (lambda nimble: nimble.contact_notes.delete("{note_id}"),),
    "contact_pipelines.list": (lambda nimble: nimble.contact_pipelines.list(),),
    "contact_proceedings.list": (
        lambda nimble: nimble.contact_proceedings.list(
            "{contact_id}",
            direction="past",
            limit=5,
            types=["contact_note"],
            completed=True,
            notes__search_query="q",
            next_tstamp="2024-01-01T00:00:00Z",
            next_id="n",
        ),
    ),
    "contact_proceedings.providers": (lambda nimble: nimble.contact_proceedings.providers(),),
    "contact_tags.set": (lambda nimble: nimble.contact_tags.set("{contact_id}", tags=["t"]),),
    "deals.list": (lambda nimble: nimble.deals.list(sort="name:asc", limit=5),),
    "deals.get": (lambda nimble: nimble.deals.get("{deal_id}"),),
    "deals.create": (lambda nimble: nimble.deals.create(DealDraft(**DEAL)),),
    "deals.update": (lambda nimble: nimble.deals.update("{deal_id}", DealPatch(**DEAL)),),
    "deals.delete": (lambda nimble: nimble.deals.delete("{deal_id}"),),
    "deals.won_last_month": (lambda nimble: nimble.deals.won_last_month(),),
    "deals.overdue_activities": (
        lambda nimble: nimble.deals.overdue_activities("{deal_id}", types=["task", "call"], limit=5),
    ),
    "deal_fields.list": (lambda nimble: nimble.deal_fields.list(),),
    "deal_fields.column_catalogue": (lambda nimble: nimble.deal_fields.column_catalogue(),),
    "deal_files.create": (
        lambda nimble: nimble.deal_files.create(
            "{deal_id}",
            metadata=ExternalFile(
                source="dropbox", file_url="https://example.com/f", icon_url="https://example.com/i"
            ),
            file_name="f",
            file_size=5,
        ),
    ),
    "deal_files.rename": (
        lambda nimble: nimble.deal_files.rename("{deal_id}", "{file_id}", new_file_name="n"),
    ),
    "deal_files.delete": (lambda nimble: nimble.deal_files.delete("{deal_id}", "{file_id}"),),
    "deal_files.download_url": (lambda nimble: nimble.deal_files.download_url("{deal_id}", "{file_id}"),),
    "deal_notes.create": (lambda nimble: nimble.deal_notes.create("{deal_id}", title="t", body="b"),),
    "deal_notes.update": (
        lambda nimble: nimble.deal_notes.update("{deal_id}", "{note_id}", title="t", body=None),
    ),
    "deal_notes.delete": (lambda nimble: nimble.deal_notes.delete("{deal_id}", "{note_id}"),),
    "deal_pipeline_choices.create": (
        lambda nimble: nimble.deal_pipeline_choices.create(
            "{pipeline_id}", "{field_id}", choice=Choice(id="1", value="v"), insert_after=None
        ),
    ),
    "deal_pipeline_choices.update": (
        lambda nimble: nimble.deal_pipeline_choices.update(
            "{pipeline_id}", "{field_id}", "{choice_id}", value="v", insert_after=None
        ),
    ),
    "deal_pipeline_choices.delete": (
        lambda nimble: nimble.deal_pipeline_choices.delete(
            "{pipeline_id}", "{field_id}", "{choice_id}", preflight_checks=True
        ),
    ),
    "deal_pipeline_fields.create": (
        lambda nimble: nimble.deal_pipeline_fields.create("{pipeline_id}", **FIELD),
    ),
    "deal_pipeline_fields.update": (
        lambda nimble: nimble.deal_pipeline_fields.update(
            "{pipeline_id}", "{field_id}", name="n", presentation=None, insert_after=None, group_id=None
        ),
    ),
    "deal_pipeline_fields.delete": (
        lambda nimble: nimble.deal_pipeline_fields.delete(
            "{pipeline_id}", "{field_id}", preflight_checks=True
        ),
    ),
    "deal_pipeline_groups.create": (
        lambda nimble: nimble.deal_pipeline_groups.create(
            "{pipeline_id}",
            group_name="n",
            logo_id="l",
            insert_after=None,
            fields=[DealFieldDraft(name="f", field_type=NumberType())],
        ),
    ),
    "deal_pipeline_groups.update": (
        lambda nimble: nimble.deal_pipeline_groups.update(
            "{pipeline_id}", "{group_id}", group_name="n", logo_id="l", insert_after=None
        ),
    ),
    "deal_pipeline_groups.delete": (
        lambda nimble: nimble.deal_pipeline_groups.delete("{pipeline_id}", "{group_id}"),
    ),
    "deal_pipelines.list": (lambda nimble: nimble.deal_pipelines.list(),),
    "deal_pipelines.get": (lambda nimble: nimble.deal_pipelines.get("{pipeline_id}"),),
    "deal_pipelines.create": (
        lambda nimble: nimble.deal_pipelines.create(
            DealPipelineDraft(
                name="n",
                description="d",
                color="#00aa00",
                default_currency="EUR",
                stages=[DealStageDraft(name="s")],
                lost_reasons=["r"],
            )
        ),
    ),
    "deal_pipelines.update": (
        lambda nimble: nimble.deal_pipelines.update(
            "{pipeline_id}", name="n", description="d", color="#00aa00"
        ),
    ),
    "deal_pipelines.delete": (lambda nimble: nimble.deal_pipelines.delete("{pipeline_id}"),),
    "deal_pipelines.deals_by_stage": (
        lambda nimble: nimble.deal_pipelines.deals_by_stage(
            "{pipeline_id}", sort="name:asc", query=TERM, stage_id="s", stuck=True, limit=5
        ),
    ),
    "deal_pipelines.deals_by_owner": (
        lambda nimble: nimble.deal_pipelines.deals_by_owner(
            "{pipeline_id}", sort="name:asc", query=TERM, limit=5
        ),
    ),
    "deal_pipelines.archive": (lambda nimble: nimble.deal_pipelines.archive("{pipeline_id}"),),
    "deal_pipelines.unarchive": (lambda nimble: nimble.deal_pipelines.unarchive("{pipeline_id}"),),
    "deal_pipelines.add_lost_reason": (
        lambda nimble: nimble.deal_pipelines.add_lost_reason("{pipeline_id}", reason="r"),
    ),
    "deal_stages.create": (
        lambda nimble: nimble.deal_stages.create(
            "{pipeline_id}",
            name="n",
            description="d",
            insert_after=None,
            expected_days=5,
            default_probability=50,
        ),
    ),
    "deal_stages.update": (
        lambda nimble: nimble.deal_stages.update(
            "{pipeline_id}",
            "{stage_id}",
            name="n",
            description=None,
            expected_days=5,
            default_probability=50,
        ),
    ),
    "deal_stages.archive": (lambda nimble: nimble.deal_stages.archive("{pipeline_id}", "{stage_id}"),),
    "deal_tags.list": (lambda nimble: nimble.deal_tags.list(starts_with="b", limit=5),),
    "deal_tags.assign": (
        lambda nimble: nimble.deal_tags.assign(tags=["t"], query=TERM, preflight_checks=True),
    ),
    "deal_tags.rename": (lambda nimble: nimble.deal_tags.rename("{tag_name}", new_tag="n"),),
    "deal_tags.delete": (lambda nimble: nimble.deal_tags.delete("{tag_name}", preflight_checks=True),),
    "files.azure_upload": (lambda nimble: nimble.files.azure_upload(),),
    "leads.move": (lambda nimble: nimble.leads.move("{lead_id}", "{pipeline_id}", stage_id="s"),),
    "leads.exit_successful": (
        lambda nimble: nimble.leads.exit_successful(
            "{lead_id}", "{pipeline_id}", actual_exit_date="2024-01-01T00:00:00Z", notes="n"
        ),
    ),
    "leads.update_successful_exit": (
        lambda nimble: nimble.leads.update_successful_exit(
            "{lead_id}", "{pipeline_id}", actual_exit_date="2024-01-01T00:00:00Z", notes="n"
        ),
    ),
    "leads.exit_unsuccessful": (
        lambda nimble: nimble.leads.exit_unsuccessful(
            "{lead_id}",
            "{pipeline_id}",
            actual_exit_date="2024-01-01T00:00:00Z",
            notes="n",
            lost_reason="r",
        ),
    ),
    "leads.update_unsuccessful_exit": (
        lambda nimble: nimble.leads.update_unsuccessful_exit(
            "{lead_id}",
            "{pipeline_id}",
            actual_exit_date="2024-01-01T00:00:00Z",
            notes="n",
            lost_reason="r",
        ),
    ),
    "leads.undo": (lambda nimble: nimble.leads.undo("{lead_id}", "{pipeline_id}"),),
    "leads.clear": (lambda nimble: nimble.leads.clear("{lead_id}", "{pipeline_id}"),),
    "message_drafts.list": (
        lambda nimble: nimble.message_drafts.list(
            recipients=["a@example.com"], sender="b@example.com", per_page=5, page=0
        ),
    ),
    "message_drafts.create": (
        lambda nimble: nimble.message_drafts.create(
            MessageDraft(
                subject="s",
                body="b",
                recipients=[ACCOUNT],
                cc=[ACCOUNT],
                bcc=[ACCOUNT],
                sender=ACCOUNT,
                sender_credential_id="c",
                attachments=[
                    Attachment(
                        data_id="d",
                        file_size=5,
                        content_type="text/plain",
                        name="n",
                        url="https://example.com/f",
                    )
                ],
                in_reply_to=InReplyTo(in_reply_to_id="m", thread_id="t"),
                tracking_configuration=Tracking(opens_tracking=True, clicks_tracking=False),
                tracking_enabled=None,
                watch_replies=WatchReplies(expiration_interval=60),
                builder_data={},
                content_mode="standard",
            )
        ),
    ),
    "tasks.create": (
        lambda nimble: nimble.tasks.create(
            TaskDraft(
                subject="call",
                notes="n",
                due_date="2024-01-01T00:00:00",
                completed_time="2024-01-01T00:00:00",
                assigned_to="u",
                is_important=True,
                tags=("t",),
                related=TaskLinks(contacts=("c",), deals=("d",)),
            )
        ),
    ),
}
