"""The client: what it is built from, what it shares, and the key's way."""

from __future__ import annotations

import asyncio
import pickle
from contextlib import AsyncExitStack
from typing import Any

import msgspec
import pytest

import nimble_async
from nimble_async import activecampaign
from nimble_async._sansio.message import Response
from nimble_async.activecampaign import ActiveCampaignClient, DealDraft, DealPatch
from nimble_async.activecampaign.dialect import announcement
from nimble_async.config import ClientConfig
from nimble_async.errors import (
    ConfigurationError,
    ConnectionFailed,
    Forbidden,
    MalformedResponse,
    NotFound,
    QueryRefused,
    TimedOut,
)
from nimble_async.testing import Rates, Simulator, SimulatorTransport, VirtualClock, run_virtual
from nimble_async.testing.activecampaign.world import DealsWorld
from tests.activecampaign.recording import connect

URL = "https://acme.api-us1.com/api/3/"


def me(sent: Any) -> Any:
    return {"user": {"id": "1", "firstName": "Ada", "lastName": "L"}}


def test_the_name_is_one():
    """The root and the package export the same class; an unknown name is an attribute error."""
    assert nimble_async.ActiveCampaignClient is ActiveCampaignClient is activecampaign.ActiveCampaignClient
    assert not hasattr(activecampaign, "ActiveCampaignKlient")
    assert all(getattr(activecampaign, name) is not None for name in activecampaign.__all__)
    assert dir(activecampaign) == sorted(activecampaign.__all__)


async def test_the_key_goes_in_its_own_header():
    """Api-Token holds the key alone, and no other header or address does."""
    client, recorder = connect(me, api_token="s3cret")
    async with client:
        user = await client.users.me()
    assert (user.id, user.name) == ("1", "Ada L")
    (sent,) = recorder.sent
    assert sent.headers["Api-Token"] == "s3cret"
    assert [name for name, value in sent.headers.items() if "s3cret" in value] == ["Api-Token"]
    assert "s3cret" not in repr(client)
    assert "s3cret" not in repr(sent.query)


async def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch):
    """ACTIVECAMPAIGN_URL and ACTIVECAMPAIGN_API_TOKEN stand in for the arguments, which go first."""
    monkeypatch.setenv("ACTIVECAMPAIGN_URL", URL)
    monkeypatch.setenv("ACTIVECAMPAIGN_API_TOKEN", "of-the-environment")
    client, recorder = connect(me, base_url=None, api_token=None)
    await client.users.me()
    assert recorder.sent[0].path == "/api/3/users/me"
    assert recorder.sent[0].headers["Api-Token"] == "of-the-environment"
    assert "https://other.api-us1.com" in repr(ActiveCampaignClient(base_url="other.api-us1.com"))
    assert "https://acme.api-us1.com" in repr(ActiveCampaignClient())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"base_url": None}, "ACTIVECAMPAIGN_URL"),
        ({"api_token": None}, "ACTIVECAMPAIGN_API_TOKEN"),
        ({"api_token": ""}, "ACTIVECAMPAIGN_API_TOKEN"),
        ({"api_token": "two words"}, "ActiveCampaign: Settings > Developer"),
        ({"base_url": "acme"}, "Settings > Developer"),
        ({"rate": "fast"}, "fast"),
    ],
)
def test_what_cannot_work_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any], words: str
):
    """A missing or wrong argument fails at once, with the variable or the page that helps."""
    monkeypatch.delenv("ACTIVECAMPAIGN_URL", raising=False)
    monkeypatch.delenv("ACTIVECAMPAIGN_API_TOKEN", raising=False)
    with pytest.raises(ConfigurationError, match=words):
        ActiveCampaignClient(**({"base_url": URL, "api_token": "key"} | arguments))


