"""Stages of pipelines: facts on top, methods below."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import Shape, delete, post, put
from nimble_async.nimble.models.limits import changed, check_length, given
from nimble_async.nimble.models.pipeline_drafts import check_stage
from nimble_async.nimble.models.pipelines import Pipeline

__all__ = ["ARCHIVE", "CREATE", "UPDATE", "DealStages"]

CREATE = post(
    "deal_stages.create", "/api/v2/deals/pipelines/{pipeline_id}/stages", returns=Pipeline,
    summary="Add a stage to a pipeline.",
)  # fmt: skip
UPDATE = put(
    "deal_stages.update", "/api/v2/deals/pipelines/{pipeline_id}/stages/{stage_id}", returns=Pipeline,
    summary="Change a stage.",
)  # fmt: skip
ARCHIVE = delete(
    "deal_stages.archive", "/api/v2/deals/pipelines/{pipeline_id}/stages/{stage_id}", returns=type(None),
    shape=Shape.EMPTY, summary="Archive a stage; no documented route brings it back.",
)  # fmt: skip

_LONGEST = 4096
"""Characters of a stage's name and of its description."""


class DealStages(Resource):
    """Stages of pipelines. Answers are the whole pipeline."""

    async def create(
        self,
        pipeline_id: str,
        *,
        name: str | UnsetType = UNSET,
        description: str | UnsetType = UNSET,
        insert_after: str | UnsetType | None = UNSET,
        expected_days: int | float | UnsetType = UNSET,
        default_probability: int | float | UnsetType = UNSET,
    ) -> Pipeline:
        """Add a stage to a pipeline. Never repeated automatically.

        `POST /api/v2/deals/pipelines/{pipeline_id}/stages`

        Args:
            pipeline_id: The pipeline; sent in the body too, as documented.
            name: The stage's name.
            description: Text.
            insert_after: The id of the stage before it; None puts it first.
            expected_days: How many days a deal is expected to stay, 0 or more.
            default_probability: In percent, 0 to 100, for deals without their own.

        Raises:
            NotFound: No pipeline has this id.
            DraftRefused: A number is outside of its bounds.
        """
        check_stage(expected_days=expected_days, default_probability=default_probability)
        body = given(
            name=name,
            description=description,
            pipeline_id=pipeline_id,
            insert_after=insert_after,
            expected_days=expected_days,
            default_probability=default_probability,
        )
        return await self._call(CREATE, body=body, pipeline_id=pipeline_id)

    async def update(
        self,
        pipeline_id: str,
        stage_id: str,
        *,
        name: str | UnsetType = UNSET,
        description: str | UnsetType | None = UNSET,
        expected_days: int | UnsetType = UNSET,
        default_probability: int | UnsetType = UNSET,
    ) -> Pipeline:
        """Change a stage; what is not given stays.

        `PUT /api/v2/deals/pipelines/{pipeline_id}/stages/{stage_id}`

        Args:
            pipeline_id: The pipeline.
            stage_id: The stage.
            name: 1 to 4096 characters.
            description: 1 to 4096 characters; None clears it.
            expected_days: How many days a deal is expected to stay.
            default_probability: In percent, 0 to 100, for deals without their own.

        Raises:
            NotFound: No pipeline or stage has this id.
            DraftRefused: A text or a number is outside of its bounds, or nothing is changed.
        """
        check_length("The name of a stage", name, least=1, most=_LONGEST)
        check_length("The description of a stage", description, least=1, most=_LONGEST)
        check_stage(expected_days=UNSET, default_probability=default_probability)
        body = changed(
            name=name,
            description=description,
            expected_days=expected_days,
            default_probability=default_probability,
        )
        return await self._call(UPDATE, body=body, pipeline_id=pipeline_id, stage_id=stage_id)

    async def archive(self, pipeline_id: str, stage_id: str) -> None:
        """Archive a stage. The vendor's verb is DELETE, and no documented route brings it back.

        `DELETE /api/v2/deals/pipelines/{pipeline_id}/stages/{stage_id}`

        Args:
            pipeline_id: The pipeline.
            stage_id: The stage.

        Raises:
            NotFound: No pipeline or stage has this id.
        """
        await self._call(ARCHIVE, pipeline_id=pipeline_id, stage_id=stage_id)
