"""Migrations: numbered files of each engine. Forward only; expand, deploy, contract.

An *expand* migration leaves the last release working, so an older program may go on with a database that only such
migrations made newer. A *contract* migration takes away what the last release needed; after it that release is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Literal, cast

from grantway.server.storage.port import StorageError

ONE_BY_ONE = "-- one by one"


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file. ``name`` is ``0001_foundation``; names sort in the order in which they are applied."""

    name: str
    phase: Literal["expand", "contract"]
    script: str

    @property
    def is_one_by_one(self) -> bool:
        """Whether its statements cannot share a transaction; each then does no harm when it is done again.

        For what PostgreSQL makes while others write (``create index concurrently if not exists``).
        """
        return self.script.splitlines()[1:2] == [ONE_BY_ONE]


@dataclass(frozen=True, slots=True)
class Planned:
    """A migration that would be applied, and the statements that it is in this engine."""

    name: str
    phase: Literal["expand", "contract"]
    statements: tuple[str, ...]


def migrations(engine: Literal["sqlite", "postgres"]) -> tuple[Migration, ...]:
    """All that this code knows for an engine, in order."""
    files = resources.files(f"grantway.server.storage.migrations.{engine}").iterdir()
    scripts = sorted((file.name, file.read_text(encoding="utf-8")) for file in files if file.name.endswith(".sql"))
    return tuple(read(name.removesuffix(".sql"), script) for name, script in scripts)


def read(name: str, script: str) -> Migration:
    """A migration by its file's text. Raises ``ValueError`` unless the first line says its phase."""
    phase = script.partition("\n")[0].removeprefix("--").strip()
    if phase not in ("expand", "contract"):
        raise ValueError(f"The first line of {name} must be '-- expand' or '-- contract'.")
    return Migration(name, cast("Literal['expand', 'contract']", phase), script)


def missing(applied: Mapping[str, str], known: Sequence[Migration]) -> list[Migration]:
    """What is known and not among those applied (phases by name). Raises ``StorageError`` if the database is too new."""
    names = {migration.name for migration in known}
    newer = sorted(name for name, phase in applied.items() if name not in names and phase == "contract")
    if newer:
        raise StorageError(
            f"The database is newer than this program: it has {', '.join(newer)}. Use the release that made it, or a later."
        )
    return [migration for migration in known if migration.name not in applied]
