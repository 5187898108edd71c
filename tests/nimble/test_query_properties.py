"""Searches of `Q` mean what they say: the simulator's answer is what a plain reading of the contacts finds.

Each random search comes with a function that reads a decoded contact, written from the notes on the
vendor's language. Where the vendor is silent, both sides take the same reading: words are runs of
letters and digits, and ends of ranges are never hit exactly. Months and years are not asked for, since nobody
says how long they are.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any, Literal, NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nimble_async import Q, Query
from nimble_async._sansio.record import read_record
from nimble_async.nimble.models.contacts import Contact
from nimble_async.nimble.operators import Words, WordsOnly
from nimble_async.nimble.resources.arguments import search_text
from nimble_async.nimble.terms import (
    ContactedTerms,
    DateTerms,
    EmploymentTerms,
    NumberTerms,
    PartTerms,
    StampTerms,
    TextTerms,
)
from nimble_async.testing import Simulator, World
from tests.testing.asking import ask

SIZE = 40
NAMES = ("first name", "middle name", "last name", "company name")
PARTS = ("street", "city", "state", "zip", "country")
ZOE = {
    "record_type": "person",
    "fields": {
        "first name": [{"value": "Zoë Łucja Groß"}],
        "birthday": [{"value": "12/31"}],
        "contact employment": [
            {"value": json.dumps({"company_name": "Fjord Boats", "title": "Captain"})},
            {"value": json.dumps({"company_name": "Älv", "title": "Cook"})},
        ],
        "renewal date": [{"value": "2031-05-06"}],
        "reference": [{"value": False}],
    },
}
"""What the accounts of the simulator do not have by themselves."""
HALF = timedelta(seconds=0.5)

Texts = Callable[[Contact], list[str]]
Moments = Callable[[Contact], list[datetime]]


class Asked(NamedTuple):
    """A search, and who should be found."""

    query: Query
    fits: Callable[[Contact], bool]


class Small(NamedTuple):
    """A small account at rest, and its contacts as a client decodes them."""

    simulator: Simulator
    contacts: tuple[Contact, ...]
    now: datetime


@cache
def small(seed: int) -> Small:
    simulator = Simulator(World(contacts=SIZE - 1, deals=0, seed=seed))
    assert ask(simulator, "/api/v1/contact", method="POST", body=ZOE).status == 200
    page = ask(simulator, "/api/v1/contacts", per_page=100)
    contacts = tuple(read_record(Contact, msgspec.json.encode(row)) for row in page.body["resources"])
    assert len(contacts) == SIZE
    return Small(simulator, contacts, datetime.fromtimestamp(simulator.world.wall(0.0), UTC))


def plain(text: str) -> str:
    """Take case and accents away, and the letters that ASCII folding spells out."""
    folded = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c)).lower()
    return folded.replace("ß", "ss").replace("ł", "l").replace("ø", "o")


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", plain(text)))


def of(*names: str) -> Texts:
    return lambda contact: [value.text for name in names for value in contact.values(name) if value.text]


def parts(*names: str) -> Texts:
    return lambda contact: [
        text
        for one in contact.addresses
        for name in names
        if (text := getattr(one, name)) is not None and text
    ]


def jobs(contact: Contact, name: str) -> list[str]:
    return [text for job in contact.employments if (text := getattr(job, name)) is not None and text]


def name_texts(contact: Contact) -> list[str]:
    found = of(*NAMES)(contact)
    return [*found, " ".join(found)] if found else []


def any_texts(contact: Contact) -> list[str]:
    others = ("parent company", "title", "email", "domain", "phone", "skype id", "description")
    found = of(*NAMES, *others)(contact) + parts(*PARTS)(contact)
    return found + jobs(contact, "company_name") + jobs(contact, "title")


TEXT_FIELDS: list[tuple[Words, Texts]] = [
    (Q.any, any_texts),
    (Q.name, name_texts),
    (Q.first_name, of("first name")),
    (Q.last_name, of("last name")),
    (Q.company_name, of("company name")),
    (
        Q.employer,
        lambda contact: of("parent company")(contact) + jobs(contact, "company_name"),
    ),
    (Q.title, lambda contact: of("title")(contact) + jobs(contact, "title")),
    (Q.email, of("email")),
    (Q.phone, of("phone")),
    (Q.domain, of("domain")),
    (Q.skype_id, of("skype id")),
    (Q.description, of("description")),
    (Q.address, parts(*PARTS)),
    *((getattr(Q.address, name), parts(name)) for name in PARTS),
    (Q.custom("favourite colour"), of("favourite colour")),
    (Q.custom("account number").text, of("account number")),
]


def moments(contact: Contact, name: str) -> list[datetime]:
    when = getattr(contact, name)
    return [when] if isinstance(when, datetime) else []


def contacted(contact: Contact) -> list[datetime]:
    last = contact.last_contacted
    return [last.when] if last and last.when else []


def birthdays(contact: Contact) -> list[tuple[int, int, int | None]]:
    """Return month, day and, where it is known, year."""
    found = [[int(part) for part in text.split("/")] for text in of("birthday")(contact)]
    return [(month, day, year[0] if year else None) for month, day, *year in found]


def born(contact: Contact) -> list[datetime]:
    return [datetime(year, month, day, tzinfo=UTC) for month, day, year in birthdays(contact) if year]


def renewed(contact: Contact) -> list[datetime]:
    found = map(datetime.fromisoformat, of("renewal date")(contact))
    return [one if one.tzinfo else one.replace(tzinfo=UTC) for one in found]


STAMPS: list[tuple[StampTerms, Moments]] = [
    (Q.created, lambda contact: moments(contact, "created")),
    (Q.updated, lambda contact: moments(contact, "updated")),
    (Q.birthday, born),
    (Q.custom("renewal date").date, renewed),
    (Q.company_last_contacted, contacted),
    (Q.user_last_contacted, contacted),
]
NUMBERS: list[tuple[NumberTerms, Texts]] = [
    (Q.rating, of("rating")),
    (Q.custom("contract value").number, of("contract value")),
]
CHOICES: list[tuple[Any, Texts]] = [
    (Q.lead_status, of("lead status")),
    (Q.lead_source, of("lead source")),
    (Q.lead_type, of("lead type")),
    (Q.custom("segment").choice, of("segment")),
]


@st.composite
def a_text(draw: st.DrawFn, one: Small, texts: Texts) -> str:
    """Draw a text of the account, a word or a beginning of one, in any case; or one that is not there."""
    found = sorted({text for contact in one.contacts for text in texts(contact)}) or ["nobody"]
    text = draw(st.sampled_from(found) | st.sampled_from(["nobody", "x", "Ü", "12"]))
    cut = draw(st.sampled_from(["whole", "word", "start"]))
    if cut == "word":
        text = draw(st.sampled_from(sorted(re.findall(r"\w+", text)) or [text]))
    elif cut == "start":
        text = text[: draw(st.integers(1, 6))]
    shown = draw(st.sampled_from([text, text.upper(), plain(text)]))
    return shown if plain(shown) == plain(text) and shown.strip() else text if text.strip() else "nobody"


@st.composite
def text_terms(draw: st.DrawFn, one: Small) -> Asked:
    field, texts = draw(st.sampled_from(TEXT_FIELDS))
    operators = ["contain", "not_contain"]
    operators += ["starts_with"] if isinstance(field, WordsOnly) else []
    operators += ["is_", "is_not"] if isinstance(field, PartTerms) else []
    operators += ["in_"] if isinstance(field, TextTerms) else []
    operators += ["not_in"] if isinstance(field, EmploymentTerms) else []
    operators += ["is_empty", "is_not_empty"] if hasattr(field, "is_empty") else []
    operator = draw(st.sampled_from(operators))
    method = getattr(field, operator)
    if operator.endswith("empty"):
        return Asked(method(), lambda contact: (not texts(contact)) == (operator == "is_empty"))
    if operator in {"in_", "not_in"}:
        several = draw(st.lists(a_text(one, texts), min_size=1, max_size=3))
        wanted = set(map(plain, several))
        return Asked(
            method(several),
            lambda contact: any(plain(text) in wanted for text in texts(contact)) == (operator == "in_"),
        )
    text = draw(a_text(one, texts))
    reading: dict[str, Callable[[str], bool]] = {
        "is": lambda found: plain(found) == plain(text),
        "contain": lambda found: bool(words(found) & words(text)),
        "starts_with": lambda found: any(
            part.startswith(plain(text)) for part in [plain(found), *words(found)]
        ),
    }
    positive = {"is_": "is", "is_not": "is", "not_contain": "contain"}.get(operator, operator)
    negative = operator in {"is_not", "not_contain"}
    return Asked(method(text), lambda contact: any(map(reading[positive], texts(contact))) != negative)


@st.composite
def stamp_terms(draw: st.DrawFn, one: Small) -> Asked:
    field, read = draw(st.sampled_from(STAMPS))
    found = sorted({when for contact in one.contacts for when in read(contact)}) or [one.now]
    first, last = sorted([draw(st.sampled_from(found)), draw(st.sampled_from(found))])
    operators = ["days", "moments", "last"]
    operators += ["is_empty"] if isinstance(field, DateTerms | ContactedTerms) else []
    operators += ["gt", "gte", "lt", "lte"] if isinstance(field, ContactedTerms) else []
    operator = draw(st.sampled_from(operators))
    negative = draw(st.booleans())
    if operator == "is_empty" and isinstance(field, DateTerms | ContactedTerms):
        # A birthday without a year is no moment, and there all the same.
        there = (
            (lambda contact: bool(birthdays(contact))) if field is Q.birthday else (lambda c: bool(read(c)))
        )
        query = field.is_not_empty() if negative else field.is_empty()
        return Asked(query, lambda contact: there(contact) == negative)
    if operator in {"gt", "gte", "lt", "lte"}:
        bound = first + HALF
        query = getattr(field, operator)(bound)
        after = operator.startswith("g")
        return Asked(query, lambda contact: any((when > bound) == after for when in read(contact)))
    if operator == "last":
        unit, length = draw(st.sampled_from([("seconds", 1), ("days", 86_400), ("weeks", 604_800)]))
        # As far back as one of the moments, with an end on either side of it and not on it.
        age = max(0, int((one.now - draw(st.sampled_from(found))).total_seconds()))
        quantity = max(1, age // length + draw(st.integers(0, 1)))
        quantity += one.now - timedelta(seconds=quantity * length) in found
        last_of: Any = field.not_last if negative else field.last
        since = one.now - timedelta(seconds=quantity * length)
        query, span = last_of(**{unit: quantity}), (since, datetime.max.replace(tzinfo=UTC))
    else:
        method = field.not_in_range if negative else field.in_range
        if operator == "days":
            query = method(first.date(), last.date())
            day = datetime.combine(first.date(), time.min, UTC)
            span = day, datetime.combine(last.date(), time.max, UTC)
        else:
            span = first + draw(st.sampled_from([-HALF, HALF])), last + HALF
            query = method(*span)
    return Asked(query, lambda contact: any(span[0] <= when <= span[1] for when in read(contact)) != negative)


@st.composite
def birthday_terms(draw: st.DrawFn, one: Small) -> Asked:
    days = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=draw(st.integers(0, 365))) for _ in range(2)]
    first, last = ((day.month, day.day) for day in days)

    def fits(contact: Contact) -> bool:
        found = [(month, day) for month, day, _ in birthdays(contact)]
        if first <= last:
            return any(first <= one <= last for one in found)
        return any(one >= first or one <= last for one in found)

    start: date | str = days[0].date()
    return Asked(Q.birthday.day_month_range(start, f"{days[1]:%d/%m}"), fits)


@st.composite
def number_terms(draw: st.DrawFn, one: Small) -> Asked:
    field, texts = draw(st.sampled_from(NUMBERS))

    def numbers(contact: Contact) -> list[float]:
        return [float(text) for text in texts(contact)]

    found = sorted({number for contact in one.contacts for number in numbers(contact)}) or [1.0]
    number = draw(st.sampled_from(found) | st.integers(-1, 9))
    other = draw(st.sampled_from(found))
    low, high = sorted([number, other])
    cases: list[Asked] = [
        Asked(field.is_(number), lambda c: number in numbers(c)),
        Asked(field.is_not(number), lambda c: number not in numbers(c)),
        Asked(field.in_([number, other]), lambda c: number in numbers(c) or other in numbers(c)),
        Asked(field.gt(number), lambda c: any(have > number for have in numbers(c))),
        Asked(field.gte(number), lambda c: any(have >= number for have in numbers(c))),
        Asked(field.lt(number), lambda c: any(have < number for have in numbers(c))),
        Asked(field.lte(number), lambda c: any(have <= number for have in numbers(c))),
        Asked(
            field.in_range(low - 0.001, high + 0.001),
            lambda c: any(low <= have <= high for have in numbers(c)),
        ),
        Asked(
            field.not_in_range(low - 0.001, high + 0.001),
            lambda c: not any(low <= have <= high for have in numbers(c)),
        ),
        Asked(field.is_empty(), lambda c: not numbers(c)),
        Asked(field.is_not_empty(), lambda c: bool(numbers(c))),
    ]
    return draw(st.sampled_from(cases))


def tagged(contact: Contact) -> set[str]:
    return set(map(plain, contact.tags or ()))


@st.composite
def other_terms(draw: st.DrawFn, one: Small) -> Asked:
    tags = sorted({tag for contact in one.contacts for tag in contact.tags or ()})
    tag, second = draw(st.sampled_from([*tags, *map(str.upper, tags), "nobody"])), draw(st.sampled_from(tags))
    ids = draw(st.lists(st.sampled_from([contact.id for contact in one.contacts]), min_size=1, max_size=5))
    kinds: list[Literal["person", "company"]] = ["person", "company"]
    kind = draw(st.sampled_from(kinds))
    choice, texts = draw(st.sampled_from(CHOICES))
    picked = draw(st.sampled_from(["1", "2", "3", "99"]))
    agreed, truth = Q.custom("reference").boolean, draw(st.booleans())
    word = "true" if truth else "false"
    cases = [
        Asked(Q.tag.is_(tag), lambda c: plain(tag) in tagged(c)),
        Asked(Q.tag.is_not(tag), lambda c: plain(tag) not in tagged(c)),
        Asked(Q.tag.in_([tag, second]), lambda c: bool({plain(tag), plain(second)} & tagged(c))),
        Asked(Q.tag.is_empty(), lambda c: not c.tags),
        Asked(Q.tag.is_not_empty(), lambda c: bool(c.tags)),
        Asked(Q.id.is_(ids[0]), lambda c: c.id == ids[0]),
        Asked(Q.id.in_(ids), lambda c: c.id in ids),
        Asked(Q.id.not_in(ids), lambda c: c.id not in ids),
        Asked(Q.record_type.is_(kind), lambda c: c.record_type == kind),
        Asked(Q.record_type.is_("all"), lambda _: True),
        Asked(Q.reminder.is_empty(), lambda c: not c.reminder),
        Asked(choice.is_(picked), lambda c: picked in texts(c)),
        Asked(choice.is_not(picked), lambda c: picked not in texts(c)),
        Asked(choice.is_empty(), lambda c: not texts(c)),
        Asked(choice.is_not_empty(), lambda c: bool(texts(c))),
        Asked(agreed.is_(truth), lambda c: word in of("reference")(c)),
        Asked(agreed.is_not(truth), lambda c: word not in of("reference")(c)),
        Asked(agreed.is_empty(), lambda c: not of("reference")(c)),
    ]
    return draw(st.sampled_from(cases))


def joined(inner: st.SearchStrategy[Asked]) -> st.SearchStrategy[Asked]:
    return st.one_of(
        st.tuples(inner, inner).map(
            lambda two: Asked(two[0].query & two[1].query, lambda c: two[0].fits(c) and two[1].fits(c))
        ),
        st.tuples(inner, inner).map(
            lambda two: Asked(two[0].query | two[1].query, lambda c: two[0].fits(c) or two[1].fits(c))
        ),
        inner.map(lambda one: Asked(~one.query, lambda c: not one.fits(c))),
    )


KINDS = [text_terms, stamp_terms, birthday_terms, number_terms, other_terms]


def searches(one: Small) -> st.SearchStrategy[Asked]:
    # A birthday over the turn of the year is two terms: five make ten at most.
    return st.recursive(st.one_of(*(kind(one) for kind in KINDS)), joined, max_leaves=5)


def check(seed: int, asked: Asked) -> None:
    """Ask the simulator, and read every contact."""
    one = small(seed)
    text = search_text(asked.query)
    found = ask(one.simulator, "/api/v1/contacts/ids", query=text, per_page=100)
    assert found.status == 200, (seed, text, found.body)
    wanted = {contact.id for contact in one.contacts if asked.fits(contact)}
    assert set(found.body["resources"]) == wanted, (seed, text)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 5), data=st.data())
def test_a_term_finds_what_a_plain_reading_finds(kind, seed, data):
    """One operator of one field finds the contacts that its meaning says, and no others."""
    check(seed, data.draw(kind(small(seed))))


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 5), data=st.data())
def test_a_search_finds_what_a_plain_reading_finds(seed, data):
    """Terms that are joined and negated find what their joined and negated meanings find."""
    check(seed, data.draw(searches(small(seed))))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 5), data=st.data())
def test_a_search_and_its_negation_share_the_account_out(seed, data):
    """Whatever a search is, each contact is found by it or by its negation, and by one only."""
    one = small(seed)
    query = data.draw(searches(one)).query
    found = [
        set(
            ask(one.simulator, "/api/v1/contacts/ids", query=search_text(each), per_page=100).body[
                "resources"
            ]
        )
        for each in (query, ~query)
    ]
    assert not found[0] & found[1]
    assert found[0] | found[1] == {contact.id for contact in one.contacts}
