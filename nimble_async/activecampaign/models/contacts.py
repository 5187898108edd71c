"""Contacts, as deals bring them along."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from msgspec import UNSET, UnsetType

from nimble_async._sansio.record import AnyId, Member, Record
from nimble_async.activecampaign.models import wire

__all__ = ["Contact"]


class Contact(Record, frozen=True, kw_only=True):
    """A contact beside a deal. This package has no operations of contacts."""

    id: AnyId
    email: str | UnsetType | None = UNSET
    phone: str | UnsetType | None = UNSET
    first_name: ClassVar[Member[str]] = Member(str, name="firstName")
    last_name: ClassVar[Member[str]] = Member(str, name="lastName")
    created: ClassVar[Member[datetime]] = wire.moment("cdate")
    updated: ClassVar[Member[datetime]] = wire.moment("udate")
    links: ClassVar[Member[Mapping[str, Any]]] = wire.links()

    @property
    def name(self) -> str:
        """First and last name, else the e-mail address; empty where none came."""
        parts = (self.first_name or "", self.last_name or "")
        return " ".join(part for part in parts if part) or self.email or ""
