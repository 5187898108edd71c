"""One login under whole clients: revoked in mid-flight, refused for good, shared and closed in any order."""

from __future__ import annotations

import asyncio
import gc
import time
from collections import Counter

import pytest

from nimble_async._sansio.message import Request, Response
from nimble_async.config import ClientConfig
from nimble_async.errors import ReauthRequired, Unauthorized
from nimble_async.nimble.client import NimbleClient
from nimble_async.stores.memory import MemoryStore
from tests.aio.clients import HASTY, UNPACED
from tests.aio.token_server import BASE, HandClock, TokenServer, stored


class Vendor:
    """The API and the token server behind one transport; it counts sends for each path."""

    def __init__(self, tokens: TokenServer) -> None:
        self.tokens = tokens
        self.sends: Counter[str] = Counter()
        self.refuses: set[str] = set()
        self.gate = asyncio.Event()
        self.gate.set()
        self.closed = False

    async def send(self, request: Request, *, timeout: float | None = None) -> Response:
        assert not self.closed, "a closed client sends nothing"
        path = request.url.removeprefix(BASE)
        if path == "/api/oauth/token":
            return await self.tokens.send(request, timeout=timeout)
        self.sends[path] += 1
        await self.gate.wait()
        token = request.headers["Authorization"].removeprefix("Bearer ")
        known = self.tokens.oauth.valid(token, self.tokens.clock.now, key_allowed=False)
        if known and path not in self.refuses:
            return Response(status=200, body=b"{}")
        return Response(status=401, body=b'{"message": "no"}')

    async def aclose(self) -> None:
        self.closed = True


class GoingClock(HandClock):
    """Set by hand, and going on by itself: the throttle waits by it."""

    def monotonic(self) -> float:
        return self.now + time.monotonic() - self.begun

    begun = time.monotonic()


@pytest.fixture
def clock():
    """A clock that is set forward by hand."""
    return GoingClock()


@pytest.fixture
def tokens(clock):
    """A token server that rotates with no grace at all."""
    return TokenServer(clock)


def open_client(vendor, oauth, *, at_once=64):
    """Return a client of the vendor."""
    return NimbleClient(
        credentials=oauth, base_url=BASE, transport=vendor, clock=vendor.tokens.clock, rate=UNPACED,
        config=ClientConfig(retries=HASTY, concurrency=at_once),
    )  # fmt: skip


async def thousand_in_flight(client, vendor, path):
    """Make a thousand calls and return them when all are at the vendor, who waits for `gate`."""
    asyncio.get_running_loop().set_debug(False)  # it keeps a stack for each of a thousand tasks
    vendor.gate.clear()
    calls = [asyncio.create_task(outcome(client, path)) for _ in range(1000)]
    for _ in range(2000):
        if vendor.sends[path] == 1000:
            return calls
        await asyncio.sleep(0.005)
    raise AssertionError("a thousand calls do not get under way")


async def outcome(client, path="/api/v1/thing"):
    """Make a call; return the name of its error, or "fine"."""
    try:
        await client.request("GET", path)
    except (ReauthRequired, Unauthorized) as error:
        return type(error).__name__
    return "fine"


async def test_revocation_under_a_thousand_calls_ends_quickly(tokens):
    """A thousand calls in flight when the login is revoked: one token request, no replay."""
    store = MemoryStore()
    vendor = Vendor(tokens)
    client = open_client(vendor, tokens.credentials(token=tokens.issue(), store=store), at_once=1000)
    assert await outcome(client) == "fine"
    calls = await thousand_in_flight(client, vendor, "/api/v1/late")
    tokens.oauth.revoke()
    vendor.gate.set()
    assert Counter([await call for call in calls]) == {"ReauthRequired": 1000}
    assert len(tokens.posts) == 1
    assert vendor.sends["/api/v1/late"] == 1000
    assert await outcome(client) == "ReauthRequired"
    assert len(tokens.posts) == 1
    assert (await stored(store)).state == "dead"


async def test_expiry_under_a_thousand_calls_costs_one_replay_each(tokens):
    """A thousand calls in flight when the token ends early: one token request, one replay each."""
    vendor = Vendor(tokens)
    client = open_client(vendor, tokens.credentials(token=tokens.issue()), at_once=1000)
    calls = await thousand_in_flight(client, vendor, "/api/v1/thing")
    tokens.oauth.expire()
    vendor.gate.set()
    assert Counter([await call for call in calls]) == {"fine": 1000}
    assert len(tokens.posts) == 1
    assert vendor.sends["/api/v1/thing"] == 2000


# --- a token that is not what is wrong ---


