"""From an open request to Allow or Deny: who is asked what, and what is checked again when the answer comes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from grantway.protocol.administration.people import remove_member
from grantway.protocol.authorize import (
    AskAccount,
    AskConsent,
    AskSignIn,
    Chosen,
    SendBack,
    Visitor,
    change_account,
    choose_account,
    deny,
)
from grantway.protocol.decision import Put
from grantway.protocol.model import Connection, Grant, Membership, PendingAuthorization
from tests.helpers.stage import ISSUER, REDIRECT_URI, Integration, Stage, refused


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def by(stage: Stage) -> Integration:
    return stage.integration()


def say_no(stage: Stage, pending_id: str, visitor: Visitor) -> Any:
    return stage.decide(deny, pending_id, visitor, ISSUER)


# Sign-in comes before everything


def test_nothing_goes_to_the_client_before_sign_in(stage: Stage, by: Integration) -> None:
    stage.connect(by)  # consent would not even be asked
    visitor = stage.browser()
    pending_id = stage.open(by, visitor)
    assert isinstance(stage.step(pending_id, visitor).answer, AskSignIn)
    refused(stage.allow(pending_id, visitor, ""), "login_required", "login_required")
    refused(say_no(stage, pending_id, visitor), "login_required", "login_required")
    refused(stage.choose(pending_id, visitor, stage.acme), "login_required", "login_required")
    refused(stage.decide(change_account, pending_id, visitor), "login_required", "login_required")


def test_with_prompt_none_nobody_signed_in_is_told_on_a_page(stage: Stage, by: Integration) -> None:
    visitor = stage.browser()
    pending_id = stage.open(by, visitor, prompt=("none",))
    refused(stage.step(pending_id, visitor), "login_required", "login_required")


def test_a_session_that_is_over_is_none(stage: Stage, by: Integration) -> None:
    visitor = stage.browser(stage.ada)
    stage.wait(days=30)
    assert isinstance(stage.step(stage.open(by, visitor), visitor).answer, AskSignIn)


def test_a_disabled_user_is_not_signed_in(stage: Stage, by: Integration) -> None:
    visitor = stage.browser(stage.ada)
    pending_id = stage.open(by, visitor)
    shown = stage.ask(pending_id, visitor).shown
    stage.amend(stage.ada, disabled_at=stage.clock())
    assert isinstance(stage.step(pending_id, visitor).answer, AskSignIn)
    refused(stage.allow(pending_id, visitor, shown), "login_required", "login_required")


def test_prompt_login_asks_again_and_is_checked_again_at_allow(stage: Stage, by: Integration) -> None:
    visitor = stage.browser(stage.ada)
    stage.wait(seconds=1)
    pending_id = stage.open(by, visitor, prompt=("login",))
    asked = stage.step(pending_id, visitor).answer
    assert isinstance(asked, AskSignIn)
    assert asked.again
    refused(stage.allow(pending_id, visitor, ""), "login_required", "login_required")
    stage.wait(seconds=1)
    fresh = stage.sign_in(visitor, stage.ada)
    shown = stage.ask(pending_id, fresh).shown
    refused(stage.allow(pending_id, visitor, shown), "login_required", "login_required")
    assert isinstance(stage.allow(pending_id, fresh, shown).answer, SendBack)


# The browser that started


def test_a_request_belongs_to_the_browser_that_started_it(stage: Stage, by: Integration) -> None:
    victim, attacker = stage.browser(stage.ada), stage.browser(stage.user("Mallory"))
    pending_id = stage.open(by, attacker)
    refused(stage.step(pending_id, victim), "invalid_request", "pending_of_another_browser")
    refused(stage.choose(pending_id, victim, stage.acme), "invalid_request", "pending_of_another_browser")
    refused(stage.allow(pending_id, victim, ""), "invalid_request", "pending_of_another_browser")
    refused(say_no(stage, pending_id, victim), "invalid_request", "pending_of_another_browser")


def test_signing_in_draws_a_new_session_and_the_request_is_still_this_browsers(stage: Stage, by: Integration) -> None:
    visitor = stage.browser()
    pending_id = stage.open(by, visitor)
    assert isinstance(stage.step(pending_id, stage.sign_in(visitor, stage.ada)).answer, AskConsent)


@pytest.mark.parametrize("pending_id", ["", "nonsense", "0" * 44])
def test_an_id_that_nobody_was_given_is_unknown(stage: Stage, pending_id: str) -> None:
    visitor = stage.browser(stage.ada)
    refused(stage.step(pending_id, visitor), "invalid_request", "pending_unknown")
    refused(stage.allow(pending_id, visitor, ""), "invalid_request", "pending_unknown")


# Picking an account


def test_with_one_account_nobody_has_to_pick(stage: Stage, by: Integration) -> None:
    visitor = stage.browser(stage.ada)
    step = stage.step(stage.open(by, visitor), visitor).answer
    assert isinstance(step, AskConsent)
    assert (step.account.id, step.several_accounts, step.redirect_uri) == (stage.acme.id, False, REDIRECT_URI)


def test_with_several_accounts_the_customer_picks_and_may_pick_again(stage: Stage, by: Integration) -> None:
    bolt = stage.house.account("Bolt")
    stage.house.member(bolt, stage.ada, "admin")
    visitor = stage.browser(stage.ada)
    pending_id = stage.open(by, visitor)
    picker = stage.step(pending_id, visitor).answer
    assert isinstance(picker, AskAccount)
    assert [account.name for _, account in picker.choices] == ["Acme", "Bolt"]
    assert stage.ask(pending_id, visitor, bolt).account.name == "Bolt"
    assert isinstance(stage.decide(change_account, pending_id, visitor).answer, Chosen)
    assert isinstance(stage.step(pending_id, visitor).answer, AskAccount)
    assert stage.ask(pending_id, visitor, stage.acme).account.name == "Acme"


def test_what_another_user_picked_in_this_browser_is_forgotten(stage: Stage, by: Integration) -> None:
    bolt = stage.house.account("Bolt")
    stage.house.member(bolt, stage.ada)
    bob = stage.user("Bob", "owner", stage.acme, bolt)
    visitor = stage.browser(stage.ada)
    pending_id = stage.open(by, visitor)
    stage.ask(pending_id, visitor, bolt)
    assert isinstance(stage.step(pending_id, stage.sign_in(visitor, bob)).answer, AskAccount)


@pytest.mark.parametrize("role", ["member", None])
def test_only_owners_and_admins_pick(stage: Stage, by: Integration, role: Any) -> None:
    bob = stage.user("Bob", "owner", stage.house.account("Bolt"), stage.house.account("Cord"))
    if role:
        stage.house.member(stage.acme, bob, role)
    visitor = stage.browser(bob)
    pending_id = stage.open(by, visitor)
    refused(stage.choose(pending_id, visitor, stage.acme), "access_denied", "account_not_yours")


def test_an_account_id_that_is_none_is_not_yours(stage: Stage, by: Integration) -> None:
    visitor = stage.browser(stage.ada)
    pending_id = stage.open(by, visitor)
    for text in ("", "nonsense", "ac_", "us_" + "0" * 22):
        decision = stage.decide(choose_account, pending_id, visitor, text)
        refused(decision, "access_denied", "account_not_yours")


def test_who_may_connect_nothing_is_shown_why(stage: Stage, by: Integration) -> None:
    visitor = stage.browser(stage.user("Bob", "member"))
    step = stage.step(stage.open(by, visitor), visitor).answer
    assert isinstance(step, AskAccount)
    assert not any(membership.may_connect for membership, _ in step.choices)


def test_a_suspended_account_cannot_be_connected(stage: Stage, by: Integration) -> None:
    stage.amend(stage.acme, suspended_at=stage.clock())
    visitor = stage.browser(stage.ada)
    pending_id = stage.open(by, visitor)
    assert isinstance(stage.step(pending_id, visitor).answer, AskAccount)
    assert isinstance(stage.step(stage.open(by, visitor, prompt=("none",)), visitor).answer, SendBack)


# Allow: everything is checked again


def asked(stage: Stage, by: Integration, **changes: Any) -> tuple[Visitor, str, AskConsent]:
    visitor = stage.browser(stage.ada)
    pending_id = stage.open(by, visitor, **changes)
    return visitor, pending_id, stage.ask(pending_id, visitor)


def unchanged(stage: Stage) -> None:
    assert stage.all(Connection) == []
    assert stage.all(Grant) == []


def test_allow_makes_a_connection_a_grant_and_one_code(stage: Stage, by: Integration) -> None:
    visitor, pending_id, page = asked(stage, by, scope=("read",), state="s")
    sent = stage.allow(pending_id, visitor, page.shown).answer
    assert isinstance(sent, SendBack)
    assert (sent.dialect, sent.answer.redirect_uri, sent.answer.state) == ("standard", REDIRECT_URI, "s")
    (connection,) = stage.all(Connection)
    (grant,) = stage.all(Grant)
    assert (connection.scope, connection.approved_by, grant.user_id) == (("read",), stage.ada.id, stage.ada.id)
    assert len(bytes.fromhex(connection.integration_id)) == 12
    (answered,) = stage.all(PendingAuthorization)
    assert answered.grant_id == stage.all(Grant)[0].id
    assert stage.audited()[-1].action == "consented"
    assert stage.audited()[-1].detail == {"scope": ["read"]}


def test_a_double_allow_gives_one_code(stage: Stage, by: Integration) -> None:
    """Browsers show the answer to the second click: it is the first one's, or the customer would be stranded."""
    visitor, pending_id, page = asked(stage, by, state="s")
    first = stage.allow(pending_id, visitor, page.shown).answer
    again = stage.allow(pending_id, visitor, page.shown)
    assert (again.answer, again.changes) == (first, ())
    assert stage.step(pending_id, visitor).answer == first
    refused(say_no(stage, pending_id, visitor), "invalid_request", "pending_unknown")
    assert len(stage.all(Grant)) == 1


