"""Where a login sends the person, and what is made of the address they come back to."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest

from nimble_async._sansio.login import check_state, is_code, make_login, read_redirect
from nimble_async.errors import LoginRefused


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
