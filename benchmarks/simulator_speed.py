"""How many contacts a second the simulator can serve, against what one client process can eat.

The simulator runs in its own process, at rest and with its pages warm. The client is a bare aiohttp
loop that decodes every page into typed structs, fields included. Printed is the ratio of CPU
seconds a contact costs on the two sides: 2 means that one simulator feeds two such clients.
Run: python benchmarks/simulator_speed.py [CONTACTS]
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

_SERVE = (
    "from nimble_async.testing import SimulateOptions, serve; "
    "raise SystemExit(serve(SimulateOptions(contacts={contacts}, deals=0)))"
)


class Value(msgspec.Struct):
    value: str
    modifier: str = ""
    label: str = ""
    field_id: str = ""


class Contact(msgspec.Struct):
    id: str
    created: str
    updated: str
    record_type: str
    fields: dict[str, list[Value]]
    tags: list[Any] = []


class Page(msgspec.Struct):
    meta: dict[str, int]
    resources: list[Contact]


def _cpu_of(pid: int) -> float:
    """Return the CPU seconds another process has used."""
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


async def _walk(base_url: str, api_key: str, *, encoding: str, pages: int, at_once: int = 4) -> int:
    """Read every page and touch every field; return how many contacts came."""
    decoder = msgspec.json.Decoder(Page)
    numbers = iter(range(1, pages + 1))
    seen = 0
    headers = {"authorization": f"Bearer {api_key}", "accept-encoding": encoding}
    async with aiohttp.ClientSession(base_url, headers=headers) as session:

        async def worker() -> None:
            nonlocal seen
            for number in numbers:
                url = f"/api/v1/contacts?sort=created:asc&per_page=100&page={number}"
                async with session.get(url) as answer:
                    page = decoder.decode(await answer.read())
                seen += sum(1 for contact in page.resources if contact.fields["email"])

        await asyncio.gather(*(worker() for _ in range(at_once)))
    return seen


def _measure(ready: dict[str, Any], pid: int, encoding: str, contacts: int) -> None:

    def walk() -> int:
        return asyncio.run(
            _walk(ready["base_url"], ready["api_key"], encoding=encoding, pages=contacts // 100)
        )

    walk()  # the simulator renders each page once
    wall, ours, theirs = time.monotonic(), time.process_time(), _cpu_of(pid)
    seen = walk() + walk() + walk()
    wall, ours, theirs = time.monotonic() - wall, time.process_time() - ours, _cpu_of(pid) - theirs
    print(
        f"{encoding:9} {seen} contacts, {seen / wall:,.0f} a second: client {1e6 * ours / seen:.1f} us, "
        f"simulator {1e6 * theirs / seen:.1f} us of CPU a contact, ratio {ours / theirs:.2f}"
    )


def main() -> None:
    """Print the ratio for plain and for compressed pages."""
    contacts = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with subprocess.Popen(
        [sys.executable, "-c", _SERVE.format(contacts=contacts)], stdout=subprocess.PIPE
    ) as process:
        try:
            ready = json.loads(process.stdout.readline() if process.stdout else b"{}")
            for encoding in ("identity", "gzip"):
                _measure(ready, process.pid, encoding, contacts)
        finally:
            process.terminate()


if __name__ == "__main__":
    main()
