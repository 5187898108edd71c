"""Definitions of custom fields of deals: facts on top, methods below."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nimble_async._aio.paginator import Paginator
from nimble_async._aio.resource import Resource
from nimble_async._sansio import operation as op
from nimble_async._sansio.operation import Paging, Shape
from nimble_async.activecampaign.models.bodies import members_of
from nimble_async.activecampaign.models.custom_fields import CustomField, CustomFieldDraft, CustomFieldPatch
from nimble_async.activecampaign.resources.arguments import check_limit

__all__ = ["CREATE", "DELETE", "GET", "LIST", "UPDATE", "CustomFields"]

LIST = op.get(
    "custom_fields.list", "/api/3/dealCustomFieldMeta", returns=CustomField, shape=Shape.PAGE,
    items="dealCustomFieldMeta", paging=Paging.OFFSET, unordered=True, summary="Custom fields of deals.",
)  # fmt: skip
CREATE = op.post(
    "custom_fields.create", "/api/3/dealCustomFieldMeta", returns=CustomField, shape=Shape.MEMBER,
    items="dealCustomFieldMetum", summary="Make a custom field of deals.",
)  # fmt: skip
GET = op.get(
    "custom_fields.get", "/api/3/dealCustomFieldMeta/{custom_field_id}", returns=CustomField,
    shape=Shape.MEMBER, items="dealCustomFieldMetum", summary="One custom field of deals.",
)  # fmt: skip
UPDATE = op.put(
    "custom_fields.update", "/api/3/dealCustomFieldMeta/{custom_field_id}", returns=CustomField,
    shape=Shape.MEMBER, items="dealCustomFieldMetum", summary="Change a custom field of deals.",
)  # fmt: skip
DELETE = op.delete(
    "custom_fields.delete", "/api/3/dealCustomFieldMeta/{custom_field_id}", returns=type(None),
    summary="Delete a custom field of deals, with its values.",
)  # fmt: skip


class CustomFields(Resource):
    """Custom fields of deals; the vendor's dealCustomFieldMeta."""

    def list(
        self, *, limit: int = 100, offset: int | None = None, start: str | None = None
    ) -> Paginator[CustomField]:
        """List custom fields (`GET /dealCustomFieldMeta`), as `deals.list` does; no total comes.

        Raises:
            QueryRefused: The limit is not in 1 to 100.
            CheckpointRefused: `start` belongs to another list.
        """
        return self._paginate(LIST, size=check_limit(limit), offset=offset, start=start)

    async def create(self, draft: CustomFieldDraft | Mapping[str, Any]) -> CustomField:
        """Make a custom field (`POST /dealCustomFieldMeta`).

        Raises:
            InvalidInput: The vendor refuses the values.
        """
        return await self._call(CREATE, body={"dealCustomFieldMetum": members_of(draft)})

    async def get(self, custom_field_id: str) -> CustomField:
        """Return one custom field (`GET /dealCustomFieldMeta/{id}`).

        Raises:
            NotFound: No custom field has this id.
        """
        return await self._call(GET, custom_field_id=custom_field_id)

    async def update(self, custom_field_id: str, patch: CustomFieldPatch | Mapping[str, Any]) -> CustomField:
        """Change a custom field (`PUT /dealCustomFieldMeta/{id}`).

        Raises:
            InvalidInput: The vendor refuses the values.
            NotFound: No custom field has this id.
        """
        body = {"dealCustomFieldMetum": members_of(patch)}
        return await self._call(UPDATE, body=body, custom_field_id=custom_field_id)

    async def delete(self, custom_field_id: str) -> None:
        """Delete a custom field (`DELETE /dealCustomFieldMeta/{id}`).

        Raises:
            NotFound: No custom field has this id.
        """
        await self._call(DELETE, custom_field_id=custom_field_id)
