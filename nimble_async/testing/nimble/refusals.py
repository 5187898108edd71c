"""How Nimble says no: the shapes of its errors, by status.

Rule: pure functions of what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nimble_async.testing.call import Answer, json_answer

__all__ = ["affected", "forbidden", "invalid", "not_acceptable", "not_found"]


def invalid(errors: Mapping[str, str], *, field_ids: Mapping[str, str] | None = None) -> Answer:
    """Return a 409 with code 245, in one of the two documented shapes.

    Without `field_ids` the keys are paths with one complaint each; with them they are names of
    contact fields, each with a list of complaints that name the field's id.
    """
    complaints: dict[str, Any]
    if field_ids is None:
        complaints = {path: {"message": message} for path, message in errors.items()}
    else:
        complaints = {
            name: [{"message": message, "field_id": field_ids.get(name)}] for name, message in errors.items()
        }
    message = "Invalid value: " + "; ".join(f"{name}: {text}" for name, text in errors.items())
    body = {
        "message": message,
        "code": 245,
        "errors": complaints,
        "human_readable_error": message,
        "extra": [],
    }
    return json_answer(body, 409)


def forbidden(what: str) -> Answer:
    """Return a 403: privacy or permission."""
    return json_answer({"message": f"You have no permission to {what}"}, 403)


def not_acceptable(message: str, type: str) -> Answer:  # noqa: A002 (the vendor's word)
    """Return a 406 with its stable identifier."""
    return json_answer({"message": message, "type": type}, 406)


def affected(message: str, type: str, total: int, query: object) -> Answer:  # noqa: A002 (the vendor's word)
    """Return the 406 of a preflight check: how many records would be affected, and the query for them."""
    complaint = {"message": message, "nse_query": query, "total": total, "type": type}
    return json_answer({"errors": [complaint]}, 406)


def not_found(kind: str, id: str) -> Answer:  # noqa: A002 (the vendor's word)
    """Return a 404 that names what was looked for."""
    return json_answer({"object_id": id, "object_type": kind}, 404)
