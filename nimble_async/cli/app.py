"""The command's door: `main` runs one command line and returns its exit code.

Rule: every error ends here, as one line on stderr and an exit code. A traceback is shown only
where `NIMBLE_LOG` is `debug`.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from importlib.util import find_spec

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (`sys.argv` unless given) and return its exit code."""
    if find_spec("cyclopts") is None:
        sys.stderr.write("nimble-async: the command line is an extra. Run: pip install 'nimble-async[cli]'\n")
        return 2
    try:
        # In here, since a Ctrl-C may come while they are read.
        from nimble_async.cli.parser import run

        code = run(list(sys.argv[1:] if arguments is None else arguments))
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        _forget_stdout()
        return 1
    except BaseException as error:
        if isinstance(error, SystemExit | GeneratorExit):
            raise
        from nimble_async.cli.exits import verdict
        from nimble_async.cli.render import say

        if os.environ.get("NIMBLE_LOG", "").strip().lower() == "debug":
            traceback.print_exc()
        exit_code, line = verdict(error)
        say(f"nimble-async: {line}")
        return int(exit_code)
    return code


def _forget_stdout() -> None:
    # Whoever read stdout is gone; what is still in its buffer must not raise again at exit.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
