"""Deals, their tags, files and notes, and the pipelines they are in: changed by requests."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from nimble_async.testing import Behaviour, Simulator, World
from tests.testing.asking import Account

DEALS, PIPELINES = "/api/v2/deals", "/api/v2/deals/pipelines"
STRING = {"field_kind": "string"}
NONE = {"date_format": None, "ignore_specific_time": None}


def _pipeline(account: Account, place: int = 0):
    return account.get(PIPELINES)["pipelines"][place]


def _body(account: Account, **rest):
    pipeline = _pipeline(account)
    return {
        "fields_values": {"deal_name": [{"value": "Boat"}]},
        "pipeline_id": pipeline["pipeline_id"],
        "stage_id": pipeline["stages"][0]["stage_id"],
        **rest,
    }


def _deal(account: Account, **rest):
    return account.post(DEALS, _body(account, **rest))


def _value(deal, name: str) -> str:
    return deal["fields_values_with_names"][name][0]["value"]


def test_a_new_deal_is_read_listed_and_found_on_its_stage(account):
    """A deal that was created is everywhere where deals are."""
    related = [{"contact_id": account.contact(1), "note": "buyer"}]
    fields = {"name": [{"value": "Aaa boat"}], "amount": [{"value": "12.5"}]}
    deal = _deal(account, fields_values=fields, related_contacts=related, tags=["new tag"], currency="EUR")
    assert deal["deal_number"] == 41
    assert deal["related_contacts"][0]["contact"]["id"] == account.contact(1)
    assert (_value(deal, "deal_name"), _value(deal, "amount"), deal["currency"]) == (
        "Aaa boat",
        "12.5",
        "EUR",
    )
    assert account.get(f"{DEALS}/{deal['deal_id']}") == deal
    assert account.get(DEALS, sort="name:asc", limit=1)["resources"] == [deal]
    stage = account.get(f"{PIPELINES}/{_pipeline(account)['pipeline_id']}/deals", sort="name:asc", limit=1)[
        "stages"
    ][0]
    assert stage["deals"][0]["deal_id"] == deal["deal_id"]
    assert account.get(f"{DEALS}/tags", starts_with="NEW")["tags"][0]["name"] == "new tag"
    account.delete(f"/api/v1/contact/{account.contact(1)}")
    assert account.get(f"{DEALS}/{deal['deal_id']}")["related_contacts"] == []


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"fields_values": {}}, "/fields_values"),
        ({"fields_values": {"shoe": []}}, "/fields_values/shoe"),
        ({"fields_values": {"name": "x"}}, "/fields_values/name"),
        ({"fields_values": {"name": [{"value": "x"}], "amount": [{"value": "x"}]}}, "/fields_values/amount"),
        (
            {"fields_values": {"name": [{"value": "x"}], "expected_close_date": [{"value": "x"}]}},
            "/fields_values/expected_close_date",
        ),
        ({"pipeline_id": "x"}, "/pipeline_id"),
        ({"stage_id": "x"}, "/stage_id"),
        ({"owner_id": "x"}, "/owner_id"),
        ({"currency": "euro"}, "/currency"),
        ({"related_contacts": [{"contact_id": "x"}]}, "/related_contacts/0/contact_id"),
        ({"related_contacts": [{}]}, "/related_contacts/0"),
        ({"tags": "x"}, "/tags"),
    ],
)
def test_wrong_deals_are_refused(account, change, path):
    """Each complaint stands under its path, and nothing is kept."""
    assert list(account.post(DEALS, _body(account, **change), status=409)["errors"]) == [path]
    assert len(account.world.deals) == 40


def test_an_update_changes_what_is_sent(account):
    """Fields by name or by id, an empty list removes one; the rest stays."""
    deal = _deal(account, tags=["a"])
    path = f"{DEALS}/{deal['deal_id']}"
    ids = {
        field["field_name"]: field["field_id"] for field in account.get(f"{DEALS}/fields")["standard_fields"]
    }
    changed = account.put(path, {"fields_values": {ids["amount"]: [{"value": "7"}]}, "tags": ["b"]})
    assert (_value(changed, "amount"), _value(changed, "deal_name"), changed["tags"]) == ("7", "Boat", ["b"])
    assert changed["updated"] > changed["created"]
    assert "amount" not in account.put(path, {"fields_values": {"amount": []}})["fields_values_with_names"]
    account.put(path, {"fields_values": {"name": []}}, status=409)
    assert account.put(path, {"fields_values": {"probability": [{"value": "33"}]}})["final_probability"] == 33
    account.put(f"{DEALS}/nothing", {}, status=404)


def test_a_rendered_deal_keeps_its_rest(account):
    """One changed member of a deal that nobody wrote leaves all others as they were."""
    before = account.get(f"{DEALS}/{account.deal(3)}")
    after = account.put(f"{DEALS}/{account.deal(3)}", {"currency": "SEK"})
    different = {name for name in before if before[name] != after[name]}
    assert different == {"currency", "updated", "updated_by"} - (
        {"updated_by"} if before["updated_by"] == after["updated_by"] else set()
    )


def test_a_deal_moves_between_stages_and_pipelines(account):
    """Each move is a transition; another pipeline needs a stage of its own."""
    deal = _deal(account)
    path, (one, two) = f"{DEALS}/{deal['deal_id']}", account.get(PIPELINES)["pipelines"]
    account.put(path, {"stage_id": one["stages"][1]["stage_id"]})
    account.put(path, {"pipeline_id": two["pipeline_id"]}, status=409)
    moved = account.put(path, {"pipeline_id": two["pipeline_id"], "stage_id": two["stages"][0]["stage_id"]})
    way = moved["stage_transitions"]
    assert (way["pipeline_id"], len(way["transitions"])) == (two["pipeline_id"], 3)
    assert way["transitions"][-1]["from_stage"]["stage_id"] == one["stages"][1]["stage_id"]
    archived = next(stage for stage in two["stages"] if stage["archived_at"])
    account.put(path, {"stage_id": archived["stage_id"]}, status=409)


def test_deals_won_last_month_are_added_up(account):
    """Only what reached the stage for won within the month before counts."""
    account.now = 0.0
    pipeline = _pipeline(account)
    won = next(stage["stage_id"] for stage in pipeline["stages"] if stage["name"] == "Won")
    before = account.get(f"{DEALS}/widget/won_last_month")
    deal = _deal(account, fields_values={"name": [{"value": "x"}], "amount": [{"value": "100.25"}]})
    account.put(f"{DEALS}/{deal['deal_id']}", {"stage_id": won})
    assert account.get(f"{DEALS}/widget/won_last_month") == before
    first = datetime.fromtimestamp(account.world.wall(account.now), UTC)
    account.now += (32 - first.day) * 86_400
    after = account.get(f"{DEALS}/widget/won_last_month")
    assert after["last_month_won_count"] >= 1
    assert after["last_month_won_amount"] >= 100.25


def test_deleted_deals_are_gone_and_private_ones_stay(account):
    """A deletion says nothing; a deal that only its owner edits is a 403, and not editable."""
    account.delete(f"{DEALS}/{account.deal(1)}")
    account.get(f"{DEALS}/{account.deal(1)}", status=404)
    nobody: dict[str, list[str]] = {"user_ids": [], "group_ids": []}
    deal = _deal(account, owner_id="60d5c0de0000000000b00001", privacy={"read": None, "edit": nobody})
    assert deal["is_editable"] is False
    account.delete(f"{DEALS}/{deal['deal_id']}", status=403)
    account.put(f"{DEALS}/{deal['deal_id']}", {"tags": []}, status=409)
    hidden = _deal(account, owner_id="60d5c0de0000000000b00001", privacy={"read": nobody, "edit": nobody})
    listed = account.get(DEALS, sort="name:asc", limit=100)["resources"]
    assert hidden["deal_id"] not in {one["deal_id"] for one in listed}


def test_deals_come_by_owner(account):
    """Each owner is a group with its own way on; together they are the pipeline's deals."""
    path = f"{PIPELINES}/{_pipeline(account)['pipeline_id']}"
    pending, seen = [f"{path}/owners?sort=name:asc&limit=2"], []
    while pending:
        for group in account.get(pending.pop())["groups"]:
            assert {deal["owner"]["user_id"] for deal in group["deals"]} == {group["owner"]["user_id"]}
            seen += [deal["deal_id"] for deal in group["deals"]]
            if group["meta"]["next_page_url"]:
                pending.append(group["meta"]["next_page_url"])
    stages = account.get(f"{path}/deals", sort="name:asc", limit=100)["stages"]
    assert sorted(seen) == sorted(deal["deal_id"] for stage in stages for deal in stage["deals"])


