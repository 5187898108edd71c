"""Tabs of fields of contacts: facts on top, methods below."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import UNSET, UnsetType

from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import delete, post, put
from nimble_async.errors import DraftRefused
from nimble_async.nimble.models.limits import changed, check_length
from nimble_async.nimble.models.metadata import FieldTab

__all__ = ["CREATE", "DELETE", "UPDATE", "ContactFieldTabs"]

CREATE = post(
    "contact_field_tabs.create",
    "/api/v1/contacts/fields/tabs",
    returns=FieldTab,
    summary="Add a tab of fields.",
)
UPDATE = put(
    "contact_field_tabs.update", "/api/v1/contacts/fields/tabs/{tab_id}", returns=FieldTab,
    summary="Rename or move a tab of fields.",
)  # fmt: skip
DELETE = delete(
    "contact_field_tabs.delete", "/api/v1/contacts/fields/tabs/{tab_id}", returns=type(None),
    summary="Delete a tab of fields.",
)  # fmt: skip

_TYPES = frozenset({"person", "company"})


class ContactFieldTabs(Resource):
    """Tabs of fields of contacts."""

    async def create(
        self, *, tab_name: str, contact_types: Iterable[str], insert_after: str | None = None
    ) -> FieldTab:
        """Add a tab; returns it.

        `POST /api/v1/contacts/fields/tabs`

        Args:
            tab_name: 1 to 50 characters.
            contact_types: Whose contacts show it: `person`, `company` or both.
            insert_after: The tab it comes after; None: it comes first.

        Raises:
            DraftRefused: The vendor would refuse these values.
            InvalidInput: The vendor refuses the values.
        """
        check_length("The name of a tab", tab_name, least=1, most=50)
        types = (contact_types,) if isinstance(contact_types, str) else tuple(contact_types)
        if not types or not _TYPES.issuperset(types):
            raise DraftRefused(f"contact_types takes 'person' and 'company', not {list(types)}.")
        body = {"tab_name": tab_name, "contact_types": types, "insert_after": insert_after}
        return await self._call(CREATE, body=body)

    async def update(
        self,
        tab_id: str,
        *,
        tab_name: str | UnsetType = UNSET,
        contact_types: Literal["person", "company"] | UnsetType = UNSET,
        insert_after: str | UnsetType | None = UNSET,
    ) -> FieldTab:
        """Rename or move a tab; returns it.

        `PUT /api/v1/contacts/fields/tabs/{tab_id}`

        Args:
            tab_id: The tab.
            tab_name: 1 to 50 characters.
            contact_types: One word here, where `create` takes several: that is the vendor's description.
            insert_after: The tab it comes after; None: it comes first.

        Raises:
            DraftRefused: The vendor would refuse these values, or nothing is changed.
            NotFound: No tab has this id.
            InvalidInput: The vendor refuses the values.
        """
        check_length("The name of a tab", tab_name, least=1, most=50)
        if contact_types is not UNSET and contact_types not in _TYPES:
            raise DraftRefused(f"contact_types takes 'person' or 'company', not {contact_types!r}.")
        body = changed(tab_name=tab_name, contact_types=contact_types, insert_after=insert_after)
        return await self._call(UPDATE, body=body, tab_id=tab_id)

    async def delete(self, tab_id: str, *, preflight_checks: bool = True) -> None:
        """Delete a tab.

        `DELETE /api/v1/contacts/fields/tabs/{tab_id}`

        Args:
            tab_id: The tab.
            preflight_checks: Whether the vendor refuses where something would be affected.

        Raises:
            ActionRefused: Something would be affected.
            NotFound: No tab has this id.
        """
        await self._call(DELETE, query={"preflight_checks": preflight_checks}, tab_id=tab_id)