def test_the_vendors_rate_is_declared():
    """Five a second is kept from the first call; a stricter one may be asked for."""
    client = ActiveCampaignClient(base_url="https://rate.api-us1.com", api_token="key")
    assert client.statistics().throttle.mode == "declared"
    assert 4.85 <= client.statistics().throttle.rate <= 5
    slow = ActiveCampaignClient(base_url="https://slow.api-us1.com", api_token="key", rate="2/1s")
    assert slow.statistics().throttle.rate <= 2


async def test_clients_of_one_account_share_its_budget():
    """The vendor counts by account: other keys and other spellings of the URL share."""
    one, recorder = connect(me, base_url="https://shared.api-us1.com", api_token="k-1")
    two, _ = connect(me, base_url="SHARED.api-us1.com/api/3", api_token="k-2")
    other, _ = connect(me, base_url="https://other.api-us1.com", api_token="k-1")
    await one.users.me()
    await two.users.me()
    assert one.statistics().throttle.sent == two.statistics().throttle.sent == 2
    assert other.statistics().throttle.sent == 0
    assert len(recorder.sent) == 1


@pytest.mark.parametrize(
    ("limit", "least", "most"),
    [("2", 1.9, 2), ("5", 4.85, 5), ("10", 4.85, 5), ("many", 4.85, 5), ("0", 4.85, 5)],
)
async def test_announced_headers_are_followed(limit: str, least: float, most: float):
    """RateLimit-Limit is one of each second, though no header says so; it never loosens what is declared."""
    headers = {"ratelimit-limit": limit, "ratelimit-remaining": "1"}
    client, _ = connect(
        lambda sent: Response(status=200, headers=headers, body=b'{"user":{"id":"1"}}'),
        base_url=f"https://announced-{limit}.api-us1.com",
        rate=None,
    )
    await client.users.me()
    assert least <= client.statistics().throttle.rate <= most


