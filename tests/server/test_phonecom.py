"""Phone.com's calls at the application, and its quirks and traps (vendors.md §2, §4), each a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import pytest

from tests.helpers.asgi import Reply
from tests.helpers.phonecom import (
    AUTHORIZE,
    BOTH,
    TOKEN,
    VOIP_ID,
    Switchboard,
    bearer,
    switchboard,
)
from tests.helpers.world import EMAIL, PASSWORD, REDIRECT_URI


@pytest.fixture(scope="module")
def there() -> Iterator[Switchboard]:
    with switchboard() as one:
        yield one


@pytest.fixture
def fresh() -> Iterator[Switchboard]:
    """One whose clock may be turned."""
    with switchboard() as one:
        yield one


def assert_refused(reply: Reply, status: int, code: str) -> dict[str, Any]:
    """Refused in Mason, with what the vendor's command line asserts (vendors.md §2.6)."""
    assert reply.status == status, reply.body
    assert reply.header("content-type") == "application/vnd.mason+json"
    assert reply.header("cache-control") == "no-store"
    error: dict[str, Any] = reply.json()["@error"]
    assert isinstance(error["@message"], str)
    assert (error["@httpStatusCode"], error["@code"]) == (status, code)
    assert error["@id"] == reply.header("x-request-id")
    assert ("fields" in error) == (status == 422)
    return error


# --- authorize


@pytest.mark.parametrize("missing", ["client_id", "response_type", "scope", "redirect_uri"])
def test_who_leaves_one_of_the_four_parameters_out_ends_on_a_page(there: Switchboard, missing: str) -> None:
    asked = dict(parse_qsl(urlsplit(there.url()).query))
    del asked[missing]
    reply = there.get(f"{AUTHORIZE}?{urlencode(asked)}")
    assert reply.status == 400
    assert reply.header("content-type") == "text/html; charset=utf-8"
    assert reply.header("location") is None


def test_the_state_is_echoed_even_when_none_was_sent(there: Switchboard) -> None:
    """vendors.md §2.4, §4 trap 12."""
    assert there.customer.decide(there.url()).endswith("&state=")
    assert there.customer.decide(there.url(state="")).endswith("&state=")
    for state in (" ", "a=b&c#d%41+", "späße \U0001f511", "\"<script>'"):
        parameters = there.customer.connect(there.url(state=state))
        assert parameters["state"] == state
        assert set(parameters) == {"code", "state"}


def test_a_redirect_uri_keeps_its_query(there: Switchboard) -> None:
    back = there.customer.decide(there.url(redirect_uri=f"{REDIRECT_URI}?x=1"))
    assert back.startswith(f"{REDIRECT_URI}?x=1&code=")


def test_what_a_library_adds_to_the_call_makes_no_difference(there: Switchboard) -> None:
    """vendors.md §4 traps 6 and 10: JSON named on a GET, and a blank written as plus."""
    headers = [("Content-Type", "application/json"), ("Accept", "application/json")]
    reply = there.caller.request("GET", there.url().replace("%20", "+"), headers)
    assert reply.status == 302
    assert (reply.header("location") or "").startswith("/authorize/")


def test_a_slash_behind_the_address_is_forgiven(there: Switchboard) -> None:
    """The vendor's script puts ``/?`` behind the address of the page that it sends people to."""
    reply = there.get(there.url().replace("?", "/?", 1))
    assert (reply.header("location") or "").startswith("/authorize/")


def test_deny_goes_back_in_the_query_with_the_state(there: Switchboard) -> None:
    unknown = there.house.client("New", profile="phonecom", scopes=tuple(BOTH.split()), redirect_uris=(REDIRECT_URI,))
    parameters = there.customer.connect(there.url(unknown, state="s1"), "deny")
    assert (parameters["error"], parameters["state"]) == ("access_denied", "s1")


def test_an_unknown_response_type_goes_back_after_sign_in(there: Switchboard) -> None:
    parameters = there.customer.connect(there.url(response_type="banana", state="s1"))
    assert (parameters["error"], parameters["state"]) == ("unsupported_response_type", "s1")


