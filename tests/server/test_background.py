"""Work beside the requests goes on, whatever happens to it."""

from __future__ import annotations

import asyncio

import pytest

from grantway.server.background import keep_running
from grantway.server.storage.port import OutcomeUnknown


def test_work_that_fails_is_begun_again_until_the_server_stops() -> None:
    begun = 0

    async def run() -> None:
        stop = asyncio.Event()

        async def work() -> None:
            nonlocal begun
            begun += 1
            if begun < 3:
                raise LookupError("a secret")
            stop.set()

        await keep_running("sender", work, stop, pause=0.001)

    asyncio.run(asyncio.wait_for(run(), 5))
    assert begun == 3


def test_a_pause_ends_with_the_server() -> None:
    async def run() -> None:
        stop = asyncio.Event()

        async def work() -> None:
            stop.set()
            raise LookupError

        await keep_running("sweeper", work, stop, pause=3600)

    asyncio.run(asyncio.wait_for(run(), 5))


def test_what_nobody_can_know_is_not_tried_again() -> None:
    async def work() -> None:
        raise OutcomeUnknown("a commit")

    with pytest.raises(OutcomeUnknown):
        asyncio.run(keep_running("sender", work, asyncio.Event()))
