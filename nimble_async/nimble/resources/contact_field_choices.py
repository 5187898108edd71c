"""Choices of fields of contacts: facts on top, methods below. A contact stores a choice's id."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import Shape, delete, post, put
from nimble_async.nimble.models.limits import changed
from nimble_async.nimble.models.metadata import FieldTab

__all__ = ["CREATE", "DELETE", "UPDATE", "ContactFieldChoices"]

CREATE = post(
    "contact_field_choices.create", "/api/v1/contacts/fields/{field_id}/choices", returns=FieldTab,
    summary="Add a choice to a field.",
)  # fmt: skip
UPDATE = put(
    "contact_field_choices.update", "/api/v1/contacts/fields/{field_id}/choices/{id}", returns=FieldTab,
    shape=Shape.LIST, items="tabs", summary="Rename or move a choice of a field.",
)  # fmt: skip
DELETE = delete(
    "contact_field_choices.delete", "/api/v1/contacts/fields/{field_id}/choices/{id}", returns=FieldTab,
    shape=Shape.LIST, items="tabs", summary="Delete a choice of a field.",
)  # fmt: skip


class ContactFieldChoices(Resource):
    """Choices of fields of contacts."""

    async def create(
        self,
        field_id: str,
        *,
        id: str,  # noqa: A002 (the vendor's word)
        value: str,
        insert_after: str | None = None,
    ) -> FieldTab:
        """Add a choice; returns the tab its field is in.

        `POST /api/v1/contacts/fields/{field_id}/choices`

        Args:
            field_id: A field of kind `choice`.
            id: What contacts store; unique inside the field.
            value: What people see.
            insert_after: The id of the choice it comes after; None: it comes first.

        Raises:
            NotFound: No field has this id.
            InvalidInput: The vendor refuses the values.
        """
        body = {"id": id, "value": value, "insert_after": insert_after}
        return await self._call(CREATE, body=body, field_id=field_id)

    async def update(
        self,
        field_id: str,
        id: str,  # noqa: A002 (the vendor's word)
        *,
        value: str | UnsetType = UNSET,
        insert_after: str | UnsetType | None = UNSET,
    ) -> list[FieldTab]:
        """Rename or move a choice; returns every tab.

        `PUT /api/v1/contacts/fields/{field_id}/choices/{id}`

        Args:
            field_id: The field.
            id: The choice; it goes out in the path and in the body, as the vendor asks.
            value: What people see.
            insert_after: The id of the choice it comes after; None: it comes first.

        Raises:
            DraftRefused: Nothing is changed.
            NotFound: No field or no choice has this id.
            InvalidInput: The vendor refuses the values.
        """
        body = {"id": id, **changed(value=value, insert_after=insert_after)}
        return await self._rows(UPDATE, body=body, field_id=field_id, id=id)

    async def delete(
        self,
        field_id: str,
        id: str,  # noqa: A002 (the vendor's word)
        *,
        preflight_checks: bool = True,
    ) -> list[FieldTab]:
        """Delete a choice; returns every tab.

        `DELETE /api/v1/contacts/fields/{field_id}/choices/{id}`

        Args:
            field_id: The field.
            id: The choice.
            preflight_checks: Whether the vendor refuses where something would be affected.

        Raises:
            ActionRefused: Something would be affected.
            NotFound: No field or no choice has this id.
        """
        query = {"preflight_checks": preflight_checks}
        return await self._rows(DELETE, query=query, field_id=field_id, id=id)
