"""The journal of removals: what is taken away, line by line, outside the database, so that no backup brings it back.

Written after the commit and before the answer, and synced: who was told that a connection is removed can rely on it, even
if the database is lost the next moment and a backup takes its place (``grantway restore`` replays the journal). There are
ids and times in it, and no secret. A file for each day; those of days long past go by themselves.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any

import orjson

from grantway.protocol.administration.restoring import FOUND_BY, STANDING, Gone, Standing, Taken, taken_by
from grantway.protocol.decision import (
    AddTallies,
    Change,
    EndGrant,
    EndUserGrants,
    LeaseNotice,
    MoveGeneration,
    Put,
    RemoveConnection,
    ReportDelivery,
    TouchUse,
)
from grantway.protocol.model import Developer, EndedToken, Membership, Operator, Suspension
from grantway.server.disk import sync_directory
from grantway.server.log import log
from grantway.server.settings import Settings

KEPT = timedelta(days=90)
"""How long a day's file is kept: who restores a backup that is older than that is told."""

SLACK = timedelta(minutes=5)
"""How much earlier than the backup replaying begins: clocks differ, and what is replayed twice changes nothing."""

_CHANGES: Mapping[str, type[Any]] = {each.__name__: each for each in (RemoveConnection, EndGrant, EndUserGrants)}
_RECORDS: Mapping[str, type[Any]] = {each.__name__: each for each in (EndedToken, Membership, Operator, Developer)}
_KINDS: Mapping[str, type[Any]] = {each.__name__: each for each in (*STANDING, *FOUND_BY)}

_AS_PLAIN = orjson.OPT_APPEND_NEWLINE | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
"""What ``_plain`` tells apart is left to it."""

_QUIET = frozenset({MoveGeneration, TouchUse, AddTallies, LeaseNotice, ReportDelivery})
"""What requests change most often, and take nothing away with."""


