"""The script of a shared budget on a real Redis: it does what the model does, whatever Redis does."""

from __future__ import annotations

import asyncio
import gc
import math
import pickle
import uuid
from itertools import pairwise

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nimble_async._sansio.sharing import Ask, News
from nimble_async.errors import ConfigurationError, StoreError
from nimble_async.stores.redis_budget import RedisBudget
from tests.services import running_redis
from tests.stores.budget_model import INSTANTS, Keeper

redis_client = pytest.importorskip("redis")

micros = st.floats(1e3, 5e6)
asks = st.builds(
    Ask,
    member=st.sampled_from(["a", "b", "c"]),
    n=st.integers(0, 3),
    admitted=st.integers(0, 30),
    faster=st.sampled_from([0.0, 0.2, 50.0]),
    refused=st.sampled_from([0.0, 0.0, 0.0, 10.0]),
    pause=micros,
    strikes=st.sampled_from([0, 1, 4]),
    shut=st.sampled_from([0.0, 0.0, 0.0, 2e6]),
    verdict=st.sampled_from(["", "through", "through", "refused", "free"]),
    declared=st.sampled_from([0.0, 0.0, 20_000.0, 1e5]),
    tolerance=st.sampled_from([0.0, 40_000.0]),
    announced=st.sampled_from([0.0, 0.0, 50_000.0]),
    announced_for=micros,
    renewed=st.sampled_from([0.0, 60_000.0]),
    hold=st.sampled_from([0.0, 0.0, 3e5]),
    search=st.sampled_from([0.0, 2e5, 1.0]),
    starting=st.integers(0, 1),
    stretch=st.sampled_from([1.0, 1.05, 1 / 0.9]),
    known=st.sampled_from(["", "what was found"]),
    peers=st.integers(1, 3),
    leave=st.sampled_from([0, 0, 0, 0, 1]),
)
steps = st.tuples(
    asks,
    st.sampled_from(["current", "current", "current", "old"]),
    st.sampled_from(["", "replace", "replace old"]),
    st.sampled_from(["", "", "mine", "not mine"]),
    st.sampled_from(["", "", "before", "after"]),
    st.sampled_from([0.0, 0.0, 1.0, 5.0, 31.0, 61.0, -3.0, math.inf]),
)


class Both:
    """One budget in Redis and one in the model, which are asked the same at the same instants."""

    def __init__(self, url):
        self.redis = redis_client.Redis.from_url(url)
        self.budget = RedisBudget(url, prefix=f"test:{uuid.uuid4().hex}")
        self.keeper = Keeper()
        self.last = News()
        self.ends = 0.0

    def pass_time(self, seconds):
        """Let time pass for what both have stored: below 0 a clock was set back, `inf` loses everything."""
        if math.isinf(seconds):
            self.redis.delete(*self.budget._keys("scope"))
            self.keeper.forget()
            return
        if not seconds or self.keeper.fresh:
            return
        stem, _, seen = self.budget._keys("scope")
        micro = seconds * 1e6
        for name in INSTANTS:
            if self.keeper.s[name]:
                self.keeper.s[name] -= micro
        self.redis.hset(stem, mapping={name: repr(self.keeper.s[name]) for name in INSTANTS})
        scores = {name: at - micro for name, at in self.keeper.seen.items()}
        self.keeper.seen = dict(scores)
        if scores:
            self.redis.zadd(seen, scores)

    async def step(self, ask, event, version, back, away, seconds):  # noqa: PLR0917 (a drawn tuple)
        """Ask both; return both answers."""
        self.pass_time(seconds)
        last = self.last
        ask = msgspec.structs.replace(
            ask,
            event=last.event - (event == "old"),
            version={"": 0, "replace": last.version, "replace old": max(0, last.version - 1)}[version],
            away={"": 0.0, "before": max(1.0, last.now - 1e6), "after": last.now + 1e3}[away],
        )
        if back:
            end = self.keeper.s["tat"] + (back == "not mine")
            ask = msgspec.structs.replace(ask, back_from=max(0.0, end - 1e5), back_to=end)
        found = await self.budget.exchange("scope", ask)
        self.last = found
        return found, self.keeper.exchange(ask, found.now)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=st.lists(steps, min_size=1, max_size=15))
