"""Processes that share one rate budget through a real Redis: what they use, how evenly, and never more.

    python benchmarks/shared_budget.py [--processes 16] [--rate 50/1s] [--seconds 20] [--only steady,gate]
                                       [--seeds 5]

`steady`   every process always has work: use of the configured rate, the fullest window of a second
           (slots by Redis's clock, and sends), Jain's index, the time of the script
`gate`     one process is refused and told to wait three seconds: sends of all others until then
`lost`     Redis is killed after a third of the time and started again after two thirds
`clients`  4 processes with a real client each against a simulated account with a bucket of 10/s
`searched` a limit that nobody declared (and one that was), met by 4 and by 16 processes together, beside
           one process without a shared budget: use, refused, Jain's index, events and cuts. Half an hour
           of virtual time for each seed, latency log-normal with a mean of 200 ms; the rules of the
           script in a model that a property test holds against it

It starts a `redis-server` of its own on a free port.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import multiprocessing
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, quantiles
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import redis.asyncio  # noqa: F401 (loaded once, before the processes are made)

from benchmarks.simulate_pacing import RULES, FixedWindow, Rule
from nimble_async._aio.clock import SystemClock
from nimble_async._aio.ports import SharedBudget
from nimble_async._aio.throttle import Throttle
from nimble_async._sansio.sharing import Ask, News
from nimble_async.config import RateLimit
from nimble_async.nimble.client import NimbleClient
from nimble_async.stores.redis_budget import RedisBudget
from nimble_async.testing import ServedSimulator, SimulateOptions
from nimble_async.testing.clock import VirtualClock, run_virtual
from nimble_async.testing.options import build
from tests.services import RedisServer, running_redis
from tests.stores.budget_model import Keeper, ModelBudget

BURST = 1


@dataclass
class Watched:
    """A budget that writes down what it was told; instants are Redis's, in seconds."""

    inner: RedisBudget
    name: str = "watched"
    presumed: int = 16
    slots: list[float] = field(default_factory=list)
    took: list[tuple[float, float]] = field(default_factory=list)
    closed_at: float = 0.0

    async def exchange(self, scope: str, ask: Ask) -> News:
        """Pass it on and write it down."""
        began = time.perf_counter()
        news = await self.inner.exchange(scope, ask)
        self.took.append((time.time(), time.perf_counter() - began))
        if ask.back_to:
            # Slots that went back unused are granted a second time.
            self.slots[:] = [slot for slot in self.slots if slot < ask.back_from / 1e6 - 1e-6]
        for number in range(news.granted):
            slot = max(news.now, news.start + number * news.interval - news.tolerance)
            self.slots.append(slot / 1e6)
        if ask.refused and news.closed:
            self.closed_at = news.now / 1e6
        return news

    async def aclose(self) -> None:
        """Close what is inside."""
        await self.inner.aclose()


@dataclass
class Report:
    """What one process did. Instants are wall seconds; sends of a machine and its Redis share that clock."""

    sends: list[float]
    slots: list[float] = field(default_factory=list)
    took: list[tuple[float, float]] = field(default_factory=list)
    closed_at: float = 0.0
    refused: int = 0
    modes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    """What the processes do: keep `callers` calls at work between two instants of the wall clock."""

    begin: float
    end: float
    callers: int = 4
    latency: float = 0.02
    refusal_at: float = 0.0
    """When process 0 is refused once and told to wait three seconds; 0: never."""


async def work(number: int, url: str, rate: RateLimit | None, plan: Plan) -> Report:
    """Be one process."""
    clock = SystemClock()
    budget = Watched(RedisBudget(url))
    shared: SharedBudget = budget
    throttle = Throttle(clock, rate=rate, shared=shared, scope="benchmark")
    report = Report([], budget.slots, budget.took)
    due = [plan.refusal_at] if number == 0 and plan.refusal_at else []

    async def caller() -> None:
        while time.time() < plan.end:
            with contextlib.suppress(TimeoutError):
                async with throttle.slot(deadline=clock.monotonic() + plan.end - time.time()) as slot:
                    report.sends.append(time.time())
                    await asyncio.sleep(plan.latency)
                    if due and time.time() >= due[0]:
                        due.clear()
                        slot.answered(429, {"retry-after": "3"})
                    else:
                        slot.answered(200, {})

    await asyncio.sleep(max(0.0, plan.begin - time.time()))
    tasks = [asyncio.create_task(caller()) for _ in range(plan.callers)]
    while time.time() < plan.end:
        await asyncio.sleep(0.25)
        report.modes.append(str(throttle.statistics().sharing))
    await asyncio.wait(tasks)
    report.refused = throttle.statistics().refused
    report.closed_at = budget.closed_at
    await throttle.aclose()
    return report


