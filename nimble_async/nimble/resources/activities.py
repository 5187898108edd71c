"""What was done and what is planned, over all contacts: facts on top, methods below."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, TypeAlias, get_args

from nimble_async._aio.paginator import Paginator
from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import Paging, Shape, get
from nimble_async.errors import QueryRefused
from nimble_async.nimble.models.activities import Activity
from nimble_async.nimble.models.limits import check_choice
from nimble_async.nimble.resources.arguments import check_paging, joined, moment

__all__ = ["LIST", "Activities", "CallResolution"]

CallResolution: TypeAlias = Literal["successful", "unsuccessful", "abandoned", "left_voicemail"]
"""How a call ended."""

LIST = get(
    "activities.list", "/api/v1/activities", returns=Activity, shape=Shape.PAGE, items="activities",
    paging=Paging.NEXT_PAGE, summary="Past or planned activities of contacts, deals and users.",
)  # fmt: skip

_PAGE = 100


class Activities(Resource):
    """What was done and what is planned: tasks, calls, events, and kinds of the account's own."""

    def list(
        self,
        *,
        direction: Literal["past", "pending"],
        types: Iterable[str] | None = None,
        contacts: Iterable[str] | None = None,
        deals: Iterable[str] | None = None,
        users: Iterable[str] | None = None,
        completed: bool | None = None,
        tags: Iterable[str] | None = None,
        calls__resolution: CallResolution | None = None,
        events__calendar_ids: Iterable[str] | None = None,
        sequence_id: str | None = None,
        include_total: bool | None = None,
        until_tstamp: datetime | str | None = None,
        limit: int | None = None,
        next_tstamp: str | None = None,
        next_activity_id: str | None = None,
        start: str | None = None,
    ) -> Paginator[Activity]:
        """List activities; nothing is sent until the list is awaited or iterated.

        `GET /api/v1/activities`

        Args:
            direction: `past` or `pending`.
            types: Ids of kinds of activities.
            contacts: Only those about these contacts.
            deals: Only those about these deals.
            users: Only those of these users.
            completed: Only those that are done, or only those that are not.
            tags: Only those with these tags.
            calls__resolution: Only calls that ended so: `successful`, `unsuccessful`, `abandoned` or
                `left_voicemail`.
            events__calendar_ids: Only events of these calendars.
            sequence_id: Only those that steps of this sequence made.
            include_total: Whether the vendor adds an approximate `total` to each page.
            until_tstamp: Everything up to this moment, in place of `limit`.
            limit: Activities a page, 100 unless told.
            next_tstamp: With `next_activity_id`, where to begin; a checkpoint as `start` is easier.
            next_activity_id: The other half of it.
            start: A checkpoint of the same list, to go on where it was taken.

        Raises:
            QueryRefused: The vendor would refuse these arguments.
            CheckpointRefused: `start` belongs to another list.
        """
        if direction not in {"past", "pending"}:
            raise QueryRefused(f"direction is 'past' or 'pending', not {direction!r}.")
        if limit is not None and until_tstamp is not None:
            raise QueryRefused("Give limit or until_tstamp, not both.")
        check_paging(size=limit)
        check_choice("calls__resolution", calls__resolution, get_args(CallResolution), refused=QueryRefused)
        arguments = {
            "direction": direction,
            "types": joined(types),
            "contacts": joined(contacts),
            "deals": joined(deals),
            "users": joined(users),
            "completed": completed,
            "tags": joined(tags),
            "calls__resolution": calls__resolution,
            "events__calendar_ids": joined(events__calendar_ids),
            "sequence_id": sequence_id,
            "include_total": include_total,
            "until_tstamp": moment(until_tstamp),
            "next_tstamp": next_tstamp,
            "next_activity_id": next_activity_id,
        }
        size = limit or (_PAGE if until_tstamp is None else None)
        return self._paginate(LIST, query=arguments, size=size, start=start)
