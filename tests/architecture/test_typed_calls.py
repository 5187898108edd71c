"""The calls that type checkers look at are all of them."""

from __future__ import annotations

import re

from nimble_async.nimble.catalog import OPERATIONS


def test_every_operation_is_seen_by_the_type_checkers(request):
    """Each method is used once where mypy and pyright say what it returns."""
    text = (request.config.rootpath / "tests" / "typing" / "operations.py").read_text("utf-8")
    used = set(re.findall(r"nimble\.(\w+\.\w+)\(", text))
    assert used == OPERATIONS.keys()
