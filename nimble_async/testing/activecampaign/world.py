"""A seeded account of ActiveCampaign: numbered deals and contacts, and small tables around them.

Rule: a deal is a pure function of the seed and its number, with what calls have changed on top;
everything else is a row in a table. No clock: `advance` of the world decides what time is.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from nimble_async.testing.herd import Herd, NumberedHerd
from nimble_async.testing.world import World

__all__ = ["PIPELINES", "STAGES", "DealsWorld", "Table"]

PIPELINES = ("New business", "Renewals", "Partners", "Board only")
"""The last one cannot be seen by the owner of the key: its deals are stubs."""
STAGES = ("To contact", "In contact", "Follow up")
_TASK_TYPES = ("Call", "Email", "To-do")
_ROLES = ("Decision maker", "Influencer")
_FIELDS = (
    ("Forecast note", "text", None),
    ("Contract from", "date", None),
    ("Seats", "number", None),
    ("Setup fee", "currency", None),
    ("Products", "multiselect", ["Basic", "Plus", "Pro"]),
)
_MOST_SEEDED = 150
_TITLES = ("Website", "Migration", "Support plan", "Training", "Audit", "Rollout")
_CURRENCIES = ("usd", "usd", "usd", "eur")


class Table:
    """Rows of one kind by their number; numbers are never given twice."""

    def __init__(self) -> None:
        self._rows: dict[int, dict[str, Any]] = {}
        self._last = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Iterate over the rows, the oldest first."""
        return iter(list(self._rows.values()))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._rows)

    def add(self, row: dict[str, Any]) -> dict[str, Any]:
        """Add a row and give it the next id, a text of digits."""
        self._last += 1
        row = {**row, "id": str(self._last)}
        self._rows[self._last] = row
        return row

    def get(self, id: str) -> dict[str, Any] | None:  # noqa: A002 (the vendor's word)
        """Return a row, or None."""
        return self._rows.get(int(id)) if id.isascii() and id.isdigit() else None

    def remove(self, row: dict[str, Any]) -> None:
        """End a row."""
        self._rows.pop(int(row["id"]), None)