def test_the_script_does_what_the_model_does(redis_url, story):
    """Any sequence of messages and any passing of time gives the same answers, member by member."""

    async def run():
        both = Both(redis_url)
        try:
            for step in story:
                found, wanted = await both.step(*step)
                for name in News.__struct_fields__:
                    one, other = getattr(found, name), getattr(wanted, name)
                    same = (
                        one == other
                        if isinstance(one, str | int)
                        else math.isclose(one, other, rel_tol=1e-12)
                    )
                    assert same, (name, one, other)
        finally:
            await both.budget.aclose()
            both.redis.close()

    asyncio.run(run())


async def test_answers_from_before_an_event_count_for_it(redis_url):
    """Who has not heard of the event yet reports what was admitted before, until it led to a cut."""
    budget = RedisBudget(redis_url, prefix=uuid.uuid4().hex)
    event = (await budget.exchange("scope", Ask(member="b", search=1e5))).event
    await budget.exchange("scope", Ask(member="a", event=event, admitted=5, refused=10.0, strikes=1))
    news = await budget.exchange("scope", Ask(member="b", event=event, admitted=7))
    assert (news.event, news.event_admitted) == (event + 1, 12)
    tries = await budget.exchange("scope", Ask(member="a", event=event + 1, n=1))
    assert tries.canary == 1
    await budget.exchange("scope", Ask(member="a", event=event + 1, verdict="through"))
    news = await budget.exchange("scope", Ask(member="c", event=event, admitted=7))
    assert news.event_admitted == 12
    await budget.aclose()


async def test_data_that_was_lost_is_missed_by_who_knew_it(redis_url):
    """Who comes with the number of an earlier life has slots of it: the queue begins after those, unburst."""
    budget = RedisBudget(redis_url, prefix=uuid.uuid4().hex)
    ask = Ask(member="a", n=1, declared=2e5, tolerance=4e5)
    first = await budget.exchange("scope", ask)
    assert first.start == first.now
    client = redis_client.Redis.from_url(redis_url)
    client.delete(*budget._keys("scope"))
    client.close()
    news = await budget.exchange("scope", msgspec.structs.replace(ask, event=first.event))
    assert news.start - news.tolerance - news.now == pytest.approx(1e5 + 2e5)
    await budget.aclose()


async def test_slots_are_one_interval_apart_whoever_asks(redis_url):
    """Two members that ask in turn get slots of one queue, by Redis's clock."""
    budget = RedisBudget(redis_url, prefix=uuid.uuid4().hex)
    slots = []
    for number in range(20):
        news = await budget.exchange("scope", Ask(member="ab"[number % 2], n=1 + number % 3, declared=1e5))
        slots += [news.start + part * news.interval for part in range(news.granted)]
    gaps = [later - first for first, later in pairwise(slots)]
    assert len(slots) == sum(1 + number % 3 for number in range(20))
    assert min(gaps) == pytest.approx(1e5)
    assert max(gaps) == pytest.approx(1e5)
    news = await budget.exchange("scope", Ask(member="b"))
    assert (news.members, news.seat) == (2, 1)
    await budget.aclose()


async def test_budgets_of_other_scopes_and_prefixes_are_others(redis_url):
    """What one account uses up is not taken from another."""
    first, second = (RedisBudget(redis_url, prefix=uuid.uuid4().hex) for _ in range(2))
    await first.exchange("one", Ask(member="a", n=50, declared=1e6))
    for budget, scope in ((first, "two"), (second, "one")):
        news = await budget.exchange(scope, Ask(member="a", n=1, declared=1e6))
        assert news.start == news.now
        await budget.aclose()


