"""Phone.com v4: ``create_oauth_access_token``, ``create_oauth_authorization``, ``get_oauth_access_token``, and signing out."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from hmac import compare_digest
from typing import TypedDict, Unpack

from grantway.client import core
from grantway.client.conversation import Now, Operation, Reply, Send, ask, send_to
from grantway.client.core import Words, words
from grantway.client.errors import AuthorizationRefused, CallbackWrong, Refused
from grantway.client.lines import AsyncLineSettings, LineSettings
from grantway.client.reading import understood
from grantway.client.standard import callback_read
from grantway.client.tokens import Account, Info, Tokens, tokens_of
from grantway.client.vendors.calls import Awaiting, Blocking, fields_of, inactive, unsupported
from grantway.wire.dialects import phonecom
from grantway.wire.errors import INVALID_GRANT, INVALID_TOKEN
from grantway.wire.http import HttpRequest
from grantway.wire.messages import (
    AuthorizationAnswer,
    AuthorizationRequest,
    ClientCredentials,
    SignOutAnswer,
    SignOutRequest,
    TokenAnswer,
    TokenRequest,
    TokenStatusAnswer,
    TokenStatusRequest,
)
from grantway.wire.record import record

BASE_URL = "https://api.phone.com/v4"
_VERSION = "/v4"


class PhoneComServer:
    """Phone.com, or who speaks as it does at ``base_url``, which ends with ``/v4`` as the vendor's does."""

    def __init__(self, base_url: str = BASE_URL) -> None:
        self.base_url = base_url.rstrip("/")

    @property
    def name(self) -> str:
        return self.base_url + phonecom.AUTHORIZE_PATH.removeprefix(_VERSION)

    def uses_pkce(self, credentials: ClientCredentials) -> bool:
        return True

    def authorize(self, request: AuthorizationRequest) -> Operation[str]:
        unsupported(resource=request.resource, prompt=request.prompt)
        if request.scope is None or request.redirect_uri is None:
            raise ValueError("Phone.com requires scope and redirect_uri.")
        yield from ()
        return self.address(request)

    def address(self, request: AuthorizationRequest) -> str:
        """Where the browser has to go to."""
        return f"{self.name}?{phonecom.write_authorization_request(request)}"

    def read_callback(self, url: str) -> Operation[AuthorizationAnswer]:
        yield from ()
        return callback_read(phonecom.read_authorization_answer, url)

    def token(self, request: TokenRequest) -> Operation[tuple[TokenAnswer, datetime]]:
        """Create an access token. A refresh has an ``Idempotency-Key`` and is repeated when its answer was lost.

        So is one where the key is not known: the refresh token that the lost answer held would be lost with it.
        """
        unsupported(resource=request.resource)
        repeatable = request.idempotency_key is not None or request.grant_type == "client_credentials"
        reply = yield from ask(self._send(phonecom.write_token_request(request)), repeatable=repeatable)
        answer: TokenAnswer = understood(reply, phonecom.read_token_answer)
        return answer, reply.asked_at

    def details(self, access_token: str | None) -> Operation[TokenStatusAnswer]:
        """What the token is good for."""
        request = phonecom.write_token_status_request(TokenStatusRequest(access_token))
        reply = yield from ask(self._send(request), repeatable=True)
        answer: TokenStatusAnswer = understood(reply, phonecom.read_token_status_answer)
        return answer

    def sign_out(self, access_token: str | None) -> Operation[bool]:
        """End what hangs from the token; whether that was still anything."""
        request = phonecom.write_sign_out_request(SignOutRequest(access_token))
        reply: Reply = yield from ask(self._send(request), repeatable=True)
        try:
            _: SignOutAnswer = understood(reply, phonecom.read_sign_out_answer)
        except Refused as refused:
            if refused.code != INVALID_TOKEN.code:
                raise
            return False
        return True

    def has_ended(self, refused: Refused) -> bool:
        return refused.code == INVALID_GRANT.code

    def info(self, tokens: Tokens, credentials: ClientCredentials) -> Operation[Info]:
        try:
            told = yield from self.details(tokens.access_token)
        except Refused as refused:
            return inactive(refused)
        return Info(
            active=True,
            scope=told.scope,
            expires_at=told.expires_at,
            account=None if told.account_id is None else Account(told.account_id, external_id=told.account_id),
            subject=told.member_id,
            details=told,
        )

    def revoke(self, tokens: Tokens, credentials: ClientCredentials) -> Operation[None]:
        """Sign out. That takes an active access token, so where there is none any more it is refreshed first."""
        if (yield from self.sign_out(tokens.access_token)) or tokens.refresh_token is None:
            return
        key = core.idempotency_key(tokens.refresh_token)
        asked = TokenRequest(
            "refresh_token", credentials, refresh_token=tokens.refresh_token, idempotency_key=key
        )  # fmt: skip
        try:
            answer, _ = yield from self.token(asked)
        except Refused as refused:
            if not self.has_ended(refused):
                raise
            return
        yield from self.sign_out(answer.access_token)

    def _send(self, request: HttpRequest) -> Send:
        return send_to(self.base_url + request.path.removeprefix(_VERSION), request)