class DealsWorld(World):
    """One account. The world's `utc_offset` (hours) is the zone in which the vendor writes times."""

    herd: type[Herd] = NumberedHerd

    def __init__(self, **options: Any) -> None:
        options.setdefault("utc_offset", -5)
        super().__init__(**options)
        names = (
            "activities", "contact_deals", "fields", "groups", "notes", "roles", "stages", "tasks",
            "task_types", "values",
        )  # fmt: skip
        self.tables: dict[str, Table] = {name: Table() for name in names}
        self.changes: dict[int, dict[str, Any]] = {}
        """What calls have changed of a deal, by its serial."""
        self.edits: int = 0
        """Grows with each change of a table."""
        self._fill()

    @property
    def version(self) -> int:
        """A number that grows with every change a listing could show."""
        return super().version + self.edits

    def written(self, wall: float) -> str:
        """Return an instant (seconds since 1970) as most of the vendor's times are written."""
        zone = timezone(timedelta(hours=self.utc_offset))
        return datetime.fromtimestamp(wall, zone).isoformat(timespec="seconds")

    def bare(self, wall: float) -> str:
        """Return an instant without its zone, as some of the vendor's times are written."""
        return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%d %H:%M:%S")

    def place_of(self, serial: int) -> tuple[int, int]:
        """Return the numbers of a deal's pipeline and stage."""
        changed = self.changes.get(serial, {})
        if "group" in changed and "stage" in changed:
            return int(changed["group"]), int(changed["stage"])
        chance = random.Random(self.seed * 1_000_003 + serial)
        hidden = chance.random() < self.hidden_deals
        group = len(PIPELINES) if hidden else 1 + chance.randrange(len(PIPELINES) - 1)
        return group, (group - 1) * len(STAGES) + 1 + chance.randrange(len(STAGES))

    def hidden(self, serial: int) -> bool:
        """Return whether the owner of the key may not see the deal's pipeline."""
        return self.place_of(serial)[0] == len(PIPELINES)

    def deal(self, serial: int) -> dict[str, Any]:
        """Return a deal as a single read or a list shows it."""
        id_, chance = self.deals.id_of(serial), random.Random(serial * 1_000_003 + self.seed)
        changed = self.changes.get(serial, {})
        title = changed.get("title") or f"{chance.choice(_TITLES)} {id_}"
        if self.hidden(serial):
            return {"id": id_, "title": title, "isDisabled": True}
        group, stage = self.place_of(serial)
        created = self.deals.created[serial]
        status = chance.choice((0, 0, 1, 2))
        dated = chance.random() < 0.5
        edited = chance.choice((None, "0000-00-00 00:00:00")) if status == 0 else self.bare(created + 86_400)
        account = str(1 + chance.randrange(40))
        document: dict[str, Any] = {
            "hash": f"{chance.getrandbits(32):08x}", "owner": str(1 + chance.randrange(3)),
            "contact": self.contacts.id_of(chance.randrange(max(1, self.contacts.initial))),
            "organization": None if chance.random() < 0.3 else account, "account": account,
            "customerAccount": account, "group": str(group), "stage": str(stage), "title": title,
            "description": "" if chance.random() < 0.5 else f"About {title}", "id": id_,
            "percent": chance.choice((None, "0", "30")), "cdate": self.written(created),
            "mdate": self.written(self.deals.touched.get(serial, created)),
            "nextdate": self.written(created + 864_000) if dated else None, "nexttaskid": None,
            "value": str(100 * chance.randrange(1, 50_000) + chance.choice((0, 0, 50))),
            "currency": chance.choice(_CURRENCIES), "winProbability": chance.choice((None, 40, 75)),
            "winProbabilityMdate": None, "status": str(status), "activitycount": str(chance.randrange(9)),
            "nextdealid": "0", "nextTask": None, "isDisabled": chance.choice((False, 0)),
            "edate": edited,
            "links": {"activities": f"/deals/{id_}/dealActivities", "notes": f"/deals/{id_}/notes"},
        }  # fmt: skip
        document |= {name: value for name, value in changed.items() if name not in {"group", "stage"}}
        return document

    def change_deal(self, serial: int, now: float, changes: dict[str, Any]) -> None:
        """Change a deal at `now`; a move names pipeline and stage together."""
        self.changes.setdefault(serial, {}).update(changes)
        self.deals.touch(self.wall(now), serial)

    def _fill(self) -> None:
        """Make the small tables of a new account."""
        chance, tables = random.Random(f"{self.seed} tables"), self.tables
        born, deals = self.epoch - 86_400 * 400, min(self.deals.initial, _MOST_SEEDED)
        when, bare = self.written(born), self.bare(born)
        for number, title in enumerate(PIPELINES, start=1):
            tables["groups"].add(
                {"title": title, "currency": "usd", "autoassign": "0", "allusers": "1", "allgroups": "1",
                 "cdate": when, "udate": when, "win_probability_initialize_date": None, "links": {}}
            )  # fmt: skip
            for place, name in enumerate(STAGES, start=1):
                self.add_stage(name, number, place, born)
        for title in _TASK_TYPES:
            tables["task_types"].add(
                {
                    "title": title,
                    "status": "0",
                    "defduration": "15",
                    "cdate": None,
                    "udate": None,
                    "links": [],
                }
            )
        for title in _ROLES:
            tables["roles"].add(
                {"title": title, "created_timestamp": when, "updated_timestamp": when, "links": {}}
            )
        for label, kind, options in _FIELDS:
            tables["fields"].add(
                {"fieldLabel": label, "fieldType": kind, "fieldOptions": options, "fieldDefault": "",
                 "fieldDefaultCurrency": None, "isFormVisible": 1, "isRequired": 0, "hideFieldFlag": 0,
                 "displayOrder": len(tables["fields"]) + 1, "personalization": f"DEAL_{label.upper()}",
                 "knownFieldId": None, "createdTimestamp": bare, "updatedTimestamp": bare, "links": {}}
            )  # fmt: skip
        for serial in range(deals):
            self._fill_around(serial, chance, when, bare)

    def _fill_around(self, serial: int, chance: random.Random, when: str, bare: str) -> None:
        """Make what hangs on one deal: a value, a task, an activity, now and then a secondary contact."""
        id_, tables = self.deals.id_of(serial), self.tables
        field = 1 + serial % len(_FIELDS)
        values: tuple[Any, ...] = ("as agreed", "2026-03-01", 40 + serial, 12_500, ["Basic", "Pro"])
        tables["values"].add(
            {"dealId": int(id_), "customFieldId": field, "dealCustomFieldMetumId": field,
             "fieldValue": values[field - 1], "createdTimestamp": bare, "updatedTimestamp": bare, "links": {}}
        )  # fmt: skip
        tables["tasks"].add(
            {"title": f"Call about {id_}", "reltype": "Deal", "relid": id_, "status": str(serial % 2),
             "note": "", "duedate": self.written(self.epoch + 3600 * serial),
             "edate": self.written(self.epoch + 3600 * serial + 900), "duration": "15",
             "dealTasktype": str(1 + serial % len(_TASK_TYPES)), "assignee": "1", "user": "1", "cdate": when,
             "udate": when, "automation": None, "doneAutomation": None, "donedate": None, "outcomeId": None,
             "outcomeInfo": None, "owner": {"type": "deal", "id": id_}, "links": {}}
        )  # fmt: skip
        self.log(serial, "title", chance.choice(("", "Old name")), when)
        if serial % 3 == 0:
            tables["contact_deals"].add(
                {"deal": id_, "contact": self.contacts.id_of(chance.randrange(max(1, self.contacts.initial))),
                 "cdate": when, "role": None, "links": {}}
            )  # fmt: skip

    def log(self, serial: int, kind: str, old: str, when: str) -> None:
        """Add a line to the log of a deal's activities."""
        id_ = self.deals.id_of(serial)
        self.tables["activities"].add(
            {"d_id": id_, "d_stageid": str(self.place_of(serial)[1]), "userid": "1", "user": "1", "deal": id_,
             "dataId": id_, "dataType": kind, "dataAction": "update", "dataOldval": old, "cdate": when,
             "sortdate": when, "isAddtask": "0", "deleted": "0", "seriesid": "0", "automation": None,
             "stage": None, "links": {}}
        )  # fmt: skip

    def add_stage(self, title: str, group: int, place: int, wall: float) -> dict[str, Any]:
        """Add a stage to a pipeline."""
        when = self.written(wall)
        regions = {f"cardRegion{number}": word for number, word in enumerate(
            ("title", "next-action", "avatar", "show-cents", "value"), start=1)}  # fmt: skip
        return self.tables["stages"].add(
            {"title": title, "group": str(group), "order": str(place), "dealOrder": "next-action DESC",
             **regions, "color": "32B0FC", "width": "280", "cdate": when, "udate": when, "links": {}}
        )  # fmt: skip
