"""The public names: what a module exports is what it says it exports."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from types import ModuleType

import pytest
from msgspec import Struct

import nimble_async
import nimble_async.nimble
from nimble_async import activecampaign


def is_public(module: str) -> bool:
    return not any(part.startswith("_") for part in module.split("."))


def names_defined(source: str) -> set[str]:
    """Return the names a module makes itself, type variables aside; imports are not its own."""
    found: set[str] = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign) and not is_type_variable(node.value):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return {name for name in found if not name.startswith("_")}


def is_type_variable(value: ast.expr) -> bool:
    return (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Name)
        and value.func.id in {"TypeVar", "ParamSpec"}
    )


def test_every_module_says_what_it_exports(modules):
    """Each module that defines a public name has an `__all__`, and each name in it exists."""
    for name in modules:
        module = importlib.import_module(name)
        exported = getattr(module, "__all__", None)
        if exported is None:
            assert not names_defined(Path(str(module.__file__)).read_text("utf-8")), f"{name} has no __all__"
            continue
        assert len(set(exported)) == len(exported), f"{name} names something twice"
        missing = [item for item in exported if not hasattr(module, item)]
        assert not missing, f"{name} exports what it does not have: {missing}"


def test_a_public_module_exports_what_it_defines(modules):
    """In a module without an underscore in its path, whatever has none itself is in `__all__`."""
    wrong = {}
    for name in filter(is_public, modules):
        module = importlib.import_module(name)
        own = names_defined(Path(str(module.__file__)).read_text("utf-8"))
        if hidden := own - set(getattr(module, "__all__", ())):
            wrong[name] = sorted(hidden)
    assert wrong == {}


def imported_for_type_checkers(package: ModuleType) -> set[str]:
    """Return the names that a lazy package imports where only type checkers look."""
    tree = ast.parse(Path(str(package.__file__)).read_text("utf-8"))
    checked = [
        node for node in tree.body if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    ]
    return {
        alias.asname or alias.name
        for block in checked
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


@pytest.mark.parametrize(
    ("package", "own"),
    [(nimble_async, {"__version__"}), (nimble_async.nimble, set()), (activecampaign, set())],
)
def test_lazy_packages_export_the_same_to_people_and_to_type_checkers(package, own):
    """What `__getattr__` finds, what is imported for type checkers and `__all__` are one list."""
    typed = imported_for_type_checkers(package)
    assert typed | own == set(package.__all__) == set(dir(package))
    assert all(getattr(package, name) is not None for name in package.__all__)
    assert package.__all__ == sorted(package.__all__)


def test_every_model_of_nimble_has_a_short_home(modules):
    """What methods answer and take can be imported from `nimble_async.nimble`, whichever module it is in."""
    hidden = set()
    for name in modules:
        if name.startswith("nimble_async.nimble.models."):
            module = importlib.import_module(name)
            values = {item: getattr(module, item) for item in getattr(module, "__all__", ())}
            hidden |= {
                item
                for item, value in values.items()
                if isinstance(value, type) and issubclass(value, Struct)
            } - set(nimble_async.nimble.__all__)
    # `contact_tags.set` makes a `Contact` of it.
    assert hidden == {"TaggedContact"}


def test_an_unknown_name_of_the_root_is_an_attribute_error():
    """A misspelled import fails like one of any other package."""
    assert not hasattr(nimble_async, "NimbleKlient")


def test_every_public_class_and_function_is_described(modules):
    """Each name in an `__all__` that is a class or a function of ours has a docstring of its own."""
    silent = []
    for name in modules:
        module = importlib.import_module(name)
        for item in getattr(module, "__all__", ()):
            value = getattr(module, item)
            if isinstance(value, type) or callable(value):
                home = getattr(value, "__module__", "")
                if home == name and not (value.__doc__ or "").strip():
                    silent.append(f"{name}.{item}")
    assert silent == []
