"""Starting processes that a test means to interrupt, also where the run itself ignores SIGINT.

A shell without job control lets what it puts into the background ignore SIGINT, and whatever that
starts inherits it: a child of such a run would not hear the Ctrl-C of its test.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["interruptible"]


@contextmanager
def interruptible() -> Iterator[None]:
    """Let the processes that are started inside take SIGINT as those that a terminal starts."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:
        yield
        return
    # A handler of ours is the system's default in a new program; it is there for a moment only.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
