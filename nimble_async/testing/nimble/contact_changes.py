"""contacts.*: what creates, changes and removes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from nimble_async.testing.call import EMPTY, Answer, Call, Handler, Refusal, json_answer
from nimble_async.testing.nimble.account import Profile
from nimble_async.testing.nimble.agenda import in_running_sequence
from nimble_async.testing.nimble.checks import Rule, complain, read_body, read_flag, wrong_in
from nimble_async.testing.nimble.contacts import found_by, shown_contact
from nimble_async.testing.nimble.content import contact_values, created_text, kind_of, profile_of
from nimble_async.testing.nimble.field_values import Values, checked_fields
from nimble_async.testing.nimble.refusals import affected, forbidden, invalid, not_acceptable, not_found
from nimble_async.testing.nimble.standing import OWNER, USERS

__all__ = [
    "HANDLERS",
    "create",
    "delete",
    "delete_bulk",
    "editable",
    "note_change",
    "serial_of",
    "unless_editable",
    "update",
]

_MOST_TAGS = 5
_KINDS = ("person", "company")
_PRINCIPALS = {
    "user_ids": Rule(kind="array", required=True, items="string"),
    "group_ids": Rule(kind="array", required=True, items="string"),
}


def serial_of(call: Call, contact_id: str) -> int:
    """Return a contact's number.

    Raises:
        Refusal: There is no such contact: a 404 that names it.
    """
    serial = call.world.contacts.serial_of(contact_id)
    if serial is None:
        raise Refusal(not_found("contact", contact_id))
    return serial


def editable(call: Call, serial: int) -> bool:
    """Return whether the user of this account may change a contact."""
    profile = call.account.profiles.get(serial)
    return profile is None or call.account.may_edit(profile.privacy, profile.owner_id)


def unless_editable(call: Call, serial: int) -> None:
    """Stop where the user of this account may not change a contact.

    Raises:
        Refusal: A 403.
    """
    if not editable(call, serial):
        raise Refusal(forbidden("edit this contact"))


def note_change(call: Call, serial: int) -> None:
    """Let a contact be updated now."""
    profile_of(call.world, serial).updater = OWNER["name"]
    call.world.contacts.touch(float(int(call.wall)), serial)
    call.account.change_contact(serial)


def create(call: Call) -> Answer:
    """Create a person or a company."""
    most = call.behaviour.contact_quota
    if most is not None and len(call.world.contacts) >= most:
        used_up = {"payment_type": "contacts", "extra_usage": {"contacts": 1}}
        return json_answer({**used_up, "required_spec": {"contacts": most + 1}}, 402)
    body = read_body(
        call,
        fields=Rule(kind="object", required=True),
        record_type=Rule(choices=_KINDS),
        type=Rule(choices=_KINDS),
        owner_id=Rule(null=True),
        privacy=Rule(kind="object"),
        tags=Rule(),
        avatar_url=Rule(),
        file_ids=Rule(kind="array", items="string"),
    )
    kind = body.get("record_type", body.get("type"))
    if kind is None:
        raise complain("/", 'missing required properties: ["record_type"]')
    values = _accepted(call, body["fields"], kind, None)
    tags = _tags(body.get("tags", ""))
    owner_id = body.get("owner_id", OWNER["user_id"])
    if owner_id not in {None, *(user["user_id"] for user in USERS)}:
        raise complain("/owner_id", f"There is no user {owner_id}")
    privacy = _privacy(body.get("privacy"))
    visible = call.account.may_read(privacy, owner_id)
    contact_id = call.world.insert_contact(call.now, listed=visible)
    serial = serial_of(call, contact_id)
    call.account.profiles[serial] = Profile(
        record_type=kind,
        fields={name: items for name, items in values.items() if items},
        tags=tags,
        owner_id=owner_id,
        privacy=privacy,
        creator=OWNER["name"],
        updater=OWNER["name"],
        avatar_url=body.get("avatar_url"),
        files=[_file(call, contact_id, file_id) for file_id in body.get("file_ids", ())],
    )
    call.account.change_contact(serial)
    return json_answer(shown_contact(call, serial))


def update(call: Call) -> Answer:
    """Extend fields, modifier by modifier, or with `type=1` replace the fields that were sent."""
    serial = serial_of(call, call.ids["contact_id"])
    profile = call.account.profiles.get(serial)
    if profile is not None and not call.account.may_read(profile.privacy, profile.owner_id):
        return not_acceptable("You have no access to this contact any more", "lost_contact_access")
    unless_editable(call, serial)
    # Older documents call the switch `replace`.
    mode = call.text("type") or call.text("replace") or "0"
    if mode not in {"0", "1"}:
        raise complain("/type", f"{mode!r} is not one of ['0', '1']")
    body = read_body(
        call,
        fields=Rule(kind="object"),
        avatar_url=Rule(),
        is_important=Rule(kind="boolean"),
    )
    if not body:
        raise complain("/", "At least one of avatar_url, fields, is_important must be given")
    values = _accepted(call, body.get("fields", {}), kind_of(call.world, serial), serial)
    profile = profile_of(call.world, serial)
    after = {**profile.fields, **_merged(call, profile.fields, values, replace=mode == "1")}
    after = {name: items for name, items in after.items() if items}
    _require_name(call, profile.record_type, after)
    profile.fields = after
    profile.avatar_url = body.get("avatar_url", profile.avatar_url)
    profile.is_important = body.get("is_important", profile.is_important)
    note_change(call, serial)
    return json_answer(shown_contact(call, serial))


def delete(call: Call) -> Answer:
    """Delete one contact; older documents join several ids by commas, and show which were deleted."""
    method = call.text("deletion_method") or "regular"
    if method not in {"regular", "force"}:
        raise complain("/deletion_method", f"{method!r} is not one of ['regular', 'force']")
    read_flag(call, "cleanup_email_lists", default=False)
    ids = call.ids["contact_id"].split(",")
    serials = [serial_of(call, contact_id) for contact_id in ids]
    if not all(editable(call, serial) for serial in serials):
        return forbidden("delete this contact")
    if method == "regular" and any(in_running_sequence(call, serial) for serial in serials):
        raise complain(
            "/", "The contact is in a sequence: use deletion_method=force to delete it all the same"
        )
    for serial in dict.fromkeys(serials):
        _remove(call, serial)
    return EMPTY if len(ids) == 1 else json_answer({"status": "ok", "data": {"ids": ids}})


def delete_bulk(call: Call) -> Answer:
    """Delete every contact that a search selects; those that may not be changed stay."""
    if not (call.text("query") or call.text("keyword") or call.text("record_type")):
        raise complain("/", "One of keyword, query and record_type must be given")
    serials = found_by(call)
    kept = [serial for serial in serials if not editable(call, serial)]
    if kept and read_flag(call, "preflight_checks", default=False):
        ids = [call.world.contacts.id_of(serial) for serial in kept]
        query = {"and": [{"is_editable": {"is": False}}, {"_id": {"in": ids}}]}
        message = "Some contacts cannot be deleted because of their privacy settings"
        return affected(message, "non_editable_contacts", len(kept), query)
    stay = set(kept)
    gone = [serial for serial in serials if serial not in stay]
    ids = [call.world.contacts.id_of(serial) for serial in gone]
    for serial in gone:
        _remove(call, serial)
    pushed = {
        "action": "delete",
        "created": created_text(call.wall),
        "id": call.new_id(),
        "is_new": True,
        "object": {"ids": ids},
        "object_type": "contact",
    }
    return json_answer({"status": "ok", "data": {"ids": ids, "push_data": pushed}})


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "contacts.create": create,
        "contacts.delete": delete,
        "contacts.delete_bulk": delete_bulk,
        "contacts.update": update,
    }
)


def _remove(call: Call, serial: int) -> None:
    call.world.contacts.delete(call.now, serial)
    call.account.leads.pop(serial, None)
    call.account.change_contact(serial)


def _accepted(call: Call, sent: Mapping[str, Any], kind: str, serial: int | None) -> Values:
    """Return the values sent for a contact.

    Raises:
        Refusal: Some are wrong: a 409 with a list of complaints under each field's name.
    """
    values, complaints = checked_fields(call.account, sent, kind)
    if serial is None:
        complaints = {**_nameless(kind, values), **complaints}
    if not complaints and _domain_taken(call, values, serial):
        complaints["domain"] = "A company with this domain exists already"
    if complaints:
        fields = call.account.fields()
        ids = {name: fields[name]["field_id"] for name in complaints if name in fields}
        raise Refusal(invalid(complaints, field_ids=ids))
    return values


def _nameless(kind: str, values: Mapping[str, Any]) -> dict[str, str]:
    """Return the complaint about a contact without a name."""
    if kind == "company":
        missing = not values.get("company name")
        return {"company name": "Company name is required for company"} if missing else {}
    if values.get("first name") or values.get("last name"):
        return {}
    message = "First name or last name field is required for person and should not be empty"
    return {"first name": message}


def _require_name(call: Call, kind: str, values: Mapping[str, Any]) -> None:
    complaints = _nameless(kind, values)
    if complaints:
        fields = call.account.fields()
        raise Refusal(invalid(complaints, field_ids={name: fields[name]["field_id"] for name in complaints}))


def _domain_taken(call: Call, values: Values, serial: int | None) -> bool:
    wanted = {item["value"].lower() for item in values.get("domain", ())}
    if not wanted:
        return False
    return any(
        other != serial
        and wanted & {text.lower() for text, _ in contact_values(call.world, other).get("domain", ())}
        for other in call.world.contacts.listed
    )


def _merged(call: Call, before: Values, values: Values, *, replace: bool) -> Values:
    """Return the sent fields as they are afterwards."""
    fields = call.account.fields()
    merged: Values = {}
    for name, items in values.items():
        if replace or not items or not fields[name]["multiples"]:
            merged[name] = items
        else:
            merged[name] = _extended(before.get(name, []), items)
    return merged


def _extended(before: list[dict[str, Any]], items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what an older document describes: values take the place of those with their modifier.

    A value that stood there already keeps the members that were not sent.
    """
    known = {(one.get("value"), one.get("modifier") or ""): one for one in before}
    sent: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        old = known.get((item["value"], item["modifier"]), {})
        sent.setdefault(item["modifier"], []).append({**old, **item})
    taken = set(sent)
    kept = []
    for one in before:
        modifier = one.get("modifier") or ""
        kept.extend(sent.pop(modifier, []) if modifier in taken else [one])
    return [*kept, *(one for rest in sent.values() for one in rest)]


