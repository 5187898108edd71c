"""Contacts that requests create, change and delete: kept, found again, and checked like the vendor's."""

from __future__ import annotations

import json

import pytest

from nimble_async.testing import Behaviour, Simulator, World
from tests.testing.asking import Account

CONTACT, CONTACTS = "/api/v1/contact", "/api/v1/contacts"
ADA = {"first name": [{"value": "Ada"}], "last name": [{"value": "Čapek"}]}


def _person(account: Account, **rest) -> str:
    fields = {**ADA, **rest.pop("fields", {})}
    return account.post(CONTACT, {"record_type": "person", "fields": fields, **rest})["id"]


def _shown(account: Account, contact_id: str, **query):
    [shown] = account.get(f"{CONTACT}/{contact_id}", **query)["resources"]
    return shown


def _texts(shown, name: str) -> list[str]:
    return [value["value"] for value in shown["fields"].get(name, [])]


def test_what_was_created_is_read_listed_found_and_counted(account):
    """A new contact is in every listing at once: by id, page, keyword, query and record type."""
    ada = _person(
        account, fields={"email": [{"value": "ada@example.com", "modifier": "work"}]}, tags="x,a\\, b"
    )
    shown = _shown(account, ada)
    assert (shown["record_type"], shown["owner_id"] is None) == ("person", False)
    assert [tag["tag"] for tag in shown["tags"]] == ["x", "a, b"]
    assert shown["created"] == shown["updated"]
    assert "last_contacted" not in shown
    newest = account.get(CONTACTS, sort="created:desc", per_page=1)
    assert (newest["resources"][0]["id"], newest["meta"]["total"]) == (ada, 61)
    for query in (
        {"keyword": "capek"},
        {"query": {"email": {"is": "ADA@example.com"}}},
        {"query": {"tag": {"is": "a, b"}}},
        {"query": {"name": {"contain": "čapek"}}, "record_type": "company"},
    ):
        assert account.get(f"{CONTACTS}/ids", **query)["resources"] == [ada]


def test_the_older_type_names_the_kind_too(account):
    """`type` is `record_type` under its older name; one of them is needed."""
    body = {"fields": {"company name": [{"value": "Boats"}], "domain": [{"value": "boats.example.com"}]}}
    assert account.post(CONTACT, {**body, "type": "company"})["record_type"] == "company"
    assert "/" in account.post(CONTACT, body, status=409)["errors"]


@pytest.mark.parametrize(
    ("kind", "fields", "name"),
    [
        ("person", {}, "first name"),
        ("person", {"first name": [{"value": ""}]}, "first name"),
        ("company", {}, "company name"),
        ("person", {**ADA, "shoe": [{"value": "x"}]}, "shoe"),
        ("person", {**ADA, "email": "x"}, "email"),
        ("person", {**ADA, "email": [{"value": {}}]}, "email"),
        ("person", {"first name": [{"value": "a"}, {"value": "b"}]}, "first name"),
        ("person", {**ADA, "domain": [{"value": "a.example.com"}]}, "domain"),
        ("company", {"company name": [{"value": "B"}], "domain": [{"value": "https://b/c"}]}, "domain"),
        ("person", {**ADA, "birthday": [{"value": "2000-01-01"}]}, "birthday"),
        ("person", {**ADA, "birthday": [{"value": "02/30/2001"}]}, "birthday"),
        ("person", {**ADA, "birthday": [{"value": "02/29/2001"}]}, "birthday"),
        ("person", {**ADA, "birthday": [{"value": "04/31"}]}, "birthday"),
        ("person", {**ADA, "contract value": [{"value": "nan"}]}, "contract value"),
        ("person", {**ADA, "lead status": [{"value": "Open"}]}, "lead status"),
        ("person", {**ADA, "contract value": [{"value": "much"}]}, "contract value"),
        ("person", {**ADA, "renewal date": [{"value": "soon"}]}, "renewal date"),
        ("person", {**ADA, "reference": [{"value": "maybe"}]}, "reference"),
        ("person", {**ADA, "address": [{"value": "Main Street"}]}, "address"),
        ("person", {**ADA, "contact employment": [{"value": "{}"}]}, "contact employment"),
        (
            "person",
            {**ADA, "contact employment": [{"value": '{"title":"x","start_date":"2020"}'}]},
            "contact employment",
        ),
        (
            "person",
            {
                **ADA,
                "contact employment": [{"value": '{"title":"x","end_date":"01/2020","is_present":true}'}],
            },
            "contact employment",
        ),
        (
            "person",
            {
                **ADA,
                "contact employment": [
                    {"value": '{"title":"x","start_date":"02/2020","end_date":"01/2020"}'}
                ],
            },
            "contact employment",
        ),
    ],
)
def test_wrong_fields_are_refused_under_their_names(account, kind, fields, name):
    """Complaints about fields are lists under the field's name, each with the field's id; nothing is kept."""
    answer = account.post(CONTACT, {"record_type": kind, "fields": fields}, status=409)
    assert list(answer["errors"]) == [name]
    assert set(answer["errors"][name][0]) == {"message", "field_id"}
    assert answer["code"] == 245
    assert len(account.world.contacts) == 60


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"record_type": "person"}, "/"),
        ({"record_type": "robot", "fields": ADA}, "/record_type"),
        ({"record_type": "person", "fields": []}, "/fields"),
        ({"record_type": "person", "fields": ADA, "tags": "1,2,3,4,5,6"}, "/tags"),
        ({"record_type": "person", "fields": ADA, "tags": ["a"]}, "/tags"),
        ({"record_type": "person", "fields": ADA, "owner_id": "nobody"}, "/owner_id"),
        ({"record_type": "person", "fields": ADA, "privacy": {"read": {"user_ids": []}}}, "/privacy/read"),
        ({"record_type": "person", "fields": ADA, "privacy": {"read": 1}}, "/privacy/read"),
        (b"{", "/"),
        (b"[]", "/"),
    ],
)
def test_wrong_members_are_refused_under_their_paths(account, body, path):
    """The other shape of a 409: one complaint under a path."""
    answer = account.post(CONTACT, body, status=409)
    assert list(answer["errors"]) == [path]
    assert isinstance(answer["errors"][path]["message"], str)


