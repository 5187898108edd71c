"""What joins people to deals: secondary contacts and their roles, the log of activities, the key's owner."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from nimble_async.testing.activecampaign.answers import (
    body_of,
    complaint,
    faulty,
    filters,
    id_in,
    missing,
    page,
    refuse,
    row_of,
    rows_of,
    world_of,
)
from nimble_async.testing.activecampaign.deals import contacts_named
from nimble_async.testing.call import Answer, Call, Handler, json_answer

__all__ = [
    "HANDLERS",
    "create_link",
    "create_role",
    "delete_link",
    "delete_role",
    "get_link",
    "links_of_contact",
    "list_activities",
    "list_links",
    "list_roles",
    "me",
    "update_link",
]

_OWNER = {
    "id": "1", "username": "owner", "firstName": "Olive", "lastName": "Owner", "email": "owner@example.com",
    "phone": "", "signature": None, "lang": "english", "localZoneid": "America/Chicago",
    "links": {"userGroup": "/users/1/userGroup"},
}  # fmt: skip


def me(call: Call) -> Answer:
    """Answer whose key this is."""
    del call
    return json_answer({"user": _OWNER}, lasting=True)


def list_links(call: Call) -> Answer:
    """Answer the secondary contacts of all deals."""
    return page(call, list(rows_of(call, "contact_deals")), "contactDeals")


def links_of_contact(call: Call) -> Answer:
    """Answer the deals of one contact as links: three lists side by side, no meta, two members more."""
    world, contact = world_of(call), id_in(call)
    if world.contacts.serial_of(contact) is None:
        raise missing("Subscriber", contact)
    bare = world.bare(world.epoch)
    extra = {"created_timestamp": bare, "updated_timestamp": bare, "created_by": None, "updated_by": None}
    rows = [{**row, **extra} for row in rows_of(call, "contact_deals") if str(row["contact"]) == contact]
    serials = [world.deals.serial_of(str(row["deal"])) for row in rows]
    deals = [world.deal(serial) for serial in serials if serial is not None]
    return json_answer(
        {"contacts": contacts_named([contact]), "deals": deals, "contactDeals": rows}, lasting=True
    )


def get_link(call: Call) -> Answer:
    """Answer one link."""
    return json_answer({"contactDeal": row_of(call, "contact_deals", "SubscriberDeal")}, lasting=True)


def create_link(call: Call) -> Answer:
    """Attach a secondary contact to a deal; a pair that is linked already is refused."""
    sent, world = body_of(call, "contactDeal"), world_of(call)
    for name in ("deal", "contact"):
        if not sent.get(name):
            raise faulty(complaint(f"The {name} was not provided.", code="field_missing", pointer=name))
    pair = (str(sent["deal"]), str(sent["contact"]))
    if any((str(row["deal"]), str(row["contact"])) == pair for row in rows_of(call, "contact_deals")):
        raise faulty(complaint("The contact is linked already.", code="field_invalid", pointer="contact"))
    row: dict[str, Any] = {"cdate": world.written(world.wall(call.now)), "role": None, "links": {}}
    _check(call, sent)
    return _put_link(
        call, rows_of(call, "contact_deals").add({**row, "deal": pair[0], "contact": pair[1]}), sent
    )


def update_link(call: Call) -> Answer:
    """Point a link elsewhere, or give it a role; its 404 is JSON labelled as text."""
    row = row_of(call, "contact_deals", "SubscriberDeal", text=True)
    sent = body_of(call, "contactDeal")
    _check(call, sent)
    return _put_link(call, row, sent)


def _check(call: Call, sent: Mapping[str, Any]) -> None:
    world = world_of(call)
    if "deal" in sent and world.deals.serial_of(str(sent["deal"])) is None:
        raise faulty(complaint("The deal does not exist.", code="related_missing", pointer="deal"), text=True)
    if sent.get("role") and rows_of(call, "roles").get(str(sent["role"])) is None:
        raise faulty(complaint("The role does not exist.", code="related_missing", pointer="role"), text=True)


def _put_link(call: Call, row: dict[str, Any], sent: Mapping[str, Any]) -> Answer:
    world = world_of(call)
    row |= {name: str(sent[name]) for name in ("deal", "contact") if name in sent}
    row |= {"role": sent["role"]} if "role" in sent else {}
    world.edits += 1
    serial = world.deals.serial_of(str(row["deal"]))
    # An echo has the ids as they were sent.
    echo = {**row, **{name: sent[name] for name in ("deal", "contact") if name in sent}}
    return json_answer({"deals": [] if serial is None else [world.deal(serial)], "contactDeal": echo})


def delete_link(call: Call) -> Answer:
    """End a link."""
    rows_of(call, "contact_deals").remove(row_of(call, "contact_deals", "SubscriberDeal"))
    world_of(call).edits += 1
    return json_answer({})


def list_roles(call: Call) -> Answer:
    """Answer the roles whose title holds the search."""
    search = (call.text("search") or "").lower()
    return page(call, [row for row in rows_of(call, "roles") if search in row["title"].lower()], "dealRoles")


def create_role(call: Call) -> Answer:
    """Make a role; this body alone has no envelope."""
    sent, world = body_of(call, None), world_of(call)
    if not isinstance(sent, dict) or not sent.get("title"):
        raise refuse()
    when = world.written(world.wall(call.now))
    row = rows_of(call, "roles").add(
        {"title": sent["title"], "created_timestamp": when, "updated_timestamp": when, "links": {}}
    )
    world.edits += 1
    return json_answer({"dealRole": row})


def delete_role(call: Call) -> Answer:
    """End a role."""
    rows_of(call, "roles").remove(row_of(call, "roles", "DealRole", status=400))
    world_of(call).edits += 1
    return json_answer({})


def list_activities(call: Call) -> Answer:
    """Answer the log of deals; `deal` and `exclude` stand outside the filters."""
    wanted, deal = filters(call, ("data_type", "data_id")), call.text("deal")
    rows = [row for row in rows_of(call, "activities") if deal in (None, row["d_id"])]
    rows = [row for row in rows if wanted.get("data_type", row["dataType"]) == row["dataType"]]
    rows = [row for row in rows if wanted.get("data_id", row["dataId"]) == row["dataId"]]
    if call.text("exclude") == "email":
        rows = [row for row in rows if row["dataType"] not in {"email", "connected_email", "link"}]
    return page(call, rows, "dealActivities")


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "users.me": me,
        "secondary_contacts.list": list_links,
        "secondary_contacts.create": create_link,
        "secondary_contacts.get": get_link,
        "secondary_contacts.update": update_link,
        "secondary_contacts.delete": delete_link,
        "secondary_contacts.list_for_contact": links_of_contact,
        "roles.list": list_roles,
        "roles.create": create_role,
        "roles.delete": delete_role,
        "activities.list": list_activities,
    }
)
