"""Which of the clients that share a login renews it."""

from __future__ import annotations

import gc
from typing import Any

from nimble_async._aio.attached import Attached, Ports
from tests.aio.token_server import HandClock


class Plain:
    """A transport that can be referred to weakly."""


class Slotted:
    """A transport that cannot."""

    __slots__ = ()


def ports(transport: Any) -> Ports:
    return Ports(transport, HandClock(), "http://127.0.0.1")


def renewing(attached: Attached) -> object:
    current = attached.current()
    return current and current.transport


def test_last_one_opened_renews_and_then_the_one_before():
    """The newest open client renews; as each closes, the newest of the rest; then the last that closed."""
    attached = Attached()
    kinds: list[Any] = [Plain(), Slotted(), Plain()]
    assert renewing(attached) is None
    for transport in kinds:
        attached.add(ports(transport))
    for left in (3, 2, 1):
        assert len(attached) == left
        assert renewing(attached) is kinds[left - 1]
        attached.remove(kinds[left - 1])
    assert len(attached) == 0
    assert renewing(attached) is kinds[0]


def test_closing_another_one_changes_nothing():
    """A client that does not renew closes unnoticed; one that is opened twice counts once."""
    attached = Attached()
    first: Any = Plain()
    second: Any = Plain()
    for transport in (first, second, first):
        attached.add(ports(transport))
    assert len(attached) == 2
    attached.remove(second)
    assert renewing(attached) is first
    attached.remove(ports(Plain()).transport)
    assert len(attached) == 1


def test_those_that_are_gone_are_passed_over():
    """A client that was dropped is not renewed through."""
    attached, first = Attached(), Plain()
    attached.add(ports(first))
    attached.add(ports(Plain()))
    last: Any = Plain()
    attached.add(ports(last))
    gc.collect()
    attached.remove(last)
    assert renewing(attached) is first
