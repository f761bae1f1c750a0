"""All of an installation into a file while it is served, and out of one into an empty database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO

from grantway import __version__
from grantway.server.master_key import CHECK, find_master_key, opens
from grantway.server.opening import prepare
from grantway.server.settings import Settings
from grantway.server.settings_sources import CannotStart
from grantway.server.storage.moving.file import Header, Reader, Writer
from grantway.server.storage.moving.tables import PEOPLE, Table

Progress = Callable[[int, int], None]
"""Is told how many are done, and of how many: rows of an export, bytes of an import."""

_OFTEN = 1000
"""Rows between two tellings."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What moved: how many rows of each table, those without any left out, and of when they are."""

    rows: Mapping[str, int]
    made_at: str


def take(settings: Settings, out: BinaryIO, progress: Progress | None = None) -> Moved:
    """Write all of the installation, of one moment, while it is served. Raises ``CannotStart`` and ``StorageError``."""
    made_at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    with _source(settings) as source:
        check = source.meta(CHECK)
        if check is None:
            raise CannotStart("This database was never used with a master key: there is nothing in it to move.")
        tables = source.tables()
        total = sum(source.count(table) for table in tables) if progress is not None else 0
        done = 0

        def told() -> None:
            nonlocal done
            done += 1
            if progress is not None and (done % _OFTEN == 0 or done == total):
                progress(done, total)

        writer = Writer(out)
        engine = "sqlite" if settings.database_url is None else "postgresql"
        described = {table.name: table.columns for table in tables}
        writer.header(Header(made_at, __version__, engine, check.decode(), described))
        for table in tables:
            writer.table(table, source.rows(table), told)
        writer.end()
    return Moved({name: count for name, count in writer.rows.items() if count}, made_at)


def bring(settings: Settings, file: BinaryIO, progress: Callable[[], None] | None = None) -> Moved:
    """Read an installation into this one, which has to be empty: all of it or nothing. ``progress`` is called for many rows.

    Raises ``NotOurs`` (what is read is not a whole export), ``CannotStart`` and ``StorageError``.
    """
    reader = Reader(file)
    header = reader.header
    _refuse_other_key(settings, header)
    prepare(settings)
    rows: dict[str, int] = {}
    with _target(settings) as target:
        tables = {table.name: table for table in target.tables()}
        _refuse_other_schema(header, tables)
        if any(target.count(tables[name]) for name in PEOPLE):
            raise CannotStart("There is an installation in this database already. An export goes into an empty one.")
        for table in tables.values():
            target.clear(table)
        for name, its in reader.tables():
            counted = _Counted(its, progress)
            # The file's columns in its order: an engine may have them in another.
            target.add(Table(name, _kinds(tables[name], header.tables[name]), tables[name].key), counted)
            rows[name] = counted.count
        target.count_on()
    return Moved({name: count for name, count in rows.items() if count}, header.made_at)


def _kinds(table: Table, order: Mapping[str, str]) -> Mapping[str, Any]:
    return {column: table.columns[column] for column in order}


class _Counted:
    """Rows, counted on their way."""

    def __init__(self, rows: Any, progress: Callable[[], None] | None) -> None:
        self._rows = rows
        self._progress = progress
        self.count = 0

    def __iter__(self) -> Any:
        for row in self._rows:
            self.count += 1
            if self._progress is not None and self.count % _OFTEN == 0:
                self._progress()
            yield row


def _source(settings: Settings) -> AbstractContextManager[Any]:
    url = settings.database_url
    if url is None:
        from grantway.server.storage.moving import sqlite

        return sqlite.reading(settings.database_path)
    from grantway.server.storage.moving import postgres

    return postgres.reading(url, settings.database_pooler)


def _target(settings: Settings) -> AbstractContextManager[Any]:
    url = settings.database_url
    if url is None:
        from grantway.server.storage.moving import sqlite

        return sqlite.writing(settings.database_path)
    from grantway.server.storage.moving import postgres

    return postgres.writing(url, settings.database_pooler)


def _refuse_other_key(settings: Settings, header: Header) -> None:
    key = find_master_key(settings)
    theirs = header.check.partition(" ")[0]
    if key is None:
        raise CannotStart(
            f"There is no master key here. Give the one of the installation that was exported ({theirs})."
        )
    if not opens(key, header.check):
        raise CannotStart(
            f"The file is of an installation with another master key: that was {theirs}, this is {key.id}."
        )


def _refuse_other_schema(header: Header, tables: Mapping[str, Table]) -> None:
    theirs = {name: dict(columns) for name, columns in header.tables.items()}
    ours = {name: dict(table.columns) for name, table in tables.items()}
    if theirs != ours:
        differing = sorted(name for name in theirs.keys() | ours.keys() if theirs.get(name) != ours.get(name))
        raise CannotStart(
            f"The file was written by release {header.release}, whose tables are others ({', '.join(differing)}); this is "
            f"{__version__}. Bring the installation to the same release first, and export it again."
        )