async def clients(number: int, base_url: str, key: str, url: str, plan: Plan) -> Report:
    """Be one process with a real client that always has work."""
    report = Report([])
    async with NimbleClient(api_key=key, base_url=base_url, rate="10/1s", budget=RedisBudget(url)) as nimble:

        async def caller() -> None:
            while time.time() < plan.end:
                await nimble.users.me()
                report.sends.append(time.time())

        await asyncio.sleep(max(0.0, plan.begin - time.time()))
        await asyncio.wait([asyncio.create_task(caller()) for _ in range(plan.callers)])
        report.refused = nimble.statistics().throttle.refused
    return report


def _in_process(answers: Any, make: Callable[..., Any], number: int, arguments: Sequence[Any]) -> None:
    answers.put((number, asyncio.run(make(number, *arguments))))


def in_processes(
    make: Callable[..., Any],
    count: int,
    *arguments: Any,
    meanwhile: Callable[[], None] = lambda: None,
) -> list[Report]:
    """Run `make(number, *arguments)` in so many processes; return what each reports."""
    # Processes are made of one that has everything loaded and no threads.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.shared_budget"])
    answers = context.Queue()
    processes = [
        context.Process(target=_in_process, args=(answers, make, number, arguments), daemon=True)
        for number in range(count)
    ]
    for process in processes:
        process.start()
    meanwhile()
    reports = dict(answers.get(timeout=120) for _ in processes)
    for process in processes:
        process.join(10)
    return [reports[number] for number in range(count)]


def fullest(instants: list[float], window: float) -> int:
    """Return the most instants in any window of that length."""
    ordered, most, first = sorted(instants), 0, 0
    for last, instant in enumerate(ordered):
        while instant - ordered[first] >= window - 1e-6:
            first += 1
        most = max(most, last - first + 1)
    return most


def jain(shares: Sequence[int]) -> float:
    """Return Jain's index of fairness: 1 is even."""
    return sum(shares) ** 2 / max(1, len(shares) * sum(share * share for share in shares))


def percentiles(took: list[float]) -> tuple[float, float]:
    """Return median and 99th percentile, in milliseconds."""
    cuts = quantiles(took, n=100)
    return 1e3 * cuts[49], 1e3 * cuts[98]


@dataclass(frozen=True)
class Figures:
    """What a run came to."""

    use: float
    slots: int
    sends: int
    allowed: int
    jain: float
    p50: float
    p99: float


def judge(reports: list[Report], limit: RateLimit, begin: float, end: float) -> Figures:
    """Return the figures of the time between two instants."""
    sends = [at for report in reports for at in report.sends if begin <= at < end]
    slots = [at for report in reports for at in report.slots]
    p50, p99 = percentiles([took for report in reports for at, took in report.took if begin <= at < end])
    return Figures(
        use=len(sends) / (limit.limit / limit.window * (end - begin)),
        slots=fullest(slots, limit.window),
        sends=fullest(sends, limit.window),
        allowed=int(limit.limit) + BURST,
        jain=jain([sum(begin <= at < end for at in report.sends) for report in reports]),
        p50=p50,
        p99=p99,
    )


def steady(processes: int, limit: RateLimit, seconds: float, redis: RedisServer) -> Figures:
    """Let every process always have work; the first and the last second are not counted."""
    begin = time.time() + 1.5 + processes * 0.05
    plan = Plan(begin, begin + seconds + 2)
    reports = in_processes(work, processes, redis.url, limit, plan)
    return judge(reports, limit, begin + 1, begin + 1 + seconds)


