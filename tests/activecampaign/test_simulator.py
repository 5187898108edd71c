"""The simulated ActiveCampaign: every operation, in the shapes and with the bad habits that are known."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from msgspec import Struct

from nimble_async._sansio.message import Request
from nimble_async.activecampaign.catalog import OPERATIONS
from nimble_async.config import RateLimit
from nimble_async.testing import Drift, Fault, Rates, SimulateOptions, Simulator
from nimble_async.testing.activecampaign.answers import unsettled
from nimble_async.testing.activecampaign.vendor import HANDLERS
from nimble_async.testing.activecampaign.world import DealsWorld
from nimble_async.testing.call import Behaviour
from nimble_async.testing.herd import NumberedHerd
from nimble_async.testing.options import build


class Asked(Struct):
    """An answer; `body` is its JSON whatever it calls itself, or None where it is empty."""

    status: int
    headers: dict[str, str]
    body: Any


Ask = Callable[..., Asked]


@pytest.fixture
def simulated() -> Simulator:
    """An account at rest, without a limit."""
    return Simulator(DealsWorld(contacts=30, deals=260, seed=5), crm="activecampaign")


@pytest.fixture
def ask(simulated: Simulator) -> Ask:
    """Give a function that asks it one question at a time."""
    return asker(simulated)


def asker(simulated: Simulator) -> Ask:
    """Return a function that asks: method and path behind /api/3, then body, query and instant."""

    def ask(method: str, path: str, body: object = None, *, now: float = 0.0, key: str | None = None,
            **query: object) -> Asked:  # fmt: skip
        text = f"?{urlencode(query, quote_via=quote)}" if query else ""
        headers = {"Api-Token": simulated.api_key if key is None else key}
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        request = Request(method=method, url=f"http://x/api/3{path}{text}", headers=headers, body=data)
        reply = simulated.handle(request, now)
        simulated.finish(reply, now)
        answer = reply.response
        return Asked(answer.status, dict(answer.headers), json.loads(answer.body) if answer.body else None)

    return ask


# ------------------------------------------------------------------------------ the table and the door


def test_every_operation_of_the_table_is_answered(simulated, ask):
    """54 of 54 have a handler, none beyond the table, and each answers with a documented status."""
    assert set(HANDLERS) == set(OPERATIONS)
    assert len(HANDLERS) == 54
    for operation in OPERATIONS.values():
        path = re.sub(r"\{\w+\}", "1", operation.path.removeprefix("/api/3"))
        answer = ask(operation.method, path, {} if operation.method in {"POST", "PUT", "PATCH"} else None)
        assert answer.status in {200, 201, 400, 403, 404, 422}
        assert simulated.calls(operation.name) == 1


@pytest.mark.parametrize("path", ["/nothing", "/deals/1/nothing", "/contacts"])
def test_what_is_in_no_table_is_404(ask, path):
    """Other routes of the vendor are not simulated."""
    assert ask("GET", path).status == 404


def test_a_known_path_with_another_method_is_405(ask):
    """The path is there, the method is not; PATCH is a method too."""
    assert ask("PATCH", "/deals").status == 405
    assert ask("POST", "/deals/bulkUpdate").status == 405


def test_static_segments_come_before_ids(simulated, ask):
    """bulkUpdate is no deal's id."""
    ask("PATCH", "/deals/bulkUpdate", {"deals": []})
    assert (simulated.calls("deals.update_owners"), simulated.calls("deals.get")) == (1, 0)


def test_a_wrong_or_missing_key_is_403(simulated, ask):
    """The vendor hardly uses 401; a bearer is no key here, and there is no token server."""
    assert ask("GET", "/users/me", key="wrong").status == 403
    assert ask("GET", "/users/me", key="").status == 403
    bearer = {"authorization": f"Bearer {simulated.api_key}"}
    refused = simulated.handle(Request(method="GET", url="http://x/api/3/users/me", headers=bearer), 0.0)
    assert refused.response.status == 403
    token = Request(method="POST", url="http://x/api/oauth/token", headers={}, body=b"")
    assert simulated.handle(token, 0.0).response.status == 404
    assert ask("GET", "/users/me").body["user"]["id"] == "1"


