"""The wire: every promise of the transport, counted at a real server on loopback."""

from __future__ import annotations

import asyncio
import base64
import gzip
import socket
import ssl
import tracemalloc
from pathlib import Path

import pytest
from aiohttp import web

from nimble_async._aio.transport import AiohttpTransport
from nimble_async._sansio.message import Request, Response
from nimble_async.config import ClientConfig, Timeouts
from nimble_async.errors import (
    ConfigurationError,
    ConnectionFailed,
    CrmError,
    MalformedResponse,
    TimedOut,
)
from tests.aio.servers import certificate, http, json_answer, read_request, serve, serve_raw


async def fetch(url: str, config: ClientConfig | None = None, *, timeout: float | None = None) -> Response:
    transport = AiohttpTransport(config or ClientConfig())
    try:
        return await transport.send(Request(method="GET", url=url), timeout=timeout)
    finally:
        await transport.aclose()


async def failure(url: str, config: ClientConfig | None = None, *, timeout: float | None = None) -> CrmError:
    with pytest.raises(CrmError) as caught:
        await fetch(url, config, timeout=timeout)
    return caught.value


async def ok(request: web.BaseRequest) -> web.StreamResponse:
    return json_answer({"path": request.path_qs})


async def slow(request: web.BaseRequest) -> web.StreamResponse:
    await asyncio.sleep(30)
    return await ok(request)


async def test_an_answer_is_whole_and_its_header_names_are_lower_case():
    """A response holds the status, the inflated body and headers by their lower-case names."""

    async def squeezed(request: web.BaseRequest) -> web.StreamResponse:
        answer = web.Response(status=418, body=b"x" * 5000, headers={"X-Thing": "1"})
        answer.enable_compression(web.ContentCoding.gzip)
        return answer

    async with serve(squeezed) as server:
        answer = await fetch(server.url)
    assert (answer.status, answer.body, answer.header("x-thing")) == (418, b"x" * 5000, "1")


async def test_the_address_is_sent_as_it_was_encoded():
    """The transport does not requote an address: what was signed and logged is what is sent."""
    async with serve(ok) as server:
        await fetch(f"{server.url}/a%2Fb?q=%7B%22x%22%3A1%7D&r=%2B")
        assert server.requests[0].raw_path == "/a%2Fb?q=%7B%22x%22%3A1%7D&r=%2B"


async def test_the_configured_proxy_carries_every_request():
    """With a proxy configured the request reaches the proxy in absolute form and not the host."""
    async with serve(ok) as proxy, serve(ok) as host:
        await fetch(f"{host.url}/x", ClientConfig(proxy=proxy.url))
        assert proxy.sends == 1
        assert host.sends == 0
        assert str(proxy.requests[0].url) == f"{host.url}/x"


async def test_a_proxy_is_told_its_user_and_password_and_the_host_is_not():
    """A plain request carries them to the proxy; a secure one asks for its tunnel with them."""
    told = f"Basic {base64.b64encode('me:p@ß'.encode()).decode()}"
    asked: list[str] = []

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")

    async with serve(ok) as proxy:
        await fetch("http://127.0.0.1:1/x", ClientConfig(proxy=proxy.url.replace("//", "//me:p%40%C3%9F@")))
        assert proxy.requests[0].headers["Proxy-Authorization"] == told
    async with serve_raw(tunnel) as url:
        error = await failure(
            "https://127.0.0.1:1/x?id=7", ClientConfig(proxy=url.replace("//", "//me:p%40%C3%9F@"))
        )
    assert asked[0].startswith("CONNECT 127.0.0.1:1 ")
    assert f"Proxy-Authorization: {told}\r\n" in asked[0]
    assert isinstance(error, ConnectionFailed)
    assert error.message == "The proxy gave no connection to 127.0.0.1:1: 407, Who are you."


async def test_an_answer_that_is_no_http_tells_nothing_of_the_query():
    """What stands in the query may name people, so no message repeats it."""

    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"nonsense\r\n\r\n")

    async with serve_raw(nonsense) as url:
        error = await failure(f"{url}/x?who=ada")
    assert "did not answer in HTTP" in error.message
    assert "ada" not in f"{error!r} {error.__cause__!r}"


async def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch):
    """HTTP_PROXY of the environment is not read."""
    async with serve(ok) as proxy, serve(ok) as host:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        await fetch(host.url)
        assert (proxy.sends, host.sends) == (0, 1)


