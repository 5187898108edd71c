"""Let processes race for one rotating login, and count what reached the token server.

Three races: tokens that end by age, tokens that everybody refuses at once, and the second without a
lock, where all but one are told `invalid_grant`. Before them one process alone shows how long a new
pair is in its memory only. The script exits with 1 if a count is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.aio.renewing import run_race
from tests.services import redis_server


@contextmanager
def place_of(kind: str, folder: Path) -> Iterator[dict[str, str]]:
    """Give an empty place for a login in a file or in a Redis of its own."""
    if kind == "file":
        yield {"file": str(folder / "tokens")}
        return
    with redis_server() as url:
        yield {"redis": url, "key": "race"}


def race(kind: str, **arguments: Any) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name, place_of(kind, Path(name)) as place:
        return asyncio.run(run_race(place, name, **arguments))


def say(title: str, counted: dict[str, Any], expiries: int, *, locked: bool) -> bool:
    """Print what was counted; return whether it is as promised."""
    fine = counted["alive"] and counted["state"] == "idle" and counted["generation"] == expiries + 1
    fine = fine and not (counted["deleted"] or counted["lost"])
    if locked:
        fine = fine and counted["requests"] == expiries and not (counted["refused"] or counted["failed"])
        fine = fine and not counted["different_tokens_of_one_generation"]
    windows = counted["windows"]
    print(
        f"{title}: {expiries:,} expiries, {counted['requests']:,} token requests "
        f"({counted['refused']:,} refused), {counted['deleted']} deletions, "
        f"{counted['lost']} tokens lost, {counted['failed']:,} calls failed"
        + ("" if fine else "  <- NOT AS PROMISED")
    )
    if locked and windows:
        print(
            f"  answer received to durable: p50 {1000 * windows[len(windows) // 2]:.2f} ms, "
            f"p99 {1000 * windows[int(0.99 * len(windows))]:.2f} ms, most {1000 * windows[-1]:.2f} ms"
        )
    return fine


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", choices=["file", "redis"], action="append", help="default: both")
    parser.add_argument("--processes", type=int, default=16)
    parser.add_argument("--expiries", type=int, default=100)
    parser.add_argument("--life", type=float, default=1.0, help="seconds a token lives")
    parser.add_argument(
        "--losers", type=int, default=0, help="how many `invalid_grant` to force without a lock"
    )
    parser.add_argument("--only-losers", action="store_true", help="leave the other races out")
    parser.add_argument("--alone", type=int, default=500, help="expiries of the process alone")
    options = parser.parse_args()
    fine = True
    for kind in options.store or ["file", "redis"]:
        many = {"processes": options.processes, "expiries": options.expiries}
        head = f"{kind}, {options.processes} processes"
        if not options.only_losers:
            fine &= with_lock(kind, head, options, many)
        losers = 0
        while losers < options.losers:
            counted = race(kind, **many, refusing=True, locks=False)
            losers += counted["refused"]
            fine &= say(f"{head}, without a lock", counted, options.expiries, locked=False)
        if losers:
            print(f"  {losers:,} losers in all")
    return 0 if fine else 1


def with_lock(kind: str, head: str, options: argparse.Namespace, many: dict[str, int]) -> bool:
    """Run the races that a lock decides; return whether all were as promised."""
    alone = race(kind, processes=1, expiries=options.alone, refusing=True)
    fine = say(f"{kind}, 1 process alone", alone, options.alone, locked=True)
    counted = race(kind, **many, life=options.life)
    fine &= say(f"{head}, by age", counted, options.expiries, locked=True)
    counted = race(kind, **many, refusing=True)
    return say(f"{head}, refused at once", counted, options.expiries, locked=True) and fine


if __name__ == "__main__":
    sys.exit(main())