def test_deals_are_searched_on_their_stages(account):
    """The query is the search language over a deal's fields, and goes on to the next page."""
    path = f"{PIPELINES}/{_pipeline(account)['pipeline_id']}/deals"

    def names(**query) -> set[str]:
        stages = account.get(path, sort="name:asc", limit=100, **query)["stages"]
        return {_value(deal, "deal_name") for stage in stages for deal in stage["deals"]}

    every = names()
    some = names(query={"name": {"contain": "alder cedar"}})
    assert some == {name for name in every if {"alder", "cedar"} & set(name.lower().split())}
    rich, poor = names(query={"amount": {"gte": 30_000}}), names(query={"amount": {"lt": 30_000}})
    assert rich | poor == every
    assert not rich & poor
    close = {"expected_close_date": {"range": {"start_date": "2027-01-01", "end_date": "2027-06-30"}}}
    assert names(query=close) | names(query={"not": [close]}) == every
    address = account.get(path, sort="name:asc", limit=1, query={"amount": {"gt": 0}})["stages"][0]["meta"][
        "next_page_url"
    ]
    assert "query=" in address
    for query in ({"shoe": {"is": "x"}}, {"created": {"contain": "x"}}):
        account.get(path, sort="name:asc", query=query, status=409)


def test_tags_of_deals_are_assigned_renamed_and_deleted(account):
    """Everywhere at once, on deals that somebody wrote and on those nobody did."""
    every = {
        deal["deal_id"]: deal["tags"] for deal in account.get(DEALS, sort="name:asc", limit=99)["resources"]
    }
    vips = {deal_id for deal_id, tags in every.items() if "vip" in tags}
    progress = account.post(f"{DEALS}/tags", {"query": {"tag": {"is": "vip"}}, "tags": ["big", "vip"]})[
        "push_data"
    ]
    assert (progress["is_completed"], progress["processed"], progress["total"]) == (
        True,
        len(vips),
        len(vips),
    )
    account.put("/api/2/deals/tags/customer", {"new_tag": "a b"})
    account.put("/api/v2/deals/tags/a%20b", {"new_tag": "client"})

    def tagged(tag: str) -> set[str]:
        deals = account.get(DEALS, sort="name:asc", limit=99)["resources"]
        return {deal["deal_id"] for deal in deals if tag in deal["tags"]}

    assert tagged("big") == vips
    assert tagged("client") == {deal_id for deal_id, tags in every.items() if "customer" in tags}
    assert tagged("customer") == set()
    [complaint] = account.delete("/api/2/deals/tags/client", {"preflight_checks": True}, status=406)["errors"]
    assert complaint["total"] == len(tagged("client"))
    account.delete("/api/2/deals/tags/client", {"preflight_checks": False})
    assert tagged("client") == set()
    names = {tag["name"] for tag in account.get(f"{DEALS}/tags")["tags"]}
    assert "big" in names
    assert not {"client", "customer", "a b"} & names
    assert account.put("/api/2/deals/tags/customer", {"new_tag": "x"}, status=406)["type"] == "tag_not_found"
    assert account.put("/api/2/deals/tags/vip", {"new_tag": "big"}, status=406)["type"] == "tag_exists"
    account.put("/api/2/deals/tags/vip", {"new_tag": " "}, status=409)
    account.delete("/api/2/deals/tags/customer", status=406)
    assert len(account.get(f"{DEALS}/tags", limit=2)["tags"]) == 2


