"""Lists: limit and offset that lose nothing, orders and filters, and what comes beside the rows."""

from __future__ import annotations

import asyncio
import itertools
import pickle
import random
from collections.abc import AsyncIterable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from nimble_async._sansio.message import Response
from nimble_async.activecampaign.models.contacts import Contact
from nimble_async.activecampaign.models.custom_field_values import CustomFieldValue
from nimble_async.activecampaign.models.deals import Deal
from nimble_async.errors import CheckpointRefused, ConfigurationError, PagingBroken, QueryRefused, ServerError
from tests.activecampaign.recording import Sent, connect


def account(count: int, *, total: Any = None, most: int = 100) -> Any:
    """Answer lists of `count` deals: `total` is what is said, `most` the longest page that is sent."""

    def answer(sent: Sent) -> Any:
        offset, limit = int(sent.query["offset"]), min(int(sent.query["limit"]), most)
        rows = [{"id": str(number)} for number in range(1, count + 1)][offset : offset + limit]
        meta = {} if total is None else {"meta": {"total": total}}
        return {"deals": rows, **meta}

    return answer


def numbers(deals: list[Deal]) -> list[int]:
    return [int(deal.id) for deal in deals]


async def drain(deals: AsyncIterable[Deal], into: list[Deal]) -> None:
    """Take every deal, keeping those that came before an error."""
    async for deal in deals:
        into.append(deal)  # noqa: PERF401 (a comprehension would lose them)


@pytest.mark.parametrize(
    ("count", "total", "calls"),
    [
        (0, None, 1),
        (99, None, 1),
        (100, None, 2),
        (101, None, 2),
        (250, None, 3),
        (0, "0", 1),
        (250, "250", 3),
        (250, 250, 3),
        (250, "many", 3),
        (200, 200, 3),
        (200, 100, 3),
        (250, 7, 3),
        (250, [1], 3),
        (250, "-1", 3),
    ],
)
async def test_a_short_page_ends_a_list_and_a_total_is_a_hint(count: int, total: Any, calls: int):
    """Whatever the total says, or is, every row comes once; one that promises more is asked once more."""
    client, recorder = connect(account(count, total=total))
    async with client:
        assert numbers(await client.deals.list().collect()) == list(range(1, count + 1))
    assert len(recorder.sent) == calls
    assert [sent.query["offset"] for sent in recorder.sent] == [str(offset) for offset in (0, 100, 200, 250)][
        :calls
    ]


@pytest.mark.parametrize(("count", "total", "there"), [(250, 300, 250), (0, "1", 0), (250, 251, 250)])
async def test_an_empty_page_before_the_total_is_a_walk_cut_short(count: int, total: Any, there: int):
    """The same answer counts records and lists none: an error behind what there was, not a quiet end."""
    client, _ = connect(account(count, total=total))
    found: list[Deal] = []
    async with client:
        with pytest.raises(PagingBroken, match="cut short"):
            await drain(client.deals.list(), found)
    assert len(found) == there


@pytest.mark.parametrize("resource", ["tasks", "deals"])
async def test_a_server_that_passes_over_the_offset_and_shuffles_is_given_up(resource: str):
    """No page looks like one before: the ids tell where no order is known, else the total."""
    chance = random.Random(1)
    name = {"tasks": "dealTasks"}.get(resource, resource)

    def answer(sent: Sent) -> Any:
        rows = [{"id": str(number)} for number in chance.sample(range(100), 100)]
        return {name: rows, "meta": {"total": "100"}}

    client, recorder = connect(answer)
    async with client:
        with pytest.raises(PagingBroken, match="where to begin"):
            await getattr(client, resource).list().collect()
    assert len(recorder.sent) == (2 if resource == "tasks" else 13)


