"""Square's quirks and traps, each a sentence; numbers are those of the list of traps (vendors.md §4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from grantway.protocol.administration.client_life import disable_client
from grantway.protocol.decision import Decision
from grantway.protocol.issuing import Issued
from grantway.protocol.lifecycle import resume, suspend
from grantway.protocol.permanent import make_token
from tests.helpers.square import CHALLENGE, PERMISSIONS, REDIRECT_URI, VERIFIER, Application, error, said
from tests.helpers.world import PUBLIC_URL, World, world

UNAUTHORIZED = (401, "AUTHENTICATION_ERROR", "UNAUTHORIZED", None)


@pytest.fixture(scope="module")
def there() -> Iterator[World]:
    with world() as one:
        yield one


@pytest.fixture(scope="module")
def shop(there: World) -> Application:
    return application(there, "Till")


def application(there: World, name: str, **wanted: Any) -> Application:
    made = there.house.client(
        name, profile="square", redirect_uris=(REDIRECT_URI,), scopes=PERMISSIONS, default_scopes=PERMISSIONS, **wanted
    )
    return Application(there.caller.request, PUBLIC_URL, made, there.customer())


# --- authorize


def test_the_answer_echoes_a_response_type_that_was_not_asked_for(shop: Application) -> None:
    """Trap 14."""
    parameters = shop.browser.connect(shop.authorize_url(state="jf0weoif3dfsk04imofpdg"))
    assert set(parameters) == {"code", "response_type", "state"}
    assert (parameters["response_type"], parameters["state"]) == ("code", "jf0weoif3dfsk04imofpdg")


def test_deny_says_what_the_vendor_says(there: World) -> None:
    shop = application(there, "Denied")
    parameters = shop.browser.connect(shop.authorize_url(state="s"), "deny")
    assert parameters == {"error": "access_denied", "error_description": "user_denied", "state": "s"}


@pytest.mark.parametrize(
    "query",
    [
        "scope=MERCHANT_PROFILE_READ+PAYMENTS_READ&redirect_uri=http%3A%2F%2F127.0.0.1%3A9999%2Fcb",
        "scope=MERCHANT_PROFILE_READ%20PAYMENTS_READ&redirect_uri=http%3A//127.0.0.1%3A9999/cb",
        "scope=MERCHANT_PROFILE_READ%20PAYMENTS_READ",
    ],
)
def test_the_same_request_is_the_same_however_it_is_encoded(shop: Application, query: str) -> None:
    """Trap 10."""
    back = shop.browser.decide(f"/oauth2/authorize?client_id={shop.client_id}&{query}")
    assert back.startswith(f"{REDIRECT_URI}?code=")


@pytest.mark.parametrize("session", ["false", "False"])
def test_without_session_the_customer_signs_in_whoever_is_signed_in(session: str) -> None:
    """Trap 14: the vendor's libraries write it in both ways."""
    with world() as there:
        _signs_in_only_without_session(there, session)


def _signs_in_only_without_session(there: World, session: str) -> None:
    shop = application(there, "Till")
    shop.browser.connect(shop.authorize_url())
    there.house.clock.turn(seconds=1)
    seen = len(shop.browser.visited)
    shop.browser.connect(shop.authorize_url(session=session))
    assert any('type="password"' in reply.text for reply in shop.browser.visited[seen:])
    seen = len(shop.browser.visited)
    shop.browser.connect(shop.authorize_url(session="true"))
    assert not any('type="password"' in reply.text for reply in shop.browser.visited[seen:])


def test_without_a_scope_the_vendors_four_are_asked_for_as_far_as_the_application_may_have_them(there: World) -> None:
    made = there.house.client("Four", profile="square", redirect_uris=(REDIRECT_URI,), scopes=PERMISSIONS)
    shop = Application(there.caller.request, PUBLIC_URL, made, there.customer())
    code = shop.browser.connect(f"/oauth2/authorize?client_id={shop.client_id}")["code"]
    token = said(shop.obtain(code=code))["access_token"]
    assert said(shop.status(token))["scopes"] == ["MERCHANT_PROFILE_READ", "PAYMENTS_READ"]


