"""Tokens are derived, not stored: their strings, made from a row and read back (docs/explanation/tokens.md).

A code is ``gwc_`` and a refresh token ``gwr_``: the grant's id and the generation in clear, and a MAC under the grant's
own secret. An access token is ``gwa_``: the row's id in clear, the rest sealed under that row's secret. Each ends in a
checksum, so that secret scanners find them and typing errors cost no query. Reading proves nothing: what is read is
``Unproven`` until the row's secret has been asked.
"""

from __future__ import annotations

import struct
from dataclasses import field
from datetime import UTC, datetime, timedelta
from typing import Literal

from cryptography.exceptions import InvalidTag

from grantway.protocol.keys import CODE, MAC_LENGTH, REFRESH, access_cipher, mac, same
from grantway.protocol.scope import at_positions, positions
from grantway.wire.record import record
from grantway.wire.words import CHECKSUM_LENGTH, checksum, read_word, write_word

ID_LENGTH = 16
SERIAL_LENGTH = 16
MAX_TOKEN_LENGTH = 8192

RowKind = Literal["grant", "client"]
_KIND_BYTES: dict[RowKind, bytes] = {"grant": b"\1", "client": b"\2"}
_KINDS: dict[bytes, RowKind] = {value: kind for kind, value in _KIND_BYTES.items()}

_CODE_SIZE = ID_LENGTH + MAC_LENGTH
_REFRESH_SIZE = ID_LENGTH + 4 + MAC_LENGTH
_HEAD = struct.Struct(">16sQI")
"""Of what an access token seals: serial, issued at and lifetime in seconds (all ones: without end)."""
_ENDLESS = 0xFFFFFFFF


@record
class UnprovenCode:
    """What a code says of itself."""

    grant_id: bytes
    mac: bytes = field(repr=False)

    def is_proven(self, secret: bytes) -> bool:
        return same(self.mac, mac(secret, CODE, self.grant_id))


@record
class UnprovenRefreshToken:
    """What a refresh token says of itself."""

    grant_id: bytes
    generation: int
    mac: bytes = field(repr=False)

    def is_proven(self, secret: bytes) -> bool:
        return same(self.mac, mac(secret, REFRESH, self.generation.to_bytes(4, "big")))


@record
class UnprovenAccessToken:
    """What an opaque access token says of itself: which row it hangs from."""

    kind: RowKind
    row_id: bytes
    sealed: bytes = field(repr=False)

    def open(self, secret: bytes) -> bytes | None:
        """What is sealed in it, or ``None`` when it was not sealed under this row's secret."""
        try:
            return access_cipher(secret).decrypt(self.sealed, [_KIND_BYTES[self.kind] + self.row_id])
        except InvalidTag:
            return None


@record
class Access:
    """What one access token is good for. ``expires_at`` is ``None`` for a token without end."""

    kind: RowKind
    row_id: bytes
    serial: bytes
    issued_at: datetime
    expires_at: datetime | None
    scope: tuple[str, ...]
    resource: tuple[str, ...]


def write_code(secret: bytes, grant_id: bytes) -> str:
    """The authorization code of a grant."""
    return _write("gwc_", write_word(grant_id + mac(secret, CODE, grant_id)))


def read_code(text: str) -> UnprovenCode | None:
    """What the text says if it has the form of a code."""
    data = _read("gwc_", text, _CODE_SIZE)
    return None if data is None else UnprovenCode(data[:ID_LENGTH], data[ID_LENGTH:])


def write_refresh_token(secret: bytes, grant_id: bytes, generation: int) -> str:
    """The refresh token of one generation: always the same string for the same generation."""
    number = generation.to_bytes(4, "big")
    return _write("gwr_", write_word(grant_id + number + mac(secret, REFRESH, number)))


def read_refresh_token(text: str) -> UnprovenRefreshToken | None:
    """What the text says if it has the form of a refresh token."""
    data = _read("gwr_", text, _REFRESH_SIZE)
    if data is None:
        return None
    return UnprovenRefreshToken(data[:16], int.from_bytes(data[16:20], "big"), data[20:])


def write_access_token(
    secret: bytes, access: Access, ordered: tuple[tuple[str, ...], tuple[str, ...]] | None = None
) -> str:
    """The opaque string of an access token.

    ``ordered`` are the grant's immutable scope and resource lists: scopes and resources are named by their positions,
    so that the token stays short. A client's own lists may change, so its tokens carry the names themselves.
    """
    lifetime = _ENDLESS if access.expires_at is None else int((access.expires_at - access.issued_at).total_seconds())
    head = _HEAD.pack(access.serial, int(access.issued_at.timestamp()), lifetime)
    if ordered is None:
        body = "\n".join((" ".join(access.scope), " ".join(access.resource))).encode()
    else:
        scope = positions(access.scope, ordered[0])
        resource = positions(access.resource, ordered[1])
        scope_size = (len(ordered[0]) + 7) // 8
        body = (
            bytes((scope_size,))
            + scope.to_bytes(scope_size, "big")
            + resource.to_bytes((len(ordered[1]) + 7) // 8, "big")
        )
    about = _KIND_BYTES[access.kind] + access.row_id
    return _write("gwa_", write_word(about + access_cipher(secret).encrypt(head + body, [about])))


def read_access_token(text: str) -> UnprovenAccessToken | None:
    """What the text says if it has the form of an opaque access token."""
    body = _body("gwa_", text)
    data = None if body is None else read_word(body)
    if data is None or len(data) < 1 + ID_LENGTH + 16 + _HEAD.size or data[:1] not in _KINDS:
        return None
    return UnprovenAccessToken(_KINDS[data[:1]], data[1:17], data[17:])


def read_sealed(
    token: UnprovenAccessToken, opened: bytes, ordered: tuple[tuple[str, ...], tuple[str, ...]] | None = None
) -> Access:
    """What a proven token seals; ``ordered`` as it was written with."""
    serial, issued, lifetime = _HEAD.unpack_from(opened)
    body = opened[_HEAD.size :]
    if ordered is None:
        scopes, _, resources = body.decode().partition("\n")
        scope, resource = tuple(scopes.split()), tuple(resources.split())
    else:
        size = body[0]
        scope = at_positions(int.from_bytes(body[1 : 1 + size], "big"), ordered[0])
        resource = at_positions(int.from_bytes(body[1 + size :], "big"), ordered[1])
    issued_at = datetime.fromtimestamp(issued, UTC)
    expires_at = None if lifetime == _ENDLESS else issued_at + timedelta(seconds=lifetime)
    return Access(token.kind, token.row_id, serial, issued_at, expires_at, scope, resource)


def _write(prefix: str, body: str) -> str:
    return f"{prefix}{body}{checksum(body)}"


def _body(prefix: str, text: str) -> str | None:
    if not text.startswith(prefix) or len(text) > MAX_TOKEN_LENGTH or not text.isascii():
        return None
    body = text[len(prefix) : -CHECKSUM_LENGTH]
    return body if checksum(body) == text[-CHECKSUM_LENGTH:] else None


def _read(prefix: str, text: str, size: int) -> bytes | None:
    body = _body(prefix, text)
    data = None if body is None else read_word(body)
    return data if data is not None and len(data) == size else None
