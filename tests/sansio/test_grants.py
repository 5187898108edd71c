"""What a token server is asked, and what its answers mean, as tables."""

from __future__ import annotations

from urllib.parse import parse_qs

import msgspec
import pytest

from nimble_async._sansio.grants import (
    Ambiguous,
    Granted,
    InvalidGrant,
    Refused,
    exchange_request,
    first_record,
    judge_answer,
    judge_failure,
    next_record,
    read_grant,
    refresh_request,
    server_date,
)
from nimble_async._sansio.message import Response
from nimble_async._sansio.secret import Secret
from nimble_async._sansio.tokens import (
    ASSUMED_LIFE,
    TokenRecord,
    digest,
)
from nimble_async.errors import (
    ConnectionFailed,
    MalformedResponse,
    RedirectRefused,
    TimedOut,
)

REFRESH = Secret("cAnArY-refresh")

ENDPOINT = "https://app.nimble.com/api/oauth/token"


def _record(**changes):
    return TokenRecord(
        **{"gen": 3, "access": Secret("access"), "refresh": REFRESH, "expires_in": 600.0, **changes}
    )


def _form_of(request):
    assert request.method == "POST"
    assert request.url == ENDPOINT
    assert request.headers["content-type"] == "application/x-www-form-urlencoded; charset=UTF-8"
    return parse_qs(request.body.decode("ascii"), keep_blank_values=True)


def test_refresh_request_is_a_form():
    """A refresh sends client, secret, refresh token and redirect address, in the body only."""
    request = refresh_request(
        ENDPOINT,
        client_id="id",
        client_secret=Secret("s&é="),
        redirect_uri="http://127.0.0.1/cb?x=1",
        refresh=Secret("r+/"),
    )
    assert _form_of(request) == {
        "grant_type": ["refresh_token"],
        "client_id": ["id"],
        "client_secret": ["s&é="],
        "redirect_uri": ["http://127.0.0.1/cb?x=1"],
        "refresh_token": ["r+/"],
    }
    bare = refresh_request(
        ENDPOINT, client_id="id", client_secret=Secret("s"), redirect_uri=None, refresh=REFRESH
    )
    assert "redirect_uri" not in _form_of(bare)


@pytest.mark.parametrize("verifier", [None, Secret("v")])
def test_exchange_request_is_a_form(verifier):
    """An exchange sends the code, and the verifier where there is one."""
    request = exchange_request(
        ENDPOINT,
        client_id="id",
        client_secret=Secret("s"),
        redirect_uri="u",
        code=Secret("c"),
        verifier=verifier,
    )
    expected = {
        "grant_type": ["authorization_code"],
        "client_id": ["id"],
        "client_secret": ["s"],
        "redirect_uri": ["u"],
        "code": ["c"],
    }
    assert _form_of(request) == expected | ({"code_verifier": ["v"]} if verifier else {})


LIVES = [
    (599, 599),
    ("559", 559),
    (1.5, 1.5),
    (0.0001, 1),
    (None, ASSUMED_LIFE),
    ("soon", ASSUMED_LIFE),
    (0, ASSUMED_LIFE),
    (-1, ASSUMED_LIFE),
    (True, ASSUMED_LIFE),
    ([1], ASSUMED_LIFE),
    ("nan", ASSUMED_LIFE),
    ("inf", 366 * 86400.0),
    (1e300, 366 * 86400.0),
    ("1" * 400, 366 * 86400.0),
    (10**400, ASSUMED_LIFE),
]


@pytest.mark.parametrize(("told", "life"), LIVES)
def test_life_is_read_leniently(told, life):
    """`expires_in` may be a number or a string; nonsense counts as ten minutes, too much as a year."""
    granted = read_grant({"access_token": "a", "expires_in": told})
    assert granted is not None
    assert granted.expires_in == life


