from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from nimble_async._aio.clock import SystemClock
from nimble_async._aio.executor import CallOptions, Core, Executor
from nimble_async._aio.hooks import Hooks
from nimble_async._aio.ports import Proof
from nimble_async._aio.throttle import Terms, Throttle
from nimble_async._sansio.message import Request, Response
from nimble_async._sansio.record import DecodingReport
from nimble_async._sansio.secret import Secret
from nimble_async.config import ClientConfig, RateLimit, RetryPolicy
from nimble_async.errors import CheckpointRefused, MalformedResponse, NotFound, QueryRefused
from nimble_async.nimble.dialect import NIMBLE
from nimble_async.nimble.resources.contacts import Contacts
from nimble_async.nimble.resources.deal_pipelines import DealPipelines
from nimble_async.nimble.resources.deals import Deals
from nimble_async.nimble.resources.users import Users


class Key:
    """Credentials that need no renewal."""

    scope = "test"
    token_age = None

    async def proof(self) -> Proof:
        return Proof("Authorization", Secret("Bearer k"))

    async def renew(self, rejected: Proof) -> bool:
        return False

    def replayed(self, proof: Proof, *, accepted: bool) -> None: ...

    def attach(self, *parts: object, **more: object) -> None: ...

    def detach(self, transport: object) -> None: ...

    async def aclose(self) -> None: ...


class Wire:
    """A transport that keeps what was sent and answers from a function of path and query."""

    def __init__(self, answer: Callable[[str, dict[str, str]], Any]) -> None:
        self.answer = answer
        self.sent: list[tuple[str, dict[str, str]]] = []

    async def send(self, request: Request, *, timeout: float | None = None) -> Response:
        assert request.method == "GET"
        assert request.headers["Authorization"] == "Bearer k"
        parts = urlsplit(request.url)
        call = (
            parts.path,
            dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))),
        )
        self.sent.append(call)
        return Response(status=200, body=msgspec.json.encode(self.answer(*call)))

    async def aclose(self) -> None: ...


def executor(wire: Wire) -> Executor:
    core = Core(
        base_url="https://app.nimble.com",
        dialect=NIMBLE,
        credentials=Key(),
        transport=wire,
        throttle=Throttle(SystemClock(), rate=RateLimit(math.inf)),
        terms=Terms(RateLimit(math.inf)),
        clock=SystemClock(),
        config=ClientConfig(retries=RetryPolicy(attempts=1)),
        hooks=Hooks(),
        report=DecodingReport(),
    )
    return Executor(core, CallOptions())


def people(*ids: str) -> dict[str, Any]:
    return {
        "meta": {"page": 1, "pages": 1, "per_page": 100, "total": len(ids)},
        "resources": [{"id": name} for name in ids],
    }


async def test_contacts_list_sends_every_argument():
    """Each argument of a list arrives under the vendor's name, in the vendor's spelling."""
    wire = Wire(lambda path, query: people("a"))
    contacts = Contacts(executor(wire))
    page = await contacts.list(
        keyword="acme & co",
        record_type="person",
        sort="created:asc",
        fields=["first name", "a,b"],
        tags=True,
        contexts=["leads_data", "contact_files"],
        last_contacted=False,
        files_data=True,
        per_page=50,
        page=3,
    )
    assert [contact.id for contact in page.items] == ["a"]
    assert wire.sent == [
        (
            "/api/v1/contacts",
            {
                "keyword": "acme & co",
                "record_type": "person",
                "sort": "created:asc",
                "fields": "first name,a\\,b",
                "tags": "true",
                "contexts": "leads_data,contact_files",
                "last_contacted": "false",
                "files_data": "true",
                "per_page": "50",
                "page": "3",
            },
        )
    ]


async def test_arguments_left_out_are_not_sent():
    """What is not given is not sent, but for the page and its size."""
    wire = Wire(lambda path, query: people("a"))
    await Contacts(executor(wire)).list()
    await Contacts(executor(wire)).list_ids(page=2)
    assert wire.sent[0] == ("/api/v1/contacts", {"page": "1", "per_page": "100"})
    assert wire.sent[1] == ("/api/v1/contacts/ids", {"page": "2", "per_page": "100"})


async def test_search_is_sent_as_json():
    """A search goes as JSON text, with the record type as one of its terms."""
    wire = Wire(lambda path, query: {"meta": {"pages": 1}, "resources": ["a", "b"]})
    ids = await Contacts(executor(wire)).list_ids(query={"email": {"is": "a@b.c"}}, record_type="person")
    assert ids.items == ["a", "b"]
    [(_, query)] = wire.sent
    assert "record_type" not in query
    assert msgspec.json.decode(query["query"]) == {
        "and": [{"email": {"is": "a@b.c"}}, {"record type": {"is": "person"}}]
    }


async def test_contact_is_the_first_of_its_list():
    """One contact is the only row of an answer; an empty answer is NotFound."""
    wire = Wire(lambda path, query: people("c/1") if path.endswith("c%2F1") else people())
    contacts = Contacts(executor(wire))
    found = await contacts.get(
        "c/1", fields=["email"], tags=False, contexts=["leads_data"], meta=True, leads_data=False
    )
    assert found.id == "c/1"
    assert wire.sent[0][1] == {
        "fields": "email",
        "tags": "false",
        "contexts": "leads_data",
        "meta": "true",
        "leads_data": "false",
    }
    with pytest.raises(NotFound) as caught:
        await contacts.get("gone")
    assert (caught.value.kind, caught.value.id) == ("contact", "gone")


