"""Bulk calls: bare lists of a hundred, and a word on each row. Nothing made is made twice."""

from __future__ import annotations

from typing import Any

import pytest

from nimble_async._sansio.message import Response
from nimble_async.activecampaign import BulkReport, CustomFieldValueDraft, CustomFieldValuePatch, DealDraft
from nimble_async.errors import (
    ConnectionFailed,
    CredentialsError,
    DeadlineExceeded,
    Forbidden,
    InvalidInput,
    MalformedResponse,
    QueryRefused,
    ServerError,
    TimedOut,
)
from tests.activecampaign.recording import Recorder, Sent, connect


def drafts(count: int) -> list[CustomFieldValueDraft]:
    return [
        CustomFieldValueDraft(deal_id=str(number), field_id="1", value="x") for number in range(1, count + 1)
    ]


def script(*answers: Any) -> Any:
    """Answer with each in turn."""
    waiting = iter(answers)
    return lambda sent: next(waiting)


OK = {"message": "done"}


@pytest.mark.parametrize(("count", "calls"), [(0, 0), (1, 1), (100, 1), (101, 2), (250, 3)])
async def test_rows_go_a_hundred_at_a_time(count: int, calls: int):
    """Each call has a bare list, in order; the report has a line for each row and the vendor's words."""
    client, recorder = connect(lambda sent: OK)
    async with client:
        report = await client.custom_field_values.create_many(drafts(count))
    assert len(recorder.sent) == calls
    assert all(isinstance(sent.body, list) and len(sent.body) <= 100 for sent in recorder.sent)
    assert [row["dealId"] for sent in recorder.sent for row in sent.body] == [
        str(n) for n in range(1, count + 1)
    ]
    assert [(row.index, row.id) for row in report.rows] == [(n, str(n + 1)) for n in range(count)]
    assert report.ok
    assert report.messages == ("done",) * calls
    assert report.check() is report


async def test_a_refused_call_fails_its_rows_and_no_others():
    """A 422 is about its own rows: the others are sent."""
    refusal = Response(status=422, body=b'{"errors":[{"detail":"bad"}]}')
    client, recorder = connect(script(OK, refusal, OK))
    async with client:
        report = await client.custom_field_values.create_many(drafts(250))
    assert len(recorder.sent) == 3
    assert report.counts == {"done": 150, "failed": 100}
    assert [row.index for row in report.troubled] == list(range(100, 200))
    assert "bad" in report.troubled[0].error
    with pytest.raises(InvalidInput):
        report.check()


@pytest.mark.parametrize(
    "trouble",
    [
        ConnectionFailed("broke", sent=True),
        TimedOut("late"),
        Response(status=503),
        Response(status=502, body=b"<html>"),
        Response(status=200, body=b"<html>"),
    ],
)
async def test_a_lost_answer_leaves_rows_unknown(trouble: Any):
    """After an ambiguous failure nothing is sent again, its rows are unknown and the rest is unsent."""
    client, recorder = connect(script(OK, trouble))
    async with client:
        report = await client.custom_field_values.create_many(drafts(250))
    assert len(recorder.sent) == 2
    assert report.counts == {"done": 100, "unknown": 100, "unsent": 50}
    assert not report.ok
    with pytest.raises((ConnectionFailed, TimedOut, ServerError, MalformedResponse)):
        report.check()
    assert ("unknown", 100) in report.__rich_repr__()


async def test_what_did_nothing_is_raised():
    """Where the first call fails for a reason that is not about its rows, there is nothing to report."""
    client, _ = connect(lambda sent: Response(status=403))
    async with client:
        with pytest.raises(Forbidden):
            await client.custom_field_values.create_many(drafts(250))


@pytest.mark.parametrize("trouble", [Response(status=403), Response(status=401), CredentialsError("gone")])
async def test_what_ends_the_work_later_is_reported(trouble: Any):
    """Rows that an error of the whole account met are unsent, and so is the rest."""
    client, recorder = connect(script(OK, trouble))
    async with client:
        report = await client.custom_field_values.create_many(drafts(250))
    assert len(recorder.sent) == 2
    assert report.counts == {"done": 100, "unsent": 150}


async def test_a_change_is_repeated_until_it_is_known():
    """A PATCH names the state wanted, so it is sent again after a lost answer."""
    client, recorder = connect(script(TimedOut("late"), OK))
    async with client:
        report = await client.custom_field_values.update_many([CustomFieldValuePatch(id="7", value=["a"])])  # type: ignore[arg-type]
    assert report.ok
    assert [sent.body for sent in recorder.sent] == [[{"id": "7", "fieldValue": ["a"]}]] * 2


async def test_a_call_that_never_left_is_sent_again():
    """A refused connection surely did nothing, so even a POST is repeated."""
    client, recorder = connect(script(ConnectionFailed("refused", sent=False), OK))
    async with client:
        assert (await client.custom_field_values.create_many(drafts(1))).ok
    assert len(recorder.sent) == 2


@pytest.mark.parametrize(
    ("rows", "key"),
    [
        ([{"fieldValue": 1}], "id"),
        ([{"id": "", "fieldValue": 1}], "id"),
        ([CustomFieldValuePatch(value=1)], "id"),
    ],
)
async def test_a_row_names_its_record(rows: Any, key: str):
    """A row without its id is refused before anything is sent."""
    client, recorder = connect(lambda sent: OK)
    async with client:
        with pytest.raises(QueryRefused, match=key):
            await client.custom_field_values.update_many(rows)
    assert recorder.sent == []


