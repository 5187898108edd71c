"""The references of operations are made from the tables, and are the tables' present state."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from nimble_async.cli.vendors import VENDORS, operations_of

PAGES = {"nimble": "operations.md", "activecampaign": "operations-activecampaign.md"}


def test_every_vendor_has_a_page():
    """A vendor whose operations nobody can look up is not documented."""
    assert set(PAGES) == set(VENDORS)


@pytest.mark.parametrize("crm", PAGES)
def test_the_page_is_what_the_table_says(crm, request):
    """The page is written anew whenever an operation changes: run `scripts/operations-page`."""
    root = request.config.rootpath
    made = subprocess.run(
        [sys.executable, "scripts/operations-page", "-", crm], cwd=root, check=True, timeout=30,
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(root)},
    ).stdout  # fmt: skip
    assert (root / "docs" / "reference" / PAGES[crm]).read_text("utf-8") == made


@pytest.mark.parametrize("crm", PAGES)
def test_the_page_names_every_operation(crm, request):
    """Each operation stands on its vendor's page once, with its request."""
    text = (request.config.rootpath / "docs" / "reference" / PAGES[crm]).read_text("utf-8")
    for operation in operations_of(crm).values():
        assert text.count(f"**`{operation.name}`**") == 1
        assert f"`{operation.method} {operation.path}`" in text
