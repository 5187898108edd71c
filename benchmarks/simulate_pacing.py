"""Closed-loop simulation of pacing: a client that does not know the limit against ten server rules.

    python benchmarks/simulate_pacing.py [--seeds 20] [--first 0] [--rules 1,2,3] [--against report]
                                         [--picture docs/img/pacing.svg]

Virtual time only: an hour takes about a fifth of a second. `use` is admitted / allowed, `429` is
refused / attempts, `least` and `most` are the worst seed's. Latency is log-normal with a mean of
200 ms; 16 workers always have work. The constants were chosen while watching seeds 0 to 11 (the
hour) and 1000 to 1039 (sixty calls); others are new to them.
"""

from __future__ import annotations

import argparse
import heapq
import math
import random
import sys
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.pacing_picture import draw
from benchmarks.report_pace import ReportPace
from nimble_async._sansio.pacing import Pacer, Ticket
from nimble_async._sansio.ratelimits import Policy
from nimble_async.config import RateLimit

HOUR = 3600.0


class TokenBucket:
    """`rate` a second, `burst` at once."""

    def __init__(self, rate: float, burst: float, *, changes: tuple[tuple[float, float], ...] = ()) -> None:
        self.rate, self.burst, self.tokens, self.at, self.changes = rate, burst, burst, 0.0, deque(changes)

    def ask(self, now: float) -> float | None:
        """Return None to admit, else the seconds until it would."""
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        while self.changes and self.changes[0][0] <= now:
            self.rate = self.changes.popleft()[1]
        if self.tokens >= 1:
            self.tokens -= 1
            return None
        return (1 - self.tokens) / self.rate


class FixedWindow:
    """`quota` in each window of `window` seconds, the first begun `phase` seconds ago."""

    def __init__(self, quota: int, window: float, phase: float = 0.0) -> None:
        self.quota, self.window, self.phase = quota, window, phase
        self.current, self.used = -1.0, 0

    def ask(self, now: float) -> float | None:
        """Return None to admit, else the seconds until the next window."""
        index, offset = divmod(now + self.phase, self.window)
        if index != self.current:
            self.current, self.used = index, 0
        if self.used < self.quota:
            self.used += 1
            return None
        return self.window - offset

    def announce(self, now: float) -> Policy:
        """Return what a server that tells would say."""
        left = self.window - (now + self.phase) % self.window
        return Policy(
            quota=self.quota, window=self.window, remaining=self.quota - self.used, reset=math.ceil(left)
        )


class SlidingLog:
    """`quota` in any window of `window` seconds."""

    def __init__(self, quota: int, window: float) -> None:
        self.quota, self.window, self.log = quota, window, deque[float]()

    def ask(self, now: float) -> float | None:
        """Return None to admit, else the seconds until the oldest call is forgotten."""
        while self.log and self.log[0] <= now - self.window:
            self.log.popleft()
        if len(self.log) < self.quota:
            self.log.append(now)
            return None
        return self.log[0] + self.window - now


class Penal:
    """A fixed window whose breach refuses everything for as long as the window is."""

    def __init__(self, quota: int, window: float, phase: float) -> None:
        self.inner, self.until = FixedWindow(quota, window, phase), -1.0
        self.window = window

    def ask(self, now: float) -> float | None:
        """Return None to admit, else the seconds left of the punishment."""
        if now < self.until:
            return self.until - now
        if self.inner.ask(now) is None:
            return None
        self.until = now + self.window
        return self.window


class Punishing(TokenBucket):
    """A token bucket that refuses everything for `block` seconds once it is empty."""

    def __init__(self, rate: float, burst: float, block: float) -> None:
        super().__init__(rate, burst)
        self.block, self.until = block, -1.0

    def ask(self, now: float) -> float | None:
        """Return None to admit, else the seconds left of the punishment."""
        if now >= self.until:
            if super().ask(now) is None:
                return None
            self.until = now + self.block
        return self.until - now