def test_background_work_takes_its_time():
    """With the switch, tags appear later, and the first answer says that the work is not done."""
    account = Account(
        Simulator(World(contacts=0, deals=9, hidden_deals=0), behaviour=Behaviour(background=60))
    )
    progress = account.post(f"{DEALS}/tags", {"query": {"amount": {"gte": 0}}, "tags": ["late"]})["push_data"]
    assert (progress["is_completed"], progress["processed"], progress["total"]) == (False, 0, 9)
    assert not any("late" in deal["tags"] for deal in account.get(DEALS, sort="name:asc")["resources"])
    account.world.still(on=False)
    account.now += 60
    assert all("late" in deal["tags"] for deal in account.get(DEALS, sort="name:asc")["resources"])


def test_what_cannot_be_tagged_is_told(account):
    """Deals that others keep to themselves stop an assignment with checks, and are left out without."""
    nobody: dict[str, list[str]] = {"user_ids": [], "group_ids": []}
    _deal(account, owner_id="60d5c0de0000000000b00001", privacy={"read": None, "edit": nobody})
    body = {"query": {"name": {"is": "Boat"}}, "tags": ["x"]}
    [complaint] = account.post(f"{DEALS}/tags", {**body, "preflight_checks": True}, status=406)["errors"]
    assert (complaint["type"], complaint["total"]) == ("non_editable_deals", 1)
    assert account.post(f"{DEALS}/tags", body)["push_data"]["errors"][0]["count"] == 1
    account.post(f"{DEALS}/tags", {**body, "query": "x"}, status=409)


