"""Hashes as Ory Hydra and Django make them, of any secret, as cheap as they can be."""

from __future__ import annotations

from base64 import b64encode
from hashlib import pbkdf2_hmac, sha256

import bcrypt
from argon2 import PasswordHasher

SALT = b"0123456789abcdef"


def hydra_pbkdf2(secret: str, algorithm: str = "sha256", iterations: int = 10) -> str:
    derived = pbkdf2_hmac(algorithm, secret.encode(), SALT, iterations, 32)
    salt, key = (b64encode(each).decode().rstrip("=") for each in (SALT, derived))
    return f"$pbkdf2-{algorithm}$i={iterations},l=32${salt}${key}"


def hydra_bcrypt(secret: str) -> str:
    return bcrypt.hashpw(secret.encode()[:72], bcrypt.gensalt(4, b"2a")).decode()


def django_pbkdf2(secret: str, iterations: int = 10) -> str:
    derived = b64encode(pbkdf2_hmac("sha256", secret.encode(), b"salt", iterations)).decode()
    return f"pbkdf2_sha256${iterations}$salt${derived}"


def django_bcrypt_sha256(secret: str) -> str:
    digest = sha256(secret.encode()).hexdigest().encode()
    return "bcrypt_sha256$" + bcrypt.hashpw(digest, bcrypt.gensalt(4)).decode()


def django_argon2(secret: str) -> str:
    return "argon2" + PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(secret)


ALL = {
    "Hydra's PBKDF2": hydra_pbkdf2,
    "Hydra's bcrypt": hydra_bcrypt,
    "Django's PBKDF2": django_pbkdf2,
    "Django's bcrypt": django_bcrypt_sha256,
    "Django's argon2": django_argon2,
}
