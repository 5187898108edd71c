"""Decide when the next request may be sent, where other processes send from the same budget.

Rule: as `pacing`, whose `Pacer` it stands in for: nothing here waits, reads a clock or draws a
number. What has to be asked of the keeper of the budget comes out of `ask` and its answer goes
into `heard`; `_aio.sharing` carries both.

Shared, a call goes out in a slot that the keeper granted, and only if the gate was seen open less
than a twentieth of a second before: a slot that was waited for longer is sent after another look.
Alone, while the keeper cannot be asked, this process keeps its share of the rate, in slots of time
that are its own, and never the whole.
"""

from __future__ import annotations

import math
from collections.abc import Collection

from msgspec.structs import replace

from nimble_async._sansio.declared import safe_pace
from nimble_async._sansio.granted import Granted
from nimble_async._sansio.pacing import VERDICT, Pacer, Ticket, Wait
from nimble_async._sansio.pauses import barred, believed, pause_after
from nimble_async._sansio.ratelimits import LONGEST_WAIT, Policy
from nimble_async._sansio.ratesearch import FEW, Bracket, Discovery, Mode
from nimble_async._sansio.sharing import (
    LATENESS,
    MICRO,
    Ask,
    Knowledge,
    News,
    ahead,
    own_slot,
    read_knowledge,
    shared_pace,
    write_knowledge,
)
from nimble_async.config import RateLimit

__all__ = ["PROBE", "SharedPacer"]

PROBE = 1.0
"""Seconds between two attempts to reach the keeper."""

_FRESH = 0.05
"""Seconds that a look at the gate is good for."""
_LONGEST_TRIP = 0.5
_TIMER = 0.001
"""Seconds by which timers and loops are late."""
_QUIET = 0.1
"""Seconds without a send after the keeper was lost: whoever was granted a slot before has used it by then."""
_GAP = 0.03
"""Seconds without a send before all begin to share again."""
_REMEMBERED = 60.0
"""Seconds that the number of processes is believed."""
_LONG_BLOCK = 10.0
_POLL, _LONGEST_POLL = 0.1, 1.0
"""Seconds between two looks while another process tries a closed gate."""


class _SharedTicket(Ticket):
    """A ticket for a slot of the shared budget; `mine` is what the own pacer counts it by."""

    __slots__ = ("mine",)

    def __init__(
        self, event: int, rate: float, mine: Ticket, *, pressed: bool, canary: bool, at: float
    ) -> None:
        super().__init__(event, rate, pressed=pressed, canary=canary, at=at)
        self.mine = mine


