"""django-oauth-toolkit on gunicorn: as it comes on PostgreSQL, and without hashing on SQLite as fast as it goes.

As it comes it hashes for a quarter of a second: more threads would only let all of them wait longer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench.peers import gunicorn, setup
from bench.postgres import Cluster
from bench.processes import Program
from bench.systems import EXCHANGE, REVOCATION, Amounts, Missing, Running, System, read_material

_PEER = "django_toolkit"
_VERSION = setup.pinned(_PEER, "django-oauth-toolkit")


@contextmanager
def _on_postgres(folder: Path, amounts: Amounts, cores: str) -> Iterator[Running]:
    with ExitStack() as stack:
        try:
            cluster = stack.enter_context(Cluster(folder / "postgres", cores))
        except FileNotFoundError as error:
            raise Missing(str(error)) from None
        database = {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "bench",
            "USER": "bench",
            "HOST": "127.0.0.1",
            "PORT": cluster.port,
            "CONN_MAX_AGE": None,
        }
        program, url = _django(folder, amounts, cores, database, {}, threads=1)
        server = stack.enter_context(program)
        yield Running(url, (server.pid, cluster.pid), read_material(folder))


@contextmanager
def _on_sqlite(folder: Path, amounts: Amounts, cores: str) -> Iterator[Running]:
    database = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(folder / "django.db"),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF",
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
        },
    }
    program, url = _django(folder, amounts, cores, database, {"FASTEST": "yes"}, threads=gunicorn.THREADS)
    with program as server:
        yield Running(url, (server.pid,), read_material(folder))


def _django(
    folder: Path, amounts: Amounts, cores: str, database: dict[str, Any], env: dict[str, str], *, threads: int
) -> tuple[Program, str]:
    bin_ = setup.python(_PEER)
    env = {**env, "DATABASE": json.dumps(database)}
    gunicorn.prepare(bin_, _PEER, folder, env, amounts)
    return gunicorn.serve(bin_, _PEER, "program:application", folder, env, cores, threads=threads)


SYSTEMS = (
    System(
        "django-postgres", "django-oauth-toolkit", "gunicorn, PostgreSQL, its default hashing",
        "PostgreSQL, every commit flushed", _on_postgres,
        version=_VERSION, rates={EXCHANGE: 20, REVOCATION: 20}, pool=100, stretch=4,
    ),
    System(
        "django-sqlite", "django-oauth-toolkit", "gunicorn, SQLite, hashing off", "file, never flushed", _on_sqlite,
        version=_VERSION, fastest=True, rates={EXCHANGE: 400, REVOCATION: 700},
    ),
)  # fmt: skip
