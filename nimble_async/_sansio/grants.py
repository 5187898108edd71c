"""What is asked of a token server, and what its answers mean.

Rule: no answer is lost that may hold the only good pair, and none is believed that no header can
hold. Times are seconds.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from nimble_async._sansio.message import Request, Response
from nimble_async._sansio.ratelimits import parse_retry_after
from nimble_async._sansio.secret import Secret
from nimble_async._sansio.tokens import ASSUMED_LIFE, TokenRecord, digest, login_of
from nimble_async.errors import CrmError, TransportError

__all__ = [
    "Ambiguous",
    "Granted",
    "InvalidGrant",
    "Refused",
    "error_code",
    "exchange_request",
    "first_record",
    "judge_answer",
    "judge_failure",
    "next_record",
    "read_grant",
    "refresh_request",
    "server_date",
]

_LONGEST_LIFE = 366 * 86400.0
_SHORTEST_LIFE = 1.0
"""Seconds: a server that grants less would have each call renew."""
_LONGEST_PATIENCE = 30.0
"""Seconds for which a token server is left alone at most, however long it asks for."""
_LARGEST_ODD = 64 * 1024
"""Bytes of an answer that is read leniently where it is no JSON."""
_GONE = frozenset({"invalid_grant", "invalid_token"})


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
    error = error_code(facts.get("error"))
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
    """Read the members of a good answer; None where there is no usable access token among them."""
    access, refresh = _text(members.get("access_token")), _text(members.get("refresh_token"))
    if not access or not access.isascii() or not access.isprintable():  # no header can hold it
        return None
    return Granted(
        access=Secret(access),
        refresh=Secret(refresh) if refresh else None,
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
        value = _read_leniently(body)
    return value if isinstance(value, dict) else {}


def _read_leniently(body: bytes) -> Any:
    """Read what is not quite JSON, such as a name in wrong bytes: the pair beside it may be the only one."""
    try:
        text = body[:_LARGEST_ODD].decode("utf-8-sig", errors="surrogateescape")
        return json.loads(text, strict=False, parse_int=float)
    except (ValueError, RecursionError):
        return None


def _text(value: object) -> str:
    """Return a text without what stands around it; empty for what is none, or cannot be encoded."""
    text = value.strip() if isinstance(value, str) else ""
    return "" if any("\ud800" <= letter <= "\udfff" for letter in text) else text


def error_code(value: object) -> str:
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
        login=login_of(old),
        obtained_wall=wall,
        obtained_date_hdr=granted.date,
        expires_in=granted.expires_in,
    )
