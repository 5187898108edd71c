"""One call from the operation to its value, against real servers: what is sent again, and what is told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any

import pytest
from aiohttp import web
from msgspec import UNSET

from nimble_async._aio.hooks import AttemptEnded, CallEnded, PageRead, TokenRenewed
from nimble_async._aio.ports import Clock, Proof, Transport
from nimble_async._sansio.operation import delete
from nimble_async._sansio.secret import Secret
from nimble_async.config import RateLimit, RetryPolicy, Timeouts
from nimble_async.errors import (
    ConnectionFailed,
    CrmError,
    DeadlineExceeded,
    Forbidden,
    InvalidInput,
    MalformedResponse,
    NotFound,
    QuotaExceeded,
    RateLimited,
    RedirectRefused,
    ServerError,
    TimedOut,
    TokenRefreshFailed,
    Unauthorized,
)
from tests.aio.clients import KEY, client
from tests.aio.servers import RawHandler, http, json_answer, read_request, serve, serve_raw

ME = {"user_id": "u1", "email": "ada@example.com", "name": "Ada"}


def script(*answers: tuple[int, Any] | tuple[int, Any, dict[str, str]]):
    """Return a handler that gives these answers in turn, and the last one for ever."""
    left = list(answers)

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        status, body, *more = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(body, bytes):
            return web.Response(status=status, body=body)
        return json_answer(body, status, **(more[0] if more else {}))

    return handler


class Scripted:
    """Credentials that renew as often as they are told, or wait for ever."""

    scope = "scripted"
    token_age = None

    def __init__(self, *, renewals: int = 0, hang: bool = False, broken: bool = False) -> None:
        self.generation = 0
        self.renewals = renewals
        self.hang = hang
        self.broken = broken
        self.asked: list[int] = []
        self.replays: list[tuple[int, bool]] = []

    async def proof(self) -> Proof:
        if self.hang:
            await asyncio.sleep(3600)
        if self.broken:
            raise TokenRefreshFailed("The token server did not answer.")
        return Proof("Authorization", Secret(f"Bearer cAnArY-{self.generation}"), self.generation)

    async def renew(self, rejected: Proof) -> bool:
        self.asked.append(rejected.generation)
        if self.renewals == 0:
            return False
        self.renewals -= 1
        self.generation += 1
        return True

    def replayed(self, proof: Proof, *, accepted: bool) -> None:
        self.replays.append((proof.generation, accepted))

    def attach(self, transport: Transport, clock: Clock, *, base_url: str) -> None:
        """Nothing is needed."""

    def detach(self, transport: Transport) -> None:
        """Nothing is held."""

    async def aclose(self) -> None:
        """Nothing runs."""


async def call(url: str, method: str = "GET", **more: Any) -> Any:
    async with client(url, **more) as nimble:
        body = UNSET if method == "GET" else {"a": 1}
        return (await nimble.request(method, "/api/v1/thing", body=body)).decode(dict)


async def failure(url: str, method: str = "GET", **more: Any) -> CrmError:
    with pytest.raises(CrmError) as caught:
        await call(url, method, **more)
    return caught.value


# What is repeated


@pytest.mark.parametrize(
    ("status", "get", "post"),
    [(429, 2, 2), (500, 2, 1), (502, 2, 1), (503, 2, 1), (504, 2, 1), (501, 1, 1), (400, 1, 1), (402, 1, 1),
     (403, 1, 1), (404, 1, 1), (406, 1, 1), (409, 1, 1)],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_is_sent_again(status: int, get: int, post: int, method: str):
    """A GET is repeated where that may help, a POST only after a refusal for rate; counted at the server."""
    async with serve(script((status, {"message": "no"}), (200, {"fine": 1}))) as server:
        sends = get if method == "GET" else post
        if sends == 2:
            assert await call(server.url, method) == {"fine": 1}
        else:
            error = await failure(server.url, method)
            assert error.call is not None
            assert error.call.attempts == 1
        assert server.methods == {method: sends}


@pytest.mark.parametrize("body", [b"<html>Maintenance</html>", b'{"cut": ', b""])
async def test_wrong_json_on_a_success_is_asked_again_for_a_read(body: bytes):
    """A typed GET whose body is no JSON is sent again; it then is what it should be."""
    async with serve(script((200, body), (200, ME))) as server, client(server.url) as nimble:
        assert (await nimble.users.me()).name == "Ada"
        assert server.sends == 2


async def test_wrong_json_for_ever_ends_with_the_attempts():
    """After the policy's attempts the error is raised as it is, with what was tried."""
    policy = RetryPolicy(attempts=3, first_wait=0, longest_wait=0)
    async with serve(script((200, b"<html>"))) as server, client(server.url, retries=policy) as nimble:
        with pytest.raises(MalformedResponse) as caught:
            await nimble.users.me()
        assert server.sends == 3
    assert caught.value.call is not None
    assert caught.value.call.operation == "users.me"
    assert caught.value.call.attempts == 3


