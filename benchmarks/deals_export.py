"""Export 20,000 simulated deals of ActiveCampaign on virtual time: is it proven, and is the rate used?

The account allows 5 requests a second and announces it, answers after 50 ms, gains and loses one deal a
second each, and has no order unless one is asked for.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.activecampaign.test_export import exported, simulator


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deals", type=int, default=20_000)
    parser.add_argument("--drift", type=float, default=1.0, help="new and deleted deals, each a second")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    print("seed  certificate  requests  429  of the rate  missed  doubled")
    bad = 0
    for seed in range(1, options.seeds + 1):
        with tempfile.TemporaryDirectory() as place:
            simulated = simulator(options.deals, seed=seed, drift=options.drift)
            ended = exported(simulated, Path(place) / "deals.jsonl")
        used = (len(ended.sent) - 1) / (5 * (ended.sent[-1] - ended.sent[0]))
        missed, doubled = len(ended.survivors - set(ended.ids)), len(ended.ids) - len(set(ended.ids))
        word = ended.certificate.completeness
        counts = f"{len(ended.sent):>9} {ended.refused:>4} {used:>12.1%} {missed:>7} {doubled:>8}"
        print(f"{seed:>4} {word:>12} {counts}")
        bad += word != "proven" or missed > 0 or doubled > 0 or ended.refused > 0
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
