"""``grantway export`` and ``grantway import``: a whole installation, from one database into another."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from grantway.cli import house
from grantway.cli.terminal import Data, Json, Stop, progress, tell

_STREAM = Path("-")


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file; - for standard output.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Write the whole installation into one file while it is served. What is sealed stays so: the master key is not in it."""
    from grantway.server.moving import take

    settings = house.settings_of(data)
    if file == _STREAM:
        if as_json:
            raise typer.BadParameter("Standard output is either the export or JSON.")
        with house.told_why(), progress("rows", as_json) as told:
            take(settings, sys.stdout.buffer, told)
        sys.stdout.buffer.flush()
        return
    with house.told_why(), _new(file) as out, progress("rows", as_json) as told:
        moved = take(settings, out, told)
    note = "It is of use only with the same master key, which is not in it. Import it with: grantway import FILE"
    tell({"file": str(file), "of": moved.made_at, "bytes": file.stat().st_size, "rows": moved.rows}, as_json, note)


def bring(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `grantway export` wrote; - for standard input.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Take a whole installation into an empty database, all of it or nothing. Needs the master key of the one exported."""
    from grantway.server.moving import bring

    settings = house.settings_of(data)
    with house.told_why(), _told_if_no_export():
        if file == _STREAM:
            moved = bring(settings, sys.stdin.buffer)
        else:
            with _read(file) as opened, progress("bytes", as_json) as told:
                size = file.stat().st_size
                moved = bring(settings, opened, None if told is None else lambda: told(opened.tell(), size))
    tell({"database": settings.database_named, "of": moved.made_at, "rows": moved.rows}, as_json)


@contextmanager
def _new(file: Path) -> Iterator[BinaryIO]:
    from grantway.server.disk import new_file

    try:
        with new_file(file) as draft, draft.open("wb") as out:
            yield out
    except FileExistsError:
        raise Stop(
            f"There is something at {file} already: an export overwrites nothing.", reason="file_exists"
        ) from None
    except OSError as error:
        raise Stop(f"{file} cannot be written: {os.strerror(error.errno or 0)}.", reason="file_unwritable") from None


def _read(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise Stop(f"{file} cannot be read: {error.strerror}.", reason="file_unreadable") from None


@contextmanager
def _told_if_no_export() -> Iterator[None]:
    from grantway.server.storage.moving.file import NotOurs

    try:
        yield
    except NotOurs as problem:
        raise Stop(str(problem), reason="not_an_export") from None
