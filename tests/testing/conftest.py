"""What the tests of the simulator share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nimble_async.testing import Simulator, World
from tests.testing.asking import Account, Asked
from tests.testing.asking import ask as ask_simulator


@pytest.fixture
def ask() -> Callable[..., Asked]:
    """Return the function that asks."""
    return ask_simulator


@pytest.fixture
def account() -> Account:
    """Return a small account at rest."""
    return Account(Simulator(World(contacts=60, deals=40, seed=5)))