@pytest.mark.parametrize("total", [True, False])
@pytest.mark.parametrize(
    ("resource", "name"),
    [("tasks", "dealTasks"), ("activities", "dealActivities"), ("custom_field_values", "dealCustomFieldData"),
     ("secondary_contacts", "contactDeals"), ("task_types", "dealTasktypes"), ("roles", "dealRoles"),
     ("custom_fields", "dealCustomFieldMeta"), ("stages", "dealStages"), ("pipelines", "dealGroups")],
)  # fmt: skip
@pytest.mark.parametrize("ahead", [False, True])
async def test_a_list_without_an_order_that_loses_rows_says_so(
    resource: str, name: str, total: bool, ahead: bool
):
    """Three hundred rows in another order in each answer: some twice, others not at all, and no quiet end."""
    chance = random.Random(resource)

    def answer(sent: Sent) -> Any:
        offset, limit = int(sent.query["offset"]), int(sent.query["limit"])
        rows = [{"id": number} for number in chance.sample(range(300), 300)][offset : offset + limit]
        return {name: rows, "meta": {"total": "300"}} if total else {name: rows}

    client, _ = connect(answer)
    async with client:
        rows = getattr(client, resource).list()
        if ahead:
            async with rows.prefetch(pages=3) as some:
                with pytest.raises(PagingBroken, match="came twice"):
                    await drain(some, [])
        else:
            with pytest.raises(PagingBroken, match="came twice"):
                await rows.collect()


async def test_rows_that_come_twice_because_others_came_first_are_no_loss():
    """One task was made at the top meanwhile: it pushed a row onto the next page, and the total says so."""

    def answer(sent: Sent) -> Any:
        offset = int(sent.query["offset"])
        first = 0 if offset else 1
        rows = [{"id": number} for number in range(first, 251)][offset : offset + 100]
        return {"dealTasks": rows, "meta": {"total": 251 - first}}

    client, _ = connect(answer)
    async with client:
        found = [task.id for task in await client.tasks.list().collect()]
    assert (len(found), set(map(str, range(1, 251))) <= set(found)) == (251, True)


async def test_pages_that_are_held_short_lose_nothing():
    """A server that sends twenty whatever the limit is walked by what it sends, since its total says more."""
    client, recorder = connect(account(50, total="50", most=20))
    async with client:
        assert numbers(await client.deals.list().collect()) == list(range(1, 51))
    assert [sent.query["offset"] for sent in recorder.sent] == ["0", "20", "40"]


async def test_a_server_that_ignores_the_offset_is_noticed():
    """The same page twice in a row is a loop, not data."""
    client, recorder = connect(lambda sent: {"deals": [{"id": str(number)} for number in range(100)]})
    async with client:
        with pytest.raises(PagingBroken, match="twice"):
            await client.deals.list().collect()
    assert len(recorder.sent) == 2


@pytest.mark.parametrize("total", [None, "7", 900_000])
async def test_servers_that_take_turns_ignoring_the_offset_are_noticed(total: Any):
    """A,B,A,B is a loop too: it ends at the first page that comes again, also while reading ahead."""
    turns = itertools.count()

    def answer(sent: Sent) -> Any:
        first = 1000 * (next(turns) % 2)
        rows = [{"id": str(number)} for number in range(first, first + 100)]
        return {"deals": rows} if total is None else {"deals": rows, "meta": {"total": total}}

    client, recorder = connect(answer)
    found: list[Deal] = []
    async with client:
        with pytest.raises(PagingBroken, match="loop"):
            await drain(client.deals.list(), found)
        assert (len(found), len(recorder.sent)) == (200, 3)
        async with client.deals.list().prefetch(pages=4) as deals:
            with pytest.raises(PagingBroken, match="loop"):
                await drain(deals, found)
    assert len(found) == 400


async def test_a_list_that_grows_faster_than_it_is_read_ends():
    """Each answer finds more behind it than it holds: an error with a checkpoint, not a walk for ever."""
    count = 150

    def answer(sent: Sent) -> Any:
        nonlocal count
        count += 150
        return account(count, total=count)(sent)

    client, recorder = connect(answer)
    found: list[Deal] = []
    async with client:
        with pytest.raises(PagingBroken, match="grows faster") as caught:
            await drain(client.deals.list(), found)
        assert numbers(found) == list(range(1, 1601))
        assert len(recorder.sent) == 17
        later = client.deals.list(start=caught.value.checkpoint)
        assert numbers(await later.collect(limit=10)) == list(range(1601, 1611))


