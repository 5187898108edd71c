"""`login`, `logout` and `whoami` as people and scripts use them: processes, pipes, a terminal, signals."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import socket
import subprocess
import sys
import urllib.request
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from nimble_async import ActiveCampaignClient, ApiKey, ConfigurationError, NimbleClient, StoreError
from nimble_async.testing import ServedSimulator, SimulateOptions
from nimble_async.testing.options import build
from tests.canaries import canary, find
from tests.login.conftest import ROOT

# Each test runs several processes, one after the other.
pytestmark = pytest.mark.timeout(120)
ELSEWHERE = "https://app.example/signed-in"


def _consent(address: str, decision: str = "allow") -> str:
    """Press a button of the consent page; return the address to which it sends the person, unvisited."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    form = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    data = urlencode({**form, "decision": decision}).encode()
    try:
        urllib.request.build_opener(Stay).open(address.partition("?")[0], data, timeout=10)
    except urllib.error.HTTPError as answer:
        return str(answer.headers["Location"])
    raise AssertionError("the consent page sends the person nowhere")


def _files(tmp_path) -> list[str]:
    return sorted(path.name for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".lock")


# --- a key ---


def test_a_key_is_piped_in_verified_and_saved(serve, run, profile_file):
    """The key comes from stdin, the vendor says whose it is, and commands need nothing else afterwards."""
    served = serve()
    code, out, told = run(
        "login", "--api-key", "--output", "json", typed=f"{served.api_key}\n", NIMBLE_BASE_URL=served.base_url
    )
    assert code == 0, told
    me = json.loads(out)
    assert (me["profile"], me["kind"], me["base_url"]) == ("default", "API key", served.base_url)
    assert profile_file.stat().st_mode & 0o777 == 0o600
    assert served.api_key not in out + told
    whoami = json.loads(run("whoami", "--output", "json")[1])
    assert whoami["credentials"] == "profile default (a saved login)"
    assert run("doctor")[0] == 0


@pytest.mark.parametrize(
    ("words", "typed", "code", "line"),
    [
        (["--api-key"], "wrong-key\n", 1, "401"),
        (["--api-key"], "", 2, "No key came from stdin"),
        (["--api-key"], "two words\n", 2, "no key has"),
        (["--api-key", "--client-id", "x"], "", 2, "--api-key needs no browser"),
        (["--no-verify"], "", 2, "--no-verify goes with --api-key"),
        (["--output", "table"], "", 2, "--output is json"),
        (["--timeout", "301"], "", 2, "at most 300"),
        (["--timeout", "0"], "", 2, "above 0"),
        ([], "", 2, "Set NIMBLE_CLIENT_ID and NIMBLE_REDIRECT_URI"),
        (["--client-id", "x"], "", 2, "Set NIMBLE_REDIRECT_URI"),
        (["--client-id", "x", "--redirect-uri", "nonsense"], "", 2, "no redirect address"),
        (["--client-id", "x", "--redirect-uri", ELSEWHERE], "", 2, "Set NIMBLE_CLIENT_SECRET"),
        (["--api-key", "--profile", "../x"], "k\n", 2, "name of a profile"),
        (["--api-key", "--profile", ""], "k\n", 2, "name of a profile"),
        (["--api-key", "--crm", "activecampaign"], "k\n", 2, "Set ACTIVECAMPAIGN_URL"),
    ],
)
def test_what_cannot_be_saved_is_one_line_and_leaves_nothing(words, typed, code, line, serve, run, tmp_path):  # noqa: PLR0917 (a table's row, and fixtures)
    """A refused key, nothing on stdin, or flags that do not go together: no file is left behind."""
    ended = run("login", *words, typed=typed, NIMBLE_BASE_URL=serve().base_url)
    assert (ended[0], ended[1]) == (code, "")
    assert line in ended[2]
    assert len(ended[2].splitlines()) == 1
    assert _files(tmp_path) == []


