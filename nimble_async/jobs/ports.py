"""What a job needs of the client: pages and rows as bytes. The executor satisfies it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from msgspec import Raw

from nimble_async._sansio.codec import RawPage
from nimble_async._sansio.message import Response
from nimble_async._sansio.operation import Operation
from nimble_async._sansio.paging import Cursor

__all__ = ["PageAnswer", "Source"]


class PageAnswer(Protocol):
    """One page as it came, and the response around it."""

    @property
    def page(self) -> RawPage:
        """The rows as bytes, and what the answer says about itself."""
        ...

    @property
    def response(self) -> Response:
        """The status, the headers and the body."""
        ...


class Source(Protocol):
    """Where a job reads from; errors are those of a call, after its repeats."""

    async def page(
        self,
        operation: Operation[Any],
        *,
        cursor: Cursor,
        ids: Mapping[str, str] = ...,
        query: Mapping[str, Any] = ...,
    ) -> PageAnswer:
        """Read the page that `cursor` asks for."""
        ...

    async def rows(
        self, operation: Operation[Any], *, ids: Mapping[str, str] = ..., query: Mapping[str, Any] = ...
    ) -> list[Raw]:
        """Read a list without pages."""
        ...
