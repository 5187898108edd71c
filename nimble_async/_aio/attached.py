"""The clients that share one login, and which of them renews it.

Rule: the client that was attached last, of those still open. A client is not kept alive by its
login, but for the last one: where all are closed, a renewal goes through that.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable

from msgspec import Struct

from nimble_async._aio.ports import Clock, Transport

__all__ = ["Attached", "Ports"]


class Ports(Struct, frozen=True):
    """What a renewal needs of a client."""

    transport: Transport
    clock: Clock
    base_url: str


class Attached:
    """The ports of the clients that are open. Calls come from any thread, under the owner's guard."""

    def __init__(self) -> None:
        self._last: Ports | None = None
        self._open: list[tuple[Callable[[], Transport | None], Clock, str]] = []

    def add(self, ports: Ports) -> None:
        """Let a client renew from now on."""
        self._drop(ports.transport)
        self._open.append((_weakly(ports.transport), ports.clock, ports.base_url))
        self._last = ports

    def remove(self, transport: Transport) -> None:
        """Let another open client renew, where there is one."""
        self._drop(transport)
        if self._last is None or self._last.transport is not transport:
            return
        for find, clock, base_url in reversed(self._open):
            found = find()
            if found is not None:
                self._last = Ports(found, clock, base_url)
                return

    def current(self) -> Ports | None:
        """Return the ports to renew through; None where there never was a client."""
        return self._last

    def __len__(self) -> int:
        """Return how many clients are open."""
        return sum(find() is not None for find, _, _ in self._open)

    def _drop(self, transport: Transport) -> None:
        kept = [(one, one[0]()) for one in self._open]
        self._open = [one for one, found in kept if found is not None and found is not transport]


def _weakly(transport: Transport) -> Callable[[], Transport | None]:
    try:
        return weakref.ref(transport)
    except TypeError:  # a class with slots: it is kept until it is removed
        return lambda: transport
