"""Hold every send back until there is a place in flight and a slot in the pace.

Rule: this file waits and `_sansio.pacing` decides. All arithmetic happens under one plain lock
that is never held across an await, so that tasks of several event loops and threads share one
budget. Nothing runs in the background: the waiter whose turn is nearest sleeps for all of them
and hands that duty on when it leaves, which also covers a cancelled one.

Two lanes share the pace. An interactive call goes before every bulk call, except that a waiting
bulk call gets each fifth slot: so interactive waits at most two slots when it is alone, and bulk
never falls under a fifth. Of the places in flight, bulk leaves one free for an interactive call.
"""

from __future__ import annotations

import asyncio
import math
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Mapping

from msgspec import Struct

from nimble_async._aio.hooks import logger
from nimble_async._aio.ports import Clock, SharedBudget
from nimble_async._aio.sharing import Courier, member_name
from nimble_async._aio.slot import Slot
from nimble_async._aio.waiting import Lane, Waiter, resolve
from nimble_async._sansio.allowances import FullTime, InFlight, RetryBudget
from nimble_async._sansio.latency import Latency
from nimble_async._sansio.pacing import Pacer, Ticket, Wait
from nimble_async._sansio.ratelimits import SILENT, announces, read_announcement
from nimble_async._sansio.ratesearch import UNPACED, Discovery, Mode
from nimble_async._sansio.shared_pacer import SharedPacer
from nimble_async.config import RateLimit, RetryPolicy
from nimble_async.errors import DeadlineExceeded, RateLimited

__all__ = ["Lane", "Terms", "Throttle", "ThrottleStatistics"]

_BULK_TURN = 5
"""Every fifth slot goes to bulk while both lanes wait."""
_SERVER_TROUBLE = 500
_UNAVAILABLE = 503
_OWN_PAUSE, _JITTER = 32.0, 2.0
"""A pause that nobody asked for is never longer (seconds); what is added to one that was asked for."""
_WORTH_SAYING = 30.0
"""Seconds of standing still from which the log says so."""
_MOST_ASKED = 30 * 86400.0
_OVERSLEPT = 1.0
"""Seconds after which a sleeper that did not wake is replaced: its loop stands still."""


class ThrottleStatistics(Struct, frozen=True, kw_only=True):
    """What a throttle is doing. Rates are calls a second, times seconds."""

    mode: Mode
    rate: float
    gate: float | None
    """Seconds until a call may go where a refusal or a used-up limit holds all back, else None."""
    in_flight: int
    places: int
    interactive: int
    """Interactive calls waiting."""
    bulk: int
    """Bulk calls waiting."""
    sent: int
    """Slots that calls took; one whose caller was cancelled before is not counted."""
    refused: int
    """Answers 429."""
    repeats: int
    """Sends that repeated another of the same call."""
    repeats_left: float
    """Repeats that the budget allows now; those after a refusal for rate need none."""
    sharing: str | None = None
    """`shared` with other processes, or `own share` while they cannot be asked; None: not shared."""
    members: int = 1
    """Processes that share the budget, as was last heard."""


class Terms:
    """What one owner of a throttle asks of it, for as long as that owner is open and keeps this."""

    __slots__ = ("__weakref__", "concurrency", "rate")

    def __init__(self, rate: RateLimit | None = None, concurrency: int = 8) -> None:
        self.rate: RateLimit | None = rate
        self.concurrency: int = concurrency