class Both:
    """A limit of seconds and one of minutes; a refused call counts for neither."""

    def __init__(self, bucket: TokenBucket, window: FixedWindow) -> None:
        self.bucket, self.window = bucket, window

    def ask(self, now: float) -> float | None:
        """Return None to admit, else the seconds until the one that is spent admits."""
        wait = self.window.ask(now)
        if wait is None:
            wait = self.bucket.ask(now)
            self.window.used -= wait is not None
        return wait


class Random:
    """Refuses a share of the calls, however slowly they come."""

    def __init__(self, share: float, seed: float) -> None:
        self.share, self.rng = share, random.Random(seed)

    def ask(self, now: float) -> float | None:
        """Return None to admit, else a second."""
        del now
        return 1.0 if self.rng.random() < self.share else None


@dataclass
class Client:
    """One process: `workers` places in flight, `calls` left to make (None: no end)."""

    pacer: Pacer | ReportPace
    workers: int = 16
    calls: int | None = None
    admitted: int = 0
    refused: int = 0
    refusals: list[float] = field(default_factory=list)
    waits: list[tuple[float, float]] = field(default_factory=list)
    at_timer: float = math.inf
    sent: list[float] = field(default_factory=list)


@dataclass
class Outcome:
    """What a run came to."""

    admitted: int
    refused: int
    ended: float
    shares: list[int]
    answers: list[float]
    sent: list[list[float]]
    refusals: list[float]
    waits: list[tuple[float, float]]
    """When the server asked to wait, and until when."""

    @property
    def refusal_share(self) -> float:
        """Return refused / attempts."""
        return self.refused / max(1, self.refused + self.admitted)


class World:
    """Clients, a server and the wire between them, on a heap of things to happen."""

    def __init__(
        self,
        server: Any,
        clients: list[Client],
        *,
        seed: int,
        retry_after: bool,
        announce: bool,
        latency: float,
    ) -> None:
        self.server = server
        self.clients = clients
        self.rng = random.Random(seed)
        self.retry_after = retry_after
        self.announce = announce
        self.latency = latency
        self.heap: list[tuple[float, int, Callable[[float], None]]] = []
        self.serial = 0
        self.answers: list[float] = []

    def later(self, at: float, act: Callable[[float], None]) -> None:
        """Have something happen at `at`."""
        self.serial += 1
        heapq.heappush(self.heap, (at, self.serial, act))

    def half(self) -> float:
        """Return the seconds of one way over the wire."""
        return self.rng.lognormvariate(math.log(self.latency / 2) - 0.125, 0.5) if self.latency > 0 else 1e-4

    def pump(self, client: Client, now: float) -> None:
        """Send what the pacer allows now, and come again when it says so."""
        while client.workers > 0 and (client.calls is None or client.calls > 0):
            decision = client.pacer.admit(now)
            if not isinstance(decision, Ticket):
                if decision.at is not None and decision.at < client.at_timer:
                    client.at_timer = decision.at
                    self.later(decision.at, partial(self.wake, client))
                return
            client.workers -= 1
            if client.calls is not None:
                client.calls -= 1
            client.sent.append(now)
            self.later(now + self.half(), partial(self.arrive, client, decision))

    def wake(self, client: Client, now: float) -> None:
        """Let the client's timer fire."""
        client.at_timer = math.inf
        self.pump(client, now)

    def arrive(self, client: Client, ticket: Ticket, now: float) -> None:
        """Let the server judge a request."""
        wait = self.server.ask(now)
        policy = self.server.announce(now) if self.announce else None
        self.later(now + self.half(), partial(self.answer, client, ticket, wait, policy))

    def answer(
        self, client: Client, ticket: Ticket, wait: float | None, policy: Policy | None, now: float
    ) -> None:
        """Let the client learn."""
        client.workers += 1
        if wait is None:
            client.admitted += 1
            self.answers.append(now)
            client.pacer.admitted(ticket, now, self.rng.random())
        else:
            client.refused += 1
            client.refusals.append(now)
            if client.calls is not None:
                client.calls += 1
            asked = float(math.ceil(wait)) if self.retry_after else None
            if asked is not None:
                client.waits.append((now, now + asked))
            client.pacer.refused(ticket, now, self.rng.random(), asked)
        if policy is not None:
            client.pacer.announced((policy,), now, self.rng.random())
        self.pump(client, now)

    def steal(self, rival: float, now: float) -> None:
        """Let somebody else use the same limit, `rival` calls a second."""
        self.server.ask(now)
        self.later(now + self.rng.expovariate(rival), partial(self.steal, rival))

    def run(self, until: float) -> Outcome:
        """Let things happen until the time is over or all calls are answered."""
        for client in self.clients:
            self.later(self.rng.random() * 0.01, partial(self.pump, client))
        total = sum(client.calls or 0 for client in self.clients)
        now = 0.0
        while self.heap and self.heap[0][0] <= until and not (total and len(self.answers) == total):
            now, _, act = heapq.heappop(self.heap)
            act(now)
        return Outcome(
            admitted=len(self.answers),
            refused=sum(client.refused for client in self.clients),
            ended=now,
            shares=[client.admitted for client in self.clients],
            answers=self.answers,
            sent=[client.sent for client in self.clients],
            refusals=sorted(at for client in self.clients for at in client.refusals),
            waits=[wait for client in self.clients for wait in client.waits],
        )


