"""No way out: each object that holds a secret, through each thing that shows, keeps or passes on objects."""

from __future__ import annotations

import asyncio
import copy
import io
import json
import logging
import pickle
import pprint
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
import rich
from rich.console import Console
from rich.pretty import pretty_repr
from rich.traceback import Traceback

from nimble_async._aio.credentials import ApiKey, OAuth
from nimble_async._aio.keeper import Held
from nimble_async._aio.ports import Proof
from nimble_async._sansio.grants import Granted
from nimble_async._sansio.login import LoginRequest, Redirected
from nimble_async._sansio.message import Request, Response
from nimble_async._sansio.redirect import Awaited, judge_visit
from nimble_async._sansio.secret import Secret
from nimble_async._sansio.tokens import TokenRecord
from nimble_async.activecampaign.client import ActiveCampaignClient
from nimble_async.config import ClientConfig, RetryPolicy
from nimble_async.errors import (
    ConfigurationError,
    ConnectionFailed,
    DeadlineExceeded,
    InvalidInput,
    LoginRefused,
    MalformedResponse,
    ReauthRequired,
    StoreError,
    TokenRefreshFailed,
    Unauthorized,
)
from nimble_async.nimble.client import NimbleClient
from nimble_async.stores.file import FileStore
from nimble_async.stores.memory import MemoryStore
from nimble_async.stores.profiles import Profile
from nimble_async.stores.redis import RedisStore
from nimble_async.stores.redis_budget import RedisBudget
from tests.canaries import canary, find

KEY, ACCESS, REFRESH, CLIENT_SECRET, CODE, VERIFIER, PASSWORD = map(
    canary, ("key", "access", "refresh", "client", "code", "verifier", "password")
)
REDIS = f"redis://user:{PASSWORD}@127.0.0.1:1/0"
PROXY = f"http://user:{PASSWORD}@127.0.0.1:1"
ONCE = ClientConfig(retries=RetryPolicy(attempts=1))


def record() -> TokenRecord:
    return TokenRecord(gen=1, access=Secret(ACCESS), refresh=Secret(REFRESH))


def oauth(**more: Any) -> OAuth:
    return OAuth(client_id="id", client_secret=CLIENT_SECRET, token=record(), **more)


def profile() -> Profile:
    return Profile(
        crm="nimble", kind="oauth", base_url="https://x", key=Secret(KEY),
        client_secret=Secret(CLIENT_SECRET), token=record(),
    )  # fmt: skip


OBJECTS: dict[str, Callable[[], object]] = {
    "Secret": lambda: Secret(KEY),
    "TokenRecord": record,
    "Proof": lambda: Proof("Authorization", Secret(f"Bearer {KEY}")),
    "Held": lambda: Held(record(), 0.0),
    "Granted": lambda: Granted(access=Secret(ACCESS), refresh=Secret(REFRESH), expires_in=1.0, date=None),
    "LoginRequest": lambda: LoginRequest(url="https://x/", state="s", verifier=Secret(VERIFIER)),
    "Redirected": lambda: Redirected(Secret(CODE), "s"),
    "Profile": profile,
    "Visit": lambda: judge_visit(
        "GET",
        f"/c?code={CODE}&state=s",
        "localhost",
        awaited=Awaited(
            path="/c", login=LoginRequest(url="x", state="s", verifier=Secret("v")), base_url="x"
        ),
        over=False,
    ),
    "ApiKey": lambda: ApiKey(KEY),
    "OAuth": oauth,
    "NimbleClient with a key": lambda: NimbleClient(api_key=KEY),
    "NimbleClient with a login": lambda: NimbleClient(credentials=oauth()),
    "a view on a client": lambda: NimbleClient(api_key=KEY).with_options(lane="bulk"),
    "a resource": lambda: NimbleClient(api_key=KEY).contacts,
    "a list": lambda: NimbleClient(api_key=KEY).contacts.list(),
    "its statistics": lambda: NimbleClient(api_key=KEY).statistics(),
    "its parts": lambda: NimbleClient(api_key=KEY).executor.core,
    "ActiveCampaignClient": lambda: ActiveCampaignClient(base_url="https://a.api-us1.com", api_token=KEY),
    "MemoryStore": lambda: MemoryStore(record()),
    "RedisStore": lambda: RedisStore(REDIS),
    "RedisBudget": lambda: RedisBudget(REDIS),
    "ClientConfig with a proxy": lambda: ClientConfig(proxy=PROXY),
    "Request": lambda: Request(
        method="GET", url=f"https://x/?t={KEY}", headers={"a": KEY}, body=KEY.encode()
    ),
    "Response": lambda: Response(status=200, headers={"set-cookie": KEY}, body=ACCESS.encode()),
}


