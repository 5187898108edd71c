"""Scripted faults: which request meets which mishap.

Rule: a script is data; given the same requests and the same seed it strikes the same ones.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from typing import Literal

import msgspec
from msgspec import Struct

from nimble_async.errors import ConfigurationError

__all__ = ["Fault", "FaultScript", "Kind", "read_faults"]

Kind = Literal["reset", "slow", "truncate", "bad_gzip", "wrong_json", "status"]


class Fault(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One mishap. Without `nth`, `every` or `probability` it strikes each request it names.

    reset: the connection breaks, after `after` bytes of the answer;
    truncate: the connection ends after `after` bytes (half of the body unless told);
    slow: the body takes `seconds` to drip out; bad_gzip: the body is labelled gzip and is none;
    wrong_json: a page of HTML with status 200 (or the `body` given); status: an error of `status`.
    """

    kind: Kind
    operation: str = "*"
    """An operation's name, or `*` for any."""
    nth: int | None = None
    """Only the n-th request of that operation, counted from 1."""
    every: int | None = None
    """Each n-th request."""
    probability: float | None = None
    count: int | None = None
    """How often it strikes at most."""
    status: int = 503
    after: int | None = None
    seconds: float = 5.0
    body: str | None = None
    retry_after: int | None = None
    """Seconds in a Retry-After header, for `status`."""
    executed: bool = True
    """Whether the request took effect before the mishap."""


def read_faults(data: bytes) -> list[Fault]:
    """Read a JSON list of faults.

    Raises:
        ConfigurationError: It is no such list; the message says where.
    """
    try:
        return msgspec.json.decode(data, type=list[Fault])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The list of faults cannot be read: {error}.") from error


class FaultScript:
    """Faults, and how often each has struck."""

    def __init__(self, faults: Iterable[Fault] = (), *, seed: int = 0) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        self._chance = random.Random(f"{seed} faults")
        self._seen: Counter[int] = Counter()
        self._struck: Counter[int] = Counter()

    def pick(self, operation: str) -> Fault | None:
        """Return the fault this request meets: the first of the list that is due."""
        picked: Fault | None = None
        for place, fault in enumerate(self.faults):
            if fault.operation not in {"*", operation}:
                continue
            self._seen[place] += 1
            if picked is None and self._due(place, fault):
                self._struck[place] += 1
                picked = fault
        return picked

    def _due(self, place: int, fault: Fault) -> bool:
        if fault.count is not None and self._struck[place] >= fault.count:
            return False
        if fault.nth is not None and self._seen[place] != fault.nth:
            return False
        if fault.every is not None and self._seen[place] % fault.every:
            return False
        return fault.probability is None or self._chance.random() < fault.probability