async def test_a_proxy_that_is_not_there_is_named():
    """An unreachable proxy fails before anything can have arrived."""
    async with serve(ok) as host:
        error = await failure(host.url, ClientConfig(proxy=f"http://127.0.0.1:{closed_port()}"))
    assert isinstance(error, ConnectionFailed)
    assert not error.sent
    assert "proxy" in error.message


async def test_an_unknown_authority_is_not_trusted_unless_named(tmp_path: Path):
    """A self-signed server is refused with a hint, and trusted by PEM path or by context."""
    tls, pem = certificate(tmp_path)
    async with serve(ok, tls=tls) as server:
        error = await failure(server.url)
        assert isinstance(error, ConnectionFailed)
        assert not error.sent
        assert "ClientConfig.tls" in error.hint
        assert server.sends == 0
        for trust in (pem, ssl.create_default_context(cafile=pem)):
            assert (await fetch(server.url, ClientConfig(tls=trust))).status == 200


@pytest.mark.parametrize("content", [None, "no certificate in here"])
def test_a_file_without_authorities_is_refused_at_once(tmp_path: Path, content: str | None):
    """A PEM path that cannot be used is an error of the configuration when the client is built."""
    pem = tmp_path / "authorities.pem"
    if content is not None:
        pem.write_text(content)
    with pytest.raises(ConfigurationError, match=r"ClientConfig\.tls"):
        AiohttpTransport(ClientConfig(tls=str(pem)))


async def test_a_refused_connection_was_surely_not_sent():
    """A closed port is ConnectionFailed with sent=False."""
    error = await failure(f"http://127.0.0.1:{closed_port()}/")
    assert isinstance(error, ConnectionFailed)
    assert not error.sent


async def test_a_connection_that_is_never_accepted_times_out_unsent():
    """The connect timeout says that nothing was sent."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = []
        try:
            for _ in range(4):
                # Fill the queue of connections, so that the next one gets no answer.
                waiting.append(socket.socket())
                waiting[-1].setblocking(False)
                waiting[-1].connect_ex(address)
            times = Timeouts(connect=0.2, read=5, total=5)
            error = await failure(f"http://127.0.0.1:{address[1]}/", ClientConfig(timeouts=times))
        finally:
            for one in waiting:
                one.close()
    assert isinstance(error, TimedOut)
    assert not error.sent


@pytest.mark.parametrize(
    ("times", "timeout"),
    [(Timeouts(read=0.1), None), (Timeouts(total=0.1), None), (Timeouts(), 0.1), (Timeouts(), 0.0)],
    ids=["read", "total", "argument", "nothing left"],
)
async def test_each_timeout_ends_a_silent_answer(times: Timeouts, timeout: float | None):
    """The read timeout, the total and the caller's own each end the wait for a silent server."""
    async with serve(slow) as server:
        error = await failure(server.url, ClientConfig(timeouts=times), timeout=timeout)
    assert isinstance(error, TimedOut)


async def test_a_longer_timeout_than_the_configured_total_changes_nothing():
    """The caller's timeout only shortens."""
    async with serve(slow) as server:
        error = await failure(server.url, ClientConfig(timeouts=Timeouts(total=0.1)), timeout=60)
    assert isinstance(error, TimedOut)


@pytest.mark.parametrize(("size", "fits"), [(9_999, True), (10_000, True), (10_001, False)])
async def test_a_body_is_bounded(size: int, fits: bool):
    """A body of exactly the longest size arrives; one byte more is refused, and never tried again."""

    async def large(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=201, body=b"x" * size)

    async with serve(large) as server:
        config = ClientConfig(longest_body=10_000)
        if fits:
            assert len((await fetch(server.url, config)).body) == size
        else:
            error = await failure(server.url, config)
            assert isinstance(error, MalformedResponse)
            assert (error.status, error.final) == (201, True)


