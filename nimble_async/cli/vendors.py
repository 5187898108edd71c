"""What differs between the vendors on the command line: variables, tables, clients, walks.

Rule: a vendor's own modules are imported when one of its commands runs, never for `--help`.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from functools import cached_property
from inspect import getmembers
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct

from nimble_async._sansio.operation import Operation

if TYPE_CHECKING:
    from nimble_async._sansio.walk import Walk
    from nimble_async.activecampaign.client import ActiveCampaignClient
    from nimble_async.nimble.client import NimbleClient

__all__ = ["VENDORS", "Client", "Vendor", "operations_of", "resources_of", "walks_of", "words_of"]

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


def walks_of(crm: str) -> Mapping[str, Walk]:
    """Return what `export` can read whole of a vendor's account."""
    if crm == "activecampaign":
        from nimble_async.activecampaign.walks import WALKS as OTHERS

        return OTHERS
    from nimble_async.nimble.walks import WALKS

    return WALKS
