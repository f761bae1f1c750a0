"""What a member of an account may allow: what is their own there, and nothing of the others'."""

from __future__ import annotations

from typing import Any

import pytest

from grantway.protocol.administration.people import add_member, remove_member
from grantway.protocol.authorize import allow
from grantway.protocol.connections import remove_by_user
from grantway.protocol.decision import Put
from grantway.protocol.ids import show
from grantway.protocol.lifecycle import suspend, suspend_by_user
from grantway.protocol.model import Connection, Grant, Membership, User
from grantway.protocol.steps import AskAccount, AskConsent, SendBack, TellSuspended
from grantway.protocol.token_status import token_status
from grantway.wire.messages import TokenStatusRequest
from tests.helpers.stage import ISSUER, Integration, Stage, Tokens, refused
from tests.protocol.test_lifecycle_races import proposed_too_early

OWN = ("extension-user",)
BOTH = ("account-owner", "extension-user")


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def by(stage: Stage) -> Integration:
    return stage.phonecom()


@pytest.fixture
def grace(stage: Stage) -> User:
    user = stage.user("Grace", "member")
    stage.make_true(Put(Membership(stage.acme.id, user.id, "member", stage.clock(), {"phonecom": "41"})))
    return user


def leave(stage: Stage, user: User) -> Any:
    return stage.decide(remove_member, stage.acme.id, user.email or "")


def step(stage: Stage, by: Integration, user: User, scope: tuple[str, ...] = OWN, **asked: Any) -> Any:
    visitor = stage.browser(user)
    return stage.step(stage.open(by, visitor, scope=scope, **asked), visitor).answer


# Who may allow what


def test_a_member_allows_what_is_their_own(stage: Stage, by: Integration, grace: User) -> None:
    tokens = stage.connect(by, grace, scope=OWN)
    assert stage.scope_of(tokens.access) == OWN
    status = stage.decide(token_status, TokenStatusRequest(tokens.access), "phonecom", ISSUER).answer
    assert getattr(status, "member_id", None) == "41"


@pytest.mark.parametrize("scope", [BOTH, ("account-owner",), ("methods:ALL",), ("extension-user", "methods:ALL")])
def test_with_any_other_scope_that_one_decides(
    stage: Stage, by: Integration, grace: User, scope: tuple[str, ...]
) -> None:
    asked = step(stage, by, grace, scope)
    assert isinstance(asked, AskAccount)
    assert (asked.obstacles, asked.personal) == ({stage.acme.id: "role"}, False)


def test_who_is_not_known_in_the_account_by_an_id_has_nothing_of_their_own(
    stage: Stage, by: Integration, grace: User
) -> None:
    stage.make_true(Put(Membership(stage.acme.id, grace.id, "member", stage.clock())))
    asked = step(stage, by, grace)
    assert isinstance(asked, AskAccount)
    assert (asked.obstacles, asked.personal) == ({stage.acme.id: "nothing_own"}, True)


def test_picking_and_allowing_look_again(stage: Stage, by: Integration, grace: User) -> None:
    visitor = stage.browser(grace)
    pending_id = stage.open(by, visitor, scope=OWN)
    shown = stage.ask(pending_id, visitor).shown
    stage.make_true(Put(Membership(stage.acme.id, grace.id, "member", stage.clock())))
    refused(stage.allow(pending_id, visitor, shown), "access_denied", "account_not_yours")
    refused(stage.choose(pending_id, visitor, stage.acme), "access_denied", "account_not_yours")


def test_elsewhere_members_may_allow_nothing(stage: Stage, grace: User) -> None:
    standard = stage.integration(scopes=OWN)
    assert isinstance(step(stage, standard, grace), AskAccount)


def test_a_client_that_asks_for_nothing_asks_for_nothing_personal(stage: Stage, grace: User) -> None:
    plain = stage.phonecom(scopes=(), default_scopes=())
    assert isinstance(step(stage, plain, grace, ()), AskAccount)


# What it does to the connection


def test_a_members_consent_neither_widens_nor_narrows_what_others_reach(
    stage: Stage, by: Integration, grace: User
) -> None:
    owners = stage.connect(by, scope=("account-owner", "methods:ALL"))
    stage.connect(by, grace, scope=OWN)
    assert stage.scope_of(owners.access) == ("account-owner", "methods:ALL")
    assert stage.scope_of(stage.refreshed(by, owners.refresh).access) == ("account-owner", "methods:ALL")
    assert stage.connection_of(owners).scope == ("account-owner", "methods:ALL", "extension-user")


