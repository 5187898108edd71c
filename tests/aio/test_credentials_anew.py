"""A store that begins anew, goes back, or is used in a forked process costs no login and no request."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from nimble_async._aio.ports import Proof
from nimble_async._sansio.tokens import digest
from nimble_async.errors import ReauthRequired, StoreError, TokenRefreshFailed
from nimble_async.stores.file import FileStore
from nimble_async.stores.memory import MemoryStore
from tests.aio.token_server import HandClock, TokenServer, stored


@pytest.fixture
def clock():
    """A clock set by hand."""
    return HandClock()


@pytest.fixture
def server(clock):
    """A token server that rotates with no grace at all."""
    return TokenServer(clock)


async def _renewed(server, store, times):
    """Return credentials that renewed their login `times` times, a life apart, and their proof."""
    oauth = server.credentials(token=server.issue(), store=store)
    proof = await oauth.proof()
    for _ in range(times):
        server.clock.now += 590
        assert await oauth.renew(proof)
        proof = await oauth.proof()
    server.posts.clear()
    return oauth, proof


async def _owing(server, folder):
    """Return credentials that got a pair when the disk was full, their old proof, the store and that disk."""
    full: list[bool] = []

    def trace(done, path):
        if done == "write" and full:
            raise OSError(28, "No space left on device")

    async def fill():
        full.append(True)

    store = FileStore(folder / "tokens", trace=trace)
    oauth, rejected = await _renewed(server, store, 0)
    server.before_answer = fill
    with pytest.raises(StoreError):
        await oauth.renew(rejected)
    return oauth, rejected, store, full


async def _sign_in_anew(server, store):
    """Log out and in again, as another process does: generations begin with 1."""
    await store.delete()
    other = server.credentials(token=server.issue(), store=store)
    return await other.proof()


# --- a login that was ended and begun again elsewhere ---


@pytest.mark.parametrize("renewals", [0, 1, 4])
@pytest.mark.parametrize("why", ["refused", "spent"])
async def test_login_begun_anew_elsewhere_is_used_at_once(server, clock, renewals, why):
    """Whoever still runs with the old login goes on with the new one, and asks the server nothing."""
    store = MemoryStore()
    oauth, rejected = await _renewed(server, store, renewals)
    clock.now += 595 if why == "spent" else 0
    theirs = await _sign_in_anew(server, store)
    if why == "refused":
        assert await oauth.renew(rejected)
    proof = await oauth.proof()
    assert proof.value == theirs.value
    assert proof.generation == rejected.generation + 1 == (await stored(store)).gen
    assert server.posts == []


async def test_login_begun_anew_is_renewed_when_it_is_spent(server, clock):
    """The new login's token may be spent when it is found: one request renews it, for both processes."""
    store = MemoryStore()
    oauth, _ = await _renewed(server, store, 4)
    await _sign_in_anew(server, store)
    clock.now += 600
    assert server.accepts(await oauth.proof())
    assert ((await stored(store)).gen, len(server.posts)) == (7, 1)


async def test_process_of_the_new_login_follows_its_new_number(server, clock):
    """Whoever began the new login finds it under a higher generation, and renews it once, as ever."""
    store = MemoryStore()
    oauth, rejected = await _renewed(server, store, 3)
    await store.delete()
    other = server.credentials(token=server.issue(), store=store)
    theirs = await other.proof()
    assert await oauth.renew(rejected)
    assert await other.renew(theirs)
    assert (await other.proof()).generation == (await oauth.proof()).generation
    assert server.posts == []


@pytest.mark.parametrize("renewals", [0, 4])
async def test_dead_login_is_followed_by_one_begun_anew(server, clock, renewals):
    """After a login has died, a logout and a new login elsewhere revive whoever still runs."""
    store = MemoryStore()
    oauth, rejected = await _renewed(server, store, renewals)
    server.oauth.revoke()
    with pytest.raises(ReauthRequired):
        await oauth.renew(rejected)
    server.posts.clear()
    theirs = await _sign_in_anew(server, store)
    clock.now += 2
    assert (await oauth.proof()).value == theirs.value
    assert server.posts == []


