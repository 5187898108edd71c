"""What is decided about tokens, as tables with their boundaries."""

from __future__ import annotations

import base64
import hashlib
import math
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from nimble_async._sansio.message import Response
from nimble_async._sansio.secret import Secret
from nimble_async._sansio.tokens import (
    ASSUMED_LIFE,
    Ambiguous,
    Doubt,
    Granted,
    InvalidGrant,
    Refused,
    Stage,
    TokenRecord,
    age_of,
    check_state,
    clocks_agree,
    decode_record,
    digest,
    encode_record,
    exchange_request,
    first_record,
    is_code,
    judge_answer,
    judge_failure,
    make_login,
    next_record,
    read_grant,
    read_redirect,
    refresh_request,
    server_date,
    stage_of,
)
from nimble_async.errors import (
    ConnectionFailed,
    LoginRefused,
    MalformedResponse,
    RedirectRefused,
    StoreError,
    TimedOut,
)

REFRESH = Secret("cAnArY-refresh")
ENDPOINT = "https://app.nimble.com/api/oauth/token"


def _record(**changes):
    return TokenRecord(
        **{"gen": 3, "access": Secret("access"), "refresh": REFRESH, "expires_in": 600.0, **changes}
    )


STAGES = [
    (600, 0, True, Stage.GOOD),
    (600, 479.9, True, Stage.GOOD),
    (600, 480, True, Stage.DUE),
    (600, 594.9, True, Stage.DUE),
    (600, 595, True, Stage.SPENT),
    (600, 600, True, Stage.SPENT),
    (600, 1e9, True, Stage.SPENT),
    (600, 480, False, Stage.GOOD),
    (600, 594.9, False, Stage.GOOD),
    (600, 595, False, Stage.DEAD),
    (10, 8, True, Stage.DUE),
    (10, 9.4, True, Stage.DUE),
    (10, 9.5, True, Stage.SPENT),
    (1, 0.79, True, Stage.GOOD),
    (1, 0.8, True, Stage.DUE),
    (0, 0, True, Stage.SPENT),
    (0, 0, False, Stage.DEAD),
]


@pytest.mark.parametrize(("life", "age", "renewable", "stage"), STAGES)
def test_stage_follows_age(life, age, renewable, stage):
    """A token is due at 80 % of its life and spent 5 seconds, or a twentieth of its life, before the end."""
    assert stage_of(_record(expires_in=life, refresh=REFRESH if renewable else None), age) is stage


@pytest.mark.parametrize(
    ("state", "stage"), [("idle", Stage.GOOD), ("refreshing", Stage.GOOD), ("dead", Stage.DEAD)]
)
def test_stage_follows_state(state, stage):
    """A dead record is dead at any age; one that is being renewed may still be used."""
    assert stage_of(_record(state=state), 0) is stage


AGES = [
    (None, 1100, None, math.inf, 100),
    (None, 400, None, math.inf, 0),
    (None, 1000, None, math.inf, 0),
    (2000, 1100, 2050, math.inf, 50),
    (2000, 1100, None, math.inf, 100),
    (None, 1100, 2050, math.inf, 100),
    (2000, 9999, 1990, math.inf, 0),
    (None, 1700, None, 3, 3),
    (2000, 0, 2600, 3, 3),
]


@pytest.mark.parametrize(("obtained", "wall", "server", "at_most", "age"), AGES)
def test_age_prefers_the_servers_clock(obtained, wall, server, at_most, age):
    """The server's clock then and now goes before our own; neither makes a token older than it can be."""
    record = _record(obtained_wall=1000.0, obtained_date_hdr=obtained)
    assert age_of(record, wall=wall, server=server, at_most=at_most) == age


AGREEING = [
    (1000.0, None, 1000.0, True),
    (1000.0, None, 9e9, True),
    (1000.0, None, 995.0, True),
    (1000.0, None, 994.0, False),
    (1005.0, 1000.0, 1010.0, True),
    (1006.0, 1000.0, 1010.0, False),
    (995.0, 1000.0, 1000.0, True),
    (994.0, 1000.0, 1000.0, False),
]


