"""Deals: lists in an order that cannot be relied on unless one is asked for, side-loads, stubs, notes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

from nimble_async.testing.activecampaign.answers import (
    body_of,
    complaint,
    empty,
    faulty,
    filters,
    id_in,
    missing,
    numbered,
    orders,
    refuse,
    rows_of,
    unsettled,
    world_of,
)
from nimble_async.testing.activecampaign.world import DealsWorld
from nimble_async.testing.call import Answer, Call, Handler, json_answer

__all__ = [
    "HANDLERS",
    "change_owners",
    "contacts_named",
    "create_deal",
    "deal_of",
    "deals_of_contact",
    "delete_deal",
    "get_deal",
    "list_deals",
    "update_deal",
    "write_note",
]

_PAGE, _LARGEST_PAGE = 20, 100
_TRUSTED = frozenset(
    {"title", "description", "account", "contact", "value", "currency", "owner", "percent", "status"}
)
_EQUAL = {"stage": "stage", "group": "group", "status": "status", "owner": "owner", "contact": "contact",
          "organization": "organization"}  # fmt: skip
_ORDERS: Mapping[str, Callable[[dict[str, Any]], Any]] = MappingProxyType(
    {
        "id": lambda deal: int(deal["id"]),
        "title": lambda deal: deal["title"].lower(),
        "value": lambda deal: int(deal.get("value", 0)),
        "cdate": lambda deal: deal.get("cdate", ""),
        "contact_name": lambda deal: int(deal.get("contact", 0)),
        "contact_orgname": lambda deal: int(deal.get("organization") or 0),
        "next-action": lambda deal: deal.get("nextdate") or "",
    }
)
_FILTERS = (
    *_EQUAL, "search", "search_field", "title", "nextdate_range", "tag", "tasktype", "created_before",
    "created_after", "updated_before", "updated_after", "minimum_value", "maximum_value",
    "score_greater_than", "score_less_than", "score",
)  # fmt: skip


def list_deals(call: Call) -> Answer:
    """Answer a page of deals; without `orders[...]` its order holds for this answer only."""
    world, wanted, order = world_of(call), filters(call, _FILTERS), orders(call, _ORDERS)
    limit = min(call.behaviour.deals_limit_cap or _LARGEST_PAGE, numbered(call, "limit", _PAGE) or _PAGE)
    offset = numbered(call, "offset", 0)
    serials = _found(call, world, wanted, order)
    if order:
        shown = serials[offset : offset + limit]
    else:
        shown = [serials[place] for place in unsettled(len(serials), offset, limit, call.chance)]
    deals = [world.deal(serial) for serial in shown]
    body: dict[str, Any] = _beside(call, deals)
    body["deals"] = deals
    # On this route alone the total is a number, and it counts the deals that are only stubs.
    body["meta"] = {"total": len(serials), "currencies": _currencies(deals)}
    return json_answer(body, lasting=bool(order))


def _found(
    call: Call, world: DealsWorld, wanted: Mapping[str, str], order: Mapping[str, bool]
) -> Sequence[int]:
    """Return the deals that are asked for, in order; kept as long as the account does not change."""
    if not wanted and list(order.items()) in ([], [("id", False)]):
        return world.deals.listed
    known = ("deals", tuple(wanted.items()), tuple(order.items()))
    if known not in call.found:
        rows = [(serial, world.deal(serial)) for serial in world.deals.listed]
        rows = [(serial, deal) for serial, deal in rows if _matches(world, serial, deal, wanted)]
        for name, descending in reversed(list(order.items())):
            by = _ORDERS[name]
            rows.sort(key=lambda row: by(row[1]), reverse=descending)
        call.found[known] = [serial for serial, _ in rows]
    found: list[int] = call.found[known]
    return found


def _matches(world: DealsWorld, serial: int, deal: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    return all(_matches_one(world, serial, deal, name, value) for name, value in wanted.items())


def _matches_one(world: DealsWorld, serial: int, deal: Mapping[str, Any], name: str, value: str) -> bool:
    if name in _EQUAL:
        return str(deal.get(_EQUAL[name])) == value
    if name in {"title", "search"}:
        return value.lower() in str(deal["title"]).lower()
    cents = int(deal.get("value") or 0)
    if name == "minimum_value":  # whole dollars, where the deal's own value is in cents
        return cents >= 100 * int(value)
    if name == "maximum_value":
        return cents <= 100 * int(value)
    moment, _, way = name.partition("_")
    if moment in {"created", "updated"}:
        limit = _wall(world, value)
        created = world.deals.created[serial]
        at = world.deals.touched.get(serial, created) if moment == "updated" else created
        # "Before" leaves the day itself out.
        return at < limit if way == "before" else at >= limit
    return True  # tags, scores and task types are not simulated: every deal matches


def _wall(world: DealsWorld, text: str) -> float:
    """Return the instant that a filter names: a day begins in the zone of the account."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise refuse() from None
    zone = timezone(timedelta(hours=world.utc_offset))
    return (found if found.tzinfo is not None else found.replace(tzinfo=zone)).timestamp()


