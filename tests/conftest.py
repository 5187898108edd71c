"""What every folder of tests shares: two options of long runs, and a mock of aiohttp for users' sake.

The simulator's fixtures come from the plugin that the package ships (`nimble_async.testing.pytest_plugin`).
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a longer run of the same tests be asked for."""
    parser.addoption("--drift", type=int, default=1000, help="exports of a drifting account (default 1000)")
    parser.addoption("--kills", type=int, default=50, help="kills of a running export (default 50)")


@pytest.fixture
def mocked_http(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give aioresponses, which answers in the place of aiohttp's sessions."""
    import aiohttp
    import aioresponses.core

    class Answer(aiohttp.ClientResponse):
        """The answer of aiohttp 3.14, whose new argument aioresponses 0.7.9 does not pass."""

        def __init__(self, *args: Any, stream_writer: Any = None, **rest: Any) -> None:
            rest["stream_writer"] = stream_writer or SimpleNamespace(output_size=0)
            super().__init__(*args, **rest)

    if "stream_writer" in inspect.signature(aiohttp.ClientResponse.__init__).parameters:
        monkeypatch.setattr(aioresponses.core, "ClientResponse", Answer)
    with aioresponses.aioresponses() as mocked:
        yield mocked
