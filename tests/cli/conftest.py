"""What the tests of the command line share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nimble_async._aio.throttle import ThrottleStatistics


@pytest.fixture
def throttle_statistics() -> Callable[..., ThrottleStatistics]:
    """Give a maker of statistics, of which only what a test names matters."""

    def make(**changes: Any) -> ThrottleStatistics:
        facts: dict[str, Any] = dict.fromkeys(ThrottleStatistics.__struct_fields__, 0)
        return ThrottleStatistics(**{**facts, "gate": None, **changes})

    return make
