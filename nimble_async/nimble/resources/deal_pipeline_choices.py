"""Options of choice fields of pipelines: facts on top, methods below."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import delete, post, put
from nimble_async.nimble.models.deal_metadata import DealFieldsMetadata
from nimble_async.nimble.models.limits import changed, given
from nimble_async.nimble.models.metadata import Choice

__all__ = ["CREATE", "DELETE", "UPDATE", "DealPipelineChoices"]

CREATE = post(
    "deal_pipeline_choices.create", "/api/v2/deals/pipelines/{pipeline_id}/fields/{field_id}/choices",
    returns=DealFieldsMetadata, summary="Add an option to a choice field of a pipeline.",
)  # fmt: skip
UPDATE = put(
    "deal_pipeline_choices.update",
    "/api/v2/deals/pipelines/{pipeline_id}/fields/{field_id}/choices/{choice_id}",
    returns=DealFieldsMetadata, summary="Rename or move an option of a choice field.",
)  # fmt: skip
DELETE = delete(
    "deal_pipeline_choices.delete",
    "/api/v2/deals/pipelines/{pipeline_id}/fields/{field_id}/choices/{choice_id}",
    returns=type(None), summary="Drop an option of a choice field.",
)  # fmt: skip


class DealPipelineChoices(Resource):
    """Options of choice fields of pipelines. Answers describe the fields of all deals."""

    async def create(
        self,
        pipeline_id: str,
        field_id: str,
        *,
        choice: Choice,
        insert_after: str | UnsetType | None = UNSET,
    ) -> DealFieldsMetadata:
        """Add an option to a choice field. Never repeated automatically.

        `POST /api/v2/deals/pipelines/{pipeline_id}/fields/{field_id}/choices`

        Args:
            pipeline_id: The pipeline.
            field_id: The choice field.
            choice: The id that deals store, and the text that people see.
            insert_after: The id of the option before it; None puts it first.

        Raises:
            NotFound: No pipeline or field has this id.
        """
        body = given(choice=choice, insert_after=insert_after)
        return await self._call(CREATE, body=body, pipeline_id=pipeline_id, field_id=field_id)

    async def update(
        self,
        pipeline_id: str,
        field_id: str,
        choice_id: str,
        *,
        value: str | UnsetType | None = UNSET,
        insert_after: str | UnsetType | None = UNSET,
    ) -> DealFieldsMetadata:
        """Rename or move an option; what is not given stays.

        `PUT /api/v2/deals/pipelines/{pipeline_id}/fields/{field_id}/choices/{choice_id}`

        Args:
            pipeline_id: The pipeline.
            field_id: The choice field.
            choice_id: The option.
            value: The text that people see.
            insert_after: The id of the option before it; None puts it first.

        Raises:
            DraftRefused: Nothing is changed.
            NotFound: No pipeline, field or option has this id.
            ActionRefused: The option is not acceptable.
        """
        body = changed(value=value, insert_after=insert_after)
        return await self._call(
            UPDATE, body=body, pipeline_id=pipeline_id, field_id=field_id, choice_id=choice_id
        )

    async def delete(
        self,
        pipeline_id: str,
        field_id: str,
        choice_id: str,
        *,
        preflight_checks: bool | UnsetType = UNSET,
    ) -> None:
        """Drop an option.

        `DELETE /api/v2/deals/pipelines/{pipeline_id}/fields/{field_id}/choices/{choice_id}`

        Args:
            pipeline_id: The pipeline.
            field_id: The choice field.
            choice_id: The option.
            preflight_checks: Whether the vendor checks first what would be lost.

        Raises:
            Forbidden: This account may not change the pipeline.
            NotFound: No pipeline, field or option has this id.
        """
        body = UNSET if preflight_checks is UNSET else {"preflight_checks": preflight_checks}
        await self._call(DELETE, body=body, pipeline_id=pipeline_id, field_id=field_id, choice_id=choice_id)
