"""Typed views: the fields of an account, written down as a class that type checkers know.

Rule: pure. The description of the fields comes in, the text of a module goes out; the same
description makes the same text. Nothing of an account is executed: names and labels stand in it as
literals only.
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from nimble_async.nimble.models.contacts import Contact
from nimble_async.nimble.models.metadata import (
    AddressType,
    BooleanType,
    ChoiceType,
    DateTimePresentation,
    DateTimeType,
    FieldDef,
    FieldTab,
    IntegerPresentation,
    NumberType,
    all_fields,
)

__all__ = ["generate_view"]

_OTHER = re.compile(r"[\W_]+")
_OWN = frozenset(
    {
        "first name", "middle name", "last name", "company name", "email", "phone", "address", "URL",
        "description", "title", "parent company", "contact employment",
    }
)  # fmt: skip
"""Fields that every contact reads by attributes of its own."""
_WIDTH = 110

_HEAD = '''"""The fields of an account's contacts, written by `nimble-async fields types`: do not edit."""

{imports}

__all__ = ["{view}"]


class {view}(Contact, frozen=True, kw_only=True):
    """A contact with the account's own fields. On a contact each is a value, on the class the field:
    drafts and changes take it in place of a name.
    """
'''


class _Line(Struct, frozen=True):
    """One attribute of the view."""

    name: str
    type: str
    """Without `ClassVar[]`."""
    value: str
    remark: str
    uses: frozenset[str]
    """The names that have to be imported for it."""


def generate_view(tabs: Iterable[FieldTab], *, view: str = "MyContact") -> str:
    """Return the text of a module with one class: a `Contact` with the fields of the account, typed.

    A name that is no identifier is made into one; one that is taken gets a number. Choices become
    literals of their labels. Fields that every contact has by attributes (`email`, `phone`, ...) are
    left out, but for their modifiers (`phone_mobile`).

    Args:
        tabs: What `contact_fields.list()` returned.
        view: The name of the class.

    Raises:
        ValueError: `view` is no name of a class.
    """
    if not view.isidentifier() or keyword.iskeyword(view) or view in {"Contact", *_IMPORTED}:
        raise ValueError(f"{view!r} is no name of a class.")
    lines = list(_lines(all_fields(list(tabs))))
    body = "".join(f'\n{_attribute(line)}    """{_quoted(line.remark)}"""\n' for line in lines)
    return _HEAD.format(imports=_imports(lines), view=view) + body


def _imports(lines: Sequence[_Line]) -> str:
    used = {name for line in lines for name in line.uses}
    found = []
    days = sorted(used & {"date", "datetime"})
    if days:
        found.append(f"from datetime import {', '.join(days)}")
    if "Decimal" in used:
        found.append("from decimal import Decimal")
    typing = [name for name in ("ClassVar", "Literal") if name in used]
    if typing:
        found.append(f"from typing import {', '.join(typing)}")
    found += [""] if found else []
    found.append("from nimble_async.nimble.models.contacts import Contact")
    if "Address" in used:
        found.append("from nimble_async.nimble.models.fields import Address")
    fields = sorted(name for name in used if name.endswith("Field") or name == "Many")
    if fields:
        found += ["from nimble_async.nimble.models.typed import (", *(f"    {name}," for name in fields), ")"]
    return "\n".join(found)


def _attribute(line: _Line) -> str:
    whole = f"    {line.name}: ClassVar[{line.type}] = {line.value}\n"
    mark = "" if len(whole) <= _WIDTH + 1 else "  # noqa: E501"
    return whole[:-1] + mark + "\n"


def _lines(fields: Sequence[FieldDef]) -> Iterator[_Line]:
    # An attribute called `date` would hide the type from the annotations below it.
    taken = {name for name in dir(Contact) if not name.startswith("__")} | {"date", "datetime"}
    several = _with_modifiers(fields)
    seen: set[tuple[str, str]] = set()
    for one in fields:
        name, modifier = one.name or "", one.modifier or ""
        if not name or (name, modifier) in seen:
            continue
        seen.add((name, modifier))
        if modifier and name in several:
            if (name, "") not in seen and name not in _OWN:
                seen.add((name, ""))
                yield _line(one, name, "", taken)
            yield _line(one, name, modifier, taken)
        elif name not in _OWN:
            yield _line(one, name, "", taken)


def _with_modifiers(fields: Sequence[FieldDef]) -> set[str]:
    return {one.name for one in fields if one.name and one.modifier}


def _line(one: FieldDef, name: str, modifier: str, taken: set[str]) -> _Line:
    made, ids = _made(one)
    labels = ", ".join(dict.fromkeys(map(repr, ids.values())))
    inner = f"Literal[{labels}]" if ids else _INNER[made]
    arguments = [repr(name)] + ([repr(ids)] if ids else []) + ([f"modifier={modifier!r}"] if modifier else [])
    kind, value = f"{made}[{inner}]" if ids else made, f"{made}({', '.join(arguments)})"
    uses = {"ClassVar", made} | ({"Literal"} if ids else set())
    if one.multiples is True and not modifier:
        kind, value = f"Many[{inner}]", f"Many({value})"
        uses |= {"Many"} | ({inner} & _IMPORTED)
    remark = f"The field {name!r}" + (f", {modifier!r}." if modifier else ".")
    return _Line(_identifier(f"{name} {modifier}".strip(), taken), kind, value, remark, frozenset(uses))


def _made(one: FieldDef) -> tuple[str, dict[str, str]]:
    """Return the class of a field of the view, and the labels of its choices by their ids."""
    kind, shown = one.field_type, one.presentation
    if isinstance(kind, ChoiceType) and kind.choices:
        return "ChoiceField", {choice.id: choice.value for choice in kind.choices}
    made = "TextField"
    if isinstance(kind, NumberType):
        made = "IntegerField" if isinstance(shown, IntegerPresentation) else "DecimalField"
    elif isinstance(kind, DateTimeType):
        made = "DateField" if _is_day(shown) else "MomentField"
    elif isinstance(kind, BooleanType):
        made = "BooleanField"
    elif isinstance(kind, AddressType):
        made = "AddressField"
    return made, {}


_INNER = {
    "AddressField": "Address",
    "BooleanField": "bool",
    "DateField": "date",
    "DecimalField": "Decimal",
    "IntegerField": "int",
    "MomentField": "datetime",
    "TextField": "str",
}
"""The type of one value, of the class of its field."""
_IMPORTED = frozenset({"Address", "Decimal", "date", "datetime"})


def _is_day(shown: object) -> bool:
    """Whether a presentation has no time: it says so, or its template has no part of one."""
    if not isinstance(shown, DateTimePresentation):
        return False
    if isinstance(shown.date_format, str) and shown.date_format:
        return not re.search(r"%[-#]?[HIMSpfzZXcT]", shown.date_format)
    return shown.ignore_specific_time is True


def _identifier(name: str, taken: set[str]) -> str:
    """Return a name of an attribute that is not taken yet, and take it. Letters of any script stay."""
    plain = unicodedata.normalize("NFKC", name.replace("#", " number ")).lower()
    plain = unicodedata.normalize("NFKC", plain)  # as Python does with names
    word = _OTHER.sub("_", plain).strip("_") or "field"
    if keyword.iskeyword(word) or not word.isidentifier():
        word = f"field_{word}"
    if not word.isidentifier():  # a sign that counts as a digit and stands in no identifier
        word = "field"
    found, number = word, 2
    while found in taken:
        found, number = f"{word}_{number}", number + 1
    taken.add(found)
    return found


def _quoted(text: str) -> str:
    """Return a text as it stands in a docstring."""
    return text.replace("\\", "\\\\").replace('"', '\\"')
