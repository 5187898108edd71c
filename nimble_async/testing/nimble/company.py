"""company.*: everybody of the account."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from nimble_async.testing.call import Answer, Call, Handler, json_answer
from nimble_async.testing.nimble.standing import USERS

__all__ = ["HANDLERS", "users"]


def users(call: Call) -> Answer:
    """Answer every user, those who were switched off included; ids are not shown."""
    del call
    shown = [{name: user[name] for name in ("avatar_url", "is_active", "name", "email")} for user in USERS]
    return json_answer({"users": shown}, lasting=True)


HANDLERS: Mapping[str, Handler] = MappingProxyType({"company.users": users})
