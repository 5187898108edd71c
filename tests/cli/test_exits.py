"""Each error has one exit code and one line that says what to do."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from nimble_async import errors
from nimble_async.cli.exits import Exit, UsageError, advice, one_line, verdict
from tests.cli.conftest import ROOT

KINDS = [
    kind
    for name in errors.__all__
    if isinstance(kind := getattr(errors, name), type) and issubclass(kind, errors.CrmError)
]
USAGE = {errors.ConfigurationError, errors.DraftRefused, errors.QueryRefused}


def make(kind, **more):
    needed = {"status": 418} if issubclass(kind, errors.ResponseError) else {}
    return kind("It went wrong.", **needed, **more)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_of_the_tree_has_its_exit_code(kind):
    """What the user has to change before anything is sent is 2; every other error is 1."""
    code, line = verdict(make(kind))
    assert code == (Exit.USAGE if kind in USAGE else Exit.FAILED)
    assert line.startswith("It went wrong.")
    assert "\n" not in line


GENERAL = {errors.CrmError, errors.TransportError, errors.ResponseError, errors.JobError, *USAGE}


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind not in GENERAL], ids=lambda kind: kind.__name__
)
def test_every_special_error_says_what_to_do(kind):
    """An error that is more than a branch of the tree has advice even where it was raised without."""
    assert advice(make(kind)).endswith(".")


def test_an_error_s_own_hint_goes_before_the_general_advice():
    """The place that raises knows best what to do."""
    assert verdict(make(errors.OutputExists, hint="Burn it."))[1] == "It went wrong. Burn it."


def test_a_usage_error_is_a_configuration_error():
    """Wrong words on the command line exit like any wrong setting."""
    assert verdict(UsageError("No."))[0] == Exit.USAGE


@pytest.mark.parametrize("error", [KeyboardInterrupt(), asyncio.CancelledError()])
def test_an_interruption_is_130(error):
    """A shell sees an interruption as one."""
    code, line = verdict(error)
    assert code == 130
    assert line


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (FileNotFoundError(2, "No such file or directory", "/there"), "No such file or directory: /there."),
        (OSError(98, "Address already in use"), "Address already in use."),
        (OSError("odd"), "odd."),
    ],
)
def test_the_system_s_errors_name_the_file(error, line):
    """What the system refused is told in its words, with the file where there is one."""
    assert verdict(error) == (Exit.FAILED, line)


def test_anything_else_is_called_a_bug():
    """An error that is not of the tree is not the user's fault, and the line says how to report it."""
    code, line = verdict(RuntimeError("what\nis this"))
    assert code == Exit.FAILED
    assert line.startswith("This is a bug: RuntimeError: what is this.")
    assert "NIMBLE_LOG=debug" in line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\n  b\tc", "a b c"),
        ("red \x1b[31mletters\x07", "red [31mletters"),
        ("x" * 1000, "x" * 1000),
        ("x" * 1001, "x" * 997 + "..."),
        ("", ""),
    ],
)
def test_a_line_is_safe_for_a_terminal(text, line):
    """No line breaks, no control characters, and an end."""
    assert one_line(text) == line


CTRL_C_AT_AN_IMPORT = """
import sys
from nimble_async.cli.app import main

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            sys.meta_path.remove(self)
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupting())
sys.exit(main(["--version"]))
"""


@pytest.mark.parametrize("module", ["nimble_async.cli.parser", "nimble_async.cli.exits", "cyclopts.core"])
def test_an_interruption_while_it_starts_is_one_line(module):
    """Ctrl-C in the first instant, while modules are still read, ends like any other."""
    ended = subprocess.run(
        [sys.executable, "-c", CTRL_C_AT_AN_IMPORT, module], capture_output=True, text=True, check=False,
        timeout=60, cwd=ROOT,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (130, "")
    assert ended.stderr == "nimble-async: Interrupted. The same command starts again.\n"
