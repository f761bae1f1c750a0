"""Authlib with Flask and SQLAlchemy on gunicorn: PostgreSQL, and SQLite as fast as it goes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.peers import gunicorn, setup
from bench.peers.keys import write_keys
from bench.postgres import Cluster
from bench.processes import Program
from bench.systems import EXCHANGE, REVOCATION, Amounts, Missing, Running, System, read_material

_PEER = "authlib_flask"
_RATES = {EXCHANGE: 400, REVOCATION: 700}
_VERSION = setup.pinned(_PEER, "authlib")


@contextmanager
def _on_postgres(folder: Path, amounts: Amounts, cores: str) -> Iterator[Running]:
    with ExitStack() as stack:
        try:
            cluster = stack.enter_context(Cluster(folder / "postgres", cores))
        except FileNotFoundError as error:
            raise Missing(str(error)) from None
        database = cluster.url.replace("postgresql:", "postgresql+psycopg:")
        program, url = _authlib(folder, amounts, cores, {"DATABASE": database})
        server = stack.enter_context(program)
        yield Running(url, (server.pid, cluster.pid), read_material(folder))


@contextmanager
def _on_sqlite(folder: Path, amounts: Amounts, cores: str) -> Iterator[Running]:
    env = {"DATABASE": f"sqlite:///{folder / 'authlib.db'}", "UNFLUSHED": "yes"}
    program, url = _authlib(folder, amounts, cores, env)
    with program as server:
        yield Running(url, (server.pid,), read_material(folder))


def _authlib(folder: Path, amounts: Amounts, cores: str, env: dict[str, str]) -> tuple[Program, str]:
    bin_ = setup.python(_PEER)
    write_keys(folder)
    env = {**env, "KEYS": str(folder)}
    gunicorn.prepare(bin_, _PEER, folder, env, amounts)
    return gunicorn.serve(bin_, _PEER, "program:app", folder, env, cores)


SYSTEMS = (
    System(
        "authlib-postgres", "Authlib", "Flask, gunicorn, PostgreSQL", "PostgreSQL, every commit flushed", _on_postgres,
        version=_VERSION, rates=_RATES,
    ),
    System(
        "authlib-sqlite", "Authlib", "Flask, gunicorn, SQLite", "file, never flushed", _on_sqlite,
        version=_VERSION, fastest=True, rates=_RATES,
    ),
)  # fmt: skip
