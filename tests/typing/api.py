"""What a type checker tells a user: checked by mypy and pyright, never run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_type

from nimble_async import (
    ApiKey,
    ClientConfig,
    NimbleClient,
    OAuth,
    Page,
    Paginator,
    RateLimit,
    RateLimited,
    Reply,
    RetryPolicy,
    Timeouts,
)
from nimble_async.nimble.models.contacts import Contact
from nimble_async.nimble.models.deals import Deal
from nimble_async.nimble.models.pipelines import Pipeline
from nimble_async.nimble.models.users import Myself


def ways_to_build_a_client() -> None:
    """Accept a key, credentials, a limit and settings."""
    NimbleClient()
    NimbleClient(api_key="key", rate="10/1s")
    NimbleClient(credentials=ApiKey("key"), rate=RateLimit(10, 1))
    NimbleClient(
        credentials=OAuth(client_id="id", client_secret="secret", redirect_uri="http://127.0.0.1:8000/"),
        config=ClientConfig(timeouts=Timeouts(read=5), retries=RetryPolicy(attempts=2), concurrency=4),
    )


async def lists(nimble: NimbleClient) -> None:
    """Give the same record type whichever way a list is used."""
    contacts = nimble.contacts.list(record_type="person", sort="created:asc")
    assert_type(contacts, Paginator[Contact])
    assert_type(await contacts, Page[Contact])
    async for contact in contacts:
        assert_type(contact, Contact)
    async for page in nimble.deals.list(sort="name:asc").pages():
        assert_type(page, Page[Deal])
        assert_type(page.items, list[Deal])
        assert_type(await page.next(), Page[Deal] | None)
    async with nimble.contacts.list_ids().prefetch(pages=8) as ids:
        async for one in ids:
            assert_type(one, str)
    assert_type(await nimble.contacts.list().collect(limit=3), list[Contact])
    assert_type(await nimble.contacts.list().first(), Contact | None)
    assert_type(contacts.checkpoint(), str)
    assert_type(nimble.contacts.list(start=contacts.checkpoint()), Paginator[Contact])


async def single_calls(nimble: NimbleClient) -> None:
    """Give one record, several, or the raw reply."""
    assert_type(await nimble.users.me(), Myself)
    assert_type(await nimble.contacts.get("id"), Contact)
    assert_type(await nimble.contacts.get_many(["a", "b"]), list[Contact])
    assert_type(await nimble.deals.get("id"), Deal)
    assert_type(await nimble.deal_pipelines.list(), list[Pipeline])
    assert_type(nimble.deal_pipelines.deals_by_stage("id", sort="name:asc"), Paginator[Deal])
    reply = await nimble.with_options(lane="bulk", deadline=30).request("GET", "/api/v1/myself")
    assert_type(reply, Reply)
    assert_type(reply.headers, Mapping[str, str])
    assert_type(reply.decode(Myself), Myself)


async def accessors(contact: Contact) -> None:
    """Read naturally what people ask for most."""
    assert_type(contact.id, str)
    assert_type(contact.email, str | None)
    assert_type(contact.emails, tuple[str, ...])
    assert_type(contact.field("lead status", modifier="work"), str | None)


async def errors(nimble: NimbleClient) -> None:
    """Carry the data to act on."""
    try:
        await nimble.users.me()
    except RateLimited as error:
        assert_type(error.retry_after, float | None)
        assert_type(error.status, int)
