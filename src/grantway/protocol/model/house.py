"""What the installation itself keeps: keys, the audit, counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date, datetime
from typing import Any

from grantway.wire.record import record


@record
class SigningKey:
    """A key of ``/jwks.json``. Published from ``created_at``, signs from ``signs_from``, gone at ``retires_at``."""

    kid: str
    algorithm: str
    private_sealed: bytes = field(repr=False)
    key_id: str
    public_jwk: Mapping[str, Any]
    created_at: datetime
    signs_from: datetime
    retires_at: datetime | None = None
    version: int = 1


@record
class OperatorKey:
    """A key for the operator's JSON API, shown once. ``scopes`` are the calls that it may make."""

    id: bytes
    name: str
    digest: bytes = field(repr=False)
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_day: date | None = None
    version: int = 1


@record
class AuditEntry:
    """Who did what, when and why. ``actor`` is ``user:…``, ``client:…``, ``operator`` or ``system``."""

    id: bytes
    at: datetime
    actor: str
    action: str
    reason: str | None = None
    client_id: bytes | None = None
    account_id: bytes | None = None
    connection_id: bytes | None = None
    grant_id: bytes | None = None
    user_id: bytes | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@record
class Restoration:
    """The database was set back to a backup: it may know less than the tokens that were issued since.

    ``backup_at`` is of when its rows are. Until ``until`` a proven token that is ahead of its row is believed.
    """

    id: bytes
    restored_at: datetime
    backup_at: datetime
    until: datetime


@record
class AuditSeal:
    """One range of the audit under a hash that also covers the seal before it (``sealing.py``).

    ``first`` and ``last`` are the numbers of its first and last entry, all of one ``day`` (UTC, by their ids). ``digest``
    is over the entries, ``hash`` over the seal itself and ``previous``, the hash before. ``removed_at``: the entries were
    old enough to go; the seal stays, and with it the chain.
    """

    number: int
    first: int
    last: int
    count: int
    day: date
    digest: bytes
    previous: bytes
    hash: bytes
    sealed_at: datetime
    removed_at: datetime | None = None


@record
class Lease:
    """Work that one process of all does at a time: ``owner`` has it until ``until``, whatever becomes of them."""

    name: str
    owner: bytes
    until: datetime


@record
class IdempotentAnswer:
    """What a creating call answered, so that its repetition gets the same. Sealed: it may hold a secret shown once.

    Found by the digest of caller and ``Idempotency-Key``; ``request_digest`` tells a repetition from another request.
    """

    digest: bytes
    request_digest: bytes
    status: int
    body_sealed: bytes = field(repr=False)
    key_id: str
    created_at: datetime
    expires_at: datetime


@record
class Tally:
    """How often something happened in one hour, or later in one day: ``kind`` (``tokens``, …) and ``label`` (a slug)."""

    hour: datetime
    kind: str
    label: str
    count: int
