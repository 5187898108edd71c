"""Processes that share one login: a token server over HTTP, and the programs that the processes run.

Run as a script it forks: all processes come from one warm interpreter. Where they keep the login is
a place: `{"file": PATH}` or `{"redis": URL, "key": KEY, "lease": SECONDS}`.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
from contextlib import asynccontextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from msgspec.structs import replace

from nimble_async._aio.clock import SystemClock
from nimble_async._aio.credentials import OAuth
from nimble_async._sansio.message import Response
from nimble_async._sansio.secret import Secret
from nimble_async._sansio.tokens import TokenRecord, digest
from nimble_async.errors import ConnectionFailed, CredentialsError
from nimble_async.stores.file import FileStore
from nimble_async.stores.redis import RedisStore
from nimble_async.testing.oauth import OAuthServer, OAuthSettings

Place = dict[str, Any]
REDIRECT = "http://127.0.0.1:8765/callback"
ROOT = Path(__file__).parents[2]


class HttpTokenServer:
    """The shipped authorization server on a loopback port; one request for each connection.

    After `expiries` renewals its tokens live long. With `forgiving` a spent refresh token is refused
    without an end of its login, and its winner hears last: a race without a lock has many losers.
    """

    def __init__(self, *, expiries=None, forgiving=False, **settings) -> None:
        self.oauth = OAuthServer(OAuthSettings(redirect_uri=REDIRECT, **settings))
        self.expiries = expiries
        self.forgiving = forgiving
        self.posts = 0
        self.refused = 0
        self.base = ""
        self._spent: set[bytes] = set()
        self.spent_at: dict[str, float] = {}
        """When each refresh token was used first."""

    @property
    def client(self):
        """The client's id and secret."""
        return self.oauth.client_id, self.oauth.client_secret

    def first(self) -> TokenRecord:
        """Issue a first pair, as a store keeps it."""
        pair = self.oauth.issue(time.monotonic())
        return TokenRecord(
            gen=1,
            access=Secret(str(pair["access_token"])),
            refresh=Secret(str(pair["refresh_token"])),
            obtained_wall=time.time(),
            expires_in=float(str(pair["expires_in"])),
        )

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.base = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *error):
        self.server.close()
        for _ in range(5):  # connections that were just accepted get their turn first, and so are closed
            await asyncio.sleep(0)
        await self.server.wait_closed()

    def _token(self, kind, body):
        self.posts += 1
        if self.posts == self.expiries:
            self.oauth.settings = replace(self.oauth.settings, token_life=36000.0)
        if self.forgiving and body in self._spent:
            self.refused += 1
            return 400, b'{"error": "invalid_grant"}'
        self._spent.add(body)
        self.spent_at.setdefault(parse_qs(body.decode())["refresh_token"][0], time.monotonic())
        answer = self.oauth.token(kind, body, time.monotonic())
        self.refused += self.oauth.refused
        self.oauth.refused = 0
        return answer.status, answer.body

    async def _answer(self, reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.split("content-length: ")[1].split("\r\n")[0])
            body = await reader.readexactly(length)
            status, answer = self._token(head.split("content-type: ")[1].split("\r\n")[0], body)
            if self.forgiving and status == 200:
                await asyncio.sleep(0.02)  # the losers hear first
            writer.write(
                f"HTTP/1.1 {status} X\r\nDate: {formatdate(usegmt=True)}\r\nContent-Length: "
                f"{len(answer)}\r\nConnection: close\r\n\r\n".encode()
                + answer
            )
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


class SmallTransport:
    """A transport of a few lines, so that this test needs no other part of the client."""

    def __init__(self, tell=lambda label: None) -> None:
        self.tell = tell
        self.answered = 0.0

    async def send(self, request, *, timeout=None):
        self.tell("before send")
        address = urlsplit(request.url)
        try:
            async with asyncio.timeout(timeout):
                reader, writer = await asyncio.open_connection(address.hostname, address.port)
                head = f"POST {address.path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(request.body)}\r\n"
                head += "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
                writer.write(head.encode() + b"\r\n" + request.body)
                answer = await reader.read()
                self.answered = time.perf_counter()
                writer.close()
                await writer.wait_closed()
        except (OSError, TimeoutError) as error:
            raise ConnectionFailed("no answer") from error
        self.tell("after answer")
        top, _, body = answer.partition(b"\r\n\r\n")
        lines = top.decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if "date" not in line.lower())
        return Response(status=int(lines[0].split()[1]), headers=headers, body=body)

    async def aclose(self):
        pass


