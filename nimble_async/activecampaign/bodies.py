"""Bodies in the vendor's words, made into the arguments of our methods: what `call --body` reads.

Rule: pure. The members stay as the vendor describes them, numbers as numbers; only the envelope is taken
off, since the method puts it on again, and what an operation takes as an argument gets the argument's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from nimble_async._sansio.operation import Operation, Shape
from nimble_async.errors import QueryRefused

__all__ = ["arguments_in"]


class _Renamed(Struct, frozen=True):
    """An envelope, and the arguments that its members are."""

    envelope: str
    names: Mapping[str, str]


_RENAMED: Mapping[str, _Renamed] = MappingProxyType(
    {
        "stages.move_deals": _Renamed("deal", {"stage": "to_stage_id"}),
        "task_types.move_tasks": _Renamed("dealTask", {"dealTasktype": "to_task_type_id"}),
    }
)


def arguments_in(operation: Operation[Any], body: Any) -> Any:
    """Return a body without its envelope, its members under the names that the method has for them.

    An envelope may be left out. Ids that are arguments become text.

    Raises:
        QueryRefused: It is not what the vendor describes.
    """
    if operation.name == "deals.update_owners":
        return {"owners": _owners(body)}
    renamed = _RENAMED.get(operation.name)
    if renamed is None:
        return _opened(body, operation.items if operation.shape is Shape.MEMBER else "")
    inside = _opened(body, renamed.envelope)
    if not isinstance(inside, dict):
        return inside
    return {
        renamed.names.get(name, name): _text(value) if name in renamed.names else value
        for name, value in inside.items()
    }


def _opened(body: Any, envelope: str) -> Any:
    """Return what is inside the envelope; the same where there is none."""
    alone = isinstance(body, dict) and list(body) == [envelope] and isinstance(body[envelope], dict)
    return body[envelope] if alone else body


def _owners(body: Any) -> Any:
    """Return the owners by their deals: from the vendor's rows, or as the argument has them."""
    if not isinstance(body, dict):
        raise QueryRefused('It is {"deals": [{"id": ..., "ownerId": ...}]}.')
    if "deals" not in body:
        return body.get("owners", body)
    rows = body["deals"]
    whole = isinstance(rows, list) and all(
        isinstance(row, dict) and set(row) == {"id", "ownerId"} for row in rows
    )
    if not whole:
        raise QueryRefused('Each of the deals is {"id": ..., "ownerId": ...}.')
    owners = {_text(row["id"]): _text(row["ownerId"]) for row in rows}
    if len(owners) < len(rows):
        raise QueryRefused("A deal is there twice.")
    return owners


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
