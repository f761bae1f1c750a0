"""The audit: who did what, when and why, with the way to each that it names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grantway.protocol.administration.finding import clients_of
from grantway.protocol.facts import Facts
from grantway.protocol.model import AuditEntry
from grantway.protocol.moment import Moment
from grantway.server.pages.admin.table import NOWHERE, Asked, Sight, path_of, shown

_HERE = path_of("audit")
FILTERS = ("connection", "client", "account", "user", "reason", "action")


async def load(facts: Facts, at: Moment, asked: Asked) -> Mapping[str, Any]:
    named = asked.named("client")
    client = await facts.client(named) if named else None
    rows = await facts.audit(
        asked.page("au"),
        connection_id=asked.row("connection", "cn"),
        client_row_id=client.id if client else NOWHERE if named else None,
        account_id=asked.row("account", "ac"),
        user_id=asked.row("user", "us"),
        reason=asked.named("reason") or None,
        action=asked.named("action") or None,
    )
    return {
        "asked": {name: asked.named(name) for name in FILTERS},
        "older": asked.older(rows, "au"),
        **await of_audit(facts, shown(rows)),
    }


async def of_audit(facts: Facts, entries: tuple[AuditEntry, ...]) -> Mapping[str, Any]:
    """Entries as pages show them: with the clients that they name by row."""
    return {"entries": entries, "audited_clients": await clients_of(facts, (entry.client_id for entry in entries))}


TABLE = (Sight(_HERE, _HERE, "admin/audit.html", load),)
