"""The docs: every Python block and every command runs against the simulator, as a reader would run it.

A page's `python` blocks run in order, as one notebook: names stay, `await` stands anywhere. Its
`console` blocks run too; a line that begins with `$ nimble-async` has to end with exit code 0.
`sh` blocks are for what takes long or needs a person, and do not run.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import shlex
import sys
from pathlib import Path

import pytest

from nimble_async.testing import ServedSimulator, SimulateOptions
from nimble_async.testing.options import build
from tests.canaries import refuse

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(page: Path, language: str) -> list[tuple[int, str]]:
    """Return each block of a language with the line it begins on."""
    text = page.read_text("utf-8")
    return [
        (text.count("\n", 0, block.start(2)), block[2])
        for block in BLOCK.finditer(text)
        if block[1] == language
    ]


def commands(page: Path) -> list[list[str]]:
    """Return the words of each command of ours that a page shows."""
    lines = [line for _, block in blocks(page, "console") for line in block.splitlines()]
    return [shlex.split(line)[2:] for line in lines if line.startswith("$ nimble-async ")]


def pages_with(part) -> list:
    return [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES if part(page)]


@pytest.fixture
def deals_account():
    """Serve a simulated account of ActiveCampaign."""
    with ServedSimulator(build(SimulateOptions(crm="activecampaign", contacts=20, deals=150))) as served:
        yield served


@pytest.fixture
def account(nimble_simulator, deals_account, monkeypatch, tmp_path):
    """Put a reader into an empty folder, with a simulated account of each vendor in the environment."""
    monkeypatch.setenv("NIMBLE_BASE_URL", nimble_simulator.base_url)
    monkeypatch.setenv("ACTIVECAMPAIGN_URL", deals_account.base_url)
    monkeypatch.setenv("ACTIVECAMPAIGN_API_TOKEN", deals_account.api_key)
    monkeypatch.setenv("NIMBLE_API_KEY", nimble_simulator.api_key)
    monkeypatch.chdir(tmp_path)


def run_blocks(page: Path) -> None:
    """Run a page's Python as a notebook would: `await` stands anywhere, names and the loop stay."""
    names: dict[str, object] = {"__name__": "__main__"}
    with asyncio.Runner(debug=True) as runner:
        for line, source in blocks(page, "python"):
            # The empty lines make a traceback point at the page itself.
            code = compile(
                "\n" * line + source,
                str(page),
                "exec",
                flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
                dont_inherit=True,  # annotations are what this page makes them, not this file
            )
            result = eval(code, names)
            if inspect.iscoroutine(result):
                runner.run(result)


@pytest.mark.parametrize("page", pages_with(lambda page: blocks(page, "python")))
async def test_python_blocks_run(page, account):
    """What a page shows in Python can be pasted into a notebook, from top to bottom."""
    # In a thread, so that a page may show asyncio.run too, while the simulator's loop goes on.
    await asyncio.to_thread(run_blocks, page)


@pytest.mark.parametrize("page", pages_with(commands))
async def test_commands_end_well(page, account):
    """What a page shows on a terminal works when typed in that order."""
    for words in commands(page):
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "nimble_async", *words,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await asyncio.wait_for(child.communicate(), 50)
        refuse(out.decode(), err.decode())
        assert child.returncode == 0, f"nimble-async {shlex.join(words)}\n{out.decode()}\n{err.decode()}"


def test_links_between_pages_lead_somewhere():
    """A relative link in a page names a file that is there."""
    link = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in link.findall(page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_every_page_is_in_the_navigation():
    """A page that cannot be found by clicking is not written for readers."""
    navigation = (ROOT / "mkdocs.yml").read_text("utf-8")
    pages = {page.relative_to(ROOT / "docs").as_posix() for page in PAGES if (ROOT / "docs") in page.parents}
    assert {page for page in pages if page not in navigation} == set()
