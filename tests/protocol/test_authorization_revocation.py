"""An application ends all that an account has allowed it (vendors.md §3.3, §4 trap 14)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from grantway.protocol.authorization_revocation import revoke_authorization
from grantway.protocol.connections import remove
from grantway.protocol.decision import Add, Decision, Put, Refusal
from grantway.protocol.model import Account, Connection, EndedToken, Notice, Resource
from grantway.protocol.moment import Moment
from grantway.protocol.token import token
from grantway.wire.messages import (
    AuthorizationRevocationAnswer,
    AuthorizationRevocationRequest,
    ClientCredentials,
    TokenRequest,
)
from tests.helpers.stage import ISSUER, Integration, Stage, Tokens, refused

REMOVE_URL = "https://client.example/revoked"


@pytest.fixture
def stage() -> Stage:
    return Stage(platform_events_url="https://platform.example/hooks")


@pytest.fixture
def by(stage: Stage) -> Integration:
    return stage.square(remove_url=REMOVE_URL)


def asked(by: Integration, **named: Any) -> tuple[Any, ...]:
    return revoke_authorization, AuthorizationRevocationRequest(by.credentials, **named), "square", ISSUER


def revoked(stage: Stage, by: Integration, **named: Any) -> Decision[Any]:
    return stage.decide(*asked(by, **named))


def merchant(account: Account) -> str:
    return account.external_ids["square"]


def told(stage: Stage) -> list[dict[str, Any]]:
    return [json.loads(each.body) for each in stage.all(Notice) if each.kind == "remove_url"]


def subscription(stage: Stage, tokens: Tokens) -> Resource:
    connection, grant = stage.connection_of(tokens), stage.grant_of(tokens)

    async def rule(facts: Any, at: Moment) -> Decision[Resource]:
        made = Resource(at.new_id(), connection.id, "subscription", "sub-1", at.now, grant_id=grant.id)
        return Decision(made, (Add(made),))

    return stage.decide(rule).answer


def test_one_token_ends_every_token_of_the_application_for_that_merchant(stage: Stage, by: Integration) -> None:
    grace = stage.user("Grace")
    first, second = stage.connect(by), stage.connect(by, grace)
    other = stage.connect(stage.square("Other"))
    assert revoked(stage, by, access_token=first.access).answer == AuthorizationRevocationAnswer()
    assert not any(stage.is_active(one) for each in (first, second) for one in (each.access, each.refresh))
    assert stage.is_active(other.access)
    connection = stage.connection_of(first)
    assert (connection.removed_reason, stage.all(Connection)[0].removed_at) == ("integrator", stage.clock())
    refused(stage.refresh(by, second.refresh), "invalid_grant", "connection_removed")


def test_subscriptions_are_cancelled_in_the_same_commit(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    made = subscription(stage, tokens)
    revoked(stage, by, access_token=tokens.access)
    assert stage.stored(Resource, made.id).cancelled_at == stage.clock()


def test_a_merchant_is_named_instead(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    assert revoked(stage, by, account_id=merchant(stage.acme)).reason == "connection_removed"
    assert not stage.is_active(tokens.access)


def test_both_are_taken_when_they_agree_and_refused_when_not(stage: Stage, by: Integration) -> None:
    """The documentation page's own example sends both; the newer specification says not to."""
    tokens = stage.connect(by)
    bolt = stage.house.account("Bolt")
    differs = revoked(stage, by, access_token=tokens.access, account_id=merchant(bolt))
    assert refused(differs, "invalid_request", "account_differs").answer.error.status == 400
    assert stage.is_active(tokens.access)
    assert revoked(stage, by, access_token=tokens.access, account_id=merchant(stage.acme)).changes
    assert not stage.is_active(tokens.access)


