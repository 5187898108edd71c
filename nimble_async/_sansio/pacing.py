"""Decide when the next request may be sent.

Rule: nothing here waits, reads a clock or draws a number. Callers pass `now` (monotonic seconds)
and `jitter` (0 <= jitter < 1) and get decisions back; `_aio.throttle` does the waiting.

Sends are spaced: the next slot is one step (1/rate) after the last, and a slot nobody used is
lost, so there is never a burst to catch up. The rate comes from the best knowledge there is: what
the server announces in headers, what the user declared, what an earlier run found, or the search
of `ratesearch`.

A refusal (429) closes a gate. It is one event, however many answers in flight were refused: one
cut, and one canary, the first call after the pause, which opens the gate for all or learns to
wait longer.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from nimble_async._sansio.alignment import LONGEST_WINDOW, Alignment
from nimble_async._sansio.declared import LATENESS, MARGIN, Spacing, implies, safe_pace
from nimble_async._sansio.guesses import Guesses
from nimble_async._sansio.pauses import barred, believed, pause_after
from nimble_async._sansio.ratelimits import LONGEST_WAIT, Policy
from nimble_async._sansio.ratesearch import FEW, SLOWEST, UNPACED, Bracket, Discovery, Event, Mode
from nimble_async.config import RateLimit

__all__ = ["VERDICT", "Pacer", "Ticket", "Wait"]

_IDLE = 2.0
"""Seconds without a send after which a server's supply is full again, so that its level says nothing."""
_LONG_BLOCK = 10.0
_LONGEST_TRY = 30.0
"""Seconds after which the call that tries a closed gate no longer keeps the next one from trying."""
_LONGEST_HOLD = 900.0
"""Seconds that a used-up limit stops calls without a refusal: then one call looks whether it still does."""
_MOST_ALIGNED = 2000
"""Calls of a window from which its edges no longer matter."""
_TRIM, _LEAST_TRIM, _REGAIN, _QUIET = 0.99, 0.9, 1.005, 30.0
"""What a refusal takes off a declared limit, how far that goes, what a quiet while gives back."""


class Ticket:
    """Leave to send one request, to be handed back with what became of it."""

    __slots__ = ("at", "canary", "event", "pressed", "rate")

    def __init__(self, event: int, rate: float, *, pressed: bool, canary: bool, at: float = 0.0) -> None:
        self.at: float = at
        self.event: int = event
        self.rate: float = rate
        self.pressed: bool = pressed
        """Whether pacing held this call back: only then does its success say something about the rate."""
        self.canary: bool = canary


class Wait(Struct, frozen=True):
    """Not yet: ask again at `at` (monotonic seconds), or after the canary's verdict where it is None."""

    at: float | None


VERDICT = Wait(None)


