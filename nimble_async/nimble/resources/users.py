"""Who the key or token belongs to."""

from __future__ import annotations

from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import get
from nimble_async.nimble.models.users import Myself

__all__ = ["ME", "Users"]

ME = get("users.me", "/api/v1/myself", returns=Myself, summary="The user whom the key or token belongs to.")


class Users(Resource):
    """Users of the account."""

    async def me(self) -> Myself:
        """Return the user whom the key or token belongs to.

        `GET /api/v1/myself`

        Raises:
            Unauthorized: The key or token is refused.
        """
        return await self._call(ME)
