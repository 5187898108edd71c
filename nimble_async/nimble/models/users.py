"""People of the account."""

from __future__ import annotations

from msgspec import UNSET, UnsetType, field

from nimble_async._sansio.record import Id, Record

__all__ = ["CompanyUser", "Myself", "User"]


class User(Record, frozen=True, kw_only=True):
    """A user of the account, as other records mention one."""

    id: Id = field(name="user_id")
    name: str | UnsetType | None = UNSET
    email: str | UnsetType | None = UNSET
    avatar_url: str | UnsetType | None = UNSET
    is_active: bool | UnsetType | None = UNSET


class CompanyUser(Record, frozen=True, kw_only=True):
    """A user of the account, disabled ones included. The vendor's sample shows no id."""

    id: str | UnsetType | None = field(name="user_id", default=UNSET)
    name: str | UnsetType | None = UNSET
    email: str | UnsetType | None = UNSET
    avatar_url: str | UnsetType | None = UNSET
    is_active: bool | UnsetType | None = UNSET


class Myself(Record, frozen=True, kw_only=True):
    """The user whom the key or token belongs to."""

    id: Id = field(name="user_id")
    company_id: str | UnsetType | None = UNSET
    company_size: int | UnsetType | None = UNSET
    """How many users the account has."""
    email: str | UnsetType | None = UNSET
    name: str | UnsetType | None = UNSET
