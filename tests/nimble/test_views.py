"""Views: typed fields wherever a contact is answered, and the description of fields beside contacts."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Callable, Coroutine
from datetime import date
from typing import Any, ClassVar

import pytest

from nimble_async.cli.vendors import method_of
from nimble_async.nimble.catalog import OPERATIONS
from nimble_async.nimble.client import NimbleClient
from nimble_async.nimble.models.contact_changes import ContactPatch
from nimble_async.nimble.models.contact_drafts import ContactDraft
from nimble_async.nimble.models.contacts import Contact
from nimble_async.nimble.models.typed import DateField
from tests.nimble.recorded import Recorder, Sent, client

ROW = {"id": "c", "fields": {"since": [{"value": "2026-01-02"}], "email": [{"value": "a@x"}]}}
META = {
    "fields": {"email": [{"id": "f", "name": "email", "modifier": "work"}]},
    "groups": {"Basic Info": {"id": "g", "name": "Basic Info", "order": ["email"]}},
}
DRAFT = ContactDraft.person(first_name="Ada", email="a@x")


class Ours(Contact, frozen=True, kw_only=True):
    """A view of one field."""

    since: ClassVar[DateField] = DateField("since")


Call = Callable[..., Coroutine[Any, Any, Any]]


async def listed(crm: NimbleClient, **view: Any) -> Any:
    return await crm.contacts.list(**view).first()


async def many(crm: NimbleClient, **view: Any) -> Any:
    return (await crm.contacts.get_many(["c"], **view))[0]


async def found_or_created(crm: NimbleClient, **view: Any) -> Any:
    return (await crm.contacts.find_or_create(DRAFT, **view)).contact


CALLS: dict[str, Call] = {
    "contacts.list": listed,
    "contacts.get": lambda crm, **view: crm.contacts.get("c", **view),
    "contacts.get_many": many,
    "contacts.create": lambda crm, **view: crm.contacts.create(DRAFT, **view),
    "contacts.update": lambda crm, **view: crm.contacts.update("c", ContactPatch(is_important=True), **view),
    "contact_tags.set": lambda crm, **view: crm.contact_tags.set("c", tags=["x"], **view),
    "leads.move": lambda crm, **view: crm.leads.move("c", "p", stage_id="s", **view),
    "leads.exit_successful": lambda crm, **view: crm.leads.exit_successful("c", "p", **view),
    "leads.update_successful_exit": lambda crm, **view: crm.leads.update_successful_exit("c", "p", **view),
    "leads.exit_unsuccessful": lambda crm, **view: crm.leads.exit_unsuccessful("c", "p", **view),
    "leads.update_unsuccessful_exit": lambda crm, **view: crm.leads.update_unsuccessful_exit(
        "c", "p", **view
    ),
    "leads.undo": lambda crm, **view: crm.leads.undo("c", "p", **view),
    "leads.clear": lambda crm, **view: crm.leads.clear("c", "p", **view),
}
EXTRA: dict[str, Call] = {
    "find": lambda crm, **view: crm.contacts.find(email="a@x", **view),
    "find_or_create": found_or_created,
}


def vendor(sent: Sent) -> Any:
    """Answer any call with the one contact, in the shape that is asked for."""
    if sent.method != "GET":
        return ROW
    meta = {"contacts_meta": META} if ("meta", "true") in sent.query else {}
    return {"meta": {"page": 1, "pages": 1}, "resources": [ROW], **meta}


def test_every_method_that_answers_contacts_takes_a_view():
    """No operation that answers a contact is without a view, and each of them is called below."""
    answering = {name for name, one in OPERATIONS.items() if issubclass(one.returns, Contact)}
    assert answering == CALLS.keys()
    viewless = {
        name for name in answering if "view" not in inspect.signature(method_of(OPERATIONS[name])).parameters
    }
    assert viewless == set()


@pytest.mark.parametrize("name", [*CALLS, *EXTRA])
async def test_contacts_come_as_the_view(name):
    """Given a view the contact is one, with its typed fields; without, it is a plain contact."""
    call = (CALLS | EXTRA)[name]
    wire = Recorder(vendor)
    seen, plain = await call(client(wire), view=Ours), await call(client(wire))
    assert (type(seen), seen.since, seen.email, type(plain)) == (Ours, date(2026, 1, 2), "a@x", Contact)
    half = len(wire.sent) // 2
    assert wire.sent[:half] == wire.sent[half:]


async def test_tags_that_are_answered_with_nothing_have_no_view():
    """Where the vendor answers new tags with nothing there is no contact to see."""
    assert await client(Recorder(lambda _: {})).contact_tags.set("c", tags=["x"], view=Ours) is None


@pytest.mark.parametrize("name", ["contacts.get", "contacts.get_many"])
@pytest.mark.parametrize("view", [Contact, Ours])
async def test_description_of_fields_comes_beside_contacts(name, view):
    """With `meta` the description of the fields is at hand on each contact, also in copies and views."""
    found = await CALLS[name](client(Recorder(vendor)), meta=True, view=view)
    for contact in (found, copy.copy(found), pickle.loads(pickle.dumps(found)), Ours.of(found)):
        assert contact.metadata is not None
        assert [one.modifier for one in (contact.metadata.fields or {})["email"]] == ["work"]
        assert (contact.metadata.groups or {})["Basic Info"].order == ("email",)
    assert "contacts_meta" not in found.as_dict()
    assert (await CALLS[name](client(Recorder(vendor)), view=view)).metadata is None


@pytest.mark.parametrize("odd", [None, [], "x", {"resources": [ROW]}])
async def test_a_missing_description_fails_nothing(odd):
    """A description that is asked for and does not come, or comes as something else, is none."""
    answer = odd if isinstance(odd, dict) else {"resources": [ROW], "contacts_meta": odd}
    found = await client(Recorder(lambda _: answer)).contacts.get("c", meta=True)
    assert (found.id, found.metadata) == ("c", None)


async def test_description_of_fields_through_the_account(crm):
    """The simulated account describes its fields where it is asked to."""
    [first] = await crm.contacts.list().collect(limit=1)
    read = await crm.contacts.get(first.id, meta=True)
    assert read.metadata is not None
    assert {"email", "phone"} <= set(read.metadata.fields)
    [many_read] = await crm.contacts.get_many([first.id], meta=True)
    assert many_read.metadata == read.metadata == await crm.contacts.metadata()
