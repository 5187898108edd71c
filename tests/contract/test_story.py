"""Every operation once, in one story, with each exchange held against the vendor's description."""

from __future__ import annotations

import pytest

from nimble_async._sansio.message import Request, Response
from nimble_async.nimble.catalog import OPERATIONS
from nimble_async.testing import Simulator, World
from tests.contract import deviations
from tests.contract.description import FILE, OUTSIDE, Complaint, description
from tests.testing.asking import Account

V1, V2 = "/api/v1", "/api/v2"


def _tell(account: Account) -> None:
    """Use every operation, and read back what was written."""
    _contacts(account)
    _fields(account)
    _leads(account)
    _deals(account)
    _pipelines(account)
    _messages(account)


def _contacts(account: Account) -> None:
    account.get(f"{V1}/myself")
    account.get(f"{V1}/company/users")
    account.get(f"{V1}/contacts", per_page=3, contexts="leads_data,contact_files", sort="created:asc")
    account.get(f"{V1}/contacts", query={"tag": {"is": "vip"}}, last_contacted="true", files_data="false")
    account.get(f"{V1}/contacts/ids", keyword="lisbon", page=1)
    account.get(f"{V1}/contact", id=f"{account.contact(1)},{account.contact(2)}", meta="true")
    account.get(f"{V1}/contacts/metadata")
    fields = {"first name": [{"value": "Ada"}], "email": [{"value": "ada@example.com", "modifier": "work"}]}
    body = {"fields": fields, "record_type": "person", "tags": "vip,new one", "owner_id": None}
    ada = account.post(f"{V1}/contact", body)["id"]
    account.get(f"{V1}/contact/{ada}", meta="true", leads_data="true")
    change = {"fields": {"phone": [{"value": "1", "modifier": "work"}]}, "is_important": True}
    account.put(f"{V1}/contact/{ada}", change, type="0")
    account.put(f"{V1}/contacts/{ada}/tags", {"tags": ["vip"]})
    spec = {"contact_ids": [ada, account.contact(1)], "note": "<b>Hello</b>", "note_preview": "Hello"}
    note = account.post(f"{V1}/contacts/notes", spec, status=201)["id"]
    chosen = "5f" * 12
    account.post(f"{V1}/contacts/notes/{chosen}", spec, status=201)
    account.get(f"{V1}/contacts/notes/{note}")
    account.put(f"{V1}/contacts/notes/{note}", spec)
    account.post(f"{V1}/contacts/{ada}/notes", {"note": "Third"}, status=201)
    account.get(f"{V1}/contacts/{ada}/notes", page=1, per_page=2)
    account.delete(f"{V1}/contacts/notes/{note}")
    account.get(f"{V1}/contacts/proceedings_providers")
    task = {"subject": "Call", "related": {"contacts": [ada], "deals": [account.deal(1)]}, "tags": ["x"]}
    for due in ("2020-01-01T10:00:00", "2020-01-02T10:00:00"):
        account.post(f"{V1}/tasks", {**task, "due_date": due}, status=201)
    account.get(f"{V1}/contacts/{ada}/proceedings", direction="past", limit=1, types=["task", "contact_note"])
    account.get(f"{V1}/activities", direction="past", limit=1, contacts=f"{ada},{account.contact(1)}")
    account.get(f"{V2}/deals/{account.deal(1)}/overdue", limit=5, types=["task"])
    account.delete(f"{V1}/contact/{ada}", deletion_method="force")
    account.delete(f"{V1}/contacts", query={"_id": {"in": [account.contact(50)]}}, preflight_checks="true")


