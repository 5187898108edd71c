"""What the tests of the command line share: a served account, and ways to run a command."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from nimble_async._aio.throttle import ThrottleStatistics
from nimble_async.cli.app import main
from nimble_async.testing import ServedSimulator, SimulateOptions
from nimble_async.testing.options import build
from tests.canaries import refuse

ROOT = Path(__file__).parents[2]


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """The last line on stderr."""
        lines = self.err.splitlines()
        return lines[-1] if lines else ""


@pytest.fixture(scope="module")
def served() -> Iterator[ServedSimulator]:
    """Serve one account at rest over real HTTP for all tests of a module."""
    with ServedSimulator(build(SimulateOptions(contacts=120, deals=30))) as served:
        yield served


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Give an environment in which nothing of this machine's is set."""
    for name in list(os.environ):
        if name.startswith(("NIMBLE_", "ACTIVECAMPAIGN_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return monkeypatch


@pytest.fixture
def account(clean: pytest.MonkeyPatch, served: ServedSimulator) -> pytest.MonkeyPatch:
    """Give an environment that holds the served account's key and address."""
    clean.setenv("NIMBLE_API_KEY", served.api_key)
    clean.setenv("NIMBLE_BASE_URL", served.base_url)
    return clean


@pytest.fixture
def run(clean: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Give a function that runs a command line in this process."""

    def run(*words: str) -> Ended:
        code = main(words)
        out, err = capfd.readouterr()
        refuse(out, err)
        return Ended(code, out, err)

    return run


@pytest.fixture
def process(clean: pytest.MonkeyPatch) -> Callable[..., Ended]:
    """Give a function that runs a command line as a process of its own."""

    def process(*words: str, shell: str = 'exec "$@"') -> Ended:
        command = ["sh", "-c", shell, "sh", sys.executable, "-m", "nimble_async", *words]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=40,
            cwd=ROOT,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if "simulate" not in words:  # it says which key opens the account that it simulates
            refuse(done.stdout, done.stderr)
        return Ended(done.returncode, done.stdout, done.stderr)

    return process


@pytest.fixture
def throttle_statistics() -> Callable[..., ThrottleStatistics]:
    """Give a maker of statistics, of which only what a test names matters."""

    def make(**changes: Any) -> ThrottleStatistics:
        facts: dict[str, Any] = dict.fromkeys(ThrottleStatistics.__struct_fields__, 0)
        return ThrottleStatistics(**{**facts, "gate": None, **changes})

    return make
