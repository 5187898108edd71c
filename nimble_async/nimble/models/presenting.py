"""What the vendor refuses of a new field, or of how its values are shown."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from nimble_async.errors import DraftRefused
from nimble_async.nimble.models.limits import check_between, check_choice
from nimble_async.nimble.models.metadata import (
    DateTimePresentation,
    DateTimeType,
    DecimalPresentation,
    NewFieldType,
    NumberType,
    PercentagePresentation,
    Presentation,
    StringType,
    ValidationRule,
)

__all__ = ["check_digits", "check_presentation", "check_rule"]


def check_rule(field_type: NewFieldType) -> None:
    """Check the rule for the text of a field: `email` or `url`, where it has one.

    Raises:
        DraftRefused: It is another.
    """
    rule = field_type.validation_rule if isinstance(field_type, StringType) else None
    word = rule.type if isinstance(rule, ValidationRule) else rule
    check_choice("The rule of a text field", word, ("email", "url"))


def check_presentation(field_type: NewFieldType, presentation: Presentation | None) -> None:
    """Refuse a presentation that does not go with the kind: dates and numbers have one, others none.

    Raises:
        DraftRefused: It does not, or one is missing, or as with `check_digits`.
    """
    wanted = {NumberType: "number", DateTimeType: "date"}.get(type(field_type), "")
    shown = (
        "" if presentation is None else "date" if isinstance(presentation, DateTimePresentation) else "number"
    )
    if wanted and wanted != shown:
        raise DraftRefused(f"A {wanted} field needs a presentation of {wanted}s.")
    if shown and not wanted:
        raise DraftRefused(
            "There is no presentation for this kind of field.", hint="Only numbers and dates have one."
        )
    check_digits(presentation)


def check_digits(presentation: Any) -> None:
    """Check the parts of a presentation; what is absent or null passes.

    Raises:
        DraftRefused: Digits are missing or below 1, or a format stands beside a word about times.
    """
    told = isinstance(getattr(presentation, "ignore_specific_time", None), bool)
    if isinstance(presentation, DecimalPresentation | PercentagePresentation):
        if presentation.fraction_digits is UNSET:
            raise DraftRefused("This presentation needs its fraction_digits.")
        check_between("fraction_digits", presentation.fraction_digits, least=1)
    elif isinstance(presentation, DateTimePresentation) and presentation.date_format and told:
        raise DraftRefused("ignore_specific_time must be null where there is a date_format.")
