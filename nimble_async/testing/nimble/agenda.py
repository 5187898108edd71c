"""What is to be done and what was done: tasks, and the calls, events and sequences that no operation makes.

Rule: a world of `activities=N` begins with N of them, a function of its seed: calls, events and tasks of
sequences in turn, half of them over. They are written into the account's books when somebody first asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from nimble_async.testing.call import Call
from nimble_async.testing.nimble.content import contact_values, created_text, dice_of, prose
from nimble_async.testing.nimble.standing import OWNER, USERS
from nimble_async.testing.world import World

__all__ = ["CALENDARS", "RESOLUTIONS", "SEQUENCES", "activities_of", "in_running_sequence", "sequences_of"]

_DAY = 86_400.0
_HOUR = 3600.0
_KINDS = ("call", "event", "task")
RESOLUTIONS = ("successful", "unsuccessful", "abandoned", "left_voicemail")
"""How a call may have ended."""
CALENDARS = ("60d5c0de0000000000600000", "60d5c0de0000000000600001")
"""The ids of the calendars that events are in."""
SEQUENCES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        f"60d5c0de00000000007{place:05x}": MappingProxyType({"name": name, "color": color})
        for place, (name, color) in enumerate((("Welcome", "#2e7d32"), ("Win back", "#ad1457")))
    }
)
"""The sequences of messages by id."""


def activities_of(call: Call) -> dict[str, dict[str, Any]]:
    """Return the activities of the account by id, those it began with first."""
    account = call.account
    if not account.begun:
        account.begun = True
        account.activities.update((one["id"], one) for one in _first(call.world))
    return account.activities


def sequences_of(call: Call, serial: int) -> list[dict[str, Any]]:
    """Return the sequences that a contact is or was in, as the context `sequences_data` shows them."""
    return [_stand(call, serial, one) for one in _of_sequences(call, serial)]


def in_running_sequence(call: Call, serial: int) -> bool:
    """Return whether a contact is in a sequence that it has not left."""
    return any(one["completed"] is None for one in _of_sequences(call, serial))


def _of_sequences(call: Call, serial: int) -> list[dict[str, Any]]:
    contact_id = call.world.contacts.id_of(serial)
    every = activities_of(call).values()
    return [one for one in every if one["sequence_id"] and contact_id in one["contacts"]]


def _first(world: World) -> Iterator[dict[str, Any]]:
    for number in range(world.activities):
        yield _activity(world, number, dice_of(world.seed, "activity", number))


def _activity(world: World, number: int, dice: bytes) -> dict[str, Any]:
    kind = _KINDS[number % len(_KINDS)]
    over = number % 2 == 0
    days = (1 + number // 2) * (-1 if over else 1)
    wall = float(int(world.epoch)) + days * _DAY + dice[0] % 8 * _HOUR
    made = wall - 20 * _DAY if over else float(int(world.epoch)) - _DAY
    name = {"call": "Call about the offer", "event": "Meeting", "task": "Follow up"}[kind]
    return {
        "id": f"{int(made):08x}5a{world.seed % 65_536:04x}{number:010x}",
        "kind": kind,
        "subject": name,
        "notes": prose(dice, 1, 8),
        "due": wall,
        "due_text": None,
        # A meeting is over when its time is; nobody marks it as done.
        "completed": wall if over and kind != "event" else None,
        "assigned_to": USERS[dice[3] % len(USERS)],
        "is_important": dice[4] < 32,
        "tags": [],
        "contacts": _some(world.contacts, dice[5] * 256 + dice[6]),
        "deals": _some(world.deals, dice[7]) if number % 4 == 3 else [],
        "wall": made,
        "resolution": RESOLUTIONS[dice[8] % len(RESOLUTIONS)] if kind == "call" and over else None,
        "calendar_id": CALENDARS[dice[9] % len(CALENDARS)] if kind == "event" else None,
        "sequence_id": list(SEQUENCES)[dice[10] % len(SEQUENCES)] if kind == "task" else None,
    }


def _some(herd: Any, chance: int) -> list[str]:
    """Return the id of one record that the account began with, where it began with any."""
    return [herd.id_of(chance % herd.initial)] if herd.initial else []


def _stand(call: Call, serial: int, task: Mapping[str, Any]) -> dict[str, Any]:
    """Return where a contact stands in the sequence that a task was made by."""
    sequence = SEQUENCES[task["sequence_id"]]
    began, left = task["wall"], task["completed"]
    addresses = contact_values(call.world, serial).get("email") or [("", "")]
    return {
        "sequence_id": task["sequence_id"],
        "seq_contact_id": task["id"],
        "sequence_name": sequence["name"],
        "sequence_color": sequence["color"],
        "completed_steps": [
            {
                "step_id": "greeting",
                "step_type": "send_message",
                "when": created_text(began),
                "step_name": "Greeting",
            }
        ],
        "current_step": "Wait",
        "current_step_id": "wait",
        "last_completed_action": "Greeting",
        "last_completed_action_dao": created_text(began),
        "has_waited_in_current_step": int((left or call.wall) - began),
        "email": addresses[0][0],
        "exit_details": None
        if left is None
        else {"when": created_text(left), "exit_method": "last step", "outcome": "successful"},
        "owner": OWNER,
        "next_step_scheduled_at": created_text(task["due"]),
    }
