"""How Nimble's contacts and deals are read whole.

Contacts can be filtered and sorted by `created`, which never changes. Deals refuse that order
(409), and how `deals.list` goes on beyond `limit` is not documented: one answer, or stage by stage.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from nimble_async._sansio.walk import GroupWalk, OrderedWalk, SnapshotWalk, Walk
from nimble_async.nimble.resources import contacts, deal_pipelines, deals
from nimble_async.nimble.resources.arguments import search_text

__all__ = ["CONTACTS", "DEALS", "WALKS"]


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _between(query: Mapping[str, Any], start: int | None, end: int | None) -> dict[str, Any]:
    """Add a range of `created` to the user's search; it takes one of the eleven terms.

    Raises:
        QueryRefused: The vendor would refuse the search, or it has no term to spare.
    """
    search = search_text(query.get("query"))
    if start is None or end is None:
        return {**query, "query": search}
    ends = f'{{"start_datetime":"{_moment(start)}","end_datetime":"{_moment(end)}"}}'
    term = f'{{"created":{{"range":{ends}}}}}'
    if search is not None:
        term = f'{{"and":[{search},{term}]}}'
    return {**query, "query": search_text(term)}


CONTACTS = OrderedWalk(
    crm="nimble",
    resource="contacts",
    listing=contacts.LIST,
    ascending=MappingProxyType({"sort": "created:asc"}),
    descending=MappingProxyType({"sort": "created:desc"}),
    narrow=_between,
    members=contacts.GET_MANY,
)

DEALS = SnapshotWalk(
    crm="nimble",
    resource="deals",
    listing=deals.LIST,
    query=MappingProxyType({"sort": "name:asc"}),
    id="deal_id",
    groups=GroupWalk(
        parents=deal_pipelines.LIST,
        parent_id="pipeline_id",
        archived="archived_at",
        listing=deal_pipelines.DEALS_BY_STAGE,
        slot="pipeline_id",
        query=MappingProxyType({"sort": "name:asc"}),
    ),
)

WALKS: Mapping[str, Walk] = MappingProxyType({"contacts": CONTACTS, "deals": DEALS})
"""What `export` can read whole, by the resource's name."""
