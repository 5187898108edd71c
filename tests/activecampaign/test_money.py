"""Amounts: exact, with a currency, and never mistaken for whole dollars."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, Inexact, localcontext
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis.strategies import integers
from msgspec import UNSET

import nimble_async
from nimble_async._sansio.record import read_record
from nimble_async.activecampaign import (
    CustomFieldDraft,
    CustomFieldValue,
    CustomFieldValueDraft,
    CustomFieldValuePatch,
    Deal,
    DealDraft,
    DealPatch,
    Dollars,
    Money,
)
from nimble_async.activecampaign.models.bodies import members_of
from nimble_async.errors import QueryRefused
from tests.activecampaign.recording import connect


@pytest.mark.parametrize(
    ("amount", "cents"),
    [
        ("12.34", 1234),
        ("0", 0),
        (7, 700),
        (Decimal("0.1"), 10),
        ("-1.5", -150),
        ("90071992547409.93", 9007199254740993),
    ],
)
def test_an_amount_is_exact(amount: Any, cents: int):
    """Whole units become cents without a float in between, and come back as they were."""
    money = Money.of(amount, "USD")
    assert (money.cents, money.currency) == (cents, "usd")
    assert money.amount == Decimal(amount)
    assert Money.of(money.amount, "usd") == money


@pytest.mark.parametrize("amount", [1.5, "1.234", "x", "NaN", "Infinity", True, None])
def test_what_is_not_exact_is_refused(amount: Any):
    """A float, a third decimal or no number at all is no amount."""
    with pytest.raises(QueryRefused):
        Money.of(amount, "usd")


@pytest.mark.parametrize(
    ("cents", "currency"), [(1.0, "usd"), ("1", "usd"), (True, "usd"), (1, ""), (1, "us"), (1, None)]
)
def test_money_is_cents_and_a_code(cents: Any, currency: Any):
    """Cents are a whole number and a currency has three letters."""
    with pytest.raises(QueryRefused):
        Money(cents, currency)


def test_money_is_shown_with_its_currency():
    """What a person reads has two decimals and the code."""
    assert str(Money(5, "usd")) == "0.05 USD"
    assert str(Money(187215100, "eur")) == "1872151.00 EUR"


@pytest.mark.parametrize(
    ("value", "whole"), [(Dollars(3), 3), ("$100", 100), ("$ 7", 7), ("250 USD", 250), ("9usd", 9)]
)
def test_dollars_say_that_they_are(value: Any, whole: int):
    """The type, or a text with the unit, is whole dollars."""
    assert Dollars.read(value, "minimum_value") == Dollars(whole)


@pytest.mark.parametrize("value", [100, "100", 1.0, Money(100, "usd"), "100 EUR", "$1.50", "", None])
def test_a_bare_number_is_no_dollars(value: Any):
    """What could be meant in cents is refused, with a word on how to say it."""
    with pytest.raises(QueryRefused, match=r"Dollars\(100\)"):
        Dollars.read(value, "minimum_value")


@pytest.mark.parametrize("whole", [-1, 1.0, True, "1"])
def test_dollars_are_whole(whole: Any):
    """Dollars are a whole number from 0."""
    with pytest.raises(QueryRefused):
        Dollars(whole)


@pytest.mark.parametrize("value", [100, 1.0, "100", Dollars(100), None])
def test_a_deals_value_is_an_amount(value: Any):
    """Neither a number nor whole dollars can become a deal's value."""
    with pytest.raises(QueryRefused, match="Money"):
        DealDraft(title="x", value=value)
    with pytest.raises(QueryRefused, match="Money"):
        DealPatch(value=value)


@pytest.mark.parametrize("value", [100, "100", Money(100, "usd")])
async def test_a_filter_takes_no_cents(value: Any):
    """A list refuses a value filter that is not in dollars, before anything is sent."""
    client, recorder = connect(lambda sent: {"deals": []})
    async with client:
        with pytest.raises(QueryRefused, match="minimum_value"):
            _ = client.deals.list(minimum_value=value)
        with pytest.raises(QueryRefused, match="maximum_value"):
            _ = client.deals.list(maximum_value=value)
    assert recorder.sent == []
    assert str(Dollars(5)) == "5 USD"


@pytest.mark.parametrize("trap", [False, True])
@pytest.mark.parametrize("digits", [1, 6, 28])
async def test_the_programs_decimal_context_changes_no_cent(digits: int, trap: bool):
    """Whatever precision or traps the program has set, what is sent and read is exact."""
    with localcontext() as context:
        context.prec = digits
        context.traps[Inexact] = trap
        client, recorder = connect(
            lambda sent: {"deal": {"id": "1", "value": "123456789", "currency": "usd"}}
        )
        async with client:
            await client.deals.update("1", DealPatch(value=Money.of(Decimal("12345.67"), "usd")))
            read = (await client.deals.get("1")).value
        assert recorder.sent[0].body == {"deal": {"value": 1234567, "currency": "usd"}}
        assert read is not None
        assert (str(read), read.amount.as_tuple().digits) == ("1234567.89 USD", tuple(range(1, 10)))