def logged(thing: object) -> str:
    stream = io.StringIO()
    log = logging.getLogger("of the test")
    log.setLevel(logging.DEBUG)
    log.propagate = False
    log.handlers = [logging.StreamHandler(stream)]
    log.debug("%s %r %s", thing, thing, [thing])
    try:
        raise ValueError(thing)
    except ValueError:
        log.exception("with a traceback")
    return stream.getvalue()


def inspected(thing: object) -> str:
    console = Console(file=io.StringIO(), width=200)
    rich.inspect(thing, console=console, private=True, dunder=False, methods=False)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def printed(thing: object) -> str:
    stream = io.StringIO()
    Console(file=stream, width=200).print([thing], thing)
    return stream.getvalue()


def dumped(thing: Any) -> str:
    """What a careless serialiser makes of an object: its members, and theirs."""
    return json.dumps(thing, default=lambda one: getattr(one, "__dict__", None) or repr(one), skipkeys=True)


SHOWING: dict[str, Callable[[Any], object]] = {
    "repr": repr,
    "str": str,
    "format": lambda thing: f"{thing} {thing!r} {thing!s}",
    "in a container": lambda thing: repr([thing, {"a": (thing,)}]),
    "pprint": pprint.pformat,
    "rich": pretty_repr,
    "rich print": printed,
    "log": logged,
    "an error": lambda thing: "".join(traceback.format_exception(ValueError(thing))),
    "copy": lambda thing: repr(copy.copy(thing)),
    "deepcopy": lambda thing: repr(copy.deepcopy(thing)),
}
KEEPING: dict[str, Callable[[Any], object]] = {
    "pickle": pickle.dumps,
    "json": dumped,
    "msgspec": msgspec.json.encode,
    "msgpack": msgspec.msgpack.encode,
    "builtins": msgspec.to_builtins,
    "asdict": msgspec.structs.asdict,
    "vars": vars,
    "rich.inspect": inspected,
}


def through(way: Callable[[Any], object], thing: object) -> str:
    """Return what comes out; a refusal is fine, and its words are looked at too."""
    try:
        return repr(way(thing))
    except Exception as error:
        return f"{error!r} {error} {getattr(error, '__notes__', '')}"


WAYS = {**SHOWING, **KEEPING}
# Values on the way to the wire show nothing by themselves, but whoever asks for their members gets them.
ASKED_FOR = {"json", "msgspec", "msgpack", "builtins", "asdict", "vars", "rich.inspect"}
OPEN = {
    **dict.fromkeys(("Request", "Response"), ASKED_FOR),
    # Settings can be pickled, with all that they say.
    "ClientConfig with a proxy": ASKED_FOR | {"pickle"},
}


@pytest.mark.parametrize(
    ("name", "way"),
    [(name, way) for name in OBJECTS for way in WAYS if way not in OPEN.get(name, ())],
)
async def test_no_way_out(name: str, way: str):
    """What shows, copies, serialises or lists the members of an object gives none of its secrets."""
    assert find(through(WAYS[way], OBJECTS[name]())) is None


class PlainStruct(msgspec.Struct):
    """What a value that keeps its secret as a text looks like."""

    key: str


class PlainObject:
    """The same, of another kind."""

    def __init__(self, key: str) -> None:
        self.key = key


@pytest.mark.parametrize("way", WAYS)
def test_each_way_would_show_a_plain_secret(way: str):
    """Each of these ways lets out what is no `Secret`: what they show nothing of is well kept."""
    shown = [through(WAYS[way], thing) for thing in (PlainStruct(KEY), PlainObject(KEY))]
    assert any(find(text) is not None for text in shown)


# Tracebacks, with the variables of each frame


def frames_of(error: BaseException) -> list[str]:
    """Return what the variables of our own and others' frames say, of the error and of all that led to it."""
    known: set[int] = set()
    rest, told = [error], []
    while rest:
        one = rest.pop()
        known.add(id(one))
        told += [f"{one!r} {one} {getattr(one, '__notes__', '')} {getattr(one, '__dict__', '')}"]
        for frame, _ in traceback.walk_tb(one.__traceback__):
            told += [
                f"{frame.f_code.co_qualname} {name} = {value!r}" for name, value in frame.f_locals.items()
            ]
        rest += [e for e in (one.__cause__, one.__context__) if e is not None and id(e) not in known]
    return told


