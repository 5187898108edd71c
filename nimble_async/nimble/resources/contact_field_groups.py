"""Groups of fields of contacts: facts on top, methods below."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import delete, post, put
from nimble_async.nimble.models.limits import changed, check_length
from nimble_async.nimble.models.metadata import FieldTab

__all__ = ["CREATE", "DELETE", "UPDATE", "ContactFieldGroups"]

CREATE = post(
    "contact_field_groups.create", "/api/v1/contacts/fields/groups", returns=FieldTab,
    summary="Add a group of fields to a tab.",
)  # fmt: skip
UPDATE = put(
    "contact_field_groups.update", "/api/v1/contacts/fields/groups/{group_id}", returns=FieldTab,
    summary="Rename or move a group of fields.",
)  # fmt: skip
DELETE = delete(
    "contact_field_groups.delete", "/api/v1/contacts/fields/groups/{group_id}", returns=type(None),
    summary="Delete a group of fields.",
)  # fmt: skip


class ContactFieldGroups(Resource):
    """Groups of fields of contacts."""

    async def create(
        self, *, name: str, tab_id: str, logo_id: str, insert_after: str | None = None
    ) -> FieldTab:
        """Add a group to a tab; returns the tab.

        `POST /api/v1/contacts/fields/groups`

        Args:
            name: 1 to 50 characters.
            tab_id: The tab to put it in.
            logo_id: The id of its picture.
            insert_after: The group or field it comes after; None: it comes first.

        Raises:
            DraftRefused: The vendor would refuse the name.
            InvalidInput: The vendor refuses the values.
        """
        check_length("The name of a group", name, least=1, most=50)
        body = {"name": name, "tab_id": tab_id, "logo_id": logo_id, "insert_after": insert_after}
        return await self._call(CREATE, body=body)

    async def update(
        self,
        group_id: str,
        *,
        name: str | UnsetType = UNSET,
        tab_id: str | UnsetType = UNSET,
        logo_id: str | UnsetType = UNSET,
        insert_after: str | UnsetType | None = UNSET,
    ) -> FieldTab:
        """Rename or move a group; returns its tab. What is not given stays.

        `PUT /api/v1/contacts/fields/groups/{group_id}`

        Args:
            group_id: The group.
            name: 1 to 50 characters.
            tab_id: The tab to put it in.
            logo_id: The id of its picture.
            insert_after: The group or field it comes after; None: it comes first.

        Raises:
            DraftRefused: The vendor would refuse the name, or nothing is changed.
            NotFound: No group has this id.
            InvalidInput: The vendor refuses the values.
        """
        check_length("The name of a group", name, least=1, most=50)
        body = changed(name=name, tab_id=tab_id, logo_id=logo_id, insert_after=insert_after)
        return await self._call(UPDATE, body=body, group_id=group_id)

    async def delete(self, group_id: str, *, preflight_checks: bool = True) -> None:
        """Delete a group.

        `DELETE /api/v1/contacts/fields/groups/{group_id}`

        Args:
            group_id: The group.
            preflight_checks: Whether the vendor refuses where something would be affected.

        Raises:
            ActionRefused: Something would be affected.
            NotFound: No group has this id.
        """
        await self._call(DELETE, query={"preflight_checks": preflight_checks}, group_id=group_id)
