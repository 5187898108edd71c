"""`doctor`: what is configured, reachable and allowed, and what to do about the rest.

Rule: it only looks. Secrets are never shown, nothing is written, nothing at the vendor changes.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Awaitable, Callable, Iterator
from email.utils import parsedate_to_datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from cyclopts import Parameter
from msgspec import Struct

from nimble_async._version import __version__
from nimble_async.cli.exits import Exit, advice, one_line
from nimble_async.cli.render import data, rows
from nimble_async.cli.settings import Settings, open_client
from nimble_async.config import ClientConfig, RetryPolicy, Timeouts
from nimble_async.errors import ConfigurationError, CrmError, ResponseError, TransportError

if TYPE_CHECKING:
    from nimble_async.cli.vendors import Client

__all__ = ["Check", "clock_check", "doctor", "extras_check", "file_checks", "settings_checks"]

_State = Literal["ok", "trouble", "unknown", "note"]
_MOST_SKEW = 30.0
_EXTRAS = {
    "parquet": "pyarrow", "duckdb": "duckdb", "postgres": "asyncpg", "pandas": "pandas", "polars": "polars",
    "redis": "redis", "keyring": "keyring", "speed": "zlib_ng", "mcp": "mcp", "otel": "opentelemetry",
    "dask": "distributed",
}  # fmt: skip
_CONFIG = ClientConfig(
    timeouts=Timeouts(connect=5, read=15, total=20), retries=RetryPolicy(attempts=2, longest_wait=2)
)


class Check(Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    check: str
    state: _State
    found: str
    do: str = ""
    """What to do about it; empty where nothing has to be done."""


async def doctor(*, settings: Annotated[Settings, Parameter(parse=False)]) -> int:
    """Check what is configured, reachable and allowed, and say what to do.

    Exits with 1 where something is in trouble. Secrets are never shown.
    """
    found = [*settings_checks(settings), *file_checks(settings), extras_check()]
    found += await _vendor_checks(settings)
    _show(found, settings)
    return Exit.FAILED if any(check.state == "trouble" for check in found) else Exit.DONE


def _show(found: list[Check], settings: Settings) -> None:
    plain = [{"check": c.check, "state": c.state, "found": c.found, "do": c.do} for c in found]
    if settings.output == "json":
        ok = all(check.state != "trouble" for check in found)
        data([msgspec.json.format(msgspec.json.encode({"ok": ok, "checks": plain}), indent=2)])
    elif settings.output == "jsonl":
        rows(plain, output="jsonl")
    else:
        data(line.encode() for line in _lines(found))


def _lines(found: list[Check]) -> Iterator[str]:
    width = max(len(check.check) for check in found)
    for check in found:
        yield f"{check.state:<8}{check.check:<{width}}  {one_line(check.found)}"
        if check.do:
            yield f"{'':<8}{'':<{width}}  -> {one_line(check.do)}"


def settings_checks(settings: Settings) -> list[Check]:
    """Say what is configured and where each setting came from."""
    python = ".".join(map(str, sys.version_info[:3]))
    found = [Check(check="version", state="note", found=f"nimble-async {__version__}, Python {python}")]
    address, login = settings.address, settings.login
    try:
        _check_address(settings)
        found.append(Check(check="address", state="ok", found=f"{address.value} ({address.source})"))
    except ConfigurationError as error:
        do, said = f"Correct {address.source}.", f"{error.message} ({address.source})"
        if not address.value:
            vendor, said = settings.vendor, "none"
            do = f"Set {vendor.address} to the API URL of the account ({vendor.key_place})."
        found.append(Check(check="address", state="trouble", found=said, do=do))
    if login.value == "none":
        found.append(Check(check="credentials", state="trouble", found="none", do=settings.ways_in))
    else:
        value = settings.vendor.key_name if login.value == "key" else login.value
        found.append(Check(check="credentials", state="ok", found=f"{value} ({login.source})"))
    also = {name: settings.environment.get(name) for name in ("NIMBLE_REDIRECT_URI", "NIMBLE_LOG")}
    return found + [Check(check=name, state="note", found=value) for name, value in also.items() if value]


def _check_address(settings: Settings) -> None:
    """Check the form of the address, as the client will.

    Raises:
        ConfigurationError: It cannot be used.
    """
    if settings.crm == "activecampaign":
        from nimble_async.activecampaign.address import account_address

        account_address(settings.address.value)
    else:
        from nimble_async._sansio.address import base_address

        base_address(settings.address.value)


def file_checks(settings: Settings) -> list[Check]:
    """Say who may read the token file, where a saved login is what would be used."""
    if not settings.login.value.startswith("profile "):
        return []
    path = settings.place.path
    try:
        facts = path.lstat()
    except FileNotFoundError:
        do = f"Sign in with this profile first, or set {settings.vendor.key}."
        return [Check(check="token file", state="trouble", found=f"{path} is not there", do=do)]
    except OSError as error:
        do = f"Let this user read {path.parent}."
        return [Check(check="token file", state="trouble", found=f"{path}: {error.strerror}", do=do)]
    return [_file_check(path, facts), _folder_check(path.parent)]


def _file_check(path: Path, facts: os.stat_result) -> Check:
    mode = stat.S_IMODE(facts.st_mode)
    shown = f"{path}, mode {mode:04o}"
    if not stat.S_ISREG(facts.st_mode):
        do = "Move it away and sign in again."
        return Check(check="token file", state="trouble", found=f"{path} is no plain file", do=do)
    if facts.st_uid != os.getuid():
        do = "Sign in again as this user, with another profile."
        return Check(check="token file", state="trouble", found=f"{shown}, belongs to another user", do=do)
    if mode & 0o077:
        return Check(
            check="token file", state="trouble", found=f"{shown}, others may read it", do=f"chmod 600 {path}"
        )
    if not os.access(path, os.R_OK | os.W_OK):
        found = f"{shown}, this user may not read and write it"
        return Check(check="token file", state="trouble", found=found, do=f"chmod 600 {path}")
    return Check(check="token file", state="ok", found=shown)


def _folder_check(folder: Path) -> Check:
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o022:
        do = f"chmod 700 {folder}"
        return Check(
            check="its folder", state="trouble", found=f"{folder}, mode {mode:04o}, others may write", do=do
        )
    return Check(check="its folder", state="ok", found=f"{folder}, mode {mode:04o}")


def extras_check() -> Check:
    """Say which optional parts are installed."""
    there = [extra for extra, package in _EXTRAS.items() if find_spec(package) is not None]
    return Check(check="extras", state="note", found=", ".join(["cli", *there]))


async def _vendor_checks(settings: Settings) -> list[Check]:
    """Ask the vendor who we are and what we may read; nothing is asked that cannot be answered."""
    try:
        client = open_client(settings, config=_CONFIG)
    except ConfigurationError:
        nothing = "not asked: the settings above come first"
        return [
            Check(check=name, state="unknown", found=nothing) for name in ("reachable", "clock", "allowed")
        ]
    async with client:
        found = await _reachable(client, settings.vendor.whoami)
        if any(check.state == "trouble" for check in found if check.check != "clock"):
            return found
        return found + [await _allowed(name, ask) for name, ask in _questions(client).items()]


def _questions(client: Client) -> dict[str, Callable[[], Awaitable[Any]]]:
    """Return the smallest question about each thing that a key may or may not read."""
    from nimble_async.nimble.client import NimbleClient

    if isinstance(client, NimbleClient):
        nimble = client
        return {
            "contacts": lambda: nimble.contacts.list(per_page=1),
            "deals": lambda: nimble.deals.list(sort="name:asc", limit=1),
        }
    other = client
    return {
        "deals": lambda: other.deals.list(limit=1),
        "pipelines": lambda: other.pipelines.list(limit=1),
    }


async def _reachable(client: Client, path: str) -> list[Check]:
    try:
        reply = await client.request("GET", path)
    except TransportError as error:
        return [Check(check="reachable", state="trouble", found=error.message, do=advice(error))]
    except ResponseError as error:
        clock = clock_check(error.headers.get("date"), _now())
        there = Check(check="reachable", state="ok", found=f"it answers ({error.status})")
        refused = Check(check="signed in", state="trouble", found=error.message, do=advice(error))
        return [there, refused, clock]
    except CrmError as error:
        return [Check(check="signed in", state="trouble", found=error.message, do=advice(error))]
    try:
        me = reply.decode(dict)
    except CrmError as error:
        return [Check(check="reachable", state="trouble", found=error.message, do=advice(error))]
    me = me["user"] if isinstance(me.get("user"), dict) else me
    who = me.get("email") or me.get("name") or me.get("user_id") or "somebody"
    return [
        Check(check="reachable", state="ok", found="it answers (200)"),
        Check(check="signed in", state="ok", found=f"as {who}"),
        clock_check(reply.headers.get("date"), _now()),
    ]


async def _allowed(name: str, ask: Callable[[], Awaitable[Any]]) -> Check:
    try:
        page = await ask()
    except CrmError as error:
        return Check(check=f"{name} allowed", state="trouble", found=error.message, do=advice(error))
    total = "an unknown number" if page.total is None else f"{page.total:,}"
    return Check(check=f"{name} allowed", state="ok", found=f"{total} in the account")


def clock_check(date: str | None, now: float) -> Check:
    """Compare the server's `Date` with this machine's clock (seconds since 1970)."""
    try:
        skew = now - parsedate_to_datetime(date or "").timestamp()
    except ValueError:
        return Check(check="clock", state="unknown", found="the answers carry no date")
    if abs(skew) <= _MOST_SKEW:
        return Check(check="clock", state="ok", found=f"within {_MOST_SKEW:.0f} s of the vendor's")
    way = "ahead of" if skew > 0 else "behind"
    return Check(
        check="clock", state="trouble", found=f"{abs(skew):,.0f} s {way} the vendor's",
        do="Let the system set its clock (NTP): tokens are renewed too early or too late.",
    )  # fmt: skip


def _now() -> float:
    from nimble_async._aio.clock import SystemClock

    return SystemClock().wall()
