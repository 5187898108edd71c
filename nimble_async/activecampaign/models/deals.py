"""Deals and their notes.

Rule: only the id is required. A key that may not see a deal's pipeline gets `{id, title,
isDisabled}` with status 200, in lists and single reads alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal

from msgspec import UNSET, UnsetType, field

from nimble_async._sansio.record import AnyId, Member, Record
from nimble_async.activecampaign.models import wire
from nimble_async.activecampaign.models.bodies import Body
from nimble_async.activecampaign.models.contacts import Contact
from nimble_async.activecampaign.models.custom_field_values import CustomFieldValue, CustomFieldValueDraft
from nimble_async.activecampaign.models.money import Money
from nimble_async.activecampaign.models.stages import Stage
from nimble_async.errors import QueryRefused

__all__ = ["DEAL_STATUS", "Deal", "DealDraft", "DealNote", "DealPatch", "DealStatus"]

DealStatus = Literal["open", "won", "lost"]
DEAL_STATUS: Mapping[str, int] = {"open": 0, "won": 1, "lost": 2}
"""How the choices travel."""


class Deal(Record, frozen=True, kw_only=True):
    """A deal.

    What the server left out is `UNSET`, what it sent as null is None. `raw` has the bytes it sent,
    `unknown` the members that are not named here, `unread` those of an unexpected type.
    """

    id: AnyId
    title: str | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET
    currency: str | UnsetType | None = UNSET
    hash: str | UnsetType | None = UNSET
    cents: ClassVar[Member[int]] = wire.whole("value")
    """The value in cents of its currency; `value` is the amount."""
    status: ClassVar[Member[str]] = wire.word(DEAL_STATUS)
    """`open`, `won` or `lost`; the digits of any other."""
    pipeline_id: ClassVar[Member[str]] = wire.ident("group")
    stage_id: ClassVar[Member[str]] = wire.ident("stage")
    owner_id: ClassVar[Member[str]] = wire.ident("owner")
    contact_id: ClassVar[Member[str]] = wire.ident("contact")
    account_id: ClassVar[Member[str]] = wire.ident("account")
    customer_account_id: ClassVar[Member[str]] = wire.ident("customerAccount")
    organization_id: ClassVar[Member[str]] = wire.ident("organization")
    percent: ClassVar[Member[int | float]] = wire.number()
    win_probability: ClassVar[Member[int | float]] = wire.number("winProbability")
    win_probability_updated: ClassVar[Member[datetime]] = wire.moment("winProbabilityMdate")
    activity_count: ClassVar[Member[int]] = wire.whole("activitycount")
    next_task_id: ClassVar[Member[str]] = wire.ident("nextTask")
    next_task_id_too: ClassVar[Member[str]] = wire.ident("nexttaskid")
    next_deal_id: ClassVar[Member[str]] = wire.ident("nextdealid")
    next_task_due: ClassVar[Member[datetime]] = wire.moment("nextdate")
    """When its next task is due: no expected close date, though it is often taken for one."""
    created: ClassVar[Member[datetime]] = wire.moment("cdate")
    """With the account's offset: convert it before a day is cut out of it."""
    updated: ClassVar[Member[datetime]] = wire.moment("mdate")
    edited: ClassVar[Member[datetime]] = wire.moment("edate")
    """Moves with every edit, so it is not when the deal was won; has no zone; None for the zero date."""
    disabled: ClassVar[Member[bool]] = wire.flag("isDisabled")
    fields: ClassVar[Member[tuple[Any, ...]]] = Member(tuple[Any, ...])
    """Values of custom fields as an answer to a write repeats them; `custom_values` has those read."""
    links: ClassVar[Member[Mapping[str, Any]]] = wire.links()

    @property
    def name(self) -> str:
        """The title; empty where it has none."""
        return self.title or ""

    @property
    def value(self) -> Money | None:
        """The amount; None where no value or no currency came."""
        if not isinstance(self.cents, int) or not self.currency:
            return None
        try:
            return Money(self.cents, self.currency)
        except QueryRefused:
            return None

    @property
    def hidden(self) -> bool:
        """Whether this is all that may be seen of it, since its pipeline is closed to the key's user.

        Then what the vendor sends of other deals (`created`, `stage_id`, ...) is UNSET, which is false in a
        condition, and what is made of it (`value`, `stage`, `contact`) is None.
        """
        return bool(self.disabled) and self.stage_id is UNSET and self.pipeline_id is UNSET

    @property
    def custom_values(self) -> tuple[CustomFieldValue, ...]:
        """Its values of custom fields; none unless `include=["dealCustomFieldData"]` was asked for."""
        return self.beside("dealCustomFieldData", CustomFieldValue)

    def custom_value(self, field_id: str) -> CustomFieldValue | None:
        """Return its value of one custom field; None where none came."""
        return next((value for value in self.custom_values if value.field_id == field_id), None)

    @property
    def contact(self) -> Contact | None:
        """Its primary contact; None unless it came beside the deal (`include=["contact"]`, or a write)."""
        return next((one for one in self.beside("contacts", Contact) if one.id == self.contact_id), None)

    @property
    def stage(self) -> Stage | None:
        """Its stage; None unless it came beside the deal, as after a write."""
        return next((one for one in self.beside("dealStages", Stage) if one.id == self.stage_id), None)


