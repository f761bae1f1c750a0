"""An access token at once, through the browser (RFC 6749 §4.2), where an operator turned it on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from grantway.protocol.administration.clients import NewClient, policy_of
from grantway.protocol.administration.signing_keys import ensure_key
from grantway.protocol.authorize import allow, deny
from grantway.protocol.connections import remove
from grantway.protocol.issuing import Issued
from grantway.protocol.lifecycle import remove_neglected
from grantway.protocol.model import Connection, Grant, Notice
from grantway.protocol.sign_out import sign_out
from grantway.protocol.steps import AskConsent, SendBack
from grantway.protocol.tokens import write_code, write_refresh_token
from grantway.server.signing_keys import draw_signing_key
from grantway.wire.messages import SignOutRequest
from tests.helpers.stage import CHALLENGE, ISSUER, REDIRECT_URI, Integration, Stage, ending, refused
from tests.protocol.test_lifecycle_races import proposed_too_early

ON = {"grant_types": "authorization_code refresh_token client_credentials implicit"}


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def by(stage: Stage) -> Integration:
    return stage.phonecom(policy=ON, public=True)


def asked(stage: Stage, by: Integration, **changes: Any) -> tuple[str, Any, str]:
    """The pending id, the browser, and what the consent page showed."""
    visitor = stage.browser(stage.ada)
    pending_id = stage.open(by, visitor, response_type="token", **changes)
    return pending_id, visitor, stage.ask(pending_id, visitor).shown


def token(stage: Stage, by: Integration, **changes: Any) -> tuple[SendBack, Issued]:
    pending_id, visitor, shown = asked(stage, by, prompt=("consent",), **changes)
    return issued(stage.allow(pending_id, visitor, shown))


def issued(decision: Any) -> tuple[SendBack, Issued]:
    back = decision.answer
    assert isinstance(back, SendBack), decision
    assert back.issued is not None
    return back, back.issued


def refusal(stage: Stage, by: Integration, **changes: Any) -> Any:
    visitor = stage.browser(stage.ada)
    back = stage.step(stage.open(by, visitor, response_type="token", **changes), visitor).answer
    assert isinstance(back, SendBack)
    return back.answer


# Who may ask


@pytest.mark.parametrize("profile", ["standard", "sunshine", "phonecom"])
def test_without_an_operator_there_is_no_such_thing(stage: Stage, profile: str) -> None:
    by = {"standard": stage.integration, "sunshine": stage.sunshine, "phonecom": stage.phonecom}[profile]()
    answer = refusal(stage, by, state="s")
    assert answer.error is not None
    assert (answer.error.code, answer.state) == ("unsupported_response_type", "s")
    assert answer.response_type == "token"  # so that the answer is told where the client looks for one


@pytest.mark.parametrize("profile", ["standard", "sunshine", "square"])
@pytest.mark.parametrize("grant_type", ["implicit", "password"])
def test_other_profiles_cannot_have_it_turned_on(profile: str, grant_type: str) -> None:
    wanted = NewClient("X", profile, overrides=(("grant_types", f"authorization_code {grant_type}"),))
    assert getattr(policy_of(wanted), "reason", None) == "policy_malformed"


def test_other_kinds_of_answers_are_none(stage: Stage, by: Integration) -> None:
    visitor = stage.browser(stage.ada)
    for kind in ("token id_token", "id_token", "none", "TOKEN"):
        back = stage.step(stage.open(by, visitor, response_type=kind), visitor).answer
        assert back.answer.error.code == "unsupported_response_type"


def test_what_a_code_needs_a_token_does_not(stage: Stage) -> None:
    """A public client without PKCE; one that may have no codes at all."""
    only = stage.phonecom(policy={"grant_types": "implicit"}, public=True)
    assert token(stage, only)[1].refresh_token is None
    token(stage, only, code_challenge=CHALLENGE)
    visitor = stage.browser(stage.ada)
    back = stage.step(stage.open(only, visitor, code_challenge=CHALLENGE, code_challenge_method="S256"), visitor)
    assert back.answer.answer.error.code == "unauthorized_client"


# What comes of it


def test_allow_gives_a_token_that_works_for_an_hour_and_nothing_else(stage: Stage, by: Integration) -> None:
    back, made = token(stage, by, state="")
    assert (back.answer.code, back.answer.state, back.answer.response_type) == (None, "", "token")
    assert (made.refresh_token, made.access.scope) == (None, ("account-owner",))
    assert made.access.expires_at == stage.clock() + timedelta(hours=1)
    text = stage.mint.access_token(made)
    assert stage.is_active(text)
    stage.wait(hours=1)
    assert not stage.is_active(text)


def test_its_lifetime_is_the_policys(stage: Stage) -> None:
    by = stage.phonecom(policy=ON | {"implicit_lifetime": 300}, public=True)
    assert token(stage, by)[1].access.expires_at == stage.clock() + timedelta(minutes=5)


def test_the_connection_is_active_from_then_on(stage: Stage, by: Integration) -> None:
    made = token(stage, by)[1]
    grant = stage.stored(Grant, made.access.row_id)
    connection = stage.stored(Connection, grant.connection_id)
    assert (grant.origin, grant.generation, grant.code_expires_at) == ("implicit", 0, None)
    assert connection.activated_at == stage.clock()
    stage.wait(hours=2)
    assert stage.decide(remove_neglected).answer == 0


def test_the_platform_hears_of_it_once() -> None:
    stage = Stage(platform_events_url="https://platform.example/events")
    by = stage.phonecom(policy=ON, public=True)
    token(stage, by)
    token(stage, by)
    told = [one for one in stage.all(Notice) if one.kind == "platform"]
    assert [b'"connection.created"' in one.body for one in told] == [True]


def test_there_is_no_code_in_it_and_no_refresh_token(stage: Stage, by: Integration) -> None:
    """Generation 0 of a grant is a code only where there is one."""
    made = token(stage, by)[1]
    grant = stage.stored(Grant, made.access.row_id)
    code = write_code(made.secret, grant.id)
    refused(stage.exchange(by, code), "invalid_grant", "code_unknown")
    for generation in (0, 1):
        text = write_refresh_token(made.secret, grant.id, generation)
        assert stage.refresh(by, text).answer.error.code == "invalid_grant"


def test_a_second_click_gets_another_token_of_the_same_grant_for_two_minutes(stage: Stage, by: Integration) -> None:
    pending_id, visitor, shown = asked(stage, by)
    first = issued(stage.allow(pending_id, visitor, shown))[1]
    stage.wait(minutes=1, seconds=59)
    again = stage.allow(pending_id, visitor, shown)
    assert (again.reason, again.changes) == ("answered_again", ())
    second = issued(again)[1]
    assert second.access.row_id == first.access.row_id
    assert issued(stage.step(pending_id, visitor))[1].access.row_id == first.access.row_id
    stage.decide(remove, stage.stored(Grant, first.access.row_id).connection_id, "operator", "operator")
    ending(stage.allow(pending_id, visitor, shown), "invalid_request", "pending_unknown")


def test_after_two_minutes_there_is_nothing_to_answer_again(stage: Stage, by: Integration) -> None:
    pending_id, visitor, shown = asked(stage, by)
    stage.allow(pending_id, visitor, shown)
    stage.wait(minutes=2)
    refused(stage.allow(pending_id, visitor, shown), "invalid_request", "pending_unknown")


def test_deny_is_told_where_the_token_would_have_been(stage: Stage, by: Integration) -> None:
    pending_id, visitor, _ = asked(stage, by, state="s")
    back = stage.decide(deny, pending_id, visitor, ISSUER).answer
    assert isinstance(back, SendBack)
    assert back.answer.error is not None
    assert (back.answer.error.code, back.answer.response_type) == ("access_denied", "token")
    assert back.issued is None


def test_signing_out_ends_its_grant_and_with_the_last_the_connection(stage: Stage, by: Integration) -> None:
    made = token(stage, by)[1]
    stage.decide(sign_out, SignOutRequest(stage.mint.access_token(made)), "phonecom", ISSUER)
    grant = stage.stored(Grant, made.access.row_id)
    assert grant.revoked_at is not None
    assert stage.stored(Connection, grant.connection_id).removed_at is not None


def test_grants_whose_token_is_over_make_room_before_those_that_work(stage: Stage) -> None:
    by = stage.phonecom(policy=ON | {"live_grants": 3})
    code = stage.connect(by)
    for _ in range(5):
        token(stage, by)
        stage.wait(hours=1)
    assert stage.stored(Grant, code.issued.access.row_id).revoked_at is None
    assert sum(grant.revoked_at is None for grant in stage.all(Grant)) == 3


def test_two_clicks_at_once_make_one_grant(stage: Stage, by: Integration) -> None:
    pending_id, visitor, shown = asked(stage, by)
    late = proposed_too_early(
        stage, (allow, pending_id, visitor, shown, ISSUER), lambda: stage.allow(pending_id, visitor, shown)
    )
    assert issued(late)[1].access.row_id == stage.all(Grant)[0].id
    assert len(stage.all(Grant)) == 1


# When it is asked


@pytest.mark.parametrize(
    ("uri", "public", "is_asked"),
    [
        (REDIRECT_URI, True, False),
        (REDIRECT_URI, False, False),
        ("http://127.0.0.1/cb", True, True),
        # No secret is shown for a token, so it proves nothing that the client has one.
        ("http://127.0.0.1/cb", False, True),
        ("com.example.app:/cb", False, True),
    ],
)
def test_who_has_allowed_it_is_asked_again_unless_the_redirect_uri_proves_the_client(
    stage: Stage, uri: str, public: bool, is_asked: bool
) -> None:
    by = stage.phonecom(policy=ON, public=public, redirect_uris=(uri,))
    token(stage, by, redirect_uri=uri)
    visitor = stage.browser(stage.ada)
    step = stage.step(stage.open(by, visitor, response_type="token", redirect_uri=uri), visitor).answer
    assert isinstance(step, AskConsent) if is_asked else isinstance(step, SendBack) and step.issued is not None


def test_who_allowed_an_hour_is_asked_before_it_becomes_a_code(stage: Stage) -> None:
    by = stage.phonecom(policy=ON)
    token(stage, by)
    visitor = stage.browser(stage.ada)
    assert isinstance(stage.step(stage.open(by, visitor), visitor).answer, AskConsent)


def test_who_allowed_a_code_has_allowed_the_hour_as_well(stage: Stage) -> None:
    by = stage.phonecom(policy=ON)
    stage.connect(by)
    visitor = stage.browser(stage.ada)
    step = stage.step(stage.open(by, visitor, response_type="token"), visitor).answer
    assert isinstance(step, SendBack)
    assert step.issued is not None


# Signed tokens


def test_a_signed_token_takes_a_signing_key(stage: Stage) -> None:
    by = stage.phonecom(policy=ON | {"access_token_format": "jwt"}, public=True)
    pending_id, visitor, shown = asked(stage, by)
    refused(stage.allow(pending_id, visitor, shown), "temporarily_unavailable", "no_signing_key")
    stage.decide(ensure_key, draw_signing_key(stage.vault))
    made = issued(stage.allow(pending_id, visitor, shown))[1]
    assert stage.is_active(stage.mint.access_token(made))
