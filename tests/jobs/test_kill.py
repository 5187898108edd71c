"""Exports that are killed with SIGKILL over real HTTP, and run again until they are done."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.timeout(300)
"""The loop runs once, inside the first of them."""


@pytest.fixture(scope="module", params=["nimble", "activecampaign"])
def counts(request):
    """Run the loop once for each vendor, in a process of its own that may fork."""
    # The steps that make an export durable are the same for both vendors; the second gets half the kills.
    kills = request.config.getoption("--kills") // (1 if request.param == "nimble" else 2)
    command = [sys.executable, "-m", "tests.jobs.killing", "--crm", request.param, "--kills", str(kills)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240 + kills, check=False)
    assert done.returncode == 0, done.stderr
    return {**json.loads(done.stdout), "asked": kills}


def test_a_killed_export_of_a_world_at_rest_makes_the_same_file(counts):
    """Killed after every durable step and at random, the file is the uninterrupted one's, byte for byte."""
    rest = counts["at_rest"]
    # A slow machine commits more often, so how many steps a run has is not the same twice.
    assert rest["kills"] >= counts["asked"] * 2 // 3
    assert rest["kills_at_steps"] > 0
    assert rest["resumed"] > 0
    assert rest["kills_between_file_and_certificate"] > 0
    wrong = {
        name: rest[name]
        for name in ("other_bytes", "failed", "unproven", "wrong_hash", "left_behind", "doubled")
    }
    assert not any(wrong.values()), wrong


def test_a_killed_export_under_drift_has_every_survivor_once(counts):
    """Whatever was killed when, who existed from the first start to the last end is there exactly once."""
    drift = counts["under_drift"]
    assert drift["kills"] >= counts["asked"] // 3
    assert drift["survivors"] > 0
    assert drift["changes"] > 0
    wrong = {
        name: drift[name] for name in ("missed", "doubled", "failed", "unproven", "wrong_hash", "left_behind")
    }
    assert not any(wrong.values()), wrong
