"""Export seeded worlds that change meanwhile, and count survivors missed or doubled: `make drift N=10000`."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.jobs.drifting import KINDS, Outcome, drift_once


def _run(crm: str, seed: int) -> Outcome:
    memory = Path("/dev/shm")  # fsync costs nothing there, and a simulation needs none
    kinds = KINDS[crm]
    return drift_once(seed, kinds[seed % len(kinds)], memory if memory.is_dir() else None)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--crm", choices=sorted(KINDS), default="nimble")
    options = parser.parse_args()
    began = time.perf_counter()
    totals: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS[options.crm]}
    bad: list[Outcome] = []
    seeds = range(options.first, options.first + options.runs)
    with ProcessPoolExecutor(options.processes) as pool:
        for outcome in pool.map(partial(_run, options.crm), seeds, chunksize=20):
            counts = totals[outcome.kind]
            counts.update(
                runs=1, proven=outcome.proven, survivors=outcome.survivors, changes=outcome.changes,
                requests=outcome.certificate.requests, missed_proven=outcome.missed * outcome.proven,
                doubled=outcome.doubled, missed_unproven=outcome.missed * (not outcome.proven),
            )  # fmt: skip
            if outcome.doubled or (outcome.missed and outcome.proven):
                bad.append(outcome)
    columns = (
        "runs",
        "proven",
        "survivors",
        "changes",
        "requests",
        "missed_proven",
        "doubled",
        "missed_unproven",
    )
    print(f"{'kind':14}" + "".join(f"{column:>17}" for column in columns))
    for kind, counts in totals.items():
        print(f"{kind:14}" + "".join(f"{counts[column]:>17,}" for column in columns))
    for outcome in bad[:20]:
        print(f"seed {outcome.seed} ({outcome.kind}): {outcome.missed} missed, {outcome.doubled} doubled")
    runs = sum(counts["runs"] for counts in totals.values())
    print(f"{runs:,} exports, {len(bad)} broke the promise, {time.perf_counter() - began:.0f} s")
    return 1 if bad or runs != options.runs else 0


if __name__ == "__main__":
    sys.exit(main())