class CreateOauthParams(TypedDict, total=False):
    """``CreateOauthParams`` of the vendor: what is needed depends on ``grant_type``."""

    grant_type: str
    client_id: str
    client_secret: str
    code: str
    redirect_uri: str
    scope: str
    username: str
    password: str
    refresh_token: str


@record
class OauthAuthorization:
    """What the browser came back with: a ``code`` to exchange, or with ``response_type=token`` the tokens themselves."""

    code: str | None = field(default=None, repr=False)
    tokens: Tokens | None = None


@record
class OauthAccessTokenDetails:
    """``GetOauthAccessToken`` of the vendor. ``expires_at`` is aware; ``None``: without end.

    ``voip_id`` is there with the scope ``account-owner``, ``extension_id`` where a person is behind the token.
    """

    scope: tuple[str, ...]
    expires_at: datetime | None = None
    voip_id: int | None = None
    extension_id: int | None = None


@record
class _Calls:
    """The calls, written once for both classes."""

    server: PhoneComServer
    access_token: str | None = field(repr=False)

    def create_oauth_access_token(
        self, data: CreateOauthParams | None, fields: CreateOauthParams
    ) -> Operation[Tokens]:  # fmt: skip
        sent = fields_of("create_oauth_access_token", data, fields, CreateOauthParams, "grant_type", "client_id")
        credentials = ClientCredentials(sent.pop("client_id"), sent.pop("client_secret", None), "client_secret_post")
        scope = words(sent.pop("scope", None))
        answer, asked_at = yield from self.server.token(TokenRequest(credentials=credentials, scope=scope, **sent))
        return tokens_of(answer, asked_at, asked_scope=scope)

    def create_oauth_authorization(
        self, client_id: str, response_type: str, scope: Words, redirect_uri: str, state: str | None
    ) -> str:
        asked = AuthorizationRequest(client_id, response_type, redirect_uri, words(scope), state)
        return self.server.address(asked)

    def read_oauth_authorization(self, callback_url: str, state: str | None) -> Operation[OauthAuthorization]:
        answer = yield from self.server.read_callback(callback_url)
        if not compare_digest((answer.state or "").encode(), (state or "").encode()):
            raise CallbackWrong("state_differs")
        if answer.error is not None:
            raise AuthorizationRefused(answer.error.code, answer.error.description)
        now = yield Now()
        return OauthAuthorization(answer.code, None if answer.token is None else tokens_of(answer.token, now))

    def get_oauth_access_token(self, access_token: str | None) -> Operation[OauthAccessTokenDetails]:
        told = yield from self.server.details(access_token or self.access_token)
        account, extension = told.account_id, told.member_id
        return OauthAccessTokenDetails(
            told.scope,
            told.expires_at,
            None if account is None else int(account),
            None if extension is None else int(extension),
        )

    def delete_access_token(self, access_token: str | None) -> Operation[None]:
        yield from self.server.sign_out(access_token or self.access_token)


