"""The database's files, its migrations, and how it is opened."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest

from grantway.protocol.decision import LeaseNotice, ReportDelivery
from grantway.protocol.model import DeliveryAttempt
from grantway.server.storage.keeping import KEYS
from grantway.server.storage.port import StorageError
from grantway.server.storage.sql.migrations import Migration, migrations, read
from grantway.server.storage.sql.records import CODECS
from grantway.server.storage.sql.statements import rows as sql
from grantway.server.storage.sqlite import SqliteStorage, migrate
from grantway.server.storage.sqlite.files import refuse_network
from tests.storage.asking import HOUR, NOON, add, an_id, ask, do, user

GOLDEN = Path(__file__).parent


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_made_is_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "data" / "grantway.db"
    assert migrate(path) == [migration.name for migration in migrations("sqlite")]
    storage = SqliteStorage.open(path, writer="tick")
    add(storage, user())
    assert mode(path.parent) == 0o700
    assert {file.name: mode(file) for file in path.parent.iterdir()} == {
        f"grantway.db{end}": 0o600 for end in ("", "-wal", "-shm", ".next", ".lock")
    }
    asyncio.run(storage.close())


def test_writes_are_durable(database: Path) -> None:
    storage = SqliteStorage.open(database, writer="tick")
    assert storage._writing.execute("pragma synchronous").fetchone() == (2,)
    assert storage._writing.execute("pragma journal_mode").fetchone() == ("wal",)
    asyncio.run(storage.close())


def test_a_database_that_is_not_there_or_not_migrated_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="grantway migrate"):
        SqliteStorage.open(tmp_path / "none.db")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty.db").touch()
    with pytest.raises(StorageError, match="grantway migrate"):
        SqliteStorage.open(tmp_path / "empty.db")
    (tmp_path / "other.db").write_bytes(b"not a database" * 100)
    with pytest.raises(StorageError, match="not a database"):
        SqliteStorage.open(tmp_path / "other.db")
    with pytest.raises(StorageError, match="not a database"):
        migrate(tmp_path / "other.db")


def test_auto_decides_for_one_of_the_two(database: Path) -> None:
    storage = SqliteStorage.open(database)
    assert storage.writer in ("tick", "thread")
    asyncio.run(storage.close())


@pytest.mark.parametrize(
    ("mounts", "refused"),
    [
        ("/dev/sda / ext4 rw 0 0\n", False),
        ("/dev/sda / ext4 rw 0 0\nhost:/x {where} nfs4 rw 0 0\n", True),
        ("host:/x / nfs4 rw 0 0\n/dev/sda {where} ext4 rw 0 0\n", False),
        ("/dev/sda / ext4 rw 0 0\nC:\\ {where} 9p rw,aname=drvfs;path=C:\\ 0 0\n", True),
        ("root / 9p rw 0 0\n", False),
        ("nonsense\n", False),
        ("", False),
    ],
)
def test_a_network_file_system_is_refused(tmp_path: Path, mounts: str, refused: bool) -> None:
    mounts = mounts.replace("{where}", str(tmp_path.resolve()))
    if refused:
        with pytest.raises(StorageError, match="local disk"):
            refuse_network(tmp_path / "x.db", mounts)
    else:
        refuse_network(tmp_path / "x.db", mounts)


def applied(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    names = [name for (name,) in connection.execute("select name from migrations order by name")]
    connection.close()
    return names


def test_a_migration_is_applied_as_a_whole_or_not_at_all(database: Path) -> None:
    good = read("8001_good", "-- expand\ncreate table good (x integer) strict;")
    broken = read("8002_broken", "-- expand\ncreate table half (x integer) strict;\ncreate table half (x integer);")
    with pytest.raises(StorageError, match="half"):
        migrate(database, [*migrations("sqlite"), good, broken])
    assert applied(database) == [*[migration.name for migration in migrations("sqlite")], "8001_good"]
    connection = sqlite3.connect(database)
    assert connection.execute("select name from sqlite_master where name = 'half'").fetchall() == []
    connection.close()


def test_an_older_program_goes_on_after_an_expansion_and_stops_after_a_contraction(database: Path) -> None:
    expansion = read("9001_more", "-- expand\ncreate table more (x integer) strict;")
    assert migrate(database, [*migrations("sqlite"), expansion]) == ["9001_more"]
    assert migrate(database) == []
    asyncio.run(SqliteStorage.open(database, writer="tick").close())
    contraction = read("9002_less", "-- contract\ndrop table more;")
    assert migrate(database, [*migrations("sqlite"), expansion, contraction]) == ["9002_less"]
    with pytest.raises(StorageError, match="newer than this program: it has 9002_less"):
        migrate(database)
    with pytest.raises(StorageError, match="newer than this program"):
        SqliteStorage.open(database)


def test_a_migration_says_its_phase(database: Path) -> None:
    with pytest.raises(ValueError, match="first line"):
        read("0002_x", "create table x (y);")
    assert [migration.name for migration in migrations("sqlite")] == sorted(
        migration.name for migration in migrations("sqlite")
    )
    assert migrations("sqlite")[0] == Migration("0001_foundation", "expand", migrations("sqlite")[0].script)


def golden_rows(path: Path, schema: str, *, under: str | None = None) -> dict[str, Any]:
    """A database with rows as an earlier schema wrote them, and what their records have to be. Never change rows.

    ``under``: the schema that the database has when they are written, if that is a later one.
    """
    migrate(path, migrations("sqlite")[: int(under or schema)])
    written: dict[str, Any] = json.loads((GOLDEN / f"golden_rows_{schema}.json").read_text(encoding="utf-8"))
    connection = sqlite3.connect(path)
    for table, rows in written["rows"].items():
        for row in rows:
            values = [bytes.fromhex(value["hex"]) if isinstance(value, dict) else value for value in row.values()]
            columns, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" * len(values))
            connection.execute(f"insert into {table} ({columns}) values ({marks})", values)  # noqa: S608
    connection.commit()
    connection.close()
    migrate(path)
    records: dict[str, Any] = written["records"]
    return records


@pytest.mark.parametrize(
    ("schema", "under"),
    [
        ("0001", "0001"),
        ("0002", "0002"),
        ("0002", "0003"),
        ("0003", "0003"),
        ("0003", "0004"),
        ("0004", "0004"),
        ("0004", "0005"),
        ("0005", "0005"),
    ],
)
def test_golden_rows_survive_later_migrations_and_the_program_before_writes_on_after_one(
    tmp_path: Path, schema: str, under: str
) -> None:
    path = tmp_path / "grantway.db"
    golden = golden_rows(path, schema, under=under)
    connection = sqlite3.connect(path)
    for kind in KEYS:
        expected = golden.get(kind.__name__, [])
        rows = connection.execute(f"select {CODECS[kind].columns()} from {sql.TABLES[kind][0]}").fetchall()  # noqa: S608
        records = [CODECS[kind].read(row) for row in rows]
        assert len(records) == len(expected)
        read_back = [{name: repr(getattr(record, name)) for name in expected[0]} for record in records]
        assert sorted(read_back, key=str) == sorted(expected, key=str)
    connection.close()


def test_golden_rows_are_of_every_kind() -> None:
    golden = [json.loads(file.read_text(encoding="utf-8"))["records"] for file in GOLDEN.glob("golden_rows_*.json")]
    assert {kind.__name__ for kind in KEYS} == {kind for each in golden for kind, records in each.items() if records}


def test_what_waited_in_the_first_schema_goes_out_in_order_after_it(tmp_path: Path) -> None:
    path = tmp_path / "grantway.db"
    golden_rows(path, "0001")
    storage = SqliteStorage.open(path, clock=lambda: NOON + HOUR, writer="tick")
    (first,) = ask(storage, lambda facts: facts.due_notices(NOON + HOUR))
    assert (first.id, ask(storage, lambda facts: facts.notice(first.id)).line) == (an_id(0x12), an_id(4))
    do(storage, LeaseNotice(first.id, b"lease", NOON + HOUR, NOON + 2 * HOUR))
    attempt = DeliveryAttempt(first.id, 1, NOON + HOUR, 20, 204)
    do(storage, ReportDelivery(b"lease", attempt, delivered_at=NOON + HOUR))
    (second,) = ask(storage, lambda facts: facts.due_notices(NOON + HOUR))
    assert second.id == an_id(0x13)
    asyncio.run(storage.close())


def test_members_of_an_earlier_schema_get_an_id_of_their_own_where_people_have_one(tmp_path: Path) -> None:
    path = tmp_path / "grantway.db"
    migrate(path, migrations("sqlite")[:2])
    connection = sqlite3.connect(path)
    members = [(an_id(2), an_id(number)) for number in range(50)]
    connection.executemany("insert into memberships values (?, ?, 'owner', 0)", members)
    connection.commit()
    migrate(path)
    kept = [json.loads(text) for (text,) in connection.execute("select external_ids from memberships")]
    connection.close()
    drawn = {int(each["phonecom"]) for each in kept}
    assert len(drawn) == len(members)
    assert min(drawn) > 0
    assert max(drawn) < 2**53


def test_each_session_of_the_first_schema_gets_an_id_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "grantway.db"
    golden_rows(path, "0001")
    connection = sqlite3.connect(path)
    assert connection.execute("select length(id), count(distinct id) = count(*) from sessions").fetchone() == (16, 1)
    connection.close()
