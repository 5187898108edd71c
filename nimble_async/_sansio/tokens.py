"""Token pairs: their life, the requests that get them, and what the answers mean.

Rule: nothing here waits, reads a clock or draws a random number. Ages and random bytes are
arguments; `_aio.credentials` does what is decided here. Times are seconds.

How old a token is must not depend on one machine's wall clock. A process that got the token
itself counts on its monotonic clock; one that read it from a store compares the server's own
`Date` then and now where it has heard one, and its wall clock otherwise (`age_of`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any, Literal
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
from msgspec import Struct

from nimble_async._sansio.message import Request, Response
from nimble_async._sansio.ratelimits import parse_retry_after
from nimble_async._sansio.secret import Secret
from nimble_async.errors import CrmError, LoginRefused, StoreError, TransportError

__all__ = [
    "ASSUMED_LIFE",
    "Ambiguous",
    "Doubt",
    "Granted",
    "InvalidGrant",
    "LoginRequest",
    "Redirected",
    "Refused",
    "Stage",
    "TokenRecord",
    "age_of",
    "check_issuer",
    "check_state",
    "clocks_agree",
    "decode_record",
    "digest",
    "encode_record",
    "exchange_request",
    "first_record",
    "is_code",
    "judge_answer",
    "judge_failure",
    "make_login",
    "next_record",
    "read_grant",
    "read_redirect",
    "redirect_members",
    "refresh_request",
    "server_date",
    "stage_of",
]

ASSUMED_LIFE = 600.0
"""Seconds a token is believed to live where the answer does not say: the vendor's ten minutes."""
_LONGEST_LIFE = 366 * 86400.0
_SHORTEST_LIFE = 1.0
"""Seconds: a server that grants less would have each call renew."""
_LONGEST_PATIENCE = 30.0
"""Seconds for which a token server is left alone at most, however long it asks for."""
_RENEW_AT = 0.8
_SPARE = 5.0
"""Seconds before its end from which on a token is no longer sent: it would expire on the way."""
_AGREEING = 5.0
_FIRST_DOUBT = 10.0
_LONGEST_DOUBT = 120.0
_GONE = frozenset({"invalid_grant", "invalid_token"})


class TokenRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a store keeps: one token pair and where it stands. The first generation is 1."""

    gen: int
    access: Secret
    refresh: Secret | None = None
    """None: it cannot be renewed; when it is spent a person signs in again."""
    prev_refresh_hash: str = ""
    """`digest` of the refresh token before this one."""
    obtained_wall: float = 0.0
    """Seconds since 1970 by the clock of the machine that got it."""
    obtained_date_hdr: float | None = None
    """Seconds since 1970 by the `Date` header of the answer that brought it."""
    expires_in: float = ASSUMED_LIFE
    """Seconds it lives from then on; 0 where only the refresh token is known."""
    state: Literal["idle", "refreshing", "dead"] = "idle"
    since: float | None = None
    """Wall-clock seconds since when it is refreshing or dead."""
    reason: str = ""
    """Why it is dead, in words."""


class Stage(Enum):
    """Where a token pair stands in its life, and so what a call does."""

    GOOD = "use it"
    DUE = "use it and renew it in the background"
    SPENT = "renew it first"
    DEAD = "sign in again"


def stage_of(record: TokenRecord, age: float) -> Stage:
    """Say what to do with a record whose token is `age` seconds old."""
    if record.state == "dead":
        return Stage.DEAD
    life = record.expires_in
    if age >= life - min(_SPARE, 0.05 * life):
        return Stage.SPENT if record.refresh else Stage.DEAD
    if age >= _RENEW_AT * life and record.refresh:
        return Stage.DUE
    return Stage.GOOD


def age_of(
    record: TokenRecord, *, wall: float, server: float | None = None, at_most: float = math.inf
) -> float:
    """Return how many seconds old a stored token is, never below 0.

    `wall` is this machine's clock, `server` the vendor's time now where it is known, and
    `at_most` the seconds since an older generation was last seen in the store. A clock that
    was set back makes a token look new: that costs one 401, which renews it.
    """
    if server is not None and record.obtained_date_hdr is not None:
        age = server - record.obtained_date_hdr
    else:
        age = wall - record.obtained_wall
    return max(0.0, min(age, at_most))


def clocks_agree(record: TokenRecord, *, wall: float) -> bool:
    """Say whether nothing in a stored record speaks against the clocks: its writer's, or `wall`, ours."""
    date = record.obtained_date_hdr
    return record.obtained_wall <= wall + _AGREEING and (
        date is None or abs(record.obtained_wall - date) <= _AGREEING
    )


