"""Grantway as a system of the comparison: ``grantway serve`` with one worker, on its own file or on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.material import CLIENT_CREDENTIALS, EXCHANGE
from bench.postgres import Cluster
from bench.seed import Seeded, seed
from bench.server import Server
from bench.systems import ES256, OPAQUE, REVOCATION, Amounts, Caller, Material, Missing, Running, System
from bench.systems import EXCHANGE as CODES
from grantway.server.settings import Settings

_RATES = {CODES: 4_500, REVOCATION: 4_500}


@contextmanager
def _on_sqlite(folder: Path, amounts: Amounts, cores: str) -> Iterator[Running]:
    material = material_of(folder, fill(Settings(data=folder), folder, amounts), amounts)
    with Server(folder, 1, cores=cores) as server:
        yield Running(server.url, (server.pid,), material)


@contextmanager
def _on_postgres(folder: Path, amounts: Amounts, cores: str) -> Iterator[Running]:
    with ExitStack() as stack:
        try:
            cluster = stack.enter_context(Cluster(folder / "postgres", cores))
        except FileNotFoundError as error:
            raise Missing(str(error)) from None
        seeded = fill(Settings(data=folder, database=cluster.url), folder, amounts)
        server = stack.enter_context(Server(folder, 1, database=cluster.url, cores=cores))
        yield Running(server.url, (server.pid, cluster.pid), material_of(folder, seeded, amounts))


def fill(settings: Settings, folder: Path, amounts: Amounts) -> Seeded:
    """An installation with as much as the load needs."""
    grants = amounts.refresh_tokens + amounts.access_tokens + amounts.revocable + amounts.races
    return seed(settings, folder, codes=amounts.codes, grants=grants)


def material_of(folder: Path, seeded: Seeded, amounts: Amounts) -> Material:
    """Every grant has one use: to be refreshed, introspected, revoked or raced for."""
    refresh, access = (file.read_text().split() for file in (seeded.refresh_tokens, seeded.access_tokens))
    uses = {
        "refresh_tokens": refresh[: amounts.refresh_tokens],
        "access_tokens": access[amounts.refresh_tokens :][: amounts.access_tokens],
        "revocable": refresh[amounts.refresh_tokens + amounts.access_tokens :][: amounts.revocable],
        "races": refresh[len(refresh) - amounts.races :],
    }
    for name, tokens in uses.items():
        (folder / name).write_text("".join(f"{token}\n" for token in tokens))
    user = Caller(*seeded.opaque, CLIENT_CREDENTIALS)
    callers = {OPAQUE: user, ES256: Caller(*seeded.jwt, CLIENT_CREDENTIALS)}
    return Material(folder, "/token", "/introspect", "/revoke", callers, user, EXCHANGE)


SYSTEMS = (
    System(
        "grantway-sqlite", "Grantway", "SQLite, one worker", "file, every commit flushed", _on_sqlite, rates=_RATES
    ),
    System(
        "grantway-postgres", "Grantway", "PostgreSQL, one worker", "PostgreSQL, every commit flushed", _on_postgres,
        rates=_RATES,
    ),
)  # fmt: skip