def test_an_owners_narrower_consent_leaves_members_what_is_theirs(stage: Stage, by: Integration, grace: User) -> None:
    owners, members = stage.connect(by, scope=("account-owner", "methods:ALL")), stage.connect(by, grace, scope=OWN)
    narrower = stage.connect(by, scope=("account-owner",))
    assert stage.scope_of(owners.access) == ("account-owner",)
    assert stage.scope_of(narrower.access) == ("account-owner",)
    assert stage.scope_of(members.access) == OWN


def test_an_owners_consent_to_their_own_alone_takes_nothing_from_the_account(stage: Stage, by: Integration) -> None:
    """Otherwise signing in with the phone would cut the office off."""
    office = stage.connect(by, scope=("account-owner",))
    phone = stage.connect(by, scope=OWN)
    assert stage.scope_of(office.access) == ("account-owner",)
    assert stage.scope_of(phone.access) == OWN


def test_the_page_says_that_it_is_about_their_own_and_loses_nothing(stage: Stage, by: Integration, grace: User) -> None:
    stage.connect(by, scope=("account-owner", "methods:ALL"))
    asked = step(stage, by, grace)
    assert isinstance(asked, AskConsent)
    assert (asked.personal, asked.lost) == (True, ())
    owners = step(stage, by, stage.ada, ("account-owner",), prompt=("consent",))
    assert (owners.personal, owners.lost) == (False, ("methods:ALL",))


def test_a_member_who_has_allowed_it_is_not_asked_again(stage: Stage, by: Integration, grace: User) -> None:
    stage.connect(by, grace, scope=OWN)
    assert isinstance(step(stage, by, grace), SendBack)
    linus = stage.user("Linus", "member")
    assert isinstance(step(stage, by, linus), AskConsent)


def test_a_member_cannot_take_back_what_an_owner_suspended(stage: Stage, by: Integration, grace: User) -> None:
    tokens = stage.connect(by, grace, scope=OWN)
    visitor = stage.browser(grace)
    pending_id = stage.open(by, visitor, scope=OWN, prompt=("consent",))
    shown = stage.ask(pending_id, visitor).shown
    owner = stage.browser(stage.ada)
    stage.decide(suspend_by_user, stage.connection_of(tokens).id, owner.session)
    told = stage.step(pending_id, visitor).answer
    assert isinstance(told, TellSuspended)
    assert not told.by_operator
    again = stage.allow(pending_id, visitor, shown)
    assert again.answer.reason in ("consent_differs", "connection_suspended")
    assert stage.connection_of(tokens).suspended_at is not None
    owners = step(stage, by, stage.ada, OWN)
    assert isinstance(owners, AskConsent)
    assert owners.resumes


def test_an_operators_suspension_is_told_as_one(stage: Stage, by: Integration, grace: User) -> None:
    tokens = stage.connect(by, grace, scope=OWN)
    stage.decide(suspend, stage.connection_of(tokens).id, "operator")
    told = step(stage, by, grace)
    assert isinstance(told, TellSuspended)
    assert told.by_operator


# How it ends


def test_a_member_removes_their_own_part_and_the_last_one_the_connection(
    stage: Stage, by: Integration, grace: User
) -> None:
    owners, members = stage.connect(by), stage.connect(by, grace, scope=OWN)
    connection = stage.connection_of(members)
    session = stage.browser(grace).session
    stage.decide(remove_by_user, connection.id, session)
    assert not stage.is_active(members.access)
    assert stage.is_active(owners.access)
    refused(stage.decide(remove_by_user, connection.id, session), "not_found", "connection_of_others")
    alone = stage.phonecom("Alone")
    theirs = stage.connect(alone, grace, scope=OWN)
    stage.decide(remove_by_user, stage.connection_of(theirs).id, session)
    assert stage.connection_of(theirs).removed_at is not None


