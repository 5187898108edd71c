"""What a contact and a deal of a simulated account contain: pure functions of seed and number.

Rule: no state, no time but what is passed in. Times are wall seconds since 1970.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import msgspec

from nimble_async.testing.world import World

__all__ = [
    "COMPANY_ID",
    "FIELD_GROUPS",
    "OWNER",
    "PIPELINES",
    "USERS",
    "contact_document",
    "contact_values",
    "created_text",
    "deal_currency",
    "deal_document",
    "deal_place",
    "deal_values",
    "field_id",
    "record_type",
    "tags_of",
    "updated_wall",
]


def _split(words: str) -> tuple[str, ...]:
    return tuple(words.split())


_FIRST = _split(
    "Ada Amara Anton Beatriz Bilal Chiara Chidi Dagny Dmitri Elif Emeka Farid Freya Gita Goran Hana Hugo "
    "Ines Ivo Jana Jun Kofi Lada Leif Lucía Malik Mei Nadia Nils Nora Olga Omar Paula Pedro Quinn Radka "
    "Rania Sami Selma Tariq Tove Uma Viktor Wanda Wei Xenia Yara Yusuf Zoë Zoltán"
)
_LAST = _split(
    "Abe Adeyemi Ahmed Andersen Barros Becker Castillo Chen Costa Dahl Diallo Dubois Eriksen Farouk "
    "Fischer García Grigoryan Haddad Hansen Horvat Ibrahim Ivanova Jansen Kaya Kim Kowalski Larsen "
    "Lindqvist López Mbeki Meyer Moreau Müller Nakamura Nguyen Novák Okafor Olsen Patel Petrov Quispe "
    "Rossi Saito Santos Schmidt Silva Tanaka Ünal Vega Weber Xu Yildiz Zhang Zieliński"
)
_FIRM = _split(
    "Alder Birch Cedar Drift Ember Fjord Garnet Harbor Iris Juniper Kelp Lumen Moss Nimbus Orchid Pine"
)
_TRADE = _split(
    "Analytics Bakery Cargo Design Energy Foods Games Homes Imports Labs Media Optics Robotics Textiles"
)
_TITLES = (
    "Head of Sales",
    "Engineer",
    "Founder",
    "Office Manager",
    "Buyer",
    "Account Executive",
    "Director, Europe",
    "Consultant",
)
_CITIES = (
    ("Lisbon", "PT", "Portugal"),
    ("Oslo", "", "Norway"),
    ("Austin", "TX", "United States"),
    ("Kyōto", "", "Japan"),
    ("Lagos", "LA", "Nigeria"),
    ("Graz", "Styria", "Austria"),
    ("Lima", "", "Peru"),
    ("Pune", "MH", "India"),
)
_WORDS = _split(
    "met at the spring fair and asked for a quote about the larger plan, wants a call next week before "
    "the budget round; prefers e-mail, works four days, knows the product from an earlier firm and liked "
    "the support; decides together with the finance lead and needs a security questionnaire answered "
    "first; renewal is due in autumn, two more seats likely; spoke with the office in the north about "
    "shipping and returns, no complaints so far; asked to be left out of the newsletter"
)
_TAGS = (
    "csv import",
    "customer",
    "newsletter",
    "partner",
    "prospect",
    "vip",
    "conference 2024",
    "do not call",
)

_GROUPS = {
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
}
FIELD_GROUPS = dict(_GROUPS)
"""Each field name of a simulated contact, and the group it stands in."""
_FIELD_IDS = {name: f"60d5c0de0000000000f{place:05x}" for place, name in enumerate(_GROUPS)}
_TAG_IDS = {tag: f"60d5c0de0000000000a{place:05x}" for place, tag in enumerate(_TAGS)}

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


def _pipeline(place: int, name: str, *, archived: bool = False, visible: bool = True) -> dict[str, Any]:
    pipeline_id = f"60d5c0de0000000000d{place:05x}"
    names = (("New", 10), ("Qualified", 30), ("Proposal", 60), ("Retired step", 0), ("Won", 100), ("Lost", 0))
    stages = [
        {
            "stage_id": f"60d5c0de0000000000e{place:02x}{number:03x}",
            "name": stage,
            "default_probability": probability,
            "creator": OWNER,
            "created": "2019-01-02T09:00:00+0000",
            "updated": "2023-05-04T10:30:00+0000",
            "pipline_id": pipeline_id,
            "role": {
                "name": stage.lower() if stage in {"Won", "Lost"} else "open",
                "is_final": stage in {"Won", "Lost"},
            },
            "archived_at": "2023-05-04T10:30:00+0000" if stage == "Retired step" else None,
            "expected_days": 7 + number,
            "description": "",
        }
        for number, (stage, probability) in enumerate(names)
    ]
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
            "stages": stages,
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


def _dice(seed: int, kind: str, serial: int) -> bytes:
    """Return 64 numbers in 0..255."""
    return hashlib.blake2b(b"%d %s %d" % (seed, kind.encode(), serial)).digest()


def field_id(name: str) -> str | None:
    """Return the id of a contact field, or None."""
    return _FIELD_IDS.get(name)


def record_type(seed: int, serial: int) -> str:
    """Return `person`, or `company` for about one in ten."""
    return "company" if _dice(seed, "contact", serial)[0] < 26 else "person"


def tags_of(seed: int, serial: int) -> tuple[str, ...]:
    """Return the tags of a contact, none to three."""
    dice = _dice(seed, "contact", serial)
    return tuple(dict.fromkeys(_TAGS[dice[place] % len(_TAGS)] for place in range(1, 1 + dice[4] % 4)))


def _prose(dice: bytes, start: int, length: int) -> str:
    first = (dice[start] * 256 + dice[start + 1]) % len(_WORDS)
    words = (_WORDS + _WORDS)[first : first + length]
    return " ".join(words).capitalize() + "."


def _address(dice: bytes, place: int) -> str:
    city, state, country = _CITIES[dice[place] % len(_CITIES)]
    parts = {
        "street": f"{1 + dice[place + 1]} {_LAST[dice[place + 2] % len(_LAST)]} Street",
        "city": city,
        "state": state,
        "zip": f"{dice[place]:02d}{dice[place + 1]:03d}",
        "country": country,
    }
    # One in thirty-two is written the way an old service of the vendor did: as a Python dictionary.
    return repr(parts) if dice[place + 3] < 8 else msgspec.json.encode(parts).decode()


def _ascii(text: str) -> str:
    return text.encode("ascii", "ignore").decode().lower()


def contact_values(world: World, serial: int) -> dict[str, list[tuple[str, str]]]:
    """Return the fields of a contact: name -> [(value, modifier)]."""
    seed, touched = world.seed, world.contacts.touched.get(serial)
    dice = _dice(seed, "contact", serial)
    firm = f"{_FIRM[dice[5] % len(_FIRM)]} {_TRADE[dice[6] % len(_TRADE)]}"
    host = f"{firm.replace(' ', '').lower()}{serial % 97}.example.com"
    status = str(1 + (dice[7] if touched is None else int(touched)) % 4)
    if dice[0] < 26:
        values = _company_values(dice, serial, firm, host)
    else:
        values = _person_values(dice, serial, firm, host)
    if world.slim:
        return {
            name: values[name]
            for name in ("first name", "last name", "company name", "email")
            if name in values
        }
    values["phone"] = [
        (f"+{1 + dice[10] % 98} {100 + dice[11]} {100 + dice[12]} {serial % 10000:04d}", modifier)
        for modifier in ("work", "mobile", "home")[: 1 + dice[13] % 3]
    ]
    values["URL"] = [(f"https://{host}/", "work"), (f"https://blog.{host}/{serial}", "blog")][
        : 1 + dice[9] % 2
    ]
    values["address"] = [
        (_address(dice, 14 + 4 * place), modifier)
        for place, modifier in enumerate(("work", "other")[: 1 + dice[22] % 2])
    ]
    values["description"] = [(_prose(dice, 23, 10 + dice[25] % 20), "other")]
    values["lead status"] = [(status, "")]
    values["lead source"] = [(str(1 + dice[26] % 5), "")]
    values["lead type"] = [(str(1 + dice[27] % 3), "")]
    values["rating"] = [(str(dice[28] % 6), "")]
    values["source"] = [("csv" if dice[29] < 128 else "m", "")]
    values["account number"] = [(f"{serial:08d}", "")]
    return values


def _person_values(dice: bytes, serial: int, firm: str, host: str) -> dict[str, list[tuple[str, str]]]:
    first, last = _FIRST[dice[30] % len(_FIRST)], _LAST[dice[31] % len(_LAST)]
    handle = f"{_ascii(first)}.{_ascii(last)}{serial}"
    values = {
        "first name": [(first, "")],
        "last name": [(last, "")],
        "parent company": [(firm, "")],
        "title": [(_TITLES[dice[32] % len(_TITLES)], "")],
        "email": [(f"{handle}@{host}", "work"), (f"{handle}@example.org", "personal")][: 1 + dice[33] % 2],
        "birthday": [(f"{1 + dice[34] % 12:02d}/{1 + dice[35] % 28:02d}/{1950 + dice[36] % 55}", "")],
        "skype id": [(handle, "")],
        "twitter": [(handle.replace(".", "_"), "")],
        "linkedin": [(f"https://www.linkedin.com/in/{handle}", "")],
        "favourite colour": [(("teal", "amber", "plum", "")[dice[37] % 4], "")],
    }
    if dice[38] < 50:
        values["middle name"] = [(_FIRST[dice[39] % len(_FIRST)], "")]
    return values


def _company_values(dice: bytes, serial: int, firm: str, host: str) -> dict[str, list[tuple[str, str]]]:
    return {
        "company name": [(f"{firm} {serial}", "")],
        "domain": [(host, "")],
        "# of employees": [(str(1 + dice[40] % 6), "")],
        "annual revenue": [(f"{1 + dice[41]} M USD", "")],
        "email": [(f"office{serial}@{host}", "work")],
    }


def _shown(dice: bytes, name: str, values: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """Write the values of one field in one of the three shapes the vendor's documents show."""
    known = _FIELD_IDS[name]
    shape = dice[42] % 4
    if shape == 0:
        return [
            {"field_id": known, "modifier": modifier, "group": _GROUPS[name], "value": value, "label": name}
            for value, modifier in values
        ]
    if shape == 1:
        return [{"modifier": modifier, "value": value, "label": name} for value, modifier in values]
    return [
        {"field_id": known, "value": value, "modifier": modifier, "label": name}
        | ({"is_primary": place == 0} if name in {"phone", "email"} else {})
        for place, (value, modifier) in enumerate(values)
    ]