def test_a_key_need_not_be_verified(run, profile_file):
    """Without a network a key can be saved all the same; a key in the environment still goes first."""
    words = ["login", "--api-key", "--no-verify", "--output", "json", "--base-url", "http://[::1]:1"]
    code, out, told = run(*words, typed="some-key\n", NIMBLE_API_KEY="k")
    assert (code, json.loads(out)["kind"]) == (0, "API key")
    assert "NIMBLE_API_KEY is set and goes before saved logins" in told
    assert json.loads(profile_file.read_bytes())["key"] == "some-key"


def test_profiles_are_apart_listed_and_removed(serve, run):
    """Each profile is its own; `login --list` shows all of them, and no secret; `logout` removes one."""
    served = serve()
    with ServedSimulator(build(SimulateOptions(crm="activecampaign", contacts=2, deals=2))) as other:
        for words, one in (
            (["--profile", "work"], served),
            ([], served),
            (["--crm", "activecampaign"], other),
        ):
            code, _, told = run(*words, "--base-url", one.base_url, "login", "--api-key", typed=one.api_key)
            assert code == 0, told
        listed = run("login", "--list", "--output", "json")[1]
        rows = [(row["crm"], row["profile"], row["base_url"]) for row in json.loads(listed)]
        assert rows == [
            ("nimble", "default", served.base_url),
            ("nimble", "work", served.base_url),
            ("activecampaign", "default", other.base_url),
        ]
        assert served.api_key not in listed
        assert other.api_key not in listed
        whoami = run("--crm", "activecampaign", "whoami", "--output", "json")
        assert json.loads(whoami[1])["profile"] == "default"
    assert run("logout", "--profile", "work")[0] == 0
    code, _, told = run("logout", "--profile", "work")
    assert (code, told.count("There is no saved login 'work'")) == (1, 1)
    code, out, told = run("whoami", "--profile", "work")
    assert (code, out) == (2, "")
    assert "`nimble-async --profile work login --api-key`" in told
    assert run("whoami")[0] == 0


def test_an_empty_list_says_so(run, profile_file):
    """Without profiles there is one line for people and an empty list for programs; a broken one is shown."""
    assert run("login", "--list") == (0, "", "No login is saved here.\n")
    assert json.loads(run("login", "--list", "--output", "json")[1]) == []
    profile_file.parent.mkdir(parents=True, mode=0o700)
    profile_file.touch(mode=0o600)
    profile_file.write_bytes(b"rubbish")
    (row,) = json.loads(run("login", "--list", "--output", "json")[1])
    assert (row["profile"], row["kind"], row["who"]) == (
        "default",
        "unusable",
        "A saved login cannot be read.",
    )
    assert run("login", "--list")[1].endswith("A saved login cannot be read.\n")
    code, _, told = run("whoami")
    assert code == 1
    assert str(profile_file) in told


def test_logout_says_what_it_cannot_do(run):
    """It removes the record here, says that the vendor ends nothing, and that a variable still works."""
    run("login", "--api-key", "--no-verify", typed="some-key")
    code, out, told = run("logout", NIMBLE_API_KEY="k")
    assert (code, out) == (0, "")
    assert "removed from this machine" in told
    assert "no call that ends a key or token" in told
    assert "NIMBLE_API_KEY is still set" in told
    assert run("logout", "--output", "json")[0] == 2


def test_an_application_without_a_login_is_told_to_sign_in(run):
    """The application's id and secret alone are nobody; the key of another address is not sent there."""
    application = {"NIMBLE_CLIENT_ID": "id", "NIMBLE_CLIENT_SECRET": "secret"}
    code, _, told = run("whoami", **application)
    assert code == 1
    assert "There is no login yet" in told
    run("login", "--api-key", "--no-verify", typed="some-key")
    for way in ({}, application):
        code, out, told = run("doctor", **way)
        assert "profile default" in out + told
    code, _, told = run("whoami", "--base-url", "http://127.0.0.1:1")
    assert code == 2
    assert "is good for https://app.nimble.com and not for http://127.0.0.1:1" in told


