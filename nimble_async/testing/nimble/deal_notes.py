"""deal_notes.*: notes with a title on one deal; no route reads them back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from nimble_async.testing.call import EMPTY, Answer, Call, Handler, Refusal, json_answer
from nimble_async.testing.nimble.checks import Rule, read_body
from nimble_async.testing.nimble.deals import deal_number
from nimble_async.testing.nimble.refusals import not_found
from nimble_async.testing.nimble.standing import OWNER

__all__ = ["HANDLERS", "create", "delete", "update"]

_TITLE = Rule(required=True, least=1, most=256)


def create(call: Call) -> Answer:
    """Create a note on a deal."""
    deal_number(call)
    body = read_body(call, title=_TITLE, body=Rule())
    stamp = _stamp(call)
    note = {
        "note_id": call.new_id(),
        "title": body["title"],
        "body": body.get("body", ""),
        "created": stamp,
        "updated": stamp,
        "creator": OWNER,
    }
    call.account.deal_notes[note["note_id"]] = {"deal_id": call.ids["deal_id"], "note": note}
    call.account.change()
    return json_answer(note, 201)


def update(call: Call) -> Answer:
    """Change a note's title or body; null empties the body."""
    note = _note(call)
    body = read_body(call, title=Rule(least=1, most=256), body=Rule(null=True))
    if "body" in body:
        body["body"] = body["body"] or ""
    note.update(body, updated=_stamp(call))
    call.account.change()
    return json_answer(note)


def delete(call: Call) -> Answer:
    """Delete a note."""
    note = _note(call)
    del call.account.deal_notes[note["note_id"]]
    call.account.change()
    return EMPTY


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {"deal_notes.create": create, "deal_notes.delete": delete, "deal_notes.update": update}
)


def _stamp(call: Call) -> str:
    return datetime.fromtimestamp(int(call.wall), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _note(call: Call) -> dict[str, Any]:
    deal_number(call)
    kept = call.account.deal_notes.get(call.ids["note_id"])
    if kept is None or kept["deal_id"] != call.ids["deal_id"]:
        raise Refusal(not_found("deal note", call.ids["note_id"]))
    note: dict[str, Any] = kept["note"]
    return note