def test_a_public_client_needs_a_challenge_and_everybody_may_send_one(there: Switchboard) -> None:
    """pitfalls §4: "public browser clients must send S256 PKCE (accepted from all)"."""
    without = there.customer.connect(there.url(there.browser_client, code_challenge=""))
    assert without["error"] == "invalid_request"
    assert "access_token" in there.tokens(there.browser_client)
    code = there.code(code_challenge="E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", code_challenge_method="S256")
    assert_refused(there.post(there.exchange(code)), 401, "invalid_grant")


def test_an_api_key_that_comes_along_to_the_authorization_address_is_ignored(there: Switchboard) -> None:
    """vendors.md §4 trap 2: libraries send what they have, and take it along to where they are redirected."""
    for key in ("Bearer R3dh~6", "R3dh~6", "Basic eDp5"):
        reply = there.get(there.url(), authorization=key)
        assert (reply.status, (reply.header("location") or "").startswith("/authorize/")) == (302, True)


# --- authorize: the implicit flow


def fragment_of(address: str) -> dict[str, str]:
    """Read as the vendor's script reads it."""
    pairs = [pair.split("=") for pair in urlsplit(address).fragment.split("&")]
    return {unquote(name): unquote(value) for name, value in pairs}


def test_a_token_comes_in_the_fragment_and_is_good_at_once(there: Switchboard) -> None:
    """vendors.md §2.4; RFC 6749 §4.2.2: no refresh token."""
    asked = {"response_type": "token", "state": "a=b+c d&e", "code_challenge": "", "code_challenge_method": ""}
    back = there.customer.decide(there.url(there.implicit, **asked))
    assert urlsplit(back).query == ""
    assert "token_type=Bearer" in back
    answer = fragment_of(back)
    assert list(answer) == ["access_token", "token_type", "expires_in", "scope", "state"]
    assert (answer["expires_in"], answer["scope"], answer["state"]) == ("3600", BOTH, asked["state"])
    details = there.get(TOKEN, authorization=f"Bearer {answer['access_token']}").json()
    assert details["scope_details"][0]["voip_id"] == int(VOIP_ID)
    assert there.delete(TOKEN, authorization=answer["access_token"]).status == 200


def test_who_asked_for_a_token_finds_errors_in_the_fragment_too(there: Switchboard) -> None:
    """RFC 6749 §4.2.2.1."""
    denied = there.customer.decide(there.url(there.implicit, response_type="token"), "deny")
    assert urlsplit(denied).query == ""
    assert (fragment_of(denied)["error"], fragment_of(denied)["state"]) == ("access_denied", "")
    refused = there.customer.decide(there.url(there.browser_client, response_type="token", state="s1"))
    assert fragment_of(refused)["error"] == "unsupported_response_type"
    assert fragment_of(refused)["state"] == "s1"


# --- POST: tokens


def test_tokens_come_with_201(there: Switchboard) -> None:
    """vendors.md §2.1, §4 trap 12."""
    reply = there.post(there.exchange(there.code()))
    assert reply.status == 201
    assert reply.header("content-type") == "application/json"
    assert reply.header("cache-control") == "no-store"
    answer = reply.json()
    assert set(answer) == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert (answer["token_type"], answer["expires_in"], answer["scope"]) == ("Bearer", 3600, BOTH)


def test_parameters_come_as_json_as_a_form_in_the_query_or_in_two_places(there: Switchboard) -> None:
    """vendors.md §2.1; §4 trap 7."""
    assert there.post({}, there.exchange(there.code())).status == 201
    assert there.post_form(there.exchange(there.code())).status == 201
    exchange = there.exchange(there.code())
    half = {name: exchange.pop(name) for name in ("client_id", "client_secret")}
    assert there.post(half, exchange).status == 201
    exchange = there.exchange(there.code())
    assert there.post_form(exchange, exchange).status == 201, "the same in both is the same"


def test_two_values_for_one_parameter_are_refused_and_nothing_is_spent(there: Switchboard) -> None:
    """pitfalls §4: "same parameter in both with different values → 422"."""
    exchange = there.exchange(there.code())
    error = assert_refused(there.post(exchange, {"redirect_uri": "https://evil.example/"}), 422, "invalid_request")
    assert list(error["fields"]) == ["redirect_uri"]
    assert there.post(exchange).status == 201


