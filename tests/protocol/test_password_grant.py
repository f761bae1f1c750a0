"""A client brings a person's name and password itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from grantway.protocol.connections import remove
from grantway.protocol.decision import Put
from grantway.protocol.grant_types.password import begin_password_grant, fail_password_grant, finish_password_grant
from grantway.protocol.lifecycle import suspend
from grantway.protocol.model import FailureBucket, Grant, Membership, Notice
from grantway.protocol.sign_in import Attempt
from grantway.protocol.throttle import FAILURES_PER_ADDRESS
from grantway.protocol.token import token
from grantway.wire.messages import TokenRequest
from tests.helpers.stage import Integration, Stage, ending, refused
from tests.protocol.test_lifecycle_races import proposed_too_early

ADDRESS = "192.0.2.7"
ON = {"grant_types": "authorization_code refresh_token client_credentials password"}


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    stage.ada = stage.amend(stage.ada, password_hash="ada's hash", password_version=1)
    return stage


@pytest.fixture
def by(stage: Stage) -> Integration:
    return stage.phonecom(policy=ON)


def asked(by: Integration, **changes: Any) -> TokenRequest:
    request = TokenRequest("password", by.credentials, username="ada@example.com", password="correct horse")
    return replace(request, **changes)


def begin(stage: Stage, by: Integration, address: str = ADDRESS, **changes: Any) -> Any:
    return stage.decide(begin_password_grant, asked(by, **changes), by.dialect, address)


def finish(stage: Stage, by: Integration, attempt: Attempt, **changes: Any) -> Any:
    return stage.decide(finish_password_grant, asked(by, **changes), by.dialect, attempt)


def grant(stage: Stage, by: Integration, **changes: Any) -> Any:
    """The whole way, with a right password."""
    attempt = begin(stage, by, **changes).answer
    assert isinstance(attempt, Attempt), attempt
    return finish(stage, by, attempt, **changes)


def member(stage: Stage, name: str, *, extension: str | None = "42") -> str:
    """The address of a member of Acme who has a password."""
    user = stage.amend(stage.user(name, "member"), password_hash="hash", password_version=1)
    ids = {} if extension is None else {"phonecom": extension}
    stage.make_true(Put(Membership(stage.acme.id, user.id, "member", stage.clock(), ids)))
    return f"{name.lower()}@example.com"


# Who may ask


def test_the_client_is_authenticated_before_any_password_is_looked_at(stage: Stage, by: Integration) -> None:
    wrong = replace(by.credentials, client_secret="wrong")
    refused(begin(stage, by, credentials=wrong), "invalid_client", "client_secret_wrong")
    refused(begin(stage, by, credentials=replace(wrong, client_id="nobody")), "invalid_client", "client_unknown")
    assert stage.all(FailureBucket) == []


def test_only_a_client_for_which_an_operator_turned_it_on_may(stage: Stage) -> None:
    refused(begin(stage, stage.phonecom()), "unauthorized_client", "grant_type_not_allowed")
    refused(begin(stage, stage.integration()), "unauthorized_client", "grant_type_not_allowed")


def test_a_client_that_keeps_no_secret_may_not(stage: Stage, by: Integration) -> None:
    public = Integration(stage.amend(by.client, confidential=False, secrets=()), None)
    refused(begin(stage, public), "unauthorized_client", "public_client_password")


def test_at_the_plain_token_rule_there_is_no_such_grant_type(stage: Stage, by: Integration) -> None:
    """Otherwise a password would be right without having been verified."""
    refused(stage.decide(token, asked(by), by.dialect), "unsupported_grant_type", "grant_type_unknown")


def test_name_and_password_are_both_needed(stage: Stage, by: Integration) -> None:
    refused(begin(stage, by, username=None), "invalid_request", "username_missing")
    refused(begin(stage, by, password=None), "invalid_request", "password_missing")


# Whose password it is


def test_the_attempt_carries_what_has_to_be_verified(stage: Stage, by: Integration) -> None:
    attempt = begin(stage, by, username=" ADA@example.com").answer
    assert (attempt.user_id, attempt.password_hash, attempt.delay) == (stage.ada.id, "ada's hash", 0.0)


def test_an_unknown_name_and_one_without_password_look_like_any_other(stage: Stage, by: Integration) -> None:
    stage.user("Grace")
    for name in ("nobody@example.com", "grace@example.com", ""):
        attempt = begin(stage, by, username=name).answer
        assert (attempt.user_id, attempt.password_hash) == (None, None)
        failed = ending(stage.decide(fail_password_grant, attempt), "invalid_grant", "sign_in_unknown_user")
        assert len(failed.changes) == 2


def test_a_wrong_password_says_the_same_and_counts(stage: Stage, by: Integration) -> None:
    unknown = stage.decide(fail_password_grant, begin(stage, by, username="nobody@example.com").answer)
    wrong = ending(
        stage.decide(fail_password_grant, begin(stage, by).answer), "invalid_grant", "sign_in_wrong_password"
    )
    assert wrong.answer.error == unknown.answer.error


def test_failures_are_counted_with_those_of_the_sign_in_page(stage: Stage, by: Integration) -> None:
    for _ in range(FAILURES_PER_ADDRESS):
        stage.decide(fail_password_grant, begin(stage, by).answer)
    assert begin(stage, by, address="192.0.2.8").answer.delay == 2.0
    refusal = refused(begin(stage, by), "too_many_requests", "sign_in_address_limited").answer
    assert refusal.retry_after == 900
    stage.wait(minutes=15)
    assert begin(stage, by).answer.delay == 0.0


def test_a_right_password_forgives_the_persons_failures_whatever_else_is_wrong(stage: Stage, by: Integration) -> None:
    for _ in range(4):
        stage.decide(fail_password_grant, begin(stage, by).answer)
    ending(grant(stage, by, scope=("nonesuch",)), "invalid_scope", "scope_exceeds_client")
    assert begin(stage, by).answer.delay == 0.0


def test_people_who_sign_in_elsewhere_are_wrong_whatever_they_type() -> None:
    """They may be asked for more than a password there."""
    stage = Stage(login_url="https://platform.example/sign-in")
    stage.amend(stage.ada, password_hash="hash", password_version=1)
    attempt = begin(stage, stage.phonecom(policy=ON)).answer
    assert (attempt.user_id, attempt.password_hash) == (None, None)
    ending(stage.decide(fail_password_grant, attempt), "invalid_grant", "sign_in_unknown_user")


def test_a_password_that_was_changed_while_the_old_one_was_verified_is_wrong(stage: Stage, by: Integration) -> None:
    attempt = begin(stage, by).answer
    stage.amend(stage.ada, password_hash="another", password_version=2)
    failed = ending(finish(stage, by, attempt), "invalid_grant", "sign_in_overtaken")
    assert len(failed.changes) == 2


@pytest.mark.parametrize(
    ("what", "error", "reason"),
    [
        ({"ended_at": True}, "invalid_client", "client_ended"),
        ({"disabled_at": True}, "invalid_client", "client_disabled"),
        ({"overrides": ()}, "unauthorized_client", "grant_type_not_allowed"),
    ],
)
def test_a_client_that_lost_it_meanwhile_gets_nothing(
    stage: Stage, by: Integration, what: dict[str, Any], error: str, reason: str
) -> None:
    attempt = begin(stage, by).answer
    stage.amend(by.client, **{name: stage.clock() if value is True else value for name, value in what.items()})
    refused(finish(stage, by, attempt), error, reason)


# What comes of it


def test_tokens_and_a_connection_come_of_it(stage: Stage, by: Integration) -> None:
    decision = grant(stage, by)
    tokens = stage.minted(decision)
    assert tokens.scope == ("account-owner",)
    made, connection = stage.grant_of(tokens), stage.connection_of(tokens)
    assert (made.origin, made.user_id, made.generation) == ("password", stage.ada.id, 1)
    assert (connection.account_id, connection.approved_by) == (stage.acme.id, stage.ada.id)
    assert connection.activated_at == stage.clock()
    assert stage.is_active(tokens.access)
    (entry,) = [one for one in stage.audited() if one.action == "password_granted"]
    assert (entry.reason, entry.user_id, entry.connection_id) == ("password", stage.ada.id, connection.id)
    again = stage.refreshed(by, tokens.refresh)
    assert stage.is_active(again.access)
    assert again.refresh != tokens.refresh


def test_a_second_time_finds_the_connection_and_each_call_is_a_grant_of_its_own(stage: Stage, by: Integration) -> None:
    first, second = stage.minted(grant(stage, by)), stage.minted(grant(stage, by, scope=("methods:ALL",)))
    assert stage.connection_of(first).id == stage.connection_of(second).id
    assert stage.connection_of(second).scope == ("account-owner", "methods:ALL")
    assert stage.scope_of(first.access) == ("account-owner",)
    assert stage.is_active(stage.refreshed(by, first.refresh).access)


def test_grants_do_not_pile_up(stage: Stage) -> None:
    by = stage.phonecom(policy=ON | {"live_grants": 3})
    tokens = []
    for _ in range(5):
        tokens.append(stage.minted(grant(stage, by)))
        stage.wait(minutes=1)
    assert [stage.is_active(one.access) for one in tokens] == [False, False, True, True, True]
    assert {one.revoked_reason for one in stage.all(Grant)} == {None, "superseded"}


def test_the_owners_hear_by_mail_of_a_connection_that_was_made_so_and_of_no_later_call() -> None:
    stage = Stage(smtp="smtp://127.0.0.1:25")
    stage.amend(stage.ada, password_hash="hash", password_version=1)
    by = stage.phonecom(policy=ON)
    grant(stage, by)
    (letter,) = [one for one in stage.all(Notice) if one.kind == "mail"]
    assert letter.user_id == stage.ada.id
    assert b'"connection_made"' in letter.body
    assert b'"password"' in letter.body
    grant(stage, by)
    assert len([one for one in stage.all(Notice) if one.kind == "mail"]) == 1


# Which account


def test_it_is_the_account_of_the_client_if_the_person_belongs_to_it(stage: Stage, by: Integration) -> None:
    other = stage.house.account("Other")
    stage.house.member(other, stage.ada, "owner")
    ending(grant(stage, by), "invalid_request", "several_accounts")
    stage.amend(by.client, account_id=other.id)
    assert stage.connection_of(stage.minted(grant(stage, by))).account_id == other.id


def test_it_is_the_only_account_of_the_person_otherwise(stage: Stage, by: Integration) -> None:
    stage.amend(by.client, account_id=stage.house.account("Other").id)
    assert stage.connection_of(stage.minted(grant(stage, by))).account_id == stage.acme.id


def test_who_belongs_to_no_account_has_nothing_to_give(stage: Stage, by: Integration) -> None:
    user = stage.house.user("grace@example.com", "Grace", "hash")
    assert user.email is not None
    ending(grant(stage, by, username=user.email), "access_denied", "no_account")


# Who may allow what


def test_a_member_gives_what_is_their_own_and_no_more(stage: Stage, by: Integration) -> None:
    grace = member(stage, "Grace")
    ending(grant(stage, by, username=grace), "access_denied", "account_not_yours")
    both = ("account-owner", "extension-user")
    ending(grant(stage, by, username=grace, scope=both), "access_denied", "account_not_yours")
    assert stage.minted(grant(stage, by, username=grace, scope=("extension-user",))).scope == ("extension-user",)


def test_a_member_whom_the_account_does_not_know_by_an_id_has_nothing_of_their_own(
    stage: Stage, by: Integration
) -> None:
    grace = member(stage, "Grace", extension=None)
    decision = grant(stage, by, username=grace, scope=("extension-user",))
    ending(decision, "access_denied", "account_not_yours")


def test_a_connection_that_is_suspended_is_not_taken_up_by_a_password(stage: Stage, by: Integration) -> None:
    connection = stage.connection_of(stage.minted(grant(stage, by)))
    stage.decide(suspend, connection.id, "operator")
    refusal = ending(grant(stage, by), "access_denied", "connection_suspended").answer
    assert refusal.connection_state == "suspended"
    stage.amend(stage.acme, suspended_at=stage.clock())
    ending(grant(stage, by), "access_denied", "account_suspended")


def test_strangers_drafts_get_nothing(stage: Stage, by: Integration) -> None:
    stage.amend(by.client, approved_at=None)
    ending(grant(stage, by), "access_denied", "client_is_draft")


# While something else happens


def early(stage: Stage, by: Integration, happens: Callable[[], object]) -> Any:
    attempt = begin(stage, by).answer
    asked_for = (finish_password_grant, asked(by), by.dialect, attempt)
    return proposed_too_early(stage, asked_for, happens)


def test_of_two_first_calls_at_once_both_get_tokens_of_one_connection(stage: Stage, by: Integration) -> None:
    first: list[Any] = []
    second = early(stage, by, lambda: first.append(grant(stage, by)))
    tokens = [stage.minted(decision) for decision in (*first, second)]
    assert len({stage.connection_of(one).id for one in tokens}) == 1
    assert all(stage.is_active(one.access) for one in tokens)


def test_a_suspension_that_comes_first_counts(stage: Stage, by: Integration) -> None:
    connection = stage.connection_of(stage.minted(grant(stage, by)))
    late = early(stage, by, lambda: stage.decide(suspend, connection.id, "operator"))
    ending(late, "access_denied", "connection_suspended")


def test_after_a_removal_that_comes_first_the_connection_is_a_new_one(stage: Stage, by: Integration) -> None:
    before = stage.minted(grant(stage, by))
    connection = stage.connection_of(before)
    after = stage.minted(early(stage, by, lambda: stage.decide(remove, connection.id, "operator", "operator")))
    assert stage.connection_of(after).id != connection.id
    assert [stage.is_active(one.access) for one in (before, after)] == [False, True]
