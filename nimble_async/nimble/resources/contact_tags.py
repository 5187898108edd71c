"""Tags of contacts: facts on top, methods below."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar, overload

from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import put
from nimble_async.nimble.models.contacts import Contact, TaggedContact
from nimble_async.nimble.models.limits import texts

__all__ = ["SET", "ContactTags"]

SET = put(
    "contact_tags.set", "/api/v1/contacts/{contact_id}/tags", returns=TaggedContact, destructive=True,
    summary="Replace all tags of a contact.",
)  # fmt: skip

C = TypeVar("C", bound=Contact)


class ContactTags(Resource):
    """Tags of contacts."""

    @overload
    async def set(self, contact_id: str, *, tags: Iterable[str]) -> Contact | None: ...
    @overload
    async def set(self, contact_id: str, *, tags: Iterable[str], view: type[C]) -> C | None: ...
    async def set(self, contact_id: str, *, tags: Iterable[str], view: type[Contact] = Contact) -> Any:
        """Replace all tags of a contact: those that are not given are taken from it.

        `PUT /api/v1/contacts/{contact_id}/tags`

        Args:
            contact_id: The contact.
            tags: The names of the tags it shall have, each once; none takes all away.
            view: A class with typed fields to read the contact as, as in `contacts.list`.

        Returns:
            The contact as the vendor's present description says, None where it answers as its old
            one did, with nothing.

        Raises:
            DraftRefused: `tags` is one text, or a tag is empty or no text.
            NotFound: No contact has this id.
        """
        answer = await self._call(SET, body={"tags": texts("tag", tags)}, contact_id=contact_id)
        return self._executor.reader(view)(answer.raw) if answer.id else None
