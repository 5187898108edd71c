"""The address of an account's API, as users paste it, made into one form or refused with help.

Rule: the address is never built from the account's name: the vendor says that this does not work
everywhere.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from nimble_async._sansio.address import base_address, is_loopback
from nimble_async.errors import ConfigurationError

__all__ = ["WHERE_TO_LOOK", "account_address", "account_of"]

WHERE_TO_LOOK = "Copy the URL of Settings > Developer in ActiveCampaign, such as https://account.api-us1.com."

_NO_ACCOUNT = frozenset({"", "www", "app", "api", "developers", "developer", "help"})
_PORTS = {"http": 80, "https": 443}
_OTHER_PATHS = ("/api/1/", "/api/2/", "/admin/", "/app/")
_LIKE = "https://account.api-us1.com"


def account_address(text: str) -> str:
    """Return `text` as scheme, host, port and whatever stands before `/api/3`.

    It may come with or without a scheme, `/api/3`, the path of an endpoint behind it, and a slash.

    Raises:
        ConfigurationError: It is no address of an account's API; the message says where to find it.
    """
    text = text.strip().strip("\"'`<>").strip()
    if "\\" in text:
        raise _refused(text, "it holds a backslash")
    whole = text if "://" in text else f"{_scheme(text)}://{text}"
    try:
        address = base_address(whole, like=_LIKE)
    except ConfigurationError as error:
        raise ConfigurationError(error.message, hint=WHERE_TO_LOOK) from error
    parts = urlsplit(address)
    host = parts.hostname or ""
    if "." not in host and not is_loopback(host):
        raise _refused(text, "it is no host name, and none can be made from an account's name")
    if host == "activecampaign.com" or (
        host.endswith(".activecampaign.com") and host.partition(".")[0] in _NO_ACCOUNT
    ):
        raise _refused(text, "it is the vendor's own site, not an account's API")
    path = f"{parts.path}/"
    found = path.lower().find("/api/3/")
    if found < 0 and path.lower().startswith(_OTHER_PATHS):
        raise _refused(text, "its path is not that of the API, which is /api/3")
    before = path if found < 0 else path[:found]
    before = before.rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{before[:-4] if before.lower().endswith('/api') else before}"


def account_of(address: str) -> str:
    """Return what the rate limit counts by: the host, and its port where that is not the usual one."""
    parts = urlsplit(address)
    usual = f":{_PORTS.get(parts.scheme)}"
    return parts.netloc.removesuffix(usual)


def _scheme(text: str) -> str:
    try:
        host = urlsplit(f"//{text}").hostname or ""
    except ValueError:  # such as brackets that hold no address: refused with words where it is read whole
        host = ""
    return "http" if is_loopback(host) else "https"


def _refused(text: str, why: str) -> ConfigurationError:
    shown = text.rpartition("@")[2].partition("?")[0].partition("#")[0]
    return ConfigurationError(f"The base URL {shown!r} cannot be used: {why}.", hint=WHERE_TO_LOOK)