def test_who_may_edit_is_not_named_again(account):
    """A user in `edit` must not be repeated in `read`."""
    me = {"user_ids": [account.get("/api/v1/myself")["user_id"]], "group_ids": []}
    body = {"record_type": "person", "fields": ADA, "privacy": {"read": me, "edit": me}}
    assert list(account.post(CONTACT, body, status=409)["errors"]) == ["/privacy/read"]


def test_a_domain_belongs_to_one_company(account):
    """The domain of another company is refused; its own may be sent again."""
    fields = {"company name": [{"value": "B"}], "domain": [{"value": "b.example.com"}]}
    body = {"record_type": "company", "fields": fields}
    made = account.post(CONTACT, body)["id"]
    assert list(account.post(CONTACT, body, status=409)["errors"]) == ["domain"]
    account.put(f"{CONTACT}/{made}", {"fields": fields}, type="1")


def test_the_plan_has_an_end(account):
    """One contact more than the plan holds is a 402."""
    simulator = Simulator(World(contacts=2, deals=0), behaviour=Behaviour(contact_quota=3))
    small = Account(simulator)
    _person(small)
    answer = small.post(CONTACT, {"record_type": "person", "fields": ADA}, status=402)
    assert set(answer) == {"payment_type", "extra_usage", "required_spec"}


def test_an_update_extends_or_replaces(account):
    """A field is extended unless `type=1` (`replace=1` in older documents) replaces it as a whole."""
    ada = _person(account, fields={"phone": [{"value": "1", "modifier": "work", "note": "kept"}]})
    path = f"{CONTACT}/{ada}"
    account.put(path, {"fields": {"phone": [{"value": "2", "modifier": "home"}]}})
    account.put(
        path, {"fields": {"phone": [{"value": "1", "modifier": "work", "is_primary": True}]}}, type="0"
    )
    shown = _shown(account, ada)
    assert _texts(shown, "phone") == ["1", "2"]
    assert (shown["fields"]["phone"][0]["note"], shown["fields"]["phone"][0]["is_primary"]) == ("kept", True)
    account.put(path, {"fields": {"first name": [{"value": "Eva"}]}})
    assert _texts(_shown(account, ada), "first name") == ["Eva"]
    account.put(path, {"fields": {"phone": [{"value": "3"}]}}, type="1")
    assert _texts(_shown(account, ada), "phone") == ["3"]
    account.put(path, {"fields": {"phone": [{"value": "4"}]}}, replace="1")
    shown = _shown(account, ada)
    assert (_texts(shown, "phone"), _texts(shown, "first name")) == (["4"], ["Eva"])
    assert shown["updated"] > shown["created"]
    account.put(path, {"fields": {"phone": None}})
    assert "phone" not in _shown(account, ada)["fields"]
    for body, status in ({}, 409), ({"fields": {"first name": None, "last name": None}}, 409):
        account.put(path, body, status=status)
    account.put(path, {"is_important": True, "avatar_url": "https://a.example.com/p"})
    assert _shown(account, ada)["is_important"] is True
    account.put(path, {"is_important": True}, type="2", status=409)
    account.put(f"{CONTACT}/{'0' * 24}", {"is_important": True}, status=404)


