"""The layers: who may import whom, and that nobody depends on who came first."""

from __future__ import annotations

import ast

CHECK_CONTRACTS = """
import sys
from importlinter.cli import lint_imports

sys.exit(lint_imports(config_filename="pyproject.toml", no_cache=True))
"""
IMPORT_EACH_ALONE = """
import os, sys, traceback
import aiohttp, anyio, msgspec  # foreign weight only: nothing of ours is here before the fork

failed = 0
for name in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        try:
            __import__(name)
        except BaseException:
            print("==", name)
            traceback.print_exc(file=sys.stdout)
            sys.stdout.flush()
            os._exit(1)
        os._exit(0)
    failed += os.waitpid(child, 0)[1] != 0
sys.exit(failed != 0)
"""


def test_every_import_contract_of_pyproject_holds(run_python):
    """Layers, the homes of aiohttp and of time, and the simulator's independence are as drawn."""
    # In a process of its own: it configures logging and so silences every logger that is there.
    run_python(CHECK_CONTRACTS, warnings="default")


def test_every_module_can_be_imported_alone(modules, run_python):
    """No module leans on another one having been imported before it."""
    run_python(IMPORT_EACH_ALONE, *modules)


def test_nothing_inside_imports_the_package_root(root):
    """The root gathers names for users; inside, a name is imported from where it lives."""
    found = [
        f"{file.relative_to(root)}:{node.lineno}"
        for file in (root / "nimble_async").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom | ast.Import) and imports_root(node)
    ]
    assert found == []


def imports_root(node: ast.ImportFrom | ast.Import) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == "nimble_async"
    return any(alias.name == "nimble_async" for alias in node.names)