@given(cents=integers(-(10**60), 10**60))
def test_any_amount_is_shown_and_read_exactly(cents: int):
    """Sixty digits, above and below nothing: text, Decimal and cents are the same amount."""
    money = Money(cents, "usd")
    assert Money.of(money.amount, "usd") == Money.of(str(money).removesuffix(" USD"), "usd") == money


@pytest.mark.parametrize(
    "amount", ["--5", "1e400", "1_000", "1,000", "²", "٣", "", ".", "-", Decimal("1e999999")]
)
def test_amounts_are_plain_digits(amount: Any):
    """What is no plain number is refused at once, however large it claims to be."""
    with pytest.raises(QueryRefused):
        Money.of(amount, "usd")


def test_cents_have_an_end():
    """A hundred digits are more than any amount."""
    assert str(Money(10**100 - 1, "usd")).startswith("9999")
    with pytest.raises(QueryRefused, match="100 digits"):
        Money(-(10**100), "usd")


def test_amounts_of_one_currency_are_added_and_compared():
    """Of two currencies, or with a number, they are not."""
    one, two = Money(100, "USD"), Money(250, "usd")
    assert (one + two, two - one, one < two, two <= Money(250, "usd"), two > one, one >= two) == (
        Money(350, "usd"), Money(150, "usd"), True, True, True, False
    )  # fmt: skip
    assert max(one, two) == two
    others: list[Any] = [Money(1, "eur"), 5]
    for other in others:
        for act in (one.__add__, one.__sub__, one.__lt__, one.__le__, one.__gt__, one.__ge__):
            with pytest.raises(QueryRefused):
                act(other)


@pytest.mark.parametrize(
    ("value", "money"),
    [
        ("500", 500), (500, 500), ("500.00", 500), (500.0, 500), ("-5", -5),
        (9007199254740993, 9007199254740993), ("9007199254740993.0", 9007199254740993),
        ("--5", None), ("²", None), ("12.5", None), ("", None),
        (True, None), (None, None), ([5], None), ("x", None), ("9" * 101, None),
    ],
)  # fmt: skip
def test_the_money_of_a_value_is_exact_or_none(value: Any, money: int | None):
    """Text that only looks like a number is no amount, and one that looks like a float loses no cent."""
    row = msgspec.json.encode({"id": "1", "fieldValue": value, "fieldCurrency": "usd"})
    found = read_record(CustomFieldValue, row).money
    assert (found and found.cents) == money


@pytest.mark.parametrize(
    ("value", "cents"), [("9007199254740993.0", 9007199254740993), ("12.5", UNSET), (12.0, 12)]
)
def test_a_deals_cents_are_exact(value: Any, cents: Any):
    """A value that looks like a float is read digit by digit; half a cent is not read."""
    row = msgspec.json.encode({"id": "1", "value": value, "currency": "usd"})
    assert read_record(Deal, row).cents == cents


CONTRADICTIONS: list[Any] = [
    CustomFieldValueDraft(field_id="1", value=Money(5, "usd"), currency="eur"),
    CustomFieldValuePatch(value=Money(5, "usd"), currency="eur"),
    CustomFieldDraft(label="x", kind="currency", default=Money(5, "usd"), default_currency="eur"),
    {"value": Money(5, "usd"), "currency": "eur"},
    {"fields": [{"fieldValue": Money(5, "usd"), "fieldCurrency": "eur"}]},
    {"fieldValue": (Money(5, "usd"),)},
]


@pytest.mark.parametrize("body", CONTRADICTIONS)
def test_two_currencies_of_one_amount_are_refused(body: Any):
    """The one in the amount and the one beside it say different things, or there is no place for it."""
    with pytest.raises(QueryRefused):
        members_of(body)


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ({"value": Money(5, "usd")}, {"value": 5, "currency": "usd"}),
        ({"currency": "USD", "value": Money(5, "usd")}, {"currency": "usd", "value": 5}),
        ({"value": Money(5, "usd"), "currency": None}, {"value": 5, "currency": "usd"}),
        ({"fields": [{"customFieldId": 1, "fieldValue": Money(5, "eur")}]},
         {"fields": [{"customFieldId": 1, "fieldValue": 5, "fieldCurrency": "eur"}]}),
        ({"fieldValue": date(2026, 1, 2)}, {"fieldValue": "2026-01-02"}),
        ({"fieldDefault": Money(5, "usd")}, {"fieldDefault": 5, "fieldDefaultCurrency": "usd"}),
    ],
)  # fmt: skip
def test_an_amount_in_a_mapping_brings_its_currency(body: Any, sent: Any):
    """A mapping in the vendor's words may hold amounts and dates: they are spelled as in a draft."""
    assert members_of(body) == sent


def test_a_draft_of_the_other_vendor_is_refused_with_words():
    """`nimble_async.DealDraft` is Nimble's: the error says where this vendor's is."""
    draft = nimble_async.DealDraft(name="x", pipeline_id="p", stage_id="s")
    with pytest.raises(QueryRefused, match=r"nimble_async\.activecampaign"):
        members_of(draft)
    with pytest.raises(QueryRefused, match=r"not a builtins\.list"):
        members_of([])
