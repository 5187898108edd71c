"""The catalogue: all 54 operations send what the vendor documents, under its names."""

from __future__ import annotations

import functools
import inspect
import json
import re
import subprocess
import sys
import typing
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from nimble_async._sansio.operation import Paging, Shape
from nimble_async.activecampaign import (
    ActiveCampaignClient,
    CustomFieldDraft,
    CustomFieldPatch,
    CustomFieldValueDraft,
    CustomFieldValuePatch,
    DealDraft,
    DealPatch,
    Dollars,
    Money,
    PipelineDraft,
    PipelinePatch,
    SecondaryContactDraft,
    SecondaryContactPatch,
    StageDraft,
    StagePatch,
    TaskDraft,
    TaskPatch,
    TaskTypeDraft,
    TaskTypePatch,
)
from nimble_async.activecampaign.catalog import OPERATIONS
from tests.activecampaign.recording import Sent, connect

SAMPLES = Path(__file__).parents[1] / "samples"
NAMES: dict[str, dict[str, str]] = json.loads((SAMPLES / "activecampaign_names.json").read_text("utf-8"))
CATALOG: dict[str, dict[str, Any]] = {
    row["id"]: row for row in json.loads((SAMPLES / "activecampaign_catalog.json").read_text("utf-8"))
}
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
CARD = {f"card_region_{place}": "title" for place in range(1, 6)}
STAGE: dict[str, Any] = {
    "title": "New",
    "pipeline_id": "3",
    "order": 1,
    "deal_order": "title ASC",
    "color": "ff0000",
    "width": 280,
    **CARD,
}
FIELD: dict[str, Any] = {"label": "Size", "options": ("S", "L"), "default": "S", "on_forms": True, "order": 4}
PIPELINE: dict[str, Any] = {
    "title": "Sales",
    "currency": "usd",
    "all_groups": True,
    "all_users": False,
    "auto_assign": "by value",
    "user_ids": ("1",),
    "group_ids": ("2",),
}
DEAL: dict[str, Any] = {
    "title": "Big",
    "value": Money(1234, "usd"),
    "description": "d",
    "account_id": "1",
    "contact_id": "2",
    "pipeline_id": "3",
    "stage_id": "4",
    "owner_id": "5",
    "percent": 50,
    "status": "won",
    "fields": (CustomFieldValueDraft(field_id="1", value=Money(5, "eur")),),
}
TASK: dict[str, Any] = {
    "title": "Call",
    "related_type": "deal",
    "related_id": "7",
    "status": "done",
    "note": "n",
    "due": NOON,
    "task_type_id": "2",
    "assignee_id": "3",
}
VALUE = CustomFieldValueDraft(deal_id="7", field_id="1", value=500, currency="usd")
PAGE: dict[str, Any] = {"limit": 50, "offset": 100}
DEAL_FILTERS: dict[str, Any] = {
    "search": "x",
    "search_field": "title",
    "title": "t",
    "stage_id": "1",
    "pipeline_id": "2",
    "status": "lost",
    "owner_id": "3",
    "contact_id": "4",
    "organization_id": "5",
    "next_task": "overdue",
    "task_type_id": "6",
    "tag_id": "-1",
    "created_before": date(2026, 2, 1),
    "created_after": "2026-01-01",
    "updated_before": "2026-02-01",
    "updated_after": "2026-01-01",
    "minimum_value": Dollars(10),
    "maximum_value": "$20",
    "score": "1:2",
    "score_greater_than": "1:1",
    "score_less_than": "1:9",
}
DEAL_ORDERS: Any = dict.fromkeys(
    ["title", "value", "cdate", "contact_name", "contact_orgname", "next-action"], "DESC"
)

