"""`export`: everything of one kind into a file, once each, with a certificate.

Rule: the job does the work; here its arguments are read, its progress shown and its end told.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Literal
from urllib.parse import urlsplit

from cyclopts import Parameter

from nimble_async.cli.arguments import read_json
from nimble_async.cli.exits import Exit, UsageError
from nimble_async.cli.progress import budget, meter
from nimble_async.cli.render import say, standard_output
from nimble_async.cli.settings import Settings, open_client
from nimble_async.cli.vendors import walks_of
from nimble_async.config import ClientConfig
from nimble_async.errors import CrmError, Forbidden, NotFound, OutputFailed

if TYPE_CHECKING:
    from nimble_async.cli.vendors import Client
    from nimble_async.jobs.certificate import Certificate

__all__ = ["export", "go_on", "query_of", "run_export", "target"]

_Resource = Literal["contacts", "deals"]
_MOST_AT_ONCE = 64
_OTHER_FORMATS = frozenset({".csv", ".db", ".duckdb", ".gz", ".parquet", ".sqlite", ".tsv", ".xlsx", ".zst"})


async def export(
    resource: _Resource,
    /,
    *,
    to: Annotated[str, Parameter(allow_leading_hyphen=True)],
    query: str | None = None,
    fields: list[str] | None = None,
    resume: bool = False,
    restart: bool = False,
    certificate: Path | None = None,
    concurrency: int = 8,
    rate: str | None = None,
    settings: Annotated[Settings, Parameter(parse=False)],
) -> int:
    """Write every contact or deal to a file, and prove that none is missing.

    One record a line, as the vendor sent it. The same command again goes on where an interrupted
    one stopped. Exits with 0 where completeness is proven, 3 where the file is partial or unproven.

    Args:
        resource: What to export.
        to: The file to make, or - for stdout.
        query: Only what this search finds: JSON.
        fields: Only these fields; with commas or repeated.
        resume: Go on where an interrupted export stopped; that is done in any case.
        restart: Forget an unfinished export, and replace a finished output.
        certificate: Where the certificate goes; FILE.certificate.json unless told.
        concurrency: Requests side by side, at most.
        rate: Keep this limit, such as 5/1s.
    """
    if resume and restart:
        raise UsageError("--resume and --restart exclude one another.")
    if not 1 <= concurrency <= _MOST_AT_ONCE:
        raise UsageError(f"--concurrency must lie in 1..{_MOST_AT_ONCE}, not {concurrency}.")
    if settings.output is not None:
        raise UsageError("export writes JSON lines, so --output does not apply.")
    if resource not in settings.vendor.exports:
        raise UsageError(
            f"{settings.vendor.title} has no {resource} to export here.",
            hint=f"There are {' and '.join(settings.vendor.exports)}.",
        )
    output, asked = target(to), query_of(resource, query, fields, crm=settings.crm)
    config = ClientConfig(concurrency=concurrency)
    try:
        async with open_client(settings, rate=rate, config=config) as client:
            done = await run_export(
                client,
                resource,
                to=output,
                query=asked,
                concurrency=concurrency,
                restart=restart,
                certificate=certificate,
            )
    except asyncio.CancelledError:
        say(go_on(settings.words, piped=to == "-"))
        return Exit.INTERRUPTED
    except OutputFailed as error:
        if isinstance(error.__cause__, BrokenPipeError):
            raise error.__cause__ from error  # whoever read stdout wants no more, and no words
        raise
    for line in done.lines():
        say(line)
    return Exit.DONE if done.complete else Exit.UNPROVEN


async def run_export(
    client: Client,
    resource: str,
    *,
    to: Path | BinaryIO,
    query: dict[str, Any] | None = None,
    concurrency: int = 8,
    restart: bool = False,
    certificate: Path | None = None,
) -> Certificate:
    """Run the job with its progress on stderr, and return its certificate.

    The account is asked for its name first: a wrong key or a closed port is told before anything
    is made, and a checkpoint belongs to an account whichever key opens it.

    Raises:
        CrmError: As the job raises.
    """
    from nimble_async.jobs.export import export as job

    executor = client.with_options(lane="bulk").executor
    throttle = executor.core.throttle
    walk = walks_of(executor.core.dialect.name)[resource]
    with meter(resource, lambda: budget(throttle.statistics())) as show:
        try:
            return await job(
                executor, walk, to=to, clock=executor.core.clock, query=query,
                account=await _account(client), concurrency=concurrency, restart=restart,
                certificate=certificate, progress=show,
            )  # fmt: skip
        except OSError as error:
            if isinstance(error, CrmError):
                raise  # a deadline is a TimeoutError too
            raise OutputFailed(f"{error.filename or to}: {error.strerror or error}.") from error


async def _account(client: Client) -> str:
    try:
        me = await client.users.me()
    except (Forbidden, NotFound):
        # A key without the right to ask still has a name of its own, a hash.
        return client.executor.core.credentials.scope
    account = getattr(me, "company_id", None) or urlsplit(client.executor.core.base_url).hostname
    return f"{account}/{me.id}"


def target(text: str) -> Path | BinaryIO:
    """Return where the rows go: a file, or stdout for `-`.

    Raises:
        UsageError: It is an address, a folder, or the name of a kind of file that is not written yet.
        OutputFailed: It is stdout, and that is closed.
    """
    if text == "-":
        return standard_output()
    if "://" in text:
        kind = text.partition("://")[0]
        raise UsageError(f"--to {kind}:// is not available yet.", hint="Give a file, or - for stdout.")
    path = Path(text)
    if not path.name or text.endswith("/"):
        raise UsageError(f"--to {text!r} names no file.")
    if path.suffix.lower() in _OTHER_FORMATS:
        raise UsageError(
            f"export writes JSON lines, not {path.suffix}.", hint="Give a name that ends in .jsonl."
        )
    return path


def query_of(
    resource: str, query: str | None, fields: Iterable[str] | None, *, crm: str = "nimble"
) -> dict[str, Any]:
    """Return the members of the list's query that the flags stand for.

    Raises:
        UsageError: The search is no JSON object, or the vendor's list takes none.
        QueryRefused: The vendor would refuse the search.
    """
    names = [name.strip() for part in fields or () for name in part.replace("\\,", "\0").split(",")]
    names = [name.replace("\0", ",") for name in names]
    if resource == "deals" and (names or (query is not None and crm == "nimble")):
        flag = "--query" if query is not None and crm == "nimble" else "--fields"
        raise UsageError(f"The vendor's list of deals takes no {flag[2:]}, so {flag} does not apply.")
    if crm == "activecampaign":
        from nimble_async.activecampaign.walks import filters_of

        return {} if query is None else filters_of(_object(query, '{"stage": "3"}'))
    from nimble_async.nimble.resources.arguments import joined, search_text

    found: dict[str, Any] = {}
    if query is not None:
        found["query"] = search_text(_object(query, '{"record type": {"is": "person"}}'))
    if names:
        found["fields"] = joined(names)
    return found


def _object(text: str, example: str) -> dict[str, Any]:
    search = read_json(text, "--query")
    if not isinstance(search, dict):
        raise UsageError("--query must be a JSON object.", hint=f"Such as {example}.")
    return search


def go_on(words: Sequence[str], *, piped: bool) -> str:
    """Return the line that says how to go on after an interruption."""
    if piped:
        return "nimble-async: Interrupted. A pipe cannot be resumed: the same command begins anew."
    again = shlex.join(["nimble-async", *(word for word in words if word != "--restart")])
    return f"nimble-async: Interrupted. What was read is kept; go on with: {again}"
