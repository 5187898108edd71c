"""How ActiveCampaign spells values, made into members of records.

The same field comes as a number after a write and as text after a read, money comes as text, flags
as 0, 1 or true, empty maps as `[]`, moments with an offset, without one, or as zeros.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any

import msgspec

from nimble_async._sansio.record import Member

__all__ = ["flag", "ident", "links", "moment", "number", "read_moment", "read_whole", "whole", "word"]

_ZERO = "0000-00-00"
_WHOLE = re.compile(r"\s*([+-]?\d{1,100})(?:\.0*)?\s*", re.ASCII)


def ident(name: str = "") -> Member[str]:
    """Describe an id, as text whatever it comes as; None where it is empty or 0, which means nothing."""
    return Member(str | int | None, name=name, then=_ident)


def whole(name: str = "") -> Member[int]:
    """Describe a whole number, which may come as text."""
    return Member(int | float | str, name=name, then=_whole)


def number(name: str = "") -> Member[int | float]:
    """Describe a number, which may come as text."""
    return Member(int | float | str, name=name, then=_number)


def flag(name: str = "") -> Member[bool]:
    """Describe a flag: true, 1, "1", false, 0 or "0"."""
    return Member(bool | int | str, name=name, then=_flag)


def word(words: Mapping[str, int], name: str = "") -> Member[str]:
    """Describe a choice that travels as a number; one that is not among `words` stays its digits."""
    return Member(
        str | int, name=name, then=partial(_word, {str(digit): text for text, digit in words.items()})
    )


def moment(name: str = "") -> Member[datetime]:
    """Describe a moment. It has a zone where the vendor sent one; the zero date is None."""
    return Member(str, name=name, then=_moment)


def links() -> Member[Mapping[str, Any]]:
    """Describe the addresses beside a record: some lead to other hosts, so nothing here follows them."""
    return Member(dict[str, Any] | list[Any], name="links", then=_links)


def _ident(value: str | int | None) -> str | None:
    text = "" if value is None else str(value)
    return None if text in {"", "0"} else text


def read_whole(value: object) -> int | None:
    """Return a whole number that came as a number or as text, digit by digit; None for anything else."""
    if isinstance(value, str):
        match = _WHOLE.fullmatch(value)
        return None if match is None else int(match[1])
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _whole(value: float | str) -> int:
    found = read_whole(value)
    if found is None:
        raise msgspec.ValidationError(f"{value!r} is no whole number")
    return found


def _number(value: float | str) -> int | float:
    if not isinstance(value, str):
        return value
    return msgspec.convert(value.strip(), int | float, strict=False)


def _flag(value: bool | int | str) -> bool:  # noqa: FBT001 (a reader takes what came)
    return msgspec.convert(value, bool, strict=False)


def _word(words: Mapping[str, str], value: str | int) -> str:
    return words.get(str(value), str(value))


def _moment(text: str) -> datetime | None:
    if not text or text.startswith(_ZERO):
        return None
    return msgspec.convert(f"{text}T00:00:00" if len(text) == 10 else text, datetime)


def read_moment(text: str) -> datetime | None:
    """Return the moment that a text is; None where it is none."""
    try:
        return _moment(text)
    except msgspec.ValidationError:
        return None


def _links(value: dict[str, Any] | list[Any]) -> Mapping[str, Any]:
    if isinstance(value, list) and value:
        raise msgspec.ValidationError("Links without names")
    return MappingProxyType(value if isinstance(value, dict) else {})
