"""The search that the project began from, written as its report gives it, to be run beside ours.

It is the pseudocode of "PACE" with nothing added: START doubles the rate every four seconds, one
refusal cuts to the average or to 0.7 of what was refused, then it bisects, holds and probes. It has
the methods of `Pacer` that the simulation calls; it knows no declared or announced limit.
"""

from __future__ import annotations

import math
from typing import Any

from nimble_async._sansio.pacing import Ticket, Wait

LONGEST_WAIT = 21600.0


class ReportPace:
    """Satisfies what `benchmarks.simulate_pacing` asks of a pacer."""

    def __init__(self) -> None:
        self.r, self.lo, self.hi = 2.0, 0.0, math.inf
        self.mode = "START"
        self.tat = -math.inf
        self.closed, self.gate = False, -math.inf
        self.canary: Ticket | None = None
        self.strikes = 0
        self.epoch_start = self.level_start = 0.0
        self.admitted_calls = self.sent_in_level = 0
        self.long, self.last_block = 60.0, 0.0
        self.need = 4.0
        self.probe_step = 1.02
        self.refused_rate, self.t429 = 0.0, 0.0
        self.settling = False

    def admit(self, now: float) -> Ticket | Wait:
        """Return leave to send, or what to wait for."""
        if self.closed:
            if now < self.gate:
                return Wait(self.gate)
            if self.canary is not None:
                return Wait(None)
            self.canary = Ticket(0, self.r, pressed=True, canary=True)
            return self.canary
        if self.tat > now:
            return Wait(self.tat)
        self.tat = max(now, self.tat) + 1 / self.r
        self.sent_in_level += 1
        return Ticket(0, self.r, pressed=True, canary=False)

    def admitted(self, ticket: Ticket, now: float, jitter: float) -> None:
        """Take note of a success."""
        self.admitted_calls += 1
        if ticket is self.canary:
            self._reopen(now)
            return
        if self.closed:
            return
        age = now - self.level_start
        enough = age >= self.need and (self.mode != "START" or self.sent_in_level >= 20)
        if not enough:
            return
        if self.sent_in_level >= 0.8 * self.r * age:
            self._passed(jitter)
        self.level_start, self.sent_in_level = now, 0

    def _passed(self, jitter: float) -> None:
        if self.mode == "START":
            self.lo, self.r = self.r, 2 * self.r
        elif self.mode == "SEARCH":
            if self.settling:
                self.settling = False
            self.lo = max(self.lo, self.r)
            if self.hi <= 1.02 * self.lo:
                self.mode, self.r, self.need = "HOLD", self.lo, self.long * (0.8 + 0.4 * jitter)
            else:
                self.r, self.need = (self.lo + self.hi) / 2, 30.0
        elif self.mode == "HOLD":
            self.mode, self.hi = "PROBE", math.inf
            self.long = min(2 * self.long, max(600.0, 20 * self.last_block))
            self.probe_step, self.r, self.need = 1.02, 1.02 * self.lo, 15.0
        else:
            self.lo = self.r
            self.probe_step = 1 + 2 * (self.probe_step - 1)
            self.r *= self.probe_step

    def refused(self, ticket: Ticket, now: float, jitter: float, retry_after: float | None = None) -> None:
        """Take note of a 429."""
        asked = None if retry_after is None else min(LONGEST_WAIT, max(0.0, retry_after))
        if self.closed and ticket is not self.canary:
            if asked is not None:
                self.gate = max(self.gate, now + asked)
            return
        if not self.closed:
            self.refused_rate, self.t429 = ticket.rate, now
        self.canary = None
        self.strikes += 1
        if asked is not None:
            pause = asked + min(2.0, 0.05 * asked) * jitter
        else:
            pause = min(60.0, 2.0 ** (self.strikes - 1)) * (0.5 + 0.5 * jitter)
        self.closed, self.gate = True, max(self.gate, now + pause)

    def _reopen(self, now: float) -> None:
        block = now - self.t429
        average = self.admitted_calls / max(1e-3, now - self.epoch_start)
        self.strikes, self.closed, self.canary, self.last_block = 0, False, None, block
        refused = self.refused_rate
        if block >= 60:
            self.lo, self.long, self.mode = 0.95 * refused, 20 * block, "HOLD"
            self.need = self.long
        else:
            if refused <= 1.01 * self.lo:
                self.lo, self.long = min(0.7 * refused, average), 60.0
            if average < 0.9 * self.lo or self.lo == 0:
                # Refused before any level was carried: the report is silent, the average is its rule.
                self.lo = 0.98 * average
            self.hi, self.mode, self.need, self.settling = refused, "SEARCH", 15.0, True
        self.lo = max(self.lo, 1 / 3600)
        self.r = self.lo
        self.tat = now + 1 / self.r
        self.admitted_calls, self.epoch_start = 0, now
        self.level_start, self.sent_in_level = now, 0

    def announced(self, policies: Any, now: float, jitter: float) -> None:
        """Know nothing of headers."""
        del policies, now, jitter
