"""What the flags and the environment say: which vendor, which address, which credentials.

Rule: a flag goes before the environment, and every value knows where it came from, so that
`doctor` can say so. Secrets are read here and shown nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from nimble_async.cli.exits import UsageError
from nimble_async.cli.vendors import VENDORS, Vendor
from nimble_async.config import ClientConfig

if TYPE_CHECKING:
    from nimble_async._aio.ports import Credentials
    from nimble_async.cli.vendors import Client

__all__ = ["Found", "Output", "Settings", "open_client"]

Output = Literal["json", "jsonl", "table"]


@dataclass(frozen=True, slots=True)
class Found:
    """A setting that may be shown, and where it came from."""

    value: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The flags that every command takes, and the environment they stand before."""

    crm: str = "nimble"
    profile: str | None = None
    base_url: str | None = None
    output: Output | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    words: tuple[str, ...] = ()
    """The command line itself, to say how to go on."""

    def check(self) -> None:
        """Refuse flags that exclude one another.

        Raises:
            UsageError: The vendor has no saved logins, and one is named.
        """
        if self.profile is not None and self.crm != "nimble":
            raise UsageError(
                f"{self.vendor.title} has keys and no saved logins, so --profile does not apply.",
                hint=f"Set {self.vendor.key}.",
            )

    @property
    def vendor(self) -> Vendor:
        """The vendor's words."""
        return VENDORS[self.crm]

    @property
    def address(self) -> Found:
        """The base URL and where it came from; empty where there is none."""
        vendor = self.vendor
        if self.base_url:
            return Found(self.base_url, "--base-url")
        if self.environment.get(vendor.address):
            return Found(self.environment[vendor.address], vendor.address)
        return Found(vendor.default_address, "the default" if vendor.default_address else "nothing is set")

    @property
    def login(self) -> Found:
        """The kind of credentials (`key`, `profile NAME` or `none`) and where they came from."""
        if self.profile is None and self.environment.get(self.vendor.key):
            return Found("key", self.vendor.key)
        if self.crm != "nimble":
            return Found("none", "nothing is set")
        if self.environment.get("NIMBLE_CLIENT_ID") and self.environment.get("NIMBLE_CLIENT_SECRET"):
            source = "--profile" if self.profile else "NIMBLE_CLIENT_ID and NIMBLE_CLIENT_SECRET"
            return Found(f"profile {self.profile or 'default'}", source)
        return Found("none", "nothing is set")

    def credentials(self) -> Credentials:
        """Return the credentials of the first that is there: the profile asked for, the key, the saved login.

        Raises:
            ConfigurationError: There are none, or the name of the profile cannot be one.
        """
        from nimble_async._aio.credentials import ApiKey, OAuth
        from nimble_async.stores.profiles import saved_login

        kind = self.login.value
        if kind == "key":
            return ApiKey(self.environment["NIMBLE_API_KEY"])
        if kind == "none":
            wanted = "" if self.profile is None else f" for --profile {self.profile}"
            hint = f"Set {self.vendor.key} ({self.vendor.key_place})"
            if self.profile is not None:
                hint = "Set NIMBLE_CLIENT_ID and NIMBLE_CLIENT_SECRET, which a saved login is renewed with"
            raise UsageError(f"No key was given{wanted}.", hint=f"{hint}; `nimble-async demo` needs none.")
        return OAuth(
            client_id=self.environment["NIMBLE_CLIENT_ID"],
            client_secret=self.environment["NIMBLE_CLIENT_SECRET"],
            redirect_uri=self.environment.get("NIMBLE_REDIRECT_URI", ""),
            store=saved_login(self.profile or "default"),
        )


def open_client(
    settings: Settings,
    *,
    rate: str | None = None,
    config: ClientConfig = ClientConfig(),  # noqa: B008 (a frozen value)
) -> Client:
    """Return a client as the settings say; nothing is sent.

    Raises:
        ConfigurationError: No credentials, or a setting that cannot work.
    """
    if settings.crm == "activecampaign":
        from nimble_async.activecampaign.client import ActiveCampaignClient

        if settings.login.value == "none":
            settings.credentials()
        if not settings.address.value:
            hint = (
                f"Set {settings.vendor.address} to the API URL of the account ({settings.vendor.key_place})."
            )
            raise UsageError("No address was given; each account has its own.", hint=hint)
        token = settings.environment[settings.vendor.key]
        return ActiveCampaignClient(
            base_url=settings.address.value, api_token=token, rate=rate, config=config
        )
    from nimble_async.nimble.client import NimbleClient

    return NimbleClient(
        credentials=settings.credentials(), base_url=settings.address.value, rate=rate, config=config
    )
