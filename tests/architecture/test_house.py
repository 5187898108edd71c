"""The house: one version, pins without addresses, tests that say their rule, nothing of a workplace."""

from __future__ import annotations

import ast
import os
import re
import tomllib
from pathlib import Path

import pytest

import nimble_async

TEXT = {".cfg", ".ini", ".ipynb", ".json", ".md", ".py", ".sh", ".toml", ".txt", ".yaml", ".yml", ""}
BUILT = re.compile(r"^(\.git|\.venv.*|\..*_cache|\.cache|\.hypothesis|__pycache__|build|dist|site|htmlcov)$")
# The brackets keep a pattern from finding itself.
ADDRESSES = re.compile(
    r"index[-]url|find[-]links|[:]//[^\s/]*pypi[.]|[:]//\S+/simple\b|files[.]pythonhosted|registry[.]npmjs"
)
WORKPLACES = re.compile(r"(?<![\w./-])/(work|farm|root|opt/wheels|home/\w+)/")


@pytest.fixture(scope="module")
def texts(request) -> dict[str, str]:
    """Give the text of every file that is kept, by its path."""
    root: Path = request.config.rootpath
    found = {}
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not BUILT.match(name)]
        for name in files:
            # .git is a file in a second working tree, and says where the first one is.
            if Path(name).suffix in TEXT and name != ".git" and not name.startswith(".coverage"):
                file = Path(folder) / name
                found[file.relative_to(root).as_posix()] = file.read_text("utf-8")
    return found


@pytest.fixture(scope="module")
def project(request) -> dict:
    """Give what pyproject.toml says."""
    return tomllib.loads((request.config.rootpath / "pyproject.toml").read_text("utf-8"))


def pins(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {normal(line.split("==")[0]): line.split("==")[1] for line in lines}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_no_file_names_a_registry(texts):
    """Where packages come from is the reader's business: pins are names and versions only."""
    assert [path for path, text in texts.items() if ADDRESSES.search(text)] == []


def test_no_file_names_a_workplace(texts):
    """No path of the machine this was written on stands in the repository."""
    assert [path for path, text in texts.items() if WORKPLACES.search(text)] == []


def test_there_is_no_lock_file_with_addresses(request):
    """A lock file would record where packages were downloaded from."""
    locks = {"uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "package-lock.json", "pylock.toml"}
    assert [name for name in locks if (request.config.rootpath / name).exists()] == []


def test_pins_are_exact(texts):
    """Each line of the constraints is a name and one version."""
    lines = [line for line in texts["constraints.txt"].splitlines() if not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line)] == []


def test_the_lowest_pins_are_the_lowest_that_the_project_allows(texts, project):
    """`make test-lowest` tests what pyproject.toml promises, for the core and the command line."""
    wanted = project["project"]["dependencies"] + project["project"]["optional-dependencies"]["cli"]
    floors = {normal(re.split(r"[><=]", item)[0]): re.search(r">=([\d.]+)", item) for item in wanted}
    lowest = pins(texts["constraints-lowest.txt"])
    assert floors.keys() <= lowest.keys()
    # 5.0.0 is the first of >=5.
    assert {
        name for name, floor in floors.items() if floor is None or not lowest[name].startswith(floor[1])
    } == set()


def test_the_core_needs_three_packages(project):
    """Everything beyond aiohttp, msgspec and anyio is an extra."""
    assert [re.split(r"[><=]", item)[0] for item in project["project"]["dependencies"]] == [
        "aiohttp",
        "msgspec",
        "anyio",
    ]


def test_the_extra_all_holds_every_other_extra(project):
    """`nimble-async[all]` leaves nothing out."""
    extras = project["project"]["optional-dependencies"]
    named = re.search(r"\[(.*)\]", extras["all"][0])
    assert named is not None
    assert set(named[1].split(",")) == extras.keys() - {"all"}


def test_the_version_is_told_to_users(texts):
    """The newest entry of the changelog is this version, or is not released yet."""
    newest = re.search(r"^## \[(.+?)\]", texts["CHANGELOG.md"], re.MULTILINE)
    assert newest is not None
    assert newest[1] in {"Unreleased", nimble_async.__version__}


def test_every_test_says_its_rule(texts):
    """Each test has a docstring: the rule it holds the code to."""
    silent = [
        f"{path}: {node.name}"
        for path, text in texts.items()
        if re.search(r"(^|/)test_\w+\.py$", path) and path.startswith("tests/")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert silent == []


def test_no_test_is_skipped_because_something_is_not_written(texts):
    """A test that skips itself when a module of ours is missing cannot fail."""
    word = "importor" + "skip"
    assert [path for path, text in texts.items() if path.endswith(".py") and f'{word}("nimble' in text] == []
