"""Field metadata and leads: they are state, and decide what contacts may say."""

from __future__ import annotations

import pytest

from tests.testing.asking import Account

FIELDS = "/api/v1/contacts/fields"
CHOICE = {
    "field_kind": "choice",
    "values": {"ordering_type": "ordinal", "values": [{"id": "1", "value": "A"}]},
}
NONE = {"date_format": None, "ignore_specific_time": None}


def _tab(account: Account, name: str = "Mine", **rest):
    body = {"tab_name": name, "contact_types": ["person"], "insert_after": None, **rest}
    return account.post(f"{FIELDS}/tabs", body)


def _field(account: Account, tab_id: str, name: str = "Size", kind=None, **rest) -> dict[str, object]:
    body = {
        "name": name,
        "field_type": kind or {"field_kind": "string"},
        "presentation": NONE,
        "tab_id": tab_id,
    }
    tab = account.post(FIELDS, {**body, "group_id": None, "insert_after": None, **rest})
    members = [one for member in tab["members"] for one in member.get("fields", [member])]
    return next(one for one in members if one["name"] == name)


def _names(account: Account, tab_id: str) -> list[str]:
    tab = next(one for one in account.get(FIELDS)["tabs"] if one["tab_id"] == tab_id)
    return [member["name"] for member in tab["members"]]


def _set(account: Account, serial: int, name: str, value: str, status: int = 200):
    body = {"fields": {name: [{"value": value}]}}
    return account.put(f"/api/v1/contact/{account.contact(serial)}", body, status=status)


def _value(account: Account, serial: int, name: str) -> str | None:
    [shown] = account.get(f"/api/v1/contact/{account.contact(serial)}")["resources"]
    return shown["fields"].get(name, [{"value": None}])[0]["value"]


def test_a_new_field_can_be_used_searched_renamed_and_deleted(account):
    """A custom field lives in contacts, in the search and in both descriptions, under its present name."""
    field = _field(account, _tab(account)["tab_id"])
    path = f"{FIELDS}/{field['field_id']}"
    _set(account, 1, "Size", "large")
    find = {"custom_fields": {"Size": {"is": "large"}}}
    assert account.get("/api/v1/contacts/ids", query=find)["resources"] == [account.contact(1)]
    assert "Size" in account.get("/api/v1/contacts/metadata")["fields"]
    account.put(path, {"name": "Girth"})
    assert (_value(account, 1, "Girth"), _value(account, 1, "Size")) == ("large", None)
    account.get("/api/v1/contacts/ids", query=find, status=409)
    _set(account, 1, "Size", "x", status=409)
    [complaint] = account.delete(path, preflight_checks="true", status=406)["errors"]
    assert complaint["total"] == 1
    found = account.get("/api/v1/contacts/ids", query=complaint["nse_query"])["resources"]
    assert found == [account.contact(1)]
    assert account.delete(path, preflight_checks="false") == b""
    assert _value(account, 1, "Girth") is None
    account.delete(path, preflight_checks="false", status=404)


def test_fields_of_rendered_contacts_are_renamed_and_deleted_too(account):
    """What nobody wrote follows the metadata as well; a name that is free again starts empty."""
    before = {serial: _value(account, serial, "account number") for serial in range(3)}
    field_id = account.get("/api/v1/contacts/metadata")["fields"]["account number"][0]["id"]
    for name in ("number", "No."):
        account.put(f"{FIELDS}/{field_id}", {"name": name})
    assert {serial: _value(account, serial, "No.") for serial in range(3)} == before
    assert _value(account, 0, "account number") is None
    again = _field(account, _tab(account)["tab_id"], "account number")
    account.delete(f"{FIELDS}/{again['field_id']}", preflight_checks="true")
    assert _value(account, 2, "No.") == before[2]
    account.delete(f"{FIELDS}/{field_id}", preflight_checks="true", status=406)
    account.delete(f"{FIELDS}/{field_id}", {"preflight_checks": False})
    assert _value(account, 2, "No.") is None


