"""Pipelines of deals, their stages, and why deals were lost; what pipelines of contacts have alike too."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from msgspec import UNSET, UnsetType, field

from nimble_async._sansio.record import Id, Member, Record
from nimble_async.nimble.models.deal_metadata import DealFieldTab
from nimble_async.nimble.models.users import User

__all__ = ["LostReason", "Pipeline", "PipelineFacts", "Stage", "StageFacts", "StageRole"]


class LostReason(Record, frozen=True, kw_only=True):
    """Why deals of a pipeline are lost."""

    id: Id
    text: str | UnsetType | None = UNSET


class StageRole(Record, frozen=True, kw_only=True):
    """What a stage is for, such as `won`."""

    name: str | UnsetType | None = UNSET
    is_final: bool | UnsetType | None = UNSET


class StageFacts(Record, frozen=True, kw_only=True):
    """What stages of deals and of contacts have alike."""

    id: Id = field(name="stage_id")
    name: str | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET
    created: datetime | UnsetType | None = UNSET
    updated: datetime | UnsetType | None = UNSET
    archived_at: datetime | UnsetType | None = UNSET
    """When it was archived; None where it is in use."""
    creator: ClassVar[Member[User]] = Member.of(User)
    role: ClassVar[Member[StageRole]] = Member.of(StageRole)


class Stage(StageFacts, frozen=True, kw_only=True):
    """A stage of a pipeline."""

    default_probability: int | float | UnsetType | None = UNSET
    """In percent."""
    expected_days: int | float | UnsetType | None = UNSET
    """How many days a deal is expected to stay."""
    # The vendor's misspelling; the right one is read too, should it come.
    _pipline_id: str | UnsetType | None = field(name="pipline_id", default=UNSET)
    _pipeline_id: str | UnsetType | None = field(name="pipeline_id", default=UNSET)

    @property
    def pipeline_id(self) -> str | None:
        """The pipeline it belongs to; None where the answer does not say."""
        return self._pipeline_id or self._pipline_id or None


class PipelineFacts(Record, frozen=True, kw_only=True):
    """What pipelines of deals and of contacts have alike."""

    id: Id = field(name="pipeline_id")
    name: str | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET
    created: datetime | UnsetType | None = UNSET
    updated: datetime | UnsetType | None = UNSET
    archived_at: datetime | UnsetType | None = UNSET
    """When it was archived; None where it is in use."""
    color: str | UnsetType | None = UNSET
    creator: ClassVar[Member[User]] = Member.of(User)
    lost_reasons: ClassVar[Member[tuple[LostReason, ...]]] = Member.each(LostReason)


class Pipeline(PipelineFacts, frozen=True, kw_only=True):
    """A pipeline of deals."""

    is_default: bool | UnsetType | None = UNSET
    default_currency: str | UnsetType | None = UNSET
    """ISO 4217."""
    stages: ClassVar[Member[tuple[Stage, ...]]] = Member.each(Stage)
    tabs: ClassVar[Member[tuple[DealFieldTab, ...]]] = Member.each(DealFieldTab)
    """The fields of its deals, in tabs and groups."""
