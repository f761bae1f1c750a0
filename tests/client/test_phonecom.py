"""Phone.com's calls, and the uniform surface over them, against our real server: every method and every grant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from grantway.client import (
    AuthorizationRefused,
    CallbackWrong,
    ClientError,
    NoAnswer,
    PhoneComServer,
    Refused,
    Tokens,
    Unsupported,
)
from tests.client.conftest import REDIRECT_URI
from tests.helpers.server import PASSWORD, Platform

Make = Callable[..., Any]
BOTH = "account-owner extension-user"


def new_app(platform: Platform) -> dict[str, str]:
    made = platform.client(
        "Dialer", "--profile", "phonecom", "--redirect-uri", REDIRECT_URI, "--account", platform.account["id"],
        "--set", "grant_types=authorization_code refresh_token client_credentials password implicit",
    )  # fmt: skip
    return {"client_id": made["client_id"], "client_secret": made["client_secret"]}


@pytest.fixture(scope="module")
def app(platform: Platform) -> dict[str, str]:
    """A client of the account, for which an operator turned every grant on."""
    return new_app(platform)


@pytest.fixture
def own_app(platform: Platform) -> dict[str, str]:
    """One of the test's own, with no connection yet."""
    return new_app(platform)


@pytest.fixture
def base_url(platform: Platform) -> str:
    return platform.base_url + "/v4"


def refused(call: Callable[[], Any]) -> Refused:
    with pytest.raises(Refused) as raised:
        call()
    return raised.value


def lasts_an_hour(at: datetime | None) -> bool:
    assert at is not None
    return abs(at - datetime.now(UTC) - timedelta(hours=1)) < timedelta(seconds=90)


def by_code(platform: Platform, to: Any, app: dict[str, str], scope: str = BOTH) -> Tokens:
    url = to.create_oauth_authorization(app["client_id"], "code", scope, REDIRECT_URI)
    came = dict(parse_qsl(urlsplit(platform.customer.decide(url)).query, keep_blank_values=True))
    assert came["state"] == "", "echoed even when there was none"
    tokens: Tokens = to.create_oauth_access_token(
        grant_type="authorization_code", code=came["code"], redirect_uri=REDIRECT_URI, **app
    )
    return tokens


def by_password(platform: Platform, to: Any, app: dict[str, str], scope: str = BOTH) -> Tokens:
    tokens: Tokens = to.create_oauth_access_token(
        grant_type="password", username=platform.customer.email, password=PASSWORD, scope=scope, **app
    )
    return tokens


def by_refresh(platform: Platform, to: Any, app: dict[str, str], scope: str = BOTH) -> Tokens:
    before = by_code(platform, to, app, scope)
    tokens: Tokens = to.create_oauth_access_token(
        {"grant_type": "refresh_token", "refresh_token": before.refresh_token, **app}
    )
    assert tokens.refresh_token not in (None, before.refresh_token)
    return tokens


def by_itself(platform: Platform, to: Any, app: dict[str, str], scope: str = "account-owner methods:ALL") -> Tokens:
    tokens: Tokens = to.create_oauth_access_token(data={"grant_type": "client_credentials", "scope": scope, **app})
    return tokens


GRANTS = {
    "authorization_code": by_code,
    "client_credentials": by_itself,
    "password": by_password,
    "refresh_token": by_refresh,
}


