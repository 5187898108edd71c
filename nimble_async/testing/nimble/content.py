"""What a contact of a simulated account contains.

Rule: pure functions of seed and number, but for records that the account's own books hold; no time
but what is passed in. Times are wall seconds since 1970.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import msgspec

from nimble_async.testing.nimble.account import Profile
from nimble_async.testing.nimble.standing import (
    FIELD_GROUPS,
    FIELD_IDS,
    LEAD_PIPELINES,
    TAGS,
    USERS,
    tag_id,
)
from nimble_async.testing.world import World

__all__ = [
    "FIRMS",
    "TRADES",
    "contact_document",
    "contact_values",
    "contacted_wall",
    "created_text",
    "dice_of",
    "kind_of",
    "leads_of",
    "profile_of",
    "prose",
    "record_type",
    "short_contact",
    "tags_in",
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
FIRMS = _split(
    "Alder Birch Cedar Drift Ember Fjord Garnet Harbor Iris Juniper Kelp Lumen Moss Nimbus Orchid Pine"
)
TRADES = _split(
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


def dice_of(seed: int, kind: str, serial: int) -> bytes:
    """Return 64 numbers in 0..255, the same ones each time for a record of one kind."""
    return hashlib.blake2b(b"%d %s %d" % (seed, kind.encode(), serial)).digest()


def record_type(seed: int, serial: int) -> str:
    """Return `person`, or `company` for about one in ten."""
    return "company" if dice_of(seed, "contact", serial)[0] < 26 else "person"


def tags_of(seed: int, serial: int) -> tuple[str, ...]:
    """Return the tags that a contact began with, none to three."""
    return _tags(dice_of(seed, "contact", serial))


def _tags(dice: bytes) -> tuple[str, ...]:
    return tuple(dict.fromkeys(TAGS[dice[place] % len(TAGS)] for place in range(1, 1 + dice[4] % 4)))


def prose(dice: bytes, start: int, length: int) -> str:
    """Return `length` words, from a place that the dice choose."""
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
    account = world.account
    profile = account.profiles.get(serial)
    if profile is not None:
        return {
            name: [(str(value.get("value") or ""), value.get("modifier") or "") for value in values]
            for name, values in profile.fields.items()
        }
    values = _rendered_values(world, serial, dice_of(world.seed, "contact", serial))
    if account.field_names:
        names = {name: account.field_names.get(name, name) for name in values}
        return {new: values[name] for name, new in names.items() if new is not None}
    return values


def kind_of(world: World, serial: int) -> str:
    """Return `person` or `company`."""
    profile = world.account.profiles.get(serial)
    return record_type(world.seed, serial) if profile is None else profile.record_type


def tags_in(world: World, serial: int) -> Sequence[str]:
    """Return the tags of a contact as they are now."""
    profile = world.account.profiles.get(serial)
    return tags_of(world.seed, serial) if profile is None else profile.tags


def _rendered_values(world: World, serial: int, dice: bytes) -> dict[str, list[tuple[str, str]]]:
    touched = world.contacts.touched.get(serial)
    firm = f"{FIRMS[dice[5] % len(FIRMS)]} {TRADES[dice[6] % len(TRADES)]}"
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
    values["description"] = [(prose(dice, 23, 10 + dice[25] % 20), "other")]
    values["lead status"] = [(status, "")]
    values["lead source"] = [(str(1 + dice[26] % 5), "")]
    values["lead type"] = [(str(1 + dice[27] % 3), "")]
    values["rating"] = [(str(dice[28] % 6), "")]
    values["source"] = [("csv" if dice[29] < 128 else "m", "")]
    values["account number"] = [(f"{serial:08d}", "")]
    if dice[28] % 6 == 1:
        values["contract value"] = [(f"{dice[11] * 100 + dice[12]}.{dice[29] % 100:02d}", "")]
        values["segment"] = [(str(1 + dice[26] % 3), "")]
    if dice[29] % 8 == 1:
        values["renewal date"] = [
            (f"{2025 + dice[12] % 4}-{1 + dice[11] % 12:02d}-{1 + dice[10] % 28:02d}", "")
        ]
        values["reference"] = [("true" if dice[13] % 2 else "false", "")]
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
    known = FIELD_IDS[name]
    shape = dice[42] % 4
    if shape == 0:
        return [
            {
                "field_id": known,
                "modifier": modifier,
                "group": FIELD_GROUPS[name],
                "value": value,
                "label": name,
            }
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
    later = 33_750 * dice_of(world.seed, "contact", serial)[43] if serial < world.contacts.initial else 0
    return world.contacts.created[serial] + later


def contacted_wall(world: World, serial: int) -> float | None:
    """Return when somebody of the account last wrote to a contact, wall seconds; None for never."""
    profile = world.account.profiles.get(serial)
    return world.contacts.created[serial] + 3600 if profile is None else profile.last_contacted


def profile_of(world: World, serial: int) -> Profile:
    """Return the account's own record of a contact, made from what it shows now where there is none."""
    found = world.account.profiles.get(serial)
    if found is None:
        shown = contact_document(world, serial)
        found = world.account.profiles[serial] = Profile(
            record_type=shown["record_type"],
            fields=shown["fields"],
            tags=[tag["tag"] for tag in shown["tags"]],
            owner_id=shown["owner_id"],
            privacy=shown["privacy"],
            creator=shown["creator"],
            updater=shown["updater"],
            avatar_url=shown["avatar_url"],
            is_important=shown["is_important"],
            last_contacted=contacted_wall(world, serial),
        )
    return found


