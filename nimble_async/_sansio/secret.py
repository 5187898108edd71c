"""A string that must not be seen.

Rule: one way in, one way out (`reveal`). Whatever prints, formats, logs, serialises or
pickles by habit gets `***` or a refusal.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any, NoReturn

__all__ = ["Secret"]


class Secret:
    """A text that shows as `***` everywhere and comes out by `reveal()` only."""

    # The text is a free variable of this function: tools that list members show a function.
    __slots__ = ("__read",)

    def __init__(self, text: str) -> None:
        self.__read: Callable[[], str] = lambda: text

    def reveal(self) -> str:
        """Return the text. Call it where the bytes for the wire or the store are made, and keep no copy."""
        return self.__read()

    def __repr__(self) -> str:
        """Show nothing."""
        return "***"

    def __format__(self, spec: str) -> str:
        """Show nothing, not even the length."""
        return "***"

    def __eq__(self, other: object) -> bool:
        """Compare without telling by the time taken where two secrets differ."""
        if not isinstance(other, Secret):
            return NotImplemented
        # What cannot be encoded would be quoted by the error.
        mine, theirs = (one.reveal().encode(errors="surrogatepass") for one in (self, other))
        return hmac.compare_digest(mine, theirs)

    def __hash__(self) -> int:
        """Agree with `==`."""
        return hash(self.__read())

    def __copy__(self) -> Secret:
        """Return itself: it never changes."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        """Return itself: it never changes."""
        return self

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        """Refuse to be pickled.

        Raises:
            TypeError: Always.
        """
        raise TypeError("A secret cannot be pickled; a token store keeps it.")
