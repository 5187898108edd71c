"""What happened to deals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from msgspec import UNSET, UnsetType

from nimble_async._sansio.record import AnyId, Member, Record
from nimble_async.activecampaign.models import wire

__all__ = ["Activity"]


class Activity(Record, frozen=True, kw_only=True):
    """One entry of a deal's log."""

    id: AnyId
    data_type: ClassVar[Member[str]] = Member(str, name="dataType")
    """What it is about, such as `task`, `note` or `userid`."""
    data_id: ClassVar[Member[str]] = wire.ident("dataId")
    data_action: ClassVar[Member[str]] = Member(str, name="dataAction")
    data_old_value: ClassVar[Member[str]] = Member(str, name="dataOldval")
    deal_id: ClassVar[Member[str]] = wire.ident("deal")
    stage_id: ClassVar[Member[str]] = wire.ident("stage")
    user_id: ClassVar[Member[str]] = wire.ident("user")
    automation_id: ClassVar[Member[str]] = wire.ident("automation")
    series_id: ClassVar[Member[str]] = wire.ident("seriesid")
    deleted: ClassVar[Member[bool]] = wire.flag()
    adds_task: ClassVar[Member[bool]] = wire.flag("isAddtask")
    created: ClassVar[Member[datetime]] = wire.moment("cdate")
    sorted_at: ClassVar[Member[datetime]] = wire.moment("sortdate")
    d_id: str | UnsetType | None = UNSET
    """The deal again, as the vendor's older parts name it; so are the two below."""
    d_stageid: str | UnsetType | None = UNSET
    userid: str | UnsetType | None = UNSET
    links: ClassVar[Member[Mapping[str, Any]]] = wire.links()