def test_the_pages_speak_the_language_that_the_application_says(there: World) -> None:
    shop = application(there, "Spoken")
    customer = there.customer()
    opened = customer.go("GET", shop.authorize_url(locale="de-DE")).header("location") or ""
    asked = customer.go("GET", customer.go("GET", opened).header("location") or "")
    assert asked.header("content-language") == "de"


def test_a_redirect_uri_that_is_not_registered_is_never_redirected_to(there: World, shop: Application) -> None:
    for uri in (f"{REDIRECT_URI}/", "https://evil.example/cb"):
        reply = there.get(shop.authorize_url(redirect_uri=uri))
        assert (reply.status, reply.header("location")) == (400, None)


def test_clients_of_other_dialects_are_unknown_here_and_the_other_way_round(there: World, shop: Application) -> None:
    assert there.get(f"/oauth2/authorize?client_id={there.standard.client.client_id}").status == 400
    assert there.get(there.sunshine_url(client_id=shop.client_id)).status == 400
    assert there.post_form("/token", {"client_id": shop.client_id, "client_secret": shop.secret}).status == 400
    foreign = shop.obtain(
        client_id=there.standard.client.client_id, client_secret=there.standard.client_secret, code="x"
    )
    assert (foreign.status, foreign.json()["type"]) == (401, "service.not_authorized")


# --- obtain


def test_an_obtain_answer_has_the_vendors_fields_and_no_others(there: World, shop: Application) -> None:
    """Traps 13, 14: ``bearer`` in small letters, a time instead of seconds, the merchant, both tokens."""
    tokens = shop.tokens()
    assert set(tokens) == {"access_token", "token_type", "expires_at", "merchant_id", "refresh_token", "short_lived"}
    assert tokens["token_type"] == "bearer"
    assert tokens["expires_at"] == "2026-03-31T12:00:00Z"
    assert tokens["merchant_id"] == there.account.external_ids["square"]
    assert tokens["short_lived"] is False


def test_every_method_of_obtaining_answers_with_both_tokens(there: World, shop: Application) -> None:
    """The documentation page: "regardless of the method application specified"."""
    first = shop.tokens(short_lived=True)
    assert first["short_lived"] is True
    assert first["expires_at"] == "2026-03-02T12:00:00Z"
    again = said(shop.refresh(first["refresh_token"], short_lived=True))
    assert again["refresh_token"] == first["refresh_token"]
    with_pkce = shop.tokens_with_pkce()
    assert with_pkce["refresh_token_expires_at"] == "2026-05-30T12:00:00Z"
    successor = said(shop.refresh(with_pkce["refresh_token"], client_secret=None))
    assert successor["refresh_token"] != with_pkce["refresh_token"]
    assert successor["refresh_token_expires_at"]


def test_a_jwt_is_given_on_request_and_stays_within_the_vendors_limit(shop: Application) -> None:
    tokens = shop.tokens(use_jwt=True)
    assert tokens["access_token"].count(".") == 2
    assert len(tokens["access_token"]) <= 1024
    assert said(shop.status(tokens["access_token"]))["scopes"] == list(PERMISSIONS)


@pytest.mark.parametrize("header", ["Bearer JUNK", "Client wrong", "Basic ???", "\xe9"])
def test_an_authorization_header_at_the_token_endpoint_is_not_looked_at(shop: Application, header: str) -> None:
    """Trap 5: the vendor's Python library sends whatever token it has."""
    assert shop.obtain(code=shop.code(), headers=[("Authorization", header)]).status == 200


def test_a_secret_in_the_header_alone_does_not_do_there(shop: Application) -> None:
    """Trap 7."""
    reply = shop.obtain(code=shop.code(), client_secret=None, headers=[("Authorization", f"Client {shop.secret}")])
    assert error(reply) == (400, "INVALID_REQUEST_ERROR", "MISSING_REQUIRED_PARAMETER", "client_secret")
    assert reply.json()["errors"][0]["detail"] == "missing required parameter 'client_secret'"


