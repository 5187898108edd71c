"""contacts.*: listings, searches and single contacts; what changes them stands in `contact_changes`."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec

from nimble_async.testing.call import Answer, Call, Handler, Refusal, json_answer
from nimble_async.testing.nimble.agenda import sequences_of
from nimble_async.testing.nimble.checks import read_flag, read_number
from nimble_async.testing.nimble.contact_search import Search, compile_search, keyword_search
from nimble_async.testing.nimble.content import (
    contact_document,
    contact_values,
    kind_of,
    leads_of,
    updated_wall,
)
from nimble_async.testing.nimble.refusals import invalid
from nimble_async.testing.nimble.search import Span
from nimble_async.testing.nimble.standing import OWNER, SINGLE_FIELDS, user

__all__ = [
    "HANDLERS",
    "found_by",
    "get",
    "get_many",
    "list_contacts",
    "list_ids",
    "metadata",
    "page_of",
    "shown_contact",
]

_SORTED_PAGE = 100
_MOST_IDS = 30
_MOST_RENDERED = 2_000
_CONTEXTS = ("last_contacted_data", "employers_data", "leads_data", "sequences_data", "contact_files")
_OF_OTHERS = frozenset({"employers_data", "sequences_data"})
_SORTABLE = SINGLE_FIELDS | {"created", "updated", "record type", "_id", "name", "birthday"}
_RELEVANCE = "score"

_Key = Callable[[int], Any]


class _Span(Sequence[int]):
    """A stretch of a listing, read forwards or backwards without copying it."""

    def __init__(self, listed: Sequence[int], places: range) -> None:
        self._listed = listed
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self._listed[place] for place in self._places[index]]
        return self._listed[self._places[index]]


def list_contacts(call: Call) -> Answer:
    """Answer one page of contacts, filtered and sorted."""
    show = _shown(call)
    serials, meta, lasting = _page(call)
    return json_answer({"meta": meta, "resources": [show(serial) for serial in serials]}, lasting=lasting)


def list_ids(call: Call) -> Answer:
    """Answer one page of ids, with the filters of `contacts.list`."""
    serials, meta, lasting = _page(call)
    identify = call.world.contacts.id_of
    return json_answer({"meta": meta, "resources": [identify(serial) for serial in serials]}, lasting=lasting)


def get_many(call: Call) -> Answer:
    """Answer up to 30 contacts by id; ids that name nothing are left out."""
    ids = [id for id in (call.text("id") or "").split(",") if id]  # noqa: A001 (the vendor's word)
    if not ids:
        return invalid({"/": 'missing required properties: ["id"]'})
    if len(ids) > _MOST_IDS:
        return invalid({"/id": f"has more than {_MOST_IDS} ids"})
    return _by_id(call, ids)


def get(call: Call) -> Answer:
    """Answer one contact in a list; the list is empty where the id names nothing."""
    # Older documents join several ids by commas in the path.
    return _by_id(call, call.ids["contact_id"].split(",")[:_MOST_IDS])


def metadata(call: Call) -> Answer:
    """Answer the older description of fields and groups."""
    return json_answer(_metadata(call), lasting=True)


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "contacts.get": get,
        "contacts.get_many": get_many,
        "contacts.list": list_contacts,
        "contacts.list_ids": list_ids,
        "contacts.metadata": metadata,
    }
)


def _by_id(call: Call, ids: list[str]) -> Answer:
    show = _shown(call, leads=read_flag(call, "leads_data", default=True))
    serials = (call.world.contacts.serial_of(id) for id in ids)  # noqa: A001 (the vendor's word)
    # Whom the user may not see does not exist for him.
    seen = [serial for serial in serials if serial is not None and _visible(call, serial)]
    document: dict[str, Any] = {"resources": [show(serial) for serial in seen]}
    if read_flag(call, "meta", default=False):
        document["contacts_meta"] = _metadata(call)
    return json_answer(document, lasting=True)


def _visible(call: Call, serial: int) -> bool:
    profile = call.account.profiles.get(serial)
    return profile is None or call.account.may_read(profile.privacy, profile.owner_id)


def _metadata(call: Call) -> dict[str, Any]:
    """Describe the fields in the older way: by name and by group."""
    groups: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    for place in call.account.places():
        tab, field = place.tab, place.field
        group = place.group or {"group_id": tab["tab_id"], "name": tab["tab_name"]}
        name = group["name"]
        shown = groups.setdefault(
            name,
            {
                "id": group["group_id"],
                "name": name,
                "label": name,
                "is_standard": tab["is_standard"],
                "type": "both" if tab["tab_name"] == "Contact" else tab["contact_types"],
                "order": [],
            },
        )
        shown["order"].append(field["name"])
        fields[field["name"]] = [
            {
                "id": field["field_id"],
                "name": field["name"],
                "label": field["name"],
                "modifier": field["modifier"],
                "group": name,
                "read_only": field["read_only"],
                "multiples": field["multiples"],
                "presentation": _box(field["field_type"]),
            }
        ]
    return {"groups": groups, "fields": fields}


def _box(kind: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the web application shows a field, in the older words."""
    if kind["field_kind"] != "choice":
        boxes = {"long_string": "multi-line-text-box", "address": "address", "number": "numeric-general"}
        boxes |= {"datetime": "date", "boolean": "boolean", "user": "objectid"}
        return {"type": boxes.get(kind["field_kind"], "single-line-text-box"), "width": "1"}
    values = kind["values"]["values"]
    numbers = [int(one["id"]) for one in values if one["id"].isdigit()]
    return {
        "type": "select-box",
        "width": "1",
        "next_id": str(max(numbers, default=0) + 1),
        "values": values,
    }


