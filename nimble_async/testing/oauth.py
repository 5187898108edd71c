"""The vendor's authorization server: consent, codes, short tokens, rotating refresh tokens.

Rule: no clock, no socket. Every refresh token is good once; a second use after the grace kills
its whole family, as a server that rotates does.
"""

from __future__ import annotations

import base64
import hashlib
import html
import random
from collections.abc import Mapping
from urllib.parse import parse_qs, urlencode, urlsplit

from msgspec import Struct

from nimble_async.testing.call import Answer, json_answer

__all__ = ["OAuthServer", "OAuthSettings"]


class OAuthSettings(Struct, frozen=True, kw_only=True):
    """How the authorization server behaves. Times are seconds."""

    token_life: float = 600.0
    code_life: float = 60.0
    grace: float = 0.0
    """How long a spent refresh token may still be used again."""
    rotate: bool = True
    """Whether a refresh spends the refresh token."""
    ignore_pkce: bool = False
    ignore_state: bool = False
    redirect_uri: str = "http://127.0.0.1:8765/callback"


class _Family(Struct):
    """All tokens that stem from one consent."""

    scope: str
    redirect_uri: str
    alive: bool = True


class _Code(Struct):
    family: _Family
    until: float
    challenge: str
    spent: bool = False


class _Refresh(Struct):
    family: _Family
    spent_at: float | None = None