@pytest.mark.parametrize("total", [None, "1050", 1050])
async def test_prefetch_keeps_the_order(total: Any):
    """Pages read side by side, where a total allows it, come in their order and none is doubled."""
    client, recorder = connect(account(1050, total=total))
    async with client, client.deals.list().prefetch(pages=4) as deals:
        assert numbers([deal async for deal in deals]) == list(range(1, 1051))
    assert len(recorder.sent) == 11


async def test_prefetch_reads_side_by_side():
    """With a total, as many pages are in flight as asked."""
    flying = peak = 0

    class Slow:
        async def send(self, request: Any, *, timeout: float | None = None) -> Response:
            nonlocal flying, peak
            flying += 1
            peak = max(peak, flying)
            await asyncio.sleep(0.001)
            flying -= 1
            return await recorder.send(request)

        async def aclose(self) -> None: ...

    client, recorder = connect(account(1000, total="1000"))
    from nimble_async.activecampaign.client import ActiveCampaignClient

    slow = ActiveCampaignClient(
        base_url="https://slow.api-us1.com", api_token="k", rate="100000/1s", transport=Slow()
    )
    async with client, slow, slow.deals.list().prefetch(pages=4) as deals:
        assert len([deal async for deal in deals]) == 1000
    assert peak == 4


async def test_a_checkpoint_goes_on_inside_a_page():
    """A list that broke off goes on at the very row; another list refuses the checkpoint."""
    broken = {"at": 2}

    def answer(sent: Sent) -> Any:
        if int(sent.query["offset"]) == 100 and broken["at"]:
            broken["at"] -= 1
            return Response(status=418)
        return account(250)(sent)

    client, _ = connect(answer)
    async with client:
        found: list[Deal] = []
        with pytest.raises(Exception, match="418") as caught:
            await drain(client.deals.list(status="won"), found)
        broken["at"] = 0
        mark = caught.value.checkpoint  # type: ignore[attr-defined]
        found += await client.deals.list(status="won", start=mark).collect()
        assert numbers(found) == list(range(1, 251))
        some = client.deals.list()
        async for deal in some:
            if deal.id == "130":
                break
        assert numbers(await client.deals.list(start=some.checkpoint()).collect())[0] == 131
        for other in ({"status": "lost"}, {"status": "won", "limit": 50}, {}):
            with pytest.raises(CheckpointRefused):
                _ = client.deals.list(start=mark, **other)


async def test_a_checkpoint_belongs_to_the_order_of_the_orders():
    """The first order is the strongest, so the same two the other way round are another list."""
    client, _ = connect(account(250))
    async with client:
        mark = client.deals.list(orders={"value": "DESC", "title": "ASC"}).checkpoint()
        _ = client.deals.list(orders={"value": "DESC", "title": "ASC"}, start=mark)
        with pytest.raises(CheckpointRefused):
            _ = client.deals.list(orders={"title": "ASC", "value": "DESC"}, start=mark)


async def test_a_list_may_begin_anywhere():
    """offset is where a walk begins, counted from 0."""
    client, _ = connect(account(250))
    async with client:
        assert numbers(await client.deals.list(offset=120).collect())[0] == 121
        for offset in (-1, 1.5, True, "0"):
            with pytest.raises(ConfigurationError):
                _ = client.deals.list(offset=offset)  # type: ignore[arg-type]
        with pytest.raises(ConfigurationError, match="not at both"):
            _ = client.deals.list(start=client.deals.list().checkpoint(), offset=200)


@pytest.mark.parametrize(
    ("orders", "sent"),
    [
        (None, ["orders[id]=ASC"]),
        ({}, ["orders[id]=ASC"]),
        ({"id": "DESC"}, ["orders[id]=DESC"]),
        ({"value": "DESC", "title": "asc"}, ["orders[value]=DESC", "orders[title]=ASC", "orders[id]=ASC"]),
        ({"id": "ASC", "title": "ASC"}, ["orders[id]=ASC", "orders[title]=ASC"]),
        ({"next-action": "ASC"}, ["orders[next-action]=ASC", "orders[id]=ASC"]),
    ],
)
async def test_deals_always_have_an_order(orders: Any, sent: list[str]):
    """The id settles every order, and the orders are sent in the order given."""
    client, recorder = connect(account(1))
    async with client:
        await client.deals.list(orders=orders)
    (only,) = recorder.sent
    assert [f"{name}={only.query[name]}" for name in only.order if name.startswith("orders")] == sent


