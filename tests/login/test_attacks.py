"""What an attacker can try at a login: twenty ways, each refused, with nothing saved and no token gained."""

from __future__ import annotations

import base64
import hashlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import pytest

from nimble_async import LoginRefused, NimbleClient, OAuth
from nimble_async._aio.listener import RedirectListener
from nimble_async._sansio.login import LoginRequest
from nimble_async._sansio.redirect import Awaited, loopback_of
from nimble_async.stores.file import FileStore
from nimble_async.testing import ServedSimulator


class Scene(NamedTuple):
    """A person's login that waits on its port, an account, and what anybody can send."""

    served: ServedSimulator
    oauth: OAuth
    login: LoginRequest
    listener: RedirectListener
    http: aiohttp.ClientSession
    redirect_uri: str

    async def visit(self, query: str, *, path: str | None = None, method: str = "GET", **rest) -> str:
        """Come to the port; return the status and whatever it says about where to go."""
        address = self.redirect_uri if path is None else self.redirect_uri.replace("/callback", path)
        async with self.http.request(method, f"{address}?{query}", allow_redirects=False, **rest) as answer:
            return f"{answer.status} {answer.headers.get('Location', 'nowhere')}"

    async def consent(self, login: LoginRequest, **changes: str) -> dict[str, str]:
        """Press Allow at the vendor; return what its redirect carries, or what it says instead."""
        asked = dict(parse_qs(urlsplit(login.url).query))
        form = {**{name: values[0] for name, values in asked.items()}, "decision": "allow", **changes}
        address = f"{self.served.base_url}/oauth/authorize"
        async with self.http.post(address, data=form, allow_redirects=False) as answer:
            location = urlsplit(answer.headers.get("Location", ""))
            return {"status": str(answer.status), **{n: v[0] for n, v in parse_qs(location.query).items()}}

    async def steal(self, **form: str) -> int:
        """Ask the vendor for tokens as an attacker who knows the application's secret; return the status."""
        vendor = self.served.simulator.oauth
        known = {
            "grant_type": "authorization_code",
            "client_id": vendor.client_id,
            "client_secret": vendor.client_secret,
            "redirect_uri": self.redirect_uri,
        }
        async with self.http.post(f"{self.served.base_url}/api/oauth/token", data=known | form) as answer:
            return answer.status

    async def refused_exchange(self, redirected: str) -> str:
        """Paste an address into the person's login; return how it is refused."""
        with pytest.raises(LoginRefused) as told:
            await self.oauth.exchange(redirected, login=self.login)
        return told.value.message


def _state(scene: Scene) -> str:
    return scene.login.state


async def wrong_state(scene: Scene) -> bool:
    """A code with a state that was made up."""
    return await scene.visit("code=EVIL&state=made-up") == "400 nowhere"


async def missing_state(scene: Scene) -> bool:
    """A code without any state."""
    return await scene.visit("code=EVIL") == "400 nowhere"


async def empty_state(scene: Scene) -> bool:
    """A code with an empty state."""
    return await scene.visit("code=EVIL&state=") == "400 nowhere"


async def doubled_state(scene: Scene) -> bool:
    """The right state beside another one."""
    return await scene.visit(f"code=EVIL&state={_state(scene)}&state=made-up") == "400 nowhere"


async def doubled_code(scene: Scene) -> bool:
    """The right state with two codes, of which one is the attacker's."""
    return await scene.visit(f"code=GOOD&code=EVIL&state={_state(scene)}") == "400 nowhere"


async def state_of_another_login(scene: Scene) -> bool:
    """The attacker's whole answer, with the state of a login of the attacker's own."""
    other = scene.oauth.authorization_url()
    back = await scene.consent(other)
    return await scene.visit(urlencode({"code": back["code"], "state": other.state})) == "400 nowhere"


async def state_replayed(scene: Scene) -> bool:
    """A state that ended a login already, pasted with another code."""
    scene.oauth._take_login(_state(scene), None)
    with pytest.raises(LoginRefused, match="used already"):
        await scene.oauth.exchange(f"?code=EVIL&state={_state(scene)}")
    return True


async def forged_denial(scene: Scene) -> bool:
    """A page that pretends the vendor refused, to end the login."""
    return await scene.visit("error=access_denied") == "400 nowhere"


async def code_without_verifier(scene: Scene) -> bool:
    """A stolen code, traded without the verifier."""
    back = await scene.consent(scene.login)
    return await scene.steal(code=back["code"]) == 400


async def code_with_a_made_up_verifier(scene: Scene) -> bool:
    """A stolen code, traded with another verifier."""
    back = await scene.consent(scene.login)
    return await scene.steal(code=back["code"], code_verifier="v" * 43) == 400


async def challenge_instead_of_the_verifier(scene: Scene) -> bool:
    """A stolen code, traded with the challenge, which stood in the address: S256 is not plain."""
    back = await scene.consent(scene.login)
    (challenge,) = parse_qs(urlsplit(scene.login.url).query)["code_challenge"]
    return await scene.steal(code=back["code"], code_verifier=challenge) == 400


async def plain_challenge(scene: Scene) -> bool:
    """An address rewritten to the plain method."""
    back = await scene.consent(scene.login, code_challenge_method="plain")
    return back.get("error") == "invalid_request"