@pytest.mark.parametrize("count", [0, 1, 29, 30, 31, 60, 61])
async def test_many_contacts_come_in_order(count):
    """Ids go out thirty to a call, and contacts come back in the order of the ids, each once."""
    wire = Wire(lambda path, query: people(*reversed(query["id"].split(","))))
    ids = [f"c{number}" for number in range(count)]
    found = await Contacts(executor(wire)).get_many(iter([*ids, *ids]), tags=True)
    assert [contact.id for contact in found] == ids
    assert sorted(len(query["id"].split(",")) for _, query in wire.sent) == sorted(
        [30] * (count // 30) + ([count % 30] if count % 30 else [])
    )
    assert all(query["tags"] == "true" for _, query in wire.sent)


async def test_missing_contacts_are_left_out():
    """An id that names nothing is left out, and so is a row without an id, which the report counts."""
    wire = Wire(
        lambda path, query: {"resources": [{"id": "b"}, {"name": "nobody"}, {"id": "a"}, {"id": "other"}]}
    )
    made = executor(wire)
    assert [contact.id for contact in await Contacts(made).get_many(["a", "x", "b"])] == ["a", "b"]
    assert dict(made.core.report.statistics().rejected) == {"Contact": 1}


async def test_deals_are_listed_in_one_page():
    """Deals are asked for by sort and limit, in one page whose total tells what there is."""
    wire = Wire(lambda path, query: {"meta": {"total": 9, "pages": 9}, "resources": [{"deal_id": "d"}]})
    deals = Deals(executor(wire))
    assert [deal.id for deal in await deals.list(sort="name:asc").collect()] == ["d"]
    assert (await deals.list(sort="name:desc", limit=5)).total == 9
    assert wire.sent == [
        ("/api/v2/deals", {"sort": "name:asc"}),
        ("/api/v2/deals", {"sort": "name:desc", "limit": "5"}),
    ]


async def test_deals_of_a_pipeline_follow_each_stage():
    """The first answer holds every stage; each stage's address is followed, relative ones too."""

    def answer(path: str, query: Mapping[str, str]) -> Any:
        if "offset" not in query:
            more = f"{path}?stage_id=s1&offset=1"
            return {
                "stages": [
                    {
                        "stage": {"stage_id": "s1"},
                        "deals": [{"deal_id": "1"}],
                        "meta": {"next_page_url": more},
                    },
                    {
                        "stage": {"stage_id": "s2"},
                        "deals": [{"deal_id": "2"}],
                        "meta": {"next_page_url": None},
                    },
                ]
            }
        return {"stages": [{"deals": [{"deal_id": "3"}], "meta": {}}]}

    wire = Wire(answer)
    listing = DealPipelines(executor(wire)).deals_by_stage(
        "p1", sort="name:asc", query={"name": {"is": "x"}}, stage_id="s1", stuck=False, limit=1
    )
    assert [deal.id async for deal in listing] == ["1", "2", "3"]
    path = "/api/v2/deals/pipelines/p1/deals"
    first = {
        "sort": "name:asc",
        "query": '{"name":{"is":"x"}}',
        "stage_id": "s1",
        "stuck": "false",
        "limit": "1",
    }
    assert wire.sent == [(path, first), (path, {"stage_id": "s1", "offset": "1"})]


async def test_single_answers():
    """The user, a deal and the pipelines are read from their own answers."""
    answers = {
        "/api/v1/myself": {"user_id": "u1", "name": "U"},
        "/api/v2/deals/d1": {"deal_id": "d1"},
        "/api/v2/deals/pipelines": {"pipelines": [{"pipeline_id": "p1"}, {}]},
    }
    made = executor(Wire(lambda path, query: answers[path]))
    assert (await Users(made).me()).id == "u1"
    assert (await Deals(made).get("d1")).id == "d1"
    assert [pipeline.id for pipeline in await DealPipelines(made).list()] == ["p1"]


async def test_single_answer_without_its_id_is_malformed():
    """A single answer that is not what was asked for raises, since nothing can be left out."""
    with pytest.raises(MalformedResponse):
        await Deals(executor(Wire(lambda path, query: {"name": "x"}))).get("d1")


@pytest.mark.parametrize(
    "call",
    [
        lambda made: Contacts(made).list(keyword="a", query={"email": {"is": "b"}}),
        lambda made: Contacts(made).list(sort="created"),
        lambda made: Contacts(made).list(sort="created:asc", per_page=101),
        lambda made: Contacts(made).list_ids(page=0),
        lambda made: Contacts(made).list(fields="email"),
        lambda made: Deals(made).list(sort="name"),
        lambda made: Deals(made).list(sort="name:asc", limit=0),
        lambda made: DealPipelines(made).deals_by_stage("p", sort="name:asc", query="no json"),
    ],
)
def test_refusals_send_nothing(call):
    """What the vendor would refuse is refused where the list is made, before anything is sent."""
    wire = Wire(lambda path, query: people())
    with pytest.raises(QueryRefused):
        call(executor(wire))
    assert wire.sent == []


def test_checkpoint_of_another_list_is_refused():
    """A checkpoint goes with the arguments it was taken from."""
    contacts = Contacts(executor(Wire(lambda path, query: people())))
    checkpoint = contacts.list(sort="created:asc").checkpoint()
    assert contacts.list(sort="created:asc", start=checkpoint).checkpoint() == checkpoint
    with pytest.raises(CheckpointRefused):
        _ = contacts.list(sort="created:desc", start=checkpoint)
