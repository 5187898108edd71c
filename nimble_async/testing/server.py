"""The simulator behind real HTTP: sockets, the machine's clock, and the faults of a wire.

Rule: what to answer is the core's business; here it only travels. Beside the vendor's paths it
serves `/__simulator__/stats`, `/__simulator__/world` and `/__simulator__/control`.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import struct
import sys
import threading
import time
from types import TracebackType
from typing import Any, Self

import msgspec
from aiohttp import web

from nimble_async._sansio.message import Request
from nimble_async.testing.faults import Fault
from nimble_async.testing.options import SimulateOptions, build
from nimble_async.testing.rates import Rates
from nimble_async.testing.simulator import Reply, Simulator

__all__ = ["ServedSimulator", "SimulatorServer", "serve"]

_CONTROL = "/__simulator__/"
_PIECES = 10
_LONGEST_BODY = 64 * 1024 * 1024


class _Control(msgspec.Struct, forbid_unknown_fields=True):
    """What `POST /__simulator__/control` takes; `action` is another way to name one of the first four."""

    action: str | None = None
    expire: bool = False
    revoke: bool = False
    issue: bool = False
    still: bool | None = None
    faults: list[Fault] | None = None
    rate: str | None = None


class _CountingServer(web.Server):
    """A raw server that tells the core of each connection."""

    def __init__(self, handler: Any, simulator: Simulator) -> None:
        super().__init__(handler, access_log=None)
        self._simulator = simulator

    def connection_made(self, handler: Any, transport: asyncio.Transport) -> None:
        """Count one more connection."""
        self._simulator.connections += 1
        super().connection_made(handler, transport)


class SimulatorServer:
    """Serves a simulator on loopback: `async with SimulatorServer(simulator) as server: server.base_url`.

    The simulation's clock starts at 0 when the server does, at the machine's wall time.
    """

    def __init__(self, simulator: Simulator | None = None, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.simulator: Simulator = Simulator() if simulator is None else simulator
        self._host = host
        self._port = port
        self._runner: web.ServerRunner | None = None
        self._zero = 0.0

    @property
    def base_url(self) -> str:
        """Where it listens, once it does."""
        return f"http://{self._host}:{self._port}"

    @property
    def api_key(self) -> str:
        """The key this account accepts."""
        return self.simulator.api_key

    def now(self) -> float:
        """Return the simulation's seconds."""
        return time.monotonic() - self._zero

    async def __aenter__(self) -> Self:
        """Listen."""
        self._zero = time.monotonic() - self.simulator.world.now
        self.simulator.world.align(time.time() - self.simulator.world.now)
        self._runner = web.ServerRunner(_CountingServer(self._serve, self.simulator), shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith(_CONTROL):
            return await self._steer(request)
        body = await request.read() if request.can_read_body else None
        message = Request(
            method=request.method,
            url=f"{self.base_url}{request.raw_path}",
            headers=dict(request.headers),
            body=body,
        )
        reply = self.simulator.handle(message, self.now(), wire=True)
        try:
            if reply.delay > 0:
                await asyncio.sleep(reply.delay)
            return await self._travel(request, reply)
        finally:
            self.simulator.finish(reply, self.now())

    async def _travel(self, request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
        """Send the answer as the reply says; a fault of the wire is carried out here."""
        answer = reply.response
        if reply.fault not in {"reset", "truncate", "slow"}:
            return web.Response(status=answer.status, headers=answer.headers, body=answer.body)
        if reply.fault == "reset" and reply.after == 0:
            _reset(request)
            return web.Response()
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        response.content_length = len(answer.body)
        await response.prepare(request)
        # A client that gave up is no trouble of the server's.
        with contextlib.suppress(ConnectionError):
            if reply.fault == "slow":
                await _drip(response, answer.body, reply.seconds)
                return response
            await response.write(answer.body[: reply.after])
        if reply.fault == "reset":
            await asyncio.sleep(0.05)  # let the bytes leave: a reset throws away what is queued
            _reset(request)
        elif request.transport is not None:
            request.transport.close()
        return response

    async def _steer(self, request: web.BaseRequest) -> web.Response:
        """Answer the endpoints of the simulator itself."""
        simulator = self.simulator
        simulator.world.advance(self.now())
        name = request.path.removeprefix(_CONTROL)
        if name == "stats" and request.method == "GET":
            return _json(simulator.statistics())
        if name == "world" and request.method == "GET":
            return _json({"contacts": simulator.world.contacts.ids(), "deals": simulator.world.deals.ids()})
        if name == "control" and request.method == "POST":
            return self._control(await request.read())
        return _json({"message": "There are stats, world (GET) and control (POST) here"}, status=404)

    def _control(self, body: bytes) -> web.Response:
        try:
            asked = msgspec.json.decode(body or b"{}", type=_Control)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return _json({"message": str(error)}, status=400)
        simulator = self.simulator
        done: dict[str, Any] = {}
        if asked.expire or asked.action == "expire":
            simulator.oauth.expire()
            done["expire"] = True
        if asked.revoke or asked.action == "revoke":
            simulator.oauth.revoke()
            done["revoke"] = True
        if asked.issue or asked.action == "issue":
            done["token"] = simulator.oauth.issue(self.now())
        if asked.still is not None or asked.action == "still":
            simulator.world.still(on=asked.still is not False)
            done["still"] = asked.still is not False
        if asked.faults is not None:
            simulator.script(asked.faults)
            done["faults"] = len(asked.faults)
        if asked.rate is not None:
            simulator.rates = Rates.named(asked.rate)
            done["rate"] = asked.rate
        if not done:
            return _json(
                {"message": "Nothing to do: expire, revoke, issue, still, faults or rate"}, status=400
            )
        return _json(done)


class ServedSimulator:
    """A `SimulatorServer` in a thread with its own loop, for code of any kind, async or not.

    `with ServedSimulator(simulator) as served:` the core may be looked at from outside
    (`served.simulator.calls(...)`); change it through `run` only.
    """

    def __init__(self, simulator: Simulator | None = None) -> None:
        self._server = SimulatorServer(simulator)
        self._ready = threading.Event()
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="nimble-simulator", daemon=True)

    @property
    def simulator(self) -> Simulator:
        """The core."""
        return self._server.simulator

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return self._server.base_url

    @property
    def api_key(self) -> str:
        """The key this account accepts."""
        return self._server.api_key

    def statistics(self) -> dict[str, Any]:
        """Return the core's counters."""
        return self.simulator.statistics()

    def run(self, change: Any) -> Any:
        """Call `change(simulator, now)` in the server's thread and return what it returns."""

        async def call() -> Any:
            return change(self.simulator, self._server.now())

        if self._loop is None:
            raise RuntimeError("The simulator is not served yet.")
        return asyncio.run_coroutine_threadsafe(call(), self._loop).result()

    def __enter__(self) -> Self:
        """Start the thread and wait until it listens."""
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving and end the thread."""
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        async with self._server:
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            self._ready.set()
            await self._stop.wait()


def serve(options: SimulateOptions) -> int:
    """Serve until SIGINT or SIGTERM; one JSON line on stdout says where, once it is ready.

    Returns the process's exit code, 0.

    Raises:
        ConfigurationError: The options cannot be used.
        OSError: The port is taken.
    """
    simulator = build(options, epoch=time.time())
    asyncio.run(_serve_until_told(simulator, options))
    return 0


async def _serve_until_told(simulator: Simulator, options: SimulateOptions) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for told in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(told, stop.set)
    async with SimulatorServer(simulator, port=options.port) as server:
        ready: dict[str, Any] = {"base_url": server.base_url}
        if simulator.vendor.oauth:
            ready |= {
                "api_key": server.api_key,
                "client_id": simulator.oauth.client_id,
                "client_secret": simulator.oauth.client_secret,
                "redirect_uri": options.redirect_uri,
            }
        else:
            ready["api_token"] = server.api_key
        ready |= {
            "contacts": options.contacts,
            "deals": options.deals,
            "seed": options.seed,
        }
        sys.stdout.write(msgspec.json.encode(ready).decode() + "\n")
        sys.stdout.flush()
        await stop.wait()


def _json(value: object, *, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(value), content_type="application/json")


def _reset(request: web.BaseRequest) -> None:
    """Break the connection with a reset instead of an orderly end."""
    transport = request.transport
    if transport is None:
        return
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def _drip(response: web.StreamResponse, body: bytes, seconds: float) -> None:
    """Write a body in ten pieces over so many seconds."""
    size = max(1, -(-len(body) // _PIECES))
    for start in range(0, len(body), size):
        await asyncio.sleep(seconds / _PIECES)
        await response.write(body[start : start + size])
