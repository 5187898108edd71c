"""A login is renewed once, in time, by nobody's cost, and is never lost."""

from __future__ import annotations

import asyncio
import logging
import pickle
import threading
from contextlib import asynccontextmanager
from secrets import token_hex

import pytest
from msgspec.structs import replace

from nimble_async._aio.credentials import ApiKey, OAuth
from nimble_async._aio.ports import Proof
from nimble_async._sansio.secret import Secret
from nimble_async._sansio.tokens import TokenRecord, digest
from nimble_async.errors import (
    ConfigurationError,
    ReauthRequired,
    StoreError,
    TokenRefreshFailed,
)
from nimble_async.stores.file import FileStore
from nimble_async.stores.memory import MemoryStore
from nimble_async.stores.redis import RedisStore
from nimble_async.testing.clock import run_virtual
from tests.aio.token_server import HandClock, TokenServer, stored


@pytest.fixture
def clock():
    """A clock set by hand."""
    return HandClock()


@pytest.fixture
def server(clock):
    """A token server that rotates with no grace at all."""
    return TokenServer(clock)


async def _settle(oauth):
    """Let what runs in the background end."""
    await oauth.aclose()


# --- one renewal, nobody waits ---


async def test_due_token_is_renewed_behind_ten_thousand_callers(server, clock):
    """At 80 % of life ten thousand tasks get the old token at once, and exactly one request is sent."""
    asyncio.get_running_loop().set_debug(False)  # it keeps a stack for each of ten thousand tasks
    oauth = server.credentials(token=server.issue())
    old = await oauth.proof()
    clock.now += 480
    proofs = await asyncio.gather(*(oauth.proof() for _ in range(10_000)))
    assert all(proof is old for proof in proofs)
    await _settle(oauth)
    assert (await oauth.proof()).generation == 2
    assert len(server.posts) == 1


async def test_spent_token_is_renewed_once_for_ten_thousand_callers(server, clock):
    """When the token is spent ten thousand tasks wait for one request and get the new token."""
    asyncio.get_running_loop().set_debug(False)  # it keeps a stack for each of ten thousand tasks
    oauth = server.credentials(token=server.issue())
    await oauth.proof()
    clock.now += 600
    proofs = await asyncio.gather(*(oauth.proof() for _ in range(10_000)))
    assert {proof.generation for proof in proofs} == {2}
    assert server.accepts(proofs[0])
    assert len(server.posts) == 1


async def test_idle_login_is_left_alone(server, clock):
    """While nothing is called nothing is renewed, however old the token gets."""
    oauth = server.credentials(token=server.issue())
    await oauth.proof()
    clock.now += 10_000
    for _ in range(50):
        await asyncio.sleep(0)
    assert server.posts == []


async def test_a_day_of_calls_renews_once_for_each_life(server, clock):
    """Calls every ten seconds through 100 lives: one request for each, and no caller ever has a bad token."""
    oauth = server.credentials(token=server.issue())
    for _ in range(100 * 48):
        assert server.accepts(await oauth.proof())
        await asyncio.sleep(0)
        await _settle(oauth)
        clock.now += 10
    assert len(server.posts) == 99
    assert server.oauth.refused == 0


@pytest.mark.parametrize("life", [1.0, 0.001])
async def test_short_life_does_not_hammer_the_token_server(clock, life):
    """However short a life the server grants, a busy client renews no more often than each 0.8 seconds."""
    server = TokenServer(clock, life=life)
    oauth = server.credentials(token=server.issue())
    for _ in range(60 * 50):
        await oauth.proof()
        await _settle(oauth)
        clock.now += 0.02
    assert 60 <= len(server.posts) <= 60 / 0.8


@pytest.mark.parametrize(("age", "posts"), [(479, 0), (480, 1), (594, 1), (595, 1)])
async def test_renewal_begins_at_four_fifths(server, clock, age, posts):
    """Before 80 % of its life a token is not renewed, from then on it is."""
    oauth = server.credentials(token=server.issue())
    await oauth.proof()
    clock.now += age
    await oauth.proof()
    await _settle(oauth)
    assert len(server.posts) == posts


# --- after a 401 ---


async def test_thousand_refused_calls_renew_once(server):
    """A thousand calls of one generation that got a 401 cause one request, and all may be replayed."""
    oauth = server.credentials(token=server.issue())
    rejected = await oauth.proof()
    assert all(await asyncio.gather(*(oauth.renew(rejected) for _ in range(1000))))
    assert await oauth.renew(rejected)
    assert len(server.posts) == 1
    assert (await oauth.proof()).generation == 2


