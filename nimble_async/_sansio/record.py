"""Records: frozen values read from the bytes of one row, which lose nothing the server sent.

Rule: a record owns a copy of its row's bytes and never refers to the page it came in. Only an
id can reject a row. A member of the wrong type is `UNSET`, its bytes are in `unread`; a member
that the model does not name is in `unknown`. What is rare or costly is a `Member`: read from the
bytes when it is first asked for, and reported then if it cannot be read. What was asked of one page
is read together with the rows of the next, in one pass, with the same results.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cache, cached_property, lru_cache, partial
from types import MappingProxyType
from typing import Annotated, Any, Generic, TypeAlias, TypeVar, Union, overload

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from nimble_async._sansio.codec import decode
from nimble_async._sansio.members import members_of
from nimble_async.errors import MalformedResponse

__all__ = [
    "AnyId",
    "DecodingReport",
    "DecodingStatistics",
    "Id",
    "Member",
    "Noticed",
    "Record",
    "read_record",
    "row_reader",
    "touched",
]

T = TypeVar("T")
V = TypeVar("V")
Noticed = Callable[[str], None]
"""Told `Contact.created` when that member of a row could not be read."""

Id: TypeAlias = Annotated[str, msgspec.Meta(min_length=1)]
"""The type of what a record is known by: an empty one names nothing, and rejects its row."""
AnyId: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, description="A number is taken as its digits.")]
"""The same, for vendors that send some ids as text and some as numbers."""

_SHOWN = 40
"""Characters of a text that a repr shows."""
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Member(Generic[T]):
    """An attribute of a record that is read on first use: absent is `UNSET`, null is `None`.

    `kind` is the type on the wire and `then` makes the attribute's value of it; `rescue` reads what
    it can of bytes that are not of that type, and returns beside it what it could not, by name.
    `name` is the member's name on the wire where the attribute's differs; two attributes may read one.
    A member of the wrong type is reported when it is first asked for, not before. `records` says that
    the value is or holds records, alone or in a tuple or mapping: what they cannot read is reported too.
    """

    def __init__(
        self,
        kind: Any,
        *,
        name: str = "",
        then: Callable[[Any], T | None] | None = None,
        rescue: Callable[[bytes], tuple[T, Mapping[str, bytes]]] | None = None,
        records: bool = False,
    ) -> None:
        self.kind = kind
        self.name: str = name
        self.attribute: str = name
        self._then = then
        self._rescue = rescue
        self.records: bool = records

    @classmethod
    def of(cls, kind: type[T], *, name: str = "") -> Member[T]:
        """Describe a record inside the record."""
        return cls(Raw, name=name, then=partial(read_record, kind), records=True)

    @classmethod
    def each(cls, kind: type[V], *, name: str = "") -> Member[tuple[V, ...]]:
        """Describe a list of records inside the record."""

        def read(rows: Iterable[Raw]) -> tuple[V, ...]:
            return tuple(read_record(kind, row) for row in rows)

        return Member(list[Raw], name=name, then=read, records=True)

    def __set_name__(self, owner: type, attribute: str) -> None:
        """Take the attribute's name, and the wire's where none was given."""
        self.attribute = attribute
        self.name = self.name or attribute

    @overload
    def __get__(self, record: None, owner: type) -> Member[T]: ...
    @overload
    def __get__(self, record: Record, owner: type) -> T | UnsetType | None: ...
    def __get__(self, record: Record | None, owner: type) -> Member[T] | T | UnsetType | None:
        """Read the member once and keep the value on the record."""
        if record is None:
            return self
        value: T | UnsetType | None = self._read(record)
        vars(record)[self.attribute] = value
        if self.records:
            self.adopt(record, value)
        return value

    @cached_property
    def _alone(self) -> msgspec.json.Decoder[Any]:
        return msgspec.json.Decoder(_row_with([self]))

    def _read(self, record: Record) -> Any:
        # The whole row is passed over for one member: that costs less than to keep every member's place.
        try:
            return self.made(getattr(self._alone.decode(record.raw), self.attribute))
        except (*_UNREADABLE, MalformedResponse):
            return self._saved(record, _bytes_of(self.name).decode(record.raw).value)

    def made(self, value: Any) -> Any:
        """Make the attribute's value of what was on the wire."""
        if value is None or value is UNSET or self._then is None:
            return value
        if type(value) is Raw and bytes(value) == b"null":
            return None
        return self._then(value)

    def adopt(self, record: Record, value: Any) -> None:
        """Let the records inside the record report to whom it reports, what they have not read included."""
        noticed = vars(record).get("_noticed")
        if noticed is not None:
            for inside in _records_in(value):
                kept = vars(inside)
                kept["_noticed"] = noticed
                for name in kept.get("_unread", ()):
                    noticed(f"{type(inside).__name__}.{_attribute(type(inside), name)}")

    def _saved(self, record: Record, data: Raw) -> Any:
        """Save what can be read; the rest goes to `unread`, and whoever counts is told."""
        own = bytes(data)
        value, rest = (UNSET, {self.name: own}) if self._rescue is None else self._rescue(own)
        kept = vars(record)
        kept.setdefault("_unread", {}).update(rest)
        noticed = kept.get("_noticed")
        if rest and noticed is not None:
            noticed(f"{type(record).__name__}.{self.attribute}")
        return value


