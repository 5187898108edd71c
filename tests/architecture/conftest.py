"""What the architecture tests share: the repository's files, and fresh interpreters."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.canaries import refuse

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """Give the repository's folder."""
    return ROOT


@pytest.fixture(scope="session")
def modules() -> list[str]:
    """Give the dotted name of every module of the package, the command's door aside."""
    files = sorted((ROOT / "nimble_async").rglob("*.py"))
    names = (
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in files
    )
    return [name for name in names if not name.endswith(".__main__")]


@pytest.fixture(scope="session")
def run_python() -> Callable[..., str]:
    """Give a function that runs a script in a fresh interpreter and returns what it printed."""

    def run(script: str, *arguments: str, warnings: str = "error", timeout: float = 50) -> str:
        # Coverage in the child would import modules and take time of its own.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE")}
        done = subprocess.run(
            [sys.executable, "-W", warnings, "-c", script, *arguments],
            capture_output=True, text=True, timeout=timeout, cwd=ROOT, env=environment, check=False,
        )  # fmt: skip
        refuse(done.stdout, done.stderr)
        assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run
