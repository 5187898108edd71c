"""What a search of deals can ask about; the vendor documents the language, and hardly the names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from nimble_async.testing.call import Call
from nimble_async.testing.nimble.deal_content import (
    deal_owner,
    deal_place,
    deal_tags,
    deal_updated,
    deal_values,
)
from nimble_async.testing.nimble.search import Compiler, Field, Test
from nimble_async.testing.nimble.standing import DEAL_FIELDS

__all__ = ["compile_deal_search"]

_KINDS = {"number": "number", "datetime": "date"}


def compile_deal_search(call: Call, query: object) -> Test:
    """Return the test of a query over deals.

    Raises:
        Refusal: The vendor refuses it: a 409.
    """
    return Compiler(call, lambda name, _: _field(call, name)).compile(query)


def _field(call: Call, name: str) -> Field | None:
    world, herd = call.world, call.world.deals
    made: dict[str, Callable[[], Field]] = {
        "_id": lambda: Field(kind="id", read=lambda serial: (herd.id_of(serial),)),
        "created": lambda: Field(kind="stamp", read=lambda serial: (herd.created[serial],)),
        "updated": lambda: Field(kind="stamp", read=lambda serial: (deal_updated(world, serial),)),
        "tag": lambda: Field(kind="tag", read=lambda serial: deal_tags(world, serial)),
        "pipeline_id": lambda: Field(kind="id", read=lambda serial: (deal_place(world, serial)[0],)),
        "stage_id": lambda: Field(kind="id", read=lambda serial: (deal_place(world, serial)[1],)),
        "owner_id": lambda: Field(kind="id", read=lambda serial: (deal_owner(world, serial)["user_id"],)),
        "__any": lambda: Field(kind="any", read=lambda serial: deal_values(world, serial).values()),
    }
    if name in made:
        return made[name]()
    known = "deal_name" if name == "name" else name
    kinds = {standard: kind["field_kind"] for standard, (_, kind) in DEAL_FIELDS.items()}
    kinds |= {
        entry["field"]["field_name"]: entry["field"]["field_type"]["field_kind"]
        for entry in call.account.deal_fields.values()
    }
    if known not in kinds:
        return None
    kind = _KINDS.get(kinds[known], "text")

    def read(serial: int) -> list[object]:
        text = deal_values(world, serial).get(known)
        if not text:
            return []
        return [date.fromisoformat(text[:10]) if kind == "date" else text]

    return Field(kind=kind, read=read)