ODD_ANSWERS = [
    b'\xef\xbb\xbf{"access_token": "a", "refresh_token": "r", "expires_in": 60}',
    b'{"access_token": "a", "refresh_token": "r", "expires_in": 60, "name": "\xe9t\xe9"}',
    b'{"access_token": "a", "refresh_token": "r", "expires_in": 60, "quota": 1e400}',
    b'{"access_token": "a", "refresh_token": "r", "expires_in": 60, "quota": NaN}',
    b'{"access_token": "a", "refresh_token": "r", "expires_in": 60, "id": ' + b"9" * 5000 + b"}",
    b'{"access_token": "a", "refresh_token": "r", "expires_in": 60, "note": "two\nlines"}',
    b'{"access_token": "a", "refresh_token": "r", "expires_in": 60, "note": "\\ud800"}',
    b'{"access_token": " a\\r\\n", "refresh_token": "r\\n", "expires_in": 60}',
]


@pytest.mark.parametrize("body", ODD_ANSWERS, ids=range(len(ODD_ANSWERS)))
def test_pair_in_an_answer_that_is_not_quite_json_is_not_lost(body):
    """What stands around a pair, a mark of byte order, wrong bytes or numbers, does not spoil it."""
    pair = Granted(access=Secret("a"), refresh=Secret("r"), expires_in=60.0, date=None)
    assert judge_answer(Response(status=200, body=body)) == pair


@pytest.mark.parametrize(
    "access", [" ", "a\\r\\nX: y", "a\\u0000b", "\\u00e9", "\\ud800", "\x7f"], ids=["blank", "break", "null",
    "accent", "surrogate", "delete"],
)  # fmt: skip
def test_token_that_fits_no_header_is_none(access):
    """An access token that could not be sent is not taken: each call with it would fail until its end."""
    body = f'{{"access_token": "{access}", "refresh_token": "r"}}'.encode()
    assert isinstance(judge_answer(Response(status=200, body=body)), Ambiguous)


def test_refresh_token_that_no_text_holds_is_none():
    """A refresh token that cannot be stored is not taken, so that the one before it goes on."""
    for refresh in (b'"\\ud800"', b'"r\xff"'):
        verdict = judge_answer(
            Response(status=200, body=b'{"access_token": "a", "refresh_token": ' + refresh + b"}")
        )
        assert verdict == Granted(access=Secret("a"), refresh=None, expires_in=ASSUMED_LIFE, date=None)


def test_large_answer_that_is_no_json_is_not_read_again():
    """Only what has the size of a token answer is read leniently."""
    body = b'{"access_token": "a", "x": NaN, "y": "' + b"z" * 100_000 + b'"}'
    assert isinstance(judge_answer(Response(status=200, body=body)), Ambiguous)


def test_only_the_access_token_is_mandatory():
    """An answer with nothing but an access token is good; the old refresh token goes on."""
    verdict = judge_answer(Response(status=200, body=b'{"access_token": "new"}'))
    assert verdict == Granted(access=Secret("new"), refresh=None, expires_in=ASSUMED_LIFE, date=None)
    assert isinstance(verdict, Granted)
    record = next_record(_record(), verdict, wall=9.0)
    assert (record.gen, record.refresh, record.obtained_wall) == (4, REFRESH, 9.0)
    assert record.prev_refresh_hash == digest(REFRESH)


def test_new_pair_follows_the_old_one():
    """The next record counts one up, is idle, and remembers the refresh token before it by its hash."""
    headers = {"date": "Mon, 01 Jun 2026 12:00:00 GMT"}
    verdict = judge_answer(
        Response(
            status=200, headers=headers, body=b'{"access_token":"a2","refresh_token":"r2","expires_in":"60"}'
        )
    )
    assert isinstance(verdict, Granted)
    record = next_record(_record(state="refreshing", since=1.0, reason="x"), verdict, wall=5.0)
    assert record == TokenRecord(
        gen=4,
        access=Secret("a2"),
        refresh=Secret("r2"),
        prev_refresh_hash=digest(REFRESH),
        login=digest(REFRESH),
        obtained_wall=5.0,
        obtained_date_hdr=1780315200.0,
        expires_in=60.0,
    )
    assert next_record(record, verdict, wall=6.0).login == record.login
    first = first_record(verdict, gen=8, wall=5.0)
    assert (first.gen, first.refresh, first.prev_refresh_hash, first.state) == (8, Secret("r2"), "", "idle")