def broken(how: str, sends: list[str]) -> RawHandler:
    """Return a raw handler that breaks its first answer and gives a good second one."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            sends.append((await read_request(reader))[0])
            if len(sends) > 1:
                writer.write(http(b'{"fine": 1}'))
                await writer.drain()
                continue
            if how == "no gzip":
                writer.write(http(b"no gzip", head="Content-Encoding: gzip\r\n"))
            elif how == "cut short":
                writer.write(http(b'{"fine"', length=11))
            elif how == "silent":
                await reader.read(1)
            await writer.drain()
            return

    return handler


@pytest.mark.parametrize("how", ["dropped", "cut short", "no gzip", "silent"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_ambiguous_failure_is_repeated_for_a_read_alone(how: str, method: str):
    """Where the server may have executed the call, a GET is sent again and a POST is not."""
    sends: list[str] = []
    times = Timeouts(read=0.2)
    async with serve_raw(broken(how, sends)) as url:
        if method == "GET":
            assert await call(url, timeouts=times) == {"fine": 1}
            assert len(sends) == 2
        else:
            error = await failure(url, "POST", timeouts=times)
            assert isinstance(error, ConnectionFailed | MalformedResponse | TimedOut)
            assert len(sends) == 1


async def test_a_post_is_repeated_after_a_refused_connection():
    """A connection that was refused sent nothing, so a POST is tried again until the server is there."""
    async with serve(script((200, {"fine": 1}))) as server:
        url = server.url
    port = int(url.rpartition(":")[2])
    sends: list[str] = []

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sends.append((await read_request(reader))[0])
        writer.write(http(b'{"fine": 1}'))
        await writer.drain()
        writer.close()

    async with client(url, retries=RetryPolicy(attempts=5, first_wait=0.2, longest_wait=0.2)) as nimble:
        post = asyncio.create_task(nimble.request("POST", "/api/v1/thing", body={}))
        await asyncio.sleep(0.05)
        listening = await asyncio.start_server(late, "127.0.0.1", port)
        assert (await post).status == 200
        listening.close()
        await listening.wait_closed()
    assert len(sends) == 1


async def test_the_budget_of_repeats_bounds_a_storm():
    """Against a server that only fails, a hundred calls are sent at most 1.1 times, and a few more."""
    # Without the share of each second, so that the bound is the same on a slow machine.
    policy = RetryPolicy(first_wait=0.001, longest_wait=0.002, budget_per_second=0.0)
    async with serve(script((503, {}))) as server, client(server.url, retries=policy) as nimble:
        ends = await asyncio.gather(*(nimble.users.me() for _ in range(100)), return_exceptions=True)
        assert all(isinstance(end, ServerError) for end in ends)
        assert 100 < server.sends <= 110 + 5


async def test_a_hostile_retry_after_is_not_waited_for():
    """A server that asks for more than the policy's patience gets its error at once."""
    async with serve(script((429, {}, {"Retry-After": "99999999"}))) as server:
        error = await failure(server.url)
        assert isinstance(error, RateLimited)
        assert error.retry_after == 99999999
        assert server.sends == 1


