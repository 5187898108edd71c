"""contact_fields.*, with groups, tabs and choices: what contacts can say about themselves.

Tabs hold groups and fields, groups hold fields. A field's kind never changes. What a deletion
takes from contacts is counted first where preflight checks are asked for.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from nimble_async.testing.call import EMPTY, Answer, Call, Handler, Refusal, json_answer
from nimble_async.testing.nimble.account import Place
from nimble_async.testing.nimble.checks import Rule, complain, insert_after, preflight, read_body
from nimble_async.testing.nimble.contact_changes import note_change, serial_of, unless_editable
from nimble_async.testing.nimble.content import contact_values, profile_of
from nimble_async.testing.nimble.refusals import affected, not_found
from nimble_async.testing.nimble.standing import FIELD_GROUPS

__all__ = [
    "FIELD_KINDS",
    "HANDLERS",
    "checked_kind",
    "checked_presentation",
    "create_choice",
    "create_field",
    "create_group",
    "create_tab",
    "delete_choice",
    "delete_field",
    "delete_group",
    "delete_tab",
    "list_fields",
    "moved",
    "set_primary",
    "unset_primary",
    "update_choice",
    "update_field",
    "update_group",
    "update_tab",
]

FIELD_KINDS = ("string", "long_string", "choice", "number", "datetime", "boolean", "address", "user")
_NUMBER_TYPES = ("integer", "decimal", "percentage", "financial")
_NAME = Rule(least=1, most=50)
_AFTER = Rule(null=True)
_IDS = ("field_id", "group_id", "tab_id", "id")


def checked_kind(sent: object, path: str = "/field_type") -> dict[str, Any]:
    """Return the type of a new field.

    Raises:
        Refusal: Its kind is none, or a choice comes without values: a 409.
    """
    kind = sent.get("field_kind") if isinstance(sent, dict) else None
    if not isinstance(sent, dict) or kind not in FIELD_KINDS:
        raise complain(f"{path}/field_kind", f"{kind!r} is not one of {list(FIELD_KINDS)}")
    if kind != "choice":
        return sent
    values = sent.get("values")
    values = values if isinstance(values, dict) else {}
    items = values.get("values")
    if not isinstance(items, list) or not all(
        isinstance(one, dict) and {"id", "value"} <= set(one) for one in items
    ):
        raise complain(f"{path}/values", 'missing required properties: ["values"]')
    if values.get("ordering_type", "ordinal") not in {"ordinal", "alphabetic"}:
        raise complain(f"{path}/values/ordering_type", "is not one of ['ordinal', 'alphabetic']")
    if len({one["id"] for one in items}) < len(items):
        raise complain(f"{path}/values/values", "has ids that are not unique")
    return {**sent, "values": {"ordering_type": "ordinal", **values}}


def checked_presentation(sent: object, kind: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return how a field is presented; only numbers and dates have anything to present.

    Raises:
        Refusal: It is not what the field's kind needs: a 409.
    """
    if sent is None and kind["field_kind"] not in {"number", "datetime"}:
        return None
    if not isinstance(sent, dict):
        raise complain("/presentation", f"{sent!r} is not of type 'object'")
    if kind["field_kind"] == "number":
        number = sent.get("number_type")
        if number not in _NUMBER_TYPES:
            raise complain("/presentation/number_type", f"{number!r} is not one of {list(_NUMBER_TYPES)}")
        digits = sent.get("fraction_digits")
        if number in {"decimal", "percentage"} and (not isinstance(digits, int) or digits < 1):
            raise complain("/presentation/fraction_digits", f"{digits} < 1")
    elif kind["field_kind"] == "datetime" and not {"date_format", "ignore_specific_time"} <= set(sent):
        missing = 'missing required properties: ["date_format", "ignore_specific_time"]'
        raise complain("/presentation", missing)
    return sent


def moved(members: list[dict[str, Any]], member: dict[str, Any], body: Mapping[str, Any]) -> None:
    """Put a member of a list where `insert_after` says; where that is not given it stays.

    Raises:
        Refusal: No other member has that id: a 409.
    """
    if "insert_after" not in body:
        return
    others = [one for one in members if one is not member]
    insert_after(others, member, body, _IDS)
    members[:] = others


def list_fields(call: Call) -> Answer:
    """Answer every tab with its groups and fields."""
    return json_answer({"tabs": call.account.tabs}, lasting=True)


