"""`demo`: export a simulated account over real HTTP, check the result, and say what happened.

Rule: the same client, job and certificate as with a real account; only the account is simulated.
What the file must hold is asked of the simulator, which has seen every record come and go.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from cyclopts import Parameter
from msgspec import Struct

from nimble_async.cli.exits import Exit, UsageError
from nimble_async.cli.export import run_export
from nimble_async.cli.render import data, say
from nimble_async.cli.settings import Settings
from nimble_async.errors import OutputFailed

if TYPE_CHECKING:
    from nimble_async.jobs.certificate import Certificate
    from nimble_async.nimble.client import NimbleClient
    from nimble_async.testing.server import ServedSimulator

__all__ = ["Checked", "check_file", "demo", "tell"]

_RATE = "10/1s"
_DRIFT = "1/s"
_TOKEN_LIFE = 4.0
_LEAST_RENEWALS = 2
_ID_MEMBER = {"contacts": "id", "deals": "deal_id"}


class Checked(Struct, frozen=True, kw_only=True):
    """One thing that was checked, and whether it holds."""

    what: str
    holds: bool


async def demo(
    *,
    folder: Path | None = None,
    contacts: int = 5_000,
    deals: int = 500,
    seed: int = 7,
    settings: Annotated[Settings, Parameter(parse=False)],
) -> int:
    """Export a simulated account over real HTTP, check the result, and say what happened.

    The account changes while it is read, keeps a rate limit, and lets tokens live four seconds.
    Nothing of yours is read or sent. Exits with 0 only where every check holds.

    Args:
        folder: Where the files go; a new temporary folder unless told.
        contacts: Contacts in the account at its start.
        deals: Deals in the account at its start.
        seed: The same seed makes the same account.
    """
    if contacts < 0 or deals < 0:
        raise UsageError("An account has no fewer than 0 records.")
    if settings.crm != "nimble":
        hint = f"`nimble-async --crm {settings.crm} simulate` serves an account of the other vendor."
        raise UsageError("The demo shows Nimble only.", hint=hint)
    place = _place(folder)
    from nimble_async._aio.clock import SystemClock
    from nimble_async.testing.options import SimulateOptions, build
    from nimble_async.testing.server import ServedSimulator

    options = SimulateOptions(
        contacts=contacts,
        deals=deals,
        seed=seed,
        rate=_RATE,
        drift=_DRIFT,
        token_life=_TOKEN_LIFE,
        latency=0.01,
    )
    with ServedSimulator(build(options, epoch=SystemClock().wall())) as served:
        say(f"A simulated account with {contacts:,} contacts and {deals:,} deals is at {served.base_url}.")
        say(f"While it is read, contacts and deals are created and deleted, each at {_DRIFT};")
        say(f"it refuses more than {_RATE}, without saying so; its tokens live {_TOKEN_LIFE:.0f} seconds.\n")
        async with _client(served) as client:
            checked = await _export(client, served, "contacts", place)
            checked += await _export(client, served, "deals", place)
            await _outlive(client, served)
        statistics = served.statistics()
    renewals = statistics["refreshes"]
    what = f"the access token was renewed {renewals} times on the way"
    checked.append(Checked(what=what, holds=renewals >= _LEAST_RENEWALS))
    tell(checked, statistics, place)
    holds = all(check.holds for check in checked)
    if settings.output in {"json", "jsonl"}:
        facts = {"ok": holds, "folder": str(place), "checks": checked, "simulator": statistics}
        data([msgspec.json.encode(facts)])
    return Exit.DONE if holds else Exit.FAILED


def _place(folder: Path | None) -> Path:
    if folder is None:
        return Path(tempfile.mkdtemp(prefix="nimble-demo-"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputFailed(f"The folder {folder} cannot be made: {error.strerror}.") from error
    return folder


def _client(served: ServedSimulator) -> NimbleClient:
    """Return a client with a login of its own, as an application would have one."""
    from nimble_async._aio.clock import SystemClock
    from nimble_async._aio.credentials import OAuth
    from nimble_async._sansio.secret import Secret
    from nimble_async._sansio.tokens import TokenRecord
    from nimble_async.nimble.client import NimbleClient

    pair: dict[str, Any] = served.run(lambda simulator, now: simulator.oauth.issue(now))
    settings = served.simulator.oauth
    token = TokenRecord(
        gen=1,
        access=Secret(str(pair["access_token"])),
        refresh=Secret(str(pair["refresh_token"])),
        obtained_wall=SystemClock().wall(),
        expires_in=float(pair["expires_in"]),
    )
    login = OAuth(client_id=settings.client_id, client_secret=settings.client_secret, token=token)
    return NimbleClient(credentials=login, base_url=served.base_url)


async def _export(client: NimbleClient, served: ServedSimulator, resource: str, place: Path) -> list[Checked]:
    """Export one resource, and hold the file against what the simulator has seen."""
    began, before = served.run(_world(resource))
    output = place / f"{resource}.jsonl"
    say(f"$ nimble-async export {resource} --to {output}")
    certificate = await run_export(client, resource, to=output)
    for line in certificate.lines():
        say(f"  {line}")
    ended, after = served.run(_world(resource))
    survivors = served.run(lambda simulator, _: getattr(simulator.world, resource).survivors(began, ended))
    ever = served.run(lambda simulator, _: getattr(simulator.world, resource).ever())
    say(f"  meanwhile {len(after - before):,} were created and {len(before - after):,} deleted\n")
    return check_file(output, certificate, resource, survivors=survivors, ever=ever)


async def _outlive(client: NimbleClient, served: ServedSimulator) -> None:
    """Ask on until the token was renewed twice, where the account was too small to take that long."""
    clock = client.executor.core.clock
    for _ in range(int(_LEAST_RENEWALS * _TOKEN_LIFE) + 1):
        if served.statistics()["refreshes"] >= _LEAST_RENEWALS:
            return
        await client.users.me()
        await clock.sleep(1.0)


def _world(resource: str) -> Callable[[Any, float], tuple[float, set[str]]]:
    def look(simulator: Any, now: float) -> tuple[float, set[str]]:
        simulator.world.advance(now)
        return now, set(getattr(simulator.world, resource).ids())

    return look


def check_file(
    output: Path, certificate: Certificate, resource: str, *, survivors: set[str], ever: set[str]
) -> list[Checked]:
    """Hold a file against the ids that existed throughout, those that ever did, and its certificate."""
    content = output.read_bytes()
    lines = content.splitlines()
    found = Counter(str(msgspec.json.decode(line)[_ID_MEMBER[resource]]) for line in lines)
    named = certificate.output
    same = named.sha256 == hashlib.sha256(content).hexdigest() and named.rows == len(lines)
    return [
        Checked(
            what=f"each of the {len(survivors):,} {resource} that lived throughout is there exactly once",
            holds=all(found[id_] == 1 for id_ in survivors),
        ),
        Checked(
            what=f"no row of {resource} is there twice", holds=all(count == 1 for count in found.values())
        ),
        Checked(what=f"no row of {resource} was made up", holds=found.keys() <= ever),
        Checked(
            what=f"the certificate of {resource} says proven, and names this very file",
            holds=certificate.proven and same,
        ),
    ]


def tell(checked: list[Checked], statistics: dict[str, Any], place: Path) -> None:
    """Say what holds, what went over the wire, where the files are, and what to try next."""
    say("Checked against what the simulator saw:")
    for check in checked:
        say(f"  {'yes' if check.holds else 'NO '}  {check.what}")
    answers = f"{statistics['requests']:,} requests, {statistics['rate_limited']:,} refused for rate"
    say(f"\nOver the wire: {answers}, at most {statistics['peak_in_flight']:,} at a time.")
    say(f"The files, and a certificate beside each: {place}")
    if not all(check.holds for check in checked):
        say("\nA check failed: that is a bug. Please report it with the lines above.")
        return
    say(
        "\nNext, with your own account (Nimble: Settings > API Token):\n"
        "  export NIMBLE_API_KEY=...\n"
        "  nimble-async doctor\n"
        "  nimble-async export contacts --to contacts.jsonl\n"
        "or keep a simulated account running for your own code:  nimble-async simulate"
    )
