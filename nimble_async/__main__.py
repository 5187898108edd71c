"""`python -m nimble_async`, the same as the command `nimble-async`."""

from __future__ import annotations

import sys

from nimble_async.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
