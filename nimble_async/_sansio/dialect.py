"""A dialect: how one vendor spells what all vendors have.

Rule: values and pure functions only. The shell asks the dialect; no vendor's name stands in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal

from msgspec import Struct

from nimble_async.errors import ResponseError

__all__ = ["Dialect", "Failure"]


class Failure(Struct, frozen=True, kw_only=True):
    """An answer that is no success, taken apart as far as every vendor's answers can be."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    data: Any = None
    """The body as JSON; None where it is none."""
    text: str = ""
    """The start of a body that is no JSON, in one line."""
    kind: str = ""
    """What the call was about (`contact`), by the operation."""
    ids: Mapping[str, str] = MappingProxyType({})
    """The ids in the call's path, in its order, by their kinds."""
    sends: bool = False
    """Whether the call sent values, which may name records too."""
    retry_after: float | None = None
    """Seconds the vendor asks to wait; None where it does not say."""

    @property
    def id(self) -> str:
        """The only id in the call's path; empty where there is none, or where there are several."""
        return next(iter(self.ids.values())) if len(self.ids) == 1 else ""

    def common(self) -> dict[str, Any]:
        """Return the arguments that every `ResponseError` takes."""
        return {"status": self.status, "headers": self.headers, "body": self.body}

    def member(self, name: str) -> Any:
        """Return a member of the body where that is an object, else None."""
        return self.data.get(name) if isinstance(self.data, dict) else None


def _as_they_are(headers: Mapping[str, str]) -> Mapping[str, str]:
    return headers


class Dialect(Struct, frozen=True, kw_only=True):
    """One vendor's spelling. Paths begin with a slash and stand below the base URL."""

    name: str
    base_url: str
    agent: str
    """How this library names itself to the vendor (User-Agent)."""
    read_failure: Callable[[Failure], ResponseError | None]
    """Reads the vendor's own error shapes; None leaves an answer to the general table."""
    key_header: str = "Authorization"
    key_prefix: str = "Bearer "
    """What stands before the key or token in that header."""
    yes: str = "true"
    no: str = "false"
    budget: Literal["account", "credential"] = "credential"
    """What the vendor's rate limit counts by."""
    announcement: Callable[[Mapping[str, str]], Mapping[str, str]] = _as_they_are
    """Returns the headers of an answer with what is known of an announced limit and not said in them."""
    authorize_path: str = ""
    """The consent page of OAuth 2.0; empty where the vendor has none."""
    token_path: str = ""

    def flag(self, value: bool) -> str:  # noqa: FBT001 (the value is the argument)
        """Return a boolean as it stands in a query."""
        return self.yes if value else self.no

    def user_agent(self, prefix: str | None) -> str:
        """Return the User-Agent, with the caller's own name first."""
        return f"{prefix} {self.agent}" if prefix else self.agent
