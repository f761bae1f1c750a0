"""Attacks on what the vendors' dialects brought, each told as what an attacker does and what comes of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from grantway.protocol.account_clients import end_own_client, list_clients, number_of, show_client
from grantway.protocol.administration.approval import approve
from grantway.protocol.administration.clients import NewClient
from grantway.protocol.administration.foreign_tokens import OlderGrant, OlderToken, import_tokens
from grantway.protocol.administration.people import add_member, remove_member
from grantway.protocol.administration.signing_keys import ensure_key
from grantway.protocol.digests import digest
from grantway.protocol.ids import show
from grantway.protocol.lifecycle import resume
from grantway.protocol.model import Client, Connection, Grant, User
from grantway.protocol.permanent import make_token
from grantway.protocol.policy import resolve
from grantway.protocol.portal import register
from grantway.protocol.renewal import renew
from grantway.protocol.steps import AskConsent, SendBack
from grantway.server.signing_keys import draw_signing_key
from grantway.wire.account_client_messages import AccountClientRequest
from grantway.wire.messages import ClientCredentials, RenewalRequest
from tests.helpers.stage import CHALLENGE, ISSUER, VERIFIER, Integration, Stage, Tokens, ending, refused

SCOPES: dict[str, dict[str, Any]] = {"square": {"scopes": ("PAYMENTS_READ",)}, "standard": {"scopes": ("read",)}}


@pytest.fixture
def stage() -> Stage:
    return Stage(registration="open")


# --- a code for which PKCE stands for the secret is whoever's made the challenge


@pytest.mark.parametrize(
    ("uri", "challenge", "is_asked"),
    [
        ("http://127.0.0.1:9999/cb", CHALLENGE, True),
        ("com.example.till:/cb", CHALLENGE, True),
        ("https://till.example/cb", CHALLENGE, False),
        ("http://127.0.0.1:9999/cb", None, False),
    ],
)
def test_another_program_on_the_customers_machine_gets_no_code_unasked_by_a_challenge_of_its_own(
    stage: Stage, uri: str, challenge: str | None, is_asked: bool
) -> None:
    till = stage.square(redirect_uris=(uri,))
    stage.connect(till)
    visitor = stage.browser(stage.ada)
    method = None if challenge is None else "S256"
    step = stage.step(stage.open(till, visitor, code_challenge=challenge, code_challenge_method=method), visitor).answer
    assert isinstance(step, AskConsent if is_asked else SendBack)


def test_an_application_can_be_bound_to_its_secret_whoever_sends_a_challenge(stage: Stage) -> None:
    till = stage.square(policy={"pkce_replaces_secret": False})
    code = stage.code(till, code_challenge=CHALLENGE, code_challenge_method="S256")
    nobody = ClientCredentials(till.client.client_id)
    asked = {"code_verifier": VERIFIER}
    refused(stage.exchange(till, code, credentials=nobody, **asked), "invalid_client", "client_secret_missing")
    tokens = stage.minted(stage.exchange(till, code, **asked))
    refused(stage.refresh(till, tokens.refresh, credentials=nobody), "invalid_client", "client_secret_missing")


@pytest.mark.parametrize("profile", ["square", "standard"])
def test_a_refresh_token_that_nothing_proves_the_use_of_is_used_once(stage: Stage, profile: str) -> None:
    """Not even where it was brought along from an older system, or where policy has them stay the same."""
    policy = {} if profile == "square" else {"rotates_refresh_tokens": False}
    by = stage.integration("Public", profile=profile, policy=policy, public=True, **SCOPES[profile])
    stolen = "a-refresh-token-of-an-older-system"
    older = OlderGrant(by.client.client_id, show("ac", stage.acme.id), (OlderToken("refresh", digest(stolen)),))
    stage.decide(import_tokens, older)
    first = stage.refreshed(by, stolen)
    assert first.issued.refresh_expires_at == stage.clock() + timedelta(days=90)
    second = stage.refreshed(by, first.refresh)
    assert second.refresh != first.refresh
    stage.wait(minutes=1)
    ending(stage.refresh(by, first.refresh), "invalid_grant", "refresh_token_reused")
    assert not stage.is_active(second.access)


@pytest.mark.parametrize("profile", ["standard", "sunshine", "square", "phonecom"])
@pytest.mark.parametrize("field", ["dialect", "also_allows"])
def test_no_policy_takes_what_one_vendor_has_to_another_vendors_address(profile: str, field: str) -> None:
    """Else a client of Square would need no secret at ``/revoke``, and tokens would come through the browser at ``/authorize``."""
    for value in ("standard", "square", "phonecom", "password implicit"):
        with pytest.raises(ValueError, match="profile's own"):
            resolve(profile, ((field, value),))


# --- what is in the hands of one who leaves


def by_hand(stage: Stage, by: Integration, user: User, scope: tuple[str, ...]) -> Tokens:
    made = stage.decide(make_token, by.client.client_id, stage.acme.id, scope, user=user)
    return stage.minted(made)


def test_a_token_that_one_who_left_had_made_by_hand_does_not_come_back_with_the_connection(stage: Stage) -> None:
    till = stage.square()
    grace = stage.user("Grace", "admin")
    stage.connect(till, grace)
    token = by_hand(stage, till, grace, ("PAYMENTS_READ",))
    stage.decide(remove_member, stage.acme.id, grace.email)
    (connection,) = stage.all(Connection)
    assert connection.suspended_at is not None
    stage.decide(resume, connection.id, "operator")
    assert not stage.is_active(token.access)
    assert stage.stored(Grant, token.issued.access.row_id).revoked_reason == "member_left"


def test_who_may_not_connect_any_more_keeps_of_tokens_made_by_hand_only_what_reaches_their_own(stage: Stage) -> None:
    dialer = stage.phonecom()
    grace = stage.user("Grace", "admin")
    wide = by_hand(stage, dialer, grace, ("account-owner",))
    own = by_hand(stage, dialer, grace, ("extension-user",))
    stage.decide(add_member, stage.acme.id, grace.email, "member")
    assert (stage.is_active(wide.access), stage.is_active(own.access)) == (False, True)
    assert stage.connection_of(own).suspended_at is None


def developers_client(stage: Stage, olga: User) -> Integration:
    """A draft that Olga registers for Acme, with everything that the vendor has."""
    wanted = NewClient("Back door", "phonecom", redirect_uris=("https://x.example/cb",), account_id=stage.acme.id)
    made: Any = stage.decide(register, stage.browser(olga).session, wanted).answer
    return Integration(made.client, made.client_secret)


def test_a_draft_does_not_act_for_an_account_that_its_developer_has_left(stage: Stage) -> None:
    olga = stage.user("Olga")
    back_door = developers_client(stage, olga)
    token = stage.minted(stage.client_credentials(back_door))
    assert stage.is_active(token.access)
    stage.decide(remove_member, stage.acme.id, olga.email)
    refused(stage.client_credentials(back_door), "unauthorized_client", "client_is_draft")
    assert not stage.is_active(token.access)


def test_what_an_operator_approved_goes_on_acting_for_its_account(stage: Stage) -> None:
    olga = stage.user("Olga")
    front_door = developers_client(stage, olga)
    stage.decide(approve, front_door.client.client_id)
    stage.decide(remove_member, stage.acme.id, olga.email)
    assert stage.is_active(stage.minted(stage.client_credentials(front_door)).access)


# --- one vendor's calls at another's clients


def test_an_accounts_clients_of_other_dialects_are_unknown_at_phonecoms_addresses(stage: Stage) -> None:
    dialer = stage.phonecom(account_id=stage.acme.id)
    others = [stage.integration("Desk", account_id=stage.acme.id), stage.square(account_id=stage.acme.id)]
    token = stage.connect(dialer, scope=("account-owner",)).access
    voip_id = stage.acme.external_ids["phonecom"]
    listed: Any = stage.decide(list_clients, AccountClientRequest(voip_id, token), "phonecom", ISSUER).answer
    assert [one.number for one in listed.clients] == [number_of(dialer.client)]
    for other in others:
        asked = AccountClientRequest(voip_id, token, number_of(other.client))
        refused(stage.decide(show_client, asked, "phonecom", ISSUER), "not_found", "client_unknown")
        refused(stage.decide(end_own_client, asked, "phonecom", ISSUER), "not_found", "client_unknown")
        assert stage.stored(Client, other.client.id).ended_at is None


# --- a renewal is no way to another kind of token


def test_a_signed_token_is_renewed_into_a_signed_one(stage: Stage) -> None:
    stage.decide(ensure_key, draw_signing_key(stage.vault))
    till = stage.square(policy={"access_token_format": "jwt", "access_token_lifetime": 3600})
    asked = RenewalRequest(till.credentials, stage.connect(till).access)
    renewed = stage.minted(stage.decide(renew, asked, "square", ISSUER))
    assert renewed.access.count(".") == 2
    assert stage.is_active(renewed.access)
