"""`fields types`: a typed view of a simulated account, over real HTTP."""

from __future__ import annotations

import ast

import pytest

from nimble_async.cli.app import main


@pytest.fixture
def account(nimble_simulator, monkeypatch):
    """Name a simulated account to the command line."""
    monkeypatch.setenv("NIMBLE_BASE_URL", nimble_simulator.base_url)
    monkeypatch.setenv("NIMBLE_API_KEY", nimble_simulator.api_key)
    return nimble_simulator


@pytest.fixture
def here(account, tmp_path, monkeypatch):
    """Stand in an empty folder, beside the account."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fields_of(text: str, view: str) -> set[str]:
    [found] = [node for node in ast.parse(text).body if isinstance(node, ast.ClassDef) and node.name == view]
    return {node.target.id for node in found.body if isinstance(node, ast.AnnAssign)}  # type: ignore[union-attr]


def test_a_view_is_written_to_a_file(account, tmp_path, capsys):
    """The file is a module with a class of the account's fields, and stdout stays empty."""
    path = tmp_path / "ours.py"
    path.write_text("old")
    assert main(["fields", "types", "--out", str(path), "--view", "Ours"]) == 0
    assert {"lead_status", "birthday"} <= fields_of(path.read_text("utf-8"), "Ours")
    assert list(tmp_path.iterdir()) == [path]
    said = capsys.readouterr()
    assert said.out == ""
    assert "from ours import Ours" in said.err


def test_a_view_goes_to_stdout(account, capsys):
    """Without a file the module is data, on stdout."""
    assert main(["fields", "types"]) == 0
    assert "lead_status" in fields_of(capsys.readouterr().out, "MyContact")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--out", "nowhere/ours.py"], 1),
        (["--view", "not a name"], 2),
    ],
)
def test_what_cannot_be_written_is_told(here, capsys, words, code):
    """A folder that is not there is a failure, a name that is none a mistake of usage; nothing is left."""
    assert main(["fields", "types", *words]) == code
    assert capsys.readouterr().err.startswith("nimble-async: ")
    assert list(here.iterdir()) == []