class Record(Struct, frozen=True, dict=True, kw_only=True, eq=False):
    """The base of every model that a server sends. Equal content makes equal records.

    To pass a record on, take `raw` (its JSON) or `as_dict()`: an encoder of structs sees only what is
    read of every row, which may be the id alone.
    """

    @property
    def raw(self) -> bytes:
        """The row's JSON as the server sent it; for a record built by hand, as it would be sent."""
        data: bytes | None = self.__dict__.get("_raw")
        return msgspec.json.encode(self) if data is None else data

    @property
    def unread(self) -> Mapping[str, bytes]:
        """The members whose type was not the expected one, by their wire name: their JSON."""
        for attribute in _lazy(type(self)):
            getattr(self, attribute)
        return MappingProxyType(self.__dict__.get("_unread", {}))

    @property
    def unknown(self) -> Mapping[str, Any]:
        """The members that the model does not name, decoded (or as bytes where that fails).

        A byte of a name that is not UTF-8 stands as Python writes such bytes (`surrogateescape`).
        """
        named = _named(type(self))
        members = members_of(self.raw)
        return {name: _anything(data) for name, data in members.items() if name not in named}

    def as_dict(self) -> dict[str, Any]:
        """Return the whole row as plain values by the server's names, read anew at each call.

        A member that cannot be decoded stays as its bytes. What came beside the record is not part of it.
        """
        return {name: _anything(data) for name, data in members_of(self.raw).items()}

    def beside(self, name: str, kind: type[V]) -> tuple[V, ...]:
        """Return the records that came in the same answer under `name` and belong to this one.

        None came unless they were asked for, or the vendor adds them unasked. Rows without a usable
        id are left out. What comes beside a record is no part of its content.
        """
        rows: Mapping[str, tuple[bytes, ...]] = self.__dict__.get("_beside", {})
        found = []
        for row in rows.get(name, ()):
            try:
                found.append(read_record(kind, row, noticed=self.__dict__.get("_noticed")))
            except MalformedResponse:
                self.__dict__.get("_noticed", _nobody)(f"{type(self).__name__}.{name}")
        return tuple(found)

    def __eq__(self, other: object) -> bool:
        """Compare the whole content, unknown members included; the order of members is no matter."""
        if not isinstance(other, Record) or type(other) is not type(self):
            return NotImplemented
        return self.raw == other.raw or _anything(self.raw) == _anything(other.raw)

    def __ne__(self, other: object) -> bool:
        """Say the opposite: a struct has a comparison of its own that would answer instead."""
        return not self == other

    def __hash__(self) -> int:
        """Hash what identifies the record, so that equal records hash alike."""
        return hash((type(self), *(getattr(self, name) for name in _required(type(self)))))

    def __repr__(self) -> str:
        """Show the identity and, where there is one, a short name."""
        required = _required(type(self))
        shown = [f"{name}={getattr(self, name)!r}" for name in required]
        name = getattr(self, "name", None) if "name" not in required else None
        if isinstance(name, str) and name:
            shown.append(f"name={_short(name)}")
        if not required:
            shown += self._parts()
        return f"{type(self).__name__}({', '.join(shown)})"

    def _parts(self) -> list[str]:
        """Return what a record without an identity shows: what came that it names, nothing read for it."""
        declared = {field.name: getattr(self, field.name) for field in msgspec.structs.fields(type(self))}
        found = [
            f"{name}={_short(value)}"
            for name, value in declared.items()
            if name != "name" and _is_there(value)
        ]
        came = members_of(self.raw)
        return found + [f"{name}=..." for name, member in _lazy(type(self)).items() if member.name in came]

    def __copy__(self) -> Record:
        """Return the record itself: it never changes."""
        return self

    def __deepcopy__(self, memo: Mapping[int, Any]) -> Record:
        """Return the record itself: it never changes."""
        del memo
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the row's bytes, from which everything else follows, and what came beside it."""
        beside = self.__dict__.get("_beside")
        whole = read_record, (type(self), self.raw)
        return whole if beside is None else (*whole, {"_beside": beside})


