"""Renewing an access token (vendors.md §3.4; pitfalls 1.7, 1.20): before it ends, and for a while after."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from grantway.protocol.administration.foreign_tokens import OlderGrant, OlderToken, import_tokens
from grantway.protocol.authorization_revocation import revoke_authorization
from grantway.protocol.connections import remove
from grantway.protocol.decision import Add, Decision, Refusal
from grantway.protocol.digests import digest
from grantway.protocol.ids import show
from grantway.protocol.issuing import Issued, issue_for_grant
from grantway.protocol.model import Connection, EndedToken
from grantway.protocol.renewal import renew
from grantway.wire.messages import AuthorizationRevocationRequest, ClientCredentials, RenewalRequest
from tests.helpers.stage import CHALLENGE, ISSUER, SQUARE_SCOPES, VERIFIER, Integration, Stage, Tokens, refused


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def by(stage: Stage) -> Integration:
    return stage.square()


def asked(by: Integration, access_token: str) -> tuple[Any, ...]:
    return renew, RenewalRequest(by.credentials, access_token), "square", ISSUER


def again(stage: Stage, by: Integration, access_token: str) -> Decision[Any]:
    return stage.decide(*asked(by, access_token))


@pytest.mark.parametrize("day", [0, 29, 30, 44, 44.999])
def test_until_fifteen_days_after_its_end_a_token_is_renewed(stage: Stage, by: Integration, day: float) -> None:
    tokens = stage.connect(by)
    stage.wait(days=day)
    renewed = stage.minted(again(stage, by, tokens.access))
    assert renewed.access != tokens.access
    assert renewed.scope == SQUARE_SCOPES
    assert renewed.issued.access.expires_at == renewed.issued.access.issued_at + timedelta(days=30)
    assert stage.is_active(renewed.access)


@pytest.mark.parametrize("day", [45, 46, 400])
def test_after_that_the_customer_has_to_be_asked_anew(stage: Stage, by: Integration, day: int) -> None:
    tokens = stage.connect(by)
    stage.wait(days=day)
    refused(again(stage, by, tokens.access), "invalid_token", "access_token_expired")


def test_the_renewed_token_works_on_for_two_minutes_and_repeating_gives_another(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    first = stage.minted(again(stage, by, tokens.access))
    stage.wait(seconds=119)
    assert stage.is_active(tokens.access)
    second = stage.minted(again(stage, by, tokens.access))
    assert second.access not in (first.access, tokens.access)
    stage.wait(seconds=1)
    assert not stage.is_active(tokens.access)
    refused(again(stage, by, tokens.access), "invalid_token", "access_token_ended")
    assert stage.is_active(first.access)
    assert stage.is_active(second.access)
    assert len(stage.all(EndedToken)) == 1


def test_an_expired_token_is_no_fountain_and_does_not_come_back_to_life(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    stage.wait(days=44)
    renewed = stage.minted(again(stage, by, tokens.access))
    assert not stage.is_active(tokens.access)
    stage.wait(days=0.5)
    refused(again(stage, by, tokens.access), "invalid_token", "access_token_ended")
    stage.wait(days=40)
    assert stage.minted(again(stage, by, renewed.access)).access


def test_what_a_renewal_remembers_outlives_the_time_in_which_the_token_could_be_renewed(
    stage: Stage, by: Integration
) -> None:
    """Pitfall 1.7: swept at its expiry, the row would let a token that was ended be renewed."""
    tokens = stage.connect(by)
    again(stage, by, tokens.access)
    (ended,) = stage.all(EndedToken)
    expires_at = tokens.issued.access.expires_at
    assert expires_at is not None
    assert ended.keep_until > expires_at + timedelta(days=15)


def test_the_new_token_reaches_what_the_old_one_did(stage: Stage, by: Integration) -> None:
    narrow = stage.refreshed(by, stage.connect(by).refresh, scope=("ORDERS_READ",), short_lived=True, jwt=True)
    renewed = stage.minted(again(stage, by, narrow.access))
    assert renewed.scope == ("ORDERS_READ",)
    assert renewed.access.count(".") == 2
    assert renewed.issued.access.expires_at == renewed.issued.access.issued_at + timedelta(days=1)


def test_a_scope_that_the_connection_lost_is_not_in_the_new_token(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    stage.amend(stage.connection_of(tokens), scope=SQUARE_SCOPES[:1])
    assert stage.minted(again(stage, by, tokens.access)).scope == SQUARE_SCOPES[:1]


# --- who may not


def test_renewing_takes_the_secret(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    for secret, reason in ((None, "client_secret_missing"), ("wrong", "client_secret_wrong")):
        credentials = ClientCredentials(by.client.client_id, secret, "none")
        request = RenewalRequest(credentials, tokens.access)
        refused(stage.decide(renew, request, "square", ISSUER), "invalid_client", reason)


def test_tokens_that_cannot_be_renewed(stage: Stage, by: Integration) -> None:
    other = stage.connect(stage.square("Other"))
    standard = stage.connect(stage.integration())
    tokens = stage.connect(by)
    code = stage.code(by, code_challenge=CHALLENGE, code_challenge_method="S256")
    bound = stage.minted(stage.exchange(by, code, code_verifier=VERIFIER))
    for token, reason in (
        ("nonsense", "access_token_unknown"),
        (tokens.refresh, "access_token_unknown"),
        (other.access, "access_token_of_another_client"),
        (standard.access, "access_token_of_another_client"),
        (bound.access, "access_token_not_renewable"),
    ):
        refused(again(stage, by, token), "invalid_token", reason)


def test_a_clients_own_token_and_one_without_end_cannot_be_renewed(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    stage.amend(stage.grant_of(tokens), origin="permanent")
    endless = stage.minted(again_of_permanent(stage, tokens))
    refused(again(stage, by, endless.access), "invalid_token", "access_token_not_renewable")


def again_of_permanent(stage: Stage, tokens: Tokens) -> Decision[Any]:
    """A token of the grant as it is now: without end."""

    grant_id = stage.grant_of(tokens).id

    async def rule(facts: Any, at: Any) -> Decision[Issued]:
        held = await facts.grant(grant_id)
        return Decision(
            issue_for_grant(held, at.vault.open(held.grant.key_id, held.grant.secret, held.grant.id), 1, at)
        )

    return stage.decide(rule)


def test_what_is_over_is_not_renewed(stage: Stage, by: Integration) -> None:
    revoked, of_removed = stage.connect(by), stage.connect(by)
    stage.revoke(by, revoked.access)
    refused(again(stage, by, revoked.access), "invalid_token", "access_token_ended")
    stage.wait(days=31)
    refused(again(stage, by, revoked.access), "invalid_token", "access_token_ended")
    stage.decide(remove, stage.connection_of(of_removed).id, "operator", "operator")
    refused(again(stage, by, of_removed.access), "invalid_token", "connection_removed")


def test_what_is_suspended_is_denied_for_now_and_renewed_later(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    connection = stage.amend(stage.connection_of(tokens), suspended_at=stage.clock())
    answer = again(stage, by, tokens.access).answer
    assert isinstance(answer, Refusal)
    assert (answer.error.code, answer.connection_state) == ("access_denied", "suspended")
    stage.amend(connection, suspended_at=None)
    assert stage.is_active(stage.minted(again(stage, by, tokens.access)).access)


def test_a_token_of_an_older_system_is_renewed_into_one_of_ours(stage: Stage, by: Integration) -> None:
    older = OlderToken("access", digest("EAAA-older"), stage.clock() + timedelta(days=10))
    grant = OlderGrant(by.client.client_id, show("ac", stage.acme.id), (older,), scope=("ORDERS_READ",))
    stage.decide(import_tokens, grant)
    stage.wait(days=24)
    renewed = stage.minted(again(stage, by, "EAAA-older"))
    assert renewed.access.startswith("gwa_")
    assert stage.scope_of(renewed.access) == ("ORDERS_READ",)
    stage.wait(days=2)
    refused(again(stage, by, "EAAA-older"), "invalid_token", "access_token_expired")


# --- at once


def test_ten_renewals_at_once_are_answered_and_end_one_token(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)

    async def race() -> list[Decision[Any]]:
        return await asyncio.gather(*(stage.house.service.propose(*asked(by, tokens.access)) for _ in range(10)))

    decisions = asyncio.run(race())
    assert len({stage.minted(each).access for each in decisions}) == 10
    added = [change for each in decisions for change in each.changes if isinstance(change, Add)]
    assert len(added) == len(stage.all(EndedToken)) == 1
    stage.wait(minutes=3)
    refused(again(stage, by, tokens.access), "invalid_token", "access_token_ended")


def proposed_too_early(stage: Stage, by: Integration, token: str, happens: Any) -> Decision[Any]:
    """What becomes of a renewal that had read and decided when something else happened (``Storage.propose``)."""
    rule, *arguments = asked(by, token)
    early: list[Decision[Any]] = []

    async def read(facts: Any, at: Any) -> Decision[None]:
        early.append(await rule(facts, at, *arguments))
        return Decision(None)

    async def propose(facts: Any, at: Any) -> Decision[Any]:
        return early.pop() if early else await rule(facts, at, *arguments)

    stage.decide(read)
    happens()
    return stage.decide(propose)


def test_a_renewal_that_a_revocation_of_the_token_overtook_is_refused(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    request = AuthorizationRevocationRequest(by.credentials, tokens.access, only_access_token=True)
    overtaken = proposed_too_early(
        stage, by, tokens.access, lambda: stage.decide(revoke_authorization, request, "square", ISSUER)
    )
    refused(overtaken, "invalid_token", "access_token_ended")


def test_a_revocation_that_comes_after_a_renewal_ends_the_old_token_at_once(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    renewed = stage.minted(again(stage, by, tokens.access))
    stage.revoke(by, tokens.access)
    assert not stage.is_active(tokens.access)
    refused(again(stage, by, tokens.access), "invalid_token", "access_token_ended")
    assert stage.is_active(renewed.access), "revoking one token ends that one alone"


def test_a_renewal_that_a_removal_overtook_gives_a_dead_token(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    connection = stage.connection_of(tokens)
    given = proposed_too_early(
        stage, by, tokens.access, lambda: stage.decide(remove, connection.id, "operator", "operator")
    )
    assert stage.stored(Connection, connection.id).removed_at is not None
    assert not stage.is_active(stage.minted(given).access)
