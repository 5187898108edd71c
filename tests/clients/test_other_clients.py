"""Clients that others wrote, unchanged but for their base URL, against the simulator.

Each list says which of a client's calls agree with an official document, the present or the older
one, and work; and which are folklore, refused by the simulator as by no document known. They run
where the optional group `clients` is installed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nimble_async.testing import ServedSimulator, Simulator, World

_HINT = "the clients of others are not installed: pip install --group clients"
requests, nimblecrm_client, nimble_crm_mcp_client = (
    pytest.importorskip(name, reason=_HINT)
    for name in ("requests", "nimblecrm.client", "nimble_crm_mcp.client")
)


@pytest.fixture
def served() -> Iterator[ServedSimulator]:
    """Serve a small account over real HTTP."""
    with ServedSimulator(Simulator(World(contacts=40, deals=10, seed=3))) as server:
        yield server


def _ids(served: ServedSimulator) -> list[str]:
    return served.simulator.world.contacts.ids()


PERSON = {
    "fields": {
        "first name": [{"value": "Ada", "modifier": ""}],
        "phone": [{"modifier": "work", "value": "123"}, {"modifier": "work", "value": "456"}],
    },
    "record_type": "person",
}
PHONE = {"fields": {"phone": [{"modifier": "home", "value": "789"}]}}
TASK = {"due_date": "2013-04-04 13:50", "notes": "n", "subject": "Hello task!"}

NIMBLECRM_WORKS: dict[str, Callable[[Any, list[str]], Any]] = {
    "get_contact_list": lambda client, _: client.get_contact_list(),
    "get_persons": lambda client, _: client.get_persons(),
    "get_organizations": lambda client, _: client.get_organizations(),
    "get_contact": lambda client, ids: client.get_contact(ids[0]),
    "get_contact of several": lambda client, ids: client.get_contact(*ids[:3]),
    "create_contact": lambda client, _: client.create_contact(json.dumps(PERSON)),
    "full_contact_update": lambda client, ids: client.full_contact_update(ids[0], json.dumps(PHONE)),
    "partial_contact_update": lambda client, ids: client.partial_contact_update(ids[0], json.dumps(PHONE)),
    "delete_contact": lambda client, ids: client.delete_contact(ids[1]),
    "create_task": lambda client, ids: client.create_task(json.dumps({**TASK, "related_to": ids[:1]})),
}
"""Calls of nimblecrm-python 0.1.1 that an official document describes."""

NIMBLECRM_REFUSED: dict[str, tuple[Callable[[Any, list[str]], Any], int]] = {
    # It ends its range of days with a moment, which no document allows.
    "get_persons since a day": (lambda client, _: client.get_persons("2012-01-01"), 409),
    "get_organizations since a day": (lambda client, _: client.get_organizations("2012-01-01"), 409),
}
"""Its calls that are folklore. (`get_last_register` fails inside the client: it joins text and bytes.)"""


@pytest.fixture
def nimblecrm(served) -> Any:
    """Return the client of nimblecrm-python."""
    client = nimblecrm_client.Client(api_key=served.api_key)
    client.base_url = f"{served.base_url}/api/v1"
    return client


DELETES_WITH_A_BODY = pytest.mark.undescribed(
    ("request", "contacts.delete", "body"), reason="nimblecrm-python sends a body with a deletion"
)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=DELETES_WITH_A_BODY if name == "delete_contact" else ())
        for name in NIMBLECRM_WORKS
    ],
)
def test_nimblecrm_works_where_a_document_agrees(served, nimblecrm, name):
    """Each documented call is answered 200 or 201."""
    response = NIMBLECRM_WORKS[name](nimblecrm, _ids(served))
    assert response.status_code in {200, 201}, response.text
    response.close()


@pytest.mark.parametrize("name", NIMBLECRM_REFUSED)
def test_nimblecrm_is_refused_where_none_does(served, nimblecrm, name):
    """Folklore is answered with an error."""
    call, status = NIMBLECRM_REFUSED[name]
    response = call(nimblecrm, _ids(served))
    assert response.status_code == status
    response.close()


@DELETES_WITH_A_BODY
def test_nimblecrm_changes_what_it_says(served, nimblecrm):
    """A full update replaces the values of a field, a partial one adds to them; a deleted contact is gone."""
    made = nimblecrm.create_contact(json.dumps(PERSON)).json()

    def phones() -> list[str]:
        shown = nimblecrm.get_contact(made["id"]).json()["resources"][0]
        return [value["value"] for value in shown["fields"]["phone"]]

    assert phones() == ["123", "456"]
    nimblecrm.partial_contact_update(made["id"], json.dumps(PHONE))
    assert phones() == ["123", "456", "789"]
    nimblecrm.full_contact_update(made["id"], json.dumps(PHONE))
    assert phones() == ["789"]
    nimblecrm.delete_contact(made["id"])
    assert nimblecrm.get_contact(made["id"]).json()["resources"] == []
    assert made["id"] not in _ids(served)


MCP_WORKS: dict[str, Callable[[Any, list[str]], Any]] = {
    "get_myself": lambda client, _: client.get_myself(),
    "list_contacts": lambda client, _: client.list_contacts(keyword="lisbon", sort="created:desc"),
    "search_contacts": lambda client, _: client.search_contacts({"and": [{"tag": {"is": "vip"}}]}),
    "get_contact": lambda client, ids: client.get_contact(ids[0]),
    "create_contact": lambda client, _: client.create_contact("person", PERSON["fields"], tags="a,b"),
    "update_contact": lambda client, ids: client.update_contact(ids[0], fields=PHONE["fields"]),
    "update_contact that replaces": lambda client, ids: client.update_contact(
        ids[0], fields=PHONE["fields"], replace=True
    ),
    "delete_contacts": lambda client, ids: client.delete_contacts(ids[1:2]),
    "delete_contacts, several": lambda client, ids: client.delete_contacts(ids[2:4]),
    "list_notes": lambda client, ids: client.list_notes(ids[0]),
    "create_note": lambda client, ids: client.create_note(ids[:2], "<b>n</b>", "n"),
    "replace_tags": lambda client, ids: client.replace_tags(ids[0], ["one", "two"]),
    "create_task": lambda client, ids: client.create_task(
        "Call", related_to=ids[:1], due_date="2030-01-01T10:00:00"
    ),
    "list_contact_fields": lambda client, _: client.list_contact_fields(),
}
"""Calls of nimble-crm-mcp 0.1.0 that an official document describes."""

MCP_NOWHERE: dict[str, tuple[Callable[[Any], Any], str]] = {
    "list_deals": (lambda client: client.list_deals(), "GET /api/v1/deals"),
    "create_deal": (
        lambda client: client.create_deal({"deal name": [{"value": "x"}]}),
        "POST /api/v1/deal",
    ),
    "update_deal": (lambda client: client.update_deal("1" * 24, {}), f"PUT /api/v1/deal/{'1' * 24}"),
    "delete_deal": (lambda client: client.delete_deal("1" * 24), f"DELETE /api/v1/deal/{'1' * 24}"),
}
"""Its calls that go where nobody answers."""

MCP_REFUSED: dict[str, tuple[Callable[[Any], Any], int]] = {
    # Operators that its docstring names and no document has.
    "search that contains": (lambda client: client.search_contacts({"email": {"contains": "a"}}), 409),
    "search for what is not empty": (
        lambda client: client.search_contacts({"email": {"is_not_empty": "1"}}),
        409,
    ),
}
"""Its calls that are folklore at a known place."""


@pytest.fixture
def nimble_mcp(served, monkeypatch) -> Iterator[Any]:
    """Return the client of nimble-crm-mcp; its base URL is a constant of the module."""
    monkeypatch.setattr(nimble_crm_mcp_client, "BASE_URL", f"{served.base_url}/api/v1")
    client = nimble_crm_mcp_client.NimbleClient(served.api_key)
    yield client
    client.session.close()


@pytest.mark.parametrize("name", MCP_WORKS)
def test_nimble_mcp_works_where_a_document_agrees(served, nimble_mcp, name):
    """Each documented call returns something; the client raises for any error."""
    assert MCP_WORKS[name](nimble_mcp, _ids(served)) is not None


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name,
            marks=pytest.mark.undescribed(
                ("request", line, "route"), reason="nimble-crm-mcp asks where nobody answers"
            ),
        )
        for name, (_, line) in MCP_NOWHERE.items()
    ],
)
def test_nimble_mcp_finds_nobody_where_no_document_sends_it(nimble_mcp, name):
    """A path that no document has is answered 404, which the client raises."""
    with pytest.raises(requests.HTTPError) as caught:
        MCP_NOWHERE[name][0](nimble_mcp)
    assert caught.value.response.status_code == 404


@pytest.mark.parametrize("name", MCP_REFUSED)
def test_nimble_mcp_is_refused_where_none_does(nimble_mcp, name):
    """Folklore is answered with an error, which the client raises."""
    call, status = MCP_REFUSED[name]
    with pytest.raises(requests.HTTPError) as caught:
        call(nimble_mcp)
    assert caught.value.response.status_code == status


def test_nimble_mcp_reads_back_what_it_wrote(served, nimble_mcp):
    """A note is created, read, changed, listed and deleted."""
    ids = _ids(served)
    note = nimble_mcp.create_note(ids[:2], "<b>n</b>", "n")
    assert nimble_mcp.get_note(note["id"])["note"] == "<b>n</b>"
    nimble_mcp.update_note(note["id"], ids[:1], "m", "m")
    assert [one["note"] for one in nimble_mcp.list_notes(ids[0])["resources"]] == ["m"]
    assert nimble_mcp.list_notes(ids[1])["resources"] == []
    assert nimble_mcp.delete_note(note["id"]) == {"id": note["id"]}
    nimble_mcp.replace_tags(ids[0], ["one"])
    assert [tag["tag"] for tag in nimble_mcp.get_contact(ids[0])["tags"]] == ["one"]