class Doubt(Struct, frozen=True):
    """Whether a renewal is believed to help against a 401. It begins with no doubt.

    A replay with a brand-new token that is refused as well shows that the token is not what is
    wrong: the account lost a right, or the path wants another login. While that stands each later
    call would cost one more renewal, so none is made for a while, twice as long each time. Renewals
    that are due by age go on.
    """

    generation: int = 0
    """The newest whose replays were judged."""
    refusals: int = 0
    """Generations in a row whose replays were refused."""
    until: float = -math.inf
    """Until when a 401 renews nothing, monotonic seconds."""

    def after(self, generation: int, *, accepted: bool, now: float) -> Doubt:
        """Return the doubt after a replay with a generation's token was accepted, or refused with 401."""
        if accepted:
            return Doubt(generation) if generation >= self.generation else self
        if generation <= self.generation:
            return self
        pause = min(_LONGEST_DOUBT, _FIRST_DOUBT * 2.0 ** min(self.refusals, 10))
        return Doubt(generation, self.refusals + 1, now + pause)

    def allows(self, now: float) -> bool:
        """Say whether a 401 is answered by a renewal."""
        return now >= self.until


def digest(secret: Secret | None) -> str:
    """Return a short name for a secret from which it cannot be found; empty for None."""
    return hashlib.sha256(secret.reveal().encode()).hexdigest()[:32] if secret else ""


# --- the record as bytes, for stores ---


class _Stored(Struct, kw_only=True):
    """The record on disk: the one form in which its secrets are plain."""

    version: int
    gen: int
    access: str
    refresh: str | None = None
    prev_refresh_hash: str = ""
    obtained_wall: float = 0.0
    obtained_date_hdr: float | None = None
    expires_in: float = ASSUMED_LIFE
    state: Literal["idle", "refreshing", "dead"] = "idle"
    since: float | None = None
    reason: str = ""


def encode_record(record: TokenRecord) -> bytes:
    """Return a record as JSON, secrets in plain: for a store to keep and for nothing else."""
    facts = {name: getattr(record, name) for name in record.__struct_fields__}
    facts["access"] = record.access.reveal()
    facts["refresh"] = record.refresh.reveal() if record.refresh else None
    return msgspec.json.format(msgspec.json.encode(_Stored(version=1, **facts)), indent=1) + b"\n"


def decode_record(data: bytes) -> TokenRecord:
    """Read what `encode_record` wrote.

    Raises:
        StoreError: It is something else, or was written by a later release.
    """
    try:
        stored = msgspec.json.decode(data, type=_Stored)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        stored = None
    if stored is None:
        # Raised out here it has no context: the decoder's message may quote what stood in the file.
        raise StoreError("A stored token record cannot be read.", hint="Remove it and sign in again.")
    if stored.version != 1 or stored.gen < 1:
        raise StoreError(
            f"A stored token record has version {stored.version} and generation {stored.gen}.",
            hint="Update this library, or remove the record and sign in again.",
        )
    facts = {name: getattr(stored, name) for name in TokenRecord.__struct_fields__}
    facts["access"] = Secret(stored.access)
    facts["refresh"] = Secret(stored.refresh) if stored.refresh else None
    return TokenRecord(**facts)


# --- requests ---


def _form(endpoint: str, fields: dict[str, str | None]) -> Request:
    body = urlencode({name: value for name, value in fields.items() if value is not None}).encode("ascii")
    headers = {
        "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
        "accept": "application/json",
    }
    return Request(method="POST", url=endpoint, headers=headers, body=body)


def exchange_request(
    endpoint: str,
    *,
    client_id: str,
    client_secret: Secret,
    redirect_uri: str,
    code: Secret,
    verifier: Secret | None,
) -> Request:
    """Build the request that trades a login's code for a token pair."""
    fields = {
        "grant_type": "authorization_code",
        "client_id": client_id,
        "client_secret": client_secret.reveal(),
        "redirect_uri": redirect_uri,
        "code": code.reveal(),
        "code_verifier": verifier.reveal() if verifier else None,
    }
    return _form(endpoint, fields)


def refresh_request(
    endpoint: str, *, client_id: str, client_secret: Secret, redirect_uri: str | None, refresh: Secret
) -> Request:
    """Build the request that trades a refresh token for a new pair.

    The vendor documents `redirect_uri` as required here too; old clients left it out and worked.
    """
    fields = {
        "grant_type": "refresh_token",
        "client_id": client_id,
        "client_secret": client_secret.reveal(),
        "redirect_uri": redirect_uri,
        "refresh_token": refresh.reveal(),
    }
    return _form(endpoint, fields)