def test_the_documentations_example_sends_everything_at_once_and_gets_tokens(shop: Application) -> None:
    reply = shop.obtain(
        code=shop.code(redirect_uri=REDIRECT_URI), redirect_uri=REDIRECT_URI, refresh_token="refresh_token6",
        migration_token="migration_token4", scopes=["scopes6", "scopes7", "scopes8"],
    )  # fmt: skip
    assert said(shop.status(said(reply)["access_token"]))["scopes"] == list(PERMISSIONS)


def test_a_refresh_narrows_by_an_array_of_permissions(shop: Application) -> None:
    """Trap 14: a JSON array here, blanks in between at the authorize address."""
    tokens = shop.tokens()
    narrowed = said(shop.refresh(tokens["refresh_token"], scopes=["PAYMENTS_READ", "NOT_GRANTED"]))
    assert said(shop.status(narrowed["access_token"]))["scopes"] == ["PAYMENTS_READ"]
    assert narrowed["refresh_token"] == tokens["refresh_token"]


def test_the_redirect_uri_comes_again_if_it_was_sent(shop: Application) -> None:
    code = shop.code(redirect_uri=REDIRECT_URI)
    for uri in (None, f"{REDIRECT_URI}2"):
        assert error(shop.obtain(code=code, redirect_uri=uri)) == UNAUTHORIZED
    assert shop.obtain(code=code, redirect_uri=REDIRECT_URI).status == 200
    assert shop.obtain(code=shop.code()).status == 200


@pytest.mark.parametrize("changes", [{"client_secret": "sq0csp-wrong"}, {"client_id": "sq0idp-nobody"}])
def test_a_wrong_application_or_secret_is_told_in_the_older_shape(shop: Application, changes: dict[str, str]) -> None:
    reply = shop.obtain(code="sq0cgb-x", **changes)
    assert (reply.status, reply.json()) == (401, {"message": "Not Authorized", "type": "service.not_authorized"})


def test_a_bad_or_used_code_is_told_in_the_newer_shape_and_never_repeated_by_a_library(shop: Application) -> None:
    """Trap 8: neither 409 nor 5xx."""
    code = shop.code()
    tokens = said(shop.obtain(code=code))
    for bad in (code, "sq0cgb-nonsense"):
        reply = shop.obtain(code=bad)
        assert error(reply) == UNAUTHORIZED
        assert reply.json()["errors"][0]["detail"] == f"Authorization code not found for app {shop.client_id}"
    assert shop.status(tokens["access_token"]).status == 200


def test_a_code_with_a_challenge_takes_its_verifier_and_one_without_takes_the_secret(shop: Application) -> None:
    bound = shop.code_with_pkce()
    assert error(shop.obtain(code=bound, client_secret=None, code_verifier=VERIFIER[::-1])) == UNAUTHORIZED
    assert shop.obtain(code=bound, client_secret=None, code_verifier=VERIFIER).status == 200
    plain = shop.code()
    missing = shop.obtain(code=plain, client_secret=None, code_verifier=VERIFIER)
    assert error(missing) == (400, "INVALID_REQUEST_ERROR", "MISSING_REQUIRED_PARAMETER", "client_secret")


def test_a_challenge_that_is_said_to_be_plain_goes_back_with_an_error(shop: Application) -> None:
    parameters = shop.browser.connect(shop.authorize_url(code_challenge=CHALLENGE, code_challenge_method="plain"))
    assert parameters["error"] == "invalid_request"


def test_a_token_of_square_is_none_at_any_other_dialects_address(there: World, shop: Application) -> None:
    token = shop.tokens()["access_token"]
    assert there.get("/v2/tokenInfo", authorization=f"Bearer {token}").status == 401
    assert error(shop.status(there.standard_tokens()["access_token"])) == UNAUTHORIZED


# --- status


