"""What answers each operation of Nimble: the resources' handlers, put together."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from nimble_async.testing.call import Handler
from nimble_async.testing.nimble import (
    company,
    contact_changes,
    contact_fields,
    contact_notes,
    contact_proceedings,
    contact_tags,
    contacts,
    deal_files,
    deal_notes,
    deal_pipeline_fields,
    deal_pipelines,
    deal_tags,
    deals,
    leads,
    message_drafts,
    tasks,
    users,
)

__all__ = ["HANDLERS"]

HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        name: handler
        for module in (
            users,
            company,
            contacts,
            contact_changes,
            contact_notes,
            contact_tags,
            contact_proceedings,
            contact_fields,
            leads,
            tasks,
            deals,
            deal_tags,
            deal_files,
            deal_notes,
            deal_pipelines,
            deal_pipeline_fields,
            message_drafts,
        )
        for name, handler in module.HANDLERS.items()
    }
)
"""The handlers by the names of their operations."""