async def test_refusal_of_the_token_that_is_being_renewed_waits_for_it(server, clock):
    """A 401 during a renewal in the background joins it."""
    oauth = server.credentials(token=server.issue())
    rejected = await oauth.proof()
    clock.now += 500
    await oauth.proof()
    assert await oauth.renew(rejected)
    assert len(server.posts) == 1


async def test_refusal_asks_for_more_than_a_first_load(server):
    """A 401 that meets a flight which only loads the store is not content with the rejected token."""
    store = MemoryStore()
    await server.credentials(token=server.issue(), store=store).proof()
    oauth = server.credentials(store=store)
    first, renewed = await asyncio.gather(
        oauth.proof(), oauth.renew(Proof("Authorization", Secret("Bearer x"), 1))
    )
    assert renewed
    assert first.generation in (1, 2)
    assert (await oauth.proof()).generation == 2
    assert len(server.posts) == 1


async def test_revocation_ends_quickly(server, clock):
    """When the login is revoked a thousand calls in flight cause one request and all ask for a new login."""
    store = MemoryStore()
    oauth = server.credentials(token=server.issue(), store=store)
    rejected = await oauth.proof()
    server.oauth.revoke()
    results = await asyncio.gather(*(oauth.renew(rejected) for _ in range(1000)), return_exceptions=True)
    assert {type(result) for result in results} == {ReauthRequired}
    for _ in range(5):
        clock.now += 2
        with pytest.raises(ReauthRequired, match="Sign in again"):
            await oauth.proof()
        with pytest.raises(ReauthRequired):
            await oauth.renew(rejected)
    assert len(server.posts) == 1
    kept = await stored(store)
    assert (kept.state, kept.gen) == ("dead", 1)
    assert kept.refresh is not None


async def test_each_caller_gets_an_error_of_its_own(server):
    """Errors of one renewal are copies, so that a crowd does not grow one traceback."""
    oauth = server.credentials(token=server.issue())
    rejected = await oauth.proof()
    server.oauth.revoke()
    errors = await asyncio.gather(*(oauth.renew(rejected) for _ in range(5)), return_exceptions=True)
    assert len({id(error) for error in errors}) == 5
    assert len({str(error) for error in errors}) == 1
    assert {getattr(error, "hint", None) for error in errors} == {"Sign in again."}


# --- order and durability ---


async def test_new_pair_is_durable_before_its_first_use(server, tmp_path):
    """The order is: note `refreshing` durably, send, store the new pair durably, use it."""
    store = FileStore(tmp_path / "tokens", trace=lambda step, path: server.events.append(step))
    oauth = server.credentials(token=server.issue(), store=store)
    rejected = await oauth.proof()
    server.events.clear()
    await oauth.renew(rejected)
    server.events.append(f"use {(await oauth.proof()).generation}")
    durable = ["write", "fsync", "rename", "fsync folder"]
    assert server.events == [*durable, "post", *durable, "use 2"]


async def test_refreshing_is_noted_before_the_request(server):
    """While the request is under way the store says so, with the old pair still in it."""
    store, seen = MemoryStore(), []
    oauth = server.credentials(token=server.issue(), store=store)
    rejected = await oauth.proof()

    async def look():
        seen.append(await stored(store))

    server.before_answer = look
    await oauth.renew(rejected)
    assert [(record.state, record.gen, record.since is not None) for record in seen] == [
        ("refreshing", 1, True)
    ]
    kept = await stored(store)
    assert (kept.state, kept.gen, kept.since) == ("idle", 2, None)


@pytest.mark.parametrize("step", ["write", "fsync", "rename"])
async def test_pair_that_cannot_be_stored_is_not_lost(server, clock, tmp_path, step):
    """Where the disk is full when the answer arrives, callers are told; the next one stores it."""
    full: list[bool] = []

    def trace(done, path):
        if done == step and full:
            raise OSError(28, "No space left on device")

    async def fill():
        full.append(True)

    oauth = server.credentials(token=server.issue(), store=FileStore(tmp_path / "tokens", trace=trace))
    rejected = await oauth.proof()
    server.before_answer = fill
    with pytest.raises(StoreError, match="Free some space"):
        await oauth.renew(rejected)
    assert (await oauth.proof()).generation == 1
    full.clear()
    clock.now += 2
    assert await oauth.renew(rejected)
    assert server.accepts(await oauth.proof())
    assert len(server.posts) == 1


# --- cancellation ---