def _tags(text: str) -> list[str]:
    tags = [tag.replace("\\,", ",").strip() for tag in re.split(r"(?<!\\),", text)]
    tags = list(dict.fromkeys(tag for tag in tags if tag))
    if len(tags) > _MOST_TAGS:
        raise complain("/tags", f"has more than {_MOST_TAGS} tags")
    return tags


def _privacy(sent: dict[str, Any] | None) -> dict[str, Any]:
    """Return who may read and edit.

    Raises:
        Refusal: A list is missing, or one who may edit is named again among those who may read: a 409.
    """
    privacy = {"read": None, "edit": None, **(sent or {})}
    for name in ("read", "edit"):
        given = privacy[name]
        if given is None:
            continue
        wrong = (
            wrong_in(given, _PRINCIPALS, f"/privacy/{name}")
            if isinstance(given, dict)
            else {f"/privacy/{name}": f"{given!r} is not of type 'object'"}
        )
        if wrong:
            raise Refusal(invalid(wrong))
    read, edit = privacy["read"], privacy["edit"]
    if read and edit and set(read["user_ids"]) & set(edit["user_ids"]):
        raise complain("/privacy/read", "Who may edit can't be repeated among who may read")
    return {"read": read, "edit": edit}


def _file(call: Call, contact_id: str, file_id: str) -> dict[str, Any]:
    facts = {"file_id": file_id, "contact_id": contact_id, "file_name": "file", "file_size": 0}
    return {
        "source": "device",
        "metadata": {**facts, "uploader": OWNER, "uploaded_at": created_text(call.wall)},
    }