class SharedPacer:
    """The pace of one rate budget that several processes share.

    `member` names this process among them. `presumed` is how many there are while that was never
    heard, or not for so long that it may have changed.
    """

    def __init__(
        self,
        declared: RateLimit | None = None,
        *,
        member: str,
        presumed: int = 16,
        discovery: Discovery | None = None,
    ) -> None:
        self._own = Pacer(declared, discovery=discovery)
        self._declared: RateLimit | None = None
        self._bursts: list[float] = []
        self._knowledge = Knowledge(self._own.bracket)
        self._known_version = 0
        self._member, self._presumed = member, presumed
        self._part = 1.0
        self._news: News | None = None
        self._heard_at, self._trip = -math.inf, 0.0
        self._late = LATENESS
        self._slots = Granted()
        self._alone = False
        self._away = 0.0
        self._resume = math.inf
        self._quiet_until = self._probe_at = -math.inf
        self._last_number: int | None = None
        self._sharers = presumed
        self._closed, self._gate = False, -math.inf
        self._poll_at, self._poll = -math.inf, _POLL
        self._may_try = False
        self._canary: _SharedTicket | None = None
        self._look = False
        self._jitter = 0.5
        self._refusals = 0
        # What the next message reports.
        self._claim: tuple[float, float, int] | None = None
        self._shut = 0.0
        self._verdict = ""
        self._pause, self._strikes = 0.0, 0
        self._admitted = self._pressed = 0
        self._announce = False
        self._proposal: Knowledge | None = None
        self.declare(declared)

    # What is in force

    @property
    def sharing(self) -> str:
        """`shared` while the keeper answers, `own share` while this process keeps its share by itself."""
        return "own share" if self._alone else "shared"

    @property
    def members(self) -> int:
        """How many processes share the budget, as was last heard; as presumed where it never was."""
        return self._presumed if self._news is None else self._news.members

    @property
    def mode(self) -> Mode:
        """What the rate in force rests on."""
        return self._own.mode

    @property
    def rate(self) -> float:
        """Calls a second: of all processes together while shared, of this one while alone."""
        if self._alone or self._news is None or not self._news.interval:
            return self._own.rate
        return MICRO / self._news.interval

    @property
    def gate(self) -> float | None:
        """Until when (monotonic seconds) nothing is sent, or None while the gate is open."""
        if self._alone:
            return self._own.gate
        return self._gate if self._closed else None

    @property
    def held(self) -> float:
        """Until when (monotonic seconds) a used-up limit stops calls; in the past where none does."""
        told = -math.inf if self._news is None or not self._news.held else self._slots.local(self._news.held)
        return max(told, self._own.held)

    def barred(self, now: float) -> bool:
        """Return whether so many tries were refused for so long that waiting for the next is in vain."""
        if self._alone or self._news is None or not self._news.pending or now >= self._gate:
            return self._alone and self._own.barred(now)
        return barred(self._news.strikes, (self._slots.keeper(now) - self._news.block_from) / MICRO)

    @property
    def free(self) -> float:
        """From when (monotonic seconds) on this pacer holds nothing back that the keeper does not know of."""
        return self._own.free if self._alone else self._gate if self._closed else -math.inf

    def forked(self, member: str) -> None:
        """Go on as another member: what the keeper granted belongs to the process that this one came from."""
        self._member = member
        self._slots.clear()
        self._canary, self._may_try = None, False
        self._forget_reports()
        self._heard_at = -math.inf

    @property
    def bracket(self) -> Bracket:
        """The state of the search."""
        return self._own.bracket if self._alone else self._knowledge.bracket

    @property
    def refusals(self) -> int:
        """Answers 429 that this process had."""
        return self._refusals + self._own.refusals

    def discovery(self, wall: float) -> Discovery | None:
        """Return what is worth remembering, or None while nothing was measured."""
        return None if self._alone else self._own.discovery(wall)

    def recall(self, found: Discovery) -> None:
        """Begin at what an earlier run found, where no process has found anything yet."""
        if self._news is None:
            self._own.recall(found)
            self._knowledge = Knowledge(self._own.bracket)

    def declare(self, limit: RateLimit | None) -> None:
        """Keep this limit too; an endless one changes nothing.

        Of several limits the slots of all processes keep the slowest pace and the smallest burst.
        """
        self._own.declare(limit)
        if limit is None or math.isinf(limit.limit):
            return
        if self._declared is None or shared_pace(limit)[0] > shared_pace(self._declared)[0]:
            self._declared = limit
        self._late = min(self._late, shared_pace(limit)[2])
        self._bursts.append(safe_pace(limit)[1])

    def redeclare(self, limits: Collection[RateLimit]) -> None:
        """Keep these limits, and none that this process declared before."""
        self._own.redeclare(limits)
        self._declared, self._late, self._bursts = None, LATENESS, []
        for limit in limits:
            self.declare(limit)

    def take_share(self, share: float) -> None:
        """Use this part of this process's share (0 < share <= 1) while the keeper cannot be asked."""
        self._part = share

    @property
    def _told(self) -> float:
        """Return the rate that somebody told, the stricter of two, or 0."""
        told = [] if self._declared is None else [MICRO / shared_pace(self._declared)[0]]
        announced = self._own.outlook[0]
        return min([*told, announced] if announced is not None else told, default=0.0)

    # Before a send

    def admit(self, now: float) -> Ticket | Wait:
        """Return leave to send one request at `now`, or what to wait for."""
        if self._alone and now >= self._resume:
            self._rejoin(now)
        if self._alone:
            return Wait(self._resume) if now >= self._resume - _GAP else self._admit_alone(now)
        return self._admit_closed(now) if self._closed else self._admit_open(now)

    def _admit_open(self, now: float) -> Ticket | Wait:
        at = self._slots.next_at(now, self._late)
        if at is None:
            return VERDICT
        if at - self._heard_at > _FRESH:
            # Slept for it: look at the gate again, just in time for the answer to be back.
            if now < at - self._lead:
                return Wait(at - self._lead)
            self._look = True
            return VERDICT
        if at > now + 1e-6:
            return Wait(at)
        slot = self._slots.pop()
        return self._issue(now, MICRO / slot.interval, pressed=slot.pressed)

    @property
    def _lead(self) -> float:
        return self._trip + _TIMER

    def _admit_closed(self, now: float) -> Ticket | Wait:
        if now < self._gate:
            return Wait(self._gate)
        if self._may_try:
            self._may_try = False
            self._canary = ticket = self._issue(now, self.rate, canary=True)
            return ticket
        # The keeper says who tries, and what came of it: `ask` asks when it is time.
        return Wait(self._poll_at) if now < self._poll_at and self._canary is None else VERDICT

    def _admit_alone(self, now: float) -> Ticket | Wait:
        if now < self._quiet_until:
            return Wait(self._quiet_until)
        if now > self._probe_at + PROBE:
            # Nothing was called for a while: the keeper may have been back for long.
            return VERDICT
        number = None
        if self._slots.timed and self._news is not None and self._own.gate is None:
            number, rest = own_slot(
                self._slots.keeper(now),
                period=1 / self._own.rate,
                seat=self._news.seat,
                members=self._sharers,
            )
            if number == -1 or (number == self._last_number and number != 0):
                return Wait(now + rest)
        decision = self._own.admit(now)
        if isinstance(decision, Ticket):
            self._last_number = number
        return decision

    def _issue(
        self, now: float, rate: float, *, pressed: bool = False, canary: bool = False
    ) -> _SharedTicket:
        mine = self._own.stand_in()
        return _SharedTicket(
            0 if self._news is None else self._news.event, rate, mine, pressed=pressed, canary=canary, at=now
        )

    def earliest(self, now: float, ahead: int = 0) -> float:
        """Return when, at the soonest, a call with `ahead` others before it may be sent."""
        if self._alone:
            return max(self._quiet_until, self._own.earliest(now, ahead))
        at = max(now, self._slots.next_at(now, math.inf) or now)
        if self._closed:
            at = max(at, self._gate)
        return at + max(0, ahead - len(self._slots)) * self._least_interval

    @property
    def _least_interval(self) -> float:
        """Return the seconds from slot to slot at the least: the rate may be about to rise."""
        bracket, (announced, _, even, _) = self._knowledge.bracket, self._own.outlook
        if self._news is None or (not self._told and bracket.mode is Mode.START):
            return 0.0
        sooner = 0.0
        if announced is not None:
            sooner = even
        elif not self._told and bracket.mode is Mode.SEARCH and bracket.hi < math.inf:
            sooner = bracket.hi
        interval = self._news.interval / MICRO
        return min(interval, 1 / sooner) if sooner > 0 else interval

    # After an answer

    def admitted(self, ticket: Ticket, now: float, jitter: float) -> None:
        """Take note of an answer that is no 429, whatever else it says."""
        if not isinstance(ticket, _SharedTicket):
            self._own.admitted(ticket, now, jitter)
            return
        self._own.abandoned(ticket.mine)
        self._jitter = jitter
        if ticket is self._canary:
            self._canary, self._verdict = None, "through"
        elif not self._alone and not self._closed and self._news and ticket.event == self._news.event:
            self._admitted += 1
            self._pressed += ticket.pressed

    def refused(self, ticket: Ticket, now: float, jitter: float, retry_after: float | None = None) -> None:
        """Take note of a 429: one event closes the gate of all processes once, and cuts once."""
        if not isinstance(ticket, _SharedTicket):
            self._own.refused(ticket, now, jitter, retry_after)
            return
        if self._alone:
            # Its slot was granted before: the refusal counts for the pace that holds now.
            self._own.refused(ticket.mine, now, jitter, retry_after)
            return
        self._own.abandoned(ticket.mine)
        self._refusals += 1
        self._jitter = jitter
        asked = None if retry_after is None else min(LONGEST_WAIT, max(0.0, retry_after))
        news = self._news
        if ticket is self._canary:
            self._canary, self._verdict = None, "refused"
            strikes = (news.strikes if news else 0) + 1
            self._pause = pause_after(believed(asked, strikes), strikes, jitter, self._unit())
            self._close(now + self._pause)
        elif self._closed or news is None or ticket.event != news.event:
            # A straggler of an event already counted: obey its wait, cut nothing.
            if asked is not None:
                self._close(now + asked, asked)
        else:
            block = self._knowledge.bracket.block
            relapse = news.clean and news.admitted + self._admitted < FEW and block >= _LONG_BLOCK
            strikes = 4 if relapse else 1
            pause = pause_after(believed(asked, strikes), strikes, jitter, self._unit())
            self._claim = (ticket.rate, pause, strikes)
            self._close(now + pause, asked or 0.0)

    def unavailable(self, ticket: Ticket, now: float, jitter: float, wait: float) -> None:
        """Take note of an answer that asks everybody to wait though it counts no calls (503)."""
        if not isinstance(ticket, _SharedTicket):
            self._own.unavailable(ticket, now, jitter, wait)
        elif self._alone:
            self._own.unavailable(ticket.mine, now, jitter, wait)
        else:
            self.abandoned(ticket)
            pause = pause_after(min(LONGEST_WAIT, max(0.0, wait)), 1, jitter, 1.0)
            self._close(now + pause, pause)

    def abandoned(self, ticket: Ticket) -> None:
        """Take note that a call ended without a verdict; a canary hands its role on."""
        if not isinstance(ticket, _SharedTicket):
            self._own.abandoned(ticket)
            return
        self._own.abandoned(ticket.mine)
        if ticket is self._canary:
            self._canary, self._verdict = None, "free"

    def announced(self, policies: tuple[Policy, ...], now: float, jitter: float) -> None:
        """Follow the tightest of the announced limits, and tell the others."""
        self._own.announced(policies, now, jitter)
        self._announce = True

    def _close(self, until: float, shut: float = 0.0) -> None:
        """Close the gate here at once; the keeper hears of it with the next message."""
        self._closed, self._may_try = True, False
        self._gate = max(self._gate, until)
        self._shut = max(self._shut, shut)
        self._slots.clear()

    def _unit(self) -> float:
        return 1.0 if self._declared is None else min(1.0, 0.3 * self._declared.window)

    # The keeper

    def ask(self, now: float, demand: int) -> Ask | None:
        """Return what to send to the keeper now, or None. `demand` calls wait and have a place in flight."""
        if self._alone:
            if now < self._probe_at or now >= self._resume:
                return None
            self._probe_at = now + PROBE * (0.5 + self._jitter)
            return self._message(now, 0)
        if self._news is None:
            return self._message(now, min(1, demand))
        if self._claim or self._verdict or self._shut or (self._proposal and not self._news.interval):
            return self._message(now, 0)
        return self._ask_closed(now, demand) if self._closed else self._ask_open(now, demand, self._news)

    def _ask_closed(self, now: float, demand: int) -> Ask | None:
        """Bid for the one call that tries, where this process has a call and it is time."""
        if demand < 1 or self._canary or self._may_try or now < max(self._gate, self._poll_at):
            return None
        self._poll_at, self._poll = now + self._poll, min(_LONGEST_POLL, 2 * self._poll)
        return self._message(now, 1)

    def _ask_open(self, now: float, demand: int, news: News) -> Ask | None:
        """Reserve what is wanted and not held yet, look at the gate, or give back what nobody wants."""
        due = self._slots.due(now + self._lead)
        held, most = len(self._slots) - due, ahead(news.interval, news.members)
        want = min(demand - due, most) - held
        if want > 0 and (held <= most // 2 or self._look):
            return self._message(now, want)
        if self._look or (demand < 1 and held):
            return self._message(now, 0, back=demand < 1)
        return None

    def beat(self, now: float) -> Ask:
        """Return a message that only says that this process is still there."""
        return self._message(now, 0)

    def farewell(self, now: float) -> Ask | None:
        """Return the message with which an idle process leaves, or None where nobody would hear it."""
        if self._alone or self._news is None:
            return None
        return replace(self._message(now, 0, back=True), leave=1)

    def _message(self, now: float, n: int, *, back: bool = False) -> Ask:
        """Write the next message, and forget what it reports."""
        news = self._news
        knowledge = self._proposal
        if self._verdict == "through" and news is not None:
            knowledge = self._knowledge.after(news, self._slots.keeper(now), told=bool(self._told))
        rate, pause, strikes = self._claim or (0.0, 0.0, 0)
        ask = Ask(
            member=self._member,
            n=n,
            event=0 if news is None else news.event,
            admitted=self._admitted,
            faster=self._knowledge.faster(self._pressed),
            refused=rate,
            pause=MICRO * (pause if self._claim else self._pause),
            strikes=strikes,
            shut=self._shut * MICRO,
            verdict=self._verdict,
            peers=self.members,
            away=self._away,
        )
        ask = self._with_limits(ask, now)
        if knowledge is not None and news is not None:
            ask = replace(
                ask,
                version=news.version,
                search=MICRO / knowledge.bracket.rate,
                starting=int(knowledge.bracket.mode is Mode.START),
                stretch=1 / knowledge.trim,
                known=write_knowledge(knowledge),
            )
        if back:
            begin, end = self._slots.give_back()
            ask = replace(ask, back_from=begin, back_to=end)
        self._forget_reports()
        return ask

    def _with_limits(self, ask: Ask, now: float) -> Ask:
        if self._declared is not None:
            interval = shared_pace(self._declared)[0]
            ask = replace(ask, declared=interval, tolerance=(min(self._bursts) - 1) * interval)
        if self._announce:
            rate, until, renewed, held = self._own.outlook
            if rate is not None:
                ask = replace(
                    ask,
                    announced=MICRO / rate,
                    announced_for=MICRO * min(LONGEST_WAIT, max(0.0, until - now)),
                    renewed=MICRO / (renewed or rate),
                    hold=MICRO * max(0.0, held - now),
                )
        return ask

    def _forget_reports(self) -> None:
        self._claim, self._verdict, self._proposal = None, "", None
        self._shut = self._pause = 0.0
        self._admitted = self._pressed = 0
        self._announce = self._look = False

    def heard(self, news: News, sent: float, received: float) -> None:
        """Take note of the keeper's answer to a message of `sent`."""
        before = self._news
        self._slots.heard(news, sent, received)
        self._heard_at, self._trip = received, min(_LONGEST_TRIP, max(0.0, received - sent))
        if before is None or before.event != news.event:
            self._admitted = self._pressed = 0
            self._slots.clear()
        self._news = news
        self._learn(news, cut=before is not None and before.event != news.event)
        if self._alone:
            # Everybody who comes back goes on alone until then: the shared pace begins for all at once.
            self._away = 0.0
            self._resume = max(received, self._slots.local(news.settle))
            if self._resume <= received:
                self._rejoin(received)
            return
        if news.settle > news.now:
            self._go_alone(received)
            self._resume = self._slots.local(news.settle)
            return
        if before is not None and before.event != news.event and not news.closed and self._closed:
            # A gate opens under the event that closed it. This one was forgotten, with all the rest.
            self._shut = max(self._shut, self._gate - received)
        self._follow_gate(news, received)
        self._slots.take(news)

    def _learn(self, news: News, *, cut: bool) -> None:
        known = read_knowledge(news.known) if news.known and news.version != self._known_version else None
        if known is not None:
            self._knowledge, self._known_version = known, news.version
        if news.known:
            self._knowledge = self._knowledge.quickened(news.search if news.starting else 0.0)
        else:
            self._proposal = self._knowledge
        if self._alone:
            return
        self._own.adopt(self._knowledge.bracket, cut=cut)
        if self._proposal is None and not news.closed and news.interval:
            self._proposal = self._knowledge.passed(news, self._jitter, told=self._told)

    def _follow_gate(self, news: News, now: float) -> None:
        if not news.closed:
            # A refusal that the keeper has not heard of yet keeps it closed here.
            if self._claim is None and not self._shut:
                self._closed, self._may_try = False, False
                self._gate, self._poll = -math.inf, _POLL
            return
        if not self._closed:
            self._poll_at = -math.inf
        self._closed = True
        self._slots.clear()
        # What was heard before counts too: the keeper's clock may have been set meanwhile.
        self._gate = max(self._gate, self._slots.local(news.gate), now + max(self._shut, 0.0))
        self._may_try = bool(news.canary)

    def lost(self, now: float, jitter: float) -> None:
        """Take note that the keeper could not be asked: from now on this process keeps its share."""
        self._jitter = jitter
        self._probe_at = now + PROBE * (0.5 + jitter)
        self._resume = math.inf
        if self._alone:
            if not self._away and self._slots.timed:
                self._away = self._slots.keeper(now)
            return
        if self._slots.timed:
            self._away = self._slots.keeper(now)
        self._go_alone(now)

    def _go_alone(self, now: float) -> None:
        closed = self._gate - now if self._closed else 0.0
        self._alone = True
        self._slots.clear()
        self._canary, self._may_try = None, False
        self._forget_reports()
        self._quiet_until = now + _QUIET
        self._last_number = None
        told, members = bool(self._told), self.members
        if now - self._heard_at > _REMEMBERED:
            members = max(members, self._presumed)
        self._sharers = members
        self._own.adopt(self._knowledge.bracket if told else self._knowledge.shared_by(members))
        self._own.take_share(self._part / members if told else self._part)
        if self._closed:
            self._own.unavailable(self._own.stand_in(), now, self._jitter, max(0.0, closed))

    def _rejoin(self, now: float) -> None:
        gate = self._own.gate
        self._alone, self._resume, self._away = False, math.inf, 0.0
        self._own.take_share(1.0)
        self._own.adopt(self._knowledge.bracket)
        self._slots.clear()
        self._closed, self._gate = False, -math.inf
        self._heard_at = -math.inf
        if gate is not None and gate > now:
            self._close(gate, gate - now)
