"""contact_tags.*: the tags of one contact."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from nimble_async.testing.call import Answer, Call, Handler, json_answer
from nimble_async.testing.nimble.checks import Rule, read_body
from nimble_async.testing.nimble.contact_changes import editable, note_change
from nimble_async.testing.nimble.contacts import shown_contact
from nimble_async.testing.nimble.content import profile_of

__all__ = ["HANDLERS", "set_tags"]


def set_tags(call: Call) -> Answer:
    """Replace all tags of a contact; a 403 or 404 has no body here."""
    serial = call.world.contacts.serial_of(call.ids["contact_id"])
    if serial is None:
        return Answer(404)
    if not editable(call, serial):
        return Answer(403)
    body = read_body(call, tags=Rule(kind="array", required=True, items="string"))
    tags = dict.fromkeys(tag.strip() for tag in body["tags"])
    profile_of(call.world, serial).tags = [tag for tag in tags if tag]
    note_change(call, serial)
    return json_answer(shown_contact(call, serial))


HANDLERS: Mapping[str, Handler] = MappingProxyType({"contact_tags.set": set_tags})