VERDICTS = [
    (200, b'{"access_token": "a", "refresh_token": ""}', Granted),
    (201, b'{"access_token": "a", "refresh_token": 5}', Granted),
    (200, b'{"access_token": ""}', Ambiguous),
    (200, b'{"access_token": 1}', Ambiguous),
    (200, b"", Ambiguous),
    (200, b"<html>", Ambiguous),
    (200, b"[]", Ambiguous),
    (200, b'{"access_token": "a', Ambiguous),
    (204, b"", Ambiguous),
    (200, b"[" * 100_000, Ambiguous),
    (200, b'{"error": "invalid_grant"}', InvalidGrant),
    (400, b'{"error": "invalid_grant"}', InvalidGrant),
    (401, b'{"error": "invalid_grant"}', InvalidGrant),
    (401, b'{"error": "invalid_token"}', InvalidGrant),
    (500, b'{"error": "invalid_grant"}', Ambiguous),
    (500, b"", Ambiguous),
    (502, b"<html>", Ambiguous),
    (503, b"", Ambiguous),
    (408, b"", Ambiguous),
    (425, b"", Ambiguous),
    (429, b'{"error": "slow_down"}', Ambiguous),
    (400, b'{"error": "invalid_client"}', Refused),
    (401, b'{"error": "invalid_client"}', Refused),
    (400, b"", Refused),
    (400, b'{"error": {"code": 5}}', Refused),
    (403, b"x", Refused),
    (404, b"", Refused),
    (302, b"", Refused),
    (304, b"", Refused),
    (200, b'{"error": "invalid_client"}', Refused),
    (400, b'{"access_token": "a"}', Refused),
]


@pytest.mark.parametrize(("status", "body", "kind"), VERDICTS)
def test_answer_means_one_of_four_things(status, body, kind):
    """Only a clear `invalid_grant` ends a login; what may have been acted on is ambiguous."""
    assert type(judge_answer(Response(status=status, body=body))) is kind


@pytest.mark.parametrize("error", ["a" * 41, "with space", "token=abc", "é", 5, None, ["x"], "tok3n"])
def test_strange_error_code_is_not_quoted(error):
    """An error code goes into a message only where it is a short plain word."""
    verdict = judge_answer(Response(status=400, body=msgspec.json.encode({"error": error})))
    assert verdict == Refused("status 400")


FAILURES = [
    (ConnectionFailed("x", sent=False), False),
    (ConnectionFailed("x"), True),
    (TimedOut("x"), True),
    (RedirectRefused("x"), True),
    (MalformedResponse("x"), True),
]


@pytest.mark.parametrize(("error", "sent"), FAILURES)
def test_missing_answer_is_ambiguous(error, sent):
    """No answer leaves open what the server did, unless the request surely never left."""
    assert judge_failure(error) == Ambiguous(type(error).__name__, sent)


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("Thu, 01 Jan 1970 00:01:00 GMT", 60.0),
        ("soon", None),
        ("", None),
        (None, None),
        ("Mon, 99 Jan 2026 00:00:00 GMT", None),
    ],
)
def test_date_is_read_or_left(date, seconds):
    """A readable `Date` becomes seconds since 1970, any other nothing."""
    assert server_date(Response(status=200, headers={} if date is None else {"date": date})) == seconds


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (503, {"retry-after": "7"}, 7.0), (429, {"retry-after": "3600"}, 30.0), (503, {}, 0.0),
        (503, {"retry-after": "-5"}, 0.0), (503, {"retry-after": "soon"}, 0.0),
        (503, {"retry-after": "9" * 5000}, 0.0),
        (503, {"retry-after": "Mon, 01 Jun 2026 00:00:09 GMT", "date": "Mon, 01 Jun 2026 00:00:00 GMT"}, 9.0),
        (503, {"retry-after": "Mon, 01 Jun 2026 00:00:09 GMT"}, 0.0),
    ],
)  # fmt: skip
def test_a_token_server_may_ask_to_be_left_alone(status, headers, wait):
    """`Retry-After` is read in both forms, 30 seconds at most; a date needs the answer's own clock."""
    verdict = judge_answer(Response(status=status, headers=headers))
    assert isinstance(verdict, Ambiguous)
    assert verdict.wait == wait
