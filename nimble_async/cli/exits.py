"""How a command ends: the exit codes, and the one line that an error becomes.

Rule: decisions only. Nothing here prints, and no secret is in what it returns: messages of our
own errors hold none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

from nimble_async.errors import (
    ActionRefused,
    CheckpointRefused,
    ConfigurationError,
    ConnectionFailed,
    CredentialsError,
    CrmError,
    DeadlineExceeded,
    Forbidden,
    InvalidInput,
    JobBusy,
    LoginRefused,
    MalformedResponse,
    NotFound,
    OutputExists,
    OutputFailed,
    PagingBroken,
    QuotaExceeded,
    RateLimited,
    ReauthRequired,
    RedirectRefused,
    ServerError,
    StoreError,
    TimedOut,
    TokenRefreshFailed,
    Unauthorized,
)

__all__ = ["Exit", "UsageError", "advice", "one_line", "verdict"]


class Exit(IntEnum):
    """What a shell is told."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    """An argument, a variable or a query has to be changed; nothing was done."""
    UNPROVEN = 3
    """Finished, but partial or not provably complete."""
    INTERRUPTED = 130


class UsageError(ConfigurationError):
    """The command line cannot be followed."""


_ADVICE: Mapping[type[CrmError], str] = MappingProxyType(
    {
        ActionRefused: "The vendor understood and refuses; a repeat does not help.",
        CheckpointRefused: "Start over with --restart, or give the arguments of the first run.",
        ConnectionFailed: "Check the network and --base-url; `nimble-async doctor` looks closer.",
        CredentialsError: "`nimble-async doctor` shows which credentials are used.",
        DeadlineExceeded: "Try again, or ask for less at once.",
        Forbidden: "Ask an administrator of the account.",
        InvalidInput: "Correct the values; the same ones fail again.",
        JobBusy: "Wait until the other one has ended.",
        LoginRefused: "Begin the login again.",
        MalformedResponse: "Check that --base-url is the vendor's API.",
        NotFound: "Check the id.",
        OutputExists: "Start over with --restart, or write to another file.",
        OutputFailed: "Make room or choose another place, then run the same command again.",
        PagingBroken: "Run it again; `export` is the command that heals this.",
        QuotaExceeded: "Only a larger plan or fewer records help.",
        RateLimited: "Wait, then run it again.",
        ReauthRequired: "Sign in again: `nimble-async login`; or set NIMBLE_API_KEY.",
        RedirectRefused: "Check --base-url; credentials are sent to no other address.",
        ServerError: "Try again later.",
        StoreError: "Check the token file; `nimble-async doctor` looks closer.",
        TimedOut: "Try again; `nimble-async doctor` shows whether the vendor can be reached.",
        TokenRefreshFailed: "Try again; the login itself may still be good.",
        Unauthorized: "Check NIMBLE_API_KEY (Nimble: Settings > API Token), or sign in again.",
    }
)


def advice(error: CrmError) -> str:
    """Return what to do about an error: its own hint, else the one of its kind; may be empty."""
    if error.hint:
        return error.hint
    return next((_ADVICE[kind] for kind in type(error).__mro__ if kind in _ADVICE), "")


def verdict(error: BaseException) -> tuple[Exit, str]:
    """Return the exit code of an error and the one line that says what to do."""
    if isinstance(error, KeyboardInterrupt | asyncio.CancelledError):
        return Exit.INTERRUPTED, "Interrupted. The same command starts again."
    if isinstance(error, CrmError):
        code = Exit.USAGE if isinstance(error, ConfigurationError) else Exit.FAILED
        return code, one_line(f"{error.message} {advice(error)}")
    if isinstance(error, OSError):
        what = error.strerror or str(error) or type(error).__name__
        return Exit.FAILED, one_line(f"{what}: {error.filename}." if error.filename else f"{what}.")
    what = f"This is a bug: {type(error).__name__}: {error}."
    return Exit.FAILED, one_line(f"{what} Run it again with NIMBLE_LOG=debug and report what it shows.")


def one_line(text: str) -> str:
    """Return `text` in one line that a terminal may show: no control characters, at most 1,000 letters."""
    words = " ".join(text.split())
    shown = "".join(letter for letter in words if letter.isprintable())
    return shown if len(shown) <= 1000 else shown[:997] + "..."
