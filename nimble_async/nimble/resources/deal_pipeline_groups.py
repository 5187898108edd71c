"""Groups of fields of pipelines: facts on top, methods below."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import delete, post, put
from nimble_async.nimble.models.deal_metadata import DealFieldsMetadata
from nimble_async.nimble.models.limits import changed, given
from nimble_async.nimble.models.pipeline_drafts import DealFieldDraft

__all__ = ["CREATE", "DELETE", "UPDATE", "DealPipelineGroups"]

CREATE = post(
    "deal_pipeline_groups.create", "/api/v2/deals/pipelines/{pipeline_id}/groups",
    returns=DealFieldsMetadata, summary="Add a group of fields to a pipeline.",
)  # fmt: skip
UPDATE = put(
    "deal_pipeline_groups.update", "/api/v2/deals/pipelines/{pipeline_id}/groups/{group_id}",
    returns=DealFieldsMetadata, summary="Rename or move a group of fields.",
)  # fmt: skip
DELETE = delete(
    "deal_pipeline_groups.delete", "/api/v2/deals/pipelines/{pipeline_id}/groups/{group_id}",
    returns=type(None), summary="Delete a group of fields.",
)  # fmt: skip


class DealPipelineGroups(Resource):
    """Groups of fields of pipelines. Answers describe the fields of all deals."""

    async def create(
        self,
        pipeline_id: str,
        *,
        group_name: str | UnsetType = UNSET,
        logo_id: str | UnsetType = UNSET,
        insert_after: str | UnsetType | None = UNSET,
        fields: Sequence[DealFieldDraft] | UnsetType = UNSET,
    ) -> DealFieldsMetadata:
        """Add a group of fields to a pipeline. Never repeated automatically.

        `POST /api/v2/deals/pipelines/{pipeline_id}/groups`

        Args:
            pipeline_id: The pipeline.
            group_name: The group's name.
            logo_id: The id of its picture.
            insert_after: The id of the field or group before it; None puts it first.
            fields: The fields to create in it.

        Raises:
            Forbidden: This account may not change the pipeline.
            NotFound: No pipeline has this id.
        """
        body = given(group_name=group_name, logo_id=logo_id, insert_after=insert_after, fields=fields)
        return await self._call(CREATE, body=body, pipeline_id=pipeline_id)

    async def update(
        self,
        pipeline_id: str,
        group_id: str,
        *,
        group_name: str | UnsetType = UNSET,
        logo_id: str | UnsetType = UNSET,
        insert_after: str | UnsetType | None = UNSET,
    ) -> DealFieldsMetadata:
        """Rename or move a group; what is not given stays.

        `PUT /api/v2/deals/pipelines/{pipeline_id}/groups/{group_id}`

        Args:
            pipeline_id: The pipeline.
            group_id: The group.
            group_name: The group's name.
            logo_id: The id of its picture.
            insert_after: The id of the field or group before it; None puts it first.

        Raises:
            DraftRefused: Nothing is changed.
            Forbidden: This account may not change the pipeline.
            NotFound: No pipeline or group has this id.
        """
        body = changed(group_name=group_name, logo_id=logo_id, insert_after=insert_after)
        return await self._call(UPDATE, body=body, pipeline_id=pipeline_id, group_id=group_id)

    async def delete(self, pipeline_id: str, group_id: str) -> None:
        """Delete a group of fields.

        `DELETE /api/v2/deals/pipelines/{pipeline_id}/groups/{group_id}`

        Args:
            pipeline_id: The pipeline.
            group_id: The group.

        Raises:
            Forbidden: This account may not change the pipeline.
            NotFound: No pipeline or group has this id.
        """
        await self._call(DELETE, pipeline_id=pipeline_id, group_id=group_id)
