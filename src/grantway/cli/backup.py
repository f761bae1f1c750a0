"""``grantway backup`` and ``grantway restore``: a copy of the database, and its way back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from grantway.cli import house
from grantway.cli.terminal import Answer, Data, Json, Stop, progress, tell

if TYPE_CHECKING:
    from grantway.server.restoring import Marked
    from grantway.server.service import Service
    from grantway.server.settings import Settings

_HOW = "docs/how-to/back-up.md says how"


def backup(
    target: Annotated[
        Path, typer.Argument(metavar="TARGET", help="A new file, or a directory, which gets a new file.")
    ],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Copy the SQLite database while the server runs, and check the copy. The master key is not in it."""
    from grantway.server.storage.sqlite.backup import back_up

    settings = house.settings_of(data)
    if settings.database_url is not None:
        raise typer.BadParameter(
            "PostgreSQL makes backups of its own: pg_basebackup and WAL archiving keep every moment, pg_dump one. "
            f"{_HOW}."
        )
    begun = datetime.now(UTC)
    if target.is_dir():
        target = target / f"grantway-{begun:%Y%m%dT%H%M%SZ}.db"
    with house.told_why(), progress("pages", as_json) as told:
        size = back_up(settings.database_path, target, begun, told)
    note = "The master key is not in it. Keep that elsewhere: without it nothing in this file can be used."
    tell({"backup": str(target), "of": begun, "bytes": size}, as_json, note)


def restore(
    backup: Annotated[
        Path | None, typer.Argument(metavar="[BACKUP]", help="What `grantway backup` made.", show_default=False)
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Although there is a database; it is kept beside the new one.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Of when the backup is (UTC), where it does not say so itself."),
    ] = None,
    mark: Annotated[
        bool, typer.Option("--mark", help="The database was restored by other means, to the time of --since.")
    ] = False,
    finish: Annotated[
        bool, typer.Option("--finish", help="Believe no token any more that is ahead of the database.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Put a backup into place, with what is known to have ended since. Stop the server first, and start it afterwards."""
    from grantway.server import restoring

    wanted = [name for name, is_so in (("BACKUP", backup), ("--mark", mark), ("--finish", finish)) if is_so]
    if len(wanted) != 1:
        raise typer.BadParameter("One of BACKUP, --mark and --finish is needed.")
    told_since = None if since is None else house.read_time(since)
    if finish:
        tell(house.with_service(data, _finished), as_json)
    elif mark:
        tell(_as_answer(house.with_service(data, _marking(told_since))), as_json, _ENDS)
    elif backup is not None:
        settings = house.settings_of(data)
        _refuse_postgres(settings)
        with house.told_why():
            marked = restoring.restore(settings, backup, replace=replace, since=told_since)
        tell(_as_answer(marked), as_json, _ENDS)


_ENDS = (
    "People sign in again. Tokens that are ahead of the database are believed for 90 days, or until "
    "'grantway restore --finish'."
)


def _refuse_postgres(settings: Settings) -> None:
    if settings.database_url is not None:
        raise typer.BadParameter(
            f"PostgreSQL is restored by its own means, and then 'grantway restore --mark --since TIME' is run. {_HOW}."
        )


def _marking(since: datetime | None) -> Callable[[Service], Any]:
    async def work(service: Service) -> Marked:
        from grantway.server.restoring import mark

        if since is None:
            raise Stop("Say to what time the database was set back: --since TIME.", reason="since_missing")
        return await mark(service, since)

    return work


async def _finished(service: Service) -> Answer:
    from grantway.protocol.administration.restoring import finish

    over = await house.settled(service, finish)
    return {"restored_at": over.restored_at, "finished_at": over.until}


def _as_answer(marked: Marked) -> Answer:
    lost = "It is not known what was removed since: there is no journal. It has come back."
    found = f"{marked.journalled} lines since, of which {marked.replayed} were carried out again."
    torn = f" {marked.unreadable} lines could not be read." if marked.unreadable else ""
    return {
        "database_of": marked.backup_at,
        "removals": found + torn if marked.was_kept else lost,
        "replayed": marked.replayed,
        "journal": marked.was_kept,
        "replaced_database": None if marked.kept_at is None else str(marked.kept_at),
    }
