"""A process that only sends notices: ``python -m tests.helpers.sender_process DATABASE SECONDS_AHEAD``.

Its storage's clock is ahead by so many seconds, which makes leases of others end sooner.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime, timedelta

from grantway.server.connections.sender import Sender, run_sender
from grantway.server.service import Service
from grantway.server.settings import Settings
from grantway.server.storage.sqlite import SqliteStorage
from tests.helpers.receiver import VAULT


async def main(database: str, ahead: float) -> None:
    storage = SqliteStorage.open(database, clock=lambda: datetime.now(UTC) + timedelta(seconds=ahead))
    service = Service(settings=Settings(), storage=storage, vault=VAULT, draw=os.urandom)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    sender = Sender.of(service)
    await run_sender(service, stop, sender)
    await storage.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
