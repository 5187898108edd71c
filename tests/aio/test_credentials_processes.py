"""Processes that share a token file renew once together, and none of them can lose the login by dying."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from pathlib import Path

from nimble_async._sansio.secret import Secret
from nimble_async._sansio.tokens import TokenRecord
from nimble_async.stores.file import FileStore
from tests.aio.renewing import HttpTokenServer, login
from tests.aio.token_server import stored

ROOT = Path(__file__).parents[2]


async def _children(**order):
    """Run the program of `renewing` and return its children's exit codes."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "error",
        "-m",
        "tests.aio.renewing",
        json.dumps(order),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(), 45)
    assert process.returncode == 0, errors.decode()
    return json.loads(output), errors.decode()


def _first(pair, life):
    return TokenRecord(
        gen=1,
        access=Secret(pair["access_token"]),
        refresh=Secret(pair["refresh_token"]),
        obtained_wall=time.time(),
        expires_in=life,
    )


async def test_eight_processes_send_one_request_for_each_expiry(tmp_path):
    """Eight processes, tokens of one second, single use: one request for each, none refused."""
    async with HttpTokenServer(token_life=1.0) as server:
        store = FileStore(tmp_path / "tokens")
        await store.save(_first(server.oauth.issue(time.monotonic()), 1.0))
        client = (server.oauth.client_id, server.oauth.client_secret)
        codes, errors = await _children(
            work="busy", base=server.base, client=client, folder=str(tmp_path), processes=8, seconds=5.0
        )
        assert codes == [0] * 8, errors
        last = (await stored(store)).gen
        assert last >= 4
        assert server.posts == last - 1
        assert server.oauth.refused == 0
    seen = [json.loads((tmp_path / f"report{number}").read_text()) for number in range(8)]
    tokens = {generation: value for report in seen for generation, value in report}
    for report in seen:
        assert all(tokens[generation] == value for generation, value in report)
        assert len(report) >= 3


LABELS = [
    "step 1",
    "step 2",
    "step 3",
    "step 4",
    "before send",
    "after answer",
    "step 5",
    "step 6",
    "step 7",
    "step 8",
]


async def test_killed_at_any_step_the_login_lives_on(tmp_path):
    """SIGKILL at each durable step and around the request: nothing torn or locked, no login lost."""
    async with HttpTokenServer(token_life=600.0, grace=20.0) as server:
        client = (server.oauth.client_id, server.oauth.client_secret)
        for number in range(len(LABELS)):
            await FileStore(tmp_path / str(number)).save(_first(server.oauth.issue(time.monotonic()), 600.0))
        codes, errors = await _children(
            work="die", base=server.base, client=client, folder=str(tmp_path), labels=LABELS
        )
        assert codes == [-signal.SIGKILL] * len(LABELS), errors
        sent = server.posts
        assert sent == LABELS[::-1].index("before send")
        for number, label in enumerate(LABELS):
            oauth = login(server.base, client, tmp_path / str(number))
            found = await stored(oauth._keeper.store)
            assert found.gen == (2 if label in {"step 7", "step 8"} else 1), label
            proof = await oauth.proof()
            assert await oauth.renew(proof), label
            proof = await oauth.proof()
            assert server.oauth.valid(proof.value.removeprefix("Bearer "), time.monotonic()), label
            assert (await stored(oauth._keeper.store)).state == "idle"
        assert server.posts == sent + len(LABELS)
        assert server.oauth.refused == 0
    assert not [path.name for path in tmp_path.iterdir() if path.name.endswith(".tmp")]