def test_files_are_linked_renamed_and_fetched(account):
    """An upload is named by its id; only uploads are renamed; addresses are of other hosts."""
    path = f"{DEALS}/{account.deal(1)}"
    data_id = account.post("/api/files/azure/upload", b"bytes")["data_id"]
    upload = {"source": "uploaded_azure", "data_id": data_id}
    link = {"source": "dropbox", "file_url": "https://d.example.com/f", "icon_url": "https://d.example.com/i"}
    assert account.post(f"{path}/files", {"metadata": upload}, status=201) == b""
    account.post(f"{path}/files", {"metadata": link, "file_name": "plan", "file_size": 3}, status=201)
    one, two = account.get(path)["files"]
    assert (two["file_name"], two["metadata"]) == ("plan", link)
    account.put(f"{path}/files/{one['file_id']}", {"new_file_name": "x.pdf"})
    account.put(f"{path}/files/{two['file_id']}", {"new_file_name": "x.pdf"}, status=409)
    assert account.get(f"{path}/files/{one['file_id']}/url")["url"].startswith("https://files.example.com/")
    assert account.get(f"{path}/files/{two['file_id']}/url")["url"] == link["file_url"]
    account.delete(f"{path}/files/{two['file_id']}")
    assert [file["file_name"] for file in account.get(path)["files"]] == ["x.pdf"]
    account.get(f"{path}/files/{two['file_id']}/url", status=404)
    account.get(f"{DEALS}/{account.deal(2)}/files/{one['file_id']}/url", status=404)
    account.post(f"{path}/files", {"metadata": {**upload, "data_id": "x"}}, status=404)
    account.post(f"{path}/files", {"metadata": {"source": "floppy"}}, status=409)


@pytest.mark.parametrize(("length", "status"), [(0, 409), (1, 201), (256, 201), (257, 409)])
def test_notes_on_deals_have_titles(account, length, status):
    """1 to 256 letters."""
    account.post(f"{DEALS}/{account.deal(1)}/notes", {"title": "x" * length}, status=status)


def test_notes_on_deals_are_changed_and_deleted(account):
    """Null empties the body; a note belongs to its deal."""
    path = f"{DEALS}/{account.deal(1)}/notes"
    note = account.post(path, {"title": "t", "body": "b"}, status=201)
    assert note["created"].endswith("Z")
    changed = account.put(f"{path}/{note['note_id']}", {"body": None})
    assert (changed["title"], changed["body"]) == ("t", "")
    account.put(f"{DEALS}/{account.deal(2)}/notes/{note['note_id']}", {"title": "x"}, status=404)
    account.delete(f"{path}/{note['note_id']}")
    account.put(f"{path}/{note['note_id']}", {"title": "x"}, status=404)


