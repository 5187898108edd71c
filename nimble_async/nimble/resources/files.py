"""The upload to the vendor's cloud: facts on top, methods below."""

from __future__ import annotations

from msgspec import UNSET

from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import post
from nimble_async.nimble.models.deal_files import UploadedFile

__all__ = ["AZURE_UPLOAD", "Files"]

AZURE_UPLOAD = post(
    "files.azure_upload", "/api/files/azure/upload", returns=UploadedFile, verified=False,
    summary="Upload a file to the vendor's cloud; only its path is documented.",
)  # fmt: skip


class Files(Resource):
    """Uploads, which `deal_files.create` refers to."""

    async def azure_upload(self, *, body: object = UNSET) -> UploadedFile:
        """Call the upload, of which the vendor documents the path alone. Never repeated automatically.

        The verb, the body and the answer are guesses: the vendor's own pages upload with Azure's
        JavaScript library.

        `POST /api/files/azure/upload`

        Args:
            body: Anything msgspec can write as JSON, or bytes of JSON.

        Raises:
            ResponseError: The guess is wrong.
            MalformedResponse: The answer is no JSON object.
        """
        return await self._call(AZURE_UPLOAD, body=body)
