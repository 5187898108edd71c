"""The wire: the one place that knows the aiohttp client.

Rule: one `send` is one request on the wire. Redirects are not followed, nothing is repeated,
the environment's proxies are not read. Bodies are inflated here and counted meanwhile: aiohttp
would let a gzip body that lacks its end pass. What aiohttp raises dies here and comes out as one
of ours, by the table at the end.

A session belongs to the loop it was made on, so each loop gets its own, at its first send. It
is closed by `aclose`, or at the end of its loop, or when the transport is collected, whichever
comes first.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
import sys
import threading
import weakref
from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
from yarl import URL

from nimble_async._aio.discretion import frameless, without_frames
from nimble_async._sansio.inflate import Inflater
from nimble_async._sansio.message import Request, Response
from nimble_async._sansio.secret import Secret
from nimble_async.config import ClientConfig
from nimble_async.errors import (
    ConfigurationError,
    ConnectionFailed,
    CrmError,
    MalformedResponse,
    TimedOut,
)

__all__ = ["AiohttpTransport"]

_CHUNK = 256 * 1024
_LARGE_BLOCK = 4 * 1024 * 1024
"""Asked for and freed untouched, so it costs no memory."""


class AiohttpTransport:
    """Sends requests with aiohttp, one session for each event loop."""

    def __init__(self, config: ClientConfig) -> None:
        self._config = config
        self._proxy, self._proxy_proof = _proxy(config.proxy)
        self._tls = _tls(config.tls)
        self._timeout = _timeout(config, None)
        self._sessions: dict[asyncio.AbstractEventLoop, _LoopSession] = {}
        self._lock = threading.Lock()
        self._finalizer = weakref.finalize(self, _close_left_over, self._sessions)

    async def send(self, request: Request, *, timeout: float | None = None) -> Response:
        """Send once and return the whole answer, whatever its status.

        Raises:
            ConnectionFailed: No answer; `.sent` is False where nothing can have arrived.
            TimedOut: The answer took longer than the configured times or `timeout` (seconds).
            MalformedResponse: The body is too large, cut short or wrongly compressed.
        """
        handled = sys.exception()
        loop = asyncio.get_running_loop()
        held = self._sessions.get(loop)
        if held is None or held.session.closed:
            held = await self._open(loop)
        try:
            async with held.session.request(
                request.method,
                URL(request.url, encoded=True),
                data=request.body,
                allow_redirects=False,
                **self._headers(request),
                ssl=self._tls,
                timeout=self._timeout if timeout is None else _timeout(self._config, timeout),
            ) as answer:
                body = await self._read(answer)
                headers = {name.lower(): value for name, value in answer.headers.items()}
                return Response(status=answer.status, headers=headers, body=body)
        except _TRANSLATED as error:
            trouble = _translate(error, request)
            # What names the address, or comes with the request's headers, is not passed on.
            cause = None if isinstance(error, _TELLING) else without_frames(error, handled)
        except BaseException as error:
            # Also a cancellation would show aiohttp's frames, and there the headers.
            raise without_frames(error, handled)  # noqa: B904 (it is the same error)
        raise trouble from cause

    def _headers(self, request: Request) -> dict[str, Any]:
        """Return the headers of a request, and where a proxy carries it, which one and what it is told.

        A proxy reads a plain request itself; for a secure one it is asked by a request of its own.
        """
        if self._proxy is None:
            return {"headers": request.headers}
        proof = {"Proxy-Authorization": self._proxy_proof.reveal()} if self._proxy_proof else {}
        if request.url.startswith("https:"):
            return {"headers": request.headers, "proxy": self._proxy, "proxy_headers": proof}
        return {"headers": {**request.headers, **proof}, "proxy": self._proxy}

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        longest = self._config.longest_body
        coding = answer.headers.get("Content-Encoding", "identity").lower()
        pieces: list[bytes] = []
        room = longest
        try:
            inflater = None if coding == "identity" else Inflater(coding)
            while piece := await answer.content.readany():
                if inflater is not None:
                    piece = inflater.feed(piece, longest=room + 1)
                pieces.append(piece)
                room -= len(piece)
                if room < 0:
                    answer.close()
                    raise MalformedResponse(
                        f"The answer is larger than {longest} bytes.",
                        status=answer.status,
                        final=True,
                        hint="Raise ClientConfig.longest_body if that is expected.",
                    )
            if inflater is not None:
                inflater.finish()
        except (aiohttp.ClientPayloadError, ValueError) as error:
            raise MalformedResponse(
                f"The answer of {answer.url.authority} was cut short or wrongly compressed: {error}.",
                status=answer.status,
            ) from error
        return b"".join(pieces) if len(pieces) != 1 else pieces[0]

    async def _open(self, loop: asyncio.AbstractEventLoop) -> _LoopSession:
        # glibc hands freed memory back at once until the process has freed one large block, and
        # then each page of a listing faults its memory in anew: that tripled the cost of a send.
        bytes(_LARGE_BLOCK)
        held = _LoopSession(self._config)
        with self._lock:
            _drop_closed_loops(self._sessions)
            self._sessions[loop] = held
        await held.watch()
        return held

    async def aclose(self) -> None:
        """Close every connection of every loop; a later send opens new ones."""
        here = asyncio.get_running_loop()
        with self._lock:
            sessions = dict(self._sessions)
            self._sessions.clear()
        own = sessions.pop(here, None)
        _close_left_over(sessions)
        if own is not None:
            await own.aclose()

    @property
    def connections(self) -> int:
        """Connections open now, idle ones included."""
        return sum(held.connections for held in list(self._sessions.values()))


class _LoopSession:
    """One aiohttp session, and the generator that hears of the end of its loop."""

    def __init__(self, config: ClientConfig) -> None:
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=config.concurrency),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            headers={"Accept-Encoding": "gzip, deflate"},
            read_bufsize=_CHUNK,
            auto_decompress=False,
        )
        # aiohttp repeats an idempotent request by itself when a kept connection breaks: such
        # a send would be neither paced nor counted. The switch has no public name.
        self.session._retry_connection = False  # noqa: SLF001 (as said)
        self._watcher = _close_at_the_end(self.session)

    async def watch(self) -> None:
        """Start the generator: from now on the loop closes it when it shuts down."""
        await self._watcher.asend(None)

    async def aclose(self) -> None:
        await self._watcher.aclose()
        await self.session.close()

    def close_now(self) -> None:
        """Close without waiting, on the session's own loop or where that no longer runs."""
        connector = self.session.connector
        self.session.detach()
        if connector is not None:
            if connector._loop.is_closed():  # noqa: SLF001 (no public way to its loop)
                _cut(connector)
            connector._close(abort_ssl=True)  # noqa: SLF001 (the public close needs the running loop)
        # The session is closed, so the generator has nothing to wait for and ends at once.
        with contextlib.suppress(StopIteration, RuntimeError):
            self._watcher.aclose().send(None)

    @property
    def connections(self) -> int:
        connector = self.session.connector
        if connector is None:
            return 0
        return len(connector._acquired) + sum(map(len, connector._conns.values()))  # noqa: SLF001 (no public count)


