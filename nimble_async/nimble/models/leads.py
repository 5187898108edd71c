"""Contacts as leads: the pipelines they go through, and where they stand."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from msgspec import UNSET, UnsetType, field

from nimble_async._sansio.record import Member, Record
from nimble_async.nimble.models.pipelines import PipelineFacts, StageFacts

__all__ = ["ContactPipeline", "LeadStage", "LeadState"]


class LeadStage(StageFacts, frozen=True, kw_only=True):
    """A stage of a pipeline of contacts."""

    pipeline_id: str | UnsetType | None = UNSET
    position: int | float | UnsetType | None = UNSET
    days_limit: int | float | UnsetType | None = UNSET
    """How many days a lead may stay; None: any number."""


class ContactPipeline(PipelineFacts, frozen=True, kw_only=True):
    """A pipeline of contacts (leads)."""

    stages: ClassVar[Member[tuple[LeadStage, ...]]] = Member.each(LeadStage)
    fields: ClassVar[Member[tuple[dict[str, Any], ...]]] = Member(tuple[dict[str, Any], ...])
    """The columns its list shows: `column_id` and `enabled`."""


class LeadState(Record, frozen=True, kw_only=True):
    """Where a contact stands in one pipeline: an entry of the context `leads_data` or of `stages_info`."""

    pipeline_id: str | UnsetType | None = UNSET
    pipeline_name: str | UnsetType | None = UNSET
    stage_name: str | UnsetType | None = UNSET
    # The vendor's spelling; the likely one is read too, should it come.
    _entered_data: datetime | UnsetType | None = field(name="entered_data", default=UNSET)
    _entered_date: datetime | UnsetType | None = field(name="entered_date", default=UNSET)
    is_final: bool | UnsetType | None = UNSET
    days_limit: int | float | UnsetType | None = UNSET

    @property
    def entered(self) -> datetime | None:
        """When it entered the stage; None where the answer does not say."""
        return self._entered_data or self._entered_date or None
