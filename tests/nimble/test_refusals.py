"""What is refused before anything is sent, with the argument that is wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from nimble_async.errors import ConfigurationError, DraftRefused, QueryRefused
from nimble_async.nimble.client import NimbleClient
from nimble_async.nimble.models.activities import TaskDraft, TaskLinks
from nimble_async.nimble.models.contacts import Contact
from nimble_async.nimble.models.deal_drafts import (
    DealDraft,
    DealPatch,
    RelatedContactDraft,
    RelatedExternalContactDraft,
)
from nimble_async.nimble.models.deal_files import AzureFile
from nimble_async.nimble.models.messages import MessageDraft, MessagingAccount
from nimble_async.nimble.models.metadata import (
    DecimalPresentation,
    NumberType,
    PercentagePresentation,
    StringType,
    ValidationRule,
)
from nimble_async.nimble.models.pipeline_drafts import DealFieldDraft
from nimble_async.nimble.resources.arguments import search_text
from tests.nimble.recorded import Recorder, client

Crm = NimbleClient
CONTACT = Contact(id="c")
NAN = float("nan")
NO_DIGITS = DecimalPresentation(fraction_digits=0)
ODD_RULE = StringType(validation_rule=ValidationRule("digits"))
WRONG: Any = "wrong"


async def refused(call: Callable[[Crm], Any], words: str) -> ConfigurationError:
    """Make a call that has to be refused, and return why; nothing may be sent."""
    wire = Recorder()

    async def made() -> None:
        await call(client(wire))

    with pytest.raises(ConfigurationError, match=words) as caught:
        await made()
    assert wire.sent == []
    return caught.value


@pytest.mark.parametrize(
    "call",
    [
        lambda crm: crm.deals.update("d", DealPatch()),
        lambda crm: crm.deal_stages.update("p", "s"),
        lambda crm: crm.deal_notes.update("d", "n"),
        lambda crm: crm.deal_pipelines.update("p"),
        lambda crm: crm.deal_pipeline_fields.update("p", "f"),
        lambda crm: crm.deal_pipeline_groups.update("p", "g"),
        lambda crm: crm.deal_pipeline_choices.update("p", "f", "c"),
        lambda crm: crm.contact_fields.update("f"),
        lambda crm: crm.contact_field_groups.update("g"),
        lambda crm: crm.contact_field_tabs.update("t"),
        lambda crm: crm.contact_field_choices.update("f", "c"),
    ],
)
async def test_an_update_changes_something(call: Callable[[Crm], Awaitable[Any]]):
    """An update without anything to change is a mistake, so it is refused."""
    assert isinstance(await refused(call, "Nothing is changed"), DraftRefused)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda crm: crm.contacts.list(contexts=["leads_data", WRONG]), "context .* not 'wrong'"),
        (lambda crm: crm.contacts.get("c", contexts=[WRONG]), "context .* not 'wrong'"),
        (lambda crm: crm.contacts.get_many(["c"], contexts=[WRONG]), "context .* not 'wrong'"),
        (lambda crm: crm.contacts.list(record_type=WRONG), "record_type .* 'all', not 'wrong'"),
        (lambda crm: crm.contacts.list_ids(record_type=WRONG, query={"a": {"is": "b"}}), "record_type"),
        (lambda crm: crm.contacts.delete_bulk(record_type=WRONG), "record_type"),
        (lambda crm: crm.contacts.delete("c", deletion_method=WRONG), "deletion_method .* 'force', not"),
        (lambda crm: crm.contact_proceedings.list("c", direction="past", types=["task", WRONG]), "kind"),
        (lambda crm: crm.contact_proceedings.list("c", direction="past", types=WRONG), "list of kinds"),
        (lambda crm: crm.activities.list(direction="past", calls__resolution=WRONG), "calls__resolution"),
    ],
)
async def test_words_that_the_vendor_does_not_know(call, words):
    """A word outside of those that the vendor lists is refused, and the error says how to send newer ones."""
    error = await refused(call, words)
    assert isinstance(error, QueryRefused)
    assert ("client.request" in error.hint) == ("list of" not in words)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda crm: crm.contacts.get(5), "contact_id must be an id as text, not 5"),
        (lambda crm: crm.contacts.get(CONTACT), r"contact_id must be an id as text.*Pass its \.id"),
        (lambda crm: crm.contacts.get_many([CONTACT]), r"Each id is a text.*Pass its \.id"),
        (lambda crm: crm.contacts.get_many("c"), "list of ids"),
        (lambda crm: crm.contact_notes.create(contact_ids=[CONTACT], note="n"), r"Pass its \.id"),
        (lambda crm: crm.contact_notes.create(contact_ids="c", note="n"), "list of ids"),
        (lambda crm: crm.contact_tags.set("c", tags=[5]), "Each tag is a text, not 5"),
        (lambda crm: crm.deal_tags.assign(tags=[], query={"a": {"is": "b"}}), "one tag at least"),
        (lambda crm: crm.deal_tags.assign(tags=[""], query={"a": {"is": "b"}}), "tag of the list is empty"),
        (lambda crm: crm.deal_tags.rename("..", new_tag="b"), "tag_name must be a name"),
        (lambda crm: crm.contacts.list(fields=["a", ""]), "name of the list is empty"),
        (lambda crm: crm.contacts.delete_bulk(keyword=[]), "Say which contacts"),
        (lambda crm: crm.contacts.delete_bulk(keyword=iter(())), "Say which contacts"),
        (lambda crm: crm.contact_fields.set_primary("c", field_id="f", position=True), "position"),
        (lambda crm: crm.contacts.list(fields=["a\\", "b"]), "backslash"),
        (lambda crm: crm.activities.list(direction="past", tags=["a\\,b"]), "backslash"),
        (lambda crm: crm.deal_files.create("d", metadata=AzureFile(data_id="x"), file_size=NAN), "file_size"),
        (lambda crm: crm.deal_files.create("d", metadata=AzureFile(data_id="x"), file_size=-1), "file_size"),
        (
            lambda crm: crm.deal_pipeline_fields.create(
                "p", name="n", field_type=NumberType(), presentation=NO_DIGITS
            ),
            "fraction_digits",
        ),
        (lambda crm: crm.deal_pipeline_fields.update("p", "f", presentation=NO_DIGITS), "fraction_digits"),
        (lambda crm: crm.deal_pipeline_fields.create("p", name="n", field_type=ODD_RULE), "rule of a text"),
        (lambda crm: crm.contact_fields.create(name="n", tab_id="t", field_type=ODD_RULE), "rule of a text"),
        (
            lambda crm: crm.contact_fields.create(
                name="n", tab_id="t", field_type=StringType(validation_rule=WRONG)
            ),
            "rule of a text",
        ),
    ],
)
async def test_arguments_the_vendor_cannot_take(call, words):
    """A natural mistake is one clear error with what to pass, before anything is sent."""
    await refused(call, words)


@pytest.mark.parametrize("rule", [ValidationRule("email"), "url", None])
async def test_rules_the_vendor_knows(rule):
    """The two rules of texts are sent, as an object or as a word; null is no rule."""
    wire = Recorder(lambda _: {"tab_id": "t"})
    kind = StringType(validation_rule=rule)
    await client(wire).contact_fields.create(name="n", tab_id="t", field_type=kind)
    assert len(wire.sent) == 1


@pytest.mark.parametrize(
    "write",
    [
        lambda: deal(tags="abc"),
        lambda: deal(tags=[""]),
        lambda: deal(tags=["a", " "]),
        lambda: deal(tags=[5]),
        lambda: deal(related_contacts=["c"]),
        lambda: deal(related_contacts="c"),
        lambda: deal(related_contacts=[RelatedExternalContactDraft(contact_info="c")]),
        lambda: deal(related_external_contacts=[RelatedContactDraft(contact_id="c")]),
        lambda: deal(expected_close_date="2030-01-01"),
        lambda: DealPatch(tags=[""]),
        lambda: DealFieldDraft(name="n", field_type=NumberType(), presentation=NO_DIGITS),
        lambda: DealFieldDraft(
            name="n", field_type=NumberType(), presentation=PercentagePresentation(fraction_digits=0)
        ),
        lambda: DealFieldDraft(name="n", field_type=ODD_RULE),
        lambda: MessagingAccount(identifier="a", account_type=WRONG),
        lambda: MessageDraft(recipients=WRONG),
        lambda: MessageDraft(cc=[WRONG]),
        lambda: MessageDraft(content_mode=WRONG),
        lambda: TaskDraft.of("call", due=WRONG),
        lambda: TaskDraft.of("call", completed=WRONG),
        lambda: TaskDraft.of("call", contacts=WRONG),
        lambda: TaskDraft.of("call", deals=[CONTACT]),  # type: ignore[list-item]
        lambda: TaskDraft.of("call", tags=WRONG),
        lambda: TaskLinks(contacts=[""]),
    ],
)
def test_drafts_the_vendor_cannot_take(write: Callable[[], Any]):
    """A draft of the wrong parts is refused where it is written, whoever writes it."""
    with pytest.raises(DraftRefused):
        write()


def deal(**members: Any) -> DealDraft:
    return DealDraft(pipeline_id="p", stage_id="s", name="n", **members)


def test_tags_of_a_deal_go_out_once():
    """A tag that is given twice is one tag, as everywhere."""
    assert deal(tags=["a", "b", "a"], amount=Decimal(1)).body()["tags"] == ["a", "b"]
    assert DealPatch(tags=()).body() == {"tags": []}


TERM = {"email": {"is": "a"}}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"rating": {"is": NAN}}, "finite"),
        ({"rating": {"in": [1, float("inf")]}}, "finite"),
        ({"rating": {"range": {"start": 1, "end": NAN}}}, "finite"),
        ({"created": {"range": {"start_date": "", "end_date": "2024-01-01"}}}, "empty text"),
        ({"created": {"range": {"start_date": "2024-01-01", "end_date": " "}}}, "empty text"),
        ({"custom_fields": {"size": {"range": {"start": "", "end": ""}}}}, "empty text"),
        ({"not": TERM}, "joins a list"),
    ],
)
def test_plain_searches_are_looked_through(query, words):
    """What no search can hold is found inside of ranges and lists too."""
    with pytest.raises(QueryRefused, match=words):
        search_text(query)


def test_a_search_that_its_kind_makes_too_large_says_so():
    """Where the record type takes the term or the level that is missing, the message names it."""
    eleven = {"or": [TERM] * 11}
    assert search_text(eleven) is not None
    with pytest.raises(QueryRefused, match=r"this one 12, since record_type"):
        search_text(eleven, record_type="person")
    deep: dict[str, Any] = TERM
    for _ in range(19):
        deep = {"not": [deep]}
    assert search_text(deep) is not None
    with pytest.raises(QueryRefused, match=r"20 levels deep, since record_type"):
        search_text(deep, record_type="person")
    assert search_text(eleven, record_type="all") == search_text(eleven)
