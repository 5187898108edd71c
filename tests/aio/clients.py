"""Clients for the tests of the shell: unpaced unless told, with short waits between attempts."""

from __future__ import annotations

import math
import secrets
from typing import Any

from nimble_async.config import ClientConfig, RateLimit, RetryPolicy
from nimble_async.nimble.client import NimbleClient

UNPACED = RateLimit(math.inf)
HASTY = RetryPolicy(first_wait=0.001, longest_wait=0.002)
KEY = "cAnArY-key-of-the-tests"


def client(base_url: str, **more: Any) -> NimbleClient:
    """Return a client of a server on loopback; `more` are arguments of the client or its configuration."""
    own = {"api_key", "credentials", "rate", "transport", "clock"}
    arguments: dict[str, Any] = {"rate": UNPACED}
    if "credentials" not in more:
        # Clients of one address and key share a budget, and a free port may have been another test's.
        arguments["api_key"] = f"{KEY}-{secrets.token_hex(4)}"
    arguments.update({name: value for name, value in more.items() if name in own})
    settings = {"retries": HASTY} | {name: value for name, value in more.items() if name not in own}
    return NimbleClient(base_url=base_url, config=ClientConfig(**settings), **arguments)
