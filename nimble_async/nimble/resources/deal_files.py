"""Files of deals: facts on top, methods below."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import Shape, delete, get, post, put
from nimble_async.nimble.models.deal_files import AzureFile, DownloadUrl, ExternalFile
from nimble_async.nimble.models.limits import check_between, given

__all__ = ["CREATE", "DELETE", "DOWNLOAD_URL", "RENAME", "DealFiles"]

CREATE = post(
    "deal_files.create", "/api/v2/deals/{deal_id}/files", returns=type(None), shape=Shape.EMPTY,
    summary="Add an uploaded file, or a link to one elsewhere, to a deal.",
)  # fmt: skip
RENAME = put(
    "deal_files.rename", "/api/v2/deals/{deal_id}/files/{file_id}", returns=type(None), shape=Shape.EMPTY,
    summary="Rename an uploaded file of a deal.",
)  # fmt: skip
DELETE = delete(
    "deal_files.delete", "/api/v2/deals/{deal_id}/files/{file_id}", returns=type(None),
    summary="Take a file from a deal.",
)  # fmt: skip
DOWNLOAD_URL = get(
    "deal_files.download_url", "/api/v2/deals/{deal_id}/files/{file_id}/url", returns=DownloadUrl,
    summary="Where a file of a deal can be fetched.",
)  # fmt: skip


class DealFiles(Resource):
    """Files of deals. A deal's own `files` lists them."""

    async def create(
        self,
        deal_id: str,
        *,
        metadata: AzureFile | ExternalFile,
        file_name: str | UnsetType = UNSET,
        file_size: int | float | UnsetType = UNSET,
    ) -> None:
        """Add a file to a deal: an upload, or a link into another cloud. Never repeated automatically.

        `POST /api/v2/deals/{deal_id}/files`

        Args:
            deal_id: The deal.
            metadata: Where the content is.
            file_name: The name to show; a link has no other.
            file_size: In bytes.

        Raises:
            DraftRefused: The size is negative or no finite number.
            NotFound: No deal has this id, or this account may not see it.
        """
        check_between("file_size", file_size)
        body = given(metadata=metadata, file_name=file_name, file_size=file_size)
        await self._call(CREATE, body=body, deal_id=deal_id)

    async def rename(self, deal_id: str, file_id: str, *, new_file_name: str) -> None:
        """Rename a file; the vendor renames uploads only, no links.

        `PUT /api/v2/deals/{deal_id}/files/{file_id}`

        Args:
            deal_id: The deal.
            file_id: The file.
            new_file_name: Its new name.

        Raises:
            NotFound: No deal or file has this id.
        """
        await self._call(RENAME, body={"new_file_name": new_file_name}, deal_id=deal_id, file_id=file_id)

    async def delete(self, deal_id: str, file_id: str) -> None:
        """Take a file from a deal.

        `DELETE /api/v2/deals/{deal_id}/files/{file_id}`

        Args:
            deal_id: The deal.
            file_id: The file.

        Raises:
            NotFound: No deal or file has this id.
        """
        await self._call(DELETE, deal_id=deal_id, file_id=file_id)

    async def download_url(self, deal_id: str, file_id: str) -> DownloadUrl:
        """Return where a file can be fetched, by whoever has the address; nothing is fetched here.

        Fetch it without this client's key or token, which must not leave the vendor's own host.

        `GET /api/v2/deals/{deal_id}/files/{file_id}/url`

        Args:
            deal_id: The deal.
            file_id: The file.

        Raises:
            NotFound: No deal or file has this id.
        """
        return await self._call(DOWNLOAD_URL, deal_id=deal_id, file_id=file_id)
