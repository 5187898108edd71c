"""A login ends well only with its own state, its own verifier and a fresh code."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec.structs import replace

from nimble_async._aio.credentials import OAuth
from nimble_async._sansio.secret import Secret
from nimble_async.errors import (
    ConfigurationError,
    LoginRefused,
    ReauthRequired,
    StoreError,
    TokenRefreshFailed,
)
from nimble_async.stores.file import FileStore
from nimble_async.stores.memory import MemoryStore
from tests.aio.token_server import BASE, REDIRECT, HandClock, TokenServer, stored


@pytest.fixture
def server():
    """A token server that wants PKCE and sends the state back."""
    return TokenServer(HandClock())


def _consent(server, login, *, decision="allow"):
    """Return the address to which the consent page sends the person back."""
    form = {name: values[-1] for name, values in parse_qs(urlsplit(login.url).query).items()}
    return server.oauth.decide({**form, "decision": decision}, server.clock.now).headers["location"]


async def test_login_stores_the_pair_and_is_used(server):
    """The redirected address ends a login: the pair is stored with the first generation, and calls use it."""
    store = MemoryStore()
    oauth = server.credentials(store=store)
    with pytest.raises(ReauthRequired):
        await oauth.proof()
    login = oauth.authorization_url()
    assert login.url.startswith(f"{BASE}/oauth/authorize?")
    record = await oauth.exchange(_consent(server, login))
    assert await store.load() == record
    assert (record.gen, record.state) == (1, "idle")
    proof = await oauth.proof()
    assert server.accepts(proof)
    assert await oauth.renew(proof)
    assert server.accepts(await oauth.proof())


async def test_login_over_a_dead_one_counts_on(server):
    """A new login goes over a dead record, one generation on, and is used at once."""
    store = MemoryStore()
    oauth = server.credentials(store=store, token=server.issue())
    rejected = await oauth.proof()
    server.oauth.revoke()
    with pytest.raises(ReauthRequired):
        await oauth.renew(rejected)
    record = await oauth.exchange(_consent(server, oauth.authorization_url()))
    assert (record.gen, record.state) == (2, "idle")
    assert server.accepts(await oauth.proof())


async def test_code_alone_needs_its_state(server):
    """Where only the code is passed the state is passed beside it."""
    oauth = server.credentials()
    login = oauth.authorization_url()
    back = parse_qs(urlsplit(_consent(server, login)).query)
    with pytest.raises(LoginRefused, match="without its state"):
        await oauth.exchange(back["code"][0])
    await oauth.exchange(back["code"][0], state=back["state"][0])
    assert server.accepts(await oauth.proof())


async def test_login_of_another_process_is_handed_over(server):
    """A second object ends the login that the first began, given what that returned."""
    login = server.credentials().authorization_url()
    other = server.credentials()
    back = _consent(server, login)
    with pytest.raises(LoginRefused, match="not sent from here"):
        await other.exchange(back)
    assert server.posts == []
    await other.exchange(back, login=login)
    assert server.accepts(await other.proof())


async def test_attacks_are_refused_without_a_request(server):
    """A wrong, missing, replayed or foreign state, a denial, and doubled parameters send nothing."""
    oauth = server.credentials()
    login = oauth.authorization_url()
    back = _consent(server, login)
    foreign = server.credentials().authorization_url()
    addresses = [
        back.replace(login.state, "x" * 43),
        back.replace(login.state, foreign.state),
        back.split("&state")[0],
        f"{back}&state=other",
        f"{back}&code=other",
        f"{REDIRECT}?error=access_denied&state={login.state}",
        f"{REDIRECT}?state={login.state}",
        _consent(server, login, decision="deny"),
    ]
    for address in addresses:
        with pytest.raises(LoginRefused):
            await oauth.exchange(address)
    with pytest.raises(LoginRefused):
        await oauth.exchange(back, login=foreign)
    assert server.posts == []
    await oauth.exchange(back)
    with pytest.raises(LoginRefused, match="used already"):
        await oauth.exchange(back)
    assert len(server.posts) == 1


async def test_state_may_be_optional_but_never_wrong(server):
    """With `state='optional'` a missing state passes, still with the verifier; a wrong one does not."""
    oauth = server.credentials(state="optional")
    login = oauth.authorization_url()
    back = _consent(server, login)
    with pytest.raises(LoginRefused):
        await oauth.exchange(back.replace(login.state, "other"))
    await oauth.exchange(back.split("&state")[0])
    assert server.accepts(await oauth.proof())


async def test_optional_state_with_two_logins_open_cannot_guess(server):
    """Without a state nobody knows which of two logins came back: the server misses the verifier."""
    oauth = server.credentials(state="optional")
    first, _ = oauth.authorization_url(), oauth.authorization_url()
    with pytest.raises(LoginRefused, match="spent"):
        await oauth.exchange(_consent(server, first).split("&state")[0])


async def test_code_is_good_once_and_with_its_verifier(server):
    """A replayed code, and a code with another verifier, are refused by the server and said so."""
    oauth = server.credentials()
    first, second = oauth.authorization_url(), oauth.authorization_url()
    stolen = _consent(server, first).replace(first.state, second.state)
    with pytest.raises(LoginRefused, match="spent, too old or not for this client"):
        await oauth.exchange(stolen)
    back = _consent(server, third := oauth.authorization_url())
    await oauth.exchange(back)
    with pytest.raises(LoginRefused, match="used already"):
        await oauth.exchange(back, login=third)


async def test_used_login_ends_no_other(server):
    """A state that was used is refused with a fresh code too, handed over or left out."""
    oauth = server.credentials(state="optional")
    login = oauth.authorization_url()
    await oauth.exchange(_consent(server, login), login=login)
    fresh = _consent(server, login)
    posts = len(server.posts)
    with pytest.raises(LoginRefused, match="used already"):
        await oauth.exchange(fresh, login=login)
    with pytest.raises(LoginRefused, match="used already"):
        await oauth.exchange(parse_qs(urlsplit(fresh).query)["code"][0], login=login)
    assert len(server.posts) == posts


@pytest.mark.parametrize("back", ["", "   ", "http://[x/?code=1", "code=\udcff&state=x", "\udcff"])
async def test_what_is_neither_code_nor_address_costs_no_login(server, back):
    """It is refused, nothing is sent, and the same login still ends well."""
    oauth = server.credentials()
    login = oauth.authorization_url()
    with pytest.raises(LoginRefused):
        await oauth.exchange(back, state=login.state)
    assert server.posts == []
    await oauth.exchange(_consent(server, login))


async def test_code_may_end_in_an_equals_sign(server):
    """Such a code goes to the server as it is."""
    oauth = server.credentials()
    login = oauth.authorization_url()
    with pytest.raises(LoginRefused, match="spent"):
        await oauth.exchange("abc==", state=login.state)
    assert b"code=abc%3D%3D" in server.posts[0]


@pytest.mark.parametrize("word", [503, "lost", "unsent", "garbled", 404])
async def test_code_is_sent_once(server, word):
    """A code whose answer does not come is not sent again, and the store stays empty."""
    store = MemoryStore()
    oauth = server.credentials(store=store)
    server.script = [word]
    with pytest.raises(TokenRefreshFailed, match="No token was given"):
        await oauth.exchange(_consent(server, oauth.authorization_url()))
    assert len(server.posts) == 1
    assert await store.load() is None


async def test_store_that_cannot_be_used_costs_no_code(server, tmp_path):
    """A token file that others can read is found out before the code is spent."""
    path = tmp_path / "tokens"
    path.write_bytes(b"{}")
    path.chmod(0o644)
    oauth = server.credentials(store=FileStore(path))
    with pytest.raises(StoreError, match="chmod 600"):
        await oauth.exchange(_consent(server, oauth.authorization_url()))
    assert server.posts == []


async def test_store_that_takes_nothing_says_so(server):
    """A store that answers False to a login's save is not taken for one that keeps it."""

    class Refusing(MemoryStore):
        async def save(self, record, *, expected=None):
            return False

    oauth = server.credentials(store=Refusing())
    with pytest.raises(StoreError, match="did not take"):
        await oauth.exchange(_consent(server, oauth.authorization_url()))


