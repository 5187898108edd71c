"""Processes that share one login: a token server over HTTP, and the program that each process runs.

Run as a script it forks: all processes come from one warm interpreter.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from email.utils import formatdate
from urllib.parse import urlsplit

from nimble_async._aio.clock import SystemClock
from nimble_async._aio.credentials import OAuth
from nimble_async._sansio.message import Response
from nimble_async.errors import ConnectionFailed
from nimble_async.stores.file import FileStore
from nimble_async.testing.oauth import OAuthServer, OAuthSettings

REDIRECT = "http://127.0.0.1:8765/callback"


class HttpTokenServer:
    """The shipped authorization server on a loopback port; one request for each connection."""

    def __init__(self, **settings) -> None:
        self.oauth = OAuthServer(OAuthSettings(redirect_uri=REDIRECT, **settings))
        self.posts = 0
        self.base = ""

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.base = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *error):
        self.server.close()
        await self.server.wait_closed()

    async def _answer(self, reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.split("content-length: ")[1].split("\r\n")[0])
            body = await reader.readexactly(length)
            kind = head.split("content-type: ")[1].split("\r\n")[0]
            self.posts += 1
            answer = self.oauth.token(kind, body, time.monotonic())
            writer.write(
                f"HTTP/1.1 {answer.status} X\r\nDate: {formatdate(usegmt=True)}\r\nContent-Length: "
                f"{len(answer.body)}\r\nConnection: close\r\n\r\n".encode()
                + answer.body
            )
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


class SmallTransport:
    """A transport of a few lines, so that this test needs no other part of the client."""

    def __init__(self, killer=lambda label: None) -> None:
        self.killer = killer

    async def send(self, request, *, timeout=None):
        self.killer("before send")
        address = urlsplit(request.url)
        try:
            async with asyncio.timeout(timeout):
                reader, writer = await asyncio.open_connection(address.hostname, address.port)
                head = f"POST {address.path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(request.body)}\r\n"
                head += "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
                writer.write(head.encode() + b"\r\n" + request.body)
                answer = await reader.read()
                writer.close()
                await writer.wait_closed()
        except (OSError, TimeoutError) as error:
            raise ConnectionFailed("no answer") from error
        self.killer("after answer")
        top, _, body = answer.partition(b"\r\n\r\n")
        lines = top.decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if "date" not in line.lower())
        return Response(status=int(lines[0].split()[1]), headers=headers, body=body)

    async def aclose(self):
        pass


def login(base, client, path, *, killer=lambda label: None, trace=None):
    """Return credentials on a token file, attached to a small transport."""
    oauth = OAuth(
        client_id=client[0],
        client_secret=client[1],
        redirect_uri=REDIRECT,
        store=FileStore(path, trace=trace),
    )
    oauth.attach(SmallTransport(killer), SystemClock(), base_url=base)
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


async def keep_busy(base, client, path, report, seconds):
    """Ask for a proof every few milliseconds, as calls do, and write down what was seen."""
    oauth, seen = login(base, client, path), set()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        proof = await oauth.proof()
        seen.add((proof.generation, proof.value))
        await asyncio.sleep(0.02)
    await oauth.aclose()
    report.write_text(json.dumps(sorted(seen)))


async def renew_and_die(base, client, path, label):
    """Renew once, and be killed at the given step: the n-th durable one, or one of the request's."""
    steps = 0

    def die(reached):
        if reached == label:
            os.kill(os.getpid(), signal.SIGKILL)

    def trace(step, _):
        nonlocal steps
        steps += 1
        die(f"step {steps}")

    oauth = login(base, client, path, killer=die, trace=trace)
    await oauth.renew(await oauth.proof())


def main():
    from pathlib import Path

    order = json.loads(sys.argv[1])
    base, client, folder = order["base"], order["client"], Path(order["folder"])
    if order["work"] == "busy":
        children = [
            fork(
                lambda number=number: asyncio.run(
                    keep_busy(base, client, folder / "tokens", folder / f"report{number}", order["seconds"])
                )
            )
            for number in range(order["processes"])
        ]
    else:
        children = [
            fork(
                lambda number=number, label=label: asyncio.run(
                    renew_and_die(base, client, folder / str(number), label)
                )
            )
            for number, label in enumerate(order["labels"])
        ]
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    sys.stdout.write(json.dumps(codes))


if __name__ == "__main__":
    main()
