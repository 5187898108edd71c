"""Values of fields, which contacts and deals have alike, and what stands inside some of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from nimble_async._sansio.members import members_of
from nimble_async.errors import DraftRefused, MalformedResponse

__all__ = [
    "UNREADABLE",
    "Address",
    "Employment",
    "FieldValue",
    "FieldValues",
    "birthday_text",
    "pick",
    "rescue_fields",
    "tag_names",
]

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What a decoder raises for bytes that are not of its type."""

_ESCAPES = re.compile(r"""(?:[^\\]|\\[\\'"nrtxuU])*""", re.DOTALL)
_LONGEST_ADDRESS = 4096
"""Characters of an address that are parsed; a longer one is kept as text."""


_MONTH = re.compile(r"(0[1-9]|1[0-2])/\d{4}", re.ASCII)
_PARTS = ("street", "city", "state", "zip", "country")
_JOB = ("company_name", "title", "start_date", "end_date")


class FieldValue(Struct, frozen=True, gc=False):
    """One value of a field. Nimble sends text for nearly everything, numbers included."""

    value: str | int | float | bool | UnsetType | None = UNSET
    modifier: str | UnsetType | None = UNSET
    """Which of several: `work`, `home`, `mobile`, ...; empty where the field has none."""
    label: str | UnsetType | None = UNSET
    field_id: str | UnsetType | None = UNSET
    group: str | UnsetType | None = UNSET
    is_primary: bool | UnsetType | None = UNSET
    extra_value: str | int | float | bool | UnsetType | None = UNSET
    """What stands behind a value, such as the id of a parent company."""
    avatar_url: str | UnsetType | None = UNSET
    user_id: str | UnsetType | None = UNSET
    user_name: str | UnsetType | None = UNSET

    @property
    def text(self) -> str | None:
        """The value as text; None where there is none or it is empty."""
        value = self.value
        if value is UNSET or value is None or value == "":
            return None
        return ("true" if value else "false") if isinstance(value, bool) else str(value)


FieldValues = Mapping[str, tuple[FieldValue, ...]]
"""The values of each field, by its name, in the vendor's order."""


def pick(values: Iterable[FieldValue], modifier: str | None = None) -> str | None:
    """Return the text of the primary value, else of the first that has one; None where none has."""
    first = None
    for value in values:
        if (modifier is None or value.modifier == modifier) and value.text is not None:
            if value.is_primary is True:
                return value.text
            first = value.text if first is None else first
    return first


def birthday_text(day: date) -> str:
    """Return a birthday as the vendor takes it, `MM/DD/YYYY`; of a moment its day."""
    return f"{day.month:02}/{day.day:02}/{day.year:04}"


def rescue_fields(data: bytes) -> tuple[Any, Mapping[str, bytes]]:
    """Read a dictionary of fields one by one: what can be read, and the bytes of the rest by path."""
    try:
        fields = members_of(data)
    except MalformedResponse:
        return UNSET, {"fields": data}
    read: dict[str, tuple[FieldValue, ...]] = {}
    rest: dict[str, bytes] = {}
    for name, values in fields.items():
        try:
            read[name] = msgspec.json.decode(values, type=tuple[FieldValue, ...])
        except UNREADABLE:
            rest[f"fields/{name}"] = bytes(values)
    return read, rest


def tag_names(tags: Iterable[Any]) -> tuple[str, ...]:
    """Return the names of tags that come as text or as `{tag, id}`.

    Raises:
        msgspec.ValidationError: A tag is neither.
    """
    names = [tag.get("tag", tag.get("name")) if isinstance(tag, dict) else tag for tag in tags]
    return msgspec.convert(names, tuple[str, ...])


