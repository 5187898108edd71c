"""Settings of a client: frozen values, checked when they are built. Times are seconds, sizes bytes."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from msgspec import Struct

from nimble_async.errors import ConfigurationError

if TYPE_CHECKING:
    import ssl

__all__ = ["ClientConfig", "RateLimit", "RetryPolicy", "Timeouts"]


def _require(holds: bool, complaint: str) -> None:  # noqa: FBT001 (an assertion, read as a sentence)
    if not holds:
        raise ConfigurationError(complaint)


def _is_http(address: str) -> bool:
    """Say whether it is an http:// address; never why not, which would quote a password in it."""
    try:
        parts = urlsplit(address)
        return parts.scheme == "http" and bool(parts.hostname) and parts.port != 0 and address.isprintable()
    except ValueError:
        return False


class Timeouts(Struct, frozen=True, kw_only=True):
    """How long to wait for one attempt, in seconds."""

    connect: float = 10.0
    read: float = 30.0
    """The longest silence between two chunks of an answer."""
    total: float = 120.0
    """One attempt from sending to the last byte; a call may have several."""

    def __post_init__(self) -> None:
        """Refuse what would wait for ever or not at all."""
        for name in ("connect", "read", "total"):
            _require(getattr(self, name) > 0, f"Timeouts.{name} must be above 0 seconds.")


class RetryPolicy(Struct, frozen=True, kw_only=True):
    """How often and how patiently a failed call is repeated. Waits are seconds."""

    attempts: int = 5
    """Sends of one call, the first included."""
    first_wait: float = 0.5
    longest_wait: float = 30.0
    longest_retry_after: float = 21600.0
    """A server that asks for more than this is not waited for: the call raises `RateLimited`."""
    budget_share: float = 0.1
    """Retries a client may send on top of its calls (0.1: one in ten) ..."""
    budget_per_second: float = 1.0
    """... and this many more each second ..."""
    budget_floor: int = 5
    """... and this many at any time."""

    def __post_init__(self) -> None:
        """Refuse a policy that cannot be followed."""
        _require(self.attempts >= 1, f"RetryPolicy.attempts must be at least 1, not {self.attempts}.")
        _require(
            0 <= self.first_wait <= self.longest_wait, "RetryPolicy.first_wait must lie in 0..longest_wait."
        )
        _require(self.longest_wait < math.inf, "RetryPolicy.longest_wait must be a number of seconds.")
        _require(self.longest_retry_after >= 0, "RetryPolicy.longest_retry_after cannot be negative.")
        _require(
            self.budget_share >= 0 and self.budget_per_second >= 0 and self.budget_floor >= 0,
            "A retry budget cannot be negative.",
        )


class RateLimit(Struct, frozen=True):
    """A declared limit: `limit` requests in `window` seconds, `burst` of them at once."""

    limit: float
    window: float = 1.0
    burst: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a limit that admits nothing."""
        _require(self.limit > 0 and self.window > 0, "A rate limit needs a limit and a window above 0.")
        _require(self.window / min(self.limit, 1.0) < math.inf, "A rate limit needs a window that ends.")
        _require(1 <= self.burst <= max(1.0, self.limit), "A burst must lie between 1 and the limit.")

    @classmethod
    def of(cls, rate: RateLimit | str | None) -> RateLimit | None:
        """Return what a client's `rate=` says: text is read, a limit or none at all is taken as it is.

        Raises:
            ConfigurationError: It is none of these, or a text that makes no sense.
        """
        if isinstance(rate, str):
            return cls.parse(rate)
        _require(rate is None or isinstance(rate, cls), f"rate= takes text such as '10/1s', not {rate!r}.")
        return rate

    @classmethod
    def parse(cls, text: str) -> RateLimit:
        """Read `10/1s`, `600/60s`, `600/1m`, `5/s`, `1000/1h`, or `unlimited`.

        `unlimited` says that there is no limit to search for: only refusals slow calls down.

        Raises:
            ConfigurationError: The text is none of these.
        """
        if text.strip().lower() == "unlimited":
            return cls(math.inf)
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*/\s*(\d+(?:\.\d+)?)?\s*([smh])\s*", text)
        if match is None:
            raise ConfigurationError(
                f"Rate {text!r} is not of the form 10/1s, 600/1m or 1000/1h.",
                hint="Say unlimited where there is no limit, or nothing where nobody knows it.",
            )
        limit, count, unit = match.groups()
        _require(math.isfinite(float(limit)), f"Rate {text[:20]}... has no meaning: say unlimited instead.")
        return cls(float(limit), float(count or 1) * {"s": 1, "m": 60, "h": 3600}[unit])


class ClientConfig(Struct, frozen=True, kw_only=True):
    """Everything about a client that is not who it is and where it talks to."""

    timeouts: Timeouts = Timeouts()
    retries: RetryPolicy = RetryPolicy()
    concurrency: int = 8
    """Requests in flight at once, at most."""
    proxy: str | None = None
    """An http:// proxy for every request; the environment's proxy variables are not read."""
    tls: ssl.SSLContext | str | None = None
    """A context, or the path of a PEM file with the authorities to trust; None: the system's."""
    user_agent: str | None = None
    """Put before the library's own name."""
    hooks: tuple[Callable[[Any], object], ...] = ()
    """Called with each event record: `CallEnded`, `AttemptEnded`, `PageRead` or `TokenRenewed`.

    What they raise is logged, never passed on.
    """
    longest_body: int = 64 * 1024 * 1024
    """Bytes of a decoded answer; a larger one raises `MalformedResponse`."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        for name, kind in (("timeouts", Timeouts), ("retries", RetryPolicy)):
            given = getattr(self, name)
            _require(isinstance(given, kind), f"ClientConfig.{name} takes a {kind.__name__}, not {given!r}.")
        for hook in self.hooks:
            slow = inspect.iscoroutinefunction(hook) or inspect.iscoroutinefunction(
                getattr(hook, "__call__", None)  # noqa: B004 (an object's own, to see what it is)
            )
            _require(not slow, f"ClientConfig.hooks: {hook!r} is async; a hook is a plain function.")
        _require(1 <= self.concurrency <= 1000, "ClientConfig.concurrency must lie in 1..1000.")
        _require(self.longest_body >= 1024, "ClientConfig.longest_body must be at least 1024 bytes.")
        _require(
            self.proxy is None or _is_http(self.proxy),
            "ClientConfig.proxy must be an http:// address, such as http://user:password@proxy.example:3128.",
        )

    def __repr__(self) -> str:
        """Show the settings; of a proxy's address neither user nor password."""
        return f"ClientConfig({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show as much to pretty printers, which would list every member."""
        shown = {name: getattr(self, name) for name in self.__struct_fields__}
        if self.proxy is not None:
            shown["proxy"] = re.sub(r"//.*@", "//***@", self.proxy)
        return list(shown.items())
