"""What an editor shows of a method: what it does, what each argument is, and what can go wrong."""

from __future__ import annotations

import inspect

import pytest

from nimble_async.cli.explain import remarks_of
from nimble_async.cli.vendors import method_of, resources_of
from nimble_async.nimble.catalog import OPERATIONS

METHODS = {name: method_of(operation) for name, operation in OPERATIONS.items()} | {
    f"contacts.{name}": getattr(resources_of("nimble")["contacts"], name)
    for name in ("find", "find_or_create")
}


@pytest.mark.parametrize("name", METHODS)
def test_every_method_explains_itself(name):
    """Each argument has a sentence of its own, each method that takes one says what it raises."""
    method = METHODS[name]
    text = inspect.getdoc(method) or ""
    takes = [one for one in inspect.signature(method).parameters if one != "self"]
    assert text.splitlines()[0].endswith(".")
    assert [one for one in takes if one not in remarks_of(text)] == []
    assert "Raises:" in text or not takes


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_method_names_the_vendors_address(name):
    """Whoever compares with the vendor's page finds the method and the path."""
    operation = OPERATIONS[name]
    assert f"`{operation.method} {operation.path}`" in (inspect.getdoc(METHODS[name]) or "")


@pytest.mark.parametrize("name", [name for name in METHODS if name.startswith("contacts.")])
def test_searches_are_told_of_where_they_are_taken(name):
    """Who hovers a method that takes a search sees how one is written."""
    text = inspect.getdoc(METHODS[name]) or ""
    assert "`Q" in text or "query" not in inspect.signature(METHODS[name]).parameters
