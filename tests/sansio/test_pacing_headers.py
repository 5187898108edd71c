"""What servers say about limits: three families of headers, and hostile values."""

from __future__ import annotations

import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nimble_async._sansio.ratelimits import (
    LONGEST_WAIT,
    Announcement,
    Policy,
    announces,
    parse_retry_after,
    read_announcement,
)

WALL = 1_780_000_000.0
DATE = "Thu, 28 May 2026 20:26:40 GMT"  # the wall clock above
PLAIN = ("limit", "remaining", "reset")
NAMES = ["retry-after", "date", "ratelimit", "ratelimit-policy", *(f"ratelimit-{name}" for name in PLAIN)]
LATER = "Thu, 28 May 2026 20:27:10 GMT"


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        ("0", None, 0.0),
        ("30", None, 30.0),
        (" 30 ", None, 30.0),
        ("1.5", None, 1.5),
        ("86400000", None, 86_400_000.0),
        (LATER, DATE, 30.0),
        (LATER, None, 30.0),
        (LATER, "no date", 30.0),
        (DATE, LATER, 0.0),
        (LATER, "x" * 2000, 30.0),
        ("-1", None, None),
        ("nan", None, None),
        ("inf", None, None),
        ("1e9", None, None),
        ("٣", None, None),
        ("", None, None),
        ("9" * 400, None, None),
        ("1e308", None, None),
        ("-0", None, None),
        ("0x10", None, None),
        ("999999999999999", None, 999_999_999_999_999.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", DATE, 251_622_300_799.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", DATE, 0.0),
        ("Fri, 31 Dec 99999 23:59:59 GMT", DATE, None),
        ("1" * 2000, None, None),
        ("Thu, 99 Foo 2026 99:99:99 GMT", None, None),
        ("\x1f5", None, 5.0),
        (None, None, None),
    ],
)
def test_retry_after_is_read_or_ignored(value, date, seconds):
    """Seconds and dates are read, a date against the server's own clock; nonsense is None."""
    assert parse_retry_after(value, wall=WALL, date=date) == seconds


