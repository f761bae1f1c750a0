"""Square: ``obtain_token``, ``renew_token``, ``revoke_token``, ``retrieve_token_status``, and where ``authorize`` is."""

from __future__ import annotations

import warnings
from collections.abc import Coroutine
from dataclasses import field
from datetime import datetime
from typing import Any, TypedDict, Unpack

from grantway.client.conversation import Operation
from grantway.client.core import Words, words
from grantway.client.lines import AsyncLineSettings, LineSettings
from grantway.client.tokens import Tokens, tokens_of
from grantway.client.vendors.calls import Awaiting, Blocking, fields_of
from grantway.client.vendors.square_server import BASE_URL, SquareServer
from grantway.wire.headers import after_scheme
from grantway.wire.messages import (
    AuthorizationRequest,
    AuthorizationRevocationRequest,
    ClientCredentials,
    RenewalRequest,
    TokenRequest,
)
from grantway.wire.record import record


class ObtainTokenRequest(TypedDict, total=False):
    """``ObtainTokenRequest`` of the vendor. Which fields are needed besides these two depends on ``grant_type``."""

    client_id: str
    grant_type: str
    client_secret: str
    code: str
    redirect_uri: str
    refresh_token: str
    migration_token: str
    scopes: list[str]
    short_lived: bool
    code_verifier: str
    use_jwt: bool


class RenewTokenRequest(TypedDict, total=False):
    """``RenewTokenRequest`` of the vendor."""

    access_token: str


class RevokeTokenRequest(TypedDict, total=False):
    """``RevokeTokenRequest`` of the vendor: the authorization is named by a token, by the merchant, or by both."""

    client_id: str
    access_token: str
    merchant_id: str
    revoke_only_access_token: bool


@record
class TokenStatus:
    """``RetrieveTokenStatusResponse`` of the vendor. ``expires_at`` is aware; ``None``: the token never expires."""

    scopes: tuple[str, ...]
    expires_at: datetime | None
    client_id: str | None
    merchant_id: str | None


@record
class _Calls:
    """The calls, written once for both classes."""

    server: SquareServer
    access_token: str | None = field(repr=False)

    def authorize(
        self,
        client_id: str,
        scope: Words,
        locale: str | None,
        session: bool,
        state: str | None,
        code_challenge: str | None,
        redirect_uri: str | None,
    ) -> str:
        asked = AuthorizationRequest(
            client_id,
            "code",
            redirect_uri,
            words(scope),
            state,
            code_challenge,
            prompt=() if session else ("login",),
            ui_locales=() if locale is None else (locale,),
        )
        return self.server.address(asked)

    def obtain_token(self, body: ObtainTokenRequest | None, fields: ObtainTokenRequest) -> Operation[Tokens]:
        sent = fields_of("obtain_token", body, fields, ObtainTokenRequest, "client_id", "grant_type")
        credentials = ClientCredentials(sent.pop("client_id"), sent.pop("client_secret", None), "client_secret_post")
        scope, jwt = words(sent.pop("scopes", None)), sent.pop("use_jwt", False)
        answer, asked_at = yield from self.server.obtain(
            TokenRequest(credentials=credentials, scope=scope, jwt=jwt, **sent)
        )
        return tokens_of(answer, asked_at)

    def renew_token(
        self, client_id: str, body: RenewTokenRequest | None, authorization: str | None, fields: RenewTokenRequest
    ) -> Operation[Tokens]:
        sent = fields_of("renew_token", body, fields, RenewTokenRequest, "access_token")
        asked = RenewalRequest(_proof("renew_token", client_id, authorization), sent["access_token"])
        answer, asked_at = yield from self.server.renew(asked)
        return tokens_of(answer, asked_at)

    def revoke_token(
        self, body: RevokeTokenRequest | None, authorization: str | None, fields: RevokeTokenRequest
    ) -> Operation[None]:
        sent = fields_of("revoke_token", body, fields, RevokeTokenRequest, "client_id")
        asked = AuthorizationRevocationRequest(
            _proof("revoke_token", sent["client_id"], authorization),
            sent.get("access_token"),
            sent.get("merchant_id"),
            sent.get("revoke_only_access_token", False),
        )
        yield from self.server.revoke_authorization(asked)

    def retrieve_token_status(self, access_token: str | None) -> Operation[TokenStatus]:
        told = yield from self.server.status(access_token or self.access_token)
        return TokenStatus(told.scope, told.expires_at, told.client_id, told.account_id)