class PhoneCom(Blocking):
    """``OauthApi`` of the vendor's libraries.

    ``access_token`` is what their ``api_key['Authorization']`` is: it goes with what asks of the token or ends it, and
    nowhere else.
    """

    def __init__(
        self, base_url: str = BASE_URL, *, access_token: str | None = None, **line: Unpack[LineSettings]
    ) -> None:
        super().__init__(**line)
        self._calls = _Calls(PhoneComServer(base_url), access_token)

    def create_oauth_access_token(
        self, data: CreateOauthParams | None = None, **fields: Unpack[CreateOauthParams]
    ) -> Tokens:
        """Create an access token by any of the grants: authorization_code, client_credentials, password, refresh_token."""
        return self.run(self._calls.create_oauth_access_token(data, fields))

    def create_oauth_authorization(
        self, client_id: str, response_type: str, scope: Words, redirect_uri: str, *, state: str | None = None
    ) -> str:
        """The address where the customer allows it. ``response_type``: ``code``, or ``token`` for the implicit grant."""
        return self._calls.create_oauth_authorization(client_id, response_type, scope, redirect_uri, state)

    def read_oauth_authorization(self, callback_url: str, *, state: str | None) -> OauthAuthorization:
        """What came back at the redirect URI, fragment and all. ``state`` is what was sent along."""
        return self.run(self._calls.read_oauth_authorization(callback_url, state))

    def get_oauth_access_token(self, access_token: str | None = None) -> OauthAccessTokenDetails:
        """What the access token is good for; ``Refused`` when it is good for nothing."""
        return self.run(self._calls.get_oauth_access_token(access_token))

    def delete_access_token(self, access_token: str | None = None) -> None:
        """Sign out: the grant ends, refresh token and all. Who is signed out already stays so."""
        self.run(self._calls.delete_access_token(access_token))


class AsyncPhoneCom(Awaiting):
    """The same on asyncio. See ``PhoneCom``."""

    def __init__(
        self, base_url: str = BASE_URL, *, access_token: str | None = None, **line: Unpack[AsyncLineSettings]
    ) -> None:
        super().__init__(**line)
        self._calls = _Calls(PhoneComServer(base_url), access_token)

    async def create_oauth_access_token(
        self, data: CreateOauthParams | None = None, **fields: Unpack[CreateOauthParams]
    ) -> Tokens:
        """Create an access token by any of the grants: authorization_code, client_credentials, password, refresh_token."""
        return await self.run(self._calls.create_oauth_access_token(data, fields))

    def create_oauth_authorization(
        self, client_id: str, response_type: str, scope: Words, redirect_uri: str, *, state: str | None = None
    ) -> str:
        """The address where the customer allows it; nothing is awaited."""
        return self._calls.create_oauth_authorization(client_id, response_type, scope, redirect_uri, state)

    async def read_oauth_authorization(self, callback_url: str, *, state: str | None) -> OauthAuthorization:
        """What came back at the redirect URI, fragment and all. ``state`` is what was sent along."""
        return await self.run(self._calls.read_oauth_authorization(callback_url, state))

    async def get_oauth_access_token(self, access_token: str | None = None) -> OauthAccessTokenDetails:
        """What the access token is good for; ``Refused`` when it is good for nothing."""
        return await self.run(self._calls.get_oauth_access_token(access_token))

    async def delete_access_token(self, access_token: str | None = None) -> None:
        """Sign out: the grant ends, refresh token and all. Who is signed out already stays so."""
        await self.run(self._calls.delete_access_token(access_token))
