"""contact_proceedings.*: what happened with a contact, and what is to come."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from nimble_async.testing.call import Answer, Call, Handler, json_answer
from nimble_async.testing.nimble.agenda import activities_of
from nimble_async.testing.nimble.checks import complain, read_flag, read_number
from nimble_async.testing.nimble.contact_changes import serial_of
from nimble_async.testing.nimble.contact_notes import notes_of
from nimble_async.testing.nimble.deal_content import deal_values
from nimble_async.testing.nimble.tasks import details_of, feed_wall, page_after, stamp, wall_of

__all__ = ["HANDLERS", "list_proceedings", "list_providers"]

_TYPES = {
    "contact_note": "Note",
    "contact_attachment": "Attachment",
    "message": "Message",
    "webform_response": "Web form",
    "task": "Task",
    "call": "Call",
    "event": "Event",
    "deal": "Deal",
    "new_deal": "Deal",
}

_Row = tuple[tuple[float, str], dict[str, Any]]


def list_providers(call: Call) -> Answer:
    """Answer the kinds of entries, by what they come from."""
    del call
    providers = [
        {
            "provider_id": name,
            "name": name.capitalize(),
            "types": [_type(kind) for kind in kinds],
        }
        for name, kinds in (
            ("contacts", ("contact_note", "contact_attachment", "webform_response")),
            ("messages", ("message",)),
            ("activities", ("task", "call", "event")),
            ("deals", ("deal", "new_deal")),
        )
    ]
    return json_answer({"providers": providers}, lasting=True)


def list_proceedings(call: Call) -> Answer:
    """Answer entries of one contact, past ones from the latest back, pending ones from the next on."""
    contact_id = call.ids["contact_id"]
    serial_of(call, contact_id)
    missing = [name for name in ("direction", "limit") if not call.text(name)]
    if missing:
        quoted = ", ".join(f'"{name}"' for name in missing)
        raise complain("/", f"missing required properties: [{quoted}]")
    direction = call.text("direction")
    if direction not in {"pending", "past"}:
        raise complain("/direction", f"{direction!r} is not one of ['pending', 'past']")
    wanted = call.names("types") or list(_TYPES)
    unknown = [name for name in wanted if name not in _TYPES]
    if unknown:
        raise complain("/types", f"{unknown[0]!r} is not one of {list(_TYPES)}")
    past = direction == "past"
    every = [*_notes(call, contact_id), *_activities(call, contact_id), *_deals(call, contact_id)]
    rows = [
        row
        for row in every
        if row[1]["proceeding_type"]["type_id"] in wanted
        and _is_past(call, row) is past
        and _asked(call, row[1])
    ]
    rows.sort(key=lambda row: row[0], reverse=past)
    start = wall_of("/next_tstamp", call.text("next_tstamp"))
    cursor = None if start is None else (start, call.text("next_id") or "")
    shown, following = page_after(rows, cursor, read_number(call, "limit", 1), down=past)
    page = None if following is None else {"next_tstamp": stamp(following[0]), "next_id": following[1]}
    return json_answer({"next_page": page, "proceedings": shown})


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "contact_proceedings.list": list_proceedings,
        "contact_proceedings.providers": list_providers,
    }
)


def _type(kind: str) -> dict[str, str]:
    return {"type_id": kind, "type_name": _TYPES[kind]}


def _row(wall: float, kind: str, id: str, name: str, description: str, details: dict[str, Any]) -> _Row:  # noqa: A002, PLR0917
    entry = {
        "proceeding_id": id,
        "proceeding_type": _type(kind),
        "name": name,
        "description": description,
        "feed_tstamp": stamp(wall),
        "details": details,
    }
    return (wall, f"{kind}|{id}"), entry


def _notes(call: Call, contact_id: str) -> list[_Row]:
    search = (call.text("notes__search_query") or "").lower()
    return [
        _row(note["wall"], "contact_note", note["id"], "Note", note["note_preview"], {"note": note["note"]})
        for note in notes_of(call, contact_id)
        if search in note["note"].lower()
    ]


def _activities(call: Call, contact_id: str) -> list[_Row]:
    return [
        _row(
            feed_wall(task), task["kind"], task["id"], task["subject"], task["notes"] or "",
            # A meeting is never marked as done.
            details_of(task)
            | ({} if task["kind"] == "event" else {"completed": task["completed"] is not None}),
        )
        for task in activities_of(call).values()
        if contact_id in task["contacts"]
    ]  # fmt: skip


def _deals(call: Call, contact_id: str) -> list[_Row]:
    world = call.world
    return [
        _row(
            world.deals.created[serial], "new_deal", world.deals.id_of(serial),
            deal_values(world, serial).get("deal_name", ""), "", {"deal_id": world.deals.id_of(serial)},
        )
        for serial, deal in call.account.deals.items()
        if world.deals.exists(serial)
        and contact_id in {related["contact_id"] for related in deal.related_contacts}
    ]  # fmt: skip


def _is_past(call: Call, row: _Row) -> bool:
    return row[1]["details"].get("completed") is True or row[0][0] <= call.wall


def _asked(call: Call, entry: Mapping[str, Any]) -> bool:
    """Return whether the filter for what is completed lets an entry through; it is about tasks and calls."""
    done = entry["details"].get("completed")
    if not call.text("completed") or done is None:
        return True
    return done is read_flag(call, "completed", default=False)