@pytest.fixture(params=["memory", "file", "redis"])
def store_kind(request, tmp_path):
    """A kind of store, and what makes one of it."""
    if request.param == "memory":
        return request.param, MemoryStore(patience=2)
    if request.param == "file":
        return request.param, FileStore(tmp_path / "tokens", patience=2)
    key = f"tokens-{token_hex(4)}"
    return request.param, RedisStore(request.getfixturevalue("redis_url"), key, lease=2, patience=4)


async def _steps(count):
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.mark.parametrize("point", range(45))
async def test_cancelled_caller_cancels_nothing(server, store_kind, point):
    """A caller that is cancelled at any instant of a renewal leaves it running: one request, lock free."""
    _, store = store_kind
    oauth = server.credentials(token=server.issue(), store=store)
    rejected = await oauth.proof()
    caller = asyncio.create_task(oauth.renew(rejected))
    await _steps(1)
    for _ in range(point):
        await asyncio.sleep(0 if point % 2 else 0.0004)
    caller.cancel()
    await asyncio.wait({caller})
    await _settle(oauth)
    assert server.accepts(await oauth.proof())
    assert len(server.posts) == 1
    async with store.lock():
        assert (await stored(store)).gen == 2


@pytest.mark.parametrize("point", range(30))
async def test_end_of_the_loop_does_not_cut_a_renewal_off(clock, store_kind, point):
    """Every task cancelled at any instant, as `asyncio.run` does in the end: the login lives on."""
    kind, store = store_kind
    server = TokenServer(clock, grace=5)
    oauth = server.credentials(token=server.issue(), store=store)
    rejected = await oauth.proof()
    left_behind = {asyncio.create_task(oauth.renew(rejected))}
    for _ in range(point):
        await asyncio.sleep(0 if kind == "memory" else 0.0004)
    others = (asyncio.all_tasks() | left_behind) - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others)
    clock.now += 2
    assert await oauth.renew(rejected)
    assert server.accepts(await oauth.proof())
    assert len(server.posts) <= 2
    async with store.lock():
        kept = await stored(store)
    assert (kept.gen, kept.state) == ((await oauth.proof()).generation, "idle")


async def test_closing_waits_for_a_renewal(server, clock):
    """`aclose` returns when the new pair is stored; a caller need not have waited for it."""
    store = MemoryStore()
    oauth = server.credentials(token=server.issue(), store=store)
    await oauth.proof()
    clock.now += 500
    await oauth.proof()
    await oauth.aclose()
    assert (await stored(store)).gen == 2
    await oauth.aclose()


def test_closing_gives_up_on_a_store_that_hangs(caplog):
    """`aclose` waits twenty seconds for a renewal that hangs, then says so and returns."""

    class Hanging(MemoryStore):
        async def load(self):
            await asyncio.sleep(3600)

    async def main():
        server, loop = TokenServer(HandClock()), asyncio.get_running_loop()
        oauth = server.credentials(store=Hanging())
        caller = asyncio.create_task(oauth.proof())
        await asyncio.sleep(0)
        await oauth.aclose()
        assert loop.time() == pytest.approx(20)
        with pytest.raises(StoreError, match="longer than 45 s"):
            await caller

    run_virtual(main())
    assert "had not ended when its client closed" in caplog.text


@pytest.mark.parametrize("error", [StoreError("gone"), RuntimeError("a bug")])
async def test_lock_that_cannot_be_left_spoils_no_renewal(server, caplog, error):
    """Where the store's lock fails as it is left, the new pair is stored and used, and the log says so."""

    class Failing(MemoryStore):
        @asynccontextmanager
        async def lock(self):
            async with super().lock():
                yield
            raise error

    oauth = server.credentials(token=server.issue(), store=Failing())
    assert await oauth.renew(await oauth.proof())
    assert server.accepts(await oauth.proof())
    assert "could not be released" in caplog.text


async def test_store_without_a_lock_is_found_out(server):
    """A store that another writer changes between read and mark is left alone; nothing is sent."""

    class Changing(MemoryStore):
        async def save(self, record, *, expected=None):
            if record.state == "refreshing":
                await super().save(replace(record, gen=7, state="idle"))
            return await super().save(record, expected=expected)

    oauth = server.credentials(token=server.issue(), store=Changing())
    rejected = await oauth.proof()
    with pytest.raises(TokenRefreshFailed, match="although it was locked"):
        await oauth.renew(rejected)
    assert server.posts == []


# --- loops and threads ---


