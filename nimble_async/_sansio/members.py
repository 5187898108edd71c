"""The members of a JSON object as their own JSON, whatever bytes their names are made of.

Rule: nothing the server sent is lost. A byte of a name that is not UTF-8 becomes a lone surrogate
(`surrogateescape`); values are handed on as they came.
"""

from __future__ import annotations

import json

import msgspec
from msgspec import Raw

from nimble_async.errors import MalformedResponse

__all__ = ["members_of"]

_MEMBERS = msgspec.json.Decoder(dict[str, Raw])
_ANYTHING = json.JSONDecoder(strict=False)
_SPACE = " \t\r\n"


def members_of(data: bytes | Raw) -> dict[str, Raw]:
    """Return the members of an object by name; of two of one name the last.

    Raises:
        MalformedResponse: It is no JSON object.
    """
    try:
        return _MEMBERS.decode(data)
    except UnicodeDecodeError as error:
        try:
            return _one_by_one(bytes(data).decode("utf-8", "surrogateescape"))
        except (ValueError, IndexError, RecursionError):
            raise _no_object(data) from error
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _no_object(data) from error


def _no_object(data: bytes | Raw) -> MalformedResponse:
    what = "it is no JSON object" if bytes(data) else "the body is empty"
    return MalformedResponse(f"The answer cannot be read: {what}.", body=bytes(data))


def _one_by_one(text: str) -> dict[str, Raw]:
    """Find the members one by one; what does not go on as an object does is a ValueError or IndexError."""
    found: dict[str, Raw] = {}
    place = _past(text, 0, "{")
    while text[place] == '"':
        name, end = _ANYTHING.raw_decode(text, place)
        begin = _past(text, end, ":")
        end = _ANYTHING.raw_decode(text, begin)[1]
        found[name] = Raw(text[begin:end].encode("utf-8", "surrogateescape"))
        if text[end:].strip(_SPACE) == "}":
            return found
        place = _past(text, end, ",")
    raise ValueError(place)


def _past(text: str, place: int, mark: str) -> int:
    """Return the place behind a mark and the white space on both of its sides."""
    while text[place] in _SPACE:
        place += 1
    if text[place] != mark:
        raise ValueError(place)
    place += 1
    while text[place] in _SPACE:
        place += 1
    return place
