"""Tokens as Square has them: with the secret or PKCE, narrowed, short-lived, as a JWT (vendors.md §3.2, §4 trap 14)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from grantway.protocol import jwt
from grantway.wire.messages import ClientCredentials
from tests.helpers.stage import CHALLENGE, SQUARE_SCOPES, VERIFIER, Integration, Stage, Tokens, refused

DAY = timedelta(days=1)


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def by(stage: Stage) -> Integration:
    return stage.square()


def without_secret(by: Integration) -> Integration:
    return replace(by, secret=None)


def with_pkce(stage: Stage, by: Integration) -> Tokens:
    code = stage.code(by, code_challenge=CHALLENGE, code_challenge_method="S256")
    return stage.minted(stage.exchange(without_secret(by), code, code_verifier=VERIFIER))


def test_an_access_token_lives_thirty_days_and_a_short_lived_one_a_day(stage: Stage, by: Integration) -> None:
    issued = stage.connect(by).issued
    assert issued.access.expires_at == issued.access.issued_at + 30 * DAY
    assert not issued.short_lived
    short = stage.minted(stage.exchange(by, stage.code(by), short_lived=True))
    assert short.issued.access.expires_at == short.issued.access.issued_at + DAY
    assert short.issued.short_lived
    assert short.refresh, "every obtain answer carries both tokens"
    again = stage.refreshed(by, short.refresh, short_lived=True)
    assert again.issued.short_lived
    assert again.refresh == short.refresh
    assert not stage.refreshed(by, short.refresh).issued.short_lived


def test_with_the_secret_the_refresh_token_is_always_the_same_and_has_no_end(stage: Stage, by: Integration) -> None:
    first = stage.connect(by)
    assert first.issued.refresh_expires_at is None
    for _ in range(5):
        stage.wait(days=400)
        assert stage.refreshed(by, first.refresh).refresh == first.refresh
    assert stage.grant_of(first).generation == 1


def test_a_grant_with_a_challenge_needs_no_secret_and_its_refresh_tokens_are_used_once_and_end(
    stage: Stage, by: Integration
) -> None:
    first = with_pkce(stage, by)
    assert first.issued.refresh_expires_at == stage.clock() + 90 * DAY
    stage.wait(days=89)
    second = stage.refreshed(without_secret(by), first.refresh)
    assert second.refresh != first.refresh
    assert second.issued.refresh_expires_at == stage.clock() + 90 * DAY
    stage.wait(days=91)
    refused(stage.refresh(without_secret(by), second.refresh), "invalid_grant", "refresh_token_expired")


def test_a_single_use_refresh_token_that_comes_again_ends_the_grant(stage: Stage, by: Integration) -> None:
    first = with_pkce(stage, by)
    second = stage.refreshed(without_secret(by), first.refresh)
    stage.wait(minutes=5)
    assert stage.refresh(without_secret(by), first.refresh).reason == "refresh_token_reused"
    assert not stage.is_active(second.access)


def test_without_a_challenge_nothing_goes_without_the_secret(stage: Stage, by: Integration) -> None:
    code = stage.code(by)
    for verifier in (None, VERIFIER):
        decision = stage.exchange(without_secret(by), code, code_verifier=verifier)
        refused(decision, "client_secret_required", "client_secret_missing")
    tokens = stage.minted(stage.exchange(by, code))
    refused(stage.refresh(without_secret(by), tokens.refresh), "client_secret_required", "client_secret_missing")


def test_with_a_challenge_the_verifier_is_needed_even_with_the_secret(stage: Stage, by: Integration) -> None:
    code = stage.code(by, code_challenge=CHALLENGE, code_challenge_method="S256")
    refused(stage.exchange(by, code), "invalid_grant", "code_verifier_missing")
    refused(stage.exchange(without_secret(by), code), "invalid_grant", "code_verifier_missing")
    wrong = stage.exchange(without_secret(by), code, code_verifier=VERIFIER[::-1])
    refused(wrong, "invalid_grant", "code_verifier_wrong")
    assert stage.is_active(stage.minted(stage.exchange(by, code, code_verifier=VERIFIER)).access)


def test_a_wrong_secret_is_not_excused_by_pkce(stage: Stage, by: Integration) -> None:
    code = stage.code(by, code_challenge=CHALLENGE, code_challenge_method="S256")
    wrong = ClientCredentials(by.client.client_id, "sq0csp-wrong", "client_secret_post")
    decision = stage.exchange(by, code, code_verifier=VERIFIER, credentials=wrong)
    refused(decision, "invalid_client", "client_secret_wrong")


def test_another_client_cannot_use_a_token_that_needs_no_secret(stage: Stage, by: Integration) -> None:
    tokens = with_pkce(stage, by)
    other = without_secret(stage.square("Other"))
    refused(stage.refresh(other, tokens.refresh), "invalid_grant", "refresh_token_of_another_client")


def test_a_refresh_gives_what_is_asked_for_of_what_was_granted(stage: Stage, by: Integration) -> None:
    tokens = stage.connect(by)
    narrowed = stage.refreshed(by, tokens.refresh, scope=("PAYMENTS_READ", "NO_SUCH_PERMISSION"))
    assert narrowed.scope == ("PAYMENTS_READ",)
    assert stage.refreshed(by, narrowed.refresh).scope == SQUARE_SCOPES, "the refresh token keeps all"
    nothing = stage.refresh(by, tokens.refresh, scope=("NO_SUCH_PERMISSION",))
    refused(nothing, "invalid_scope", "scope_exceeds_grant")


def test_no_secret_is_asked_of_a_public_client(stage: Stage) -> None:
    by = stage.square("Phone", public=True)
    refused(stage.exchange(by, None), "invalid_request", "code_missing")
    tokens = with_pkce(stage, by)
    assert stage.refreshed(by, tokens.refresh).refresh != tokens.refresh


def test_a_customer_leaves_out_permissions_only_of_an_application_that_has_said_which_it_needs(stage: Stage) -> None:
    """No answer of Square's says what was granted (RFC 6749 §5.1 would have it), so nothing is left out in silence."""
    for by, optional in (
        (stage.square(), ()),
        (stage.square("Declared", required_scopes=SQUARE_SCOPES[:1]), SQUARE_SCOPES[1:]),
    ):
        visitor = stage.browser(stage.ada)
        assert stage.ask(stage.open(by, visitor), visitor).optional == frozenset(optional)


