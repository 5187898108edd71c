"""Deals: one answer that is everything, or stage by stage where that is capped."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from nimble_async.errors import ConnectionFailed
from nimble_async.jobs.export import export
from nimble_async.nimble.walks import DEALS
from nimble_async.testing import Behaviour, Drift, Fault, Simulator, VirtualClock, World, run_virtual
from tests.jobs.direct import DirectSource

WALK = replace(DEALS, limit=20, groups=replace(DEALS.groups, limit=7))


def exported(simulator, output, *, walk=WALK, source=None):
    """Export deals on virtual time; return the certificate and the ids."""
    source = source or DirectSource(simulator, pace=0.1)
    certificate = run_virtual(export(source, walk, to=output, clock=VirtualClock()))
    return certificate, [json.loads(line)["deal_id"] for line in output.read_bytes().splitlines()]


def world_of(count, **options):
    """An account with deals only."""
    return World(contacts=0, deals=count, **options)


@pytest.mark.parametrize(("count", "requests"), [(0, 2), (19, 2), (20, 2), (21, 3), (150, 3)])
def test_one_answer_that_equals_its_total_is_a_snapshot(tmp_path, count, requests):
    """A small account takes one answer, a larger one a second with room; and one for the pipelines."""
    world = world_of(count)
    certificate, ids = exported(Simulator(world), tmp_path / "deals.jsonl")
    assert set(ids) == set(world.deals.ids())
    assert (len(ids), certificate.complete, certificate.windows.snapshot) == (count, True, 1)
    assert certificate.requests == requests
    assert any("pipelines are visible" in fact for fact in certificate.facts)


def test_deals_stand_by_date_then_id(tmp_path):
    """Whatever order the vendor sends, the file's order is that of the dates."""
    output = tmp_path / "deals.jsonl"
    exported(Simulator(world_of(120)), output)
    rows = [json.loads(line) for line in output.read_bytes().splitlines()]
    assert rows == sorted(rows, key=lambda row: (row["created"], row["deal_id"]))


def test_a_capped_list_is_walked_stage_by_stage(tmp_path):
    """Where `limit` is capped, every total must agree with the distinct ids, twice over."""
    world = world_of(150, hidden_deals=0.0)
    certificate, ids = exported(
        Simulator(world, behaviour=Behaviour(deals_limit_cap=50)), tmp_path / "deals.jsonl"
    )
    assert set(ids) == set(world.deals.ids())
    assert (len(ids), certificate.complete, certificate.windows.census) == (150, True, 1)
    assert any("at most 50 at once" in fact for fact in certificate.facts)


def test_deals_in_pipelines_out_of_reach_leave_it_unproven(tmp_path):
    """Deals that are counted and in no pipeline that can be read are missing, and the certificate says so."""
    world = world_of(150, hidden_deals=0.2)
    certificate, ids = exported(
        Simulator(world, behaviour=Behaviour(deals_limit_cap=50)), tmp_path / "deals.jsonl"
    )
    assert not certificate.proven
    assert 0 < len(ids) < 150
    assert any("archived or not visible" in reason for reason in certificate.reasons)


def test_archived_pipelines_that_can_be_read_are_said(tmp_path):
    """With archived and invisible pipelines offered, the walk is whole and the certificate counts them."""
    world = world_of(150, hidden_deals=0.2)
    behaviour = Behaviour(deals_limit_cap=50, offer_archived=True, offer_invisible=True)
    certificate, ids = exported(Simulator(world, behaviour=behaviour), tmp_path / "deals.jsonl")
    assert (len(ids), certificate.complete) == (150, True)
    assert any("1 of them archived" in fact for fact in certificate.facts)


def test_totals_that_move_while_the_stages_are_walked_leave_it_unproven(tmp_path):
    """Nothing orders deals, so a walk over a moving set proves nothing."""
    world = world_of(150, hidden_deals=0.0, drift=Drift(deal_inserts=3.0, deal_deletes=3.0))
    certificate, ids = exported(
        Simulator(world, behaviour=Behaviour(deals_limit_cap=50)), tmp_path / "deals.jsonl"
    )
    assert not certificate.proven
    assert any("came or went" in reason for reason in certificate.reasons)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("status", [403, 404])
def test_pipelines_that_may_not_be_read_do_not_stop_a_snapshot(tmp_path, status):
    """The snapshot stands by itself; the certificate says what could not be looked at."""
    certificate, ids = exported(Simulator(world_of(30)), tmp_path / "deals.jsonl", source=_Closed(status))
    assert (len(ids), certificate.complete) == (30, True)
    assert any("could not be read" in fact for fact in certificate.facts)


def test_an_error_before_the_snapshot_is_passed_on_and_a_second_run_is_whole(tmp_path):
    """A snapshot has no half: the second run asks for it anew."""
    world, output = world_of(60), tmp_path / "deals.jsonl"
    fault = Fault(operation="deals.list", kind="reset", nth=2)
    with pytest.raises(ConnectionFailed):
        exported(Simulator(world, faults=[fault]), output)
    assert not output.exists()
    certificate, ids = exported(Simulator(world), output)
    assert (len(ids), certificate.complete, certificate.resumed) == (60, True, 1)


def test_an_error_after_the_snapshot_costs_only_what_is_left(tmp_path):
    """A snapshot that is on the disk is not read again."""
    world, output = world_of(10), tmp_path / "deals.jsonl"

    class Stopped(DirectSource):
        async def rows(self, operation, *, ids=None, query=None):
            raise ConnectionFailed("The line is dead.")

    with pytest.raises(ConnectionFailed):
        exported(Simulator(world), output, source=Stopped(Simulator(world)))
    again = Simulator(world)
    certificate, ids = exported(again, output)
    assert (len(ids), certificate.complete, certificate.expected) == (10, True, 10)
    assert again.calls("deals.list") == 0


class _Closed(DirectSource):
    """Refuses to list pipelines."""

    def __init__(self, status):
        super().__init__(Simulator(world_of(30)))
        self.status = status

    async def rows(self, operation, *, ids=None, query=None):
        from nimble_async.errors import Forbidden, NotFound

        kind = Forbidden if self.status == 403 else NotFound
        raise kind("No.", status=self.status)