def _is_there(value: Any) -> bool:
    return value is not UNSET and value is not None


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    shown = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    return repr(shown) if isinstance(value, str) else shown


def _nobody(member: str) -> None:
    """Hear that a member could not be read, for a record that nobody counts."""


def read_record(kind: type[T], data: bytes | Raw, *, noticed: Noticed | None = None) -> T:
    """Read one row as `kind`: a `Record`, or any plain type such as `str`.

    `noticed` is told of each member that could not be read, also of those read later.

    Raises:
        MalformedResponse: The row is rejected: no JSON, no object, or without a usable id. Its
            `.body` is the row.
    """
    return _reader(kind, noticed)(data)


def row_reader(
    kind: type[T], *, noticed: Noticed | None = None, eager: tuple[str, ...] = ()
) -> Callable[[bytes | Raw], T]:
    """Return a function that reads rows as `read_record` does, and at once the members `eager` names."""
    return _eager_reader(kind, noticed, eager) if eager else _reader(kind, noticed)


def touched(record: object) -> tuple[str, ...]:
    """Return the attributes of a record that were read after it: what `row_reader` takes as `eager`."""
    if not isinstance(record, Record):
        return ()
    kept = vars(record)
    return tuple(name for name in _lazy(type(record)) if name in kept)


def _reader(kind: type[T], noticed: Noticed | None) -> Callable[[bytes | Raw], T]:
    """Return the function that reads one row; what is the same for every row is looked up once."""
    if not issubclass(kind, Record):
        return partial(decode, kind=kind)
    decoder = _decoder(kind)

    def read(row: bytes | Raw) -> Any:
        own = bytes(row)
        try:
            record = decoder.decode(own)
        except _UNREADABLE:
            record = _member_by_member(kind, own, noticed)
        # pyright takes the dictionary for that of the class; vars() would cost each row 25 ns more.
        kept = record.__dict__
        kept["_raw"] = own  # pyright: ignore[reportIndexIssue]
        if noticed is not None:
            kept["_noticed"] = noticed  # pyright: ignore[reportIndexIssue]
        return record

    return read


def _eager_reader(
    kind: type[T], noticed: Noticed | None, names: tuple[str, ...]
) -> Callable[[bytes | Raw], T]:
    """Return the function that reads one row and its members `names` in one pass."""
    assert issubclass(kind, Record), "only a record is touched"  # noqa: S101 (for the type checker)
    lazily = _reader(kind, noticed)
    decoder, members = _wide(kind, names)
    declared = kind.__struct_fields__
    holding = [(name, member) for name, member in members if member.records]

    def read(row: bytes | Raw) -> Any:
        own = bytes(row)
        try:
            found = decoder.decode(own)
            record = kind(**{name: getattr(found, name) for name in declared})
            kept = vars(record)
            for name, member in members:
                kept[name] = member.made(getattr(found, name))
        except (*_UNREADABLE, MalformedResponse):
            return lazily(own)
        kept["_raw"] = own
        if noticed is not None:
            kept["_noticed"] = noticed
            for name, member in holding:
                member.adopt(record, kept[name])
        return record

    return read


def _records_in(value: Any) -> Iterable[Record]:
    """Return the records that a member's value is made of."""
    if isinstance(value, Record):
        yield value
    elif isinstance(value, tuple | Mapping):
        for inside in value.values() if isinstance(value, Mapping) else value:
            yield from _records_in(inside)


def _member_by_member(kind: type[Record], own: bytes, noticed: Noticed | None) -> Record:
    try:
        members = members_of(own)
    except MalformedResponse as error:
        raise _rejected(kind, "it is no JSON object", own) from error
    values: dict[str, Any] = {}
    unread: dict[str, bytes] = {}
    for field in msgspec.structs.fields(kind):
        if field.encode_name in members:
            data = members[field.encode_name]
            try:
                values[field.name] = _decoder(field.type).decode(data)
            except _UNREADABLE:
                digits = _digits(data) if field.type == AnyId else ""
                if digits:
                    values[field.name] = digits
                else:
                    unread[field.encode_name] = bytes(data)
        if field.required and field.name not in values:
            raise _rejected(kind, f"it has no usable {field.encode_name}", own)
    record = kind(**values)
    if noticed is not None:
        for name in unread:
            noticed(f"{kind.__name__}.{_attribute(kind, name)}")
    vars(record)["_unread"] = unread
    return record


