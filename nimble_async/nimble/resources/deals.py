"""Deals: facts on top, methods below."""

from __future__ import annotations

from collections.abc import Iterable

from nimble_async._aio.paginator import Paginator
from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import Paging, Shape, delete, get, post, put
from nimble_async.nimble.models.activities import Activity
from nimble_async.nimble.models.deal_drafts import DealDraft, DealPatch
from nimble_async.nimble.models.deal_notes import WonDeals
from nimble_async.nimble.models.deals import Deal
from nimble_async.nimble.models.limits import changed
from nimble_async.nimble.resources.arguments import check_paging, check_sort, distinct

__all__ = ["CREATE", "DELETE", "GET", "LIST", "OVERDUE_ACTIVITIES", "UPDATE", "WON_LAST_MONTH", "Deals"]

LIST = get(
    "deals.list", "/api/v2/deals", returns=Deal, shape=Shape.PAGE, items="resources", paging=Paging.LIMIT,
    summary="Deals; the vendor documents no page beyond the limit.",
)  # fmt: skip
GET = get("deals.get", "/api/v2/deals/{deal_id}", returns=Deal, summary="One deal.")
CREATE = post("deals.create", "/api/v2/deals", returns=Deal, summary="Create a deal on a stage.")
UPDATE = put(
    "deals.update", "/api/v2/deals/{deal_id}", returns=Deal,
    summary="Change a deal, or move it to another stage or pipeline.",
)  # fmt: skip
DELETE = delete("deals.delete", "/api/v2/deals/{deal_id}", returns=type(None), summary="Delete a deal.")
WON_LAST_MONTH = get(
    "deals.won_last_month", "/api/v2/deals/widget/won_last_month", returns=WonDeals,
    summary="The sum and the number of the deals won last month.",
)  # fmt: skip
OVERDUE_ACTIVITIES = get(
    "deals.overdue_activities", "/api/v2/deals/{deal_id}/overdue", returns=Activity, shape=Shape.PAGE,
    items="activities", paging=Paging.LIMIT, summary="The overdue activities of a deal, oldest first.",
)  # fmt: skip


class Deals(Resource):
    """Deals."""

    def list(self, *, sort: str, limit: int | None = None, start: str | None = None) -> Paginator[Deal]:
        """List deals, in one page; nothing is sent until the list is awaited or iterated.

        The page's `total` says how many deals there are, which may be more than it holds:
        `deal_pipelines.deals_by_stage` reads on.

        `GET /api/v2/deals`

        Args:
            sort: `<field>:asc` or `<field>:desc`, such as `name:asc`; the vendor requires one.
            limit: Deals to send, at most; the vendor's own limit unless told.
            start: A checkpoint of the same list, to go on where it was taken.

        Raises:
            QueryRefused: The vendor would refuse these arguments.
            CheckpointRefused: `start` belongs to another list.
        """
        check_paging(size=limit)
        return self._paginate(LIST, query={"sort": check_sort(sort)}, size=limit, start=start)

    async def get(self, deal_id: str) -> Deal:
        """Return one deal.

        `GET /api/v2/deals/{deal_id}`

        Args:
            deal_id: The deal.

        Raises:
            NotFound: No deal has this id, or this account may not see it.
        """
        return await self._call(GET, deal_id=deal_id)

    async def create(self, draft: DealDraft) -> Deal:
        """Create a deal on a stage. Never repeated automatically.

        `POST /api/v2/deals`

        Args:
            draft: What it shall be: its pipeline, its stage, its name, and any other field.

        Raises:
            InvalidInput: The vendor refuses these values.
        """
        return await self._call(CREATE, body=draft.body())

    async def update(self, deal_id: str, patch: DealPatch) -> Deal:
        """Change a deal, or move it to another stage or pipeline; what is not in the patch stays.

        `PUT /api/v2/deals/{deal_id}`

        Args:
            deal_id: The deal.
            patch: What to change; `DealPatch.of(deal)` adds to lists and takes from them.

        Raises:
            DraftRefused: Nothing is changed.
            NotFound: No deal has this id, or this account may not see it.
            InvalidInput: The vendor refuses these values.
        """
        return await self._call(UPDATE, body=changed(**patch.body()), deal_id=deal_id)

    async def delete(self, deal_id: str) -> None:
        """Delete a deal.

        `DELETE /api/v2/deals/{deal_id}`

        Args:
            deal_id: The deal.

        Raises:
            Forbidden: This account may not delete it.
            NotFound: No deal has this id, or it was deleted before.
        """
        await self._call(DELETE, deal_id=deal_id)

    async def won_last_month(self) -> WonDeals:
        """Return the sum and the number of the deals won last month, over all pipelines.

        `GET /api/v2/deals/widget/won_last_month`
        """
        return await self._call(WON_LAST_MONTH)

    def overdue_activities(
        self,
        deal_id: str,
        *,
        types: Iterable[str] | None = None,
        limit: int | None = None,
        start: str | None = None,
    ) -> Paginator[Activity]:
        """List the overdue activities of a deal, longest overdue first, in one page.

        Nothing is sent until the list is awaited or iterated.

        `GET /api/v2/deals/{deal_id}/overdue`

        Args:
            deal_id: The deal.
            types: Only these types of activities; all of them unless told.
            limit: Activities to send, at most.
            start: A checkpoint of the same list, to go on where it was taken.

        Raises:
            QueryRefused: The vendor would refuse these arguments.
            CheckpointRefused: `start` belongs to another list.
        """
        check_paging(size=limit)
        wanted = None if types is None else distinct(types) or None
        return self._paginate(
            OVERDUE_ACTIVITIES, query={"types": wanted}, size=limit, start=start, deal_id=deal_id
        )
