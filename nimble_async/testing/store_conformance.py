"""What a token store must do, as functions to run on your own.

    from nimble_async.testing.store_conformance import RULES

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
    async def test_my_store(rule, tmp_path):
        await rule(lambda: MyStore(tmp_path / "tokens"))

Each rule takes a function that opens one more handle on the same place, which is empty when the
rule begins, and raises `AssertionError` where the store breaks the rule. The store's `save`,
`load`, `delete` and `lock` are described in `nimble_async._aio.ports.TokenStore`.

A lock that runs out by itself has to do so in less than half a second here, or the rule of the slow
holder shows nothing. What no function can show is the death of a process: that its lock is free
after it, try for yourself.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nimble_async._sansio.secret import Secret
from nimble_async._sansio.tokens import TokenRecord

if TYPE_CHECKING:
    # The simulator's package runs no code of the client; this is the client's protocol, for checkers only.
    from nimble_async._aio.ports import TokenSaver, TokenStore

__all__ = [
    "RULES",
    "OpenStore",
    "Rule",
    "a_cancelled_wait_holds_nothing",
    "a_record_comes_back_whole",
    "a_slow_holder_stores_nothing",
    "a_wrong_generation_stores_nothing",
    "an_empty_store_holds_nothing",
    "an_error_inside_frees_the_lock",
    "deleting_forgets",
    "every_loop_may_use_it",
    "it_shows_no_secret",
    "one_of_many_savers_wins",
    "record",
    "the_holder_saves_through_its_lock",
    "the_lock_keeps_others_out",
    "the_lock_may_change_hands",
    "waiting_for_the_lock_blocks_nobody",
]

OpenStore = Callable[[], "TokenStore"]
Rule = Callable[[OpenStore], Awaitable[None]]
_SLOW = 0.8
"""Seconds for which a holder stands still, so that a lock that runs out is lost."""


def record(gen: int = 1) -> TokenRecord:
    """Return a record in which no member has its default."""
    return TokenRecord(
        gen=gen,
        access=Secret(f"simaccess_{gen:06x}-é"),
        refresh=Secret(f"simrefresh_{gen:06x}"),
        prev_refresh_hash=f"hash-{gen}",
        login="a-login",
        obtained_wall=1_780_000_000.25,
        obtained_date_hdr=1_780_000_001.0,
        expires_in=599.5,
        state="refreshing",
        since=1_780_000_002.5,
        reason="a reason",
    )


def _holds(fact: bool, rule: str) -> None:  # noqa: FBT001 (an assertion, read as a sentence)
    if not fact:
        raise AssertionError(rule)


async def an_empty_store_holds_nothing(open_store: OpenStore) -> None:
    """Loading from an empty store gives None, and deleting from it does nothing."""
    store = open_store()
    _holds(await store.load() is None, "an empty store loads None")
    await store.delete()
    _holds(await store.load() is None, "deleting from an empty store leaves it empty")


async def a_record_comes_back_whole(open_store: OpenStore) -> None:
    """Every member comes back as it was, through another handle too, also the absent ones."""
    for kept in (record(), TokenRecord(gen=2, access=Secret("only"))):
        _holds(await open_store().save(kept), "a save without `expected` is always done")
        _holds(await open_store().load() == kept, "what is loaded equals what was saved, member by member")


async def deleting_forgets(open_store: OpenStore) -> None:
    """After a delete nothing is loaded, and a first record can be stored again."""
    store = open_store()
    await store.save(record(5))
    await store.delete()
    _holds(await open_store().load() is None, "a deleted record is gone for every handle")
    _holds(await store.save(record(1), expected=0), "after a delete the store counts as empty")


async def a_wrong_generation_stores_nothing(open_store: OpenStore) -> None:
    """`expected` is held against the stored generation; 0 stands for an empty store."""
    store = open_store()
    _holds(
        not await store.save(record(2), expected=1), "nothing is stored over a generation that is not there"
    )
    _holds(await store.load() is None, "a refused save stores nothing")
    _holds(await store.save(record(1), expected=0), "`expected=0` stores into an empty store")
    _holds(not await store.save(record(9), expected=0), "`expected=0` does not store over a record")
    _holds(not await store.save(record(9), expected=2), "a wrong generation is refused")
    _holds(await store.load() == record(1), "a refused save leaves what was there")
    _holds(await store.save(record(2), expected=1), "the right generation is stored over")
    _holds(
        await store.save(replace(record(2), state="dead"), expected=2),
        "the same generation may be stored again",
    )


async def one_of_many_savers_wins(open_store: OpenStore) -> None:
    """Comparing and storing are one step: of many who save over one generation, one is told True."""
    await open_store().save(record(1))
    mine = [replace(record(2), access=Secret(f"saver {number}")) for number in range(20)]
    async with asyncio.TaskGroup() as group:
        saving = [group.create_task(open_store().save(one, expected=1)) for one in mine]
    won = [one for one, task in zip(mine, saving, strict=True) if task.result()]
    _holds(len(won) == 1, f"exactly one save over a generation is done, not {len(won)}")
    _holds(await open_store().load() == won[0], "what is stored is what the one who was told True saved")


async def the_lock_keeps_others_out(open_store: OpenStore) -> None:
    """Of many tasks with handles of their own, one at a time is inside."""
    inside = most = done = 0

    async def enter() -> None:
        nonlocal inside, most, done
        async with open_store().lock():
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.001)
            inside -= 1
            done += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(12):
            group.create_task(enter())
    _holds(most == 1, f"one task at a time holds the lock, not {most}")
    _holds(done == 12, "everybody gets the lock in the end")


async def waiting_for_the_lock_blocks_nobody(open_store: OpenStore) -> None:
    """While somebody waits for the lock, other tasks run, and its holder can load and save."""
    async with open_store().lock():
        waiting = asyncio.create_task(_enter_and_leave(open_store()))
        for _ in range(20):
            await asyncio.sleep(0.001)
        _holds(not waiting.done(), "a second task does not get a lock that is held")
        _holds(await open_store().save(record(1), expected=0), "the holder of the lock can save")
        _holds(await open_store().load() == record(1), "the holder of the lock can load")
    await asyncio.wait_for(waiting, 10)


async def a_cancelled_wait_holds_nothing(open_store: OpenStore) -> None:
    """Somebody who is cancelled while waiting for the lock does not have it afterwards."""
    async with open_store().lock():
        waiting = [asyncio.create_task(_enter_and_leave(open_store())) for _ in range(5)]
        await asyncio.sleep(0.02)
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
    await asyncio.wait_for(_enter_and_leave(open_store()), 10)


async def an_error_inside_frees_the_lock(open_store: OpenStore) -> None:
    """Leaving the lock by an error, or by a cancellation, lets it go and passes the error on."""
    for error in (ValueError("inside"), asyncio.CancelledError()):
        try:
            async with open_store().lock():
                raise error
        except (ValueError, asyncio.CancelledError) as passed:
            _holds(passed is error, "an error inside the lock comes out as it is")
        await asyncio.wait_for(_enter_and_leave(open_store()), 10)


async def the_lock_may_change_hands(open_store: OpenStore) -> None:
    """The lock is entered in one task and left in another."""
    lock = open_store().lock()
    await asyncio.create_task(_coroutine(lock.__aenter__()))
    await asyncio.create_task(_coroutine(lock.__aexit__(None, None, None)))
    await asyncio.wait_for(_enter_and_leave(open_store()), 10)


async def the_holder_saves_through_its_lock(open_store: OpenStore) -> None:
    """What the lock gives, where that can save, saves for its holder as the store itself does."""
    async with open_store().lock() as given:
        saver = _saver(given, open_store())
        _holds(await saver.save(record(1), expected=0), "the holder stores through its lock")
        _holds(not await saver.save(record(3), expected=2), "a wrong generation is refused there, too")
        _holds(await saver.save(record(2)), "a save without `expected` is always done there, too")
    _holds(await open_store().load() == record(2), "what was saved through a lock is loaded")


async def a_slow_holder_stores_nothing(open_store: OpenStore) -> None:
    """A holder that stood still keeps its lock; or it has lost it, and what it saves then is refused."""
    store = open_store()
    await store.save(record(1))
    entered, stored = threading.Event(), list[bool]()
    late = replace(record(2), access=Secret("late"))

    async def slow() -> None:
        async with open_store().lock() as given:
            entered.set()
            time.sleep(_SLOW)  # noqa: ASYNC251 (the loop stands still, and with it what renews a lock)
            stored.append(await _saver(given, open_store()).save(late, expected=1))

    thread = asyncio.create_task(asyncio.to_thread(asyncio.run, slow()))
    await asyncio.to_thread(entered.wait, 10)
    async with store.lock():
        was_alone = bool(stored)
        await asyncio.wait({thread}, timeout=_SLOW + 10)
    await thread
    _holds(
        stored == [was_alone], "a holder stores as long as it has the lock, and nothing once another got it"
    )
    _holds(
        await store.load() == (late if was_alone else record(1)), "what a holder without a lock saves is not"
    )


async def every_loop_may_use_it(open_store: OpenStore) -> None:
    """One handle serves several loops, and the lock keeps them apart, too."""
    store, order = open_store(), list[str]()

    async def elsewhere() -> None:
        async with store.lock():
            order.append("second")
            await store.save(record(2), expected=1)

    async with store.lock():
        await store.save(record(1))
        thread = asyncio.create_task(asyncio.to_thread(asyncio.run, elsewhere()))
        await asyncio.sleep(0.05)
        order.append("first")
    await asyncio.wait_for(thread, 20)
    _holds(order == ["first", "second"], "the lock keeps another loop out until it is left")
    _holds(await store.load() == record(2), "what another loop saved is loaded")


async def it_shows_no_secret(open_store: OpenStore) -> None:
    """Neither the store's repr nor its str shows what it keeps."""
    store = open_store()
    await store.save(record(1))
    await store.load()
    shown = f"{store!r} {store!s} {getattr(store, 'name', '')}"
    _holds("simaccess_" not in shown and "simrefresh_" not in shown, "a store shows no secret")


def _saver(given: TokenSaver | None, store: TokenStore) -> TokenSaver:
    return store if given is None else given


async def _enter_and_leave(store: TokenStore) -> None:
    async with store.lock():
        pass


async def _coroutine(awaitable: Awaitable[object]) -> None:
    await awaitable


RULES: tuple[Rule, ...] = (
    an_empty_store_holds_nothing,
    a_record_comes_back_whole,
    deleting_forgets,
    a_wrong_generation_stores_nothing,
    one_of_many_savers_wins,
    the_lock_keeps_others_out,
    waiting_for_the_lock_blocks_nobody,
    a_cancelled_wait_holds_nothing,
    an_error_inside_frees_the_lock,
    the_lock_may_change_hands,
    the_holder_saves_through_its_lock,
    a_slow_holder_stores_nothing,
    every_loop_may_use_it,
    it_shows_no_secret,
)
"""Every rule, in the order in which a new store is best made to keep them."""
