"""What is sent: drafts and patches, made into the members of a body.

Rule: what is UNSET is not sent, None is sent as null. A plain mapping is taken wherever a draft is,
and sent as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, ClassVar

import msgspec
from msgspec import UNSET, Struct

from nimble_async.activecampaign.models.money import Money
from nimble_async.errors import QueryRefused

__all__ = ["Body", "members_of"]


class Body(Struct, frozen=True, kw_only=True):
    """The base of every draft and patch."""

    words: ClassVar[Mapping[str, Mapping[str, int]]] = {}
    """Members whose choices travel as numbers, by their name on the wire."""

    def members(self) -> dict[str, Any]:
        """Return what is sent, by the names on the wire.

        Raises:
            QueryRefused: A choice is unknown, or a moment has no zone.
        """
        found: dict[str, Any] = {}
        for field in msgspec.structs.fields(self):
            value = getattr(self, field.name)
            if value is UNSET:
                continue
            choices = self.words.get(field.encode_name)
            found |= _spelled(
                field.encode_name, value if choices is None else _choice(field.name, value, choices)
            )
        return found


def members_of(body: Body | Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a draft, or a mapping's own."""
    return body.members() if isinstance(body, Body) else dict(body)


def _choice(name: str, value: Any, choices: Mapping[str, int]) -> Any:
    if value is None:
        return None
    if value not in choices:
        raise QueryRefused(f"{name} is one of {', '.join(choices)}, not {value!r}.")
    return choices[value]


def _spelled(name: str, value: Any) -> dict[str, Any]:
    """Return one member, or the two that an amount makes."""
    if isinstance(value, Money):
        return {name: value.cents, _currency_beside(name): value.currency}
    return {name: _plain(name, value)}


def _currency_beside(name: str) -> str:
    return {"value": "currency", "fieldDefault": "fieldDefaultCurrency"}.get(name, "fieldCurrency")


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise QueryRefused(f"{name} needs a moment with a time zone, not {value}.")
        return value.isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [item.members() if isinstance(item, Body) else _plain(name, item) for item in value]
    return value
