"""What listing contacts and one call cost, as ratios of a bare aiohttp loop with the same decode.

    python benchmarks/listing.py [--contacts 10000] [--rounds 5]

The simulator runs in another process and keeps its pages rendered; what is measured is the CPU
time of this process alone. The bare loop asks for one page after the other and decodes each into
a plain struct of each row with every field in it; it neither paces, repeats, counts nor keeps what
the server sent. Each case runs in a process of its own, as it would; each figure is the least of
some rounds, in which all cases take turns.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import aiohttp
import msgspec
from msgspec import Struct

from nimble_async._aio.transport import AiohttpTransport
from nimble_async._sansio.message import Request, Response
from nimble_async.config import ClientConfig, RateLimit
from nimble_async.nimble.client import NimbleClient
from nimble_async.nimble.models.fields import FieldValue

TARGETS = {"touched": 1.15, "untouched": 0.55, "touched, gzip": 1.15, "untouched, gzip": 0.7, "one call": 1.6}
BASES = {
    "touched": "bare", "untouched": "bare", "touched, gzip": "bare, gzip", "untouched, gzip": "bare, gzip",
    "one call": "bare call",
}  # fmt: skip
CALLS = 300
SERVER = """
import sys
from nimble_async.testing.options import SimulateOptions
from nimble_async.testing.server import serve
serve(SimulateOptions(contacts=int(sys.argv[1]), deals=0))
"""


class BareContact(Struct):
    id: str
    created: datetime
    updated: datetime
    record_type: str
    owner_id: str
    fields: dict[str, tuple[FieldValue, ...]]


class BareMeta(Struct):
    pages: int


class BarePage(Struct):
    meta: BareMeta
    resources: list[BareContact]


class Plain:
    """A transport that asks for bodies without gzip, to compare what is left without inflating."""

    def __init__(self) -> None:
        self._inner = AiohttpTransport(ClientConfig())

    async def send(self, request: Request, *, timeout: float | None = None) -> Response:
        headers = {**request.headers, "Accept-Encoding": "identity"}
        plain = Request(method=request.method, url=request.url, headers=headers, body=request.body)
        return await self._inner.send(plain, timeout=timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()


@contextmanager
def simulator(contacts: int) -> Iterator[dict[str, Any]]:
    """Serve from another process; the value is its ready line."""
    command = [sys.executable, "-c", SERVER, str(contacts)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield json.loads(process.stdout.readline() if process.stdout else "")
        finally:
            process.terminate()


def bare(session: aiohttp.ClientSession, url: str) -> Callable[[], Awaitable[int]]:
    decoder = msgspec.json.Decoder(BarePage)

    async def run() -> int:
        page, pages, seen = 0, 1, 0
        while page < pages:
            page += 1
            query: dict[str, str | int] = {"page": page, "per_page": 100, "sort": "created:asc"}
            async with session.get(f"{url}/api/v1/contacts", params=query) as answer:
                found = decoder.decode(await answer.read())
            pages = found.meta.pages
            for contact in found.resources:
                seen += len(contact.id) > 0
        return seen

    return run


def listed(nimble: NimbleClient, *, touch: bool) -> Callable[[], Awaitable[int]]:
    async def run() -> int:
        seen = 0
        async for contact in nimble.contacts.list(sort="created:asc", per_page=100):
            if touch:
                contact.fields  # noqa: B018 (touching is what is measured)
            seen += len(contact.id) > 0
        return seen

    return run


def single_bare(session: aiohttp.ClientSession, url: str) -> Callable[[], Awaitable[int]]:
    decoder = msgspec.json.Decoder(dict[str, Any])

    async def run() -> int:
        for _ in range(CALLS):
            async with session.get(f"{url}/api/v1/myself") as answer:
                decoder.decode(await answer.read())
        return CALLS

    return run


def single(nimble: NimbleClient) -> Callable[[], Awaitable[int]]:
    async def run() -> int:
        for _ in range(CALLS):
            await nimble.users.me()
        return CALLS

    return run


async def spent(case: Callable[[], Awaitable[int]]) -> float:
    """Return the least CPU microseconds for one record or call; the first run opens the connection."""
    best = math.inf
    for _ in range(3):
        began = time.process_time()
        seen = await case()
        best = min(best, (time.process_time() - began) / seen * 1e6)
    return best


async def measure(name: str, url: str, key: str) -> float:
    """Return what one case costs in this process."""
    coding = "gzip" if "gzip" in name or "call" in name else "identity"
    if name.startswith("bare"):
        headers = {"Authorization": f"Bearer {key}", "Accept-Encoding": coding}
        async with aiohttp.ClientSession(headers=headers) as session:
            return await spent(single_bare(session, url) if "call" in name else bare(session, url))
    transport = Plain() if coding == "identity" else None
    unpaced = RateLimit(math.inf)
    async with NimbleClient(api_key=key, base_url=url, rate=unpaced, transport=transport) as nimble:
        if "call" in name:
            return await spent(single(nimble))
        return await spent(listed(nimble, touch=not name.startswith("untouched")))


def in_its_own_process(name: str, ready: dict[str, Any]) -> float:
    """Return what one case costs in a process where nothing else has run."""
    command = [sys.executable, __file__, "--case", name, ready["base_url"], ready["api_key"]]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Print microseconds and ratios."""
    if sys.argv[1:2] == ["--case"]:
        print(asyncio.run(measure(*sys.argv[2:5])))
        return
    parser = argparse.ArgumentParser()
    parser.add_argument("--contacts", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    best = dict.fromkeys([*TARGETS, *BASES.values()], math.inf)
    with simulator(asked.contacts) as ready:
        in_its_own_process("bare", ready)  # fills the simulator's cache
        in_its_own_process("bare, gzip", ready)
        for _ in range(asked.rounds):
            best = {name: min(least, in_its_own_process(name, ready)) for name, least in best.items()}
    for name, least in best.items():
        print(f"{name:16} {least:8.2f} us of CPU for one {'call' if 'call' in name else 'contact'}")
    for name, wanted in TARGETS.items():
        ratio = best[name] / best[BASES[name]]
        told = "reached" if ratio <= wanted else "MISSED"
        print(f"{name:16} {ratio:5.2f} of bare, wanted {wanted:.2f}: {told}")


if __name__ == "__main__":
    main()
