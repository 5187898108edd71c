"""An asyncio client for the Nimble CRM API, and for ActiveCampaign's deals API.

    async with NimbleClient(api_key="...") as nimble:
        async for contact in nimble.contacts.list(sort="created:asc"):
            print(contact.id, contact.name, contact.email)

Names are imported when they are first used, so that `nimble-async --help` and the table of
operations cost no aiohttp.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nimble_async._version import __version__

if TYPE_CHECKING:
    from nimble_async._aio.credentials import ApiKey, OAuth
    from nimble_async._aio.event_log import log_events
    from nimble_async._aio.executor import Reply
    from nimble_async._aio.hooks import AttemptEnded, CallEnded, PageRead, TokenRenewed
    from nimble_async._aio.paginator import Page, Paginator
    from nimble_async._aio.ports import RateStore, SharedBudget, TokenSaver, TokenStore
    from nimble_async._sansio.tokens import TokenRecord, decode_record, encode_record
    from nimble_async.activecampaign.client import ActiveCampaignClient
    from nimble_async.config import ClientConfig, RateLimit, RetryPolicy, Timeouts
    from nimble_async.errors import (
        ActionRefused,
        CheckpointRefused,
        ConfigurationError,
        ConnectionFailed,
        CredentialsError,
        CrmError,
        DeadlineExceeded,
        DraftRefused,
        Forbidden,
        InvalidInput,
        JobBusy,
        JobError,
        LoginRefused,
        MalformedResponse,
        NotFound,
        OutputExists,
        OutputFailed,
        PagingBroken,
        QueryRefused,
        QuotaExceeded,
        RateLimited,
        ReauthRequired,
        RedirectRefused,
        ResponseError,
        ServerError,
        StoreError,
        TimedOut,
        TokenRefreshFailed,
        TransportError,
        Unauthorized,
    )
    from nimble_async.nimble.client import NimbleClient
    from nimble_async.nimble.models.activities import TaskDraft
    from nimble_async.nimble.models.contact_changes import ContactPatch
    from nimble_async.nimble.models.contact_drafts import ContactDraft
    from nimble_async.nimble.models.deal_drafts import DealDraft, DealPatch
    from nimble_async.nimble.models.fields import Address, Employment
    from nimble_async.nimble.models.messages import MessageDraft
    from nimble_async.nimble.models.pipeline_drafts import DealPipelineDraft
    from nimble_async.nimble.query import Q, Query
    from nimble_async.otel import OpenTelemetry
    from nimble_async.stores.file import FileStore
    from nimble_async.stores.keyring import KeyringStore
    from nimble_async.stores.memory import MemoryStore
    from nimble_async.stores.rates import FileRateStore, MemoryRateStore
    from nimble_async.stores.redis import RedisStore
    from nimble_async.stores.redis_budget import RedisBudget

_HOMES = {
    "_aio.credentials": ("ApiKey", "OAuth"),
    "_aio.event_log": ("log_events",),
    "_aio.executor": ("Reply",),
    "_aio.hooks": ("AttemptEnded", "CallEnded", "PageRead", "TokenRenewed"),
    "_aio.paginator": ("Page", "Paginator"),
    "_aio.ports": ("RateStore", "SharedBudget", "TokenSaver", "TokenStore"),
    "_sansio.tokens": ("TokenRecord", "decode_record", "encode_record"),
    "activecampaign.client": ("ActiveCampaignClient",),
    "config": ("ClientConfig", "RateLimit", "RetryPolicy", "Timeouts"),
    "errors": (
        "ActionRefused", "CheckpointRefused", "ConfigurationError", "ConnectionFailed", "CredentialsError",
        "CrmError", "DeadlineExceeded", "DraftRefused", "Forbidden", "InvalidInput", "JobBusy", "JobError",
        "LoginRefused", "MalformedResponse", "NotFound", "OutputExists", "OutputFailed", "PagingBroken",
        "QueryRefused", "QuotaExceeded", "RateLimited", "ReauthRequired", "RedirectRefused", "ResponseError",
        "ServerError", "StoreError", "TimedOut", "TokenRefreshFailed", "TransportError", "Unauthorized",
    ),
    "nimble.client": ("NimbleClient",),
    "nimble.models.activities": ("TaskDraft",),
    "nimble.models.contact_changes": ("ContactPatch",),
    "nimble.models.contact_drafts": ("ContactDraft",),
    "nimble.models.deal_drafts": ("DealDraft", "DealPatch"),
    "nimble.models.fields": ("Address", "Employment"),
    "nimble.models.messages": ("MessageDraft",),
    "nimble.models.pipeline_drafts": ("DealPipelineDraft",),
    "nimble.query": ("Q", "Query"),
    "otel": ("OpenTelemetry",),
    "stores.file": ("FileStore",),
    "stores.keyring": ("KeyringStore",),
    "stores.memory": ("MemoryStore",),
    "stores.rates": ("FileRateStore", "MemoryRateStore"),
    "stores.redis": ("RedisStore",),
    "stores.redis_budget": ("RedisBudget",),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "ActionRefused",
    "ActiveCampaignClient",
    "Address",
    "ApiKey",
    "AttemptEnded",
    "CallEnded",
    "CheckpointRefused",
    "ClientConfig",
    "ConfigurationError",
    "ConnectionFailed",
    "ContactDraft",
    "ContactPatch",
    "CredentialsError",
    "CrmError",
    "DeadlineExceeded",
    "DealDraft",
    "DealPatch",
    "DealPipelineDraft",
    "DraftRefused",
    "Employment",
    "FileRateStore",
    "FileStore",
    "Forbidden",
    "InvalidInput",
    "JobBusy",
    "JobError",
    "KeyringStore",
    "LoginRefused",
    "MalformedResponse",
    "MemoryRateStore",
    "MemoryStore",
    "MessageDraft",
    "NimbleClient",
    "NotFound",
    "OAuth",
    "OpenTelemetry",
    "OutputExists",
    "OutputFailed",
    "Page",
    "PageRead",
    "Paginator",
    "PagingBroken",
    "Q",
    "Query",
    "QueryRefused",
    "QuotaExceeded",
    "RateLimit",
    "RateLimited",
    "RateStore",
    "ReauthRequired",
    "RedirectRefused",
    "RedisBudget",
    "RedisStore",
    "Reply",
    "ResponseError",
    "RetryPolicy",
    "ServerError",
    "SharedBudget",
    "StoreError",
    "TaskDraft",
    "TimedOut",
    "Timeouts",
    "TokenRecord",
    "TokenRefreshFailed",
    "TokenRenewed",
    "TokenSaver",
    "TokenStore",
    "TransportError",
    "Unauthorized",
    "__version__",
    "decode_record",
    "encode_record",
    "log_events",
]


def __getattr__(name: str) -> Any:
    """Import a public name at its first use."""
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
