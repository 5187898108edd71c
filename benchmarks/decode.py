"""What reading a page of contacts costs, as a ratio of one bare msgspec decode of the same page.

    python -m benchmarks.decode

The page: 100 contacts of 3 KB. The bare decode makes a plain struct of each row with every field
in it, and keeps nothing of what the server sent. Ours keeps the bytes of each row. What is asked
of the records of the first page is read at once with the rows of the pages behind it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from nimble_async._sansio.codec import read_page
from nimble_async._sansio.message import Response
from nimble_async._sansio.operation import Paging, Shape, get
from nimble_async._sansio.record import row_reader
from nimble_async.nimble.models.contacts import Contact
from nimble_async.nimble.models.fields import FieldValue

LIST = get("contacts.list", "/", returns=Contact, shape=Shape.PAGE, items="resources", paging=Paging.NUMBER)
ROWS = 100
ROUNDS = 60


class BareContact(Struct):
    id: str
    created: datetime
    updated: datetime
    record_type: str
    owner_id: str
    fields: dict[str, tuple[FieldValue, ...]]


class BareMeta(Struct):
    page: int
    pages: int
    per_page: int
    total: int


class BarePage(Struct):
    meta: BareMeta
    resources: list[BareContact]


def contact(number: int) -> dict[str, Any]:
    """Return a contact of about 3 KB in the shape of the vendor's own sample."""
    values = {
        "first name": [("", f"Ada {number}")],
        "last name": [("", "Lovelace")],
        "email": [("work", f"ada.{number}@example.com"), ("personal", f"ada.{number}@example.org")],
        "phone": [("work", f"+1 555 010 {number:04}"), ("mobile", f"+1 555 011 {number:04}")],
        "address": [
            ("work", '{"street": "1 Main St", "city": "Exampleton", "zip": "12345", "country": "US"}')
        ],
        "description": [("other", "Met at the fair; wants an offer in spring. " * 4)],
        "URL": [("work", f"https://example.com/people/{number}"), ("blog", "https://blog.example.com")],
        "skype id": [("", f"ada.{number}")],
        "linkedin": [("", f"https://www.linkedin.com/in/ada-{number}")],
        "twitter": [("", f"ada{number}")],
        "parent company": [("", "Example Engines")],
        "title": [("", "Engineer")],
        "source": [("", "csv")],
        **{name: [("", str(number % 7))] for name in ("lead status", "lead source", "lead type", "rating")},
        **{f"custom field {index}": [("", f"value {index} of {number}")] for index in range(9)},
    }
    return {
        "id": f"{number:024x}",
        "object_type": "contact",
        "record_type": "person",
        "created": "2023-09-07T16:49:56+0300",
        "updated": "2024-09-07T16:49:56+0300",
        "fields": {
            name: [{"value": value, "modifier": modifier, "label": name} for modifier, value in found]
            for name, found in values.items()
        },
        "owner_id": "5049f696a694620a0700001c",
        "creator": "Example User",
        "updater": "Example User",
        "avatar_url": None,
        "children": [],
        "tags": [{"tag": "csv import", "id": "5049fa0c9b85f62cb4000639"}],
        "privacy": {"read": None, "edit": None},
        "last_contacted": None,
        "reminder": None,
        "is_important": None,
    }


def page() -> bytes:
    """Return one page as the vendor sends it."""
    meta = {"page": 1, "pages": 1, "per_page": ROWS, "total": ROWS}
    rows = [contact(number) for number in range(ROWS)]
    return msgspec.json.encode({"meta": meta, "resources": rows})


def cases(body: bytes) -> dict[str, Callable[[], object]]:
    """Return what is measured, by name; `bare` is what the others are compared with."""
    bare = msgspec.json.Decoder(BarePage)
    response = Response(status=200, body=body)
    ignored: list[str] = []

    def envelope() -> object:
        return read_page(LIST, response)

    def records(*eager: str) -> list[Contact]:
        read = row_reader(Contact, noticed=ignored.append, eager=eager)
        return [read(row) for row in read_page(LIST, response).rows]

    def touched(*eager: str) -> list[Contact]:
        found = records(*eager)
        for record in found:
            record.fields  # noqa: B018 (touching is what is measured)
        return found

    def email(*eager: str) -> list[str | None]:
        return [record.email for record in records(*eager)]

    return {
        "bare": lambda: bare.decode(body),
        "envelope": envelope,
        "untouched": records,
        "email, first page": email,
        "email": lambda: email("_by_name"),
        "touched, first page": touched,
        "touched": lambda: touched("fields"),
    }


def measure(rounds: int = ROUNDS) -> dict[str, float]:
    """Return the least CPU seconds of each case; the cases take turns, so that a busy machine hits all."""
    found = cases(page())
    best = dict.fromkeys(found, float("inf"))
    for _ in range(rounds):
        for name, case in found.items():
            began = time.process_time()
            for _ in range(5):
                case()
            best[name] = min(best[name], (time.process_time() - began) / 5)
    return best


def main() -> None:
    """Print microseconds per contact, and the ratios."""
    best = measure()
    print(f"{len(page()) / ROWS:.0f} bytes a contact")
    for name, seconds in best.items():
        print(f"{name:20} {seconds / ROWS * 1e6:6.2f} us per contact   {seconds / best['bare']:5.2f} of bare")


if __name__ == "__main__":
    main()
