"""Tasks: facts on top, methods below."""

from __future__ import annotations

from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import post
from nimble_async.nimble.models.activities import Task, TaskDraft

__all__ = ["CREATE", "Tasks"]

CREATE = post("tasks.create", "/api/v1/tasks", returns=Task, summary="Create a task.")


class Tasks(Resource):
    """Tasks. The vendor has no route to read or change one: `activities.list` shows them."""

    async def create(self, draft: TaskDraft) -> Task:
        """Create a task.

        `POST /api/v1/tasks`

        Args:
            draft: What it shall be; `TaskDraft.of(...)` takes moments and ids.

        Raises:
            NotFound: A contact, deal or user in it does not exist.
            InvalidInput: The vendor refuses the values.
        """
        return await self._call(CREATE, body=draft)
