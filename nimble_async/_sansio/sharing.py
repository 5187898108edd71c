"""What processes that share one budget say to each other, and what each decides by itself.

Rule: values and pure functions only. An `Ask` goes to the place that keeps the budget (a Redis),
which answers with `News`. There are two clocks: this process's `monotonic()` in seconds, and the
keeper's in microseconds since 1970, which alone decides. A `Skew` translates.

The keeper gives out slots: instants at which one call may be sent, one `interval` apart. It never
waits: a process sleeps until its slot. It counts what was admitted, holds the closed gate and the
number of the event that closed it, and keeps, as text it does not read, what was found about the
limit; a process replaces that text only if it knows the version that it replaces.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from nimble_async._sansio.declared import safe_pace
from nimble_async._sansio.ratelimits import LONGEST_WAIT
from nimble_async._sansio.ratesearch import UNPACED, Bracket, Event, Mode
from nimble_async.config import RateLimit

__all__ = [
    "LATENESS",
    "LEAST_TRIM",
    "MICRO",
    "Ask",
    "Knowledge",
    "News",
    "Skew",
    "Verdict",
    "ahead",
    "own_slot",
    "read_knowledge",
    "shared_pace",
    "write_knowledge",
]

MICRO = 1e6
LEAST_TRIM = 0.9
"""How far refusals trim a limit that somebody told, before it is no longer believed."""

_MARGIN = 0.99
_TRIM, _REGAIN, _QUIET = 0.99, 1.005, 30.0
"""What an event takes off a told limit, and what a quiet while (seconds) gives back."""
_HORIZON = 0.04
"""Seconds of slots to hold at once: less than what a gate may close behind."""
_MOST_AHEAD = 64
_LONGEST_INTERVAL = 40 * 86400 * MICRO
"""Between two calls, a month and more: what is longer was meant by nobody."""
LATENESS = 0.05
"""Seconds that a slot may be used late, at most."""
_SURE = 0.005
_FAST = 0.002
_DRIFT = 1e-4
"""How far two clocks may part in a second."""

Verdict = str
"""What became of a canary: `through`, `refused`, or `free` where it came to no end."""


class Ask(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a process reports and wants, in one message. Durations are microseconds."""

    member: str
    n: int = 0
    """Slots wanted."""
    event: int = 0
    """The event that this process knows as the last."""
    admitted: int = 0
    """Answers since the last message that were no 429."""
    faster: float = 0.0
    """By how much (calls a second) they quicken the search's first phase."""
    refused: float = 0.0
    """The rate (calls a second) at which a call was refused: a claim that a new event began."""
    pause: float = 0.0
    """How long to close the gate if the claim holds, or for a refused canary."""
    strikes: int = 0
    shut: float = 0.0
    """Close the gate for so long at least, and count no event."""
    verdict: Verdict = ""
    declared: float = 0.0
    """The interval that a declared limit allows; the strictest of all processes holds."""
    tolerance: float = 0.0
    announced: float = 0.0
    """The interval that headers allow, ..."""
    announced_for: float = 0.0
    """... for how long, ..."""
    renewed: float = 0.0
    """... and the one after that; the last to speak is believed."""
    hold: float = 0.0
    """Grant no slot earlier than this from now."""
    back_from: float = 0.0
    back_to: float = 0.0
    """Unused slots: from `back_from` to here. They are taken back if the queue still ends here."""
    version: int = 0
    """The knowledge that `known` replaces; 0: nothing is to be replaced."""
    search: float = 0.0
    """The interval of the search."""
    starting: int = 0
    """1 while the search is in its first phase."""
    stretch: float = 1.0
    """By how much a told interval is to be longer."""
    known: str = ""
    away: float = 0.0
    """Since when (the keeper's clock) this process went on by itself; 0: it did not."""
    peers: int = 1
    """How many processes it knew then."""
    leave: int = 0


