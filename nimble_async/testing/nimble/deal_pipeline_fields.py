"""deal_fields.*, deal_pipeline_fields.*, -groups and -choices: what deals can say about themselves.

Each pipeline has one tab with groups and fields of its own; the standard fields belong to all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from nimble_async.testing.call import EMPTY, Answer, Call, Handler, Refusal, json_answer
from nimble_async.testing.nimble.checks import Rule, complain, insert_after, preflight, read_body, wrong_in
from nimble_async.testing.nimble.contact_fields import checked_kind, checked_presentation
from nimble_async.testing.nimble.deal_content import deal_values
from nimble_async.testing.nimble.pipeline_access import own_pipeline, visible
from nimble_async.testing.nimble.refusals import forbidden, invalid, not_acceptable, not_found
from nimble_async.testing.nimble.standing import DEAL_FIELDS

__all__ = [
    "HANDLERS",
    "add_members",
    "column_catalogue",
    "create_choice",
    "create_field",
    "create_group",
    "delete_choice",
    "delete_field",
    "delete_group",
    "list_fields",
    "update_choice",
    "update_field",
    "update_group",
]

_NAME = Rule(required=True, least=1, most=50)
_GROUP = {
    "group_name": Rule(least=1, most=50),
    "logo_id": Rule(),
    "insert_after": Rule(null=True),
    "fields": Rule(kind="array", items="object"),
}
_FIELD = {
    "name": _NAME,
    "field_type": Rule(kind="object", required=True),
    "presentation": Rule(kind="object", required=True, null=True),
    "pipeline_id": Rule(null=True),
    "insert_after": Rule(null=True),
    "group_id": Rule(),
}


def list_fields(call: Call) -> Answer:
    """Answer the standard fields, and the tabs of every pipeline that the user may see."""
    return json_answer(_metadata(call), lasting=True)


def column_catalogue(call: Call) -> Answer:
    """Answer what a listing of deals can show, in groups and alone."""
    standard = [_column(name, kind) for name, (_, kind) in DEAL_FIELDS.items()]
    group = {"group_id": "standard", "human_readable_name": "Deal", "columns": standard}
    custom = [
        _column(entry["field"]["field_name"], entry["field"]["field_type"], standard=False)
        for entry in call.account.deal_fields.values()
    ]
    items = [group, *custom]
    return json_answer({"items": items, "type": ["group", *("column" for _ in custom)]}, lasting=True)


def create_field(call: Call) -> Answer:
    """Add a field to a pipeline."""
    pipeline = own_pipeline(call)
    body = read_body(call, **_FIELD)
    if body["name"] in DEAL_FIELDS or body["name"] in _names(call, pipeline):
        return not_acceptable(f"There is a field {body['name']} already", "field_name_exists")
    field = _new_field(call, pipeline, body)
    members = _tab(call, pipeline)["members"]
    if body.get("group_id") is not None:
        members = _group(pipeline, body["group_id"], "/group_id")["fields"]
    _insert(members, field, body)
    _know(call, [field])
    return _described(call, 201)


def update_field(call: Call) -> Answer:
    """Rename, present or move a field of a pipeline."""
    pipeline = own_pipeline(call)
    members, field = _own_field(call, pipeline)
    kind = field["field"]["field_type"]
    body = read_body(
        call,
        name=Rule(least=1, most=50),
        presentation=Rule(kind="object", null=True),
        insert_after=Rule(null=True),
        group_id=Rule(null=True),
    )
    before = field["field"]["field_name"]
    name = body.get("name", before)
    if name != before and (name in DEAL_FIELDS or name in _names(call, pipeline)):
        return not_acceptable(f"There is a field {name} already", "field_name_exists")
    presentation = checked_presentation(body["presentation"], kind) if "presentation" in body else None
    if "group_id" in body or "insert_after" in body:
        home = members
        if "group_id" in body:
            tab = _tab(call, pipeline)
            group_id = body["group_id"]
            home = tab["members"] if group_id is None else _group(pipeline, group_id, "/group_id")["fields"]
        others = [one for one in home if one is not field]
        _insert(others, field, body)
        members.remove(field)
        home[:] = others
    if presentation is not None:
        field["field"]["presentation"] = presentation
    if name != before:
        _rename(call, before, name)
        field["field"]["field_name"] = name
    return _described(call)


def delete_field(call: Call) -> Answer:
    """Delete a field of a pipeline and its values; 403 where deals have some and checks are asked for."""
    pipeline = own_pipeline(call)
    members, field = _own_field(call, pipeline)
    name = field["field"]["field_name"]
    used = any(deal_values(call.world, serial).get(name) for serial in call.account.deals)
    if preflight(call, required=False) and used:
        return forbidden("delete a field that deals have values of")
    members.remove(field)
    _forget(call, field)
    return EMPTY


def create_choice(call: Call) -> Answer:
    """Add a choice to a field of a pipeline."""
    _, field = _own_field(call, own_pipeline(call))
    body = read_body(call, choice=Rule(kind="object", required=True), insert_after=Rule(null=True))
    wrong = wrong_in(body["choice"], {"id": Rule(required=True), "value": Rule(required=True)}, "/choice")
    if wrong:
        raise Refusal(invalid(wrong))
    choices = _choices(field)
    if body["choice"]["id"] in {one["id"] for one in choices}:
        raise complain("/choice/id", f"There is a choice {body['choice']['id']} already")
    insert_after(choices, {"id": body["choice"]["id"], "value": body["choice"]["value"]}, body, ("id",))
    return _described(call, 201)


def update_choice(call: Call) -> Answer:
    """Rename or move a choice; the same label twice is refused."""
    choices, choice = _own_choice(call)
    body = read_body(call, value=Rule(null=True), insert_after=Rule(null=True))
    label = body.get("value")
    if label is not None and label in {one["value"] for one in choices if one is not choice}:
        return not_acceptable(f"There is a choice {label} already", "choice_exists")
    if "insert_after" in body:
        others = [one for one in choices if one is not choice]
        insert_after(others, choice, body, ("id",))
        choices[:] = others
    choice["value"] = choice["value"] if label is None else label
    return _described(call)


def delete_choice(call: Call) -> Answer:
    """Delete a choice; deals that have it lose it, or with checks it stays: 403."""
    _, field = _own_field(call, own_pipeline(call))
    choices, choice = _own_choice(call)
    name = field["field"]["field_name"]
    having = [
        profile
        for serial, profile in call.account.deals.items()
        if deal_values(call.world, serial).get(name) == choice["id"]
    ]
    if preflight(call, required=False) and having:
        return forbidden("delete a choice that deals have")
    for profile in having:
        del profile.fields[name]
    choices.remove(choice)
    call.account.change()
    return EMPTY


def create_group(call: Call) -> Answer:
    """Add a group, with fields where some are sent."""
    pipeline = own_pipeline(call)
    body = read_body(call, **{**_GROUP, "group_name": Rule(required=True, least=1, most=50)})
    group = _new_group(call, pipeline, body)
    _insert(_tab(call, pipeline)["members"], group, body)
    _know(call, [group])
    return _described(call, 201)


def update_group(call: Call) -> Answer:
    """Rename or move a group."""
    pipeline = own_pipeline(call)
    group = _group(pipeline, call.ids["group_id"])
    body = read_body(call, group_name=Rule(least=1, most=50), logo_id=Rule(), insert_after=Rule(null=True))
    if "insert_after" in body:
        members = _tab(call, pipeline)["members"]
        others = [one for one in members if one is not group]
        _insert(others, group, body)
        members[:] = others
    group.update({name: body[name] for name in ("group_name", "logo_id") if name in body})
    return _described(call)


def delete_group(call: Call) -> Answer:
    """Delete a group with its fields."""
    pipeline = own_pipeline(call)
    group = _group(pipeline, call.ids["group_id"])
    for field in list(group["fields"]):
        _forget(call, field)
    _tab(call, pipeline)["members"].remove(group)
    call.account.change()
    return EMPTY


def add_members(call: Call, pipeline: dict[str, Any], members: list[dict[str, Any]]) -> None:
    """Give a new pipeline the groups and fields that its creation names.

    Raises:
        Refusal: One of them is malformed: a 409.
    """
    tab = _tab(call, pipeline)
    for place, sent in enumerate(members):
        rules = _GROUP if "group_name" in sent else _FIELD
        wrong = wrong_in(sent, rules, f"/fields_tab_members/{place}")
        if wrong:
            raise Refusal(invalid(wrong))
        made = _new_group(call, pipeline, sent) if "group_name" in sent else _new_field(call, pipeline, sent)
        tab["members"].append(made)
    _know(call, tab["members"])


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "deal_fields.column_catalogue": column_catalogue,
        "deal_fields.list": list_fields,
        "deal_pipeline_choices.create": create_choice,
        "deal_pipeline_choices.delete": delete_choice,
        "deal_pipeline_choices.update": update_choice,
        "deal_pipeline_fields.create": create_field,
        "deal_pipeline_fields.delete": delete_field,
        "deal_pipeline_fields.update": update_field,
        "deal_pipeline_groups.create": create_group,
        "deal_pipeline_groups.delete": delete_group,
        "deal_pipeline_groups.update": update_group,
    }
)


def _metadata(call: Call) -> dict[str, Any]:
    tabs = [
        tab
        for pipeline in call.account.pipelines.values()
        if visible(call, pipeline["pipeline_id"])
        for tab in pipeline["tabs"]
    ]
    standard = [
        {
            "field_id": field_id,
            "field_name": name,
            "modifier": "",
            "multiples": False,
            "available_actions": "view_only",
            "field_type": kind,
        }
        for name, (field_id, kind) in DEAL_FIELDS.items()
    ]
    return {"pipelines_tabs": tabs, "standard_fields": standard}


def _described(call: Call, status: int = 200) -> Answer:
    call.account.change()
    return json_answer(_metadata(call), status)


def _column(name: str, kind: Mapping[str, Any], *, standard: bool = True) -> dict[str, Any]:
    boxes = {"number": "numeric-general", "datetime": "date", "long_string": "multi-line-text-box"}
    boxes |= {"choice": "select-box", "boolean": "boolean", "address": "address", "user": "user"}
    path = f"$.fields_values_with_names['{name}'][0]"
    return {
        "id": name,
        "human_readable_name": name.replace("_", " ").capitalize(),
        "json_path": path,
        "value_json_path": f"{path}.value",
        "presentation": {"type": boxes.get(kind["field_kind"], "single-line-text-box")},
        "read_only": False,
        "is_standard": standard,
        "sortable": name in {"deal_name", "amount", "description", "expected_close_date"},
    }


def _tab(call: Call, pipeline: dict[str, Any]) -> dict[str, Any]:
    """Return a pipeline's tab, made when it is first needed."""
    if not pipeline["tabs"]:
        pipeline["tabs"].append(
            {
                "tab_id": call.new_id(),
                "tab_name": pipeline["name"],
                "pipeline_id": pipeline["pipeline_id"],
                "members": [],
            }
        )
    tab: dict[str, Any] = pipeline["tabs"][0]
    return tab