def _fields(account: Account) -> None:
    base = f"{V1}/contacts/fields"
    account.get(base)
    tab = account.post(
        f"{base}/tabs", {"tab_name": "Mine", "contact_types": ["person"], "insert_after": None}
    )["tab_id"]
    account.put(f"{base}/tabs/{tab}", {"tab_name": "Ours"})
    group = {"name": "Group", "logo_id": "x", "tab_id": tab, "insert_after": None}
    group_id = account.post(f"{base}/groups", group)["members"][0]["group_id"]
    account.put(f"{base}/groups/{group_id}", {"name": "Groups"})
    kind = {
        "field_kind": "choice",
        "values": {"ordering_type": "ordinal", "values": [{"id": "1", "value": "A"}]},
    }
    shown = {"date_format": None, "ignore_specific_time": None}
    field = {"name": "Size", "field_type": kind, "presentation": shown, "tab_id": tab, "group_id": group_id}
    made = account.post(base, {**field, "insert_after": None, "multiples": False})
    field_id = made["members"][0]["fields"][0]["field_id"]
    account.put(f"{base}/{field_id}", {"name": "Sizes"})
    account.post(f"{base}/{field_id}/choices", {"id": "2", "value": "B", "insert_after": "1"})
    account.put(f"{base}/{field_id}/choices/2", {"id": "2", "value": "C"})
    account.delete(f"{base}/{field_id}/choices/2", preflight_checks="true")
    person = account.contact(1)
    fields = account.get(f"{V1}/contact/{person}")["resources"][0]["fields"]
    mark = (
        {"field_id": fields["email"][0]["field_id"], "position": 0}
        if "field_id" in fields["email"][0]
        else None
    )
    emails = account.get(f"{V1}/contacts/metadata")["fields"]["email"][0]["id"]
    account.put(f"{V1}/contact/{person}/field", mark or {"field_id": emails, "position": 0})
    account.delete(f"{V1}/contact/{person}/field", {"field_id": emails, "position": 0})
    account.delete(f"{base}/{field_id}", preflight_checks="false")
    account.delete(f"{base}/groups/{group_id}", preflight_checks="false")
    account.delete(f"{base}/tabs/{tab}", preflight_checks="true")


def _leads(account: Account) -> None:
    [pipeline, _] = account.get(f"{V1}/contacts/pipelines")["pipelines"]
    way = f"{V2}/leads/{account.contact(2)}/{pipeline['pipeline_id']}"
    account.post(f"{way}/move", {"stage_id": pipeline["stages"][0]["stage_id"]})
    account.post(f"{way}/successful", {"notes": "won"})
    account.put(f"{way}/successful", {"actual_exit_date": "2024-01-01", "notes": None})
    account.put(f"{way}/successful", {"actual_exit_date": "soon"}, status=409)
    account.post(f"{way}/undo")
    account.post(f"{way}/unsuccessful", {"lost_reason": "No budget"})
    account.put(f"{way}/unsuccessful", {"lost_reason": None})
    account.get(f"{V1}/contact/{account.contact(2)}", contexts="leads_data")
    account.delete(way)


