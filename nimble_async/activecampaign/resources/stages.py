"""Stages of pipelines: facts on top, methods below."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from nimble_async._aio.paginator import Paginator
from nimble_async._aio.resource import Resource
from nimble_async._sansio import operation as op
from nimble_async._sansio.operation import Paging, Shape
from nimble_async.activecampaign.models.bodies import members_of
from nimble_async.activecampaign.models.deals import Deal
from nimble_async.activecampaign.models.stages import Stage, StageDraft, StagePatch
from nimble_async.activecampaign.resources.arguments import (
    Direction,
    check_id,
    check_limit,
    filtered,
    ordered,
)

__all__ = ["CREATE", "DELETE", "GET", "LIST", "MOVE_DEALS", "UPDATE", "StageOrder", "Stages"]

StageOrder: TypeAlias = Literal["title"]

LIST = op.get(
    "stages.list", "/api/3/dealStages", returns=Stage, shape=Shape.PAGE, items="dealStages",
    paging=Paging.OFFSET, unordered=True, summary="Stages of pipelines.",
)  # fmt: skip
CREATE = op.post(
    "stages.create", "/api/3/dealStages", returns=Stage, shape=Shape.MEMBER, items="dealStage",
    summary="Make a stage.",
)  # fmt: skip
GET = op.get(
    "stages.get", "/api/3/dealStages/{stage_id}", returns=Stage, shape=Shape.MEMBER, items="dealStage",
    summary="One stage.",
)  # fmt: skip
UPDATE = op.put(
    "stages.update", "/api/3/dealStages/{stage_id}", returns=Stage, shape=Shape.MEMBER, items="dealStage",
    summary="Change a stage.",
)  # fmt: skip
DELETE = op.delete(
    "stages.delete", "/api/3/dealStages/{stage_id}", returns=type(None),
    summary="Delete a stage, with its deals.",
)  # fmt: skip
# A repeat would find the stage empty and answer that nothing was moved.
MOVE_DEALS = op.put(
    "stages.move_deals", "/api/3/dealStages/{stage_id}/deals", returns=Deal, shape=Shape.LIST, items="deals",
    repeatable=False, destructive=True, summary="Move every deal of a stage to another.",
)  # fmt: skip


class Stages(Resource):
    """Stages of pipelines; the vendor's dealStages."""

    def list(
        self,
        *,
        title: str | None = None,
        pipeline_id: str | None = None,
        orders: Mapping[StageOrder, Direction] | None = None,
        limit: int = 100,
        offset: int | None = None,
        start: str | None = None,
    ) -> Paginator[Stage]:
        """List stages (`GET /dealStages`), as `deals.list` does.

        Args:
            title: Only those whose title holds this.
            pipeline_id: Only this pipeline's.
            orders: `title`.
            limit: Records a page, 100 at most.
            offset: The record to begin at, counted from 0.
            start: A checkpoint of the same list.

        Raises:
            QueryRefused: These arguments are not documented, or contradict each other.
            CheckpointRefused: `start` belongs to another list.
        """
        query = filtered(title=title, d_groupid=pipeline_id) | ordered(orders, ("title",))
        return self._paginate(LIST, query=query, size=check_limit(limit), offset=offset, start=start)

    async def create(self, draft: StageDraft | Mapping[str, Any], *, reorder: bool | None = None) -> Stage:
        """Make a stage (`POST /dealStages`).

        Args:
            draft: The stage.
            reorder: Whether every stage of the pipeline is numbered anew.

        Raises:
            InvalidInput: The vendor refuses the values.
        """
        return await self._call(CREATE, query={"reorder": reorder}, body={"dealStage": members_of(draft)})

    async def get(self, stage_id: str) -> Stage:
        """Return one stage (`GET /dealStages/{id}`).

        Raises:
            NotFound: No stage has this id.
        """
        return await self._call(GET, stage_id=stage_id)

    async def update(
        self, stage_id: str, patch: StagePatch | Mapping[str, Any], *, reorder: bool | None = None
    ) -> Stage:
        """Change a stage (`PUT /dealStages/{id}`); `reorder` is as in `create`.

        Raises:
            InvalidInput: The vendor refuses the values.
            NotFound: No stage has this id.
        """
        body = {"dealStage": members_of(patch)}
        return await self._call(UPDATE, query={"reorder": reorder}, body=body, stage_id=stage_id)

    async def delete(self, stage_id: str) -> None:
        """Delete a stage (`DELETE /dealStages/{id}`); its deals go with it: move them first.

        Raises:
            NotFound: No stage has this id.
        """
        await self._call(DELETE, stage_id=stage_id)

    async def move_deals(self, stage_id: str, to_stage_id: str) -> builtins.list[Deal]:
        """Move every deal of a stage to another of the same pipeline (`PUT /dealStages/{id}/deals`).

        It cannot be undone where the other stage had deals of its own, and is never sent twice.

        Returns:
            The deals that were moved, however many.

        Raises:
            InvalidInput: The other stage belongs to another pipeline.
        """
        return await self._rows(
            MOVE_DEALS, body={"deal": {"stage": check_id("to_stage_id", to_stage_id)}}, stage_id=stage_id
        )
