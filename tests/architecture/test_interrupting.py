"""Tests that interrupt a process work wherever the suite itself was started from."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.interrupting import interruptible

SHOW = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"


@pytest.fixture(params=["taken", "ignored"])
def handler(request):
    """Take SIGINT as a terminal's foreground does, or ignore it as a background job does."""
    handler = signal.default_int_handler if request.param == "taken" else signal.SIG_IGN
    before = signal.signal(signal.SIGINT, handler)
    yield handler
    signal.signal(signal.SIGINT, before)


def test_a_process_that_is_to_be_interrupted_hears_it(handler):
    """What is started inside takes SIGINT, whatever this run does, which goes on as it was."""
    with interruptible():
        started = subprocess.Popen([sys.executable, "-c", SHOW], stdout=subprocess.PIPE, text=True)
    assert signal.getsignal(signal.SIGINT) is handler
    assert started.communicate(timeout=30)[0] == "True\n"


def test_no_test_interrupts_what_may_not_hear_it(request):
    """Every module of the suite that sends SIGINT starts its processes so that they take it."""
    silent = [
        path.relative_to(request.config.rootpath).as_posix()
        for path in sorted((request.config.rootpath / "tests").rglob("*.py"))
        if "signal.SIGINT" in (text := path.read_text("utf-8")) and "interruptible()" not in text
    ]
    assert silent == []
