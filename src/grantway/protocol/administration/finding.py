"""What rows name by row ids, found for a page of them: each once, by its key."""

from __future__ import annotations

from collections.abc import Iterable

from grantway.protocol.facts import Facts
from grantway.protocol.model import Client


async def clients_of(facts: Facts, row_ids: Iterable[bytes | None]) -> dict[bytes | None, Client]:
    """The clients of these row ids."""
    wanted = {row_id for row_id in row_ids if row_id is not None}
    found = {row_id: await facts.client_by_row(row_id) for row_id in sorted(wanted)}
    return {row_id: client for row_id, client in found.items() if client is not None}