@pytest.mark.parametrize(("got", "date", "wall", "agree"), AGREEING)
def test_clocks_are_seen_to_disagree(got, date, wall, agree):
    """A record from our future, or one whose writer's clock was wrong, speaks against the clocks."""
    assert clocks_agree(_record(obtained_wall=got, obtained_date_hdr=date), wall=wall) is agree


def test_record_comes_back_from_its_bytes():
    """Every member survives being written and read, secrets and absent ones included."""
    whole = _record(
        prev_refresh_hash="h",
        obtained_wall=1.5,
        obtained_date_hdr=2.0,
        state="dead",
        since=3.0,
        reason="because",
    )
    for record in (whole, TokenRecord(gen=1, access=Secret("é"))):
        assert decode_record(encode_record(record)) == record
    assert b'"version": 1' in encode_record(whole)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff",
        b'{"version": 1, "gen": 0, "access": "x"}',
        b'{"version": 2, "gen": 1, "access": "x"}',
        b'{"version": 1, "gen": 1}',
        b'{"version": 1, "gen": 1, "access": 5}',
        b'{"version": 1, "gen": 1, "access": "x", "state": "other"}',
    ],
)
def test_foreign_bytes_are_no_record(data):
    """What this release did not write is refused with what to do."""
    with pytest.raises(StoreError, match="sign in again"):
        decode_record(data)


def test_record_of_a_later_release_keeps_what_is_known():
    """Members that are not known are passed over, as long as the version is."""
    assert decode_record(b'{"version": 1, "gen": 1, "access": "x", "new": [1]}') == TokenRecord(
        gen=1, access=Secret("x")
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
        obtained_wall=5.0,
        obtained_date_hdr=1780315200.0,
        expires_in=60.0,
    )
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


def test_digest_names_a_secret_without_telling():
    """Equal secrets have equal digests, nothing has the empty one, and the text is not in it."""
    assert digest(Secret("a")) == digest(Secret("a")) != digest(Secret("b"))
    assert digest(None) == ""
    assert "refresh" not in digest(REFRESH)


def test_login_sends_a_fresh_challenge_and_state():
    """The consent page gets an S256 challenge of the verifier that is kept, and a state; not the verifier."""
    entropy = bytes(range(64))
    login = make_login(
        "https://x/oauth/authorize",
        client_id="i d",
        redirect_uri="http://127.0.0.1:1/cb",
        scope="basic,deals",
        entropy=entropy,
    )
    query = parse_qs(urlsplit(login.url).query)
    verifier = login.verifier.reveal()
    assert 43 <= len(verifier) <= 128
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    assert query == {
        "response_type": ["code"],
        "client_id": ["i d"],
        "redirect_uri": ["http://127.0.0.1:1/cb"],
        "scope": ["basic,deals"],
        "state": [login.state],
        "code_challenge": [challenge],
        "code_challenge_method": ["S256"],
    }
    assert verifier not in login.url
    assert str(login) == login.url
    assert verifier != login.state
    bare = make_login("https://x/a", client_id="i", redirect_uri="u", scope=None, entropy=entropy)
    assert "scope" not in parse_qs(urlsplit(bare.url).query)


@pytest.mark.parametrize("count", [0, 32, 63])
def test_login_wants_enough_chance(count):
    """Fewer than 64 random bytes are refused."""
    with pytest.raises(ValueError, match="64"):
        make_login("https://x", client_id="i", redirect_uri="u", scope=None, entropy=bytes(count))


REDIRECTS = [
    ("http://127.0.0.1:8765/cb?code=c1&state=s1", "c1", "s1"),
    (" http://127.0.0.1/cb?state=&code=c%2B1#x \n", "c+1", ""),
    ("/cb?code=c1", "c1", None),
    ("?code=c1", "c1", None),
    ("code=c1&state=s1", "c1", "s1"),
    ("/cb?code=c1#&state=s1", "c1", None),
]


@pytest.mark.parametrize(("url", "code", "state"), REDIRECTS)
def test_redirect_gives_code_and_state(url, code, state):
    """The code and the state are taken from the query, whatever stands around it."""
    redirected = read_redirect(url)
    assert (redirected.code.reveal(), redirected.state) == (code, state)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("abc", True), ("abc==", True), ("a=b", True), ("", True), ("a?b", True), ("?code=x", False),
        ("/cb?error=x", False), ("state=x", False), ("http://x/abc", False), ("app:/cb?code=1", False),
    ],
)  # fmt: skip
def test_a_code_alone_is_told_from_an_address(text, code):
    """A code may hold what addresses hold, too; what names a code, an error or a state is an address."""
    assert is_code(text) is code


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


