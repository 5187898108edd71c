"""Every secret of the suite is a canary, and nothing that the suite shows, logs or leaves behind holds one.

A canary is known by how it begins: those that tests make by `canary(...)`, and the keys, codes and
tokens of the simulator. `Watch` is a part of pytest that looks for them in what each test printed
and logged, in the log records themselves, in warnings, in tracebacks of failures, and in the files
under its `tmp_path`. A test that lets one out fails. `refuse` does the same for the output of a
process. Files that are meant to hold secrets may: those that only their owner can read (0600) and
that are a token record, a saved login or a login under way.
"""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
import stat
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

__all__ = ["CANARY", "Watch", "canary", "find", "leaks_in_files", "refuse"]

CANARY = re.compile(r"cAnArY-|sim(?:key|secret|access|refresh)_[0-9a-f]{6}|SIMCODE[0-9A-F]{6}")
_IN_BYTES = re.compile(CANARY.pattern.encode())
_MARKER = "shows_secrets(why): this test shows or leaves secrets on purpose"
_VAULTS = ({"version", "gen", "access"}, {"version", "crm", "kind"}, {"version", "verifier"})
"""Members of the files that may hold secrets."""
_UNFINISHED = re.compile(r"\..+\.[0-9a-f]{12}\.tmp")
"""The name of such a file while it is written; a killed process leaves it."""


def canary(name: str = "secret") -> str:
    """Return a new secret that is recognised wherever it turns up."""
    return f"cAnArY-{name}-{secrets.token_hex(4)}"


def find(text: str) -> str | None:
    """Return what stands around the first canary in a text, or None."""
    found = CANARY.search(text)
    return None if found is None else text[max(0, found.start() - 60) : found.end() + 10]


def refuse(*texts: str) -> None:
    """Fail where a text that anybody may read holds a canary."""
    __tracebackhide__ = True
    for text in texts:
        around = find(text)
        if around is not None:
            pytest.fail(f"A secret was shown: ...{around}...")


def leaks_in_files(folder: Path) -> list[str]:
    """Return the files below a folder that hold a canary and are not made for that."""
    return [
        f"{str(path.relative_to(folder))!a} (mode {stat.S_IMODE(path.stat().st_mode):03o})"
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and _leaks(path)
    ]


def _leaks(path: Path) -> bool:
    try:
        data = path.read_bytes()
    except OSError:
        return False
    if _IN_BYTES.search(data) is None and _IN_BYTES.search(os.fsencode(path)) is None:
        return False
    return bool(path.stat().st_mode & 0o077) or not _is_vault(path, data)


def _is_vault(path: Path, data: bytes) -> bool:
    if _UNFINISHED.fullmatch(path.name):
        return True
    try:
        members = json.loads(data)
    except ValueError:
        return False
    return isinstance(members, dict) and any(names <= members.keys() for names in _VAULTS)


class Watch:
    """The part of pytest that looks; one in each process that runs tests."""

    def __init__(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", _MARKER)
        self._listener = _Listener()
        self._warned: list[str] = []
        logging.getLogger().addHandler(self._listener)

    def pytest_unconfigure(self) -> None:
        """Listen no more."""
        logging.getLogger().removeHandler(self._listener)

    def pytest_warning_recorded(self, warning_message: Any) -> None:
        """Look at a warning: pytest tells of it when the report of its test is written, so the run fails."""
        around = find(str(warning_message.message))
        if around is not None:
            self._warned.append(f"A secret was let out, in a warning: ...{around}...")

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Let the run fail where a warning held a secret."""
        if self._warned and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say why."""
        for line in self._warned:
            terminalreporter.write_line(line, red=True)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Look at what a phase of a test printed, logged and raised; after its call, at its files."""
        report = yield
        meant = item.get_closest_marker("shows_secrets") is not None
        told = [(f"the {name}", text) for name, text in report.sections]
        if report.longrepr is not None and not report.skipped:
            told.append(("the traceback", str(report.longrepr)))
        hits = [f"{where}: ...{around}..." for where, text in told if (around := find(text)) is not None]
        hits += self._listener.drained()
        folder = getattr(item, "funcargs", {}).get("tmp_path")
        if report.when == "call" and isinstance(folder, Path):
            hits += [f"a file: {path}" for path in leaks_in_files(folder)]
        if hits and not meant:
            report.outcome = "failed"
            before = f"{report.longrepr}\n" if report.longrepr is not None else ""
            report.longrepr = f"{before}A secret was let out, in " + "\nand in ".join(hits)
        return report


class _Listener(logging.Handler):
    """Looks at each log record that reaches the root, at the values it was given too."""

    def __init__(self) -> None:
        super().__init__()
        self._hits: list[str] = []
        self.setFormatter(logging.Formatter())

    def emit(self, record: logging.LogRecord) -> None:
        self.take(f"the log of {record.name}", f"{self.format(record)} {record.__dict__!r}")

    def take(self, where: str, text: str) -> None:
        around = find(text)
        if around is not None:
            self._hits.append(f"{where}: ...{around}...")

    def drained(self) -> list[str]:
        hits, self._hits = self._hits, []
        return hits
