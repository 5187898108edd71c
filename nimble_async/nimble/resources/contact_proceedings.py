"""The history of a contact: facts on top, methods below."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from typing import Literal, TypeAlias, get_args

from nimble_async._aio.paginator import Paginator
from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import Paging, Shape, get
from nimble_async.errors import QueryRefused
from nimble_async.nimble.models.activities import Proceeding, ProceedingProvider
from nimble_async.nimble.models.limits import check_choice
from nimble_async.nimble.resources.arguments import check_paging, several

__all__ = ["LIST", "PROVIDERS", "ContactProceedings", "ProceedingKind"]

ProceedingKind: TypeAlias = Literal[
    "contact_note", "contact_attachment", "message", "webform_response", "task", "call", "event", "deal",
    "new_deal",
]  # fmt: skip
"""The kinds of entries that the history of a contact has."""

LIST = get(
    "contact_proceedings.list", "/api/v1/contacts/{contact_id}/proceedings", returns=Proceeding,
    shape=Shape.PAGE, items="proceedings", paging=Paging.NEXT_PAGE,
    summary="The history of a contact: notes, messages, tasks, deals, ...",
)  # fmt: skip
PROVIDERS = get(
    "contact_proceedings.providers", "/api/v1/contacts/proceedings_providers", returns=ProceedingProvider,
    shape=Shape.LIST, items="providers", summary="The kinds of entries that this account can see.",
)  # fmt: skip


class ContactProceedings(Resource):
    """The history of contacts."""

    def list(
        self,
        contact_id: str,
        *,
        direction: Literal["past", "pending"],
        limit: int = 100,
        types: Iterable[ProceedingKind] | None = None,
        completed: bool | None = None,
        notes__search_query: str | None = None,
        next_tstamp: str | None = None,
        next_id: str | None = None,
        start: str | None = None,
    ) -> Paginator[Proceeding]:
        """List the history of a contact; nothing is sent until the list is awaited or iterated.

        `GET /api/v1/contacts/{contact_id}/proceedings`

        Args:
            contact_id: The contact.
            direction: `past` or `pending`.
            limit: Entries a page; the vendor requires one.
            types: Only these kinds: `contact_note`, `contact_attachment`, `message`,
                `webform_response`, `task`, `call`, `event`, `deal`, `new_deal`.
            completed: Only what is done, or only what is not.
            notes__search_query: Only notes that hold this text.
            next_tstamp: With `next_id`, where to begin; a checkpoint as `start` is easier.
            next_id: The other half of it, such as `<type>|<id>`.
            start: A checkpoint of the same list, to go on where it was taken.

        Raises:
            QueryRefused: The vendor would refuse these arguments.
            CheckpointRefused: `start` belongs to another list.
        """
        if direction not in {"past", "pending"}:
            raise QueryRefused(f"direction is 'past' or 'pending', not {direction!r}.")
        check_paging(size=limit)
        kinds = several("kind", types)
        for kind in kinds or ():
            check_choice("A kind of entries", kind, get_args(ProceedingKind), refused=QueryRefused)
        arguments = {
            "direction": direction,
            # No style is documented, and so the name is repeated for each kind.
            "types": kinds,
            "completed": completed,
            "notes__search_query": notes__search_query,
            "next_tstamp": next_tstamp,
            "next_id": next_id,
        }
        return self._paginate(LIST, query=arguments, size=limit, start=start, contact_id=contact_id)

    async def providers(self) -> builtins.list[ProceedingProvider]:
        """Return where entries come from, with the kinds that this account can see.

        `GET /api/v1/contacts/proceedings_providers`
        """
        return await self._rows(PROVIDERS)
