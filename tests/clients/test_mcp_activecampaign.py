"""The public client inside `mcp-activecampaign`, unchanged but for its base URL, against the simulator.

It runs where the optional group `clients` is installed. Two calls of its tools use what no document
of this vendor describes; the simulator refuses them, and they are listed as such.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from nimble_async.testing import ServedSimulator, SimulateOptions
from nimble_async.testing.options import build

theirs = pytest.importorskip(
    "mcp_activecampaign.client", reason="the clients of others are not installed: pip install --group clients"
)

DEAL = {"title": "Roof", "value": 10_000, "group": "1", "stage": "2", "currency": "usd", "contact": "1"}
TASK = {"title": "Call", "relid": "1", "reltype": "deal", "dealTasktype": "1", "status": "0",
        "duedate": "2026-04-10T14:00:00"}  # fmt: skip

WORKS: dict[str, Callable[[Any], Any]] = {
    "list_deals": lambda client: client.get("/deals", params={"limit": 20, "offset": 0}),
    "list_deals of a stage": lambda client: client.get("/deals", params={"filters[stage]": "2"}),
    "list_deals of a pipeline": lambda client: client.get("/deals", params={"filters[group]": "1"}),
    "get_deal": lambda client: client.get("/deals/1"),
    "create_deal": lambda client: client.post("/deals", json={"deal": DEAL}),
    "update_deal": lambda client: client.put("/deals/2", json={"deal": {"title": "Wall", "status": 1}}),
    "list_pipelines": lambda client: client.get("/dealGroups", params={"limit": 20, "offset": 0}),
    "list_stages": lambda client: client.get("/dealStages", params={"filters[d_groupid]": "1"}),
    "add_deal_note": lambda client: client.post("/deals/1/notes", json={"note": {"note": "Hello"}}),
    "list_tasks": lambda client: client.get("/dealTasks", params={"limit": 20, "offset": 0}),
    "create_task": lambda client: client.post("/dealTasks", json={"dealTask": TASK}),
    "update_task": lambda client: client.put("/dealTasks/1", json={"dealTask": {"status": "1"}}),
}
"""What the tools of mcp-activecampaign 0.2.0 send about deals and tasks."""

REFUSED: dict[str, tuple[Callable[[Any], Any], int]] = {
    # A public client's route that no document describes.
    "list_deal_notes": (lambda client: client.get("/deals/1/notes", params={"limit": 20}), 405),
    # The documented filter is d_tasktypeid.
    "list_tasks of a deal": (
        lambda client: client.get("/dealTasks", params={"filters[dealTasktype]": "1", "filters[relid]": "1"}),
        400,
    ),
}


@pytest.fixture
def served() -> Iterator[ServedSimulator]:
    """Serve a small account as the vendor limits it."""
    with ServedSimulator(build(SimulateOptions(crm="activecampaign", contacts=5, deals=40))) as served:
        yield served


@pytest.fixture
async def client(served: ServedSimulator) -> AsyncIterator[Any]:
    """Give their client, with nothing changed but its base URL."""
    found = theirs.ActiveCampaignClient(served.base_url, served.api_key)
    yield found
    await found.close()


@pytest.mark.parametrize("name", WORKS)
async def test_their_calls_that_a_document_describes_work(client, name):
    """They read what they asked for."""
    assert isinstance(await WORKS[name](client), dict)


@pytest.mark.parametrize("name", REFUSED)
async def test_their_calls_that_no_document_describes_are_refused(client, name):
    """The simulator speaks no folklore."""
    ask, status = REFUSED[name]
    with pytest.raises(theirs.ActiveCampaignError) as caught:
        await ask(client)
    assert caught.value.status == status


async def test_their_pace_is_within_the_limit(client, served):
    """A client that keeps 5 a second is never refused, and sees all deals of its pages."""
    pages = [
        await client.get("/deals", params={"limit": 10, "offset": offset}) for offset in range(0, 40, 10)
    ]
    assert sum(len(page["deals"]) for page in pages) == 40
    assert served.statistics()["rate_limited"] == 0


async def test_their_deletion_of_a_deal(client, served):
    """An empty body is a success to them too."""
    before = len(served.simulator.world.deals)
    await client.delete("/deals/3")
    assert len(served.simulator.world.deals) == before - 1
    with pytest.raises(theirs.ActiveCampaignError) as caught:
        await client.get("/deals/3")
    assert caught.value.status == 404
