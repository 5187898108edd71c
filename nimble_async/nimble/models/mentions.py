"""People and companies as other records mention them."""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec import UNSET, UnsetType

from nimble_async._sansio.record import Id, Member, Record

__all__ = ["ShortContact", "ShortEmployment"]


class ShortEmployment(Record, frozen=True, kw_only=True):
    """Where a mentioned person works."""

    company_name: str | UnsetType | None = UNSET
    title: str | UnsetType | None = UNSET


class ShortContact(Record, frozen=True, kw_only=True):
    """A contact as a deal, a note or a message mentions it; `contacts.get(id)` has the whole."""

    id: Id
    name: str | UnsetType | None = UNSET
    contact_type: str | UnsetType | None = UNSET
    """`person` or `company`."""
    avatar_url: str | UnsetType | None = UNSET
    is_viewable: bool | UnsetType | None = UNSET
    """Whether this account may see it in details."""
    email: ClassVar[Member[tuple[str, ...]]] = Member(tuple[str, ...])
    """Every e-mail address."""
    employment: ClassVar[Member[ShortEmployment]] = Member.of(ShortEmployment)
    """The most relevant one."""
    phones: ClassVar[Member[Any]] = Member(object)
    """Declared one `{label, value}`, named like a list: whatever came."""
