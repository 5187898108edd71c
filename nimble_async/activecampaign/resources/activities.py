"""Activities of deals: facts on top, methods below."""

from __future__ import annotations

from typing import Literal

from nimble_async._aio.paginator import Paginator
from nimble_async._aio.resource import Resource
from nimble_async._sansio import operation as op
from nimble_async._sansio.operation import Paging, Shape
from nimble_async.activecampaign.models.activities import Activity
from nimble_async.activecampaign.resources.arguments import check_id, check_limit, filtered, one_of

__all__ = ["LIST", "Activities"]

LIST = op.get(
    "activities.list", "/api/3/dealActivities", returns=Activity, shape=Shape.PAGE, items="dealActivities",
    paging=Paging.OFFSET, unordered=True, summary="What happened to deals.",
)  # fmt: skip


class Activities(Resource):
    """The log of deals; the vendor's dealActivities."""

    def list(
        self,
        *,
        deal_id: str | None = None,
        data_type: str | None = None,
        data_id: str | None = None,
        exclude: Literal["email"] | None = None,
        limit: int = 100,
        offset: int | None = None,
        start: str | None = None,
    ) -> Paginator[Activity]:
        """List activities (`GET /dealActivities`), as `deals.list` does; it knows no order.

        Args:
            deal_id: Only this deal's.
            data_type: Only those about this, such as `task`, `note`, `contact` or `userid`.
            data_id: Only those about the object of this id.
            exclude: `email` leaves out e-mails and clicks on links.
            limit: Records a page, 100 at most.
            offset: The record to begin at, counted from 0.
            start: A checkpoint of the same list.

        Raises:
            QueryRefused: The limit is not in 1 to 100.
            CheckpointRefused: `start` belongs to another list.
        """
        query = {
            "deal": None if deal_id is None else check_id("deal_id", deal_id),
            "exclude": one_of("exclude", exclude, ("email",)),
            **filtered(data_type=data_type, data_id=data_id),
        }
        return self._paginate(LIST, query=query, size=check_limit(limit), offset=offset, start=start)