def test_the_limit_is_five_a_second_announced_without_a_reset():
    """Unless told: 5/s, RateLimit-Limit and -Remaining in each answer, Retry-After in a refusal."""
    ask = asker(build(SimulateOptions(crm="activecampaign", contacts=5, deals=5)))
    answers = [ask("GET", "/users/me") for _ in range(6)]
    assert [answer.status for answer in answers] == [200] * 5 + [429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["4", "3", "2", "1", "0", "0"]
    assert {answer.headers["ratelimit-limit"] for answer in answers} == {"5"}
    assert not any("ratelimit-reset" in answer.headers for answer in answers)
    assert [answer.headers.get("retry-after") for answer in answers] == [None] * 5 + ["1"]


def test_options_describe_an_account():
    """A rate of one's own, drift, faults and latency work as for Nimble."""
    simulated = build(SimulateOptions(crm="activecampaign", deals=50, contacts=5, rate="2/1s", drift="1/s"))
    assert isinstance(simulated.world, DealsWorld)
    assert simulated.rates is not None
    assert (simulated.rates.rule.limit, simulated.world.drift) == (2.0, Drift.even(1.0))
    simulated.script([Fault(kind="status", status=503, nth=1)])
    assert asker(simulated)("GET", "/users/me").status == 503
    assert Simulator(crm="activecampaign").world.deals.id_of(0) == "1"
    assert Rates.named(RateLimit(5), announce="no-reset").announce == "no-reset"


# ------------------------------------------------------------------------------ lists


def ids_of(ask: Ask, size: int, count: int, **query: object) -> list[str]:
    """Walk by offsets, and return the ids of all pages."""
    pages = [ask("GET", "/deals", limit=size, offset=offset, **query) for offset in range(0, count, size)]
    return [deal["id"] for page in pages for deal in page.body["deals"]]


def test_deals_without_an_order_overlap_and_lose_rows(ask):
    """As many rows as the total, and fewer distinct ids: a few per cent are missing."""
    found = ids_of(ask, 20, 260)
    assert len(found) == 260
    assert 200 < len(set(found)) < 258


def test_deals_in_the_order_of_their_ids_are_all_there(ask):
    """orders[id]=ASC cures it, and percent-encoded brackets are fine."""
    found = ids_of(ask, 20, 260, **{"orders[id]": "ASC"})
    assert found == sorted(set(found), key=int)
    assert len(found) == 260


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ({}, 20),
        ({"limit": 100}, 100),
        ({"limit": 1000}, 100),
        ({"limit": 0}, 20),
        ({"limit": 7, "offset": 257}, 3),
        ({"offset": 260}, 0),
    ],
)
def test_pages_hold_twenty_rows_unless_told_and_a_hundred_at_most(ask, query, rows):
    """The total is a number here, whatever the page."""
    body = ask("GET", "/deals", **query).body
    assert (len(body["deals"]), body["meta"]["total"]) == (rows, 260)


@pytest.mark.parametrize("query", [{"limit": "many"}, {"offset": "-1"}, {"filters[stages]": "1"},
                                   {"orders[colour]": "ASC"}, {"orders[id]": "UP"},
                                   {"filters[created_after]": "soon"}])  # fmt: skip
def test_what_is_not_understood_is_an_empty_400(ask, query):
    """No number, no such filter, no such order, no such day."""
    answer = ask("GET", "/deals", **query)
    assert (answer.status, answer.body) == (400, {})


def test_unsettled_pages_hold_what_was_asked_for(simulated):
    """Each answer has as many rows as are there, without a double inside one page."""
    import random

    for offset in (0, 1, 15, 16, 17, 95, 99, 100):
        page = unsettled(100, offset, 20, random.Random(offset))
        assert len(page) == min(20, max(0, 100 - offset)) == len(set(page))


@pytest.mark.parametrize(
    ("filters", "holds"),
    [
        ({"stage": "2"}, lambda deal: deal["stage"] == "2"),
        ({"status": "0", "owner": "3"}, lambda deal: (deal["status"], deal["owner"]) == ("0", "3")),
        ({"title": "AUDIT"}, lambda deal: "Audit" in deal["title"]),
        ({"search": "audit"}, lambda deal: "Audit" in deal["title"]),
        ({"minimum_value": "30000"}, lambda deal: int(deal["value"]) >= 3_000_000),
        ({"maximum_value": "10000"}, lambda deal: int(deal["value"]) <= 1_000_000),
        ({"created_before": "2020-06-01"}, lambda deal: deal["cdate"] < "2020-06-01"),
        ({"created_after": "2020-06-01"}, lambda deal: deal["cdate"] >= "2020-06-01"),
        ({"updated_after": "2020-06-01"}, lambda deal: deal["mdate"] >= "2020-06-01"),
    ],
)
def test_deals_are_filtered(ask, filters, holds):
    """Values of filters are whole dollars where a deal's are cents; a day begins in the account's zone."""
    query = {f"filters[{name}]": value for name, value in {**filters, "group": "1"}.items()}
    found = ask("GET", "/deals", limit=100, **query).body
    order = {"orders[id]": "ASC", "limit": 100}
    pages = [ask("GET", "/deals", offset=offset, **order).body["deals"] for offset in (0, 100, 200)]
    visible = [deal for page in pages for deal in page if deal.get("group") == "1"]
    wanted = {deal["id"] for deal in visible if holds(deal)}
    assert 0 < found["meta"]["total"] == len(wanted) < len(visible)
    assert {deal["id"] for deal in found["deals"]} == wanted