def _deals(account: Account) -> None:
    account.get(f"{V2}/deals", sort="name:asc", limit=5)
    account.get(f"{V2}/deals/widget/won_last_month")
    account.get(f"{V2}/deals/column_catalogue")
    account.get(f"{V2}/deals/fields")
    pipeline = account.get(f"{V2}/deals/pipelines")["pipelines"][0]
    body = {
        "fields_values": {"deal_name": [{"value": "Boat"}], "amount": [{"value": "12.50"}]},
        "pipeline_id": pipeline["pipeline_id"],
        "stage_id": pipeline["stages"][0]["stage_id"],
        "currency": "EUR",
        "related_contacts": [{"contact_id": account.contact(1), "note": None}],
        "tags": ["vip"],
    }
    deal = account.post(f"{V2}/deals", body)["deal_id"]
    path = f"{V2}/deals/{deal}"
    account.put(path, {"stage_id": pipeline["stages"][4]["stage_id"], "tags": ["vip", "boat"]})
    account.get(path)
    account.get(f"{V2}/deals/tags", starts_with="v", limit=3)
    query = {"deal_name": {"contain": "boat"}}
    account.post(f"{V2}/deals/tags", {"query": query, "tags": ["fleet"], "preflight_checks": True})
    account.put("/api/2/deals/tags/fleet", {"new_tag": "navy"})
    account.delete("/api/2/deals/tags/navy", {"preflight_checks": False})
    data_id = account.post("/api/files/azure/upload", b"bytes")["data_id"]
    account.post(f"{path}/files", {"metadata": {"source": "uploaded_azure", "data_id": data_id}}, status=201)
    linked = {
        "source": "dropbox",
        "file_url": "https://x.example.com/f",
        "icon_url": "https://x.example.com/i",
    }
    account.post(f"{path}/files", {"metadata": linked, "file_name": "f", "file_size": 3}, status=201)
    file = account.get(path)["files"][0]["file_id"]
    account.put(f"{path}/files/{file}", {"new_file_name": "plan.pdf"})
    account.get(f"{path}/files/{file}/url")
    account.delete(f"{path}/files/{file}")
    note = account.post(f"{path}/notes", {"title": "T", "body": "b"}, status=201)["note_id"]
    account.put(f"{path}/notes/{note}", {"body": None})
    account.delete(f"{path}/notes/{note}")
    account.delete(path)


def _pipelines(account: Account) -> None:
    base = f"{V2}/deals/pipelines"
    shown = {"date_format": None, "ignore_specific_time": None}
    field = {"name": "Hull", "field_type": {"field_kind": "string"}, "presentation": shown}
    body = {
        "name": "Boats",
        "description": "",
        "color": "#123456",
        "lost_reasons": ["Sank"],
        "stages": [{"name": "Keel", "default_probability": 5, "expected_days": 3}],
        "fields_tab_members": [{"group_name": "Body", "fields": [field]}, {**field, "name": "Mast"}],
        "default_currency": "EUR",
    }
    made = account.post(base, body, status=201)
    path = f"{base}/{made['pipeline_id']}"
    account.get(path)
    account.put(path, {"name": "Ships"})
    account.get(f"{base}/{account.get(base)['pipelines'][0]['pipeline_id']}/deals", sort="name:asc", limit=2)
    first = account.get(base)["pipelines"][0]["pipeline_id"]
    account.get(f"{base}/{first}/owners", sort="name:asc", limit=2, query={"amount": {"gt": 0}})
    account.post(f"{path}/archive")
    account.post(f"{path}/unarchive")
    account.post(f"{path}/lost_reasons", {"reason": "Leaked"}, status=201)
    stage = account.post(f"{path}/stages", {"name": "Sails", "default_probability": 50}, status=201)[
        "stages"
    ][1]
    account.put(f"{path}/stages/{stage['stage_id']}", {"expected_days": 9})
    account.delete(f"{path}/stages/{stage['stage_id']}")
    kind = {
        "field_kind": "choice",
        "values": {"ordering_type": "ordinal", "values": [{"id": "1", "value": "A"}]},
    }
    account.post(f"{path}/fields", {**field, "name": "Rig", "field_type": kind}, status=201)
    tab = account.get(path)["tabs"][0]
    rig = next(
        one["field"]["field_id"] for one in tab["members"] if one.get("field", {}).get("field_name") == "Rig"
    )
    account.put(f"{path}/fields/{rig}", {"name": "Rigs"})
    account.post(f"{path}/fields/{rig}/choices", {"choice": {"id": "2", "value": "B"}}, status=201)
    account.put(f"{path}/fields/{rig}/choices/2", {"value": "C"})
    account.delete(f"{path}/fields/{rig}/choices/2", {"preflight_checks": True})
    account.delete(f"{path}/fields/{rig}", {"preflight_checks": False})
    group = {"group_name": "Crew", "logo_id": "x", "insert_after": None}
    account.post(f"{path}/groups", group, status=201)
    group_id = account.get(path)["tabs"][0]["members"][0]["group_id"]
    account.put(f"{path}/groups/{group_id}", {"group_name": "Crews"})
    account.delete(f"{path}/groups/{group_id}")
    account.delete(path)


