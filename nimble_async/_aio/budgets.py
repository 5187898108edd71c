"""The throttles of a process: what a server counts together is paced together.

Rule: a server counts the calls of an account and not of an object. So clients of one account share a
throttle, whether they live side by side or one after another.
"""

from __future__ import annotations

import threading
import weakref

from nimble_async._aio.clock import SystemClock
from nimble_async._aio.ports import Clock, SharedBudget
from nimble_async._aio.throttle import Terms, Throttle
from nimble_async.config import RetryPolicy

__all__ = ["PROCESS", "Budgets"]

_MOST_KEPT = 256
"""Throttles of which nobody is left that are kept until their waits are over."""


class _Keeping:
    """Puts a throttle among those that are kept, at no cost of a lock; holds it weakly itself."""

    __slots__ = ("_kept", "_throttle", "_whole")

    def __init__(self, kept: dict[object, Throttle], whole: object, throttle: Throttle) -> None:
        self._kept, self._whole = kept, whole
        self._throttle = weakref.ref(throttle)

    def __call__(self) -> None:
        """Keep it."""
        throttle = self._throttle()
        if throttle is not None:
            self._kept[self._whole] = throttle


class Budgets:
    """The throttles of a process, one for each budget: what the server counts together is paced together.

    One that no client uses any more is forgotten once its next slot and its gate have passed, so that
    clients made one after another are paced like one. At most 256 wait for that.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._throttles: weakref.WeakValueDictionary[object, Throttle] = weakref.WeakValueDictionary()
        self._kept: dict[object, Throttle] = {}

    def throttle(
        self,
        key: tuple[str, ...],
        *,
        clock: Clock,
        terms: Terms | None = None,
        retries: RetryPolicy | None = None,
        shared: SharedBudget | None = None,
    ) -> Throttle:
        """Return the throttle of one budget: the same object for the same `key`.

        The key names origin, scope (the account or credential, no secret) and bucket. Clients on
        different simulated clocks share nothing. The `terms` that a client keeps hold for all others
        while it is open: every rate, and the smallest concurrency.
        With `shared`, other processes that use the same key have a part in it.
        """
        terms = terms or Terms()
        place = None if shared is None else shared.name
        whole = (key, None if isinstance(clock, SystemClock) else clock, place)
        self._forget()
        with self._lock:
            found = self._throttles.get(whole)
            if found is None:
                found = Throttle(
                    clock,
                    rate=terms.rate,
                    concurrency=terms.concurrency,
                    retries=retries,
                    shared=shared,
                    scope="\n".join(key),
                )
                self._throttles[whole] = found
                found.keep = _Keeping(self._kept, whole, found)
            found.join(terms)
            return found

    def _forget(self) -> None:
        """Let those go whose waits are over; not under the lock, which theirs must not be taken in."""
        kept = list(self._kept.items())
        surplus = len(kept) - _MOST_KEPT
        for number, (whole, throttle) in enumerate(kept):
            if number < surplus or not throttle.waits:
                self._kept.pop(whole, None)

    def __len__(self) -> int:
        """Return how many budgets are in use, or have to wait still."""
        self._forget()
        return len(self._throttles)


PROCESS = Budgets()
"""One for every client of the process, since a server counts the calls of an account and not of an object.

It guards itself with a lock, and keeps a throttle that nobody uses no longer than that has to wait.
"""