async def test_refused_replay_ends_renewals_for_a_while(tokens, clock):
    """Where new tokens are refused too, calls cost one send each, and a renewal ever more rarely."""
    vendor = Vendor(tokens)
    vendor.refuses = {"/api/v1/thing"}
    client = open_client(vendor, tokens.credentials(token=tokens.issue()))
    assert await outcome(client) == "Unauthorized"
    assert (vendor.sends["/api/v1/thing"], len(tokens.posts)) == (2, 1)
    for _ in range(500):
        assert await outcome(client) == "Unauthorized"
    assert (vendor.sends["/api/v1/thing"], len(tokens.posts)) == (502, 1)
    posts = []
    for _ in range(360):
        clock.now += 1
        assert await outcome(client) == "Unauthorized"
        posts.append(len(tokens.posts))
    # After 10, 20, 40, 80 and 120 seconds more.
    assert [posts.index(number) + 1 for number in range(2, 7)] == [10, 30, 70, 150, 270]
    assert posts[-1] == 6


@pytest.mark.parametrize("at_once", [2, 50, 400])
async def test_crowd_that_is_refused_renews_a_few_times(tokens, at_once):
    """A crowd that calls a path which refuses every token costs few renewals, however many calls."""
    vendor = Vendor(tokens)
    vendor.refuses = {"/api/v1/thing"}
    client = open_client(vendor, tokens.credentials(token=tokens.issue()), at_once=at_once)

    async def caller():
        for _ in range(20):
            assert await outcome(client) == "Unauthorized"

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(caller())
    assert len(tokens.posts) <= 2


async def test_path_that_refuses_spoils_no_other(tokens, clock):
    """Beside a path that refuses every token others work, and a login that ends early is renewed again."""
    vendor = Vendor(tokens)
    vendor.refuses = {"/api/v1/secret"}
    client = open_client(vendor, tokens.credentials(token=tokens.issue()))
    assert await outcome(client, "/api/v1/secret") == "Unauthorized"
    assert await outcome(client) == "fine"
    clock.now += 10
    tokens.oauth.expire()
    assert await outcome(client) == "fine"
    assert len(tokens.posts) == 2
    # The replay was accepted, so there is no doubt any more.
    tokens.oauth.expire()
    assert await outcome(client) == "fine"
    assert len(tokens.posts) == 3


async def test_renewal_by_age_goes_on_in_doubt(tokens, clock):
    """Doubt is about refusals: a token that gets old is renewed all the same."""
    vendor = Vendor(tokens)
    vendor.refuses = {"/api/v1/secret"}
    oauth = tokens.credentials(token=tokens.issue())
    client = open_client(vendor, oauth)
    assert await outcome(client, "/api/v1/secret") == "Unauthorized"
    clock.now += 599
    assert await outcome(client) == "fine"
    assert len(tokens.posts) == 2


# --- clients that share a login ---


@pytest.mark.parametrize("order", ["first", "last"])
async def test_closing_one_client_leaves_the_other_its_login(tokens, clock, order):
    """Of two clients with one login either may close: the other renews, and not through the closed one."""
    oauth = tokens.credentials(token=tokens.issue())
    vendors = [Vendor(tokens), Vendor(tokens)]
    clients = [open_client(vendor, oauth) for vendor in vendors]
    assert [await outcome(client) for client in clients] == ["fine", "fine"]
    closing, staying = clients if order == "first" else clients[::-1]
    await closing.aclose()
    for _ in range(3):
        clock.now += 600
        assert await outcome(staying) == "fine"
    assert len(tokens.posts) == 3
    assert sum(vendor.closed for vendor in vendors) == 1


async def test_renewal_under_way_ends_before_its_client_closes(tokens, clock):
    """A client that closes while its login is renewed through it waits; the others have the new token."""
    oauth = tokens.credentials(token=tokens.issue())
    staying, closing = open_client(Vendor(tokens), oauth), open_client(Vendor(tokens), oauth)
    assert await outcome(staying) == "fine"
    clock.now += 500
    assert await outcome(staying) == "fine"  # which begins a renewal in the background
    await closing.aclose()
    assert len(tokens.posts) == 1
    assert (await oauth.proof()).generation == 2
    assert await outcome(staying) == "fine"


async def test_client_that_is_opened_again_renews_again(tokens, clock):
    """After the last client has closed, the next one that is opened renews."""
    oauth = tokens.credentials(token=tokens.issue())
    for _ in range(3):
        vendor = Vendor(tokens)
        async with open_client(vendor, oauth) as client:
            assert await outcome(client) == "fine"
            clock.now += 600
            assert await outcome(client) == "fine"
        vendor.closed = False
        async with client:
            clock.now += 600
            assert await outcome(client) == "fine"
    assert len(tokens.posts) == 6


async def test_client_that_was_dropped_is_let_go(tokens, clock):
    """A client that is dropped without being closed is not kept alive by its login, nor used by it."""
    oauth = tokens.credentials(token=tokens.issue())
    staying = open_client(Vendor(tokens), oauth)
    for _ in range(20):
        open_client(Vendor(tokens), oauth)
    last = open_client(Vendor(tokens), oauth)
    gc.collect()
    assert len(oauth._attached) <= 4
    await last.aclose()
    clock.now += 600
    assert await outcome(staying) == "fine"
    assert len(tokens.posts) == 1