Do = Callable[[ActiveCampaignClient], Awaitable[Any]]
CALLS: dict[str, Do] = {
    "users.me": lambda ac: ac.users.me(),
    "deals.list": lambda ac: _first(
        ac.deals.list(**DEAL_FILTERS, orders=DEAL_ORDERS, include=["contact"], **PAGE)
    ),
    "deals.create": lambda ac: ac.deals.create(DealDraft(**DEAL)),
    "deals.get": lambda ac: ac.deals.get("7", include=["dealCustomFieldData", "contact"]),
    "deals.update": lambda ac: ac.deals.update("7", DealPatch(**DEAL)),
    "deals.delete": lambda ac: ac.deals.delete("7"),
    "deals.update_owners": lambda ac: ac.deals.update_owners({"7": "1"}),
    "deals.list_for_contact": lambda ac: ac.deals.list_for_contact("7"),
    "deals.create_note": lambda ac: ac.deals.create_note("7", "text"),
    "deals.update_note": lambda ac: ac.deals.update_note("7", "8", "text"),
    "secondary_contacts.list": lambda ac: _first(ac.secondary_contacts.list(**PAGE)),
    "secondary_contacts.create": lambda ac: ac.secondary_contacts.create(
        SecondaryContactDraft(deal_id="1", contact_id="2")
    ),
    "secondary_contacts.get": lambda ac: ac.secondary_contacts.get("7"),
    "secondary_contacts.update": lambda ac: ac.secondary_contacts.update(
        "7", SecondaryContactPatch(deal_id="1", contact_id="2", role_id=3)
    ),
    "secondary_contacts.delete": lambda ac: ac.secondary_contacts.delete("7"),
    "secondary_contacts.list_for_contact": lambda ac: ac.secondary_contacts.list_for_contact("7"),
    "activities.list": lambda ac: _first(
        ac.activities.list(deal_id="1", data_type="task", data_id="2", exclude="email", **PAGE)
    ),
    "custom_fields.list": lambda ac: _first(ac.custom_fields.list(**PAGE)),
    "custom_fields.create": lambda ac: ac.custom_fields.create(
        CustomFieldDraft(**FIELD, kind="dropdown", required=True, default_currency="usd")
    ),
    "custom_fields.get": lambda ac: ac.custom_fields.get("7"),
    "custom_fields.update": lambda ac: ac.custom_fields.update("7", CustomFieldPatch(**FIELD)),
    "custom_fields.delete": lambda ac: ac.custom_fields.delete("7"),
    "custom_field_values.list": lambda ac: _first(ac.custom_field_values.list(deal_id="1", **PAGE)),
    "custom_field_values.create": lambda ac: ac.custom_field_values.create(VALUE),
    "custom_field_values.create_many": lambda ac: ac.custom_field_values.create_many([VALUE]),
    "custom_field_values.update_many": lambda ac: ac.custom_field_values.update_many(
        [CustomFieldValuePatch(id="7", value=5, currency="usd")]
    ),
    "custom_field_values.get": lambda ac: ac.custom_field_values.get("7"),
    "custom_field_values.update": lambda ac: ac.custom_field_values.update(
        "7", CustomFieldValuePatch(value=Money(5, "usd"))
    ),
    "custom_field_values.delete": lambda ac: ac.custom_field_values.delete("7"),
    "pipelines.list": lambda ac: _first(
        ac.pipelines.list(title="t", have_stages=True, orders={"title": "ASC", "popular": "DESC"}, **PAGE)
    ),
    "pipelines.create": lambda ac: ac.pipelines.create(PipelineDraft(**PIPELINE)),
    "pipelines.get": lambda ac: ac.pipelines.get("7"),
    "pipelines.update": lambda ac: ac.pipelines.update("7", PipelinePatch(**PIPELINE)),
    "pipelines.delete": lambda ac: ac.pipelines.delete("7"),
    "stages.list": lambda ac: _first(
        ac.stages.list(title="t", pipeline_id="1", orders={"title": "ASC"}, **PAGE)
    ),
    "stages.create": lambda ac: ac.stages.create(StageDraft(**STAGE), reorder=True),
    "stages.get": lambda ac: ac.stages.get("7"),
    "stages.update": lambda ac: ac.stages.update("7", StagePatch(**STAGE), reorder=False),
    "stages.delete": lambda ac: ac.stages.delete("7"),
    "stages.move_deals": lambda ac: ac.stages.move_deals("7", "8"),
    "roles.list": lambda ac: _first(ac.roles.list(search="x", **PAGE)),
    "roles.create": lambda ac: ac.roles.create("Boss"),
    "roles.delete": lambda ac: ac.roles.delete("7"),
    "tasks.list": lambda ac: _first(
        ac.tasks.list(
            title="t",
            related_type="contact",
            related_id="1",
            status="open",
            note="n",
            due="2026-01-01",
            due_after="2026-01-01",
            due_before=date(2026, 2, 1),
            due_range=("2026-01-01", date(2026, 2, 1)),
            task_type_id="1",
            user_id="2",
            assignee_id="3",
            outcome_id="4",
            **PAGE,
        )
    ),
    "tasks.create": lambda ac: ac.tasks.create(
        TaskDraft(**TASK, ends=NOON, automation_on_create=1, automation_on_done=2)
    ),
    "tasks.get": lambda ac: ac.tasks.get("7"),
    "tasks.update": lambda ac: ac.tasks.update("7", TaskPatch(**TASK, outcome_id="1", outcome_info="good")),
    "tasks.delete": lambda ac: ac.tasks.delete("7"),
    "task_types.list": lambda ac: _first(ac.task_types.list(**PAGE)),
    "task_types.create": lambda ac: ac.task_types.create(TaskTypeDraft(title="Call", status="active")),
    "task_types.get": lambda ac: ac.task_types.get("7"),
    "task_types.update": lambda ac: ac.task_types.update("7", TaskTypePatch(title="Call", status="disabled")),
    "task_types.delete": lambda ac: ac.task_types.delete("7"),
    "task_types.move_tasks": lambda ac: ac.task_types.move_tasks("7", "8"),
}


