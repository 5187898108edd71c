"""Amounts: exact, with a currency, and never mistaken for whole dollars."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from nimble_async.activecampaign import DealDraft, DealPatch, Dollars, Money
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
