"""Stages of pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from msgspec import UNSET, UnsetType, field

from nimble_async._sansio.record import AnyId, Member, Record
from nimble_async.activecampaign.models import wire
from nimble_async.activecampaign.models.bodies import Body

__all__ = ["Stage", "StageDraft", "StagePatch"]


class Stage(Record, frozen=True, kw_only=True):
    """A stage of a pipeline."""

    id: AnyId
    title: str | UnsetType | None = UNSET
    color: str | UnsetType | None = UNSET
    """Six hex digits."""
    pipeline_id: ClassVar[Member[str]] = wire.ident("group")
    order: ClassVar[Member[int]] = wire.whole()
    """Its place in the pipeline; ties are not ordered."""
    width: ClassVar[Member[int]] = wire.whole()
    """Pixels."""
    deal_order: ClassVar[Member[str]] = Member(str, name="dealOrder")
    """How its deals are sorted on the board, such as `next-action DESC`."""
    card_region_1: ClassVar[Member[str]] = Member(str, name="cardRegion1")
    card_region_2: ClassVar[Member[str]] = Member(str, name="cardRegion2")
    card_region_3: ClassVar[Member[str]] = Member(str, name="cardRegion3")
    card_region_4: ClassVar[Member[str]] = Member(str, name="cardRegion4")
    card_region_5: ClassVar[Member[str]] = Member(str, name="cardRegion5")
    created: ClassVar[Member[datetime]] = wire.moment("cdate")
    updated: ClassVar[Member[datetime]] = wire.moment("udate")
    links: ClassVar[Member[Mapping[str, Any]]] = wire.links()

    @property
    def name(self) -> str:
        """The title; empty where it has none."""
        return self.title or ""


class _StageMembers(Body, frozen=True, kw_only=True):
    """What a draft and a patch of a stage have alike."""

    order: int | UnsetType = UNSET
    deal_order: str | UnsetType = field(name="dealOrder", default=UNSET)
    card_region_1: str | UnsetType = field(name="cardRegion1", default=UNSET)
    card_region_2: str | UnsetType = field(name="cardRegion2", default=UNSET)
    card_region_3: str | UnsetType = field(name="cardRegion3", default=UNSET)
    card_region_4: str | UnsetType = field(name="cardRegion4", default=UNSET)
    card_region_5: str | UnsetType = field(name="cardRegion5", default=UNSET)
    color: str | UnsetType = UNSET
    width: int | UnsetType = UNSET


class StagePatch(_StageMembers, frozen=True, kw_only=True):
    """What changes in a stage. The regions are places on a deal's card: `title`, `value`, `hide`, ..."""

    title: str | UnsetType = UNSET
    pipeline_id: str | UnsetType = field(name="group", default=UNSET)


class StageDraft(_StageMembers, frozen=True, kw_only=True):
    """A stage to make."""

    title: str
    pipeline_id: str = field(name="group")
