"""Kill renewals with SIGKILL at each step, and let the next process go on: `make token-kills N=2000`.

The token server lets a spent refresh token be used again for `--grace` seconds. With 0 it shows
what is lost where a server gives none: the kills between the request and the durable save.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.aio.renewing import FILE_LABELS, PROTOCOL_LABELS, run_kills
from tests.services import redis_server

_AT_ONCE = 10


def campaign(
    place: Callable[[int], dict[str, Any]], labels: list[str], runs: int, grace: float
) -> tuple[Counter[str], list[str]]:
    """Kill `runs` renewals, each label as often as any other; return the counts and what was lost."""
    total, why = Counter[str](), list[str]()
    numbered = enumerate(itertools.islice(itertools.cycle(labels), runs))
    while batch := list(itertools.islice(numbered, _AT_ONCE)):
        counted = asyncio.run(
            run_kills([place(number) for number, _ in batch], [label for _, label in batch], grace=grace)
        )
        why += counted.pop("why")
        total.update(counted)
    return total, why


def places(kind: str, folder: str, stack: ExitStack) -> Callable[[int], dict[str, Any]]:
    """Return what gives the n-th place of a kind of store; a Redis runs until the stack is left."""
    if kind == "file":
        return lambda number: {"file": f"{folder}/{number}"}
    url = stack.enter_context(redis_server())
    return lambda number: {"redis": url, "key": f"kill-{number}"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", choices=["file", "redis"], action="append", help="default: both")
    parser.add_argument("--runs", type=int, default=400, help="kills for each store")
    parser.add_argument("--grace", type=float, default=5.0)
    options = parser.parse_args()
    bad = 0
    for kind in options.store or ["file", "redis"]:
        labels = FILE_LABELS + PROTOCOL_LABELS if kind == "file" else PROTOCOL_LABELS
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            total, why = campaign(places(kind, folder, stack), labels, options.runs, options.grace)
            left = [path for path in Path(folder).iterdir() if path.name.endswith(".tmp")]
        if total["late"]:
            print(f"{kind}: {total['late']} more lost, whose deaths this busy machine noticed too late")
        print(
            f"{kind}: {total['kills']:,} kills at {len(labels)} steps, {total['torn']} stores torn, "
            f"{total['lost']} logins lost, {len(left)} files left behind"
        )
        for line in why:
            print(f"  killed at {line}")
        bad += total["torn"] + (total["lost"] if options.grace >= 5 else 0)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
