"""Find and find-or-create: a search of a lagging index, and what it cannot promise."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from nimble_async.errors import QueryRefused
from nimble_async.nimble.models.contact_drafts import ContactDraft
from tests.nimble.recorded import Recorder, Sent, client


def person(name: str, *emails: str) -> dict[str, Any]:
    return {"id": name, "fields": {"email": [{"value": email} for email in emails]}}


def account(*searches: list[dict[str, Any]]) -> Recorder:
    """Return a wire that answers each search with the next list, and creates `new`."""
    waiting = list(searches)

    def answer(sent: Sent) -> Any:
        if sent.method == "POST":
            return {"id": "new", "fields": sent.body["fields"]}
        return {"meta": {"page": 1, "pages": 1}, "resources": waiting.pop(0)}

    return Recorder(answer)


async def test_find_searches_for_one_field_and_takes_the_oldest():
    """The documented search is sent, oldest first, in one call."""
    wire = account([person("a", "ADA@x.com"), person("b", "ada@x.com")])
    found = await client(wire).contacts.find(email="Ada@X.com")
    assert found is not None
    assert found.id == "a"
    assert dict(wire.sent[0].query) == {
        "query": '{"email":{"is":"Ada@X.com"}}', "sort": "created:asc", "page": "1", "per_page": "30",
    }  # fmt: skip
    calls: list[dict[str, Any]] = [{"phone": "+1"}, {"domain": "x.com"}]
    for call in calls:
        wire = account([person("a")])
        found = await client(wire).contacts.find(**call)
        assert found is not None
        assert found.id == "a"
        [(name, text)] = call.items()
        assert msgspec.json.decode(dict(wire.sent[0].query)["query"]) == {name: {"is": text}}


async def test_find_compares_addresses_itself():
    """The index folds accents and may know an old address: what does not have this one is not taken."""
    wire = account([person("a", "zoe@x.com"), person("b", "old@x.com", " zoë@x.com".strip())])
    found = await client(wire).contacts.find(email="zoë@x.com")
    assert found is not None
    assert found.id == "b"
    assert await client(account([person("a", "zoe@x.com")])).contacts.find(email="zoë@x.com") is None
    assert await client(account([])).contacts.find(query={"tag": {"is": "x"}}) is None


@pytest.mark.parametrize(
    "call", [{}, {"email": "a", "phone": "b"}, {"email": "a", "query": {"tag": {"is": "x"}}}]
)
async def test_find_looks_for_one_thing(call):
    """Nothing, or two things, to look for is refused before anything is sent."""
    wire = account()
    with pytest.raises(QueryRefused, match="exactly one"):
        await client(wire).contacts.find(**call)
    assert wire.sent == []


async def test_find_of_one_kind_is_one_more_term():
    """The kind goes into the search, since the vendor passes over it beside one."""
    wire = account([person("a", "a@x.com")])
    assert await client(wire).contacts.find(email="a@x.com", record_type="company") is not None
    assert msgspec.json.decode(dict(wire.sent[0].query)["query"]) == {
        "and": [{"email": {"is": "a@x.com"}}, {"record type": {"is": "company"}}]
    }
    assert "record_type" not in dict(wire.sent[0].query)


ACME = ContactDraft.company("Acme", email="info@acme.example")
UNIQUE = ContactDraft.company("Acme", domain="acme.example", email="info@acme.example")


@pytest.mark.parametrize(
    ("draft", "call", "term", "kind"),
    [
        (ContactDraft.person(first_name="A", email="a@x"), {}, {"email": {"is": "a@x"}}, "person"),
        (ACME, {}, {"email": {"is": "info@acme.example"}}, "company"),
        (UNIQUE, {}, {"domain": {"is": "acme.example"}}, "company"),
        (UNIQUE, {"email": "i@x"}, {"email": {"is": "i@x"}}, "company"),
        (ACME, {"domain": "acme.example"}, {"domain": {"is": "acme.example"}}, "company"),
        (ACME, {"query": {"company name": {"is": "A"}}}, {"company name": {"is": "A"}}, "company"),
        (
            ContactDraft(fields=UNIQUE.fields, type="company"),
            {},
            {"domain": {"is": "acme.example"}},
            "company",
        ),
    ],
)
async def test_a_draft_finds_its_own_kind(draft, call, term, kind):
    """A company is never found as the person with its address, and is known by its domain first."""
    wire = account([])
    assert (await client(wire).contacts.find_or_create(draft, **call)).created
    search = msgspec.json.decode(dict(wire.sent[0].query)["query"])
    assert search == {"and": [term, {"record type": {"is": kind}}]}


@pytest.mark.parametrize(
    ("draft", "call", "words"),
    [
        (ACME, {"email": "a@x", "query": {"tag": {"is": "x"}}}, "not email and query"),
        (ACME, {"email": "a@x", "domain": "x.y"}, "not email and domain"),
        (ContactDraft.company("Acme"), {}, r"Give email=, domain=, or query="),
    ],
)
async def test_what_to_look_for_is_one_thing(draft, call, words):
    """The message names the arguments of this method, and nothing is sent."""
    wire = account()
    with pytest.raises(QueryRefused, match=words):
        await client(wire).contacts.find_or_create(draft, **call)
    assert wire.sent == []


async def test_found_contacts_are_not_created():
    """What is found is returned as it is and told apart from what was created."""
    draft = ContactDraft.person(first_name="Ada", email="ada@x.com")
    wire = account([person("a", "ada@x.com")])
    result = await client(wire).contacts.find_or_create(draft)
    assert (result.contact.id, result.created, len(wire.sent)) == ("a", False, 1)
    wire = account([])
    result = await client(wire).contacts.find_or_create(draft, email="other@x.com")
    assert (result.contact.id, result.created) == ("new", True)
    assert [sent.method for sent in wire.sent] == ["GET", "POST"]
    assert '"other@x.com"' in dict(wire.sent[0].query)["query"]


async def test_a_second_look_can_be_waited_for():
    """With `wait` the lagging index is asked again before a contact is created."""
    draft = ContactDraft.person(first_name="Ada", email="ada@x.com")
    wire = account([], [person("a", "ada@x.com")])
    result = await client(wire).contacts.find_or_create(draft, wait=0.001)
    assert (result.contact.id, result.created, len(wire.sent)) == ("a", False, 2)
    wire = account([], [])
    result = await client(wire).contacts.find_or_create(draft, query={"tag": {"is": "x"}}, wait=0.001)
    assert (result.created, len(wire.sent)) == (True, 3)


async def test_a_draft_without_an_address_needs_another_search():
    """Where neither draft nor call says what to look for, nothing is sent."""
    wire = account()
    with pytest.raises(QueryRefused):
        await client(wire).contacts.find_or_create(ContactDraft.person(first_name="Ada"))
    assert wire.sent == []
