"""What a deal of a simulated account contains.

Rule: as for contacts in `content`: pure functions of seed and number, but for deals that the
account's own books hold; no time but what is passed in. Times are wall seconds since 1970.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from nimble_async.testing.nimble.account import DealProfile
from nimble_async.testing.nimble.content import FIRMS, TRADES, dice_of, prose, short_contact
from nimble_async.testing.nimble.standing import DEAL_FIELDS, PIPELINES, TAGS, USERS
from nimble_async.testing.world import World

__all__ = [
    "deal_currency",
    "deal_document",
    "deal_numbers",
    "deal_owner",
    "deal_place",
    "deal_profile",
    "deal_tags",
    "deal_updated",
    "deal_values",
]


def deal_numbers(world: World, serial: int) -> tuple[int, int]:
    """Return the numbers of a rendered deal's pipeline and stage (an archived stage holds none)."""
    dice = dice_of(world.seed, "deal", serial)
    hidden = dice[0] < 256 * world.hidden_deals
    return (2 + dice[1] % 2 if hidden else dice[1] % 2), (0, 1, 2, 4, 5)[dice[2] % 5]


def deal_place(world: World, serial: int) -> tuple[str, str]:
    """Return the ids of a deal's pipeline and stage."""
    profile = world.account.deals.get(serial)
    if profile is not None:
        return profile.pipeline_id, profile.stage_id
    pipeline, stage = deal_numbers(world, serial)
    document = PIPELINES[pipeline]["document"]
    return document["pipeline_id"], document["stages"][stage]["stage_id"]


def deal_values(world: World, serial: int) -> dict[str, str]:
    """Return the named fields of a deal."""
    profile = world.account.deals.get(serial)
    if profile is not None:
        return {name: str(values[0]["value"]) for name, values in profile.fields.items() if values}
    dice = dice_of(world.seed, "deal", serial)
    return {
        "deal_name": f"{FIRMS[dice[3] % len(FIRMS)]} {TRADES[dice[4] % len(TRADES)]} {serial + 1}",
        "amount": f"{dice[5] * 256 + dice[6]}.{dice[7] % 100:02d}",
        "description": prose(dice, 8, 12 + dice[10] % 20),
        "expected_close_date": f"2027-{1 + dice[11] % 12:02d}-{1 + dice[12] % 28:02d}",
    }


def deal_currency(world: World, serial: int) -> str:
    """Return the currency of a deal's amount."""
    profile = world.account.deals.get(serial)
    if profile is not None:
        return profile.currency
    return ("USD", "EUR", "NOK")[dice_of(world.seed, "deal", serial)[15] % 3]


def deal_tags(world: World, serial: int) -> list[str]:
    """Return the tags of a deal."""
    profile = world.account.deals.get(serial)
    if profile is not None:
        return profile.tags
    dice = dice_of(world.seed, "deal", serial)
    names = world.account.deal_tag_names
    tags = (names.get(tag, tag) for place, tag in enumerate(TAGS) if dice[16 + place] < 40)
    return list(dict.fromkeys(tag for tag in tags if tag is not None))


def deal_owner(world: World, serial: int) -> dict[str, Any]:
    """Return whose deal it is."""
    profile = world.account.deals.get(serial)
    return USERS[dice_of(world.seed, "deal", serial)[13] % len(USERS)] if profile is None else profile.owner


def deal_updated(world: World, serial: int) -> float:
    """Return when a deal was last changed, wall seconds."""
    profile = world.account.deals.get(serial)
    if profile is not None:
        return profile.updated
    return world.deals.created[serial] + (3600 if serial < world.deals.initial else 0)


def deal_profile(world: World, serial: int) -> DealProfile:
    """Return the account's own record of a deal, made from what it shows now where there is none."""
    found = world.account.deals.get(serial)
    if found is None:
        dice = dice_of(world.seed, "deal", serial)
        owner = USERS[dice[13] % len(USERS)]
        pipeline_id, stage_id = deal_place(world, serial)
        found = world.account.deals[serial] = DealProfile(
            pipeline_id=pipeline_id,
            stage_id=stage_id,
            fields={
                name: [{"value": value, "is_primary": True}]
                for name, value in deal_values(world, serial).items()
            },
            tags=deal_tags(world, serial),
            owner=owner,
            creator=USERS[dice[14] % len(USERS)],
            updated_by=owner["name"],
            currency=deal_currency(world, serial),
            privacy={"read": None, "edit": None},
            updated=deal_updated(world, serial),
            transitions=[_first_transition(world, serial, pipeline_id, stage_id, owner)],
        )
    return found