def test_orders_apply_in_their_order(ask):
    """The first is the strongest, DESC turns one around, and ties go by id."""
    query = {"limit": 100, "filters[group]": "1", "orders[value]": "DESC", "orders[id]": "ASC"}
    found = [(-int(deal["value"]), int(deal["id"])) for deal in ask("GET", "/deals", **query).body["deals"]]
    assert found == sorted(found)
    titles = [
        deal["title"].lower() for deal in ask("GET", "/deals", **{"orders[title]": "ASC"}).body["deals"]
    ]
    assert titles == sorted(titles)


def test_side_loads_come_as_lists_of_their_own_and_values_as_columns(ask):
    """include=a,b: beside the deals; a value's column is that of its type."""
    query = {"include": "dealCustomFieldData,contact,stage.nothing,group", "orders[id]": "ASC", "limit": 50}
    body = ask("GET", "/deals", **query).body
    assert {"dealCustomFieldData", "contacts", "dealStages", "dealGroups", "deals", "meta"} == set(body)
    columns = {
        name for value in body["dealCustomFieldData"] for name, content in value.items()
        if name.startswith("custom_field_") and content is not None
    }  # fmt: skip
    kinds = ("text_value", "date_value", "number_value", "currency_value", "text_blob")
    assert {f"custom_field_{kind}" for kind in ("id", *kinds)} <= columns
    shown = {deal["id"] for deal in body["deals"] if "group" in deal}
    assert {value["deal_id"] for value in body["dealCustomFieldData"]} <= shown
    assert not any("fieldValue" in value for value in body["dealCustomFieldData"])


@pytest.mark.parametrize(
    ("name", "total"),
    [
        ("contactDeals", str),
        ("dealActivities", str),
        ("dealCustomFieldData", None),
        ("dealCustomFieldMeta", None),
        ("dealGroups", str),
        ("dealRoles", str),
        ("dealStages", str),
        ("dealTasks", str),
        ("dealTasktypes", str),
        ("deals", int),
    ],
)
def test_totals_are_texts_numbers_or_missing(ask, name, total):
    """meta.total is a number for deals alone; two lists have no meta."""
    body = ask("GET", f"/{name}", limit=2).body
    assert 1 <= len(body[name]) <= 2
    assert ("meta" in body) is (total is not None)
    if total is not None:
        assert type(body["meta"]["total"]) is total


def test_filters_of_the_other_lists(ask):
    """Three spellings of one idea, and parameters that stand outside the filters."""
    stages = ask("GET", "/dealStages", **{"filters[d_groupid]": "2"}).body["dealStages"]
    assert {stage["group"] for stage in stages} == {"2"}
    values = ask("GET", "/dealCustomFieldData", **{"filters[dealId]": "3"}).body["dealCustomFieldData"]
    assert {value["dealId"] for value in values} == {3}
    assert len(ask("GET", "/dealRoles", search="deci").body["dealRoles"]) == 1
    log = ask("GET", "/dealActivities", deal="3", exclude="email").body["dealActivities"]
    assert {line["deal"] for line in log} == {"3"}
    assert ask("GET", "/dealActivities", **{"filters[data_type]": "task"}).body["meta"]["total"] == "0"
    tasks = ask("GET", "/dealTasks", **{"filters[relid]": "3", "filters[reltype]": "Deal"}).body["dealTasks"]
    assert [task["relid"] for task in tasks] == ["3"]
    due = tasks[0]["duedate"]
    found = {
        "due_before": (due, 0),
        "due_after": (due[:10], 1),
        "duedate": (due[:10], 1),
        "title": ("call", 1),
    }
    found["duedate_range"] = (f"{due[:10]}+9999-12-31", 1)
    for name, (value, count) in found.items():
        query = {"filters[relid]": "3", f"filters[{name}]": value}
        assert ask("GET", "/dealTasks", **query).body["meta"]["total"] == str(count)
    pipelines = ask("GET", "/dealGroups", **{"filters[title]": "NEW B", "filters[have_stages]": "1"}).body
    assert [group["title"] for group in pipelines["dealGroups"]] == ["New business"]
    assert next(iter(pipelines)) == "dealStages"
    ordered = ask("GET", "/dealStages", **{"orders[title]": "DESC"}).body["dealStages"]
    assert [row["title"] for row in ordered] == sorted((row["title"] for row in ordered), reverse=True)


