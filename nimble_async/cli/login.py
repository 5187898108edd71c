"""`login`: sign in, in the browser or with a key, and save it as a profile.

Rule: a profile is written in one step, after the vendor has agreed, so that an interruption leaves
what was there before. No secret is taken from the command line or shown.
"""

from __future__ import annotations

import os
import threading
import webbrowser
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter
from msgspec import Struct

from nimble_async.cli.exits import Exit, UsageError, one_line
from nimble_async.cli.parser import run_until_interrupted
from nimble_async.cli.render import ask_line, ask_secret, rows, say, terminal
from nimble_async.cli.settings import Settings, client_of, make_key, normal
from nimble_async.cli.vendors import Vendor
from nimble_async.cli.whoami import facts_of, show, token_facts
from nimble_async.errors import StoreError

if TYPE_CHECKING:
    from nimble_async._aio.credentials import OAuth
    from nimble_async._sansio.login import LoginRequest
    from nimble_async._sansio.redirect import Loopback
    from nimble_async.stores.profiles import Kept, Profile

__all__ = ["login"]

_LONGEST = 300.0
"""Seconds for which the port is open at most."""
_WRAPPING = "\ufeff<>\"'"
"""What an address may come wrapped in, out of a mail or a quoted command."""
_KEPT_FROM_BROWSERS = ("NIMBLE_API_KEY", "NIMBLE_CLIENT_SECRET", "ACTIVECAMPAIGN_API_TOKEN")


class _Wish(Struct, frozen=True, kw_only=True):
    """What the flags of a browser login say."""

    client_id: str | None
    redirect_uri: str | None
    scope: str
    browser: bool
    timeout: float
    state: Literal["required", "optional"]
    redirected: str | None
    store: Kept


def login(
    *,
    api_key: bool = False,
    client_id: str | None = None,
    redirect_uri: str | None = None,
    scope: str = "basic,contacts,deals",
    no_browser: bool = False,
    timeout: float = _LONGEST,
    state: Literal["required", "optional"] = "required",
    redirected: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    store: Literal["file", "keyring"] = "file",
    no_verify: bool = False,
    list_: Annotated[bool, Parameter(name="--list")] = False,
    settings: Annotated[Settings, Parameter(parse=False)],
) -> int:
    """Sign in, and save it as the profile `default` or the one of --profile.

    In the browser this needs an application that is registered with the vendor: NIMBLE_CLIENT_ID,
    NIMBLE_CLIENT_SECRET (asked for where it is not set) and NIMBLE_REDIRECT_URI. Where the redirect
    address is on this machine (http, 127.0.0.1, ::1 or localhost) the command waits there for the
    browser; otherwise it takes the address at which the browser ends.

    With --api-key a key is asked for, or read from stdin where that is no terminal.

    Args:
        api_key: Save a key instead of signing in with the browser.
        client_id: The application's id; else NIMBLE_CLIENT_ID.
        redirect_uri: Its redirect address as it is registered; else NIMBLE_REDIRECT_URI.
        scope: What to ask for.
        no_browser: Print the address instead of opening the browser.
        timeout: Seconds to wait for the browser, at most 300.
        state: `optional` for a server that does not send the state back; a wrong one is always refused.
        redirected: The address at which the browser ended, of a login that was begun before; - takes it
            from stdin.
        store: Where the login is kept: a file that only its owner can read, or the system's keyring.
        no_verify: Save a key without asking the vendor whose it is.
        list_: List the saved logins and do nothing else.
    """
    if list_:
        return _list(settings)
    if settings.output == "table":
        raise UsageError("login shows facts, so --output is json or left out.")
    if api_key:
        if client_id or redirect_uri or redirected or no_browser or state != "required":
            raise UsageError("--api-key needs no browser, so it goes with --store and --no-verify only.")
        return _login_with_key(settings, store, verify=not no_verify)
    if settings.crm != "nimble":
        raise UsageError(
            f"{settings.vendor.title} has keys and no sign-in for applications.", hint="Add --api-key."
        )
    if no_verify:
        raise UsageError("--no-verify goes with --api-key; a sign-in is verified by itself.")
    if not 0 < timeout <= _LONGEST:
        raise UsageError(f"--timeout must be above 0 and at most {_LONGEST:.0f} seconds.")
    return _login_with_browser(
        settings,
        _Wish(
            client_id=client_id, redirect_uri=redirect_uri, scope=scope, browser=not no_browser,
            timeout=timeout, state=state, redirected=redirected, store=store,
        ),
    )  # fmt: skip