def test_second_run_goes_on_with_the_same_login(server, clock):
    """One object serves one `asyncio.run` after another, also where the first was left in mid-renewal."""
    server.oauth.settings = replace(server.oauth.settings, grace=5.0)
    oauth, left_behind = server.credentials(token=server.issue()), []

    async def leave_in_the_middle():
        rejected = await oauth.proof()
        left_behind.append(asyncio.create_task(oauth.renew(rejected)))
        await _steps(4)

    asyncio.run(leave_in_the_middle())

    async def go_on():
        return await oauth.proof()

    proof = asyncio.run(go_on())
    assert proof.generation == 2
    assert server.accepts(proof)


def test_loop_that_stopped_in_mid_renewal_is_passed_over(clock):
    """A flight whose loop stands still does not hold up another loop for longer than the store's patience."""
    server = TokenServer(clock, grace=5, pause=20)
    oauth = server.credentials(token=server.issue(), store=MemoryStore(patience=0.05))
    loop = asyncio.new_event_loop()
    rejected = loop.run_until_complete(oauth.proof())
    task = loop.create_task(oauth.renew(rejected))
    loop.run_until_complete(_steps(10))

    async def elsewhere():
        await oauth.aclose()
        with pytest.raises(StoreError, match="locked"):
            await oauth.renew(rejected)

    asyncio.run(elsewhere())
    loop.run_until_complete(asyncio.wait({task}))
    assert task.result()
    loop.close()
    assert asyncio.run(oauth.proof()).generation == 2
    assert len(server.posts) == 1


