"""Tags of deals: facts on top, methods below.

The vendor writes `/api/2/` where it speaks of one tag, and `/api/v2/` everywhere else, which may be a
slip: where the first path is not known, the second is tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from nimble_async._aio.paginator import Paginator
from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import Operation, Paging, Shape, delete, get, post, put
from nimble_async.errors import NotFound, QueryRefused
from nimble_async.nimble.models.deal_notes import DealTag, TagAssignment
from nimble_async.nimble.models.limits import given, texts
from nimble_async.nimble.resources.arguments import check_paging, search_text

__all__ = ["ASSIGN", "DELETE", "LIST", "RENAME", "DealTags"]

LIST = get(
    "deal_tags.list", "/api/v2/deals/tags", returns=DealTag, shape=Shape.PAGE, items="tags",
    paging=Paging.LIMIT, summary="The tags that deals carry.",
)  # fmt: skip
ASSIGN = post(
    "deal_tags.assign", "/api/v2/deals/tags", returns=TagAssignment,
    summary="Start a job that tags every deal a search finds.",
)  # fmt: skip
RENAME = put(
    "deal_tags.rename", "/api/2/deals/tags/{tag_name}", returns=type(None), shape=Shape.EMPTY,
    summary="Rename a tag of deals everywhere.",
)  # fmt: skip
DELETE = delete(
    "deal_tags.delete", "/api/2/deals/tags/{tag_name}", returns=type(None),
    summary="Take a tag from all deals.",
)  # fmt: skip


class DealTags(Resource):
    """Tags of deals."""

    def list(
        self, *, starts_with: str | None = None, limit: int | None = None, start: str | None = None
    ) -> Paginator[DealTag]:
        """List tags of deals, in one page; nothing is sent until the list is awaited or iterated.

        `GET /api/v2/deals/tags`

        Args:
            starts_with: Only tags whose names begin so.
            limit: Tags to send, at most.
            start: A checkpoint of the same list, to go on where it was taken.

        Raises:
            QueryRefused: `limit` is below 1.
            CheckpointRefused: `start` belongs to another list.
        """
        check_paging(size=limit)
        return self._paginate(LIST, query={"starts_with": starts_with}, size=limit, start=start)

    async def assign(
        self,
        *,
        tags: Iterable[str],
        query: Mapping[str, Any] | str,
        preflight_checks: bool | UnsetType = UNSET,
    ) -> TagAssignment:
        """Start a job that tags every deal a search finds; never repeated automatically.

        The answer says how far the job was when it answered; no documented route asks again.

        `POST /api/v2/deals/tags`

        Args:
            tags: The names of the tags.
            query: A search for deals, as an object or as its JSON text.
            preflight_checks: Whether the vendor checks first that all of the deals may be edited.

        Raises:
            ActionRefused: The check found deals that this account may not edit.
            QueryRefused: The vendor would refuse the search, or `tags` is empty or one text.
        """
        names = texts("tag", tags, refused=QueryRefused)
        if not names:
            raise QueryRefused("Give one tag at least.")
        search = msgspec.Raw((search_text(query) or "{}").encode())
        body = given(tags=names, query=search, preflight_checks=preflight_checks)
        return await self._call(ASSIGN, body=body)

    async def rename(self, tag_name: str, *, new_tag: str) -> None:
        """Rename a tag on every deal.

        `PUT /api/2/deals/tags/{tag_name}`

        Args:
            tag_name: The tag as it is called now.
            new_tag: Its new name.

        Raises:
            ActionRefused: There is a tag of the new name.
            NotFound: There is no tag of the old name.
        """
        await self._one(RENAME, tag_name, {"new_tag": new_tag})

    async def delete(self, tag_name: str, *, preflight_checks: bool | UnsetType = UNSET) -> None:
        """Take a tag from every deal.

        `DELETE /api/2/deals/tags/{tag_name}`

        Args:
            tag_name: The tag.
            preflight_checks: Whether the vendor checks first that all of the deals may be edited.

        Raises:
            ActionRefused: The check found deals that this account may not edit.
        """
        await self._one(DELETE, tag_name, given(preflight_checks=preflight_checks))

    async def _one(self, operation: Operation[None], tag_name: str, body: Mapping[str, Any]) -> None:
        """Make a call about one tag, under the path as it is documented, else under its siblings'."""
        try:
            await self._call(operation, body=body, tag_name=tag_name)
        except NotFound:
            usual = replace(operation, path=operation.path.replace("/api/2/", "/api/v2/"))
            await self._call(usual, body=body, tag_name=tag_name)
