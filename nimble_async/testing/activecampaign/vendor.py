"""ActiveCampaign as the simulator plays it: its table, its handlers, and its one header for the key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from nimble_async.activecampaign.catalog import OPERATIONS
from nimble_async.testing.activecampaign import deals, fields, people, pipelines, tasks
from nimble_async.testing.activecampaign.world import DealsWorld
from nimble_async.testing.call import Answer, Handler, json_answer
from nimble_async.testing.vendor import Vendor

__all__ = ["ACTIVECAMPAIGN", "HANDLERS"]

HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {**deals.HANDLERS, **fields.HANDLERS, **people.HANDLERS, **pipelines.HANDLERS, **tasks.HANDLERS}
)
"""What answers each operation, by name."""


def _door(
    headers: Mapping[str, str], query: Mapping[str, list[str]], valid: Callable[..., bool]
) -> Answer | None:
    """Refuse a missing or wrong key with 403: the vendor hardly uses 401."""
    del query
    if valid(headers.get("api-token", "")):
        return None
    return json_answer({"message": "You must provide a valid API token"}, 403)


ACTIVECAMPAIGN = Vendor(
    crm="activecampaign",
    operations=OPERATIONS,
    handlers=HANDLERS,
    door=_door,
    oauth=False,
    world=DealsWorld,
)