async def test_a_plain_list_asks_for_nothing_else():
    """No filter is sent that nobody asked for, and pages hold a hundred."""
    client, recorder = connect(account(1))
    async with client:
        await client.deals.list()
    assert recorder.sent[0].query == {"orders[id]": "ASC", "limit": "100", "offset": "0"}


@pytest.mark.parametrize(
    "resource",
    ["secondary_contacts", "activities", "custom_fields", "custom_field_values", "pipelines", "roles",
     "stages", "task_types", "tasks"],
)  # fmt: skip
async def test_every_list_says_how_much_it_wants(resource: str):
    """Unless told, the vendor sends twenty: a hundred are asked for, in every list."""
    envelopes = (
        "contactDeals", "dealActivities", "dealCustomFieldMeta", "dealCustomFieldData", "dealGroups",
        "dealRoles", "dealStages", "dealTasktypes", "dealTasks",
    )  # fmt: skip
    client, recorder = connect(lambda sent: {name: [] for name in envelopes})
    async with client:
        await getattr(client, resource).list()
        with pytest.raises(QueryRefused):
            _ = getattr(client, resource).list(limit=101)
    assert (recorder.sent[0].query["limit"], recorder.sent[0].query["offset"]) == ("100", "0")


async def test_brackets_and_plus_signs_are_percent_encoded():
    """As the vendor's own links are written; a bare plus would be read as a space."""
    urls: list[str] = []

    class Wire:
        async def send(self, request: Any, *, timeout: float | None = None) -> Response:
            urls.append(request.url)
            return Response(status=200, body=b'{"dealTasks": []}')

        async def aclose(self) -> None: ...

    client, _ = connect(account(0))
    from nimble_async.activecampaign.client import ActiveCampaignClient

    plain = ActiveCampaignClient(base_url="https://wire.api-us1.com", api_token="k", transport=Wire())
    async with client, plain:
        await plain.tasks.list(due_range=["2026-01-01", "2026-02-01"])
    assert "filters%5Bduedate_range%5D=2026-01-01%2B2026-02-01" in urls[0]
    assert not set("[]+ ") & set(urls[0])


@pytest.mark.parametrize(
    "arguments",
    [
        {"limit": 0},
        {"limit": 101},
        {"orders": {"name": "ASC"}},
        {"orders": {"title": "up"}},
        {"status": "Won"},
        {"created_before": "yesterday"},
        {"created_after": datetime(2026, 1, 1, tzinfo=UTC)},
        {"updated_before": 5},
        {"include": "contact"},
        {"include": ["contact", ""]},
        {"minimum_value": 5},
        {"limit": "50"},
        {"limit": 2.5},
        {"limit": True},
        {"orders": ["value"]},
        {"orders": "value"},
        {"status": ["won"]},
        {"search_field": "titles"},
        {"next_task": "soon"},
        {"score": "7"},
        {"score_greater_than": "a:b"},
        {"stage_id": ""},
        {"title": ""},
        {"tag_id": ["1"]},
        {"include": ["contact,deals"]},
    ],
)
async def test_what_would_be_ignored_in_silence_is_refused(arguments: dict[str, Any]):
    """A misspelled order, day, choice or relation gives no answer that looks right."""
    client, recorder = connect(account(1))
    async with client:
        with pytest.raises(QueryRefused):
            _ = client.deals.list(**arguments)
    assert recorder.sent == []


@pytest.mark.parametrize("due_range", ["next-week", ["2026-01-01", date(2026, 2, 1)], ["next-week"]])
def test_ranges_of_days(due_range: Any):
    """A range is two days or a name."""
    client, _ = connect(account(1))
    assert client.tasks.list(due_range=due_range) is not None


@pytest.mark.parametrize("due_range", ["", [], ["2026-01-01"] * 3, ["a", "b"], [""], [None, None]])
def test_what_is_no_range_is_refused(due_range: Any):
    """One day, three days and no days are no range."""
    client, _ = connect(account(1))
    with pytest.raises(QueryRefused):
        _ = client.tasks.list(due_range=due_range)


# Beside the rows

