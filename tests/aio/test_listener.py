"""Waiting on loopback for a login to come back: over real sockets, with visitors of every kind."""

from __future__ import annotations

import asyncio
import socket

import pytest

from nimble_async._aio.listener import RedirectListener
from nimble_async._sansio.login import LoginRequest
from nimble_async._sansio.redirect import Awaited, Loopback, loopback_of
from nimble_async._sansio.secret import Secret
from nimble_async.errors import ConfigurationError, LoginRefused

LOGIN = LoginRequest(url="https://crm.example/oauth/authorize", state="good", verifier=Secret("v"))
AWAITED = Awaited(path="/callback", login=LOGIN, base_url="https://crm.example")


@pytest.fixture
def port() -> int:
    """Give a port that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free: int = probe.getsockname()[1]
        return free


def _listener(port: int, host: str = "127.0.0.1", **rest) -> RedirectListener:
    where = loopback_of(f"http://{host}:{port}/callback")
    assert where is not None
    return RedirectListener(where, AWAITED, **rest)


async def _visit(port: int, target: str, *, host: str = "127.0.0.1", method: str = "GET") -> bytes:
    return await _send(port, f"{method} {target} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode(), host=host)


async def _send(port: int, data: bytes, *, host: str = "127.0.0.1") -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(data)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_the_first_good_visit_is_taken_and_the_second_told(port):
    """Other visits get their pages, the good one ends the wait, a later one is told that it is over."""
    refused: list[str] = []
    async with _listener(port, refused=refused.append) as listener:
        assert b" 404 " in await _visit(port, "/favicon.ico")
        assert b" 405 " in await _visit(port, "/callback?code=a&state=good", method="POST")
        assert b" 400 " in await _visit(port, "/callback?code=a&state=bad")
        assert b" 400 " in await _visit(port, "/callback?code=a")
        assert b" 200 " in await _visit(port, "/callback?code=a&state=good")
        assert await listener.wait(5) == "/callback?code=a&state=good"
        assert b" 410 " in await _visit(port, "/callback?code=b&state=good")
        assert await listener.wait(5) == "/callback?code=a&state=good"
    assert ["state that was not sent" in refused[0], "without its state" in refused[1]] == [True, True]
    with pytest.raises(ConnectionRefusedError):
        await _visit(port, "/callback")


async def test_a_denial_ends_the_wait(port):
    """What the vendor refused is raised where it is waited for."""
    async with _listener(port) as listener:
        await _visit(port, "/callback?error=access_denied&state=good")
        with pytest.raises(LoginRefused, match="denied"):
            await listener.wait(5)


async def test_nobody_comes_in_time(port):
    """The wait ends by itself and says so."""
    async with _listener(port) as listener:
        with pytest.raises(LoginRefused, match=r"within 0\.01 s"):
            await listener.wait(0.01)


async def test_localhost_is_both_families(port):
    """A browser may take `localhost` for either address; both end the same login."""
    async with _listener(port, "localhost") as listener:
        assert b" 404 " in await _visit(port, "/")
        for family in ("::1",) if _has_ipv6() else ("127.0.0.1",):
            assert b" 200 " in await _visit_literal(port, family)
        assert await listener.wait(5)


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


async def _visit_literal(port: int, host: str) -> bytes:
    data = f"GET /callback?code=a&state=good HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode()
    return await _send(port, data, host=host)


async def test_it_listens_on_loopback_alone(port):
    """The port is open on the registered literal and on no other address of this machine."""
    async with _listener(port) as listener:
        names = [server.sockets[0].getsockname() for server in listener._servers]
        assert names == [("127.0.0.1", port)]


async def test_a_family_that_the_machine_has_not_is_done_without(port):
    """`localhost` is good with either family, whichever comes first; with none there is nowhere to listen."""
    there, missing = "127.0.0.1", "192.0.2.1"  # the second is an address of documents
    for hosts in ((missing, there), (there, missing)):
        async with RedirectListener(Loopback(hosts=hosts, port=port, path="/callback"), AWAITED) as listener:
            await _visit(port, "/callback?code=a&state=good")
            assert await listener.wait(5)
    with pytest.raises(ConfigurationError, match=r"192\.0\.2\.1"):
        async with RedirectListener(Loopback(hosts=(missing,), port=port, path="/"), AWAITED):
            pass


async def test_a_port_that_is_taken_is_told_with_the_way_around(port):
    """The error names the address and the way that needs no port; nothing stays open."""
    async with _listener(port):
        with pytest.raises(ConfigurationError) as told:
            async with _listener(port, "localhost"):
                pass
    assert f"127.0.0.1:{port}" in told.value.message
    assert "another program has it" in told.value.message
    assert "--redirected -" in told.value.hint


async def test_what_is_no_request_gets_no_answer(port):
    """Noise, a head without end and a silent visitor hold nobody up."""
    async with _listener(port) as listener:
        assert await _send(port, b"\x16\x03\x01\r\n\r\n") == b""
        assert await _send(port, b"GET /callback?" + b"x" * 20_000 + b"\r\n\r\n") == b""
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        silent[0][1].close()
        assert b" 200 " in await _visit(port, "/callback?code=a&state=good")
        await listener.wait(5)
    for _, writer in silent:
        writer.close()


async def test_a_silent_crowd_keeps_nobody_out(port):
    """Where more connections stay silent than it serves, the oldest are closed and the person gets in."""
    async with _listener(port) as listener:
        crowd = [await asyncio.open_connection("127.0.0.1", port) for _ in range(40)]
        turned_away = [asyncio.create_task(reader.read()) for reader, _ in crowd]
        done, _ = await asyncio.wait(turned_away, timeout=2, return_when=asyncio.FIRST_COMPLETED)
        assert {task.result() for task in done} == {b""}
        assert turned_away[0] in done
        assert turned_away[-1] not in done
        assert b" 200 " in await _visit(port, "/callback?code=a&state=good")
        await listener.wait(5)
        for _, writer in crowd:
            writer.close()
        await asyncio.wait(turned_away)


async def test_a_wait_that_is_cancelled_closes_the_port(port):
    """Ctrl-C leaves no port open and no task behind."""

    async def waiting() -> None:
        async with _listener(port) as listener:
            await listener.wait(60)

    task = asyncio.create_task(waiting())
    while not task.done():
        try:
            await _visit(port, "/")
            break
        except ConnectionRefusedError:
            await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    with pytest.raises(ConnectionRefusedError):
        await _visit(port, "/")
    assert asyncio.all_tasks() == {asyncio.current_task()}