def _messages(account: Account) -> None:
    person = {"account_type": "email", "identifier": "ada@example.com"}
    draft = {
        "recipients": [person],
        "subject": "Hi",
        "body": None,
        "sender": person,
        "content_mode": "standard",
    }
    account.post(f"{V1}/messages/drafts", draft)
    account.get(f"{V1}/messages/drafts", page=0, per_page=5, recipients="ada@example.com")


def _refusals(account: Account) -> None:
    """Be refused in each way that the vendor documents."""
    nobody = "0" * 24
    account.get(f"{V1}/contacts", sort="x", status=409)
    account.post(f"{V1}/contact", {"fields": {}, "record_type": "person"}, status=409)
    account.delete(f"{V1}/contact/{nobody}", status=404)
    account.put(f"{V1}/contacts/{nobody}/tags", {"tags": []}, status=404)
    account.post(f"{V2}/leads/{nobody}/{nobody}/undo", status=404)
    account.get(f"{V2}/deals/{nobody}", status=404)
    account.put("/api/2/deals/tags/nothing", {"new_tag": "x"}, status=406)
    account.delete("/api/2/deals/tags/vip", {"preflight_checks": True}, status=406)
    account.get(f"{V2}/deals", status=409)
    account.put(f"{V2}/deals/{nobody}", {}, status=404)
    path = f"{V2}/deals/pipelines/{account.get(f'{V2}/deals/pipelines')['pipelines'][0]['pipeline_id']}"
    account.post(f"{path}/lost_reasons", {"reason": "Price"}, status=406)
    account.delete(path, status=403)


def _unforeseen(account: Account) -> None:
    """Ask and answer what the documents tell of and the description does not, or not so."""
    nobody = "0" * 24
    first = account.contact(1)
    account.get(f"{V1}/contact", id=",".join(account.contact(number) for number in range(31)), status=409)
    account.get(f"{V1}/contact/{first}", contexts="last_contacted_data")
    account.get(f"{V1}/contacts", per_page=3, tags=0, last_contacted="false")
    account.put(f"{V1}/contact/{first}", {"fields": {"phone": [{"value": "4"}]}}, replace=1)
    both = {"tab_name": "Both", "contact_types": ["person", "company"], "insert_after": None}
    tab = account.post(f"{V1}/contacts/fields/tabs", both)["tab_id"]
    field = {"name": "Yes", "field_type": {"field_kind": "boolean"}, "presentation": None}
    place = {"tab_id": tab, "group_id": None, "insert_after": None}
    [made] = account.post(f"{V1}/contacts/fields", {**field, **place})["members"]
    account.delete(f"{V1}/contacts/fields/{made['field_id']}", {"preflight_checks": False})
    account.post(f"{V1}/messages/drafts", {"recipients": [{"identifier": "x"}]}, status=409)
    account.get(f"{V1}/messages/drafts", page=-1, status=409)
    _unforeseen_deals(account, nobody)


