"""Frames are taken from what is raised where secrets are plain, and from nothing else."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import pytest

from nimble_async._aio.discretion import frameless
from nimble_async._aio.transport import AiohttpTransport
from nimble_async._sansio.message import Request
from nimble_async.config import ClientConfig
from nimble_async.errors import ConnectionFailed


@frameless
def fails(secret: str) -> None:
    """Fail with a cause, both of them with a secret in their frames."""
    try:
        int(secret)
    except ValueError as error:
        raise KeyError("k") from error


@frameless
async def fails_later(secret: str) -> None:
    fails(secret)


async def at_once() -> None:
    fails("CANARY")


async def later() -> None:
    await fails_later("CANARY")


async def on_the_wire() -> None:
    transport = AiohttpTransport(ClientConfig())
    try:
        await transport.send(Request(method="GET", url="http://127.0.0.1:9/", headers={}, body=None))
    finally:
        await transport.aclose()


WAYS: list[Any] = [at_once, later, on_the_wire]


def names(error: BaseException | None) -> list[str]:
    """Return the functions of the frames that an error shows."""
    assert error is not None
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


@pytest.mark.parametrize("way", WAYS)
async def test_what_the_caller_handles_keeps_its_frames(way: Callable[[], Any]):
    """A call that fails in somebody's `except` takes nothing from what is handled there, and its cause."""

    def theirs() -> None:
        try:
            int("x")
        except ValueError as cause:
            raise LookupError from cause

    shown: list[list[str]] = []
    try:
        theirs()
    except LookupError as handled:
        with pytest.raises((KeyError, ConnectionFailed)):
            await way()
        shown += [names(handled), names(handled.__cause__)]
    assert ["theirs" in one for one in shown] == [True, True]


@pytest.mark.parametrize("way", [at_once, later])
async def test_what_is_raised_inside_shows_no_frame_of_it(way: Callable[[], Any]):
    """Neither the error nor what led to it shows the function in which the secret was plain."""
    with pytest.raises(KeyError) as caught:
        await way()
    assert not {"fails", "fails_later"} & {*names(caught.value), *names(caught.value.__cause__)}
    assert caught.value.__notes__
