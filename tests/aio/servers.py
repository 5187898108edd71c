"""Real servers on loopback for the tests of the shell: a web server, a raw one, and one with TLS."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from aiohttp import web

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
RawHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Seen:
    """What a server saw: requests in order, and how many connections were opened."""

    def __init__(self) -> None:
        self.requests: list[web.BaseRequest] = []
        self.connections = 0
        self.in_flight = 0
        self.peak = 0
        self.url = ""

    @property
    def sends(self) -> int:
        return len(self.requests)

    @property
    def paths(self) -> list[str]:
        return [request.path_qs for request in self.requests]

    @property
    def methods(self) -> Counter[str]:
        return Counter(request.method for request in self.requests)


class _Server(web.Server):
    def __init__(self, handler: Handler, seen: Seen) -> None:
        super().__init__(handler, access_log=None)
        self._seen = seen

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        self._seen.connections += 1
        super().connection_made(handler, transport)


def json_answer(value: object, status: int = 200, **headers: str) -> web.Response:
    """Return a JSON answer."""
    return web.Response(
        status=status, body=msgspec.json.encode(value), content_type="application/json", headers=headers
    )


@asynccontextmanager
async def serve(handler: Handler, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Seen]:
    """Serve `handler` on a free port; what it saw is in the value, its address in `.url`."""
    seen = Seen()

    async def counted(request: web.BaseRequest) -> web.StreamResponse:
        seen.requests.append(request)
        seen.in_flight += 1
        seen.peak = max(seen.peak, seen.in_flight)
        try:
            return await handler(request)
        finally:
            seen.in_flight -= 1

    runner = web.ServerRunner(_Server(counted, seen), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    seen.url = f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield seen
    finally:
        await runner.cleanup()


async def end_server(server: asyncio.Server) -> None:
    """Close a server. Connections that it has just accepted get their turn first, and so are closed, too."""
    server.close()
    for _ in range(5):
        await asyncio.sleep(0)
    await server.wait_closed()


@asynccontextmanager
async def serve_raw(handler: RawHandler) -> AsyncIterator[str]:
    """Serve bytes: `handler` is given each connection, which is closed after it."""

    async def handled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handled, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        await end_server(server)


async def read_request(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """Read one HTTP request; return its first line and its body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    length = 0
    for line in head.split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            length = int(value)
    return head.partition("\r\n")[0], await reader.readexactly(length)


def http(body: bytes = b"{}", *, status: str = "200 OK", length: int | None = None, head: str = "") -> bytes:
    """Return an HTTP answer as bytes, with a Content-Length that may lie."""
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\n{head}\r\n".encode() + body


def certificate(folder: Path) -> tuple[ssl.SSLContext, str]:
    """Make a self-signed certificate for 127.0.0.1; return a server's context and the PEM's path."""
    key, pem = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", str(key), "-out", str(pem), "-days", "2", "-subj", "/CN=127.0.0.1",
            "-addext", "subjectAltName=IP:127.0.0.1",
        ],
        check=True, capture_output=True, timeout=20,
    )  # fmt: skip
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem, key)
    return context, str(pem)