# ------------------------------------------------------------------------------ deals


DEAL = {"title": "Roof", "value": 12_345, "currency": "USD", "stage": "2", "contact": 3}


def test_a_deal_is_made_changed_and_ended(simulated, ask):
    """The echo has numbers where numbers were sent, a read has texts; the end has no body."""
    made = ask("POST", "/deals", {"deal": {**DEAL, "fields": [{"customFieldId": 1, "fieldValue": "x"}]}})
    assert made.status == 201
    assert (made.body["deal"]["value"], made.body["deal"]["contact"]) == (12_345, 3)
    assert {"contacts", "deal", "dealStages"} == set(made.body)
    id_ = made.body["deal"]["id"]
    read = ask("GET", f"/deals/{id_}").body["deal"]
    assert (read["value"], read["contact"], read["group"], read["currency"]) == ("12345", "3", "1", "usd")
    values = ask("GET", "/dealCustomFieldData", **{"filters[dealId]": id_}).body["dealCustomFieldData"]
    assert [value["fieldValue"] for value in values] == ["x"]
    changed = {"title": "Wall", "group": "2", "fields": [{"customFieldId": 1, "fieldValue": "y"}]}
    assert ask("PUT", f"/deals/{id_}", {"deal": changed}, now=9.0).body["deal"]["title"] == "Wall"
    read = ask("GET", f"/deals/{id_}").body["deal"]
    assert (read["title"], read["group"], read["stage"]) == ("Wall", "2", "4")
    assert read["mdate"] > read["cdate"]
    assert ask("GET", "/dealActivities", deal=id_).body["dealActivities"][0]["dataOldval"] == "Roof"
    listed = ask("GET", "/deals", **{"filters[title]": "wall", "orders[id]": "ASC"}).body["deals"]
    assert [deal["id"] for deal in listed] == [id_]
    gone = ask("DELETE", f"/deals/{id_}")
    assert (gone.status, gone.body) == (200, None)
    assert ask("GET", f"/deals/{id_}").status == 404
    assert (ask("DELETE", f"/deals/{id_}").status, id_ in simulated.world.deals.ids()) == (400, False)


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"title": ""}, "field_missing", "title"),
        ({"stage": None}, "field_missing", "stage"),
        ({"contact": None}, "field_missing", "contact,account"),
        ({"stage": "99"}, "related_missing", "stage"),
        ({"stage": None, "group": "99"}, "related_missing", "group"),
        ({"value": "1.5"}, "field_invalid", "value"),
    ],
)
def test_a_deal_that_lacks_something_is_422(ask, changes, code, pointer):
    """A title, a code and a pointer say what."""
    answer = ask("POST", "/deals", {"deal": {**DEAL, **changes}})
    [error] = answer.body["errors"]
    assert (answer.status, error["code"], error["source"]["pointer"]) == (
        422, code, f"/data/attributes/{pointer}")  # fmt: skip


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"title": "x"}', b'{"deal": "x"}'])
def test_a_body_outside_of_its_envelope_is_400(ask, body):
    """No JSON, or not under the name that the route wants."""
    assert ask("POST", "/deals", body).status == 400


def test_a_deal_of_an_invisible_pipeline_is_a_stub_with_status_200(simulated, ask):
    """id, title and isDisabled, alone and in lists."""
    serial = next(serial for serial in simulated.world.deals.listed if simulated.world.hidden(serial))
    id_ = simulated.world.deals.id_of(serial)
    stub = ask("GET", f"/deals/{id_}").body["deal"]
    assert stub == {"id": id_, "title": stub["title"], "isDisabled": True}
    assert stub in ask("GET", "/deals", limit=100, **{"orders[id]": "ASC"}).body["deals"]


