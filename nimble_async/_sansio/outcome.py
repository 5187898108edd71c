"""Say what an answer turned out to be: a success, or which error.

Rule: the status decides, never the vendor's code or words. The vendor's own shapes are read by
its dialect; what it leaves is read by the general table here. Nothing here repeats a call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from nimble_async._sansio.dialect import Dialect, Failure
from nimble_async._sansio.message import Response
from nimble_async._sansio.operation import Operation
from nimble_async._sansio.ratelimits import parse_retry_after
from nimble_async.errors import (
    Forbidden,
    NotFound,
    QuotaExceeded,
    RateLimited,
    ResponseError,
    ServerError,
    Unauthorized,
)

__all__ = ["failure_of", "general_failure", "not_found"]

_SHOWN = 300
"""Characters of a body that is no JSON that a message shows."""


def failure_of(
    operation: Operation[Any], response: Response, *, ids: Mapping[str, str], dialect: Dialect, now: float
) -> ResponseError | None:
    """Return the error that `response` stands for, or None for a success (any 2xx).

    `now` is the wall clock in seconds since 1970, for a Retry-After that names a date of a server
    that sends no `Date` of its own.
    """
    if 200 <= response.status < 300:
        return None
    data = _json(response.body)
    failure = Failure(
        status=response.status,
        headers=response.headers,
        body=response.body,
        data=data,
        text="" if data is not None else " ".join(response.body.decode("utf-8", "replace").split())[:_SHOWN],
        kind=_kind(operation),
        ids={_words_of(name): ids[name] for name in operation.slots if name in ids},
        sends=operation.method not in {"GET", "HEAD", "DELETE"},
        retry_after=parse_retry_after(
            response.headers.get("retry-after"), wall=now, date=response.headers.get("date")
        ),
    )
    return dialect.read_failure(failure) or general_failure(failure)


_BY_STATUS: Mapping[int, tuple[type[ResponseError], str, str]] = {
    401: (Unauthorized, "The key or token was refused (401)", "Check the key, or sign in again."),
    402: (QuotaExceeded, "The plan is used up (402)", "A repeat does not help."),
    403: (Forbidden, "This account may not do that (403)", "Ask an administrator of the account."),
}


def general_failure(failure: Failure) -> ResponseError:
    """Return the error of an answer by its status alone, with whatever message it carries."""
    status, common, said = failure.status, failure.common(), _words(failure)
    if status in _BY_STATUS:
        kind, what, hint = _BY_STATUS[status]
        return kind(f"{what}{said}.", hint=hint, **common)
    if status == 404:
        return not_found(failure)
    if status == 429:
        return RateLimited(
            f"The vendor refuses for rate (429){said}.", retry_after=failure.retry_after,
            hint="Declare a lower rate=, or wait.", **common,
        )  # fmt: skip
    if status >= 500:
        return ServerError(f"The vendor failed ({status}){said}.", retry_after=failure.retry_after, **common)
    return ResponseError(f"The vendor answered {status}{said}.", **common)


def not_found(failure: Failure, *, kind: str = "", id: str = "") -> NotFound:  # noqa: A002 (the vendor's word)
    """Return the error of a 404: what the body told of (`kind` and `id`), else what the call's path names.

    Of several ids in a path none is blamed alone, as any of them may be the one.
    """
    ids = dict(failure.ids)
    if id or kind in ids:
        ids = {kind or failure.kind: id or ids[kind]}
    if len(ids) == 1:
        ((only, id),) = ids.items()  # noqa: A001 (as above)
        kind = kind or only
        ids = {kind: id}
    hint = ""
    if ids:
        named = ", or no ".join(f"{name} {value!r}" for name, value in ids.items())
        what = f"There is no {named}, or this account may not see {'it' if id else 'one of them'}."
    elif failure.sends:
        what = "Something that this call names was not found (404)."
        hint = "Check the ids in the values that were sent, and the base URL."
    else:
        what, hint = "There is nothing at this address (404).", "Check the path and the base URL."
    kind = kind or ("" if ids or failure.sends else failure.kind)
    return NotFound(what, kind=kind, id=id, ids=ids, hint=hint, **failure.common())


def _kind(operation: Operation[Any]) -> str:
    """`contact` for a path that ends in `{contact_id}`, else the resource's name in the singular."""
    slots = operation.slots
    return _words_of(slots[-1] if slots else _singular(operation.name.partition(".")[0]))


def _words_of(slot: str) -> str:
    return slot.removesuffix("_id").replace("_", " ")


def _singular(name: str) -> str:
    return f"{name.removesuffix('ies')}y" if name.endswith("ies") else name.removesuffix("s")


def _json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _words(failure: Failure) -> str:
    """What the body says for a person, after a colon; empty where it says nothing."""
    for name in ("message", "error_description", "error", "Error"):
        value = failure.member(name)
        if isinstance(value, str) and value.strip():
            return f": {value.strip().rstrip('.')}"
    return f": {failure.text.rstrip('.')}" if failure.text else ""
