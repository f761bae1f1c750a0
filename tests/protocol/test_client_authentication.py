"""Who is calling, and what any token request is refused for before its grant type has a say (RFC 6749 §2.3, §5.2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from grantway.protocol.administration.client_secrets import rotate_secret
from grantway.protocol.introspection import introspect
from grantway.protocol.revocation import revoke
from grantway.protocol.token import GRANT_TYPES, token, writes
from grantway.wire.messages import ClientCredentials, IntrospectionRequest, RevocationRequest, TokenRequest
from tests.helpers.stage import Stage, refused


@pytest.fixture
def stage() -> Stage:
    return Stage()


def as_(client_id: str, secret: str | None) -> ClientCredentials:
    return ClientCredentials(client_id, secret, "none" if secret is None else "client_secret_post")


def ask(stage: Stage, credentials: ClientCredentials, dialect: str = "standard") -> Any:
    return stage.decide(token, TokenRequest("client_credentials", credentials), dialect)


def test_every_failure_is_one_and_the_same_invalid_client(stage: Stage) -> None:
    secret, public, sunshine = stage.integration(), stage.integration(public=True), stage.sunshine()
    table = [
        (as_("nobody", "x"), "client_unknown"),
        (as_("nobody", None), "client_unknown"),
        (as_(secret.client.client_id, None), "client_secret_missing"),
        (as_(secret.client.client_id, ""), "client_secret_wrong"),
        (as_(secret.client.client_id, (secret.secret or "") + "x"), "client_secret_wrong"),
        (as_(secret.client.client_id, sunshine.secret), "client_secret_wrong"),
        (as_(secret.client.client_id.upper() + "Z", secret.secret), "client_unknown"),
        (as_(public.client.client_id, "anything"), "client_secret_of_a_public_client"),
        (as_(sunshine.client.client_id, sunshine.secret), "client_of_another_dialect"),
    ]
    errors = {refused(ask(stage, credentials), "invalid_client", reason).answer.error for credentials, reason in table}
    assert len(errors) == 1
    assert errors.pop().status == 401


def test_a_client_of_the_standard_is_unknown_at_sunshines_endpoint(stage: Stage) -> None:
    by = stage.integration()
    refused(ask(stage, by.credentials, "sunshine"), "invalid_client", "client_of_another_dialect")


@pytest.mark.parametrize("changed", ["disabled_at", "ended_at"])
def test_a_client_that_is_out_is_told_only_when_it_has_proved_itself(stage: Stage, changed: str) -> None:
    by = stage.integration()
    stage.amend(by.client, **{changed: stage.clock()})
    refused(ask(stage, by.credentials), "invalid_client", "client_" + changed.removesuffix("_at"))
    refused(ask(stage, as_(by.client.client_id, "wrong")), "invalid_client", "client_secret_wrong")


def test_two_secrets_work_while_one_is_changed_over(stage: Stage) -> None:
    by = stage.integration()
    rotated: Any = stage.decide(rotate_secret, by.client.client_id, expire_old_in=timedelta(hours=1)).answer
    new = replace(by, secret=rotated.client_secret)
    assert stage.client_credentials(by).reason == stage.client_credentials(new).reason == "issued_to_client"
    stage.wait(hours=1)
    refused(stage.client_credentials(by), "invalid_client", "client_secret_wrong")
    assert stage.client_credentials(new).reason == "issued_to_client"


def test_a_tombstones_id_is_never_anybody_elses(stage: Stage) -> None:
    by = stage.integration(client_id="shoplifter")
    stage.amend(by.client, ended_at=stage.clock())
    with pytest.raises(AssertionError, match="shoplifter"):
        stage.integration(client_id="shoplifter")


# What is common to all grant types


def test_a_grant_type_that_there_is_not_is_unsupported(stage: Stage) -> None:
    by = stage.integration()
    for name in ("", "password", "implicit", "urn:ietf:params:oauth:grant-type:device_code", "Authorization_Code"):
        decision = stage.decide(token, TokenRequest(name, by.credentials), "standard")
        refused(decision, "unsupported_grant_type", "grant_type_unknown")


def test_authentication_comes_before_the_grant_type(stage: Stage) -> None:
    decision = stage.decide(token, TokenRequest("nonesuch", as_("nobody", None)), "standard")
    refused(decision, "invalid_client", "client_unknown")


@pytest.mark.parametrize("grant_type", ["authorization_code", "refresh_token", "client_credentials"])
def test_a_grant_type_that_policy_does_not_name_is_refused(stage: Stage, grant_type: str) -> None:
    others = {"authorization_code", "refresh_token", "client_credentials"} - {grant_type}
    by = stage.integration(policy={"grant_types": " ".join(sorted(others))})
    decision = stage.decide(token, TokenRequest(grant_type, by.credentials), "standard")
    refused(decision, "unauthorized_client", "grant_type_not_allowed")


def test_operators_and_resource_servers_get_no_tokens(stage: Stage) -> None:
    api = stage.integration("API", kind="resource_server", resources=("https://api.example",), redirect_uris=())
    for caller in (stage.operator, api):
        refused(stage.client_credentials(caller), "unauthorized_client", "grant_type_not_allowed")


def test_every_endpoint_asks_for_the_same_proof(stage: Stage) -> None:
    by = stage.integration()
    tokens = stage.connect(by)
    wrong = as_(by.client.client_id, "wrong")
    asked = (
        stage.decide(introspect, IntrospectionRequest(tokens.access, wrong), "standard", "https://auth.example"),
        stage.decide(revoke, RevocationRequest(tokens.access, wrong), "standard", "https://auth.example"),
    )
    for decision in asked:
        refused(decision, "invalid_client", "client_secret_wrong")
    assert stage.is_active(tokens.access)


def test_the_server_can_tell_what_writes_before_it_decides(stage: Stage) -> None:
    by = stage.integration()
    said = {module.GRANT_TYPE: writes(TokenRequest(module.GRANT_TYPE, by.credentials)) for module in GRANT_TYPES}
    assert said == {
        "authorization_code": True,
        "refresh_token": True,
        "client_credentials": False,
        "migration_token": True,
    }
    assert not writes(TokenRequest("nonesuch", by.credentials))
