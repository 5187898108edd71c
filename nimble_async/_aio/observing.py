"""The status and headers behind a typed call, for whoever asks for them.

Rule: the list to write into travels in the context of the call, so that calls side by side do not
see each other's answers, and a call that nobody observes costs one look.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from contextvars import ContextVar
from typing import Generic, TypeVar

from msgspec import Struct

__all__ = ["AnswerHead", "Observed", "note", "observe"]

T = TypeVar("T")


class AnswerHead(Struct, frozen=True):
    """What an answer says before its body."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""


class Observed(Struct, Generic[T], frozen=True):
    """What a call returned, and the answers it was made of, in the order they came."""

    value: T
    answers: tuple[AnswerHead, ...]
    """One for most calls; more where one method makes several calls; none where it makes none."""

    @property
    def last(self) -> AnswerHead:
        """The last answer.

        Raises:
            LookupError: The method had nothing to ask, so it made no call.
        """
        if not self.answers:
            raise LookupError("No call was made, so there is no answer.")
        return self.answers[-1]

    @property
    def status(self) -> int:
        """The status of the last answer."""
        return self.last.status

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the last answer, names in lower case."""
        return self.last.headers


_heads: ContextVar[list[AnswerHead] | None] = ContextVar("nimble_async_answer_heads", default=None)


async def observe(call: Awaitable[T]) -> Observed[T]:
    """Await a call and return its value together with the heads of its answers.

    What the call raises is raised; a `ResponseError` carries its own status and headers.
    """
    outer = _heads.get()
    heads: list[AnswerHead] = []
    token = _heads.set(heads)
    try:
        value = await call
    finally:
        _heads.reset(token)
        if outer is not None:
            outer.extend(heads)
    return Observed(value, tuple(heads))


def note(status: int, headers: Mapping[str, str]) -> None:
    """Keep the head of an answer where somebody observes this call."""
    heads = _heads.get()
    if heads is not None:
        heads.append(AnswerHead(status, headers))
