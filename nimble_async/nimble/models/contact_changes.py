"""What changes a contact: patches written by hand, and changes of a contact that was read.

Rule: the vendor either extends fields (a value replaces those with its modifier, the rest stays) or
replaces them (a field has afterwards what was sent, and nothing else). A patch written by hand
extends. A change of a contact replaces, and sends back every value that it does not touch, with all
of its members, byte for byte: what the server sent is never lost, known here or not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol, TypeVar, overload

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from nimble_async.errors import DraftRefused
from nimble_async.nimble.models.fields import UNREADABLE, Address, Employment
from nimble_async.nimble.models.typed import TypedField

__all__ = ["ContactChange", "ContactPatch", "FieldContent", "entry"]

V = TypeVar("V")
FieldContent = str | int | float | bool | Decimal | date | Address | Employment
"""What may be put into a field. It goes out as text: numbers as digits, days and moments in ISO 8601 (a
birthday as the vendor wants it), an address or an employment as JSON."""
_MODIFIERS = {"email": "work", "phone": "work", "address": "work", "URL": "work", "description": "other"}
"""The modifier of a value that none is told for; other fields have none."""


@overload
def entry(name: TypedField[V], value: V, modifier: str | None = ...) -> tuple[str, dict[str, Any]]: ...
@overload
def entry(name: str, value: FieldContent, modifier: str | None = ...) -> tuple[str, dict[str, Any]]: ...
def entry(name: TypedField[Any] | str, value: Any, modifier: str | None = None) -> tuple[str, dict[str, Any]]:
    """Return the name of a field and one value of it, as they are sent.

    Raises:
        DraftRefused: The name or the value is empty, or the field has no such value.
    """
    if isinstance(name, TypedField):
        modifier = name.modifier if modifier is None else modifier
        called, text = name.name, name.write(value)
    else:
        called, text = name, _text(name, value)
    if not called.strip():
        raise DraftRefused("A field without a name.")
    if not text:
        raise DraftRefused(f"The value of {called!r} is empty.", hint="clear() or remove() takes it away.")
    return called, {"value": text, "modifier": _MODIFIERS.get(called, "") if modifier is None else modifier}


def _text(name: str, value: FieldContent) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, date):
        return value.strftime("%m/%d/%Y") if name == "birthday" else value.isoformat()
    return value.json() if isinstance(value, Address | Employment) else str(value)


class _Entries(Protocol):
    def entries(self, name: str) -> list[Raw]:
        """Return the values of a field as the server sent them."""
        ...


class ContactPatch(Struct, frozen=True, kw_only=True):
    """A change of a contact, written by hand. What is `UNSET` is not sent.

    Each method returns a new patch: `ContactPatch().field("twitter", "ada").clear("skype id")`.
    """

    fields: dict[str, list[Any]] | UnsetType = UNSET
    """The values of each field, as they are sent."""
    avatar_url: str | UnsetType = UNSET
    is_important: bool | UnsetType = UNSET

    @staticmethod
    def of(
        contact: _Entries,
        *,
        avatar_url: str | UnsetType = UNSET,
        is_important: bool | UnsetType = UNSET,
    ) -> ContactChange:
        """Begin a change of a contact that was read, as `contact.change()` does."""
        change = ContactChange(avatar_url=avatar_url, is_important=is_important)
        vars(change)["_entries"] = contact.entries
        return change

    @overload
    def field(self, name: TypedField[V], value: V, modifier: str | None = ...) -> ContactPatch: ...
    @overload
    def field(self, name: str, value: FieldContent, modifier: str | None = ...) -> ContactPatch: ...
    def field(self, name: TypedField[Any] | str, value: Any, modifier: str | None = None) -> ContactPatch:
        """Give a field a value. It takes the place of the values with its modifier; others stay.

        Raises:
            DraftRefused: The name or the value is empty, or the field has no such value.
        """
        called, sent = entry(name, value, modifier)
        return self._with(called, [*self._sent(called), sent])

    def clear(self, name: TypedField[Any] | str, modifier: str = "") -> ContactPatch:
        """Take the values of one modifier from a field; those of a field without modifiers unless told.

        The vendor's old description has this (a value that is null) and leaves open whether values of
        other modifiers stay; its present one is silent. `contact.change().remove(...)` leaves nothing open.
        """
        called = name.name if isinstance(name, TypedField) else name
        return self._with(called, [*self._sent(called), {"value": None, "modifier": modifier}])

    def _sent(self, name: str) -> list[Any]:
        return [] if self.fields is UNSET else self.fields.get(name, [])

    def _with(self, name: str, values: list[Any]) -> ContactPatch:
        fields: Mapping[str, list[Any]] = {} if self.fields is UNSET else self.fields
        return msgspec.structs.replace(self, fields={**fields, name: values})


class ContactChange(ContactPatch, frozen=True, kw_only=True, dict=True):
    """A change of a contact that was read with all its fields; `contact.change()` begins one.

    Each method returns a new change. A field that is touched goes out whole, and replaces what the
    server has: a field that was left out when the contact was read (`fields=`) looks empty here.
    """

    def set(self, name: TypedField[Any] | str, value: Any, modifier: str | None = None) -> ContactChange:
        """Change one value of a field, or give it one; every other member of the value stays.

        Of several it is the primary one, else the first; of those with the modifier where one is told.

        Raises:
            DraftRefused: The name or the value is empty, or the field has no such value.
        """
        called, sent = entry(name, value, modifier)
        wanted = name.modifier if isinstance(name, TypedField) and modifier is None else modifier
        values = self._sent(called)
        places = [place for place, one in enumerate(values) if wanted in {None, _member(one, "modifier")}]
        if not places:
            return self._changed(called, [*values, sent])
        primary = [place for place in places if _member(values[place], "is_primary") is True]
        place = (primary or places)[0]
        changed = {**_members(values[place]), "value": sent["value"]}
        return self._changed(called, [*values[:place], changed, *values[place + 1 :]])

    def add(self, name: TypedField[Any] | str, value: Any, modifier: str | None = None) -> ContactChange:
        """Give a field one more value.

        Raises:
            DraftRefused: The name or the value is empty, or the field has no such value.
        """
        called, sent = entry(name, value, modifier)
        return self._changed(called, [*self._sent(called), sent])

    def remove(
        self, name: TypedField[Any] | str, value: object = UNSET, modifier: str | None = None
    ) -> ContactChange:
        """Take values from a field: those that are equal, those of the modifier, or all of them.

        Raises:
            DraftRefused: It has no such value.
        """
        called = name.name if isinstance(name, TypedField) else name
        wanted = name.write(value) if isinstance(name, TypedField) and value is not UNSET else value
        values = self._sent(called)
        kept = [
            one
            for one in values
            if (wanted is not UNSET and str(_member(one, "value")) != str(wanted))
            or modifier not in {None, _member(one, "modifier")}
        ]
        if len(kept) == len(values):
            raise DraftRefused(f"{called!r} has no such value to remove.")
        return self._changed(called, kept or [{"value": None, "modifier": ""}])

    def _sent(self, name: str) -> list[Any]:
        """Return the values of a field as they would be sent now: changed ones, else the server's."""
        if self.fields is not UNSET and name in self.fields:
            return [one for one in self.fields[name] if _member(one, "value") is not None]
        entries: Callable[[str], list[Raw]] | None = vars(self).get("_entries")
        return [] if entries is None else [*entries(name)]

    def _changed(self, name: str, values: list[Any]) -> ContactChange:
        fields: Mapping[str, list[Any]] = {} if self.fields is UNSET else self.fields
        change = msgspec.structs.replace(self, fields={**fields, name: values})
        vars(change).update(vars(self))
        return change


def _members(one: Any) -> dict[str, Any]:
    """Return the members of one value, those of the server's as bytes; of what is no object, none."""
    if not isinstance(one, Raw):
        return one if isinstance(one, dict) else {}
    try:
        return msgspec.json.decode(one, type=dict[str, Raw])
    except UNREADABLE:
        return {}


def _member(one: Any, name: str) -> Any:
    found = _members(one).get(name)
    return msgspec.json.decode(found) if isinstance(found, Raw) else found
