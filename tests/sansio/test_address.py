"""The base URL: one form, plain http on this machine alone, and no secret in a complaint."""

from __future__ import annotations

import pytest

from nimble_async._sansio.address import base_address, is_loopback
from nimble_async.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://app.nimble.com", "https://app.nimble.com"),
        ("https://app.nimble.com/", "https://app.nimble.com"),
        (" https://app.nimble.com//\n", "https://app.nimble.com"),
        ("HTTPS://App.Nimble.com:8443/crm/", "https://app.nimble.com:8443/crm"),
        ("http://127.0.0.1:80", "http://127.0.0.1:80"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]"),
    ],
)
def test_an_address_has_one_form(text: str, address: str):
    """Case, spaces and slashes at the end do not matter."""
    assert base_address(text) == address


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "must look like"),
        ("app.nimble.com", "must look like"),
        ("ftp://app.nimble.com", "must look like"),
        ("https://", "must look like"),
        ("https:///path", "must look like"),
        ("https://app nimble.com", "must look like"),
        ("https://app.nimble.com/a b", "must look like"),
        ("https://app.nimble.com:none", "cannot be used"),
        ("https://app.nimble.com:99999", "cannot be used"),
        ("https://[::1", "cannot be used"),
        ("https://me@app.nimble.com", "user name"),
        ("https://me:hush@app.nimble.com", "user name"),
        ("ftp://me:hush@app.nimble.com", "must look like"),
        ("https://me:hush@app.nimble.com:none", "cannot be used"),
        ("https://me:hush/x@app.nimble.com", "cannot be used"),
        ("https://me:hush?x@app.nimble.com", "cannot be used"),
        ("https://me:hush#x@app.nimble.com", "cannot be used"),
        ("https://app.nimble.com?key=hush", "query"),
        ("https://app.nimble.com#hush", "fragment"),
        ("http://app.nimble.com", "use https"),
        ("http://127.0.0.1.example.com", "use https"),
        ("http://localhost.example.com", "use https"),
        ("http://0.0.0.0", "use https"),
    ],
)
def test_what_cannot_be_used_is_refused(text: str, why: str):
    """The complaint says why, and shows neither a password nor a query."""
    with pytest.raises(ConfigurationError, match=why) as caught:
        base_address(text)
    assert "hush" not in f"{caught.value} {caught.value.__cause__} {caught.value.__context__}"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("example.com", False),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_loopback_is_this_machine(host: str, loopback: bool):
    """Names and numbers that cannot be anybody else."""
    assert is_loopback(host) == loopback
