"""How a limit is declared."""

from __future__ import annotations

import math

import pytest

from nimble_async.config import RateLimit, RetryPolicy
from nimble_async.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "limit", "window"),
    [
        ("10/1s", 10, 1),
        ("5/s", 5, 1),
        ("600/1m", 600, 60),
        (" 1000 / 1h ", 1000, 3600),
        ("2.5/10s", 2.5, 10),
        ("unlimited", math.inf, 1),
        (" Unlimited ", math.inf, 1),
    ],
)
def test_a_limit_is_a_number_in_a_time_or_none_at_all(text, limit, window):
    """Calls, a slash, a number of seconds, minutes or hours; or the word unlimited."""
    assert RateLimit.parse(text) == RateLimit(limit, window)


@pytest.mark.parametrize(
    "text",
    ["", "10", "10/", "0/1s", "10/0s", "-1/1s", "nan/1s", "inf", "none", "10/1d", "1/" + "9" * 400 + "s",
     "9" * 400 + "/1s", "0." + "0" * 310 + "1/1s"],
)  # fmt: skip
def test_anything_else_is_refused(text):
    """A limit that cannot be kept is not guessed."""
    with pytest.raises(ConfigurationError):
        RateLimit.parse(text)


def test_who_has_no_limit_is_told_the_word():
    """The refusal says what to write."""
    with pytest.raises(ConfigurationError, match="form 10/1s") as caught:
        RateLimit.parse("none")
    assert "unlimited" in str(caught.value.hint)


@pytest.mark.parametrize(
    "limit",
    [(math.nan,), (-math.inf,), (10, math.inf), (10, math.nan), (10, 1, math.nan), (1e-320,), (10, -1)],
)
def test_a_limit_that_admits_nothing_is_refused(limit):
    """Neither for ever nor for no time, whatever the numbers."""
    with pytest.raises(ConfigurationError):
        RateLimit(*limit)


@pytest.mark.parametrize("rate", [10, 10.5, True, b"10/1s", ("10", "1s")])
def test_a_rate_is_text_or_a_limit(rate):
    """A bare number says no time: the refusal shows how to."""
    with pytest.raises(ConfigurationError, match="10/1s"):
        RateLimit.of(rate)


def test_a_limit_is_taken_as_it_is():
    """Text is read; a limit, and none at all, stay what they are."""
    limit = RateLimit(7.0)
    assert RateLimit.of(limit) is limit
    assert RateLimit.of(None) is None
    assert RateLimit.of("7/1s") == limit


@pytest.mark.parametrize("patience", [-1, math.nan])
def test_patience_is_a_time(patience):
    """A server cannot be waited for less than no time, or every call would fail that has to wait."""
    with pytest.raises(ConfigurationError, match="longest_retry_after"):
        RetryPolicy(longest_retry_after=patience)


def test_no_pause_between_two_attempts_is_endless():
    """Calls end."""
    with pytest.raises(ConfigurationError, match="longest_wait"):
        RetryPolicy(first_wait=math.inf, longest_wait=math.inf)
