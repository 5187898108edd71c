"""Roles in deals: facts on top, methods below."""

from __future__ import annotations

from nimble_async._aio.paginator import Paginator
from nimble_async._aio.resource import Resource
from nimble_async._sansio import operation as op
from nimble_async._sansio.operation import Paging, Shape
from nimble_async.activecampaign.models.roles import Role
from nimble_async.activecampaign.resources.arguments import check_limit, check_text

__all__ = ["CREATE", "DELETE", "LIST", "Roles"]

LIST = op.get(
    "roles.list", "/api/3/dealRoles", returns=Role, shape=Shape.PAGE, items="dealRoles", paging=Paging.OFFSET,
    unordered=True, summary="Roles in deals.",
)  # fmt: skip
CREATE = op.post(
    "roles.create", "/api/3/dealRoles", returns=Role, shape=Shape.MEMBER, items="dealRole",
    summary="Make a role.",
)  # fmt: skip
DELETE = op.delete("roles.delete", "/api/3/dealRoles/{role_id}", returns=type(None), summary="Delete a role.")


class Roles(Resource):
    """Roles that secondary contacts have in deals; the vendor's dealRoles."""

    def list(
        self,
        *,
        search: str | None = None,
        limit: int = 100,
        offset: int | None = None,
        start: str | None = None,
    ) -> Paginator[Role]:
        """List roles (`GET /dealRoles`), all or those whose title matches `search`, as `deals.list` does.

        Raises:
            QueryRefused: The limit is not in 1 to 100, or `search` is empty.
            CheckpointRefused: `start` belongs to another list.
        """
        query = {"search": None if search is None else check_text("search", search)}
        return self._paginate(LIST, query=query, size=check_limit(limit), offset=offset, start=start)

    async def create(self, title: str) -> Role:
        """Make a role (`POST /dealRoles`); its body is the only one here without an envelope.

        Raises:
            InvalidInput: The vendor refuses the title.
        """
        return await self._call(CREATE, body={"title": title})

    async def delete(self, role_id: str) -> None:
        """Delete a role (`DELETE /dealRoles/{id}`).

        Raises:
            NotFound: No role has this id.
        """
        await self._call(DELETE, role_id=role_id)