class _DealMembers(Body, frozen=True, kw_only=True):
    """What a draft and a patch of a deal have alike."""

    words: ClassVar[Mapping[str, Mapping[str, int]]] = {"status": DEAL_STATUS}
    beside: ClassVar[tuple[str, ...]] = ("currency",)

    value: Money | UnsetType = UNSET
    """Sent as cents and the currency."""
    description: str | UnsetType | None = UNSET
    account_id: str | UnsetType | None = field(name="account", default=UNSET)
    contact_id: str | UnsetType | None = field(name="contact", default=UNSET)
    pipeline_id: str | UnsetType = field(name="group", default=UNSET)
    stage_id: str | UnsetType = field(name="stage", default=UNSET)
    owner_id: str | UnsetType = field(name="owner", default=UNSET)
    percent: int | UnsetType | None = UNSET
    status: DealStatus | UnsetType = UNSET
    fields: tuple[CustomFieldValueDraft, ...] | UnsetType = UNSET
    """Values of custom fields, set in the same call."""

    def __post_init__(self) -> None:
        """Refuse a bare number for a value: it could be meant in cents or in whole units."""
        if self.value is not UNSET and not isinstance(self.value, Money):
            raise QueryRefused(
                f"A deal's value is an amount, not {self.value!r}.", hint="Use Money.of('12.34', 'usd')."
            )


class DealPatch(_DealMembers, frozen=True, kw_only=True):
    """What changes in a deal."""

    title: str | UnsetType = UNSET


class DealDraft(_DealMembers, frozen=True, kw_only=True):
    """A deal to make.

    The vendor wants a pipeline or a stage, a contact or an account, a value, and an owner unless the
    pipeline assigns one.
    """

    title: str


class DealNote(Record, frozen=True, kw_only=True):
    """A note on a deal."""

    id: AnyId
    note: str | UnsetType | None = UNSET
    """The text."""
    related_id: ClassVar[Member[str]] = wire.ident("relid")
    related_type: ClassVar[Member[str]] = Member(str, name="reltype")
    user_id: ClassVar[Member[str]] = wire.ident("user")
    author_id: ClassVar[Member[str]] = wire.ident("userid")
    owner: ClassVar[Member[Mapping[str, Any]]] = Member(dict[str, Any])
    """`{type, id}` of what it is on."""
    created: ClassVar[Member[datetime]] = wire.moment("cdate")
    updated: ClassVar[Member[datetime]] = wire.moment("mdate")
    links: ClassVar[Member[Mapping[str, Any]]] = wire.links()