# --- answers ---


class Granted(Struct, frozen=True, kw_only=True):
    """The server gave a token; `refresh` is None where the old one goes on."""

    access: Secret
    refresh: Secret | None
    expires_in: float
    date: float | None
    """The server's `Date`, seconds since 1970."""


class InvalidGrant(Struct, frozen=True):
    """The refresh token or the code is not, or no longer, good."""

    detail: str = ""


class Ambiguous(Struct, frozen=True):
    """Nobody knows whether the server acted; `sent` is False where it surely did not."""

    detail: str
    sent: bool = True
    wait: float = 0.0
    """Seconds for which the server asks to be left alone (`Retry-After`), 30 at most."""


class Refused(Struct, frozen=True):
    """The server would not deal with this request; the token itself was not judged."""

    detail: str


def judge_answer(response: Response) -> Granted | InvalidGrant | Ambiguous | Refused:
    """Say what an answer of the token server means. Only `access_token` is mandatory in a good one."""
    facts = _members(response.body)
    error = _word(facts.get("error"))
    granted = read_grant(facts, date=server_date(response))
    if 200 <= response.status < 300 and granted is not None:
        return granted
    if error in _GONE and response.status < 500:
        return InvalidGrant(error)
    detail = f"status {response.status}" + (f", {error}" if error else "")
    if response.status in {408, 425, 429} or response.status >= 500:
        return Ambiguous(detail, wait=_asked_wait(response))
    if 200 <= response.status < 300 and not error:
        return Ambiguous(f"{detail} without a readable token")
    return Refused(detail)


def read_grant(members: Mapping[str, Any], *, date: float | None = None) -> Granted | None:
    """Read the members of a good answer; None where there is no access token among them."""
    access, refresh = members.get("access_token"), members.get("refresh_token")
    if not isinstance(access, str) or not access:
        return None
    return Granted(
        access=Secret(access),
        refresh=Secret(refresh) if isinstance(refresh, str) and refresh else None,
        expires_in=_life(members.get("expires_in")),
        date=date,
    )


def _asked_wait(response: Response) -> float:
    """Return how long the server asks to be left alone; a date counts from the answer's own `Date`."""
    # No clock here: where the answer does not say what time it is, a date says nothing.
    asked = parse_retry_after(response.header("retry-after"), wall=math.inf, date=response.header("date"))
    return min(asked or 0.0, _LONGEST_PATIENCE)


def judge_failure(error: CrmError) -> Ambiguous:
    """Say what it means that no answer, or a broken one, arrived."""
    sent = error.sent if isinstance(error, TransportError) else True
    return Ambiguous(type(error).__name__, sent)


def _members(body: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _word(value: object) -> str:
    """Return an error code fit for a message: short, plain letters, so that it cannot carry a secret."""
    if not isinstance(value, str) or len(value) > 40:
        return ""
    return value if value.replace("_", "").replace("-", "").isalpha() and value.isascii() else ""


def _life(value: object) -> float:
    """Read `expires_in`, which comes as a number or a string; nonsense counts as not said."""
    try:
        life = float(value)  # type: ignore[arg-type]  # whatever float() takes
    except (TypeError, ValueError, OverflowError):
        return ASSUMED_LIFE
    if isinstance(value, bool) or not life > 0:
        return ASSUMED_LIFE
    return min(max(life, _SHORTEST_LIFE), _LONGEST_LIFE)


def server_date(response: Response) -> float | None:
    """Return the answer's `Date` in seconds since 1970, or None where it is missing or unreadable."""
    try:
        return parsedate_to_datetime(response.header("date") or "").timestamp()
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def first_record(granted: Granted, *, gen: int, wall: float) -> TokenRecord:
    """Return the record of a new login; `gen` must be above every generation stored before it."""
    return TokenRecord(
        gen=gen,
        access=granted.access,
        refresh=granted.refresh,
        obtained_wall=wall,
        obtained_date_hdr=granted.date,
        expires_in=granted.expires_in,
    )


def next_record(old: TokenRecord, granted: Granted, *, wall: float) -> TokenRecord:
    """Return the record that follows `old`; the refresh token stays where no new one came."""
    return TokenRecord(
        gen=old.gen + 1,
        access=granted.access,
        refresh=granted.refresh or old.refresh,
        prev_refresh_hash=digest(old.refresh),
        obtained_wall=wall,
        obtained_date_hdr=granted.date,
        expires_in=granted.expires_in,
    )


# --- the login ---


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
    return LoginRefused(f"The login failed: {_word(error) or 'unknown error'}.", hint=words)


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
