"""Whether a failed attempt is repeated, and when: the whole table, with its boundaries."""

from __future__ import annotations

from typing import Any

import pytest

from nimble_async._sansio.retrying import GiveUp, Wait, backoff, decide, patience, replays
from nimble_async.config import RetryPolicy
from nimble_async.errors import (
    ConnectionFailed,
    CrmError,
    DeadlineExceeded,
    Forbidden,
    InvalidInput,
    MalformedResponse,
    NotFound,
    QuotaExceeded,
    RateLimited,
    ReauthRequired,
    RedirectRefused,
    ServerError,
    TimedOut,
    Unauthorized,
)

POLICY = RetryPolicy(attempts=5, first_wait=0.5, longest_wait=30.0, longest_retry_after=60.0)


def decided(
    error: CrmError, *, repeatable: bool = True, attempt: int = 1, jitter: float = 0.0
) -> Wait | GiveUp:
    return decide(error, repeatable=repeatable, attempt=attempt, policy=POLICY, jitter=jitter)


def limited(retry_after: float | None) -> CrmError:
    return RateLimited("Slow down.", status=429, retry_after=retry_after)


def failed(status: int, retry_after: float | None = None) -> CrmError:
    return ServerError("Broken.", status=status, retry_after=retry_after)


@pytest.mark.parametrize(
    ("error", "read", "write"),
    [
        (ConnectionFailed("x", sent=False), True, True),
        (ConnectionFailed("x", sent=True), True, False),
        (TimedOut("x", sent=False), True, True),
        (TimedOut("x"), True, False),
        (MalformedResponse("x"), True, False),
        (MalformedResponse("x", final=True), False, False),
        (failed(500), True, False),
        (failed(502), True, False),
        (failed(503), True, False),
        (failed(504), True, False),
        (failed(501), False, False),
        (failed(505), False, False),
        (limited(None), True, True),
        (limited(60.0), True, True),
        (limited(60.1), False, False),
        (failed(503, 60.0), True, False),
        (failed(503, 60.1), False, False),
        (Unauthorized("x", status=401), False, False),
        (QuotaExceeded("x", status=402), False, False),
        (Forbidden("x", status=403), False, False),
        (NotFound("x", status=404), False, False),
        (InvalidInput("x", status=409), False, False),
        (RedirectRefused("x"), False, False),
        (RedirectRefused("x", sent=False), False, False),
        (DeadlineExceeded("x"), False, False),
        (ReauthRequired("x"), False, False),
        (CrmError("x"), False, False),
    ],
    ids=repr,
)
def test_what_is_repeated(error: CrmError, read: bool, write: bool):
    """A repeat must be able to help, and must do no harm where the call may have been executed."""
    assert isinstance(decided(error, repeatable=True), Wait) == read
    assert isinstance(decided(error, repeatable=False), Wait) == write


@pytest.mark.parametrize(("attempt", "repeated"), [(1, True), (4, True), (5, False), (6, False)])
@pytest.mark.parametrize("error", [failed(503), limited(None), ConnectionFailed("x", sent=False)], ids=repr)
def test_attempts_are_counted(error: CrmError, attempt: int, repeated: bool):
    """The policy's attempts include the first send, for every kind of failure."""
    assert isinstance(decided(error, attempt=attempt), Wait) == repeated


@pytest.mark.parametrize(
    ("attempt", "jitter", "wait"),
    [(1, 0.0, 0.25), (1, 1.0, 0.5), (2, 0.0, 0.5), (3, 0.5, 1.5), (6, 1.0, 16.0), (7, 1.0, 30.0),
     (8, 0.0, 15.0), (10_000, 1.0, 30.0)],
)  # fmt: skip
def test_the_wait_doubles_up_to_a_bound(attempt: int, jitter: float, wait: float):
    """Half to whole of a span that doubles with each attempt, and never more than the longest wait."""
    assert backoff(POLICY, attempt=attempt, jitter=jitter) == pytest.approx(wait)


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        (failed(503), 0.25),
        (failed(503, 7.0), 7.0),
        (failed(503, 0.0), 0.25),
        (limited(7.0), 0.0),
        (limited(None), 0.0),
    ],
    ids=repr,
)
def test_a_server_that_names_a_time_is_obeyed(error: CrmError, wait: float):
    """A 503 waits at least as long as it asks; after a 429 the throttle's gate does the waiting."""
    assert decided(error) == Wait(wait)


def test_a_policy_of_no_waits_waits_nothing():
    """The shortest policy repeats at once."""
    policy = RetryPolicy(first_wait=0, longest_wait=0)
    assert decide(failed(503), repeatable=True, attempt=1, policy=policy, jitter=0.9) == Wait(0.0)


@pytest.mark.parametrize(
    ("settings", "why"),
    [({"attempt": 5}, "5 attempts"), ({"repeatable": False}, "could do harm")],
)
def test_giving_up_says_why(settings: dict[str, Any], why: str):
    """The reason is a sentence for a log."""
    verdict = decided(failed(503), **settings)
    assert isinstance(verdict, GiveUp)
    assert why in verdict.why


@pytest.mark.parametrize(
    ("error", "replayed", "expected"),
    [
        (Unauthorized("x", status=401), False, True),
        (Unauthorized("x", status=401), True, False),
        (Forbidden("x", status=403), False, False),
        (limited(None), False, False),
    ],
)
def test_a_refused_proof_is_replayed_once(error, replayed, expected):
    """The first 401 of a call is answered with a renewed proof, the second ends it, and no other error is."""
    assert replays(error, replayed=replayed) is expected


@pytest.mark.parametrize(
    ("attempt", "jitter", "seconds"),
    [(1, 0.5, 0.0), (2, 0.0, 3.0), (3, 0.0, 12.0), (4, 0.0, 48.0), (4, 1.0, 52.8)],
)
def test_a_lone_caller_spreads_its_attempts_over_a_silent_window(attempt, jitter, seconds):
    """Five attempts span more than a minute, the throttle's own pauses not counted."""
    assert patience(RetryPolicy(), attempt=attempt, jitter=jitter) == pytest.approx(seconds)


def test_a_refusal_that_says_how_long_needs_no_patience_of_ones_own():
    """The throttle's gate is closed for as long as was asked."""
    assert decide(limited(30.0), repeatable=True, attempt=4, policy=RetryPolicy(), jitter=0.5) == Wait(0.0)


@pytest.mark.parametrize(("left", "seconds"), [(None, 48.0), (1000.0, 48.0), (20.0, 10.0), (0.0, 0.0)])
def test_patience_leaves_half_of_the_time_to_the_deadline(left, seconds):
    """The last attempt is made while there is time for an answer."""
    verdict = decide(limited(None), repeatable=True, attempt=4, policy=RetryPolicy(), jitter=0.0, left=left)
    assert verdict == Wait(seconds)