def created_text(wall: float, utc_offset: int = 0) -> str:
    """Write an instant as the vendor does for contacts: 2012-09-07T16:49:56+0300."""
    zone = UTC if utc_offset == 0 else timezone(timedelta(hours=utc_offset))
    return datetime.fromtimestamp(int(wall), zone).strftime("%Y-%m-%dT%H:%M:%S%z")


def updated_wall(world: World, serial: int) -> float:
    """Return when a contact was last changed, wall seconds."""
    touched = world.contacts.touched.get(serial)
    if touched is not None:
        return touched
    # Up to a hundred days after its creation, and never in the future of a record born today.
    later = 33_750 * _dice(world.seed, "contact", serial)[43] if serial < world.contacts.initial else 0
    return world.contacts.created[serial] + later


def contact_document(
    world: World,
    serial: int,
    *,
    fields: frozenset[str] | None = None,
    tags: bool = True,
    last_contacted: bool = True,
) -> dict[str, Any]:
    """Return one contact as the vendor shows it; `fields` names the fields to show (None: all)."""
    seed = world.seed
    dice = _dice(seed, "contact", serial)
    contact_id = world.contacts.id_of(serial)
    owner = USERS[dice[44] % len(USERS)]
    values = contact_values(world, serial)
    document = {
        "id": contact_id,
        "object_type": "contact",
        "record_type": "company" if dice[0] < 26 else "person",
        "created": created_text(world.contacts.created[serial], world.utc_offset),
        "updated": created_text(updated_wall(world, serial), world.utc_offset),
        "creator": USERS[dice[45] % len(USERS)]["name"],
        "updater": owner["name"],
        "owner_id": owner["user_id"],
        "avatar_url": f"https://app.nimble.com/api/contacts/avatars/{contact_id}" if dice[46] < 200 else None,
        "is_important": None if dice[47] < 230 else True,
        "privacy": {"read": None, "edit": None},
        "children": [],
        "employers_info": [],
        "fields": {
            name: _shown(dice, name, shown)
            for name, shown in values.items()
            if fields is None or name in fields
        },
    }
    if tags:
        document["tags"] = [{"tag": tag, "id": _TAG_IDS[tag]} for tag in tags_of(seed, serial)]
    if last_contacted:
        document["last_contacted"] = {
            "user_id": owner["user_id"],
            "deletion_tstamp": None,
            "type": "LCType<message>",
            "object_id": str(UUID(bytes=dice[48:64])),
            "tstamp": created_text(world.contacts.created[serial] + 3600),
        }
    return document


