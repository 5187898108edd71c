"""What the flags and the environment say: which vendor, which address, which credentials.

Rule: a flag goes before the environment, and every value knows where it came from, so that
`doctor` can say so. Secrets are read here and shown nowhere.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from nimble_async.cli.exits import UsageError
from nimble_async.cli.vendors import VENDORS, Vendor
from nimble_async.config import ClientConfig
from nimble_async.errors import ConfigurationError, StoreError

if TYPE_CHECKING:
    from nimble_async._aio.credentials import ApiKey
    from nimble_async._aio.ports import Credentials, RateStore
    from nimble_async.cli.vendors import Client
    from nimble_async.stores.profiles import Place, Profile

__all__ = ["Found", "Output", "Settings", "client_of", "make_key", "normal", "open_client"]

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
        """Refuse flags that cannot work.

        Raises:
            ConfigurationError: The name of the profile cannot be one.
        """
        if self.profile is not None:
            _ = self.place  # it checks the name

    @property
    def vendor(self) -> Vendor:
        """The vendor's words."""
        return VENDORS[self.crm]

    @property
    def place(self) -> Place:
        """The profile that is asked for, or the one that is used where none is.

        Raises:
            ConfigurationError: Its name cannot be one.
        """
        from nimble_async.stores.profiles import Place

        # An empty name is refused: it comes from a variable that is not set.
        return Place(crm=self.crm, name="default" if self.profile is None else self.profile)

    @property
    def facts(self) -> Profile | None:
        """What the profile says, unless the environment's key goes before it; None where it says nothing."""
        if self.profile is None and self.environment.get(self.vendor.key):
            return None
        from nimble_async.stores.saved import saved_profile

        try:
            return saved_profile(self.place)
        except StoreError:
            return None

    @property
    def address(self) -> Found:
        """The base URL and where it came from; empty where there is none."""
        vendor = self.vendor
        if self.base_url:
            return Found(self.base_url, "--base-url")
        if self.environment.get(vendor.address):
            return Found(self.environment[vendor.address], vendor.address)
        if self.facts is not None:
            return Found(self.facts.base_url, f"profile {self.place.name}")
        return Found(vendor.default_address, "the default" if vendor.default_address else "nothing is set")

    @property
    def login(self) -> Found:
        """The kind of credentials (`key`, `profile NAME` or `none`) and where they came from."""
        if self.profile is None and self.environment.get(self.vendor.key):
            return Found("key", self.vendor.key)
        name = f"profile {self.place.name}"
        if os.path.lexists(self.place.path):
            return Found(name, "--profile" if self.profile else "a saved login")
        if self._client is not None:
            return Found(name, "--profile" if self.profile else "NIMBLE_CLIENT_ID and NIMBLE_CLIENT_SECRET")
        return Found("none", "nothing is set")

    @property
    def _client(self) -> tuple[str, str] | None:
        """The client id and secret of the environment, where both are set and the vendor has them."""
        found = self.environment.get("NIMBLE_CLIENT_ID"), self.environment.get("NIMBLE_CLIENT_SECRET")
        return (found[0], found[1]) if self.crm == "nimble" and found[0] and found[1] else None

    def credentials(self) -> Credentials:
        """Return the credentials of the first that is there: the profile asked for, the key, the saved login.

        Raises:
            ConfigurationError: There are none, or the saved login is another address's.
            StoreError: The profile cannot be read.
        """
        from nimble_async._aio.credentials import OAuth
        from nimble_async.stores.profiles import ProfileStore
        from nimble_async.stores.saved import check_address, saved_login, saved_profile

        kind, vendor = self.login.value, self.vendor
        if kind == "key":
            return make_key(self.crm, self.environment[vendor.key])
        if kind == "none":
            raise UsageError(f"No key was given{self._wanted}.", hint=self.ways_in)
        profile, client = saved_profile(self.place), self._client
        # Another application's id and secret stand before a saved sign-in; a key has nothing to do with them.
        usable = profile is not None and (profile.kind == "key" or self.profile is not None)
        if profile is not None and (usable or client is None or client[0] == profile.client_id):
            check_address(self.place, profile, normal(self.crm, self.address.value))
            secret = client[1] if client and client[0] == profile.client_id else None
            return saved_login(
                self.place, profile, make_key=lambda key: make_key(self.crm, key), client_secret=secret
            )
        client_id, secret = client or ("", "")
        redirect = self.environment.get("NIMBLE_REDIRECT_URI", "")
        store = ProfileStore(self.place, client_id=client_id)
        return OAuth(client_id=client_id, client_secret=secret, redirect_uri=redirect, store=store)

    @property
    def _wanted(self) -> str:
        return "" if self.profile is None else f" for --profile {self.profile}"

    @property
    def ways_in(self) -> str:
        """What a person can do who is not signed in."""
        words = " ".join(
            [
                "nimble-async",
                *(["--crm", self.crm] if self.crm != "nimble" else []),
                *(["--profile", self.profile] if self.profile else []),
                "login --api-key",
            ]
        )
        if self.profile is not None:
            return f"Sign in: `{words}`."
        vendor = self.vendor
        return (
            f"Set {vendor.key} ({vendor.key_place}), or sign in: `{words}`; `nimble-async demo` needs none."
        )


def normal(crm: str, address: str) -> str:
    """Return an address in the form in which a vendor's client holds it.

    Raises:
        ConfigurationError: It cannot be used.
    """
    if crm == "activecampaign":
        from nimble_async.activecampaign.address import account_address

        return account_address(address)
    from nimble_async._sansio.address import base_address

    return base_address(address)


def make_key(crm: str, key: str) -> ApiKey:
    """Return the credentials of a vendor's key.

    Raises:
        ConfigurationError: It is empty or holds what no key has.
    """
    if crm == "activecampaign":
        from nimble_async.activecampaign.client import make_key

        return make_key(key)
    from nimble_async._aio.credentials import ApiKey

    return ApiKey(key)


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
    return client_of(settings, settings.credentials(), rate=rate, config=config)


def client_of(
    settings: Settings,
    credentials: Credentials,
    *,
    rate: str | None = None,
    config: ClientConfig = ClientConfig(),  # noqa: B008 (a frozen value)
) -> Client:
    """Return a client with these credentials, at the address that the settings say.

    Raises:
        ConfigurationError: There is no address, or a setting that cannot work.
    """
    address = settings.address.value
    if settings.crm == "activecampaign":
        from nimble_async.activecampaign.client import ActiveCampaignClient

        if not address:
            hint = (
                f"Set {settings.vendor.address} to the API URL of the account ({settings.vendor.key_place})."
            )
            raise UsageError("No address was given; each account has its own.", hint=hint)
        return ActiveCampaignClient(base_url=address, credentials=credentials, rate=rate, config=config)
    from nimble_async.nimble.client import NimbleClient

    return NimbleClient(
        credentials=credentials, base_url=address, rate=rate, rate_store=_rates(), config=config
    )


def _rates() -> RateStore | None:
    """Return where the limit that a command found out waits for the next one; losing it costs nothing."""
    from nimble_async.stores.folders import own_folder
    from nimble_async.stores.rates import FileRateStore

    try:
        return FileRateStore(own_folder("cache") / "rates")
    except ConfigurationError:  # a user without a home
        return None