@pytest.mark.parametrize(
    ("mode", "emails"),
    [
        ({}, [("user@nimble.com", "work"), ("user@nimble.com", "personal")]),
        ({"replace": "1"}, [("user@nimble.com", "personal")]),
    ],
)
def test_the_example_of_the_older_document(account, mode, emails):
    """What extends takes the place of the values with its modifier and leaves the others as they are."""
    jack = _person(
        account,
        fields={
            "first name": [{"value": "Jack", "modifier": ""}],
            "email": [
                {"value": "user@nimble.com", "modifier": "work"},
                {"value": "jack@gmail.com", "modifier": "personal"},
            ],
        },
    )
    sent = {"fields": {"email": [{"value": "user@nimble.com", "modifier": "personal"}]}}
    account.put(f"{CONTACT}/{jack}", sent, **mode)
    shown = _shown(account, jack)
    assert [(value["value"], value["modifier"]) for value in shown["fields"]["email"]] == emails
    assert _texts(shown, "first name") == ["Jack"]


def test_everything_that_came_may_be_sent_back(account):
    """Replacing every field by what was read changes nothing but the time, whatever was rendered."""
    for serial in range(30):
        before = _shown(account, account.contact(serial))
        account.put(f"{CONTACT}/{before['id']}", {"fields": before["fields"]}, type="1")
        after = _shown(account, before["id"])
        assert {name: _texts(after, name) for name in after["fields"]} == {
            name: texts for name in before["fields"] if (texts := [t for t in _texts(before, name) if t])
        }
        assert after["tags"] == before["tags"]
        assert after["last_contacted"] == before["last_contacted"]


def test_only_what_was_changed_leaves_the_rendered_page(account):
    """A page shows a changed contact anew, twice within a second too."""
    contact = account.contact(3)
    for name in ("One", "Two", "Three"):
        account.put(f"{CONTACT}/{contact}", {"fields": {"company name": [{"value": name}]}}, type="1")
        account.now -= 1
        rows = account.get(CONTACTS, per_page=100)["resources"]
        [shown] = [row for row in rows if row["id"] == contact]
        assert _texts(shown, "company name") == [name]


def test_deleted_contacts_are_gone(account):
    """A deletion says nothing; older documents join ids by commas, and see them again."""
    first, second, third = (account.contact(serial) for serial in range(3))
    assert account.delete(f"{CONTACT}/{first}", deletion_method="force", cleanup_email_lists="true") == b""
    assert account.get(f"{CONTACT}/{first}")["resources"] == []
    assert account.delete(f"{CONTACT}/{second},{third}") == {"status": "ok", "data": {"ids": [second, third]}}
    assert len(account.world.contacts) == 57
    assert account.delete(f"{CONTACT}/{first}", status=404) == {"object_id": first, "object_type": "contact"}
    account.delete(f"{CONTACT}/{account.contact(5)}", deletion_method="gently", status=409)


@pytest.mark.parametrize("path", [CONTACTS, f"{CONTACTS}/list"])
def test_many_are_deleted_by_a_search(account, path):
    """Exactly what the search finds goes, and the answer names it; without a search nothing does."""
    query = {"record type": {"is": "company"}}
    doomed = account.get(f"{CONTACTS}/ids", query=query, per_page=100)["resources"]
    assert doomed
    answer = account.delete(path, query=query)
    assert sorted(answer["data"]["ids"]) == sorted(doomed)
    assert {"action", "created", "id", "is_new", "object", "object_type"} == set(answer["data"]["push_data"])
    assert account.get(f"{CONTACTS}/ids", query=query)["meta"]["total"] == 0
    assert account.get(f"{CONTACTS}/ids")["meta"]["total"] == 60 - len(doomed)
    assert list(account.delete(path, status=409)["errors"]) == ["/"]


