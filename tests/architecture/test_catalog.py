"""The catalogue: every operation agrees with the reduced copy of the vendor's in tests/samples."""

from __future__ import annotations

import functools
import inspect
import json
import re
import typing
from collections.abc import Callable

import msgspec
import pytest

from nimble_async._sansio.operation import Paging
from nimble_async.nimble.catalog import OPERATIONS
from nimble_async.nimble.client import NimbleClient

# A query name that is another argument here: several ids read better as `ids`.
RENAMED = {
    ("contacts.get_many", "id"): "ids",
    # The vendor's `type=1` says that whole fields are replaced.
    ("contacts.update", "type"): "replace",
}
# What our methods have beyond the vendor: where a walk begins, and what its records are read as.
OURS = {"self", "start", "view"}
STYLES: dict[str | None, set[Paging | None]] = {
    None: {None},
    "limit": {Paging.LIMIT, Paging.NEXT_PAGE, Paging.NEXT_PAGE_URL, Paging.OFFSET},
    "page/per_page": {Paging.NUMBER, Paging.NUMBER_FROM_ZERO},
}


@pytest.fixture(scope="module")
def catalogue(request):
    """Give the vendor's operations by name."""
    path = request.config.rootpath / "tests" / "samples" / "nimble_catalog.json"
    return {row["id"]: row for row in json.loads(path.read_text("utf-8"))}


def method_of(operation: str) -> Callable[..., object]:
    """Return the method that a user calls for an operation's name."""
    resource, verb = operation.split(".")
    part = inspect.getattr_static(NimbleClient, resource)
    assert isinstance(part, functools.cached_property), resource
    method: Callable[..., object] = getattr(typing.get_type_hints(part.func)["return"], verb)
    return method


def arguments_of(operation: str) -> set[str]:
    """Return what a caller can say: the arguments, and the members of those that are drafts or patches."""
    method = method_of(operation)
    names = set(inspect.signature(method).parameters)
    for kind in typing.get_type_hints(method).values():
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            names |= {field.encode_name for field in msgspec.structs.fields(kind)}
    return names


def test_the_sample_holds_the_whole_catalogue(catalogue):
    """The reduced copy has every operation that the vendor documents."""
    assert len(catalogue) == 93


def test_operations_are_filed_under_their_own_names():
    """The table's key, the operation's name and its place `resource.verb` are one."""
    assert all(key == operation.name for key, operation in OPERATIONS.items())
    assert all(re.fullmatch(r"[a-z_]+\.[a-z_]+", name) for name in OPERATIONS)


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_an_operation_is_the_catalogues(name, catalogue):
    """Method, path, ids and paging style are the vendor's."""
    operation, row = OPERATIONS[name], catalogue[name]
    assert (operation.method, operation.path) == (row["method"], row["path"])
    assert list(operation.slots) == row["ids"]
    assert operation.paging in STYLES[row["paging"]]


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_parameter_can_be_said(name, catalogue):
    """Each id, query parameter and body field of the vendor's is an argument of the method of that name."""
    said = arguments_of(name)
    wanted = {
        RENAMED.get((name, field), field) for field in catalogue[name]["query"] + catalogue[name]["body"]
    }
    wanted |= set(catalogue[name]["ids"])
    missing = {field for field in wanted if not {field, f"{field}_"} & said}
    assert not missing


@pytest.mark.parametrize("name", sorted(name for name in OPERATIONS if OPERATIONS[name].method == "GET"))
def test_no_argument_of_a_read_is_our_invention(name, catalogue):
    """A method that reads takes what the vendor takes, and where to begin."""
    row = catalogue[name]
    known = OURS | {RENAMED.get((name, field), field) for field in row["query"]} | set(row["ids"])
    arguments = inspect.signature(method_of(name)).parameters
    assert not {argument for argument in arguments if argument.rstrip("_") not in known}
