"""An authorization request arrives: what is refused on a page, what waits for the customer, and what goes back when."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grantway.protocol.authorize import AskConsent, AskSignIn, SendBack, Visitor, open_authorization
from grantway.protocol.digests import digest
from grantway.protocol.model import PendingAuthorization
from tests.helpers.stage import CHALLENGE, ISSUER, REDIRECT_URI, Stage, ending, refused

OTHER_URI = "https://client.example/other"


@pytest.fixture
def stage() -> Stage:
    return Stage()


# Refused on a page: never redirected (RFC 6749 §4.1.2.1)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"client_id": "nobody"}, "client_unknown"),
        ({"redirect_uri": OTHER_URI}, "redirect_uri_unregistered"),
        ({"redirect_uri": "https://evil.example/cb", "scope": ("nonesuch",)}, "redirect_uri_unregistered"),
        ({"redirect_uri": REDIRECT_URI + "?x=1"}, "redirect_uri_unregistered"),
    ],
)
def test_an_unknown_client_or_redirect_uri_is_told_on_a_page(
    stage: Stage, changes: dict[str, Any], reason: str
) -> None:
    ending(stage.try_open(stage.integration(), stage.browser(stage.ada), **changes), "invalid_request", reason)


def test_with_several_redirect_uris_the_request_has_to_name_one(stage: Stage) -> None:
    two = stage.integration(redirect_uris=(REDIRECT_URI, OTHER_URI))
    ending(stage.try_open(two, stage.browser(), redirect_uri=None), "invalid_request", "redirect_uri_missing")
    one = stage.integration()
    assert stage.authorize(one, redirect_uri=None).redirect_uri == REDIRECT_URI  # OAuth 2.1 §4.1.1


def test_a_sunshine_request_without_redirect_uri_uses_the_first_registered(stage: Stage) -> None:
    by = stage.sunshine(redirect_uris=(OTHER_URI, REDIRECT_URI))
    assert stage.authorize(by).redirect_uri == OTHER_URI
    assert stage.authorize(by, redirect_uri=REDIRECT_URI).redirect_uri == REDIRECT_URI


@pytest.mark.parametrize("changed", ["disabled_at", "ended_at"])
def test_a_client_that_is_out_opens_nothing(stage: Stage, changed: str) -> None:
    by = stage.integration()
    stage.amend(by.client, **{changed: stage.clock()})
    ending(stage.try_open(by, stage.browser()), "invalid_request", "client_" + changed.removesuffix("_at"))


def test_clients_of_other_dialects_and_kinds_are_unknown_here(stage: Stage) -> None:
    standard = stage.integration()
    elsewhere = stage.decide(open_authorization, stage.request(standard), "sunshine", stage.browser())
    ending(elsewhere, "invalid_request", "client_unknown")
    refused(stage.try_open(stage.operator, stage.browser()), "invalid_request", "client_unknown")


def test_a_browser_without_any_cookie_cannot_be_bound(stage: Stage) -> None:
    refused(stage.try_open(stage.integration(), Visitor()), "invalid_request", "browser_unknown")


# What goes back to the client, but only after sign-in (RFC 9700 §4.11.2)

WRONG = [
    ({"response_type": None}, "invalid_request", "response_type_missing"),
    ({"response_type": "token"}, "unsupported_response_type", "response_type_unsupported"),
    ({"response_type": "code token"}, "unsupported_response_type", "response_type_unsupported"),
    ({"code_challenge": None, "code_challenge_method": None}, "invalid_request", "code_challenge_missing"),
    ({"code_challenge": None}, "invalid_request", "code_challenge_missing"),
    ({"code_challenge_method": None}, "invalid_request", "code_challenge_not_s256"),
    ({"code_challenge_method": "plain"}, "invalid_request", "code_challenge_not_s256"),
    ({"code_challenge_method": "s256"}, "invalid_request", "code_challenge_not_s256"),
    ({"code_challenge": CHALLENGE + "="}, "invalid_request", "code_challenge_not_s256"),
    ({"code_challenge": CHALLENGE[:42]}, "invalid_request", "code_challenge_not_s256"),
    ({"scope": ("read", "nonesuch")}, "invalid_scope", "scope_exceeds_client"),
    ({"scope": ()}, "invalid_scope", "scope_exceeds_client"),
    ({"resource": ("https://other.example",)}, "invalid_target", "resource_exceeds_client"),
    ({"resource": ("https://api.example#part",)}, "invalid_target", "resource_exceeds_client"),
    ({"resource": ("not a uri",)}, "invalid_target", "resource_exceeds_client"),
    ({"prompt": ("nonesuch",)}, "invalid_request", "prompt_unknown"),
    ({"prompt": ("none", "login")}, "invalid_request", "prompt_unknown"),
]


@pytest.mark.parametrize(("changes", "error", "reason"), WRONG)
def test_what_is_wrong_goes_back_only_after_sign_in(
    stage: Stage, changes: dict[str, Any], error: str, reason: str
) -> None:
    by = stage.integration(resources=("https://api.example",))
    visitor = stage.browser()
    pending_id = stage.open(by, visitor, state="s", **changes)
    if "none" not in changes.get("prompt", ()):
        assert isinstance(stage.step(pending_id, visitor).answer, AskSignIn)
    decision = stage.step(pending_id, stage.sign_in(visitor, stage.ada))
    assert isinstance(decision.answer, SendBack)
    sent = decision.answer.answer
    assert sent.error is not None
    assert (sent.error.code, decision.reason) == (error, reason)
    assert (sent.redirect_uri, sent.state, sent.iss, sent.code) == (REDIRECT_URI, "s", ISSUER, None)
    refused(stage.step(pending_id, visitor), "invalid_request", "pending_unknown")  # it is answered


def test_a_request_that_was_wrong_can_never_be_allowed(stage: Stage) -> None:
    by = stage.integration()
    visitor = stage.browser(stage.ada)
    pending_id = stage.open(by, visitor, scope=("nonesuch",))
    refused(stage.allow(pending_id, visitor, "anything"), "access_denied", "consent_not_asked")


def test_a_client_that_may_not_use_codes_is_told(stage: Stage) -> None:
    by = stage.integration(policy={"grant_types": "client_credentials"})
    visitor = stage.browser(stage.ada)
    assert stage.step(stage.open(by, visitor), visitor).reason == "grant_type_not_allowed"


def test_pkce_is_required_of_every_public_client_whatever_its_policy_accepts(stage: Stage) -> None:
    """RFC 9700 §2.1.1: public clients must use PKCE."""
    without: dict[str, Any] = {"code_challenge": None, "code_challenge_method": None}
    visitor = stage.browser(stage.ada)
    public = stage.integration(public=True, policy={"pkce": "accepted"})
    assert stage.step(stage.open(public, visitor, **without), visitor).reason == "code_challenge_missing"
    confidential = stage.integration(policy={"pkce": "accepted"})
    assert isinstance(stage.step(stage.open(confidential, visitor, **without), visitor).answer, AskConsent)


# What is kept


def test_without_scope_the_default_scopes_are_asked_for(stage: Stage) -> None:
    by = stage.integration(default_scopes=("read",))
    visitor = stage.browser(stage.ada)
    assert [scope.name for scope in stage.ask(stage.open(by, visitor), visitor).scopes] == ["read"]


def test_a_sunshine_request_asks_for_its_default_scopes_whatever_it_sends(stage: Stage) -> None:
    by = stage.sunshine()
    visitor = stage.browser(stage.ada)
    shown = stage.ask(stage.open(by, visitor, scope=("admin",)), visitor)
    assert [scope.name for scope in shown.scopes] == ["integration"]


def test_without_resource_the_audience_is_all_that_the_client_may_reach(stage: Stage) -> None:
    by = stage.integration(resources=("https://a.example", "https://b.example"))
    assert stage.connect(by).issued.access.resource == ("https://a.example", "https://b.example")
    assert stage.connect(by, resource=("https://b.example",)).issued.access.resource == ("https://b.example",)


@settings(max_examples=50)
@given(st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60))  # as the wire reads it
def test_state_comes_back_byte_for_byte(state: str | None) -> None:
    stage = Stage()
    assert stage.authorize(stage.integration(), state=state).state == state
    assert stage.authorize(stage.sunshine(), state=state).state == state


def test_the_answer_names_the_issuer_where_the_profile_says_so(stage: Stage) -> None:
    assert stage.authorize(stage.integration()).iss == ISSUER  # RFC 9207
    assert stage.authorize(stage.sunshine()).iss is None


def test_ids_and_cookies_are_kept_as_digests(stage: Stage) -> None:
    visitor = stage.browser(stage.ada)
    pending_id = stage.open(stage.integration(), visitor)
    pending = stage.stored(PendingAuthorization, digest(pending_id))
    assert pending.browser_digest == digest(visitor.browser or "")
    assert pending_id not in repr(pending)


def test_a_request_waits_an_hour(stage: Stage) -> None:
    visitor = stage.browser(stage.ada)
    pending_id = stage.open(stage.integration(), visitor)
    shown = stage.ask(pending_id, visitor).shown
    stage.wait(hours=1)
    refused(stage.step(pending_id, visitor), "invalid_request", "pending_unknown")
    refused(stage.allow(pending_id, visitor, shown), "invalid_request", "pending_unknown")


def test_a_request_may_be_bound_to_the_session_when_there_is_no_other_cookie(stage: Stage) -> None:
    session = replace(stage.browser(stage.ada), browser=None)
    pending_id = stage.open(stage.integration(), session)
    assert isinstance(stage.step(pending_id, session).answer, AskConsent)