ROWS = {
    "deals": [{"id": "1", "contact": "8"}, {"id": "2", "contact": 9}, {"id": "3", "contact": "0"}],
    "dealCustomFieldData": [
        {"id": "10", "deal_id": "1", "custom_field_id": "4", "custom_field_text_value": "a"},
        {"id": "11", "deal_id": "2", "custom_field_id": "4", "custom_field_text_value": "b"},
        {"id": "12", "dealId": 1, "customFieldId": 5, "fieldValue": "c"},
        {"id": "13", "deal_id": "99", "custom_field_id": "4", "custom_field_text_value": "of nobody"},
        {"deal_id": "2", "custom_field_id": "4"},
    ],
    "contacts": [{"id": "9", "email": "nine@example.com"}, {"id": "8", "email": "eight@example.com"}],
    "scores": [{"id": "5"}],
    "meta": {"total": "3"},
}


async def test_side_loads_reach_the_record_and_the_page():
    """Each deal has its own values, in both shapes, and its contact; the page has every list by name."""
    client, _ = connect(lambda sent: ROWS)
    async with client:
        page = await client.deals.list(include=["dealCustomFieldData", "contact"])
        one, two, three = page.items
        assert {(value.field_id, value.value) for value in one.custom_values} == {("4", "a"), ("5", "c")}
        assert [value.value for value in two.custom_values] == ["b"]
        assert (three.custom_values, three.contact, three.stage) == ((), None, None)
        assert one.contact is not None
        assert two.contact is not None
        assert (one.contact.email, two.contact.email) == ("eight@example.com", "nine@example.com")
        found = one.custom_value("5")
        assert found is not None
        assert found.value == "c"
        assert one.custom_value("6") is None
        assert len(page.beside("dealCustomFieldData", CustomFieldValue)) == 4
        assert [contact.id for contact in page.beside("scores", Contact)] == ["5"]
        assert page.beside("nothing", Contact) == page.beside("meta", Contact) == []
        assert client.statistics().decoding.unread["Deal.dealCustomFieldData"] == 1


async def test_every_way_to_walk_brings_them_along():
    """Iteration, pages and prefetch give the same values; a pickled deal keeps its own."""
    client, _ = connect(lambda sent: ROWS)
    async with client:
        expected = [["a", "c"], ["b"], []]
        ways = [[deal async for deal in client.deals.list()]]
        ways.append([deal async for page in client.deals.list().pages() for deal in page])
        async with client.deals.list().prefetch() as deals:
            ways.append([deal async for deal in deals])
        for way in [*ways, pickle.loads(pickle.dumps(ways[0]))]:
            assert [sorted(value.value for value in deal.custom_values) for deal in way] == expected
    assert ways[0][0] == ways[1][0]


async def test_what_was_asked_of_one_page_comes_with_the_next():
    """Values in any of their spellings, and what is beside them, are the same on every page."""
    row = {"contact": "8", "value": "1250", "currency": "usd", "status": "1", "cdate": "2026-03-04T05:06:07Z"}
    other = {**row, "value": 1250, "contact": 8, "status": 1}

    def answer(sent: Sent) -> Any:
        offset, limit = int(sent.query["offset"]), int(sent.query["limit"])
        rows = [{"id": str(number), **(other if number % 3 else row)} for number in range(1, 10)]
        values = [{"id": str(of), "deal_id": of, "fieldValue": str(of)} for of in range(1, 10)]
        asked = slice(offset, offset + limit)
        return {"deals": rows[asked], "dealCustomFieldData": values[asked]}

    client, recorder = connect(answer)
    async with client:
        seen = [
            (deal.cents, deal.contact_id, deal.status, deal.created, [v.value for v in deal.custom_values])
            async for deal in client.deals.list(limit=4)
        ]
    assert len(recorder.sent) == 3
    assert [values for *_, values in seen] == [[str(number)] for number in range(1, 10)]
    assert {tuple(rest) for *rest, _ in seen} == {
        (1250, "8", "won", datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC))
    }


