"""Which addresses the guard permits: a table of the odd ones, and the sentences at registration."""

from __future__ import annotations

import pytest

from grantway.server.connections.addresses import AddressRules
from grantway.server.connections.outgoing import check_target

STRICT = AddressRules()
DEVELOPMENT = AddressRules(development=True)

REFUSED = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.1.2.3",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",  # IPv4-compatible, deprecated
    "::ffff:10.0.0.1",  # IPv4-mapped
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:7f00:1",  # IPv4-translated
    "64:ff9b::10.0.0.1",  # NAT64
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",  # Teredo
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::1",  # 6to4
    "2002:a9fe:a9fe::1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",  # a cloud's metadata
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]

PERMITTED = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.215.14",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "192.0.1.1",
    "223.255.255.255",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2001:4860:4860::8888",
    "2606:4700:4700::1111",
    "2a00:1450:4001:80b::200e",
]


@pytest.mark.parametrize("text", REFUSED)
def test_an_address_that_is_not_public_is_refused(text: str) -> None:
    assert not STRICT.permit_resolved(text, "bot.example", "https")
    literal = f"[{text}]" if ":" in text else text
    with pytest.raises(ValueError, match="public"):
        check_target(f"https://{literal}/removed", STRICT)


@pytest.mark.parametrize("text", PERMITTED)
def test_a_public_address_is_permitted_over_https_only(text: str) -> None:
    assert STRICT.permit_resolved(text, "bot.example", "https")
    assert not STRICT.permit_resolved(text, "bot.example", "http")
    assert not DEVELOPMENT.permit_resolved(text, "bot.example", "http")


@pytest.mark.parametrize(
    "text", ["fe80::1%eth0", "2606:4700:4700::1111%1", "127.1", "010.0.0.1", "2130706433", "", "x"]
)
def test_what_is_no_plain_address_is_refused(text: str) -> None:
    assert not STRICT.permit_resolved(text, "bot.example", "https")
    assert not DEVELOPMENT.permit_resolved(text, "bot.example", "http")


@pytest.mark.parametrize("text", ["127.0.0.1", "127.0.0.5", "::1", "::ffff:127.0.0.1"])
def test_development_opens_loopback(text: str) -> None:
    assert DEVELOPMENT.permit_resolved(text, "localhost", "http")
    assert DEVELOPMENT.permit_resolved(text, "localhost", "https")


@pytest.mark.parametrize(
    "text", [each for each in REFUSED if "127" not in each and "7f00" not in each and each != "::1"]
)
def test_development_opens_nothing_else(text: str) -> None:
    assert not DEVELOPMENT.permit_resolved(text, "localhost", "http")
    assert not DEVELOPMENT.permit_resolved(text, "localhost", "https")


def test_the_operator_may_allow_hosts_addresses_and_networks() -> None:
    rules = AddressRules.of("https://auth.example", ["Hooks.Internal", "10.1.0.0/16", "fd00:1::/64", "192.168.7.7"])
    assert rules.permit_resolved("172.16.0.9", "hooks.internal", "https")
    assert not rules.permit_resolved("172.16.0.9", "other.internal", "https")
    assert rules.permit_resolved("10.1.2.3", "any.example", "https")
    assert rules.permit_resolved("::ffff:10.1.2.3", "any.example", "https")
    assert rules.permit_resolved("fd00:1::5", "any.example", "https")
    assert rules.permit_resolved("192.168.7.7", "any.example", "https")
    assert not rules.permit_resolved("10.2.0.1", "any.example", "https")
    assert not rules.permit_resolved("10.1.2.3", "any.example", "http")


def test_a_network_that_is_none_is_refused_with_a_sentence() -> None:
    with pytest.raises(ValueError, match="is not a network"):
        AddressRules.of("https://auth.example", ["10.0.0.1/8"])


@pytest.mark.parametrize(
    ("issuer", "development"),
    [
        ("http://127.0.0.1:8080", True),
        ("http://localhost:8080", True),
        ("http://[::1]:8080", True),
        ("http://0.0.0.0:8080", False),
        ("https://auth.example", False),
        ("https://localhost.example", False),
        ("http://10.0.0.1:8080", False),
    ],
)
def test_development_is_where_the_public_address_is_loopback(issuer: str, development: bool) -> None:
    assert AddressRules.of(issuer).development is development


# at registration


@pytest.mark.parametrize(
    "url",
    [
        "https://bot.example/removed",
        "https://bot.example",
        "https://bot.example:8443/removed?key=1",
        "https://8.8.8.8/x",
        "https://[2606:4700:4700::1111]/x",
        "HTTPS://Bot.Example/x",
        "https://xn--bcher-kva.example/",
    ],
)
def test_a_public_https_address_may_be_registered(url: str) -> None:
    check_target(url)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://bot.example/", "is https"),
        ("http://127.0.0.1:9000/", "is https"),
        ("ftp://bot.example/", "begins with https"),
        ("file:///etc/passwd", "begins with https"),
        ("javascript:alert(1)", "begins with https"),
        ("bot.example/removed", "begins with https"),
        ("https:///removed", "begins with https"),
        ("https:bot.example", "begins with https"),
        ("", "begins with https"),
        ("https://u:p@bot.example/", "no user name"),
        ("https://bot.example@10.0.0.1/", "no user name"),
        ("https://bot.example/#x", "no fragment"),
        ("https://bot.example/a b", "ASCII"),
        ("https://bot.example/a\r\nHost: x", "ASCII"),
        ("https://bot.example\\@10.0.0.1/", "ASCII"),
        ("https://bücher.example/", "ASCII"),
        ("https://bot。example/", "ASCII"),
        ("https://bot.example:22/", "port 443"),
        ("https://bot.example:80/", "port 443"),
        ("https://bot.example:0/", "port 443"),
        ("https://bot.example:65536/", "port 443"),
        ("https://bot.example:x/", "cannot be read"),
        ("https://[::1/", "cannot be read"),
        ("https://2130706433/", "usual form"),
        ("https://0x7f.0.0.1/", "usual form"),
        ("https://0177.0.0.1/", "cannot be read"),
        ("https://127.1/", "usual form"),
        ("https://127.0.0.1./", "usual form"),
        ("https://[fe80::1%25eth0]/", "usual form"),
        ("https://localhost/", "public"),
        ("https://a.localhost:8443/", "public"),
        ("https://bot.example/" + "a" * 2048, "2048"),
    ],
)
def test_an_address_that_cannot_be_registered_gets_a_sentence(url: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        check_target(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000/x", "http://localhost:9000/x", "http://[::1]:9000/x"])
def test_in_development_a_developers_own_machine_may_be_registered(url: str) -> None:
    check_target(url, DEVELOPMENT)


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1:9000/x", "http://bot.example:9000/x", "http://[::ffff:10.0.0.1]:9000/"]
)
def test_in_development_http_goes_nowhere_else(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        check_target(url, DEVELOPMENT)
