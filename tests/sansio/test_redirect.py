"""Where a login comes back to, and what each visit there comes to."""

from __future__ import annotations

import pytest

from nimble_async._sansio.login import LoginRequest, check_issuer, read_redirect
from nimble_async._sansio.redirect import (
    Awaited,
    Loopback,
    Visit,
    answer_visit,
    judge_visit,
    loopback_of,
    read_head,
)
from nimble_async._sansio.secret import Secret
from nimble_async.errors import ConfigurationError, LoginRefused

LOGIN = LoginRequest(url="https://crm.example/oauth/authorize?x=1", state="good", verifier=Secret("v"))
HOST = "127.0.0.1:8765"


def _visit(
    target: str, *, method: str = "GET", host: str = HOST, required: bool = True, over: bool = False
) -> Visit:
    awaited = Awaited(
        path="/callback", login=LOGIN, base_url="https://crm.example/base", state_required=required
    )
    return judge_visit(method, target, host, awaited=awaited, over=over)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("http://127.0.0.1:8765/callback", Loopback(hosts=("127.0.0.1",), port=8765, path="/callback")),
        ("http://localhost:8765/a/b?x=1", Loopback(hosts=("127.0.0.1", "::1"), port=8765, path="/a/b")),
        ("http://[::1]:1", Loopback(hosts=("::1",), port=1, path="/")),
        ("http://127.0.0.2", Loopback(hosts=("127.0.0.2",), port=80, path="/")),
        ("http://LOCALHOST:8765/", Loopback(hosts=("127.0.0.1", "::1"), port=8765, path="/")),
        ("https://localhost:8765/callback", None),
        ("http://192.168.0.1:8765/callback", None),
        ("http://localhost.example/callback", None),
        ("https://app.example/callback", None),
        ("com.example.app:/callback", None),
        ("urn:ietf:wg:oauth:2.0:oob", None),
    ],
)
def test_only_plain_loopback_addresses_are_listened_on(address, expected):
    """Http with a loopback literal or localhost is this machine; port and path are the registered ones."""
    assert loopback_of(address) == expected


@pytest.mark.parametrize(
    "address",
    [
        "",
        "callback",
        "http://127.0.0.1:x/",
        "http://127.0.0.1:70000/",
        "http://",
        "http://127.0.0.1:0/cb",
        "https:///cb",
        "http://127.0.0.1@evil.example/cb",
        "http://me:hush@127.0.0.1:1/cb",
        "http://me:hush/x@127.0.0.1:1/cb",
        "http://127.0.0.1:hush@/cb",
        "http://me:hush@[::1",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///cb",
        "http://127.0.0.1:1/cb#x",
        "http://127.0.0.1:1/a b",
        "http://127.0.0.1:1/\u00e9",
    ],
)
def test_what_is_no_address_is_refused(address):
    """A redirect address that cannot be one is told before anything is opened."""
    with pytest.raises(ConfigurationError, match="redirect address") as told:
        loopback_of(address)
    assert "hush" not in f"{told.value} {told.value.__cause__} {told.value.__context__}"


@pytest.mark.parametrize(
    "address", ["https://app.example/cb", "com.example.app:/cb", "myapp://cb", "urn:ietf:wg:oauth:2.0:oob"]
)
def test_an_address_elsewhere_is_for_pasting(address):
    """Other machines and schemes of an application's own are good, and nothing listens for them."""
    assert loopback_of(address) is None


def test_a_state_behind_a_fragment_is_none():
    """What judges a visit and what takes its code read the same part of the address."""
    visit = _visit("/callback?code=1#&state=good")
    assert (visit.status, visit.target) == (400, None)


def test_the_visit_with_our_state_ends_the_wait():
    """A code with the state that was sent is taken, with what the vendor wrote into its address."""
    visit = _visit("/callback?code=abc&state=good")
    assert (visit.status, visit.error, visit.refused) == (200, None, "")
    assert visit.target == Secret("/callback?code=abc&state=good")
    assert read_redirect(visit.target.reveal()).code == Secret("abc")
    assert _visit("/callback?code=abc&state=good&iss=https://crm.example/other").target is not None


def test_a_denial_with_our_state_ends_the_wait():
    """The vendor's refusal is told as it is, and nothing is taken."""
    visit = _visit("/callback?error=access_denied&error_description=No&state=good")
    assert (visit.status, visit.target) == (200, None)
    assert visit.error is not None
    assert "denied" in visit.error.message


