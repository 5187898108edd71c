"""Who is told of a simulator's exchanges."""

from __future__ import annotations

import urllib.request

import pytest

from nimble_async._sansio.message import Request, Response
from nimble_async.testing import (
    Fault,
    ServedSimulator,
    SimulateOptions,
    Simulator,
    SimulatorTransport,
    World,
    run_virtual,
    watching,
)
from nimble_async.testing.options import build
from tests.testing.asking import ask

ME = "/api/v1/myself"


class Told:
    """A watch that notes what it is told."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, int]] = []

    def __call__(self, operation: str, request: Request, response: Response) -> None:
        self.lines.append((operation, request.method, response.status))


def _small(**options) -> Simulator:
    return Simulator(World(contacts=3, deals=0), **options)


def test_a_watch_is_told_of_every_exchange():
    """Refused requests too; the operation of a path that has no route is `unknown`."""
    told = Told()
    simulator = _small(watch=told)
    ask(simulator, ME)
    ask(simulator, ME, key="wrong")
    ask(simulator, "/api/v1/contacts", sort="x")
    assert told.lines == [
        ("users.me", "GET", 200),
        ("users.me", "GET", 401),
        ("contacts.list", "GET", 409),
    ]


@pytest.mark.parametrize("kind", ["reset", "truncate", "slow", "wrong_json", "status", "bad_gzip"])
def test_what_a_fault_struck_is_not_told(kind):
    """A fault spoils the answer on purpose; the next one is whole again."""
    told = Told()
    simulator = _small(watch=told, faults=[Fault(kind=kind, count=1)])
    ask(simulator, ME)
    assert told.lines == []
    ask(simulator, ME)
    assert told.lines == [("users.me", "GET", 200)]


@pytest.mark.parametrize("make", [_small, lambda: build(SimulateOptions(contacts=3, deals=0))])
def test_simulators_that_are_made_in_a_block_are_watched(make):
    """Whoever makes them, and after the block too; those made before and after are not."""
    told = Told()
    before = make()
    with watching(told):
        within = make()
    after = make()
    for simulator in (before, within, after):
        ask(simulator, ME)
    assert within.watch is told
    assert told.lines == [("users.me", "GET", 200)]
    assert before.watch is after.watch is not told


def test_the_innermost_watch_counts_and_a_given_one_most():
    """A block inside another takes over; a simulator's own watch is its only one."""
    outer, inner, own = Told(), Told(), Told()
    with watching(outer):
        with watching(inner):
            assert _small().watch is inner
            assert _small(watch=own).watch is own
        assert _small().watch is outer


def test_a_block_is_for_one_vendor():
    """Operations of both vendors have the same names, so one watch is not told of both."""
    nimble, deals = Told(), Told()
    with watching(nimble), watching(deals, crm="activecampaign"):
        assert _small().watch is nimble
        assert Simulator(crm="activecampaign").watch is deals
        assert build(SimulateOptions(crm="activecampaign", contacts=1, deals=1)).watch is deals


def test_a_block_that_fails_ends_all_the_same():
    """What is raised inside leaves nothing behind."""
    told = Told()
    with pytest.raises(RuntimeError, match="gone"), watching(told):
        raise RuntimeError("gone")
    assert _small().watch is not told


def test_a_served_and_a_joined_simulator_tell_alike():
    """Over HTTP from a thread, and in process on virtual time."""
    told = Told()
    with watching(told):
        served, joined = ServedSimulator(_small()), SimulatorTransport(_small())
    key = {"Authorization": f"Bearer {joined.simulator.api_key}"}
    with (
        served,
        urllib.request.urlopen(
            urllib.request.Request(f"{served.base_url}{ME}", headers=key), timeout=10
        ) as answer,
    ):
        assert answer.status == 200
    run_virtual(joined.send(Request(method="GET", url=f"http://s{ME}", headers=key)))
    assert told.lines == [("users.me", "GET", 200)] * 2
