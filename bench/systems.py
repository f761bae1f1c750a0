"""What is measured: a system that runs somewhere, filled by its own means, and what the load needs to know of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

OPAQUE, ES256, RS256 = (f"client_credentials {kind}" for kind in ("opaque", "ES256", "RS256"))
EXCHANGE, REFRESH, INTROSPECTION, REVOCATION = "code exchange", "refresh", "introspection", "revocation"
OPERATIONS = (OPAQUE, ES256, RS256, EXCHANGE, REFRESH, INTROSPECTION, REVOCATION)
RACES = 5


class Missing(Exception):
    """A peer that cannot be had on this machine; the sentence says why."""


@dataclass(frozen=True)
class Amounts:
    """How much is made before the load: of grants that live, and of what can be used only once, for all runs together."""

    codes: int
    refresh_tokens: int
    access_tokens: int
    revocable: int
    races: int = RACES


@dataclass(frozen=True)
class Caller:
    """A client, and what it asks for: the body of a client-credentials request, if it makes any."""

    id: str
    secret: str
    body: str = ""


@dataclass(frozen=True)
class Material:
    """What the load scripts need: paths, clients by operation, and in the folder files of one token a line.

    ``user`` is the client whose grants they are.
    """

    folder: Path
    token: str
    introspection: str | None
    revocation: str | None
    callers: dict[str, Caller]
    user: Caller
    exchange: str

    def file(self, name: str) -> Path:
        return self.folder / name


def read_material(folder: Path) -> Material:
    """What a peer's program wrote (``bench.material``)."""
    said = json.loads((folder / "material.json").read_text())
    return Material(
        folder,
        said["token"],
        said["introspection"],
        said["revocation"],
        {operation: Caller(**caller) for operation, caller in said["callers"].items()},
        Caller(**said["user"]),
        said["exchange"],
    )


@dataclass(frozen=True)
class Running:
    """Where it answers, and the processes that are counted with all their descendants: database included."""

    url: str
    roots: tuple[int, ...]
    material: Material
    introspects_at: str | None = None
    """If not at the same address."""

    def address(self, operation: str) -> str:
        return self.introspects_at or self.url if operation == INTROSPECTION else self.url


@dataclass(frozen=True, eq=False)
class System:
    """One column of the comparison: a server in one configuration.

    ``rates`` are rough guesses, per second, of operations that use something up: so much is made before. ``pool`` is
    the number of grants that are refreshed in turn. ``stretch`` makes the runs longer of those who answer a few times a
    second. ``warm`` is how many seconds of each operation come before those that count.
    """

    key: str
    peer: str
    setup: str
    durability: str
    start: Callable[[Path, Amounts, str], AbstractContextManager[Running]]
    version: str = ""
    fastest: bool = False
    rates: dict[str, int] = field(default_factory=dict)
    pool: int = 500
    stretch: float = 1
    warm: float = 1
