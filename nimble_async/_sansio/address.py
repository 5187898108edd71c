"""The address of an API, as users paste it, made into one form or refused."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from nimble_async.errors import ConfigurationError

__all__ = ["base_address", "is_loopback", "parts_of"]


def is_loopback(host: str) -> bool:
    """Return whether a host name can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def parts_of(address: str) -> SplitResult | None:
    """Take an address apart; None where its host or port makes no sense: the error would quote it."""
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018 (reading it is what checks it)
    except ValueError:
        return None
    return parts


def base_address(text: str, *, like: str = "https://app.nimble.com") -> str:
    """Return `text` as scheme, host, port and path, without a slash at its end; it should look `like` that.

    Raises:
        ConfigurationError: It is no address, holds a user name, a query or a fragment, or is plain
            http to another machine.
    """
    parts = parts_of(text.strip())
    if parts is None:
        raise _refused(text, "its host or port makes no sense")
    host, port = parts.hostname or "", parts.port
    if parts.scheme not in {"http", "https"} or not host or any(map(str.isspace, text.strip())):
        raise _refused(text, f"it must look like {like}")
    if parts.username is not None or parts.password is not None:
        raise _refused(text, "it must not hold a user name or password")
    if parts.query or parts.fragment:
        raise _refused(text, "it must not hold a query or a fragment")
    if parts.scheme == "http" and not is_loopback(host):
        raise _refused(text, "plain http would show the key to everyone on the way; use https")
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}{'' if port is None else f':{port}'}{parts.path.rstrip('/')}"


def _refused(text: str, why: str) -> ConfigurationError:
    # A password or a key pasted along must not reach a log.
    shown = text.rpartition("@")[2].partition("?")[0].partition("#")[0]
    return ConfigurationError(f"The base URL {shown!r} cannot be used: {why}.")
