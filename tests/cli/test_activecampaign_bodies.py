"""`call` with ActiveCampaign's own bodies: what the vendor describes goes to the wire unchanged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nimble_async.activecampaign.catalog import OPERATIONS
from nimble_async.cli.arguments import arguments_of, bind
from nimble_async.cli.call import body_of
from nimble_async.cli.exits import UsageError
from nimble_async.cli.explain import lines_of
from nimble_async.cli.vendors import method_of, words_of
from nimble_async.errors import QueryRefused
from tests.activecampaign.recording import connect
from tests.activecampaign.test_catalog import CATALOG, NAMES

CRM = "activecampaign"
DEAL: dict[str, Any] = {
    "title": "AC Deal", "description": "d", "account": "45", "contact": "51", "value": 45600,
    "currency": "cad", "group": 1, "stage": 1, "owner": "1", "percent": None, "status": 1,
    "fields": [{"customFieldId": 1, "fieldValue": "First field value"},
               {"customFieldId": 6, "fieldValue": 1200, "fieldCurrency": "USD"}],
}  # fmt: skip
STAGE: dict[str, Any] = {
    "title": "New", "group": 3, "order": 1, "dealOrder": "next-action DESC", "cardRegion1": "title",
    "cardRegion2": "next-action", "cardRegion3": "show-avatar", "cardRegion4": "value", "cardRegion5": "hide",
    "color": "18D6F9", "width": 280,
}  # fmt: skip
PIPELINE: dict[str, Any] = {
    "title": "Sales", "currency": "eur", "allgroups": 1, "allusers": 0, "autoassign": 1, "users": ["1"],
    "groups": ["2"],
}  # fmt: skip
TASK: dict[str, Any] = {
    "title": None, "ownerType": "deal", "relid": 3, "status": 1, "note": "n",
    "duedate": "2026-01-31T12:00:00-06:00", "dealTasktype": 2, "assignee": 1,
}  # fmt: skip
VALUE: dict[str, Any] = {
    "dealId": 2,
    "customFieldId": 1,
    "fieldValue": ["one", "two"],
    "fieldCurrency": "usd",
}
FIELD: dict[str, Any] = {
    "fieldLabel": "Size", "fieldOptions": ["S", "L"], "fieldDefault": "S", "isFormVisible": 1,
    "displayOrder": 2,
}  # fmt: skip
EXAMPLES: dict[str, Any] = {
    "deals.create": {"deal": DEAL},
    "deals.update": {"deal": DEAL},
    "deals.update_owners": {"deals": [{"id": "7", "ownerId": "1"}, {"id": "8", "ownerId": "2"}]},
    "deals.create_note": {"note": {"note": "text"}},
    "deals.update_note": {"note": {"note": "text"}},
    "secondary_contacts.create": {"contactDeal": {"deal": 1, "contact": 2}},
    "secondary_contacts.update": {"contactDeal": {"deal": "1", "contact": "2", "role": 3}},
    "custom_fields.create": {
        "dealCustomFieldMetum": {**FIELD, "fieldType": "currency", "isRequired": 1,
                                 "fieldDefaultCurrency": "usd"}
    },
    "custom_fields.update": {"dealCustomFieldMetum": FIELD},
    "custom_field_values.create": {"dealCustomFieldDatum": VALUE},
    "custom_field_values.create_many": [VALUE, {"dealId": "3", "customFieldId": "1", "fieldValue": "x"}],
    "custom_field_values.update_many": [{"id": 7, "fieldValue": 5, "fieldCurrency": "usd"}],
    "custom_field_values.update": {"dealCustomFieldDatum": {"fieldValue": 5, "fieldCurrency": "usd"}},
    "pipelines.create": {"dealGroup": PIPELINE},
    "pipelines.update": {"dealGroup": PIPELINE},
    "stages.create": {"dealStage": STAGE},
    "stages.update": {"dealStage": STAGE},
    "stages.move_deals": {"deal": {"stage": "8"}},
    "roles.create": {"title": "Boss"},
    "tasks.create": {
        "dealTask": {**TASK, "edate": "2026-01-31T13:00:00-06:00", "triggerAutomationOnCreate": 1,
                     "doneAutomation": 2}
    },
    "tasks.update": {"dealTask": {**TASK, "outcomeId": 1, "outcomeInfo": "good"}},
    "task_types.create": {"dealTasktype": {"title": "Call", "status": "0"}},
    "task_types.update": {"dealTasktype": {"title": "Call", "status": 1}},
    "task_types.move_tasks": {"dealTask": {"dealTasktype": "8"}},
}  # fmt: skip


def given_by(name: str, body: Any) -> dict[str, Any]:
    operation = OPERATIONS[name]
    takes = arguments_of(method_of(operation, CRM))
    return body_of(json.dumps(body), takes, operation, words=words_of(CRM))


async def sent_by(name: str, **arguments: Any) -> Any:
    """Return what a method puts on the wire."""
    operation, row = OPERATIONS[name], CATALOG[NAMES[name]["id"]]
    answer = {row["answer"]: [{"id": 7}] if row["list"] else {"id": 7}} if row["answer"] else {"success": [7]}
    client, recorder = connect(lambda sent: answer)
    resource, verb = name.split(".")
    async with client:
        await getattr(getattr(client, resource), verb)(**dict.fromkeys(operation.slots, "7"), **arguments)
    (sent,) = recorder.sent
    return sent.body


def test_the_table_is_whole():
    """Every operation that sends a body has an example here with every field of the catalogue."""
    writing = {name for name, row in NAMES.items() if CATALOG[row["id"]]["body"]}
    assert set(EXAMPLES) == writing
    for name, example in EXAMPLES.items():
        row = CATALOG[NAMES[name]["id"]]
        inside = example[row["envelope"]] if row["envelope"] else example
        fields = {field for one in inside for field in one} if row["array"] else set(inside)
        assert fields == {field for field in row["body"] if "." not in field}, name


@pytest.mark.parametrize("name", sorted(EXAMPLES))
async def test_a_body_in_the_vendors_words_goes_to_the_wire_unchanged(name: str):
    """The example of the vendor's page, given as `--body`, is what is sent: numbers, nulls and all."""
    assert await sent_by(name, **given_by(name, EXAMPLES[name])) == EXAMPLES[name]


