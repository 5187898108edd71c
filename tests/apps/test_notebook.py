"""A notebook: the client is built in one cell and used in others, without a word on stderr."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from nimble_async.testing.server import ServedSimulator

CELLS = [
    """
import warnings
warnings.simplefilter("error")
from nimble_async import NimbleClient, RateLimit
nimble = NimbleClient(api_key=KEY, base_url=URL, rate=RateLimit(1000))
""",
    "me = await nimble.users.me()",
    "page = await nimble.contacts.list(per_page=20)\nprint(len(page), page.total)",
    "contacts = nimble.contacts.list(per_page=20)\n"
    "names = [contact.name async for contact in contacts]\nprint(len(names))",
    "async for contact in nimble.contacts.list(per_page=20):\n    print('left early')\n    break",
    "async with nimble.contacts.list(per_page=20).prefetch(pages=3) as ahead:\n"
    "    print((await anext(ahead)).id == page.items[0].id)",
    "import asyncio\nmany = await asyncio.gather(*(nimble.users.me() for _ in range(20)))\n"
    "print(len({one.id for one in many}))",
    "nimble = NimbleClient(api_key=KEY, base_url=URL, rate=RateLimit(1000))\nimport gc\n_ = gc.collect()",
    "print((await nimble.users.me()).id == me.id)",
]


@pytest.mark.nimble_simulator(contacts=50, deals=0)
@pytest.mark.filterwarnings("ignore::DeprecationWarning:jupyter_client", "ignore::DeprecationWarning:zmq")
def test_a_client_lives_across_cells(nimble_simulator: ServedSimulator, tmp_path: Path):
    """Built in one cell, used, dropped and built anew in others: right answers and an empty stderr."""
    head = f"URL, KEY = {nimble_simulator.base_url!r}, {nimble_simulator.api_key!r}"
    cells = [nbformat.v4.new_code_cell(source) for source in (head, *CELLS)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    where = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=60, kernel_name="python3", resources=where).execute()
    told = [output for cell in notebook.cells for output in cell.outputs]
    assert [output.text for output in told if output.get("name") == "stderr"] == []
    assert "".join(output.text for output in told).split("\n") == [
        "20 50", "50", "left early", "True", "1", "True", "",
    ]  # fmt: skip
