"""`whoami`: whom the key or token belongs to, and which saved login it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from cyclopts import Parameter
from msgspec import UNSET

from nimble_async.cli.exits import Exit
from nimble_async.cli.render import data, table
from nimble_async.cli.settings import Settings, open_client

if TYPE_CHECKING:
    from nimble_async.cli.vendors import Client

__all__ = ["facts_of", "show", "token_facts", "whoami"]


async def whoami(*, settings: Annotated[Settings, Parameter(parse=False)]) -> int:
    """Show whom the key or token belongs to, where it came from, and how old the token is.

    `login --list` shows every saved login, without asking the vendor.
    """
    async with open_client(settings) as client:
        found = await facts_of(client, settings)
    if settings.login.value != "key":
        found |= await token_facts(settings)
    show(found, settings)
    return Exit.DONE


async def facts_of(client: Client, settings: Settings) -> dict[str, Any]:
    """Ask the vendor whose credentials these are; return that beside where they came from."""
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
    return {name: value for name, value in facts.items() if value is not UNSET}


async def token_facts(settings: Settings) -> dict[str, Any]:
    """Return the kind of a saved login, and for a token its age and life in seconds."""
    from nimble_async._aio.clock import SystemClock
    from nimble_async.stores.profiles import ProfileStore

    facts = settings.facts
    if facts is None:
        return {}
    found = {"profile": settings.place.name, "kind": _KINDS[facts.kind], "kept": facts.kept}
    if facts.kind == "oauth":
        record = await ProfileStore(settings.place, client_id=facts.client_id).load()
        if record is not None:
            age = max(0.0, SystemClock().wall() - record.obtained_wall)
            return {**found, "token_age": round(age), "token_life": round(record.expires_in)}
    return found


_KINDS = {"key": "API key", "oauth": "browser sign-in"}


def show(facts: dict[str, Any], settings: Settings) -> None:
    """Write facts to stdout, as JSON or one a line."""
    if settings.output in {"json", "jsonl"}:
        data([msgspec.json.encode(facts)])
    else:
        lines = table([{"fact": name.replace("_", " "), "value": value} for name, value in facts.items()])
        data(line.encode() for line in lines[1:])
