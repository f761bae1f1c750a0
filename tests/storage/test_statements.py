"""What SQLite does for each statement."""

from __future__ import annotations

import importlib
import pkgutil
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from grantway.protocol.model import AuditEntry
from grantway.server.storage.memory import MemoryStorage
from grantway.server.storage.port import Storage, drive
from grantway.server.storage.sql import statements
from grantway.server.storage.sql.facts import SqlFacts
from grantway.server.storage.sql.parsed import Parsed
from grantway.server.storage.sql.records import AUDIT_ENTRY
from grantway.server.storage.sql.statements.rows import ADD
from grantway.server.storage.sqlite import SqliteStorage
from grantway.server.storage.sqlite.asking import asking
from tests.storage.asking import NOON, an_id, audit_entry

WHOLE_TABLES = {
    # a handful of rows, or at most a thousand of few
    "SCOPES", "RESTORATION_THAT_COUNTS", "SIGNING_KEYS", "SIGNING_KEY_VERSIONS", "OPERATORS", "OPERATOR_KEYS",
    # five counts, each of a whole index
    "CENSUS",
    # the notices that wait, by their own index
    "NOTICES (False, False, 'waiting')", "NOTICES (False, True, 'waiting')",
    "NOTICES (True, False, 'waiting')", "NOTICES (True, True, 'waiting')",
}  # fmt: skip
PARTS = {"found", "oldest", "done", "undergone"}
"""What statements call their own parts that other parts read whole."""

SORTED_PAGES = {
    # what begins with some letters is found by name and shown by age
    "USERS_BY_EMAIL", "ACCOUNTS_BY_NAME", "CLIENTS_BY_NAME",
    *(name for name in WHOLE_TABLES if name.startswith("NOTICES")),
    # two indexes, a page of each
    "AUDIT user",
}  # fmt: skip


def every_statement() -> Iterator[tuple[str, str]]:
    for module in pkgutil.iter_modules(statements.__path__):
        for name, value in vars(importlib.import_module(f"{statements.__name__}.{module.name}")).items():
            if not name.isupper() or name.startswith("_"):
                continue
            if isinstance(value, str) and re.match(r"\s*(select|insert|update|delete) ", value):
                yield name, value
            elif isinstance(value, dict):
                for key, statement in value.items():
                    if isinstance(statement, str):  # and not a codec
                        yield f"{name} {getattr(key, '__name__', key)}", statement


@pytest.fixture
def plans(database: Path) -> dict[str, list[str]]:
    """What SQLite is going to do for each statement."""
    connection = sqlite3.connect(database)
    found = {}
    for name, statement in every_statement():
        marks = max((int(number) for number in re.findall(r"\?(\d+)", statement)), default=0)
        plan = connection.execute(f"explain query plan {statement}", [None] * marks).fetchall()
        found[name] = [step[3] for step in plan]
    connection.close()
    return found


def test_only_listings_of_few_rows_read_whole_tables(plans: dict[str, list[str]]) -> None:
    whole = {
        name
        for name, plan in plans.items()
        if any(step.startswith("SCAN") and step.removeprefix("SCAN ") not in PARTS for step in plan)
    }
    assert whole == WHOLE_TABLES


def test_pages_stand_in_the_order_of_an_index(plans: dict[str, list[str]]) -> None:
    pages = {name for name, statement in every_statement() if statement.endswith("desc limit ?2")}
    assert {name for name in pages if any("TEMP B-TREE" in step for step in plans[name])} == SORTED_PAGES
    assert len(pages) > len(SORTED_PAGES)


def test_what_is_due_is_found_among_the_heads_of_lines_only(plans: dict[str, list[str]]) -> None:
    assert plans["DUE_NOTICES"] == ["SEARCH notices USING INDEX notices_due (next_attempt_at<?)"]


def test_what_there_may_be_many_of_is_counted_without_reading_a_row(plans: dict[str, list[str]]) -> None:
    covering = {step.rpartition(" ")[2] for step in plans["CENSUS"] if "USING COVERING INDEX" in step}
    assert covering == {"connections_live_by_client", "notices_waiting", "notices_dead"}


@pytest.mark.parametrize("by", ["connection", "account", "client", "reason", "action"])
def test_the_audit_is_found_by_what_is_asked_for(plans: dict[str, list[str]], by: str) -> None:
    assert f"INDEX audit_entries_by_{by} (" in plans[f"AUDIT {by}"][0]


@pytest.mark.parametrize("by", ["connection", "account", "client", "reason", "action"])
def test_how_many_entries_a_search_finds_is_counted_in_an_index_alone(plans: dict[str, list[str]], by: str) -> None:
    assert any(f"COVERING INDEX audit_entries_by_{by} (" in step for step in plans[f"AUDIT_COUNT {by}"])


def test_of_several_criteria_the_one_that_fits_the_fewest_entries_finds_them(database: Path) -> None:
    connection = sqlite3.connect(database)
    for number, action in enumerate(("connection_created", "connection_created", "secret_rotated")):
        entry = audit_entry(number, client_id=an_id(3), action=action)
        connection.execute(ADD[AuditEntry], AUDIT_ENTRY.write(entry))
    asked: list[str] = []
    connection.set_trace_callback(asked.append)
    found = drive(SqlFacts(asking(connection), Parsed(), NOON).audit(client_row_id=an_id(3), action="secret_rotated"))
    assert [each.id for each in found] == [an_id(2)]
    assert "from audit_entries where action = " in asked[-1]
    connection.close()


def test_what_a_person_did_and_what_was_done_to_them_are_found_by_two_indexes(plans: dict[str, list[str]]) -> None:
    plan = " ".join(plans["AUDIT user"])
    assert "INDEX audit_entries_by_user (" in plan
    assert "INDEX audit_entries_by_actor (" in plan


def test_both_are_storages() -> None:
    kinds: tuple[type[Storage], ...] = (MemoryStorage, SqliteStorage)
    assert len(kinds) == 2
