"""Types of tasks: facts on top, methods below."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any

from nimble_async._aio.paginator import Paginator
from nimble_async._aio.resource import Resource
from nimble_async._sansio import operation as op
from nimble_async._sansio.operation import Paging, Shape, Side
from nimble_async.activecampaign.models.bodies import members_of
from nimble_async.activecampaign.models.tasks import Task, TaskType, TaskTypeDraft, TaskTypePatch
from nimble_async.activecampaign.resources.arguments import check_id, check_limit

__all__ = ["CREATE", "DELETE", "GET", "LIST", "MOVE_TASKS", "UPDATE", "TaskTypes"]

LIST = op.get(
    "task_types.list", "/api/3/dealTasktypes", returns=TaskType, shape=Shape.PAGE, items="dealTasktypes",
    paging=Paging.OFFSET, unordered=True, summary="Types of tasks.",
)  # fmt: skip
CREATE = op.post(
    "task_types.create", "/api/3/dealTasktypes", returns=TaskType, shape=Shape.MEMBER, items="dealTasktype",
    summary="Make a type of tasks.",
)  # fmt: skip
GET = op.get(
    "task_types.get", "/api/3/dealTasktypes/{task_type_id}", returns=TaskType, shape=Shape.MEMBER,
    items="dealTasktype", summary="One type of tasks.",
)  # fmt: skip
UPDATE = op.put(
    "task_types.update", "/api/3/dealTasktypes/{task_type_id}", returns=TaskType, shape=Shape.MEMBER,
    items="dealTasktype", summary="Change a type of tasks, or disable it.",
)  # fmt: skip
DELETE = op.delete(
    "task_types.delete", "/api/3/dealTasktypes/{task_type_id}", returns=type(None),
    summary="Always refused: types of tasks can only be disabled.",
)  # fmt: skip
# A repeat would find no task of the type and answer that nothing was moved.
MOVE_TASKS = op.put(
    "task_types.move_tasks", "/api/3/dealTasktypes/{task_type_id}/dealTasks", returns=Task, shape=Shape.LIST,
    items="dealTasks", sides=(Side(name="deals", via=("relid",)),), repeatable=False, destructive=True,
    summary="Give every task of a type another type.",
)  # fmt: skip


class TaskTypes(Resource):
    """Types of tasks; the vendor's dealTasktypes."""

    def list(
        self, *, limit: int = 100, offset: int | None = None, start: str | None = None
    ) -> Paginator[TaskType]:
        """List types of tasks (`GET /dealTasktypes`), as `deals.list` does; it knows no order.

        Raises:
            QueryRefused: The limit is not in 1 to 100.
            CheckpointRefused: `start` belongs to another list.
        """
        return self._paginate(LIST, size=check_limit(limit), offset=offset, start=start)

    async def create(self, draft: TaskTypeDraft | Mapping[str, Any]) -> TaskType:
        """Make a type of tasks (`POST /dealTasktypes`).

        Raises:
            InvalidInput: The title is in use.
        """
        return await self._call(CREATE, body={"dealTasktype": members_of(draft)})

    async def get(self, task_type_id: str) -> TaskType:
        """Return one type of tasks (`GET /dealTasktypes/{id}`).

        Raises:
            NotFound: No type of tasks has this id.
        """
        return await self._call(GET, task_type_id=task_type_id)

    async def update(self, task_type_id: str, patch: TaskTypePatch | Mapping[str, Any]) -> TaskType:
        """Change a type of tasks (`PUT /dealTasktypes/{id}`); `status="disabled"` puts it out of use.

        Raises:
            InvalidInput: The vendor refuses the values.
            NotFound: No type of tasks has this id.
        """
        return await self._call(UPDATE, body={"dealTasktype": members_of(patch)}, task_type_id=task_type_id)

    async def delete(self, task_type_id: str) -> None:
        """Be refused (`DELETE /dealTasktypes/{id}`): the vendor deletes no types of tasks any more.

        Raises:
            Forbidden: Always; disable the type by `update`.
        """
        await self._call(DELETE, task_type_id=task_type_id)

    async def move_tasks(self, task_type_id: str, to_task_type_id: str) -> builtins.list[Task]:
        """Give every task of a type another type (`PUT /dealTasktypes/{id}/dealTasks`).

        It cannot be undone where the other type had tasks of its own, and is never sent twice.

        Returns:
            The tasks that were moved, however many; `task.deal` has the deals that came beside them.
        """
        body = {"dealTask": {"dealTasktype": check_id("to_task_type_id", to_task_type_id)}}
        return await self._rows(MOVE_TASKS, body=body, task_type_id=task_type_id)
