"""The audit by days: each has a partition of its own, made ahead and dropped whole, because rows that are deleted one by
one leave their place behind for vacuum to find.

A day without a partition is no fault: its entries stand in the default one, and are swept from there.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from grantway.server.storage.postgres.link import Query, SqlError
from grantway.server.storage.postgres.pool import Pool
from grantway.server.storage.postgres.statements import LAST_RETIRED, PARTITIONS

AHEAD = 7
"""Days for which there are partitions already."""

_BEGIN: list[Query] = [("begin", ()), ("set local lock_timeout = '200ms'", ())]
"""Whoever writes behind a lock that we wait for waits as long, so not for long; next time is soon."""
NOT_NOW = frozenset({"55P03", "40P01", "23514", "42P07", "23505"})
"""The lock was not to be had; entries of that day are in the default partition; another process made it, or is making it."""
_NAME = re.compile(r"audit_entries_(\d{8})")


def name_of(day: date) -> str:
    return f"audit_entries_{day:%Y%m%d}"


def bounds_of(day: date) -> tuple[str, str]:
    """The ids of a day, from the first on and before the second: an id begins with milliseconds since 1970."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return _literal(midnight), _literal(midnight + timedelta(days=1))


def making(day: date) -> tuple[str, str]:
    """What makes the partition of a day: attached, because to make it in place locks the whole audit."""
    first, end = bounds_of(day)
    name = name_of(day)
    return (
        f"create table {name} (like audit_entries including defaults)",
        f"alter table audit_entries attach partition {name} for values from ({first}) to ({end})",
    )


async def keep_partitions(pool: Pool, today: date) -> None:
    """Make those of the next days, and drop those in which everything is retired."""
    async with pool.link() as link:
        known = {str(row[0]) for row in (await link.run([(PARTITIONS, ())]))[0].rows}
    for ahead in range(AHEAD + 1):
        day = today + timedelta(days=ahead)
        if name_of(day) not in known:
            await _make(pool, day)
    for name in sorted(known):
        day_of_name = _NAME.fullmatch(name)
        if day_of_name is not None and day_of_name[1] < f"{today:%Y%m%d}":
            await _drop_if_retired(pool, name)


async def _make(pool: Pool, day: date) -> None:
    made: list[Query] = [(statement, ()) for statement in making(day)]
    try:
        async with pool.link() as link:
            await link.run([*_BEGIN, *made, ("commit", ())])
    except SqlError as error:
        if error.state not in NOT_NOW:
            raise


async def _drop_if_retired(pool: Pool, name: str) -> None:
    # Asked once without a lock, because mostly the answer is no; and again when nobody can write any more.
    later: Query = (f"select 1 from {name} where sequence > coalesce(({LAST_RETIRED}), 0) limit 1", ())
    locked: list[Query] = [
        ("lock table only audit_entries in access exclusive mode", ()),
        (f"lock table {name} in access exclusive mode", ()),
    ]
    try:
        async with pool.link() as link:
            if (await link.run([later]))[0].rows or (await link.run([*_BEGIN, *locked, later]))[-1].rows:
                return
            await link.run([(f"drop table {name}", ()), ("commit", ())])
    except SqlError as error:
        if error.state not in NOT_NOW:
            raise


def _literal(time: datetime) -> str:
    milliseconds = (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    return f"'\\x{milliseconds:012x}'"
