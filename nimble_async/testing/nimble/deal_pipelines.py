"""deal_pipelines.* and deal_stages.*: pipelines, their stages, and deals stage by stage or by owner."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from nimble_async.testing.call import EMPTY, Answer, Call, Handler, Refusal, json_answer
from nimble_async.testing.nimble.checks import (
    Rule,
    complain,
    insert_after,
    read_body,
    read_flag,
    read_number,
    wrong_in,
)
from nimble_async.testing.nimble.contacts import page_of
from nimble_async.testing.nimble.content import created_text
from nimble_async.testing.nimble.deal_content import (
    deal_currency,
    deal_document,
    deal_owner,
    deal_place,
    deal_values,
)
from nimble_async.testing.nimble.deal_pipeline_fields import add_members
from nimble_async.testing.nimble.deal_search import compile_deal_search
from nimble_async.testing.nimble.deals import Order, ordered_deals, sort_of
from nimble_async.testing.nimble.pipeline_access import own_pipeline, visible
from nimble_async.testing.nimble.refusals import forbidden, not_found
from nimble_async.testing.nimble.search import read_query
from nimble_async.testing.nimble.standing import OWNER

__all__ = [
    "HANDLERS",
    "add_lost_reason",
    "archive",
    "archive_stage",
    "create",
    "create_stage",
    "deals_by_owner",
    "deals_by_stage",
    "delete",
    "get",
    "list_pipelines",
    "unarchive",
    "update",
    "update_stage",
]

_GROUP_SIZE = 10
_CURRENCY = re.compile(r"[A-Z]{3}")
_STAGE = {
    "name": Rule(least=1, most=4096),
    "description": Rule(null=True),
    "pipeline_id": Rule(),
    "insert_after": Rule(null=True),
    "expected_days": Rule(kind="number", least=0),
    "default_probability": Rule(kind="number", least=0, most=100),
}


def list_pipelines(call: Call) -> Answer:
    """Answer the pipelines that this account offers."""
    shown = [pipeline for pipeline in call.account.pipelines.values() if _offered(call, pipeline)]
    return json_answer({"pipelines": shown}, lasting=True)


def get(call: Call) -> Answer:
    """Answer one pipeline, archived or not."""
    pipeline = call.account.pipelines.get(call.ids["pipeline_id"])
    if pipeline is None or not visible(call, call.ids["pipeline_id"]):
        return not_found("pipeline", call.ids["pipeline_id"])
    return json_answer(pipeline, lasting=True)


def create(call: Call) -> Answer:
    """Create a pipeline with stages, reasons for losses and fields; stages for won and lost are added."""
    body = read_body(
        call,
        name=Rule(required=True, least=1, most=200),
        description=Rule(required=True, most=256),
        color=Rule(required=True),
        lost_reasons=Rule(kind="array", required=True, items="string"),
        stages=Rule(kind="array", required=True, items="object"),
        fields_tab_members=Rule(kind="array", required=True, items="object"),
        default_currency=Rule(required=True),
    )
    if not _CURRENCY.fullmatch(body["default_currency"]):
        raise complain("/default_currency", f"{body['default_currency']!r} is not a currency of ISO 4217")
    for place, reason in enumerate(body["lost_reasons"]):
        if len(reason) > 256:
            raise complain(f"/lost_reasons/{place}", f"{reason!r} is too long")
    stamps = _stamps(call)
    pipeline: dict[str, Any] = {
        **stamps,
        "pipeline_id": call.new_id(),
        "name": body["name"],
        "description": body["description"],
        "creator": OWNER,
        "archived_at": None,
        "stages": [],
        "color": body["color"],
        "is_default": False,
        "default_currency": body["default_currency"],
        "lost_reasons": [{"id": call.new_id(), "text": reason} for reason in body["lost_reasons"]],
        "tabs": [],
    }
    for place, stage in enumerate(body["stages"]):
        wrong = wrong_in(
            stage, {**_STAGE, "name": Rule(required=True, least=1, most=4096)}, f"/stages/{place}"
        )
        if wrong:
            raise complain(*next(iter(wrong.items())))
        pipeline["stages"].append(_stage(call, pipeline, stage))
    for name, probability in (("Won", 100), ("Lost", 0)):
        final = _stage(call, pipeline, {"name": name, "default_probability": probability})
        pipeline["stages"].append({**final, "role": {"name": name.lower(), "is_final": True}})
    add_members(call, pipeline, body["fields_tab_members"])
    call.account.pipelines[pipeline["pipeline_id"]] = pipeline
    call.account.change()
    return json_answer(pipeline, 201)


def update(call: Call) -> Answer:
    """Name, describe or colour a pipeline anew."""
    pipeline = own_pipeline(call)
    body = read_body(call, name=Rule(least=1, most=200), description=Rule(null=True), color=Rule())
    return _changed(call, pipeline, body)


def delete(call: Call) -> Answer:
    """Delete a pipeline and all its deals; the default one stays."""
    pipeline = own_pipeline(call)
    if pipeline["is_default"]:
        return forbidden("delete the default pipeline")
    deals = call.world.deals
    for serial in list(deals.listed):
        if deal_place(call.world, serial)[0] == pipeline["pipeline_id"]:
            deals.delete(call.now, serial)
    fields = call.account.deal_fields
    for field_id in [one for one, entry in fields.items() if entry["pipeline_id"] == pipeline["pipeline_id"]]:
        del fields[field_id]
    del call.account.pipelines[pipeline["pipeline_id"]]
    call.account.change()
    return EMPTY


def archive(call: Call) -> Answer:
    """Put a pipeline away: it is not offered any more, and keeps its deals."""
    own_pipeline(call)["archived_at"] = created_text(call.wall)
    call.account.change()
    return EMPTY


def unarchive(call: Call) -> Answer:
    """Bring an archived pipeline back."""
    own_pipeline(call)["archived_at"] = None
    call.account.change()
    return EMPTY


def add_lost_reason(call: Call) -> Answer:
    """Add a reason why deals are lost; the same text again is refused with the third shape of 406."""
    pipeline = own_pipeline(call)
    reason = read_body(call, reason=Rule(required=True))["reason"]
    if reason in {known["text"] for known in pipeline["lost_reasons"]}:
        refusal = {"message": f"There is a reason {reason} already", "error_type": "lost_reason_exists"}
        return json_answer(refusal, 406)
    pipeline["lost_reasons"].append({"id": call.new_id(), "text": reason})
    return _changed(call, pipeline, {}, 201)


def create_stage(call: Call) -> Answer:
    """Add a stage; where nothing is said it stands before the final ones."""
    pipeline = own_pipeline(call)
    body = read_body(call, **{**_STAGE, "name": Rule(required=True, least=1, most=4096)})
    stage = _stage(call, pipeline, body)
    if "insert_after" in body:
        insert_after(pipeline["stages"], stage, body, ("stage_id",))
    else:
        finals = [place for place, one in enumerate(pipeline["stages"]) if one["role"]["is_final"]]
        pipeline["stages"].insert(min(finals, default=len(pipeline["stages"])), stage)
    return _changed(call, pipeline, {}, 201)


def update_stage(call: Call) -> Answer:
    """Change a stage."""
    pipeline = own_pipeline(call)
    stage = _own_stage(call, pipeline)
    body = read_body(
        call,
        name=Rule(least=1, most=4096),
        description=Rule(null=True, least=1, most=4096),
        expected_days=Rule(kind="integer"),
        default_probability=Rule(kind="integer", least=0, most=100),
    )
    stage.update(body, updated=created_text(call.wall))
    return _changed(call, pipeline, {})


def archive_stage(call: Call) -> Answer:
    """Archive a stage: it is shown as such, keeps its deals and takes no others; the final ones stay."""
    stage = _own_stage(call, own_pipeline(call))
    if stage["role"]["is_final"]:
        return forbidden("archive a final stage")
    stage["archived_at"] = created_text(call.wall)
    call.account.change()
    return EMPTY


def deals_by_stage(call: Call) -> Answer:
    """Answer the first deals of each stage of a pipeline, each group with its own way on."""
    pipeline, sort, rows = _asked(call)
    wanted = call.text("stage_id")
    stages = [stage for stage in pipeline["stages"] if wanted in {None, stage["stage_id"]}]
    if not stages:
        return not_found("stage", wanted or "")
    groups = []
    for stage in stages:
        there = _stuck(call, stage, _on_stage(call, rows, stage["stage_id"]))
        deals, meta = _group(call, sort, there, {"stage_id": stage["stage_id"]})
        # What the vendor counts as "new" is not documented; here it is every deal of the stage.
        groups.append({"stage": stage, "deals": deals, "meta": {"total_new_count": len(there), **meta}})
    return json_answer({"stages": groups}, lasting=not call.behaviour.unstable_ties)


def deals_by_owner(call: Call) -> Answer:
    """Answer the first deals of each owner in a pipeline, each group with its own way on."""
    _, sort, rows = _asked(call)
    wanted = call.text("owner_id")
    owners = {deal_owner(call.world, serial)["user_id"]: deal_owner(call.world, serial) for serial in rows}
    groups = []
    for owner_id, owner in sorted(owners.items()):
        if wanted in {None, owner_id}:
            own = [serial for serial in rows if deal_owner(call.world, serial)["user_id"] == owner_id]
            deals, meta = _group(call, sort, own, {"owner_id": owner_id})
            groups.append({"owner": owner, "deals": deals, "meta": meta})
    return json_answer({"groups": groups}, lasting=not call.behaviour.unstable_ties)


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "deal_pipelines.add_lost_reason": add_lost_reason,
        "deal_pipelines.archive": archive,
        "deal_pipelines.create": create,
        "deal_pipelines.deals_by_owner": deals_by_owner,
        "deal_pipelines.deals_by_stage": deals_by_stage,
        "deal_pipelines.delete": delete,
        "deal_pipelines.get": get,
        "deal_pipelines.list": list_pipelines,
        "deal_pipelines.unarchive": unarchive,
        "deal_pipelines.update": update,
        "deal_stages.archive": archive_stage,
        "deal_stages.create": create_stage,
        "deal_stages.update": update_stage,
    }
)


def _offered(call: Call, pipeline: Mapping[str, Any]) -> bool:
    archived = pipeline["archived_at"] is not None and not call.behaviour.offer_archived
    return not archived and visible(call, pipeline["pipeline_id"])


def _stamps(call: Call) -> dict[str, str]:
    stamp = created_text(call.wall)
    return {"created": stamp, "updated": stamp}


def _stage(call: Call, pipeline: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return a new open stage; the vendor misspells the pipeline's key."""
    return {
        **_stamps(call),
        "stage_id": call.new_id(),
        "name": sent["name"],
        "description": sent.get("description") or "",
        "default_probability": sent.get("default_probability"),
        "expected_days": int(sent.get("expected_days", 0)),
        "creator": OWNER,
        "pipline_id": pipeline["pipeline_id"],
        "role": {"name": "open", "is_final": False},
        "archived_at": None,
    }


