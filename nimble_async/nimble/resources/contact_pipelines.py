"""Pipelines of contacts (leads): facts on top, methods below."""

from __future__ import annotations

import builtins

from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import Shape, get
from nimble_async.nimble.models.leads import ContactPipeline

__all__ = ["LIST", "ContactPipelines"]

LIST = get(
    "contact_pipelines.list", "/api/v1/contacts/pipelines", returns=ContactPipeline, shape=Shape.LIST,
    items="pipelines", summary="Every pipeline of contacts, with its stages.",
)  # fmt: skip


class ContactPipelines(Resource):
    """Pipelines of contacts (leads), with their stages."""

    async def list(self) -> builtins.list[ContactPipeline]:
        """Return every pipeline that this account may see.

        `GET /api/v1/contacts/pipelines`
        """
        return await self._rows(LIST)
