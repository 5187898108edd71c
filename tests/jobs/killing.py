"""Kill a running export with SIGKILL, run it again until it is done, and look at what is there.

Run as a module it prints one JSON line with counts. Each export is a process forked from this one,
which has everything imported, so a kill costs milliseconds; the simulator is another process
behind real HTTP. An export dies at a random instant, or right after its n-th durable step.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from nimble_async import NimbleClient
from nimble_async._aio.clock import SystemClock
from nimble_async._sansio.walk import Walk
from nimble_async.activecampaign.client import ActiveCampaignClient
from nimble_async.activecampaign.walks import DEALS
from nimble_async.errors import OutputExists
from nimble_async.jobs.export import certificate_path, export, work_folder
from nimble_async.nimble.walks import CONTACTS
from nimble_async.testing import Drift, Simulator, SimulatorServer, World
from nimble_async.testing.activecampaign.world import DealsWorld

AT_REST = 600
"""Records of the world that does not change."""
MOST_KILLS_OF_ONE = 6
ALREADY_DONE = 9


class Setting(Struct, frozen=True, kw_only=True):
    """What is exported: a vendor, its records, and how they are read."""

    crm: str
    kind: str
    """`contacts` or `deals`."""
    walk: Walk

    def simulator(self, count: int, *, seed: int, drift: Drift = Drift()) -> Simulator:  # noqa: B008 (frozen)
        """Make an account of so many records."""
        world = WORLDS[self.crm](
            contacts=count if self.kind == "contacts" else 5,
            deals=count if self.kind == "deals" else 0,
            seed=seed,
            epoch=time.time(),
            drift=drift,
        )
        return Simulator(world, crm=self.crm)

    def client(self, url: str, key: str) -> NimbleClient | ActiveCampaignClient:
        """Open a client that no limit slows down."""
        if self.crm == "activecampaign":
            return ActiveCampaignClient(api_token=key, base_url=url, rate="100000/1s")
        return NimbleClient(api_key=key, base_url=url, rate="100000/1s")


FAULTS = ("failed", "unproven", "wrong_hash", "left_behind", "doubled")
"""What is counted although it never happens."""
WORLDS: dict[str, type[World]] = {"nimble": World, "activecampaign": DealsWorld}
SETTINGS = {
    # Small pages make a small world a long walk; the index of this simulator has no lag to wait for.
    "nimble": Setting(crm="nimble", kind="contacts", walk=replace(CONTACTS, limit=20, lag=-1)),
    "activecampaign": Setting(crm="activecampaign", kind="deals", walk=replace(DEALS, limit=20)),
}


def serve(simulator: Simulator) -> tuple[int, str]:
    """Fork a process that serves; return its id and its address."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:

        async def run() -> None:
            async with SimulatorServer(simulator) as server:
                os.write(writing, server.base_url.encode())
                os.close(writing)
                await asyncio.Event().wait()

        asyncio.run(run())
    os.close(writing)
    with os.fdopen(reading) as pipe:
        return pid, pipe.read()


def launch(setting: Setting, url: str, key: str, output: Path, *, die_at: int = 0, report: int = -1) -> int:
    """Fork one export; with `die_at` it kills itself after that durable step. Return its process id."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    steps: list[str] = []

    def trace(step: str, path: Path) -> None:
        steps.append(f"{step} {path.name}")
        if len(steps) == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    async def run() -> None:
        async with setting.client(url, key) as client:
            await export(
                client.executor,
                setting.walk,
                to=output,
                clock=SystemClock(),
                concurrency=3,
                commit_every=0.01,
                trace=trace,
            )

    try:
        asyncio.run(run())
        code = 0
        if report >= 0:
            os.write(report, json.dumps(steps).encode())
    except OutputExists:
        code = ALREADY_DONE
    except BaseException as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.stderr.flush()
    finally:
        os._exit(code)


def ended(pid: int, *, within: float = 30.0) -> int:
    """Wait for a process; return its exit code, negative for the signal that ended it."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.001)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise RuntimeError("an export did not end")


def uninterrupted(setting: Setting, url: str, key: str, output: Path) -> tuple[list[str], float]:
    """Run one export to its end; return its durable steps and its seconds."""
    reading, writing = os.pipe()
    began = time.monotonic()
    pid = launch(setting, url, key, output, report=writing)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        steps = json.loads(pipe.read() or "[]")
    if ended(pid) != 0:
        raise RuntimeError("the uninterrupted export failed")
    return steps, time.monotonic() - began


def existing(url: str, kind: str) -> set[str]:
    """Return the ids that exist now."""
    with urllib.request.urlopen(f"{url}/__simulator__/world", timeout=10) as answer:
        return set(json.load(answer)[kind])


