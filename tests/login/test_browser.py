"""Signing in with a real browser: Chromium walks the simulator's consent page, the command waits for it."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

CONSENT = "Simulated consent"
CAME_BACK = "The sign-in came back"
REFUSED = "This visit was refused"
pytestmark = pytest.mark.timeout(90)


async def _consent(browser, address: str, button: str = "allow"):
    """Open the consent page and press one of its buttons; return the page."""
    page = await browser.page()
    assert await page.go(address) == ""
    await page.until(CONSENT)
    await page.click(f"#{button}")
    return page


async def test_allow_signs_in_and_every_command_knows_it(browser, serve, start, profile_file):
    """After one click the login is saved, whole and closed to others, and used without any variable."""
    served = serve()
    login = await start("login", "--no-browser", "--output", "json", served=served)
    page = await _consent(browser, await login.address())
    assert "can be closed" in await page.until(CAME_BACK)
    code, out, told = await login.end()
    assert code == 0, told
    me = json.loads(out)
    assert (me["profile"], me["kind"], me["kept"]) == ("default", "browser sign-in", "file")
    assert profile_file.stat().st_mode & 0o077 == 0
    assert served.simulator.oauth.issued == 1
    again = await (await start("whoami", "--output", "json", application=False)).end()
    assert again[0] == 0, again[2]
    seen = json.loads(again[1])
    assert (seen["name"], seen["base_url"]) == (me["name"], served.base_url)
    assert 0 <= seen["token_age"] <= seen["token_life"] == 600
    secrets = [served.simulator.oauth.client_secret, json.loads(profile_file.read_bytes())["token"]["access"]]
    assert not any(secret in text for secret in secrets for text in (out, told, again[1], again[2]))
    # The port is closed: who comes now finds nobody.
    assert "REFUSED" in await page.go(await page.value("location.href"))


async def test_deny_saves_nothing(browser, serve, start, profile_file):
    """The other button ends the command with a clear line and exit code 1; nothing is saved."""
    login = await start("login", "--no-browser", served=serve())
    page = await _consent(browser, await login.address(), "deny")
    await page.until("The sign-in failed")
    code, out, told = await login.end()
    assert (code, out) == (1, "")
    assert "The login was denied on the consent page." in told
    assert not profile_file.exists()


async def test_a_wrong_state_is_refused_and_the_wait_goes_on(browser, serve, start, redirect_uri):
    """A page that sends the browser to us with another state changes nothing; the person's click does."""
    served = serve()
    login = await start("login", "--no-browser", served=served)
    address = await login.address()
    page = await browser.page()
    await page.go(f"{redirect_uri}?code=STOLEN&state=wrong")
    await page.until(REFUSED)
    assert "not sent from here" in await login.line("A visit was refused")
    assert served.simulator.oauth.issued == 0
    page = await _consent(browser, address)
    await page.until(CAME_BACK)
    assert (await login.end())[0] == 0


async def test_a_missing_state_is_refused_unless_it_is_optional(browser, serve, start, profile_file):
    """Where the vendor drops the state, the command names the flag that takes that, and takes it with it."""
    served = serve(ignore_state=True)
    login = await start("login", "--no-browser", "--timeout", "6", served=served)
    page = await _consent(browser, await login.address())
    await page.until(REFUSED)
    code, _, told = await login.end()
    assert code == 1
    assert "without its state" in told
    assert "--state optional" in told
    assert not profile_file.exists()
    login = await start("login", "--no-browser", "--state", "optional", served=served)
    page = await _consent(browser, await login.address())
    await page.until(CAME_BACK)
    assert (await login.end())[0] == 0


async def test_a_replayed_code_is_refused(browser, serve, start, redirect_uri, profile_file):
    """A code that was used, brought with the state of a new login, ends that login and saves nothing."""
    served = serve()
    login = await start("login", "--no-browser", served=served)
    page = await _consent(browser, await login.address())
    await page.until(CAME_BACK)
    used = parse_qs(urlsplit(await page.value("location.href")).query)["code"][0]
    assert (await login.end())[0] == 0
    saved = profile_file.read_bytes()
    login = await start("login", "--no-browser", served=served)
    state = parse_qs(urlsplit(await login.address()).query)["state"][0]
    await page.go(f"{redirect_uri}?code={used}&state={state}")
    await page.until(CAME_BACK)
    code, out, told = await login.end()
    assert (code, out) == (1, "")
    assert "spent" in told
    assert profile_file.read_bytes() == saved
    assert served.simulator.oauth.issued == 1


async def test_a_second_visit_is_told_that_it_is_over(browser, serve, start):
    """While the code is traded for tokens the port still answers, and takes nothing more."""
    served = serve(latency=1.5)
    login = await start("login", "--no-browser", served=served)
    page = await _consent(browser, await login.address())
    await page.until(CAME_BACK)
    assert await page.go(await page.value("location.href")) == ""
    await page.until("This sign-in is over")
    assert (await login.end())[0] == 0
    assert served.simulator.oauth.issued == 1


async def test_a_vendor_that_ignores_pkce_is_signed_in_to_all_the_same(browser, serve, start):
    """The verifier is always sent; a server that does not look at it changes nothing for the person."""
    served = serve(ignore_pkce=True)
    login = await start("login", "--no-browser", served=served)
    address = await login.address()
    assert parse_qs(urlsplit(address).query)["code_challenge_method"] == ["S256"]
    page = await _consent(browser, address)
    await page.until(CAME_BACK)
    assert (await login.end())[0] == 0
