"""What every folder of tests shares: options, a Redis, a mock of aiohttp, watches over answers and secrets.

Every simulator of Nimble that a test starts in this process, or in one forked from it, is watched, and
each exchange held against the vendor's description, where that is at hand: see `contract.judging`.
Not seen are the few simulators in processes of their own (`simulate` and `demo`, which `tests/cli` runs as
commands), answers that a fault spoils on purpose, and refusals that say nothing of the request (401, 402,
429 and 5xx).
The simulator's fixtures come from the plugin that the package ships (`nimble_async.testing.pytest_plugin`).
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest

from nimble_async.testing import watching
from tests.canaries import Watch
from tests.contract.description import FILE, description
from tests.contract.judging import Judge, verdict
from tests.services import Missing, RedisServer, redis_server, required, running_redis

Service = TypeVar("Service")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a longer run of the same tests be asked for."""
    parser.addoption("--drift", type=int, default=1000, help="exports of a drifting account (default 1000)")
    parser.addoption("--kills", type=int, default=50, help="kills of a running export (default 50)")


def pytest_configure(config: pytest.Config) -> None:
    """Look for secrets in all that the tests show, and make the marker of undescribed exchanges known."""
    config.pluginmanager.register(Watch(config), "canaries")
    config.addinivalue_line(
        "markers",
        "undescribed(*complaints, reason): this test provokes these complaints of the vendor's description",
    )


@pytest.fixture(scope="session", autouse=True)
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge | None]:
    """Watch every simulator of this run that is Nimble."""
    if not FILE.exists():
        yield None
        return
    judge = Judge(description(), tmp_path_factory.mktemp("judge") / "complaints")
    with watching(judge.watch):
        yield judge
    judge.close()


@pytest.fixture(autouse=True)
def judged(request: pytest.FixtureRequest, judge: Judge | None) -> Iterator[None]:
    """Fail a test with an exchange that is not as described, unless it says so beforehand."""
    yield
    if judge is not None:
        wrong = verdict(judge.news(), request.node.get_closest_marker("undescribed"))
        assert not wrong, wrong


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """Run one Redis for the whole session and give its address: use keys that no other test uses."""
    with _present(redis_server()) as url:
        yield url


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """Run a Redis for one test alone, which may stop and restart it."""
    with _present(running_redis()) as server:
        yield server


@contextmanager
def _present(service: AbstractContextManager[Service]) -> Iterator[Service]:
    """Skip where a server is not installed, or fail where it has to be."""
    with ExitStack() as stack:
        try:
            running = stack.enter_context(service)
        except Missing as missing:
            if required():
                pytest.fail(str(missing))
            pytest.skip(str(missing))
        yield running


@pytest.fixture
def mocked_http(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give aioresponses, which answers in the place of aiohttp's sessions."""
    import aiohttp
    import aioresponses.core

    class Answer(aiohttp.ClientResponse):
        """The answer of aiohttp 3.14, whose new argument aioresponses 0.7.9 does not pass."""

        def __init__(self, *args: Any, stream_writer: Any = None, **rest: Any) -> None:
            rest["stream_writer"] = stream_writer or SimpleNamespace(output_size=0)
            super().__init__(*args, **rest)

    if "stream_writer" in inspect.signature(aiohttp.ClientResponse.__init__).parameters:
        monkeypatch.setattr(aioresponses.core, "ClientResponse", Answer)
    with aioresponses.aioresponses() as mocked:
        yield mocked
