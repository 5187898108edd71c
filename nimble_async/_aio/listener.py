"""Waiting on this machine for a login to come back from the browser.

Rule: it listens on loopback only, reads no more of a request than its head, and waits for the one
visit that carries our state; everybody else gets a page. What a visit comes to is decided in
`_sansio.redirect`.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
from collections.abc import Callable
from types import TracebackType
from typing import Self

from nimble_async._sansio.redirect import (
    LONGEST_HEAD,
    Awaited,
    Loopback,
    Visit,
    answer_visit,
    judge_visit,
    read_head,
)
from nimble_async.errors import ConfigurationError, LoginRefused

__all__ = ["RedirectListener"]

_READ_LIMIT = 10.0
"""Seconds for a request's head to arrive."""
_CROWD = 32
"""Connections that are served at once; for one more, the one that has been silent longest is closed."""
_NO_SUCH_ADDRESS = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
_PASTE = "or use `nimble-async login --redirected -`, which needs no port: it takes the address by hand."


class RedirectListener:
    """Listens on a redirect address: `async with RedirectListener(where, awaited) as l: await l.wait(300)`.

    Until it is left it answers every visit, also after the first good one.

    Args:
        where: The registered address.
        awaited: The login that is waited for.
        refused: Told why, when a visit looks like an answer and is none.
    """

    def __init__(
        self, where: Loopback, awaited: Awaited, *, refused: Callable[[str], object] = lambda _: None
    ) -> None:
        self._where, self._awaited, self._refused = where, awaited, refused
        self._servers: list[asyncio.Server] = []
        self._visitors: set[asyncio.Task[None]] = set()
        self._silent: dict[asyncio.Task[None], None] = {}
        """Those whose request has not come yet, the oldest first."""
        self._leaving: set[asyncio.Task[None]] = set()
        self._came: asyncio.Future[Visit] | None = None

    async def __aenter__(self) -> Self:
        """Listen.

        Raises:
            ConfigurationError: The port cannot be had.
        """
        self._came = asyncio.get_running_loop().create_future()
        try:
            for host in self._where.hosts:
                await self._listen(host, last=host == self._where.hosts[-1])
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close the port and every connection."""
        for server in self._servers:
            server.close()
        self._servers.clear()
        visitors = [*self._visitors, *self._leaving]
        for task in visitors:
            task.cancel()
        if visitors:
            await asyncio.wait(visitors)

    async def wait(self, timeout: float) -> str:
        """Return the path and query that carry the code.

        Args:
            timeout: Seconds.

        Raises:
            LoginRefused: The vendor says that the login failed, or nobody came in time.
        """
        assert self._came is not None, "it is entered first"  # noqa: S101 (`async with` does)
        try:
            async with asyncio.timeout(timeout):
                visit = await asyncio.shield(self._came)
        except TimeoutError as error:
            raise LoginRefused(
                f"Nobody signed in within {timeout:g} s.", hint="Begin the login again."
            ) from error
        if visit.error is not None:
            raise visit.error
        return visit.target.reveal() if visit.target else ""

    async def _listen(self, host: str, *, last: bool) -> None:
        where = f"[{host}]:{self._where.port}" if ":" in host else f"{host}:{self._where.port}"
        try:
            server = await asyncio.start_server(
                self._accept, host, self._where.port, limit=LONGEST_HEAD, backlog=_CROWD
            )
        except OSError as error:
            # `localhost` is good with either family.
            if error.errno in _NO_SUCH_ADDRESS and (self._servers or not last):
                return
            why = {
                errno.EADDRINUSE: "another program has it",
                errno.EACCES: "this user may not open it",
            }.get(error.errno or 0, error.strerror or "the system refuses")
            raise ConfigurationError(
                f"Cannot listen on {where}, the registered redirect address: {why}.",
                hint=f"Free it, {_PASTE}",
            ) from error
        self._servers.append(server)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 (a coroutine runs in a task)
        self._visitors.add(task)
        try:
            self._make_room()
            if len(self._visitors) <= _CROWD:
                self._silent[task] = None
                await self._serve(task, reader, writer)
        except asyncio.CancelledError:
            # The listener is closed, or the place was wanted; the streams would report it as an error.
            pass
        finally:
            self._silent.pop(task, None)
            self._visitors.discard(task)
            writer.close()

    def _make_room(self) -> None:
        """Close the connection that has been silent longest: silence must not keep the person out."""
        if len(self._visitors) > _CROWD and self._silent:
            oldest = next(iter(self._silent))
            del self._silent[oldest]
            self._visitors.discard(oldest)
            self._leaving.add(oldest)
            oldest.add_done_callback(self._leaving.discard)
            oldest.cancel()

    async def _serve(
        self, task: asyncio.Task[None], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(
            OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError
        ):
            async with asyncio.timeout(_READ_LIMIT):
                head = read_head(await reader.readuntil(b"\r\n\r\n"))
                self._silent.pop(task, None)
                if head is None:
                    return
                visit = self._judge(*head)
                writer.write(answer_visit(visit))
                await writer.drain()

    def _judge(self, method: str, target: str, host: str) -> Visit:
        came = self._came
        assert came is not None  # noqa: S101 (it is made before anybody can come)
        visit = judge_visit(method, target, host, awaited=self._awaited, over=came.done())
        if visit.refused:
            self._refused(visit.refused)
        if visit.target is not None or visit.error is not None:
            came.set_result(visit)
        return visit
