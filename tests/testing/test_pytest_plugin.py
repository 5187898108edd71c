"""The fixtures that users get."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request

import pytest

import nimble_async.testing
from nimble_async._sansio.message import Request
from nimble_async.testing import run_virtual


def test_importing_the_package_is_cheap():
    """Neither the package nor the plugin loads the HTTP library before something needs it."""
    code = (
        "import sys, nimble_async.testing, nimble_async.testing.pytest_plugin; "
        "assert not [name for name in sys.modules if name.startswith('aiohttp')]; "
        "nimble_async.testing.SimulatorServer; assert 'aiohttp' in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_public_name_loads():
    """`__all__` is what can be had, in order, and nothing else can."""
    names = nimble_async.testing.__all__
    assert list(names) == sorted(names)
    assert all(getattr(nimble_async.testing, name) is not None for name in names)
    assert set(names) <= set(dir(nimble_async.testing))
    with pytest.raises(AttributeError):
        nimble_async.testing.Nothing  # noqa: B018 (looking is the test)


def test_an_account_is_served_for_a_test(nimble_simulator):
    """The fixture is a small account behind real HTTP."""
    request = urllib.request.Request(
        f"{nimble_simulator.base_url}/api/v1/contacts",
        headers={"Authorization": f"Bearer {nimble_simulator.api_key}"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert json.load(answer)["meta"]["total"] == 250
    assert nimble_simulator.simulator.calls("contacts.list") == 1


@pytest.mark.nimble_simulator(contacts=7, latency=2.5)
def test_the_marker_describes_the_account(nimble_transport):
    """The marker takes the options of the command; the transport joins it in process."""

    async def main() -> int:
        headers = {"authorization": f"Bearer {nimble_transport.simulator.api_key}"}
        response = await nimble_transport.send(
            Request(method="GET", url="http://s/api/v1/contacts/ids", headers=headers)
        )
        return json.loads(response.body)["meta"]["total"]

    assert run_virtual(main()) == 7
    assert nimble_transport.simulator.latency == 2.5
