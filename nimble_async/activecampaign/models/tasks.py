"""Tasks on deals and contacts, and their types."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal

from msgspec import UNSET, UnsetType, field

from nimble_async._sansio.record import AnyId, Member, Record
from nimble_async.activecampaign.models import wire
from nimble_async.activecampaign.models.bodies import Body
from nimble_async.activecampaign.models.deals import Deal

__all__ = [
    "TASK_STATUS",
    "Task",
    "TaskDraft",
    "TaskPatch",
    "TaskStatus",
    "TaskType",
    "TaskTypeDraft",
    "TaskTypePatch",
    "TaskTypeStatus",
]

TaskStatus = Literal["open", "done"]
TASK_STATUS: Mapping[str, int] = {"open": 0, "done": 1}
"""How the choices travel."""
TaskTypeStatus = Literal["active", "disabled"]
_TYPE_STATUS = {"active": 0, "disabled": 1}


class Task(Record, frozen=True, kw_only=True):
    """A task on a deal or a contact."""

    id: AnyId
    title: str | UnsetType | None = UNSET
    note: str | UnsetType | None = UNSET
    status: ClassVar[Member[str]] = wire.word(TASK_STATUS)
    """`open` or `done`."""
    owner_type: ClassVar[Member[str]] = Member(str, name="ownerType")
    _related_type: ClassVar[Member[str]] = Member(str, name="reltype")
    related_id: ClassVar[Member[str]] = wire.ident("relid")
    """The deal or contact it hangs on."""
    owner: ClassVar[Member[Mapping[str, Any]]] = Member(dict[str, Any])
    """`{type, id}` of the same."""
    task_type_id: ClassVar[Member[str]] = wire.ident("dealTasktype")
    user_id: ClassVar[Member[str]] = wire.ident("user")
    assignee_id: ClassVar[Member[str]] = wire.ident("assignee")
    outcome_id: ClassVar[Member[str]] = wire.ident("outcomeId")
    outcome_info: ClassVar[Member[str]] = Member(str, name="outcomeInfo")
    automation_id: ClassVar[Member[str]] = wire.ident("automation")
    done_automation_id: ClassVar[Member[str]] = wire.ident("doneAutomation")
    duration: ClassVar[Member[int]] = wire.whole()
    due: ClassVar[Member[datetime]] = wire.moment("duedate")
    ends: ClassVar[Member[datetime]] = wire.moment("edate")
    done: ClassVar[Member[datetime]] = wire.moment("donedate")
    created: ClassVar[Member[datetime]] = wire.moment("cdate")
    updated: ClassVar[Member[datetime]] = wire.moment("udate")
    links: ClassVar[Member[Mapping[str, Any]]] = wire.links()

    @property
    def name(self) -> str:
        """The title; empty where it has none."""
        return self.title or ""

    @property
    def related_type(self) -> str | None:
        """`deal` or `contact`, whichever of the vendor's two spellings came."""
        kind = self.owner_type or self._related_type or None
        return {"Deal": "deal", "Subscriber": "contact"}.get(kind, kind) if kind else None

    @property
    def deal(self) -> Deal | None:
        """The deal it hangs on; None unless it came beside the task, as after a move."""
        if self.related_type != "deal":
            return None
        return next((one for one in self.beside("deals", Deal) if one.id == self.related_id), None)


class TaskPatch(Body, frozen=True, kw_only=True):
    """What changes in a task."""

    words: ClassVar[Mapping[str, Mapping[str, int]]] = {"status": TASK_STATUS}

    title: str | UnsetType | None = UNSET
    related_type: Literal["deal", "contact"] | UnsetType = field(name="ownerType", default=UNSET)
    related_id: str | UnsetType = field(name="relid", default=UNSET)
    status: TaskStatus | UnsetType = UNSET
    note: str | UnsetType | None = UNSET
    due: datetime | UnsetType = field(name="duedate", default=UNSET)
    task_type_id: str | UnsetType = field(name="dealTasktype", default=UNSET)
    assignee_id: str | UnsetType | None = field(name="assignee", default=UNSET)
    outcome_id: str | UnsetType | None = field(name="outcomeId", default=UNSET)
    """Needed where a task is completed whose type has outcomes."""
    outcome_info: str | UnsetType | None = field(name="outcomeInfo", default=UNSET)


class TaskDraft(TaskPatch, frozen=True, kw_only=True):
    """A task to make; on a deal unless `related_type` says otherwise."""

    related_id: str = field(name="relid")
    due: datetime = field(name="duedate")
    task_type_id: str = field(name="dealTasktype")
    ends: datetime | UnsetType = field(name="edate", default=UNSET)
    automation_on_create: int | UnsetType = field(name="triggerAutomationOnCreate", default=UNSET)
    """An automation to start now."""
    automation_on_done: int | UnsetType = field(name="doneAutomation", default=UNSET)
    """An automation to start when the task is completed."""


class TaskType(Record, frozen=True, kw_only=True):
    """A type of tasks."""

    id: AnyId
    title: str | UnsetType | None = UNSET
    status: ClassVar[Member[str]] = wire.word(_TYPE_STATUS)
    """`active` or `disabled`."""
    default_duration: ClassVar[Member[int]] = wire.whole("defduration")
    created: ClassVar[Member[datetime]] = wire.moment("cdate")
    updated: ClassVar[Member[datetime]] = wire.moment("udate")
    links: ClassVar[Member[Mapping[str, Any]]] = wire.links()

    @property
    def name(self) -> str:
        """The title; empty where it has none."""
        return self.title or ""


class _TaskTypeMembers(Body, frozen=True, kw_only=True):
    """What a draft and a patch of a type have alike."""

    words: ClassVar[Mapping[str, Mapping[str, int]]] = {"status": _TYPE_STATUS}

    status: TaskTypeStatus | UnsetType = UNSET


class TaskTypePatch(_TaskTypeMembers, frozen=True, kw_only=True):
    """What changes in a type of tasks. Types cannot be deleted, only disabled."""

    title: str | UnsetType = UNSET


class TaskTypeDraft(_TaskTypeMembers, frozen=True, kw_only=True):
    """A type of tasks to make; its title must be new."""

    title: str
