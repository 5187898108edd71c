"""What a search of contacts can ask about: the names of fields, and what each looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime

from msgspec import Struct

from nimble_async.testing.call import Call
from nimble_async.testing.nimble.content import (
    contact_values,
    contacted_wall,
    kind_of,
    tags_in,
    updated_wall,
)
from nimble_async.testing.nimble.field_values import dictionary
from nimble_async.testing.nimble.search import Compiler, Field, Span, Test, created_span, read_query
from nimble_async.testing.nimble.standing import SAVED_SEARCHES

__all__ = ["Search", "compile_search", "every_test", "keyword_search"]

_PARTS = frozenset({"city", "state", "country", "street", "zip"})
_ANYWHERE = (
    "first name", "middle name", "last name", "company name", "parent company", "title", "address",
    "email", "domain", "phone", "skype id", "description", "contact employment",
)  # fmt: skip
_NAMES = ("first name", "middle name", "last name", "company name")
_KINDS = {"choice": "choice", "number": "number", "datetime": "date", "boolean": "boolean"}
_STANDARD_CHOICES = frozenset({"lead status", "lead source", "lead type", "# of employees"})


class Search(Struct, frozen=True, kw_only=True):
    """What a query asks for: a span of `created` that holds all it can find, and a test for the rest."""

    span: Span | None = None
    test: Test | None = None
    relative: bool = False
    """Whether the answer depends on the time it is asked at."""


def compile_search(call: Call, text: str) -> Search:
    """Read a query from its JSON text.

    Raises:
        Refusal: The vendor refuses it: a 409.
    """
    node = read_query(text)
    compiler = _compiler(call)
    test = compiler.compile(node)
    span, whole = created_span(call, node)
    return Search(span=span, test=None if whole else test, relative=compiler.relative)


def keyword_search(call: Call, keyword: str) -> Search:
    """Return the search that a keyword stands for: any field contains it."""
    return Search(test=_compiler(call).compile({"__any": {"contain": keyword}}))


def every_test(call: Call, query: object) -> Test:
    """Return the test of a query that came as an object.

    Raises:
        Refusal: The vendor refuses it: a 409.
    """
    return _compiler(call).compile(query)


def _compiler(call: Call) -> Compiler:
    fields = call.account.fields()
    return Compiler(
        call,
        _Names(call).find,
        saved=SAVED_SEARCHES,
        field_id=lambda name: fields[name]["field_id"] if name in fields else None,
    )


class _Names:
    """The searchable names of one account."""

    def __init__(self, call: Call) -> None:
        self._world = call.world
        self._fields = call.account.fields()
        self._is_custom = call.account.is_custom

    def find(self, name: str, custom: bool) -> Field | None:  # noqa: FBT001 (the compiler's one argument)
        """Return what a name stands for, or None; fields of the account's own are asked for as such."""
        if custom:
            return self._named(name) if self._is_custom(name) else None
        return self._made_up(name) or (None if self._is_custom(name) else self._named(name))

    def _made_up(self, name: str) -> Field | None:
        """Return a name that is no field of its own."""
        world, herd = self._world, self._world.contacts
        part = name.removeprefix("address.")
        if part in _PARTS:
            return Field(kind="part", read=lambda serial: _parts(self._texts("address", serial), part))
        if name in {"company last contacted", "user last contacted"}:
            return Field(kind="contacted", read=lambda serial: _present(contacted_wall(world, serial)))
        made: dict[str, Callable[[], Field]] = {
            "__any": lambda: Field(kind="any", read=self._reader(*_ANYWHERE)),
            "name": lambda: Field(kind="names", read=self._whole_name),
            "names": lambda: Field(kind="names", read=self._whole_name),
            "title": lambda: Field(kind="employment", read=self._jobs("title", "title")),
            "company_name": lambda: Field(
                kind="employment", read=self._jobs("company_name", "parent company")
            ),
            "created": lambda: Field(kind="stamp", read=lambda serial: (herd.created[serial],)),
            "updated": lambda: Field(kind="stamp", read=lambda serial: (updated_wall(world, serial),)),
            "birthday": lambda: Field(
                kind="date",
                read=lambda serial: [_birthday(text) for text in self._texts("birthday", serial)],
            ),
            "record type": lambda: Field(
                kind="kind",
                read=lambda serial: (kind_of(world, serial), "all"),
                choices=("person", "company", "all"),
            ),
            "_id": lambda: Field(kind="id", read=lambda serial: (herd.id_of(serial),)),
            "tag": lambda: Field(kind="tag", read=lambda serial: tags_in(world, serial)),
            "reminder": lambda: Field(kind="presence", read=lambda _: ()),
            "rating": lambda: Field(kind="number", read=self._reader("rating")),
            "address": lambda: Field(kind="address", read=self._reader("address")),
        }
        return made[name]() if name in made else None

    def _named(self, name: str) -> Field | None:
        definition = self._fields.get(name)
        if definition is None:
            return None
        kind = _KINDS.get(definition["field_type"]["field_kind"], "text")
        if kind == "date":
            return Field(
                kind="date", read=lambda serial: [_moment(text) for text in self._texts(name, serial)]
            )
        if kind == "choice" and name in _STANDARD_CHOICES:
            # Custom choices are searched by the id alone; of the standard ones the label is known, too.
            labels = {one["id"]: one["value"] for one in definition["field_type"]["values"]["values"]}
            return Field(
                kind="choice",
                read=lambda serial: [
                    word for text in self._texts(name, serial) for word in (text, labels.get(text, text))
                ],
            )
        return Field(kind=kind, read=self._reader(name))

    def _texts(self, name: str, serial: int) -> list[str]:
        return [text for text, _ in contact_values(self._world, serial).get(name, ()) if text]

    def _reader(self, *names: str) -> Callable[[int], list[str]]:
        world = self._world

        def read(serial: int) -> list[str]:
            values = contact_values(world, serial)
            texts = [text for name in names for text, _ in values.get(name, ()) if text]
            return [part for text in texts for part in _written(text)]

        return read

    def _whole_name(self, serial: int) -> list[str]:
        names = self._reader(*_NAMES)(serial)
        return [" ".join(names), *names] if names else []

    def _jobs(self, member: str, *older: str) -> Callable[[int], list[str]]:
        """Return a reader of one member of every employment, and of the older fields for the same."""
        world = self._world

        def read(serial: int) -> list[str]:
            values = contact_values(world, serial)
            plain = [text for name in older for text, _ in values.get(name, ()) if text]
            if "contact employment" not in values:
                return plain
            jobs = [(dictionary(text) or {}).get(member) for text, _ in values["contact employment"]]
            return [*plain, *(str(job) for job in jobs if job)]

        return read


def _present(item: float | None) -> Iterable[float]:
    return () if item is None else (item,)


def _birthday(text: str) -> date | tuple[int, int]:
    """Return a day, or month and day where the year is not known."""
    month, day, *year = (int(part) for part in text.split("/"))
    return date(year[0], month, day) if year else (month, day)


def _moment(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _written(text: str) -> Iterable[str]:
    """Return what a value says: itself, or of an address or employment the parts."""
    found = dictionary(text) if text.startswith("{") else None
    return (text,) if found is None else [str(part) for part in found.values() if part]


def _parts(addresses: list[str], part: str) -> list[str]:
    found = ((dictionary(address) or {}).get(part) for address in addresses)
    return [str(text) for text in found if text]
