"""Rate rules of a simulated vendor: who is admitted at `now`, and what the answer says about it.

Rule: no clock; `now` is the simulation's seconds and never goes back. A rule counts requests as
they arrive; only `Concurrency` needs to be told when one ends.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from nimble_async.config import RateLimit

__all__ = [
    "RATE_RULES",
    "Concurrency",
    "FixedWindow",
    "RateRule",
    "Rates",
    "SlidingLog",
    "TokenBucket",
    "Verdict",
]

# A request paced to the very instant must not fail by an error in the last digit.
_ROUNDING = 1e-9


class Verdict(Struct, frozen=True):
    """What a rule says of one request. Times are seconds from `now`."""

    admitted: bool
    wait: float = 0.0
    """When the next request would be admitted, as far as the rule knows."""
    remaining: int = 0
    reset: float = 0.0
    """When the whole budget is there again."""


class RateRule(Protocol):
    """One way to count requests against `limit` in `window` seconds."""

    limit: float
    window: float

    def judge(self, now: float) -> Verdict:
        """Count one request that arrives at `now`."""
        ...

    def ended(self, now: float) -> None:
        """Note that an admitted request was answered."""
        ...


class TokenBucket:
    """A bucket of `burst` tokens (a whole window's unless told), filled steadily."""

    def __init__(self, limit: float, window: float, burst: float | None = None) -> None:
        self.limit = limit
        self.window = window
        self.burst: float = max(1.0, limit if burst is None else burst)
        self._tokens = self.burst
        self._at = 0.0

    def judge(self, now: float) -> Verdict:
        """Take a token, if one is there."""
        rate = self.limit / self.window
        self._tokens = min(self.burst, self._tokens + max(0.0, now - self._at) * rate)
        self._at = max(self._at, now)
        admitted = self._tokens >= 1 - _ROUNDING
        if admitted:
            self._tokens -= 1
        wait = 0.0 if self._tokens >= 1 else (1 - self._tokens) / rate
        return Verdict(admitted, wait, max(0, int(self._tokens)), (self.burst - self._tokens) / rate)

    def ended(self, now: float) -> None:
        """Nothing to note."""


class FixedWindow:
    """`limit` requests in each window of the clock, refilled at once."""

    def __init__(self, limit: float, window: float) -> None:
        self.limit = limit
        self.window = window
        self._number = -1
        self._used = 0

    def judge(self, now: float) -> Verdict:
        """Count in the present window."""
        number = math.floor((now + _ROUNDING) / self.window)
        if number != self._number:
            self._number, self._used = number, 0
        admitted = self._used < self.limit
        self._used += admitted
        left = (number + 1) * self.window - now
        return Verdict(admitted, 0.0 if self._used < self.limit else left, int(self.limit - self._used), left)

    def ended(self, now: float) -> None:
        """Nothing to note."""


class SlidingLog:
    """`limit` admitted requests in any window of that length."""

    def __init__(self, limit: float, window: float) -> None:
        self.limit = limit
        self.window = window
        self._log: deque[float] = deque()

    def judge(self, now: float) -> Verdict:
        """Count against the requests of the last window."""
        while self._log and self._log[0] <= now - self.window + _ROUNDING:
            self._log.popleft()
        admitted = len(self._log) < self.limit
        if admitted:
            self._log.append(now)
        full = len(self._log) >= self.limit
        wait = self._log[0] + self.window - now if full and self._log else 0.0
        reset = self._log[-1] + self.window - now if self._log else 0.0
        return Verdict(admitted, wait, max(0, int(self.limit - len(self._log))), reset)

    def ended(self, now: float) -> None:
        """Nothing to note."""


class Concurrency:
    """`limit` requests in flight at once; the window only tells how long to wait."""

    def __init__(self, limit: float, window: float = 1.0) -> None:
        self.limit = limit
        self.window = window
        self._in_flight = 0

    def judge(self, now: float) -> Verdict:
        """Count the request in flight, if there is room."""
        del now
        admitted = self._in_flight < self.limit
        self._in_flight += admitted
        full = self._in_flight >= self.limit
        return Verdict(admitted, self.window if full else 0.0, int(self.limit - self._in_flight), self.window)

    def ended(self, now: float) -> None:
        """Give the place of an admitted request back."""
        del now
        self._in_flight -= 1


RATE_RULES: Mapping[str, type[TokenBucket | FixedWindow | SlidingLog | Concurrency]] = {
    "token-bucket": TokenBucket,
    "fixed-window": FixedWindow,
    "sliding-log": SlidingLog,
    "concurrency": Concurrency,
}


class Rates:
    """A rule, and how much of it the vendor tells.

    `announce`: False for silence, "headers" for RateLimit-Limit, -Remaining and -Reset, "no-reset"
    for the first two of them, "fields"
    for RateLimit and RateLimit-Policy, "epoch" for X-RateLimit-* with the reset as wall seconds.
    `retry_after`: whether a refusal says how long to wait (whole seconds, rounded up).
    `penalty`: after a refusal everything is refused for so many seconds.
    """

    def __init__(
        self, rule: RateRule, *, announce: str | bool = False, retry_after: bool = False, penalty: float = 0.0
    ) -> None:
        self.rule = rule
        self.announce = "headers" if announce is True else announce
        self.retry_after = retry_after
        self.penalty = penalty
        self._blocked_until = -math.inf

    @classmethod
    def named(
        cls,
        rate: str | RateLimit,
        rule: str = "token-bucket",
        *,
        announce: str | bool = False,
        retry_after: bool = False,
        penalty: float = 0.0,
    ) -> Rates:
        """Return the rule of that name for a rate such as `10/1s`.

        Raises:
            ConfigurationError: The rate cannot be read.
            KeyError: There is no rule of that name.
        """
        limit = RateLimit.parse(rate) if isinstance(rate, str) else rate
        return cls(
            RATE_RULES[rule](limit.limit, limit.window),
            announce=announce,
            retry_after=retry_after,
            penalty=penalty,
        )

    def judge(self, now: float) -> Verdict:
        """Count one request; a penal block refuses it whatever the rule says."""
        if now < self._blocked_until:
            return Verdict(admitted=False, wait=self._blocked_until - now, reset=self._blocked_until - now)
        verdict = self.rule.judge(now)
        if not verdict.admitted and self.penalty > 0:
            self._blocked_until = now + self.penalty
            return Verdict(admitted=False, wait=self.penalty, reset=self.penalty)
        return verdict

    def headers(self, verdict: Verdict, wall: float) -> dict[str, str]:
        """Return what an answer says about the budget."""
        found: dict[str, str] = {}
        reset = math.ceil(verdict.reset)
        limit, window = f"{self.rule.limit:g}", math.ceil(self.rule.window)
        if self.announce in {"headers", "no-reset"}:
            found = {"ratelimit-limit": limit, "ratelimit-remaining": str(verdict.remaining)}
            if self.announce == "headers":
                found["ratelimit-reset"] = str(reset)
        elif self.announce == "fields":
            found = {
                "ratelimit-policy": f'"default";q={limit};w={window}',
                "ratelimit": f'"default";r={verdict.remaining};t={reset}',
            }
        elif self.announce == "epoch":
            found = {
                "x-ratelimit-limit": limit,
                "x-ratelimit-remaining": str(verdict.remaining),
                "x-ratelimit-reset": str(math.ceil(wall + verdict.reset)),
            }
        if self.retry_after and not verdict.admitted:
            found["retry-after"] = str(max(1, math.ceil(verdict.wait)))
        return found
