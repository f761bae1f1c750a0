"""The uniform surface, written once: what ``Client`` and ``AsyncClient`` both do over any server."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import field
from functools import partial
from hmac import compare_digest

from grantway.client.conversation import Do, Draw, Now, Operation
from grantway.client.errors import AuthorizationRefused, CallbackWrong, Unsupported
from grantway.client.pending import Pending, PendingStore, is_over
from grantway.client.server import Server
from grantway.client.tokens import Info, Tokens, tokens_of
from grantway.wire.encoding import read_scope
from grantway.wire.errors import Malformed
from grantway.wire.messages import AuthorizationRequest, ClientCredentials, TokenRequest
from grantway.wire.record import record

Words = str | Iterable[str] | None
"""Several words, as a text with spaces or as a list: a scope, mostly."""


@record
class Registration:
    """Who the application is at this server, and where its customers come back to."""

    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    redirect_uri: str | None = None

    @property
    def credentials(self) -> ClientCredentials:
        """For the server to send as it wants them."""
        if self.client_secret is None:
            return ClientCredentials(self.client_id)
        return ClientCredentials(self.client_id, self.client_secret, "client_secret_basic")


@record
class Begun:
    """Send the browser to ``url``. Keep ``state`` in the customer's session and hand it to ``complete``."""

    url: str = field(repr=False)
    state: str = field(repr=False)


def words(given: Words) -> tuple[str, ...] | None:
    """The words, ``None`` when none are given. Raises ``ValueError`` when a word cannot travel (RFC 6749 §3.3)."""
    text = given if given is None or isinstance(given, str) else " ".join(given)
    if not text:
        return None
    try:
        return read_scope(text)
    except Malformed:
        pass
    raise ValueError("Words are of visible ASCII characters, without quotation marks and backslashes.")


def begin(
    server: Server,
    who: Registration,
    waiting: PendingStore,
    *,
    scope: Words = None,
    resource: Words = None,
    prompt: Words = None,
    ui_locales: Words = None,
    redirect_uri: str | None = None,
    response_type: str = "code",
) -> Operation[Begun]:
    """RFC 6749 §4.1.1 with PKCE (RFC 7636). State and verifier have 256 bits each."""
    state = _text((yield Draw(32)))
    has_challenge = response_type == "code" and server.uses_pkce(who.credentials)
    verifier = _text((yield Draw(32))) if has_challenge else None
    back = redirect_uri or who.redirect_uri
    asked = AuthorizationRequest(
        client_id=who.client_id,
        response_type=response_type,
        redirect_uri=back,
        scope=words(scope),
        state=state,
        code_challenge=None if verifier is None else _text(hashlib.sha256(verifier.encode()).digest()),
        code_challenge_method=None if verifier is None else "S256",
        resource=words(resource) or (),
        prompt=words(prompt) or (),
        ui_locales=words(ui_locales) or (),
    )
    url = yield from server.authorize(asked)
    now = yield Now()
    pending = Pending(server.name, who.client_id, now, back, asked.scope, verifier, response_type)
    yield Do(partial(waiting.put, state, pending))
    return Begun(url, state)


def complete(
    server: Server, who: Registration, waiting: PendingStore, callback_url: str, state: str | None = None
) -> Operation[Tokens]:
    """RFC 6749 §4.1.2, §4.1.3; RFC 9207. What was begun is taken before anything is sent, so it is ended once.

    ``state`` is what this customer's session holds: it tells a callback of their own from one that somebody lured them to.
    """
    answer = yield from server.read_callback(callback_url)
    if not answer.state:
        raise CallbackWrong("state_missing")
    if state is not None and not compare_digest(state.encode(), answer.state.encode()):
        raise CallbackWrong("state_differs")
    begun = yield Do(partial(waiting.take, answer.state))
    now = yield Now()
    if begun is None or is_over(begun, now):
        raise CallbackWrong("state_unknown")
    if begun.used:
        raise CallbackWrong("state_used")
    if (begun.server, begun.client_id) != (server.name, who.client_id):
        raise CallbackWrong("not_ours")
    if begun.redirect_uri is not None and answer.redirect_uri != begun.redirect_uri:
        raise CallbackWrong("redirect_uri_differs")
    if answer.error is not None:
        raise AuthorizationRefused(answer.error.code, answer.error.description)
    if answer.token is not None and begun.response_type == "token":  # RFC 6749 §4.2.2
        return tokens_of(answer.token, now, asked_scope=begun.scope)
    if answer.code is None or begun.response_type != "code":
        raise CallbackWrong("malformed")
    asked = TokenRequest(
        "authorization_code",
        who.credentials,
        code=answer.code,
        redirect_uri=begun.redirect_uri,
        code_verifier=begun.code_verifier,
    )
    told, asked_at = yield from server.token(asked)
    return tokens_of(told, asked_at, asked_scope=begun.scope)


def refresh(server: Server, who: Registration, tokens: Tokens, *, scope: Words = None) -> Operation[Tokens]:
    """RFC 6749 §6. The same tokens give the same ``Idempotency-Key``, whoever asks and however often."""
    if tokens.refresh_token is None:
        raise Unsupported("refresh_token")
    narrowed = words(scope)
    asked = TokenRequest(
        "refresh_token",
        who.credentials,
        refresh_token=tokens.refresh_token,
        scope=narrowed,
        idempotency_key=idempotency_key(tokens.refresh_token, narrowed),
    )
    told, asked_at = yield from server.token(asked)
    return tokens_of(told, asked_at, before=tokens, asked_scope=narrowed)


def client_credentials(
    server: Server, who: Registration, *, scope: Words = None, resource: Words = None
) -> Operation[Tokens]:
    """RFC 6749 §4.4: a token of the client's own."""
    wanted = words(scope)
    asked = TokenRequest("client_credentials", who.credentials, scope=wanted, resource=words(resource) or ())
    told, asked_at = yield from server.token(asked)
    return tokens_of(told, asked_at, asked_scope=wanted)


def info(server: Server, who: Registration, tokens: Tokens) -> Operation[Info]:
    """What the access token is good for."""
    return (yield from server.info(tokens, who.credentials))


def revoke(server: Server, who: Registration, tokens: Tokens) -> Operation[None]:
    """End it."""
    yield from server.revoke(tokens, who.credentials)


def idempotency_key(refresh_token: str, scope: tuple[str, ...] | None = None) -> str:
    """What names one refresh: derived from what is presented and asked, by a digest that tells nothing of either.

    Nothing has to be kept for a repetition to be known as one, be it by another thread, process or machine.
    """
    what = "\n".join(("grantway refresh", refresh_token, " ".join(scope or ())))
    return _text(hashlib.sha256(what.encode()).digest())


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
