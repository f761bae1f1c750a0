"""Forging needs the database and the master key, for every kind of token."""

from __future__ import annotations

import hmac
import random
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import given
from hypothesis import strategies as st

from grantway.protocol import jwt
from grantway.protocol.keys import ACCESS, ACCOUNT_JWT, CODE, MOVE, NOTICES, REFRESH, derive, mac
from grantway.protocol.model import Client, Grant
from grantway.protocol.moment import Moment
from grantway.protocol.tokens import write_access_token, write_code, write_refresh_token
from grantway.protocol.vault import Unsealable, Vault
from tests.helpers.stage import Stage, Tokens, refused, values_of

PURPOSES = (CODE, REFRESH, ACCESS, ACCOUNT_JWT, MOVE, NOTICES)


@given(st.binary(min_size=32, max_size=32), st.sampled_from(PURPOSES), st.binary(max_size=40))
def test_a_key_is_what_hkdf_expand_gives(secret: bytes, purpose: bytes, info: bytes) -> None:
    """RFC 5869 §2.3, by other people's code."""
    expected = HKDFExpand(hashes.SHA256(), 32, purpose + b"\0" + info).derive(secret)
    assert derive(secret, purpose, info) == expected
    assert mac(secret, purpose, info) == expected[:16]


def test_every_purpose_has_keys_of_its_own() -> None:
    assert len({derive(bytes(32), purpose) for purpose in PURPOSES}) == len(PURPOSES)
    assert not any(one != other and one.startswith(other) for one in PURPOSES for other in PURPOSES)


# The vault


def vault(seed: int = 1) -> Vault:
    return Vault.of({"one": random.Random(seed).randbytes(64), "two": random.Random(seed + 1).randbytes(64)}, "one")


def test_what_is_sealed_opens_again_about_the_same_row_and_under_the_same_key_only() -> None:
    one = vault()
    sealed = one.seal(b"secret", b"row")
    assert b"secret" not in sealed
    assert one.open("one", sealed, b"row") == b"secret"
    for key_id, about, value in (
        ("two", b"row", sealed),
        ("nonesuch", b"row", sealed),
        ("one", b"other row", sealed),
        ("one", b"row", sealed[:-1]),
        ("one", b"row", b"\0" + sealed[1:] if sealed[:1] != b"\0" else b"\1" + sealed[1:]),
        ("one", b"row", b""),
    ):
        with pytest.raises(Unsealable) as failed:
            one.open(key_id, value, about)
        assert "secret" not in str(failed.value)
    with pytest.raises(Unsealable):
        vault(seed=9).open("one", sealed, b"row")


def test_an_older_master_key_still_opens_what_it_sealed() -> None:
    keys = {"one": bytes(64), "two": b"\1" * 64}
    sealed = Vault.of(keys, "one").seal(b"secret", b"row")
    newer = Vault.of(keys, "two")
    assert newer.open("one", sealed, b"row") == b"secret"
    assert newer.seal(b"secret", b"row") != sealed


@pytest.mark.parametrize("keys", [{}, {"one": bytes(64)}, {"two": bytes(32)}, {"one": bytes(63), "two": bytes(64)}])
def test_a_master_key_has_64_bytes_and_the_current_one_is_there(keys: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match="64 bytes"):
        Vault.of(keys, "two")


def test_the_master_key_does_not_show_in_print() -> None:
    assert "AESSIV" not in repr(vault())


def test_ids_are_ordered_by_time_and_never_the_same() -> None:
    stage = Stage()
    dice = random.Random(3)
    earlier = Moment(stage.clock(), stage.vault, dice.randbytes)
    stage.wait(milliseconds=1)
    later = Moment(stage.clock(), stage.vault, dice.randbytes)
    assert max(earlier.new_id() for _ in range(50)) < min(later.new_id() for _ in range(50))
    assert len({earlier.new_id() for _ in range(1_000)}) == 1_000


# Forging


