"""Who is told of a simulator's exchanges: the one that it was made with, or the one of the code around.

Rule: what is heard changes nothing. A watch that raises makes its request fail like a bug of the
simulator: over HTTP the client sees a 500.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias

from nimble_async._sansio.message import Request, Response

__all__ = ["Watch", "watch_around", "watching"]

Watch: TypeAlias = Callable[[str, Request, Response], None]
"""Told of each request that no fault struck: its operation (`unknown` without a route), it, its answer."""

_around: ContextVar[tuple[tuple[str, Watch], ...]] = ContextVar("nimble_async_watches", default=())


@contextmanager
def watching(watch: Watch, *, crm: str = "nimble") -> Iterator[None]:
    """Give `watch` to each simulator of the vendor `crm` that is made inside the block.

    It does not matter who makes them (a fixture, a command run in process, the code under test), and
    they keep it when the block ends. A simulator that is made with a watch of its own is not touched;
    of two blocks the inner one counts. A simulator that is served from a thread calls it there.

        with watching(lambda operation, request, response: seen.append(operation)):
            ...
    """
    token = _around.set((*_around.get(), (crm, watch)))
    try:
        yield
    finally:
        _around.reset(token)


def watch_around(crm: str) -> Watch | None:
    """Return the watch of the innermost block for this vendor, or None outside of any."""
    return next((watch for vendor, watch in reversed(_around.get()) if vendor == crm), None)
