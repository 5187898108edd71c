"""Pipelines of deals: facts on top, methods below."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any

from nimble_async._aio.paginator import Paginator
from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import Paging, Shape, get
from nimble_async.nimble.models.deals import Deal
from nimble_async.nimble.models.pipelines import Pipeline
from nimble_async.nimble.resources.arguments import check_paging, check_sort, search_text

__all__ = ["DEALS_BY_STAGE", "LIST", "DealPipelines"]

LIST = get(
    "deal_pipelines.list", "/api/v2/deals/pipelines", returns=Pipeline, shape=Shape.LIST, items="pipelines",
    summary="Every pipeline of deals, with its stages.",
)  # fmt: skip
DEALS_BY_STAGE = get(
    "deal_pipelines.deals_by_stage", "/api/v2/deals/pipelines/{pipeline_id}/deals", returns=Deal,
    shape=Shape.GROUPS, items="stages/deals", paging=Paging.NEXT_PAGE_URL,
    summary="The deals of a pipeline, stage by stage.",
)  # fmt: skip


class DealPipelines(Resource):
    """Pipelines of deals, with their stages."""

    async def list(self) -> builtins.list[Pipeline]:
        """Return every pipeline that this account may see."""
        return await self._rows(LIST)

    def deals_by_stage(
        self,
        pipeline_id: str,
        *,
        sort: str,
        query: Mapping[str, Any] | str | None = None,
        stage_id: str | None = None,
        stuck: bool | None = None,
        limit: int = 100,
        start: str | None = None,
    ) -> Paginator[Deal]:
        """List the deals of a pipeline; nothing is sent until the list is awaited or iterated.

        The first page holds the first deals of every stage, the pages behind it go on with one stage
        each. A page's `groups` has the stages with their counts, as the vendor sent them.

        Args:
            pipeline_id: The pipeline.
            sort: `<field>:asc` or `<field>:desc`, such as `name:asc`; the vendor requires one.
            query: A search as an object or as its JSON text.
            stage_id: Only this stage.
            stuck: Only deals that are over the expected days of their stage, or only those that are not.
            limit: Deals of each stage in one answer.
            start: A checkpoint of the same list, to go on where it was taken.

        Raises:
            QueryRefused: The vendor would refuse these arguments.
            CheckpointRefused: `start` belongs to another list.
        """
        check_paging(size=limit)
        arguments = {
            "sort": check_sort(sort),
            "query": search_text(query),
            "stage_id": stage_id,
            "stuck": stuck,
        }
        return self._paginate(
            DEALS_BY_STAGE, query=arguments, size=limit, start=start, pipeline_id=pipeline_id
        )
