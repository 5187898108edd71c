"""contact_notes.*: notes on one to ten contacts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from nimble_async.testing.call import Answer, Call, Handler, Refusal, json_answer
from nimble_async.testing.nimble.checks import Rule, complain, read_body, read_number, require_id
from nimble_async.testing.nimble.contact_changes import serial_of
from nimble_async.testing.nimble.content import created_text, short_contact
from nimble_async.testing.nimble.refusals import not_found
from nimble_async.testing.nimble.standing import OWNER

__all__ = [
    "HANDLERS",
    "create",
    "create_for_contact",
    "create_with_id",
    "delete",
    "get",
    "list_notes",
    "notes_of",
    "update",
]

_PAGE = 5
_MOST_CONTACTS = 10
_SPEC = {
    "contact_ids": Rule(kind="array", required=True, items="string", least=1, most=_MOST_CONTACTS),
    "note": Rule(required=True),
    "note_preview": Rule(required=True),
}


def notes_of(call: Call, contact_id: str) -> list[dict[str, Any]]:
    """Return the notes on a contact as they are kept, the newest first."""
    found = [note for note in call.account.notes.values() if contact_id in note["contact_ids"]]
    return sorted(found, key=lambda note: (note["wall"], note["id"]), reverse=True)


def create(call: Call) -> Answer:
    """Create a note on one to ten contacts."""
    return _written(call, call.new_id(), _spec(call))


def create_with_id(call: Call) -> Answer:
    """Create a note under an id that the request chose."""
    note_id = require_id("/note_id", call.ids["note_id"])
    if note_id in call.account.notes:
        raise complain("/note_id", f"There is a note {note_id} already")
    return _written(call, note_id, _spec(call))


def create_for_contact(call: Call) -> Answer:
    """Create a note on the contact in the path; its preview is the note itself unless given."""
    contact_id = call.ids["contact_id"]
    serial_of(call, contact_id)
    body = read_body(call, note=Rule(required=True), note_preview=Rule())
    spec = {"note_preview": body["note"], **body, "contact_ids": [contact_id]}
    return _written(call, call.new_id(), spec)


def get(call: Call) -> Answer:
    """Answer one note."""
    return json_answer(_shown(call, _note(call)), lasting=True)


def update(call: Call) -> Answer:
    """Write a note and its contacts anew."""
    note = _note(call)
    note.update(_spec(call))
    note["updated"] = created_text(call.wall)
    call.account.change()
    return json_answer(_shown(call, note))


def delete(call: Call) -> Answer:
    """Delete a note, and say which."""
    note = _note(call)
    del call.account.notes[note["id"]]
    call.account.change()
    return json_answer({"id": note["id"]})


def list_notes(call: Call) -> Answer:
    """Answer one page of the notes on a contact, the newest first; none for an unknown contact."""
    number, size = read_number(call, "page", 1), read_number(call, "per_page", _PAGE)
    notes = notes_of(call, call.ids["contact_id"])
    total, start = len(notes), (number - 1) * size
    meta = {
        "page": number,
        "pages": -(-total // size),
        "per_page": size,
        "total": total,
        "has_more": start + size < total,
    }
    shown = [_shown(call, note) for note in notes[start : start + size]]
    return json_answer({"meta": meta, "resources": shown}, lasting=True)


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "contact_notes.create": create,
        "contact_notes.create_for_contact": create_for_contact,
        "contact_notes.create_with_id": create_with_id,
        "contact_notes.delete": delete,
        "contact_notes.get": get,
        "contact_notes.list": list_notes,
        "contact_notes.update": update,
    }
)


def _spec(call: Call) -> dict[str, Any]:
    body = read_body(call, **_SPEC)
    for place, contact_id in enumerate(body["contact_ids"]):
        if call.world.contacts.serial_of(contact_id) is None:
            raise complain(f"/contact_ids/{place}", f"There is no contact {contact_id}")
    return body


def _note(call: Call) -> dict[str, Any]:
    note_id = call.ids["note_id"]
    note = call.account.notes.get(note_id)
    if note is None:
        raise Refusal(not_found("contact note", note_id))
    return note


def _written(call: Call, note_id: str, spec: Mapping[str, Any]) -> Answer:
    stamp = created_text(call.wall)
    note = {**spec, "id": note_id, "created": stamp, "updated": stamp, "wall": float(int(call.wall))}
    call.account.notes[note_id] = note
    call.account.change()
    return json_answer(_shown(call, note), 201)


def _shown(call: Call, note: Mapping[str, Any]) -> dict[str, Any]:
    contacts: Iterable[dict[str, Any] | None] = (
        short_contact(call.world, contact_id) for contact_id in note["contact_ids"]
    )
    return {
        "id": note["id"],
        "note": note["note"],
        "note_preview": note["note_preview"],
        "created": note["created"],
        "updated": note["updated"],
        "author_name": OWNER["name"],
        "owner_id": OWNER["user_id"],
        "owner": OWNER,
        "contacts": [contact for contact in contacts if contact is not None],
    }
