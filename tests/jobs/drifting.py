"""One seeded export of a world that changes meanwhile, on virtual time, and what became of its survivors."""

from __future__ import annotations

import asyncio
import random
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from nimble_async._sansio.walk import OrderedWalk, Walk
from nimble_async.activecampaign.walks import DEALS as NUMBERED
from nimble_async.jobs.certificate import Certificate
from nimble_async.jobs.export import export
from nimble_async.nimble.walks import CONTACTS, DEALS
from nimble_async.testing import Behaviour, Drift, Simulator, VirtualClock, World, run_virtual
from nimble_async.testing.activecampaign.world import DealsWorld
from tests.jobs.direct import DirectSource

KINDS = {
    "nimble": ("even", "backdated", "lagging", "ties", "everything", "deals", "capped deals"),
    "activecampaign": ("numbered", "capped numbered", "hasty numbered"),
}
"""The kinds of worlds of each vendor."""
SMALL = replace(CONTACTS, limit=10, members_limit=3)
"""Small pages, so that a small world is a long walk."""


class Outcome(Struct, frozen=True, kw_only=True):
    """What one export did to the records that existed throughout."""

    seed: int
    kind: str
    proven: bool
    survivors: int
    missed: int
    doubled: int
    changes: int
    """Inserts and deletes while it ran."""
    certificate: Certificate


class _Case(Struct, frozen=True, kw_only=True):
    crm: str
    walk: Walk
    world: World
    behaviour: Behaviour
    latency: float
    pace: float
    concurrency: int


def _numbered_case(kind: str, seed: int) -> _Case:
    """Deals by offsets: their ids are numbers, and without an order the list moves between two answers."""
    chance = random.Random(f"{seed} {kind}")
    drift = Drift.even(10.0 if kind == "hasty numbered" else chance.choice([0.3, 1.0, 1.0]))
    world = DealsWorld(
        contacts=5,
        deals=chance.randrange(400),
        seed=seed,
        drift=drift,
        hidden_deals=chance.choice([0.0, 0.3]),
    )
    behaviour = Behaviour(deals_limit_cap=chance.randrange(4, 10) if kind == "capped numbered" else None)
    return _Case(
        crm="activecampaign", walk=replace(NUMBERED, limit=10), world=world, behaviour=behaviour,
        latency=chance.uniform(0.02, 0.4), pace=chance.choice([0.0, 0.1, 0.2]),
        concurrency=chance.randrange(1, 9),
    )  # fmt: skip


def _case(kind: str, seed: int) -> _Case:
    if kind in KINDS["activecampaign"]:
        return _numbered_case(kind, seed)
    chance = random.Random(f"{seed} {kind}")
    rate = chance.choice([0.3, 1.0, 1.0])
    drift: dict[str, float] = {"inserts": rate, "deletes": rate, "deal_inserts": rate, "deal_deletes": rate}
    behaviour: dict[str, Any] = {
        "inclusive_start": chance.random() < 0.5,
        "inclusive_end": chance.random() < 0.5,
    }
    world: dict[str, Any] = {
        "contacts": chance.randrange(20, 400), "deals": 0, "whole_seconds": chance.random() < 0.5,
        "utc_offset": chance.choice([0, 3, -8]),
    }  # fmt: skip
    walk: Walk = SMALL
    if kind in {"backdated", "everything"}:
        drift |= {"backdated": chance.choice([0.5, 1.0]), "backdate": 2e8}
    if kind in {"lagging", "everything"}:
        drift["index_lag"] = chance.uniform(0.5, 9.5)
    if kind in {"ties", "everything"}:
        behaviour["unstable_ties"] = True
        world |= {"imports": chance.randrange(1, 4), "import_size": chance.randrange(2, 40)}
    if "deals" in kind:
        walk = replace(DEALS, limit=10, groups=replace(DEALS.groups, limit=5))
        world |= {"contacts": 0, "deals": chance.randrange(5, 200), "hidden_deals": chance.choice([0.0, 0.1])}
        behaviour["unstable_ties"] = chance.random() < 0.5
        if kind == "capped deals":
            drift |= {"deal_inserts": rate / 20, "deal_deletes": rate / 20}
            behaviour |= {
                "deals_limit_cap": 15,
                "offer_archived": True,
                "offer_invisible": chance.random() < 0.7,
            }
    return _Case(
        crm="nimble", walk=walk, world=World(seed=seed, drift=Drift(**drift), **world),
        behaviour=Behaviour(**behaviour), latency=chance.uniform(0.02, 0.4),
        pace=chance.choice([0.0, 0.1, 0.2]), concurrency=chance.randrange(1, 9),
    )  # fmt: skip


def drift_once(seed: int, kind: str, folder: Path | None = None) -> Outcome:
    """Export one seeded world and compare the file with who existed throughout."""
    case = _case(kind, seed)
    simulator = Simulator(
        case.world, behaviour=case.behaviour, latency=case.latency, jitter=case.latency, seed=seed,
        crm=case.crm,
    )  # fmt: skip
    herd = case.world.contacts if isinstance(case.walk, OrderedWalk) else case.world.deals

    async def run(to: Path) -> tuple[Certificate, float, float]:
        await asyncio.sleep(20.0)  # the drift is in full swing, and records wait for the index
        source = DirectSource(simulator, pace=case.pace)
        began = asyncio.get_running_loop().time()
        certificate = await export(
            source, case.walk, to=to, clock=VirtualClock(seed), concurrency=case.concurrency
        )
        return certificate, began, asyncio.get_running_loop().time()

    with tempfile.TemporaryDirectory(dir=folder) as place:
        output = Path(place) / "out.jsonl"
        certificate, began, ended = run_virtual(run(output))
        rows = [msgspec.json.decode(line) for line in output.read_bytes().splitlines()]
    ids = [row[case.walk.id] for row in rows]
    survivors = herd.survivors(began, ended)
    lost = herd.survivors(began, began) - survivors
    return Outcome(
        seed=seed, kind=kind, proven=certificate.proven, survivors=len(survivors),
        missed=len(survivors - set(ids)), doubled=len(ids) - len(set(ids)),
        changes=len(lost) + len(herd.survivors(ended, ended) - survivors), certificate=certificate,
    )  # fmt: skip