# 401


async def test_a_401_is_replayed_once_with_a_new_token():
    """A refused token is renewed once and the call, a POST too, sent once more with the new one."""
    proofs = Scripted(renewals=5)
    async with serve(script((401, {}), (200, {"fine": 1}))) as server:
        assert await call(server.url, "POST", credentials=proofs) == {"fine": 1}
        sent = [request.headers["Authorization"] for request in server.requests]
    assert sent == ["Bearer cAnArY-0", "Bearer cAnArY-1"]
    assert proofs.asked == [0]
    assert proofs.replays == [(1, True)]


async def test_a_second_401_is_final():
    """Nothing is renewed or replayed a second time within one call; the credentials hear of it."""
    proofs = Scripted(renewals=5)
    async with serve(script((401, {"message": "no"}))) as server:
        assert isinstance(await failure(server.url, credentials=proofs), Unauthorized)
        assert server.sends == 2
    assert proofs.asked == [0]
    assert proofs.replays == [(1, False)]


async def test_a_key_is_not_replayed():
    """An API key cannot be renewed: a 401 is raised after one send."""
    async with serve(script((401, {"message": "no"}))) as server:
        assert isinstance(await failure(server.url), Unauthorized)
        assert server.sends == 1


async def test_credentials_that_fail_end_the_call_before_anything_is_sent():
    """An error of the credentials leaves as it is, with a CallInfo of no attempts."""
    seen: list[object] = []
    async with serve(script((200, {}))) as server:
        error = await failure(server.url, credentials=Scripted(broken=True), hooks=(seen.append,))
        assert server.sends == 0
    assert isinstance(error, TokenRefreshFailed)
    assert error.call is not None
    assert error.call.attempts == 0
    assert [type(event) for event in seen] == [CallEnded]


# Redirects


async def test_a_redirect_to_another_origin_never_carries_the_key():
    """The other origin sees nothing at all, and the error says where it would have gone."""
    async with serve(script((200, {}))) as other:
        async with serve(script((302, {}, {"Location": f"{other.url}/in?token=x"}))) as server:
            error = await failure(server.url)
            assert server.sends == 1
        assert other.sends == 0
    assert isinstance(error, RedirectRefused)
    assert error.sent
    assert f"{other.url}/in" in error.message
    assert "token=x" not in error.message


@pytest.mark.parametrize(
    "target",
    ["//127.0.0.2/x", "https://127.0.0.1:{port}/x", "http://me@127.0.0.1:{port}/", "http://127.0.0.1:1/",
     "gopher://127.0.0.1:{port}/"],
)  # fmt: skip
async def test_every_spelling_of_another_origin_is_refused(target: str):
    """Scheme, host, port and user name belong to the origin, however the target is written."""

    async def away(request: web.BaseRequest) -> web.StreamResponse:
        where = request.url.port
        return json_answer({}, 302, Location=target.replace("{port}", str(where)))

    async with serve(away) as server:
        error = await failure(server.url)
        assert isinstance(error, RedirectRefused)
        assert server.sends == 1


@pytest.mark.parametrize(("hops", "fine"), [(1, True), (3, True), (4, False)])
async def test_a_get_follows_its_own_origin_three_times(hops: int, fine: bool):
    """Each hop is one counted send with the key; the fourth is refused."""

    async def hop(request: web.BaseRequest) -> web.StreamResponse:
        left = int(request.rel_url.query.get("left", hops))
        if left:
            return json_answer({}, 307, Location=f"/api/v1/moved?left={left - 1}")
        return json_answer({"fine": 1})

    async with serve(hop) as server, client(server.url) as nimble:
        if fine:
            assert (await nimble.request("GET", "/api/v1/thing")).decode(dict) == {"fine": 1}
        else:
            with pytest.raises(RedirectRefused):
                await nimble.request("GET", "/api/v1/thing")
        assert server.sends == min(hops, 3) + 1
        assert nimble.statistics().throttle.sent == server.sends
        (sent,) = {request.headers["Authorization"] for request in server.requests}
        assert sent.startswith(f"Bearer {KEY}")


