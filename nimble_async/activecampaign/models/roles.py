"""Roles that secondary contacts have in deals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from msgspec import UNSET, UnsetType

from nimble_async._sansio.record import AnyId, Member, Record
from nimble_async.activecampaign.models import wire

__all__ = ["Role"]


class Role(Record, frozen=True, kw_only=True):
    """A role in deals."""

    id: AnyId
    title: str | UnsetType | None = UNSET
    created: ClassVar[Member[datetime]] = wire.moment("created_timestamp")
    updated: ClassVar[Member[datetime]] = wire.moment("updated_timestamp")
    links: ClassVar[Member[Mapping[str, Any]]] = wire.links()

    @property
    def name(self) -> str:
        """The title; empty where it has none."""
        return self.title or ""