def contact_document(
    world: World,
    serial: int,
    *,
    fields: frozenset[str] | None = None,
    tags: bool = True,
    last_contacted: bool = True,
) -> dict[str, Any]:
    """Return one contact as the vendor shows it; `fields` names the fields to show (None: all)."""
    dice = dice_of(world.seed, "contact", serial)
    profile = world.account.profiles.get(serial)
    facts = _facts(world, serial, dice) if profile is None else _kept_facts(profile)
    shown = facts.pop("fields")
    if fields is not None:
        shown = {name: values for name, values in shown.items() if name in fields}
    document = {
        "id": world.contacts.id_of(serial),
        "object_type": "contact",
        "created": created_text(world.contacts.created[serial], world.utc_offset),
        "updated": created_text(updated_wall(world, serial), world.utc_offset),
        **facts,
        "children": [],
        "employers_info": [],
        "fields": shown,
    }
    if tags:
        document["tags"] = [
            {"tag": tag, "id": tag_id(tag)} for tag in (_tags(dice) if profile is None else profile.tags)
        ]
    wall = contacted_wall(world, serial) if last_contacted else None
    if wall is not None:
        document["last_contacted"] = {
            "user_id": facts["owner_id"],
            "deletion_tstamp": None,
            "type": "LCType<message>",
            "object_id": str(UUID(bytes=dice[48:64])),
            "tstamp": created_text(wall),
        }
    return document


def _facts(world: World, serial: int, dice: bytes) -> dict[str, Any]:
    """Return what the dice say about a contact."""
    owner = USERS[dice[44] % len(USERS)]
    picture = f"https://app.nimble.com/api/contacts/avatars/{world.contacts.id_of(serial)}"
    shown = {
        name: _shown(dice, name, values) for name, values in _rendered_values(world, serial, dice).items()
    }
    for name, new in world.account.field_names.items():
        values = shown.pop(name, None)
        if values is not None and new is not None:
            shown[new] = [{**value, "label": new} for value in values]
    return {
        "record_type": "company" if dice[0] < 26 else "person",
        "creator": USERS[dice[45] % len(USERS)]["name"],
        "updater": owner["name"],
        "owner_id": owner["user_id"],
        "avatar_url": picture if dice[46] < 200 else None,
        "is_important": None if dice[47] < 230 else True,
        "privacy": {"read": None, "edit": None},
        "fields": shown,
    }


def _kept_facts(profile: Profile) -> dict[str, Any]:
    """Return what the account's books say about a contact."""
    return {
        "record_type": profile.record_type,
        "creator": profile.creator,
        "updater": profile.updater,
        "owner_id": profile.owner_id,
        "avatar_url": profile.avatar_url,
        "is_important": profile.is_important,
        "privacy": profile.privacy,
        "fields": profile.fields,
    }


def leads_of(world: World, serial: int) -> list[dict[str, Any]]:
    """Return where a contact stands in lead pipelines, as `stages_info` shows it."""
    found = []
    for pipeline in LEAD_PIPELINES:
        run = world.account.leads.get(serial, {}).get(pipeline["pipeline_id"])
        if run:
            stage = next(one for one in pipeline["stages"] if one["stage_id"] == run[-1]["stage_id"])
            found.append(
                {
                    "pipeline_id": pipeline["pipeline_id"],
                    "pipeline_name": pipeline["name"],
                    "stage_name": stage["name"],
                    "entered_data": run[-1]["when"],
                    "is_final": stage["role"]["is_final"],
                    "days_limit": stage["days_limit"],
                }
            )
    return found


def short_contact(world: World, contact_id: str) -> dict[str, Any] | None:
    """Return a contact as notes, tasks and deals mention one; None where it is gone."""
    serial = world.contacts.serial_of(contact_id)
    if serial is None:
        return None
    values = contact_values(world, serial)
    names = [values[name][0][0] for name in ("first name", "last name", "company name") if values.get(name)]
    phones = [{"label": modifier, "value": value} for value, modifier in values.get("phone", ())]
    return {
        "id": contact_id,
        "name": " ".join(names),
        "contact_type": kind_of(world, serial),
        "avatar_url": f"https://app.nimble.com/api/contacts/avatars/{contact_id}",
        "email": [value for value, _ in values.get("email", ())],
        "phones": phones,
        "employment": None,
        "is_viewable": True,
    }
