"""Kill exports over real HTTP with SIGKILL and resume them until they are done: `make kill-loop N=1000`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.jobs.killing import SETTINGS, at_rest, under_drift

_MUST_BE_ZERO = ("failed", "unproven", "wrong_hash", "left_behind", "doubled", "other_bytes", "missed")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000, help="kills in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--crm", choices=sorted(SETTINGS), default="nimble")
    options = parser.parse_args()
    setting = SETTINGS[options.crm]
    at_rest_kills = options.runs * 2 // 3
    results: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as place:
        results["at rest"] = at_rest(setting, Path(place), kills=at_rest_kills, seed=options.seed, sweep=True)
    with tempfile.TemporaryDirectory() as place:
        results["under drift"] = under_drift(
            setting, Path(place), kills=options.runs - at_rest_kills, seed=options.seed
        )
    bad = 0
    for world, counts in results.items():
        steps = counts.pop("steps", None)
        print(f"{world}: " + ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())))
        if steps:
            print(f"  durable steps of an uninterrupted export: {len(steps)}, one kill after each")
        bad += sum(counts.get(name, 0) for name in _MUST_BE_ZERO)
    kills = sum(counts["kills"] for counts in results.values())
    print(f"{kills:,} kills, {bad} broke the promise")
    return 1 if bad or kills < options.runs else 0


if __name__ == "__main__":
    sys.exit(main())
