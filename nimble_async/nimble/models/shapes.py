"""Shapes that the vendor declares one way and shows in another: every one of them is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec
from msgspec import Raw

__all__ = ["one_or_more"]

T = TypeVar("T")


def one_or_more(read: Callable[[Raw], T]) -> Callable[[Raw], tuple[T, ...]]:
    """Return a reader of a list that may come as its only element: some are declared so.

    The reader raises what `read` raises, and `msgspec.DecodeError` for what is no JSON.
    """

    def read_all(data: Raw) -> tuple[T, ...]:
        rows: Sequence[Raw] = [data]
        if bytes(data).lstrip().startswith(b"["):
            rows = msgspec.json.decode(data, type=list[Raw])
        return tuple(read(row) for row in rows)

    return read_all
