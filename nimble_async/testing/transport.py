"""The simulator in process: the client's transport port joined to the core, on the loop's time.

No socket, no thread, no bytes on a wire: with `run_virtual` an export of an hour takes a second.
The answer is taken at the instant of sending, one slice of the world, and arrives after the
latency; a rate rule judges at the instant of sending, too.
"""

from __future__ import annotations

import asyncio

from nimble_async._sansio.message import Request, Response
from nimble_async.errors import ConnectionFailed, MalformedResponse, TimedOut
from nimble_async.testing.simulator import Reply, Simulator

__all__ = ["SimulatorTransport"]


class SimulatorTransport:
    """Sends to a `Simulator`; satisfies the client's `Transport` port."""

    def __init__(self, simulator: Simulator, *, timeout: float = 120.0) -> None:
        self.simulator = simulator
        self.timeout = timeout
        """Seconds for one attempt, where `send` is not told less."""
        self.closed: bool = False

    async def send(self, request: Request, *, timeout: float | None = None) -> Response:
        """Send once and return the whole answer, whatever its status.

        Raises:
            ConnectionFailed: A fault reset the connection.
            TimedOut: Latency or a slow body took longer than `timeout` seconds.
            MalformedResponse: A fault cut the body short or broke its compression.
        """
        loop = asyncio.get_running_loop()
        reply = self.simulator.handle(request, loop.time())
        patience = self.timeout if timeout is None else min(timeout, self.timeout)
        needed = reply.delay + reply.seconds
        try:
            await asyncio.sleep(min(needed, patience))
        finally:
            self.simulator.finish(reply, loop.time())
        if needed > patience:
            raise TimedOut(f"The simulator took longer than {patience:g} seconds.")
        return _arrived(reply)

    async def aclose(self) -> None:
        """Note that the client is done; a later send works."""
        self.closed = True


def _arrived(reply: Reply) -> Response:
    """Return what arrives of a reply, or raise what a client sees instead."""
    if reply.fault == "reset":
        raise ConnectionFailed("The simulator reset the connection.", sent=True)
    if reply.fault == "truncate":
        body = reply.response.body[: reply.after]
        raise MalformedResponse("The simulator cut the body short.", body=body, status=reply.response.status)
    if reply.fault == "bad_gzip":
        raise MalformedResponse(
            "The simulator broke the compression of the body.", status=reply.response.status
        )
    return reply.response