class News(Struct, frozen=True, kw_only=True):
    """What the keeper answers. Instants are microseconds of its clock, intervals microseconds a call."""

    now: float = 0.0
    granted: int = 0
    start: float = 0.0
    """Where the granted slots begin: slot i is at `start + i * interval - tolerance`, at least `now`."""
    interval: float = 0.0
    tolerance: float = 0.0
    pressed: int = 0
    """Whether others were before: only then does an admitted call say something about the rate."""
    canary: int = 0
    """Whether this process may send the one call that tries a closed gate."""
    closed: int = 0
    gate: float = 0.0
    event: int = 0
    strikes: int = 0
    pending: int = 0
    """Whether the closing event has not led to a cut yet. The next five describe it."""
    event_rate: float = 0.0
    event_admitted: int = 0
    event_span: float = 0.0
    event_clean: int = 0
    block_from: float = 0.0
    admitted: int = 0
    """Calls admitted since the last event."""
    clean: int = 0
    level_from: float = 0.0
    level_sent: int = 0
    version: int = 0
    search: float = 0.0
    starting: int = 0
    stretch: float = 1.0
    known: str = ""
    members: int = 1
    seat: int = 0
    """The place of this process among the members, from 0."""
    settle: float = 0.0
    """Until then each process goes on with its own share."""
    held: float = 0.0

    @classmethod
    def read(cls, answer: Sequence[bytes | str]) -> News:
        """Read the keeper's answer: the members in their order, as texts.

        Raises:
            ValueError: It is not such an answer.
        """
        texts = [text.decode() if isinstance(text, bytes) else text for text in answer]
        values = dict(zip(cls.__struct_fields__, texts, strict=True))
        try:
            news = msgspec.convert(values, cls, strict=False)
        except msgspec.ValidationError as error:
            raise ValueError(str(error)) from error
        return news.checked()

    def checked(self) -> News:
        """Return it where its numbers can be meant.

        Raises:
            ValueError: Something wrote over what the keeper keeps.
        """
        numbers = [getattr(self, name) for name in self.__struct_fields__ if name != "known"]
        latest = self.now + MICRO * (2 * LONGEST_WAIT) + _MOST_AHEAD * self.interval
        instants = (self.start, self.gate, self.settle, self.held)
        if (
            not all(map(math.isfinite, numbers))
            or not 0 <= self.interval <= _LONGEST_INTERVAL
            or max(instants) > latest
            or self.stretch <= 0
            or self.members < 1
            or not 0 <= self.granted <= _MOST_AHEAD
        ):
            raise ValueError("The shared rate budget holds numbers that make no sense.")
        return self


class Skew(Struct, frozen=True):
    """How the keeper's clock is translated: `local = keeper / 1e6 + offset`."""

    offset: float
    at: float

    @classmethod
    def after(cls, before: Skew | None, news: float, sent: float, received: float) -> Skew:
        """Return it after an answer of the keeper's instant `news`, asked at `sent` and `received`.

        The truth lies between the two. What was known before is kept as far as it agrees, so that an
        answer that lay about for a while, or a clock that was set, does no harm.
        """
        low, high = sent - news / MICRO, received - news / MICRO
        if before is None:
            return cls(high, received)
        aged = before.offset + _DRIFT * max(0.0, received - before.at)
        return cls(min(max(aged, low), high), received)

    def local(self, instant: float) -> float:
        """Return this process's second of an instant of the keeper."""
        return instant / MICRO + self.offset

    def keeper(self, now: float) -> float:
        """Return the keeper's instant of a second of this process."""
        return (now - self.offset) * MICRO


def shared_pace(limit: RateLimit) -> tuple[float, float, float]:
    """Return interval and tolerance (microseconds) that keep every window of a declared limit, and lateness.

    One clock spaces the slots of all, so that less margin is needed than `safe_pace` keeps for timers:
    `floor(rate * window) + burst <= limit` for slots, whatever the alignment of the server's windows. Where
    each slot is used at most `lateness` (seconds) late, it is one call more for sends.
    """
    if math.isinf(limit.limit):
        return 0.0, 0.0, LATENESS
    rate, burst, _ = safe_pace(limit)
    window = limit.window if limit.limit >= 1 else limit.window / limit.limit
    quota = max(1.0, math.floor(limit.limit))
    rate = max(rate, min(_MARGIN * max(limit.limit, 1.0), quota - burst + 0.98) / window)
    slack = (quota - burst + 2 - rate * window) / rate
    return MICRO / rate, (burst - 1) * MICRO / rate, min(LATENESS, slack)


def ahead(interval: float, members: int) -> int:
    """Return how many slots a process holds at once: enough for a few hundredths of a second."""
    mine = max(1e-9, interval * max(1, members) / MICRO)
    return max(1, min(_MOST_AHEAD, math.ceil(_HORIZON / mine)))


