"""How Nimble spells authentication, booleans, limits and errors.

Rule: the status decides. Nimble's numeric `code` is kept and never branched on: its own
description calls it legacy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nimble_async._sansio.dialect import Dialect, Failure
from nimble_async._sansio.outcome import not_found
from nimble_async._version import __version__
from nimble_async.errors import (
    ActionRefused,
    FieldError,
    InvalidInput,
    QuotaExceeded,
    ResponseError,
)

__all__ = ["NIMBLE", "read_failure"]


def read_failure(failure: Failure) -> ResponseError | None:
    """Read the error shapes that are Nimble's own; None leaves the answer to the general table."""
    reader = {402: _quota, 404: _not_found, 406: _refused, 409: _invalid}.get(failure.status)
    return None if reader is None else reader(failure)


def _code(failure: Failure) -> int | str | None:
    code = failure.member("code")
    return code if isinstance(code, int | str) and not isinstance(code, bool) else None


def _text(value: Any) -> str:
    """Return a message without its last full stop, or nothing where it is no text."""
    return value.strip().rstrip(".") if isinstance(value, str) else ""


def _quota(failure: Failure) -> ResponseError:
    """Read `{message, code}` or `{payment_type, extra_usage, required_spec}`."""
    said = _text(failure.member("message")) or _text(failure.member("payment_type")) or failure.text
    return QuotaExceeded(
        "The plan of this account is used up" + (f": {said}." if said else "."),
        code=_code(failure),
        hint="A repeat does not help: delete records or enlarge the plan.",
        **failure.common(),
    )


def _not_found(failure: Failure) -> ResponseError:
    """Read `{object_id, object_type}`; some routes send no body, so the call fills in."""
    found = not_found(
        failure, kind=_text(failure.member("object_type")), id=_text(failure.member("object_id"))
    )
    found.code = _code(failure)
    return found


def _refused(failure: Failure) -> ResponseError:
    """Read `{message, type}`, `{message, error_type}` or `{errors: [{message, type, total}]}`."""
    first: Any = failure.data
    errors = failure.member("errors")
    if isinstance(errors, list) and errors:
        first = errors[0]
    first = first if isinstance(first, dict) else {}
    reason = _text(first.get("type")) or _text(first.get("error_type"))
    said = _text(first.get("message")) or reason or failure.text
    return ActionRefused(
        "Nimble refuses this action" + (f": {said}." if said else "."),
        reason=reason,
        code=_code(failure),
        **failure.common(),
    )


def _invalid(failure: Failure) -> ResponseError:
    """Read `{message, code, errors}`, where a field has a list of complaints and a path has one."""
    fields = tuple(_complaints(failure.member("errors")))
    said = _text(failure.member("message")) or _text(failure.member("human_readable_error")) or failure.text
    named = (f"{field.field}: {_text(field.message)}" for field in fields[:5])
    listed = "; ".join(text for text in named if text not in said)  # the message may name them already
    parts = [part for part in (said, listed) if part]
    return InvalidInput(
        "Nimble refuses these values" + (f": {': '.join(parts)}." if parts else "."),
        fields=fields,
        code=_code(failure),
        hint="Correct the fields named; the same values fail again."
        if fields
        else "The same values fail again.",
        **failure.common(),
    )


def _complaints(errors: Any) -> Iterator[FieldError]:
    if not isinstance(errors, dict):
        return
    for field, found in errors.items():
        for complaint in found if isinstance(found, list) else [found]:
            if isinstance(complaint, dict):
                field_id = complaint.get("field_id")
                yield FieldError(
                    field=field,
                    message=str(complaint.get("message", "")),
                    field_id=field_id if isinstance(field_id, str) else None,
                )
            else:
                yield FieldError(field=field, message=str(complaint))


NIMBLE = Dialect(
    name="nimble",
    base_url="https://app.nimble.com",
    agent=f"nimble_async/{__version__}",
    read_failure=read_failure,
    # Keys and tokens alike go as a bearer: every text of the vendor says so, although its
    # machine-readable description names a header of its own. Never into the query: it ends in logs.
    key_header="Authorization",
    key_prefix="Bearer ",
    # The vendor's present description declares booleans; its old one wrote 1 and 0.
    yes="true",
    no="false",
    # Limits are not published. A key belongs to one user of an account, and so does a token.
    budget="credential",
    authorize_path="/oauth/authorize",
    token_path="/api/oauth/token",
)
