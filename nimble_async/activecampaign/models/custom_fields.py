"""Definitions of custom fields of deals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal

from msgspec import UNSET, UnsetType, field

from nimble_async._sansio.record import AnyId, Member, Record
from nimble_async.activecampaign.models import wire
from nimble_async.activecampaign.models.bodies import Body
from nimble_async.activecampaign.models.money import Money

__all__ = ["CustomField", "CustomFieldDraft", "CustomFieldKind", "CustomFieldPatch"]

CustomFieldKind = Literal[
    "text", "textarea", "date", "datetime", "dropdown", "multiselect", "radio", "checkbox", "hidden",
    "currency", "number",
]  # fmt: skip


class CustomField(Record, frozen=True, kw_only=True):
    """A custom field of deals."""

    id: AnyId
    label: ClassVar[Member[str]] = Member(str, name="fieldLabel")
    kind: ClassVar[Member[str]] = Member(str, name="fieldType")
    """`text`, `date`, `dropdown`, `currency`, ..."""
    options: ClassVar[Member[tuple[Any, ...]]] = Member(tuple[Any, ...], name="fieldOptions")
    """The choices; None where it has none."""
    default: ClassVar[Member[Any]] = Member(object, name="fieldDefault")
    """In cents for a currency."""
    default_currency: ClassVar[Member[str]] = Member(str, name="fieldDefaultCurrency")
    on_forms: ClassVar[Member[bool]] = wire.flag("isFormVisible")
    required: ClassVar[Member[bool]] = wire.flag("isRequired")
    hidden: ClassVar[Member[bool]] = wire.flag("hideFieldFlag")
    order: ClassVar[Member[int]] = wire.whole("displayOrder")
    personalization: str | UnsetType | None = UNSET
    """The tag that stands for its value in messages."""
    known_field_id: ClassVar[Member[str]] = wire.ident("knownFieldId")
    created: ClassVar[Member[datetime]] = wire.moment("createdTimestamp")
    """Without a zone, like `updated`: the vendor does not say which one it means."""
    updated: ClassVar[Member[datetime]] = wire.moment("updatedTimestamp")
    links: ClassVar[Member[Mapping[str, Any]]] = wire.links()

    @property
    def name(self) -> str:
        """The label; empty where it has none."""
        return self.label or ""


class CustomFieldPatch(Body, frozen=True, kw_only=True):
    """What changes in a custom field; its kind cannot."""

    beside: ClassVar[tuple[str, ...]] = ("fieldDefaultCurrency",)

    label: str | UnsetType = field(name="fieldLabel", default=UNSET)
    options: tuple[str, ...] | UnsetType = field(name="fieldOptions", default=UNSET)
    default: str | Money | tuple[str, ...] | UnsetType | None = field(name="fieldDefault", default=UNSET)
    on_forms: bool | UnsetType = field(name="isFormVisible", default=UNSET)
    order: int | UnsetType = field(name="displayOrder", default=UNSET)


class CustomFieldDraft(CustomFieldPatch, frozen=True, kw_only=True):
    """A custom field to make."""

    label: str = field(name="fieldLabel")
    kind: CustomFieldKind = field(name="fieldType")
    required: bool | UnsetType = field(name="isRequired", default=UNSET)
    default_currency: str | UnsetType | None = field(name="fieldDefaultCurrency", default=UNSET)
    """Of a currency field without a default; a default of `Money` brings its own."""