def shown_contact(call: Call, serial: int) -> msgspec.Raw:
    """Return one contact with everything, as the answer to a change shows it."""
    document = contact_document(call.world, serial)
    if read_flag(call, "leads_data", default=True):
        document["stages_info"] = leads_of(call.world, serial)
    return msgspec.Raw(msgspec.json.encode(document))


def _shown(call: Call, *, leads: bool = False) -> Callable[[int], msgspec.Raw]:
    """Return how this call wants a contact shown."""
    wanted = call.text("fields")
    names = None if wanted is None or wanted == "" else frozenset(_names(wanted))
    tags = read_flag(call, "tags", default=True)
    contexts = tuple(dict.fromkeys(call.names("contexts")))
    unknown = [name for name in contexts if name not in _CONTEXTS]
    if unknown:
        raise Refusal(invalid({"/contexts": f"{unknown[0]!r} is not one of {list(_CONTEXTS)}"}))
    last = read_flag(call, "last_contacted", default=not contexts or "last_contacted_data" in contexts)
    if read_flag(call, "files_data", default=False):
        contexts = (*dict.fromkeys((*contexts, "contact_files")),)
    world, account, kept = call.world, call.account, call.rendered

    def show(serial: int) -> msgspec.Raw:
        look = account.look(serial) if account.version else None
        key = (serial, world.contacts.touched.get(serial), look, names, tags, last, contexts, leads)
        # What other records have a part in may change while this one stays as it is.
        if key not in kept or _OF_OTHERS.intersection(contexts):
            if len(kept) >= _MOST_RENDERED:
                kept.clear()
            document = contact_document(world, serial, fields=names, tags=tags, last_contacted=last)
            if leads and world.account.leads.get(serial):
                document["stages_info"] = leads_of(world, serial)
            if contexts:
                document["contexts"] = [
                    {"context_key": name, "context": _context(call, name, serial)} for name in contexts
                ]
            kept[key] = msgspec.Raw(msgspec.json.encode(document))
        return kept[key]

    return show


def _context(call: Call, name: str, serial: int) -> object:
    """Return one block that was asked for."""
    if name == "leads_data":
        return leads_of(call.world, serial)
    if name == "contact_files":
        profile = call.account.profiles.get(serial)
        return [] if profile is None else profile.files
    if name == "sequences_data":
        return sequences_of(call, serial)
    if name == "employers_data":
        return _employers(call, serial)
    last = contact_document(call.world, serial, fields=frozenset()).get("last_contacted")
    if last is None:
        return {}
    return {
        "company_lc": {"out": last},
        "user_lc": {"out": last},
        "last_user": user(last["user_id"]) or OWNER,
    }


def _employers(call: Call, serial: int) -> list[dict[str, str]]:
    """Return the companies of the account that a person's employments name."""
    values = contact_values(call.world, serial)
    names = [text for text, _ in values.get("parent company", ())]
    for text, _ in values.get("contact employment", ()):
        names.append(str(msgspec.json.decode(text).get("company_name") or ""))
    wanted = {name.casefold() for name in names if name}
    found = []
    for other in call.account.profiles if wanted else ():
        own = contact_values(call.world, other).get("company name", [])
        if call.world.contacts.exists(other) and any(name.casefold() in wanted for name, _ in own):
            contact_id = call.world.contacts.id_of(other)
            picture = f"https://app.nimble.com/api/contacts/avatars/{contact_id}"
            found.append({"contact_id": contact_id, "company_name": own[0][0], "avatar_url": picture})
    return found


def _names(text: str) -> list[str]:
    """Split at commas that no backslash escapes."""
    return [name.replace("\\,", ",").strip() for name in re.split(r"(?<!\\),", text)]


