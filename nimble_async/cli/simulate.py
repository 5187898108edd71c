"""`simulate`: a simulated account on this machine, served until interrupted."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from nimble_async.cli.exits import UsageError
from nimble_async.cli.render import say
from nimble_async.cli.settings import Settings
from nimble_async.config import RateLimit

__all__ = ["simulate"]

_LARGEST_PORT = 65535


def simulate(
    *,
    port: int = 0,
    contacts: int = 10_000,
    deals: int = 1_000,
    activities: int = 30,
    seed: int = 7,
    rate: str | None = None,
    rate_rule: Literal["token-bucket", "fixed-window", "sliding-log", "concurrency"] = "token-bucket",
    announce: bool = False,
    announce_form: Literal["headers", "no-reset", "fields", "epoch"] = "headers",
    retry_after: bool = False,
    penalty: float = 0.0,
    latency: float = 0.0,
    jitter: float = 0.0,
    drift: str | None = None,
    backdated: float = 0.0,
    backdate: float = 0.0,
    index_lag: float = 0.0,
    unstable_ties: bool = False,
    imports: int = 0,
    import_size: int = 0,
    exclusive_ends: bool = False,
    deals_limit_cap: int | None = None,
    offer_archived: bool = False,
    offer_invisible: bool = False,
    hidden_deals: float = 0.1,
    quota: int | None = None,
    token_life: float = 600.0,
    grace: float = 0.0,
    ignore_pkce: bool = False,
    ignore_state: bool = False,
    redirect_uri: str = "http://127.0.0.1:8765/callback",
    faults: str | None = None,
    settings: Annotated[Settings, Parameter(parse=False)],
) -> int:
    """Serve a simulated account on this machine until interrupted.

    One line of JSON on stdout says where it is and which key it takes, as soon as it is ready.
    Times are seconds; rates are texts such as 10/1s. With --crm activecampaign the limit is 5/1s
    unless told, announced in headers; what is about OAuth does not apply.

    Args:
        port: Where to listen; 0 chooses a free port.
        contacts: Contacts in the account at its start.
        deals: Deals in the account at its start.
        activities: Calls, events and tasks of sequences in a Nimble account at its start.
        seed: The same seed makes the same account.
        rate: Refuse more than this, such as 10/1s.
        rate_rule: How it counts; for `concurrency` the rate's number is requests at once.
        announce: Tell the limit in headers of every answer.
        announce_form: In which headers.
        retry_after: Say in a refusal how long to wait.
        penalty: Seconds for which everything is refused after a refusal.
        latency: Seconds that each answer takes.
        jitter: Seconds that may come on top.
        drift: Inserts and deletes, each at this rate, such as 1/s.
        backdated: The share of new contacts, 0 to 1, that claim to be older.
        backdate: Seconds by which they claim to be older, at most.
        index_lag: Seconds until a new contact is in the lists.
        unstable_ties: Order contacts of one instant differently each time, and lists without an order.
        imports: How many imports there were, whose contacts share one instant.
        import_size: Contacts in each of them.
        exclusive_ends: Let the ends of a range of dates not belong to it.
        deals_limit_cap: Give no more deals than this at once.
        offer_archived: List archived pipelines too.
        offer_invisible: List invisible pipelines too.
        hidden_deals: The share of deals, 0 to 1, in pipelines that are archived or invisible.
        quota: Answer 402 after so many calls.
        token_life: Seconds that an access token lives.
        grace: Seconds for which a used refresh token is still taken.
        ignore_pkce: Do not check PKCE.
        ignore_state: Do not send the state back.
        redirect_uri: The redirect address that is registered.
        faults: A JSON file with a list of faults to play.
    """
    if settings.output is not None:
        raise UsageError("simulate prints one line of JSON, so --output does not apply.")
    if not 0 <= port <= _LARGEST_PORT:
        raise UsageError(f"There is no port {port}.", hint="Give 0 to 65535; 0 chooses a free one.")
    from nimble_async.testing.options import SimulateOptions
    from nimble_async.testing.server import serve

    for text in (rate, drift):
        if text is not None:
            RateLimit.parse(text)
    options = SimulateOptions(
        crm=settings.crm, port=port, contacts=contacts, deals=deals, activities=activities, seed=seed,
        rate=rate, rate_rule=rate_rule, announce=announce, announce_form=announce_form,
        retry_after=retry_after, penalty=penalty, latency=latency, jitter=jitter, drift=drift,
        backdated=backdated, backdate=backdate, index_lag=index_lag, unstable_ties=unstable_ties,
        imports=imports, import_size=import_size, exclusive_ends=exclusive_ends,
        deals_limit_cap=deals_limit_cap, offer_archived=offer_archived, offer_invisible=offer_invisible,
        hidden_deals=hidden_deals, quota=quota, token_life=token_life, grace=grace,
        ignore_pkce=ignore_pkce, ignore_state=ignore_state, redirect_uri=redirect_uri, faults=faults,
    )  # fmt: skip
    say(f"Simulating {contacts:,} contacts and {deals:,} deals; interrupt (Ctrl-C) to end.")
    return serve(options)
