"""Leave to send one request, as a context that a call enters and leaves.

Rule: whatever becomes of a call, its slot is given back exactly once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import TracebackType
from typing import Protocol, Self

from nimble_async._aio.waiting import Lane
from nimble_async._sansio.pacing import Ticket

__all__ = ["Slot"]


class _Giver(Protocol):
    """What gives slots out and takes them back: a throttle."""

    async def enter(
        self, lane: Lane, deadline: float | None, longest: float
    ) -> tuple[Ticket, float, float, float]:
        """Return a ticket, its instant, seconds queued, seconds held back."""
        ...

    def answered(
        self, ticket: Ticket, sent: float, status: int, headers: Mapping[str, str], *, lane: Lane, kind: str
    ) -> None:
        """Take a ticket back with its answer."""
        ...

    def failed(self, ticket: Ticket, sent: float, lane: Lane, *, count: bool) -> None:
        """Take a ticket back without an answer; `count` it as a failure."""
        ...


class Slot:
    """Leave to send one request. Leaving without a word counts as cancelled."""

    __slots__ = (
        "_deadline", "_giver", "_kind", "_lane", "_longest", "_sent", "_ticket", "queued", "throttled",
    )  # fmt: skip

    def __init__(
        self, giver: _Giver, lane: Lane, deadline: float | None, kind: str, longest: float = math.inf
    ) -> None:
        self._giver = giver
        self._lane: Lane = lane
        self._deadline = deadline
        self._kind = kind
        self._longest = longest
        self._ticket: Ticket | None = None
        self._sent = 0.0
        self.queued: float = 0.0
        """Seconds waited for a place in flight."""
        self.throttled: float = 0.0
        """Seconds waited for the pace or a closed gate."""

    @property
    def waited(self) -> float:
        """Seconds waited in all."""
        return self.queued + self.throttled

    async def __aenter__(self) -> Self:
        """Wait for the slot.

        Raises:
            DeadlineExceeded: It cannot come before the deadline.
            RateLimited: The server asked for a longer wait than the call allows.
        """
        self._ticket, self._sent, self.queued, self.throttled = await self._giver.enter(
            self._lane, self._deadline, self._longest
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the place back, whatever happened."""
        ticket, self._ticket = self._ticket, None
        if ticket is not None:
            self._giver.failed(ticket, self._sent, self._lane, count=False)

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """Report an answer (header names in lower case); the place is free from here on."""
        ticket, self._ticket = self._ticket, None
        if ticket is not None:
            self._giver.answered(ticket, self._sent, status, headers, lane=self._lane, kind=self._kind)

    def failed(self) -> None:
        """Report that no answer came: fewer requests will be in flight at once for a while."""
        ticket, self._ticket = self._ticket, None
        if ticket is not None:
            self._giver.failed(ticket, self._sent, self._lane, count=True)