def _new_pipeline(account: Account, **rest):
    body = {
        "name": "Boats",
        "description": "",
        "color": "#fff",
        "lost_reasons": ["Sank"],
        "default_currency": "EUR",
    }
    stages = [{"name": "Keel", "default_probability": 5}]
    return account.post(PIPELINES, {**body, "stages": stages, "fields_tab_members": [], **rest}, status=201)


def test_a_new_pipeline_takes_deals_and_dies_with_them(account):
    """It gets stages for won and lost; its deletion destroys its deals, the default one stays."""
    pipeline = _new_pipeline(account)
    assert [stage["name"] for stage in pipeline["stages"]] == ["Keel", "Won", "Lost"]
    assert {stage["pipline_id"] for stage in pipeline["stages"]} == {pipeline["pipeline_id"]}
    path = f"{PIPELINES}/{pipeline['pipeline_id']}"
    assert account.get(path) == pipeline
    stage = pipeline["stages"][0]["stage_id"]
    deal = _deal(account, pipeline_id=pipeline["pipeline_id"], stage_id=stage)
    account.put(path, {"name": "Ships", "color": "#000"})
    assert account.get(f"{DEALS}/{deal['deal_id']}")["stage_transitions"]["pipeline_name"] == "Ships"
    account.delete(path)
    account.get(path, status=404)
    account.get(f"{DEALS}/{deal['deal_id']}", status=404)
    assert account.get(DEALS, sort="name:asc")["meta"]["total"] == 40
    account.delete(f"{PIPELINES}/{_pipeline(account)['pipeline_id']}", status=403)
    account.delete(path, status=404)
    account.delete(f"{PIPELINES}/60d5c0de0000000000d00003", status=403)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"name": ""}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"description": "x" * 257}, "/description"),
        ({"lost_reasons": ["x" * 257]}, "/lost_reasons/0"),
        ({"default_currency": "x"}, "/default_currency"),
        ({"stages": [{}]}, "/stages/0"),
        ({"stages": [{"name": "x", "default_probability": 101}]}, "/stages/0/default_probability"),
        ({"fields_tab_members": [{"name": "x"}]}, "/fields_tab_members/0"),
        ({"fields_tab_members": [{"group_name": "g", "fields": [{}]}]}, "/fields/0"),
    ],
)
def test_wrong_pipelines_are_refused(account, change, path):
    """Each complaint stands under its path."""
    body = {
        "name": "B",
        "description": "",
        "color": "c",
        "lost_reasons": [],
        "stages": [],
        "default_currency": "EUR",
    }
    answer = account.post(PIPELINES, {**body, "fields_tab_members": [], **change}, status=409)
    assert list(answer["errors"]) == [path]


def test_archived_pipelines_are_put_away_and_come_back(account):
    """Not listed, not read by stage, not for new deals; still there by id, with its deals."""
    pipeline = _new_pipeline(account)
    path, stage = f"{PIPELINES}/{pipeline['pipeline_id']}", pipeline["stages"][0]["stage_id"]
    deal = _deal(account, pipeline_id=pipeline["pipeline_id"], stage_id=stage)
    assert account.post(f"{path}/archive") == b""
    assert pipeline["pipeline_id"] not in str(account.get(PIPELINES))
    account.get(f"{path}/deals", sort="name:asc", status=404)
    account.post(DEALS, _body(account, pipeline_id=pipeline["pipeline_id"], stage_id=stage), status=409)
    assert account.get(path)["archived_at"] is not None
    account.get(f"{DEALS}/{deal['deal_id']}")
    account.post(f"{path}/unarchive")
    assert (
        account.get(f"{path}/deals", sort="name:asc")["stages"][0]["deals"][0]["deal_id"] == deal["deal_id"]
    )


