"""Pipelines and stages, which the vendor calls dealGroups and dealStages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from nimble_async.testing.activecampaign.answers import (
    body_of,
    complaint,
    empty,
    faulty,
    filters,
    id_in,
    orders,
    page,
    row_of,
    rows_of,
    world_of,
)
from nimble_async.testing.activecampaign.world import STAGES
from nimble_async.testing.call import Answer, Call, Handler, json_answer

__all__ = [
    "HANDLERS",
    "create_pipeline",
    "create_stage",
    "delete_pipeline",
    "delete_stage",
    "get_pipeline",
    "get_stage",
    "list_pipelines",
    "list_stages",
    "move_deals",
    "update_pipeline",
    "update_stage",
]

_NUMBERS = ("order", "width", "allgroups", "allusers", "autoassign")
_STAGE = frozenset(
    {
        "title",
        "group",
        "order",
        "dealOrder",
        "color",
        "width",
        *(f"cardRegion{place}" for place in range(1, 6)),
    }
)
_GROUP = frozenset({"title", "currency", "allgroups", "allusers", "autoassign"})


def _sorted(rows: Sequence[dict[str, Any]], order: Mapping[str, bool]) -> list[dict[str, Any]]:
    found = list(rows)
    for name, descending in reversed(list(order.items())):
        key = "title" if name == "title" else "id"
        found.sort(key=lambda row: str(row[key]).lower(), reverse=descending)
    return found


def _stages_of(call: Call, groups: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    ids = {group["id"] for group in groups}
    return [stage for stage in rows_of(call, "stages") if stage["group"] in ids]


def _shown(call: Call, group: dict[str, Any]) -> dict[str, Any]:
    stages = [stage["id"] for stage in _stages_of(call, [group])]
    return {**group, "stages": stages, "dealGroupUsers": [], "dealGroupGroups": []}


def _echo(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as creates and updates answer it: some numbers are numbers, not texts."""
    return {
        name: int(value) if name in _NUMBERS and str(value).isdigit() else value
        for name, value in row.items()
    }


def list_pipelines(call: Call) -> Answer:
    """Answer pipelines; their stages ride along, in a list that comes first."""
    wanted = filters(call, ("title", "have_stages"))
    rows = [_shown(call, row) for row in rows_of(call, "groups")]
    rows = [row for row in rows if wanted.get("title", "").lower() in row["title"].lower()]
    if wanted.get("have_stages") == "1":
        rows = [row for row in rows if row["stages"]]
    rows = _sorted(rows, orders(call, ("title", "popular")))
    return page(call, rows, "dealGroups", beside=lambda shown: {"dealStages": _stages_of(call, shown)})


def get_pipeline(call: Call) -> Answer:
    """Answer one pipeline with its stages."""
    row = row_of(call, "groups", "DealGroup")
    return json_answer({"dealStages": _stages_of(call, [row]), "dealGroup": _shown(call, row)}, lasting=True)


def create_pipeline(call: Call) -> Answer:
    """Make a pipeline, and three stages in it."""
    sent, world = body_of(call, "dealGroup"), world_of(call)
    for name in ("title", "currency"):
        if not sent.get(name):
            raise faulty(complaint(f"The {name} was not provided.", code="field_missing", pointer=name))
    wall = world.wall(call.now)
    when = world.written(wall)
    row = rows_of(call, "groups").add(
        {"title": sent["title"], "currency": sent["currency"], "autoassign": str(sent.get("autoassign", 0)),
         "allusers": str(sent.get("allusers", 0)), "allgroups": str(sent.get("allgroups", 0)), "cdate": when,
         "udate": when, "links": {}}
    )  # fmt: skip
    stages = [
        world.add_stage(title, int(row["id"]), place, wall) for place, title in enumerate(STAGES, start=1)
    ]
    world.edits += 1
    body = {"dealGroup": _echo(_shown(call, row)), "dealStages": stages}
    return json_answer({**body, "dealGroupUsers": _members(row, sent, "users"), "dealGroupGroups": []})


def _members(row: Mapping[str, Any], sent: Mapping[str, Any], word: str) -> list[dict[str, Any]]:
    return [
        {"id": str(place), "user": str(user), "dealGroup": row["id"], "cdate": None, "links": {}}
        for place, user in enumerate(sent.get(word) or [], start=1)
    ]


def update_pipeline(call: Call) -> Answer:
    """Change what was sent of a pipeline."""
    sent, world, row = body_of(call, "dealGroup"), world_of(call), row_of(call, "groups", "DealGroup")
    row |= {name: str(value) for name, value in sent.items() if name in _GROUP}
    row["udate"] = world.written(world.wall(call.now))
    world.edits += 1
    body = {"dealGroup": _echo(_shown(call, row)), "dealGroupUsers": _members(row, sent, "users")}
    return json_answer({**body, "dealGroupGroups": []})