@pytest.mark.parametrize("grant", GRANTS)
def test_every_grant_makes_a_token_whose_details_are_told_until_it_signs_out(
    grant: str, calls: Make, platform: Platform, app: dict[str, str], base_url: str
) -> None:
    to = calls("PhoneCom", base_url)
    tokens = GRANTS[grant](platform, to, app)
    assert tokens.token_type == "Bearer"
    assert lasts_an_hour(tokens.expires_at)
    assert (tokens.refresh_token is None) is (grant == "client_credentials")

    with_token = calls("PhoneCom", base_url, access_token=tokens.access_token)
    details = with_token.get_oauth_access_token()
    assert details.scope == tokens.scope
    assert details.expires_at is not None
    assert tokens.expires_at is not None
    assert abs(details.expires_at - tokens.expires_at) <= timedelta(seconds=5)
    assert isinstance(details.voip_id, int)
    assert (details.extension_id is None) is (grant == "client_credentials")

    with_token.delete_access_token()
    assert refused(with_token.get_oauth_access_token).code == "invalid_token"
    with_token.delete_access_token()  # who is signed out already stays so
    if tokens.refresh_token is not None:
        again = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token, **app}
        ended = refused(lambda: to.create_oauth_access_token(again))
        assert (ended.status, ended.code) == (401, "invalid_grant")


def test_an_extension_users_token_names_the_extension_and_not_the_account(
    calls: Make, platform: Platform, app: dict[str, str], base_url: str
) -> None:
    to = calls("PhoneCom", base_url)
    tokens = by_password(platform, to, app, "extension-user")
    details = to.get_oauth_access_token(tokens.access_token)
    assert (details.scope, details.voip_id) == (("extension-user",), None)
    assert isinstance(details.extension_id, int)


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"password": "wrong"}, 401, "invalid_grant"),
        ({"grant_type": "authorization_code", "code": "nonesuch", "redirect_uri": REDIRECT_URI}, 401, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "nonesuch"}, 401, "invalid_grant"),
        ({"grant_type": "device_code"}, 422, "unsupported_grant_type"),
        ({"scope": "everything"}, 422, "invalid_scope"),
    ],
)
def test_how_a_token_is_refused(
    changed: dict[str, str], status: int, code: str, calls: Make, platform: Platform, app: dict[str, str], base_url: str
) -> None:
    sent = {"grant_type": "password", "username": platform.customer.email, "password": PASSWORD, "scope": BOTH, **app}
    told = refused(lambda: calls("PhoneCom", base_url).create_oauth_access_token(sent | changed))
    assert (told.status, told.code) == (status, code)
    (entry,) = told.errors
    assert (entry.code, entry.detail) == (code, told.description)
    assert entry.field == {"unsupported_grant_type": "grant_type", "invalid_scope": "scope"}.get(code)


def test_the_implicit_grant_brings_the_token_in_the_fragment(
    calls: Make, platform: Platform, app: dict[str, str], base_url: str
) -> None:
    to = calls("PhoneCom", base_url)
    state = "a=b&c d+ü"
    url = to.create_oauth_authorization(app["client_id"], "token", BOTH, REDIRECT_URI, state=state)
    callback = platform.customer.decide(url)
    assert callback.startswith(f"{REDIRECT_URI}#access_token=")
    came = to.read_oauth_authorization(callback, state=state)
    assert came.code is None
    assert (came.tokens.refresh_token, came.tokens.scope) == (None, tuple(BOTH.split()))
    assert lasts_an_hour(came.tokens.expires_at)
    assert came.tokens.access_token not in repr(came)
    assert to.get_oauth_access_token(came.tokens.access_token).scope == tuple(BOTH.split())
    with pytest.raises(CallbackWrong) as raised:
        to.read_oauth_authorization(callback, state="another")
    assert raised.value.kind == "state_differs"


@pytest.mark.parametrize("response_type", ["code", "token"])
def test_who_says_no_is_a_refused_authorization(
    response_type: str, calls: Make, platform: Platform, own_app: dict[str, str], base_url: str
) -> None:
    to = calls("PhoneCom", base_url)
    url = to.create_oauth_authorization(own_app["client_id"], response_type, BOTH, REDIRECT_URI, state="s")
    with pytest.raises(AuthorizationRefused) as raised:
        to.read_oauth_authorization(platform.customer.decide(url, "deny"), state="s")
    assert raised.value.code == "access_denied"