class Address(Struct, frozen=True, kw_only=True):
    """A postal address. What is not given is empty; `text` is what the server sent."""

    street: str = ""
    city: str = ""
    state: str = ""
    zip: str = ""
    country: str = ""
    text: str = ""

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read an address as JSON, else as Python writes a dictionary, else keep the text alone.

        The vendor documents JSON and shows both.
        """
        found = _dictionary(text)
        parts = {
            name: str(value)
            for name in _PARTS
            if (value := found.get(name)) is not None and not isinstance(value, dict | list)
        }
        return cls(**parts, text=text)

    def json(self) -> str:
        """Return what is sent: its parts as JSON; of an address without parts, its text.

        What the server sent beside the parts goes back too, and so does each part that was not changed.
        """
        members = _rewritten(self, _PARTS)
        return _json(members) if members or _dictionary(self.text) else self.text


def _rewritten(value: Address | Employment, parts: Iterable[str]) -> dict[str, Any]:
    """Return the members of what the server sent, with those parts of `value` that differ from it."""
    members, before = _members(value.text), type(value).parse(value.text)
    for name in parts:
        part = getattr(value, name)
        if part == getattr(before, name):
            continue
        if part:
            members[name] = part
        else:
            members.pop(name, None)
    return members


def _members(text: str) -> dict[str, Any]:
    """Return the members of a dictionary: of JSON as they came, byte for byte."""
    found = _dictionary(text)
    try:
        return msgspec.json.decode(text, type=dict[str, Raw]) if found else {}
    except UNREADABLE:
        return found


def _json(members: Mapping[str, Any]) -> str:
    """Return members as JSON.

    Raises:
        DraftRefused: The server sent, as Python writes it, what JSON cannot say.
    """
    try:
        return msgspec.json.encode(members).decode()
    except (TypeError, ValueError, OverflowError) as error:
        raise DraftRefused(f"What came inside this value cannot be sent back: {error}.") from error


def _dictionary(text: str) -> dict[str, Any]:
    """Return what `text` holds, or nothing where it is no dictionary."""
    if len(text) > _LONGEST_ADDRESS:
        return {}
    found: Any = None
    try:
        found = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        if text.lstrip().startswith("{"):
            found = _literal(text.strip())
    return found if isinstance(found, dict) else {}


def _literal(text: str) -> Any:
    # An escape that Python never writes would make its parser warn.
    if not _ESCAPES.fullmatch(text):
        return None
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None


class Employment(Struct, frozen=True, kw_only=True):
    """A place of work; dates are `MM/YYYY` as the vendor writes them. `text` is what the server sent.

    A changed one (`msgspec.structs.replace`) goes back with what came beside the parts that are named
    here, such as the company's id: for another employer write a new one.
    """

    company_name: str = ""
    title: str = ""
    start_date: str = ""
    end_date: str = ""
    is_present: bool = False
    text: str = ""

    @classmethod
    def parse(cls, text: str) -> Employment:
        """Read an employment as JSON; of what is none, keep the text alone."""
        found = _dictionary(text)
        parts = {name: value for name in _JOB if isinstance(value := found.get(name), str)}
        return cls(**parts, is_present=found.get("is_present") is True, text=text)

    def json(self) -> str:
        """Return what is sent, as JSON; what the server sent beside its parts goes back too.

        Raises:
            DraftRefused: Neither company nor title, a date that is not `MM/YYYY`, an end of what is
                present, or an end before the start.
        """
        start, end = _month(self.start_date), _month(self.end_date)
        if not self.company_name and not self.title:
            raise DraftRefused("An employment needs a company_name or a title.")
        if end and self.is_present:
            raise DraftRefused("An employment that is present has no end_date.")
        if start and end and start > end:
            raise DraftRefused("An employment starts before it ends.")
        return _json(_rewritten(self, (*_JOB, "is_present")))


def _month(text: str) -> tuple[int, int] | None:
    """Return `MM/YYYY` as year and month; None where nothing is given.

    Raises:
        DraftRefused: It is something else.
    """
    if not text:
        return None
    if not _MONTH.fullmatch(text):
        raise DraftRefused(f"The dates of an employment are MM/YYYY, not {text!r}.")
    return int(text[3:]), int(text[:2])