def test_stages_are_added_changed_and_archived(account):
    """Before the final ones unless told; DELETE archives, and an archived stage keeps what it has."""
    pipeline = _new_pipeline(account)
    path = f"{PIPELINES}/{pipeline['pipeline_id']}/stages"
    keel = pipeline["stages"][0]["stage_id"]
    account.post(path, {"name": "Mast"}, status=201)
    account.post(path, {"name": "First", "insert_after": None}, status=201)
    shown = account.post(path, {"name": "Hull", "insert_after": keel}, status=201)["stages"]
    assert [stage["name"] for stage in shown] == ["First", "Keel", "Hull", "Mast", "Won", "Lost"]
    account.put(f"{path}/{keel}", {"name": "Spine", "default_probability": 7})
    deal = _deal(account, pipeline_id=pipeline["pipeline_id"], stage_id=keel)
    assert deal["final_probability"] == 7
    assert account.delete(f"{path}/{keel}") == b""
    stages = account.get(f"{PIPELINES}/{pipeline['pipeline_id']}")["stages"]
    assert [stage["name"] for stage in stages if stage["archived_at"]] == ["Spine"]
    account.get(f"{DEALS}/{deal['deal_id']}")
    account.delete(f"{path}/{stages[-1]['stage_id']}", status=403)
    account.delete(f"{path}/nothing", status=404)
    account.put(f"{path}/{keel}", {"default_probability": 101}, status=409)


def test_lost_reasons_are_added_once(account):
    """The same text again is a 406 in the shape with `error_type`."""
    path = f"{PIPELINES}/{_new_pipeline(account)['pipeline_id']}/lost_reasons"
    reasons = account.post(path, {"reason": "Leaked"}, status=201)["lost_reasons"]
    assert [reason["text"] for reason in reasons] == ["Sank", "Leaked"]
    assert set(account.post(path, {"reason": "Sank"}, status=406)) == {"message", "error_type"}


def test_fields_of_pipelines_live_in_deals(account):
    """A custom field is set by name or id, renamed, moved, and deleted with its values."""
    pipeline = _new_pipeline(account)
    path = f"{PIPELINES}/{pipeline['pipeline_id']}"
    kind = {
        "field_kind": "choice",
        "values": {"values": [{"id": "1", "value": "A"}, {"id": "2", "value": "B"}]},
    }
    body = {"name": "Rig", "field_type": kind, "presentation": None}
    members = account.post(f"{path}/fields", body, status=201)["pipelines_tabs"][0]["members"]
    field_id = members[0]["field"]["field_id"]
    assert account.post(f"{path}/fields", body, status=406)["type"] == "field_name_exists"
    deal = _deal(account, fields_values={"name": [{"value": "x"}], field_id: [{"value": "2"}]})
    assert _value(deal, "Rig") == "2"
    account.put(f"{path}/fields/{field_id}", {"name": "Sails"})
    shown = account.get(f"{DEALS}/{deal['deal_id']}")
    assert (_value(shown, "Sails"), shown["fields_values"][field_id][0]["value"]) == ("2", "2")
    account.delete(f"{path}/fields/{field_id}/choices/2", {"preflight_checks": True}, status=403)
    account.delete(f"{path}/fields/{field_id}/choices/2", {"preflight_checks": False})
    assert "Sails" not in account.get(f"{DEALS}/{deal['deal_id']}")["fields_values_with_names"]
    account.put(f"{DEALS}/{deal['deal_id']}", {"fields_values": {"Sails": [{"value": "1"}]}})
    columns = account.get(f"{DEALS}/column_catalogue")["items"]
    assert [column["id"] for column in columns[1:]] == ["Sails"]
    account.delete(f"{path}/fields/{field_id}", {"preflight_checks": True}, status=403)
    account.delete(f"{path}/fields/{field_id}")
    assert "Sails" not in account.get(f"{DEALS}/{deal['deal_id']}")["fields_values_with_names"]
    account.delete(f"{path}/fields/{field_id}", status=404)


