"""What is sent: drafts and patches, made into the members of a body.

Rule: what is UNSET is not sent, None is sent as null. A plain mapping in the vendor's words is taken
wherever a draft is, and sent as it is; only what JSON has no word for, an amount or a date, is spelled
as in a draft.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from difflib import get_close_matches
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
    beside: ClassVar[tuple[str, ...]] = ()
    """Members that an amount makes, by their name on the wire."""

    def members(self) -> dict[str, Any]:
        """Return what is sent, by the names on the wire.

        Raises:
            QueryRefused: A choice is unknown, a moment has no zone, or two currencies contradict each other.
        """
        found: dict[str, Any] = {}
        for field in msgspec.structs.fields(self):
            value = getattr(self, field.name)
            if value is UNSET:
                continue
            choices = self.words.get(field.encode_name)
            found[field.encode_name] = value if choices is None else _choice(field.name, value, choices)
        return _spelled(found)

    @classmethod
    def check_members(cls, members: Mapping[str, Any]) -> dict[str, Any]:
        """Return members in the vendor's own words, as they are but for choices that are given by our words.

        Raises:
            QueryRefused: A member is unknown, or one that is needed is missing; or a choice is unknown.
        """
        fields = msgspec.structs.fields(cls)
        known = [*(field.encode_name for field in fields), *cls.beside]
        for name in members:
            if name not in known:
                near = get_close_matches(name, known, n=1)
                hint = f"Did you mean {near[0]!r}?" if near else f"It has {', '.join(known)}."
                raise QueryRefused(f"There is no member {name!r}.", hint=hint)
        missing = [
            field.encode_name for field in fields if field.required and field.encode_name not in members
        ]
        if missing:
            raise QueryRefused(f"It needs {' and '.join(missing)}.")
        return {name: _told(name, value, cls.words.get(name)) for name, value in members.items()}


def members_of(body: Any) -> dict[str, Any]:
    """Return the members of a draft, or a mapping's own.

    Raises:
        QueryRefused: It is neither, or an amount contradicts the currency beside it.
    """
    if isinstance(body, Body):
        return body.members()
    if not isinstance(body, Mapping):
        hint = (
            "Import drafts and patches of this vendor from nimble_async.activecampaign."
            if isinstance(body, Struct)
            else ""
        )
        kind = type(body)
        raise QueryRefused(
            f"A draft, a patch or a mapping is sent here, not a {kind.__module__}.{kind.__qualname__}.",
            hint=hint,
        )
    return _spelled(body)


def _choice(name: str, value: Any, choices: Mapping[str, int]) -> Any:
    if value is None:
        return None
    if not isinstance(value, str) or value not in choices:
        raise QueryRefused(f"{name} is one of {', '.join(choices)}, not {value!r}.")
    return choices[value]


def _told(name: str, value: Any, choices: Mapping[str, int] | None) -> Any:
    """Return a choice as it travels, whichever of the two ways it was given; anything else as it is."""
    if choices is None or value is None or isinstance(value, bool):
        return value
    if isinstance(value, str | int) and str(value) in {str(number) for number in choices.values()}:
        return value
    return _choice(name, value, choices)


def _spelled(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return members as JSON has them; an amount makes two."""
    found: dict[str, Any] = {}
    for name, value in members.items():
        if isinstance(value, Money):
            beside = _currency_beside(name)
            told = members.get(beside)
            if told is not None and str(told).lower() != value.currency:
                raise QueryRefused(f"{name} is {value}, and {beside} says {told!r}: one of them is wrong.")
            found |= {name: value.cents, beside: value.currency}
        elif name not in found:
            # What an amount has made already is not written again.
            found[name] = _plain(name, value)
    return found


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
    if isinstance(value, Money):
        raise QueryRefused(f"{name} is a list of amounts: there is no place for their currency.")
    if isinstance(value, tuple | list):
        return [_row(name, item) for item in value]
    return value


def _row(name: str, item: Any) -> Any:
    return members_of(item) if isinstance(item, Body | Mapping) else _plain(name, item)
