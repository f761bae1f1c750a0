"""What the uniform surface needs of a dialect. One small object per server; it says, and it decides nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from grantway.client.conversation import Operation
from grantway.client.errors import Refused
from grantway.client.tokens import Info, Tokens
from grantway.wire.messages import (
    AuthorizationAnswer,
    AuthorizationRequest,
    ClientCredentials,
    TokenAnswer,
    TokenRequest,
)


class Server(Protocol):
    """An authorization server at an address. What may take a request is an operation, so that both clients make it.

    ``name`` tells servers apart: what was begun with one is not ended with another. Credentials come with the method
    ``client_secret_basic`` or ``none``; the server uses its own.
    """

    @property
    def name(self) -> str: ...

    def uses_pkce(self, credentials: ClientCredentials) -> bool:
        """Whether this client sends a challenge (RFC 7636)."""

    def authorize(self, request: AuthorizationRequest) -> Operation[str]:
        """The address that the browser has to go to."""

    def read_callback(self, url: str) -> Operation[AuthorizationAnswer]:
        """What the callback says; its ``iss`` is checked here. Raises ``CallbackWrong``."""

    def token(self, request: TokenRequest) -> Operation[tuple[TokenAnswer, datetime]]:
        """Tokens, and when they were asked for: before anything was sent. Raises ``Refused``, ``NoAnswer``, ``NotReached``.

        An ``idempotency_key`` is there on refreshes; where the server honours it, a lost answer is asked for again.
        """

    def has_ended(self, refused: Refused) -> bool:
        """Whether this refusal of a refresh means that the connection is over, and not only that it does not go now."""

    def info(self, tokens: Tokens, credentials: ClientCredentials) -> Operation[Info]:
        """What the access token is good for. One that is good for nothing is not active, and no error."""

    def revoke(self, tokens: Tokens, credentials: ClientCredentials) -> Operation[None]:
        """End it all: the refresh token with everything that hangs from it, or the access token where there is none."""
