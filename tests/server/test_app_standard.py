"""The standard's endpoints as a client meets them: what RFCs ask of a server, through the whole application."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.helpers.asgi import Reply
from tests.helpers.customer import forms
from tests.helpers.world import PUBLIC_URL, REDIRECT_URI, World, basic, world
from tests.server.test_fuzz_machine import assert_standard_refusal


@pytest.fixture(scope="module")
def there() -> Iterator[World]:
    with world() as one:
        yield one


def refused(reply: Reply, error: str, status: int = 400) -> None:
    assert_standard_refusal(reply)
    assert (reply.status, reply.json()["error"]) == (status, error)


# --- the authorization endpoint


def test_success_and_error_name_the_issuer(there: World) -> None:
    """RFC 9207 §2."""
    for decision in ("allow", "deny"):
        parameters = there.browser.connect(there.standard_url(state="s", prompt="consent"), decision)
        assert (parameters["iss"], parameters["state"]) == (PUBLIC_URL, "s")
        assert ("code" in parameters) == (decision == "allow")


def test_nothing_is_redirected_to_a_client_before_somebody_signed_in(there: World) -> None:
    """RFC 9700 §4.11.2."""
    for wrong in ({"scope": "unheard-of"}, {"response_type": "token"}, {"code_challenge": ""}, {"prompt": "none"}):
        customer = there.customer()
        reply = customer.go("GET", there.standard_url(None, **wrong))
        while reply.header("location"):
            assert (reply.header("location") or "").startswith("/")
            reply = customer.go("GET", reply.header("location") or "")
        assert reply.status in (200, 400)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": "unheard-of"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": "", "code_challenge_method": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"resource": "https://api.example"}, "invalid_target"),
        ({"prompt": "none login"}, "invalid_request"),
    ],
)
def test_what_is_wrong_is_told_to_the_client_after_sign_in(there: World, changes: dict[str, str], error: str) -> None:
    customer = there.customer()
    customer.sign_in()
    parameters = customer.connect(there.standard_url(None, state="s", **changes))
    assert (parameters["error"], parameters["state"], parameters["iss"]) == (error, "s", PUBLIC_URL)


def test_the_authorization_request_may_be_posted(there: World) -> None:
    """RFC 6749 §3.1; from the client's site it comes without our cookies."""
    fields = dict(parse_qsl(urlsplit(there.standard_url(state="späße")).query))
    reply = there.post_form("/authorize", fields)
    assert (reply.status, (reply.header("location") or "").partition("?")[0]) == (303, "/authorize")
    assert there.browser.connect(reply.header("location") or "")["state"] == "späße"


def test_on_loopback_addresses_any_port_will_do_and_nothing_else_may_differ(there: World) -> None:
    """RFC 8252 §7.3."""
    other = REDIRECT_URI.replace("9999", "54321")
    assert there.browser.decide(there.standard_url(redirect_uri=other)).startswith(other)
    for wrong in (other + "/", other.replace("127.0.0.1", "localhost"), other + "?x=1", other.replace("http", "HTTP")):
        reply = there.browser.go("GET", there.standard_url(redirect_uri=wrong))
        assert (reply.status, reply.header("location")) == (400, None)


def test_a_customer_has_to_sign_in_again_where_the_client_asks_for_it(there: World) -> None:
    customer = there.customer()
    customer.sign_in()
    there.house.clock.turn(seconds=5)
    first = customer.go("GET", there.standard_url(prompt="login")).header("location") or ""
    second = customer.go("GET", first).header("location") or ""
    assert second.startswith("/sign-in?request=")
    assert "sign in once more" in customer.go("GET", second).text


def test_a_public_client_on_loopback_is_asked_for_every_time(there: World) -> None:
    """RFC 9700 §4.11, CVE-2023-34246."""
    customer = there.customer()
    customer.sign_in()
    for _ in range(2):
        customer.connect(there.standard_url(there.public))
        location = customer.go("GET", there.standard_url(there.public)).header("location") or ""
        page = customer.go("GET", location)
        assert page.status == 200
        assert 'value="allow"' in page.text


# --- the token endpoint


def test_a_code_needs_its_verifier_its_redirect_uri_and_its_client(there: World) -> None:
    code = there.standard_code()
    refused(there.exchange(code, code_verifier="x" * 43), "invalid_grant")
    refused(there.exchange(code, redirect_uri=f"{REDIRECT_URI}2"), "invalid_grant")
    refused(there.exchange(code, there.public), "invalid_grant")
    refused(there.exchange(code, client_secret="gws_wrong"), "invalid_client", 401)
    assert there.exchange(code).status == 200


def test_a_code_that_is_used_again_later_ends_what_it_gave(there: World) -> None:
    """RFC 6749 §4.1.2; a race or a retry within seconds does not."""
    code = there.standard_code()
    tokens = there.exchange(code).json()
    refused(there.exchange(code), "invalid_grant")
    assert there.introspect(tokens["access_token"])["active"] is True
    there.house.clock.turn(seconds=11)
    refused(there.exchange(code, code_verifier="x" * 43), "invalid_grant")
    assert there.introspect(tokens["access_token"])["active"] is True, "only a fully valid presentation ends anything"
    refused(there.exchange(code), "invalid_grant")
    assert there.introspect(tokens["access_token"]) == {"active": False}
    refused(there.refresh(tokens["refresh_token"]), "invalid_grant")


