"""Pipelines, which the vendor calls deal groups."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal

from msgspec import UNSET, UnsetType, field

from nimble_async._sansio.record import AnyId, Member, Record
from nimble_async.activecampaign.models import wire
from nimble_async.activecampaign.models.bodies import Body
from nimble_async.activecampaign.models.stages import Stage

__all__ = ["AutoAssign", "Pipeline", "PipelineDraft", "PipelinePatch", "PipelineUser"]

AutoAssign = Literal["off", "round robin", "by value"]
_AUTO_ASSIGN = {"off": 0, "round robin": 1, "by value": 2}


class PipelineUser(Record, frozen=True, kw_only=True):
    """A user who gets deals of a pipeline assigned."""

    id: AnyId
    pipeline_id: ClassVar[Member[str]] = wire.ident("dealGroup")
    user_id: ClassVar[Member[str]] = wire.ident("user")
    created: ClassVar[Member[datetime]] = wire.moment("cdate")
    links: ClassVar[Member[Mapping[str, Any]]] = wire.links()


class Pipeline(Record, frozen=True, kw_only=True):
    """A pipeline of deals."""

    id: AnyId
    title: str | UnsetType | None = UNSET
    currency: str | UnsetType | None = UNSET
    """Of new deals."""
    all_groups: ClassVar[Member[bool]] = wire.flag("allgroups")
    """Whether every group of users may manage it."""
    all_users: ClassVar[Member[bool]] = wire.flag("allusers")
    """Whether new deals are assigned among all users."""
    auto_assign: ClassVar[Member[str]] = wire.word(_AUTO_ASSIGN, "autoassign")
    """`off`, `round robin` or `by value`."""
    stage_ids: ClassVar[Member[tuple[Any, ...]]] = Member(tuple[Any, ...], name="stages")
    groups: ClassVar[Member[tuple[Any, ...]]] = Member(tuple[Any, ...], name="dealGroupGroups")
    users: ClassVar[Member[tuple[Any, ...]]] = Member(tuple[Any, ...], name="dealGroupUsers")
    created: ClassVar[Member[datetime]] = wire.moment("cdate")
    updated: ClassVar[Member[datetime]] = wire.moment("udate")
    links: ClassVar[Member[Mapping[str, Any]]] = wire.links()

    @property
    def name(self) -> str:
        """The title; empty where it has none."""
        return self.title or ""

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Its stages, which the vendor sends beside it unasked."""
        return self.beside("dealStages", Stage)


class _PipelineMembers(Body, frozen=True, kw_only=True):
    """What a draft and a patch of a pipeline have alike."""

    words: ClassVar[Mapping[str, Mapping[str, int]]] = {"autoassign": _AUTO_ASSIGN}

    all_groups: bool | UnsetType = field(name="allgroups", default=UNSET)
    all_users: bool | UnsetType = field(name="allusers", default=UNSET)
    auto_assign: AutoAssign | UnsetType = field(name="autoassign", default=UNSET)
    user_ids: tuple[str, ...] | UnsetType = field(name="users", default=UNSET)
    """Who gets deals assigned, where not all users do."""
    group_ids: tuple[str, ...] | UnsetType = field(name="groups", default=UNSET)
    """Which groups of users may manage it, where not all may."""


class PipelinePatch(_PipelineMembers, frozen=True, kw_only=True):
    """What changes in a pipeline."""

    title: str | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    """Given to new deals; lower case."""


class PipelineDraft(_PipelineMembers, frozen=True, kw_only=True):
    """A pipeline to make; the vendor makes three stages with it."""

    title: str
    currency: str
    """Given to new deals; lower case."""