def forged(secret: bytes, tokens: Tokens, sunshine: Tokens, own: Tokens) -> list[str]:
    """Every kind of token, as whoever holds this secret (32 bytes) would write it."""
    access, grant = tokens.issued.access, tokens.issued.held
    assert grant is not None
    return [
        write_refresh_token(secret, access.row_id, 1),
        write_access_token(secret, access, (grant.grant.scope, grant.grant.resource)),
        write_access_token(secret, own.issued.access),
        jwt.write_account_jwt(secret, sunshine.issued.access, client_id="x", account="y"),
    ]


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def made(stage: Stage) -> tuple[Tokens, Tokens, Tokens]:
    machine = stage.integration("Machine", redirect_uris=())
    return (
        stage.connect(stage.integration()),
        stage.connect(stage.sunshine()),
        stage.minted(stage.client_credentials(machine)),
    )


def test_whoever_has_only_the_rows_forges_nothing(stage: Stage, made: Any) -> None:
    """Every value of the whole database, tried as it is, as a digest and cut to size."""
    stolen: set[bytes] = set()
    for record in stage.everything():
        for value in values_of(record):
            data = value.encode() if isinstance(value, str) else value
            if isinstance(data, bytes):
                stolen |= {
                    data[:32].ljust(32, b"\0"),
                    data[-32:].rjust(32, b"\0"),
                    hmac.digest(data, b"", "sha256"),
                }
    assert len(stolen) > 100
    works = [text for secret in stolen for text in forged(secret, *made) if stage.is_active(text)]
    assert works == []


def test_whoever_has_only_the_master_key_forges_nothing(stage: Stage, made: Any) -> None:
    key = random.Random(7).randbytes(64)  # the stage's own
    assert Vault.of({"mk_test": key}, "mk_test").open("mk_test", stage.vault.seal(b"x", b"y"), b"y") == b"x"
    ids = [each.issued.access.row_id for each in made]
    guesses = {key[:32], key[32:], hmac.digest(key, b"", "sha256")}
    guesses |= {derive(half, purpose, row_id) for half in (key[:32], key) for purpose in PURPOSES for row_id in ids}
    assert [text for secret in guesses for text in forged(secret, *made) if stage.is_active(text)] == []


def test_the_same_row_with_another_secret_knows_none_of_its_tokens(stage: Stage, made: Any) -> None:
    """Nothing but the row's own random secret makes its tokens: not its id, not the master key."""
    tokens, sunshine, own = made
    for each in (tokens, sunshine):
        grant = stage.grant_of(each)
        stage.amend(grant, secret=stage.vault.seal(b"other".ljust(32), grant.id))
    client = stage.stored(Client, own.issued.client.id)
    stage.amend(client, secret=stage.vault.seal(b"other".ljust(32), client.id))
    for text in (tokens.access, tokens.refresh, sunshine.access, own.access):
        assert not stage.is_active(text)


def test_both_together_are_what_it_takes(stage: Stage, made: Any) -> None:
    tokens = made[0]
    grant = stage.grant_of(tokens)
    secret = stage.vault.open(grant.key_id, grant.secret, grant.id)
    assert all(stage.is_active(text) for text in forged(secret, *made)[:2])


def test_a_sealed_secret_does_not_open_in_another_row(stage: Stage) -> None:
    """Who may write to the database cannot give a row the secret of one whose tokens they have."""
    by = stage.integration()
    mine, victim = stage.connect(by), stage.connect(by)
    stage.amend(stage.grant_of(victim), secret=stage.grant_of(mine).secret)
    with pytest.raises(Unsealable):
        stage.introspect(victim.access)


def test_codes_too_hang_from_the_rows_own_secret(stage: Stage) -> None:
    by = stage.integration()
    stage.code(by)
    (grant,) = stage.all(Grant)
    guess = write_code(grant.secret[:32], grant.id)
    refused(stage.exchange(by, guess), "invalid_grant", "code_unknown")


def test_nothing_secret_shows_in_print(stage: Stage, made: Any) -> None:
    tokens = made[0]
    shown = repr([tokens.issued, tokens.issued.held, stage.all(Grant), stage.all(Client), stage.prove(tokens.access)])
    for secret in (tokens.access, tokens.refresh, repr(tokens.issued.secret), repr(stage.grant_of(tokens).secret)):
        assert secret not in shown
