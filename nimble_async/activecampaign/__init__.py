"""ActiveCampaign's deals API: its client, its dialect, its models and its resources.

Names are imported when they are first used, so that the table of operations costs no HTTP client.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nimble_async.activecampaign.client import ActiveCampaignClient
    from nimble_async.activecampaign.models.bulk import BulkReport, BulkRow
    from nimble_async.activecampaign.models.custom_field_values import (
        CustomFieldValue,
        CustomFieldValueDraft,
        CustomFieldValuePatch,
    )
    from nimble_async.activecampaign.models.custom_fields import (
        CustomField,
        CustomFieldDraft,
        CustomFieldPatch,
    )
    from nimble_async.activecampaign.models.deals import Deal, DealDraft, DealNote, DealPatch
    from nimble_async.activecampaign.models.money import Dollars, Money
    from nimble_async.activecampaign.models.pipelines import Pipeline, PipelineDraft, PipelinePatch
    from nimble_async.activecampaign.models.secondary_contacts import (
        SecondaryContact,
        SecondaryContactDraft,
        SecondaryContactPatch,
    )
    from nimble_async.activecampaign.models.stages import Stage, StageDraft, StagePatch
    from nimble_async.activecampaign.models.tasks import (
        Task,
        TaskDraft,
        TaskPatch,
        TaskType,
        TaskTypeDraft,
        TaskTypePatch,
    )

_HOMES = {
    "client": ("ActiveCampaignClient",),
    "models.bulk": ("BulkReport", "BulkRow"),
    "models.custom_field_values": ("CustomFieldValue", "CustomFieldValueDraft", "CustomFieldValuePatch"),
    "models.custom_fields": ("CustomField", "CustomFieldDraft", "CustomFieldPatch"),
    "models.deals": ("Deal", "DealDraft", "DealNote", "DealPatch"),
    "models.money": ("Dollars", "Money"),
    "models.pipelines": ("Pipeline", "PipelineDraft", "PipelinePatch"),
    "models.secondary_contacts": ("SecondaryContact", "SecondaryContactDraft", "SecondaryContactPatch"),
    "models.stages": ("Stage", "StageDraft", "StagePatch"),
    "models.tasks": ("Task", "TaskDraft", "TaskPatch", "TaskType", "TaskTypeDraft", "TaskTypePatch"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "ActiveCampaignClient",
    "BulkReport",
    "BulkRow",
    "CustomField",
    "CustomFieldDraft",
    "CustomFieldPatch",
    "CustomFieldValue",
    "CustomFieldValueDraft",
    "CustomFieldValuePatch",
    "Deal",
    "DealDraft",
    "DealNote",
    "DealPatch",
    "Dollars",
    "Money",
    "Pipeline",
    "PipelineDraft",
    "PipelinePatch",
    "SecondaryContact",
    "SecondaryContactDraft",
    "SecondaryContactPatch",
    "Stage",
    "StageDraft",
    "StagePatch",
    "Task",
    "TaskDraft",
    "TaskPatch",
    "TaskType",
    "TaskTypeDraft",
    "TaskTypePatch",
]


def __getattr__(name: str) -> Any:
    """Import a public name at its first use."""
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
