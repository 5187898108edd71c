"""How a client lives and dies: on any loop, more than once, and without a word on stderr.

Each story runs as a program of its own, with warnings as errors.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from aiohttp import web

from nimble_async.testing.server import ServedSimulator
from tests.aio.servers import certificate, json_answer, serve

HEAD = """
import asyncio, gc, math, sys, threading
from nimble_async.config import RateLimit
from nimble_async.nimble.client import NimbleClient

URL, KEY = sys.argv[1:3]
def make(**more):
    return NimbleClient(api_key=KEY, base_url=URL, rate=RateLimit(math.inf), **more)
"""

STORIES = {
    "closed by async with": """
        async def main():
            async with make() as nimble:
                await nimble.users.me()
                assert nimble.statistics().connections == 1
            assert nimble.statistics().connections == 0
        asyncio.run(main())
    """,
    "never closed, at module level": """
        nimble = make()
        asyncio.run(nimble.contacts.list().first())
    """,
    "built, never used": """
        nimble = make()
        other = make()
        del other
    """,
    "two runs on one client": """
        nimble = make()
        async def main():
            return (await nimble.users.me()).id
        assert asyncio.run(main()) == asyncio.run(main())
        assert len(nimble._executor.core.transport._sessions) <= 1
    """,
    "two runs, closed in the second": """
        nimble = make()
        async def main():
            await nimble.users.me()
        asyncio.run(main())
        async def last():
            await nimble.users.me()
            await nimble.aclose()
        asyncio.run(last())
    """,
    "dropped while the loop runs": """
        async def main():
            nimble = make()
            await nimble.users.me()
            del nimble
            gc.collect()
            for _ in range(5):
                await asyncio.sleep(0)
        asyncio.run(main())
    """,
    "dropped when its loop is gone": """
        def story():
            nimble = make()
            asyncio.run(nimble.contacts.list().first())
        story()
        gc.collect()
    """,
    "the loop is closed without a farewell": """
        nimble = make()
        async def main():
            await nimble.users.me()
        loop = asyncio.new_event_loop()
        loop.run_until_complete(main())
        loop.close()
        gc.collect()
        asyncio.run(main())
        del nimble
        gc.collect()
    """,
    "the loop is closed, then the client is dropped": """
        nimble = make()
        async def main():
            await nimble.users.me()
        loop = asyncio.new_event_loop()
        loop.run_until_complete(main())
        loop.close()
        del nimble
        gc.collect()
    """,
    "the loop stands still at the end": """
        nimble = make()
        async def main():
            await nimble.users.me()
        loop = asyncio.new_event_loop()
        loop.run_until_complete(main())
        asyncio.set_event_loop(None)
        nimble._executor.core.transport._finalizer()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
    """,
    "closed on another loop": """
        nimble = make()
        async def main():
            await nimble.users.me()
        loop = asyncio.new_event_loop()
        loop.run_until_complete(main())
        asyncio.run(nimble.aclose())
        loop.run_until_complete(main())
        loop.run_until_complete(nimble.aclose())
        loop.close()
    """,
    "closed from another thread's loop": """
        nimble = make()
        ready, done = threading.Event(), threading.Event()
        async def elsewhere():
            await nimble.users.me()
            ready.set()
            await asyncio.to_thread(done.wait)
        thread = threading.Thread(target=asyncio.run, args=(elsewhere(),))
        thread.start()
        ready.wait()
        asyncio.run(nimble.aclose())
        done.set()
        thread.join()
    """,
    "an iteration left early": """
        nimble = make()
        async def main():
            async for contact in nimble.contacts.list(per_page=10):
                break
            async with nimble.contacts.list(per_page=10).prefetch(pages=4) as contacts:
                async for contact in contacts:
                    break
            assert len(asyncio.all_tasks()) == 1
            assert nimble.statistics().throttle.in_flight == 0
        asyncio.run(main())
    """,
    "a call cut off by the end of the run": """
        nimble = make()
        async def main():
            task = asyncio.create_task(nimble.contacts.list(per_page=100).collect())
            await asyncio.sleep(0.01)
        asyncio.run(main())
    """,
    "used after it was closed": """
        async def main():
            nimble = make()
            async with nimble:
                await nimble.users.me()
            await nimble.users.me()
            await nimble.aclose()
        asyncio.run(main())
    """,
    "a view outlives the client": """
        async def main():
            bulk = make().with_options(lane="bulk")
            gc.collect()
            await bulk.users.me()
            await bulk.aclose()
        asyncio.run(main())
    """,
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
def test_no_way_to_end_leaves_a_warning(story: str, nimble_simulator: ServedSimulator):
    """However a client ends, the program says nothing on stderr and exits with 0."""
    program = HEAD + textwrap.dedent(story)
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, nimble_simulator.base_url, nimble_simulator.api_key],
        capture_output=True, text=True, timeout=55, check=False,
    )  # fmt: skip
    assert (ended.stderr, ended.returncode) == ("", 0)


TLS = """
import asyncio, gc, math, sys
from nimble_async.config import ClientConfig, RateLimit
from nimble_async.nimble.client import NimbleClient

nimble = NimbleClient(
    api_key="key", base_url=sys.argv[1], rate=RateLimit(math.inf), config=ClientConfig(tls=sys.argv[2])
)

async def main():
    await asyncio.gather(nimble.users.me(), nimble.users.me())
"""

TLS_STORIES = {
    "never closed": "asyncio.run(main())\nasyncio.run(main())",
    "closed": "asyncio.run(main())\nasyncio.run(nimble.aclose())",
    "the loop is closed without a farewell": """
loop = asyncio.new_event_loop()
loop.run_until_complete(main())
loop.close()
gc.collect()
del nimble
gc.collect()
""",
}


@pytest.mark.parametrize("story", TLS_STORIES.values(), ids=TLS_STORIES.keys())
async def test_an_encrypted_connection_ends_as_quietly(story: str, tmp_path: Path):
    """With TLS, too, no way to end leaves a word on stderr."""
    tls, pem = certificate(tmp_path)

    async def me(request: web.BaseRequest) -> web.StreamResponse:
        return json_answer({"user_id": "u1"})

    async with serve(me, tls=tls) as server:
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-W", "error", "-c", TLS + story, server.url, pem, stderr=asyncio.subprocess.PIPE
        )
        _, told = await asyncio.wait_for(program.communicate(), 30)
        assert (told.decode(), program.returncode) == ("", 0)
        assert server.sends >= 2