def test_loops_in_threads_share_one_renewal(clock):
    """Eight loops in eight threads that find the token spent send one request together."""
    server = TokenServer(clock, pause=200)
    oauth = server.credentials(token=server.issue())
    asyncio.run(oauth.proof())
    clock.now += 600
    start, proofs = threading.Barrier(8), []

    async def work():
        start.wait(10)
        proofs.extend(await asyncio.gather(*(oauth.proof() for _ in range(50))))

    threads = [threading.Thread(target=asyncio.run, args=(work(),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(proofs) == 400
    assert {proof.generation for proof in proofs} == {2}
    assert len(server.posts) == 1


# --- answers that do not come ---

AMBIGUOUS = [
    ([503], 2, 2),
    ([503, 429], 3, 2),
    (["reset"], 2, 2),
    (["lost"], 2, 2),
    (["lost", "lost"], 3, 2),
    (["garbled"], 2, 2),
    (["cut"], 2, 2),
    (["unsent", "reset"], 3, 2),
    (["slow"], 2, 2),
]


@pytest.mark.parametrize(("script", "posts", "gen"), AMBIGUOUS)
async def test_unanswered_renewal_is_repeated_with_the_same_token(clock, script, posts, gen):
    """Where no answer came the same refresh token is sent again, and a server with a grace gives the pair."""
    server = TokenServer(clock, grace=20)
    oauth = server.credentials(token=server.issue())
    rejected = await oauth.proof()
    server.script = list(script)
    assert await oauth.renew(rejected)
    assert len(server.posts) == posts
    assert len(set(server.posts)) == 1
    assert (await oauth.proof()).generation == gen


@pytest.mark.parametrize(
    ("script", "posts", "state"),
    [
        ([503] * 9, 3, "refreshing"),
        (["reset"] * 9, 3, "refreshing"),
        (["unsent"] * 9, 3, "idle"),
        (["unsent", 503, "unsent"], 3, "refreshing"),
        (["slow"] * 9, 2, "refreshing"),
        ([404], 1, "idle"),
    ],
)
async def test_renewal_gives_up_and_keeps_the_login(clock, script, posts, state):
    """After two repeats, or ten seconds, it gives up; the record says whether the token may be spent."""
    server, store = TokenServer(clock, grace=60), MemoryStore()
    oauth = server.credentials(token=server.issue(), store=store)
    rejected = await oauth.proof()
    server.script = list(script)
    with pytest.raises(TokenRefreshFailed):
        await oauth.renew(rejected)
    assert len(server.posts) == posts
    assert ((await stored(store)).state, (await stored(store)).gen) == (state, 1)
    server.script.clear()
    clock.now += 2
    assert await oauth.renew(rejected)


async def test_wrong_client_says_so(server):
    """A refusal of the client, not of the token, names what to check and leaves the login as it was."""
    store = MemoryStore()
    oauth = server.credentials(token=server.issue(), store=store, client_secret="wrong")
    rejected = await oauth.proof()
    with pytest.raises(TokenRefreshFailed, match="client_secret"):
        await oauth.renew(rejected)
    assert (await stored(store)).state == "idle"


async def test_bug_of_a_transport_ends_the_renewal(clock):
    """A bug of a transport ends the renewal with an error that names it, and the lock is free."""

    class Broken(TokenServer):
        async def send(self, request, *, timeout=None):
            raise KeyError("a bug")

    server, store = Broken(clock), MemoryStore(patience=0.1)
    oauth = server.credentials(token=server.issue(), store=store)
    rejected = await oauth.proof()
    with pytest.raises(TokenRefreshFailed, match="KeyError"):
        await oauth.renew(rejected)
    async with store.lock():
        assert (await stored(store)).gen == 1


async def test_failure_in_the_background_costs_nobody(server, clock, caplog):
    """While the old token is good calls go on with it; the token server is asked less and less often."""
    oauth = server.credentials(token=server.issue())
    old = await oauth.proof()
    clock.now += 480
    server.script = [503] * 1000
    with caplog.at_level(logging.WARNING):
        for _ in range(110):
            assert await oauth.proof() is old
            await _settle(oauth)
            clock.now += 1
    assert 3 * 4 <= len(server.posts) <= 3 * 8
    server.script.clear()
    clock.now += 10
    assert (await oauth.proof()).generation == 2


async def test_failure_stands_for_a_second(server, clock):
    """A crowd that comes one by one with a spent token asks the failing token server once a second."""
    oauth = server.credentials(token=server.issue())
    await oauth.proof()
    clock.now += 600
    server.script = [404] * 100
    for _ in range(50):
        with pytest.raises(TokenRefreshFailed):
            await oauth.proof()
    assert len(server.posts) == 1
    clock.now += 1
    with pytest.raises(TokenRefreshFailed):
        await oauth.proof()
    assert len(server.posts) == 2


# --- other processes ---


async def test_what_another_process_renewed_is_used(server, clock):
    """Of two objects on one store, the second finds the first one's pair and asks nobody."""
    store = MemoryStore()
    first = server.credentials(token=server.issue(), store=store)
    second = server.credentials(store=store)
    await first.proof()
    rejected = await second.proof()
    assert await first.renew(rejected)
    assert await second.renew(rejected)
    assert (await second.proof()).generation == 2
    assert len(server.posts) == 1


async def test_invalid_grant_is_held_against_the_store(server):
    """A loser of a race that finds a newer pair in the store uses it, and deletes or marks nothing."""
    store = MemoryStore()
    oauth = server.credentials(token=server.issue(), store=store)
    rejected = await oauth.proof()
    winner = TokenRecord(
        gen=2, access=Secret("winner"), refresh=Secret("next"), obtained_wall=server.clock.wall()
    )

    async def win():
        await store.save(winner)

    server.oauth.revoke()
    server.before_answer = win
    assert await oauth.renew(rejected)
    assert (await oauth.proof()).value.reveal() == "Bearer winner"
    assert await store.load() == winner


async def test_pair_is_not_stored_over_a_newer_one(server):
    """A renewal that finds another pair in the store when its answer comes leaves that one in place."""
    store = MemoryStore()
    oauth = server.credentials(token=server.issue(), store=store)
    rejected = await oauth.proof()
    newer = TokenRecord(
        gen=5, access=Secret("newer"), refresh=Secret("next"), obtained_wall=server.clock.wall()
    )

    async def overtake():
        await store.save(newer)

    server.before_answer = overtake
    assert await oauth.renew(rejected)
    assert await store.load() == newer
    assert (await oauth.proof()).generation == 5


class LosingStore(MemoryStore):
    """A store whose lock runs out at a chosen save through it: that and later ones are refused."""

    def __init__(self, lost_at):
        super().__init__()
        self.lost_at = lost_at
        self.saves = 0

    @asynccontextmanager
    async def lock(self):
        async with super().lock():
            yield _Saver(self)


class _Saver:
    def __init__(self, store):
        self.store = store

    async def save(self, record, *, expected=None):
        self.store.saves += 1
        return self.store.saves != self.store.lost_at and await self.store.save(record, expected=expected)


async def test_pair_granted_under_a_lost_lock_is_stored_under_the_next(server, clock):
    """A slow holder's new pair is not stored, nor forgotten: under its next lock it is offered first."""
    store = LosingStore(3)
    oauth = server.credentials(token=server.issue(), store=store)
    rejected = await oauth.proof()
    with pytest.raises(TokenRefreshFailed, match="somebody else"):
        await oauth.renew(rejected)
    assert (await stored(store)).gen == 1
    clock.now += 2
    assert await oauth.renew(rejected)
    assert server.accepts(await oauth.proof())
    assert ((await stored(store)).gen, len(server.posts)) == (2, 1)


async def test_pair_granted_under_a_lost_lock_gives_way_to_a_newer(server, clock):
    """Where another holder stored a pair meanwhile, that one is used and the late one forgotten."""
    store = LosingStore(3)
    oauth = server.credentials(token=server.issue(), store=store)
    rejected = await oauth.proof()
    with pytest.raises(TokenRefreshFailed):
        await oauth.renew(rejected)
    theirs = replace(await stored(store), gen=2, access=Secret("theirs"), state="idle")
    await store.save(theirs)
    clock.now += 2
    assert await oauth.renew(rejected)
    assert (await oauth.proof()).value.reveal() == "Bearer theirs"
    assert await stored(store) == theirs


async def test_invalid_grant_under_a_lost_lock_is_not_believed(server, clock):
    """Who lost the lock may have been refused because the next holder renews: it tries again later."""
    store = LosingStore(3)
    oauth = server.credentials(token=server.issue(), store=store)
    rejected = await oauth.proof()
    server.oauth.revoke()
    with pytest.raises(TokenRefreshFailed):
        await oauth.renew(rejected)
    assert (await stored(store)).state == "refreshing"
    clock.now += 2
    with pytest.raises(ReauthRequired):
        await oauth.renew(rejected)


async def test_logout_during_a_renewal_stays_a_logout(server):
    """A record that is deleted while it is renewed is not brought back."""
    store = MemoryStore()
    oauth = server.credentials(token=server.issue(), store=store)
    rejected = await oauth.proof()
    server.before_answer = store.delete
    with pytest.raises(TokenRefreshFailed):
        await oauth.renew(rejected)
    assert await store.load() is None
    server.clock.now += 2
    with pytest.raises(ReauthRequired, match="no login yet"):
        await oauth.renew(rejected)


@pytest.mark.parametrize(("grace", "ends"), [(30, False), (0, True)])
async def test_record_left_refreshing_is_tried_once(clock, grace, ends):
    """After a crash in mid-renewal the stored token is tried once; without a grace the error says why."""
    server, store = TokenServer(clock, grace=grace), MemoryStore()
    pair = server.issue()
    server.oauth.token(
        "application/x-www-form-urlencoded",
        f"grant_type=refresh_token&client_id={server.oauth.client_id}&client_secret={server.oauth.client_secret}"
        f"&refresh_token={pair['refresh_token']}".encode(),
        clock.now,
    )
    clock.now += 1
    await store.save(
        TokenRecord(
            gen=4, access=Secret("old"), refresh=Secret(pair["refresh_token"]), state="refreshing", since=1.0
        )
    )
    oauth = server.credentials(store=store)
    if ends:
        with pytest.raises(ReauthRequired, match="cut off before its answer was stored"):
            await oauth.proof()
        assert (await stored(store)).state == "dead"
    else:
        assert server.accepts(await oauth.proof())
        assert (await stored(store)).gen == 5
    assert len(server.posts) == 1


async def test_new_login_of_another_process_revives_a_dead_one(server, clock):
    """An object whose login ended uses the next one that appears in the store."""
    store = MemoryStore()
    oauth = server.credentials(token=server.issue(), store=store)
    rejected = await oauth.proof()
    server.oauth.revoke()
    with pytest.raises(ReauthRequired):
        await oauth.renew(rejected)
    await store.save(
        TokenRecord(gen=2, access=Secret("again"), refresh=Secret("r"), obtained_wall=clock.wall())
    )
    clock.now += 1
    assert (await oauth.proof()).value.reveal() == "Bearer again"


# --- clocks ---


@pytest.mark.parametrize("jump", [-7200, -600, 600, 7200])
async def test_jump_of_the_wall_clock_is_not_noticed(server, clock, jump):
    """In a process age is counted on the monotonic clock, whatever happens to the other."""
    oauth = server.credentials(token=server.issue())
    await oauth.proof()
    for _ in range(3):
        clock.wall_ahead += jump
        for _ in range(4):
            assert server.accepts(await oauth.proof())
            clock.now += 100
    await _settle(oauth)
    assert len(server.posts) <= 3
    assert server.oauth.refused == 0


@pytest.mark.parametrize("phase", [0, 130, 310])
@pytest.mark.parametrize("skew", [-7200, -600, -300, 300, 600, 7200])
async def test_machine_with_a_wrong_clock_renews_no_more_than_others(server, clock, skew, phase):
    """A machine whose clock is wrong costs one refusal for each machine at most, and hardly a request."""
    store = MemoryStore()
    first = server.credentials(token=server.issue(), store=store)
    assert await first.renew(await first.proof())
    wrong = HandClock(now=clock.now, wall_is=clock.wall() + skew)
    second = server.credentials(store=store, clock=wrong)
    refusals = {first: 0, second: 0}
    clock.now = wrong.now = clock.now + phase
    for _ in range(60):
        for oauth in (first, second):
            proof = await oauth.proof()
            if not server.accepts(proof):
                refusals[oauth] += 1
                assert await oauth.renew(proof)
            await _settle(oauth)
        clock.now += 60
        wrong.now = clock.now
    assert max(refusals.values()) <= 1
    assert len(server.posts) <= 3600 / 480 + 4
    assert server.oauth.refused == 0


async def test_machine_that_slept_is_refused_once(server, clock):
    """A monotonic clock that stood still makes a token look young: one 401 and one renewal."""
    wrong = HandClock(now=clock.now)
    oauth = server.credentials(token=server.issue(), clock=wrong)
    await oauth.proof()
    clock.now += 3600
    proof = await oauth.proof()
    assert not server.accepts(proof)
    assert await oauth.renew(proof)
    assert server.accepts(await oauth.proof())
    assert len(server.posts) == 1


async def test_servers_date_measures_age_across_machines(server, clock):
    """A machine that heard the server's `Date` once knows the age of a stored token, its own clock aside."""
    store = MemoryStore()
    wrong = HandClock(now=clock.now, wall_is=clock.wall() + 100_000)
    first = server.credentials(token=server.issue(), store=store, clock=wrong)
    assert await first.renew(await first.proof())
    second = server.credentials(store=store)
    clock.now += 10
    assert await second.renew(await second.proof())
    wrong.now = clock.now = clock.now + 475
    await first.proof()
    await _settle(first)
    assert (await first.proof()).generation == 3
    assert wrong.now - first._keeper.held.obtained == pytest.approx(475, abs=1)
    assert len(server.posts) == 2


# --- what it is given to begin with ---


async def test_refresh_token_alone_is_enough(server):
    """The text of a refresh token is renewed at the first call and stored."""
    store = MemoryStore()
    pair = server.issue()
    oauth = server.credentials(token=f" {pair['refresh_token']}\n", store=store)
    assert server.accepts(await oauth.proof())
    assert ((await stored(store)).gen, len(server.posts)) == (2, 1)


async def test_store_goes_before_what_is_given(server):
    """A record in the store is newer than what the program was written with."""
    store = MemoryStore()
    pair = server.issue()
    first = server.credentials(token=pair, store=store)
    assert await first.renew(await first.proof())
    again = server.credentials(token=pair, store=store)
    assert (await again.proof()).generation == 2
    assert len(server.posts) == 1


@pytest.mark.parametrize("which", ["same", "before", "first", "another"])
async def test_dead_login_is_replaced_by_another_only(server, clock, which):
    """Over a dead record another login is stored; the dead one's own tokens are not tried again."""
    pair = server.issue()
    refresh = pair["refresh_token"]
    dead = TokenRecord(gen=3, access=Secret("x"), refresh=Secret(refresh), state="dead", reason="Gone.")
    if which == "before":
        dead = replace(dead, refresh=Secret("newer"), prev_refresh_hash=digest(Secret(refresh)))
    if which == "first":
        dead = replace(dead, refresh=Secret("newest"), login=digest(Secret(refresh)))
    store = MemoryStore(dead)
    oauth = server.credentials(token=server.issue() if which == "another" else pair, store=store)
    if which == "another":
        assert server.accepts(await oauth.proof())
        assert (await stored(store)).gen == 4
        return
    with pytest.raises(ReauthRequired, match="Gone"):
        await oauth.proof()
    assert server.posts == []


async def test_login_without_refresh_token_ends_with_its_token(server, clock):
    """An access token alone is used while it lives; then, or when it is refused, a person signs in again."""
    pair = server.issue()
    oauth = server.credentials(token={"access_token": pair["access_token"], "expires_in": 600})
    proof = await oauth.proof()
    assert server.accepts(proof)
    with pytest.raises(ReauthRequired, match="no refresh token"):
        await oauth.renew(proof)
    clock.now += 594
    assert (await oauth.proof()) is not None
    clock.now += 6
    with pytest.raises(ReauthRequired, match="no refresh token"):
        await oauth.proof()
    assert server.posts == []


async def test_no_login_says_where_it_would_be(server, tmp_path):
    """Without a login the error asks to sign in and names the store."""
    oauth = server.credentials(store=FileStore(tmp_path / "tokens"))
    with pytest.raises(ReauthRequired, match="tokens"):
        await oauth.proof()


BAD = [
    {"client_id": ""},
    {"client_secret": ""},
    {"token": ""},
    {"token": " "},
    {"token": {}},
    {"token": {"refresh_token": "r"}},
    {"base_url": "http://example.com"},
    {"state": "maybe"},
]


@pytest.mark.parametrize("arguments", BAD)
def test_bad_argument_is_refused_at_once(arguments):
    """What cannot work is refused when the object is built, and no secret is in the words."""
    with pytest.raises(ConfigurationError) as caught:
        OAuth(**{"client_id": "id", "client_secret": "CANARY", **arguments})
    assert "CANARY" not in str(caught.value)


async def test_credentials_without_a_client_say_so():
    """Before a client is built with them they cannot renew, and say what to do."""
    oauth = OAuth(client_id="id", client_secret="secret", token="refresh")
    with pytest.raises(ConfigurationError, match="Build one"):
        await oauth.proof()
    await oauth.aclose()


async def test_nothing_shows_a_secret(server, clock, caplog):
    """Reprs, logs and errors of a life with mishaps show no token or secret; pickling is refused."""
    pair = server.issue()
    oauth = server.credentials(token=pair)
    shown = [repr(oauth)]
    with caplog.at_level(logging.DEBUG):
        rejected = await oauth.proof()
        server.script = [503]
        await oauth.renew(rejected)
        shown += [repr(oauth), repr(rejected), str(rejected), repr(oauth._keeper.held.record)]
        server.oauth.revoke()
        try:
            await oauth.renew(await oauth.proof())
        except ReauthRequired as error:
            shown += [repr(error), str(error), repr(error.__cause__), repr(pickle.loads(pickle.dumps(error)))]
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(oauth)
    text = caplog.text + "".join(shown)
    kept = [
        pair["access_token"],
        pair["refresh_token"],
        server.oauth.client_secret,
        *server.oauth._refresh,
        *server.oauth._access,
    ]
    assert [secret for secret in kept if secret in text] == []
    assert "generation 2" in text


def test_budget_scope_is_one_for_each_login(server, tmp_path):
    """Objects of one client id and store share a scope, others do not, and no secret is in it."""
    same = [server.credentials(store=FileStore(tmp_path / "a")).scope for _ in range(2)]
    other = [
        server.credentials(store=FileStore(tmp_path / "b")).scope,
        server.credentials().scope,
        server.credentials(client_id="x", store=FileStore(tmp_path / "a")).scope,
    ]
    assert same[0] == same[1]
    assert len({*same, *other}) == 4


# --- keys ---


async def test_key_is_a_header():
    """A key is sent as a bearer token, or in a header of another name, and is never renewed."""
    key = ApiKey(" cAnArY-1 ")
    proof = await key.proof()
    assert (proof.name, proof.value.reveal(), proof.generation) == ("Authorization", "Bearer cAnArY-1", 0)
    assert await key.renew(proof) is False
    other = await ApiKey("cAnArY-1", header="X-Nimble-Token", prefix="").proof()
    assert (other.name, other.value.reveal()) == ("X-Nimble-Token", "cAnArY-1")
    clock = HandClock()
    key.attach(TokenServer(clock), clock, base_url="https://x")
    await key.aclose()


@pytest.mark.parametrize("key", ["", "  ", "a b", "a\nb", "a\r\nX: y", "é", "a\x00b", None])
def test_key_that_fits_no_header_is_refused(key):
    """A key that is empty or holds a line break, a space or a foreign letter is refused and not quoted."""
    with pytest.raises(ConfigurationError) as caught:
        ApiKey(key)
    assert repr(key) not in str(caught.value)


def test_key_shows_nothing():
    """Neither repr, scope nor pickle gives a key away; equal keys share a scope."""
    key = ApiKey("cAnArY-1")
    assert "CANARY" not in f"{key!r} {key} {key.scope}"
    assert key.scope == ApiKey("cAnArY-1").scope != ApiKey("CANARY-2").scope
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(key)


async def test_token_server_that_asks_for_patience_gets_it():
    """After a 503 with Retry-After nothing is sent until then; what others stored is used meanwhile."""
    clock = HandClock()
    server = TokenServer(clock)
    store = MemoryStore()
    oauth = server.credentials(store=store, token=server.issue())
    first = await oauth.proof()
    server.retry_after, server.script = "20", [503]
    for _ in range(4):
        with pytest.raises(TokenRefreshFailed, match="left alone"):
            await oauth.renew(first)
        clock.now += 2
    assert len(server.posts) == 1
    record = await stored(store)
    await store.save(replace(record, gen=2, access=Secret("of another process"), state="idle"))
    assert await oauth.renew(first)
    assert len(server.posts) == 1
    clock.now += 20
    assert await oauth.renew(await oauth.proof())
    assert len(server.posts) == 2
