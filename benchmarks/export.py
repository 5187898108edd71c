"""CPU of the export (ids, hash, journal, certificate) over a bare aiohttp loop that reads and inflates."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import aiohttp

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from msgspec.structs import replace

from nimble_async import NimbleClient
from nimble_async._aio.clock import SystemClock
from nimble_async.jobs.export import export
from nimble_async.nimble.walks import CONTACTS
from nimble_async.testing import Simulator, World
from tests.jobs.killing import serve

TARGET = 2.5


async def bare(url: str, key: str, pages: int) -> int:
    """Read and inflate every page, and do nothing with it."""
    headers = {"Authorization": f"Bearer {key}"}
    size = 0
    async with aiohttp.ClientSession(headers=headers) as session:
        for page in range(1, pages + 1):
            params = {"page": str(page), "per_page": "100", "sort": "created:asc"}
            async with session.get(f"{url}/api/v1/contacts", params=params) as answer:
                size += len(await answer.read())
    return size


async def ours(url: str, key: str, folder: Path) -> int:
    async with NimbleClient(api_key=key, base_url=url, rate="100000/1s") as client:
        certificate = await export(
            client.executor, replace(CONTACTS, lag=-1), to=folder / "out.jsonl", clock=SystemClock()
        )
    if not certificate.complete:
        raise RuntimeError(str(certificate.reasons))
    return certificate.output.bytes


def spent(work: Coroutine[Any, Any, int]) -> tuple[float, int]:
    began = time.process_time()
    size = asyncio.run(work)
    return time.process_time() - began, size


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    simulator = Simulator(World(contacts=options.contacts, deals=0, epoch=time.time()))
    server, url = serve(simulator)
    ratios = []
    try:
        for _ in range(options.rounds):
            least, _ = spent(bare(url, simulator.api_key, options.contacts // 100))
            with tempfile.TemporaryDirectory() as place:
                much, _ = spent(ours(url, simulator.api_key, Path(place)))
            ratios.append(much / least)
            each = 1e6 / options.contacts
            print(f"bare {least * each:.1f} us, export {much * each:.1f} us a contact: {ratios[-1]:.2f}")
    finally:
        os.kill(server, signal.SIGKILL)
        os.waitpid(server, 0)
    print(json.dumps({"ratio": round(min(ratios), 3), "target": TARGET}))
    return 0 if min(ratios) <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