def _own_stage(call: Call, pipeline: Mapping[str, Any]) -> dict[str, Any]:
    for stage in pipeline["stages"]:
        if stage["stage_id"] == call.ids["stage_id"]:
            found: dict[str, Any] = stage
            return found
    raise Refusal(not_found("stage", call.ids["stage_id"]))


def _changed(call: Call, pipeline: dict[str, Any], body: Mapping[str, Any], status: int = 200) -> Answer:
    pipeline.update(body, updated=created_text(call.wall))
    call.account.change()
    return json_answer(pipeline, status)


def _asked(call: Call) -> tuple[dict[str, Any], Order, list[int]]:
    """Return the pipeline in the path, the order asked for, and the pipeline's deals that a search finds."""
    pipeline = call.account.pipelines.get(call.ids["pipeline_id"])
    if pipeline is None or not _offered(call, pipeline):
        raise Refusal(not_found("pipeline", call.ids["pipeline_id"]))
    sort = sort_of(call)
    rows = ordered_deals(call, sort, pipeline["pipeline_id"])
    query = call.text("query")
    if query:
        test = compile_deal_search(call, read_query(query))
        rows = [serial for serial in rows if test(serial)]
    return pipeline, sort, rows


def _on_stage(call: Call, rows: list[int], stage_id: str) -> list[int]:
    """Return the deals on one stage; without a search the next page need not look again."""
    known = ("stage", call.text("sort"), stage_id)
    if call.text("query") or known not in call.found:
        found = [serial for serial in rows if deal_place(call.world, serial)[1] == stage_id]
        if call.text("query"):
            return found
        call.found[known] = found
    there: list[int] = call.found[known]
    return there