def drawn(error: BaseException) -> str:
    """Return the traceback as rich draws it with variables."""
    stream = io.StringIO()
    shown = Traceback.from_exception(
        type(error), error, error.__traceback__, show_locals=True, locals_max_string=10_000,
        locals_max_length=10_000,
    )  # fmt: skip
    Console(file=stream, width=250).print(shown)
    return stream.getvalue()


class Hung:
    """A server that takes a request and never answers."""

    def __init__(self, answer: bytes = b"") -> None:
        self.answer = answer
        self.asked = asyncio.Event()
        self.writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> str:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    async def __aexit__(self, *error: object) -> None:
        self.server.close()
        for _ in range(5):  # connections that were just accepted get their turn first
            await asyncio.sleep(0)
        for writer in self.writers:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
        await self.server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        try:
            await reader.readuntil(b"\r\n\r\n")
            self.asked.set()
            if self.answer:
                writer.write(self.answer)
            else:
                await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def http(status: str, body: bytes = b"{}", *, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\n\r\n".encode() + body


async def refused_connection(_) -> None:
    async with NimbleClient(api_key=KEY, base_url="http://127.0.0.1:1", config=ONCE) as nimble:
        await nimble.users.me()


async def proxy_away(_) -> None:
    config = ClientConfig(proxy=PROXY, retries=RetryPolicy(attempts=1))
    async with NimbleClient(api_key=KEY, base_url="http://127.0.0.1:1", config=config) as nimble:
        await nimble.users.me()


async def tunnel(answer: bytes) -> None:
    """Ask for a tunnel through a proxy that wants a password."""
    async with Hung(answer) as url:
        config = ClientConfig(proxy=url.replace("//", f"//user:{PASSWORD}@"), retries=RetryPolicy(attempts=1))
        async with NimbleClient(api_key=KEY, base_url="https://127.0.0.1:1", config=config) as nimble:
            await nimble.users.me()


async def proxy_refuses(_) -> None:
    await tunnel(http("407 Proxy Authentication Required"))


async def proxy_is_none(_) -> None:
    await tunnel(b"nonsense\r\n\r\n")


async def proxy_hangs_up(_) -> None:
    await tunnel(b"HTTP/1.1 200 OK\r\n\r\n")


async def proxy_without_a_port(_) -> None:
    ClientConfig(proxy=f"{PROXY}x")


async def proxy_without_a_host(_) -> None:
    ClientConfig(proxy=f"http://user:{PASSWORD}@")


async def proxy_that_is_no_address(_) -> None:
    ClientConfig(proxy=f"http://user:{PASSWORD}@[::1")


async def cancelled_on_the_way(_) -> None:
    hung = Hung()
    async with hung as url, NimbleClient(api_key=KEY, base_url=url, config=ONCE) as nimble:
        task = asyncio.create_task(nimble.users.me())
        await asyncio.wait_for(hung.asked.wait(), 10)
        task.cancel()
        await task


async def callers_timeout(_) -> None:
    hung = Hung()
    async with hung as url, NimbleClient(api_key=KEY, base_url=url, config=ONCE) as nimble:
        async with asyncio.timeout(0.2):
            await nimble.users.me()


async def deadline(_) -> None:
    hung = Hung()
    async with hung as url, NimbleClient(api_key=KEY, base_url=url, config=ONCE) as nimble:
        await nimble.with_options(deadline=0.2).users.me()


async def unauthorized(_) -> None:
    async with (
        Hung(http("401 No", b'{"message": "no"}')) as url,
        NimbleClient(api_key=KEY, base_url=url, config=ONCE) as nimble,
    ):
        await nimble.users.me()


async def cut_short(_) -> None:
    async with (
        Hung(http("200 OK", b'{"a": 1', length=99)) as url,
        NimbleClient(api_key=KEY, base_url=url, config=ONCE) as nimble,
    ):
        await nimble.users.me()


async def echoed(_) -> None:
    """A server that repeats what it was sent, in its words, in a field and in a header."""
    async with (
        Hung(
            http(f"409 No\r\nX-Key: {KEY}", json.dumps({"message": KEY, "errors": {"key": KEY}}).encode())
        ) as url,
        NimbleClient(api_key=KEY, base_url=url, config=ONCE) as nimble,
    ):
        await nimble.users.me()


async def no_http(_) -> None:
    async with (
        Hung(b"nonsense\r\n\r\n") as url,
        NimbleClient(api_key=KEY, base_url=url, config=ONCE) as nimble,
    ):
        await nimble.users.me()


def token_answer(members: dict[str, object], *, length: int | None = None) -> bytes:
    return http("200 OK", json.dumps(members).encode(), length=length)


async def renewal(server: Hung) -> None:
    spent = TokenRecord(gen=1, access=Secret(ACCESS), refresh=Secret(REFRESH), expires_in=0.0)
    async with server as url:
        login = OAuth(client_id="id", client_secret=CLIENT_SECRET, token=spent)
        async with NimbleClient(credentials=login, base_url=url, config=ONCE) as nimble:
            await nimble.users.me()


async def renewal_refused(_) -> None:
    await renewal(Hung(http("400 No", b'{"error": "invalid_grant"}')))


async def renewal_not_understood(_) -> None:
    await renewal(Hung(http("401 No", b'{"error": "invalid_client"}')))


async def renewal_cut_short(_) -> None:
    await renewal(Hung(token_answer({"access_token": ACCESS, "refresh_token": REFRESH}, length=999)))


async def renewal_that_cannot_be_stored(folder) -> None:
    """The new pair is granted and the disk does not take it."""
    store = FileStore(folder / "tokens", trace=broken_disk)
    await FileStore(folder / "tokens").save(
        TokenRecord(gen=1, access=Secret(ACCESS), refresh=Secret(REFRESH), expires_in=0.0)
    )
    async with Hung(token_answer({"access_token": ACCESS, "refresh_token": REFRESH})) as url:
        login = OAuth(client_id="id", client_secret=CLIENT_SECRET, store=store)
        async with NimbleClient(credentials=login, base_url=url, config=ONCE) as nimble:
            await nimble.users.me()


def broken_disk(step: str, path: object) -> None:
    """Fail in the middle of a write, as a full disk does."""
    raise OSError(28, f"no space for the {step} of {path}")


async def store_that_cannot_write(folder) -> None:
    await FileStore(folder / "tokens", trace=broken_disk).save(record())


async def store_with_a_fault(folder) -> None:
    """What nobody foresaw is raised on the way."""

    def faulty(step: str, path: object) -> None:
        raise ZeroDivisionError(f"{step} {path}")

    await FileStore(folder / "tokens", trace=faulty).save(record())


async def store_that_is_spoilt(folder) -> None:
    path = folder / "tokens"
    path.touch(mode=0o600)
    path.write_text(json.dumps({"version": 1, "gen": "one", "access": ACCESS}))
    try:
        await FileStore(path).load()
    finally:
        path.unlink()


async def store_of_a_later_release(folder) -> None:
    path = folder / "tokens"
    path.touch(mode=0o600)
    path.write_text(json.dumps({"version": 9, "gen": 1, "access": ACCESS}))
    await FileStore(path).load()


async def redis_away(_) -> None:
    await RedisStore(REDIS).save(record())


async def redis_lock_away(_) -> None:
    async with RedisStore(REDIS, patience=0.2).lock():
        pass


async def redis_address_wrong(_) -> None:
    RedisStore(REDIS.replace("redis:", "rodis:"))


async def budget_address_wrong(_) -> None:
    RedisBudget(REDIS.replace("redis:", "rodis:"))


async def bad_base_url(_) -> None:
    NimbleClient(api_key=KEY, base_url="ftp://x")


async def both_given(_) -> None:
    NimbleClient(api_key=KEY, credentials=ApiKey(KEY))


async def bad_key(_) -> None:
    NimbleClient(api_key=f"{KEY} {KEY}")


async def bad_key_of_the_other_vendor(_) -> None:
    ActiveCampaignClient(base_url="https://a.api-us1.com", api_token=f"{KEY} {KEY}")


async def unknown_argument(_) -> None:
    NimbleClient(api_key=KEY, unknown=1)  # type: ignore[call-arg]  # as the rule says


async def bad_login(_) -> None:
    OAuth(client_id="id", client_secret=CLIENT_SECRET, token={"refresh_token": REFRESH})


async def client_secret_of_other_letters(_) -> None:
    OAuth(client_id="id", client_secret=f"{CLIENT_SECRET}\udc80")


async def token_of_other_letters(_) -> None:
    OAuth(client_id="id", client_secret="s", token={"access_token": f"{ACCESS}\udc80"})


async def refresh_token_of_other_letters(_) -> None:
    OAuth(client_id="id", client_secret="s", token=f"{REFRESH}\udc80")


async def bad_state_setting(_) -> None:
    oauth(state="maybe")


def attached() -> OAuth:
    login = OAuth(client_id="id", client_secret=CLIENT_SECRET, redirect_uri="http://127.0.0.1/c")
    NimbleClient(credentials=login, base_url="http://127.0.0.1:1")
    return login


async def wrong_state(_) -> None:
    login = attached()
    login.authorization_url()
    await login.exchange(f"http://127.0.0.1/c?code={CODE}&state=wrong")


async def code_twice(_) -> None:
    await attached().exchange(f"http://127.0.0.1/c?code={CODE}&code={CODE}&state=s")


async def code_to_nobody(_) -> None:
    login = attached()
    begun = login.authorization_url()
    await login.exchange(
        CODE,
        state=begun.state,
        login=LoginRequest(url=begun.url, state=begun.state, verifier=Secret(VERIFIER)),
    )


TROUBLES: list[tuple[Callable[[Any], Awaitable[None]], type[BaseException]]] = [
    (refused_connection, ConnectionFailed),
    (proxy_away, ConnectionFailed),
    (proxy_refuses, ConnectionFailed),
    (proxy_is_none, ConnectionFailed),
    (proxy_hangs_up, ConnectionFailed),
    (proxy_without_a_port, ConfigurationError),
    (proxy_without_a_host, ConfigurationError),
    (proxy_that_is_no_address, ConfigurationError),
    (cancelled_on_the_way, asyncio.CancelledError),
    (callers_timeout, TimeoutError),
    (deadline, DeadlineExceeded),
    (unauthorized, Unauthorized),
    (cut_short, MalformedResponse),
    (no_http, ConnectionFailed),
    (echoed, InvalidInput),
    (renewal_refused, ReauthRequired),
    (renewal_not_understood, TokenRefreshFailed),
    (renewal_cut_short, TokenRefreshFailed),
    (renewal_that_cannot_be_stored, StoreError),
    (store_that_cannot_write, StoreError),
    (store_with_a_fault, ZeroDivisionError),
    (store_that_is_spoilt, StoreError),
    (store_of_a_later_release, StoreError),
    (redis_away, StoreError),
    (redis_lock_away, StoreError),
    (redis_address_wrong, ConfigurationError),
    (budget_address_wrong, ConfigurationError),
    (bad_base_url, ConfigurationError),
    (both_given, ConfigurationError),
    (bad_key, ConfigurationError),
    (bad_key_of_the_other_vendor, ConfigurationError),
    (unknown_argument, TypeError),
    (bad_login, ConfigurationError),
    (client_secret_of_other_letters, ConfigurationError),
    (token_of_other_letters, ConfigurationError),
    (refresh_token_of_other_letters, ConfigurationError),
    (bad_state_setting, ConfigurationError),
    (wrong_state, LoginRefused),
    (code_twice, LoginRefused),
    (code_to_nobody, TokenRefreshFailed),
]


@pytest.mark.parametrize(("trouble", "kind"), TROUBLES, ids=lambda value: value.__name__)
async def test_no_traceback_shows_a_secret(
    trouble: Callable[[Any], Awaitable[None]],
    kind: type[BaseException],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
):
    """An error shows no secret: not in its words, in those of its causes, or in any frame's variables.

    Nor does the log meanwhile, with every logger at its most talkative.
    """
    caplog.set_level(logging.DEBUG)
    for name in ("nimble_async", "aiohttp", "asyncio", "redis"):
        caplog.set_level(logging.DEBUG, logger=name)
    with pytest.raises(kind) as caught:
        await trouble(tmp_path)
    assert [text for text in frames_of(caught.value) if find(text) is not None] == []
    assert find(drawn(caught.value)) is None
    assert find(caplog.text) is None
    assert [r for r in caplog.records if find(repr(r.__dict__)) is not None] == []


async def test_the_frames_would_show_a_plain_secret():
    """The look at the frames finds what stands in a variable of one."""

    async def careless() -> None:
        text = KEY
        raise LookupError(len(text))

    with pytest.raises(LookupError) as caught:
        await careless()
    assert any(find(text) is not None for text in frames_of(caught.value))
    assert find(drawn(caught.value)) is not None


def test_secrets_of_any_letters_compare_quietly():
    """A text that cannot be encoded is compared like any other: the error would quote it."""
    odd = Secret(f"{KEY}\udc80")
    assert odd == Secret(f"{KEY}\udc80")
    assert odd != Secret(KEY)
