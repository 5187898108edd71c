"""Notice when answers come slower than they used to: a server that queues what it is sent.

Each kind of call is measured against its own good times, since a search takes longer than a
record. Good times are followed quickly when answers become faster and hardly when they become
slower, so that a queue that lasts does not become the rule. Where sending fewer at once does not
help, the queue is not ours: then slowness is believed within a hundred answers.

Rule: no clock; only the seconds that a call took.
"""

from __future__ import annotations

__all__ = ["Latency"]

_NOTICEABLE = 0.1
"""Seconds of an answer under which nobody waits in a queue worth shortening."""
_FASTER, _SLOWER, _BELIEVED = 0.1, 0.0005, 0.02
"""How much of a difference one answer moves the good times; the last where nothing else helps."""
_SMOOTH = 0.1
_MOST = 4.0
"""A single answer counts as no slower than this: one call in ten that takes long by nature is no queue."""
_KINDS = 256


class Latency:
    """How slow the answers of late were, against the good times of their kind of call."""

    __slots__ = ("_usual", "slowness")

    def __init__(self) -> None:
        self._usual: dict[str, float] = {}
        self.slowness: float = 1.0
        """1: as always; 2: twice as slow."""

    def usual(self, kind: str) -> float:
        """Return the seconds that a call of this kind takes in good times; 0 where nobody knows."""
        return self._usual.get(kind, 0.0)

    def answered(self, kind: str, seconds: float, *, helpless: bool = False) -> None:
        """Take note of one answer; `helpless`: as few are sent at once as can be."""
        usual = self._usual.get(kind)
        if usual is None:
            if len(self._usual) >= _KINDS:
                del self._usual[next(iter(self._usual))]
            self._usual[kind] = usual = seconds
        else:
            weight = _FASTER if seconds < usual else _BELIEVED if helpless else _SLOWER
            self._usual[kind] = usual + weight * (seconds - usual)
        ratio = seconds / usual if seconds > _NOTICEABLE and usual > 0 else 1.0
        self.slowness += _SMOOTH * (min(ratio, _MOST) - self.slowness)