def test_a_body_of_no_bytes_is_never_parsed_and_a_missing_parameter_is_named(there: Switchboard) -> None:
    """vendors.md §4 trap 6."""
    error = assert_refused(there.post({}), 422, "invalid_request")
    assert error["fields"] == {"grant_type": ["The parameter grant_type is missing."]}
    reply = there.caller.request("POST", TOKEN, [("Content-Type", "image/png")])
    assert_refused(reply, 422, "invalid_request")


def test_an_api_key_on_a_token_request_is_ignored(there: Switchboard) -> None:
    """vendors.md §4 trap 5."""
    for key in ("Bearer R3dh~6", "R3dh~6", "Basic eDp5"):
        assert there.post(there.exchange(there.code()), authorization=key).status == 201


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"client_id": ""}, 401, "invalid_client"),
        ({"code": "gwc_wrong"}, 401, "invalid_grant"),
        ({"redirect_uri": f"{REDIRECT_URI}?x=1"}, 401, "invalid_grant"),
        ({"grant_type": "magic"}, 422, "unsupported_grant_type"),
        ({"grant_type": "password", "username": "a", "password": "b"}, 403, "unauthorized_client"),
        ({"grant_type": "client_credentials", "scope": "everything"}, 422, "invalid_scope"),
        ({"grant_type": "refresh_token", "refresh_token": "gwr_wrong"}, 401, "invalid_grant"),
    ],
)
def test_what_a_token_request_is_refused_with(
    there: Switchboard, changes: dict[str, str], status: int, code: str
) -> None:
    assert_refused(there.post(there.exchange(there.code()) | changes), status, code)


def test_a_code_is_good_once(there: Switchboard) -> None:
    exchange = there.exchange(there.code())
    assert there.post(exchange).status == 201
    assert_refused(there.post(exchange), 401, "invalid_grant")


def test_a_refresh_token_is_replaced_and_an_answer_that_got_lost_can_be_had_again(there: Switchboard) -> None:
    asking = {"grant_type": "refresh_token", "refresh_token": there.tokens()["refresh_token"], **there.proof()}
    first = there.post(asking, idempotency_key="k1").json()
    assert first["refresh_token"] != asking["refresh_token"]
    again = there.post(asking, idempotency_key="k1")
    assert again.status == 201
    assert again.json()["refresh_token"] == first["refresh_token"]


def test_a_client_of_another_dialect_is_unknown_here(there: Switchboard) -> None:
    other = there.house.client("Helpdesk", scopes=("read",))
    asking = {"grant_type": "client_credentials", **there.proof(other)}
    assert_refused(there.post(asking), 401, "invalid_client")


def test_client_credentials_act_for_the_clients_own_account_and_have_no_refresh_token(there: Switchboard) -> None:
    """pitfalls §4; vendors.md §5: whether a refresh token comes is unknown, and RFC 6749 §4.4.3 says no."""
    asking = {"grant_type": "client_credentials", "scope": "account-owner", **there.proof(there.trusted)}
    answer = there.post(asking).json()
    assert set(answer) == {"access_token", "token_type", "expires_in", "scope"}
    details = there.get(TOKEN, **bearer(answer["access_token"])).json()
    assert details["scope_details"] == [{"voip_id": int(VOIP_ID)}]


def test_a_name_and_a_password_are_taken_where_an_operator_allowed_it(there: Switchboard) -> None:
    asking = {"grant_type": "password", "scope": BOTH, "username": EMAIL, **there.proof(there.trusted)}
    reply = there.post({**asking, "password": PASSWORD})
    assert reply.status == 201, reply.body
    assert "refresh_token" in reply.json()
    assert_refused(there.post({**asking, "password": "wrong"}), 401, "invalid_grant")


def test_details_may_be_asked_for_with_the_tokens(there: Switchboard) -> None:
    """vendors.md §2.1: ``?mode=details`` "answers like the GET"; the tokens are there as well."""
    answer = there.post(there.exchange(there.code()), {"mode": "details"}).json()
    told = there.get(TOKEN, **bearer(answer["access_token"])).json()
    assert told.items() <= answer.items()
    assert "refresh_token" in answer


# --- GET: details