def create_field(call: Call) -> Answer:
    """Add a custom field to a group or a tab."""
    body = read_body(
        call,
        name=Rule(required=True, least=1, most=50),
        field_type=Rule(kind="object", required=True),
        tab_id=Rule(required=True),
        group_id=Rule(required=True, null=True),
        insert_after=Rule(required=True, null=True),
        presentation=Rule(kind="object", required=True, null=True),
        multiples=Rule(kind="boolean"),
    )
    kind = checked_kind(body["field_type"])
    presentation = checked_presentation(body["presentation"], kind)
    _require_new_name(call, body["name"])
    tab, members = _home(call, body["tab_id"], body["group_id"])
    field = {
        "type": "field",
        "name": body["name"],
        "field_id": call.new_id(),
        "modifier": "",
        "multiples": body.get("multiples", False),
        "read_only": False,
        "field_type": kind,
        "available_actions": "edit_all",
    }
    if presentation is not None:
        field["presentation"] = presentation
    insert_after(members, field, body, _IDS)
    call.account.change_fields()
    return json_answer(tab)


def update_field(call: Call) -> Answer:
    """Rename, move or present a field anew; standard fields can only be moved."""
    place = _place(call)
    field = place.field
    body = read_body(
        call,
        name=_NAME,
        presentation=Rule(kind="object", null=True),
        tab_id=Rule(),
        group_id=Rule(null=True),
        insert_after=_AFTER,
    )
    standard = not call.account.is_custom(field["name"])
    if standard and {"name", "presentation"} & set(body):
        raise complain("/", "Standard fields can only be moved")
    presentation = (
        checked_presentation(body["presentation"], field["field_type"]) if "presentation" in body else None
    )
    if body.get("name", field["name"]) != field["name"]:
        _require_new_name(call, body["name"])
    group_id = None if place.group is None else place.group["group_id"]
    tab, members = _home(call, body.get("tab_id", place.tab["tab_id"]), body.get("group_id", group_id))
    if members is place.members:
        moved(members, field, body)
    else:
        insert_after(members, field, body, _IDS)
        place.members.remove(field)
    if presentation is not None:
        field["presentation"] = presentation
    if "name" in body:
        _rename(call, field, body["name"])
    call.account.change_fields()
    return json_answer(tab)


def delete_field(call: Call) -> Answer:
    """Delete a custom field and its values."""
    place = _place(call)
    name = place.field["name"]
    if not call.account.is_custom(name):
        raise complain("/field_id", "Standard fields can't be deleted")
    _unless_used(call, lambda values: bool(values.get(name)), {"custom_fields": {name: {"is_empty": False}}})
    _drop(call, place)
    call.account.change_fields()
    return EMPTY


def set_primary(call: Call) -> Answer:
    """Make one value of a field the primary one, and no other."""
    return _primary(call, on=True)


def unset_primary(call: Call) -> Answer:
    """Make one value of a field a plain one."""
    return _primary(call, on=False)


def create_group(call: Call) -> Answer:
    """Add a group to a tab."""
    body = read_body(
        call,
        name=Rule(required=True, least=1, most=50),
        logo_id=Rule(required=True),
        tab_id=Rule(required=True),
        insert_after=Rule(required=True, null=True),
    )
    tab, members = _home(call, body["tab_id"], None)
    group = {
        "type": "group",
        "name": body["name"],
        "group_id": call.new_id(),
        "logo_id": body["logo_id"],
        "fields": [],
    }
    insert_after(members, group, body, _IDS)
    call.account.change_fields()
    return json_answer(tab)


def update_group(call: Call) -> Answer:
    """Rename or move a group."""
    tab, group = _group(call)
    body = read_body(call, name=_NAME, logo_id=Rule(), tab_id=Rule(), insert_after=_AFTER)
    home, members = _home(call, body.get("tab_id", tab["tab_id"]), None)
    if home is tab:
        moved(members, group, body)
    else:
        insert_after(members, group, body, _IDS)
        tab["members"].remove(group)
    group.update({name: body[name] for name in ("name", "logo_id") if name in body})
    call.account.change_fields()
    return json_answer(home)


def delete_group(call: Call) -> Answer:
    """Delete a group with its fields; one with standard fields stays."""
    tab, group = _group(call)
    _delete_fields(call, [field["name"] for field in group["fields"]], "/group_id")
    tab["members"].remove(group)
    call.account.change_fields()
    return EMPTY