def test_only_the_token_ends_when_that_is_asked_for(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    made = subscription(stage, tokens)
    beside = stage.refreshed(by, tokens.refresh)
    decision = revoked(stage, by, access_token=tokens.access, only_access_token=True)
    assert decision.reason == "access_token_revoked"
    assert [type(change) for change in decision.changes] == [Put]
    assert not stage.is_active(tokens.access)
    assert stage.is_active(beside.access)
    assert stage.is_active(stage.refreshed(by, tokens.refresh).access)
    assert stage.stored(Resource, made.id).cancelled_at is None
    assert told(stage) == [], "that is told of whole authorizations only"
    assert revoked(stage, by, access_token=tokens.access, only_access_token=True).reason == "access_token_ended"


def test_an_expired_or_ended_token_still_says_whose_authorization_is_meant(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    revoked(stage, by, access_token=tokens.access, only_access_token=True)
    stage.wait(days=60)
    assert revoked(stage, by, access_token=tokens.access).reason == "connection_removed"
    refused(stage.refresh(by, tokens.refresh), "invalid_grant", "connection_removed")


def test_repeating_is_safe_and_touches_no_newer_connection(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    revoked(stage, by, access_token=tokens.access)
    for named in ({"access_token": tokens.access}, {"account_id": merchant(stage.acme)}):
        again = revoked(stage, by, **named)
        assert (again.answer, again.changes) == (AuthorizationRevocationAnswer(), ())
    newer = stage.connect(by)
    assert revoked(stage, by, access_token=tokens.access).changes == ()
    assert stage.is_active(newer.access)


def test_who_is_suspended_may_still_leave(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    stage.amend(stage.connection_of(tokens), suspended_at=stage.clock())
    assert revoked(stage, by, access_token=tokens.access).reason == "connection_removed"


def test_what_is_not_the_applications_is_not_found(stage: Stage, by: Integration) -> None:
    other = stage.square("Other")
    of_other = stage.connect(other)
    bolt = stage.house.account("Bolt")
    for named, reason in (
        ({"access_token": "nonsense"}, "access_token_unknown"),
        ({"access_token": of_other.refresh}, "access_token_unknown"),
        ({"access_token": of_other.access}, "access_token_of_another_client"),
        ({"account_id": merchant(bolt)}, "account_not_connected"),
        ({"account_id": merchant(stage.acme)}, "account_not_connected"),
        ({"account_id": "MLNOBODY"}, "account_unknown"),
    ):
        refused(revoked(stage, by, **named), "not_found", reason)
    assert stage.is_active(of_other.access)


def test_something_has_to_be_named(stage: Stage, by: Integration) -> None:
    refused(revoked(stage, by), "invalid_request", "access_token_missing")
    only = revoked(stage, by, account_id=merchant(stage.acme), only_access_token=True)
    refused(only, "invalid_request", "access_token_missing")


def test_it_takes_the_secret(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    for secret, reason in ((None, "client_secret_missing"), ("wrong", "client_secret_wrong")):
        credentials = ClientCredentials(by.client.client_id, secret, "none")
        request = AuthorizationRevocationRequest(credentials, tokens.access)
        refused(stage.decide(revoke_authorization, request, "square", ISSUER), "invalid_client", reason)
    assert stage.is_active(tokens.access)


def test_a_permanent_token_is_not_revoked_by_the_application(stage: Stage, by: Integration) -> None:
    """ "… besides your application's personal access token" (documentation page)."""
    tokens = stage.connect(by)
    stage.amend(stage.grant_of(tokens), origin="permanent")
    for only in (False, True):
        decision = revoked(stage, by, access_token=tokens.access, only_access_token=only)
        refused(decision, "invalid_request", "permanent_token")
    assert stage.is_active(tokens.access)


@pytest.mark.parametrize(
    ("reason", "revoker"), [("integrator", "client"), ("customer", "customer"), ("operator", "platform")]
)
def test_the_application_is_told_who_it_was(stage: Stage, by: Integration, reason: Any, revoker: str) -> None:
    tokens = stage.connect(by)
    if reason == "integrator":
        revoked(stage, by, access_token=tokens.access)
    else:
        stage.decide(remove, stage.connection_of(tokens).id, reason, "somebody")
    assert told(stage) == [{"type": "authorization_revoked", "account_id": merchant(stage.acme), "revoker": revoker}]


# --- at once


def test_ten_revocations_at_once_are_one_removal_and_ten_good_answers(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)

    async def race() -> list[Decision[Any]]:
        ten = [asked(by, access_token=tokens.access), asked(by, account_id=merchant(stage.acme))] * 5
        return await asyncio.gather(*(stage.house.service.settle(*each) for each in ten))

    decisions = asyncio.run(race())
    assert all(each.answer == AuthorizationRevocationAnswer() for each in decisions)
    assert sum(bool(each.changes) for each in decisions) == 1
    assert len(told(stage)) == 1


def test_a_revocation_among_refreshes_leaves_nothing_alive(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    refresh = TokenRequest("refresh_token", by.credentials, refresh_token=tokens.refresh)

    async def race() -> list[Decision[Any]]:
        service = stage.house.service
        tries = [service.propose(token, refresh, "square") for _ in range(5)]
        return await asyncio.gather(*tries, service.settle(*asked(by, access_token=tokens.access)))

    *given, _ = asyncio.run(race())
    made = [stage.minted(each) for each in given if not isinstance(each.answer, Refusal)]
    assert made
    assert not any(stage.is_active(each.access) for each in made)
    assert stage.all(EndedToken) == []
