"""The search language: every kind of field, every operator, against a plain reading of the same records."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import UTC, datetime

import pytest

from nimble_async.testing import Behaviour, Simulator, World
from nimble_async.testing.nimble.content import contact_values
from tests.testing.asking import Account

IDS = "/api/v1/contacts/ids"
SIZE = 150


@pytest.fixture(scope="module")
def account() -> Account:
    """Return an account that is only read, but for a few people of its own."""
    account = Account(Simulator(World(contacts=SIZE, deals=0, seed=11)))
    job = json.dumps(
        {"company_name": "Fjord Boats", "title": "Captain", "start_date": "01/2020", "is_present": True}
    )
    place = json.dumps({"city": "Älvdalen", "street": "1 Quay", "zip": "77012"})
    fields = {
        "first name": [{"value": "Zoë"}],
        "birthday": [{"value": "12/31"}],
        "contact employment": [{"value": job}],
        "address": [{"value": place, "modifier": "home"}],
        "contract value": [{"value": "1234.5"}],
        "renewal date": [{"value": "2031-05-06"}],
        "segment": [{"value": "3"}],
        "reference": [{"value": True}],
        "email": [{"value": "zoe@boats.example.com"}],
    }
    account.zoe = account.post(
        "/api/v1/contact", {"record_type": "person", "fields": fields, "tags": "crew"}
    )["id"]
    return account


def _found(account: Account, query) -> set[str]:
    return {
        one for page in (1, 2) for one in account.get(IDS, query=query, page=page, per_page=100)["resources"]
    }


@pytest.mark.parametrize(
    "query",
    [
        {"title": {"is": "captain"}},
        {"title": {"starts_with": "cap"}},
        {"company_name": {"is": "fjord boats"}},
        {"address.city": {"is": "ALVDALEN"}},
        {"city": {"starts_with": "älv"}},
        {"zip": {"is": "77012"}},
        {"address": {"contain": "älvdalen"}},
        {"tag": {"is": "crew"}},
        {"tag": {"is": "CREW"}},
        {"tag": {"in": ["crew", "nobody"]}},
        {"email": {"in": ["ZOE@boats.example.com"]}},
        {"custom_fields": {"contract value": {"range": {"start": 1234, "end": 1235}}}},
        {"custom_fields": {"contract value": {"is": 1234.5}}},
        {"custom_fields": {"contract value": {"in": ["1234.50"]}}},
        {"custom_fields": {"contract value": {"is": "1234.5"}}},
        {
            "custom_fields": {
                "renewal date": {"range": {"start_date": "2031-05-06", "end_date": "2031-05-06"}}
            }
        },
        {
            "custom_fields": {
                "renewal date": {
                    "range": {
                        "start_datetime": "2031-05-06T00:00:00Z",
                        "end_datetime": "2031-05-06T00:00:01+00:00",
                    }
                }
            }
        },
        {"created": {"in_the_last": {"unit": "day", "quantity": 1}}},
        {"updated": {"in_the_last": {"unit": "week", "quantity": 1}}},
        {"and": [{"name": {"contain": "zoe"}}, {"company last contacted": {"is_empty": True}}]},
        {"not": [{"tag": {"is_not": "crew"}}]},
    ],
)
def test_one_person_is_found_in_many_ways(account, query):
    """Employments, address parts, tags, numbers, dates: each way finds her and nobody else."""
    assert _found(account, query) == {account.zoe}


@pytest.mark.parametrize(
    ("query", "opposite"),
    [
        ({"rating": {"is": 3}}, {"rating": {"is_not": 3}}),
        ({"rating": {"gt": 3}}, {"or": [{"rating": {"lte": 3}}, {"rating": {"is_empty": True}}]}),
        ({"rating": {"gte": 3}}, {"or": [{"rating": {"lt": 3}}, {"rating": {"is_empty": True}}]}),
        ({"lead status": {"is": "1"}}, {"lead status": {"is_not": "1"}}),
        (
            {"custom_fields": {"segment": {"in": ["1", "2"]}}},
            {"not": [{"custom_fields": {"segment": {"in": ["1", "2"]}}}]},
        ),
        (
            {"custom_fields": {"reference": {"is": True}}},
            {"custom_fields": {"reference": {"is_not": "true"}}},
        ),
        ({"birthday": {"is_empty": True}}, {"birthday": {"is_empty": False}}),
        (
            {"birthday": {"range": {"start_date": "1970-01-01", "end_date": "1979-12-31"}}},
            {"birthday": {"not_in_range": {"start_date": "1970-01-01", "end_date": "1979-12-31"}}},
        ),
        (
            {"user last contacted": {"gt": "2022-01-01"}},
            {
                "or": [
                    {"user last contacted": {"lte": "2022-01-01T00:00:00Z"}},
                    {"user last contacted": {"is_empty": True}},
                ]
            },
        ),
        (
            {"updated": {"in_the_last": {"unit": "year", "quantity": 3}}},
            {"updated": {"not_in_the_last": {"unit": "year", "quantity": 3}}},
        ),
        ({"last name": {"is_empty": True}}, {"last name": {"is_empty": False}}),
        ({"company_name": {"in": ["Fjord Boats"]}}, {"company_name": {"not_in": ["fjord boats"]}}),
        ({"reminder": {"is_empty": False}}, {"reminder": {"is_empty": True}}),
    ],
)
def test_opposites_share_the_account_out(account, query, opposite):
    """Each contact is found by one of two opposite queries and by one only."""
    one, other = _found(account, query), _found(account, opposite)
    assert len(one | other) == SIZE + 1
    assert not one & other


def _plain(text: str) -> str:
    return unicodedata.normalize("NFD", text.lower()).encode("ascii", "ignore").decode()


def _texts(account: Account, serial: int, *names: str) -> list[str]:
    values = contact_values(account.world, serial)
    return [text for name in names for text, _ in values.get(name, []) if text]


def _ids_where(account: Account, test) -> set[str]:
    return {account.contact(serial) for serial in range(SIZE + 1) if test(serial)}


@pytest.mark.parametrize(
    "field", ["first name", "last name", "email", "phone", "description", "parent company"]
)
@pytest.mark.parametrize("operator", ["is", "contain", "starts_with"])
def test_text_is_what_a_plain_reading_finds(account, field, operator):
    """For words of real values the search finds the records in which a plain reading finds them."""
    samples = [text for serial in range(0, SIZE, 40) for text in _texts(account, serial, field)[:1]]
    assert samples
    for sample in samples:
        words = re.findall(r"\w+", _plain(sample))
        wanted = {"is": sample, "contain": words[0], "starts_with": words[0][:3]}[operator]

        def fits(text: str, wanted: str = _plain(wanted)) -> bool:
            plain = _plain(text)
            parts = re.findall(r"\w+", plain)
            if operator == "is":
                return plain == wanted
            if operator == "contain":
                return wanted in parts
            return plain.startswith(wanted) or any(part.startswith(wanted) for part in parts)

        expected = _ids_where(
            account, lambda serial: any(fits(text) for text in _texts(account, serial, field))
        )
        assert _found(account, {field: {operator: wanted}}) == expected != set()


@pytest.mark.parametrize(("start", "end"), [("01/03", "31/05"), ("15/11", "15/02"), ("31/12", "31/12")])
def test_birthdays_are_found_by_day_and_month(account, start, end):
    """Years do not matter, ends belong to it, and November to February goes over the turn of the year."""
    first, last = ((int(text[3:]), int(text[:2])) for text in (start, end))

    def born(serial: int) -> bool:
        days = [(int(text[:2]), int(text[3:5])) for text in _texts(account, serial, "birthday")]
        return any(first <= day <= last if first <= last else day >= first or day <= last for day in days)

    query = {"birthday": {"day_month_range": {"start_date": start, "end_date": end}}}
    assert _found(account, query) == _ids_where(account, born) != set()


def test_last_contacts_are_instants(account):
    """The range is that of the answers' `last_contacted`; who was never written to is empty."""
    query = {"company last contacted": {"range": {"start_date": "2021-01-01", "end_date": "2021-12-31"}}}
    first, last = (datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in (2021, 2022))
    created = account.world.contacts.created
    expected = _ids_where(account, lambda serial: serial < SIZE and first <= created[serial] + 3600 < last)
    assert _found(account, query) == expected != set()
    assert _found(account, {"user last contacted": {"is_empty": True}}) == {account.zoe}