async def test_a_relative_target_counts_from_the_request():
    """`Location: other` stands beside the path that was asked for, and odd letters are encoded."""
    answers = script((302, {}, {"Location": "other thing?q=\u00e9"}), (200, {"fine": 1}))
    async with serve(answers) as server:
        assert await call(server.url) == {"fine": 1}
        assert server.paths[1] == "/api/v1/other%20thing?q=%C3%A9"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_write_is_not_redirected(status: int):
    """A redirected POST is refused: it would be sent twice, or turned into a read."""
    async with serve(script((status, {}, {"Location": "/api/v1/moved"}))) as server:
        assert isinstance(await failure(server.url, "POST"), RedirectRefused)
        assert server.sends == 1


async def test_a_redirect_without_a_target_is_an_error_answer():
    """A 302 that names no place, or a 304, is an answer that is no success."""
    async with serve(script((304, b""))) as server:
        error = await failure(server.url)
        assert server.sends == 1
    assert "304" in error.message


@pytest.mark.parametrize("path", ["https://127.0.0.1:1/api", "//127.0.0.2/x", "http://other.example/"])
async def test_a_request_to_another_origin_is_refused_unsent(path: str):
    """The escape hatch leads nowhere but to the client's own origin."""
    async with serve(script((200, {}))) as server, client(server.url) as nimble:
        with pytest.raises(RedirectRefused) as caught:
            await nimble.request("GET", path)
        assert not caught.value.sent
        assert server.sends == 0


async def test_a_path_stands_below_the_base_url():
    """A base URL with a path, as behind a gateway, is kept for every call, and an address of it works."""
    async with serve(script((200, ME))) as server, client(f"{server.url}/crm/") as nimble:
        await nimble.users.me()
        await nimble.request("GET", "/api/v1/myself")
        await nimble.request("GET", "api/v1/myself", query={"a": None, "b": True, "c": "x y&z"})
        await nimble.request("GET", f"{server.url}/crm/api/v1/myself")
        assert [path.partition("?")[0] for path in server.paths] == ["/crm/api/v1/myself"] * 4
        assert dict(server.requests[2].rel_url.query) == {"b": "true", "c": "x y&z"}


# Messages


async def test_a_request_says_who_it_is_from():
    """User-Agent, key and JSON body go out as the dialect and the configuration say."""
    async with serve(script((200, {}))) as server:
        await call(server.url, "POST", user_agent="acme/1.0")
        headers = server.requests[0].headers
        assert headers["User-Agent"].startswith("acme/1.0 nimble_async/")
        assert headers["Authorization"].startswith(f"Bearer {KEY}")
        assert headers["Content-Type"] == "application/json"
        assert headers["Accept-Encoding"] == "gzip, deflate"


async def test_bytes_are_a_body_as_they_are():
    """Bytes given as the body are taken for JSON that is already written."""
    bodies: list[bytes] = []

    async def keep(request: web.BaseRequest) -> web.StreamResponse:
        bodies.append(await request.read())
        return json_answer({})

    async with serve(keep) as server, client(server.url) as nimble:
        await nimble.request("post", "/api/v1/thing", body=b'{"a":  1}')
        await nimble.request("PUT", "/api/v1/thing", body={"a": 1})
        await nimble.request("PUT", "/api/v1/thing", body=None)
    assert bodies == [b'{"a":  1}', b'{"a":1}', b"null"]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [(402, {"message": "Quota"}, QuotaExceeded), (403, {}, Forbidden), (404, b"", NotFound),
     (409, {"message": "Bad", "errors": {}}, InvalidInput)],
)  # fmt: skip
async def test_an_error_answer_is_raised_with_its_data(status: int, body: Any, kind: type[CrmError]):
    """The dialect's error leaves the call with the CallInfo on it."""
    async with serve(script((status, body))) as server:
        error = await failure(server.url)
    assert type(error) is kind
    assert error.call is not None
    assert error.call.network > 0