def _new_field(call: Call, pipeline: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    kind = checked_kind(sent["field_type"])
    presentation = checked_presentation(sent["presentation"], kind)
    field = {
        "field_id": call.new_id(),
        "field_name": sent["name"],
        "modifier": "",
        "multiples": False,
        "available_actions": "edit_all",
        "field_type": kind,
    }
    if presentation is not None:
        field["presentation"] = presentation
    return {"type": "field", "field": field, "pipeline_id": pipeline["pipeline_id"]}


def _know(call: Call, members: list[dict[str, Any]]) -> None:
    """Let deals have the fields among these members from here on, and those of their groups."""
    for member in members:
        if member["type"] == "group":
            _know(call, member["fields"])
        else:
            call.account.deal_fields[member["field"]["field_id"]] = member


def _new_group(call: Call, pipeline: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    fields = []
    for place, field in enumerate(sent.get("fields", ())):
        wrong = wrong_in(field, _FIELD, f"/fields/{place}")
        if wrong:
            raise Refusal(invalid(wrong))
        fields.append(_new_field(call, pipeline, field))
    return {
        "type": "group",
        "group_id": call.new_id(),
        "group_name": sent["group_name"],
        "logo_id": sent.get("logo_id", "default"),
        "fields": fields,
    }


def _ids(member: Mapping[str, Any]) -> set[str]:
    return {member.get("group_id", ""), member.get("field", {}).get("field_id", "")}


def _insert(members: list[dict[str, Any]], member: dict[str, Any], body: Mapping[str, Any]) -> None:
    """Put a field or a group where `insert_after` says: null is first, not given is last."""
    after = body.get("insert_after", "")
    if after == "":
        members.append(member)
    elif after is None:
        members.insert(0, member)
    else:
        places = [place for place, one in enumerate(members) if after in _ids(one)]
        if not places:
            raise complain("/insert_after", f"There is no {after} to stand after")
        members.insert(places[0] + 1, member)


def _lists(pipeline: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """Go through every list of a pipeline that holds fields."""
    for tab in pipeline["tabs"]:
        yield tab["members"]
        for member in tab["members"]:
            if member["type"] == "group":
                yield member["fields"]


def _names(call: Call, pipeline: Mapping[str, Any]) -> set[str]:
    return {
        entry["field"]["field_name"]
        for entry in call.account.deal_fields.values()
        if entry["pipeline_id"] == pipeline["pipeline_id"]
    }


def _own_field(call: Call, pipeline: Mapping[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    for members in _lists(pipeline):
        for member in members:
            if call.ids["field_id"] == member.get("field", {}).get("field_id"):
                return members, member
    raise Refusal(not_found("deal field", call.ids["field_id"]))


def _group(pipeline: Mapping[str, Any], group_id: str, path: str | None = None) -> dict[str, Any]:
    """Return a group of a pipeline; where none has the id, a 409 under `path`, else a 404."""
    for tab in pipeline["tabs"]:
        for member in tab["members"]:
            if member.get("group_id") == group_id:
                found: dict[str, Any] = member
                return found
    if path is None:
        raise Refusal(not_found("deal fields group", group_id))
    raise complain(path, f"There is no group {group_id}")


def _choices(field: Mapping[str, Any]) -> list[dict[str, Any]]:
    kind = field["field"]["field_type"]
    if kind["field_kind"] != "choice":
        raise Refusal(not_found("field choices", field["field"]["field_id"]))
    choices: list[dict[str, Any]] = kind["values"]["values"]
    return choices


def _own_choice(call: Call) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    _, field = _own_field(call, own_pipeline(call))
    choices = _choices(field)
    choice = next((one for one in choices if one["id"] == call.ids["choice_id"]), None)
    if choice is None:
        raise Refusal(not_found("field choice", call.ids["choice_id"]))
    return choices, choice


def _rename(call: Call, before: str, after: str) -> None:
    for profile in call.account.deals.values():
        if before in profile.fields:
            profile.fields[after] = profile.fields.pop(before)


def _forget(call: Call, member: Mapping[str, Any]) -> None:
    """Take a field from the account and from every deal."""
    call.account.deal_fields.pop(member["field"]["field_id"], None)
    for profile in call.account.deals.values():
        profile.fields.pop(member["field"]["field_name"], None)
    call.account.change()