class Watched:
    """A store whose steps are told of while they are under way and when they are done.

    Without `locks` everybody gets the lock at once. `windows` are the seconds between the answer of
    the token server and the end of the save that made the new pair durable.
    """

    def __init__(self, store, *, tell=lambda label: None, locks=True) -> None:
        self.store = store
        self.tell = tell
        self.locks = locks
        self.transport = SmallTransport(tell)
        self.saves = 0
        self.deleted = 0
        self.windows: list[float] = []

    @property
    def name(self):
        return self.store.name

    async def load(self):
        return await self.store.load()

    async def delete(self):
        self.deleted += 1
        await self.store.delete()

    async def save(self, record, *, expected=None):
        return await self.keep(self.store, record, expected)

    async def keep(self, saver, record, expected):
        self.saves += 1
        stored = await self._step(f"save {self.saves}", saver.save(record, expected=expected))
        if self.transport.answered:
            self.windows.append(time.perf_counter() - self.transport.answered)
            self.transport.answered = 0.0
        return stored

    async def _step(self, label, work):
        """Tell of a step a random instant after its beginning, and after its end."""
        step = asyncio.ensure_future(work)
        if self.tell.__name__ == "die":
            await asyncio.sleep(random.random() * 0.002)
            self.tell(f"{label} under way")
        done = await step
        self.tell(label)
        return done

    @asynccontextmanager
    async def lock(self):
        if not self.locks:
            yield None
            return
        lock = self.store.lock()
        saver = await self._step("lock", lock.__aenter__()) or self.store
        try:
            yield WatchedSaver(self, saver)
        finally:
            await lock.__aexit__(None, None, None)


class WatchedSaver:
    """What the lock of a watched store gives."""

    def __init__(self, watched, saver) -> None:
        self.watched = watched
        self.saver = saver

    async def save(self, record, *, expected=None):
        return await self.watched.keep(self.saver, record, expected)


def open_store(place, *, trace=None):
    """Return the store of a place."""
    if "file" in place:
        return FileStore(place["file"], trace=trace)
    return RedisStore(place["redis"], place["key"], lease=place.get("lease", 4.0))


def login(base, client, store, transport=None):
    """Return credentials on a store, attached to a small transport."""
    oauth = OAuth(client_id=client[0], client_secret=client[1], redirect_uri=REDIRECT, store=store)
    oauth.attach(transport or SmallTransport(), SystemClock(), base_url=base)
    return oauth


def fork(work) -> int:
    """Run `work` in a child of its own; return the child's number."""
    child = os.fork()
    if child:
        return child
    try:
        work()
    except BaseException as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        os._exit(1)
    os._exit(0)


async def race(order, number):
    """Use one login as calls do, or refuse every token, until the last expiry; write down what was seen."""
    watched = Watched(open_store(order["place"]), locks=order["locks"])
    seen, failed, lost, newest, until = set(), 0, 0, 0, time.monotonic() + order["seconds"]
    oauth = login(order["base"], order["client"], watched, watched.transport)
    while time.monotonic() < until and newest <= order["expiries"]:
        try:
            proof = await oauth.proof()
            if order["refusing"] and proof.generation <= order["expiries"]:
                await oauth.renew(proof)
        except CredentialsError:
            failed += 1
            stored = await watched.load()
            lost += stored is None or stored.gen < newest
            # An object that failed waits for a second before it tries again; a new one does not.
            oauth = login(order["base"], order["client"], watched, watched.transport)
            await asyncio.sleep(0.01)
            continue
        seen.add((proof.generation, digest(proof.value)))
        newest = max(newest, proof.generation)
        await asyncio.sleep(0 if order["refusing"] else 0.01)
    await oauth.aclose()
    report = {
        "seen": sorted(seen), "windows": watched.windows, "failed": failed,
        "deleted": watched.deleted, "lost": lost,
    }  # fmt: skip
    Path(order["folder"], f"report{number}").write_text(json.dumps(report))


async def renew_and_die(order, place, label):
    """Renew once, and be killed at the given step: a durable one of a file's, or one of the protocol's."""
    steps = 0

    def die(reached):
        if reached == label:
            os.kill(os.getpid(), signal.SIGKILL)

    def trace(step, _):
        nonlocal steps
        steps += 1
        die(f"step {steps}")

    # The first load, before the lock, is where everything that is slow the first time happens.
    watched = Watched(open_store(place, trace=trace), tell=die)
    oauth = login(order["base"], order["client"], watched, watched.transport)
    await oauth.renew(await oauth.proof())


