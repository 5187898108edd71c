"""The base URL, as people paste it."""

from __future__ import annotations

import pytest

from nimble_async.activecampaign.address import account_address, account_of
from nimble_async.errors import ConfigurationError


@pytest.mark.parametrize(
    "text",
    [
        "https://acme.api-us1.com",
        "https://acme.api-us1.com/",
        "https://acme.api-us1.com/api/3",
        "https://acme.api-us1.com/api",
        "https://acme.api-us1.com/api/",
        "https://acme.api-us1.com/API/3",
        '"https://acme.api-us1.com/api/3/"',
        "'acme.api-us1.com'",
        "<https://acme.api-us1.com>",
        "https://acme.api-us1.com/api/3/",
        "https://ACME.api-us1.com/api/3/deals",
        "https://acme.api-us1.com/api/3/deals/7",
        "acme.api-us1.com",
        "acme.api-us1.com/api/3",
        "  acme.api-us1.com/api/3/ \n",
    ],
)
def test_every_way_to_write_it_is_one_address(text: str):
    """A scheme, /api/3, an endpoint behind it, a slash and spaces around it change nothing."""
    assert account_address(text) == "https://acme.api-us1.com"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("127.0.0.1:8080/api/3", "http://127.0.0.1:8080"),
        ("localhost:80", "http://localhost:80"),
        ("http://[::1]:8080/api/3", "http://[::1]:8080"),
        ("https://proxy.example/crm/api/3/", "https://proxy.example/crm"),
        ("https://proxy.example/crm", "https://proxy.example/crm"),
        ("https://acme.activehosted.com", "https://acme.activehosted.com"),
        ("https://acme.api-eu1.com:443/api/3", "https://acme.api-eu1.com:443"),
        ("https://acme.api-us1.com/api/30", "https://acme.api-us1.com/api/30"),
    ],
)
def test_ports_prefixes_and_other_hosts_stay(text: str, address: str):
    """Loopback may be plain http, and what stands before /api/3 is kept."""
    assert account_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "acme",
        "https://acme",
        "https://www.activecampaign.com",
        "https://activecampaign.com/",
        "developers.activecampaign.com/reference",
        "https://acme.api-us1.com/api/1",
        "https://acme.activehosted.com/admin/api.php",
        "https://acme.activehosted.com/app/settings/developer",
        "http://acme.api-us1.com",
        "ftp://acme.api-us1.com",
        "https://me:secret@acme.api-us1.com",
        "https://acme.api-us1.com?api_key=secret",
        "https://[acme",
        "[acme",
        "acme.api-us1.com\\\\api",
        "https:\\\\\\\\acme.api-us1.com",
        "https://acme.api-us1.com/API/1/",
        "ftp://",
    ],
)
def test_a_wrong_one_gets_help(text: str):
    """What cannot be an account's API says where the right URL is, and repeats no secret."""
    with pytest.raises(ConfigurationError, match="Settings > Developer") as caught:
        account_address(text)
    assert "secret" not in str(caught.value)


def test_an_account_is_its_host():
    """The budget is counted by host and port, whatever the scheme and the path."""
    assert account_of("https://acme.api-us1.com/x") == account_of("http://acme.api-us1.com")
    assert account_of("http://127.0.0.1:1") != account_of("http://127.0.0.1:2")
    assert account_of("https://acme.api-us1.com:443") == account_of("https://acme.api-us1.com")
    assert account_of("https://acme.api-us1.com:8443") != account_of("https://acme.api-us1.com")
    assert account_of("http://localhost:80") == account_of("http://localhost")


@pytest.mark.parametrize("text", ["", "ftp://acme.example", "https://"])
def test_the_help_is_of_this_vendor(text: str):
    """What an address should look like is this vendor's form, not the other one's."""
    with pytest.raises(ConfigurationError) as caught:
        account_address(text)
    assert "nimble" not in str(caught.value)
    assert "api-us1.com" in caught.value.message
