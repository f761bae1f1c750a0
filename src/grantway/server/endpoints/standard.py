"""The standard's machine endpoints: token, introspection, revocation, metadata, keys."""

from __future__ import annotations

from typing import Any

import orjson

from grantway.protocol.accounts import accounts
from grantway.protocol.administration.signing_keys import JWKS_MAX_AGE
from grantway.protocol.decision import Decision, Refusal
from grantway.protocol.facts import Facts
from grantway.protocol.introspection import introspect
from grantway.protocol.model import SigningKey
from grantway.protocol.moment import Moment
from grantway.protocol.policy import PROFILES
from grantway.protocol.revocation import revoke
from grantway.protocol.token import GRANT_TYPES, token, writes
from grantway.server.answer import Endpoint, Said, refused
from grantway.server.client_authentication import decided
from grantway.server.mint import Mint
from grantway.server.service import Service
from grantway.wire.dialects import standard
from grantway.wire.http import JSON, HttpAnswer, HttpRequest

DIALECT = "standard"
JWKS_PATH = "/jwks.json"
METADATA_PATH = "/.well-known/oauth-authorization-server"
DISCOVERY_PATH = "/.well-known/openid-configuration"

STANDARD = PROFILES["standard"]
_METADATA_HEADERS = (JSON, (b"cache-control", b"public, max-age=600"))


def endpoints(mint: Mint) -> dict[tuple[str, str], Endpoint]:
    """The endpoints by method and path."""

    async def answer_token(service: Service, request: HttpRequest) -> Said:
        message = standard.read_token_request(request)
        run = service.propose if writes(message) else service.consult
        decision = await decided(service, request, run, token, message, DIALECT)
        issued = decision.answer
        if isinstance(issued, Refusal):
            return refused(issued, standard.write_error_answer, request)
        answer = standard.write_token_answer(mint.token_answer(issued))
        service.metrics.issued(message.grant_type, issued.client.policy.access_token_format)
        return Said(answer, decision.reason, issued.client.client_id)

    async def answer_introspection(service: Service, request: HttpRequest) -> Said:
        message = standard.read_introspection_request(request)
        decision = await decided(service, request, service.consult, introspect, message, DIALECT, service.issuer)
        if isinstance(decision.answer, Refusal):
            return refused(decision.answer, standard.write_error_answer, request)
        return Said(
            standard.write_introspection_answer(decision.answer), decision.reason, message.credentials.client_id
        )

    async def answer_revocation(service: Service, request: HttpRequest) -> Said:
        message = standard.read_revocation_request(request)
        decision = await decided(service, request, service.settle, revoke, message, DIALECT, service.issuer)
        if isinstance(decision.answer, Refusal):
            return refused(decision.answer, standard.write_error_answer, request)
        return Said(standard.write_revocation_answer(decision.answer), decision.reason, message.credentials.client_id)

    async def answer_accounts(service: Service, request: HttpRequest) -> Said:
        message = standard.read_accounts_request(request)
        decision = await service.consult(accounts, message, DIALECT, service.issuer)
        if isinstance(decision.answer, Refusal):
            return refused(decision.answer, standard.write_bearer_challenge, request)
        return Said(standard.write_accounts_answer(decision.answer), decision.reason)

    def machine(name: str, handle: Any) -> Endpoint:
        return Endpoint(name, handle, standard.write_error_answer, open_to_browsers=True)

    metadata = machine("metadata", answer_metadata)
    return {
        ("POST", standard.TOKEN_PATH): machine("token", answer_token),
        ("POST", standard.INTROSPECT_PATH): Endpoint("introspect", answer_introspection, standard.write_error_answer),
        ("POST", standard.REVOKE_PATH): machine("revoke", answer_revocation),
        ("GET", standard.ACCOUNTS_PATH): Endpoint("accounts", answer_accounts, standard.write_bearer_challenge),
        ("GET", METADATA_PATH): metadata,
        ("GET", DISCOVERY_PATH): metadata,
        ("GET", JWKS_PATH): machine("jwks", answer_jwks),
    }


async def answer_metadata(service: Service, request: HttpRequest) -> Said:
    """The authorization server's metadata (RFC 8414 §2); the OIDC path answers the same, without ``openid``."""
    decision = await service.consult(_scope_names)
    body = orjson.dumps(metadata(service.issuer, decision.answer))
    return Said(HttpAnswer(200, _METADATA_HEADERS, body), "metadata_told")


def metadata(issuer: str, scopes: tuple[str, ...]) -> dict[str, Any]:
    """RFC 8414 §2, RFC 9207 §3, and that an Idempotency-Key is honoured on refresh."""
    authentication = ["client_secret_basic", "client_secret_post"]
    return {
        "issuer": issuer,
        "authorization_endpoint": issuer + standard.AUTHORIZE_PATH,
        "token_endpoint": issuer + standard.TOKEN_PATH,
        "introspection_endpoint": issuer + standard.INTROSPECT_PATH,
        "revocation_endpoint": issuer + standard.REVOKE_PATH,
        "jwks_uri": issuer + JWKS_PATH,
        "scopes_supported": list(scopes),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [one.GRANT_TYPE for one in GRANT_TYPES if one.GRANT_TYPE in STANDARD.grant_types],
        "token_endpoint_auth_methods_supported": [*authentication, "none"],
        "introspection_endpoint_auth_methods_supported": authentication,
        "revocation_endpoint_auth_methods_supported": [*authentication, "none"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "idempotency_key_supported": True,
    }


async def answer_jwks(service: Service, request: HttpRequest) -> Said:
    """The public keys that verify JWT access tokens (RFC 7517 §5)."""
    decision = await service.consult(_signing_keys)
    body = orjson.dumps({"keys": [key.public_jwk for key in decision.answer]})
    max_age = f"public, max-age={int(JWKS_MAX_AGE.total_seconds())}".encode()
    return Said(HttpAnswer(200, (JSON, (b"cache-control", max_age)), body), "jwks_told")


async def _scope_names(facts: Facts, at: Moment) -> Decision[tuple[str, ...]]:
    return Decision(tuple(scope.name for scope in await facts.scopes()))


async def _signing_keys(facts: Facts, at: Moment) -> Decision[tuple[SigningKey, ...]]:
    return Decision(await facts.signing_keys())
