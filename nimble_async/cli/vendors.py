"""What differs between the vendors on the command line: variables, tables, clients, walks.

Rule: a vendor's own modules are imported when one of its commands runs, never for `--help`.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import cached_property
from inspect import getmembers, isfunction
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct

from nimble_async._sansio.operation import Operation
from nimble_async.cli.exits import UsageError

if TYPE_CHECKING:
    from nimble_async._sansio.walk import Walk
    from nimble_async.activecampaign.client import ActiveCampaignClient
    from nimble_async.nimble.client import NimbleClient

__all__ = [
    "VENDORS",
    "Client",
    "Vendor",
    "find",
    "method_of",
    "operations_of",
    "resources_of",
    "walks_of",
    "words_of",
]

Client: TypeAlias = "NimbleClient | ActiveCampaignClient"


class Vendor(Struct, frozen=True, kw_only=True):
    """One vendor's words."""

    crm: str
    title: str
    address: str
    """The variable that holds the base URL."""
    key: str
    """The variable that holds the key."""
    key_name: str
    key_place: str
    """Where a person finds the key."""
    default_address: str = ""
    """The base URL where none is given; empty where each account has its own."""
    whoami: str
    """The path that says whose key it is."""
    exports: tuple[str, ...]


VENDORS: Mapping[str, Vendor] = MappingProxyType(
    {
        "nimble": Vendor(
            crm="nimble", title="Nimble", address="NIMBLE_BASE_URL", key="NIMBLE_API_KEY",
            key_name="an API key", key_place="Nimble: Settings > API Token",
            default_address="https://app.nimble.com", whoami="/api/v1/myself",
            exports=("contacts", "deals"),
        ),
        "activecampaign": Vendor(
            crm="activecampaign", title="ActiveCampaign", address="ACTIVECAMPAIGN_URL",
            key="ACTIVECAMPAIGN_API_TOKEN", key_name="an API token",
            key_place="ActiveCampaign: Settings > Developer", whoami="/api/3/users/me", exports=("deals",),
        ),
    }
)  # fmt: skip


def operations_of(crm: str) -> Mapping[str, Operation[Any]]:
    """Return a vendor's table of operations."""
    if crm == "activecampaign":
        from nimble_async.activecampaign.catalog import OPERATIONS as OTHERS

        return OTHERS
    from nimble_async.nimble.catalog import OPERATIONS

    return OPERATIONS


def words_of(crm: str) -> Callable[[Operation[Any], Any], Any] | None:
    """Return what makes a body in a vendor's own words into our arguments; None where they are the same."""
    if crm == "activecampaign":
        from nimble_async.activecampaign.bodies import arguments_in

        return arguments_in
    return None


def resources_of(crm: str) -> Mapping[str, type]:
    """Return the class of each of a vendor's resources by its name, as the client has them."""
    found = getmembers(_client_of(crm), lambda member: isinstance(member, cached_property))
    return {name: typing.get_type_hints(member.func)["return"] for name, member in found}


def _client_of(crm: str) -> type:
    if crm == "activecampaign":
        from nimble_async.activecampaign.client import ActiveCampaignClient

        return ActiveCampaignClient
    from nimble_async.nimble.client import NimbleClient

    return NimbleClient


def find(name: str, crm: str = "nimble") -> Operation[Any]:
    """Return the operation of this name; dashes may stand for underscores.

    Raises:
        UsageError: There is none; the message names the nearest.
    """
    table = operations_of(crm)
    operation = table.get(name.replace("-", "_"))
    if operation is None:
        near = get_close_matches(name, table, n=3, cutoff=0.5)
        hint = f"Did you mean {' or '.join(near)}?" if near else "See `nimble-async operations`."
        raise UsageError(f"There is no operation {name!r}.", hint=hint)
    return operation


def method_of(operation: Operation[Any], crm: str = "nimble") -> Callable[..., Any]:
    """Return the typed method of an operation, unbound."""
    resource, _, verb = operation.name.partition(".")
    return dict(getmembers(resources_of(crm)[resource], isfunction))[verb]


def walks_of(crm: str) -> Mapping[str, Walk]:
    """Return what `export` can read whole of a vendor's account."""
    if crm == "activecampaign":
        from nimble_async.activecampaign.walks import WALKS as OTHERS

        return OTHERS
    from nimble_async.nimble.walks import WALKS

    return WALKS
