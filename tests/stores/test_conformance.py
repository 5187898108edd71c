"""The stores that are shipped keep the rules that every store is held to, and the rules can fail."""

from __future__ import annotations

from contextlib import asynccontextmanager
from secrets import token_hex

import pytest

from nimble_async.stores.file import FileStore
from nimble_async.stores.memory import MemoryStore
from nimble_async.stores.redis import RedisStore
from nimble_async.testing.store_conformance import RULES, record


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
async def test_memory_store_keeps_every_rule(rule):
    """MemoryStore passes each rule of the conformance suite."""
    store = MemoryStore()
    await rule(lambda: store)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
async def test_file_store_keeps_every_rule(rule, tmp_path):
    """FileStore passes each rule, through handles that share nothing but the path."""
    await rule(lambda: FileStore(tmp_path / "folder" / "tokens"))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
async def test_redis_store_keeps_every_rule(rule, redis_url):
    """RedisStore passes each rule, through handles that share nothing but the address and the key."""
    key = f"tokens-{token_hex(4)}"
    await rule(lambda: RedisStore(redis_url, key, lease=0.3))


class _Careless:
    """A store as one writes it first: no comparison, no lock, secrets in its repr."""

    def __init__(self):
        self.kept = record(7)

    async def load(self):
        return self.kept

    async def save(self, record, *, expected=None):
        self.kept = record if expected is None else self.kept
        return True

    async def delete(self):
        pass

    @asynccontextmanager
    async def lock(self):
        yield

    def __repr__(self):
        return self.kept.access.reveal()


@pytest.mark.parametrize(
    "rule",
    [
        rule
        for rule in RULES
        if not rule.__name__.startswith(("a_record", "a_cancelled", "an_error", "the_lock_may"))
    ],
    ids=lambda rule: rule.__name__,
)
async def test_careless_store_breaks_the_rule(rule):
    """A store that keeps no rule is found out by each rule that it can break without an error."""
    store = _Careless()
    with pytest.raises(AssertionError):
        await rule(lambda: store)
