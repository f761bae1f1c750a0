"""Which process does what one does at a time: as much of a lease as its process knows."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from grantway.protocol.leases import give_back, take
from grantway.server.service import Service


class Hold:
    """A process's part in work of one name: asks storage when it has to, and otherwise remembers until when it is ours.

    ``lasts`` is in seconds; when half of them are over the lease is taken anew.
    """

    def __init__(self, service: Service, name: str, lasts: float) -> None:
        self._service = service
        self._name = name
        self._lasts = lasts
        self._owner = service.draw(16)
        self._until = 0.0

    async def is_ours(self) -> bool:
        """Whether this process does it now. Raises what storage does."""
        asked = asyncio.get_running_loop().time()
        if self._until - asked > self._lasts / 2:
            return True
        lasts = timedelta(seconds=self._lasts)
        taken = (await self._service.consult(take, self._name, self._owner, lasts)).answer
        self._until = asked + self._lasts if taken else 0.0
        return taken

    async def give_back(self) -> None:
        """Somebody else may do it at once."""
        if self._until:
            self._until = 0.0
            await self._service.consult(give_back, self._name, self._owner)