class Journal:
    """The files of one installation, in a directory of their own. Any number of processes append to them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._waiting: list[Taken] = []
        self._round: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    @classmethod
    def of(cls, settings: Settings) -> Journal | None:
        """The journal that the settings ask for."""
        directory = settings.removals_directory
        return None if directory is None else cls(directory)

    async def hear(self, changes: Sequence[Change]) -> None:
        """Write down what these changes, which are true now, have taken away. Never raises: they are true anyway."""
        taken = () if _QUIET.issuperset(map(type, changes)) else tuple(taken_by(changes))
        if not taken:
            return
        self._waiting += taken
        if self._round is None:
            self._round = asyncio.create_task(self._write())
        await asyncio.shield(self._round)  # others wait for it, too

    async def _write(self) -> None:
        """Write what waits. What comes while the disk is busy shares the next sync."""
        async with self._turn:
            taken, self._waiting, self._round = self._waiting, [], None
            try:
                # Syncing takes as long as the disk likes; the loop goes on meanwhile.
                await asyncio.to_thread(self.append, taken, datetime.now(UTC))
            except OSError as error:
                log.error("removal_not_journalled", error=type(error).__name__)

    def append(self, taken: Sequence[Taken], at: datetime) -> None:
        """Write and sync the lines. Raises ``OSError``."""
        lines = b"".join(orjson.dumps(_line(each, at), _plain, _AS_PLAIN) for each in taken)
        path = self.directory / f"{at.date().isoformat()}.jsonl"
        is_new = not path.exists()
        if is_new:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Appending is atomic among processes as long as it is one write.
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            is_torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            whole = b"\n" + lines if is_torn else lines
            if os.write(descriptor, whole) < len(whole):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if is_new:
            sync_directory(self.directory)
            self.prune(at.date())

    def prune(self, today: date) -> None:
        """Let the files of days long past go."""
        for day, path in self._days():
            if day < today - KEPT:
                path.unlink(missing_ok=True)

    def read(self, since: datetime) -> Read:
        """What was taken away since then, in order; of what was changed more than once, as it stood in the end."""
        found: list[tuple[datetime, Taken]] = []
        unreadable = 0
        for day, path in self._days():
            if day < (since - SLACK).date():
                continue
            for line in filter(None, path.read_bytes().splitlines()):
                try:
                    at, each = _read_line(line)
                except (ValueError, KeyError, TypeError, AttributeError):
                    unreadable += 1  # torn by a crash, or not ours
                    continue
                if at >= since - SLACK:
                    found.append((at, each))
        taken: dict[Any, Taken] = {}
        for _, each in sorted(found, key=itemgetter(0)):  # of several hosts, each has its own files
            identity = _identity(each)
            taken.pop(identity, None)
            taken[identity] = each
        return Read(tuple(taken.values()), unreadable, self.directory.is_dir())

    def _days(self) -> Iterator[tuple[date, Path]]:
        for path in sorted(self.directory.glob("*.jsonl")):
            try:
                yield date.fromisoformat(path.stem[:10]), path
            except ValueError:
                continue  # somebody else's


@dataclass(frozen=True, slots=True)
class Read:
    """What stands in a journal. ``unreadable`` lines were passed over; ``was_kept``: there is one at all."""

    taken: tuple[Taken, ...]
    unreadable: int
    was_kept: bool


def _identity(taken: Taken) -> Any:
    match taken:
        case Put(EndedToken() as ended):
            return ended.serial
        case Put(thing):
            return type(thing), tuple(getattr(thing, name) for name in FOUND_BY[type(thing)])
        case Gone(kind, key):
            return kind, key
        case Standing(kind, key):
            return kind, (key,)
        case _:
            return _timeless(taken)


def _timeless(taken: RemoveConnection | EndGrant | EndUserGrants) -> Any:
    """The change as far as it is the same at another time."""
    return type(taken), *(getattr(taken, each.name) for each in fields(taken) if each.name != "at")


def _line(taken: Taken, at: datetime) -> Mapping[str, Any]:
    line: dict[str, Any] = {"at": at}
    match taken:
        case Put(thing):
            line |= {"is": type(thing).__name__, "fields": _fields(thing)}
        case Gone(kind, key):
            line |= {"gone": kind.__name__, "key": key}
        case Standing(kind, key, stands):
            line |= {"stands": kind.__name__, "key": key, "fields": dict(stands)}
        case _:
            line |= {"change": type(taken).__name__, "fields": _fields(taken)}
    return line


def _fields(thing: Any) -> dict[str, Any]:
    return {each.name: getattr(thing, each.name) for each in fields(thing)}


def _read_line(line: bytes) -> tuple[datetime, Taken]:
    said = json.loads(line, object_hook=_told)
    at: datetime = said["at"]
    if not isinstance(at, datetime):
        raise TypeError("A line says when.")
    if "is" in said:
        return at, Put(_RECORDS[said["is"]](**said["fields"]))
    if "gone" in said:
        return at, Gone(_KINDS[said["gone"]], tuple(said["key"]))
    if "stands" in said:
        stands = {name: _as_field(value) for name, value in said["fields"].items()}
        return at, Standing(_KINDS[said["stands"]], said["key"], stands)
    change: RemoveConnection | EndGrant | EndUserGrants = _CHANGES[said["change"]](**said["fields"])
    return at, change


def _as_field(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    """What JSON cannot say, in an object with one member that says what it is."""
    match value:
        case bytes():
            return {"hex": value.hex()}
        case datetime():
            return {"time": value.isoformat()}
        case Suspension():
            return {"suspension": [value.at, value.reason, value.actor]}
        case Mapping():
            return dict(value)
    raise TypeError(f"A {type(value).__name__} does not stand in the journal.")


def _told(said: dict[str, Any]) -> Any:
    match said:
        case {"hex": str(text)} if len(said) == 1:
            return bytes.fromhex(text)
        case {"time": str(text)} if len(said) == 1:
            return datetime.fromisoformat(text)
        case {"suspension": [at, reason, actor]} if len(said) == 1:
            return Suspension(at, reason, actor)
    return said
