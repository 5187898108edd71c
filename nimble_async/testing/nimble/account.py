"""What was changed in a simulated account since it began.

Rule: a thin layer over what `content` renders from numbers: a dictionary by id for each kind of
thing, empty until something is written. Nothing here reads a clock or knows a request.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from msgspec import Struct

from nimble_async.testing.nimble.standing import FIELD_GROUPS, OWNER, PIPELINES, TABS, TAGS

__all__ = ["Account", "DealProfile", "Place", "Profile"]


class Profile(Struct, kw_only=True):
    """A contact that was created or changed by a request; `fields` holds values as they are shown."""

    record_type: str
    fields: dict[str, list[dict[str, Any]]]
    tags: list[str]
    owner_id: str | None
    privacy: dict[str, Any]
    creator: str
    updater: str
    avatar_url: str | None = None
    is_important: bool | None = None
    files: list[dict[str, Any]] = []
    last_contacted: float | None = None
    """Wall seconds; None where nobody wrote yet."""


class DealProfile(Struct, kw_only=True):
    """A deal that was created or changed by a request; `fields` maps names to `[{value, is_primary}]`."""

    pipeline_id: str
    stage_id: str
    fields: dict[str, list[dict[str, Any]]]
    tags: list[str]
    owner: dict[str, Any]
    creator: dict[str, Any]
    updated_by: str
    currency: str
    privacy: dict[str, Any]
    updated: float
    """Wall seconds."""
    related_contacts: list[dict[str, Any]] = []
    related_external_contacts: list[dict[str, Any]] = []
    transitions: list[dict[str, Any]] = []
    files: list[dict[str, Any]] = []


class Place(Struct, frozen=True):
    """Where a contact field stands: its tab, its group (None: directly in the tab), and the list it is in."""

    field: dict[str, Any]
    tab: dict[str, Any]
    group: dict[str, Any] | None
    members: list[dict[str, Any]]


class Account:
    """Changes of one account. `version` grows with each of them."""

    def __init__(self, *, seed: int = 0) -> None:
        self.seed = seed
        self.version: int = 0
        self.profiles: dict[int, Profile] = {}
        """Contacts by serial."""
        self.deals: dict[int, DealProfile] = {}
        """Deals by serial."""
        self.notes: dict[str, dict[str, Any]] = {}
        self.activities: dict[str, dict[str, Any]] = {}
        """Tasks, calls and events; `agenda.activities_of` writes those that the account began with."""
        self.begun = False
        """Whether it has."""
        self.drafts: dict[str, dict[str, Any]] = {}
        self.deal_notes: dict[str, dict[str, Any]] = {}
        self.uploads: set[str] = set()
        """The `data_id`s of uploaded files."""
        self.leads: dict[int, dict[str, list[dict[str, Any]]]] = {}
        """Contacts by serial: pipeline -> the transitions of the present run."""
        self.field_names: dict[str, str | None] = {}
        """What became of the names of fields that rendered contacts have: a new name, or None."""
        self.deal_tag_names: dict[str, str | None] = {}
        """The same for the tags of rendered deals."""
        self.deal_tags: dict[str, str | None] = dict.fromkeys(TAGS)
        """The tags of deals, each with the time it was created as shown."""
        self.deal_fields: dict[str, dict[str, Any]] = {}
        """Custom fields of deals by id: `{field, pipeline_id}`."""
        self._shown: dict[int, int] = {}
        self._fields_shown = 0
        self._births = 0
        self._names: dict[str, dict[str, Any]] = {}
        self._names_at = -1
        self._stages: dict[str, dict[str, Any]] = {}
        self._stages_at = -1

    def change(self) -> None:
        """Note that a listing could show something else from here on."""
        self.version += 1

    def change_contact(self, serial: int) -> None:
        """Note that a contact is shown differently from here on."""
        self._shown[serial] = self._shown.get(serial, 0) + 1
        self.version += 1

    def change_fields(self) -> None:
        """Note that every contact may be shown differently from here on."""
        self._fields_shown += 1
        self.version += 1

    def look(self, serial: int) -> tuple[int, int]:
        """Return what changes whenever a contact is shown differently."""
        return self._shown.get(serial, 0), self._fields_shown

    def new_id(self, wall: float) -> str:
        """Return a new 24-hex id, born at a wall second."""
        self._births += 1
        return f"{int(wall):08x}5e{self.seed % 65_536:04x}{self._births:010x}"

    @cached_property
    def tabs(self) -> list[dict[str, Any]]:
        """The tabs of contact fields."""
        return copy.deepcopy(list(TABS))

    @cached_property
    def pipelines(self) -> dict[str, dict[str, Any]]:
        """The pipelines of deals by id."""
        return {
            document["pipeline_id"]: document
            for document in copy.deepcopy([pipeline["document"] for pipeline in PIPELINES])
        }

    def stages(self) -> dict[str, dict[str, Any]]:
        """Return the stages of every pipeline of deals by id."""
        if self._stages_at != self.version:
            every = self.pipelines.values()
            self._stages = {stage["stage_id"]: stage for one in every for stage in one["stages"]}
            self._stages_at = self.version
        return self._stages

    def places(self) -> Iterator[Place]:
        """Go through every contact field."""
        for tab in self.tabs:
            for member in tab["members"]:
                if member["type"] == "group":
                    for field in member["fields"]:
                        yield Place(field, tab, member, member["fields"])
                else:
                    yield Place(member, tab, None, tab["members"])

    def fields(self) -> dict[str, dict[str, Any]]:
        """Return the contact fields by name."""
        if self._names_at != self._fields_shown:
            self._names = {place.field["name"]: place.field for place in self.places()}
            self._names_at = self._fields_shown
        return self._names

    def place_of(self, field_id: str) -> Place | None:
        """Return where a field stands, by its id, or None."""
        return next((place for place in self.places() if place.field["field_id"] == field_id), None)

    def is_custom(self, name: str) -> bool:
        """Return whether a contact field was added by somebody of this account."""
        return FIELD_GROUPS.get(name, "Custom") == "Custom"

    @staticmethod
    def may_read(privacy: dict[str, Any], owner_id: str | None) -> bool:
        """Return whether the user of this account may see what has such a privacy."""
        return _allowed(privacy.get("read"), owner_id) or _allowed(privacy.get("edit"), owner_id)

    @staticmethod
    def may_edit(privacy: dict[str, Any], owner_id: str | None) -> bool:
        """Return whether the user of this account may change what has such a privacy."""
        return _allowed(privacy.get("edit"), owner_id)


def _allowed(principals: dict[str, Any] | None, owner_id: str | None) -> bool:
    """Null is everyone; the owner always may; else a user has to be named."""
    me = OWNER["user_id"]
    return principals is None or owner_id == me or me in principals.get("user_ids", ())