@pytest.mark.parametrize("length", [0, 1, 50, 51])
def test_names_have_one_to_fifty_letters(account, length):
    """Tabs, groups and fields alike."""
    status = 200 if 1 <= length <= 50 else 409
    name, tab_id = "x" * length, _tab(account)["tab_id"]
    account.post(f"{FIELDS}/tabs", {"tab_name": name, "contact_types": [], "insert_after": None}, status=409)
    account.post(
        f"{FIELDS}/tabs",
        {"tab_name": name, "contact_types": ["company"], "insert_after": None},
        status=status,
    )
    group = {"name": name, "logo_id": "x", "tab_id": tab_id, "insert_after": None}
    account.post(f"{FIELDS}/groups", group, status=status)
    body = {"name": name, "field_type": {"field_kind": "string"}, "presentation": NONE, "tab_id": tab_id}
    account.post(FIELDS, {**body, "group_id": None, "insert_after": None}, status=status)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"name": "email"}, "/name"),
        ({"tab_id": "x"}, "/tab_id"),
        ({"group_id": "x"}, "/group_id"),
        ({"insert_after": "x"}, "/insert_after"),
        ({"field_type": {"field_kind": "employment"}}, "/field_type/field_kind"),
        ({"field_type": {"field_kind": "choice"}}, "/field_type/values"),
        (
            {"field_type": {"field_kind": "choice", "values": {"values": [{"id": "1", "value": "A"}] * 2}}},
            "/field_type/values/values",
        ),
        (
            {"field_type": {"field_kind": "choice", "values": {"ordering_type": "x", "values": []}}},
            "/field_type/values/ordering_type",
        ),
        ({"field_type": {"field_kind": "number"}}, "/presentation/number_type"),
        (
            {
                "field_type": {"field_kind": "number"},
                "presentation": {"number_type": "decimal", "fraction_digits": 0},
            },
            "/presentation/fraction_digits",
        ),
        ({"field_type": {"field_kind": "datetime"}, "presentation": {"date_format": None}}, "/presentation"),
        ({"field_type": {"field_kind": "datetime"}, "presentation": None}, "/presentation"),
    ],
)
def test_wrong_fields_are_refused(account, change, path):
    """Each complaint stands under its path, and nothing is added."""
    tab_id = _tab(account)["tab_id"]
    body = {"name": "Size", "field_type": {"field_kind": "string"}, "presentation": NONE, "tab_id": tab_id}
    answer = account.post(FIELDS, {**body, "group_id": None, "insert_after": None, **change}, status=409)
    assert list(answer["errors"]) == [path]
    assert _names(account, tab_id) == []


def test_the_order_is_the_one_asked_for(account):
    """null is first, an id is behind it; moving between groups and tabs keeps the field."""
    tab_id = _tab(account)["tab_id"]
    first = _field(account, tab_id, "a")
    _field(account, tab_id, "b", insert_after=first["field_id"])
    _field(account, tab_id, "c")
    assert _names(account, tab_id) == ["c", "a", "b"]
    account.put(f"{FIELDS}/{first['field_id']}", {"insert_after": None})
    assert _names(account, tab_id) == ["a", "c", "b"]
    group = {"name": "g", "logo_id": "x", "tab_id": tab_id, "insert_after": first["field_id"]}
    made = account.post(f"{FIELDS}/groups", group)["members"][1]
    account.put(f"{FIELDS}/{first['field_id']}", {"group_id": made["group_id"], "insert_after": None})
    assert _names(account, tab_id) == ["g", "c", "b"]
    other = _tab(account, "Other")["tab_id"]
    account.put(f"{FIELDS}/groups/{made['group_id']}", {"tab_id": other, "insert_after": None, "name": "h"})
    assert (_names(account, tab_id), _names(account, other)) == (["c", "b"], ["h"])
    account.put(f"{FIELDS}/groups/{made['group_id']}", {"insert_after": "x"}, status=409)
    account.put(f"{FIELDS}/tabs/{other}", {"insert_after": tab_id, "tab_name": "Last"})
    tabs = [tab["tab_name"] for tab in account.get(FIELDS)["tabs"]]
    assert tabs.index("Last") == tabs.index("Mine") + 1


