"""What the simulator answers for deals and pipelines."""

from __future__ import annotations

import pytest

from nimble_async.testing import Behaviour, Drift, Simulator, World

DEALS, PIPELINES = "/api/v2/deals", "/api/v2/deals/pipelines"


@pytest.fixture
def simulator() -> Simulator:
    """A small account at rest."""
    return Simulator(World(contacts=0, deals=120, seed=5))


def test_one_answer_holds_up_to_limit_deals(ask, simulator):
    """`limit` alone decides how many come (30 unless told); meta counts all."""
    assert len(ask(simulator, DEALS, sort="name:asc").body["resources"]) == 30
    answer = ask(simulator, DEALS, sort="name:asc", limit=500).body
    assert {deal["deal_id"] for deal in answer["resources"]} == set(simulator.world.deals.ids())
    assert answer["meta"]["total"] == 120
    assert ask(simulator, DEALS, sort="name:asc", limit=500, page=2).body == answer


def test_a_cap_on_limit_is_a_switch(ask):
    """With the cap, a larger limit gives the cap and says the true total."""
    simulator = Simulator(World(contacts=0, deals=120), behaviour=Behaviour(deals_limit_cap=50))
    answer = ask(simulator, DEALS, sort="name:asc", limit=500).body
    assert len(answer["resources"]) == answer["meta"]["per_page"] == 50
    assert answer["meta"]["total"] == 120


@pytest.mark.parametrize("sort", ["name:asc", "amount:desc", "expected_close_date:asc"])
def test_deals_are_sorted(ask, simulator, sort):
    """The order is the one asked for."""
    field, _, order = sort.partition(":")
    name = "deal_name" if field == "name" else field
    deals = ask(simulator, DEALS, sort=sort, limit=500).body["resources"]
    texts = [deal["fields_values_with_names"][name][0]["value"] for deal in deals]
    keys = [float(text) if field == "amount" else text.lower() for text in texts]
    assert keys == sorted(keys, reverse=order == "desc")


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"sort": "name"},
        {"sort": "created:asc"},
        {"sort": "updated:desc"},
        {"sort": "deal_number:asc"},
        {"sort": "shoe:asc"},
        {"sort": "name:asc", "limit": 0},
    ],
)
def test_what_the_vendor_refuses_is_a_409(ask, simulator, query):
    """A missing or forbidden sort, and a limit below one, are refused."""
    answer = ask(simulator, DEALS, **query)
    assert (answer.status, answer.body["code"]) == (409, 245)


def test_one_deal_by_id(ask, simulator):
    """A deal is the answer itself; an unknown id is a 404 that names it."""
    wanted = simulator.world.deals.id_of(7)
    deal = ask(simulator, f"{DEALS}/{wanted}").body
    assert (deal["deal_id"], deal["deal_number"]) == (wanted, 8)
    answer = ask(simulator, f"{DEALS}/nothing")
    assert (answer.status, answer.body) == (404, {"object_id": "nothing", "object_type": "deal"})


@pytest.mark.parametrize(
    ("behaviour", "count"),
    [({}, 2), ({"offer_archived": True}, 3), ({"offer_invisible": True}, 3),
     ({"offer_archived": True, "offer_invisible": True}, 4)],
)  # fmt: skip
def test_hidden_pipelines_are_offered_by_switch(ask, behaviour, count):
    """Archived and invisible pipelines are listed, and can be read by stage, only with their switch."""
    everything = Simulator(
        World(contacts=0, deals=0), behaviour=Behaviour(offer_archived=True, offer_invisible=True)
    )
    every = [pipeline["pipeline_id"] for pipeline in ask(everything, PIPELINES).body["pipelines"]]
    simulator = Simulator(World(contacts=0, deals=0), behaviour=Behaviour(**behaviour))
    offered = [pipeline["pipeline_id"] for pipeline in ask(simulator, PIPELINES).body["pipelines"]]
    assert len(offered) == count
    statuses = {one: ask(simulator, f"{PIPELINES}/{one}/deals", sort="name:asc").status for one in every}
    assert statuses == {one: 200 if one in offered else 404 for one in every}