def test_a_challenge_is_told_only_to_who_tried_a_header(there: World) -> None:
    """RFC 6749 §5.2."""
    with_header = there.post_form("/token", {"grant_type": "client_credentials"}, authorization=basic("x", "y"))
    refused(with_header, "invalid_client", 401)
    assert (with_header.header("www-authenticate") or "").startswith("Basic ")
    without = there.post_form("/token", {"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"})
    refused(without, "invalid_client", 401)
    assert without.header("www-authenticate") is None


def test_a_client_authenticates_in_one_way_at_a_time(there: World) -> None:
    proof = there.proof()
    header = basic(proof["client_id"], proof["client_secret"])
    asked = {"grant_type": "client_credentials"}
    assert there.post_form("/token", asked, authorization=header).status == 200
    refused(there.post_form("/token", asked | proof, authorization=header), "invalid_request")
    assert there.post_json("/token", asked | proof).status == 415


def test_scope_narrows_and_never_widens(there: World) -> None:
    tokens = there.exchange(there.standard_code(scope="read")).json()
    refused(there.refresh(tokens["refresh_token"], scope="read write"), "invalid_scope")
    assert there.refresh(tokens["refresh_token"]).json()["scope"] == "read"
    full = there.standard_tokens()
    narrow = there.refresh(full["refresh_token"], scope="write").json()
    assert (narrow["scope"], there.introspect(narrow["access_token"])["scope"]) == ("write", "write")
    assert there.refresh(narrow["refresh_token"]).json()["scope"] == "read write"


def test_a_retry_gets_the_same_successor_and_an_older_token_ends_the_grant(there: World) -> None:
    first = there.standard_tokens()["refresh_token"]
    second = there.refresh(first).json()["refresh_token"]
    there.house.clock.turn(days=3)
    assert there.refresh(first).json()["refresh_token"] == second
    third = there.refresh(second).json()["refresh_token"]
    there.house.clock.turn(seconds=31)
    refused(there.refresh(first), "invalid_grant")
    refused(there.refresh(third), "invalid_grant")


def test_a_public_client_may_retry_within_half_a_minute_or_two_minutes_with_its_key(there: World) -> None:
    def refresh(token: str, key: str | None = None) -> Reply:
        fields = {"grant_type": "refresh_token", "refresh_token": token, "client_id": there.public.client.client_id}
        return there.post_form("/token", fields, **({"idempotency_key": key} if key else {}))

    first = there.standard_tokens(there.public)["refresh_token"]
    second = refresh(first, "k1").json()["refresh_token"]
    there.house.clock.turn(seconds=29)
    assert refresh(first).json()["refresh_token"] == second
    there.house.clock.turn(seconds=90)
    assert refresh(first, "k1").json()["refresh_token"] == second
    there.house.clock.turn(seconds=2)
    refused(refresh(first, "k1"), "invalid_grant")
    refused(refresh(second), "invalid_grant")


def test_a_key_is_for_one_request_only(there: World) -> None:
    first = there.standard_tokens()["refresh_token"]
    sent: dict[str, Any] = {"grant_type": "refresh_token", "refresh_token": first, **there.proof()}
    assert there.post_form("/token", sent, idempotency_key="k").status == 200
    assert there.post_form("/token", sent, idempotency_key="k").status == 200
    refused(there.post_form("/token", sent | {"scope": "read"}, idempotency_key="k"), "idempotency_key_reused", 422)


# --- introspection and revocation


def test_nobody_sees_the_tokens_of_others(there: World) -> None:
    """RFC 7662 §4."""
    other = there.house.client("Nosy", redirect_uris=(REDIRECT_URI,), scopes=("read",))
    proof = {"client_id": other.client.client_id, "client_secret": other.client_secret or ""}
    tokens = there.standard_tokens()
    for token in (tokens["access_token"], tokens["refresh_token"], there.sunshine_token(), "gwa_x", "a.b.c"):
        assert there.post_form("/introspect", {"token": token, **proof}).json() == {"active": False}
    refused(there.post_form("/revoke", {"token": tokens["access_token"], **proof}), "invalid_grant")
    public = {"client_id": there.public.client.client_id}
    refused(there.post_form("/introspect", {"token": tokens["access_token"], **public}), "invalid_client", 401)
    assert there.introspect(tokens["access_token"])["active"] is True


def test_a_revoked_access_token_goes_alone_and_a_refresh_token_takes_all(there: World) -> None:
    tokens = there.standard_tokens()
    assert there.post_form("/revoke", {"token": tokens["access_token"], **there.proof()}).status == 200
    assert there.introspect(tokens["access_token"]) == {"active": False}
    refreshed = there.refresh(tokens["refresh_token"]).json()
    sent = {"token": refreshed["refresh_token"], "token_type_hint": "access_token", **there.proof()}
    assert there.post_form("/revoke", sent).status == 200
    assert there.introspect(refreshed["access_token"]) == {"active": False}
    refused(there.refresh(refreshed["refresh_token"]), "invalid_grant")
    assert there.post_form("/revoke", {"token": "nonsense", **there.proof()}).status == 200


def test_what_the_customer_removes_is_dead_at_once(there: World) -> None:
    tokens = there.standard_tokens()
    customer = there.customer()
    customer.sign_in()
    here = f"/connections/{tokens['connection_id']}"
    assert here in customer.go("GET", "/connections").text
    (form,) = [one for one in forms(customer.go("GET", here).text) if one.action == f"{here}/remove"]
    assert customer.go("POST", form.action, [*form.fields.items()]).status == 303
    assert there.introspect(tokens["access_token"]) == {"active": False}
    refused(there.refresh(tokens["refresh_token"]), "invalid_grant")