class OAuthServer:
    """Issues and checks tokens. `now` is the simulation's seconds."""

    def __init__(self, settings: OAuthSettings = OAuthSettings(), *, seed: int = 0) -> None:  # noqa: B008 (frozen)
        self.settings = settings
        self._chance = random.Random(f"{seed} oauth")
        self.client_id: str = self._word()
        self.client_secret: str = self._word("simsecret_")
        self.api_key: str = self._word("simkey_")
        self.issued: int = 0
        self.refreshes: int = 0
        self.refused: int = 0
        self._codes: dict[str, _Code] = {}
        self._access: dict[str, tuple[_Family, float]] = {}
        self._refresh: dict[str, _Refresh] = {}

    def _word(self, mark: str = "") -> str:
        """Return a word nobody guesses; a secret's begins with a mark, by which it is known elsewhere."""
        return f"{mark}{self._chance.getrandbits(128):032x}"

    def valid(self, token: str, now: float, *, key_allowed: bool = True) -> bool:
        """Return whether a bearer token, or the API key, opens the door at `now`."""
        if token == self.api_key:
            return key_allowed
        family, until = self._access.get(token, (None, 0.0))
        return family is not None and family.alive and now < until

    def issue(self, now: float, *, scope: str = "basic contacts deals") -> dict[str, object]:
        """Issue a first pair without a consent; the answer of a code exchange."""
        family = _Family(scope, self.settings.redirect_uri)
        return {**self._pair(family, now), "token_type": "bearer", "scope": scope}

    def expire(self) -> None:
        """Let every access token expire at once; the refresh tokens stay good."""
        self._access.clear()

    def revoke(self) -> None:
        """Take every consent back: access and refresh tokens are dead for good."""
        for record in self._refresh.values():
            record.family.alive = False

    def _pair(self, family: _Family, now: float) -> dict[str, object]:
        self._access = {token: entry for token, entry in self._access.items() if entry[1] > now}
        access, refresh = self._word("simaccess_"), self._word("simrefresh_")
        self._access[access] = (family, now + self.settings.token_life)
        self._refresh[refresh] = _Refresh(family)
        self.issued += 1
        return {
            "access_token": access,
            "expires_in": max(1, int(self.settings.token_life)),
            "refresh_token": refresh,
        }

    def authorize(self, query: Mapping[str, list[str]]) -> Answer:
        """Answer the browser's first request: the consent page, or where the request is wrong, an error."""
        asked = {name: values[-1] for name, values in query.items()}
        wrong = self._wrong_request(asked)
        return wrong or Answer(
            200, _consent_page(asked).encode(), {"content-type": "text/html; charset=UTF-8"}
        )

    def decide(self, form: Mapping[str, str], now: float) -> Answer:
        """Answer the consent page's button: back to the client with a code, or with a denial."""
        wrong = self._wrong_request(form)
        if wrong is not None:
            return wrong
        if form.get("decision") != "allow":
            return self._back(form, {"error": "access_denied", "error_description": "User denied access"})
        code = "SIMCODE" + self._word()[:10].upper()
        family = _Family(form.get("scope", "basic"), form["redirect_uri"])
        self._codes[code] = _Code(family, now + self.settings.code_life, form.get("code_challenge", ""))
        return self._back(form, {"code": code})

    def _wrong_request(self, asked: Mapping[str, str]) -> Answer | None:
        # Only the path may differ from the registered address.
        asked_for, registered = _server(asked.get("redirect_uri", "")), _server(self.settings.redirect_uri)
        if asked.get("client_id") != self.client_id or asked_for is None or asked_for != registered:
            return Answer(400, b"<p>Unknown client or redirect address.</p>", {"content-type": "text/html"})
        if asked.get("response_type") != "code":
            return self._back(
                asked, {"error": "invalid_request", "error_description": "response_type must be code"}
            )
        if (
            asked.get("code_challenge")
            and asked.get("code_challenge_method") != "S256"
            and not self.settings.ignore_pkce
        ):
            return self._back(asked, {"error": "invalid_request", "error_description": "S256 is required"})
        return None

    def _back(self, asked: Mapping[str, str], answer: dict[str, str]) -> Answer:
        if asked.get("state") and not self.settings.ignore_state:
            answer = {**answer, "state": asked["state"]}
        uri = asked["redirect_uri"]
        return Answer(302, b"", {"location": f"{uri}{'&' if '?' in uri else '?'}{urlencode(answer)}"})

    def token(self, content_type: str, body: bytes, now: float) -> Answer:
        """Answer the token endpoint: a code or a refresh token for a pair."""
        if not content_type.lower().startswith("application/x-www-form-urlencoded"):
            return self._refuse(
                "invalid_request", "The content type must be application/x-www-form-urlencoded"
            )
        form = {name: values[-1] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
        if (form.get("client_id"), form.get("client_secret")) != (self.client_id, self.client_secret):
            return self._refuse("invalid_client", "Unknown client or wrong secret", status=401)
        if form.get("grant_type") == "authorization_code":
            return self._exchange(form, now)
        if form.get("grant_type") == "refresh_token":
            return self._renew(form, now)
        return self._refuse(
            "unsupported_grant_type", "grant_type must be authorization_code or refresh_token"
        )

    def _exchange(self, form: Mapping[str, str], now: float) -> Answer:
        code = self._codes.get(form.get("code", ""))
        if code is None or code.spent or now >= code.until:
            if code is not None and code.spent:
                code.family.alive = False
            return self._refuse("invalid_grant", "The code is unknown, spent or too old")
        if form.get("redirect_uri") != code.family.redirect_uri:
            return self._refuse("invalid_grant", "redirect_uri is not the one of the authorization")
        if (
            code.challenge
            and not self.settings.ignore_pkce
            and _challenge(form.get("code_verifier", "")) != code.challenge
        ):
            return self._refuse("invalid_grant", "code_verifier does not match")
        code.spent = True
        return _token_answer(
            {**self._pair(code.family, now), "token_type": "bearer", "scope": code.family.scope}
        )

    def _renew(self, form: Mapping[str, str], now: float) -> Answer:
        record = self._refresh.get(form.get("refresh_token", ""))
        if record is None or not record.family.alive:
            return self._refuse("invalid_grant", "The refresh token is unknown or revoked")
        if record.spent_at is not None and now > record.spent_at + self.settings.grace:
            record.family.alive = False
            return self._refuse(
                "invalid_grant", "The refresh token was used before; every token of its login is revoked"
            )
        if self.settings.rotate and record.spent_at is None:
            record.spent_at = now
        self.refreshes += 1
        pair = self._pair(record.family, now)
        if not self.settings.rotate:
            del self._refresh[str(pair["refresh_token"])]
            pair["refresh_token"] = form["refresh_token"]
        return _token_answer(pair)

    def _refuse(self, error: str, description: str, *, status: int = 400) -> Answer:
        self.refused += 1
        return json_answer({"error": error, "error_description": description}, status)


def _server(uri: str) -> tuple[str, str] | None:
    """Return where a redirect address leads; None where nobody can be sent there."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    return (parts.scheme, parts.netloc) if uri.isprintable() and "#" not in uri else None


def _token_answer(pair: dict[str, object]) -> Answer:
    answer = json_answer(pair)
    return Answer(200, answer.body, {**answer.headers, "cache-control": "no-store"})


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _consent_page(asked: Mapping[str, str]) -> str:
    kept = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in asked.items()
    )
    forms = "".join(
        f'<form method="post" action="/oauth/authorize">{kept}'
        f'<button name="decision" value="{decision}" id="{decision}">{label}</button></form>'
        for decision, label in (("allow", "Allow"), ("deny", "Deny"))
    )
    scope = html.escape(asked.get("scope", "basic"))
    return (
        "<!doctype html><html lang=en><title>Simulated consent</title><link rel=icon href=data:,>"
        f"<h1>Simulated account</h1><p>An application asks for: {scope}.</p>{forms}</html>"
    )