def _unforeseen_deals(account: Account, nobody: str) -> None:
    deal, base = f"{V2}/deals/{account.deal(1)}", f"{V2}/deals/pipelines"
    first = account.get(base)["pipelines"][0]
    account.put(deal, {"fields_values": {"deal_name": [{"value": "Ship"}]}})
    account.get(f"{V2}/deals", sort="name:asc", limit=5, page=2)
    account.get(f"{V2}/deals/{nobody}/overdue", status=404)
    upload = {"metadata": {"source": "uploaded_azure", "data_id": "x"}}
    account.post(f"{deal}/files", upload, status=404)
    account.post(f"{deal}/files", {"metadata": {"source": "floppy"}}, status=409)
    link = {"source": "dropbox", "file_url": "https://x.example.com/f", "icon_url": "https://x.example.com/i"}
    account.post(f"{deal}/files", {"metadata": link, "file_name": "f", "file_size": 3}, status=201)
    file = account.get(deal)["files"][-1]["file_id"]
    account.put(f"{deal}/files/{file}", {"new_file_name": "x.pdf"}, status=409)
    for by in ("deals", "owners"):
        account.get(f"{base}/{nobody}/{by}", sort="name:asc", status=404)
        account.get(f"{base}/{first['pipeline_id']}/{by}", status=409)
    further = account.get(f"{base}/{first['pipeline_id']}/owners", sort="name:asc", limit=1)["groups"]
    account.get(next(row["meta"]["next_page_url"] for row in further if row["meta"]["next_page_url"]))
    account.delete(f"{base}/{nobody}", status=404)
    stages = f"{base}/{first['pipeline_id']}/stages"
    account.post(stages, {"name": "Mast", "insert_after": None}, status=201)
    last = account.get(f"{base}/{first['pipeline_id']}")["stages"][-1]["stage_id"]
    account.delete(f"{stages}/{last}", status=403)
    account.delete(f"{stages}/nothing", status=404)
    shown = {"number_type": "percentage", "fraction_digits": 1}
    share = {"name": "Share", "field_type": {"field_kind": "number"}, "presentation": shown}
    account.post(f"{base}/{first['pipeline_id']}/fields", share, status=201)
    hidden = {
        "fields_values": {"deal_name": [{"value": "Raft"}]},
        "pipeline_id": first["pipeline_id"],
        "stage_id": first["stages"][0]["stage_id"],
        "owner_id": "60d5c0de0000000000b00001",
    }
    others: dict[str, list[str]] = {"user_ids": [], "group_ids": []}
    account.post(f"{V2}/deals", {**hidden, "privacy": {"read": others, "edit": None}})
    account.post(f"{V2}/deals", {**hidden, "privacy": {"read": None, "edit": others}})
    account.post(f"{V2}/deals/tags", {"query": {"name": {"is": "Raft"}}, "tags": ["x"]})
    account.delete("/api/2/deals/tags/nothing", status=406)


@pytest.fixture
def told() -> tuple[set[str], list[Complaint]]:
    """Tell the story, and return the operations that were used and what the description says against it."""
    used: set[str] = set()
    complaints: list[Complaint] = []

    def judge(operation: str, request: Request, response: Response) -> None:
        used.add(operation)
        if FILE.exists():
            complaints.extend(description().complaints(operation, request, response))

    account = Account(Simulator(World(contacts=60, deals=40, seed=5, hidden_deals=0), watch=judge))
    _tell(account)
    _refusals(account)
    _unforeseen(account)
    return used, complaints


def test_the_story_leaves_no_operation_out(told):
    """Every operation of the table is used, and answers 2xx with the documented status."""
    used, _ = told
    assert used == set(OPERATIONS)


@pytest.mark.skipif(not FILE.exists(), reason="the vendor's description is not at hand")
def test_every_exchange_is_as_described_but_for_known_deviations(told):
    """Requests and answers fit the description, except in the listed places; each of these occurs."""
    _, complaints = told
    found = {complaint.key: complaint for complaint in complaints}
    assert [complaint for key, complaint in found.items() if key not in deviations.KNOWN] == []
    assert deviations.KNOWN.keys() - found.keys() == set()


@pytest.mark.skipif(not FILE.exists(), reason="the vendor's description is not at hand")
def test_four_operations_are_outside_the_description():
    """The description has 89 operations; four of the catalogue's 93 are not among them."""
    described = {(method, path) for method, path in description().operations}
    assert len(described) == 89
    inside = {name for name, facts in OPERATIONS.items() if (facts.method, facts.path) in described}
    assert set(OPERATIONS) - inside == OUTSIDE - {"oauth.authorize", "oauth.token"}
    assert len(inside) == 89