def test_what_was_answered_is_answered_again_only_to_the_same_customer_and_until_its_code_is_exchanged(
    stage: Stage, by: Integration
) -> None:
    visitor, pending_id, page = asked(stage, by)
    code = stage.allow(pending_id, visitor, page.shown).answer.answer.code
    bob = stage.sign_in(visitor, stage.user("Bob", "owner"))
    refused(stage.allow(pending_id, bob, page.shown), "invalid_request", "pending_unknown")
    stage.exchange(by, code)
    refused(stage.allow(pending_id, visitor, page.shown), "invalid_request", "pending_unknown")

    visitor, pending_id, page = asked(stage, by, prompt=("consent",))
    stage.allow(pending_id, visitor, page.shown)
    stage.clock.turn(minutes=2)
    refused(stage.allow(pending_id, visitor, page.shown), "invalid_request", "pending_unknown")


def test_deny_sends_access_denied_and_leaves_nothing(stage: Stage, by: Integration) -> None:
    visitor, pending_id, page = asked(stage, by, state="s")
    sent = say_no(stage, pending_id, visitor).answer
    assert sent.answer.error.code == "access_denied"
    assert (sent.answer.state, sent.answer.iss, sent.answer.code) == ("s", ISSUER, None)
    refused(stage.allow(pending_id, visitor, page.shown), "invalid_request", "pending_unknown")
    unchanged(stage)
    assert stage.audited()[-1].action == "denied"


