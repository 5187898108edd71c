"""deals.*: deals by limit, one by one, and what changes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from nimble_async.testing.call import EMPTY, Answer, Call, Handler, Refusal, json_answer
from nimble_async.testing.nimble.account import DealProfile
from nimble_async.testing.nimble.checks import Rule, complain, read_body, read_number, wrong_in
from nimble_async.testing.nimble.contacts import page_of
from nimble_async.testing.nimble.deal_content import deal_document, deal_place, deal_profile, deal_values
from nimble_async.testing.nimble.refusals import forbidden, invalid, not_found
from nimble_async.testing.nimble.standing import DEAL_FIELDS, OWNER, user
from nimble_async.testing.nimble.tasks import activity, due

__all__ = [
    "HANDLERS",
    "Order",
    "create",
    "deal_number",
    "delete",
    "editable_deal",
    "get",
    "list_deals",
    "note_deal_change",
    "ordered_deals",
    "overdue_activities",
    "sort_of",
    "update",
    "won_last_month",
]

Order = tuple[Callable[[int], Any], bool]
"""The key of an order, and whether it descends."""

_LIST_SIZE = 30
_UNSORTABLE = {"created", "updated", "deal_number"}
_SORTABLE = {
    "name": "deal_name",
    "deal_name": "deal_name",
    "amount": "amount",
    "description": "description",
    "expected_close_date": "expected_close_date",
}
_CURRENCY = re.compile(r"[A-Z]{3}")
_MEMBERS: Mapping[str, Rule] = MappingProxyType(
    {
        "owner_id": Rule(),
        "privacy": Rule(kind="object", null=True),
        "fields_values": Rule(kind="object"),
        "pipeline_id": Rule(),
        "stage_id": Rule(),
        "currency": Rule(),
        "related_contacts": Rule(kind="array", items="object"),
        "related_external_contacts": Rule(kind="array", items="object"),
        "tags": Rule(kind="array", items="string"),
    }
)


def deal_number(call: Call) -> int:
    """Return the number of the deal in the path.

    Raises:
        Refusal: There is no such deal: a 404 that names it.
    """
    serial = call.world.deals.serial_of(call.ids["deal_id"])
    if serial is None:
        raise Refusal(not_found("deal", call.ids["deal_id"]))
    return serial


def editable_deal(call: Call, serial: int) -> bool:
    """Return whether the user of this account may change a deal."""
    profile = call.account.deals.get(serial)
    return profile is None or call.account.may_edit(profile.privacy, profile.owner["user_id"])


def note_deal_change(call: Call, serial: int) -> DealProfile:
    """Let a deal be updated now, and return what the account's books say about it."""
    profile = deal_profile(call.world, serial)
    profile.updated = call.wall
    profile.updated_by = OWNER["name"]
    call.account.change()
    return profile