SECRET = "gwa_0123456789secret"
FRAGMENTS: list[tuple[str, type[ClientError], str]] = [
    ("", CallbackWrong, "malformed"),
    ("#", CallbackWrong, "malformed"),
    ("#state=s", CallbackWrong, "malformed"),
    ("?code=a#error=b&state=s", AuthorizationRefused, ""),
    (f"#access_token={SECRET}&state=s", CallbackWrong, "malformed"),
    (f"#access_token={SECRET}&token_type=DPoP&state=s", NoAnswer, "token_type"),
    (f"#access_token={SECRET}&token_type=Bearer&expires_in=soon&state=s", CallbackWrong, "malformed"),
    (f"#access_token={SECRET}&token_type=Bearer&expires_in={2**62}&state=s", NoAnswer, "wrong_type"),
    (f"#access_token={SECRET}&access_token={SECRET}2&token_type=Bearer&state=s", CallbackWrong, "malformed"),
    (f"#access_token={SECRET}%0d%0aX&token_type=Bearer&state=s", CallbackWrong, "malformed"),
    (f"#access_token={SECRET}&token_type=Bearer&error=access_denied&state=s", CallbackWrong, "malformed"),
    (f"#access_token={SECRET}&token_type=Bearer&state=%ff", CallbackWrong, "malformed"),
    (f"#access_token={SECRET}&token_type=Bearer", CallbackWrong, "state_differs"),
    (f"#access_token={SECRET}&token_type=Bearer&state=t", CallbackWrong, "state_differs"),
    (f"#accessToken={SECRET}&token_type=Bearer&state=s", CallbackWrong, "malformed"),
    (f"?access_token={SECRET}&token_type=Bearer&state=s", CallbackWrong, "malformed"),
]


@pytest.mark.parametrize(("answer", "error", "kind"), FRAGMENTS)
def test_no_token_is_made_of_a_callback_that_is_none(
    answer: str, error: type[ClientError], kind: str, calls: Make
) -> None:
    with pytest.raises(ClientError) as raised:
        calls("PhoneCom", "http://127.0.0.1:1/v4").read_oauth_authorization(REDIRECT_URI + answer, state="s")
    assert type(raised.value) is error
    assert getattr(raised.value, "kind", "") == kind
    assert SECRET not in repr(raised.value) + str(raised.value)


# --- the uniform surface


@pytest.fixture(params=["confidential", "public"])
def registered(request: pytest.FixtureRequest, platform: Platform) -> dict[str, Any]:
    if request.param == "confidential":
        return {**new_app(platform), "redirect_uri": REDIRECT_URI}
    made = platform.client("Web dialer", "--profile", "phonecom", "--public", "--redirect-uri", REDIRECT_URI)
    return {"client_id": made["client_id"], "redirect_uri": REDIRECT_URI}


def test_a_whole_connection(make: Make, platform: Platform, registered: dict[str, Any], base_url: str) -> None:
    client = make(PhoneComServer(base_url), **registered)
    begun = client.begin(scope=BOTH)
    assert "code_challenge_method=S256" in begun.url
    tokens = client.complete(platform.customer.decide(begun.url), state=begun.state)
    found = client.info(tokens)
    assert (found.active, found.scope) == (True, tuple(BOTH.split()))
    assert found.account.id == found.account.external_id
    assert found.account.id.isdigit()
    assert found.subject.isdigit()
    fresh = client.refresh(tokens)
    assert fresh.refresh_token != tokens.refresh_token
    assert client.refresh(tokens).refresh_token == fresh.refresh_token, "a lost answer is asked for again"
    assert client.refresh(fresh, scope="extension-user").scope == ("extension-user",)


def test_revoking_ends_the_refresh_token_even_when_the_access_token_is_over(
    make: Make, platform: Platform, registered: dict[str, Any], base_url: str
) -> None:
    """Signing out takes an active access token; one that has expired would leave the refresh token alive."""
    client = make(PhoneComServer(base_url), **registered)
    tokens = client.complete(platform.customer.decide(client.begin(scope=BOTH).url))
    client.revoke(Tokens("gwa_expired", refresh_token=tokens.refresh_token))
    assert refused(lambda: client.refresh(tokens)).code == "invalid_grant"
    assert client.info(tokens).active is False
    client.revoke(tokens)