def test_allow_without_having_seen_the_page_is_refused(stage: Stage, by: Integration) -> None:
    visitor = stage.browser(stage.ada)
    refused(stage.allow(stage.open(by, visitor), visitor, ""), "access_denied", "consent_not_asked")
    unchanged(stage)


@pytest.mark.parametrize("shown", ["", "nonsense", "é" * 43])
def test_allow_of_something_else_than_was_shown_is_refused(stage: Stage, by: Integration, shown: str) -> None:
    visitor, pending_id, _ = asked(stage, by)
    refused(stage.allow(pending_id, visitor, shown), "access_denied", "consent_differs")
    unchanged(stage)


def test_what_was_shown_for_another_request_is_something_else(stage: Stage, by: Integration) -> None:
    visitor = stage.browser(stage.ada)
    narrow = stage.open(by, visitor, scope=("read",))
    wide = stage.open(by, visitor)
    shown = stage.ask(narrow, visitor).shown
    stage.ask(wide, visitor)
    refused(stage.allow(wide, visitor, shown), "access_denied", "consent_differs")


def test_what_was_shown_for_another_account_is_something_else(stage: Stage, by: Integration) -> None:
    bolt = stage.house.account("Bolt")
    stage.house.member(bolt, stage.ada)
    visitor = stage.browser(stage.ada)
    pending_id = stage.open(by, visitor)
    shown = stage.ask(pending_id, visitor, stage.acme).shown
    stage.choose(pending_id, visitor, bolt)  # in another tab
    refused(stage.allow(pending_id, visitor, shown), "access_denied", "consent_differs")
    stage.decide(change_account, pending_id, visitor)
    refused(stage.allow(pending_id, visitor, shown), "access_denied", "consent_not_asked")


