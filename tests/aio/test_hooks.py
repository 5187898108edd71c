"""Event records, hooks, and the log that NIMBLE_LOG asks for."""

from __future__ import annotations

import logging
import os
import subprocess
import sys

import pytest

from nimble_async._aio.hooks import CallEnded, Hooks, PageRead, log_to_stderr, logger
from nimble_async.errors import CallInfo
from nimble_async.testing.server import ServedSimulator

PROGRAM = """
import asyncio, sys
from nimble_async.nimble.client import NimbleClient

async def main():
    for _ in range(2):
        async with NimbleClient(api_key=sys.argv[2], base_url=sys.argv[1]) as nimble:
            await nimble.users.me()

asyncio.run(main())
"""


def test_nobody_listening_is_known():
    """Records are only built where a hook or the log wants them."""
    assert not Hooks().listening
    assert Hooks((print,)).listening


def test_every_hook_gets_every_record():
    """Hooks are called in order with the same frozen value."""
    seen: list[object] = []
    event = PageRead(operation="contacts.list", rows=3)
    Hooks((seen.append, seen.append)).emit(event)
    assert seen == [event, event]


def test_a_hook_that_raises_hinders_no_other(caplog: pytest.LogCaptureFixture):
    """The error is logged, the next hook is called."""
    seen: list[object] = []

    def bad(event: object) -> None:
        raise LookupError("boom")

    Hooks((bad, seen.append)).emit(PageRead(operation="contacts.list", rows=3))
    assert len(seen) == 1
    assert "A hook raised" in caplog.text


def test_the_log_carries_the_record(caplog: pytest.LogCaptureFixture):
    """A log line has the event as an attribute, for handlers that want its members."""
    caplog.set_level(logging.DEBUG, logger="nimble_async")
    info = CallInfo(operation="users.me")
    event = CallEnded(operation="users.me", attempts=1, error=None, began=0.0, seconds=0.1, info=info)
    Hooks().emit(event)
    assert caplog.records[0].event is event  # type: ignore[attr-defined]  # an extra of the record


@pytest.mark.parametrize(("level", "lines"), [("debug", 4), ("DEBUG ", 4), ("info", 0), ("", 0), ("loud", 0)])
def test_nimble_log_writes_to_stderr_once(level: str, lines: int, nimble_simulator: ServedSimulator):
    """`debug` shows every record once, however many clients are built; the key is in none."""
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, nimble_simulator.base_url, nimble_simulator.api_key],
        capture_output=True, text=True, timeout=30, check=True, env={**os.environ, "NIMBLE_LOG": level},
    )  # fmt: skip
    told = ended.stderr.splitlines()
    assert len(told) == lines
    assert sum("CallEnded(operation='users.me', attempts=1" in line for line in told) == lines // 2
    assert nimble_simulator.api_key not in ended.stderr


def test_an_unset_variable_touches_no_logging(monkeypatch: pytest.MonkeyPatch):
    """Without NIMBLE_LOG the logger keeps its one silent handler."""
    monkeypatch.delenv("NIMBLE_LOG", raising=False)
    before = list(logger.handlers)
    log_to_stderr()
    assert logger.handlers == before
