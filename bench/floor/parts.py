"""The parts, one by one, without anything around them: cryptography, statements, commits, syncs."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256

from grantway.protocol.model import EndedToken
from grantway.server.storage.sql.statements import clients, grants
from grantway.server.storage.sql.statements.rows import BY_KEY
from grantway.server.storage.sqlite.files import connect

GROUPS = (1, 8, 32)
_ROUNDS = 15


@dataclass(frozen=True)
class Wait:
    """How long something takes that waits for a disk, in milliseconds, and its CPU in microseconds."""

    median: float
    p99: float
    cpu: float


def openssl_sign() -> float | None:
    """Microseconds of one signature, as OpenSSL says of itself; nothing if it is not here."""
    try:
        said = subprocess.run(
            ["openssl", "speed", "-seconds", "1", "ecdsap256"], check=True, capture_output=True, text=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    rate = re.search(r"nistp256\)\s+\S+\s+\S+\s+([\d.]+)", said)
    return 1e6 / float(rate[1]) if rate else None


def sign() -> float:
    """Microseconds of one signature through the library that we use."""
    key, data, how = ec.generate_private_key(ec.SECP256R1()), bytes(300), ec.ECDSA(SHA256())
    return _cpu(lambda: key.sign(data, how), 300)


def seal() -> float:
    """Microseconds of sealing or opening a token's hundred bytes (AES-SIV)."""
    cipher, about = AESSIV(os.urandom(64)), [os.urandom(17)]
    return _cpu(lambda: cipher.encrypt(bytes(100), about), 2_000)


def read(database: Path, statements: Sequence[tuple[str, Sequence[object]]]) -> float:
    """Microseconds of these statements, one after the other, rows and all."""
    connection = connect(database)

    def ask() -> None:
        for statement, values in statements:
            connection.execute(statement, values).fetchall()

    try:
        return _cpu(ask, 500)
    finally:
        connection.close()


def of_introspection(database: Path) -> list[tuple[str, Sequence[object]]]:
    """What an introspection reads: the caller, the grant and all it hangs from, whether the token was ended."""
    return [*of_refresh(database), (BY_KEY[EndedToken], (bytes(16),))]


def of_refresh(database: Path) -> list[tuple[str, Sequence[object]]]:
    """What a refresh reads."""
    connection = connect(database)
    try:
        ((grant,),) = connection.execute("select id from grants limit 1").fetchall()
        ((client,),) = connection.execute("select client_id from clients limit 1").fetchall()
    finally:
        connection.close()
    return [(clients.CLIENT_VERSION, (client,)), (grants.GRANT_IN_USE, (grant,))]


def commits(database: Path, size: int, number: int = 60) -> Wait:
    """A transaction that moves so many grants, on disk when it is over. CPU is that of one of them."""
    connection = connect(database)
    try:
        rows = connection.execute("select id, generation from grants limit ?1", (size * number,)).fetchall()
        now = time.time_ns() // 1000

        def commit(turn: int) -> None:
            connection.execute("begin immediate")
            for grant, generation in rows[turn * size : (turn + 1) * size]:
                connection.execute(grants.MOVE_GENERATION, (grant, generation, now, None, None))
            connection.execute("commit")

        return _waited(commit, len(rows) // size, size)
    finally:
        connection.close()


def syncs(folder: Path, number: int = 200) -> Wait:
    """Four kilobytes appended to a file and on disk."""
    descriptor = os.open(folder / "synced", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    page = bytes(4096)

    def sync(turn: int) -> None:
        os.write(descriptor, page)
        os.fdatasync(descriptor)

    try:
        return _waited(sync, number)
    finally:
        os.close(descriptor)


def postgres_commits(url: str, number: int = 200) -> Wait:
    """One row changed on PostgreSQL, committed and flushed. CPU is the client's alone."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create table floor (id int primary key, count int)")
        connection.execute("insert into floor values (1, 0)")
        try:
            return _waited(
                lambda turn: connection.execute("update floor set count = count + 1 where id = 1", prepare=True), number
            )
        finally:
            connection.execute("drop table floor")


def _cpu(what: Callable[[], object], number: int) -> float:
    """Microseconds of CPU of one, the quietest of some rounds: others on this machine can only make it dearer."""
    best = float("inf")
    for _ in range(_ROUNDS):
        began = time.thread_time()
        for _ in range(number):
            what()
        best = min(best, time.thread_time() - began)
    return best / number * 1e6


def _waited(what: Callable[[int], object], number: int, size: int = 1) -> Wait:
    took, began = [], time.thread_time()
    for turn in range(number):
        at = time.perf_counter()
        what(turn)
        took.append((time.perf_counter() - at) * 1e3)
    cpu = (time.thread_time() - began) / number / size * 1e6
    return Wait(statistics.median(took), sorted(took)[int(number * 0.99)], cpu)
