"""A whole installation goes into a file and out of it, between engines as well: every row of every kind, or nothing."""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typing_extensions import override

from grantway.protocol.decision import Add, LeaseNotice, Put, ReportDelivery
from grantway.protocol.model import AuditSeal
from grantway.server.moving import bring, take
from grantway.server.opening import open_service, open_storage, prepare
from grantway.server.sealing import seal_all
from grantway.server.service import Service
from grantway.server.settings import Settings
from grantway.server.settings_sources import CannotStart
from grantway.server.storage.keeping import KEYS
from grantway.server.storage.moving import postgres, sqlite
from grantway.server.storage.moving.file import NotOurs
from grantway.server.storage.moving.tables import STAY
from grantway.server.storage.port import StorageError
from grantway.server.storage.sql.statements.rows import TABLES
from grantway.server.verification import verify
from tests.helpers.postgres import Cluster
from tests.storage import asking
from tests.storage.asking import HOUR, NOON, an_id

KEY = base64.b64encode(bytes(range(64))).decode()
Place = Callable[[str], Settings]


@pytest.fixture
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Place]:
    """A new, empty database of an engine, with the one master key of these tests."""
    lent: list[str | None] = []

    def make(engine: str) -> Settings:
        data = tmp_path / f"data{len(lent)}"
        if engine == "sqlite":
            lent.append(None)
            return Settings(data=data, master_key=KEY, writer="tick")
        cluster: Cluster = request.getfixturevalue("postgres_cluster")
        name = cluster.create()
        lent.append(name)
        return Settings(data=data, master_key=KEY, database=cluster.url(name))

    yield make
    for name in (each for each in lent if each is not None):
        request.getfixturevalue("postgres_cluster").drop(name)


async def changed(settings: Settings, *changes: Any) -> None:
    storage = await open_storage(settings)
    try:
        for change in changes:
            await storage.settle(asking.saying("done", change))
    finally:
        await storage.close()


async def on_service(settings: Settings, work: Callable[[Service], Awaitable[Any]]) -> Any:
    service = await open_service(settings)
    try:
        return await work(service)
    finally:
        await service.storage.close()


async def nothing(service: Service) -> None:
    """It was opened, and that is all."""


EVERY_KIND = (
    *asking.the_world(), asking.operator(), asking.session(), asking.link(), asking.sign_in_request(), asking.bucket(),
    asking.ICON, asking.developer(), asking.refused_authorization(), asking.scope(), asking.connection_key(),
    asking.webhook(), asking.resource(), asking.ENDED, asking.foreign_token(), asking.pending(), asking.event(),
    asking.notice(31), asking.notice(32), asking.notice(33, line=an_id(9)), asking.signing_key(), asking.operator_key(),
    asking.audit_entry(1, detail={"words": '\u2028 \U0001f3e0 "quoted"\n'}), asking.audit_entry(2),
    asking.idempotent_answer(), asking.tally(),
)  # fmt: skip


def filled(settings: Settings) -> Settings:
    """An installation with rows of every kind, some of which have changed."""
    prepare(settings)
    asyncio.run(on_service(settings, nothing))
    attempt = asking.attempt(notice_id=an_id(31))
    asyncio.run(
        changed(
            settings,
            *(Add(each) for each in EVERY_KIND),
            Put(asking.restoration()),
            LeaseNotice(an_id(31), b"lease", NOON, NOON + HOUR),
            ReportDelivery(b"lease", attempt, delivered_at=NOON + HOUR),
        )
    )
    return settings


def export_of(settings: Settings) -> bytes:
    out = BytesIO()
    take(settings, out)
    return out.getvalue()