@pytest.mark.parametrize(
    "date",
    [
        "Thursday, 28-May-26 20:27:10 GMT",
        "Thu May 28 20:27:10 2026",
        "Thu, 28 May 2026 20:27:10",
        "Thu, 28 May 2026 20:27:10 -0000",
    ],
)
def test_a_date_without_a_zone_is_utc_wherever_we_are(date):
    """The three forms of an HTTP date, and what names no zone, are read alike in every time zone."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "JST-9"
    time.tzset()
    try:
        assert parse_retry_after(date, wall=WALL) == 30.0
    finally:
        os.environ.pop("TZ")
        os.environ.update({} if before is None else {"TZ": before})
        time.tzset()


@pytest.mark.parametrize("offset", [-600.0, 0.0, 600.0])
def test_a_wrong_clock_does_not_matter_where_the_server_sends_its_date(offset):
    """An absolute time is compared with the server's Date, not with this machine's belief."""
    assert parse_retry_after(LATER, wall=WALL + offset, date=DATE) == 30.0
    headers = {
        "x-ratelimit-limit": "100",
        "x-ratelimit-remaining": "7",
        "x-ratelimit-reset": str(int(WALL) + 20),
    }
    (policy,) = read_announcement({**headers, "date": DATE}, wall=WALL + offset).policies
    assert policy.reset == 20.0


@pytest.mark.parametrize(
    ("headers", "policies"),
    [
        ({}, ()),
        ({"ratelimit-limit": "5", "ratelimit-remaining": "3"}, (Policy(quota=5, remaining=3),)),
        (
            {"ratelimit-limit": "100, 100;w=60", "ratelimit-remaining": "3", "ratelimit-reset": "12"},
            (Policy(quota=100, window=60, remaining=3, reset=12),),
        ),
        (
            {"ratelimit-limit": "100, 10;w=1, 100;w=0", "ratelimit-remaining": "3"},
            (Policy(quota=100, remaining=3),),
        ),
        (
            {
                "ratelimit-limit": "100",
                "ratelimit-remaining": "3",
                "ratelimit-reset": "12",
                "ratelimit-policy": "10;w=1, 100;w=60",
            },
            (Policy(quota=100, window=60, remaining=3, reset=12),),
        ),
        (
            {"ratelimit": "limit=100, remaining=3, reset=12", "ratelimit-policy": "100;w=60"},
            (Policy(quota=100, window=60, remaining=3, reset=12),),
        ),
        ({"ratelimit": "remaining=3,reset=12"}, (Policy(remaining=3, reset=12),)),
        ({"ratelimit": "limit=100, reset=12"}, (Policy(quota=100, reset=12),)),
        ({"ratelimit": "limit=9e9, remaining=-1, reset=12"}, ()),
        (
            {"ratelimit": "limit=5", "ratelimit-limit": "7", "ratelimit-remaining": "3"},
            (Policy(quota=5),),
        ),
        ({"x-rate-limit-remaining": "3"}, (Policy(remaining=3),)),
        (
            {"x-ratelimit-remaining": "3", "x-ratelimit-reset": "99999999"},
            (Policy(remaining=3, reset=LONGEST_WAIT),),
        ),
        (
            {"x-ratelimit-remaining": "3", "x-ratelimit-reset": str(int(WALL) + 9)},
            (Policy(remaining=3, reset=9),),
        ),
        (
            {"x-ratelimit-remaining": "3", "x-ratelimit-reset": str((int(WALL) + 9) * 1000)},
            (Policy(remaining=3, reset=9),),
        ),
        ({"x-ratelimit-remaining": "3", "x-ratelimit-reset": "1000000001"}, (Policy(remaining=3, reset=0),)),
        ({"ratelimit-limit": "x" * 2000, "ratelimit-remaining": "lots"}, ()),
        (
            {"ratelimit": '"a";r=50;t=30', "ratelimit-policy": '"a";q=100;w=60'},
            (Policy(name="a", quota=100, window=60, remaining=50, reset=30),),
        ),
        (
            {"ratelimit": '"a";r=5;t=3, "b";r=900', "ratelimit-policy": '"b";q=1000;w=3600'},
            (
                Policy(name="a", remaining=5, reset=3),
                Policy(name="b", quota=1000, window=3600, remaining=900),
            ),
        ),
        ({"ratelimit": '"a";t=30'}, ()),
        ({"x-ratelimit-remaining": "-5", "x-ratelimit-limit": "nan"}, ()),
        ({"x-ratelimit-remaining": "3", "x-ratelimit-reset": "-9"}, (Policy(remaining=3),)),
        ({"x-ratelimit-remaining": "3", "x-ratelimit-reset": "1e308"}, (Policy(remaining=3),)),
        (
            {"x-ratelimit-remaining": "3", "x-ratelimit-reset": "9" * 15},
            (Policy(remaining=3, reset=LONGEST_WAIT),),
        ),
        (
            {
                "ratelimit": '"a";r=-1;t=3, "b";r=2;t=1e9, "c";r=3;t=999999',
                "ratelimit-policy": '"c";q=9;w=-1',
            },
            (Policy(name="b", remaining=2), Policy(name="c", quota=9, remaining=3, reset=LONGEST_WAIT)),
        ),
        ({"ratelimit": "=;;,,;=,r=1"}, ()),
        ({"ratelimit": '"a";r=1' * 1000}, ()),
    ],
)
def test_announced_limits_are_read_or_ignored(headers, policies):
    """Plain, prefixed and structured forms are understood; what is malformed is left out."""
    assert read_announcement(headers, wall=WALL).policies == policies


@given(st.dictionaries(st.sampled_from(NAMES), st.text() | st.from_regex(r"[\s0-9.,;=]{1,8}")))
def test_no_header_raises_and_every_wait_is_sane(headers):
    """Whatever a server sends, reading it ends in numbers that are not negative."""
    news = read_announcement(headers, wall=WALL)
    assert news.wait is None or news.wait >= 0
    assert all(policy.reset is None or 0 <= policy.reset <= LONGEST_WAIT for policy in news.policies)


@pytest.mark.parametrize(
    ("news", "wait"),
    [
        (Announcement(), None),
        (Announcement(3.0, (Policy(remaining=0, reset=9.0),)), 3.0),
        (Announcement(None, (Policy(remaining=0, reset=9.0), Policy(remaining=1, reset=99.0))), 9.0),
        (Announcement(None, (Policy(remaining=0),)), None),
    ],
)
def test_a_refusal_waits_as_asked_or_until_a_spent_limit_is_fresh(news, wait):
    """Retry-After comes first, then the reset of a limit with nothing left."""
    assert news.wait == wait


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({}, False),
        ({"retry-after": "1"}, False),
        ({"ratelimit": ""}, True),
        ({"x-ratelimit-remaining": "1"}, True),
    ],
)
def test_ordinary_answers_are_told_apart_cheaply(headers, says):
    """Only answers that speak of a limit are read further."""
    assert announces(headers) is says