async def test_an_empty_list_for_one_record_is_not_found():
    """Nimble answers 200 and an empty list for an unknown contact: that is NotFound with kind and id."""
    async with serve(script((200, {"resources": [], "meta": {}}))) as server, client(server.url) as nimble:
        with pytest.raises(NotFound) as caught:
            await nimble.contacts.get("5f0c9b85f62cb40006390000")
    assert (caught.value.kind, caught.value.id) == ("contact", "5f0c9b85f62cb40006390000")
    assert caught.value.call is not None
    assert caught.value.call.attempts == 1


async def test_one_record_out_of_a_list_is_the_record():
    """An answer that lists the one contact asked for gives that contact."""
    page = {"resources": [{"id": "c1", "record_type": "person"}], "meta": {}}
    async with serve(script((200, page))) as server, client(server.url) as nimble:
        assert (await nimble.contacts.get("c1")).record_type == "person"


async def test_an_operation_without_an_answer_reads_none():
    """Where nothing is to be read, whatever JSON came with the success is left alone."""
    remove = delete("things.delete", "/api/v1/thing/{thing_id}", returns=type(None))
    async with serve(script((200, b'{"gone": ["a/b"]}'))) as server, client(server.url) as nimble:
        assert await nimble._executor.call(remove, ids={"thing_id": "a/b"}) is None  # type: ignore[func-returns-value]  # that is what is tested
        assert server.requests[0].raw_path == "/api/v1/thing/a%2Fb"


# Deadlines