def test_owners_are_changed_in_bulk(simulated, ask):
    """Each id stands in one of three lists; an unknown owner is a 422 for all."""
    visible = [serial for serial in simulated.world.deals.listed if not simulated.world.hidden(serial)]
    first, second = (simulated.world.deals.id_of(serial) for serial in visible[:2])
    owner = ask("GET", f"/deals/{second}").body["deal"]["owner"]
    other = "1" if ask("GET", f"/deals/{first}").body["deal"]["owner"] != "1" else "2"
    rows = [
        {"id": first, "ownerId": other},
        {"id": second, "ownerId": owner},
        {"id": "999999", "ownerId": "1"},
    ]
    answer = ask("PATCH", "/deals/bulkUpdate", {"deals": rows})
    assert answer.body == {"success": [first], "nochange": [second], "failed": ["999999"]}
    assert ask("GET", f"/deals/{first}").body["deal"]["owner"] == other
    refused = ask("PATCH", "/deals/bulkUpdate", {"deals": [{"id": first, "ownerId": "77"}]})
    assert (refused.status, refused.body["errors"][0]["code"]) == (422, 422)


def test_notes_are_written_and_changed(ask):
    """201 for a new one; one of another deal is not found."""
    note = ask("POST", "/deals/1/notes", {"note": {"note": "Hello"}})
    assert (note.status, note.body["note"]["relid"]) == (201, "1")
    path = f"/notes/{note.body['note']['id']}"
    assert ask("PUT", f"/deals/1{path}", {"note": {"note": "Bye"}}).body["note"]["note"] == "Bye"
    assert ask("PUT", f"/deals/2{path}", {"note": {"note": "Bye"}}).status == 404
    assert ask("POST", "/deals/999999/notes", {"note": {"note": "x"}}).status == 404


def test_deals_of_a_contact_come_in_one_answer(simulated, ask):
    """The primary contact's deals, without meta; links come as three lists with two members more."""
    deal = next(deal for deal in ask("GET", "/deals").body["deals"] if "contact" in deal)
    found = ask("GET", f"/contacts/{deal['contact']}/deals").body
    assert set(found) == {"deals"}
    assert deal["id"] in {row["id"] for row in found["deals"]}
    link = ask("GET", "/contactDeals").body["contactDeals"][0]
    links = ask("GET", f"/contacts/{link['contact']}/contactDeals").body
    assert list(links) == ["contacts", "deals", "contactDeals"]
    assert all("created_timestamp" in row for row in links["contactDeals"])
    assert (
        ask("GET", "/contacts/99999/deals").status == ask("GET", "/contacts/99999/contactDeals").status == 404
    )


# ------------------------------------------------------------------------------ what hangs on deals


def test_secondary_contacts(ask):
    """A pair once; ids come back as they were sent; some refusals are JSON that calls itself text."""
    made = ask("POST", "/contactDeals", {"contactDeal": {"deal": 2, "contact": 29}})
    assert (made.status, made.body["contactDeal"]["deal"]) == (200, 2)
    path = f"/contactDeals/{made.body['contactDeal']['id']}"
    assert ask("GET", path).body["contactDeal"]["deal"] == "2"
    again = ask("POST", "/contactDeals", {"contactDeal": {"deal": "2", "contact": "29"}})
    assert (again.status, again.body["errors"][0]["code"]) == (422, "field_invalid")
    assert (
        ask("POST", "/contactDeals", {"contactDeal": {"deal": 2}}).body["errors"][0]["code"]
        == "field_missing"
    )
    assert ask("PUT", path, {"contactDeal": {"role": 1}}).body["contactDeal"]["role"] == 1
    for sent in ({"role": 99}, {"deal": 99_999}):
        refused = ask("PUT", path, {"contactDeal": sent})
        assert (refused.status, refused.headers["content-type"].partition(";")[0]) == (422, "text/plain")
        assert refused.body["errors"][0]["code"] == "related_missing"
    assert (ask("DELETE", path).body, ask("GET", path).status) == ({}, 404)
    missing = ask("PUT", path, {"contactDeal": {}})
    assert missing.headers["content-type"].startswith("text/plain")
    assert missing.body["message"].startswith("No Result found for SubscriberDeal")


