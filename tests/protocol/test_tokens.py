"""The strings of codes, refresh tokens and opaque access tokens: their form, their length, and that nobody forges one."""

from __future__ import annotations

import re
import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grantway.protocol.tokens import (
    Access,
    read_access_token,
    read_code,
    read_refresh_token,
    read_sealed,
    write_access_token,
    write_code,
    write_refresh_token,
)
from grantway.wire.words import CHECKSUM_LENGTH, checksum
from tests.helpers.permissions import SQUARE_PERMISSIONS

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
secrets = st.binary(min_size=32, max_size=32)
ids = st.binary(min_size=16, max_size=16)
names = st.text(string.ascii_letters + string.digits + ":/._-", min_size=1, max_size=20)
lists = st.lists(names, unique=True, max_size=70).map(tuple)
WORD = re.compile(r"gw[acr]_[A-Za-z0-9]+")


def access_of(row_id: bytes = bytes(16), kind: str = "grant", **changes: object) -> Access:
    fields: dict[str, object] = {
        "kind": kind, "row_id": row_id, "serial": b"s" * 16, "issued_at": NOON,
        "expires_at": NOON + timedelta(minutes=10), "scope": (), "resource": (),
    }  # fmt: skip
    return Access(**(fields | changes))  # type: ignore[arg-type]


# What is written is read back


@given(secrets, ids)
def test_a_code_is_read_back_and_proven_by_its_own_secret_only(secret: bytes, grant_id: bytes) -> None:
    text = write_code(secret, grant_id)
    code = read_code(text)
    assert code is not None
    assert (code.grant_id, code.is_proven(secret)) == (grant_id, True)
    assert not code.is_proven(bytes(b ^ 1 for b in secret))
    assert WORD.fullmatch(text)
    assert len(text) <= 191  # Square's limit


@given(secrets, ids, st.integers(0, 2**32 - 1))
def test_a_refresh_token_is_read_back_and_proven(secret: bytes, grant_id: bytes, generation: int) -> None:
    text = write_refresh_token(secret, grant_id, generation)
    assert text == write_refresh_token(secret, grant_id, generation)  # the same generation, the same string
    token = read_refresh_token(text)
    assert token is not None
    assert (token.grant_id, token.generation, token.is_proven(secret)) == (grant_id, generation, True)
    assert not token.is_proven(bytes(b ^ 1 for b in secret))
    assert WORD.fullmatch(text)
    assert len(text) <= 1024


@given(secrets, ids, lists, lists, st.data())
def test_an_access_token_is_read_back(
    secret: bytes, row_id: bytes, scopes: tuple[str, ...], resources: tuple[str, ...], data: st.DataObject
) -> None:
    chosen = tuple(one for one in scopes if data.draw(st.booleans()))
    expires_at = data.draw(st.sampled_from([None, NOON, NOON + timedelta(seconds=1), NOON + timedelta(days=3_650)]))
    access = access_of(row_id, scope=chosen, resource=resources[:1], expires_at=expires_at)
    for ordered in (None, (scopes, resources)):
        text = write_access_token(secret, access, ordered)
        token = read_access_token(text)
        assert token is not None
        assert WORD.fullmatch(text)
        opened = token.open(secret)
        assert opened is not None
        assert read_sealed(token, opened, ordered) == access


@given(secrets, secrets, ids, ids)
def test_a_token_of_one_row_never_opens_under_another(mine: bytes, other: bytes, my_id: bytes, other_id: bytes) -> None:
    token = read_access_token(write_access_token(mine, access_of(my_id), ((), ())))
    assert token is not None
    if mine != other:
        assert token.open(other) is None
    if my_id != other_id:
        moved = type(token)(token.kind, other_id, token.sealed)
        assert moved.open(mine) is None
    assert type(token)("client", my_id, token.sealed).open(mine) is None  # nor as another kind of row


def test_a_proof_for_one_purpose_proves_no_other() -> None:
    secret, grant_id = b"s" * 32, bytes(16)
    code = read_code(write_code(secret, grant_id))
    tokens = [read_refresh_token(write_refresh_token(secret, grant_id, generation)) for generation in (1, 2)]
    assert code is not None
    one, two = tokens
    assert one is not None
    assert two is not None
    assert len({code.mac, one.mac, two.mac}) == 3
    assert not type(one)(grant_id, 2, one.mac).is_proven(secret)
    assert not type(code)(b"x" * 16, code.mac).is_proven(secret)


# Lengths


