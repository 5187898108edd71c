"""What every resource of a vendor is built on: calls, rows, pages, over one executor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from msgspec import UNSET

from nimble_async._aio.executor import Executor
from nimble_async._aio.fanout import fanout
from nimble_async._aio.paginator import Paginator, listing
from nimble_async._sansio.operation import Operation

__all__ = ["Resource"]

T = TypeVar("T")
_NOTHING: Mapping[str, Any] = {}


class Resource:
    """A group of operations. It holds the executor, never the client."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def _call(
        self,
        operation: Operation[T],
        *,
        query: Mapping[str, Any] = _NOTHING,
        body: object = UNSET,
        **ids: str,
    ) -> T:
        """Make a call whose answer is one value."""
        return await self._executor.call(operation, ids=ids, query=query, body=body)

    async def _rows(
        self,
        operation: Operation[T],
        *,
        query: Mapping[str, Any] = _NOTHING,
        body: object = UNSET,
        **ids: str,
    ) -> list[T]:
        """Make a call whose answer is a list without pages; rows without a usable id are left out."""
        whole = await self._executor.whole(operation, ids=ids, query=query, body=body)
        records = self._executor.records(operation.returns, whole.rows, whole.beside)
        return [record for record in records if record is not None]

    def _paginate(
        self,
        operation: Operation[T],
        *,
        query: Mapping[str, Any] = _NOTHING,
        size: int | None = 100,
        page: int | None = None,
        offset: int | None = None,
        start: str | None = None,
        **ids: str,
    ) -> Paginator[T]:
        """Describe a walk; nothing is sent. What is None in the query is not part of it."""
        wanted = {name: value for name, value in query.items() if value is not None}
        walk = listing(operation, ids=ids, query=wanted, size=size, page=page, offset=offset, start=start)
        return Paginator(self._executor, walk)

    async def _gather(self, calls: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
        """Make calls side by side, as many at once as the client allows; results in order."""
        return await fanout(calls, at_once=self._executor.core.config.concurrency)
