"""deals.* and deal_pipelines.*: deals by limit, and pipeline by pipeline, stage by stage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from nimble_async.testing.nimble.call import Answer, Call, Handler, Refusal, invalid, json_answer, not_found
from nimble_async.testing.nimble.contacts import page_of
from nimble_async.testing.nimble.content import (
    PIPELINES,
    deal_currency,
    deal_document,
    deal_place,
    deal_values,
)

__all__ = ["HANDLERS", "deals_by_stage", "get_deal", "list_deals", "list_pipelines"]

_LIST_SIZE = 30
_GROUP_SIZE = 10
_UNSORTABLE = {"created", "updated", "deal_number"}
_SORTABLE = {
    "name": "deal_name",
    "deal_name": "deal_name",
    "amount": "amount",
    "description": "description",
    "expected_close_date": "expected_close_date",
}


def list_deals(call: Call) -> Answer:
    """Answer the first `limit` deals; more pages are not documented, so there are none."""
    sort = _sort(call)
    size = call.number("limit", _LIST_SIZE)
    if call.behaviour.deals_limit_cap is not None:
        size = min(size, call.behaviour.deals_limit_cap)
    rows = _ordered(call, sort, None)
    serials = page_of(rows, sort[0], 0, size, call.chance if call.behaviour.unstable_ties else None)
    meta = {"page": 1, "pages": -(-len(rows) // size), "per_page": size, "total": len(rows)}
    resources = [deal_document(call.world, serial, now=call.now) for serial in serials]
    return json_answer({"meta": meta, "resources": resources}, lasting=not call.behaviour.unstable_ties)


def get_deal(call: Call) -> Answer:
    """Answer one deal."""
    serial = call.world.deals.serial_of(call.ids["deal_id"])
    if serial is None:
        return not_found("deal", call.ids["deal_id"])
    return json_answer(deal_document(call.world, serial, now=call.now), lasting=True)


def list_pipelines(call: Call) -> Answer:
    """Answer the pipelines that this account offers."""
    return json_answer(
        {"pipelines": [PIPELINES[place]["document"] for place in _offered(call)]}, lasting=True
    )


def deals_by_stage(call: Call) -> Answer:
    """Answer the first deals of each stage of a pipeline, each group with its own way on."""
    pipeline_id = call.ids["pipeline_id"]
    pipeline = next(
        (place for place in _offered(call) if _document(place)["pipeline_id"] == pipeline_id), None
    )
    if pipeline is None:
        return not_found("pipeline", pipeline_id)
    sort = _sort(call)
    size = call.number("limit", _GROUP_SIZE)
    skip = call.number("skip", 0, least=0)
    wanted = call.text("stage_id")
    if call.text("query"):
        return json_answer({"message": "The simulator does not search deals yet"}, 501)
    stages = [stage for stage in _document(pipeline)["stages"] if wanted in {None, stage["stage_id"]}]
    if not stages:
        return not_found("stage", wanted or "")
    groups = []
    for stage in stages:
        number = _document(pipeline)["stages"].index(stage)
        rows = _stuck(call, stage, _ordered(call, sort, (pipeline, number)))
        serials = page_of(rows, sort[0], skip, size, call.chance if call.behaviour.unstable_ties else None)
        groups.append(_group(call, stage, serials, rows, skip + size))
    return json_answer({"stages": groups}, lasting=not call.behaviour.unstable_ties)


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "deal_pipelines.deals_by_stage": deals_by_stage,
        "deal_pipelines.list": list_pipelines,
        "deals.get": get_deal,
        "deals.list": list_deals,
    }
)


def _document(place: int) -> dict[str, Any]:
    document: dict[str, Any] = PIPELINES[place]["document"]
    return document


def _offered(call: Call) -> list[int]:
    switches = call.behaviour
    return [
        place
        for place, pipeline in enumerate(PIPELINES)
        if (switches.offer_archived or pipeline["document"]["archived_at"] is None)
        and (switches.offer_invisible or pipeline["visible"])
    ]


def _sort(call: Call) -> tuple[Callable[[int], Any], bool]:
    text = call.text("sort")
    if not text:
        raise Refusal(invalid({"/": 'missing required properties: ["sort"]'}))
    name, colon, order = text.rpartition(":")
    if not colon or order not in {"asc", "desc"}:
        raise Refusal(invalid({"/sort": "must be <field>:asc or <field>:desc"}))
    if name in _UNSORTABLE or name not in _SORTABLE:
        raise Refusal(invalid({"/sort": f"{name} is not sortable"}))
    field, world = _SORTABLE[name], call.world
    if field == "amount":
        return (lambda serial: float(deal_values(world, serial)["amount"])), order == "desc"
    return (lambda serial: deal_values(world, serial)[field].lower()), order == "desc"


def _ordered(call: Call, sort: tuple[Callable[[int], Any], bool], place: tuple[int, int] | None) -> list[int]:
    """Return the deals of one stage, or all, in order."""
    known = ("deals", call.text("sort"), place)
    if known not in call.found:
        rows = [
            serial for serial in call.world.deals.listed if place in {None, deal_place(call.world, serial)}
        ]
        rows.sort(key=sort[0], reverse=sort[1])
        call.found[known] = rows
    found: list[int] = call.found[known]
    return found


def _stuck(call: Call, stage: dict[str, Any], rows: list[int]) -> list[int]:
    """Keep the deals that are, or are not, in their stage for longer than it expects; all where not asked."""
    if call.text("stuck") is None:
        return rows
    wanted = call.flag("stuck", default=False)
    latest = call.world.wall(call.now) - 86_400 * stage["expected_days"]
    return [serial for serial in rows if (call.world.deals.created[serial] < latest) is wanted]


def _group(
    call: Call, stage: dict[str, Any], serials: list[int], rows: list[int], following: int
) -> dict[str, Any]:
    """Return one stage with its deals; the way on is relative, as the vendor's may be."""
    address = None
    if following < len(rows):
        again = {
            "sort": call.text("sort"),
            "limit": call.number("limit", _GROUP_SIZE),
            "stage_id": stage["stage_id"],
        }
        if call.text("stuck") is not None:
            again["stuck"] = call.text("stuck")
        path = f"/api/v2/deals/pipelines/{call.ids['pipeline_id']}/deals"
        address = f"{path}?{urlencode({**again, 'skip': following})}"
    amounts: dict[str, float] = {}
    for serial in rows:
        currency = deal_currency(call.world, serial)
        amounts[currency] = amounts.get(currency, 0.0) + float(deal_values(call.world, serial)["amount"])
    totals = [{"currency": currency, "count": int(amount)} for currency, amount in sorted(amounts.items())]
    deals = [deal_document(call.world, serial, now=call.now) for serial in serials]
    # What the vendor counts as "new" is not documented; here it is every deal of the stage.
    meta = {"total_new_count": len(rows), "next_page_url": address, "total_amount": totals}
    return {"stage": stage, "deals": deals, "meta": meta}
