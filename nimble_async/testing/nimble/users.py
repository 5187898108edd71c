"""users.*: whose account this is."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from nimble_async.testing.call import Answer, Call, Handler, json_answer
from nimble_async.testing.nimble.standing import COMPANY_ID, OWNER, USERS

__all__ = ["HANDLERS", "me"]


def me(call: Call) -> Answer:
    """Answer who the credentials belong to."""
    del call
    who = {"user_id": OWNER["user_id"], "name": OWNER["name"], "email": OWNER["email"]}
    return json_answer({**who, "company_id": COMPANY_ID, "company_size": len(USERS)}, lasting=True)


HANDLERS: Mapping[str, Handler] = MappingProxyType({"users.me": me})
