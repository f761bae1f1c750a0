"""Any server that publishes its metadata (RFC 8414, OpenID Connect Discovery), and so Grantway's own standard endpoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import SplitResult, urlsplit

from grantway.client.conversation import Operation, ask, send_to
from grantway.client.errors import CallbackWrong, Refused, Unsupported, WrongServer
from grantway.client.reading import understood
from grantway.client.tokens import Info, Tokens, account_of
from grantway.wire.dialects import standard
from grantway.wire.encoding import JSON_TYPE, read_json_object
from grantway.wire.errors import Malformed
from grantway.wire.http import HttpAnswer, HttpRequest
from grantway.wire.messages import (
    AuthenticationMethod,
    AuthorizationAnswer,
    AuthorizationRequest,
    ClientCredentials,
    ErrorAnswer,
    IntrospectionAnswer,
    IntrospectionRequest,
    RevocationRequest,
    TokenAnswer,
    TokenRequest,
)
from grantway.wire.record import record

_OAUTH = "/.well-known/oauth-authorization-server"
_OIDC = "/.well-known/openid-configuration"
_MOST_MEMBERS = 512  # OpenID providers publish more than a request ever has
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@record
class Metadata:
    """What a server says of itself (RFC 8414 §2), as far as a client acts on it."""

    issuer: str
    authorization_endpoint: str | None = None
    token_endpoint: str | None = None
    introspection_endpoint: str | None = None
    revocation_endpoint: str | None = None
    jwks_uri: str | None = None
    authentication_methods: tuple[str, ...] = ("client_secret_basic",)
    scopes: tuple[str, ...] = ()
    sends_issuer: bool = False
    honours_idempotency_key: bool = False


def discover(issuer: str) -> Standard:
    """The server of this issuer. What it publishes is fetched by the first call and kept with the object."""
    return Standard(issuer)


class Standard:
    """A standard server."""

    def __init__(self, issuer: str, metadata: Metadata | None = None) -> None:
        self.name = issuer
        self._metadata = metadata

    def uses_pkce(self, credentials: ClientCredentials) -> bool:
        return True

    def metadata(self) -> Operation[Metadata]:
        """What the server says of itself, asked once. Raises ``WrongServer``."""
        if self._metadata is None:
            self._metadata = yield from _discovered(self.name)
        return self._metadata

    def authorize(self, request: AuthorizationRequest) -> Operation[str]:
        metadata = yield from self.metadata()
        endpoint = _needed(metadata.authorization_endpoint, "authorization_endpoint")
        query = standard.write_authorization_request(request)
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"

    def read_callback(self, url: str) -> Operation[AuthorizationAnswer]:
        metadata = yield from self.metadata()
        answer = callback_read(standard.read_authorization_answer, url)
        if answer.iss is None:
            if metadata.sends_issuer:  # RFC 9207 §2.4
                raise CallbackWrong("issuer_missing")
        elif answer.iss != metadata.issuer:
            raise CallbackWrong("issuer_differs")
        return answer

    def token(self, request: TokenRequest) -> Operation[tuple[TokenAnswer, datetime]]:
        metadata = yield from self.metadata()
        endpoint = _needed(metadata.token_endpoint, "token_endpoint")
        # A code is never sent twice. A refresh is, where the server knows the repetition by its key; and a token of the
        # client's own hangs from nothing that a second one could harm.
        is_known_again = metadata.honours_idempotency_key and request.idempotency_key is not None
        repeatable = is_known_again or request.grant_type == "client_credentials"
        asked = replace(
            request,
            credentials=_as_wanted(request.credentials, metadata),
            idempotency_key=request.idempotency_key if is_known_again else None,
        )
        reply = yield from ask(send_to(endpoint, standard.write_token_request(asked)), repeatable=repeatable)
        answer: TokenAnswer = understood(reply, standard.read_token_answer)
        return answer, reply.asked_at

    def has_ended(self, refused: Refused) -> bool:
        return refused.code == "invalid_grant"  # RFC 6749 §5.2

    def info(self, tokens: Tokens, credentials: ClientCredentials) -> Operation[Info]:
        metadata = yield from self.metadata()
        endpoint = _needed(metadata.introspection_endpoint, "introspection_endpoint")
        asked = IntrospectionRequest(tokens.access_token, _as_wanted(credentials, metadata), "access_token")
        request = standard.write_introspection_request(asked)
        reply = yield from ask(send_to(endpoint, request), repeatable=True)
        answer: IntrospectionAnswer = understood(reply, standard.read_introspection_answer)
        return _info(answer)

    def revoke(self, tokens: Tokens, credentials: ClientCredentials) -> Operation[None]:
        metadata = yield from self.metadata()
        endpoint = _needed(metadata.revocation_endpoint, "revocation_endpoint")
        text, hint = tokens.access_token, "access_token"
        if tokens.refresh_token is not None:
            text, hint = tokens.refresh_token, "refresh_token"
        request = standard.write_revocation_request(RevocationRequest(text, _as_wanted(credentials, metadata), hint))
        reply = yield from ask(send_to(endpoint, request), repeatable=True)
        understood(reply, standard.read_revocation_answer)


def callback_read(read: Callable[[str], AuthorizationAnswer], url: str) -> AuthorizationAnswer:
    """The callback by its dialect's reader; ``CallbackWrong`` when it cannot be read."""
    try:
        return read(url)
    except Malformed:
        pass
    raise CallbackWrong("malformed")


