"""Settings are checked when they are built, and a refusal names the setting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nimble_async.config import ClientConfig, RateLimit, RetryPolicy, Timeouts
from nimble_async.errors import ConfigurationError


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (lambda: ClientConfig(concurrency=0), "concurrency"),
        (lambda: ClientConfig(concurrency=1001), "concurrency"),
        (lambda: ClientConfig(longest_body=1023), "longest_body"),
        (lambda: ClientConfig(proxy="socks5://127.0.0.1"), "proxy"),
        (lambda: ClientConfig(proxy="http://"), "proxy"),
        (lambda: ClientConfig(proxy="http://[::1"), "proxy"),
        (lambda: ClientConfig(proxy="http://proxy:0"), "proxy"),
        (lambda: ClientConfig(proxy="http://proxy:99999"), "proxy"),
        (lambda: ClientConfig(proxy="http://proxy:\udc80@host"), "proxy"),
        (lambda: ClientConfig(retries=-1), "retries takes a RetryPolicy"),  # type: ignore[arg-type]
        (lambda: ClientConfig(timeouts=30), "timeouts takes a Timeouts"),  # type: ignore[arg-type]
        (lambda: Timeouts(connect=0), "connect"),
        (lambda: Timeouts(read=-1), "read"),
        (lambda: Timeouts(total=0), "total"),
        (lambda: RetryPolicy(attempts=0), "attempts"),
        (lambda: RetryPolicy(first_wait=-0.1), "first_wait"),
        (lambda: RetryPolicy(first_wait=2, longest_wait=1), "first_wait"),
        (lambda: RetryPolicy(budget_share=-1), "retry budget"),
        (lambda: RateLimit(0), "limit"),
        (lambda: RateLimit(1, 0), "window"),
        (lambda: RateLimit(10, 1, 0.5), "burst"),
        (lambda: RateLimit(10, 1, 10.5), "burst"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_by_name(build: Callable[[], Any], name: str):
    """What would wait for ever, admit nothing or fail later is refused at once."""
    with pytest.raises(ConfigurationError, match=name):
        build()


@pytest.mark.parametrize(
    "build",
    [
        lambda: ClientConfig(concurrency=1),
        lambda: ClientConfig(concurrency=1000, longest_body=1024),
        lambda: RetryPolicy(attempts=1, first_wait=0, longest_wait=0, budget_share=0),
        lambda: RateLimit(10, 1, 10),
        lambda: RateLimit(0.5, 1, 1),
    ],
)
def test_the_boundaries_are_allowed(build: Callable[[], Any]):
    """What stands just inside is taken."""
    build()


@pytest.mark.parametrize(
    ("text", "limit", "window"),
    [
        ("10/1s", 10, 1), ("600/60s", 600, 60), ("600/1m", 600, 60), ("5/s", 5, 1),
        ("1000/1h", 1000, 3600), (" 0.5 / 2 s ", 0.5, 2),
    ],
)  # fmt: skip
def test_a_rate_is_read_as_people_write_it(text: str, limit: float, window: float):
    """Requests, a slash, and a number of seconds, minutes or hours."""
    assert RateLimit.parse(text) == RateLimit(limit, window)


@pytest.mark.parametrize("text", ["", "10", "10/", "/s", "-1/s", "10/1d", "ten/s", "10/1s 5/s"])
def test_a_rate_in_another_form_is_refused_with_an_example(text: str):
    """The complaint shows how a rate is written."""
    with pytest.raises(ConfigurationError, match="600/1m"):
        RateLimit.parse(text)