def test_all_59_permissions_of_square_fit_into_its_limits() -> None:
    assert len(SQUARE_PERMISSIONS) == 59
    ordered = (SQUARE_PERMISSIONS, ("https://resource.example/" + "a" * 200,))
    worst = 0
    for filler in (b"\xff", b"\xfb", b"\xce", b"z"):
        access = access_of(filler * 16, scope=SQUARE_PERMISSIONS, resource=ordered[1], expires_at=None)
        for number in range(50):
            worst = max(worst, len(write_access_token(bytes([number]) * 32, access, ordered)))
    assert worst <= 256


@given(st.integers(0, 2**59 - 1))
def test_every_choice_of_permissions_fits_and_is_read_back(bitmap: int) -> None:
    scope = tuple(one for at, one in enumerate(SQUARE_PERMISSIONS) if bitmap >> at & 1)
    access = access_of(scope=scope)
    token = read_access_token(text := write_access_token(bytes(32), access, (SQUARE_PERMISSIONS, ())))
    assert token is not None
    assert read_sealed(token, token.open(bytes(32)) or b"", (SQUARE_PERMISSIONS, ())).scope == scope
    assert len(text) <= 256


# Garbage

READERS = (read_code, read_refresh_token, read_access_token)


@given(st.sampled_from(["", "gwa_", "gwr_", "gwc_", "GWA_", " gwa_"]), st.text(st.characters(exclude_categories=())))
def test_any_text_is_read_as_nothing(prefix: str, text: str) -> None:
    """Half of a surrogate pair, too, which no UTF-8 holds."""
    for read in READERS:
        assert read(prefix + text) is None


@given(st.sampled_from(["gwa_", "gwr_", "gwc_"]), st.text(string.ascii_letters + string.digits, max_size=200))
def test_any_word_with_the_right_checksum_is_read_as_nothing_or_proves_nothing(prefix: str, body: str) -> None:
    text = prefix + body + checksum(body)
    for read in READERS:
        found = read(text)
        if found is None:
            continue
        proven = found.open(bytes(32)) is not None if hasattr(found, "open") else found.is_proven(bytes(32))
        assert not proven


@pytest.mark.parametrize("write", ["code", "refresh", "access"])
def test_every_change_of_one_character_is_caught_by_the_checksum(write: str) -> None:
    secret, row_id = b"k" * 32, bytes(range(16))
    text = {
        "code": write_code(secret, row_id),
        "refresh": write_refresh_token(secret, row_id, 7),
        "access": write_access_token(secret, access_of(row_id), ((), ())),
    }[write]
    for at in range(len(text)):
        other = "A" if text[at] != "A" else "B"
        assert all(read(text[:at] + other + text[at + 1 :]) is None for read in READERS)
        assert all(read(text[:at] + text[at + 1 :]) is None for read in READERS)
    assert all(read(text + "A") is None for read in READERS)
    assert all(read(text.swapcase()) is None for read in READERS)


def test_tokens_do_not_pass_for_one_another() -> None:
    secret, row_id = b"k" * 32, bytes(16)
    code, refresh = write_code(secret, row_id), write_refresh_token(secret, row_id, 1)
    access = write_access_token(secret, access_of(row_id), ((), ()))
    assert [bool(read(code)) for read in READERS] == [True, False, False]
    assert [bool(read(refresh)) for read in READERS] == [False, True, False]
    assert [bool(read(access)) for read in READERS] == [False, False, True]
    body = code[4:]
    assert all(read(prefix + body) is None for prefix, read in zip(("gwr_", "gwa_"), READERS[1:], strict=True))


def test_what_is_too_long_is_not_even_looked_at() -> None:
    body = "A" * 10_000
    assert all(read(f"gw{kind}_{body}{checksum(body)}") is None for kind, read in zip("cra", READERS, strict=True))


def test_the_checksum_is_where_a_secret_scanner_looks() -> None:
    text = write_code(b"k" * 32, bytes(16))
    assert text[-CHECKSUM_LENGTH:] == checksum(text[4:-CHECKSUM_LENGTH])


def test_proofs_do_not_show_in_print() -> None:
    secret, row_id = b"k" * 32, bytes(16)
    shown = repr([
        read_code(write_code(secret, row_id)),
        read_refresh_token(write_refresh_token(secret, row_id, 1)),
        read_access_token(write_access_token(secret, access_of(row_id), ((), ()))),
    ])  # fmt: skip
    assert "mac" not in shown
    assert "sealed" not in shown