async def test_what_is_beside_one_record_belongs_to_it():
    """A single answer gives all it brings to its record: after a write the contact and the stage."""
    answer = {
        "contacts": [{"id": "8"}],
        "deal": {"id": 1, "contact": 8, "stage": "4", "value": 5, "currency": "usd"},
        "dealStages": [{"id": "4", "title": "New"}],
        "dealCustomFieldData": [{"id": "2", "dealId": "1", "fieldValue": "x"}],
    }
    client, _ = connect(lambda sent: answer)
    async with client:
        for deal in (await client.deals.get("1"), await client.deals.update("1", {})):
            assert deal.contact is not None
            assert deal.stage is not None
            assert (deal.contact.id, deal.stage.name, deal.custom_values[0].value) == ("8", "New", "x")


async def test_lists_that_come_unasked_are_told_apart():
    """A pipeline has its own stages, a link its deal and contact, a moved task its deal."""
    answers: dict[str, Any] = {
        "/api/3/dealGroups": {
            "dealStages": [{"id": "1", "group": "5"}, {"id": "2", "group": "6"}, {"id": "3", "group": 5}],
            "dealGroups": [{"id": "5"}, {"id": "6"}],
        },
        "/api/3/contacts/8/contactDeals": {
            "contacts": [{"id": "8"}],
            "deals": [{"id": "1"}, {"id": "2"}],
            "contactDeals": [
                {"id": "20", "deal": 1, "contact": "8"},
                {"id": "21", "deal": "2", "contact": "8"},
            ],
        },
        "/api/3/dealTasktypes/1/dealTasks": {
            "deals": [{"id": "1"}],
            "dealTasks": [
                {"id": "30", "relid": "1", "reltype": "Deal"},
                {"id": "31", "relid": "1", "reltype": "Subscriber"},
            ],
        },
        "/api/3/contacts/8/deals": {"deals": [{"id": "1"}]},
        "/api/3/dealStages/1/deals": {"deals": [{"id": "1"}, {"title": "no id"}]},
    }
    client, recorder = connect(lambda sent: answers[sent.path])
    async with client:
        pipelines = await client.pipelines.list().collect()
        assert [[stage.id for stage in pipeline.stages] for pipeline in pipelines] == [["1", "3"], ["2"]]
        links = await client.secondary_contacts.list_for_contact("8")
        assert [(link.deal and link.deal.id, link.contact and link.contact.id) for link in links] == [
            ("1", "8"),
            ("2", "8"),
        ]
        tasks = await client.task_types.move_tasks("1", "2")
        assert [task.deal and task.deal.id for task in tasks] == ["1", None]
        assert len(await client.deals.list_for_contact("8")) == 1
        assert len(await client.stages.move_deals("1", "2")) == 1
    assert recorder.sent[-1].body == {"deal": {"stage": "2"}}
    assert recorder.sent[2].body == {"dealTask": {"dealTasktype": "2"}}


async def test_an_outage_is_repeated_for_a_read():
    """A 503 in the place of a page is asked again."""
    answers = iter([Response(status=503), {"deals": [{"id": "1"}]}])
    client, recorder = connect(lambda sent: next(answers))
    async with client:
        assert numbers(await client.deals.list().collect()) == [1]
    assert len(recorder.sent) == 2
    client, recorder = connect(lambda sent: Response(status=503))
    async with client:
        with pytest.raises(ServerError):
            await client.users.me()
    assert len(recorder.sent) == 5


async def test_a_row_without_an_id_is_passed_over_where_ids_are_watched():
    """It is rejected, as in every list, and spoils nothing."""
    rows = [{"id": "1"}, {"title": "nameless"}, {"id": None}, {"id": 2}]
    client, _ = connect(lambda sent: {"dealTasks": rows if sent.query["offset"] == "0" else []})
    async with client:
        assert [task.id for task in await client.tasks.list(limit=4).collect()] == ["1", "2"]


@pytest.mark.parametrize("search", ["", "  ", 5])
def test_a_search_for_nothing_is_refused(search: Any):
    """An empty text finds everything, or nothing: nobody documents which."""
    client, _ = connect(account(0))
    with pytest.raises(QueryRefused):
        _ = client.roles.list(search=search)
    with pytest.raises(QueryRefused):
        _ = client.activities.list(deal_id="")
    with pytest.raises(QueryRefused):
        _ = client.activities.list(exclude="calls")  # type: ignore[arg-type]
    with pytest.raises(QueryRefused):
        _ = client.tasks.list(related_type="account")  # type: ignore[arg-type]