def create_tab(call: Call) -> Answer:
    """Add a tab for people, companies or both."""
    body = read_body(
        call,
        tab_name=Rule(required=True, least=1, most=50),
        contact_types=Rule(kind="array", required=True, items="string", least=1),
        insert_after=Rule(required=True, null=True),
    )
    if not {"person", "company"}.issuperset(body["contact_types"]):
        raise complain("/contact_types", "is not one of ['person', 'company']")
    kinds = list(dict.fromkeys(body["contact_types"]))
    tab = {
        "tab_id": call.new_id(),
        "tab_name": body["tab_name"],
        "contact_types": kinds[0] if len(kinds) == 1 else kinds,
        "is_standard": False,
        "members": [],
        "available_actions": "edit_all",
    }
    insert_after(call.account.tabs, tab, body, _IDS)
    call.account.change_fields()
    return json_answer(tab)


def update_tab(call: Call) -> Answer:
    """Rename or move a tab; a standard one can only be moved."""
    tab = _tab(call, call.ids["tab_id"])
    body = read_body(
        call, tab_name=_NAME, contact_types=Rule(choices=("person", "company")), insert_after=_AFTER
    )
    if tab["is_standard"] and {"tab_name", "contact_types"} & set(body):
        raise complain("/", "Standard tabs can only be moved")
    moved(call.account.tabs, tab, body)
    tab.update({name: body[name] for name in ("tab_name", "contact_types") if name in body})
    call.account.change_fields()
    return json_answer(tab)


def delete_tab(call: Call) -> Answer:
    """Delete a custom tab with everything in it."""
    tab = _tab(call, call.ids["tab_id"])
    if tab["is_standard"]:
        raise complain("/tab_id", "Standard tabs can't be deleted")
    names = [place.field["name"] for place in call.account.places() if place.tab is tab]
    _delete_fields(call, names, "/tab_id")
    call.account.tabs.remove(tab)
    call.account.change_fields()
    return EMPTY


def create_choice(call: Call) -> Answer:
    """Add a choice under an id that the request chose."""
    place = _place(call)
    body = read_body(
        call,
        id=Rule(required=True, least=1),
        value=Rule(required=True),
        insert_after=Rule(required=True, null=True),
    )
    choices = _choices(place)
    if body["id"] in {one["id"] for one in choices}:
        raise complain("/id", f"There is a choice {body['id']} already")
    insert_after(choices, {"id": body["id"], "value": body["value"]}, body, _IDS)
    call.account.change_fields()
    return json_answer(place.tab)


def update_choice(call: Call) -> Answer:
    """Rename or move a choice."""
    choices, choice = _choice(call)
    body = read_body(call, id=Rule(required=True), value=Rule(), insert_after=_AFTER)
    if body["id"] != choice["id"]:
        raise complain("/id", f"{body['id']!r} is not the id in the path")
    moved(choices, choice, body)
    choice["value"] = body.get("value", choice["value"])
    call.account.change_fields()
    return json_answer({"tabs": call.account.tabs})


def delete_choice(call: Call) -> Answer:
    """Delete a choice; contacts that have it lose it."""
    name = _place(call).field["name"]
    choices, choice = _choice(call)
    having = [name, choice["id"]]

    def used(values: Mapping[str, list[tuple[str, str]]]) -> bool:
        return any(text == having[1] for text, _ in values.get(having[0], ()))

    _unless_used(call, used, {"custom_fields": {name: {"is": choice["id"]}}})
    for serial in list(call.world.contacts.listed):
        if used(contact_values(call.world, serial)):
            profile_of(call.world, serial).fields.pop(name, None)
            call.account.change_contact(serial)
    choices.remove(choice)
    call.account.change_fields()
    return json_answer({"tabs": call.account.tabs})


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "contact_field_choices.create": create_choice,
        "contact_field_choices.delete": delete_choice,
        "contact_field_choices.update": update_choice,
        "contact_field_groups.create": create_group,
        "contact_field_groups.delete": delete_group,
        "contact_field_groups.update": update_group,
        "contact_field_tabs.create": create_tab,
        "contact_field_tabs.delete": delete_tab,
        "contact_field_tabs.update": update_tab,
        "contact_fields.create": create_field,
        "contact_fields.delete": delete_field,
        "contact_fields.list": list_fields,
        "contact_fields.set_primary": set_primary,
        "contact_fields.unset_primary": unset_primary,
        "contact_fields.update": update_field,
    }
)


def _place(call: Call) -> Place:
    place = call.account.place_of(call.ids["field_id"])
    if place is None:
        raise Refusal(not_found("contact field", call.ids["field_id"]))
    return place


