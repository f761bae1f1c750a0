"""Codes and tokens fit into the fields of Square's libraries, whatever is chosen of all permissions (pitfall 1.10)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from grantway.protocol import jwt
from grantway.protocol.administration.built_in.square import SCOPES
from grantway.protocol.tokens import Access, write_access_token, write_code, write_refresh_token

PERMISSIONS = tuple(scope.name for scope in SCOPES)
LONGEST_CODE, LONGEST_TOKEN = 191, 1024
"""Characters (vendors.md §3.2)."""

visible = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
secrets = st.binary(min_size=32, max_size=32)
ids = st.binary(min_size=16, max_size=16)
chosen = st.lists(st.sampled_from(PERMISSIONS), unique=True).map(
    lambda names: tuple(sorted(names, key=PERMISSIONS.index))
)
lifetimes = st.none() | st.integers(1, 3650 * 86_400).map(lambda seconds: timedelta(seconds=seconds))
ISSUED_AT = datetime(2999, 12, 31, 23, 59, 59, tzinfo=UTC)


def access_of(row_id: bytes, serial: bytes, scope: tuple[str, ...], lifetime: timedelta | None) -> Access:
    expires_at = None if lifetime is None else ISSUED_AT + lifetime
    return Access("grant", row_id, serial, ISSUED_AT, expires_at, scope, ())


def test_there_are_as_many_permissions_as_the_vendor_has() -> None:
    assert len(PERMISSIONS) == 59


@given(secrets, ids, st.integers(0, 2**32 - 1))
def test_codes_and_refresh_tokens_fit(secret: bytes, grant_id: bytes, generation: int) -> None:
    assert len(write_code(secret, grant_id)) <= LONGEST_CODE
    assert len(write_refresh_token(secret, grant_id, generation)) <= LONGEST_TOKEN


@given(secrets, ids, ids, chosen, lifetimes)
@example(b"\xff" * 32, b"\xff" * 16, b"\xff" * 16, PERMISSIONS, None)
def test_an_opaque_access_token_fits(
    secret: bytes, row_id: bytes, serial: bytes, scope: tuple[str, ...], lifetime: timedelta | None
) -> None:
    text = write_access_token(secret, access_of(row_id, serial, scope, lifetime), (PERMISSIONS, ()))
    assert len(text) <= LONGEST_TOKEN


@given(
    secrets,
    ids,
    ids,
    chosen,
    lifetimes,
    st.from_regex(r"[A-Za-z0-9._~-]{1,128}", fullmatch=True),
    st.text(visible, min_size=8, max_size=191),
)
@example(b"\xff" * 32, b"\xff" * 16, b"\xff" * 16, PERMISSIONS, timedelta(days=3650), "~" * 128, '"' * 191)
def test_an_access_token_that_is_a_jwt_fits(
    secret: bytes,
    row_id: bytes,
    serial: bytes,
    scope: tuple[str, ...],
    lifetime: timedelta | None,
    client_id: str,
    merchant_id: str,
) -> None:
    access = access_of(row_id, serial, scope, lifetime)
    text = jwt.write_serial_jwt(secret, access, (PERMISSIONS, ()), client_id=client_id, account=merchant_id)
    assert len(text) <= LONGEST_TOKEN