@pytest.mark.parametrize(
    "name", [name for name in sorted(EXAMPLES) if CATALOG[NAMES[name]["id"]]["envelope"]]
)
async def test_the_envelope_may_be_left_out(name: str):
    """What is inside it is the draft; the method puts it on again."""
    (inside,) = EXAMPLES[name].values()
    given = given_by(name, inside if name != "deals.update_owners" else {"7": "1", "8": "2"})
    assert await sent_by(name, **given) == EXAMPLES[name]


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ({"title": "x", "status": "won"}, {"title": "x", "status": 1}),
        ({"title": "x", "status": "2"}, {"title": "x", "status": "2"}),
        ({"title": "x", "value": 100, "currency": "usd"}, {"title": "x", "value": 100, "currency": "usd"}),
    ],
)
async def test_choices_in_our_words_are_taken_too(body: dict[str, Any], sent: dict[str, Any]):
    """`won` is 1, and what is a number already stays one."""
    assert await sent_by("deals.create", **given_by("deals.create", body)) == {"deal": sent}


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("deals.create", {"titles": "x"}, "Did you mean 'title'"),
        ("deals.create", {"value": 5, "currency": "usd"}, "needs title"),
        ("deals.create", {"title": "x", "status": "closed"}, "one of open, won, lost"),
        ("deals.create", {"title": "x", "status": 3}, "one of open, won, lost"),
        ("deals.create", [], "Expected `object`"),
        (
            "custom_field_values.create_many",
            [{"dealId": 1}],
            "--body/0: It needs customFieldId and fieldValue",
        ),
        ("custom_field_values.create_many", 5, "Expected"),
        ("deals.update_owners", [1], '{"deals":'),
        ("deals.update_owners", {"deals": [{"id": 1}]}, '"ownerId"'),
        ("deals.update_owners", {"deals": [{"id": 1, "ownerId": 2}, {"id": "1", "ownerId": 3}]}, "twice"),
        ("stages.move_deals", {"deal": {"stag": 1}}, "has no 'stag'"),
        ("stages.move_deals", [], "Expected `object`"),
    ],
)
def test_a_body_that_does_not_fit_says_where(name: str, body: Any, words: str):
    """A misspelled member, a missing one, an unknown choice, another shape: nothing is sent."""
    with pytest.raises(UsageError) as caught:
        given_by(name, body)
    assert words in str(caught.value)


