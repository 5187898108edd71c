"""Many rows in calls of a hundred, with a word on each row.

The vendor documents no largest size; a hundred is our choice. Calls go one after another: an error
that is not about the rows ends the work, and what was not sent is said to be so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from msgspec import Struct

from nimble_async.activecampaign.models.bulk import BulkOutcome, BulkReport, BulkRow
from nimble_async.errors import (
    CrmError,
    DeadlineExceeded,
    Forbidden,
    MalformedResponse,
    RateLimited,
    ResponseError,
    ServerError,
    TransportError,
    Unauthorized,
)

__all__ = ["CHUNK", "Sent", "alike", "in_chunks"]

R = TypeVar("R")

CHUNK = 100
"""Rows in one call."""


class Sent(Struct, frozen=True):
    """What one call came to: the end of each of its rows, and what the vendor said."""

    outcomes: Sequence[BulkOutcome]
    message: str = ""


def alike(outcome: BulkOutcome, count: int) -> list[BulkOutcome]:
    """Return one end for each of `count` rows."""
    return [outcome for _ in range(count)]


async def in_chunks(
    rows: Sequence[R], send: Callable[[Sequence[R]], Awaitable[Sent]], *, id_of: Callable[[R], Any]
) -> BulkReport:
    """Send the rows a hundred at a time and return what became of each.

    Raises:
        CrmError: The first call failed for a reason that is not about its rows, and did nothing.
    """
    found: list[BulkRow] = []
    messages: list[str] = []
    first: CrmError | None = None
    going = True
    for begin in range(0, len(rows), CHUNK):
        chunk = rows[begin : begin + CHUNK]
        error: CrmError | None = None
        outcomes, said = alike("unsent", len(chunk)), ""
        if going:
            try:
                sent = await send(chunk)
            except CrmError as caught:
                outcome = _outcome_of(caught)
                if outcome == "unsent" and not found:
                    raise
                error, first = caught, first or caught
                outcomes, going = alike(outcome, len(chunk)), outcome == "failed"
            else:
                outcomes, said = list(sent.outcomes), sent.message
                messages += [sent.message] if sent.message else []
        found += [
            BulkRow(
                index=begin + place,
                id=_text(id_of(row)),
                outcome=outcome,
                error=_said(error) or (said if outcome == "unknown" else ""),
            )
            for place, (row, outcome) in enumerate(zip(chunk, outcomes, strict=True))
        ]
    return BulkReport(rows=tuple(found), messages=tuple(messages), error=first)


def _outcome_of(error: CrmError) -> BulkOutcome:
    """Say what an error means for the rows of its call: refused, perhaps done, or surely not sent."""
    if isinstance(error, Unauthorized | Forbidden | RateLimited):
        return "unsent"
    if isinstance(error, ServerError | MalformedResponse):
        return "unknown"
    if isinstance(error, ResponseError):
        return "failed"
    if isinstance(error, TransportError):
        return "unknown" if error.sent else "unsent"
    if isinstance(error, DeadlineExceeded):
        return "unknown" if error.call is not None and error.call.attempts else "unsent"
    return "unsent"


def _said(error: CrmError | None) -> str:
    return "" if error is None else error.message


def _text(id_: Any) -> str | None:
    return str(id_) if isinstance(id_, str | int) else None
