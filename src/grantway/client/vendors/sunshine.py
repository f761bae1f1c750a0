"""Sunshine Conversations (formerly Smooch): ``authorize``, ``get_token``, ``get_token_info``, ``revoke_access``.

Its tokens do not expire and there are no refresh tokens, scopes or PKCE.
"""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from typing import TypedDict, Unpack

from grantway.client.conversation import Operation, ask, send_below
from grantway.client.errors import Refused, Unsupported
from grantway.client.lines import AsyncLineSettings, LineSettings
from grantway.client.reading import understood
from grantway.client.standard import callback_read
from grantway.client.tokens import Account, Info, Tokens, tokens_of
from grantway.client.vendors.calls import Awaiting, Blocking, fields_of, inactive, unsupported
from grantway.wire.dialects import sunshine
from grantway.wire.errors import INVALID_TOKEN
from grantway.wire.messages import (
    AccessRevocationAnswer,
    AccessRevocationRequest,
    AuthorizationAnswer,
    AuthorizationRequest,
    ClientCredentials,
    TokenAnswer,
    TokenInfoAnswer,
    TokenInfoRequest,
    TokenRequest,
)
from grantway.wire.record import record

OAUTH_BASE_URL = "https://oauth-bridge.zendesk.com/sc"
"""Where the vendor's pages send authorize, get token and token info."""
API_BASE_URL = "https://api.smooch.io"
"""What all other addresses of the pages are relative to."""


class SunshineServer:
    """Sunshine Conversations, or who speaks as it does at ``base_url``, which may have a path such as ``/sc``.

    ``api_base_url``: where access is revoked, if that is somewhere else.
    """

    def __init__(self, base_url: str | None = None, *, api_base_url: str | None = None) -> None:
        self.base_url = (base_url or OAUTH_BASE_URL).rstrip("/")
        self.api_base_url = api_base_url or base_url or API_BASE_URL

    @property
    def name(self) -> str:
        return self.base_url + sunshine.AUTHORIZE_PATH

    def uses_pkce(self, credentials: ClientCredentials) -> bool:
        return False

    def authorize(self, request: AuthorizationRequest) -> Operation[str]:
        if request.response_type != "code":
            raise Unsupported("response_type")
        unsupported(scope=request.scope, resource=request.resource, prompt=request.prompt)
        yield from ()
        return self.address(request)

    def address(self, request: AuthorizationRequest) -> str:
        """Where the browser has to go to."""
        return f"{self.name}?{sunshine.write_authorization_request(request)}"

    def read_callback(self, url: str) -> Operation[AuthorizationAnswer]:
        yield from ()
        return callback_read(sunshine.read_authorization_answer, url)

    def token(self, request: TokenRequest) -> Operation[tuple[TokenAnswer, datetime]]:
        if request.grant_type != "authorization_code":
            raise Unsupported(request.grant_type)
        return (yield from self.exchange(request))

    def exchange(self, request: TokenRequest) -> Operation[tuple[TokenAnswer, datetime]]:
        """Get token, as it is asked for. A code is never sent twice."""
        reply = yield from ask(send_below(self.base_url, sunshine.write_token_request(request)))
        answer: TokenAnswer = understood(reply, sunshine.read_token_answer)
        return answer, reply.asked_at

    def token_info(self, access_token: str | None) -> Operation[TokenInfoAnswer]:
        """Token info: the app behind the token."""
        request = sunshine.write_token_info_request(TokenInfoRequest(access_token))
        reply = yield from ask(send_below(self.base_url, request), repeatable=True)
        answer: TokenInfoAnswer = understood(reply, sunshine.read_token_info_answer)
        return answer

    def revoke_access(self, asked: AccessRevocationRequest, *, repeatable: bool = False) -> Operation[None]:
        """Revoke access. The second time it is refused, so who repeats it has to expect that."""
        request = sunshine.write_access_revocation_request(asked)
        reply = yield from ask(send_below(self.api_base_url, request), repeatable=repeatable)
        _: AccessRevocationAnswer = understood(reply, sunshine.read_access_revocation_answer)

    def has_ended(self, refused: Refused) -> bool:
        return False  # nothing is refreshed

    def info(self, tokens: Tokens, credentials: ClientCredentials) -> Operation[Info]:
        try:
            app = yield from self.token_info(tokens.access_token)
        except Refused as refused:
            return inactive(refused)
        return Info(active=True, account=Account(app.id, app.display_name or "", app.id), details=app)

    def revoke(self, tokens: Tokens, credentials: ClientCredentials) -> Operation[None]:
        try:
            yield from self.revoke_access(AccessRevocationRequest(tokens.access_token), repeatable=True)
        except Refused as refused:
            if refused.code != INVALID_TOKEN.code:  # which is what one that has ended gets
                raise


