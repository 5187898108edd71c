"""Decide whether a failed attempt is repeated, and after how many seconds.

Rule: a call that may have been executed is repeated only where a second execution does no
harm. A refusal for rate (429) was not executed. A 401 was not either: its proof is renewed and
the call replayed, once. 409 is validation here and 402 is final: neither is ever repeated.
`jitter` is a random number in 0 <= x < 1 that the caller draws.
"""

from __future__ import annotations

from msgspec import Struct

from nimble_async._sansio.ratelimits import BRIEF
from nimble_async.config import RetryPolicy
from nimble_async.errors import (
    ConnectionFailed,
    CrmError,
    MalformedResponse,
    RateLimited,
    ServerError,
    TimedOut,
    TransportError,
    Unauthorized,
)

__all__ = ["GiveUp", "Wait", "backoff", "decide", "may_have_happened", "patience", "replays"]

_SERVER_TROUBLE = frozenset({500, 502, 503, 504})


class Wait(Struct, frozen=True):
    """Repeat after `seconds`."""

    seconds: float


class GiveUp(Struct, frozen=True):
    """Raise what happened; `why` says why it is not repeated."""

    why: str


def backoff(policy: RetryPolicy, *, attempt: int, jitter: float) -> float:
    """Return the seconds to wait after attempt number `attempt`: half to whole of a doubling span."""
    span = min(policy.longest_wait, policy.first_wait * 2.0 ** min(attempt - 1, 32))
    return span * (0.5 + 0.5 * jitter)


def patience(policy: RetryPolicy, *, attempt: int, jitter: float) -> float:
    """Return the seconds to let others try after a silent refusal that ended attempt number `attempt`.

    The throttle's gate opens for one call at a time. A caller that is alone would be that one each
    time, and spend all its attempts within seconds on a window that lasts a minute. So it waits by
    itself too, the longer the fewer attempts are left: five of them span a minute and more.
    """
    if attempt < 2:
        return 0.0
    return 1.6 * policy.longest_wait * 4.0 ** (attempt + 1 - policy.attempts) * (1 + 0.1 * jitter)


def decide(
    error: CrmError,
    *,
    repeatable: bool,
    attempt: int,
    policy: RetryPolicy,
    jitter: float,
    left: float | None = None,
) -> Wait | GiveUp:
    """Say whether the call is repeated after `error`, which ended attempt number `attempt`.

    `left` is the seconds to its deadline, None where it has none.
    """
    if attempt >= policy.attempts:
        return GiveUp(f"{attempt} attempts were made")
    if isinstance(error, RateLimited):
        return _after_refusal(error, policy, patience(policy, attempt=attempt, jitter=jitter), left)
    if not _may_help(error):
        return GiveUp("a repeat would end the same way")
    if not (repeatable or _surely_not_executed(error)):
        return GiveUp("it may have been executed, and a second execution could do harm")
    wait = backoff(policy, attempt=attempt, jitter=jitter)
    asked = error.retry_after if isinstance(error, ServerError) else None
    if asked is not None and asked > policy.longest_retry_after:
        return GiveUp(f"the vendor asks to wait {asked:.0f} s")
    return Wait(max(wait, asked or 0.0))


def replays(error: CrmError, *, replayed: bool) -> bool:
    """Say whether a call is sent again with a renewed proof: after its first 401, and only then."""
    return isinstance(error, Unauthorized) and not replayed


def may_have_happened(error: CrmError) -> bool:
    """Say whether the attempt that ended so may have been executed: no answer, a failure, or a broken one."""
    if isinstance(error, TransportError):
        return error.sent
    return isinstance(error, ServerError | MalformedResponse)


def _after_refusal(
    error: RateLimited, policy: RetryPolicy, patience: float, left: float | None
) -> Wait | GiveUp:
    """The throttle holds every call until its gate opens: more is waited only where nobody said how long."""
    if error.retry_after is not None and error.retry_after > policy.longest_retry_after:
        return GiveUp(f"the vendor asks to wait {error.retry_after:.0f} s")
    if error.retry_after is not None and error.retry_after >= BRIEF:
        return Wait(0.0)
    return Wait(patience if left is None else min(patience, left / 2))


def _may_help(error: CrmError) -> bool:
    if isinstance(error, ServerError):
        return error.status in _SERVER_TROUBLE
    if isinstance(error, MalformedResponse):
        return not error.final
    return isinstance(error, ConnectionFailed | TimedOut)


def _surely_not_executed(error: CrmError) -> bool:
    return isinstance(error, TransportError) and not error.sent
