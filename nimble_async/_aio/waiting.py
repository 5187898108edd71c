"""One call that waits for its turn, and how it is woken.

Rule: a waiter belongs to the loop that it was made on; others wake it through `resolve` only.
"""

from __future__ import annotations

import asyncio
import math
from typing import Literal

from nimble_async._sansio.pacing import Ticket

__all__ = ["Lane", "Waiter", "resolve"]

Lane = Literal["interactive", "bulk"]


class Waiter:
    """One waiting call: its loop, the future that wakes it, and what it was given."""

    __slots__ = ("deadline", "future", "lane", "longest", "loop", "ticket", "wake_at")

    def __init__(self, lane: Lane, deadline: float | None, longest: float = math.inf) -> None:
        self.lane: Lane = lane
        self.longest = longest
        self.deadline = deadline
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[None] = self.loop.create_future()
        self.ticket: Ticket | None = None
        self.wake_at = 0.0
        """When to look again, while this waiter keeps the time for all."""


def resolve(future: asyncio.Future[None]) -> None:
    """Wake a waiter, unless it is awake."""
    if not future.done():
        future.set_result(None)
