"""Every operation of Nimble that this package knows, by name.

Rule: the modules are listed by hand; nothing is searched for. The table is what the reference, the
command line and the simulator read, so it costs no HTTP client to import.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from nimble_async._sansio.operation import Operation
from nimble_async.nimble.resources import contacts, deal_pipelines, deals, users

__all__ = ["OPERATIONS"]

_ALL: tuple[Operation[Any], ...] = (
    users.ME,
    contacts.LIST,
    contacts.LIST_IDS,
    contacts.GET,
    contacts.GET_MANY,
    deals.LIST,
    deals.GET,
    deal_pipelines.LIST,
    deal_pipelines.DEALS_BY_STAGE,
)

OPERATIONS: Mapping[str, Operation[Any]] = MappingProxyType({operation.name: operation for operation in _ALL})
"""The operations by their names, in the order of the reference."""
