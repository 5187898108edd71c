"""Read what a server says about its rate limit: Retry-After and the families of headers there are.

Rule: a header is a hint from a stranger. What cannot be understood is ignored, what is absurd is
clamped, and nothing in here raises. Times are seconds; `wall` is this machine's belief about
seconds since 1970 and matters only where the server sent an absolute time without its own `Date`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from msgspec import Struct

__all__ = [
    "BRIEF",
    "LONGEST_WAIT",
    "SILENT",
    "Announcement",
    "Policy",
    "announces",
    "parse_retry_after",
    "read_announcement",
]

LONGEST_WAIT = 21600.0
"""Six hours: no header makes us wait longer."""
BRIEF = 0.5
"""Seconds: a server that asks for less, again and again, says nothing."""

_LONGEST_VALUE = 1024
_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,6})?", re.ASCII)
_LOOKS_ABSOLUTE = 1e9
_LOOKS_LIKE_MILLISECONDS = 1e12
_PREFIXES = ("ratelimit-", "x-ratelimit-", "x-rate-limit-")
_REMAINING = tuple(prefix + "remaining" for prefix in _PREFIXES)


class Policy(Struct, frozen=True, kw_only=True):
    """One announced limit. `remaining` calls are left for `reset` seconds."""

    name: str = ""
    quota: float | None = None
    window: float | None = None
    remaining: float | None = None
    reset: float | None = None


class Announcement(Struct, frozen=True):
    """What the headers of one answer say about the limit."""

    retry_after: float | None = None
    policies: tuple[Policy, ...] = ()

    @property
    def wait(self) -> float | None:
        """Seconds to wait after a refusal: as asked for, else until an announced limit is fresh again."""
        if self.retry_after is not None:
            return self.retry_after
        spent = [
            policy.reset for policy in self.policies if policy.remaining == 0 and policy.reset is not None
        ]
        return max(spent, default=None)


SILENT = Announcement()
"""What headers say that say nothing."""


def announces(headers: Mapping[str, str]) -> bool:
    """Return whether `headers` (lower-case names) speak of a limit at all; cheap enough for each answer."""
    return "ratelimit" in headers or any(name in headers for name in _REMAINING)


def read_announcement(headers: Mapping[str, str], *, wall: float) -> Announcement:
    """Return what `headers` (lower-case names) announce; an empty announcement where they say nothing."""
    wait = headers.get("retry-after")
    state, policy = headers.get("ratelimit"), headers.get("ratelimit-policy")
    policies = (_structured(state, policy) or _combined(state, policy)) if state else ()
    if not policies:
        policies = _plain(headers, wall)
    if wait is None and not policies:
        return SILENT
    return Announcement(parse_retry_after(wait, wall=wall, date=headers.get("date")), policies)


def parse_retry_after(value: str | None, *, wall: float, date: str | None = None) -> float | None:
    """Return the seconds to wait, at least 0, or None where the value is missing or makes no sense.

    Both forms are read: seconds, and an HTTP date, which is compared with the server's own `date`
    where that is readable and with `wall` elsewhere. The answer is not clamped from above: a caller
    has to know that a server asked for a month.
    """
    if value is None or len(value) > _LONGEST_VALUE:
        return None
    seconds = _number(value)
    if seconds is not None:
        return seconds
    moment = _moment(value)
    if moment is None:
        return None
    server = _moment(date)
    return max(0.0, moment - (wall if server is None else server))


def _number(text: str | None) -> float | None:
    text = text.strip() if text is not None else ""
    return float(text) if _NUMBER.fullmatch(text) else None


def _moment(text: str | None) -> float | None:
    if text is None or len(text) > _LONGEST_VALUE:
        return None
    try:
        moment = parsedate_to_datetime(text)
        # A date without a zone is UTC: RFC 9110 knows no other.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _plain(headers: Mapping[str, str], wall: float) -> tuple[Policy, ...]:
    for prefix in _PREFIXES:
        remaining = _number(headers.get(prefix + "remaining"))
        quota, window = _quota(headers.get(prefix + "limit"), headers.get(prefix + "policy"))
        if remaining is None and quota is None:
            continue
        reset = _relative(_number(headers.get(prefix + "reset")), headers.get("date"), wall)
        return (Policy(quota=quota, window=window, remaining=remaining, reset=reset),)
    return ()


def _quota(value: str | None, policy: str | None) -> tuple[float | None, float | None]:
    """Read `100`, and `100, 100;w=60` of the older drafts: the quota, then its window if told.

    Later ones tell the window in a header of its own, `100;w=60`.
    """
    if value is None or len(value) > _LONGEST_VALUE:
        return None, None
    first, _, told = value.partition(",")
    quota = _number(first)
    for amount, parameters in [*_items(told), *_items(policy)]:
        if quota is not None and _number(amount) == quota:
            return quota, _positive(parameters.get("w"))
    return quota, None


def _combined(state: str, policy: str | None) -> tuple[Policy, ...]:
    """Read `RateLimit: limit=100, remaining=50, reset=30` with `RateLimit-Policy: 100;w=60`."""
    values = _parameters(state.split(",")) if len(state) <= _LONGEST_VALUE else {}
    quota, window = _quota(values.get("limit"), policy)
    remaining, reset = _number(values.get("remaining")), _number(values.get("reset"))
    if remaining is None and quota is None:
        return ()
    reset = None if reset is None else min(LONGEST_WAIT, reset)
    return (Policy(quota=quota, window=window, remaining=remaining, reset=reset),)


def _relative(reset: float | None, date: str | None, wall: float) -> float | None:
    if reset is None:
        return None
    if reset >= _LOOKS_LIKE_MILLISECONDS:
        reset /= 1000
    if reset >= _LOOKS_ABSOLUTE:
        server = _moment(date)
        reset -= wall if server is None else server
    return min(LONGEST_WAIT, max(0.0, reset))


def _structured(state: str, policy: str | None) -> tuple[Policy, ...]:
    """Read `RateLimit: "name";r=50;t=30` with `RateLimit-Policy: "name";q=100;w=60`."""
    quotas = dict(_items(policy))
    found = []
    for name, values in _items(state):
        remaining, reset = _number(values.get("r")), _number(values.get("t"))
        if remaining is None:
            continue
        about = quotas.get(name, {})
        found.append(
            Policy(
                name=name,
                quota=_number(about.get("q")),
                window=_positive(about.get("w")),
                remaining=remaining,
                reset=None if reset is None else min(LONGEST_WAIT, reset),
            )
        )
    return tuple(found)


def _items(value: str | None) -> list[tuple[str, dict[str, str]]]:
    if value is None or len(value) > _LONGEST_VALUE:
        return []
    items = []
    for item in value.split(","):
        name, *parameters = item.split(";")
        items.append((name.strip().strip('"'), _parameters(parameters)))
    return items


def _parameters(parts: list[str]) -> dict[str, str]:
    pairs = (part.partition("=") for part in parts)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _positive(text: str | None) -> float | None:
    number = _number(text)
    return number if number is not None and 0 < number < math.inf else None
