"""What pacing promises beside use and refusals: `python benchmarks/pacing_promises.py [--seeds 20]`.

R2  announced limits with absolute resets, on a client whose clock is thirty seconds wrong
R3  windows of sends over a declared limit, counted at every alignment
R6  sends before a wait that the server asked for is over, and canaries a gate
R7  a penal limit for a day
R8  ten minutes of 503: attempts, and the speed after it

All on virtual time.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from bisect import bisect_left
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.simulate_pacing import (
    HOUR,
    RULES,
    Client,
    FixedWindow,
    Outcome,
    TokenBucket,
    run_rule,
    simulate,
)
from nimble_async import NimbleClient
from nimble_async._sansio.message import Request, Response
from nimble_async._sansio.pacing import Pacer
from nimble_async.config import RateLimit
from nimble_async.errors import CrmError
from nimble_async.testing import Simulator, SimulatorTransport
from nimble_async.testing.clock import EPOCH, VirtualClock, run_virtual
from nimble_async.testing.rates import FixedWindow as SimulatedWindow
from nimble_async.testing.rates import Rates
from nimble_async.testing.world import World

_USER = b'{"user_id": "0123456789abcdef01234567", "name": "A", "email": "a@example.com"}'


def skewed(skew: float, seconds: float = 600.0) -> tuple[float, float]:
    """R2: return use and refusals of a client whose clock is `skew` seconds wrong."""
    rates = Rates(SimulatedWindow(600.0, 60.0), announce="epoch")
    simulator = Simulator(World(contacts=1, deals=0), rates=rates, latency=0.1)

    async def story() -> None:
        nimble = NimbleClient(
            api_key=simulator.api_key, base_url="http://127.0.0.1:1", transport=SimulatorTransport(simulator),
            clock=VirtualClock(seed=1, epoch=EPOCH + skew),
        )  # fmt: skip

        async def worker() -> None:
            while asyncio.get_running_loop().time() < seconds:
                await nimble.request("GET", "/api/v1/myself")

        await asyncio.gather(*(worker() for _ in range(8)))
        await nimble.aclose()

    run_virtual(story(), debug=False)
    seen = simulator.statistics()
    admitted = seen["requests"] - seen["rate_limited"]
    return admitted / (10 * seconds), seen["rate_limited"] / seen["requests"]


def windows(seeds: range) -> tuple[int, int, int]:
    """R3: return windows counted, windows over the limit, and refusals met, under declared limits."""
    counted = over = refused = 0
    for seed in seeds:
        rng = random.Random(seed)
        cases: list[tuple[Any, RateLimit]] = [
            (TokenBucket(10, 10), RateLimit(10)),
            (FixedWindow(10, 1, rng.random()), RateLimit(10)),
            (FixedWindow(5, 1, rng.random()), RateLimit(5)),
            (FixedWindow(600, 60, 60 * rng.random()), RateLimit(600, 60)),
        ]
        for server, limit in cases:
            run = simulate(server, [Client(Pacer(limit))], seed=seed, until=HOUR / 2)
            sent, quota = run.sent[0], int(limit.limit)
            counted += len(sent)
            over += sum(
                later - first < limit.window - 1e-9 for first, later in zip(sent, sent[quota:], strict=False)
            )
            refused += run.refused
    return counted, over, refused


def obedience(run: Outcome) -> tuple[int, int, int]:
    """R6: return waits asked for, sends before they were over, and the most canaries of one gate."""
    sent = sorted(at for times in run.sent for at in times)
    early = canaries = 0
    for at, until in run.waits:
        early += bisect_left(sent, until) - bisect_left(sent, at + 1e-9)
        opened = bisect_left(run.answers, until)
        if opened < len(run.answers):
            canaries = max(canaries, bisect_left(sent, run.answers[opened]) - bisect_left(sent, until))
    return len(run.waits), early, canaries


class Broken:
    """A transport whose server answers 503 until `recovers` (seconds of the loop's time)."""

    def __init__(self, recovers: float) -> None:
        self.recovers = recovers
        self.sent: list[float] = []

    async def send(self, request: Request, *, timeout: float | None = None) -> Response:
        """Answer after a tenth of a second."""
        del request, timeout
        now = asyncio.get_running_loop().time()
        self.sent.append(now)
        await asyncio.sleep(0.1)
        status = 503 if now < self.recovers else 200
        return Response(status=status, headers={"content-type": "application/json"}, body=_USER)

    async def aclose(self) -> None:
        """Nothing is open."""


def outage(seconds: float = 600.0) -> tuple[int, int, int, float]:
    """R8: return calls, attempts and the most of one call while down, and the speed after a minute."""
    transport = Broken(seconds)
    calls = most = 0

    async def story() -> None:
        nonlocal calls, most
        nimble = NimbleClient(
            api_key="k", base_url="http://127.0.0.1:2", rate="10/1s", transport=transport,
            clock=VirtualClock(seed=1),
        )  # fmt: skip

        async def worker() -> None:
            nonlocal calls, most
            loop = asyncio.get_running_loop()
            while loop.time() < seconds + 120:
                calls += loop.time() < seconds
                try:
                    await nimble.request("GET", "/api/v1/myself")
                except CrmError as error:
                    most = max(most, error.call.attempts if error.call else 0)

        await asyncio.gather(*(worker() for _ in range(16)))
        await nimble.aclose()

    run_virtual(story(), debug=False)
    down = sum(at < seconds for at in transport.sent)
    after = sum(seconds + 60 <= at < seconds + 120 for at in transport.sent) / 60
    return calls, down, most, after / 9.8


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.seeds)
    for skew in (-30.0, 0.0, 30.0):
        use, refused = skewed(skew)
        print(f"R2 absolute resets, clock {skew:+.0f} s: use {use:.1%}, 429 {refused:.2%}", flush=True)
    counted, over, refusals = windows(seeds)
    print(f"R3 {counted:,} windows of sends, {over} over the limit; {refusals} refusals met", flush=True)
    waits = early = canaries = 0
    for seed in seeds:
        for rule in (RULES[3], RULES[4]):
            asked, before, most = obedience(run_rule(rule, seed))
            waits, early, canaries = waits + asked, early + before, max(canaries, most)
    print(
        f"R6 {waits} waits asked for, {early} sends before their end, {canaries} canary at most", flush=True
    )
    day = replace(RULES[9], hours=24.0)
    runs = [run_rule(day, seed) for seed in seeds]
    use = mean(run.admitted / (day.allowed * 24 * HOUR) for run in runs)
    print(
        f"R7 a penal limit for 24 h: use {use:.1%}, {mean(run.refused / 24 for run in runs):.1f} refusals/h, "
        f"most {max(run.refused / 24 for run in runs):.1f}",
        flush=True,
    )
    calls, attempts, most, after = outage()
    print(
        f"R8 ten minutes of 503: {attempts} attempts of {calls} calls ({attempts / calls:.2f}), {most} at "
        f"most for one, the bound {1.1 * calls + 605:.0f}; a minute later {after:.0%} of full speed"
    )


if __name__ == "__main__":
    main()
