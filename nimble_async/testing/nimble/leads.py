"""leads.* and contact_pipelines.*: contacts on their way through lead pipelines.

A lead's id is the contact's, and every answer is the contact. On these routes a 404 and a 406
have no body.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from nimble_async.testing.call import Answer, Call, Handler, Refusal, json_answer
from nimble_async.testing.nimble.checks import Rule, complain, read_body
from nimble_async.testing.nimble.contacts import shown_contact
from nimble_async.testing.nimble.content import created_text
from nimble_async.testing.nimble.standing import LEAD_PIPELINES

__all__ = [
    "HANDLERS",
    "clear",
    "exit_successful",
    "exit_unsuccessful",
    "list_pipelines",
    "move",
    "undo",
    "update_successful_exit",
    "update_unsuccessful_exit",
]

_EXIT = {"actual_exit_date": Rule(null=True), "notes": Rule(null=True)}
_LOST = {**_EXIT, "lost_reason": Rule(null=True)}


def list_pipelines(call: Call) -> Answer:
    """Answer the lead pipelines."""
    del call
    return json_answer({"pipelines": LEAD_PIPELINES}, lasting=True)


def move(call: Call) -> Answer:
    """Put a contact on an open stage; that is also how it enters a pipeline."""
    serial, pipeline, run = _lead(call)
    stage_id = read_body(call, stage_id=Rule(required=True))["stage_id"]
    stage = next((one for one in pipeline["stages"] if one["stage_id"] == stage_id), None)
    if stage is None:
        raise Refusal(Answer(404))
    if stage["role"]["is_final"] or _exited(pipeline, run) or (run and run[-1]["stage_id"] == stage_id):
        raise Refusal(Answer(406))
    return _entered(call, serial, run, stage, {})


def exit_successful(call: Call) -> Answer:
    """Take a lead out as won."""
    return _exit(call, "successful")


def exit_unsuccessful(call: Call) -> Answer:
    """Take a lead out as lost."""
    return _exit(call, "unsuccessful")


def update_successful_exit(call: Call) -> Answer:
    """Write date and notes of a won exit anew."""
    return _amend(call, "successful")


def update_unsuccessful_exit(call: Call) -> Answer:
    """Write date, notes and reason of a lost exit anew."""
    return _amend(call, "unsuccessful")


def undo(call: Call) -> Answer:
    """Take back the exit, so that the lead stands where it stood before."""
    serial, pipeline, run = _lead(call)
    if not _exited(pipeline, run):
        raise Refusal(Answer(406))
    run.pop()
    call.account.change_contact(serial)
    return json_answer(shown_contact(call, serial))


def clear(call: Call) -> Answer:
    """Forget every transition of the present run."""
    serial, _, run = _lead(call)
    if not run:
        raise Refusal(Answer(406))
    run.clear()
    call.account.change_contact(serial)
    return json_answer(shown_contact(call, serial))


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "contact_pipelines.list": list_pipelines,
        "leads.clear": clear,
        "leads.exit_successful": exit_successful,
        "leads.exit_unsuccessful": exit_unsuccessful,
        "leads.move": move,
        "leads.undo": undo,
        "leads.update_successful_exit": update_successful_exit,
        "leads.update_unsuccessful_exit": update_unsuccessful_exit,
    }
)


def _lead(call: Call) -> tuple[int, dict[str, Any], list[dict[str, Any]]]:
    """Return a contact's number, a pipeline, and the contact's transitions in it."""
    serial = call.world.contacts.serial_of(call.ids["lead_id"])
    pipeline_id = call.ids["pipeline_id"]
    pipeline = next((one for one in LEAD_PIPELINES if one["pipeline_id"] == pipeline_id), None)
    if serial is None or pipeline is None:
        raise Refusal(Answer(404))
    return serial, pipeline, call.account.leads.setdefault(serial, {}).setdefault(pipeline_id, [])


def _role(pipeline: dict[str, Any], run: list[dict[str, Any]]) -> str | None:
    """Return the role of the stage a lead stands on; None where it is in no run."""
    if not run:
        return None
    stage = next(one for one in pipeline["stages"] if one["stage_id"] == run[-1]["stage_id"])
    role: str = stage["role"]["name"]
    return role


def _exited(pipeline: dict[str, Any], run: list[dict[str, Any]]) -> bool:
    return _role(pipeline, run) not in {None, "open"}


def _exit(call: Call, role: str) -> Answer:
    serial, pipeline, run = _lead(call)
    if not run or _exited(pipeline, run):
        raise Refusal(Answer(406))
    stage = next(one for one in pipeline["stages"] if one["role"]["name"] == role)
    return _entered(call, serial, run, stage, _facts(call, role))


def _amend(call: Call, role: str) -> Answer:
    serial, pipeline, run = _lead(call)
    if _role(pipeline, run) != role:
        raise Refusal(Answer(406))
    facts = _facts(call, role)
    run[-1].update(facts)
    if facts.get("actual_exit_date"):
        run[-1]["when"] = facts["actual_exit_date"]
    call.account.change_contact(serial)
    return json_answer(shown_contact(call, serial))


def _facts(call: Call, role: str) -> dict[str, Any]:
    facts = read_body(call, **(_LOST if role == "unsuccessful" else _EXIT))
    when = facts.get("actual_exit_date")
    if when is not None and not when[:4].isdigit():
        raise complain("/actual_exit_date", f"Can't parse value {when} as DATE-TIME")
    return facts


def _entered(
    call: Call, serial: int, run: list[dict[str, Any]], stage: Mapping[str, Any], facts: dict[str, Any]
) -> Answer:
    when = facts.get("actual_exit_date") or created_text(call.wall)
    run.append({**facts, "stage_id": stage["stage_id"], "when": when})
    call.account.change_contact(serial)
    return json_answer(shown_contact(call, serial))
