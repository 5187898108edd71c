"""Which operation a request means: the operation table, read as routes.

Rule: a segment spelled out wins over an id. Paths of the vendor's older documents stand beside
the table, and answer as the operation they became; anything else is no route.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

from nimble_async._sansio.operation import Operation

__all__ = ["Routes"]

_OLDER_PATHS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("GET", "/api/v1/contacts/list"): "contacts.list",
        ("GET", "/api/v1/contacts/"): "contacts.list",
        ("GET", "/api/v1/contacts/ids/"): "contacts.list_ids",
        ("DELETE", "/api/v1/contacts/list"): "contacts.delete_bulk",
        ("POST", "/api/v1/activities/task"): "tasks.create",
        ("GET", "/api/v1/contact/{contact_id}/notes"): "contact_notes.list",
        ("DELETE", "/api/v1/contacts/tabs/{tab_id}"): "contact_field_tabs.delete",
        # The present document spells these with /api/2, which a public client does not believe.
        ("PUT", "/api/v2/deals/tags/{tag_name}"): "deal_tags.rename",
        ("DELETE", "/api/v2/deals/tags/{tag_name}"): "deal_tags.delete",
        ("POST", "/oauth/token"): "oauth.token",
    }
)
_OUTSIDE: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("GET", "/oauth/authorize"): "oauth.authorize",
        ("POST", "/oauth/authorize"): "oauth.authorize",
        ("POST", "/api/oauth/token"): "oauth.token",
    }
)


class Routes:
    """The paths of a table of operations."""

    def __init__(self, operations: Mapping[str, Operation[Any]], *, oauth: bool = True) -> None:
        self._exact: dict[tuple[str, str], str] = {}
        self._patterns: list[tuple[str, list[str], str]] = []
        table = {(operation.method, operation.path): name for name, operation in operations.items()}
        outside = {**_OUTSIDE, **_OLDER_PATHS} if oauth else {}
        for (method, path), name in {**outside, **table}.items():
            if "{" in path:
                self._patterns.append((method, path.split("/"), name))
            else:
                self._exact[method, path] = name
        # More segments spelled out come first: contacts/notes/{id} before contacts/{id}/{tag}.
        self._patterns.sort(key=lambda pattern: [segment.startswith("{") for segment in pattern[1]])

    def find(self, method: str, path: str) -> tuple[str, dict[str, str]] | None:
        """Return the operation's name and the ids of the path; `path` is still percent-encoded."""
        name = self._exact.get((method, path))
        if name is not None:
            return name, {}
        segments = path.split("/")
        for wanted, pattern, found in self._patterns:
            ids = _match(pattern, segments) if wanted == method else None
            if ids is not None:
                return found, ids
        return None

    def methods(self, path: str) -> list[str]:
        """Return the methods that this path knows."""
        known = ("GET", "POST", "PUT", "PATCH", "DELETE")
        return [method for method in known if self.find(method, path) is not None]


def _match(pattern: list[str], segments: list[str]) -> dict[str, str] | None:
    if len(pattern) != len(segments):
        return None
    ids: dict[str, str] = {}
    for wanted, segment in zip(pattern, segments, strict=True):
        if wanted.startswith("{") and segment:
            ids[wanted[1:-1]] = unquote(segment)
        elif wanted != segment:
            return None
    return ids
