"""``Authorization: Client APPLICATION_SECRET``: how an application proves itself to revoke and renew (§3.3, §3.4)."""

from __future__ import annotations

from grantway.wire.errors import INVALID_CLIENT, Malformed
from grantway.wire.headers import after_scheme
from grantway.wire.http import HttpRequest
from grantway.wire.messages import ClientCredentials

_LONGEST = 1024  # characters, as in a body


def read_client_secret(request: HttpRequest, client_id: str) -> ClientCredentials:
    """The client of this id and the secret in the header. Any other scheme is as wrong as a wrong secret."""
    secret = after_scheme(request.header(b"authorization"), "client")
    if secret is None or not secret.isprintable() or len(secret) > _LONGEST:
        raise Malformed(INVALID_CLIENT, "client_secret_header_missing")
    return ClientCredentials(client_id, secret, "client_secret_basic")


def write_client_secret(credentials: ClientCredentials) -> tuple[bytes, bytes]:
    """The header."""
    return (b"authorization", f"Client {credentials.client_secret or ''}".encode())
