"""Fields of pipelines: facts on top, methods below."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import delete, post, put
from nimble_async.nimble.models.deal_metadata import DealFieldsMetadata
from nimble_async.nimble.models.limits import changed, given
from nimble_async.nimble.models.metadata import NewFieldType, Presentation
from nimble_async.nimble.models.presenting import check_digits, check_rule

__all__ = ["CREATE", "DELETE", "UPDATE", "DealPipelineFields"]

CREATE = post(
    "deal_pipeline_fields.create", "/api/v2/deals/pipelines/{pipeline_id}/fields",
    returns=DealFieldsMetadata, summary="Add a field to the deals of a pipeline.",
)  # fmt: skip
UPDATE = put(
    "deal_pipeline_fields.update", "/api/v2/deals/pipelines/{pipeline_id}/fields/{field_id}",
    returns=DealFieldsMetadata, summary="Change or move a field of a pipeline.",
)  # fmt: skip
DELETE = delete(
    "deal_pipeline_fields.delete", "/api/v2/deals/pipelines/{pipeline_id}/fields/{field_id}",
    returns=type(None), summary="Delete a field of a pipeline, with its values.",
)  # fmt: skip


class DealPipelineFields(Resource):
    """Fields that the deals of one pipeline have. Answers describe the fields of all deals."""

    async def create(
        self,
        pipeline_id: str,
        *,
        name: str,
        field_type: NewFieldType,
        presentation: Presentation | None = None,
        insert_after: str | UnsetType | None = UNSET,
        group_id: str | UnsetType = UNSET,
    ) -> DealFieldsMetadata:
        """Add a field to the deals of a pipeline. Never repeated automatically; its kind never changes.

        `POST /api/v2/deals/pipelines/{pipeline_id}/fields`

        Args:
            pipeline_id: The pipeline; sent in the body too, as documented.
            name: The field's name.
            field_type: What its values are, such as `NumberType()`.
            presentation: How they are shown: required for numbers and dates. None is sent as null, since
                the vendor requires the member of every field.
            insert_after: The id of the field or group before it; None puts it first.
            group_id: The group it belongs to, if any.

        Raises:
            DraftRefused: The vendor would refuse the rule or the digits.
            ActionRefused: The field is not acceptable.
            InvalidInput: The values are not.
        """
        check_rule(field_type)
        check_digits(presentation)
        body = given(
            name=name,
            field_type=field_type,
            presentation=presentation,
            pipeline_id=pipeline_id,
            insert_after=insert_after,
            group_id=group_id,
        )
        return await self._call(CREATE, body=body, pipeline_id=pipeline_id)

    async def update(
        self,
        pipeline_id: str,
        field_id: str,
        *,
        name: str | UnsetType = UNSET,
        presentation: Presentation | UnsetType | None = UNSET,
        insert_after: str | UnsetType | None = UNSET,
        group_id: str | UnsetType | None = UNSET,
    ) -> DealFieldsMetadata:
        """Change or move a field; what is not given stays.

        `PUT /api/v2/deals/pipelines/{pipeline_id}/fields/{field_id}`

        Args:
            pipeline_id: The pipeline.
            field_id: The field.
            name: The field's name.
            presentation: How its values are shown.
            insert_after: The id of the field or group before it; None puts it first.
            group_id: The group to move it to; None takes it out of its group.

        Raises:
            DraftRefused: The vendor would refuse the digits, or nothing is changed.
            NotFound: No field has this id.
            ActionRefused: The field is not acceptable.
        """
        check_digits(presentation)
        body = changed(name=name, presentation=presentation, insert_after=insert_after, group_id=group_id)
        return await self._call(UPDATE, body=body, pipeline_id=pipeline_id, field_id=field_id)

    async def delete(
        self, pipeline_id: str, field_id: str, *, preflight_checks: bool | UnsetType = UNSET
    ) -> None:
        """Delete a field, and what the deals hold in it.

        `DELETE /api/v2/deals/pipelines/{pipeline_id}/fields/{field_id}`

        Args:
            pipeline_id: The pipeline.
            field_id: The field.
            preflight_checks: Whether the vendor checks first what would be lost.

        Raises:
            Forbidden: This account may not change the pipeline.
            NotFound: No field has this id.
        """
        body = UNSET if preflight_checks is UNSET else {"preflight_checks": preflight_checks}
        await self._call(DELETE, body=body, pipeline_id=pipeline_id, field_id=field_id)
