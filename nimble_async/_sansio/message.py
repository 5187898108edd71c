"""One request and one response, as values.

Rule: header names are lower case in here, bodies are whole and already inflated.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NoReturn

from msgspec import Struct

from nimble_async._sansio.secret import Secret

__all__ = ["Request", "Response", "without_echo"]

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_SHORTEST_SECRET = 8
"""Letters of what is looked for in an answer: less would be found by chance."""


class Request(Struct, frozen=True, kw_only=True):
    """What goes over the wire. `url` is absolute and already encoded."""

    method: str
    url: str
    headers: Mapping[str, str] = _NO_HEADERS
    body: bytes | None = None

    def __repr__(self) -> str:
        """Show where it goes; headers, query and body may hold what no log should."""
        return f"<Request {self.method} {self.url.partition('?')[0]}>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show as much to pretty printers, which would list every member."""
        return [("method", self.method), ("url", self.url.partition("?")[0])]

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled: its headers say who we are.

        Raises:
            TypeError: Always.
        """
        raise TypeError("A request cannot be pickled, since it holds secrets.")


class Response(Struct, frozen=True, kw_only=True):
    """What came back: the status, the headers (names in lower case), the inflated body."""

    status: int
    headers: Mapping[str, str] = _NO_HEADERS
    body: bytes = b""

    def __repr__(self) -> str:
        """Show no header and no body: a body may hold tokens."""
        return f"<Response {self.status}, body of {len(self.body)} bytes>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show as much to pretty printers, which would list every member."""
        return [("status", self.status)]

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled: its body may hold tokens.

        Raises:
            TypeError: Always.
        """
        raise TypeError("An answer cannot be pickled, since it may hold secrets.")

    def header(self, name: str) -> str | None:
        """Return a header by its lower-case name, or None."""
        return self.headers.get(name)


def without_echo(response: Response, proof: Secret) -> Response:
    """Return an answer with `***` where it repeats the proof that was sent: errors show what it says."""
    sent = proof.reveal().rpartition(" ")[2]  # a scheme may stand before it
    forms = {sent, sent.replace("/", r"\/")}  # so some servers write a slash in JSON
    told = any(form in value for form in forms for value in response.headers.values())
    if len(sent) < _SHORTEST_SECRET or not (told or any(form.encode() in response.body for form in forms)):
        return response
    headers, body = dict(response.headers), response.body
    for form in forms:
        headers = {name: value.replace(form, "***") for name, value in headers.items()}
        body = body.replace(form.encode(), b"***")
    return Response(status=response.status, headers=headers, body=body)
