"""A process of its own that uses a connection: ``python -m tests.helpers.refresher`` with its task as JSON.

Its clock is ``ahead`` by so many seconds, and to it every token ends within ``leeway``. With ``dies`` it is killed where a
refresh hurts most: the server has moved on, the answer is there, and nothing of it is written yet.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from typing_extensions import override

from grantway.client import Client, FileStore

ALWAYS = 10.0**6
"""A leeway in seconds that no token outlives."""


def ahead(seconds: float) -> Callable[[], datetime]:
    """A clock that goes so much before the true one."""
    return lambda: datetime.now(UTC) + timedelta(seconds=seconds)


class DeadlyStore(FileStore):
    """Kills its process instead of writing new tokens."""

    @override
    def save(self, name: str, kept: dict[str, Any] | None) -> None:
        if kept is not None and kept["refreshing"] is None:
            os.kill(os.getpid(), signal.SIGKILL)
        super().save(name, kept)


def main() -> None:
    """Say each access token that it was given."""
    task = json.loads(sys.argv[1])
    store = (DeadlyStore if task["dies"] else FileStore)(task["directory"])
    with Client(
        task["issuer"],
        client_id=task["client_id"],
        client_secret=task["client_secret"],
        store=store,
        now=ahead(task["ahead"]),
    ) as client:
        connection = client.connection(task["name"], leeway=task["leeway"])
        for _ in range(task["times"]):
            print(connection.access_token(), flush=True)


if __name__ == "__main__":
    main()