def list_deals(call: Call) -> Answer:
    """Answer the first `limit` deals; more pages are not documented, so there are none."""
    sort = sort_of(call)
    size = read_number(call, "limit", _LIST_SIZE)
    if call.behaviour.deals_limit_cap is not None:
        size = min(size, call.behaviour.deals_limit_cap)
    rows = ordered_deals(call, sort, None)
    serials = page_of(rows, sort[0], 0, size, call.chance if call.behaviour.unstable_ties else None)
    meta = {"page": 1, "pages": -(-len(rows) // size), "per_page": size, "total": len(rows)}
    resources = [deal_document(call.world, serial, now=call.now) for serial in serials]
    return json_answer({"meta": meta, "resources": resources}, lasting=not call.behaviour.unstable_ties)


def get(call: Call) -> Answer:
    """Answer one deal."""
    return json_answer(deal_document(call.world, deal_number(call), now=call.now), lasting=True)


def create(call: Call) -> Answer:
    """Create a deal on a stage of a pipeline."""
    needed = {"fields_values", "pipeline_id", "stage_id"}
    rules = {
        name: Rule(kind=rule.kind, required=name in needed, null=rule.null, items=rule.items)
        for name, rule in _MEMBERS.items()
    }
    body = read_body(call, **rules)
    stage = _stage(call, body["pipeline_id"], body["stage_id"])
    fields = _fields(call, body["fields_values"])
    if not fields.get("deal_name"):
        raise complain("/fields_values", "Deal name is required")
    if not fields.get("probability") and stage["default_probability"] is None:
        raise complain("/fields_values", "Probability is required: the stage has no default")
    facts = _facts(call, body)
    serial = call.world.insert_deal(call.now)
    call.account.deals[serial] = DealProfile(
        pipeline_id=body["pipeline_id"],
        stage_id=body["stage_id"],
        fields={name: values for name, values in fields.items() if values},
        owner=facts.get("owner", OWNER),
        creator=OWNER,
        updated_by=OWNER["name"],
        currency=facts.get("currency", "USD"),
        privacy=facts.get("privacy", {"read": None, "edit": None}),
        tags=facts.get("tags", []),
        related_contacts=facts.get("related_contacts", []),
        related_external_contacts=facts.get("related_external_contacts", []),
        updated=call.wall,
        transitions=[_transition(call, None, body["stage_id"])],
    )
    _know_tags(call, facts.get("tags", []))
    call.account.change()
    return json_answer(deal_document(call.world, serial, now=call.now))


def update(call: Call) -> Answer:
    """Change what is sent, and move the deal where another stage is sent."""
    serial = deal_number(call)
    if not editable_deal(call, serial):
        raise complain("/", "The deal is not editable")
    body = read_body(call, **_MEMBERS)
    pipeline_id, stage_id = deal_place(call.world, serial)
    target = body.get("pipeline_id", pipeline_id)
    if target != pipeline_id and "stage_id" not in body:
        raise complain("/", 'missing required properties: ["stage_id"]')
    new_stage = body.get("stage_id", stage_id)
    if (target, new_stage) != (pipeline_id, stage_id):
        _stage(call, target, new_stage)
    fields = _fields(call, body.get("fields_values", {}))
    if "deal_name" in fields and not fields["deal_name"]:
        raise complain("/fields_values", "Deal name is required")
    facts = _facts(call, body)
    profile = note_deal_change(call, serial)
    profile.fields = {name: items for name, items in {**profile.fields, **fields}.items() if items}
    for name, value in facts.items():
        setattr(profile, name, value)
    if new_stage != stage_id:
        profile.transitions = [*profile.transitions, _transition(call, stage_id, new_stage)]
        profile.pipeline_id, profile.stage_id = target, new_stage
    _know_tags(call, facts.get("tags", []))
    return json_answer(deal_document(call.world, serial, now=call.now))


def delete(call: Call) -> Answer:
    """Delete one deal."""
    serial = deal_number(call)
    if not editable_deal(call, serial):
        return forbidden("delete this deal")
    call.world.deals.delete(call.now, serial)
    return EMPTY


def won_last_month(call: Call) -> Answer:
    """Answer the amount and the number of deals that were won in the month before this one."""
    first = datetime.fromtimestamp(call.wall, UTC).date().replace(day=1)
    last = first - timedelta(days=1)
    stages = call.account.stages()
    amounts = []
    for serial in call.world.deals.listed:
        stage_id = deal_place(call.world, serial)[1]
        if stages[stage_id]["role"]["name"] != "won":
            continue
        way = deal_document(call.world, serial, now=call.now)["stage_transitions"]["transitions"]
        if last.replace(day=1).isoformat() <= way[-1]["when"] <= last.isoformat():
            amounts.append(float(deal_values(call.world, serial).get("amount") or 0))
    return json_answer(
        {"last_month_won_amount": round(sum(amounts), 2), "last_month_won_count": len(amounts)}
    )


def overdue_activities(call: Call) -> Answer:
    """Answer what should have been done for a deal by now, the longest overdue first."""
    deal_number(call)
    shown = [
        activity(call, one)
        for one in due(call, call.ids["deal_id"])[: read_number(call, "limit", _LIST_SIZE)]
    ]
    return json_answer({"activities": shown})


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "deals.create": create,
        "deals.delete": delete,
        "deals.get": get,
        "deals.list": list_deals,
        "deals.overdue_activities": overdue_activities,
        "deals.update": update,
        "deals.won_last_month": won_last_month,
    }
)


def sort_of(call: Call) -> Order:
    """Return the order a call asks for; it has to ask for one.

    Raises:
        Refusal: It is missing, or the vendor does not sort by that: a 409.
    """
    text = call.text("sort")
    if not text:
        raise complain("/", 'missing required properties: ["sort"]')
    name, colon, order = text.rpartition(":")
    if not colon or order not in {"asc", "desc"}:
        raise complain("/sort", "must be <field>:asc or <field>:desc")
    if name in _UNSORTABLE or name not in _SORTABLE:
        raise complain("/sort", f"{name} is not sortable")
    field, world = _SORTABLE[name], call.world
    if field == "amount":
        return (lambda serial: float(deal_values(world, serial).get("amount") or 0)), order == "desc"
    return (lambda serial: deal_values(world, serial).get(field, "").lower()), order == "desc"


