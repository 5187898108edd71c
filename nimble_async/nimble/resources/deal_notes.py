"""Notes of deals: facts on top, methods below."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import delete, post, put
from nimble_async.nimble.models.deal_notes import DealNote
from nimble_async.nimble.models.limits import changed, check_length, given

__all__ = ["CREATE", "DELETE", "UPDATE", "DealNotes"]

CREATE = post(
    "deal_notes.create", "/api/v2/deals/{deal_id}/notes", returns=DealNote, summary="Add a note to a deal."
)
UPDATE = put(
    "deal_notes.update", "/api/v2/deals/{deal_id}/notes/{note_id}", returns=DealNote,
    summary="Change a note of a deal.",
)  # fmt: skip
DELETE = delete(
    "deal_notes.delete", "/api/v2/deals/{deal_id}/notes/{note_id}", returns=type(None),
    summary="Delete a note of a deal.",
)  # fmt: skip


class DealNotes(Resource):
    """Notes of deals. The vendor documents no route that lists them."""

    async def create(self, deal_id: str, *, title: str, body: str | UnsetType = UNSET) -> DealNote:
        """Add a note to a deal. Never repeated automatically.

        `POST /api/v2/deals/{deal_id}/notes`

        Args:
            deal_id: The deal.
            title: 1 to 256 characters.
            body: The text.

        Raises:
            DraftRefused: The title is empty or too long.
        """
        check_length("The title of a note", title, least=1, most=256)
        return await self._call(CREATE, body=given(title=title, body=body), deal_id=deal_id)

    async def update(
        self,
        deal_id: str,
        note_id: str,
        *,
        title: str | UnsetType = UNSET,
        body: str | UnsetType | None = UNSET,
    ) -> DealNote:
        """Change a note; what is not given stays.

        `PUT /api/v2/deals/{deal_id}/notes/{note_id}`

        Args:
            deal_id: The deal.
            note_id: The note.
            title: 1 to 256 characters.
            body: The text; None clears it.

        Raises:
            NotFound: No deal or note has this id.
            DraftRefused: The title is empty or too long, or nothing is changed.
        """
        check_length("The title of a note", title, least=1, most=256)
        return await self._call(
            UPDATE, body=changed(title=title, body=body), deal_id=deal_id, note_id=note_id
        )

    async def delete(self, deal_id: str, note_id: str) -> None:
        """Delete a note.

        `DELETE /api/v2/deals/{deal_id}/notes/{note_id}`

        Args:
            deal_id: The deal.
            note_id: The note.

        Raises:
            NotFound: No deal or note has this id.
        """
        await self._call(DELETE, deal_id=deal_id, note_id=note_id)