def main():
    order = json.loads(sys.argv[1])
    if order["work"] == "race":
        forked = [
            fork(lambda number=number: asyncio.run(race(order, number)))
            for number in range(order["processes"])
        ]
    else:
        forked = [
            fork(lambda place=place, label=label: asyncio.run(renew_and_die(order, place, label)))
            for place, label in order["kills"]
        ]
    for _ in forked:
        child, status = os.wait()
        sys.stdout.write(f"{forked.index(child)} {os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


async def children(seconds=0.0, **order):
    """Run this program; yield the number and the exit code of each child at its end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-m", "tests.aio.renewing", json.dumps({"seconds": seconds, **order}),
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(seconds + 60):
            while line := await process.stdout.readline():
                number, code = line.split()
                yield int(number), int(code)
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def run_race(
    place: Place,
    folder: str | Path,
    *,
    processes: int,
    expiries: int,
    life: float = 1.0,
    refusing: bool = False,
    locks: bool = True,
) -> dict[str, Any]:
    """Let processes share one login through `expiries` ends of its token; return what was counted.

    `refusing`: each token is refused as soon as it is there, instead of living for `life` seconds.
    """
    async with HttpTokenServer(
        expiries=expiries, forgiving=not locks, token_life=600.0 if refusing else life
    ) as server:
        store = open_store(place)
        await store.save(server.first())
        ends = children(
            work="race", base=server.base, client=server.client, place=place, folder=str(folder),
            processes=processes, expiries=expiries, refusing=refusing, locks=locks,
            seconds=20 + 2 * expiries * (0.2 if refusing else life),
        )  # fmt: skip
        assert [code async for _, code in ends] == [0] * processes
        reports = [json.loads(Path(folder, f"report{number}").read_text()) for number in range(processes)]
        last = await store.load()
        tokens: dict[int, str] = {}
        told_apart = sum(
            tokens.setdefault(generation, value) != value
            for report in reports
            for generation, value in report["seen"]
        )
        return {
            "requests": server.posts,
            "refused": server.refused,
            "generation": last.gen,
            "state": last.state,
            "alive": server.oauth.valid(last.access.reveal(), time.monotonic(), key_allowed=False),
            "different_tokens_of_one_generation": told_apart,
            "least_seen": min(len(report["seen"]) for report in reports),
            "deleted": sum(report["deleted"] for report in reports),
            "lost": sum(report["lost"] for report in reports),
            "failed": sum(report["failed"] for report in reports),
            "windows": sorted(window for report in reports for window in report["windows"]),
        }


FILE_LABELS = [*(f"step {number}" for number in range(1, 9)), "before send", "after answer"]
"""The durable steps of a file's two saves, and the two around the request."""
PROTOCOL_LABELS = [
    "lock under way", "lock", "save 1 under way", "save 1", "before send", "after answer",
    "save 2 under way", "save 2",
]  # fmt: skip
"""The steps of any store's renewal."""


async def run_kills(places: list[Place], labels: list[str], *, grace: float = 5.0) -> dict[str, Any]:
    """Kill a renewal in each place at its label and let the next process go on; return what was counted.

    On a busy machine a death may be noticed late, and so eat up the grace. A login that was lost
    where the next process began more than half a second after the request counts as `late`.
    """
    counts: dict[str, Any] = {"kills": 0, "torn": 0, "lost": 0, "late": 0, "refused": 0, "why": []}
    async with HttpTokenServer(token_life=600.0, grace=grace) as server:
        for place in places:
            await open_store(place).save(server.first())
        order = {"work": "die", "base": server.base, "client": server.client}

        async def recover(place, label):
            counts["kills"] += 1
            began, spent = time.monotonic(), 0.0
            store = open_store(place)
            oauth = login(server.base, server.client, store)
            try:
                found = await store.load()
                counts["torn"] += found is None or found.gen not in {1, 2}
                spent = server.spent_at.get(found.refresh.reveal(), began)
                proof = await oauth.proof()
                await oauth.renew(proof)
                proof = await oauth.proof()
            except CredentialsError as error:
                late = grace > 0 and began - spent > 0.5
                counts["late" if late else "lost"] += 1
                counts["why"].append(f"{label}, noticed after {began - spent:.1f} s: {error}")
                return
            alive = server.oauth.valid(proof.value.reveal().removeprefix("Bearer "), time.monotonic())
            record = await store.load()
            counts["lost"] += not alive or record.state != "idle"
            await store.delete()

        kills = list(zip(places, labels, strict=True))
        async with asyncio.TaskGroup() as group:
            async for number, code in children(**order, kills=kills):
                assert code == -signal.SIGKILL, f"{kills[number]}: {code}"
                group.create_task(recover(*kills[number]))
        counts["refused"] = server.refused
    return counts


if __name__ == "__main__":
    main()