def test_another_user_who_signed_in_meanwhile_has_not_seen_it(stage: Stage, by: Integration) -> None:
    visitor, pending_id, page = asked(stage, by)
    bob = stage.sign_in(visitor, stage.user("Bob"))
    refused(stage.allow(pending_id, bob, page.shown), "access_denied", "consent_not_asked")
    stage.ask(pending_id, bob)
    refused(stage.allow(pending_id, bob, page.shown), "access_denied", "consent_differs")
    unchanged(stage)


def test_a_membership_that_was_lost_meanwhile_counts_no_more(stage: Stage, by: Integration) -> None:
    stage.user("Bob")
    visitor, pending_id, page = asked(stage, by)
    stage.decide(remove_member, stage.acme.id, stage.ada.email)
    refused(stage.allow(pending_id, visitor, page.shown), "access_denied", "account_not_yours")
    unchanged(stage)


def test_a_role_that_was_lost_meanwhile_counts_no_more(stage: Stage, by: Integration) -> None:
    visitor, pending_id, page = asked(stage, by)
    stage.make_true(Put(Membership(stage.acme.id, stage.ada.id, "member", stage.clock())))
    refused(stage.allow(pending_id, visitor, page.shown), "access_denied", "account_not_yours")
    unchanged(stage)


@pytest.mark.parametrize(
    ("changed", "reason"), [("suspended_at", "account_suspended"), ("removed_at", "account_not_yours")]
)
def test_an_account_that_went_meanwhile_cannot_be_connected(
    stage: Stage, by: Integration, changed: str, reason: str
) -> None:
    """A suspended account was still connected: only the exchange failed."""
    visitor, pending_id, page = asked(stage, by)
    stage.amend(stage.acme, **{changed: stage.clock()})
    refused(stage.allow(pending_id, visitor, page.shown), "access_denied", reason)
    unchanged(stage)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"scopes": ("read",), "default_scopes": ("read",)}, "scope_exceeds_client"),
        ({"resources": ()}, "resource_exceeds_client"),
        ({"redirect_uris": ("https://client.example/new",)}, "redirect_uri_unregistered"),
        ({"disabled_at": True}, "client_disabled"),
        ({"ended_at": True}, "client_ended"),
    ],
)
def test_what_the_client_may_not_do_any_more_is_not_allowed_on_an_older_request(
    stage: Stage, changes: dict[str, Any], reason: str
) -> None:
    """Scopes and redirect URIs were looked at only when the request was opened, up to an hour before."""
    by = stage.integration(resources=("https://api.example",))
    visitor, pending_id, page = asked(stage, by)
    changes = {name: stage.clock() if value is True else value for name, value in changes.items()}
    stage.amend(by.client, **changes)
    refused(stage.allow(pending_id, visitor, page.shown), "invalid_request", reason)
    refused(stage.step(pending_id, visitor), "invalid_request", reason)
    unchanged(stage)


def test_nothing_goes_to_a_redirect_uri_that_was_taken_back_not_even_an_error(stage: Stage, by: Integration) -> None:
    visitor = stage.browser(stage.ada)
    pending_id = stage.open(by, visitor, scope=("nonesuch",))
    stage.amend(by.client, redirect_uris=("https://client.example/new",))
    refused(stage.step(pending_id, visitor), "invalid_request", "redirect_uri_unregistered")
    refused(say_no(stage, pending_id, visitor), "invalid_request", "redirect_uri_unregistered")


def test_two_browsers_of_one_customer_do_not_share_a_request(stage: Stage, by: Integration) -> None:
    here, there = stage.browser(stage.ada), stage.browser(stage.ada)
    pending_id = stage.open(by, here)
    mixed = replace(here, browser=there.browser)
    refused(stage.step(pending_id, mixed), "invalid_request", "pending_of_another_browser")


def test_a_client_whose_row_is_gone_is_unknown(stage: Stage, by: Integration) -> None:
    visitor = stage.browser(stage.ada)
    pending_id = stage.open(by, visitor)
    stage.lose(by.client)
    refused(stage.step(pending_id, visitor), "invalid_request", "client_unknown")