def test_an_application_in_the_environment_leaves_a_saved_key_alone(serve, run, monkeypatch):
    """A profile that holds a key is used as a key, by commands and in Python, whatever else is set."""
    served = serve()
    assert run("login", "--api-key", typed=served.api_key, NIMBLE_BASE_URL=served.base_url)[0] == 0
    application = {"NIMBLE_CLIENT_ID": "id", "NIMBLE_CLIENT_SECRET": "secret"}
    code, _, told = run("whoami", **application)
    assert code == 0, told
    for name, value in application.items():
        monkeypatch.setenv(name, value)

    async def me() -> str:
        async with NimbleClient() as nimble:
            return str((await nimble.users.me()).name)

    assert asyncio.run(me())


async def test_the_keyring_keeps_a_login(serve, start, profile_file, tmp_path):
    """With --store keyring no file holds the key; every command finds it; logout empties both places."""
    served = serve()
    keyring = {"PYTHON_KEYRING_BACKEND": "tests.keyrings.UnattendedKeyring"}
    words = ["login", "--api-key", "--store", "keyring"]
    login = await start(*words, served=served, application=False, **keyring)
    code, _, told = await login.end(f"{served.api_key}\n".encode())
    assert code == 0, told
    assert json.loads(profile_file.read_bytes())["kept"] == "keyring"
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert served.api_key.encode() not in written
    code, out, told = await (await start("whoami", "--output", "json", **keyring)).end()
    assert (code, json.loads(out)["kept"]) == (0, "keyring"), told
    assert (await (await start("logout", **keyring)).end())[0] == 0
    assert not profile_file.exists()
    none = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    login = await start(*words, served=served, application=False, **none)
    code, _, told = await login.end(f"{served.api_key}\n".encode())
    assert code == 1
    assert "no keyring that can be used" in told
    assert not profile_file.exists()


@pytest.mark.parametrize("command", ["whoami", "logout"])
def test_an_empty_name_is_no_profile(command, run, profile_file):
    """A variable that is not set names no profile: the default one is neither used nor removed."""
    assert run("login", "--api-key", "--no-verify", typed="some-key")[0] == 0
    code, _, told = run(command, "--profile", "")
    assert (code, "name of a profile" in told) == (2, True)
    assert profile_file.exists()


def test_without_a_home_a_key_works_and_nothing_is_saved(serve, run, monkeypatch, tmp_path):
    """A user of no name, as containers have: a key in the environment serves, a login says what it needs."""
    served = serve()
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(sys.modules, "pwd", None)  # as where the system knows no such user
    monkeypatch.chdir(tmp_path)
    assert run("whoami", NIMBLE_BASE_URL=served.base_url, NIMBLE_API_KEY=served.api_key)[0] == 0
    for words in (["login", "--api-key", "--no-verify"], ["whoami"], ["login", "--list"]):
        code, out, told = run(*words, typed="some-key")
        assert (code, out) == (2, ""), words
        assert "Set HOME" in told
    with pytest.raises(ConfigurationError, match="No key was given"):
        NimbleClient()
    assert list(tmp_path.iterdir()) == []


async def test_what_is_no_text_is_one_line(start):
    """Bytes that are no text, such as a key file in another encoding, are not called a bug."""
    login = await start("login", "--api-key", PYTHONIOENCODING="utf-8:strict")
    code, out, told = await login.end(b"\xff\xfek\x00e\x00y\x00\n")
    assert (code, out) == (2, "")
    assert "no text in UTF-8" in told


# --- the browser, without one ---


async def test_the_system_s_browser_is_opened(serve, start, tmp_path):
    """The address goes to the browser that the system names, and no secret; the login goes on from there."""
    browser, seen = tmp_path / "browser", tmp_path / "seen"
    browser.write_text(f'#!/bin/sh\nenv > {seen}.env\nprintf %s "$1" > {seen}\n')
    browser.chmod(0o700)
    keys = {"NIMBLE_API_KEY": canary("key"), "ACTIVECAMPAIGN_API_TOKEN": canary("token")}
    login = await start("login", served=serve(), BROWSER=f"{browser} %s", **keys)
    address = await login.address()
    for _ in range(200):
        if seen.exists() and seen.read_text() == address:
            break
        await asyncio.sleep(0.05)
    assert seen.read_text() == address
    told = seen.with_suffix(".env").read_text()
    assert "NIMBLE_CLIENT_ID=" in told
    assert find(told) is None
    await asyncio.to_thread(_visit, _consent(address))
    assert (await login.end())[0] == 0


