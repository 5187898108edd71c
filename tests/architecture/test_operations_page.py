"""The reference of operations is made from the table, and is the table's present state."""

from __future__ import annotations

import os
import subprocess
import sys

from nimble_async.nimble.catalog import OPERATIONS


def test_the_page_is_what_the_table_says(request):
    """The page is written anew whenever an operation changes: run `scripts/operations-page`."""
    root = request.config.rootpath
    made = subprocess.run(
        [sys.executable, "scripts/operations-page", "-"], cwd=root, check=True, timeout=30,
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(root)},
    ).stdout  # fmt: skip
    assert (root / "docs" / "reference" / "operations.md").read_text("utf-8") == made


def test_the_page_names_every_operation(request):
    """Each operation stands on the page once, with its request."""
    text = (request.config.rootpath / "docs" / "reference" / "operations.md").read_text("utf-8")
    for operation in OPERATIONS.values():
        assert text.count(f"**`{operation.name}`**") == 1
        assert f"`{operation.method} {operation.path}`" in text
