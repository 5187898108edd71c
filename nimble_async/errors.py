"""Every exception this package raises, drawn as a tree.

    CrmError                     two vendors share it, so it is not called NimbleError
      ConfigurationError         fix an argument, a variable or a file
        QueryRefused             the vendor would refuse this query; nothing was sent
        DraftRefused             the vendor would refuse these values; nothing was sent
      TransportError             no answer arrived
        ConnectionFailed         .sent says whether the request may have reached the vendor
        TimedOut
        RedirectRefused          the answer pointed to another origin
      DeadlineExceeded           the call's own deadline passed (queueing, pacing, token and retries included)
      CredentialsError           sign in again, or fix the token store
        ReauthRequired           the login is gone for good
        TokenRefreshFailed       the token server did not answer; try again later
        LoginRefused             a wrong state, a denied consent, a spent code
        StoreError               a token, budget or profile store cannot be used
      ResponseError              the vendor answered with an error: .status, .message, .code
        Unauthorized             401 after the one replay
        QuotaExceeded            402
        Forbidden                403
        NotFound                 404: .kind, .id
        ActionRefused            406: .reason
        InvalidInput             409 on Nimble: .fields
        RateLimited              429: .retry_after
        ServerError              5xx
      MalformedResponse          the answer is not what the vendor describes: .body, .path
      PagingBroken               a walk was cut short, repeated itself or ran in a loop
      CheckpointRefused          a checkpoint is unreadable, or belongs to another query
      JobError                   an export, sync or load cannot go on
        OutputExists             a finished output is in the way
        OutputFailed             the disk, the folder or the database refused
        JobBusy                  another process runs this job

The branches follow what a caller can do: fix the set-up, wait, sign in again, correct the
input, or report a bug. An exception that leaves an iteration carries `.checkpoint`, where to
go on; one that ends a call carries `.call`, what was tried and where the time went.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

__all__ = [
    "ActionRefused",
    "CallInfo",
    "CheckpointRefused",
    "ConfigurationError",
    "ConnectionFailed",
    "CredentialsError",
    "CrmError",
    "DeadlineExceeded",
    "DraftRefused",
    "FieldError",
    "Forbidden",
    "InvalidInput",
    "JobBusy",
    "JobError",
    "LoginRefused",
    "MalformedResponse",
    "NotFound",
    "OutputExists",
    "OutputFailed",
    "PagingBroken",
    "QueryRefused",
    "QuotaExceeded",
    "RateLimited",
    "ReauthRequired",
    "RedirectRefused",
    "ResponseError",
    "ServerError",
    "StoreError",
    "TimedOut",
    "TokenRefreshFailed",
    "TransportError",
    "Unauthorized",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallInfo:
    """What one call did before it ended. Times are seconds."""

    operation: str
    attempts: int = 0
    queued: float = 0.0
    throttled: float = 0.0
    token: float = 0.0
    network: float = 0.0
    decode: float = 0.0
    waited: float = 0.0
    """Seconds slept between attempts."""

    def __str__(self) -> str:
        """Name the operation, the attempts and the times that matter."""
        times = {
            "queued": self.queued,
            "throttled": self.throttled,
            "token": self.token,
            "network": self.network,
            "decode": self.decode,
            "waited": self.waited,
        }
        spent = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in times.items() if seconds >= 0.005)
        plural = "" if self.attempts == 1 else "s"
        return f"{self.operation}, {self.attempts} attempt{plural}" + (f": {spent}" if spent else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One complaint of a validation answer, with the vendor's own words."""

    field: str
    """A field's name, or a JSON-pointer-like path such as `/base_occurrence`."""
    message: str
    field_id: str | None = None