async def test_a_deadline_covers_the_network():
    """A server that says nothing ends at the deadline, also with attempts to spare."""

    async def silent(request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    async with serve(silent) as server, client(server.url) as nimble:
        with pytest.raises(DeadlineExceeded) as caught:
            await nimble.with_options(deadline=0.2).users.me()
        assert nimble.statistics().throttle.in_flight == 0
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.call is not None
    assert caught.value.call.attempts == 1
    assert isinstance(caught.value.__cause__, TimedOut)


async def test_a_deadline_covers_the_wait_for_another_attempt():
    """A repeat that would come too late is not waited for; the cause says what went wrong."""
    patient = RetryPolicy(first_wait=20, longest_wait=20)
    async with serve(script((503, {}))) as server, client(server.url, retries=patient) as nimble:
        with pytest.raises(DeadlineExceeded) as caught:
            await nimble.with_options(deadline=5).users.me()
        assert server.sends == 1
    assert isinstance(caught.value.__cause__, ServerError)
    assert "503" in caught.value.message


async def test_a_deadline_covers_the_pace():
    """A slot that comes too late is not waited for, and nothing is sent."""
    async with serve(script((200, ME))) as server, client(server.url, rate=RateLimit(1, 60)) as nimble:
        await nimble.users.me()
        with pytest.raises(DeadlineExceeded) as caught:
            await nimble.with_options(deadline=5).users.me()
        assert server.sends == 1
    assert caught.value.call is not None
    assert caught.value.call.attempts == 0


async def test_a_deadline_covers_the_queue():
    """A call that waits for a place in flight ends at its deadline."""
    hold = asyncio.Event()

    async def held(request: web.BaseRequest) -> web.StreamResponse:
        await hold.wait()
        return json_answer(ME)

    async with serve(held) as server, client(server.url, concurrency=1) as nimble:
        first = asyncio.create_task(nimble.users.me())
        while not server.sends:
            await asyncio.sleep(0)
        with pytest.raises(DeadlineExceeded) as caught:
            await nimble.with_options(deadline=0.2).users.me()
        assert server.sends == 1
        hold.set()
        await first
    assert caught.value.call is not None
    assert caught.value.call.throttled + caught.value.call.queued >= 0.1


async def test_a_deadline_covers_the_token():
    """A token that does not come ends the call at its deadline."""
    proofs = Scripted(hang=True)
    async with serve(script((200, ME))) as server, client(server.url, credentials=proofs) as nimble:
        with pytest.raises(DeadlineExceeded, match="token") as caught:
            await nimble.with_options(deadline=0.1).users.me()
        assert server.sends == 0
    assert caught.value.call is not None
    assert caught.value.call.token >= 0.05


async def test_a_deadline_ends_a_write_too():
    """A POST that is not answered in time is not repeated; the cause says that it may have been executed."""

    async def silent(request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    async with serve(silent) as server, client(server.url) as nimble:
        with pytest.raises(DeadlineExceeded) as caught:
            await nimble.with_options(deadline=0.1).request("POST", "/api/v1/thing", body={})
        assert server.sends == 1
    assert isinstance(caught.value.__cause__, TimedOut)
    assert caught.value.__cause__.sent


async def test_a_timeout_of_the_credentials_is_not_the_deadline():
    """What the credentials raise by themselves within the deadline leaves as it is."""

    class Impatient(Scripted):
        async def proof(self) -> Proof:
            raise TimeoutError("of the store")

    async with serve(script((200, ME))) as server, client(server.url, credentials=Impatient()) as nimble:
        with pytest.raises(TimeoutError, match="of the store"):
            await nimble.with_options(deadline=30).users.me()


async def test_a_deadline_leaves_a_fast_call_alone():
    """A call within its deadline gives its value."""
    async with serve(script((200, ME))) as server, client(server.url) as nimble:
        assert (await nimble.with_options(deadline=30, lane="bulk").users.me()).name == "Ada"


# Hooks, the log, secrets


async def test_hooks_see_every_attempt_and_call():
    """Each send is one AttemptEnded, each call one CallEnded, each page one PageRead: frozen, in order."""
    events: list[Any] = []
    page = {"resources": [{"id": "a"}, {}], "meta": {"page": 1, "pages": 1, "per_page": 100, "total": 2}}
    told = {"credentials": Scripted(renewals=1), "hooks": (events.append,)}
    async with (
        serve(script((503, {}), (401, {}), (200, page))) as server,
        client(server.url, **told) as nimble,
    ):
        await nimble.contacts.list()
        assert nimble.statistics().decoding.rejected == {"Contact": 1}
    kinds = [type(event) for event in events]
    assert kinds == [AttemptEnded, TokenRenewed, AttemptEnded, AttemptEnded, CallEnded, PageRead]
    first, _, second, third, ended, read = events
    assert [(e.attempt, e.status, e.error) for e in (first, second, third)] == [
        (1, 503, "ServerError"), (2, 401, "Unauthorized"), (3, 200, None),
    ]  # fmt: skip
    assert first.repeat_after > 0
    assert (second.repeat_after, third.repeat_after) == (0.0, None)
    assert (ended.attempts, ended.error) == (3, None)
    assert (read.operation, read.rows) == ("contacts.list", 2)
    with pytest.raises(AttributeError):
        first.attempt = 7


async def test_a_hook_that_raises_changes_nothing(caplog: pytest.LogCaptureFixture):
    """What a hook raises is logged and the call goes on."""

    def bad(event: object) -> None:
        raise RuntimeError("boom")

    later: list[object] = []
    hooks = (bad, later.append)
    async with serve(script((200, ME))) as server, client(server.url, hooks=hooks) as nimble:
        assert (await nimble.users.me()).name == "Ada"
    assert len(later) == 2
    assert "A hook raised" in caplog.text


async def test_an_error_is_told_to_the_hooks_too():
    """A call that fails ends with the error's name; one that is cancelled says so."""
    events: list[Any] = []

    async def silent(request: web.BaseRequest) -> web.StreamResponse:
        if "thing" in request.path:
            return json_answer({}, 403)
        await asyncio.sleep(30)
        return web.Response()

    async with serve(silent) as server, client(server.url, hooks=(events.append,)) as nimble:
        with pytest.raises(Forbidden):
            await nimble.request("GET", "/api/v1/thing")
        task = asyncio.create_task(nimble.users.me())
        while server.sends < 2:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert [(type(e).__name__, e.error) for e in events] == [
        ("AttemptEnded", "Forbidden"), ("CallEnded", "Forbidden"),
        ("AttemptEnded", "CancelledError"), ("CallEnded", "CancelledError"),
    ]  # fmt: skip


async def test_no_secret_reaches_a_record_or_the_log(caplog: pytest.LogCaptureFixture):
    """Neither the key, nor a query, nor a body stands in an event, a log line, an error or a repr."""
    caplog.set_level(logging.DEBUG, logger="nimble_async")
    events: list[object] = []
    more = {"hooks": (events.append,), "retries": RetryPolicy(attempts=2, first_wait=0)}
    async with serve(script((503, {}), (500, {}))) as server, client(server.url, **more) as nimble:
        with pytest.raises(ServerError) as caught:
            await nimble.request("GET", "/api/v1/thing", query={"keyword": "hush"}, body={"word": "hush"})
        told = [repr(nimble), repr(events), repr(caught.value), str(caught.value), caplog.text]
    told += [repr(record) + repr(record.__dict__) for record in caplog.records]
    assert len(caplog.records) == 3
    for text in told:
        assert KEY not in text
        assert "hush" not in text


# Cancelling


async def cancelled_after(turns: int, work: Awaitable[object]) -> bool:
    """Let `work` have so many turns of the loop, then cancel it; return whether that came in time."""
    task = asyncio.ensure_future(work)
    for _ in range(turns):
        if task.done():
            break
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    return task.cancelled()


@pytest.mark.parametrize("renewing", [False, True])
async def test_a_call_can_be_cancelled_anywhere(renewing: bool):
    """Cancelled after any number of turns of the loop, a call leaves nothing in flight and the next works."""

    async def every_second(request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(0.002)
        return json_answer(ME) if server.sends % 2 == 0 else json_answer({}, 401 if renewing else 503)

    more: dict[str, Any] = {"credentials": Scripted(renewals=10_000)} if renewing else {}
    policy = RetryPolicy(first_wait=0.001, longest_wait=0.001, budget_floor=10_000)
    more |= {"concurrency": 1, "retries": policy}
    async with serve(every_second) as server, client(server.url, **more) as nimble:
        in_time = 0
        for turns in range(0, 120, 2):
            in_time += await cancelled_after(turns, nimble.users.me())
            throttle = nimble.statistics().throttle
            assert (throttle.in_flight, throttle.interactive) == (0, 0)
        assert in_time > 10
        assert (await nimble.users.me()).name == "Ada"
        assert nimble.statistics().connections <= 1


async def test_cancelled_waiters_leave_the_queue():
    """A hundred calls that wait for one place are cancelled; the place and the queue are free again."""
    hold = asyncio.Event()

    async def held(request: web.BaseRequest) -> web.StreamResponse:
        await hold.wait()
        return json_answer(ME)

    async with serve(held) as server, client(server.url, concurrency=1) as nimble:
        tasks = [asyncio.create_task(nimble.users.me()) for _ in range(100)]
        while not server.sends:
            await asyncio.sleep(0)
        assert nimble.statistics().throttle.interactive == 99
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ends)
        hold.set()
        assert (await nimble.users.me()).name == "Ada"
        assert nimble.statistics().throttle.in_flight == 0