def test_fields_of_pipelines_are_presented_and_named_once(account):
    """A number shows what it is told to; a name that is taken is a 406, and searches know the kind."""
    path = f"{PIPELINES}/{_new_pipeline(account)['pipeline_id']}/fields"
    number = {"field_kind": "number"}
    shown = {"number_type": "percentage", "fraction_digits": 1}
    account.post(path, {"name": "Share", "field_type": number, "presentation": None}, status=409)
    account.post(
        path, {"name": "Share", "field_type": number, "presentation": shown, "group_id": "x"}, status=409
    )
    body = {"name": "Share", "field_type": number, "presentation": shown}
    account.post(path, {**body, "insert_after": "x"}, status=409)
    described = account.post(path, body, status=201)
    field = described["pipelines_tabs"][0]["members"][-1]["field"]
    assert field["presentation"] == shown
    whole = {"number_type": "integer"}
    described = account.put(f"{path}/{field['field_id']}", {"presentation": whole})
    assert described["pipelines_tabs"][0]["members"][-1]["field"]["presentation"] == whole
    assert (
        account.put(f"{path}/{field['field_id']}", {"name": "amount"}, status=406)["type"]
        == "field_name_exists"
    )
    deal = _deal(account, fields_values={"name": [{"value": "x"}], "Share": [{"value": "12.5"}]})
    progress = account.post(f"{DEALS}/tags", {"query": {"Share": {"gt": 12}}, "tags": ["big"]})["push_data"]
    assert progress["total"] == 1
    assert account.get(f"{DEALS}/{deal['deal_id']}")["tags"] == ["big"]


def test_choices_of_pipelines_are_added_and_renamed(account):
    """The id is unique, a label too; the order is the one asked for."""
    pipeline = _new_pipeline(account)
    kind = {"field_kind": "choice", "values": {"values": [{"id": "1", "value": "A"}]}}
    body = {"name": "Rig", "field_type": kind, "presentation": None}
    path = f"{PIPELINES}/{pipeline['pipeline_id']}/fields"
    field = account.post(path, body, status=201)["pipelines_tabs"][0]["members"][0]["field"]
    path = f"{path}/{field['field_id']}/choices"

    def labels() -> list[str]:
        [tab] = account.get(f"{DEALS}/fields")["pipelines_tabs"]
        return [one["value"] for one in tab["members"][0]["field"]["field_type"]["values"]["values"]]

    account.post(path, {"choice": {"id": "2", "value": "B"}, "insert_after": None}, status=201)
    assert labels() == ["B", "A"]
    account.post(path, {"choice": {"id": "2", "value": "C"}}, status=409)
    account.post(path, {"choice": {"id": "3"}}, status=409)
    account.put(f"{path}/2", {"value": "C", "insert_after": "1"})
    assert labels() == ["A", "C"]
    assert account.put(f"{path}/2", {"value": "A"}, status=406)["type"] == "choice_exists"
    account.put(f"{path}/9", {"value": "x"}, status=404)
    account.post(f"{PIPELINES}/{pipeline['pipeline_id']}/fields/x/choices", {"choice": {}}, status=404)


def test_groups_of_pipelines_hold_fields(account):
    """A group comes with fields, is renamed and moved, takes fields in, and goes with them."""
    field = {"name": "Hull", "field_type": STRING, "presentation": NONE}
    pipeline = _new_pipeline(
        account, fields_tab_members=[{"group_name": "A", "fields": [field]}, {**field, "name": "Mast"}]
    )
    path = f"{PIPELINES}/{pipeline['pipeline_id']}"
    first, mast = pipeline["tabs"][0]["members"]
    second = account.post(f"{path}/groups", {"group_name": "B", "insert_after": None}, status=201)
    members = second["pipelines_tabs"][0]["members"]
    assert [member.get("group_name") for member in members] == ["B", "A", None]
    account.put(
        f"{path}/groups/{members[0]['group_id']}", {"group_name": "C", "insert_after": first["group_id"]}
    )
    account.put(
        f"{path}/fields/{mast['field']['field_id']}", {"group_id": first["group_id"], "insert_after": None}
    )
    members = account.get(path)["tabs"][0]["members"]
    assert [member["group_name"] for member in members] == ["A", "C"]
    assert [one["field"]["field_name"] for one in members[0]["fields"]] == ["Mast", "Hull"]
    account.put(f"{path}/fields/{mast['field']['field_id']}", {"group_id": None})
    account.put(f"{path}/fields/{mast['field']['field_id']}", {"insert_after": "x"}, status=409)
    account.put(f"{path}/fields/{mast['field']['field_id']}", {"group_id": "x"}, status=409)
    assert account.delete(f"{path}/groups/{first['group_id']}") == b""
    names = {entry["field"]["field_name"] for entry in account.world.account.deal_fields.values()}
    assert names == {"Mast"}
    account.delete(f"{path}/groups/{first['group_id']}", status=404)