def owners(sent: Sent) -> dict[str, list[str]]:
    """Change most, leave every third as it was, fail every seventh, forget the thirteenth."""
    found: dict[str, list[str]] = {"success": [], "nochange": [], "failed": []}
    for row in sent.body["deals"]:
        assert row["ownerId"] == "9"
        number = int(row["id"])
        if number != 13:
            found["failed" if number % 7 == 0 else "nochange" if number % 3 == 0 else "success"].append(
                row["id"]
            )
    return found


async def test_new_owners_are_reported_deal_by_deal():
    """The vendor's three lists become one line for each deal; one in none of them is unknown."""
    client, recorder = connect(owners)
    async with client:
        report = await client.deals.update_owners({str(number): "9" for number in range(1, 121)})
    assert [len(sent.body["deals"]) for sent in recorder.sent] == [100, 20]
    ends = {row.id: row.outcome for row in report.rows}
    assert (ends["1"], ends["3"], ends["7"], ends["13"], ends["21"]) == (
        "done",
        "unchanged",
        "failed",
        "unknown",
        "failed",
    )
    assert len(report.rows) == 120


async def test_numbers_in_the_vendors_lists_are_ids_too():
    """Ids come as text or as numbers."""
    client, _ = connect(lambda sent: {"success": [7], "failed": None})
    async with client:
        assert (await client.deals.update_owners({"7": "9"})).ok


@pytest.mark.parametrize(
    "trouble", [ConnectionFailed("broke", sent=True), TimedOut("late"), Response(status=500)]
)
async def test_a_deal_is_never_made_twice(trouble: Any):
    """A POST whose answer is lost is not repeated; neither is a move."""
    made: list[Recorder] = []
    for do in (
        lambda client: client.deals.create(DealDraft(title="x")),
        lambda client: client.stages.move_deals("1", "2"),
        lambda client: client.task_types.move_tasks("1", "2"),
    ):
        client, recorder = connect(lambda sent: trouble)
        made.append(recorder)
        async with client:
            with pytest.raises((ConnectionFailed, TimedOut, ServerError)):
                await do(client)
    assert [len(recorder.sent) for recorder in made] == [1, 1, 1]


async def test_a_refusal_for_rate_is_repeated():
    """A 429 was refused before any work began, so a POST goes again."""
    client, recorder = connect(
        script(Response(status=429, headers={"retry-after": "0"}), {"deal": {"id": "7"}})
    )
    async with client:
        assert (await client.deals.create({"title": "x"})).id == "7"
    assert [sent.body for sent in recorder.sent] == [{"deal": {"title": "x"}}] * 2


async def test_a_deadline_that_left_no_time_to_send_is_raised():
    """Rows that waited for a slot in vain were not sent."""
    client, recorder = connect(lambda sent: OK, rate="1/1h")
    async with client:
        assert (await client.custom_field_values.create_many(drafts(1))).ok
        with pytest.raises(DeadlineExceeded):
            await client.with_options(deadline=0.05).custom_field_values.create_many(drafts(1))
    assert len(recorder.sent) == 1


def test_an_empty_report_is_fine():
    """Nothing to do is done."""
    assert BulkReport(rows=()).ok


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"errors": [{"title": "bad", "detail": "row 1"}]}, "row 1"),
        ({"errors": ["row 2: no such field"]}, "row 2"),
        ({"errors": "no"}, "errors: no"),
        ({"error": "Invalid data", "message": "m"}, "m; error: Invalid data"),
        ({"message": "1 of 2 failed", "failed": ["2"]}, '["2"]'),
        ({"success": False}, "success: false"),
        ({"success": 0}, "success: 0"),
        ({"success": "false"}, "success: false"),
        ({"success": None}, "success: null"),
    ],
)
async def test_a_success_that_speaks_of_errors_is_no_success(answer: Any, said: str):
    """200 with `errors`, `error`, `failed` or no success: what was done nobody knows, so it is `unknown`."""
    client, _ = connect(lambda sent: answer)
    async with client:
        report = await client.custom_field_values.create_many(drafts(2))
    assert (report.counts, report.ok) == ({"unknown": 2}, False)
    assert said in report.messages[0]
    assert said in report.rows[0].error


@pytest.mark.parametrize(
    "answer",
    [{}, {"message": "ok"}, {"errors": []}, {"errors": None, "error": 0}, {"success": True}, {"failed": []}],
)
async def test_a_success_without_a_complaint_is_one(answer: Any):
    """Empty lists and nulls speak of no error."""
    client, _ = connect(lambda sent: answer)
    async with client:
        report = await client.custom_field_values.create_many(drafts(2))
    assert report.counts == {"done": 2}


@pytest.mark.parametrize("odd", [None, {"id": "9"}, [], True, 1.5])
async def test_one_odd_entry_spoils_no_other(odd: Any):
    """A null among the ids says nothing, and takes nothing from the ids beside it."""
    client, _ = connect(lambda sent: {"success": [odd, "1", 2], "nochange": None, "failed": [3, odd]})
    async with client:
        report = await client.deals.update_owners({"1": "5", "2": "5", "3": "5", "4": "5"})
    assert [row.outcome for row in report.rows] == ["done", "done", "failed", "unknown"]


@pytest.mark.parametrize("owners", [{"": "1"}, {"1": ""}, {"1": None}, {True: "1"}])
async def test_owners_and_deals_are_ids(owners: Any):
    """What is no id is refused before anything is sent; a number becomes text."""
    client, recorder = connect(lambda sent: {"success": ["5"]})
    async with client:
        with pytest.raises(QueryRefused):
            await client.deals.update_owners(owners)
        assert recorder.sent == []
        assert (await client.deals.update_owners({5: 7})).ok  # type: ignore[dict-item]
    assert recorder.sent[0].body == {"deals": [{"id": "5", "ownerId": "7"}]}
