"""What is this token good for, and who may know (RFC 7662)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grantway.protocol.administration.people import remove_member
from grantway.protocol.connections import remove
from grantway.protocol.decision import Put, Refusal, TouchUse
from grantway.protocol.ids import show
from grantway.protocol.introspection import INACTIVE
from grantway.protocol.model import Connection, Grant, Membership, User
from grantway.wire.messages import IntrospectionAnswer
from tests.helpers.stage import ISSUER, Integration, Stage, Tokens, refused

A, B = "https://a.example", "https://b.example"


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def by(stage: Stage) -> Integration:
    return stage.integration(resources=(A, B))


def api(stage: Stage, *resources: str) -> Integration:
    return stage.integration("API", kind="resource_server", resources=resources, redirect_uris=())


# Who may know


def test_a_client_sees_its_own_tokens_an_operator_all_and_anybody_else_nothing(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by, resource=(A,))
    own = stage.minted(stage.client_credentials(by, resource=(A,)))
    for token in (tokens.access, own.access):
        assert stage.is_active(token, by)
        assert stage.is_active(token, stage.operator)
        assert stage.is_active(token, api(stage, A))
        assert stage.is_active(token, api(stage, B, A))
        for other in (stage.integration("Other"), api(stage, B), api(stage, ISSUER)):
            decision = stage.introspect(token, other)
            assert (decision.answer, decision.reason, decision.changes) == (INACTIVE, "not_the_callers_business", ())


def test_a_refresh_token_is_seen_by_its_client_and_by_operators_only(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    assert stage.is_active(tokens.refresh, by)
    assert stage.is_active(tokens.refresh, stage.operator)
    assert not stage.is_active(tokens.refresh, api(stage, A, B))
    assert not stage.is_active(tokens.refresh, stage.integration("Other"))


def test_a_token_for_no_resource_is_for_the_issuer_itself(stage: Stage) -> None:
    by = stage.integration()
    tokens = stage.connect(by)
    assert stage.is_active(tokens.access, api(stage, ISSUER))
    assert not stage.is_active(tokens.access, api(stage, A))


def test_a_public_client_may_not_ask(stage: Stage) -> None:
    by = stage.integration(public=True)
    tokens = stage.connect(by)
    refused(stage.introspect(tokens.access, by), "invalid_client", "public_client_introspects")


def test_nobody_learns_anything_of_a_token_that_is_not_active(stage: Stage, by: Integration) -> None:
    """RFC 7662 §2.2: an inactive answer says no more."""
    assert IntrospectionAnswer(active=False) == INACTIVE
    tokens = stage.connect(by)
    stage.wait(days=1)
    assert stage.introspect(tokens.access, by).answer == INACTIVE


@settings(max_examples=200)
@given(st.sampled_from(["", "gwa_", "gwr_", "gwc_", "eyJ"]), st.text())
def test_any_text_is_inactive_and_nothing_else(prefix: str, text: str) -> None:
    stage = _STAGE
    decision = stage.introspect(prefix + text)
    assert (decision.answer, decision.changes) == (INACTIVE, ())


_STAGE = Stage()


# What is said


def test_an_access_token_is_described(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by, scope=("write", "read"))
    answer = stage.introspect(tokens.access).answer
    now = int(stage.clock().timestamp())
    grant = stage.grant_of(tokens)
    assert isinstance(answer, IntrospectionAnswer)
    assert (answer.scope, answer.aud, answer.iss) == (("write", "read"), (A, B), ISSUER)
    assert (answer.iat, answer.exp, answer.token_type) == (now, now + 600, "Bearer")
    assert (answer.client_id, answer.sub) == (by.client.client_id, show("us", stage.ada.id))
    assert answer.connection_id == show("cn", grant.connection_id)
    assert answer.account is not None
    assert (answer.account.id, answer.account.name) == (show("ac", stage.acme.id), "Acme")


def test_a_refresh_token_is_described_with_the_grants_scope(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    narrow = stage.refreshed(by, tokens.refresh, scope=("read",))
    answer = stage.introspect(narrow.refresh).answer
    assert isinstance(answer, IntrospectionAnswer)
    assert answer.scope == ("read", "write", "admin")
    assert answer.exp == int(stage.clock().timestamp()) + 90 * 86_400
    assert answer.token_type is None  # not an access token, and never to be used as one


def test_a_clients_own_token_has_no_account(stage: Stage, by: Integration) -> None:
    answer = stage.introspect(stage.minted(stage.client_credentials(by)).access).answer
    assert isinstance(answer, IntrospectionAnswer)
    assert (answer.sub, answer.account, answer.connection_id) == (by.client.client_id, None, None)


def test_a_token_for_what_is_the_persons_own_alone_names_them_by_their_id_in_the_account(stage: Stage) -> None:
    stage.make_true(Put(Membership(stage.acme.id, stage.ada.id, "owner", stage.clock(), {"phonecom": "41"})))
    by = stage.phonecom()
    for scope, told in (("extension-user", "41"), ("account-owner", None), ("account-owner extension-user", None)):
        answer = stage.introspect(stage.connect(by, scope=tuple(scope.split())).access).answer
        assert isinstance(answer, IntrospectionAnswer)
        assert answer.member_id == told


def test_a_use_is_noted_once_a_day(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    assert stage.introspect(tokens.access).changes == ()  # the exchange was today's use
    stage.wait(hours=12)
    tokens = stage.refreshed(by, tokens.refresh)
    stage.amend(stage.grant_of(tokens), last_used_day=None)
    grant = stage.grant_of(tokens)
    touch = TouchUse(grant.id, grant.connection_id, stage.clock().date())
    assert stage.introspect(tokens.access).changes == (touch,)
    assert stage.introspect(tokens.access).changes == ()
    assert stage.connection_of(tokens).last_used_day == stage.clock().date()


# What a token hangs from, read at every use


FORMATS: dict[str, dict[str, Any]] = {"opaque": {}, "account_jwt": {"profile": "sunshine"}}


def connected(stage: Stage, form: str) -> tuple[Integration, Tokens]:
    by = stage.integration(**FORMATS[form])
    return by, stage.connect(by)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("kind", "changed", "reason"),
    [
        ("grant", "revoked_at", "grant_ended"),
        ("connection", "removed_at", "connection_removed"),
        ("connection", "suspended_at", "connection_suspended"),
        ("account", "removed_at", "account_removed"),
        ("account", "suspended_at", "account_suspended"),
        ("user", "disabled_at", "user_disabled"),
        ("client", "ended_at", "client_ended"),
        ("client", "disabled_at", "client_disabled"),
    ],
)
def test_a_token_works_only_while_all_that_it_hangs_from_stands(
    stage: Stage, form: str, kind: str, changed: str, reason: str
) -> None:
    by, tokens = connected(stage, form)
    record: Any = {
        "grant": stage.grant_of(tokens),
        "connection": stage.connection_of(tokens),
        "account": stage.acme,
        "user": stage.ada,
        "client": by.client,
    }[kind]
    assert stage.prove(tokens.access)
    stage.amend(record, **{changed: stage.clock()})
    assert stage.prove(tokens.access) is None
    for token in filter(None, (tokens.access, tokens.refresh)):
        assert stage.introspect(token).reason == reason
    stage.amend(record, **{changed: None})
    assert stage.prove(tokens.access)


@pytest.mark.parametrize("kind", [User, Grant, Connection])
def test_a_token_whose_row_is_gone_is_inactive(stage: Stage, by: Integration, kind: type[Any]) -> None:
    tokens = stage.connect(by)
    stage.lose({User: stage.ada, Grant: stage.grant_of(tokens), Connection: stage.connection_of(tokens)}[kind])
    assert stage.introspect(tokens.access).answer == INACTIVE
    assert stage.introspect(tokens.refresh).answer == INACTIVE


def test_a_clients_own_token_whose_client_is_gone_is_inactive(stage: Stage, by: Integration) -> None:
    own = stage.minted(stage.client_credentials(by))
    stage.lose(by.client)
    assert stage.introspect(own.access).answer == INACTIVE


def test_who_is_no_member_any_more_has_allowed_nothing(stage: Stage, by: Integration) -> None:
    bob = stage.user("Bob")
    mine, bobs = stage.connect(by), stage.connect(by, bob)
    stage.decide(remove_member, stage.acme.id, bob.email)
    assert not stage.is_active(bobs.access)
    assert stage.is_active(mine.access)


def test_access_can_be_cut_off_at_a_time_without_ending_the_grant(stage: Stage, by: Integration) -> None:
    before = stage.connect(by)
    stage.wait(seconds=1)
    stage.amend(stage.grant_of(before), access_not_before=stage.clock())
    assert stage.introspect(before.access).reason == "access_token_before_its_time"
    assert stage.is_active(stage.refreshed(by, before.refresh).access)


def test_effective_scope_is_token_and_grant_and_connection(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by, scope=("read", "write"))
    narrow = stage.refreshed(by, tokens.refresh, scope=("write",))
    stage.amend(stage.connection_of(tokens), scope=("write", "admin"))
    assert stage.scope_of(tokens.access) == ("write",)
    assert stage.scope_of(narrow.access) == ("write",)
    assert stage.scope_of(narrow.refresh) == ("write",)
    proven = stage.prove(tokens.access)
    assert proven is not None
    assert proven.scope == ("write",)


def test_a_token_is_not_what_another_grant_of_the_same_client_says(stage: Stage, by: Integration) -> None:
    one, two = stage.connect(by), stage.connect(by)
    stage.revoke(by, one.refresh)
    assert not stage.is_active(one.access)
    assert stage.is_active(two.access)


def test_the_client_that_asks_is_proven_with_any_of_its_live_secrets(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    wrong = replace(by, secret="gws_wrong")
    refused(stage.introspect(tokens.access, wrong), "invalid_client", "client_secret_wrong")


# The grace after a removal


def removed(reason: Any = "customer", **settings: Any) -> tuple[Stage, Integration, Tokens]:
    stage = Stage(**settings)
    by = stage.integration(policy={"access_token_lifetime": 1_800})
    tokens = stage.connect(by)
    assert not isinstance(stage.decide(remove, stage.connection_of(tokens).id, reason, "somebody").answer, Refusal)
    return stage, by, tokens


@pytest.mark.parametrize("reason", ["customer", "integrator"])
def test_for_the_grace_after_a_removal_in_peace_tokens_are_good_for_cleaning_up_only(reason: str) -> None:
    stage, by, tokens = removed(reason, removal_grace_seconds=600)
    assert stage.scope_of(tokens.access) == ("cleanup",)
    refused(stage.refresh(by, tokens.refresh), "invalid_grant", "connection_removed")
    assert not stage.is_active(tokens.refresh)
    assert stage.prove(tokens.access) is None  # our own calls refuse
    stage.wait(seconds=599)
    assert stage.scope_of(tokens.access) == ("cleanup",)
    stage.wait(seconds=1)
    assert stage.scope_of(tokens.access) is None


@pytest.mark.parametrize("reason", ["operator", "reuse_detected", "client_disabled", "member_left", "inactivity"])
def test_there_is_no_grace_where_a_removal_has_to_be_feared(reason: str) -> None:
    stage, _, tokens = removed(reason, removal_grace_seconds=600)
    assert stage.scope_of(tokens.access) is None


def test_without_that_setting_there_is_no_grace() -> None:
    stage, _, tokens = removed()
    assert stage.scope_of(tokens.access) is None


def test_every_other_end_holds_in_the_grace_too() -> None:
    for end in ("account", "user", "client", "suspended", "token"):
        stage, by, tokens = removed(removal_grace_seconds=600)
        now = stage.clock()
        match end:
            case "account":
                stage.amend(stage.acme, removed_at=now)
            case "user":
                stage.amend(stage.ada, disabled_at=now)
            case "client":
                stage.amend(by.client, disabled_at=now)
            case "suspended":
                stage.amend(stage.connection_of(tokens), suspended_at=now)
            case "token":
                stage.revoke(by, tokens.access)
        assert stage.scope_of(tokens.access) is None, end