def gate(processes: int, limit: RateLimit, redis: RedisServer) -> tuple[int, int, float]:
    """Refuse one call: return sends of others behind the gate, refusals, and seconds until the next send."""
    begin = time.time() + 1.5 + processes * 0.05
    plan = Plan(begin, begin + 8, refusal_at=begin + 2)
    reports = in_processes(work, processes, redis.url, limit, plan)
    closed = reports[0].closed_at
    sends = sorted(at for report in reports for at in report.sends)
    leaked = sum(closed < at < closed + 3 for at in sends)
    after = [at for at in sends if at >= closed + 3]
    return leaked, sum(report.refused for report in reports), (after[0] - closed) if after else -1.0


def lost(processes: int, limit: RateLimit, seconds: float, redis: RedisServer) -> dict[str, Any]:
    """Kill Redis in the middle and start it again: return windows and use of each third."""
    begin = time.time() + 1.5 + processes * 0.05
    third = seconds / 3
    plan = Plan(begin, begin + seconds)
    moments: list[float] = []

    def meanwhile() -> None:
        time.sleep(max(0.0, begin + third - time.time()))
        redis.stop()
        moments.append(time.time())
        time.sleep(max(0.0, begin + 2 * third - time.time()))
        redis.start()
        moments.append(time.time())

    reports = in_processes(work, processes, redis.url, limit, plan, meanwhile=meanwhile)
    sends = [at for report in reports for at in report.sends]
    died, came = moments
    parts = {"before": (begin + 1, died), "away": (died + 2, came), "back": (came + 4, begin + seconds)}
    rate = limit.limit / limit.window
    return {
        "fullest": fullest(sends, limit.window),
        "allowed": int(limit.limit) + BURST,
        "use": {name: sum(a <= at < b for at in sends) / (rate * (b - a)) for name, (a, b) in parts.items()},
        "own": sum("own share" in report.modes for report in reports),
        "shared again": sum(report.modes[-1] == "shared" for report in reports),
    }


def real_clients(processes: int, seconds: float, redis: RedisServer) -> tuple[int, int, float]:
    """Let real clients call an account that allows 10/s: return answers, 429s, and the share of 10/s used."""
    with ServedSimulator(build(SimulateOptions(contacts=10, deals=10, rate="10/1s"))) as served:
        begin = time.time() + 2
        plan = Plan(begin, begin + seconds)
        reports = in_processes(clients, processes, served.base_url, served.api_key, redis.url, plan)
        stats = served.simulator.statistics()
    answered = [at for report in reports for at in report.sends]
    inside = sum(begin + 1 <= at < begin + seconds for at in answered)
    return len(answered), int(stats["rate_limited"]), inside / (10 * (seconds - 1))


HALF_HOUR = 1800.0
TOLD = Rule("the same, declared 10/1s", lambda rng: FixedWindow(10, 1, rng.random()), 10)
SEARCHED = (
    RULES[0],
    RULES[2],
    Rule("fixed window 10/1 s", lambda rng: FixedWindow(10, 1, rng.random()), 10),
    TOLD,
    RULES[5],
)


class CountedKeeper(Keeper):
    """A keeper that counts events, and the changes of what is known that follow from them."""

    def __init__(self) -> None:
        super().__init__()
        self.events = self.cuts = 0

    def exchange(self, ask: Ask, now: float) -> News:
        """Do one exchange."""
        event, version, pending = (self.s[name] for name in ("event", "version", "pending"))
        news = super().exchange(ask, now)
        self.events += event > 0 and news.event != event
        self.cuts += bool(pending) and news.version != version
        return news


@dataclass
class Search:
    """What a search came to: admitted calls of each process, refused ones, events and cuts."""

    admitted: list[int]
    refused: int = 0
    events: int = 0
    cuts: int = 0


