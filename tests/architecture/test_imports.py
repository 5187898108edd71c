"""What is imported when: light commands stay light, and the client costs little beyond what it needs."""

from __future__ import annotations

import pytest

MODULES_AFTER = "import sys; {statement}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
COMMAND = """
import contextlib, io, sys
from nimble_async.cli.app import main

sys.argv = ["nimble-async", *sys.argv[1:]]
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main()
print(*sorted({name.split(".")[0] for name in sys.modules}))
"""
CPU_OF = """
import sys, time

# As installed: compiled once, whatever the environment says about writing that down.
sys.dont_write_bytecode, sys.pycache_prefix = False, sys.argv[1]
begin = time.process_time()
{statement}
print(time.process_time() - begin)
"""


@pytest.mark.parametrize(
    "statement",
    [
        "import nimble_async",
        "import nimble_async.errors, nimble_async.config",
        "import nimble_async.nimble.catalog",
        "from nimble_async.nimble.catalog import OPERATIONS; assert OPERATIONS",
    ],
)
def test_the_root_and_the_table_import_no_aiohttp(statement, run_python):
    """Whoever only looks up names or operations does not pay for an HTTP client."""
    assert "aiohttp" not in run_python(MODULES_AFTER.format(statement=statement)).split()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["export", "--help"],
        ["operations"],
        ["operations", "--output", "json"],
        ["call", "contacts.update", "--help"],
        ["call", "deals.list", "--help", "--crm", "activecampaign"],
    ],
)
def test_commands_that_only_print_import_no_aiohttp(arguments, run_python):
    """Help and the table of operations answer at once."""
    assert "aiohttp" not in run_python(COMMAND, *arguments).split()


def test_the_root_imports_no_foreign_package(run_python):
    """`import nimble_async` alone loads nothing but the standard library and ourselves."""
    loaded = set(run_python(MODULES_AFTER.format(statement="import nimble_async")).split())
    assert loaded.isdisjoint({"aiohttp", "anyio", "msgspec", "rich", "cyclopts"})


def test_the_client_costs_little_beyond_what_it_needs(run_python, tmp_path):
    """Importing the client takes at most 1.2 times the CPU of aiohttp, msgspec and anyio, best of five."""

    def cost(statement: str) -> float:
        return float(run_python(CPU_OF.format(statement=statement), str(tmp_path)))

    needed, ours = [], []
    for _ in range(5):
        needed.append(cost("import aiohttp, msgspec, anyio"))
        ours.append(cost("from nimble_async import NimbleClient"))
    ratio = min(ours) / min(needed)
    assert ratio <= 1.2, f"{ratio:.2f}"