def _currencies(deals: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    found: dict[str, list[int]] = {}
    for deal in deals:
        if "currency" in deal:
            found.setdefault(str(deal["currency"]).upper(), []).append(int(deal["value"]))
    return {name: {"currency": name, "total": str(sum(values)), "count": str(len(values))}
            for name, values in sorted(found.items())}  # fmt: skip


def contacts_named(ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return side-loaded contacts."""
    return [
        {
            "id": id_,
            "email": f"contact{id_}@example.com",
            "firstName": "Contact",
            "lastName": id_,
            "links": {},
        }
        for id_ in dict.fromkeys(ids)
    ]


def _beside(call: Call, deals: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what `include=a,b.c` asks to be sent along, each as a list of its own."""
    asked = {part.strip().partition(".")[0] for part in (call.text("include") or "").split(",")} - {""}
    whole = [deal for deal in deals if "group" in deal]
    ids = {deal["id"] for deal in whole}
    found: dict[str, Any] = {}
    if "dealCustomFieldData" in asked:
        values = [value for value in rows_of(call, "values") if str(value["dealId"]) in ids]
        found["dealCustomFieldData"] = [_as_columns(call, value) for value in values]
    if "contact" in asked:
        found["contacts"] = contacts_named([str(deal["contact"]) for deal in whole])
    for word, table, member in (("stage", "stages", "stage"), ("group", "groups", "group")):
        if word in asked:
            wanted = {deal[member] for deal in whole}
            key = {"stages": "dealStages", "groups": "dealGroups"}[table]
            found[key] = [row for row in rows_of(call, table) if row["id"] in wanted]
    return found


def _as_columns(call: Call, value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a value of a custom field as side-loads write it: one column for each type."""
    field = rows_of(call, "fields").get(str(value["customFieldId"])) or {}
    kind, content = field.get("fieldType", "text"), value["fieldValue"]
    columns: dict[str, Any] = dict.fromkeys(
        ("text_value", "text_blob", "date_value", "number_value", "currency_value", "currency_type")
    )
    if kind == "date":
        columns["date_value"] = f"{content} 00:00:00"
    elif kind == "number":
        columns["number_value"] = str(content)
    elif kind == "currency":
        columns["currency_value"] = str(content)
        columns["currency_type"] = value.get("fieldCurrency", "USD")
    elif kind == "multiselect":
        words = content if isinstance(content, list) else [str(content)]
        columns["text_blob"] = f"||{'||'.join(words)}||"
    else:
        columns["text_value"] = str(content)
    return {
        "id": value["id"], "deal_id": str(value["dealId"]), "custom_field_id": str(value["customFieldId"]),
        **{f"custom_field_{name}": column for name, column in columns.items()},
        "created_timestamp": value["createdTimestamp"], "updated_timestamp": value["updatedTimestamp"],
        "created_by": None, "updated_by": None, "dealCustomFieldMetum": str(value["customFieldId"]),
        "links": {},
    }  # fmt: skip


def deal_of(call: Call, id: str | None = None) -> int:  # noqa: A002 (the vendor's word)
    """Return the serial of the deal that the path names.

    Raises:
        Refusal: There is none: 404.
    """
    wanted = id_in(call) if id is None else id
    serial = world_of(call).deals.serial_of(wanted)
    if serial is None:
        raise missing("Deal", wanted)
    return serial


def get_deal(call: Call) -> Answer:
    """Answer one deal; of a pipeline that cannot be seen its stub, with status 200."""
    deal = world_of(call).deal(deal_of(call))
    return json_answer({**_beside(call, [deal]), "deal": deal}, lasting=True)


def create_deal(call: Call) -> Answer:
    """Make a deal. A pipeline or a stage, and an account or a contact, are needed."""
    sent, world = body_of(call, "deal"), world_of(call)
    for name in ("title", "value", "currency"):
        if sent.get(name) in (None, ""):
            raise faulty(complaint(f"The {name} was not provided.", code="field_missing", pointer=name))
    if not (sent.get("group") or sent.get("stage")):
        raise faulty(complaint("The stage was not provided.", code="field_missing", pointer="stage"))
    if not (sent.get("contact") or sent.get("account")):
        detail = "A contact or an account is needed."
        raise faulty(complaint("The contact was not provided.", detail=detail, code="field_missing",
                               pointer="contact,account"))  # fmt: skip
    changes = _changes(call, sent)
    wall = float(int(world.wall(call.now)))
    serial = world.deals.insert(call.now, wall)
    if sent.get("fields"):
        _keep_values(call, world.deals.id_of(serial), sent["fields"])
    world.changes[serial] = {"activitycount": "0", "nextdate": None, "edate": None, **changes}
    return _echo(call, serial, sent, 201)


def update_deal(call: Call) -> Answer:
    """Change what was sent of a deal."""
    sent, world, serial = body_of(call, "deal"), world_of(call), deal_of(call)
    changes = _changes(call, sent)
    if "title" in changes:
        world.log(serial, "title", str(world.deal(serial)["title"]), world.written(world.wall(call.now)))
    if sent.get("fields"):
        _keep_values(call, world.deals.id_of(serial), sent["fields"])
    world.edits += 1
    world.change_deal(serial, call.now, changes)
    return _echo(call, serial, sent, 200)


def _changes(call: Call, sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members to keep, as reads show them: nearly everything as text.

    Raises:
        Refusal: A stage or a pipeline does not exist, or a value is no whole number of cents.
    """
    changes = {
        name: None if value is None else str(value) for name, value in sent.items() if name in _TRUSTED
    }
    if "currency" in changes and changes["currency"] is not None:
        changes["currency"] = changes["currency"].lower()
    if not str(changes.get("value", "0")).lstrip("-").isdigit():
        raise faulty(
            complaint("The value must be a whole number of cents.", code="field_invalid", pointer="value")
        )
    if sent.get("stage"):
        stage = rows_of(call, "stages").get(str(sent["stage"]))
        if stage is None:
            raise faulty(complaint("The stage does not exist.", code="related_missing", pointer="stage"))
        changes |= {"stage": stage["id"], "group": stage["group"]}
    elif sent.get("group"):
        stages = [row for row in rows_of(call, "stages") if row["group"] == str(sent["group"])]
        if not stages:
            raise faulty(complaint("The pipeline does not exist.", code="related_missing", pointer="group"))
        changes |= {"stage": stages[0]["id"], "group": stages[0]["group"]}
    return changes


def _keep_values(call: Call, deal: str, fields: Sequence[Mapping[str, Any]]) -> None:
    world = world_of(call)
    bare = world.bare(world.wall(call.now))
    for field in fields:
        number = int(field["customFieldId"])
        for row in rows_of(call, "values"):
            if str(row["dealId"]) == deal and row["customFieldId"] == number:
                row |= {"fieldValue": field["fieldValue"], "updatedTimestamp": bare}
                break
        else:
            rows_of(call, "values").add(
                {"dealId": int(deal), "customFieldId": number, "dealCustomFieldMetumId": number,
                 "fieldValue": field["fieldValue"], "createdTimestamp": bare, "updatedTimestamp": bare,
                 "links": {}}
            )  # fmt: skip


def _echo(call: Call, serial: int, sent: Mapping[str, Any], status: int) -> Answer:
    """Return a deal as creates and updates answer it: what was sent as a number comes back as one."""
    deal = world_of(call).deal(serial)
    echo = {**deal, **{name: value for name, value in sent.items() if name in _TRUSTED and name in deal}}
    stages = [row for row in rows_of(call, "stages") if row["id"] == deal.get("stage")]
    body: dict[str, Any] = {"deal": echo, "dealStages": stages}
    if sent.get("contact"):
        body = {"contacts": contacts_named([str(sent["contact"])]), **body}
    return json_answer(body, status)


def delete_deal(call: Call) -> Answer:
    """End a deal; the answer has no body at all."""
    serial = world_of(call).deals.serial_of(id_in(call))
    if serial is None:
        raise refuse(400)
    world_of(call).deals.delete(call.now, serial)
    return empty()


def change_owners(call: Call) -> Answer:
    """Give many deals other owners; the answer lists the ids by what became of them."""
    sent, world = body_of(call, "deals"), world_of(call)
    found: dict[str, list[str]] = {"success": [], "nochange": [], "failed": []}
    for place, row in enumerate(sent if isinstance(sent, list) else []):
        owner = str(row.get("ownerId", ""))
        if owner not in {"1", "2", "3"}:
            raise faulty(complaint("The owner is not valid.", code=422, pointer=f"deals/{place}/ownerId"))
    for row in sent if isinstance(sent, list) else []:
        id_, owner = str(row.get("id", "")), str(row["ownerId"])
        serial = world.deals.serial_of(id_)
        if serial is None or world.hidden(serial):
            found["failed"].append(id_)
        elif world.deal(serial)["owner"] == owner:
            found["nochange"].append(id_)
        else:
            world.change_deal(serial, call.now, {"owner": owner})
            found["success"].append(id_)
    world.edits += 1
    return json_answer(found)


def write_note(call: Call) -> Answer:
    """Add a note to a deal, or change one."""
    text, world, serial = body_of(call, "note"), world_of(call), deal_of(call)
    when, deal = world.written(world.wall(call.now)), world.deals.id_of(serial)
    notes = rows_of(call, "notes")
    world.edits += 1
    if len(call.ids) == 1:
        note = notes.add(
            {"note": text.get("note", ""), "relid": deal, "reltype": "Deal", "userid": "1", "user": "1",
             "cdate": when, "mdate": when, "owner": {"type": "deal", "id": deal}, "links": {}}
        )  # fmt: skip
        return json_answer({"deals": [world.deal(serial)], "note": note}, 201)
    found = notes.get(id_in(call, 1))
    if found is None or found["relid"] != deal:
        raise missing("Note", id_in(call, 1))
    found |= {"note": text.get("note", found["note"]), "mdate": when}
    return json_answer({"deals": [world.deal(serial)], "note": found})


def deals_of_contact(call: Call) -> Answer:
    """Answer the deals whose primary contact this is, without any meta."""
    world, contact = world_of(call), id_in(call)
    if world.contacts.serial_of(contact) is None:
        raise missing("Subscriber", contact)
    deals = [world.deal(serial) for serial in world.deals.listed]
    return json_answer({"deals": [deal for deal in deals if deal.get("contact") == contact]}, lasting=True)


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "deals.list_for_contact": deals_of_contact,
        "deals.list": list_deals,
        "deals.create": create_deal,
        "deals.update_owners": change_owners,
        "deals.get": get_deal,
        "deals.update": update_deal,
        "deals.delete": delete_deal,
        "deals.create_note": write_note,
        "deals.update_note": write_note,
    }
)
