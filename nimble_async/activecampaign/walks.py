"""How ActiveCampaign's deals are read whole: by offsets, in the order of their ids.

Filters by date exist but no order that goes with them is unique, and a list without an order moves
between two pages. The id is a number that never changes, so slices in its order can be joined.

Of the other lists none has a walk: no document and no report names an order for them but by title
(pipelines, stages) or by popularity, and neither is unique or stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from nimble_async._sansio.walk import OffsetWalk, Walk
from nimble_async.activecampaign.models.deals import DEAL_STATUS
from nimble_async.activecampaign.resources import deals
from nimble_async.activecampaign.resources.arguments import choice, day, dollars, filtered, one_of, score_of
from nimble_async.errors import QueryRefused

__all__ = ["DEALS", "FILTERS", "WALKS", "filters_of"]

DEALS = OffsetWalk(
    crm="activecampaign",
    resource="deals",
    listing=deals.LIST,
    ascending=MappingProxyType({"orders[id]": "ASC"}),
    descending=MappingProxyType({"orders[id]": "DESC"}),
    assumptions=(
        "orders[id]=ASC sorts deals by the number of their id: one public report, with counts, rests on it; "
        "the vendor's documents do not list it for deals. That each answer was in this order was checked",
        "the highest id at the start comes from one answer in the opposite order, orders[id]=DESC, which was "
        "checked too; where it was not kept, facts says that nothing bounds the export",
        "deals of pipelines that this key may not see are listed as stubs: id, title and isDisabled only",
    ),
)

_CHOICES = {"search_field": deals.SEARCH_FIELDS, "nextdate_range": deals.NEXT_TASKS}
_STATUS_NUMBERS = {str(number) for number in DEAL_STATUS.values()}

WALKS: Mapping[str, Walk] = MappingProxyType({"deals": DEALS})
"""What `export` can read whole, by the resource's name."""

FILTERS = (
    "search", "search_field", "title", "stage", "group", "status", "owner", "contact", "organization",
    "nextdate_range", "tag", "tasktype", "created_before", "created_after", "updated_before",
    "updated_after", "minimum_value", "maximum_value", "score", "score_greater_than", "score_less_than",
)  # fmt: skip
"""The filters of a list of deals, in the vendor's words."""


def filters_of(search: Mapping[str, Any]) -> dict[str, Any]:
    """Return filters of deals, `{"stage": "3"}`, as the query spells them.

    Filters by value are in whole dollars and say so, `"$100"`, because a deal's value is in cents;
    filters by date are days; a status may be `won` or 1.

    Raises:
        QueryRefused: A filter, or such a value of one, is not documented; or a value is neither a text nor a
            whole number.
    """
    found: dict[str, Any] = {}
    for name, value in search.items():
        if name not in FILTERS:
            raise QueryRefused(f"Deals have no filter {name!r}.", hint=f"There are {', '.join(FILTERS)}.")
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise QueryRefused(f"The filter {name} takes a text or a whole number, not {value!r}.")
        found[name] = _checked(name, value)
    return filtered(**found)


def _checked(name: str, value: str | int) -> str | int | None:
    """Return a filter's value as it travels."""
    if name in {"minimum_value", "maximum_value"}:
        return dollars(name, str(value))
    if name.endswith(("_before", "_after")):
        return day(name, str(value))
    if name in _CHOICES:
        return one_of(name, str(value), _CHOICES[name])
    if name.startswith("score"):
        return score_of(name, str(value))
    if name == "status" and str(value) not in _STATUS_NUMBERS:
        return choice(name, str(value), DEAL_STATUS)
    return value