class GetTokenRequest(TypedDict, total=False):
    """``GetTokenRequest`` of the vendor (``InlineObject`` in older libraries). All four are needed."""

    code: str
    grant_type: str
    client_id: str
    client_secret: str


@record
class _Calls:
    """The calls, written once for both classes."""

    server: SunshineServer
    access_token: str | None = field(repr=False)
    username: str | None = field(repr=False)
    password: str | None = field(repr=False)

    def authorize(self, client_id: str, response_type: str, state: str | None, redirect_uri: str | None) -> str:
        return self.server.address(AuthorizationRequest(client_id, response_type, redirect_uri, state=state))

    def get_token(self, body: GetTokenRequest | None, fields: GetTokenRequest) -> Operation[Tokens]:
        sent = fields_of("get_token", body, fields, GetTokenRequest, *GetTokenRequest.__annotations__)
        credentials = ClientCredentials(sent["client_id"], sent["client_secret"], "client_secret_post")
        asked = TokenRequest(sent["grant_type"], credentials, code=sent["code"])
        answer, asked_at = yield from self.server.exchange(asked)
        return tokens_of(answer, asked_at)

    def get_token_info(self, access_token: str | None) -> Operation[TokenInfoAnswer]:
        return self.server.token_info(access_token or self.access_token)

    def revoke_access(self, access_token: str | None) -> Operation[None]:
        asked = AccessRevocationRequest(access_token or self.access_token, self.username, self.password)
        return self.server.revoke_access(asked)


class Sunshine(Blocking):
    """``OAuthEndpointsApi`` of the vendor's libraries.

    ``access_token``, or ``username`` and ``password`` (a key's id and secret), are what its ``Configuration`` has: with
    them token info is asked and access revoked; the token is used where there are both.
    """

    def __init__(
        self,
        base_url: str | None = None,
        *,
        api_base_url: str | None = None,
        access_token: str | None = None,
        username: str | None = None,
        password: str | None = None,
        **line: Unpack[LineSettings],
    ) -> None:
        super().__init__(**line)
        self._calls = _Calls(SunshineServer(base_url, api_base_url=api_base_url), access_token, username, password)

    def authorize(
        self, client_id: str, response_type: str = "code", *, state: str | None = None, redirect_uri: str | None = None
    ) -> str:
        """The address that begins the flow. A browser has to go there: the flow relies on its session."""
        return self._calls.authorize(client_id, response_type, state, redirect_uri)

    def get_token(
        self, get_token_request: GetTokenRequest | None = None, **fields: Unpack[GetTokenRequest]
    ) -> Tokens:  # fmt: skip
        """Exchange a code for an access token."""
        return self.run(self._calls.get_token(get_token_request, fields))

    def get_token_info(self, access_token: str | None = None) -> TokenInfoAnswer:
        """The app linked to the token; ``Refused`` when the credentials are no longer valid."""
        return self.run(self._calls.get_token_info(access_token))

    def revoke_access(self, access_token: str | None = None) -> None:
        """End the integration's access to the customer's app, and remove its webhooks."""
        self.run(self._calls.revoke_access(access_token))


class AsyncSunshine(Awaiting):
    """The same on asyncio. See ``Sunshine``."""

    def __init__(
        self,
        base_url: str | None = None,
        *,
        api_base_url: str | None = None,
        access_token: str | None = None,
        username: str | None = None,
        password: str | None = None,
        **line: Unpack[AsyncLineSettings],
    ) -> None:
        super().__init__(**line)
        self._calls = _Calls(SunshineServer(base_url, api_base_url=api_base_url), access_token, username, password)

    def authorize(
        self, client_id: str, response_type: str = "code", *, state: str | None = None, redirect_uri: str | None = None
    ) -> str:
        """The address that begins the flow. A browser has to go there; nothing is awaited."""
        return self._calls.authorize(client_id, response_type, state, redirect_uri)

    async def get_token(
        self, get_token_request: GetTokenRequest | None = None, **fields: Unpack[GetTokenRequest]
    ) -> Tokens:
        """Exchange a code for an access token."""
        return await self.run(self._calls.get_token(get_token_request, fields))

    async def get_token_info(self, access_token: str | None = None) -> TokenInfoAnswer:
        """The app linked to the token; ``Refused`` when the credentials are no longer valid."""
        return await self.run(self._calls.get_token_info(access_token))

    async def revoke_access(self, access_token: str | None = None) -> None:
        """End the integration's access to the customer's app, and remove its webhooks."""
        await self.run(self._calls.revoke_access(access_token))