def _proof(call: str, client_id: str, authorization: str | None) -> ClientCredentials:
    """The secret in ``Client APPLICATION_SECRET``. It is never said what was there instead."""
    secret = after_scheme(authorization, "client")
    if secret is None:
        raise TypeError(f"{call}() needs authorization, as 'Client APPLICATION_SECRET'")
    return ClientCredentials(client_id, secret, "client_secret_basic")


def _warn() -> None:
    warnings.warn(
        "Square has deprecated renew_token: obtain_token with grant_type='refresh_token' gives a new access token.",
        DeprecationWarning,
        stacklevel=3,
    )


class Square(Blocking):
    """``OAuthApi`` of the vendor's libraries. ``access_token``: whose status is asked for."""

    def __init__(
        self, base_url: str = BASE_URL, *, access_token: str | None = None, **line: Unpack[LineSettings]
    ) -> None:
        super().__init__(**line)
        self._calls = _Calls(SquareServer(base_url), access_token)

    def authorize(
        self,
        client_id: str,
        *,
        scope: Words = None,
        locale: str | None = None,
        session: bool = True,
        state: str | None = None,
        code_challenge: str | None = None,
        redirect_uri: str | None = None,
    ) -> str:
        """The address where the seller allows it. ``session=False``: they sign in, whoever is signed in."""
        return self._calls.authorize(client_id, scope, locale, session, state, code_challenge, redirect_uri)

    def obtain_token(self, body: ObtainTokenRequest | None = None, **fields: Unpack[ObtainTokenRequest]) -> Tokens:
        """An access token and a refresh token, by code, refresh token or migration token."""
        return self.run(self._calls.obtain_token(body, fields))

    def renew_token(
        self,
        client_id: str,
        body: RenewTokenRequest | None = None,
        authorization: str | None = None,
        **fields: Unpack[RenewTokenRequest],
    ) -> Tokens:
        """Another access token for one that expires, or expired up to 15 days ago. Deprecated by the vendor.

        ``authorization`` is ``Client APPLICATION_SECRET``.
        """
        _warn()
        return self.run(self._calls.renew_token(client_id, body, authorization, fields))

    def revoke_token(
        self,
        body: RevokeTokenRequest | None = None,
        authorization: str | None = None,
        **fields: Unpack[RevokeTokenRequest],
    ) -> None:
        """End all of the application's tokens for the merchant, unless ``revoke_only_access_token``."""
        self.run(self._calls.revoke_token(body, authorization, fields))

    def retrieve_token_status(self, access_token: str | None = None) -> TokenStatus:
        """What the access token is good for; ``Refused`` when it is good for nothing."""
        return self.run(self._calls.retrieve_token_status(access_token))


class AsyncSquare(Awaiting):
    """The same on asyncio. See ``Square``."""

    def __init__(
        self, base_url: str = BASE_URL, *, access_token: str | None = None, **line: Unpack[AsyncLineSettings]
    ) -> None:
        super().__init__(**line)
        self._calls = _Calls(SquareServer(base_url), access_token)

    def authorize(
        self,
        client_id: str,
        *,
        scope: Words = None,
        locale: str | None = None,
        session: bool = True,
        state: str | None = None,
        code_challenge: str | None = None,
        redirect_uri: str | None = None,
    ) -> str:
        """The address where the seller allows it; nothing is awaited."""
        return self._calls.authorize(client_id, scope, locale, session, state, code_challenge, redirect_uri)

    async def obtain_token(
        self, body: ObtainTokenRequest | None = None, **fields: Unpack[ObtainTokenRequest]
    ) -> Tokens:
        """An access token and a refresh token, by code, refresh token or migration token."""
        return await self.run(self._calls.obtain_token(body, fields))

    def renew_token(
        self,
        client_id: str,
        body: RenewTokenRequest | None = None,
        authorization: str | None = None,
        **fields: Unpack[RenewTokenRequest],
    ) -> Coroutine[Any, Any, Tokens]:
        """Another access token for one that expires, or expired up to 15 days ago. Deprecated by the vendor."""
        _warn()  # here and not in a coroutine, so that it points to who calls
        return self.run(self._calls.renew_token(client_id, body, authorization, fields))

    async def revoke_token(
        self,
        body: RevokeTokenRequest | None = None,
        authorization: str | None = None,
        **fields: Unpack[RevokeTokenRequest],
    ) -> None:
        """End all of the application's tokens for the merchant, unless ``revoke_only_access_token``."""
        await self.run(self._calls.revoke_token(body, authorization, fields))

    async def retrieve_token_status(self, access_token: str | None = None) -> TokenStatus:
        """What the access token is good for; ``Refused`` when it is good for nothing."""
        return await self.run(self._calls.retrieve_token_status(access_token))