def test_pipelines_and_stages(simulated, ask):
    """A new pipeline has three stages; ending one ends its stages and deals."""
    made = ask("POST", "/dealGroups", {"dealGroup": {"title": "New", "currency": "eur", "users": ["1"]}})
    assert (made.status, len(made.body["dealStages"]), made.body["dealGroup"]["allusers"]) == (200, 3, 0)
    id_ = made.body["dealGroup"]["id"]
    assert ask("POST", "/dealGroups", {"dealGroup": {"title": "New"}}).status == 422
    renamed = ask("PUT", f"/dealGroups/{id_}", {"dealGroup": {"title": "Newer", "allusers": 1}}).body
    assert (renamed["dealGroup"]["title"], renamed["dealGroup"]["allusers"]) == ("Newer", 1)
    assert ask("GET", f"/dealGroups/{id_}").body["dealGroup"]["allusers"] == "1"
    stage = ask("POST", "/dealStages", {"dealStage": {"title": "Last", "group": id_, "width": 300}}).body[
        "dealStage"
    ]
    assert (stage["order"], stage["width"]) == (4, 300)
    ask("PUT", f"/dealStages/{stage['id']}", {"dealStage": {"order": 1}}, reorder="1")
    found = ask("GET", "/dealStages", **{"filters[d_groupid]": id_}).body["dealStages"]
    assert min((row["order"], row["title"]) for row in found) == ("1", "Last")
    assert sorted(row["order"] for row in found) == ["1", "2", "3", "4"]
    for sent in ({"title": "x"}, {"title": "x", "group": "99"}):
        assert ask("POST", "/dealStages", {"dealStage": sent}).status == 422
    deal = ask("POST", "/deals", {"deal": {**DEAL, "stage": stage["id"]}}).body["deal"]["id"]
    assert ask("DELETE", f"/dealGroups/{id_}").body is None
    assert [ask("GET", path).status for path in (
        f"/dealGroups/{id_}", f"/dealStages/{stage['id']}", f"/deals/{deal}")] == [404, 404, 404]  # fmt: skip
    before = len(simulated.world.deals)
    assert ask("DELETE", "/dealStages/1").body is None
    assert len(simulated.world.deals) < before


def test_all_deals_of_a_stage_move_within_their_pipeline(ask):
    """All or nothing, and a stage of another pipeline is a 422 of its own shape."""
    before = ask("GET", "/deals", **{"filters[stage]": "1"}).body["meta"]["total"]
    moved = ask("PUT", "/dealStages/1/deals", {"deal": {"stage": "2"}})
    assert {deal["stage"] for deal in moved.body["deals"]} == {"2"}
    assert len(moved.body["deals"]) == before > 0
    refused = ask("PUT", "/dealStages/2/deals", {"deal": {"stage": "4"}})
    assert (refused.status, refused.body["errors"][0]["status"]) == (422, 422)


def test_custom_fields_and_their_values(ask):
    """Irregular envelopes; values as lists are read between bars; complaints have a detail and no more."""
    sent = {"fieldLabel": "Colour", "fieldType": "dropdown", "fieldOptions": ["red"], "isRequired": True}
    made = ask("POST", "/dealCustomFieldMeta", {"dealCustomFieldMetum": sent}).body["dealCustomFieldMetum"]
    assert (made["fieldOptions"], made["isRequired"]) == (["red"], 1)
    path = f"/dealCustomFieldMeta/{made['id']}"
    ask("PUT", path, {"dealCustomFieldMetum": {"fieldLabel": "Hue", "fieldType": "text"}})
    assert (ask("GET", path).body["dealCustomFieldMetum"]["fieldType"]) == "dropdown"
    value = {"dealId": "2", "customFieldId": made["id"], "fieldValue": ["red", "blue"]}
    stored = ask("POST", "/dealCustomFieldData", {"dealCustomFieldDatum": value}).body["dealCustomFieldDatum"]
    assert (stored["dealId"], stored["fieldValue"]) == ("2", ["red", "blue"])
    place = f"/dealCustomFieldData/{stored['id']}"
    assert ask("GET", place).body["dealCustomFieldDatum"]["fieldValue"] == "||red||blue||"
    again = ask("POST", "/dealCustomFieldData", {"dealCustomFieldDatum": {**value, "fieldCurrency": "EUR"}})
    assert again.body["dealCustomFieldDatum"]["id"] == stored["id"]
    changed = ask("PUT", place, {"dealCustomFieldDatum": {"fieldValue": "green"}}).body[
        "dealCustomFieldDatum"
    ]
    assert (changed["fieldValue"], changed["dealId"]) == ("green", 2)
    for wrong in ({"dealId": 99_999}, {"customFieldId": 99}, {"fieldValue": ...}):
        body = {name: content for name, content in {**value, **wrong}.items() if content is not ...}
        refused = ask("POST", "/dealCustomFieldData", {"dealCustomFieldDatum": body})
        assert (refused.status, set(refused.body["errors"][0])) == (422, {"detail"})
    assert ask("PUT", place, {"dealCustomFieldDatum": {}}).status == 422
    assert "deleted" in ask("DELETE", place).body["message"]
    missing = ask("DELETE", place)
    assert (missing.status, missing.headers["content-type"].partition(";")[0]) == (404, "text/plain")
    ask("POST", "/dealCustomFieldData", {"dealCustomFieldDatum": value})
    assert "deleted" in ask("DELETE", path).body["message"]
    assert ask("GET", "/dealCustomFieldData", **{"filters[dealId]": "2"}).body["dealCustomFieldData"][-1][
        "customFieldId"] != int(made["id"])  # fmt: skip