def test_groups_and_tabs_go_with_what_is_in_them(account):
    """Their fields and values go too; unknown ones are a 404, the flag is needed, the older path answers."""
    tab_id = _tab(account)["tab_id"]
    group = {"name": "g", "logo_id": "x", "tab_id": tab_id, "insert_after": None}
    group_id = account.post(f"{FIELDS}/groups", group)["members"][0]["group_id"]
    _field(account, tab_id, "in group", group_id=group_id)
    _field(account, tab_id, "in tab")
    _set(account, 1, "in group", "x")
    _set(account, 1, "in tab", "x")
    account.delete(f"{FIELDS}/groups/{group_id}", preflight_checks="true", status=406)
    account.delete(f"{FIELDS}/groups/{group_id}", status=409)
    account.delete(f"{FIELDS}/groups/{group_id}", preflight_checks="false")
    assert (_value(account, 1, "in group"), _value(account, 1, "in tab")) == (None, "x")
    account.delete(f"/api/v1/contacts/tabs/{tab_id}", {"preflight_checks": False})
    assert _value(account, 1, "in tab") is None
    for kind, one in (("groups", group_id), ("tabs", tab_id)):
        account.delete(f"{FIELDS}/{kind}/{one}", preflight_checks="false", status=404)


def test_what_is_standard_stays(account):
    """Standard fields, groups and tabs can be moved and not renamed or deleted."""
    tab = account.get(FIELDS)["tabs"][0]
    group = tab["members"][0]
    field = group["fields"][0]
    for path in (
        f"{FIELDS}/tabs/{tab['tab_id']}",
        f"{FIELDS}/groups/{group['group_id']}",
        f"{FIELDS}/{field['field_id']}",
    ):
        account.delete(path, preflight_checks="false", status=409)
    account.put(f"{FIELDS}/{field['field_id']}", {"name": "x"}, status=409)
    account.put(f"{FIELDS}/tabs/{tab['tab_id']}", {"tab_name": "x"}, status=409)
    account.put(f"{FIELDS}/{field['field_id']}", {"insert_after": group["fields"][1]["field_id"]})


def test_choices_decide_which_values_are_taken(account):
    """The id of a choice is the value; a deleted choice leaves the contacts that had it."""
    field = _field(account, _tab(account)["tab_id"], "Pick", CHOICE)
    path = f"{FIELDS}/{field['field_id']}/choices"
    _set(account, 1, "Pick", "2", status=409)
    account.post(path, {"id": "2", "value": "B", "insert_after": "1"})
    account.post(path, {"id": "2", "value": "B", "insert_after": "1"}, status=409)
    _set(account, 1, "Pick", "2")
    renamed = account.put(f"{path}/2", {"id": "2", "value": "C", "insert_after": None})["tabs"]
    assert "C" in str(renamed)
    account.put(f"{path}/2", {"id": "3"}, status=409)
    account.put(f"{path}/9", {"id": "9"}, status=404)
    find = {"custom_fields": {"Pick": {"is": "2"}}}
    assert account.get("/api/v1/contacts/ids", query=find)["resources"] == [account.contact(1)]
    account.get("/api/v1/contacts/ids", query={"custom_fields": {"Pick": {"contain": "C"}}}, status=409)
    account.delete(f"{path}/2", preflight_checks="true", status=406)
    account.delete(f"{path}/2", preflight_checks="false")
    assert _value(account, 1, "Pick") is None
    plain = _field(account, _tab(account)["tab_id"], "Plain")
    account.post(
        f"{FIELDS}/{plain['field_id']}/choices", {"id": "1", "value": "A", "insert_after": None}, status=409
    )


