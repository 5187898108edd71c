"""The system's clock and chance: the one place of the client that reads either."""

from __future__ import annotations

import asyncio
import random
import time

__all__ = ["SystemClock"]


class SystemClock:
    """Real time; its sleep belongs to the running loop."""

    monotonic = staticmethod(time.monotonic)
    wall = staticmethod(time.time)
    random = staticmethod(random.random)

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds`; 0 or less gives other tasks a turn."""
        await asyncio.sleep(max(0.0, seconds))