def test_a_status_tells_what_the_token_is_good_for(there: World, shop: Application) -> None:
    assert said(shop.status(shop.tokens()["access_token"])) == {
        "scopes": list(PERMISSIONS),
        "expires_at": "2026-03-31T12:00:00Z",
        "client_id": shop.client_id,
        "merchant_id": there.account.external_ids["square"],
    }


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "application/json", "text/plain"])
def test_the_type_of_no_body_is_not_asked(shop: Application, kind: str) -> None:
    """Trap 6: older JavaScript libraries say that it is a form."""
    token = shop.tokens()["access_token"]
    assert shop.status(token, **{"Content-Type": kind, "Content-Length": "0"}).status == 200


@pytest.mark.parametrize("token", [None, "nonsense", "EAAl-nonsense"])
def test_a_token_that_is_none_is_unauthorized(shop: Application, token: str | None) -> None:
    assert error(shop.status(token)) == UNAUTHORIZED


# --- renew


def test_a_renewal_answers_another_token_and_that_this_way_is_deprecated(there: World, shop: Application) -> None:
    token = shop.tokens()["access_token"]
    reply = shop.renew(token)
    renewed = said(reply)
    assert set(renewed) == {"access_token", "token_type", "expires_at", "merchant_id"}
    assert renewed["access_token"] != token
    assert (reply.header("deprecation") or "").startswith("@")
    assert 'rel="deprecation"' in " ".join(reply.all("link"))
    assert shop.status(renewed["access_token"]).status == 200


@pytest.mark.parametrize("authorization", ["Client wrong", "Bearer x", ""])
def test_renewing_and_revoking_take_the_secret_in_the_header(shop: Application, authorization: str) -> None:
    """Trap 5: the newest Python library sends a bearer to revoke unless it is told otherwise."""
    token = shop.tokens()["access_token"]
    for reply in (shop.renew(token, authorization), shop.revoke(authorization, access_token=token)):
        assert (reply.status, reply.json()["type"]) == (401, "service.not_authorized")
    assert shop.status(token).status == 200


def test_a_token_of_another_application_is_not_renewed(there: World, shop: Application) -> None:
    other = application(there, "Other")
    assert error(shop.renew(other.tokens()["access_token"])) == UNAUTHORIZED
    assert error(shop.renew(shop.tokens_with_pkce()["access_token"])) == UNAUTHORIZED


# --- revoke


def test_revoking_one_token_ends_all_of_that_merchants(there: World) -> None:
    shop = application(there, "Revoked")
    first, second = shop.tokens(), shop.tokens()
    assert said(shop.revoke(access_token=first["access_token"])) == {"success": True}
    assert error(shop.status(second["access_token"])) == UNAUTHORIZED
    assert error(shop.refresh(second["refresh_token"])) == UNAUTHORIZED
    assert error(shop.renew(first["access_token"])) == UNAUTHORIZED
    assert said(shop.revoke(access_token=first["access_token"])) == {"success": True}


def test_the_pages_example_names_token_and_merchant_at_once(there: World) -> None:
    shop = application(there, "Both")
    tokens = shop.tokens()
    wrong = shop.revoke(access_token=tokens["access_token"], merchant_id="MLSOMEBODY", revoke_only_access_token=False)
    assert error(wrong)[:2] == (400, "INVALID_REQUEST_ERROR")
    assert shop.status(tokens["access_token"]).status == 200
    right = shop.revoke(
        access_token=tokens["access_token"], merchant_id=tokens["merchant_id"], revoke_only_access_token=False
    )
    assert said(right) == {"success": True}
    assert error(shop.status(tokens["access_token"])) == UNAUTHORIZED


def test_only_the_access_token_is_revoked_when_that_is_asked_for(there: World) -> None:
    shop = application(there, "Only")
    tokens = shop.tokens()
    assert said(shop.revoke(access_token=tokens["access_token"], revoke_only_access_token=True)) == {"success": True}
    assert error(shop.status(tokens["access_token"])) == UNAUTHORIZED
    again = said(shop.refresh(tokens["refresh_token"]))
    assert shop.status(again["access_token"]).status == 200


def test_what_is_not_there_is_not_found(shop: Application) -> None:
    for members in ({"access_token": "EAAl-nonsense"}, {"merchant_id": "MLNOBODY"}):
        assert error(shop.revoke(**members))[:3] == (404, "INVALID_REQUEST_ERROR", "NOT_FOUND")