async def injected_code(scene: Scene) -> bool:
    """The attacker's code under the person's own state: the verifier is of another login."""
    digest = hashlib.sha256(b"attacker" * 6).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    back = await scene.consent(scene.login, code_challenge=challenge)
    return "spent" in await scene.refused_exchange(f"?code={back['code']}&state={_state(scene)}")


async def made_up_code(scene: Scene) -> bool:
    """A code that the vendor never gave, under the right state."""
    return "spent" in await scene.refused_exchange(f"?code=EVIL&state={_state(scene)}")


async def mixed_issuer(scene: Scene) -> bool:
    """An answer that says to come from another server."""
    answer = {"code": "EVIL", "state": _state(scene), "iss": "https://evil.example"}
    return await scene.visit(urlencode(answer)) == "400 nowhere"


async def mixed_issuer_pasted(scene: Scene) -> bool:
    """The same, pasted by hand."""
    answer = {"code": "EVIL", "state": _state(scene), "iss": f"{scene.served.base_url}.evil.example"}
    return "another server" in await scene.refused_exchange(f"?{urlencode(answer)}")


async def second_hit(scene: Scene) -> bool:
    """A second answer on the port after the first was taken."""
    first = await scene.visit(f"code=GOOD&state={_state(scene)}")
    second = await scene.visit(f"code=EVIL&state={_state(scene)}")
    taken = await scene.listener.wait(5)
    return (first, second, "EVIL" in taken) == ("200 nowhere", "410 nowhere", False)


async def open_redirect_of_ours(scene: Scene) -> bool:
    """Addresses at our port that would send the browser on."""
    tries = ["next=http://evil.example", "redirect_uri=http://evil.example", "url=//evil.example"]
    found = [await scene.visit(query) for query in tries]
    found += [await scene.visit("", path="//evil.example/callback"), await scene.visit(tries[0], path="/")]
    return all(answer.endswith(" nowhere") and answer.startswith("4") for answer in found)


async def open_redirect_at_the_vendor(scene: Scene) -> bool:
    """A login whose redirect address was rewritten to the attacker's."""
    return await scene.consent(scene.login, redirect_uri="http://evil.example/callback") == {"status": "400"}


async def rebound_name(scene: Scene) -> bool:
    """A page behind a name that was made to point at this machine, with GET and with a form."""
    good = f"code=EVIL&state={_state(scene)}"
    named = await scene.visit(good, headers={"Host": "evil.example"})
    posted = await scene.visit(good, method="POST", data={"code": "EVIL"})
    return (named, posted) == ("404 nowhere", "405 nowhere")


Attack = Callable[[Scene], Awaitable[bool]]
ATTACKS: tuple[Attack, ...] = (
    wrong_state, missing_state, empty_state, doubled_state, doubled_code, state_of_another_login,
    state_replayed, forged_denial, code_without_verifier, code_with_a_made_up_verifier,
    challenge_instead_of_the_verifier, plain_challenge, injected_code, made_up_code, mixed_issuer,
    mixed_issuer_pasted, second_hit, open_redirect_of_ours, open_redirect_at_the_vendor, rebound_name,
)  # fmt: skip


@asynccontextmanager
async def _scene(served: ServedSimulator, redirect_uri: str, store: FileStore) -> AsyncIterator[Scene]:
    vendor = served.simulator.oauth
    oauth = OAuth(
        client_id=vendor.client_id, client_secret=vendor.client_secret, redirect_uri=redirect_uri, store=store
    )
    where = loopback_of(redirect_uri)
    assert where is not None
    async with (
        NimbleClient(credentials=oauth, base_url=served.base_url),
        aiohttp.ClientSession() as http,
    ):
        login = oauth.authorization_url()
        awaited = Awaited(path=where.path, login=login, base_url=served.base_url)
        async with RedirectListener(where, awaited) as listener:
            yield Scene(served, oauth, login, listener, http, redirect_uri)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
async def test_the_attack_is_refused(attack, serve, redirect_uri, tmp_path):
    """The attack gets no token, nothing is saved, and the person's own login still ends well."""
    served, store = serve(), FileStore(tmp_path / "tokens")
    async with _scene(served, redirect_uri, store) as scene:
        assert await attack(scene), attack.__doc__
        assert (served.simulator.oauth.issued, await store.load()) == (0, None)
        begun = scene.oauth.authorization_url()
        back = await scene.consent(begun)
        await scene.oauth.exchange(f"?{urlencode(back)}", login=begun)
        assert await store.load() is not None


def test_the_list_of_attacks_is_whole():
    """Twenty attacks, each with a name and a sentence of its own."""
    assert len(ATTACKS) == len({attack.__name__ for attack in ATTACKS}) == 20
    assert all(attack.__doc__ for attack in ATTACKS)


async def test_nobody_on_the_network_can_knock(redirect_uri):
    """The port is bound to the loopback address, so no other address of the machine answers on it."""
    where = loopback_of(redirect_uri)
    assert where is not None
    login = LoginRequest(url="x", state="s", verifier=None)  # type: ignore[arg-type]  # nobody comes
    async with RedirectListener(where, Awaited(path="/", login=login, base_url="http://x")) as listener:
        bound = [socket_.getsockname()[0] for server in listener._servers for socket_ in server.sockets]
    assert bound == ["127.0.0.1"]
    assert socket.inet_aton(bound[0])[0] == 127
