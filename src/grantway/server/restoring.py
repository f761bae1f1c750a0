"""From a backup to a database that can be served: copied, migrated, marked, the journal replayed, and then put in place."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace as replaced
from datetime import UTC, datetime
from pathlib import Path

from grantway.protocol.administration.answers import Rejected
from grantway.protocol.administration.restoring import replay, set_back
from grantway.server.disk import draft_of
from grantway.server.master_key import find_master_key, load_vault, make_private_directory
from grantway.server.removals import Journal
from grantway.server.service import Service
from grantway.server.settings import Settings
from grantway.server.settings_sources import CannotStart
from grantway.server.storage.sqlite import SqliteStorage, migrate
from grantway.server.storage.sqlite.backup import forget_draft, put_in_place, refuse_in_use, take_copy


@dataclass(frozen=True, slots=True)
class Marked:
    """What was made of a database that had been set back.

    ``journalled``: what the journal says was taken away since ``backup_at``, ``replayed`` how much of it had come back and
    was taken away again; ``unreadable`` lines of the journal were passed over, and without ``was_kept`` there is none.
    """

    backup_at: datetime
    journalled: int
    replayed: int
    unreadable: int
    was_kept: bool
    kept_at: Path | None = None
    """Where the database is that was replaced."""


async def mark(service: Service, backup_at: datetime) -> Marked:
    """The database of this service is one of ``backup_at``: say so in it, and replay the journal. Raises ``CannotStart``."""
    marked = await service.settle(set_back, backup_at)
    if isinstance(marked.answer, Rejected):
        raise CannotStart(marked.answer.sentence)
    journal = Journal.of(service.settings)
    if journal is None:
        return Marked(backup_at, 0, 0, 0, was_kept=False)
    read = journal.read(backup_at)
    replayed = 0
    for taken in read.taken:
        replayed += (await service.settle(replay, taken)).answer
    return Marked(backup_at, len(read.taken), replayed, read.unreadable, read.was_kept)


def restore(
    settings: Settings,
    backup: Path,
    *,
    replace: bool,
    since: datetime | None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Marked:
    """Put a backup into the place of the SQLite database. What was there stays beside it.

    ``since`` is of when the backup is, where it does not say so itself. Until the last step nothing is changed but a
    draft. Raises ``CannotStart`` and ``StorageError``.
    """
    database = settings.database_path
    if find_master_key(settings) is None:
        raise CannotStart("There is no master key here. Give the one with which the backup was made.")
    if database.exists() and not replace:
        raise CannotStart(f"There is a database at {database}. With --replace the backup takes its place.")
    if database.is_symlink():
        raise CannotStart(f"{database} is a link. Name the file itself by GRANTWAY_DATABASE.")
    refuse_in_use(database)
    make_private_directory(database.parent)
    draft = draft_of(database)
    try:
        backup_at = take_copy(backup, draft) or since
        if backup_at is None:
            raise CannotStart(f"{backup} does not say of when it is: 'grantway backup' did not make it. Give --since.")
        migrate(draft)
        marked = asyncio.run(_marked(settings, draft, backup_at, clock))
        aside = database.with_name(f"{database.name}.before-{clock():%Y%m%dT%H%M%SZ}")
        was_there = database.exists()
        put_in_place(draft, database, aside)
    finally:
        forget_draft(draft)
    return replaced(marked, kept_at=aside if was_there else None)


async def _marked(settings: Settings, draft: Path, backup_at: datetime, clock: Callable[[], datetime]) -> Marked:
    storage = SqliteStorage.open(draft, clock=clock, writer="tick")
    try:
        # Without a journal: what is replayed stands there already.
        return await mark(Service(settings, storage, await load_vault(settings, storage), os.urandom), backup_at)
    finally:
        await storage.close()
