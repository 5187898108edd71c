"""Secondary contacts of deals: facts on top, methods below."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any

from nimble_async._aio.paginator import Paginator
from nimble_async._aio.resource import Resource
from nimble_async._sansio import operation as op
from nimble_async._sansio.operation import Paging, Shape, Side
from nimble_async.activecampaign.models.bodies import members_of
from nimble_async.activecampaign.models.secondary_contacts import (
    SecondaryContact,
    SecondaryContactDraft,
    SecondaryContactPatch,
)
from nimble_async.activecampaign.resources.arguments import check_limit

__all__ = ["CREATE", "DELETE", "GET", "LIST", "LIST_FOR_CONTACT", "UPDATE", "SecondaryContacts"]

_SIDES = (Side(name="deals", via=("deal",)), Side(name="contacts", via=("contact",)))

LIST = op.get(
    "secondary_contacts.list", "/api/3/contactDeals", returns=SecondaryContact, shape=Shape.PAGE,
    items="contactDeals", sides=_SIDES, paging=Paging.OFFSET, unordered=True,
    summary="Secondary contacts of all deals.",
)  # fmt: skip
CREATE = op.post(
    "secondary_contacts.create", "/api/3/contactDeals", returns=SecondaryContact, shape=Shape.MEMBER,
    items="contactDeal", sides=_SIDES, summary="Link a contact to a deal.",
)  # fmt: skip
GET = op.get(
    "secondary_contacts.get", "/api/3/contactDeals/{secondary_contact_id}", returns=SecondaryContact,
    shape=Shape.MEMBER, items="contactDeal", sides=_SIDES, summary="One link of a contact to a deal.",
)  # fmt: skip
UPDATE = op.put(
    "secondary_contacts.update", "/api/3/contactDeals/{secondary_contact_id}", returns=SecondaryContact,
    shape=Shape.MEMBER, items="contactDeal", sides=_SIDES, summary="Change a link, or give it a role.",
)  # fmt: skip
DELETE = op.delete(
    "secondary_contacts.delete", "/api/3/contactDeals/{secondary_contact_id}", returns=type(None),
    summary="Undo the link of a contact to a deal.",
)  # fmt: skip
LIST_FOR_CONTACT = op.get(
    "secondary_contacts.list_for_contact", "/api/3/contacts/{contact_id}/contactDeals",
    returns=SecondaryContact, shape=Shape.LIST, items="contactDeals", sides=_SIDES,
    summary="The deals that one contact is secondary to.",
)  # fmt: skip


class SecondaryContacts(Resource):
    """Links between deals and contacts that are not their primary ones; the vendor's contactDeals."""

    def list(
        self, *, limit: int = 100, offset: int | None = None, start: str | None = None
    ) -> Paginator[SecondaryContact]:
        """List every link of the account (`GET /contactDeals`), as `deals.list` does; it knows no order.

        Raises:
            QueryRefused: The limit is not in 1 to 100.
            CheckpointRefused: `start` belongs to another list.
        """
        return self._paginate(LIST, size=check_limit(limit), offset=offset, start=start)

    async def create(self, draft: SecondaryContactDraft | Mapping[str, Any]) -> SecondaryContact:
        """Link a contact to a deal (`POST /contactDeals`); the deal comes beside it.

        Raises:
            InvalidInput: They are linked already, or one of the ids is missing.
        """
        return await self._call(CREATE, body={"contactDeal": members_of(draft)})

    async def get(self, secondary_contact_id: str) -> SecondaryContact:
        """Return one link (`GET /contactDeals/{id}`).

        Raises:
            NotFound: No link has this id.
        """
        return await self._call(GET, secondary_contact_id=secondary_contact_id)

    async def update(
        self, secondary_contact_id: str, patch: SecondaryContactPatch | Mapping[str, Any]
    ) -> SecondaryContact:
        """Change a link, or give it a role (`PUT /contactDeals/{id}`).

        Raises:
            InvalidInput: The vendor refuses the values.
            NotFound: No link has this id.
        """
        body = {"contactDeal": members_of(patch)}
        return await self._call(UPDATE, body=body, secondary_contact_id=secondary_contact_id)

    async def delete(self, secondary_contact_id: str) -> None:
        """Undo a link (`DELETE /contactDeals/{id}`).

        Raises:
            NotFound: No link has this id.
        """
        await self._call(DELETE, secondary_contact_id=secondary_contact_id)

    async def list_for_contact(self, contact_id: str) -> builtins.list[SecondaryContact]:
        """Return the links of one contact (`GET /contacts/{id}/contactDeals`), deals and contact beside them.

        Raises:
            NotFound: No contact has this id.
        """
        return await self._rows(LIST_FOR_CONTACT, contact_id=contact_id)
