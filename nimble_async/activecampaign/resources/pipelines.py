"""Pipelines: facts on top, methods below."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from nimble_async._aio.paginator import Paginator
from nimble_async._aio.resource import Resource
from nimble_async._sansio import operation as op
from nimble_async._sansio.operation import Paging, Shape, Side
from nimble_async.activecampaign.models.bodies import members_of
from nimble_async.activecampaign.models.pipelines import Pipeline, PipelineDraft, PipelinePatch
from nimble_async.activecampaign.resources.arguments import Direction, check_limit, filtered, ordered

__all__ = ["CREATE", "DELETE", "GET", "LIST", "UPDATE", "PipelineOrder", "Pipelines"]

PipelineOrder: TypeAlias = Literal["title", "popular"]

_SIDES = (
    Side(name="dealStages", back=("group",)),
    Side(name="dealGroupUsers", back=("dealGroup",)),
    Side(name="dealGroupGroups", back=("dealGroup",)),
)

LIST = op.get(
    "pipelines.list", "/api/3/dealGroups", returns=Pipeline, shape=Shape.PAGE, items="dealGroups",
    sides=_SIDES, paging=Paging.OFFSET, unordered=True, summary="Pipelines, with their stages.",
)  # fmt: skip
CREATE = op.post(
    "pipelines.create", "/api/3/dealGroups", returns=Pipeline, shape=Shape.MEMBER, items="dealGroup",
    sides=_SIDES, summary="Make a pipeline; three stages come with it.",
)  # fmt: skip
GET = op.get(
    "pipelines.get", "/api/3/dealGroups/{pipeline_id}", returns=Pipeline, shape=Shape.MEMBER,
    items="dealGroup", sides=_SIDES, summary="One pipeline, with its stages.",
)  # fmt: skip
UPDATE = op.put(
    "pipelines.update", "/api/3/dealGroups/{pipeline_id}", returns=Pipeline, shape=Shape.MEMBER,
    items="dealGroup", sides=_SIDES, summary="Change a pipeline.",
)  # fmt: skip
DELETE = op.delete(
    "pipelines.delete", "/api/3/dealGroups/{pipeline_id}", returns=type(None),
    summary="Delete a pipeline, with its stages and deals.",
)  # fmt: skip


class Pipelines(Resource):
    """Pipelines of deals; the vendor's dealGroups."""

    def list(
        self,
        *,
        title: str | None = None,
        have_stages: bool | None = None,
        orders: Mapping[PipelineOrder, Direction] | None = None,
        limit: int = 100,
        offset: int | None = None,
        start: str | None = None,
    ) -> Paginator[Pipeline]:
        """List pipelines with their stages (`GET /dealGroups`), as `deals.list` does.

        Args:
            title: Only those whose title holds this.
            have_stages: Only those that have a stage.
            orders: `title`, or `popular`: by how many deals each has.
            limit: Records a page, 100 at most.
            offset: The record to begin at, counted from 0.
            start: A checkpoint of the same list.

        Raises:
            QueryRefused: These arguments are not documented, or contradict each other.
            CheckpointRefused: `start` belongs to another list.
        """
        query = filtered(title=title, have_stages=have_stages) | ordered(orders, ("title", "popular"))
        return self._paginate(LIST, query=query, size=check_limit(limit), offset=offset, start=start)

    async def create(self, draft: PipelineDraft | Mapping[str, Any]) -> Pipeline:
        """Make a pipeline (`POST /dealGroups`); the vendor makes three stages with it.

        Raises:
            InvalidInput: The vendor refuses the values.
        """
        return await self._call(CREATE, body={"dealGroup": members_of(draft)})

    async def get(self, pipeline_id: str) -> Pipeline:
        """Return one pipeline with its stages (`GET /dealGroups/{id}`).

        Raises:
            NotFound: No pipeline has this id.
        """
        return await self._call(GET, pipeline_id=pipeline_id)

    async def update(self, pipeline_id: str, patch: PipelinePatch | Mapping[str, Any]) -> Pipeline:
        """Change a pipeline (`PUT /dealGroups/{id}`).

        Raises:
            InvalidInput: The vendor refuses the values.
            NotFound: No pipeline has this id.
        """
        return await self._call(UPDATE, body={"dealGroup": members_of(patch)}, pipeline_id=pipeline_id)

    async def delete(self, pipeline_id: str) -> None:
        """Delete a pipeline (`DELETE /dealGroups/{id}`); its stages and deals go with it.

        Raises:
            NotFound: No pipeline has this id.
        """
        await self._call(DELETE, pipeline_id=pipeline_id)
