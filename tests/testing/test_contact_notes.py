"""Notes, tasks, activities, proceedings and drafts: written, read back, paged by their cursors."""

from __future__ import annotations

from typing import Any

import pytest

from tests.testing.asking import Account

NOTES = "/api/v1/contacts/notes"
TASKS, ACTIVITIES, DRAFTS = "/api/v1/tasks", "/api/v1/activities", "/api/v1/messages/drafts"


def _spec(account: Account, *serials: int, note: str = "n") -> dict[str, object]:
    ids = [account.contact(serial) for serial in serials]
    return {"contact_ids": ids, "note": note, "note_preview": note[:10]}


def test_a_note_stands_on_all_its_contacts(account):
    """Created, read, changed and deleted, a note is in the list of each contact it names, and of no other."""
    note = account.post(NOTES, _spec(account, 1, 2), status=201)
    assert [contact["id"] for contact in note["contacts"]] == [account.contact(1), account.contact(2)]
    assert account.get(f"{NOTES}/{note['id']}") == note

    def listed(serial: int) -> list[str]:
        return [
            one["id"] for one in account.get(f"/api/v1/contacts/{account.contact(serial)}/notes")["resources"]
        ]

    assert [listed(serial) for serial in (1, 2, 3)] == [[note["id"]], [note["id"]], []]
    changed = account.put(f"{NOTES}/{note['id']}", _spec(account, 3, note="%3Cb%3Ehello%3C/b%3E"))
    assert changed["note"] == "%3Cb%3Ehello%3C/b%3E"
    assert changed["updated"] > changed["created"] == note["created"]
    assert [listed(serial) for serial in (1, 2, 3)] == [[], [], [note["id"]]]
    account.delete(f"/api/v1/contact/{account.contact(3)}")
    assert account.get(f"{NOTES}/{note['id']}")["contacts"] == []
    assert account.delete(f"{NOTES}/{note['id']}") == {"id": note["id"]}
    gone = {"object_id": note["id"], "object_type": "contact note"}
    assert account.get(f"{NOTES}/{note['id']}", status=404) == gone


@pytest.mark.parametrize(("count", "status"), [(0, 409), (1, 201), (10, 201), (11, 409)])
def test_a_note_is_on_one_to_ten_contacts(account, count, status):
    """None is too few, eleven are too many."""
    account.post(NOTES, _spec(account, *range(count)), status=status)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"contact_ids": ["x"]}, "/contact_ids/0"),
        ({"note": None}, "/note"),
        ({"note_preview": 1}, "/note_preview"),
    ],
)
def test_wrong_notes_are_refused(account, change, path):
    """A contact must exist, texts must be texts."""
    assert list(account.post(NOTES, {**_spec(account, 1), **change}, status=409)["errors"]) == [path]


def test_a_note_may_bring_its_own_id(account):
    """The id in the path becomes the note's; used twice or malformed it is refused."""
    chosen = "5f" * 12
    assert account.post(f"{NOTES}/{chosen}", _spec(account, 1), status=201)["id"] == chosen
    account.post(f"{NOTES}/{chosen}", _spec(account, 1), status=409)
    account.post(f"{NOTES}/short", _spec(account, 1), status=409)


def test_a_note_for_one_contact_previews_itself(account):
    """The short way needs the note alone; an unknown contact is a 404."""
    note = account.post(f"/api/v1/contacts/{account.contact(1)}/notes", {"note": "hello"}, status=201)
    assert note["note_preview"] == "hello"
    account.post(f"/api/v1/contacts/{'0' * 24}/notes", {"note": "hello"}, status=404)


@pytest.mark.parametrize("path", ["/api/v1/contacts/{}/notes", "/api/v1/contact/{}/notes"])
def test_notes_come_in_pages_of_five(account, path):
    """The newest first, five unless told, with `has_more`; the older path answers alike."""
    ids = [account.post(NOTES, _spec(account, 1), status=201)["id"] for _ in range(7)]
    address = path.format(account.contact(1))
    first = account.get(address)
    assert first["meta"] == {"page": 1, "pages": 2, "per_page": 5, "total": 7, "has_more": True}
    second = account.get(address, page=2)
    assert second["meta"]["has_more"] is False
    assert [note["id"] for note in first["resources"] + second["resources"]] == ids[::-1]
    assert account.get(path.format("0" * 24))["resources"] == []


def _task(account: Account, **rest) -> dict[str, Any]:
    return account.post(TASKS, {"subject": "Call", **rest}, status=201)