@pytest.mark.parametrize("policy", ["keep", "suspend", "remove"])
def test_what_was_a_members_own_ends_when_they_leave_whatever_the_policy(
    stage: Stage, grace: User, policy: str
) -> None:
    by = stage.phonecom(policy={"member_left": policy})
    owners, members = stage.connect(by), stage.connect(by, grace, scope=OWN)
    leave(stage, grace)
    assert not stage.is_active(members.access)
    refused(stage.refresh(by, members.refresh), "invalid_grant", "grant_ended")
    assert stage.is_active(owners.access)
    assert stage.connection_of(owners).suspended_at is None


def test_a_connection_that_was_theirs_alone_goes_with_them(stage: Stage, by: Integration, grace: User) -> None:
    tokens = stage.connect(by, grace, scope=OWN)
    leave(stage, grace)
    gone = stage.connection_of(tokens)
    assert (gone.removed_at, gone.removed_reason) == (stage.clock(), "member_left")


def test_an_owner_who_becomes_a_member_keeps_what_is_their_own(stage: Stage, by: Integration) -> None:
    stage.connect(by)
    linus = stage.user("Linus")
    shared, own = stage.connect(by, linus), stage.connect(by, linus, scope=OWN)
    stage.decide(add_member, stage.acme.id, linus.email or "", "member")
    assert not stage.is_active(shared.access)
    assert stage.is_active(own.access)
    assert stage.is_active(stage.refreshed(by, own.refresh).access)


@pytest.mark.parametrize(("policy", "shared_is_active", "suspended"), [("keep", True, False), ("suspend", False, True)])
def test_an_owner_who_leaves_loses_their_own_and_the_rest_is_the_policys(
    stage: Stage, policy: str, shared_is_active: bool, suspended: bool
) -> None:
    by = stage.phonecom(policy={"member_left": policy})
    linus = stage.user("Linus")
    shared, own = stage.connect(by, linus), stage.connect(by, linus, scope=OWN)
    leave(stage, linus)
    assert stage.stored(Grant, own.issued.access.row_id).revoked_reason == "member_left"
    assert stage.is_active(shared.access) == shared_is_active
    assert (stage.connection_of(shared).suspended_at is not None) == suspended


def test_a_code_that_waits_ends_with_the_membership(stage: Stage, by: Integration, grace: User) -> None:
    code = stage.code(by, grace, scope=OWN)
    leave(stage, grace)
    refused(stage.exchange(by, code), "invalid_grant", "grant_ended")


def test_a_consent_that_meets_a_leaving_member_is_one_or_the_other(stage: Stage, by: Integration, grace: User) -> None:
    visitor = stage.browser(grace)
    pending_id = stage.open(by, visitor, scope=OWN)
    shown = stage.ask(pending_id, visitor).shown
    leave(stage, grace)
    refused(stage.allow(pending_id, visitor, shown), "access_denied", "account_not_yours")
    assert stage.all(Connection) == []


def test_each_member_has_a_grant_of_their_own_under_the_one_connection(
    stage: Stage, by: Integration, grace: User
) -> None:
    linus = stage.user("Linus", "member")
    first: Tokens = stage.connect(by, grace, scope=OWN)
    second: Tokens = stage.connect(by, linus, scope=OWN)
    assert stage.connection_of(first).id == stage.connection_of(second).id
    leave(stage, grace)
    assert [stage.is_active(one.access) for one in (first, second)] == [False, True]
    told: Any = stage.introspect(second.access).answer
    linus_id = stage.stored(Membership, (stage.acme.id, linus.id)).external_ids["phonecom"]
    assert (told.member_id, told.sub) == (linus_id, show("us", linus.id))


def test_a_members_consent_and_an_owners_narrowing_at_once_leave_each_what_is_theirs(
    stage: Stage, by: Integration, grace: User
) -> None:
    wide = stage.connect(by, scope=("account-owner", "methods:ALL"))
    visitor = stage.browser(grace)
    pending_id = stage.open(by, visitor, scope=OWN)
    shown = stage.ask(pending_id, visitor).shown
    late = proposed_too_early(
        stage,
        (allow, pending_id, visitor, shown, ISSUER),
        lambda: stage.connect(by, scope=("account-owner",)),
    )
    tokens = stage.minted(stage.exchange(by, late.answer.answer.code))
    assert stage.scope_of(wide.access) == ("account-owner",)
    assert stage.scope_of(tokens.access) == OWN