# --- all of them


def test_paths_may_have_doubled_slashes(shop: Application) -> None:
    """Trap 9."""
    assert shop.post("//oauth2//token", {"client_id": "x", "client_secret": "yy", "grant_type": "x" * 10}).status == 401


def test_no_answer_carries_a_cors_header_and_no_preflight_is_answered(there: World, shop: Application) -> None:
    """ "Application clients should never interact directly with OAuth tokens." """
    origin = [("Origin", "https://evil.example"), ("Access-Control-Request-Method", "POST")]
    for path in ("token", "revoke", "token/status", f"clients/{shop.client_id}/access-token/renew"):
        for method in ("OPTIONS", "POST"):
            reply = there.caller.request(method, f"/oauth2/{path}", origin)
            assert reply.status >= 400
            assert not any(name.lower().startswith("access-control") for name, _ in reply.headers)


def test_answers_with_tokens_are_kept_by_no_cache(shop: Application) -> None:
    reply = shop.obtain(code=shop.code())
    assert (reply.header("content-type"), reply.header("cache-control")) == ("application/json", "no-store")


def test_a_state_is_echoed_byte_for_byte_even_when_empty(shop: Application) -> None:
    for state in ("", " ", "a=b&c#d%41+", "späße \U0001f511"):
        back = shop.browser.decide(shop.authorize_url(state=state))
        assert dict(parse_qsl(urlsplit(back).query, keep_blank_values=True))["state"] == state


# --- what is suspended, and what has no end


def connection_id(there: World, shop: Application) -> bytes:
    async def find(facts: Any, at: Any) -> Decision[bytes]:
        return Decision((await facts.connections(client_row_id=shop.made.client.id))[0].connection.id)

    found: bytes = there.house.decide(find).answer
    return found


def test_what_is_suspended_is_forbidden_for_now_and_never_unauthorized(there: World) -> None:
    shop = application(there, "Suspended")
    tokens, code = shop.tokens(), shop.code()
    there.house.decide(suspend, connection_id(there, shop), "operator")
    for reply in (
        shop.status(tokens["access_token"]),
        shop.renew(tokens["access_token"]),
        shop.refresh(tokens["refresh_token"]),
        shop.obtain(code=code),
    ):
        assert error(reply) == (403, "AUTHENTICATION_ERROR", "FORBIDDEN", None)
        assert reply.header("retry-after") == "300"
    there.house.decide(resume, connection_id(there, shop), "operator")
    assert shop.status(tokens["access_token"]).status == 200
    there.house.decide(suspend, connection_id(there, shop), "operator")
    assert said(shop.revoke(access_token=tokens["access_token"])) == {"success": True}
    assert error(shop.status(tokens["access_token"])) == UNAUTHORIZED


def test_a_personal_access_token_never_expires_and_is_neither_renewed_nor_revoked(there: World) -> None:
    shop = application(there, "Personal")
    made = there.house.decide(make_token, shop.client_id, there.account.id, PERMISSIONS[:1]).answer
    assert isinstance(made, Issued)
    token = there.house.service.mint.access_token(made)
    status = said(shop.status(token))
    assert (status["expires_at"], status["scopes"]) == ("", list(PERMISSIONS[:1]))
    assert error(shop.renew(token)) == UNAUTHORIZED
    assert error(shop.revoke(access_token=token))[:3] == (400, "INVALID_REQUEST_ERROR", "BAD_REQUEST")
    assert shop.status(token).status == 200


def test_a_disabled_application_is_told_what_an_unknown_one_is(there: World) -> None:
    shop = application(there, "Disabled")
    tokens = shop.tokens()
    there.house.decide(disable_client, shop.client_id)
    for reply in (shop.refresh(tokens["refresh_token"]), shop.renew(tokens["access_token"])):
        assert (reply.status, reply.json()["type"]) == (401, "service.not_authorized")
    assert error(shop.status(tokens["access_token"])) == UNAUTHORIZED
