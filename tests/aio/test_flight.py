"""A flight lands for everybody who waits, whoever is cancelled and whichever loop ends."""

from __future__ import annotations

import asyncio

import pytest

from nimble_async._aio.flight import Flight, again, sure
from nimble_async.errors import NotFound, ReauthRequired, StoreError, TokenRefreshFailed
from nimble_async.testing.clock import run_virtual
from tests.aio.token_server import HandClock, TokenServer


async def _quick():
    await asyncio.sleep(0)
    return 7


async def test_flight_gives_its_result_to_all():
    """Those who came before and after the landing get the same result."""
    flight = Flight(_quick)
    early = asyncio.create_task(flight.landed())
    flight.start()
    assert await early == 7
    assert await flight.landed() == 7
    assert not flight.stranded


async def test_flight_is_noted_before_waiters_go_on():
    """The one who keeps the flight hears of its end before a waiter does."""
    order: list[object] = []
    flight = Flight(_quick, ended=lambda flight, error: order.append(error))
    flight.start()
    await flight.wait()
    order.append("waiter")
    assert order == [None, "waiter"]


async def test_flight_that_is_cut_off_before_it_began_fails():
    """A flight whose task is cancelled before its first step lands with an error instead of never."""
    flight = Flight(_quick)
    flight.start()
    assert flight._task is not None
    flight._task.cancel()
    with pytest.raises(TokenRefreshFailed, match="before it began"):
        await flight.landed()


def test_flight_of_a_loop_that_ended_is_no_failure():
    """Where the end of a loop cut a renewal off before its first step, the next loop renews at once."""
    for steps in range(12):
        server = TokenServer(HandClock(), pause=0)
        oauth = server.credentials(token=str(server.issue()["refresh_token"]))

        async def dying(oauth=oauth, steps=steps):
            kept = asyncio.create_task(oauth.proof())
            for _ in range(steps):
                await asyncio.sleep(0)
            return kept

        asyncio.run(dying())
        assert server.accepts(asyncio.run(oauth.proof()))


def test_interrupt_goes_through_and_lands():
    """Ctrl-C inside a flight reaches the loop; those who wait are told."""

    async def interrupted():
        raise KeyboardInterrupt

    flights = []

    async def main():
        flights.append(Flight(interrupted))
        flights[0].start()
        await flights[0].wait()

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(main())
    with pytest.raises(TokenRefreshFailed, match="KeyboardInterrupt"):
        asyncio.run(flights[0].landed())


def test_waiter_of_a_loop_that_stopped_is_told():
    """Waiting from another loop for a flight whose loop stands still ends with an error."""
    loop = asyncio.new_event_loop()

    async def take_off():
        flight = Flight(lambda: asyncio.sleep(3600))
        flight.start()
        return flight

    flight = loop.run_until_complete(take_off())
    assert flight.stranded
    with pytest.raises(TokenRefreshFailed, match="stopped"):
        asyncio.run(flight.wait())
    assert flight._task is not None
    flight._task.cancel()
    loop.run_until_complete(asyncio.wait({flight._task}))
    loop.close()


def test_waiter_whose_loop_is_closed_is_passed_over():
    """A flight that lands after a waiter's loop was closed lands for the others."""

    async def main():
        gate = asyncio.Event()
        flight = Flight(gate.wait)
        flight.start()
        other = asyncio.new_event_loop()
        waiter = other.create_future()
        flight._waiters.add(waiter)
        other.close()
        gate.set()
        return await flight.landed()

    assert asyncio.run(main()) is True


async def test_step_survives_the_cancellation_of_its_flight():
    """Cancelling who runs a step does not cancel the step."""
    gate = asyncio.Event()
    runner = asyncio.create_task(sure(gate.wait, limit=5))
    await asyncio.sleep(0)
    for _ in range(3):
        runner.cancel()
        await asyncio.sleep(0)
    gate.set()
    assert await runner is True


async def test_step_that_is_cut_off_is_made_again():
    """A step that is cancelled itself is made again twice, then the cancellation is passed on."""
    made: list[asyncio.Task[object]] = []

    async def step():
        task = asyncio.current_task()
        assert task is not None
        made.append(task)
        await asyncio.sleep(3600)

    runner = asyncio.create_task(sure(step, limit=5, repeats=2))
    for count in range(1, 4):
        while len(made) < count:
            await asyncio.sleep(0)
        made[-1].cancel()
    with pytest.raises(asyncio.CancelledError):
        await runner
    assert len(made) == 3


def test_step_that_hangs_is_given_up():
    """A step longer than its limit is cancelled and reported; one that ignores it is left behind."""

    async def stubborn():
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                if asyncio.get_running_loop().time() > 3600:
                    raise

    async def late():
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            return "late"

    async def main():
        for step in (lambda: asyncio.sleep(3600), stubborn):
            with pytest.raises(StoreError, match="longer than 5 s"):
                await sure(step, limit=5)
        assert await sure(late, limit=5) == "late"
        await asyncio.sleep(3600)

    run_virtual(main())


def test_error_for_many_is_a_copy_with_everything():
    """A copy has the kind, the words and every attribute; foreign errors become a failed renewal."""
    error = NotFound("gone", kind="contact", id="1", status=404, hint="Look.")
    copy = again(error)
    assert copy is not error
    assert (type(copy), str(copy), copy.__dict__) == (NotFound, "gone Look.", error.__dict__)
    assert type(again(ReauthRequired("x"))) is ReauthRequired
    assert type(again(KeyError("x"))) is TokenRefreshFailed
