"""Calls, events and sequences that an account begins with, and the contexts of contacts."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from nimble_async.testing import Simulator, World
from nimble_async.testing.nimble.agenda import CALENDARS, RESOLUTIONS, SEQUENCES
from tests.testing.asking import Account

ACTIVITIES = "/api/v1/activities"


@pytest.fixture
def busy() -> Account:
    """Return an account with calls, events and sequences."""
    return Account(Simulator(World(contacts=12, deals=6, seed=5, activities=60)))


def listed(account: Account, direction: str, **query: Any) -> list[dict[str, Any]]:
    """Return the activities of one direction."""
    return account.get(ACTIVITIES, direction=direction, limit=100, **query)["activities"]


def kinds(found: list[dict[str, Any]]) -> Counter[str]:
    return Counter(one["activity_type"]["type_id"] for one in found)


def test_calls_events_and_tasks_are_listed_together(busy):
    """Every kind is there, past and to come, and the filter of types takes any of them."""
    for direction in ("past", "pending"):
        assert kinds(listed(busy, direction)) == {"call": 10, "event": 10, "task": 10}
        assert kinds(listed(busy, direction, types="call,event")) == {"call": 10, "event": 10}
    task = busy.post("/api/v1/tasks", {"subject": "Mine", "due_date": "2099-01-01T00:00:00"}, status=201)
    assert listed(busy, "pending")[-1]["activity_id"] == task["id"]
    assert kinds(listed(busy, "past", completed="false")) == {"event": 10}


def test_an_account_begins_with_as_many_as_it_was_told():
    """None unless told; the same seed makes the same ones."""
    alike = [Account(Simulator(World(contacts=12, deals=6, seed=5, activities=9))) for _ in range(2)]
    assert listed(alike[0], "past") == listed(alike[1], "past")
    plain, bare = (
        Account(Simulator(World(contacts=3))),
        Account(Simulator(World(contacts=0, deals=0, activities=6))),
    )
    assert (listed(plain, "past"), listed(plain, "pending")) == ([], [])
    assert [one["related_contacts"] for one in listed(bare, "past") + listed(bare, "pending")] == [[]] * 6


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_calls_are_filtered_by_how_they_ended(busy, resolution):
    """The filter is about calls and leaves other kinds alone; a way that is not documented is refused."""
    found = listed(busy, "past", calls__resolution=resolution)
    assert {one["details"]["resolution"] for one in found if one["activity_type"]["type_id"] == "call"} <= {
        resolution
    }
    assert kinds(found)["event"] == 10
    busy.get(ACTIVITIES, direction="past", calls__resolution="lost", status=409)


def test_events_are_filtered_by_their_calendars(busy):
    """The filter is about events and leaves other kinds alone."""
    found = [listed(busy, "past", events__calendar_ids=calendar) for calendar in CALENDARS]
    assert [kinds(one)["call"] for one in found] == [10, 10]
    assert sum(kinds(one)["event"] for one in found) == 10
    both = ",".join(CALENDARS)
    assert kinds(listed(busy, "past", events__calendar_ids=both))["event"] == 10
    ends = [one["details"] for one in listed(busy, "past", types="event")]
    assert all(one["start_date"] < one["end_date"] for one in ends)


@pytest.mark.parametrize("sequence_id", SEQUENCES)
def test_activities_of_a_sequence(busy, sequence_id):
    """What a sequence made says so, and is found by it."""
    found = listed(busy, "past", sequence_id=sequence_id) + listed(busy, "pending", sequence_id=sequence_id)
    assert found
    name = SEQUENCES[sequence_id]["name"]
    assert {tuple(one["related_sequence"].values()) for one in found} == {(sequence_id, name)}


def test_overdue_activities_are_calls_and_tasks(busy):
    """What is still to come is overdue once its time is over and it is not done; a meeting never is."""
    waiting = [one for one in listed(busy, "pending") if one["new_related_deals"]]
    deals = {deal["deal_id"] for one in waiting for deal in one["new_related_deals"]}
    busy.now += 100 * 86_400
    late = [one for deal in deals for one in busy.get(f"/api/v2/deals/{deal}/overdue")["activities"]]
    wanted = {one["activity_id"] for one in waiting if one["activity_type"]["type_id"] != "event"}
    assert {one["activity_id"] for one in late} == wanted
    assert kinds(late).keys() == {"call", "task"}
    calls = [
        one for deal in deals for one in busy.get(f"/api/v2/deals/{deal}/overdue", types="call")["activities"]
    ]
    assert kinds(calls).keys() == {"call"}


def test_calls_and_events_are_in_the_history(busy):
    """The history of a contact has its calls, events and tasks; what is done is told of calls and tasks."""
    rows = []
    for serial in range(12):
        path = f"/api/v1/contacts/{busy.contact(serial)}/proceedings"
        for direction in ("past", "pending"):
            found = busy.get(path, direction=direction, limit=100, types="call,event,task")["proceedings"]
            rows += [(direction, row["proceeding_type"]["type_id"], row["details"]) for row in found]
    assert Counter(kind for _, kind, _ in rows) == {"call": 20, "event": 20, "task": 20}
    assert all(
        details["completed"] is (direction == "past") for direction, kind, details in rows if kind != "event"
    )


def contexts(account: Account, contact_id: str, name: str) -> Any:
    [contact] = account.get(f"/api/v1/contact/{contact_id}", contexts=name)["resources"]
    [context] = contact["contexts"]
    assert context["context_key"] == name
    return context["context"]


def test_contexts_tell_of_sequences(busy):
    """A contact shows the sequences it is in and was in, and what it left says when and how."""
    ids = [busy.contact(serial) for serial in range(12)]
    found = [one for contact_id in ids for one in contexts(busy, contact_id, "sequences_data")]
    assert len(found) == 20
    assert {one["sequence_id"] for one in found} == set(SEQUENCES)
    assert Counter(one["exit_details"] is None for one in found) == {True: 10, False: 10}
    assert all("@" in one["email"] for one in found)
    assert all(one["has_waited_in_current_step"] >= 0 for one in found)


def test_a_contact_in_a_sequence_is_deleted_by_force_only(busy):
    """A regular deletion refuses a contact that a sequence holds; force takes it, its activities stay."""
    held = next(one for one in listed(busy, "pending") if one["related_sequence"])
    contact_id = held["related_contacts"][0]["id"]
    busy.delete(f"/api/v1/contact/{contact_id}", status=409)
    busy.delete(f"/api/v1/contact/{contact_id}", deletion_method="regular", status=409)
    busy.delete(f"/api/v1/contact/{contact_id}", deletion_method="force")
    after = next(one for one in listed(busy, "pending") if one["activity_id"] == held["activity_id"])
    assert after["related_contacts"] == []


def test_contexts_tell_of_employers(account):
    """A person shows the companies of the account that it works at, under the names they have now."""
    company = account.post(
        "/api/v1/contact", {"record_type": "company", "fields": {"company name": [{"value": "Engines"}]}}
    )
    job = '{"company_name": "engines", "title": "Founder"}'
    person = account.post(
        "/api/v1/contact",
        {
            "record_type": "person",
            "fields": {"first name": [{"value": "Ada"}], "contact employment": [{"value": job}]},
        },
    )
    [employer] = contexts(account, person["id"], "employers_data")
    assert (employer["contact_id"], employer["company_name"]) == (company["id"], "Engines")
    assert contexts(account, company["id"], "employers_data") == []
    account.delete(f"/api/v1/contact/{company['id']}")
    assert contexts(account, person["id"], "employers_data") == []


def test_contexts_tell_of_the_last_message(account):
    """Who wrote last stands beside when."""
    last = contexts(account, account.contact(1), "last_contacted_data")
    assert last["last_user"]["user_id"] == last["user_lc"]["out"]["user_id"]