def test_a_field_of_no_type_is_refused_in_a_body_that_is_no_json(simulated):
    """One documented example is broken JSON, and so is this."""
    body = b'{"dealCustomFieldMetum": {"fieldLabel": "x", "fieldType": "colour"}}'
    request = Request(method="POST", url="http://x/api/3/dealCustomFieldMeta",
                      headers={"api-token": simulated.api_key}, body=body)  # fmt: skip
    answer = simulated.handle(request, 0.0).response
    assert answer.status == 422
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.body)


def test_values_are_stored_in_bulk_as_bare_lists(ask):
    """All or nothing, and the answer is prose."""
    rows = [
        {"dealId": 1, "customFieldId": 3, "fieldValue": 7},
        {"dealId": 2, "customFieldId": 3, "fieldValue": 8},
    ]
    assert ask("POST", "/dealCustomFieldData/bulkCreate", rows).body == {
        "message": "2 custom field values created"
    }
    found = ask("GET", "/dealCustomFieldData", **{"filters[dealId]": "2"}).body["dealCustomFieldData"]
    [value] = [row for row in found if row["customFieldId"] == 3]
    assert value["fieldValue"] == "8"
    update = [{"id": value["id"], "fieldValue": 9}]
    assert value["id"] in ask("PATCH", "/dealCustomFieldData/bulkUpdate", update).body["message"]
    assert ask("GET", f"/dealCustomFieldData/{value['id']}").body["dealCustomFieldDatum"]["fieldValue"] == "9"
    for method, name, body in (("POST", "bulkCreate", {"array": rows}), ("POST", "bulkCreate", [1]),
                               ("POST", "bulkCreate", [*rows, {"dealId": 99_999}]),
                               ("PATCH", "bulkUpdate", [*update, {"id": 99_999}])):  # fmt: skip
        assert ask(method, f"/dealCustomFieldData/{name}", body).status == 422


def test_roles(ask):
    """The one body without an envelope; what is missing is an empty 400."""
    made = ask("POST", "/dealRoles", {"title": "Sponsor"}).body["dealRole"]
    assert ask("POST", "/dealRoles", {"dealRole": {"title": "Sponsor"}}).status == 400
    assert ask("DELETE", f"/dealRoles/{made['id']}").body == {}
    assert (ask("DELETE", f"/dealRoles/{made['id']}").status, ask("DELETE", "/dealRoles/x").status) == (
        400,
        400,
    )


def test_tasks_are_sent_by_owner_type_and_read_by_reltype(ask):
    """Every answer has the status 201; the types have an empty list for links."""
    sent = {"relid": 2, "ownerType": "deal", "duedate": "2026-06-01T10:00:00-05:00", "dealTasktype": 1}
    made = ask("POST", "/dealTasks", {"dealTask": sent})
    task = made.body["dealTask"]
    assert (made.status, task["reltype"], task["owner"], task["status"]) == (
        201,
        "Deal",
        {"type": "deal", "id": "2"},
        0,
    )
    path = f"/dealTasks/{task['id']}"
    changed = ask(
        "PUT", path, {"dealTask": {"ownerType": "contact", "relid": 4, "status": 1, "outcomeId": 2}}
    )
    assert (changed.status, changed.body["dealTask"]["reltype"], changed.body["dealTask"]["outcomeId"]) == (
        201, "Subscriber", 2)  # fmt: skip
    read = ask("GET", path)
    assert (read.status, read.body["dealTask"]["status"]) == (201, "1")
    assert ask("DELETE", path).body == {}
    for method, body in (("GET", None), ("PUT", {"dealTask": {}}), ("DELETE", None)):
        assert (ask(method, path, body).status, ask(method, path, body).body) == (400, {})
    for wrong in ({}, {**sent, "dealTasktype": 99}):
        assert ask("POST", "/dealTasks", {"dealTask": wrong}).status == 400