def test_an_implicit_authorization_is_completed_from_its_fragment(
    make: Make, platform: Platform, app: dict[str, str], base_url: str
) -> None:
    client = make(PhoneComServer(base_url), **app, redirect_uri=REDIRECT_URI)
    begun = client.begin(scope=BOTH, response_type="token")
    assert "code_challenge" not in begun.url
    callback = platform.customer.decide(begun.url)
    tokens = client.complete(callback, state=begun.state)
    assert lasts_an_hour(tokens.expires_at)
    assert client.info(tokens).scope == tuple(BOTH.split())
    with pytest.raises(Unsupported):
        client.refresh(tokens)
    with pytest.raises(CallbackWrong) as raised:
        client.complete(callback)
    assert raised.value.kind == "state_used"
    client.revoke(tokens)
    assert client.info(tokens).active is False


def test_an_answer_of_the_other_kind_than_was_begun_is_not_taken(
    make: Make, platform: Platform, app: dict[str, str], base_url: str
) -> None:
    client = make(PhoneComServer(base_url), **app, redirect_uri=REDIRECT_URI)
    for asked, answer in (("code", f"#access_token={SECRET}&token_type=Bearer&state="), ("token", "?code=abc&state=")):
        begun = client.begin(scope=BOTH, response_type=asked)
        with pytest.raises(CallbackWrong) as raised:
            client.complete(REDIRECT_URI + answer + begun.state)
        assert raised.value.kind == "malformed"


def test_a_client_acts_for_the_account_that_it_belongs_to(
    make: Make, platform: Platform, app: dict[str, str], base_url: str
) -> None:
    client = make(PhoneComServer(base_url), **app)
    tokens = client.client_credentials(scope="account-owner")
    found = client.info(tokens)
    assert (found.active, found.subject) == (True, None)
    assert found.account is not None
    client.revoke(tokens)
    assert client.info(tokens).active is False


def test_who_is_suspended_is_not_active_and_may_still_leave(
    make: Make, platform: Platform, own_app: dict[str, str], base_url: str
) -> None:
    client = make(PhoneComServer(base_url), **own_app, redirect_uri=REDIRECT_URI)
    tokens = client.complete(platform.customer.decide(client.begin(scope=BOTH).url))
    (connection,) = platform.server.cli("connections", "list", "--client", own_app["client_id"])["connections"]
    platform.server.cli("connections", "suspend", connection["id"])
    found = client.info(tokens)
    assert (found.active, found.connection_state) == (False, "suspended")
    assert refused(lambda: client.refresh(tokens)).connection_state == "suspended"
    client.revoke(tokens)
    found = client.info(tokens)
    assert (found.active, found.connection_state) == (False, None), "nobody is left to come back"


def test_a_token_without_end_has_none(
    make: Make, platform: Platform, app: dict[str, str], base_url: str
) -> None:  # fmt: skip
    made = platform.server.cli("tokens", "create", "--client", app["client_id"], "--account", platform.account["id"])
    found = make(PhoneComServer(base_url), **app).info(Tokens(made["access_token"]))
    assert (found.active, found.expires_at) == (True, None)


def test_what_the_vendor_requires_is_asked_for_before_anything_is_sent(make: Make) -> None:
    client = make(PhoneComServer("http://127.0.0.1:1/v4"), client_id="a")
    for asked in ({"redirect_uri": REDIRECT_URI}, {"scope": BOTH}):
        with pytest.raises(ValueError, match="requires scope and redirect_uri"):
            client.begin(**asked)
    for what in ("resource", "prompt"):
        with pytest.raises(Unsupported) as raised:
            client.begin(scope=BOTH, redirect_uri=REDIRECT_URI, **{what: "https://api.example"})
        assert raised.value.what == what
