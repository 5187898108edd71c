"""Rendered pages of a world at rest, kept within a bound."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from nimble_async.testing.call import Answer

__all__ = ["PageCache"]


class PageCache:
    """The answers used last, up to `most` bytes of bodies; 0 keeps none."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._kept: OrderedDict[Hashable, Answer] = OrderedDict()

    def __len__(self) -> int:
        """Return how many answers are kept."""
        return len(self._kept)

    def get(self, key: Hashable) -> Answer | None:
        """Return a kept answer, or None."""
        answer = self._kept.get(key)
        if answer is not None:
            self._kept.move_to_end(key)
        return answer

    def put(self, key: Hashable, answer: Answer) -> None:
        """Keep an answer; the ones not used for longest make room."""
        if len(answer.body) > self._most:
            return
        replaced = self._kept.pop(key, None)
        self._size += len(answer.body) - (len(replaced.body) if replaced else 0)
        self._kept[key] = answer
        while self._size > self._most:
            _, dropped = self._kept.popitem(last=False)
            self._size -= len(dropped.body)

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._size = 0