@pytest.mark.parametrize("required", [True, False])
def test_a_missing_state_is_taken_where_it_is_optional(required):
    """A server that drops the state is served only by who asks for it."""
    code, denial = (
        _visit("/callback?code=a", required=required),
        _visit("/callback?error=x", required=required),
    )
    assert (code.target is None, denial.error is None) == (required, required)


@pytest.mark.parametrize(
    "target",
    [
        "/callback?code=a&state=bad",
        "/callback?code=a&state=",
        "/callback?code=a",
        "/callback?state=good",
        "/callback",
        "/callback?code=&state=good",
        "/callback?code=a&code=b&state=good",
        "/callback?code=a&state=good&state=good",
        "/callback?code=a&state=good&state=bad",
        "/callback?error=access_denied",
        "/callback?error=access_denied&state=bad",
        "/callback?error=a&error=b&state=good",
        "/callback?code=a&state=good&iss=https://evil.example",
        "/callback?code=a&state=good&iss=http://crm.example",
        "/callback?code=a&state=good&iss=http://[",
        "/callback?code=a&state=good&iss=https://crm.example&iss=https://crm.example",
    ],
)
def test_a_strange_visit_gets_a_page_and_changes_nothing(target):
    """Without our state, or with anything twice, a visit is refused and told, and the wait goes on."""
    visit = _visit(target)
    assert (visit.status, visit.target, visit.error) == (400, None, None)
    assert visit.refused
    # An optional state changes nothing about a wrong one.
    if "state=bad" in target:
        assert _visit(target, required=False).status == 400


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"target": "/favicon.ico"}, 404),
        ({"target": "/callback/"}, 404),
        ({"target": "/Callback?code=a&state=good"}, 404),
        ({"target": "//evil.example/callback?code=a&state=good"}, 404),
        ({"host": "evil.example:8765"}, 404),
        ({"host": ""}, 404),
        ({"host": "[::1"}, 404),
        ({"method": "POST"}, 405),
        ({"method": "HEAD"}, 405),
        ({"over": True}, 410),
        ({"host": "localhost:8765"}, 200),
        ({"host": "[::1]:8765"}, 200),
    ],
)
def test_other_paths_hosts_methods_and_second_visits_are_told_apart(change, status):
    """Only a GET of our path, under a name of this machine, and only the first, can be the login."""
    visit = _visit(**{"target": "/callback?code=a&state=good", **change})
    assert visit.status == status
    assert (visit.target is not None) == (status == 200)
    assert visit.refused == ""


def test_a_page_repeats_nothing_and_points_nowhere():
    """Whatever a visit brings, its page holds none of it, loads nothing, and redirects to nowhere."""
    bad = "%3Cscript%3Ealert(1)%3C/script%3E"
    for target in (
        f"/callback?code={bad}&state=good",
        f"/callback?error={bad}&state=good",
        f"/{bad}?next={bad}",
    ):
        head, _, body = answer_visit(_visit(target)).partition(b"\r\n\r\n")
        assert b"script" not in body
        assert b"location" not in head.lower()
        assert b"http" not in body
        for header in (b"Cache-Control: no-store", b"Referrer-Policy: no-referrer", b"default-src 'none'"):
            assert header in head
        assert f"Content-Length: {len(body)}".encode() in head
        assert head.startswith(b"HTTP/1.1 ")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"GET /a?b=c HTTP/1.1\r\nHost: x:1\r\n\r\n", ("GET", "/a?b=c", "x:1")),
        (b"GET / HTTP/1.0\r\n\r\n", ("GET", "/", "")),
        (b"GET / HTTP/1.1\r\nHOST:  x \r\nhost: y\r\n\r\n", ("GET", "/", "")),
        (b"GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n", None),
        (b"GET /\r\n\r\n", None),
        (b"GET / HTTP/2.0\r\n\r\n", None),
        (b"\x16\x03\x01\x02\r\n\r\n", None),
        (b"", None),
    ],
)
def test_a_request_s_head_is_read_or_refused(data, expected):
    """Method, target and host; two hosts count as none; what is no HTTP/1 gets no answer."""
    assert read_head(data) == expected


@pytest.mark.parametrize(
    ("given", "good"),
    [
        (None, True),
        ("https://crm.example", True),
        ("https://crm.example/oauth", True),
        ("http://crm.example", False),
        ("https://crm.example:444", False),
        ("https://crm.example.evil.example", False),
        ("crm.example", False),
        ("http://[", False),
        ("", False),
    ],
)
def test_another_issuer_is_refused(given, good):
    """Who says to be another origin than the one that was asked is not believed."""
    if good:
        check_issuer(given, "https://crm.example/api")
    else:
        with pytest.raises(LoginRefused, match="another server"):
            check_issuer(given, "https://crm.example/api")