async def test_a_bomb_is_not_inflated():
    """200 MB of zeros in 200 KB of gzip end at the bound: memory stays within a few times of it."""
    bomb = gzip.compress(bytes(200 * 1024 * 1024), 9)

    async def explode(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    async with serve(explode) as server:
        tracemalloc.start()
        error = await failure(server.url, ClientConfig(longest_body=1024 * 1024))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert isinstance(error, MalformedResponse)
    assert peak < 16 * 1024 * 1024


@pytest.mark.parametrize(
    "answer",
    [
        http(b"half", length=8),
        http(b"", length=8),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nhalf",
        http(b"no gzip at all", head="Content-Encoding: gzip\r\n"),
        http(gzip.compress(b"x" * 4000)[:-12], head="Content-Encoding: gzip\r\n"),
    ],
    ids=["cut short", "no body", "chunk cut short", "no gzip", "gzip cut short"],
)
async def test_a_broken_body_of_a_success_is_malformed(answer: bytes):
    """A body that is cut short or wrongly compressed is MalformedResponse: the request was executed."""

    async def broken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)
        await writer.drain()

    async with serve_raw(broken) as url:
        error = await failure(url)
    assert isinstance(error, MalformedResponse)
    assert error.status == 200


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 2", b"SSH-2.0-thing\r\n\r\n"])
async def test_no_answer_in_http_is_a_failed_connection(answer: bytes):
    """A connection that ends before a status, or speaks no HTTP, may have executed the request."""

    async def broken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)
        await writer.drain()

    async with serve_raw(broken) as url:
        error = await failure(url)
    assert isinstance(error, ConnectionFailed)
    assert error.sent


async def test_a_redirect_is_an_answer():
    """The transport follows nothing: a redirect comes back as it is."""

    async def away(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    async with serve(away) as server:
        answer = await fetch(server.url)
        assert server.sends == 1
    assert (answer.status, answer.header("location")) == (302, "/elsewhere")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
async def test_a_dropped_kept_connection_is_no_hidden_repeat(method: str):
    """When the server drops a kept-alive connection upon the next request, that request was sent once."""
    sends: list[str] = []

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sends.append((await read_request(reader))[0])
        writer.write(http())
        await writer.drain()
        sends.append((await read_request(reader))[0])

    async with serve_raw(once) as url:
        transport = AiohttpTransport(ClientConfig())
        await transport.send(Request(method="GET", url=f"{url}/first"))
        with pytest.raises(ConnectionFailed) as caught:
            await transport.send(Request(method=method, url=f"{url}/second"))
        assert caught.value.sent
        assert sends == ["GET /first HTTP/1.1", f"{method} /second HTTP/1.1"]
        await transport.aclose()


async def test_calls_share_one_connection():
    """Twenty calls one after another open one connection."""
    async with serve(ok) as server:
        transport = AiohttpTransport(ClientConfig())
        for _ in range(20):
            await transport.send(Request(method="GET", url=server.url))
        assert (server.sends, server.connections, transport.connections) == (20, 1, 1)
        await transport.aclose()
        assert transport.connections == 0


async def test_connections_never_exceed_the_concurrency():
    """A hundred sends at once open at most `concurrency` connections."""
    async with serve(ok) as server:
        transport = AiohttpTransport(ClientConfig(concurrency=3))
        await asyncio.gather(*(transport.send(Request(method="GET", url=server.url)) for _ in range(100)))
        assert server.sends == 100
        assert server.peak <= 3
        assert server.connections <= 3
        await transport.aclose()


async def test_a_cancelled_send_gives_its_connection_back():
    """A send that is cancelled leaves no connection in use, and the next one works."""
    hold = asyncio.Event()

    async def held(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/held":
            await hold.wait()
        return await ok(request)

    async with serve(held) as server:
        transport = AiohttpTransport(ClientConfig(concurrency=1))
        send = asyncio.create_task(transport.send(Request(method="GET", url=f"{server.url}/held")))
        while not server.sends:
            await asyncio.sleep(0)
        send.cancel()
        with pytest.raises(asyncio.CancelledError):
            await send
        assert (await transport.send(Request(method="GET", url=server.url))).status == 200
        assert transport.connections == 1
        hold.set()
        await transport.aclose()


@pytest.mark.parametrize("url", ["http:///nowhere", "nonsense", "ftp://127.0.0.1/"])
async def test_what_is_no_address_is_an_error_of_the_configuration(url: str):
    """An address that cannot be called is refused before anything is sent."""
    assert isinstance(await failure(url), ConfigurationError)


async def test_a_line_break_in_a_header_is_refused_without_showing_it():
    """A header that would split the request is refused, and its value stands in no message."""
    async with serve(ok) as server:
        transport = AiohttpTransport(ClientConfig())
        headers = {"Authorization": "Bearer hush\r\nX: y"}
        with pytest.raises(ConfigurationError) as caught:
            await transport.send(Request(method="GET", url=server.url, headers=headers))
        assert "hush" not in str(caught.value)
        assert server.sends == 0
        await transport.aclose()


def closed_port() -> int:
    """Return a port where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
