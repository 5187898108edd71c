"""The fields that deals have, and the columns that listings show: facts on top, methods below."""

from __future__ import annotations

from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import get
from nimble_async.nimble.models.deal_metadata import ColumnCatalogue, DealFieldsMetadata

__all__ = ["COLUMN_CATALOGUE", "LIST", "DealFields"]

COLUMN_CATALOGUE = get(
    "deal_fields.column_catalogue", "/api/v2/deals/column_catalogue", returns=ColumnCatalogue,
    summary="The columns that listings of deals can show.",
)  # fmt: skip
LIST = get(
    "deal_fields.list", "/api/v2/deals/fields", returns=DealFieldsMetadata,
    summary="The standard fields of deals, and those of every pipeline.",
)  # fmt: skip


class DealFields(Resource):
    """The fields that deals have."""

    async def column_catalogue(self) -> ColumnCatalogue:
        """Return the columns that listings of deals can show, some of them in groups.

        `GET /api/v2/deals/column_catalogue`
        """
        return await self._call(COLUMN_CATALOGUE)

    async def list(self) -> DealFieldsMetadata:
        """Return the standard fields of deals and those of every pipeline.

        Its `field_id(name)` finds the id of a field; `DealDraft.resolved` and `DealPatch.resolved` use it.

        `GET /api/v2/deals/fields`
        """
        return await self._call(LIST)