class CrmError(Exception):
    """The base of everything this package raises on purpose."""

    def __init__(self, message: str, *, hint: str = "", call: CallInfo | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        """What to do about it, in one sentence; empty where the message says it."""
        self.call = call
        self.checkpoint: Any | None = None
        """Where to go on, if an iteration ended here: pass it as `start=`."""

    def __str__(self) -> str:
        """Return the message, then what to do about it."""
        return f"{self.message} {self.hint}".rstrip()

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep every attribute when an error crosses a process border."""
        return _revive, (type(self), self.args, dict(self.__dict__))


def _revive(kind: type[CrmError], args: tuple[Any, ...], state: Mapping[str, Any]) -> CrmError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class ConfigurationError(CrmError, ValueError):
    """An argument, a variable or a file has to be changed."""


class QueryRefused(ConfigurationError):
    """The vendor would refuse this query; nothing was sent."""


class DraftRefused(ConfigurationError):
    """The vendor would refuse these values; nothing was sent."""


class TransportError(CrmError):
    """No answer arrived."""

    def __init__(
        self, message: str, *, sent: bool = True, hint: str = "", call: CallInfo | None = None
    ) -> None:
        super().__init__(message, hint=hint, call=call)
        self.sent = sent
        """Whether the request may have reached the vendor; False means it surely did not."""


class ConnectionFailed(TransportError):
    """The connection could not be made, or broke."""


class TimedOut(TransportError):
    """The vendor took longer than a timeout of the configuration allows."""


class RedirectRefused(TransportError):
    """The answer pointed to another origin, where credentials must not go."""


class DeadlineExceeded(CrmError, TimeoutError):
    """The call's own deadline passed."""


class CredentialsError(CrmError):
    """The proof of who we are is missing, refused or cannot be kept."""


class ReauthRequired(CredentialsError):
    """The login is gone for good; a person has to sign in again."""


class TokenRefreshFailed(CredentialsError):
    """The token server did not give a usable answer; the login itself may still be good."""


class LoginRefused(CredentialsError):
    """A login was answered with a wrong state, a denial or a spent code."""


class StoreError(CredentialsError):
    """A store cannot be read or written; nothing in it was changed."""


class ResponseError(CrmError):
    """The vendor answered with an error."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: int | str | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
        body: bytes = b"",
        hint: str = "",
        call: CallInfo | None = None,
    ) -> None:
        super().__init__(message, hint=hint, call=call)
        self.status = status
        self.code = code
        """The vendor's own code, where it sent one; Nimble marks it as not to be relied on."""
        self.headers: dict[str, str] = dict(headers)
        self.body = body


class Unauthorized(ResponseError):
    """The key or token was refused, also after one renewal and one replay."""


class QuotaExceeded(ResponseError):
    """The plan is used up. Never repeated: only a larger plan or fewer records helps."""


class Forbidden(ResponseError):
    """This account may not do or see that."""


class NotFound(ResponseError):
    """The id names nothing, or nothing this account may see.

    Where a call named several ids and the vendor does not say which, `kind` and `id` are empty and
    `ids` has all of them, by their kinds.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: str = "",
        id: str = "",  # noqa: A002 (the vendor's word)
        ids: Mapping[str, str] = MappingProxyType({}),
        **rest: Any,
    ) -> None:
        super().__init__(message, **rest)
        self.kind = kind
        self.id = id
        self.ids: dict[str, str] = dict(ids)


class ActionRefused(ResponseError):
    """The vendor understood and refuses; `reason` is its stable identifier where it gave one."""

    def __init__(self, message: str, *, reason: str = "", **rest: Any) -> None:
        super().__init__(message, **rest)
        self.reason = reason


class InvalidInput(ResponseError):
    """The vendor refuses the values sent. Never repeated: the same values fail again."""

    def __init__(self, message: str, *, fields: tuple[FieldError, ...] = (), **rest: Any) -> None:
        super().__init__(message, **rest)
        self.fields = fields


class RateLimited(ResponseError):
    """The vendor asks for patience: `retry_after` seconds, or None where it did not say."""

    def __init__(self, message: str, *, retry_after: float | None = None, **rest: Any) -> None:
        super().__init__(message, **rest)
        self.retry_after = retry_after


class ServerError(ResponseError):
    """The vendor failed (5xx); `retry_after` seconds where it said how long."""

    def __init__(self, message: str, *, retry_after: float | None = None, **rest: Any) -> None:
        super().__init__(message, **rest)
        self.retry_after = retry_after


class MalformedResponse(CrmError):
    """The answer is not what the vendor describes."""

    def __init__(
        self,
        message: str,
        *,
        body: bytes = b"",
        path: str = "",
        status: int = 200,
        final: bool = False,
        hint: str = "",
        call: CallInfo | None = None,
    ) -> None:
        super().__init__(message, hint=hint, call=call)
        self.body = body
        self.path = path
        """Where in the JSON the trouble is, such as `$.meta.pages`."""
        self.status = status
        self.final = final
        """Whether another attempt would surely end the same way."""


class PagingBroken(CrmError):
    """A walk over pages was cut short, repeated itself or ran in a loop."""


class CheckpointRefused(CrmError):
    """A checkpoint is unreadable, or belongs to another query. Nothing was changed."""


class JobError(CrmError):
    """An export, sync or load cannot go on; what was there is untouched."""


class OutputExists(JobError):
    """A finished output is in the way."""


class OutputFailed(JobError):
    """The disk, the folder or the database refused to take the output."""


class JobBusy(JobError):
    """Another process runs this job."""