async def test_a_redis_that_lost_its_scripts_or_its_data_goes_on(redis_url):
    """After SCRIPT FLUSH the script is sent again; after the keys are gone the budget begins anew."""
    budget = RedisBudget(redis_url, prefix=uuid.uuid4().hex)
    one = await budget.exchange("scope", Ask(member="a", n=1, declared=1e6))
    client = redis_client.Redis.from_url(redis_url)
    client.script_flush()
    two = await budget.exchange("scope", Ask(member="a", n=1, declared=1e6))
    assert two.start == one.start + 1e6
    client.delete(*budget._keys("scope"))
    three = await budget.exchange("scope", Ask(member="a", n=1, declared=1e6))
    assert three.start == three.now
    assert three.event > two.event
    client.close()
    await budget.aclose()


async def test_a_redis_that_was_restarted_is_met_again(own_redis):
    """The kept connection is broken and the script is gone: the next message goes through all the same."""
    budget = RedisBudget(own_redis.url)
    await budget.exchange("scope", Ask(member="a"))
    own_redis.stop()
    with pytest.raises(StoreError, match="cannot be used"):
        await budget.exchange("scope", Ask(member="a"))
    own_redis.start()
    assert (await budget.exchange("scope", Ask(member="a"))).members == 1
    await budget.aclose()


async def test_a_redis_that_hangs_costs_the_timeout_and_no_more(own_redis):
    """No answer within the timeout is an error, and a late answer is not taken for the next one's."""
    budget = RedisBudget(own_redis.url, timeout=0.1)
    await budget.exchange("scope", Ask(member="a", n=1, declared=1e6))
    own_redis.hang()
    with pytest.raises(StoreError, match=r"within 0\.1 s"):
        await budget.exchange("scope", Ask(member="a", n=1, declared=1e6))
    own_redis.go_on()
    assert (await budget.exchange("other", Ask(member="a", n=1, declared=1e6))).granted == 1
    await budget.aclose()


@pytest.mark.parametrize("part", [0, 1, 2])
async def test_a_key_of_another_kind_is_refused_by_name(redis_url, part):
    """Something else under one of the keys is no data of ours: the error says so, and nothing is replaced."""
    budget = RedisBudget(redis_url, prefix=uuid.uuid4().hex)
    client = redis_client.Redis.from_url(redis_url)
    client.set(budget._keys("scope")[part], "something else")
    with pytest.raises(StoreError, match="WRONGTYPE") as caught:
        await budget.exchange("scope", Ask(member="a", n=1, declared=1e6))
    assert "prefix" in caught.value.hint
    assert client.get(budget._keys("scope")[part]) == b"something else"
    client.close()
    await budget.aclose()


async def test_a_foreign_answer_is_an_error_of_the_store(redis_url):
    """Nonsense in the stored numbers never passes for an answer, and never leaves as another exception."""
    budget = RedisBudget(redis_url, prefix=uuid.uuid4().hex)
    client = redis_client.Redis.from_url(redis_url)
    client.hset(budget._keys("scope")[0], mapping={"event": "0.5"})
    with pytest.raises(StoreError):
        await budget.exchange("scope", Ask(member="a", n=1, declared=1e6))
    client.close()
    await budget.aclose()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tat", "1e300"), ("tat", "inf"), ("tat", "nan"), ("gate", "9e99"), ("settle", "1e18"),
        ("held", "1e17"), ("touched", "1e30"), ("search", "nan"), ("declared", "1e16"), ("stretch", "-5"),
        ("stretch", "0"), ("event", "nan"),
    ],
)  # fmt: skip
async def test_numbers_nobody_meant_count_as_not_there(redis_url, name, value):
    """What somebody wrote over one number stops no process: the next one gets a slot at once."""
    budget = RedisBudget(redis_url, prefix=uuid.uuid4().hex)
    client = redis_client.Redis.from_url(redis_url)
    ask = Ask(member="a", n=1, declared=1e4)
    await budget.exchange("scope", ask)
    client.hset(budget._keys("scope")[0], name, value)
    news = await budget.exchange("scope", ask)
    assert news.granted == 1
    assert news.start - news.now <= 1e6
    client.close()
    await budget.aclose()


