"""Tokens without end, made by hand: who may make them, what they are good for, and what ends them."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from grantway.protocol import lifecycle
from grantway.protocol.administration.answers import OPERATOR, Rejected
from grantway.protocol.administration.client_life import disable_client
from grantway.protocol.administration.clients import NewClient
from grantway.protocol.administration.developers import add_developer
from grantway.protocol.administration.people import remove_member
from grantway.protocol.connections import remove_by_user
from grantway.protocol.decision import Decision
from grantway.protocol.issuing import Issued
from grantway.protocol.model import AuditEntry, Connection, Grant, Notice
from grantway.protocol.permanent import end_token, make_token
from grantway.protocol.portal import register
from grantway.protocol.portal_tokens import drop_token, new_token, tokens
from tests.helpers.stage import REDIRECT_URI, Integration, Stage, refused

READ = ("PAYMENTS_READ",)


@pytest.fixture
def stage() -> Stage:
    return Stage(platform_events_url="https://platform.example/events")


@pytest.fixture
def till(stage: Stage) -> Integration:
    return stage.integration("Till", profile="square")


def make(stage: Stage, to: Integration, *more: Any, **wanted: Any) -> Decision[Any]:
    return stage.decide(make_token, to.client.client_id, stage.acme.id, *more, **wanted)


def made(stage: Stage, decision: Decision[Any]) -> str:
    assert isinstance(decision.answer, Issued), decision.answer
    assert decision.answer.refresh_token is None
    return stage.mint.access_token(decision.answer)


def rejected(decision: Decision[Any], reason: str) -> None:
    assert isinstance(decision.answer, Rejected), decision.answer
    assert (decision.answer.reason, decision.changes) == (reason, ())


def answered(stage: Stage, rule: Any, *args: Any) -> Any:
    return stage.decide(rule, *args).answer


def told(stage: Stage) -> list[tuple[str, Any]]:
    """What the platform was told of connections."""
    bodies = [orjson.loads(notice.body) for notice in stage.all(Notice) if notice.kind == "platform"]
    return [(body["type"], body["data"].get("scope")) for body in bodies]


def test_a_token_without_end_works_for_years_and_for_its_scope_only(stage: Stage, till: Integration) -> None:
    token = made(stage, make(stage, till, READ))
    assert stage.scope_of(token) == READ
    stage.wait(days=3650)
    assert stage.scope_of(token) == READ
    assert token not in repr(stage.all(Grant))


def test_a_token_reaches_the_clients_default_scopes_if_nothing_is_said(stage: Stage, till: Integration) -> None:
    assert stage.scope_of(made(stage, make(stage, till))) == till.client.default_scopes


def test_the_first_token_makes_the_connection_and_the_platform_hears_of_it(stage: Stage, till: Integration) -> None:
    made(stage, make(stage, till, READ))
    (connection,) = stage.all(Connection)
    assert lifecycle.state_of(connection, till.client) == "active"
    assert (connection.approved_by, connection.scope) == (None, READ)
    assert told(stage) == [("connection.created", list(READ))]
    made(stage, make(stage, till, ("ORDERS_READ",)))
    made(stage, make(stage, till, READ))
    assert told(stage)[1:] == [("connection.changed", ["PAYMENTS_READ", "ORDERS_READ"])]
    assert len(stage.all(Connection)) == 1


def test_what_was_allowed_before_reaches_no_more_by_a_token_that_is_made_beside_it(
    stage: Stage, till: Integration
) -> None:
    first = made(stage, make(stage, till, READ))
    made(stage, make(stage, till, ("ORDERS_READ",)))
    assert stage.scope_of(first) == READ


def test_who_made_a_token_is_written_down_and_the_token_is_not(stage: Stage, till: Integration) -> None:
    token = made(stage, make(stage, till, READ, user=stage.ada, actor="us_ada"))
    entry = next(one for one in stage.audited() if one.action == "permanent_token_made")
    assert (entry.actor, entry.user_id, entry.account_id) == ("us_ada", stage.ada.id, stage.acme.id)
    assert token not in repr(stage.all(AuditEntry))


def test_the_accounts_owners_are_told_of_each_token_and_not_what_it_is() -> None:
    stage = Stage(smtp="smtp://127.0.0.1:25")
    till = stage.integration("Till", profile="square")
    stage.user("Grace", "admin")
    texts = [made(stage, make(stage, till, READ)) for _ in range(2)]
    letters = [notice for notice in stage.all(Notice) if notice.kind == "mail"]
    assert [notice.user_id for notice in letters] == [stage.ada.id] * 2
    body = orjson.loads(letters[0].body)
    assert (body["letter"], body["told"]["reason"]) == ("connection_made", "permanent_token")
    assert all(text.encode() not in notice.body for text in texts for notice in letters)


def test_a_token_that_is_ended_is_dead_and_takes_the_connection_with_it_if_it_was_the_last(
    stage: Stage, till: Integration
) -> None:
    one, other = make(stage, till, READ), make(stage, till, READ)
    first, second = made(stage, one), made(stage, other)
    stage.decide(end_token, one.answer.access.row_id)
    assert (stage.is_active(first), stage.is_active(second)) == (False, True)
    rejected(stage.decide(end_token, one.answer.access.row_id), "token_ended")
    stage.decide(end_token, other.answer.access.row_id)
    assert not stage.is_active(second)
    (connection,) = stage.all(Connection)
    assert connection.removed_reason == "operator"
    rejected(stage.decide(end_token, other.answer.access.row_id), "token_ended")


def test_only_tokens_that_were_made_by_hand_are_ended_as_such(stage: Stage) -> None:
    desk = stage.integration()
    tokens = stage.connect(desk)
    rejected(stage.decide(end_token, stage.grant_of(tokens).id), "token_unknown")
    rejected(stage.decide(end_token, bytes(16)), "token_unknown")


def test_a_token_ends_with_its_connection(stage: Stage, till: Integration) -> None:
    token = made(stage, make(stage, till, READ))
    session = stage.browser(stage.ada).session
    stage.decide(remove_by_user, stage.all(Connection)[0].id, session)
    assert not stage.is_active(token)


def test_the_token_of_one_who_leaves_ends(stage: Stage, till: Integration) -> None:
    grace = stage.user("Grace", "admin")
    token = made(stage, make(stage, till, READ, user=grace))
    stage.decide(remove_member, stage.acme.id, grace.email)
    assert not stage.is_active(token)


def test_consents_do_not_crowd_out_a_token_that_was_made_by_hand(stage: Stage) -> None:
    till = stage.integration("Till", profile="square", policy={"live_grants": 1})
    token = made(stage, make(stage, till, READ, user=stage.ada))
    for _ in range(3):
        stage.connect(till, scope=READ)
    assert stage.is_active(token)
    rejected(make(stage, till, READ), "too_many_tokens")


def no_client(stage: Stage, till: Integration) -> Decision[Any]:
    return stage.decide(make_token, "nobody", stage.acme.id, READ)


def no_account(stage: Stage, till: Integration) -> Decision[Any]:
    return stage.decide(make_token, till.client.client_id, bytes(16), READ)


def removed_account(stage: Stage, till: Integration) -> Decision[Any]:
    stage.amend(stage.acme, removed_at=stage.clock())
    return make(stage, till, READ)


def suspended_account(stage: Stage, till: Integration) -> Decision[Any]:
    stage.amend(stage.acme, suspended_at=stage.clock())
    return make(stage, till, READ)


def suspended_connection(stage: Stage, till: Integration) -> Decision[Any]:
    made(stage, make(stage, till, READ))
    stage.decide(lifecycle.suspend, stage.all(Connection)[0].id, OPERATOR)
    return make(stage, till, READ)


def other_profile(stage: Stage, till: Integration) -> Decision[Any]:
    return make(stage, stage.integration(), ("read",))


def resource_server(stage: Stage, till: Integration) -> Decision[Any]:
    server = stage.integration(
        "Api", profile="square", kind="resource_server", redirect_uris=(), resources=("https://api.example/",)
    )
    return make(stage, server, ())


def disabled(stage: Stage, till: Integration) -> Decision[Any]:
    stage.decide(disable_client, till.client.client_id)
    return make(stage, till, READ)


def too_much(stage: Stage, till: Integration) -> Decision[Any]:
    return make(stage, till, ("PAYMENTS_READ", "everything"))


def nothing(stage: Stage, till: Integration) -> Decision[Any]:
    return make(stage, till, ())


def twice(stage: Stage, till: Integration) -> Decision[Any]:
    return make(stage, till, READ * 2)


def strangers_draft(stage: Stage, till: Integration) -> Decision[Any]:
    eve = stage.house.user("eve@example.com", "Eve")
    theirs = stage.house.account("Evil")
    stage.house.member(theirs, eve, "owner")
    wanted = NewClient("Till", "square", redirect_uris=(REDIRECT_URI,))
    draft = answered(stage, register, stage.browser(eve).session, wanted)
    return stage.decide(make_token, draft.client.client_id, stage.acme.id, READ)


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        (no_client, "client_unknown"),
        (no_account, "account_unknown"),
        (removed_account, "account_unknown"),
        (suspended_account, "account_suspended"),
        (suspended_connection, "connection_suspended"),
        (other_profile, "permanent_tokens_not_allowed"),
        (resource_server, "permanent_tokens_not_allowed"),
        (disabled, "client_disabled"),
        (too_much, "scope_exceeds_client"),
        (nothing, "scope_exceeds_client"),
        (twice, "scope_exceeds_client"),
        (strangers_draft, "client_is_draft"),
    ],
)
def test_no_token_is_made(stage: Stage, till: Integration, ask: Any, reason: str) -> None:
    rejected(ask(stage, till), reason)


# --- in the portal


@pytest.fixture
def draft(stage: Stage) -> str:
    """Ada's draft."""
    wanted = NewClient("Till", "square", redirect_uris=(REDIRECT_URI,))
    found = answered(stage, register, stage.browser(stage.ada).session, wanted)
    client_id: str = found.client.client_id
    return client_id


