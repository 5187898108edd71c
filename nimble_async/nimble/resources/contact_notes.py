"""Notes on contacts: facts on top, methods below.

One note hangs under `/contacts/notes`, the notes of a contact under `/contacts/{contact_id}/notes`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nimble_async._aio.paginator import Paginator
from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import Paging, Shape, delete, get, post, put
from nimble_async.errors import DraftRefused
from nimble_async.nimble.models.notes import ContactNote
from nimble_async.nimble.resources.arguments import check_paging, distinct

__all__ = [
    "CREATE",
    "CREATE_FOR_CONTACT",
    "CREATE_WITH_ID",
    "DELETE",
    "GET",
    "LIST",
    "UPDATE",
    "ContactNotes",
]

LIST = get(
    "contact_notes.list", "/api/v1/contacts/{contact_id}/notes", returns=ContactNote, shape=Shape.PAGE,
    items="resources", paging=Paging.NUMBER, summary="The notes of one contact, page by page.",
)  # fmt: skip
GET = get("contact_notes.get", "/api/v1/contacts/notes/{note_id}", returns=ContactNote, summary="One note.")
CREATE = post(
    "contact_notes.create", "/api/v1/contacts/notes", returns=ContactNote,
    summary="Put a note on 1 to 10 contacts.",
)  # fmt: skip
CREATE_WITH_ID = post(
    "contact_notes.create_with_id", "/api/v1/contacts/notes/{note_id}", returns=ContactNote,
    summary="Put a note on 1 to 10 contacts, under an id of your own.",
)  # fmt: skip
CREATE_FOR_CONTACT = post(
    "contact_notes.create_for_contact", "/api/v1/contacts/{contact_id}/notes", returns=ContactNote,
    summary="Put a note on one contact.",
)  # fmt: skip
UPDATE = put(
    "contact_notes.update", "/api/v1/contacts/notes/{note_id}", returns=ContactNote,
    summary="Rewrite a note and the contacts it is on.",
)  # fmt: skip
DELETE = delete(
    "contact_notes.delete", "/api/v1/contacts/notes/{note_id}", returns=type(None), summary="Delete a note."
)

_MOST_CONTACTS = 10
"""Contacts that one note can be on."""
_PREVIEW = 200
"""Characters of a note that stand in its preview unless told."""


class ContactNotes(Resource):
    """Notes on contacts.

    The text goes out as it is given, plain or HTML, and comes back as the vendor sends it: some
    answers are percent-encoded, and nothing tells which, so nothing is decoded.
    """

    def list(
        self, contact_id: str, *, per_page: int = 100, page: int | None = None, start: str | None = None
    ) -> Paginator[ContactNote]:
        """List the notes of a contact; nothing is sent until the list is awaited or iterated.

        `GET /api/v1/contacts/{contact_id}/notes`

        Args:
            contact_id: The contact.
            per_page: Notes a page; the vendor's own default is 5.
            page: The page to begin at, counted from 1.
            start: A checkpoint of the same list, to go on where it was taken.

        Raises:
            QueryRefused: A page size or number below 1.
            CheckpointRefused: `start` belongs to another list.
        """
        check_paging(size=per_page, page=page)
        return self._paginate(LIST, size=per_page, page=page, start=start, contact_id=contact_id)

    async def get(self, note_id: str) -> ContactNote:
        """Return one note.

        `GET /api/v1/contacts/notes/{note_id}`

        Args:
            note_id: The note.

        Raises:
            NotFound: No note has this id.
        """
        return await self._call(GET, note_id=note_id)

    async def create(
        self, *, contact_ids: Iterable[str], note: str, note_preview: str | None = None
    ) -> ContactNote:
        """Put a note on contacts.

        `POST /api/v1/contacts/notes`

        Args:
            contact_ids: 1 to 10 contacts.
            note: The text, plain or HTML.
            note_preview: What lists show; the beginning of the text unless told.

        Raises:
            DraftRefused: No contact, or more than 10.
            InvalidInput: The vendor refuses the values.
        """
        return await self._call(CREATE, body=_body(contact_ids, note, note_preview))

    async def create_with_id(
        self, note_id: str, *, contact_ids: Iterable[str], note: str, note_preview: str | None = None
    ) -> ContactNote:
        """Put a note on contacts, under an id of your own (24 hexadecimal digits, as the vendor's are).

        What the vendor does with an id that is taken is not documented, so a call is never repeated on
        its own.

        `POST /api/v1/contacts/notes/{note_id}`

        Args:
            note_id: The id it shall have.
            contact_ids: 1 to 10 contacts.
            note: The text, plain or HTML.
            note_preview: The short form that lists show; the beginning of the text unless told.

        Raises:
            DraftRefused: There are not 1 to 10 contacts, or the vendor would refuse the note.
            InvalidInput: The vendor refuses the values.
        """
        return await self._call(CREATE_WITH_ID, body=_body(contact_ids, note, note_preview), note_id=note_id)

    async def create_for_contact(
        self, contact_id: str, *, note: str, note_preview: str | None = None
    ) -> ContactNote:
        """Put a note on one contact. Without a preview the vendor shows the note itself.

        `POST /api/v1/contacts/{contact_id}/notes`

        Args:
            contact_id: The contact.
            note: The text, plain or HTML.
            note_preview: The short form that lists show.

        Raises:
            NotFound: No contact has this id.
            InvalidInput: The vendor refuses the values.
        """
        body = {"note": note} if note_preview is None else {"note": note, "note_preview": note_preview}
        return await self._call(CREATE_FOR_CONTACT, body=body, contact_id=contact_id)

    async def update(
        self, note_id: str, *, contact_ids: Iterable[str], note: str, note_preview: str | None = None
    ) -> ContactNote:
        """Rewrite a note: text, preview and contacts are all replaced.

        The arguments are those of `create`.

        `PUT /api/v1/contacts/notes/{note_id}`

        Args:
            note_id: The note.
            contact_ids: 1 to 10 contacts.
            note: The text, plain or HTML.
            note_preview: The short form that lists show; the beginning of the text unless told.

        Raises:
            DraftRefused: No contact, or more than 10.
            NotFound: No note has this id.
            InvalidInput: The vendor refuses the values.
        """
        return await self._call(UPDATE, body=_body(contact_ids, note, note_preview), note_id=note_id)

    async def delete(self, note_id: str) -> None:
        """Delete a note, from every contact it is on.

        `DELETE /api/v1/contacts/notes/{note_id}`

        Args:
            note_id: The note.

        Raises:
            NotFound: No note has this id.
        """
        await self._call(DELETE, note_id=note_id)


def _body(contact_ids: Iterable[str], note: str, note_preview: str | None) -> dict[str, Any]:
    ids = distinct(contact_ids)
    if not 1 <= len(ids) <= _MOST_CONTACTS:
        raise DraftRefused(f"A note is on 1 to {_MOST_CONTACTS} contacts, not {len(ids)}.")
    preview = note[:_PREVIEW] if note_preview is None else note_preview
    return {"contact_ids": ids, "note": note, "note_preview": preview}
