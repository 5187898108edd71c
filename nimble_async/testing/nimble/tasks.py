"""tasks.* and activities.*: what is to be done, and when. `agenda` has what the account began with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from nimble_async.testing.call import Answer, Call, Handler, Refusal, json_answer
from nimble_async.testing.nimble.agenda import RESOLUTIONS, SEQUENCES, activities_of
from nimble_async.testing.nimble.checks import Rule, complain, read_body, read_flag, read_number, wrong_in
from nimble_async.testing.nimble.content import short_contact
from nimble_async.testing.nimble.deal_content import deal_values
from nimble_async.testing.nimble.refusals import invalid, not_found
from nimble_async.testing.nimble.standing import COMPANY_ID, OWNER, USERS, user

__all__ = [
    "HANDLERS",
    "activity",
    "create",
    "details_of",
    "due",
    "feed_wall",
    "list_activities",
    "page_after",
    "stamp",
    "wall_of",
]

_PAGE = 30
_MEETING = 3600.0
"""How long an event takes, seconds."""
_OLDER_PATH = "/api/v1/activities/task"
_TOURS = (
    "app/activities/list app/b/homepage app/contacts/list app/contacts/view app/deals/list app/deals/view "
    "app/groupmessages/create app/messages/list app/messages/view app/settings/ app/social/list "
    "contact_list_group_message disabled nimble_widget"
)
_ABOUT = ("city", "country", "employees_count", "industry", "phone", "state", "street", "title", "zip")
_METADATA = {
    **dict.fromkeys(_ABOUT),
    "company_name": "Example Ltd",
    "help_tour_data": dict.fromkeys(_TOURS.split(), 0),
}
_RELATED = {
    "contacts": Rule(kind="array", items="string"),
    "deals": Rule(kind="array", items="string"),
}


def create(call: Call) -> Answer:
    """Create a task; an older route takes the contacts as `related_to`, the present one does not."""
    older = call.path == _OLDER_PATH
    rules = {
        "subject": Rule(required=True, least=2, most=128),
        "notes": Rule(null=True),
        "due_date": Rule(null=True),
        "completed_time": Rule(null=True),
        "assigned_to": Rule(),
        "is_important": Rule(kind="boolean"),
        "tags": Rule(kind="array", items="string"),
        "related": Rule(kind="object"),
        "related_to": Rule(kind="array", items="string"),
    }
    body = read_body(call, **rules)
    if "related_to" in body and not older:
        raise complain("/related_to", "is not accepted")
    related = {"contacts": body.get("related_to", []), "deals": [], **body.get("related", {})}
    wrong = wrong_in(related, _RELATED, "/related")
    if wrong:
        raise Refusal(invalid(wrong))
    _require_related(call, related)
    assigned = user(body.get("assigned_to", OWNER["user_id"]))
    if assigned is None:
        raise complain("/assigned_to", f"There is no user {body['assigned_to']}")
    task = {
        "id": call.new_id(),
        "kind": "task",
        "subject": body["subject"],
        "notes": body.get("notes"),
        "due": wall_of("/due_date", body.get("due_date")),
        "due_text": body.get("due_date"),
        "completed": wall_of("/completed_time", body.get("completed_time")),
        "assigned_to": assigned,
        "is_important": body.get("is_important", False),
        "tags": body.get("tags", []),
        "contacts": related["contacts"],
        "deals": related["deals"],
        "wall": float(int(call.wall)),
        "resolution": None,
        "calendar_id": None,
        "sequence_id": None,
    }
    activities_of(call)[task["id"]] = task
    call.account.change()
    return json_answer(_shown(call, task), 201)


def list_activities(call: Call) -> Answer:
    """Answer tasks, calls and events, those to come from the next one on, past ones from the latest back."""
    if call.text("limit") and call.text("until_tstamp"):
        raise complain("/", "limit and until_tstamp can't be used together")
    past = _past(call)
    tasks = [
        task for task in activities_of(call).values() if _wanted(call, task) and _is_past(call, task) is past
    ]
    tasks.sort(key=lambda task: (feed_wall(task), task["id"]), reverse=past)
    until = wall_of("/until_tstamp", call.text("until_tstamp"))
    if until is None:
        start = wall_of("/next_tstamp", call.text("next_tstamp"))
        cursor = None if start is None else (start, call.text("next_activity_id") or "")
        size = read_number(call, "limit", _PAGE)
        tasks_now, following = page_after(
            [((feed_wall(task), task["id"]), task) for task in tasks], cursor, size, down=past
        )
    else:
        tasks_now = [
            task for task in tasks if (feed_wall(task) >= until if past else feed_wall(task) <= until)
        ]
        following = None
    page = None
    if following is not None:
        page = {"next_tstamp": stamp(following[0]), "next_activity_id": following[1]}
    meta = {"total": len(tasks)} if read_flag(call, "include_total", default=False) else {}
    shown = [activity(call, task) for task in tasks_now]
    return json_answer({"activities": shown, "next_page": page, "meta": meta})


def page_after(
    rows: list[tuple[tuple[float, str], Any]], cursor: tuple[float, str] | None, size: int, *, down: bool
) -> tuple[list[Any], tuple[float, str] | None]:
    """Return `size` rows from a cursor on (None: from the first), and the key of the row after them."""
    if cursor is not None:
        rows = [row for row in rows if (row[0] <= cursor if down else row[0] >= cursor)]
    following = rows[size][0] if len(rows) > size else None
    return [row for _, row in rows[:size]], following


def feed_wall(task: Mapping[str, Any]) -> float:
    """Return when a task stands in the feed, wall seconds: when it was done, else is due, else was made."""
    for name in ("completed", "due"):
        if task[name] is not None:
            return float(task[name])
    return float(task["wall"])


def due(call: Call, deal_id: str) -> list[dict[str, Any]]:
    """Return what should have been done for a deal by now, the longest overdue first: no meetings."""
    types = call.names("types")
    tasks = [
        task
        for task in activities_of(call).values()
        if deal_id in task["deals"]
        and task["kind"] != "event"
        and (not types or task["kind"] in types)
        and task["completed"] is None
        and (task["due"] or call.wall) < call.wall
    ]
    return sorted(tasks, key=lambda task: (task["due"], task["id"]))


def stamp(wall: float | None) -> str | None:
    """Write an instant as tasks do: 2021-02-12T19:18:59+00:00, with parts of a second where it has any."""
    return None if wall is None else datetime.fromtimestamp(wall, UTC).isoformat()


def activity(call: Call, task: Mapping[str, Any]) -> dict[str, Any]:
    """Return an activity as the list of them shows it."""
    shown = _shown(call, task)
    return {
        "activity_id": task["id"],
        "activity_type": _type(task["kind"]),
        "assigned_to": _person(task["assigned_to"]),
        "comments": [],
        "completed_tstamp": shown["completed_time"],
        "created": shown["created"],
        "description": task["notes"] or "",
        "details": details_of(task),
        "feed_tstamp": stamp(feed_wall(task)),
        "is_important": task["is_important"],
        "name": task["subject"],
        "owner": _person(OWNER),
        "priority": "high" if task["is_important"] else "medium",
        "related_contacts": shown["related"]["contacts"],
        "new_related_deals": shown["related"]["new_deals"],
        "related_sequence": _sequence(task),
        "scheduled_tstamp": shown["due_date"],
        "tags": task["tags"],
    }


def details_of(task: Mapping[str, Any]) -> dict[str, Any]:
    """Return what only one kind of activity has; the vendor documents no member of it."""
    when = stamp(task["due"])
    if task["kind"] == "call":
        return {"start_date": when, "resolution": task["resolution"]}
    if task["kind"] == "event":
        end = stamp(task["due"] + _MEETING)
        return {"start_date": when, "end_date": end, "calendar_id": task["calendar_id"]}
    return {"due_date": when}


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {"activities.list": list_activities, "tasks.create": create}
)


def _past(call: Call) -> bool:
    direction = call.text("direction")
    if direction is None:
        raise complain("/", 'missing required properties: ["direction"]')
    if direction not in {"pending", "past"}:
        raise complain("/direction", f"{direction!r} is not one of ['pending', 'past']")
    return direction == "past"


def _is_past(call: Call, task: Mapping[str, Any]) -> bool:
    """Return whether a task is done or its time is over; without a time it is still to come."""
    if task["completed"] is not None:
        return True
    return task["due"] is not None and task["due"] <= call.wall


def _wanted(call: Call, task: Mapping[str, Any]) -> bool:
    """Return whether every filter of a call lets a task through."""
    types, sequence = call.names("types"), call.text("sequence_id")
    if (types and task["kind"] not in types) or (sequence and task["sequence_id"] != sequence):
        return False
    if not _fits_kind(call, task):
        return False
    if call.text("completed") and (task["completed"] is not None) is not read_flag(
        call, "completed", default=False
    ):
        return False
    wanted: dict[str, list[str]] = {
        "contacts": task["contacts"],
        "deals": task["deals"],
        "users": [task["assigned_to"]["user_id"]],
        "tags": task["tags"],
    }
    return all(not call.names(name) or set(call.names(name)) & set(has) for name, has in wanted.items())


def _fits_kind(call: Call, task: Mapping[str, Any]) -> bool:
    """Return whether the filters for one kind of activity let it through; they are about that kind alone."""
    resolution, calendars = call.text("calls__resolution"), call.names("events__calendar_ids")
    if resolution and resolution not in RESOLUTIONS:
        raise complain("/calls__resolution", f"{resolution!r} is not one of {list(RESOLUTIONS)}")
    if task["kind"] == "call":
        return not resolution or task["resolution"] == resolution
    return task["kind"] != "event" or not calendars or task["calendar_id"] in calendars


def _sequence(task: Mapping[str, Any]) -> dict[str, str] | None:
    sequence = SEQUENCES.get(task["sequence_id"] or "")
    return None if sequence is None else {"id": task["sequence_id"], "name": sequence["name"]}


def _require_related(call: Call, related: Mapping[str, list[str]]) -> None:
    for contact_id in related["contacts"]:
        if call.world.contacts.serial_of(contact_id) is None:
            raise Refusal(not_found("contact", contact_id))
    for deal_id in related["deals"]:
        if call.world.deals.serial_of(deal_id) is None:
            raise Refusal(not_found("deal", deal_id))


def wall_of(path: str, text: str | None) -> float | None:
    """Read an instant; without a zone it is UTC.

    Raises:
        Refusal: It is none: a 409.
    """
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise complain(path, f"Can't parse value {text} as DATE-TIME") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _type(kind: str) -> dict[str, Any]:
    return {
        "type_id": kind,
        "type_name": kind.capitalize(),
        "logo_id": kind,
        "archived": False,
        "can_update_definition": False,
        "can_update_lc": kind != "task",
    }


def _person(who: Mapping[str, Any]) -> dict[str, Any]:
    """Return a user as activities show one: with everything."""
    first, _, last = who["name"].partition(" ")
    return {
        **who,
        "account_type": "user",
        "company_id": COMPANY_ID,
        "company_name": "Example Ltd",
        "created": "2019-01-02T09:00:00+00:00",
        "disabled": not who["is_active"],
        "first_name": first,
        "last_name": last,
        "is_company_owner": who is USERS[0],
        "is_pending": False,
        "last_active": "2024-01-02T09:00:00+00:00",
        "permissions": {},
        "receive_newsletter": False,
        "has_password": True,
        "timezone": "UTC",
        "under_gdpr": True,
        "metadata": _METADATA,
        "email_verification_due": False,
    }


def _shown(call: Call, task: Mapping[str, Any]) -> dict[str, Any]:
    """Return a task as its creation shows it."""
    contacts = [short_contact(call.world, contact_id) for contact_id in task["contacts"]]
    serials = {deal_id: call.world.deals.serial_of(deal_id) for deal_id in task["deals"]}
    deals = [
        {
            "deal_id": deal_id,
            "name": deal_values(call.world, serial).get("deal_name", ""),
            "amount": int(float(deal_values(call.world, serial).get("amount") or 0)),
            "is_editable": True,
            "is_viewable": True,
        }
        for deal_id, serial in serials.items()
        if serial is not None
    ]
    return {
        "id": task["id"],
        "subject": task["subject"],
        "notes": task["notes"],
        "due_date": stamp(task["due"]),
        "due_date_text": task["due_text"],
        "completed": task["completed"] is not None,
        "completed_time": stamp(task["completed"]),
        "assigned_to": task["assigned_to"],
        "comments": [],
        "company_id": COMPANY_ID,
        "created": stamp(task["wall"]),
        "updated": stamp(task["wall"]),
        "is_important": task["is_important"],
        "starred": False,
        "owner": OWNER,
        "owner_id": OWNER["user_id"],
        "related": {
            "contacts": [contact for contact in contacts if contact is not None],
            "deals": [],
            "new_deals": deals,
            "sequence": _sequence(task),
        },
        "related_to": task["contacts"],
        "tags": task["tags"],
        "version": 1,
    }
