"""The store that forgets with its process. It lives below, since `OAuth` uses it where none is given."""

from __future__ import annotations

from nimble_async._aio.memory import MemoryStore

__all__ = ["MemoryStore"]