def test_a_task_answers_what_it_was_given(account):
    """Times come back with a zone, contacts and deals as short records."""
    related = {"contacts": [account.contact(1)], "deals": [account.deal(2)]}
    task = _task(
        account, due_date="2030-01-02T03:04:05", related=related, is_important=True, tags=["a"], notes="n"
    )
    assert (task["due_date"], task["completed"], task["is_important"]) == (
        "2030-01-02T03:04:05+00:00",
        False,
        True,
    )
    assert task["related"]["contacts"][0]["id"] == account.contact(1)
    assert task["related"]["new_deals"][0]["deal_id"] == account.deal(2)
    assert task["related_to"] == [account.contact(1)]
    done = _task(account, completed_time="2020-01-02T03:04:05.123456+00:00")
    assert (done["completed"], done["completed_time"]) == (True, "2020-01-02T03:04:05.123456+00:00")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 409),
        ({"subject": "x"}, 409),
        ({"subject": "xx"}, 201),
        ({"subject": "x" * 128}, 201),
        ({"subject": "x" * 129}, 409),
        ({"subject": "xx", "due_date": "soon"}, 409),
        ({"subject": "xx", "assigned_to": "nobody"}, 409),
        ({"subject": "xx", "related": {"contacts": "x"}}, 409),
        ({"subject": "xx", "related": {"contacts": ["x"]}}, 404),
        ({"subject": "xx", "related": {"deals": ["x"]}}, 404),
        ({"subject": "xx", "related_to": []}, 409),
    ],
)
def test_wrong_tasks_are_refused(account, body, status):
    """Subjects have 2 to 128 letters, related records exist, the older key is not accepted."""
    account.post(TASKS, body, status=status)


def test_the_older_route_takes_the_older_key(account):
    """`related_to` names contacts where older documents put tasks."""
    body = {"subject": "Call", "related_to": [account.contact(1)], "due_date": "2013-04-04 13:50"}
    task = account.post("/api/v1/activities/task", body, status=201)
    assert task["related"]["contacts"][0]["id"] == account.contact(1)


def _walk(account: Account, path: str, items: str, key: str, **query) -> list[str]:
    """Follow `next_page` to its end."""
    found: list[str] = []
    following: Any = {}
    for _ in range(50):
        page = account.get(path, **query, **following)
        found += [item[key] for item in page[items]]
        following = page["next_page"]
        if following is None:
            return found
    raise AssertionError("the walk does not end")


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_activities_are_walked_by_their_cursor(account, limit):
    """Past ones from the latest back, pending ones from the next on; equal times lose and repeat nothing."""
    past = [_task(account, due_date=f"2020-01-0{day}T10:00:00")["id"] for day in (1, 2, 2, 3)]
    ahead = [_task(account, due_date=f"2099-01-0{day}T10:00:00")["id"] for day in (1, 1, 2)]
    walked = _walk(account, ACTIVITIES, "activities", "activity_id", direction="past", limit=limit)
    assert sorted(walked) == sorted(past)
    assert (walked[0], walked[-1]) == (past[-1], past[0])
    walked = _walk(account, ACTIVITIES, "activities", "activity_id", direction="pending", limit=limit)
    assert sorted(walked) == sorted(ahead)
    assert walked[-1] == ahead[-1]


def test_activities_are_filtered(account):
    """By contact, deal, user, tag, type and state; a total only where asked for."""
    one = _task(
        account, related={"contacts": [account.contact(1)]}, tags=["a"], due_date="2020-01-01T00:00:00"
    )["id"]
    two = _task(account, related={"deals": [account.deal(1)]}, completed_time="2020-01-02T00:00:00")["id"]
    sasha = "60d5c0de0000000000b00001"
    three = _task(account, assigned_to=sasha, due_date="2020-01-03T00:00:00")["id"]

    def ids(**query) -> set[str]:
        return {
            item["activity_id"] for item in account.get(ACTIVITIES, direction="past", **query)["activities"]
        }

    assert ids() == {one, two, three}
    assert ids(contacts=f"{account.contact(1)},{account.contact(9)}") == {one}
    assert ids(deals=account.deal(1)) == {two}
    assert ids(users=sasha) == {three}
    assert ids(tags="a,b") == {one}
    assert ids(completed="true") == {two}
    assert ids(completed="false") == {one, three}
    assert ids(types="call,event") == set()
    assert ids(types="call,task") == {one, two, three}
    assert ids(sequence_id="0" * 24) == set()
    assert ids(until_tstamp="2020-01-02T00:00:00+00:00") == {two, three}
    answer = account.get(ACTIVITIES, direction="past", include_total="true")
    assert (answer["meta"], answer["next_page"]) == ({"total": 3}, None)
    for query in (
        {},
        {"direction": "sideways"},
        {"direction": "past", "limit": 1, "until_tstamp": "2020-01-01"},
    ):
        account.get(ACTIVITIES, status=409, **query)


