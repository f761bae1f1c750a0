"""The shared statements in PostgreSQL's words."""

from __future__ import annotations

import re
from functools import cache

from grantway.server.storage.postgres.statements import INSTEAD

_CHANGES = (
    (re.compile(r"\?(\d+)"), r"$\1"),
    (re.compile(r" indexed by \w+"), ""),
    # What SQLite takes as an order to join in this order.
    (re.compile(r"\bcross join\b"), "join"),
    # A plus that keeps SQLite from an index.
    (re.compile(r"(?<=\s)\+(?=\w)"), ""),
    (re.compile(r"\bis not (?=\$)"), "is distinct from "),
    (re.compile(r"\bis (?=\$)"), "is not distinct from "),
    (re.compile(r"\bas blob\b"), "as bytea"),
    # A limit that is not known yet is planned as a tenth of the table: each of a few keys is to be looked up instead.
    (re.compile(r"^(\s*delete from \w+ where \w+) in \((select .* limit \$2)\)$", re.DOTALL), r"\1 = any (array(\2))"),
    (
        re.compile(r"^(\s*delete from \w+ where )\(([\w, ]+)\) in \(select \2 (.* limit \$2)\)$", re.DOTALL),
        r"\1ctid = any (array(select ctid \3))",
    ),
)


@cache
def translated(statement: str) -> str:
    """A shared statement as PostgreSQL reads it. There are as many as there are in the code."""
    own = INSTEAD.get(statement)
    if own is not None:
        return own
    for pattern, instead in _CHANGES:
        statement = pattern.sub(instead, statement)
    return statement


@cache
def guarded(statement: str) -> str:
    """A shared change that fails with ``22012`` (division by zero) when it changes no row.

    So a whole pipeline of changes and its commit can leave at once, and the server itself stops where a guard misses.
    """
    return f"with changed as ({translated(statement)} returning 1) select 1 / count(*) from changed"