def simulate(
    server: Any,
    clients: list[Client],
    *,
    seed: int,
    until: float = HOUR,
    retry_after: bool = False,
    announce: bool = False,
    latency: float = 0.2,
    rival: float = 0.0,
) -> Outcome:
    """Run clients against a server until the time is over or all calls are made."""
    world = World(server, clients, seed=seed, retry_after=retry_after, announce=announce, latency=latency)
    if rival:
        world.later(0.0, partial(world.steal, rival))
    return world.run(until)


@dataclass(frozen=True)
class Rule:
    """One server rule of the table, and how it is run."""

    name: str
    server: Callable[[random.Random], Any]
    allowed: float
    retry_after: bool = False
    processes: int = 1
    hours: float = 1.0
    use: float = 0.95
    refusals: float = 0.005
    changes: tuple[tuple[float, float], ...] = ()
    """When the limit becomes what, for the picture."""


def _window(quota: int, seconds: float) -> Callable[[random.Random], Any]:
    return lambda rng: FixedWindow(quota, seconds, seconds * rng.random())


def _bucket(rate: float, burst: float, *changes: tuple[float, float]) -> Callable[[random.Random], Any]:
    return lambda rng: TokenBucket(rate, burst, changes=changes)


RULES = (
    Rule("token bucket 10/s, burst 20", _bucket(10, 20), 10),
    Rule("token bucket 10/s, burst 100", _bucket(10, 100), 10),
    Rule("token bucket 1/s, burst 5", _bucket(1, 5), 1, use=0.9, refusals=0.015),
    Rule("fixed window 100/10 s, Retry-After", _window(100, 10), 10, retry_after=True),
    Rule("fixed window 600/60 s, Retry-After", _window(600, 60), 10, retry_after=True),
    Rule("fixed window 600/60 s, silent", _window(600, 60), 10),
    Rule("sliding log 600/60 s", lambda rng: SlidingLog(600, 60), 10),
    Rule(
        "halves at 20 min, back at 40", _bucket(10, 20, (1200, 5), (2400, 10)), 25 / 3,
        use=0.9, refusals=0.015, changes=((0, 10), (1200, 5), (2400, 10)),
    ),
    Rule("4 processes, one key, 10/s", _bucket(10, 20), 10, processes=4),
    Rule(
        "breach blocks all 300 s (1200/300 s)", lambda rng: Penal(1200, 300, 300 * rng.random()), 4,
        retry_after=True, hours=6, use=0.7,
    ),
)  # fmt: skip