def test_task_types_move_and_stay(ask):
    """They cannot be deleted, only disabled; all tasks of one move at once, with their deals beside them."""
    made = ask("POST", "/dealTasktypes", {"dealTasktype": {"title": "Visit"}}).body["dealTasktype"]
    assert made["links"] == []
    path = f"/dealTasktypes/{made['id']}"
    assert ask("PUT", path, {"dealTasktype": {"status": 1}}).body["dealTasktype"]["status"] == "1"
    assert ask("GET", path).body["dealTasktype"]["title"] == "Visit"
    moved = ask("PUT", "/dealTasktypes/1/dealTasks", {"dealTask": {"dealTasktype": made["id"]}}).body
    assert {task["dealTasktype"] for task in moved["dealTasks"]} == {made["id"]}
    assert {deal["id"] for deal in moved["deals"]} == {task["relid"] for task in moved["dealTasks"]}
    assert ask("PUT", "/dealTasktypes/1/dealTasks", {"dealTask": {"dealTasktype": "99"}}).status == 400
    assert ask("DELETE", path).status == 403
    assert ask("POST", "/dealTasktypes", {"dealTasktype": {}}).status == 400


# ------------------------------------------------------------------------------ the world


def test_numbers_grow_and_leave_holes():
    """Each eighth id is left out, and an id names one serial or none."""
    herd = NumberedHerd([0.0] * 30, salt="", epoch=0.0)
    ids = herd.ids()
    assert ids[:9] == ["1", "2", "3", "4", "5", "6", "7", "9", "10"]
    assert [herd.serial_of(id_) for id_ in ids] == list(range(30))
    assert [herd.serial_of(id_) for id_ in ("0", "8", "16", "99", "-1", "x", "", "1" * 13)] == [None] * 8
    herd.delete(1.0, 2)
    assert herd.serial_of("3") is None


def test_equal_seeds_make_equal_accounts():
    """The same seed answers the same bytes; another one does not."""

    def listed(seed: int) -> Any:
        simulated = Simulator(DealsWorld(deals=40, contacts=5, seed=seed), crm="activecampaign")
        return asker(simulated)("GET", "/deals", **{"orders[id]": "ASC"}).body

    assert listed(1) == listed(1) != listed(2)


def test_a_drifting_account_gains_and_loses_deals_and_new_ids_are_the_highest():
    """Inserts and deletes each at the rate; ids only grow."""
    world = DealsWorld(deals=200, contacts=5, drift=Drift.even(1.0))
    ask = asker(Simulator(world, crm="activecampaign"))
    before = ask("GET", "/deals", limit=1).body["meta"]["total"]
    highest = int(world.deals.ids()[-1])
    ask("GET", "/deals", limit=1, now=60.0)
    new = {int(id_) for id_ in world.deals.ids()} - {int(id_) for id_ in world.deals.survivors(0.0, 0.0)}
    assert before == 200
    assert len(new) > 20
    assert min(new) > highest
    assert len(world.deals.survivors(0.0, 60.0)) < 180


@pytest.mark.parametrize(
    ("path", "name"),
    [("/dealTasks", "dealTasks"), ("/dealActivities", "dealActivities"),
     ("/dealCustomFieldData", "dealCustomFieldData"), ("/contactDeals", "contactDeals")],
)  # fmt: skip
@pytest.mark.parametrize("moving", [False, True])
def test_lists_without_an_order_may_move(path, name, moving):
    """With `unstable_ties` two answers stand in different orders, so that pages overlap; else they do not."""
    world = DealsWorld(contacts=30, deals=260, seed=5)
    ask = asker(Simulator(world, crm="activecampaign", behaviour=Behaviour(unstable_ties=moving)))
    ids: list[str] = []
    while rows := ask("GET", path, offset=len(ids), limit=20).body[name]:
        ids += [row["id"] for row in rows]
    assert len(ids) > 40
    assert (len(set(ids)) < len(ids)) is moving


def test_an_order_that_was_asked_for_stays():
    """Pipelines by title are in the same order in every answer."""
    world = DealsWorld(contacts=3, deals=5, seed=5)
    ask = asker(Simulator(world, crm="activecampaign", behaviour=Behaviour(unstable_ties=True)))
    answers = [ask("GET", "/dealStages", **{"orders[title]": "ASC"}).body["dealStages"] for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
