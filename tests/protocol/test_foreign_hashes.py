"""Which hashes of other servers are read, and what they may cost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grantway.protocol.foreign_hashes import kind_of, read_foreign_hash

SALT, DERIVED = "c2FsdHNhbHRzYWx0c2FsdA", "A" * 43
BCRYPT_END = "o6hx.Wog/wvFSkT/Bp/6DOxCtLRTDj7lm9on9suF/WaCGNVHbkfL6"

READ = [
    ("bcrypt", "$2a$10$" + BCRYPT_END),
    ("bcrypt", "$2b$14$" + BCRYPT_END),
    ("bcrypt", "$2y$04$" + BCRYPT_END),
    ("bcrypt", "bcrypt$$2b$12$" + BCRYPT_END),
    ("bcrypt", "bcrypt_sha256$$2b$12$" + BCRYPT_END),
    ("pbkdf2", f"$pbkdf2-sha256$i=25000,l=32${SALT}${DERIVED}"),
    ("pbkdf2", f"$pbkdf2-sha512$i=3000000,l=32${SALT}${DERIVED}"),
    ("pbkdf2", f"pbkdf2_sha256$1000000$salt${DERIVED}="),
    ("pbkdf2", "pbkdf2_sha1$1000000$salt$AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    ("argon2", f"$argon2id$v=19$m=131072,t=10,p=16${SALT}${DERIVED}"),
    ("argon2", f"argon2$argon2id$v=19$m=102400,t=2,p=8${SALT}${DERIVED}"),
    ("argon2", f"$argon2i$v=19$m=65536,t=3,p=4${SALT}${DERIVED}"),
]
UNREADABLE = [
    "",
    "the-secret-in-clear",
    "$2a$03$" + BCRYPT_END,
    "$2x$10$" + BCRYPT_END,
    "$2a$10$" + BCRYPT_END + "x",
    "bcrypt$$2b$12$short",
    "bcrypt_sha256$" + f"pbkdf2_sha256$1$salt${DERIVED}=",
    f"$pbkdf2-sha384$i=25000,l=32${SALT}${DERIVED}",  # SHA-3 where it comes from
    f"$pbkdf2-sha224$i=25000,l=28${SALT}${DERIVED}",
    f"$pbkdf2-sha256$i=25000,l=31${SALT}${DERIVED}",
    f"$pbkdf2-sha256$i=0,l=32${SALT}${DERIVED}",
    "$pbkdf2-sha256$i=1,l=1$c2FsdA$AA",
    "pbkdf2_sha256$1$salt$%%%",
    f"pbkdf2_sha256$1$salt${DERIVED}xx",
    f"pbkdf2_md5$1$salt${DERIVED}=",
    f"$argon2id$v=19$m=8,t=1${SALT}${DERIVED}",
    f"argon2$$argon2id$v=19$m=8,t=1,p=1${SALT}${DERIVED}",
    "scrypt$16384$salt$8$5$" + DERIVED,
    "md5$salt$0cc175b9c0f1b6a831c399e269772661",
    "pbkdf2_sha256$1$" + "s" * 600 + "$" + DERIVED + "=",
]
TOO_DEAR = [
    "$2a$15$" + BCRYPT_END,
    "bcrypt_sha256$$2b$31$" + BCRYPT_END,
    f"pbkdf2_sha256$3000001$salt${DERIVED}=",
    f"$pbkdf2-sha256$i=4000000000,l=32${SALT}${DERIVED}",
    f"$argon2id$v=19$m=131073,t=1,p=1${SALT}${DERIVED}",
    f"$argon2id$v=19$m=8,t=11,p=1${SALT}${DERIVED}",
    f"argon2$argon2d$v=19$m=8,t=1,p=17${SALT}${DERIVED}",
]


@pytest.mark.parametrize(("kind", "text"), READ)
def test_what_hydra_and_django_write_is_read(kind: str, text: str) -> None:
    assert kind_of(read_foreign_hash(text)) == kind


@pytest.mark.parametrize("text", UNREADABLE)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="of a kind that cannot be verified here"):
        read_foreign_hash(text)


@pytest.mark.parametrize("text", TOO_DEAR)
def test_what_costs_too_much_is_refused_and_the_limits_are_said(text: str) -> None:
    with pytest.raises(ValueError, match="bcrypt up to cost 14, PBKDF2 up to 3000000 iterations, argon2 up to 128 MiB"):
        read_foreign_hash(text)


@given(st.text() | st.sampled_from([text for _, text in READ]).flatmap(lambda text: st.text().map(text.__add__)))
def test_any_text_is_read_or_refused_without_being_repeated(text: str) -> None:
    assert len(text) < 12 or text not in said_of(text)


def said_of(text: str) -> str:
    try:
        return repr(read_foreign_hash(text))
    except ValueError as error:
        return str(error)