ODD = (
    Rule("fixed window 30/3 s, Retry-After", _window(30, 3), 10, retry_after=True),
    Rule("fixed window 10/1 s, Retry-After", _window(10, 1), 10, retry_after=True),
    Rule(
        "10/s, and 300/60 s too, Retry-After",
        lambda rng: Both(TokenBucket(10, 10), FixedWindow(300, 60, 60 * rng.random())), 5, retry_after=True,
    ),
    Rule("falls from 20/s to 2 after 20 min", _bucket(20, 20, (1200, 2)), 8),
    Rule("rises from 2/s to 20 after 20 min", _bucket(2, 4, (1200, 20)), 14),
    Rule(
        "10/s, burst 20; a breach blocks 60 s", lambda rng: Punishing(10, 20, 60), 10,
        retry_after=True, hours=6,
    ),
    Rule("token bucket 10/s without a burst", _bucket(10, 1), 10),
    Rule("5 % refused, whatever comes (of 10/s)", lambda rng: Random(0.05, rng.random()), 10),
)  # fmt: skip
"""Rules without a promise: what becomes of them is printed, and the guide names the weak ones."""


def run_rule(rule: Rule, seed: int, search: Callable[[], Pacer | ReportPace] = Pacer) -> Outcome:
    """Run one rule once, with our search unless told."""
    rng = random.Random(seed)
    workers = 16 // rule.processes
    clients = [Client(search(), workers) for _ in range(rule.processes)]
    return simulate(
        rule.server(rng), clients, seed=seed, until=rule.hours * HOUR, retry_after=rule.retry_after
    )


def jain(shares: list[int]) -> float:
    """Return Jain's index of fairness: 1 is even."""
    return sum(shares) ** 2 / (len(shares) * sum(share * share for share in shares))


def rows(seeds: range, chosen: set[int], *, against: bool) -> Iterator[str]:
    """Yield the table, a line per rule; beside ours the report's search where asked."""
    beside = "  the report's: use   least     429" if against else ""
    head = f"{'use':>7} {'least':>7} {'429':>7} {'most':>7}"
    yield f"{'server rule (the client is not told)':41} {head}{beside}"
    for number, rule in enumerate(RULES, 1):
        if chosen and number not in chosen:
            continue
        runs = [run_rule(rule, seed) for seed in seeds]
        use = [run.admitted / (rule.allowed * rule.hours * HOUR) for run in runs]
        refusals = [run.refusal_share for run in runs]
        met = mean(use) >= rule.use and mean(refusals) <= rule.refusals
        fair = f", Jain {min(jain(run.shares) for run in runs):.2f}" if rule.processes > 1 else ""
        line = (
            f"{number:2} {rule.name:38} {mean(use):7.1%} {min(use):7.1%} {mean(refusals):7.2%} "
            f"{max(refusals):7.2%}"
        )
        if against:
            others = [run_rule(rule, seed, ReportPace) for seed in seeds]
            used = [run.admitted / (rule.allowed * rule.hours * HOUR) for run in others]
            line += f" {mean(used):18.1%} {min(used):7.1%} {mean(run.refusal_share for run in others):7.2%}"
        yield f"{line}  {rule.use:.0%}, {rule.refusals:.1%}: {'met' if met else 'MISSED'}{fair}"


def odd(seeds: range) -> Iterator[str]:
    """Yield what becomes of rules that nothing is promised for."""
    yield "other rules (the client is not told)"
    for rule in ODD:
        runs = [run_rule(rule, seed) for seed in seeds]
        use = [run.admitted / (rule.allowed * rule.hours * HOUR) for run in runs]
        refusals = [run.refusal_share for run in runs]
        yield (f"{rule.name:41} {mean(use):7.1%} {min(use):7.1%} {mean(refusals):7.2%} {max(refusals):7.2%}")


