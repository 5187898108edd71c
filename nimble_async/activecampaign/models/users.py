"""People of the account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from msgspec import UNSET, UnsetType

from nimble_async._sansio.record import AnyId, Member, Record
from nimble_async.activecampaign.models import wire

__all__ = ["User"]


class User(Record, frozen=True, kw_only=True):
    """A user of the account."""

    id: AnyId
    username: str | UnsetType | None = UNSET
    email: str | UnsetType | None = UNSET
    first_name: ClassVar[Member[str]] = Member(str, name="firstName")
    last_name: ClassVar[Member[str]] = Member(str, name="lastName")
    phone: str | UnsetType | None = UNSET
    signature: ClassVar[Member[Any]] = Member(object)
    links: ClassVar[Member[Mapping[str, Any]]] = wire.links()

    @property
    def name(self) -> str:
        """First and last name, else the user name; empty where none came."""
        parts = (self.first_name or "", self.last_name or "")
        return " ".join(part for part in parts if part) or self.username or ""
