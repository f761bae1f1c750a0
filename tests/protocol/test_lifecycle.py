"""The life of a connection: suspended and back, who may, what happens when somebody leaves, and what nobody uses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from grantway.protocol.administration.people import add_member, disable_user, remove_member
from grantway.protocol.connections import remove, remove_by_user
from grantway.protocol.decision import Decision, Refusal
from grantway.protocol.lifecycle import (
    remove_neglected,
    resume,
    resume_by_user,
    state_of,
    suspend,
    suspend_by_user,
)
from grantway.protocol.model import Connection, Grant, Notice, User
from grantway.protocol.overview import overview
from tests.helpers.stage import Integration, Stage, Tokens, ending, refused

PLATFORM = "https://platform.example/hooks"
REMOVE_URL = "https://client.example/removed"


@pytest.fixture
def stage() -> Stage:
    return Stage(platform_events_url=PLATFORM)


@pytest.fixture
def by(stage: Stage) -> Integration:
    return stage.integration(remove_url=REMOVE_URL)


def state(stage: Stage, tokens: Tokens) -> str:
    connection = stage.connection_of(tokens)
    return state_of(connection, stage.stored(type(tokens.issued.client), connection.client_id))


def session(stage: Stage, user: User | None = None) -> str | None:
    return stage.browser(user or stage.ada).session


def told(stage: Stage) -> list[str]:
    """What the platform was told, in order."""
    return [json.loads(each.body)["type"] for each in stage.all(Notice) if each.kind == "platform"]


def reasons(stage: Stage, action: str) -> list[tuple[str | None, str]]:
    return [(each.reason, each.actor) for each in stage.audited() if each.action == action]


# States


def test_a_connection_is_pending_until_its_first_token_and_then_active(stage: Stage, by: Integration) -> None:
    code = stage.code(by)
    (connection,) = stage.all(Connection)
    assert state_of(connection, by.client) == "pending"
    assert told(stage) == []
    tokens = stage.minted(stage.exchange(by, code))
    assert state(stage, tokens) == "active"
    assert told(stage) == ["connection.created"]


def test_reauthorization_is_required_while_a_scope_is_missing_that_the_client_cannot_do_without(
    stage: Stage, by: Integration
) -> None:
    tokens = stage.connect(by, scope=("read",))
    stage.amend(by.client, required_scopes=("read", "write"))
    assert state(stage, tokens) == "reauthorization_required"
    assert stage.is_active(tokens.access)
    stage.connect(by, scope=("read", "write"))
    assert state(stage, tokens) == "active"


def test_what_a_disabled_client_has_is_suspended_and_what_is_removed_stays_removed(
    stage: Stage, by: Integration
) -> None:
    tokens = stage.connect(by)
    stage.amend(by.client, disabled_at=stage.clock())
    assert state(stage, tokens) == "suspended"
    stage.decide(remove, stage.connection_of(tokens).id, "operator", "operator")
    assert state(stage, tokens) == "removed"


# Suspended and back


def test_while_suspended_tokens_are_inactive_and_they_come_back_as_they_were(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    connection = stage.connection_of(tokens)
    assert stage.decide(suspend, connection.id, "operator").reason == "connection_suspended"
    assert state(stage, tokens) == "suspended"
    assert not stage.is_active(tokens.access)
    assert not stage.is_active(tokens.refresh)
    assert stage.decide(resume, connection.id, "operator").reason == "connection_resumed"
    assert stage.is_active(tokens.access)
    assert stage.is_active(stage.refreshed(by, tokens.refresh).access)
    assert reasons(stage, "connection_suspended") == reasons(stage, "connection_resumed") == [("operator", "operator")]
    assert told(stage) == ["connection.created", "connection.suspended", "connection.resumed"]


def test_a_suspended_refresh_or_exchange_is_told_so_and_to_come_again_and_never_invalid_grant(
    stage: Stage, by: Integration
) -> None:
    tokens, code = stage.connect(by), stage.code(by)
    stage.decide(suspend, stage.connection_of(tokens).id, "operator")
    for decision in (stage.refresh(by, tokens.refresh), stage.exchange(by, code)):
        refusal = refused(decision, "access_denied", "connection_suspended").answer
        assert (refusal.error.status, refusal.retry_after, refusal.connection_state) == (403, 300, "suspended")
    stage.decide(resume, stage.connection_of(tokens).id, "operator")
    assert stage.is_active(stage.minted(stage.exchange(by, code)).access)


def test_suspending_twice_for_one_reason_changes_nothing_the_second_time(stage: Stage, by: Integration) -> None:
    connection = stage.connection_of(stage.connect(by))
    rules: tuple[Any, ...] = (suspend, resume)
    for rule in rules:
        assert stage.decide(rule, connection.id, "operator").changes
        again = stage.decide(rule, connection.id, "operator")
        assert (again.reason, again.changes) == ("unchanged", ())


def test_a_connection_stays_suspended_until_every_suspension_is_taken_back(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    connection = stage.connection_of(tokens)
    stage.decide(suspend, connection.id, "operator")
    stage.decide(suspend_by_user, connection.id, session(stage))
    assert [each.reason for each in stage.connection_of(tokens).suspensions] == ["operator", "customer"]
    assert stage.decide(resume_by_user, connection.id, session(stage)).reason == "still_suspended"
    refused(stage.decide(resume_by_user, connection.id, session(stage)), "access_denied", "suspended_by_operator")
    assert not stage.is_active(tokens.access)
    stage.decide(resume, connection.id, "operator")
    assert stage.is_active(tokens.access)
    # Four changes are in the audit; the platform hears of the two that made a difference.
    assert len(reasons(stage, "connection_suspended") + reasons(stage, "connection_resumed")) == 4
    assert told(stage) == ["connection.created", "connection.suspended", "connection.resumed"]


def test_an_operator_takes_back_what_the_customer_said_too(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    connection = stage.connection_of(tokens)
    stage.decide(suspend_by_user, connection.id, session(stage))
    stage.decide(resume, connection.id, "operator")
    assert stage.is_active(tokens.access)


@pytest.mark.parametrize("rule", [suspend_by_user, resume_by_user])
def test_only_owners_and_admins_who_signed_in_lately_suspend_and_resume(
    stage: Stage, by: Integration, rule: Any
) -> None:
    connection = stage.connection_of(stage.connect(by))
    if rule is resume_by_user:
        stage.decide(suspend_by_user, connection.id, session(stage))
    member, stranger = stage.user("Max", "member"), stage.house.user("eve@example.com", "Eve")
    refused(stage.decide(rule, connection.id, None), "login_required", "login_required")
    refused(stage.decide(rule, connection.id, session(stage, member)), "not_found", "connection_of_others")
    refused(stage.decide(rule, connection.id, session(stage, stranger)), "not_found", "connection_unknown")
    refused(stage.decide(rule, bytes(16), session(stage)), "not_found", "connection_unknown")
    old = session(stage)
    stage.wait(minutes=15, seconds=1)
    refused(stage.decide(rule, connection.id, old), "login_required", "sign_in_too_old")
    admin = session(stage, stage.user("Bob", "admin"))
    assert not isinstance(stage.decide(rule, connection.id, admin).answer, Refusal)


@pytest.mark.parametrize("rule", [suspend_by_user, resume_by_user])
def test_who_is_a_member_only_sees_what_they_approved_and_neither_suspends_nor_resumes_it(
    stage: Stage, rule: Any
) -> None:
    bob = stage.user("Bob", "admin")
    his, hers = (
        stage.connection_of(stage.connect(stage.integration(name, policy={"member_left": "keep"}), user))
        for name, user in (("His", bob), ("Hers", stage.ada))
    )
    stage.house.member(stage.acme, bob, "member")
    refused(stage.decide(rule, his.id, session(stage, bob)), "access_denied", "not_an_owner")
    refused(stage.decide(rule, hers.id, session(stage, bob)), "not_found", "connection_of_others")


def test_what_is_removed_is_neither_suspended_nor_resumed(stage: Stage, by: Integration) -> None:
    connection = stage.connection_of(stage.connect(by))
    stage.decide(remove_by_user, connection.id, session(stage))
    rules: list[tuple[Any, str | None]] = [(suspend, "operator"), (resume, "operator")]
    rules += [(suspend_by_user, session(stage)), (resume_by_user, session(stage))]
    for rule, who in rules:
        refused(stage.decide(rule, connection.id, who), "not_found", "connection_unknown")


def letters(stage: Stage) -> list[tuple[str, bytes | None]]:
    mails = [each for each in stage.all(Notice) if each.kind == "mail"]
    return [(json.loads(each.body)["letter"], each.user_id) for each in mails]


@pytest.mark.parametrize("who", ["operator", "member_left", "customer"])
def test_owners_get_a_letter_when_somebody_else_suspended_it(who: str) -> None:
    stage = Stage(smtp="smtps://mail.example")
    by, bob = stage.integration(), stage.user("Bob", "admin")
    tokens = stage.connect(by, bob)
    match who:
        case "operator":
            stage.decide(suspend, stage.connection_of(tokens).id, "operator")
        case "member_left":
            stage.decide(remove_member, stage.acme.id, bob.email or "")
        case "customer":
            stage.decide(suspend_by_user, stage.connection_of(tokens).id, session(stage))
    assert state(stage, tokens) == "suspended"
    assert letters(stage) == ([] if who == "customer" else [("connection_suspended", stage.ada.id)])


# Reuse


@pytest.mark.parametrize("what", ["refresh token", "code"])
def test_reuse_ends_the_grant_and_with_the_last_one_the_connection_and_all_are_told(
    stage: Stage, by: Integration, what: str
) -> None:
    code = stage.code(by)
    tokens = stage.minted(stage.exchange(by, code))
    latest = tokens
    for _ in range(3):
        stage.wait(seconds=31)
        latest = stage.refreshed(by, latest.refresh)
    again = stage.exchange(by, code) if what == "code" else stage.refresh(by, tokens.refresh)
    ending(again, "invalid_grant", "code_reused" if what == "code" else "refresh_token_reused")
    connection = stage.connection_of(tokens)
    assert (connection.removed_at, connection.removed_reason) == (stage.clock(), "reuse_detected")
    assert not stage.is_active(latest.access)
    assert reasons(stage, "connection_removed") == reasons(stage, "grant_ended") == [("reuse_detected", "system")]
    assert told(stage) == ["connection.created", "connection.removed"]
    assert [each.url for each in stage.all(Notice) if each.kind == "remove_url"] == [REMOVE_URL]


def test_reuse_of_one_grant_leaves_the_others_and_the_connection(stage: Stage, by: Integration) -> None:
    mine, bobs = stage.connect(by), stage.connect(by, stage.user("Bob"))
    latest = stage.refreshed(by, stage.refreshed(by, mine.refresh).refresh)
    stage.wait(minutes=5)
    ending(stage.refresh(by, mine.refresh), "invalid_grant", "refresh_token_reused")
    assert not stage.is_active(latest.access)
    assert stage.is_active(bobs.access)
    assert state(stage, bobs) == "active"
    assert told(stage) == ["connection.created"]


# Somebody leaves


def leaving(stage: Stage, how: str, user: User) -> Decision[Any]:
    if how == "removed":
        return stage.decide(remove_member, stage.acme.id, user.email)
    if how == "disabled":
        return stage.decide(disable_user, user.id)
    return stage.decide(add_member, stage.acme.id, user.email, "member")


WAYS = ["removed", "lowered", "disabled"]


@pytest.mark.parametrize("how", WAYS)
def test_when_the_approving_user_leaves_the_connection_is_suspended_unless_policy_says_otherwise(
    stage: Stage, by: Integration, how: str
) -> None:
    bob = stage.user("Bob", "admin")
    tokens, code = stage.connect(by, bob), stage.code(by, bob)
    leaving(stage, how, bob)
    assert state(stage, tokens) == "suspended"
    assert reasons(stage, "connection_suspended") == [("member_left", "system")]
    refused(stage.refresh(by, tokens.refresh), *(
        ("invalid_grant", "user_disabled") if how == "disabled" else ("access_denied", "connection_suspended")
    ))  # fmt: skip
    assert stage.decide(resume_by_user, stage.connection_of(tokens).id, session(stage)).reason == "connection_resumed"
    assert stage.is_active(tokens.access) == (how != "disabled")
    refused(stage.exchange(by, code), "invalid_grant", "grant_ended")


@pytest.mark.parametrize("how", WAYS)
def test_when_policy_says_remove_the_connection_goes_and_everybody_is_told(stage: Stage, how: str) -> None:
    by = stage.integration(remove_url=REMOVE_URL, policy={"member_left": "remove"})
    bob = stage.user("Bob", "admin")
    tokens = stage.connect(by, bob)
    leaving(stage, how, bob)
    assert state(stage, tokens) == "removed"
    assert reasons(stage, "connection_removed") == [("member_left", "system")]
    assert told(stage) == ["connection.created", "connection.removed"]
    assert not stage.is_active(tokens.access)


@pytest.mark.parametrize("how", ["removed", "lowered"])
def test_when_policy_says_keep_only_codes_end_that_nobody_exchanged(stage: Stage, how: str) -> None:
    by = stage.integration(policy={"member_left": "keep"})
    bob = stage.user("Bob", "admin")
    tokens, code = stage.connect(by, bob), stage.code(by, bob)
    leaving(stage, how, bob)
    assert stage.is_active(stage.refreshed(by, tokens.refresh).access)
    refused(stage.exchange(by, code), "invalid_grant", "grant_ended")


@pytest.mark.parametrize("policy", ["suspend", "remove"])
def test_what_others_allowed_too_goes_on_without_the_one_who_left(stage: Stage, policy: str) -> None:
    by = stage.integration(policy={"member_left": policy})
    bob = stage.user("Bob", "admin")
    mine, bobs = stage.connect(by), stage.connect(by, bob)
    leaving(stage, "removed", bob)
    assert state(stage, mine) == "active"
    assert stage.is_active(mine.access)
    refused(stage.refresh(by, bobs.refresh), "invalid_grant", "grant_ended")


def test_who_becomes_owner_instead_of_admin_has_not_left(stage: Stage, by: Integration) -> None:
    bob = stage.user("Bob", "admin")
    tokens = stage.connect(by, bob)
    stage.house.member(stage.acme, bob, "owner")
    assert stage.is_active(tokens.access)


def test_who_leaves_one_account_keeps_what_they_connected_to_another(stage: Stage, by: Integration) -> None:
    bolt = stage.house.account("Bolt")
    bob = stage.user("Bob", "admin", stage.acme, bolt)
    here, there = stage.connect(by, bob, stage.acme), stage.connect(by, bob, bolt)
    leaving(stage, "removed", bob)
    assert not stage.is_active(here.access)
    assert stage.is_active(there.access)


def test_a_code_of_somebody_who_left_becomes_no_connection(stage: Stage, by: Integration) -> None:
    bob = stage.user("Bob", "admin")
    code = stage.code(by, bob)
    leaving(stage, "lowered", bob)
    refused(stage.exchange(by, code), "invalid_grant", "grant_ended")
    (connection,) = stage.all(Connection)
    assert connection.suspended_at is None
    assert told(stage) == []


# What nobody uses


def test_a_connection_that_never_had_a_token_goes_after_an_hour_and_nobody_is_told(
    stage: Stage, by: Integration
) -> None:
    stage.code(by)
    assert stage.decide(remove_neglected).answer == 0
    stage.wait(hours=1, seconds=1)
    assert stage.decide(remove_neglected).answer == 1
    (connection,) = stage.all(Connection)
    assert (connection.removed_at, connection.removed_reason) == (stage.clock(), "inactivity")
    assert stage.all(Notice) == []
    assert stage.decide(remove_neglected).answer == 0


def test_an_idle_connection_goes_when_the_installation_says_so_and_everybody_is_told() -> None:
    stage = Stage(platform_events_url=PLATFORM, inactivity_days=90)
    by = stage.integration(remove_url=REMOVE_URL)
    busy = stage.integration("Busy", policy={"refresh_idle_lifetime": None})
    idle, used = stage.connect(by), stage.connect(busy)
    stage.wait(days=89)
    stage.refreshed(busy, used.refresh)
    fresh = stage.connect(stage.integration("Fresh"))
    stage.wait(days=2)
    stage.decide(remove_neglected)
    assert state(stage, idle) == "removed"
    assert state(stage, used) == state(stage, fresh) == "active"
    assert ("inactivity", "system") in reasons(stage, "connection_removed")
    assert "connection.removed" in told(stage)
    assert [each.url for each in stage.all(Notice) if each.kind == "remove_url"] == [REMOVE_URL]


def test_without_that_setting_nothing_is_too_old(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    stage.wait(days=3_000)
    assert stage.decide(remove_neglected).answer == 0
    assert state(stage, tokens) == "active"


# Who sees what


def test_owners_and_admins_see_all_of_an_account_and_members_what_they_approved(stage: Stage) -> None:
    bob = stage.user("Bob", "admin")
    kept = {"member_left": "keep"}
    stage.connect(stage.integration("His", policy=kept), bob)
    stage.connect(stage.integration("Hers", policy=kept))
    seen = {name: _seen(stage, user) for name, user in (("ada", stage.ada), ("bob", bob))}
    assert seen == {"ada": {"His", "Hers"}, "bob": {"His", "Hers"}}
    stage.house.member(stage.acme, bob, "member")
    assert _seen(stage, bob) == {"His"}
    assert _seen(stage, stage.user("Max", "member")) == set()


def _seen(stage: Stage, user: User) -> set[str]:
    answer = stage.decide(overview, session(stage, user)).answer
    assert not isinstance(answer, Refusal)
    return {listed.view.client.name for account in answer.accounts for listed in account.connections}


def test_a_live_grant_is_never_left_without_a_live_connection(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    stage.decide(remove_by_user, stage.connection_of(tokens).id, session(stage))
    (grant,) = stage.all(Grant)
    assert grant.revoked_at is None  # nothing of it needed to change: every use reads the connection
    assert not stage.is_active(tokens.access)
