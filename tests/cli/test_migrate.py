"""``grantway migrate``: what it would do, and what it does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grantway.server.storage.sql.migrations import migrations
from tests.cli.conftest import Grantway
from tests.helpers.postgres import Cluster

Tell = Callable[..., dict[str, Any]]
pytestmark = pytest.mark.own_storage


def test_the_plan_of_a_first_start_is_every_migration_and_nothing_is_made(tell: Tell, data: Path) -> None:
    planned = tell("migrate", "--plan")["planned"]
    assert [(one["name"], one["phase"]) for one in planned] == [(one.name, one.phase) for one in migrations("sqlite")]
    assert planned[0]["statements"][0].endswith("strict, without rowid;")
    assert not data.exists()


def test_the_plan_is_what_is_applied_next(tell: Tell) -> None:
    planned = [one["name"] for one in tell("migrate", "--plan")["planned"]]
    assert tell("migrate")["applied"] == planned
    assert tell("migrate", "--plan")["planned"] == []
    assert tell("migrate")["applied"] == []


def test_people_read_the_statements(grantway: Grantway) -> None:
    planned = grantway("migrate", "--plan").out
    assert "-- 0001_foundation (expand)" in planned
    assert "create table grants (" in planned
    grantway("migrate")
    assert "Everything was in place." in grantway("migrate", "--plan").out


def test_on_postgresql_it_is_the_same(
    tell: Tell,
    grantway: Grantway,
    data: Path,
    postgres_url: str,
    postgres_cluster: Cluster,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GRANTWAY_DATABASE", postgres_url)
    answer = tell("migrate", "--plan")
    names = [one.name for one in migrations("postgres")]
    assert [one["name"] for one in answer["planned"]] == names
    assert "postgres@" not in answer["database"]
    with postgres_cluster.connect(postgres_url.rpartition("/")[2]) as connection:
        assert connection.execute("select count(*) from pg_class where relname = 'migrations'").fetchone() == (0,)
    assert tell("migrate")["applied"] == names
    assert "Everything was in place." in grantway("migrate", "--plan").out