def test_overdue_activities_of_a_deal(account):
    """What should be done by now and is not, the longest overdue first, up to `limit`."""
    related = {"deals": [account.deal(1)]}
    for day in (3, 1, 2):
        _task(account, subject=f"day {day}", due_date=f"2020-01-0{day}T00:00:00", related=related)
    _task(account, due_date="2099-01-01T00:00:00", related=related)
    _task(account, due_date="2020-01-01T00:00:00", completed_time="2020-01-01T00:00:00", related=related)
    path = f"/api/v2/deals/{account.deal(1)}/overdue"
    assert [one["name"] for one in account.get(path)["activities"]] == ["day 1", "day 2", "day 3"]
    assert [one["name"] for one in account.get(path, limit=1, types="task")["activities"]] == ["day 1"]
    assert account.get(path, types="call")["activities"] == []
    account.get(f"/api/v2/deals/{'0' * 24}/overdue", status=404)


@pytest.mark.parametrize("limit", [1, 2, 10])
def test_proceedings_are_walked_by_their_cursor(account, limit):
    """Notes, tasks and deals of one contact, the latest first, each once."""
    contact = account.contact(1)
    notes = [account.post(NOTES, _spec(account, 1), status=201)["id"] for _ in range(2)]
    tasks = [
        _task(account, related={"contacts": [contact]}, due_date="2020-01-01T00:00:00")["id"]
        for _ in range(2)
    ]
    _task(account, related={"contacts": [contact]}, due_date="2099-01-01T00:00:00")
    path = f"/api/v1/contacts/{contact}/proceedings"
    walked = _walk(account, path, "proceedings", "proceeding_id", direction="past", limit=limit)
    assert sorted(walked) == sorted(notes + tasks)
    assert walked[:2] == notes[::-1]
    assert len(_walk(account, path, "proceedings", "proceeding_id", direction="pending", limit=limit)) == 1


def test_proceedings_are_filtered(account):
    """By type, state and words of notes; direction and limit have to be said."""
    contact = account.contact(1)
    account.post(NOTES, _spec(account, 1, note="about boats"), status=201)
    account.post(NOTES, _spec(account, 1, note="about cars"), status=201)
    _task(account, related={"contacts": [contact]}, due_date="2020-01-01T00:00:00")
    path = f"/api/v1/contacts/{contact}/proceedings"

    def kinds(**query) -> list[str]:
        rows = account.get(path, direction="past", limit=9, **query)["proceedings"]
        return [row["proceeding_type"]["type_id"] for row in rows]

    assert kinds() == ["contact_note", "contact_note", "task"]
    assert kinds(types=["task", "call"]) == ["task"]
    assert kinds(types="contact_note,call") == ["contact_note"] * 2
    assert kinds(notes__search_query="BOATS", types="contact_note") == ["contact_note"]
    assert kinds(completed="true") == ["contact_note"] * 2
    for query in ({}, {"direction": "past"}, {"limit": 1}, {"direction": "up", "limit": 1}):
        account.get(path, status=409, **query)
    account.get(path, direction="past", limit=1, types="weather", status=409)
    account.get(f"/api/v1/contacts/{'0' * 24}/proceedings", direction="past", limit=1, status=404)


def test_drafts_are_paged_from_zero(account):
    """The newest first; page 0 is the first page, and meta counts so."""
    ids = [account.post(DRAFTS, {"subject": str(number)})["draft_id"] for number in range(5)]
    pages = [account.get(DRAFTS, page=page, per_page=2) for page in (0, 1, 2, 3)]
    assert [draft["draft_id"] for page in pages for draft in page["drafts"]] == ids[::-1]
    assert pages[0]["meta"] == {"page": 0, "pages": 3, "per_page": 2, "total": 5}
    account.get(DRAFTS, page=-1, status=409)


def test_drafts_know_their_people(account):
    """Addresses are matched with users and contacts, and drafts found by them."""
    ada = {"account_type": "email", "identifier": "ada@example.com"}
    fields = {"first name": [{"value": "Ada"}], "email": [{"value": "ada@example.com"}]}
    contact = account.post("/api/v1/contact", {"record_type": "person", "fields": fields})["id"]
    me = {"account_type": "email", "identifier": account.get("/api/v1/myself")["email"]}
    draft = account.post(DRAFTS, {"recipients": [ada], "sender": me})
    assert draft["recipients"][0]["contact"]["id"] == contact
    assert draft["sender"]["user"]["email"] == me["identifier"]
    account.post(DRAFTS, {"recipients": [me]})
    for query in ({"recipients": "x@example.com,ada@example.com"}, {"sender": me["identifier"]}):
        assert [one["draft_id"] for one in account.get(DRAFTS, **query)["drafts"]] == [draft["draft_id"]]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"recipients": [{"identifier": "x"}]}, "/recipients/0"),
        ({"cc": ["x"]}, "/cc"),
        ({"attachments": [{}]}, "/attachments/0"),
        ({"sender": {"account_type": "fax", "identifier": "x"}}, "/sender/account_type"),
        ({"content_mode": "loud"}, "/content_mode"),
        ({"sender_credential_id": "x"}, "/sender_credential_id"),
    ],
)
def test_wrong_drafts_are_refused(account, body, path):
    """Each complaint stands under its path."""
    assert list(account.post(DRAFTS, body, status=409)["errors"]) == [path]