# --- a key ---


def _login_with_key(settings: Settings, store: Kept, *, verify: bool) -> int:
    vendor = settings.vendor
    if not settings.address.value:
        settings = _at(settings, _account(vendor))
    address = normal(settings.crm, settings.address.value)
    try:
        key = ask_secret(f"{vendor.key_name[0].upper()}{vendor.key_name[1:]} ({vendor.key_place})")
    except EOFError:
        if terminal("stdin"):
            raise UsageError("No key was given.", hint=f"You find it under {vendor.key_place}.") from None
        raise UsageError(
            "No key came from stdin.", hint="Pipe it in: `... login --api-key < FILE`."
        ) from None
    return int(run_until_interrupted(lambda: _save_key(settings, address, key, store, verify=verify)))


def _account(vendor: Vendor) -> str:
    """Ask for the address of an account."""
    with suppress(EOFError):
        if terminal("stdin"):
            return ask_line(f"API URL of the account ({vendor.key_place})")
    raise UsageError("No address was given; each account has its own.", hint=f"Set {vendor.address}.")


def _at(settings: Settings, address: str) -> Settings:
    from dataclasses import replace

    return replace(settings, base_url=address)


async def _save_key(settings: Settings, address: str, key: str, store: Kept, *, verify: bool) -> int:
    from nimble_async._aio.clock import SystemClock
    from nimble_async._sansio.secret import Secret
    from nimble_async.stores.profiles import Profile, save_profile

    credentials = make_key(settings.crm, key)
    facts: dict[str, Any] = {"crm": settings.crm, "base_url": address}
    if verify:
        async with client_of(settings, credentials) as client:
            facts = await facts_of(client, settings)
    profile = Profile(
        crm=settings.crm, kind="key", base_url=address, kept=store, key=Secret(key.strip()), who=_who(facts),
        saved=SystemClock().wall(),
    )  # fmt: skip
    await save_profile(settings.place, profile)
    await _tell(settings, facts)
    return Exit.DONE


# --- the browser ---


def _login_with_browser(settings: Settings, wish: _Wish) -> int:
    from nimble_async._sansio.redirect import loopback_of

    client_id = wish.client_id or settings.environment.get("NIMBLE_CLIENT_ID", "")
    redirect_uri = wish.redirect_uri or settings.environment.get("NIMBLE_REDIRECT_URI", "")
    missing = [
        name for name, value in (("CLIENT_ID", client_id), ("REDIRECT_URI", redirect_uri)) if not value
    ]
    if missing:
        names = " and ".join(f"NIMBLE_{name}" for name in missing)
        hint = f"Set {names} to what is registered with the vendor; a key needs neither: login --api-key."
        raise UsageError("The browser login needs a registered application.", hint=hint)
    where = loopback_of(redirect_uri)
    profile = _beginning(settings, wish, client_id, redirect_uri)
    if wish.redirected is None and where is not None:
        return int(run_until_interrupted(lambda: _by_listening(settings, wish, profile, where)))
    return _by_hand(settings, wish, profile)