def told(seeds: range) -> Iterator[str]:
    """Yield what is reached where the limit is declared or announced: one hour, 16 workers."""
    cases: list[tuple[str, Callable[[random.Random], Any], RateLimit | None, dict[str, Any]]] = [
        ("declared 10/1s, token bucket, burst 10", _bucket(10, 10), RateLimit(10), {}),
        ("declared 10/1s, fixed window 10/1 s", _window(10, 1), RateLimit(10), {}),
        ("declared 600/60s, fixed window 600/60 s", _window(600, 60), RateLimit(600, 60), {}),
        ("announced, fixed window 600/60 s", _window(600, 60), None, {"announce": True}),
        ("the same, a rival takes 3/s", _window(600, 60), None, {"announce": True, "rival": 3.0}),
        ("announced, fixed window 10/1 s", _window(10, 1), None, {"announce": True}),
        ("declared 10/1s, bucket without a burst", _bucket(10, 1), RateLimit(10), {}),
        ("the same, latency 20 ms", _bucket(10, 1), RateLimit(10), {"latency": 0.02}),
        ("declared 10/1s, windows, a rival's 0.5/s", _window(10, 1), RateLimit(10), {"rival": 0.5}),
        ("declared 10/1s, sliding log 10/1 s", lambda rng: SlidingLog(10, 1), RateLimit(10), {}),
    ]
    for name, server, limit, extra in cases:
        runs = [
            simulate(server(random.Random(seed)), [Client(Pacer(limit))], seed=seed, **extra)
            for seed in seeds
        ]
        left = (10 - extra.get("rival", 0.0)) * HOUR
        yield (
            f"{name:41} {mean([run.admitted / left for run in runs]):7.1%} "
            f"{min(run.admitted / left for run in runs):7.1%} "
            f"{mean([run.refusal_share for run in runs]):7.2%} {max(run.refusal_share for run in runs):7.2%}"
        )


SHORT: dict[str, Callable[[random.Random], Any]] = {
    "fixed window 10/1 s": _window(10, 1),
    "token bucket 10/s, burst 10": _bucket(10, 10),
    "token bucket 10/s, burst 20": _bucket(10, 20),
    "no limit": _bucket(1e6, 1e6),
}


def sixty(name: str, seed: int, *, declared: bool, latency: float) -> Outcome:
    """Make 60 calls at once, eight in flight."""
    client = Client(Pacer(RateLimit(10.0) if declared else None), 8, 60)
    server = SHORT[name](random.Random(seed))
    return simulate(server, [client], seed=seed, latency=latency, retry_after="window" in name)


def short(seeds: range, *, against: bool) -> Iterator[str]:
    """Yield what 60 calls at once come to, and seconds 20 to 90 against a bucket of 10/s with burst 20."""
    yield f"{'60 calls at once':28} {'latency':>7} {'':8} {'done':>8} {'time':>8} {'429':>6} {'most':>6}"
    for name in SHORT:
        for latency in (0.0, 0.02, 0.2):
            for declared in (True, False):
                runs = [sixty(name, seed, declared=declared, latency=latency) for seed in seeds]
                shares = [run.refusal_share for run in runs]
                yield (
                    f"{name:28} {latency:7.2f} {'declared' if declared else 'unknown ':8} "
                    f"{min(run.admitted for run in runs):8} {mean([run.ended for run in runs]):8.1f} "
                    f"{mean(shares):6.1%} {max(shares):6.1%}"
                )
    searches: list[tuple[str, Callable[[], Pacer | ReportPace]]] = [("ours", Pacer)]
    if against:
        searches.append(("the report's", ReportPace))
    for name, search in searches:
        runs = [simulate(TokenBucket(10, 20), [Client(search())], seed=seed, until=90) for seed in seeds]
        use = [sum(at >= 20 for at in run.answers) / 700 for run in runs]
        refusals = mean([run.refusal_share for run in runs])
        yield (
            f"second 20 to 90, bucket 10/s, burst 20, {name}: "
            f"use {mean(use):.1%}, least {min(use):.1%}, 429 {refusals:.2%}"
        )


def main() -> None:
    """Print the tables, draw the picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--rules", default="")
    parser.add_argument("--against", choices=["report"], help="run the report's search beside ours")
    parser.add_argument("--short", action="store_true", help="only the short jobs")
    parser.add_argument("--picture", type=Path, help="where to draw rate against limit, as SVG")
    options = parser.parse_args()
    chosen = {int(number) for number in options.rules.split(",") if number}
    seeds, against = range(options.first, options.first + options.seeds), options.against is not None
    parts = [] if options.short else [rows(seeds, chosen, against=against), odd(seeds), told(seeds)]
    for part in [*parts, short(seeds, against=against)]:
        for line in part:
            print(line, flush=True)
    if options.picture is not None:
        draw(options.picture, [(rule, run_rule(rule, options.first)) for rule in RULES])
        print(f"drawn: {options.picture}")


if __name__ == "__main__":
    main()
