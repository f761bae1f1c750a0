"""``grantway doctor``: what can be said for certain about an installation, without changing anything."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

import typer

from grantway.cli import house
from grantway.cli.terminal import Data, Json, tell

if TYPE_CHECKING:
    from grantway.protocol.facts import Facts
    from grantway.protocol.moment import Moment
    from grantway.server.settings import Settings
    from grantway.server.storage.port import Storage

_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. A ``note`` is worth knowing; a ``problem`` is to be mended."""

    name: str
    state: Literal["ok", "note", "problem"]
    said: str


def doctor(data: Data = None, as_json: Json = False) -> None:
    """Look at settings, key, database, outbox and the running server. Exit code 1 when something is to be mended."""
    found = list(_findings(house.settings_of(data)))
    is_healthy = all(each.state != "problem" for each in found)
    tell({"healthy": is_healthy, "checks": [asdict(each) for each in found]}, as_json)
    if not is_healthy:
        raise typer.Exit(1)


def _findings(settings: Settings) -> Iterator[Finding]:
    yield Finding("settings", "ok", f"The public address is {settings.issuer}.")
    yield _directory(settings)
    key = _master_key(settings)
    yield from key
    if all(each.state != "problem" for each in key):
        yield from _inside(settings)
    yield _mail(settings)
    yield _server(settings)


def _directory(settings: Settings) -> Finding:
    where = settings.data if settings.database_url is not None else settings.database_path.parent
    if not where.exists():
        return Finding("data directory", "note", f"{where} is not there yet; the first start makes it.")
    if not os.access(where, os.R_OK | os.W_OK | os.X_OK):
        return Finding("data directory", "problem", f"{where} cannot be written to by this user.")
    return Finding("data directory", "ok", f"{where} can be written to.")


def _master_key(settings: Settings) -> list[Finding]:
    from grantway.server.master_key import KEY_NAME, find_master_key, key_warning
    from grantway.server.settings_sources import CannotStart

    name = "master key"
    try:
        key = find_master_key(settings)
    except CannotStart as problem:
        return [Finding(name, "problem", each) for each in problem.problems]
    if key is None:
        return [Finding(name, "note", "There is none yet; the first start draws one.")]
    file = settings.data / KEY_NAME if key.in_data else settings.master_key_file
    if file is not None and file.stat().st_mode & 0o077:
        return [Finding(name, "problem", f"Others on this machine can read {file}: chmod 600.")]
    warning = key_warning(settings)
    return [Finding(name, "note", warning) if warning else Finding(name, "ok", f"It is {key.id}.")]


def _inside(settings: Settings) -> list[Finding]:
    """What the database says, if there is one."""
    import asyncio

    from grantway.server.settings_sources import CannotStart
    from grantway.server.storage.port import StorageError

    if settings.database_url is None and not settings.database_path.exists():
        return [
            Finding("database", "note", f"There is none at {settings.database_path} yet; the first start makes it.")
        ]
    try:
        return asyncio.run(_looked_at(settings))
    except (StorageError, CannotStart) as problem:
        return [Finding("database", "problem", str(problem))]


async def _looked_at(settings: Settings) -> list[Finding]:
    from grantway.server.opening import open_storage

    storage = await open_storage(settings)
    try:
        return [
            Finding("database", "ok", f"{settings.database_named} has this release's schema."),
            *await _of(settings, storage),
        ]
    finally:
        await storage.close()


async def _of(settings: Settings, storage: Storage) -> list[Finding]:
    from grantway.server.master_key import CHECK, load_vault
    from grantway.server.service import Service

    if await storage.read_meta(CHECK) is None:
        return [Finding("check of the key", "note", "This database was never used with a key.")]
    service = Service(settings, storage, await load_vault(settings, storage), os.urandom)
    return [
        Finding("check of the key", "ok", "The key opens what is in the database."),
        *await _outbox(storage),
        *await house.looked_up(service, _people),
    ]


async def _outbox(storage: Storage) -> list[Finding]:
    census = await storage.census()
    waiting = Finding("outbox", "ok", f"{census.notices_waiting} deliveries wait.")
    if not census.notices_dead:
        return [waiting]
    dead = f"{census.notices_dead} are dead: grantway deliveries list --state dead"
    return [waiting, Finding("dead deliveries", "note", dead)]


async def _people(facts: Facts, at: Moment) -> list[Finding]:
    found = []
    if drafts := await facts.submitted_clients():
        found.append(Finding("drafts", "note", f"{len(drafts)} wait for approval: grantway clients waiting"))
    if (restored := await facts.restoration()) is not None:
        until = f"{restored.until:%Y-%m-%d}, or until: grantway restore --finish"
        found.append(Finding("restoration", "note", f"Tokens ahead of the database are believed until {until}"))
    if not await facts.operators():
        found.append(Finding("operators", "note", "Nobody can sign in at /admin: grantway operators create"))
    if not any(each.signs_from <= at.now for each in await facts.signing_keys()):
        found.append(Finding("signing keys", "note", "There is none yet; the first start draws one."))
    return found


def _mail(settings: Settings) -> Finding:
    if settings.smtp is not None:
        return Finding("mail", "ok", "There is a mail server; whether it takes mail is seen when it is sent.")
    if settings.is_local:
        return Finding("mail", "note", "Mail is printed to the log: there is no GRANTWAY_SMTP.")
    return Finding("mail", "note", "Nobody is written to: there is no GRANTWAY_SMTP.")


def _server(settings: Settings) -> Finding:
    """What answers at the public address. A server that does not run is no problem: maybe it is not to."""
    import httpx2

    name, url = "server", f"{settings.issuer}/health/ready"
    try:
        answer = httpx2.get(url, timeout=_SECONDS)
    except httpx2.HTTPError as error:
        return Finding(name, "note", f"Nothing answers at {url} ({type(error).__name__}).")
    try:
        status = answer.json().get("status")
    except (ValueError, AttributeError):
        status = None
    if status == "ready":
        return Finding(name, "ok", f"{url} says that it is ready.")
    if isinstance(status, str):
        return Finding(name, "problem", f"{url} says {status}.")
    return Finding(name, "problem", f"What answers at {url} is something else ({answer.status_code}).")
