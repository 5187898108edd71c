"""Draft messages: facts on top, methods below. Their pages are counted from 0."""

from __future__ import annotations

from collections.abc import Iterable

from nimble_async._aio.paginator import Paginator
from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import Paging, Shape, get, post
from nimble_async.errors import QueryRefused
from nimble_async.nimble.models.messages import DraftMessage, MessageDraft
from nimble_async.nimble.resources.arguments import check_paging, distinct

__all__ = ["CREATE", "LIST", "MessageDrafts"]

LIST = get(
    "message_drafts.list", "/api/v1/messages/drafts", returns=DraftMessage, shape=Shape.PAGE,
    items="drafts", paging=Paging.NUMBER_FROM_ZERO, summary="Draft messages; pages are counted from 0.",
)  # fmt: skip
CREATE = post(
    "message_drafts.create", "/api/v1/messages/drafts", returns=DraftMessage, summary="Save a draft message."
)


class MessageDrafts(Resource):
    """Draft messages."""

    def list(
        self,
        *,
        recipients: Iterable[str] | None = None,
        sender: str | None = None,
        per_page: int = 100,
        page: int | None = None,
        start: str | None = None,
    ) -> Paginator[DraftMessage]:
        """List draft messages; nothing is sent until the list is awaited or iterated.

        `GET /api/v1/messages/drafts`

        Args:
            recipients: Only messages to these addresses.
            sender: Only messages of this account.
            per_page: Messages a page.
            page: The page to begin with, counted from 0 here as nowhere else.
            start: A checkpoint of the same list, to go on where it was taken.

        Raises:
            QueryRefused: The vendor would refuse these arguments.
            CheckpointRefused: `start` belongs to another list.
        """
        check_paging(size=per_page)
        if page is not None and page < 0:
            raise QueryRefused(f"Pages of draft messages are counted from 0, so there is no page {page}.")
        wanted = None if recipients is None else ",".join(distinct(recipients)) or None
        query = {"recipients": wanted, "sender": sender}
        return self._paginate(LIST, query=query, size=per_page, page=page, start=start)

    async def create(self, draft: MessageDraft) -> DraftMessage:
        """Save a draft message; nothing is sent to anybody. Never repeated automatically.

        `POST /api/v1/messages/drafts`

        Args:
            draft: What it shall be; no member is needed.

        Raises:
            InvalidInput: The vendor refuses these values.
        """
        return await self._call(CREATE, body=draft)
