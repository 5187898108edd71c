"""Keep what a traceback shows of secrets to nothing, also where it shows the variables of each frame.

Rule: where a secret is plain, because it is on its way to the wire, a file or a server, the frames
of that way are taken out of whatever is raised there. Kind, message and cause stay; an error that
nobody expected says in a note where it happened.
"""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

from nimble_async.errors import CrmError

__all__ = ["frameless", "without_frames"]

P = ParamSpec("P")
T = TypeVar("T")
E = TypeVar("E", bound=BaseException)
_FRAMES_TOLD = 8


def without_frames(error: E, handled: BaseException | None) -> E:
    """Return the error after its frames, and those of all that led to it, are dropped.

    What the caller was handling already (`sys.exception()` before) did not happen here, and keeps its own.
    """
    if isinstance(error, Exception) and not isinstance(error, CrmError):
        frames = traceback.extract_tb(error.__traceback__)[-_FRAMES_TOLD:]
        way = ", ".join(f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in frames)
        error.add_note(f"Its frames are withheld, since their variables may hold secrets: {way}.")
    known: dict[int, BaseException] = {}
    if handled is not None and handled is not error:
        known[id(handled)] = handled
    rest: list[BaseException | None] = [error]
    while rest:
        one = rest.pop()
        if one is not None and id(one) not in known:
            known[id(one)] = one
            one.__traceback__ = None
            rest += [one.__cause__, one.__context__]
    return error


def frameless(function: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function, async or not, so that what it raises shows none of its frames and arguments."""
    if inspect.iscoroutinefunction(function):
        work = cast("Callable[..., Any]", function)

        @wraps(function)
        async def call_async(*args: Any, **named: Any) -> Any:
            handled = sys.exception()
            try:
                return await work(*args, **named)
            except BaseException as error:
                args, named = (), {}
                raise without_frames(error, handled)  # noqa: B904 (it is the same error)

        return cast("Callable[P, T]", call_async)

    @wraps(function)
    def call(*args: P.args, **named: P.kwargs) -> T:
        handled = sys.exception()
        try:
            return function(*args, **named)
        except BaseException as error:
            args, named = (), {}  # type: ignore[assignment]  # they may be secrets, and this frame is shown
            raise without_frames(error, handled)  # noqa: B904 (as above)

    return call