def search(rule: Rule, processes: int, seed: int, *, shared: bool) -> Search:
    """Let processes of sixteen workers in all search for a limit that only the server knows, unless told."""
    rate = RateLimit(rule.allowed) if rule is TOLD else None

    async def run() -> Search:
        rng, clock, keeper = random.Random(seed), VirtualClock(seed), CountedKeeper()
        server, budget, found = rule.server(rng), ModelBudget(clock, trip=0.002), Search([0] * processes)
        budget.keeper = keeper
        throttles = [
            Throttle(clock, rate=rate, shared=budget if shared else None, scope="search")
            for _ in range(processes)
        ]

        async def way() -> None:
            await asyncio.sleep(rng.lognormvariate(math.log(0.1) - 0.125, 0.5))

        async def worker(number: int) -> None:
            while True:
                async with throttles[number].slot() as slot:
                    await way()
                    wait = server.ask(clock.monotonic())
                    await way()
                    headers = {"retry-after": str(math.ceil(wait))} if wait and rule.retry_after else {}
                    slot.answered(200 if wait is None else 429, headers)
                found.admitted[number] += wait is None
                found.refused += wait is not None

        workers = max(1, 16 // processes)
        tasks = [asyncio.create_task(worker(number)) for number in range(processes) for _ in range(workers)]
        await asyncio.sleep(HALF_HOUR)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        found.events, found.cuts = keeper.events, keeper.cuts
        return found

    return run_virtual(run())


def searched(seeds: range) -> Iterator[str]:
    """Yield a line for each server rule and number of processes."""
    yield f"{'':28}{'processes':>14} {'use':>7} {'least':>7} {'429':>7} {'Jain':>7} {'events':>7} {'cuts':>5}"
    for rule in SEARCHED:
        for processes in (0, 4, 16):
            runs = [search(rule, processes or 1, seed, shared=processes > 0) for seed in seeds]
            use = [sum(run.admitted) / (rule.allowed * HALF_HOUR) for run in runs]
            refused = mean(run.refused / (run.refused + sum(run.admitted)) for run in runs)
            events, cuts = (sum(getattr(run, name) for run in runs) for name in ("events", "cuts"))
            counts = f"{events:7} {cuts:5}" if processes else ""
            yield (
                f"{rule.name:28}{processes or '1, not shared':>14} {mean(use):7.1%} {min(use):7.1%} "
                f"{refused:7.2%} {min(jain(run.admitted) for run in runs):7.4f} {counts}"
            )


def main() -> None:
    """Run what is asked for and print it."""
    parser = argparse.ArgumentParser(description="Processes that share one rate budget through Redis.")
    parser.add_argument("--processes", type=int, default=16)
    parser.add_argument("--rate", type=RateLimit.parse, default=RateLimit(50))
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--only", default="steady,gate,lost,clients,searched")
    parser.add_argument("--seeds", type=int, default=5, help="of the search")
    asked = parser.parse_args()
    limit: RateLimit = asked.rate
    title = f"{asked.processes} processes, {limit.limit:g} calls in {limit.window:g} s"
    for name in asked.only.split(","):
        with running_redis() as redis:
            if name == "steady":
                found = steady(asked.processes, limit, asked.seconds, redis)
                print(f"steady: {title}, {asked.seconds:g} s")
                print(f"  use of the rate               {found.use:7.2%}   wanted 98 %")
                print(f"  slots in the fullest window   {found.slots:7}   at most {found.allowed}")
                print(f"  sends in the fullest window   {found.sends:7}   at most {found.allowed}")
                print(f"  Jain's index                  {found.jain:7.4f}   wanted 0.99")
                print(f"  script, p50 / p99             {found.p50:.2f} / {found.p99:.2f} ms   wanted 10 ms")
            elif name == "gate":
                leaked, refused, after = gate(asked.processes, limit, redis)
                print(f"gate: {title}, closed for 3 s")
                print(f"  sends behind it               {leaked:7}   at most {asked.processes}, aimed at 0")
                print(f"  refusals                      {refused:7}")
                print(f"  seconds until the next send   {after:7.2f}")
            elif name == "lost":
                gone = lost(asked.processes, limit, 3 * asked.seconds / 2, redis)
                use = ", ".join(f"{part} {share:.1%}" for part, share in gone["use"].items())
                print(f"lost: {title}, Redis killed and started again")
                print(f"  sends in the fullest window   {gone['fullest']:7}   at most {gone['allowed']}")
                print(f"  use of the rate               {use}")
                print(f"  went on with their own share  {gone['own']:7}, shared again {gone['shared again']}")
            elif name == "clients":
                answered, refused, use_of = real_clients(4, asked.seconds, redis)
                print("clients: 4 processes with a client each, a simulated account of 10/s, a bucket of 10")
                print(f"  answers {answered}, 429s {refused} (wanted 0), use {use_of:.1%}")
            elif name == "searched":
                print("searched: a limit that nobody declared, half an hour of virtual time")
                for line in searched(range(asked.seeds)):
                    print(line, flush=True)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
