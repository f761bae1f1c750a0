"""Sealing with the master key. The master key only seals; no token is derived from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from grantway.wire.record import record

ROW_SECRET_LENGTH = 32
"""Bytes of randomness that every row tokens hang from has of its own."""


class Unsealable(Exception):
    """A sealed value does not open: another master key sealed it, or it was changed. Carries nothing of the value."""


@record
class Vault:
    """The master keys by id, and which of them seals. Keys are 64 bytes (AES-256-SIV, RFC 5297)."""

    ciphers: Mapping[str, AESSIV] = field(repr=False)
    current: str

    @classmethod
    def of(cls, keys: Mapping[str, bytes], current: str) -> Vault:
        """A vault over raw keys. Raises ``ValueError`` when one has not 64 bytes or ``current`` is not among them."""
        if current not in keys or any(len(key) != 64 for key in keys.values()):
            raise ValueError("A master key has 64 bytes, and the current one must be among them.")
        return cls({key_id: AESSIV(key) for key_id, key in keys.items()}, current)

    def seal(self, value: bytes, about: bytes) -> bytes:
        """The value, readable only with the current master key and only as the secret of ``about`` (a row id)."""
        return self.ciphers[self.current].encrypt(value, [about])

    def open(self, key_id: str, sealed: bytes, about: bytes) -> bytes:
        """What was sealed. Raises ``Unsealable``."""
        cipher = self.ciphers.get(key_id)
        if cipher is None:
            raise Unsealable(key_id)
        try:
            return cipher.decrypt(sealed, [about])
        except InvalidTag:
            raise Unsealable(key_id) from None