class Throttle:
    """The shared budget of one account: pace, places in flight, lanes and repeats.

    `rate` is a declared limit; None means that nobody knows and the pace is searched for, which
    begins at five calls a second and no longer slows an unlimited server down after about eight
    seconds of steady work; `RateLimit(math.inf)` says that there is no limit, so that only
    refusals slow calls down. `concurrency` is the most requests in flight at once. With `shared`
    the pace is one of all processes that name the same `scope` there.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        rate: RateLimit | None = None,
        concurrency: int = 8,
        retries: RetryPolicy | None = None,
        discovery: Discovery | None = None,
        shared: SharedBudget | None = None,
        scope: str = "",
    ) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        now = clock.monotonic()
        self._pacer: Pacer | SharedPacer
        self._courier: Courier | None = None
        if shared is None:
            self._pacer = Pacer(rate, discovery=discovery)
        else:
            self._pacer = SharedPacer(
                rate, member=member_name(), presumed=shared.presumed, discovery=discovery
            )
            self._courier = Courier(
                shared, scope, pacer=self._pacer, clock=clock, throttle=self, lock=self._lock
            )
        self._owners: weakref.WeakSet[Terms] = weakref.WeakSet()
        self._limits = frozenset([rate] if rate else [])
        self._places = InFlight.up_to(concurrency)
        self._latency = Latency()
        self._budget = RetryBudget.full(retries or RetryPolicy(), now)
        # Ordered dictionaries are queues whose members can leave from the middle at no cost.
        self._lanes: dict[Lane, OrderedDict[Waiter, None]] = {
            "interactive": OrderedDict(),
            "bulk": OrderedDict(),
        }
        self.keep: Callable[[], None] = _nothing
        """Called at each slot: whoever handed this throttle out keeps it until its waits are over."""
        self._sleeper: Waiter | None = None
        self._since_bulk = 0
        self._asked_until = -math.inf
        self._warned_until = -math.inf
        self._in_flight = self._bulk_in_flight = 0
        self._sent = self._repeats = 0
        self._full: dict[Lane, FullTime] = {"interactive": FullTime(), "bulk": FullTime()}

    def slot(
        self,
        *,
        lane: Lane = "interactive",
        deadline: float | None = None,
        kind: str = "",
        longest: float = math.inf,
    ) -> Slot:
        """Return a context that is entered when one request may be sent.

        `deadline` is an instant of the clock's `monotonic()`; `kind` names calls that take about the
        same time in good times (the operation); `longest` is the seconds that a server may ask to wait.

        Raises:
            RateLimited: On entering: the server asked for a longer wait.
            DeadlineExceeded: On entering: the wait cannot end before the deadline.
        """
        return Slot(self, lane, deadline, kind, longest)

    def call_began(self) -> None:
        """Count a call, which earns a part of a repeat."""
        with self._lock:
            self._budget = self._budget.called()

    def may_repeat(self) -> bool:
        """Take one repeat from the budget; False where none is left."""
        with self._lock:
            left = self._budget.take(self._clock.monotonic())
            if left is None:
                return False
            self._budget = left
            return True

    def repeated(self) -> None:
        """Count a repeat, whatever it was for."""
        with self._lock:
            self._repeats += 1

    def discovery(self) -> Discovery | None:
        """Return what the search has found, to be kept in a store, or None."""
        with self._lock:
            return self._pacer.discovery(self._clock.wall())

    def recall(self, found: Discovery) -> None:
        """Begin at what an earlier run found, where nothing is known yet."""
        with self._lock:
            self._pacer.recall(found)

    def join(self, terms: Terms) -> None:
        """Let an owner in: of all that are open, every limit holds, and the smallest number in flight."""
        with self._lock:
            self._owners.add(terms)
            self._keep_terms_locked()

    def leave(self, terms: Terms) -> None:
        """Let an owner go. What the last one asked for holds until another joins."""
        with self._lock:
            self._owners.discard(terms)
            self._keep_terms_locked()

    def _keep_terms_locked(self) -> None:
        owners = list(self._owners)
        if not owners:
            return
        limits = frozenset(one.rate for one in owners if one.rate)
        most, now = min(one.concurrency for one in owners), self._clock.monotonic()
        if limits != self._limits:
            self._limits = limits
            self._pacer.redeclare(limits)
        if most != self._places.most:
            self._places = InFlight.up_to(most)
            self._mark_full_locked(now)
        self._settle_locked(now)

    def take_share(self, share: float) -> None:
        """Use only this part of the budget (0 < share <= 1), since others spend the rest."""
        with self._lock:
            self._pacer.take_share(share)

    @property
    def waits(self) -> bool:
        """Whether a new one would send earlier than this one: its next slot or its gate lies ahead."""
        with self._lock:
            return self._pacer.free > self._clock.monotonic()

    def statistics(self) -> ThrottleStatistics:
        """Return what is going on now."""
        with self._lock:
            now, gate = self._clock.monotonic(), self._pacer.gate
            if self._pacer.held > now:
                gate = max(self._pacer.held, gate or now)
            return ThrottleStatistics(
                mode=self._pacer.mode,
                rate=self._pacer.rate,
                gate=None if gate is None else max(0.0, gate - now),
                in_flight=self._in_flight,
                places=self._places.places,
                interactive=len(self._lanes["interactive"]),
                bulk=len(self._lanes["bulk"]),
                sent=self._sent,
                refused=self._pacer.refusals,
                repeats=self._repeats,
                repeats_left=self._budget.left,
                sharing=self._pacer.sharing if isinstance(self._pacer, SharedPacer) else None,
                members=self._pacer.members if isinstance(self._pacer, SharedPacer) else 1,
            )

    def __repr__(self) -> str:
        """Say in one line what is going on."""
        now = self.statistics()
        gate = "" if now.gate is None else f", closed for {now.gate:.1f} s"
        sharing = "" if now.sharing is None else f" {now.sharing} of {now.members}"
        return (
            f"<Throttle {now.mode}{sharing} {now.rate:.4g}/s, {now.in_flight}/{now.places} in flight, "
            f"{now.interactive + now.bulk} waiting, {now.refused} refused, "
            f"{now.repeats} repeated{gate}>"
        )

    def look_again(self) -> None:
        """Give out what the shared budget granted, and ask it for what is wanted now. Used by the courier."""
        with self._lock:
            now = self._clock.monotonic()
            self._settle_locked(now)
            if self._courier is not None:
                self._courier.look_locked(now, self._demand_locked())

    def wake_all(self) -> None:
        """Have every waiter look for itself: the loop that asked the shared budget has ended."""
        with self._lock:
            for queue in self._lanes.values():
                for waiter in list(queue):
                    self._nudge_locked(waiter)

    async def aclose(self) -> None:
        """Leave a shared budget where nothing waits or is under way; it is joined again at the next call."""
        if self._courier is not None:
            with self._lock:
                idle = not (self._in_flight or self._lanes["interactive"] or self._lanes["bulk"])
            await self._courier.aclose(idle=idle)

    # Entering. Methods that end in _locked are called with the lock held and never wait.

    async def enter(
        self, lane: Lane, deadline: float | None, longest: float = math.inf
    ) -> tuple[Ticket, float, float, float]:
        """Return a ticket, its instant, seconds queued, seconds held back. Used by `Slot` alone."""
        clock = self._clock
        with self._lock:
            now = clock.monotonic()
            ticket = self._try_locked(lane, now)
            if ticket is not None:
                return ticket, now, 0.0, 0.0
            waiter = Waiter(lane, deadline, longest)
            self._refuse_hopeless_locked(waiter, self._ahead_locked(lane), now)
            self._lanes[lane][waiter] = None
            began, full = now, self._full[lane].seconds(now)
        try:
            ticket = await self._wait(waiter)
        except BaseException:
            self._leave(waiter)
            raise
        with self._lock:
            now = clock.monotonic()
            queued = self._full[lane].seconds(now) - full
        return ticket, now, queued, max(0.0, now - began - queued)

    async def _wait(self, waiter: Waiter) -> Ticket:
        while True:
            with self._lock:
                now = self._clock.monotonic()
                self._settle_locked(now, waiter)
                if self._courier is not None:
                    self._courier.look_locked(now, self._demand_locked())
                if waiter.ticket is not None:
                    return waiter.ticket
                self._refuse_hopeless_locked(waiter, 0, now)
                if waiter.future.done():
                    waiter.future = waiter.loop.create_future()
                alarms = self._alarms_locked(waiter)
                if waiter.deadline is not None:
                    alarms.append(waiter.deadline)
            timer = waiter.loop.call_later(min(alarms) - now, resolve, waiter.future) if alarms else None
            try:
                await waiter.future
            finally:
                if timer is not None:
                    timer.cancel()

    def _alarms_locked(self, waiter: Waiter) -> list[float]:
        """Return when this waiter looks by itself: as the sleeper, or if another loop's sleeps in."""
        sleeper, alarms = self._sleeper, []
        if sleeper is waiter:
            alarms.append(waiter.wake_at)
        elif sleeper is not None and sleeper.loop is not waiter.loop:
            alarms.append(sleeper.wake_at + _OVERSLEPT)
        given_up = None if self._courier is None else self._courier.given_up_locked(waiter.loop)
        return alarms if given_up is None else [*alarms, given_up]

    def _leave(self, waiter: Waiter) -> None:
        """Forget a waiter that was cancelled or came too late, and pass on what it held."""
        with self._lock:
            now = self._clock.monotonic()
            self._drop_locked(waiter, now)
            self._settle_locked(now)
            self._look_soon_locked(now)

    def _look_soon_locked(self, now: float) -> None:
        """Have the shared budget asked soon: by whose turn it is, since this loop may be at its end."""
        if self._courier is None:
            return
        here = asyncio.get_running_loop()
        while (waiter := self._next_locked()) is not None and waiter.loop is not here:
            if self._nudge_locked(waiter):
                return
        self._courier.look_soon_locked(now)

    def _try_locked(self, lane: Lane, now: float) -> Ticket | None:
        """The short way: nobody waits who could go, a place is free, the pace allows it."""
        if self._courier is not None:
            self._courier.know_process_locked()
        if self._next_locked() is not None or not self._room_locked(lane):
            return None
        decision = self._pacer.admit(now)
        if isinstance(decision, Wait):
            return None
        self._take_place_locked(lane, now)
        return decision

    def _room_locked(self, lane: Lane) -> bool:
        """Return whether a call of this lane may take a place."""
        if self._in_flight >= self._places.places:
            return False
        return lane == "interactive" or self._bulk_in_flight < self._places.bulk_places

    def _ahead_locked(self, lane: Lane) -> int:
        interactive = len(self._lanes["interactive"])
        return interactive if lane == "interactive" else interactive + len(self._lanes["bulk"])

    def _refuse_hopeless_locked(self, waiter: Waiter, ahead: int, now: float) -> None:
        self._refuse_long_locked(waiter, now)
        if waiter.deadline is None:
            return
        soonest = self._pacer.earliest(now, ahead)
        if now >= waiter.deadline or soonest >= waiter.deadline:
            wait = f"{soonest - now:.1f} s" if soonest > now else "longer"
            raise DeadlineExceeded(
                f"A slot takes {wait} to come; the deadline is in {max(0.0, waiter.deadline - now):.1f} s.",
                hint="This attempt was not sent. Give the call more time, or send fewer calls at once.",
            )

    def _refuse_long_locked(self, waiter: Waiter, now: float) -> None:
        """Raise where the server asked for more patience than this call has, or refuses without an end."""
        wait = self._asked_locked(now)
        if wait > waiter.longest:
            raise RateLimited(
                f"The vendor asked to wait; {wait:.0f} s of that are left.",
                status=429,
                retry_after=wait,
                hint="This attempt was not sent. Try again later, or allow a larger longest_retry_after.",
            )
        if self._pacer.barred(now):
            raise RateLimited(
                "The vendor has refused all calls for rate for many minutes (429).",
                status=429,
                hint="This attempt was not sent. Try again later; the account may be barred.",
            )

    def _asked_locked(self, now: float) -> float:
        """Return the seconds that are left of what a server asked for, 0 where calls may go."""
        gate, held = self._pacer.gate, self._pacer.held - now
        # What keeps jitter or a pause of our own apart from what was asked for.
        own = held - _JITTER if held > _OWN_PAUSE else 0.0
        if gate is None or gate <= now:
            return max(0.0, own)
        if gate - now > _OWN_PAUSE:
            own = max(own, gate - now - _JITTER)
        return max(own, self._asked_until - now)

    def _settle_locked(self, now: float, me: Waiter | None = None) -> None:
        """Give out what can be given, and see that one waiter keeps the time for the others."""
        if self._courier is not None:
            self._courier.know_process_locked()
        at = self._pump_locked(now)
        sleeper = self._sleeper
        if at is None:
            if sleeper is me:
                self._sleeper = None
        elif sleeper is None or now >= sleeper.wake_at + _OVERSLEPT:
            # Nobody keeps the time, or the one who should belongs to a loop that stands still.
            self._appoint_locked(at, me)
        elif sleeper is me:
            sleeper.wake_at = at
        elif at < sleeper.wake_at - 1e-4:
            sleeper.wake_at = at
            self._nudge_locked(sleeper)

    def _appoint_locked(self, at: float, me: Waiter | None) -> None:
        """Let one waiter keep the time: the caller if it waits, else the next one whose loop is alive."""
        chosen = me if me is not None and me.ticket is None else self._next_locked()
        while chosen is not None:
            self._sleeper = chosen
            chosen.wake_at = at
            if chosen is me or self._nudge_locked(chosen):
                return
            chosen = self._next_locked()

    def _demand_locked(self) -> int:
        """Return how many waiting calls there are places for."""
        free = self._places.places - self._in_flight
        bulk = min(len(self._lanes["bulk"]), self._places.bulk_places - self._bulk_in_flight)
        return max(0, min(free, len(self._lanes["interactive"]) + max(0, bulk)))

    def _pump_locked(self, now: float) -> float | None:
        """Give out slots; return when to come again, or None where something has to happen first."""
        while (waiter := self._next_locked()) is not None:
            decision = self._pacer.admit(now)
            if isinstance(decision, Wait):
                return decision.at
            waiter.ticket = decision
            self._take_place_locked(waiter.lane, now)
            self._since_bulk = 0 if waiter.lane == "bulk" else self._since_bulk + 1
            del self._lanes[waiter.lane][waiter]
            if self._sleeper is waiter:
                self._sleeper = None
            self._nudge_locked(waiter)
        return None

    def _next_locked(self) -> Waiter | None:
        """Return whose turn it is among those for whom there is a place."""
        interactive, bulk = self._lanes["interactive"], self._lanes["bulk"]
        if bulk and (not interactive or self._since_bulk >= _BULK_TURN - 1) and self._room_locked("bulk"):
            return next(iter(bulk))
        return next(iter(interactive), None) if self._room_locked("interactive") else None

    def _nudge_locked(self, waiter: Waiter) -> bool:
        """Have a waiter look again; False where its loop is closed, so that nobody ever will."""
        try:
            waiter.loop.call_soon_threadsafe(resolve, waiter.future)
        except RuntimeError:
            self._drop_locked(waiter, self._clock.monotonic())
            return False
        return True

    def _drop_locked(self, waiter: Waiter, now: float) -> None:
        self._lanes[waiter.lane].pop(waiter, None)
        if self._sleeper is waiter:
            self._sleeper = None
        if waiter.ticket is not None:
            self._pacer.abandoned(waiter.ticket)
            self._sent -= 1
            self._give_place_locked(waiter.lane, now)
            waiter.ticket = None

    def _take_place_locked(self, lane: Lane, now: float) -> None:
        self._in_flight += 1
        self._bulk_in_flight += lane == "bulk"
        self._sent += 1
        self.keep()
        self._mark_full_locked(now)

    def _give_place_locked(self, lane: Lane, now: float) -> None:
        self._in_flight -= 1
        self._bulk_in_flight -= lane == "bulk"
        self._mark_full_locked(now)

    def _mark_full_locked(self, now: float) -> None:
        for lane, time in self._full.items():
            time.mark(now, full=not self._room_locked(lane))

    # Leaving

    def answered(
        self, ticket: Ticket, sent: float, status: int, headers: Mapping[str, str], *, lane: Lane, kind: str
    ) -> None:
        """Take a ticket back with its answer. Used by `Slot` alone."""
        clock = self._clock
        asks = status in {429, _UNAVAILABLE} or announces(headers)
        news = read_announcement(headers, wall=clock.wall()) if asks else SILENT
        asked = news.wait if status == 429 else news.retry_after if status == _UNAVAILABLE else None
        with self._lock:
            now, jitter = clock.monotonic(), clock.random()
            if asked is not None:
                self._asked_until = max(self._asked_until, now + min(asked, _MOST_ASKED))
            if status == 429:
                self._pacer.refused(ticket, now, jitter, news.wait)
            elif status == _UNAVAILABLE and news.retry_after is not None:
                self._pacer.unavailable(ticket, now, jitter, news.retry_after)
            elif status >= _SERVER_TROUBLE:
                # It says nothing about the rate, and a canary that met it has no verdict.
                self._pacer.abandoned(ticket)
            else:
                self._pacer.admitted(ticket, now, jitter)
            if news.policies:
                self._pacer.announced(news.policies, now, clock.random())
            if status >= _SERVER_TROUBLE:
                self._places = self._places.failed(sent, now)
            elif status != 429:
                self._adapt_locked(kind, sent, now)
            self._give_place_locked(lane, now)
            self._settle_locked(now)
            if self._courier is not None:
                self._courier.look_locked(now, self._demand_locked())
            if status in {429, _UNAVAILABLE} or news.policies:
                self._warn_hopeless_locked()
            stands = self._news_of_a_hold_locked(now)
        if stands:
            logger.warning("The server says that its limit is used up: no call goes for %.0f s.", stands)

    def _news_of_a_hold_locked(self, now: float) -> float:
        """Return the seconds that a used-up limit stops calls where that is long and was not said, else 0."""
        held = self._pacer.held
        if held - now < _WORTH_SAYING or now < self._warned_until:
            return 0.0
        self._warned_until = held
        return held - now

    def _adapt_locked(self, kind: str, sent: float, now: float) -> None:
        """Let a good answer give a place back, or its slowness take one."""
        latency, places, rate = self._latency, self._places, self._pacer.rate
        needed = rate * latency.usual(kind) if rate < UNPACED else 1.0
        latency.answered(kind, now - sent, helpless=places.cap <= places.least(needed))
        self._places = places.succeeded(sent=sent, now=now, slowness=latency.slowness, needed=needed)

    def failed(self, ticket: Ticket, sent: float, lane: Lane, *, count: bool) -> None:
        """Take a ticket back without an answer; `count` it as a failure. Used by `Slot` alone."""
        with self._lock:
            now = self._clock.monotonic()
            self._pacer.abandoned(ticket)
            if count:
                self._places = self._places.failed(sent, now)
            self._give_place_locked(lane, now)
            self._settle_locked(now)
            self._look_soon_locked(now)

    def _warn_hopeless_locked(self) -> None:
        """A closed gate may lie behind a waiter's deadline: it looks again and raises at once."""
        now = self._clock.monotonic()
        gate, asked = max(self._pacer.gate or -math.inf, self._pacer.held), self._asked_locked(now)
        if gate <= now:
            return
        barred = self._pacer.barred(now)
        for queue in self._lanes.values():
            for waiter in list(queue):
                late = waiter.deadline is not None and waiter.deadline <= gate
                if late or barred or asked > waiter.longest:
                    self._nudge_locked(waiter)


def _nothing() -> None:
    """Keep nothing: this throttle belongs to whoever made it."""
