"""Token pairs: how old they are, what follows from that, and how a store keeps them.

Rule: nothing here waits, reads a clock or draws a random number. Ages are arguments;
`_aio.credentials` does what is decided here. Times are seconds.

How old a token is must not depend on one machine's wall clock. A process that got the token
itself counts on its monotonic clock; one that read it from a store compares the server's own
`Date` then and now where it has heard one, and its wall clock otherwise (`age_of`).
"""

from __future__ import annotations

import hashlib
import math
from enum import Enum
from typing import Literal

import msgspec
from msgspec import Struct

from nimble_async._sansio.secret import Secret
from nimble_async.errors import StoreError

__all__ = [
    "ASSUMED_LIFE",
    "Doubt",
    "Stage",
    "TokenRecord",
    "age_of",
    "clocks_agree",
    "decode_record",
    "digest",
    "encode_record",
    "follows",
    "login_of",
    "stage_of",
]

ASSUMED_LIFE = 600.0
"""Seconds a token is believed to live where nobody says: the vendor's ten minutes."""
_RENEW_AT = 0.8
_SPARE = 5.0
"""Seconds before its end from which on a token is no longer sent: it would expire on the way."""
_AGREEING = 5.0
_FIRST_DOUBT = 10.0
_LONGEST_DOUBT = 120.0


class TokenRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a store keeps: one token pair and where it stands. The first generation is 1."""

    gen: int
    access: Secret
    refresh: Secret | None = None
    """None: it cannot be renewed; when it is spent a person signs in again."""
    prev_refresh_hash: str = ""
    """`digest` of the refresh token before this one."""
    login: str = ""
    """`digest` of the refresh token its login began with; empty in the first record of a login."""
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


def follows(record: TokenRecord, stored: TokenRecord) -> bool:
    """Say whether `record` was got from the login of `stored`, after it: then a store has lost it."""
    return record.gen > stored.gen and login_of(record) == login_of(stored)


def login_of(record: TokenRecord) -> str:
    """Return a name for the login that a record is of: the same in each generation of it."""
    return record.login or digest(record.refresh or record.access)


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
    login: str = ""
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