def test_privacy_decides_what_can_be_done(account):
    """What others own is not to be edited (403), or not even seen (406, and in no listing)."""
    other = account.world.account
    sasha = "60d5c0de0000000000b00001"
    nobody: dict[str, list[str]] = {"user_ids": [], "group_ids": []}
    fixed = _person(account, owner_id=sasha, privacy={"read": None, "edit": nobody})
    hidden = _person(account, owner_id=sasha, privacy={"read": nobody, "edit": nobody})
    change = {"is_important": True}
    assert "message" in account.put(f"{CONTACT}/{fixed}", change, status=403)
    account.delete(f"{CONTACT}/{fixed}", status=403)
    assert account.put(f"{CONTACT}/{hidden}", change, status=406)["type"] == "lost_contact_access"
    assert account.get(f"{CONTACT}/{hidden}")["resources"] == []
    assert account.get(f"{CONTACTS}/ids")["meta"]["total"] == 61
    [complaint] = account.delete(CONTACTS, record_type="person", preflight_checks="true", status=406)[
        "errors"
    ]
    assert (complaint["type"], complaint["total"]) == ("non_editable_contacts", 1)
    ids = account.delete(CONTACTS, record_type="person")["data"]["ids"]
    assert fixed not in ids
    assert account.get(f"{CONTACT}/{fixed}")["resources"]
    assert other.profiles


def test_contexts_are_added_where_asked_for(account):
    """Each context is a block with its key; files, leads and the last contact have something to show."""
    ada = _person(account, file_ids=["f1"])
    asked = "last_contacted_data,employers_data,leads_data,sequences_data,contact_files"
    blocks = {one["context_key"]: one["context"] for one in _shown(account, ada, contexts=asked)["contexts"]}
    assert list(blocks) == asked.split(",")
    assert [file["metadata"]["file_id"] for file in blocks["contact_files"]] == ["f1"]
    assert blocks["last_contacted_data"] == {}
    shown = _shown(account, account.contact(1), contexts="last_contacted_data")
    assert shown["contexts"][0]["context"]["user_lc"]["out"] == shown["last_contacted"]
    assert account.get(CONTACTS, files_data="true", per_page=1)["resources"][0]["contexts"]
    account.get(CONTACTS, contexts="weather", status=409)


def test_tags_are_replaced_as_a_set(account):
    """The new set is the whole set; a stranger's or unknown contact is refused without a body."""
    contact = account.contact(1)
    answer = account.put(f"{CONTACTS}/{contact}/tags", {"tags": ["b", "a", "b", " "]})
    assert [tag["tag"] for tag in answer["tags"]] == ["b", "a"]
    assert len({tag["id"] for tag in answer["tags"]}) == 2
    assert account.get(f"{CONTACTS}/ids", query={"tag": {"is": "a"}})["resources"] == [contact]
    assert account.put(f"{CONTACTS}/{'0' * 24}/tags", {"tags": []}, status=404) == b""
    nobody: dict[str, list[str]] = {"user_ids": [], "group_ids": []}
    fixed = _person(account, owner_id="60d5c0de0000000000b00001", privacy={"read": None, "edit": nobody})
    assert account.put(f"{CONTACTS}/{fixed}/tags", {"tags": []}, status=403) == b""
    account.put(f"{CONTACTS}/{contact}/tags", {}, status=409)


def test_a_value_can_be_made_the_primary_one(account):
    """One value of a field is primary; the flag can be taken away, by a DELETE with a body."""
    phones = [{"value": "1", "modifier": "work"}, {"value": "2", "modifier": "home"}]
    ada = _person(account, fields={"phone": phones})
    path = f"{CONTACT}/{ada}/field"
    field_id = _shown(account, ada)["fields"]["phone"][0]["field_id"]

    def flags() -> list[bool | None]:
        return [value.get("is_primary") for value in _shown(account, ada)["fields"]["phone"]]

    account.put(path, {"field_id": field_id, "position": 1})
    assert flags() == [False, True]
    account.put(path, {"field_id": field_id, "position": 0})
    assert flags() == [True, False]
    assert account.delete(path, {"field_id": field_id, "position": 0}) == b""
    assert flags() == [False, False]
    account.put(path, {"field_id": field_id, "position": 2}, status=409)
    account.put(path, {"field_id": field_id, "position": -1}, status=409)
    account.put(path, {"field_id": "nothing", "position": 0}, status=404)


def test_addresses_come_back_as_they_were_sent(account):
    """An address is JSON in a text; its parts are searched."""
    text = json.dumps({"street": "1 Quay", "city": "Tromsø", "country": "Norway"})
    ada = _person(account, fields={"address": [{"value": text, "modifier": "home"}]})
    assert _texts(_shown(account, ada), "address") == [text]
    assert account.get(f"{CONTACTS}/ids", query={"address.city": {"is": "Tromsø"}})["resources"] == [ada]