class Pacer:
    """The pace of one rate budget: asked before each send, told of each answer."""

    __slots__ = (
        "_admitted", "_admitted_from", "_aligned", "_announced", "_announced_window", "_block_from",
        "_bracket", "_burst", "_canary", "_clean", "_closed", "_declared", "_event", "_gate",
        "_guesses", "_guessing", "_held", "_last", "_lateness", "_level_from", "_level_sent",
        "_outage", "_outstanding", "_pending", "_rate", "_recent", "_remembered", "_renews",
        "_share", "_spacings", "_step", "_strikes", "_tat", "_trim", "_trimmed_at", "refusals",
    )  # fmt: skip

    def __init__(self, declared: RateLimit | None = None, *, discovery: Discovery | None = None) -> None:
        self._bracket = Bracket() if discovery is None else Bracket.remembered(discovery)
        self._remembered = 0.0 if discovery is None else discovery.rate
        self._declared: RateLimit | None = None
        self._burst, self._lateness = 1.0, LATENESS
        self._trim, self._trimmed_at = 1.0, -math.inf
        self._share = 1.0
        self._announced: float | None = None
        self._announced_window: tuple[float, float] | None = None
        self._guessing = False
        self._aligned: Alignment | None = None
        self._recent: deque[float] = deque()
        self._renews, self._held = math.inf, -math.inf
        self._guesses = Guesses()
        self._spacings: list[Spacing] = []
        self._tat = self._last = -math.inf
        self._closed, self._gate, self._outage = False, -math.inf, False
        self._canary: Ticket | None = None
        self._strikes, self._event, self._outstanding = 0, 0, 0
        self._block_from = 0.0
        self._pending: Event | None = None
        self._admitted, self._admitted_from, self._clean = 0, -math.inf, False
        self._level_from, self._level_sent = -math.inf, 0
        self.refusals = 0
        if declared is not None and math.isinf(declared.limit):
            # Without a limit there is nothing to search for, until a refusal says otherwise.
            self._bracket = replace(self._bracket, rate=UNPACED)
        self._retune()
        self.declare(declared)

    # What is in force

    @property
    def mode(self) -> Mode:
        """What the rate in force rests on."""
        if self._announced is not None:
            return Mode.ANNOUNCED
        return self._bracket.mode if self._declared is None else Mode.DECLARED

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self._rate

    @property
    def gate(self) -> float | None:
        """Until when (monotonic seconds) nothing is sent, or None while the gate is open."""
        return self._gate if self._closed else None

    @property
    def held(self) -> float:
        """Until when (monotonic seconds) a used-up limit stops calls; in the past where none does."""
        return self._held

    def barred(self, now: float) -> bool:
        """Return whether so many tries were refused for so long that waiting for the next is in vain."""
        waits = self._pending is not None and now < self._gate
        return waits and barred(self._strikes, now - self._block_from)

    @property
    def free(self) -> float:
        """From when (monotonic seconds) on a pacer that knows nothing would allow no more than this one."""
        ends = [spacing.due for spacing in self._spacings]
        return max(self._tat, self._held, self._gate if self._closed else -math.inf, *ends)

    @property
    def bracket(self) -> Bracket:
        """The state of the search."""
        return self._bracket

    @property
    def outlook(self) -> tuple[float | None, float, float, float]:
        """What headers said: rate or None, until when, the rate afterwards, when the next call may go."""
        return self._announced, self._renews, self._even, self._held

    @property
    def _even(self) -> float:
        """The rate that uses the announced window up evenly; 0 where none was announced."""
        quota, window = self._announced_window or (0.0, 1.0)
        return max(MARGIN * quota / window, self._floor(guessed=self._guessing)) if quota else 0.0

    def _floor(self, *, guessed: bool) -> float:
        """Return the rate below which a guess about a window makes nobody slower: the declared one."""
        return 0.0 if self._declared is None or not guessed else safe_pace(self._declared)[0]

    def discovery(self, wall: float) -> Discovery | None:
        """Return what is worth remembering, or None while nothing new was measured."""
        if not self._bracket.measured or self._declared is not None:
            return None
        if self._remembered and self._event == 0 and self._bracket.lo <= self._remembered:
            # It began below what is remembered, and nothing has spoken against that.
            return None
        return Discovery(rate=self._bracket.lo, block=self._bracket.block, found=wall)

    def recall(self, discovery: Discovery) -> None:
        """Begin at what an earlier run found, unless this one has already found something itself."""
        if self._bracket.mode is Mode.START and self._event == 0 and self._bracket.rate < UNPACED:
            self._bracket, self._remembered = Bracket.remembered(discovery), discovery.rate
            self._retune()

    def declare(self, limit: RateLimit | None) -> None:
        """Keep this limit too: where neither of two implies the other, both are kept.

        An endless one changes nothing.
        """
        if limit is None or math.isinf(limit.limit):
            return
        known = [] if self._declared is None else [self._declared, *(one.limit for one in self._spacings)]
        if any(implies(one, limit) for one in known):
            return
        kept = [one for one in known if not implies(limit, one)] + [limit]
        self._declared = slowest = min(kept, key=lambda one: safe_pace(one)[0])
        dues = {one.limit: one.due for one in self._spacings}
        # What was sent before counts for a limit that was not known then, too.
        self._spacings = [
            Spacing(one, dues.get(one, self._last + 1 / safe_pace(one)[0]))
            for one in kept
            if one is not slowest
        ]
        _, self._burst, self._lateness = safe_pace(slowest)
        self._retune()

    def redeclare(self, limits: Iterable[RateLimit]) -> None:
        """Keep these limits, and none that was declared before; what was sent counts for them too."""
        self._tat = max([self._tat, *(one.due for one in self._spacings)])
        self._declared, self._spacings = None, []
        self._burst, self._lateness = 1.0, LATENESS
        for limit in limits:
            self.declare(limit)
        self._retune()

    def take_share(self, share: float) -> None:
        """Use this part of the budget only (0 < share <= 1): others spend the rest of it."""
        self._share = min(1.0, max(1e-3, share))
        self._retune()

    def _retune(self) -> None:
        told = self._told()
        rate = self._bracket.rate
        if told is not None:
            rate = min(told * self._trim, rate) if self._distrusted else told * self._trim
        self._rate = min(UNPACED, max(SLOWEST, rate * self._share))
        self._step = 1 / self._rate
        self._align()

    def _align(self) -> None:
        """Know the short window that rules, if one does and all of it is ours to use up."""
        known = self._window()
        if known is None or self._share < 1 or self._distrusted:
            self._aligned = None
            return
        quota, window = int(known[0]), known[1]
        if self._aligned is None or (self._aligned.quota, self._aligned.window) != (quota, window):
            self._aligned = Alignment(quota=quota, window=window)
            self._recent = deque(self._recent, maxlen=quota)
        if self._aligned.active:
            self._step = self._aligned.step

    def _window(self) -> tuple[float, float] | None:
        """Return quota and seconds of the window that limits us, where it is short and known."""
        declared = self._declared
        if self._announced is not None and self._told() == self._announced:
            known = self._announced_window
        elif declared is not None and declared.burst < 2:
            known = (declared.limit, declared.window)
        else:
            known = None
        return (
            known
            if known is not None and 2 <= known[0] <= _MOST_ALIGNED and known[1] <= LONGEST_WINDOW
            else None
        )

    def _told(self) -> float | None:
        """Return the rate somebody told us, the stricter of two, or None."""
        declared = None if self._declared is None else safe_pace(self._declared)[0]
        if self._announced is None:
            return declared
        return self._announced if declared is None else min(declared, self._announced)

    @property
    def _distrusted(self) -> bool:
        """Whether what was told was refused so often that the search has a say."""
        return self._trim <= _LEAST_TRIM

    # Before a send

    def admit(self, now: float) -> Ticket | Wait:
        """Return leave to send one request at `now`, or what to wait for."""
        if self._closed:
            if now < self._gate:
                return Wait(self._gate)
            if self._canary is not None:
                until = self._canary.at + _LONGEST_TRY
                if now < until:
                    return Wait(until)
            self._canary = ticket = self._issue(now, canary=True)
            return ticket
        if now >= self._renews:
            self._renew(now)
        at = max(now, self._tat - (self._burst - 1) * self._step)
        for spacing in self._spacings:
            at = spacing.earliest(at, self._trim * self._share)
        at = self._clear(at)
        if at > now or self._held > now:
            return Wait(max(at, self._held))
        return self._issue(now, canary=False)

    def _clear(self, at: float) -> float:
        """Return when a send due at `at` may go, clear of a short window's edges while they are in use."""
        aligned, recent = self._aligned, self._recent
        if aligned is None or not aligned.active:
            return at
        half = aligned.quota // 2
        if len(recent) < half or recent[-half] < at - aligned.window:
            # Too few calls to fill a window: they need not wait for its middle.
            return at
        if len(recent) == aligned.quota:
            at = max(at, recent[0] + aligned.window)
        return aligned.clear(at)

    def earliest(self, now: float, ahead: int = 0) -> float:
        """Return when, at the soonest, a call with `ahead` others before it may be sent."""
        at = max(now, self._held, self._tat - (self._burst - 1) * self._step)
        if self._closed:
            at = max(at, self._gate)
        at = self._after(at, max(0.0, ahead - (self._burst - 1)))
        for spacing in self._spacings:
            at = spacing.earliest(at, self._trim * self._share, ahead)
        return at

    def _after(self, at: float, ahead: float) -> float:
        """Return when, at the soonest, `ahead` calls from `at` on are sent: the rate may be about to rise."""
        rate, bracket = self._rate, self._bracket
        if self._told() is None and bracket.mode is Mode.START:
            rate = UNPACED * self._share
        elif self._told() is None and bracket.mode is Mode.SEARCH and bracket.hi < math.inf:
            rate = max(rate, bracket.hi * self._share)
        end = at + ahead / rate
        if self._renews < end and self._even > rate:
            # A new window of the announced limit begins before that.
            fresh = max(at, self._renews)
            end = min(end, fresh + (ahead - (fresh - at) * rate) / self._even)
        return end

    def _issue(self, now: float, *, canary: bool) -> Ticket:
        late = now - self._tat
        if now - self._last > _IDLE + 2 * self._step:
            self._begin(now, clean=False)
        # A timer that came late is made up for; a slot that nobody wanted is not.
        credit = min(self._lateness, self._step) if late <= self._step else 0.0
        self._tat = max(self._tat, now - credit) + self._step
        for spacing in self._spacings:
            spacing.take(now, self._trim * self._share)
        self._last = now
        if self._aligned is not None:
            self._recent.append(now)
        self._level_sent += 1
        self._outstanding += 1
        return Ticket(
            self._event,
            self._rate,
            pressed=late <= max(0.25 * self._step, LATENESS),
            canary=canary,
            at=now,
        )

    def _begin(self, now: float, *, clean: bool) -> None:
        """Count anew from here: the epoch between events, and the level."""
        if not clean:
            self._admitted, self._admitted_from, self._clean = 0, now, False
        self._level_from, self._level_sent = now, 0

    # After an answer

    def admitted(self, ticket: Ticket, now: float, jitter: float) -> None:
        """Take note of an answer that is no 429, whatever else it says."""
        self._outstanding -= 1
        if ticket is self._canary:
            self._reopen(now)
            return
        if self._closed or ticket.event != self._event:
            return
        self._admitted += 1
        if self._distrusted or (self._declared is None and self._announced is None):
            self._learn(ticket, now, jitter)
        elif self._trim < 1 and now - self._trimmed_at >= _QUIET:
            self._trim, self._trimmed_at = min(1.0, self._trim * _REGAIN), now
            self._retune()

    def refused(self, ticket: Ticket, now: float, jitter: float, retry_after: float | None = None) -> None:
        """Take note of a 429: one event closes the gate once, and cuts once."""
        self._outstanding -= 1
        self.refusals += 1
        asked = None if retry_after is None else min(LONGEST_WAIT, max(0.0, retry_after))
        if ticket is self._canary:
            self._canary = None
            self._strikes += 1
        elif self._closed or ticket.event != self._event:
            # A straggler of an event already counted: obey its wait, cut nothing.
            if asked is not None:
                self._shut(now + asked)
            return
        else:
            self._event += 1
            # Refused again soon after a long block: the gate was opened too early, so wait longer at once.
            relapse = self._clean and self._admitted < FEW and self._bracket.block >= _LONG_BLOCK
            self._strikes = 4 if relapse else 1
            self._pending = self._evidence(ticket, now)
            self._block_from = now
            if self._aligned is not None:
                self._aligned = self._aligned.refused(ticket.at, self._admitted)
        self._shut(self._pause_until(believed(asked, self._strikes), now, jitter))

    def unavailable(self, ticket: Ticket, now: float, jitter: float, wait: float) -> None:
        """Take note of an answer that asks everybody to wait though it counts no calls (503).

        Nothing is cut: it says nothing about the rate. One canary tries after `wait` seconds.
        """
        self.abandoned(ticket)
        asked = min(LONGEST_WAIT, max(0.0, wait))
        self._outage = True
        if self._pending is not None:
            # Time that the server was down is no part of what a refusal cost.
            self._block_from += max(0.0, now + asked - max(now, self._gate))
        self._shut(now + pause_after(asked, 1, jitter, 1.0))

    def stand_in(self) -> Ticket:
        """Return a ticket for a call that goes by somebody else's leave, to be handed back all the same."""
        self._outstanding += 1
        return Ticket(self._event, self._rate, pressed=False, canary=False, at=-math.inf)

    def adopt(self, bracket: Bracket, *, cut: bool = False) -> None:
        """Go on with a search that was led elsewhere; `cut` says that it met a refusal there."""
        self._bracket = bracket
        if cut:
            self._remembered = 0.0
        self._retune()

    def abandoned(self, ticket: Ticket) -> None:
        """Take note that a call ended without a verdict; a canary hands its role on."""
        self._outstanding -= 1
        if ticket is self._canary:
            self._canary = None

    def _shut(self, until: float) -> None:
        self._closed = True
        self._gate = max(self._gate, until)

    def _pause_until(self, asked: float | None, now: float, jitter: float) -> float:
        aligned = self._aligned
        if asked is None and self._strikes == 1 and aligned is not None and aligned.active:
            # What the refusal taught may have moved the window forward: keep the last one's distance.
            full = self._recent[0] + aligned.window if len(self._recent) == aligned.quota else now
            return max(full, aligned.next_window(now))
        return now + pause_after(asked, self._strikes, jitter, self._unit())

    def _unit(self) -> float:
        """Return the seconds of a first pause: a part of a declared short window, else one second."""
        return 1.0 if self._declared is None else min(1.0, 0.3 * self._declared.window)

    def _evidence(self, ticket: Ticket, now: float) -> Event:
        span = max(1e-3, now - self._admitted_from)
        event = Event(refused=ticket.rate, block=0.0, admitted=self._admitted, span=span, clean=self._clean)
        if self._bracket.mode is Mode.START:
            # Growth outruns the answers: what was really sent says more than the rate it had reached.
            event = replace(event, refused=min(ticket.rate, 2 * (self._admitted + 1) / span))
        return event

    def _reopen(self, now: float) -> None:
        """The canary came through: open the gate for all, at the new pace, without catching up."""
        self._closed, self._canary = False, None
        if self._pending is not None:
            event = replace(self._pending, block=now - self._block_from)
            self._pending = None
            told = self._declared is not None or self._announced is not None
            if told and (self._aligned is None or not self._aligned.active):
                self._trim, self._trimmed_at = max(_LEAST_TRIM, self._trim * _TRIM), now
            if not told or self._distrusted:
                self._bracket = self._bracket.after(event)
            self._admitted, self._admitted_from, self._clean = 1, self._block_from, True
        self._retune()
        self._begin(now, clean=not self._outage)
        self._outage = False
        self._tat = now + self._step

    def _learn(self, ticket: Ticket, now: float, jitter: float) -> None:
        bracket = self._bracket
        if bracket.mode is Mode.START:
            if ticket.pressed and bracket.rate < UNPACED:
                self._bracket = bracket.grown()
                self._retune()
            return
        age = now - self._level_from
        if age < bracket.need:
            return
        # A level that was not used proves nothing: measure it again.
        if self._level_sent >= 0.8 * self._rate * age:
            self._bracket = bracket = bracket.passed(jitter)
            if self._distrusted and bracket.rate >= (self._told() or math.inf):
                self._trim = 1.0
            self._retune()
        self._level_from, self._level_sent = now, 0

    # What the server announces

    def announced(self, policies: tuple[Policy, ...], now: float, jitter: float) -> None:
        """Follow the tightest of the announced limits; one that says too little changes nothing."""
        rates = []
        for policy in policies:
            if policy.remaining is None or policy.reset is None:
                continue
            window = policy.window or self._guesses.window(policy.name, policy.reset, now)
            if window is None:
                continue
            quota = policy.quota or max(policy.remaining, 1.0)
            if window <= LONGEST_WINDOW:
                # Whole seconds say nothing about when such a window ends: keep its even pace.
                rates.append((MARGIN * quota / window, math.inf, (quota, window)))
                continue
            usable = policy.remaining - 0.01 * quota - self._outstanding
            fresh = now + policy.reset + min(2.0, 0.02 * window) * jitter
            if usable < 1:
                self._held = max(self._held, min(fresh, now + _LONGEST_HOLD))
            spread = max(usable, 1.0) / max(policy.reset, 0.5)
            most = max(2 * quota / window, self._floor(guessed=policy.window is None))
            rates.append((max(min(spread, most), 1 / _LONGEST_HOLD), fresh, (quota, window)))
        if rates:
            self._announced, self._renews, self._announced_window = min(rates)
            self._guessing = all(policy.window is None for policy in policies)
            self._retune()
            # A slot that lies far ahead because of what was announced before is no longer so far.
            self._tat = min(self._tat, max(now, self._last) + self._burst * self._step)

    def _renew(self, now: float) -> None:
        """A new window began and no answer has described it yet: go at its even pace."""
        self._announced, self._renews = self._even, math.inf
        self._tat = max(self._tat, now)
        self._retune()