async def _close_at_the_end(session: aiohttp.ClientSession) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await session.close()


def _cut(connector: aiohttp.BaseConnector) -> None:
    """Close the sockets of a closed loop: its transports cannot, and would complain when collected."""
    idle = [protocol for kept in connector._conns.values() for protocol, _ in kept]  # noqa: SLF001 (no public list)
    for protocol in [*idle, *connector._acquired]:  # noqa: SLF001 (no public list)
        outer: Any = protocol.transport
        inner: Any = getattr(getattr(outer, "_ssl_protocol", None), "_transport", None)
        for transport in (outer, inner):
            raw = getattr(transport, "_sock", None)
            if raw is not None:
                raw.close()
                transport._sock = None  # noqa: SLF001 (it says whether a transport is closed)
        if inner is not None:
            outer._closed = True  # noqa: SLF001 (the same of TLS)


def _close_left_over(sessions: dict[asyncio.AbstractEventLoop, _LoopSession]) -> None:
    """Close what is left, wherever it belongs to: a collected transport is told in any thread."""
    for loop, held in sessions.items():
        if loop.is_running():
            # It may end in between, and then closes its sessions itself.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(held.close_now)
        else:
            held.close_now()
    sessions.clear()


def _drop_closed_loops(sessions: dict[asyncio.AbstractEventLoop, _LoopSession]) -> None:
    for loop in [loop for loop in sessions if loop.is_closed()]:
        sessions.pop(loop).close_now()


def _timeout(config: ClientConfig, total: float | None) -> aiohttp.ClientTimeout:
    times = config.timeouts
    return aiohttp.ClientTimeout(
        total=times.total if total is None else max(0.001, min(total, times.total)),
        sock_connect=times.connect,
        sock_read=times.read,
    )


@frameless
def _proxy(address: str | None) -> tuple[URL | None, Secret | None]:
    """Take a proxy's address apart: aiohttp's errors and warnings would quote a password in it."""
    if address is None:
        return None, None
    url = URL(address)
    if url.user is None:
        return url, None
    words = f"{url.user}:{url.password or ''}".encode()
    return url.with_user(None), Secret(f"Basic {base64.b64encode(words).decode()}")


def _tls(trust: ssl.SSLContext | str | None) -> ssl.SSLContext | bool:
    if trust is None:
        return True
    if isinstance(trust, ssl.SSLContext):
        return trust
    try:
        return ssl.create_default_context(cafile=trust)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"ClientConfig.tls: {trust!r} holds no certificates that can be read ({error})."
        ) from error


_TRANSLATED = (aiohttp.ClientError, TimeoutError, OSError, ValueError)
_TELLING = (aiohttp.ClientResponseError, aiohttp.InvalidURL)


def _translate(error: Exception, request: Request) -> CrmError:  # noqa: PLR0911 (a table)
    """Turn what aiohttp raises into ours; the most specific first."""
    host = URL(request.url).authority
    reason = str(error) or type(error).__name__
    if isinstance(error, aiohttp.ClientResponseError):
        reason = f"{error.status}, {error.message}"  # without the address, whose query may hold anything
    match error:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return ConnectionFailed(
                f"No trusted connection to {host}: {reason}.", sent=False,
                hint="Name the authority to trust in ClientConfig.tls.",
            )  # fmt: skip
        case aiohttp.ClientProxyConnectionError() | aiohttp.ClientHttpProxyError():
            return ConnectionFailed(f"The proxy gave no connection to {host}: {reason}.", sent=False)
        case aiohttp.ClientConnectorError():
            return ConnectionFailed(
                f"No connection to {host}: {reason}.", sent=False,
                hint="Is the address right, and is it reachable?",
            )  # fmt: skip
        case aiohttp.ConnectionTimeoutError():
            return TimedOut(f"{host} took too long to accept a connection.", sent=False)
        case TimeoutError():
            return TimedOut(f"{host} took too long to answer.")
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return ConfigurationError(
                f"{request.url.partition('?')[0]!r} is not an address that can be called."
            )
        case aiohttp.ClientResponseError():
            return ConnectionFailed(f"{host} did not answer in HTTP: {reason}.")
        case aiohttp.ClientError() | OSError():
            return ConnectionFailed(f"The connection to {host} broke: {reason}.")
        case _:
            return ConfigurationError(f"The request cannot be sent: {reason}.")
