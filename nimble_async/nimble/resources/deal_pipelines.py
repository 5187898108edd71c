"""Pipelines of deals: facts on top, methods below."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any

from msgspec import UNSET, UnsetType

from nimble_async._aio.paginator import Paginator
from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import Paging, Shape, delete, get, post, put
from nimble_async.nimble.models.deals import Deal
from nimble_async.nimble.models.limits import changed, check_length
from nimble_async.nimble.models.pipeline_drafts import DealPipelineDraft
from nimble_async.nimble.models.pipelines import Pipeline
from nimble_async.nimble.resources.arguments import check_paging, check_sort, search_text

__all__ = [
    "ADD_LOST_REASON",
    "ARCHIVE",
    "CREATE",
    "DEALS_BY_OWNER",
    "DEALS_BY_STAGE",
    "DELETE",
    "GET",
    "LIST",
    "UNARCHIVE",
    "UPDATE",
    "DealPipelines",
]

LIST = get(
    "deal_pipelines.list", "/api/v2/deals/pipelines", returns=Pipeline, shape=Shape.LIST, items="pipelines",
    summary="Every pipeline of deals, with its stages.",
)  # fmt: skip
CREATE = post(
    "deal_pipelines.create", "/api/v2/deals/pipelines", returns=Pipeline,
    summary="Create a pipeline with its stages, fields and lost reasons.",
)  # fmt: skip
GET = get(
    "deal_pipelines.get", "/api/v2/deals/pipelines/{pipeline_id}", returns=Pipeline, summary="One pipeline."
)
UPDATE = put(
    "deal_pipelines.update", "/api/v2/deals/pipelines/{pipeline_id}", returns=Pipeline,
    summary="Rename, describe or colour a pipeline.",
)  # fmt: skip
DELETE = delete(
    "deal_pipelines.delete", "/api/v2/deals/pipelines/{pipeline_id}", returns=type(None),
    summary="Delete a pipeline and every deal in it.",
)  # fmt: skip
DEALS_BY_STAGE = get(
    "deal_pipelines.deals_by_stage", "/api/v2/deals/pipelines/{pipeline_id}/deals", returns=Deal,
    shape=Shape.GROUPS, items="stages/deals", paging=Paging.NEXT_PAGE_URL,
    summary="The deals of a pipeline, stage by stage.",
)  # fmt: skip
DEALS_BY_OWNER = get(
    "deal_pipelines.deals_by_owner", "/api/v2/deals/pipelines/{pipeline_id}/owners", returns=Deal,
    shape=Shape.GROUPS, items="groups/deals", paging=Paging.NEXT_PAGE_URL,
    summary="The deals of a pipeline, owner by owner.",
)  # fmt: skip
ARCHIVE = post(
    "deal_pipelines.archive", "/api/v2/deals/pipelines/{pipeline_id}/archive", returns=type(None),
    shape=Shape.EMPTY, summary="Archive a pipeline.",
)  # fmt: skip
UNARCHIVE = post(
    "deal_pipelines.unarchive", "/api/v2/deals/pipelines/{pipeline_id}/unarchive", returns=type(None),
    shape=Shape.EMPTY, summary="Bring an archived pipeline back.",
)  # fmt: skip
ADD_LOST_REASON = post(
    "deal_pipelines.add_lost_reason", "/api/v2/deals/pipelines/{pipeline_id}/lost_reasons",
    returns=Pipeline, summary="Add a reason why deals of a pipeline are lost.",
)  # fmt: skip


class DealPipelines(Resource):
    """Pipelines of deals, with their stages."""

    async def list(self) -> builtins.list[Pipeline]:
        """Return every pipeline that this account may see.

        `GET /api/v2/deals/pipelines`
        """
        return await self._rows(LIST)

    async def create(self, draft: DealPipelineDraft) -> Pipeline:
        """Create a pipeline with its stages, fields and lost reasons. Never repeated automatically.

        `POST /api/v2/deals/pipelines`

        Args:
            draft: What it shall be, with its stages, fields and lost reasons.

        Raises:
            InvalidInput: The vendor refuses these values.
        """
        return await self._call(CREATE, body=draft)

    async def get(self, pipeline_id: str) -> Pipeline:
        """Return one pipeline.

        `GET /api/v2/deals/pipelines/{pipeline_id}`

        Args:
            pipeline_id: The pipeline.

        Raises:
            NotFound: No pipeline has this id.
        """
        return await self._call(GET, pipeline_id=pipeline_id)

    async def update(
        self,
        pipeline_id: str,
        *,
        name: str | UnsetType = UNSET,
        description: str | UnsetType = UNSET,
        color: str | UnsetType = UNSET,
    ) -> Pipeline:
        """Rename, describe or colour a pipeline; what is not given stays.

        `PUT /api/v2/deals/pipelines/{pipeline_id}`

        Args:
            pipeline_id: The pipeline.
            name: 1 to 200 characters.
            description: Text.
            color: As the vendor's pages write one, such as `#00aa00`.

        Raises:
            Forbidden: This account may not change the pipeline.
            NotFound: No pipeline has this id.
            DraftRefused: The name is empty or too long, or nothing is changed.
        """
        check_length("The name of a pipeline", name, least=1, most=200)
        body = changed(name=name, description=description, color=color)
        return await self._call(UPDATE, body=body, pipeline_id=pipeline_id)

    async def delete(self, pipeline_id: str) -> None:
        """Delete a pipeline and every deal in it; nothing brings them back. `archive` keeps them.

        `DELETE /api/v2/deals/pipelines/{pipeline_id}`

        Args:
            pipeline_id: The pipeline.

        Raises:
            Forbidden: This account may not delete it.
        """
        await self._call(DELETE, pipeline_id=pipeline_id)

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

        `GET /api/v2/deals/pipelines/{pipeline_id}/deals`

        Args:
            pipeline_id: The pipeline.
            sort: `<field>:asc` or `<field>:desc`, such as `name:asc`; the vendor requires one.
            query: A search, made with `Q`, an object, or its JSON text.
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

    def deals_by_owner(
        self,
        pipeline_id: str,
        *,
        sort: str,
        query: Mapping[str, Any] | str | None = None,
        limit: int = 100,
        start: str | None = None,
    ) -> Paginator[Deal]:
        """List the deals of a pipeline by who owns them; nothing is sent until the list is used.

        The first page holds the first deals of every owner, the pages behind it go on with one owner
        each. A page's `groups` has the owners with their sums, as the vendor sent them.

        `GET /api/v2/deals/pipelines/{pipeline_id}/owners`

        Args:
            pipeline_id: The pipeline.
            sort: `<field>:asc` or `<field>:desc`, such as `name:asc`; the vendor requires one.
            query: A search, made with `Q`, an object, or its JSON text.
            limit: Deals of each owner in one answer.
            start: A checkpoint of the same list, to go on where it was taken.

        Raises:
            QueryRefused: The vendor would refuse these arguments.
            CheckpointRefused: `start` belongs to another list.
        """
        check_paging(size=limit)
        arguments = {"sort": check_sort(sort), "query": search_text(query)}
        return self._paginate(
            DEALS_BY_OWNER, query=arguments, size=limit, start=start, pipeline_id=pipeline_id
        )

    async def archive(self, pipeline_id: str) -> None:
        """Archive a pipeline; `unarchive` brings it back.

        `POST /api/v2/deals/pipelines/{pipeline_id}/archive`

        Args:
            pipeline_id: The pipeline.

        Raises:
            NotFound: No pipeline has this id.
        """
        await self._call(ARCHIVE, pipeline_id=pipeline_id)

    async def unarchive(self, pipeline_id: str) -> None:
        """Bring an archived pipeline back.

        `POST /api/v2/deals/pipelines/{pipeline_id}/unarchive`

        Args:
            pipeline_id: The pipeline.

        Raises:
            NotFound: No pipeline has this id.
        """
        await self._call(UNARCHIVE, pipeline_id=pipeline_id)

    async def add_lost_reason(self, pipeline_id: str, *, reason: str) -> Pipeline:
        """Add a reason why deals of a pipeline are lost. Never repeated automatically.

        `POST /api/v2/deals/pipelines/{pipeline_id}/lost_reasons`

        Args:
            pipeline_id: The pipeline.
            reason: Why, in at most 256 characters.

        Raises:
            ActionRefused: The pipeline has this reason.
            NotFound: No pipeline has this id.
        """
        return await self._call(ADD_LOST_REASON, body={"reason": reason}, pipeline_id=pipeline_id)
