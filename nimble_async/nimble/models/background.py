"""Work that the vendor goes on with after its answer.

Rule: it is told of as push data, and no documented route asks how far it is.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from msgspec import UNSET, UnsetType

from nimble_async._sansio.record import Member, Record

__all__ = ["PushData", "RemovedContacts", "RemovedData"]


class PushData(Record, frozen=True, kw_only=True):
    """A message that the vendor also pushes to its own pages."""

    id: str | UnsetType | None = UNSET
    action: str | UnsetType | None = UNSET
    object_type: str | UnsetType | None = UNSET
    created: datetime | UnsetType | None = UNSET
    is_new: bool | UnsetType | None = UNSET
    content: ClassVar[Member[Any]] = Member(object, name="object")
    """Depends on `object_type` and `action`: whatever came."""


class RemovedData(Record, frozen=True, kw_only=True):
    """What was removed, and the message about it."""

    ids: tuple[str, ...] | UnsetType | None = UNSET
    push_data: ClassVar[Member[PushData]] = Member.of(PushData)


class RemovedContacts(Record, frozen=True, kw_only=True):
    """The answer to a removal of many contacts; the vendor may still be at work on it."""

    status: str | UnsetType | None = UNSET
    data: ClassVar[Member[RemovedData]] = Member.of(RemovedData)

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the contacts that are removed; none where the answer does not say."""
        return (self.data.ids or ()) if self.data else ()
