"""What changes a contact: patches written by hand, and changes of a contact that was read.

Rule: the vendor either extends fields (a value replaces those with its modifier, the rest stays) or
replaces them (a field has afterwards what was sent, and nothing else). A patch written by hand
extends. A change of a contact replaces, and sends back every value that it does not touch, with all
of its members, byte for byte: what the server sent is never lost, known here or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Protocol, Self, TypeVar, overload

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from nimble_async.errors import DraftRefused
from nimble_async.nimble.models.fields import UNREADABLE, Address, Employment, birthday_text
from nimble_async.nimble.models.limits import content_text
from nimble_async.nimble.models.typed import TypedField

__all__ = ["ContactChange", "ContactPatch", "FieldContent", "entry"]

V = TypeVar("V")
FieldContent = str | int | bool | Decimal | date | Address | Employment
"""What may be put into a field. It goes out as text: numbers as digits (a float has no exact ones and is
refused), days and moments in ISO 8601 (a birthday as the vendor wants it), an address or an employment as
JSON."""
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
    called, modifier = _target(name, modifier)
    text = name.write(value) if isinstance(name, TypedField) else _text(name, value)
    if not called.strip():
        raise DraftRefused("A field without a name.")
    if not text:
        raise DraftRefused(f"The value of {called!r} is empty.", hint="clear() or remove() takes it away.")
    return called, {"value": text, "modifier": _MODIFIERS.get(called, "") if modifier is None else modifier}


def _text(name: str, value: FieldContent) -> str:
    if isinstance(value, Address | Employment):
        return value.json()
    if name == "birthday" and isinstance(value, date):
        return birthday_text(value)
    return content_text(name, value)


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
        return _begun(contact, {"avatar_url": avatar_url, "is_important": is_important})

    @overload
    def field(self, name: TypedField[V], value: V, modifier: str | None = ...) -> Self: ...
    @overload
    def field(self, name: str, value: FieldContent, modifier: str | None = ...) -> Self: ...
    def field(self, name: TypedField[Any] | str, value: Any, modifier: str | None = None) -> Self:
        """Give a field a value. It takes the place of the values with its modifier; others stay.

        Without a modifier it is that of the typed field, else `work` for `email`, `phone`, `address` and
        `URL`, `other` for `description`, and none for other fields.

        Raises:
            DraftRefused: The name or the value is empty, or the field has no such value.
        """
        called, sent = entry(name, value, modifier)
        return self._with(called, [*self._others(called, sent["modifier"]), sent])

    def clear(self, name: TypedField[Any] | str, modifier: str | None = None) -> Self:
        """Take values from a field: those of a modifier, or of a typed field that has one, else all of them.

        Null goes out as a value of that modifier, beside the values of others that the patch has; of one
        modifier what was said last counts. The vendor's old description says that null removes the values
        of a field, shows it with a modifier, and leaves open whether those of others stay; its present one
        is silent. `contact.change().remove(...)` leaves nothing open.
        """
        called, told = _target(name, modifier)
        null = {"value": None, "modifier": told or ""}
        kept = [one for one in self._sent(called) if told is not None and _member(one, "modifier") != told]
        return self._with(called, [*kept, null])

    def _sent(self, name: str) -> list[Any]:
        return [] if self.fields is UNSET else self.fields.get(name, [])

    def _others(self, name: str, modifier: str) -> list[Any]:
        """Return what is to be sent beside one more value: all but a null of its modifier."""
        sent = self._sent(name)
        return [
            one for one in sent if _member(one, "modifier") != modifier or _member(one, "value") is not None
        ]

    def _with(self, name: str, values: list[Any]) -> Self:
        fields: Mapping[str, list[Any]] = {} if self.fields is UNSET else self.fields
        return msgspec.structs.replace(self, fields={**fields, name: values})


class ContactChange(ContactPatch, frozen=True, kw_only=True, dict=True):
    """A change of a contact that was read; `contact.change()` begins one.

    Each method returns a new change. A field that is touched goes out whole, and replaces what the
    server has. So a field that may have values which the contact was read without (`fields=`) is refused,
    and so is a change that knows no contact, as `msgspec.structs.replace` makes one; copies know it.
    """

    def set(self, name: TypedField[Any] | str, value: Any, modifier: str | None = None) -> Self:
        """Change one value of a field, or give it one; every other member of the value stays.

        Of several it is the primary one, else the first; of those with the modifier where one is told.

        Raises:
            DraftRefused: The name or the value is empty, or the field has no such value.
        """
        called, sent = entry(name, value, modifier)
        wanted = _target(name, modifier)[1]
        values = self._sent(called)
        places = [place for place, one in enumerate(values) if wanted in {None, _member(one, "modifier")}]
        if not places:
            return self._with(called, [*values, sent])
        primary = [place for place in places if _member(values[place], "is_primary") is True]
        place = (primary or places)[0]
        changed = {**_members(values[place]), "value": sent["value"]}
        return self._with(called, [*values[:place], changed, *values[place + 1 :]])

    def add(self, name: TypedField[Any] | str, value: Any, modifier: str | None = None) -> Self:
        """Give a field one more value.

        Raises:
            DraftRefused: The name or the value is empty, or the field has no such value.
        """
        called, sent = entry(name, value, modifier)
        return self._with(called, [*self._sent(called), sent])

    def remove(self, name: TypedField[Any] | str, value: object = UNSET, modifier: str | None = None) -> Self:
        """Take values from a field: those that are equal, those of the modifier, or all of them.

        A typed field that has a modifier means the values of that one, unless another is told.

        Raises:
            DraftRefused: It has no such value.
        """
        called, modifier = _target(name, modifier)
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
        return self._with(called, kept)

    def clear(self, name: TypedField[Any] | str, modifier: str | None = None) -> Self:
        """Take values from a field, as `remove` does, whether it has any or not."""
        called, told = _target(name, modifier)
        values = self._sent(called)
        return self._with(called, [one for one in values if told not in {None, _member(one, "modifier")}])

    def _sent(self, name: str) -> list[Any]:
        """Return the values of a field as they would be sent now: changed ones, else the server's."""
        if self.fields is not UNSET and name in self.fields:
            return [one for one in self.fields[name] if _member(one, "value") is not None]
        contact: _Entries | None = vars(self).get("_contact")
        if contact is None:
            raise DraftRefused(
                f"This change knows no contact, and so not which values {name!r} has: they would be lost.",
                hint="Begin with contact.change(), or write a ContactPatch, which extends.",
            )
        return [*contact.entries(name)]

    def _others(self, name: str, modifier: str) -> list[Any]:
        """Return what goes out beside one more value, which takes the place of those with its modifier."""
        return [one for one in self._sent(name) if _member(one, "modifier") != modifier]

    def _with(self, name: str, values: list[Any]) -> Self:
        change = super()._with(name, values or [{"value": None, "modifier": ""}])
        vars(change).update(vars(self))
        return change

    def __copy__(self) -> ContactChange:
        """Return the change itself: it never changes."""
        return self

    def __deepcopy__(self, memo: Mapping[int, Any]) -> ContactChange:
        """Return the change itself: it never changes."""
        del memo
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the contact too: without it the next step could not tell what is to be kept."""
        return _begun, (vars(self).get("_contact"), msgspec.structs.asdict(self))


def _begun(contact: _Entries | None, members: Mapping[str, Any]) -> ContactChange:
    change = ContactChange(**members)
    if contact is not None:
        vars(change)["_contact"] = contact
    return change


def _target(name: TypedField[Any] | str, modifier: str | None) -> tuple[str, str | None]:
    """Return the name of a field, and the modifier that is meant: a typed field has its own."""
    if isinstance(name, TypedField):
        return name.name, name.modifier if modifier is None else modifier
    return name, modifier


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