async def test_new_login_that_died_meanwhile_is_dead(server, clock):
    """A new login that is dead when it is found is not tried."""
    store = MemoryStore()
    oauth, rejected = await _renewed(server, store, 2)
    await _sign_in_anew(server, store)
    await store.save(replace(await stored(store), state="dead", reason="It was revoked."))
    with pytest.raises(ReauthRequired, match="revoked"):
        await oauth.renew(rejected)
    assert server.posts == []


async def test_pair_of_an_ended_login_is_not_stored_over_a_new_one(server, clock, tmp_path):
    """A pair that the store would not take is forgotten where another login was begun meanwhile."""
    oauth, rejected, store, full = await _owing(server, tmp_path)
    server.before_answer = None
    full.clear()
    theirs = await _sign_in_anew(server, store)
    clock.now += 2
    assert await oauth.renew(rejected)
    assert (await oauth.proof()).value == theirs.value


@pytest.mark.parametrize("works", [True, False])
async def test_closing_offers_a_pair_that_was_not_stored(server, tmp_path, works):
    """A pair that the store would not take is offered once more when the client closes, without a request."""
    oauth, _, store, full = await _owing(server, tmp_path)
    if works:
        full.clear()
    await oauth.aclose()
    kept = await stored(store)
    assert (kept.gen, kept.state, len(server.posts)) == ((2, "idle", 1) if works else (1, "refreshing", 1))


async def test_login_begun_in_mid_renewal_is_not_stored_over(server, clock):
    """A renewal that is under way when its login is ended and another begun is stored over neither."""
    store = MemoryStore()
    oauth, rejected = await _renewed(server, store, 0)
    others: list[asyncio.Task[Proof]] = []

    async def sign_in_anew():
        await store.delete()
        others.append(asyncio.create_task(server.credentials(token=server.issue(), store=store).proof()))
        for _ in range(50):
            await asyncio.sleep(0)

    server.before_answer = sign_in_anew
    with pytest.raises(TokenRefreshFailed):
        await oauth.renew(rejected)
    server.before_answer = None
    theirs = await others[0]
    clock.now += 2
    assert await oauth.renew(rejected)
    assert (await oauth.proof()).value == theirs.value
    assert len(server.posts) == 1


async def test_login_got_long_ago_is_begun_anew_all_the_same(server, clock):
    """What counts is which login was put into the store last, not when its token was got."""
    store, elsewhere = MemoryStore(), MemoryStore()
    oauth, _ = await _renewed(server, store, 1)
    kept, _ = await _renewed(server, elsewhere, 1)
    clock.now += 100
    rejected = await oauth.proof()
    assert await oauth.renew(rejected)
    rejected = await oauth.proof()
    await store.delete()
    other = server.credentials(token=replace(await stored(elsewhere), gen=1), store=store)
    assert (await other.proof()).value == (await kept.proof()).value
    server.posts.clear()
    assert await oauth.renew(rejected)
    assert (await oauth.proof()).value == (await kept.proof()).value
    assert server.posts == []


# --- a store that goes back ---


async def test_store_that_went_back_to_what_it_was_given_first_has_the_pair_again(server, clock):
    """Also a record that was given as a token, whose date nobody knows, is known as the same login's."""
    store = MemoryStore()
    oauth, _ = await _renewed(server, store, 0)
    lost = await stored(store)
    for _ in range(3):
        clock.now += 590
        assert await oauth.renew(await oauth.proof())
    await store.save(lost)
    server.posts.clear()
    clock.now += 599
    assert server.accepts(await oauth.proof())
    assert ((await stored(store)).gen, len(server.posts)) == (5, 1)