def _walk(ask, simulator, limit) -> tuple[list[str], int]:
    """Read every offered pipeline along its addresses; return the deals and the sum of the groups' totals."""
    seen: list[str] = []
    total = 0
    for pipeline in ask(simulator, PIPELINES).body["pipelines"]:
        pending = [f"{PIPELINES}/{pipeline['pipeline_id']}/deals?sort=name:asc&limit={limit}"]
        first = True
        while pending:
            groups = ask(simulator, pending.pop()).body["stages"]
            for group in groups:
                assert len(group["deals"]) <= limit
                seen += [deal["deal_id"] for deal in group["deals"]]
                total += group["meta"]["total_new_count"] if first else 0
                if group["meta"]["next_page_url"] is not None:
                    assert group["meta"]["next_page_url"].startswith("/")
                    pending.append(group["meta"]["next_page_url"])
            first = False
    return seen, total


def test_stages_are_walked_along_their_addresses(ask):
    """With every pipeline offered, the walk finds each deal once, and the totals agree."""
    behaviour = Behaviour(offer_archived=True, offer_invisible=True)
    simulator = Simulator(World(contacts=0, deals=120), behaviour=behaviour)
    seen, total = _walk(ask, simulator, 3)
    assert sorted(seen) == sorted(simulator.world.deals.ids())
    assert total == 120


def test_the_walk_misses_what_is_hidden(ask, simulator):
    """Without the switches deals in hidden pipelines are counted by the list and found by no stage."""
    seen, total = _walk(ask, simulator, 10)
    assert len(seen) == len(set(seen)) == total < 120
    assert len(_walk(ask, Simulator(World(contacts=0, deals=120, hidden_deals=0)), 10)[0]) == 120


def test_a_group_has_ten_deals_unless_told(ask, simulator):
    """The limit is per group, and an archived stage is empty."""
    pipeline = ask(simulator, PIPELINES).body["pipelines"][0]
    groups = ask(simulator, f"{PIPELINES}/{pipeline['pipeline_id']}/deals", sort="name:asc").body["stages"]
    assert max(len(group["deals"]) for group in groups) == 10
    assert [group["stage"]["stage_id"] for group in groups] == [
        stage["stage_id"] for stage in pipeline["stages"]
    ]
    assert all(not group["deals"] for group in groups if group["stage"]["archived_at"])
    amounts = [amount["count"] for group in groups for amount in group["meta"]["total_amount"]]
    assert all(amount > 0 for amount in amounts)


def test_one_stage_can_be_asked_for(ask, simulator):
    """`stage_id` restricts the answer to one group; an unknown stage is a 404."""
    pipeline = ask(simulator, PIPELINES).body["pipelines"][0]
    path, stage = f"{PIPELINES}/{pipeline['pipeline_id']}/deals", pipeline["stages"][1]["stage_id"]
    [group] = ask(simulator, path, sort="name:asc", stage_id=stage).body["stages"]
    assert group["stage"]["stage_id"] == stage
    assert ask(simulator, path, sort="name:asc", stage_id="nothing").status == 404
    assert ask(simulator, path).status == 409


def test_stuck_deals_are_told_apart(ask):
    """`stuck` keeps the deals that are older than their stage expects, or the others."""
    simulator = Simulator(World(contacts=0, deals=40, hidden_deals=0, drift=Drift(deal_inserts=0.1)))
    pipeline = ask(simulator, PIPELINES).body["pipelines"][0]["pipeline_id"]

    def numbers(**query) -> set[int]:
        stages = ask(simulator, f"{PIPELINES}/{pipeline}/deals", now=300, sort="name:asc", limit=99, **query)
        return {deal["deal_number"] for group in stages.body["stages"] for deal in group["deals"]}

    everything = numbers()
    assert numbers(stuck=1) == {number for number in everything if number <= 40}
    assert numbers(stuck=0) == {number for number in everything if number > 40} != set()
