"""What each documented call sends is what the vendor's own libraries were recorded to send."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from grantway.client import ClientError
from tests.helpers.hostile import PATIENT, Hostile, says
from tests.helpers.recorded import Recorded, authorization_of, members_of, recordings

Call = Callable[[Any], Any]
Calls = Callable[..., Any]

SDKS = {
    "Sunshine": "sunshine-conversations-client 17.0.1 (PyPI)",
    "PhoneCom": "phone.com API-SDK-python 1.0.0",
    "Square": "squareup 46.0.0.20260916 (PyPI)",
    "Square before": "squareup 35.1.0.20240320 (PyPI)",
}
BACK = "http://127.0.0.1:PORT/cb"
APP = {"client_id": "sq0idp-APP", "client_secret": "sq0csp-SECRET"}
CID = {"client_id": "CID", "client_secret": "SEC"}
CLIENT = "Client sq0csp-SECRET"

# Which library, the number of its recorded request, how ours is set up, and what is called.
SENT: list[tuple[str, int, dict[str, Any], Call]] = [
    ("Sunshine", 2, {}, lambda to: to.get_token(
        code="658965", grant_type="authorization_code", client_id="5e4af71a81966cfff3ef6550",
        client_secret="5XJ85yjUtRcaQu_pDINblPZb")),
    ("Sunshine", 3, {}, lambda to: to.get_token(
        {"code": "658965", "grant_type": "authorization_code", "client_id": "a", "client_secret": "b"})),
    ("Sunshine", 5, {}, lambda to: to.get_token_info()),
    ("Sunshine", 7, {"access_token": "JWT"}, lambda to: to.get_token_info()),
    ("Sunshine", 7, {}, lambda to: to.get_token_info("JWT")),
    ("Sunshine", 9, {"access_token": "JWT"}, lambda to: to.revoke_access()),
    ("Sunshine", 10, {"username": "app_key", "password": "sec"}, lambda to: to.revoke_access()),
    ("Sunshine", 11, {"access_token": "JWT", "username": "app_key", "password": "sec"},
     lambda to: to.revoke_access()),
    ("Sunshine", 12, {}, lambda to: to.revoke_access()),
    ("PhoneCom", 0, {}, lambda to: to.create_oauth_access_token(
        grant_type="authorization_code", code="CODE", redirect_uri="http://localhost/", **CID)),
    ("PhoneCom", 1, {}, lambda to: to.create_oauth_access_token(
        {"grant_type": "client_credentials", "scope": "account-owner methods:ALL", **CID})),
    ("PhoneCom", 2, {}, lambda to: to.create_oauth_access_token(
        grant_type="password", scope="extension-user", username="u", password="p", **CID)),
    ("PhoneCom", 3, {}, lambda to: to.create_oauth_access_token(
        data={"grant_type": "refresh_token", "refresh_token": "rrr", **CID})),
    ("PhoneCom", 8, {}, lambda to: to.get_oauth_access_token()),
    ("PhoneCom", 9, {"access_token": "R3dh~6"}, lambda to: to.get_oauth_access_token()),
    ("PhoneCom", 10, {"access_token": "R3dh~6"}, lambda to: to.create_oauth_access_token(
        grant_type="client_credentials", client_id="CID")),
    ("Square", 0, {}, lambda to: to.obtain_token(
        grant_type="authorization_code", code="sq0cgb-CODE", redirect_uri="https://app.example/cb", **APP)),
    ("Square", 1, {}, lambda to: to.obtain_token(
        client_id="sq0idp-APP", grant_type="authorization_code", code="sq0cgb-CODE", code_verifier="v" * 43)),
    ("Square", 2, {}, lambda to: to.obtain_token(
        grant_type="refresh_token", refresh_token="EQAA", scopes=["PAYMENTS_READ"], short_lived=True, use_jwt=True,
        **APP)),
    ("Square", 3, {}, lambda to: to.obtain_token(
        body={"grant_type": "migration_token", "migration_token": "sq0atp-old", **APP})),
    ("Square", 5, {}, lambda to: to.revoke_token(
        {"client_id": "sq0idp-APP", "merchant_id": "MLQ"}, authorization=CLIENT)),
    ("Square", 6, {"access_token": "EAAl"}, lambda to: to.retrieve_token_status()),
    ("Square before", 1, {}, lambda to: to.obtain_token(
        grant_type="refresh_token", refresh_token="EQAA", scopes=["PAYMENTS_READ"], short_lived=True, **APP)),
    ("Square before", 2, {}, lambda to: to.revoke_token(
        {"client_id": "sq0idp-APP", "access_token": "EAAl", "revoke_only_access_token": False}, CLIENT)),
    ("Square before", 3, {}, lambda to: to.renew_token(
        client_id="sq0idp-APP", body={"access_token": "EAAl"}, authorization=CLIENT)),
    ("Square before", 4, {}, lambda to: to.renew_token("sq0 idp/A&P", access_token="EAAl", authorization=CLIENT)),
    ("Square before", 5, {}, lambda to: to.retrieve_token_status("EAAl")),
]  # fmt: skip
ADDRESSES: list[tuple[str, int, Call]] = [
    ("Sunshine", 0, lambda to: to.authorize(
        "5e4af71a81966cfff3ef6550", "code", state="st ate&1", redirect_uri=BACK)),
    ("Sunshine", 1, lambda to: to.authorize("5e4af71a81966cfff3ef6550")),
    ("PhoneCom", 6, lambda to: to.create_oauth_authorization("CID", "code", "account-owner extension-user", BACK)),
    ("PhoneCom", 7, lambda to: to.create_oauth_authorization(
        client_id="CID", response_type="token", scope=["methods:ALL"], redirect_uri=BACK)),
    ("Square", 8, lambda to: to.authorize(
        "sq0idp-APP", scope="PAYMENTS_READ MERCHANT_PROFILE_READ", state="s", session=False)),
]  # fmt: skip


def recorded(sdk: str, number: int) -> Recorded:
    vendor = sdk.partition(" ")[0]
    return recordings(vendor.lower())[SDKS[sdk]][number]


def speaker(calls: Calls, sdk: str, base_url: str, **settings: Any) -> Any:
    vendor = sdk.partition(" ")[0]
    return calls(vendor, base_url + ("/v4" if vendor == "PhoneCom" else ""), **settings)


@pytest.mark.filterwarnings("ignore:Square has deprecated renew_token:DeprecationWarning")
@pytest.mark.parametrize(
    ("sdk", "number", "settings", "call"), SENT, ids=[f"{sdk}-{number}" for sdk, number, _, _ in SENT]
)
def test_a_call_sends_what_the_vendors_library_sends(
    sdk: str, number: int, settings: dict[str, Any], call: Call, calls: Calls, twin: Hostile
) -> None:
    theirs = recorded(sdk, number)
    twin.play(says(418, {}))
    with suppress(ClientError):
        call(speaker(calls, sdk, twin.base_url, timeouts=PATIENT, **settings))
    (ours,) = twin.received
    head, _, body = ours.decode().partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    assert first == f"{theirs['method']} {theirs['target']} HTTP/1.1"
    # What is false when left out is left out.
    assert json.loads(body or "{}") == {name: value for name, value in members_of(theirs).items() if value is not False}
    expected = authorization_of(theirs)
    if theirs["method"] == "POST" and not (expected or "").startswith("Client ") and "status" not in theirs["target"]:
        expected = None  # a library sends whatever token it has, which is nobody's to see here
    assert headers.get("authorization") == expected
    assert ("content-type" in headers) == bool(body)


@pytest.mark.parametrize(("sdk", "number", "call"), ADDRESSES, ids=[f"{sdk}-{number}" for sdk, number, _ in ADDRESSES])
def test_an_address_says_what_the_vendors_library_asks(sdk: str, number: int, call: Call, calls: Calls) -> None:
    theirs = urlsplit(recorded(sdk, number)["target"])
    ours = urlsplit(call(speaker(calls, sdk, "https://platform.example")))
    assert (ours.scheme, ours.netloc, ours.path) == ("https", "platform.example", theirs.path)
    assert sorted(parse_qsl(ours.query)) == sorted(parse_qsl(theirs.query))
    assert "+" not in unquote(ours.query)


@pytest.mark.parametrize(
    ("vendor", "settings", "address"),
    [
        ("Sunshine", {}, "https://oauth-bridge.zendesk.com/sc/oauth/authorize"),
        ("Sunshine", {"base_url": "https://acme.example/sc/"}, "https://acme.example/sc/oauth/authorize"),
        ("PhoneCom", {}, "https://api.phone.com/v4/oauth/authorization"),
        ("PhoneCom", {"base_url": "https://acme.example/x/v4/"}, "https://acme.example/x/v4/oauth/authorization"),
        ("Square", {}, "https://connect.squareup.com/oauth2/authorize"),
        ("Square", {"base_url": "https://connect.squareupsandbox.com"},
         "https://connect.squareupsandbox.com/oauth2/authorize"),
    ],
)  # fmt: skip
def test_the_addresses_of_the_vendors_are_there_by_themselves(
    vendor: str, settings: dict[str, str], address: str, calls: Calls
) -> None:
    to = calls(vendor, **settings)
    url = (
        to.create_oauth_authorization("a", "code", "b", "c") if vendor == "PhoneCom" else to.authorize("a")
    )  # fmt: skip
    assert url.partition("?")[0] == address


def test_where_sunshines_calls_go_is_as_its_pages_say() -> None:
    from grantway.client import SunshineServer

    bases = SunshineServer(), SunshineServer("https://a.example/sc"), SunshineServer(api_base_url="https://b.example")
    assert [(each.base_url, each.api_base_url) for each in bases] == [
        ("https://oauth-bridge.zendesk.com/sc", "https://api.smooch.io"),
        ("https://a.example/sc", "https://a.example/sc"),
        ("https://oauth-bridge.zendesk.com/sc", "https://b.example"),
    ]


@pytest.mark.parametrize(
    ("vendor", "call", "said"),
    [
        ("Sunshine", lambda to: to.get_token(code="c", client_id="a", client_secret="s"), "get_token() needs grant_type"),
        ("Sunshine", lambda to: to.get_token({"kode": "c"}), "get_token() has no field 'kode'"),
        ("PhoneCom", lambda to: to.create_oauth_access_token(), "create_oauth_access_token() needs grant_type"),
        ("PhoneCom", lambda to: to.create_oauth_access_token(grant_type="password"),
         "create_oauth_access_token() needs client_id"),
        ("Square", lambda to: to.obtain_token(client_id="a"), "obtain_token() needs grant_type"),
        ("Square", lambda to: to.revoke_token(authorization=CLIENT, access_token="t"), "revoke_token() needs client_id"),
        ("Square", lambda to: to.revoke_token(client_id="a", access_token="t"),
         "revoke_token() needs authorization, as 'Client APPLICATION_SECRET'"),
        ("Square", lambda to: to.revoke_token({"client_id": "a"}, "sq0csp-SECRET"),
         "revoke_token() needs authorization, as 'Client APPLICATION_SECRET'"),
    ],
)  # fmt: skip
def test_a_call_that_misses_something_is_a_type_error_and_sends_nothing(
    vendor: str, call: Call, said: str, calls: Calls
) -> None:
    with pytest.raises(TypeError) as raised:
        call(calls(vendor, "http://127.0.0.1:1"))
    assert str(raised.value) == said


def test_renewing_a_square_token_warns_whoever_calls(calls: Calls, twin: Hostile) -> None:
    twin.play(says(418, {}))
    square = calls("Square", twin.base_url, timeouts=PATIENT)
    with pytest.warns(DeprecationWarning, match="obtain_token with grant_type='refresh_token'"), suppress(ClientError):
        square.renew_token("a", access_token="t", authorization=CLIENT)
