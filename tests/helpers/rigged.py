"""``grantway …`` in processes that die on order: ``python -m tests.helpers.rigged serve …``, workers included.

Production code is what it is; a few of its functions are wrapped here, in that process only. ``RIGGED_ORDERS`` is a
directory: a file with the name of a step there is the order to die (SIGKILL) at that step, and whoever comes first takes
it. Leases and deadlines are seconds instead of minutes, and ``RIGGED_NAMES`` says what some host names resolve to.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from grantway.protocol import connections, leasing, telling
from grantway.protocol.decision import Add, LeaseNotice, RemoveConnection, ReportDelivery
from grantway.protocol.model import Event
from grantway.server.connections import outgoing
from grantway.server.connections.sender import Sender
from grantway.server.storage.sqlite import changes, group

ORDERS = "RIGGED_ORDERS"
NAMES = "RIGGED_NAMES"
DEADLINE = timedelta(seconds=1)
LEASE = timedelta(seconds=1.5)
LOOKS_EVERY = 0.2

REMOVAL_STEPS = (
    "deciding a removal",
    "amid a removal",
    "before the commit of a removal",
    "after the commit of a removal",
)
DELIVERY_STEPS = (
    "before the commit of a lease",
    "after the commit of a lease",
    "with the request answered",
    "before the commit of a report",
)
_KINDS = {RemoveConnection: "removal", LeaseNotice: "lease", ReportDelivery: "report"}


def die_if_ordered(step: str) -> None:
    """Nothing else of this process happens after it."""
    with suppress(OSError, KeyError):
        (Path(os.environ[ORDERS]) / step).unlink()
        os.kill(os.getpid(), signal.SIGKILL)


def rig() -> None:
    """Wrap what can be died in, in this process."""
    in_group: set[str] = set()
    decide, apply = telling.tell_removed, changes.apply
    begin, commit = group.Committer._begin, group.Committer._commit
    report = Sender._report

    def decided(*args: Any, **more: Any) -> Any:
        die_if_ordered("deciding a removal")
        return decide(*args, **more)

    def begun(self: group.Committer) -> None:
        in_group.clear()
        begin(self)

    def applied(connection: Any, change: Any) -> None:
        if "removal" in in_group:
            die_if_ordered("amid a removal")
        apply(connection, change)
        kind = "event" if isinstance(change, Add) and isinstance(change.record, Event) else _KINDS.get(type(change))
        if kind is not None:
            in_group.add(kind)

    def committed(self: group.Committer) -> None:
        kinds = sorted(in_group)
        for kind in kinds:
            die_if_ordered(f"before the commit of a {kind}")
        commit(self)
        for kind in kinds:
            die_if_ordered(f"after the commit of a {kind}")

    async def reported(self: Sender, *args: Any) -> str:
        die_if_ordered("with the request answered")
        return await report(self, *args)

    for where, name, wrapped in (
        (connections, "tell_removed", decided),
        (group, "apply", applied),
        (group.Committer, "_begin", begun),
        (group.Committer, "_commit", committed),
        (Sender, "_report", reported),
    ):
        patch.object(where, name, wrapped).start()


def hurry() -> None:
    """The same life in less time."""
    patch.object(leasing, "LEASE", LEASE).start()
    patch.dict(outgoing.Outgoing.__init__.__kwdefaults__, deadline=DEADLINE).start()
    patch.dict(Sender.__init__.__kwdefaults__, every=LOOKS_EVERY).start()


def name_names(names: dict[str, list[str]]) -> None:
    """Resolve these as told, everything else as usual."""
    usual = socket.getaddrinfo

    def resolve(host: Any, port: Any, *args: Any, **more: Any) -> list[Any]:
        return list(_found(names.get(host, [host]), port))

    def _found(hosts: list[str], port: Any) -> Iterator[Any]:
        for host in hosts:
            yield from usual(host, port, type=socket.SOCK_STREAM)

    patch.object(socket, "getaddrinfo", resolve).start()


# Workers are forked, so they are rigged with their parent.
if __name__ == "__main__":
    rig()
    hurry()
    if NAMES in os.environ:
        name_names(
            {name: each.split(",") for name, _, each in (one.partition("=") for one in os.environ[NAMES].split())}
        )

    from grantway.cli.running import main

    main()
