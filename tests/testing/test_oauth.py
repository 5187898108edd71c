"""The authorization server: consent, codes, tokens."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest

from nimble_async._sansio.message import Request
from nimble_async.testing import OAuthSettings, Simulator, World

VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
URI = "http://127.0.0.1:8765/callback"


def _simulator(**settings) -> Simulator:
    return Simulator(World(contacts=0, deals=0), oauth=OAuthSettings(**settings))


def _consent(ask, simulator, *, now=0.0, decision="allow", **extra) -> dict[str, str]:
    """Press a button of the consent page; return what comes back to the redirect address."""
    asked = {
        "client_id": simulator.oauth.client_id,
        "redirect_uri": URI,
        "response_type": "code",
        "scope": "basic,deals",
        **extra,
    }
    page = ask(simulator, "/oauth/authorize", **asked)
    assert page.status == 200
    assert all(f'value="{value}"' in page.body.decode() for value in asked.values())
    back = ask(simulator, "/oauth/authorize", method="POST", form={**asked, "decision": decision}, now=now)
    assert back.status == 302
    assert back.headers["location"].startswith(URI + "?")
    return {name: values[0] for name, values in parse_qs(urlsplit(back.headers["location"]).query).items()}


def _token(ask, simulator, *, now=0.0, path="/api/oauth/token", **form):
    base = {
        "client_id": simulator.oauth.client_id,
        "client_secret": simulator.oauth.client_secret,
        "redirect_uri": URI,
    }
    return ask(simulator, path, method="POST", now=now, form={**base, **form})


def _exchange(ask, simulator, code="", **form):
    return _token(ask, simulator, **{"grant_type": "authorization_code", "code": code, **form})


def _refresh(ask, simulator, refresh_token, **form):
    return _token(ask, simulator, grant_type="refresh_token", refresh_token=refresh_token, **form)


def _me(ask, simulator, token, now=0.0) -> int:
    return ask(simulator, "/api/v1/myself", key=token, now=now).status


def test_a_consent_ends_in_a_pair_that_works(ask):
    """Allow gives a code and the state, the code a pair in the documented shape, the token an open door."""
    simulator = _simulator()
    back = _consent(ask, simulator, state="s1", code_challenge=CHALLENGE, code_challenge_method="S256")
    assert set(back) == {"code", "state"}
    assert back["state"] == "s1"
    answer = _exchange(ask, simulator, back["code"], code_verifier=VERIFIER)
    assert set(answer.body) == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert answer.headers["cache-control"] == "no-store"
    assert _me(ask, simulator, answer.body["access_token"]) == 200
    renewed = _refresh(ask, simulator, answer.body["refresh_token"])
    assert set(renewed.body) == {"access_token", "expires_in", "refresh_token"}
    assert renewed.body["refresh_token"] != answer.body["refresh_token"]
    assert (simulator.oauth.issued, simulator.oauth.refreshes) == (2, 1)


def test_a_denial_comes_back(ask):
    """Deny gives the documented error, and the state."""
    back = _consent(ask, _simulator(), decision="deny", state="s1")
    assert back == {"error": "access_denied", "error_description": "User denied access", "state": "s1"}


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"client_id": "other"}, 400, None),
        ({"redirect_uri": "http://evil.example/callback"}, 400, None),
        ({"redirect_uri": "http://["}, 400, None),
        ({"redirect_uri": ""}, 400, None),
        ({"redirect_uri": URI + "\r\nX: y"}, 400, None),
        ({"redirect_uri": URI + "#part"}, 400, None),
        ({"redirect_uri": "http://127.0.0.1:8765/other/path"}, 200, None),
        ({"response_type": "token"}, 302, "invalid_request"),
        ({"code_challenge": "x", "code_challenge_method": "plain"}, 302, "invalid_request"),
    ],
)
def test_a_wrong_authorization_is_refused(ask, change, status, error):
    """A foreign client or address gets no redirect; other mistakes come back as errors; the path is free."""
    simulator = _simulator()
    asked = {"client_id": simulator.oauth.client_id, "redirect_uri": URI, "response_type": "code", **change}
    answer = ask(simulator, "/oauth/authorize", **asked)
    assert answer.status == status
    if error:
        assert f"error={error}" in answer.headers["location"]
        assert (
            ask(simulator, "/oauth/authorize", method="POST", form={**asked, "decision": "allow"}).status
            == 302
        )


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"code": "wrong"}, 400, "invalid_grant"),
        ({"redirect_uri": URI + "/other"}, 400, "invalid_grant"),
        ({"code_verifier": "wrong"}, 400, "invalid_grant"),
        ({"now": 61.0}, 400, "invalid_grant"),
    ],
)
def test_a_wrong_exchange_is_refused(ask, form, status, error):
    """Each part of an exchange must be right, and in time."""
    simulator = _simulator()
    code = _consent(ask, simulator, code_challenge=CHALLENGE, code_challenge_method="S256")["code"]
    answer = _exchange(ask, simulator, **{"code": code, "code_verifier": VERIFIER, **form})
    assert (answer.status, answer.body["error"]) == (status, error)


def test_the_token_endpoint_wants_a_form(ask):
    """Another content type is refused."""
    simulator = _simulator()
    request = Request(
        method="POST",
        url="http://s/api/oauth/token",
        headers={"Content-Type": "application/json"},
        body=b"{}",
    )
    assert simulator.handle(request, 0).response.status == 400


def test_a_code_is_good_once(ask):
    """A second exchange is refused and revokes what the first one gave."""
    simulator = _simulator()
    code = _consent(ask, simulator)["code"]
    token = _exchange(ask, simulator, code).body["access_token"]
    assert _me(ask, simulator, token) == 200
    assert _exchange(ask, simulator, code).status == 400
    assert _me(ask, simulator, token) == 401


@pytest.mark.parametrize(("now", "status"), [(0, 200), (599, 200), (600, 401)])
def test_a_token_lives_ten_minutes(ask, now, status):
    """An access token is good until its last second and no longer."""
    simulator = _simulator()
    pair = simulator.oauth.issue(0)
    assert pair["expires_in"] == 600
    assert _me(ask, simulator, pair["access_token"], now) == status


def test_the_life_is_a_switch(ask):
    """`token_life` shortens it."""
    simulator = _simulator(token_life=2)
    pair = simulator.oauth.issue(0)
    assert pair["expires_in"] == 2
    assert [_me(ask, simulator, pair["access_token"], now) for now in (1.9, 2)] == [200, 401]


def test_a_spent_refresh_token_kills_its_family(ask):
    """Using a refresh token twice revokes every token of the login."""
    simulator = _simulator()
    first = simulator.oauth.issue(0)
    other = simulator.oauth.issue(0)
    second = _refresh(ask, simulator, first["refresh_token"]).body
    assert _refresh(ask, simulator, first["refresh_token"], now=1).body["error"] == "invalid_grant"
    assert _me(ask, simulator, second["access_token"]) == 401
    assert _refresh(ask, simulator, second["refresh_token"]).status == 400
    assert _me(ask, simulator, other["access_token"]) == 200


@pytest.mark.parametrize(("now", "status"), [(5, 200), (5.1, 400)])
def test_a_grace_forgives_a_repeat(ask, now, status):
    """Within the grace the old refresh token still works."""
    simulator = _simulator(grace=5)
    first = simulator.oauth.issue(0)
    assert _refresh(ask, simulator, first["refresh_token"]).status == 200
    assert _refresh(ask, simulator, first["refresh_token"], now=now).status == status


def test_rotation_is_a_switch(ask):
    """Without rotation the refresh token stays what it was."""
    simulator = _simulator(rotate=False)
    first = simulator.oauth.issue(0)
    for _ in range(3):
        assert (
            _refresh(ask, simulator, first["refresh_token"]).body["refresh_token"] == first["refresh_token"]
        )


def test_expiry_and_revocation_by_hand(ask):
    """`expire` ends access tokens, `revoke` ends logins; the API key survives both."""
    simulator = _simulator()
    first = simulator.oauth.issue(0)
    simulator.oauth.expire()
    assert _me(ask, simulator, first["access_token"]) == 401
    second = _refresh(ask, simulator, first["refresh_token"]).body
    simulator.oauth.revoke()
    assert _me(ask, simulator, second["access_token"]) == 401
    assert _refresh(ask, simulator, second["refresh_token"]).status == 400
    assert _me(ask, simulator, simulator.api_key) == 200


def test_pkce_and_state_can_be_ignored(ask):
    """A vendor that documents neither may do neither."""
    simulator = _simulator(ignore_pkce=True, ignore_state=True)
    back = _consent(ask, simulator, state="s1", code_challenge=CHALLENGE, code_challenge_method="S256")
    assert set(back) == {"code"}
    assert _exchange(ask, simulator, back["code"]).status == 200


def test_the_older_token_path_answers(ask):
    """Older clients ask for tokens at /oauth/token."""
    simulator = _simulator()
    code = _consent(ask, simulator)["code"]
    assert _exchange(ask, simulator, code, path="/oauth/token").status == 200