def _visit(address: str) -> None:
    with urllib.request.urlopen(address, timeout=10) as answer:
        assert answer.status == 200


async def test_what_knocks_again_and_again_is_told_once(serve, start):
    """A page that keeps sending strange visits fills no terminal: each kind of them is one line."""
    login = await start("login", "--no-browser", served=serve())
    back = await asyncio.to_thread(_consent, await login.address())
    for strange in [back.replace("state=", "state=x"), back.partition("&state=")[0]] * 10:
        with pytest.raises(urllib.error.HTTPError, match="400"):
            await asyncio.to_thread(_visit, strange)
    await asyncio.to_thread(_visit, back)
    code, _, told = await login.end()
    assert (code, told.count("A visit was refused")) == (0, 2)


async def test_without_a_browser_the_address_is_enough(serve, start):
    """Where no browser can be opened, the command says so and waits."""
    login = await start("login", served=serve(), BROWSER="/nowhere/browser")
    address = await login.address()
    await login.line("No browser could be opened")
    await asyncio.to_thread(_visit, _consent(address))
    assert (await login.end())[0] == 0


@pytest.mark.parametrize("way", ["comes back", "times out", "ctrl-c"])
async def test_a_browser_that_stays_open_holds_nothing_up(way, serve, start, tmp_path):
    """A browser command that ends only when its window is closed bounds neither the wait nor the end."""
    browser, ended = tmp_path / "browser", tmp_path / "ended"
    browser.write_text(f"#!/bin/sh\nexec >{os.devnull} 2>&1\nsleep 20\ntouch {ended}\n")
    browser.chmod(0o700)
    words = ["--timeout", "1"] if way == "times out" else []
    login = await start("login", *words, served=serve(), BROWSER=f"{browser} %s")
    address = await login.address()
    if way == "comes back":
        await asyncio.to_thread(_visit, _consent(address))
    elif way == "ctrl-c":
        login.interrupt()
    code, _, told = await login.end()
    assert code == {"comes back": 0, "times out": 1, "ctrl-c": 130}[way], told
    assert not ended.exists()


async def test_ctrl_c_leaves_what_was_there(serve, start, tmp_path, profile_file):
    """An interrupted login ends with 130, closes its port, and changes no saved login."""
    served = serve()
    first = await start("login", "--api-key", served=served, application=False)
    await first.end(f"{served.api_key}\n".encode())
    before = profile_file.read_bytes()
    login = await start("login", "--no-browser", served=served)
    await login.address()
    login.interrupt()
    code, out, told = await login.end()
    assert (code, out) == (130, "")
    assert "Interrupted" in told
    assert profile_file.read_bytes() == before
    assert _files(tmp_path / "data") == ["default"]


async def test_a_login_over_another_replaces_it(serve, start, profile_file):
    """Signing in again is one step: the profile is the old login until it is the new one."""
    served = serve()
    await (await start("login", "--api-key", served=served, application=False)).end(served.api_key.encode())
    assert json.loads(profile_file.read_bytes())["kind"] == "key"
    for generation in (1, 2):
        login = await start("login", "--no-browser", served=served)
        await asyncio.to_thread(_visit, _consent(await login.address()))
        assert (await login.end())[0] == 0
        saved = json.loads(profile_file.read_bytes())
        assert (saved["kind"], saved["token"]["gen"]) == ("oauth", generation)
        assert saved.get("key") is None
        assert saved["who"]


async def test_a_port_that_is_taken_names_the_way_that_needs_none(serve, start, redirect_uri):
    """Another program on the port: one line, exit code 2; the address taken by hand works."""
    served = serve()
    with socket.socket() as other:
        other.bind(("127.0.0.1", urlsplit(redirect_uri).port or 0))
        other.listen()
        code, out, told = await (await start("login", "--no-browser", served=served)).end()
        assert (code, out) == (2, "")
        assert "another program has it" in told
        assert "--redirected -" in told
        login = await start("login", "--no-browser", "--redirected", "-", served=served)
        back = await asyncio.to_thread(_consent, await login.address())
        code, _, told = await login.end(f"{back}\n".encode())
        assert code == 0, told


