"""Deals and their notes: facts on top, methods below."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Literal, TypeAlias

from nimble_async._aio.paginator import Paginator
from nimble_async._aio.resource import Resource
from nimble_async._sansio import operation as op
from nimble_async._sansio.operation import Paging, Shape, Side
from nimble_async.activecampaign.models.bodies import members_of
from nimble_async.activecampaign.models.bulk import BulkOutcome, BulkReport, OwnersAnswer
from nimble_async.activecampaign.models.deals import (
    DEAL_STATUS,
    Deal,
    DealDraft,
    DealNote,
    DealPatch,
    DealStatus,
)
from nimble_async.activecampaign.models.money import Dollars
from nimble_async.activecampaign.resources.arguments import (
    Direction,
    check_id,
    check_limit,
    choice,
    day,
    dollars,
    filtered,
    joined,
    one_of,
    ordered,
    score_of,
)
from nimble_async.activecampaign.resources.bulk import Sent, in_chunks

__all__ = [
    "CREATE",
    "CREATE_NOTE",
    "DELETE",
    "GET",
    "LIST",
    "LIST_FOR_CONTACT",
    "NEXT_TASKS",
    "ORDERS",
    "SEARCH_FIELDS",
    "SIDES",
    "UPDATE",
    "UPDATE_NOTE",
    "UPDATE_OWNERS",
    "DealOrder",
    "Deals",
]

DealOrder: TypeAlias = Literal[
    "id", "title", "value", "cdate", "contact_name", "contact_orgname", "next-action"
]

ORDERS = ("id", "title", "value", "cdate", "contact_name", "contact_orgname", "next-action")
"""What a list of deals can be ordered by. The vendor documents all but `id`."""

SEARCH_FIELDS = ("all", "title", "contact", "org")
"""Where `search` may look."""

NEXT_TASKS = ("upcoming", "scheduled", "overdue", "no-task")
"""What `next_task` may be."""

SIDES = (
    Side(name="dealCustomFieldData", back=("deal_id", "dealId")),
    Side(name="contacts", via=("contact",)),
    Side(name="dealStages", via=("stage",)),
)
"""What may come beside deals."""

LIST = op.get(
    "deals.list", "/api/3/deals", returns=Deal, shape=Shape.PAGE, items="deals", sides=SIDES,
    paging=Paging.OFFSET, summary="Deals, page by page.",
)  # fmt: skip
CREATE = op.post(
    "deals.create", "/api/3/deals", returns=Deal, shape=Shape.MEMBER, items="deal", sides=SIDES,
    summary="Make a deal.",
)  # fmt: skip
GET = op.get(
    "deals.get", "/api/3/deals/{deal_id}", returns=Deal, shape=Shape.MEMBER, items="deal", sides=SIDES,
    summary="One deal.",
)  # fmt: skip
UPDATE = op.put(
    "deals.update", "/api/3/deals/{deal_id}", returns=Deal, shape=Shape.MEMBER, items="deal", sides=SIDES,
    summary="Change a deal.",
)  # fmt: skip
DELETE = op.delete("deals.delete", "/api/3/deals/{deal_id}", returns=type(None), summary="Delete a deal.")
UPDATE_OWNERS = op.patch(
    "deals.update_owners", "/api/3/deals/bulkUpdate", returns=OwnersAnswer,
    summary="Give many deals new owners.",
)  # fmt: skip
LIST_FOR_CONTACT = op.get(
    "deals.list_for_contact", "/api/3/contacts/{contact_id}/deals", returns=Deal, shape=Shape.LIST,
    items="deals", sides=SIDES, summary="The deals of one contact.",
)  # fmt: skip
CREATE_NOTE = op.post(
    "deals.create_note", "/api/3/deals/{deal_id}/notes", returns=DealNote, shape=Shape.MEMBER, items="note",
    sides=(Side(name="deals"),), summary="Put a note on a deal.",
)  # fmt: skip
UPDATE_NOTE = op.put(
    "deals.update_note", "/api/3/deals/{deal_id}/notes/{note_id}", returns=DealNote, shape=Shape.MEMBER,
    items="note", sides=(Side(name="deals"),), summary="Change a note on a deal.",
)  # fmt: skip


class Deals(Resource):
    """Deals."""

    def list(
        self,
        *,
        search: str | None = None,
        search_field: Literal["all", "title", "contact", "org"] | None = None,
        title: str | None = None,
        stage_id: str | None = None,
        pipeline_id: str | None = None,
        status: DealStatus | None = None,
        owner_id: str | None = None,
        contact_id: str | None = None,
        organization_id: str | None = None,
        next_task: Literal["upcoming", "scheduled", "overdue", "no-task"] | None = None,
        task_type_id: str | None = None,
        tag_id: str | None = None,
        created_before: date | str | None = None,
        created_after: date | str | None = None,
        updated_before: date | str | None = None,
        updated_after: date | str | None = None,
        minimum_value: Dollars | str | None = None,
        maximum_value: Dollars | str | None = None,
        score: str | None = None,
        score_greater_than: str | None = None,
        score_less_than: str | None = None,
        orders: Mapping[DealOrder, Direction] | None = None,
        include: Iterable[str] | None = None,
        limit: int = 100,
        offset: int | None = None,
        start: str | None = None,
    ) -> Paginator[Deal]:
        """List deals (`GET /deals`); nothing is sent until the list is awaited or iterated.

        Without an order the vendor's pages overlap and rows go missing, so `id` ascending is always
        the last order, or the only one. Deals in pipelines that the key's user may not see come as
        id and title alone (`deal.hidden`), and count in the total.

        Args:
            search: Words to find in `search_field`.
            search_field: Where to look for them.
            title: By title.
            stage_id: Only this stage.
            pipeline_id: Only this pipeline.
            status: Only open, won or lost deals.
            owner_id: Only this user's.
            contact_id: Only those of this primary contact; the vendor does not document it.
            organization_id: Only those whose primary contact belongs to this organization.
            next_task: By when the next task is due.
            task_type_id: Only deals that have a task of this type.
            tag_id: The id of a tag; -1 for any tag, -2 for none. The vendor calls it a name.
            created_before: Created before this day began: to include the day itself, give the next one.
            created_after: Created on this day or later.
            updated_before: Changed before this day began; a deletion is no change and never shows.
            updated_after: Changed on this day or later.
            minimum_value: At least so many whole US dollars: `Dollars(100)`, or `$100` as text. A deal's
                own value is in cents, so a bare number is refused.
            maximum_value: At most so many.
            score: `<score id>:<number>`: this score exactly.
            score_greater_than: Above this score.
            score_less_than: Below this score.
            orders: What to sort by, the first the strongest: `{"cdate": "DESC"}`.
            include: Relations to send beside the deals: `dealCustomFieldData` (then `deal.custom_values`),
                `contact` (then `deal.contact`); others are read by `page.beside(...)`.
            limit: Records a page, 100 at most.
            offset: The record to begin at, counted from 0.
            start: A checkpoint of the same list, to go on where it was taken; it takes the place of `offset`.

        Raises:
            QueryRefused: These arguments are not documented, or contradict each other.
            CheckpointRefused: `start` belongs to another list.
        """
        query = filtered(
            search=search,
            search_field=one_of("search_field", search_field, SEARCH_FIELDS),
            title=title,
            stage=stage_id,
            group=pipeline_id,
            status=choice("status", status, DEAL_STATUS),
            owner=owner_id,
            contact=contact_id,
            organization=organization_id,
            nextdate_range=one_of("next_task", next_task, NEXT_TASKS),
            tasktype=task_type_id,
            tag=tag_id,
            created_before=day("created_before", created_before),
            created_after=day("created_after", created_after),
            updated_before=day("updated_before", updated_before),
            updated_after=day("updated_after", updated_after),
            minimum_value=dollars("minimum_value", minimum_value),
            maximum_value=dollars("maximum_value", maximum_value),
            score=score_of("score", score),
            score_greater_than=score_of("score_greater_than", score_greater_than),
            score_less_than=score_of("score_less_than", score_less_than),
        )
        query |= {**ordered(orders, ORDERS, last="id"), "include": joined("include", include)}
        return self._paginate(LIST, query=query, size=check_limit(limit), offset=offset, start=start)

    async def create(self, draft: DealDraft | Mapping[str, Any]) -> Deal:
        """Make a deal (`POST /deals`). It is never sent twice: a lost answer may mean that it was made.

        Raises:
            InvalidInput: The vendor refuses the values; `.fields` says which.
        """
        return await self._call(CREATE, body={"deal": members_of(draft)})

    async def get(self, deal_id: str, *, include: Iterable[str] | None = None) -> Deal:
        """Return one deal (`GET /deals/{id}`); `include` is as in `list`.

        Raises:
            NotFound: No deal has this id.
        """
        return await self._call(GET, query={"include": joined("include", include)}, deal_id=deal_id)

    async def update(self, deal_id: str, patch: DealPatch | Mapping[str, Any]) -> Deal:
        """Change what the patch names (`PUT /deals/{id}`) and return the deal.

        Raises:
            InvalidInput: The vendor refuses the values.
            NotFound: No deal has this id.
        """
        return await self._call(UPDATE, body={"deal": members_of(patch)}, deal_id=deal_id)

    async def delete(self, deal_id: str) -> None:
        """Delete a deal (`DELETE /deals/{id}`).

        Raises:
            NotFound: No deal has this id.
        """
        await self._call(DELETE, deal_id=deal_id)

    async def update_owners(self, owners: Mapping[str, str]) -> BulkReport:
        """Give deals new owners (`PATCH /deals/bulkUpdate`), a hundred in a call.

        Args:
            owners: The new owner's user id, by the deal's id.

        Returns:
            What became of each deal, in the order given.

        Raises:
            CrmError: Nothing was changed, for a reason that is not about the deals.
            QueryRefused: A deal or an owner is no id.
        """

        async def send(chunk: Sequence[tuple[str, str]]) -> Sent:
            deals = [{"id": deal, "ownerId": owner} for deal, owner in chunk]
            answer = await self._call(UPDATE_OWNERS, body={"deals": deals})
            return Sent([_end(answer, deal) for deal, _ in chunk])

        pairs = [(check_id("a deal", deal), check_id("an owner", owner)) for deal, owner in owners.items()]
        return await in_chunks(pairs, send, id_of=lambda pair: pair[0])

    async def list_for_contact(self, contact_id: str) -> builtins.list[Deal]:
        """Return the deals of one contact (`GET /contacts/{id}/deals`), in one answer.

        Raises:
            NotFound: No contact has this id.
        """
        return await self._rows(LIST_FOR_CONTACT, contact_id=contact_id)

    async def create_note(self, deal_id: str, note: str) -> DealNote:
        """Put a note on a deal (`POST /deals/{id}/notes`).

        Raises:
            NotFound: No deal has this id.
        """
        return await self._call(CREATE_NOTE, body={"note": {"note": note}}, deal_id=deal_id)

    async def update_note(self, deal_id: str, note_id: str, note: str) -> DealNote:
        """Change the text of a note (`PUT /deals/{id}/notes/{noteId}`).

        Raises:
            NotFound: No such note is on this deal.
        """
        body = {"note": {"note": note}}
        return await self._call(UPDATE_NOTE, body=body, deal_id=deal_id, note_id=note_id)


def _end(answer: OwnersAnswer, deal: str) -> BulkOutcome:
    """Look a deal up in the vendor's three lists; one that is in none of them may have been changed."""
    ends: tuple[tuple[BulkOutcome, Any], ...] = (
        ("failed", answer.failed), ("unchanged", answer.nochange), ("done", answer.success),
    )  # fmt: skip
    for outcome, ids in ends:
        if str(deal) in (ids or ()):
            return outcome
    return "unknown"