async def test_a_gate_that_is_neither_open_nor_closed_is_closed(redis_url):
    """Then one call tries, and what became of it opens the gate."""
    budget = RedisBudget(redis_url, prefix=uuid.uuid4().hex)
    client = redis_client.Redis.from_url(redis_url)
    ask = Ask(member="a", n=1, declared=1e4)
    await budget.exchange("scope", ask)
    client.hset(budget._keys("scope")[0], "closed", "7")
    news = await budget.exchange("scope", ask)
    assert (news.closed, news.canary) == (1, 1)
    client.close()
    await budget.aclose()


async def test_no_password_is_shown(redis_url):
    """Neither name nor repr nor error holds the password of the address, and it cannot be pickled."""
    budget = RedisBudget("redis://user:hunter2@127.0.0.1:1/0")
    with pytest.raises(StoreError) as caught:
        await budget.exchange("scope", Ask(member="a"))
    assert "hunter2" not in f"{budget!r} {budget.name} {caught.value} {caught.value.hint}"
    with pytest.raises(TypeError):
        pickle.dumps(budget)
    await budget.aclose()


@pytest.mark.parametrize(
    "arguments", [{"prefix": ""}, {"timeout": 0.0}, {"presumed": 0}], ids=["prefix", "timeout", "presumed"]
)
def test_what_cannot_work_is_refused_at_once(arguments):
    """An empty prefix, no time to wait and no process at all are mistakes of the caller."""
    with pytest.raises(ConfigurationError):
        RedisBudget("redis://127.0.0.1/0", **arguments)


def test_each_loop_has_a_connection_that_ends_with_it(redis_url):
    """A second run on another loop works, and nothing is left open to complain when it is collected."""
    budget = RedisBudget(redis_url, prefix=uuid.uuid4().hex)
    client = redis_client.Redis.from_url(redis_url)
    before = len(client.client_list())
    for _ in range(2):
        assert asyncio.run(budget.exchange("scope", Ask(member="a"))).members == 1
    gc.collect()
    assert len(client.client_list()) == before
    client.close()


async def test_the_keys_go_when_nobody_uses_them(redis_url):
    """Each key has an end of life of a day, so that accounts of the past leave nothing behind."""
    budget = RedisBudget(redis_url, prefix=uuid.uuid4().hex)
    await budget.exchange("scope", Ask(member="a"))
    client = redis_client.Redis.from_url(redis_url)
    assert [0 < client.ttl(key) <= 86400 for key in budget._keys("scope")] == [True] * 3
    client.close()
    await budget.aclose()


def test_what_is_no_redis_is_refused_and_not_shown():
    """An address of another kind may hold a password all the same."""
    with pytest.raises(ConfigurationError, match="RedisBudget takes an address") as caught:
        RedisBudget("http://user:hunter2@localhost")
    assert "hunter2" not in str(caught.value)


async def test_who_closes_first_cuts_nobody_off(own_redis):
    """Two clients of one budget object: a message of one is under way when the other closes."""
    budget = RedisBudget(own_redis.url, timeout=5.0)
    await budget.exchange("one", Ask(member="a"))
    own_redis.hang()
    underway = asyncio.create_task(budget.exchange("two", Ask(member="b", n=1, declared=1e5)))
    await asyncio.sleep(0.05)
    await budget.aclose()
    own_redis.go_on()
    assert (await underway).granted == 1
    assert (await budget.exchange("two", Ask(member="b"))).members == 1
    await budget.aclose()
    assert not budget._connections


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--maxmemory", "1"), "refused.* out of memory"),
        (("--replicaof", "127.0.0.1 1"), "refused.* replica"),
        (("--requirepass", "secret"), "refused.* the user and password"),
        (("--user", "default", "on", "nopass", "~*", "+@all", "-eval", "-evalsha"), "refused.* EVAL"),
    ],
)
async def test_what_redis_refuses_is_told_apart(options, found):
    """A Redis that is full, a replica, or locked is there: the error says so, and what helps."""
    with running_redis(*options) as server:
        budget = RedisBudget(server.url)
        with pytest.raises(StoreError, match=f"(?s){found}"):
            await budget.exchange("scope", Ask(member="a", n=1, declared=1e6))
        await budget.aclose()
