"""What the tests of signing in share: a simulated account to sign in to, a terminal, and a browser."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nimble_async.cli.app import main
from nimble_async.testing import ServedSimulator, SimulateOptions
from nimble_async.testing.options import build
from tests.canaries import refuse
from tests.interrupting import interruptible
from tests.login.browser import Browser, connected, running_chromium
from tests.services import Missing, required

ROOT = Path(__file__).parents[2]
Serve = Callable[..., ServedSimulator]


@pytest.fixture
def redirect_uri() -> str:
    """Give a redirect address on this machine whose port is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/callback"


@pytest.fixture
def serve(redirect_uri: str) -> Iterator[Serve]:
    """Give a function that serves one small account with the redirect address registered."""
    open_ones: list[ServedSimulator] = []

    def serve(**options: Any) -> ServedSimulator:
        asked = SimulateOptions(contacts=3, deals=2, **{"redirect_uri": redirect_uri, **options})
        served = ServedSimulator(build(asked)).__enter__()
        open_ones.append(served)
        return served

    yield serve
    for served in open_ones:
        served.__exit__(None, None, None)


class Running:
    """A command that runs as a process of its own."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.told = ""

    async def address(self) -> str:
        """Return the address at which it wants the person to sign in."""
        return await self.line("http")

    async def line(self, beginning: str) -> str:
        """Read what it tells until a line begins so; return that line."""
        assert self.process.stderr is not None
        while line := (await asyncio.wait_for(self.process.stderr.readline(), 20)).decode():
            self.told += line
            if line.startswith(beginning):
                return line.strip()
        raise AssertionError(f"no line began with {beginning!r}: {self.told}")

    async def end(self, typed: bytes | None = None) -> tuple[int, str, str]:
        """Wait for its end; return its exit code, and all it wrote to stdout and stderr."""
        out, told = await asyncio.wait_for(self.process.communicate(typed), 30)
        assert self.process.returncode is not None
        refuse(out.decode(), self.told, told.decode())
        return self.process.returncode, out.decode(), self.told + told.decode()

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.process.send_signal(signal.SIGINT)


Start = Callable[..., Awaitable[Running]]


@pytest.fixture
async def start(tmp_path: Path, redirect_uri: str) -> AsyncIterator[Start]:
    """Give a function that starts a command line, with or without what an account's application needs."""
    running: list[Running] = []

    async def start(
        *words: str, served: ServedSimulator | None = None, application: bool = True, **environment: str
    ) -> Running:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("NIMBLE_", "ACTIVECAMPAIGN_", "BROWSER", "DISPLAY"))
        }
        homes = {
            "HOME": str(tmp_path),
            "XDG_DATA_HOME": str(tmp_path / "data"),
            "XDG_STATE_HOME": str(tmp_path / "state"),
        }
        if served is not None:
            environment = {"NIMBLE_BASE_URL": served.base_url, **environment}
            if application:
                environment = {
                    "NIMBLE_CLIENT_ID": served.simulator.oauth.client_id,
                    "NIMBLE_CLIENT_SECRET": served.simulator.oauth.client_secret,
                    "NIMBLE_REDIRECT_URI": redirect_uri,
                    **environment,
                }
        with interruptible():
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "nimble_async", *words, cwd=ROOT, env={**kept, **homes, **environment},
                stdin=PIPE, stdout=PIPE, stderr=PIPE,
            )  # fmt: skip
        running.append(Running(process))
        return running[-1]

    yield start
    for one in running:
        if one.process.returncode is None:
            one.process.kill()
            await one.process.communicate()


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Give a function that runs a command line in this process, with what is typed into its stdin."""
    for name in list(os.environ):
        if name.startswith(("NIMBLE_", "ACTIVECAMPAIGN_")):
            monkeypatch.delenv(name)
    for name in ("DATA", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))

    def run(*words: str, typed: str = "", **environment: str) -> tuple[int, str, str]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdin", io.StringIO(typed))
            for name, value in environment.items():
                patch.setenv(name, value)
            code = main(words)
        out, told = capfd.readouterr()
        refuse(out, told)
        return code, out, told

    return run


@pytest.fixture
def profile_file(tmp_path: Path) -> Path:
    """Give the file of the profile `default`."""
    return tmp_path / "data" / "nimble-async" / "profiles" / "nimble" / "default"


@pytest.fixture(scope="session")
def chromium() -> Iterator[str]:
    """Run one Chromium for the whole session; without one, say so, or fail where it has to be there."""
    running = running_chromium()
    try:
        address = running.__enter__()
    except Missing as missing:
        if required():
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    yield address
    running.__exit__(None, None, None)


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """Give a window that knows nothing of others."""
    async with connected(chromium) as browser:
        yield browser
