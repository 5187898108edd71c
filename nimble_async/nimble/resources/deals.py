"""Deals: facts on top, methods below."""

from __future__ import annotations

from nimble_async._aio.paginator import Paginator
from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import Paging, Shape, get
from nimble_async.nimble.models.deals import Deal
from nimble_async.nimble.resources.arguments import check_paging, check_sort

__all__ = ["GET", "LIST", "Deals"]

LIST = get(
    "deals.list", "/api/v2/deals", returns=Deal, shape=Shape.PAGE, items="resources", paging=Paging.LIMIT,
    summary="Deals; the vendor documents no page beyond the limit.",
)  # fmt: skip
GET = get("deals.get", "/api/v2/deals/{deal_id}", returns=Deal, summary="One deal.")


class Deals(Resource):
    """Deals."""

    def list(self, *, sort: str, limit: int | None = None, start: str | None = None) -> Paginator[Deal]:
        """List deals, in one page; nothing is sent until the list is awaited or iterated.

        The page's `total` says how many deals there are, which may be more than it holds:
        `deal_pipelines.deals_by_stage` reads on.

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

        Raises:
            NotFound: No deal has this id, or this account may not see it.
        """
        return await self._call(GET, deal_id=deal_id)