@pytest.mark.parametrize(("announced", "clients"), [("5/1s", 1), ("5/1s", 3), ("2/1s", 1), ("3/1s", 4)])
def test_all_clients_of_an_account_stay_below_its_limit_together(announced: str, clients: int):
    """Calls of several clients at once: none is refused, and nearly all of what is allowed is used."""
    rates = Rates.named(announced, announce="no-reset", retry_after=True)
    simulated = Simulator(DealsWorld(contacts=1, deals=1), crm="activecampaign", rates=rates, latency=0.05)
    clock = VirtualClock()

    async def run() -> None:
        async with AsyncExitStack() as stack:
            several = [
                ActiveCampaignClient(
                    base_url="http://127.0.0.1:1", api_token=simulated.api_key, clock=clock,
                    transport=SimulatorTransport(simulated),
                )
                for _ in range(clients)
            ]  # fmt: skip
            for client in several:
                await stack.enter_async_context(client)
            await asyncio.gather(*(client.users.me() for client in several * (120 // clients)))

    run_virtual(run())
    sent = [seen.at for seen in simulated.log]
    allowed = float(announced.partition("/")[0])
    assert [seen.status for seen in simulated.log] == [200] * 120
    assert 119 / (sent[-1] - sent[0]) >= 0.95 * allowed


async def test_views_share_everything_but_their_options():
    """with_options gives the same class over the same parts."""
    client, recorder = connect(me)
    bulk = client.with_options(lane="bulk", deadline=30)
    assert type(bulk) is ActiveCampaignClient
    await bulk.users.me()
    assert (bulk.executor.options.lane, bulk.executor.options.deadline) == ("bulk", 30)
    assert client.executor.options.lane == "interactive"
    later = bulk.with_options(deadline=5)
    assert (later.executor.options.lane, later.executor.options.deadline) == ("bulk", 5)
    assert bulk.with_options(lane="interactive").executor.options.deadline == 30
    assert client.statistics().throttle.sent == 1
    assert len(recorder.sent) == 1
    with pytest.raises(ConfigurationError):
        client.with_options(deadline=0)
    with pytest.raises(ConfigurationError, match="no lane 'express'"):
        client.with_options(lane="express")  # type: ignore[arg-type]  # what is tested


async def test_the_head_of_an_answer_can_be_asked_for():
    """with_response gives the value of any typed call with the status and headers behind it."""
    client, _ = connect(lambda sent: Response(status=200, headers={"x-a": "b"}, body=b'{"user":{"id":"1"}}'))
    async with client:
        seen = await client.with_response(client.users.me())
    assert (seen.value.id, seen.status, seen.headers["x-a"]) == ("1", 200, "b")


async def test_the_escape_hatch_reaches_the_rest():
    """request signs and paces a call to any other route."""
    client, recorder = connect(lambda sent: {"tags": []})
    async with client:
        reply = await client.request("get", "/api/3/tags", query={"limit": 5, "search": None})
    assert reply.decode(dict[str, Any]) == {"tags": []}
    assert (recorder.sent[0].path, recorder.sent[0].query) == ("/api/3/tags", {"limit": "5"})
    assert recorder.sent[0].headers["Api-Token"] == "k-1"


async def test_a_prefix_of_a_proxy_is_kept():
    """What stands before /api/3 stays before it."""
    client, recorder = connect(me, base_url="https://proxy.example/crm/api/3")
    await client.users.me()
    assert recorder.sent[0].path == "/crm/api/3/users/me"


async def test_a_wrong_key_is_not_tried_again():
    """403 is this vendor's answer to a wrong key, and a repeat would not help."""
    client, recorder = connect(lambda sent: Response(status=403, body=b'{"message":"Invalid token"}'))
    with pytest.raises(Forbidden, match="key"):
        await client.users.me()
    assert len(recorder.sent) == 1


def test_a_client_survives_a_second_run():
    """It is bound to no loop: two runs, one client."""
    client, recorder = connect(me, config=ClientConfig())

    async def run() -> str:
        async with client:
            return (await client.users.me()).id

    assert asyncio.run(run()) == asyncio.run(run()) == "1"
    assert len(recorder.sent) == 2


def test_a_key_cannot_be_pickled():
    """Secrets have no way out of the process."""
    client, _ = connect(me)
    with pytest.raises(Exception, match=r".+"):
        pickle.dumps(client.executor.core.credentials)


@pytest.mark.parametrize(
    "headers",
    [{"ratelimit-limit": "9" * 5000}, {"ratelimit-limit": "9" * 16}, {"ratelimit-limit": "\u00b2"},
     {"ratelimit-limit": "-5"}, {"ratelimit-limit": "0"}, {"ratelimit-limit": ""}],
)  # fmt: skip
async def test_a_hostile_limit_breaks_no_success(headers: dict[str, str]):
    """What is no limit is passed over."""
    assert announcement(headers) == headers
    client, _ = connect(lambda sent: Response(status=200, body=b'{"deal": {"id": "7"}}', headers=headers))
    async with client:
        assert (await client.deals.get("7")).id == "7"


@pytest.mark.parametrize(
    ("headers", "remaining"),
    [({"ratelimit-limit": "2"}, "1"), ({"ratelimit-limit": "2", "ratelimit-remaining": "0"}, "0")],
)
def test_a_limit_alone_is_followed(headers: dict[str, str], remaining: str):
    """RateLimit-Limit without RateLimit-Remaining tells the limit all the same."""
    found = announcement(headers)
    assert (found["ratelimit-remaining"], found["ratelimit-reset"]) == (remaining, "1")


def test_a_limit_alone_slows_the_client():
    """Announced 2 a second and nothing else: nine calls take about four virtual seconds, else under two."""

    class Wire:
        def __init__(self, headers: dict[str, str]) -> None:
            self.headers = headers

        async def send(self, request: Any, *, timeout: float | None = None) -> Response:
            return Response(status=200, body=b'{"user": {"id": "1"}}', headers=self.headers)

        async def aclose(self) -> None: ...

    async def took(headers: dict[str, str], name: str) -> float:
        client = ActiveCampaignClient(
            base_url=f"https://{name}.api-us1.com",
            api_token="k",
            transport=Wire(headers),
            clock=VirtualClock(),
        )
        async with client:
            for _ in range(9):
                await client.users.me()
        return asyncio.get_running_loop().time()

    assert run_virtual(took({}, "plain")) < 2.0
    assert 3.4 < run_virtual(took({"ratelimit-limit": "2"}, "slow")) < 5.0


@pytest.mark.parametrize(
    "body",
    [
        {"message": "No Result found for DealStage with id 99"},
        {"errors": [{"title": "Not found", "detail": "Stage 99 does not exist"}]},
    ],
)
async def test_a_404_of_a_write_keeps_the_vendors_words(body: Any):
    """What was sent names several records, and only the vendor says which of them is missing."""
    client, _ = connect(lambda sent: Response(status=404, body=msgspec.json.encode(body)))
    async with client:
        with pytest.raises(NotFound, match="99"):
            await client.deals.create(DealDraft(title="x"))
        with pytest.raises(NotFound, match="99"):
            await client.deals.update("7", DealPatch(title="x"))


@pytest.mark.parametrize("body", [b"", b"<html>", b"{oops", b"{}"])
@pytest.mark.parametrize("verb", ["create", "update", "move", "note"])
async def test_an_unreadable_success_of_a_write_was_executed(verb: str, body: bytes):
    """It is sent once, whatever the method, and the error says that it was executed."""
    calls: dict[str, Any] = {
        "create": lambda ac: ac.deals.create(DealDraft(title="x")),
        "update": lambda ac: ac.deals.update("1", DealPatch(title="x")),
        "move": lambda ac: ac.stages.move_deals("1", "2"),
        "note": lambda ac: ac.deals.update_note("1", "2", "x"),
    }
    client, recorder = connect(lambda sent: Response(status=201, body=body))
    async with client:
        with pytest.raises(MalformedResponse, match=r"\(201\) says that the call was executed"):
            await calls[verb](client)
    assert len(recorder.sent) == 1


async def test_an_unreadable_answer_to_a_read_is_asked_for_again():
    """A read does no harm: it is repeated, and says nothing of execution."""
    answers = iter([Response(status=200, body=b"{oops"), Response(status=200, body=b'{"deal": {"id": "7"}}')])
    client, recorder = connect(lambda sent: next(answers))
    async with client:
        assert (await client.deals.get("7")).id == "7"
    assert len(recorder.sent) == 2


@pytest.mark.parametrize(
    ("first", "hinted"),
    [
        (Response(status=503), True),
        (TimedOut("late", sent=True), True),
        (ConnectionFailed("refused", sent=False), False),
        (Response(status=429, headers={"retry-after": "0"}), False),
    ],
)
async def test_a_404_behind_a_failed_deletion_says_that_it_may_have_worked(first: Any, hinted: bool):
    """A deletion that failed may have deleted: then the repeat finds nothing, and the error says so."""
    answers = iter([first, Response(status=404)])
    client, _ = connect(lambda sent: next(answers))
    async with client:
        with pytest.raises(NotFound) as caught:
            await client.deals.delete("7")
    assert ("may have deleted it" in str(caught.value)) is hinted


@pytest.mark.parametrize("to", ["", None, True])
async def test_a_move_goes_to_an_id(to: Any):
    """An empty id, or none, is refused before everything of a stage moves anywhere."""
    client, recorder = connect(lambda sent: {"deals": [], "dealTasks": []})
    async with client:
        with pytest.raises(QueryRefused):
            await client.stages.move_deals("1", to)
        with pytest.raises(QueryRefused):
            await client.task_types.move_tasks("1", to)
    assert recorder.sent == []
