"""The account itself: facts on top, methods below."""

from __future__ import annotations

from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import Shape, get
from nimble_async.nimble.models.users import CompanyUser

__all__ = ["USERS", "Company"]

USERS = get(
    "company.users", "/api/v1/company/users", returns=CompanyUser, shape=Shape.LIST, items="users",
    summary="Every user of the account, disabled ones included.",
)  # fmt: skip


class Company(Resource):
    """The account itself."""

    async def users(self) -> list[CompanyUser]:
        """Return every user of the account, disabled ones included.

        Only the vendor's old description has this route, and its sample shows no ids.

        `GET /api/v1/company/users`
        """
        return await self._rows(USERS)
