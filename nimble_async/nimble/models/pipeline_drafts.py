"""Values to create pipelines of deals with their stages, fields and groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from nimble_async.nimble.models.limits import check_between, check_currency, check_length
from nimble_async.nimble.models.metadata import NewFieldType, Presentation
from nimble_async.nimble.models.presenting import check_digits, check_rule

__all__ = ["DealFieldDraft", "DealGroupDraft", "DealPipelineDraft", "DealStageDraft", "check_stage"]


def check_stage(*, expected_days: Any, default_probability: Any) -> None:
    """Check the numbers of a stage; what is absent passes.

    Raises:
        DraftRefused: Days are negative, or a probability is not from 0 to 100 percent.
    """
    check_between("expected_days", expected_days)
    check_between("default_probability", default_probability, most=100)


class DealStageDraft(Struct, frozen=True, kw_only=True):
    """A stage of a pipeline to create.

    Attributes:
        name: The stage's name.
        description: Text.
        pipeline_id: The pipeline, where there is one yet.
        insert_after: The id of the stage before it.
        expected_days: How many days a deal is expected to stay, 0 or more.
        default_probability: In percent, 0 to 100, for deals without their own.

    Raises:
        DraftRefused: The vendor would refuse these values.
    """

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    pipeline_id: str | UnsetType = UNSET
    insert_after: str | UnsetType | None = UNSET
    expected_days: int | float | UnsetType = UNSET
    default_probability: int | float | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Refuse what the vendor would refuse."""
        check_stage(expected_days=self.expected_days, default_probability=self.default_probability)


class DealFieldDraft(Struct, frozen=True, kw_only=True):
    """A field of a pipeline to create. The kind of a field never changes.

    Attributes:
        name: The field's name.
        field_type: What its values are, such as `NumberType()`.
        presentation: How they are shown: required for numbers and dates; None for the others, which is
            sent as null, since the vendor requires the member of every field.
        pipeline_id: The pipeline, where there is one yet.
        insert_after: The id of the field or group before it; None puts it first.
        group_id: The group it belongs to, if any.

    Raises:
        DraftRefused: The vendor would refuse the rule of a text, or the digits.
    """

    name: str
    field_type: NewFieldType
    presentation: Presentation | None = None
    pipeline_id: str | UnsetType | None = UNSET
    insert_after: str | UnsetType | None = UNSET
    group_id: str | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Refuse what the vendor would refuse."""
        check_rule(self.field_type)
        check_digits(self.presentation)


class DealGroupDraft(Struct, frozen=True, kw_only=True):
    """A group of fields of a pipeline to create.

    Attributes:
        group_name: The group's name.
        logo_id: The id of its picture.
        insert_after: The id of the field or group before it; None puts it first.
        fields: The fields to create in it.
    """

    group_name: str | UnsetType = UNSET
    logo_id: str | UnsetType = UNSET
    insert_after: str | UnsetType | None = UNSET
    fields: Sequence[DealFieldDraft] | UnsetType = UNSET


class DealPipelineDraft(Struct, frozen=True, kw_only=True):
    """A pipeline to create; the vendor requires every member, so lists are sent empty too.

    `name`, `description`, `color` and `default_currency` have to be given, the description empty if need be.

    Attributes:
        name: 1 to 200 characters.
        description: At most 256 characters.
        color: As the vendor's pages write one, such as `#00aa00`.
        default_currency: Three letters of ISO 4217.
        stages: The stages in their order.
        lost_reasons: Why deals may be lost, at most 256 characters each.
        fields_tab_members: The fields and groups of fields of its deals.

    Raises:
        DraftRefused: The vendor would refuse these values.
    """

    name: str
    description: str
    color: str
    default_currency: str
    stages: Sequence[DealStageDraft] = ()
    lost_reasons: Sequence[str] = ()
    fields_tab_members: Sequence[DealFieldDraft | DealGroupDraft] = ()

    def __post_init__(self) -> None:
        """Refuse what the vendor would refuse."""
        check_length("The name of a pipeline", self.name, least=1, most=200)
        check_length("The description of a pipeline", self.description, most=256)
        for reason in self.lost_reasons:
            check_length("A lost reason", reason, most=256)
        check_currency(self.default_currency)