def _tab(call: Call, tab_id: str) -> dict[str, Any]:
    tab = next((one for one in call.account.tabs if one["tab_id"] == tab_id), None)
    if tab is None:
        raise Refusal(not_found("contact fields tab", tab_id))
    return tab


def _group(call: Call) -> tuple[dict[str, Any], dict[str, Any]]:
    for tab in call.account.tabs:
        for member in tab["members"]:
            if member.get("group_id") == call.ids["group_id"]:
                return tab, member
    raise Refusal(not_found("contact fields group", call.ids["group_id"]))


def _home(call: Call, tab_id: str, group_id: str | None) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return a tab and the list in it, or in one of its groups, that a request names in its body."""
    tab = next((one for one in call.account.tabs if one["tab_id"] == tab_id), None)
    if tab is None:
        raise complain("/tab_id", f"There is no tab {tab_id}")
    if group_id is None:
        return tab, tab["members"]
    group = next((one for one in tab["members"] if one.get("group_id") == group_id), None)
    if group is None:
        raise complain("/group_id", f"There is no group {group_id} in this tab")
    return tab, group["fields"]


def _choices(place: Place) -> list[dict[str, Any]]:
    if place.field["field_type"]["field_kind"] != "choice":
        raise complain("/field_id", "The field has no choices")
    choices: list[dict[str, Any]] = place.field["field_type"]["values"]["values"]
    return choices


def _choice(call: Call) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    choices = _choices(_place(call))
    choice = next((one for one in choices if one["id"] == call.ids["id"]), None)
    if choice is None:
        raise Refusal(not_found("field choice", call.ids["id"]))
    return choices, choice


def _require_new_name(call: Call, name: str) -> None:
    if name in call.account.fields():
        raise complain("/name", f"There is a field {name} already")


def _unless_used(
    call: Call, used: Callable[[Mapping[str, list[tuple[str, str]]]], bool], query: dict[str, Any]
) -> None:
    """Stop a deletion that would take values from contacts, where the request wants to know.

    Raises:
        Refusal: A 406 with the number of contacts and the search for them; 409 without the flag.
    """
    if not preflight(call, required=True):
        return
    total = sum(used(contact_values(call.world, serial)) for serial in call.world.contacts.listed)
    if total:
        message = "Some contacts would lose values"
        raise Refusal(affected(message, "contacts_have_values", total, query))


def _delete_fields(call: Call, names: list[str], path: str) -> None:
    """Delete the fields of a group or a tab."""
    if not all(call.account.is_custom(name) for name in names):
        raise complain(path, "Standard fields can't be deleted")
    terms = [{"custom_fields": {name: {"is_empty": False}}} for name in names]
    _unless_used(call, lambda values: any(values.get(name) for name in names), {"or": terms})
    for place in list(call.account.places()):
        if place.field["name"] in names:
            _drop(call, place)


def _drop(call: Call, place: Place) -> None:
    name = place.field["name"]
    place.members.remove(place.field)
    _forget(call, name, None)


def _rename(call: Call, field: dict[str, Any], name: str) -> None:
    before, field["name"] = field["name"], name
    if before != name:
        _forget(call, before, name)


def _forget(call: Call, before: str, after: str | None) -> None:
    """Take a field's name from every contact, and give its values another name where there is one."""
    account = call.account
    for profile in account.profiles.values():
        values = profile.fields.pop(before, None)
        if values is not None and after is not None:
            profile.fields[after] = [{**value, "label": after} for value in values]
    for first in FIELD_GROUPS:
        if account.field_names.get(first, first) == before:
            account.field_names[first] = after


def _primary(call: Call, *, on: bool) -> Answer:
    serial = serial_of(call, call.ids["contact_id"])
    unless_editable(call, serial)
    body = read_body(
        call, field_id=Rule(required=True), position=Rule(kind="integer", required=True, least=0)
    )
    place = call.account.place_of(body["field_id"])
    if place is None:
        raise Refusal(not_found("contact field", body["field_id"]))
    profile = profile_of(call.world, serial)
    values = profile.fields.get(place.field["name"], [])
    if body["position"] >= len(values):
        raise complain("/position", f"The field has {len(values)} values")
    shown = copy.deepcopy(values)
    for number, value in enumerate(shown):
        if number == body["position"]:
            value["is_primary"] = on
        elif on:
            value["is_primary"] = False
    profile.fields[place.field["name"]] = shown
    note_change(call, serial)
    return EMPTY
