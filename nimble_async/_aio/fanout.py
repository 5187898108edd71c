"""Run calls side by side, bounded, and give their results in order.

Rule: every task ends before `fanout` does, however it ends; the first error is raised as it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, TypeVar

__all__ = ["end_tasks", "fanout"]

T = TypeVar("T")


async def fanout(calls: Sequence[Callable[[], Awaitable[T]]], *, at_once: int) -> list[T]:
    """Return the results of `calls`, in their order, at most `at_once` of them running."""
    results: dict[int, T] = {}
    waiting = iter(enumerate(calls))
    workers = [asyncio.create_task(_work(waiting, results)) for _ in range(min(at_once, len(calls)))]
    try:
        for worker in asyncio.as_completed(workers):
            await worker
    finally:
        await end_tasks(workers)
    return [results[index] for index in range(len(calls))]


async def _work(waiting: Iterator[tuple[int, Callable[[], Awaitable[T]]]], results: dict[int, T]) -> None:
    for index, call in waiting:
        results[index] = await call()


async def end_tasks(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel what still runs and wait until all have ended, even if cancelled; what they raise is dropped."""
    cancelled: asyncio.CancelledError | None = None
    for task in tasks:
        task.cancel()
    while not all(task.done() for task in tasks):
        try:
            await asyncio.wait(tasks)
        except asyncio.CancelledError as error:
            cancelled = error
    for task in tasks:
        if not task.cancelled():
            task.exception()
    if cancelled is not None:
        raise cancelled