def _page(call: Call) -> tuple[list[int], dict[str, int], bool]:
    number, size = read_number(call, "page", 1), read_number(call, "per_page", 30)
    sort = _sort(call)
    if sort is not None and size > _SORTED_PAGE:
        raise Refusal(invalid({"/per_page": f"can't be more than {_SORTED_PAGE} with sort"}))
    search = _search(call)
    if sort is not None and sort[0] == _RELEVANCE:
        _unless_relevant(call)
        sort = None
    rows, key = _ordered(call, search, sort)
    total = len(rows)
    serials = page_of(
        rows, key, (number - 1) * size, size, call.chance if call.behaviour.unstable_ties else None
    )
    meta = {"page": number, "pages": -(-total // size), "per_page": size, "total": total}
    return serials, meta, not (search.relative or call.behaviour.unstable_ties)


def _sort(call: Call) -> tuple[str, bool] | None:
    """Return the field to sort by and whether it descends."""
    text = call.text("sort")
    if text is None or text == "":
        return None
    name, colon, order = text.rpartition(":")
    if not colon or order not in {"asc", "desc"}:
        raise Refusal(invalid({"/sort": "must be <field>:asc or <field>:desc"}))
    if name not in _SORTABLE and name != _RELEVANCE:
        raise Refusal(invalid({"/sort": f"{name} is not sortable"}))
    return name, order == "desc"


def _unless_relevant(call: Call) -> None:
    """Let a search be sorted by relevance; how much a hit is worth, and so the order, is undocumented.

    Raises:
        Refusal: There is nothing to be relevant to.
    """
    if not call.text("keyword") and '"contain"' not in (call.text("query") or ""):
        raise Refusal(invalid({"/sort": f"{_RELEVANCE} needs a keyword, or contain in the query"}))


def found_by(call: Call) -> list[int]:
    """Return every contact that a call's `query`, `keyword` and `record_type` select.

    Raises:
        Refusal: The vendor refuses them: a 409.
    """
    return list(_ordered(call, _search(call), None)[0])


def _search(call: Call) -> Search:
    keyword, query = call.text("keyword"), call.text("query")
    kind = call.text("record_type") or "all"
    if keyword and query:
        raise Refusal(invalid({"/": "You can specify either `keyword` or `query` parameter, not both!"}))
    if kind not in {"person", "company", "all"}:
        raise Refusal(invalid({"/record_type": "must be person, company or all"}))
    if query:
        return compile_search(call, query)
    search = keyword_search(call, keyword) if keyword else Search()
    if kind == "all":
        return search
    world, inner = call.world, search.test
    return Search(test=lambda serial: kind_of(world, serial) == kind and (inner is None or inner(serial)))


def _ordered(call: Call, search: Search, sort: tuple[str, bool] | None) -> tuple[Sequence[int], _Key]:
    """Return everything a search finds, in order, and the key of that order.

    Unsorted listings come newest first: an order that the vendor does not promise.
    """
    herd = call.world.contacts
    name, descending = sort or ("created", True)
    key = _key(call, name)
    span = search.span or Span()
    places = herd.span(span.start, span.end, inclusive=span.inclusive)
    if search.test is None and name == "created":
        return _Span(herd.listed, places[::-1] if descending else places), key
    known = (call.text("query"), call.text("keyword"), call.text("record_type"), name, descending)
    if search.relative or known not in call.found:
        test = search.test or (lambda serial: True)
        rows = [serial for serial in (herd.listed[place] for place in places) if test(serial)]
        if name != "created":
            rows.sort(key=key)
        if descending:
            rows.reverse()
        call.found[known] = rows
    return call.found[known], key


def _key(call: Call, name: str) -> _Key:
    world = call.world
    if name == "created":
        return world.contacts.created.__getitem__
    if name == "updated":
        return lambda serial: updated_wall(world, serial)
    if name == "record type":
        return lambda serial: kind_of(world, serial)
    if name == "_id":
        return world.contacts.id_of
    names = ("first name", "last name", "company name") if name == "name" else (name,)

    def text(serial: int) -> str:
        values = contact_values(world, serial)
        return " ".join(value for each in names for value, _ in values.get(each, ())).lower()

    return text


def page_of(rows: Sequence[int], key: _Key, start: int, size: int, chance: random.Random | None) -> list[int]:
    """Return `size` rows from `start` on; with `chance`, rows with equal keys stand in any order."""
    stop = min(len(rows), start + size)
    if start >= stop:
        return []
    if chance is None:
        return list(rows[start:stop])
    first, last = start, stop
    while first > 0 and key(rows[first - 1]) == key(rows[first]):
        first -= 1
    while last < len(rows) and key(rows[last]) == key(rows[last - 1]):
        last += 1
    found = list(rows[first:last])
    run = 0
    for place in range(1, len(found) + 1):
        if place == len(found) or key(found[place]) != key(found[run]):
            tied = found[run:place]
            chance.shuffle(tied)
            found[run:place] = tied
            run = place
    return found[start - first : stop - first]
