"""What every simulated account of Nimble begins with: users, fields, tags and pipelines.

Rule: constants. Who changes one of them takes a copy first; ids are made up and never change.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

__all__ = [
    "CHOICES",
    "COMPANY_ID",
    "CUSTOM_FIELDS",
    "DEAL_FIELDS",
    "FIELD_GROUPS",
    "FIELD_IDS",
    "LEAD_PIPELINES",
    "OWNER",
    "PIPELINES",
    "SAVED_SEARCHES",
    "SINGLE_FIELDS",
    "TABS",
    "TAGS",
    "USERS",
    "field_id",
    "field_kind",
    "tag_id",
    "user",
]

TAGS = (
    "csv import",
    "customer",
    "newsletter",
    "partner",
    "prospect",
    "vip",
    "conference 2024",
    "do not call",
)

_TAG_IDS = {tag: f"60d5c0de0000000000a{place:05x}" for place, tag in enumerate(TAGS)}

FIELD_GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "first name": "Basic Info",
        "last name": "Basic Info",
        "middle name": "Basic Info",
        "company name": "Basic Info",
        "title": "Basic Info",
        "parent company": "Basic Info",
        "source": "Basic Info",
        "birthday": "Personal Info",
        "phone": "Contact Info",
        "email": "Contact Info",
        "address": "Contact Info",
        "skype id": "Contact Info",
        "twitter": "Contact Info",
        "linkedin": "Contact Info",
        "URL": "Extra Info",
        "description": "Extra Info",
        "domain": "Company Info",
        "# of employees": "Company Info",
        "annual revenue": "Company Info",
        "lead status": "Lead Details",
        "lead source": "Lead Details",
        "lead type": "Lead Details",
        "rating": "Lead Details",
        "favourite colour": "Custom",
        "account number": "Custom",
        "contact employment": "Basic Info",
        "facebook": "Contact Info",
        "google plus": "Contact Info",
        "foursquare": "Contact Info",
        "muck rack": "Contact Info",
        "threads": "Contact Info",
        "instagram": "Contact Info",
        "tiktok": "Contact Info",
        "youtube": "Contact Info",
        "hubspot": "Extra Info",
        "contract value": "Custom",
        "renewal date": "Custom",
        "segment": "Custom",
        "reference": "Custom",
    }
)
"""Each field name of a simulated contact, and the group it stands in."""

FIELD_IDS: Mapping[str, str] = MappingProxyType(
    {name: f"60d5c0de0000000000f{place:05x}" for place, name in enumerate(FIELD_GROUPS)}
)

SINGLE_FIELDS = frozenset(
    {
        "first name",
        "last name",
        "middle name",
        "company name",
        "title",
        "parent company",
        "source",
        "domain",
        "hubspot",
        "birthday",
        "annual revenue",
        "# of employees",
        "lead status",
        "lead source",
        "lead type",
        "rating",
        "favourite colour",
        "account number",
        "contract value",
        "renewal date",
        "segment",
        "reference",
    }
)
"""Fields that have one value at most."""

CUSTOM_FIELDS = tuple(name for name, group in FIELD_GROUPS.items() if group == "Custom")

CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "lead status": ("Open", "Contacted", "Qualified", "Unqualified"),
        "lead source": ("Web", "Referral", "Fair", "Campaign", "Other"),
        "lead type": ("New business", "Existing business", "Partner"),
        "# of employees": ("1-10", "11-50", "51-200", "201-500", "501-1000", "1000+"),
        "segment": ("Small", "Middle", "Large"),
    }
)
"""Fields with choices: the labels, whose ids are the numbers from 1 on (`rating` counts from 0)."""

_RATINGS = ("None", "One", "Two", "Three", "Four", "Five")

COMPANY_ID = "60d5c0de0000000000c00001"
USERS: tuple[dict[str, Any], ...] = tuple(
    {
        "user_id": f"60d5c0de0000000000b{place:05x}",
        "name": name,
        "email": f"{name.split()[0].lower()}@example.com",
        "avatar_url": f"https://app.nimble.com/api/users/60d5c0de0000000000b{place:05x}/avatar",
        "is_active": place != 3,
    }
    for place, name in enumerate(("Robin Example", "Sasha Sample", "Kim Specimen", "Jo Former"))
)
OWNER = USERS[0]
"""Whose credentials the simulator accepts."""


def user(user_id: str | None) -> dict[str, Any] | None:
    """Return a user of the account, or None."""
    return next((one for one in USERS if one["user_id"] == user_id), None)


def field_id(name: str) -> str | None:
    """Return the id of a contact field that the account began with, or None."""
    return FIELD_IDS.get(name)


def field_kind(name: str) -> dict[str, Any]:
    """Return the `field_type` of a contact field that the account began with."""
    if name in CHOICES or name == "rating":
        labels = enumerate(_RATINGS) if name == "rating" else enumerate(CHOICES[name], 1)
        values = [{"id": str(number), "value": label} for number, label in labels]
        return {"field_kind": "choice", "values": {"ordering_type": "ordinal", "values": values}}
    kinds: dict[str, dict[str, Any]] = {
        "address": {"field_kind": "address"},
        "description": {"field_kind": "long_string"},
        "contact employment": {"field_kind": "employment"},
        "email": {"field_kind": "string", "validation_rule": {"type": "email"}},
        "URL": {"field_kind": "string", "validation_rule": {"type": "url"}},
        "contract value": {"field_kind": "number"},
        "renewal date": {"field_kind": "datetime"},
        "reference": {"field_kind": "boolean"},
    }
    return kinds.get(name, {"field_kind": "string"})


def tag_id(tag: str) -> str:
    """Return the id of a tag of contacts: a number for the first ones, made of the letters for others."""
    known = _TAG_IDS.get(tag)
    if known is not None:
        return known
    number = 256 + sum(ord(letter) * 31**place for place, letter in enumerate(tag)) % 900_000
    return f"60d5c0de0000000000a{number:05x}"


def _contact_field(name: str) -> dict[str, Any]:
    kind = field_kind(name)
    custom = name in CUSTOM_FIELDS
    field = {
        "type": "field",
        "name": name,
        "field_id": FIELD_IDS[name],
        "modifier": "",
        "multiples": name not in SINGLE_FIELDS,
        "read_only": name == "source",
        "field_type": kind,
        "available_actions": "edit_all"
        if custom
        else "edit_choices_only"
        if kind["field_kind"] == "choice"
        else "view_only",
    }
    if kind["field_kind"] == "number":
        field["presentation"] = {"number_type": "financial", "currency": "USD"}
    if kind["field_kind"] == "datetime":
        field["presentation"] = {"date_format": "%Y-%m-%d", "ignore_specific_time": False}
    return field


def _contact_tab(place: int, name: str, kind: str, groups: tuple[str, ...]) -> dict[str, Any]:
    custom = name == "More"
    members = [
        {
            "type": "group",
            "name": group,
            "group_id": f"60d5c0de0000000000700{[*dict.fromkeys(FIELD_GROUPS.values())].index(group):03x}",
            "logo_id": "default",
            "fields": [_contact_field(each) for each, other in FIELD_GROUPS.items() if other == group],
        }
        for group in groups
    ]
    return {
        "tab_id": f"60d5c0de00000000006{place:05x}",
        "tab_name": name,
        "contact_types": kind,
        "is_standard": not custom,
        "members": members,
        "available_actions": "edit_all" if custom else "rearrange_only",
    }


TABS: tuple[dict[str, Any], ...] = (
    _contact_tab(
        0,
        "Contact",
        "person",
        ("Basic Info", "Personal Info", "Contact Info", "Extra Info", "Lead Details"),
    ),
    _contact_tab(1, "Company", "company", ("Company Info",)),
    _contact_tab(2, "More", "person", ("Custom",)),
)
"""The tabs of contact fields, as `contact_fields.list` shows them."""

DEAL_FIELDS: Mapping[str, tuple[str, dict[str, Any]]] = MappingProxyType(
    {
        name: (f"60d5c0de00000000009{place:05x}", {"field_kind": kind})
        for place, (name, kind) in enumerate(
            {
                "deal_name": "string",
                "amount": "number",
                "description": "long_string",
                "expected_close_date": "datetime",
                "probability": "number",
                "actual_close_date": "datetime",
                "lost_reason": "string",
            }.items()
        )
    }
)
"""The standard fields of deals: name -> (id, field type)."""


def _stage(pipeline_id: str, stage_id: str, name: str, probability: int, number: int) -> dict[str, Any]:
    return {
        "stage_id": stage_id,
        "name": name,
        "default_probability": probability,
        "creator": OWNER,
        "created": "2019-01-02T09:00:00+0000",
        "updated": "2023-05-04T10:30:00+0000",
        "pipline_id": pipeline_id,
        "role": {
            "name": name.lower() if name in {"Won", "Lost"} else "open",
            "is_final": name in {"Won", "Lost"},
        },
        "archived_at": "2023-05-04T10:30:00+0000" if name == "Retired step" else None,
        "expected_days": 7 + number,
        "description": "",
    }


def _pipeline(place: int, name: str, *, archived: bool = False, visible: bool = True) -> dict[str, Any]:
    pipeline_id = f"60d5c0de0000000000d{place:05x}"
    names = (("New", 10), ("Qualified", 30), ("Proposal", 60), ("Retired step", 0), ("Won", 100), ("Lost", 0))
    return {
        "visible": visible,
        "document": {
            "pipeline_id": pipeline_id,
            "name": name,
            "description": None,
            "creator": OWNER,
            "created": "2019-01-02T09:00:00+0000",
            "updated": "2023-05-04T10:30:00+0000",
            "archived_at": "2024-02-01T08:00:00+0000" if archived else None,
            "stages": [
                _stage(pipeline_id, f"60d5c0de0000000000e{place:02x}{number:03x}", stage, probability, number)
                for number, (stage, probability) in enumerate(names)
            ],
            "color": "#3a7bd5",
            "is_default": place == 0,
            "default_currency": "USD",
            "lost_reasons": [{"id": f"60d5c0de00000000001{place:05x}", "text": "Price"}],
            "tabs": [],
        },
    }


PIPELINES: tuple[dict[str, Any], ...] = (
    _pipeline(0, "Sales"),
    _pipeline(1, "Partners"),
    _pipeline(2, "Old business", archived=True),
    _pipeline(3, "Private", visible=False),
)
"""`{"visible": bool, "document": the pipeline as shown}`: the third is archived, the fourth not visible."""


def _lead_pipeline(place: int, name: str) -> dict[str, Any]:
    pipeline_id = f"60d5c0de00000000005{place:05x}"
    stamps = {"created": "2019-01-02T09:00:00+0000", "updated": "2023-05-04T10:30:00+0000"}
    stages = [
        {
            **stamps,
            "stage_id": f"60d5c0de00000000004{place:02x}{number:03x}",
            "name": stage,
            "description": None,
            "creator": OWNER,
            "pipeline_id": pipeline_id,
            "position": number,
            "role": {"name": role, "is_final": role != "open"},
            "days_limit": None if role != "open" else 7,
            "archived_at": None,
        }
        for number, (stage, role) in enumerate(
            (
                ("Fresh", "open"),
                ("Contacted", "open"),
                ("Nurtured", "open"),
                ("Won", "successful"),
                ("Lost", "unsuccessful"),
            )
        )
    ]
    return {
        **stamps,
        "pipeline_id": pipeline_id,
        "name": name,
        "description": None,
        "color": "#d5873a",
        "creator": OWNER,
        "archived_at": None,
        "fields": [{"column_id": "name", "enabled": True}],
        "stages": stages,
        "lost_reasons": [{"id": f"60d5c0de00000000003{place:05x}", "text": "No budget"}],
    }


LEAD_PIPELINES: tuple[dict[str, Any], ...] = (_lead_pipeline(0, "Leads"), _lead_pipeline(1, "Recruiting"))
"""The contact pipelines, as `contact_pipelines.list` shows them."""

SAVED_SEARCHES: Mapping[str, dict[str, Any]] = MappingProxyType(
    {"60d5c0de0000000000200000": {"and": [{"record type": {"is": "person"}}, {"tag": {"is": "vip"}}]}}
)
"""Searches that were saved in the web application, by id."""