def ordered_deals(call: Call, sort: Order, pipeline_id: str | None) -> list[int]:
    """Return the deals of one pipeline, or all, in order."""
    known = ("deals", call.text("sort"), pipeline_id)
    if known not in call.found:
        rows = [
            serial
            for serial in call.world.deals.listed
            if pipeline_id in {None, deal_place(call.world, serial)[0]} and _visible(call, serial)
        ]
        rows.sort(key=sort[0], reverse=sort[1])
        call.found[known] = rows
    found: list[int] = call.found[known]
    return found


def _visible(call: Call, serial: int) -> bool:
    profile = call.account.deals.get(serial)
    return profile is None or call.account.may_read(profile.privacy, profile.owner["user_id"])


def _stage(call: Call, pipeline_id: str, stage_id: str) -> dict[str, Any]:
    """Return a stage that can take deals.

    Raises:
        Refusal: The pipeline or the stage is unknown or archived: a 409.
    """
    pipeline = call.account.pipelines.get(pipeline_id)
    if pipeline is None or pipeline["archived_at"] is not None:
        raise complain("/pipeline_id", f"There is no active pipeline {pipeline_id}")
    for stage in pipeline["stages"]:
        if stage["stage_id"] == stage_id and stage["archived_at"] is None:
            found: dict[str, Any] = stage
            return found
    raise complain("/stage_id", f"There is no active stage {stage_id} in this pipeline")


def _fields(call: Call, sent: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return fields by name, sent by id or by name; an empty list removes a field.

    Raises:
        Refusal: A field is unknown, or its values are no list of values: a 409.
    """
    names = {field_id: name for name, (field_id, _) in DEAL_FIELDS.items()}
    kinds = {name: kind["field_kind"] for name, (_, kind) in DEAL_FIELDS.items()}
    for field_id, entry in call.account.deal_fields.items():
        name = names[field_id] = entry["field"]["field_name"]
        kinds[name] = entry["field"]["field_type"]["field_kind"]
    fields: dict[str, list[dict[str, Any]]] = {}
    complaints: dict[str, str] = {}
    for key, given in sent.items():
        name = "deal_name" if key == "name" else names.get(key, key)
        if name not in kinds:
            complaints[f"/fields_values/{key}"] = f"There is no deal field {key}"
        elif not isinstance(given, list) or not all(
            isinstance(one, dict) and "value" in one for one in given
        ):
            complaints[f"/fields_values/{key}"] = "must be a list of {value}"
        else:
            values = [one for one in given if one["value"] not in {None, ""}]
            wrong = [one["value"] for one in values if not _fits(kinds[name], str(one["value"]))]
            if wrong:
                complaints[f"/fields_values/{key}"] = f"Can't parse value {wrong[0]} as {kinds[name].upper()}"
            fields[name] = [
                {"is_primary": place == 0, **one, "value": str(one["value"])}
                for place, one in enumerate(values)
            ]
    if complaints:
        raise Refusal(invalid(complaints))
    return fields


def _fits(kind: str, text: str) -> bool:
    try:
        if kind == "number":
            float(text)
        elif kind == "datetime":
            datetime.fromisoformat(text)
    except ValueError:
        return False
    return kind != "boolean" or text.lower() in {"true", "false"}


def _facts(call: Call, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a body that are kept as they are.

    Raises:
        Refusal: One of them names nobody, or is malformed: a 409.
    """
    facts = {
        name: body[name]
        for name in ("currency", "related_contacts", "related_external_contacts", "tags")
        if name in body
    }
    if "owner_id" in body:
        facts["owner"] = user(body["owner_id"])
        if facts["owner"] is None:
            raise complain("/owner_id", f"There is no user {body['owner_id']}")
    if "privacy" in body:
        facts["privacy"] = {"read": None, "edit": None, **(body["privacy"] or {})}
    if not _CURRENCY.fullmatch(facts.get("currency", "USD")):
        raise complain("/currency", f"{facts['currency']!r} is not a currency of ISO 4217")
    for place, related in enumerate(facts.get("related_contacts", ())):
        path = f"/related_contacts/{place}"
        wrong = wrong_in(related, {"contact_id": Rule(required=True), "note": Rule(null=True)}, path)
        if wrong:
            raise Refusal(invalid(wrong))
        if call.world.contacts.serial_of(related["contact_id"]) is None:
            raise complain(f"{path}/contact_id", f"There is no contact {related['contact_id']}")
    return facts


def _transition(call: Call, before: str | None, after: str) -> dict[str, Any]:
    day = datetime.fromtimestamp(call.wall, UTC).date().isoformat()
    return {"from_stage": before, "to_stage": after, "who": OWNER, "when": day, "notes": None}


def _know_tags(call: Call, tags: list[str]) -> None:
    stamp = datetime.fromtimestamp(int(call.wall), UTC).isoformat()
    for tag in tags:
        call.account.deal_tags.setdefault(tag, stamp)
