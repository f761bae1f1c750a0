"""From settings to a service: master key, database, catalogue, in the order in which they depend on one another."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.util import find_spec

from grantway.protocol.administration.scopes import publish_catalogue
from grantway.server.master_key import CHECK, ensure_master_key, find_master_key, load_vault, make_private_directory
from grantway.server.removals import Journal
from grantway.server.service import Service
from grantway.server.settings import Settings
from grantway.server.settings_sources import CannotStart
from grantway.server.storage.port import Storage, StorageError
from grantway.server.storage.sql.migrations import Planned
from grantway.server.storage.sqlite import SqliteStorage, migrate, plan


def prepare(settings: Settings) -> list[str]:
    """Make what is missing: data directory, master key, tables, in this order. Returns the migrations that were applied.

    Raises ``CannotStart``.
    """
    url = settings.database_url
    try:
        if url is not None:
            _need_driver()
            from grantway.server.storage import postgres  # not at every start: 90 ms and 13 MB

            # A key that is drawn for a database which was made with another is of no use, and in the way.
            if find_master_key(settings) is None and postgres.has_meta(url, CHECK, pooler=settings.database_pooler):
                raise CannotStart(
                    f"The database {settings.database_named} is in use, and its master key is not here. Give every host "
                    "the same one by GRANTWAY_MASTER_KEY_FILE or GRANTWAY_MASTER_KEY; without it nothing in the "
                    "database can be used."
                )
            ensure_master_key(settings)
            applied = postgres.migrate(url, pooler=settings.database_pooler)
            if applied:
                postgres.make_partitions(url, pooler=settings.database_pooler)
            return applied
        ensure_master_key(settings)
        make_private_directory(settings.database_path.parent)
        return migrate(settings.database_path)
    except StorageError as error:
        raise CannotStart(str(error)) from None


def planned(settings: Settings) -> list[Planned]:
    """The migrations that ``prepare`` would apply. Changes nothing. Raises ``CannotStart``."""
    url = settings.database_url
    try:
        if url is not None:
            _need_driver()
            from grantway.server.storage import postgres

            return postgres.plan(url, pooler=settings.database_pooler)
        return plan(settings.database_path)
    except StorageError as error:
        raise CannotStart(str(error)) from None


def _need_driver() -> None:
    """PostgreSQL needs a driver that an installation on SQLite does without. Raises ``StorageError``."""
    if find_spec("psycopg") is None:
        raise StorageError("GRANTWAY_DATABASE names PostgreSQL: pip install 'grantway[postgres]'.")


async def open_storage(
    settings: Settings, *, on_unknown_outcome: Callable[[BaseException], None] | None = None
) -> Storage:
    """The storage of a prepared database, for this process and its event loop. Raises ``StorageError``."""
    url = settings.database_url
    if url is not None:
        _need_driver()
        from grantway.server.storage import postgres

        return await postgres.PostgresStorage.open(
            url, pooler=settings.database_pooler, connections=settings.database_connections
        )
    if on_unknown_outcome is None:
        return SqliteStorage.open(settings.database_path, writer=settings.writer)
    return SqliteStorage.open(settings.database_path, writer=settings.writer, on_unknown_outcome=on_unknown_outcome)


async def open_service(
    settings: Settings, *, on_unknown_outcome: Callable[[BaseException], None] | None = None
) -> Service:
    """The service on a prepared database, in the process that is going to use it. Raises ``CannotStart``.

    ``on_unknown_outcome`` has to stop the process: a commit failed and nobody knows whether it happened.
    """
    try:
        storage = await open_storage(settings, on_unknown_outcome=on_unknown_outcome)
    except StorageError as error:
        raise CannotStart(str(error)) from None
    try:
        vault = await load_vault(settings, storage)
        service = Service(settings, storage, vault, os.urandom, journal=Journal.of(settings))
        if settings.catalogue:
            await service.consult(publish_catalogue, settings.catalogue)
    except BaseException:
        await storage.close()
        raise
    return service