async def _first(paginator: Any) -> Any:
    return (await paginator).items


def answer(row: dict[str, Any]) -> Any:
    """Return the smallest answer that an operation can have."""
    if row["id"] == "deals.bulk_update_owners":
        return {"success": ["7"], "nochange": [], "failed": []}
    if row["answer"] is None:
        return {"message": "ok"}
    return {row["answer"]: [{"id": "7"}] if row["list"] else {"id": "7"}}


@functools.cache
def row_of(name: str) -> dict[str, Any]:
    return CATALOG[NAMES[name]["id"]]


async def sent_by(name: str) -> tuple[Sent, Any]:
    client, recorder = connect(lambda sent: answer(row_of(name)))
    async with client:
        result = await CALLS[name](client)
    (sent,) = recorder.sent
    return sent, result


def test_the_table_of_names_is_whole():
    """Fifty-four operations: ours, the vendor's, the table between them and the calls below are one set."""
    assert len(OPERATIONS) == 54
    assert set(OPERATIONS) == set(NAMES) == set(CALLS)
    assert sorted(row["id"] for row in NAMES.values()) == sorted(CATALOG)
    assert all(name == operation.name for name, operation in OPERATIONS.items())
    with pytest.raises(TypeError):
        OPERATIONS["x.y"] = OPERATIONS["users.me"]  # type: ignore[index]


@pytest.mark.parametrize("name", sorted(NAMES))
def test_an_operation_is_the_catalogues(name: str):
    """Method, path, envelope of the answer and paging style are the vendor's."""
    operation, row = OPERATIONS[name], row_of(name)
    assert operation.method == row["method"]
    assert re.sub(r"\{\w+\}", "{}", operation.path) == "/api/3" + re.sub(r"\{\w+\}", "{}", row["path"])
    shapes = {Shape.PAGE, Shape.LIST} if row["list"] else {Shape.MEMBER, Shape.OBJECT, Shape.EMPTY}
    assert operation.shape in shapes
    assert operation.items == (row["answer"] or "")
    assert (operation.paging is Paging.OFFSET) == (row["paging"] == "limit/offset")
    assert (operation.paging is None) == (operation.shape is not Shape.PAGE)
    assert operation.summary.endswith(".")
    assert re.fullmatch(r"[a-z_]+\.[a-z_]+", name)


