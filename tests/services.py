"""Servers that tests start on free ports of their own and end by their own process number."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Missing", "RedisServer", "redis_server", "running_redis"]

_START_LIMIT = 10.0


class Missing(RuntimeError):
    """A server is not installed."""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class RedisServer:
    """A Redis of its own: it keeps nothing on a disk, and may be ended, hung or started again at will.

    Args:
        folder: Where it may put what it needs while it runs.
        options: Further options of its command line, such as `--requirepass`.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = _free_port()
        self._folder = folder
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address that clients take."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            Missing: There is no `redis-server`.
            RuntimeError: It does not come up.
        """
        program = shutil.which("redis-server")
        if program is None:
            raise Missing("redis-server is not installed: run `make services`")
        self._process = subprocess.Popen(
            [
                program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder),
                "--save", "", "--appendonly", "no", "--daemonize", "no", *self._options,
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until = time.monotonic() + _START_LIMIT
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise RuntimeError("redis-server did not come up")
            time.sleep(0.01)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                # A server that wants a password says -NOAUTH: it is up all the same.
                return connection.recv(64)[:1] in {b"+", b"-"}
        except OSError:
            return False

    def stop(self) -> None:
        """End it at once, with all it holds."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()

    def hang(self) -> None:
        """Let it stand still: it accepts connections and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@contextmanager
def running_redis(*options: str) -> Iterator[RedisServer]:
    """Start a Redis, give it out, and end it: for a test that ends, hangs or restarts it itself."""
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        server = RedisServer(Path(folder), *options)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def redis_server(*options: str) -> Iterator[str]:
    """Start a Redis on a free port; the value is its address, `redis://127.0.0.1:PORT/0`.

    Raises:
        Missing: There is no `redis-server`.
    """
    with running_redis(*options) as server:
        yield server.url


def required() -> bool:
    """Return whether a missing server is an error: where the environment says `CI=true`."""
    return os.environ.get("CI") == "true"
