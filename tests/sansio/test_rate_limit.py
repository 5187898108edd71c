"""How a limit is declared."""

from __future__ import annotations

import math

import pytest

from nimble_async.config import RateLimit
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
    "text", ["", "10", "10/", "0/1s", "10/0s", "-1/1s", "nan/1s", "inf", "none", "10/1d"]
)
def test_anything_else_is_refused(text):
    """A limit that cannot be kept is not guessed."""
    with pytest.raises(ConfigurationError):
        RateLimit.parse(text)


def test_who_has_no_limit_is_told_the_word():
    """The refusal says what to write."""
    with pytest.raises(ConfigurationError, match="form 10/1s") as caught:
        RateLimit.parse("none")
    assert "unlimited" in str(caught.value.hint)
