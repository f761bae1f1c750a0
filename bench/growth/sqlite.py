"""A SQLite file that is filled in bulk and measured page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bench.growth.rows import Batch
from bench.growth.sizes import Size, Sizes
from grantway.server.settings import Settings
from grantway.server.storage.sql.statements.rows import ADD
from grantway.server.storage.sqlite.files import connect

_PAGES = """
select m.tbl_name, sum(case when m.type = 'table' then d.pgsize else 0 end),
  sum(case when m.type = 'index' then d.pgsize else 0 end)
from dbstat d join sqlite_master m on m.name = d.name where d.aggregate = true group by 1"""


class SqliteBackend:
    """The file of one data directory."""

    name = "SQLite"

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(data=folder)
        self.roots: tuple[int, ...] = ()
        """Processes of the database besides the server's own."""

    def fill(self, batches: Iterable[Batch], told: Callable[[], None]) -> None:
        with closing(connect(self.settings.database_path)) as database:
            database.execute("pragma synchronous = off")
            database.execute("pragma cache_size = -2000000")
            for batch in batches:
                database.execute("begin")
                for kind, rows in batch:
                    database.executemany(ADD[kind], rows)
                database.execute("commit")
                told()
            database.execute("pragma wal_checkpoint(truncate)").fetchall()

    def sizes(self) -> Sizes:
        with closing(connect(self.settings.database_path)) as database:
            found = {}
            for table, own, indexes in database.execute(_PAGES).fetchall():
                rows = database.execute(f'select count(*) from "{table}"').fetchone()[0]  # noqa: S608 - a table's name
                found[table] = Size(rows, own, indexes)
            return found

    def vacuum(self) -> None:
        with closing(connect(self.settings.database_path)) as database:
            database.execute("pragma wal_checkpoint(truncate)").fetchall()
            database.execute("vacuum")
            database.execute("pragma wal_checkpoint(truncate)").fetchall()

    def files(self) -> list[Path]:
        path = self.settings.database_path
        return [each for each in (path, Path(f"{path}-wal")) if each.exists()]

    def settle_down(self) -> None:
        """Put the log away, so that the next one begins with nothing to do."""
        with closing(connect(self.settings.database_path)) as database:
            database.execute("pragma wal_checkpoint(truncate)").fetchall()

    def log_bytes(self) -> int:
        log = Path(f"{self.settings.database_path}-wal")
        return log.stat().st_size if log.exists() else 0


@contextmanager
def on_sqlite(folder: Path) -> Iterator[SqliteBackend]:
    yield SqliteBackend(folder)