async def test_cancelled_login_is_stored_all_the_same(server):
    """A caller that is cancelled after the code was sent does not lose the pair."""
    store = MemoryStore()
    oauth = server.credentials(store=store)
    task = asyncio.create_task(oauth.exchange(_consent(server, oauth.authorization_url())))
    while not server.posts:
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    await oauth.aclose()
    assert (await stored(store)).gen == 1


async def test_object_remembers_a_hundred_logins(server):
    """The hundred newest logins can end; an older one is forgotten."""
    oauth = server.credentials()
    logins = [oauth.authorization_url() for _ in range(101)]
    assert len({login.state for login in logins}) == 101
    with pytest.raises(LoginRefused, match="not sent from here"):
        await oauth.exchange(_consent(server, logins[0]))
    await oauth.exchange(_consent(server, logins[1]))


def test_address_of_the_consent_page_follows_the_client(server):
    """The consent page is where the client talks to, or where the credentials say."""
    arguments: dict[str, Any] = {"client_id": "id", "client_secret": "secret", "redirect_uri": REDIRECT}
    assert OAuth(**arguments).authorization_url().url.startswith("https://app.nimble.com/oauth/authorize?")
    elsewhere = OAuth(**arguments, base_url="https://api.nimble.com/")
    elsewhere.attach(server, server.clock, base_url=BASE)
    assert elsewhere.authorization_url().url.startswith("https://api.nimble.com/oauth/authorize?")
    assert "scope=basic&" in elsewhere.authorization_url(scope="basic").url
    with pytest.raises(ConfigurationError, match="redirect_uri"):
        OAuth(client_id="id", client_secret="secret").authorization_url()


async def test_login_without_a_client_says_so():
    """Before a client is built with the credentials a code is not spent."""
    oauth = OAuth(client_id="id", client_secret="secret", redirect_uri=REDIRECT)
    with pytest.raises(ConfigurationError, match="Build one"):
        await oauth.exchange("code", state="state")


def test_what_is_kept_of_a_login_shows_no_verifier(server):
    """The login's repr holds its address and state and hides the verifier."""
    login = server.credentials(entropy=lambda count: bytes(range(count))).authorization_url()
    assert login.verifier.reveal() not in repr(login)
    assert replace(login, verifier=Secret("other")) != login


async def test_call_that_began_before_a_login_does_not_take_it_back(server):
    """A first load that was answered before a login ended, and arrives later, leaves the new one in use."""

    class Slow(MemoryStore):
        hold: asyncio.Event | None = None

        async def load(self):
            found, hold = await super().load(), self.hold
            if hold is not None:
                self.hold = None
                await hold.wait()
            return found

    store = Slow()
    await server.credentials(store=store, token=server.issue()).proof()
    oauth = server.credentials(store=store)
    store.hold = hold = asyncio.Event()
    calling = asyncio.create_task(oauth.proof())
    await asyncio.sleep(0)
    while store.hold is not None:
        await asyncio.sleep(0)
    record = await oauth.exchange(_consent(server, oauth.authorization_url()))
    hold.set()
    await calling
    assert (await oauth.proof()).generation == record.gen == 2
