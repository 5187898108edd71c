"""Tags of contacts: facts on top, methods below."""

from __future__ import annotations

from collections.abc import Iterable

from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import put
from nimble_async._sansio.record import read_record
from nimble_async.errors import DraftRefused
from nimble_async.nimble.models.contacts import Contact, TaggedContact

__all__ = ["SET", "ContactTags"]

SET = put(
    "contact_tags.set", "/api/v1/contacts/{contact_id}/tags", returns=TaggedContact, destructive=True,
    summary="Replace all tags of a contact.",
)  # fmt: skip


class ContactTags(Resource):
    """Tags of contacts."""

    async def set(self, contact_id: str, *, tags: Iterable[str]) -> Contact | None:
        """Replace all tags of a contact: those that are not given are taken from it.

        Args:
            contact_id: The contact.
            tags: The names of the tags it shall have, each once; none takes all away.

        Returns:
            The contact as the vendor's present description says, None where it answers as its old
            one did, with nothing.

        Raises:
            DraftRefused: `tags` is one text, or a tag is empty.
            NotFound: No contact has this id.
        """
        if isinstance(tags, str):
            raise DraftRefused(f"Give a list of tags, such as [{tags!r}], not one text.")
        names = tuple(dict.fromkeys(tags))
        if not all(name.strip() for name in names):
            raise DraftRefused("A tag is empty.")
        answer = await self._call(SET, body={"tags": names}, contact_id=contact_id)
        return read_record(Contact, answer.raw) if answer.id else None