def bound(name: str, *words: str) -> dict[str, Any]:
    return bind(words, arguments_of(method_of(OPERATIONS[name], CRM)), operation=name)


async def test_drafts_may_stand_as_an_argument():
    """`--drafts` takes the list that `--body` takes."""
    given = bound("custom_field_values.create_many", "--drafts", json.dumps([VALUE]))
    assert await sent_by("custom_field_values.create_many", **given) == [VALUE]


@pytest.mark.parametrize(
    ("words", "query"),
    [
        (["--minimum-value", "$100"], {"filters[minimum_value]": "100"}),
        (["--minimum-value", "100 USD", "--maximum-value=$200"],
         {"filters[minimum_value]": "100", "filters[maximum_value]": "200"}),
        (["--orders", "value=DESC"], {"orders[value]": "DESC"}),
        (["--orders", "value=DESC,title=ASC"], {"orders[value]": "DESC", "orders[title]": "ASC"}),
        (["--orders", "value=DESC", "--orders", "title=ASC"],
         {"orders[value]": "DESC", "orders[title]": "ASC"}),
        (["--orders", '{"value": "DESC"}'], {"orders[value]": "DESC"}),
        (["--status", "won", "--include", "contact,dealCustomFieldData"],
         {"filters[status]": "1", "include": "contact,dealCustomFieldData"}),
    ],
)  # fmt: skip
async def test_lists_take_what_their_methods_take(words: list[str], query: dict[str, str]):
    """Dollars as text, orders as name=value in their order: no JSON is needed."""
    client, recorder = connect(lambda sent: {"deals": []})
    async with client:
        await client.deals.list(**bound("deals.list", *words))
    found = recorder.sent[0]
    assert {name: found.query[name] for name in query} == query
    orders = [name for name in found.order if name.startswith("orders")]
    assert orders == [*(name for name in query if name.startswith("orders")), "orders[id]"]


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        (["2026-01-01,2026-02-01"], "2026-01-01+2026-02-01"),
        (["2026-01-01", "--due-range", "2026-02-01"], "2026-01-01+2026-02-01"),
        (["next-week"], "next-week"),
    ],
)
async def test_a_range_of_days_on_the_command_line(words: list[str], sent: str):
    """Two days with a comma, or given twice, or the name of a range."""
    client, recorder = connect(lambda sent: {"dealTasks": []})
    async with client:
        await client.tasks.list(**bound("tasks.list", "--due-range", *words))
    assert recorder.sent[0].query["filters[duedate_range]"] == sent


def test_a_bare_number_of_dollars_is_refused_with_words():
    """It could be meant in cents: the line says how to write it."""
    client, _ = connect(lambda sent: {"deals": []})
    with pytest.raises(QueryRefused, match=r"'\$100'"):
        _ = client.deals.list(**bound("deals.list", "--minimum-value", "100"))


@pytest.mark.parametrize("words", ["value", "=DESC", "", '{"value"'])
def test_orders_that_are_none(words: str):
    """A name without a direction, nothing, or broken JSON."""
    with pytest.raises(UsageError, match="orders"):
        bound("deals.list", "--orders", words)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("deals.list", ["--status text", "One of open, won, lost.", "--orders pairs", "cdate", "ASC, DESC"]),
        ("deals.create", ["* title text", "value json", "status text", "One of open, won, lost."]),
        ("custom_field_values.create_many", ["* customFieldId text", "* fieldValue", "dealId text"]),
        ("pipelines.create", ["autoassign text", "One of off, round robin, by value."]),
    ],
)
def test_help_shows_choices_and_members(name: str, shown: list[str]):
    """What may be chosen and what a draft, also of many, is made of stands in the help."""
    text = "\n".join(lines_of(OPERATIONS[name], method_of(OPERATIONS[name], CRM)))
    squeezed = " ".join(text.split())
    for words in shown:
        assert words in squeezed
