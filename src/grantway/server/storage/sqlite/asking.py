"""How SQLite answers what facts ask. Never waits: a rule over it is driven by a single ``send(None)``."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from grantway.server.storage.sql.facts import Ask


def asking(connection: sqlite3.Connection) -> Ask:
    """Answers on one connection. On the writer's they include what rules before this one changed in the same group."""

    async def ask(statement: str, values: Sequence[Any], /) -> Sequence[Sequence[Any]]:
        try:
            # Always to the end: an open cursor would hold a read transaction.
            return connection.execute(statement, values).fetchall()
        except UnicodeEncodeError:
            return []  # half a surrogate pair is in no stored text

    return ask