def everything_in(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    """All rows by table; columns in the order of their names."""
    url = settings.database_url
    reading = sqlite.reading(settings.database_path) if url is None else postgres.reading(url, "none")
    found = {}
    with reading as source:
        for table in source.tables():
            order = sorted(range(len(table.columns)), key=list(table.columns).__getitem__)
            found[table.name] = [tuple(row[place] for place in order) for row in source.rows(table)]
    return found


def test_every_row_of_every_kind_is_the_same_after_moving_from_engine_to_engine(place: Place) -> None:
    here = filled(place("sqlite"))
    before = everything_in(here)
    assert {TABLES[kind][0] for kind in KEYS} - {"leases", "audit_seals"} <= {name for name in before if before[name]}
    for engine in ("sqlite", "postgres", "postgres", "sqlite"):
        there = place(engine)
        moved = bring(there, BytesIO(export_of(here)))
        assert everything_in(there) == before
        assert moved.rows == {name: len(rows) for name, rows in before.items() if rows}
        here = there


def test_what_stays_is_said(place: Place) -> None:
    """Every other table of the schema travels, so that none is forgotten."""
    settings = place("sqlite")
    prepare(settings)
    connection = sqlite3.connect(settings.database_path)
    tables = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
    connection.close()
    assert tables - set(everything_in(settings)) == STAY | {"sqlite_sequence"}


def test_both_engines_have_the_same_tables_and_columns(place: Place) -> None:
    described = []
    for engine in ("sqlite", "postgres"):
        settings = place(engine)
        prepare(settings)
        url = settings.database_url
        with sqlite.reading(settings.database_path) if url is None else postgres.reading(url, "none") as source:
            described.append({table.name: (dict(table.columns)) for table in source.tables()})
    assert described[0] == described[1]


def test_the_seals_of_the_audit_hold_after_every_move(place: Place) -> None:
    here = filled(place("sqlite"))
    for engine in ("postgres", "sqlite"):
        assert asyncio.run(on_service(here, seal_all)) > 0
        there = place(engine)
        bring(there, BytesIO(export_of(here)))
        found = asyncio.run(on_service(there, verify))
        assert (found.flaw, found.not_yet_sealed) == (None, 0)
        assert found.entries == len(everything_in(here)["audit_entries"])
        asyncio.run(changed(there, Add(asking.audit_entry(50 + found.entries))))
        here = there


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_numbers_that_the_database_gives_go_on_after_those_that_came(place: Place, engine: str) -> None:
    here = filled(place("sqlite"))
    seal = AuditSeal(1, 1, 700, 1, NOON.date(), b"d", b"p", b"h", NOON)  # those under it are gone
    asyncio.run(changed(here, Add(seal)))
    there = place(engine)
    bring(there, BytesIO(export_of(here)))
    known = everything_in(there)
    asyncio.run(changed(there, Add(asking.notice(41)), Add(asking.audit_entry(9))))
    (entry,) = set(everything_in(there)["audit_entries"]) - set(known["audit_entries"])
    assert {an_id(9), 701} < set(entry)
    (notice,) = set(everything_in(there)["notices"]) - set(known["notices"])
    assert {an_id(41), len(known["notices"]) + 1} < set(notice)


def cut(file: bytes) -> bytes:
    return file[: len(file) // 2]


def without_end(file: bytes) -> bytes:
    return b"".join(file.splitlines(keepends=True)[:-1])


def with_another_row(file: bytes) -> bytes:
    return file.replace(b'"Account 2"', b'"Account 3"')


def without_a_row(file: bytes) -> bytes:
    lines = file.splitlines(keepends=True)
    lines.remove(next(line for line in lines if line.startswith(b"[") and b"Account 2" in line))
    return b"".join(lines)


def with_a_row_that_is_none(file: bytes) -> bytes:
    lines = file.splitlines(keepends=True)
    place = next(number for number, line in enumerate(lines) if line.startswith(b"["))
    return b"".join([*lines[:place], b'["x"]\n', *lines[place + 1 :]])


def with_a_table_of_its_own(file: bytes) -> bytes:
    return file.replace(b'{"table":"users"}', b'{"table":"others"}')


def of_a_later_format(file: bytes) -> bytes:
    return file.replace(b'"format":1', b'"format":2', 1)


def as_text(file: bytes) -> bytes:
    return b"Dear reader,\nthis is a letter.\n"


def as_nothing(file: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
@pytest.mark.parametrize(
    "damage",
    [
        cut, without_end, with_another_row, without_a_row, with_a_row_that_is_none, with_a_table_of_its_own,
        of_a_later_format, as_text, as_nothing,
    ],
)  # fmt: skip
def test_what_is_not_whole_is_refused_and_nothing_is_written(
    place: Place, engine: str, damage: Callable[[bytes], bytes]
) -> None:
    file = export_of(filled(place("sqlite")))
    damaged = damage(file)
    assert damaged != file
    there = place(engine)
    prepare(there)
    with pytest.raises(NotOurs):
        bring(there, BytesIO(damaged))
    assert not any(everything_in(there).values())
    bring(there, BytesIO(file))


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_an_installation_is_not_taken_into_another(place: Place, engine: str) -> None:
    file = export_of(filled(place("sqlite")))
    there = place(engine)
    bring(there, BytesIO(file))
    before = everything_in(there)
    with pytest.raises(CannotStart, match="already"):
        bring(there, BytesIO(file))
    assert everything_in(there) == before


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_what_a_first_start_makes_is_no_installation_and_is_replaced(place: Place, engine: str) -> None:
    file = export_of(filled(place("sqlite")))
    there = place(engine)
    prepare(there)
    asyncio.run(on_service(there, nothing))
    asyncio.run(changed(there, Add(asking.signing_key(kid="drawn")), Add(asking.scope("mine"))))
    bring(there, BytesIO(file))
    assert "drawn" not in str(everything_in(there)["signing_keys"])


def test_another_master_key_or_none_is_refused_before_anything_is_made(place: Place, tmp_path: Path) -> None:
    file = export_of(filled(place("sqlite")))
    other = base64.b64encode(bytes(64)).decode()
    with pytest.raises(CannotStart, match="another master key"):
        bring(Settings(data=tmp_path / "other", master_key=other), BytesIO(file))
    with pytest.raises(CannotStart, match="no master key"):
        bring(Settings(data=tmp_path / "none"), BytesIO(file))
    assert not (tmp_path / "other").exists()
    assert not (tmp_path / "none").exists()


def test_the_master_key_is_not_in_the_file(place: Place) -> None:
    file = export_of(filled(place("sqlite")))
    assert KEY.encode() not in file
    assert KEY.rstrip("=").encode() not in file


def test_a_file_of_other_tables_is_refused_by_the_name_of_what_differs(place: Place) -> None:
    file = export_of(filled(place("sqlite")))
    header, _, rest = file.partition(b"\n")
    said = json.loads(header)
    said["tables"]["scopes"]["colour"] = "text"
    said["release"] = "9.9"
    with pytest.raises(CannotStart, match=r"release 9\.9, whose tables are others \(scopes\)"):
        bring(place("sqlite"), BytesIO(json.dumps(said).encode() + b"\n" + rest))


def test_a_database_that_was_never_used_has_nothing_to_move(place: Place) -> None:
    settings = place("sqlite")
    with pytest.raises(StorageError, match="no database"):
        export_of(settings)
    prepare(settings)
    with pytest.raises(CannotStart, match="never used"):
        export_of(settings)


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_an_export_is_of_one_moment_whatever_is_written_meanwhile(place: Place, engine: str) -> None:
    settings = place(engine)
    if engine == "sqlite":
        filled(settings)
    else:
        bring(settings, BytesIO(export_of(filled(place("sqlite")))))
    written = False

    class Out(BytesIO):
        @override
        def write(self, line: Any) -> int:
            nonlocal written
            if not written and line.startswith(b'{"table":"account_external_ids"'):
                written = True
                _write_beside(settings)
            return super().write(line)

    out = Out()
    take(settings, out)
    assert written
    assert b"Written meanwhile" not in out.getvalue()
    assert b"Written meanwhile" in export_of(settings)


def _write_beside(settings: Settings) -> None:
    url = settings.database_url
    statement = "update users set name = 'Written meanwhile'"
    if url is None:
        connection = sqlite3.connect(settings.database_path)
        connection.execute(statement)
        connection.commit()
        connection.close()
    else:
        with psycopg.connect(url, autocommit=True) as session:
            session.execute(statement)