def _beginning(settings: Settings, wish: _Wish, client_id: str, redirect_uri: str) -> Profile:
    """Return the profile that is to be, without its token."""
    from nimble_async._aio.clock import SystemClock
    from nimble_async._sansio.secret import Secret
    from nimble_async.stores.profiles import Profile

    return Profile(
        crm=settings.crm, kind="oauth", base_url=normal(settings.crm, settings.address.value),
        kept=wish.store, client_id=client_id, client_secret=Secret(_client_secret(settings)),
        redirect_uri=redirect_uri, state=wish.state, saved=SystemClock().wall(),
    )  # fmt: skip


def _client_secret(settings: Settings) -> str:
    secret = settings.environment.get("NIMBLE_CLIENT_SECRET", "")
    if secret:
        return secret
    with suppress(EOFError):
        if terminal("stdin"):
            return ask_secret("Client secret (of the registered application)")
    raise UsageError("No client secret was given.", hint="Set NIMBLE_CLIENT_SECRET.")


def _oauth(settings: Settings, profile: Profile, scope: str) -> OAuth:
    from nimble_async._aio.credentials import OAuth
    from nimble_async.stores.profiles import ProfileStore

    assert profile.client_secret is not None  # noqa: S101 (`_beginning` set it)
    return OAuth(
        client_id=profile.client_id,
        client_secret=profile.client_secret.reveal(),
        redirect_uri=profile.redirect_uri,
        base_url=profile.base_url,
        scope=scope,
        state=profile.state,
        store=ProfileStore(settings.place, client_id=profile.client_id, beginning=profile),
    )


async def _by_listening(settings: Settings, wish: _Wish, profile: Profile, where: Loopback) -> int:
    from nimble_async._aio.listener import RedirectListener
    from nimble_async._sansio.redirect import Awaited

    oauth = _oauth(settings, profile, wish.scope)
    begun = oauth.authorization_url()
    awaited = Awaited(
        path=where.path, login=begun, base_url=profile.base_url, state_required=wish.state == "required"
    )
    async with RedirectListener(where, awaited, refused=_teller()) as listener:
        _open(begun, browser=wish.browser)
        target = await listener.wait(wish.timeout)
        return await _end(settings, oauth, target, begun)


def _teller() -> Callable[[str], None]:
    """Return what tells of a refused visit, each reason once: a page in the browser may send any number."""
    told: set[str] = set()

    def tell(why: str) -> None:
        if why not in told:
            told.add(why)
            say(one_line(f"A visit was refused and the wait goes on: {why}"))

    return tell


def _open(begun: LoginRequest, *, browser: bool) -> None:
    """Say where to sign in, and open the browser beside the wait: some return only when it is closed.

    Nothing waits for the thread, the end of the process neither.
    """
    say("Sign in at this address (Ctrl-C ends the wait):")
    say(begun.url)
    if browser:
        # Whatever the browser starts would find them in its environment; ours was read before.
        for name in _KEPT_FROM_BROWSERS:
            os.environ.pop(name, None)
        threading.Thread(target=_browse, args=(begun.url,), name="nimble-async-browser", daemon=True).start()


def _browse(url: str) -> None:
    try:
        opened = webbrowser.open(url)
    except (OSError, webbrowser.Error):
        opened = False
    if not opened:
        say("No browser could be opened here: open the address yourself.")


def _by_hand(settings: Settings, wish: _Wish, profile: Profile) -> int:
    """Take the redirected address from the command line, from stdin, or from another run of the command."""
    if wish.redirected not in {None, "-"}:
        redirected = wish.redirected or ""
        return int(run_until_interrupted(lambda: _end_begun(settings, wish, profile, redirected)))
    oauth = _oauth(settings, profile, wish.scope)
    begun = oauth.authorization_url()
    _open(begun, browser=wish.browser and terminal("stdin"))
    if wish.redirected is None and not terminal("stdin"):
        run_until_interrupted(lambda: _keep(settings, begun))
        raise UsageError(
            "The redirect address is not on this machine, and stdin is no terminal.",
            hint="Open the address, and within ten minutes run the command again with "
            "--redirected 'THE ADDRESS AT WHICH THE BROWSER ENDED'.",
        )
    try:
        address = ask_line("Paste the address at which the browser ended" if terminal("stdin") else "")
    except EOFError:
        raise UsageError("No redirected address came.", hint="Begin the login again.") from None
    return int(run_until_interrupted(lambda: _end(settings, oauth, address, begun)))


