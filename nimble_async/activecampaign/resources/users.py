"""Who the key belongs to."""

from __future__ import annotations

from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import Shape, get
from nimble_async.activecampaign.models.users import User

__all__ = ["ME", "Users"]

ME = get(
    "users.me", "/api/3/users/me", returns=User, shape=Shape.MEMBER, items="user",
    summary="The user whom the key belongs to.",
)  # fmt: skip


class Users(Resource):
    """Users of the account."""

    async def me(self) -> User:
        """Return the user whom the key belongs to: the cheapest check of a key (`GET /users/me`).

        Raises:
            Forbidden: The key is wrong: this vendor answers 403, hardly ever 401.
        """
        return await self._call(ME)