def _digits(data: Raw) -> str:
    """Return an id that came as a whole number as the text it stands for; empty where it is none."""
    text = bytes(data)
    return text.decode() if text.isdigit() else ""


def _rejected(kind: type, why: str, own: bytes) -> MalformedResponse:
    return MalformedResponse(f"A row cannot be read as a {kind.__name__}: {why}.", body=own)


def _anything(data: bytes | Raw) -> Any:
    try:
        return _decoder(object).decode(data)
    except _UNREADABLE:
        return bytes(data)


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


@cache
def _required(kind: type[Record]) -> tuple[str, ...]:
    return tuple(field.name for field in msgspec.structs.fields(kind) if field.required)


@cache
def _declared(kind: type[Record]) -> dict[str, str]:
    """Return the declared attributes of a model by their names on the wire."""
    return {field.encode_name: field.name for field in msgspec.structs.fields(kind)}


def _attribute(kind: type[Record], name: str) -> str:
    return _declared(kind).get(name, name)


@cache
def _lazy(kind: type[Record]) -> dict[str, Member[Any]]:
    """Return every `Member` of a model by its attribute."""
    found: dict[str, Member[Any]] = {}
    for parent in reversed(kind.__mro__):
        found.update({m.attribute: m for m in vars(parent).values() if isinstance(m, Member)})
    return found


@cache
def _named(kind: type[Record]) -> frozenset[str]:
    return frozenset(_declared(kind)) | {member.name for member in _lazy(kind).values()}


def _row_with(members: Iterable[Member[Any]], kind: type[Record] | None = None) -> type[Any]:
    """Return a struct of some members, and of what `kind` declares."""
    shape: list[Any] = [
        (field.name, field.type, msgspec.field(name=field.encode_name, default=field.default))
        for field in (() if kind is None else msgspec.structs.fields(kind))
    ]
    for member in members:
        # Raw takes null as it is; beside None it would take nothing else.
        present = member.kind if member.kind is Raw else Union[member.kind, None]  # noqa: UP007 (no class)
        optional: Any = Union[present, UnsetType]  # noqa: UP007
        shape.append((member.attribute, optional, msgspec.field(name=member.name, default=UNSET)))
    return msgspec.defstruct("Row", shape, gc=False, kw_only=True)


@lru_cache(maxsize=256)
def _wide(
    kind: type[Record], names: tuple[str, ...]
) -> tuple[msgspec.json.Decoder[Any], list[tuple[str, Member[Any]]]]:
    """Return the decoder of a row with members, and those it reads: the first of each name on the wire."""
    members = _lazy(kind)
    chosen: dict[str, Member[Any]] = {}
    for name in names:
        chosen.setdefault(members[name].name, members[name])
    read = [(member.attribute, member) for member in chosen.values()]
    return msgspec.json.Decoder(_row_with(chosen.values(), kind)), read


@cache
def _bytes_of(name: str) -> msgspec.json.Decoder[Any]:
    value = ("value", Raw | UnsetType, msgspec.field(name=name, default=UNSET))
    return msgspec.json.Decoder(msgspec.defstruct("Row", [value]))


class DecodingStatistics(Struct, frozen=True, kw_only=True):
    """The counts of a `DecodingReport` at one moment."""

    rejected: Mapping[str, int]
    """Rows left out because they had no usable id, by the model's name."""
    unread: Mapping[str, int]
    """Members that had another type than expected, by `Contact.created`."""


class DecodingReport:
    """How well the rows of one client could be read: counts that only grow.

    A kept record may still tell its report of a member that is read late, so a report refers to
    nothing.
    """

    __slots__ = ("_rejected", "_unread")

    def __init__(self) -> None:
        self._unread: Counter[str] = Counter()
        self._rejected: Counter[str] = Counter()

    def statistics(self) -> DecodingStatistics:
        """Return the counts so far, as a value."""
        # Copies, and plain ones, which every encoder takes.
        return DecodingStatistics(rejected=dict(self._rejected), unread=dict(self._unread))

    def noticed(self, member: str) -> None:
        """Count a member that could not be read; pass this method to `read_record` as `noticed`."""
        self._unread[member] += 1

    def rejected(self, kind: str, error: MalformedResponse) -> None:
        """Count a row of model `kind` that was left out; the error itself is not kept."""
        del error
        self._rejected[kind] += 1

    def __repr__(self) -> str:
        """Show the counts."""
        return f"<DecodingReport unread={dict(self._unread)} rejected={dict(self._rejected)}>"
