"""The file: lines of JSON. A header, each table's name before its rows, a row a line, and an end that proves it whole.

Of each table the header names the columns, in the order in which they stand in a row, and what they hold: ``text``,
``integer``, or ``bytes`` in base64. The last line counts the rows and has the SHA-256 digest of all lines before it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, BinaryIO

import orjson

from grantway.server.storage.moving.tables import Row, Table
from grantway.wire.record import record

FORMAT = 1
LONGEST_LINE = 64 * 1024 * 1024
"""Bytes in a line at most. No row is nearly as long; what is, is not ours."""


class NotOurs(Exception):
    """What is read is no such file, or not all of one. Its text is a sentence."""


@record
class Header:
    """What the file says of itself. ``check`` is the master key's check value: it opens with that key, and tells nothing of it."""

    made_at: str
    release: str
    engine: str
    check: str = field(repr=False)
    tables: Mapping[str, Mapping[str, str]]


class Writer:
    """Writes a file in one pass. ``rows`` counts those of each table."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._digest = hashlib.sha256()
        self.rows: dict[str, int] = {}

    def header(self, header: Header) -> None:
        """To be written first."""
        said = {
            "grantway": "export",
            "format": FORMAT,
            "made_at": header.made_at,
            "release": header.release,
            "engine": header.engine,
            "master_key_check": header.check,
            "tables": header.tables,
        }
        self._line(orjson.dumps(said))

    def table(self, table: Table, rows: Iterable[Row], told: Callable[[], None]) -> None:
        """One table's rows; ``told`` is called for each."""
        self._line(orjson.dumps({"table": table.name}))
        sealed = _places(table.columns)
        count = 0
        for row in rows:
            values = list(row)
            for place in sealed:
                value = values[place]
                if value is not None:
                    values[place] = base64.b64encode(value).decode()
            self._line(orjson.dumps(values))
            count += 1
            told()
        self.rows[table.name] = count

    def end(self) -> None:
        """To be written last."""
        self._line(orjson.dumps({"rows": self.rows, "sha256": self._digest.hexdigest()}))

    def _line(self, line: bytes) -> None:
        line += b"\n"
        self._digest.update(line)
        self._out.write(line)


class Reader:
    """Reads a file in one pass: ``header``, then ``tables`` to its end. Raises ``NotOurs``."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._held: bytes | None = None
        self._before = ""  # the digest of what stands before the last line that is no row
        self.header = self._read_header()

    def tables(self) -> Iterator[tuple[str, Iterator[Row]]]:
        """Each table with its rows, which have to be read before the next one is asked for.

        Only when this is at its end it is known that the file was whole.
        """
        counts: dict[str, int] = {}
        while True:
            said = self._object(self._take())
            if "sha256" in said:
                break
            name = str(said.get("table"))
            if name not in self.header.tables or name in counts:
                raise NotOurs("The file has a table that its first line does not name, or one twice.")
            counts[name] = 0
            yield name, self._rows(name, counts)
        if said.get("sha256") != self._before or said.get("rows") != counts:
            raise NotOurs("The file was changed since it was written: its digest or its counts are others.")
        if set(counts) != set(self.header.tables):
            raise NotOurs("The file lacks tables that its first line names.")

    def _rows(self, name: str, counts: dict[str, int]) -> Iterator[Row]:
        columns = self.header.tables[name]
        sealed = _places(columns)
        while True:
            line = self._take()
            if not line.startswith(b"["):
                self._give_back(line)
                return
            try:
                values = orjson.loads(line)
                for place in sealed:
                    if values[place] is not None:
                        values[place] = base64.b64decode(values[place], validate=True)
            except (ValueError, TypeError, IndexError, binascii.Error):
                values = ()
            if len(values) != len(columns):
                raise NotOurs(f"A row of {name} in the file cannot be read.")
            counts[name] += 1
            yield values

    def _take(self) -> bytes:
        if self._held is not None:
            line, self._held = self._held, None
            return line
        line = self._file.readline(LONGEST_LINE)
        if not line.endswith(b"\n"):
            raise NotOurs("The file ends before its end: it was not written or copied to the last line.")
        if not line.startswith(b"["):
            self._before = self._digest.hexdigest()
        self._digest.update(line)
        return line

    def _give_back(self, line: bytes) -> None:
        self._held = line

    @staticmethod
    def _object(line: bytes) -> dict[str, Any]:
        try:
            said = orjson.loads(line)
        except ValueError:
            said = None
        if not isinstance(said, dict):
            raise NotOurs("The file has a line that is none of an export's.")
        return said

    def _read_header(self) -> Header:
        line = self._file.readline(LONGEST_LINE)
        self._digest.update(line)
        try:
            said = self._object(line)
        except NotOurs:
            said = {}
        if said.get("grantway") != "export":
            raise NotOurs("This is no export of Grantway.")
        if said.get("format") != FORMAT:
            raise NotOurs(
                f"The file has format {said.get('format')}; this release reads {FORMAT}. Use a later release."
            )
        try:
            return Header(
                said["made_at"], said["release"], said["engine"], said["master_key_check"], _tables_of(said["tables"])
            )
        except (KeyError, TypeError, AttributeError):
            raise NotOurs("The first line of the file lacks something.") from None


def _tables_of(said: Mapping[str, Mapping[str, str]]) -> Mapping[str, Mapping[str, str]]:
    return {str(name): {str(column): str(kind) for column, kind in columns.items()} for name, columns in said.items()}


def _places(columns: Mapping[str, str]) -> Sequence[int]:
    return [place for place, kind in enumerate(columns.values()) if kind == "bytes"]
