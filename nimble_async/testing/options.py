"""What `nimble-async simulate` can be told, as one value, and the simulator that it describes."""

from __future__ import annotations

import math
from pathlib import Path

from msgspec import Struct

from nimble_async.config import RateLimit
from nimble_async.errors import ConfigurationError
from nimble_async.testing.activecampaign.world import DealsWorld
from nimble_async.testing.call import Behaviour
from nimble_async.testing.clock import EPOCH
from nimble_async.testing.faults import read_faults
from nimble_async.testing.oauth import OAuthSettings
from nimble_async.testing.rates import RATE_RULES, Rates
from nimble_async.testing.simulator import Simulator
from nimble_async.testing.world import Drift, World

__all__ = ["SimulateOptions", "build"]

_ACTIVECAMPAIGN_RATE = "5/1s"
_AT_LEAST_0 = (
    "contacts", "deals", "activities", "penalty", "latency", "jitter", "backdate", "index_lag", "imports",
    "import_size", "grace",
)  # fmt: skip
_SHARES = ("backdated", "hidden_deals")


class SimulateOptions(Struct, frozen=True, kw_only=True):
    """Flags of the command. Times are seconds; rates are texts such as `10/1s`."""

    crm: str = "nimble"
    """`nimble` or `activecampaign`, which has its own rate unless told: 5/1s, announced."""
    port: int = 0
    contacts: int = 10_000
    deals: int = 1_000
    activities: int = 30
    """Calls, events and tasks of sequences that a Nimble account begins with."""
    seed: int = 7
    rate: str | None = None
    rate_rule: str = "token-bucket"
    announce: bool = False
    announce_form: str = "headers"
    """`headers`, `no-reset`, `fields` or `epoch`: see `Rates`."""
    retry_after: bool = False
    penalty: float = 0.0
    latency: float = 0.0
    jitter: float = 0.0
    drift: str | None = None
    """Inserts and deletes, each at this rate, of contacts and of deals."""
    backdated: float = 0.0
    backdate: float = 0.0
    index_lag: float = 0.0
    unstable_ties: bool = False
    imports: int = 0
    import_size: int = 0
    exclusive_ends: bool = False
    """Whether the ends of a range of dates do not belong to it."""
    deals_limit_cap: int | None = None
    offer_archived: bool = False
    offer_invisible: bool = False
    hidden_deals: float = 0.1
    quota: int | None = None
    token_life: float = 600.0
    grace: float = 0.0
    ignore_pkce: bool = False
    ignore_state: bool = False
    redirect_uri: str = "http://127.0.0.1:8765/callback"
    cache_bytes: int = 400 * 1024 * 1024
    """How much of a world at rest is kept rendered: a hundred thousand contacts, by default."""
    faults: str | None = None
    """The path of a JSON file with a list of faults."""


def build(options: SimulateOptions, *, epoch: float = EPOCH) -> Simulator:
    """Return the simulator that the options describe; `epoch` is the wall clock at its start.

    Raises:
        ConfigurationError: A rate, a rule's name, a number or the file of faults cannot be used.
    """
    _check_numbers(options)
    world = (DealsWorld if options.crm == "activecampaign" else World)(
        contacts=options.contacts, deals=options.deals, seed=options.seed, epoch=epoch, drift=_drift(options),
        imports=options.imports, import_size=options.import_size, hidden_deals=options.hidden_deals,
        activities=options.activities,
    )  # fmt: skip
    behaviour = Behaviour(
        inclusive_start=not options.exclusive_ends, inclusive_end=not options.exclusive_ends,
        unstable_ties=options.unstable_ties, deals_limit_cap=options.deals_limit_cap,
        offer_archived=options.offer_archived, offer_invisible=options.offer_invisible, quota=options.quota,
    )  # fmt: skip
    oauth = OAuthSettings(
        token_life=options.token_life, grace=options.grace, ignore_pkce=options.ignore_pkce,
        ignore_state=options.ignore_state, redirect_uri=options.redirect_uri,
    )  # fmt: skip
    faults = read_faults(_read(options.faults)) if options.faults is not None else []
    return Simulator(
        world, rates=_rates(options), faults=faults, behaviour=behaviour, oauth=oauth,
        latency=options.latency, jitter=options.jitter, seed=options.seed, cache_bytes=options.cache_bytes,
        crm=options.crm,
    )  # fmt: skip


def _check_numbers(options: SimulateOptions) -> None:
    for name in _AT_LEAST_0:
        if getattr(options, name) < 0:
            raise ConfigurationError(f"{name} must be at least 0, not {getattr(options, name)}.")
    for name in _SHARES:
        if not 0 <= getattr(options, name) <= 1:
            raise ConfigurationError(f"{name} must lie in 0..1, not {getattr(options, name)}.")
    if options.token_life <= 0:
        raise ConfigurationError(f"token_life must be above 0, not {options.token_life}.")


def _drift(options: SimulateOptions) -> Drift:
    limit = RateLimit.parse(options.drift) if options.drift is not None else None
    rate = 0.0 if limit is None else limit.limit / limit.window
    if math.isinf(rate):
        raise ConfigurationError("A drift has to be a number of records in a time, such as 1/s.")
    return Drift(
        inserts=rate, deletes=rate, deal_inserts=rate, deal_deletes=rate,
        backdated=options.backdated, backdate=options.backdate, index_lag=options.index_lag,
    )  # fmt: skip


def _rates(options: SimulateOptions) -> Rates | None:
    if options.rate is None:
        if options.crm != "activecampaign":
            return None
        return Rates.named(
            _ACTIVECAMPAIGN_RATE, announce="no-reset", retry_after=True, penalty=options.penalty
        )
    if math.isinf(RateLimit.parse(options.rate).limit):
        return None
    if options.rate_rule not in RATE_RULES:
        raise ConfigurationError(
            f"{options.rate_rule!r} is no rate rule.", hint=f"Choose one of {', '.join(RATE_RULES)}."
        )
    return Rates.named(
        options.rate, options.rate_rule, announce=options.announce_form if options.announce else False,
        retry_after=options.retry_after, penalty=options.penalty,
    )  # fmt: skip


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"The faults in {path} cannot be read: {error.strerror}.") from error
