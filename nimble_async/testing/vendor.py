"""What differs between the vendors that the simulator can be: the table, who answers, and the door."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from msgspec import Struct

from nimble_async._sansio.operation import Operation
from nimble_async.testing.call import Answer, Handler
from nimble_async.testing.world import World

__all__ = ["Door", "Vendor"]

Door: TypeAlias = Callable[[Mapping[str, str], Mapping[str, list[str]], Callable[..., bool]], Answer | None]
"""(headers, query, whether a word is a valid key): the refusal of a stranger, None for who may enter."""


class Vendor(Struct, frozen=True, kw_only=True):
    """One vendor as the simulator plays it."""

    crm: str
    operations: Mapping[str, Operation[Any]]
    handlers: Mapping[str, Handler]
    door: Door
    oauth: bool = True
    """Whether it has a token server and a consent page."""
    world: type[World] = World
