"""How ActiveCampaign spells authentication, booleans, limits and errors.

Rule: the status decides. Errors come in six shapes, some of them JSON that calls itself text, some
empty, some broken: whatever can be read of one is read, and none of them is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nimble_async._sansio.dialect import Dialect, Failure
from nimble_async._sansio.outcome import general_failure
from nimble_async._version import __version__
from nimble_async.config import RateLimit
from nimble_async.errors import FieldError, Forbidden, InvalidInput, NotFound, ResponseError

__all__ = ["ACTIVECAMPAIGN", "RATE", "announcement", "read_failure"]

RATE = RateLimit(5, 1.0)
"""Five calls a second, of all keys and integrations of an account together. No burst, no daily quota."""

_POINTER = "/data/attributes/"
_LONGEST_LIMIT = 16
"""Digits of a limit that is believed to be one."""
_REFUSED = frozenset({400, 405, 409, 422})
_FORBIDDEN = (
    "This vendor answers 403 for a wrong key, for a right that is missing, for what is not in the plan, "
    "and for some records that do not exist: check the key and the base URL first."
)
_NO_DELETE = "Types of tasks cannot be deleted: disable this one with task_types.update(status='disabled')."


def announcement(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Return the headers of an answer with the reset that its limit has: the vendor counts by seconds.

    RateLimit-Limit and RateLimit-Remaining come without one. A number that remains says nothing alone.
    """
    limit = headers.get("ratelimit-limit", "")
    told = limit.isascii() and limit.isdigit() and len(limit) < _LONGEST_LIMIT and int(limit) > 0
    if not told:
        return headers
    # Nobody can have used up more of it than the one call that this answers.
    return {"ratelimit-reset": "1", "ratelimit-remaining": str(int(limit) - 1), **headers}


def read_failure(failure: Failure) -> ResponseError | None:
    """Read the error shapes that are ActiveCampaign's own; None leaves an answer to the general table."""
    if failure.status in _REFUSED:
        return _invalid(failure)
    if failure.status == 403:
        return _forbidden(failure)
    if failure.status == 404:
        return _not_found(failure)
    return None


def _invalid(failure: Failure) -> ResponseError:
    fields = tuple(_complaints(failure))
    said = "; ".join(_words(failure)) or "it does not say why"
    return InvalidInput(
        f"ActiveCampaign refuses these values ({failure.status}): {said}.",
        fields=fields,
        code=_code(failure),
        hint="The same values fail again.",
        **failure.common(),
    )


def _forbidden(failure: Failure) -> ResponseError:
    said = "; ".join(_words(failure))
    hint = f"{_NO_DELETE} {_FORBIDDEN}" if failure.kind == "task type" else _FORBIDDEN
    return Forbidden(
        "ActiveCampaign does not allow this (403)" + (f": {said}." if said else "."),
        code=_code(failure),
        hint=hint,
        **failure.common(),
    )


def _not_found(failure: Failure) -> ResponseError:
    """Say what was not found by the call: the vendor names its internal classes, such as SubscriberDeal."""
    if failure.data is None and failure.text:
        # A page in the place of JSON comes from another server than the API's.
        return NotFound(
            f"There is no such address (404): {failure.text.rstrip('.')[:80]}.",
            kind=failure.kind, id=failure.id, ids=failure.ids, hint="Check the base URL.", **failure.common(),
        )  # fmt: skip
    found = general_failure(failure)
    found.code = _code(failure)
    said = "; ".join(_words(failure))
    if said and failure.sends:
        # What was sent may name what is missing, and only the vendor's words tell what that is.
        found.message = f"{found.message.rstrip('.')}: {said}."
    return found


def _entries(failure: Failure) -> list[Any]:
    """Return what stands under `errors` as a list, whatever it came as."""
    errors = failure.member("errors")
    if isinstance(errors, list):
        return errors
    return [errors]


def _words(failure: Failure) -> Iterator[str]:
    """Give what the body says for a person, each thing once."""
    found: list[Any] = [_sentence(entry) for entry in _entries(failure)]
    found += [failure.member(name) for name in ("message", "error")]
    texts = (said.strip().rstrip(".") for said in (*found, failure.text) if isinstance(said, str))
    yield from dict.fromkeys(text for text in texts if text)


def _sentence(entry: Any) -> str:
    """Return an entry's detail behind its title, where it has both and they differ."""
    if not isinstance(entry, dict):
        return str(entry) if isinstance(entry, str | int) else ""
    texts = [entry.get(name) for name in ("title", "detail")]
    parts = dict.fromkeys(
        text.strip().rstrip(".") for text in texts if isinstance(text, str) and text.strip()
    )
    return ": ".join(parts)


def _complaints(failure: Failure) -> Iterator[FieldError]:
    """Give one complaint for each field that an entry points at; a pointer may name several."""
    for entry in _entries(failure):
        source = entry.get("source") if isinstance(entry, dict) else None
        pointer = source.get("pointer") if isinstance(source, dict) else None
        if isinstance(pointer, str):
            for place in pointer.split(","):
                field = place.strip().removeprefix(_POINTER)
                yield FieldError(field=field, message=_sentence(entry))


def _code(failure: Failure) -> int | str | None:
    for entry in _entries(failure):
        code = entry.get("code") if isinstance(entry, dict) else None
        if isinstance(code, int | str) and not isinstance(code, bool):
            return code
    return None


ACTIVECAMPAIGN = Dialect(
    name="activecampaign",
    # Each account has an address of its own, which cannot be guessed from its name.
    base_url="",
    agent=f"nimble_async/{__version__}",
    read_failure=read_failure,
    key_header="Api-Token",
    key_prefix="",
    yes="1",
    no="0",
    budget="account",
    announcement=announcement,
)