def _stuck(call: Call, stage: Mapping[str, Any], rows: list[int]) -> list[int]:
    """Keep the deals that are, or are not, in their stage for longer than it expects; all where not asked."""
    if call.text("stuck") is None:
        return rows
    wanted = read_flag(call, "stuck", default=False)
    latest = call.wall - 86_400 * (stage["expected_days"] or 0)
    return [serial for serial in rows if (call.world.deals.created[serial] < latest) is wanted]


def _group(
    call: Call, sort: Order, rows: list[int], own: Mapping[str, str]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return some deals of one group and its meta; the way on is relative, as the vendor's may be."""
    size, skip = read_number(call, "limit", _GROUP_SIZE), read_number(call, "skip", 0, least=0)
    chance = call.chance if call.behaviour.unstable_ties else None
    serials = page_of(rows, sort[0], skip, size, chance)
    address = None
    if skip + size < len(rows):
        again: dict[str, Any] = {"sort": call.text("sort"), "limit": size, **own}
        again |= {name: call.text(name) for name in ("stuck", "query") if call.text(name) is not None}
        address = f"{call.path}?{urlencode({**again, 'skip': skip + size})}"
    amounts: dict[str, float] = {}
    for serial in rows:
        currency = deal_currency(call.world, serial)
        amount = deal_values(call.world, serial).get("amount") or 0
        amounts[currency] = amounts.get(currency, 0.0) + float(amount)
    totals = [{"currency": currency, "count": int(amount)} for currency, amount in sorted(amounts.items())]
    deals = [deal_document(call.world, serial, now=call.now) for serial in serials]
    return deals, {"next_page_url": address, "total_amount": totals}
