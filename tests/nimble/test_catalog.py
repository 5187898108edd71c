from __future__ import annotations

import subprocess
import sys

import pytest

from nimble_async._sansio.operation import Shape
from nimble_async.nimble.catalog import OPERATIONS
from nimble_async.nimble.client import NimbleClient


def test_operations_are_read_only_and_named_once():
    """The table cannot be changed, and each operation stands under its own name."""
    assert all(name == operation.name for name, operation in OPERATIONS.items())
    assert len({(operation.method, operation.path) for operation in OPERATIONS.values()}) == len(OPERATIONS)
    with pytest.raises(TypeError):
        OPERATIONS["x.y"] = OPERATIONS["users.me"]  # type: ignore[index]  # it is refused at run time too


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_operation_has_its_method(name):
    """An operation's name is the path to its method, and its facts fit one another."""
    resource, _, verb = name.partition(".")
    assert callable(getattr(getattr(NimbleClient(api_key="k"), resource), verb))
    operation = OPERATIONS[name]
    assert operation.summary.endswith(".")
    assert (operation.paging is not None) == (operation.shape in {Shape.PAGE, Shape.GROUPS})
    assert bool(operation.items) == (operation.shape not in {Shape.OBJECT, Shape.EMPTY})


def test_table_costs_no_http_client():
    """Importing the table imports no aiohttp."""
    code = "import sys, nimble_async.nimble.catalog; sys.exit('aiohttp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=20).returncode == 0
