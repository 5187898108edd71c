"""A simulated vendor: for tests of this package, for users' own tests, and for trying things out.

`Simulator` is the core, `World` the account inside it. `SimulatorServer` and `ServedSimulator` put
it behind real HTTP on loopback; `SimulatorTransport` joins it to a client in process, on the
virtual time of `run_virtual`; `watching` tells of every exchange. The names are loaded when they are
first used.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nimble_async.testing.call import Behaviour
    from nimble_async.testing.clock import VirtualClock, run_virtual
    from nimble_async.testing.faults import Fault
    from nimble_async.testing.oauth import OAuthSettings
    from nimble_async.testing.options import SimulateOptions
    from nimble_async.testing.rates import Rates
    from nimble_async.testing.server import ServedSimulator, SimulatorServer, serve
    from nimble_async.testing.simulator import Simulator
    from nimble_async.testing.transport import SimulatorTransport
    from nimble_async.testing.watches import watching
    from nimble_async.testing.world import Drift, World

__all__ = [
    "Behaviour",
    "Drift",
    "Fault",
    "OAuthSettings",
    "Rates",
    "ServedSimulator",
    "SimulateOptions",
    "Simulator",
    "SimulatorServer",
    "SimulatorTransport",
    "VirtualClock",
    "World",
    "run_virtual",
    "serve",
    "watching",
]

_HOMES = MappingProxyType(
    {
        "Behaviour": "call",
        "Drift": "world",
        "Fault": "faults",
        "OAuthSettings": "oauth",
        "Rates": "rates",
        "ServedSimulator": "server",
        "SimulateOptions": "options",
        "Simulator": "simulator",
        "SimulatorServer": "server",
        "SimulatorTransport": "transport",
        "VirtualClock": "clock",
        "World": "world",
        "run_virtual": "clock",
        "serve": "server",
        "watching": "watches",
    }
)


def __getattr__(name: str) -> Any:
    """Load a public name from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Name what can be loaded."""
    return sorted({*globals(), *__all__})
