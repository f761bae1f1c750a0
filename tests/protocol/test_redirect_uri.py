"""Redirect URIs: what may be registered, and what matches (RFC 8252 §7, RFC 9700 §2.1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grantway.protocol.redirect_uri import check_registration, is_registered, is_same, is_web, uri_digest

LONGEST = "https://client.example/" + "a" * (2048 - 23)


@pytest.mark.parametrize(
    "uri",
    [
        "https://client.example",
        "https://client.example/callback",
        "https://client.example:8443/callback?tenant=1&x=%20",
        "https://xn--bcher-kva.example/cb",
        "https://192.0.2.1/cb",
        "http://127.0.0.1/cb",
        "http://127.0.0.1:8080/cb",
        "http://[::1]/cb",
        "http://[::1]:8080/cb",
        "http://localhost:3000/cb",
        "com.example.app:/oauth",
        "com.example.app://callback",
        "com.example-corp.app2:/cb",
        LONGEST,
    ],
)
def test_these_may_be_registered(uri: str) -> None:
    check_registration(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "client.example/cb",
        "/cb",
        "//client.example/cb",
        "https:client.example/cb",
        "https:///cb",
        "https://",
        "https://client.example/cb#",
        "https://client.example/cb#fragment",
        "https://user@client.example/cb",
        "https://user:password@client.example/cb",
        "https://@client.example/cb",
        "https://client.example@evil.example/cb",
        "https://*.client.example/cb",
        "https://client.example/*",
        "https://client.example:port/cb",
        "https://client.example:99999/cb",
        "https://client.example/c b",
        "https://client.example/cb\n",
        "https://client.example/cb\t",
        "https://client.example/\\evil",
        "https://client.exämple/cb",
        "https://client.example/cb?code=mine",
        "https://client.example/cb?state=mine",
        "https://client.example/cb?response_type=code",
        "http://client.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://127.0.0.2/cb",
        "http://127.1/cb",
        "http://2130706433/cb",
        "http://0.0.0.0/cb",
        "http://[::ffff:127.0.0.1]/cb",
        "http://[::1%25eth0]/cb",
        "http://localhost/cb",
        "http://localhost.evil.example:80/cb",
        "http://user@127.0.0.1/cb",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "vbscript:x",
        "blob:https://client.example/x",
        "about:blank",
        "ftp://client.example/cb",
        "ws://client.example/cb",
        "com.example.app://user:password@callback",
        "myapp:/cb",
        "myapp://cb",
        ".com:/cb",
        "com.:/cb",
        LONGEST + "a",
    ],
)
def test_these_may_not(uri: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        check_registration(uri)


@given(st.text())
def test_whatever_is_registered_is_taken_or_refused_with_a_sentence(uri: str) -> None:
    try:
        check_registration(uri)
    except ValueError:
        return
    assert is_registered(uri, (uri,))
    assert uri.isascii()


REGISTERED = (
    "https://client.example/callback",
    "https://client.example/with?query=1",
    "http://127.0.0.1:8080/cb",
    "http://[::1]/cb",
    "http://localhost:3000/cb",
    "com.example.app:/oauth",
)


@pytest.mark.parametrize(
    "uri",
    [
        *REGISTERED,
        "http://127.0.0.1/cb",
        "http://127.0.0.1:1/cb",
        "http://127.0.0.1:65535/cb",
        "http://[::1]:49152/cb",
    ],
)
def test_these_match_at_use(uri: str) -> None:
    assert is_registered(uri, REGISTERED)


@pytest.mark.parametrize(
    "uri",
    [
        "https://client.example/callback/",
        "https://client.example/callback?",
        "https://client.example/callback?x=1",
        "https://client.example/callback#",
        "https://client.example/Callback",
        "https://CLIENT.example/callback",
        "HTTPS://client.example/callback",
        "https://client.example:443/callback",
        "https://client.example/./callback",
        "https://client.example/%63allback",
        "https://client.example//callback",
        "https://client.example/callback/../callback",
        "https://client.example.evil.example/callback",
        "https://client.example@evil.example/callback",
        "https://client.example/with",
        "https://client.example/with?query=2",
        "http://client.example/callback",
        " https://client.example/callback",
        "https://client.example/callback\n",
        "http://localhost:3001/cb",
        "http://localhost/cb",
        "http://127.0.0.1:8080/other",
        "http://127.0.0.1:8080/cb?x=1",
        "http://127.0.0.1:123456/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:80@evil.example/cb",
        "http://127.0.0.1@evil.example/cb",
        "http://127.0.0.1:8080.evil.example/cb",
        "https://127.0.0.1:8080/cb",
        "http://[::1]:8080/other",
        "http://[::2]:8080/cb",
        "com.example.app:/oauth/",
        "COM.example.app:/oauth",
        "",
    ],
)
def test_these_do_not(uri: str) -> None:
    assert not is_registered(uri, REGISTERED)


def test_a_port_is_made_of_ascii_digits() -> None:
    """``\\d`` also takes the digits of other scripts, which no Location header can carry."""
    assert not is_registered("http://127.0.0.1:８０８０/cb", REGISTERED)
    assert not is_registered("http://127.0.0.1:٣٤/cb", REGISTERED)


def test_only_https_proves_who_receives() -> None:
    assert [is_web(uri) for uri in REGISTERED] == [True, True, False, False, False, False]


@given(st.text(max_size=50), st.text(max_size=50))
def test_a_digest_knows_its_uri_again(one: str, other: str) -> None:
    assert is_same(one, uri_digest(one))
    assert is_same(other, uri_digest(one)) == (one == other)
