"""The keeper of a shared budget, written down a second time, in plain Python with time as an argument.

What the script of `stores.redis_budget` does to a Redis this does to an object, line by line in the
same order, so that a property test can hold one against the other; and simulations on virtual time
use it as a budget that needs no server.
"""

from __future__ import annotations

from typing import Any

from nimble_async._sansio.sharing import Ask, News
from nimble_async.errors import StoreError

MEMBER_LIFE, STRICT_LIFE, SETTLE, CANARY_LIFE, IDLE, LATE = 60e6, 30e6, 2e6, 30e6, 2e6, 5e4
QUIET = GAP = 1e5
PROBES = 3e6
INSTANTS = (
    "tat", "gate", "canary_until", "block_from", "admitted_from", "level_from", "last",
    "declared_until", "announced_until", "held", "settle", "silent_from", "silent_to", "touched",
)  # fmt: skip
NUMBERS = (
    "closed", "event", "strikes", "pending", "event_rate", "event_admitted", "event_span", "event_clean",
    "admitted", "clean", "level_sent", "version", "search", "starting", "declared", "tolerance",
    "announced", "renewed", "peers",
)  # fmt: skip


class Keeper:
    """One budget and its members. Instants are microseconds."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Lose everything, as a Redis does that is emptied."""
        self.fresh = True
        self.joined = 0
        self.seats: dict[str, int] = {}
        self.seen: dict[str, float] = {}
        self.s: Any = dict.fromkeys((*INSTANTS, *NUMBERS), 0.0) | {"canary": "", "known": "", "stretch": 1.0}

    def exchange(self, ask: Ask, now: float) -> News:
        """Do one exchange."""
        s = self.s
        fresh, self.fresh = self.fresh, False
        if fresh:
            s["event"] = s["version"] = s["admitted_from"] = s["level_from"] = now
        if s["touched"] > now:
            back = s["touched"] - now
            for name in INSTANTS:
                if s[name] > 0:
                    s[name] = max(1.0, s[name] - back)
        members, seat = self._members(ask, now)
        lost = fresh and ask.event > 0
        members = max(members, self._settle(ask, now, lost=lost))
        current = ask.event == s["event"]
        mine = s["canary"] == ask.member
        reopened = ask.verdict == "through" and mine and s["closed"] == 1
        self._reports(ask, now, current=current, mine=mine)
        if ask.version and ask.version == s["version"] and current and (not s["closed"] or reopened):
            s.update(search=ask.search, starting=ask.starting, stretch=ask.stretch, known=ask.known)
            s.update(version=s["version"] + 1, level_from=now, level_sent=0)
        interval = self._limits(ask, now)
        if lost:
            s["tat"] = now + QUIET + interval + s["tolerance"]
        if reopened:
            s.update(closed=0, canary="", strikes=0, gate=0, tat=now + interval, level_from=now, level_sent=0)
            s["last"] = now
            if s["pending"]:
                s.update(admitted=1, admitted_from=s["block_from"], clean=1, pending=0)
            else:
                s.update(admitted=0, admitted_from=now, clean=0)
        if ask.back_to > 0 and ask.back_to == s["tat"] and ask.back_from < s["tat"]:
            s["tat"] = ask.back_from
        granted, start, pressed, canary = self._grant(ask, now, interval)
        s["touched"] = now
        return News(
            now=now, granted=granted, start=start, interval=interval, tolerance=s["tolerance"],
            pressed=pressed, canary=canary, closed=int(s["closed"]), gate=s["gate"], event=int(s["event"]),
            strikes=int(s["strikes"]), pending=int(s["pending"]), event_rate=s["event_rate"],
            event_admitted=int(s["event_admitted"]), event_span=s["event_span"],
            event_clean=int(s["event_clean"]), block_from=s["block_from"], admitted=int(s["admitted"]),
            clean=int(s["clean"]), level_from=s["level_from"], level_sent=int(s["level_sent"]),
            version=int(s["version"]), search=s["search"], starting=int(s["starting"]),
            stretch=s["stretch"], known=s["known"], members=members, seat=seat, settle=s["settle"],
            held=s["held"],
        )  # fmt: skip

    def _members(self, ask: Ask, now: float) -> tuple[int, int]:
        me = ask.member
        if ask.leave:
            self.seats.pop(me, None)
            self.seen.pop(me, None)
        else:
            self.seen[me] = now
            if me not in self.seats:
                self.joined += 1
                self.seats[me] = self.joined
        for gone in [name for name, at in self.seen.items() if at <= now - MEMBER_LIFE]:
            self.seats.pop(gone, None)
            del self.seen[gone]
        order = sorted(self.seats, key=lambda name: self.seats[name])
        return max(1, len(order)), order.index(me) if me in order else 0

    def _settle(self, ask: Ask, now: float, *, lost: bool) -> int:
        s = self.s
        if now - s["touched"] > GAP:
            s.update(silent_from=s["touched"], silent_to=now)
        silent = ask.away > 0 and s["silent_from"] - LATE <= ask.away <= s["silent_to"] >= now - PROBES
        if ask.peers > 1 and (lost or silent):
            s.update(settle=now + SETTLE, peers=ask.peers, silent_to=0.0)
        return int(s["peers"]) if now < s["settle"] else 0

    def _reports(self, ask: Ask, now: float, *, current: bool, mine: bool) -> None:
        s = self.s
        if current and not s["closed"]:
            s["admitted"] += ask.admitted
            if s["starting"] and ask.faster > 0 and s["search"] > 0:
                s["search"] = 1e6 / min(1e6, 1e6 / s["search"] + ask.faster)
        if s["pending"] and ask.event == s["event"] - 1:
            s["event_admitted"] += ask.admitted
        if ask.refused > 0 and current and not s["closed"]:
            s.update(event=s["event"] + 1, closed=1, pending=1, canary="", event_rate=ask.refused)
            s.update(event_admitted=s["admitted"], event_clean=s["clean"], block_from=now)
            s.update(event_span=now - s["admitted_from"], strikes=ask.strikes or 1)
            s["gate"] = max(s["gate"], now + ask.pause)
        elif ask.shut > 0:
            s["closed"] = 1
            s["gate"] = max(s["gate"], now + ask.shut)
        if mine and ask.verdict == "refused":
            s.update(canary="", strikes=s["strikes"] + 1, gate=max(s["gate"], now + ask.pause))
        elif mine and ask.verdict == "free":
            s["canary"] = ""

    def _limits(self, ask: Ask, now: float) -> float:
        s = self.s
        if now >= s["declared_until"]:
            s.update(declared=0.0, tolerance=0.0)
        if ask.declared > 0:
            s["tolerance"] = min(s["tolerance"], ask.tolerance) if s["declared"] > 0 else ask.tolerance
            if ask.declared >= s["declared"]:
                s.update(declared=ask.declared, declared_until=now + STRICT_LIFE)
        if ask.announced > 0:
            s.update(announced=ask.announced, announced_until=now + ask.announced_for)
            s["renewed"] = ask.renewed or ask.announced
        if ask.hold > 0:
            s["held"] = max(s["held"], now + ask.hold)
        announced = s["announced"]
        if announced > 0 and now >= s["announced_until"]:
            announced = s["renewed"]
        told = max(s["declared"], announced)
        if not told:
            return float(s["search"])
        interval = told * s["stretch"]
        return float(max(interval, s["search"]) if s["stretch"] >= 1.11 else interval)

    def _grant(self, ask: Ask, now: float, interval: float) -> tuple[int, float, int, int]:
        s = self.s
        if ask.n < 1 or now < s["settle"]:
            return 0, 0.0, 0, 0
        if s["closed"]:
            free = s["canary"] == "" or now >= s["canary_until"]
            if now < s["gate"] or not free:
                return 0, 0.0, 0, 0
            s.update(canary=ask.member, canary_until=now + CANARY_LIFE, last=now)
            return 0, 0.0, 0, 1
        if interval <= 0:
            return 0, 0.0, 0, 0
        if s["last"] > 0 and now - s["last"] > IDLE + 2 * interval:
            s.update(admitted=0, admitted_from=now, clean=0, level_from=now, level_sent=0)
        pressed = int(s["tat"] >= now - max(interval / 4, LATE))
        start = max(s["tat"], now, s["held"])
        s.update(tat=start + ask.n * interval, last=now, level_sent=s["level_sent"] + ask.n)
        return ask.n, start, pressed, 0


class ModelBudget:
    """A shared budget in this process, by a clock of its own; it can be lost and found again."""

    name = "model"
    presumed = 16

    def __init__(self, clock: Any, *, trip: float = 0.001) -> None:
        self.clock, self.trip = clock, trip
        self.keeper = Keeper()
        self.gone = False
        self.asks: list[Ask] = []
        self.granted: list[tuple[float, str]] = []

    async def exchange(self, scope: str, ask: Ask) -> News:
        """Do one exchange; half of the trip goes there."""
        await self.clock.sleep(self.trip / 2)
        if self.gone:
            raise StoreError("The model is gone.")
        self.asks.append(ask)
        news = self.keeper.exchange(ask, round(self.clock.wall() * 1e6))
        for number in range(news.granted):
            slot = max(news.now, news.start + number * news.interval - news.tolerance)
            self.granted.append((slot / 1e6, ask.member))
        await self.clock.sleep(self.trip / 2)
        return news

    async def aclose(self) -> None:
        """Nothing is open."""
