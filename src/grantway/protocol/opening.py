"""An authorization request arrives: what is refused on a page, what later, and what waits (RFC 6749 §4.1.1, §4.1.2.1)."""

from __future__ import annotations

from datetime import timedelta

from grantway.protocol.decision import Add, Change, Decision, Refusal, refuse
from grantway.protocol.digests import digest
from grantway.protocol.facts import Facts
from grantway.protocol.model import Client, PendingAuthorization
from grantway.protocol.moment import Moment
from grantway.protocol.pkce import is_challenge
from grantway.protocol.redirect_uri import is_registered
from grantway.protocol.refusals import refusal_noted
from grantway.protocol.scope import is_resource, within
from grantway.protocol.standing import why_client_is_out
from grantway.protocol.steps import Opened, Visitor
from grantway.protocol.trying import may_try
from grantway.wire import base62
from grantway.wire.errors import (
    INVALID_REQUEST,
    INVALID_SCOPE,
    INVALID_TARGET,
    UNAUTHORIZED_CLIENT,
    UNSUPPORTED_RESPONSE_TYPE,
    OAuthError,
)
from grantway.wire.messages import AuthorizationRequest

PENDING_LIFETIME = timedelta(hours=1)
"""How long a customer may take from the first click to Allow."""
_PROMPTS = frozenset({"login", "consent", "none", "select_account"})

ERRORS = {
    error.code: error
    for error in (INVALID_REQUEST, INVALID_SCOPE, INVALID_TARGET, UNAUTHORIZED_CLIENT, UNSUPPORTED_RESPONSE_TYPE)
}
"""What a waiting request can have been found wrong with."""


async def open_authorization(
    facts: Facts, at: Moment, request: AuthorizationRequest, dialect: str, visitor: Visitor
) -> Decision[Opened | Refusal]:
    """Keep the request until its customer has answered.

    A refusal here is for a page: an unknown client or redirect URI must never be redirected to (RFC 6749 §4.1.2.1).
    Whatever else is wrong waits, too, and goes back only after sign-in. The visitor needs at least one cookie: it is
    what the request is bound to.
    """
    client = await facts.client(request.client_id)
    if client is None or client.kind != "integration":
        return refuse(INVALID_REQUEST, "client_unknown")
    if client.policy.dialect != dialect:
        return refuse(INVALID_REQUEST, "client_unknown", *await refusal_noted(facts, at, client, "dialect_differs"))
    out = why_client_is_out(client)
    if out is not None:
        return refuse(INVALID_REQUEST, out, *await refusal_noted(facts, at, client, out))
    redirect_uri = _redirect_uri(request, client)
    if redirect_uri is None:
        noted = await refusal_noted(facts, at, client, "redirect_uri_missing")
        return refuse(INVALID_REQUEST, "redirect_uri_missing", *noted)
    if not is_registered(redirect_uri, client.redirect_uris) and not await may_try(
        facts, at, client, redirect_uri, visitor.session
    ):
        noted = await refusal_noted(facts, at, client, "redirect_uri_unregistered", redirect_uri)
        return refuse(INVALID_REQUEST, "redirect_uri_unregistered", *noted)
    bound_to = visitor.browser or visitor.session
    if bound_to is None:
        return refuse(INVALID_REQUEST, "browser_unknown")
    scope = client.default_scopes
    if client.policy.takes_scope and request.scope is not None:
        scope = request.scope
    problem = _problem(request, client, scope)
    pending_id = base62.encode(at.draw(32))
    pending = PendingAuthorization(
        digest=digest(pending_id),
        browser_digest=digest(bound_to),
        client_id=client.id,
        created_at=at.now,
        expires_at=at.now + PENDING_LIFETIME,
        redirect_uri=redirect_uri,
        redirect_uri_was_sent=request.redirect_uri is not None,
        scope=scope,
        resource=request.resource or client.resources,
        state=request.state,
        code_challenge=request.code_challenge,
        prompt=request.prompt,
        refusal=None if problem is None else (problem[0].code, problem[1]),
        response_type=request.response_type or "code",
        ui_locales=request.ui_locales,
    )
    counted: tuple[Change, ...] = ()
    if problem is not None:
        counted = await refusal_noted(facts, at, client, problem[1], _wrong(request, client, scope, problem[1]))
    return Decision(Opened(pending_id), (Add(pending), *counted), "authorization_opened")


def _wrong(request: AuthorizationRequest, client: Client, scope: tuple[str, ...], reason: str) -> str:
    """What exactly was wrong, for the client's developers."""
    match reason:
        case "response_type_unsupported":
            return request.response_type or ""
        case "code_challenge_not_s256":
            return request.code_challenge_method or ""
        case "scope_exceeds_client":
            return " ".join(one for one in scope if one not in client.scopes)
        case "resource_exceeds_client":
            return " ".join(one for one in request.resource if one not in client.resources)
        case "prompt_unknown":
            return " ".join(request.prompt)
        case _:
            return ""


def _redirect_uri(request: AuthorizationRequest, client: Client) -> str | None:
    if request.redirect_uri is not None:
        return request.redirect_uri
    if client.policy.redirect_uri == "first_by_default" or len(client.redirect_uris) == 1:
        return next(iter(client.redirect_uris), None)  # OAuth 2.1 §4.1.1: may be left out when there is only one
    return None


def _wrong_type(request: AuthorizationRequest, client: Client) -> tuple[OAuthError, str] | None:
    """Why nothing of this type can be answered, and its reason."""
    if request.response_type == "token" and "implicit" in client.policy.grant_types:
        return None  # RFC 6749 §4.2.1; a token at once leaves nothing that PKCE could bind
    if request.response_type != "code":
        return UNSUPPORTED_RESPONSE_TYPE, "response_type_unsupported"
    if "authorization_code" not in client.policy.grant_types:
        return UNAUTHORIZED_CLIENT, "grant_type_not_allowed"
    if request.code_challenge is None:
        if request.code_challenge_method is not None:
            return INVALID_REQUEST, "code_challenge_missing"
        if client.policy.pkce == "required" or not client.confidential:
            return INVALID_REQUEST, "code_challenge_missing"  # OAuth 2.1 §4.1.1; RFC 9700 §2.1.1: public clients always
    elif request.code_challenge_method != "S256" or not is_challenge(request.code_challenge):
        return INVALID_REQUEST, "code_challenge_not_s256"  # RFC 7636 §4.4.1
    return None


def _problem(request: AuthorizationRequest, client: Client, scope: tuple[str, ...]) -> tuple[OAuthError, str] | None:
    """What is wrong with a request that may be told to the client, and its reason."""
    if request.response_type is None:
        return INVALID_REQUEST, "response_type_missing"
    wrong = _wrong_type(request, client)
    if wrong is not None:
        return wrong
    if not within(scope, client.scopes) or (client.scopes and not scope):
        return INVALID_SCOPE, "scope_exceeds_client"
    if not all(is_resource(one) for one in request.resource) or not within(request.resource, client.resources):
        return INVALID_TARGET, "resource_exceeds_client"  # RFC 8707 §2
    if not _PROMPTS.issuperset(request.prompt) or ("none" in request.prompt and len(request.prompt) > 1):
        return INVALID_REQUEST, "prompt_unknown"
    return None
