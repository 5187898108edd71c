"""Fixtures for users' tests, found by pytest through the entry point `nimble_async`.

    def test_my_import(nimble_simulator):
        run_my_code(base_url=nimble_simulator.base_url, api_key=nimble_simulator.api_key)
        assert nimble_simulator.simulator.calls("contacts.list") == 1

    @pytest.mark.nimble_simulator(contacts=500, rate="10/1s", retry_after=True)
    def test_my_import_waits(nimble_simulator): ...

`nimble_simulator` is a simulated account behind real HTTP on loopback, new for each test, served
from a thread: tests of any kind, async or not, can use it. The marker takes the members of
`SimulateOptions`. `nimble_transport` is the same account joined in process, for `run_virtual`.
Nothing heavy is imported until a fixture is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from nimble_async.testing.server import ServedSimulator
    from nimble_async.testing.simulator import Simulator
    from nimble_async.testing.transport import SimulatorTransport

__all__ = ["nimble_simulator", "nimble_transport", "pytest_configure"]

_CONTACTS = 250
_DEALS = 40


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, so that strict markers allow it."""
    config.addinivalue_line(
        "markers",
        "nimble_simulator(**options): the members of SimulateOptions for this test's simulated account",
    )


def _simulator(request: pytest.FixtureRequest) -> Simulator:
    from nimble_async.testing.options import SimulateOptions, build

    marker = request.node.get_closest_marker("nimble_simulator")
    asked: dict[str, Any] = {"contacts": _CONTACTS, "deals": _DEALS}
    return build(SimulateOptions(**(asked | (marker.kwargs if marker else {}))))


@pytest.fixture
def nimble_simulator(request: pytest.FixtureRequest) -> Iterator[ServedSimulator]:
    """Serve a simulated account over real HTTP: `.base_url`, `.api_key`, `.simulator`, `.statistics()`."""
    from nimble_async.testing.server import ServedSimulator

    with ServedSimulator(_simulator(request)) as served:
        yield served


@pytest.fixture
def nimble_transport(request: pytest.FixtureRequest) -> SimulatorTransport:
    """Join a simulated account in process, on the running loop's time; `.simulator` is the core."""
    from nimble_async.testing.transport import SimulatorTransport

    return SimulatorTransport(_simulator(request))
