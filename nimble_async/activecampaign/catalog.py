"""Every operation of ActiveCampaign that this package knows, by name.

Rule: the modules are listed by hand; nothing is searched for. The table is what the reference, the
command line and the simulator read, so it costs no HTTP client to import.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from nimble_async._sansio.operation import Operation
from nimble_async.activecampaign.resources import (
    activities,
    custom_field_values,
    custom_fields,
    deals,
    pipelines,
    roles,
    secondary_contacts,
    stages,
    task_types,
    tasks,
    users,
)

__all__ = ["OPERATIONS"]

_ALL: tuple[Operation[Any], ...] = (
    users.ME,
    deals.LIST,
    deals.CREATE,
    deals.GET,
    deals.UPDATE,
    deals.DELETE,
    deals.UPDATE_OWNERS,
    deals.LIST_FOR_CONTACT,
    deals.CREATE_NOTE,
    deals.UPDATE_NOTE,
    secondary_contacts.LIST,
    secondary_contacts.CREATE,
    secondary_contacts.GET,
    secondary_contacts.UPDATE,
    secondary_contacts.DELETE,
    secondary_contacts.LIST_FOR_CONTACT,
    activities.LIST,
    custom_fields.LIST,
    custom_fields.CREATE,
    custom_fields.GET,
    custom_fields.UPDATE,
    custom_fields.DELETE,
    custom_field_values.LIST,
    custom_field_values.CREATE,
    custom_field_values.CREATE_MANY,
    custom_field_values.UPDATE_MANY,
    custom_field_values.GET,
    custom_field_values.UPDATE,
    custom_field_values.DELETE,
    pipelines.LIST,
    pipelines.CREATE,
    pipelines.GET,
    pipelines.UPDATE,
    pipelines.DELETE,
    stages.LIST,
    stages.CREATE,
    stages.GET,
    stages.UPDATE,
    stages.DELETE,
    stages.MOVE_DEALS,
    roles.LIST,
    roles.CREATE,
    roles.DELETE,
    tasks.LIST,
    tasks.CREATE,
    tasks.GET,
    tasks.UPDATE,
    tasks.DELETE,
    task_types.LIST,
    task_types.CREATE,
    task_types.GET,
    task_types.UPDATE,
    task_types.DELETE,
    task_types.MOVE_TASKS,
)

OPERATIONS: Mapping[str, Operation[Any]] = MappingProxyType({operation.name: operation for operation in _ALL})
"""The operations by their names, in the order of the reference."""