class Loop:
    """Exports that are killed, one after another."""

    def __init__(
        self, setting: Setting, url: str, key: str, folder: Path, *, seed: int, steps: int, seconds: float
    ) -> None:
        self.setting = setting
        self.url = url
        self.key = key
        self.folder = folder
        self.chance = random.Random(seed)
        self.steps = steps
        self.seconds = seconds
        self.counts: Counter[str] = Counter(dict.fromkeys(FAULTS, 0))

    def export_killed(self, number: int, *, plan: list[int] | None = None) -> Path:
        """Export once, killed as planned (steps to die after) or at random, and again until it is done."""
        output = self.folder / f"out-{number}.jsonl"
        deaths = plan if plan is not None else [0] * self.chance.randint(1, MOST_KILLS_OF_ONE)
        for death in deaths:
            if self._once(output, death, at_random=plan is None):
                break
        else:
            code = ended(launch(self.setting, self.url, self.key, output))
            if code != 0 and not (code == ALREADY_DONE and certificate_path(output).exists()):
                self.counts["failed"] += 1
        self.counts["exports"] += 1
        return output

    def _once(self, output: Path, death: int, *, at_random: bool) -> bool:
        """Start and kill once; return whether it was done before it died."""
        by_step = not at_random or self.chance.random() < 0.4
        die_at = death or (self.chance.randint(1, self.steps) if by_step else 0)
        pid = launch(self.setting, self.url, self.key, output, die_at=die_at)
        if not by_step:
            time.sleep(self.chance.uniform(0, self.seconds * 1.1))
            os.kill(pid, signal.SIGKILL)
        code = ended(pid)
        if code == -signal.SIGKILL:
            self.counts["kills"] += 1
            self.counts["kills_at_steps" if by_step else "kills_at_instants"] += 1
            if output.exists() and not certificate_path(output).exists():
                self.counts["kills_between_file_and_certificate"] += 1
            return False
        done = code == 0 or (code == ALREADY_DONE and certificate_path(output).exists())
        self.counts["failed"] += not done
        return done

    def inspect(self, output: Path) -> list[str]:
        """Return the ids in a finished file, noting whatever else is wrong with what is there."""
        if not (output.exists() and certificate_path(output).exists()):
            self.counts["failed"] += 1
            return []
        certificate = json.loads(certificate_path(output).read_bytes())
        data = output.read_bytes()
        self.counts["unproven"] += certificate["completeness"] != "proven"
        self.counts["wrong_hash"] += certificate["output"]["sha256"] != hashlib.sha256(data).hexdigest()
        self.counts["resumed"] += certificate["resumed"]
        self.counts["left_behind"] += work_folder(output).exists()
        ids = [json.loads(line)["id"] for line in data.splitlines()]
        self.counts["doubled"] += len(ids) - len(set(ids))
        return ids

    def clear(self, output: Path) -> None:
        """Remove what one export made."""
        output.unlink(missing_ok=True)
        certificate_path(output).unlink(missing_ok=True)
        if work_folder(output).exists():
            shutil.rmtree(work_folder(output))


def at_rest(setting: Setting, folder: Path, *, kills: int, seed: int, sweep: bool) -> dict[str, Any]:
    """Kill exports of a world that does not change: each file equals the uninterrupted one's."""
    simulator = setting.simulator(AT_REST, seed=seed)
    server, url = serve(simulator)
    try:
        reference = folder / "reference.jsonl"
        steps, seconds = uninterrupted(setting, url, simulator.api_key, reference)
        expected = reference.read_bytes()
        loop = Loop(setting, url, simulator.api_key, folder, seed=seed, steps=len(steps), seconds=seconds)
        plans: list[list[int] | None] = [[step] for step in range(1, len(steps) + 1)] if sweep else []
        number = 0
        while plans or loop.counts["kills"] < kills:
            output = loop.export_killed(number, plan=plans.pop(0) if plans else None)
            loop.inspect(output)
            loop.counts["other_bytes"] += not output.exists() or output.read_bytes() != expected
            loop.clear(output)
            number += 1
            if number > 20 * kills + 500:
                raise RuntimeError("the exports were hardly killed")
        return {**loop.counts, "steps": steps}
    finally:
        os.kill(server, signal.SIGKILL)
        os.waitpid(server, 0)


def under_drift(setting: Setting, folder: Path, *, kills: int, seed: int) -> dict[str, Any]:
    """Kill exports of a world that changes: everybody who existed throughout is there exactly once."""
    drift = Drift(inserts=20.0, deletes=20.0)
    if setting.kind == "deals":
        drift = Drift(deal_inserts=20.0, deal_deletes=20.0)
    simulator = setting.simulator(2000, seed=seed, drift=drift)
    server, url = serve(simulator)
    try:
        steps, seconds = uninterrupted(setting, url, simulator.api_key, folder / "reference.jsonl")
        loop = Loop(setting, url, simulator.api_key, folder, seed=seed, steps=len(steps), seconds=seconds)
        number = 0
        while loop.counts["kills"] < kills:
            before = existing(url, setting.kind)
            output = loop.export_killed(number)
            after = existing(url, setting.kind)
            survivors = before & after
            ids = loop.inspect(output)
            loop.counts["survivors"] += len(survivors)
            loop.counts["changes"] += len(before ^ after)
            loop.counts["missed"] += len(survivors - set(ids))
            loop.clear(output)
            number += 1
            if number > 20 * kills + 500:
                raise RuntimeError("the exports were hardly killed")
        return dict(loop.counts)
    finally:
        os.kill(server, signal.SIGKILL)
        os.waitpid(server, 0)


def main(arguments: list[str] | None = None) -> int:
    """Run both loops and print what was counted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--crm", choices=sorted(SETTINGS), default="nimble")
    parser.add_argument("--no-sweep", action="store_true", help="leave out one kill after each durable step")
    options = parser.parse_args(arguments)
    setting = SETTINGS[options.crm]
    with tempfile.TemporaryDirectory() as place:
        rest = at_rest(
            setting, Path(place), kills=options.kills * 2 // 3, seed=options.seed, sweep=not options.no_sweep
        )
    with tempfile.TemporaryDirectory() as place:
        kills = options.kills - options.kills * 2 // 3
        drift = under_drift(setting, Path(place), kills=kills, seed=options.seed)
    sys.stdout.write(json.dumps({"at_rest": rest, "under_drift": drift}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