def test_a_developer_makes_tokens_for_their_own_accounts_sees_and_ends_them(stage: Stage, draft: str) -> None:
    session = stage.browser(stage.ada).session
    token = made(stage, stage.decide(new_token, session, draft, stage.acme.id, READ))
    assert stage.scope_of(token) == READ
    bench = answered(stage, tokens, session, draft)
    (held,) = bench.tokens
    assert (held.account.id, held.user.id) == (stage.acme.id, stage.ada.id)
    assert [account.id for account in bench.accounts] == [stage.acme.id]
    stage.decide(drop_token, session, draft, held.grant.id)
    assert not stage.is_active(token)
    assert answered(stage, tokens, session, draft).tokens == ()


def test_a_developer_makes_sees_and_ends_no_token_of_an_account_that_is_not_theirs(stage: Stage, draft: str) -> None:
    grace = stage.user("Grace", "member")
    other = stage.house.account("Other")
    theirs = stage.browser(stage.ada).session
    rejected(stage.decide(new_token, theirs, draft, other.id, READ), "account_unknown")
    stage.decide(new_token, theirs, draft, stage.acme.id, READ)
    (grant,) = stage.all(Grant)
    refused(
        stage.decide(new_token, stage.browser(grace).session, draft, stage.acme.id, READ), "not_found", "client_unknown"
    )
    stage.decide(add_developer, draft, grace.email)
    hers = stage.browser(grace).session
    rejected(stage.decide(new_token, hers, draft, stage.acme.id, READ), "account_unknown")
    rejected(stage.decide(drop_token, hers, draft, grant.id), "token_unknown")
    assert answered(stage, tokens, hers, draft).tokens == ()


def test_a_token_takes_a_sign_in_that_is_not_long_ago(stage: Stage, draft: str) -> None:
    session = stage.browser(stage.ada).session
    stage.decide(new_token, session, draft, stage.acme.id, READ)
    stage.wait(minutes=20)
    (grant,) = stage.all(Grant)
    for rule, more in ((new_token, (stage.acme.id, READ)), (drop_token, (grant.id,))):
        refused(stage.decide(rule, session, draft, *more), "login_required", "sign_in_too_old")
    assert len(answered(stage, tokens, session, draft).tokens) == 1