def test_details_tell_scope_end_and_whom_in_integers(there: Switchboard) -> None:
    """vendors.md §2.2: ``expires_at`` in seconds since the epoch, ``voip_id`` an integer."""
    token = there.tokens()["access_token"]
    reply = there.get(TOKEN, **bearer(token))
    assert reply.status == 200
    assert reply.header("content-type") == "application/json"
    answer = reply.json()
    assert answer["scope"] == BOTH
    assert answer["expires_at"] == int(there.house.clock.now.timestamp()) + 3600
    assert answer["scope_details"][0]["voip_id"] == int(VOIP_ID)


@pytest.mark.parametrize("spelled", ["Bearer {}", "bearer {}", "{}"])
def test_a_token_may_stand_behind_bearer_or_alone(there: Switchboard, spelled: str) -> None:
    """pitfalls §4: the documented default of the SDK's ``api_key_prefix`` is none."""
    token = there.tokens()["access_token"]
    assert there.get(TOKEN, authorization=spelled.format(token)).status == 200
    assert there.delete(TOKEN, authorization=spelled.format(token)).status == 200


@pytest.mark.parametrize("path", [f"{TOKEN}/details", f"/{TOKEN}", TOKEN.replace("/oauth", "//oauth")])
def test_details_have_an_address_of_their_own_and_slashes_too_many_are_forgiven(there: Switchboard, path: str) -> None:
    """vendors.md §2.1, §4 trap 9."""
    token = there.tokens()["access_token"]
    assert there.get(path, content_type="application/json", **bearer(token)).status == 200
    assert there.caller.request("HEAD", TOKEN, [("Authorization", token)]).status == 200


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer gwa_wrong", "gwa_wrong", "Basic eDp5", "Bearer a b"])
def test_without_a_good_token_there_are_no_details_and_there_is_no_signing_out(there: Switchboard, header: str) -> None:
    for method in ("GET", "DELETE"):
        reply = there.caller.request(method, TOKEN, [("Authorization", header)] if header else [])
        assert_refused(reply, 401, "invalid_token")
        assert reply.header("www-authenticate") == 'Bearer realm="grantway"'


def test_an_expired_token_is_refused_and_an_endless_one_has_no_end(fresh: Switchboard) -> None:
    token = fresh.tokens()["access_token"]
    fresh.house.clock.turn(seconds=3600)
    assert_refused(fresh.get(TOKEN, **bearer(token)), 401, "invalid_token")
    endless = fresh.house.client(
        "Endless", profile="phonecom", scopes=("account-owner", "methods:ALL"), redirect_uris=(REDIRECT_URI,),
        overrides=(("access_token_lifetime", None),),
    )  # fmt: skip
    answer = fresh.tokens(endless)
    assert "expires_in" not in answer
    assert "expires_at" not in fresh.get(TOKEN, **bearer(answer["access_token"])).json()


# --- DELETE: sign-out


def test_who_signs_out_loses_all_tokens_of_the_grant_and_may_ask_again_to_be_told_so(there: Switchboard) -> None:
    """vendors.md §2.3: the vendor's script takes a 401 for "signed out already"."""
    tokens = there.tokens()
    reply = there.delete(TOKEN, content_type="application/json", **bearer(tokens["access_token"]))
    assert (reply.status, reply.json()) == (200, {"success": True})
    assert_refused(there.delete(TOKEN, **bearer(tokens["access_token"])), 401, "invalid_token")
    assert_refused(there.get(TOKEN, **bearer(tokens["access_token"])), 401, "invalid_token")
    asking = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], **there.proof()}
    assert_refused(there.post(asking), 401, "invalid_grant")


# --- all of them


def test_another_method_is_told_which_there_are(there: Switchboard) -> None:
    reply = there.caller.request("PUT", TOKEN)
    assert_refused(reply, 405, "method_not_allowed")
    assert reply.header("allow") == "DELETE, GET, HEAD, POST"


def test_a_body_too_large_is_refused_in_the_vendors_shape(there: Switchboard) -> None:
    assert_refused(there.post({"code": "x" * 70_000}), 413, "content_too_large")


def test_a_body_that_is_neither_json_nor_a_form_is_refused(there: Switchboard) -> None:
    reply = there.caller.request("POST", TOKEN, [("Content-Type", "text/plain")], b"grant_type=x")
    assert_refused(reply, 415, "unsupported_media_type")