def delete_pipeline(call: Call) -> Answer:
    """End a pipeline with its stages and deals; the answer has no body at all."""
    row = row_of(call, "groups", "DealGroup")
    for stage in _stages_of(call, [row]):
        _end_stage(call, stage)
    rows_of(call, "groups").remove(row)
    world_of(call).edits += 1
    return empty()


def _end_stage(call: Call, stage: dict[str, Any]) -> None:
    world = world_of(call)
    for serial in _deals_in(call, stage["id"]):
        world.deals.delete(call.now, serial)
    rows_of(call, "stages").remove(stage)
    world.edits += 1


def _deals_in(call: Call, stage: str) -> list[int]:
    world = world_of(call)
    return [serial for serial in world.deals.listed if str(world.place_of(serial)[1]) == stage]


def list_stages(call: Call) -> Answer:
    """Answer stages; here the pipeline's filter is d_groupid."""
    wanted = filters(call, ("title", "d_groupid"))
    rows = [row for row in rows_of(call, "stages") if wanted.get("title", "").lower() in row["title"].lower()]
    rows = [row for row in rows if wanted.get("d_groupid", row["group"]) == row["group"]]
    return page(call, _sorted(rows, orders(call, ("title",))), "dealStages")


def get_stage(call: Call) -> Answer:
    """Answer one stage."""
    return json_answer({"dealStage": row_of(call, "stages", "DealStage")}, lasting=True)


def create_stage(call: Call) -> Answer:
    """Make a stage in a pipeline, at the end unless told."""
    sent, world = body_of(call, "dealStage"), world_of(call)
    for name in ("title", "group"):
        if not sent.get(name):
            raise faulty(complaint(f"The {name} was not provided.", code="field_missing", pointer=name))
    if rows_of(call, "groups").get(str(sent["group"])) is None:
        raise faulty(complaint("The pipeline does not exist.", code="related_missing", pointer="group"))
    place = 1 + sum(row["group"] == str(sent["group"]) for row in rows_of(call, "stages"))
    row = world.add_stage(str(sent["title"]), int(sent["group"]), place, world.wall(call.now))
    return _put_stage(call, row, sent)


def update_stage(call: Call) -> Answer:
    """Change what was sent of a stage."""
    return _put_stage(call, row_of(call, "stages", "DealStage"), body_of(call, "dealStage"))


def _put_stage(call: Call, row: dict[str, Any], sent: Mapping[str, Any]) -> Answer:
    world = world_of(call)
    row |= {name: str(value) for name, value in sent.items() if name in _STAGE}
    row["udate"] = world.written(world.wall(call.now))
    if call.text("reorder") == "1":
        _reorder(call, row)
    world.edits += 1
    return json_answer({"dealStage": _echo(row)})


def _reorder(call: Call, moved: dict[str, Any]) -> None:
    """Number the stages of a pipeline anew, the moved one at the place it asks for."""
    others = [row for row in rows_of(call, "stages") if row["group"] == moved["group"] and row is not moved]
    others.sort(key=lambda row: int(row["order"]))
    others.insert(max(0, int(moved["order"]) - 1), moved)
    for place, row in enumerate(others, start=1):
        row["order"] = str(place)


def delete_stage(call: Call) -> Answer:
    """End a stage with its deals."""
    _end_stage(call, row_of(call, "stages", "DealStage"))
    return empty()


def move_deals(call: Call) -> Answer:
    """Move all deals of a stage to another one of the same pipeline."""
    target = rows_of(call, "stages").get(str(body_of(call, "deal").get("stage", "")))
    stage, world = row_of(call, "stages", "DealStage"), world_of(call)
    if target is None or target["group"] != stage["group"]:
        title = {
            "status": 422,
            "title": "The stage is not of this pipeline",
            "detail": f"Stage {id_in(call)}",
        }
        raise faulty({**title, "source": {"pointer": "/data/attributes/stage"}})
    moved = _deals_in(call, stage["id"])
    for serial in moved:
        world.change_deal(serial, call.now, {"stage": target["id"], "group": target["group"]})
    return json_answer({"deals": [world.deal(serial) for serial in moved]})


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "pipelines.list": list_pipelines,
        "pipelines.create": create_pipeline,
        "pipelines.get": get_pipeline,
        "pipelines.update": update_pipeline,
        "pipelines.delete": delete_pipeline,
        "stages.list": list_stages,
        "stages.create": create_stage,
        "stages.get": get_stage,
        "stages.update": update_stage,
        "stages.delete": delete_stage,
        "stages.move_deals": move_deals,
    }
)