@pytest.mark.parametrize(
    ("kind", "presentation", "good", "bad"),
    [
        ("number", {"number_type": "integer"}, "3.5", "three"),
        ("datetime", {"date_format": "%Y", "ignore_specific_time": True}, "2024-02-29", "2023-02-29"),
        ("boolean", None, "true", "1"),
        ("address", None, '{"city": "Oslo"}', "Oslo"),
        ("string", None, "anything", None),
    ],
)
def test_kinds_decide_which_values_are_taken(account, kind, presentation, good, bad):
    """A value that its kind cannot read is refused under the field's name; a kind never changes."""
    field = _field(account, _tab(account)["tab_id"], "New", {"field_kind": kind}, presentation=presentation)
    _set(account, 1, "New", good)
    assert _value(account, 1, "New") == good
    if bad is not None:
        assert list(_set(account, 1, "New", bad, status=409)["errors"]) == ["New"]
    account.put(f"{FIELDS}/{field['field_id']}", {"name": "New", "field_type": {"field_kind": "user"}})
    assert account.world.account.fields()["New"]["field_type"]["field_kind"] == kind


def test_a_lead_goes_its_way(account):
    """It enters by a move, exits once, is amended, taken back and forgotten; every answer is the contact."""
    pipeline = account.get("/api/v1/contacts/pipelines")["pipelines"][0]
    stages = {stage["name"]: stage["stage_id"] for stage in pipeline["stages"]}
    way = f"/api/v2/leads/{account.contact(1)}/{pipeline['pipeline_id']}"

    def move(name: str, status: int = 200):
        return account.post(f"{way}/move", {"stage_id": stages[name]}, status=status)

    account.post(f"{way}/successful", {}, status=406)
    account.post(f"{way}/undo", status=406)
    account.delete(way, status=406)
    assert move("Fresh")["stages_info"][0]["stage_name"] == "Fresh"
    assert move("Fresh", 406) == b""
    move("Won", 406)
    move("Contacted")
    assert account.post(f"{way}/successful", {"notes": "n"})["stages_info"][0]["is_final"] is True
    move("Fresh", 406)
    account.post(f"{way}/unsuccessful", {}, status=406)
    account.put(f"{way}/unsuccessful", {}, status=406)
    amended = account.put(f"{way}/successful", {"actual_exit_date": "2024-01-01"})
    assert amended["stages_info"][0]["entered_data"] == "2024-01-01"
    account.put(f"{way}/successful", {"actual_exit_date": "soon"}, status=409)
    assert account.post(f"{way}/undo")["stages_info"][0]["stage_name"] == "Contacted"
    lost = account.post(f"{way}/unsuccessful", {"lost_reason": "No budget", "actual_exit_date": None})
    assert lost["stages_info"][0]["stage_name"] == "Lost"
    [shown] = account.get(f"/api/v1/contact/{account.contact(1)}")["resources"]
    assert shown["stages_info"] == lost["stages_info"]
    assert (
        "stages_info"
        not in account.get(f"/api/v1/contact/{account.contact(1)}", leads_data="false")["resources"][0]
    )
    assert account.delete(way)["stages_info"] == []


def test_unknown_leads_are_404_without_a_body(account):
    """Contact, pipeline and stage have to exist."""
    pipeline = account.get("/api/v1/contacts/pipelines")["pipelines"][0]["pipeline_id"]
    contact, nothing = account.contact(1), "0" * 24
    assert account.post(f"/api/v2/leads/{nothing}/{pipeline}/undo", status=404) == b""
    assert account.delete(f"/api/v2/leads/{contact}/{nothing}", status=404) == b""
    path = f"/api/v2/leads/{contact}/{pipeline}/move"
    assert account.post(path, {"stage_id": nothing}, status=404) == b""
