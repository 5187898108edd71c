"""Each trap of the vendor's API is held by tests: the table, and what the notes say."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.traps import TRAPS

ROOT = Path(__file__).parents[2]
NOTES = ROOT.parent / "shared" / "api" / "nimble" / "NOTES.md"
POINT = re.compile(r"(?:- |\d+\. |\| \d)")
NOT_TRAPS = {"0", "13"}
"""Sections about the sources and how far to trust them."""


@cache
def names_in(path: Path) -> set[str]:
    """Return the names of the test functions of a file."""
    tree = ast.parse(path.read_text("utf-8"))
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


@pytest.mark.parametrize("number", TRAPS)
def test_every_trap_is_a_test(number):
    """The tests that a trap names are there; one without a test says why."""
    trap, tests = TRAPS[number]
    missing = [one for one in tests if one.partition("::")[2] not in names_in(ROOT / one.partition("::")[0])]
    assert missing == []
    assert tests or " - " in trap


@pytest.mark.skipif(not NOTES.exists(), reason="the vendor's notes are not beside this tree")
def test_no_trap_of_the_notes_is_left_out():
    """Every point of the notes that is about the API has its number in the table, and none is invented."""
    found: list[str] = []
    section, point = "", 0
    for line in NOTES.read_text("utf-8").splitlines():
        if heading := re.match(r"## (\d+)\.", line):
            section, point = heading[1], 0
        elif POINT.match(line) and section and section not in NOT_TRAPS:
            point += 1
            found.append(f"{section}.{point}")
    assert found == list(TRAPS)
