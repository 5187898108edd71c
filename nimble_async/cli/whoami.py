"""`whoami`: whom the key or token belongs to."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from cyclopts import Parameter
from msgspec import UNSET

from nimble_async.cli.exits import Exit
from nimble_async.cli.render import data, table
from nimble_async.cli.settings import Settings, open_client

__all__ = ["whoami"]


async def whoami(*, settings: Annotated[Settings, Parameter(parse=False)]) -> int:
    """Show whom the key or token belongs to, and where it came from."""
    async with open_client(settings) as client:
        me = await client.users.me()
    facts: dict[str, Any] = {
        "crm": settings.crm,
        "base_url": settings.address.value,
        "credentials": f"{settings.login.value} ({settings.login.source})",
        "user_id": me.id,
        "name": me.name,
        "email": me.email,
        "company_id": getattr(me, "company_id", UNSET),
    }
    facts = {name: value for name, value in facts.items() if value is not UNSET}
    if settings.output in {"json", "jsonl"}:
        data([msgspec.json.encode(facts)])
    else:
        lines = table([{"fact": name.replace("_", " "), "value": value} for name, value in facts.items()])
        data(line.encode() for line in lines[1:])
    return Exit.DONE