@pytest.mark.parametrize(("state", "back"), [("idle", 1), ("refreshing", 1), ("dead", 1), ("idle", 3)])
async def test_pair_that_its_store_lost_is_stored_again(server, clock, state, back):
    """A store that lost its last writes, as a server that crashed, is given the pair in use again."""
    store = MemoryStore()
    oauth, _ = await _renewed(server, store, 1)
    lost = await stored(store)
    for _ in range(back):
        clock.now += 590
        assert await oauth.renew(await oauth.proof())
    server.posts.clear()
    await store.save(replace(lost, state=state))
    clock.now += 599
    assert server.accepts(await oauth.proof())
    kept = await stored(store)
    assert (kept.gen, kept.state, len(server.posts)) == (3 + back, "idle", 1)


async def test_pair_that_its_store_lost_is_used_as_long_as_it_lives(server, clock):
    """A 401 of an older generation is answered with the pair in use, and the store has it again."""
    store = MemoryStore()
    first = server.credentials(token=server.issue(), store=store)
    rejected = await first.proof()
    before = await stored(store)
    clock.now += 590
    assert await first.renew(rejected)
    await store.save(before)
    server.posts.clear()
    clock.now += 490
    await first.proof()
    await first.aclose()
    kept = await stored(store)
    assert (kept.gen, len(server.posts)) == (3, 1)
    assert kept.prev_refresh_hash != digest(before.refresh)


async def test_store_that_others_change_under_the_lock_is_left_alone(server, clock):
    """Where the store refuses the new number, since somebody else writes, that is said and nothing sent."""

    class Refusing(MemoryStore):
        refuses = False

        async def save(self, record, *, expected=None):
            return not self.refuses and await super().save(record, expected=expected)

    store = Refusing()
    oauth, rejected = await _renewed(server, store, 2)
    await _sign_in_anew(server, store)
    store.refuses = True
    with pytest.raises(TokenRefreshFailed, match="although it was locked"):
        await oauth.renew(rejected)
    assert server.posts == []


# --- a store of the user's that fails ---


class Quoting(MemoryStore):
    """A store whose errors quote what they were given, as a database driver's may."""

    fails = ""

    async def save(self, record, *, expected=None):
        if self.fails == "save":
            raise LookupError(f"cannot take {record.access.reveal()}")
        return await super().save(record, expected=expected)

    @asynccontextmanager
    async def lock(self):
        async with super().lock():
            yield
        if self.fails == "unlock":
            raise LookupError(f"cannot leave {(await stored(self)).access.reveal()}")


@pytest.mark.parametrize("step", ["save", "unlock"])
async def test_words_of_a_foreign_error_are_not_logged(server, clock, caplog, step):
    """What a store of the user's raises is logged by its kind alone: its words may hold a token."""
    pair, store = server.issue(), Quoting()
    oauth = server.credentials(token=pair, store=store)
    await oauth.proof()
    store.fails = step
    clock.now += 500
    await oauth.proof()
    await oauth.aclose()
    assert "LookupError" in caplog.text
    assert "cannot" not in caplog.text
    assert pair["access_token"] not in caplog.text


# --- a fork in mid-renewal ---


def test_child_forked_in_mid_renewal_does_not_wait_for_its_parents(clock, tmp_path):
    """A child of a fork never waits for a renewal that only its parent has, and finds what that stored."""
    server = TokenServer(clock, pause=50)
    oauth = server.credentials(token=server.issue(), store=FileStore(tmp_path / "tokens"))

    async def in_the_child():
        async with asyncio.timeout(20):
            return (await oauth.proof()).generation

    async def main():
        rejected = await oauth.proof()
        clock.now += 600
        renewing = asyncio.create_task(oauth.renew(rejected))
        while not server.posts:
            await asyncio.sleep(0)
        child = os.fork()
        if not child:
            code = 1
            try:
                code = 0 if asyncio.run(in_the_child()) == 2 and len(server.posts) == 1 else 2
            finally:
                os._exit(code)
        assert await renewing
        until = time.monotonic() + 40
        while time.monotonic() < until:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
            await asyncio.sleep(0.02)
        os.kill(child, 9)
        os.waitpid(child, 0)
        return None

    assert asyncio.run(main()) == 0
