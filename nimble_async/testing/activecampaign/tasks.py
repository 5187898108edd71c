"""Tasks and task types, which the vendor calls dealTasks and dealTasktypes (with a small t)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from nimble_async.testing.activecampaign.answers import (
    body_of,
    filters,
    id_in,
    page,
    refuse,
    row_of,
    rows_of,
    world_of,
)
from nimble_async.testing.call import Answer, Call, Handler, json_answer

__all__ = [
    "HANDLERS",
    "create_task",
    "create_type",
    "delete_task",
    "delete_type",
    "get_task",
    "get_type",
    "list_tasks",
    "list_types",
    "move_tasks",
    "update_task",
    "update_type",
]

_EQUAL = {"reltype": "reltype", "relid": "relid", "status": "status", "d_tasktypeid": "dealTasktype",
          "userid": "user", "assignee_userid": "assignee", "outcome_id": "outcomeId"}  # fmt: skip
_PARTLY = ("title", "note")
_DATES = ("duedate", "due_after", "due_before", "duedate_range")
_TASK = frozenset(
    {"title", "relid", "status", "note", "duedate", "dealTasktype", "assignee", "edate", "outcomeId",
     "outcomeInfo", "doneAutomation"}
)  # fmt: skip
_CREATED = 201
"""The documents show this status for reads and changes, too."""


def list_tasks(call: Call) -> Answer:
    """Answer tasks, with the status 201."""
    wanted = filters(call, (*_EQUAL, *_PARTLY, *_DATES))
    rows = [row for row in rows_of(call, "tasks") if all(_matches(row, *pair) for pair in wanted.items())]
    return page(call, rows, "dealTasks", status=_CREATED)


def _matches(row: Mapping[str, Any], name: str, value: str) -> bool:
    if name in _EQUAL:
        return str(row[_EQUAL[name]]) == value
    if name in _PARTLY:
        return value.lower() in str(row[name]).lower()
    due = str(row["duedate"])
    if name == "due_after":
        return due > value
    if name == "due_before":
        return due < value
    if name == "duedate_range":
        first, _, last = value.replace("+", " ").partition(" ")
        return first <= due <= last
    return due.startswith(value)


def get_task(call: Call) -> Answer:
    """Answer one task."""
    return json_answer({"dealTask": row_of(call, "tasks", "DealTask", status=400)}, _CREATED)


def create_task(call: Call) -> Answer:
    """Make a task: `ownerType` is sent as deal or contact, `reltype` is read as Deal or Subscriber."""
    sent, world = body_of(call, "dealTask"), world_of(call)
    if not (sent.get("relid") and sent.get("duedate") and sent.get("dealTasktype")):
        raise refuse()
    when = world.written(world.wall(call.now))
    row = rows_of(call, "tasks").add(
        {"title": None, "status": "0", "note": "", "edate": str(sent["duedate"]), "duration": "15",
         "assignee": "1", "user": "1", "cdate": when, "automation": None, "doneAutomation": None,
         "donedate": None, "outcomeId": None, "outcomeInfo": None, "links": {}}
    )  # fmt: skip
    return _put_task(call, row, {"ownerType": "deal", **sent})


def update_task(call: Call) -> Answer:
    """Change what was sent of a task."""
    return _put_task(call, row_of(call, "tasks", "DealTask", status=400), body_of(call, "dealTask"))


def _put_task(call: Call, row: dict[str, Any], sent: Mapping[str, Any]) -> Answer:
    if "dealTasktype" in sent and rows_of(call, "task_types").get(str(sent["dealTasktype"])) is None:
        raise refuse()
    world = world_of(call)
    row |= {name: value if value is None or name == "outcomeId" else str(value)
            for name, value in sent.items() if name in _TASK}  # fmt: skip
    if sent.get("ownerType"):
        row["reltype"] = "Subscriber" if sent["ownerType"] == "contact" else "Deal"
    row["owner"] = {"type": "contact" if row["reltype"] == "Subscriber" else "deal", "id": row["relid"]}
    row["udate"] = world.written(world.wall(call.now))
    world.edits += 1
    echo = {**row, **({"status": int(row["status"])} if row["status"].isdigit() else {})}
    return json_answer({"dealTask": echo}, _CREATED)


def delete_task(call: Call) -> Answer:
    """End a task."""
    rows_of(call, "tasks").remove(row_of(call, "tasks", "DealTask", status=400))
    world_of(call).edits += 1
    return json_answer({})


def list_types(call: Call) -> Answer:
    """Answer the task types; their `links` is a list, and empty."""
    return page(call, list(rows_of(call, "task_types")), "dealTasktypes")


def get_type(call: Call) -> Answer:
    """Answer one task type."""
    return json_answer({"dealTasktype": row_of(call, "task_types", "DealTasktype", status=400)}, lasting=True)


def create_type(call: Call) -> Answer:
    """Make a task type."""
    sent, world = body_of(call, "dealTasktype"), world_of(call)
    if not sent.get("title"):
        raise refuse()
    when = world.written(world.wall(call.now))
    row = rows_of(call, "task_types").add(
        {"title": sent["title"], "status": str(sent.get("status", 0)), "defduration": "15", "cdate": when,
         "udate": when, "links": []}
    )  # fmt: skip
    world.edits += 1
    return json_answer({"dealTasktype": row})


def update_type(call: Call) -> Answer:
    """Change what was sent of a task type; status 1 disables it."""
    sent, world = body_of(call, "dealTasktype"), world_of(call)
    row = row_of(call, "task_types", "DealTasktype", status=400)
    row |= {name: str(sent[name]) for name in ("title", "status") if name in sent}
    row["udate"] = world.written(world.wall(call.now))
    world.edits += 1
    return json_answer({"dealTasktype": row})


def delete_type(call: Call) -> Answer:
    """Refuse: task types cannot be deleted any more."""
    raise refuse(403, {"message": f"Task type {id_in(call)} cannot be deleted"})


def move_tasks(call: Call) -> Answer:
    """Give all tasks of a type another one; the deals they hang on ride along."""
    kind, world = row_of(call, "task_types", "DealTasktype", status=400), world_of(call)
    target = rows_of(call, "task_types").get(str(body_of(call, "dealTask").get("dealTasktype", "")))
    if target is None:
        raise refuse()
    moved = [row for row in rows_of(call, "tasks") if row["dealTasktype"] == kind["id"]]
    for row in moved:
        row["dealTasktype"] = target["id"]
    world.edits += 1
    serials = {world.deals.serial_of(str(row["relid"])) for row in moved if row["reltype"] == "Deal"}
    deals = [world.deal(serial) for serial in sorted(serial for serial in serials if serial is not None)]
    return json_answer({"deals": deals, "dealTasks": moved})


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "tasks.list": list_tasks,
        "tasks.create": create_task,
        "tasks.get": get_task,
        "tasks.update": update_task,
        "tasks.delete": delete_task,
        "task_types.list": list_types,
        "task_types.create": create_type,
        "task_types.get": get_type,
        "task_types.update": update_type,
        "task_types.delete": delete_type,
        "task_types.move_tasks": move_tasks,
    }
)