async def _keep(settings: Settings, begun: LoginRequest) -> None:
    from nimble_async._aio.clock import SystemClock
    from nimble_async.stores.profiles import keep_waiting

    await keep_waiting(settings.place, begun, wall=SystemClock().wall())


async def _end_begun(settings: Settings, wish: _Wish, profile: Profile, redirected: str) -> int:
    from nimble_async._aio.clock import SystemClock
    from nimble_async.stores.profiles import read_waiting

    begun = await read_waiting(settings.place, wall=SystemClock().wall())
    if begun is None:
        raise UsageError(
            "No login was begun in the last ten minutes.", hint="Begin one without --redirected."
        )
    return await _end(settings, _oauth(settings, profile, wish.scope), redirected, begun)


async def _end(settings: Settings, oauth: OAuth, redirected: str, begun: LoginRequest) -> int:
    """Trade what came back for a token pair, which saves the profile, and say whose it is."""
    from nimble_async.stores.profiles import describe

    if redirected.lstrip()[:1] in _WRAPPING:
        redirected = redirected.strip(_WRAPPING + " ")
    if "=" not in redirected:
        raise UsageError("That is no redirected address.", hint="Paste the whole of it, with its ?code=...")
    async with client_of(settings, oauth) as client:
        await oauth.exchange(redirected, login=begun)
        say(f"The login is saved as the profile {settings.place.name!r}.")
        facts = await facts_of(client, settings)
        await describe(settings.place, _who(facts))
    await _tell(settings, facts)
    return Exit.DONE


# --- what is said ---


def _who(facts: dict[str, Any]) -> str:
    return one_line(" ".join(str(facts[name]) for name in ("name", "email") if facts.get(name)))


async def _tell(settings: Settings, facts: dict[str, Any]) -> None:
    used = settings.login
    saved = f"profile {settings.place.name}"
    if "credentials" in facts:
        facts = {**facts, "credentials": saved}
    show({**facts, **await token_facts(_of_profile(settings))}, settings)
    if used.value == "key":
        say(f"{used.source} is set and goes before saved logins, unless --profile names one.")


def _of_profile(settings: Settings) -> Settings:
    """Return the settings as they would be if the profile had been asked for by name."""
    from dataclasses import replace

    return replace(settings, profile=settings.place.name)


def _list(settings: Settings) -> int:
    from nimble_async.cli.vendors import VENDORS
    from nimble_async.stores.profiles import profiles

    found = [_row(place.crm, place.name) for crm in VENDORS for place in profiles(crm)]
    if not found and settings.output is None:
        say("No login is saved here.")
    else:
        columns: Sequence[str] = ("crm", "profile", "kind", "kept", "base_url", "who")
        rows(found, output=settings.output or "table", columns=columns)
    return Exit.DONE


def _row(crm: str, name: str) -> dict[str, Any]:
    from nimble_async.stores.profiles import Place, read_facts

    row, place = {"crm": crm, "profile": name}, Place(crm=crm, name=name)
    try:
        facts = read_facts(place)
    except StoreError as error:
        why = error.message.removeprefix(str(place.path)).lstrip(": ")
        return {**row, "kind": "unusable", "who": why}
    if facts is None:
        return {**row, "kind": "gone"}
    kinds = {"key": "API key", "oauth": "browser sign-in"}
    return {
        **row, "kind": kinds[facts.kind], "kept": facts.kept, "base_url": facts.base_url, "who": facts.who,
        "saved": round(facts.saved),
    }  # fmt: skip
