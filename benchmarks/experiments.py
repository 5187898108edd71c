"""Five experiments that other clients fail, over real HTTP: `python benchmarks/experiments.py`.

E1  60 calls at once against 10 a second: all answered, refused, time, connections
E2  two calls wait for one token renewal and the first is cancelled: token requests
E3  a hundred first calls at once with an expired token: token requests
E4  one client in two `asyncio.run`: whether the second works
E5  twenty calls, one after another: connections

Counts and ratios only; the simulator is the shipped one, on loopback.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

from msgspec import Struct

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from nimble_async import NimbleClient, OAuth
from nimble_async.testing import Simulator
from nimble_async.testing.rates import RATE_RULES, Rates
from nimble_async.testing.server import ServedSimulator, SimulatorServer
from nimble_async.testing.world import World

CALLS = 60
RULES = ("token-bucket", "fixed-window")


class Storm(Struct, frozen=True, kw_only=True):
    """What sixty calls at once came to."""

    rule: str
    declared: bool
    answered: int
    refused: int
    """Answers 429 that the simulator gave."""
    connections: int
    seconds: float

    @property
    def share(self) -> float:
        """Refused / sent."""
        return self.refused / (self.answered + self.refused)


def _account(**more: Any) -> Simulator:
    return Simulator(World(contacts=1, deals=0), **more)


async def storm(rule: str, *, declared: bool) -> Storm:
    """E1: sixty calls at once against 10/1s by this rule, with Retry-After."""
    simulator = _account(rates=Rates(RATE_RULES[rule](10.0, 1.0), retry_after=True))
    async with SimulatorServer(simulator) as server:
        rate = "10/1s" if declared else None
        async with NimbleClient(api_key=server.api_key, base_url=server.base_url, rate=rate) as nimble:
            began = time.perf_counter()
            answers = await asyncio.gather(*(nimble.users.me() for _ in range(CALLS)))
            seconds = time.perf_counter() - began
        seen = simulator.statistics()
    return Storm(
        rule=rule,
        declared=declared,
        answered=len(answers),
        refused=seen["rate_limited"],
        connections=seen["connections"],
        seconds=seconds,
    )


async def storms() -> list[Storm]:
    """E1 under both rules, declared and unknown, side by side."""
    return await asyncio.gather(
        *(storm(rule, declared=declared) for rule in RULES for declared in (True, False))
    )


def _login(server: SimulatorServer) -> OAuth:
    """Return a login whose access token is spent, so that the first call renews it."""
    oauth = server.simulator.oauth
    pair = oauth.issue(server.now())
    return OAuth(
        client_id=oauth.client_id, client_secret=oauth.client_secret, token=str(pair["refresh_token"])
    )


async def cancelled_leader() -> tuple[int, bool]:
    """E2: return the token requests, and whether the second call was answered."""
    simulator = _account(latency=0.2)
    async with SimulatorServer(simulator) as server:
        login = _login(server)
        async with NimbleClient(credentials=login, base_url=server.base_url) as nimble:
            first = asyncio.create_task(nimble.users.me())
            second = asyncio.create_task(nimble.users.me())
            await asyncio.sleep(0.1)
            first.cancel()
            ended = await asyncio.gather(first, second, return_exceptions=True)
        return simulator.statistics()["refreshes"], not isinstance(ended[1], BaseException)


async def stampede(calls: int = 100) -> tuple[int, int]:
    """E3: return the token requests and the calls answered."""
    simulator = _account()
    async with SimulatorServer(simulator) as server:
        login = _login(server)
        async with NimbleClient(credentials=login, base_url=server.base_url, rate="unlimited") as nimble:
            answers = await asyncio.gather(*(nimble.users.me() for _ in range(calls)))
        return simulator.statistics()["refreshes"], len(answers)


def two_runs() -> tuple[bool, int]:
    """E4: return whether both runs saw the same user, and the connections left open."""
    with ServedSimulator(_account()) as served:
        nimble = NimbleClient(api_key=served.api_key, base_url=served.base_url)

        async def who() -> str:
            return (await nimble.users.me()).id

        async def last() -> str:
            async with nimble:
                return await who()

        return asyncio.run(who()) == asyncio.run(last()), nimble.statistics().connections


async def churn(calls: int = 20) -> int:
    """E5: return the connections that so many calls in a row open."""
    simulator = _account()
    async with SimulatorServer(simulator) as server:
        async with NimbleClient(api_key=server.api_key, base_url=server.base_url, rate="unlimited") as nimble:
            for _ in range(calls):
                await nimble.users.me()
        return int(simulator.statistics()["connections"])


def main() -> int:
    """Print the table; the exit code is 1 where something is missed."""
    holds: list[bool] = []

    def row(name: str, wanted: str, measured: str, *, ok: bool) -> None:
        holds.append(ok)
        print(f"{name:48} {wanted:44} {measured:44} {'met' if ok else 'MISSED'}", flush=True)

    print(f"{'experiment':48} {'wanted':44} measured")
    found = asyncio.run(storms())
    times = {(one.rule, one.declared): one.seconds for one in found}
    for one in found:
        most = {("token-bucket", True): 0.0, ("fixed-window", True): 0.02}.get((one.rule, one.declared), 0.03)
        slower = one.seconds / times[one.rule, True]
        row(
            f"E1 {one.rule}, {'declared' if one.declared else 'unknown'}",
            f"60 answered, 429 <= {most:.0%}, 8 connections" + ("" if one.declared else ", time <= 2x"),
            f"{one.answered}, {one.share:.1%}, {one.connections}, {slower:.2f}x",
            ok=one.answered == CALLS and one.share <= most and one.connections <= 8 and slower <= 2,
        )
    requests, answered = asyncio.run(cancelled_leader())
    row("E2 cancelled leader", "1 token request", f"{requests}", ok=requests == 1 and answered)
    requests, calls = asyncio.run(stampede())
    row("E3 100 first calls", "1 token request", f"{requests}, {calls} answered", ok=requests == 1)
    same, left = two_runs()
    row("E4 two asyncio.run", "both work, nothing left open", f"{same}, {left} open", ok=same and left == 0)
    connections = asyncio.run(churn())
    row("E5 20 calls in a row", "1 connection", f"{connections}", ok=connections == 1)
    return 0 if all(holds) else 1


if __name__ == "__main__":
    sys.exit(main())