def _first_transition(
    world: World, serial: int, pipeline_id: str, stage_id: str, owner: dict[str, Any]
) -> dict[str, Any]:
    """Return how a deal came to its stage: from the first one, on the day it was created."""
    return {
        "from_stage": world.account.pipelines[pipeline_id]["stages"][0]["stage_id"],
        "to_stage": stage_id,
        "who": owner,
        "when": datetime.fromtimestamp(int(world.deals.created[serial]), UTC).date().isoformat(),
        "notes": None,
    }


def deal_document(world: World, serial: int, *, now: float) -> dict[str, Any]:
    """Return one deal as the vendor shows it at `now`."""
    dice = dice_of(world.seed, "deal", serial)
    profile = world.account.deals.get(serial)
    created = world.deals.created[serial]
    owner = USERS[dice[13] % len(USERS)] if profile is None else profile.owner
    pipeline_id, stage_id = deal_place(world, serial)
    moves = (
        [_first_transition(world, serial, pipeline_id, stage_id, owner)]
        if profile is None
        else profile.transitions
    )
    return {
        "deal_id": world.deals.id_of(serial),
        "deal_number": serial + 1,
        "created": datetime.fromtimestamp(int(created), UTC).isoformat(),
        "updated": datetime.fromtimestamp(int(deal_updated(world, serial)), UTC).isoformat(),
        "updated_by": owner["name"] if profile is None else profile.updated_by,
        "creator": USERS[dice[14] % len(USERS)] if profile is None else profile.creator,
        "owner": owner,
        "currency": deal_currency(world, serial),
        "is_editable": profile is None or world.account.may_edit(profile.privacy, owner["user_id"]),
        "privacy": {"read": None, "edit": None} if profile is None else profile.privacy,
        # Whole days: the same answer all day long, so a world at rest answers with the same bytes.
        "age_in_days": int((world.wall(now) - created) // 86400),
        "related_contacts": [] if profile is None else _related(world, profile),
        "related_external_contacts": [] if profile is None else profile.related_external_contacts,
        "tags": deal_tags(world, serial),
        "files": [] if profile is None else profile.files,
        **_deal_fields(world, serial, profile),
        **_deal_way(world, serial, pipeline_id, stage_id, moves),
    }


def _deal_fields(world: World, serial: int, profile: DealProfile | None) -> dict[str, Any]:
    """Return a deal's fields by id and by name."""
    named: dict[str, Any]
    if profile is not None:
        named = profile.fields
    else:
        named = {
            name: [{"value": value, "is_primary": True}] for name, value in deal_values(world, serial).items()
        }
    custom = {entry["field"]["field_name"]: key for key, entry in world.account.deal_fields.items()}
    ids = {name: DEAL_FIELDS[name][0] if name in DEAL_FIELDS else custom.get(name, name) for name in named}
    return {
        "fields_values": {ids[name]: values for name, values in named.items()},
        "fields_values_with_names": named,
    }


def _deal_way(
    world: World, serial: int, pipeline_id: str, stage_id: str, moves: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return where a deal stands, and how it came there."""
    pipeline = world.account.pipelines[pipeline_id]
    stages = world.account.stages()
    own = deal_values(world, serial).get("probability")
    return {
        "final_probability": int(float(own)) if own else stages[stage_id]["default_probability"],
        "stage_transitions": {
            "pipeline_id": pipeline_id,
            "pipeline_color": pipeline["color"],
            "pipeline_name": pipeline["name"],
            "transitions": [
                {
                    **move,
                    "from_stage": stages.get(move["from_stage"]),
                    "to_stage": stages.get(move["to_stage"]),
                }
                for move in moves
            ],
            "before_final_stage": stages[stage_id],
        },
    }


def _related(world: World, profile: DealProfile) -> list[dict[str, Any]]:
    """Return the contacts of a deal that still exist."""
    shown = [
        (short_contact(world, one["contact_id"]), one.get("note") or "") for one in profile.related_contacts
    ]
    return [
        {"contact": contact, "note": note, "employments": []}
        for contact, note in shown
        if contact is not None
    ]
