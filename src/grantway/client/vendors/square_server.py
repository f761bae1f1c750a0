"""Square's server for the uniform surface, and the operations that its calls are made of."""

from __future__ import annotations

from datetime import datetime

from grantway.client.conversation import Operation, ask, send_below
from grantway.client.errors import Refused, Unsupported
from grantway.client.reading import understood
from grantway.client.standard import callback_read
from grantway.client.tokens import Info, Tokens, account_of
from grantway.client.vendors.calls import inactive, unsupported
from grantway.wire.dialects import square
from grantway.wire.errors import INVALID_GRANT
from grantway.wire.messages import (
    AccountSummary,
    AuthorizationAnswer,
    AuthorizationRequest,
    AuthorizationRevocationAnswer,
    AuthorizationRevocationRequest,
    ClientCredentials,
    RenewalRequest,
    TokenAnswer,
    TokenRequest,
    TokenStatusAnswer,
    TokenStatusRequest,
)

BASE_URL = "https://connect.squareup.com"
SANDBOX_BASE_URL = "https://connect.squareupsandbox.com"

_GRANT_TYPES = frozenset({"authorization_code", "refresh_token", "migration_token"})


class SquareServer:
    """Square, its sandbox, or who speaks as it does at ``base_url``."""

    def __init__(self, base_url: str = BASE_URL) -> None:
        self.base_url = base_url.rstrip("/")

    @property
    def name(self) -> str:
        return self.base_url + square.AUTHORIZE_PATH

    def uses_pkce(self, credentials: ClientCredentials) -> bool:
        """Here the challenge stands for the secret: with one, refresh tokens are single-use and last 90 days."""
        return credentials.client_secret is None

    def authorize(self, request: AuthorizationRequest) -> Operation[str]:
        if request.response_type != "code":
            raise Unsupported("response_type")
        unsupported(resource=request.resource, prompt=set(request.prompt) - {"login"})
        yield from ()
        return self.address(request)

    def address(self, request: AuthorizationRequest) -> str:
        """Where the browser has to go to."""
        return f"{self.name}?{square.write_authorization_request(request)}"

    def read_callback(self, url: str) -> Operation[AuthorizationAnswer]:
        yield from ()
        return callback_read(square.read_authorization_answer, url)

    def token(self, request: TokenRequest) -> Operation[tuple[TokenAnswer, datetime]]:
        if request.grant_type not in _GRANT_TYPES:
            raise Unsupported(request.grant_type)
        unsupported(resource=request.resource)
        return (yield from self.obtain(request))

    def obtain(self, request: TokenRequest) -> Operation[tuple[TokenAnswer, datetime]]:
        """Obtain token, as it is asked for. A refresh with an ``Idempotency-Key`` is repeated when its answer was lost.

        So is one where the key is not known: a single-use token's successor would be lost with the answer, and any other
        token is still the same.
        """
        send = send_below(self.base_url, square.write_token_request(request))
        reply = yield from ask(send, repeatable=request.idempotency_key is not None)
        answer: TokenAnswer = understood(reply, square.read_token_answer)
        return answer, reply.asked_at

    def renew(self, asked: RenewalRequest) -> Operation[tuple[TokenAnswer, datetime]]:
        """Renew token. The answer has no refresh token."""
        reply = yield from ask(send_below(self.base_url, square.write_renewal_request(asked)))
        answer: TokenAnswer = understood(reply, square.read_renewal_answer)
        return answer, reply.asked_at

    def status(self, access_token: str | None) -> Operation[TokenStatusAnswer]:
        """Retrieve token status."""
        request = square.write_token_status_request(TokenStatusRequest(access_token))
        reply = yield from ask(send_below(self.base_url, request), repeatable=True)
        answer: TokenStatusAnswer = understood(reply, square.read_token_status_answer)
        return answer

    def revoke_authorization(self, asked: AuthorizationRevocationRequest) -> Operation[None]:
        """Revoke token. It names what is to end, so repeating it does no more."""
        request = square.write_authorization_revocation_request(asked)
        reply = yield from ask(send_below(self.base_url, request), repeatable=True)
        _: AuthorizationRevocationAnswer = understood(reply, square.read_authorization_revocation_answer)

    def has_ended(self, refused: Refused) -> bool:
        return refused.code == INVALID_GRANT.code

    def info(self, tokens: Tokens, credentials: ClientCredentials) -> Operation[Info]:
        try:
            told = yield from self.status(tokens.access_token)
        except Refused as refused:
            return inactive(refused)
        merchant = None if told.account_id is None else AccountSummary(told.account_id, "", told.account_id)
        return Info(
            active=True,
            scope=told.scope,
            expires_at=told.expires_at,
            client_id=told.client_id,
            account=account_of(merchant),
            details=told,
        )

    def revoke(self, tokens: Tokens, credentials: ClientCredentials) -> Operation[None]:
        """The whole authorization by this merchant. The vendor takes that from an application with a secret only."""
        if credentials.client_secret is None:
            raise Unsupported("revocation without a client secret")
        yield from self.revoke_authorization(AuthorizationRevocationRequest(credentials, tokens.access_token))