@pytest.mark.parametrize("data", [b'{"version": 1, "gen": "cAnArY-secret", "access": "x"}', b"\xff"])
def test_a_broken_record_s_error_holds_no_other(data):
    """The decoder's own error, which may quote the record, hangs nowhere on ours."""
    with pytest.raises(StoreError) as told:
        decode_record(data)
    assert (told.value.__context__, told.value.__cause__) == (None, None)


REFUSALS = [
    ("http://x/cb?error=access_denied&error_description=No+way", "denied.*No way"),
    ("http://x/cb?error=invalid_request&error_descripton=Bad+scope", "invalid_request.*Bad scope"),
    ("http://x/cb?error=%3Cscript%3E&code=c", "unknown error"),
    ("http://x/cb?error=", "unknown error"),
    ("http://x/cb", "no code"),
    ("http://x/cb?code=", "no code"),
    ("http://x/cb#code=c", "no code"),
    ("", "no code"),
    ("http://x/cb?code=a&code=b", "twice"),
    ("http://x/cb?code=a&state=b&state=c", "twice"),
    ("http://x/cb?error=a&error=b", "twice"),
    ("http://[x/?code=1", "no redirected address"),
    ("?code=\udcff&state=s", "no redirected address"),
]


@pytest.mark.parametrize(("url", "words"), REFUSALS)
def test_redirect_that_is_no_login_is_refused(url, words):
    """A denial, an error (also misspelled), no code, and doubled parameters end the login."""
    with pytest.raises(LoginRefused, match=words):
        read_redirect(url)


def test_refusal_keeps_only_printable_words():
    """What the address says is shown short and without control characters."""
    with pytest.raises(LoginRefused) as caught:
        read_redirect("http://x/?error=access_denied&error_description=a%1b%5b31mb%0a" + "c" * 300)
    assert "\x1b" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


STATES = [
    ("a", "a", True, True),
    ("a", "a", False, True),
    ("b", "a", True, False),
    ("b", "a", False, False),
    ("", "a", False, False),
    (None, "a", True, False),
    (None, "a", False, True),
    (None, None, False, True),
    ("a", None, False, False),
    ("a", None, True, False),
    ("é", "a", True, False),
]


@pytest.mark.parametrize(("given", "expected", "required", "passes"), STATES)
def test_state_must_be_the_one_sent(given, expected, required, passes):
    """Another state is always refused, a missing one unless it is optional."""
    if passes:
        check_state(given, expected, required=required)
        return
    with pytest.raises(LoginRefused):
        check_state(given, expected, required=required)


# --- doubt whether a renewal helps ---


@pytest.mark.parametrize(
    ("replays", "until"),
    [
        ([], -math.inf),
        ([(2, True)], -math.inf),
        ([(2, False)], 110.0),
        ([(2, False)] * 1000, 110.0),
        ([(2, False), (3, False)], 120.0),
        ([(2, False), (3, False), (4, False), (5, False)], 180.0),
        ([(2, False), (3, False), (4, False), (5, False), (6, False)], 220.0),
        ([(generation, False) for generation in range(2, 2000)], 220.0),
        ([(2, False), (3, True)], -math.inf),
        ([(2, False), (3, True), (4, False)], 110.0),
        ([(2, True), (2, False)], -math.inf),
        ([(2, False), (2, True)], -math.inf),
        ([(3, False), (2, True)], 110.0),
        ([(3, False), (2, False)], 110.0),
    ],
)
def test_refused_replays_are_doubt(replays, until):
    """Generations refused in a row double the pause, to two minutes at most; an accepted one ends it."""
    doubt = Doubt()
    for generation, accepted in replays:
        doubt = doubt.after(generation, accepted=accepted, now=100.0)
    assert doubt.until == until
    assert doubt.allows(max(until, 100.0))
    assert doubt.allows(99.0) == (until < 100)