@pytest.mark.parametrize("name", sorted(NAMES))
async def test_everything_the_vendor_takes_can_be_sent(name: str):
    """Each parameter and body field of the catalogue arrives under its name, and nothing else does."""
    row = row_of(name)
    sent, _ = await sent_by(name)
    assert sent.method == row["method"]
    ids = dict(zip(re.findall(r"\{(\w+)\}", row["path"]), ("7", "8"), strict=False))
    assert sent.path == "/api/3" + row["path"].format(**ids)
    assert set(sent.query) == set(row["query"])
    assert sent.headers["Api-Token"] == "k-1"
    assert _fields(sent.body, row) == {field for field in row["body"] if "." not in field}


def _fields(body: Any, row: dict[str, Any]) -> set[str]:
    """Return the body's fields, having checked the envelope around them."""
    if body is None:
        return set()
    if row["envelope"] is not None:
        assert set(body) == {row["envelope"]}
        body = body[row["envelope"]]
    if row["array"]:
        assert isinstance(body, list)
        (body,) = body
    return set(body)


@pytest.mark.parametrize("name", ["deals.create", "deals.update"])
async def test_a_deal_takes_values_of_custom_fields(name: str):
    """The values inside a deal have the vendor's three members, an amount its currency."""
    sent, _ = await sent_by(name)
    assert sent.body["deal"]["fields"] == [{"customFieldId": "1", "fieldValue": 5, "fieldCurrency": "eur"}]
    assert {f"fields[].{field}" for field in sent.body["deal"]["fields"][0]} <= set(row_of(name)["body"])
    assert (sent.body["deal"]["value"], sent.body["deal"]["currency"]) == (1234, "usd")


async def test_the_filters_are_spelled_right():
    """due_before is no longer misspelled, days are days, and a range is two of them joined by a plus."""
    sent, _ = await sent_by("tasks.list")
    assert sent.query["filters[due_before]"] == "2026-02-01"
    assert sent.query["filters[duedate_range]"] == "2026-01-01+2026-02-01"
    assert sent.query["filters[reltype]"] == "Subscriber"
    assert sent.query["filters[status]"] == "0"
    assert not any("itler" in name for name in sent.query)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_each_operation_has_its_method(name: str):
    """An operation's name is the path to its method, whose docstring tells the vendor's path."""
    resource, verb = name.split(".")
    part = inspect.getattr_static(ActiveCampaignClient, resource)
    assert isinstance(part, functools.cached_property)
    method = getattr(typing.get_type_hints(part.func)["return"], verb)
    row = row_of(name)
    assert f"`{row['method']} {row['path']}`" in (inspect.getdoc(method) or "")


def test_what_may_be_repeated_is_decided():
    """No POST and no move is sent twice; deletions and moves destroy."""
    unrepeatable = {name for name, operation in OPERATIONS.items() if not operation.repeatable}
    posts = {name for name, operation in OPERATIONS.items() if operation.method == "POST"}
    moves = {"stages.move_deals", "task_types.move_tasks"}
    assert unrepeatable == posts | moves
    assert {name for name, operation in OPERATIONS.items() if operation.destructive} == moves | {
        name for name, operation in OPERATIONS.items() if operation.method == "DELETE"
    }


def test_the_table_costs_no_http_client():
    """Importing the table imports no aiohttp."""
    code = "import sys, nimble_async.activecampaign.catalog; sys.exit('aiohttp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=20).returncode == 0