def own_slot(instant: float, *, period: float, seat: int, members: int) -> tuple[int, float]:
    """Return the number of the slot that is on, and the seconds until the next one begins.

    Where nobody can be asked, time is divided: each process has a slot in each `period` (seconds), a
    `members`th of it after the one of the seat before. So all together keep the rate, and none of them
    has to know what the others do. `instant` is the keeper's, in microseconds. The number is -1 between
    two slots; it is 0 at any time where slots would be too short to be met.
    """
    if period < _FAST:
        return 0, 0.0
    since = instant / MICRO - seat * period / max(1, members)
    number = math.floor(since / period)
    late = since - number * period
    soon = min(LATENESS, max(_SURE, 1.25 * period / max(1, members)))
    return (number if late <= min(soon, period / 2) else -1), period - late


class Knowledge(Struct, frozen=True):
    """What all processes found out about the limit: the search, and how far a told limit is believed."""

    bracket: Bracket
    trim: float = 1.0
    trimmed_at: float = 0.0
    """Microseconds of the keeper's clock."""

    @property
    def distrusted(self) -> bool:
        """Whether what was told was refused so often that the search has a say."""
        return self.trim <= LEAST_TRIM

    def quickened(self, search: float) -> Knowledge:
        """Return it with the rate that the keeper has reached in the search's first phase."""
        if self.bracket.mode is not Mode.START or search <= 0:
            return self
        return replace(self, bracket=replace(self.bracket, rate=min(UNPACED, MICRO / search)))

    def faster(self, answers: int) -> float:
        """Return by how much (calls a second) so many answers quicken the search's first phase."""
        bracket = self.bracket
        if bracket.mode is not Mode.START or bracket.rate >= UNPACED:
            return 0.0
        for _ in range(answers):
            bracket = bracket.grown()
        return bracket.rate - self.bracket.rate

    def after(self, news: News, now: float, *, told: bool) -> Knowledge:
        """Return it after the event of `news`, whose canary came through at `now`: the one cut."""
        if not news.pending:
            return self
        knowledge = self
        if told:
            knowledge = replace(self, trim=max(LEAST_TRIM, self.trim * _TRIM), trimmed_at=now)
        if told and not knowledge.distrusted:
            return knowledge
        span = max(1e-3, news.event_span / MICRO)
        rate = news.event_rate
        if self.bracket.mode is Mode.START:
            # Growth outruns the answers: what was really sent says more than the rate it had reached.
            rate = min(rate, 2 * (news.event_admitted + 1) / span)
        event = Event(
            refused=rate,
            block=max(0.0, now - news.block_from) / MICRO,
            admitted=news.event_admitted,
            span=span,
            clean=bool(news.event_clean),
        )
        return replace(knowledge, bracket=self.bracket.after(event))

    def passed(self, news: News, jitter: float, *, told: float) -> Knowledge | None:
        """Return it after what was carried until `news`, or None where that proves nothing yet.

        `told` is the rate that somebody told, 0 for none. A level that was not used is begun anew.
        """
        if told and not self.distrusted:
            if self.trim >= 1 or news.now - self.trimmed_at < _QUIET * MICRO:
                return None
            return replace(self, trim=min(1.0, self.trim * _REGAIN), trimmed_at=news.now)
        age = (news.now - news.level_from) / MICRO
        if self.bracket.mode is Mode.START or age < self.bracket.need:
            return None
        if news.level_sent < 0.8 * age * MICRO / news.interval:
            return self
        bracket = self.bracket.passed(jitter)
        trim = 1.0 if told and bracket.rate >= told else self.trim
        return replace(self, bracket=bracket, trim=trim)

    def shared_by(self, members: int) -> Bracket:
        """Return the search of one process that keeps a share of what was found."""
        bracket, part = self.bracket, 1 / max(1, members)
        return replace(
            bracket,
            rate=bracket.rate * part,
            lo=bracket.lo * part,
            held=bracket.held * part,
            hi=bracket.hi * part,
        )


def write_knowledge(knowledge: Knowledge) -> str:
    """Return it as a text."""
    return base64.b64encode(msgspec.msgpack.encode(knowledge)).decode()


def read_knowledge(text: str) -> Knowledge | None:
    """Return what `write_knowledge` wrote, or None where it cannot be read (another version wrote it)."""
    try:
        return msgspec.msgpack.decode(base64.b64decode(text, validate=True), type=Knowledge)
    except (msgspec.MsgspecError, binascii.Error, ValueError):
        return None
