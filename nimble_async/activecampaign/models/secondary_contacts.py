"""Secondary contacts of deals, which the vendor calls contact deals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from msgspec import UNSET, UnsetType, field

from nimble_async._sansio.record import AnyId, Member, Record
from nimble_async.activecampaign.models import wire
from nimble_async.activecampaign.models.bodies import Body
from nimble_async.activecampaign.models.contacts import Contact
from nimble_async.activecampaign.models.deals import Deal

__all__ = ["SecondaryContact", "SecondaryContactDraft", "SecondaryContactPatch"]


class SecondaryContact(Record, frozen=True, kw_only=True):
    """A link between a deal and a contact that is not its primary one."""

    id: AnyId
    deal_id: ClassVar[Member[str]] = wire.ident("deal")
    contact_id: ClassVar[Member[str]] = wire.ident("contact")
    role_id: ClassVar[Member[str]] = wire.ident("role")
    created: ClassVar[Member[datetime]] = wire.moment("cdate")
    created_at: ClassVar[Member[datetime]] = wire.moment("created_timestamp")
    """Without a zone, like `updated_at`; lists of one contact have it in the place of `created`."""
    updated_at: ClassVar[Member[datetime]] = wire.moment("updated_timestamp")
    created_by: ClassVar[Member[str]] = wire.ident()
    updated_by: ClassVar[Member[str]] = wire.ident()
    links: ClassVar[Member[Mapping[str, Any]]] = wire.links()

    @property
    def deal(self) -> Deal | None:
        """The deal; None unless it came beside the link, as after a write."""
        return next((one for one in self.beside("deals", Deal) if one.id == self.deal_id), None)

    @property
    def contact(self) -> Contact | None:
        """The contact; None unless it came beside the link."""
        return next((one for one in self.beside("contacts", Contact) if one.id == self.contact_id), None)


class SecondaryContactDraft(Body, frozen=True, kw_only=True):
    """A contact to link to a deal."""

    deal_id: str = field(name="deal")
    contact_id: str = field(name="contact")


class SecondaryContactPatch(Body, frozen=True, kw_only=True):
    """What changes in a link; the role can only be given here."""

    deal_id: str | UnsetType = field(name="deal", default=UNSET)
    contact_id: str | UnsetType = field(name="contact", default=UNSET)
    role_id: int | str | UnsetType | None = field(name="role", default=UNSET)