# --- use_jwt


def as_jwt(stage: Stage, by: Integration, **changes: Any) -> Tokens:
    return stage.minted(stage.exchange(by, stage.code(by), jwt=True, **changes))


def test_a_jwt_names_account_and_client_and_ends(stage: Stage, by: Integration) -> None:
    tokens = as_jwt(stage, by)
    found = jwt.read(tokens.access)
    assert found is not None
    assert found.header["alg"] == "HS256"
    assert found.header["typ"] == "JWT"
    access = tokens.issued.access
    assert access.expires_at is not None
    assert found.payload["account"] == stage.acme.external_ids["square"]
    assert found.payload["client_id"] == by.client.client_id
    assert found.payload["exp"] == int(access.expires_at.timestamp())
    assert "scope" not in found.payload
    proven = stage.prove(tokens.access)
    assert proven is not None
    assert (proven.access, proven.form) == (access, "account_jwt")


def test_a_jwt_is_good_until_it_ends_or_is_ended_alone(stage: Stage, by: Integration) -> None:
    tokens, other = as_jwt(stage, by, short_lived=True), as_jwt(stage, by)
    assert stage.scope_of(tokens.access) == SQUARE_SCOPES
    assert stage.revoke(by, other.access).reason == "access_token_revoked"
    assert not stage.is_active(other.access)
    assert stage.is_active(tokens.access)
    stage.wait(hours=23)
    assert stage.is_active(tokens.access)
    stage.wait(hours=2)
    assert not stage.is_active(tokens.access)
    assert stage.is_active(stage.refreshed(by, tokens.refresh, jwt=True).access)


def test_a_narrowed_jwt_reaches_no_more_than_was_asked_for(stage: Stage, by: Integration) -> None:
    tokens = stage.refreshed(by, stage.connect(by).refresh, jwt=True, scope=("ORDERS_WRITE",))
    assert tokens.access.count(".") == 2
    assert stage.scope_of(tokens.access) == ("ORDERS_WRITE",)


def test_a_changed_jwt_is_none(stage: Stage, by: Integration) -> None:
    head, body, tail = as_jwt(stage, by).access.split(".")
    other = as_jwt(stage, by).access.split(".")
    assert not stage.is_active(f"{head}.{other[1]}.{tail}")
    assert not stage.is_active(f"{head}.{body}.{other[2]}")
    assert not stage.is_active(f"{head}.{body}.")


def test_only_a_profile_that_has_it_makes_a_jwt_on_request(stage: Stage) -> None:
    standard = stage.integration()
    assert stage.minted(stage.exchange(standard, stage.code(standard), jwt=True)).access.startswith("gwa_")


def test_one_for_resources_names_them_by_their_positions(stage: Stage) -> None:
    resources = ("https://a.example", "https://b.example")
    by = stage.square(resources=resources)
    tokens = stage.refreshed(by, stage.connect(by).refresh, jwt=True, resource=("https://b.example",))
    proven = stage.prove(tokens.access)
    assert proven is not None
    assert proven.access.resource == ("https://b.example",)


def test_with_all_permissions_and_the_longest_ids_every_token_stays_within_the_vendors_limits(stage: Stage) -> None:
    """Pitfall 1.10: 1,024 characters for tokens, 191 for a code. Permissions are positions, never text."""
    scopes = tuple(f"PAYMENTS_WRITE_ADDITIONAL_RECIPIENTS_{number}" for number in range(59))
    by = stage.square(client_id="sq0idp-" + "c" * 121, scopes=scopes)
    stage.amend(stage.acme, external_ids={"square": "M" * 191})
    code = stage.code(by)
    tokens = stage.minted(stage.exchange(by, code, jwt=True))
    assert stage.prove(tokens.access) is not None
    assert len(code) <= 191
    assert len(tokens.access) <= 1024
    assert len(tokens.refresh) <= 1024
    assert len(stage.refreshed(by, tokens.refresh).access) <= 1024
    assert stage.scope_of(tokens.access) == scopes
