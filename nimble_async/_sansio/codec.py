"""JSON in and out: bodies, and the envelopes that lists come in.

Rule: rows stay bytes here (`msgspec.Raw`); `record` makes them into records. What cannot be
read raises `MalformedResponse` with the place in the JSON, never a msgspec error.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar, cast

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from nimble_async._sansio.members import members_of
from nimble_async._sansio.message import Response
from nimble_async._sansio.operation import Operation, Shape
from nimble_async._sansio.sideload import Beside
from nimble_async.errors import MalformedResponse

__all__ = [
    "PageFacts",
    "RawPage",
    "check_empty",
    "decode",
    "encode",
    "read_list",
    "read_member",
    "read_page",
    "read_rows",
]

T = TypeVar("T")

_encoder = msgspec.json.Encoder()
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class PageFacts(Struct, frozen=True, kw_only=True):
    """What an answer says about itself and where the next one is. None: it does not say."""

    rows: int
    mark: int = 0
    """A checksum of the first and the last row: two pages with one mark are the same page."""
    page: int | None = None
    pages: int | None = None
    per_page: int | None = None
    total: int | None = None
    """What the vendor counts; a hint, whatever its type on the wire."""
    has_more: bool | None = None
    """Whether the vendor says that there is a page behind this one."""
    next_page: Mapping[str, Any] | None = None
    """The arguments of the next call, in the style that sends them back."""
    next_urls: tuple[str, ...] = ()
    """Where each group of this answer goes on."""
    ids: tuple[str, ...] = ()
    """The ids of the rows, where the list is one whose pages may overlap."""
    strange: str = ""
    """The member that tells of the next page, where it is of a type that cannot be followed."""


_NOTHING_BESIDE = Beside(())


class RawPage(Struct, frozen=True):
    """One answer of a list: its rows as bytes that belong to the answer, and its facts."""

    rows: list[Raw]
    facts: PageFacts
    groups: list[Raw] = []
    """For answers in groups: each group as it came, `rows` being the rows of all of them."""
    beside: Beside = _NOTHING_BESIDE
    """What else came in the answer."""


def encode(value: object) -> bytes:
    """Return `value` as JSON."""
    return _encoder.encode(value)


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def decode(data: bytes | Raw, kind: type[T]) -> T:
    """Read JSON as `kind`.

    Raises:
        MalformedResponse: It is no JSON, or not of that type; `.path` says where.
    """
    try:
        result: T = _decoder(cast("Any", kind)).decode(data)
    except _UNREADABLE as error:
        raise _malformed(error, bytes(data)) from error
    return result


def _malformed(error: Exception, body: bytes) -> MalformedResponse:
    text = str(error)
    what, _, path = text.partition(" - at `")
    if not body:
        what = "the body is empty"
    return MalformedResponse(f"The answer cannot be read: {what}.", body=body, path=path.rstrip("`"))


class _Meta(Struct, frozen=True):
    page: Raw | UnsetType = UNSET
    pages: Raw | UnsetType = UNSET
    per_page: Raw | UnsetType = UNSET
    total: Raw | UnsetType = UNSET
    has_more: Raw | UnsetType = UNSET
    next_page_url: Raw | UnsetType = UNSET


@cache
def _envelope(items: str) -> type[Any]:
    return msgspec.defstruct(
        "Envelope",
        [
            ("items", list[Raw] | None | UnsetType, UNSET),
            ("meta", Raw | UnsetType, UNSET),
            ("next_page", Raw | UnsetType, UNSET),
        ],
        rename={"items": items},
        frozen=True,
    )


def _lenient(data: Raw | UnsetType, kind: Any) -> Any:
    """Read a fact that may be missing, null or of a surprising type; None for all of these."""
    if data is UNSET:
        return None
    try:
        return msgspec.convert(_decoder(object).decode(data), kind, strict=False)
    except _UNREADABLE:
        return None


def _strange(data: Raw | UnsetType, kind: Any) -> bool:
    """Return whether a fact is there, says something, and is not of its type."""
    return data is not UNSET and bytes(data) not in {b"null", b'""'} and _lenient(data, kind) is None


def _meta(data: Raw | UnsetType) -> _Meta:
    if data is UNSET:
        return _Meta()
    try:
        meta: _Meta = _decoder(_Meta).decode(data)
    except _UNREADABLE:
        return _Meta()
    return meta


def _mark(rows: list[Raw]) -> int:
    return zlib.crc32(rows[-1], zlib.crc32(rows[0])) if rows else 0


def read_rows(operation: Operation[Any], body: bytes) -> list[Raw]:
    """Return the rows of a list without paging facts.

    Raises:
        MalformedResponse: There is no list where the operation says.
    """
    return _rows(operation, decode(body, _envelope(operation.items)), body)


def _rows(operation: Operation[Any], envelope: Any, body: bytes) -> list[Raw]:
    if not isinstance(envelope.items, list):
        raise MalformedResponse(
            f"The answer of {operation.name} has no list {operation.items!r}.",
            body=body,
            path=f"$.{operation.items}",
        )
    return envelope.items


def read_page(operation: Operation[Any], response: Response) -> RawPage:
    """Read one answer of a paged list.

    Raises:
        MalformedResponse: It is no JSON, or there is no list where the operation says.
    """
    if operation.shape is Shape.GROUPS:
        return _read_groups(operation, response.body)
    envelope = decode(response.body, _envelope(operation.items))
    rows = _rows(operation, envelope, response.body)
    meta = _meta(envelope.meta)
    facts = PageFacts(
        rows=len(rows),
        mark=_mark(rows),
        page=_lenient(meta.page, int),
        pages=_lenient(meta.pages, int),
        per_page=_lenient(meta.per_page, int),
        total=_lenient(meta.total, int),
        has_more=_lenient(meta.has_more, bool),
        next_page=_lenient(envelope.next_page, dict[str, Any]),
        ids=_ids(rows) if operation.unordered else (),
        strange="next_page" if _strange(envelope.next_page, dict[str, Any]) else "",
    )
    return RawPage(rows, facts, beside=_beside(operation, response.body))


class _Identified(Struct, frozen=True):
    id: str | int


def _ids(rows: list[Raw]) -> tuple[str, ...]:
    """Return the ids of rows; one without an id is rejected later, and passed over here."""
    found = []
    for row in rows:
        try:
            found.append(str(_decoder(_Identified).decode(row).id))
        except _UNREADABLE:
            continue
    return tuple(found)


def read_member(operation: Operation[Any], body: bytes) -> tuple[Raw, Beside]:
    """Return the object that an answer holds under one name, and what came beside it.

    Raises:
        MalformedResponse: There is nothing under that name.
    """
    members = members_of(body)
    member = members.get(operation.items)
    if member is None:
        raise MalformedResponse(
            f"The answer of {operation.name} has no member {operation.items!r}.",
            body=body,
            path=f"$.{operation.items}",
        )
    return member, _lists(operation, members)


def check_empty(operation: Operation[Any], body: bytes) -> None:
    """Accept the answer of an operation that answers nothing: an empty body, or any JSON.

    Raises:
        MalformedResponse: It is something else, such as the page of a proxy that wants a login: nothing
            tells that the call was executed.
    """
    if not body.strip():
        return
    try:
        _decoder(object).decode(body)
    except _UNREADABLE as error:
        raise MalformedResponse(
            f"{operation.name} was answered with something that is no JSON.",
            body=body,
            hint="Another server may have answered, such as a proxy: look whether the call was executed.",
        ) from error


def _beside(operation: Operation[Any], body: bytes) -> Beside:
    if not operation.sides:
        return _NOTHING_BESIDE
    told = all(side.told for side in operation.sides)
    return _lists(operation, {} if told else members_of(body))


def _lists(operation: Operation[Any], members: Mapping[str, Raw]) -> Beside:
    """Return what the operation names; one that came as something else than it should is left out."""
    found = []
    for side in operation.sides:
        member = members.get(side.name)
        rows = _lenient_object(member) if side.shared else _lenient_rows(member)
        rows = [Raw(side.told)] if side.told else rows
        if rows:
            found.append((side, rows))
    return Beside(found)


def read_list(body: bytes, name: str) -> list[Raw]:
    """Return the rows of any list of an answer; none where it has no such list."""
    return _lenient_rows(members_of(body).get(name))


def _lenient_rows(data: Raw | None) -> list[Raw]:
    try:
        return [] if data is None else _decoder(list[Raw]).decode(data)
    except _UNREADABLE:
        return []


def _lenient_object(data: Raw | None) -> list[Raw]:
    return [data] if data is not None and bytes(data).startswith(b"{") else []


def _read_groups(operation: Operation[Any], body: bytes) -> RawPage:
    """Read `{"stages": [{"deals": [...], "meta": {"next_page_url": ...}}]}`; `items` is `stages/deals`."""
    outer, inner = operation.items.split("/")
    envelope = decode(body, _envelope(outer))
    if not isinstance(envelope.items, list):
        raise MalformedResponse(
            f"The answer of {operation.name} has no list {outer!r}.", body=body, path=f"$.{outer}"
        )
    rows: list[Raw] = []
    urls: list[str] = []
    strange = False
    for group in envelope.items:
        members = decode(group, _envelope(inner))
        rows.extend(members.items or ())
        told = _meta(members.meta).next_page_url
        url = _lenient(told, str)
        strange = strange or _strange(told, str)
        if url:
            urls.append(url)
    facts = PageFacts(
        rows=len(rows),
        mark=_mark(rows),
        next_urls=tuple(urls),
        strange="next_page_url" if strange else "",
    )
    return RawPage(rows, facts, envelope.items)
