"""Nimble as the simulator plays it: its table, its handlers, and the keys and tokens it lets in."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nimble_async.nimble.catalog import OPERATIONS
from nimble_async.testing.call import Answer, json_answer
from nimble_async.testing.nimble.handlers import HANDLERS
from nimble_async.testing.vendor import Vendor

__all__ = ["NIMBLE"]


def _door(
    headers: Mapping[str, str], query: Mapping[str, list[str]], valid: Callable[..., bool]
) -> Answer | None:
    """Let Nimble's keys and tokens in; refuse everybody else with 401."""
    scheme, _, word = headers.get("authorization", headers.get("x-nimble-token", "")).rpartition(" ")
    if word and scheme.lower() in {"bearer", ""} and valid(word):
        return None
    # An older document allows OAuth tokens, though no keys, in the query.
    if valid(query.get("access_token", [""])[-1], key_allowed=False):
        return None
    body = {"error": "invalid_token", "error_description": "Access token is invalid or expired"}
    answer = json_answer(body, 401)
    return Answer(401, answer.body, {**answer.headers, "www-authenticate": 'Bearer error="invalid_token"'})


NIMBLE = Vendor(crm="nimble", operations=OPERATIONS, handlers=HANDLERS, door=_door)