def deal_place(world: World, serial: int) -> tuple[int, int]:
    """Return the numbers of a deal's pipeline and stage (an archived stage holds none)."""
    dice = _dice(world.seed, "deal", serial)
    hidden = dice[0] < 256 * world.hidden_deals
    return (2 + dice[1] % 2 if hidden else dice[1] % 2), (0, 1, 2, 4, 5)[dice[2] % 5]


def deal_values(world: World, serial: int) -> dict[str, str]:
    """Return the named fields of a deal."""
    dice = _dice(world.seed, "deal", serial)
    return {
        "deal_name": f"{_FIRM[dice[3] % len(_FIRM)]} {_TRADE[dice[4] % len(_TRADE)]} {serial + 1}",
        "amount": f"{dice[5] * 256 + dice[6]}.{dice[7] % 100:02d}",
        "description": _prose(dice, 8, 12 + dice[10] % 20),
        "expected_close_date": f"2027-{1 + dice[11] % 12:02d}-{1 + dice[12] % 28:02d}",
    }


def deal_currency(world: World, serial: int) -> str:
    """Return the currency of a deal's amount."""
    return ("USD", "EUR", "NOK")[_dice(world.seed, "deal", serial)[15] % 3]


def deal_document(world: World, serial: int, *, now: float) -> dict[str, Any]:
    """Return one deal as the vendor shows it at `now`."""
    dice = _dice(world.seed, "deal", serial)
    pipeline, stage = deal_place(world, serial)
    place = PIPELINES[pipeline]["document"]
    created = world.deals.created[serial]
    values = deal_values(world, serial)
    owner = USERS[dice[13] % len(USERS)]
    when = datetime.fromtimestamp(int(created), UTC)
    return {
        "deal_id": world.deals.id_of(serial),
        "deal_number": serial + 1,
        "created": when.isoformat(),
        "updated": datetime.fromtimestamp(
            int(created) + (3600 if serial < world.deals.initial else 0), UTC
        ).isoformat(),
        "updated_by": owner["name"],
        "creator": USERS[dice[14] % len(USERS)],
        "owner": owner,
        "currency": deal_currency(world, serial),
        "is_editable": True,
        "privacy": {"read": None, "edit": None},
        "final_probability": place["stages"][stage]["default_probability"],
        # Whole days: the same answer all day long, so a world at rest answers with the same bytes.
        "age_in_days": int((world.wall(now) - created) // 86400),
        "related_contacts": [],
        "related_external_contacts": [],
        "tags": [tag for tag in _TAGS if dice[16 + _TAGS.index(tag)] < 40],
        "files": {},
        "fields_values": {
            f"60d5c0de00000000009{number:05x}": [{"value": value, "is_primary": True}]
            for number, value in enumerate(values.values())
        },
        "fields_values_with_names": {
            name: [{"value": value, "is_primary": True}] for name, value in values.items()
        },
        "stage_transitions": {
            "pipeline_id": place["pipeline_id"],
            "pipeline_color": place["color"],
            "pipeline_name": place["name"],
            "transitions": [
                {
                    "from_stage": place["stages"][0],
                    "to_stage": place["stages"][stage],
                    "who": owner,
                    "when": when.date().isoformat(),
                    "notes": None,
                }
            ],
            "before_final_stage": place["stages"][stage],
        },
    }