def _info(answer: IntrospectionAnswer) -> Info:
    if not answer.active:
        return Info(active=False, connection_state=answer.connection_state, details=answer)
    return Info(
        active=True,
        scope=answer.scope,
        expires_at=None if answer.exp is None else _time(answer.exp),
        client_id=answer.client_id,
        account=account_of(answer.account),
        connection_id=answer.connection_id,
        subject=answer.sub,
        audience=answer.aud,
        details=answer,
    )


def _time(seconds: int) -> datetime | None:
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return None  # it ends, but in no year that there is


def _needed(endpoint: str | None, name: str) -> str:
    if endpoint is None:
        raise Unsupported(name)
    return endpoint


def _as_wanted(credentials: ClientCredentials, metadata: Metadata) -> ClientCredentials:
    """The credentials by a method that the server takes (RFC 8414 §2: Basic when it does not say)."""
    if credentials.client_secret is None:
        return replace(credentials, method="none")
    methods: tuple[AuthenticationMethod, ...] = ("client_secret_basic", "client_secret_post")
    for method in methods:
        if method in metadata.authentication_methods:
            return replace(credentials, method=method)
    raise Unsupported("client_secret_basic, client_secret_post")


# --- discovery ------------------------------------------------------------------------------------------------------


def _discovered(issuer: str) -> Operation[Metadata]:
    parts = _parts(issuer)
    if parts is None or not parts.hostname or parts.query or parts.fragment:  # RFC 8414 §2
        raise WrongServer("issuer_malformed")
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    # RFC 8414 §3.1 and §5; OpenID Connect Discovery §4.1 puts its own behind the path.
    for url in dict.fromkeys((origin + _OAUTH + path, origin + path + _OIDC, origin + _OIDC + path)):
        request = HttpRequest("GET", parts.path, headers=((b"accept", JSON_TYPE.encode()),))
        reply = yield from ask(send_to(url, request), repeatable=True)
        is_elsewhere = 400 <= reply.answer.status < 500 and reply.answer.status != 429
        if not is_elsewhere:
            return _checked(understood(reply, _read_metadata), issuer)
    raise WrongServer("metadata_missing")


def _parts(issuer: str) -> SplitResult | None:
    try:
        return urlsplit(issuer)
    except ValueError:
        return None


def _read_metadata(answer: HttpAnswer) -> Metadata | ErrorAnswer:
    if answer.status != 200:
        return standard.read_error_answer(answer)
    members = read_json_object(answer.body, _MOST_MEMBERS)
    return Metadata(
        issuer=members.needed("issuer"),
        authorization_endpoint=members.visible("authorization_endpoint"),
        token_endpoint=members.visible("token_endpoint"),
        introspection_endpoint=members.visible("introspection_endpoint"),
        revocation_endpoint=members.visible("revocation_endpoint"),
        jwks_uri=members.visible("jwks_uri"),
        authentication_methods=members.many("token_endpoint_auth_methods_supported") or ("client_secret_basic",),
        scopes=members.many("scopes_supported"),
        sends_issuer=members.flag("authorization_response_iss_parameter_supported") or False,
        honours_idempotency_key=members.flag("idempotency_key_supported") or False,
    )


def _checked(metadata: Metadata, issuer: str) -> Metadata:
    if metadata.issuer != issuer:  # RFC 8414 §3.3: identical, or it is somebody else's
        raise WrongServer("issuer_differs")
    endpoints = (
        metadata.authorization_endpoint,
        metadata.token_endpoint,
        metadata.introspection_endpoint,
        metadata.revocation_endpoint,
    )
    schemes = ("https:", "http:") if issuer.lower().startswith("http:") else ("https:",)
    if not all(each is None or each.startswith(schemes) for each in endpoints):
        raise WrongServer("endpoint_not_https")
    return metadata