async def test_an_address_elsewhere_is_taken_in_a_second_run(serve, start, tmp_path, profile_file):
    """Without a terminal the login waits on the disk for ten minutes, and is good once."""
    served = serve(redirect_uri=ELSEWHERE)
    application = {"NIMBLE_REDIRECT_URI": ELSEWHERE}
    login = await start("login", "--no-browser", served=served, **application)
    address = await login.address()
    code, out, told = await login.end()
    assert (code, out) == (2, "")
    assert "--redirected" in told
    assert _files(tmp_path / "data") == ["default.login"]
    back = await asyncio.to_thread(_consent, address)
    for pasted, line in (
        (back.replace("state=", "state=x"), "not sent from here"),
        ("nonsense", "no redirected address"),
        ("<>", "no redirected address"),
        (f"{ELSEWHERE}?error=access_denied", "denied"),
    ):
        ended = await (await start("login", "--redirected", pasted, served=served, **application)).end()
        assert ended[0] != 0
        assert line in ended[2]
        assert not profile_file.exists()
    wrapped = f"\ufeff <'{back}'> "  # as it comes out of a mail or a quoted command
    code, _, told = await (await start("login", "--redirected", wrapped, served=served, **application)).end()
    assert code == 0, told
    assert _files(tmp_path / "data") == ["default"]
    code, _, told = await (await start("login", "--redirected", back, served=served, **application)).end()
    assert code == 2
    assert "No login was begun" in told
    code, _, told = await (
        await start("login", "--no-browser", "--redirected", "-", served=served, **application)
    ).end(b"")
    assert code == 2
    assert "No redirected address came" in told


# --- a terminal ---


def _on_a_terminal(
    words: list[str], environment: dict[str, str], typed: list[tuple[str, str]]
) -> tuple[int, str]:
    """Run a command on a terminal of its own, and type each text after its prompt; return what was seen."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "nimble_async", *words], cwd=ROOT, env=environment, stdin=slave, stdout=slave,
        stderr=slave, start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    seen, waiting = "", list(typed)
    try:
        while True:
            try:
                seen += os.read(master, 4096).decode()
            except OSError:  # the terminal's other end is closed
                break
            if waiting and waiting[0][0] in seen:
                text = waiting.pop(0)[1]
                if text == "END":
                    os.write(master, b"\x04")  # Ctrl-D
                    continue
                os.write(master, f"{_consent_of(seen) if text == 'CONSENT' else text}\n".encode())
        return process.wait(20), seen
    finally:
        process.kill()
        process.wait()
        os.close(master)


def _consent_of(seen: str) -> str:
    return _consent(next(line.strip() for line in seen.splitlines() if line.startswith("http")))


def _environment(tmp_path, served, **more) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NIMBLE_", "BROWSER"))}
    homes = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data"), "COLUMNS": "500"}
    return {**kept, **homes, "NIMBLE_BASE_URL": served.base_url, **more}


@pytest.mark.parametrize("typed", ["END", ""])
@pytest.mark.parametrize(
    ("words", "prompt", "line"),
    [
        (["login", "--api-key"], "API Token)", "API Token"),
        (["login", "--no-browser"], "Client secret", "NIMBLE_CLIENT_SECRET"),
        (["login", "--no-browser", "--redirected", "-"], "Client secret", "NIMBLE_CLIENT_SECRET"),
        (["--crm", "activecampaign", "login", "--api-key"], "API URL", "ACTIVECAMPAIGN_URL"),
    ],
)
def test_nothing_typed_on_a_terminal_is_one_line(words, prompt, line, typed, serve, tmp_path):  # noqa: PLR0917 (a table's row, and fixtures)
    """Return or Ctrl-D at a question: a line of its own says what is missing, and the exit code is 2."""
    application = {"NIMBLE_CLIENT_ID": "id", "NIMBLE_REDIRECT_URI": ELSEWHERE}
    code, seen = _on_a_terminal(words, _environment(tmp_path, serve(), **application), [(prompt, typed)])
    assert code == 2
    last = seen.splitlines()[-1]
    assert last.startswith("nimble-async: ")
    assert line in last
    assert _files(tmp_path) == []


def test_a_key_typed_on_a_terminal_is_not_shown(serve, tmp_path, profile_file):
    """The prompt says where the key is found, and what is typed does not appear."""
    served = serve()
    code, seen = _on_a_terminal(
        ["login", "--api-key"], _environment(tmp_path, served), [("API Token)", served.api_key)]
    )
    assert code == 0, seen
    assert "An API key (Nimble: Settings > API Token): " in seen
    assert served.api_key not in seen
    assert json.loads(profile_file.read_bytes())["key"] == served.api_key


def test_a_secret_and_an_address_typed_on_a_terminal_sign_in(serve, tmp_path, profile_file):
    """The client secret is asked for and not shown; the redirected address is pasted."""
    served = serve(redirect_uri=ELSEWHERE)
    vendor = served.simulator.oauth
    environment = _environment(
        tmp_path, served, NIMBLE_CLIENT_ID=vendor.client_id, NIMBLE_REDIRECT_URI=ELSEWHERE
    )
    code, seen = _on_a_terminal(
        ["login", "--no-browser"],
        environment,
        [("Client secret", vendor.client_secret), ("Paste the address", "CONSENT")],
    )
    assert code == 0, seen
    assert vendor.client_secret not in seen
    assert json.loads(profile_file.read_bytes())["client_secret"] == vendor.client_secret


def test_the_account_s_address_is_asked_for_on_a_terminal(tmp_path):
    """ActiveCampaign's accounts have addresses of their own, which a person may type."""
    with ServedSimulator(build(SimulateOptions(crm="activecampaign", contacts=2, deals=2))) as served:
        environment = _environment(tmp_path, served)
        environment.pop("NIMBLE_BASE_URL")
        code, seen = _on_a_terminal(
            ["--crm", "activecampaign", "login", "--api-key"],
            environment,
            [("API URL of the account", served.base_url), ("An API token", served.api_key)],
        )
        assert code == 0, seen
    assert served.api_key not in seen


