"""The other vendor's public types, for the type checkers: nothing here runs."""

from __future__ import annotations

from typing import assert_type

from nimble_async import ActiveCampaignClient, Page, Paginator
from nimble_async.activecampaign import (
    BulkReport,
    CustomFieldValue,
    CustomFieldValueDraft,
    Deal,
    DealDraft,
    DealPatch,
    Dollars,
    Money,
    Pipeline,
    Stage,
    Task,
)
from nimble_async.activecampaign.models.users import User


async def records(client: ActiveCampaignClient) -> None:
    """Give the same record type whichever way a list is used, and each call's own."""
    deals = client.deals.list(
        status="won", minimum_value=Dollars(100), orders={"cdate": "DESC"}, include=["contact"]
    )
    assert_type(deals, Paginator[Deal])
    page = await deals
    assert_type(page, Page[Deal])
    assert_type(page.items, list[Deal])
    assert_type(page.beside("dealCustomFieldData", CustomFieldValue), list[CustomFieldValue])
    async for deal in deals:
        assert_type(deal.value, Money | None)
        assert_type(deal.custom_values, tuple[CustomFieldValue, ...])
        assert_type(deal.stage, Stage | None)
    assert_type(await client.users.me(), User)
    assert_type(await client.deals.create(DealDraft(title="x", value=Money(1234, "usd"))), Deal)
    assert_type(await client.deals.update("1", DealPatch(status="won", description=None)), Deal)
    assert_type(await client.deals.update("1", {"title": "x"}), Deal)
    assert_type(await client.deals.update_owners({"1": "2"}), BulkReport)
    assert_type(await client.stages.move_deals("1", "2"), list[Deal])
    assert_type(await client.task_types.move_tasks("1", "2"), list[Task])
    assert_type(await client.pipelines.list().first(), Pipeline | None)
    rows = [CustomFieldValueDraft(deal_id="1", field_id="2", value=("a",))]
    assert_type(await client.custom_field_values.create_many(rows), BulkReport)
    assert_type(client.with_options(lane="bulk"), ActiveCampaignClient)


def money_and_dollars(client: ActiveCampaignClient) -> None:
    """Take neither in the other's place, and no bare number."""
    client.deals.list(minimum_value=Money(1, "usd"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.deals.list(maximum_value=100)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    DealDraft(title="x", value=Dollars(1))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    DealDraft(title="x", value=100)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.deals.list(orders={"name": "ASC"})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
    client.deals.list(status="Won")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
