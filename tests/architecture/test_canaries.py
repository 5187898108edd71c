"""The canary scan itself: what it finds, and what it leaves alone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.canaries import canary, find, leaks_in_files

ROOT = Path(__file__).parents[2]
CONFTEST = """
from tests.canaries import Watch

def pytest_configure(config):
    config.pluginmanager.register(Watch(config), "canaries")
"""
LEAKS = """
import json, logging, sys
import pytest
from tests.canaries import canary

def test_print():
    print("a key:", canary())

def test_stderr():
    sys.stderr.write(canary())

def test_log():
    logging.getLogger("some.where").warning("it is %s", canary())

def test_log_extra():
    logging.getLogger("some.where").warning("it is hidden", extra={"token": canary()})

def test_log_traceback():
    try:
        raise ValueError(canary())
    except ValueError:
        logging.getLogger("some.where").exception("it broke")

@pytest.fixture
def teardown():
    yield
    print(canary())

def test_teardown(teardown):
    pass

def test_file(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "report").write_text(canary())

def test_open_record(tmp_path):
    path = tmp_path / "tokens"
    path.write_text(json.dumps({"version": 1, "gen": 1, "access": canary()}))
    path.chmod(0o644)

def test_simulated():
    print("simaccess_0123456789abcdef")
"""
WARNING = """
import warnings
from tests.canaries import canary

def test_warning():
    warnings.warn(canary(), UserWarning)
"""
HARMLESS = """
import json
import pytest
from tests.canaries import canary

def test_quiet(tmp_path):
    print("nothing")
    (tmp_path / "rows").write_text("nothing")

def test_own_record(tmp_path):
    path = tmp_path / "tokens"
    path.write_text(json.dumps({"version": 1, "gen": 1, "access": canary()}))
    path.chmod(0o600)

@pytest.mark.shows_secrets("on purpose")
def test_meant():
    print(canary())
"""


def run_pytest(folder: Path, *options: str, **modules: str) -> tuple[int, list[str]]:
    """Run pytest with the scan on some modules, and remove them; return the exit code and what it said."""
    (folder / "conftest.py").write_text(CONFTEST)
    for name, source in modules.items():
        (folder / f"{name}.py").write_text(source)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-rA", "-q", "-p", "no:cacheprovider", *options,
            "--basetemp", str(folder / "base"), str(folder),
        ],
        capture_output=True, text=True, timeout=60, check=False, cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    for left in folder.iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    return done.returncode, done.stdout.splitlines()


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_a_planted_leak_fails_the_run(workers, tmp_path):
    """Each way out that is planted is found, in workers too; what is meant to hold secrets is left alone."""
    code, lines = run_pytest(tmp_path, *workers, test_leaks=LEAKS, test_harmless=HARMLESS)
    passed = {line.split("::")[-1] for line in lines if line.startswith("PASSED")}
    failed = {line.split("::")[-1].split(" ")[0] for line in lines if re.match(r"(FAILED|ERROR) \S+::", line)}
    planted = {line[4:].split("(")[0] for line in LEAKS.splitlines() if line.startswith("def test_")}
    assert passed - {"test_teardown"} == {"test_quiet", "test_own_record", "test_meant"}
    assert failed == planted
    assert code == 1


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_a_warning_fails_the_run(workers, tmp_path):
    """A warning is told after its test's report, so the run fails in the end and says why."""
    code, lines = run_pytest(tmp_path, *workers, test_warning=WARNING)
    assert code == 1
    assert any(line.startswith("A secret was let out, in a warning") for line in lines)


def test_a_clean_run_passes(tmp_path):
    """Where nothing is let out nothing fails."""
    code, _ = run_pytest(tmp_path, test_harmless=HARMLESS)
    assert code == 0


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("cAnArY-key-0a1b", True), ("x" * 500 + "cAnArY-key-0a1b" + "x", True), ("simkey_0a1b2c3d", True),
        ("simsecret_0a1b2c3d", True), ("simrefresh_0a1b2c3d", True), ("code=SIMCODE0A1B2C3D4E", True),
        ("a canary", False), ("simkey_", False), ("", False),
    ],
)  # fmt: skip
def test_what_is_a_canary(text, found):
    """Secrets of the tests and of the simulator are known by how they begin."""
    assert (find(text) is not None) is found


@pytest.mark.parametrize(
    ("name", "data", "mode", "leaks"),
    [
        ("tokens", '{"version": 1, "gen": 1, "access": "%s"}', 0o600, False),
        ("default", '{"version": 1, "crm": "nimble", "kind": "key", "key": "%s"}', 0o600, False),
        ("default.login", '{"version": 1, "verifier": "%s"}', 0o600, False),
        (".tokens.0123456789ab.tmp", '{"version": 1, "acc%s', 0o600, False),
        ("tokens", '{"version": 1, "gen": 1, "access": "%s"}', 0o640, True),
        ("rows.jsonl", '{"id": "%s"}', 0o600, True),
        ("rows.jsonl", "%s", 0o600, True),
        ("list.json", '["%s"]', 0o600, True),
        ("default", '{"version": 1, "crm": "nimble", "kind": "key"}', 0o644, False),
    ],
)
def test_which_files_may_hold_one(name, data, mode, leaks, tmp_path):
    """Only records and saved logins may, and only where nobody else can read them."""
    path = tmp_path / name
    path.write_text(data.replace("%s", canary()))
    path.chmod(mode)
    found = leaks_in_files(tmp_path)
    path.unlink()
    assert bool(found) is leaks
