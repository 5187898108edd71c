"""The shapes in which ActiveCampaign answers: envelopes, pages, and six ways to say no.

Rule: pure functions of a call. The vendor has no common schema of errors, so each route picks one
of these shapes, as its documents show it; several are JSON that is labelled as text.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

import msgspec

from nimble_async.testing.activecampaign.world import DealsWorld, Table
from nimble_async.testing.call import Answer, Call, Refusal, json_answer

__all__ = [
    "as_text",
    "body_of",
    "complaint",
    "empty",
    "faulty",
    "filters",
    "id_in",
    "missing",
    "numbered",
    "orders",
    "orders_of",
    "page",
    "refuse",
    "row_of",
    "rows_of",
    "unsettled",
    "world_of",
]

_LARGEST_PAGE = 100
_PAGE = 20
_BLOCK = 16


def world_of(call: Call) -> DealsWorld:
    """Return the account, as what it is."""
    return cast("DealsWorld", call.world)


def refuse(status: int = 400, body: object = None) -> Refusal:
    """Return a refusal; its body is an empty object unless told, as nearly every documented 400 is."""
    return Refusal(json_answer({} if body is None else body, status))


def as_text(answer: Answer) -> Answer:
    """Return the same answer, labelled as plain text."""
    return Answer(answer.status, answer.body, {**answer.headers, "content-type": "text/plain; charset=UTF-8"})


def missing(kind: str, id: str, *, text: bool = False) -> Refusal:  # noqa: A002 (the vendor's word)
    """Return a 404 that names an internal class, as the vendor does."""
    answer = json_answer({"message": f"No Result found for {kind} with id {id}"}, 404)
    return Refusal(as_text(answer) if text else answer)


def complaint(title: str, *, detail: str = "", code: str | int = "", pointer: str = "") -> dict[str, Any]:
    """Return one member of `errors`; what is empty is left out."""
    found: dict[str, Any] = {"title": title, "detail": detail, "code": code}
    found = {name: value for name, value in found.items() if value != ""}
    return found | ({"source": {"pointer": f"/data/attributes/{pointer}"}} if pointer else {})


def faulty(*errors: object, text: bool = False) -> Refusal:
    """Return a 422 with a list of complaints: objects of several shapes, or plain texts."""
    answer = json_answer({"errors": list(errors)}, 422)
    return Refusal(as_text(answer) if text else answer)


def empty() -> Answer:
    """Return a success without any body."""
    return Answer(200, b"", {"content-type": "application/json"})


def id_in(call: Call, place: int = 0) -> str:
    """Return the id that stands in the path."""
    return list(call.ids.values())[place]


def rows_of(call: Call, table: str) -> Table:
    """Return a table of the account."""
    return world_of(call).tables[table]


def row_of(call: Call, table: str, kind: str, *, text: bool = False, status: int = 404) -> dict[str, Any]:
    """Return the row that the path names.

    Raises:
        Refusal: There is none: a 404 that names `kind`, or an empty 400 where that is documented.
    """
    row = rows_of(call, table).get(id_in(call))
    if row is None:
        raise missing(kind, id_in(call), text=text) if status == 404 else refuse(status)
    return row


def body_of(call: Call, envelope: str | None) -> Any:
    """Return what was sent, taken out of its envelope.

    Raises:
        Refusal: It is no JSON, or not in that envelope: 400.
    """
    try:
        body = msgspec.json.decode(call.body)
    except msgspec.MsgspecError:
        raise refuse(400, {"message": "The request is no JSON"}) from None
    if envelope is None:
        return body
    inside = body.get(envelope) if isinstance(body, dict) else None
    if not isinstance(inside, dict | list):
        raise refuse(400, {"message": f"There is no {envelope} in the request"})
    return inside


def numbered(call: Call, name: str, default: int) -> int:
    """Return a member of the query as a number.

    Raises:
        Refusal: It is none: an empty 400.
    """
    text = call.text(name)
    if text is None or text == "":
        return default
    if not (text.isascii() and text.isdigit()):
        raise refuse()
    return int(text)


def _inside(query: Mapping[str, Sequence[str]], word: str) -> dict[str, str]:
    """Return the members `word[name]=value` of a query, in their order."""
    return {
        name[len(word) + 1 : -1]: values[-1]
        for name, values in query.items()
        if name.startswith(f"{word}[") and name.endswith("]")
    }


def filters(call: Call, known: Iterable[str]) -> dict[str, str]:
    """Return the filters of a call.

    Raises:
        Refusal: One is not known here: an empty 400, which finds a wrong spelling. What the vendor does
            then is documented nowhere.
    """
    found = _inside(call.query, "filters")
    if not set(found) <= set(known):
        raise refuse()
    return found


def orders_of(call: Call) -> dict[str, str]:
    """Return the orders of a call as they were sent."""
    return _inside(call.query, "orders")


def orders(call: Call, known: Iterable[str]) -> dict[str, bool]:
    """Return the orders of a call, the first first: True is descending.

    Raises:
        Refusal: One is not known here: an empty 400.
    """
    found = orders_of(call)
    if not set(found) <= set(known) or not {word.upper() for word in found.values()} <= {"ASC", "DESC"}:
        raise refuse()
    return {name: word.upper() == "DESC" for name, word in found.items()}


def unsettled(count: int, offset: int, limit: int, chance: random.Random) -> list[int]:
    """Return the places of a page of a list that is ordered anew for each answer.

    Neighbours change places within small blocks, so that pages overlap and rows go missing at their
    edges, as one public report with counts describes it for lists without `orders[...]`.
    """
    places: list[int] = []
    for first in range(offset - offset % _BLOCK, min(count, offset + limit), _BLOCK):
        block = list(range(first, min(count, first + _BLOCK)))
        chance.shuffle(block)
        places += block
    skip = offset % _BLOCK
    return places[skip : skip + limit]


def page(
    call: Call,
    rows: Sequence[dict[str, Any]],
    name: str,
    *,
    total: Callable[[int], Any] | None = str,
    size: int = _PAGE,
    status: int = 200,
    beside: Callable[[Sequence[dict[str, Any]]], dict[str, Any]] | None = None,
) -> Answer:
    """Return one page of rows; `total` writes meta.total (None: there is no meta).

    With `unstable_ties` a list that no order was asked for stands in another one in each answer.
    """
    limit = min(_LARGEST_PAGE, numbered(call, "limit", size) or size)
    offset = numbered(call, "offset", 0)
    moves = call.behaviour.unstable_ties and not orders_of(call)
    shown = rows[offset : offset + limit]
    if moves:
        shown = [rows[place] for place in unsettled(len(rows), offset, limit, call.chance)]
    body: dict[str, Any] = {} if beside is None else beside(shown)
    body[name] = shown
    if total is not None:
        body["meta"] = {"total": total(len(rows))}
    return json_answer(body, status, lasting=not moves)
