"""``audit verify`` from outside: somebody gets at the database, and is found."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from grantway.server.opening import open_service
from grantway.server.sealing import seal_all
from grantway.server.settings import Settings
from tests.cli.conftest import Grantway
from tests.helpers.engine import IS_POSTGRES
from tests.helpers.logs import logged

Tell = Callable[..., dict[str, Any]]


@pytest.fixture
def sealed(data: Path, tell: Tell) -> None:
    """Six entries under two seals."""
    tell("users", "create", "--email", "ada@example.com", "--name", "Ada")
    tell("accounts", "create", "--name", "Acme", "--id", "acme")
    tell("members", "add", "--account", "acme", "--user", "ada@example.com", "--role", "owner")
    seal(data)
    for command in ("disable", "enable", "sign-out"):
        tell("users", command, "ada@example.com")
    seal(data)


def seal(data: Path) -> None:
    async def work() -> None:
        service = await open_service(Settings(data=data, database=os.environ.get("GRANTWAY_DATABASE"), writer="tick"))
        try:
            await seal_all(service)
        finally:
            await service.storage.close()

    with logged():
        asyncio.run(work())


def tamper(data: Path, statement: str) -> None:
    """What somebody does who can write to the database itself."""
    if IS_POSTGRES:
        with psycopg.connect(os.environ["GRANTWAY_DATABASE"], autocommit=True) as theirs:
            theirs.execute(statement.encode())
        return
    connection = sqlite3.connect(data / "grantway.db", isolation_level=None)
    connection.execute(statement)
    connection.close()


@pytest.mark.usefixtures("sealed")
def test_an_audit_that_is_as_it_was_is_verified_with_a_head_that_was_noted(tell: Tell) -> None:
    found = tell("audit", "verify")
    assert (found["seals"], found["not_yet_sealed"], found["removed_by_retention"]) == (2, 0, 0)
    assert found["entries"] == len(tell("audit", "search")["entries"]) >= 6
    assert tell("audit", "verify", "--head", found["head"])["seals_since_head"] == 0
    tell("users", "disable", "ada@example.com")
    assert tell("audit", "verify")["not_yet_sealed"] == 1


@pytest.mark.usefixtures("sealed")
@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("update audit_entries set actor = 'system' where action = 'user_disabled'", "entries_changed"),
        ("delete from audit_entries where action = 'user_disabled'", "entries_missing"),
        ("update audit_entries set detail = '{\"a\":1}' where action = 'user_created'", "entries_changed"),
        ("update audit_seals set count = 1 where number = 1", "seal_changed"),
        ("delete from audit_seals where number = 1", "seal_missing"),
        ("update audit_seals set removed_at = 1 where number = 2", "retired_out_of_order"),
    ],
)
def test_what_was_done_to_it_is_said_and_the_command_fails(
    data: Path, grantway: Grantway, tell: Tell, statement: str, reason: str
) -> None:
    tamper(data, statement)
    ran = grantway("audit", "verify", "--json")
    assert (ran.code, ran.answer["reason"]) == (1, reason)
    spoken = grantway("audit", "verify")
    assert spoken.code == 1
    assert "eal" in spoken.err


@pytest.mark.usefixtures("sealed")
def test_an_end_that_was_cut_off_is_found_by_a_head_that_was_noted_and_only_by_that(
    data: Path, grantway: Grantway, tell: Tell
) -> None:
    head = tell("audit", "verify")["head"]
    tamper(data, "delete from audit_entries where sequence >= (select first from audit_seals where number = 2)")
    tamper(data, "delete from audit_seals where number = 2")
    assert tell("audit", "verify")["seals"] == 1
    assert grantway("audit", "verify", "--head", head, "--json").answer["reason"] == "head_missing"
    assert grantway("audit", "verify", "--head", "abc", "--json").answer["reason"] == "hash_malformed"


@pytest.mark.usefixtures("sealed")
def test_after_a_person_was_erased_every_seal_still_holds_and_nobody_is_found_by_their_address(
    data: Path, grantway: Grantway, tell: Tell
) -> None:
    refused = grantway("users", "erase", "ada@example.com", "--json")
    assert (refused.code, refused.answer["reason"]) == (1, "last_owner")
    erased = tell("users", "erase", "ada@example.com", "--force")
    assert (erased["email"], erased["has_password"]) == (None, False)
    assert erased["name"].startswith("erased-")
    assert grantway("users", "disable", "ada@example.com", "--json").answer["reason"] == "user_unknown"
    seal(data)
    assert tell("audit", "verify")["not_yet_sealed"] == 0
    actions = [each["action"] for each in tell("audit", "search", "--user", erased["id"])["entries"]]
    assert {"user_created", "user_disabled", "user_erased"} <= set(actions)