# --- in Python ---


async def test_clients_without_arguments_use_the_saved_login(serve, start, tmp_path, monkeypatch):
    """`NimbleClient()` and `ActiveCampaignClient()` find the default profile, at its own address only."""
    served = serve()
    with ServedSimulator(build(SimulateOptions(crm="activecampaign", contacts=2, deals=2))) as other:
        for crm, one in (("nimble", served), ("activecampaign", other)):
            login = await start("--crm", crm, "--base-url", one.base_url, "login", "--api-key")
            assert (await login.end(one.api_key.encode()))[0] == 0
        for name in list(os.environ):
            if name.startswith(("NIMBLE_", "ACTIVECAMPAIGN_")):
                monkeypatch.delenv(name)
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
        async with NimbleClient() as nimble, ActiveCampaignClient() as campaign:
            assert (await nimble.users.me()).name
            assert (await campaign.users.me()).email
        for make in (NimbleClient, ActiveCampaignClient):
            with pytest.raises(ConfigurationError, match="is good for"):
                make(base_url="https://other.example")
        with pytest.raises(ConfigurationError, match="not both"):
            ActiveCampaignClient(base_url=other.base_url, api_token="k", credentials=ApiKey("k"))


async def test_a_browser_login_serves_clients_in_python(serve, start, tmp_path, monkeypatch):
    """The profile renews itself with the secret it holds, and refuses another application's id."""
    served = serve()
    login = await start("login", "--no-browser", served=served)
    await asyncio.to_thread(_visit, _consent(await login.address()))
    assert (await login.end())[0] == 0
    for name in list(os.environ):
        if name.startswith("NIMBLE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    served.run(lambda simulator, _: simulator.oauth.expire())
    async with NimbleClient() as nimble:
        assert (await nimble.users.me()).name
    assert served.simulator.oauth.refreshes == 1
    monkeypatch.setenv("NIMBLE_CLIENT_ID", "another")
    monkeypatch.setenv("NIMBLE_CLIENT_SECRET", "one")
    async with NimbleClient(base_url=served.base_url) as nimble:
        with pytest.raises(StoreError, match="signed in again, with another client"):
            await nimble.users.me()
