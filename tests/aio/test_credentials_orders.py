"""Whatever order processes renew, end and begin logins in, the store keeps the one begun last, alive."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from random import Random

import pytest

from nimble_async._sansio.secret import Secret
from nimble_async._sansio.tokens import digest, login_of
from nimble_async.errors import ReauthRequired, TokenRefreshFailed
from nimble_async.stores.memory import MemoryStore
from tests.aio.token_server import HandClock, TokenServer, stored


class Hesitant(MemoryStore):
    """A store whose every step takes a few turns of the loop, before and after."""

    def __init__(self, random):
        super().__init__()
        self.random = random

    async def hesitate(self):
        for _ in range(self.random.randrange(6)):
            await asyncio.sleep(0)

    async def load(self):
        await self.hesitate()
        record = await super().load()
        await self.hesitate()
        return record

    async def save(self, record, *, expected=None):
        await self.hesitate()
        saved = await super().save(record, expected=expected)
        await self.hesitate()
        return saved


class World:
    """Several processes with one store: each an `OAuth` of its own."""

    def __init__(self, seed):
        self.random = Random(seed)
        self.clock = HandClock()
        self.server = TokenServer(self.clock, pause=self.random.randrange(1, 12))
        self.server.dates = self.random.random() < 0.7
        self.store = Hesitant(self.random)
        self.processes = []
        self.newest = ""

    async def sign_in(self):
        """Log out and in again, some time in the midst of what the others do."""
        for _ in range(self.random.randrange(30)):
            await asyncio.sleep(0)
        await self.store.delete()
        pair = self.server.issue()
        self.newest = digest(Secret(str(pair["refresh_token"])))
        process = self.server.credentials(token=pair, store=self.store)
        await process.proof()
        self.processes.append(process)

    async def use(self):
        """Send a call, or be refused, as one of the processes; who is caught in a logout fails."""
        process = self.random.choice(self.processes)
        with suppress(TokenRefreshFailed, ReauthRequired):
            proof = await process.proof()
            if self.random.random() < 0.7:
                await process.renew(proof)

    async def pass_time(self):
        for process in self.processes:
            await process.aclose()
        self.clock.now += self.random.choice([1, 3, 100, 490, 595, 700])


@pytest.mark.parametrize("seed", range(0, 100, 25))
async def test_login_begun_last_is_kept_in_any_order(seed):
    """Renewals, logouts and logins at once: no older login is stored over the newest, or brought back."""
    for one in range(seed, seed + 25):
        world = World(one)
        await world.sign_in()
        for _ in range(world.random.randrange(3, 9)):
            jobs = [world.use() for _ in range(world.random.randrange(4))]
            if world.random.random() < 0.4:
                jobs.insert(world.random.randrange(len(jobs) + 1), world.sign_in())
            await asyncio.gather(*jobs)
            await world.pass_time()
        world.clock.now += 700
        for process in world.processes:
            assert world.server.accepts(await process.proof()), one
        assert login_of(await stored(world.store)) == world.newest, one
