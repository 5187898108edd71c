"""What a type checker tells a user: checked by mypy and pyright, never run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, assert_type

from msgspec import UnsetType

from nimble_async import (
    ActionRefused,
    ApiKey,
    AttemptEnded,
    CallEnded,
    ClientConfig,
    CrmError,
    FileStore,
    InvalidInput,
    KeyringStore,
    MalformedResponse,
    MemoryStore,
    NimbleClient,
    NotFound,
    OAuth,
    Page,
    PageRead,
    Paginator,
    Q,
    Query,
    RateLimit,
    RateLimited,
    Reply,
    ResponseError,
    RetryPolicy,
    ServerError,
    Timeouts,
    TokenRenewed,
    TransportError,
)
from nimble_async.errors import FieldError
from nimble_async.jobs.certificate import Certificate
from nimble_async.jobs.export import export
from nimble_async.nimble.client import ClientStatistics
from nimble_async.nimble.models.contacts import Contact
from nimble_async.nimble.models.deals import Deal
from nimble_async.nimble.models.fields import Address, FieldValue
from nimble_async.nimble.models.pipelines import Pipeline, Stage
from nimble_async.nimble.models.typed import DateField
from nimble_async.nimble.models.users import Myself, User
from nimble_async.nimble.walks import CONTACTS
from nimble_async.testing import (
    ServedSimulator,
    Simulator,
    SimulatorTransport,
    VirtualClock,
    World,
    run_virtual,
)


class Viewed(Contact, frozen=True, kw_only=True):
    """A view with one typed field."""

    since: ClassVar[DateField] = DateField("since")


def ways_to_build_a_client() -> None:
    """Accept a key, credentials, a limit and settings."""
    NimbleClient()
    NimbleClient(api_key="key", rate="10/1s")
    NimbleClient(credentials=ApiKey("key"), rate=RateLimit(10, 1))
    NimbleClient(
        credentials=OAuth(client_id="id", client_secret="secret", redirect_uri="http://127.0.0.1:8000/"),
        config=ClientConfig(timeouts=Timeouts(read=5), retries=RetryPolicy(attempts=2), concurrency=4),
    )
    NimbleClient(api_key="key", transport=SimulatorTransport(Simulator()), clock=VirtualClock())
    NimbleClient(api_key="key", config=ClientConfig(hooks=(events,)))


def events(event: AttemptEnded | CallEnded | PageRead | TokenRenewed) -> None:
    """Tell a hook what happened, in values of one type each."""
    assert_type(event.operation, str)
    if isinstance(event, AttemptEnded):
        assert_type(event.status, int | None)
    elif isinstance(event, CallEnded):
        assert_type(event.error, str | None)
        assert_type(event.seconds, float)
    elif isinstance(event, PageRead):
        assert_type(event.rows, int)
    else:
        assert_type(event, TokenRenewed)


async def life_of_a_client() -> None:
    """Open and close a client, look at it, and keep its own type in a view."""
    async with NimbleClient(api_key="key", rate=None) as nimble:
        assert_type(nimble, NimbleClient)
        assert_type(nimble.with_options(lane="interactive"), NimbleClient)
        assert_type(nimble.statistics(), ClientStatistics)
        assert_type(nimble.statistics().connections, int)


async def logins(folder: Path) -> None:
    """Begin a login, end it, and keep it where it was asked to be."""
    oauth = OAuth(client_id="id", client_secret="secret", token="refresh", store=MemoryStore())
    OAuth(client_id="id", client_secret="secret", store=FileStore(folder / "token.json"), state="optional")
    OAuth(client_id="id", client_secret="secret", store=KeyringStore("ada", folder=folder))
    login = oauth.authorization_url(scope="basic,contacts")
    assert_type(login.url, str)
    assert_type(login.state, str)
    await oauth.exchange("code", state=login.state)
    record = await oauth.exchange("https://example.com/callback?code=1", login=login)
    assert_type(record.gen, int)
    OAuth(client_id="id", client_secret="secret", token=record, store=MemoryStore(record))


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
    query = Q.field("lead status").is_("Open") & Q.created.last(days=7)
    assert_type(query, Query)
    assert_type(nimble.contacts.list(query=query, view=Viewed), Paginator[Viewed])


async def single_calls(nimble: NimbleClient) -> None:
    """Give one record, several, or the raw reply."""
    assert_type(await nimble.users.me(), Myself)
    assert_type(await nimble.contacts.get("id"), Contact)
    assert_type(await nimble.contacts.get_many(["a", "b"]), list[Contact])
    assert_type((await nimble.contacts.get("id", view=Viewed)).since, date | None)
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
    assert_type(contact.values("lead status"), tuple[FieldValue, ...])
    assert_type(contact.name, str)
    assert_type(contact.phone, str | None)
    assert_type(contact.address, Address | None)
    assert_type(contact.created, datetime | UnsetType | None)
    assert_type(contact.tags, tuple[str, ...] | UnsetType | None)
    assert_type(contact.fields, Mapping[str, tuple[FieldValue, ...]] | UnsetType | None)
    assert_type(contact.raw, bytes)
    assert_type(contact.unknown, Mapping[str, Any])
    assert_type(contact.unread, Mapping[str, bytes])
    assert_type(contact.as_dict(), dict[str, Any])


async def accessors_of_deals(deal: Deal) -> None:
    """Read a deal as naturally as a contact."""
    assert_type(deal.id, str)
    assert_type(deal.name, str)
    assert_type(deal.amount, Decimal | None)
    assert_type(deal.expected_close_date, date | None)
    assert_type(deal.pipeline_id, str | None)
    assert_type(deal.stage, Stage | None)
    assert_type(deal.owner, User | UnsetType | None)
    assert_type(deal.values("amount"), tuple[FieldValue, ...])


async def whole_accounts(nimble: NimbleClient) -> None:
    """Move every record, and hold the proof."""
    done = await export(nimble.executor, CONTACTS, to=Path("contacts.jsonl"), clock=VirtualClock())
    assert_type(done, Certificate)
    assert_type(done.delivered, int)


def simulated_accounts() -> None:
    """Serve an account to other code, or join it in process on virtual time."""
    with ServedSimulator(Simulator(World(contacts=10))) as served:
        assert_type(served.base_url, str)
        assert_type(served.api_key, str)
    run_virtual(lists(NimbleClient(api_key="key", transport=SimulatorTransport(Simulator()))))


async def errors(nimble: NimbleClient) -> None:
    """Carry the data to act on."""
    try:
        await nimble.users.me()
    except RateLimited as error:
        assert_type(error.retry_after, float | None)
        assert_type(error.status, int)
    except ServerError as error:
        assert_type(error.retry_after, float | None)
    except NotFound as error:
        assert_type((error.kind, error.id), tuple[str, str])
    except InvalidInput as error:
        assert_type(error.fields, tuple[FieldError, ...])
    except ActionRefused as error:
        assert_type(error.reason, str)
    except ResponseError as error:
        assert_type(error.code, int | str | None)
        assert_type(error.headers, dict[str, str])
        assert_type(error.body, bytes)
    except TransportError as error:
        assert_type(error.sent, bool)
    except MalformedResponse as error:
        assert_type(error.path, str)
    except CrmError as error:
        assert_type((error.message, error.hint), tuple[str, str])
