"""Tasks: facts on top, methods below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal

from nimble_async._aio.paginator import Paginator
from nimble_async._aio.resource import Resource
from nimble_async._sansio import operation as op
from nimble_async._sansio.operation import Paging, Shape
from nimble_async.activecampaign.models.bodies import members_of
from nimble_async.activecampaign.models.tasks import TASK_STATUS, Task, TaskDraft, TaskPatch, TaskStatus
from nimble_async.activecampaign.resources.arguments import (
    between,
    check_limit,
    choice,
    day,
    filtered,
    one_of,
)

__all__ = ["CREATE", "DELETE", "GET", "LIST", "UPDATE", "Tasks"]

_INTERNAL = {"deal": "Deal", "contact": "Subscriber"}

LIST = op.get(
    "tasks.list", "/api/3/dealTasks", returns=Task, shape=Shape.PAGE, items="dealTasks", paging=Paging.OFFSET,
    unordered=True, summary="Tasks on deals and contacts.",
)  # fmt: skip
CREATE = op.post(
    "tasks.create", "/api/3/dealTasks", returns=Task, shape=Shape.MEMBER, items="dealTask",
    summary="Make a task.",
)  # fmt: skip
GET = op.get(
    "tasks.get", "/api/3/dealTasks/{task_id}", returns=Task, shape=Shape.MEMBER, items="dealTask",
    summary="One task.",
)  # fmt: skip
UPDATE = op.put(
    "tasks.update", "/api/3/dealTasks/{task_id}", returns=Task, shape=Shape.MEMBER, items="dealTask",
    summary="Change a task.",
)  # fmt: skip
DELETE = op.delete("tasks.delete", "/api/3/dealTasks/{task_id}", returns=type(None), summary="Delete a task.")


class Tasks(Resource):
    """Tasks on deals and contacts; the vendor's dealTasks."""

    def list(
        self,
        *,
        title: str | None = None,
        related_type: Literal["deal", "contact"] | None = None,
        related_id: str | None = None,
        status: TaskStatus | None = None,
        note: str | None = None,
        due: date | str | None = None,
        due_after: date | str | None = None,
        due_before: date | str | None = None,
        due_range: Sequence[date | str] | str | None = None,
        task_type_id: str | None = None,
        user_id: str | None = None,
        assignee_id: str | None = None,
        outcome_id: str | None = None,
        limit: int = 100,
        offset: int | None = None,
        start: str | None = None,
    ) -> Paginator[Task]:
        """List tasks (`GET /dealTasks`), as `deals.list` does; it knows no order.

        Args:
            title: By title.
            related_type: Only tasks on deals, or on contacts.
            related_id: Only tasks on the deal or contact of this id.
            status: Only open, or done ones.
            note: By description.
            due: Due on this day.
            due_after: Due after this day.
            due_before: Due before this day. The vendor's documents misspell this filter; it is sent right.
            due_range: Two days, or the name of one of the vendor's ranges. How the vendor reads the plus
                sign between the days is not documented; it is sent percent-encoded.
            task_type_id: Only of this type.
            user_id: Only this user's own.
            assignee_id: Only those assigned to this user.
            outcome_id: Only those with this outcome.
            limit: Records a page, 100 at most.
            offset: The record to begin at, counted from 0.
            start: A checkpoint of the same list.

        Raises:
            QueryRefused: The vendor would refuse these arguments.
            CheckpointRefused: `start` belongs to another list.
        """
        kind = one_of("related_type", related_type, tuple(_INTERNAL))
        query = filtered(
            title=title,
            reltype=_INTERNAL.get(kind or ""),
            relid=related_id,
            status=choice("status", status, TASK_STATUS),
            note=note,
            duedate=day("due", due),
            d_tasktypeid=task_type_id,
            userid=user_id,
            due_after=day("due_after", due_after),
            due_before=day("due_before", due_before),
            duedate_range=between("due_range", due_range),
            assignee_userid=assignee_id,
            outcome_id=outcome_id,
        )
        return self._paginate(LIST, query=query, size=check_limit(limit), offset=offset, start=start)

    async def create(self, draft: TaskDraft | Mapping[str, Any]) -> Task:
        """Make a task (`POST /dealTasks`).

        Raises:
            InvalidInput: The vendor refuses the values.
        """
        return await self._call(CREATE, body={"dealTask": members_of(draft)})

    async def get(self, task_id: str) -> Task:
        """Return one task (`GET /dealTasks/{id}`).

        Raises:
            NotFound: No task has this id.
        """
        return await self._call(GET, task_id=task_id)

    async def update(self, task_id: str, patch: TaskPatch | Mapping[str, Any]) -> Task:
        """Change a task (`PUT /dealTasks/{id}`).

        Raises:
            InvalidInput: The vendor refuses the values, or the task's type wants an outcome.
            NotFound: No task has this id.
        """
        return await self._call(UPDATE, body={"dealTask": members_of(patch)}, task_id=task_id)

    async def delete(self, task_id: str) -> None:
        """Delete a task (`DELETE /dealTasks/{id}`).

        Raises:
            NotFound: No task has this id.
        """
        await self._call(DELETE, task_id=task_id)
