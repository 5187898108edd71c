"""A login in the browser: where to send the person, and what the address they came back to says.

Rule: random bytes are arguments, and no error quotes an address, which may hold a code.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import parse_qs, urlencode, urlsplit

from msgspec import Struct

from nimble_async._sansio.grants import error_code
from nimble_async._sansio.secret import Secret
from nimble_async.errors import LoginRefused

__all__ = [
    "LoginRequest",
    "Redirected",
    "check_issuer",
    "check_state",
    "is_code",
    "make_login",
    "read_redirect",
    "redirect_members",
]


class LoginRequest(Struct, frozen=True, kw_only=True):
    """One login under way: send the person to `url`, keep the rest for `exchange`."""

    url: str
    state: str
    verifier: Secret

    def __str__(self) -> str:
        """Return the address to open."""
        return self.url


class Redirected(Struct, frozen=True):
    """What the address says to which the vendor sent the person back."""

    code: Secret
    state: str | None
    issuer: str | None = None
    """Who says to have sent the person, where it says so (`iss`)."""


def make_login(
    authorize: str, *, client_id: str, redirect_uri: str, scope: str | None, entropy: bytes
) -> LoginRequest:
    """Build the address of the consent page, with PKCE (S256) and a state.

    `entropy` are 64 random bytes: half become the verifier (43 letters), half the state.

    Raises:
        ValueError: There are fewer than 64 bytes.
    """
    if len(entropy) < 64:
        raise ValueError("A login needs 64 random bytes.")
    verifier, state = _base64url(entropy[:32]), _base64url(entropy[32:64])
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": scope,
        "state": state,
        "code_challenge": _base64url(hashlib.sha256(verifier.encode()).digest()),
        "code_challenge_method": "S256",
    }
    url = f"{authorize}?{urlencode({name: value for name, value in query.items() if value is not None})}"
    return LoginRequest(url=url, state=state, verifier=Secret(verifier))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def redirect_members(url: str) -> dict[str, list[str]]:
    """Return what the query of a redirected address holds: the one place where such an address is read.

    A path and query, or a query alone, will do. A fragment is never sent by a vendor, and not read.

    Raises:
        LoginRefused: It is no address.
    """
    url = url.strip()
    try:
        urlsplit(url)
        url.encode()
        broken = False
    except ValueError:  # also what cannot be encoded
        broken = True
    if broken:
        # Raised out here it has no context: Python's own error may quote the address, and so the code.
        raise LoginRefused("That is no redirected address.", hint="Paste the whole address.")
    head, mark, query = url.partition("#")[0].partition("?")
    return parse_qs(query if mark or "://" in head else head, keep_blank_values=True)


def is_code(text: str) -> bool:
    """Say whether what came back is a code alone; one may hold `=`, and end in it."""
    if "://" in text:
        return False
    query = text.partition("?")[2] or text
    return not {"code", "error", "state"} & parse_qs(query, keep_blank_values=True).keys()


def read_redirect(url: str) -> Redirected:
    """Read the address the vendor redirected to.

    Raises:
        LoginRefused: It is no address, says that the login failed, or holds no code, or several.
    """
    query = redirect_members(url)
    if any(len(query.get(name, ())) > 1 for name in ("code", "state", "error", "iss")):
        raise LoginRefused("The redirected address gives a code, a state, an error or an issuer twice.")
    if "error" in query:
        raise _refusal(query)
    code = query.get("code", [""])[0]
    if not code:
        raise LoginRefused("The redirected address holds no code.", hint="Paste the whole address.")
    return Redirected(Secret(code), query.get("state", [None])[0], query.get("iss", [None])[0])


def _refusal(query: dict[str, list[str]]) -> LoginRefused:
    error = query["error"][0]
    # One of the vendor's own samples spells the parameter without its second i.
    told = query.get("error_description") or query.get("error_descripton") or [""]
    words = "".join(letter for letter in told[0][:200] if letter.isprintable())
    if error == "access_denied":
        return LoginRefused("The login was denied on the consent page.", hint=words)
    return LoginRefused(f"The login failed: {error_code(error) or 'unknown error'}.", hint=words)


def check_issuer(given: str | None, base_url: str) -> None:
    """Refuse a person who was sent back by another server than the one that was asked.

    Servers that do not say who they are pass: the state and the verifier guard those.

    Raises:
        LoginRefused: `given` names another origin than `base_url`.
    """
    if given is not None and _origin(given) != _origin(base_url):
        raise LoginRefused(
            "The login came back from another server than the one that was asked.",
            hint="Begin the login again, and open no other address meanwhile.",
        )


def _origin(address: str) -> tuple[str, str] | None:
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    return parts.scheme, parts.netloc


def check_state(given: str | None, expected: str | None, *, required: bool) -> None:
    """Hold the state that came back against the one that was sent.

    Raises:
        LoginRefused: It is another one, or missing where it is required.
    """
    if given is None:
        if required:
            raise LoginRefused(
                "The login came back without its state.",
                hint="Pass the whole redirected address, or use state='optional' if the server drops it.",
            )
        return
    if expected is None or not hmac.compare_digest(_bytes(given), _bytes(expected)):
        raise LoginRefused(
            "The login came back with a state that was not sent from here, or was used already.",
            hint="Begin the login again.",
        )


def _bytes(state: str) -> bytes:
    return state.encode(errors="surrogatepass")
