"""Every table of the schema says what makes its rows and what takes them away."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

from grantway.server.storage.sqlite import migrate
from tests.house.documents import ROOT

_SCALE = ROOT / "docs" / "explanation" / "scale.md"


def test_every_table_of_the_schema_is_in_the_list_of_what_makes_and_takes_its_rows(tmp_path: Path) -> None:
    database = tmp_path / "grantway.db"
    migrate(database)
    connection = sqlite3.connect(database)
    query = "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'"
    tables = {name for (name,) in connection.execute(query)}
    connection.close()
    section = (
        _SCALE.read_text(encoding="utf-8").split("## What makes a row, and what takes it away\n")[1].split("\n## ")[0]
    )
    lines = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("| `")]
    listed = [name for line in lines for name in re.findall(r"`(\w+)`", line[0])]
    assert sorted(listed) == sorted(tables)
    assert [len(line) for line in lines] == [4] * len(lines)
    assert all(cell.strip() for line in lines for cell in line)
