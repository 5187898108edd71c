"""The simulator joined in process, on virtual time."""

from __future__ import annotations

import asyncio
import json

import pytest

from nimble_async._sansio.message import Request, Response
from nimble_async.errors import ConnectionFailed, MalformedResponse, TimedOut
from nimble_async.testing import Drift, Fault, Rates, Simulator, SimulatorTransport, World, run_virtual


def _request(simulator: Simulator, path: str = "/api/v1/myself") -> Request:
    return Request(
        method="GET", url=f"http://s{path}", headers={"authorization": f"Bearer {simulator.api_key}"}
    )


def test_an_answer_takes_its_latency():
    """The answer arrives after the latency, on the loop's time."""
    simulator = Simulator(World(contacts=3), latency=0.25)

    async def main() -> tuple[Response, float]:
        response = await SimulatorTransport(simulator).send(_request(simulator))
        return response, asyncio.get_running_loop().time()

    response, ended = run_virtual(main())
    assert response.status == 200
    assert ended == pytest.approx(0.25)
    assert simulator.in_flight == 0


def test_the_answer_is_the_world_at_sending():
    """What happens while an answer travels is not in it."""
    simulator = Simulator(World(contacts=3), latency=10)

    async def main() -> Response:
        sending = asyncio.create_task(
            SimulatorTransport(simulator).send(_request(simulator, "/api/v1/contacts"))
        )
        await asyncio.sleep(5)
        simulator.world.insert_contact(5)
        return await sending

    assert json.loads(run_virtual(main()).body)["meta"]["total"] == 3


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(kind="reset"), ConnectionFailed),
        (Fault(kind="truncate"), MalformedResponse),
        (Fault(kind="bad_gzip"), MalformedResponse),
        (Fault(kind="slow", seconds=31), TimedOut),
    ],
)
def test_faults_raise_what_a_client_would_see(fault, error):
    """Each mishap of the wire is the error that the port promises, and gives its place back."""
    simulator = Simulator(World(contacts=3), faults=[fault])

    async def main() -> None:
        await SimulatorTransport(simulator).send(_request(simulator), timeout=30)

    with pytest.raises(error):
        run_virtual(main())
    assert simulator.in_flight == 0


def test_a_slow_body_arrives_within_the_timeout():
    """A body that drips for less than the timeout is an answer."""
    simulator = Simulator(World(contacts=3), faults=[Fault(kind="slow", seconds=29)])

    async def main() -> int:
        transport = SimulatorTransport(simulator)
        response = await transport.send(_request(simulator), timeout=30)
        await transport.aclose()
        assert transport.closed
        return response.status

    assert run_virtual(main()) == 200


def test_a_cancelled_send_gives_its_place_back():
    """A caller that leaves is no longer in flight."""
    simulator = Simulator(World(contacts=3), latency=10)

    async def main() -> None:
        async with asyncio.timeout(1):
            await SimulatorTransport(simulator).send(_request(simulator))

    with pytest.raises(TimeoutError):
        run_virtual(main())
    assert (simulator.in_flight, simulator.peak_in_flight) == (0, 1)


def _story(seed: int) -> tuple[list[object], list[str]]:
    """Let eight workers read a drifting account for ten minutes; return the log and who is left."""
    world = World(contacts=60, deals=10, seed=seed, slim=True, drift=Drift.even(0.5))
    rates = Rates.named("5/1s", "sliding-log")
    faults = [Fault(kind="reset", probability=0.05), Fault(kind="status", probability=0.05)]
    simulator = Simulator(world, rates=rates, faults=faults, latency=0.2, jitter=0.5, seed=seed)

    async def worker(number: int) -> None:
        transport = SimulatorTransport(simulator)
        while asyncio.get_running_loop().time() < 120:
            request = _request(simulator, f"/api/v1/contacts?sort=created:asc&page={number}&per_page=10")
            try:
                await transport.send(request)
            except ConnectionFailed:
                await asyncio.sleep(1)

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(1, 9):
                group.create_task(worker(number))

    run_virtual(main())
    return list(simulator.log), world.contacts.ids()


def test_equal_seeds_tell_the_same_story():
    """Two runs with one seed have the same log, to the instant; another seed has another."""
    one, two, other = _story(1), _story(1), _story(2)
    assert len(one[0]) > 1000
    assert one == two
    assert one != other