def test_standard_choices_are_found_by_label_too(account):
    """The id always; the label only for the fields every account has."""
    assert (
        _found(account, {"lead status": {"is": "Open"}})
        == _found(account, {"lead status": {"is": "1"}})
        != set()
    )
    assert _found(account, {"custom_fields": {"segment": {"is": "Large"}}}) == set()


def test_a_saved_search_is_its_query(account):
    """By its id, as one term; an unknown one is refused."""
    saved = "60d5c0de0000000000200000"
    query = {"and": [{"record type": {"is": "person"}}, {"tag": {"is": "vip"}}]}
    assert _found(account, {"saved_search": {"is": saved}}) == _found(account, query) != set()
    assert _found(account, {"or": [{"saved_search": {"is": saved}}] * 11})
    account.get(IDS, query={"saved_search": {"is": "x"}}, status=409)
    account.get(IDS, query={"saved_search": {"in": [saved]}}, status=409)


@pytest.mark.parametrize(
    "query",
    [
        {"__any": {"is": "x"}},
        {"names": {"in": ["x"]}},
        {"address": {"is": "x"}},
        {"city": {"in": ["x"]}},
        {"first name": {"not_in": ["x"]}},
        {"first name": {"gt": 1}},
        {"first name": {"is_empty": "yes"}},
        {"first name": {"is_empty": 1}},
        {"first name": {"is": 3}},
        {"first name": {"contains": "x"}},
        {"tag": {"contain": "x"}},
        {"_id": {"is_not": "x"}},
        {"created": {"is": "2020-01-01"}},
        {"created": {"is_empty": True}},
        {"birthday": {"day_month_range": {"start_date": "1/3", "end_date": "31/03"}}},
        {"birthday": {"day_month_range": {"start_date": "01/13", "end_date": "31/03"}}},
        {"birthday": {"day_month_range": "01/03"}},
        {"rating": {"contain": "3"}},
        {"rating": {"in": []}},
        {"rating": {"is": True}},
        {"rating": {"is": "nan"}},
        {"rating": {"range": {"start": 1}}},
        {"reference": {"is": "perhaps"}},
        {"reminder": {"is": "x"}},
        {"company last contacted": {"gt": 3}},
        {"record type": {"in": ["person"]}},
        {"custom_fields": {"nothing": {"is": "x"}}},
        {"custom_fields": {"created": {"is_empty": True}}},
        {"custom_fields": {"custom_fields": {"first name": {"is": "x"}}}},
        {"and": {"tag": {"is": "x"}}},
        {"not": [{"tag": {"is": "x"}}, {"tag": {"is": "y"}}]},
        {"tag": {"is": "x"}, "title": {"is": "y"}},
        {"created": {"range": {"start_date": "2020-01-01", "end_datetime": "2020-01-01T00:00:00Z"}}},
        {"created": {"in_the_last": {"unit": "day", "quantity": 0}}},
    ],
)
def test_what_a_field_does_not_know_is_refused(account, query):
    """An operator or a value that a field does not take is a 409."""
    account.get(IDS, query=query, status=409)


@pytest.mark.parametrize(
    "query",
    [
        {"and": [{"tag": {"is": "vip"}}]},
        {"or": [{"tag": {"is": "vip"}}]},
        {"email": {"contain": "a"}},
        {"email": {"starts_with": "a"}},
    ],
)
def test_strictness_is_a_switch(query):
    """Joins of one and texts of one letter pass, but not where the older document is taken at its word."""
    for strict, status in ((False, 200), (True, 409)):
        simulator = Simulator(World(contacts=5, deals=0), behaviour=Behaviour(strict=strict))
        Account(simulator).get(IDS, query=query, status=status)
